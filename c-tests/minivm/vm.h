/*
 * vm.h: the state of one Lisp, and of one thread in it.
 */

#ifndef MINIVM_VM_H
#define MINIVM_VM_H

#include <pthread.h>
#include <string.h>

#include "heap.h"
#include "link.h"
#include "minivm.h"
#include "share.h"
#include "symbol.h"
#include "text.h"
#include "variable.h"
#include "world.h"

/* A place in the program, as the reader noted it: the symbol that names the file, and the line. */
typedef struct Site {
    uint32_t file;
    uint32_t line;
} Site;

/* How far the entries of a hash have been read in pieces: see share_items.c. */
typedef struct HashCursor {
    Value hash;
    uint64_t element;
    size_t entry;
} HashCursor;

struct Thread {
    Vm *vm;
    struct Ractor *ractor;
    rs_ractor id;
    bool is_main;
    /* Peers may refer to its objects: to main's, once it has had a link. */
    bool has_links;
    /* The root stack: what the collector finds and updates. */
    Value *roots;
    Value *roots_top;
    Value *roots_limit;
    /* The C stack may not grow below this address. */
    uintptr_t stack_limit;
    /* Raised and not yet handled; NIL if nothing is. */
    Value condition;
    /* What is being evaluated. */
    Site site;
    /* While above 0, allocation never collects. */
    unsigned collection_forbidden;
    /* The thread describes or draws objects of its own: their content may be read. */
    bool describes_own;
    HashCursor cursor;
    ThreadPlace place;
    Allocator allocator;
};

struct Vm {
    VmOptions options;
    Share share;
    Heap heap;
    World world;
    SymbolTable symbols;
    Variables variables;
    struct RecordTypes *record_types;
    struct Ractors *ractors;
    Links links;
    /* How many files with drawings were written. */
    atomic_uint drawings;
    Thread *main_thread;
};

/* The name of a symbol; and the symbol of a name, UNBOUND if no memory or no place is left. */
static inline const char *symbol_name(Vm *vm, Value symbol)
{
    return symbol_of(&vm->symbols, symbol)->name;
}

static inline Value symbol_named(Vm *vm, const char *name)
{
    return symbol_intern(&vm->symbols, name, strlen(name));
}

/* The root stack. `root` returns a place that the collector keeps up to date until the scope that
 * roots_open began is closed. Evaluation keeps ROOTS_RESERVE places free, which is more than any
 * primitive uses, so `root` itself can't fail. */
#define ROOTS_COUNT (UINT32_C(1) << 16)
#define ROOTS_RESERVE 1024

static inline Value *roots_open(Thread *thread)
{
    return thread->roots_top;
}

static inline void roots_close(Thread *thread, Value *opened)
{
    thread->roots_top = opened;
}

static inline Value *root(Thread *thread, Value value)
{
    *thread->roots_top = value;
    return thread->roots_top++;
}

static inline bool roots_are_low(const Thread *thread, size_t needed)
{
    return (size_t)(thread->roots_limit - thread->roots_top) < needed + ROOTS_RESERVE;
}

/* The Thread of the calling operating-system thread; the library's callbacks need it. */
Thread *thread_current(void);

/* Makes the calling operating-system thread one of the vm's. NULL if memory is missing. */
Thread *thread_enter(Vm *vm, rs_ractor id, struct Ractor *ractor);
void thread_leave(Thread *thread);

#endif
