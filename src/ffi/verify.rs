//! verify.h: the verifier, a debug mode in which a host runs its own tests.

use super::boundary::{self, Caller, out_pointer};
use crate::host::contract::{rs_ractor, rs_vm};
use crate::host::report::rs_report;
use crate::status::*;

/// With `RS_OPTION_VERIFY`: compares every object that is in state A with what it held when it was
/// marked, and reports the first that changed although no `rs_check_frozen` announced it; what was
/// reported is not reported again. Accesses compare too, and tell `warn`.
///
/// Owns: the report is a copy in the caller's memory. Threads: main. Blocks: while an access
/// compares. Allocates: yes. Cost: O(objects in state A).
/// Returns: RS_OK; RS_UNANNOUNCED with `report` naming the object; RS_ERR_UNSUPPORTED without the
/// option; RS_ERR_MEMORY; RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD, RS_ERR_REENTRANT,
/// RS_ERR_FORKED, RS_ERR_POISONED. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_verify(
    vm: *mut rs_vm,
    ractor: rs_ractor,
    report: *mut rs_report,
) -> rs_status {
    let Some(out) = out_pointer(report) else {
        return RS_ERR_ARGUMENT;
    };
    boundary::call(vm, Caller::Ractor(ractor), |vm| {
        vm.verify(ractor, |status, found| {
            // SAFETY: the caller promises `size` bytes.
            unsafe { out.fill_sized(found) }.map(|()| status)
        })
    })
}
