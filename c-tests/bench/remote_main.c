/*
 * remote_main.c: a process that works on another one's objects, beside what the machine and the
 * kernel need for the same at least.
 *
 *     bench-remote awake|asleep|batch|copy|bulk|read ROUNDS
 *
 * awake    reads elements of a remote vector, one after the other, both processes spinning; beside
 * it two mailboxes of a cache line each that carry as many bytes, and the same read in process
 * behind them; and a Unix socket asleep   the same with 100 microseconds between; beside it a byte
 * over a socket and back, each side asleep in ppoll on socket and pidfd batch    64 reads begun and
 * then finished; beside it the same reads in process copy     a graph of 10^6 objects copied into
 * this process; beside it the same, rebuilt in one process by a walk written for this heap bulk a
 * string of 64 MiB; beside it two memcpys read     an element of an image, in cache; beside it a
 * field of a struct
 */

#include "clock.h"
#include "figure.h"
#include "remote_host.h"

#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ELEMENTS 1000
#define BULK ((size_t)64 << 20)
#define ROOM ((size_t)4 << 30)

static void expect(rs_status status, const char *what)
{
    if (status != RS_OK) {
        fprintf(stderr, "%s: %s\n", what, rs_status_text(status));
        exit(1);
    }
}

/* Each process has a processor of its own, if there are two. */
static void pin_to(int processor)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    sched_setaffinity(0, sizeof set, &set);
}

/* === two processes === */

typedef rs_value (*MakeTop)(RemoteHost *host);

static rs_value make_vector(RemoteHost *host)
{
    RemoteObject *vector = remote_make(host, REMOTE_VECTOR, ELEMENTS);
    for (size_t index = 0; index < ELEMENTS; index++) {
        vector->elements[index] = remote_integer((int64_t)index);
    }
    return (rs_value)vector;
}

static rs_value make_graph(RemoteHost *host)
{
    return remote_graph(host, 1000000);
}

static rs_value make_string(RemoteHost *host)
{
    RemoteObject *string = remote_make(host, REMOTE_STRING, BULK);
    memset(string->elements, 'x', BULK);
    return (rs_value)string;
}

/* The owner: serves until its peer is gone. */
static void own(rs_link_end end, MakeTop make)
{
    RemoteHost host;
    remote_host_open(&host, ROOM);
    host.top = make(&host);
    expect(rs_link_adopt(host.vm, host.main, NULL, &end, &host.link), "rs_link_adopt");
    expect(rs_link_export(host.vm, host.link, "top", host.top, RS_CAN_ALL), "rs_link_export");
    /* Only now: a link finds out how many processors there are when it is made. */
    pin_to(1);
    while (rs_link_wait(host.vm, host.link, 0) == RS_OK) {
    }
    _exit(0);
}

typedef struct Pair {
    RemoteHost host;
    pid_t owner;
    rs_remote top;
} Pair;

static void pair_open(Pair *pair, MakeTop make)
{
    rs_link_end end;
    remote_host_open(&pair->host, ROOM);
    expect(rs_link_new(pair->host.vm, pair->host.main, NULL, &pair->host.link, &end),
           "rs_link_new");
    pair->owner = fork();
    if (pair->owner == 0) {
        own(end, make);
    }
    pin_to(0);
    expect(rs_link_spawned(pair->host.vm, pair->host.link, pair->owner), "rs_link_spawned");
    rs_value top = 0;
    expect(rs_remote_variable(pair->host.vm, pair->host.link, "top", &top), "rs_remote_variable");
    pair->top = ((RemoteObject *)top)->length;
}

static void pair_close(Pair *pair)
{
    rs_link_close(pair->host.vm, pair->host.link, 0, 0);
    waitpid(pair->owner, NULL, 0);
    remote_host_close(&pair->host);
}

static void get(Pair *pair, uint64_t index)
{
    rs_value value = 0;
    expect(rs_remote_get(pair->host.vm, pair->host.link, pair->top, index, &value),
           "rs_remote_get");
    if (value != remote_integer((int64_t)index)) {
        fprintf(stderr, "the wrong element\n");
        exit(1);
    }
}

