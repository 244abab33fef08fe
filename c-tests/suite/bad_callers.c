/*
 * Every function × every mistake that a caller can make: the documented status, and nothing
 * changed.
 */

#include "fixture/calls.h"
#include "fixture/check.h"
#include "fixture/collector.h"
#include "fixture/host.h"
#include "fixture/snapshot.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

typedef struct Scene {
    Host *host;
    Arguments good;
    Snapshot *before;
} Scene;

/* A vm with a slot, a ractor and a pull walk under way in which an object was handed out. */
static Scene set_with(const Configuration *configuration, Options options)
{
    Scene scene;
    scene.host = host_open(configuration, options);
    rs_vm *vm = scene.host->vm;
    scene.good.ractor = host_ractor(scene.host, "worker");
    scene.good.value = pair(scene.host, leaf(scene.host), NIL);
    scene.good.slot = host_assign(scene.host, "TOP", scene.good.value);
    scene.good.null_pointer = false;
    CHECK_OK(rs_image_encode(vm, scene.host->main, NIL, NULL, &scene.good.image));
    rs_link_end end;
    CHECK_OK(rs_link_new(vm, scene.host->main, NULL, &scene.good.link, &end));
    rs_value object = NIL;
    CHECK_STATUS(RS_MORE, rs_walk_begin(vm, scene.host->main, RS_WALK_TO_MARK,
                                        host_constant(scene.host, "WALKED"), leaf(scene.host),
                                        &scene.good.walk));
    CHECK_STATUS(RS_MORE, rs_walk_next(vm, scene.good.walk, &object));
    scene.before = snapshot_take(scene.host);
    return scene;
}

static Scene set(const Configuration *configuration)
{
    return set_with(configuration, (Options){0});
}

static void tear_down(Scene *scene)
{
    CHECK_UNCHANGED(scene->host, scene->before);
    snapshot_free(scene->before);
    CHECK_OK(rs_walk_abort(scene->host->vm, scene->good.walk));
    host_close(scene->host);
}

static void expect(rs_status expected, const Call *call, rs_vm *vm, Arguments arguments,
                   const char *mistake)
{
    char text[128];
    snprintf(text, sizeof text, "%s with %s", call->name, mistake);
    check_status(expected, call->call(vm, arguments), __FILE__, __LINE__, text);
}

static void vms_that_are_none(const Configuration *configuration)
{
    static _Alignas(64) char junk[256];
    memset(junk, 0x3c, sizeof junk);
    Host *closed = host_open(configuration, (Options){0});
    rs_vm *closed_vm = closed->vm;
    host_close(closed);
    Scene scene = set(configuration);
    for (size_t index = 0; index < calls_count; index++) {
        const Call *call = &calls[index];
        expect(RS_ERR_ARGUMENT, call, NULL, scene.good, "vm NULL");
        expect(RS_ERR_CLOSED, call, closed_vm, scene.good, "a closed vm");
        expect(RS_ERR_FOREIGN, call, (rs_vm *)(void *)junk, scene.good, "junk for a vm");
        expect(RS_ERR_FOREIGN, call, (rs_vm *)(void *)(junk + 1), scene.good, "unaligned junk");
        expect(RS_ERR_FOREIGN, call, (rs_vm *)(void *)object_of(scene.good.value), scene.good,
               "an object for a vm");
    }
    tear_down(&scene);
}

static void results_that_have_no_place(const Configuration *configuration)
{
    Scene scene = set(configuration);
    scene.good.null_pointer = true;
    for (size_t index = 0; index < calls_count; index++) {
        if (calls[index].takes & TAKES_POINTER) {
            expect(RS_ERR_ARGUMENT, &calls[index], scene.host->vm, scene.good, "NULL");
        }
    }
    scene.good.null_pointer = false;
    tear_down(&scene);
}

typedef struct Id {
    uint64_t id;
    rs_status expected;
    const char *mistake;
} Id;

#define IDS 7

static void bad_ids(Id ids[IDS], uint64_t closed, uint64_t of_another_vm, uint64_t of_other_kind,
                    uint64_t good)
{
    Id all[IDS] = {
        {0, RS_ERR_ARGUMENT, "id 0"},
        {closed, RS_ERR_CLOSED, "a closed id"},
        {of_another_vm, RS_ERR_FOREIGN, "an id of another vm"},
        {of_other_kind, RS_ERR_FOREIGN, "an id of another kind"},
        {UINT64_MAX, RS_ERR_FOREIGN, "the highest id"},
        {good + 1000, RS_ERR_FOREIGN, "an id that was never given out"},
        {good + (UINT64_C(1) << 40), RS_ERR_FOREIGN, "an id of the future"},
    };
    memcpy(ids, all, sizeof all);
}

