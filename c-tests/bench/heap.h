/*
 * heap.h: the heap of the benchmark host, and the graphs that are walked.
 *
 * Objects look as they do in a VM with size classes: a header of a type and a flag word, then
 * fields inline, or a pointer to elements elsewhere. Every object stands in a slot of 32 bytes,
 * as in CRuby's heap, so that a graph can be laid out in the order of its allocation or
 * shuffled, with the same objects and the same memory.
 */

#ifndef BENCH_HEAP_H
#define BENCH_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A machine word: 0 is nil, an odd word a small integer, anything else the address of an object. */
typedef uintptr_t Value;

enum Type {
    CONS,   /* two fields inline */
    RECORD, /* three fields inline */
    VECTOR, /* elements behind a pointer */
    FLOAT,  /* no children */
    STRING, /* no children */
    TYPES,
};

enum Flag {
    FROZEN = 1u << 11,
    SHAREABLE = 1u << 8,
    AUTOSHARE = 1u << 6,
    PENDING = 1u << 7,
    MARKED = 1u << 5, /* what a plain mark sets */
};

typedef struct Object {
    uint32_t type;
    uint32_t flags;
    union {
        Value fields[3]; /* CONS, RECORD */
        struct {
            uint64_t length;
            Value *elements;
        } vector;
        double number;
        char text[24];
    } as;
} Object;

#define SLOT_SHIFT 5
#define RECORD_FIELDS 3
#define VECTOR_ELEMENTS 8
#define WIDE_STEP 16

enum Shape {
    TREE,     /* objects lie in the order in which they were allocated, parents first */
    SHUFFLED, /* the same tree, addresses permuted at random */
    LIST,     /* conses, each holding the next; car is an integer */
    WIDE,     /* one vector, in which every WIDE_STEPth element is a float, and integers between */
    ARRAYS,   /* vectors of vectors, all as wide and as deep */
};

typedef struct Heap {
    Object *slots;
    size_t capacity; /* objects; all of them are part of the graph */
    Value *elements; /* of vectors */
    size_t elements_capacity;
    Value root;
    enum Shape shape;
    size_t *order; /* SHUFFLED: object number to slot */
} Heap;

static inline bool is_object(Value value)
{
    return value != 0 && (value & 1) == 0;
}

static inline Object *as_object(Value value)
{
    return (Object *)value;
}

static inline Value small_integer(intptr_t number)
{
    return (Value)number << 1 | 1;
}

/* A graph of `objects` objects in fresh memory. Ends the program if memory is missing. */
void heap_build(Heap *heap, enum Shape shape, size_t objects);
/* A tree of vectors, `width` to each but those at `depth`, which are empty. */
void heap_build_arrays(Heap *heap, unsigned depth, unsigned width);
/* Not for ARRAYS: another graph of the same shape and size in the same memory, which depends on the
 * seed. */
void heap_rebuild(Heap *heap, uint64_t seed);
void heap_free(Heap *heap);

/* Clears all flags of all objects. */
void heap_clear_flags(Heap *heap);

/* A sequence of numbers that looks random and is the same in each run. */
typedef struct Random {
    uint64_t state;
} Random;

static inline uint64_t random_next(Random *random)
{
    uint64_t mixed = random->state += 0x9e3779b97f4a7c15;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
    return mixed ^ mixed >> 31;
}

/* Less than `limit`, which is at most 2^32. */
static inline size_t random_below(Random *random, size_t limit)
{
    return (size_t)((random_next(random) >> 32) * limit >> 32);
}

#endif /* BENCH_HEAP_H */
