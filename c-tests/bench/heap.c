/* heap.c: builds graphs. */

#include "heap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* A place that is still to be filled with a tree of so many objects. */
typedef struct Gap {
    Value *place;
    size_t objects;
} Gap;

typedef struct Builder {
    Heap *heap;
    size_t next_object;
    size_t next_element;
    Random random;
    Gap *gaps;
    size_t gaps_length;
    size_t gaps_capacity;
} Builder;

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

static void *checked(void *memory)
{
    if (!memory) {
        fputs("out of memory\n", stderr);
        exit(1);
    }
    return memory;
}

static Object *new_object(Builder *builder, enum Type type)
{
    size_t number = builder->next_object++;
    const Heap *heap = builder->heap;
    Object *object = &heap->slots[heap->order ? heap->order[number] : number];
    memset(object, 0, sizeof *object);
    object->type = type;
    return object;
}

static void add_gap(Builder *builder, Value *place, size_t objects)
{
    if (objects == 0) {
        *place = small_integer((intptr_t)builder->next_object);
        return;
    }
    if (builder->gaps_length == builder->gaps_capacity) {
        builder->gaps_capacity = builder->gaps_capacity ? builder->gaps_capacity * 2 : 1024;
        builder->gaps =
            checked(realloc(builder->gaps, builder->gaps_capacity * sizeof *builder->gaps));
    }
    builder->gaps[builder->gaps_length++] = (Gap){place, objects};
}

/* Gives each of the places a share of the objects, at random. Gaps are filled last in, first out:
 * the places are entered backwards, so that the first child is allocated first. */
static void split(Builder *builder, Value *places, size_t count, size_t objects)
{
    size_t shares[VECTOR_ELEMENTS] = {0};
    size_t left = objects;
    for (size_t index = 0; index + 1 < count; index++) {
        size_t fair = 2 * left / (count - index);
        shares[index] = fair ? random_below(&builder->random, fair + 1) : 0;
        if (shares[index] > left)
            shares[index] = left;
        left -= shares[index];
    }
    shares[count - 1] = left;
    for (size_t index = count; index-- > 0;)
        add_gap(builder, &places[index], shares[index]);
}

static void fill_vector(Builder *builder, Object *vector, size_t objects)
{
    Heap *heap = builder->heap;
    size_t cell = builder->next_element;
    builder->next_element += VECTOR_ELEMENTS;
    if (builder->next_element > heap->elements_capacity) {
        fputs("too many vectors\n", stderr);
        exit(1);
    }
    vector->as.vector.length = VECTOR_ELEMENTS;
    vector->as.vector.elements = &heap->elements[cell];
    split(builder, vector->as.vector.elements, VECTOR_ELEMENTS, objects);
}

/* One object at the gap, and gaps for the rest. */
static void fill(Builder *builder, Gap gap)
{
    size_t below = gap.objects - 1;
    size_t chance = random_below(&builder->random, 100);
    Object *object;
    if (below == 0) {
        object = new_object(builder, chance < 50 ? FLOAT : STRING);
        object->as.number = (double)chance;
    } else if (chance < 60) {
        object = new_object(builder, CONS);
        split(builder, object->as.fields, 2, below);
    } else if (chance < 85) {
        object = new_object(builder, RECORD);
        split(builder, object->as.fields, RECORD_FIELDS, below);
    } else {
        object = new_object(builder, VECTOR);
        fill_vector(builder, object, below);
    }
    *gap.place = (Value)object;
}

static void build_tree(Builder *builder, Value *place, size_t objects)
{
    add_gap(builder, place, objects);
    while (builder->gaps_length > 0)
        fill(builder, builder->gaps[--builder->gaps_length]);
}

static void build_list(Builder *builder, Value *place, size_t objects)
{
    for (size_t index = 0; index < objects; index++) {
        Object *cons = new_object(builder, CONS);
        cons->as.fields[0] = small_integer((intptr_t)index);
        *place = (Value)cons;
        place = &cons->as.fields[1];
    }
}

static void build_wide(Builder *builder, Value *place, size_t objects)
{
    Object *vector = new_object(builder, VECTOR);
    Value *elements = builder->heap->elements;
    size_t length = (objects - 1) * WIDE_STEP;
    vector->as.vector.length = length;
    vector->as.vector.elements = elements;
    for (size_t index = 0; index < length; index++)
        elements[index] =
            index % WIDE_STEP ? small_integer((intptr_t)index) : (Value)new_object(builder, FLOAT);
    *place = (Value)vector;
}

static size_t *shuffled_order(size_t objects, Random *random)
{
    size_t *order = checked(malloc(objects * sizeof *order));
    for (size_t index = 0; index < objects; index++)
        order[index] = index;
    for (size_t index = objects; index > 1; index--) {
        size_t other = random_below(random, index);
        size_t kept = order[index - 1];
        order[index - 1] = order[other];
        order[other] = kept;
    }
    return order;
}

static void allocate(Heap *heap, enum Shape shape, size_t objects, size_t elements)
{
    memset(heap, 0, sizeof *heap);
    heap->shape = shape;
    heap->capacity = objects;
    heap->slots = map(objects * sizeof(Object));
    heap->elements_capacity = elements;
    heap->elements = map(elements * sizeof(Value));
}

void heap_build(Heap *heap, enum Shape shape, size_t objects)
{
    size_t elements = shape == WIDE ? objects * WIDE_STEP : (objects / 2 + 1) * VECTOR_ELEMENTS;
    allocate(heap, shape, objects, elements);
    Random random = {.state = 17278};
    if (shape == SHUFFLED)
        heap->order = shuffled_order(objects, &random);
    heap_rebuild(heap, 0);
}

static Value build_arrays(Builder *builder, unsigned depth, unsigned width)
{
    Object *vector = new_object(builder, VECTOR);
    Value *elements = &builder->heap->elements[builder->next_element];
    if (depth == 0)
        return (Value)vector;
    builder->next_element += width;
    vector->as.vector.length = width;
    vector->as.vector.elements = elements;
    for (unsigned index = 0; index < width; index++)
        elements[index] = build_arrays(builder, depth - 1, width);
    return (Value)vector;
}

void heap_build_arrays(Heap *heap, unsigned depth, unsigned width)
{
    size_t level = 1, objects = 1;
    for (unsigned step = 0; step < depth; step++)
        objects += level *= width;
    allocate(heap, ARRAYS, objects, objects);
    Builder builder = {.heap = heap};
    heap->root = build_arrays(&builder, depth, width);
}

void heap_rebuild(Heap *heap, uint64_t seed)
{
    Builder builder = {.heap = heap, .random = {.state = 2020 + seed}};
    switch (heap->shape) {
    case LIST:
        build_list(&builder, &heap->root, heap->capacity);
        break;
    case WIDE:
        build_wide(&builder, &heap->root, heap->capacity);
        break;
    default:
        build_tree(&builder, &heap->root, heap->capacity);
        break;
    }
    free(builder.gaps);
}

void heap_free(Heap *heap)
{
    munmap(heap->slots, heap->capacity * sizeof(Object));
    munmap(heap->elements, heap->elements_capacity * sizeof(Value));
    free(heap->order);
}

void heap_clear_flags(Heap *heap)
{
    for (size_t index = 0; index < heap->capacity; index++)
        heap->slots[index].flags = 0;
}
