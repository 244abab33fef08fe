/*
 * Memory runs out at the Nth allocation, for every N, in each call that allocates: RS_ERR_MEMORY,
 * every flag as before, the same call succeeds afterwards, and nothing leaks.
 */

#include "fixture/check.h"
#include "fixture/host.h"
#include "fixture/snapshot.h"

/* A call, on a vm with one reader and a graph that needs several chunks of memory. */
typedef struct Scene {
    Host *host;
    rs_ractor reader;
    rs_slot slot;
    rs_value top;
    uint64_t made;
} Scene;

typedef rs_status (*Body)(Scene *scene);

static rs_value large_graph(Host *host, rs_value last)
{
    rs_value top = vector(host, 6000);
    for (size_t index = 0; index < 6000; index++) {
        put(top, index, index % 2 == 0 ? pair(host, leaf(host), top) : map(host, 1));
    }
    put(top, 77, prepared(host, NIL, NIL));
    put(top, 5999, last);
    return top;
}

static Scene set(const Configuration *configuration, Options options, bool assigned, bool blocked)
{
    Scene scene = {.host = host_open(configuration, options)};
    scene.reader = host_ractor(scene.host, NULL);
    scene.top = large_graph(scene.host, blocked ? file(scene.host) : NIL);
    scene.slot =
        assigned ? host_assign(scene.host, "TOP", scene.top) : host_constant(scene.host, "TOP");
    return scene;
}

/* Fails the Nth allocation of `body` for every N; each time on a new vm, whose flags must be as
 * before, and on which `body` then succeeds. */
static void fail_each(const Configuration *configuration, Options options, bool assigned,
                      bool blocked, Body body, rs_status success)
{
    for (uint64_t failing = 1;; failing++) {
        Scene scene = set(configuration, options, assigned, blocked);
        Snapshot *before = snapshot_take(scene.host);
        /* What `prepare` does to the host's own objects is not undone. */
        allocator_fail_at(&scene.host->allocator, failing);
        rs_status status = body(&scene);
        bool failed = scene.host->allocator.failed != 0;
        allocator_fail_at(&scene.host->allocator, 0);
        if (failed && status != success) {
            CHECK_STATUS(RS_ERR_MEMORY, status);
            CHECK_UNCHANGED(scene.host, before);
            CHECK_STATUS(success, body(&scene));
        } else {
            CHECK_STATUS(success, status);
        }
        snapshot_free(before);
        host_close(scene.host);
        if (!failed || failed_checks() > 0) {
            CHECK(failing > 1 || failed_checks() > 0);
            break;
        }
    }
}

static rs_status make_slot(Scene *scene)
{
    return rs_slot_new(scene->host->vm, RS_SLOT_CLASS_VARIABLE, "@@x", "Owner", &scene->made);
}

static rs_status make_ractor(Scene *scene)
{
    return rs_ractor_new(scene->host->vm, "name", &scene->made);
}

static rs_status mark(Scene *scene)
{
    return rs_autoshare_mark(scene->host->vm, scene->slot, scene->top);
}

static rs_status access_slot(Scene *scene)
{
    object_of(child(scene->top, 77))->ready = 1;
    return rs_ractor_access(scene->host->vm, scene->reader, scene->slot, scene->top);
}

static rs_status share(Scene *scene)
{
    return rs_make_shareable(scene->host->vm, scene->host->main, scene->top);
}

static rs_status explain(Scene *scene)
{
    object_of(child(scene->top, 77))->ready = 1;
    rs_report report = RS_REPORT_INIT;
    return rs_explain(scene->host->vm, scene->host->main, scene->slot, scene->top, &report);
}

static int32_t write_nothing(void *data, const char *text, size_t size)
{
    (void)data;
    (void)text;
    (void)size;
    return 0;
}

static rs_status draw(Scene *scene)
{
    return rs_draw(scene->host->vm, scene->host->main, scene->top, RS_DRAW_DOT, write_nothing,
                   NULL);
}

