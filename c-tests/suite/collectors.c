/*
 * Collections in the middle of walks of every kind: what the walk holds stays alive, and follows
 * what moves.
 */

#include "fixture/check.h"
#include "fixture/collector.h"
#include "fixture/snapshot.h"

#include <pthread.h>
#include <unistd.h>

static const bool moves_or_not[] = {false, true};

static rs_value wide_graph(Host *host, rs_value last)
{
    rs_value top = vector(host, 4000);
    for (size_t index = 0; index + 1 < 4000; index++) {
        put(top, index, index % 3 == 0 ? pair(host, leaf(host), top) : leaf(host));
    }
    put(top, 3999, last);
    return top;
}

static void all_are(Host *host, uint32_t expected)
{
    size_t others = 0;
    for (size_t index = 0; index < host->objects_count; index++) {
        others += state(host, value_of(host, host->objects[index])) != expected;
    }
    CHECK_EQUAL(0, others);
}

static void a_mark_survives_collections(const Configuration *configuration)
{
    for (int turn = 0; turn < 2; turn++) {
        Host *host = host_open(configuration, (Options){0});
        host_ractor(host, NULL);
        Collector collector = {.host = host, .moves = moves_or_not[turn]};
        rs_value top = list(host, 3000, wide_graph(host, NIL));
        collector_root(&collector, &top);
        rs_slot slot = host_constant(host, "TOP");
        collect_at_safepoints(&collector, 20);
        CHECK_OK(rs_autoshare_mark(host->vm, slot, top));
        CHECK(collector.collections >= 3);
        all_are(host, RS_STATE_AUTOSHARE);
        CHECK_EQUAL(RS_STATE_AUTOSHARE, slot_state(host, slot));
        host_close(host);
    }
}

static void marks_at_the_first_ractor_survive_collections(const Configuration *configuration)
{
    static const uint32_t policies[] = {RS_MARK_ON_FIRST_RACTOR, RS_MARK_ON_ASSIGN};
    for (int turn = 0; turn < 4; turn++) {
        Options options = {.mark_policy = policies[turn / 2]};
        Host *host = host_open(configuration, options);
        Collector collector = {.host = host, .moves = moves_or_not[turn % 2]};
        rs_value top = list(host, 3000, wide_graph(host, NIL));
        collector_root(&collector, &top);
        collect_at_safepoints(&collector, 20);
        rs_slot slot = host_assign(host, "TOP", top);
        collect(&collector);
        rs_ractor reader = host_ractor(host, NULL);
        CHECK(collector.collections >= 4);
        all_are(host, RS_STATE_AUTOSHARE);
        CHECK_OK(host_access(host, reader, slot, top));
        all_are(host, RS_STATE_SHAREABLE);
        host_close(host);
    }
}

static void an_access_survives_collections(const Configuration *configuration)
{
    if (configuration->walk_mode == RS_WALK_WORLD_STOPPED) {
        return;
    }
    for (int turn = 0; turn < 2; turn++) {
        Host *host = host_open(configuration, (Options){0});
        rs_ractor reader = host_ractor(host, NULL);
        Collector collector = {.host = host, .moves = moves_or_not[turn]};
        rs_value top = list(host, 3000, wide_graph(host, NIL));
        collector_root(&collector, &top);
        rs_slot slot = host_assign(host, "TOP", top);
        collect_at_safepoints(&collector, 40);
        CHECK_OK(host_access(host, reader, slot, top));
        CHECK(collector.collections >= 8);
        all_are(host, RS_STATE_SHAREABLE);
        CHECK_EQUAL(RS_STATE_SHAREABLE, slot_state(host, slot));
        CHECK_OK(host_access(host, reader, slot, top));
        host_close(host);
    }
}

