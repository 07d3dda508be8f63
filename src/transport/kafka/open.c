/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/kafka/inside.h"
#include "transport/kafka/kafka.h"
#include "transport/kafka/membership.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/props.h"
#include "transport/local.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>

enum { LEAVE_US = 250 * 1000, FIND_TOPIC_MS = 1000 };

static const struct sl_option options[] = {
    {.name = "bootstrap.servers",
     .type = SL_OPT_LIST,
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "Kafka brokers, host:port; empty: the embedded log is used."},
    {.name = "group.id",
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "Name of the workers that share connectors; without it one process works alone, and keeps "
            "configurations and source offsets in sluice.state.dir."},
    {.name = "config.storage.topic",
     .default_text = "connect-configs",
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "Topic of connector configurations (with group.id)."},
    {.name = "offset.storage.topic",
     .default_text = "connect-offsets",
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "Topic of source offsets (with group.id)."},
    {.name = "offset.storage.partitions",
     .type = SL_OPT_INT,
     .default_text = "25",
     .doc = "Its partitions, when it is made.",
     .min = 1,
     .max = 10000},
    {.name = "status.storage.topic",
     .default_text = "connect-status",
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "Topic of connector and task states (with group.id)."},
    {.name = "status.storage.partitions",
     .type = SL_OPT_INT,
     .default_text = "5",
     .doc = "Its partitions, when it is made.",
     .min = 1,
     .max = 10000},
    {.name = "config.storage.replication.factor",
     .type = SL_OPT_INT,
     .default_text = "-1",
     .doc = "Copies of that topic, when it is made; -1: as the brokers have it."},
    {.name = "offset.storage.replication.factor",
     .type = SL_OPT_INT,
     .default_text = "-1",
     .doc = "likewise"},
    {.name = "status.storage.replication.factor",
     .type = SL_OPT_INT,
     .default_text = "-1",
     .doc = "likewise"},
    {.name = "sluice.state.topic",
     .doc = "Topic of what only sluice keeps (with group.id); <group.id>-sluice-state when not given."},
    {.name = "kafkastore.topic",
     .default_text = "_schemas",
     .doc = "Topic of the built-in schema registry (with group.id)."},
    {.name = NULL},
};

/* ---- clients ---- */

void sl_kafka_log(const rd_kafka_t *client, int level, const char *facility, const char *text)
{
    if (level <= LOG_ERR)
        sl_debug("Kafka client", SL_T("client", rd_kafka_name(client)), SL_T("what", facility),
                 SL_T("text", text));
}

static void on_error(rd_kafka_t *client, int code, const char *why, void *opaque)
{
    (void)client;
    sl_kafka_complain(opaque, code, why);
}

void sl_kafka_complain(struct sl_kafka *kafka, int code, const char *why)
{
    bool first;

    if (code == RD_KAFKA_RESP_ERR__PARTITION_EOF)
        return;
    (void)pthread_mutex_lock(&kafka->trouble_lock);
    first = !kafka->trouble[0];
    kafka->trouble_code = (rd_kafka_resp_err_t)code;
    (void)snprintf(kafka->trouble, sizeof(kafka->trouble), "%s", why);
    (void)pthread_mutex_unlock(&kafka->trouble_lock);
    if (first)
        sl_warn("Kafka does not answer as it should; trying again", SL_T("why", why),
                SL_T("code", rd_kafka_err2name((rd_kafka_resp_err_t)code)));
}

void sl_kafka_no_trouble(struct sl_kafka *kafka)
{
    bool over;

    (void)pthread_mutex_lock(&kafka->trouble_lock);
    over = kafka->trouble[0] != '\0';
    kafka->trouble[0] = '\0';
    kafka->trouble_code = RD_KAFKA_RESP_ERR_NO_ERROR;
    (void)pthread_mutex_unlock(&kafka->trouble_lock);
    if (over)
        sl_info("Kafka answers again");
}

void sl_kafka_trouble(struct sl_kafka *kafka, char *text, size_t size)
{
    (void)pthread_mutex_lock(&kafka->trouble_lock);
    (void)snprintf(text, size, "%s", kafka->trouble);
    (void)pthread_mutex_unlock(&kafka->trouble_lock);
}

enum sl_rc sl_kafka_no_answer(struct sl_kafka *kafka, const char *doing, struct sl_error *err)
{
    char why[200];
    rd_kafka_resp_err_t code;

    (void)pthread_mutex_lock(&kafka->trouble_lock);
    code = kafka->trouble_code;
    (void)snprintf(why, sizeof(why), "%s", kafka->trouble);
    (void)pthread_mutex_unlock(&kafka->trouble_lock);
    return sl_kafka_error(err, code ? code : RD_KAFKA_RESP_ERR__TIMED_OUT, why, "%s", doing);
}

