//! The outcomes of calls: one number each, with a name and a sentence.
//!
//! Zero is success. A positive status is an outcome that the caller must handle, such as "the
//! object is frozen"; a negative one is a failure, after which the state of host and library is
//! what it was before the call.

#![allow(non_camel_case_types)]

use core::ffi::CStr;

/// What a call returns: `RS_OK`, a positive outcome to handle, or a negative failure.
pub type rs_status = i32;

/// The call did what it says.
pub const RS_OK: rs_status = 0;
/// The object is frozen, by its program or because it is shared: the write must not happen.
pub const RS_FROZEN: rs_status = 1;
/// The object can't be read by this ractor: something in its graph is not shareable.
pub const RS_NOT_SHAREABLE: rs_status = 2;
/// The object belongs to another ractor; nothing was changed.
pub const RS_NOT_OWNER: rs_status = 3;
/// There is more to do: handle what was handed out and call again.
pub const RS_MORE: rs_status = 4;
/// Somebody else is in the way for the moment: the same call may succeed later.
pub const RS_BUSY: rs_status = 5;

/// `rs_verify`: an auto-shareable object has changed, and no check announced it.
pub const RS_UNANNOUNCED: rs_status = 6;
/// The program that the peer runs raised an error: see `rs_link_error`.
pub const RS_RAISED: rs_status = 7;
/// The program did not want to wait any longer (`is_cancelled`).
pub const RS_CANCELLED: rs_status = 8;

/// An argument is NULL, or a number is outside of its documented range.
pub const RS_ERR_ARGUMENT: rs_status = -1;
/// The handle was closed before.
pub const RS_ERR_CLOSED: rs_status = -2;
/// The handle belongs to another vm, or is of another kind.
pub const RS_ERR_FOREIGN: rs_status = -3;
/// The call is not allowed from this thread or ractor.
pub const RS_ERR_THREAD: rs_status = -4;
/// The call was made from inside a callback in which it is not allowed.
pub const RS_ERR_REENTRANT: rs_status = -5;
/// Memory ran out; nothing was changed.
pub const RS_ERR_MEMORY: rs_status = -6;
/// The library failed inside (a defect of its own): the vm is poisoned.
pub const RS_ERR_PANIC: rs_status = -7;
/// An earlier call on this vm ended in `RS_ERR_PANIC`: only `rs_vm_free` is left.
pub const RS_ERR_POISONED: rs_status = -8;
/// The host was built for an ABI that this library does not have.
pub const RS_ERR_ABI: rs_status = -9;
/// A callback of the host failed, or broke its contract.
pub const RS_ERR_HOST: rs_status = -10;
/// The machine, the build or the host lacks what the call needs.
pub const RS_ERR_UNSUPPORTED: rs_status = -11;
/// A documented limit is reached.
pub const RS_ERR_LIMIT: rs_status = -12;
/// This process was forked, and `rs_after_fork_child` was not called in it.
pub const RS_ERR_FORKED: rs_status = -13;
/// The bytes are not a valid image; nothing was changed.
pub const RS_ERR_IMAGE: rs_status = -14;
/// The peer has broken the protocol: the link is closed.
pub const RS_ERR_PEER: rs_status = -15;
/// The peer is gone.
pub const RS_ERR_DEAD: rs_status = -16;
/// The time is up.
pub const RS_ERR_TIMEOUT: rs_status = -17;
/// The peer does not let this process do that.
pub const RS_ERR_DENIED: rs_status = -18;
/// The reference was revoked, or the peer has forgotten what it leads to.
pub const RS_ERR_STALE: rs_status = -19;
/// Processes wait for each other in a circle; this one has found out.
pub const RS_ERR_DEADLOCK: rs_status = -20;
/// A store holds something that makes no sense: one of those who may write it has spoiled it.
pub const RS_ERR_STORE: rs_status = -21;