static void a_failing_access_survives_collections(const Configuration *configuration)
{
    for (int turn = 0; turn < 2; turn++) {
        Options options = {.options = RS_OPTION_PROVENANCE};
        Host *host = host_open(configuration, options);
        rs_ractor reader = host_ractor(host, NULL);
        Collector collector = {.host = host, .moves = moves_or_not[turn]};
        rs_value blocker = leaf(host);
        rs_value bottom = wide_graph(host, blocker);
        rs_value top = list(host, 100, bottom);
        collector_root(&collector, &top);
        collector_root(&collector, &blocker);
        collector_root(&collector, &bottom);
        rs_slot slot = host_assign(host, "TOP", top);
        CHECK_OK(host_check(host, host->main, blocker));
        collect_at_safepoints(&collector, 40);
        CHECK_STATUS(RS_NOT_SHAREABLE, host_access(host, reader, slot, top));
        CHECK_EQUAL(RS_STATE_ORDINARY, state(host, top));
        CHECK_EQUAL(RS_STATE_ORDINARY, state(host, bottom));
        CHECK_EQUAL(RS_STATE_AUTOSHARE, state(host, child(bottom, 0)));
        CHECK_EQUAL(RS_STATE_AUTOSHARE, state(host, child(bottom, 3998)));
        collector.budget = 0;
        uint64_t walks = statistics(host).walks;
        CHECK_STATUS(RS_NOT_SHAREABLE, host_access(host, reader, slot, top));
        CHECK_EQUAL(walks, statistics(host).walks);
        host_close(host);
    }
}

static void an_explicit_share_survives_collections(const Configuration *configuration)
{
    for (int turn = 0; turn < 2; turn++) {
        Host *host = host_open(configuration, (Options){0});
        Collector collector = {.host = host, .moves = moves_or_not[turn]};
        rs_value top = list(host, 3000, wide_graph(host, prepared(host, NIL, NIL)));
        collector_root(&collector, &top);
        collect_at_safepoints(&collector, 40);
        CHECK_OK(rs_make_shareable(host->vm, host->main, top));
        all_are(host, RS_STATE_SHAREABLE);
        host_close(host);
    }
}

static void collect_in_prepare(Host *host, rs_value object)
{
    Collector *collector = host->data;
    __atomic_store_n(&object_of(object)->ready, 1, __ATOMIC_RELAXED);
    collect(collector);
}

static rs_status prepare_and_collect(void *ctx, rs_value object)
{
    collect_in_prepare(ctx, object);
    return RS_OK;
}

static void prepare_may_collect_and_move(const Configuration *configuration)
{
    for (int turn = 0; turn < 2; turn++) {
        Host *host = host_describe(configuration, (Options){0});
        host->contract.prepare = prepare_and_collect;
        CHECK_OK(rs_vm_new(&host->contract, &host->vm, &host->main));
        Collector collector = {.host = host, .moves = moves_or_not[turn]};
        host->data = &collector;
        rs_value top = vector(host, 20);
        for (size_t index = 0; index < 20; index++) {
            put(top, index, prepared(host, leaf(host), NIL));
        }
        /* The library alone keeps the graph alive: its caller holds it in a register only. */
        rs_value alone = top;
        CHECK_OK(rs_make_shareable(host->vm, host->main, alone));
        CHECK_EQUAL(20, collector.collections);
        all_are(host, RS_STATE_SHAREABLE);
        CHECK_EQUAL(41, host->objects_count);
        host_close(host);
    }
}

