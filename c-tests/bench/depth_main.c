/*
 * depth_main.c: a list as deep as it is long, on a small stack.
 *
 *     bench-depth OBJECTS header|side|split layouts|callbacks
 *
 * Marks and shares it on a thread of 64 KiB; figures are the bytes that the walks held at most, for
 * each object, and for the mark in all.
 */

#include "figure.h"
#include "host.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define STACK_BYTES (64 * 1024)

typedef struct Depth {
    Host host;
    Figure mark;
    Figure share;
} Depth;

static void *walk(void *argument)
{
    Depth *depth = argument;
    Host *host = &depth->host;
    host_mark(host);
    rs_statistics marked = host_statistics(host);
    host_access(host);
    rs_statistics shared = host_statistics(host);
    if (shared.objects_shared != host->heap->capacity) {
        fputs("not all objects were shared\n", stderr);
        exit(1);
    }
    figure_add(&depth->mark, (double)marked.walk_memory_peak);
    figure_add(&depth->share, (double)shared.walk_memory_peak / (double)host->heap->capacity);
    return NULL;
}

static void run_on_small_stack(Depth *depth)
{
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    if (pthread_attr_setstacksize(&attributes, STACK_BYTES) != 0 ||
        pthread_create(&thread, &attributes, walk, depth) != 0) {
        fputs("no thread with a small stack\n", stderr);
        exit(1);
    }
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
}

int main(int count, char **arguments)
{
    if (count != 4) {
        fprintf(stderr, "usage: %s OBJECTS header|side|split layouts|callbacks\n", arguments[0]);
        return 2;
    }
    Heap heap;
    Depth depth = {.mark = {.name = "mark", .unit = "bytes"},
                   .share = {.name = "share", .unit = "bytes/object"}};
    heap_build(&heap, LIST, strtoul(arguments[1], NULL, 10));
    host_describe(&depth.host, &heap, placement_named(arguments[2]),
                  description_named(arguments[3]));
    host_open(&depth.host);
    host_add_reader(&depth.host);
    run_on_small_stack(&depth);
    figure_print(&depth.mark);
    figure_print(&depth.share);
    host_close(&depth.host);
    figure_free(&depth.mark);
    figure_free(&depth.share);
    heap_free(&heap);
    return 0;
}
