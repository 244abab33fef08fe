/*
 * Slots: four kinds with their error texts, removed, assigned again, weak, moved.
 */

#include "fixture/check.h"
#include "fixture/collector.h"
#include "fixture/host.h"

#include <string.h>

static rs_slot slot_of(Host *host, uint32_t kind, const char *name, const char *owner)
{
    rs_slot slot = RS_NO_SLOT;
    CHECK_OK(rs_slot_new(host->vm, kind, name, owner, &slot));
    return slot;
}

static void each_kind_has_its_own_error_text(const Configuration *configuration)
{
    static const struct {
        uint32_t kind;
        const char *name;
        const char *owner;
        const char *message;
    } kinds[] = {
        {RS_SLOT_CONSTANT, "LIMITS", NULL,
         "can not access non-shareable objects in constant LIMITS by non-main Ractor."},
        {RS_SLOT_CONSTANT, "LIMITS", "Server::Pool",
         "can not access non-shareable objects in constant Server::Pool::LIMITS by non-main "
         "Ractor."},
        {RS_SLOT_GLOBAL, "$config", NULL,
         "can not access global variable $config from non-main Ractor"},
        {RS_SLOT_CLASS_VARIABLE, "@@count", "Server",
         "can not read non-shareable class variable @@count from non-main Ractors (Server)"},
        {RS_SLOT_CLASS_INSTANCE_VARIABLE, "@cache", "Server",
         "can not get unshareable values from instance variables of classes/modules from "
         "non-main Ractors (@cache from Server)"},
    };
    Host *host = host_open(configuration, (Options){0});
    rs_ractor reader = host_ractor(host, NULL);
    for (size_t index = 0; index < sizeof kinds / sizeof kinds[0]; index++) {
        rs_value top = pair(host, file(host), NIL);
        rs_slot slot = slot_of(host, kinds[index].kind, kinds[index].name, kinds[index].owner);
        CHECK_OK(rs_autoshare_mark(host->vm, slot, top));
        for (int again = 0; again < 2; again++) {
            CHECK_STATUS(RS_NOT_SHAREABLE, host_access(host, reader, slot, top));
            rs_report report = last_report(host, reader);
            CHECK_TEXT(kinds[index].message, report.message);
            CHECK_EQUAL(kinds[index].kind, report.slot_kind);
            CHECK_EQUAL(slot, report.slot);
            CHECK_TEXT(kinds[index].name, report.slot_name);
        }
    }
    host_close(host);
}

static void unknown_kinds_are_refused(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_slot slot = 5;
    CHECK_STATUS(RS_ERR_ARGUMENT, rs_slot_new(host->vm, 0, "X", NULL, &slot));
    CHECK_STATUS(RS_ERR_ARGUMENT, rs_slot_new(host->vm, 5, "X", NULL, &slot));
    CHECK_STATUS(RS_ERR_ARGUMENT, rs_slot_new(host->vm, UINT32_MAX, "X", NULL, &slot));
    CHECK_STATUS(RS_ERR_ARGUMENT, rs_slot_new(host->vm, RS_SLOT_CONSTANT, NULL, NULL, &slot));
    CHECK_STATUS(RS_ERR_ARGUMENT, rs_slot_new(host->vm, RS_SLOT_CONSTANT, "X", NULL, NULL));
    CHECK_EQUAL(5, slot);
    host_close(host);
}

static void a_new_slot_holds_nothing(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_slot slot = host_constant(host, "X");
    CHECK_EQUAL(RS_STATE_NONE, slot_state(host, slot));
    CHECK_OK(rs_autoshare_mark(host->vm, slot, number(3)));
    CHECK_EQUAL(RS_STATE_SHAREABLE, slot_state(host, slot));
    rs_value object = leaf(host);
    CHECK_OK(rs_autoshare_mark(host->vm, slot, object));
    CHECK_EQUAL(RS_STATE_ORDINARY, slot_state(host, slot));
    host_ractor(host, NULL);
    CHECK_EQUAL(RS_STATE_AUTOSHARE, slot_state(host, slot));
    CHECK_OK(host_check(host, host->main, object));
    CHECK_EQUAL(RS_STATE_ORDINARY, slot_state(host, slot));
    host_close(host);
}

static void a_removed_slot_is_closed_and_its_value_stays(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_ractor reader = host_ractor(host, NULL);
    rs_value top = pair(host, NIL, NIL);
    rs_slot slot = host_assign(host, "TOP", top);
    CHECK_OK(rs_slot_free(host->vm, slot));
    CHECK_EQUAL(RS_STATE_AUTOSHARE, state(host, top));
    uint32_t found = 42;
    CHECK_STATUS(RS_ERR_CLOSED, rs_slot_state(host->vm, slot, &found));
    CHECK_EQUAL(42, found);
    CHECK_STATUS(RS_ERR_CLOSED, rs_slot_free(host->vm, slot));
    CHECK_STATUS(RS_ERR_CLOSED, rs_autoshare_mark(host->vm, slot, top));
    CHECK_STATUS(RS_ERR_CLOSED, rs_ractor_access(host->vm, reader, slot, top));
    rs_slot next = host_constant(host, "TOP");
    CHECK(next != slot);
    CHECK_STATUS(RS_ERR_CLOSED, rs_slot_state(host->vm, slot, &found));
    host_close(host);
}

