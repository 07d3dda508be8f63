/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sink task: a fetch thread that reads the log and decodes, and an apply thread that gives batches to the
 * sink. While the target works on one batch, the next is fetched and decoded.
 *
 * The apply thread works in sessions: take the partitions over (assign), read the log from the positions that
 * the target holds, apply until something changes: a transient failure (the next session begins after a
 * pause), new partitions, or the end.
 */
#ifndef SLUICE_ENGINE_SINK_TASK_H
#define SLUICE_ENGINE_SINK_TASK_H

#include "engine/herd/status.h"
#include "engine/subscription.h"

struct sl_sink_task;

/* Where partitions of the log end now; what lag is counted from. */
struct sl_log_ends {
    struct sl_progress *items; /* next_offset: one past the newest; first_offset: the oldest there */
    size_t n;
    size_t capacity;
};

/* Make the task and start its threads. Errors (CONFIG): transforms, converters or the sink refuse their keys.
 */
enum sl_rc sl_sink_task_start(const struct sl_shared *shared, const struct sl_connector *connector,
                              int number, struct sl_subscription *subscription, bool paused,
                              struct sl_sink_task **ret, struct sl_error *err);

/* Paused, it keeps its connection to the target and applies nothing; what is at the target is waited for. Any
 * thread. */
void sl_sink_task_pause(struct sl_sink_task *task, bool paused);

/* New partitions, or anything else that its apply thread should look at. Any thread. */
void sl_sink_task_wake(struct sl_sink_task *task);

/* Ask it to end: what is at the target is waited for, what is not there yet is left in the log. */
void sl_sink_task_stop(struct sl_sink_task *task);

/* It was asked to end and the target does not answer: give up waiting. */
void sl_sink_task_abandon(struct sl_sink_task *task);

bool sl_sink_task_ended(const struct sl_sink_task *task);
void sl_sink_task_free(struct sl_sink_task *task); /* joins; NULL is fine */

struct sl_status *sl_sink_task_status(struct sl_sink_task *task);

/* Bring the lag up to date; called about once a second by the publisher. */
void sl_sink_task_measure(struct sl_sink_task *task, const struct sl_log_ends *ends);

#endif
