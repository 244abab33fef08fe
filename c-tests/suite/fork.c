/*
 * Fork in the middle of everything; dlopen and dlclose; threads that end without a word.
 */

#include "fixture/check.h"
#include "fixture/host.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define OBJECTS 4000

/* Main marks and writes, a reader accesses, for as long as it takes. */
typedef struct Traffic {
    Host *host;
    rs_ractor readers[2];
    rs_slot slot;
    rs_value top;
    rs_value objects[OBJECTS];
    unsigned stopped;
    size_t rounds;
    pthread_t threads[2];
} Traffic;

static bool goes_on(Traffic *traffic)
{
    return !__atomic_load_n(&traffic->stopped, __ATOMIC_ACQUIRE);
}

static void *read_all_the_time(void *data)
{
    Traffic *traffic = data;
    size_t index = __atomic_fetch_add(&traffic->rounds, 1, __ATOMIC_RELAXED) % 2;
    while (goes_on(traffic)) {
        rs_ractor_access(traffic->host->vm, traffic->readers[index], traffic->slot, traffic->top);
        rs_report report = RS_REPORT_INIT;
        rs_last_report(traffic->host->vm, traffic->readers[index], &report);
        sched_yield();
    }
    return NULL;
}

static void disturb(Traffic *traffic, size_t round)
{
    rs_value written = traffic->objects[round * 7919 % OBJECTS];
    if (host_write(traffic->host, traffic->host->main, written, 0, number(round)) == RS_OK) {
        rs_autoshare_mark(traffic->host->vm, traffic->slot, written);
        rs_autoshare_mark(traffic->host->vm, traffic->slot, traffic->top);
    }
}

static Traffic *begin_traffic(const Configuration *configuration, Options options)
{
    Traffic *traffic = calloc(1, sizeof *traffic);
    options.malloc = true;
    traffic->host = host_open(configuration, options);
    traffic->host->data = traffic;
    traffic->readers[0] = host_ractor(traffic->host, "first");
    traffic->readers[1] = host_ractor(traffic->host, "second");
    rs_value last = file(traffic->host);
    for (size_t index = 0; index < OBJECTS; index++) {
        last = pair(traffic->host, NIL, last);
        traffic->objects[index] = last;
    }
    traffic->top = last;
    /* The end of the list is a file: walks go through all of it, fail, and begin anew when main
     * assigns again. */
    traffic->slot = host_assign(traffic->host, "TOP", traffic->top);
    for (size_t index = 0; index < 2; index++) {
        CHECK_EQUAL(0, pthread_create(&traffic->threads[index], NULL, read_all_the_time, traffic));
    }
    return traffic;
}

static void end_traffic(Traffic *traffic)
{
    __atomic_store_n(&traffic->stopped, 1, __ATOMIC_RELEASE);
    for (size_t index = 0; index < 2; index++) {
        pthread_join(traffic->threads[index], NULL);
    }
    host_close(traffic->host);
    free(traffic);
}

/* How a child ended: 0, or the number of the check that failed in it, or 256 + its signal. */
static int outcome_of(pid_t child)
{
    int ended = 0;
    CHECK(child > 0 && waitpid(child, &ended, 0) == child);
    return WIFSIGNALED(ended) ? 256 + WTERMSIG(ended) : WEXITSTATUS(ended);
}

/* What a child does that goes on with the vm: marks, shares, checks. The number of the first step
 * that failed. */
