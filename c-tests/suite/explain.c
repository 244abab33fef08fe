/*
 * Dry runs: why is this not shareable, and what does it look like? They change nothing.
 */

#include "fixture/check.h"
#include "fixture/host.h"
#include "fixture/snapshot.h"

#include <string.h>

static rs_status explain(Host *host, rs_slot slot, rs_value value, rs_report *report)
{
    *report = RS_REPORT_INIT;
    return rs_explain(host->vm, host->main, slot, value, report);
}

static void what_would_be_shared_is_fine(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_value top = list(host, 10, leaf(host));
    rs_slot slot = host_assign(host, "TOP", top);
    rs_report report;
    CHECK_OK(explain(host, slot, top, &report));
    CHECK_EQUAL(RS_OK, report.status);
    host_ractor(host, NULL);
    Snapshot *before = snapshot_take(host);
    CHECK_OK(explain(host, slot, top, &report));
    CHECK_OK(explain(host, RS_NO_SLOT, top, &report));
    CHECK_OK(explain(host, RS_NO_SLOT, number(4), &report));
    CHECK_UNCHANGED(host, before);
    CHECK_EQUAL(0, statistics(host).walks);
    snapshot_free(before);
    host_close(host);
}

static void a_blocker_is_named_with_its_path(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    host_ractor(host, NULL);
    rs_value blocker = file(host);
    rs_value top = vector(host, 3);
    put(top, 1, pair(host, NIL, blocker));
    rs_slot slot = host_assign(host, "TOP", top);
    Snapshot *before = snapshot_take(host);
    rs_report report;
    CHECK_STATUS(RS_NOT_SHAREABLE, explain(host, slot, top, &report));
    CHECK_EQUAL(RS_CAUSE_UNSHAREABLE, report.cause);
    CHECK_EQUAL(blocker, report.object);
    CHECK_TEXT("TOP[1].rest", report.path);
    CHECK_TEXT("file 1", report.object_name);
    CHECK_STATUS(RS_NOT_SHAREABLE, explain(host, RS_NO_SLOT, top, &report));
    CHECK_TEXT("[1].rest", report.path);
    CHECK_TEXT("file 1 can never be shared", report.message);
    CHECK_UNCHANGED(host, before);
    snapshot_free(before);
    host_close(host);
}

static void it_names_the_same_path_as_the_access(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){.options = RS_OPTION_PROVENANCE});
    rs_ractor reader = host_ractor(host, NULL);
    rs_value blocker = file(host);
    rs_value middle = pair(host, blocker, blocker);
    rs_value top = vector(host, 4);
    for (size_t index = 0; index < 4; index++) {
        put(top, index, index % 2 == 0 ? middle : pair(host, middle, top));
    }
    rs_slot slot = host_assign(host, "TOP", top);
    rs_report explained;
    CHECK_STATUS(RS_NOT_SHAREABLE, explain(host, slot, top, &explained));
    CHECK_STATUS(RS_NOT_SHAREABLE, host_access(host, reader, slot, top));
    CHECK_TEXT(last_report(host, reader).path, explained.path);
    host_close(host);
}

static void an_explanation_leaves_the_last_report_alone(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_value frozen = leaf(host);
    CHECK_OK(rs_freeze(host->vm, host->main, frozen));
    CHECK_STATUS(RS_FROZEN, rs_check_frozen(host->vm, host->main, frozen));
    rs_report report;
    CHECK_OK(explain(host, RS_NO_SLOT, leaf(host), &report));
    CHECK_EQUAL(RS_FROZEN, last_report(host, host->main).status);
    host_close(host);
}

typedef struct Drawing {
    char text[8192];
    size_t length;
    size_t stop_after;
    size_t calls;
} Drawing;

static int32_t write_to(void *data, const char *text, size_t size)
{
    Drawing *drawing = data;
    drawing->calls++;
    if (drawing->length + size < sizeof drawing->text) {
        memcpy(drawing->text + drawing->length, text, size);
        drawing->length += size;
        drawing->text[drawing->length] = 0;
    }
    return drawing->stop_after != 0 && drawing->calls >= drawing->stop_after;
}

static rs_value draw_scene(Host *host)
{
    rs_value shared = leaf(host);
    rs_value written = pair(host, NIL, NIL);
    rs_value top = map(host, 2);
    put(top, 0, number('a'));
    put(top, 1, pair(host, shared, written));
    put(top, 2, number('b'));
    put(top, 3, vector(host, 2));
    put(child(top, 3), 0, top);
    put(child(top, 3), 1, file(host));
    CHECK_OK(rs_make_shareable(host->vm, host->main, shared));
    host_assign(host, "H", top);
    CHECK_OK(host_check(host, host->main, written));
    return top;
}

