//! walk.h: the pull walk, for hosts that can't be called back during a walk.

use super::boundary::{self, Caller, out_pointer};
use crate::autoshare::pull::Task;
use crate::host::contract::{rs_ractor, rs_slot, rs_value, rs_vm};
use crate::status::*;

/// A walk that its host drives; an id that is never used twice.
#[allow(non_camel_case_types)]
pub type rs_walk = u64;

/// Do what `rs_autoshare_mark` does.
pub const RS_WALK_TO_MARK: u32 = 1;
/// Do what `rs_ractor_access` does.
pub const RS_WALK_TO_ACCESS: u32 = 2;
/// Do what `rs_make_shareable` does, less the calls of `prepare`.
pub const RS_WALK_TO_SHARE: u32 = 3;

/// Begins a walk in which the host enumerates children itself: no frame of the library is on the
/// stack while it does, so it may run user code, raise or `longjmp`. While it enumerates the children
/// of an object, no other thread may write to that object: the library can't make it wait, as
/// it does when it reads itself. The host must end the walk by
/// `rs_walk_commit` or `rs_walk_abort` in any case, on the same thread. With
/// `RS_WALK_WORLD_STOPPED` it keeps its world stopped from this call to that one (`stop_world` is not
/// called); with no bit for PENDING nothing may be written meanwhile. Until then other walks
/// wait; what runs between the calls must not wait for another ractor, and calls of this thread
/// that need a walk return RS_ERR_REENTRANT.
///
/// Owns: the caller gets `*walk`. `slot` may be RS_NO_SLOT for `RS_WALK_TO_SHARE`.
/// Threads: main to mark; a ractor to access and share. Blocks: while another walk goes on.
/// Allocates: yes, also in the later calls. A vm has at most one pull walk at a time.
/// Returns: RS_MORE: go on with `rs_walk_next`; RS_OK: nothing is to be walked, the question is
/// answered and no walk was made; RS_NOT_SHAREABLE (likewise, no walk); RS_BUSY; RS_ERR_MEMORY,
/// RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD, RS_ERR_REENTRANT,
/// RS_ERR_FORKED, RS_ERR_POISONED. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_walk_begin(
    vm: *mut rs_vm,
    ractor: rs_ractor,
    purpose: u32,
    slot: rs_slot,
    root: rs_value,
    walk: *mut rs_walk,
) -> rs_status {
    let Some(out) = out_pointer(walk) else {
        return RS_ERR_ARGUMENT;
    };
    let task = match purpose {
        RS_WALK_TO_MARK => Task::Mark,
        RS_WALK_TO_ACCESS => Task::Access,
        RS_WALK_TO_SHARE => Task::Share,
        _ => return RS_ERR_ARGUMENT,
    };
    boundary::call(vm, Caller::Ractor(ractor), |vm| {
        vm.pull_begin(ractor, task, slot, root).map(|(status, id)| {
            out.set(id);
            status
        })
    })
}

/// The next object whose children the walk wants to know.
///
/// Returns: RS_MORE with `*object` set: feed its children; RS_OK: the walk is complete, commit it;
/// RS_NOT_SHAREABLE or RS_BUSY: it can't succeed, abort it; RS_ERR_MEMORY (abort it);
/// RS_ERR_ARGUMENT (also while the last object is not fed), RS_ERR_CLOSED, RS_ERR_FOREIGN,
/// RS_ERR_THREAD, RS_ERR_FORKED, RS_ERR_POISONED.
/// Threads: the one that began the walk. Blocks: no. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_walk_next(
    vm: *mut rs_vm,
    walk: rs_walk,
    object: *mut rs_value,
) -> rs_status {
    let Some(out) = out_pointer(object) else {
        return RS_ERR_ARGUMENT;
    };
    boundary::call(vm, Caller::Anyone, |vm| {
        vm.pull_next(walk).map(|(status, object)| {
            out.set(object);
            status
        })
    })
}

/// Hands in children of the object that `rs_walk_next` returned, in pieces if there are many; the
/// last piece says so. Values that are not objects are skipped.
///
/// Borrows: `children` for the call; NULL if `count` is 0.
/// Returns: RS_OK; RS_ERR_MEMORY (abort the walk); RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN,
/// RS_ERR_THREAD, RS_ERR_FORKED, RS_ERR_POISONED.
/// Threads: the one that began the walk. Blocks: no. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_walk_feed(
    vm: *mut rs_vm,
    walk: rs_walk,
    children: *const rs_value,
    count: usize,
    last: u32,
) -> rs_status {
    // SAFETY: the caller promises `count` values.
    let Some(children) = (unsafe { boundary::slice(children, count) }) else {
        return RS_ERR_ARGUMENT;
    };
    boundary::call(vm, Caller::Anyone, |vm| {
        vm.pull_feed(walk, children, last != 0)
    })
}

/// Says, instead of feeding children, that the object can't be shared: `RS_SHARE_NO` to
/// `RS_SHARE_BUSY`. A walk to mark leaves it out; any other will not succeed.
///
/// Returns: RS_OK; RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD, RS_ERR_FORKED,
/// RS_ERR_POISONED. Threads: the one that began the walk. Blocks: no. Allocates: no. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_walk_refuse(vm: *mut rs_vm, walk: rs_walk, share: u32) -> rs_status {
    boundary::call(vm, Caller::Anyone, |vm| vm.pull_refuse(walk, share))
}

/// Ends a complete walk and makes its result true.
///
/// Returns: RS_OK; RS_NOT_SHAREABLE if main wrote in the meantime; RS_BUSY if the walk was
/// interrupted; all of these end the walk. RS_ERR_ARGUMENT if it is not complete: it goes on.
/// RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD, RS_ERR_FORKED, RS_ERR_POISONED.
/// Threads: the one that began the walk. Blocks: no. Allocates: no. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_walk_commit(vm: *mut rs_vm, walk: rs_walk) -> rs_status {
    boundary::call(vm, Caller::Anyone, |vm| vm.pull_commit(walk))
}

/// Ends a walk and undoes what it did. After RS_NOT_SHAREABLE the failure is remembered, as
/// `rs_ractor_access` does.
///
/// Returns: RS_OK; RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD, RS_ERR_FORKED,
/// RS_ERR_POISONED. Threads: the one that began the walk. Blocks: no. Allocates: no. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_walk_abort(vm: *mut rs_vm, walk: rs_walk) -> rs_status {
    boundary::call(vm, Caller::Anyone, |vm| vm.pull_abort(walk))
}
