//! vm.h: one embedding VM and its ractors; fork; statistics.

use super::boundary::{self, Caller, out_pointer};
use crate::autoshare::statistics::rs_statistics;
use crate::host::contract::{rs_host, rs_ractor, rs_vm};
use crate::status::*;
use core::ffi::c_char;

/// Where the bytes of the side table are, for the side-table tests of inline.h.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(non_camel_case_types)]
pub struct rs_side_table {
    /// The byte of an object at address `a` is `bytes[a >> granule]`; the pointer is offset so
    /// that this holds, and is not itself valid.
    pub bytes: *mut u8,
    /// log2 of the granule.
    pub granule: u32,
    /// The lowest address that has a byte.
    pub heap_start: usize,
    /// Bytes of address space that have bytes in the table.
    pub heap_size: usize,
}

/// Makes a vm from what the host says of itself. The calling thread runs the main ractor.
///
/// Owns: the caller gets `*vm`, to end with `rs_vm_free`. Borrows: `host` for the call (it is
/// copied); `host->layouts` and `host->ctx` as long as the vm.
/// Threads: any. Blocks: no. Allocates: yes.
/// Returns: RS_OK; RS_ERR_ARGUMENT for a NULL or a contract that contradicts itself; RS_ERR_ABI for
/// another `abi` or a `size` that can't be; RS_ERR_MEMORY; RS_ERR_UNSUPPORTED if there is not
/// enough address space for the side table. Then `*vm` is NULL. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_vm_new(
    host: *const rs_host,
    vm: *mut *mut rs_vm,
    main_ractor: *mut rs_ractor,
) -> rs_status {
    // SAFETY: the caller's pointers are NULL or valid.
    unsafe { boundary::open(host, vm, main_ractor) }
}

/// Ends a vm: forgets all ractors and slots, and releases its memory. Objects keep the flags that
/// they have. Later calls with this vm return RS_ERR_CLOSED (48 bytes stay behind for that).
///
/// Threads: one, with no other call on this vm under way. Blocks: no. Allocates: no.
/// Returns: RS_OK; RS_BUSY while a walk is under way; RS_ERR_ARGUMENT, RS_ERR_CLOSED,
/// RS_ERR_FOREIGN, RS_ERR_REENTRANT, RS_ERR_FORKED. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_vm_free(vm: *mut rs_vm) -> rs_status {
    boundary::close(vm)
}

/// Registers one more ractor. With `RS_MARK_ON_FIRST_RACTOR`, the first one besides main marks the
/// graphs of all slots; call it before the ractor's thread starts.
///
/// Borrows: `name` (NULL for none) for the call; cut to 31 bytes. Owns: the id, until
/// `rs_ractor_free`.
/// Threads: any ractor; the first call: main. Blocks: no. Allocates: yes. Cost: the first one
/// walks all slots' graphs.
/// Returns: RS_OK; RS_ERR_MEMORY (no mark is left, no ractor made); RS_ERR_LIMIT past 2^28
/// ractors at a time; RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD,
/// RS_ERR_REENTRANT, RS_ERR_FORKED, RS_ERR_POISONED, RS_ERR_HOST. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_ractor_new(
    vm: *mut rs_vm,
    name: *const c_char,
    ractor: *mut rs_ractor,
) -> rs_status {
    let Some(out) = out_pointer(ractor) else {
        return RS_ERR_ARGUMENT;
    };
    // SAFETY: NULL or a C string, as the caller promises.
    let name = unsafe { boundary::text(name) };
    boundary::call(vm, Caller::Anyone, |vm| {
        vm.new_ractor(name).map(|id| out.set(id))
    })
}

/// Forgets a ractor whose program has ended. Its id is never used again.
///
/// Threads: any, with no call for this ractor under way. Blocks: no. Allocates: no.
/// Returns: RS_OK; RS_ERR_ARGUMENT for the main ractor; RS_ERR_CLOSED, RS_ERR_FOREIGN,
/// RS_ERR_REENTRANT, RS_ERR_FORKED, RS_ERR_POISONED. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_ractor_free(vm: *mut rs_vm, ractor: rs_ractor) -> rs_status {
    boundary::call(vm, Caller::Anyone, |vm| vm.free_ractor(ractor))
}

/// Call before `fork`: brings a walk of another thread to rest at the next object and holds it,
/// and all locks, until `rs_after_fork_parent`.
///
/// Threads: any. Blocks: for one piece of a walk. Allocates: no.
/// Returns: RS_OK; RS_BUSY if the same was called before and not ended; RS_ERR_ARGUMENT,
/// RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_REENTRANT (the calling thread is itself in a walk),
/// RS_ERR_FORKED. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_before_fork(vm: *mut rs_vm) -> rs_status {
    boundary::call(vm, Caller::Anyone, |vm| vm.before_fork())
}

/// Call in the parent after `fork` (also if it failed): lets go on what `rs_before_fork` held.
///
/// Threads: the one that called `rs_before_fork`. Blocks: no. Allocates: no.
/// Returns: RS_OK; RS_ERR_ARGUMENT without `rs_before_fork`; RS_ERR_CLOSED, RS_ERR_FOREIGN,
/// RS_ERR_FORKED. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_after_fork_parent(vm: *mut rs_vm) -> rs_status {
    boundary::call(vm, Caller::Anyone, |vm| vm.after_fork_parent())
}

/// Call in the child after `fork`, before any other function of the library: undoes a walk whose
/// thread is gone, closes all ractors but main and the one that forked, which becomes main, and
/// switches `RS_OPTION_VERIFY` off.
///
/// Threads: the child's only one. Blocks: no. Allocates: no. Cost: what the walk had claimed.
/// Returns: RS_OK; RS_ERR_ARGUMENT without `rs_before_fork`; RS_ERR_CLOSED, RS_ERR_FOREIGN.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_after_fork_child(vm: *mut rs_vm) -> rs_status {
    boundary::call_in_forked_child(vm, |vm| vm.after_fork_child())
}

/// Counts of what happened on this vm since it was made.
///
/// Borrows: `statistics` for the call; its `size` says how much of it is filled in.
/// Threads: any; the numbers are each true at some moment of the call. Blocks: no. Allocates: no.
/// Returns: RS_OK; RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_FORKED. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_vm_statistics(
    vm: *mut rs_vm,
    statistics: *mut rs_statistics,
) -> rs_status {
    let Some(out) = out_pointer(statistics) else {
        return RS_ERR_ARGUMENT;
    };
    boundary::query(vm, |vm| {
        // SAFETY: the caller promises `size` bytes.
        unsafe { out.fill_sized(&vm.statistics()) }
    })
}

/// Where the bytes of the side table are, for the inline check.
///
/// Borrows: the table lives as long as the vm. Threads: any. Blocks: no. Allocates: no.
/// Returns: RS_OK; RS_ERR_UNSUPPORTED if the flags are in the header only; RS_ERR_ARGUMENT,
/// RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_FORKED. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_vm_side_table(vm: *mut rs_vm, table: *mut rs_side_table) -> rs_status {
    let Some(out) = out_pointer(table) else {
        return RS_ERR_ARGUMENT;
    };
    boundary::query(vm, |vm| {
        let table = vm.side_table().ok_or(RS_ERR_UNSUPPORTED)?;
        out.set(rs_side_table {
            bytes: table.biased_base(),
            granule: table.granule(),
            heap_start: table.start(),
            heap_size: table.size(),
        });
        Ok(())
    })
}