static int work_in_child(Traffic *traffic)
{
    Host *host = traffic->host;
    rs_vm *vm = host->vm;
    rs_ractor reader = RS_NO_RACTOR;
    rs_slot slot = RS_NO_SLOT;
    alarm(20);
    if (rs_after_fork_child(vm) != RS_OK) {
        return 1;
    }
    for (size_t index = 0; index < OBJECTS; index++) {
        if (raw_flags(host, traffic->objects[index]) & RAW_PENDING) {
            return 2;
        }
    }
    if (rs_ractor_access(vm, traffic->readers[0], traffic->slot, traffic->top) != RS_ERR_CLOSED) {
        return 3;
    }
    if (rs_ractor_new(vm, "of the child", &reader) != RS_OK) {
        return 4;
    }
    if (rs_slot_new(vm, RS_SLOT_CONSTANT, "CHILD", NULL, &slot) != RS_OK) {
        return 5;
    }
    rs_value graph = list(host, 100, leaf(host));
    if (rs_autoshare_mark(vm, slot, graph) != RS_OK ||
        rs_ractor_access(vm, reader, slot, graph) != RS_OK) {
        return 6;
    }
    if (rs_check_frozen(vm, host->main, graph) != RS_FROZEN) {
        return 7;
    }
    if (rs_check_frozen(vm, host->main, traffic->top) != RS_OK) {
        return 8;
    }
    put(traffic->objects[0], 1, NIL);
    for (size_t index = 0; index < OBJECTS; index++) {
        if (rs_autoshare_mark(vm, slot, traffic->objects[index]) != RS_OK) {
            return 9;
        }
    }
    if (rs_ractor_access(vm, reader, slot, traffic->top) != RS_OK ||
        !rs_shareable_p(vm, traffic->objects[0])) {
        return 10;
    }
    if (rs_gc_begin(vm) != RS_OK || rs_gc_end(vm) != RS_OK) {
        return 11;
    }
    return rs_vm_free(vm) == RS_OK ? 0 : 12;
}

static void fork_under_traffic(const Configuration *configuration, Options options, size_t children)
{
    Traffic *traffic = begin_traffic(configuration, options);
    for (size_t round = 0; round < children; round++) {
        for (size_t step = 0; step < 5; step++) {
            disturb(traffic, round * 5 + step);
        }
        CHECK_OK(rs_before_fork(traffic->host->vm));
        pid_t child = fork();
        if (child == 0) {
            _exit(work_in_child(traffic));
        }
        CHECK_OK(rs_after_fork_parent(traffic->host->vm));
        CHECK_EQUAL(0, outcome_of(child));
    }
    end_traffic(traffic);
}

static size_t children_wanted(const Configuration *configuration)
{
    return scaled(configuration->thorough ? 400 : 40);
}

static void a_child_goes_on_with_the_vm(const Configuration *configuration)
{
    if (configuration->walk_mode == RS_WALK_CONCURRENT) {
        fork_under_traffic(configuration, (Options){0}, children_wanted(configuration));
    }
}

static void a_child_goes_on_with_provenance_and_verifier(const Configuration *configuration)
{
    if (configuration->walk_mode == RS_WALK_CONCURRENT) {
        Options options = {.options = RS_OPTION_PROVENANCE | RS_OPTION_VERIFY};
        fork_under_traffic(configuration, options, children_wanted(configuration) / 4);
    }
}

static void a_child_that_was_not_announced_is_told_so(const Configuration *configuration)
{
    Traffic *traffic = begin_traffic(configuration, (Options){0});
    for (size_t round = 0; round < children_wanted(configuration) / 4; round++) {
        disturb(traffic, round);
        pid_t child = fork();
        if (child == 0) {
            Host *host = traffic->host;
            rs_vm *vm = host->vm;
            uint32_t found = 0;
            alarm(20);
            bool told = rs_check_frozen(vm, host->main, traffic->top) == RS_ERR_FORKED &&
                        rs_autoshare_mark(vm, traffic->slot, traffic->top) == RS_ERR_FORKED &&
                        rs_shareable_p(vm, traffic->top) == RS_ERR_FORKED &&
                        rs_slot_state(vm, traffic->slot, &found) == RS_ERR_FORKED &&
                        rs_before_fork(vm) == RS_ERR_FORKED &&
                        rs_after_fork_parent(vm) == RS_ERR_FORKED &&
                        rs_gc_begin(vm) == RS_ERR_FORKED && rs_vm_free(vm) == RS_ERR_FORKED &&
                        rs_after_fork_child(vm) == RS_ERR_ARGUMENT &&
                        rs_check_frozen(vm, host->main, traffic->top) == RS_ERR_FORKED;
            _exit(told ? 0 : 1);
        }
        CHECK_EQUAL(0, outcome_of(child));
    }
    end_traffic(traffic);
}

static void a_child_that_never_calls_in_is_unharmed(const Configuration *configuration)
{
    Traffic *traffic = begin_traffic(configuration, (Options){0});
    for (size_t round = 0; round < children_wanted(configuration) / 4; round++) {
        disturb(traffic, round);
        pid_t child = fork();
        if (child == 0) {
            alarm(20);
            void *memory = malloc(100000);
            free(memory);
            exit(0);
        }
        CHECK_EQUAL(0, outcome_of(child));
    }
    end_traffic(traffic);
}

