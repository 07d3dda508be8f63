/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/sink_task.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/queue.h"
#include "engine/config/connector_options.h"
#include "engine/decoder.h"
#include "engine/held.h"
#include "engine/lookback.h"
#include "engine/letters/letter.h"
#include "engine/positions.h"
#include "engine/start_position.h"
#include "engine/systems.h"
#include "engine/topic_use.h"

#include <stdio.h>

enum {
    ARENA_CHUNK = 256 << 10,
    INCOMING = 4, /* one at the target, one just bound, one ready, one being decoded */
    READY = 2,
    FETCH_BYTES = 4 << 20,
    FETCH_RECORDS = 4000,
    FETCH_US = 250 * 1000, /* the longest wait in one fetch */
    IDLE_US = 1000 * 1000,
    COMMIT_EVERY_US = 500 * 1000,
    HOLD_FACTOR = 5, /* partitions whose row waits are set aside for so many times as they took, within */
    SHORTEST_HOLD_US = 500 * 1000,
    LONGEST_HOLD_US = 30 * 1000 * 1000,
};

struct sl_sink_task {
    const struct sl_shared *shared;
    const struct sl_connector *connector;
    struct sl_subscription *subscription;
    struct sl_sink_env env;
    void *sink;
    struct sl_decoder decoder;
    struct sl_status status;
    struct sl_positions positions;
    struct sl_parking *parking; /* errors.park.keys; NULL: not asked for */
    struct sl_share share;
    struct sl_stop stop;
    struct sl_thread apply_thread;
    _Atomic bool ended;
    _Atomic bool paused; /* is to be */
    char number_text[12];

    struct sl_incoming incoming[INCOMING];
    struct sl_queue *idle;  /* batches that nobody uses */
    struct sl_queue *ready; /* decoded batches, from the fetch thread to the apply thread */

    /* A session's: set by the apply thread before the fetch thread starts, read by it. */
    struct sl_thread fetch_thread;
    struct sl_log_reader *reader;
    _Atomic bool session_over;
    struct sl_error fetch_failure; /* the fetch thread's last word, before it closes ready */
    bool converting_failed;        /* and whether a converter or transform said it */
    bool fetching_failed;          /* or the log */

    /* The apply thread's own. */
    bool had_session;
    struct sl_held held;        /* partitions whose next row waits, while there is more in the others */
    uint64_t generation;        /* of the subscription, at the session's begin */
    struct sl_refused refused;  /* by the sink, in this session */
    struct sl_retry retry;      /* of the target */
    struct sl_retry fetching;   /* of the log */
    struct sl_retry converting; /* of converters and transforms */
    int64_t next_commit_us;
    struct sl_topic_use used;

    _Atomic int64_t
        at_sink_ms[INCOMING]; /* first timestamp of each batch that the sink has, else INT64_MAX */
    int64_t caught_up_ms;     /* the publisher's: when there was no lag last */
    pthread_mutex_t closing;  /* guards closed: nobody wakes a sink that is gone */
    bool closed;
};

/* ---- batches ---- */

static struct sl_incoming *incoming_of(struct sl_sink_task *task, const struct sl_batch *batch)
{
    for (size_t i = 0; i < INCOMING; i++) {
        if (task->incoming[i].batch == batch)
            return &task->incoming[i];
    }
    SL_ASSERT(!"a batch that is not this task's");
    return NULL;
}

static void give_back(struct sl_sink_task *task, struct sl_incoming *incoming)
{
    sl_share_give(&task->share, incoming->charged_bytes);
    incoming->charged_bytes = 0;
    incoming->parked = NULL;
    incoming->parked_generation = 0;
    sl_batch_reset(incoming->batch);
    (void)sl_queue_push(task->idle, incoming, SL_FOREVER);
}

/* For the status: "topic-partition@next". */
static size_t describe_position(const struct sl_batch *batch, char *text, size_t size)
{
    const struct sl_progress *progress = &batch->progress[batch->n_progress - 1];
    int len = snprintf(text, size, "%s-%d@%lld", progress->topic->name, (int)progress->partition,
                       (long long)progress->next_offset);

    return len < 0 ? 0 : (size_t)len < size ? (size_t)len : size - 1;
}

