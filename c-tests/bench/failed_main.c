/*
 * failed_main.c: a share that fails at the last object, and the accesses after it.
 *
 *     bench-failed OBJECTS header|side|split layouts|callbacks ROUNDS
 *
 * Main has written one object, which the walk meets last: it claims all others, and takes all
 * claims back. Beside it, on the same graph: the claims alone, written in C ("C claim": the
 * forward walk); claims and their undoing in C; a whole share in C; and the library's access that
 * succeeds.
 *
 * More accesses to the slot that has failed: the time of one, and how many walks they began.
 */

#include "clock.h"
#include "figure.h"
#include "host.h"
#include "peer.h"

#include <stdio.h>
#include <stdlib.h>

#define LATER_ACCESSES 1000

typedef struct Failures {
    Host host;
    Peer peer;
    rs_value blocker;
    Figure failed;
    Figure later;
    Figure later_walks;
    double per_object;
} Failures;

/* Of how many objects the walk must have come, for the blocker to count as the last. */
static bool was_last(const Host *host)
{
    rs_report report = RS_REPORT_INIT;
    expect_status(rs_last_report(host->vm, host->reader, &report), RS_OK, "rs_last_report");
    return report.objects + 100 >= host->heap->capacity;
}

/* All is A but the blocker. */
static void mark_but_blocker(Failures *failures)
{
    Host *host = &failures->host;
    host_clear_flags(host);
    host_mark(host);
    expect_status(rs_check_frozen(host->vm, host->main, failures->blocker), RS_OK,
                  "rs_check_frozen");
}

static double fail_once(Failures *failures)
{
    Host *host = &failures->host;
    double begun = clock_nanoseconds();
    rs_status status = rs_ractor_access(host->vm, host->reader, host->slot, host->heap->root);
    double time = clock_nanoseconds() - begun;
    expect_status(status, RS_NOT_SHAREABLE, "rs_ractor_access");
    return time;
}

static void remember_committed(void *ctx, rs_value object)
{
    *(rs_value *)((Host *)ctx)->user = object;
}

/* Objects are committed in the order in which they were claimed, so a share that succeeds, on a vm
 * of its own, tells which is met last. */
static rs_value find_last(Heap *heap, uint32_t placement, enum Description description)
{
    rs_value last = 0;
    Host host;
    host_describe(&host, heap, placement, description);
    host_want_commits(&host, remember_committed);
    host.user = &last;
    host_open(&host);
    host_add_reader(&host);
    host_clear_flags(&host);
    host_mark(&host);
    host_access(&host);
    host_clear_flags(&host);
    host_close(&host);
    return last;
}

static void place_blocker(Failures *failures, rs_value last)
{
    failures->blocker = last;
    mark_but_blocker(failures);
    fail_once(failures);
    if (!was_last(&failures->host)) {
        fputs("the blocker is not met last\n", stderr);
        exit(1);
    }
}

static void access_later(Failures *failures)
{
    Host *host = &failures->host;
    uint64_t walks = host_statistics(host).walks;
    double begun = clock_nanoseconds();
    for (int access = 0; access < LATER_ACCESSES; access++) {
        rs_status status = rs_ractor_access(host->vm, host->reader, host->slot, host->heap->root);
        expect_status(status, RS_NOT_SHAREABLE, "rs_ractor_access");
    }
    figure_add(&failures->later, (clock_nanoseconds() - begun) / LATER_ACCESSES);
    figure_add(&failures->later_walks, (double)(host_statistics(host).walks - walks));
}

static void expect_all(const Heap *heap, size_t handled, const char *walk)
{
    if (handled != heap->capacity) {
        fprintf(stderr, "%s: %zu of %zu objects\n", walk, handled, heap->capacity);
        exit(1);
    }
}

static void run_peer(Failures *failures)
{
    Peer *peer = &failures->peer;
    Heap *heap = failures->host.heap;
    Figure *failed = &failures->failed;
    peer_set_autoshare(peer, heap);
    double begun = clock_nanoseconds();
    expect_all(heap, peer_claim(peer, heap->root, SCAN_BY_TYPE), "peer_claim");
    double claimed = clock_nanoseconds();
    expect_all(heap, peer_undo(peer), "peer_undo");
    double undone = clock_nanoseconds();
    figure_add_beside(failed, "C claim", (claimed - begun) * failures->per_object);
    figure_add_beside(failed, "C claim and undo", (undone - begun) * failures->per_object);

    peer_set_autoshare(peer, heap);
    begun = clock_nanoseconds();
    peer_claim(peer, heap->root, SCAN_BY_TYPE);
    expect_all(heap, peer_publish(peer), "peer_publish");
    double shared = clock_nanoseconds();
    figure_add_beside(failed, "C share", (shared - begun) * failures->per_object);
}

static void run_ours(Failures *failures)
{
    Host *host = &failures->host;
    Figure *failed = &failures->failed;
    mark_but_blocker(failures);
    figure_add(failed, fail_once(failures) * failures->per_object);
    access_later(failures);

    host_clear_flags(host);
    host_mark(host);
    double begun = clock_nanoseconds();
    host_access(host);
    figure_add_beside(failed, "our share", (clock_nanoseconds() - begun) * failures->per_object);
}

int main(int count, char **arguments)
{
    if (count != 5) {
        fprintf(stderr, "usage: %s OBJECTS header|side|split layouts|callbacks ROUNDS\n",
                arguments[0]);
        return 2;
    }
    Heap heap;
    Failures failures = {.failed = {.name = "failed", .unit = "ns/object"},
                         .later = {.name = "later", .unit = "ns"},
                         .later_walks = {.name = "later walks", .unit = "walks"}};
    size_t objects = strtoul(arguments[1], NULL, 10);
    failures.per_object = 1.0 / (double)objects;
    heap_build(&heap, TREE, objects);
    uint32_t placement = placement_named(arguments[2]);
    enum Description description = description_named(arguments[3]);
    rs_value last = find_last(&heap, placement, description);
    host_describe(&failures.host, &heap, placement, description);
    host_open(&failures.host);
    host_add_reader(&failures.host);
    place_blocker(&failures, last);
    peer_new(&failures.peer, placement == RS_FLAGS_IN_HEADER ? PEER_HEADER : PEER_SIDE, &heap);
    peer_tune(&failures.peer, &heap);

    unsigned long rounds = strtoul(arguments[4], NULL, 10);
    for (unsigned long round = 0; round < rounds; round++) {
        void (*first)(Failures *) = round % 2 ? run_peer : run_ours;
        void (*second)(Failures *) = round % 2 ? run_ours : run_peer;
        first(&failures);
        second(&failures);
    }
    figure_print(&failures.failed);
    figure_print(&failures.later);
    figure_print(&failures.later_walks);
    host_close(&failures.host);
    peer_free(&failures.peer);
    figure_free(&failures.failed);
    figure_free(&failures.later);
    figure_free(&failures.later_walks);
    heap_free(&heap);
    return 0;
}
