/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Positions that sinks tell: the offsets of the consumer group connect-<connector>, as Kafka Connect keeps
 * them, so that kafka-consumer-groups and lag exporters see what they are used to. The truth is the target's
 * own. Ours carry the metadata "sluice"; where a user has had a position forgotten it is "sluice reset", at
 * the oldest record, where a consumer of Connect would begin without a position, too. The group has no
 * members, and a Java worker that is still in it makes the brokers refuse us.
 *
 * A consumer without subscription stands for each group. (The administrative requests for groups would need
 * none, but librdkafka 2.0.2 aborts the process when their coordinator moves.)
 */
#include "transport/kafka/inside.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/props.h"

#include <string.h>

static const char OURS[] = "sluice";
static const char OVERRIDE[] = "consumer.override.";
static const char RESET[] = "sluice reset";

enum { COMMIT_US = 5 * 1000 * 1000 }; /* what was not told then is told again */

struct sl_kafka_groups {
    pthread_mutex_t lock; /* guards the rest */
    struct group {
        char *name;
        rd_kafka_t *consumer;      /* NULL: nobody asked yet */
        struct sl_props *settings; /* the connector's; NULL: none */
    } *items;
    size_t n, capacity;
};

void sl_kafka_groups_open(struct sl_kafka *kafka)
{
    kafka->groups = sl_zalloc(1, sizeof(*kafka->groups));
    (void)pthread_mutex_init(&kafka->groups->lock, NULL);
}

void sl_kafka_groups_close(struct sl_kafka *kafka)
{
    for (size_t i = 0; i < kafka->groups->n; i++) {
        sl_kafka_bury(kafka, kafka->groups->items[i].consumer);
        sl_props_free(kafka->groups->items[i].settings);
        sl_free(kafka->groups->items[i].name);
    }
    sl_free(kafka->groups->items);
    (void)pthread_mutex_destroy(&kafka->groups->lock);
    sl_free(kafka->groups);
}

static enum sl_rc open_consumer(struct sl_kafka *kafka, struct group *group, struct sl_error *err)
{
    const struct sl_kafka_setting always[] = {{"group.id", sl_kafka_group_of(group->name, group->settings)},
                                              {"enable.auto.commit", "false"},
                                              {NULL, NULL}};
    const struct sl_kafka_client description = {.prefix = "consumer.",
                                                .connector = group->settings,
                                                .override_prefix = "consumer.override.",
                                                .client_id = "sluice-commits",
                                                .always = always};
    rd_kafka_conf_t *conf;
    enum sl_rc rc = sl_kafka_conf(kafka, &description, &conf, err);

    if (rc)
        return rc;
    rd_kafka_conf_set_error_cb(conf, NULL); /* nobody polls it */
    return sl_kafka_client_open(RD_KAFKA_CONSUMER, conf, &group->consumer, err);
}

/* With the lock held. The pointer holds until the next of these calls. */
static struct group *group_of(struct sl_kafka_groups *groups, const char *name)
{
    for (size_t i = 0; i < groups->n; i++) {
        if (strcmp(groups->items[i].name, name) == 0)
            return &groups->items[i];
    }
    SL_GROW(groups->items, groups->n, groups->capacity);
    groups->items[groups->n] = (struct group){.name = sl_strdup(name)};
    return &groups->items[groups->n++];
}

static enum sl_rc consumer_of(struct sl_kafka *kafka, const char *name, rd_kafka_t **ret,
                              struct sl_error *err)
{
    struct sl_kafka_groups *groups = kafka->groups;
    struct group *group;
    enum sl_rc rc = SL_OK;

    (void)pthread_mutex_lock(&groups->lock);
    group = group_of(groups, name);
    if (!group->consumer)
        rc = open_consumer(kafka, group, err);
    if (rc == SL_OK)
        *ret = group->consumer;
    (void)pthread_mutex_unlock(&groups->lock);
    return rc;
}

/* ---- what a connector says of its clients ---- */

static struct sl_props *overrides_of(const struct sl_props *props)
{
    struct sl_props *overrides = NULL;

    for (size_t i = 0; props && i < sl_props_count(props); i++) {
        const char *key;
        const char *value;

        sl_props_at(props, i, &key, &value);
        if (strncmp(key, OVERRIDE, sizeof(OVERRIDE) - 1) != 0)
            continue;
        if (!overrides)
            overrides = sl_props_new();
        sl_props_set(overrides, key, value);
    }
    return overrides;
}

/*
 * A consumer made before with other settings is left to whoever may be calling it now, and goes when the log
 * is closed: settings change seldom.
 */
void sl_kafka_reader_settings(struct sl_transport *transport, const char *name, const struct sl_props *props)
{
    struct sl_kafka_groups *groups = sl_kafka_of(transport)->groups;
    struct sl_props *overrides = overrides_of(props);
    struct group *group;

    (void)pthread_mutex_lock(&groups->lock);
    group = group_of(groups, name);
    if (sl_props_same(group->settings, overrides)) {
        sl_props_free(overrides);
    } else {
        rd_kafka_t *former = group->consumer;

        sl_props_free(group->settings);
        group->settings = overrides;
        group->consumer = NULL;
        if (former) {
            SL_GROW(groups->items, groups->n, groups->capacity);
            groups->items[groups->n++] = (struct group){.name = sl_strdup(""), .consumer = former};
        }
    }
    (void)pthread_mutex_unlock(&groups->lock);
}

