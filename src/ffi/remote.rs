//! remote.h: objects of another process, which stay there and are worked on by asking.
//!
//! A link joins two processes, each with a vm of its own. What one of them lets the other see, it pins
//! against its collector; the other holds an object of its own that stands for it, made by
//! `make_remote`. An operation on that object is carried out by the owner, in `operate`, when it
//! serves the link: from its event loop, or while it waits for an answer itself. A value that goes
//! along is copied if it is a number, a symbol, or anything else that can't change (`RS_ITEM_BY_VALUE`);
//! otherwise the owner gets a reference to it. A reference that comes home is the object itself.
//!
//! Between peers nothing is shared but bytes that are copied before they are looked at: a peer that
//! dies, hangs or lies gets and causes errors, and nothing else.
//!
//! A link belongs to one ractor: all functions here that take one are called by the thread of that. It
//! stays with the process that made it: in a forked child they return RS_ERR_FORKED.
//! Failures that every request may return, besides those it lists: RS_ERR_DEAD (the peer is gone: the
//! text of rs_link_error says whether the operation was carried out, was not, or may have been),
//! RS_ERR_PEER (it broke the protocol: the link is closed), RS_ERR_TIMEOUT, RS_CANCELLED, RS_RAISED
//! (its host raised an error), RS_ERR_DENIED, RS_ERR_STALE (the reference was revoked),
//! RS_ERR_UNSUPPORTED (its `operate` knows no such operation for such a target), RS_ERR_CLOSED.

use super::boundary::{self, Caller, out_pointer};
use super::graph::{RS_WHOLE, rs_limits};
use crate::host::contract::{rs_ractor, rs_value, rs_vm};
use crate::host::exchange::*;
use crate::status::*;
use core::ffi::c_char;

/// Makes a link, before the process is made that takes up the other end.
///
/// Owns: the caller gets `*link`, and the descriptors in `*end`, which `rs_link_spawned` closes.
/// `options` may be NULL. Threads: the ractor's. Blocks: no. Allocates: yes.
/// Returns: RS_OK; RS_ERR_UNSUPPORTED (this system has no such links, or the host no `make_remote`
/// and `operate`), RS_ERR_LIMIT (descriptors), RS_ERR_MEMORY, RS_ERR_ARGUMENT, RS_ERR_CLOSED,
/// RS_ERR_FOREIGN, RS_ERR_THREAD, RS_ERR_REENTRANT, RS_ERR_FORKED, RS_ERR_POISONED. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_link_new(
    vm: *mut rs_vm,
    ractor: rs_ractor,
    options: *const rs_link_options,
    link: *mut rs_link,
    end: *mut rs_link_end,
) -> rs_status {
    let (Some(out), Some(out_end)) = (out_pointer(link), out_pointer(end)) else {
        return RS_ERR_ARGUMENT;
    };
    out.set(0);
    out_end.set(rs_link_end {
        segment: -1,
        socket: -1,
    });
    // SAFETY: NULL, or valid for the bytes that its first member says.
    let Some(options) = (unsafe { read_options(options) }) else {
        return RS_ERR_ARGUMENT;
    };
    boundary::call(vm, Caller::Ractor(ractor), |vm| {
        let (id, end) = vm.link_new(ractor, options)?;
        out.set(id);
        out_end.set(end);
        Ok(())
    })
}

/// Between `fork` and `exec`, in the child: lets both descriptors be inherited. Async-signal-safe.
///
/// Threads: any. Blocks: no. Allocates: no. Returns: RS_OK; RS_ERR_ARGUMENT. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_link_inherit(end: *const rs_link_end) -> rs_status {
    // SAFETY: NULL or valid.
    match unsafe { end.as_ref() } {
        Some(end) => crate::vm::links::inherit(end),
        None => RS_ERR_ARGUMENT,
    }
}

/// The other process has been made, by this one, and not yet been waited for: closes this
/// process's copies of its descriptors, and watches it, so that its end ends every wait.
///
/// Threads: the link's. Blocks: no. Allocates: no.
/// Returns: RS_OK; RS_ERR_ARGUMENT (no such child), RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD,
/// RS_ERR_REENTRANT, RS_ERR_FORKED, RS_ERR_POISONED. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_link_spawned(vm: *mut rs_vm, link: rs_link, process: i32) -> rs_status {
    boundary::call(vm, Caller::Anyone, |vm| vm.link_spawned(link, process))
}

