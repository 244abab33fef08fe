/*
 * share_main.c: a reader's access in the mini-VM, for the comparison with CRuby's make_shareable.
 *
 *     bench-share DEPTH WIDTH ROUNDS
 *
 * The graph is a tree of vectors, WIDTH to each but those at DEPTH, which are empty: the same that
 * ruby_share.rb makes of arrays. In each round main makes it and assigns it to a constant, and a
 * ractor reads the constant.
 */

#include "clock.h"
#include "figure.h"

#include <minivm.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct Share {
    Vm *vm;
    uint64_t ractor;
    Variable *constant;
    double time;
} Share;

static Value build(Thread *main_thread, unsigned depth, unsigned width)
{
    Value *opened = vm_roots_open(main_thread);
    Value *vector = vm_root(main_thread, vm_vector(main_thread, depth == 0 ? 0 : width, NIL));
    for (unsigned index = 0; depth > 0 && index < width; index++) {
        Value child = build(main_thread, depth - 1, width);
        if (!vm_vector_set(main_thread, *vector, index, child)) {
            fputs("a fresh vector can't be written\n", stderr);
            exit(1);
        }
    }
    Value built = *vector;
    vm_roots_close(main_thread, opened);
    return built;
}

static void *read_constant(void *argument)
{
    Share *share = argument;
    Thread *thread = vm_enter(share->vm, share->ractor);
    double begun = clock_nanoseconds();
    Value value = vm_constant_get(thread, share->constant);
    share->time = clock_nanoseconds() - begun;
    if (vm_vector_length(value) == 0) {
        fputs("the reader got something else\n", stderr);
        exit(1);
    }
    vm_leave(thread);
    return NULL;
}

/* Main waits with safepoints, in case the reader's walk meets a collection. */
static void read_in_ractor(Share *share, Thread *main_thread)
{
    pthread_t reader;
    share->ractor = vm_ractor_register(share->vm, "reader");
    if (pthread_create(&reader, NULL, read_constant, share) != 0) {
        fputs("no thread\n", stderr);
        exit(1);
    }
    while (pthread_tryjoin_np(reader, NULL) != 0) {
        const struct timespec pause = {.tv_nsec = 200000};
        nanosleep(&pause, NULL);
        vm_safepoint(main_thread);
    }
}

static size_t count_objects(unsigned depth, unsigned width)
{
    size_t level = 1, all = 1;
    while (depth-- > 0)
        all += level *= width;
    return all;
}

int main(int count, char **arguments)
{
    if (count != 4) {
        fprintf(stderr, "usage: %s DEPTH WIDTH ROUNDS\n", arguments[0]);
        return 2;
    }
    unsigned depth = (unsigned)strtoul(arguments[1], NULL, 10);
    unsigned width = (unsigned)strtoul(arguments[2], NULL, 10);
    size_t objects = count_objects(depth, width);
    VmOptions options = vm_default_options();
    Share share = {.vm = vm_new(&options)};
    if (!share.vm) {
        fputs("no vm\n", stderr);
        return 1;
    }
    Thread *main_thread = vm_main_thread(share.vm);
    share.constant = vm_constant(main_thread, "GRAPH");
    Figure figure = {.name = "share", .unit = "ns/object"};
    unsigned long rounds = strtoul(arguments[3], NULL, 10);
    for (unsigned long round = 0; round < rounds; round++) {
        Value graph = build(main_thread, depth, width);
        if (!vm_constant_set(main_thread, share.constant, graph)) {
            fputs("the constant can't be assigned\n", stderr);
            return 1;
        }
        read_in_ractor(&share, main_thread);
        figure_add(&figure, share.time / (double)objects);
    }
    figure_print(&figure);
    figure_free(&figure);
    vm_free(share.vm);
    return 0;
}
