//! Another ractor reads a slot: from A to C, or not.

use super::claim::Purpose;
use super::path::PathText;
use super::records::Act;
use super::sharing::{Outcome, Sharing};
use super::{Call, Inside, State};
use crate::host::contract::{RS_STATE_AUTOSHARE, RS_STATE_SHAREABLE, rs_ractor, rs_slot, rs_value};
use crate::host::heap::{Heap, Object};
use crate::host::with_heap;
use crate::status::{RS_BUSY, RS_NOT_SHAREABLE, RS_OK, rs_status};
use crate::sync::{lock, pause};
use crate::walk::chunks::Chunks;

/// How often a walk begins anew before the caller is told that it is busy.
const RESTARTS: u32 = 1000;

/// What a walk came to.
pub(super) struct Ended {
    /// How.
    pub outcome: Outcome,
    /// The root, where it is now.
    pub root: Object,
    /// How many objects it claimed.
    pub objects: u64,
    /// Explicit shares: what must be prepared before.
    pub list: Chunks,
    /// The path to what blocked it.
    pub path: PathText,
}

impl Call<'_> {
    /// Another ractor has read `value` from a slot.
    pub fn access(
        &self,
        ractor: rs_ractor,
        slot: rs_slot,
        value: rs_value,
    ) -> Result<rs_status, rs_status> {
        self.expect_ractor(ractor)?;
        self.autoshare.records().slots.get(slot)?;
        let Some(object) = self.heap.object(value) else {
            return Ok(RS_OK);
        };
        if self.is_main(ractor) {
            return Ok(RS_OK);
        }
        self.counters().accesses.add(1);
        if let Some(status) = self.answer_at_once(ractor, slot, object) {
            return Ok(status);
        }
        let mut root = object.0;
        self.autoshare.turn.take(self.callbacks(), &mut root)?;
        let root = Object(root);
        let status = self.access_in_turn(ractor, slot, root);
        self.autoshare.turn.give();
        status
    }

    /// The answer, if flags alone give it.
    pub(super) fn answer_at_once(
        &self,
        ractor: rs_ractor,
        slot: rs_slot,
        object: Object,
    ) -> Option<rs_status> {
        match self.state_of(object) {
            State::Shareable => Some(RS_OK),
            State::Ordinary | State::Frozen => {
                self.report_failed_before(ractor, slot, object);
                Some(RS_NOT_SHAREABLE)
            }
            State::Autoshare | State::Claimed => None,
        }
    }

    fn access_in_turn(
        &self,
        ractor: rs_ractor,
        slot: rs_slot,
        root: Object,
    ) -> Result<rs_status, rs_status> {
        if let Some(status) = self.answer_at_once(ractor, slot, root) {
            return Ok(status);
        }
        let act = self.act(ractor);
        let purpose = match self.settings().enforce {
            true => Purpose::Access,
            false => Purpose::Try,
        };
        let ended = self.walk(root, purpose)?;
        self.report_changed(slot);
        match ended.outcome {
            Outcome::Shared => Ok(self.accessed(slot, act, &ended)),
            Outcome::Failed(status) => Err(status),
            Outcome::Interrupted | Outcome::Unprepared => {
                self.report_interrupted(ractor, slot, ended.root);
                Ok(RS_BUSY)
            }
            Outcome::Blocked(..) | Outcome::Written(_) => Ok(self.refused(slot, act, &ended)),
        }
    }

    /// The graph can't be shared; what was found is remembered.
    pub(super) fn refused(&self, slot: rs_slot, act: Act, ended: &Ended) -> rs_status {
        let status = self.report_blocked(act, slot, ended);
        let root = ended.root.0;
        let state = self.object_state(root);
        if state != RS_STATE_AUTOSHARE {
            self.callbacks().on_transition(slot, root, state);
        }
        status
    }

    /// The graph is shareable now; or would be, if sharing were enforced.
    pub(super) fn accessed(&self, slot: rs_slot, act: Act, ended: &Ended) -> rs_status {
        if self.settings().provenance {
            self.autoshare
                .records()
                .add_reading(slot, ended.root.0, act);
        }
        if !self.settings().enforce {
            self.report_would_share(act, slot, ended);
            return RS_NOT_SHAREABLE;
        }
        self.callbacks()
            .on_transition(slot, ended.root.0, RS_STATE_SHAREABLE);
        RS_OK
    }

    /// Walks from a root, with the turn; begins anew when the walk is interrupted.
    pub(super) fn walk(&self, root: Object, purpose: Purpose) -> Result<Ended, rs_status> {
        let mut root = root;
        let mut round = 0;
        loop {
            let ended = self.walk_once(root, purpose)?;
            if ended.outcome != Outcome::Interrupted || round == RESTARTS {
                return Ok(ended);
            }
            self.counters().walks_restarted.add(1);
            let mut place = ended.root.0;
            self.autoshare.turn.give();
            pause(round);
            self.autoshare.turn.take(self.callbacks(), &mut place)?;
            root = Object(place);
            round += 1;
        }
    }

    fn walk_once(&self, root: Object, purpose: Purpose) -> Result<Ended, rs_status> {
        let _inside = self.autoshare.enter(Inside::Sharing, false);
        let stopped = self.settings().world_stopped;
        if stopped {
            self.callbacks().stop_world();
        }
        let ended = self.walk_in_pieces(root, purpose);
        if stopped {
            self.callbacks().resume_world();
        }
        ended
    }

    fn walk_in_pieces(&self, root: Object, purpose: Purpose) -> Result<Ended, rs_status> {
        let autoshare = self.autoshare;
        let protocol = &autoshare.protocol;
        let labels_wanted = self.settings().provenance;
        self.counters().walks.add(1);
        lock(&autoshare.sharing).begin(protocol, root, purpose, labels_wanted)?;
        loop {
            if let Some(ended) = self.run_sharing_piece() {
                return Ok(ended);
            }
            if autoshare.turn.is_shut() {
                protocol.interrupt();
            }
            if !self.settings().world_stopped {
                self.callbacks().safepoint();
            }
        }
    }

    /// Runs one piece of the walk that has the turn; returns how it ended, once it has.
    pub(super) fn run_sharing_piece(&self) -> Option<Ended> {
        let autoshare = self.autoshare;
        let _locked = autoshare.enter(Inside::Sharing, true);
        let mut sharing = lock(&autoshare.sharing);
        let (callbacks, protocol) = (self.callbacks(), &autoshare.protocol);
        let outcome = with_heap!(
            self.host,
            heap => sharing.run_piece(heap, callbacks, protocol, &autoshare.verifier)
        )?;
        self.count(&sharing, outcome);
        let ended = Ended {
            outcome,
            root: sharing.root(),
            objects: sharing.objects(),
            list: sharing.take_unprepared(),
            path: *sharing.path(),
        };
        sharing.forget();
        Some(ended)
    }

    fn count(&self, sharing: &Sharing, outcome: Outcome) {
        let counters = self.counters();
        match outcome {
            Outcome::Shared => {
                counters.graphs_shared.add(1);
                counters.objects_shared.add(sharing.objects());
            }
            Outcome::Blocked(..) => counters.walks_blocked.add(1),
            Outcome::Written(_) => counters.walks_lost.add(1),
            Outcome::Interrupted | Outcome::Unprepared | Outcome::Failed(_) => {}
        }
        counters.objects_demoted.add(sharing.demoted());
        counters.walk_memory_peak.raise(sharing.bytes() as u64);
    }
}
