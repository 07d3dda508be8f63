/* SPDX-License-Identifier: Apache-2.0 */
#include "base/queue.h"

#include "base/alloc.h"
#include "base/thread.h"

#include <stdbool.h>

struct sl_queue {
    pthread_mutex_t lock; /* guards everything below */
    pthread_cond_t not_empty;
    pthread_cond_t not_full;
    size_t capacity;
    size_t head; /* index of the oldest */
    size_t n;
    bool closed;
    bool woken;
    void *items[];
};

struct sl_queue *sl_queue_new(size_t capacity)
{
    struct sl_queue *queue;

    SL_ASSERT(capacity > 0 && capacity < SIZE_MAX / sizeof(void *) / 2);
    queue = sl_zalloc(1, sizeof(*queue) + capacity * sizeof(void *));
    queue->capacity = capacity;
    (void)pthread_mutex_init(&queue->lock, NULL);
    sl_cond_init(&queue->not_empty);
    sl_cond_init(&queue->not_full);
    return queue;
}

void sl_queue_free(struct sl_queue *queue)
{
    if (!queue)
        return;
    (void)pthread_cond_destroy(&queue->not_full);
    (void)pthread_cond_destroy(&queue->not_empty);
    (void)pthread_mutex_destroy(&queue->lock);
    sl_free(queue);
}

enum sl_queue_answer sl_queue_push(struct sl_queue *queue, void *item, int64_t deadline_us)
{
    enum sl_queue_answer answer = SL_QUEUE_OK;

    (void)pthread_mutex_lock(&queue->lock);
    while (!queue->closed && queue->n == queue->capacity) {
        if (!sl_cond_wait(&queue->not_full, &queue->lock, deadline_us))
            break;
    }
    if (queue->closed) {
        answer = SL_QUEUE_CLOSED;
    } else if (queue->n == queue->capacity) {
        answer = SL_QUEUE_TIMEOUT;
    } else {
        queue->items[(queue->head + queue->n) % queue->capacity] = item;
        queue->n++;
        (void)pthread_cond_signal(&queue->not_empty);
    }
    (void)pthread_mutex_unlock(&queue->lock);
    return answer;
}

enum sl_queue_answer sl_queue_pop(struct sl_queue *queue, int64_t deadline_us, void **ret)
{
    enum sl_queue_answer answer = SL_QUEUE_OK;

    (void)pthread_mutex_lock(&queue->lock);
    while (!queue->closed && !queue->woken && queue->n == 0) {
        if (!sl_cond_wait(&queue->not_empty, &queue->lock, deadline_us))
            break;
    }
    if (queue->n) {
        *ret = queue->items[queue->head];
        queue->head = (queue->head + 1) % queue->capacity;
        queue->n--;
        (void)pthread_cond_signal(&queue->not_full);
    } else if (queue->closed) {
        answer = SL_QUEUE_CLOSED;
    } else if (queue->woken) {
        queue->woken = false;
        answer = SL_QUEUE_WOKEN;
    } else {
        answer = SL_QUEUE_TIMEOUT;
    }
    (void)pthread_mutex_unlock(&queue->lock);
    return answer;
}

static void set_closed(struct sl_queue *queue, bool closed)
{
    (void)pthread_mutex_lock(&queue->lock);
    queue->closed = closed;
    (void)pthread_cond_broadcast(&queue->not_empty);
    (void)pthread_cond_broadcast(&queue->not_full);
    (void)pthread_mutex_unlock(&queue->lock);
}

void sl_queue_close(struct sl_queue *queue)
{
    set_closed(queue, true);
}

void sl_queue_reopen(struct sl_queue *queue)
{
    set_closed(queue, false);
}

void sl_queue_wake(struct sl_queue *queue)
{
    (void)pthread_mutex_lock(&queue->lock);
    queue->woken = true;
    (void)pthread_cond_broadcast(&queue->not_empty);
    (void)pthread_mutex_unlock(&queue->lock);
}

size_t sl_queue_length(struct sl_queue *queue)
{
    size_t n;

    (void)pthread_mutex_lock(&queue->lock);
    n = queue->n;
    (void)pthread_mutex_unlock(&queue->lock);
    return n;
}
