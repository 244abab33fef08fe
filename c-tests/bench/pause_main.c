/*
 * pause_main.c: how long main's check before a write takes while another ractor shares the graph.
 *
 *     bench-pause OBJECTS tree|wide header|side|split layouts|callbacks free|oversubscribed SECONDS
 *
 * Three kinds of episode follow each other for so many seconds. In "ours" a reader accesses the
 * graph, and main checks random objects of it meanwhile, at random times; in every eighth main also
 * runs a collection, which stops the reader at a safepoint. In "one lock" the same, but reader and
 * main take one lock, the reader for its whole access. In "no walk" nobody walks: what it shows is
 * the machine's own noise. `free` pins main and the reader to two processors; `oversubscribed` adds
 * a thread for each processor that does nothing but run, and pins nobody. In a wide graph main
 * first writes the vector that the walk reads in pieces, for which it may have to wait.
 *
 * What main loses of its processor at a stretch, at most, is printed as the time slice.
 *
 * Checks are counted only if the reader was inside the library when they began. A quantile is
 * printed only if there were enough of them to tell.
 */

#include "figure.h"
#include "host.h"
#include "pause_episode.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SPINNERS_MOST 64
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
    static const char *const peers[] = {[ONE_LOCK] = "one lock", [NO_WALK] = "no walk"};
    Figure figure = {.name = name, .unit = "ns"};
    if (samples_have_quantile(&latencies[OURS], share))
        figure_add(&figure, samples_quantile(&latencies[OURS], share));
    for (int kind = ONE_LOCK; kind <= NO_WALK; kind++)
        if (samples_have_quantile(&latencies[kind], share))
            figure_add_beside(&figure, peers[kind], samples_quantile(&latencies[kind], share));
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

static void print_samples_quantile(const char *name, double share, const Samples *samples)
{
    Figure figure = {.name = name, .unit = "ns"};
    if (samples_have_quantile(samples, share))
        figure_add(&figure, samples_quantile(samples, share));
    figure_print(&figure);
    figure_free(&figure);
}

static void print_all(Pause *pause)
{
    for (int kind = 0; kind < EPISODES; kind++)
        samples_sort(&pause->latencies[kind]);
    print_quantile("p50", 0.5, pause->latencies);
    print_quantile("p99.9", 0.999, pause->latencies);
    print_quantile("max", 1, pause->latencies);
    print_number("checks", "", (double)pause->latencies[OURS].length);
    print_number("walks lost", "", (double)host_statistics(&pause->host).walks_lost);
    print_number("waits inline", "", (double)pause->waits_inline);
    print_number("waits indirect", "", (double)pause->waits_indirect);
    samples_sort(&pause->wait_latencies);
    print_samples_quantile("longest wait", 1, &pause->wait_latencies);
    print_number("time slice", "ns", pause->longest_absence);
    print_number("absences", "", (double)pause->absences);
    samples_sort(&pause->stops);
    print_samples_quantile("stop p50", 0.5, &pause->stops);
    print_samples_quantile("stop max", 1, &pause->stops);
    print_number("collections", "", (double)pause->stops.length);
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

static size_t processors(void)
{
    cpu_set_t set;
    sched_getaffinity(0, sizeof set, &set);
    size_t count = (size_t)CPU_COUNT(&set);
    return count < SPINNERS_MOST ? count : SPINNERS_MOST;
}

static void run_oversubscribed(Pause *pause, double seconds)
{
    pthread_t spinners[SPINNERS_MOST];
    size_t count = processors();
    for (size_t index = 0; index < count; index++)
        pthread_create(&spinners[index], NULL, spin, NULL);
    run_for(pause, seconds);
    atomic_store(&spinning, false);
    for (size_t index = 0; index < count; index++)
        pthread_join(spinners[index], NULL);
}

static void run_free(Pause *pause, double seconds)
{
    pin(pthread_self(), 0);
    pin(pause->reader, 1);
    run_for(pause, seconds);
}

int main(int count, char **arguments)
{
    if (count != 7) {
        fprintf(stderr,
                "usage: %s OBJECTS tree|wide header|side|split layouts|callbacks "
                "free|oversubscribed SECONDS\n",
                arguments[0]);
        return 2;
    }
    Heap heap;
    Pause pause = {.random = {.state = 17278}};
    heap_build(&heap, strcmp(arguments[2], "wide") == 0 ? WIDE : TREE,
               strtoul(arguments[1], NULL, 10));
    host_describe(&pause.host, &heap, placement_named(arguments[3]),
                  description_named(arguments[4]));
    pause_open(&pause);
    if (strcmp(arguments[5], "oversubscribed") == 0)
        run_oversubscribed(&pause, strtod(arguments[6], NULL));
    else
        run_free(&pause, strtod(arguments[6], NULL));
    print_all(&pause);
    pause_close(&pause);
    heap_free(&heap);
    return 0;
}
