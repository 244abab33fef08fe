/*
 * The truth table of an object's flags: every state is reached, and seen through the library and in
 * the raw bits.
 */

#include "fixture/check.h"
#include "fixture/host.h"
#include "fixture/snapshot.h"

static bool is_split(const Host *host)
{
    return host->configuration->placement == RS_FLAGS_SPLIT;
}

static void a_new_object_is_ordinary(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_value object = pair(host, NIL, NIL);
    CHECK_EQUAL(RS_STATE_ORDINARY, state(host, object));
    CHECK_EQUAL(0, rs_shareable_p(host->vm, object));
    CHECK_EQUAL(0, rs_frozen_p(host->vm, object));
    CHECK_EQUAL(0, raw_flags(host, object));
    CHECK(!host_must_check(host, object));
    host_close(host);
}

static void immediates_are_shareable_and_frozen(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    CHECK_EQUAL(RS_STATE_SHAREABLE, state(host, NIL));
    CHECK_EQUAL(RS_STATE_SHAREABLE, state(host, number(7)));
    CHECK_EQUAL(1, rs_shareable_p(host->vm, number(7)));
    CHECK_EQUAL(1, rs_frozen_p(host->vm, number(7)));
    CHECK_STATUS(RS_FROZEN, rs_check_frozen(host->vm, host->main, number(7)));
    host_close(host);
}

static void a_frozen_object_is_not_shareable(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_value object = pair(host, NIL, NIL);
    CHECK_OK(rs_freeze(host->vm, host->main, object));
    CHECK_EQUAL(RS_STATE_FROZEN, state(host, object));
    CHECK_EQUAL(0, rs_shareable_p(host->vm, object));
    CHECK_EQUAL(1, rs_frozen_p(host->vm, object));
    CHECK_STATUS(RS_FROZEN, host_check(host, host->main, object));
    CHECK_OK(rs_freeze(host->vm, host->main, object));
    if (is_split(host)) {
        CHECK_EQUAL(RAW_FROZEN, header_flags(host, object));
    } else {
        CHECK_EQUAL(RAW_FROZEN, raw_flags(host, object));
    }
    host_close(host);
}

static void an_assigned_graph_is_a(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    host_ractor(host, NULL);
    rs_value bottom = leaf(host);
    rs_value top = pair(host, bottom, NIL);
    rs_slot slot = host_assign(host, "TOP", top);
    CHECK_EQUAL(RS_STATE_AUTOSHARE, state(host, top));
    CHECK_EQUAL(RS_STATE_AUTOSHARE, state(host, bottom));
    CHECK_EQUAL(RS_STATE_AUTOSHARE, slot_state(host, slot));
    CHECK_EQUAL(0, rs_shareable_p(host->vm, top));
    CHECK_EQUAL(0, rs_frozen_p(host->vm, top));
    CHECK_EQUAL(RAW_AUTOSHARE, raw_flags(host, top));
    CHECK_EQUAL(RAW_AUTOSHARE, raw_flags(host, bottom));
    CHECK(host_must_check(host, top));
    host_close(host);
}

static void an_a_object_that_its_program_froze_stays_a(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_ractor reader = host_ractor(host, NULL);
    rs_value top = pair(host, NIL, NIL);
    rs_slot slot = host_assign(host, "TOP", top);
    CHECK_OK(rs_freeze(host->vm, host->main, top));
    CHECK_EQUAL(RS_STATE_AUTOSHARE, state(host, top));
    CHECK_EQUAL(1, rs_frozen_p(host->vm, top));
    CHECK_STATUS(RS_FROZEN, host_check(host, host->main, top));
    CHECK_EQUAL(RS_STATE_AUTOSHARE, state(host, top));
    CHECK_OK(host_access(host, reader, slot, top));
    CHECK_EQUAL(RS_STATE_SHAREABLE, state(host, top));
    host_close(host);
}

static void mains_write_takes_a_to_b(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_ractor reader = host_ractor(host, NULL);
    rs_value bottom = leaf(host);
    rs_value top = pair(host, bottom, NIL);
    rs_slot slot = host_assign(host, "TOP", top);
    CHECK_OK(host_write(host, host->main, top, 1, number(1)));
    CHECK_EQUAL(RS_STATE_ORDINARY, state(host, top));
    CHECK_EQUAL(RS_STATE_AUTOSHARE, state(host, bottom));
    CHECK_EQUAL(0, raw_flags(host, top));
    CHECK_EQUAL(0, header_flags(host, top));
    CHECK(!host_must_check(host, top));
    CHECK_EQUAL(1, statistics(host).objects_written);
    CHECK_STATUS(RS_NOT_SHAREABLE, host_access(host, reader, slot, top));
    CHECK_EQUAL(0, statistics(host).walks);
    host_close(host);
}

