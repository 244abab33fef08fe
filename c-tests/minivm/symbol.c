#include "symbol.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS_LEAST 2048

bool symbols_prepare(SymbolTable *table)
{
    pthread_mutex_init(&table->lock, NULL);
    table->bucket_count = BUCKETS_LEAST;
    table->buckets = calloc(BUCKETS_LEAST, sizeof(uint32_t));
    /* Index 0 means "no file" in a site. */
    return table->buckets != NULL && symbol_intern(table, "", 0) != UNBOUND;
}

void symbols_finish(SymbolTable *table)
{
    for (uint32_t i = 0; i < table->count; i++)
        free(symbol_at(table, i)->name);
    for (size_t i = 0; i < SYMBOL_CHUNKS; i++)
        free(table->chunks[i]);
    free(table->buckets);
    pthread_mutex_destroy(&table->lock);
}

static uint32_t hash_name(const char *name, size_t length)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)name[i]) * 16777619u;
    return hash;
}

static uint32_t *find_bucket(SymbolTable *table, const char *name, size_t length)
{
    uint32_t mask = table->bucket_count - 1;
    for (uint32_t place = hash_name(name, length) & mask;; place = (place + 1) & mask) {
        uint32_t entry = table->buckets[place];
        if (entry == 0)
            return &table->buckets[place];
        const Symbol *symbol = symbol_at(table, entry - 1);
        if (symbol->length == length && memcmp(symbol->name, name, length) == 0)
            return &table->buckets[place];
    }
}

static bool grow_buckets(SymbolTable *table)
{
    uint32_t *before = table->buckets;
    uint32_t *buckets = calloc(2 * (size_t)table->bucket_count, sizeof(uint32_t));
    if (buckets == NULL)
        return false;
    table->buckets = buckets;
    table->bucket_count *= 2;
    for (uint32_t i = 0; i < table->count; i++)
        *find_bucket(table, symbol_at(table, i)->name, symbol_at(table, i)->length) = i + 1;
    free(before);
    return true;
}

static bool add_symbol(SymbolTable *table, const char *name, size_t length)
{
    Symbol **chunk = &table->chunks[table->count / SYMBOLS_PER_CHUNK];
    if (*chunk == NULL)
        *chunk = calloc(SYMBOLS_PER_CHUNK, sizeof(Symbol));
    char *copy = malloc(length + 1);
    if (*chunk == NULL || copy == NULL) {
        free(copy);
        return false;
    }
    memcpy(copy, name, length);
    copy[length] = '\0';
    Symbol *symbol = symbol_at(table, table->count++);
    symbol->name = copy;
    symbol->length = length;
    return true;
}

static Value intern_locked(SymbolTable *table, const char *name, size_t length)
{
    uint32_t *bucket = find_bucket(table, name, length);
    if (*bucket != 0)
        return tagged(*bucket - 1, SYMBOL_TAG);
    if (table->count == SYMBOLS_PER_CHUNK * SYMBOL_CHUNKS || !add_symbol(table, name, length))
        return UNBOUND;
    *bucket = table->count;
    Value symbol = tagged(table->count - 1, SYMBOL_TAG);
    if (table->count * 2 > table->bucket_count && !grow_buckets(table))
        return UNBOUND;
    return symbol;
}

Value symbol_intern(SymbolTable *table, const char *name, size_t length)
{
    pthread_mutex_lock(&table->lock);
    Value symbol = intern_locked(table, name, length);
    pthread_mutex_unlock(&table->lock);
    return symbol;
}
