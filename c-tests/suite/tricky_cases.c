/*
 * The cases that a design of autoshare gets wrong first, one test for each.
 */

#include "fixture/check.h"
#include "fixture/collector.h"
#include "fixture/host.h"
#include "fixture/ractors.h"
#include "fixture/snapshot.h"

#include <pthread.h>

static void
a_child_modified_first_blocks_the_parent_and_not_a_sibling(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_ractor reader = host_ractor(host, NULL);
    rs_value inner = pair(host, NIL, NIL);
    rs_value sibling = pair(host, NIL, NIL);
    rs_value parent = pair(host, inner, sibling);
    rs_slot parent_slot = host_assign(host, "PARENT", parent);
    rs_slot sibling_slot = host_assign(host, "SIBLING", sibling);
    CHECK_OK(host_write(host, host->main, inner, 0, NIL));
    CHECK_STATUS(RS_NOT_SHAREABLE, host_access(host, reader, parent_slot, parent));
    CHECK_OK(host_access(host, reader, sibling_slot, sibling));
    host_close(host);
}

static void a_child_may_be_c_under_a_parent_that_is_still_a(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_ractor reader = host_ractor(host, NULL);
    rs_value inner = pair(host, NIL, NIL);
    rs_value parent = pair(host, inner, NIL);
    rs_slot inner_slot = host_assign(host, "INNER", inner);
    rs_slot parent_slot = host_assign(host, "PARENT", parent);
    CHECK_OK(host_access(host, reader, inner_slot, inner));
    CHECK_EQUAL(RS_STATE_SHAREABLE, state(host, inner));
    CHECK_EQUAL(RS_STATE_AUTOSHARE, state(host, parent));
    CHECK_OK(host_write(host, host->main, parent, 1, inner));
    CHECK_OK(rs_autoshare_mark(host->vm, parent_slot, parent));
    CHECK_EQUAL(RS_STATE_SHAREABLE, state(host, inner));
    CHECK_OK(host_access(host, reader, parent_slot, parent));
    CHECK_EQUAL(2, statistics(host).objects_shared);
    host_close(host);
}

static void one_b_child_under_two_slots_blocks_both(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_ractor reader = host_ractor(host, NULL);
    rs_value inner = pair(host, NIL, NIL);
    rs_value one = pair(host, inner, NIL);
    rs_value other = vector(host, 1);
    put(other, 0, inner);
    rs_slot one_slot = host_assign(host, "ONE", one);
    rs_slot other_slot = host_assign(host, "OTHER", other);
    CHECK_OK(host_write(host, host->main, inner, 0, NIL));
    CHECK_STATUS(RS_NOT_SHAREABLE, host_access(host, reader, one_slot, one));
    CHECK_STATUS(RS_NOT_SHAREABLE, host_access(host, reader, other_slot, other));
    host_close(host);
}

static void a_b_object_that_is_assigned_again_is_marked_anew(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_ractor reader = host_ractor(host, NULL);
    rs_value top = pair(host, leaf(host), NIL);
    rs_slot slot = host_assign(host, "TOP", top);
    for (int round = 0; round < 5; round++) {
        CHECK_OK(host_write(host, host->main, top, 1, leaf(host)));
        CHECK_STATUS(RS_NOT_SHAREABLE, host_access(host, reader, slot, top));
        CHECK_OK(rs_autoshare_mark(host->vm, slot, top));
        CHECK_EQUAL(RS_STATE_AUTOSHARE, state(host, top));
        CHECK_EQUAL(RS_STATE_AUTOSHARE, state(host, child(top, 1)));
    }
    CHECK_OK(host_access(host, reader, slot, top));
    host_close(host);
}

typedef struct Overlap {
    Host *host;
    rs_ractor readers[3];
    rs_slot slots[3];
    rs_value tops[3];
    rs_status answers[3];
} Overlap;

