/*
 * world.h: stopping all threads of a vm, for a collection or a walk of the stopped world.
 *
 * A thread is running, or away: parked at a safepoint, in a blocking region, or not in the vm at
 * all. Who stops the world waits until every other thread is away, and nobody comes back before
 * the world is resumed. One thread holds the world at a time; others that want it wait for their
 * turn, away themselves. Stops nest.
 */

#ifndef MINIVM_WORLD_H
#define MINIVM_WORLD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "minivm.h"

/* A thread's part: a link in the world's list, and whether it is away. */
typedef struct ThreadPlace {
    Thread *next;
    unsigned away;
} ThreadPlace;

typedef struct World {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    Thread *threads;
    unsigned running;
    /* Who holds the world, and how often. */
    Thread *holder;
    unsigned held;
    /* Not 0: threads must park at their next safepoint. Read without the lock. */
    atomic_uint stop_wanted;
} World;

void world_prepare(World *world);
void world_finish(World *world);

/* A thread joins as a running one; waits while the world is stopped. */
void world_join(Thread *thread);
void world_part(Thread *thread);

void world_stop(Thread *thread);
void world_resume(Thread *thread);

/* A region in which the thread touches no object. Regions nest. */
void world_blocking_enter(Thread *thread);
void world_blocking_leave(Thread *thread);

void world_park(Thread *thread);

/* The test is one load, so it may stand in every loop. */
static inline bool world_stop_is_wanted(World *world)
{
    return atomic_load_explicit(&world->stop_wanted, memory_order_relaxed) != 0;
}

#endif
