//! The way from a slot to an object, found backwards through a walk's log.
//!
//! Each object in a log stands behind one that refers to it. So one pass from the end to the start
//! finds a path: the last object before the target that refers to it, then the last one before that,
//! and so on to the root; one reading of each object, and no memory.

use crate::host::contract::rs_value;
use crate::host::heap::{Heap, Object, Scanned};
use crate::host::plan::Plan;
use crate::host::text::{self, TextBuffer};
use crate::status::rs_status;
use core::ffi::c_char;

/// Where a child was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its number among the words of the object.
    pub index: u64,
    /// The word before it (the key, in a map), or 0.
    pub previous: rs_value,
}

/// A search through the words of one object, in pieces.
#[derive(Clone, Copy, Debug, Default)]
pub struct Search {
    cursor: u64,
    index: u64,
    previous: rs_value,
}

/// What a piece of a search found.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// The target.
    Here(Step),
    /// Nothing yet: search the next piece.
    NotYet,
    /// The object does not refer to the target.
    Nowhere,
}

impl Search {
    /// Looks at one more piece of an object's words.
    pub fn piece<H: Heap>(
        &mut self,
        heap: &H,
        object: Object,
        plan: &Plan,
        target: Object,
        limit: usize,
    ) -> Result<Found, rs_status> {
        let mut found = None;
        let scanned = heap.scan(object, plan, self.cursor, limit, |value| {
            if value == target.0 && found.is_none() {
                found = Some(Step {
                    index: self.index,
                    previous: self.previous,
                });
            }
            self.index += 1;
            self.previous = value;
        })?;
        if let Some(step) = found {
            return Ok(Found::Here(step));
        }
        match scanned {
            Scanned::All => Ok(Found::Nowhere),
            Scanned::Upto(cursor) => {
                self.cursor = cursor;
                Ok(Found::NotYet)
            }
        }
    }
}

/// Room for the text of a path.
const ROOM: usize = 256;
/// Room for the label of one step.
pub const LABEL: usize = 64;

/// The text of a path, written from its end to its start: when it is full, the steps nearest to
/// the slot are left out, since the slot's name says where they begin.
#[derive(Clone, Copy)]
pub struct PathText {
    text: [c_char; ROOM],
    start: usize,
    cut: bool,
}

impl PathText {
    /// An empty path.
    pub fn new() -> Self {
        PathText {
            text: [0; ROOM],
            start: ROOM - 1,
            cut: false,
        }
    }

    /// One more step, before all others.
    pub fn prepend(&mut self, label: &[c_char]) {
        let label = text::bytes(label);
        if self.cut || label.len() > self.start {
            self.cut = true;
            return;
        }
        self.start -= label.len();
        for (place, &byte) in self.text[self.start..].iter_mut().zip(label) {
            *place = byte as c_char;
        }
    }

    /// Writes the whole path, as it follows the name of a slot.
    pub fn write(&self, buffer: &mut TextBuffer<'_>) {
        if self.cut {
            buffer.push_bytes("…".as_bytes());
        }
        buffer.push_bytes(text::bytes(&self.text[self.start..]));
    }
}

impl Default for PathText {
    fn default() -> Self {
        PathText::new()
    }
}