static void make_overlapping(void *data)
{
    Overlap *overlap = data;
    Host *host = overlap->host;
    host->heap_used = 0;
    host->objects_count = 0;
    rs_side_table table;
    bool has_table = rs_vm_side_table(host->vm, &table) == RS_OK;
    rs_value common = list(host, 200, leaf(host));
    overlap->tops[1] = list(host, 100, common);
    overlap->tops[2] = list(host, 150, common);
    put(common, 0, overlap->tops[1]);
    for (size_t index = 0; index < host->objects_count; index++) {
        host->objects[index]->flags = host->own_bits;
        if (has_table) {
            rs_gc_freed(host->vm, value_of(host, host->objects[index]));
        }
    }
    CHECK_OK(rs_autoshare_mark(host->vm, overlap->slots[1], overlap->tops[1]));
    CHECK_OK(rs_autoshare_mark(host->vm, overlap->slots[2], overlap->tops[2]));
}

static void walk_overlapping(void *data, size_t index)
{
    Overlap *overlap = data;
    if (index > 0) {
        overlap->answers[index] = rs_ractor_access(overlap->host->vm, overlap->readers[index],
                                                   overlap->slots[index], overlap->tops[index]);
    }
}

static void both_have_it(void *data)
{
    Overlap *overlap = data;
    CHECK_OK(overlap->answers[1]);
    CHECK_OK(overlap->answers[2]);
    for (size_t index = 0; index < overlap->host->objects_count; index++) {
        CHECK_EQUAL(RS_STATE_SHAREABLE,
                    state(overlap->host, value_of(overlap->host, overlap->host->objects[index])));
    }
}

static void two_ractors_walk_overlapping_graphs(const Configuration *configuration)
{
    Overlap overlap = {.host = host_open(configuration, (Options){0})};
    for (size_t index = 1; index < 3; index++) {
        overlap.readers[index] = host_ractor(overlap.host, NULL);
        overlap.slots[index] = host_constant(overlap.host, "X");
    }
    race(3, rounds(configuration, 200), make_overlapping, walk_overlapping, both_have_it, &overlap);
    host_close(overlap.host);
}

static void a_blocker_visited_last_leaves_every_bit_as_it_was(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_ractor reader = host_ractor(host, NULL);
    /* Elements are taken from the end, so the first one is visited last. */
    rs_value top = vector_of_leaves(host, 5000);
    rs_value blocker = file(host);
    rs_value carrier = pair(host, NIL, blocker);
    put(top, 0, carrier);
    CHECK_OK(rs_freeze(host->vm, host->main, child(top, 17)));
    rs_slot slot = host_assign(host, "TOP", top);
    Snapshot *before = snapshot_take(host);
    CHECK_STATUS(RS_NOT_SHAREABLE, host_access(host, reader, slot, top));
    bool split = configuration->placement == RS_FLAGS_SPLIT;
    /* Only the path has changed: of split flags the side table's half. */
    CHECK_EQUAL(2, snapshot_differences(host, before));
    CHECK_EQUAL(split ? RAW_AUTOSHARE : 0, header_flags(host, carrier) & RAW_AUTOSHARE);
    CHECK_OK(host_write(host, host->main, carrier, 1, NIL));
    CHECK_OK(rs_autoshare_mark(host->vm, slot, top));
    CHECK_UNCHANGED(host, before);
    CHECK_OK(host_access(host, reader, slot, top));
    snapshot_free(before);
    host_close(host);
}

static rs_slot slot_to_change;
static rs_value value_to_assign;
static void *(*mains_change)(void *host);

static void assign_at_a_safepoint(Host *host, rs_value object)
{
    (void)object;
    host->inside[IN_SAFEPOINT] = NULL;
    /* Main, on its own thread, while the reader stands at its safepoint. */
    pthread_t thread;
    pthread_create(&thread, NULL, mains_change, host);
    pthread_join(thread, NULL);
}

static void *assign_another_value(void *data)
{
    Host *host = data;
    CHECK_OK(rs_autoshare_mark(host->vm, slot_to_change, value_to_assign));
    return NULL;
}

