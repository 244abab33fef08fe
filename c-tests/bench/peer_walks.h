/*
 * peer_walks.h: the two walks of peer.c as one text each, to be compiled for one placement of the
 * flags, one way to scan and one way to prefetch at a time: all are constants wherever these are
 * inlined. What changes with each object is in local variables, and so in registers.
 */

#ifndef BENCH_PEER_WALKS_H
#define BENCH_PEER_WALKS_H

#include "peer.h"

#include <stdlib.h>

#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define QUEUE_MOST 32

/* What one walk is compiled for. */
typedef struct Kind {
    enum PeerFlags flags;
    enum PeerScan scan;
    enum PeerPrefetch prefetch;
} Kind;

/* What is to be visited: a stack, and the queue that its values pass through. */
typedef struct Pending {
    Value *top;
    Value *bottom;
    Value queue[QUEUE_MOST];
    unsigned place;
    unsigned queued;
} Pending;

/* Objects in the queue; 0 for none. */
ALWAYS_INLINE unsigned queue_size(enum PeerPrefetch way)
{
    switch (way) {
    case PREFETCH_QUEUE_1:
        return 1;
    case PREFETCH_QUEUE_4:
        return 4;
    case PREFETCH_QUEUE_8:
        return 8;
    case PREFETCH_QUEUE_16:
        return 16;
    case PREFETCH_QUEUE_32:
        return 32;
    default:
        return 0;
    }
}

ALWAYS_INLINE void prefetch(const uint8_t *side, Value value, Kind kind)
{
    __builtin_prefetch((void *)value, 1);
    if (kind.flags == PEER_SIDE)
        __builtin_prefetch(&side[value >> SLOT_SHIFT], 1);
}

/* Every word is written and only objects are kept: whether a word is an object is hard to predict.
 */
ALWAYS_INLINE void push(Pending *pending, const uint8_t *side, Value value, Kind kind)
{
    if (kind.prefetch == PREFETCH_AT_PUSH)
        prefetch(side, value, kind);
    *pending->top = value;
    pending->top += is_object(value);
}

/* The same, if the word counts at all; with no branch for that either. */
ALWAYS_INLINE void push_if(Pending *pending, const uint8_t *side, Value value, unsigned counts,
                           Kind kind)
{
    if (kind.prefetch == PREFETCH_AT_PUSH)
        prefetch(side, value, kind);
    *pending->top = value;
    pending->top += counts & (value != 0) & ~value;
}

/* The next object; NULL if none has come through the queue yet. */
ALWAYS_INLINE Object *take(Pending *pending, const uint8_t *side, Kind kind)
{
    const unsigned size = queue_size(kind.prefetch);
    Value entering = 0;
    if (pending->top != pending->bottom) {
        entering = *--pending->top;
        if (size == 0)
            return as_object(entering);
        if (size > 1)
            prefetch(side, entering, kind);
        pending->queued++;
    }
    if (size == 0)
        return NULL;
    Value leaving = pending->queue[pending->place];
    pending->queue[pending->place] = entering;
    pending->place = (pending->place + 1) % size;
    pending->queued -= leaving != 0;
    return as_object(leaving);
}

ALWAYS_INLINE bool is_done(const Pending *pending)
{
    return pending->top == pending->bottom && pending->queued == 0;
}

ALWAYS_INLINE void push_elements(Pending *pending, const uint8_t *side, const Object *vector,
                                 Kind kind)
{
    const Value *elements = vector->as.vector.elements;
    for (size_t index = vector->as.vector.length; index-- > 0;)
        push(pending, side, elements[index], kind);
}

ALWAYS_INLINE void push_by_type(Pending *pending, const uint8_t *side, const Object *object,
                                Kind kind)
{
    switch (object->type) {
    case CONS:
        push(pending, side, object->as.fields[1], kind);
        push(pending, side, object->as.fields[0], kind);
        break;
    case RECORD:
        push(pending, side, object->as.fields[2], kind);
        push(pending, side, object->as.fields[1], kind);
        push(pending, side, object->as.fields[0], kind);
        break;
    case VECTOR:
        push_elements(pending, side, object, kind);
        break;
    default:
        break;
    }
}

