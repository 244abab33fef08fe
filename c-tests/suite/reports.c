/*
 * Reports: who did what, where, along which path; the same for both orders of a conflict.
 */

#include "fixture/check.h"
#include "fixture/host.h"
#include "fixture/snapshot.h"

#include <string.h>

static const Options provenance = {.options = RS_OPTION_PROVENANCE};

/* H = {a: [leaf], b: [_, _, _, pair]}; the pair is where main writes. */
typedef struct Scene {
    Host *host;
    rs_ractor reader;
    rs_slot slot;
    rs_value top;
    rs_value written;
} Scene;

static Scene set(const Configuration *configuration, Options options)
{
    Scene scene;
    scene.host = host_open(configuration, options);
    scene.reader = host_ractor(scene.host, "worker");
    scene.written = pair(scene.host, NIL, NIL);
    rs_value array = vector(scene.host, 4);
    put(array, 3, scene.written);
    scene.top = map(scene.host, 2);
    put(scene.top, 0, number('a'));
    put(scene.top, 1, leaf(scene.host));
    put(scene.top, 2, number('b'));
    put(scene.top, 3, array);
    scene.slot = host_assign(scene.host, "H", scene.top);
    return scene;
}

static rs_status write_at(Scene *scene, const char *file, uint32_t line)
{
    host_at(scene->host, file, line);
    return host_check(scene->host, scene->host->main, scene->written);
}

static rs_status read_at(Scene *scene, const char *file, uint32_t line)
{
    host_at(scene->host, file, line);
    return host_access(scene->host, scene->reader, scene->slot, scene->top);
}

static const char *lines_after_message(const rs_report *report)
{
    const char *lines = strchr(report->text, '\n');
    return lines == NULL ? "" : lines;
}

static const char *const pair_of_lines = "\n  over constant H"
                                         "\n  write by main: H[:b][3] (pair 1) at main.rb:3"
                                         "\n  read by ractor 2 (worker): H at worker.rb:8";

static void a_write_and_then_a_read_name_both(const Configuration *configuration)
{
    Scene scene = set(configuration, provenance);
    CHECK_OK(write_at(&scene, "main.rb", 3));
    for (int again = 0; again < 2; again++) {
        CHECK_STATUS(RS_NOT_SHAREABLE, read_at(&scene, "worker.rb", 8));
        rs_report report = last_report(scene.host, scene.reader);
        CHECK_EQUAL(RS_CAUSE_MODIFIED, report.cause);
        CHECK_TEXT("can not access non-shareable objects in constant H by non-main Ractor.",
                   report.message);
        CHECK_TEXT(pair_of_lines, lines_after_message(&report));
        CHECK_TEXT("H[:b][3]", report.path);
        CHECK_TEXT("pair 1", report.object_name);
        CHECK_EQUAL(scene.written, report.object);
        CHECK_EQUAL(scene.reader, report.reader);
        CHECK_EQUAL(scene.host->main, report.writer);
        CHECK_EQUAL(3, report.write_site.line);
        CHECK_EQUAL(8, report.read_site.line);
    }
    host_close(scene.host);
}

static void a_read_and_then_a_write_name_both(const Configuration *configuration)
{
    Scene scene = set(configuration, provenance);
    CHECK_OK(read_at(&scene, "worker.rb", 8));
    for (int again = 0; again < 2; again++) {
        CHECK_STATUS(RS_FROZEN, write_at(&scene, "main.rb", 3));
        rs_report report = last_report(scene.host, scene.host->main);
        CHECK_EQUAL(RS_CAUSE_SHARED, report.cause);
        CHECK_TEXT("can't modify shared pair 1", report.message);
        CHECK_TEXT(pair_of_lines, lines_after_message(&report));
        CHECK_TEXT("H[:b][3]", report.path);
    }
    host_close(scene.host);
}

static void a_reader_that_has_ended_is_named(const Configuration *configuration)
{
    Scene scene = set(configuration, provenance);
    CHECK_OK(read_at(&scene, "worker.rb", 8));
    CHECK_OK(rs_ractor_free(scene.host->vm, scene.reader));
    /* Which takes its place, and not its name. */
    host_ractor(scene.host, "another");
    CHECK_STATUS(RS_FROZEN, write_at(&scene, "main.rb", 3));
    rs_report report = last_report(scene.host, scene.host->main);
    CHECK_TEXT(pair_of_lines, lines_after_message(&report));
    CHECK_EQUAL(scene.reader, report.reader);
    host_close(scene.host);
}

