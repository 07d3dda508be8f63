/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One measured run of a bench program: wall time, this process's processor time, a server's, and how much
 * memory the run took over what was resident when it began (the rows that are held ready). Told as a JSON
 * line for tools/bench.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdint.h>

struct bench_run {
    int64_t began_us;
    double cpu_s, server_s;
    long rss_kb;
    int server; /* process id; 0: none on this machine */
};

struct bench_run bench_begin(int server_pid);

/* {"what": ..., "rows": ..., "seconds": ..., "cpu": ..., "server_cpu": ..., "rss_mb": ...} */
void bench_tell(const struct bench_run *run, const char *what, uint64_t rows);

/* The most that was resident since the process began, or a run did. */
double bench_peak_mb(void);

#endif
