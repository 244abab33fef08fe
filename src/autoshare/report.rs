//! Reports: what happened, who did it, where, and along which path, as facts and as text.
//!
//! A conflict has two sides, a write by main and a read by another ractor. Whichever came first, the report
//! shows the same two lines: a race whose outcome changes from run to run gives one diagnosis.

use super::Call;
use super::access::Ended;
use super::path::PathText;
use super::records::{Act, Records, empty_report};
use super::sharing::Outcome;
use crate::host::contract::{
    RS_NO_RACTOR, RS_NO_SLOT, RS_STATE_AUTOSHARE, rs_ractor, rs_site, rs_slot,
};
use crate::host::heap::{Heap, Object};
use crate::host::report::*;
use crate::host::text::{self, Shown, TextBuffer};
use crate::status::{
    RS_BUSY, RS_ERR_THREAD, RS_FROZEN, RS_NOT_OWNER, RS_NOT_SHAREABLE, RS_OK, RS_UNANNOUNCED,
    rs_status,
};
use core::ffi::CStr;
use core::fmt::{self, Display, Write};

/// How a report speaks of a ractor.
struct RactorName<'a>(&'a Records, rs_ractor);

impl Display for RactorName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.ractors.get(self.1) {
            Ok(ractor) if ractor.number == 1 => f.write_str("main"),
            Ok(ractor) if ractor.name.is_empty() => write!(f, "ractor {}", ractor.number),
            Ok(ractor) => write!(f, "ractor {} ({})", ractor.number, Shown(&ractor.name)),
            Err(_) => f.write_str("a ractor that has ended"),
        }
    }
}

/// How a report speaks of a place in a program.
struct SiteName(rs_site);

impl Display for SiteName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.file.is_null() {
            return Ok(());
        }
        let file = crate::host::callbacks::site_file(&self.0);
        write!(f, " at {}", Shown(CStr::to_bytes(file)))?;
        match self.0.line {
            0 => Ok(()),
            line => write!(f, ":{line}"),
        }
    }
}

/// How a report speaks of a slot.
struct SlotName<'a>(&'a Records, rs_slot);

impl Display for SlotName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(slot) = self.0.slots.get(self.1) else {
            return f.write_str("a slot that was removed");
        };
        let kind = match slot.kind {
            RS_SLOT_CONSTANT => "constant",
            RS_SLOT_GLOBAL => "global variable",
            RS_SLOT_CLASS_VARIABLE => "class variable",
            _ => "class instance variable",
        };
        write!(f, "{kind} {}", Shown(&slot.name))?;
        match slot.owner.is_empty() {
            true => Ok(()),
            false => write!(f, " of {}", Shown(&slot.owner)),
        }
    }
}

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
}

/// What a report says of the object that is in the way.
fn reason(cause: u32) -> &'static str {
    match cause {
        RS_CAUSE_NOT_MARKED => "was not there when the slot was assigned, or was frozen elsewhere",
        RS_CAUSE_UNSHAREABLE => "can never be shared",
        RS_CAUSE_BY_COPY => "can only be shared as a copy",
        RS_CAUSE_NEEDS_PREPARE => {
            "must be prepared by its owner first: make it shareable explicitly"
        }
        RS_CAUSE_HELD => "is held for writing at this moment",
        RS_CAUSE_NOT_OWNER => "belongs to another ractor",
        RS_CAUSE_FAILED_BEFORE => "could not be shared before, and was not assigned since",
        RS_CAUSE_FROZEN_BY_PROGRAM => "was frozen by the program",
        RS_CAUSE_SHARED => "is shared with other ractors",
        RS_CAUSE_UNANNOUNCED => "has changed, and no check announced it",
        RS_CAUSE_INTERRUPTED => "could not be walked: interrupted too often",
        _ => "was modified",
    }
}

