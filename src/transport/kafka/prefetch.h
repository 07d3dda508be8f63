/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a consumer's queue runs ahead of its reader. librdkafka fetches until the queue is full (16 MB here, or
 * queued.min.messages) and then looks again when a second is over, no matter how soon there is room: a
 * reader of more than a queue a second would have its queue a second and no more. Since librdkafka 2.2 a
 * setting says how long (fetch.queue.backoff.ms); before, whoever takes out of the queue has to wake the
 * threads that fill it, each time that a quarter of it was taken.
 */
#ifndef SLUICE_TRANSPORT_KAFKA_PREFETCH_H
#define SLUICE_TRANSPORT_KAFKA_PREFETCH_H

#include "transport/kafka/client.h"

#include <stdbool.h>
#include <stddef.h>

/* Of one consumer, for the thread that reads from it. Zeroed: nobody is ever woken. */
struct sl_kafka_prefetch {
    rd_kafka_t *consumer; /* borrowed; NULL: its threads wake by themselves, or nothing wakes them */
    size_t quarter_bytes, quarter_records;
    size_t bytes, records; /* taken since they were woken */
};

/* The setting's name; NULL: this librdkafka has none. */
const char *sl_kafka_prefetch_setting(void);
void sl_kafka_prefetch_init(struct sl_kafka_prefetch *prefetch, rd_kafka_t *consumer);
/* So much was taken out of the queue. */
void sl_kafka_prefetch_took(struct sl_kafka_prefetch *prefetch, size_t records, size_t bytes);

/* Its threads look at once whether there is something to fetch, not when their second is over. */
void sl_kafka_wake_consumer(rd_kafka_t *consumer);

#endif
