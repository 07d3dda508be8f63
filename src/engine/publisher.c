/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/publisher.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"

#include <stdio.h>

enum { EVERY_US = 1000 * 1000 };

struct sl_publisher {
    struct sl_transport *transport;
    struct sl_source_task *const *sources;
    size_t n_sources;
    struct sl_sink_task *const *sinks;
    size_t n_sinks;
    struct sl_thread thread;

    pthread_mutex_t lock; /* guards the two flags */
    pthread_cond_t changed;
    bool wake;
    bool stop;

    uint64_t *written; /* hash of what was written last, per task; the publisher thread's own */
    struct sl_log_ends ends;
    struct sl_buf text;
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

static void publish_one(struct sl_publisher *publisher, struct sl_status *status, size_t index)
{
    struct sl_status_view view;
    struct sl_error err;
    char key[256];
    uint64_t hash;

    sl_status_read(status, &view);
    sl_buf_reset(&publisher->text);
    sl_status_json(status, &view, &publisher->text);
    hash = sl_hash_bytes(publisher->text.data, publisher->text.len, 0);
    if (hash == publisher->written[index])
        return;
    (void)snprintf(key, sizeof(key), "%.200s/%d", status->connector, status->task);
    if (publisher->transport->ops->put(publisher->transport, SL_STATUS_SPACE, key,
                                       (struct sl_span){publisher->text.data, publisher->text.len}, &err)) {
        if (!publisher->failing)
            sl_log_error(SL_LEVEL_WARN, "the tasks' statuses could not be written", &err);
        publisher->failing = true;
        return;
    }
    publisher->failing = false;
    publisher->written[index] = hash;
}

static void publish(struct sl_publisher *publisher)
{
    struct sl_error err;

    publisher->ends.n = 0;
    if (publisher->n_sinks &&
        publisher->transport->ops->topics(publisher->transport, see_end, &publisher->ends, &err) != SL_OK)
        publisher->ends.n = 0;
    for (size_t i = 0; i < publisher->n_sources; i++) {
        sl_source_task_measure(publisher->sources[i]);
        publish_one(publisher, sl_source_task_status(publisher->sources[i]), i);
    }
    for (size_t i = 0; i < publisher->n_sinks; i++) {
        sl_sink_task_measure(publisher->sinks[i], &publisher->ends);
        publish_one(publisher, sl_sink_task_status(publisher->sinks[i]), publisher->n_sources + i);
    }
}

struct left_over {
    char **keys;
    size_t n;
    size_t capacity;
};

static void see_left_over(void *ctx, const char *key, struct sl_span value)
{
    struct left_over *left = ctx;

    (void)value;
    SL_GROW(left->keys, left->n, left->capacity);
    left->keys[left->n++] = sl_strdup(key);
}

/* Statuses of a process that is gone. */
static void remove_left_over(struct sl_publisher *publisher)
{
    struct left_over left = {0};
    struct sl_error err;

    (void)publisher->transport->ops->list(publisher->transport, SL_STATUS_SPACE, see_left_over, &left, &err);
    for (size_t i = 0; i < left.n; i++) {
        (void)publisher->transport->ops->put(publisher->transport, SL_STATUS_SPACE, left.keys[i],
                                             (struct sl_span){0}, &err);
        sl_free(left.keys[i]);
    }
    sl_free(left.keys);
}

static void run(void *arg)
{
    struct sl_publisher *publisher = arg;
    bool stop = false;

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

struct sl_publisher *sl_publisher_start(struct sl_transport *transport, struct sl_source_task *const *sources,
                                        size_t n_sources, struct sl_sink_task *const *sinks, size_t n_sinks)
{
    struct sl_publisher *publisher = sl_zalloc(1, sizeof(*publisher));

    publisher->transport = transport;
    publisher->sources = sources;
    publisher->n_sources = n_sources;
    publisher->sinks = sinks;
    publisher->n_sinks = n_sinks;
    publisher->written = sl_zalloc(n_sources + n_sinks, sizeof(*publisher->written));
    (void)pthread_mutex_init(&publisher->lock, NULL);
    sl_cond_init(&publisher->changed);
    sl_thread_start(&publisher->thread, "publisher", run, publisher);
    return publisher;
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
    (void)pthread_cond_destroy(&publisher->changed);
    (void)pthread_mutex_destroy(&publisher->lock);
    sl_free(publisher->written);
    sl_free(publisher->ends.items);
    sl_buf_done(&publisher->text);
    sl_free(publisher);
}
