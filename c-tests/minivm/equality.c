#include "equality.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"

#define STEPS_MAX (UINT32_C(1) << 26)
#define HASHED_ELEMENTS 4

typedef struct Comparison {
    Pair *pairs;
    size_t count;
    size_t capacity;
    size_t steps;
} Comparison;

static enum Equality compare_later(Comparison *comparison, Value one, Value other)
{
    if (one == other)
        return EQUAL;
    if (!is_object(one) || !is_object(other) || object_type(one) != object_type(other))
        return DIFFERENT;
    if (comparison->count == comparison->capacity) {
        size_t capacity = comparison->capacity == 0 ? 64 : comparison->capacity * 2;
        Pair *pairs = realloc(comparison->pairs, capacity * sizeof(Pair));
        if (pairs == NULL)
            return UNDECIDED;
        comparison->pairs = pairs;
        comparison->capacity = capacity;
    }
    comparison->pairs[comparison->count++] = (Pair){one, other};
    return EQUAL;
}

static enum Equality compare_elements(Comparison *comparison, const Vector *one,
                                      const Vector *other)
{
    if (one->length != other->length)
        return DIFFERENT;
    enum Equality result = EQUAL;
    for (size_t i = 0; i < one->length && result == EQUAL; i++)
        result = compare_later(comparison, one->elements[i], other->elements[i]);
    return result;
}

static bool strings_equal(const String *one, const String *other)
{
    return one->length == other->length && memcmp(one->bytes, other->bytes, one->length) == 0;
}

static bool is_leaf(Value value)
{
    return !is_object(value) || object_type(value) == TYPE_STRING ||
           object_type(value) == TYPE_FLOAT;
}

/* Looking up a key that contains others would compare them in turn, without end if they contain
 * themselves: such a key is found only if it is the same object. */
static Value counterpart(Value hash, Value key)
{
    if (is_leaf(key))
        return hash_get(hash, key);
    const HashEntry *entry;
    for (size_t i = 0; (entry = hash_entry(hash, i)) != NULL; i++)
        if (entry->key == key)
            return entry->value;
    return UNBOUND;
}

static enum Equality compare_entries(Comparison *comparison, Value one, Value other)
{
    if (hash_count(one) != hash_count(other) || hash_of(one)->identity != hash_of(other)->identity)
        return DIFFERENT;
    const HashEntry *entry;
    enum Equality result = EQUAL;
    for (size_t i = 0; result == EQUAL && (entry = hash_entry(one, i)) != NULL; i++)
        if (entry->key != UNBOUND)
            result = compare_later(comparison, entry->value, counterpart(other, entry->key));
    return result;
}

static enum Equality compare_content(Comparison *comparison, Value one, Value other)
{
    switch (object_type(one)) {
    case TYPE_FLOAT:
        return float_number(one) == float_number(other) ? EQUAL : DIFFERENT;
    case TYPE_STRING:
        return strings_equal(string_of(one), string_of(other)) ? EQUAL : DIFFERENT;
    case TYPE_VECTOR:
        return compare_elements(comparison, vector_of(one), vector_of(other));
    case TYPE_HASH:
        return compare_entries(comparison, one, other);
    case TYPE_CONS: {
        enum Equality result = compare_later(comparison, cdr(one), cdr(other));
        return result == EQUAL ? compare_later(comparison, car(one), car(other)) : result;
    }
    default:
        return DIFFERENT;
    }
}

enum Equality values_equal(Value one, Value other)
{
    Comparison comparison = {0};
    enum Equality result = compare_later(&comparison, one, other);
    while (result == EQUAL && comparison.count != 0) {
        Pair pair = comparison.pairs[--comparison.count];
        result = comparison.steps++ == STEPS_MAX
                     ? UNDECIDED
                     : compare_content(&comparison, pair.name, pair.value);
    }
    free(comparison.pairs);
    return result;
}

static uint64_t mix_bytes(uint64_t hash, const void *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ ((const unsigned char *)bytes)[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/* What a value adds to the hash of a container: the content of leaves, the type of the rest. */
static uint64_t shallow_hash(Value value)
{
    if (!is_object(value))
        return (uint64_t)value;
    uint64_t hash = object_type(value);
    if (object_type(value) == TYPE_STRING)
        return mix_bytes(hash, string_of(value)->bytes, string_of(value)->length);
    if (object_type(value) == TYPE_FLOAT) {
        double number = float_number(value) + 0.0;
        return mix_bytes(hash, &number, sizeof number);
    }
    return hash;
}

uint64_t equality_hash(Value value)
{
    uint64_t hash = shallow_hash(value);
    if (is_cons(value)) {
        for (int i = 0; i < HASHED_ELEMENTS && is_cons(value); i++, value = cdr(value))
            hash = hash * 31 + shallow_hash(car(value));
    } else if (is_type(value, TYPE_VECTOR)) {
        const Vector *vector = vector_of(value);
        for (size_t i = 0; i < HASHED_ELEMENTS && i < vector->length; i++)
            hash = hash * 31 + shallow_hash(vector->elements[i]);
    }
    return hash;
}
