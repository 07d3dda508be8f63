/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a client. Destroying one waits for its threads, for a few hundred milliseconds as a rule, and
 * (librdkafka 2.0.2) for ever when a topic that it was reading has been deleted. Nobody waits for that: a
 * thread of its own does, and the transport's close gives all of them a moment.
 */
#include "transport/kafka/inside.h"

#include "base/alloc.h"
#include "base/clock.h"

struct sl_kafka_graves {
    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t changed;
    size_t open;     /* clients that are being destroyed */
    bool unattended; /* the transport is gone: the last one frees this */
};

struct burial {
    struct sl_kafka_graves *graves;
    rd_kafka_t *client;
};

struct sl_kafka_graves *sl_kafka_graves_new(void)
{
    struct sl_kafka_graves *graves = sl_zalloc(1, sizeof(*graves));

    (void)pthread_mutex_init(&graves->lock, NULL);
    sl_cond_init(&graves->changed);
    return graves;
}

static void free_graves(struct sl_kafka_graves *graves)
{
    (void)pthread_cond_destroy(&graves->changed);
    (void)pthread_mutex_destroy(&graves->lock);
    sl_free(graves);
}

static void bury_main(void *arg)
{
    struct burial *burial = arg;
    struct sl_kafka_graves *graves = burial->graves;
    bool last;

    (void)pthread_detach(pthread_self());
    rd_kafka_destroy_flags(burial->client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    sl_free(burial);
    (void)pthread_mutex_lock(&graves->lock);
    last = --graves->open == 0 && graves->unattended;
    (void)pthread_cond_broadcast(&graves->changed);
    (void)pthread_mutex_unlock(&graves->lock);
    if (last)
        free_graves(graves);
}

void sl_kafka_bury(struct sl_kafka *kafka, rd_kafka_t *client)
{
    struct burial *burial;
    struct sl_thread thread = {0};

    if (!client)
        return;
    burial = sl_zalloc(1, sizeof(*burial));
    burial->graves = kafka->graves;
    burial->client = client;
    (void)pthread_mutex_lock(&kafka->graves->lock);
    kafka->graves->open++;
    (void)pthread_mutex_unlock(&kafka->graves->lock);
    sl_thread_start(&thread, "kafka-bury", bury_main, burial);
}

void sl_kafka_graves_leave(struct sl_kafka_graves *graves, int64_t deadline_us)
{
    bool empty;

    (void)pthread_mutex_lock(&graves->lock);
    while (graves->open && sl_cond_wait(&graves->changed, &graves->lock, deadline_us))
        continue;
    empty = graves->open == 0;
    graves->unattended = true;
    (void)pthread_mutex_unlock(&graves->lock);
    if (empty)
        free_graves(graves);
}
