/*
 * remote_main.c: a process that works on another one's objects, beside what the machine, the
 * kernel, or code for this host alone needs for the same.
 *
 *     bench-remote WHAT ROUNDS [SIZE]
 *
 * awake: reads elements of a vector one after the other, both processes on processors of their own,
 * and spinning. Beside it two mailboxes of a cache line, which carry the same words, with the same
 * read behind them; and a Unix socket.
 *
 * asleep: the same with 100 microseconds between two reads, so that both sleep; on one processor,
 * and on two. Beside it a socket over which two processes notice each other's death; eventfds;
 * futexes.
 *
 * batch: 64 such reads in one request. Beside it 64 requests, begun and then finished, and the same
 * calls of `operate` in one process.
 *
 * copy: a graph of SIZE objects, copied into this process. Beside it the same copy, made in one
 * process by a walk that was written for this heap.
 *
 * bulk: a string of SIZE bytes, copied into memory of this process that nobody has touched. Beside
 * it two copies by memcpy: to memory that was touched, as that of a ring, and from there to such
 * memory.
 *
 * read: a field of a record in an image, in cache. Beside it a field of a struct.
 *
 * list: all elements of a list of SIZE, in four ways: remote_list.c says which.
 *
 * death: how long an owner keeps SIZE objects for a peer that was killed.
 *
 * memory: what the library holds for each of SIZE references, on either side.
 */

#include "remote_measures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Mode {
    const char *name;
    Measure *measure;
    size_t size;
} Mode;

static const Mode modes[] = {
    {"awake", measure_awake, 0},
    {"asleep", measure_asleep, 0},
    {"batch", measure_batch, 0},
    {"copy", measure_copy, 1000000},
    {"bulk", measure_bulk, (size_t)64 << 20},
    {"read", measure_read, 0},
    {"list", measure_list, 20000},
    {"death", measure_death, 1000000},
    {"memory", measure_memory, 1000000},
};

static const Mode *mode_named(const char *name)
{
    for (size_t index = 0; index < sizeof modes / sizeof *modes; index++)
        if (strcmp(modes[index].name, name) == 0)
            return &modes[index];
    return NULL;
}

int main(int count, char **arguments)
{
    const Mode *mode = count == 3 || count == 4 ? mode_named(arguments[1]) : NULL;
    if (!mode) {
        fprintf(stderr, "usage: bench-remote awake|asleep|batch|copy|bulk|read|list|death|memory "
                        "ROUNDS [SIZE]\n");
        return 2;
    }
    size_t size = count == 4 ? strtoul(arguments[3], NULL, 10) : mode->size;
    mode->measure(strtoul(arguments[2], NULL, 10), size);
    return 0;
}
