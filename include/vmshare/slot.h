/*
 * slot.h: the named places that ractors share.
 *
 * Generated from src/ffi/slot.rs by cbindgen: change it there, then run `make headers`.
 */

#ifndef VMSHARE_SLOT_H
#define VMSHARE_SLOT_H

#include <stddef.h>
#include <stdint.h>
#include "vmshare/vm.h"

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Registers a named place: a constant, a global variable, a class variable or an instance
// variable of a class. It holds nothing until `rs_autoshare_mark`.
//
// A slot refers to its value weakly: it keeps nothing alive (`rs_gc_sweep`). Its id is never used
// again: a ractor that loads the id and then the value of a place that main is removing gets
// RS_ERR_CLOSED from its access, and looks again.
//
// Borrows: `name` and `owner` for the call (copied, each cut to 127 bytes). `owner` is the
// class of a class variable or class instance variable; NULL for none. Owns: the id, until
// `rs_slot_free`.
// Threads: main. Blocks: no longer than a report is copied. Allocates: yes. Cost: O(1).
// Returns: RS_OK; RS_ERR_ARGUMENT for a NULL or an unknown `kind`; RS_ERR_LIMIT past 2^28 slots at a
// time; RS_ERR_MEMORY, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD, RS_ERR_REENTRANT,
// RS_ERR_FORKED, RS_ERR_POISONED. Since: 0.1
rs_status rs_slot_new(rs_vm *vm,
                      uint32_t kind,
                      const char *name,
                      const char *owner,
                      rs_slot *slot);

// Forgets a slot whose place was removed. Its value keeps its state. An access that is under way
// ends as if it had come before.
//
// Threads: main. Blocks: no longer than a report is copied. Allocates: no.
// Returns: RS_OK; RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD,
// RS_ERR_REENTRANT, RS_ERR_FORKED, RS_ERR_POISONED. Since: 0.1
rs_status rs_slot_free(rs_vm *vm, rs_slot slot);

// The state of a slot's value: `RS_STATE_…`; `RS_STATE_SHAREABLE` for an immediate,
// `RS_STATE_NONE` for a slot that holds nothing.
//
// Threads: any. Blocks: no. Allocates: no.
// Returns: RS_OK; RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_REENTRANT,
// RS_ERR_FORKED. Since: 0.1
rs_status rs_slot_state(rs_vm *vm, rs_slot slot, uint32_t *state);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* VMSHARE_SLOT_H */
