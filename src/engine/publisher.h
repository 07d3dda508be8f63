/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes what the tasks say of themselves into the log's text space "status", about once a second, so that
 * `sluice status` of another process can read it: key "connector/task", value JSON (sl_status_json). What has
 * not changed is not written again.
 */
#ifndef SLUICE_ENGINE_PUBLISHER_H
#define SLUICE_ENGINE_PUBLISHER_H

#include "engine/sink_task.h"
#include "engine/source_task.h"

#define SL_STATUS_SPACE "status"

struct sl_publisher;

/* The arrays are borrowed and must not change. What an earlier process left is removed. */
struct sl_publisher *sl_publisher_start(struct sl_transport *transport, struct sl_source_task *const *sources,
                                        size_t n_sources, struct sl_sink_task *const *sinks, size_t n_sinks);

/* Write once more and end. Call it when the tasks have ended. */
void sl_publisher_stop(struct sl_publisher *publisher);

/* Look at the tasks now: something changed that a user wants to see at once. Any thread. */
void sl_publisher_wake(struct sl_publisher *publisher);

void sl_publisher_free(struct sl_publisher *publisher); /* NULL is fine */

#endif
