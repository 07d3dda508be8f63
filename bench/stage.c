/* SPDX-License-Identifier: Apache-2.0 */
#include "stage.h"

#include <linux/perf_event.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int64_t clock_ns(enum bench_clock clock)
{
    static const clockid_t ids[] = {
        [BENCH_WALL] = CLOCK_MONOTONIC,
        [BENCH_THREAD_CPU] = CLOCK_THREAD_CPUTIME_ID,
        [BENCH_PROCESS_CPU] = CLOCK_PROCESS_CPUTIME_ID,
    };
    struct timespec now;

    (void)clock_gettime(ids[clock], &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* The thread's counter, opened once; -1 where there is none (virtual machines, perf_event_paranoid). */
static int counter(void)
{
    static _Thread_local int fd = -2;
    struct perf_event_attr attr = {.type = PERF_TYPE_HARDWARE,
                                   .size = sizeof(attr),
                                   .config = PERF_COUNT_HW_INSTRUCTIONS,
                                   .exclude_kernel = 1,
                                   .exclude_hv = 1};

    if (fd == -2)
        fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
    return fd;
}

static uint64_t instructions(void)
{
    uint64_t count = 0;

    if (counter() < 0 || read(counter(), &count, sizeof(count)) != (ssize_t)sizeof(count))
        return 0;
    return count;
}

void bench_stage_begin(struct bench_stage *stage)
{
    stage->began_instructions = instructions();
    stage->began_ns = clock_ns(stage->clock);
}

void bench_stage_end(struct bench_stage *stage, size_t bytes)
{
    int64_t ns = clock_ns(stage->clock) - stage->began_ns;
    uint64_t count = instructions() - stage->began_instructions;

    if (!stage->rounds || ns < stage->best_ns)
        stage->best_ns = ns;
    if (!stage->rounds || count < stage->best_instructions)
        stage->best_instructions = count;
    stage->bytes = bytes;
    stage->rounds++;
}

void bench_stage_tell(const struct bench_stage *stage)
{
    double rows = (double)stage->rows;
    char count[32] = "-";

    if (stage->best_instructions)
        (void)snprintf(count, sizeof(count), "%.0f", (double)stage->best_instructions / rows);
    (void)printf("%-28s %6.0f ns  %5.0f bytes  %6s instructions  budget %d\n", stage->name,
                 (double)stage->best_ns / rows, (double)stage->bytes / rows, count, stage->budget_ns);
    (void)fflush(stdout);
}
