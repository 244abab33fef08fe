/*
 * Calls from inside of every callback: refused by RS_ERR_REENTRANT, or answered if the callback's
 * text says so; never a hang, and the outer call is not disturbed.
 */

#include "fixture/calls.h"
#include "fixture/check.h"
#include "fixture/host.h"

#include <stdio.h>

typedef struct Intruder {
    Callback callback;
    const Call *call;
    Arguments arguments;
    size_t tries;
    bool inside;
} Intruder;

/* In the middle of a walk, with its locks held (host.h). */
static bool is_inside_of_a_walk(Callback callback)
{
    switch (callback) {
    case IN_CAN_SHARE:
    case IN_CHILDREN:
    case IN_COMMIT:
    case IN_ON_MARK:
    case IN_ON_UNMARK:
    case IN_CONTENT_HASH:
        return true;
    default:
        /* A label is asked for in walks that fail, and in dry runs. */
        return false;
    }
}

static bool stops_the_world(Callback callback)
{
    return callback == IN_SAFEPOINT || callback == IN_STOP_WORLD || callback == IN_RESUME_WORLD;
}

/* Which answers the text allows; nothing may hang. */
static bool is_allowed(Callback callback, const Call *call)
{
    if (call->takes & (INSIDE_CALLBACKS_TOO | ANSWERS_AT_ONCE)) {
        return true;
    }
    if (stops_the_world(callback)) {
        return call->takes & COLLECTORS;
    }
    return !is_inside_of_a_walk(callback);
}

static void intrude(Host *host, rs_value object)
{
    (void)object;
    Intruder *intruder = host->data;
    if (intruder->inside || intruder->call == NULL) {
        return;
    }
    intruder->inside = true;
    intruder->tries++;
    rs_status status = intruder->call->call(host->vm, intruder->arguments);
    if (!is_allowed(intruder->callback, intruder->call)) {
        char text[128];
        snprintf(text, sizeof text, "%s inside of %s", intruder->call->name,
                 callback_names[intruder->callback]);
        check_status(RS_ERR_REENTRANT, status, __FILE__, __LINE__, text);
    }
    intruder->inside = false;
}

static int32_t write_nothing(void *data, const char *text, size_t size)
{
    (void)data;
    (void)text;
    (void)size;
    return 0;
}

/* Does something that calls every callback, but for those of waiting. */
static void use_everything(Host *host, rs_ractor reader)
{
    rs_slot slot = host_constant(host, "TOP");
    rs_value written = pair(host, NIL, NIL);
    rs_value top = pair(host, map(host, 1), written);
    CHECK_OK(rs_autoshare_mark(host->vm, slot, top));
    host_access(host, reader, slot, top);
    host_write(host, host->main, written, 0, NIL);
    rs_value blocked = pair(host, file(host), NIL);
    CHECK_OK(rs_autoshare_mark(host->vm, slot, blocked));
    CHECK_STATUS(RS_NOT_SHAREABLE, host_access(host, reader, slot, blocked));
    CHECK_OK(rs_make_shareable(host->vm, host->main,
                               pair(host, prepared(host, NIL, NIL), list(host, 3000, NIL))));
    rs_report report = RS_REPORT_INIT;
    CHECK_STATUS(RS_NOT_SHAREABLE, rs_explain(host->vm, host->main, slot, blocked, &report));
    CHECK_OK(rs_draw(host->vm, host->main, blocked, RS_DRAW_TEXT, write_nothing, NULL));
}

/* One call from inside of one callback. */
typedef struct Attempt {
    const Configuration *configuration;
    Callback callback;
    Options options;
    const Call *call;
} Attempt;

static void try_inside(void *data)
{
    const Attempt *attempt = data;
    Host *host = host_open(attempt->configuration, attempt->options);
    rs_ractor reader = host_ractor(host, NULL);
    rs_ractor victim = host_ractor(host, NULL);
    bool named = attempt->call->takes & NAMED_RACTOR_ONLY;
    Intruder intruder = {.callback = attempt->callback, .call = attempt->call};
    intruder.arguments.ractor = named ? host->main : victim;
    intruder.arguments.value = pair(host, NIL, NIL);
    intruder.arguments.slot = host_assign(host, "VICTIM", pair(host, NIL, NIL));
    host->data = &intruder;
    host->inside[attempt->callback] = intrude;
    use_everything(host, reader);
    bool stops = attempt->callback == IN_STOP_WORLD || attempt->callback == IN_RESUME_WORLD;
    bool concurrent = attempt->configuration->walk_mode == RS_WALK_CONCURRENT;
    bool can_happen = attempt->callback == IN_SAFEPOINT ? concurrent : !stops || !concurrent;
    CHECK_EQUAL(can_happen, intruder.tries > 0);
    host->inside[attempt->callback] = NULL;
    host_close(host);
}

