/*
 * Main writes, other ractors read: on real threads, with the field accesses of a real host.
 */

#include "fixture/check.h"
#include "fixture/host.h"
#include "fixture/ractors.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Enough that a walk has several pieces. */
#define OBJECTS 600

/* A graph that is made anew in each round, in the same memory. */
typedef struct Scene {
    Host *host;
    size_t ractors;
    rs_ractor ractor[RACTORS];
    rs_slot slot;
    rs_slot second_slot;
    rs_value objects[OBJECTS];
    rs_value top;
    rs_value written;
    unsigned seed;
    rs_status answers[RACTORS];
    /* Rounds that the reader has won, and that main has won. */
    size_t won[2];
    /* Who begins, and how long each of the others lets it. */
    size_t first;
    uint32_t begun;
    unsigned delays[RACTORS];
} Scene;

static unsigned next_random(Scene *scene)
{
    scene->seed = scene->seed * 1103515245u + 12345u;
    return scene->seed >> 8;
}

/* Lets the threads meet at ever different points. */
static void linger(Scene *scene, size_t index)
{
    if (index == scene->first) {
        advance(&scene->begun);
        return;
    }
    wait_for(&scene->begun, 1);
    for (volatile unsigned spins = 0; spins < scene->delays[index]; spins++) {
    }
}

static void yield_to_others(Host *host, rs_value object)
{
    (void)object;
    if (__atomic_load_n(&host->calls[IN_SAFEPOINT], __ATOMIC_RELAXED) % 5 == 0) {
        sched_yield();
    }
}

/* Vectors and pairs in turn, so that some objects have indirect elements. */
static void make_objects(Scene *scene)
{
    for (size_t index = 0; index < OBJECTS; index++) {
        scene->objects[index] =
            index % 2 == 0 ? vector(scene->host, 2) : pair(scene->host, NIL, NIL);
    }
    scene->top = scene->objects[0];
}

static void clear_flags(Scene *scene)
{
    Host *host = scene->host;
    rs_side_table table;
    bool has_table = rs_vm_side_table(host->vm, &table) == RS_OK;
    for (size_t index = 0; index < OBJECTS; index++) {
        Object *object = object_of(scene->objects[index]);
        object->flags = host->own_bits;
        if (has_table) {
            CHECK_OK(rs_gc_freed(host->vm, scene->objects[index]));
        }
    }
}

static void make_graph_anew(void *data)
{
    Scene *scene = data;
    clear_flags(scene);
    for (size_t index = 0; index < OBJECTS; index++) {
        rs_value object = scene->objects[index];
        put(object, 0, index + 1 < OBJECTS ? scene->objects[index + 1] : NIL);
        put(object, 1, scene->objects[next_random(scene) % OBJECTS]);
    }
    scene->written = scene->objects[next_random(scene) % OBJECTS];
    for (size_t index = 0; index < scene->ractors; index++) {
        scene->delays[index] = 1u << next_random(scene) % 21;
    }
    scene->first = next_random(scene) % scene->ractors;
    scene->begun = 0;
    CHECK_OK(rs_autoshare_mark(scene->host->vm, scene->slot, scene->top));
}

static Scene set(const Configuration *configuration, size_t ractors)
{
    Scene scene = {.host = host_open(configuration, (Options){.malloc = true}),
                   .ractors = ractors,
                   .seed = 42};
    scene.ractor[0] = scene.host->main;
    for (size_t index = 1; index < ractors; index++) {
        scene.ractor[index] = host_ractor(scene.host, NULL);
    }
    scene.slot = host_constant(scene.host, "TOP");
    scene.second_slot = host_constant(scene.host, "SECOND");
    make_objects(&scene);
    scene.host->inside[IN_SAFEPOINT] = yield_to_others;
    return scene;
}

static bool runs_concurrently(const Configuration *configuration)
{
    return configuration->walk_mode == RS_WALK_CONCURRENT;
}

/* No walk is under way: every object is in one of the states, with the bits that go with it. */
static void check_settled(Scene *scene)
{
    for (size_t index = 0; index < OBJECTS; index++) {
        unsigned flags = raw_flags(scene->host, scene->objects[index]);
        CHECK(flags == 0 || flags == RAW_AUTOSHARE || flags == (RAW_FROZEN | RAW_SHAREABLE));
    }
}

static size_t count_in_state(Scene *scene, uint32_t wanted)
{
    size_t count = 0;
    for (size_t index = 0; index < OBJECTS; index++) {
        count += state(scene->host, scene->objects[index]) == wanted;
    }
    return count;
}

static void write_or_read(void *data, size_t index)
{
    Scene *scene = data;
    linger(scene, index);
    if (index == 0) {
        scene->answers[0] =
            host_write(scene->host, scene->host->main, scene->written, 1, number(7));
    } else {
        scene->answers[index] =
            host_access(scene->host, scene->ractor[index], scene->slot, scene->top);
    }
}