/* The sink is done with a batch (sink.h). */
static void release(void *ctx, struct sl_batch *batch, bool durable)
{
    struct sl_sink_task *task = ctx;
    struct sl_incoming *incoming = incoming_of(task, batch);

    if (durable && batch->n_progress) {
        char position[256];
        size_t len = describe_position(batch, position, sizeof(position));

        sl_positions_advance(&task->positions, batch->progress, batch->n_progress);
        sl_status_progress(&task->status, incoming->n_raw, incoming->last_ms, position, len);
    }
    atomic_store(&task->at_sink_ms[incoming - task->incoming], INT64_MAX);
    give_back(task, incoming);
}

static enum sl_rc bad_record(void *ctx, const struct sl_batch *batch, uint32_t record_index,
                             const struct sl_error *why, struct sl_error *err)
{
    struct sl_sink_task *task = ctx;
    const struct sl_incoming *incoming = incoming_of(task, batch);
    const struct sl_log_record *raw = &incoming->raw[incoming->raw_of[record_index]];
    const struct sl_bad_record bad = {
        .raw = raw,
        .stage = "TASK_PUT",
        .class_name = "org.apache.kafka.connect.sink.SinkTask",
        .why = why,
    };
    enum sl_rc rc = task->parking ? sl_parking_park(task->parking, raw, err) : SL_OK;

    if (rc == SL_OK)
        rc = sl_dead_letters_report(task->decoder.letters, &bad, err);
    if (rc == SL_E_DATA)
        task->refused = (struct sl_refused){
            .topic = raw->topic, .partition = raw->partition, .offset = raw->offset, .why = *err};
    return rc;
}

static enum sl_rc topic_identity(void *ctx, const struct sl_topic *topic, char **ret, struct sl_error *err)
{
    struct sl_sink_task *task = ctx;
    struct sl_transport *transport = task->shared->transport;

    return transport->ops->topic_identity(transport, topic, ret, err);
}

/* sink.h */
static enum sl_rc parked(void *ctx, struct sl_batch *batch, const uint8_t **ret_skip,
                         uint64_t *ret_generation, struct sl_error *err)
{
    struct sl_sink_task *task = ctx;
    size_t n;

    return sl_parking_mark(task->parking, task->decoder.letters, 1, incoming_of(task, batch), ret_skip,
                           ret_generation, &n, err);
}

static enum sl_rc ends(void *ctx, sl_sink_end_visitor *visit, void *visit_ctx, struct sl_error *err)
{
    struct sl_sink_task *task = ctx;

    return sl_subscription_ends(task->subscription, visit, visit_ctx, err);
}

/* Is the session at hand to end, in good order? */
static bool interrupted(void *ctx)
{
    struct sl_sink_task *task = ctx;

    return sl_stop_requested(&task->stop) || atomic_load(&task->paused) ||
           task->generation != sl_subscription_generation(task->subscription) ||
           sl_held_is_over(&task->held, &task->positions);
}

struct own_ends {
    struct sl_progress *items;
    size_t n, capacity;
};

static void take_end(void *ctx, const struct sl_topic_info *info)
{
    struct own_ends *ends = ctx;

    SL_GROW(ends->items, ends->n, ends->capacity);
    ends->items[ends->n++] = sl_progress_of_log(info);
}

