/*
 * remote_list.c: all elements of a list of another process, in the five ways that there are.
 *
 * A program holds a reference to the first cons, and wants the integers in the cars of all.
 *
 * elements: asks each cons for its car and its cdr. There is a reference to every cons in the end.
 *
 * paths: asks by path programs, from one cons: for its own car, for that of the next, and so on for
 * STRIDE of them, and then for the cons behind these.
 *
 * parts: copies PART conses at a time, and goes on at the reference in which a copy ends.
 *
 * whole: copies the list.
 *
 * shared: opens the image of the list, which its owner has published since the list can't change,
 * and reads it where it lies.
 *
 * What refers to the owner's conses is given back when the list has been read, within the time that
 * is measured, as by a collector that runs then.
 */

#include "clock.h"
#include "figure.h"
#include "remote_measures.h"
#include "remote_pair.h"

#include <stdlib.h>

#define STRIDE 16
#define PART 1000

typedef struct List {
    RemotePair pair;
    size_t size;
    /* References that are still to be given back. */
    rs_remote *held;
    size_t held_count;
} List;

static rs_value make_list(RemoteHost *host, size_t size)
{
    rs_value list = REMOTE_NIL;
    for (size_t index = size; index > 0; index--)
        list = remote_cons(host, remote_integer((int64_t)index - 1), list);
    expect(rs_make_shareable(host->vm, host->main, list), "rs_make_shareable");
    return list;
}

static int64_t integer_of(rs_value value)
{
    expect_that((value & 1) != 0, "not an integer");
    return (int64_t)value >> 1;
}

/* The reference that a stub is; from now on the list holds it. */
static rs_remote hold(List *list, rs_value value)
{
    const RemoteObject *stub = (const RemoteObject *)value;
    expect_that(value != REMOTE_NIL && stub->kind == REMOTE_STUB && list->held_count < list->size,
                "not a reference");
    list->held[list->held_count++] = stub->length;
    return stub->length;
}

static void release_all(List *list)
{
    rs_vm *vm = list->pair.host.vm;
    for (size_t index = 0; index < list->held_count; index++)
        expect(rs_remote_release(vm, list->held[index]), "rs_remote_release");
    list->held_count = 0;
}

static rs_value get(List *list, rs_remote cons, uint64_t index)
{
    RemoteHost *host = &list->pair.host;
    rs_value value = 0;
    expect(rs_remote_get(host->vm, host->link, cons, index, &value), "rs_remote_get");
    return value;
}

static int64_t sum_elements(List *list)
{
    rs_remote cons = list->pair.top;
    int64_t sum = 0;
    for (size_t rest = list->size; rest > 0; rest--) {
        sum += integer_of(get(list, cons, RS_CAR));
        rs_value next = get(list, cons, RS_CDR);
        if (rest > 1)
            cons = hold(list, next);
    }
    return sum;
}

/* After so many cdrs of a cons: the cons there, or its car. */
static rs_value follow(List *list, rs_remote cons, size_t cdrs, int is_car)
{
    uint64_t steps[STRIDE + 1];
    size_t count = 0;
    while (count < cdrs)
        steps[count++] = RS_CDR;
    if (is_car)
        steps[count++] = RS_CAR;
    rs_value value = 0;
    expect(rs_remote_path(list->pair.host.vm, cons, steps, count, &value), "rs_remote_path");
    return value;
}

static int64_t sum_by_paths(List *list)
{
    rs_remote cons = list->pair.top;
    int64_t sum = 0;
    for (size_t done = 0; done < list->size; done++) {
        if (done > 0 && done % STRIDE == 0)
            cons = hold(list, follow(list, cons, STRIDE, 0));
        sum += integer_of(follow(list, cons, done % STRIDE, 1));
    }
    return sum;
}

static rs_value copy(List *list, rs_remote cons, const rs_limits *limits)
{
    rs_value value = 0;
    expect(rs_remote_copy(list->pair.host.vm, cons, limits, &value), "rs_remote_copy");
    return value;
}

/* Adds up the conses that are here; returns what comes behind them. */
static rs_value sum_here(rs_value value, int64_t *sum)
{
    while (value != REMOTE_NIL && ((const RemoteObject *)value)->kind == REMOTE_CONS) {
        const RemoteObject *cons = (const RemoteObject *)value;
        *sum += integer_of(cons->elements[0]);
        value = cons->elements[1];
    }
    return value;
}

static int64_t sum_parts(List *list)
{
    const rs_limits limits = {.depth = PART - 1};
    int64_t sum = 0;
    rs_value rest = sum_here(copy(list, list->pair.top, &limits), &sum);
    while (rest != REMOTE_NIL)
        rest = sum_here(copy(list, hold(list, rest), &limits), &sum);
    return sum;
}

static int64_t sum_whole(List *list)
{
    int64_t sum = 0;
    rs_value rest = sum_here(copy(list, list->pair.top, NULL), &sum);
    expect_that(rest == REMOTE_NIL, "not the whole list");
    return sum;
}

static int64_t sum_shared(List *list)
{
    rs_vm *vm = list->pair.host.vm;
    rs_image id = 0;
    expect(rs_remote_share(vm, list->pair.top, &id), "rs_remote_share");
    const uint64_t *image = NULL;
    size_t count = 0;
    expect(rs_image_words(vm, id, &image, &count), "rs_image_words");
    int64_t sum = 0;
    uint64_t cons = rs_image_root(image);
    for (size_t rest = list->size; rest > 0; rest--) {
        sum += rs_image_integer(image, rs_image_element(image, cons, RS_CAR));
        cons = rs_image_element(image, cons, RS_CDR);
    }
    expect(rs_image_free(vm, id), "rs_image_free");
    return sum;
}

typedef struct Way {
    const char *name;
    int64_t (*sum)(List *list);
} Way;

static const Way ways[] = {
    {"list/elements", sum_elements}, {"list/paths", sum_by_paths}, {"list/parts", sum_parts},
    {"list/whole", sum_whole},       {"list/shared", sum_shared},
};
#define WAYS (sizeof ways / sizeof *ways)

/* Nanoseconds for each element. */
static double read_list(List *list, const Way *way)
{
    size_t used = list->pair.host.used;
    int64_t size = (int64_t)list->size;
    double begun = clock_nanoseconds();
    int64_t sum = way->sum(list);
    release_all(list);
    /* Releases go with the next message. */
    get(list, list->pair.top, RS_CAR);
    double spent = clock_nanoseconds() - begun;
    expect_that(sum == size * (size - 1) / 2, "the wrong elements");
    remote_host_forget(&list->pair.host, used);
    return spent / (double)size;
}

void measure_list(size_t rounds, size_t size)
{
    List list = {.size = size, .held = malloc(size * sizeof(rs_remote))};
    expect_that(size > 0 && list.held, "no memory for the references");
    remote_pair_open(&list.pair, APART, make_list, size);
    for (size_t way = 0; way < WAYS; way++) {
        Figure figure = {.name = ways[way].name, .unit = "ns/element"};
        read_list(&list, &ways[way]);
        for (size_t round = 0; round < rounds; round++)
            figure_add(&figure, read_list(&list, &ways[way]));
        figure_print(&figure);
        figure_free(&figure);
    }
    remote_pair_close(&list.pair);
    free(list.held);
}