static void try_every_call_inside(const Configuration *configuration, Callback callback,
                                  Options options)
{
    for (size_t index = 0; index < calls_count; index++) {
        if (calls[index].takes & DANGEROUS) {
            continue;
        }
        Attempt attempt = {configuration, callback, options, &calls[index]};
        check_apart(try_inside, &attempt, calls[index].name);
    }
}

#define INSIDE(name, callback)                                                                     \
    static void inside_##name(const Configuration *configuration)                                  \
    {                                                                                              \
        try_every_call_inside(configuration, callback,                                             \
                              (Options){.options = RS_OPTION_PROVENANCE | RS_OPTION_VERIFY});      \
    }

INSIDE(can_share, IN_CAN_SHARE)
INSIDE(children, IN_CHILDREN)
INSIDE(prepare, IN_PREPARE)
INSIDE(commit, IN_COMMIT)
INSIDE(on_mark, IN_ON_MARK)
INSIDE(on_unmark, IN_ON_UNMARK)
INSIDE(on_transition, IN_ON_TRANSITION)
INSIDE(safepoint, IN_SAFEPOINT)
INSIDE(stop_world, IN_STOP_WORLD)
INSIDE(resume_world, IN_RESUME_WORLD)
INSIDE(site, IN_SITE)
INSIDE(describe, IN_DESCRIBE)
INSIDE(label, IN_LABEL)
INSIDE(content_hash, IN_CONTENT_HASH)

static void inside_warn(const Configuration *configuration)
{
    try_every_call_inside(configuration, IN_WARN,
                          (Options){.enforcement = RS_WARN, .options = RS_OPTION_PROVENANCE});
}

/* Functions of the collector's, during a collection. */

static const Call *during_collection;
static size_t calls_during_collection;

static void call_during_collection(Host *host)
{
    Arguments arguments = {.ractor = host->main, .value = pair(host, NIL, NIL)};
    if (calls_during_collection++ == 0) {
        rs_status status = during_collection->call(host->vm, arguments);
        CHECK(status != RS_ERR_PANIC);
    }
}

static void visit_and_call(void *data, rs_value value)
{
    (void)value;
    call_during_collection(data);
}

static uint32_t survive_and_call(void *data, rs_value value)
{
    (void)value;
    call_during_collection(data);
    return 1;
}

static rs_value stay_and_call(void *data, rs_value value)
{
    call_during_collection(data);
    return value;
}

static void try_during_collection(void *data)
{
    const Attempt *attempt = data;
    during_collection = attempt->call;
    Host *host = host_open(attempt->configuration, attempt->options);
    host_ractor(host, NULL);
    host_assign(host, "TOP", pair(host, leaf(host), NIL));
    rs_walk walk = 0;
    CHECK_STATUS(RS_MORE, rs_walk_begin(host->vm, host->main, RS_WALK_TO_SHARE, RS_NO_SLOT,
                                        list(host, 3, NIL), &walk));
    calls_during_collection = 0;
    CHECK_OK(rs_gc_visit_roots(host->vm, visit_and_call, host));
    CHECK(calls_during_collection > 0);
    calls_during_collection = 0;
    CHECK_OK(rs_gc_sweep(host->vm, survive_and_call, host));
    CHECK(calls_during_collection > 0);
    calls_during_collection = 0;
    CHECK_OK(rs_gc_update(host->vm, stay_and_call, host));
    CHECK_OK(rs_walk_abort(host->vm, walk));
    host_close(host);
}

static void inside_the_collectors_functions_nothing_hangs(const Configuration *configuration)
{
    for (size_t index = 0; index < calls_count; index++) {
        if (calls[index].takes & (DANGEROUS | TAKES_WALK | TAKES_SLOT | TAKES_IMAGE | TAKES_LINK)) {
            continue;
        }
        Attempt attempt = {
            configuration, IN_SAFEPOINT, {.options = RS_OPTION_PROVENANCE}, &calls[index]};
        check_apart(try_during_collection, &attempt, calls[index].name);
    }
}

static const Test tests[] = {
    TEST(inside_can_share),     TEST(inside_children),
    TEST(inside_prepare),       TEST(inside_commit),
    TEST(inside_on_mark),       TEST(inside_on_unmark),
    TEST(inside_on_transition), TEST(inside_safepoint),
    TEST(inside_stop_world),    TEST(inside_resume_world),
    TEST(inside_site),          TEST(inside_describe),
    TEST(inside_label),         TEST(inside_content_hash),
    TEST(inside_warn),          TEST_ONCE(inside_the_collectors_functions_nothing_hangs),
};

int main(int count, char **arguments)
{
    RUN_TESTS(tests);
}
