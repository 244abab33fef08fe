/* remote_beside.c: asking by other means than a link. */

#include "remote_beside.h"

#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ASKER, ANSWERER };

/* Lines are fetched in pairs by some processors. */
typedef struct Mailbox {
    _Alignas(128) uint64_t words[8];
} Mailbox;

/* === mailboxes === */

static void await_serial(const Mailbox *box, uint64_t serial)
{
    while (__atomic_load_n(&box->words[0], __ATOMIC_ACQUIRE) != serial) {
    }
}

static void answer_mails(Beside *beside)
{
    const Mailbox *request = &beside->boxes[ASKER];
    Mailbox *answer = &beside->boxes[ANSWERER];
    for (uint64_t serial = 1;; serial++) {
        await_serial(request, serial);
        rs_operation operation = rs_operation_init((uint32_t)request->words[2]);
        operation.index = request->words[4];
        rs_value value = 0;
        rs_status status = remote_operate(beside->host, 0, beside->top, &operation, &value);
        answer->words[1] = (uint64_t)status;
        answer->words[2] = value;
        __atomic_store_n(&answer->words[0], serial, __ATOMIC_RELEASE);
    }
}

static void mail(Beside *beside, uint64_t index)
{
    Mailbox *request = &beside->boxes[ASKER];
    const Mailbox *answer = &beside->boxes[ANSWERER];
    const uint64_t words[REQUEST_WORDS] = {0, UINT64_MAX, RS_READ_ELEMENT, 1, index, 0, 0, 0};
    memcpy(&request->words[1], &words[1], sizeof words - sizeof words[0]);
    __atomic_store_n(&request->words[0], ++beside->serial, __ATOMIC_RELEASE);
    await_serial(answer, beside->serial);
    expect_that(answer->words[1] == RS_OK && answer->words[2] == remote_integer((int64_t)index),
                "the wrong mail");
}

const Means mailboxes = {"mailboxes", answer_mails, mail};

/* === sockets === */

#define REQUEST_BYTES ((ssize_t)(REQUEST_WORDS * sizeof(uint64_t)))
#define ANSWER_BYTES ((ssize_t)(ANSWER_WORDS * sizeof(uint64_t)))

static void answer_by_socket(Beside *beside)
{
    uint64_t words[REQUEST_WORDS];
    int socket = beside->sockets[ANSWERER];
    while (read(socket, words, REQUEST_BYTES) == REQUEST_BYTES)
        expect_that(write(socket, words, ANSWER_BYTES) == ANSWER_BYTES, "write");
}

static void ask_by_socket(Beside *beside, uint64_t index)
{
    uint64_t words[REQUEST_WORDS] = {index};
    int socket = beside->sockets[ASKER];
    expect_that(write(socket, words, REQUEST_BYTES) == REQUEST_BYTES, "write");
    expect_that(read(socket, words, ANSWER_BYTES) == ANSWER_BYTES, "read");
}

const Means unix_socket = {"Unix socket", answer_by_socket, ask_by_socket};

/* Until there is something in the socket of one side; whether there is, and the other one lives. */
static int sleep_for(const Beside *beside, int side)
{
    struct pollfd wanted[] = {{beside->sockets[side], POLLIN, 0},
                              {beside->processes[side], POLLIN, 0}};
    return ppoll(wanted, 2, NULL, NULL) == 1 && (wanted[0].revents & POLLIN) != 0;
}

static void answer_awakened(Beside *beside)
{
    uint64_t words[REQUEST_WORDS];
    int socket = beside->sockets[ANSWERER];
    while (sleep_for(beside, ANSWERER) &&
           recv(socket, words, REQUEST_BYTES, MSG_DONTWAIT) == REQUEST_BYTES)
        expect_that(send(socket, words, ANSWER_BYTES, MSG_NOSIGNAL) == ANSWER_BYTES, "send");
}