static void the_name_of_a_ractor_is_cut(const Configuration *configuration)
{
    Scene scene = set(configuration, provenance);
    scene.reader = host_ractor(scene.host, "a name of 31 bytes, and no more: this is left out");
    CHECK_OK(read_at(&scene, "worker.rb", 8));
    CHECK_OK(rs_ractor_free(scene.host->vm, scene.reader));
    CHECK_STATUS(RS_FROZEN, write_at(&scene, "main.rb", 3));
    rs_report report = last_report(scene.host, scene.host->main);
    CHECK_TEXT("\n  over constant H"
               "\n  write by main: H[:b][3] (pair 1) at main.rb:3"
               "\n  read by ractor 3 (a name of 31 bytes, and no more): H at worker.rb:8",
               lines_after_message(&report));
    host_close(scene.host);
}

/* In a child that the reader forked, the main of before has ended. */
static void read_in_a_child_of_the_reader(void *data)
{
    Scene *scene = data;
    Host *host = scene->host;
    CHECK_OK(rs_after_fork_child(host->vm));
    host->main = scene->reader;
    host_enter_ractor(RS_NO_RACTOR);
    scene->reader = host_ractor(host, "of the child");
    for (int again = 0; again < 2; again++) {
        CHECK_STATUS(RS_NOT_SHAREABLE, read_at(scene, "child.rb", 9));
        rs_report report = last_report(host, scene->reader);
        CHECK_TEXT("\n  over constant H"
                   "\n  write by main: H[:b][3] (pair 1) at main.rb:3"
                   "\n  read by ractor 3 (of the child): H at child.rb:9",
                   lines_after_message(&report));
    }
    host_close(host);
}

static void a_writer_that_has_ended_is_named(const Configuration *configuration)
{
    Options options = {.options = RS_OPTION_PROVENANCE, .knows_ractors = true};
    Scene scene = set(configuration, options);
    CHECK_OK(write_at(&scene, "main.rb", 3));
    host_enter_ractor(scene.reader);
    CHECK_OK(rs_before_fork(scene.host->vm));
    check_apart(read_in_a_child_of_the_reader, &scene, "in the child");
    CHECK_OK(rs_after_fork_parent(scene.host->vm));
    host_enter_ractor(scene.host->main);
    host_close(scene.host);
}

static void the_top_itself_gives_the_same_lines_too(const Configuration *configuration)
{
    static const char *const lines = "\n  over constant H"
                                     "\n  write by main: H (map 3) at main.rb:3"
                                     "\n  read by ractor 2 (worker): H at worker.rb:8";
    for (int order = 0; order < 2; order++) {
        Scene scene = set(configuration, provenance);
        scene.written = scene.top;
        rs_report report;
        if (order == 0) {
            CHECK_OK(write_at(&scene, "main.rb", 3));
            CHECK_STATUS(RS_NOT_SHAREABLE, read_at(&scene, "worker.rb", 8));
            report = last_report(scene.host, scene.reader);
        } else {
            CHECK_OK(read_at(&scene, "worker.rb", 8));
            CHECK_STATUS(RS_FROZEN, write_at(&scene, "main.rb", 3));
            report = last_report(scene.host, scene.host->main);
        }
        CHECK_TEXT(lines, lines_after_message(&report));
        host_close(scene.host);
    }
}

