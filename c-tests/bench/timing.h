/* timing.h: how long a call takes that is too short for the clock. */

#ifndef BENCH_TIMING_H
#define BENCH_TIMING_H

#include <stddef.h>

#include "figure.h"

/* Calls between two looks at the clock. */
#define TIMING_BLOCK 100

/* `number` is that of the call within its block. */
typedef void TimedCall(void *subject, size_t number);

/* Nanoseconds of a call, in the median of so many blocks: somebody else's time slice hits few of
 * them. One more goes before them, to warm up. */
double time_calls(TimedCall *call, void *subject, size_t blocks);

/* The median of samples, which are freed. */
double median_of(Samples *samples);

#endif /* BENCH_TIMING_H */
