/*
 * stack.h: a stack of values outside of the heap: what a walk over a graph has still to look at.
 * It stands in for recursion, so that depth costs memory and never the C stack.
 */

#ifndef MINIVM_STACK_H
#define MINIVM_STACK_H

#include <stddef.h>
#include <stdlib.h>

#include "value.h"

/* Empty if all is 0; `values` is to be freed. */
typedef struct ValueStack {
    Value *values;
    size_t count;
    size_t capacity;
} ValueStack;

/* False: no memory. */
static inline bool stack_push(ValueStack *stack, Value value)
{
    if (stack->count == stack->capacity) {
        size_t capacity = stack->capacity == 0 ? 64 : stack->capacity * 2;
        Value *values = realloc(stack->values, capacity * sizeof(Value));
        if (values == NULL)
            return false;
        stack->values = values;
        stack->capacity = capacity;
    }
    stack->values[stack->count++] = value;
    return true;
}

static inline Value stack_pop(ValueStack *stack)
{
    return stack->values[--stack->count];
}

#endif
