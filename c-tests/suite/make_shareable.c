/*
 * Explicit shares: an owner shares its own graph, all of it or nothing.
 */

#include "fixture/check.h"
#include "fixture/host.h"
#include "fixture/snapshot.h"

static void what_was_never_assigned_is_shared(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_value top = vector(host, 3);
    put(top, 0, map(host, 1));
    put(top, 1, inline_vector(host, 2));
    put(top, 2, top);
    put(child(top, 1), 0, pair(host, leaf(host), number(1)));
    CHECK_OK(rs_make_shareable(host->vm, host->main, top));
    for (size_t index = 0; index < host->objects_count; index++) {
        rs_value object = value_of(host, host->objects[index]);
        CHECK_EQUAL(RS_STATE_SHAREABLE, state(host, object));
        CHECK_EQUAL(RAW_FROZEN | RAW_SHAREABLE, raw_flags(host, object));
        CHECK_EQUAL(RAW_FROZEN | RAW_SHAREABLE, configuration->placement == RS_FLAGS_IN_SIDE_TABLE
                                                    ? RAW_FROZEN | RAW_SHAREABLE
                                                    : header_flags(host, object));
        CHECK_STATUS(RS_FROZEN, host_check(host, host->main, object));
    }
    CHECK_EQUAL(5, host->calls[IN_COMMIT]);
    CHECK_OK(rs_make_shareable(host->vm, host->main, top));
    CHECK_EQUAL(5, host->calls[IN_COMMIT]);
    host_close(host);
}

static void immediates_are_shareable(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    CHECK_OK(rs_make_shareable(host->vm, host->main, NIL));
    CHECK_OK(rs_make_shareable(host->vm, host->main, number(12)));
    host_close(host);
}

static void what_is_a_is_shared_too(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_ractor reader = host_ractor(host, NULL);
    rs_value inner = pair(host, NIL, NIL);
    rs_slot slot = host_assign(host, "INNER", inner);
    rs_value top = pair(host, inner, leaf(host));
    CHECK_OK(rs_make_shareable(host->vm, host->main, top));
    CHECK_EQUAL(RS_STATE_SHAREABLE, state(host, inner));
    CHECK_OK(host_access(host, reader, slot, inner));
    CHECK_EQUAL(1, statistics(host).walks);
    host_close(host);
}

static void failure_leaves_every_flag_as_it_was(const Configuration *configuration)
{
    static rs_value (*const blockers[])(Host *) = {file, copied};
    static const uint32_t causes[] = {RS_CAUSE_UNSHAREABLE, RS_CAUSE_BY_COPY};
    for (size_t index = 0; index < 2; index++) {
        Host *host = host_open(configuration, (Options){0});
        host_ractor(host, NULL);
        rs_value assigned = list(host, 5, NIL);
        rs_value frozen = leaf(host);
        host_assign(host, "ASSIGNED", assigned);
        CHECK_OK(rs_freeze(host->vm, host->main, frozen));
        rs_value shared = pair(host, leaf(host), NIL);
        CHECK_OK(rs_make_shareable(host->vm, host->main, shared));
        rs_value blocker = blockers[index](host);
        rs_value top = vector(host, 6000);
        put(top, 0, blocker);
        put(top, 1, assigned);
        put(top, 2, frozen);
        put(top, 3, shared);
        for (size_t place = 4; place < 6000; place++) {
            put(top, place, leaf(host));
        }
        Snapshot *before = snapshot_take(host);
        for (int again = 0; again < 2; again++) {
            CHECK_STATUS(RS_NOT_SHAREABLE, rs_make_shareable(host->vm, host->main, top));
            CHECK_UNCHANGED(host, before);
            rs_report report = last_report(host, host->main);
            CHECK_EQUAL(causes[index], report.cause);
            CHECK_EQUAL(blocker, report.object);
        }
        put(top, 0, NIL);
        CHECK_OK(rs_make_shareable(host->vm, host->main, top));
        snapshot_free(before);
        host_close(host);
    }
}

