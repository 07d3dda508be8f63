/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/task.h"

#include "base/alloc.h"
#include "engine/config/connector_config.h"

struct sl_task {
    _Atomic int refs;
    struct sl_connector *connector; /* counted */
    int number;
    struct sl_source_task *source; /* one of the two, or none when it could not be opened */
    struct sl_sink_task *sink;
    struct sl_status failed; /* stands for the status of one that could not be opened */
};

static struct sl_task *make(struct sl_connector *connector, int number)
{
    struct sl_task *task = sl_zalloc(1, sizeof(*task));

    atomic_init(&task->refs, 1);
    task->connector = sl_connector_ref(connector);
    task->number = number;
    sl_status_init(&task->failed, connector->name, connector->source ? "source" : "sink", number);
    return task;
}

struct sl_task *sl_task_failed(struct sl_connector *connector, int number, const struct sl_error *err)
{
    struct sl_task *task = make(connector, number);

    sl_status_set_failed(&task->failed, err);
    return task;
}

struct sl_task *sl_task_start(const struct sl_shared *shared, struct sl_connector *connector, int number,
                              struct sl_subscription *subscription, bool paused, struct sl_error *err)
{
    struct sl_task *task = make(connector, number);
    enum sl_rc rc;

    if (connector->source)
        rc = sl_source_task_start(shared, connector, number, paused, &task->source, err);
    else
        rc = sl_sink_task_start(shared, connector, number, subscription, paused, &task->sink, err);
    if (rc)
        sl_status_set_failed(&task->failed, err);
    return task;
}

struct sl_task *sl_task_ref(struct sl_task *task)
{
    (void)atomic_fetch_add(&task->refs, 1);
    return task;
}

void sl_task_unref(struct sl_task *task)
{
    if (!task || atomic_fetch_sub(&task->refs, 1) > 1)
        return;
    sl_source_task_free(task->source);
    sl_sink_task_free(task->sink);
    sl_status_done(&task->failed);
    sl_connector_free(task->connector);
    sl_free(task);
}

const struct sl_connector *sl_task_connector(const struct sl_task *task)
{
    return task->connector;
}

int sl_task_number(const struct sl_task *task)
{
    return task->number;
}

void sl_task_stop(struct sl_task *task)
{
    if (task->source)
        sl_source_task_stop(task->source);
    if (task->sink)
        sl_sink_task_stop(task->sink);
}

void sl_task_abandon(struct sl_task *task)
{
    sl_task_stop(task);
    if (task->source)
        sl_source_task_abandon(task->source);
    if (task->sink)
        sl_sink_task_abandon(task->sink);
}

void sl_task_pause(struct sl_task *task, bool paused)
{
    if (task->source)
        sl_source_task_pause(task->source, paused);
    if (task->sink)
        sl_sink_task_pause(task->sink, paused);
}

void sl_task_wake(struct sl_task *task)
{
    if (task->sink)
        sl_sink_task_wake(task->sink);
}

bool sl_task_ended(struct sl_task *task)
{
    if (task->source)
        return sl_source_task_ended(task->source);
    return !task->sink || sl_sink_task_ended(task->sink);
}

bool sl_task_gone(struct sl_task *task)
{
    if (task->source)
        return sl_source_task_gone(task->source);
    return !task->sink || sl_sink_task_ended(task->sink);
}

struct sl_status *sl_task_status(struct sl_task *task)
{
    if (task->source)
        return sl_source_task_status(task->source);
    return task->sink ? sl_sink_task_status(task->sink) : &task->failed;
}

void sl_task_measure(struct sl_task *task, const struct sl_log_ends *ends)
{
    if (task->source)
        sl_source_task_measure(task->source);
    if (task->sink)
        sl_sink_task_measure(task->sink, ends);
}
