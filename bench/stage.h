/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One stage of the hot path, timed alone: nanoseconds, bytes and instructions a row beside its budget.
 *
 *     struct bench_stage stage = {.name = "bind", .rows = 4000, .budget_ns = 200};
 *     for (...) {
 *         bench_stage_begin(&stage);
 *         ...
 *         bench_stage_end(&stage, bytes);
 *     }
 *     bench_stage_tell(&stage);
 *
 * The best round counts: on a shared machine the others measure the neighbours. Instructions are those of
 * the calling thread outside the kernel; where the machine does not let them be counted, a dash stands there.
 */
#ifndef BENCH_STAGE_H
#define BENCH_STAGE_H

#include <stddef.h>
#include <stdint.h>

enum bench_clock {
    BENCH_WALL,
    BENCH_THREAD_CPU,  /* user and system time of the calling thread */
    BENCH_PROCESS_CPU, /* of all threads */
};

struct bench_stage {
    const char *name;
    uint32_t rows; /* in a round */
    int budget_ns; /* a row; 0: none */
    enum bench_clock clock;

    /* Filled as it goes. */
    int64_t began_ns, best_ns;
    uint64_t began_instructions, best_instructions;
    size_t bytes; /* of the last round */
    uint32_t rounds;
};

void bench_stage_begin(struct bench_stage *stage);
void bench_stage_end(struct bench_stage *stage, size_t bytes);

/* A line: name, ns, bytes, instructions, budget. */
void bench_stage_tell(const struct bench_stage *stage);

#endif