/* === what stands beside === */

/* A cache line of its own: a sequence number, and as many bytes as a request or an answer has. */
typedef struct Mailbox {
    _Alignas(128) volatile uint64_t sequence;
    uint64_t words[8];
} Mailbox;

typedef struct Mailboxes {
    Mailbox request;
    Mailbox answer;
} Mailboxes;

static void answer_mails(Mailboxes *boxes)
{
    RemoteHost host;
    pin_to(1);
    remote_host_open(&host, 1 << 20);
    rs_value top = make_vector(&host);
    for (uint64_t next = 1;; next++) {
        while (__atomic_load_n(&boxes->request.sequence, __ATOMIC_ACQUIRE) != next) {
            __builtin_ia32_pause();
        }
        rs_value value = 0;
        remote_read_element(top, boxes->request.words[4], &value);
        boxes->answer.words[2] = value;
        __atomic_store_n(&boxes->answer.sequence, next, __ATOMIC_RELEASE);
    }
}

typedef struct Beside {
    Mailboxes *boxes;
    pid_t answering;
    int socket;
    pid_t echoing;
    int echoing_descriptor;
    uint64_t next;
} Beside;

static void echo(int socket, int peer)
{
    pin_to(1);
    for (;;) {
        struct pollfd wanted[] = {{socket, POLLIN, 0}, {peer, POLLIN, 0}};
        char byte[64];
        ppoll(wanted, peer < 0 ? 1 : 2, NULL, NULL);
        ssize_t size = recv(socket, byte, sizeof byte, MSG_DONTWAIT);
        if (size <= 0 || send(socket, byte, (size_t)size, MSG_NOSIGNAL) <= 0) {
            _exit(0);
        }
    }
}

