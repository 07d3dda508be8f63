/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/herd/publisher.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "engine/breaker.h"
#include "engine/herd/key_list.h"

#include <stdio.h>

enum { EVERY_US = 1000 * 1000 };

/* A task that is told of. */
struct told {
    struct sl_task *task; /* counted */
    uint64_t written;     /* hash of what was written last; the publisher thread's own */
};

struct sl_publisher {
    struct sl_transport *transport;
    bool alone;
    struct sl_thread thread;

    pthread_mutex_t lock; /* guards what follows, up to the thread's own */
    pthread_cond_t changed;
    bool wake;
    bool stop;
    struct told *told;
    size_t n;
    size_t capacity;
    char **gone; /* keys to be removed */
    size_t n_gone;
    size_t gone_capacity;

    struct told *round; /* a copy for one round, without the lock */
    size_t n_round;
    size_t round_capacity;
    struct sl_log_ends ends;
    struct sl_buf text;
    uint64_t breakers_written; /* hash of what was written last */
    bool failing;
};

static void see_end(void *ctx, const struct sl_topic_info *info)
{
    struct sl_log_ends *ends = ctx;

    SL_GROW(ends->items, ends->n, ends->capacity);
    ends->items[ends->n++] = (struct sl_progress){
        .topic = sl_topic_intern(info->name, strlen(info->name)),
        .partition = info->partition,
        .first_offset = info->first_offset,
        .next_offset = info->next_offset,
    };
}

static char *key_of(struct sl_task *task)
{
    const struct sl_status *status = sl_task_status(task);

    return sl_format("%.200s/%d", status->connector, status->task);
}

static void publish_one(struct sl_publisher *publisher, struct told *told)
{
    struct sl_status *status = sl_task_status(told->task);
    struct sl_status_view view;
    struct sl_error err;
    uint64_t hash;
    char *key;

    sl_status_read(status, &view);
    sl_buf_reset(&publisher->text);
    sl_status_json(status, &view, &publisher->text);
    hash = sl_hash_bytes(publisher->text.data, publisher->text.len, 0);
    if (hash == told->written)
        return;
    key = key_of(told->task);
    if (publisher->transport->ops->put(publisher->transport, SL_STATUS_SPACE, key,
                                       (struct sl_span){publisher->text.data, publisher->text.len}, &err)) {
        if (!publisher->failing)
            sl_log_error(SL_LEVEL_WARN, "the tasks' statuses could not be written", &err);
        publisher->failing = true;
    } else {
        publisher->failing = false;
        told->written = hash;
    }
    sl_free(key);
}

/* Copy the list, and remove the keys that nobody has any more. */
static void begin_round(struct sl_publisher *publisher)
{
    struct sl_error err;
    char **gone;
    size_t n_gone;

    (void)pthread_mutex_lock(&publisher->lock);
    publisher->n_round = 0;
    for (size_t i = 0; i < publisher->n; i++) {
        SL_GROW(publisher->round, publisher->n_round, publisher->round_capacity);
        publisher->round[publisher->n_round] = publisher->told[i];
        (void)sl_task_ref(publisher->round[publisher->n_round++].task);
    }
    gone = publisher->gone;
    n_gone = publisher->n_gone;
    publisher->gone = NULL;
    publisher->n_gone = publisher->gone_capacity = 0;
    (void)pthread_mutex_unlock(&publisher->lock);
    for (size_t i = 0; i < n_gone; i++) {
        (void)publisher->transport->ops->put(publisher->transport, SL_STATUS_SPACE, gone[i],
                                             (struct sl_span){0}, &err);
        sl_free(gone[i]);
    }
    sl_free(gone);
}

/* Remember what was written, where the task is still told of. */
static void end_round(struct sl_publisher *publisher)
{
    (void)pthread_mutex_lock(&publisher->lock);
    for (size_t i = 0; i < publisher->n_round; i++) {
        for (size_t j = 0; j < publisher->n; j++) {
            if (publisher->told[j].task == publisher->round[i].task)
                publisher->told[j].written = publisher->round[i].written;
        }
    }
    (void)pthread_mutex_unlock(&publisher->lock);
    for (size_t i = 0; i < publisher->n_round; i++)
        sl_task_unref(publisher->round[i].task);
    publisher->n_round = 0;
}

/* What the whole process waits for, Vault included, which is no task's. */
static void publish_breakers(struct sl_publisher *publisher)
{
    struct sl_error err;
    uint64_t hash;

    sl_buf_reset(&publisher->text);
    sl_breakers_json(false, &publisher->text);
    hash = sl_hash_bytes(publisher->text.data, publisher->text.len, 0);
    if (hash != publisher->breakers_written &&
        publisher->transport->ops->put(publisher->transport, SL_STATUS_SPACE, SL_STATUS_BREAKERS,
                                       (struct sl_span){publisher->text.data, publisher->text.len},
                                       &err) == SL_OK)
        publisher->breakers_written = hash;
}

static void publish(struct sl_publisher *publisher)
{
    struct sl_error err;
    bool sinks = false;

    begin_round(publisher);
    for (size_t i = 0; i < publisher->n_round; i++)
        sinks |= sl_task_connector(publisher->round[i].task)->sink != NULL;
    publisher->ends.n = 0;
    if (sinks &&
        publisher->transport->ops->ends(publisher->transport, see_end, &publisher->ends, &err) != SL_OK)
        publisher->ends.n = 0;
    for (size_t i = 0; i < publisher->n_round; i++) {
        sl_task_measure(publisher->round[i].task, &publisher->ends);
        publish_one(publisher, &publisher->round[i]);
    }
    if (publisher->alone)
        publish_breakers(publisher);
    end_round(publisher);
}

