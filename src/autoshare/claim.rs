//! The walker's side of the protocol while a walk claims: a visitor that claims what it enters.

use super::protocol::Protocol;
use super::verifier::Verifier;
use crate::host::callbacks::Callbacks;
use crate::host::contract::{
    RS_ELEMENTS_INDIRECT, RS_SHARE_BUSY, RS_SHARE_BY_COPY, RS_SHARE_NEEDS_PREPARE, RS_SHARE_YES,
};
use crate::host::flags::{Flags, Masks};
use crate::host::heap::{Heap, Object, is_indirect};
use crate::host::plan::Plan;
use crate::host::report::{
    RS_CAUSE_BY_COPY, RS_CAUSE_HELD, RS_CAUSE_NEEDS_PREPARE, RS_CAUSE_NOT_MARKED,
    RS_CAUSE_NOT_OWNER, RS_CAUSE_UNSHAREABLE,
};
use crate::status::rs_status;
use crate::walk::chunks::{Appending, Chunks};
use crate::walk::{Visit, Visitor};

/// What a walk is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Another ractor reads a slot: claims what is A.
    Access,
    /// As an access, but only to find out: ends undone.
    Try,
    /// Main shares a graph of its own: claims whatever is there.
    ShareOfMain,
    /// Another ractor shares a graph of its own: claims what is not A, since that would be main's.
    ShareOfOther,
}

impl Purpose {
    /// Whether an owner shares its own graph.
    pub fn is_explicit(self) -> bool {
        matches!(self, Purpose::ShareOfMain | Purpose::ShareOfOther)
    }
}

/// Why a walk can't go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It met an object that blocks it: `RS_CAUSE_…`.
    Blocked(Object, u32),
    /// The walk word is not RUN any more.
    Ended,
    /// Main is changing what the walk wanted to read.
    Changing,
    /// Memory ran out, or a callback failed.
    Failed(rs_status),
}

impl From<rs_status> for Stop {
    fn from(status: rs_status) -> Self {
        Stop::Failed(status)
    }
}

/// Announces that the elements of an object that was claimed before are read once more; false, and
/// nothing announced, if main has written it or is changing it.
///
/// Main's write and change both read-modify-write the flags before they look at `scan`, and so does
/// this after it wrote `scan`: main either sees the announcement, or what it did is seen here.
pub fn announce<H: Heap>(heap: &H, protocol: &Protocol, object: Object, is_explicit: bool) -> bool {
    protocol.begin_scan(object);
    let flags = heap.flags();
    let now = flags.fetch_or(heap.address(object), 0);
    let written = !is_explicit && now & flags.masks().autoshare == 0;
    if written || protocol.is_changing(object) {
        protocol.end_scan();
        return false;
    }
    true
}

/// The flags by which a walk claims objects, worked out once for all of them.
#[derive(Clone, Copy)]
pub struct Condition {
    /// An object with any of these is shareable or claimed.
    settled: u64,
    /// These decide whether another one can be claimed,
    deciding: u64,
    /// if they are so.
    wanted: u64,
}

impl Condition {
    /// For a walk with this purpose.
    pub fn new(purpose: Purpose, masks: Masks) -> Condition {
        let (deciding, wanted) = match purpose {
            Purpose::Access | Purpose::Try => (masks.autoshare, masks.autoshare),
            Purpose::ShareOfOther => (masks.autoshare, 0),
            Purpose::ShareOfMain => (0, 0),
        };
        Condition {
            settled: masks.shareable | masks.claim,
            deciding,
            wanted,
        }
    }

    /// Whether an object with these flags is to be claimed.
    #[inline(always)]
    fn is_met(self, flags: u64) -> bool {
        flags & (self.settled | self.deciding) == self.wanted
    }
}

/// Which objects a walk announces before it claims them, since main must not write them while it reads
/// them: those whose elements are at least of this kind, in the order of `RS_ELEMENTS_…`.
#[derive(Clone, Copy)]
pub struct Announced(u8);

impl Announced {
    /// None: the host reads children itself, and keeps its own writers away.
    pub const NONE: Announced = Announced(u8::MAX);
    /// Those of which a write may move the words that the walk reads.
    pub const INDIRECT: Announced = Announced(RS_ELEMENTS_INDIRECT);
    /// All: their contents are compared too.
    pub const ALL: Announced = Announced(0);

    #[inline(always)]
    fn has(self, plan: &Plan) -> bool {
        plan.elements >= self.0
    }
}

/// Claims objects for walk `epoch`.
pub struct Claim<'a> {
    /// What the walk is for.
    pub purpose: Purpose,
    /// Which objects it claims.
    pub condition: Condition,
    /// Its number.
    pub epoch: u64,
    /// The words shared with main.
    pub protocol: &'a Protocol,
    /// What was claimed, in order: each object stands behind one that refers to it.
    pub log: Appending<'a>,
    /// Explicit shares: what must be prepared before.
    pub unprepared: &'a mut Chunks,
    /// Which objects it announces.
    pub announced: Announced,
    /// In a debug mode: compares what is claimed, and announced, with what it was.
    pub verifier: Option<(&'a Verifier, &'a Callbacks)>,
}

