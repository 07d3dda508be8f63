/* SPDX-License-Identifier: Apache-2.0 */
/* Topics: making them, counting their partitions, and seeing those that others make. */
#include "transport/kafka/inside.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/props.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOOK_EVERY_US = 5 * 1000 * 1000, EXPECT_US = 3 * 1000 * 1000 };

struct seen {
    const struct sl_topic *topic;
    int32_t partitions;
};

struct sl_kafka_topic_watch {
    struct sl_kafka *kafka;
    sl_topic_change *change;
    void *ctx;
    struct sl_stop stop;
    struct sl_thread thread;
    struct seen *seen; /* the thread's own */
    size_t n_seen, seen_capacity;
};

bool sl_kafka_internal_topic(const struct sl_kafka *kafka, const char *name)
{
    if (strncmp(name, "__", 2) == 0)
        return true;
    for (int table = 0; table < SL_KAFKA_TABLES; table++) {
        if (kafka->tables[table] && strcmp(kafka->tables[table], name) == 0)
            return true;
    }
    return kafka->group && strncmp(name, kafka->group, strlen(kafka->group)) == 0 &&
           strncmp(name + strlen(kafka->group), "-sluice-", 8) == 0;
}

/* ---- metadata ---- */

/* Of all topics, or of one. Waits for brokers that are away. */
static enum sl_rc metadata(struct sl_kafka *kafka, rd_kafka_topic_t *only,
                           const struct rd_kafka_metadata **ret, struct sl_error *err)
{
    int64_t deadline_us = sl_now_us() + SL_KAFKA_ANSWER_US;

    for (;;) {
        rd_kafka_resp_err_t code = rd_kafka_metadata(kafka->client, !only, only, ret, 2000);

        if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
            return SL_OK;
        if (sl_kafka_given_up(kafka))
            return sl_kafka_stopped(err);
        if (!sl_kafka_retriable(code) || sl_now_us() > deadline_us)
            return sl_kafka_error(err, code, NULL, "asking for the topics");
    }
}

/*
 * A producer's metadata request for one topic would make it where the brokers allow that, with settings of
 * theirs: the list of all topics does not.
 */
enum sl_rc sl_kafka_count_partitions(struct sl_kafka *kafka, const char *name, int32_t *ret,
                                     struct sl_error *err)
{
    const struct rd_kafka_metadata *all;
    enum sl_rc rc = metadata(kafka, NULL, &all, err);

    if (rc)
        return rc;
    *ret = 0;
    for (int i = 0; i < all->topic_cnt; i++) {
        if (strcmp(all->topics[i].topic, name) == 0)
            *ret = all->topics[i].partition_cnt;
    }
    rd_kafka_metadata_destroy(all);
    return SL_OK;
}

/* One broker may not know yet what another does: what is missing is asked for again, for a while. */
enum sl_rc sl_kafka_expect_partitions(struct sl_kafka *kafka, const char *name, int32_t at_least,
                                      int32_t *ret, struct sl_error *err)
{
    int64_t deadline_us = sl_now_us() + EXPECT_US;
    enum sl_rc rc;

    do {
        rc = sl_kafka_count_partitions(kafka, name, ret, err);
    } while (rc == SL_OK && *ret < at_least && sl_now_us() < deadline_us && !sl_kafka_given_up(kafka) &&
             !sl_stop_wait(&kafka->stop, sl_now_us() + 50 * 1000));
    return rc;
}

enum sl_rc sl_kafka_partitions(struct sl_transport *transport, const struct sl_topic *topic, int32_t *ret,
                               struct sl_error *err)
{
    return sl_kafka_expect_partitions(sl_kafka_of(transport), topic->name, 1, ret, err);
}

struct listed {
    struct sl_topic_info *items;
    size_t n, capacity;
};

static enum sl_rc list_topic(struct sl_kafka *kafka, const struct rd_kafka_metadata_topic *topic,
                             struct listed *listed, struct sl_error *err)
{
    for (int i = 0; i < topic->partition_cnt; i++) {
        struct sl_topic_info *info;
        enum sl_rc rc;

        SL_GROW(listed->items, listed->n, listed->capacity);
        info = &listed->items[listed->n];
        *info = (struct sl_topic_info){
            .settings = {.partitions = topic->partition_cnt,
                         .retention_ms = SL_LOG_DEFAULT,
                         .retention_bytes = SL_LOG_DEFAULT},
            .partition = i,
            .bytes = -1,
        };
        (void)snprintf(info->name, sizeof(info->name), "%s", topic->topic);
        rc = sl_kafka_watermarks(kafka, topic->topic, i, &info->first_offset, &info->next_offset, err);
        if (rc == SL_E_NOT_FOUND) /* deleted meanwhile */
            return SL_OK;
        if (rc)
            return rc;
        listed->n++;
    }
    return SL_OK;
}

