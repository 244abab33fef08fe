/*
 * peer.h: what the library is measured against: the same walks written by hand in C, for this one
 * heap, with its types inline and nothing that could be left out.
 *
 * - peer_mark: a plain mark, as a collector does it. A worklist in reserved memory, so that a push
 * is a store; a mark bit that is not atomic; prefetching through a short first-in-first-out queue
 *   (Cher, Hosking, Vitek, ASPLOS 2004) or at the push, whichever is faster on the graph at hand.
 * - peer_claim: as a mark, but what is A is claimed by a compare-and-swap, and appended to a log of
 *   eight bytes an object.
 * - peer_publish: pass 1 sets FROZEN atomically, pass 2 clears A and PENDING and sets SHAREABLE by
 * a compare-and-swap.
 *
 * Each exists for flags in the header and in a table of one byte a slot. The log is taken from
 * malloc in chunks and given back after each share, as in a VM that can't keep 80 MB for the next
 * one.
 */

#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include "heap.h"

enum PeerFlags {
    PEER_HEADER,
    PEER_SIDE,
};

/* How a walk prefetches: not at all, each child as it is pushed, or through a queue of so many. */
enum PeerPrefetch {
    PREFETCH_NONE,
    PREFETCH_AT_PUSH,
    PREFETCH_QUEUE_4,
    PREFETCH_QUEUE_8,
    PREFETCH_QUEUE_16,
    PREFETCH_QUEUE_32,
    PREFETCH_WAYS,
};

typedef struct PeerLog {
    uintptr_t **chunks;
    size_t chunks_length;
    size_t chunks_capacity;
    size_t used; /* of the last chunk */
} PeerLog;

typedef struct Peer {
    enum PeerFlags flags;
    uint8_t *side; /* PEER_SIDE: the byte of address a is side[a >> SLOT_SHIFT] */
    uint8_t *side_memory;
    size_t side_bytes;
    Value *worklist;
    PeerLog log;
    enum PeerPrefetch mark_prefetch;
    enum PeerPrefetch claim_prefetch;
} Peer;

void peer_new(Peer *peer, enum PeerFlags flags, const Heap *heap);
void peer_free(Peer *peer);

/* Finds the best way to prefetch on this graph, by trying all. */
void peer_tune(Peer *peer, Heap *heap);

/* Clears the peer's own flags of all objects; those in the header are cleared by heap_clear_flags.
 */
void peer_clear(Peer *peer, Heap *heap);
/* Sets AUTOSHARE on all objects, as a mark has done before a share. */
void peer_set_autoshare(Peer *peer, Heap *heap);

/* Each returns how many objects it has handled. */
size_t peer_mark(Peer *peer, Value root);
size_t peer_claim(Peer *peer, Value root);
size_t peer_publish(Peer *peer);
/* Takes all claims back, and forgets the log. */
size_t peer_undo(Peer *peer);

const char *peer_prefetch_name(enum PeerPrefetch way);

#endif /* BENCH_PEER_H */
