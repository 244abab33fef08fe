/* peer.c: the hand-written walks, one copy for each placement and each way to go. */

#include "peer.h"
#include "peer_walks.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "clock.h"

/* How far ahead of itself a pass over the log prefetches. */
#define AHEAD 16

/* Graphs of so many objects are tuned for in fewer rounds. */
#define LARGE 1000000

/* Words in a chunk of the log. */
#define LOG_CHUNK 4096

#define WALK(name, walk, ...)                                                                      \
    static size_t name(Peer *peer, Value root)                                                     \
    {                                                                                              \
        return walk(peer, root, (Kind){__VA_ARGS__});                                              \
    }

#define WALKS(name, way)                                                                           \
    WALK(mark_header_by_type_##name, mark_graph, PEER_HEADER, SCAN_BY_TYPE, way)                   \
    WALK(mark_header_by_count_##name, mark_graph, PEER_HEADER, SCAN_BY_COUNT, way)                 \
    WALK(mark_side_by_type_##name, mark_graph, PEER_SIDE, SCAN_BY_TYPE, way)                       \
    WALK(mark_side_by_count_##name, mark_graph, PEER_SIDE, SCAN_BY_COUNT, way)                     \
    WALK(claim_header_by_type_##name, claim_graph, PEER_HEADER, SCAN_BY_TYPE, way)                 \
    WALK(claim_header_by_count_##name, claim_graph, PEER_HEADER, SCAN_BY_COUNT, way)               \
    WALK(claim_side_by_type_##name, claim_graph, PEER_SIDE, SCAN_BY_TYPE, way)                     \
    WALK(claim_side_by_count_##name, claim_graph, PEER_SIDE, SCAN_BY_COUNT, way)

WALKS(none, PREFETCH_NONE)
WALKS(at_push, PREFETCH_AT_PUSH)
WALKS(queue_1, PREFETCH_QUEUE_1)
WALKS(queue_4, PREFETCH_QUEUE_4)
WALKS(queue_8, PREFETCH_QUEUE_8)
WALKS(queue_16, PREFETCH_QUEUE_16)
WALKS(queue_32, PREFETCH_QUEUE_32)

typedef size_t (*WalkFunction)(Peer *, Value);

/* In the order of PeerPrefetch. */
#define ALL_WAYS(name)                                                                             \
    {                                                                                              \
        name##_none, name##_at_push, name##_queue_1, name##_queue_4, name##_queue_8,               \
            name##_queue_16, name##_queue_32                                                       \
    }

static const WalkFunction marks[PEER_PLACEMENTS][PEER_SCANS][PREFETCH_WAYS] = {
    {ALL_WAYS(mark_header_by_type), ALL_WAYS(mark_header_by_count)},
    {ALL_WAYS(mark_side_by_type), ALL_WAYS(mark_side_by_count)},
};

static const WalkFunction claims[PEER_PLACEMENTS][PEER_SCANS][PREFETCH_WAYS] = {
    {ALL_WAYS(claim_header_by_type), ALL_WAYS(claim_header_by_count)},
    {ALL_WAYS(claim_side_by_type), ALL_WAYS(claim_side_by_count)},
};

const char *peer_prefetch_name(enum PeerPrefetch way)
{
    static const char *const names[] = {"none",    "at push",  "queue 1", "queue 4",
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

void peer_new(Peer *peer, enum PeerFlags flags, const Heap *heap)
{
    memset(peer, 0, sizeof *peer);
    peer->flags = flags;
    peer->worklist_bytes = (heap->capacity * VECTOR_ELEMENTS + 1) * sizeof(Value);
    peer->worklist = map(peer->worklist_bytes);
    if (flags == PEER_SIDE) {
        peer->side_bytes = heap->capacity + 1;
        peer->side_memory = map(peer->side_bytes);
        peer->side =
            (uint8_t *)((uintptr_t)peer->side_memory - ((uintptr_t)heap->slots >> SLOT_SHIFT));
    }
}

void peer_free(Peer *peer)
{
    munmap(peer->worklist, peer->worklist_bytes);
    if (peer->side_memory)
        munmap(peer->side_memory, peer->side_bytes);
}

void peer_clear_flags(Peer *peer, Heap *heap)
{
    heap_clear_flags(heap);
    if (peer->flags == PEER_SIDE)
        memset(peer->side_memory, 0, peer->side_bytes);
}

void peer_set_autoshare(Peer *peer, Heap *heap)
{
    heap_clear_flags(heap);
    if (peer->flags == PEER_SIDE) {
        memset(peer->side_memory, SIDE_AUTOSHARE, peer->side_bytes);
        return;
    }
    for (size_t index = 0; index < heap->capacity; index++)
        heap->slots[index].flags = AUTOSHARE;
}

bool peer_has_shared(const Peer *peer, const Heap *heap)
{
    for (size_t index = 0; index < heap->capacity; index++) {
        const Object *object = &heap->slots[index];
        bool shared = peer->flags == PEER_HEADER
                          ? object->flags == (FROZEN | SHAREABLE)
                          : peer->side_memory[index] == (SIDE_FROZEN | SIDE_SHAREABLE);
        if (!shared)
            return false;
    }
    return true;
}

__attribute__((noinline, cold)) void peer_log_grow(PeerLog *log)
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
    log->next = chunk;
    log->end = chunk + LOG_CHUNK;
}

static void log_release(PeerLog *log)
{
    for (size_t index = 0; index < log->chunks_length; index++)
        free(log->chunks[index]);
    free(log->chunks);
    *log = (PeerLog){0};
}

static size_t chunk_length(const PeerLog *log, size_t chunk)
{
    return chunk + 1 == log->chunks_length ? (size_t)(log->next - log->chunks[chunk]) : LOG_CHUNK;
}

static size_t log_length(const PeerLog *log)
{
    size_t last = log->chunks_length - 1;
    return log->chunks_length ? last * LOG_CHUNK + chunk_length(log, last) : 0;
}

size_t peer_mark(Peer *peer, Value root, enum PeerScan scan)
{
    return marks[peer->flags][scan][peer->mark_prefetch[scan]](peer, root);
}

size_t peer_claim(Peer *peer, Value root, enum PeerScan scan)
{
    return claims[peer->flags][scan][peer->claim_prefetch[scan]](peer, root);
}

ALWAYS_INLINE void freeze_object(uint8_t *side, uintptr_t object, enum PeerFlags flags)
{
    if (flags == PEER_HEADER)
        __atomic_fetch_or(&as_object(object)->flags, FROZEN, __ATOMIC_RELEASE);
    else
        __atomic_fetch_or(&side[object >> SLOT_SHIFT], SIDE_FROZEN, __ATOMIC_RELEASE);
}

ALWAYS_INLINE void publish_object(uint8_t *side, uintptr_t object, enum PeerFlags flags)
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
    uint8_t *byte = &side[object >> SLOT_SHIFT];
    uint8_t before = __atomic_load_n(byte, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(
        byte, &before, (uint8_t)((before & ~(SIDE_AUTOSHARE | SIDE_PENDING)) | SIDE_SHAREABLE),
        false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
    }
}

ALWAYS_INLINE void unclaim_object(uint8_t *side, uintptr_t object, enum PeerFlags flags)
{
    if (flags == PEER_HEADER)
        __atomic_fetch_and(&as_object(object)->flags, ~PENDING, __ATOMIC_RELEASE);
    else
        __atomic_fetch_and(&side[object >> SLOT_SHIFT], (uint8_t)~SIDE_PENDING, __ATOMIC_RELEASE);
}

typedef void (*ObjectFunction)(uint8_t *, uintptr_t, enum PeerFlags);

/* Passes over the log, prefetching the flags that it comes to in a moment. */
ALWAYS_INLINE void pass(Peer *peer, enum PeerFlags flags, ObjectFunction handle)
{
    const PeerLog *log = &peer->log;
    uint8_t *const side = peer->side;
    for (size_t chunk = 0; chunk < log->chunks_length; chunk++) {
        const uintptr_t *words = log->chunks[chunk];
        size_t length = chunk_length(log, chunk);
        for (size_t index = 0; index < length; index++) {
            if (index + AHEAD < length) {
                uintptr_t ahead = words[index + AHEAD];
                if (flags == PEER_HEADER)
                    __builtin_prefetch((void *)ahead, 1);
                else
                    __builtin_prefetch(&side[ahead >> SLOT_SHIFT], 1);
            }
            handle(side, words[index], flags);
        }
    }
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
static double time_mark(Peer *peer, Heap *heap, enum PeerScan scan)
{
    peer_clear_flags(peer, heap);
    double begun = clock_nanoseconds();
    peer_mark(peer, heap->root, scan);
    return clock_nanoseconds() - begun;
}

static double time_claim(Peer *peer, Heap *heap, enum PeerScan scan)
{
    peer_set_autoshare(peer, heap);
    double begun = clock_nanoseconds();
    peer_claim(peer, heap->root, scan);
    double time = clock_nanoseconds() - begun;
    peer_undo(peer);
    return time;
}

typedef double (*TimeFunction)(Peer *, Heap *, enum PeerScan);

/* The shortest time of each way: what the machine does besides only makes times longer. */
typedef struct Trials {
    TimeFunction time;
    enum PeerPrefetch *way; /* the peer's, for the scan that is tuned */
    double shortest[PREFETCH_WAYS];
} Trials;

static bool is_tried(enum PeerScan scan, int way)
{
    return scan == SCAN_BY_COUNT || way != PREFETCH_QUEUE_1;
}

static enum PeerPrefetch fastest(const Trials *trials, enum PeerScan scan)
{
    int best = PREFETCH_NONE;
    for (int way = 0; way < PREFETCH_WAYS; way++)
        if (is_tried(scan, way) && trials->shortest[way] < trials->shortest[best])
            best = way;
    return (enum PeerPrefetch)best;
}

/* One more round; ways that were twice as slow as the best so far are left out. */
static void try_all(Trials *trials, Peer *peer, Heap *heap, enum PeerScan scan, bool first)
{
    double limit = 2 * trials->shortest[fastest(trials, scan)];
    for (int way = 0; way < PREFETCH_WAYS; way++) {
        if (!is_tried(scan, way) || (!first && trials->shortest[way] > limit))
            continue;
        *trials->way = (enum PeerPrefetch)way;
        double time = trials->time(peer, heap, scan);
        if (first || time < trials->shortest[way])
            trials->shortest[way] = time;
    }
}

static void tune_scan(Peer *peer, Heap *heap, enum PeerScan scan, unsigned rounds)
{
    Trials trials[] = {{.time = time_mark, .way = &peer->mark_prefetch[scan]},
                       {.time = time_claim, .way = &peer->claim_prefetch[scan]}};
    for (unsigned round = 0; round < rounds; round++) {
        for (int walk = 0; walk < 2; walk++) {
            /* A graph of its own for each: one that is known would teach the processor. */
            if (heap->capacity < LARGE)
                heap_rebuild(heap, round);
            try_all(&trials[walk], peer, heap, scan, round == 0);
        }
    }
    for (int walk = 0; walk < 2; walk++)
        *trials[walk].way = fastest(&trials[walk], scan);
}

void peer_tune(Peer *peer, Heap *heap)
{
    const unsigned rounds = heap->capacity < LARGE ? 25 : 3;
    for (int scan = 0; scan < PEER_SCANS; scan++)
        tune_scan(peer, heap, (enum PeerScan)scan, rounds);
}
