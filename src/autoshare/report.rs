//! Reports: what happened, who did it, where, and along which path.
//!
//! Whatever refuses a call comes here with what it met, one function for each kind of refusal. What is
//! remembered adds the other side: the write before a read that fails, or the read before a write. The
//! facts become an `rs_report`, its texts written by [`wording`](super::wording); it is left for
//! `rs_last_report`, and told to the host if nothing is enforced.

use super::Call;
use super::access::Ended;
use super::path::PathText;
use super::records::{Act, Failure, empty_report};
use super::sharing::Outcome;
use super::wording::{Sides, write_names, write_texts};
use crate::host::contract::{RS_NO_SLOT, RS_STATE_AUTOSHARE, rs_ractor, rs_slot};
use crate::host::heap::{Heap, Object};
use crate::host::report::*;
use crate::status::{
    RS_BUSY, RS_ERR_THREAD, RS_FROZEN, RS_NOT_OWNER, RS_NOT_SHAREABLE, RS_OK, RS_UNANNOUNCED,
    rs_status,
};

/// What a report is made from.
struct Facts<'a> {
    status: rs_status,
    cause: u32,
    slot: rs_slot,
    object: Option<Object>,
    path: Option<&'a PathText>,
    read: Option<Act>,
    write: Option<Act>,
    objects: u64,
}

impl Facts<'_> {
    fn new(status: rs_status, cause: u32) -> Self {
        Facts {
            status,
            cause,
            slot: RS_NO_SLOT,
            object: None,
            path: None,
            read: None,
            write: None,
            objects: 0,
        }
    }

    fn sides(&self) -> Sides {
        Sides {
            reader: self.read.map(|read| read.who),
            writer: self.write.map(|write| write.who),
        }
    }
}

