/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/subscription.h"

#include "base/crc32c.h"
#include "base/log.h"
#include "base/props.h"
#include "base/regex.h"
#include "base/thread.h"
#include "engine/config/connector_options.h"
#include "engine/positions.h"

struct entry {
    const struct sl_topic *topic;
    uint32_t number;    /* see the header: every worker of a group gives it the same */
    int32_t partitions; /* 0: does not exist yet */
};

struct sl_subscription {
    const struct sl_shared *shared;
    int tasks;
    char *reader;
    struct sl_regex *regex;          /* NULL: a list */
    const struct sl_topic *excluded; /* our own dead letters: reading them would never end */
    void (*changed)(void *ctx);
    void *ctx;

    pthread_mutex_t lock; /* guards the rest */
    struct entry *entries;
    size_t n;
    size_t capacity;
    uint64_t generation;
};

static struct entry *find(struct sl_subscription *subscription, const struct sl_topic *topic)
{
    for (size_t i = 0; i < subscription->n; i++) {
        if (subscription->entries[i].topic == topic)
            return &subscription->entries[i];
    }
    return NULL;
}

static void add(struct sl_subscription *subscription, const struct sl_topic *topic)
{
    if (find(subscription, topic))
        return;
    SL_GROW(subscription->entries, subscription->n, subscription->capacity);
    subscription->entries[subscription->n] = (struct entry){
        .topic = topic,
        .number = subscription->regex ? sl_crc32c(0, topic->name, topic->len) : (uint32_t)subscription->n,
    };
    subscription->n++;
}

static bool wanted(const struct sl_subscription *subscription, const struct sl_topic *topic)
{
    return subscription->regex && topic != subscription->excluded &&
           sl_regex_matches(subscription->regex, topic->name, topic->len);
}

/* A topic exists: one that waited for it gets its partitions, a new one may match. True when it is ours. */
static bool see(struct sl_subscription *subscription, const struct sl_topic *topic, int32_t partitions)
{
    struct entry *entry;
    bool ours = false;

    (void)pthread_mutex_lock(&subscription->lock);
    if (wanted(subscription, topic))
        add(subscription, topic);
    entry = find(subscription, topic);
    if (entry && entry->partitions < partitions) {
        entry->partitions = partitions;
        subscription->generation++;
        ours = true;
    }
    (void)pthread_mutex_unlock(&subscription->lock);
    return ours;
}

static void see_existing(void *ctx, const struct sl_topic *topic, int32_t partitions)
{
    (void)see(ctx, topic, partitions);
}

static enum sl_rc reserve(struct sl_subscription *subscription, struct sl_error *err)
{
    struct sl_transport *transport = subscription->shared->transport;
    const struct sl_topic **topics;
    enum sl_rc rc = SL_OK;
    size_t n;

    (void)pthread_mutex_lock(&subscription->lock);
    n = subscription->n;
    topics = sl_zalloc(n, sizeof(*topics));
    for (size_t i = 0; i < n; i++)
        topics[i] = subscription->entries[i].topic;
    (void)pthread_mutex_unlock(&subscription->lock);
    if (n)
        rc = transport->ops->reserve(transport, subscription->reader, topics, n, err);
    sl_free(topics);
    return rc;
}

/* On the creator's thread, before the topic's first record. */
static void see_created(void *ctx, const struct sl_topic *topic, int32_t partitions)
{
    struct sl_subscription *subscription = ctx;
    struct sl_error err;

    if (!see(subscription, topic, partitions))
        return;
    if (subscription->regex && reserve(subscription, &err))
        sl_log_error(SL_LEVEL_WARN,
                     "a new topic could not be reserved; its retention may run before it is read", &err);
    sl_info("new topic", SL_T("topic", topic->name), SL_T("reader", subscription->reader),
            SL_I("partitions", partitions));
    subscription->changed(subscription->ctx);
}

static enum sl_rc read_keys(struct sl_subscription *subscription, const struct sl_props *props,
                            struct sl_error *err)
{
    const char *list = sl_connector_text(props, "topics");
    const char *regex = sl_connector_text(props, "topics.regex");
    const char *letters = sl_connector_text(props, "errors.deadletterqueue.topic.name");
    char name[256];

    if (letters && *letters)
        subscription->excluded = sl_topic_intern(letters, strlen(letters));
    while (list && sl_list_next(&list, name, sizeof(name)))
        add(subscription, sl_topic_intern(name, strlen(name)));
    if (!regex || !*regex)
        return SL_OK;
    return sl_regex_compile(regex, 0, &subscription->regex, err);
}

static bool is_resolved(const struct sl_props *props)
{
    for (size_t i = 0; i < sl_props_count(props); i++) {
        const char *key;
        const char *value;

        sl_props_at(props, i, &key, &value);
        if (strncmp(key, "consumer.override.", 18) == 0 && strstr(value, "${"))
            return false;
    }
    return true;
}

