//! Items: what values are, in terms that every host has. This is what crosses between processes and
//! versions, where a host's own values mean nothing.

#![allow(non_camel_case_types)]

use super::contract::rs_value;
use crate::status::rs_status;
use core::ffi::{c_char, c_void};

/// No item: what `read_items` left out.
pub const RS_ITEM_NONE: u32 = 0;
/// Nothing; also false, in a host that has one object for both.
pub const RS_ITEM_NIL: u32 = 1;
/// False.
pub const RS_ITEM_FALSE: u32 = 2;
/// True.
pub const RS_ITEM_TRUE: u32 = 3;
/// An integer of 64 bits: `content.integer`.
pub const RS_ITEM_INTEGER: u32 = 4;
/// A larger integer: `count` bytes of its magnitude, the lowest first; `flags` is 1 if negative.
pub const RS_ITEM_BIG_INTEGER: u32 = 5;
/// A floating-point number of 64 bits, of which every bit counts: `content.number`.
pub const RS_ITEM_FLOAT: u32 = 6;
/// A symbol that is the same wherever its name is: `count` bytes.
pub const RS_ITEM_SYMBOL: u32 = 7;
/// A symbol that is only itself: `count` bytes of its name.
pub const RS_ITEM_UNINTERNED_SYMBOL: u32 = 8;
/// A string: `count` bytes, any; `flags` is the host's (an encoding).
pub const RS_ITEM_STRING: u32 = 9;
/// A pair: two elements.
pub const RS_ITEM_CONS: u32 = 10;
/// A sequence: `count` elements.
pub const RS_ITEM_VECTOR: u32 = 11;
/// A map: `count` pairs in order, as 2 * `count` elements, key and value in turn; `flags` says how
/// keys are compared (`RS_MAP_…`, or the host's own above 15).
pub const RS_ITEM_MAP: u32 = 12;
/// An object of a named type: `count` elements, and the name of the type; `flags` is the host's.
pub const RS_ITEM_RECORD: u32 = 13;
/// Anything else: never copied, always referred to.
pub const RS_ITEM_OPAQUE: u32 = 14;
/// An object of a peer (remote.h): `content.integer` is the rs_remote that it stands for.
pub const RS_ITEM_REMOTE: u32 = 15;

/// In the flags of an item: the object never changes, so a copy is as good. Numbers and symbols are
/// copied without it.
pub const RS_ITEM_BY_VALUE: u32 = 1 << 16;

/// Keys are compared by what they hold.
pub const RS_MAP_EQUAL: u32 = 0;
/// Keys are compared by identity; numbers too, if the host says so of itself.
pub const RS_MAP_IDENTITY: u32 = 1;
/// Keys are compared by identity, numbers by their value.
pub const RS_MAP_EQL: u32 = 2;

/// Flags of an item that count: its low bits.
pub const RS_ITEM_FLAGS: u32 = 0xffff;

/// What an item holds; its kind says which member.
#[repr(C)]
#[derive(Clone, Copy)]
pub union rs_content {
    /// Of `RS_ITEM_INTEGER`.
    pub integer: i64,
    /// Of `RS_ITEM_FLOAT`.
    pub number: f64,
    /// Of integers, symbols and strings: their bytes.
    pub bytes: *const c_void,
    /// Of what has elements: where they lie in a row; NULL if they don't.
    pub elements: *const rs_value,
}

/// What a value is.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rs_item {
    /// `RS_ITEM_NIL` to `RS_ITEM_OPAQUE`.
    pub kind: u32,
    /// What the kind says of them; the low 16 bits count.
    pub flags: u32,
    /// How many bytes, elements or pairs; below 2^40.
    pub count: u64,
    /// What the kind says.
    pub content: rs_content,
    /// Of records, and of whatever has a name for its kind of objects: the name of the type, without a NUL
    /// at its end.
    pub name: *const c_char,
    /// Bytes of the name.
    pub name_length: u64,
}

impl rs_item {
    /// What a callback has left out.
    pub const NONE: rs_item = rs_item {
        kind: RS_ITEM_NONE,
        flags: 0,
        count: 0,
        content: rs_content { integer: 0 },
        name: core::ptr::null(),
        name_length: 0,
    };
}

/// How the host writes small integers, nil, false and true, so that most of them need no callback. All
/// zero: not known. Integers of more than 61 bits go through the callbacks all the same.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct rs_immediates {
    /// An integer `i` is `i << integer_shift | integer_tag`. 0: not known.
    pub integer_shift: u8,
    /// Its bits, sign included: at most the bits of a word less `integer_shift`.
    pub integer_bits: u8,
    /// Whether `nil`, `false_value` and `true_value` are known: nonzero if so.
    pub has_constants: u8,
    /// The low bits of an integer: `integer_shift` of them.
    pub integer_tag: rs_value,
    /// Nothing.
    pub nil: rs_value,
    /// False; the same as `nil` in a host that has one object for both.
    pub false_value: rs_value,
    /// True.
    pub true_value: rs_value,
}

/// `read_items`: says of each of `count` values what it is.
pub type rs_read_items_fn = Option<
    unsafe extern "C" fn(
        ctx: *mut c_void,
        values: *const rs_value,
        count: usize,
        items: *mut rs_item,
    ) -> rs_status,
>;

/// `read_elements`: copies elements of an object that do not lie in a row, from number `from` on.
pub type rs_read_elements_fn = Option<
    unsafe extern "C" fn(
        ctx: *mut c_void,
        object: rs_value,
        from: u64,
        count: usize,
        elements: *mut rs_value,
    ) -> rs_status,
>;

/// `make_items`: makes a value for each of `count` items.
pub type rs_make_items_fn = Option<
    unsafe extern "C" fn(
        ctx: *mut c_void,
        items: *const rs_item,
        count: usize,
        values: *mut rs_value,
    ) -> rs_status,
>;

/// `set_elements`: fills in elements of an object that `make_items` made, from number `from` on.
pub type rs_set_elements_fn = Option<
    unsafe extern "C" fn(
        ctx: *mut c_void,
        object: rs_value,
        from: u64,
        count: usize,
        elements: *const rs_value,
    ) -> rs_status,
>;
