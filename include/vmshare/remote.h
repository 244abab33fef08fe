/*
 * remote.h: objects of another process, which stay there and are worked on by asking.
 *
 * A link joins two processes, each with a vm of its own. What one of them lets the other see, it pins
 * against its collector; the other holds an object of its own that stands for it, made by
 * `make_remote`. An operation on that object is carried out by the owner, in `operate`, when it
 * serves the link: from its event loop, or while it waits for an answer itself. A value that goes
 * along is copied if it is a number, a symbol, or anything else that can't change (`RS_ITEM_BY_VALUE`);
 * otherwise the owner gets a reference to it. A reference that comes home is the object itself.
 *
 * Between peers nothing is shared but bytes that are copied before they are looked at: a peer that
 * dies, hangs or lies gets and causes errors, and nothing else.
 *
 * A link belongs to one ractor: all functions here that take one are called by the thread of that. It
 * stays with the process that made it: in a forked child they return RS_ERR_FORKED.
 * Failures that every request may return, besides those it lists: RS_ERR_DEAD (the peer is gone: the
 * text of rs_link_error says whether the operation was carried out, was not, or may have been),
 * RS_ERR_PEER (it broke the protocol: the link is closed), RS_ERR_TIMEOUT, RS_CANCELLED, RS_RAISED
 * (its host raised an error), RS_ERR_DENIED, RS_ERR_STALE (the reference was revoked),
 * RS_ERR_UNSUPPORTED (its `operate` knows no such operation for such a target), RS_ERR_CLOSED.
 *
 * Generated from src/ffi/remote.rs by cbindgen: change it there, then run `make headers`.
 */

#ifndef VMSHARE_REMOTE_H
#define VMSHARE_REMOTE_H

#include <stddef.h>
#include <stdint.h>
#include "vmshare/graph.h"

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Makes a link, before the process is made that takes up the other end.
//
// Owns: the caller gets `*link`, and the descriptors in `*end`, which `rs_link_spawned` closes.
// `options` may be NULL. Threads: the ractor's. Blocks: no. Allocates: yes.
// Returns: RS_OK; RS_ERR_UNSUPPORTED (this system has no such links, or the host no `make_remote`
// and `operate`), RS_ERR_LIMIT (descriptors), RS_ERR_MEMORY, RS_ERR_ARGUMENT, RS_ERR_CLOSED,
// RS_ERR_FOREIGN, RS_ERR_THREAD, RS_ERR_REENTRANT, RS_ERR_FORKED, RS_ERR_POISONED. Since: 0.1
rs_status rs_link_new(rs_vm *vm,
                      rs_ractor ractor,
                      const rs_link_options *options,
                      rs_link *link,
                      rs_link_end *end);

// Between `fork` and `exec`, in the child: lets both descriptors be inherited. Async-signal-safe.
//
// Threads: any. Blocks: no. Allocates: no. Returns: RS_OK; RS_ERR_ARGUMENT. Since: 0.1
rs_status rs_link_inherit(const rs_link_end *end);

// The other process has been made, by this one, and not yet been waited for: closes this
// process's copies of its descriptors, and watches it, so that its end ends every wait.
//
// Threads: the link's. Blocks: no. Allocates: no.
// Returns: RS_OK; RS_ERR_ARGUMENT (no such child), RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD,
// RS_ERR_REENTRANT, RS_ERR_FORKED, RS_ERR_POISONED. Since: 0.1
rs_status rs_link_spawned(rs_vm *vm, rs_link link, int32_t process);

// Takes up the other end, in the process that was made.
//
// Owns: the caller gets `*link`; the link owns the descriptors. `options` may be NULL.
// Threads: the ractor's. Blocks: no. Allocates: yes.
// Returns: RS_OK; RS_ERR_PEER (the descriptors are not those of a link), and what `rs_link_new`
// returns. Since: 0.1
rs_status rs_link_adopt(rs_vm *vm,
                        rs_ractor ractor,
                        const rs_link_options *options,
                        const rs_link_end *end,
                        rs_link *link);

// Ends a link. What the peer had pinned is let go; references to its objects stay, and every request
// on them fails by RS_ERR_DEAD.
//
// `flags`: of `RS_LINK_EVACUATE` and `RS_LINK_FETCH`. `timeout`: most nanoseconds that this may take; 0:
// no limit. Threads: the link's. Blocks: to evacuate and fetch. Allocates: then, too.
// Returns: RS_OK; RS_ERR_DEAD, RS_ERR_TIMEOUT (closed, but not all was evacuated);
// RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD, RS_ERR_REENTRANT, RS_ERR_FORKED,
// RS_ERR_POISONED. Since: 0.1
rs_status rs_link_close(rs_vm *vm,
                        rs_link link,
                        uint32_t flags,
                        uint64_t timeout);