struct sl_props *sl_kafka_settings_of(struct sl_kafka *kafka, const char *name)
{
    struct sl_kafka_groups *groups = kafka->groups;
    struct sl_props *settings;

    (void)pthread_mutex_lock(&groups->lock);
    settings = group_of(groups, name)->settings;
    settings = settings ? sl_props_copy(settings) : NULL;
    (void)pthread_mutex_unlock(&groups->lock);
    return settings;
}

const char *sl_kafka_group_of(const char *name, const struct sl_props *settings)
{
    const char *group = settings ? sl_props_get(settings, "consumer.override.group.id") : NULL;

    return group && *group ? group : name;
}

static rd_kafka_topic_partition_list_t *list_of(const struct sl_progress *progress, size_t n)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)n);

    for (size_t i = 0; i < n; i++) {
        rd_kafka_topic_partition_t *item =
            rd_kafka_topic_partition_list_add(list, progress[i].topic->name, progress[i].partition);

        const char *word = progress[i].next_offset >= 0 ? OURS : RESET;

        item->offset = progress[i].next_offset >= 0 ? progress[i].next_offset : progress[i].first_offset;
        item->metadata = strdup(word); /* freed by librdkafka, with free */
        item->metadata_size = strlen(word);
    }
    return list;
}

static enum sl_rc read_commit(rd_kafka_event_t *event, const char *name, struct sl_error *err)
{
    const rd_kafka_topic_partition_list_t *list = rd_kafka_event_topic_partition_list(event);
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);

    for (int i = 0; !code && list && i < list->cnt; i++)
        code = list->elems[i].err;
    return code ? sl_kafka_error(err, code, NULL, "committing for group '%.100s'", name) : SL_OK;
}

static enum sl_rc commit(struct sl_kafka *kafka, rd_kafka_t *consumer, const char *name,
                         const rd_kafka_topic_partition_list_t *list, struct sl_error *err)
{
    int64_t deadline_us = sl_now_us() + COMMIT_US;
    rd_kafka_queue_t *queue = rd_kafka_queue_new(consumer);
    rd_kafka_resp_err_t code = rd_kafka_commit_queue(consumer, list, queue, NULL, NULL);
    rd_kafka_event_t *event = NULL;
    enum sl_rc rc;

    while (!code && !event && sl_now_us() < deadline_us && !sl_kafka_given_up(kafka))
        event = rd_kafka_queue_poll(queue, SL_KAFKA_TURN_MS);
    if (code)
        rc = sl_kafka_error(err, code, NULL, "committing for group '%.100s'", name);
    else
        rc = event ? read_commit(event, name, err) : sl_kafka_no_answer(kafka, "committing offsets", err);
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    return rc;
}

enum sl_rc sl_kafka_commit(struct sl_transport *transport, const char *name,
                           const struct sl_progress *progress, size_t n, struct sl_error *err)
{
    struct sl_kafka *kafka = sl_kafka_of(transport);
    rd_kafka_topic_partition_list_t *list;
    rd_kafka_t *consumer;
    enum sl_rc rc = consumer_of(kafka, name, &consumer, err);

    if (rc)
        return rc;
    list = list_of(progress, n);
    rc = commit(kafka, consumer, name, list, err);
    rd_kafka_topic_partition_list_destroy(list);
    sl_kafka_marks_store(kafka, false);
    return rc;
}

static enum sl_rc ask(struct sl_kafka *kafka, rd_kafka_t *consumer, const char *name,
                      rd_kafka_topic_partition_list_t *list, struct sl_error *err)
{
    int64_t deadline_us = sl_now_us() + SL_KAFKA_ANSWER_US;

    for (;;) {
        rd_kafka_resp_err_t code = rd_kafka_committed(consumer, list, SL_KAFKA_TURN_MS * 5);

        if (!code)
            code = list->elems[0].err;
        if (!code)
            return SL_OK;
        if (sl_kafka_given_up(kafka))
            return sl_kafka_stopped(err);
        if (!sl_kafka_retriable(code) || sl_now_us() > deadline_us)
            return sl_kafka_error(err, code, NULL, "asking for the offsets of group '%.100s'", name);
    }
}

static bool says(const rd_kafka_topic_partition_t *item, const char *word)
{
    return item->metadata_size == strlen(word) && memcmp(item->metadata, word, item->metadata_size) == 0;
}

enum sl_rc sl_kafka_committed(struct sl_transport *transport, const char *name, const struct sl_topic *topic,
                              int32_t partition, int64_t *ret_next, bool *ret_foreign, struct sl_error *err)
{
    struct sl_kafka *kafka = sl_kafka_of(transport);
    rd_kafka_topic_partition_list_t *list;
    rd_kafka_t *consumer;
    enum sl_rc rc = consumer_of(kafka, name, &consumer, err);

    if (rc)
        return rc;
    list = rd_kafka_topic_partition_list_new(1);
    (void)rd_kafka_topic_partition_list_add(list, topic->name, partition);
    rc = ask(kafka, consumer, name, list, err);
    if (rc == SL_OK) {
        const rd_kafka_topic_partition_t *item = &list->elems[0];

        bool known = item->offset >= 0 && !says(item, RESET);

        *ret_next = known ? item->offset : -1;
        *ret_foreign = known && !says(item, OURS);
    }
    rd_kafka_topic_partition_list_destroy(list);
    return rc;
}
