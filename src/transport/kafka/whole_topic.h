/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small topic read once, from its beginning to where it ends now, by a consumer of its own: for what the
 * follower does not follow (another's topic) or does not see (records that were never committed).
 */
#ifndef SLUICE_TRANSPORT_KAFKA_WHOLE_TOPIC_H
#define SLUICE_TRANSPORT_KAFKA_WHOLE_TOPIC_H

#include "sluice/error.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

struct sl_kafka;

/* The message lives until the visitor returns; a partition's messages come in their order. */
typedef void sl_kafka_message_visitor(void *ctx, const rd_kafka_message_t *message);

struct sl_kafka_whole {
    const char *topic;
    int32_t partitions;
    bool uncommitted;      /* see records of open and aborted transactions too */
    const char *client_id; /* as brokers log it */
    const char *doing;     /* what an error says was being done */
    sl_kafka_message_visitor *see;
    void *ctx;
};

/* Errors: CONNECT, TIMEOUT (no end within the time an answer may take), AUTH. */
enum sl_rc sl_kafka_read_whole(struct sl_kafka *kafka, const struct sl_kafka_whole *whole,
                               struct sl_error *err);

#endif
