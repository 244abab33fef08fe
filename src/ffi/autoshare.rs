//! autoshare.h: the four calls that make autoshare, and what goes with them.

use super::boundary::{self, Caller, out_pointer};
use crate::host::contract::{rs_ractor, rs_slot, rs_value, rs_vm};
use crate::status::*;

/// Main assigns `value` to a slot: from now on its graph is auto-shareable (A), at once or when the
/// first ractor is made (`rs_host.mark_policy`). Call it before other ractors can see the
/// assignment.
///
/// Marking stops at objects that are A or C already, but always looks at `value` and its children.
/// Objects that can't be shared are left unmarked.
///
/// Threads: main. Blocks: no. Allocates: yes. Cost: O(objects newly marked).
/// Returns: RS_OK; RS_ERR_MEMORY (all marks of this call are undone, the slot keeps its old
/// value); RS_ERR_HOST if `children` broke its contract (likewise); RS_ERR_ARGUMENT,
/// RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD, RS_ERR_REENTRANT, RS_ERR_FORKED,
/// RS_ERR_POISONED. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_autoshare_mark(
    vm: *mut rs_vm,
    slot: rs_slot,
    value: rs_value,
) -> rs_status {
    boundary::call(vm, Caller::Main, |vm| vm.mark(slot, value))
}

/// Asks whether `object` may be written, before every write; call it only if
/// `rs_must_check` of inline.h says so, which answers for ordinary objects with one load and one
/// test. A write by main takes an object from A to B.
///
/// The answer holds until main's next `rs_autoshare_mark`, explicit share, or run of user code. The
/// call reaches no safepoint: addresses that the caller holds stay true. Of the host's callbacks it
/// calls only `on_unmark`, `site`, `describe`, `label` and `warn`.
///
/// Threads: any ractor, the one named by `ractor`. Blocks: main may wait until a walk has read one
/// piece of this very object, if its elements are indirect. Allocates: no.
/// Returns: RS_OK; RS_FROZEN (`rs_last_report` says by whom; also for immediates); RS_NOT_OWNER
/// for an object of main's that another ractor wants to write; RS_ERR_ARGUMENT, RS_ERR_CLOSED,
/// RS_ERR_FOREIGN, RS_ERR_THREAD, RS_ERR_REENTRANT, RS_ERR_FORKED, RS_ERR_POISONED. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_check_frozen(
    vm: *mut rs_vm,
    ractor: rs_ractor,
    object: rs_value,
) -> rs_status {
    boundary::call(vm, Caller::Ractor(ractor), |vm| {
        vm.check_frozen(ractor, object)
    })
}

/// Asks whether `ractor` may use `value`, which it has just read from `slot`; call it unless
/// `rs_is_shareable` of inline.h says yes, which costs one load. An access to an A graph makes all
/// of it shareable (C) or, if something in it can't be, nothing.
///
/// Main may always read: RS_OK, with no transition.
///
/// Threads: any ractor, the one named by `ractor`. Blocks: while another ractor's walk goes on,
/// between `blocking_enter` and `blocking_leave`. Allocates: 8 bytes for each object of the
/// graph, until it returns. Cost: O(graph), once: afterwards O(1), also for a failure.
/// Returns: RS_OK; RS_NOT_SHAREABLE (`rs_last_report` says why); RS_BUSY if collections or changes of
/// representation kept interrupting; RS_ERR_MEMORY, RS_ERR_HOST (nothing has changed);
/// RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD, RS_ERR_REENTRANT,
/// RS_ERR_FORKED, RS_ERR_POISONED. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_ractor_access(
    vm: *mut rs_vm,
    ractor: rs_ractor,
    slot: rs_slot,
    value: rs_value,
) -> rs_status {
    boundary::call(vm, Caller::Ractor(ractor), |vm| {
        vm.access(ractor, slot, value)
    })
}

