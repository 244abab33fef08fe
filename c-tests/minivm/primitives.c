#include "primitives.h"

#include "condition.h"
#include "eval.h"
#include "remote.h"

static const PrimitiveTable *const tables[] = {
    &number_primitives, &list_primitives,      &vector_primitives, &string_primitives,
    &hash_primitives,   &procedure_primitives, &class_primitives,  &ractor_primitives,
    &share_primitives,  &system_primitives,    &remote_primitives,
};

#define TABLE_COUNT (sizeof tables / sizeof tables[0])
#define ENTRY_BITS 8

const Primitive *primitive_of(Value primitive)
{
    uintptr_t content = tagged_content(primitive);
    return &tables[content >> ENTRY_BITS]->primitives[content & ((1 << ENTRY_BITS) - 1)];
}

bool primitives_prepare(Vm *vm)
{
    for (size_t table = 0; table < TABLE_COUNT; table++)
        for (size_t i = 0; i < tables[table]->count; i++)
            if (!variable_provide(vm, tables[table]->primitives[i].name,
                                  tagged(table << ENTRY_BITS | i, PRIMITIVE_TAG)))
                return false;
    return true;
}

/* Adds `(name . number)` in front of a list that stands on the root stack. */
static bool add_count(Thread *thread, Value *list, const char *name, uint64_t number)
{
    Value symbol = symbol_named(thread->vm, name);
    Value pair = make_cons(thread, symbol, fixnum((intptr_t)number));
    *list = pair == FAILED ? FAILED : make_cons(thread, pair, *list);
    return *list != FAILED;
}

Value list_of_counts(Thread *thread, const NamedCount *counts, size_t count)
{
    Value *list = root(thread, NIL);
    for (size_t i = 0; i < count; i++)
        if (!add_count(thread, list, counts[i].name, counts[i].number))
            return FAILED;
    return *list;
}

bool check_type(Thread *thread, Value value, enum Type type)
{
    if (is_type(value, type))
        return true;
    raise_type(thread, type_name(type), value);
    return false;
}

bool check_symbol(Thread *thread, Value value)
{
    if (is_symbol(value))
        return true;
    raise_type(thread, "symbol", value);
    return false;
}

bool check_procedure(Thread *thread, Value value)
{
    if (is_procedure(value) || remote_is(thread->vm, value, TYPE_CLOSURE))
        return true;
    raise_type(thread, "procedure", value);
    return false;
}

bool check_index(Thread *thread, Value value, size_t limit)
{
    if (!is_fixnum(value)) {
        raise_type(thread, "integer", value);
        return false;
    }
    if (fixnum_number(value) >= 0 && (size_t)fixnum_number(value) < limit)
        return true;
    raise_format(thread, "range-error", "%jd is not an index below %zu",
                 (intmax_t)fixnum_number(value), limit);
    return false;
}
