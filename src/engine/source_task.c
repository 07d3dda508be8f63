/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/source_task.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/props.h"
#include "base/queue.h"
#include "engine/config/connector_options.h"
#include "engine/encoder.h"
#include "engine/exclusive.h"
#include "engine/systems.h"
#include "engine/topic_use.h"

#include <stdio.h>

enum {
    ARENA_CHUNK = 256 << 10,
    OUTGOING = 3,          /* one being filled, one waiting, one being synced */
    POLL_US = 1000 * 1000, /* the longest poll: how long a stop could go unseen if wake failed */
};

struct sl_source_task {
    const struct sl_shared *shared;
    const struct sl_connector *connector;
    struct sl_source_env env;
    void *source;
    struct sl_encoder encoder;
    struct sl_log_writer *writer; /* its end of the log's */
    struct sl_status status;
    struct sl_thread thread;
    struct sl_stop stop;
    _Atomic bool ended;
    _Atomic bool abandoned;
    char number_text[12];

    /* The task thread's own. */
    struct sl_batch *batch;
    struct sl_topic_use used;
    struct sl_retry reading, converting;
    struct sl_share share;
    struct sl_queue *idle;      /* outgoing batches that nobody uses */
    _Atomic int64_t encoded_us; /* when the newest batch that is durable was read, for the lag */

    pthread_mutex_t lock;    /* guards the rest */
    struct sl_error failure; /* rc set: what the log writer said */
    bool paused;             /* is to be */
    pthread_cond_t resumed;
};

static enum sl_rc stored_offset(void *ctx, struct sl_span partition, char **ret_offset, struct sl_error *err)
{
    struct sl_source_task *task = ctx;
    struct sl_transport *transport = task->shared->transport;

    return transport->ops->source_offset(transport, task->connector->name, partition, ret_offset, err);
}

static enum sl_rc stored_offsets(void *ctx, sl_text_visitor *visit, void *visit_ctx, struct sl_error *err)
{
    struct sl_source_task *task = ctx;
    struct sl_transport *transport = task->shared->transport;

    return transport->ops->source_offsets(transport, task->connector->name, visit, visit_ctx, err);
}

static enum sl_rc notes(void *ctx, struct sl_span from, struct sl_span to, size_t max, sl_note_visitor *visit,
                        void *visit_ctx, struct sl_error *err)
{
    struct sl_source_task *task = ctx;
    struct sl_transport *transport = task->shared->transport;

    return transport->ops->source_notes(transport, task->connector->name, from, to, max, visit, visit_ctx,
                                        err);
}

static enum sl_rc is_log_at(void *ctx, const char *prefix, const char *servers, bool *ret_is,
                            struct sl_error *err)
{
    struct sl_source_task *task = ctx;
    struct sl_transport *transport = task->shared->transport;

    return transport->ops->is_log_at(transport, task->connector->props, prefix, servers, ret_is, err);
}

/* The log writer is done with a batch. */
static void written(void *ctx, struct sl_outgoing *outgoing, const struct sl_error *failure)
{
    struct sl_source_task *task = ctx;
    const struct sl_shared *shared = task->shared;

    if (failure) {
        (void)pthread_mutex_lock(&task->lock);
        task->failure = *failure;
        (void)pthread_mutex_unlock(&task->lock);
        sl_source_task_stop(task);
    } else {
        struct sl_span offset = outgoing->n_offsets ? outgoing->offsets[0].offset : (struct sl_span){0};
        int64_t last_ms =
            outgoing->n_records ? outgoing->records[outgoing->n_records - 1].timestamp_ms : INT64_MIN;

        sl_status_progress(&task->status, outgoing->n_records, last_ms, (const char *)offset.ptr, offset.len);
        atomic_store(&task->encoded_us, outgoing->encoded_us);
    }
    sl_share_give(&task->share, outgoing->bytes.len);
    (void)sl_queue_push(task->idle, outgoing, SL_FOREVER);
    if (atomic_load(&task->ended)) /* who waits for the task to be gone looks again */
        shared->task_changed(shared->ctx);
}

/* A free outgoing batch; NULL when the task stops. */
static struct sl_outgoing *take_idle(struct sl_source_task *task)
{
    void *item;

    while (!sl_stop_requested(&task->stop)) {
        if (sl_queue_pop(task->idle, SL_FOREVER, &item) == SL_QUEUE_OK)
            return item;
    }
    return NULL;
}

