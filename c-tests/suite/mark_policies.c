/*
 * When graphs are marked: at the first ractor, or when they are assigned.
 */

#include "fixture/check.h"
#include "fixture/host.h"
#include "fixture/snapshot.h"

static const uint32_t policies[] = {RS_MARK_ON_FIRST_RACTOR, RS_MARK_ON_ASSIGN};

/* H = {}; H[:x] = [] */
typedef struct LoadTime {
    rs_value hash;
    rs_value array;
    rs_slot slot;
} LoadTime;

static LoadTime fill_a_table_at_load_time(Host *host)
{
    LoadTime load_time;
    load_time.hash = map(host, 1);
    load_time.slot = host_assign(host, "H", load_time.hash);
    load_time.array = vector(host, 1);
    CHECK_OK(host_write(host, host->main, load_time.hash, 0, number('x')));
    CHECK_OK(host_write(host, host->main, load_time.hash, 1, load_time.array));
    return load_time;
}

static void
the_first_ractor_finds_a_table_that_was_filled_at_load_time(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){.mark_policy = RS_MARK_ON_FIRST_RACTOR});
    LoadTime load_time = fill_a_table_at_load_time(host);
    CHECK_EQUAL(RS_STATE_ORDINARY, state(host, load_time.hash));
    CHECK_EQUAL(0, statistics(host).objects_marked);
    rs_ractor reader = host_ractor(host, NULL);
    CHECK_EQUAL(RS_STATE_AUTOSHARE, state(host, load_time.hash));
    CHECK_EQUAL(RS_STATE_AUTOSHARE, state(host, load_time.array));
    CHECK_OK(host_access(host, reader, load_time.slot, load_time.hash));
    host_close(host);
}

static void marking_at_assignment_loses_what_came_later(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){.mark_policy = RS_MARK_ON_ASSIGN});
    LoadTime load_time = fill_a_table_at_load_time(host);
    CHECK_EQUAL(RS_STATE_AUTOSHARE, state(host, load_time.hash));
    CHECK_EQUAL(RS_STATE_ORDINARY, state(host, load_time.array));
    rs_ractor reader = host_ractor(host, NULL);
    CHECK_EQUAL(RS_STATE_AUTOSHARE, state(host, load_time.hash));
    CHECK_STATUS(RS_NOT_SHAREABLE, host_access(host, reader, load_time.slot, load_time.hash));
    CHECK_EQUAL(RS_CAUSE_NOT_MARKED, last_report(host, reader).cause);
    CHECK_EQUAL(load_time.array, last_report(host, reader).object);
    host_close(host);
}

static void before_there_are_ractors_a_write_undoes_nothing(const Configuration *configuration)
{
    for (size_t index = 0; index < 2; index++) {
        Host *host = host_open(configuration, (Options){.mark_policy = policies[index]});
        rs_value top = pair(host, leaf(host), NIL);
        rs_slot slot = host_assign(host, "TOP", top);
        CHECK(!host_must_check(host, top));
        CHECK_OK(rs_check_frozen(host->vm, host->main, top));
        CHECK_OK(host_write(host, host->main, top, 1, number(2)));
        CHECK_EQUAL(0, statistics(host).objects_written);
        CHECK_EQUAL(0, host->calls[IN_ON_MARK]);
        rs_ractor reader = host_ractor(host, NULL);
        CHECK(host_must_check(host, top));
        CHECK_EQUAL(2, host->calls[IN_ON_MARK]);
        CHECK_OK(host_access(host, reader, slot, top));
        host_close(host);
    }
}

static void once_there_are_ractors_assignment_marks(const Configuration *configuration)
{
    for (size_t index = 0; index < 2; index++) {
        Host *host = host_open(configuration, (Options){.mark_policy = policies[index]});
        rs_ractor first = host_ractor(host, NULL);
        CHECK_OK(rs_ractor_free(host->vm, first));
        rs_value top = pair(host, leaf(host), NIL);
        host_assign(host, "TOP", top);
        CHECK(host_must_check(host, top));
        CHECK_EQUAL(RS_STATE_AUTOSHARE, state(host, child(top, 0)));
        host_close(host);
    }
}

static void only_the_first_ractor_marks_what_slots_hold(const Configuration *configuration)
{
    for (size_t index = 0; index < 2; index++) {
        Host *host = host_open(configuration, (Options){.mark_policy = policies[index]});
        rs_value top = pair(host, NIL, NIL);
        host_assign(host, "TOP", top);
        host_ractor(host, NULL);
        CHECK_OK(host_write(host, host->main, top, 0, NIL));
        host_ractor(host, NULL);
        CHECK_EQUAL(RS_STATE_ORDINARY, state(host, top));
        host_close(host);
    }
}

static void what_a_slot_no_longer_holds_is_not_marked(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){.mark_policy = RS_MARK_ON_FIRST_RACTOR});
    rs_value old = leaf(host);
    rs_value removed = leaf(host);
    rs_slot slot = host_assign(host, "X", old);
    CHECK_OK(rs_autoshare_mark(host->vm, slot, leaf(host)));
    CHECK_OK(rs_slot_free(host->vm, host_assign(host, "Y", removed)));
    host_ractor(host, NULL);
    CHECK_EQUAL(RS_STATE_ORDINARY, state(host, old));
    CHECK_EQUAL(RS_STATE_ORDINARY, state(host, removed));
    host_close(host);
}