enum sl_rc sl_kafka_topics(struct sl_transport *transport, sl_topic_visitor *visit, void *ctx,
                           struct sl_error *err)
{
    struct sl_kafka *kafka = sl_kafka_of(transport);
    const struct rd_kafka_metadata *all;
    struct listed listed = {0};
    enum sl_rc rc = metadata(kafka, NULL, &all, err);

    if (rc)
        return rc;
    for (int i = 0; rc == SL_OK && i < all->topic_cnt; i++) {
        if (!sl_kafka_internal_topic(kafka, all->topics[i].topic))
            rc = list_topic(kafka, &all->topics[i], &listed, err);
    }
    rd_kafka_metadata_destroy(all);
    for (size_t i = 0; rc == SL_OK && i < listed.n; i++)
        visit(ctx, &listed.items[i]);
    sl_free(listed.items);
    return rc;
}

enum sl_rc sl_kafka_visit_topic(struct sl_transport *transport, const struct sl_topic *topic,
                                sl_topic_visitor *visit, void *ctx, struct sl_error *err)
{
    struct sl_kafka *kafka = sl_kafka_of(transport);
    char name[sizeof(((struct sl_topic_info *)0)->name)];
    struct rd_kafka_metadata_topic wanted = {.topic = name};
    struct listed listed = {0};
    int32_t partitions = 0;
    enum sl_rc rc = sl_kafka_count_partitions(kafka, topic->name, &partitions, err);

    (void)snprintf(name, sizeof(name), "%s", topic->name);
    wanted.partition_cnt = partitions;
    if (rc == SL_OK)
        rc = list_topic(kafka, &wanted, &listed, err);
    for (size_t i = 0; rc == SL_OK && i < listed.n; i++)
        visit(ctx, &listed.items[i]);
    sl_free(listed.items);
    return rc;
}

enum sl_rc sl_kafka_list_topics(struct sl_transport *transport, sl_topic_change *visit, void *ctx,
                                struct sl_error *err)
{
    struct sl_kafka *kafka = sl_kafka_of(transport);
    const struct rd_kafka_metadata *all;
    enum sl_rc rc = metadata(kafka, NULL, &all, err);

    if (rc)
        return rc;
    for (int i = 0; i < all->topic_cnt; i++) {
        const struct rd_kafka_metadata_topic *topic = &all->topics[i];

        if (topic->partition_cnt > 0 && !sl_kafka_internal_topic(kafka, topic->topic))
            visit(ctx, sl_topic_intern(topic->topic, strlen(topic->topic)), topic->partition_cnt);
    }
    rd_kafka_metadata_destroy(all);
    return SL_OK;
}

/* ---- making ---- */

static void set_number(rd_kafka_NewTopic_t *topic, const char *name, int64_t number)
{
    char text[24];

    if (number == SL_LOG_DEFAULT)
        return;
    (void)snprintf(text, sizeof(text), "%lld", (long long)number);
    (void)rd_kafka_NewTopic_set_config(topic, name, text);
}

static rd_kafka_NewTopic_t *describe(const char *name, const struct sl_topic_settings *settings,
                                     struct sl_error *err)
{
    char why[200] = "";
    rd_kafka_NewTopic_t *topic =
        rd_kafka_NewTopic_new(name, settings->partitions > 0 ? settings->partitions : -1,
                              settings->replication > 0 ? settings->replication : -1, why, sizeof(why));

    if (!topic) {
        (void)sl_error_set(err, SL_E_CONFIG, "topic '%.200s' cannot be made: %s. HINT: topic.creation.*",
                           name, why);
        return NULL;
    }
    if (settings->compact)
        (void)rd_kafka_NewTopic_set_config(topic, "cleanup.policy", "compact");
    set_number(topic, "retention.ms", settings->retention_ms);
    set_number(topic, "retention.bytes", settings->retention_bytes);
    for (size_t i = 0; i < settings->n_extras; i++)
        (void)rd_kafka_NewTopic_set_config(topic, settings->extras[i].name, settings->extras[i].value);
    return topic;
}