impl Call<'_> {
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
        write_texts(&mut report, &records);
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
        facts.write = Some(Act {
            ractor,
            site: self.site(),
        });
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
        facts.write = Some(Act {
            ractor,
            site: self.site(),
        });
        let report = self.write_report(&facts);
        self.leave(ractor, &report);
    }

    /// An access fails at once, since the value is not A: an earlier access says why, or a write.
    pub(super) fn report_failed_before(&self, ractor: rs_ractor, slot: rs_slot, object: Object) {
        let read = Act {
            ractor,
            site: self.site(),
        };
        let earlier = self.earlier_failure(slot, object);
        if let Some(mut report) = earlier {
            report.reader = read.ractor;
            report.read_site = read.site;
            write_texts(&mut report, &self.autoshare.records());
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

    fn earlier_failure(&self, slot: rs_slot, object: Object) -> Option<rs_report> {
        let records = self.autoshare.records();
        let slot = records.slots.get(slot).ok()?;
        let report = slot.failure.as_ref()?;
        (slot.value == Some(object.0)).then(|| **report)
    }

    fn write_of(&self, object: Object) -> Option<Act> {
        let records = self.autoshare.records();
        records.writes.get(&object.0).copied()
    }

    /// An access met what blocks it; returns what to tell the caller.
    pub(super) fn report_blocked(&self, read: Act, slot: rs_slot, ended: &Ended) -> rs_status {
        let mut facts = self.blocked_facts(read, slot, ended);
        if facts.cause == RS_CAUSE_HELD {
            facts.status = RS_BUSY;
        }
        let report = self.write_report(&facts);
        self.leave_refusal(read.ractor, &report);
        if self.settings().provenance && report.status == RS_NOT_SHAREABLE {
            self.autoshare
                .records()
                .add_failure(slot, ended.root.0, &report);
        }
        report.status
    }

    fn blocked_facts<'a>(&self, read: Act, slot: rs_slot, ended: &'a Ended) -> Facts<'a> {
        let (object, cause) = match ended.outcome {
            Outcome::Blocked(object, cause) => (object, cause),
            Outcome::Written(object) => (object, RS_CAUSE_MODIFIED_MEANWHILE),
            Outcome::Unprepared => (Object(ended.list.get(0)), RS_CAUSE_NEEDS_PREPARE),
            _ => (ended.root, RS_CAUSE_NONE),
        };
        let mut facts = Facts::new(RS_NOT_SHAREABLE, cause);
        facts.slot = slot;
        facts.object = Some(object);
        facts.read = Some(read);
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
        let read = Act {
            ractor,
            site: self.site(),
        };
        let facts = self.blocked_facts(read, RS_NO_SLOT, ended);
        let report = self.write_report(&facts);
        self.leave(ractor, &report);
        report.status
    }

    /// A walk was interrupted too often.
    pub(super) fn report_interrupted(&self, ractor: rs_ractor, slot: rs_slot, root: Object) {
        let mut facts = Facts::new(RS_BUSY, RS_CAUSE_INTERRUPTED);
        facts.slot = slot;
        facts.object = Some(root);
        facts.read = Some(Act {
            ractor,
            site: self.site(),
        });
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
        facts.write = self.write_of(object).or(Some(Act {
            ractor,
            site: self.site(),
        }));
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
        let read = Act {
            ractor: RS_NO_RACTOR,
            site: crate::host::callbacks::NO_SITE,
        };
        let mut facts = self.blocked_facts(read, slot, ended);
        facts.read = None;
        facts.path = Some(&ended.path);
        if ended.outcome == Outcome::Shared {
            facts.status = RS_OK;
        }
        self.write_report(&facts)
    }
}

/// Fills in the name of the slot, and the path that begins with it.
fn write_names(report: &mut rs_report, records: &Records, path: Option<&PathText>) {
    let slot = records.slots.get(report.slot).ok();
    if let Some(slot) = slot {
        report.slot_kind = slot.kind;
        text::set(&mut report.slot_name, &slot.name);
        let mut buffer = TextBuffer::new(&mut report.path);
        buffer.push_bytes(&slot.name);
        if let Some(path) = path {
            path.write(&mut buffer);
        }
    } else if let Some(path) = path {
        path.write(&mut TextBuffer::new(&mut report.path));
    }
}

