//! One walk that shares a graph, or undoes what it did: claim, decide, then publish or undo.
//!
//! It runs in pieces. Between two pieces all of it is in [`Sharing`], behind a lock that nobody
//! holds then: a collector may visit and update it, and a forked child, whose walker thread does
//! not exist, finds it at the end of some piece and undoes or finishes it.
//!
//! - **Claim**: [`Claim`] enters objects; `log` is the list of all that were claimed.
//! - **Decide**: one compare-and-swap of the walk word, RUN to COMMIT.
//! - **Publish**, in two passes over the log: first every object is frozen, then every one becomes
//!   shareable. In one pass a shareable object would have unfrozen descendants for a moment;
//!   cycles rule out any order that avoids it. With the world stopped nobody sees that moment, and
//!   the second pass does it all.
//! - **Undo** instead, if it fails: undo.rs.

use super::claim::{Announced, Claim, Condition, Purpose, Stop};
use super::path::PathText;
use super::protocol::{Phase, Protocol};
use super::undo::{AHEAD, Undo, Undoing};
use super::verifier::Verifier;
use crate::host::callbacks::Callbacks;
use crate::host::contract::rs_value;
use crate::host::flags::Flags;
use crate::host::heap::{Heap, Object};
use crate::host::memory::HostAllocator;
use crate::host::report::RS_CAUSE_HELD;
use crate::status::{RS_ERR_ARGUMENT, rs_status};
use crate::walk::chunks::Chunks;
use crate::walk::{Memory, Progress, Visit, Visitor};

/// Objects that a piece of publishing or undoing handles.
#[cfg(not(any(test, loom)))]
const PIECE: usize = 512;
/// Objects that a piece of publishing or undoing handles. Small under test.
#[cfg(any(test, loom))]
const PIECE: usize = 2;

/// Why a walk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The graph is shareable; or, for `Purpose::Try`, it would be.
    Shared,
    /// This object blocks it, for this cause.
    Blocked(Object, u32),
    /// Main wrote this object while the walk had claimed it.
    Written(Object),
    /// It was interrupted: try again.
    Interrupted,
    /// These must be prepared first: see [`Sharing::take_unprepared`].
    Unprepared,
    /// Memory ran out, or a callback failed.
    Failed(rs_status),
}

/// What the walk does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing: there is no walk.
    Idle,
    /// Claim.
    Claim,
    /// First pass of publishing, from this index of the log on.
    Freeze(usize),
    /// Second pass of publishing.
    Publish(usize),
    /// Undo, from this index down.
    Undo(usize),
    /// Demote or undo what lies on the path, from this index of the log on.
    Demote(usize),
}

/// Brings nearer what a pass over some objects comes to in a moment.
#[inline(always)]
fn prefetch(objects: &[rs_value], index: usize, bring: impl FnOnce(Object)) {
    if let Some(&object) = objects.get(index) {
        bring(Object(object));
    }
}

/// A walk that shares a graph.
pub struct Sharing {
    purpose: Purpose,
    epoch: u64,
    serial: u64,
    root: rs_value,
    stage: Stage,
    outcome: Outcome,
    memory: Memory,
    log: Chunks,
    unprepared: Chunks,
    labels_wanted: bool,
    undo: Undo,
}

impl Sharing {
    /// No walk.
    pub fn new(allocator: HostAllocator) -> Self {
        Sharing {
            purpose: Purpose::Access,
            epoch: 0,
            serial: 0,
            root: 0,
            stage: Stage::Idle,
            outcome: Outcome::Shared,
            memory: Memory::new(allocator),
            log: Chunks::new(allocator),
            unprepared: Chunks::new(allocator),
            labels_wanted: false,
            undo: Undo::default(),
        }
    }

    /// Whether a walk is under way.
    pub fn is_idle(&self) -> bool {
        self.stage == Stage::Idle
    }