static bool is_paused(struct sl_source_task *task)
{
    bool paused;

    (void)pthread_mutex_lock(&task->lock);
    paused = task->paused;
    (void)pthread_mutex_unlock(&task->lock);
    return paused;
}

/* Until it is resumed or asked to end. The source keeps what it has; connections that die are its to renew.
 */
static void wait_while_paused(struct sl_source_task *task)
{
    sl_status_set(&task->status, SL_TASK_PAUSED);
    task->shared->task_changed(task->shared->ctx);
    (void)pthread_mutex_lock(&task->lock);
    while (task->paused && !sl_stop_requested(&task->stop))
        (void)pthread_cond_wait(&task->resumed, &task->lock);
    (void)pthread_mutex_unlock(&task->lock);
    if (sl_stop_requested(&task->stop))
        return;
    sl_status_set(&task->status, SL_TASK_RUNNING);
    task->shared->task_changed(task->shared->ctx);
}

/* Wait for room, then poll; transient failures are tried again here. False: the task is to end. */
static bool read_batch(struct sl_source_task *task, struct sl_error *err)
{
    int64_t wait_us;

    while (!sl_stop_requested(&task->stop)) {
        enum sl_rc rc;

        if (is_paused(task)) {
            wait_while_paused(task);
            continue;
        }
        if (!sl_share_wait(&task->share, sl_now_us() + POLL_US))
            continue;
        if (!sl_retry_may_try(&task->reading, &task->status, &wait_us)) {
            (void)sl_stop_wait(&task->stop, sl_now_us() + wait_us);
            continue;
        }
        sl_batch_reset(task->batch);
        rc = task->connector->source->poll(task->source, task->batch, sl_now_us() + POLL_US, err);
        if (rc == SL_OK) {
            sl_retry_succeeded(&task->reading, &task->status);
            return true;
        }
        if (rc == SL_E_STOPPED || err->kind != SL_KIND_TRANSIENT)
            return false;
        (void)sl_stop_wait(&task->stop,
                           sl_now_us() + sl_retry_failed(&task->reading, &task->status,
                                                         "reading the source failed; trying again", err));
    }
    return false;
}

static bool encode_batch(struct sl_source_task *task, struct sl_outgoing *outgoing, struct sl_error *err)
{
    int64_t wait_us;

    while (!sl_stop_requested(&task->stop)) {
        enum sl_rc rc;

        if (!sl_retry_may_try(&task->converting, &task->status, &wait_us)) {
            (void)sl_stop_wait(&task->stop, sl_now_us() + wait_us);
            continue;
        }
        rc = sl_encoder_encode(&task->encoder, task->batch, outgoing, err);
        if (rc == SL_OK) {
            sl_retry_succeeded(&task->converting, &task->status);
            return true;
        }
        if (err->kind != SL_KIND_TRANSIENT || sl_retry_is_over(&task->converting, err))
            return false;
        (void)sl_stop_wait(&task->stop,
                           sl_now_us() + sl_retry_failed(&task->converting, &task->status,
                                                         "encoding a batch failed; trying again", err));
    }
    return false;
}

static void note_topics(struct sl_source_task *task, const struct sl_outgoing *outgoing)
{
    for (size_t i = 0; i < outgoing->n_records; i++)
        if (outgoing->records[i].topic != task->encoder.verbatim_topic) /* as Connect: not its own records */
            sl_topic_use_note(&task->used, task->shared, task->connector->name, task->env.task,
                              outgoing->records[i].topic);
}

/* Read, encode, hand over; false: the task is to end, err says why (or nothing: asked to). */
static bool one_round(struct sl_source_task *task, struct sl_error *err)
{
    struct sl_outgoing *outgoing;

    if (!read_batch(task, err))
        return false;
    if (!task->batch->n_records && !task->batch->source_partition.len && !task->batch->n_positions &&
        !task->batch->n_notes)
        return true;
    outgoing = take_idle(task);
    if (!outgoing)
        return false;
    if (!encode_batch(task, outgoing, err)) {
        (void)sl_queue_push(task->idle, outgoing, SL_FOREVER);
        return false;
    }
    if (atomic_load(&task->abandoned)) {
        (void)sl_queue_push(task->idle, outgoing, SL_FOREVER);
        return false;
    }
    note_topics(task, outgoing);
    outgoing->encoded_us = sl_now_us();
    sl_share_take(&task->share, outgoing->bytes.len);
    sl_log_writer_submit(task->writer, outgoing);
    return true;
}