/* sink.h */
static bool set_aside(void *ctx, const struct sl_batch *batch, const struct sl_progress *rows, size_t n,
                      int64_t spent_us, int64_t open_us)
{
    struct sl_sink_task *task = ctx;
    struct sl_transport *transport = task->shared->transport;
    struct own_ends ends = {0};
    struct sl_error err;
    size_t n_positions;
    struct sl_progress *positions = sl_positions_copy(&task->positions, &n_positions);
    int64_t pause_us = spent_us * HOLD_FACTOR;
    bool aside = false;

    for (size_t i = 0; i < n_positions; i++) {
        const struct sl_progress *read = sl_progress_find(batch->progress, batch->n_progress, &positions[i]);

        if (read)
            positions[i].next_offset = read->first_offset;
    }
    pause_us = pause_us < SHORTEST_HOLD_US  ? SHORTEST_HOLD_US
               : pause_us > LONGEST_HOLD_US ? LONGEST_HOLD_US
                                            : pause_us;
    if (n_positions > n && transport->ops->ends(transport, take_end, &ends, &err) == SL_OK)
        aside = sl_held_set_aside(&task->held, rows, n, positions, n_positions, ends.items, ends.n, open_us,
                                  pause_us);
    sl_free(ends.items);
    sl_free(positions);
    return aside;
}

static void waits(void *ctx, const char *what)
{
    struct sl_sink_task *task = ctx;

    sl_status_note(&task->status, what);
}

/* ---- the fetch thread ---- */

static bool session_goes_on(struct sl_sink_task *task)
{
    return !atomic_load(&task->session_over) && !sl_stop_requested(&task->stop);
}

/* An empty batch, when the budget allows; NULL: look again. */
static struct sl_incoming *take_idle(struct sl_sink_task *task)
{
    void *item = NULL;

    if (!sl_share_wait(&task->share, sl_now_us() + FETCH_US))
        return NULL;
    return sl_queue_pop(task->idle, sl_now_us() + FETCH_US, &item) == SL_QUEUE_OK ? item : NULL;
}

static enum sl_rc decode(struct sl_sink_task *task, const struct sl_fetched *fetched,
                         struct sl_incoming *incoming, struct sl_error *err)
{
    enum sl_rc rc = sl_decoder_decode(&task->decoder, fetched, incoming, err);

    task->converting_failed = rc != SL_OK;
    return rc;
}

/*
 * Fetch and decode one batch, and hand it to the apply thread; *ret_handed false: it is still ours. What
 * stands before a bad record is handed over although the fetching ends here.
 */
static enum sl_rc fetch_one(struct sl_sink_task *task, struct sl_incoming *incoming, bool *ret_handed,
                            struct sl_error *err)
{
    const struct sl_transport_ops *ops = task->shared->transport->ops;
    struct sl_fetched fetched = {0};
    enum sl_rc rc = ops->fetch(task->reader, FETCH_BYTES, FETCH_RECORDS, sl_now_us() + FETCH_US,
                               incoming->batch->arena, &fetched, err);

    *ret_handed = false;
    if (rc == SL_OK && !fetched.n_records && !fetched.n_progress)
        return SL_OK;
    if (rc == SL_OK)
        rc = decode(task, &fetched, incoming, err);
    if (rc && (rc != SL_E_DATA || !incoming->n_raw))
        return rc;
    incoming->charged_bytes = incoming->batch->bytes;
    sl_share_take(&task->share, incoming->charged_bytes);
    *ret_handed = sl_queue_push(task->ready, incoming, SL_FOREVER) == SL_QUEUE_OK;
    return rc;
}

static void fetch_main(void *arg)
{
    struct sl_sink_task *task = arg;
    struct sl_error err = {0};

    sl_log_context(task->connector->name, task->number_text);
    while (session_goes_on(task) && !err.rc) {
        struct sl_incoming *incoming = take_idle(task);
        bool handed = false;

        if (!incoming)
            continue;
        (void)fetch_one(task, incoming, &handed, &err);
        if (!handed)
            give_back(task, incoming);
    }
    task->fetch_failure = err;
    sl_queue_close(task->ready);
}

/* ---- the apply thread ---- */

static void commit_if_due(struct sl_sink_task *task, bool now)
{
    struct sl_error err;

    if (!sl_positions_dirty(&task->positions) || (!now && sl_now_us() < task->next_commit_us))
        return;
    task->next_commit_us = sl_now_us() + COMMIT_EVERY_US;
    if (sl_positions_commit(&task->positions, task->shared->transport,
                            sl_subscription_reader(task->subscription), &err))
        sl_log_error(SL_LEVEL_WARN, "the log could not note what is applied; it is told again", &err);
}

