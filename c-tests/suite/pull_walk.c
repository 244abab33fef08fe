/*
 * The pull walk: the host enumerates children, the library never calls it back for them.
 */

#include "fixture/check.h"
#include "fixture/host.h"
#include "fixture/snapshot.h"

#include <pthread.h>

/* Feeds all children of an object, `at_a_time` in a piece. */
static rs_status feed(Host *host, rs_walk walk, rs_value object, size_t at_a_time)
{
    size_t count = children_count(object_of(object));
    size_t index = 0;
    do {
        rs_value piece[8];
        size_t length = 0;
        while (length < at_a_time && index < count) {
            piece[length++] = child(object, index++);
        }
        rs_status status =
            rs_walk_feed(host->vm, walk, length == 0 ? NULL : piece, length, index == count);
        if (status != RS_OK) {
            return status;
        }
    } while (index < count);
    return RS_OK;
}

/* Drives a walk until it says something else than RS_MORE. */
static rs_status drive(Host *host, rs_walk walk)
{
    for (;;) {
        rs_value object = NIL;
        rs_status status = rs_walk_next(host->vm, walk, &object);
        if (status != RS_MORE) {
            return status;
        }
        status = feed(host, walk, object, 3);
        if (status != RS_OK) {
            return status;
        }
    }
}

static rs_value graph(Host *host)
{
    rs_value top = vector(host, 7);
    for (size_t index = 0; index < 5; index++) {
        put(top, index, pair(host, leaf(host), top));
    }
    put(top, 5, number(5));
    put(top, 6, map(host, 2));
    return top;
}

static void a_pulled_mark_makes_the_graph_a(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    host_ractor(host, NULL);
    rs_value top = graph(host);
    rs_slot slot = host_constant(host, "TOP");
    rs_walk walk = 0;
    CHECK_STATUS(RS_MORE, rs_walk_begin(host->vm, host->main, RS_WALK_TO_MARK, slot, top, &walk));
    CHECK_OK(drive(host, walk));
    CHECK_EQUAL(0, host->calls[IN_CHILDREN]);
    CHECK_OK(rs_walk_commit(host->vm, walk));
    for (size_t index = 0; index < host->objects_count; index++) {
        CHECK_EQUAL(RS_STATE_AUTOSHARE, state(host, value_of(host, host->objects[index])));
    }
    CHECK_EQUAL(RS_STATE_AUTOSHARE, slot_state(host, slot));
    CHECK_STATUS(RS_ERR_CLOSED, rs_walk_commit(host->vm, walk));
    host_close(host);
}

static void an_aborted_mark_leaves_no_mark(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    host_ractor(host, NULL);
    rs_value old = pair(host, NIL, NIL);
    rs_value top = graph(host);
    rs_slot slot = host_assign(host, "TOP", old);
    Snapshot *before = snapshot_take(host);
    rs_walk walk = 0;
    CHECK_STATUS(RS_MORE, rs_walk_begin(host->vm, host->main, RS_WALK_TO_MARK, slot, top, &walk));
    CHECK_OK(drive(host, walk));
    CHECK_OK(rs_walk_abort(host->vm, walk));
    CHECK_UNCHANGED(host, before);
    CHECK_EQUAL(host->calls[IN_ON_MARK], host->calls[IN_ON_UNMARK] + 1);
    CHECK_EQUAL(RS_STATE_AUTOSHARE, slot_state(host, slot));
    snapshot_free(before);
    host_close(host);
}

static void a_refused_object_is_left_out_of_a_mark(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    host_ractor(host, NULL);
    rs_value secret = leaf(host);
    rs_value top = pair(host, secret, leaf(host));
    rs_slot slot = host_constant(host, "TOP");
    rs_walk walk = 0;
    CHECK_STATUS(RS_MORE, rs_walk_begin(host->vm, host->main, RS_WALK_TO_MARK, slot, top, &walk));
    rs_value object = NIL;
    while (rs_walk_next(host->vm, walk, &object) == RS_MORE) {
        if (object == secret) {
            CHECK_OK(rs_walk_refuse(host->vm, walk, RS_SHARE_NO));
        } else {
            CHECK_OK(feed(host, walk, object, 1));
        }
    }
    CHECK_OK(rs_walk_commit(host->vm, walk));
    CHECK_EQUAL(RS_STATE_AUTOSHARE, state(host, top));
    CHECK_EQUAL(RS_STATE_AUTOSHARE, state(host, child(top, 1)));
    CHECK_EQUAL(RS_STATE_ORDINARY, state(host, secret));
    host_close(host);
}

