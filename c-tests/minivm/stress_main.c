/*
 * minivm-stress: "main writes while another ractor reads", many times over.
 *
 * Each round main makes a small graph with a cycle, assigns it to a constant, meets the reader at
 * a barrier and writes to one object of the graph, chosen at random, while the reader accesses the
 * constant. Exactly one of the two must get its error. A reader that may read must find the
 * content of before the write; a writer that may write must find its write done.
 *
 * Until it writes, main iterates over the hash in the graph, again and again: it counts that in the
 * flag word of the hash while the reader's walk claims and publishes it.
 */

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "minivm.h"

enum {
    VECTOR_LENGTH = 3,
    WRITES = 5,
    SPINS = 2000,
    DELAY_LEAST = 50,
    DELAY_MAX = 1 << 16,
    STEPS_PER_ITERATION = 4,
};

/* The graph: a vector [list hash vector] whose list's last tail is the vector again. Every number
 * in it is the number of the round, so a torn read shows as two numbers. */
typedef struct Contest {
    Thread *main;
    Variable *constant;
    uint64_t reader_ractor;
    Vm *vm;
    unsigned long rounds;
    Value key;
    Value second_key;
    /* The barrier: each side adds one, and waits for the other. */
    atomic_ulong arrived;
    /* Who waits, and how long. */
    long lead;
    /* The reader's result of this round. */
    bool read;
    bool torn;
    unsigned long failures;
    unsigned long reads;
    unsigned long writes;
} Contest;

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void count_entry(Value key, Value value, void *count)
{
    (void)key, (void)value;
    ++*(size_t *)count;
}

/* Some steps at random, `mean` of them on average; with iterations over a hash, if there is one. */
static void wait_a_little(Thread *thread, uint64_t *random, long mean, const Value *hash)
{
    uint64_t steps = next_random(random) % (2 * (uint64_t)(mean < 0 ? 0 : mean) + DELAY_LEAST);
    size_t entries = 0;
    for (uint64_t i = 1; i <= steps; i++) {
        vm_safepoint(thread);
        if (hash != NULL && i % STEPS_PER_ITERATION == 0)
            vm_hash_each(thread, *hash, count_entry, &entries);
        if (i % SPINS == 0)
            sched_yield();
    }
}

/* Whoever won waits longer the next time, so that both outcomes stay frequent on every machine:
 * main waits if the lead is positive, the reader if it is negative. */
static long balanced_lead(long lead, bool wrote)
{
    long next = lead + (wrote ? 1 : -1) * (labs(lead) / 16 + 1);
    return labs(next) > DELAY_MAX ? lead : next;
}

/* Both sides come here twice each round; the other side may have to stop for a collection. */
static void meet(Contest *contest, Thread *thread, unsigned long meeting)
{
    atomic_fetch_add(&contest->arrived, 1);
    for (unsigned spins = 1; atomic_load(&contest->arrived) < 2 * meeting; spins++) {
        vm_safepoint(thread);
        if (spins % SPINS == 0)
            sched_yield();
    }
}

static Value make_list(Thread *thread, Value number, Value tail)
{
    Value *scope = vm_roots_open(thread);
    Value *list = vm_root(thread, tail);
    *list = vm_cons(thread, number, *list);
    *list = vm_cons(thread, number, *list);
    Value result = *list;
    vm_roots_close(thread, scope);
    return result;
}

static void fill_graph(Contest *contest, Value *graph, Value *part, Value number)
{
    Thread *thread = contest->main;
    *part = make_list(thread, number, *graph);
    vm_vector_set(thread, *graph, 0, *part);
    *part = vm_hash(thread);
    vm_hash_set(thread, *part, contest->key, number);
    vm_vector_set(thread, *graph, 1, *part);
    *part = vm_vector(thread, VECTOR_LENGTH, number);
    vm_vector_set(thread, *graph, 2, *part);
}

/* True if everything in the graph is still as it was made. */
static bool is_whole(Value graph, Value key, Value number)
{
    if (vm_vector_length(graph) != VECTOR_LENGTH)
        return false;
    Value list = vm_vector_at(graph, 0);
    Value hash = vm_vector_at(graph, 1);
    Value vector = vm_vector_at(graph, 2);
    bool list_is_whole =
        vm_car(list) == number && vm_car(vm_cdr(list)) == number && vm_cdr(vm_cdr(list)) == graph;
    bool vector_is_whole = vm_vector_length(vector) == VECTOR_LENGTH;
    for (size_t i = 0; vector_is_whole && i < VECTOR_LENGTH; i++)
        vector_is_whole = vm_vector_at(vector, i) == number;
    return list_is_whole && vector_is_whole && vm_hash_get(hash, key) == number;
}

/* One write of one kind; false if it was refused. */
static bool write_something(Contest *contest, Value graph, unsigned kind, Value value)
{
    Thread *thread = contest->main;
    switch (kind) {
    case 0:
        return vm_set_car(thread, vm_vector_at(graph, 0), value);
    case 1:
        return vm_set_car(thread, vm_cdr(vm_vector_at(graph, 0)), value);
    case 2:
        return vm_hash_set(thread, vm_vector_at(graph, 1), contest->key, value);
    case 3:
        return vm_vector_push(thread, vm_vector_at(graph, 2), value);
    default:
        return vm_vector_push(thread, graph, value);
    }
}