/// Takes up the other end, in the process that was made.
///
/// Owns: the caller gets `*link`; the link owns the descriptors. `options` may be NULL.
/// Threads: the ractor's. Blocks: no. Allocates: yes.
/// Returns: RS_OK; RS_ERR_PEER (the descriptors are not those of a link), and what `rs_link_new`
/// returns. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_link_adopt(
    vm: *mut rs_vm,
    ractor: rs_ractor,
    options: *const rs_link_options,
    end: *const rs_link_end,
    link: *mut rs_link,
) -> rs_status {
    let Some(out) = out_pointer(link) else {
        return RS_ERR_ARGUMENT;
    };
    out.set(0);
    // SAFETY: NULL or valid; options: NULL, or valid for the bytes that its first member says.
    let (Some(end), Some(options)) = (unsafe { (end.as_ref(), read_options(options)) }) else {
        return RS_ERR_ARGUMENT;
    };
    boundary::call(vm, Caller::Ractor(ractor), |vm| {
        vm.link_adopt(ractor, options, *end).map(|id| out.set(id))
    })
}

/// Ends a link. What the peer had pinned is let go; references to its objects stay, and every request
/// on them fails by RS_ERR_DEAD.
///
/// `flags`: of `RS_LINK_EVACUATE` and `RS_LINK_FETCH`. `timeout`: most nanoseconds that this may take; 0:
/// no limit. Threads: the link's. Blocks: to evacuate and fetch. Allocates: then, too.
/// Returns: RS_OK; RS_ERR_DEAD, RS_ERR_TIMEOUT (closed, but not all was evacuated);
/// RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD, RS_ERR_REENTRANT, RS_ERR_FORKED,
/// RS_ERR_POISONED. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_link_close(
    vm: *mut rs_vm,
    link: rs_link,
    flags: u32,
    timeout: u64,
) -> rs_status {
    if flags & !(RS_LINK_EVACUATE | RS_LINK_FETCH) != 0 {
        return RS_ERR_ARGUMENT;
    }
    boundary::call(vm, Caller::Anyone, |vm| vm.link_close(link, flags, timeout))
}

/// Lets the peer refer to an object by a name. `rights`: `RS_CAN_READ`, `RS_CAN_WRITE`, `RS_CAN_CALL`, which
/// whatever it reaches through the object inherits. Without rights: takes the name back.
///
/// Owns: borrows `name` for the call; the link keeps the object alive.
/// Threads: the link's. Blocks: no. Allocates: yes.
/// Returns: RS_OK; RS_ERR_MEMORY, RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD,
/// RS_ERR_REENTRANT, RS_ERR_FORKED, RS_ERR_POISONED. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_link_export(
    vm: *mut rs_vm,
    link: rs_link,
    name: *const c_char,
    value: rs_value,
    rights: u32,
) -> rs_status {
    // SAFETY: NULL or a C string that lives as long as the call.
    let Some(name) = (unsafe { boundary::text(name) }) else {
        return RS_ERR_ARGUMENT;
    };
    if rights & !RS_CAN_ALL != 0 {
        return RS_ERR_ARGUMENT;
    }
    boundary::call(vm, Caller::Anyone, |vm| {
        vm.link_export(link, name, value, rights)
    })
}

/// Takes an object back that the peer refers to: from now on every request on it fails by RS_ERR_STALE,
/// and it is kept alive no longer.
///
/// Threads: the link's. Blocks: no. Allocates: no.
/// Returns: RS_OK; RS_ERR_ARGUMENT (the peer has no reference to it), RS_ERR_CLOSED, RS_ERR_FOREIGN,
/// RS_ERR_THREAD, RS_ERR_REENTRANT, RS_ERR_FORKED, RS_ERR_POISONED. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_link_revoke(
    vm: *mut rs_vm,
    link: rs_link,
    value: rs_value,
) -> rs_status {
    boundary::call_nested(vm, |vm| vm.link_revoke(link, value))
}

