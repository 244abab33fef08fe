/*
 * remote_copies.c: whole graphs that come from another process, and a graph that is read where it
 * lies in an image.
 */

#include "clock.h"
#include "figure.h"
#include "remote_measures.h"
#include "remote_pair.h"

#include <stdlib.h>
#include <string.h>

static rs_value copy_top(RemotePair *pair)
{
    rs_value copy = 0;
    expect(rs_remote_copy(pair->host.vm, pair->top, NULL, &copy), "rs_remote_copy");
    return copy;
}

/* === a graph of many objects === */

/* Both make their objects in memory that was used before. */
static void copy_graph(RemotePair *pair, size_t size, Figure *figure)
{
    RemoteHost *host = &pair->host;
    size_t used = host->used;
    double begun = clock_nanoseconds();
    rs_value copy = copy_top(pair);
    double copied = clock_nanoseconds() - begun;
    rs_value again = 0;
    begun = clock_nanoseconds();
    size_t objects = remote_rebuild(host, copy, &again);
    double rebuilt = clock_nanoseconds() - begun;
    expect_that(objects >= size, "objects are missing");
    if (figure) {
        figure_add(figure, copied / (double)objects);
        figure_add_beside(figure, "C rebuild", rebuilt / (double)objects);
    }
    remote_host_forget(host, used);
}

void measure_copy(size_t rounds, size_t size)
{
    RemotePair pair;
    Figure figure = {.name = "copy", .unit = "ns/object"};
    remote_pair_open(&pair, APART, remote_graph, size);
    copy_graph(&pair, size, NULL);
    for (size_t round = 0; round < rounds; round++)
        copy_graph(&pair, size, &figure);
    figure_print(&figure);
    figure_free(&figure);
    remote_pair_close(&pair);
}

/* === a long string === */

static rs_value make_string(RemoteHost *host, size_t size)
{
    RemoteObject *string = remote_make(host, REMOTE_STRING, size);
    memset(string->elements, 'x', size);
    return (rs_value)string;
}

/* Milliseconds for a string into the heap, where nothing has been before. */
static double copy_string(RemotePair *pair, size_t size)
{
    RemoteHost *host = &pair->host;
    size_t used = host->used;
    double begun = clock_nanoseconds();
    const RemoteObject *copy = (const RemoteObject *)copy_top(pair);
    double spent = clock_nanoseconds() - begun;
    const char *bytes = (const char *)copy->elements;
    expect_that(copy->length == size && bytes[0] == 'x' && bytes[size - 1] == 'x',
                "the wrong string");
    remote_host_renew(host, used);
    return spent / 1e6;
}

typedef struct Bare {
    /* The string, and memory that was used before, as that of a ring. */
    char *string;
    char *between;
} Bare;

/* Milliseconds for two copies, the second to this place. */
static double copy_twice(const Bare *bare, void *to, size_t size)
{
    double begun = clock_nanoseconds();
    memcpy(bare->between, bare->string, size);
    memcpy(to, bare->between, size);
    return (clock_nanoseconds() - begun) / 1e6;
}

static void copy_bare(const Bare *bare, RemoteHost *host, size_t size, Figure *figure)
{
    size_t used = host->used;
    void *place = remote_make(host, REMOTE_STRING, size)->elements;
    figure_add_beside(figure, "two memcpys", copy_twice(bare, place, size));
    figure_add_beside(figure, "two memcpys, to warm memory", copy_twice(bare, place, size));
    remote_host_renew(host, used);
}

void measure_bulk(size_t rounds, size_t size)
{
    RemotePair pair;
    Bare bare = {malloc(size), malloc(size)};
    Figure figure = {.name = "bulk", .unit = "ms"};
    expect_that(size > 0 && bare.string && bare.between, "no memory for the copies");
    memset(bare.string, 'x', size);
    memset(bare.between, 0, size);
    remote_pair_open(&pair, APART, make_string, size);
    copy_string(&pair, size);
    for (size_t round = 0; round < rounds; round++) {
        figure_add(&figure, copy_string(&pair, size));
        copy_bare(&bare, &pair.host, size, &figure);
    }
    figure_print(&figure);
    figure_free(&figure);
    remote_pair_close(&pair);
    free(bare.string);
    free(bare.between);
}

/* === an image, in place === */

#define READS 2000000
#define ELEMENTS 512

/* The compiler can't know what a pointer is after this: what is read through it is read anew. */
#define FORGET(pointer) __asm__ volatile("" : "+r"(pointer))

static double read_image(const uint64_t *image, int64_t *sum)
{
    uint64_t root = rs_image_root(image);
    double begun = clock_nanoseconds();
    for (uint64_t read = 0; read < READS; read++) {
        FORGET(image);
        *sum += rs_image_integer(image, rs_image_element(image, root, read % ELEMENTS));
    }
    return (clock_nanoseconds() - begun) / READS;
}

static double read_struct(const RemoteObject *object, int64_t *sum)
{
    double begun = clock_nanoseconds();
    for (uint64_t read = 0; read < READS; read++) {
        FORGET(object);
        *sum += (int64_t)object->elements[read % ELEMENTS] >> 1;
    }
    return (clock_nanoseconds() - begun) / READS;
}

void measure_read(size_t rounds, size_t size)
{
    (void)size;
    RemoteHost host;
    rs_image id = 0;
    const uint64_t *image = NULL;
    size_t count = 0;
    Figure figure = {.name = "read", .unit = "ns"};
    remote_host_open(&host, REMOTE_ROOM);
    run_on(ASKERS);
    rs_value vector = remote_make_vector(&host, ELEMENTS);
    expect(rs_image_encode(host.vm, host.main, vector, NULL, &id), "rs_image_encode");
    expect(rs_image_words(host.vm, id, &image, &count), "rs_image_words");
    for (size_t round = 0; round < rounds; round++) {
        int64_t of_image = 0, of_struct = 0;
        figure_add(&figure, read_image(image, &of_image));
        figure_add_beside(&figure, "C struct",
                          read_struct((const RemoteObject *)vector, &of_struct));
        expect_that(of_image == of_struct, "the wrong elements");
    }
    figure_print(&figure);
    figure_free(&figure);
    rs_image_free(host.vm, id);
    remote_host_close(&host);
}
