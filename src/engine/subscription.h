/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which topics a sink connector reads, and which of its tasks reads which partition. Topics that do not exist
 * yet are taken in when they are created, before their first record; what the connector will read is reserved
 * in the log, so that retention waits for it.
 *
 * A partition never changes its task: task = (number of the topic + partition) mod tasks, where topics are
 * numbered as they stand in `topics`, or by the CRC32C of their names for `topics.regex`: the tasks of one
 * connector may run in several workers, which find new topics in different orders and have to agree.
 *
 * Threads: any.
 */
#ifndef SLUICE_ENGINE_SUBSCRIPTION_H
#define SLUICE_ENGINE_SUBSCRIPTION_H

#include "engine/task_context.h"
#include "sluice/sink.h"

struct sl_subscription;

/*
 * Tell the log what a connector says of its readers (transport.h, reader_settings). Before its positions are
 * asked for. A configuration whose references to secrets are not resolved tells nothing.
 */
void sl_reader_tell(struct sl_transport *transport, const char *reader, const struct sl_props *props);

/*
 * Read topics or topics.regex of the connector, and reserve. changed is called (any thread) when partitions
 * were added. Errors: CONFIG (the expression), the transport's.
 */
enum sl_rc sl_subscription_open(const struct sl_shared *shared, const struct sl_connector *connector,
                                void (*changed)(void *ctx), void *ctx, struct sl_subscription **ret,
                                struct sl_error *err);
void sl_subscription_close(struct sl_subscription *subscription);

/* Rises whenever partitions are added. */
uint64_t sl_subscription_generation(struct sl_subscription *subscription);

/*
 * The partitions of one task that exist now, all fields but topic and partition -1, in an array of the caller
 * (sl_free).
 */
size_t sl_subscription_assigned(struct sl_subscription *subscription, int task, struct sl_progress **ret);

/*
 * Where all its partitions end now, those of other workers' tasks included: first_offset the oldest, and
 * next_offset; and whose they are. Errors: the transport's.
 */
enum sl_rc sl_subscription_ends(struct sl_subscription *subscription, sl_sink_end_visitor *visit, void *ctx,
                                struct sl_error *err);

/* The name under which the log keeps this connector's positions: "connect-" and its name. */
const char *sl_subscription_reader(const struct sl_subscription *subscription);

#endif
