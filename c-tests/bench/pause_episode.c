/* pause_episode.c: main, its reader, and what they do to each other. */

#include "pause_episode.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

/* Waits without giving the processor away at once: the other thread usually has its own. */
static void wait_a_moment(unsigned *rounds)
{
    if (++*rounds % 256 == 0)
        sched_yield();
    else
        __builtin_ia32_pause();
}

/* The host's safepoint: the reader stands still while main collects. */
static void stop_for_collection(void *ctx)
{
    Host *host = ctx;
    Pause *pause = (Pause *)host; /* the first member */
    if (!atomic_load(&pause->collect))
        return;
    unsigned rounds = 0;
    atomic_store(&pause->stopped, true);
    while (atomic_load(&pause->collect))
        wait_a_moment(&rounds);
    atomic_store(&pause->stopped, false);
}

static void access_once(Pause *pause)
{
    Host *host = &pause->host;
    bool locked = atomic_load(&pause->kind) == ONE_LOCK;
    if (locked)
        pthread_mutex_lock(&pause->lock);
    atomic_store(&pause->inside, true);
    atomic_store(&pause->status,
                 rs_ractor_access(host->vm, host->reader, host->slot, host->heap->root));
    atomic_store(&pause->inside, false);
    if (locked)
        pthread_mutex_unlock(&pause->lock);
}

static void *read_on_demand(void *argument)
{
    Pause *pause = argument;
    unsigned long done = 0;
    unsigned rounds = 0;
    while (!atomic_load(&pause->leave)) {
        if (atomic_load(&pause->started) == done) {
            wait_a_moment(&rounds);
            continue;
        }
        if (atomic_load(&pause->kind) != NO_WALK)
            access_once(pause);
        atomic_store(&pause->ended, ++done);
    }
    return NULL;
}

static void mark_all(Pause *pause)
{
    host_clear_flags(&pause->host);
    host_mark(&pause->host);
}

void pause_open(Pause *pause)
{
    Host *host = &pause->host;
    host->contract.safepoint = stop_for_collection;
    host_open(host);
    host_add_reader(host);
    expect_status(rs_slot_new(host->vm, RS_SLOT_CONSTANT, "WRITTEN", NULL, &pause->written_slot),
                  RS_OK, "rs_slot_new");
    pthread_mutex_init(&pause->lock, NULL);
    mark_all(pause);
    double begun = clock_nanoseconds();
    host_access(host);
    pause->walk_time = clock_nanoseconds() - begun;
    mark_all(pause);
    if (pthread_create(&pause->reader, NULL, read_on_demand, pause) != 0) {
        fputs("no thread\n", stderr);
        exit(1);
    }
}

void pause_close(Pause *pause)
{
    atomic_store(&pause->leave, true);
    pthread_join(pause->reader, NULL);
    pthread_mutex_destroy(&pause->lock);
    host_close(&pause->host);
    for (int kind = 0; kind < EPISODES; kind++)
        samples_free(&pause->latencies[kind]);
    samples_free(&pause->wait_latencies);
    samples_free(&pause->stops);
}

static double random_share(Pause *pause, double of)
{
    return (double)random_below(&pause->random, 1 << 20) / (1 << 20) * of;
}

static void note_absence(Pause *pause, double nanoseconds)
{
    pause->absences += nanoseconds > ABSENCE;
    if (nanoseconds > pause->longest_absence)
        pause->longest_absence = nanoseconds;
}

/* Spins, and sees when the scheduler keeps this thread from it. */
static void spin_for(Pause *pause, double nanoseconds)
{
    double last = clock_nanoseconds(), end = last + nanoseconds;
    while (last < end) {
        __builtin_ia32_pause();
        double now = clock_nanoseconds();
        note_absence(pause, now - last);
        last = now;
    }
}

/* What main writes: any object; of a wide graph first of all the vector, which is being read in
 * pieces. */
static Object *object_to_write(Pause *pause)
{
    Heap *heap = pause->host.heap;
    if (heap->shape == WIDE && pause->written_length == 0)
        return as_object(heap->root);
    return &heap->slots[random_below(&pause->random, heap->capacity)];
}

