/*
 * remote_beside.h: what a request of a link stands beside: another process answers the question for
 * an element of a vector, by what the machine or the kernel has for that.
 *
 * Mailboxes answer it. Sockets carry as many bytes as a request and its answer have, eventfds and
 * futexes only a number, and nothing is read from the vector: what that takes is nothing beside a
 * sleep.
 */

#ifndef BENCH_REMOTE_BESIDE_H
#define BENCH_REMOTE_BESIDE_H

#include <sys/types.h>

#include "remote_pair.h"

/* Words of a request for an element: serial number, deadline, code, pin, index, limit, no name, no
 * arguments. */
#define REQUEST_WORDS 8
/* Words of its answer: serial number, status, value. */
#define ANSWER_WORDS 3

typedef struct Beside Beside;

/* How one asks. */
typedef struct Means {
    const char *name;
    /* In the process that answers, for ever. */
    void (*answer)(Beside *beside);
    /* For element `index`; returns when the answer is there. */
    void (*ask)(Beside *beside, uint64_t index);
} Means;

/* Two cache lines, one for each direction, on which both processes spin. A line holds a whole
 * request, or a whole answer; its first word, the serial number, says that the rest is there. The
 * element is read by the host's `operate`. */
extern const Means mailboxes;
/* A byte stream; both processes sleep in `read`. */
extern const Means unix_socket;
/* A socket again, but both sleep in `ppoll` on it and on the other's process: so either would
 * notice that the other one has died. */
extern const Means socket_and_pidfd;
/* One eventfd for each direction; both sleep in `read`. */
extern const Means eventfds;
/* One word of shared memory for each direction; both sleep on it. */
extern const Means futexes;

struct Mailbox;

struct Beside {
    const Means *means;
    pid_t process;
    /* The vector, in a host of which each process has a copy. */
    RemoteHost *host;
    rs_value top;
    /* In the order of asker and answerer: its end of the socket, the process of the other one, and
     * the eventfd that wakes it. */
    int sockets[2];
    int processes[2];
    int events[2];
    /* Shared: the question, and the answer. */
    struct Mailbox *boxes;
    uint64_t serial;
};

/* The one who answers runs where the owner of a pair of this placement does. */
void beside_open(Beside *beside, const Means *means, Placement placement, RemoteHost *host,
                 rs_value top);
void beside_close(Beside *beside);

static inline void beside_ask(Beside *beside, uint64_t index)
{
    beside->means->ask(beside, index);
}

#endif /* BENCH_REMOTE_BESIDE_H */
