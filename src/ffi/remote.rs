//! remote.h: objects of another process, which stay there and are worked on by asking.
//!
//! What a process lets its peer see (link.h), it pins against its collector; the other holds an object of
//! its own that stands for it, made by `make_remote`. An operation on that object is carried out by the
//! owner, in `operate`, when it serves the link: from its event loop, or while it waits for an answer
//! itself. A value that goes along is copied if it is a number, a symbol, or anything else that can't
//! change (`RS_ITEM_BY_VALUE`); otherwise the owner gets a reference to it. A reference that comes home is
//! the object itself.
//!
//! All functions here are called by the thread of the link's ractor.
//! Failures that every request may return, besides those it lists: RS_ERR_DEAD (the peer is gone: the
//! text of rs_link_error says whether the operation was carried out, was not, or may have been),
//! RS_ERR_PEER (it broke the protocol: the link is closed), RS_ERR_TIMEOUT, RS_CANCELLED, RS_RAISED
//! (its host raised an error), RS_ERR_DENIED, RS_ERR_STALE (the reference was revoked),
//! RS_ERR_DEADLOCK (three processes or more wait for each other in a circle),
//! RS_ERR_UNSUPPORTED (its `operate` knows no such operation for such a target), RS_ERR_CLOSED.

use super::boundary::{self, out_pointer};
use super::graph::{RS_WHOLE, rs_image, rs_limits};
use crate::host::contract::{rs_value, rs_vm};
use crate::host::exchange::*;
use crate::status::*;

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

/// Has the peer carry out many operations, one after the other in this order, by one message each way; a batch of
/// 64 small ones takes little longer than one. Each succeeds or fails for itself, and one that fails stops
/// none of those behind it.
///
/// The owner begins nothing else between them, unless its `operate` itself waits for another process: so to the
/// owner's own program, and to other peers, the batch is one step.
///
/// `timeout`: most nanoseconds for the whole batch; 0: as many as the link says. `count`: at most 65,536.
/// Owns: the results are the caller's to keep alive; borrows what the operations point to for the call.
/// Threads: the link's. Blocks: as `rs_remote_request`. Allocates: yes.
/// Returns: RS_OK: each entry has its status, and `rs_link_error` tells of the first that has raised an
/// error; RS_ERR_LIMIT (too many, or the answer is too long for the link), and what `rs_remote_request`
/// returns; each entry's status is that then, whether it was carried out or not. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_remote_batch(
    vm: *mut rs_vm,
    link: rs_link,
    entries: *mut rs_batch_entry,
    count: usize,
    timeout: u64,
) -> rs_status {
    // SAFETY: the caller's promise: so many entries, that nobody else uses meanwhile.
    let Some(entries) = (unsafe { boundary::entries(entries, count) }) else {
        return RS_ERR_ARGUMENT;
    };
    boundary::call_nested(vm, |vm| vm.remote_batch(link, entries, timeout))
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

/// Opens the image of a shareable graph: its owner encodes it once, for all peers, and it is read in
/// place, without another round trip (rs_image_words, and inline.h). Small ones are copied, large ones are
/// mapped. While the image is open, what stands for the root is kept alive, and so is the graph.
///
/// What is referred to and not held (rs_image_opaques) are references, as in a copy.
///
/// Owns: the caller gets `*image`, and frees it. Threads: the link's. Blocks: as `rs_remote_request`.
/// Allocates: a small image's size; an eighth of the size for the call.
/// Returns: RS_OK; RS_ERR_UNSUPPORTED (it is not shareable: it may change; or is a third process's), RS_ERR_LIMIT (no room for one
/// more descriptor just now), and what `rs_remote_request` returns. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_remote_share(
    vm: *mut rs_vm,
    remote: rs_remote,
    image: *mut rs_image,
) -> rs_status {
    let Some(out) = out_pointer(image) else {
        return RS_ERR_ARGUMENT;
    };
    out.set(0);
    boundary::call_nested(vm, |vm| vm.remote_share(remote).map(|id| out.set(id)))
}

/// The object that a node of a peer's image was made of, as a reference; `node` is the word that stands for it
/// in the image. The same object by whatever way it is reached is the same reference.
///
/// Owns: `*value` is the caller's to keep alive. Threads: the link's. Blocks: as `rs_remote_request`.
/// Allocates: yes. Cost: the owner encodes the graph once more.
/// Returns: RS_OK; RS_ERR_UNSUPPORTED (the image was not opened by rs_remote_share), RS_ERR_ARGUMENT (the word
/// stands for no object), RS_ERR_CLOSED, and what `rs_remote_request` returns. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_image_object(
    vm: *mut rs_vm,
    image: rs_image,
    node: u64,
    value: *mut rs_value,
) -> rs_status {
    let Some(out) = out_pointer(value) else {
        return RS_ERR_ARGUMENT;
    };
    boundary::call_nested(vm, |vm| {
        vm.image_object(image, node).map(|value| out.set(value))
    })
}

/// Asks to be told of the next change of what a reference leads to (`on_change`): what was read of it may be
/// kept until then. One change is told of for each watch. Of an object of a third process the process in between
/// hears nothing, unless it watches that itself: only what is written by way of that process is told of.
///
/// Threads: the link's. Blocks: as `rs_remote_request`. Allocates: no.
/// Returns: what `rs_remote_request` returns. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_remote_watch(vm: *mut rs_vm, remote: rs_remote) -> rs_status {
    boundary::call_nested(vm, |vm| vm.remote_watch(remote))
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