static void exactly_one_has_failed(void *data)
{
    Scene *scene = data;
    rs_status write = scene->answers[0];
    CHECK(write == RS_OK || write == RS_FROZEN);
    for (size_t index = 1; index < scene->ractors; index++) {
        rs_status read = scene->answers[index];
        CHECK_STATUS(write == RS_OK ? RS_NOT_SHAREABLE : RS_OK, read);
    }
    CHECK_EQUAL(write == RS_OK ? 0 : OBJECTS, count_in_state(scene, RS_STATE_SHAREABLE));
    CHECK_EQUAL(write == RS_OK, child(scene->written, 1) == number(7));
    check_settled(scene);
    scene->won[write == RS_OK]++;
}

static void race_writes_and_reads(const Configuration *configuration, size_t ractors)
{
    if (!runs_concurrently(configuration)) {
        return;
    }
    Scene scene = set(configuration, ractors);
    size_t times = rounds(configuration, 10000);
    race(ractors, times, make_graph_anew, write_or_read, exactly_one_has_failed, &scene);
    printf("[%s] main won %zu, the readers %zu\n", configuration->name, scene.won[1], scene.won[0]);
    host_close(scene.host);
}

static void of_a_write_and_a_read_exactly_one_fails(const Configuration *configuration)
{
    race_writes_and_reads(configuration, 2);
}

static void of_a_write_and_three_reads_either_it_or_they_fail(const Configuration *configuration)
{
    race_writes_and_reads(configuration, 4);
}

static void read_both_ways(void *data, size_t index)
{
    Scene *scene = data;
    linger(scene, index);
    if (index == 0) {
        return;
    }
    bool first = index % 2 == 1;
    rs_value root = first ? scene->top : scene->objects[OBJECTS / 2];
    scene->answers[index] = host_access(scene->host, scene->ractor[index],
                                        first ? scene->slot : scene->second_slot, root);
}

static void assign_both(void *data)
{
    Scene *scene = data;
    make_graph_anew(data);
    CHECK_OK(rs_autoshare_mark(scene->host->vm, scene->second_slot, scene->objects[OBJECTS / 2]));
}

static void everybody_has_read(void *data)
{
    Scene *scene = data;
    for (size_t index = 1; index < scene->ractors; index++) {
        CHECK_OK(scene->answers[index]);
    }
    CHECK_EQUAL(OBJECTS, count_in_state(scene, RS_STATE_SHAREABLE));
    check_settled(scene);
}

static void overlapping_graphs_are_shared_once(const Configuration *configuration)
{
    if (!runs_concurrently(configuration)) {
        return;
    }
    Scene scene = set(configuration, 4);
    size_t times = rounds(configuration, 2000);
    race(4, times, assign_both, read_both_ways, everybody_has_read, &scene);
    CHECK_EQUAL(times * OBJECTS, statistics(scene.host).objects_shared);
    host_close(scene.host);
}

static void assign_or_read(void *data, size_t index)
{
    Scene *scene = data;
    if (index != 0) {
        write_or_read(data, index);
        return;
    }
    Host *host = scene->host;
    linger(scene, index);
    scene->answers[0] = host_write(host, host->main, scene->written, 1, number(7));
    if (scene->answers[0] == RS_OK) {
        CHECK_OK(rs_autoshare_mark(host->vm, scene->second_slot, scene->written));
        CHECK_OK(rs_autoshare_mark(host->vm, scene->slot, scene->top));
    }
}

static void a_value_assigned_last_is_not_blocked(void *data)
{
    Scene *scene = data;
    Host *host = scene->host;
    CHECK(scene->answers[0] == RS_OK || scene->answers[0] == RS_FROZEN);
    check_settled(scene);
    /* What was written was assigned after that, and so was the top: nothing is B. */
    CHECK_EQUAL(0, count_in_state(scene, RS_STATE_ORDINARY));
    CHECK_OK(host_access(host, scene->ractor[1], scene->slot, scene->top));
}

static void marks_and_reads_of_the_same_objects(const Configuration *configuration)
{
    if (!runs_concurrently(configuration)) {
        return;
    }
    Scene scene = set(configuration, 3);
    race(3, rounds(configuration, 4000), make_graph_anew, assign_or_read,
         a_value_assigned_last_is_not_blocked, &scene);
    host_close(scene.host);
}