/* What ended the task: the log's refusal comes before whatever it led to. */
static void finish(struct sl_source_task *task, const struct sl_error *err)
{
    struct sl_error failure;

    (void)pthread_mutex_lock(&task->lock);
    failure = task->failure.rc ? task->failure : *err;
    (void)pthread_mutex_unlock(&task->lock);
    sl_status_end(&task->status, &failure, false); /* a failed write stops the task, too: nobody asked */
    sl_seat_rest(&task->reading.seat);
    sl_seat_rest(&task->converting.seat);
    atomic_store(&task->ended, true);
    task->shared->task_changed(task->shared->ctx);
}

static void run(void *arg)
{
    struct sl_source_task *task = arg;
    struct sl_error err = {0};

    sl_log_context(task->connector->name, task->number_text);
    sl_status_set(&task->status, SL_TASK_RUNNING);
    while (one_round(task, &err))
        sl_error_clear(&err);
    if (err.kind == SL_KIND_TRANSIENT) /* stopped while it was trying again */
        sl_error_clear(&err);
    finish(task, &err);
}

/* Before anything is read of what is stored: an older task of the same id writes nothing more from here on.
 */
static enum sl_rc open_writer(struct sl_source_task *task, struct sl_error *err)
{
    const struct sl_shared *shared = task->shared;
    const struct sl_connector *connector = task->connector;
    struct sl_appender_config config = {
        .connector = connector->name, .task = task->env.task, .role = "producer", .props = connector->props};
    char *id = NULL;
    enum sl_rc rc;

    if (sl_exclusive_enabled(shared->worker))
        id = sl_exclusive_id(sl_props_get(shared->worker, "group.id"), connector->name, task->env.task);
    config.exclusive_id = id;
    rc = sl_log_writer_open(shared->writer, &config, &task->writer, err);
    sl_free(id);
    return rc;
}

static enum sl_rc open_encoder(struct sl_source_task *task, struct sl_error *err)
{
    const struct sl_shared *shared = task->shared;
    const struct sl_connector *connector = task->connector;
    struct sl_encoder *encoder = &task->encoder;
    enum sl_rc rc;

    encoder->topics = shared->topics;
    encoder->incarnation.transport = shared->transport;
    encoder->incarnation.connector = connector->name;
    encoder->with_source_header = sl_connector_bool(connector->props, "sluice.source.header");
    rc = sl_topic_groups_open(connector->props, &shared->topic_settings, &encoder->groups, err);
    if (rc == SL_OK)
        rc = sl_chain_open(&encoder->chain, shared->plugins, connector->props, err);
    if (rc == SL_OK)
        rc = sl_converters_open(&encoder->converters, shared->plugins, shared->worker, connector->props,
                                shared->registry, err);
    if (rc == SL_OK)
        rc = sl_dead_letters_open(&encoder->letters, connector->name, task->env.task, connector->props,
                                  sl_topic_groups_settings(encoder->groups, NULL), shared->topics,
                                  shared->writer, err);
    return rc;
}

static void close_encoder(struct sl_encoder *encoder)
{
    sl_dead_letters_close(encoder->letters);
    sl_converters_close(&encoder->converters);
    sl_chain_close(&encoder->chain);
    sl_incarnation_done(&encoder->incarnation);
    sl_topic_groups_close(encoder->groups);
}

static struct sl_source_task *make(const struct sl_shared *shared, const struct sl_connector *connector,
                                   int number, bool paused)
{
    struct sl_source_task *task = sl_zalloc(1, sizeof(*task));

    task->shared = shared;
    task->connector = connector;
    task->env = (struct sl_source_env){.connector = connector->name,
                                       .task = number,
                                       .ctx = task,
                                       .peers_read = shared->transport->ops->peers_read,
                                       .is_log_at = shared->transport->ops->is_log_at ? is_log_at : NULL,
                                       .stored_offset = stored_offset,
                                       .stored_offsets = stored_offsets,
                                       .notes = notes};
    (void)snprintf(task->number_text, sizeof(task->number_text), "%d", number);
    task->reading = (struct sl_retry)SL_RETRY_INIT;
    task->converting = (struct sl_retry)SL_RETRY_INIT;
    sl_retry_bound(&task->converting, connector->props);
    task->batch = sl_batch_new(ARENA_CHUNK);
    task->share.budget = shared->budget;
    task->idle = sl_queue_new(OUTGOING);
    for (int i = 0; i < OUTGOING; i++) {
        struct sl_outgoing *outgoing = sl_outgoing_new(connector->name);

        outgoing->done = written;
        outgoing->ctx = task;
        (void)sl_queue_push(task->idle, outgoing, 0);
    }
    sl_status_init(&task->status, connector->name, "source", number);
    sl_systems_join(shared, connector, &task->reading.seat, &task->converting.seat);
    task->status.seats[0] = &task->reading.seat;
    task->status.seats[1] = &task->converting.seat;
    (void)pthread_mutex_init(&task->lock, NULL);
    (void)pthread_cond_init(&task->resumed, NULL);
    task->paused = paused;
    sl_stop_init(&task->stop);
    return task;
}