ALWAYS_INLINE void push_by_count(Pending *pending, const uint8_t *side, const Object *object,
                                 Kind kind)
{
    static const unsigned char counts[TYPES] = {[CONS] = 2, [RECORD] = RECORD_FIELDS};
    if (object->type == VECTOR) {
        push_elements(pending, side, object, kind);
        return;
    }
    unsigned count = counts[object->type];
    push_if(pending, side, object->as.fields[2], count > 2, kind);
    push_if(pending, side, object->as.fields[1], count > 1, kind);
    push_if(pending, side, object->as.fields[0], count > 0, kind);
}

ALWAYS_INLINE void push_children(Pending *pending, const uint8_t *side, const Object *object,
                                 Kind kind)
{
    if (kind.scan == SCAN_BY_TYPE)
        push_by_type(pending, side, object, kind);
    else
        push_by_count(pending, side, object, kind);
}

ALWAYS_INLINE bool mark_object(uint8_t *side, Object *object, Kind kind)
{
    if (kind.flags == PEER_HEADER) {
        if (object->flags & MARKED)
            return false;
        object->flags |= MARKED;
        return true;
    }
    uint8_t *byte = &side[(Value)object >> SLOT_SHIFT];
    if (*byte)
        return false;
    *byte = 1;
    return true;
}

ALWAYS_INLINE size_t mark_graph(Peer *peer, Value root, Kind kind)
{
    Pending pending = {.top = peer->worklist, .bottom = peer->worklist};
    uint8_t *const side = peer->side;
    size_t marked = 0;
    push(&pending, side, root, kind);
    for (;;) {
        Object *object = take(&pending, side, kind);
        if (!object) {
            if (is_done(&pending))
                return marked;
            continue;
        }
        if (!mark_object(side, object, kind))
            continue;
        marked++;
        push_children(&pending, side, object, kind);
    }
}

void peer_log_grow(PeerLog *log);

/* The flags' masks in the byte of the table, small; in the header the host's. */
#define SIDE_FROZEN 1u
#define SIDE_SHAREABLE 2u
#define SIDE_AUTOSHARE 4u
#define SIDE_PENDING 8u

enum Claimed {
    CLAIMED,
    SKIPPED, /* it is shareable, or claimed already */
    BLOCKED, /* it is not A */
};

ALWAYS_INLINE enum Claimed claim_in_header(uint32_t *flags)
{
    uint32_t before = __atomic_load_n(flags, __ATOMIC_RELAXED);
    do {
        if (before & (SHAREABLE | PENDING))
            return SKIPPED;
        if (!(before & AUTOSHARE))
            return BLOCKED;
    } while (!__atomic_compare_exchange_n(flags, &before, before | PENDING, false, __ATOMIC_ACQ_REL,
                                          __ATOMIC_RELAXED));
    return CLAIMED;
}

ALWAYS_INLINE enum Claimed claim_in_table(uint8_t *byte)
{
    uint8_t before = __atomic_load_n(byte, __ATOMIC_RELAXED);
    do {
        if (before & (SIDE_SHAREABLE | SIDE_PENDING))
            return SKIPPED;
        if (!(before & SIDE_AUTOSHARE))
            return BLOCKED;
    } while (!__atomic_compare_exchange_n(byte, &before, before | SIDE_PENDING, false,
                                          __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
    return CLAIMED;
}

ALWAYS_INLINE enum Claimed claim_object(uint8_t *side, Object *object, Kind kind)
{
    if (kind.flags == PEER_HEADER)
        return claim_in_header(&object->flags);
    return claim_in_table(&side[(Value)object >> SLOT_SHIFT]);
}

ALWAYS_INLINE size_t claim_graph(Peer *peer, Value root, Kind kind)
{
    Pending pending = {.top = peer->worklist, .bottom = peer->worklist};
    uint8_t *const side = peer->side;
    uintptr_t *next = peer->log.next, *end = peer->log.end;
    size_t claimed = 0;
    push(&pending, side, root, kind);
    for (;;) {
        Object *object = take(&pending, side, kind);
        if (!object) {
            if (is_done(&pending))
                break;
            continue;
        }
        enum Claimed outcome = claim_object(side, object, kind);
        if (outcome == SKIPPED)
            continue;
        if (outcome == BLOCKED)
            break;
        if (next == end) {
            peer_log_grow(&peer->log);
            next = peer->log.next;
            end = peer->log.end;
        }
        *next++ = (uintptr_t)object;
        claimed++;
        push_children(&pending, side, object, kind);
    }
    peer->log.next = next;
    return claimed;
}

#endif /* BENCH_PEER_WALKS_H */
