/*
 * link.h: connections to other processes.
 *
 * A link joins two processes, each with a vm of its own: a parent and a child that it makes, or two that have
 * met over a Unix socket. Each lets the other see what it has exported by name, and what is
 * reached from there (remote.h). A host serves its links from its event loop, or waits for them.
 *
 * Between peers nothing is shared but bytes that are copied, or sealed, before they are looked at: a peer that
 * dies, hangs or lies gets and causes errors, and nothing else.
 *
 * A link belongs to one ractor: all functions here that take one are called by the thread of that. It
 * stays with the process that made it: in a forked child they return RS_ERR_FORKED.
 *
 * Generated from src/ffi/link.rs by cbindgen: change it there, then run `make headers`.
 */

#ifndef VMSHARE_LINK_H
#define VMSHARE_LINK_H

#include <stddef.h>
#include <stdint.h>
#include "vmshare/vm.h"

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

// Makes a link with a process that has connected to a Unix socket of this one (`accept`). That one calls
// `rs_link_connect` at its end. Who may connect is a matter of the socket's path and its owner, as ever.
//
// `socket`: connected, of the type SOCK_SEQPACKET. The link owns it, also if this fails.
// `options` may be NULL. Threads: the ractor's. Blocks: no. Allocates: yes.
// Returns: RS_OK; RS_ERR_UNSUPPORTED (another kind of socket), and what `rs_link_new` returns. Since: 0.1
rs_status rs_link_accept(rs_vm *vm,
                         rs_ractor ractor,
                         const rs_link_options *options,
                         int32_t socket,
                         rs_link *link);

// Makes a link with the process that this one has connected to by a Unix socket (`connect`), and that calls
// `rs_link_accept`.
//
// `socket`: as there. `timeout`: most nanoseconds to wait for the other end; 0: no limit.
// Threads: the ractor's. Blocks: until the other process has accepted. Allocates: yes.
// Returns: RS_OK; RS_ERR_TIMEOUT, RS_ERR_DEAD (it has hung up), RS_ERR_PEER (it sent something else),
// RS_ERR_UNSUPPORTED (another kind of socket), and what `rs_link_new` returns. Since: 0.1
rs_status rs_link_connect(rs_vm *vm,
                          rs_ractor ractor,
                          const rs_link_options *options,
                          int32_t socket,
                          uint64_t timeout,
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

// The program has written an object: peers that watch it (rs_remote_watch) are told. To be called by hosts
// that want their objects to be watched, from their write barrier; writes that a peer has asked for are seen
// without it.
//
// Threads: the object's ractor's. Blocks: no. Allocates: if somebody watches. Cost: that of a call if nobody does.
// Returns: RS_OK; RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_REENTRANT, RS_ERR_FORKED,
// RS_ERR_POISONED. Since: 0.1
rs_status rs_link_changed(rs_vm *vm,
                          rs_value value);

// What the peer refers to now: why an object is still alive.
//
// Fills in up to `room` pins, in no order; `*count` is how many there are. `pins` may be NULL if `room` is 0.
// Threads: the link's. Blocks: no. Allocates: no.
// Returns: RS_OK; RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_FORKED, RS_ERR_POISONED.
// Since: 0.1
rs_status rs_link_pins(rs_vm *vm,
                       rs_link link,
                       rs_pin *pins,
                       size_t room,
                       size_t *count);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* VMSHARE_LINK_H */