static void what_is_held_can_not_be_shared_yet(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_value busy = held(host, NIL, NIL);
    rs_value top = pair(host, leaf(host), busy);
    Snapshot *before = snapshot_take(host);
    rs_status status = rs_make_shareable(host->vm, host->main, top);
    CHECK(status == RS_NOT_SHAREABLE || status == RS_BUSY);
    CHECK_EQUAL(RS_CAUSE_HELD, last_report(host, host->main).cause);
    CHECK_UNCHANGED(host, before);
    object_of(busy)->ready = 0;
    CHECK_OK(rs_make_shareable(host->vm, host->main, top));
    snapshot_free(before);
    host_close(host);
}

static void what_needs_it_is_prepared_first(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_value top = list(host, 3, prepared(host, prepared(host, NIL, NIL), leaf(host)));
    CHECK_OK(rs_make_shareable(host->vm, host->main, top));
    CHECK_EQUAL(2, host->calls[IN_PREPARE]);
    CHECK_EQUAL(2, statistics(host).walks);
    CHECK_EQUAL(1, statistics(host).graphs_shared);
    host_close(host);
}

static void a_failing_prepare_is_the_answer(const Configuration *configuration)
{
    static const rs_status answers[] = {RS_ERR_HOST, RS_NOT_SHAREABLE, 12345, -777};
    for (size_t index = 0; index < 4; index++) {
        Host *host = host_open(configuration, (Options){0});
        rs_value top = pair(host, leaf(host), prepared(host, NIL, NIL));
        host->prepare_answer = answers[index];
        Snapshot *before = snapshot_take(host);
        CHECK_STATUS(answers[index], rs_make_shareable(host->vm, host->main, top));
        CHECK_EQUAL(1, host->calls[IN_PREPARE]);
        CHECK_UNCHANGED(host, before);
        snapshot_free(before);
        host_close(host);
    }
}

/* Its code may unwind, so it takes a note and does the work when the library has returned. */
static rs_status prepare_later(void *ctx, rs_value object)
{
    Host *host = ctx;
    host->calls[IN_PREPARE]++;
    CHECK_EQUAL(0, object_of(object)->ready);
    return RS_MORE;
}

static void what_is_put_off_is_prepared_by_the_caller(const Configuration *configuration)
{
    Host *host = host_describe(configuration, (Options){0});
    host->contract.prepare = prepare_later;
    CHECK_OK(rs_vm_new(&host->contract, &host->vm, &host->main));
    rs_value inner = prepared(host, NIL, NIL);
    rs_value outer = prepared(host, inner, leaf(host));
    rs_value top = list(host, 3, outer);
    Snapshot *before = snapshot_take(host);
    CHECK_STATUS(RS_MORE, rs_make_shareable(host->vm, host->main, top));
    CHECK_EQUAL(2, host->calls[IN_PREPARE]);
    CHECK_UNCHANGED(host, before);
    snapshot_free(before);
    object_of(inner)->ready = 1;
    object_of(outer)->ready = 1;
    CHECK_OK(rs_make_shareable(host->vm, host->main, top));
    CHECK_EQUAL(2, host->calls[IN_PREPARE]);
    host_close(host);
}

/* Says yes and leaves the object unprepared. */
static rs_status prepare_for_nothing(void *ctx, rs_value object)
{
    Host *host = ctx;
    host->calls[IN_PREPARE]++;
    object_of(object)->ready = 0;
    return RS_OK;
}

static void a_prepare_that_never_helps_ends_as_busy(const Configuration *configuration)
{
    Host *host = host_describe(configuration, (Options){0});
    host->contract.prepare = prepare_for_nothing;
    CHECK_OK(rs_vm_new(&host->contract, &host->vm, &host->main));
    rs_value top = pair(host, leaf(host), prepared(host, NIL, NIL));
    Snapshot *before = snapshot_take(host);
    CHECK_STATUS(RS_BUSY, rs_make_shareable(host->vm, host->main, top));
    CHECK(host->calls[IN_PREPARE] >= 3 && host->calls[IN_PREPARE] <= 4);
    CHECK_UNCHANGED(host, before);
    snapshot_free(before);
    host_close(host);
}

/* How many more unprepared objects a prepare makes, one in the other. */
static int generations;