    /// Begins a walk. Only with the turn, and when no walk is under way.
    pub fn begin(
        &mut self,
        protocol: &Protocol,
        root: Object,
        purpose: Purpose,
        labels_wanted: bool,
    ) -> Result<(), rs_status> {
        self.memory.clear();
        self.log.clear();
        self.unprepared.clear();
        self.memory.add(root)?;
        self.purpose = purpose;
        self.root = root.0;
        self.stage = Stage::Claim;
        self.outcome = Outcome::Shared;
        self.labels_wanted = labels_wanted;
        self.undo = Undo::default();
        self.serial = protocol.serial();
        self.epoch = protocol.begin();
        Ok(())
    }

    /// Runs one piece; returns how the walk ended, once it has.
    pub fn run_piece<H: Heap>(
        &mut self,
        heap: &H,
        callbacks: &Callbacks,
        protocol: &Protocol,
        verifier: &Verifier,
    ) -> Option<Outcome> {
        let undoing = Undoing {
            heap,
            callbacks,
            protocol,
            purpose: self.purpose,
        };
        match self.stage {
            Stage::Idle => return Some(self.outcome),
            Stage::Claim => {
                let verifier = verifier.is_on().then_some((verifier, callbacks));
                self.claim_piece(heap, protocol, verifier);
            }
            Stage::Freeze(0) if protocol.is_world_stopped() => self.stage = Stage::Publish(0),
            Stage::Freeze(next) => self.freeze_piece(heap, next),
            Stage::Publish(next) => self.publish_piece(heap, protocol, next),
            Stage::Undo(above) => self.undo_piece(undoing, above),
            Stage::Demote(next) => self.demote_piece(undoing, next),
        }
        (self.stage == Stage::Idle).then_some(self.outcome)
    }

    /// Brings a walk whose thread is gone to its end: what was decided is published, anything else
    /// undone.
    pub fn finish_orphan<H: Heap>(
        &mut self,
        heap: &H,
        callbacks: &Callbacks,
        protocol: &Protocol,
        verifier: &Verifier,
    ) {
        if self.stage == Stage::Claim {
            protocol.end_scan();
            self.fail(protocol, Outcome::Interrupted);
        }
        while self
            .run_piece(heap, callbacks, protocol, verifier)
            .is_none()
        {}
    }

    fn claim_piece<H: Heap>(
        &mut self,
        heap: &H,
        protocol: &Protocol,
        verifier: Option<(&Verifier, &Callbacks)>,
    ) {
        let mut claim = Claim {
            purpose: self.purpose,
            condition: Condition::new(self.purpose, heap.flags().masks()),
            epoch: self.epoch,
            protocol,
            log: self.log.appending(),
            unprepared: &mut self.unprepared,
            announced: match verifier {
                Some(_) => Announced::ALL,
                None => Announced::INDIRECT,
            },
            verifier,
        };
        let result = self.memory.run_piece(heap, &mut claim);
        drop(claim);
        match result {
            Ok(Progress::Pause) => {}
            Ok(Progress::Complete) => self.decide(protocol),
            Err(stop) => self.stop(protocol, stop),
        }
    }

    /// All is claimed: commits, or finds why not.
    fn decide(&mut self, protocol: &Protocol) {
        if !self.unprepared.is_empty() {
            self.fail(protocol, Outcome::Unprepared);
        } else if self.purpose == Purpose::Try {
            self.fail(protocol, Outcome::Shared);
        } else if protocol.decide(self.epoch, Phase::Commit) {
            self.stage = Stage::Freeze(0);
        } else {
            self.fail(protocol, Outcome::Interrupted);
        }
    }

    fn stop(&mut self, protocol: &Protocol, stop: Stop) {
        let outcome = match stop {
            Stop::Blocked(object, cause) => Outcome::Blocked(object, cause),
            Stop::Ended | Stop::Changing => Outcome::Interrupted,
            Stop::Failed(status) => Outcome::Failed(status),
        };
        self.fail(protocol, outcome);
    }

