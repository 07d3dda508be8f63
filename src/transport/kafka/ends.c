/* SPDX-License-Identifier: Apache-2.0 */
/* Where partitions begin and end. */
#include "transport/kafka/inside.h"

#include "base/clock.h"
#include "transport/kafka/patience.h"

enum {
    PAUSE_US = 100 * 1000,
    PATIENCE_MS = 1000,      /* with the client at hand: it is connected, or does not know whom to ask */
    PATIENCE_ANEW_MS = 3000, /* with one that has to connect first */
};

static bool is_gone(struct sl_kafka *kafka, const char *topic, int32_t partition)
{
    int32_t partitions;
    struct sl_error err;

    return sl_kafka_count_partitions(kafka, topic, &partitions, &err) == SL_OK && partition >= partitions;
}

/*
 * What the client at hand says of itself, without an answer of a broker: it goes on asking the leader that it
 * knows, also when that broker has died and another leads, or says that there is no such partition (both seen
 * with librdkafka 2.0 for as long as the broker was away).
 */
static bool is_hearsay(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR__TIMED_OUT || code == RD_KAFKA_RESP_ERR__TRANSPORT ||
           code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION || code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
}

/* One who asks: by the client at hand first; when that tells hearsay, by one of its own that remembers
 * nothing, for as long as the question lasts. */
struct asker {
    struct sl_kafka *kafka;
    rd_kafka_t *fresh;
};

static void done(struct asker *asker)
{
    sl_kafka_bury(asker->kafka, asker->fresh);
    asker->fresh = NULL;
}

static bool begin_anew(struct asker *asker)
{
    const struct sl_kafka_client config = {.worker = asker->kafka->props};
    rd_kafka_conf_t *conf = NULL;
    struct sl_error err;

    done(asker);
    return sl_kafka_conf(asker->kafka, &config, &conf, &err) == SL_OK &&
           sl_kafka_client_open(RD_KAFKA_PRODUCER, conf, &asker->fresh, &err) == SL_OK;
}

/*
 * which: RD_KAFKA_OFFSET_BEGINNING or _END. Not by rd_kafka_query_watermark_offsets: its time limit covers
 * the search for the leader only, and a question to a leader that has just died waits three times
 * socket.timeout.ms, which is minutes.
 */
static rd_kafka_resp_err_t ask_end(rd_kafka_t *client, const char *topic, int32_t partition, int64_t which,
                                   int timeout_ms, int64_t *ret)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *item = rd_kafka_topic_partition_list_add(list, topic, partition);
    rd_kafka_resp_err_t code;

    item->offset = which;
    code = rd_kafka_offsets_for_times(client, list, timeout_ms);
    if (!code)
        code = list->elems[0].err;
    if (!code && list->elems[0].offset < 0)
        code = RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE;
    if (!code)
        *ret = list->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(list);
    return code;
}

static rd_kafka_resp_err_t ask_client(rd_kafka_t *client, const char *topic, int32_t partition,
                                      int timeout_ms, int64_t *ret_first, int64_t *ret_next)
{
    rd_kafka_resp_err_t code =
        ask_end(client, topic, partition, RD_KAFKA_OFFSET_BEGINNING, timeout_ms, ret_first);

    return code ? code : ask_end(client, topic, partition, RD_KAFKA_OFFSET_END, timeout_ms, ret_next);
}

static rd_kafka_resp_err_t ask(struct asker *asker, const char *topic, int32_t partition, int64_t *ret_first,
                               int64_t *ret_next)
{
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__TIMED_OUT;

    if (!asker->fresh)
        code = ask_client(asker->kafka->client, topic, partition, PATIENCE_MS, ret_first, ret_next);
    /* The one of our own learns hearsay as well, when a leader dies after it was asked. */
    if (is_hearsay(code) && (asker->fresh || begin_anew(asker))) {
        code = ask_client(asker->fresh, topic, partition, PATIENCE_ANEW_MS, ret_first, ret_next);
        if (is_hearsay(code))
            done(asker);
    }
    return code;
}

static enum sl_rc ask_until_answered(struct asker *asker, const char *topic, int32_t partition,
                                     int64_t *ret_first, int64_t *ret_next, struct sl_error *err)
{
    struct sl_kafka *kafka = asker->kafka;
    int64_t deadline_us = sl_now_us() + SL_KAFKA_ANSWER_US;

    for (;;) {
        rd_kafka_resp_err_t code = ask(asker, topic, partition, ret_first, ret_next);

        if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
            return SL_OK;
        if (sl_kafka_given_up(kafka))
            return sl_kafka_stopped(err);
        if (is_gone(kafka, topic,
                    partition)) /* librdkafka would look for its leader until the time is over */
            code = RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
        if (!sl_kafka_retriable(code) || sl_now_us() > deadline_us)
            return sl_kafka_error(err, code, NULL, "asking for the ends of topic '%.120s' partition %d",
                                  topic, partition);
        (void)sl_stop_wait(&kafka->stop, sl_now_us() + PAUSE_US);
    }
}

enum sl_rc sl_kafka_watermarks(struct sl_kafka *kafka, const char *topic, int32_t partition,
                               int64_t *ret_first, int64_t *ret_next, struct sl_error *err)
{
    struct asker asker = {.kafka = kafka};
    enum sl_rc rc = ask_until_answered(&asker, topic, partition, ret_first, ret_next, err);

    done(&asker);
    return rc;
}

static enum sl_rc expect(struct asker *asker, const char *topic, int32_t partition, int64_t at_least,
                         int64_t *ret_first, int64_t *ret_next, struct sl_error *err)
{
    struct sl_kafka *kafka = asker->kafka;
    struct sl_kafka_patience patience = {.began_us = sl_now_us()};

    for (;;) {
        enum sl_rc rc = ask_until_answered(asker, topic, partition, ret_first, ret_next, err);
        int64_t now_us = sl_now_us();

        if (sl_kafka_patience_ends(&patience, rc, rc == SL_OK && *ret_next >= at_least, now_us))
            return rc;
        if (sl_kafka_given_up(kafka) || sl_stop_wait(&kafka->stop, now_us + PAUSE_US))
            return sl_kafka_stopped(err);
    }
}

enum sl_rc sl_kafka_expect_end(struct sl_kafka *kafka, const char *topic, int32_t partition, int64_t at_least,
                               int64_t *ret_first, int64_t *ret_next, struct sl_error *err)
{
    struct asker asker = {.kafka = kafka};
    enum sl_rc rc = expect(&asker, topic, partition, at_least, ret_first, ret_next, err);

    done(&asker);
    return rc;
}

enum sl_rc sl_kafka_topic_ends(struct sl_kafka *kafka, const char *topic, int32_t n, int64_t *ret_next,
                               struct sl_error *err)
{
    struct asker asker = {.kafka = kafka};
    enum sl_rc rc = SL_OK;
    int64_t first;

    for (int32_t i = 0; rc == SL_OK && i < n; i++)
        rc = expect(&asker, topic, i, 0, &first, &ret_next[i], err); /* it was just made, perhaps */
    done(&asker);
    return rc;
}

enum sl_rc sl_kafka_ends(struct sl_transport *transport, sl_topic_visitor *visit, void *ctx,
                         struct sl_error *err)
{
    struct sl_kafka *kafka = sl_kafka_of(transport);

    (void)err;
    (void)pthread_mutex_lock(&kafka->readers_lock);
    for (size_t i = 0; i < kafka->n_readers; i++)
        sl_kafka_reader_ends(kafka->readers[i], visit, ctx);
    (void)pthread_mutex_unlock(&kafka->readers_lock);
    return SL_OK;
}
