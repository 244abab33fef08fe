/*
 * walk_main.c: mark and share, beside the same walks written in C.
 *
 *     bench-walk OBJECTS tree|shuffled header|side|split layouts|callbacks ROUNDS
 *
 * In each round, on the same objects: the library's mark, then its share; and the peers' mark and
 * share. Who begins alternates. Flags are cleared before each, unmeasured, which also leaves the
 * caches in the same state. A graph that fits the caches is made anew for each round: a graph is
 * walked once in its life, and walked again and again it would teach the processor its branches.
 * The peers keep their flags where the library does: for split flags, in the table, where the
 * decision is taken.
 */

#include "clock.h"
#include "figure.h"
#include "host.h"
#include "peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Graphs of so many objects are made anew for each round. */
#define CACHED 100000

typedef struct Walks {
    Host host;
    Peer peer;
    Figure mark;
    Figure share;
    double per_object;
    size_t objects;
} Walks;

static void expect_all(const Walks *walks, size_t handled, const char *walk)
{
    if (handled != walks->objects) {
        fprintf(stderr, "%s: %zu of %zu objects\n", walk, handled, walks->objects);
        exit(1);
    }
}

static void run_ours(Walks *walks)
{
    Host *host = &walks->host;
    host_clear_flags(host);
    rs_statistics before = host_statistics(host);
    double begun = clock_nanoseconds();
    host_mark(host);
    double marked = clock_nanoseconds();
    host_access(host);
    double shared = clock_nanoseconds();
    rs_statistics after = host_statistics(host);
    expect_all(walks, after.objects_marked - before.objects_marked, "rs_autoshare_mark");
    expect_all(walks, after.objects_shared - before.objects_shared, "rs_ractor_access");
    figure_add(&walks->mark, (marked - begun) * walks->per_object);
    figure_add(&walks->share, (shared - marked) * walks->per_object);
}

static void run_peer(Walks *walks)
{
    Peer *peer = &walks->peer;
    Heap *heap = walks->host.heap;
    heap_clear_flags(heap);
    peer_clear(peer, heap);
    double begun = clock_nanoseconds();
    size_t marked = peer_mark(peer, heap->root);
    double mark_time = clock_nanoseconds() - begun;
    heap_clear_flags(heap);
    peer_set_autoshare(peer, heap);
    /* As the library's share does, this one follows a walk of the same graph. */
    begun = clock_nanoseconds();
    size_t claimed = peer_claim(peer, heap->root);
    size_t published = peer_publish(peer);
    double share_time = clock_nanoseconds() - begun;
    expect_all(walks, marked, "peer_mark");
    expect_all(walks, claimed, "peer_claim");
    expect_all(walks, published, "peer_publish");
    figure_add_beside(&walks->mark, "C mark", mark_time * walks->per_object);
    figure_add_beside(&walks->share, "C walker", share_time * walks->per_object);
}

static void open_host(Walks *walks, Heap *heap, uint32_t placement, enum Description description)
{
    host_describe(&walks->host, heap, placement, description);
    host_open(&walks->host);
    host_add_reader(&walks->host);
}

int main(int count, char **arguments)
{
    if (count != 6) {
        fprintf(stderr,
                "usage: %s OBJECTS tree|shuffled header|side|split layouts|callbacks ROUNDS\n",
                arguments[0]);
        return 2;
    }
    Heap heap;
    Walks walks = {.mark = {.name = "mark", .unit = "ns/object"},
                   .share = {.name = "share", .unit = "ns/object"}};
    walks.objects = strtoul(arguments[1], NULL, 10);
    walks.per_object = 1.0 / (double)walks.objects;
    heap_build(&heap, strcmp(arguments[2], "tree") == 0 ? TREE : SHUFFLED, walks.objects);
    uint32_t placement = placement_named(arguments[3]);
    open_host(&walks, &heap, placement, description_named(arguments[4]));
    peer_new(&walks.peer, placement == RS_FLAGS_IN_HEADER ? PEER_HEADER : PEER_SIDE, &heap);
    peer_tune(&walks.peer, &heap);

    unsigned long rounds = strtoul(arguments[5], NULL, 10);
    for (unsigned long round = 0; round < rounds; round++) {
        if (walks.objects <= CACHED)
            heap_rebuild(&heap, round);
        void (*first)(Walks *) = round % 2 ? run_peer : run_ours;
        void (*second)(Walks *) = round % 2 ? run_ours : run_peer;
        first(&walks);
        second(&walks);
    }
    figure_print(&walks.mark);
    figure_print(&walks.share);
    fprintf(stderr, "peer prefetches: mark %s, claim %s\n",
            peer_prefetch_name(walks.peer.mark_prefetch),
            peer_prefetch_name(walks.peer.claim_prefetch));
    host_close(&walks.host);
    peer_free(&walks.peer);
    figure_free(&walks.mark);
    figure_free(&walks.share);
    heap_free(&heap);
    return 0;
}