static void beside_open(Beside *beside)
{
    memset(beside, 0, sizeof *beside);
    beside->boxes =
        mmap(NULL, sizeof(Mailboxes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    beside->answering = fork();
    if (beside->answering == 0) {
        answer_mails(beside->boxes);
    }
    int ends[2];
    socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends);
    pid_t parent = getpid();
    beside->echoing = fork();
    if (beside->echoing == 0) {
        close(ends[0]);
        echo(ends[1], (int)syscall(SYS_pidfd_open, parent, 0));
    }
    close(ends[1]);
    beside->socket = ends[0];
    beside->echoing_descriptor = (int)syscall(SYS_pidfd_open, beside->echoing, 0);
    /* Each is stopped while the other one is measured. */
    kill(beside->answering, SIGSTOP);
}

static void beside_close(Beside *beside)
{
    kill(beside->answering, SIGKILL);
    kill(beside->echoing, SIGKILL);
    waitpid(beside->answering, NULL, 0);
    waitpid(beside->echoing, NULL, 0);
    close(beside->socket);
    close(beside->echoing_descriptor);
    munmap(beside->boxes, sizeof(Mailboxes));
}

static void mail(Beside *beside, uint64_t index)
{
    Mailboxes *boxes = beside->boxes;
    beside->next++;
    for (size_t word = 0; word < 8; word++) {
        boxes->request.words[word] = index;
    }
    __atomic_store_n(&boxes->request.sequence, beside->next, __ATOMIC_RELEASE);
    while (__atomic_load_n(&boxes->answer.sequence, __ATOMIC_ACQUIRE) != beside->next) {
        __builtin_ia32_pause();
    }
}

static void call_by_socket(Beside *beside)
{
    char bytes[64] = {0};
    struct pollfd wanted[] = {{beside->socket, POLLIN, 0}, {beside->echoing_descriptor, POLLIN, 0}};
    send(beside->socket, bytes, sizeof bytes, MSG_NOSIGNAL);
    ppoll(wanted, 2, NULL, NULL);
    recv(beside->socket, bytes, sizeof bytes, MSG_DONTWAIT);
}

/* === what is measured === */

#define CALLS 20000
#define SLEEPS 300

static void measure_awake(Pair *pair, Beside *beside, Figure *figure)
{
    double begun = clock_nanoseconds();
    for (uint64_t call = 0; call < CALLS; call++) {
        get(pair, call % ELEMENTS);
    }
    figure_add(figure, (clock_nanoseconds() - begun) / CALLS);
    kill(beside->answering, SIGCONT);
    mail(beside, 0);
    begun = clock_nanoseconds();
    for (uint64_t call = 0; call < CALLS; call++) {
        mail(beside, call % ELEMENTS);
    }
    figure_add_beside(figure, "mailboxes", (clock_nanoseconds() - begun) / CALLS);
    kill(beside->answering, SIGSTOP);
    begun = clock_nanoseconds();
    for (uint64_t call = 0; call < CALLS / 20; call++) {
        call_by_socket(beside);
    }
    figure_add_beside(figure, "Unix socket", (clock_nanoseconds() - begun) / (CALLS / 20));
}

static void measure_asleep(Pair *pair, Beside *beside, Figure *figure)
{
    double ours = 0;
    double socket = 0;
    for (uint64_t call = 0; call < SLEEPS; call++) {
        usleep(100);
        double begun = clock_nanoseconds();
        get(pair, call % ELEMENTS);
        ours += clock_nanoseconds() - begun;
        usleep(100);
        begun = clock_nanoseconds();
        call_by_socket(beside);
        socket += clock_nanoseconds() - begun;
    }
    figure_add(figure, ours / SLEEPS);
    figure_add_beside(figure, "socket and pidfd", socket / SLEEPS);
}

#define BATCH 64

static void measure_batch(Pair *pair, Figure *figure)
{
    rs_operation operation = rs_operation_init(RS_READ_ELEMENT);
    RemoteHost *host = &pair->host;
    double begun = clock_nanoseconds();
    for (size_t round = 0; round < CALLS / BATCH; round++) {
        uint64_t requests[BATCH];
        for (size_t index = 0; index < BATCH; index++) {
            operation.index = index;
            expect(rs_remote_begin(host->vm, host->link, pair->top, &operation, &requests[index]),
                   "rs_remote_begin");
        }
        for (size_t index = 0; index < BATCH; index++) {
            rs_value value = 0;
            expect(rs_remote_finish(host->vm, host->link, requests[index], 1, &value),
                   "rs_remote_finish");
        }
    }
    figure_add(figure, (clock_nanoseconds() - begun) / CALLS);
    static rs_value top;
    if (top == 0) {
        top = make_vector(host);
    }
    rs_value sum = 0;
    begun = clock_nanoseconds();
    for (size_t call = 0; call < CALLS; call++) {
        rs_value value = 0;
        remote_read_element(top, call % BATCH, &value);
        sum += value;
    }
    figure_add_beside(figure, "in process", (clock_nanoseconds() - begun) / CALLS);
    if (sum == 0) {
        exit(1);
    }
}

static void copy_top(Pair *pair, rs_value *copy)
{
    expect(rs_remote_copy(pair->host.vm, pair->top, NULL, copy), "rs_remote_copy");
}

static void measure_copy(Pair *pair, Figure *figure)
{
    RemoteHost *host = &pair->host;
    size_t used = host->used;
    rs_value copy = 0;
    double begun = clock_nanoseconds();
    copy_top(pair, &copy);
    double ours = clock_nanoseconds() - begun;
    rs_value again = 0;
    begun = clock_nanoseconds();
    size_t objects = remote_rebuild(host, copy, &again);
    double rebuilt = clock_nanoseconds() - begun;
    figure_add(figure, ours / (double)objects);
    figure_add_beside(figure, "C rebuild", rebuilt / (double)objects);
    remote_host_forget(host, used);
}

static void measure_bulk(Pair *pair, Figure *figure)
{
    RemoteHost *host = &pair->host;
    size_t used = host->used;
    static char *from;
    static char *to;
    if (from == NULL) {
        from = malloc(BULK);
        to = malloc(BULK);
        memset(from, 1, BULK);
        memset(to, 1, BULK);
    }
    rs_value copy = 0;
    double begun = clock_nanoseconds();
    copy_top(pair, &copy);
    figure_add(figure, (clock_nanoseconds() - begun) / 1e6);
    begun = clock_nanoseconds();
    memcpy(to, from, BULK);
    memcpy(from, to, BULK);
    figure_add_beside(figure, "two memcpys", (clock_nanoseconds() - begun) / 1e6);
    remote_host_forget(host, used);
}

#define READS 2000000

static void measure_read(RemoteHost *host, Figure *figure)
{
    rs_image id = 0;
    const uint64_t *image = NULL;
    size_t count = 0;
    expect(rs_image_encode(host->vm, host->main, host->top, NULL, &id), "rs_image_encode");
    expect(rs_image_words(host->vm, id, &image, &count), "rs_image_words");
    uint64_t root = rs_image_root(image);
    int64_t sum = 0;
    double begun = clock_nanoseconds();
    for (uint64_t read = 0; read < READS; read++) {
        sum += rs_image_integer(image, rs_image_element(image, root, read % 512));
    }
    figure_add(figure, (clock_nanoseconds() - begun) / READS);
    volatile const RemoteObject *object = (const RemoteObject *)host->top;
    begun = clock_nanoseconds();
    for (uint64_t read = 0; read < READS; read++) {
        sum += (int64_t)object->elements[read % 512] >> 1;
    }
    figure_add_beside(figure, "C struct", (clock_nanoseconds() - begun) / READS);
    if (sum == 0) {
        exit(1);
    }
    rs_image_free(host->vm, id);
}

static void run_calls(const char *what, unsigned long rounds)
{
    Pair pair;
    Beside beside;
    Figure figure = {.name = what, .unit = "ns"};
    beside_open(&beside);
    pair_open(&pair, make_vector);
    for (unsigned long round = 0; round < rounds; round++) {
        if (strcmp(what, "awake") == 0) {
            measure_awake(&pair, &beside, &figure);
        } else if (strcmp(what, "asleep") == 0) {
            measure_asleep(&pair, &beside, &figure);
        } else {
            measure_batch(&pair, &figure);
        }
    }
    figure_print(&figure);
    figure_free(&figure);
    pair_close(&pair);
    beside_close(&beside);
}

static void run_copies(const char *what, unsigned long rounds)
{
    Pair pair;
    int is_bulk = strcmp(what, "bulk") == 0;
    Figure figure = {.name = what, .unit = is_bulk ? "ms" : "ns/object"};
    pair_open(&pair, is_bulk ? make_string : make_graph);
    for (unsigned long round = 0; round < rounds; round++) {
        if (is_bulk) {
            measure_bulk(&pair, &figure);
        } else {
            measure_copy(&pair, &figure);
        }
    }
    figure_print(&figure);
    figure_free(&figure);
    pair_close(&pair);
}

static void run_reads(unsigned long rounds)
{
    RemoteHost host;
    Figure figure = {.name = "read", .unit = "ns"};
    remote_host_open(&host, ROOM);
    host.top = make_vector(&host);
    for (unsigned long round = 0; round < rounds; round++) {
        measure_read(&host, &figure);
    }
    figure_print(&figure);
    figure_free(&figure);
    remote_host_close(&host);
}

int main(int count, char **arguments)
{
    if (count != 3) {
        fprintf(stderr, "usage: bench-remote awake|asleep|batch|copy|bulk|read ROUNDS\n");
        return 2;
    }
    const char *what = arguments[1];
    unsigned long rounds = strtoul(arguments[2], NULL, 10);
    if (strcmp(what, "read") == 0) {
        run_reads(rounds);
    } else if (strcmp(what, "copy") == 0 || strcmp(what, "bulk") == 0) {
        run_copies(what, rounds);
    } else {
        run_calls(what, rounds);
    }
    return 0;
}
