/* peer.c: the hand-written walks, one copy for each way of prefetching and placement. */

#include "peer.h"
#include "peer_walks.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "clock.h"

/* How far ahead of itself a pass over the log prefetches. */
#define AHEAD 16

#define WALKS(name, way)                                                                           \
    static size_t mark_header_##name(Peer *peer, Value root)                                       \
    {                                                                                              \
        return mark_graph(peer, root, way, PEER_HEADER);                                           \
    }                                                                                              \
    static size_t mark_side_##name(Peer *peer, Value root)                                         \
    {                                                                                              \
        return mark_graph(peer, root, way, PEER_SIDE);                                             \
    }                                                                                              \
    static size_t claim_header_##name(Peer *peer, Value root)                                      \
    {                                                                                              \
        return claim_graph(peer, root, way, PEER_HEADER);                                          \
    }                                                                                              \
    static size_t claim_side_##name(Peer *peer, Value root)                                        \
    {                                                                                              \
        return claim_graph(peer, root, way, PEER_SIDE);                                            \
    }

WALKS(none, PREFETCH_NONE)
WALKS(at_push, PREFETCH_AT_PUSH)
WALKS(queue_4, PREFETCH_QUEUE_4)
WALKS(queue_8, PREFETCH_QUEUE_8)
WALKS(queue_16, PREFETCH_QUEUE_16)
WALKS(queue_32, PREFETCH_QUEUE_32)

typedef size_t (*WalkFunction)(Peer *, Value);

static const WalkFunction marks[2][PREFETCH_WAYS] = {
    {mark_header_none, mark_header_at_push, mark_header_queue_4, mark_header_queue_8,
     mark_header_queue_16, mark_header_queue_32},
    {mark_side_none, mark_side_at_push, mark_side_queue_4, mark_side_queue_8, mark_side_queue_16,
     mark_side_queue_32},
};

static const WalkFunction claims[2][PREFETCH_WAYS] = {
    {claim_header_none, claim_header_at_push, claim_header_queue_4, claim_header_queue_8,
     claim_header_queue_16, claim_header_queue_32},
    {claim_side_none, claim_side_at_push, claim_side_queue_4, claim_side_queue_8,
     claim_side_queue_16, claim_side_queue_32},
};

const char *peer_prefetch_name(enum PeerPrefetch way)
{
    static const char *const names[] = {"none",    "at push",  "queue 4",
                                        "queue 8", "queue 16", "queue 32"};
    return names[way];
}

static void *map(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    return memory;
}

static size_t worklist_bytes(const Heap *heap)
{
    return (heap->capacity * VECTOR_ELEMENTS + 1) * sizeof(Value);
}

void peer_new(Peer *peer, enum PeerFlags flags, const Heap *heap)
{
    memset(peer, 0, sizeof *peer);
    peer->flags = flags;
    peer->worklist = map(worklist_bytes(heap));
    peer->log.used = LOG_CHUNK;
    if (flags == PEER_SIDE) {
        peer->side_bytes = heap->capacity + 1;
        peer->side_memory = map(peer->side_bytes);
        peer->side =
            (uint8_t *)((uintptr_t)peer->side_memory - ((uintptr_t)heap->slots >> SLOT_SHIFT));
    }
}

void peer_free(Peer *peer)
{
    if (peer->side_memory)
        munmap(peer->side_memory, peer->side_bytes);
}

void peer_clear(Peer *peer, Heap *heap)
{
    if (peer->flags == PEER_SIDE)
        memset(peer->side_memory, 0, peer->side_bytes);
    (void)heap;
}

void peer_set_autoshare(Peer *peer, Heap *heap)
{
    if (peer->flags == PEER_SIDE) {
        memset(peer->side_memory, SIDE_AUTOSHARE, peer->side_bytes);
        return;
    }
    for (size_t index = 0; index < heap->capacity; index++)
        heap->slots[index].flags = AUTOSHARE;
}

void peer_log_grow(PeerLog *log)
{
    if (log->chunks_length == log->chunks_capacity) {
        log->chunks_capacity = log->chunks_capacity ? log->chunks_capacity * 2 : 64;
        log->chunks = realloc(log->chunks, log->chunks_capacity * sizeof *log->chunks);
    }
    uintptr_t *chunk = log->chunks ? malloc(LOG_CHUNK * sizeof *chunk) : NULL;
    if (!chunk) {
        fputs("out of memory\n", stderr);
        exit(1);
    }
    log->chunks[log->chunks_length++] = chunk;
    log->used = 0;
}

static void log_release(PeerLog *log)
{
    for (size_t index = 0; index < log->chunks_length; index++)
        free(log->chunks[index]);
    free(log->chunks);
    *log = (PeerLog){.used = LOG_CHUNK};
}

static size_t chunk_length(const PeerLog *log, size_t chunk)
{
    return chunk + 1 == log->chunks_length ? log->used : LOG_CHUNK;
}

size_t peer_mark(Peer *peer, Value root)
{
    return marks[peer->flags][peer->mark_prefetch](peer, root);
}

size_t peer_claim(Peer *peer, Value root)
{
    return claims[peer->flags][peer->claim_prefetch](peer, root);
}

