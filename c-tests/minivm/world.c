#include "world.h"

#include "vm.h"

void world_prepare(World *world)
{
    pthread_mutex_init(&world->lock, NULL);
    pthread_cond_init(&world->changed, NULL);
}

void world_finish(World *world)
{
    pthread_cond_destroy(&world->changed);
    pthread_mutex_destroy(&world->lock);
}

static void go_away(World *world, Thread *thread)
{
    if (thread->place.away++ == 0) {
        world->running--;
        pthread_cond_broadcast(&world->changed);
    }
}

static void come_back(World *world, Thread *thread)
{
    if (thread->place.away == 1) {
        while (world->holder != NULL && world->holder != thread)
            pthread_cond_wait(&world->changed, &world->lock);
        world->running++;
    }
    thread->place.away--;
}

void world_join(Thread *thread)
{
    World *world = &thread->vm->world;
    pthread_mutex_lock(&world->lock);
    thread->place.away = 1;
    come_back(world, thread);
    thread->place.next = world->threads;
    world->threads = thread;
    pthread_mutex_unlock(&world->lock);
}

void world_part(Thread *thread)
{
    World *world = &thread->vm->world;
    pthread_mutex_lock(&world->lock);
    Thread **link = &world->threads;
    while (*link != thread)
        link = &(*link)->place.next;
    *link = thread->place.next;
    go_away(world, thread);
    pthread_mutex_unlock(&world->lock);
}

void world_stop(Thread *thread)
{
    World *world = &thread->vm->world;
    pthread_mutex_lock(&world->lock);
    if (world->holder != thread) {
        go_away(world, thread);
        while (world->holder != NULL)
            pthread_cond_wait(&world->changed, &world->lock);
        world->holder = thread;
        atomic_store_explicit(&world->stop_wanted, 1, memory_order_relaxed);
        come_back(world, thread);
        while (world->running > 1)
            pthread_cond_wait(&world->changed, &world->lock);
    }
    world->held++;
    pthread_mutex_unlock(&world->lock);
}

void world_resume(Thread *thread)
{
    World *world = &thread->vm->world;
    pthread_mutex_lock(&world->lock);
    if (--world->held == 0) {
        world->holder = NULL;
        atomic_store_explicit(&world->stop_wanted, 0, memory_order_relaxed);
        pthread_cond_broadcast(&world->changed);
    }
    pthread_mutex_unlock(&world->lock);
}

void world_blocking_enter(Thread *thread)
{
    World *world = &thread->vm->world;
    pthread_mutex_lock(&world->lock);
    go_away(world, thread);
    pthread_mutex_unlock(&world->lock);
}

void world_blocking_leave(Thread *thread)
{
    World *world = &thread->vm->world;
    pthread_mutex_lock(&world->lock);
    come_back(world, thread);
    pthread_mutex_unlock(&world->lock);
}

void world_park(Thread *thread)
{
    World *world = &thread->vm->world;
    pthread_mutex_lock(&world->lock);
    if (world->holder != thread) {
        go_away(world, thread);
        come_back(world, thread);
    }
    pthread_mutex_unlock(&world->lock);
}
