/*
 * remote_references.c: many references that one process holds to another one's objects: what they
 * take of memory, and how long they outlive their holder.
 *
 * Here this process owns. Its child copies a vector of conses without its elements, so that it has
 * a reference to each, and holds them.
 */

#include "clock.h"
#include "figure.h"
#include "remote_measures.h"
#include "remote_pair.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the child tells by memory that both see. */
typedef struct Told {
    /* Not 0: it has all references, for which its library holds so many bytes. */
    size_t held;
} Told;

typedef struct Holding {
    RemoteHost host;
    Told *told;
    pid_t holder;
    /* Bytes that the library of the owner holds for the references. */
    size_t held;
} Holding;

static rs_value make_conses(RemoteHost *host, size_t size)
{
    RemoteObject *vector = remote_make(host, REMOTE_VECTOR, size);
    for (size_t index = 0; index < size; index++)
        vector->elements[index] = remote_cons(host, remote_integer((int64_t)index), REMOTE_NIL);
    return (rs_value)vector;
}

static rs_link_statistics counts(RemoteHost *host)
{
    rs_link_statistics counts = {.size = sizeof counts};
    expect(rs_link_counts(host->vm, host->link, &counts), "rs_link_counts");
    return counts;
}

static void hold(rs_link_end end, Told *told, size_t size)
{
    RemoteHost host;
    rs_value top = 0;
    rs_value copy = 0;
    const rs_limits root_alone = {0};
    die_with_parent();
    remote_host_open_counting(&host, REMOTE_ROOM);
    expect(rs_link_adopt(host.vm, host.main, NULL, &end, &host.link), "rs_link_adopt");
    run_on(OTHERS);
    expect(rs_remote_variable(host.vm, host.link, "top", &top), "rs_remote_variable");
    size_t before = host.held;
    rs_remote remote = ((RemoteObject *)top)->length;
    expect(rs_remote_copy(host.vm, remote, &root_alone, &copy), "rs_remote_copy");
    expect_that(counts(&host).remotes == size + 1, "references are missing");
    __atomic_store_n(&told->held, host.held - before, __ATOMIC_RELEASE);
    for (;;)
        pause();
}

/* Most nanoseconds between two looks at what the child has told. */
#define LOOK 1000000

static void holding_open(Holding *holding, size_t size)
{
    rs_link_end end;
    RemoteHost *host = &holding->host;
    holding->told =
        mmap(NULL, sizeof(Told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    expect_that(holding->told != MAP_FAILED, "mmap");
    remote_host_open_counting(host, REMOTE_ROOM);
    host->top = make_conses(host, size);
    expect(rs_link_new(host->vm, host->main, NULL, &host->link, &end), "rs_link_new");
    expect(rs_link_export(host->vm, host->link, "top", host->top, RS_CAN_ALL), "rs_link_export");
    holding->holder = fork();
    expect_that(holding->holder >= 0, "fork");
    if (holding->holder == 0)
        hold(end, holding->told, size);
    run_on(ASKERS);
    expect(rs_link_spawned(host->vm, host->link, holding->holder), "rs_link_spawned");
    /* The first request is for the vector. */
    expect(rs_link_wait(host->vm, host->link, 0), "rs_link_wait");
    size_t before = host->held;
    while (__atomic_load_n(&holding->told->held, __ATOMIC_ACQUIRE) == 0) {
        rs_status status = rs_link_wait(host->vm, host->link, LOOK);
        expect(status == RS_ERR_TIMEOUT ? RS_OK : status, "rs_link_wait");
    }
    expect_that(counts(host).pins == size + 1, "pins are missing");
    holding->held = host->held - before;
}

static void holding_close(Holding *holding)
{
    kill(holding->holder, SIGKILL);
    waitpid(holding->holder, NULL, 0);
    remote_host_close(&holding->host);
    munmap(holding->told, sizeof(Told));
    run_anywhere();
}

/* Milliseconds from the kill until there is no pin. */
static double kill_holder(Holding *holding)
{
    RemoteHost *host = &holding->host;
    double begun = clock_nanoseconds();
    kill(holding->holder, SIGKILL);
    while (counts(host).pins > 0) {
        rs_status status = rs_link_wait(host->vm, host->link, 0);
        expect(status == RS_ERR_DEAD ? RS_OK : status, "rs_link_wait");
    }
    return (clock_nanoseconds() - begun) / 1e6;
}

void measure_death(size_t rounds, size_t size)
{
    Figure figure = {.name = "death", .unit = "ms"};
    for (size_t round = 0; round < rounds; round++) {
        Holding holding;
        holding_open(&holding, size);
        figure_add(&figure, kill_holder(&holding));
        holding_close(&holding);
    }
    figure_print(&figure);
    figure_free(&figure);
}

void measure_memory(size_t rounds, size_t size)
{
    Figure owner = {.name = "memory/owner", .unit = "bytes"};
    Figure holder = {.name = "memory/holder", .unit = "bytes"};
    for (size_t round = 0; round < rounds; round++) {
        Holding holding;
        holding_open(&holding, size);
        figure_add(&owner, (double)holding.held / (double)size);
        figure_add(&holder, (double)holding.told->held / (double)size);
        holding_close(&holding);
    }
    figure_print(&owner);
    figure_print(&holder);
    figure_free(&owner);
    figure_free(&holder);
}