static void a_pull_walk_survives_collections(const Configuration *configuration)
{
    static const uint32_t purposes[] = {RS_WALK_TO_MARK, RS_WALK_TO_ACCESS, RS_WALK_TO_SHARE};
    for (int turn = 0; turn < 12; turn++) {
        uint32_t purpose = purposes[turn / 4];
        bool aborts = turn % 2 == 0;
        Host *host = host_open(configuration, (Options){0});
        rs_ractor reader = host_ractor(host, NULL);
        Collector collector = {.host = host, .moves = moves_or_not[turn / 2 % 2]};
        rs_value top = list(host, 10, vector_of_leaves(host, 5));
        collector_root(&collector, &top);
        rs_slot slot = host_constant(host, "TOP");
        uint32_t before = RS_STATE_ORDINARY;
        if (purpose == RS_WALK_TO_ACCESS) {
            CHECK_OK(rs_autoshare_mark(host->vm, slot, top));
            before = RS_STATE_AUTOSHARE;
        }
        rs_walk walk = 0;
        rs_value object = NIL;
        CHECK_STATUS(RS_MORE,
                     rs_walk_begin(host->vm, purpose == RS_WALK_TO_ACCESS ? reader : host->main,
                                   purpose, slot, top, &walk));
        collector_root(&collector, &object);
        while (rs_walk_next(host->vm, walk, &object) == RS_MORE) {
            size_t count = children_count(object_of(object));
            for (size_t index = 0; index < count; index++) {
                collect(&collector);
                rs_value one = child(object, index);
                CHECK_OK(rs_walk_feed(host->vm, walk, &one, 1, 0));
            }
            CHECK_OK(rs_walk_feed(host->vm, walk, NULL, 0, 1));
            collect(&collector);
            object = NIL;
        }
        CHECK_OK(aborts ? rs_walk_abort(host->vm, walk) : rs_walk_commit(host->vm, walk));
        uint32_t after = purpose == RS_WALK_TO_MARK ? RS_STATE_AUTOSHARE : RS_STATE_SHAREABLE;
        all_are(host, aborts ? before : after);
        host_close(host);
    }
}

static void count_root(void *data, rs_value value)
{
    (void)value;
    ++*(size_t *)data;
}

static size_t library_roots(Host *host)
{
    size_t count = 0;
    CHECK_OK(rs_gc_visit_roots(host->vm, count_root, &count));
    return count;
}

static void outside_of_walks_the_library_keeps_nothing_alive(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_ractor reader = host_ractor(host, NULL);
    rs_value top = pair(host, leaf(host), NIL);
    rs_slot slot = host_assign(host, "TOP", top);
    CHECK_EQUAL(0, library_roots(host));
    CHECK_OK(host_access(host, reader, slot, top));
    CHECK_EQUAL(0, library_roots(host));
    rs_value failing = pair(host, file(host), leaf(host));
    CHECK_OK(rs_autoshare_mark(host->vm, slot, failing));
    CHECK_STATUS(RS_NOT_SHAREABLE, host_access(host, reader, slot, failing));
    CHECK_EQUAL(0, library_roots(host));
    CHECK_STATUS(RS_NOT_SHAREABLE, rs_make_shareable(host->vm, host->main, failing));
    CHECK_EQUAL(0, library_roots(host));
    CHECK_OK(rs_make_shareable(host->vm, host->main, prepared(host, NIL, NIL)));
    CHECK_EQUAL(0, library_roots(host));
    host_close(host);
}

static void a_mark_that_ran_out_of_memory_keeps_nothing_alive(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    host_ractor(host, NULL);
    rs_slot slot = host_constant(host, "TOP");
    rs_value top = vector_of_leaves(host, 20000);
    allocator_fail_at(&host->allocator, 2);
    CHECK_STATUS(RS_ERR_MEMORY, rs_autoshare_mark(host->vm, slot, top));
    allocator_fail_at(&host->allocator, 0);
    CHECK_EQUAL(0, library_roots(host));
    host_close(host);
}

static void a_freed_address_is_a_new_object(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){.options = RS_OPTION_PROVENANCE});
    rs_ractor reader = host_ractor(host, NULL);
    rs_value top = pair(host, NIL, NIL);
    rs_slot slot = host_assign(host, "TOP", top);
    host_at(host, "write.rb", 1);
    CHECK_OK(host_write(host, host->main, top, 0, NIL));
    CHECK_OK(rs_autoshare_mark(host->vm, slot, top));
    CHECK_OK(host_access(host, reader, slot, top));
    Collector collector = {.host = host};
    collect(&collector);
    CHECK_EQUAL(1, collector.freed);
    CHECK_EQUAL(RS_STATE_NONE, slot_state(host, slot));
    /* The host puts a new object there. */
    Object *object = object_of(top);
    *object = (Object){.kind = KIND_PAIR, .number = 77, .flags = host->own_bits};
    host->objects[host->objects_count++] = object;
    CHECK_EQUAL(RS_STATE_ORDINARY, state(host, top));
    CHECK_EQUAL(0, raw_flags(host, top));
    CHECK_OK(host_write(host, host->main, top, 0, number(1)));
    CHECK_STATUS(RS_NOT_SHAREABLE, rs_ractor_access(host->vm, reader, slot, top));
    CHECK_EQUAL(RS_NO_RACTOR, last_report(host, reader).writer);
    CHECK_OK(rs_autoshare_mark(host->vm, slot, top));
    CHECK_OK(host_access(host, reader, slot, top));
    host_close(host);
}