static void a_read_by_another_ractor_takes_a_to_c(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_ractor reader = host_ractor(host, NULL);
    rs_value bottom = leaf(host);
    rs_value top = vector(host, 2);
    put(top, 0, bottom);
    put(top, 1, top);
    rs_slot slot = host_assign(host, "TOP", top);
    CHECK_OK(host_access(host, reader, slot, top));
    CHECK_EQUAL(RS_STATE_SHAREABLE, state(host, top));
    CHECK_EQUAL(RS_STATE_SHAREABLE, state(host, bottom));
    CHECK_EQUAL(RAW_FROZEN | RAW_SHAREABLE, raw_flags(host, top));
    CHECK_EQUAL(RAW_FROZEN | RAW_SHAREABLE, raw_flags(host, bottom));
    CHECK_EQUAL(1, rs_shareable_p(host->vm, bottom));
    CHECK_EQUAL(1, rs_frozen_p(host->vm, bottom));
    CHECK_STATUS(RS_FROZEN, host_write(host, host->main, bottom, 0, NIL));
    CHECK_EQUAL(2, host->calls[IN_COMMIT]);
    CHECK_OK(host_access(host, reader, slot, top));
    CHECK_EQUAL(1, statistics(host).walks);
    CHECK_EQUAL(2, statistics(host).objects_shared);
    CHECK_EQUAL(RS_STATE_SHAREABLE, host->transition.state);
    CHECK_EQUAL(slot, host->transition.slot);
    host_close(host);
}

static void split_flags_come_to_the_header_when_main_looks(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_ractor reader = host_ractor(host, NULL);
    rs_value top = pair(host, NIL, NIL);
    rs_slot slot = host_assign(host, "TOP", top);
    CHECK_OK(host_access(host, reader, slot, top));
    if (is_split(host)) {
        CHECK_EQUAL(RAW_AUTOSHARE, header_flags(host, top));
        CHECK_STATUS(RS_FROZEN, host_check(host, host->main, top));
        CHECK_EQUAL(RAW_FROZEN | RAW_SHAREABLE, header_flags(host, top));
    }
    CHECK(host_must_check(host, top));
    host_close(host);
}

static void mains_own_reads_are_no_transition(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    host_ractor(host, NULL);
    rs_value top = pair(host, file(host), NIL);
    rs_slot slot = host_assign(host, "TOP", top);
    Snapshot *before = snapshot_take(host);
    CHECK_OK(host_access(host, host->main, slot, top));
    CHECK_EQUAL(RS_STATE_AUTOSHARE, state(host, top));
    CHECK_UNCHANGED(host, before);
    snapshot_free(before);
    host_close(host);
}

static void another_ractor_can_not_write_what_is_a(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_ractor reader = host_ractor(host, NULL);
    rs_value top = pair(host, NIL, NIL);
    rs_value its_own = pair(host, NIL, NIL);
    host_assign(host, "TOP", top);
    Snapshot *before = snapshot_take(host);
    CHECK_STATUS(RS_NOT_OWNER, host_check(host, reader, top));
    CHECK_STATUS(RS_NOT_OWNER, rs_freeze(host->vm, reader, top));
    CHECK_OK(host_check(host, reader, its_own));
    CHECK_UNCHANGED(host, before);
    snapshot_free(before);
    host_close(host);
}

