#include "heap.h"

#include <string.h>
#include <sys/mman.h>

#include "gc.h"
#include "vm.h"

#define THRESHOLD_LEAST ((size_t)16 << 20)
#define COUNT_STEP ((size_t)64 << 10)

bool heap_prepare(Heap *heap)
{
    size_t blocks = MINIVM_HEAP_BYTES / BLOCK_BYTES;
    char *start = mmap(NULL, MINIVM_HEAP_BYTES, PROT_NONE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED)
        return false;
    Block *states = mmap(NULL, blocks * sizeof(Block), PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (states == MAP_FAILED) {
        munmap(start, MINIVM_HEAP_BYTES);
        return false;
    }
    heap->start = start;
    heap->blocks = states;
    heap->block_limit = blocks;
    heap->threshold = THRESHOLD_LEAST;
    pthread_mutex_init(&heap->lock, NULL);
    return true;
}

static void finish_block(Heap *heap, Block *block)
{
    char *memory = block_memory(heap, block);
    for (size_t at = 0; at < block->used_bytes; at += block->cell_bytes)
        object_finish((Object *)(memory + at));
}

void heap_finish(Heap *heap)
{
    for (size_t i = 0; i < heap->block_count; i++)
        if (heap->blocks[i].cell_bytes != 0)
            finish_block(heap, &heap->blocks[i]);
    munmap(heap->blocks, heap->block_limit * sizeof(Block));
    munmap(heap->start, MINIVM_HEAP_BYTES);
    pthread_mutex_destroy(&heap->lock);
}

static void append_block(BlockList *list, Block *block)
{
    block->next = NULL;
    if (list->first == NULL)
        list->first = block;
    else
        list->last->next = block;
    list->last = block;
}

static Block *take_block(BlockList *list)
{
    Block *block = list->first;
    if (block != NULL)
        list->first = block->next;
    return block;
}

void heap_offer_block(Heap *heap, Block *block)
{
    bool has_room = block->free != NULL || block->used_bytes + block->cell_bytes <= BLOCK_BYTES;
    if (has_room)
        append_block(&heap->available[block->cell_bytes / GRANULE_BYTES], block);
}

void heap_retire_block(Heap *heap, Block *block, bool guarded)
{
    char *memory = block_memory(heap, block);
    madvise(memory, BLOCK_BYTES, MADV_DONTNEED);
    if (guarded)
        mprotect(memory, BLOCK_BYTES, PROT_NONE);
    *block = (Block){0};
    append_block(&heap->unused, block);
}

/* With the moving collector addresses are used again only when there are no fresh ones, so that a
 * stale pointer meets inaccessible memory; otherwise at once. */
static Block *unused_block(Heap *heap, bool moving)
{
    Block *block = &heap->blocks[heap->block_count];
    bool is_fresh = heap->block_count < heap->block_limit && (moving || heap->unused.first == NULL);
    if (is_fresh)
        heap->block_count++;
    else
        block = take_block(&heap->unused);
    if (block == NULL ||
        mprotect(block_memory(heap, block), BLOCK_BYTES, PROT_READ | PROT_WRITE) != 0)
        return NULL;
    return block;
}

static Block *next_block(Heap *heap, size_t cell_class, bool moving)
{
    pthread_mutex_lock(&heap->lock);
    Block *block = take_block(&heap->available[cell_class]);
    if (block == NULL) {
        block = unused_block(heap, moving);
        if (block != NULL)
            block->cell_bytes = (uint32_t)(cell_class * GRANULE_BYTES);
    }
    pthread_mutex_unlock(&heap->lock);
    return block;
}

static Object *cell_of_block(Heap *heap, Block *block)
{
    FreeCell *cell = block->free;
    if (cell != NULL) {
        block->free = cell->next;
        return &cell->header;
    }
    if (block->used_bytes + block->cell_bytes > BLOCK_BYTES)
        return NULL;
    char *unused = block_memory(heap, block) + block->used_bytes;
    block->used_bytes += block->cell_bytes;
    return (Object *)unused;
}

static Object *cell_of_class(Heap *heap, Allocator *allocator, size_t cell_class, bool moving)
{
    for (;;) {
        Block *block = allocator->current[cell_class];
        Object *cell = block == NULL ? NULL : cell_of_block(heap, block);
        if (cell != NULL)
            return cell;
        block = next_block(heap, cell_class, moving);
        if (block == NULL)
            return NULL;
        allocator->current[cell_class] = block;
    }
}

static size_t class_of(size_t bytes)
{
    return (bytes + GRANULE_BYTES - 1) / GRANULE_BYTES;
}

Object *heap_cell(Heap *heap, Allocator *allocator, size_t bytes)
{
    return cell_of_class(heap, allocator, class_of(bytes), true);
}

void heap_release_allocator(Heap *heap, Allocator *allocator)
{
    pthread_mutex_lock(&heap->lock);
    for (size_t i = 0; i < CELL_CLASSES; i++)
        if (allocator->current[i] != NULL)
            heap_offer_block(heap, allocator->current[i]);
    pthread_mutex_unlock(&heap->lock);
    *allocator = (Allocator){0};
}

void heap_count_outside(Thread *thread, size_t bytes)
{
    Heap *heap = &thread->vm->heap;
    thread->allocator.allocated += bytes;
    if (thread->allocator.allocated >= COUNT_STEP) {
        atomic_fetch_add_explicit(&heap->allocated, thread->allocator.allocated,
                                  memory_order_relaxed);
        thread->allocator.allocated = 0;
    }
}

void heap_set_threshold(Heap *heap, size_t surviving_bytes)
{
    heap->threshold = surviving_bytes < THRESHOLD_LEAST ? THRESHOLD_LEAST : surviving_bytes;
    atomic_store_explicit(&heap->allocated, 0, memory_order_relaxed);
    heap->collections++;
}

static bool collection_is_due(const Thread *thread)
{
    const Vm *vm = thread->vm;
    if (thread->collection_forbidden != 0)
        return false;
    return (vm->options.collector & COLLECT_ALWAYS) != 0 ||
           atomic_load_explicit(&vm->heap.allocated, memory_order_relaxed) >= vm->heap.threshold;
}

Object *heap_allocate(Thread *thread, enum Type type, size_t bytes)
{
    Vm *vm = thread->vm;
    bool moving = (vm->options.collector & COLLECT_MOVING) != 0;
    if (collection_is_due(thread))
        gc_collect(thread);
    else if (thread->collection_forbidden == 0)
        safepoint(thread);
    size_t cell_class = class_of(bytes);
    Object *object = cell_of_class(&vm->heap, &thread->allocator, cell_class, moving);
    if (object == NULL && thread->collection_forbidden == 0) {
        gc_collect(thread);
        object = cell_of_class(&vm->heap, &thread->allocator, cell_class, moving);
    }
    if (object == NULL)
        return NULL;
    heap_count_outside(thread, cell_class * GRANULE_BYTES);
    memset(object, 0, bytes);
    object->type = type;
    return object;
}
