/*
 * walk_main.c: mark and share, beside the same walks written in C.
 *
 *     bench-walk OBJECTS tree|shuffled header|side|split|all layouts|callbacks|all ROUNDS
 *
 * In each round, on the same objects, for each placement: the library's mark, then its share, with
 * objects described by layouts, and by callbacks; and the peers' mark and share, plainly written
 * ("C") and without branches. Who begins alternates. Flags are cleared before each, unmeasured,
 * which also leaves the caches in the same state.
 *
 * A graph that fits the caches is made anew for each placement in each round: a graph is walked
 * once in its life, and walked again it would teach the processor its branches (which makes the C
 * mark a quarter faster the second time). The peers keep their flags where the library does: for
 * split flags, in the table, where the decision is taken.
 */

#include "clock.h"
#include "figure.h"
#include "host.h"
#include "peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Graphs of so many objects are made anew. */
#define CACHED 100000

static const char *const placements[] = {"header", "side", "split"};
static const char *const descriptions[] = {"layouts", "callbacks"};

#define PLACEMENTS (sizeof placements / sizeof placements[0])
#define DESCRIPTIONS (sizeof descriptions / sizeof descriptions[0])

/* The library over one description of the heap, and what it measured. */
typedef struct Variant {
    Host host;
    char mark_name[40];
    char share_name[40];
    Figure mark;
    Figure share;
} Variant;

/* What is measured together: all descriptions with one placement of the flags, and their peer. */
typedef struct Walks {
    Heap *heap;
    Peer *peer;
    Variant variants[DESCRIPTIONS];
    size_t length;
    double per_object;
} Walks;

static void expect_all(const Heap *heap, size_t handled, const char *walk)
{
    if (handled != heap->capacity) {
        fprintf(stderr, "%s: %zu of %zu objects\n", walk, handled, heap->capacity);
        exit(1);
    }
}

static void run_ours(Walks *walks, Variant *variant)
{
    Host *host = &variant->host;
    host_clear_flags(host);
    rs_statistics before = host_statistics(host);
    double begun = clock_nanoseconds();
    host_mark(host);
    double marked = clock_nanoseconds();
    host_access(host);
    double shared = clock_nanoseconds();
    rs_statistics after = host_statistics(host);
    expect_all(walks->heap, after.objects_marked - before.objects_marked, "rs_autoshare_mark");
    expect_all(walks->heap, after.objects_shared - before.objects_shared, "rs_ractor_access");
    figure_add(&variant->mark, (marked - begun) * walks->per_object);
    figure_add(&variant->share, (shared - marked) * walks->per_object);
}

static double mark_by_peer(Walks *walks, enum PeerScan scan)
{
    Peer *peer = walks->peer;
    peer_clear_flags(peer, walks->heap);
    double begun = clock_nanoseconds();
    size_t marked = peer_mark(peer, walks->heap->root, scan);
    double time = clock_nanoseconds() - begun;
    expect_all(walks->heap, marked, "peer_mark");
    return time * walks->per_object;
}

/* As the library's share does, this one follows a walk of the same graph. */
static double share_by_peer(Walks *walks, enum PeerScan scan)
{
    Peer *peer = walks->peer;
    peer_set_autoshare(peer, walks->heap);
    double begun = clock_nanoseconds();
    size_t claimed = peer_claim(peer, walks->heap->root, scan);
    size_t published = peer_publish(peer);
    double time = clock_nanoseconds() - begun;
    expect_all(walks->heap, claimed, "peer_claim");
    expect_all(walks->heap, published, "peer_publish");
    return time * walks->per_object;
}

static void run_peer(Walks *walks, enum PeerScan scan)
{
    static const char *const mark_names[] = {"C mark", "C mark without branches"};
    static const char *const share_names[] = {"C walker", "C walker without branches"};
    double mark_time = mark_by_peer(walks, scan);
    double share_time = share_by_peer(walks, scan);
    for (size_t index = 0; index < walks->length; index++) {
        figure_add_beside(&walks->variants[index].mark, mark_names[scan], mark_time);
        figure_add_beside(&walks->variants[index].share, share_names[scan], share_time);
    }
}

static void run_round(Walks *walks, unsigned long round, size_t place)
{
    const bool peer_begins = round % 2 != 0;
    if (walks->heap->capacity <= CACHED)
        heap_rebuild(walks->heap, round * PLACEMENTS + place);
    if (peer_begins) {
        run_peer(walks, SCAN_BY_COUNT);
        run_peer(walks, SCAN_BY_TYPE);
    }
    for (size_t index = 0; index < walks->length; index++)
        run_ours(walks, &walks->variants[index]);
    if (!peer_begins) {
        run_peer(walks, SCAN_BY_TYPE);
        run_peer(walks, SCAN_BY_COUNT);
    }
}

