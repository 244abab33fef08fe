#include "ractor.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "condition.h"
#include "environment.h"
#include "eval.h"
#include "gc.h"

#define STACK_BYTES ((size_t)8 << 20)

Ractors *ractors_new(void)
{
    Ractors *ractors = calloc(1, sizeof *ractors);
    if (ractors != NULL) {
        pthread_mutex_init(&ractors->lock, NULL);
        pthread_cond_init(&ractors->changed, NULL);
    }
    return ractors;
}

static void destroy(Ractor *ractor)
{
    pthread_mutex_destroy(&ractor->lock);
    pthread_cond_destroy(&ractor->changed);
    free(ractor->mailbox.values);
    free(ractor);
}

void ractors_free(Ractors *ractors)
{
    if (ractors == NULL)
        return;
    for (Ractor *ractor = ractors->first, *next; ractor != NULL; ractor = next) {
        next = ractor->next;
        destroy(ractor);
    }
    pthread_cond_destroy(&ractors->changed);
    pthread_mutex_destroy(&ractors->lock);
    free(ractors);
}

void ractors_references(Ractors *ractors, ReferenceVisitor visit, void *data)
{
    pthread_mutex_lock(&ractors->lock);
    for (Ractor *ractor = ractors->first; ractor != NULL; ractor = ractor->next) {
        visit(&ractor->body, data);
        visit(&ractor->environment, data);
        visit(&ractor->result, data);
        visit(&ractor->condition, data);
        for (size_t i = 0; i < ractor->mailbox.count; i++)
            visit(&ractor->mailbox.values[ractor->mailbox.first + i], data);
    }
    pthread_mutex_unlock(&ractors->lock);
}

Ractor *ractor_new(Vm *vm, rs_ractor id, const char *name)
{
    Ractor *ractor = calloc(1, sizeof *ractor);
    if (ractor == NULL)
        return NULL;
    ractor->vm = vm;
    ractor->id = id;
    strncpy(ractor->name, name, sizeof ractor->name - 1);
    pthread_mutex_init(&ractor->lock, NULL);
    pthread_cond_init(&ractor->changed, NULL);
    ractor->references = 1;
    ractor->body = ractor->environment = ractor->result = ractor->condition = NIL;
    pthread_mutex_lock(&vm->ractors->lock);
    ractor->next = vm->ractors->first;
    vm->ractors->first = ractor;
    pthread_mutex_unlock(&vm->ractors->lock);
    return ractor;
}

static void unlink_ractor(Ractors *ractors, Ractor *ractor)
{
    Ractor **link = &ractors->first;
    while (*link != ractor)
        link = &(*link)->next;
    *link = ractor->next;
}

static void complain(const Ractor *ractor)
{
    Text text = text_start();
    condition_print(ractor->vm, &text, ractor->condition);
    fprintf(stderr, "ractor %s ended: %s\n", ractor->name, text.bytes);
    text_finish(&text);
}

/* A condition that nobody took keeps the ractor, to be complained of in the end. */
void ractor_release(Ractor *ractor)
{
    Ractors *ractors = ractor->vm->ractors;
    pthread_mutex_lock(&ractors->lock);
    bool last = --ractor->references == 0 && ractor->condition == NIL;
    if (last)
        unlink_ractor(ractors, ractor);
    pthread_mutex_unlock(&ractors->lock);
    if (last)
        destroy(ractor);
}

Value ractor_end(Thread *thread)
{
    thread->condition = NIL;
    return FAILED;
}

const char *ractor_name(Value ractor)
{
    return ((RactorObject *)ractor)->ractor->name;
}

/* Takes over one reference. */
static Value make_ractor_object(Thread *thread, Ractor *ractor)
{
    RactorObject *object = (RactorObject *)heap_allocate(thread, TYPE_RACTOR, sizeof(RactorObject));
    if (object == NULL) {
        ractor_release(ractor);
        return raise_memory(thread);
    }
    object->ractor = ractor;
    return share_at_birth(thread, (Value)object);
}

static void add_reference(Ractor *ractor)
{
    pthread_mutex_lock(&ractor->vm->ractors->lock);
    ractor->references++;
    pthread_mutex_unlock(&ractor->vm->ractors->lock);
}

Value ractor_self(Thread *thread)
{
    add_reference(thread->ractor);
    return make_ractor_object(thread, thread->ractor);
}

static void finish(Thread *thread, Ractor *ractor, Value result)
{
    pthread_mutex_lock(&ractor->lock);
    ractor->state = RACTOR_ENDED;
    ractor->result = result == FAILED ? NIL : result;
    ractor->condition = result == FAILED ? thread->condition : NIL;
    pthread_cond_broadcast(&ractor->changed);
    pthread_mutex_unlock(&ractor->lock);
}

