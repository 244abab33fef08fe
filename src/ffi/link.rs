//! link.h: connections to other processes.
//!
//! A link joins two processes, each with a vm of its own: a parent and a child that it makes, or two that have
//! met over a Unix socket. Each lets the other see what it has exported by name, and what is
//! reached from there (remote.h). A host serves its links from its event loop, or waits for them.
//!
//! Between peers nothing is shared but bytes that are copied, or sealed, before they are looked at: a peer that
//! dies, hangs or lies gets and causes errors, and nothing else.
//!
//! A link belongs to one ractor: all functions here that take one are called by the thread of that. It
//! stays with the process that made it: in a forked child they return RS_ERR_FORKED.

use super::boundary::{self, Caller, out_pointer};
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

/// Makes a link with a process that has connected to a Unix socket of this one (`accept`). That one calls
/// `rs_link_connect` at its end. Who may connect is a matter of the socket's path and its owner, as ever.
///
/// `socket`: connected, of the type SOCK_SEQPACKET. The link owns it, also if this fails.
/// `options` may be NULL. Threads: the ractor's. Blocks: no. Allocates: yes.
/// Returns: RS_OK; RS_ERR_UNSUPPORTED (another kind of socket), and what `rs_link_new` returns. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_link_accept(
    vm: *mut rs_vm,
    ractor: rs_ractor,
    options: *const rs_link_options,
    socket: i32,
    link: *mut rs_link,
) -> rs_status {
    let Some(out) = out_pointer(link) else {
        return RS_ERR_ARGUMENT;
    };
    out.set(0);
    // SAFETY: NULL, or valid for the bytes that its first member says.
    let Some(options) = (unsafe { read_options(options) }) else {
        return RS_ERR_ARGUMENT;
    };
    boundary::call(vm, Caller::Ractor(ractor), |vm| {
        vm.link_accept(ractor, options, socket)
            .map(|id| out.set(id))
    })
}

/// Makes a link with the process that this one has connected to by a Unix socket (`connect`), and that calls
/// `rs_link_accept`.
///
/// `socket`: as there. `timeout`: most nanoseconds to wait for the other end; 0: no limit.
/// Threads: the ractor's. Blocks: until the other process has accepted. Allocates: yes.
/// Returns: RS_OK; RS_ERR_TIMEOUT, RS_ERR_DEAD (it has hung up), RS_ERR_PEER (it sent something else),
/// RS_ERR_UNSUPPORTED (another kind of socket), and what `rs_link_new` returns. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_link_connect(
    vm: *mut rs_vm,
    ractor: rs_ractor,
    options: *const rs_link_options,
    socket: i32,
    timeout: u64,
    link: *mut rs_link,
) -> rs_status {
    let Some(out) = out_pointer(link) else {
        return RS_ERR_ARGUMENT;
    };
    out.set(0);
    // SAFETY: NULL, or valid for the bytes that its first member says.
    let Some(options) = (unsafe { read_options(options) }) else {
        return RS_ERR_ARGUMENT;
    };
    boundary::call(vm, Caller::Ractor(ractor), |vm| {
        vm.link_connect(ractor, options, socket, timeout)
            .map(|id| out.set(id))
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

/// The program has written an object: peers that watch it (rs_remote_watch) are told. To be called by hosts
/// that want their objects to be watched, from their write barrier; writes that a peer has asked for are seen
/// without it.
///
/// Threads: the object's ractor's. Blocks: no. Allocates: if somebody watches. Cost: that of a call if nobody does.
/// Returns: RS_OK; RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_REENTRANT, RS_ERR_FORKED,
/// RS_ERR_POISONED. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_link_changed(vm: *mut rs_vm, value: rs_value) -> rs_status {
    boundary::call_nested(vm, |vm| {
        vm.link_changed(value);
        Ok(())
    })
}

/// What the peer refers to now: why an object is still alive.
///
/// Fills in up to `room` pins, in no order; `*count` is how many there are. `pins` may be NULL if `room` is 0.
/// Threads: the link's. Blocks: no. Allocates: no.
/// Returns: RS_OK; RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_FORKED, RS_ERR_POISONED.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_link_pins(
    vm: *mut rs_vm,
    link: rs_link,
    pins: *mut rs_pin,
    room: usize,
    count: *mut usize,
) -> rs_status {
    let Some(out) = out_pointer(count) else {
        return RS_ERR_ARGUMENT;
    };
    let places = match out_pointer(pins) {
        Some(_) if room <= isize::MAX as usize / size_of::<rs_pin>() => pins,
        None if room == 0 => core::ptr::null_mut(),
        _ => return RS_ERR_ARGUMENT,
    };
    boundary::call_nested(vm, |vm| {
        vm.link_pins(link, |index, pin| {
            if index < room {
                // SAFETY: the caller's promise: room for so many.
                unsafe { places.add(index).write(pin) };
            }
        })
        .map(|total| out.set(total))
    })
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
    (is_ring && copy.flags & !(RS_LINK_OPEN | RS_LINK_SITES) == 0).then_some(copy)
}