/// A descriptor that becomes readable when there is something to serve, or the peer is gone: for an
/// event loop. Call `rs_link_serve` before each wait: it says whether waiting is right.
///
/// Owns: the link owns it. Threads: the link's. Blocks: no. Allocates: no.
/// Returns: RS_OK; RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD, RS_ERR_REENTRANT,
/// RS_ERR_FORKED, RS_ERR_POISONED. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_link_fd(vm: *mut rs_vm, link: rs_link, fd: *mut i32) -> rs_status {
    let Some(out) = out_pointer(fd) else {
        return RS_ERR_ARGUMENT;
    };
    boundary::call(vm, Caller::Anyone, |vm| {
        vm.link_fd(link).map(|fd| out.set(fd))
    })
}

/// Carries out what the peer has asked for, for about `budget` nanoseconds; 0: what is there now.
///
/// Threads: the link's. Blocks: no, but `operate` may. Allocates: yes.
/// Returns: RS_OK: nothing is left, and the descriptor will tell of more; RS_MORE: call again before
/// a wait; RS_ERR_DEAD: the peer is gone, and what it had pinned was let go; RS_ERR_PEER,
/// RS_ERR_MEMORY, RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD, RS_ERR_REENTRANT,
/// RS_ERR_FORKED, RS_ERR_POISONED. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_link_serve(vm: *mut rs_vm, link: rs_link, budget: u64) -> rs_status {
    boundary::call_nested(vm, |vm| vm.link_serve(link, budget))
}

/// Waits until the peer has asked for something, and carries that out: for a process that has no event
/// loop, and nothing else to do.
///
/// `timeout`: most nanoseconds to wait; 0: as long as the peer lives. Threads: the link's. Blocks: as it
/// says. Allocates: yes.
/// Returns: RS_OK; RS_ERR_TIMEOUT, RS_CANCELLED, RS_ERR_DEAD, RS_ERR_PEER, RS_ERR_MEMORY,
/// RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD, RS_ERR_REENTRANT, RS_ERR_FORKED,
/// RS_ERR_POISONED. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_link_wait(vm: *mut rs_vm, link: rs_link, timeout: u64) -> rs_status {
    boundary::call_nested(vm, |vm| vm.link_wait(link, timeout))
}

/// Inside of `operate`: why it is about to return RS_RAISED. `kind` is the name of the error's type,
/// `text` what it says; both are copied, and cut at 4096 bytes.
///
/// Threads: the link's. Blocks: no. Allocates: yes.
/// Returns: RS_OK; RS_ERR_MEMORY, RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_FORKED,
/// RS_ERR_POISONED. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_link_raise(
    vm: *mut rs_vm,
    link: rs_link,
    kind: *const c_char,
    text: *const c_char,
) -> rs_status {
    // SAFETY: NULL or C strings that live as long as the call.
    let (Some(kind), Some(text)) = (unsafe { (boundary::text(kind), boundary::text(text)) }) else {
        return RS_ERR_ARGUMENT;
    };
    boundary::call_nested(vm, |vm| vm.link_raise(link, kind, text))
}

/// Why the last request on a link failed: the kind and the text of the error that the peer's host has
/// raised, or a sentence about the link. The texts stay until the next request.
///
/// Owns: the link owns the texts. Threads: the link's. Blocks: no. Allocates: no.
/// Returns: RS_OK; RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_FORKED, RS_ERR_POISONED.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_link_error(
    vm: *mut rs_vm,
    link: rs_link,
    kind: *mut *const c_char,
    text: *mut *const c_char,
) -> rs_status {
    let (Some(kind), Some(text)) = (out_pointer(kind), out_pointer(text)) else {
        return RS_ERR_ARGUMENT;
    };
    boundary::call_nested(vm, |vm| {
        let (its_kind, its_text) = vm.link_error(link)?;
        kind.set(its_kind);
        text.set(its_text);
        Ok(())
    })
}

/// Fills in counts; `statistics->size` says how many bytes there is room for.
///
/// Threads: the link's. Blocks: no. Allocates: no.
/// Returns: RS_OK; RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_FORKED, RS_ERR_POISONED.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_link_counts(
    vm: *mut rs_vm,
    link: rs_link,
    statistics: *mut rs_link_statistics,
) -> rs_status {
    let Some(out) = out_pointer(statistics) else {
        return RS_ERR_ARGUMENT;
    };
    boundary::call_nested(vm, |vm| {
        let counts = vm.link_counts(link)?;
        // SAFETY: the caller's promise about the first member.
        unsafe { out.fill_sized(&counts) }
    })
}