static void unshareable_objects_stay_unmarked(const Configuration *configuration)
{
    for (size_t index = 0; index < 2; index++) {
        Host *host = host_open(configuration, (Options){.mark_policy = policies[index]});
        rs_value top = vector(host, 4);
        put(top, 0, file(host));
        put(top, 1, copied(host));
        put(top, 2, prepared(host, NIL, NIL));
        put(top, 3, held(host, NIL, NIL));
        host_assign(host, "TOP", top);
        host_ractor(host, NULL);
        CHECK_EQUAL(RS_STATE_ORDINARY, state(host, child(top, 0)));
        CHECK_EQUAL(RS_STATE_ORDINARY, state(host, child(top, 1)));
        CHECK_EQUAL(RS_STATE_AUTOSHARE, state(host, child(top, 2)));
        CHECK_EQUAL(RS_STATE_AUTOSHARE, state(host, child(top, 3)));
        host_close(host);
    }
}

static void an_unshareable_top_is_assigned_unmarked(const Configuration *configuration)
{
    for (size_t index = 0; index < 2; index++) {
        Host *host = host_open(configuration, (Options){.mark_policy = policies[index]});
        rs_value top = file(host);
        rs_slot slot = host_assign(host, "LOG", top);
        rs_ractor reader = host_ractor(host, NULL);
        CHECK_EQUAL(RS_STATE_ORDINARY, slot_state(host, slot));
        CHECK_STATUS(RS_NOT_SHAREABLE, host_access(host, reader, slot, top));
        CHECK_OK(host_check(host, host->main, top));
        host_close(host);
    }
}

/* Graphs that many chunks of memory are needed for. */
static void build(Host *host, rs_slot *slots, size_t count)
{
    for (size_t index = 0; index < count; index++) {
        rs_value top = vector(host, 6000);
        for (size_t place = 0; place < 6000; place++) {
            put(top, place, pair(host, leaf(host), top));
        }
        slots[index] = host_assign(host, "TOP", top);
    }
}

static void out_of_memory_in_the_first_ractor_leaves_no_mark(const Configuration *configuration)
{
    for (size_t index = 0; index < 2; index++) {
        Host *host = host_open(configuration, (Options){.mark_policy = policies[index]});
        rs_slot slots[3];
        build(host, slots, 3);
        Snapshot *before = snapshot_take(host);
        rs_statistics counts = statistics(host);
        rs_ractor ractor = RS_NO_RACTOR;
        uint64_t failing = 0;
        for (;;) {
            allocator_fail_at(&host->allocator, ++failing);
            rs_status status = rs_ractor_new(host->vm, "reader", &ractor);
            if (host->allocator.failed == 0) {
                CHECK_OK(status);
                break;
            }
            CHECK_STATUS(RS_ERR_MEMORY, status);
            CHECK_EQUAL(RS_NO_RACTOR, ractor);
            CHECK_UNCHANGED(host, before);
            CHECK_EQUAL(host->calls[IN_ON_MARK], host->calls[IN_ON_UNMARK]);
            CHECK_EQUAL(counts.marks, statistics(host).marks);
            CHECK_EQUAL(counts.objects_marked, statistics(host).objects_marked);
            if (failing > 100) {
                break;
            }
        }
        CHECK(failing >= 3);
        CHECK_EQUAL(RS_STATE_AUTOSHARE, slot_state(host, slots[2]));
        CHECK_EQUAL(3 * 12001, host->calls[IN_ON_MARK] - host->calls[IN_ON_UNMARK]);
        CHECK_EQUAL(counts.marks + 3, statistics(host).marks);
        CHECK_EQUAL(3 * 12001, statistics(host).objects_marked);
        snapshot_free(before);
        host_close(host);
    }
}

static void off_marks_nothing(const Configuration *configuration)
{
    for (size_t index = 0; index < 2; index++) {
        Options options = {.mark_policy = policies[index], .enforcement = RS_OFF};
        Host *host = host_open(configuration, options);
        rs_value top = pair(host, NIL, NIL);
        rs_slot slot = host_assign(host, "TOP", top);
        rs_ractor reader = host_ractor(host, NULL);
        CHECK_EQUAL(RS_STATE_ORDINARY, state(host, top));
        CHECK_STATUS(RS_NOT_SHAREABLE, host_access(host, reader, slot, top));
        CHECK_OK(rs_autoshare_mark(host->vm, slot, top));
        CHECK_EQUAL(RS_STATE_ORDINARY, state(host, top));
        CHECK_OK(rs_make_shareable(host->vm, host->main, top));
        CHECK_OK(host_access(host, reader, slot, top));
        host_close(host);
    }
}

static const Test tests[] = {
    TEST(the_first_ractor_finds_a_table_that_was_filled_at_load_time),
    TEST(marking_at_assignment_loses_what_came_later),
    TEST(before_there_are_ractors_a_write_undoes_nothing),
    TEST(once_there_are_ractors_assignment_marks),
    TEST(only_the_first_ractor_marks_what_slots_hold),
    TEST(what_a_slot_no_longer_holds_is_not_marked),
    TEST(unshareable_objects_stay_unmarked),
    TEST(an_unshareable_top_is_assigned_unmarked),
    TEST(out_of_memory_in_the_first_ractor_leaves_no_mark),
    TEST(off_marks_nothing),
};

int main(int count, char **arguments)
{
    RUN_TESTS(tests);
}