static void a_pulled_access_shares_the_graph(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_ractor reader = host_ractor(host, NULL);
    rs_value top = graph(host);
    rs_slot slot = host_assign(host, "TOP", top);
    rs_walk walk = 0;
    CHECK_STATUS(RS_MORE, rs_walk_begin(host->vm, reader, RS_WALK_TO_ACCESS, slot, top, &walk));
    CHECK_OK(drive(host, walk));
    CHECK_OK(rs_walk_commit(host->vm, walk));
    for (size_t index = 0; index < host->objects_count; index++) {
        CHECK_EQUAL(RS_STATE_SHAREABLE, state(host, value_of(host, host->objects[index])));
    }
    CHECK_OK(rs_walk_begin(host->vm, reader, RS_WALK_TO_ACCESS, slot, top, &walk));
    host_close(host);
}

static void a_pulled_access_that_meets_b_is_remembered(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_ractor reader = host_ractor(host, NULL);
    rs_value blocker = leaf(host);
    rs_value top = pair(host, leaf(host), pair(host, blocker, NIL));
    rs_slot slot = host_assign(host, "TOP", top);
    CHECK_OK(host_check(host, host->main, blocker));
    rs_walk walk = 0;
    CHECK_STATUS(RS_MORE, rs_walk_begin(host->vm, reader, RS_WALK_TO_ACCESS, slot, top, &walk));
    CHECK_STATUS(RS_NOT_SHAREABLE, drive(host, walk));
    CHECK_OK(rs_walk_abort(host->vm, walk));
    CHECK_EQUAL(RS_STATE_ORDINARY, state(host, top));
    CHECK_EQUAL(RS_STATE_AUTOSHARE, state(host, child(top, 0)));
    CHECK_STATUS(RS_NOT_SHAREABLE,
                 rs_walk_begin(host->vm, reader, RS_WALK_TO_ACCESS, slot, top, &walk));
    host_close(host);
}

static void a_pulled_access_can_be_abandoned(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_ractor reader = host_ractor(host, NULL);
    rs_value top = graph(host);
    rs_slot slot = host_assign(host, "TOP", top);
    Snapshot *before = snapshot_take(host);
    rs_walk walk = 0;
    for (int steps = 0; steps < 12; steps++) {
        CHECK_STATUS(RS_MORE, rs_walk_begin(host->vm, reader, RS_WALK_TO_ACCESS, slot, top, &walk));
        for (int step = 0; step < steps; step++) {
            rs_value object = NIL;
            rs_status status = rs_walk_next(host->vm, walk, &object);
            if (status == RS_MORE && step + 1 < steps) {
                CHECK_OK(feed(host, walk, object, 2));
            }
        }
        CHECK_OK(rs_walk_abort(host->vm, walk));
        CHECK_UNCHANGED(host, before);
    }
    CHECK_OK(host_access(host, reader, slot, top));
    snapshot_free(before);
    host_close(host);
}

static void a_refused_object_blocks_an_access(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_ractor reader = host_ractor(host, NULL);
    rs_value top = pair(host, leaf(host), NIL);
    rs_slot slot = host_assign(host, "TOP", top);
    rs_walk walk = 0;
    rs_value object = NIL;
    CHECK_STATUS(RS_MORE, rs_walk_begin(host->vm, reader, RS_WALK_TO_ACCESS, slot, top, &walk));
    CHECK_STATUS(RS_MORE, rs_walk_next(host->vm, walk, &object));
    CHECK_OK(feed(host, walk, object, 2));
    CHECK_STATUS(RS_MORE, rs_walk_next(host->vm, walk, &object));
    CHECK_OK(rs_walk_refuse(host->vm, walk, RS_SHARE_BY_COPY));
    CHECK_STATUS(RS_NOT_SHAREABLE, rs_walk_next(host->vm, walk, &object));
    CHECK_STATUS(RS_NOT_SHAREABLE, rs_walk_commit(host->vm, walk));
    CHECK_EQUAL(RS_CAUSE_BY_COPY, last_report(host, reader).cause);
    CHECK_EQUAL(RS_STATE_ORDINARY, state(host, top));
    host_close(host);
}

