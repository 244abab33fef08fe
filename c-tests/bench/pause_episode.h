/*
 * pause_episode.h: one access by a reader, while main checks objects of the same graph.
 */

#ifndef BENCH_PAUSE_EPISODE_H
#define BENCH_PAUSE_EPISODE_H

#include "clock.h"
#include "figure.h"
#include "host.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

enum Episode {
    OURS,
    ONE_LOCK,
    NO_WALK,
    EPISODES,
};

#define CHECKS_AN_EPISODE 256

/* Nanoseconds; interrupts are shorter, time slices longer. */
#define ABSENCE 100e3

typedef struct Pause {
    Host host;
    Random random;
    pthread_t reader;
    pthread_mutex_t lock; /* of ONE_LOCK */
    rs_slot written_slot; /* what main wrote becomes A again through this one */
    rs_value written[CHECKS_AN_EPISODE];
    unsigned written_length;
    double walk_time;       /* nanoseconds of an access, about */
    double longest_absence; /* nanoseconds that main was off its processor, though ready to run */
    unsigned long absences; /* how often, for so long that it can't have been an interrupt */

    /* The reader accesses once for each step of `started`, and steps `ended` after it. */
    atomic_ulong started;
    atomic_ulong ended;
    atomic_int kind;
    atomic_bool inside;  /* the reader is in its access */
    atomic_bool collect; /* the reader is to stop at its next safepoint */
    atomic_bool stopped; /* it has */
    atomic_bool leave;
    _Atomic rs_status status; /* of the last access */

    Samples latencies[EPISODES];  /* nanoseconds */
    Samples wait_latencies;       /* of the checks in which main waited for a piece */
    Samples stops;                /* nanoseconds until the reader had stopped for a collection */
    unsigned long waits_inline;   /* on objects whose layout has fields alone */
    unsigned long waits_indirect; /* on all others */
} Pause;

void pause_open(Pause *pause);
void pause_episode(Pause *pause, enum Episode kind, bool with_collection);
void pause_close(Pause *pause);

#endif /* BENCH_PAUSE_EPISODE_H */
