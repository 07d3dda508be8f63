/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bounded queue of pointers between threads: the only way in which batches change owners. What is in the
 * queue belongs to the queue's user, not to the queue.
 *
 * Deadlines are on the clock of sl_now_us; SL_FOREVER waits without end, 0 does not wait.
 * Threads: any number on both sides.
 */
#ifndef SLUICE_BASE_QUEUE_H
#define SLUICE_BASE_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#define SL_FOREVER INT64_MAX

struct sl_queue;

enum sl_queue_answer {
    SL_QUEUE_OK,
    SL_QUEUE_TIMEOUT,
    SL_QUEUE_WOKEN,  /* sl_queue_wake was called; nothing was taken */
    SL_QUEUE_CLOSED, /* push: refused; pop: closed and empty */
};

struct sl_queue *sl_queue_new(size_t capacity);
void sl_queue_free(struct sl_queue *queue); /* what is still in it is forgotten: drain it first */

enum sl_queue_answer sl_queue_push(struct sl_queue *queue, void *item, int64_t deadline_us);
enum sl_queue_answer sl_queue_pop(struct sl_queue *queue, int64_t deadline_us, void **ret);

/* From now on pushes are refused; pops give what is left, then CLOSED. */
void sl_queue_close(struct sl_queue *queue);

/* Open again after a close, empty or not. */
void sl_queue_reopen(struct sl_queue *queue);

/* The next pop that would wait (or waits now) returns WOKEN, once. */
void sl_queue_wake(struct sl_queue *queue);

size_t sl_queue_length(struct sl_queue *queue); /* a moment's truth */

#endif