static void a_pulled_share_shares_what_was_never_assigned(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_value top = graph(host);
    rs_walk walk = 0;
    CHECK_STATUS(RS_MORE,
                 rs_walk_begin(host->vm, host->main, RS_WALK_TO_SHARE, RS_NO_SLOT, top, &walk));
    CHECK_OK(drive(host, walk));
    CHECK_OK(rs_walk_commit(host->vm, walk));
    for (size_t index = 0; index < host->objects_count; index++) {
        CHECK_EQUAL(RS_STATE_SHAREABLE, state(host, value_of(host, host->objects[index])));
    }
    host_close(host);
}

static void a_pulled_share_does_not_prepare(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_value top = pair(host, prepared(host, NIL, NIL), NIL);
    Snapshot *before = snapshot_take(host);
    rs_walk walk = 0;
    CHECK_STATUS(RS_MORE,
                 rs_walk_begin(host->vm, host->main, RS_WALK_TO_SHARE, RS_NO_SLOT, top, &walk));
    CHECK_STATUS(RS_NOT_SHAREABLE, drive(host, walk));
    CHECK_STATUS(RS_NOT_SHAREABLE, rs_walk_commit(host->vm, walk));
    CHECK_EQUAL(RS_CAUSE_NEEDS_PREPARE, last_report(host, host->main).cause);
    CHECK_EQUAL(0, host->calls[IN_PREPARE]);
    CHECK_UNCHANGED(host, before);
    snapshot_free(before);
    host_close(host);
}

static void an_incomplete_walk_can_not_be_committed(const Configuration *configuration)
{
    static const uint32_t purposes[] = {RS_WALK_TO_MARK, RS_WALK_TO_ACCESS, RS_WALK_TO_SHARE};
    for (size_t index = 0; index < 3; index++) {
        Host *host = host_open(configuration, (Options){0});
        rs_ractor reader = host_ractor(host, NULL);
        rs_value top = pair(host, leaf(host), leaf(host));
        rs_slot slot = host_constant(host, "TOP");
        if (purposes[index] == RS_WALK_TO_ACCESS) {
            CHECK_OK(rs_autoshare_mark(host->vm, slot, top));
        }
        rs_ractor ractor = purposes[index] == RS_WALK_TO_ACCESS ? reader : host->main;
        rs_walk walk = 0;
        rs_value object = NIL;
        CHECK_STATUS(RS_MORE, rs_walk_begin(host->vm, ractor, purposes[index], slot, top, &walk));
        CHECK_STATUS(RS_ERR_ARGUMENT, rs_walk_commit(host->vm, walk));
        CHECK_STATUS(RS_MORE, rs_walk_next(host->vm, walk, &object));
        CHECK_STATUS(RS_ERR_ARGUMENT, rs_walk_next(host->vm, walk, &object));
        CHECK_STATUS(RS_ERR_ARGUMENT, rs_walk_commit(host->vm, walk));
        CHECK_OK(feed(host, walk, top, 2));
        CHECK_STATUS(RS_ERR_ARGUMENT, rs_walk_commit(host->vm, walk));
        CHECK_EQUAL(!shows_claims(configuration) && purposes[index] != RS_WALK_TO_MARK,
                    rs_shareable_p(host->vm, top));
        CHECK_STATUS(RS_ERR_ARGUMENT, rs_walk_feed(host->vm, walk, &top, 1, 1));
        CHECK_STATUS(RS_ERR_ARGUMENT, rs_walk_refuse(host->vm, walk, RS_SHARE_NO));
        CHECK_OK(drive(host, walk));
        CHECK_OK(rs_walk_commit(host->vm, walk));
        host_close(host);
    }
}

static void a_walk_may_write_what_it_was_handed(const Configuration *configuration)
{
    if (!shows_claims(configuration)) {
        return;
    }
    Host *host = host_open(configuration, (Options){0});
    rs_value top = vector_of_leaves(host, 2);
    Snapshot *before = snapshot_take(host);
    rs_walk walk = 0;
    rs_value object = NIL;
    CHECK_STATUS(RS_MORE,
                 rs_walk_begin(host->vm, host->main, RS_WALK_TO_SHARE, RS_NO_SLOT, top, &walk));
    CHECK_STATUS(RS_MORE, rs_walk_next(host->vm, walk, &object));
    /* User code that enumerates the vector writes to it; this must not wait for itself. */
    CHECK_OK(host_write(host, host->main, top, 0, NIL));
    CHECK_OK(feed(host, walk, object, 2));
    CHECK_STATUS(RS_NOT_SHAREABLE, rs_walk_next(host->vm, walk, &object));
    CHECK_STATUS(RS_NOT_SHAREABLE, rs_walk_commit(host->vm, walk));
    CHECK_UNCHANGED(host, before);
    snapshot_free(before);
    host_close(host);
}

