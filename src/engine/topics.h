/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The topics that this process knows to exist, with their partition counts; creating those that do not. Who
 * wants to hear of new topics (a sink with topics.regex, a sink whose topics do not exist yet) registers a
 * listener.
 *
 * Threads: any.
 */
#ifndef SLUICE_ENGINE_TOPICS_H
#define SLUICE_ENGINE_TOPICS_H

#include "sluice/transport.h"

struct sl_topics;

/* Called after a topic was created and before its first record; on the creator's thread, without a lock. */
typedef void sl_topic_listener(void *ctx, const struct sl_topic *topic, int32_t partitions);

/* Reads what exists. */
enum sl_rc sl_topics_open(struct sl_transport *transport, struct sl_topics **ret, struct sl_error *err);
void sl_topics_close(struct sl_topics *topics);

void sl_topics_listen(struct sl_topics *topics, sl_topic_listener *listener, void *ctx);
void sl_topics_unlisten(struct sl_topics *topics, void *ctx);

/* Partitions of a topic, 0 when it does not exist. */
int32_t sl_topics_partitions(struct sl_topics *topics, const struct sl_topic *topic);

/* Create the topic when it does not exist; how many partitions it has. Errors: the transport's. */
enum sl_rc sl_topics_ensure(struct sl_topics *topics, const struct sl_topic *topic,
                            const struct sl_topic_settings *settings, int32_t *ret_partitions,
                            struct sl_error *err);

/* Visit the topics that exist, in order of their names. The visitor must not call back into topics. */
void sl_topics_each(struct sl_topics *topics, sl_topic_listener *visit, void *ctx);

#endif