static void count_wait(Pause *pause, const Object *object, double latency)
{
    samples_add(&pause->wait_latencies, latency);
    /* Of what a callback reads, the library can't know where it stands. */
    if (object->type == VECTOR || pause->host.description == BY_CALLBACKS)
        pause->waits_indirect++;
    else
        pause->waits_inline++;
}

/* One check, timed. The statistics are read outside of the time. */
static void check(Pause *pause, enum Episode kind)
{
    Host *host = &pause->host;
    Object *object = object_to_write(pause);
    bool inside = kind == NO_WALK || atomic_load(&pause->inside);
    uint64_t waits = host_statistics(host).main_waits;
    double begun = clock_nanoseconds();
    if (kind == ONE_LOCK)
        pthread_mutex_lock(&pause->lock);
    rs_status status = rs_check_frozen(host->vm, host->main, (rs_value)object);
    if (kind == ONE_LOCK)
        pthread_mutex_unlock(&pause->lock);
    double latency = clock_nanoseconds() - begun;
    if (status != RS_OK && status != RS_FROZEN)
        expect_status(status, RS_OK, "rs_check_frozen");
    if (inside)
        samples_add(&pause->latencies[kind], latency);
    if (host_statistics(host).main_waits != waits)
        count_wait(pause, object, latency);
    if (status == RS_OK)
        pause->written[pause->written_length++] = (rs_value)object;
}

static void visit_root(void *data, rs_value value)
{
    (void)value;
    ++*(size_t *)data;
}

/* A collection as the library sees it: the reader stands, and its roots are visited. */
static void collect(Pause *pause)
{
    unsigned rounds = 0;
    size_t roots = 0;
    double begun = clock_nanoseconds();
    atomic_store(&pause->collect, true);
    while (!atomic_load(&pause->stopped) && atomic_load(&pause->inside))
        wait_a_moment(&rounds);
    bool stopped = atomic_load(&pause->stopped);
    double latency = clock_nanoseconds() - begun;
    if (stopped) {
        samples_add(&pause->stops, latency);
        expect_status(rs_gc_visit_roots(pause->host.vm, visit_root, &roots), RS_OK,
                      "rs_gc_visit_roots");
    }
    atomic_store(&pause->collect, false);
    while (atomic_load(&pause->stopped))
        wait_a_moment(&rounds);
}

/* The graph is A again: all of it if it was shared, or what was written and lies on the way to it.
 */
static void restore(Pause *pause)
{
    Host *host = &pause->host;
    if (atomic_load(&pause->status) == RS_OK) {
        mark_all(pause);
    } else {
        for (unsigned index = 0; index < pause->written_length; index++)
            expect_status(rs_autoshare_mark(host->vm, pause->written_slot, pause->written[index]),
                          RS_OK, "rs_autoshare_mark");
        host_mark(host);
    }
    pause->written_length = 0;
}

void pause_episode(Pause *pause, enum Episode kind, bool with_collection)
{
    unsigned checks = kind == ONE_LOCK ? 1 : CHECKS_AN_EPISODE;
    unsigned rounds = 0;
    unsigned long number = atomic_load(&pause->started) + 1;
    atomic_store(&pause->kind, (int)kind);
    atomic_store(&pause->status, RS_NOT_SHAREABLE);
    atomic_store(&pause->started, number);
    while (kind != NO_WALK && !atomic_load(&pause->inside) && atomic_load(&pause->ended) != number)
        wait_a_moment(&rounds);
    if (with_collection) {
        spin_for(pause, random_share(pause, pause->walk_time));
        collect(pause);
    }
    spin_for(pause, random_share(pause, pause->walk_time));
    for (unsigned index = 0; index < checks; index++) {
        check(pause, kind);
        spin_for(pause, random_share(pause, pause->walk_time / checks / 2));
    }
    while (atomic_load(&pause->ended) != number)
        wait_a_moment(&rounds);
    restore(pause);
}