static void a_slot_assigned_again_forgets_its_failure(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){.options = RS_OPTION_PROVENANCE});
    rs_ractor reader = host_ractor(host, NULL);
    rs_value blocked = pair(host, file(host), NIL);
    rs_value good = pair(host, leaf(host), NIL);
    rs_slot slot = host_assign(host, "TOP", blocked);
    CHECK_STATUS(RS_NOT_SHAREABLE, host_access(host, reader, slot, blocked));
    CHECK_OK(rs_autoshare_mark(host->vm, slot, good));
    CHECK_OK(host_access(host, reader, slot, good));
    CHECK_OK(host_write(host, host->main, blocked, 0, NIL));
    CHECK_OK(rs_autoshare_mark(host->vm, slot, blocked));
    CHECK_EQUAL(RS_STATE_AUTOSHARE, slot_state(host, slot));
    CHECK_OK(host_access(host, reader, slot, blocked));
    host_close(host);
}

static void a_slot_is_weak(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    host_ractor(host, NULL);
    rs_value kept = pair(host, NIL, NIL);
    rs_slot kept_slot = host_assign(host, "KEPT", kept);
    rs_slot lost_slot = host_assign(host, "LOST", pair(host, leaf(host), NIL));
    rs_slot small_slot = host_assign(host, "SMALL", number(4));
    Collector collector = {.host = host};
    collector_root(&collector, &kept);
    collect(&collector);
    CHECK_EQUAL(2, collector.freed);
    CHECK_EQUAL(RS_STATE_AUTOSHARE, slot_state(host, kept_slot));
    CHECK_EQUAL(RS_STATE_NONE, slot_state(host, lost_slot));
    CHECK_EQUAL(RS_STATE_SHAREABLE, slot_state(host, small_slot));
    host_close(host);
}

static void
a_value_that_died_before_the_first_ractor_is_not_marked(const Configuration *configuration)
{
    static const uint32_t policies[] = {RS_MARK_ON_FIRST_RACTOR, RS_MARK_ON_ASSIGN};
    for (size_t index = 0; index < 2; index++) {
        Host *host = host_open(configuration, (Options){.mark_policy = policies[index]});
        rs_value kept = pair(host, NIL, NIL);
        rs_slot kept_slot = host_assign(host, "KEPT", kept);
        host_assign(host, "LOST", pair(host, leaf(host), NIL));
        Collector collector = {.host = host, .moves = true};
        collector_root(&collector, &kept);
        collect(&collector);
        CHECK_EQUAL(2, collector.freed);
        host_ractor(host, NULL);
        CHECK_EQUAL(RS_STATE_AUTOSHARE, slot_state(host, kept_slot));
        CHECK_EQUAL(RS_STATE_AUTOSHARE, state(host, kept));
        CHECK_EQUAL(1, host->calls[IN_ON_MARK]);
        /* An object counts when it is marked, be it at the assignment or at the first ractor. */
        CHECK_EQUAL(policies[index] == RS_MARK_ON_ASSIGN ? 3 : 1, statistics(host).objects_marked);
        host_close(host);
    }
}

static void long_names_are_cut(const Configuration *configuration)
{
    char name[301];
    memset(name, 'N', 300);
    name[300] = 0;
    Host *host = host_open(configuration, (Options){0});
    rs_ractor reader = host_ractor(host, name);
    rs_value top = pair(host, file(host), NIL);
    rs_slot slot = slot_of(host, RS_SLOT_CLASS_VARIABLE, name, name);
    CHECK_OK(rs_autoshare_mark(host->vm, slot, top));
    CHECK_STATUS(RS_NOT_SHAREABLE, host_access(host, reader, slot, top));
    rs_report report = last_report(host, reader);
    CHECK_EQUAL(127, strlen(report.slot_name));
    CHECK(memchr(report.message, 0, sizeof report.message) != NULL);
    CHECK(memchr(report.text, 0, sizeof report.text) != NULL);
    CHECK(memchr(report.path, 0, sizeof report.path) != NULL);
    host_close(host);
}

static void many_slots_come_and_go(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_value top = leaf(host);
    enum { SLOTS = 1000 };
    rs_slot slots[SLOTS];
    for (int round = 0; round < 3; round++) {
        for (size_t index = 0; index < SLOTS; index++) {
            slots[index] = host_assign(host, "X", top);
        }
        for (size_t index = 0; index < SLOTS; index++) {
            CHECK_OK(rs_slot_free(host->vm, slots[(index * 7) % SLOTS]));
        }
    }
    rs_slot slot = host_assign(host, "X", top);
    CHECK_OK(host_access(host, host_ractor(host, NULL), slot, top));
    host_close(host);
}

static const Test tests[] = {
    TEST(each_kind_has_its_own_error_text),
    TEST(unknown_kinds_are_refused),
    TEST(a_new_slot_holds_nothing),
    TEST(a_removed_slot_is_closed_and_its_value_stays),
    TEST(a_slot_assigned_again_forgets_its_failure),
    TEST(a_slot_is_weak),
    TEST(a_value_that_died_before_the_first_ractor_is_not_marked),
    TEST(long_names_are_cut),
    TEST_ONCE(many_slots_come_and_go),
};

int main(int count, char **arguments)
{
    RUN_TESTS(tests);
}