/* Statuses of a process that is gone. */
static void remove_left_over(struct sl_publisher *publisher)
{
    struct sl_key_list left = {0};
    struct sl_error err;

    (void)sl_key_list_read(&left, publisher->transport, SL_STATUS_SPACE, &err);
    for (size_t i = 0; i < left.n; i++)
        (void)publisher->transport->ops->put(publisher->transport, SL_STATUS_SPACE, left.keys[i],
                                             (struct sl_span){0}, &err);
    sl_key_list_done(&left);
}

static void run(void *arg)
{
    struct sl_publisher *publisher = arg;
    bool stop = false;

    if (publisher->alone)
        remove_left_over(publisher);
    while (!stop) {
        int64_t next_us = sl_now_us() + EVERY_US;

        publish(publisher);
        (void)pthread_mutex_lock(&publisher->lock);
        while (!publisher->stop && !publisher->wake &&
               sl_cond_wait(&publisher->changed, &publisher->lock, next_us))
            continue;
        publisher->wake = false;
        stop = publisher->stop;
        (void)pthread_mutex_unlock(&publisher->lock);
    }
    publish(publisher);
}

struct sl_publisher *sl_publisher_start(struct sl_transport *transport, bool alone)
{
    struct sl_publisher *publisher = sl_zalloc(1, sizeof(*publisher));

    publisher->transport = transport;
    publisher->alone = alone;
    (void)pthread_mutex_init(&publisher->lock, NULL);
    sl_cond_init(&publisher->changed);
    sl_thread_start(&publisher->thread, "publisher", run, publisher);
    return publisher;
}

static bool same_key(struct sl_task *a, struct sl_task *b)
{
    return sl_task_number(a) == sl_task_number(b) &&
           strcmp(sl_task_connector(a)->name, sl_task_connector(b)->name) == 0;
}

static struct told *find(struct sl_publisher *publisher, struct sl_task *task)
{
    for (size_t i = 0; i < publisher->n; i++) {
        if (same_key(publisher->told[i].task, task))
            return &publisher->told[i];
    }
    return NULL;
}

void sl_publisher_add(struct sl_publisher *publisher, struct sl_task *task)
{
    struct sl_task *former = NULL;
    char *key = key_of(task);
    struct told *told;

    (void)pthread_mutex_lock(&publisher->lock);
    told = find(publisher, task);
    if (told) {
        former = told->task;
    } else {
        SL_GROW(publisher->told, publisher->n, publisher->capacity);
        told = &publisher->told[publisher->n++];
    }
    *told = (struct told){.task = sl_task_ref(task)};
    for (size_t i = 0; i < publisher->n_gone; i++) { /* it was to be removed and is back */
        if (strcmp(publisher->gone[i], key) != 0)
            continue;
        sl_free(publisher->gone[i]);
        publisher->gone[i--] = publisher->gone[--publisher->n_gone];
    }
    (void)pthread_mutex_unlock(&publisher->lock);
    sl_task_unref(former);
    sl_free(key);
}

void sl_publisher_remove(struct sl_publisher *publisher, struct sl_task *task)
{
    struct told *told;
    bool found;

    (void)pthread_mutex_lock(&publisher->lock);
    told = find(publisher, task);
    found = told && told->task == task;
    if (found) {
        *told = publisher->told[--publisher->n];
        SL_GROW(publisher->gone, publisher->n_gone, publisher->gone_capacity);
        publisher->gone[publisher->n_gone++] = key_of(task);
        publisher->wake = true;
        (void)pthread_cond_signal(&publisher->changed);
    }
    (void)pthread_mutex_unlock(&publisher->lock);
    if (found)
        sl_task_unref(task);
}

static void raise_flag(struct sl_publisher *publisher, bool *flag)
{
    (void)pthread_mutex_lock(&publisher->lock);
    *flag = true;
    (void)pthread_cond_signal(&publisher->changed);
    (void)pthread_mutex_unlock(&publisher->lock);
}

void sl_publisher_wake(struct sl_publisher *publisher)
{
    raise_flag(publisher, &publisher->wake);
}

void sl_publisher_stop(struct sl_publisher *publisher)
{
    if (!publisher)
        return;
    raise_flag(publisher, &publisher->stop);
    sl_thread_join(&publisher->thread);
}

void sl_publisher_free(struct sl_publisher *publisher)
{
    if (!publisher)
        return;
    sl_publisher_stop(publisher);
    for (size_t i = 0; i < publisher->n; i++)
        sl_task_unref(publisher->told[i].task);
    for (size_t i = 0; i < publisher->n_gone; i++)
        sl_free(publisher->gone[i]);
    (void)pthread_cond_destroy(&publisher->changed);
    (void)pthread_mutex_destroy(&publisher->lock);
    sl_free(publisher->told);
    sl_free(publisher->gone);
    sl_free(publisher->round);
    sl_free(publisher->ends.items);
    sl_buf_done(&publisher->text);
    sl_free(publisher);
}
