/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Positions that sinks tell: the offsets of the consumer group connect-<connector>, as Kafka Connect keeps
 * them, so that kafka-consumer-groups and lag exporters see what they are used to. The truth is the target's
 * own. Ours carry the metadata "sluice"; the group has no members, and a Java worker that is still in it
 * makes the brokers refuse us.
 */
#include "transport/kafka/inside.h"

#include "base/alloc.h"
#include "base/clock.h"

#include <string.h>

static const char OURS[] = "sluice";

/* Wait for the answer to an administrative request; NULL: none came. */
static rd_kafka_event_t *wait_for(struct sl_kafka *kafka, rd_kafka_queue_t *queue)
{
    int64_t deadline_us = sl_now_us() + SL_KAFKA_ANSWER_US;
    rd_kafka_event_t *event = NULL;

    while (!event && sl_now_us() < deadline_us && !sl_kafka_given_up(kafka))
        event = rd_kafka_queue_poll(queue, SL_KAFKA_TURN_MS);
    return event;
}

static enum sl_rc check_list(const rd_kafka_topic_partition_list_t *list, const char *name,
                             struct sl_error *err)
{
    for (int i = 0; i < list->cnt; i++) {
        if (list->elems[i].err)
            return sl_kafka_error(err, list->elems[i].err, NULL,
                                  "committing for group '%.100s', topic '%.100s'", name,
                                  list->elems[i].topic);
    }
    return SL_OK;
}

static enum sl_rc check_groups(const rd_kafka_group_result_t *const *groups, size_t n, const char *name,
                               struct sl_error *err)
{
    for (size_t i = 0; i < n; i++) {
        const rd_kafka_error_t *error = rd_kafka_group_result_error(groups[i]);
        const rd_kafka_topic_partition_list_t *list = rd_kafka_group_result_partitions(groups[i]);
        enum sl_rc rc = SL_OK;

        if (error)
            return sl_kafka_error(err, rd_kafka_error_code(error), rd_kafka_error_string(error),
                                  "the offsets of group '%.100s'", name);
        if (list)
            rc = check_list(list, name, err);
        if (rc)
            return rc;
    }
    return SL_OK;
}

static enum sl_rc read_commit(rd_kafka_event_t *event, const char *name, struct sl_error *err)
{
    const rd_kafka_AlterConsumerGroupOffsets_result_t *result =
        rd_kafka_event_AlterConsumerGroupOffsets_result(event);
    const rd_kafka_group_result_t **groups;
    size_t n = 0;

    if (rd_kafka_event_error(event) || !result)
        return sl_kafka_error(err, rd_kafka_event_error(event), rd_kafka_event_error_string(event),
                              "committing for group '%.100s'", name);
    groups = rd_kafka_AlterConsumerGroupOffsets_result_groups(result, &n);
    return check_groups(groups, n, name, err);
}

static rd_kafka_topic_partition_list_t *list_of(const struct sl_progress *progress, size_t n)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)n);

    for (size_t i = 0; i < n; i++) {
        rd_kafka_topic_partition_t *item =
            rd_kafka_topic_partition_list_add(list, progress[i].topic->name, progress[i].partition);

        item->offset = progress[i].next_offset;
        item->metadata = strdup(OURS); /* freed by librdkafka, with free */
        item->metadata_size = sizeof(OURS) - 1;
    }
    return list;
}

enum sl_rc sl_kafka_commit(struct sl_transport *transport, const char *name,
                           const struct sl_progress *progress, size_t n, struct sl_error *err)
{
    struct sl_kafka *kafka = sl_kafka_of(transport);
    rd_kafka_topic_partition_list_t *list = list_of(progress, n);
    rd_kafka_AlterConsumerGroupOffsets_t *request = rd_kafka_AlterConsumerGroupOffsets_new(name, list);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(kafka->client);
    rd_kafka_event_t *event;
    enum sl_rc rc;

    rd_kafka_AlterConsumerGroupOffsets(kafka->client, &request, 1, NULL, queue);
    event = wait_for(kafka, queue);
    rc = event ? read_commit(event, name, err) : sl_kafka_no_answer(kafka, "committing offsets", err);
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_AlterConsumerGroupOffsets_destroy(request);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_queue_destroy(queue);
    sl_kafka_marks_store(kafka, false);
    return rc;
}

static enum sl_rc read_committed(rd_kafka_event_t *event, const char *name, int64_t *ret_next,
                                 bool *ret_foreign, struct sl_error *err)
{
    const rd_kafka_ListConsumerGroupOffsets_result_t *result =
        rd_kafka_event_ListConsumerGroupOffsets_result(event);
    const rd_kafka_topic_partition_list_t *list;
    const rd_kafka_group_result_t **groups;
    size_t n = 0;
    enum sl_rc rc;

    if (rd_kafka_event_error(event) || !result)
        return sl_kafka_error(err, rd_kafka_event_error(event), rd_kafka_event_error_string(event),
                              "the offsets of group '%.100s'", name);
    groups = rd_kafka_ListConsumerGroupOffsets_result_groups(result, &n);
    rc = check_groups(groups, n, name, err);
    if (rc)
        return rc;
    list = n ? rd_kafka_group_result_partitions(groups[0]) : NULL;
    *ret_next = -1;
    *ret_foreign = false;
    if (list && list->cnt && list->elems[0].offset >= 0) {
        const rd_kafka_topic_partition_t *item = &list->elems[0];

        *ret_next = item->offset;
        *ret_foreign =
            item->metadata_size != sizeof(OURS) - 1 || memcmp(item->metadata, OURS, sizeof(OURS) - 1) != 0;
    }
    return SL_OK;
}

enum sl_rc sl_kafka_committed(struct sl_transport *transport, const char *name, const struct sl_topic *topic,
                              int32_t partition, int64_t *ret_next, bool *ret_foreign, struct sl_error *err)
{
    struct sl_kafka *kafka = sl_kafka_of(transport);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_ListConsumerGroupOffsets_t *request;
    rd_kafka_queue_t *queue = rd_kafka_queue_new(kafka->client);
    rd_kafka_event_t *event;
    enum sl_rc rc;

    (void)rd_kafka_topic_partition_list_add(list, topic->name, partition);
    request = rd_kafka_ListConsumerGroupOffsets_new(name, list);
    rd_kafka_ListConsumerGroupOffsets(kafka->client, &request, 1, NULL, queue);
    event = wait_for(kafka, queue);
    rc = event ? read_committed(event, name, ret_next, ret_foreign, err)
               : sl_kafka_no_answer(kafka, "asking for committed offsets", err);
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_ListConsumerGroupOffsets_destroy(request);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_queue_destroy(queue);
    return rc;
}