static void grandchildren_go_on_too(const Configuration *configuration)
{
    Host *host = host_open(configuration, (Options){0});
    rs_value top = pair(host, leaf(host), NIL);
    rs_slot slot = host_assign(host, "TOP", top);
    CHECK_OK(rs_before_fork(host->vm));
    CHECK_STATUS(RS_BUSY, rs_before_fork(host->vm));
    pid_t child = fork();
    if (child == 0) {
        CHECK_OK(rs_after_fork_child(host->vm));
        CHECK_OK(rs_before_fork(host->vm));
        pid_t grandchild = fork();
        if (grandchild == 0) {
            CHECK_STATUS(RS_ERR_FORKED, rs_check_frozen(host->vm, host->main, top));
            CHECK_OK(rs_after_fork_child(host->vm));
            CHECK_OK(host_access(host, host_ractor(host, NULL), slot, top));
            _exit(failed_checks() != 0);
        }
        CHECK_OK(rs_after_fork_parent(host->vm));
        CHECK_EQUAL(0, outcome_of(grandchild));
        CHECK_EQUAL(RS_STATE_ORDINARY, state(host, top));
        _exit(failed_checks() != 0);
    }
    CHECK_OK(rs_after_fork_parent(host->vm));
    CHECK_STATUS(RS_ERR_ARGUMENT, rs_after_fork_parent(host->vm));
    CHECK_EQUAL(0, outcome_of(child));
    host_close(host);
}

static void another_vm_of_the_child_must_be_announced_too(const Configuration *configuration)
{
    Host *one = host_open(configuration, (Options){0});
    Host *other = host_open(configuration, (Options){0});
    CHECK_OK(rs_before_fork(one->vm));
    pid_t child = fork();
    if (child == 0) {
        CHECK_OK(rs_after_fork_child(one->vm));
        CHECK_EQUAL(0, rs_frozen_p(one->vm, leaf(one)));
        CHECK_STATUS(RS_ERR_FORKED, rs_frozen_p(other->vm, leaf(other)));
        Host *third = host_open(configuration, (Options){0});
        CHECK_STATUS(RS_ERR_FORKED, rs_frozen_p(other->vm, leaf(other)));
        CHECK_EQUAL(0, rs_frozen_p(third->vm, leaf(third)));
        _exit(failed_checks() != 0);
    }
    CHECK_OK(rs_after_fork_parent(one->vm));
    CHECK_EQUAL(0, outcome_of(child));
    host_close(one);
    host_close(other);
}

typedef struct Forker {
    Host *host;
    rs_ractor ractor;
    rs_slot slot;
    rs_value top;
} Forker;

static void *fork_from_a_ractor(void *data)
{
    Forker *forker = data;
    Host *host = forker->host;
    host_enter_ractor(forker->ractor);
    CHECK_OK(rs_before_fork(host->vm));
    pid_t child = fork();
    if (child == 0) {
        alarm(20);
        CHECK_OK(rs_after_fork_child(host->vm));
        /* The ractor that forked is main now. */
        CHECK_STATUS(RS_ERR_CLOSED, rs_check_frozen(host->vm, host->main, forker->top));
        rs_ractor reader = host_ractor(host, NULL);
        rs_slot slot = host_constant(host, "CHILD");
        CHECK_OK(rs_autoshare_mark(host->vm, slot, forker->top));
        /* What main was changing when it ceased to exist is not being changed any more. */
        host_enter_ractor(reader);
        CHECK_OK(host_access(host, reader, slot, forker->top));
        _exit(failed_checks() != 0);
    }
    CHECK_OK(rs_after_fork_parent(host->vm));
    CHECK_EQUAL(0, outcome_of(child));
    return NULL;
}