/* Each of them, in that place of the arguments, for every function that takes such an id. */
static void try_ids(const Scene *scene, const Id ids[IDS], unsigned takes, size_t place)
{
    for (size_t index = 0; index < calls_count; index++) {
        for (size_t bad = 0; bad < IDS && calls[index].takes & takes; bad++) {
            bool may_be_none = takes == TAKES_SLOT && calls[index].takes & SLOT_MAY_BE_NONE;
            if (ids[bad].id == 0 && may_be_none) {
                continue;
            }
            Arguments arguments = scene->good;
            memcpy((char *)&arguments + place, &ids[bad].id, sizeof ids[bad].id);
            expect(ids[bad].expected, &calls[index], scene->host->vm, arguments, ids[bad].mistake);
        }
    }
}

static void ractors_that_are_none(const Configuration *configuration)
{
    Host *other = host_open(configuration, (Options){0});
    Scene scene = set(configuration);
    rs_ractor closed = host_ractor(scene.host, NULL);
    CHECK_OK(rs_ractor_free(scene.host->vm, closed));
    Id ids[IDS];
    bad_ids(ids, closed, host_ractor(other, NULL), scene.good.slot, scene.good.ractor);
    try_ids(&scene, ids, TAKES_RACTOR, offsetof(Arguments, ractor));
    CHECK_STATUS(RS_ERR_ARGUMENT, rs_ractor_free(scene.host->vm, scene.host->main));
    tear_down(&scene);
    host_close(other);
}

static void slots_that_are_none(const Configuration *configuration)
{
    Host *other = host_open(configuration, (Options){0});
    Scene scene = set(configuration);
    rs_slot closed = host_constant(scene.host, "CLOSED");
    CHECK_OK(rs_slot_free(scene.host->vm, closed));
    Id ids[IDS];
    bad_ids(ids, closed, host_constant(other, "X"), scene.good.ractor, scene.good.slot);
    try_ids(&scene, ids, TAKES_SLOT, offsetof(Arguments, slot));
    tear_down(&scene);
    host_close(other);
}

static void walks_that_are_none(const Configuration *configuration)
{
    Host *other = host_open(configuration, (Options){0});
    host_ractor(other, NULL);
    rs_walk foreign = 0;
    CHECK_STATUS(RS_MORE, rs_walk_begin(other->vm, other->main, RS_WALK_TO_SHARE, RS_NO_SLOT,
                                        leaf(other), &foreign));
    Scene scene = set(configuration);
    rs_walk closed = 0;
    CHECK_STATUS(RS_MORE, rs_walk_begin(scene.host->vm, scene.host->main, RS_WALK_TO_SHARE,
                                        RS_NO_SLOT, leaf(scene.host), &closed));
    CHECK_OK(rs_walk_abort(scene.host->vm, closed));
    Id ids[IDS];
    bad_ids(ids, closed, foreign, scene.good.slot, scene.good.walk);
    try_ids(&scene, ids, TAKES_WALK, offsetof(Arguments, walk));
    tear_down(&scene);
    CHECK_OK(rs_walk_abort(other->vm, foreign));
    host_close(other);
}

static void images_that_are_none(const Configuration *configuration)
{
    Host *other = host_open(configuration, (Options){0});
    rs_image foreign = 0;
    CHECK_OK(rs_image_encode(other->vm, other->main, NIL, NULL, &foreign));
    Scene scene = set(configuration);
    rs_image closed = 0;
    CHECK_OK(rs_image_encode(scene.host->vm, scene.host->main, NIL, NULL, &closed));
    CHECK_OK(rs_image_free(scene.host->vm, closed));
    Id ids[IDS];
    bad_ids(ids, closed, foreign, scene.good.slot, scene.good.image);
    try_ids(&scene, ids, TAKES_IMAGE, offsetof(Arguments, image));
    tear_down(&scene);
    host_close(other);
}