/* Drives a pull walk; aborts it when anything fails. */
static rs_status pull(Scene *scene, rs_ractor ractor, uint32_t purpose)
{
    rs_vm *vm = scene->host->vm;
    rs_walk walk = 0;
    object_of(child(scene->top, 77))->ready = 1;
    rs_status status = rs_walk_begin(vm, ractor, purpose, scene->slot, scene->top, &walk);
    if (status != RS_MORE) {
        return status;
    }
    rs_value object = NIL;
    while ((status = rs_walk_next(vm, walk, &object)) == RS_MORE) {
        rs_value children[6000];
        size_t count = children_count(object_of(object));
        for (size_t index = 0; index < count; index++) {
            children[index] = child(object, index);
        }
        status = rs_walk_feed(vm, walk, children, count, 1);
        if (status != RS_OK) {
            break;
        }
    }
    if (status == RS_OK) {
        return rs_walk_commit(vm, walk);
    }
    CHECK_OK(rs_walk_abort(vm, walk));
    return status;
}

static rs_status pull_mark(Scene *scene)
{
    return pull(scene, scene->host->main, RS_WALK_TO_MARK);
}

static rs_status pull_access(Scene *scene)
{
    return pull(scene, scene->reader, RS_WALK_TO_ACCESS);
}

static rs_status pull_share(Scene *scene)
{
    return pull(scene, scene->host->main, RS_WALK_TO_SHARE);
}

static const Options none = {0};
static const Options provenance = {.options = RS_OPTION_PROVENANCE};
static const Options everything = {.options = RS_OPTION_PROVENANCE | RS_OPTION_VERIFY};

#define EACH_ALLOCATION_OF(name, options, assigned, blocked, body, success)                        \
    static void name(const Configuration *configuration)                                           \
    {                                                                                              \
        fail_each(configuration, options, assigned, blocked, body, success);                       \
    }

EACH_ALLOCATION_OF(of_a_new_slot, none, false, false, make_slot, RS_OK)
EACH_ALLOCATION_OF(of_a_new_ractor, none, false, false, make_ractor, RS_OK)
EACH_ALLOCATION_OF(of_a_mark, none, false, false, mark, RS_OK)
EACH_ALLOCATION_OF(of_an_access, none, true, false, access_slot, RS_OK)
EACH_ALLOCATION_OF(of_a_failing_access, none, true, true, access_slot, RS_NOT_SHAREABLE)
EACH_ALLOCATION_OF(of_an_access_with_provenance, provenance, true, false, access_slot, RS_OK)
EACH_ALLOCATION_OF(of_an_explicit_share, none, false, false, share, RS_OK)
EACH_ALLOCATION_OF(of_a_failing_explicit_share, none, true, true, share, RS_NOT_SHAREABLE)
EACH_ALLOCATION_OF(of_an_explanation, none, true, false, explain, RS_OK)
EACH_ALLOCATION_OF(of_a_failing_explanation, none, true, true, explain, RS_NOT_SHAREABLE)
EACH_ALLOCATION_OF(of_a_drawing, none, true, false, draw, RS_OK)
EACH_ALLOCATION_OF(of_a_pulled_mark, none, false, false, pull_mark, RS_OK)
EACH_ALLOCATION_OF(of_a_pulled_access, none, true, false, pull_access, RS_OK)
EACH_ALLOCATION_OF(of_a_pulled_share, none, false, false, pull_share, RS_OK)

static void of_a_mark_that_is_watched(const Configuration *configuration)
{
    /* Each object allocates here: a small graph. */
    for (uint64_t failing = 1;; failing++) {
        Host *host = host_open(configuration, everything);
        host_ractor(host, NULL);
        rs_value top = list(host, 40, vector_of_leaves(host, 5));
        rs_slot slot = host_constant(host, "TOP");
        Snapshot *before = snapshot_take(host);
        allocator_fail_at(&host->allocator, failing);
        rs_status status = rs_autoshare_mark(host->vm, slot, top);
        bool failed = host->allocator.failed != 0;
        allocator_fail_at(&host->allocator, 0);
        CHECK_STATUS(failed ? RS_ERR_MEMORY : RS_OK, status);
        if (failed) {
            CHECK_UNCHANGED(host, before);
            CHECK_EQUAL(RS_STATE_NONE, slot_state(host, slot));
        }
        CHECK_OK(rs_autoshare_mark(host->vm, slot, top));
        CHECK_EQUAL(46, host->calls[IN_ON_MARK] - host->calls[IN_ON_UNMARK]);
        snapshot_free(before);
        host_close(host);
        if (!failed) {
            break;
        }
    }
}

