/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A source task: one reader thread that polls the source, sends records through transforms and converters,
 * and hands them to the log writer together with the position that covers them. It reads on while the log
 * syncs, as far as the budget of bytes in flight allows.
 */
#ifndef SLUICE_ENGINE_SOURCE_TASK_H
#define SLUICE_ENGINE_SOURCE_TASK_H

#include "engine/status.h"
#include "engine/task_context.h"

struct sl_source_task;

/*
 * Make the task and start its thread. Errors (CONFIG): transforms, converters or the source refuse their
 * keys; then nothing runs.
 */
enum sl_rc sl_source_task_start(const struct sl_shared *shared, const struct sl_connector *connector,
                                int number, struct sl_source_task **ret, struct sl_error *err);

/* Ask it to end; returns at once. */
void sl_source_task_stop(struct sl_source_task *task);

/* Its thread has ended: by itself after a failure, or asked to. */
bool sl_source_task_ended(const struct sl_source_task *task);

/* Join and free. Only after the log writer was stopped: batches may still be with it. */
void sl_source_task_free(struct sl_source_task *task);

/* Join the thread (it was asked to stop). */
void sl_source_task_join(struct sl_source_task *task);

struct sl_status *sl_source_task_status(struct sl_source_task *task);

/* Bring lag and note up to date; called about once a second by the publisher. */
void sl_source_task_measure(struct sl_source_task *task);

#endif
