/*
 * figure.h: what a program has measured, as one line of JSON for the one that runs it:
 *
 *     {"figure": "mark", "unit": "ns/object", "ours": [9.1, …], "beside": {"c mark": [8.7, …]}}
 *
 * Samples of one index were taken one right after the other, so that their ratio is worth more than
 * the ratio of two medians on a machine that others use too.
 */

#ifndef BENCH_FIGURE_H
#define BENCH_FIGURE_H

#include <stdbool.h>
#include <stddef.h>

#define FIGURE_PEERS 6

typedef struct Samples {
    double *values;
    size_t length;
    size_t capacity;
} Samples;

typedef struct Figure {
    const char *name;
    const char *unit;
    Samples ours;
    size_t peers;
    const char *peer_names[FIGURE_PEERS];
    Samples peer_samples[FIGURE_PEERS];
} Figure;

void samples_add(Samples *samples, double value);
void samples_sort(Samples *samples);
/* Of sorted samples: the value that this share of them does not exceed. There must be so many that
 * at least one may exceed it. */
double samples_quantile(const Samples *samples, double share);
bool samples_have_quantile(const Samples *samples, double share);
void samples_free(Samples *samples);

/* A peer is made by its first sample. A figure that has no samples could not be measured. */
void figure_add(Figure *figure, double ours);
void figure_add_beside(Figure *figure, const char *peer, double value);
void figure_print(const Figure *figure);
void figure_free(Figure *figure);

#endif /* BENCH_FIGURE_H */
