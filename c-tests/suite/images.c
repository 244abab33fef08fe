/*
 * Images, through the C face: encoded, read in place, decoded while a collector moves everything.
 */

#include "fixture/check.h"
#include "fixture/collector.h"
#include "fixture/host.h"

#include <string.h>

static rs_image encode(Host *host, rs_value root, const rs_limits *limits)
{
    rs_image image = 0;
    CHECK_OK(rs_image_encode(host->vm, host->main, root, limits, &image));
    return image;
}

static const uint64_t *words_of(Host *host, rs_image image)
{
    const uint64_t *words = NULL;
    size_t count = 0;
    CHECK_OK(rs_image_words(host->vm, image, &words, &count));
    CHECK(count >= 5);
    return words;
}

static bool is_named(const uint64_t *image, uint64_t record, const char *name)
{
    uint64_t type = rs_image_type(image, record);
    return rs_image_kind(image, type) == RS_ITEM_SYMBOL &&
           rs_image_count(image, type) == strlen(name) &&
           memcmp(rs_image_bytes(image, type), name, strlen(name)) == 0;
}

static void an_image_is_read_in_place(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_value shared = pair(host, number(1), NIL);
    rs_value top = vector(host, 4);
    put(top, 0, shared);
    put(top, 1, number(77));
    put(top, 2, shared);
    put(top, 3, top);
    rs_image id = encode(host, top, NULL);
    const uint64_t *image = words_of(host, id);
    uint64_t root = rs_image_root(image);
    CHECK_EQUAL(RS_ITEM_RECORD, rs_image_kind(image, root));
    CHECK(is_named(image, root, "vector"));
    CHECK_EQUAL(4, rs_image_count(image, root));
    uint64_t first = rs_image_element(image, root, 0);
    CHECK(is_named(image, first, "pair"));
    CHECK_EQUAL(1, rs_image_integer(image, rs_image_element(image, first, 0)));
    CHECK_EQUAL(RS_ITEM_NIL, rs_image_kind(image, rs_image_element(image, first, 1)));
    CHECK_EQUAL(77, rs_image_integer(image, rs_image_element(image, root, 1)));
    CHECK_EQUAL(first, rs_image_element(image, root, 2));
    CHECK_EQUAL(root, rs_image_element(image, root, 3));
    CHECK_EQUAL(0, rs_image_element(image, root, 4));
    CHECK_OK(rs_image_free(host->vm, id));
    host_close(host);
}

/* A list of pairs whose first fields are numbers, all of which are there. */
static void is_list(rs_value list, size_t length)
{
    for (size_t index = length; index-- > 0;) {
        CHECK_EQUAL(number(index), child(list, 0));
        list = child(list, 1);
    }
    CHECK_EQUAL(NIL, list);
}

static void a_copy_is_made_while_a_collector_moves_it(const Configuration *configuration)
{
    for (int moves = 0; moves < 2; moves++) {
        Host *host = host_open(configuration, (Options){0});
        Collector collector = {.host = host, .moves = moves};
        rs_image image = encode(host, list(host, 600, NIL), NULL);
        rs_value copy = NIL;
        collect_at_safepoints(&collector, 50);
        CHECK_OK(rs_image_decode(host->vm, host->main, image, NULL, 0, &copy));
        CHECK_EQUAL(50, collector.collections);
        collector_root(&collector, &copy);
        is_list(copy, 600);
        CHECK_OK(rs_image_free(host->vm, image));
        host_close(host);
    }
}

static void what_an_image_refers_to_is_a_root_until_it_is_freed(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    Collector collector = {.host = host, .moves = true};
    rs_limits limits = {.depth = 2, .bytes = 0};
    rs_image image = encode(host, list(host, 10, NIL), &limits);
    const rs_value *values = NULL;
    size_t count = 0;
    CHECK_OK(rs_image_opaques(host->vm, image, &values, &count));
    CHECK_EQUAL(1, count);
    collect(&collector);
    /* Three pairs were copied, and the other seven have stayed. */
    is_list(values[0], 7);
    rs_value copy = NIL;
    CHECK_OK(rs_image_decode(host->vm, host->main, image, NULL, 0, &copy));
    is_list(copy, 10);
    collect(&collector);
    CHECK_EQUAL(7, host->objects_count);
    CHECK_OK(rs_image_free(host->vm, image));
    collect(&collector);
    CHECK_EQUAL(0, host->objects_count);
    host_close(host);
}

static void
words_from_elsewhere_are_copied_before_they_are_believed(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_image image = encode(host, list(host, 3, NIL), NULL);
    const uint64_t *words = NULL;
    size_t count = 0;
    CHECK_OK(rs_image_words(host->vm, image, &words, &count));
    uint64_t own[64];
    CHECK(count <= 64);
    memcpy(own, words, count * sizeof *own);
    rs_image read = 0;
    CHECK_OK(rs_image_read(host->vm, own, count, &read));
    memset(own, 0xff, sizeof own);
    rs_value copy = NIL;
    CHECK_OK(rs_image_decode(host->vm, host->main, read, NULL, 0, &copy));
    is_list(copy, 3);
    CHECK_STATUS(RS_ERR_IMAGE, rs_image_read(host->vm, own, count, &read));
    CHECK_EQUAL(0, read);
    CHECK_STATUS(RS_ERR_IMAGE, rs_image_read(host->vm, own, 0, &read));
    host_close(host);
}

static const Test tests[] = {
    TEST(an_image_is_read_in_place),
    TEST(a_copy_is_made_while_a_collector_moves_it),
    TEST(what_an_image_refers_to_is_a_root_until_it_is_freed),
    TEST(words_from_elsewhere_are_copied_before_they_are_believed),
};

int main(int count, char **arguments)
{
    RUN_TESTS(tests);
}
