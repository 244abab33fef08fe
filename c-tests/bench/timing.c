#include "timing.h"

#include "clock.h"

double median_of(Samples *samples)
{
    samples_sort(samples);
    double value = samples_quantile(samples, 0.5);
    samples_free(samples);
    return value;
}

double time_calls(TimedCall *call, void *subject, size_t blocks)
{
    Samples samples = {0};
    for (size_t block = 0; block <= blocks; block++) {
        double begun = clock_nanoseconds();
        for (size_t number = 0; number < TIMING_BLOCK; number++)
            call(subject, number);
        double spent = clock_nanoseconds() - begun;
        if (block > 0)
            samples_add(&samples, spent / TIMING_BLOCK);
    }
    return median_of(&samples);
}
