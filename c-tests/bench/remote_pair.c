/* remote_pair.c: makes the two processes, and says where they run. */

#include "remote_pair.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

void expect(rs_status status, const char *what)
{
    if (status != RS_OK) {
        fprintf(stderr, "%s: %s\n", what, rs_status_text(status));
        exit(1);
    }
}

void expect_that(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "%s\n", what);
        exit(1);
    }
}

void die_with_parent(void)
{
    expect_that(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0, "prctl");
}

/* === processors === */

/* Those that the program was given. */
static cpu_set_t *given(void)
{
    static cpu_set_t set;
    if (CPU_COUNT(&set) == 0)
        expect_that(sched_getaffinity(0, sizeof set, &set) == 0, "which processors are there?");
    return &set;
}

int can_run_apart(void)
{
    return CPU_COUNT(given()) > 1;
}

void run_on(unsigned number)
{
    cpu_set_t one;
    int last = -1;
    for (int processor = 0; processor < CPU_SETSIZE; processor++) {
        if (CPU_ISSET(processor, given())) {
            last = processor;
            if (number-- == 0)
                break;
        }
    }
    CPU_ZERO(&one);
    CPU_SET(last, &one);
    expect_that(sched_setaffinity(0, sizeof one, &one) == 0, "can't run on one processor");
}

void run_anywhere(void)
{
    expect_that(sched_setaffinity(0, sizeof *given(), given()) == 0, "can't run anywhere");
}

/* === the pair === */

static void own(rs_link_end end, Placement placement, MakeTop *make, size_t size)
{
    RemoteHost host;
    remote_host_open(&host, REMOTE_ROOM);
    host.top = make(&host, size);
    expect(rs_link_adopt(host.vm, host.main, NULL, &end, &host.link), "rs_link_adopt");
    expect(rs_link_export(host.vm, host.link, "top", host.top, RS_CAN_ALL), "rs_link_export");
    /* Only now: a link finds out how many processors there are when it is made. */
    if (placement == APART)
        run_on(OTHERS);
    while (rs_link_wait(host.vm, host.link, 0) == RS_OK) {
    }
    _exit(0);
}

void remote_pair_open(RemotePair *pair, Placement placement, MakeTop *make, size_t size)
{
    rs_link_end end;
    RemoteHost *host = &pair->host;
    remote_host_open(host, REMOTE_ROOM);
    if (placement == TOGETHER)
        run_on(ASKERS);
    expect(rs_link_new(host->vm, host->main, NULL, &host->link, &end), "rs_link_new");
    pair->owner = fork();
    expect_that(pair->owner >= 0, "fork");
    if (pair->owner == 0)
        own(end, placement, make, size);
    run_on(ASKERS);
    expect(rs_link_spawned(host->vm, host->link, pair->owner), "rs_link_spawned");
    rs_value top = 0;
    expect(rs_remote_variable(host->vm, host->link, "top", &top), "rs_remote_variable");
    pair->top = ((RemoteObject *)top)->length;
}

void remote_pair_close(RemotePair *pair)
{
    rs_link_close(pair->host.vm, pair->host.link, 0, 0);
    waitpid(pair->owner, NULL, 0);
    remote_host_close(&pair->host);
    run_anywhere();
}

rs_value remote_make_vector(RemoteHost *host, size_t size)
{
    RemoteObject *vector = remote_make(host, REMOTE_VECTOR, size);
    for (size_t index = 0; index < size; index++)
        vector->elements[index] = remote_integer((int64_t)index);
    return (rs_value)vector;
}

void remote_pair_get(RemotePair *pair, uint64_t index)
{
    rs_value value = 0;
    expect(rs_remote_get(pair->host.vm, pair->host.link, pair->top, index, &value),
           "rs_remote_get");
    expect_that(value == remote_integer((int64_t)index), "the wrong element");
}
