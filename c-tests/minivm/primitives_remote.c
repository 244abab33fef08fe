/*
 * Other processes: making and serving them, and what goes beyond the primitives that treat remote
 * objects like ordinary ones.
 */

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "condition.h"
#include "link.h"
#include "operation.h"
#include "primitives.h"
#include "printer.h"
#include "remote.h"
#include "watch.h"

static Link *link_of(Value value)
{
    return ((LinkObject *)value)->link;
}

static Link *checked_link(Thread *thread, Value value)
{
    return check_type(thread, value, TYPE_LINK) ? link_of(value) : NULL;
}

static Link *parent_link(Thread *thread)
{
    if (thread->vm->links.parent == NULL)
        raise_format(thread, "process-error", "this process has no parent to ask");
    return thread->vm->links.parent;
}

/* `:open`, `:no-evacuation` and `:timeout MILLISECONDS`. */
static bool read_spawn_options(Thread *thread, const Value *arguments, size_t count,
                               SpawnOptions *options)
{
    *options = (SpawnOptions){.evacuates = true};
    for (size_t i = 0; i < count; i++) {
        if (!check_symbol(thread, arguments[i]))
            return false;
        const char *name = symbol_name(thread->vm, arguments[i]);
        if (strcmp(name, ":open") == 0) {
            options->is_open = true;
        } else if (strcmp(name, ":no-evacuation") == 0) {
            options->evacuates = false;
        } else if (strcmp(name, ":timeout") == 0 && i + 1 < count) {
            if (!check_index(thread, arguments[++i], INT32_MAX))
                return false;
            options->timeout = (uint64_t)fixnum_number(arguments[i]);
        } else {
            raise_type(thread, "spawn option", arguments[i]);
            return false;
        }
    }
    return true;
}

static Link *spawn_form(Thread *thread, Value form, const SpawnOptions *options)
{
    Text text = text_start();
    Link *link = NULL;
    if (print_wholly(thread->vm, &text, form))
        link = link_spawn(thread, NULL, text.bytes, options);
    else
        raise_format(thread, "process-error", "the form is too big: write it to a file");
    text_finish(&text);
    return link;
}

/* `(spawn-child "file" option...)` or `(spawn-child form option...)`. */
static Value spawn_child(Thread *thread, Value *arguments, size_t count)
{
    SpawnOptions options;
    if (!read_spawn_options(thread, arguments + 1, count - 1, &options))
        return FAILED;
    bool is_file = is_type(arguments[0], TYPE_STRING);
    Link *link = is_file ? link_spawn(thread, string_of(arguments[0])->bytes, NULL, &options)
                         : spawn_form(thread, arguments[0], &options);
    return link == NULL ? FAILED : make_link_object(thread, link);
}

static Value parent(Thread *thread, Value *arguments, size_t count)
{
    (void)arguments, (void)count;
    Link *link = parent_link(thread);
    return link == NULL ? FAILED : make_link_object(thread, link);
}

static Value variable_of_parent(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    Link *link = check_symbol(thread, arguments[0]) ? parent_link(thread) : NULL;
    return link == NULL ? FAILED : remote_variable(thread, link, arguments[0]);
}

static Value set_variable_of_parent(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    Link *link = check_symbol(thread, arguments[0]) ? parent_link(thread) : NULL;
    return link == NULL ? FAILED : remote_set_variable(thread, link, arguments[0], &arguments[1]);
}

static Value variable_of_child(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    Link *link = checked_link(thread, arguments[0]);
    if (link == NULL || !check_symbol(thread, arguments[1]))
        return FAILED;
    return remote_variable(thread, link, arguments[1]);
}

static Value call_parent(Thread *thread, Value *arguments, size_t count)
{
    Link *link = check_symbol(thread, arguments[0]) ? parent_link(thread) : NULL;
    return link == NULL ? FAILED
                        : remote_call_named(thread, link, arguments[0], arguments + 1, count - 1);
}

static Value call_child(Thread *thread, Value *arguments, size_t count)
{
    Link *link = checked_link(thread, arguments[0]);
    if (link == NULL || !check_symbol(thread, arguments[1]))
        return FAILED;
    return remote_call_named(thread, link, arguments[1], arguments + 2, count - 2);
}

