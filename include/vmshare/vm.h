/*
 * vm.h: one embedding VM and its ractors; fork; statistics.
 *
 * Generated from src/ffi/vm.rs by cbindgen: change it there, then run `make headers`.
 */

#ifndef VMSHARE_VM_H
#define VMSHARE_VM_H

#include <stddef.h>
#include <stdint.h>
#include "vmshare/host.h"

// Counts since the vm was made.
typedef struct rs_statistics {
    // `sizeof(rs_statistics)` as the caller was compiled; set by the caller.
    uint32_t size;
    // Padding; 0.
    uint32_t reserved;
    // Calls of `rs_autoshare_mark` and marks at the first ractor, one for each slot.
    uint64_t marks;
    // Objects that were marked, by those.
    uint64_t objects_marked;
    // Objects that went from A to B because main wrote to them.
    uint64_t objects_written;
    // Objects that went from A to B because they lie on the path to a blocker.
    uint64_t objects_demoted;
    // Accesses that were not answered by a flag alone.
    uint64_t accesses;
    // Walks that began, restarts included.
    uint64_t walks;
    // Graphs that became shareable.
    uint64_t graphs_shared;
    // Objects that became shareable.
    uint64_t objects_shared;
    // Walks that failed because of what they met.
    uint64_t walks_blocked;
    // Walks that failed because main wrote to what they had claimed.
    uint64_t walks_lost;
    // Walks that began anew for another reason: collections, changes of representation.
    uint64_t walks_restarted;
    // Times that main waited for a piece of a walk.
    uint64_t main_waits;
    // Most bytes of memory that walks have held at a time.
    uint64_t walk_memory_peak;
} rs_statistics;

// Where the bytes of the side table are, for the side-table tests of inline.h.
typedef struct rs_side_table {
    // The byte of an object at address `a` is `bytes[a >> granule]`; the pointer is offset so
    // that this holds, and is not itself valid.
    uint8_t *bytes;
    // log2 of the granule.
    uint32_t granule;
    // The lowest address that has a byte.
    size_t heap_start;
    // Bytes of address space that have bytes in the table.
    size_t heap_size;
} rs_side_table;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Makes a vm from what the host says of itself. The calling thread runs the main ractor.
//
// Owns: the caller gets `*vm`, to end with `rs_vm_free`. Borrows: `host` for the call (it is
// copied); `host->layouts` and `host->ctx` as long as the vm.
// Threads: any. Blocks: no. Allocates: yes.
// Returns: RS_OK; RS_ERR_ARGUMENT for a NULL or a contract that contradicts itself; RS_ERR_ABI for
// another `abi` or a `size` that can't be; RS_ERR_MEMORY; RS_ERR_UNSUPPORTED if there is not
// enough address space for the side table. Then `*vm` is NULL. Since: 0.1
rs_status rs_vm_new(const rs_host *host, rs_vm **vm, rs_ractor *main_ractor);

// Ends a vm: forgets all ractors and slots, and releases its memory. Objects keep the flags that
// they have. Later calls with this vm return RS_ERR_CLOSED (48 bytes stay behind for that).
//
// Threads: one, with no other call on this vm under way. Blocks: no. Allocates: no.
// Returns: RS_OK; RS_BUSY while a walk is under way; RS_ERR_ARGUMENT, RS_ERR_CLOSED,
// RS_ERR_FOREIGN, RS_ERR_REENTRANT, RS_ERR_FORKED. Since: 0.1
rs_status rs_vm_free(rs_vm *vm);

// Registers one more ractor. With `RS_MARK_ON_FIRST_RACTOR`, the first one besides main marks the
// graphs of all slots; call it before the ractor's thread starts.
//
// Borrows: `name` (NULL for none) for the call; cut to 31 bytes. Owns: the id, until
// `rs_ractor_free`.
// Threads: any ractor; the first call: main. Blocks: no. Allocates: yes. Cost: the first one
// walks all slots' graphs.
// Returns: RS_OK; RS_ERR_MEMORY (no mark is left, no ractor made); RS_ERR_LIMIT past 2^28
// ractors at a time; RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD,
// RS_ERR_REENTRANT, RS_ERR_FORKED, RS_ERR_POISONED, RS_ERR_HOST. Since: 0.1
rs_status rs_ractor_new(rs_vm *vm, const char *name, rs_ractor *ractor);

// Forgets a ractor whose program has ended. Its id is never used again.
//
// Threads: any, with no call for this ractor under way. Blocks: no. Allocates: no.
// Returns: RS_OK; RS_ERR_ARGUMENT for the main ractor; RS_ERR_CLOSED, RS_ERR_FOREIGN,
// RS_ERR_REENTRANT, RS_ERR_FORKED, RS_ERR_POISONED. Since: 0.1
rs_status rs_ractor_free(rs_vm *vm, rs_ractor ractor);

// Call before `fork`: brings a walk of another thread to rest at the next object and holds it,
// and all locks, until `rs_after_fork_parent`.
//
// Threads: any. Blocks: for one piece of a walk. Allocates: no.
// Returns: RS_OK; RS_BUSY if the same was called before and not ended; RS_ERR_ARGUMENT,
// RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_REENTRANT (the calling thread is itself in a walk),
// RS_ERR_FORKED. Since: 0.1
rs_status rs_before_fork(rs_vm *vm);

// Call in the parent after `fork` (also if it failed): lets go on what `rs_before_fork` held.
//
// Threads: the one that called `rs_before_fork`. Blocks: no. Allocates: no.
// Returns: RS_OK; RS_ERR_ARGUMENT without `rs_before_fork`; RS_ERR_CLOSED, RS_ERR_FOREIGN,
// RS_ERR_FORKED. Since: 0.1
rs_status rs_after_fork_parent(rs_vm *vm);

// Call in the child after `fork`, before any other function of the library: undoes a walk whose
// thread is gone, closes all ractors but main and the one that forked, which becomes main, and
// switches `RS_OPTION_VERIFY` off.
//
// Threads: the child's only one. Blocks: no. Allocates: no. Cost: what the walk had claimed.
// Returns: RS_OK; RS_ERR_ARGUMENT without `rs_before_fork`; RS_ERR_CLOSED, RS_ERR_FOREIGN.
// Since: 0.1
rs_status rs_after_fork_child(rs_vm *vm);

// Counts of what happened on this vm since it was made.
//
// Borrows: `statistics` for the call; its `size` says how much of it is filled in.
// Threads: any; the numbers are each true at some moment of the call. Blocks: no. Allocates: no.
// Returns: RS_OK; RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_FORKED. Since: 0.1
rs_status rs_vm_statistics(rs_vm *vm, struct rs_statistics *statistics);

// Where the bytes of the side table are, for the inline check.
//
// Borrows: the table lives as long as the vm. Threads: any. Blocks: no. Allocates: no.
// Returns: RS_OK; RS_ERR_UNSUPPORTED if the flags are in the header only; RS_ERR_ARGUMENT,
// RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_FORKED. Since: 0.1
rs_status rs_vm_side_table(rs_vm *vm, struct rs_side_table *table);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* VMSHARE_VM_H */
