//! report.h: why, and what it looks like.

use super::boundary::{self, Caller, out_pointer};
use crate::host::contract::{rs_ractor, rs_slot, rs_value, rs_vm};
use crate::host::report::rs_report;
use crate::status::*;
use core::ffi::{c_char, c_void};

/// A drawing for people: one line for each object, with its flags.
pub const RS_DRAW_TEXT: u32 = 0;
/// A drawing for Graphviz.
pub const RS_DRAW_DOT: u32 = 1;

/// Takes the next part of a drawing: `size` bytes, not ended by a NUL. Returns 0 to go on, anything
/// else to stop.
#[allow(non_camel_case_types)]
pub type rs_write_fn =
    Option<unsafe extern "C" fn(data: *mut c_void, text: *const c_char, size: usize) -> i32>;

/// What the last call of `ractor` that returned RS_FROZEN, RS_NOT_SHAREABLE, RS_NOT_OWNER, RS_BUSY
/// or RS_UNANNOUNCED found. (`rs_explain` fills in a report of its own.)
///
/// Owns: the report is a copy in the caller's memory; its `size` says how much is filled in.
/// Threads: the ractor's. Blocks: no. Allocates: no.
/// Returns: RS_OK, with `cause` RS_CAUSE_NONE if there was no such call; RS_ERR_ARGUMENT,
/// RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD, RS_ERR_REENTRANT, RS_ERR_FORKED. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_last_report(
    vm: *mut rs_vm,
    ractor: rs_ractor,
    report: *mut rs_report,
) -> rs_status {
    let Some(out) = out_pointer(report) else {
        return RS_ERR_ARGUMENT;
    };
    boundary::call_unlocked(vm, Caller::Ractor(ractor), |vm| {
        // SAFETY: the caller promises `size` bytes.
        vm.with_last_report(ractor, |last| unsafe { out.fill_sized(last) })
    })
}

/// Why `value`, under `slot` (or RS_NO_SLOT), could not be accessed by another ractor: a dry run by
/// the owner, which changes nothing.
///
/// Threads: the ractor that owns the graph. Blocks: no. Allocates: some 40 bytes for each
/// object, until it returns. Cost: O(graph).
/// Returns: RS_OK if it is or would become shareable; RS_NOT_SHAREABLE with `report` saying why;
/// RS_ERR_MEMORY, RS_ERR_HOST, RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD,
/// RS_ERR_REENTRANT, RS_ERR_FORKED, RS_ERR_POISONED. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_explain(
    vm: *mut rs_vm,
    ractor: rs_ractor,
    slot: rs_slot,
    value: rs_value,
    report: *mut rs_report,
) -> rs_status {
    let Some(out) = out_pointer(report) else {
        return RS_ERR_ARGUMENT;
    };
    boundary::call(vm, Caller::Ractor(ractor), |vm| {
        vm.explain(ractor, slot, value, |status, found| {
            // SAFETY: the caller promises `size` bytes.
            unsafe { out.fill_sized(found) }.map(|()| status)
        })
    })
}

/// Draws the graph of `value` with the state of each object: A, AF (A, and frozen by its program), B
/// (ordinary), C, F (frozen by its program), and a mark at what would block an access.
///
/// Borrows: `write` and `data` for the call. Threads: the ractor that owns the graph.
/// Blocks: no. Allocates: some 40 bytes for each object, until it returns. Cost: O(graph).
/// Returns: RS_OK, also if `write` stopped it; RS_ERR_ARGUMENT for an unknown `format`;
/// RS_ERR_MEMORY, RS_ERR_HOST, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD,
/// RS_ERR_REENTRANT, RS_ERR_FORKED, RS_ERR_POISONED. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_draw(
    vm: *mut rs_vm,
    ractor: rs_ractor,
    value: rs_value,
    format: u32,
    write: rs_write_fn,
    data: *mut c_void,
) -> rs_status {
    let Some(write) = write else {
        return RS_ERR_ARGUMENT;
    };
    boundary::call(vm, Caller::Ractor(ractor), |vm| {
        vm.draw(ractor, value, format, &mut |text: &[u8]| {
            // SAFETY: the caller's function with the caller's data.
            unsafe { write(data, text.as_ptr().cast(), text.len()) == 0 }
        })
    })
}
