/* SPDX-License-Identifier: Apache-2.0 */
#include "measure.h"
#include "base/clock.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static double cpu_s(void)
{
    struct rusage usage;

    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* What a server process of this machine has used so far; 0 when it is not here. Steadier than the wall clock
 * on a machine that does other things, too. */
static double server_s(int pid)
{
    unsigned long user = 0;
    unsigned long system = 0;
    char path[64];
    FILE *file;

    (void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    file = fopen(path, "r");
    if (!file)
        return 0;
    if (fscanf(file, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
        user = system = 0;
    (void)fclose(file);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

/* A line of /proc/self/status, in kB. */
static long status_kb(const char *name)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    long kb = 0;

    while (file && fgets(line, sizeof(line), file))
        if (strncmp(line, name, strlen(name)) == 0)
            kb = strtol(line + strlen(name) + 1, NULL, 10);
    if (file)
        (void)fclose(file);
    return kb;
}

/* "5" makes the present resident size the peak (proc(5)). */
static void forget_peak(void)
{
    FILE *file = fopen("/proc/self/clear_refs", "w");

    if (!file)
        return;
    (void)fputs("5", file);
    (void)fclose(file);
}

struct bench_run bench_begin(int server_pid)
{
    (void)malloc_trim(0); /* else a run lives on what the one before has freed */
    forget_peak();
    return (struct bench_run){.server = server_pid,
                              .server_s = server_s(server_pid),
                              .rss_kb = status_kb("VmRSS"),
                              .cpu_s = cpu_s(),
                              .began_us = sl_now_us()};
}

double bench_peak_mb(void)
{
    return (double)status_kb("VmHWM") / 1024;
}

void bench_tell(const struct bench_run *run, const char *what, uint64_t rows)
{
    double seconds = (double)(sl_now_us() - run->began_us) / 1e6;
    double cpu = cpu_s() - run->cpu_s;

    (void)printf("{\"what\": \"%s\", \"rows\": %" PRIu64 ", \"seconds\": %.4f, \"cpu\": %.4f, "
                 "\"server_cpu\": %.2f, \"rss_mb\": %.1f}\n",
                 what, rows, seconds, cpu, server_s(run->server) - run->server_s,
                 (double)(status_kb("VmHWM") - run->rss_kb) / 1024);
    (void)fflush(stdout);
}