static void report_failure(Contest *contest, unsigned long round, const char *what)
{
    if (contest->failures++ < 10)
        fprintf(stderr, "round %lu: %s\n", round, what);
}

static void *run_reader(void *data)
{
    Contest *contest = data;
    Thread *thread = vm_enter(contest->vm, contest->reader_ractor);
    if (thread == NULL)
        abort();
    uint64_t random = 88172645463325252u;
    for (unsigned long round = 1; round <= contest->rounds; round++) {
        meet(contest, thread, 2 * round - 1);
        wait_a_little(thread, &random, -contest->lead, NULL);
        Value graph = vm_constant_get(thread, contest->constant);
        contest->read = graph != FAILED;
        contest->torn = contest->read && !is_whole(graph, contest->key, fixnum((intptr_t)round));
        vm_condition(thread);
        meet(contest, thread, 2 * round);
    }
    vm_leave(thread);
    return NULL;
}

static void judge(Contest *contest, unsigned long round, Value graph, bool wrote)
{
    if (wrote == contest->read)
        report_failure(contest, round, wrote ? "neither failed" : "both failed");
    if (contest->torn)
        report_failure(contest, round, "the reader saw a write");
    bool whole = is_whole(graph, contest->key, fixnum((intptr_t)round));
    if (wrote == whole)
        report_failure(contest, round, wrote ? "the write is lost" : "a refused write was done");
    bool grows = vm_hash_set(contest->main, vm_vector_at(graph, 1), contest->second_key, fixnum(0));
    vm_condition(contest->main);
    if (wrote != grows)
        report_failure(contest, round,
                       wrote ? "an iteration never ended" : "a shared hash was changed");
    contest->writes += wrote;
    contest->reads += contest->read;
}

static void run_main(Contest *contest)
{
    Thread *thread = contest->main;
    Value *scope = vm_roots_open(thread);
    Value *graph = vm_root(thread, NIL);
    Value *part = vm_root(thread, NIL);
    Value *hash = vm_root(thread, NIL);
    uint64_t random = 1442695040888963407u;
    for (unsigned long round = 1; round <= contest->rounds; round++) {
        *graph = vm_vector(thread, VECTOR_LENGTH, NIL);
        fill_graph(contest, graph, part, fixnum((intptr_t)round));
        *hash = vm_vector_at(*graph, 1);
        if (!vm_constant_set(thread, contest->constant, *graph))
            report_failure(contest, round, "the constant was not assigned");
        unsigned kind = next_random(&random) % WRITES;
        meet(contest, thread, 2 * round - 1);
        wait_a_little(thread, &random, contest->lead, hash);
        bool wrote = write_something(contest, *graph, kind, fixnum(-1));
        vm_condition(thread);
        meet(contest, thread, 2 * round);
        judge(contest, round, *graph, wrote);
        contest->lead = balanced_lead(contest->lead, wrote);
    }
    vm_roots_close(thread, scope);
}

static bool prepare(Contest *contest, const VmOptions *options)
{
    contest->vm = vm_new(options);
    if (contest->vm == NULL)
        return false;
    contest->main = vm_main_thread(contest->vm);
    contest->key = vm_symbol(contest->main, ":key");
    contest->second_key = vm_symbol(contest->main, ":second-key");
    contest->constant = vm_constant(contest->main, "GRAPH");
    contest->reader_ractor = vm_ractor_register(contest->vm, "reader");
    return contest->constant != NULL && contest->reader_ractor != 0;
}

/* How often the two really met in the middle is in the library's own counts. */
static void print_statistics(Contest *contest)
{
    Value statistics = NIL;
    vm_eval_string(contest->main, "stress", "(statistics)", &statistics);
    char *text = vm_print_string(contest->main, statistics);
    puts(text == NULL ? "" : text);
    free(text);
}

int main(int count, char **arguments)
{
    static Contest contest = {.rounds = 1000000};
    VmOptions options = vm_default_options();
    options.provenance = false;
    for (int i = 1; i < count; i++) {
        bool is_option = arguments[i][0] == '-';
        if (!is_option)
            contest.rounds = strtoul(arguments[i], NULL, 10);
        if (contest.rounds == 0 || (is_option && !vm_set_option(&options, arguments[i]))) {
            fprintf(stderr, "usage: minivm-stress [options] [rounds]\n%s", vm_options_usage);
            return 2;
        }
    }
    pthread_t reader;
    if (!prepare(&contest, &options) || pthread_create(&reader, NULL, run_reader, &contest) != 0)
        return 1;
    run_main(&contest);
    pthread_join(reader, NULL);
    print_statistics(&contest);
    vm_free(contest.vm);
    printf("%lu rounds: %lu reads, %lu writes, %lu failures\n", contest.rounds, contest.reads,
           contest.writes, contest.failures);
    return contest.failures == 0 && contest.reads != 0 && contest.writes != 0 ? 0 : 1;
}
