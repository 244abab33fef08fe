/*
 * check_main.c: the test before a write, to be counted by callgrind.
 *
 *     bench-check plain|header|side|split ordinary|first-ractor|on-assign
 *
 * Runs CHECKS writes of a field, each behind one test, in the function `write_fields_…`, which is
 * all that is to be counted (--toggle-collect). `first-ractor` and `on-assign` write to objects
 * that were assigned to a slot before there was a ractor, under that mark policy.
 */

#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OBJECTS 100000
#define ROUNDS 10

static Host host;

/* What a host does if the test says that there is a question. Also behind the plain test, so that
 * nothing but the tests differs. */
static __attribute__((noinline, cold)) bool ask(const Object *object)
{
    return rs_check_frozen(host.vm, host.main, (rs_value)object) == RS_OK;
}

__attribute__((noinline, noclone)) size_t write_fields_plain(Object *objects, size_t count)
{
    size_t written = 0;
    for (size_t index = 0; index < count; index++) {
        if ((objects[index].flags & FROZEN) && !ask(&objects[index]))
            continue;
        objects[index].as.fields[0] = small_integer(1);
        written++;
    }
    return written;
}

__attribute__((noinline, noclone)) size_t write_fields_header(Object *objects, size_t count)
{
    size_t written = 0;
    for (size_t index = 0; index < count; index++) {
        if (rs_must_check(objects[index].flags, FROZEN | AUTOSHARE | PENDING) &&
            !ask(&objects[index]))
            continue;
        objects[index].as.fields[0] = small_integer(1);
        written++;
    }
    return written;
}

__attribute__((noinline, noclone)) size_t write_fields_split(Object *objects, size_t count)
{
    size_t written = 0;
    for (size_t index = 0; index < count; index++) {
        if (rs_must_check(objects[index].flags, FROZEN | AUTOSHARE) && !ask(&objects[index]))
            continue;
        objects[index].as.fields[0] = small_integer(1);
        written++;
    }
    return written;
}

/* The table is part of the host's global state, as it is in a VM. */
__attribute__((noinline, noclone)) size_t write_fields_side(Object *objects, size_t count)
{
    size_t written = 0;
    for (size_t index = 0; index < count; index++) {
        if (rs_side_must_check(&host.side, (rs_value)&objects[index]) && !ask(&objects[index]))
            continue;
        objects[index].as.fields[0] = small_integer(1);
        written++;
    }
    return written;
}

static size_t write_fields(const char *kind, Object *objects, size_t count)
{
    if (strcmp(kind, "plain") == 0)
        return write_fields_plain(objects, count);
    switch (host.placement) {
    case RS_FLAGS_IN_HEADER:
        return write_fields_header(objects, count);
    case RS_FLAGS_SPLIT:
        return write_fields_split(objects, count);
    default:
        return write_fields_side(objects, count);
    }
}

int main(int count, char **arguments)
{
    if (count != 3) {
        fprintf(stderr, "usage: %s plain|header|side|split ordinary|first-ractor|on-assign\n",
                arguments[0]);
        return 2;
    }
    const char *kind = arguments[1];
    const char *state = arguments[2];
    Heap heap;
    heap_build(&heap, LIST, OBJECTS);
    host_describe(&host, &heap, placement_named(strcmp(kind, "plain") == 0 ? "header" : kind),
                  BY_LAYOUTS);
    host.contract.mark_policy =
        strcmp(state, "on-assign") == 0 ? RS_MARK_ON_ASSIGN : RS_MARK_ON_FIRST_RACTOR;
    host_open(&host);
    if (strcmp(state, "ordinary") != 0)
        host_mark(&host);

    size_t written = 0;
    for (size_t round = 0; round < ROUNDS; round++)
        written += write_fields(kind, heap.slots, OBJECTS);
    if (written != (size_t)OBJECTS * ROUNDS) {
        fprintf(stderr, "%zu writes\n", written);
        return 1;
    }
    printf("{\"checks\": %d}\n", OBJECTS * ROUNDS);
    host_close(&host);
    heap_free(&heap);
    return 0;
}
