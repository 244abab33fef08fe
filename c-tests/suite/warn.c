/*
 * RS_WARN: nothing is shared or frozen, and both orders of a conflict are told.
 */

#include <string.h>

#include "fixture/check.h"
#include "fixture/host.h"
#include "fixture/snapshot.h"

static const Options warn_only = {.enforcement = RS_WARN};
static const Options warn_with_provenance = {.enforcement = RS_WARN,
                                             .options = RS_OPTION_PROVENANCE};

static void a_read_that_would_share_changes_nothing_and_warns(const Configuration *configuration)
{
    Host *host = host_open(configuration, warn_only);
    rs_ractor reader = host_ractor(host, NULL);
    rs_value top = pair(host, leaf(host), NIL);
    rs_slot slot = host_assign(host, "TOP", top);
    Snapshot *before = snapshot_take(host);
    host_access(host, reader, slot, top);
    CHECK_EQUAL(1, host->calls[IN_WARN]);
    CHECK_EQUAL(RS_OK, host->warned.status);
    CHECK_EQUAL(RS_CAUSE_SHARED, host->warned.cause);
    CHECK_EQUAL(0, host->calls[IN_COMMIT]);
    CHECK_UNCHANGED(host, before);
    snapshot_free(before);
    host_close(host);
}

static void a_read_that_would_fail_changes_nothing_and_warns(const Configuration *configuration)
{
    Host *host = host_open(configuration, warn_only);
    rs_ractor reader = host_ractor(host, NULL);
    rs_value top = pair(host, file(host), NIL);
    rs_slot slot = host_assign(host, "TOP", top);
    Snapshot *before = snapshot_take(host);
    uint64_t transitions = host->calls[IN_ON_TRANSITION];
    CHECK_STATUS(RS_NOT_SHAREABLE, host_access(host, reader, slot, top));
    CHECK_EQUAL(1, host->calls[IN_WARN]);
    CHECK_EQUAL(RS_NOT_SHAREABLE, host->warned.status);
    CHECK_EQUAL(RS_CAUSE_UNSHAREABLE, host->warned.cause);
    CHECK_EQUAL(transitions, host->calls[IN_ON_TRANSITION]);
    CHECK_UNCHANGED(host, before);
    snapshot_free(before);
    host_close(host);
}

static void check_warns_in_both_orders(const Configuration *configuration, Options options,
                                       bool writes_top)
{
    for (int write_first = 0; write_first < 2; write_first++) {
        Host *host = host_open(configuration, options);
        rs_ractor reader = host_ractor(host, NULL);
        rs_value inner = pair(host, NIL, NIL);
        rs_value top = pair(host, inner, NIL);
        rs_value written = writes_top ? top : inner;
        rs_slot slot = host_assign(host, "TOP", top);
        if (write_first) {
            CHECK_OK(host_write(host, host->main, written, 1, NIL));
            host_access(host, reader, slot, top);
            CHECK_EQUAL(1, host->calls[IN_WARN]);
            CHECK_EQUAL(RS_NOT_SHAREABLE, host->warned.status);
        } else {
            host_access(host, reader, slot, top);
            CHECK_OK(host_write(host, host->main, written, 1, NIL));
            CHECK_EQUAL(2, host->calls[IN_WARN]);
            CHECK_EQUAL(RS_FROZEN, host->warned.status);
        }
        CHECK_EQUAL(written, host->warned.object);
        host_close(host);
    }
}

static void both_orders_of_a_conflict_are_told(const Configuration *configuration)
{
    check_warns_in_both_orders(configuration, warn_with_provenance, false);
}

static void both_orders_are_told_if_the_top_is_written(const Configuration *configuration)
{
    check_warns_in_both_orders(configuration, warn_with_provenance, true);
}

static void both_orders_are_told_without_provenance(const Configuration *configuration)
{
    check_warns_in_both_orders(configuration, warn_only, false);
}

static void a_warning_has_the_lines_that_an_error_would_have(const Configuration *configuration)
{
    for (int write_first = 0; write_first < 2; write_first++) {
        Host *host = host_open(configuration, warn_with_provenance);
        rs_ractor reader = host_ractor(host, NULL);
        rs_value inner = pair(host, NIL, NIL);
        rs_value top = pair(host, inner, NIL);
        rs_slot slot = host_assign(host, "TOP", top);
        for (int turn = 0; turn < 2; turn++) {
            if (turn == write_first) {
                host_at(host, "worker.rb", 8);
                host_access(host, reader, slot, top);
            } else {
                host_at(host, "main.rb", 3);
                CHECK_OK(host_write(host, host->main, inner, 1, NIL));
            }
        }
        const char *lines = strchr(host->warned.text, '\n');
        CHECK_TEXT("\n  over constant TOP"
                   "\n  write by main: TOP.first (pair 1) at main.rb:3"
                   "\n  read by ractor 2: TOP at worker.rb:8",
                   lines == NULL ? "" : lines);
        host_close(host);
    }
}

static const Test tests[] = {
    TEST(a_read_that_would_share_changes_nothing_and_warns),
    TEST(a_read_that_would_fail_changes_nothing_and_warns),
    TEST(both_orders_of_a_conflict_are_told),
    TEST(both_orders_are_told_if_the_top_is_written),
    TEST(both_orders_are_told_without_provenance),
    TEST(a_warning_has_the_lines_that_an_error_would_have),
};

int main(int count, char **arguments)
{
    RUN_TESTS(tests);
}