static void *remove_the_slot(void *data)
{
    Host *host = data;
    CHECK_OK(rs_slot_free(host->vm, slot_to_change));
    return NULL;
}

static void change_slot_during_walk(const Configuration *configuration, void *(*change)(void *),
                                    bool blocked)
{
    if (configuration->walk_mode == RS_WALK_WORLD_STOPPED) {
        return;
    }
    Host *host = host_open(configuration, (Options){.options = RS_OPTION_PROVENANCE});
    rs_ractor reader = host_ractor(host, NULL);
    rs_value top = list(host, 3000, blocked ? file(host) : NIL);
    value_to_assign = pair(host, NIL, NIL);
    slot_to_change = host_assign(host, "TOP", top);
    mains_change = change;
    host->inside[IN_SAFEPOINT] = assign_at_a_safepoint;
    CHECK_STATUS(blocked ? RS_NOT_SHAREABLE : RS_OK,
                 host_access(host, reader, slot_to_change, top));
    CHECK(host->inside[IN_SAFEPOINT] == NULL);
    if (change == assign_another_value) {
        CHECK_EQUAL(RS_STATE_AUTOSHARE, slot_state(host, slot_to_change));
        CHECK_OK(host_access(host, reader, slot_to_change, value_to_assign));
    }
    host_close(host);
}

static void a_slot_may_be_assigned_during_a_walk(const Configuration *configuration)
{
    change_slot_during_walk(configuration, assign_another_value, false);
    change_slot_during_walk(configuration, assign_another_value, true);
}

static void a_slot_may_be_removed_during_a_walk(const Configuration *configuration)
{
    change_slot_during_walk(configuration, remove_the_slot, false);
    change_slot_during_walk(configuration, remove_the_slot, true);
}

static void *assign_the_same_value(void *data)
{
    Host *host = data;
    CHECK_OK(rs_autoshare_mark(host->vm, slot_to_change, value_to_assign));
    return NULL;
}

static void
the_same_value_assigned_during_a_failing_walk_is_not_blocked(const Configuration *configuration)
{
    if (configuration->walk_mode == RS_WALK_WORLD_STOPPED) {
        return;
    }
    Host *host = host_open(configuration, (Options){0});
    rs_ractor reader = host_ractor(host, NULL);
    rs_value top = list(host, 3000, file(host));
    value_to_assign = top;
    slot_to_change = host_assign(host, "TOP", top);
    mains_change = assign_the_same_value;
    host->inside[IN_SAFEPOINT] = assign_at_a_safepoint;
    CHECK_STATUS(RS_NOT_SHAREABLE, host_access(host, reader, slot_to_change, top));
    CHECK_EQUAL(RS_STATE_AUTOSHARE, slot_state(host, slot_to_change));
    CHECK_EQUAL(0, raw_flags(host, top) & ~RAW_AUTOSHARE);
    host_close(host);
}

static void a_freed_object_whose_address_is_used_again(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_ractor reader = host_ractor(host, NULL);
    rs_value old = pair(host, NIL, NIL);
    rs_value kept = leaf(host);
    rs_slot slot = host_assign(host, "OLD", old);
    Collector collector = {.host = host};
    collector_root(&collector, &kept);
    collect(&collector);
    CHECK_EQUAL(RS_STATE_NONE, slot_state(host, slot));
    *object_of(old) = (Object){.kind = KIND_PAIR, .number = 9, .flags = host->own_bits};
    host->objects[host->objects_count++] = object_of(old);
    CHECK_EQUAL(RS_STATE_ORDINARY, state(host, old));
    CHECK_EQUAL(RS_STATE_NONE, slot_state(host, slot));
    CHECK_STATUS(RS_NOT_SHAREABLE, rs_ractor_access(host->vm, reader, slot, old));
    host_close(host);
}

