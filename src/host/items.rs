//! The host's callbacks about items, as Rust functions, and items as safe views.

use super::callbacks::Callbacks;
use super::contract::rs_value;
use super::item::*;
use crate::status::{RS_ERR_HOST, RS_ERR_UNSUPPORTED, RS_OK, rs_status};
use core::cell::Cell;
use core::slice;

/// Most bytes, elements or pairs that an item may have.
const MOST: u64 = (1 << 40) - 1;

fn answered(status: rs_status) -> Result<(), rs_status> {
    match status {
        RS_OK => Ok(()),
        failure if failure < RS_OK => Err(failure),
        _ => Err(RS_ERR_HOST),
    }
}

impl Callbacks {
    /// Asks what values are; `items` has as many places.
    pub fn read_items(&self, values: &[rs_value], items: &mut [rs_item]) -> Result<(), rs_status> {
        let read_items = self.host().read_items.ok_or(RS_ERR_UNSUPPORTED)?;
        items.fill(rs_item::NONE);
        let ctx = self.host().ctx;
        // SAFETY: the host's own function with its own ctx; both arrays have `values.len()` places.
        answered(unsafe { read_items(ctx, values.as_ptr(), values.len(), items.as_mut_ptr()) })?;
        let broken = |item: &rs_item| item.count > MOST || item.has_no_bytes();
        if items.iter().any(broken) {
            return Err(RS_ERR_HOST);
        }
        Ok(())
    }

    /// Copies elements of an object, from number `from` on.
    pub fn read_elements(
        &self,
        object: rs_value,
        from: u64,
        elements: &mut [rs_value],
    ) -> Result<(), rs_status> {
        let read_elements = self.host().read_elements.ok_or(RS_ERR_HOST)?;
        let (ctx, place) = (self.host().ctx, elements.as_mut_ptr());
        // SAFETY: the host's own function with its own ctx; the array has so many places.
        answered(unsafe { read_elements(ctx, object, from, elements.len(), place) })
    }

    /// Makes a value for each item; `values` has as many places.
    pub fn make_items(
        &self,
        items: &[rs_item],
        values: &[Cell<rs_value>],
    ) -> Result<(), rs_status> {
        let make_items = self.host().make_items.ok_or(RS_ERR_UNSUPPORTED)?;
        let (ctx, place) = (self.host().ctx, values.as_ptr().cast_mut().cast());
        // SAFETY: the host's own function with its own ctx; both arrays have `items.len()` places.
        answered(unsafe { make_items(ctx, items.as_ptr(), items.len(), place) })
    }

    /// Fills in elements of an object that was made, from number `from` on.
    pub fn set_elements(
        &self,
        object: rs_value,
        from: u64,
        elements: &[Cell<rs_value>],
    ) -> Result<(), rs_status> {
        let set_elements = self.host().set_elements.ok_or(RS_ERR_UNSUPPORTED)?;
        let (ctx, place) = (self.host().ctx, elements.as_ptr().cast());
        // SAFETY: the host's own function with its own ctx; the array has so many values.
        answered(unsafe { set_elements(ctx, object, from, elements.len(), place) })
    }
}

impl rs_item {
    /// Whether it should point to bytes, and does not.
    fn has_no_bytes(&self) -> bool {
        let has_bytes = matches!(
            self.kind,
            RS_ITEM_BIG_INTEGER | RS_ITEM_SYMBOL | RS_ITEM_UNINTERNED_SYMBOL | RS_ITEM_STRING
        );
        // SAFETY: the kind says that the host has filled in this member; before, it was zero.
        let bytes = has_bytes && self.count != 0 && unsafe { self.content.bytes.is_null() };
        bytes || self.kind == RS_ITEM_RECORD && self.name_length != 0 && self.name.is_null()
    }

    /// Of an integer: which.
    pub fn integer(&self) -> i64 {
        // SAFETY: every bit pattern is an integer, and `read_items` has filled all members.
        unsafe { self.content.integer }
    }

