/*
 * Vectors.
 */

#include <string.h>

#include "condition.h"
#include "primitives.h"
#include "remote.h"
#include "vm.h"

static Value vector(Thread *thread, Value *arguments, size_t count)
{
    Value result = make_vector(thread, count, NIL);
    if (result != FAILED)
        memcpy(vector_of(result)->elements, arguments, count * sizeof(Value));
    return result;
}

static Value make(Thread *thread, Value *arguments, size_t count)
{
    if (!check_index(thread, arguments[0], (size_t)1 << 32))
        return FAILED;
    return make_vector(thread, (size_t)fixnum_number(arguments[0]),
                       count == 2 ? arguments[1] : NIL);
}

static bool check_element(Thread *thread, const Value *arguments)
{
    return check_index(thread, arguments[1], vector_of(arguments[0])->length);
}

static Value get_elsewhere(Thread *thread, const Value *arguments)
{
    if (!check_index(thread, arguments[1], SIZE_MAX))
        return FAILED;
    return remote_element(thread, arguments[0], TYPE_VECTOR, (uint64_t)fixnum_number(arguments[1]));
}

static Value get(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    if (!is_type(arguments[0], TYPE_VECTOR))
        return get_elsewhere(thread, arguments);
    if (!check_element(thread, arguments))
        return FAILED;
    return vector_of(arguments[0])->elements[fixnum_number(arguments[1])];
}

static Value set_elsewhere(Thread *thread, const Value *arguments)
{
    if (!check_index(thread, arguments[1], SIZE_MAX))
        return FAILED;
    return remote_set_element(thread, arguments[0], TYPE_VECTOR,
                              (uint64_t)fixnum_number(arguments[1]), &arguments[2]);
}

static Value set(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    if (!is_type(arguments[0], TYPE_VECTOR))
        return set_elsewhere(thread, arguments);
    if (!check_element(thread, arguments) || !may_write(thread, arguments[0]))
        return FAILED;
    store_field(&vector_of(arguments[0])->elements[fixnum_number(arguments[1])], arguments[2]);
    return arguments[2];
}

static Value push(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    bool pushed = check_type(thread, arguments[0], TYPE_VECTOR) &&
                  may_write(thread, arguments[0]) &&
                  vector_push(thread, arguments[0], arguments[1]);
    return pushed ? arguments[0] : FAILED;
}

static Value pop(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    if (!check_type(thread, arguments[0], TYPE_VECTOR) || !may_write(thread, arguments[0]))
        return FAILED;
    Vector *vector = vector_of(arguments[0]);
    if (vector->length == 0)
        return NIL;
    store_field(&vector->length, vector->length - 1);
    return vector->elements[vector->length];
}

static Value length(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    return is_type(arguments[0], TYPE_VECTOR) ? fixnum((intptr_t)vector_of(arguments[0])->length)
                                              : remote_length(thread, arguments[0], TYPE_VECTOR);
}

static Value test_vector(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    return truth(is_type(arguments[0], TYPE_VECTOR) ||
                 remote_is(thread->vm, arguments[0], TYPE_VECTOR));
}

static const Primitive primitives[] = {
    {"vector", vector, 0, ANY_NUMBER}, {"make-vector", make, 1, 2},    {"vector-ref", get, 2, 2},
    {"vector-set!", set, 3, 3},        {"vector-push!", push, 2, 2},   {"vector-pop!", pop, 1, 1},
    {"vector-length", length, 1, 1},   {"vector?", test_vector, 1, 1},
};

const PrimitiveTable vector_primitives = {primitives, sizeof primitives / sizeof primitives[0]};
