/*
 * pause_main.c: how long main's check before a write takes while another ractor shares the graph.
 *
 *     bench-pause OBJECTS header|side|split layouts|callbacks free|oversubscribed SECONDS
 *
 * Three kinds of episode follow each other for so many seconds. In "ours" a reader accesses the
 * graph, and main checks random objects of it meanwhile, at random times; in every eighth main also
 * runs a collection, which stops the reader at a safepoint. In "one lock" the same, but reader and
 * main take one lock, the reader for its whole access. In "no walk" nobody walks: what it shows is
 * the machine's own noise. `free` pins main and the reader to two processors; `oversubscribed` adds
 * threads that do nothing but run, and pins nobody.
 *
 * Checks of a reader's time are counted only if it was inside the library when they began.
 */

#include "figure.h"
#include "host.h"
#include "pause_episode.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SPINNERS 4
#define COLLECT_EVERY 8

static atomic_bool spinning = true;

static void *spin(void *argument)
{
    (void)argument;
    while (atomic_load_explicit(&spinning, memory_order_relaxed)) {
    }
    return NULL;
}

static void pin(pthread_t thread, int processor)
{
    cpu_set_t processors;
    CPU_ZERO(&processors);
    CPU_SET(processor, &processors);
    if (pthread_setaffinity_np(thread, sizeof processors, &processors) != 0)
        fputs("threads can't be pinned\n", stderr);
}

static void print_quantile(const char *name, double share, Samples *latencies)
{
    Figure figure = {.name = name, .unit = "ns"};
    figure_add(&figure, samples_quantile(&latencies[OURS], share));
    figure_add_beside(&figure, "one lock", samples_quantile(&latencies[ONE_LOCK], share));
    figure_add_beside(&figure, "no walk", samples_quantile(&latencies[NO_WALK], share));
    figure_print(&figure);
    figure_free(&figure);
}

static void print_number(const char *name, const char *unit, double value)
{
    Figure figure = {.name = name, .unit = unit};
    figure_add(&figure, value);
    figure_print(&figure);
    figure_free(&figure);
}

/* What the scheduler lets a thread run at a stretch while others wait, in nanoseconds: what it
 * says, but no less than a tick, at which it looks. */
static double time_slice(void)
{
    struct timespec slice = {0}, tick = {0};
    sched_rr_get_interval(0, &slice);
    clock_getres(CLOCK_MONOTONIC_COARSE, &tick);
    double told = (double)slice.tv_sec * 1e9 + (double)slice.tv_nsec;
    return told > (double)tick.tv_nsec ? told : (double)tick.tv_nsec;
}

static void print_all(Pause *pause)
{
    for (int kind = 0; kind < EPISODES; kind++)
        samples_sort(&pause->latencies[kind]);
    print_quantile("p50", 0.5, pause->latencies);
    print_quantile("p99", 0.99, pause->latencies);
    print_quantile("p99.9", 0.999, pause->latencies);
    print_quantile("max", 1, pause->latencies);
    print_number("checks", "", (double)pause->latencies[OURS].length);
    print_number("waits inline", "", (double)pause->waits_inline);
    print_number("waits indirect", "", (double)pause->waits_indirect);
    samples_sort(&pause->wait_latencies);
    print_number("longest wait", "ns", samples_quantile(&pause->wait_latencies, 1));
    print_number("time slice", "ns", time_slice());
    samples_sort(&pause->stops);
    print_number("collections", "", (double)pause->stops.length);
    print_number("stop p50", "ns", samples_quantile(&pause->stops, 0.5));
    print_number("stop p99", "ns", samples_quantile(&pause->stops, 0.99));
    print_number("walks lost", "", (double)host_statistics(&pause->host).walks_lost);
    print_number("graphs shared", "", (double)host_statistics(&pause->host).graphs_shared);
}

static void run_for(Pause *pause, double seconds)
{
    double end = clock_nanoseconds() + seconds * 1e9;
    for (unsigned long episode = 0; clock_nanoseconds() < end; episode++) {
        pause_episode(pause, OURS, episode % COLLECT_EVERY == 0);
        if (episode % 4 == 0)
            pause_episode(pause, NO_WALK, false);
        if (episode % 16 == 0)
            pause_episode(pause, ONE_LOCK, false);
    }
}

int main(int count, char **arguments)
{
    if (count != 6) {
        fprintf(
            stderr,
            "usage: %s OBJECTS header|side|split layouts|callbacks free|oversubscribed SECONDS\n",
            arguments[0]);
        return 2;
    }
    Heap heap;
    Pause pause = {.random = {.state = 17278}};
    heap_build(&heap, TREE, strtoul(arguments[1], NULL, 10));
    host_describe(&pause.host, &heap, placement_named(arguments[2]),
                  description_named(arguments[3]));
    const bool oversubscribed = strcmp(arguments[4], "oversubscribed") == 0;
    pthread_t spinners[SPINNERS];
    pause_open(&pause);
    if (oversubscribed) {
        for (int index = 0; index < SPINNERS; index++)
            pthread_create(&spinners[index], NULL, spin, NULL);
    } else {
        pin(pthread_self(), 0);
        pin(pause.reader, 1);
    }
    run_for(&pause, strtod(arguments[5], NULL));
    atomic_store(&spinning, false);
    for (int index = 0; oversubscribed && index < SPINNERS; index++)
        pthread_join(spinners[index], NULL);
    print_all(&pause);
    pause_close(&pause);
    heap_free(&heap);
    return 0;
}
