//! slot.h: the named places that ractors share.

use super::boundary::{self, Caller, out_pointer};
use crate::host::contract::{rs_slot, rs_vm};
use crate::status::*;
use core::ffi::c_char;

/// Registers a named place: a constant, a global variable, a class variable or an instance
/// variable of a class. It holds nothing until `rs_autoshare_mark`.
///
/// A slot refers to its value weakly: it keeps nothing alive (`rs_gc_sweep`). Its id is never used
/// again: a ractor that loads the id and then the value of a place that main is removing gets
/// RS_ERR_CLOSED from its access, and looks again.
///
/// Borrows: `name` and `owner` for the call (copied, each cut to 127 bytes). `owner` is the
/// class of a class variable or class instance variable; NULL for none. Owns: the id, until
/// `rs_slot_free`.
/// Threads: main. Blocks: no longer than a report is copied. Allocates: yes. Cost: O(1).
/// Returns: RS_OK; RS_ERR_ARGUMENT for a NULL or an unknown `kind`; RS_ERR_LIMIT past 2^28 slots at a
/// time; RS_ERR_MEMORY, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD, RS_ERR_REENTRANT,
/// RS_ERR_FORKED, RS_ERR_POISONED. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_slot_new(
    vm: *mut rs_vm,
    kind: u32,
    name: *const c_char,
    owner: *const c_char,
    slot: *mut rs_slot,
) -> rs_status {
    let Some(out) = out_pointer(slot) else {
        return RS_ERR_ARGUMENT;
    };
    // SAFETY: NULL or C strings, as the caller promises.
    let (name, owner) = unsafe { (boundary::text(name), boundary::text(owner)) };
    boundary::call(vm, Caller::Main, |vm| {
        let name = name.ok_or(RS_ERR_ARGUMENT)?;
        vm.new_slot(kind, name, owner).map(|id| out.set(id))
    })
}

/// Forgets a slot whose place was removed. Its value keeps its state. An access that is under way
/// ends as if it had come before.
///
/// Threads: main. Blocks: no longer than a report is copied. Allocates: no.
/// Returns: RS_OK; RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD,
/// RS_ERR_REENTRANT, RS_ERR_FORKED, RS_ERR_POISONED. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_slot_free(vm: *mut rs_vm, slot: rs_slot) -> rs_status {
    boundary::call(vm, Caller::Main, |vm| vm.free_slot(slot))
}

/// The state of a slot's value: `RS_STATE_…`; `RS_STATE_SHAREABLE` for an immediate,
/// `RS_STATE_NONE` for a slot that holds nothing.
///
/// Threads: any. Blocks: no. Allocates: no.
/// Returns: RS_OK; RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_REENTRANT,
/// RS_ERR_FORKED. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_slot_state(
    vm: *mut rs_vm,
    slot: rs_slot,
    state: *mut u32,
) -> rs_status {
    let Some(out) = out_pointer(state) else {
        return RS_ERR_ARGUMENT;
    };
    boundary::call_unlocked(vm, Caller::Anyone, |vm| {
        vm.slot_state(slot).map(|state| out.set(state))
    })
}