static enum sl_rc flush(struct sl_sink_task *task, struct sl_error *err)
{
    enum sl_rc rc = task->connector->sink->flush(task->sink, err);

    sl_held_wake(&task->held);
    if (rc == SL_OK) {
        sl_retry_succeeded(&task->retry, &task->status);
        commit_if_due(task, false);
    }
    return rc;
}

static enum sl_rc put(struct sl_sink_task *task, struct sl_incoming *incoming, struct sl_error *err)
{
    enum sl_rc rc;

    for (uint32_t i = 0; incoming->n_raw && i < incoming->batch->n_progress; i++)
        sl_topic_use_note(&task->used, task->shared, task->connector->name, task->env.task,
                          incoming->batch->progress[i].topic);
    if (incoming->first_ms != INT64_MIN)
        atomic_store(&task->at_sink_ms[incoming - task->incoming], incoming->first_ms);
    rc = task->connector->sink->put(task->sink, incoming->batch, err);
    sl_held_wake(&task->held);
    if (rc == SL_OK) {
        sl_retry_succeeded(&task->converting, &task->status); /* it was decoded */
        sl_retry_succeeded(&task->fetching, &task->status);
        commit_if_due(task, false);
    }
    return rc;
}

/* When the sink has to be looked at again though nothing comes. */
static int64_t idle_until(struct sl_sink_task *task)
{
    int64_t until_us = sl_now_us() + IDLE_US;

    return sl_positions_dirty(&task->positions) && task->next_commit_us < until_us ? task->next_commit_us
                                                                                   : until_us;
}

/* Apply what the fetch thread brings. SL_OK: stop, pause, or other partitions. */
static enum sl_rc apply(struct sl_sink_task *task, struct sl_error *err)
{
    while (!interrupted(task)) {
        void *item = NULL;
        enum sl_queue_answer answer = sl_queue_pop(task->ready, 0, &item);
        enum sl_rc rc;

        if (answer ==
            SL_QUEUE_TIMEOUT) { /* nothing more for now: learn at once what became of the last batch */
            rc = flush(task, err);
            if (rc)
                return rc;
            answer = sl_queue_pop(task->ready, idle_until(task), &item);
        }
        if (answer == SL_QUEUE_TIMEOUT)
            commit_if_due(task, false);
        if (answer == SL_QUEUE_CLOSED)
            break;
        if (answer != SL_QUEUE_OK)
            continue;
        rc = put(task, item, err);
        if (rc)
            return rc;
    }
    return flush(task, err);
}

/* End the fetch thread and take back what it had decoded. */
static void end_session(struct sl_sink_task *task)
{
    void *item;

    atomic_store(&task->session_over, true);
    sl_queue_close(task->ready);
    task->shared->transport->ops->reader_wake(task->reader);
    sl_queue_wake(task->idle);
    sl_thread_join(&task->fetch_thread);
    while (sl_queue_pop(task->ready, 0, &item) == SL_QUEUE_OK)
        give_back(task, item);
    task->shared->transport->ops->reader_close(task->reader);
    task->reader = NULL;
    sl_queue_reopen(task->ready);
}

static void begin_session(struct sl_sink_task *task)
{
    char name[16];

    atomic_store(&task->session_over, false);
    task->fetch_failure = (struct sl_error){0};
    (void)snprintf(name, sizeof(name), "fetch-%.9s", task->connector->name);
    sl_thread_start(&task->fetch_thread, name, fetch_main, task);
}

/* From what the target holds to where reading begins. */
static enum sl_rc find_starts(struct sl_sink_task *task, struct sl_progress *partitions, size_t n,
                              struct sl_error *err)
{
    struct sl_transport *transport = task->shared->transport;
    struct sl_start_sources sources = {.connector = task->connector->name,
                                       .reader = sl_subscription_reader(task->subscription)};

