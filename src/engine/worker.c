/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/worker.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/props.h"
#include "engine/former_sinks.h"
#include "engine/publisher.h"
#include "engine/worker_config.h"

#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* A sink that has not flushed by then is told to give up; what is at the target is learnt at the next start.
 */
enum { ABANDON_BEFORE_US = 250 * 1000 };

/* A sink connector's subscription, and which of the tasks it wakes. */
struct reading {
    struct sl_worker *worker;
    struct sl_subscription *subscription;
    size_t first_task;
    size_t n_tasks;
};

struct sl_worker {
    struct sl_shared shared;
    int event_fd;
    struct sl_source_task **sources;
    size_t n_sources;
    size_t sources_capacity;
    struct sl_sink_task **sinks; /* room for all before the first starts: others look at it */
    size_t n_sinks;
    struct reading *readings;
    size_t n_readings;
    struct sl_publisher *publisher;
    pthread_mutex_t lock; /* guards n_sinks and publisher against listeners while tasks are being started */
};

static void task_changed(void *ctx)
{
    struct sl_worker *worker = ctx;
    uint64_t one = 1;
    ssize_t written = write(worker->event_fd, &one, sizeof(one));

    (void)written; /* full means readable */
    (void)pthread_mutex_lock(&worker->lock);
    if (worker->publisher)
        sl_publisher_wake(worker->publisher);
    (void)pthread_mutex_unlock(&worker->lock);
}

static void close_shared(struct sl_worker *worker)
{
    struct sl_shared *shared = &worker->shared;

    sl_log_writer_free(shared->writer);
    sl_topics_close(shared->topics);
    if (shared->registry)
        shared->registry->ops->close(shared->registry);
    if (shared->transport)
        shared->transport->ops->close(shared->transport);
    sl_budget_free(shared->budget);
    (void)close(worker->event_fd);
    (void)pthread_mutex_destroy(&worker->lock);
    sl_free(worker);
}

enum sl_rc sl_worker_open(const struct sl_plugins *plugins, const struct sl_props *props,
                          struct sl_secrets *secrets, struct sl_worker **ret, struct sl_error *err)
{
    struct sl_worker *worker = sl_zalloc(1, sizeof(*worker));
    struct sl_shared *shared = &worker->shared;
    enum sl_rc rc;

    shared->plugins = plugins;
    shared->worker = props;
    shared->secrets = secrets;
    shared->topic_settings = sl_worker_config_topics(props, plugins);
    shared->task_changed = task_changed;
    shared->ctx = worker;
    shared->budget =
        sl_budget_new((size_t)sl_option_int(sl_worker_options, props, NULL, "sluice.memory.bytes"));
    (void)pthread_mutex_init(&worker->lock, NULL);
    worker->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    rc = plugins->transports[0]->open(props, false, &shared->transport, err);
    if (rc == SL_OK)
        rc = plugins->open_registry(sl_props_get(props, "sluice.state.dir"), false, &shared->registry, err);
    if (rc == SL_OK)
        rc = sl_topics_open(shared->transport, &shared->topics, err);
    if (rc) {
        close_shared(worker);
        return rc;
    }
    shared->writer = sl_log_writer_start(shared->transport);
    *ret = worker;
    return SL_OK;
}

const char *sl_worker_identity(const struct sl_worker *worker)
{
    return worker->shared.transport->ops->identity(worker->shared.transport);
}

/* New partitions for a sink connector: its tasks look. */
static void partitions_changed(void *ctx)
{
    struct reading *reading = ctx;
    struct sl_worker *worker = reading->worker;

    (void)pthread_mutex_lock(&worker->lock);
    for (size_t i = 0; i < reading->n_tasks; i++) {
        if (reading->first_task + i < worker->n_sinks)
            sl_sink_task_wake(worker->sinks[reading->first_task + i]);
    }
    (void)pthread_mutex_unlock(&worker->lock);
}

static enum sl_rc subscribe(struct sl_worker *worker, struct sl_connector *const *connectors, size_t n,
                            struct sl_error *err)
{
    size_t tasks = 0;

