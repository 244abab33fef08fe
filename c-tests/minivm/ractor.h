/*
 * ractor.h: ractors: threads of the Lisp that run in parallel, each with objects of its own.
 *
 * An object belongs to the ractor that made it. What passes from one ractor to another is copied,
 * unless it is shareable; a ractor's last value moves to the one that takes it. A ractor's code is
 * a copy, and of the local variables around it, it sees those that hold something shareable.
 */

#ifndef MINIVM_RACTOR_H
#define MINIVM_RACTOR_H

#include "object.h"
#include "vm.h"

enum RactorState { RACTOR_RUNNING, RACTOR_ENDED, RACTOR_TAKEN };

typedef struct Mailbox {
    Value *values;
    size_t first;
    size_t count;
    size_t capacity;
} Mailbox;

/* `references`: the Lisp object and the thread. */
typedef struct Ractor {
    Vm *vm;
    rs_ractor id;
    char name[32];
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned references;
    enum RactorState state;
    /* What to evaluate, until it starts; what came out, until it is taken. */
    Value body;
    Value environment;
    Site site;
    Value result;
    Value condition;
    Mailbox mailbox;
    struct Ractor *next;
} Ractor;

typedef struct Ractors {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    Ractor *first;
    /* Threads that have not yet left the vm. */
    unsigned threads;
    unsigned started;
    atomic_bool ending;
} Ractors;

Ractors *ractors_new(void);
void ractors_free(Ractors *ractors);
void ractors_references(Ractors *ractors, ReferenceVisitor visit, void *data);

/* Makes all ractors but main end, and waits until they have. Complains of conditions that nobody
 * took. */
void ractors_end(Thread *thread);

static inline bool ractors_are_ending(Vm *vm)
{
    return atomic_load_explicit(&vm->ractors->ending, memory_order_relaxed);
}

/* At every step of an evaluation and of a loop: parks for a collection; false if the vm is ending,
 * which calls for ractor_end. */
static inline bool ractor_goes_on(Thread *thread)
{
    if (world_stop_is_wanted(&thread->vm->world))
        world_park(thread);
    return !ractors_are_ending(thread->vm);
}

/* How an evaluation stops when the vm ends: FAILED, and nothing catches it. */
Value ractor_end(Thread *thread);

/* A ractor without a thread of its own: main, and those that a C program runs. */
Ractor *ractor_new(Vm *vm, rs_ractor id, const char *name);
void ractor_release(Ractor *ractor);

/* Evaluates a list of forms in a new ractor; `name` is a string or NIL. A single form
 * `(lambda () ...)` stands for its body. The ractor, or FAILED. */
Value ractor_start(Thread *thread, Value name, Value body, Value environment);

/* The Lisp object for the running ractor. */
Value ractor_self(Thread *thread);

/* These wait where collections need not wait for them. */
Value ractor_take(Thread *thread, Value ractor);
Value ractor_receive(Thread *thread);
void ractor_sleep(Thread *thread, double seconds);

Value ractor_send(Thread *thread, Value ractor, Value value);

const char *ractor_name(Value ractor);

/* A deep copy; what is shareable stays as it is. FAILED if something can't be copied. */
Value message_copy(Thread *thread, Value value);

#endif
