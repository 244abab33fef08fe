/*
 * hash.h: ordered hash tables.
 *
 * Everything that a reader needs hangs on one pointer: the entries in the order of insertion, and
 * behind them an index of their places, probed linearly. A removed entry leaves a hole (its key is
 * UNBOUND). A table is replaced as a whole when it is full.
 *
 * Iterating over a hash closes its holes first: a read that rearranges entries. That is no write to
 * the Lisp program, so it goes between rs_before_change and rs_after_change and leaves the hash's
 * sharing state alone. While an iteration is under way the hash gains no entry; that one is under
 * way is counted in the flag word of the hash. Once the hash is shareable its table stays as it is,
 * and nobody counts.
 */

#ifndef MINIVM_HASH_H
#define MINIVM_HASH_H

#include "object.h"

typedef struct HashEntry {
    Value key;
    Value value;
    uint64_t hash;
} HashEntry;

typedef struct HashTable {
    uint32_t capacity;
    /* Entries in use, holes included; and how many of them are holes. */
    uint32_t used;
    uint32_t holes;
    /* The index has `index_mask` + 1 places, after the entries; 0 is free, else entry + 1. */
    uint32_t index_mask;
    HashEntry entries[];
} HashTable;

Value make_hash(Thread *thread, bool identity, Value default_procedure);

/* A hash with the same entries. */
Value hash_copy(Thread *thread, Value hash);

/* UNBOUND if there is no such key. */
Value hash_get(Value hash, Value key);
/* For callers that have passed the write check. False, with a condition pending: no memory, or a
 * new key during an iteration. */
bool hash_set(Thread *thread, Value hash, Value key, Value value);
bool hash_remove(Value hash, Value key);

size_t hash_count(Value hash);

/* Around a read of all entries by index that may run other code. `hash` is a root. Iterations nest;
 * the end is told what the beginning returned: whether it counts. */
bool hash_begin_iteration(Thread *thread, Value *hash);
void hash_end_iteration(Value hash, bool counted);

/* The entry at `index` or NULL past the last one; a hole has the key UNBOUND. */
const HashEntry *hash_entry(Value hash, size_t index);

/* The collector's. */
void hash_references(Hash *hash, ReferenceVisitor visit, void *data);
void hash_index_again(Hash *hash);
size_t hash_outside_bytes(const Hash *hash);

#endif
