/* SPDX-License-Identifier: Apache-2.0 */
/* A record of the log on its way to a librdkafka producer, by the way that keeps our bytes where they are. */
#ifndef SLUICE_TRANSPORT_KAFKA_PRODUCE_H
#define SLUICE_TRANSPORT_KAFKA_PRODUCE_H

#include "transport/kafka/inside.h"

/* Handles of topics, by sl_topic.id. Zeroed: empty. */
struct sl_kafka_handles {
    rd_kafka_topic_t **items;
    size_t n;
};

void sl_kafka_handles_done(struct sl_kafka_handles *handles);

/*
 * Hand one record in. With copy false its key and value stay untouched until the delivery is reported.
 * QUEUE_FULL is answered, not waited for.
 */
rd_kafka_resp_err_t sl_kafka_produce(rd_kafka_t *producer, struct sl_kafka_handles *handles,
                                     const struct sl_log_record *record, bool copy, void *opaque);

/* The same for a table's key and value, which are copied; value ptr NULL: a tombstone. */
rd_kafka_resp_err_t sl_kafka_produce_text(struct sl_kafka *kafka, rd_kafka_t *producer,
                                          enum sl_kafka_table table, struct sl_span key, struct sl_span value,
                                          void *opaque);
/* The same for a table's message. */
rd_kafka_resp_err_t sl_kafka_produce_message(struct sl_kafka *kafka, rd_kafka_t *producer,
                                             const struct sl_kafka_message *message, void *opaque);

#endif
