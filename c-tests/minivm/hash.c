#include "hash.h"

#include <stdlib.h>
#include <string.h>

#include "condition.h"
#include "equality.h"
#include "vm.h"

#define CAPACITY_LEAST 4

static uint32_t *index_of(HashTable *table)
{
    return (uint32_t *)(table->entries + table->capacity);
}

static size_t table_bytes(uint32_t capacity)
{
    return sizeof(HashTable) + capacity * (sizeof(HashEntry) + 2 * sizeof(uint32_t));
}

/* `capacity` is a power of two; the index has twice as many places. */
static HashTable *make_table(uint32_t capacity)
{
    HashTable *table = calloc(1, table_bytes(capacity));
    if (table != NULL) {
        table->capacity = capacity;
        table->index_mask = 2 * capacity - 1;
    }
    return table;
}

Value make_hash(Thread *thread, bool identity, Value default_procedure)
{
    HashTable *table = make_table(CAPACITY_LEAST);
    if (table == NULL)
        return raise_memory(thread);
    Value *scope = roots_open(thread);
    Value *procedure = root(thread, default_procedure);
    Hash *hash = (Hash *)heap_allocate(thread, TYPE_HASH, sizeof(Hash));
    Value kept = *procedure;
    roots_close(thread, scope);
    if (hash == NULL) {
        free(table);
        return raise_memory(thread);
    }
    heap_count_outside(thread, table_bytes(CAPACITY_LEAST));
    hash->table = table;
    hash->default_procedure = kept;
    hash->identity = identity;
    return (Value)hash;
}

static uint64_t mix(uint64_t word)
{
    word = (word ^ word >> 32) * UINT64_C(0x9e3779b97f4a7c15);
    return word ^ word >> 29;
}

static uint64_t hash_of_key(const Hash *hash, Value key)
{
    return mix(hash->identity ? (uint64_t)key : equality_hash(key));
}

static bool keys_match(const Hash *hash, Value one, Value other)
{
    return one == other || (!hash->identity && values_equal(one, other) == EQUAL);
}

static void put_in_index(HashTable *table, uint32_t entry)
{
    uint32_t *index = index_of(table);
    uint32_t place = (uint32_t)table->entries[entry].hash & table->index_mask;
    while (index[place] != 0)
        place = (place + 1) & table->index_mask;
    index[place] = entry + 1;
}

static HashEntry *find(const Hash *hash, Value key, uint64_t code)
{
    HashTable *table = hash->table;
    const uint32_t *index = index_of(table);
    for (uint32_t place = (uint32_t)code & table->index_mask; index[place] != 0;
         place = (place + 1) & table->index_mask) {
        HashEntry *entry = &table->entries[index[place] - 1];
        if (entry->key != UNBOUND && entry->hash == code && keys_match(hash, entry->key, key))
            return entry;
    }
    return NULL;
}

Value hash_get(Value value, Value key)
{
    const Hash *hash = hash_of(value);
    const HashEntry *entry = find(hash, key, hash_of_key(hash, key));
    return entry == NULL ? UNBOUND : entry->value;
}

static HashTable *copy_without_holes(const HashTable *table, uint32_t capacity)
{
    HashTable *copy = make_table(capacity);
    if (copy == NULL)
        return NULL;
    for (uint32_t i = 0; i < table->used; i++) {
        if (table->entries[i].key == UNBOUND)
            continue;
        copy->entries[copy->used] = table->entries[i];
        put_in_index(copy, copy->used++);
    }
    return copy;
}

Value hash_copy(Thread *thread, Value value)
{
    Value *scope = roots_open(thread);
    Value *original = root(thread, value);
    Value copy = make_hash(thread, hash_of(value)->identity, hash_of(value)->default_procedure);
    if (copy != FAILED) {
        const HashTable *table = hash_of(*original)->table;
        HashTable *entries = copy_without_holes(table, table->capacity);
        if (entries != NULL) {
            free(hash_of(copy)->table);
            hash_of(copy)->table = entries;
            heap_count_outside(thread, table_bytes(table->capacity));
        } else {
            copy = raise_memory(thread);
        }
    }
    roots_close(thread, scope);
    return copy;
}

static bool replace_table(Thread *thread, Hash *hash, uint32_t capacity)
{
    HashTable *before = hash->table;
    HashTable *table = copy_without_holes(before, capacity);
    if (table == NULL)
        return false;
    heap_count_outside(thread, table_bytes(capacity));
    store_field(&hash->table, table);
    free(before);
    return true;
}

static bool make_room(Thread *thread, Hash *hash)
{
    const HashTable *table = hash->table;
    if (table->used < table->capacity)
        return true;
    bool mostly_holes = table->holes > table->capacity / 2;
    return replace_table(thread, hash, mostly_holes ? table->capacity : table->capacity * 2);
}

bool hash_set(Thread *thread, Value value, Value key, Value content)
{
    Hash *hash = hash_of(value);
    uint64_t code = hash_of_key(hash, key);
    HashEntry *entry = find(hash, key, code);
    if (entry != NULL) {
        store_field(&entry->value, content);
        return true;
    }
    if (share_iterations(value) != 0) {
        raise_format(thread, "iteration-error", "a hash gains no entry during an iteration");
        return false;
    }
    if (!make_room(thread, hash)) {
        raise_memory(thread);
        return false;
    }
    HashTable *table = hash->table;
    entry = &table->entries[table->used];
    entry->hash = code;
    store_field(&entry->key, key);
    store_field(&entry->value, content);
    put_in_index(table, table->used);
    store_field(&table->used, table->used + 1);
    return true;
}

bool hash_remove(Value value, Value key)
{
    Hash *hash = hash_of(value);
    HashEntry *entry = find(hash, key, hash_of_key(hash, key));
    if (entry == NULL)
        return false;
    store_field(&entry->key, UNBOUND);
    store_field(&entry->value, NIL);
    hash->table->holes++;
    return true;
}

size_t hash_count(Value value)
{
    const HashTable *table = hash_of(value)->table;
    return table->used - table->holes;
}

static void close_holes(Thread *thread, Value value)
{
    if (hash_of(value)->table->holes == 0 || !share_before_change(thread, value))
        return;
    replace_table(thread, hash_of(value), hash_of(value)->table->capacity);
    share_after_change(thread, value);
}

bool hash_begin_iteration(Thread *thread, Value *value)
{
    if (load_field(&hash_of(*value)->sealed))
        return false;
    if (share_iterations(*value) == 0)
        close_holes(thread, *value);
    share_count_iteration(*value, 1);
    return true;
}

void hash_end_iteration(Value value, bool counted)
{
    if (counted)
        share_count_iteration(value, -1);
}

const HashEntry *hash_entry(Value value, size_t index)
{
    const HashTable *table = hash_of(value)->table;
    return index < table->used ? &table->entries[index] : NULL;
}

void hash_references(Hash *hash, ReferenceVisitor visit, void *data)
{
    visit(&hash->default_procedure, data);
    for (uint32_t i = 0; i < hash->table->used; i++) {
        visit(&hash->table->entries[i].key, data);
        visit(&hash->table->entries[i].value, data);
    }
}

void hash_index_again(Hash *hash)
{
    HashTable *table = hash->table;
    memset(index_of(table), 0, (table->index_mask + 1) * sizeof(uint32_t));
    for (uint32_t i = 0; i < table->used; i++) {
        table->entries[i].hash = hash_of_key(hash, table->entries[i].key);
        put_in_index(table, i);
    }
}

size_t hash_outside_bytes(const Hash *hash)
{
    return table_bytes(hash->table->capacity);
}
