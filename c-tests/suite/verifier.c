/*
 * The verifier: finds writes that no check announced.
 */

#include "fixture/check.h"
#include "fixture/collector.h"
#include "fixture/host.h"

#include <string.h>

static const Options verifying = {.options = RS_OPTION_VERIFY};

static rs_status verify(Host *host, rs_report *report)
{
    *report = RS_REPORT_INIT;
    return rs_verify(host->vm, host->main, report);
}

static void without_the_option_it_is_not_supported(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_report report;
    CHECK_STATUS(RS_ERR_UNSUPPORTED, verify(host, &report));
    host_close(host);
}

static void announced_writes_are_fine(const Configuration *configuration)
{
    Host *host = host_open(configuration, verifying);
    host_ractor(host, NULL);
    rs_value inner = vector(host, 3);
    rs_value top = pair(host, inner, NIL);
    host_assign(host, "TOP", top);
    rs_report report;
    CHECK_OK(verify(host, &report));
    CHECK_OK(host_write(host, host->main, top, 1, number(1)));
    CHECK_OK(host_write(host, host->main, inner, 2, top));
    CHECK_OK(verify(host, &report));
    put(top, 1, number(2));
    CHECK_OK(verify(host, &report));
    host_close(host);
}

static void a_write_without_a_check_is_reported_once(const Configuration *configuration)
{
    Host *host = host_open(configuration, verifying);
    host_ractor(host, NULL);
    rs_value inner = vector(host, 3);
    rs_value top = pair(host, inner, NIL);
    host_assign(host, "TOP", top);
    put(inner, 2, number(9));
    rs_report report;
    CHECK_STATUS(RS_UNANNOUNCED, verify(host, &report));
    CHECK_EQUAL(inner, report.object);
    CHECK_EQUAL(RS_CAUSE_UNANNOUNCED, report.cause);
    CHECK_TEXT("vector 1 has changed, and no check announced it", report.message);
    CHECK_EQUAL(RS_CAUSE_UNANNOUNCED, last_report(host, host->main).cause);
    CHECK_OK(verify(host, &report));
    host_close(host);
}

static void content_besides_children_is_watched(const Configuration *configuration)
{
    Host *host = host_open(configuration, verifying);
    host_ractor(host, NULL);
    rs_value text = leaf(host);
    host_assign(host, "TEXT", text);
    put_content(text, 5);
    rs_report report;
    CHECK_STATUS(RS_UNANNOUNCED, verify(host, &report));
    CHECK_EQUAL(text, report.object);
    host_close(host);
}

static void a_changed_length_is_a_change(const Configuration *configuration)
{
    Host *host = host_open(configuration, verifying);
    host_ractor(host, NULL);
    rs_value top = vector(host, 3);
    host_assign(host, "TOP", top);
    object_of(top)->length = 2;
    rs_report report;
    CHECK_STATUS(RS_UNANNOUNCED, verify(host, &report));
    host_close(host);
}

static void an_access_finds_it_and_warns(const Configuration *configuration)
{
    Host *host = host_open(configuration, verifying);
    rs_ractor reader = host_ractor(host, NULL);
    rs_value inner = pair(host, NIL, NIL);
    rs_value top = pair(host, inner, NIL);
    rs_slot slot = host_assign(host, "TOP", top);
    put(inner, 0, number(1));
    CHECK_OK(host_access(host, reader, slot, top));
    CHECK_EQUAL(1, host->calls[IN_WARN]);
    CHECK_EQUAL(RS_UNANNOUNCED, host->warned.status);
    CHECK_EQUAL(inner, host->warned.object);
    CHECK_EQUAL(slot, host->warned.slot);
    rs_report report;
    CHECK_OK(verify(host, &report));
    host_close(host);
}

static void what_is_no_longer_a_is_not_watched(const Configuration *configuration)
{
    Host *host = host_open(configuration, verifying);
    rs_ractor reader = host_ractor(host, NULL);
    rs_value inner = pair(host, file(host), NIL);
    rs_value top = pair(host, inner, NIL);
    rs_slot slot = host_assign(host, "TOP", top);
    CHECK_STATUS(RS_NOT_SHAREABLE, host_access(host, reader, slot, top));
    CHECK_EQUAL(RS_STATE_ORDINARY, state(host, inner));
    /* An ordinary object now: header and side table ask nobody before this write. */
    CHECK_OK(host_write(host, host->main, inner, 1, number(1)));
    rs_report report;
    CHECK_OK(verify(host, &report));
    host_close(host);
}