enum sl_rc sl_kafka_conf(const struct sl_kafka *kafka, const struct sl_kafka_client *client,
                         rd_kafka_conf_t **ret, struct sl_error *err)
{
    struct sl_kafka_client all = *client;
    enum sl_rc rc;

    all.worker = kafka->props;
    rc = sl_kafka_conf_new(&all, ret, err);
    if (rc)
        return rc;
    rd_kafka_conf_set_log_cb(*ret, sl_kafka_log);
    rd_kafka_conf_set_error_cb(*ret, on_error);
    rd_kafka_conf_set_opaque(*ret, (void *)(uintptr_t)kafka);
    return SL_OK;
}

void sl_kafka_find_topic(rd_kafka_t *client, const char *topic)
{
    rd_kafka_topic_t *handle = rd_kafka_topic_new(client, topic, NULL);
    const struct rd_kafka_metadata *metadata;

    if (handle && rd_kafka_metadata(client, 0, handle, &metadata, FIND_TOPIC_MS) == 0)
        rd_kafka_metadata_destroy(metadata);
    if (handle)
        rd_kafka_topic_destroy(handle);
}

enum sl_rc sl_kafka_client_open(rd_kafka_type_t type, rd_kafka_conf_t *conf, rd_kafka_t **ret,
                                struct sl_error *err)
{
    char why[256];
    rd_kafka_t *client = rd_kafka_new(type, conf, why, sizeof(why));

    if (!client) {
        rd_kafka_conf_destroy(conf);
        return sl_error_set(err, SL_E_CONFIG, "a Kafka client cannot be made: %s. HINT: docs/kafka.md", why);
    }
    sl_kafka_log_in_behind(client);
    *ret = client;
    return SL_OK;
}

static void poll_main(void *arg)
{
    struct sl_kafka *kafka = arg;

    while (!sl_stop_requested(&kafka->stop))
        (void)rd_kafka_poll(kafka->client, 100);
}

void sl_kafka_on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque)
{
    void (*delivered)(const rd_kafka_message_t *) = NULL;

    (void)client;
    (void)opaque;
    if (message->_private) {
        memcpy(&delivered, message->_private, sizeof(delivered)); /* texts.c: the first thing in it */
        delivered(message);
    }
}

static enum sl_rc open_client(struct sl_kafka *kafka, struct sl_error *err)
{
    static const struct sl_kafka_setting always[] = {
        {"enable.idempotence", "true"}, {"linger.ms", "0"}, {"message.timeout.ms", "30000"}, {NULL, NULL}};
    struct sl_kafka_client description = {.client_id = "sluice-worker", .always = always};
    rd_kafka_conf_t *conf;
    enum sl_rc rc = sl_kafka_conf(kafka, &description, &conf, err);

    if (rc)
        return rc;
    rd_kafka_conf_set_dr_msg_cb(conf, sl_kafka_on_delivery);
    rc = sl_kafka_client_open(RD_KAFKA_PRODUCER, conf, &kafka->client, err);
    if (rc)
        return rc;
    sl_thread_start(&kafka->poller, "kafka-poll", poll_main, kafka);
    return SL_OK;
}

/* The cluster's id is the first thing that the brokers are asked for: who they are, and whether they answer.
 */
static enum sl_rc read_identity(struct sl_kafka *kafka, struct sl_error *err)
{
    int64_t deadline_us = sl_now_us() + SL_KAFKA_ANSWER_US;
    char *id = NULL;

    while (!id && sl_now_us() < deadline_us && !sl_kafka_given_up(kafka)) {
        id = rd_kafka_clusterid(kafka->client, SL_KAFKA_TURN_MS);
        if (!id && kafka->trouble_code == RD_KAFKA_RESP_ERR__AUTHENTICATION)
            break;
    }
    if (!id)
        return sl_kafka_no_answer(kafka, "asking the brokers who they are", err);
    kafka->identity = sl_format("kafka:%s", id);
    rd_kafka_mem_free(kafka->client, id);
    return SL_OK;
}

/* ---- the topics of texts ---- */

struct table_rule {
    const char *topic_key;
    const char *prefix; /* of the keys that say how it is made */
    const char *replication_key;
    const char *partitions_key;
    int32_t partitions; /* 0: as partitions_key says */
    const char *what;   /* it holds, for errors */
};

static const struct table_rule rules[SL_KAFKA_TABLES] = {
    [SL_KAFKA_CONFIGS] = {"config.storage.topic", "config.storage.", "config.storage.replication.factor",
                          NULL, 1, "connector configurations"},
    [SL_KAFKA_STATUSES] = {"status.storage.topic", "status.storage.", "status.storage.replication.factor",
                           "status.storage.partitions", 0, "connector and task statuses"},
    [SL_KAFKA_OFFSETS] = {"offset.storage.topic", "offset.storage.", "offset.storage.replication.factor",
                          "offset.storage.partitions", 0, "source connector offsets"},
    [SL_KAFKA_STATE] = {"sluice.state.topic", "status.storage.", "status.storage.replication.factor", NULL, 1,
                        "what only sluice keeps"},
    [SL_KAFKA_SCHEMAS] = {"kafkastore.topic", "status.storage.", "status.storage.replication.factor", NULL, 1,
                          "schemas"},
};

