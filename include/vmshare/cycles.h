/*
 * cycles.h: garbage that several processes keep alive together.
 *
 * An object that a peer refers to is kept alive (remote.h). So objects of two processes that refer to each
 * other, and to which no program refers, would stay for ever. A *round* finds them: the process that has made
 * links to others or accepted them, the hub, has its own collector tell what keeps what alive, and asks each of those peers for
 * the same; then it lets go of its own objects that no program needs, which breaks every cycle. The rest dies as
 * usual: when the objects die, so do their references, and the peers are told.
 *
 * Programs need not stop for a round: what they do meanwhile is noticed. Each process collects once, when its
 * turn comes. Both sides need `collect` in their rs_host, or the link takes no part: what it keeps alive stays
 * alive, and so does what a peer keeps alive that does not answer in time. References between processes that
 * do not pass through the hub count as needed.
 *
 * Generated from src/ffi/cycles.rs by cbindgen: change it there, then run `make headers`.
 */

#ifndef VMSHARE_CYCLES_H
#define VMSHARE_CYCLES_H

#include <stddef.h>
#include <stdint.h>
#include "vmshare/link.h"

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Begins a round over the links that the ractor has made or accepted (`rs_link_new`, `rs_link_accept`): collects
// here, by `collect`, and asks the peers. They answer while their links are served; from an event loop call `rs_cycles_finish` now and then.
//
// `timeout`: most nanoseconds until the round ends without those that have not answered; 0: no limit.
// Threads: the ractor's. Blocks: no, but it collects. Allocates: yes.
// Returns: RS_OK; RS_BUSY (a round of the ractor, or another one's collection for it, is under way; or a value
// from a peer is being made), RS_ERR_UNSUPPORTED (the host has no `collect`, or neither layouts nor `children`),
// RS_ERR_HOST (`collect` made no summary), RS_ERR_MEMORY, RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN,
// RS_ERR_THREAD, RS_ERR_REENTRANT, RS_ERR_FORKED, RS_ERR_POISONED. Since: 0.1
rs_status rs_cycles_begin(rs_vm *vm,
                          rs_ractor ractor,
                          uint64_t timeout);

// Ends the round that the ractor has begun, if all peers have answered, are gone, or are too late: lets go of
// what no program needs. `waits`: nonzero to wait for that, serving the links meanwhile.
//
// `*count`: how many references of peers lead to nothing from now on; none of them can be used any more.
// Their objects die at the next collection.
// Threads: the ractor's. Blocks: if it waits, until the round ends, or `is_cancelled`. Allocates: yes.
// Returns: RS_OK; RS_MORE: the round goes on: serve its links, and call again; RS_CANCELLED: it goes on, too;
// RS_ERR_MEMORY: it has ended, and nothing was let go; RS_ERR_ARGUMENT (no round is under way),
// RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD, RS_ERR_REENTRANT, RS_ERR_FORKED, RS_ERR_POISONED. Since: 0.1
rs_status rs_cycles_finish(rs_vm *vm,
                           rs_ractor ractor,
                           uint32_t waits,
                           uint64_t *count);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* VMSHARE_CYCLES_H */
