/*
 * verify.h: the verifier, a debug mode in which a host runs its own tests.
 *
 * Generated from src/ffi/verify.rs by cbindgen: change it there, then run `make headers`.
 */

#ifndef VMSHARE_VERIFY_H
#define VMSHARE_VERIFY_H

#include <stddef.h>
#include <stdint.h>
#include "vmshare/vm.h"

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// With `RS_OPTION_VERIFY`: compares every object that is in state A with what it held when it was
// marked, and reports the first that changed although no `rs_check_frozen` announced it; what was
// reported is not reported again. Accesses compare too, and tell `warn`.
//
// Owns: the report is a copy in the caller's memory. Threads: main. Blocks: while an access
// compares. Allocates: yes. Cost: O(objects in state A).
// Returns: RS_OK; RS_UNANNOUNCED with `report` naming the object; RS_ERR_UNSUPPORTED without the
// option; RS_ERR_MEMORY; RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD, RS_ERR_REENTRANT,
// RS_ERR_FORKED, RS_ERR_POISONED. Since: 0.1
rs_status rs_verify(rs_vm *vm,
                    rs_ractor ractor,
                    rs_report *report);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* VMSHARE_VERIFY_H */