static void a_moved_value_is_still_the_slots(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_ractor reader = host_ractor(host, NULL);
    rs_value top = pair(host, leaf(host), NIL);
    rs_value old = top;
    rs_slot slot = host_assign(host, "TOP", top);
    Collector collector = {.host = host, .moves = true};
    collector_root(&collector, &top);
    collect(&collector);
    CHECK(top != old);
    CHECK_EQUAL(RS_STATE_AUTOSHARE, slot_state(host, slot));
    CHECK_EQUAL(RS_STATE_AUTOSHARE, state(host, top));
    CHECK_OK(host_access(host, reader, slot, top));
    collect(&collector);
    CHECK_EQUAL(RS_STATE_SHAREABLE, state(host, top));
    CHECK_EQUAL(RS_STATE_SHAREABLE, slot_state(host, slot));
    CHECK_STATUS(RS_FROZEN, host_check(host, host->main, top));
    host_close(host);
}

typedef struct Interruption {
    Host *host;
    rs_ractor reader;
    rs_slot slot;
    rs_value top;
    uint32_t done;
} Interruption;

static void *read_in_a_thread(void *data)
{
    Interruption *interruption = data;
    CHECK_OK(host_access(interruption->host, interruption->reader, interruption->slot,
                         interruption->top));
    __atomic_store_n(&interruption->done, 1, __ATOMIC_RELEASE);
    return NULL;
}

static void a_collector_may_interrupt_a_walk(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){.heap_size = (size_t)1 << 30});
    Interruption interruption = {.host = host, .reader = host_ractor(host, NULL)};
    interruption.top = list(host, scaled(configuration->thorough ? 1000000 : 100000), NIL);
    interruption.slot = host_assign(host, "TOP", interruption.top);
    pthread_t thread;
    pthread_create(&thread, NULL, read_in_a_thread, &interruption);
    /* Each pause is longer than the last, until a whole walk fits, however busy the machine is. */
    useconds_t pause = 1000;
    while (!__atomic_load_n(&interruption.done, __ATOMIC_ACQUIRE)) {
        CHECK_OK(rs_gc_begin(host->vm));
        CHECK_OK(rs_gc_begin(host->vm));
        CHECK_EQUAL(0, raw_flags(host, interruption.top) & RAW_PENDING);
        CHECK_OK(rs_gc_end(host->vm));
        CHECK_OK(rs_gc_end(host->vm));
        usleep(pause);
        pause += pause / 4;
    }
    pthread_join(thread, NULL);
    CHECK_EQUAL(RS_STATE_SHAREABLE, state(host, interruption.top));
    CHECK_STATUS(RS_ERR_ARGUMENT, rs_gc_end(host->vm));
    host_close(host);
}

static const Test tests[] = {
    TEST(a_mark_survives_collections),
    TEST(marks_at_the_first_ractor_survive_collections),
    TEST(an_access_survives_collections),
    TEST(a_failing_access_survives_collections),
    TEST(an_explicit_share_survives_collections),
    TEST(prepare_may_collect_and_move),
    TEST(a_pull_walk_survives_collections),
    TEST(outside_of_walks_the_library_keeps_nothing_alive),
    TEST(a_mark_that_ran_out_of_memory_keeps_nothing_alive),
    TEST(a_freed_address_is_a_new_object),
    TEST(a_moved_value_is_still_the_slots),
    TEST(a_collector_may_interrupt_a_walk),
};

int main(int count, char **arguments)
{
    RUN_TESTS(tests);
}
