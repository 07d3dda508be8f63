/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/kafka/whole_topic.h"

#include "transport/kafka/inside.h"

#include "base/alloc.h"
#include "base/clock.h"

static enum sl_rc open_reader(struct sl_kafka *kafka, const struct sl_kafka_whole *whole, rd_kafka_t **ret,
                              struct sl_error *err)
{
    const struct sl_kafka_setting always[] = {
        {"group.id", kafka->group},
        {"enable.auto.commit", "false"},
        {"auto.offset.reset", "earliest"},
        {"enable.partition.eof", "true"},
        {"isolation.level", whole->uncommitted ? "read_uncommitted" : "read_committed"},
        {"allow.auto.create.topics", "false"},
        {NULL, NULL},
    };
    const struct sl_kafka_client description = {.client_id = whole->client_id, .always = always};
    rd_kafka_conf_t *conf;
    enum sl_rc rc = sl_kafka_conf(kafka, &description, &conf, err);

    if (rc == SL_OK)
        rc = sl_kafka_client_open(RD_KAFKA_CONSUMER, conf, ret, err);
    if (rc == SL_OK)
        (void)rd_kafka_poll_set_consumer(*ret);
    return rc;
}

static rd_kafka_resp_err_t assign(rd_kafka_t *reader, const struct sl_kafka_whole *whole)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(whole->partitions);
    rd_kafka_resp_err_t code;

    for (int32_t i = 0; i < whole->partitions; i++)
        rd_kafka_topic_partition_list_add(list, whole->topic, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    code = rd_kafka_assign(reader, list);
    rd_kafka_topic_partition_list_destroy(list);
    return code;
}

/* Has this partition's end been seen for the first time? It is seen again after each record that comes later.
 */
static bool ends(const struct sl_kafka_whole *whole, bool *ended, int32_t partition)
{
    bool first = partition >= 0 && partition < whole->partitions && !ended[partition];

    if (first)
        ended[partition] = true;
    return first;
}

static enum sl_rc read_all(struct sl_kafka *kafka, const struct sl_kafka_whole *whole, rd_kafka_t *reader,
                           struct sl_error *err)
{
    int64_t deadline_us = sl_now_us() + SL_KAFKA_ANSWER_US;
    bool *ended = sl_zalloc((size_t)whole->partitions, sizeof(bool));
    rd_kafka_resp_err_t code = assign(reader, whole);
    int32_t left = whole->partitions;

    while (!code && left && sl_now_us() < deadline_us && !sl_kafka_given_up(kafka)) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(reader, SL_KAFKA_TURN_MS);

        if (!message)
            continue;
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
            left -= ends(whole, ended, message->partition);
        else if (message->err && !sl_kafka_retriable(message->err))
            code = message->err;
        else if (!message->err)
            whole->see(whole->ctx, message);
        rd_kafka_message_destroy(message);
    }
    sl_free(ended);
    if (code)
        return sl_kafka_error(err, code, NULL, "reading topic '%.120s'", whole->topic);
    return left ? sl_kafka_no_answer(kafka, whole->doing, err) : SL_OK;
}

enum sl_rc sl_kafka_read_whole(struct sl_kafka *kafka, const struct sl_kafka_whole *whole,
                               struct sl_error *err)
{
    rd_kafka_t *reader = NULL;
    enum sl_rc rc = open_reader(kafka, whole, &reader, err);

    if (rc == SL_OK)
        rc = read_all(kafka, whole, reader, err);
    sl_kafka_bury(kafka, reader);
    return rc;
}
