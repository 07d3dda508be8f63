/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slots held through Kafka's own group protocol: the partitions of an empty internal topic, consumed by the
 * group of the workers (group.id) with the cooperative-sticky assignor and static membership. Who is assigned
 * partition i holds slot i; the broker sees to it that it is one member only, and takes it from a member that
 * is not heard of for session.timeout.ms. Nothing is ever read from the topic.
 *
 * The group's name is the one that Kafka Connect's workers used (protocol type "connect"): the broker lets
 * ours in when the last of theirs is gone and refuses them with INCONSISTENT_GROUP_PROTOCOL before that
 * (kafka-connect.md 2.6), so both never run at once.
 *
 * Threads: one of its own polls the consumer and calls the listener; that polling is quick whatever the tasks
 * do, so that max.poll.interval.ms never takes the slots away. give_back is for any thread.
 */
#ifndef SLUICE_TRANSPORT_KAFKA_SLOTS_H
#define SLUICE_TRANSPORT_KAFKA_SLOTS_H

#include "sluice/membership.h"

#include <librdkafka/rdkafka.h>

struct sl_slots;

struct sl_slots_config {
    rd_kafka_conf_t *conf; /* where the brokers are and how to talk to them; taken over, also on failure */
    const char *group;
    const char *topic;
    int32_t n_slots; /* partitions of the topic */
    const char *worker;
    int session_timeout_ms; /* 6000: the least that brokers allow unless told otherwise */
    int give_back_ms;       /* what is asked for and not given back by then is lost */
};

/* Start; slots come by the listener. Errors: CONFIG (the client refuses a key). */
enum sl_rc sl_slots_open(const struct sl_slots_config *config, const struct sl_membership_listener *listener,
                         struct sl_slots **ret, struct sl_error *err);
int32_t sl_slots_count(const struct sl_slots *slots);
void sl_slots_give_back(struct sl_slots *slots, int32_t slot);
/* Returns the consumer, for the caller to destroy: that may wait for brokers. It calls nobody any more, and a
 * static member takes no leave of its group. */
rd_kafka_t *sl_slots_close(struct sl_slots *slots);

#endif