enum sl_rc sl_source_task_start(const struct sl_shared *shared, const struct sl_connector *connector,
                                int number, bool paused, struct sl_source_task **ret, struct sl_error *err)
{
    struct sl_source_task *task = make(shared, connector, number, paused);
    enum sl_rc rc = open_writer(task, err);
    char name[16];

    if (rc == SL_OK)
        rc = open_encoder(task, err);
    if (rc == SL_OK)
        rc = connector->source->open(&task->env, connector->props, &task->source, err);
    if (rc) {
        task->source = NULL;
        sl_source_task_free(task);
        return rc;
    }
    (void)snprintf(name, sizeof(name), "read-%.10s", connector->name);
    sl_thread_start(&task->thread, name, run, task);
    *ret = task;
    return SL_OK;
}

void sl_source_task_pause(struct sl_source_task *task, bool paused)
{
    bool changed;

    (void)pthread_mutex_lock(&task->lock);
    changed = task->paused != paused;
    task->paused = paused;
    (void)pthread_cond_signal(&task->resumed);
    (void)pthread_mutex_unlock(&task->lock);
    if (changed && paused)
        task->connector->source->wake(task->source); /* out of a poll that finds nothing */
}

void sl_source_task_stop(struct sl_source_task *task)
{
    sl_stop_request(&task->stop);
    (void)pthread_mutex_lock(&task->lock);
    (void)pthread_cond_signal(&task->resumed);
    (void)pthread_mutex_unlock(&task->lock);
    task->connector->source->wake(task->source);
    sl_queue_wake(task->idle);
    sl_budget_wake(task->shared->budget);
}

void sl_source_task_abandon(struct sl_source_task *task)
{
    atomic_store(&task->abandoned, true);
    sl_log_writer_abandon(task->writer);
}

bool sl_source_task_ended(const struct sl_source_task *task)
{
    return atomic_load(&task->ended);
}

bool sl_source_task_gone(struct sl_source_task *task)
{
    return atomic_load(&task->ended) && sl_queue_length(task->idle) == OUTGOING;
}

void sl_source_task_free(struct sl_source_task *task)
{
    void *outgoing;

    if (!task)
        return;
    sl_thread_join(&task->thread);
    if (task->source)
        task->connector->source->close(task->source);
    close_encoder(&task->encoder);
    sl_log_writer_close(task->writer);
    while (sl_queue_pop(task->idle, 0, &outgoing) == SL_QUEUE_OK)
        sl_outgoing_free(outgoing);
    sl_queue_free(task->idle);
    sl_batch_free(task->batch);
    sl_topic_use_done(&task->used);
    sl_stop_done(&task->stop);
    (void)pthread_cond_destroy(&task->resumed);
    (void)pthread_mutex_destroy(&task->lock);
    sl_seat_leave(&task->reading.seat);
    sl_seat_leave(&task->converting.seat);
    sl_status_done(&task->status);
    sl_free(task);
}

struct sl_status *sl_source_task_status(struct sl_source_task *task)
{
    return &task->status;
}

/* A source task waits for the log when the log says so; it keeps its own note otherwise. */
void sl_source_task_measure(struct sl_source_task *task)
{
    char note[SL_ERROR_TEXT_SIZE];

    sl_log_writer_note(task->writer, note, sizeof(note));
    if (note[0])
        sl_status_note(&task->status, note);
    if (task->encoder.letters) {
        struct sl_error_counts errors;

        sl_dead_letters_counts(task->encoder.letters, &errors);
        sl_status_errors(&task->status, &errors);
    }
}