    /// The walk fails. If main has ended it meanwhile, that is why.
    fn fail(&mut self, protocol: &Protocol, outcome: Outcome) {
        let own = protocol.decide(self.epoch, Phase::Abort);
        self.outcome = match (own, outcome, protocol.word().phase()) {
            (false, Outcome::Blocked(..) | Outcome::Failed(_), _) => outcome,
            (false, _, Phase::Abort) => Outcome::Written(protocol.written()),
            (false, ..) => Outcome::Interrupted,
            (true, ..) => outcome,
        };
        let blocker = match self.outcome {
            Outcome::Blocked(_, RS_CAUSE_HELD) => None,
            Outcome::Blocked(object, _) | Outcome::Written(object) => Some(object),
            _ => None,
        };
        self.undo = Undo::new(blocker, self.log.len(), self.labels_wanted);
        self.stage = Stage::Undo(self.log.len());
    }

    fn freeze_piece<H: Heap>(&mut self, heap: &H, next: usize) {
        let flags = heap.flags();
        let frozen = flags.masks().frozen;
        let ahead = self.log.words(next, PIECE + AHEAD);
        let objects = &ahead[..PIECE.min(ahead.len())];
        for (index, &object) in objects.iter().enumerate() {
            let object = Object(object);
            if heap.wants_commits() {
                prefetch(ahead, index + AHEAD, |ahead| heap.prefetch(ahead));
                heap.commit(object, heap.plan(object));
            } else {
                prefetch(ahead, index + AHEAD, |ahead| {
                    flags.prefetch(heap.address(ahead))
                });
            }
            flags.fetch_or(heap.address(object), frozen);
        }
        let end = next + objects.len();
        self.stage = match end == self.log.len() {
            true => Stage::Publish(0),
            false => Stage::Freeze(end),
        };
    }

    fn publish_piece<H: Heap>(&mut self, heap: &H, protocol: &Protocol, next: usize) {
        let flags = heap.flags();
        let masks = flags.masks();
        let owner_shares = self.purpose.is_explicit();
        let commits = protocol.is_world_stopped() && heap.wants_commits();
        let ahead = self.log.words(next, PIECE + AHEAD);
        let objects = &ahead[..PIECE.min(ahead.len())];
        for (index, &object) in objects.iter().enumerate() {
            prefetch(ahead, index + AHEAD, |ahead| {
                flags.prefetch(heap.address(ahead))
            });
            let object = Object(object);
            if commits {
                heap.commit(object, heap.plan(object));
            }
            let address = heap.address(object);
            let mut before = flags.load(address);
            loop {
                let after =
                    before & !(masks.autoshare | masks.claim) | masks.frozen | masks.shareable;
                match flags.compare_exchange(address, before, after) {
                    Ok(_) => break,
                    Err(now) => before = now,
                }
            }
            if owner_shares {
                flags.owner_saw_shared(address);
            }
        }
        let end = next + objects.len();
        self.stage = Stage::Publish(end);
        if end == self.log.len() {
            self.end(protocol);
        }
    }

    fn undo_piece<H: Heap>(&mut self, on: Undoing<H>, above: usize) {
        let above = self.undo.take_back(on, &mut self.log, above, PIECE);
        self.stage = match above {
            0 => Stage::Demote(self.undo.path_start()),
            above => Stage::Undo(above),
        };
    }

    fn demote_piece<H: Heap>(&mut self, on: Undoing<H>, next: usize) {
        if next == self.undo.path_start() {
            self.undo
                .decide_demotion(on, Object(self.root), self.serial);
        }
        let objects = self.log.words(next, PIECE);
        self.undo.demote(on, objects);
        let end = next + objects.len();
        self.stage = Stage::Demote(end);
        if end == self.log.len() {
            self.end(on.protocol);
        }
    }

    fn end(&mut self, protocol: &Protocol) {
        protocol.end(self.epoch);
        self.stage = Stage::Idle;
    }

    /// How many objects the walk has claimed.
    pub fn objects(&self) -> u64 {
        self.log.len() as u64
    }

    /// How many of them were demoted.
    pub fn demoted(&self) -> u64 {
        self.undo.demoted()
    }

    /// The root, where it is now.
    pub fn root(&self) -> Object {
        Object(self.root)
    }

