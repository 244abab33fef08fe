/*
 * Procedures: calling them, and raising conditions.
 */

#include "condition.h"
#include "eval.h"
#include "primitives.h"
#include "printer.h"
#include "record.h"
#include "remote.h"

static Value apply_to_list(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    if (!check_procedure(thread, arguments[0]))
        return FAILED;
    const Value *copies = thread->roots_top;
    size_t length = 0;
    for (Value list = arguments[1]; is_cons(list); list = cdr(list), length++) {
        if (roots_are_low(thread, 1))
            return raise_depth(thread);
        root(thread, car(list));
    }
    return call_procedure(thread, arguments[0], copies, length);
}

static Value for_each(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    Value *rest = root(thread, arguments[1]);
    for (; is_pair(thread, *rest); *rest = pair_rest(thread, *rest)) {
        Value element = pair_first(thread, *rest);
        if (element == FAILED || call_procedure(thread, arguments[0], &element, 1) == FAILED)
            return FAILED;
    }
    return *rest == FAILED ? FAILED : NIL;
}

/* The results are gathered in reverse and turned round in place: they are new. */
static Value reverse_in_place(Value list)
{
    Value reversed = NIL;
    while (is_cons(list)) {
        Value next = cdr(list);
        cons_of(list)->cdr = reversed;
        reversed = list;
        list = next;
    }
    return reversed;
}

static Value map(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    Value *rest = root(thread, arguments[1]);
    Value *results = root(thread, NIL);
    for (; is_pair(thread, *rest); *rest = pair_rest(thread, *rest)) {
        Value element = pair_first(thread, *rest);
        Value result =
            element == FAILED ? FAILED : call_procedure(thread, arguments[0], &element, 1);
        if (result == FAILED)
            return FAILED;
        *results = make_cons(thread, result, *results);
        if (*results == FAILED)
            return FAILED;
    }
    return *rest == FAILED ? FAILED : reverse_in_place(*results);
}

static Value evaluate(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    return eval(thread, arguments[0], NIL);
}

static Value test_procedure(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    return truth(is_procedure(arguments[0]) || remote_is(thread->vm, arguments[0], TYPE_CLOSURE));
}

/* `(error message...)`: the printed arguments are the message. */
static Value error(Thread *thread, Value *arguments, size_t count)
{
    Text text = text_start();
    for (size_t i = 0; i < count; i++)
        print_plainly(thread->vm, &text, arguments[i]);
    raise_format(thread, "error", "%s", text.bytes);
    text_finish(&text);
    return FAILED;
}

/* `(raise kind message)`, or `(raise condition)` to raise what was caught. */
static Value raise(Thread *thread, Value *arguments, size_t count)
{
    if (count == 2)
        return raise_value(thread, arguments[0], arguments[1]);
    thread->condition = arguments[0];
    return FAILED;
}

static Value set_freeze_hook(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    if (!check_symbol(thread, arguments[0]) || !check_procedure(thread, arguments[1]))
        return FAILED;
    uint32_t type = record_type_find(thread->vm, arguments[0]);
    if (type == UINT32_MAX)
        return raise_type(thread, "name of a record type", arguments[0]);
    return record_type_set_hook(thread, type, arguments[1]) ? NIL : FAILED;
}

static const Primitive primitives[] = {
    {"apply", apply_to_list, 2, 2},
    {"for-each", for_each, 2, 2},
    {"map", map, 2, 2},
    {"eval", evaluate, 1, 1},
    {"procedure?", test_procedure, 1, 1},
    {"error", error, 1, ANY_NUMBER},
    {"raise", raise, 1, 2},
    {"on-freeze", set_freeze_hook, 2, 2},
};

const PrimitiveTable procedure_primitives = {primitives, sizeof primitives / sizeof primitives[0]};
