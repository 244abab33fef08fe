/*
 * minivm.h: the Lisp as a C library, for programs that embed it.
 *
 * A Vm holds one heap and any number of ractors; a Thread is one operating-system thread's
 * entrance to it. The thread that calls vm_new runs the main ractor; others come in with
 * vm_enter. A Thread is used by its own operating-system thread only.
 *
 * Values move when the collector runs, which may be in any function here that takes a Thread
 * unless its text says otherwise. What must survive stands on the root stack: vm_root returns a
 * place that the collector updates. vm_roots_open and vm_roots_close bracket its use.
 */

#ifndef MINIVM_H
#define MINIVM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "value.h"

typedef struct Vm Vm;
typedef struct Thread Thread;
typedef struct Variable Variable;

enum CollectorMode {
    COLLECT_NORMALLY = 0,
    COLLECT_ALWAYS = 1,
    COLLECT_MOVING = 2,
};

typedef struct VmOptions {
    uint32_t mark_policy; /* RS_MARK_… */
    uint32_t walk_mode;   /* RS_WALK_… */
    uint32_t enforcement; /* RS_ENFORCE, RS_WARN, RS_OFF */
    bool provenance;
    bool verify;
    uint32_t collector;  /* COLLECT_…, or-ed */
    size_t ractor_stack; /* bytes of a ractor's C stack; 0 for the default */
    /* With "NAME", each (draw x) also writes a file for Graphviz: NAME-1.dot, NAME-2.dot and so on.
     * NULL for none. */
    const char *drawings;
    /* Of a child process: its end of the link to its parent, and how long it waits for an answer,
     * in milliseconds (0: for ever). -1 if it is none. */
    int link_segment;
    int link_socket;
    uint64_t link_timeout;
    /* At its end a child leaves copies of what the parent refers to. */
    bool evacuates;
    /* The options that children start with too. Borrowed as long as the vm. */
    const char *const *arguments;
    size_t arguments_count;
} VmOptions;

/* The defaults; the environment variable MINIVM_GC chooses another collector. */
VmOptions vm_default_options(void);

/* Applies an argument such as --policy=on-assign. False if it is not understood. */
bool vm_set_option(VmOptions *options, const char *argument);

/* The arguments that vm_set_option understands, each with what it means. */
extern const char vm_options_usage[];

/* NULL if memory or address space is missing. Ends with vm_free, on the same thread, which waits
 * for all ractors. */
Vm *vm_new(const VmOptions *options);
void vm_free(Vm *vm);
Thread *vm_main_thread(Vm *vm);

/* Joins a child process to its parent, as the options say. False: a condition is pending. */
bool vm_join_parent(Thread *thread);

/* An interactive program that waits for `input` (a descriptor) calls this first: carries out what
 * other processes ask for, until there is input. False: a procedure that watches has raised, the
 * condition is pending, and there may be no input yet. */
bool vm_serve_until_input(Thread *thread, int input);

/* Makes a ractor whose code is the calling program's: vm_ractor_register on main's thread, then
 * vm_enter and vm_leave on the thread that runs it. 0 if it can't be made. */
uint64_t vm_ractor_register(Vm *vm, const char *name);
Thread *vm_enter(Vm *vm, uint64_t ractor);
void vm_leave(Thread *thread);

/* Evaluates all expressions of a text; `file` is what reports call it. False: a condition is
 * pending, see vm_condition. */
bool vm_eval_string(Thread *thread, const char *file, const char *text, Value *result);
bool vm_eval_file(Thread *thread, const char *path, Value *result);

/* The pending condition, which is thereby handled; and its printed form, with the library's report
 * if there is one, as a string to free. */
Value vm_condition(Thread *thread);
char *vm_condition_text(Thread *thread, Value condition);
/* The printed form of a value, to free. */
char *vm_print_string(Thread *thread, Value value);

/* The root stack. */
Value *vm_roots_open(Thread *thread);
void vm_roots_close(Thread *thread, Value *opened);
Value *vm_root(Thread *thread, Value value);

/* A thread that waits in its own way calls this often. May collect. */
void vm_safepoint(Thread *thread);

/* Objects. */
Value vm_cons(Thread *thread, Value first, Value rest);
Value vm_vector(Thread *thread, size_t length, Value fill);
Value vm_hash(Thread *thread);
Value vm_string(Thread *thread, const char *text);
Value vm_symbol(Thread *thread, const char *name);

/* Reads, which never collect. The objects are of the right type and the index is in range. */
Value vm_car(Value cons);
Value vm_cdr(Value cons);
Value vm_vector_at(Value vector, size_t index);
size_t vm_vector_length(Value vector);
Value vm_hash_get(Value hash, Value key);

/* Writes, with the write check. False: a condition is pending. */
bool vm_set_car(Thread *thread, Value cons, Value value);
bool vm_set_cdr(Thread *thread, Value cons, Value value);
bool vm_vector_set(Thread *thread, Value vector, size_t index, Value value);
bool vm_vector_push(Thread *thread, Value vector, Value value);
bool vm_hash_set(Thread *thread, Value hash, Value key, Value value);

/* Calls `visit` with each entry; the hash gains no other meanwhile. `visit` does not collect. */
typedef void (*HashVisitor)(Value key, Value value, void *data);
void vm_hash_each(Thread *thread, Value hash, HashVisitor visit, void *data);

/* A constant: main assigns it, any ractor reads it. Reading returns FAILED with a condition
 * pending if this ractor may not. */
Variable *vm_constant(Thread *thread, const char *name);
bool vm_constant_set(Thread *thread, Variable *constant, Value value);
Value vm_constant_get(Thread *thread, Variable *constant);

#endif