    for (size_t i = 0; i < n; i++) {
        bool foreign = false;
        enum sl_rc rc = transport->ops->committed(transport, sources.reader, partitions[i].topic,
                                                  partitions[i].partition, &sources.committed, &foreign, err);

        sources.committed_by_us = !foreign;
        if (rc == SL_OK)
            rc = sl_start_position(&sources, &partitions[i], err);
        if (rc)
            return rc;
    }
    return SL_OK;
}

/* What the target holds is not shown again, where the log may have it twice. */
static enum sl_rc look_back(struct sl_sink_task *task, const struct sl_progress *partitions, size_t n,
                            struct sl_error *err)
{
    if (!task->decoder.repeats)
        return SL_OK;
    sl_repeats_reset(task->decoder.repeats);
    return sl_lookback(task->shared->transport, sl_subscription_reader(task->subscription), partitions, n,
                       &task->stop, task->decoder.repeats, err);
}

/* n of n_all partitions are read; the rest is set aside at the positions that it has. */
static enum sl_rc open_reader(struct sl_sink_task *task, struct sl_progress *partitions, size_t n,
                              size_t n_all, struct sl_error *err)
{
    struct sl_transport *transport = task->shared->transport;
    enum sl_rc rc = task->connector->sink->assign(task->sink, partitions, n, err);

    if (rc)
        return rc;
    /* Only what the target holds is ever committed: a position that we take over from others is theirs until
     * then. */
    sl_positions_set(&task->positions, partitions, n_all);
    task->fetching_failed = true; /* what fails from here on is the log */
    rc = find_starts(task, partitions, n, err);
    if (rc)
        return rc;
    commit_if_due(task, true);
    rc = transport->ops->reader_open(transport, sl_subscription_reader(task->subscription), partitions, n,
                                     &task->reader, err);
    if (rc)
        return rc;
    rc = look_back(task, partitions, n, err);
    if (rc) {
        transport->ops->reader_close(task->reader);
        task->reader = NULL;
    } else {
        task->fetching_failed = false;
    }
    return rc;
}

static enum sl_rc session(struct sl_sink_task *task, struct sl_error *err)
{
    struct sl_progress *partitions = NULL;
    enum sl_rc rc = SL_OK;
    void *item;
    size_t n_read;
    size_t n;

    task->generation = sl_subscription_generation(task->subscription);
    n = sl_subscription_assigned(task->subscription, task->env.task, &partitions);
    if (sl_held_is_over(&task->held, &task->positions))
        task->held.until_us = 0;
    n_read = sl_held_part(&task->held, partitions, n);
    task->converting_failed = false;
    task->fetching_failed = false;
    if (task->parking && sl_parking_generation(task->parking))
        rc = sl_parking_reload(task->parking, err); /* a replay may have let keys go */
    if (rc) {
        sl_free(partitions);
        return rc;
    }
    if (n)
        rc = open_reader(task, partitions, n_read, n, err);
    else if (!interrupted(task)) /* no topic exists yet */
        (void)sl_queue_pop(task->ready, sl_now_us() + IDLE_US, &item);
    sl_free(partitions);
    if (rc || !n)
        return rc;
    if (task->held.until_us)
        sl_debug("sink assigned, but for partitions whose row waits", SL_I("partitions", n_read));
    else
        sl_info("sink assigned", SL_I("partitions", n));
    task->had_session = true;
    begin_session(task);
    rc = apply(task, err);
    end_session(task);
    commit_if_due(task, true);
    if (rc == SL_E_STOPPED &&
        (task->held.until_us || interrupted(task))) { /* rows waited; what they hold up is read again */
        sl_error_clear(err);
        return SL_OK;
    }
    if (rc == SL_OK && task->fetch_failure.rc) {
        task->fetching_failed = !task->converting_failed;
        *err = task->fetch_failure;
        return err->rc;
    }
    task->converting_failed = false; /* the target's failure came first */
    return rc;
}