static void a_ractor_besides_main_may_fork(const Configuration *configuration)
{
    Forker forker = {.host = host_open(configuration, (Options){.knows_ractors = true})};
    Host *host = forker.host;
    forker.ractor = host_ractor(host, "forker");
    forker.top = vector_of_leaves(host, 3);
    forker.slot = host_assign(host, "TOP", forker.top);
    CHECK_OK(rs_before_change(host->vm, host->main, forker.top));
    pthread_t thread;
    pthread_create(&thread, NULL, fork_from_a_ractor, &forker);
    pthread_join(thread, NULL);
    CHECK_OK(rs_after_change(host->vm, host->main, forker.top));
    host_close(host);
}

static void a_pull_walk_is_forgotten_by_the_child(const Configuration *configuration)
{
    static const uint32_t purposes[] = {RS_WALK_TO_MARK, RS_WALK_TO_ACCESS, RS_WALK_TO_SHARE};
    for (size_t index = 0; index < 3; index++) {
        Host *host = host_open(configuration, (Options){0});
        rs_ractor reader = host_ractor(host, NULL);
        rs_value top = vector_of_leaves(host, 3);
        rs_slot slot = host_constant(host, "TOP");
        if (purposes[index] == RS_WALK_TO_ACCESS) {
            CHECK_OK(rs_autoshare_mark(host->vm, slot, top));
        }
        rs_walk walk = 0;
        rs_value object = NIL;
        CHECK_STATUS(RS_MORE,
                     rs_walk_begin(host->vm,
                                   purposes[index] == RS_WALK_TO_ACCESS ? reader : host->main,
                                   purposes[index], slot, top, &walk));
        CHECK_STATUS(RS_MORE, rs_walk_next(host->vm, walk, &object));
        CHECK_OK(rs_before_fork(host->vm));
        pid_t child = fork();
        if (child == 0) {
            alarm(20);
            CHECK_OK(rs_after_fork_child(host->vm));
            CHECK_STATUS(RS_ERR_CLOSED, rs_walk_next(host->vm, walk, &object));
            CHECK_EQUAL(0, raw_flags(host, top) & RAW_PENDING);
            CHECK_OK(rs_autoshare_mark(host->vm, slot, top));
            CHECK_OK(host_access(host, host_ractor(host, NULL), slot, top));
            _exit(failed_checks() != 0);
        }
        CHECK_OK(rs_after_fork_parent(host->vm));
        CHECK_EQUAL(0, outcome_of(child));
        CHECK_OK(rs_walk_abort(host->vm, walk));
        host_close(host);
    }
}

static void *read_once(void *data)
{
    Traffic *traffic = data;
    rs_ractor_access(traffic->host->vm, traffic->readers[0], traffic->slot, traffic->top);
    return NULL;
}

static void a_thread_may_end_without_a_word(const Configuration *configuration)
{
    Traffic *traffic = begin_traffic(configuration, (Options){0});
    for (size_t round = 0; round < scaled(200); round++) {
        disturb(traffic, round);
        pthread_t thread;
        CHECK_EQUAL(0, pthread_create(&thread, NULL, read_once, traffic));
        pthread_join(thread, NULL);
    }
    end_traffic(traffic);
}

static void the_library_stays_when_it_is_closed(const Configuration *configuration)
{
    (void)configuration;
    Dl_info info;
    /* Where this process has it from. */
    CHECK(dladdr((void *)(uintptr_t)rs_version, &info) != 0);
    for (int round = 0; round < 3; round++) {
        void *library = dlopen(info.dli_fname, RTLD_NOW);
        if (library == NULL) {
            /* Linked statically. */
            return;
        }
        CHECK_EQUAL(0, dlclose(library));
    }
    CHECK_TEXT("0.1.0", rs_version_text());
}

static const Test tests[] = {
    TEST(a_child_goes_on_with_the_vm),
    TEST_ONCE(a_child_goes_on_with_provenance_and_verifier),
    TEST_ONCE(a_child_that_was_not_announced_is_told_so),
    TEST_ONCE(a_child_that_never_calls_in_is_unharmed),
    TEST(grandchildren_go_on_too),
    TEST_ONCE(another_vm_of_the_child_must_be_announced_too),
    TEST(a_ractor_besides_main_may_fork),
    TEST(a_pull_walk_is_forgotten_by_the_child),
    TEST_ONCE(a_thread_may_end_without_a_word),
    TEST_ONCE(the_library_stays_when_it_is_closed),
};

int main(int count, char **arguments)
{
    RUN_TESTS(tests);
}
