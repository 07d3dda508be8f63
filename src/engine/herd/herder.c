/* SPDX-License-Identifier: Apache-2.0 */
/* The herder's life, its thread, and how requests reach it. */
#include "engine/herd/herder.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/props.h"
#include "engine/herd/herd.h"
#include "engine/config/worker_config.h"

#include <sys/eventfd.h>
#include <unistd.h>

enum { ABANDON_LOG_US = 600 * 1000 }; /* before a stop's deadline */

/* ---- waking ---- */

void sl_herder_wake(struct sl_herder *herder)
{
    (void)pthread_mutex_lock(&herder->lock);
    herder->look = true;
    (void)pthread_cond_signal(&herder->woken);
    (void)pthread_mutex_unlock(&herder->lock);
}

static void wake(void *ctx)
{
    sl_herder_wake(ctx);
}

void sl_herder_look(struct sl_herder *herder)
{
    sl_herder_wake(herder);
}

/* ---- requests ---- */

static void free_request(struct sl_request *request)
{
    sl_answer_done(&request->answer);
    json_decref(request->json);
    json_decref(request->base);
    sl_free(request->name);
    sl_free(request);
}

/* False: the herder ends and takes nothing more. Under the lock. */
static bool enqueue(struct sl_herder *herder, struct sl_request *request)
{
    if (herder->stop)
        return false;
    if (herder->last)
        herder->last->next = request;
    else
        herder->first = request;
    herder->last = request;
    (void)pthread_cond_signal(&herder->woken);
    return true;
}

static bool wait_for_answer(struct sl_herder *herder, struct sl_request *request, int64_t wait_us)
{
    int64_t deadline_us = sl_now_us() + wait_us;

    while (!request->done && sl_cond_wait(&herder->answered, &herder->lock, deadline_us))
        continue;
    return request->done;
}

static void call(struct sl_herder *herder, struct sl_request *request, int64_t wait_us, struct sl_answer *ret)
{
    *ret = (struct sl_answer){0};
    (void)pthread_mutex_lock(&herder->lock);
    if (!enqueue(herder, request)) {
        sl_answer_refuse(ret, SL_ANSWER_CONFLICT, "The worker is stopping.");
    } else if (wait_for_answer(herder, request, wait_us)) {
        *ret = request->answer;
        request->answer = (struct sl_answer){0};
    } else {
        request->alone = true;
        request = NULL;
        sl_answer_refuse(ret, SL_ANSWER_FAILED,
                         "Request timed out. The worker's herder is busy with an earlier request.");
    }
    (void)pthread_mutex_unlock(&herder->lock);
    if (request)
        free_request(request);
}

void sl_herder_call(struct sl_herder *herder, struct sl_request *request, struct sl_answer *ret)
{
    call(herder, request, SL_HERDER_WAIT_US, ret);
}

void sl_herder_post(struct sl_herder *herder, struct sl_request *request)
{
    bool queued;

    request->alone = true;
    (void)pthread_mutex_lock(&herder->lock);
    queued = enqueue(herder, request);
    (void)pthread_mutex_unlock(&herder->lock);
    if (!queued)
        free_request(request);
}

static struct sl_request *take_request(struct sl_herder *herder)
{
    struct sl_request *request;

    (void)pthread_mutex_lock(&herder->lock);
    request = herder->first;
    if (request) {
        herder->first = request->next;
        if (!herder->first)
            herder->last = NULL;
    }
    (void)pthread_mutex_unlock(&herder->lock);
    return request;
}

static void answer(struct sl_herder *herder, struct sl_request *request)
{
    bool alone;

    (void)pthread_mutex_lock(&herder->lock);
    request->done = true;
    alone = request->alone;
    (void)pthread_cond_broadcast(&herder->answered);
    (void)pthread_mutex_unlock(&herder->lock);
    if (alone)
        free_request(request);
}

static void serve_ping(struct sl_herder *herder, struct sl_request *request)
{
    (void)herder;
    sl_answer_body(&request->answer, SL_ANSWER_OK, NULL);
}

void sl_herder_ping(struct sl_herder *herder, int64_t wait_us, struct sl_answer *ret)
{
    struct sl_request *request = sl_zalloc(1, sizeof(*request));

    request->serve = serve_ping;
    call(herder, request, wait_us, ret);
}

/* ---- what others tell, on their threads ---- */

static void task_changed(void *ctx)
{
    sl_herder_wake(ctx);
}

static void serve_topic(struct sl_herder *herder, struct sl_request *request)
{
    struct sl_error err;

    if (sl_status_store_put_topic(herder->statuses, request->name, request->number, request->topic->name,
                                  &err))
        sl_log_error(SL_LEVEL_WARN, "an active topic could not be noted", &err);
}