/// Has the peer carry out an operation, and waits for the result. `remote` is the target, or RS_NO_REMOTE for
/// operations by name. inline.h has a function for each operation (`rs_remote_get`, …).
///
/// While it waits, what the peer asks for is carried out, since that may be what it waits for too.
///
/// Owns: `*result` is the caller's to keep alive; borrows `operation` for the call.
/// Threads: the link's. Blocks: until the answer, the timeout of the link, the peer's end, or
/// `is_cancelled`. Allocates: yes.
/// Returns: RS_OK; RS_RAISED, RS_CANCELLED, RS_ERR_DEAD, RS_ERR_TIMEOUT, RS_ERR_PEER, RS_ERR_DENIED,
/// RS_ERR_STALE, RS_ERR_LIMIT, RS_ERR_HOST, RS_ERR_MEMORY, RS_ERR_ARGUMENT, RS_ERR_CLOSED,
/// RS_ERR_FOREIGN, RS_ERR_THREAD, RS_ERR_REENTRANT, RS_ERR_FORKED, RS_ERR_POISONED. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_remote_request(
    vm: *mut rs_vm,
    link: rs_link,
    remote: rs_remote,
    operation: *const rs_operation,
    result: *mut rs_value,
) -> rs_status {
    let Some(out) = out_pointer(result) else {
        return RS_ERR_ARGUMENT;
    };
    // SAFETY: NULL or valid.
    let Some(operation) = (unsafe { operation.as_ref() }) else {
        return RS_ERR_ARGUMENT;
    };
    boundary::call_nested(vm, |vm| {
        vm.remote_request(link, remote, operation)
            .map(|value| out.set(value))
    })
}

/// Asks the peer to carry out an operation, and does not wait. Requests that were begun one after the other
/// are carried out in that order, and cost one round trip together.
///
/// Owns: the caller gets `*request`, which rs_remote_finish or rs_remote_forget ends. Threads: the link's.
/// Blocks: no. Allocates: yes. At most 65,536 requests of a link may be open.
/// Returns: RS_OK; RS_ERR_DEAD, RS_ERR_PEER, RS_ERR_STALE, RS_ERR_LIMIT, RS_ERR_HOST, RS_ERR_MEMORY,
/// RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD, RS_ERR_REENTRANT, RS_ERR_FORKED,
/// RS_ERR_POISONED. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_remote_begin(
    vm: *mut rs_vm,
    link: rs_link,
    remote: rs_remote,
    operation: *const rs_operation,
    request: *mut u64,
) -> rs_status {
    let Some(out) = out_pointer(request) else {
        return RS_ERR_ARGUMENT;
    };
    // SAFETY: NULL or valid.
    let Some(operation) = (unsafe { operation.as_ref() }) else {
        return RS_ERR_ARGUMENT;
    };
    boundary::call_nested(vm, |vm| {
        vm.remote_begin(link, remote, operation)
            .map(|request| out.set(request))
    })
}

/// The result of a request that was begun. `waits`: nonzero to wait for it.
///
/// Owns: `*result` is the caller's to keep alive. Threads: the link's. Blocks: if it waits, as
/// `rs_remote_request`. Allocates: yes.
/// Returns: RS_MORE: it is not there yet, and the request stays open (also after RS_CANCELLED it is at
/// its end, and the late answer is dropped); else what `rs_remote_request` returns. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_remote_finish(
    vm: *mut rs_vm,
    link: rs_link,
    request: u64,
    waits: u32,
    result: *mut rs_value,
) -> rs_status {
    let Some(out) = out_pointer(result) else {
        return RS_ERR_ARGUMENT;
    };
    boundary::call_nested(vm, |vm| {
        match vm.remote_finish(link, request, waits != 0)? {
            Some(value) => {
                out.set(value);
                Ok(RS_OK)
            }
            None => Ok(RS_MORE),
        }
    })
}

/// Nobody wants the result of a request that was begun: it is carried out all the same.
///
/// Threads: the link's. Blocks: no. Allocates: no.
/// Returns: RS_OK; RS_ERR_ARGUMENT (no such request), RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD,
/// RS_ERR_REENTRANT, RS_ERR_FORKED, RS_ERR_POISONED. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_remote_forget(
    vm: *mut rs_vm,
    link: rs_link,
    request: u64,
) -> rs_status {
    boundary::call_nested(vm, |vm| vm.remote_forget(link, request))
}

