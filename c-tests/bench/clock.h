/* clock.h: time. */

#ifndef BENCH_CLOCK_H
#define BENCH_CLOCK_H

#include <time.h>

/* Since some moment; never goes back. */
static inline double clock_nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

#endif /* BENCH_CLOCK_H */