/// Makes `value` and all that it refers to shareable, at its owner's request: prepares what needs
/// it, then shares all or nothing.
///
/// Threads: the ractor that owns the graph. Blocks: while a walk goes on. Allocates: 8 bytes for
/// each object, until it returns. Cost: O(graph).
/// Returns: RS_OK; RS_NOT_SHAREABLE (`rs_last_report` says why); RS_BUSY if what was prepared needed
/// it again three times, or another thread of the ractor wrote meanwhile; what `prepare` returned,
/// RS_MORE if it was that for any object;
/// RS_ERR_MEMORY, RS_ERR_HOST, RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD,
/// RS_ERR_REENTRANT, RS_ERR_FORKED, RS_ERR_POISONED. Whatever fails: no flag has changed.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_make_shareable(
    vm: *mut rs_vm,
    ractor: rs_ractor,
    value: rs_value,
) -> rs_status {
    boundary::call(vm, Caller::Ractor(ractor), |vm| {
        vm.make_shareable(ractor, value)
    })
}

/// The program freezes one object (not what it refers to). An object in state A stays in it.
///
/// Threads: the ractor that owns the object. Blocks: no. Allocates: no. Cost: one atomic
/// instruction.
/// Returns: RS_OK, also if it is frozen already; RS_NOT_OWNER; RS_ERR_ARGUMENT, RS_ERR_CLOSED,
/// RS_ERR_FOREIGN, RS_ERR_THREAD, RS_ERR_REENTRANT, RS_ERR_FORKED, RS_ERR_POISONED. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_freeze(
    vm: *mut rs_vm,
    ractor: rs_ractor,
    object: rs_value,
) -> rs_status {
    boundary::call(vm, Caller::Ractor(ractor), |vm| vm.freeze(ractor, object))
}

/// Whether `value` is shareable now: 1 or 0. No transition; an object in state A is not.
///
/// Threads: any; inside callbacks too. Blocks: no. Allocates: no.
/// Returns: 1, 0, or RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_FORKED. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_shareable_p(vm: *mut rs_vm, value: rs_value) -> rs_status {
    boundary::ask(vm, |vm| vm.is_shareable(value))
}

/// Whether `value` is frozen now: 1 or 0. No transition; an object in state A is not, unless its
/// program froze it.
///
/// Threads: any; inside callbacks too. Blocks: no. Allocates: no.
/// Returns: 1, 0, or RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_FORKED. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_frozen_p(vm: *mut rs_vm, value: rs_value) -> rs_status {
    boundary::ask(vm, |vm| vm.is_frozen(value))
}

/// The state of an object: `RS_STATE_…`. No transition.
///
/// Threads: any; inside callbacks too. Blocks: no. Allocates: no.
/// Returns: RS_OK; RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_FORKED. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_object_state(
    vm: *mut rs_vm,
    value: rs_value,
    state: *mut u32,
) -> rs_status {
    let Some(out) = out_pointer(state) else {
        return RS_ERR_ARGUMENT;
    };
    boundary::query(vm, |vm| {
        out.set(vm.object_state(value));
        Ok(())
    })
}

/// Before main changes how an object lies in memory without changing what it means (its elements
/// move, its buffer becomes shared): waits for, and restarts, a walk that reads it. No transition.
/// Pairs with `rs_after_change`; pairs may nest. No walk of another ractor reads the objects of a
/// ractor besides main, so for one of those nothing needs to be done, and nothing is.
///
/// Threads: the ractor that owns the object. Blocks: until a walk has read one piece of this very object. Allocates: no.
/// Returns: RS_OK; RS_FROZEN if the object is shareable: other ractors may be reading it, and
/// nothing is bracketed; RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD,
/// RS_ERR_REENTRANT, RS_ERR_FORKED, RS_ERR_POISONED. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_before_change(
    vm: *mut rs_vm,
    ractor: rs_ractor,
    object: rs_value,
) -> rs_status {
    boundary::call(vm, Caller::Ractor(ractor), |vm| {
        vm.before_change(ractor, object)
    })
}

/// Ends what `rs_before_change` began.
///
/// Threads: the ractor that owns the object. Blocks: no. Allocates: no.
/// Returns: RS_OK; RS_ERR_ARGUMENT without `rs_before_change`; RS_ERR_CLOSED, RS_ERR_FOREIGN,
/// RS_ERR_THREAD, RS_ERR_REENTRANT, RS_ERR_FORKED, RS_ERR_POISONED. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_after_change(
    vm: *mut rs_vm,
    ractor: rs_ractor,
    object: rs_value,
) -> rs_status {
    boundary::call(vm, Caller::Ractor(ractor), |vm| {
        vm.after_change(ractor, object)
    })
}