static void a_write_during_the_read_gives_the_same_lines(const Configuration *configuration)
{
    if (!shows_claims(configuration)) {
        return;
    }
    Scene scene = set(configuration, provenance);
    rs_walk walk = 0;
    rs_value object = NIL;
    host_at(scene.host, "worker.rb", 8);
    CHECK_STATUS(RS_MORE, rs_walk_begin(scene.host->vm, scene.reader, RS_WALK_TO_ACCESS, scene.slot,
                                        scene.top, &walk));
    while (rs_walk_next(scene.host->vm, walk, &object) == RS_MORE) {
        size_t count = children_count(object_of(object));
        for (size_t index = 0; index < count; index++) {
            rs_value one = child(object, index);
            CHECK_OK(rs_walk_feed(scene.host->vm, walk, &one, 1, 0));
        }
        CHECK_OK(rs_walk_feed(scene.host->vm, walk, NULL, 0, 1));
    }
    CHECK_OK(write_at(&scene, "main.rb", 3));
    CHECK_STATUS(RS_NOT_SHAREABLE, rs_walk_commit(scene.host->vm, walk));
    rs_report report = last_report(scene.host, scene.reader);
    CHECK_EQUAL(RS_CAUSE_MODIFIED_MEANWHILE, report.cause);
    CHECK_TEXT(pair_of_lines, lines_after_message(&report));
    host_close(scene.host);
}

static void without_provenance_a_report_has_no_sites(const Configuration *configuration)
{
    Scene scene = set(configuration, (Options){0});
    CHECK_OK(write_at(&scene, "main.rb", 3));
    CHECK_STATUS(RS_NOT_SHAREABLE, read_at(&scene, "worker.rb", 8));
    rs_report report = last_report(scene.host, scene.reader);
    CHECK_EQUAL(RS_CAUSE_NOT_MARKED, report.cause);
    CHECK(report.read_site.file == NULL);
    CHECK(report.write_site.file == NULL);
    CHECK_EQUAL(0, scene.host->calls[IN_SITE]);
    CHECK_EQUAL(0, scene.host->calls[IN_LABEL]);
    CHECK_TEXT("can not access non-shareable objects in constant H by non-main Ractor.",
               report.message);
    host_close(scene.host);
}

static void the_program_froze_it(const Configuration *configuration)
{
    Scene scene = set(configuration, provenance);
    CHECK_OK(rs_freeze(scene.host->vm, scene.host->main, scene.written));
    CHECK_STATUS(RS_FROZEN, write_at(&scene, "main.rb", 3));
    rs_report report = last_report(scene.host, scene.host->main);
    CHECK_EQUAL(RS_CAUSE_FROZEN_BY_PROGRAM, report.cause);
    CHECK_TEXT("can't modify frozen pair 1", report.message);
    CHECK_EQUAL(RS_NO_SLOT, report.slot);
    host_close(scene.host);
}

static void each_blocker_has_its_cause(const Configuration *configuration)
{
    static const struct {
        rs_value (*make)(Host *);
        uint32_t cause;
        const char *line;
    } blockers[] = {
        {file, RS_CAUSE_UNSHAREABLE, "\n  H.first (file 1) can never be shared"},
        {copied, RS_CAUSE_BY_COPY, "\n  H.first (copied 1) can only be shared as a copy"},
    };
    for (size_t index = 0; index < 2; index++) {
        Host *host = host_open(configuration, provenance);
        rs_ractor reader = host_ractor(host, NULL);
        rs_value blocker = blockers[index].make(host);
        rs_value top = pair(host, blocker, NIL);
        rs_slot slot = host_assign(host, "H", top);
        CHECK_STATUS(RS_NOT_SHAREABLE, host_access(host, reader, slot, top));
        rs_report report = last_report(host, reader);
        CHECK_EQUAL(blockers[index].cause, report.cause);
        CHECK_EQUAL(blocker, report.object);
        CHECK(strstr(report.text, blockers[index].line) != NULL);
        host_close(host);
    }
}

static void what_must_be_prepared_says_so(const Configuration *configuration)
{
    Host *host = host_open(configuration, provenance);
    rs_ractor reader = host_ractor(host, NULL);
    rs_value top = pair(host, prepared(host, NIL, NIL), NIL);
    rs_slot slot = host_assign(host, "H", top);
    CHECK_STATUS(RS_NOT_SHAREABLE, host_access(host, reader, slot, top));
    rs_report report = last_report(host, reader);
    CHECK_EQUAL(RS_CAUSE_NEEDS_PREPARE, report.cause);
    CHECK_TEXT("can not access non-shareable objects in constant H by non-main Ractor."
               "\n  over constant H"
               "\n  H.first (prepared 1) must be prepared by its owner first: make it shareable "
               "explicitly"
               "\n  read by ractor 2: H",
               report.text);
    CHECK_EQUAL(0, host->calls[IN_PREPARE]);
    host_close(host);
}