impl Call<'_> {
    /// What a ractor does at this moment.
    pub(super) fn act(&self, ractor: rs_ractor) -> Act {
        let site = self.site();
        Act {
            ractor,
            who: self.autoshare.records().who(ractor),
            site,
        }
    }

    /// Writes a report from facts. What an object is, is asked before the records are locked: the
    /// host is not called with a lock held.
    fn write_report(&self, facts: &Facts<'_>) -> rs_report {
        let mut report = empty_report();
        report.status = facts.status;
        report.cause = facts.cause;
        report.slot = facts.slot;
        report.objects = facts.objects;
        if let Some(object) = facts.object {
            report.object = object.0;
            let plan = self.heap.plan(object);
            self.callbacks()
                .describe(object, plan, &mut report.object_name);
        }
        if let Some(read) = facts.read {
            report.reader = read.ractor;
            report.read_site = read.site;
        }
        if let Some(write) = facts.write {
            report.writer = write.ractor;
            report.write_site = write.site;
        }
        let records = self.autoshare.records();
        write_names(&mut report, &records, facts.path);
        write_texts(&mut report, &records, facts.sides());
        report
    }

    /// Leaves a report for `rs_last_report`.
    fn leave(&self, ractor: rs_ractor, report: &rs_report) {
        if let Ok(ractor) = self.autoshare.records().ractors.get_mut(ractor) {
            *ractor.report = *report;
        }
    }

    /// A ractor wants to write what is frozen.
    pub(super) fn report_frozen(&self, ractor: rs_ractor, object: Option<Object>) {
        let mut facts = Facts::new(RS_FROZEN, RS_CAUSE_FROZEN_BY_PROGRAM);
        facts.object = object;
        facts.write = Some(self.act(ractor));
        let mut found = None;
        if let Some(object) = object.filter(|&object| self.is_shared(object)) {
            facts.cause = RS_CAUSE_SHARED;
            if self.settings().provenance {
                found = self.find_reading(object);
            }
        }
        if let Some(found) = &found {
            facts.slot = found.slot;
            facts.read = Some(found.reading);
            facts.path = Some(&found.path);
        }
        let report = self.write_report(&facts);
        self.leave(ractor, &report);
    }

    /// A ractor wants to write what is another's.
    pub(super) fn report_foreign(&self, ractor: rs_ractor, object: Object) {
        let mut facts = Facts::new(RS_NOT_OWNER, RS_CAUSE_NOT_OWNER);
        facts.object = Some(object);
        facts.write = Some(self.act(ractor));
        let report = self.write_report(&facts);
        self.leave(ractor, &report);
    }

    /// An access fails at once, since the value is not A: an earlier access says why, or a write.
    pub(super) fn report_failed_before(&self, ractor: rs_ractor, slot: rs_slot, object: Object) {
        let read = self.act(ractor);
        let earlier = self.earlier_failure(slot, object);
        if let Some(Failure { mut report, writer }) = earlier {
            report.reader = read.ractor;
            report.read_site = read.site;
            let sides = Sides {
                reader: Some(read.who),
                writer,
            };
            write_texts(&mut report, &self.autoshare.records(), sides);
            self.leave_refusal(ractor, &report);
            return;
        }
        let write = self.write_of(object);
        let cause = match write {
            Some(_) => RS_CAUSE_MODIFIED,
            None => RS_CAUSE_FAILED_BEFORE,
        };
        let mut facts = Facts::new(RS_NOT_SHAREABLE, cause);
        facts.slot = slot;
        facts.object = Some(object);
        facts.read = Some(read);
        facts.write = write;
        let report = self.write_report(&facts);
        self.leave_refusal(ractor, &report);
    }

    /// Leaves a report of an access that failed; if nothing is enforced, the host is told too.
    fn leave_refusal(&self, ractor: rs_ractor, report: &rs_report) {
        self.leave(ractor, report);
        if !self.settings().enforce {
            self.callbacks().warn(report);
        }
    }

    fn earlier_failure(&self, slot: rs_slot, object: Object) -> Option<Failure> {
        let records = self.autoshare.records();
        let slot = records.slots.get(slot).ok()?;
        let failure = slot.failure.as_ref()?;
        (slot.value == Some(object.0)).then(|| **failure)
    }

    fn write_of(&self, object: Object) -> Option<Act> {
        let records = self.autoshare.records();
        records.writes.get(&object.0).copied()
    }

    /// An access met what blocks it; returns what to tell the caller.
    pub(super) fn report_blocked(&self, read: Act, slot: rs_slot, ended: &Ended) -> rs_status {
        let mut facts = self.blocked_facts(Some(read), slot, ended);
        if facts.cause == RS_CAUSE_HELD {
            facts.status = RS_BUSY;
        }
        let report = self.write_report(&facts);
        self.leave_refusal(read.ractor, &report);
        if self.settings().provenance && report.status == RS_NOT_SHAREABLE {
            let writer = facts.sides().writer;
            let failure = Failure { report, writer };
            self.autoshare
                .records()
                .add_failure(slot, ended.root.0, failure);
        }
        report.status
    }

    fn blocked_facts<'a>(&self, read: Option<Act>, slot: rs_slot, ended: &'a Ended) -> Facts<'a> {
        let (object, cause) = match ended.outcome {
            Outcome::Blocked(object, cause) => (object, cause),
            Outcome::Written(object) => (object, RS_CAUSE_MODIFIED_MEANWHILE),
            Outcome::Unprepared => (Object(ended.list.get(0)), RS_CAUSE_NEEDS_PREPARE),
            _ => (ended.root, RS_CAUSE_NONE),
        };
        let mut facts = Facts::new(RS_NOT_SHAREABLE, cause);
        facts.slot = slot;
        facts.object = Some(object);
        facts.read = read;
        facts.objects = ended.objects;
        if matches!(cause, RS_CAUSE_NOT_MARKED | RS_CAUSE_MODIFIED_MEANWHILE) {
            facts.write = self.write_of(object);
        }
        if facts.write.is_some() && cause == RS_CAUSE_NOT_MARKED {
            facts.cause = RS_CAUSE_MODIFIED;
        }
        if self.settings().provenance {
            facts.path = Some(&ended.path);
        }
        facts
    }

    /// An explicit share met what blocks it.
    pub(super) fn report_unshareable(&self, ractor: rs_ractor, ended: &Ended) -> rs_status {
        let read = self.act(ractor);
        let facts = self.blocked_facts(Some(read), RS_NO_SLOT, ended);
        let report = self.write_report(&facts);
        self.leave(ractor, &report);
        report.status
    }

    /// A walk was interrupted too often.
    pub(super) fn report_interrupted(&self, ractor: rs_ractor, slot: rs_slot, root: Object) {
        let mut facts = Facts::new(RS_BUSY, RS_CAUSE_INTERRUPTED);
        facts.slot = slot;
        facts.object = Some(root);
        facts.read = Some(self.act(ractor));
        let report = self.write_report(&facts);
        self.leave(ractor, &report);
    }

    /// Not enforced: the access would have made the graph shareable.
    pub(super) fn report_would_share(&self, read: Act, slot: rs_slot, ended: &Ended) {
        let mut facts = Facts::new(RS_OK, RS_CAUSE_SHARED);
        facts.slot = slot;
        facts.object = Some(ended.root);
        facts.read = Some(read);
        facts.objects = ended.objects;
        let report = self.write_report(&facts);
        self.leave(read.ractor, &report);
        self.callbacks().warn(&report);
    }

    /// Not enforced: main writes what an access would have frozen.
    pub(super) fn warn_of_write(&self, ractor: rs_ractor, object: Object) {
        if self.settings().enforce {
            return;
        }
        let Some(found) = self.find_reading(object) else {
            return;
        };
        let mut facts = Facts::new(RS_FROZEN, RS_CAUSE_SHARED);
        facts.slot = found.slot;
        facts.object = Some(object);
        facts.path = Some(&found.path);
        facts.read = Some(found.reading);
        facts.write = self.write_of(object).or_else(|| Some(self.act(ractor)));
        let report = self.write_report(&facts);
        self.callbacks().warn(&report);
    }

    /// Tells of objects that changed with no check.
    pub(super) fn report_changed(&self, slot: rs_slot) {
        while let Some(object) = self.autoshare.verifier.take_changed() {
            let report = self.unannounced(slot, object);
            self.callbacks().warn(&report);
        }
    }

    fn unannounced(&self, slot: rs_slot, object: Object) -> rs_report {
        let mut facts = Facts::new(RS_UNANNOUNCED, RS_CAUSE_UNANNOUNCED);
        facts.slot = slot;
        facts.object = Some(object);
        self.write_report(&facts)
    }

    /// Compares all that is watched, for the host; the first that changed is reported.
    pub fn verify<R>(
        &self,
        ractor: rs_ractor,
        tell: impl FnOnce(rs_status, &rs_report) -> Result<R, rs_status>,
    ) -> Result<R, rs_status> {
        self.expect_ractor(ractor)?;
        if !self.is_main(ractor) {
            return Err(RS_ERR_THREAD);
        }
        let verifier = &self.autoshare.verifier;
        if !verifier.is_on() {
            return Err(crate::status::RS_ERR_UNSUPPORTED);
        }
        let mut changed = verifier.take_changed();
        if changed.is_none() {
            for &value in verifier.all()?.iter() {
                let object = Object(value);
                if self.object_state(value) != RS_STATE_AUTOSHARE {
                    verifier.forget(object);
                } else if verifier.has_changed(&self.heap, self.callbacks(), object)? {
                    changed = Some(object);
                    break;
                }
            }
        }
        match changed {
            None => tell(RS_OK, &empty_report()),
            Some(object) => {
                let report = self.unannounced(RS_NO_SLOT, object);
                self.leave(ractor, &report);
                tell(RS_UNANNOUNCED, &report)
            }
        }
    }

    /// A debug mode wants to know what is marked.
    pub(super) fn watch(&self, object: Object) -> Result<(), rs_status> {
        self.autoshare
            .verifier
            .watch(&self.heap, self.callbacks(), object)
    }

    /// What an explanation found, as a report.
    pub(super) fn explain_report(&self, slot: rs_slot, ended: &Ended) -> rs_report {
        let mut facts = self.blocked_facts(None, slot, ended);
        facts.path = Some(&ended.path);
        if ended.outcome == Outcome::Shared {
            facts.status = RS_OK;
        }
        self.write_report(&facts)
    }
}
