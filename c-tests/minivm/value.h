/*
 * value.h: a machine word of the Lisp: a fixnum, another immediate, or a pointer to an object.
 *
 *   ...1      fixnum, 63 bits
 *   ..00000   object (objects are aligned to 16 bytes, so the low five bits are 0 or 16)
 *   ..10000   object
 *   ..00110   symbol: the index of its name in the symbol table
 *   ..01110   primitive: its index in the table of primitives
 *   ..10110   operation on a record type: constructor, predicate, accessor or mutator
 *   others    nil, true and the marks below
 *
 * Whatever is no object is shared by all ractors without asking anybody.
 */

#ifndef MINIVM_VALUE_H
#define MINIVM_VALUE_H

#include <stdbool.h>
#include <stdint.h>

typedef uintptr_t Value;

#define NIL ((Value)0x02)
#define TRUTH ((Value)0x12)

/* A variable that holds nothing. */
#define UNBOUND ((Value)0x22)
/* What a function returns after it has raised: the condition is in `thread->condition`. */
#define FAILED ((Value)0x32)
/* What an evaluation step returns when the frame says what is to be evaluated next. */
#define TAIL ((Value)0x42)
/* In the environment of a ractor: a local variable of another ractor whose value it can't see. */
#define FOREIGN ((Value)0x52)

enum {
    IMMEDIATE_BITS = 5,
    IMMEDIATE_MASK = 31,
    SYMBOL_TAG = 6,
    PRIMITIVE_TAG = 14,
    OPERATION_TAG = 22,
};

/* For rs_pointers: bit i says that a value whose low five bits are i is an object. */
#define OBJECT_TAGS (UINT32_C(1) << 0 | UINT32_C(1) << 16)
#define LOWEST_OBJECT ((Value)4096)

static inline bool is_object(Value value)
{
    return (value & 15) == 0;
}

static inline bool is_fixnum(Value value)
{
    return (value & 1) != 0;
}

static inline Value fixnum(intptr_t number)
{
    return (Value)number << 1 | 1;
}

static inline intptr_t fixnum_number(Value value)
{
    return (intptr_t)value >> 1;
}

#define FIXNUM_MAX (INTPTR_MAX >> 1)
#define FIXNUM_MIN (INTPTR_MIN >> 1)

static inline bool is_tagged(Value value, unsigned tag)
{
    return (value & IMMEDIATE_MASK) == tag;
}

static inline Value tagged(uintptr_t content, unsigned tag)
{
    return content << IMMEDIATE_BITS | tag;
}

static inline uintptr_t tagged_content(Value value)
{
    return value >> IMMEDIATE_BITS;
}

static inline bool is_symbol(Value value)
{
    return is_tagged(value, SYMBOL_TAG);
}

static inline bool is_primitive(Value value)
{
    return is_tagged(value, PRIMITIVE_TAG);
}

static inline bool is_operation(Value value)
{
    return is_tagged(value, OPERATION_TAG);
}

static inline Value truth(bool condition)
{
    return condition ? TRUTH : NIL;
}

#endif
