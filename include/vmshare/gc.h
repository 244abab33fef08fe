/*
 * gc.h: what a collector tells the library, and what it must ask.
 *
 * Generated from src/ffi/gc.rs by cbindgen: change it there, then run `make headers`.
 */

#ifndef VMSHARE_GC_H
#define VMSHARE_GC_H

#include <stddef.h>
#include <stdint.h>
#include "vmshare/vm.h"

// Marks a root of the library as alive.
typedef void (*rs_gc_visit_fn)(void *data, rs_value value);

// Whether an object survived: nonzero if so.
typedef uint32_t (*rs_gc_is_alive_fn)(void *data, rs_value object);

// Where an object is now: its new value, or the same.
typedef rs_value (*rs_gc_forward_fn)(void *data, rs_value object);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Visits every object that a walk in flight still needs. Slots are no roots.
//
// Threads: the collector's, while every thread of the host is stopped (at `safepoint`, between
// `blocking_enter` and `blocking_leave`, or outside of the library); also from inside the
// `safepoint` callback. Blocks: no. Allocates: no. Cost: O(objects of walks in flight).
// Returns: RS_OK; RS_ERR_REENTRANT from inside a callback other than `safepoint`, or from inside
// a function that a collector gave; RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_FORKED.
// Since: 0.1
rs_status rs_gc_visit_roots(rs_vm *vm, rs_gc_visit_fn visit, void *data);

// Visits what `rs_gc_visit_roots` does, but for the objects that only peers keep alive: the first of two
// phases, for a collection that makes a summary (`rs_gc_summarise`). A collection that ends here has
// marked too little.
//
// Threads and stops: as `rs_gc_visit_roots`. Blocks: no. Allocates: no. Cost: O(objects of walks in flight).
// Returns: RS_OK; RS_ERR_REENTRANT from inside a callback other than `safepoint`, or from inside
// a function that a collector gave; RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_FORKED.
// Since: 0.1
rs_status rs_gc_visit_own_roots(rs_vm *vm,
                                rs_gc_visit_fn visit,
                                void *data);

// In the middle of a collection that `collect` has asked for (host.h): finds out which objects of peers the
// program itself needs, and which only what peers keep alive; without it, `collect` has failed. In any other
// collection it does nothing. In this order, with the world stopped:
//
// 1. mark from the host's own roots, and from `rs_gc_visit_own_roots`, to the end;
// 2. `rs_gc_summarise`: `is_alive` says of an object whether it is marked by then. Objects outside of the
//    collected heap are, and so is what a weak reference may still give back to the program;
// 3. mark from `rs_gc_visit_roots`, to the end, and go on as always: `rs_gc_sweep`, ...
//
// It reads what is not marked by layouts and `children`: those must name every object that one keeps alive.
//
// Threads and stops: as `rs_gc_visit_roots`. Blocks: no. Allocates: yes, not from the host's heap.
// Cost: O(references of objects that are not marked, and that peers keep alive).
// Returns: RS_OK, also if there was no memory for it: then `collect`'s caller goes without;
// RS_ERR_REENTRANT from inside a callback other than `safepoint`, or from inside a function that a collector
// gave; RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_FORKED. Since: 0.1
rs_status rs_gc_summarise(rs_vm *vm,
                          rs_gc_is_alive_fn is_alive,
                          void *data);

// Forgets dead objects: slots whose value did not survive hold nothing, and what was known about
// dead objects is dropped. Call it after marking, before memory is reused.
//
// Threads and stops: as `rs_gc_visit_roots`. Blocks: no. Allocates: no.
// Cost: O(slots + writes remembered).
// Returns: RS_OK; RS_ERR_REENTRANT from inside a callback other than `safepoint`, or from inside
// a function that a collector gave; RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_FORKED.
// Since: 0.1
rs_status rs_gc_sweep(rs_vm *vm, rs_gc_is_alive_fn is_alive, void *data);

// Objects have moved: asks for the new place of everything that the library refers to, weakly or
// not. Flags in the header move with the object; for a side table call `rs_gc_moved` too.
//
// Threads and stops: as `rs_gc_visit_roots`. Blocks: no. Allocates: no.
// Returns: RS_OK; RS_ERR_REENTRANT from inside a callback other than `safepoint`, or from inside
// a function that a collector gave; RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_FORKED.
// Since: 0.1
rs_status rs_gc_update(rs_vm *vm, rs_gc_forward_fn forward, void *data);

// One object has moved: its byte of the side table goes with it. A host with a side table (or
// with `RS_MARK_ON_ASSIGN`, whose marks stand there until the first ractor) calls it for each
// object that moves, in an order in which no destination is still a source.
//
// Threads and stops: as `rs_gc_visit_roots`. Blocks: no. Allocates: no. Cost: two bytes.
// Returns: RS_OK; RS_ERR_ARGUMENT if a value is not an object; RS_ERR_REENTRANT as above;
// RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_FORKED. Since: 0.1
rs_status rs_gc_moved(rs_vm *vm, rs_value from, rs_value to);

// The memory of an object is about to be reused: clears its byte of the side table. A host
// with a side table (or with `RS_MARK_ON_ASSIGN`) calls it for each object that it frees.
//
// Threads: any, one at a time for one object. Blocks: no. Allocates: no. Cost: one byte.
// Returns: RS_OK; RS_ERR_ARGUMENT if the value is not an object; RS_ERR_REENTRANT as above;
// RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_FORKED. Since: 0.1
rs_status rs_gc_freed(rs_vm *vm, rs_value object);

// For a host that frees without stopping its threads (reference counts): interrupts a walk in
// flight, waits until it holds no reference, and keeps walks from beginning until `rs_gc_end`.
//
// Threads: any. Blocks: until the walk has undone what it did. Allocates: no. Pairs may nest.
// Returns: RS_OK; RS_ERR_REENTRANT (the calling thread is itself in a walk); RS_ERR_ARGUMENT,
// RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_FORKED, RS_ERR_POISONED. Since: 0.1
rs_status rs_gc_begin(rs_vm *vm);

// Ends what `rs_gc_begin` began.
//
// Threads: any. Blocks: no. Allocates: no.
// Returns: RS_OK; RS_ERR_ARGUMENT without `rs_gc_begin`; RS_ERR_CLOSED, RS_ERR_FOREIGN,
// RS_ERR_FORKED, RS_ERR_POISONED. Since: 0.1
rs_status rs_gc_end(rs_vm *vm);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* VMSHARE_GC_H */
