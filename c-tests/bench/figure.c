/* figure.c: samples, and the line that tells of them. */

#include "figure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void samples_add(Samples *samples, double value)
{
    if (samples->length == samples->capacity) {
        samples->capacity = samples->capacity ? samples->capacity * 2 : 64;
        samples->values = realloc(samples->values, samples->capacity * sizeof *samples->values);
        if (!samples->values) {
            fputs("out of memory\n", stderr);
            exit(1);
        }
    }
    samples->values[samples->length++] = value;
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

void samples_sort(Samples *samples)
{
    if (samples->length > 0)
        qsort(samples->values, samples->length, sizeof *samples->values, compare);
}

bool samples_have_quantile(const Samples *samples, double share)
{
    return samples->length > 0 && (1 - share) * (double)samples->length >= (share < 1);
}

double samples_quantile(const Samples *samples, double share)
{
    size_t index = (size_t)(share * (double)samples->length);
    return samples->values[index < samples->length ? index : samples->length - 1];
}

void samples_free(Samples *samples)
{
    free(samples->values);
    *samples = (Samples){0};
}

void figure_add(Figure *figure, double ours)
{
    samples_add(&figure->ours, ours);
}

void figure_add_beside(Figure *figure, const char *peer, double value)
{
    size_t index = 0;
    while (index < figure->peers && strcmp(figure->peer_names[index], peer) != 0)
        index++;
    if (index == FIGURE_PEERS) {
        fputs("too many peers\n", stderr);
        exit(1);
    }
    if (index == figure->peers) {
        figure->peer_names[index] = peer;
        figure->peers++;
    }
    samples_add(&figure->peer_samples[index], value);
}

static void print_samples(const Samples *samples)
{
    putchar('[');
    for (size_t index = 0; index < samples->length; index++)
        printf("%s%.6g", index ? ", " : "", samples->values[index]);
    putchar(']');
}

void figure_print(const Figure *figure)
{
    printf("{\"figure\": \"%s\", \"unit\": \"%s\", \"ours\": ", figure->name, figure->unit);
    print_samples(&figure->ours);
    printf(", \"beside\": {");
    for (size_t index = 0; index < figure->peers; index++) {
        printf("%s\"%s\": ", index ? ", " : "", figure->peer_names[index]);
        print_samples(&figure->peer_samples[index]);
    }
    puts("}}");
    fflush(stdout);
}

void figure_free(Figure *figure)
{
    samples_free(&figure->ours);
    for (size_t index = 0; index < figure->peers; index++)
        samples_free(&figure->peer_samples[index]);
}
