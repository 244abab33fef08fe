/*
 * remote_calls.c: requests for elements of a vector of another process, one at a time or many.
 */

#include "clock.h"
#include "figure.h"
#include "remote_beside.h"
#include "remote_measures.h"
#include "timing.h"

#include <unistd.h>

#define ELEMENTS 1000

/* === both awake === */

#define AWAKE_BLOCKS 200
/* Of calls that sleep. */
#define SLOW_BLOCKS 20

static void get_one(void *pair, size_t number)
{
    remote_pair_get(pair, number);
}

static void ask_one(void *beside, size_t number)
{
    beside_ask(beside, number);
}

/* Whoever answers lives only as long as it is asked: one that spins would be in the way of the
 * others. */
static double time_asks(const Means *means, size_t blocks, RemoteHost *host, rs_value vector)
{
    Beside beside;
    beside_open(&beside, means, APART, host, vector);
    double spent = time_calls(ask_one, &beside, blocks);
    beside_close(&beside);
    return spent;
}

void measure_awake(size_t rounds, size_t size)
{
    (void)size;
    RemotePair pair;
    Figure figure = {.name = "awake", .unit = "ns"};
    if (!can_run_apart()) {
        figure_print(&figure);
        return;
    }
    remote_pair_open(&pair, APART, remote_make_vector, ELEMENTS);
    rs_value vector = remote_make_vector(&pair.host, ELEMENTS);
    for (size_t round = 0; round < rounds; round++) {
        figure_add(&figure, time_calls(get_one, &pair, AWAKE_BLOCKS));
        figure_add_beside(&figure, mailboxes.name,
                          time_asks(&mailboxes, AWAKE_BLOCKS, &pair.host, vector));
        figure_add_beside(&figure, unix_socket.name,
                          time_asks(&unix_socket, SLOW_BLOCKS, &pair.host, vector));
    }
    figure_print(&figure);
    figure_free(&figure);
    remote_pair_close(&pair);
}

/* === both asleep before each call === */

#define SLEEPS 300
/* Microseconds: longer than a link looks for messages before it sleeps. */
#define PAUSE 100

static const Means *const sleepers[] = {&socket_and_pidfd, &eventfds, &futexes};
#define SLEEPERS (sizeof sleepers / sizeof *sleepers)

static double time_get(RemotePair *pair, uint64_t index)
{
    usleep(PAUSE);
    double begun = clock_nanoseconds();
    remote_pair_get(pair, index);
    return clock_nanoseconds() - begun;
}

static double time_ask(Beside *beside, uint64_t index)
{
    usleep(PAUSE);
    double begun = clock_nanoseconds();
    beside_ask(beside, index);
    return clock_nanoseconds() - begun;
}

/* In turns, since what a wake-up takes changes with whatever the machine does. */
static void add_sleeps(Figure *figure, RemotePair *pair, Beside besides[SLEEPERS])
{
    Samples ours = {0};
    Samples others[SLEEPERS] = {0};
    for (uint64_t call = 0; call < SLEEPS; call++) {
        samples_add(&ours, time_get(pair, call % ELEMENTS));
        for (size_t index = 0; index < SLEEPERS; index++)
            samples_add(&others[index], time_ask(&besides[index], call % ELEMENTS));
    }
    figure_add(figure, median_of(&ours));
    for (size_t index = 0; index < SLEEPERS; index++)
        figure_add_beside(figure, sleepers[index]->name, median_of(&others[index]));
}

static void measure_asleep_at(Placement placement, const char *name, size_t rounds)
{
    RemotePair pair;
    Beside besides[SLEEPERS];
    Figure figure = {.name = name, .unit = "ns"};
    remote_pair_open(&pair, placement, remote_make_vector, ELEMENTS);
    rs_value vector = remote_make_vector(&pair.host, ELEMENTS);
    for (size_t index = 0; index < SLEEPERS; index++)
        beside_open(&besides[index], sleepers[index], placement, &pair.host, vector);
    for (size_t round = 0; round < rounds; round++)
        add_sleeps(&figure, &pair, besides);
    figure_print(&figure);
    figure_free(&figure);
    for (size_t index = 0; index < SLEEPERS; index++)
        beside_close(&besides[index]);
    remote_pair_close(&pair);
}

void measure_asleep(size_t rounds, size_t size)
{
    (void)size;
    measure_asleep_at(TOGETHER, "asleep/same_core", rounds);
    measure_asleep_at(APART, "asleep/across_cores", rounds);
}

/* === many at a time === */

#define BATCH 64
#define BATCH_BLOCKS 20

static void get_batch(void *subject, size_t number)
{
    (void)number;
    RemotePair *pair = subject;
    rs_batch_entry entries[BATCH] = {0};
    for (size_t index = 0; index < BATCH; index++) {
        entries[index].remote = pair->top;
        entries[index].operation = rs_operation_init(RS_READ_ELEMENT);
        entries[index].operation.index = index;
    }
    expect(rs_remote_batch(pair->host.vm, pair->host.link, entries, BATCH, 0), "rs_remote_batch");
    for (size_t index = 0; index < BATCH; index++) {
        expect(entries[index].status, "an entry of the batch");
        expect_that(entries[index].result == remote_integer((int64_t)index), "the wrong element");
    }
}

static void get_each(void *subject, size_t number)
{
    (void)number;
    RemotePair *pair = subject;
    RemoteHost *host = &pair->host;
    rs_operation operation = rs_operation_init(RS_READ_ELEMENT);
    uint64_t requests[BATCH];
    for (size_t index = 0; index < BATCH; index++) {
        operation.index = index;
        operation.flags = index + 1 < BATCH ? RS_REQUEST_MORE : 0;
        expect(rs_remote_begin(host->vm, host->link, pair->top, &operation, &requests[index]),
               "rs_remote_begin");
    }
    for (size_t index = 0; index < BATCH; index++) {
        rs_value value = 0;
        expect(rs_remote_finish(host->vm, host->link, requests[index], 1, &value),
               "rs_remote_finish");
        expect_that(value == remote_integer((int64_t)index), "the wrong element");
    }
}

/* As the library calls it: through a pointer that the compiler does not know. */
static rs_operate_fn volatile operate = remote_operate;

static void operate_batch(void *subject, size_t number)
{
    (void)number;
    RemoteHost *host = subject;
    rs_operation operation = rs_operation_init(RS_READ_ELEMENT);
    for (size_t index = 0; index < BATCH; index++) {
        rs_value value = 0;
        operation.index = index;
        expect(operate(host, host->link, host->top, &operation, &value), "operate");
        expect_that(value == remote_integer((int64_t)index), "the wrong element");
    }
}

void measure_batch(size_t rounds, size_t size)
{
    (void)size;
    RemotePair pair;
    Figure figure = {.name = "batch", .unit = "ns"};
    remote_pair_open(&pair, APART, remote_make_vector, ELEMENTS);
    pair.host.top = remote_make_vector(&pair.host, ELEMENTS);
    for (size_t round = 0; round < rounds; round++) {
        figure_add(&figure, time_calls(get_batch, &pair, BATCH_BLOCKS) / BATCH);
        figure_add_beside(&figure, "begun, then finished",
                          time_calls(get_each, &pair, BATCH_BLOCKS) / BATCH);
        figure_add_beside(&figure, "in process",
                          time_calls(operate_batch, &pair.host, BATCH_BLOCKS) / BATCH);
    }
    figure_print(&figure);
    figure_free(&figure);
    remote_pair_close(&pair);
}
