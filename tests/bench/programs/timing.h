/* timing.h: the clock, and how a program says what it measured: one line "label value value ..." a series. */
#ifndef BENCH_TIMING_H
#define BENCH_TIMING_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static inline double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* What two looks at the clock cost: the least of many. */
static inline double clock_cost(void)
{
    double least = 1e9;
    for (int i = 0; i < 1000; i++) {
        double begin = now_ns(), took = now_ns() - begin;
        if (took < least)
            least = took;
    }
    return least;
}

static inline void print_series(const char *label, const double *values, int count)
{
    printf("%s", label);
    for (int i = 0; i < count; i++)
        printf(" %.1f", values[i]);
    printf("\n");
}

static inline double *series(int count)
{
    double *values = calloc((size_t)count, sizeof *values);
    if (!values)
        abort();
    return values;
}

static inline void require(int well, const char *what)
{
    if (!well) {
        perror(what);
        exit(1);
    }
}

#endif