static void count_threads(Ractors *ractors, int change)
{
    pthread_mutex_lock(&ractors->lock);
    ractors->threads += (unsigned)change;
    pthread_cond_broadcast(&ractors->changed);
    pthread_mutex_unlock(&ractors->lock);
}

static void *run(void *data)
{
    Ractor *ractor = data;
    Vm *vm = ractor->vm;
    Thread *thread = thread_enter(vm, ractor->id, ractor);
    if (thread != NULL) {
        Value *body = root(thread, ractor->body);
        Value *environment = root(thread, ractor->environment);
        ractor->body = ractor->environment = NIL;
        thread->site = ractor->site;
        finish(thread, ractor, eval_sequence(thread, *body, *environment));
        thread_leave(thread);
    }
    share_ractor_free(&vm->share, ractor->id);
    ractor_release(ractor);
    count_threads(vm->ractors, -1);
    return NULL;
}

static bool start_thread(Thread *thread, Ractor *ractor)
{
    size_t stack = thread->vm->options.ractor_stack;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, stack == 0 ? STACK_BYTES : stack);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    add_reference(ractor);
    count_threads(thread->vm->ractors, 1);
    int error = pthread_create(&ractor->thread, &attributes, run, ractor);
    pthread_attr_destroy(&attributes);
    if (error == 0)
        return true;
    count_threads(thread->vm->ractors, -1);
    ractor_release(ractor);
    raise_format(thread, "thread-error", "no thread for the ractor: %s", strerror(error));
    return false;
}

static bool is_thunk(Vm *vm, Value body)
{
    if (!is_cons(body) || cdr(body) != NIL || !is_cons(car(body)))
        return false;
    Value form = car(body);
    return is_symbol(car(form)) && strcmp(symbol_name(vm, car(form)), "lambda") == 0 &&
           is_cons(cdr(form)) && car(cdr(form)) == NIL;
}

static void name_ractor(Vm *vm, Value name, char *text, size_t size)
{
    pthread_mutex_lock(&vm->ractors->lock);
    unsigned number = ++vm->ractors->started;
    pthread_mutex_unlock(&vm->ractors->lock);
    if (name == NIL)
        snprintf(text, size, "%u", number);
    else
        snprintf(text, size, "%s", string_of(name)->bytes);
}

/* Body and environment stand on the root stack and belong to nobody else. */
static Value start(Thread *thread, const char *name, const Value *body, const Value *environment)
{
    rs_ractor id = share_ractor_new(thread, name);
    if (id == RS_NO_RACTOR)
        return FAILED;
    Ractor *ractor = ractor_new(thread->vm, id, name);
    Value *object =
        root(thread, ractor == NULL ? raise_memory(thread) : make_ractor_object(thread, ractor));
    if (*object == FAILED) {
        share_ractor_free(&thread->vm->share, id);
        return FAILED;
    }
    ractor->body = *body;
    ractor->environment = *environment;
    ractor->site = thread->site;
    if (start_thread(thread, ractor))
        return *object;
    share_ractor_free(&thread->vm->share, id);
    return FAILED;
}

Value ractor_start(Thread *thread, Value name, Value body, Value environment)
{
    Value *scope = roots_open(thread);
    char text[32];
    name_ractor(thread->vm, name, text, sizeof text);
    Value *forms = root(thread, is_thunk(thread->vm, body) ? cdr(cdr(car(body))) : body);
    Value *seen = root(thread, environment_flatten(thread, environment, *forms, true));
    Value result = FAILED;
    if (*seen != FAILED) {
        *forms = message_copy(thread, *forms);
        if (*forms != FAILED)
            result = start(thread, text, forms, seen);
    }
    roots_close(thread, scope);
    return result;
}

static bool has_ended(const Ractor *ractor)
{
    return ractor->state != RACTOR_RUNNING;
}

static bool has_mail(const Ractor *ractor)
{
    return ractor->mailbox.count != 0;
}

/* Waits until that holds, or the vm is ending. Values are touched only afterwards, when the thread
 * counts as running again. */
static void wait_until(Thread *thread, Ractor *ractor, bool (*holds)(const Ractor *ractor))
{
    world_blocking_enter(thread);
    pthread_mutex_lock(&ractor->lock);
    while (!holds(ractor) && !ractors_are_ending(thread->vm))
        pthread_cond_wait(&ractor->changed, &ractor->lock);
    pthread_mutex_unlock(&ractor->lock);
    world_blocking_leave(thread);
}

