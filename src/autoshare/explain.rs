//! Why is this not shareable, and which slot shared that? Dry runs by the owner, which change nothing.
//!
//! They are the one walk with another visitor: what was visited stands in a set, not in flags, and the
//! path is found in the log by the same rule as for a real walk, so both name the same path.

use super::Call;
use super::access::Ended;
use super::path::{Found, LABEL, PathText, Search};
use super::records::Act;
use super::sharing::Outcome;
use crate::host::contract::{
    RS_NO_SLOT, RS_SHARE_BUSY, RS_SHARE_BY_COPY, RS_SHARE_NEEDS_PREPARE, RS_SHARE_YES,
    RS_STATE_AUTOSHARE, rs_ractor, rs_slot, rs_value,
};
use crate::host::heap::{Heap, Object};
use crate::host::memory::{self, AddressHasher, Map};
use crate::host::plan::Plan;
use crate::host::report::{
    RS_CAUSE_BY_COPY, RS_CAUSE_HELD, RS_CAUSE_NEEDS_PREPARE, RS_CAUSE_NOT_MARKED,
    RS_CAUSE_UNSHAREABLE, rs_report,
};
use crate::status::{RS_NOT_SHAREABLE, RS_OK, rs_status};
use crate::sync::Ordering;
use crate::walk::chunks::Chunks;
use crate::walk::{Memory, Progress, Visit, Visitor};

/// The access that made an object shareable.
pub(super) struct Reading {
    pub slot: rs_slot,
    pub reading: Act,
    pub path: PathText,
}

/// Why an exploration stops.
enum Stop {
    /// It met what it looked for, or what would block an access.
    At(Object, u32),
    Failed(rs_status),
}

impl From<rs_status> for Stop {
    fn from(status: rs_status) -> Self {
        Stop::Failed(status)
    }
}

/// Visits each object once.
struct Explore<'a, F> {
    visited: Map<rs_value, ()>,
    log: &'a mut Chunks,
    judge: F,
}

/// What to do with an object that is met for the first time.
pub(super) enum Judgement {
    /// Leave it, and what it refers to.
    Leave,
    /// Go on through it.
    Pass,
    /// This is it.
    Halt(u32),
}

impl<H: Heap, F: FnMut(Object) -> Judgement> Visitor<H> for Explore<'_, F> {
    type Stop = Stop;

    fn enter(&mut self, _heap: &H, object: Object, _plan: &Plan) -> Result<Visit, Stop> {
        if memory::insert(&mut self.visited, object.0, ())?.is_some() {
            return Ok(Visit::Skip);
        }
        match (self.judge)(object) {
            Judgement::Leave => Ok(Visit::Skip),
            Judgement::Halt(cause) => Err(Stop::At(object, cause)),
            Judgement::Pass => {
                self.log.push(object.0)?;
                Ok(Visit::Scan)
            }
        }
    }
}

