/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/topics.h"

#include "base/alloc.h"
#include "base/thread.h"

#include <stdlib.h>

struct known {
    const struct sl_topic *topic;
    int32_t partitions;
};

struct listener {
    sl_topic_listener *call;
    void *ctx;
};

struct sl_topics {
    struct sl_transport *transport;
    pthread_mutex_t creating; /* held while a topic is created: taken before lock */
    pthread_mutex_t lock;     /* guards what follows */
    struct known *known;
    size_t n;
    size_t capacity;
    struct listener *listeners;
    size_t n_listeners;
    size_t listeners_capacity;
};

static struct known *find(struct sl_topics *topics, const struct sl_topic *topic)
{
    for (size_t i = 0; i < topics->n; i++) {
        if (topics->known[i].topic == topic)
            return &topics->known[i];
    }
    return NULL;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct known *)a)->topic->name, ((const struct known *)b)->topic->name);
}

/* True when it is new, or has more partitions than before. */
static bool remember(struct sl_topics *topics, const struct sl_topic *topic, int32_t partitions)
{
    struct known *known;
    bool changed;

    (void)pthread_mutex_lock(&topics->lock);
    known = find(topics, topic);
    changed = !known || known->partitions < partitions;
    if (!known) {
        SL_GROW(topics->known, topics->n, topics->capacity);
        topics->known[topics->n++] = (struct known){topic, partitions};
        qsort(topics->known, topics->n, sizeof(*topics->known), by_name);
    } else if (changed) {
        known->partitions = partitions;
    }
    (void)pthread_mutex_unlock(&topics->lock);
    return changed;
}

static void see_topic(void *ctx, const struct sl_topic *topic, int32_t partitions)
{
    (void)remember(ctx, topic, partitions);
}

static void tell_listeners(struct sl_topics *topics, const struct sl_topic *topic, int32_t partitions)
{
    struct listener *listeners;
    size_t n;

    (void)pthread_mutex_lock(&topics->lock);
    n = topics->n_listeners;
    listeners = sl_zalloc(n, sizeof(*listeners));
    for (size_t i = 0; i < n; i++)
        listeners[i] = topics->listeners[i];
    (void)pthread_mutex_unlock(&topics->lock);
    for (size_t i = 0; i < n; i++)
        listeners[i].call(listeners[i].ctx, topic, partitions);
    sl_free(listeners);
}

/* Others made it, or gave it more partitions. */
static void see_change(void *ctx, const struct sl_topic *topic, int32_t partitions)
{
    struct sl_topics *topics = ctx;

    (void)pthread_mutex_lock(&topics->creating);
    if (remember(topics, topic, partitions))
        tell_listeners(topics, topic, partitions);
    (void)pthread_mutex_unlock(&topics->creating);
}

enum sl_rc sl_topics_open(struct sl_transport *transport, struct sl_topics **ret, struct sl_error *err)
{
    struct sl_topics *topics = sl_zalloc(1, sizeof(*topics));
    enum sl_rc rc;

    topics->transport = transport;
    (void)pthread_mutex_init(&topics->creating, NULL);
    (void)pthread_mutex_init(&topics->lock, NULL);
    rc = transport->ops->list_topics(transport, see_topic, topics, err);
    if (rc) {
        sl_topics_close(topics);
        return rc;
    }
    if (transport->ops->watch_topics)
        transport->ops->watch_topics(transport, see_change, topics);
    *ret = topics;
    return SL_OK;
}

void sl_topics_close(struct sl_topics *topics)
{
    if (!topics)
        return;
    if (topics->transport->ops->watch_topics)
        topics->transport->ops->watch_topics(topics->transport, NULL, NULL);
    (void)pthread_mutex_destroy(&topics->lock);
    (void)pthread_mutex_destroy(&topics->creating);
    sl_free(topics->known);
    sl_free(topics->listeners);
    sl_free(topics);
}

void sl_topics_listen(struct sl_topics *topics, sl_topic_listener *listener, void *ctx)
{
    (void)pthread_mutex_lock(&topics->lock);
    SL_GROW(topics->listeners, topics->n_listeners, topics->listeners_capacity);
    topics->listeners[topics->n_listeners++] = (struct listener){listener, ctx};
    (void)pthread_mutex_unlock(&topics->lock);
}

/* creating is held too, so that nobody is being called when this returns. */
void sl_topics_unlisten(struct sl_topics *topics, void *ctx)
{
    (void)pthread_mutex_lock(&topics->creating);
    (void)pthread_mutex_lock(&topics->lock);
    for (size_t i = 0; i < topics->n_listeners; i++) {
        if (topics->listeners[i].ctx == ctx)
            topics->listeners[i--] = topics->listeners[--topics->n_listeners];
    }
    (void)pthread_mutex_unlock(&topics->lock);
    (void)pthread_mutex_unlock(&topics->creating);
}

int32_t sl_topics_partitions(struct sl_topics *topics, const struct sl_topic *topic)
{
    struct known *known;
    int32_t partitions;

    (void)pthread_mutex_lock(&topics->lock);
    known = find(topics, topic);
    partitions = known ? known->partitions : 0;
    (void)pthread_mutex_unlock(&topics->lock);
    return partitions;
}

/* It has as many partitions as whoever made it wanted. */
static enum sl_rc see_made(struct sl_topics *topics, const struct sl_topic *topic, int32_t *ret_partitions,
                           struct sl_error *err)
{
    enum sl_rc rc = topics->transport->ops->partitions(topics->transport, topic, ret_partitions, err);

    if (rc)
        return rc;
    if (!*ret_partitions)
        return sl_error_set(err, SL_E_BUSY, "topic '%.200s' was made and is not there yet", topic->name);
    (void)remember(topics, topic, *ret_partitions);
    tell_listeners(topics, topic, *ret_partitions);
    return SL_OK;
}

enum sl_rc sl_topics_ensure(struct sl_topics *topics, const struct sl_topic *topic,
                            const struct sl_topic_settings *settings, int32_t *ret_partitions,
                            struct sl_error *err)
{
    int32_t partitions = sl_topics_partitions(topics, topic);
    enum sl_rc rc = SL_OK;

    if (!partitions) {
        (void)pthread_mutex_lock(&topics->creating);
        partitions = sl_topics_partitions(topics, topic);
        if (!partitions)
            rc = topics->transport->ops->create_topic(topics->transport, topic, settings, err);
        if (rc == SL_OK && !partitions)
            rc = see_made(topics, topic, &partitions, err);
        (void)pthread_mutex_unlock(&topics->creating);
    }
    if (rc)
        return rc;
    *ret_partitions = partitions;
    return SL_OK;
}

void sl_topics_each(struct sl_topics *topics, sl_topic_listener *visit, void *ctx)
{
    (void)pthread_mutex_lock(&topics->lock);
    for (size_t i = 0; i < topics->n; i++)
        visit(ctx, topics->known[i].topic, topics->known[i].partitions);
    (void)pthread_mutex_unlock(&topics->lock);
}
