/*
 * arrays_main.c: shares a tree of arrays, for the comparison with CRuby's make_shareable.
 *
 *     bench-arrays DEPTH WIDTH ROUNDS
 *
 * The graph is a tree of vectors, WIDTH to each but those at DEPTH, which are empty: the same that
 * ruby_share.rb makes of arrays. In each round, for each placement and each description: main
 * assigns it to a constant, unmeasured, as CRuby makes its arrays; and a reader accesses it. The
 * commit callback is called for each object.
 */

#include "clock.h"
#include "figure.h"
#include "host.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const placements[] = {"header", "side", "split"};
static const char *const descriptions[] = {"layouts", "callbacks"};

#define VARIANTS 6

typedef struct Variant {
    Host host;
    char name[40];
    Figure share;
    size_t committed;
} Variant;

static void count_committed(void *ctx, rs_value object)
{
    Variant *variant = ((Host *)ctx)->user;
    (void)object;
    variant->committed++;
}

static void open_variant(Variant *variant, Heap *heap, const char *placement,
                         const char *description)
{
    snprintf(variant->name, sizeof variant->name, "share/%s/%s", placement, description);
    variant->share = (Figure){.name = variant->name, .unit = "ns/object"};
    host_describe(&variant->host, heap, placement_named(placement), description_named(description));
    host_want_commits(&variant->host, count_committed);
    variant->host.user = variant;
    host_open(&variant->host);
    host_add_reader(&variant->host);
}

static void run(Variant *variant)
{
    Host *host = &variant->host;
    host_clear_flags(host);
    host_mark(host);
    variant->committed = 0;
    double begun = clock_nanoseconds();
    host_access(host);
    double time = clock_nanoseconds() - begun;
    if (variant->committed != host->heap->capacity) {
        fprintf(stderr, "%zu of %zu objects committed\n", variant->committed, host->heap->capacity);
        exit(1);
    }
    figure_add(&variant->share, time / (double)host->heap->capacity);
}

static void close_variant(Variant *variant)
{
    figure_print(&variant->share);
    figure_free(&variant->share);
    host_close(&variant->host);
}

int main(int count, char **arguments)
{
    if (count != 4) {
        fprintf(stderr, "usage: %s DEPTH WIDTH ROUNDS\n", arguments[0]);
        return 2;
    }
    Heap heap;
    Variant variants[VARIANTS];
    heap_build_arrays(&heap, (unsigned)strtoul(arguments[1], NULL, 10),
                      (unsigned)strtoul(arguments[2], NULL, 10));
    for (int index = 0; index < VARIANTS; index++)
        open_variant(&variants[index], &heap, placements[index / 2], descriptions[index % 2]);
    unsigned long rounds = strtoul(arguments[3], NULL, 10);
    for (unsigned long round = 0; round < rounds; round++)
        for (int index = 0; index < VARIANTS; index++)
            run(&variants[index]);
    for (int index = 0; index < VARIANTS; index++)
        close_variant(&variants[index]);
    heap_free(&heap);
    return 0;
}