Value ractor_take(Thread *thread, Value value)
{
    Ractor *ractor = ((RactorObject *)value)->ractor;
    wait_until(thread, ractor, has_ended);
    pthread_mutex_lock(&ractor->lock);
    enum RactorState state = ractor->state;
    Value result = ractor->result;
    Value condition = ractor->condition;
    if (state == RACTOR_ENDED) {
        ractor->state = RACTOR_TAKEN;
        ractor->result = ractor->condition = NIL;
    }
    pthread_mutex_unlock(&ractor->lock);
    if (state != RACTOR_ENDED)
        return state == RACTOR_RUNNING
                   ? ractor_end(thread)
                   : raise_format(thread, "ractor-error", "the ractor's value was taken before");
    if (condition == NIL)
        return result;
    thread->condition = condition;
    return FAILED;
}

static bool make_room(Mailbox *mailbox)
{
    if (mailbox->first + mailbox->count < mailbox->capacity)
        return true;
    if (mailbox->first != 0) {
        memmove(mailbox->values, mailbox->values + mailbox->first, mailbox->count * sizeof(Value));
        mailbox->first = 0;
        return true;
    }
    size_t capacity = mailbox->capacity == 0 ? 8 : mailbox->capacity * 2;
    Value *values = realloc(mailbox->values, capacity * sizeof(Value));
    if (values == NULL)
        return false;
    mailbox->values = values;
    mailbox->capacity = capacity;
    return true;
}

Value ractor_send(Thread *thread, Value value, Value message)
{
    Value *scope = roots_open(thread);
    Value *object = root(thread, value);
    Value copy = message_copy(thread, message);
    Ractor *ractor = ((RactorObject *)*object)->ractor;
    roots_close(thread, scope);
    if (copy == FAILED)
        return FAILED;
    pthread_mutex_lock(&ractor->lock);
    bool running = ractor->state == RACTOR_RUNNING;
    bool sent = running && make_room(&ractor->mailbox);
    if (sent)
        ractor->mailbox.values[ractor->mailbox.first + ractor->mailbox.count++] = copy;
    pthread_cond_broadcast(&ractor->changed);
    pthread_mutex_unlock(&ractor->lock);
    if (!running)
        return raise_format(thread, "ractor-error", "the ractor has ended");
    return sent ? NIL : raise_memory(thread);
}

Value ractor_receive(Thread *thread)
{
    Ractor *ractor = thread->ractor;
    wait_until(thread, ractor, has_mail);
    pthread_mutex_lock(&ractor->lock);
    Value value = FAILED;
    if (ractor->mailbox.count != 0) {
        value = ractor->mailbox.values[ractor->mailbox.first++];
        ractor->mailbox.count--;
    }
    pthread_mutex_unlock(&ractor->lock);
    return value == FAILED ? ractor_end(thread) : value;
}

void ractor_sleep(Thread *thread, double seconds)
{
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    double whole = floor(seconds);
    deadline.tv_sec += (time_t)whole;
    deadline.tv_nsec += (long)((seconds - whole) * 1e9);
    if (deadline.tv_nsec >= 1000000000) {
        deadline.tv_nsec -= 1000000000;
        deadline.tv_sec++;
    }
    Ractor *ractor = thread->ractor;
    world_blocking_enter(thread);
    pthread_mutex_lock(&ractor->lock);
    while (!ractors_are_ending(thread->vm) &&
           pthread_cond_timedwait(&ractor->changed, &ractor->lock, &deadline) != ETIMEDOUT)
        continue;
    pthread_mutex_unlock(&ractor->lock);
    world_blocking_leave(thread);
}

static void wake_all(Ractors *ractors)
{
    for (Ractor *ractor = ractors->first; ractor != NULL; ractor = ractor->next) {
        pthread_mutex_lock(&ractor->lock);
        pthread_cond_broadcast(&ractor->changed);
        pthread_mutex_unlock(&ractor->lock);
    }
}

void ractors_end(Thread *thread)
{
    Ractors *ractors = thread->vm->ractors;
    atomic_store(&ractors->ending, true);
    world_blocking_enter(thread);
    pthread_mutex_lock(&ractors->lock);
    wake_all(ractors);
    while (ractors->threads != 0)
        pthread_cond_wait(&ractors->changed, &ractors->lock);
    pthread_mutex_unlock(&ractors->lock);
    world_blocking_leave(thread);
    for (Ractor *ractor = ractors->first; ractor != NULL; ractor = ractor->next)
        if (ractor->condition != NIL)
            complain(ractor);
}