    worker->readings = sl_zalloc(n, sizeof(*worker->readings));
    for (size_t i = 0; i < n; i++) {
        struct reading *reading = &worker->readings[worker->n_readings];
        enum sl_rc rc;

        if (!connectors[i]->sink)
            continue;
        *reading =
            (struct reading){.worker = worker, .first_task = tasks, .n_tasks = (size_t)connectors[i]->tasks};
        rc = sl_subscription_open(&worker->shared, connectors[i], partitions_changed, reading,
                                  &reading->subscription, err);
        if (rc)
            return sl_error_wrap(err, "connector '%s'", connectors[i]->name);
        worker->n_readings++;
        tasks += (size_t)connectors[i]->tasks;
    }
    worker->sinks = sl_zalloc(tasks, sizeof(struct sl_sink_task *));
    return SL_OK;
}

static enum sl_rc release_former(struct sl_worker *worker, struct sl_error *err)
{
    const char **readers = sl_zalloc(worker->n_readings, sizeof(*readers));
    enum sl_rc rc;

    for (size_t i = 0; i < worker->n_readings; i++)
        readers[i] = sl_subscription_reader(worker->readings[i].subscription);
    rc = sl_former_sinks_release(worker->shared.transport, readers, worker->n_readings, err);
    sl_free(readers);
    return rc;
}

static enum sl_rc start_sink(struct sl_worker *worker, const struct sl_connector *connector,
                             struct sl_subscription *subscription, struct sl_error *err)
{
    for (int number = 0; number < connector->tasks; number++) {
        struct sl_sink_task *task = NULL;
        enum sl_rc rc = sl_sink_task_start(&worker->shared, connector, number, subscription, &task, err);

        if (rc)
            return sl_error_wrap(err, "connector '%s'", connector->name);
        (void)pthread_mutex_lock(&worker->lock);
        worker->sinks[worker->n_sinks++] = task;
        (void)pthread_mutex_unlock(&worker->lock);
    }
    return SL_OK;
}

static enum sl_rc start_source(struct sl_worker *worker, const struct sl_connector *connector,
                               struct sl_error *err)
{
    for (int number = 0; number < connector->tasks; number++) {
        struct sl_source_task *task = NULL;
        enum sl_rc rc = sl_source_task_start(&worker->shared, connector, number, &task, err);

        if (rc)
            return sl_error_wrap(err, "connector '%s'", connector->name);
        SL_GROW(worker->sources, worker->n_sources, worker->sources_capacity);
        worker->sources[worker->n_sources++] = task;
    }
    return SL_OK;
}

static enum sl_rc start_tasks(struct sl_worker *worker, struct sl_connector *const *connectors, size_t n,
                              struct sl_error *err)
{
    size_t reading = 0;
    enum sl_rc rc = subscribe(worker, connectors, n, err);

    if (rc == SL_OK)
        rc = release_former(worker, err);
    for (size_t i = 0; rc == SL_OK && i < n; i++) {
        if (connectors[i]->sink)
            rc = start_sink(worker, connectors[i], worker->readings[reading++].subscription, err);
    }
    for (size_t i = 0; rc == SL_OK && i < n; i++) {
        if (connectors[i]->source)
            rc = start_source(worker, connectors[i], err);
    }
    return rc;
}

enum sl_rc sl_worker_start(struct sl_worker *worker, struct sl_connector *const *connectors, size_t n,
                           struct sl_error *err)
{
    enum sl_rc rc = start_tasks(worker, connectors, n, err);
    struct sl_publisher *publisher;

    if (rc)
        return rc;
    publisher = sl_publisher_start(worker->shared.transport, worker->sources, worker->n_sources,
                                   worker->sinks, worker->n_sinks);
    (void)pthread_mutex_lock(&worker->lock);
    worker->publisher = publisher;
    (void)pthread_mutex_unlock(&worker->lock);
    return SL_OK;
}

int sl_worker_event_fd(const struct sl_worker *worker)
{
    return worker->event_fd;
}

