/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An appender: appends in the order in which they were handed in, from then until they are told to be over.
 *
 * Without an exclusive id (appender.c): records go out at once, several appends overlap, and the idempotent
 * producer keeps each partition's order; an error that would leave a hole ends it (enable.gapless.guarantee).
 * When all records of the oldest appends are acknowledged, their notes are written, then their offsets: a
 * crash between the steps leaves a position that is too old, never one that is too new.
 *
 * With one (transaction.c): everything that waits goes out in one transaction, and the next gathers
 * meanwhile.
 *
 * Threads: the appender's own (`thread`) calls done and everything of librdkafka but produce.
 */
#ifndef SLUICE_TRANSPORT_KAFKA_APPENDER_H
#define SLUICE_TRANSPORT_KAFKA_APPENDER_H

#include "transport/kafka/produce.h"

struct sl_kafka_flight {
    struct sl_kafka_flight *next;
    struct sl_append append;
    sl_append_done *done;
    void *ctx;
    struct sl_log_appender *appender;
    struct sl_error *refusal; /* nothing of it was handed in, for this reason; NULL: none */
    _Atomic size_t pending;   /* handed in and not acknowledged, and one more while it is being handed in */
};

struct sl_log_appender {
    struct sl_kafka *kafka;
    rd_kafka_t *producer;
    struct sl_kafka_handles handles;
    bool exclusive;
    size_t record_max; /* bytes of one record that the client lets pass */
    struct sl_stop stop;
    struct sl_stop give_up; /* do not wait for the brokers any longer */
    struct sl_thread thread;

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    struct sl_kafka_flight *first, *last;
    struct sl_error failure; /* rc set: broken */
    bool refusing;           /* an append was refused: what comes behind it is not handed in */

    /* The thread's own. */
    struct sl_kafka_flight *group; /* whose records are there; their notes or offsets are on their way */
    enum { GROUP_NOTES, GROUP_OFFSETS } stage;
    struct sl_kafka_flight positions; /* counts those messages */
};

/* How far may be gathered: the append in front of one that was refused; one that is itself refused breaks the
 * appender when it is the oldest. NULL: there is nothing to gather. With the lock held. */
struct sl_kafka_flight *sl_kafka_appender_front(struct sl_log_appender *appender);
/* Take everything up to last out of the queue: the group. With the lock held. */
void sl_kafka_appender_take(struct sl_log_appender *appender, struct sl_kafka_flight *last);
/* Make it broken, if it is not yet. */
void sl_kafka_appender_break(struct sl_log_appender *appender, const struct sl_error *why);
bool sl_kafka_appender_broken(struct sl_log_appender *appender, struct sl_error *ret);

void sl_kafka_appender_finish(struct sl_kafka_flight *flight, const struct sl_error *failure);
void sl_kafka_appender_warm(struct sl_log_appender *appender);

/* transaction.c: the thread of an exclusive one. */
void sl_kafka_appender_exclusive_main(void *arg);

#endif
