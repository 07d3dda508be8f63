/* SPDX-License-Identifier: Apache-2.0 */
#include "base/thread.h"

#include "base/alloc.h"
#include "base/clock.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct start {
    void (*run)(void *);
    void *arg;
    char name[16];
};

static void *thread_main(void *ptr)
{
    struct start start = *(struct start *)ptr;

    sl_free(ptr);
    (void)pthread_setname_np(pthread_self(), start.name);
    start.run(start.arg);
    return NULL;
}

void sl_thread_start(struct sl_thread *thread, const char *name, void (*run)(void *), void *arg)
{
    struct start *start = sl_zalloc(1, sizeof(*start));
    sigset_t all;
    sigset_t before;
    int failed;

    *start = (struct start){.run = run, .arg = arg};
    (void)snprintf(start->name, sizeof(start->name), "%s", name);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&thread->id, NULL, thread_main, start);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    SL_ASSERT(!failed);
    thread->started = true;
}

void sl_thread_join(struct sl_thread *thread)
{
    if (!thread->started)
        return;
    (void)pthread_join(thread->id, NULL);
    thread->started = false;
}

void sl_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attr;

    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(cond, &attr);
    (void)pthread_condattr_destroy(&attr);
}

bool sl_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t deadline_us)
{
    struct timespec until;

    if (deadline_us == INT64_MAX) {
        (void)pthread_cond_wait(cond, lock);
        return true;
    }
    if (deadline_us <= 0)
        return false;
    until.tv_sec = (time_t)(deadline_us / 1000000);
    until.tv_nsec = (long)(deadline_us % 1000000) * 1000;
    return pthread_cond_timedwait(cond, lock, &until) != ETIMEDOUT;
}

void sl_stop_init(struct sl_stop *stop)
{
    atomic_init(&stop->requested, false);
    stop->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    SL_ASSERT(stop->fd >= 0);
}

void sl_stop_done(struct sl_stop *stop)
{
    (void)close(stop->fd);
    stop->fd = -1;
}

void sl_stop_request(struct sl_stop *stop)
{
    uint64_t one = 1;
    ssize_t written;

    atomic_store_explicit(&stop->requested, true, memory_order_release);
    written = write(stop->fd, &one, sizeof(one));
    (void)written; /* it can only be full, and then it is readable already */
}

bool sl_stop_wait(const struct sl_stop *stop, int64_t deadline_us)
{
    while (!sl_stop_requested(stop)) {
        struct pollfd waiting = {.fd = stop->fd, .events = POLLIN};
        int64_t left_us = deadline_us - sl_now_us();
        int timeout_ms = left_us / 1000 >= INT_MAX ? INT_MAX : (int)((left_us + 999) / 1000);

        if (left_us <= 0)
            return false;
        (void)poll(&waiting, 1, timeout_ms);
    }
    return true;
}