static rs_status prepare_makes_more(void *ctx, rs_value object)
{
    Host *host = ctx;
    object_of(object)->ready = 1;
    if (generations > 0) {
        generations--;
        put(object, 0, prepared(host, NIL, NIL));
    }
    return RS_OK;
}

static void prepare_may_make_more_unprepared_objects_three_times(const Configuration *configuration)
{
    for (int more = 0; more < 6; more++) {
        Host *host = host_describe(configuration, (Options){0});
        host->contract.prepare = prepare_makes_more;
        CHECK_OK(rs_vm_new(&host->contract, &host->vm, &host->main));
        rs_value top = pair(host, prepared(host, NIL, NIL), NIL);
        generations = more;
        rs_status status = rs_make_shareable(host->vm, host->main, top);
        CHECK_STATUS(more < 3 ? RS_OK : RS_BUSY, status);
        CHECK_EQUAL(more < 3, rs_shareable_p(host->vm, top));
        CHECK_EQUAL(0, raw_flags(host, top) & RAW_PENDING);
        host_close(host);
    }
}

static rs_value other_graph;
static rs_slot other_slot;
static rs_ractor other_reader;

static rs_status prepare_calls_in(void *ctx, rs_value object)
{
    Host *host = ctx;
    CHECK_OK(rs_autoshare_mark(host->vm, other_slot, other_graph));
    CHECK_OK(rs_check_frozen(host->vm, host->main, object));
    rs_value inner = pair(host, prepared(host, NIL, NIL), NIL);
    CHECK_OK(rs_make_shareable(host->vm, host->main, inner));
    CHECK_OK(rs_ractor_access(host->vm, other_reader, other_slot, other_graph));
    CHECK_OK(rs_gc_begin(host->vm));
    CHECK_OK(rs_gc_end(host->vm));
    object_of(object)->ready = 1;
    return RS_OK;
}

static int depth;

static rs_status prepare_shares_another_graph(void *ctx, rs_value object)
{
    object_of(object)->ready = 1;
    if (depth++ == 0) {
        CHECK_OK(prepare_calls_in(ctx, object));
    }
    return RS_OK;
}

static void prepare_may_call_the_library(const Configuration *configuration)
{
    Host *host = host_describe(configuration, (Options){0});
    host->contract.prepare = prepare_shares_another_graph;
    CHECK_OK(rs_vm_new(&host->contract, &host->vm, &host->main));
    other_reader = host_ractor(host, NULL);
    other_graph = list(host, 3, NIL);
    other_slot = host_constant(host, "OTHER");
    depth = 0;
    rs_value top = pair(host, prepared(host, NIL, NIL), prepared(host, NIL, NIL));
    CHECK_OK(rs_make_shareable(host->vm, host->main, top));
    CHECK_EQUAL(3, depth);
    CHECK_EQUAL(RS_STATE_SHAREABLE, state(host, top));
    CHECK_EQUAL(RS_STATE_SHAREABLE, state(host, other_graph));
    host_close(host);
}

static void a_ractor_shares_what_is_its_own(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_ractor worker = host_ractor(host, NULL);
    rs_value top = list(host, 10, prepared(host, NIL, NIL));
    CHECK_OK(rs_make_shareable(host->vm, worker, top));
    CHECK_EQUAL(RS_STATE_SHAREABLE, state(host, top));
    host_close(host);
}

static void a_ractor_can_not_share_what_is_mains(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_ractor worker = host_ractor(host, NULL);
    rs_value mains = pair(host, NIL, NIL);
    host_assign(host, "MAINS", mains);
    rs_value top = pair(host, leaf(host), mains);
    Snapshot *before = snapshot_take(host);
    CHECK_STATUS(RS_NOT_SHAREABLE, rs_make_shareable(host->vm, worker, top));
    CHECK_EQUAL(RS_CAUSE_NOT_OWNER, last_report(host, worker).cause);
    CHECK_EQUAL(mains, last_report(host, worker).object);
    CHECK_UNCHANGED(host, before);
    snapshot_free(before);
    host_close(host);
}