/// Number, C name and sentence of each status; the only list of them.
const STATUSES: &[(rs_status, &CStr, &CStr)] = &[
    (RS_OK, c"RS_OK", c"success"),
    (RS_FROZEN, c"RS_FROZEN", c"the object is frozen"),
    (
        RS_NOT_SHAREABLE,
        c"RS_NOT_SHAREABLE",
        c"the object can not be shared",
    ),
    (
        RS_NOT_OWNER,
        c"RS_NOT_OWNER",
        c"the object belongs to another ractor",
    ),
    (RS_MORE, c"RS_MORE", c"there is more to do"),
    (RS_BUSY, c"RS_BUSY", c"busy: try again later"),
    (
        RS_UNANNOUNCED,
        c"RS_UNANNOUNCED",
        c"an object has changed with no check before",
    ),
    (
        RS_ERR_ARGUMENT,
        c"RS_ERR_ARGUMENT",
        c"an argument is NULL or out of range",
    ),
    (RS_ERR_CLOSED, c"RS_ERR_CLOSED", c"the handle is closed"),
    (
        RS_ERR_FOREIGN,
        c"RS_ERR_FOREIGN",
        c"the handle belongs to another vm or is of another kind",
    ),
    (
        RS_ERR_THREAD,
        c"RS_ERR_THREAD",
        c"the call is not allowed from this thread or ractor",
    ),
    (
        RS_ERR_REENTRANT,
        c"RS_ERR_REENTRANT",
        c"the call is not allowed inside this callback",
    ),
    (RS_ERR_MEMORY, c"RS_ERR_MEMORY", c"out of memory"),
    (
        RS_ERR_PANIC,
        c"RS_ERR_PANIC",
        c"internal failure: the vm is poisoned",
    ),
    (
        RS_ERR_POISONED,
        c"RS_ERR_POISONED",
        c"the vm is poisoned by an earlier internal failure",
    ),
    (
        RS_ERR_ABI,
        c"RS_ERR_ABI",
        c"the host was built for another ABI",
    ),
    (
        RS_ERR_HOST,
        c"RS_ERR_HOST",
        c"a callback of the host failed or broke its contract",
    ),
    (
        RS_ERR_UNSUPPORTED,
        c"RS_ERR_UNSUPPORTED",
        c"not supported by this machine, build or host",
    ),
    (RS_ERR_LIMIT, c"RS_ERR_LIMIT", c"a limit is reached"),
    (
        RS_ERR_FORKED,
        c"RS_ERR_FORKED",
        c"forked process: rs_after_fork_child was not called",
    ),
    (
        RS_ERR_IMAGE,
        c"RS_ERR_IMAGE",
        c"the bytes are not a valid image",
    ),
    (
        RS_RAISED,
        c"RS_RAISED",
        c"the peer's program raised an error",
    ),
    (RS_CANCELLED, c"RS_CANCELLED", c"the wait was cancelled"),
    (RS_ERR_PEER, c"RS_ERR_PEER", c"the peer broke the protocol"),
    (RS_ERR_DEAD, c"RS_ERR_DEAD", c"the peer is gone"),
    (RS_ERR_TIMEOUT, c"RS_ERR_TIMEOUT", c"the time is up"),
    (
        RS_ERR_DENIED,
        c"RS_ERR_DENIED",
        c"the peer does not allow that",
    ),
    (
        RS_ERR_STALE,
        c"RS_ERR_STALE",
        c"the reference leads to nothing any more",
    ),
    (
        RS_ERR_DEADLOCK,
        c"RS_ERR_DEADLOCK",
        c"the wait could never end",
    ),
    (
        RS_ERR_STORE,
        c"RS_ERR_STORE",
        c"the store holds something that makes no sense",
    ),
];

/// The C name of a status, such as `RS_FROZEN`; `RS_?` for an unknown number.
pub fn name(status: rs_status) -> &'static CStr {
    find(status).map_or(c"RS_?", |found| found.1)
}

/// What a status says, in English, without a full stop.
pub fn text(status: rs_status) -> &'static CStr {
    find(status).map_or(c"unknown status", |found| found.2)
}

fn find(status: rs_status) -> Option<&'static (rs_status, &'static CStr, &'static CStr)> {
    STATUSES.iter().find(|known| known.0 == status)
}
