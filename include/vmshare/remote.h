/*
 * remote.h: objects of another process, which stay there and are worked on by asking.
 *
 * What a process lets its peer see (link.h), it pins against its collector; the other holds an object of
 * its own that stands for it, made by `make_remote`. An operation on that object is carried out by the
 * owner, in `operate`, when it serves the link: from its event loop, or while it waits for an answer
 * itself. A value that goes along is copied if it is a number, a symbol, or anything else that can't
 * change (`RS_ITEM_BY_VALUE`); otherwise the owner gets a reference to it. A reference that comes home is
 * the object itself.
 *
 * All functions here are called by the thread of the link's ractor.
 * Failures that every request may return, besides those it lists: RS_ERR_DEAD (the peer is gone: the
 * text of rs_link_error says whether the operation was carried out, was not, or may have been),
 * RS_ERR_PEER (it broke the protocol: the link is closed), RS_ERR_TIMEOUT, RS_CANCELLED, RS_RAISED
 * (its host raised an error), RS_ERR_DENIED, RS_ERR_STALE (the reference was revoked),
 * RS_ERR_DEADLOCK (three processes or more wait for each other in a circle),
 * RS_ERR_UNSUPPORTED (its `operate` knows no such operation for such a target), RS_ERR_CLOSED.
 *
 * Generated from src/ffi/remote.rs by cbindgen: change it there, then run `make headers`.
 */

#ifndef VMSHARE_REMOTE_H
#define VMSHARE_REMOTE_H

#include <stddef.h>
#include <stdint.h>
#include "vmshare/graph.h"
#include "vmshare/link.h"

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Has the peer carry out an operation, and waits for the result. `remote` is the target, or RS_NO_REMOTE for
// operations by name. inline.h has a function for each operation (`rs_remote_get`, …).
//
// While it waits, what the peer asks for is carried out, since that may be what it waits for too.
//
// Owns: `*result` is the caller's to keep alive; borrows `operation` for the call.
// Threads: the link's. Blocks: until the answer, the timeout of the link, the peer's end, or
// `is_cancelled`. Allocates: yes.
// Returns: RS_OK; RS_RAISED, RS_CANCELLED, RS_ERR_DEAD, RS_ERR_TIMEOUT, RS_ERR_PEER, RS_ERR_DENIED,
// RS_ERR_STALE, RS_ERR_LIMIT, RS_ERR_HOST, RS_ERR_MEMORY, RS_ERR_ARGUMENT, RS_ERR_CLOSED,
// RS_ERR_FOREIGN, RS_ERR_THREAD, RS_ERR_REENTRANT, RS_ERR_FORKED, RS_ERR_POISONED. Since: 0.1
rs_status rs_remote_request(rs_vm *vm,
                            rs_link link,
                            rs_remote remote,
                            const rs_operation *operation,
                            rs_value *result);

// Asks the peer to carry out an operation, and does not wait. Requests that were begun one after the other
// are carried out in that order, and cost one round trip together.
//
// Owns: the caller gets `*request`, which rs_remote_finish or rs_remote_forget ends. Threads: the link's.
// Blocks: no. Allocates: yes. At most 65,536 requests of a link may be open.
// Returns: RS_OK; RS_ERR_DEAD, RS_ERR_PEER, RS_ERR_STALE, RS_ERR_LIMIT, RS_ERR_HOST, RS_ERR_MEMORY,
// RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD, RS_ERR_REENTRANT, RS_ERR_FORKED,
// RS_ERR_POISONED. Since: 0.1
rs_status rs_remote_begin(rs_vm *vm,
                          rs_link link,
                          rs_remote remote,
                          const rs_operation *operation,
                          uint64_t *request);

// The result of a request that was begun. `waits`: nonzero to wait for it.
//
// Owns: `*result` is the caller's to keep alive. Threads: the link's. Blocks: if it waits, as
// `rs_remote_request`. Allocates: yes.
// Returns: RS_MORE: it is not there yet, and the request stays open (also after RS_CANCELLED it is at
// its end, and the late answer is dropped); else what `rs_remote_request` returns. Since: 0.1
rs_status rs_remote_finish(rs_vm *vm,
                           rs_link link,
                           uint64_t request,
                           uint32_t waits,
                           rs_value *result);

// Nobody wants the result of a request that was begun: it is carried out all the same.
//
// Threads: the link's. Blocks: no. Allocates: no.
// Returns: RS_OK; RS_ERR_ARGUMENT (no such request), RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD,
// RS_ERR_REENTRANT, RS_ERR_FORKED, RS_ERR_POISONED. Since: 0.1
rs_status rs_remote_forget(rs_vm *vm, rs_link link, uint64_t request);