static void of_a_mark_that_meets_what_is_marked(const Configuration *configuration)
{
    for (uint64_t failing = 1;; failing++) {
        Host *host = host_open(configuration, none);
        host_ractor(host, NULL);
        rs_value old = vector(host, 9000);
        for (size_t index = 0; index < 9000; index++) {
            put(old, index, index % 3 == 0 ? NIL : pair(host, leaf(host), NIL));
        }
        host_assign(host, "OLD", old);
        rs_value top = vector(host, 9000);
        for (size_t index = 0; index < 9000; index++) {
            rs_value known = child(old, index);
            put(top, index, index % 5 == 0 ? pair(host, known, known) : known);
        }
        rs_slot slot = host_constant(host, "TOP");
        Snapshot *before = snapshot_take(host);
        allocator_fail_at(&host->allocator, failing);
        rs_status status = rs_autoshare_mark(host->vm, slot, top);
        bool failed = host->allocator.failed != 0;
        allocator_fail_at(&host->allocator, 0);
        CHECK_STATUS(failed ? RS_ERR_MEMORY : RS_OK, status);
        if (failed) {
            CHECK_UNCHANGED(host, before);
        }
        CHECK_OK(rs_autoshare_mark(host->vm, slot, top));
        snapshot_free(before);
        host_close(host);
        if (!failed) {
            CHECK(failing > 2);
            break;
        }
    }
}

static void of_opening_a_vm(const Configuration *configuration)
{
    for (uint64_t failing = 1;; failing++) {
        Host *host = host_describe(configuration, everything);
        allocator_fail_at(&host->allocator, failing);
        rs_status status = rs_vm_new(&host->contract, &host->vm, &host->main);
        bool failed = host->allocator.failed != 0;
        allocator_fail_at(&host->allocator, 0);
        CHECK_STATUS(failed ? RS_ERR_MEMORY : RS_OK, status);
        CHECK_EQUAL(failed, host->vm == NULL);
        host_close(host);
        if (!failed) {
            CHECK(failing > 1);
            break;
        }
    }
}

static void a_write_and_its_report_need_no_memory(const Configuration *configuration)
{
    Scene scene = set(configuration, everything, true, false);
    Host *host = scene.host;
    allocator_fail_at(&host->allocator, 1);
    CHECK_OK(host_write(host, host->main, child(scene.top, 0), 1, NIL));
    CHECK_EQUAL(RS_STATE_ORDINARY, state(host, child(scene.top, 0)));
    CHECK_OK(rs_freeze(host->vm, host->main, child(scene.top, 2)));
    CHECK_STATUS(RS_FROZEN, host_write(host, host->main, child(scene.top, 2), 1, NIL));
    CHECK_EQUAL(RS_CAUSE_FROZEN_BY_PROGRAM, last_report(host, host->main).cause);
    CHECK_STATUS(RS_NOT_OWNER, host_check(host, scene.reader, scene.top));
    CHECK_EQUAL(RS_CAUSE_NOT_OWNER, last_report(host, scene.reader).cause);
    CHECK_OK(rs_before_change(host->vm, host->main, scene.top));
    CHECK_OK(rs_after_change(host->vm, host->main, scene.top));
    allocator_fail_at(&host->allocator, 0);
    host_close(host);
}

static void a_cached_failure_needs_no_memory(const Configuration *configuration)
{
    Scene scene = set(configuration, everything, true, true);
    Host *host = scene.host;
    CHECK_STATUS(RS_NOT_SHAREABLE, access_slot(&scene));
    allocator_fail_at(&host->allocator, 1);
    CHECK_STATUS(RS_NOT_SHAREABLE, access_slot(&scene));
    CHECK_EQUAL(RS_CAUSE_UNSHAREABLE, last_report(host, scene.reader).cause);
    allocator_fail_at(&host->allocator, 0);
    host_close(host);
}

static const Test tests[] = {
    TEST(of_a_new_slot),
    TEST(of_a_new_ractor),
    TEST(of_a_mark),
    TEST(of_an_access),
    TEST(of_a_failing_access),
    TEST_ONCE(of_an_access_with_provenance),
    TEST(of_an_explicit_share),
    TEST(of_a_failing_explicit_share),
    TEST(of_an_explanation),
    TEST(of_a_failing_explanation),
    TEST(of_a_drawing),
    TEST(of_a_pulled_mark),
    TEST(of_a_pulled_access),
    TEST(of_a_pulled_share),
    TEST(of_a_mark_that_is_watched),
    TEST(of_a_mark_that_meets_what_is_marked),
    TEST(of_opening_a_vm),
    TEST(a_write_and_its_report_need_no_memory),
    TEST(a_cached_failure_needs_no_memory),
};

int main(int count, char **arguments)
{
    RUN_TESTS(tests);
}
