/* SPDX-License-Identifier: Apache-2.0 */
#include "source/scylla/source.h"

#include "source/scylla/options.h"
#include "source/scylla/task.h"

/*
 * As many tasks as are allowed: how many vnodes there are only the cluster knows, and each task finds its own
 * by their numbers.
 */
static enum sl_rc plan(const struct sl_props *props, int max_tasks, int *ret_tasks, struct sl_error *err)
{
    struct sl_scylla_config *config;
    enum sl_rc rc = sl_scylla_config_read(props, &config, err);

    if (rc != SL_OK)
        return rc;
    *ret_tasks = (int)config->n_tasks < max_tasks ? (int)config->n_tasks : max_tasks;
    sl_scylla_config_free(config);
    return SL_OK;
}

/* Called from inside the session: only notes what to look at. */
static void on_event(void *ctx, const struct sl_cql_event *event)
{
    struct sl_scylla_task *task = ctx;

    for (uint32_t i = 0; i < task->n_tables; i++) {
        struct sl_scylla_log_table *log = task->logs[i];

        if (!log)
            continue;
        if (event->kind == SL_CQL_EVENT_RESYNC || event->kind == SL_CQL_EVENT_TOPOLOGY)
            task->tracks[i].look_ms = 0;
        if (event->kind == SL_CQL_EVENT_RESYNC)
            log->stale = true;
        if (event->kind == SL_CQL_EVENT_SCHEMA && strcmp(event->keyspace, log->name.keyspace) == 0 &&
            (strcmp(event->object, "TYPE") == 0 || strcmp(event->name, log->name.table) == 0))
            log->stale = true;
    }
}

static void close_task(void *self)
{
    struct sl_scylla_task *task = self;

    if (!task)
        return;
    for (uint32_t i = 0; i < task->n_tables; i++)
        if (task->logs[i]) {
            sl_scylla_passes_done(&task->passes[i]);
            sl_scylla_track_done(&task->tracks[i]);
        }
    sl_scylla_snapshot_free(task->snapshot);
    sl_scylla_revisits_free(task->revisits);
    sl_scylla_settle_done(&task->settle);
    for (uint32_t i = 0; i < task->n_tables; i++)
        sl_scylla_log_table_free(task->logs[i]);
    sl_cql_free(task->cql);
    sl_scylla_reader_done(&task->reader);
    sl_free(task->logs);
    sl_free(task->tracks);
    sl_free(task->passes);
    sl_scylla_config_free(task->config);
    sl_free(task);
}

static enum sl_rc open_task(const struct sl_source_env *env, const struct sl_props *props, void **ret_self,
                            struct sl_error *err)
{
    struct sl_scylla_config *config;
    struct sl_scylla_task *task;
    enum sl_rc rc = sl_scylla_config_read(props, &config, err);

    if (rc != SL_OK)
        return rc;
    task = sl_zalloc(1, sizeof(*task));
    task->env = *env;
    task->config = config;
    task->n_tables = config->n_tables;
    task->logs = sl_zalloc(config->n_tables + 1, sizeof(struct sl_scylla_log_table *));
    task->tracks = sl_zalloc(config->n_tables + 1, sizeof(*task->tracks));
    task->passes = sl_zalloc(config->n_tables + 1, sizeof(*task->passes));
    task->floor_ms = SL_SCYLLA_NO_TIME;
    sl_scylla_settle_init(&task->settle, config, env->task);
    config->cql.on_event = on_event;
    config->cql.event_ctx = task;
    rc = sl_cql_new(&config->cql, &task->cql, err);
    if (rc != SL_OK) {
        close_task(task);
        return rc;
    }
    sl_scylla_reader_init(&task->reader, config, task->cql);
    sl_scylla_emitter_init(&task->emitter, config);
    *ret_self = task;
    return SL_OK;
}

static enum sl_rc poll_task(void *self, struct sl_batch *batch, int64_t deadline_us, struct sl_error *err)
{
    return sl_scylla_task_poll(self, batch, deadline_us, err);
}

static void wake_task(void *self)
{
    struct sl_scylla_task *task = self;

    atomic_store(&task->woken, true);
    sl_cql_wake(task->cql);
}

static const char *const classes[] = {"com.scylladb.cdc.debezium.connector.ScyllaConnector", "scylla", NULL};

static const char *const address_keys[] = {"scylla.cluster.ip.addresses", NULL};

const struct sl_source_ops sl_source_scylla = {
    .name = "scylla",
    .classes = classes,
    .options = sl_scylla_options,
    .address_keys = address_keys,
    .plan = plan,
    .open = open_task,
    .poll = poll_task,
    .wake = wake_task,
    .close = close_task,
    .probe = sl_scylla_probe,
};