    /// Of big integers, symbols and strings: the bytes, which `read_items` has checked.
    pub fn bytes(&self) -> &[u8] {
        if self.count == 0 {
            return &[];
        }
        // SAFETY: the host's promise: so many bytes, until the next call of `read_items`.
        unsafe { slice::from_raw_parts(self.content.bytes.cast(), self.count as usize) }
    }

    /// Of a record: the name of its type.
    pub fn name(&self) -> &[u8] {
        if self.name_length == 0 {
            return &[];
        }
        // SAFETY: the host's promise, as for `bytes`.
        unsafe { slice::from_raw_parts(self.name.cast(), self.name_length as usize) }
    }

    /// The elements, if they lie in a row; `count` is how many there are.
    pub fn elements(&self, count: usize) -> Option<&[rs_value]> {
        // SAFETY: the host's promise: NULL, or so many values, until the next call of `read_items`.
        unsafe {
            let start = self.content.elements;
            (!start.is_null()).then(|| slice::from_raw_parts(start, count))
        }
    }

    /// An item that points to bytes.
    pub fn with_bytes(kind: u32, flags: u32, bytes: &[u8]) -> rs_item {
        rs_item {
            kind,
            flags,
            count: bytes.len() as u64,
            content: rs_content {
                bytes: bytes.as_ptr().cast(),
            },
            ..rs_item::NONE
        }
    }

    /// An integer or a float of these bits, nil, false or true.
    pub fn with_bits(kind: u32, bits: u64) -> rs_item {
        rs_item {
            kind,
            content: rs_content {
                integer: bits as i64,
            },
            ..rs_item::NONE
        }
    }

    /// An item that has elements, and a type if it is a record.
    pub fn with_elements(kind: u32, flags: u32, count: u64, name: &[u8]) -> rs_item {
        rs_item {
            kind,
            flags,
            count,
            name: name.as_ptr().cast(),
            name_length: name.len() as u64,
            ..rs_item::NONE
        }
    }
}

impl rs_immediates {
    /// What a value is, if that needs no callback.
    #[inline(always)]
    pub fn read(&self, value: rs_value) -> Option<Immediate> {
        let shift = u32::from(self.integer_shift);
        if shift != 0 && value & ((1 << shift) - 1) == self.integer_tag {
            return Some(Immediate::Integer((value as isize >> shift) as i64));
        }
        if self.has_constants == 0 {
            return None;
        }
        match value {
            value if value == self.nil => Some(Immediate::Constant(RS_ITEM_NIL)),
            value if value == self.false_value => Some(Immediate::Constant(RS_ITEM_FALSE)),
            value if value == self.true_value => Some(Immediate::Constant(RS_ITEM_TRUE)),
            _ => None,
        }
    }

    /// The host's value, if it needs no callback.
    #[inline(always)]
    pub fn value(&self, immediate: Immediate) -> Option<rs_value> {
        match immediate {
            Immediate::Integer(integer) => {
                let spare = i64::BITS.saturating_sub(u32::from(self.integer_bits));
                let fits = self.integer_shift != 0
                    && spare < i64::BITS
                    && integer << spare >> spare == integer;
                let shifted = (integer as rs_value) << (self.integer_shift & 63);
                fits.then_some(shifted | self.integer_tag)
            }
            Immediate::Constant(kind) if self.has_constants != 0 => Some(match kind {
                RS_ITEM_TRUE => self.true_value,
                RS_ITEM_FALSE => self.false_value,
                _ => self.nil,
            }),
            Immediate::Constant(_) => None,
        }
    }
}

/// A value that needs no memory of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Immediate {
    /// An integer.
    Integer(i64),
    /// `RS_ITEM_NIL`, `RS_ITEM_FALSE` or `RS_ITEM_TRUE`.
    Constant(u32),
}
