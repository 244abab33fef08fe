/*
 * Ractors and their messages.
 */

#include <sched.h>

#include "condition.h"
#include "gc.h"
#include "primitives.h"
#include "ractor.h"

static Value take(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    return check_type(thread, arguments[0], TYPE_RACTOR) ? ractor_take(thread, arguments[0])
                                                         : FAILED;
}

static Value send(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    return check_type(thread, arguments[0], TYPE_RACTOR)
               ? ractor_send(thread, arguments[0], arguments[1])
               : FAILED;
}

static Value receive(Thread *thread, Value *arguments, size_t count)
{
    (void)arguments, (void)count;
    return ractor_receive(thread);
}

static Value self(Thread *thread, Value *arguments, size_t count)
{
    (void)arguments, (void)count;
    return ractor_self(thread);
}

static Value is_main(Thread *thread, Value *arguments, size_t count)
{
    (void)arguments, (void)count;
    return truth(thread->is_main);
}

static Value yield_thread(Thread *thread, Value *arguments, size_t count)
{
    (void)arguments, (void)count;
    sched_yield();
    safepoint(thread);
    return NIL;
}

static Value sleep_for(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    if (is_fixnum(arguments[0]))
        ractor_sleep(thread, (double)fixnum_number(arguments[0]));
    else if (is_type(arguments[0], TYPE_FLOAT))
        ractor_sleep(thread, float_number(arguments[0]));
    else
        return raise_type(thread, "number", arguments[0]);
    return NIL;
}

static const Primitive primitives[] = {
    {"take", take, 1, 1},       {"send", send, 2, 2},     {"receive", receive, 0, 0},
    {"self", self, 0, 0},       {"main?", is_main, 0, 0}, {"yield-thread", yield_thread, 0, 0},
    {"sleep", sleep_for, 1, 1},
};

const PrimitiveTable ractor_primitives = {primitives, sizeof primitives / sizeof primitives[0]};