/* RS_CAN_… of `(read write call)`; 0 with a condition pending. */
static uint32_t read_rights(Thread *thread, Value list)
{
    static const struct {
        const char *name;
        uint32_t right;
    } rights[] = {{"read", RS_CAN_READ}, {"write", RS_CAN_WRITE}, {"call", RS_CAN_CALL}};
    uint32_t result = 0;
    for (; is_cons(list) && is_symbol(car(list)); list = cdr(list))
        for (size_t i = 0; i < sizeof rights / sizeof rights[0]; i++)
            if (strcmp(symbol_name(thread->vm, car(list)), rights[i].name) == 0)
                result |= rights[i].right;
    if (result == 0)
        raise_type(thread, "list of rights", list);
    return result;
}

/* `(export 'name value [rights])`: all peers that there are may refer to the value by that name,
 * and do what the rights say. */
static Value export(Thread *thread, Value *arguments, size_t count)
{
    if (!check_symbol(thread, arguments[0]))
        return FAILED;
    uint32_t rights = count == 3 ? read_rights(thread, arguments[2]) : RS_CAN_ALL;
    bool exported = rights != 0 && links_export(thread, arguments[0], arguments[1], rights);
    return exported ? arguments[0] : FAILED;
}

/* `(export-variable 'name [rights])`: exports what the variable holds now. */
static Value export_variable(Thread *thread, Value *arguments, size_t count)
{
    if (!check_symbol(thread, arguments[0]))
        return FAILED;
    Variable *variable = variable_find(thread, arguments[0]);
    Value value =
        variable == NULL ? raise_unbound(thread, arguments[0]) : variable_read(thread, variable);
    uint32_t rights = count == 2 ? read_rights(thread, arguments[1]) : RS_CAN_ALL;
    bool exported =
        value != FAILED && rights != 0 && links_export(thread, arguments[0], value, rights);
    return exported ? arguments[0] : FAILED;
}

static Value withdraw(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    bool withdrawn =
        check_symbol(thread, arguments[0]) && links_export(thread, arguments[0], NIL, 0);
    return withdrawn ? NIL : FAILED;
}

static Value serve(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    Link *link = checked_link(thread, arguments[0]);
    if (link == NULL || !check_index(thread, arguments[1], INT32_MAX))
        return FAILED;
    return link_serve(thread, link, (uint64_t)fixnum_number(arguments[1]));
}

/* What there is to do for any peer now, or what comes in so many milliseconds. */
static Value serve_all(Thread *thread, Value *arguments, size_t count)
{
    if (count == 1 && !check_index(thread, arguments[0], INT32_MAX))
        return FAILED;
    return links_serve(thread, -1, count == 0 ? 0 : (uint64_t)fixnum_number(arguments[0]));
}

/* Serves as long as the parent lives; in a process without one, as long as any child does. */
static Value run_loop(Thread *thread, Value *arguments, size_t count)
{
    (void)arguments, (void)count;
    return links_serve(thread, -1, UINT64_MAX);
}

static Value collect_cycles(Thread *thread, Value *arguments, size_t count)
{
    if (count == 1 && !check_index(thread, arguments[0], INT32_MAX))
        return FAILED;
    return links_collect_cycles(thread, count == 0 ? 0 : (uint64_t)fixnum_number(arguments[0]));
}

static Value wait_child(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    Link *link = checked_link(thread, arguments[0]);
    return link == NULL ? FAILED : link_wait(thread, link);
}

/* `(kill-child child [signal])`: at once, if no signal is given. */
static Value kill_child(Thread *thread, Value *arguments, size_t count)
{
    Link *link = checked_link(thread, arguments[0]);
    if (link == NULL || (count == 2 && !check_index(thread, arguments[1], NSIG)))
        return FAILED;
    int signal = count == 2 ? (int)fixnum_number(arguments[1]) : SIGKILL;
    return link_signal(thread, link, signal) ? arguments[0] : FAILED;
}

