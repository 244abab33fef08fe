/*
 * peer.h: what the library is measured against: the same walks written by hand in C, for this one
 * heap, with its types inline and nothing that could be left out.
 *
 * - peer_mark: a plain mark, as a collector does it. A worklist in reserved memory, so that a push
 *   is a store; a mark bit that is not atomic.
 * - peer_claim: as a mark, but what is A is claimed by a compare-and-swap, and appended to a log of
 *   eight bytes an object.
 * - peer_publish: pass 1 sets FROZEN atomically, pass 2 clears A and PENDING and sets SHAREABLE by
 *   a compare-and-swap.
 *
 * Each exists for flags in the header and in a table of one byte a slot. The log is taken from
 * malloc in chunks and given back after each share, as in a VM that can't keep 80 MB for the next
 * one.
 *
 * What they do less than the library, though the protocol needs it:
 *
 * - They never stop: no pieces, no budget, no safepoint, no place from which another thread could
 * go on or undo.
 * - They do not look at the walk word after each object, nor announce the objects whose elements
 *   lie behind a pointer: main could not write meanwhile.
 * - A log that can't grow ends the program, so room for an entry is not made before the claim.
 * - With split flags, they keep all in the table, and do not set AUTOSHARE in the header too.
 */

#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include "heap.h"

enum PeerFlags {
    PEER_HEADER,
    PEER_SIDE,
    PEER_PLACEMENTS,
};

/* How children are read. */
enum PeerScan {
    SCAN_BY_TYPE,  /* a switch over the type, with a case for each: as one plainly writes it */
    SCAN_BY_COUNT, /* three fields of each object, kept if its type has so many: only a vector's
                      type is a branch that must be predicted */
    PEER_SCANS,
};

/* How a walk prefetches: not at all, each child as it is pushed, or through a queue of so many
 * (Cher, Hosking, Vitek, ASPLOS 2004). */
enum PeerPrefetch {
    PREFETCH_NONE,
    PREFETCH_AT_PUSH,
    PREFETCH_QUEUE_1, /* no prefetch; what comes next is known before this one is scanned. Only
                         for SCAN_BY_COUNT: it gains by having fewer branches in between. */
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
    uintptr_t *next; /* in the last chunk */
    uintptr_t *end;
} PeerLog;

typedef struct Peer {
    enum PeerFlags flags;
    uint8_t *side; /* PEER_SIDE: the byte of address a is side[a >> SLOT_SHIFT] */
    uint8_t *side_memory;
    size_t side_bytes;
    Value *worklist;
    size_t worklist_bytes;
    PeerLog log;
    enum PeerPrefetch mark_prefetch[PEER_SCANS];
    enum PeerPrefetch claim_prefetch[PEER_SCANS];
} Peer;

void peer_new(Peer *peer, enum PeerFlags flags, const Heap *heap);
void peer_free(Peer *peer);

/* Finds the best way to prefetch on graphs like this one, by trying all. May rebuild the graph. */
void peer_tune(Peer *peer, Heap *heap);

/* All objects become ordinary again. */
void peer_clear_flags(Peer *peer, Heap *heap);
/* Sets AUTOSHARE on all objects, as a mark has done before a share. */
void peer_set_autoshare(Peer *peer, Heap *heap);

/* Each returns how many objects it has handled. */
size_t peer_mark(Peer *peer, Value root, enum PeerScan scan);
size_t peer_claim(Peer *peer, Value root, enum PeerScan scan);
size_t peer_publish(Peer *peer);
/* Takes all claims back, and forgets the log. */
size_t peer_undo(Peer *peer);

/* Whether all objects have exactly the flags that a share leaves behind. */
bool peer_has_shared(const Peer *peer, const Heap *heap);

const char *peer_prefetch_name(enum PeerPrefetch way);

#endif /* BENCH_PEER_H */
