/*
 * primitives.h: procedures in C. Each file of primitives has one table; a primitive is an
 * immediate, the number of the table and of the entry.
 */

#ifndef MINIVM_PRIMITIVES_H
#define MINIVM_PRIMITIVES_H

#include "object.h"

/* The arguments stand on the root stack, so they stay valid across allocations; values that a
 * primitive reads out of them do not. */
typedef struct Primitive {
    const char *name;
    Value (*function)(Thread *thread, Value *arguments, size_t count);
    size_t minimum;
    size_t maximum;
} Primitive;

#define ANY_NUMBER SIZE_MAX

typedef struct PrimitiveTable {
    const Primitive *primitives;
    size_t count;
} PrimitiveTable;

extern const PrimitiveTable number_primitives;
extern const PrimitiveTable list_primitives;
extern const PrimitiveTable vector_primitives;
extern const PrimitiveTable string_primitives;
extern const PrimitiveTable hash_primitives;
extern const PrimitiveTable procedure_primitives;
extern const PrimitiveTable class_primitives;
extern const PrimitiveTable ractor_primitives;
extern const PrimitiveTable share_primitives;
extern const PrimitiveTable system_primitives;
extern const PrimitiveTable remote_primitives;

const Primitive *primitive_of(Value primitive);

/* Binds all primitives to their names. False: no memory. */
bool primitives_prepare(Vm *vm);

/* Type checks of arguments: false with a type-error pending. */
bool check_type(Thread *thread, Value value, enum Type type);
bool check_symbol(Thread *thread, Value value);
bool check_procedure(Thread *thread, Value value);
/* An integer from 0 to `limit` - 1: else a type-error or a range-error. */
bool check_index(Thread *thread, Value value, size_t limit);

/* An association list of numbers by their names: the last one comes first. Its place on the root
 * stack is the caller's to close. */
typedef struct NamedCount {
    const char *name;
    uint64_t number;
} NamedCount;

Value list_of_counts(Thread *thread, const NamedCount *counts, size_t count);

/* FAILED with a condition pending: one of them is no number, or the sum is too big. */
Value add_numbers(Thread *thread, Value one, Value other);

/* How many elements a list has, parts in other processes included; FAILED with a type-error
 * pending. */
Value length_of_list(Thread *thread, Value list);

#endif