static void what_is_held_is_busy_and_not_remembered(const Configuration *configuration)
{
    Host *host = host_open(configuration, provenance);
    rs_ractor reader = host_ractor(host, NULL);
    rs_value busy = held(host, NIL, NIL);
    rs_value top = pair(host, busy, leaf(host));
    rs_slot slot = host_assign(host, "H", top);
    Snapshot *before = snapshot_take(host);
    uint64_t transitions = host->calls[IN_ON_TRANSITION];
    CHECK_STATUS(RS_BUSY, host_access(host, reader, slot, top));
    CHECK_EQUAL(RS_CAUSE_HELD, last_report(host, reader).cause);
    CHECK_UNCHANGED(host, before);
    CHECK_EQUAL(transitions, host->calls[IN_ON_TRANSITION]);
    object_of(busy)->ready = 0;
    CHECK_OK(host_access(host, reader, slot, top));
    snapshot_free(before);
    host_close(host);
}

static void the_path_goes_through_the_middle_of_wide_objects(const Configuration *configuration)
{
    Host *host = host_open(configuration, provenance);
    rs_ractor reader = host_ractor(host, NULL);
    rs_value top = vector_of_leaves(host, 5000);
    rs_value inner = inline_vector(host, 3000);
    put(inner, 2999, file(host));
    put(top, 4321, inner);
    rs_slot slot = host_assign(host, "H", top);
    CHECK_STATUS(RS_NOT_SHAREABLE, host_access(host, reader, slot, top));
    CHECK_TEXT("H[4321][2999]", last_report(host, reader).path);
    host_close(host);
}

static void a_long_path_is_cut_at_its_start(const Configuration *configuration)
{
    Host *host = host_open(configuration, provenance);
    rs_ractor reader = host_ractor(host, NULL);
    rs_value top = list(host, 1000, pair(host, file(host), NIL));
    rs_slot slot = host_assign(host, "H", top);
    CHECK_STATUS(RS_NOT_SHAREABLE, host_access(host, reader, slot, top));
    rs_report report = last_report(host, reader);
    size_t length = strlen(report.path);
    CHECK(strncmp(report.path, "H\xe2\x80\xa6", 4) == 0);
    CHECK(length > 200);
    CHECK_TEXT(".rest.first", report.path + length - 11);
    host_close(host);
}

static void an_old_write_is_not_blamed_after_a_new_assignment(const Configuration *configuration)
{
    Host *host = host_open(configuration, provenance);
    rs_ractor reader = host_ractor(host, NULL);
    rs_value inner = pair(host, NIL, NIL);
    rs_value top = pair(host, inner, file(host));
    rs_slot inner_slot = host_assign(host, "INNER", inner);
    host_at(host, "main.rb", 3);
    CHECK_OK(host_check(host, host->main, inner));
    CHECK_OK(rs_autoshare_mark(host->vm, inner_slot, inner));
    put(inner, 0, file(host));
    CHECK_STATUS(RS_NOT_SHAREABLE, host_access(host, reader, inner_slot, inner));
    CHECK_EQUAL(RS_CAUSE_UNSHAREABLE, last_report(host, reader).cause);
    put(top, 1, NIL);
    rs_slot slot = host_assign(host, "TOP", top);
    CHECK_STATUS(RS_NOT_SHAREABLE, host_access(host, reader, slot, top));
    rs_report report = last_report(host, reader);
    CHECK_EQUAL(RS_NO_RACTOR, report.writer);
    CHECK(report.cause != RS_CAUSE_MODIFIED);
    host_close(host);
}

