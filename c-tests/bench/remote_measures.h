/* remote_measures.h: each measures for so many rounds, and prints its figures. */

#ifndef BENCH_REMOTE_MEASURES_H
#define BENCH_REMOTE_MEASURES_H

#include <stddef.h>

/* `size` is that of what is asked about, where it has one. */
typedef void Measure(size_t rounds, size_t size);

/* remote_calls.c */
Measure measure_awake;
Measure measure_asleep;
Measure measure_batch;

/* remote_copies.c */
Measure measure_copy;
Measure measure_bulk;
Measure measure_read;

/* remote_list.c */
Measure measure_list;

/* remote_references.c */
Measure measure_death;
Measure measure_memory;

#endif /* BENCH_REMOTE_MEASURES_H */
