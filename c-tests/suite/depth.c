/*
 * Depth and shape: no recursion, no hash table. Every walk of every kind, on a thread with 64 KiB
 * of stack.
 */

#include "fixture/check.h"
#include "fixture/host.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>

#define STACK 65536

typedef rs_value (*Shape)(Host *host, rs_value last);

static size_t length_wanted;

static rs_value as_list(Host *host, rs_value last)
{
    return list(host, length_wanted, last);
}

static rs_value as_array(Host *host, rs_value last)
{
    rs_value top = vector(host, length_wanted);
    for (size_t index = 1; index < length_wanted; index++) {
        put(top, index, leaf(host));
    }
    put(top, 0, last);
    return top;
}

static rs_value as_inline_array(Host *host, rs_value last)
{
    rs_value top = inline_vector(host, length_wanted);
    for (size_t index = 1; index < length_wanted; index++) {
        put(top, index, leaf(host));
    }
    put(top, 0, last);
    return top;
}

/* 40 levels, each of which refers to the next twice: 2^40 paths. */
static rs_value as_dag(Host *host, rs_value last)
{
    rs_value top = last;
    for (int level = 0; level < 40; level++) {
        top = pair(host, top, top);
    }
    return top;
}

/* A list whose every pair refers back to the first one. */
static rs_value as_cycle(Host *host, rs_value last)
{
    rs_value top = list(host, length_wanted, last);
    for (rs_value place = top; child(place, 1) != last; place = child(place, 1)) {
        put(place, 0, top);
    }
    return top;
}

typedef struct Scene {
    const Configuration *configuration;
    Shape shape;
    size_t length;
    bool is_list;
} Scene;

static Host *open_large(const Scene *scene)
{
    Options options = {.heap_size = (scene->length + 1000) * 160};
    return host_open(scene->configuration, options);
}

static void check_memory(Host *host, const Scene *scene, size_t objects, const char *what)
{
    uint64_t peak = statistics(host).walk_memory_peak;
    if (objects >= 100000) {
        printf("[%s] %s: %zu objects, %.2f bytes an object\n", scene->configuration->name, what,
               objects, (double)peak / (double)objects);
    }
    if (scene->is_list && objects >= 1000000) {
        CHECK((double)peak <= 8.1 * (double)objects);
    }
}

static void *mark_and_share(void *data)
{
    const Scene *scene = data;
    Host *host = open_large(scene);
    rs_ractor reader = host_ractor(host, NULL);
    rs_value top = scene->shape(host, leaf(host));
    size_t objects = host->objects_count;
    rs_slot slot = host_assign(host, "TOP", top);
    CHECK_EQUAL(objects, statistics(host).objects_marked);
    if (scene->is_list) {
        CHECK(statistics(host).walk_memory_peak <= 100000);
    }
    CHECK_OK(host_access(host, reader, slot, top));
    CHECK_EQUAL(objects, statistics(host).objects_shared);
    CHECK_EQUAL(RS_STATE_SHAREABLE, state(host, value_of(host, host->objects[0])));
    check_memory(host, scene, objects, "shared");
    host_close(host);
    return NULL;
}

static void *fail_and_undo(void *data)
{
    const Scene *scene = data;
    Host *host = open_large(scene);
    rs_ractor reader = host_ractor(host, NULL);
    rs_value blocker = pair(host, NIL, NIL);
    rs_value top = scene->shape(host, blocker);
    rs_slot slot = host_assign(host, "TOP", top);
    CHECK_OK(host_write(host, host->main, blocker, 0, NIL));
    CHECK_STATUS(RS_NOT_SHAREABLE, host_access(host, reader, slot, top));
    CHECK_EQUAL(RS_STATE_ORDINARY, state(host, top));
    size_t claimed = 0;
    for (size_t index = 0; index < host->objects_count; index++) {
        claimed += (raw_flags(host, value_of(host, host->objects[index])) & RAW_PENDING) != 0;
    }
    CHECK_EQUAL(0, claimed);
    CHECK_STATUS(RS_NOT_SHAREABLE, host_access(host, reader, slot, top));
    CHECK_EQUAL(1, statistics(host).walks);
    check_memory(host, scene, host->objects_count, "undone");
    CHECK_OK(rs_autoshare_mark(host->vm, slot, top));
    CHECK_OK(host_access(host, reader, slot, top));
    host_close(host);
    return NULL;
}

static void *share_explicitly(void *data)
{
    const Scene *scene = data;
    Host *host = open_large(scene);
    rs_value blocker = file(host);
    rs_value last = pair(host, blocker, NIL);
    rs_value top = scene->shape(host, last);
    CHECK_STATUS(RS_NOT_SHAREABLE, rs_make_shareable(host->vm, host->main, top));
    CHECK_EQUAL(0, raw_flags(host, top));
    put(last, 0, NIL);
    CHECK_OK(rs_make_shareable(host->vm, host->main, top));
    CHECK_EQUAL(host->objects_count - 1, statistics(host).objects_shared);
    host_close(host);
    return NULL;
}

static void *mark_at_the_first_ractor(void *data)
{
    const Scene *scene = data;
    Host *host = open_large(scene);
    rs_value top = scene->shape(host, leaf(host));
    host_assign(host, "TOP", top);
    host_ractor(host, NULL);
    CHECK_EQUAL(host->objects_count, statistics(host).objects_marked);
    host_close(host);
    return NULL;
}

static void on_a_small_stack(void *(*body)(void *), Scene *scene)
{
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    size_t smallest = (size_t)PTHREAD_STACK_MIN;
    CHECK_EQUAL(0, pthread_attr_setstacksize(&attributes, smallest > STACK ? smallest : STACK));
    CHECK_EQUAL(0, pthread_create(&thread, &attributes, body, scene));
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
}

static void walk_each_way(const Configuration *configuration, Shape shape, size_t length,
                          bool is_list)
{
    static void *(*const ways[])(void *) = {mark_and_share, fail_and_undo, share_explicitly,
                                            mark_at_the_first_ractor};
    length_wanted = scaled(configuration->thorough ? length : length / 50);
    Scene scene = {configuration, shape, length_wanted, is_list};
    for (size_t index = 0; index < 4; index++) {
        on_a_small_stack(ways[index], &scene);
    }
}

static void a_list_of_ten_million(const Configuration *configuration)
{
    walk_each_way(configuration, as_list, 10000000, true);
}

static void an_array_of_ten_million(const Configuration *configuration)
{
    walk_each_way(configuration, as_array, 10000000, false);
}

static void an_inline_array_of_ten_million(const Configuration *configuration)
{
    walk_each_way(configuration, as_inline_array, 10000000, false);
}

static void a_graph_with_a_trillion_paths(const Configuration *configuration)
{
    /* Which has a size of its own. */
    walk_each_way(configuration, as_dag, 0, false);
}

static void a_cycle_at_every_step(const Configuration *configuration)
{
    walk_each_way(configuration, as_cycle, 1000000, false);
}

static const Test tests[] = {
    TEST(a_list_of_ten_million),          TEST(an_array_of_ten_million),
    TEST(an_inline_array_of_ten_million), TEST(a_graph_with_a_trillion_paths),
    TEST(a_cycle_at_every_step),
};

int main(int count, char **arguments)
{
    RUN_TESTS(tests);
}