static void open_variant(Variant *variant, Heap *heap, const char *placement,
                         const char *description)
{
    snprintf(variant->mark_name, sizeof variant->mark_name, "mark/%s/%s", placement, description);
    snprintf(variant->share_name, sizeof variant->share_name, "share/%s/%s", placement,
             description);
    variant->mark = (Figure){.name = variant->mark_name, .unit = "ns/object"};
    variant->share = (Figure){.name = variant->share_name, .unit = "ns/object"};
    host_describe(&variant->host, heap, placement_named(placement), description_named(description));
    host_open(&variant->host);
    host_add_reader(&variant->host);
}

static bool is_wanted(const char *name, const char *wanted)
{
    return strcmp(wanted, "all") == 0 || strcmp(wanted, name) == 0;
}

static void expect_known(const char *placement, const char *description)
{
    if (strcmp(placement, "all") != 0)
        placement_named(placement);
    if (strcmp(description, "all") != 0)
        description_named(description);
}

static void open_walks(Walks *walks, Heap *heap, Peer *peers, const char *placement,
                       const char *description)
{
    walks->heap = heap;
    walks->peer = &peers[strcmp(placement, "header") == 0 ? PEER_HEADER : PEER_SIDE];
    walks->per_object = 1.0 / (double)heap->capacity;
    for (size_t index = 0; index < DESCRIPTIONS; index++)
        if (is_wanted(descriptions[index], description))
            open_variant(&walks->variants[walks->length++], heap, placement, descriptions[index]);
}

/* That the peer does what it is measured for. */
static void expect_shared(Walks *walks)
{
    share_by_peer(walks, SCAN_BY_TYPE);
    if (!peer_has_shared(walks->peer, walks->heap)) {
        fputs("the C walker has left other flags than a share does\n", stderr);
        exit(1);
    }
}

static void close_walks(Walks *walks)
{
    for (size_t index = 0; index < walks->length; index++) {
        Variant *variant = &walks->variants[index];
        figure_print(&variant->mark);
        figure_print(&variant->share);
        figure_free(&variant->mark);
        figure_free(&variant->share);
        host_close(&variant->host);
    }
}

static void tune(Peer *peer, Heap *heap)
{
    peer_tune(peer, heap);
    fprintf(stderr, "C prefetches, flags in %s: mark %s, claim %s; without branches: %s, %s\n",
            peer->flags == PEER_HEADER ? "header" : "side table",
            peer_prefetch_name(peer->mark_prefetch[SCAN_BY_TYPE]),
            peer_prefetch_name(peer->claim_prefetch[SCAN_BY_TYPE]),
            peer_prefetch_name(peer->mark_prefetch[SCAN_BY_COUNT]),
            peer_prefetch_name(peer->claim_prefetch[SCAN_BY_COUNT]));
}

int main(int count, char **arguments)
{
    if (count != 6) {
        fprintf(stderr,
                "usage: %s OBJECTS tree|shuffled header|side|split|all layouts|callbacks|all "
                "ROUNDS\n",
                arguments[0]);
        return 2;
    }
    expect_known(arguments[3], arguments[4]);
    Heap heap;
    Peer peers[PEER_PLACEMENTS];
    Walks walks[PLACEMENTS] = {0};
    size_t length = 0;
    heap_build(&heap, strcmp(arguments[2], "tree") == 0 ? TREE : SHUFFLED,
               strtoul(arguments[1], NULL, 10));
    for (int flags = 0; flags < PEER_PLACEMENTS; flags++)
        peer_new(&peers[flags], (enum PeerFlags)flags, &heap);
    for (size_t index = 0; index < PLACEMENTS; index++)
        if (is_wanted(placements[index], arguments[3]))
            open_walks(&walks[length++], &heap, peers, placements[index], arguments[4]);
    for (size_t index = 0; index < length; index++)
        if (index == 0 || walks[index].peer != walks[index - 1].peer)
            tune(walks[index].peer, &heap);

    unsigned long rounds = strtoul(arguments[5], NULL, 10);
    for (unsigned long round = 0; round < rounds; round++)
        for (size_t index = 0; index < length; index++)
            run_round(&walks[index], round, index);
    for (size_t index = 0; index < length; index++) {
        expect_shared(&walks[index]);
        close_walks(&walks[index]);
    }
    for (int flags = 0; flags < PEER_PLACEMENTS; flags++)
        peer_free(&peers[flags]);
    heap_free(&heap);
    return 0;
}