static void a_drawing_as_text_shows_states_and_blockers(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    host_ractor(host, NULL);
    rs_value top = draw_scene(host);
    Snapshot *before = snapshot_take(host);
    static Drawing drawing;
    CHECK_OK(rs_draw(host->vm, host->main, top, RS_DRAW_TEXT, write_to, &drawing));
    CHECK_TEXT("A map 3 #1\n"
               "├─ [:a] A pair 4 #2\n"
               "│  ├─ .first C leaf 1 #3\n"
               "│  └─ .rest B pair 2 #4  ← blocks\n"
               "└─ [:b] A vector 5 #5\n"
               "   ├─ [0] ↺ #1\n"
               "   └─ [1] B file 6 #6  ← blocks\n",
               drawing.text);
    CHECK_UNCHANGED(host, before);
    snapshot_free(before);
    host_close(host);
}

static void a_drawing_as_dot_shows_the_same(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    host_ractor(host, NULL);
    rs_value top = draw_scene(host);
    static Drawing drawing;
    CHECK_OK(rs_draw(host->vm, host->main, top, RS_DRAW_DOT, write_to, &drawing));
    CHECK_TEXT("digraph shared {\n"
               "  rankdir=LR;\n"
               "  node [shape=box, style=filled];\n"
               "  n1 [label=\"A map 3\", fillcolor=\"#c9e7c1\"];\n"
               "  n1 -> n2 [label=\"[:a]\"];\n"
               "  n2 [label=\"A pair 4\", fillcolor=\"#c9e7c1\"];\n"
               "  n2 -> n3 [label=\".first\"];\n"
               "  n3 [label=\"C leaf 1\", fillcolor=\"#b7d7f2\"];\n"
               "  n2 -> n4 [label=\".rest\"];\n"
               "  n4 [label=\"B pair 2\", fillcolor=\"#f2c4b7\", color=red, penwidth=3];\n"
               "  n1 -> n5 [label=\"[:b]\"];\n"
               "  n5 [label=\"A vector 5\", fillcolor=\"#c9e7c1\"];\n"
               "  n5 -> n1 [label=\"[0]\"];\n"
               "  n5 -> n6 [label=\"[1]\"];\n"
               "  n6 [label=\"B file 6\", fillcolor=\"#f2c4b7\", color=red, penwidth=3];\n"
               "}\n",
               drawing.text);
    host_close(host);
}

static void a_drawing_stops_when_the_host_has_enough(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    host_ractor(host, NULL);
    rs_value top = draw_scene(host);
    for (size_t format = 0; format < 2; format++) {
        for (size_t stop_after = 1; stop_after < 20; stop_after++) {
            Drawing drawing = {.stop_after = stop_after};
            CHECK_OK(rs_draw(host->vm, host->main, top, (uint32_t)format, write_to, &drawing));
            CHECK_EQUAL(stop_after, drawing.calls);
        }
    }
    host_close(host);
}

static void wide_and_deep_graphs_are_cut_with_a_word(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    static Drawing wide;
    CHECK_OK(
        rs_draw(host->vm, host->main, vector_of_leaves(host, 100), RS_DRAW_TEXT, write_to, &wide));
    CHECK(strstr(wide.text, "└─ … 36 more\n") != NULL);
    CHECK(strstr(wide.text, "[63] ") != NULL);
    CHECK(strstr(wide.text, "[64] ") == NULL);
    static Drawing deep;
    CHECK_OK(rs_draw(host->vm, host->main, list(host, 100, NIL), RS_DRAW_TEXT, write_to, &deep));
    /* "Wide and deep graphs are cut, with a word on what is left out." */
    CHECK(strstr(deep.text, "…") != NULL);
    host_close(host);
}

static void an_immediate_can_be_drawn(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    Drawing text = {.length = 0};
    CHECK_OK(rs_draw(host->vm, host->main, number(3), RS_DRAW_TEXT, write_to, &text));
    CHECK_TEXT("C immediate\n", text.text);
    CHECK_STATUS(RS_ERR_ARGUMENT, rs_draw(host->vm, host->main, number(3), 2, write_to, &text));
    CHECK_STATUS(RS_ERR_ARGUMENT,
                 rs_draw(host->vm, host->main, number(3), RS_DRAW_DOT, NULL, &text));
    host_close(host);
}

static const Test tests[] = {
    TEST(what_would_be_shared_is_fine),
    TEST(a_blocker_is_named_with_its_path),
    TEST(it_names_the_same_path_as_the_access),
    TEST(an_explanation_leaves_the_last_report_alone),
    TEST(a_drawing_as_text_shows_states_and_blockers),
    TEST(a_drawing_as_dot_shows_the_same),
    TEST(a_drawing_stops_when_the_host_has_enough),
    TEST(wide_and_deep_graphs_are_cut_with_a_word),
    TEST(an_immediate_can_be_drawn),
};

int main(int count, char **arguments)
{
    RUN_TESTS(tests);
}