static void mains_write_ends_a_pulled_access(const Configuration *configuration)
{
    if (!shows_claims(configuration)) {
        return;
    }
    Host *host = host_open(configuration, (Options){0});
    rs_ractor reader = host_ractor(host, NULL);
    rs_value top = pair(host, leaf(host), NIL);
    rs_slot slot = host_assign(host, "TOP", top);
    rs_walk walk = 0;
    CHECK_STATUS(RS_MORE, rs_walk_begin(host->vm, reader, RS_WALK_TO_ACCESS, slot, top, &walk));
    CHECK_OK(drive(host, walk));
    CHECK_OK(host_write(host, host->main, top, 1, number(3)));
    CHECK_STATUS(RS_NOT_SHAREABLE, rs_walk_commit(host->vm, walk));
    CHECK_EQUAL(RS_CAUSE_MODIFIED_MEANWHILE, last_report(host, reader).cause);
    CHECK_EQUAL(RS_STATE_ORDINARY, state(host, top));
    CHECK_EQUAL(RS_STATE_AUTOSHARE, state(host, child(top, 0)));
    host_close(host);
}

static void calls_that_need_a_walk_are_refused_meanwhile(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_ractor reader = host_ractor(host, NULL);
    rs_value top = pair(host, leaf(host), NIL);
    rs_value other = pair(host, NIL, NIL);
    rs_slot slot = host_assign(host, "TOP", top);
    rs_slot other_slot = host_assign(host, "OTHER", other);
    rs_walk walk = 0;
    rs_walk second = 0;
    CHECK_STATUS(RS_MORE, rs_walk_begin(host->vm, reader, RS_WALK_TO_ACCESS, slot, top, &walk));
    CHECK_STATUS(RS_ERR_REENTRANT, rs_ractor_access(host->vm, reader, other_slot, other));
    CHECK_STATUS(RS_ERR_REENTRANT, rs_make_shareable(host->vm, reader, leaf(host)));
    CHECK_STATUS(RS_ERR_REENTRANT, rs_gc_begin(host->vm));
    CHECK_STATUS(RS_ERR_REENTRANT,
                 rs_walk_begin(host->vm, reader, RS_WALK_TO_ACCESS, other_slot, other, &second));
    CHECK_STATUS(RS_BUSY, rs_vm_free(host->vm));
    CHECK_OK(drive(host, walk));
    CHECK_OK(rs_walk_commit(host->vm, walk));
    host_close(host);
}

static void a_mark_is_refused_during_a_pulled_mark(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    host_ractor(host, NULL);
    rs_value top = pair(host, leaf(host), NIL);
    rs_value other = pair(host, NIL, NIL);
    rs_slot slot = host_constant(host, "TOP");
    rs_slot other_slot = host_constant(host, "OTHER");
    rs_walk walk = 0;
    rs_walk second = 0;
    CHECK_STATUS(RS_MORE, rs_walk_begin(host->vm, host->main, RS_WALK_TO_MARK, slot, top, &walk));
    CHECK_STATUS(RS_ERR_REENTRANT,
                 rs_walk_begin(host->vm, host->main, RS_WALK_TO_MARK, other_slot, other, &second));
    CHECK_STATUS(RS_ERR_REENTRANT, rs_autoshare_mark(host->vm, other_slot, other));
    CHECK_STATUS(RS_BUSY, rs_vm_free(host->vm));
    CHECK_OK(drive(host, walk));
    CHECK_OK(rs_walk_commit(host->vm, walk));
    host_close(host);
}

typedef struct Elsewhere {
    Host *host;
    rs_walk walk;
    rs_slot slot;
    rs_value top;
    rs_ractor reader;
} Elsewhere;

static void *use_from_another_thread(void *data)
{
    Elsewhere *elsewhere = data;
    rs_vm *vm = elsewhere->host->vm;
    rs_value object = NIL;
    CHECK_STATUS(RS_ERR_THREAD, rs_walk_next(vm, elsewhere->walk, &object));
    CHECK_STATUS(RS_ERR_THREAD, rs_walk_feed(vm, elsewhere->walk, NULL, 0, 1));
    CHECK_STATUS(RS_ERR_THREAD, rs_walk_refuse(vm, elsewhere->walk, RS_SHARE_NO));
    CHECK_STATUS(RS_ERR_THREAD, rs_walk_commit(vm, elsewhere->walk));
    CHECK_STATUS(RS_ERR_THREAD, rs_walk_abort(vm, elsewhere->walk));
    return NULL;
}

