#include "gc.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "ractor.h"
#include "record.h"
#include "remote.h"
#include "stack.h"
#include "watch.h"

static void out_of_memory(void)
{
    fputs("minivm: no memory for the collector\n", stderr);
    abort();
}

/* Marks an object, and remembers to look into it. */
static void mark_value(Value value, ValueStack *stack)
{
    if (!is_object(value) || (object_of(value)->type & TYPE_MARKED) != 0)
        return;
    object_of(value)->type |= TYPE_MARKED;
    if (!stack_push(stack, value))
        out_of_memory();
}

/* What has replaced a remote object takes its place. */
static void mark_place(Value *place, void *stack)
{
    if (is_remote(*place))
        *place = remote_replacement(*place);
    mark_value(*place, stack);
}

static void mark_library_root(void *stack, rs_value value)
{
    mark_value(value, stack);
}

static void visit_thread_roots(Vm *vm, ReferenceVisitor visit, void *data)
{
    for (Thread *thread = vm->world.threads; thread != NULL; thread = thread->place.next) {
        for (Value *place = thread->roots; place < thread->roots_top; place++)
            visit(place, data);
        visit(&thread->condition, data);
    }
}

static void visit_roots(Vm *vm, ReferenceVisitor visit, void *data)
{
    visit_thread_roots(vm, visit, data);
    variables_references(&vm->variables, visit, data);
    ractors_references(vm->ractors, visit, data);
    links_references(&vm->links, visit, data);
}

static uint32_t is_marked(void *data, rs_value object)
{
    (void)data;
    return (object_of(object)->type & TYPE_MARKED) != 0;
}

static void mark_reached(ValueStack *stack)
{
    while (stack->count != 0)
        object_references(object_of(stack_pop(stack)), mark_place, stack);
}

/* The library learns what the program itself needs, before what only peers need is marked too. */
static void mark_and_summarise(Vm *vm, ValueStack *stack)
{
    share_visit_own_roots(&vm->share, mark_library_root, stack);
    mark_reached(stack);
    share_summarise(&vm->share, is_marked);
}

static void mark(Vm *vm)
{
    ValueStack stack = {0};
    visit_roots(vm, mark_place, &stack);
    if (vm->links.wants_summary)
        mark_and_summarise(vm, &stack);
    share_visit_roots(&vm->share, mark_library_root, &stack);
    mark_reached(&stack);
    free(stack.values);
}

/* What the next threshold is computed from. */
typedef struct Survivors {
    size_t bytes;
    size_t objects;
} Survivors;

static void free_cell(Vm *vm, Object *object)
{
    object_finish(object);
    share_object_freed(&vm->share, (Value)object);
    object->type = TYPE_FREE;
}

static void sweep_block(Vm *vm, Block *block, Survivors *survivors)
{
    char *memory = block_memory(&vm->heap, block);
    size_t objects_before = survivors->objects;
    block->free = NULL;
    for (size_t at = 0; at < block->used_bytes; at += block->cell_bytes) {
        Object *object = (Object *)(memory + at);
        if ((object->type & TYPE_MARKED) != 0) {
            object->type &= ~TYPE_MARKED;
            survivors->objects++;
            survivors->bytes += block->cell_bytes + object_outside_bytes(object);
            continue;
        }
        if (object->type != TYPE_FREE)
            free_cell(vm, object);
        FreeCell *cell = (FreeCell *)object;
        cell->next = block->free;
        block->free = cell;
    }
    if (survivors->objects == objects_before)
        heap_retire_block(&vm->heap, block, false);
    else
        heap_offer_block(&vm->heap, block);
}

static void sweep(Vm *vm, Survivors *survivors)
{
    for (size_t i = 0; i < vm->heap.block_count; i++)
        if (vm->heap.blocks[i].cell_bytes != 0)
            sweep_block(vm, &vm->heap.blocks[i], survivors);
}

static Value forwarded(Value value)
{
    if (!is_object(value) || (object_of(value)->type & TYPE_MOVED) == 0)
        return value;
    return ((MovedObject *)value)->place;
}

static void forward_place(Value *place, void *data)
{
    (void)data;
    *place = forwarded(*place);
}

static rs_value forward_for_library(void *data, rs_value object)
{
    (void)data;
    return forwarded(object);
}

