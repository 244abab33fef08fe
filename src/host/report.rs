//! Reports: what happened, in the caller's memory, with a ready-made text.

#![allow(non_camel_case_types)]

use super::contract::{rs_ractor, rs_site, rs_slot, rs_value};
use crate::status::rs_status;
use core::ffi::c_char;

/// A constant.
pub const RS_SLOT_CONSTANT: u32 = 1;
/// A global variable.
pub const RS_SLOT_GLOBAL: u32 = 2;
/// A class variable.
pub const RS_SLOT_CLASS_VARIABLE: u32 = 3;
/// An instance variable of a class.
pub const RS_SLOT_CLASS_INSTANCE_VARIABLE: u32 = 4;

/// Nothing is wrong.
pub const RS_CAUSE_NONE: u32 = 0;
/// The program froze the object itself.
pub const RS_CAUSE_FROZEN_BY_PROGRAM: u32 = 1;
/// Another ractor read it (or it was shared explicitly), which froze it.
pub const RS_CAUSE_SHARED: u32 = 2;
/// Main wrote to `object` since it was last assigned to a slot.
pub const RS_CAUSE_MODIFIED: u32 = 3;
/// Main wrote to `object` while it was being shared.
pub const RS_CAUSE_MODIFIED_MEANWHILE: u32 = 4;
/// `object` was never part of what was assigned to a slot.
pub const RS_CAUSE_NOT_MARKED: u32 = 5;
/// `object` can never be shared.
pub const RS_CAUSE_UNSHAREABLE: u32 = 6;
/// `object` could be shared as a copy.
pub const RS_CAUSE_BY_COPY: u32 = 7;
/// `object` must be prepared by its owner first: `rs_make_shareable`.
pub const RS_CAUSE_NEEDS_PREPARE: u32 = 8;
/// `object` is held for writing.
pub const RS_CAUSE_HELD: u32 = 9;
/// `object` belongs to another ractor.
pub const RS_CAUSE_NOT_OWNER: u32 = 10;
/// An earlier access failed, and nothing was assigned since.
pub const RS_CAUSE_FAILED_BEFORE: u32 = 11;
/// `RS_OPTION_VERIFY`: the content of `object` changed and no check announced it.
pub const RS_CAUSE_UNANNOUNCED: u32 = 12;
/// Walks were interrupted too often (collections, changes of representation).
pub const RS_CAUSE_INTERRUPTED: u32 = 13;

/// What a call found. All texts end with a NUL and are cut to their array.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rs_report {
    /// `sizeof(rs_report)` as the caller was compiled; set by the caller.
    pub size: u32,
    /// What the call returned; in `RS_WARN` what it would have returned.
    pub status: rs_status,
    /// `RS_CAUSE_…`.
    pub cause: u32,
    /// `RS_SLOT_…`, or 0 if no slot is known.
    pub slot_kind: u32,
    /// The slot, or `RS_NO_SLOT`.
    pub slot: rs_slot,
    /// The object that was to be written, or the one that blocks the access; its memory may be
    /// gone by the time the report is read.
    pub object: rs_value,
    /// The ractor that read, or `RS_NO_RACTOR`.
    pub reader: rs_ractor,
    /// The ractor that wrote, or `RS_NO_RACTOR`.
    pub writer: rs_ractor,
    /// Where it read.
    pub read_site: rs_site,
    /// Where it wrote.
    pub write_site: rs_site,
    /// How many objects were visited.
    pub objects: u64,
    /// The name of the slot.
    pub slot_name: [c_char; 128],
    /// The way from the slot to `object`, such as `H[:b][3].@io`.
    pub path: [c_char; 256],
    /// What `object` is.
    pub object_name: [c_char; 128],
    /// One line: the message of the error to raise.
    pub message: [c_char; 256],
    /// Some lines: the message, then both sides of the conflict and the path.
    pub text: [c_char; 1024],
}