/* The answer to one request for one topic. */
static rd_kafka_resp_err_t answer_of(rd_kafka_event_t *event, char *why, size_t size)
{
    const rd_kafka_CreateTopics_result_t *result = rd_kafka_event_CreateTopics_result(event);
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);
    size_t n = 0;

    (void)snprintf(why, size, "%s", code ? rd_kafka_event_error_string(event) : "");
    if (result && !code) {
        const rd_kafka_topic_result_t **topics = rd_kafka_CreateTopics_result_topics(result, &n);

        if (n && rd_kafka_topic_result_error(topics[0])) {
            const char *text = rd_kafka_topic_result_error_string(topics[0]);

            code = rd_kafka_topic_result_error(topics[0]);
            (void)snprintf(why, size, "%s", text ? text : "");
        }
    }
    return code;
}

static rd_kafka_resp_err_t create_once(rd_kafka_t *client, rd_kafka_NewTopic_t *topic, char *why, size_t size)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    rd_kafka_AdminOptions_t *admin = rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__TIMED_OUT;
    rd_kafka_event_t *event;
    char text[200];

    (void)rd_kafka_AdminOptions_set_request_timeout(admin, 5000, text, sizeof(text));
    (void)rd_kafka_AdminOptions_set_operation_timeout(admin, 5000, text, sizeof(text));
    rd_kafka_CreateTopics(client, &topic, 1, admin, queue);
    event = rd_kafka_queue_poll(queue, 6000);
    if (event) {
        code = answer_of(event, why, size);
        rd_kafka_event_destroy(event);
    }
    rd_kafka_AdminOptions_destroy(admin);
    rd_kafka_queue_destroy(queue);
    return code;
}

/* A topic that was just made is not known to every broker at once. */
static enum sl_rc wait_until_there(struct sl_kafka *kafka, const char *name, struct sl_error *err)
{
    int64_t deadline_us = sl_now_us() + SL_KAFKA_ANSWER_US;
    int32_t partitions = 0;

    while (!partitions) {
        enum sl_rc rc = sl_kafka_count_partitions(kafka, name, &partitions, err);

        if (rc)
            return rc;
        if (!partitions && sl_now_us() > deadline_us)
            return sl_error_set(err, SL_E_TIMEOUT, "topic '%.200s' was made and no broker knows it", name);
        if (!partitions && sl_stop_wait(&kafka->stop, sl_now_us() + 20 * 1000))
            return sl_kafka_stopped(err);
    }
    return SL_OK;
}