static void an_inline_cache_hears_of_the_transition_to_c(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_ractor reader = host_ractor(host, NULL);
    rs_value top = pair(host, NIL, NIL);
    rs_slot slot = host_assign(host, "TOP", top);
    CHECK_EQUAL(RS_STATE_AUTOSHARE, host->transition.state);
    CHECK_OK(host_access(host, reader, slot, top));
    CHECK_EQUAL(RS_STATE_SHAREABLE, host->transition.state);
    CHECK_EQUAL(slot, host->transition.slot);
    CHECK_EQUAL(top, host->transition.value);
    host_close(host);
}

static void a_collection_between_mark_and_access(const Configuration *configuration)
{
    for (int moves = 0; moves < 2; moves++) {
        Host *host = host_open(configuration, (Options){0});
        rs_ractor reader = host_ractor(host, NULL);
        rs_value top = list(host, 20, vector_of_leaves(host, 20));
        rs_slot slot = host_assign(host, "TOP", top);
        Collector collector = {.host = host, .moves = moves != 0};
        collector_root(&collector, &top);
        collect(&collector);
        CHECK_OK(host_access(host, reader, slot, top));
        collect(&collector);
        CHECK_EQUAL(RS_STATE_SHAREABLE, state(host, top));
        CHECK_STATUS(RS_FROZEN, host_check(host, host->main, child(top, 1)));
        host_close(host);
    }
}

static void
a_chain_of_constants_that_ends_in_b_costs_its_length_once(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_ractor reader = host_ractor(host, NULL);
    size_t length = scaled(2000);
    rs_value last = pair(host, NIL, NIL);
    rs_value tops[2001];
    rs_slot slots[2001];
    tops[0] = last;
    for (size_t index = 1; index <= length; index++) {
        tops[index] = vector(host, 1);
        put(tops[index], 0, tops[index - 1]);
    }
    for (size_t index = 0; index <= length; index++) {
        slots[index] = host_assign(host, "X", tops[index]);
    }
    CHECK_EQUAL(length + 1, statistics(host).objects_marked);
    CHECK_OK(host_write(host, host->main, last, 0, NIL));
    CHECK_STATUS(RS_NOT_SHAREABLE, host_access(host, reader, slots[length], tops[length]));
    CHECK_EQUAL(length, statistics(host).objects_demoted);
    for (size_t index = 0; index < length; index++) {
        CHECK_STATUS(RS_NOT_SHAREABLE, host_access(host, reader, slots[index], tops[index]));
    }
    CHECK_EQUAL(1, statistics(host).walks);
    host_close(host);
}

static void the_chain_accessed_from_its_end_is_linear_too(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_ractor reader = host_ractor(host, NULL);
    size_t length = scaled(2000);
    rs_value last = pair(host, NIL, NIL);
    rs_value top = last;
    for (size_t index = 0; index < length; index++) {
        rs_value next = vector(host, 1);
        put(next, 0, top);
        top = next;
    }
    host_assign(host, "X", top);
    CHECK_OK(host_write(host, host->main, last, 0, NIL));
    uint64_t visits = 0;
    rs_slot slot = host_constant(host, "Y");
    /* Each link of the chain, the one next to the blocker first. */
    for (size_t index = 1; index <= length; index++) {
        rs_value link = value_of(host, host->objects[index]);
        CHECK_STATUS(RS_NOT_SHAREABLE, host_access(host, reader, slot, link));
        visits += last_report(host, reader).objects;
    }
    CHECK_EQUAL(length, visits);
    CHECK_EQUAL(length, statistics(host).walks);
    host_close(host);
}

static void a_hash_with_a_default_procedure(const Configuration *configuration)
{
    /* The procedure refers to what can't be shared. */
    Host *host = host_open(configuration, (Options){.options = RS_OPTION_PROVENANCE});
    rs_ractor reader = host_ractor(host, NULL);
    rs_value hash = map(host, 2);
    put(hash, 2, number('d'));
    put(hash, 3, copied(host));
    rs_slot slot = host_assign(host, "H", hash);
    CHECK_STATUS(RS_NOT_SHAREABLE, host_access(host, reader, slot, hash));
    rs_report report = last_report(host, reader);
    CHECK_EQUAL(RS_CAUSE_BY_COPY, report.cause);
    CHECK_TEXT("H[:d]", report.path);
    host_close(host);
}