impl Call<'_> {
    /// Explores a graph without changing it, until `judge` halts; returns where, and the path.
    fn explore(
        &self,
        root: Object,
        judge: impl FnMut(Object) -> Judgement,
    ) -> Result<Ended, rs_status> {
        let _inside = self.autoshare.enter_exploring();
        let allocator = self.host.allocator();
        let mut log = Chunks::new(allocator);
        let mut walk = Memory::new(allocator);
        walk.add(root)?;
        let mut explore = Explore {
            visited: Map::with_hasher_in(AddressHasher, allocator),
            log: &mut log,
            judge,
        };
        let outcome = loop {
            match walk.run_piece(&self.heap, &mut explore) {
                Ok(Progress::Pause) => {}
                Ok(Progress::Complete) => break Outcome::Shared,
                Err(Stop::At(object, cause)) => break Outcome::Blocked(object, cause),
                Err(Stop::Failed(status)) => return Err(status),
            }
        };
        let path = match outcome {
            Outcome::Blocked(object, _) => self.path_in(&log, object),
            _ => PathText::new(),
        };
        Ok(Ended {
            outcome,
            root,
            objects: log.len() as u64,
            list: Chunks::new(allocator),
            path,
        })
    }

    /// The path to an object, found backwards through a log.
    fn path_in(&self, log: &Chunks, target: Object) -> PathText {
        let mut path = PathText::new();
        let mut target = target;
        for index in (0..log.len()).rev() {
            let object = Object(log.get(index));
            if let Some(step) = self.find_child(object, target) {
                let mut label = [0; LABEL];
                self.callbacks()
                    .label(object, step.index, step.previous, &mut label);
                path.prepend(&label);
                target = object;
            }
        }
        path
    }

    fn find_child(&self, object: Object, target: Object) -> Option<super::path::Step> {
        let plan = self.heap.plan(object);
        let mut search = Search::default();
        loop {
            match search.piece(&self.heap, object, plan, target, usize::MAX) {
                Ok(Found::Here(step)) => return Some(step),
                Ok(Found::NotYet) => {}
                Ok(Found::Nowhere) | Err(_) => return None,
            }
        }
    }

    /// The access that made an object shareable (or would have): looks into the graphs of all slots
    /// that were read. Costs a walk of each, and only errors pay it.
    pub(super) fn find_reading(&self, object: Object) -> Option<Reading> {
        let places = self.autoshare.records().slots.places();
        (0..places).find_map(|place| {
            let (slot, root, reading) = self.reading_at(place)?;
            let ended = self
                .explore(root, |met| match met == object {
                    true => Judgement::Halt(0),
                    false => Judgement::Pass,
                })
                .ok()?;
            matches!(ended.outcome, Outcome::Blocked(..)).then_some(Reading {
                slot,
                reading,
                path: ended.path,
            })
        })
    }

    fn reading_at(&self, place: usize) -> Option<(rs_slot, Object, Act)> {
        let records = self.autoshare.records();
        let (id, slot) = records.slots.at(place)?;
        Some((id, self.heap.object(slot.value?)?, slot.reading?))
    }

    /// Why a value could not be accessed by another ractor.
    pub fn explain<R>(
        &self,
        ractor: rs_ractor,
        slot: rs_slot,
        value: rs_value,
        tell: impl FnOnce(rs_status, &rs_report) -> Result<R, rs_status>,
    ) -> Result<R, rs_status> {
        self.expect_ractor(ractor)?;
        if slot != RS_NO_SLOT {
            self.autoshare.records().slots.get(slot)?;
        }
        let Some(root) = self.heap.object(value) else {
            return tell(RS_OK, &super::records::empty_report());
        };
        let ended = self.explore(root, |object| self.judge_access(object))?;
        let status = match ended.outcome {
            Outcome::Blocked(..) => RS_NOT_SHAREABLE,
            _ => RS_OK,
        };
        tell(status, &self.explain_report(slot, &ended))
    }

    /// What an access would say to an object.
    pub(super) fn judge_access(&self, object: Object) -> Judgement {
        if self.is_shared(object) {
            return Judgement::Leave;
        }
        match self.heap.can_share(object, self.heap.plan(object)) {
            RS_SHARE_YES if self.is_or_will_be_marked(object) => Judgement::Pass,
            RS_SHARE_YES => Judgement::Halt(RS_CAUSE_NOT_MARKED),
            RS_SHARE_NEEDS_PREPARE => Judgement::Halt(RS_CAUSE_NEEDS_PREPARE),
            RS_SHARE_BY_COPY => Judgement::Halt(RS_CAUSE_BY_COPY),
            RS_SHARE_BUSY => Judgement::Halt(RS_CAUSE_HELD),
            _ => Judgement::Halt(RS_CAUSE_UNSHAREABLE),
        }
    }

    /// Whether an object is A, or will be once there is a ractor.
    fn is_or_will_be_marked(&self, object: Object) -> bool {
        let settings = self.settings();
        let awake = self.autoshare.ractors_exist.load(Ordering::Relaxed);
        let marked = self.object_state(object.0) == RS_STATE_AUTOSHARE;
        let will_be = !awake && !settings.mark_on_assign;
        !settings.off && (marked || will_be)
    }
}
