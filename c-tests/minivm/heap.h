/*
 * heap.h: where objects live: one reserved range of addresses, in blocks of cells of one size.
 *
 * The range is reserved once, so a side table over it is linear, and memory is used only for
 * blocks that were handed out. Each thread allocates from blocks of its own, without a lock. What
 * stands outside of the range (the elements of vectors, hashes and strings) comes from malloc and
 * is only counted here.
 */

#ifndef MINIVM_HEAP_H
#define MINIVM_HEAP_H

#include <pthread.h>
#include <stdatomic.h>

#include "object.h"

#ifndef MINIVM_HEAP_BYTES
#define MINIVM_HEAP_BYTES (UINT64_C(64) << 30)
#endif

#define GRANULE_BITS 4
#define GRANULE_BYTES (UINT32_C(1) << GRANULE_BITS)
#define BLOCK_BYTES (UINT32_C(1) << 15)
#define CELL_CLASSES (OBJECT_BYTES_MAX / GRANULE_BYTES + 1)

/* What stands in a cell that holds no object, and in one whose object has moved. */
typedef struct FreeCell {
    Object header;
    struct FreeCell *next;
} FreeCell;

typedef struct MovedObject {
    Object header;
    Value place;
} MovedObject;

/* A block's state is kept beside the blocks, so that their memory can be made inaccessible.
 * `cell_bytes` is 0 for a block that nobody uses. */
typedef struct Block {
    struct Block *next;
    FreeCell *free;
    uint32_t cell_bytes;
    /* Where the part begins that was never used. */
    uint32_t used_bytes;
    /* The objects of this block are moving to others. */
    bool evacuating;
} Block;

typedef struct BlockList {
    Block *first;
    Block *last;
} BlockList;

typedef struct Heap {
    char *start;
    Block *blocks;
    size_t block_limit;
    /* The blocks below this index have been in use. */
    size_t block_count;
    pthread_mutex_t lock;
    /* Blocks with free cells, and blocks without any object in the order in which they became
     * so: under the moving collector an address stays unused as long as possible. */
    BlockList available[CELL_CLASSES];
    BlockList unused;
    /* Bytes allocated since the last collection, and how many bring about the next one. */
    atomic_size_t allocated;
    size_t threshold;
    uint64_t collections;
} Heap;

/* A thread's own blocks. */
typedef struct Allocator {
    Block *current[CELL_CLASSES];
    /* Not yet added to the heap's count. */
    size_t allocated;
} Allocator;

bool heap_prepare(Heap *heap);
void heap_finish(Heap *heap);

/* A new object, zeroed but for its type. May collect before. NULL: no memory is left. */
Object *heap_allocate(Thread *thread, enum Type type, size_t bytes);

/* Takes note of memory outside of the heap. */
void heap_count_outside(Thread *thread, size_t bytes);

/* A cell for a copy of an object, from the collecting thread's blocks. NULL: no memory. */
Object *heap_cell(Heap *heap, Allocator *allocator, size_t bytes);

/* A thread's blocks go back to the heap. */
void heap_release_allocator(Heap *heap, Allocator *allocator);

static inline char *block_memory(const Heap *heap, const Block *block)
{
    return heap->start + (size_t)(block - heap->blocks) * BLOCK_BYTES;
}

static inline Block *block_of(const Heap *heap, Value object)
{
    return &heap->blocks[(object - (Value)heap->start) / BLOCK_BYTES];
}

/* The collector's: what survived decides when the next collection is due. */
void heap_set_threshold(Heap *heap, size_t surviving_bytes);

/* The collector's: puts a swept block where allocation finds it, or a block with nothing in it
 * among the unused ones, inaccessible if `guarded`. */
void heap_offer_block(Heap *heap, Block *block);
void heap_retire_block(Heap *heap, Block *block, bool guarded);

#endif
