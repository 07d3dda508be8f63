/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A source connector with a topic of its own for its offsets (offsets.storage.topic, KIP-618). Kafka Connect
 * believes that topic first and the worker's after it. Here the worker's topic holds the truth, as for every
 * connector; what stands in the connector's own topic is taken over at each start, where it is newer, and
 * what is written from then on goes into both, in the same transaction where there is one. So a connector
 * comes from Connect with its position, and goes back with it.
 *
 * Which topics are mirrored so stands in the state topic, under own-offsets/<connector>: whichever worker
 * changes a connector's offsets finds it there.
 */
#include "transport/kafka/inside.h"
#include "transport/kafka/whole_topic.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/log.h"
#include "base/props.h"
#include "codec/murmur2.h"

#include <stdio.h>
#include <string.h>

#define SPACE "own-offsets"

/* ---- which ---- */

static void see_topic(void *ctx, const struct sl_kafka_entry *entry)
{
    char **text = ctx;

    if (!*text)
        *text = sl_strndup((const char *)entry->value.ptr, entry->value.len);
}

/* "<partitions> <topic>" of a connector, heap memory of the caller; NULL: it has none. */
static char *find_own(struct sl_kafka *kafka, const char *connector)
{
    struct sl_kafka_query query = {.table = SL_KAFKA_STATE, .max = 1, .by_key = true};
    struct sl_buf key = {0};
    char *text = NULL;

    sl_buf_format(&key, SPACE "/%s", connector);
    query.prefix = (struct sl_span){key.data, key.len};
    query.to = (struct sl_span){(const uint8_t *)"", 1}; /* the key itself and nothing behind it */
    if (sl_kafka_follower_visit(kafka, &query, see_topic, &text, NULL))
        text = NULL;
    sl_buf_done(&key);
    return text;
}

enum sl_rc sl_kafka_mirror_offset(struct sl_kafka *kafka, const char *connector,
                                  const struct sl_kafka_message *message, sl_kafka_send *send, void *ctx,
                                  struct sl_error *err)
{
    char *own = find_own(kafka, connector);
    struct sl_kafka_message mirrored = *message;
    enum sl_rc rc = SL_OK;
    int skip = 0;
    int partitions = 0;

    if (own && sscanf(own, "%d %n", &partitions, &skip) == 1 && partitions > 0 && skip) {
        mirrored.topic = own + skip;
        mirrored.partition = sl_murmur2_partition(message->key.data, message->key.len, partitions);
        rc = send(ctx, &mirrored, err);
    }
    sl_free(own);
    return rc;
}

/* ---- taking over ---- */

struct taking {
    struct sl_kafka *kafka;
    const char *connector;
    json_t *found; /* key -> [offset text or null, written_ms] */
    /* The comparison at hand. */
    json_t *partition;
    int64_t stored_ms;
    char *stored; /* NULL: nothing */
};

/* What the keys of a connector begin with. */
static void put_prefix(struct sl_buf *prefix, const char *connector)
{
    sl_buf_u8(prefix, '[');
    sl_json_put_text(prefix, connector, strlen(connector));
    sl_buf_u8(prefix, ',');
}

static void see(void *ctx, const rd_kafka_message_t *message)
{
    struct taking *taking = ctx;
    struct sl_buf prefix = {0};
    char *key;

    put_prefix(&prefix, taking->connector);
    if (message->key && message->key_len > prefix.len && memcmp(message->key, prefix.data, prefix.len) == 0) {
        key = sl_strndup(message->key, message->key_len);
        (void)json_object_set_new(
            taking->found, key,
            json_pack("[o, I]", message->payload ? json_stringn(message->payload, message->len) : json_null(),
                      (json_int_t)rd_kafka_message_timestamp(message, NULL)));
        sl_free(key);
    }
    sl_buf_done(&prefix);
}

static void see_stored(void *ctx, const struct sl_kafka_entry *entry)
{
    struct taking *taking = ctx;
    json_t *array = json_loadb((const char *)entry->key.ptr, entry->key.len, 0, NULL);

    if (json_equal(json_array_get(array, 1), taking->partition) && entry->timestamp_ms > taking->stored_ms) {
        taking->stored_ms = entry->timestamp_ms;
        sl_free(taking->stored);
        taking->stored = sl_strndup((const char *)entry->value.ptr, entry->value.len);
    }
    json_decref(array);
}

