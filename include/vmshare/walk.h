/*
 * walk.h: the pull walk, for hosts that can't be called back during a walk.
 *
 * Generated from src/ffi/walk.rs by cbindgen: change it there, then run `make headers`.
 */

#ifndef VMSHARE_WALK_H
#define VMSHARE_WALK_H

#include <stddef.h>
#include <stdint.h>
#include "vmshare/autoshare.h"

// Do what `rs_autoshare_mark` does.
#define RS_WALK_TO_MARK 1

// Do what `rs_ractor_access` does.
#define RS_WALK_TO_ACCESS 2

// Do what `rs_make_shareable` does, less the calls of `prepare`.
#define RS_WALK_TO_SHARE 3

// A walk that its host drives; an id that is never used twice.
typedef uint64_t rs_walk;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Begins a walk in which the host enumerates children itself: no frame of the library is on the
// stack while it does, so it may run user code, raise or `longjmp`. While it enumerates the children
// of an object, no other thread may write to that object: the library can't make it wait, as
// it does when it reads itself. The host must end the walk by
// `rs_walk_commit` or `rs_walk_abort` in any case, on the same thread. With
// `RS_WALK_WORLD_STOPPED` it keeps its world stopped from this call to that one (`stop_world` is not
// called); with no bit for PENDING nothing may be written meanwhile. Until then other walks
// wait; what runs between the calls must not wait for another ractor, and calls of this thread
// that need a walk return RS_ERR_REENTRANT.
//
// Owns: the caller gets `*walk`. `slot` may be RS_NO_SLOT for `RS_WALK_TO_SHARE`.
// Threads: main to mark; a ractor to access and share. Blocks: while another walk goes on.
// Allocates: yes, also in the later calls. A vm has at most one pull walk at a time.
// Returns: RS_MORE: go on with `rs_walk_next`; RS_OK: nothing is to be walked, the question is
// answered and no walk was made; RS_NOT_SHAREABLE (likewise, no walk); RS_BUSY; RS_ERR_MEMORY,
// RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD, RS_ERR_REENTRANT,
// RS_ERR_FORKED, RS_ERR_POISONED. Since: 0.1
rs_status rs_walk_begin(rs_vm *vm,
                        rs_ractor ractor,
                        uint32_t purpose,
                        rs_slot slot,
                        rs_value root,
                        rs_walk *walk);

// The next object whose children the walk wants to know.
//
// Returns: RS_MORE with `*object` set: feed its children; RS_OK: the walk is complete, commit it;
// RS_NOT_SHAREABLE or RS_BUSY: it can't succeed, abort it; RS_ERR_MEMORY (abort it);
// RS_ERR_ARGUMENT (also while the last object is not fed), RS_ERR_CLOSED, RS_ERR_FOREIGN,
// RS_ERR_THREAD, RS_ERR_FORKED, RS_ERR_POISONED.
// Threads: the one that began the walk. Blocks: no. Since: 0.1
rs_status rs_walk_next(rs_vm *vm, rs_walk walk, rs_value *object);

// Hands in children of the object that `rs_walk_next` returned, in pieces if there are many; the
// last piece says so. Values that are not objects are skipped.
//
// Borrows: `children` for the call; NULL if `count` is 0.
// Returns: RS_OK; RS_ERR_MEMORY (abort the walk); RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN,
// RS_ERR_THREAD, RS_ERR_FORKED, RS_ERR_POISONED.
// Threads: the one that began the walk. Blocks: no. Since: 0.1
rs_status rs_walk_feed(rs_vm *vm,
                       rs_walk walk,
                       const rs_value *children,
                       size_t count,
                       uint32_t last);

// Says, instead of feeding children, that the object can't be shared: `RS_SHARE_NO` to
// `RS_SHARE_BUSY`. A walk to mark leaves it out; any other will not succeed.
//
// Returns: RS_OK; RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD, RS_ERR_FORKED,
// RS_ERR_POISONED. Threads: the one that began the walk. Blocks: no. Allocates: no. Since: 0.1
rs_status rs_walk_refuse(rs_vm *vm, rs_walk walk, uint32_t share);

// Ends a complete walk and makes its result true.
//
// Returns: RS_OK; RS_NOT_SHAREABLE if main wrote in the meantime; RS_BUSY if the walk was
// interrupted; all of these end the walk. RS_ERR_ARGUMENT if it is not complete: it goes on.
// RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD, RS_ERR_FORKED, RS_ERR_POISONED.
// Threads: the one that began the walk. Blocks: no. Allocates: no. Since: 0.1
rs_status rs_walk_commit(rs_vm *vm, rs_walk walk);

// Ends a walk and undoes what it did. After RS_NOT_SHAREABLE the failure is remembered, as
// `rs_ractor_access` does.
//
// Returns: RS_OK; RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD, RS_ERR_FORKED,
// RS_ERR_POISONED. Threads: the one that began the walk. Blocks: no. Allocates: no. Since: 0.1
rs_status rs_walk_abort(rs_vm *vm, rs_walk walk);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* VMSHARE_WALK_H */
