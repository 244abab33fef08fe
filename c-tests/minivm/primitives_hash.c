/*
 * Hashes.
 */

#include "condition.h"
#include "eval.h"
#include "hash.h"
#include "primitives.h"
#include "remote.h"

static Value make_from(Thread *thread, bool identity, Value *arguments, size_t count)
{
    if (count % 2 != 0)
        return raise_format(thread, "argument-error", "a key without a value");
    Value *hash = root(thread, make_hash(thread, identity, NIL));
    for (size_t i = 0; *hash != FAILED && i < count; i += 2)
        if (!hash_set(thread, *hash, arguments[i], arguments[i + 1]))
            return FAILED;
    return *hash;
}

static Value make_by_equality(Thread *thread, Value *arguments, size_t count)
{
    return make_from(thread, false, arguments, count);
}

static Value make_by_identity(Thread *thread, Value *arguments, size_t count)
{
    return make_from(thread, true, arguments, count);
}

/* A missing key's value is what the default procedure returns for the hash and the key. */
static Value get(Thread *thread, Value *arguments, size_t count)
{
    if (!is_type(arguments[0], TYPE_HASH))
        return remote_hash_get(thread, arguments, count);
    Value value = hash_get(arguments[0], arguments[1]);
    if (value != UNBOUND)
        return value;
    if (count == 3)
        return arguments[2];
    Value procedure = hash_of(arguments[0])->default_procedure;
    return procedure == NIL ? NIL : call_procedure(thread, procedure, arguments, 2);
}

static Value set(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    if (!is_type(arguments[0], TYPE_HASH))
        return remote_hash_set(thread, arguments);
    bool is_set = may_write(thread, arguments[0]) &&
                  hash_set(thread, arguments[0], arguments[1], arguments[2]);
    return is_set ? arguments[2] : FAILED;
}

static Value remove_key(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    if (!check_type(thread, arguments[0], TYPE_HASH) || !may_write(thread, arguments[0]))
        return FAILED;
    return truth(hash_remove(arguments[0], arguments[1]));
}

static Value has_key(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    if (!is_type(arguments[0], TYPE_HASH))
        return remote_hash_has(thread, arguments);
    return truth(hash_get(arguments[0], arguments[1]) != UNBOUND);
}

static Value set_default(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    if (!check_type(thread, arguments[0], TYPE_HASH) || !may_write(thread, arguments[0]))
        return FAILED;
    store_field(&hash_of(arguments[0])->default_procedure, arguments[1]);
    return arguments[0];
}

static Value count_entries(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    return is_type(arguments[0], TYPE_HASH) ? fixnum((intptr_t)hash_count(arguments[0]))
                                            : remote_length(thread, arguments[0], TYPE_HASH);
}

static Value call_with_each(Thread *thread, const Value *hash, const Value *procedure)
{
    const HashEntry *entry;
    for (size_t i = 0; (entry = hash_entry(*hash, i)) != NULL; i++) {
        Value pair[] = {entry->key, entry->value};
        if (entry->key != UNBOUND && call_procedure(thread, *procedure, pair, 2) == FAILED)
            return FAILED;
    }
    return NIL;
}

static Value each(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    if (!check_type(thread, arguments[0], TYPE_HASH) || !check_procedure(thread, arguments[1]))
        return FAILED;
    bool counted = hash_begin_iteration(thread, &arguments[0]);
    Value result = call_with_each(thread, &arguments[0], &arguments[1]);
    hash_end_iteration(arguments[0], counted);
    return result;
}

static Value keys(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    if (!check_type(thread, arguments[0], TYPE_HASH))
        return FAILED;
    bool counted = hash_begin_iteration(thread, &arguments[0]);
    Value *result = root(thread, NIL);
    for (size_t i = hash_of(arguments[0])->table->used; i-- > 0 && *result != FAILED;)
        if (hash_entry(arguments[0], i)->key != UNBOUND)
            *result = make_cons(thread, hash_entry(arguments[0], i)->key, *result);
    hash_end_iteration(arguments[0], counted);
    return *result;
}

static Value test_hash(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    return truth(is_type(arguments[0], TYPE_HASH) ||
                 remote_is(thread->vm, arguments[0], TYPE_HASH));
}

static const Primitive primitives[] = {
    {"hash", make_by_equality, 0, ANY_NUMBER},
    {"identity-hash", make_by_identity, 0, ANY_NUMBER},
    {"hash-ref", get, 2, 3},
    {"hash-set!", set, 3, 3},
    {"hash-remove!", remove_key, 2, 2},
    {"hash-has?", has_key, 2, 2},
    {"hash-set-default!", set_default, 2, 2},
    {"hash-count", count_entries, 1, 1},
    {"hash-each", each, 2, 2},
    {"hash-keys", keys, 1, 1},
    {"hash?", test_hash, 1, 1},
};

const PrimitiveTable hash_primitives = {primitives, sizeof primitives / sizeof primitives[0]};