bool sl_worker_all_failed(struct sl_worker *worker, char *reason, size_t size)
{
    struct sl_status_view view;
    bool first = true;

    for (size_t i = 0; i < worker->n_sources + worker->n_sinks; i++) {
        struct sl_status *status = i < worker->n_sources
                                       ? sl_source_task_status(worker->sources[i])
                                       : sl_sink_task_status(worker->sinks[i - worker->n_sources]);

        sl_status_read(status, &view);
        if (view.state != SL_TASK_FAILED)
            return false;
        if (first)
            (void)snprintf(reason, size, "connector '%s', task %d: %s", status->connector, status->task,
                           view.trace);
        first = false;
    }
    return !first;
}

/* ---- stopping ---- */

static bool sources_ended(const struct sl_worker *worker)
{
    for (size_t i = 0; i < worker->n_sources; i++) {
        if (!sl_source_task_ended(worker->sources[i]))
            return false;
    }
    return true;
}

static bool sinks_ended(const struct sl_worker *worker)
{
    for (size_t i = 0; i < worker->n_sinks; i++) {
        if (!sl_sink_task_ended(worker->sinks[i]))
            return false;
    }
    return true;
}

/* Each task's end writes to the event fd; the short timeout covers one that wrote before we looked. */
static bool wait_for_tasks(struct sl_worker *worker, int64_t deadline_us)
{
    while (!sources_ended(worker) || !sinks_ended(worker)) {
        struct pollfd waiting = {.fd = worker->event_fd, .events = POLLIN};
        int64_t left_us = deadline_us - sl_now_us();
        uint64_t count;

        if (left_us <= 0)
            return false;
        if (poll(&waiting, 1, left_us > 20000 ? 20 : (int)(left_us / 1000) + 1) > 0)
            (void)!read(worker->event_fd, &count, sizeof(count));
    }
    return true;
}

static void say_who_hangs(const struct sl_worker *worker)
{
    for (size_t i = 0; i < worker->n_sources; i++) {
        if (!sl_source_task_ended(worker->sources[i]))
            sl_warn("a source did not stop in time",
                    SL_T("connector", sl_source_task_status(worker->sources[i])->connector));
    }
    for (size_t i = 0; i < worker->n_sinks; i++) {
        if (!sl_sink_task_ended(worker->sinks[i]))
            sl_warn("a sink did not stop in time",
                    SL_T("connector", sl_sink_task_status(worker->sinks[i])->connector));
    }
}

bool sl_worker_stop(struct sl_worker *worker, int64_t deadline_us)
{
    for (size_t i = 0; i < worker->n_sources; i++)
        sl_source_task_stop(worker->sources[i]);
    for (size_t i = 0; i < worker->n_sinks; i++)
        sl_sink_task_stop(worker->sinks[i]);
    if (!wait_for_tasks(worker, deadline_us - ABANDON_BEFORE_US)) {
        for (size_t i = 0; i < worker->n_sinks; i++)
            sl_sink_task_abandon(worker->sinks[i]);
        if (!wait_for_tasks(worker, deadline_us)) {
            say_who_hangs(worker);
            return false;
        }
    }
    for (size_t i = 0; i < worker->n_sources; i++)
        sl_source_task_join(worker->sources[i]);
    sl_log_writer_stop(worker->shared.writer);
    sl_publisher_stop(worker->publisher);
    return true;
}

void sl_worker_free(struct sl_worker *worker)
{
    struct sl_publisher *publisher = worker->publisher;

    (void)pthread_mutex_lock(&worker->lock);
    worker->publisher = NULL;
    (void)pthread_mutex_unlock(&worker->lock);
    sl_publisher_free(publisher);
    for (size_t i = 0; i < worker->n_readings; i++)
        sl_subscription_close(worker->readings[i].subscription);
    for (size_t i = 0; i < worker->n_sources; i++)
        sl_source_task_free(worker->sources[i]);
    for (size_t i = 0; i < worker->n_sinks; i++)
        sl_sink_task_free(worker->sinks[i]);
    sl_free(worker->sources);
    sl_free(worker->sinks);
    sl_free(worker->readings);
    close_shared(worker);
}
