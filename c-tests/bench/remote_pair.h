/*
 * remote_pair.h: two processes with a link between them. This one asks; the other one owns what is
 * asked about.
 */

#ifndef BENCH_REMOTE_PAIR_H
#define BENCH_REMOTE_PAIR_H

#include <sys/types.h>

#include "remote_host.h"

/* Bytes for the objects of a process. */
#define REMOTE_ROOM ((size_t)4 << 30)

/* Where the two run: on processors of their own, if there are two, or on the same. */
typedef enum Placement { APART, TOGETHER } Placement;

/* Makes what the owner exports, of a size that the two agree on. */
typedef rs_value MakeTop(RemoteHost *host, size_t size);

typedef struct RemotePair {
    RemoteHost host;
    pid_t owner;
    rs_remote top;
} RemotePair;

/* The owner serves until its peer is gone. */
void remote_pair_open(RemotePair *pair, Placement placement, MakeTop *make, size_t size);
void remote_pair_close(RemotePair *pair);

/* A vector of so many integers: each is its own number. */
MakeTop remote_make_vector;

/* Element `index` of what the owner exports, which is such a vector. */
void remote_pair_get(RemotePair *pair, uint64_t index);

/* Processors of a pair: that of the asker, and of the other one if they run apart. */
#define ASKERS 0
#define OTHERS 1

int can_run_apart(void);

/* From now on this process runs on one processor, of those that it could use when it began; on the
 * last of them if there are fewer. */
void run_on(unsigned number);
/* It may use all of them again. */
void run_anywhere(void);

/* In a child that would not notice by itself: it is killed when its parent ends, however that
 * comes. */
void die_with_parent(void);

/* Ends the program unless all is well. */
void expect(rs_status status, const char *what);
void expect_that(int holds, const char *what);

#endif /* BENCH_REMOTE_PAIR_H */