void sl_reader_tell(struct sl_transport *transport, const char *reader, const struct sl_props *props)
{
    if (transport->ops->reader_settings && is_resolved(props))
        transport->ops->reader_settings(transport, reader, props);
}

enum sl_rc sl_subscription_open(const struct sl_shared *shared, const struct sl_connector *connector,
                                void (*changed)(void *ctx), void *ctx, struct sl_subscription **ret,
                                struct sl_error *err)
{
    struct sl_subscription *subscription = sl_zalloc(1, sizeof(*subscription));
    enum sl_rc rc;

    subscription->shared = shared;
    subscription->tasks = connector->tasks;
    subscription->reader = sl_format("connect-%s", connector->name);
    subscription->changed = changed;
    subscription->ctx = ctx;
    (void)pthread_mutex_init(&subscription->lock, NULL);
    sl_reader_tell(shared->transport, subscription->reader, connector->props);
    rc = read_keys(subscription, connector->props, err);
    if (rc == SL_OK) {
        sl_topics_listen(shared->topics, see_created, subscription);
        sl_topics_each(shared->topics, see_existing, subscription);
        rc = reserve(subscription, err);
    }
    if (rc) {
        sl_subscription_close(subscription);
        return rc;
    }
    *ret = subscription;
    return SL_OK;
}

void sl_subscription_close(struct sl_subscription *subscription)
{
    if (!subscription)
        return;
    sl_topics_unlisten(subscription->shared->topics, subscription);
    (void)pthread_mutex_destroy(&subscription->lock);
    sl_regex_free(subscription->regex);
    sl_free(subscription->entries);
    sl_free(subscription->reader);
    sl_free(subscription);
}

uint64_t sl_subscription_generation(struct sl_subscription *subscription)
{
    uint64_t generation;

    (void)pthread_mutex_lock(&subscription->lock);
    generation = subscription->generation;
    (void)pthread_mutex_unlock(&subscription->lock);
    return generation;
}

static int task_of(const struct sl_subscription *subscription, const struct entry *entry, int32_t partition)
{
    return (int)(((uint64_t)entry->number + (uint64_t)partition) % (uint64_t)subscription->tasks);
}

size_t sl_subscription_assigned(struct sl_subscription *subscription, int task, struct sl_progress **ret)
{
    struct sl_progress *assigned = NULL;
    size_t capacity = 0;
    size_t n = 0;

    (void)pthread_mutex_lock(&subscription->lock);
    for (size_t i = 0; i < subscription->n; i++) {
        const struct entry *entry = &subscription->entries[i];

        for (int32_t partition = 0; partition < entry->partitions; partition++) {
            if (task_of(subscription, entry, partition) != task)
                continue;
            SL_GROW(assigned, n, capacity);
            assigned[n++] = (struct sl_progress){
                .topic = entry->topic, .partition = partition, .first_offset = -1, .next_offset = -1};
        }
    }
    (void)pthread_mutex_unlock(&subscription->lock);
    *ret = assigned;
    return n;
}

struct ends {
    struct sl_subscription *subscription;
    sl_sink_end_visitor *visit;
    void *ctx;
};

static void see_end(void *ctx, const struct sl_topic_info *info)
{
    struct ends *ends = ctx;
    const struct sl_progress partition = sl_progress_of_log(info);
    const struct entry *entry;
    int task = -1;

    (void)pthread_mutex_lock(&ends->subscription->lock);
    entry = find(ends->subscription, partition.topic);
    if (entry)
        task = task_of(ends->subscription, entry, info->partition);
    (void)pthread_mutex_unlock(&ends->subscription->lock);
    if (task >= 0)
        ends->visit(ends->ctx, &partition, task);
}

enum sl_rc sl_subscription_ends(struct sl_subscription *subscription, sl_sink_end_visitor *visit, void *ctx,
                                struct sl_error *err)
{
    struct sl_transport *transport = subscription->shared->transport;
    struct ends ends = {.subscription = subscription, .visit = visit, .ctx = ctx};
    enum sl_rc rc = SL_OK;

    if (!transport->ops->topic_ends)
        return transport->ops->topics(transport, see_end, &ends, err);
    for (size_t i = 0; rc == SL_OK; i++) {
        const struct sl_topic *topic = NULL;

        (void)pthread_mutex_lock(&subscription->lock);
        if (i < subscription->n)
            topic = subscription->entries[i].topic;
        (void)pthread_mutex_unlock(&subscription->lock);
        if (!topic)
            break;
        rc = transport->ops->topic_ends(transport, topic, see_end, &ends, err);
    }
    return rc;
}

const char *sl_subscription_reader(const struct sl_subscription *subscription)
{
    return subscription->reader;
}