// Has the peer carry out many operations, one after the other in this order, by one message each way; a batch of
// 64 small ones takes little longer than one. Each succeeds or fails for itself, and one that fails stops
// none of those behind it.
//
// The owner begins nothing else between them, unless its `operate` itself waits for another process: so to the
// owner's own program, and to other peers, the batch is one step.
//
// `timeout`: most nanoseconds for the whole batch; 0: as many as the link says. `count`: at most 65,536.
// Owns: the results are the caller's to keep alive; borrows what the operations point to for the call.
// Threads: the link's. Blocks: as `rs_remote_request`. Allocates: yes.
// Returns: RS_OK: each entry has its status, and `rs_link_error` tells of the first that has raised an
// error; RS_ERR_LIMIT (too many, or the answer is too long for the link), and what `rs_remote_request`
// returns; each entry's status is that then, whether it was carried out or not. Since: 0.1
rs_status rs_remote_batch(rs_vm *vm,
                          rs_link link,
                          rs_batch_entry *entries,
                          size_t count,
                          uint64_t timeout);

// Reads an element of what a reference leads to, an element of that, and so on, in one request: `steps` are
// numbers of elements as `rs_remote_get` takes them.
//
// Owns: `*value` is the caller's to keep alive; borrows `steps` for the call. Threads: the link's.
// Blocks: as `rs_remote_request`. Allocates: yes. Returns: what that returns. Since: 0.1
rs_status rs_remote_path(rs_vm *vm,
                         rs_remote remote,
                         const uint64_t *steps,
                         size_t count,
                         rs_value *value);

// Makes an ordinary object out of what a reference leads to: its whole graph, or as much as the
// limits say, with references for the rest.
//
// Owns: `*value` is the caller's to keep alive. `limits` may be NULL: the whole graph.
// Threads: the link's. Blocks: as `rs_remote_request`. Allocates: yes.
// Returns: what `rs_remote_request` returns. Since: 0.1
rs_status rs_remote_copy(rs_vm *vm, rs_remote remote, const rs_limits *limits, rs_value *value);

// Opens the image of a shareable graph: its owner encodes it once, for all peers, and it is read in
// place, without another round trip (rs_image_words, and inline.h). Small ones are copied, large ones are
// mapped. While the image is open, what stands for the root is kept alive, and so is the graph.
//
// What is referred to and not held (rs_image_opaques) are references, as in a copy.
//
// Owns: the caller gets `*image`, and frees it. Threads: the link's. Blocks: as `rs_remote_request`.
// Allocates: a small image's size; an eighth of the size for the call.
// Returns: RS_OK; RS_ERR_UNSUPPORTED (it is not shareable: it may change; or is a third process's), RS_ERR_LIMIT (no room for one
// more descriptor just now), and what `rs_remote_request` returns. Since: 0.1
rs_status rs_remote_share(rs_vm *vm,
                          rs_remote remote,
                          rs_image *image);

// The object that a node of a peer's image was made of, as a reference; `node` is the word that stands for it
// in the image. The same object by whatever way it is reached is the same reference.
//
// Owns: `*value` is the caller's to keep alive. Threads: the link's. Blocks: as `rs_remote_request`.
// Allocates: yes. Cost: the owner encodes the graph once more.
// Returns: RS_OK; RS_ERR_UNSUPPORTED (the image was not opened by rs_remote_share), RS_ERR_ARGUMENT (the word
// stands for no object), RS_ERR_CLOSED, and what `rs_remote_request` returns. Since: 0.1
rs_status rs_image_object(rs_vm *vm,
                          rs_image image,
                          uint64_t node,
                          rs_value *value);

// Asks to be told of the next change of what a reference leads to (`on_change`): what was read of it may be
// kept until then. One change is told of for each watch. Of an object of a third process the process in between
// hears nothing, unless it watches that itself: only what is written by way of that process is told of.
//
// Threads: the link's. Blocks: as `rs_remote_request`. Allocates: no.
// Returns: what `rs_remote_request` returns. Since: 0.1
rs_status rs_remote_watch(rs_vm *vm,
                          rs_remote remote);

// The link that a reference belongs to.
//
// Threads: the link's. Blocks: no. Allocates: no.
// Returns: RS_OK; RS_ERR_ARGUMENT, RS_ERR_CLOSED (the link is closed), RS_ERR_FOREIGN,
// RS_ERR_FORKED, RS_ERR_POISONED. Since: 0.1
rs_status rs_remote_link(rs_vm *vm, rs_remote remote, rs_link *link);

// The object that stands for a peer's is gone: for hosts with finalisers. (Others need not call it:
// `rs_gc_sweep` finds out too.) The owner hears of it with the next message.
//
// Threads: any. Blocks: no. Allocates: no.
// Returns: RS_OK; RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_FORKED, RS_ERR_POISONED.
// Since: 0.1
rs_status rs_remote_release(rs_vm *vm, rs_remote remote);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* VMSHARE_REMOTE_H */