static void topic_used(void *ctx, const char *connector, int task, const struct sl_topic *topic)
{
    struct sl_request *request = sl_zalloc(1, sizeof(*request));

    request->serve = serve_topic;
    request->name = sl_strdup(connector);
    request->number = task;
    request->topic = topic;
    sl_herder_post(ctx, request);
}

/* ---- opening ---- */

static void read_settings(struct sl_herder *herder, const struct sl_props *worker)
{
    const struct sl_option *options = sl_worker_options;

    herder->restart_attempts = (int)sl_option_int(options, worker, NULL, "sluice.restart.attempts");
    herder->restart_backoff_us = sl_option_int(options, worker, NULL, "sluice.restart.backoff.ms") * 1000;
    herder->restart_backoff_max_us =
        sl_option_int(options, worker, NULL, "sluice.restart.backoff.max.ms") * 1000;
    if (herder->restart_backoff_max_us < herder->restart_backoff_us)
        herder->restart_backoff_max_us = herder->restart_backoff_us;
    herder->topics_may_be_reset = sl_option_bool(options, worker, NULL, "topic.tracking.allow.reset");
    herder->graceful_us = sl_option_int(options, worker, NULL, "task.shutdown.graceful.timeout.ms") * 1000;
}

static void close_shared(struct sl_herder *herder)
{
    struct sl_shared *shared = &herder->shared;

    sl_config_store_close(herder->configs);
    sl_status_store_close(herder->statuses);
    sl_log_writer_free(shared->writer);
    sl_topics_close(shared->topics);
    if (shared->registry)
        shared->registry->ops->close(shared->registry);
    if (shared->transport)
        shared->transport->ops->close(shared->transport);
    sl_budget_free(shared->budget);
    json_decref(herder->files);
    (void)close(herder->event_fd);
    (void)pthread_cond_destroy(&herder->woken);
    (void)pthread_cond_destroy(&herder->answered);
    (void)pthread_mutex_destroy(&herder->lock);
    sl_free(herder->worker_id);
    sl_free(herder->altering);
    sl_free(herder);
}

static enum sl_rc open_parts(struct sl_herder *herder, struct sl_error *err)
{
    struct sl_shared *shared = &herder->shared;
    const struct sl_plugins *plugins = shared->plugins;
    enum sl_rc rc =
        sl_plugins_transport(plugins, shared->worker)->open(shared->worker, false, &shared->transport, err);

    if (rc == SL_OK)
        rc = plugins->open_registry(shared->worker, shared->transport, false, &shared->registry, err);
    if (rc == SL_OK)
        rc = sl_topics_open(shared->transport, &shared->topics, err);
    if (rc == SL_OK)
        rc = sl_config_store_open(shared->transport, &herder->events, &herder->configs, err);
    if (rc == SL_OK)
        rc = sl_status_store_open(shared->transport, &herder->statuses, err);
    return rc;
}

enum sl_rc sl_herder_open(const struct sl_herder_settings *settings, struct sl_herder **ret,
                          struct sl_error *err)
{
    struct sl_herder *herder = sl_zalloc(1, sizeof(*herder));
    struct sl_shared *shared = &herder->shared;
    enum sl_rc rc;

    shared->plugins = settings->plugins;
    shared->worker = settings->worker;
    shared->secrets = settings->secrets;
    shared->topic_settings = sl_worker_config_topics(settings->worker);
    shared->task_changed = task_changed;
    shared->ctx = herder;
    if (sl_option_bool(sl_worker_options, settings->worker, NULL, "topic.tracking.enable"))
        shared->topic_used = topic_used;
    shared->budget = sl_budget_new(
        (size_t)sl_option_int(sl_worker_options, settings->worker, NULL, "sluice.memory.bytes"));
    read_settings(herder, settings->worker);
    herder->worker_id =
        settings->worker_id ? sl_strdup(settings->worker_id) : sl_worker_config_id(settings->worker);
    herder->files = json_object();
    herder->events = (struct sl_config_events){
        .ctx = herder, .changed = wake, .restart = sl_herder_obey_restart, .logger = sl_herder_obey_logger};
    (void)pthread_mutex_init(&herder->lock, NULL);
    sl_cond_init(&herder->woken);
    sl_cond_init(&herder->answered);
    herder->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    rc = open_parts(herder, err);
    if (rc) {
        close_shared(herder);
        return rc;
    }
    shared->writer = sl_log_writer_start(shared->transport);
    *ret = herder;
    return SL_OK;
}

struct sl_shared *sl_herder_shared(struct sl_herder *herder)
{
    return &herder->shared;
}

struct sl_config_store *sl_herder_configs(struct sl_herder *herder)
{
    return herder->configs;
}

struct sl_status_store *sl_herder_statuses(struct sl_herder *herder)
{
    return herder->statuses;
}

const char *sl_herder_worker_id(const struct sl_herder *herder)
{
    return herder->worker_id;
}

