//! How reports speak: the texts of an `rs_report`, from everything else that it says.
//!
//! A conflict has two sides, a write by main and a read by another ractor. Whichever came first, the text
//! has the same two lines: a race whose outcome changes from run to run gives one diagnosis.
//!
//! ```text
//! can't modify shared pair                                       the message
//!   over constant LIMITS                                         the slot
//!   write by main: LIMITS (pair) at main:12                      a side: path, object, place
//!   read by ractor 2 (worker): LIMITS at worker:7                the other side
//! ```
//!
//! Nothing here allocates or fails: texts are cut to their arrays.

use super::path::PathText;
use super::records::{Records, Who};
use crate::host::contract::{RS_NO_SLOT, rs_site, rs_slot};
use crate::host::report::*;
use crate::host::text::{self, Shown, TextBuffer};
use crate::status::{RS_BUSY, RS_FROZEN, RS_NOT_OWNER, RS_OK, RS_UNANNOUNCED};
use core::ffi::CStr;
use core::fmt::{self, Display, Write};

/// The two sides of a conflict, as far as they are known.
#[derive(Clone, Copy)]
pub(super) struct Sides {
    /// Who read, or wanted to.
    pub reader: Option<Who>,
    /// Who wrote, or wanted to.
    pub writer: Option<Who>,
}

impl Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number {
            0 => f.write_str("a ractor that has ended"),
            1 => f.write_str("main"),
            number if self.name().is_empty() => write!(f, "ractor {number}"),
            number => write!(f, "ractor {number} ({})", Shown(self.name())),
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

/// Fills in the name of the slot, and the path that begins with it.
pub(super) fn write_names(report: &mut rs_report, records: &Records, path: Option<&PathText>) {
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
pub(super) fn write_texts(report: &mut rs_report, records: &Records, sides: Sides) {
    let mut message = report.message;
    // Text buffers never fail: they cut.
    let _ = write_message(&mut TextBuffer::new(&mut message), report, records);
    report.message = message;
    let mut lines = report.text;
    let _ = write_lines(&mut TextBuffer::new(&mut lines), report, records, sides);
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

fn write_lines(
    buffer: &mut TextBuffer<'_>,
    report: &rs_report,
    records: &Records,
    sides: Sides,
) -> fmt::Result {
    let message = Shown(text::bytes(&report.message));
    let path = Shown(text::bytes(&report.path));
    let object = Shown(text::bytes(&report.object_name));
    write!(buffer, "{message}")?;
    if report.slot != RS_NO_SLOT {
        write!(buffer, "\n  over {}", SlotName(records, report.slot))?;
    }
    if let Some(writer) = sides.writer {
        write!(buffer, "\n  write by {writer}: ")?;
        match text::bytes(&report.path).is_empty() {
            true => write!(buffer, "{object}{}", SiteName(report.write_site))?,
            false => write!(buffer, "{path} ({object}){}", SiteName(report.write_site))?,
        }
    } else if report.status != RS_OK && report.object != 0 {
        write!(buffer, "\n  {path} ({object}) {}", reason(report.cause))?;
    }
    if let Some(reader) = sides.reader {
        let name = Shown(text::bytes(&report.slot_name));
        write!(
            buffer,
            "\n  read by {reader}: {name}{}",
            SiteName(report.read_site)
        )?;
    }
    Ok(())
}