static void a_failed_read_restores_every_bit_but_the_path(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_ractor reader = host_ractor(host, NULL);
    rs_value frozen = pair(host, NIL, NIL);
    CHECK_OK(rs_freeze(host->vm, host->main, frozen));
    rs_value blocker = pair(host, NIL, NIL);
    rs_value carrier = pair(host, blocker, NIL);
    rs_value top = vector(host, 3);
    put(top, 0, carrier);
    put(top, 1, frozen);
    put(top, 2, leaf(host));
    rs_slot slot = host_assign(host, "TOP", top);
    CHECK_OK(host_write(host, host->main, blocker, 0, NIL));
    unsigned frozen_before = raw_flags(host, frozen);
    CHECK_STATUS(RS_NOT_SHAREABLE, host_access(host, reader, slot, top));
    CHECK_EQUAL(RS_STATE_ORDINARY, state(host, top));
    CHECK_EQUAL(RS_STATE_ORDINARY, state(host, carrier));
    CHECK_EQUAL(0, raw_flags(host, top));
    CHECK_EQUAL(RS_STATE_AUTOSHARE, state(host, child(top, 2)));
    CHECK_EQUAL(RAW_AUTOSHARE, raw_flags(host, child(top, 2)));
    CHECK_EQUAL(RS_STATE_AUTOSHARE, state(host, frozen));
    CHECK_EQUAL(frozen_before, raw_flags(host, frozen));
    CHECK_EQUAL(2, statistics(host).objects_demoted);
    host_close(host);
}

static void later_failing_reads_do_not_walk(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_ractor reader = host_ractor(host, NULL);
    rs_value top = list(host, 100, file(host));
    rs_slot slot = host_assign(host, "TOP", top);
    CHECK_STATUS(RS_NOT_SHAREABLE, host_access(host, reader, slot, top));
    CHECK_EQUAL(1, statistics(host).walks);
    for (int round = 0; round < 10; round++) {
        CHECK_STATUS(RS_NOT_SHAREABLE, host_access(host, reader, slot, top));
    }
    CHECK_EQUAL(1, statistics(host).walks);
    CHECK_OK(host_write(host, host->main, top, 1, NIL));
    CHECK_OK(rs_autoshare_mark(host->vm, slot, top));
    CHECK_OK(host_access(host, reader, slot, top));
    CHECK_EQUAL(2, statistics(host).walks);
    host_close(host);
}

static void the_hosts_own_bits_survive_everything(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_ractor reader = host_ractor(host, NULL);
    rs_value top = list(host, 10, leaf(host));
    rs_slot slot = host_assign(host, "TOP", top);
    CHECK_OK(host_check(host, host->main, top));
    CHECK_STATUS(RS_NOT_SHAREABLE, host_access(host, reader, slot, top));
    CHECK_OK(rs_autoshare_mark(host->vm, slot, top));
    CHECK_OK(host_access(host, reader, slot, top));
    CHECK_STATUS(RS_FROZEN, host_check(host, host->main, top));
    CHECK_EQUAL(host->own_bits, object_of(top)->flags & 0xf);
    host_close(host);
}

static rs_value claimed_top;
static rs_slot claimed_slot;

static void look_at_claimed(Host *host, rs_value object)
{
    (void)object;
    if (raw_flags(host, claimed_top) & RAW_PENDING) {
        CHECK_EQUAL(RS_STATE_AUTOSHARE, state(host, claimed_top));
        CHECK_EQUAL(0, rs_shareable_p(host->vm, claimed_top));
        CHECK_EQUAL(0, rs_frozen_p(host->vm, claimed_top));
        CHECK(host_must_check(host, claimed_top));
        host->data = host;
    }
}

static void claimed_objects_are_still_a(const Configuration *configuration)
{
    if (!shows_claims(configuration)) {
        return;
    }
    Host *host = host_open(configuration, (Options){0});
    rs_ractor reader = host_ractor(host, NULL);
    claimed_top = pair(host, map(host, 3), NIL);
    claimed_slot = host_assign(host, "TOP", claimed_top);
    host->inside[IN_CHILDREN] = look_at_claimed;
    CHECK_OK(host_access(host, reader, claimed_slot, claimed_top));
    CHECK(host->data == host);
    host_close(host);
}

static const Test tests[] = {
    TEST(a_new_object_is_ordinary),
    TEST(immediates_are_shareable_and_frozen),
    TEST(a_frozen_object_is_not_shareable),
    TEST(an_assigned_graph_is_a),
    TEST(an_a_object_that_its_program_froze_stays_a),
    TEST(mains_write_takes_a_to_b),
    TEST(a_read_by_another_ractor_takes_a_to_c),
    TEST(split_flags_come_to_the_header_when_main_looks),
    TEST(mains_own_reads_are_no_transition),
    TEST(another_ractor_can_not_write_what_is_a),
    TEST(a_failed_read_restores_every_bit_but_the_path),
    TEST(later_failing_reads_do_not_walk),
    TEST(the_hosts_own_bits_survive_everything),
    TEST(claimed_objects_are_still_a),
};

int main(int count, char **arguments)
{
    RUN_TESTS(tests);
}
