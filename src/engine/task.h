/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A task of either kind as the herder and the publisher see it. It is counted: the herder holds it from its
 * start until it has ended and was replaced, the publisher while it looks at it. A task that could not be
 * opened is one too: FAILED from the beginning, so that its trace is seen like any other's.
 */
#ifndef SLUICE_ENGINE_TASK_H
#define SLUICE_ENGINE_TASK_H

#include "engine/sink_task.h"
#include "engine/source_task.h"

struct sl_task;

/*
 * Make it and start its threads; subscription is the connector's for a sink, else NULL, and outlives the
 * task's threads. Never NULL; when it could not be opened, err says why.
 */
struct sl_task *sl_task_start(const struct sl_shared *shared, struct sl_connector *connector, int number,
                              struct sl_subscription *subscription, bool paused, struct sl_error *err);

/* One that could not even be tried: FAILED from the beginning, with this error. */
struct sl_task *sl_task_failed(struct sl_connector *connector, int number, const struct sl_error *err);

struct sl_task *sl_task_ref(struct sl_task *task);
void sl_task_unref(struct sl_task *task); /* the last one frees it: it must be gone by then */

const struct sl_connector *sl_task_connector(const struct sl_task *task);
int sl_task_number(const struct sl_task *task);

void sl_task_stop(struct sl_task *task);    /* ask it to end in good order; returns at once */
void sl_task_abandon(struct sl_task *task); /* ask it to end without finishing anything; returns at once */
void sl_task_pause(struct sl_task *task, bool paused);
void sl_task_wake(struct sl_task *task); /* there are new partitions */

bool sl_task_ended(struct sl_task *task); /* no thread of it is left */

/* No thread of it is left, and nothing of it is on its way into the log. */
bool sl_task_gone(struct sl_task *task);

struct sl_status *sl_task_status(struct sl_task *task);
void sl_task_measure(struct sl_task *task, const struct sl_log_ends *ends);

#endif
