//! What a host does for its peers in other processes, and what stands in its heap for their objects.

#![allow(non_camel_case_types)]

use super::contract::{rs_site, rs_value};
use super::item::rs_item;
use crate::status::rs_status;
use core::ffi::{c_char, c_void};

/// One end of a connection to another process; an id that is never used twice.
pub type rs_link = u64;
/// A reference to an object of a peer; an id that is never used twice. `RS_NO_REMOTE` is none.
pub type rs_remote = u64;

/// No remote.
pub const RS_NO_REMOTE: rs_remote = 0;

/// Read the value of the variable `name`. The target is none: what was exported under that name is read
/// without `operate`.
pub const RS_READ_VARIABLE: u32 = 1;
/// Set the variable `name` to argument 0. The target is what was exported under that name, if anything.
pub const RS_WRITE_VARIABLE: u32 = 2;
/// Read element `index`: of a cons (`RS_CAR`, `RS_CDR`), a vector, a record.
pub const RS_READ_ELEMENT: u32 = 3;
/// Set element `index` to argument 0.
pub const RS_WRITE_ELEMENT: u32 = 4;
/// Read what a map holds under argument 0; argument 1 if nothing.
pub const RS_READ_KEY: u32 = 5;
/// Set what a map holds under argument 0 to argument 1.
pub const RS_WRITE_KEY: u32 = 6;
/// How many elements, pairs or bytes: an integer.
pub const RS_READ_LENGTH: u32 = 7;
/// A text for people, of at most `index` bytes: a string.
pub const RS_PRINT: u32 = 8;
/// Call the function that the target is, or that is called `name`, with the arguments.
pub const RS_CALL: u32 = 9;
/// Set element `index` to argument 1 if it is argument 0 (by identity); returns what was there.
pub const RS_EXCHANGE_ELEMENT: u32 = 10;
/// Whether the target and argument 0 are equal by what they hold: true or false.
pub const RS_EQUAL: u32 = 11;

/// Add argument 0 to the number that element `index` is; returns the sum. For counters: nothing is lost if
/// two peers do it.
pub const RS_ADD_ELEMENT: u32 = 12;

/// First element of a cons.
pub const RS_CAR: u64 = 0;
/// Second element of a cons.
pub const RS_CDR: u64 = 1;

/// The peer may read what the reference leads to.
pub const RS_CAN_READ: u32 = 1;
/// The peer may write it.
pub const RS_CAN_WRITE: u32 = 2;
/// The peer may call it.
pub const RS_CAN_CALL: u32 = 4;
/// Everything.
pub const RS_CAN_ALL: u32 = 7;

/// An operation that one process asks another to carry out.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rs_operation {
    /// `RS_READ_VARIABLE` to `RS_ADD_ELEMENT`.
    pub code: u32,
    /// `RS_REQUEST_MORE`, or 0.
    pub flags: u32,
    /// What the code says: a variable, a function; bytes, and no NUL at the end.
    pub name: *const c_char,
    /// Bytes of the name; 0: there is none.
    pub name_length: u64,
    /// What the code says: an element, a limit.
    pub index: u64,
    /// What the code says.
    pub arguments: *const rs_value,
    /// How many arguments.
    pub arguments_count: u64,
    /// Most nanoseconds that the request may take; 0: as many as the link says. The owner sees what is
    /// left of them.
    pub timeout: u64,
}

/// Another request follows at once: the peer may be told of both together. It is told at the latest by
/// the next request without this flag, or the next time that the link is served, waited for, or asked for an
/// answer.
pub const RS_REQUEST_MORE: u32 = 1;

impl rs_operation {
    /// The name.
    pub fn name(&self) -> &[u8] {
        if self.name.is_null() || self.name_length == 0 {
            return &[];
        }
        // SAFETY: the host's promise: so many bytes, for the call.
        unsafe { core::slice::from_raw_parts(self.name.cast(), self.name_length as usize) }
    }

    /// The arguments.
    pub fn arguments(&self) -> &[rs_value] {
        if self.arguments.is_null() || self.arguments_count == 0 {
            return &[];
        }
        // SAFETY: the host's promise: so many values, for the call.
        unsafe { core::slice::from_raw_parts(self.arguments, self.arguments_count as usize) }
    }

    /// An operation of this code, with no names and arguments.
    pub const fn new(code: u32) -> rs_operation {
        rs_operation {
            code,
            flags: 0,
            name: core::ptr::null(),
            name_length: 0,
            index: 0,
            arguments: core::ptr::null(),
            arguments_count: 0,
            timeout: 0,
        }
    }
}

