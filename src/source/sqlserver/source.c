/* SPDX-License-Identifier: Apache-2.0 */
/* The source's table of functions, and the task: its databases in turn, and the wait between two looks. */
#include "source/sqlserver/source.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/number.h"
#include "base/props.h"
#include "base/thread.h"
#include "source/sqlserver/database.h"
#include "source/sqlserver/options.h"

enum { FIRST_WAIT_US = 5000 };

struct task {
    struct sl_source_env env;
    struct sl_mssql_config *config;
    struct sl_mssql_database **databases;
    size_t n, next;
    int64_t wait_us; /* of the next idle wait */

    pthread_mutex_t lock; /* guards woken */
    pthread_cond_t wake;
    bool woken;
    bool polling; /* guarded by lock: whether a cancel makes sense */
    bool began;
};

static enum sl_rc plan(const struct sl_props *props, int max_tasks, int *ret_tasks, struct sl_error *err)
{
    struct sl_mssql_config *config;
    enum sl_rc rc = sl_mssql_config_read(props, &config, err);

    if (rc != SL_OK)
        return rc;
    *ret_tasks = (int)config->n_databases < max_tasks ? (int)config->n_databases : max_tasks;
    sl_mssql_config_free(config);
    return SL_OK;
}

static void close_task(void *self)
{
    struct task *task = self;

    if (!task)
        return;
    for (size_t i = 0; i < task->n; i++)
        sl_mssql_database_free(task->databases[i]);
    sl_free(task->databases);
    sl_mssql_config_free(task->config);
    (void)pthread_cond_destroy(&task->wake);
    (void)pthread_mutex_destroy(&task->lock);
    sl_free(task);
}

/* Database d goes to task d modulo the number of tasks; that number is what plan said for tasks.max. */
static size_t count_tasks(const struct sl_props *props, size_t n_databases)
{
    const char *text = sl_props_get(props, "tasks.max");
    int64_t max = 1;

    if (!text || !sl_parse_int64(text, &max) || max < 1)
        max = 1;
    return (int64_t)n_databases < max ? n_databases : (size_t)max;
}

static enum sl_rc open_task(const struct sl_source_env *env, const struct sl_props *props, void **ret_self,
                            struct sl_error *err)
{
    struct sl_mssql_config *config;
    struct task *task;
    size_t tasks;
    enum sl_rc rc = sl_mssql_config_read(props, &config, err);

    if (rc != SL_OK)
        return rc;
    if (env->task == 0)
        sl_mssql_options_warn(props);
    task = sl_zalloc(1, sizeof(*task));
    task->env = *env;
    task->config = config;
    task->wait_us = FIRST_WAIT_US;
    (void)pthread_mutex_init(&task->lock, NULL);
    sl_cond_init(&task->wake);
    tasks = count_tasks(props, config->n_databases);
    task->databases = sl_zalloc(config->n_databases, sizeof(struct sl_mssql_database *));
    for (size_t d = 0; d < config->n_databases; d++)
        if (d % tasks == (size_t)env->task)
            task->databases[task->n++] = sl_mssql_database_new(config, &task->env, config->databases[d]);
    *ret_self = task;
    return SL_OK;
}

static bool take_wake(struct task *task)
{
    bool woken;

    (void)pthread_mutex_lock(&task->lock);
    woken = task->woken;
    task->woken = false;
    (void)pthread_mutex_unlock(&task->lock);
    return woken;
}

static void set_polling(struct task *task, bool polling)
{
    (void)pthread_mutex_lock(&task->lock);
    task->polling = polling;
    (void)pthread_mutex_unlock(&task->lock);
}

/* Wait as long as an idle source waits now, but not beyond the deadline; true when woken. */
static bool wait_idle(struct task *task, int64_t deadline_us)
{
    int64_t until_us = sl_now_us() + task->wait_us;
    bool woken;

    if (until_us > deadline_us)
        until_us = deadline_us;
    (void)pthread_mutex_lock(&task->lock);
    while (!task->woken && sl_cond_wait(&task->wake, &task->lock, until_us))
        continue;
    woken = task->woken;
    task->woken = false;
    (void)pthread_mutex_unlock(&task->lock);
    task->wait_us = task->wait_us * 2 < task->config->poll_interval_us ? task->wait_us * 2
                                                                       : task->config->poll_interval_us;
    return woken;
}

static bool says_something(const struct sl_batch *batch)
{
    return batch->n_records || batch->n_notes || batch->source_offset.len;
}

/* One look at each database, beginning after the one that gave something last. */
static enum sl_rc look_around(struct task *task, struct sl_batch *batch, bool *ret_more, struct sl_error *err)
{
    bool any_more = false;

    for (size_t i = 0; i < task->n; i++) {
        struct sl_mssql_database *db = task->databases[task->next];
        bool more = false;
        enum sl_rc rc;

        task->next = (task->next + 1) % task->n;
        rc = sl_mssql_database_poll(db, batch, &more, err);
        if (rc != SL_OK)
            return rc;
        any_more = any_more || more;
        if (says_something(batch))
            break;
    }
    *ret_more = any_more;
    return SL_OK;
}

/* Before the first look: a schema history in another cluster is not ours to write. */
static void begin(struct task *task)
{
    task->began = true;
    if (!sl_mssql_history_is_elsewhere(task->config, &task->env))
        return;
    for (size_t i = 0; i < task->n; i++)
        sl_mssql_database_keep_no_history(task->databases[i]);
}

static enum sl_rc poll_task(void *self, struct sl_batch *batch, int64_t deadline_us, struct sl_error *err)
{
    struct task *task = self;

    if (!task->began)
        begin(task);
    for (;;) {
        bool more = false;
        enum sl_rc rc;

        set_polling(task, true);
        rc = look_around(task, batch, &more, err);
        set_polling(task, false);
        if (rc == SL_E_STOPPED) { /* cancelled by wake: nothing of the batch counts, the next poll goes on */
            (void)take_wake(task);
            sl_error_clear(err);
            return SL_OK;
        }
        if (rc != SL_OK)
            return rc;
        if (says_something(batch)) {
            task->wait_us = FIRST_WAIT_US;
            return SL_OK;
        }
        if (sl_now_us() >= deadline_us || take_wake(task))
            return SL_OK;
        if (!more && wait_idle(task, deadline_us))
            return SL_OK;
    }
}

static void wake_task(void *self)
{
    struct task *task = self;
    bool polling;

    (void)pthread_mutex_lock(&task->lock);
    task->woken = true;
    polling = task->polling;
    (void)pthread_cond_broadcast(&task->wake);
    (void)pthread_mutex_unlock(&task->lock);
    if (!polling)
        return;
    for (size_t i = 0; i < task->n; i++)
        sl_mssql_database_cancel(task->databases[i]);
}

static const char *const classes[] = {"io.debezium.connector.sqlserver.SqlServerConnector", "sqlserver",
                                      NULL};

static const char *const address_keys[] = {"database.hostname", "database.instance", "database.port", NULL};

const struct sl_source_ops sl_source_sqlserver = {
    .name = "sqlserver",
    .classes = classes,
    .options = sl_mssql_options,
    .address_keys = address_keys,
    .plan = plan,
    .open = open_task,
    .poll = poll_task,
    .wake = wake_task,
    .close = close_task,
    .probe = sl_mssql_probe,
};
