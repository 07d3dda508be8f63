/* SPDX-License-Identifier: Apache-2.0 */
/*
 * After a claim: what a former holder left behind. Its last transaction may have been broken off between its
 * records and their commit. Readers of committed records never see these; Kafka Connect, unless it runs with
 * exactly-once, reads its topics uncommitted, and a worker of it that takes over would believe them. So
 * whoever has fenced the former holder reads the topic as such a worker would, and writes again what is
 * committed where the two differ: the last word on every key is a committed one, for every reader.
 */
#include "transport/kafka/inside.h"
#include "transport/kafka/produce.h"
#include "transport/kafka/whole_topic.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/log.h"

#include <string.h>

struct mend {
    struct sl_kafka *kafka;
    enum sl_kafka_table table;
    json_t *seen; /* key -> its last value, as a reader of uncommitted records has it; null: a tombstone */
    struct sl_kafka_message *messages; /* to be written */
    struct sl_buf *values;             /* of theirs */
    size_t n, capacity, values_capacity;
};

static void see(void *ctx, const rd_kafka_message_t *message)
{
    struct mend *mend = ctx;
    char *key;

    if (!message->key)
        return;
    key = sl_strndup(message->key, message->key_len);
    (void)json_object_set_new(mend->seen, key,
                              message->payload ? json_stringn(message->payload, message->len) : json_null());
    sl_free(key);
}

static void write_later(struct mend *mend, struct sl_span key, struct sl_span value)
{
    SL_GROW(mend->messages, mend->n, mend->capacity);
    SL_GROW(mend->values, mend->n, mend->values_capacity);
    mend->messages[mend->n] = (struct sl_kafka_message){.table = mend->table};
    mend->values[mend->n] = (struct sl_buf){0};
    sl_buf_put(&mend->messages[mend->n].key, key.ptr, key.len);
    if (value.ptr) {
        sl_buf_put(&mend->values[mend->n], value.ptr, value.len);
        mend->messages[mend->n].value = (struct sl_span){mend->values[mend->n].data, value.len};
    }
    mend->n++;
}

/* A committed value: is it also the last one? */
static void compare(void *ctx, const struct sl_kafka_entry *entry)
{
    struct mend *mend = ctx;
    char *key = sl_strndup((const char *)entry->key.ptr, entry->key.len);
    const json_t *last = json_object_get(mend->seen, key);

    if (!json_is_string(last) || json_string_length(last) != entry->value.len ||
        memcmp(json_string_value(last), entry->value.ptr, entry->value.len) != 0)
        write_later(mend, entry->key, entry->value);
    (void)json_object_del(mend->seen, key);
    sl_free(key);
}

static enum sl_rc find_differences(struct mend *mend, struct sl_error *err)
{
    const struct sl_kafka_query query = {.table = mend->table};
    enum sl_rc rc = sl_kafka_follow_to_end(mend->kafka, (int)mend->table, err);
    const char *key;
    json_t *last;

    if (rc == SL_OK)
        rc = sl_kafka_follower_visit(mend->kafka, &query, compare, mend, err);
    if (rc)
        return rc;
    json_object_foreach(mend->seen, key, last)
    {
        if (!json_is_null(last)) /* nothing committed stands under it */
            write_later(mend, (struct sl_span){(const uint8_t *)key, strlen(key)}, (struct sl_span){0});
    }
    return SL_OK;
}

static enum sl_rc write_again(struct mend *mend, rd_kafka_t *producer, struct sl_error *err)
{
    rd_kafka_error_t *error = rd_kafka_begin_transaction(producer);
    bool must_abort = false;
    enum sl_rc rc = SL_OK;

    if (error)
        return sl_kafka_error_of(err, error, "beginning a transaction");
    for (size_t i = 0; rc == SL_OK && i < mend->n; i++) {
        const struct sl_kafka_message *message = &mend->messages[i];
        rd_kafka_resp_err_t code = sl_kafka_produce_text(
            mend->kafka, producer, mend->table, (struct sl_span){message->key.data, message->key.len},
            message->value, NULL);

        if (code)
            rc = sl_kafka_error(err, code, NULL, "writing to topic '%.120s'",
                                mend->kafka->tables[mend->table]);
    }
    must_abort = rc != SL_OK;
    if (rc == SL_OK)
        rc = sl_kafka_commit_transaction(mend->kafka, &mend->kafka->stop, producer, &must_abort, err);
    if (must_abort)
        sl_kafka_abort_transaction(mend->kafka, &mend->kafka->stop, producer);
    if (rc == SL_OK)
        sl_warn("a former leader's write was broken off; what it meant to change is written again as it is",
                SL_T("topic", mend->kafka->tables[mend->table]), SL_I("keys", (int64_t)mend->n));
    return rc;
}

enum sl_rc sl_kafka_mend(struct sl_kafka *kafka, enum sl_kafka_table table, rd_kafka_t *producer,
                         struct sl_error *err)
{
    struct mend mend = {.kafka = kafka, .table = table, .seen = json_object()};
    const struct sl_kafka_whole whole = {.topic = kafka->tables[table],
                                         .partitions = kafka->table_partitions[table],
                                         .uncommitted = true,
                                         .client_id = "sluice-mend",
                                         .doing = "reading what a former leader wrote",
                                         .see = see,
                                         .ctx = &mend};
    enum sl_rc rc = sl_kafka_read_whole(kafka, &whole, err);

    if (rc == SL_OK)
        rc = find_differences(&mend, err);
    if (rc == SL_OK && mend.n)
        rc = write_again(&mend, producer, err);
    for (size_t i = 0; i < mend.n; i++) {
        sl_buf_done(&mend.messages[i].key);
        sl_buf_done(&mend.values[i]);
    }
    sl_free(mend.messages);
    sl_free(mend.values);
    json_decref(mend.seen);
    return rc;
}