/* By client, who may be another user than the worker. */
static enum sl_rc make_by(struct sl_kafka *kafka, rd_kafka_t *client, const char *name,
                          const struct sl_topic_settings *settings, struct sl_error *err)
{
    int64_t deadline_us = sl_now_us() + SL_KAFKA_ANSWER_US;
    rd_kafka_NewTopic_t *topic = describe(name, settings, err);
    rd_kafka_resp_err_t code;
    int32_t partitions = 0;
    char why[200] = "";
    enum sl_rc rc = SL_OK;

    if (!topic)
        return SL_E_CONFIG;
    do {
        code = create_once(client, topic, why, sizeof(why));
        if (sl_kafka_retriable(code)) /* asks the brokers anew who the controller is */
            rc = sl_kafka_count_partitions(kafka, name, &partitions, err);
    } while (sl_kafka_retriable(code) && rc == SL_OK && !partitions && sl_now_us() < deadline_us);
    rd_kafka_NewTopic_destroy(topic);
    if (rc || partitions)
        return rc;
    if (code && code != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
        return sl_kafka_error(err, code, why, "creating topic '%.120s'", name);
    return wait_until_there(kafka, name, err);
}

enum sl_rc sl_kafka_make_topic(struct sl_kafka *kafka, const char *name,
                               const struct sl_topic_settings *settings, struct sl_error *err)
{
    int32_t partitions = 0;
    enum sl_rc rc = sl_kafka_count_partitions(kafka, name, &partitions, err);

    return rc || partitions ? rc : make_by(kafka, kafka->client, name, settings, err);
}

static bool has_prefix(const struct sl_props *props, const char *prefix)
{
    for (size_t i = 0; props && i < sl_props_count(props); i++) {
        const char *key;
        const char *value;

        sl_props_at(props, i, &key, &value);
        if (strncmp(key, prefix, strlen(prefix)) == 0)
            return true;
    }
    return false;
}

/* Connectors' topics are made by Connect's admin client of the connector, when it has settings of its own. */
static enum sl_rc open_admin(struct sl_kafka *kafka, const struct sl_props *props, rd_kafka_t **ret,
                             struct sl_error *err)
{
    const char *connector = props ? sl_props_get(props, "name") : NULL;
    char *client_id = sl_format("connector-adminclient-%s", connector ? connector : "sluice");
    const struct sl_kafka_client description = {
        .prefix = "admin.", .connector = props, .override_prefix = "admin.override.", .client_id = client_id};
    rd_kafka_conf_t *conf;
    enum sl_rc rc = sl_kafka_conf(kafka, &description, &conf, err);

    sl_free(client_id);
    if (rc)
        return rc;
    rd_kafka_conf_set_error_cb(conf, NULL); /* nobody polls it */
    return sl_kafka_client_open(RD_KAFKA_PRODUCER, conf, ret, err);
}

enum sl_rc sl_kafka_create_topic(struct sl_transport *transport, const struct sl_topic *topic,
                                 const struct sl_topic_settings *settings, struct sl_error *err)
{
    struct sl_kafka *kafka = sl_kafka_of(transport);
    rd_kafka_t *admin = NULL;
    int32_t partitions = 0;
    enum sl_rc rc = sl_kafka_count_partitions(kafka, topic->name, &partitions, err);

    if (rc || partitions)
        return rc;
    if (has_prefix(kafka->props, "admin.") || has_prefix(settings->props, "admin.override."))
        rc = open_admin(kafka, settings->props, &admin, err);
    if (rc == SL_OK)
        rc = make_by(kafka, admin ? admin : kafka->client, topic->name, settings, err);
    sl_kafka_bury(kafka, admin);
    return rc;
}

/* ---- watching ---- */

static void see(struct sl_kafka_topic_watch *watch, const struct rd_kafka_metadata_topic *topic)
{
    const struct sl_topic *name = sl_topic_intern(topic->topic, strlen(topic->topic));
    struct seen *seen = NULL;

    for (size_t i = 0; i < watch->n_seen && !seen; i++) {
        if (watch->seen[i].topic == name)
            seen = &watch->seen[i];
    }
    if (seen && seen->partitions >= topic->partition_cnt)
        return;
    if (!seen) {
        SL_GROW(watch->seen, watch->n_seen, watch->seen_capacity);
        seen = &watch->seen[watch->n_seen++];
        seen->topic = name;
    }
    seen->partitions = topic->partition_cnt;
    if (topic->partition_cnt > 0)
        watch->change(watch->ctx, name, topic->partition_cnt);
}

/* What is there at the first look is known to the listener, or told again without harm. */
static void watch_main(void *arg)
{
    struct sl_kafka_topic_watch *watch = arg;
    struct sl_error err;

    do {
        const struct rd_kafka_metadata *all;

        if (metadata(watch->kafka, NULL, &all, &err))
            continue;
        for (int i = 0; i < all->topic_cnt; i++) {
            if (!sl_kafka_internal_topic(watch->kafka, all->topics[i].topic))
                see(watch, &all->topics[i]);
        }
        rd_kafka_metadata_destroy(all);
    } while (!sl_stop_wait(&watch->stop, sl_now_us() + LOOK_EVERY_US));
}

void sl_kafka_watch_topics(struct sl_transport *transport, sl_topic_change *change, void *ctx)
{
    struct sl_kafka *kafka = sl_kafka_of(transport);
    struct sl_kafka_topic_watch *watch = kafka->watch;

    if (watch) {
        sl_stop_request(&watch->stop);
        sl_thread_join(&watch->thread);
        sl_stop_done(&watch->stop);
        sl_free(watch->seen);
        sl_free(watch);
        kafka->watch = NULL;
    }
    if (!change)
        return;
    watch = sl_zalloc(1, sizeof(*watch));
    watch->kafka = kafka;
    watch->change = change;
    watch->ctx = ctx;
    sl_stop_init(&watch->stop);
    kafka->watch = watch;
    sl_thread_start(&watch->thread, "kafka-topics", watch_main, watch);
}