static void what_became_shareable_is_not_watched(const Configuration *configuration)
{
    Host *host = host_open(configuration, verifying);
    rs_ractor reader = host_ractor(host, NULL);
    rs_value top = pair(host, leaf(host), NIL);
    rs_slot slot = host_assign(host, "TOP", top);
    CHECK_OK(host_access(host, reader, slot, top));
    /* What `commit` does to an object is no write of the program's. */
    put_content(top, 8);
    rs_report report;
    CHECK_OK(verify(host, &report));
    host_close(host);
}

static void a_mark_that_was_undone_is_not_watched(const Configuration *configuration)
{
    for (uint64_t failing = 1;; failing++) {
        Host *host = host_open(configuration, verifying);
        host_ractor(host, NULL);
        rs_slot slot = host_constant(host, "TOP");
        rs_value top = vector_of_leaves(host, 50);
        allocator_fail_at(&host->allocator, failing);
        rs_status status = rs_autoshare_mark(host->vm, slot, top);
        bool failed = host->allocator.failed != 0;
        allocator_fail_at(&host->allocator, 0);
        CHECK_STATUS(failed ? RS_ERR_MEMORY : RS_OK, status);
        if (failed) {
            for (size_t index = 0; index < 50; index++) {
                CHECK_EQUAL(RS_STATE_ORDINARY, state(host, child(top, index)));
                put_content(child(top, index), 3);
            }
            rs_report report;
            CHECK_OK(verify(host, &report));
        }
        host_close(host);
        if (!failed) {
            break;
        }
    }
}

static void a_moving_collector_is_no_change(const Configuration *configuration)
{
    Host *host = host_open(configuration, verifying);
    rs_ractor reader = host_ractor(host, NULL);
    rs_value top = list(host, 100, vector_of_leaves(host, 10));
    rs_slot slot = host_assign(host, "TOP", top);
    Collector collector = {.host = host, .moves = true};
    collector_root(&collector, &top);
    collect(&collector);
    rs_report report;
    CHECK_OK(verify(host, &report));
    put(top, 0, number(999));
    CHECK_STATUS(RS_UNANNOUNCED, verify(host, &report));
    CHECK_EQUAL(top, report.object);
    CHECK_OK(host_access(host, reader, slot, top));
    host_close(host);
}

static void a_change_of_representation_is_no_change(const Configuration *configuration)
{
    Host *host = host_open(configuration, verifying);
    host_ractor(host, NULL);
    rs_value top = vector_of_leaves(host, 4);
    host_assign(host, "TOP", top);
    CHECK_OK(rs_before_change(host->vm, host->main, top));
    rs_value *elements = object_of(top)->elements;
    static rs_value elsewhere[4];
    memcpy(elsewhere, elements, sizeof elsewhere);
    object_of(top)->elements = elsewhere;
    CHECK_OK(rs_after_change(host->vm, host->main, top));
    rs_report report;
    CHECK_OK(verify(host, &report));
    object_of(top)->elements = elements;
    host_close(host);
}

static void without_memory_it_says_so(const Configuration *configuration)
{
    Host *host = host_open(configuration, verifying);
    host_ractor(host, NULL);
    host_assign(host, "TOP", vector_of_leaves(host, 20));
    rs_report report;
    allocator_fail_at(&host->allocator, 1);
    CHECK_STATUS(RS_ERR_MEMORY, verify(host, &report));
    allocator_fail_at(&host->allocator, 0);
    CHECK_OK(verify(host, &report));
    host_close(host);
}

static const Test tests[] = {
    TEST(without_the_option_it_is_not_supported),
    TEST(announced_writes_are_fine),
    TEST(a_write_without_a_check_is_reported_once),
    TEST(content_besides_children_is_watched),
    TEST(a_changed_length_is_a_change),
    TEST(an_access_finds_it_and_warns),
    TEST(what_is_no_longer_a_is_not_watched),
    TEST(what_became_shareable_is_not_watched),
    TEST(a_mark_that_was_undone_is_not_watched),
    TEST(a_moving_collector_is_no_change),
    TEST(a_change_of_representation_is_no_change),
    TEST(without_memory_it_says_so),
};

int main(int count, char **arguments)
{
    RUN_TESTS(tests);
}