static void move_object(Vm *vm, Allocator *allocator, Object *from, size_t bytes)
{
    Object *to = heap_cell(&vm->heap, allocator, bytes);
    if (to == NULL)
        out_of_memory();
    from->type &= ~TYPE_MARKED;
    memcpy(to, from, bytes);
    from->type |= TYPE_MOVED;
    ((MovedObject *)from)->place = (Value)to;
    share_object_moved(&vm->share, (Value)from, (Value)to);
}

static void evacuate_block(Vm *vm, Allocator *allocator, Block *block, Survivors *survivors)
{
    char *memory = block_memory(&vm->heap, block);
    for (size_t at = 0; at < block->used_bytes; at += block->cell_bytes) {
        Object *object = (Object *)(memory + at);
        if ((object->type & TYPE_MARKED) != 0) {
            survivors->objects++;
            survivors->bytes += block->cell_bytes + object_outside_bytes(object);
            move_object(vm, allocator, object, block->cell_bytes);
        } else if (object->type != TYPE_FREE) {
            free_cell(vm, object);
        }
    }
}

static void update_block(Vm *vm, Block *block)
{
    char *memory = block_memory(&vm->heap, block);
    for (size_t at = 0; at < block->used_bytes; at += block->cell_bytes) {
        Object *object = (Object *)(memory + at);
        object_references(object, forward_place, NULL);
        object_moved(object);
    }
}

/* Blocks that copies went to have indices of their own: `evacuating` tells them from the rest. */
static void move(Vm *vm, Survivors *survivors)
{
    Heap *heap = &vm->heap;
    Allocator copies = {0};
    size_t before = heap->block_count;
    for (size_t i = 0; i < before; i++)
        heap->blocks[i].evacuating = heap->blocks[i].cell_bytes != 0;
    for (size_t i = 0; i < before; i++)
        if (heap->blocks[i].evacuating)
            evacuate_block(vm, &copies, &heap->blocks[i], survivors);
    visit_roots(vm, forward_place, NULL);
    share_update(&vm->share, forward_for_library);
    for (size_t i = 0; i < heap->block_count; i++)
        if (heap->blocks[i].cell_bytes != 0 && !heap->blocks[i].evacuating)
            update_block(vm, &heap->blocks[i]);
    for (size_t i = 0; i < before; i++)
        if (heap->blocks[i].evacuating)
            heap_retire_block(heap, &heap->blocks[i], true);
    heap_release_allocator(heap, &copies);
}

static rs_value replacement_for_library(void *data, rs_value object)
{
    (void)data;
    return remote_replacement(object);
}

/* Keys may have been replaced. */
static void index_hashes_again(Vm *vm, const Block *block)
{
    char *memory = block_memory(&vm->heap, block);
    for (size_t at = 0; at < block->used_bytes; at += block->cell_bytes) {
        Object *object = (Object *)(memory + at);
        if (object->type == (TYPE_HASH | TYPE_MARKED))
            hash_index_again((Hash *)object);
    }
}

/* Like `mark`, when remote objects were replaced: what the library refers to is replaced first. */
static void mark_and_replace(Vm *vm)
{
    share_update(&vm->share, replacement_for_library);
    mark(vm);
    for (size_t i = 0; i < vm->heap.block_count; i++)
        if (vm->heap.blocks[i].cell_bytes != 0)
            index_hashes_again(vm, &vm->heap.blocks[i]);
    vm->links.has_replaced = false;
}

static void forget_allocation(Vm *vm)
{
    memset(vm->heap.available, 0, sizeof vm->heap.available);
    for (Thread *thread = vm->world.threads; thread != NULL; thread = thread->place.next)
        thread->allocator = (Allocator){0};
}

static void collect(Vm *vm)
{
    Survivors survivors = {0};
    watches_forget_ended(&vm->links);
    if (vm->links.has_replaced)
        mark_and_replace(vm);
    else
        mark(vm);
    share_sweep(&vm->share, is_marked);
    forget_allocation(vm);
    if ((vm->options.collector & COLLECT_MOVING) != 0)
        move(vm, &survivors);
    else
        sweep(vm, &survivors);
    heap_set_threshold(&vm->heap, survivors.bytes);
}

void gc_collect(Thread *thread)
{
    world_stop(thread);
    collect(thread->vm);
    world_resume(thread);
}

/* Only places that are marked are replaced, so that comes first: the summary sees all places. */
rs_status gc_collect_and_summarise(void *context)
{
    Vm *vm = context;
    Thread *thread = thread_current();
    links_settle(thread);
    vm->links.wants_summary = true;
    gc_collect(thread);
    vm->links.wants_summary = false;
    return RS_OK;
}