impl Claim<'_> {
    #[inline(always)]
    fn is_explicit(&self) -> bool {
        self.purpose.is_explicit()
    }

    /// Why an object is not claimed that does not meet the condition.
    #[cold]
    fn refused(&self, object: Object) -> Stop {
        let cause = match self.purpose {
            Purpose::Access | Purpose::Try => RS_CAUSE_NOT_MARKED,
            Purpose::ShareOfMain | Purpose::ShareOfOther => RS_CAUSE_NOT_OWNER,
        };
        Stop::Blocked(object, cause)
    }

    /// Claims an object with these flags, which meet the condition, and returns those that it had.
    ///
    /// The log has room before the claim is made, so that a claim is never forgotten.
    #[inline(always)]
    fn claim<H: Heap>(&mut self, heap: &H, object: Object, before: u64) -> Result<u64, Stop> {
        let flags = heap.flags();
        let claim = flags.masks().claim;
        let address = heap.address(object);
        let mut before = before;
        let reserved = self.log.reserve();
        let entry = reserved.inspect_err(|_| self.protocol.end_scan())?;
        while let Err(now) = flags.compare_exchange(address, before, before | claim) {
            // Main wrote to it, or the program froze it, or the host changed another bit.
            if now & self.condition.deciding != self.condition.wanted {
                self.protocol.end_scan();
                return Err(self.refused(object));
            }
            before = now;
        }
        entry.fill(object.0);
        if self.is_explicit() {
            flags.owner_must_ask(address);
        }
        Ok(before)
    }

    /// Whether the host lets the object be shared. Asked first: "can never be shared" says more than
    /// "was not marked".
    fn ask_host<H: Heap>(&mut self, heap: &H, object: Object, plan: &Plan) -> Result<(), Stop> {
        let cause = match heap.can_share(object, plan) {
            RS_SHARE_YES => return Ok(()),
            RS_SHARE_NEEDS_PREPARE if self.is_explicit() => {
                return Ok(self.unprepared.push(object.0)?);
            }
            RS_SHARE_NEEDS_PREPARE => RS_CAUSE_NEEDS_PREPARE,
            RS_SHARE_BY_COPY => RS_CAUSE_BY_COPY,
            RS_SHARE_BUSY => RS_CAUSE_HELD,
            _ => RS_CAUSE_UNSHAREABLE,
        };
        Err(Stop::Blocked(object, cause))
    }
}

impl<H: Heap> Visitor<H> for Claim<'_> {
    type Stop = Stop;

    /// Claims an object that is not C or claimed already.
    ///
    /// An object whose elements are behind a pointer is announced in `scan` before it is claimed: main
    /// sees the claim only together with the announcement, and waits.
    #[inline(always)]
    fn enter(&mut self, heap: &H, object: Object, plan: &Plan) -> Result<Visit, Stop> {
        let flags = heap.flags();
        let before = flags.load(heap.address(object));
        if before & self.condition.settled != 0 {
            return Ok(Visit::Skip);
        }
        if u32::from(plan.share) != RS_SHARE_YES {
            self.ask_host(heap, object, plan)?;
        }
        if !self.condition.is_met(before) {
            return Err(self.refused(object));
        }
        let announced = self.announced.has(plan);
        if announced {
            self.protocol.begin_scan(object);
        }
        let before = self.claim(heap, object, before)?;
        if !announced {
            return Ok(Visit::Scan);
        }
        if self.protocol.is_changing(object) {
            self.protocol.end_scan();
            return Err(Stop::Changing);
        }
        if let Some((verifier, callbacks)) = self.verifier
            && before & flags.masks().autoshare != 0
        {
            verifier.compare_claimed(heap, callbacks, object)?;
        }
        Ok(Visit::Scan)
    }

    /// Announces the object again, for its next piece.
    fn resume(&mut self, heap: &H, object: Object, plan: &Plan) -> Result<(), Stop> {
        if !is_indirect(plan) {
            return Ok(());
        }
        if !announce(heap, self.protocol, object, self.is_explicit()) {
            return Err(Stop::Changing);
        }
        if !self.protocol.still_runs(self.epoch) {
            self.protocol.end_scan();
            return Err(Stop::Ended);
        }
        Ok(())
    }

    /// What was read counts only if main has not ended the walk meanwhile.
    #[inline(always)]
    fn scanned(&mut self, plan: &Plan) -> Result<(), Stop> {
        if self.announced.has(plan) {
            self.protocol.end_scan();
        }
        match self.protocol.still_runs(self.epoch) {
            true => Ok(()),
            false => Err(Stop::Ended),
        }
    }
}
