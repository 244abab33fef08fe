/*
 * symbol.h: names. A symbol is an immediate, the index of its entry in a table that only grows, so
 * every ractor may use it; what it means at top level hangs on its entry.
 */

#ifndef MINIVM_SYMBOL_H
#define MINIVM_SYMBOL_H

#include <pthread.h>
#include <stddef.h>

#include "value.h"

typedef struct Thread Thread;

/* What eval does with a special form: see eval.h. */
typedef struct Frame Frame;
typedef Value (*SpecialForm)(Thread *thread, Frame *frame);

typedef struct Symbol {
    char *name;
    size_t length;
    SpecialForm special;
    /* The variable of this name at top level; published by an atomic store, never taken back. */
    struct Variable *variable;
} Symbol;

#define SYMBOLS_PER_CHUNK 1024
#define SYMBOL_CHUNKS 1024

typedef struct SymbolTable {
    pthread_mutex_t lock;
    Symbol *chunks[SYMBOL_CHUNKS];
    uint32_t count;
    /* Open addressing: index of a symbol + 1. */
    uint32_t *buckets;
    uint32_t bucket_count;
} SymbolTable;

bool symbols_prepare(SymbolTable *table);
void symbols_finish(SymbolTable *table);

/* The symbol of this name; UNBOUND if no memory or no place is left. Any thread. */
Value symbol_intern(SymbolTable *table, const char *name, size_t length);

static inline Symbol *symbol_at(SymbolTable *table, uint32_t index)
{
    return &table->chunks[index / SYMBOLS_PER_CHUNK][index % SYMBOLS_PER_CHUNK];
}

static inline Symbol *symbol_of(SymbolTable *table, Value symbol)
{
    return symbol_at(table, (uint32_t)tagged_content(symbol));
}

static inline bool is_keyword(SymbolTable *table, Value symbol)
{
    return symbol_of(table, symbol)->name[0] == ':';
}

#endif