/* What the own topic says of one partition, unless the worker's topic says something newer. */
static enum sl_rc take_one(struct taking *taking, const char *key, const json_t *value, struct sl_error *err)
{
    const json_t *offset = json_array_get(value, 0);
    json_t *array = json_loads(key, 0, NULL);
    struct sl_buf prefix = {0};
    struct sl_buf partition = {0};
    struct sl_kafka_query query = {.table = SL_KAFKA_OFFSETS};
    enum sl_rc rc;

    put_prefix(&prefix, taking->connector);
    query.prefix = (struct sl_span){prefix.data, prefix.len};
    taking->partition = json_array_get(array, 1);
    taking->stored_ms = INT64_MIN;
    taking->stored = NULL;
    rc = sl_kafka_follower_visit(taking->kafka, &query, see_stored, taking, err);
    if (rc == SL_OK && taking->partition && json_is_string(offset) &&
        json_integer_value(json_array_get(value, 1)) > taking->stored_ms &&
        (!taking->stored || strcmp(taking->stored, json_string_value(offset)) != 0)) {
        struct sl_source_offset stored = {.connector = taking->connector};
        const struct sl_append append = {.offsets = &stored, .n_offsets = 1};

        sl_json_put(&partition, taking->partition);
        stored.partition = (struct sl_span){partition.data, partition.len};
        stored.offset =
            (struct sl_span){(const uint8_t *)json_string_value(offset), json_string_length(offset)};
        rc = sl_kafka_append(&taking->kafka->transport, &append, err);
    }
    sl_free(taking->stored);
    sl_buf_done(&prefix);
    sl_buf_done(&partition);
    json_decref(array);
    return rc;
}

static enum sl_rc take_over(struct sl_kafka *kafka, const char *connector, const char *topic,
                            int32_t partitions, struct sl_error *err)
{
    struct taking taking = {.kafka = kafka, .connector = connector, .found = json_object()};
    const struct sl_kafka_whole whole = {.topic = topic,
                                         .partitions = partitions,
                                         .client_id = "sluice-offsets",
                                         .doing = "reading a connector's own offsets",
                                         .see = see,
                                         .ctx = &taking};
    enum sl_rc rc = sl_kafka_read_whole(kafka, &whole, err);
    const char *key;
    json_t *value;

    if (rc == SL_OK)
        rc = sl_kafka_follow_to_end(kafka, SL_KAFKA_OFFSETS, err);
    json_object_foreach(taking.found, key, value)
    {
        if (rc == SL_OK)
            rc = take_one(&taking, key, value, err);
    }
    if (rc == SL_OK)
        sl_info("the connector's own topic of offsets was read", SL_T("connector", connector),
                SL_T("topic", topic), SL_I("partitions", (int64_t)json_object_size(taking.found)));
    json_decref(taking.found);
    return rc;
}

static enum sl_rc begin(struct sl_kafka *kafka, const char *connector, const char *topic, const char *own,
                        struct sl_error *err)
{
    const struct sl_topic_settings settings = {.compact = true,
                                               .partitions = kafka->table_partitions[SL_KAFKA_OFFSETS],
                                               .retention_ms = SL_LOG_DEFAULT,
                                               .retention_bytes = SL_LOG_DEFAULT};
    int32_t partitions = 0;
    char *text;
    enum sl_rc rc = sl_kafka_make_topic(kafka, topic, &settings, err);

    if (rc == SL_OK)
        rc = sl_kafka_expect_partitions(kafka, topic, 1, &partitions, err);
    if (rc == SL_OK)
        rc = take_over(kafka, connector, topic, partitions, err);
    if (rc)
        return rc;
    text = sl_format("%d %s", partitions, topic);
    if (!own || strcmp(own, text) != 0)
        rc = sl_kafka_put(&kafka->transport, SPACE, connector,
                          (struct sl_span){(const uint8_t *)text, strlen(text)}, err);
    sl_free(text);
    return rc;
}

enum sl_rc sl_kafka_own_offsets(struct sl_kafka *kafka, const char *connector, const struct sl_props *props,
                                struct sl_error *err)
{
    const char *wanted = sl_props_get(props, "offsets.storage.topic");
    char *own = find_own(kafka, connector);
    enum sl_rc rc = SL_OK;

    if (wanted && (!*wanted || strcmp(wanted, kafka->tables[SL_KAFKA_OFFSETS]) == 0))
        wanted = NULL;
    if (wanted)
        rc = begin(kafka, connector, wanted, own, err);
    else if (own)
        rc = sl_kafka_put(&kafka->transport, SPACE, connector, (struct sl_span){0}, err);
    sl_free(own);
    return rc ? sl_error_wrap(err, "offsets.storage.topic") : SL_OK;
}