static void a_report_is_cut_to_the_callers_size(const Configuration *configuration)
{
    Scene scene = set(configuration, provenance);
    CHECK_OK(write_at(&scene, "main.rb", 3));
    CHECK_STATUS(RS_NOT_SHAREABLE, read_at(&scene, "worker.rb", 8));
    rs_report report;
    memset(&report, 0x77, sizeof report);
    report.size = offsetof(rs_report, object);
    CHECK_OK(rs_last_report(scene.host->vm, scene.reader, &report));
    CHECK_EQUAL(offsetof(rs_report, object), report.size);
    CHECK_EQUAL(RS_NOT_SHAREABLE, report.status);
    CHECK_EQUAL(scene.slot, report.slot);
    CHECK_EQUAL(UINT64_C(0x7777777777777777), report.object);
    struct {
        rs_report report;
        char more[64];
    } newer;
    memset(&newer, 0x77, sizeof newer);
    newer.report.size = sizeof newer;
    CHECK_OK(rs_last_report(scene.host->vm, scene.reader, &newer.report));
    CHECK_EQUAL(sizeof newer, newer.report.size);
    CHECK_EQUAL(0x77, newer.more[0]);
    report.size = 0;
    CHECK_STATUS(RS_ERR_ARGUMENT, rs_last_report(scene.host->vm, scene.reader, &report));
    report.size = 4;
    CHECK_STATUS(RS_ERR_ARGUMENT, rs_last_report(scene.host->vm, scene.reader, &report));
    host_close(scene.host);
}

static void statistics_are_cut_to_the_callers_size(const Configuration *configuration)
{
    Scene scene = set(configuration, (Options){0});
    rs_statistics found;
    memset(&found, 0x77, sizeof found);
    found.size = offsetof(rs_statistics, walks);
    CHECK_OK(rs_vm_statistics(scene.host->vm, &found));
    CHECK_EQUAL(offsetof(rs_statistics, walks), found.size);
    CHECK_EQUAL(5 - 1, found.objects_marked);
    CHECK_EQUAL(UINT64_C(0x7777777777777777), found.walks);
    found.size = 0;
    CHECK_STATUS(RS_ERR_ARGUMENT, rs_vm_statistics(scene.host->vm, &found));
    host_close(scene.host);
}

static void there_is_no_report_before_the_first_failure(const Configuration *configuration)
{
    Scene scene = set(configuration, provenance);
    rs_report report = last_report(scene.host, scene.reader);
    CHECK_EQUAL(RS_OK, report.status);
    CHECK_EQUAL(RS_CAUSE_NONE, report.cause);
    CHECK_TEXT("", report.text);
    host_close(scene.host);
}

static void each_ractor_has_its_own_last_report(const Configuration *configuration)
{
    Scene scene = set(configuration, provenance);
    rs_ractor second = host_ractor(scene.host, "second");
    CHECK_OK(write_at(&scene, "main.rb", 3));
    CHECK_STATUS(RS_NOT_SHAREABLE, read_at(&scene, "worker.rb", 8));
    host_at(scene.host, "second.rb", 9);
    CHECK_STATUS(RS_NOT_SHAREABLE, host_access(scene.host, second, scene.slot, scene.top));
    CHECK_EQUAL(8, last_report(scene.host, scene.reader).read_site.line);
    CHECK_EQUAL(9, last_report(scene.host, second).read_site.line);
    CHECK(strstr(last_report(scene.host, second).text,
                 "\n  write by main: H[:b][3] (pair 1) at main.rb:3"
                 "\n  read by ractor 3 (second): H at second.rb:9") != NULL);
    host_close(scene.host);
}

static const Test tests[] = {
    TEST(a_write_and_then_a_read_name_both),
    TEST(a_read_and_then_a_write_name_both),
    TEST(a_reader_that_has_ended_is_named),
    TEST(the_name_of_a_ractor_is_cut),
    TEST(a_writer_that_has_ended_is_named),
    TEST(the_top_itself_gives_the_same_lines_too),
    TEST(a_write_during_the_read_gives_the_same_lines),
    TEST(without_provenance_a_report_has_no_sites),
    TEST(the_program_froze_it),
    TEST(each_blocker_has_its_cause),
    TEST(what_must_be_prepared_says_so),
    TEST(what_is_held_is_busy_and_not_remembered),
    TEST(the_path_goes_through_the_middle_of_wide_objects),
    TEST(a_long_path_is_cut_at_its_start),
    TEST(an_old_write_is_not_blamed_after_a_new_assignment),
    TEST(a_report_is_cut_to_the_callers_size),
    TEST(statistics_are_cut_to_the_callers_size),
    TEST(there_is_no_report_before_the_first_failure),
    TEST(each_ractor_has_its_own_last_report),
};

int main(int count, char **arguments)
{
    RUN_TESTS(tests);
}