static bool says_how(const char *rest)
{
    return strcmp(rest, "topic") != 0 && strcmp(rest, "partitions") != 0 &&
           strcmp(rest, "replication.factor") != 0;
}

static enum sl_rc make_table(struct sl_kafka *kafka, enum sl_kafka_table table, struct sl_error *err)
{
    const struct table_rule *rule = &rules[table];
    size_t prefix_len = strlen(rule->prefix);
    struct sl_topic_settings settings = {.compact = true,
                                         .retention_ms = SL_LOG_DEFAULT,
                                         .retention_bytes = SL_LOG_DEFAULT,
                                         .partitions = rule->partitions};
    struct sl_topic_extra *extras = NULL;
    size_t n = 0;
    size_t capacity = 0;
    enum sl_rc rc;

    if (!settings.partitions)
        settings.partitions = (int32_t)sl_option_int(options, kafka->props, "", rule->partitions_key);
    settings.replication = (int16_t)sl_option_int(options, kafka->props, "", rule->replication_key);
    for (size_t i = 0; i < sl_props_count(kafka->props); i++) {
        const char *key;
        const char *value;

        sl_props_at(kafka->props, i, &key, &value);
        if (strncmp(key, rule->prefix, prefix_len) != 0 || !says_how(key + prefix_len))
            continue;
        SL_GROW(extras, n, capacity);
        extras[n++] = (struct sl_topic_extra){key + prefix_len, value};
    }
    settings.extras = extras;
    settings.n_extras = n;
    rc = sl_kafka_make_topic(kafka, kafka->tables[table], &settings, err);
    sl_free(extras);
    return rc ? sl_error_wrap(err, "%s", rule->topic_key) : SL_OK;
}

static enum sl_rc open_table(struct sl_kafka *kafka, enum sl_kafka_table table, struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    if (!kafka->read_only)
        rc = make_table(kafka, table, err);
    if (rc == SL_OK)
        rc = sl_kafka_expect_partitions(kafka, kafka->tables[table], kafka->read_only ? 0 : 1,
                                        &kafka->table_partitions[table], err);
    if (rc == SL_OK && !kafka->table_partitions[table] && !kafka->read_only)
        rc = sl_error_set(err, SL_E_BUSY, "topic '%s' was made and is not there yet", kafka->tables[table]);
    if (rc == SL_OK && rules[table].partitions && kafka->table_partitions[table] > rules[table].partitions)
        rc = sl_error_set(
            err, SL_E_CONFIG,
            "%s: topic '%s' has %d partitions and must have one, or the order of what is written "
            "there is lost. HINT: name another topic",
            rules[table].topic_key, kafka->tables[table], kafka->table_partitions[table]);
    return rc;
}

static enum sl_rc expect_compacted(struct sl_kafka *kafka, struct sl_error *err)
{
    struct sl_kafka_compacted topics[SL_KAFKA_TABLES];

    for (int table = 0; table < SL_KAFKA_TABLES; table++)
        topics[table] = (struct sl_kafka_compacted){
            .name = kafka->tables[table], .property = rules[table].topic_key, .what = rules[table].what};
    return sl_kafka_expect_compacted(kafka, topics, SL_KAFKA_TABLES, err);
}

static enum sl_rc open_tables(struct sl_kafka *kafka, struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    for (int table = 0; table < SL_KAFKA_TABLES; table++) {
        const char *name = sl_option_text(options, kafka->props, "", rules[table].topic_key);

        kafka->tables[table] = name ? sl_strdup(name) : sl_format("%s-sluice-state", kafka->group);
    }
    for (int table = 0; rc == SL_OK && table < SL_KAFKA_TABLES; table++)
        rc = open_table(kafka, (enum sl_kafka_table)table, err);
    if (rc == SL_OK && !kafka->read_only)
        rc = expect_compacted(kafka, err);
    return rc ? rc : sl_kafka_follower_open(kafka, err);
}

/* ---- life ---- */

static void kafka_abandon(struct sl_transport *transport)
{
    struct sl_kafka *kafka = sl_kafka_of(transport);

    atomic_store(&kafka->abandoned, true);
}

