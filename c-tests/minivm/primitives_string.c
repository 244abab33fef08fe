/*
 * Strings and symbols.
 */

#include <stdlib.h>
#include <string.h>

#include "condition.h"
#include "primitives.h"
#include "printer.h"
#include "remote.h"

/* The printed forms of all arguments in one. */
static Value concatenate(Thread *thread, Value *arguments, size_t count)
{
    Text text = text_start();
    for (size_t i = 0; i < count; i++)
        print_plainly(thread->vm, &text, arguments[i]);
    Value string = make_string(thread, text.bytes, text.length);
    text_finish(&text);
    return string;
}

static Value append(Thread *thread, Value *arguments, size_t count)
{
    if (!check_type(thread, arguments[0], TYPE_STRING) || !may_write(thread, arguments[0]))
        return FAILED;
    for (size_t i = 1; i < count; i++) {
        Text text = text_start();
        print_plainly(thread->vm, &text, arguments[i]);
        bool appended = string_append(thread, arguments[0], text.bytes, text.length);
        text_finish(&text);
        if (!appended)
            return FAILED;
    }
    return arguments[0];
}

static Value length(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    return is_type(arguments[0], TYPE_STRING) ? fixnum((intptr_t)string_of(arguments[0])->length)
                                              : remote_length(thread, arguments[0], TYPE_STRING);
}

static Value contains(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    if (!check_type(thread, arguments[0], TYPE_STRING) ||
        !check_type(thread, arguments[1], TYPE_STRING))
        return FAILED;
    return truth(strstr(string_of(arguments[0])->bytes, string_of(arguments[1])->bytes) != NULL);
}

/* The bytes from one index up to another. */
static Value part(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    if (!check_type(thread, arguments[0], TYPE_STRING))
        return FAILED;
    size_t limit = string_of(arguments[0])->length + 1;
    if (!check_index(thread, arguments[1], limit) || !check_index(thread, arguments[2], limit))
        return FAILED;
    intptr_t from = fixnum_number(arguments[1]), to = fixnum_number(arguments[2]);
    if (to < from)
        return raise_format(thread, "range-error", "the end is before the beginning");
    return make_string(thread, string_of(arguments[0])->bytes + from, (size_t)(to - from));
}

static Value to_symbol(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    if (!check_type(thread, arguments[0], TYPE_STRING))
        return FAILED;
    const String *string = string_of(arguments[0]);
    Value symbol = symbol_intern(&thread->vm->symbols, string->bytes, string->length);
    return symbol == UNBOUND ? raise_memory(thread) : symbol;
}

static Value test_string(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    return truth(is_type(arguments[0], TYPE_STRING) ||
                 remote_is(thread->vm, arguments[0], TYPE_STRING));
}

static Value test_symbol(Thread *thread, Value *arguments, size_t count)
{
    (void)thread, (void)count;
    return truth(is_symbol(arguments[0]));
}

static const Primitive primitives[] = {
    {"string", concatenate, 0, ANY_NUMBER},
    {"string-append!", append, 1, ANY_NUMBER},
    {"string-length", length, 1, 1},
    {"string-contains?", contains, 2, 2},
    {"substring", part, 3, 3},
    {"string->symbol", to_symbol, 1, 1},
    {"string?", test_string, 1, 1},
    {"symbol?", test_symbol, 1, 1},
};

const PrimitiveTable string_primitives = {primitives, sizeof primitives / sizeof primitives[0]};