static void a_misbehaving_children_callback_is_an_error(const Configuration *configuration)
{
    static const Misbehaviour misbehaviours[] = {FAILS, NEVER_MOVES_ITS_CURSOR,
                                                 OFFERS_TO_A_FULL_BUFFER};
    for (size_t index = 0; index < 3; index++) {
        Host *host = host_open(configuration, (Options){0});
        rs_ractor reader = host_ractor(host, NULL);
        rs_value broken = map(host, 5);
        rs_value top = vector(host, 5000);
        for (size_t place = 0; place < 5000; place++) {
            put(top, place, place == 100 ? broken : pair(host, leaf(host), top));
        }
        rs_slot slot = host_assign(host, "TOP", top);
        host->misbehaviour = misbehaviours[index];
        host->misbehaves_at = broken;
        Snapshot *before = snapshot_take(host);
        CHECK_STATUS(RS_ERR_HOST, host_access(host, reader, slot, top));
        CHECK_UNCHANGED(host, before);
        CHECK_STATUS(RS_ERR_HOST, rs_make_shareable(host->vm, host->main, top));
        CHECK_UNCHANGED(host, before);
        rs_value fresh = pair(host, leaf(host), map(host, 1));
        host->misbehaves_at = child(fresh, 1);
        snapshot_free(before);
        before = snapshot_take(host);
        CHECK_STATUS(RS_ERR_HOST, rs_autoshare_mark(host->vm, slot, fresh));
        CHECK_UNCHANGED(host, before);
        rs_report report = RS_REPORT_INIT;
        host->misbehaves_at = broken;
        CHECK_STATUS(RS_ERR_HOST, rs_explain(host->vm, host->main, slot, top, &report));
        CHECK_UNCHANGED(host, before);
        host->misbehaviour = BEHAVES;
        CHECK_OK(host_access(host, reader, slot, top));
        snapshot_free(before);
        host_close(host);
    }
}

static void children_may_come_one_at_a_time(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_ractor reader = host_ractor(host, NULL);
    host->children_at_a_time = 1;
    rs_value top = map(host, 3000);
    for (size_t index = 0; index < 6000; index++) {
        put(top, index, leaf(host));
    }
    rs_slot slot = host_assign(host, "TOP", top);
    CHECK_OK(host_access(host, reader, slot, top));
    CHECK_EQUAL(6001, statistics(host).objects_shared);
    host_close(host);
}

static uint32_t answer_nonsense(void *ctx, rs_value object)
{
    (void)ctx;
    return object_of(object)->kind == KIND_MAP ? 77 : RS_SHARE_YES;
}

static void an_unknown_answer_of_can_share_means_no(const Configuration *configuration)
{
    Host *host = host_describe(configuration, (Options){0});
    host->contract.can_share = answer_nonsense;
    CHECK_OK(rs_vm_new(&host->contract, &host->vm, &host->main));
    CHECK_STATUS(RS_NOT_SHAREABLE, rs_make_shareable(host->vm, host->main, map(host, 1)));
    CHECK_EQUAL(RS_CAUSE_UNSHAREABLE, last_report(host, host->main).cause);
    host_close(host);
}

static const Test tests[] = {
    TEST(what_was_never_assigned_is_shared),
    TEST(immediates_are_shareable),
    TEST(what_is_a_is_shared_too),
    TEST(failure_leaves_every_flag_as_it_was),
    TEST(what_is_held_can_not_be_shared_yet),
    TEST(what_needs_it_is_prepared_first),
    TEST(a_failing_prepare_is_the_answer),
    TEST(what_is_put_off_is_prepared_by_the_caller),
    TEST(a_prepare_that_never_helps_ends_as_busy),
    TEST(prepare_may_make_more_unprepared_objects_three_times),
    TEST(prepare_may_call_the_library),
    TEST(a_ractor_shares_what_is_its_own),
    TEST(a_ractor_can_not_share_what_is_mains),
    TEST(a_misbehaving_children_callback_is_an_error),
    TEST(children_may_come_one_at_a_time),
    TEST(an_unknown_answer_of_can_share_means_no),
};

int main(int count, char **arguments)
{
    RUN_TESTS(tests);
}