/*
 * The sink gave a whole batch back for one record that nobody tolerates: once more, up to that record. True:
 * there is such a record; each time it stands further to the front.
 */
static bool goes_up_to_refused(struct sl_sink_task *task)
{
    if (!task->refused.topic)
        return false;
    task->decoder.refused = task->refused;
    task->refused.topic = NULL;
    return true;
}

/* After a transient failure; false: its time is over. */
static bool wait_to_try_again(struct sl_sink_task *task, struct sl_error *err)
{
    int64_t wait_us;

    if (task->fetching_failed)
        wait_us =
            sl_retry_failed(&task->fetching, &task->status, "reading the log failed; trying again", err);
    else if (!task->converting_failed)
        wait_us =
            sl_retry_failed(&task->retry, &task->status, "applying to the target failed; trying again", err);
    else if (sl_retry_is_over(&task->converting, err))
        return false;
    else
        wait_us =
            sl_retry_failed(&task->converting, &task->status, "decoding a batch failed; trying again", err);
    (void)sl_stop_wait(&task->stop, sl_now_us() + wait_us);
    return true;
}

/* One that has never had a session knows from the log how far it is: enough to show its lag. */
static void learn_positions(struct sl_sink_task *task)
{
    struct sl_transport *transport = task->shared->transport;
    const char *reader = sl_subscription_reader(task->subscription);
    struct sl_progress *partitions = NULL;
    size_t n = sl_subscription_assigned(task->subscription, task->env.task, &partitions);
    struct sl_error err;
    bool foreign;

    for (size_t i = 0; i < n; i++) {
        int64_t next = -1;

        if (transport->ops->committed(transport, reader, partitions[i].topic, partitions[i].partition, &next,
                                      &foreign, &err))
            sl_log_error(SL_LEVEL_WARN, "how far a paused sink is cannot be read", &err);
        partitions[i].next_offset = next;
    }
    sl_positions_set(&task->positions, partitions, n);
    sl_free(partitions);
}

/* Between two sessions: nothing is in flight and nothing is read, but the sink keeps its connection. */
static void wait_while_paused(struct sl_sink_task *task)
{
    void *item;

    if (!task->had_session)
        learn_positions(task);
    sl_status_set(&task->status, SL_TASK_PAUSED);
    task->shared->task_changed(task->shared->ctx);
    while (atomic_load(&task->paused) && !sl_stop_requested(&task->stop))
        (void)sl_queue_pop(task->ready, SL_FOREVER, &item);
    if (sl_stop_requested(&task->stop))
        return;
    sl_status_set(&task->status, SL_TASK_RUNNING);
    task->shared->task_changed(task->shared->ctx);
}

static void apply_main(void *arg)
{
    struct sl_sink_task *task = arg;
    struct sl_error err = {0};
    int64_t wait_us;

    sl_log_context(task->connector->name, task->number_text);
    sl_status_set(&task->status, SL_TASK_RUNNING);
    while (!sl_stop_requested(&task->stop)) {
        sl_error_clear(&err);
        if (atomic_load(&task->paused)) {
            wait_while_paused(task);
            continue;
        }
        if (!sl_retry_may_try(&task->retry, &task->status, &wait_us) ||
            !sl_retry_may_try(&task->converting, &task->status, &wait_us)) {
            (void)sl_stop_wait(&task->stop, sl_now_us() + wait_us);
            continue;
        }
        if (session(task, &err) == SL_OK || goes_up_to_refused(task)) {
            sl_error_clear(&err); /* of a row that is a dead letter by now */
            continue;
        }
        if (err.kind != SL_KIND_TRANSIENT || !wait_to_try_again(task, &err))
            break;
    }
    if (err.kind == SL_KIND_TRANSIENT) /* it was asked to stop while it tried again */
        sl_error_clear(&err);
    sl_status_end(&task->status, &err, sl_stop_requested(&task->stop));
    sl_seat_rest(&task->retry.seat);
    sl_seat_rest(&task->converting.seat);
    (void)pthread_mutex_lock(&task->closing);
    task->connector->sink->close(task->sink);
    task->closed = true;
    (void)pthread_mutex_unlock(&task->closing);
    atomic_store(&task->ended, true);
    task->shared->task_changed(task->shared->ctx);
}

