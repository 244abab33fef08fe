/*
 * peer_walks.h: the two walks of peer.c as one text each, to be compiled for one way of prefetching
 * and one placement of the flags at a time: both are constants wherever these are inlined.
 */

#ifndef BENCH_PEER_WALKS_H
#define BENCH_PEER_WALKS_H

#include "peer.h"

#include <stdlib.h>

#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define QUEUE_MOST 32

/* Words in a chunk of the log. */
#define LOG_CHUNK 4096

/* What is to be visited: a stack, and the queue that its values pass through. */
typedef struct Pending {
    Value *top;
    Value *bottom;
    Value queue[QUEUE_MOST];
    unsigned first;
    unsigned length;
} Pending;

ALWAYS_INLINE unsigned queue_size(enum PeerPrefetch way)
{
    switch (way) {
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

ALWAYS_INLINE void prefetch(const Peer *peer, Value value, enum PeerFlags flags)
{
    __builtin_prefetch((void *)value, 1);
    if (flags == PEER_SIDE)
        __builtin_prefetch(&peer->side[value >> SLOT_SHIFT], 1);
}

ALWAYS_INLINE void push(Pending *pending, const Peer *peer, Value value, enum PeerPrefetch way,
                        enum PeerFlags flags)
{
    if (way == PREFETCH_AT_PUSH)
        prefetch(peer, value, flags);
    /* Without a branch: whether a word is an object is hard to predict. */
    *pending->top = value;
    pending->top += is_object(value);
}

/* The next object; NULL if there is none. */
ALWAYS_INLINE Object *pop(Pending *pending, const Peer *peer, enum PeerPrefetch way,
                          enum PeerFlags flags)
{
    const unsigned size = queue_size(way);
    if (size == 0)
        return pending->top == pending->bottom ? NULL : as_object(*--pending->top);
    if (pending->top != pending->bottom) {
        Value value = *--pending->top;
        prefetch(peer, value, flags);
        unsigned place = (pending->first + pending->length) % size;
        if (pending->length < size) {
            pending->queue[place] = value;
            pending->length++;
            return as_object(0);
        }
        Value next = pending->queue[pending->first];
        pending->queue[pending->first] = value;
        pending->first = (pending->first + 1) % size;
        return as_object(next);
    }
    if (pending->length == 0)
        return NULL;
    Value next = pending->queue[pending->first];
    pending->first = (pending->first + 1) % size;
    pending->length--;
    return as_object(next);
}

ALWAYS_INLINE bool is_done(const Pending *pending)
{
    return pending->top == pending->bottom && pending->length == 0;
}

ALWAYS_INLINE void push_children(Pending *pending, const Peer *peer, const Object *object,
                                 enum PeerPrefetch way, enum PeerFlags flags)
{
    switch (object->type) {
    case CONS:
        push(pending, peer, object->as.fields[1], way, flags);
        push(pending, peer, object->as.fields[0], way, flags);
        break;
    case RECORD:
        push(pending, peer, object->as.fields[2], way, flags);
        push(pending, peer, object->as.fields[1], way, flags);
        push(pending, peer, object->as.fields[0], way, flags);
        break;
    case VECTOR:
        for (size_t index = object->as.vector.length; index-- > 0;)
            push(pending, peer, object->as.vector.elements[index], way, flags);
        break;
    default:
        break;
    }
}

ALWAYS_INLINE bool mark_object(Peer *peer, Object *object, enum PeerFlags flags)
{
    if (flags == PEER_HEADER) {
        if (object->flags & MARKED)
            return false;
        object->flags |= MARKED;
        return true;
    }
    uint8_t *byte = &peer->side[(Value)object >> SLOT_SHIFT];
    if (*byte)
        return false;
    *byte = 1;
    return true;
}

ALWAYS_INLINE size_t mark_graph(Peer *peer, Value root, enum PeerPrefetch way, enum PeerFlags flags)
{
    Pending pending = {.top = peer->worklist, .bottom = peer->worklist};
    size_t marked = 0;
    push(&pending, peer, root, way, flags);
    while (!is_done(&pending)) {
        Object *object = pop(&pending, peer, way, flags);
        if (!object || !mark_object(peer, object, flags))
            continue;
        marked++;
        push_children(&pending, peer, object, way, flags);
    }
    return marked;
}

void peer_log_grow(PeerLog *log);

ALWAYS_INLINE void log_append(PeerLog *log, uintptr_t word)
{
    if (log->used == LOG_CHUNK)
        peer_log_grow(log);
    log->chunks[log->chunks_length - 1][log->used++] = word;
}

/* The flags' masks in the byte of the table, small; in the header the host's. */
#define SIDE_FROZEN 1u
#define SIDE_SHAREABLE 2u
#define SIDE_AUTOSHARE 4u
#define SIDE_PENDING 8u

/* Claims what is A; false if it is shareable or claimed already. */
ALWAYS_INLINE bool claim_object(Peer *peer, Object *object, enum PeerFlags flags, bool *blocked)
{
    if (flags == PEER_HEADER) {
        uint32_t before = __atomic_load_n(&object->flags, __ATOMIC_RELAXED);
        do {
            if (before & (SHAREABLE | PENDING))
                return false;
            if (!(before & AUTOSHARE)) {
                *blocked = true;
                return false;
            }
        } while (!__atomic_compare_exchange_n(&object->flags, &before, before | PENDING, false,
                                              __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
        return true;
    }
    uint8_t *byte = &peer->side[(Value)object >> SLOT_SHIFT];
    uint8_t before = __atomic_load_n(byte, __ATOMIC_RELAXED);
    do {
        if (before & (SIDE_SHAREABLE | SIDE_PENDING))
            return false;
        if (!(before & SIDE_AUTOSHARE)) {
            *blocked = true;
            return false;
        }
    } while (!__atomic_compare_exchange_n(byte, &before, before | SIDE_PENDING, false,
                                          __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
    return true;
}

ALWAYS_INLINE size_t claim_graph(Peer *peer, Value root, enum PeerPrefetch way,
                                 enum PeerFlags flags)
{
    Pending pending = {.top = peer->worklist, .bottom = peer->worklist};
    size_t claimed = 0;
    bool blocked = false;
    push(&pending, peer, root, way, flags);
    while (!is_done(&pending)) {
        Object *object = pop(&pending, peer, way, flags);
        if (!object)
            continue;
        if (!claim_object(peer, object, flags, &blocked)) {
            if (blocked)
                return claimed;
            continue;
        }
        log_append(&peer->log, (uintptr_t)object);
        claimed++;
        push_children(&pending, peer, object, way, flags);
    }
    return claimed;
}

#endif /* BENCH_PEER_WALKS_H */