/// Reads an element of what a reference leads to, an element of that, and so on, in one request: `steps` are
/// numbers of elements as `rs_remote_get` takes them.
///
/// Owns: `*value` is the caller's to keep alive; borrows `steps` for the call. Threads: the link's.
/// Blocks: as `rs_remote_request`. Allocates: yes. Returns: what that returns. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_remote_path(
    vm: *mut rs_vm,
    remote: rs_remote,
    steps: *const u64,
    count: usize,
    value: *mut rs_value,
) -> rs_status {
    let Some(out) = out_pointer(value) else {
        return RS_ERR_ARGUMENT;
    };
    // SAFETY: the caller's promise: so many words.
    let Some(steps) = (unsafe { boundary::words(steps, count) }) else {
        return RS_ERR_ARGUMENT;
    };
    boundary::call_nested(vm, |vm| {
        vm.remote_path(remote, steps).map(|value| out.set(value))
    })
}

/// Makes an ordinary object out of what a reference leads to: its whole graph, or as much as the
/// limits say, with references for the rest.
///
/// Owns: `*value` is the caller's to keep alive. `limits` may be NULL: the whole graph.
/// Threads: the link's. Blocks: as `rs_remote_request`. Allocates: yes.
/// Returns: what `rs_remote_request` returns. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_remote_copy(
    vm: *mut rs_vm,
    remote: rs_remote,
    limits: *const rs_limits,
    value: *mut rs_value,
) -> rs_status {
    let Some(out) = out_pointer(value) else {
        return RS_ERR_ARGUMENT;
    };
    // SAFETY: NULL or valid.
    let limits = unsafe { limits.as_ref() };
    boundary::call_nested(vm, |vm| {
        let (depth, bytes) = limits.map_or((RS_WHOLE, 0), |limits| (limits.depth, limits.bytes));
        vm.remote_copy(remote, depth, bytes)
            .map(|value| out.set(value))
    })
}

/// The link that a reference belongs to.
///
/// Threads: the link's. Blocks: no. Allocates: no.
/// Returns: RS_OK; RS_ERR_ARGUMENT, RS_ERR_CLOSED (the link is closed), RS_ERR_FOREIGN,
/// RS_ERR_FORKED, RS_ERR_POISONED. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_remote_link(
    vm: *mut rs_vm,
    remote: rs_remote,
    link: *mut rs_link,
) -> rs_status {
    let Some(out) = out_pointer(link) else {
        return RS_ERR_ARGUMENT;
    };
    boundary::call_nested(vm, |vm| vm.remote_link(remote).map(|id| out.set(id)))
}

/// The object that stands for a peer's is gone: for hosts with finalisers. (Others need not call it:
/// `rs_gc_sweep` finds out too.) The owner hears of it with the next message.
///
/// Threads: any. Blocks: no. Allocates: no.
/// Returns: RS_OK; RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_FORKED, RS_ERR_POISONED.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_remote_release(vm: *mut rs_vm, remote: rs_remote) -> rs_status {
    boundary::call_nested(vm, |vm| vm.remote_release(remote))
}

/// The options, with every default filled in.
///
/// # Safety
/// `options` is NULL, or valid for as many bytes as its first member says.
unsafe fn read_options(options: *const rs_link_options) -> Option<rs_link_options> {
    let mut copy = rs_link_options::default();
    if options.is_null() {
        return Some(copy);
    }
    if !options.is_aligned() {
        return None;
    }
    // SAFETY: the caller's promise.
    unsafe {
        let size = (*options).size as usize;
        if size < size_of::<u64>() {
            return None;
        }
        core::ptr::copy_nonoverlapping(
            options.cast::<u8>(),
            (&raw mut copy).cast::<u8>(),
            size.min(size_of::<rs_link_options>()),
        );
    }
    let is_ring =
        copy.ring_bytes == 0 || copy.ring_bytes.is_power_of_two() && copy.ring_bytes >= 4096;
    (is_ring && copy.flags & !RS_LINK_OPEN == 0).then_some(copy)
}