/* ---- life ---- */

static struct sl_sink_task *make(const struct sl_shared *shared, const struct sl_connector *connector,
                                 int number, struct sl_subscription *subscription, bool paused)
{
    struct sl_sink_task *task = sl_zalloc(1, sizeof(*task));

    task->shared = shared;
    task->connector = connector;
    task->subscription = subscription;
    task->env = (struct sl_sink_env){
        .connector = connector->name,
        .task = number,
        .log_identity = shared->transport->ops->identity(shared->transport),
        .topic_identity = topic_identity,
        .ctx = task,
        .release = release,
        .bad_record = bad_record,
        .parked = parked,
        .ends = ends,
        .interrupted = interrupted,
        .waits = waits,
        .set_aside = set_aside,
    };
    (void)snprintf(task->number_text, sizeof(task->number_text), "%d", number);
    atomic_init(&task->paused, paused);
    task->share.budget = shared->budget;
    task->retry = (struct sl_retry)SL_RETRY_INIT;
    task->fetching = (struct sl_retry)SL_RETRY_INIT;
    task->converting = (struct sl_retry)SL_RETRY_INIT;
    sl_retry_bound(&task->converting, connector->props);
    task->idle = sl_queue_new(INCOMING);
    task->ready = sl_queue_new(READY);
    for (size_t i = 0; i < INCOMING; i++) {
        task->incoming[i].batch = sl_batch_new(ARENA_CHUNK);
        atomic_init(&task->at_sink_ms[i], INT64_MAX);
        (void)sl_queue_push(task->idle, &task->incoming[i], 0);
    }
    (void)pthread_mutex_init(&task->closing, NULL);
    sl_status_init(&task->status, connector->name, "sink", number);
    sl_systems_join(shared, connector, &task->retry.seat, &task->converting.seat);
    task->status.seats[0] = &task->retry.seat;
    task->status.seats[1] = &task->converting.seat;
    sl_positions_init(&task->positions);
    sl_stop_init(&task->stop);
    return task;
}

static enum sl_rc open_decoder(struct sl_sink_task *task, struct sl_error *err)
{
    const struct sl_shared *shared = task->shared;
    const struct sl_connector *connector = task->connector;
    struct sl_decoder *decoder = &task->decoder;
    enum sl_rc rc = sl_chain_open(&decoder->chain, shared->plugins, connector->props, err);

    if (shared->transport->ops->appender_open) /* records and the source's offset may come apart */
        decoder->repeats = sl_repeats_new();
    decoder->stale.after_ms = sl_connector_int(connector->props, "errors.stale.threshold.ms");
    if (rc == SL_OK && sl_connector_bool(connector->props, "errors.park.keys"))
        rc = sl_parking_open(shared->transport, connector->name, &task->parking, err);
    decoder->parking = task->parking;

    if (rc == SL_OK)
        rc = sl_converters_open(&decoder->converters, shared->plugins, shared->worker, connector->props,
                                shared->registry, err);
    if (rc == SL_OK)
        rc = sl_dead_letters_open(&decoder->letters, connector->name, task->env.task, connector->props,
                                  &shared->topic_settings, shared->topics, shared->writer, err);
    return rc;
}

enum sl_rc sl_sink_task_start(const struct sl_shared *shared, const struct sl_connector *connector,
                              int number, struct sl_subscription *subscription, bool paused,
                              struct sl_sink_task **ret, struct sl_error *err)
{
    struct sl_sink_task *task = make(shared, connector, number, subscription, paused);
    enum sl_rc rc = open_decoder(task, err);
    char name[16];