static void *access_from_another_thread(void *data)
{
    Elsewhere *elsewhere = data;
    CHECK_OK(host_access(elsewhere->host, elsewhere->reader, elsewhere->slot, elsewhere->top));
    return NULL;
}

static void only_the_thread_that_began_goes_on(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_ractor reader = host_ractor(host, NULL);
    rs_value top = pair(host, leaf(host), NIL);
    Elsewhere elsewhere = {host, 0, host_assign(host, "TOP", top), top, reader};
    CHECK_STATUS(RS_MORE, rs_walk_begin(host->vm, reader, RS_WALK_TO_ACCESS, elsewhere.slot, top,
                                        &elsewhere.walk));
    pthread_t thread;
    pthread_create(&thread, NULL, use_from_another_thread, &elsewhere);
    pthread_join(thread, NULL);
    CHECK_OK(drive(host, elsewhere.walk));
    pthread_create(&thread, NULL, access_from_another_thread, &elsewhere);
    CHECK_OK(rs_walk_commit(host->vm, elsewhere.walk));
    pthread_join(thread, NULL);
    CHECK_EQUAL(1, statistics(host).graphs_shared);
    host_close(host);
}

static void nothing_to_walk_makes_no_walk(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_ractor reader = host_ractor(host, NULL);
    rs_slot slot = host_constant(host, "N");
    rs_walk walk = 99;
    CHECK_OK(rs_walk_begin(host->vm, host->main, RS_WALK_TO_MARK, slot, number(1), &walk));
    CHECK_EQUAL(0, walk);
    CHECK_EQUAL(RS_STATE_SHAREABLE, slot_state(host, slot));
    CHECK_OK(rs_walk_begin(host->vm, reader, RS_WALK_TO_ACCESS, slot, number(1), &walk));
    CHECK_OK(rs_walk_begin(host->vm, host->main, RS_WALK_TO_ACCESS, slot, leaf(host), &walk));
    CHECK_OK(rs_walk_begin(host->vm, reader, RS_WALK_TO_SHARE, RS_NO_SLOT, number(1), &walk));
    CHECK_STATUS(RS_NOT_SHAREABLE,
                 rs_walk_begin(host->vm, reader, RS_WALK_TO_ACCESS, slot, leaf(host), &walk));
    CHECK_STATUS(RS_ERR_THREAD,
                 rs_walk_begin(host->vm, reader, RS_WALK_TO_MARK, slot, leaf(host), &walk));
    host_close(host);
}

static void an_abort_leaves_no_report(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_ractor reader = host_ractor(host, NULL);
    rs_value top = pair(host, NIL, NIL);
    rs_slot slot = host_assign(host, "TOP", top);
    rs_walk walk = 0;
    CHECK_STATUS(RS_MORE, rs_walk_begin(host->vm, reader, RS_WALK_TO_ACCESS, slot, top, &walk));
    CHECK_OK(rs_walk_abort(host->vm, walk));
    CHECK_EQUAL(RS_CAUSE_NONE, last_report(host, reader).cause);
    host_close(host);
}

static const Test tests[] = {
    TEST(a_pulled_mark_makes_the_graph_a),
    TEST(an_aborted_mark_leaves_no_mark),
    TEST(a_refused_object_is_left_out_of_a_mark),
    TEST(a_pulled_access_shares_the_graph),
    TEST(a_pulled_access_that_meets_b_is_remembered),
    TEST(a_pulled_access_can_be_abandoned),
    TEST(a_refused_object_blocks_an_access),
    TEST(a_pulled_share_shares_what_was_never_assigned),
    TEST(a_pulled_share_does_not_prepare),
    TEST(an_incomplete_walk_can_not_be_committed),
    TEST(a_walk_may_write_what_it_was_handed),
    TEST(mains_write_ends_a_pulled_access),
    TEST(calls_that_need_a_walk_are_refused_meanwhile),
    TEST(a_mark_is_refused_during_a_pulled_mark),
    TEST(only_the_thread_that_began_goes_on),
    TEST(nothing_to_walk_makes_no_walk),
    TEST(an_abort_leaves_no_report),
};

int main(int count, char **arguments)
{
    RUN_TESTS(tests);
}