void sl_herder_place(struct sl_herder *herder, const struct sl_placement *placement)
{
    herder->placement = placement;
}

/* ---- the thread ---- */

/* The main thread looks whether anything is left to do. */
static void signal_main(struct sl_herder *herder)
{
    uint64_t one = 1;
    ssize_t written = write(herder->event_fd, &one, sizeof(one));

    (void)written; /* full means readable */
}

/* True: to the end. */
static bool sleep_until_look(struct sl_herder *herder)
{
    bool stop;

    (void)pthread_mutex_lock(&herder->lock);
    while (!herder->look && !herder->first && !herder->stop &&
           sl_cond_wait(&herder->woken, &herder->lock, herder->next_look_us))
        continue;
    herder->look = false;
    stop = herder->stop;
    (void)pthread_mutex_unlock(&herder->lock);
    return stop;
}

static void herd_main(void *arg)
{
    struct sl_herder *herder = arg;
    struct sl_request *request;
    bool stop = false;
    bool well;

    while (!stop) {
        while ((request = take_request(herder))) {
            request->serve(herder, request);
            answer(herder, request);
        }
        sl_herd_look(herder);
        sl_publisher_wake(herder->publisher);
        signal_main(herder);
        stop = sleep_until_look(herder);
    }
    (void)pthread_mutex_lock(&herder->lock);
    herder->stopping = true;
    (void)pthread_cond_broadcast(&herder->answered);
    (void)pthread_mutex_unlock(&herder->lock);
    well = sl_herd_stop(herder, herder->stop_deadline_us);
    (void)pthread_mutex_lock(&herder->lock);
    herder->stopped = true;
    herder->stopped_well = well;
    (void)pthread_cond_broadcast(&herder->answered);
    (void)pthread_mutex_unlock(&herder->lock);
}

enum sl_rc sl_herder_start(struct sl_herder *herder, struct sl_error *err)
{
    herder->publisher = sl_publisher_start(herder->shared.transport, herder->placement == NULL);
    herder->strict = true;
    herder->membership_changed = true;
    sl_herd_look(herder);
    herder->strict = false;
    if (herder->first_error.rc) {
        *err = herder->first_error;
        return err->rc;
    }
    signal_main(herder);
    sl_thread_start(&herder->thread, "herder", herd_main, herder);
    return SL_OK;
}

int sl_herder_event_fd(const struct sl_herder *herder)
{
    return herder->event_fd;
}

bool sl_herder_all_failed(struct sl_herder *herder, char *reason, size_t size)
{
    bool all;

    (void)pthread_mutex_lock(&herder->lock);
    all = herder->all_failed;
    if (all)
        (void)snprintf(reason, size, "%s", herder->reason);
    (void)pthread_mutex_unlock(&herder->lock);
    return all;
}

/* Who still waits is told; what nobody waits for is dropped. */
static void refuse_waiting(struct sl_herder *herder)
{
    struct sl_request *request;

    while ((request = take_request(herder))) {
        sl_answer_refuse(&request->answer, SL_ANSWER_CONFLICT, "The worker is stopping.");
        answer(herder, request);
    }
}

/* A log that is away must not keep the thread from the stop: what it waits for there is given up. */
static void free_the_thread(struct sl_herder *herder, int64_t deadline_us)
{
    struct sl_transport *transport = herder->shared.transport;
    bool stopping;

    (void)pthread_mutex_lock(&herder->lock);
    while (!herder->stopping && sl_cond_wait(&herder->answered, &herder->lock, deadline_us - ABANDON_LOG_US))
        continue;
    stopping = herder->stopping;
    (void)pthread_mutex_unlock(&herder->lock);
    if (!stopping && transport->ops->abandon)
        transport->ops->abandon(transport);
}

bool sl_herder_stop(struct sl_herder *herder, int64_t deadline_us)
{
    bool well;

    (void)pthread_mutex_lock(&herder->lock);
    herder->stop = true;
    herder->stop_deadline_us = deadline_us;
    (void)pthread_cond_signal(&herder->woken);
    (void)pthread_mutex_unlock(&herder->lock);
    refuse_waiting(herder);
    if (!herder->thread.started)
        return sl_herd_stop(herder, deadline_us);
    free_the_thread(herder, deadline_us);
    (void)pthread_mutex_lock(&herder->lock);
    while (!herder->stopped && sl_cond_wait(&herder->answered, &herder->lock, deadline_us))
        continue;
    well = herder->stopped && herder->stopped_well;
    (void)pthread_mutex_unlock(&herder->lock);
    if (well)
        sl_thread_join(&herder->thread);
    return well;
}

void sl_herder_free(struct sl_herder *herder)
{
    sl_herd_free(herder);
    sl_publisher_free(herder->publisher);
    close_shared(herder);
}