    if (rc == SL_OK)
        rc = connector->sink->open(&task->env, connector->props, &task->sink, err);
    if (rc) {
        sl_sink_task_free(task);
        return rc;
    }
    (void)snprintf(name, sizeof(name), "apply-%.9s", connector->name);
    sl_thread_start(&task->apply_thread, name, apply_main, task);
    *ret = task;
    return SL_OK;
}

void sl_sink_task_wake(struct sl_sink_task *task)
{
    sl_queue_wake(task->ready);
}

void sl_sink_task_pause(struct sl_sink_task *task, bool paused)
{
    if (atomic_exchange(&task->paused, paused) != paused)
        sl_queue_wake(task->ready);
}

void sl_sink_task_stop(struct sl_sink_task *task)
{
    sl_stop_request(&task->stop);
    sl_queue_wake(task->ready);
    sl_budget_wake(task->shared->budget);
}

void sl_sink_task_abandon(struct sl_sink_task *task)
{
    (void)pthread_mutex_lock(&task->closing);
    if (!task->closed)
        task->connector->sink->wake(task->sink);
    (void)pthread_mutex_unlock(&task->closing);
}

bool sl_sink_task_ended(const struct sl_sink_task *task)
{
    return atomic_load(&task->ended);
}

void sl_sink_task_free(struct sl_sink_task *task)
{
    if (!task)
        return;
    sl_thread_join(&task->apply_thread);
    sl_dead_letters_close(task->decoder.letters);
    sl_parking_close(task->parking);
    sl_converters_close(&task->decoder.converters);
    sl_repeats_free(task->decoder.repeats);
    sl_chain_close(&task->decoder.chain);
    for (size_t i = 0; i < INCOMING; i++)
        sl_batch_free(task->incoming[i].batch);
    sl_queue_free(task->idle);
    sl_queue_free(task->ready);
    sl_positions_done(&task->positions);
    sl_held_done(&task->held);
    sl_topic_use_done(&task->used);
    (void)pthread_mutex_destroy(&task->closing);
    sl_stop_done(&task->stop);
    sl_seat_leave(&task->retry.seat);
    sl_seat_leave(&task->converting.seat);
    sl_status_done(&task->status);
    sl_free(task);
}

struct sl_status *sl_sink_task_status(struct sl_sink_task *task)
{
    return &task->status;
}

/*
 * How long the oldest record that is not applied has waited: known exactly for what is in flight; else since
 * the last record applied, or since there was no lag, whichever is later.
 */
static int64_t lag_ms(struct sl_sink_task *task, int64_t now_ms)
{
    struct sl_status_view view;
    int64_t since_ms = INT64_MAX;

    for (size_t i = 0; i < INCOMING; i++) {
        int64_t first_ms = atomic_load(&task->at_sink_ms[i]);

        since_ms = first_ms < since_ms ? first_ms : since_ms;
    }
    if (since_ms == INT64_MAX) {
        sl_status_read(&task->status, &view);
        since_ms = view.last_record_ms > task->caught_up_ms ? view.last_record_ms : task->caught_up_ms;
    }
    if (since_ms <= 0)
        return -1;
    return now_ms > since_ms ? now_ms - since_ms : 0;
}

void sl_sink_task_measure(struct sl_sink_task *task, const struct sl_log_ends *ends)
{
    struct sl_error_counts errors = {0};
    int64_t lag_records = sl_positions_lag(&task->positions, ends);
    int64_t now_ms = sl_wall_us() / 1000;

    if (task->decoder.letters) {
        sl_dead_letters_counts(task->decoder.letters, &errors);
        errors.stale = atomic_load(&task->decoder.stale.n);
        errors.keys_parked = task->parking ? sl_parking_count(task->parking) : 0;
        sl_status_errors(&task->status, &errors);
    }
    if (lag_records < 0) {
        sl_status_lag(&task->status, -1, -1);
    } else if (lag_records == 0) {
        task->caught_up_ms = now_ms;
        sl_status_lag(&task->status, 0, 0);
    } else {
        sl_status_lag(&task->status, lag_records, lag_ms(task, now_ms));
    }
}