static void kafka_close(struct sl_transport *transport)
{
    struct sl_kafka *kafka = sl_kafka_of(transport);

    sl_kafka_watch_topics(transport, NULL, NULL);
    sl_kafka_marks_close(kafka);
    sl_kafka_groups_close(kafka);
    sl_kafka_claims_close(kafka);
    sl_kafka_follower_close(kafka);
    sl_stop_request(&kafka->stop);
    sl_thread_join(&kafka->poller);
    if (kafka->client)
        sl_kafka_bury(kafka, kafka->client);
    sl_kafka_graves_leave(kafka->graves, sl_now_us() + LEAVE_US);
    if (kafka->local)
        kafka->local->ops->close(kafka->local);
    for (int table = 0; table < SL_KAFKA_TABLES; table++)
        sl_free(kafka->tables[table]);
    sl_free(kafka->readers);
    sl_free(kafka->identity);
    sl_props_free(kafka->props);
    sl_stop_done(&kafka->stop);
    (void)pthread_mutex_destroy(&kafka->trouble_lock);
    (void)pthread_mutex_destroy(&kafka->put_lock);
    (void)pthread_mutex_destroy(&kafka->readers_lock);
    sl_free(kafka);
}

static enum sl_rc begin(struct sl_kafka *kafka, struct sl_error *err)
{
    enum sl_rc rc = open_client(kafka, err);

    if (rc == SL_OK)
        rc = read_identity(kafka, err);
    if (rc)
        return rc;
    if (kafka->group)
        return open_tables(kafka, err);
    return sl_transport_local->open(kafka->props, kafka->read_only, &kafka->local, err);
}

static enum sl_rc kafka_open(const struct sl_props *props, bool read_only, struct sl_transport **ret,
                             struct sl_error *err)
{
    struct sl_kafka *kafka = sl_zalloc(1, sizeof(*kafka));
    enum sl_rc rc;

    kafka->transport.ops = &sl_transport_kafka;
    kafka->read_only = read_only;
    kafka->props = sl_props_copy(props);
    kafka->group = sl_props_get(kafka->props, "group.id");
    if (kafka->group && !*kafka->group)
        kafka->group = NULL;
    (void)pthread_mutex_init(&kafka->trouble_lock, NULL);
    (void)pthread_mutex_init(&kafka->put_lock, NULL);
    (void)pthread_mutex_init(&kafka->readers_lock, NULL);
    sl_stop_init(&kafka->stop);
    sl_kafka_marks_open(kafka);
    sl_kafka_groups_open(kafka);
    kafka->graves = sl_kafka_graves_new();
    rc = begin(kafka, err);
    if (rc) {
        atomic_store(&kafka->abandoned, true);
        kafka_close(&kafka->transport);
        return rc;
    }
    *ret = &kafka->transport;
    return SL_OK;
}

static const char *kafka_identity(struct sl_transport *transport)
{
    return sl_kafka_of(transport)->identity;
}

/* Kafka's retention is the brokers' own: it waits for nobody, and a reader that it overtook stops with a GAP.
 */
static enum sl_rc kafka_reserve(struct sl_transport *transport, const char *name,
                                const struct sl_topic *const *topics, size_t n, struct sl_error *err)
{
    (void)transport;
    (void)name;
    (void)topics;
    (void)n;
    (void)err;
    return SL_OK;
}

const struct sl_transport_ops sl_transport_kafka = {
    .name = "kafka",
    .peers_read = true,
    .options = options,
    .open = kafka_open,
    .identity = kafka_identity,
    .is_log_at = sl_kafka_is_log_at,
    .topic_identity = sl_kafka_topic_identity,
    .create_topic = sl_kafka_create_topic,
    .partitions = sl_kafka_partitions,
    .list_topics = sl_kafka_list_topics,
    .topics = sl_kafka_topics,
    .topic_ends = sl_kafka_visit_topic,
    .ends = sl_kafka_ends,
    .watch_topics = sl_kafka_watch_topics,
    .append = sl_kafka_append,
    .appender_open = sl_kafka_appender_open,
    .appender_append = sl_kafka_appender_append,
    .appender_note = sl_kafka_appender_note,
    .appender_abandon = sl_kafka_appender_abandon,
    .appender_close = sl_kafka_appender_close,
    .fence = sl_kafka_fence,
    .source_offset = sl_kafka_source_offset,
    .source_offsets = sl_kafka_source_offsets,
    .source_notes = sl_kafka_source_notes,
    .reader_settings = sl_kafka_reader_settings,
    .reader_open = sl_kafka_reader_open,
    .fetch = sl_kafka_fetch,
    .reader_wake = sl_kafka_reader_wake,
    .reader_close = sl_kafka_reader_close,
    .commit = sl_kafka_commit,
    .committed = sl_kafka_committed,
    .reserve = kafka_reserve,
    .put = sl_kafka_put,
    .put_all = sl_kafka_put_all,
    .claim = sl_kafka_claim,
    .list = sl_kafka_list,
    .watch = sl_kafka_watch,
    .abandon = kafka_abandon,
    .close = kafka_close,
    .membership = &sl_kafka_membership,
};
