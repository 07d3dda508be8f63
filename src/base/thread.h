/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Named threads, conditions on the monotonic clock, and stop flags. docs/threads.md lists every thread of the
 * program with what it owns and what wakes it.
 */
#ifndef SLUICE_BASE_THREAD_H
#define SLUICE_BASE_THREAD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct sl_thread {
    pthread_t id;
    bool started;
};

/*
 * Start a thread. The name (15 bytes are kept) shows in top and gdb. Signals are blocked in it: the main
 * thread takes them. Aborts when the system has no thread to give.
 */
void sl_thread_start(struct sl_thread *thread, const char *name, void (*run)(void *), void *arg);

/* Wait for its end; nothing when it was never started or is joined already. */
void sl_thread_join(struct sl_thread *thread);

/* A condition variable for deadlines on the clock of sl_now_us. */
void sl_cond_init(pthread_cond_t *cond);

/* Wait once; false when the deadline has passed. INT64_MAX: no deadline. May wake for nothing. */
bool sl_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t deadline_us);

/*
 * A flag that says "stop", and can be waited for: by a thread that only sleeps (sl_stop_wait), or in poll(2)
 * beside a socket (fd becomes readable and stays so).
 */
struct sl_stop {
    _Atomic bool requested;
    int fd; /* eventfd */
};

void sl_stop_init(struct sl_stop *stop);
void sl_stop_done(struct sl_stop *stop);
void sl_stop_request(struct sl_stop *stop); /* any thread, and signal handlers */

static inline bool sl_stop_requested(const struct sl_stop *stop)
{
    return atomic_load_explicit(&stop->requested, memory_order_acquire);
}

/* Sleep until the deadline; true when stop was requested. */
bool sl_stop_wait(const struct sl_stop *stop, int64_t deadline_us);

#endif
