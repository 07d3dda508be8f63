/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A source task: one reader thread that polls the source, sends records through transforms and converters,
 * and hands them to the log writer together with the position that covers them. It reads on while the log
 * syncs, as far as the budget of bytes in flight allows.
 */
#ifndef SLUICE_ENGINE_SOURCE_TASK_H
#define SLUICE_ENGINE_SOURCE_TASK_H

#include "engine/herd/status.h"
#include "engine/task_context.h"

struct sl_source_task;

/*
 * Make the task and start its thread. connector lives until the task is freed. Errors (CONFIG): transforms,
 * converters or the source refuse their keys; then nothing runs.
 */
enum sl_rc sl_source_task_start(const struct sl_shared *shared, const struct sl_connector *connector,
                                int number, bool paused, struct sl_source_task **ret, struct sl_error *err);

/* Paused, it keeps its connection and reads nothing; what it has read goes on. Any thread. */
void sl_source_task_pause(struct sl_source_task *task, bool paused);

/* Ask it to end; returns at once. */
void sl_source_task_stop(struct sl_source_task *task);

/* It was asked to end and another may run it already: it hands in nothing from now on. */
void sl_source_task_abandon(struct sl_source_task *task);

/*
 * Its thread has ended, by itself after a failure or asked to, and the log writer has given back what was
 * handed in: durable, or refused.
 */
bool sl_source_task_gone(struct sl_source_task *task);
bool sl_source_task_ended(const struct sl_source_task *task); /* the thread alone */

/* Join and free. Only when it is gone, or after the log writer was stopped. */
void sl_source_task_free(struct sl_source_task *task); /* NULL is fine */

struct sl_status *sl_source_task_status(struct sl_source_task *task);

/* Bring lag and note up to date; called about once a second by the publisher. */
void sl_source_task_measure(struct sl_source_task *task);

#endif