static void ask_asleep(Beside *beside, uint64_t index)
{
    uint64_t words[REQUEST_WORDS] = {index};
    int socket = beside->sockets[ASKER];
    expect_that(send(socket, words, REQUEST_BYTES, MSG_NOSIGNAL) == REQUEST_BYTES, "send");
    expect_that(sleep_for(beside, ASKER), "the answerer has died");
    expect_that(recv(socket, words, ANSWER_BYTES, MSG_DONTWAIT) == ANSWER_BYTES, "recv");
}

const Means socket_and_pidfd = {"socket and pidfd", answer_awakened, ask_asleep};

/* === eventfds === */

static void answer_events(Beside *beside)
{
    uint64_t count;
    while (read(beside->events[ANSWERER], &count, sizeof count) > 0)
        expect_that(write(beside->events[ASKER], &count, sizeof count) > 0, "write");
}

static void ask_by_event(Beside *beside, uint64_t index)
{
    (void)index;
    uint64_t count = 1;
    expect_that(write(beside->events[ANSWERER], &count, sizeof count) > 0, "write");
    expect_that(read(beside->events[ASKER], &count, sizeof count) > 0, "read");
}

const Means eventfds = {"eventfd", answer_events, ask_by_event};

/* === futexes === */

static uint32_t *futex_of(const Beside *beside, int side)
{
    return (uint32_t *)beside->boxes[side].words;
}

/* Sets the word of one side, and wakes who sleeps on it. */
static void set_futex(const Beside *beside, int side, uint32_t value)
{
    uint32_t *futex = futex_of(beside, side);
    __atomic_store_n(futex, value, __ATOMIC_RELEASE);
    syscall(SYS_futex, futex, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void await_futex(const Beside *beside, int side, uint32_t value)
{
    uint32_t *futex = futex_of(beside, side);
    uint32_t seen;
    while ((seen = __atomic_load_n(futex, __ATOMIC_ACQUIRE)) != value)
        syscall(SYS_futex, futex, FUTEX_WAIT, seen, NULL, NULL, 0);
}

static void answer_futex(Beside *beside)
{
    for (uint32_t serial = 1;; serial++) {
        await_futex(beside, ASKER, serial);
        set_futex(beside, ANSWERER, serial);
    }
}

static void ask_by_futex(Beside *beside, uint64_t index)
{
    (void)index;
    uint32_t serial = (uint32_t)++beside->serial;
    set_futex(beside, ASKER, serial);
    await_futex(beside, ANSWERER, serial);
}

const Means futexes = {"futex", answer_futex, ask_by_futex};

/* === the process that answers === */

/* -1, which `ppoll` passes over, where there are none: under valgrind. */
static int process_descriptor(pid_t process)
{
    return (int)syscall(SYS_pidfd_open, process, 0);
}

void beside_open(Beside *beside, const Means *means, Placement placement, RemoteHost *host,
                 rs_value top)
{
    memset(beside, 0, sizeof *beside);
    beside->means = means;
    beside->host = host;
    beside->top = top;
    beside->boxes =
        mmap(NULL, 2 * sizeof(Mailbox), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    expect_that(beside->boxes != MAP_FAILED, "mmap");
    expect_that(socketpair(AF_UNIX, SOCK_STREAM, 0, beside->sockets) == 0, "socketpair");
    beside->events[ASKER] = eventfd(0, 0);
    beside->events[ANSWERER] = eventfd(0, 0);
    beside->processes[ANSWERER] = process_descriptor(getpid());
    beside->process = fork();
    expect_that(beside->process >= 0, "fork");
    if (beside->process == 0) {
        die_with_parent();
        run_on(placement == APART ? OTHERS : ASKERS);
        means->answer(beside);
        _exit(0);
    }
    beside->processes[ASKER] = process_descriptor(beside->process);
}

void beside_close(Beside *beside)
{
    kill(beside->process, SIGKILL);
    waitpid(beside->process, NULL, 0);
    for (int side = ASKER; side <= ANSWERER; side++) {
        close(beside->sockets[side]);
        close(beside->processes[side]);
        close(beside->events[side]);
    }
    munmap(beside->boxes, 2 * sizeof(Mailbox));
}
