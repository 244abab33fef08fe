/*
 * access_main.c: the test after a read of a constant, to be counted by callgrind.
 *
 *     bench-access plain|header|side|split shareable|refused
 *
 * Reads a constant ACCESSES times in the function `read_constant_…`, which is all that is to be
 * counted (--toggle-collect); split flags are tested as those in the side table. `plain` does not
 * test. `shareable`: the test answers by itself. `refused`: an access has failed before, so the
 * test calls the library, which says so again.
 */

#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OBJECTS 1000
#define ACCESSES 1000

static Host host;
static Object *volatile constant;

/* What a host does if the test says that there is a question. */
static __attribute__((noinline, cold)) bool ask(const Object *value)
{
    return rs_ractor_access(host.vm, host.reader, host.slot, (rs_value)value) == RS_OK;
}

/* Each returns how many reads were refused. */

__attribute__((noinline, noclone)) size_t read_constant_plain(void)
{
    for (size_t access = 0; access < ACCESSES; access++)
        (void)constant;
    return 0;
}

__attribute__((noinline, noclone)) size_t read_constant_header(void)
{
    size_t refused = 0;
    for (size_t access = 0; access < ACCESSES; access++) {
        const Object *value = constant;
        if (!rs_is_shareable(rs_load_flags_32(&value->flags), SHAREABLE, PENDING) && !ask(value))
            refused++;
    }
    return refused;
}

/* The table is part of the host's global state, as it is in a VM. */
__attribute__((noinline, noclone)) size_t read_constant_side(void)
{
    size_t refused = 0;
    for (size_t access = 0; access < ACCESSES; access++) {
        const Object *value = constant;
        if (!rs_side_is_shareable(&host.side, (rs_value)value) && !ask(value))
            refused++;
    }
    return refused;
}

static size_t read_constant(const char *kind)
{
    if (strcmp(kind, "plain") == 0)
        return read_constant_plain();
    return host.placement == RS_FLAGS_IN_HEADER ? read_constant_header() : read_constant_side();
}

/* The last object of the list is written by main, so that an access fails. */
static void refuse_once(Heap *heap)
{
    rs_value last = (rs_value)&heap->slots[heap->capacity - 1];
    expect_status(rs_check_frozen(host.vm, host.main, last), RS_OK, "rs_check_frozen");
    expect_status(rs_ractor_access(host.vm, host.reader, host.slot, heap->root), RS_NOT_SHAREABLE,
                  "rs_ractor_access");
}

int main(int count, char **arguments)
{
    if (count != 3) {
        fprintf(stderr, "usage: %s plain|header|side|split shareable|refused\n", arguments[0]);
        return 2;
    }
    const char *kind = arguments[1];
    const bool fails = strcmp(arguments[2], "refused") == 0;
    Heap heap;
    heap_build(&heap, LIST, OBJECTS);
    host_describe(&host, &heap, placement_named(strcmp(kind, "plain") == 0 ? "header" : kind),
                  BY_LAYOUTS);
    host_open(&host);
    host_add_reader(&host);
    host_mark(&host);
    if (fails)
        refuse_once(&heap);
    else
        host_access(&host);

    constant = as_object(heap.root);
    uint64_t walks = host_statistics(&host).walks;
    size_t refused = read_constant(kind);
    const bool tested = strcmp(kind, "plain") != 0;
    if (refused != (fails && tested ? ACCESSES : 0) || host_statistics(&host).walks != walks) {
        fprintf(stderr, "%zu of %d accesses were refused\n", refused, ACCESSES);
        return 1;
    }
    printf("{\"accesses\": %d}\n", ACCESSES);
    host_close(&host);
    heap_free(&heap);
    return 0;
}