    /// The text of the path that was found.
    pub fn path(&self) -> &PathText {
        self.undo.path()
    }

    /// Takes the list of objects that must be prepared.
    pub fn take_unprepared(&mut self) -> Chunks {
        self.unprepared.take()
    }

    /// Bytes of memory held.
    pub fn bytes(&self) -> usize {
        self.memory.bytes() + self.log.bytes() + self.unprepared.bytes()
    }

    /// The walk has ended, and its outcome was taken: forgets all that it referred to, and gives
    /// back what a large walk used.
    pub fn forget(&mut self) {
        self.memory.clear();
        self.log.clear();
        self.root = 0;
        self.undo.forget();
        self.outcome = Outcome::Interrupted;
    }

    /// Visits the place of every reference that the walk holds.
    pub fn for_each_mut(&mut self, mut visit: impl FnMut(&mut rs_value)) {
        self.memory.for_each_mut(&mut visit);
        self.log.for_each_mut(&mut visit);
        self.unprepared.for_each_mut(&mut visit);
        if self.root != 0 {
            visit(&mut self.root);
        }
        self.undo.for_each_mut(&mut visit);
        if let Outcome::Blocked(object, _) | Outcome::Written(object) = &mut self.outcome {
            visit(&mut object.0);
        }
    }

    /// For a walk whose host scans objects: the next object to scan, claimed.
    pub fn pull<H: Heap>(&mut self, heap: &H, protocol: &Protocol) -> Option<Object> {
        while self.stage == Stage::Claim {
            let Some(object) = self.memory.take() else {
                if !self.unprepared.is_empty() {
                    self.fail(protocol, Outcome::Unprepared);
                }
                return None;
            };
            let mut claim = self.claim(heap, protocol);
            let entered = claim.enter(heap, object, heap.plan(object));
            drop(claim);
            match entered {
                Ok(Visit::Skip) => {}
                Ok(Visit::Scan) => return Some(object),
                Err(stop) => self.stop(protocol, stop),
            }
        }
        None
    }

    /// For a walk whose host scans objects: children of the object that was pulled.
    pub fn feed<H: Heap>(
        &mut self,
        heap: &H,
        protocol: &Protocol,
        children: &[rs_value],
        last: bool,
    ) -> Result<(), rs_status> {
        for child in children.iter().filter_map(|&value| heap.object(value)) {
            if let Err(status) = self.memory.add(child) {
                self.fail(protocol, Outcome::Failed(status));
                return Err(status);
            }
        }
        if last && !protocol.still_runs(self.epoch) {
            self.fail(protocol, Outcome::Interrupted);
        }
        Ok(())
    }

    /// For a walk whose host scans objects: the host refuses an object.
    pub fn refuse(&mut self, protocol: &Protocol, object: Object, cause: u32) {
        self.fail(protocol, Outcome::Blocked(object, cause));
    }

    /// For a walk whose host scans objects: everything was pulled and fed.
    pub fn complete(&mut self, protocol: &Protocol) -> Result<(), rs_status> {
        match self.stage {
            Stage::Claim if !self.memory.is_empty() => Err(RS_ERR_ARGUMENT),
            Stage::Claim => {
                self.decide(protocol);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// For a walk whose host scans objects: the host gives up.
    pub fn abandon(&mut self, protocol: &Protocol) {
        if self.stage == Stage::Claim {
            self.fail(protocol, Outcome::Interrupted);
        }
    }

    /// Whether the walk still claims.
    pub fn is_claiming(&self) -> bool {
        self.stage == Stage::Claim
    }

    /// How the walk ended, or is about to end.
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    fn claim<'a, H: Heap>(&'a mut self, heap: &H, protocol: &'a Protocol) -> Claim<'a> {
        Claim {
            purpose: self.purpose,
            condition: Condition::new(self.purpose, heap.flags().masks()),
            epoch: self.epoch,
            protocol,
            log: self.log.appending(),
            unprepared: &mut self.unprepared,
            announced: Announced::NONE,
            verifier: None,
        }
    }
}
