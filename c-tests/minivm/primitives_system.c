/*
 * Output, files, time, the collector, and assertions.
 */

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "condition.h"
#include "equality.h"
#include "gc.h"
#include "primitives.h"
#include "printer.h"
#include "remote.h"

/* One call of fwrite, so that lines of several ractors don't mix. */
static Value print_line(Thread *thread, const Value *arguments, size_t count, const char *space,
                        void (*print)(Vm *vm, Text *text, Value value))
{
    Text text = text_start();
    for (size_t i = 0; i < count; i++) {
        if (i != 0)
            text_append(&text, space);
        print(thread->vm, &text, arguments[i]);
    }
    text_append(&text, "\n");
    fwrite(text.bytes, 1, text.length, stdout);
    fflush(stdout);
    text_finish(&text);
    return count == 0 ? NIL : arguments[0];
}

static Value print(Thread *thread, Value *arguments, size_t count)
{
    return print_line(thread, arguments, count, " ", print_readably);
}

static Value say(Thread *thread, Value *arguments, size_t count)
{
    return print_line(thread, arguments, count, "", print_plainly);
}

static Value collect(Thread *thread, Value *arguments, size_t count)
{
    (void)arguments, (void)count;
    gc_collect(thread);
    return NIL;
}

/* Whether every allocation collects: programs then had better be small. */
static Value collects_always(Thread *thread, Value *arguments, size_t count)
{
    (void)arguments, (void)count;
    return truth((thread->vm->options.collector & COLLECT_ALWAYS) != 0);
}

static Value address(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    if (!is_object(arguments[0]))
        return raise_type(thread, "heap object", arguments[0]);
    return fixnum((intptr_t)arguments[0]);
}

static Value type_of(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    const char *name = print_type(thread->vm, arguments[0]);
    return symbol_named(thread->vm, name);
}

/* `(copy x)`, or `(copy x depth)` to copy that many levels below x. */
static Value copy(Thread *thread, Value *arguments, size_t count)
{
    if (count == 2 && !check_index(thread, arguments[1], SIZE_MAX))
        return FAILED;
    uint64_t depth = count == 1 ? RS_WHOLE : (uint64_t)fixnum_number(arguments[1]);
    return is_remote(arguments[0]) ? remote_copy(thread, arguments[0], depth)
                                   : share_copy(thread, arguments[0], depth);
}

/* At once and for all ractors. */
static Value leave_process(Thread *thread, Value *arguments, size_t count)
{
    (void)thread;
    fflush(NULL);
    _exit(count == 1 && is_fixnum(arguments[0]) ? (int)fixnum_number(arguments[0]) : 0);
}

static Value seconds(Thread *thread, Value *arguments, size_t count)
{
    (void)arguments, (void)count;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return make_float(thread, (double)now.tv_sec + (double)now.tv_nsec / 1e9);
}

static Value load(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    if (!check_type(thread, arguments[0], TYPE_STRING))
        return FAILED;
    char *path = strdup(string_of(arguments[0])->bytes);
    if (path == NULL)
        return raise_memory(thread);
    Value result = NIL;
    bool loaded = vm_eval_file(thread, path, &result);
    free(path);
    return loaded ? result : FAILED;
}

static Value open_file(Thread *thread, Value *arguments, size_t count)
{
    const char *mode = "r";
    if (!check_type(thread, arguments[0], TYPE_STRING))
        return FAILED;
    if (count == 2 && check_type(thread, arguments[1], TYPE_STRING))
        mode = string_of(arguments[1])->bytes;
    FILE *file = fopen(string_of(arguments[0])->bytes, mode);
    if (file == NULL)
        return raise_format(thread, "file-error", "%s can't be opened",
                            string_of(arguments[0])->bytes);
    Port *port = (Port *)heap_allocate(thread, TYPE_PORT, sizeof(Port));
    if (port == NULL) {
        fclose(file);
        return raise_memory(thread);
    }
    port->file = file;
    return (Value)port;
}

static Value close_file(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    if (!check_type(thread, arguments[0], TYPE_PORT))
        return FAILED;
    Port *port = (Port *)arguments[0];
    if (port->file != NULL)
        fclose(port->file);
    port->file = NULL;
    return NIL;
}

static Value read_line(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    if (!check_type(thread, arguments[0], TYPE_PORT))
        return FAILED;
    FILE *file = ((Port *)arguments[0])->file;
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length = file == NULL ? -1 : getline(&line, &capacity, file);
    Value value = length < 0 ? NIL : make_string(thread, line, strcspn(line, "\n"));
    free(line);
    return value;
}

/* `(write-line file text)` */
static Value write_line(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    if (!check_type(thread, arguments[0], TYPE_PORT) ||
        !check_type(thread, arguments[1], TYPE_STRING))
        return FAILED;
    FILE *file = ((Port *)arguments[0])->file;
    const String *line = string_of(arguments[1]);
    bool is_written = file != NULL && fwrite(line->bytes, 1, line->length, file) == line->length &&
                      fputc('\n', file) != EOF;
    return is_written ? arguments[1] : raise_format(thread, "file-error", "nothing can be written");
}

static Value delete_file(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    if (!check_type(thread, arguments[0], TYPE_STRING))
        return FAILED;
    const char *path = string_of(arguments[0])->bytes;
    return unlink(path) == 0 ? NIL
                             : raise_format(thread, "file-error", "%s can't be deleted", path);
}

/* Assertions raise, so that the program ends with a place and a reason. */
static Value assert_true(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    if (arguments[0] != NIL)
        return arguments[0];
    return raise_format(thread, "assertion-error", "the assertion does not hold");
}

static Value assert_equal(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    if (values_equal(arguments[0], arguments[1]) == EQUAL)
        return arguments[1];
    Text text = text_start();
    text_append(&text, "expected ");
    print_readably(thread->vm, &text, arguments[0]);
    text_append(&text, ", got ");
    print_readably(thread->vm, &text, arguments[1]);
    raise_format(thread, "assertion-error", "%s", text.bytes);
    text_finish(&text);
    return FAILED;
}

static const Primitive primitives[] = {
    {"print", print, 0, ANY_NUMBER},
    {"say", say, 0, ANY_NUMBER},
    {"gc", collect, 0, 0},
    {"gc-stress?", collects_always, 0, 0},
    {"object-address", address, 1, 1},
    {"type-of", type_of, 1, 1},
    {"copy", copy, 1, 2},
    {"exit", leave_process, 0, 1},
    {"seconds", seconds, 0, 0},
    {"load", load, 1, 1},
    {"open-file", open_file, 1, 2},
    {"close-file", close_file, 1, 1},
    {"read-line", read_line, 1, 1},
    {"write-line", write_line, 2, 2},
    {"delete-file", delete_file, 1, 1},
    {"assert", assert_true, 1, 1},
    {"assert-equal", assert_equal, 2, 2},
};

const PrimitiveTable system_primitives = {primitives, sizeof primitives / sizeof primitives[0]};