// Lets the peer refer to an object by a name. `rights`: `RS_CAN_READ`, `RS_CAN_WRITE`, `RS_CAN_CALL`, which
// whatever it reaches through the object inherits. Without rights: takes the name back.
//
// Owns: borrows `name` for the call; the link keeps the object alive.
// Threads: the link's. Blocks: no. Allocates: yes.
// Returns: RS_OK; RS_ERR_MEMORY, RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD,
// RS_ERR_REENTRANT, RS_ERR_FORKED, RS_ERR_POISONED. Since: 0.1
rs_status rs_link_export(rs_vm *vm,
                         rs_link link,
                         const char *name,
                         rs_value value,
                         uint32_t rights);

// Takes an object back that the peer refers to: from now on every request on it fails by RS_ERR_STALE,
// and it is kept alive no longer.
//
// Threads: the link's. Blocks: no. Allocates: no.
// Returns: RS_OK; RS_ERR_ARGUMENT (the peer has no reference to it), RS_ERR_CLOSED, RS_ERR_FOREIGN,
// RS_ERR_THREAD, RS_ERR_REENTRANT, RS_ERR_FORKED, RS_ERR_POISONED. Since: 0.1
rs_status rs_link_revoke(rs_vm *vm,
                         rs_link link,
                         rs_value value);

// A descriptor that becomes readable when there is something to serve, or the peer is gone: for an
// event loop. Call `rs_link_serve` before each wait: it says whether waiting is right.
//
// Owns: the link owns it. Threads: the link's. Blocks: no. Allocates: no.
// Returns: RS_OK; RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD, RS_ERR_REENTRANT,
// RS_ERR_FORKED, RS_ERR_POISONED. Since: 0.1
rs_status rs_link_fd(rs_vm *vm, rs_link link, int32_t *fd);

// Carries out what the peer has asked for, for about `budget` nanoseconds; 0: what is there now.
//
// Threads: the link's. Blocks: no, but `operate` may. Allocates: yes.
// Returns: RS_OK: nothing is left, and the descriptor will tell of more; RS_MORE: call again before
// a wait; RS_ERR_DEAD: the peer is gone, and what it had pinned was let go; RS_ERR_PEER,
// RS_ERR_MEMORY, RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD, RS_ERR_REENTRANT,
// RS_ERR_FORKED, RS_ERR_POISONED. Since: 0.1
rs_status rs_link_serve(rs_vm *vm, rs_link link, uint64_t budget);

// Waits until the peer has asked for something, and carries that out: for a process that has no event
// loop, and nothing else to do.
//
// `timeout`: most nanoseconds to wait; 0: as long as the peer lives. Threads: the link's. Blocks: as it
// says. Allocates: yes.
// Returns: RS_OK; RS_ERR_TIMEOUT, RS_CANCELLED, RS_ERR_DEAD, RS_ERR_PEER, RS_ERR_MEMORY,
// RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD, RS_ERR_REENTRANT, RS_ERR_FORKED,
// RS_ERR_POISONED. Since: 0.1
rs_status rs_link_wait(rs_vm *vm,
                       rs_link link,
                       uint64_t timeout);

// Inside of `operate`: why it is about to return RS_RAISED. `kind` is the name of the error's type,
// `text` what it says; both are copied, and cut at 4096 bytes.
//
// Threads: the link's. Blocks: no. Allocates: yes.
// Returns: RS_OK; RS_ERR_MEMORY, RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_FORKED,
// RS_ERR_POISONED. Since: 0.1
rs_status rs_link_raise(rs_vm *vm, rs_link link, const char *kind, const char *text);

// Why the last request on a link failed: the kind and the text of the error that the peer's host has
// raised, or a sentence about the link. The texts stay until the next request.
//
// Owns: the link owns the texts. Threads: the link's. Blocks: no. Allocates: no.
// Returns: RS_OK; RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_FORKED, RS_ERR_POISONED.
// Since: 0.1
rs_status rs_link_error(rs_vm *vm,
                        rs_link link,
                        const char **kind,
                        const char **text);

// Fills in counts; `statistics->size` says how many bytes there is room for.
//
// Threads: the link's. Blocks: no. Allocates: no.
// Returns: RS_OK; RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_FORKED, RS_ERR_POISONED.
// Since: 0.1
rs_status rs_link_counts(rs_vm *vm, rs_link link, rs_link_statistics *statistics);

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
