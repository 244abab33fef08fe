/*
 * Conses and lists, and the comparisons of all values.
 */

#include "condition.h"
#include "equality.h"
#include "gc.h"
#include "primitives.h"
#include "remote.h"

static Value cons(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    return make_cons(thread, arguments[0], arguments[1]);
}

static Value get_car(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    return arguments[0] == NIL ? NIL : pair_first(thread, arguments[0]);
}

static Value get_cdr(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    return arguments[0] == NIL ? NIL : pair_rest(thread, arguments[0]);
}

static Value set_car(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    if (!is_cons(arguments[0]))
        return remote_set_element(thread, arguments[0], TYPE_CONS, RS_CAR, &arguments[1]);
    if (!may_write(thread, arguments[0]))
        return FAILED;
    store_field(&cons_of(arguments[0])->car, arguments[1]);
    return arguments[1];
}

static Value set_cdr(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    if (!is_cons(arguments[0]))
        return remote_set_element(thread, arguments[0], TYPE_CONS, RS_CDR, &arguments[1]);
    if (!may_write(thread, arguments[0]))
        return FAILED;
    store_field(&cons_of(arguments[0])->cdr, arguments[1]);
    return arguments[1];
}

static Value list(Thread *thread, Value *arguments, size_t count)
{
    Value *result = root(thread, NIL);
    while (count-- > 0 && *result != FAILED)
        *result = make_cons(thread, arguments[count], *result);
    return *result;
}

/* A list of that many nils. */
static Value make_list(Thread *thread, Value *arguments, size_t count)
{
    if (!check_index(thread, arguments[0], SIZE_MAX))
        return FAILED;
    Value fill = count == 2 ? arguments[1] : NIL;
    Value *element = root(thread, fill);
    Value *result = root(thread, NIL);
    for (intptr_t i = fixnum_number(arguments[0]); i > 0 && *result != FAILED; i--)
        *result = make_cons(thread, *element, *result);
    return *result;
}

/* How many pairs follow each other, and what is behind the last one: in a circle, a pair. `slow`
 * goes half as far, so in a circle it is caught up with. */
static size_t count_pairs(Value list, Value *end)
{
    size_t count = 0;
    Value slow = list;
    while (is_cons(list)) {
        list = cdr(list);
        if (++count % 2 == 0)
            slow = cdr(slow);
        if (is_cons(list) && list == slow)
            break;
    }
    *end = list;
    return count;
}

static bool is_list(Value list)
{
    Value end = NIL;
    count_pairs(list, &end);
    return end == NIL;
}

static bool check_list(Thread *thread, Value list)
{
    if (is_list(list))
        return true;
    raise_type(thread, "list", list);
    return false;
}

Value length_of_list(Thread *thread, Value list)
{
    Value end = NIL;
    intptr_t pairs = (intptr_t)count_pairs(list, &end);
    if (end == NIL)
        return fixnum(pairs);
    if (!is_remote(end))
        return raise_type(thread, "list", list);
    Value rest = remote_length(thread, end, TYPE_CONS);
    return is_fixnum(rest) ? fixnum(pairs + fixnum_number(rest)) : rest;
}

static Value length(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    return length_of_list(thread, arguments[0]);
}

static Value nth(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    if (!check_index(thread, arguments[0], SIZE_MAX))
        return FAILED;
    for (intptr_t i = fixnum_number(arguments[0]); i > 0 && is_pair(thread, arguments[1]); i--)
        arguments[1] = pair_rest(thread, arguments[1]);
    if (arguments[1] == FAILED)
        return FAILED;
    return is_pair(thread, arguments[1]) ? pair_first(thread, arguments[1]) : NIL;
}

static Value last_pair(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    if (!check_list(thread, arguments[0]))
        return FAILED;
    Value list = arguments[0];
    while (is_cons(list) && is_cons(cdr(list)))
        list = cdr(list);
    return list;
}

static Value reverse(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    if (!check_list(thread, arguments[0]))
        return FAILED;
    Value *result = root(thread, NIL);
    for (; is_cons(arguments[0]) && *result != FAILED; arguments[0] = cdr(arguments[0]))
        *result = make_cons(thread, car(arguments[0]), *result);
    return *result;
}

static Value compare_identity(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    return remote_same(thread, arguments);
}

static Value compare_content(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    if (is_remote(arguments[0]) || is_remote(arguments[1]))
        return remote_equal(thread, arguments);
    enum Equality equality = values_equal(arguments[0], arguments[1]);
    if (equality == UNDECIDED)
        return raise_format(thread, "depth-error", "the comparison does not end");
    return truth(equality == EQUAL);
}

static Value not(Thread * thread, Value *arguments, size_t count)
{
    (void)thread, (void)count;
    return truth(arguments[0] == NIL);
}

static Value test_cons(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    return truth(is_pair(thread, arguments[0]));
}

static const Primitive primitives[] = {
    {"cons", cons, 2, 2},
    {"car", get_car, 1, 1},
    {"cdr", get_cdr, 1, 1},
    {"setcar", set_car, 2, 2},
    {"setcdr", set_cdr, 2, 2},
    {"list", list, 0, ANY_NUMBER},
    {"make-list", make_list, 1, 2},
    {"length", length, 1, 1},
    {"nth", nth, 2, 2},
    {"last-pair", last_pair, 1, 1},
    {"reverse", reverse, 1, 1},
    {"eq?", compare_identity, 2, 2},
    {"equal?", compare_content, 2, 2},
    {"not", not, 1, 1},
    {"cons?", test_cons, 1, 1},
};

const PrimitiveTable list_primitives = {primitives, sizeof primitives / sizeof primitives[0]};