/* `(close-link link [evacuate?])` */
static Value close_one(Thread *thread, Value *arguments, size_t count)
{
    Link *link = checked_link(thread, arguments[0]);
    if (link == NULL)
        return FAILED;
    return link_close(thread, link, count == 2 && arguments[1] != NIL) ? NIL : FAILED;
}

static Value is_alive(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    const Link *link = checked_link(thread, arguments[0]);
    return link == NULL ? FAILED : truth(!link->is_dead);
}

/* An association list of what rs_link_counts says. */
static Value counts_of_link(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    const Link *link = checked_link(thread, arguments[0]);
    if (link == NULL)
        return FAILED;
    rs_link_statistics counts = link_counts(thread, link);
    const NamedCount entries[] = {
        {"collected", counts.collected}, {"bytes", counts.bytes},   {"messages", counts.messages},
        {"released", counts.released},   {"served", counts.served}, {"requests", counts.requests},
        {"remotes", counts.remotes},     {"pins", counts.pins},
    };
    return list_of_counts(thread, entries, sizeof entries / sizeof entries[0]);
}

static Value test_remote(Thread *thread, Value *arguments, size_t count)
{
    (void)thread, (void)count;
    return truth(is_remote(arguments[0]));
}

static Value text_of_remote(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    return remote_text(thread, arguments[0]);
}

/* `(share object)`: what never changes is read without asking its owner. */
static Value share(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    return remote_share(thread, arguments);
}

/* `(exchange! object index old new)`: sets an element if it is the very object `old`. What was
 * there. */
static Value exchange(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    if (!check_index(thread, arguments[1], SIZE_MAX))
        return FAILED;
    uint64_t index = (uint64_t)fixnum_number(arguments[1]);
    return is_remote(arguments[0]) ? remote_exchange(thread, arguments[0], index, arguments + 2)
                                   : element_exchange(thread, arguments[0], index, arguments + 2);
}

/* `(add! object index number)`: adds to the number that an element is, in one step. The sum. */
static Value add(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    if (!check_index(thread, arguments[1], SIZE_MAX))
        return FAILED;
    uint64_t index = (uint64_t)fixnum_number(arguments[1]);
    return is_remote(arguments[0]) ? remote_add(thread, arguments[0], index, &arguments[2])
                                   : element_add(thread, arguments[0], index, arguments[2]);
}

/* `(watch object procedure)`: calls the procedure with the object once it was written. */
static Value watch(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    return check_procedure(thread, arguments[1]) ? watch_begin(thread, arguments) : FAILED;
}

static Value unwatch(Thread *thread, Value *arguments, size_t count)
{
    (void)count;
    return truth(watch_end(&thread->vm->links, arguments[0]));
}

static const Primitive primitives[] = {
    {"spawn-child", spawn_child, 1, 6},
    {"parent", parent, 0, 0},
    {"remote", variable_of_parent, 1, 1},
    {"set-remote!", set_variable_of_parent, 2, 2},
    {"child-remote", variable_of_child, 2, 2},
    {"parent-call", call_parent, 1, ANY_NUMBER},
    {"child-call", call_child, 2, ANY_NUMBER},
    {"export", export, 2, 3},
    {"export-variable", export_variable, 1, 2},
    {"withdraw", withdraw, 1, 1},
    {"serve", serve, 2, 2},
    {"serve-all", serve_all, 0, 1},
    {"run-loop", run_loop, 0, 0},
    {"collect-cycles", collect_cycles, 0, 1},
    {"wait-child", wait_child, 1, 1},
    {"kill-child", kill_child, 1, 2},
    {"close-link", close_one, 1, 2},
    {"link-alive?", is_alive, 1, 1},
    {"link-counts", counts_of_link, 1, 1},
    {"remote?", test_remote, 1, 1},
    {"remote-text", text_of_remote, 1, 1},
    {"share", share, 1, 1},
    {"exchange!", exchange, 4, 4},
    {"add!", add, 3, 3},
    {"watch", watch, 2, 2},
    {"unwatch", unwatch, 1, 1},
};

const PrimitiveTable remote_primitives = {primitives, sizeof primitives / sizeof primitives[0]};