/// Fills in the texts of a report from everything else that it says.
fn write_texts(report: &mut rs_report, records: &Records) {
    let mut message = report.message;
    // Text buffers never fail: they cut.
    let _ = write_message(&mut TextBuffer::new(&mut message), report, records);
    report.message = message;
    let mut lines = report.text;
    let _ = write_lines(&mut TextBuffer::new(&mut lines), report, records);
    report.text = lines;
}

/// The line to raise an error with. For accesses they are those of #17278's implementation language,
/// which its users know.
fn write_message(
    buffer: &mut TextBuffer<'_>,
    report: &rs_report,
    records: &Records,
) -> fmt::Result {
    let object = Shown(text::bytes(&report.object_name));
    match report.status {
        RS_FROZEN if report.cause == RS_CAUSE_SHARED => {
            write!(buffer, "can't modify shared {object}")
        }
        RS_FROZEN => write!(buffer, "can't modify frozen {object}"),
        RS_NOT_OWNER => write!(buffer, "can't modify {object} of another ractor"),
        RS_BUSY => write!(buffer, "{object} {}", reason(report.cause)),
        RS_UNANNOUNCED => write!(buffer, "{object} {}", reason(report.cause)),
        RS_OK => write!(buffer, "{object} would become shareable"),
        _ => write_access_message(buffer, report, records),
    }
}

fn write_access_message(
    buffer: &mut TextBuffer<'_>,
    report: &rs_report,
    records: &Records,
) -> fmt::Result {
    let Ok(slot) = records.slots.get(report.slot) else {
        let object = Shown(text::bytes(&report.object_name));
        return write!(buffer, "{object} {}", reason(report.cause));
    };
    let (name, owner) = (Shown(&slot.name), Shown(&slot.owner));
    match slot.kind {
        RS_SLOT_CONSTANT => {
            let scope = if slot.owner.is_empty() { "" } else { "::" };
            write!(
                buffer,
                "can not access non-shareable objects in constant {owner}{scope}{name} by \
                 non-main Ractor."
            )
        }
        RS_SLOT_GLOBAL => write!(
            buffer,
            "can not access global variable {name} from non-main Ractor"
        ),
        RS_SLOT_CLASS_VARIABLE => write!(
            buffer,
            "can not read non-shareable class variable {name} from non-main Ractors ({owner})"
        ),
        _ => write!(
            buffer,
            "can not get unshareable values from instance variables of classes/modules from \
             non-main Ractors ({name} from {owner})"
        ),
    }
}

fn write_lines(buffer: &mut TextBuffer<'_>, report: &rs_report, records: &Records) -> fmt::Result {
    let message = Shown(text::bytes(&report.message));
    let path = Shown(text::bytes(&report.path));
    let object = Shown(text::bytes(&report.object_name));
    write!(buffer, "{message}")?;
    if report.slot != RS_NO_SLOT {
        write!(buffer, "\n  over {}", SlotName(records, report.slot))?;
    }
    if report.writer != RS_NO_RACTOR {
        let writer = RactorName(records, report.writer);
        write!(buffer, "\n  write by {writer}: ")?;
        match text::bytes(&report.path).is_empty() {
            true => write!(buffer, "{object}{}", SiteName(report.write_site))?,
            false => write!(buffer, "{path} ({object}){}", SiteName(report.write_site))?,
        }
    } else if report.status != RS_OK && report.object != 0 {
        write!(buffer, "\n  {path} ({object}) {}", reason(report.cause))?;
    }
    if report.reader != RS_NO_RACTOR {
        let reader = RactorName(records, report.reader);
        let name = Shown(text::bytes(&report.slot_name));
        write!(
            buffer,
            "\n  read by {reader}: {name}{}",
            SiteName(report.read_site)
        )?;
    }
    Ok(())
}