static void links_that_are_none(const Configuration *configuration)
{
    Host *other = host_open(configuration, (Options){0});
    rs_link foreign = 0;
    rs_link_end end;
    CHECK_OK(rs_link_new(other->vm, other->main, NULL, &foreign, &end));
    Scene scene = set(configuration);
    rs_link closed = 0;
    CHECK_OK(rs_link_new(scene.host->vm, scene.host->main, NULL, &closed, &end));
    CHECK_OK(rs_link_close(scene.host->vm, closed, 0, 0));
    Id ids[IDS];
    bad_ids(ids, closed, foreign, scene.good.slot, scene.good.link);
    try_ids(&scene, ids, TAKES_LINK, offsetof(Arguments, link));
    tear_down(&scene);
    host_close(other);
}

static void immediates_where_objects_are_expected(const Configuration *configuration)
{
    Scene scene = set(configuration);
    static const rs_value immediates[] = {0, 1, 9, 4095, (rs_value)-7};
    for (size_t index = 0; index < calls_count; index++) {
        for (size_t bad = 0; bad < 5 && calls[index].takes & TAKES_OBJECT; bad++) {
            Arguments arguments = scene.good;
            arguments.value = immediates[bad];
            expect(RS_ERR_ARGUMENT, &calls[index], scene.host->vm, arguments, "an immediate");
        }
    }
    tear_down(&scene);
}

static void numbers_out_of_range(const Configuration *configuration)
{
    Scene scene = set(configuration);
    rs_vm *vm = scene.host->vm;
    rs_walk walk = 77;
    rs_value object = scene.good.value;
    static const uint32_t purposes[] = {0, 4, UINT32_MAX};
    static const uint32_t shares[] = {RS_SHARE_YES, RS_SHARE_ASK, 6, UINT32_MAX};
    for (size_t index = 0; index < 3; index++) {
        CHECK_STATUS(RS_ERR_ARGUMENT, rs_walk_begin(vm, scene.good.ractor, purposes[index],
                                                    scene.good.slot, object, &walk));
    }
    for (size_t index = 0; index < 4; index++) {
        CHECK_STATUS(RS_ERR_ARGUMENT, rs_walk_refuse(vm, scene.good.walk, shares[index]));
    }
    CHECK_STATUS(RS_ERR_ARGUMENT, rs_walk_feed(vm, scene.good.walk, NULL, 1, 1));
    CHECK_STATUS(RS_ERR_ARGUMENT, rs_walk_feed(vm, scene.good.walk, &object, SIZE_MAX, 1));
    CHECK_EQUAL(77, walk);
    CHECK_STATUS(RS_ERR_ARGUMENT, rs_walk_begin(vm, scene.good.ractor, RS_WALK_TO_ACCESS,
                                                RS_NO_SLOT, object, &walk));
    CHECK_STATUS(RS_ERR_ARGUMENT, rs_after_change(vm, scene.host->main, object));
    CHECK_STATUS(RS_ERR_ARGUMENT, rs_gc_end(vm));
    CHECK_STATUS(RS_ERR_ARGUMENT, rs_after_fork_parent(vm));
    CHECK_STATUS(RS_ERR_ARGUMENT, rs_after_fork_child(vm));
    CHECK_STATUS(RS_BUSY, rs_vm_free(vm));
    tear_down(&scene);
}

static void callers_from_another_ractor(const Configuration *configuration)
{
    Scene scene = set_with(configuration, (Options){.knows_ractors = true});
    rs_ractor third = host_ractor(scene.host, "third");
    for (size_t index = 0; index < calls_count; index++) {
        const Call *call = &calls[index];
        if (call->takes & DANGEROUS) {
            continue;
        }
        if (call->takes & NAMED_RACTOR_ONLY) {
            host_enter_ractor(third);
            expect(RS_ERR_THREAD, call, scene.host->vm, scene.good, "another ractor's thread");
        }
        if (call->takes & MAIN_ONLY) {
            host_enter_ractor(scene.good.ractor);
            expect(RS_ERR_THREAD, call, scene.host->vm, scene.good, "a caller besides main");
        }
    }
    host_enter_ractor(scene.host->main);
    tear_down(&scene);
}

static const Test tests[] = {
    TEST(vms_that_are_none),     TEST(results_that_have_no_place),
    TEST(ractors_that_are_none), TEST(slots_that_are_none),
    TEST(walks_that_are_none),   TEST(images_that_are_none),
    TEST(links_that_are_none),   TEST(immediates_where_objects_are_expected),
    TEST(numbers_out_of_range),  TEST(callers_from_another_ractor),
};

int main(int count, char **arguments)
{
    RUN_TESTS(tests);
}