/* Main moves the elements of a vector, and the old memory is gone at once. */
static void move_elements(Host *host, rs_value object, rs_status *answer)
{
    *answer = rs_before_change(host->vm, host->main, object);
    if (*answer != RS_OK) {
        return;
    }
    Object *vector_object = object_of(object);
    size_t size = 2 * sizeof(rs_value);
    rs_value *old = vector_object->elements;
    rs_value *new = malloc(size);
    memcpy(new, old, size);
    __atomic_store_n(&vector_object->elements, new, __ATOMIC_RELAXED);
    for (size_t index = 0; index < 2; index++) {
        /* Whoever still reads here finds an address that is no object's. */
        __atomic_store_n(&old[index], (rs_value)0x10 | host->tag, __ATOMIC_RELAXED);
    }
    free(old);
    CHECK_OK(rs_after_change(host->vm, host->main, object));
}

static void move_or_read(void *data, size_t index)
{
    Scene *scene = data;
    if (index != 0) {
        write_or_read(data, index);
        return;
    }
    linger(scene, index);
    for (int round = 0; round < 4; round++) {
        rs_status answer = RS_OK;
        move_elements(scene->host, scene->objects[2 * (next_random(scene) % (OBJECTS / 2))],
                      &answer);
        CHECK(answer == RS_OK || answer == RS_FROZEN);
    }
}

static void moving_elements_under_a_walk_is_no_transition(const Configuration *configuration)
{
    if (!runs_concurrently(configuration)) {
        return;
    }
    Scene scene = set(configuration, 3);
    race(3, rounds(configuration, 4000), make_graph_anew, move_or_read, everybody_has_read, &scene);
    host_close(scene.host);
}

static void grow_or_read(void *data, size_t index)
{
    Scene *scene = data;
    if (index != 0) {
        write_or_read(data, index);
        return;
    }
    linger(scene, index);
    /* A push: the elements move, and there is one more; a write like any other. */
    Host *host = scene->host;
    scene->written = scene->objects[2 * (next_random(scene) % (OBJECTS / 2))];
    scene->answers[0] = host_check(host, host->main, scene->written);
    if (scene->answers[0] == RS_OK) {
        Object *object = object_of(scene->written);
        rs_value *old = object->elements;
        rs_value *new = malloc(4 * sizeof(rs_value));
        memcpy(new, old, 2 * sizeof(rs_value));
        new[2] = NIL;
        new[1] = number(7);
        __atomic_store_n(&object->elements, new, __ATOMIC_RELAXED);
        __atomic_store_n(&object->length, 3, __ATOMIC_RELAXED);
        memset(old, 0x11, 2 * sizeof(rs_value));
        free(old);
    }
}

static void shrink_again(void *data)
{
    Scene *scene = data;
    exactly_one_has_failed(data);
    for (size_t index = 0; index < OBJECTS; index += 2) {
        object_of(scene->objects[index])->length = 2;
    }
}

static void a_push_and_a_read_exactly_one_fails(const Configuration *configuration)
{
    if (!runs_concurrently(configuration)) {
        return;
    }
    Scene scene = set(configuration, 2);
    race(2, rounds(configuration, 4000), make_graph_anew, grow_or_read, shrink_again, &scene);
    host_close(scene.host);
}

static void write_all_or_read(void *data, size_t index)
{
    Scene *scene = data;
    if (index != 0) {
        write_or_read(data, index);
        return;
    }
    linger(scene, index);
    scene->answers[0] = RS_OK;
    for (size_t place = OBJECTS; place-- > 0;) {
        rs_status status =
            host_write(scene->host, scene->host->main, scene->objects[place], 1, number(7));
        CHECK(status == RS_OK || status == RS_FROZEN);
        /* Once frozen, always frozen; frozen after a success means that it was unmarked then. */
        if (status == RS_FROZEN) {
            scene->answers[0] = RS_FROZEN;
        } else {
            CHECK(scene->answers[0] == RS_OK);
        }
    }
}

static void all_or_nothing(void *data)
{
    Scene *scene = data;
    size_t shared = count_in_state(scene, RS_STATE_SHAREABLE);
    CHECK(shared == 0 || shared == OBJECTS);
    CHECK_EQUAL(shared != 0, scene->answers[1] == RS_OK);
    check_settled(scene);
}

static void many_writes_and_a_read_are_all_or_nothing(const Configuration *configuration)
{
    if (!runs_concurrently(configuration)) {
        return;
    }
    Scene scene = set(configuration, 2);
    race(2, rounds(configuration, 4000), make_graph_anew, write_all_or_read, all_or_nothing,
         &scene);
    host_close(scene.host);
}

static const Test tests[] = {
    TEST(of_a_write_and_a_read_exactly_one_fails),
    TEST(of_a_write_and_three_reads_either_it_or_they_fail),
    TEST(overlapping_graphs_are_shared_once),
    TEST(marks_and_reads_of_the_same_objects),
    TEST(moving_elements_under_a_walk_is_no_transition),
    TEST(a_push_and_a_read_exactly_one_fails),
    TEST(many_writes_and_a_read_are_all_or_nothing),
};

int main(int count, char **arguments)
{
    RUN_TESTS(tests);
}