ALWAYS_INLINE void freeze_object(const Peer *peer, uintptr_t object, enum PeerFlags flags)
{
    if (flags == PEER_HEADER)
        __atomic_fetch_or(&as_object(object)->flags, FROZEN, __ATOMIC_RELEASE);
    else
        __atomic_fetch_or(&peer->side[object >> SLOT_SHIFT], SIDE_FROZEN, __ATOMIC_RELEASE);
}

ALWAYS_INLINE void publish_object(const Peer *peer, uintptr_t object, enum PeerFlags flags)
{
    if (flags == PEER_HEADER) {
        uint32_t *word = &as_object(object)->flags;
        uint32_t before = __atomic_load_n(word, __ATOMIC_RELAXED);
        while (!__atomic_compare_exchange_n(word, &before,
                                            (before & ~(AUTOSHARE | PENDING)) | SHAREABLE, false,
                                            __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
        }
        return;
    }
    uint8_t *byte = &peer->side[object >> SLOT_SHIFT];
    uint8_t before = __atomic_load_n(byte, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(
        byte, &before, (uint8_t)((before & ~(SIDE_AUTOSHARE | SIDE_PENDING)) | SIDE_SHAREABLE),
        false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
    }
}

ALWAYS_INLINE void unclaim_object(const Peer *peer, uintptr_t object, enum PeerFlags flags)
{
    if (flags == PEER_HEADER)
        __atomic_fetch_and(&as_object(object)->flags, ~PENDING, __ATOMIC_RELEASE);
    else
        __atomic_fetch_and(&peer->side[object >> SLOT_SHIFT], (uint8_t)~SIDE_PENDING,
                           __ATOMIC_RELEASE);
}

/* Passes over the log, prefetching what a publishing pass touches. */
typedef void (*ObjectFunction)(const Peer *, uintptr_t, enum PeerFlags);

ALWAYS_INLINE void pass(const Peer *peer, enum PeerFlags flags, ObjectFunction handle)
{
    const PeerLog *log = &peer->log;
    for (size_t chunk = 0; chunk < log->chunks_length; chunk++) {
        const uintptr_t *words = log->chunks[chunk];
        size_t length = chunk_length(log, chunk);
        for (size_t index = 0; index < length; index++) {
            if (index + AHEAD < length) {
                uintptr_t ahead = words[index + AHEAD];
                if (flags == PEER_HEADER)
                    __builtin_prefetch((void *)ahead, 1);
                else
                    __builtin_prefetch(&peer->side[ahead >> SLOT_SHIFT], 1);
            }
            handle(peer, words[index], flags);
        }
    }
}

static size_t log_length(const PeerLog *log)
{
    return log->chunks_length ? (log->chunks_length - 1) * LOG_CHUNK + log->used : 0;
}

size_t peer_publish(Peer *peer)
{
    size_t published = log_length(&peer->log);
    if (peer->flags == PEER_HEADER) {
        pass(peer, PEER_HEADER, freeze_object);
        pass(peer, PEER_HEADER, publish_object);
    } else {
        pass(peer, PEER_SIDE, freeze_object);
        pass(peer, PEER_SIDE, publish_object);
    }
    log_release(&peer->log);
    return published;
}

size_t peer_undo(Peer *peer)
{
    size_t undone = log_length(&peer->log);
    if (peer->flags == PEER_HEADER)
        pass(peer, PEER_HEADER, unclaim_object);
    else
        pass(peer, PEER_SIDE, unclaim_object);
    log_release(&peer->log);
    return undone;
}

/* Nanoseconds of a mark and of a claim, by the way that is set. */
static double time_mark(Peer *peer, Heap *heap)
{
    heap_clear_flags(heap);
    peer_clear(peer, heap);
    double begun = clock_nanoseconds();
    peer_mark(peer, heap->root);
    return clock_nanoseconds() - begun;
}

static double time_claim(Peer *peer, Heap *heap)
{
    heap_clear_flags(heap);
    peer_set_autoshare(peer, heap);
    double begun = clock_nanoseconds();
    peer_claim(peer, heap->root);
    double time = clock_nanoseconds() - begun;
    peer_undo(peer);
    return time;
}

void peer_tune(Peer *peer, Heap *heap)
{
    const unsigned rounds = heap->capacity < 1000000 ? 25 : 1;
    double best_mark = 0, best_claim = 0;
    enum PeerPrefetch mark_way = 0, claim_way = 0;
    for (unsigned round = 0; round < rounds; round++) {
        for (int way = 0; way < PREFETCH_WAYS; way++) {
            peer->mark_prefetch = peer->claim_prefetch = (enum PeerPrefetch)way;
            double mark = time_mark(peer, heap);
            if (best_mark == 0 || mark < best_mark) {
                best_mark = mark;
                mark_way = (enum PeerPrefetch)way;
            }
            double claim = time_claim(peer, heap);
            if (best_claim == 0 || claim < best_claim) {
                best_claim = claim;
                claim_way = (enum PeerPrefetch)way;
            }
        }
    }
    peer->mark_prefetch = mark_way;
    peer->claim_prefetch = claim_way;
}