/// One operation of a batch, and what came of it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rs_batch_entry {
    /// What it is done to, or `RS_NO_REMOTE` for operations by name.
    pub remote: rs_remote,
    /// What is done. Its flags and timeout are 0.
    pub operation: rs_operation,
    /// Out: its result; 0 if it has failed.
    pub result: rs_value,
    /// Out: RS_OK; RS_RAISED, RS_ERR_DENIED, or why else it has failed.
    pub status: i32,
    /// 0.
    pub reserved: u32,
}

/// What a link is made with; zero is every member's default.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct rs_link_options {
    /// `sizeof(rs_link_options)` as the host was compiled.
    pub size: u32,
    /// Of `RS_LINK_OPEN` and `RS_LINK_SITES`.
    pub flags: u32,
    /// Bytes of the ring in each direction: a power of two from 4096 on. Default: 1 MiB.
    pub ring_bytes: u64,
    /// Most objects that the peer may have pinned at a time. Default: 2^24.
    pub pins: u64,
    /// Most nanoseconds that a request waits. Default: for ever, as long as the peer lives.
    pub timeout: u64,
    /// Most bytes of a message from the peer, which are as many of this process's memory. Default: 1 GiB.
    pub message_bytes: u64,
}

/// The peer may ask for any variable and function by name: `operate` decides. Otherwise it may name
/// what `rs_link_export` has given it, and nothing else.
pub const RS_LINK_OPEN: u32 = 1;

/// Each pin remembers where the program stood when it was taken (`site`): for `rs_link_pins`.
pub const RS_LINK_SITES: u32 = 2;

/// An object of this process that a peer refers to.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct rs_pin {
    /// The object.
    pub object: rs_value,
    /// The peer's name for it.
    pub number: u64,
    /// References that were sent, less those that were given back.
    pub references: u64,
    /// `RS_CAN_…`.
    pub rights: u32,
    /// The operation in whose answer the peer got it, or 0: it got it as an argument, or in a copy.
    pub code: u32,
    /// Where the program stood then, with `RS_LINK_SITES`; else no place.
    pub site: rs_site,
}

/// What the other process needs to take up its end: two descriptors. They are closed when a program
/// is executed; the child clears that between `fork` and `exec`, by `rs_link_inherit`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct rs_link_end {
    /// Shared memory.
    pub segment: i32,
    /// A socket.
    pub socket: i32,
}

/// Counts of a link since it was made, and how much of it there is now.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct rs_link_statistics {
    /// `sizeof(rs_link_statistics)` as the host was compiled.
    pub size: u32,
    /// Must be 0.
    pub reserved: u32,
    /// Objects of this process that the peer refers to now.
    pub pins: u64,
    /// Objects of the peer that this process refers to now.
    pub remotes: u64,
    /// Operations asked for.
    pub requests: u64,
    /// Operations carried out for the peer.
    pub served: u64,
    /// References given back to the peer.
    pub released: u64,
    /// Messages and bytes sent.
    pub messages: u64,
    /// Bytes sent.
    pub bytes: u64,
    /// Objects of this process that were let go, since only cycles over the peer needed them.
    pub collected: u64,
}

/// Close: before that, the peer gets copies of everything of this process that it refers to, in the place of
/// the references (its `replace_remote`).
pub const RS_LINK_EVACUATE: u32 = 1;
/// Close: before that, this process gets copies of everything of the peer that it refers to and may read, in
/// the place of the references (`replace_remote`).
pub const RS_LINK_FETCH: u32 = 2;

/// `make_remote`: makes the object that stands for a peer's; `item` says what that is.
pub type rs_make_remote_fn = Option<
    unsafe extern "C" fn(
        ctx: *mut c_void,
        link: rs_link,
        remote: rs_remote,
        item: *const rs_item,
        value: *mut rs_value,
    ) -> rs_status,
>;

/// `operate`: carries out what a peer has asked for.
pub type rs_operate_fn = Option<
    unsafe extern "C" fn(
        ctx: *mut c_void,
        link: rs_link,
        target: rs_value,
        operation: *const rs_operation,
        result: *mut rs_value,
    ) -> rs_status,
>;

/// `is_cancelled`: whether the program wants to wait no longer: nonzero if so.
pub type rs_is_cancelled_fn = Option<unsafe extern "C" fn(ctx: *mut c_void, link: rs_link) -> u32>;

/// `replace_remote`: from now on `value` stands for what `remote` stood for.
pub type rs_replace_remote_fn =
    Option<unsafe extern "C" fn(ctx: *mut c_void, remote: rs_value, value: rs_value) -> rs_status>;

/// `on_change`: what `remote` stands for was written.
pub type rs_on_change_fn =
    Option<unsafe extern "C" fn(ctx: *mut c_void, link: rs_link, remote: rs_value)>;
/// `collect`: a collection of all garbage, with `rs_gc_summarise` in its middle. `RS_OK`; any other status if there
/// was none.
pub type rs_collect_fn = Option<unsafe extern "C" fn(ctx: *mut c_void) -> rs_status>;