static void a_hash_whose_keys_are_objects(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_ractor reader = host_ractor(host, NULL);
    rs_value hash = map(host, 3);
    for (size_t index = 0; index < 6; index++) {
        put(hash, index, index % 2 == 0 ? pair(host, hash, NIL) : leaf(host));
    }
    rs_slot slot = host_assign(host, "H", hash);
    CHECK_OK(host_access(host, reader, slot, hash));
    CHECK_EQUAL(RS_STATE_SHAREABLE, state(host, child(hash, 4)));
    CHECK_EQUAL(RS_STATE_SHAREABLE, state(host, child(hash, 5)));
    host_close(host);
}

static rs_value mutated_hash;
static bool has_mutated;

static void mutate_between_pieces(Host *host, rs_value object)
{
    if (object == mutated_hash && host->calls[IN_CHILDREN] > 3000 && !has_mutated) {
        has_mutated = true;
        /* A key goes away while others are still to come: what was visited twice or not at all
         * must not matter, since the write comes with no check from inside the walk's own thread.
         */
        object_of(mutated_hash)->length -= 2;
    }
}

static void a_hash_that_shrinks_during_iteration(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_ractor reader = host_ractor(host, NULL);
    mutated_hash = map(host, 4000);
    has_mutated = false;
    host->children_at_a_time = 1;
    for (size_t index = 0; index < 8000; index++) {
        put(mutated_hash, index, leaf(host));
    }
    rs_slot slot = host_assign(host, "H", mutated_hash);
    host->calls[IN_CHILDREN] = 0;
    host->inside[IN_CHILDREN] = mutate_between_pieces;
    CHECK_OK(host_access(host, reader, slot, mutated_hash));
    CHECK(has_mutated);
    CHECK_EQUAL(7999, statistics(host).objects_shared);
    host_close(host);
}

static void a_copy_of_an_a_object_is_not_a(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    host_ractor(host, NULL);
    rs_value top = pair(host, leaf(host), NIL);
    host_assign(host, "TOP", top);
    rs_value copy = pair(host, child(top, 0), child(top, 1));
    CHECK_EQUAL(RS_STATE_ORDINARY, state(host, copy));
    CHECK(!host_must_check(host, copy));
    host_close(host);
}

static const Test tests[] = {
    TEST(a_child_modified_first_blocks_the_parent_and_not_a_sibling),
    TEST(a_child_may_be_c_under_a_parent_that_is_still_a),
    TEST(one_b_child_under_two_slots_blocks_both),
    TEST(a_b_object_that_is_assigned_again_is_marked_anew),
    TEST(two_ractors_walk_overlapping_graphs),
    TEST(a_blocker_visited_last_leaves_every_bit_as_it_was),
    TEST(a_slot_may_be_assigned_during_a_walk),
    TEST(a_slot_may_be_removed_during_a_walk),
    TEST(the_same_value_assigned_during_a_failing_walk_is_not_blocked),
    TEST(a_freed_object_whose_address_is_used_again),
    TEST(an_inline_cache_hears_of_the_transition_to_c),
    TEST(a_collection_between_mark_and_access),
    TEST(a_chain_of_constants_that_ends_in_b_costs_its_length_once),
    TEST(the_chain_accessed_from_its_end_is_linear_too),
    TEST(a_hash_with_a_default_procedure),
    TEST(a_hash_whose_keys_are_objects),
    TEST(a_hash_that_shrinks_during_iteration),
    TEST(a_copy_of_an_a_object_is_not_a),
};

int main(int count, char **arguments)
{
    RUN_TESTS(tests);
}
