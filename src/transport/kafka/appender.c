/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/kafka/appender.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/props.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECORD_OVERHEAD = 128 };

void sl_kafka_appender_break(struct sl_log_appender *appender, const struct sl_error *why)
{
    (void)pthread_mutex_lock(&appender->lock);
    if (!appender->failure.rc)
        appender->failure = *why;
    (void)pthread_cond_broadcast(&appender->changed);
    (void)pthread_mutex_unlock(&appender->lock);
}

bool sl_kafka_appender_broken(struct sl_log_appender *appender, struct sl_error *ret)
{
    bool broken;

    (void)pthread_mutex_lock(&appender->lock);
    broken = appender->failure.rc != SL_OK;
    if (broken)
        *ret = appender->failure;
    (void)pthread_mutex_unlock(&appender->lock);
    return broken;
}

/* ---- delivery ---- */

static void on_delivery(rd_kafka_t *producer, const rd_kafka_message_t *message, void *opaque)
{
    struct sl_kafka_flight *flight = message->_private;

    (void)opaque;
    if (message->err) {
        struct sl_log_appender *appender = flight->appender;
        struct sl_error err = {0};
        char why[256];
        rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(producer, why, sizeof(why));

        (void)sl_kafka_error(&err, fatal ? fatal : message->err, fatal ? why : NULL, "writing topic '%.120s'",
                             rd_kafka_topic_name(message->rkt));
        sl_kafka_appender_break(appender, &err);
    }
    atomic_fetch_sub(&flight->pending, 1);
}

void sl_kafka_appender_finish(struct sl_kafka_flight *flight, const struct sl_error *failure)
{
    flight->done(flight->ctx, failure);
    sl_free(flight->refusal);
    sl_free(flight);
}

struct sl_kafka_flight *sl_kafka_appender_front(struct sl_log_appender *appender)
{
    if (appender->first && appender->first->refusal && !appender->failure.rc)
        appender->failure = *appender->first->refusal;
    return appender->first;
}

void sl_kafka_appender_take(struct sl_log_appender *appender, struct sl_kafka_flight *last)
{
    appender->group = appender->first;
    appender->first = last->next;
    last->next = NULL;
    if (!appender->first)
        appender->last = NULL;
    (void)pthread_cond_broadcast(&appender->changed);
}

/* ---- notes and offsets ---- */

static enum sl_rc send_position(void *ctx, const struct sl_kafka_message *message, struct sl_error *err)
{
    struct sl_log_appender *appender = ctx;

    for (;;) {
        rd_kafka_resp_err_t code;

        atomic_fetch_add(&appender->positions.pending, 1);
        code = sl_kafka_produce_message(appender->kafka, appender->producer, message, &appender->positions);
        if (!code)
            return SL_OK;
        atomic_fetch_sub(&appender->positions.pending, 1);
        if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL)
            return sl_kafka_error(err, code, NULL, "writing a source offset");
        if (sl_kafka_appender_broken(appender, err)) /* given up: there may never be room again */
            return err->rc;
        (void)rd_kafka_poll(appender->producer, 10);
    }
}

static enum sl_rc send_notes(struct sl_log_appender *appender, struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    for (struct sl_kafka_flight *flight = appender->group; flight; flight = flight->next) {
        for (size_t i = 0; rc == SL_OK && i < flight->append.n_notes; i++)
            rc = sl_kafka_note_message(&flight->append.notes[i], send_position, appender, err);
    }
    return rc;
}

static enum sl_rc send_offsets(struct sl_log_appender *appender, struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    for (struct sl_kafka_flight *flight = appender->group; flight; flight = flight->next) {
        for (size_t i = 0; rc == SL_OK && i < flight->append.n_offsets; i++)
            rc = sl_kafka_offset_messages(appender->kafka, &flight->append.offsets[i], send_position,
                                          appender, err);
    }
    return rc;
}

/* Standalone: notes and offsets in one transaction of the state directory. */
static enum sl_rc store_locally(struct sl_log_appender *appender, struct sl_error *err)
{
    struct sl_transport *local = appender->kafka->local;
    enum sl_rc rc = SL_OK;

    for (struct sl_kafka_flight *flight = appender->group; rc == SL_OK && flight; flight = flight->next) {
        struct sl_append append = flight->append;

        append.records = NULL;
        append.n_records = 0;
        if (append.n_offsets || append.n_notes)
            rc = local->ops->append(local, &append, err);
    }
    return rc;
}

/* ---- the thread ---- */

/* Not only at the first message. */
void sl_kafka_appender_warm(struct sl_log_appender *appender)
{
    static const enum sl_kafka_table tables[] = {SL_KAFKA_OFFSETS, SL_KAFKA_STATE};

    for (size_t i = 0; !appender->kafka->local && i < sizeof(tables) / sizeof(*tables); i++)
        sl_kafka_find_topic(appender->producer, appender->kafka->tables[tables[i]]);
}

static void end_group(struct sl_log_appender *appender, const struct sl_error *failure)
{
    while (appender->group) {
        struct sl_kafka_flight *flight = appender->group;

        appender->group = flight->next;
        sl_kafka_appender_finish(flight, failure);
    }
}

/* The oldest appends whose records are all acknowledged become the group. */
static bool gather(struct sl_log_appender *appender)
{
    struct sl_kafka_flight *last = NULL;

    (void)pthread_mutex_lock(&appender->lock);
    for (struct sl_kafka_flight *flight = sl_kafka_appender_front(appender);
         flight && !atomic_load(&flight->pending) && (appender->failure.rc || !flight->refusal);
         flight = flight->next)
        last = flight;
    if (last)
        sl_kafka_appender_take(appender, last);
    (void)pthread_mutex_unlock(&appender->lock);
    return last != NULL;
}

/* Take what can be taken further; false: nothing for now. */
static bool advance(struct sl_log_appender *appender)
{
    struct sl_error err = {0};

    if (sl_kafka_appender_broken(appender, &err)) {
        /* Each time: the source may have been handing in while it broke. */
        (void)rd_kafka_purge(appender->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        if (atomic_load(&appender->positions.pending) || (!appender->group && !gather(appender)))
            return false;
        end_group(appender, &err);
        return true;
    }
    if (atomic_load(&appender->positions.pending))
        return false;
    if (!appender->group) {
        if (!gather(appender) || sl_kafka_appender_broken(appender, &err))
            return appender->group != NULL;
        appender->stage = GROUP_NOTES;
        if (appender->kafka->local ? store_locally(appender, &err) : send_notes(appender, &err))
            sl_kafka_appender_break(appender, &err);
        return true;
    }
    if (appender->stage == GROUP_NOTES && !appender->kafka->local) {
        appender->stage = GROUP_OFFSETS;
        if (send_offsets(appender, &err))
            sl_kafka_appender_break(appender, &err);
        return true;
    }
    sl_kafka_no_trouble(appender->kafka);
    end_group(appender, NULL);
    return true;
}

static void appender_main(void *arg)
{
    struct sl_log_appender *appender = arg;

    sl_kafka_appender_warm(appender);
    while (!sl_stop_requested(&appender->stop)) {
        (void)rd_kafka_poll(appender->producer, 100);
        while (advance(appender))
            continue;
    }
}

/* ---- handing in ---- */

static bool fits(const struct sl_log_appender *appender, const struct sl_log_record *record,
                 struct sl_error *err)
{
    size_t size = record->key.len + record->value.len + record->headers.len + RECORD_OVERHEAD;

    if (size <= appender->record_max)
        return true;
    (void)sl_error_set(
        err, SL_E_DATA,
        "a record of topic '%.120s' has %zu bytes, and the Kafka client takes %zu. HINT: raise "
        "producer.max.request.size (or producer.override.max.request.size of the connector) "
        "and max.message.bytes of the topic",
        record->topic->name, size, appender->record_max);
    return false;
}

static bool all_fit(const struct sl_log_appender *appender, const struct sl_append *append,
                    struct sl_error *err)
{
    for (size_t i = 0; i < append->n_records; i++) {
        if (!fits(appender, &append->records[i], err))
            return false;
    }
    return true;
}

/* The thread looks up from waiting for deliveries. */
static void wake(struct sl_log_appender *appender)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_get_main(appender->producer);

    rd_kafka_queue_yield(queue);
    rd_kafka_queue_destroy(queue);
}

static void wait_for_room(struct sl_log_appender *appender)
{
    (void)pthread_mutex_lock(&appender->lock);
    (void)sl_cond_wait(&appender->changed, &appender->lock, sl_now_us() + 2000);
    (void)pthread_mutex_unlock(&appender->lock);
}

static void produce_all(struct sl_log_appender *appender, struct sl_kafka_flight *flight)
{
    struct sl_error err = {0};

    for (size_t i = 0; i < flight->append.n_records; i++) {
        const struct sl_log_record *record = &flight->append.records[i];
        rd_kafka_resp_err_t code;

        atomic_fetch_add_explicit(&flight->pending, 1, memory_order_relaxed);
        while ((code = sl_kafka_produce(appender->producer, &appender->handles, record, false, flight)) ==
               RD_KAFKA_RESP_ERR__QUEUE_FULL)
            wait_for_room(appender);
        if (!code)
            continue;
        atomic_fetch_sub(&flight->pending, 1);
        (void)sl_kafka_error(&err, code, NULL, "writing topic '%.120s'", record->topic->name);
        sl_kafka_appender_break(appender, &err);
        return;
    }
}

void sl_kafka_appender_append(struct sl_log_appender *appender, const struct sl_append *append,
                              sl_append_done *done, void *ctx)
{
    struct sl_kafka_flight *flight = sl_zalloc(1, sizeof(*flight));
    struct sl_error err = {0};

    flight->append = *append;
    flight->done = done;
    flight->ctx = ctx;
    flight->appender = appender;
    atomic_store(&flight->pending, !appender->exclusive);
    if (!all_fit(appender, append, &err)) {
        flight->refusal = sl_alloc(sizeof(err));
        *flight->refusal = err;
        appender->refusing = true;
    }
    (void)pthread_mutex_lock(&appender->lock);
    if (appender->last)
        appender->last->next = flight;
    else
        appender->first = flight;
    appender->last = flight;
    err = appender->failure;
    (void)pthread_cond_broadcast(&appender->changed);
    (void)pthread_mutex_unlock(&appender->lock);
    if (appender->exclusive)
        return;
    if (!err.rc && !appender->refusing)
        produce_all(appender, flight);
    if (atomic_fetch_sub(&flight->pending, 1) == 1)
        wake(appender); /* nothing is on its way: no delivery will */
}

void sl_kafka_appender_note(struct sl_log_appender *appender, char *note, size_t size)
{
    char trouble[200];

    sl_kafka_trouble(appender->kafka, trouble, sizeof(trouble));
    (void)snprintf(note, size, trouble[0] ? "Kafka does not answer: %s" : "%s", trouble);
}

/* ---- life ---- */

static enum sl_rc make_conf(struct sl_kafka *kafka, const struct sl_appender_config *config,
                            rd_kafka_conf_t **ret, struct sl_error *err)
{
    static const struct sl_kafka_setting defaults[] = {{"linger.ms", "1"},
                                                       {"message.max.bytes", "1048576"},
                                                       {"queue.buffering.max.kbytes", "32768"},
                                                       {NULL, NULL}};
    static const struct sl_kafka_setting plain[] = {{"enable.idempotence", "true"},
                                                    {"enable.gapless.guarantee", "true"},
                                                    {"acks", "all"},
                                                    {"message.timeout.ms", "0"},
                                                    {NULL, NULL}};
    static const struct sl_kafka_setting exclusive[] = {{"enable.idempotence", "true"}, {NULL, NULL}};
    char *client_id = sl_format("connector-%s-%s-%d", config->role ? config->role : "producer",
                                config->connector, config->task);
    const struct sl_kafka_client description = {
        .prefix = "producer.",
        .connector = config->props,
        .override_prefix = "producer.override.",
        .client_id = client_id,
        .defaults = defaults,
        .always = config->exclusive_id ? exclusive : plain,
    };
    enum sl_rc rc = sl_kafka_conf(kafka, &description, ret, err);

    sl_free(client_id);
    if (rc == SL_OK && !config->exclusive_id)
        rd_kafka_conf_set_dr_msg_cb(*ret, on_delivery);
    return rc;
}

static size_t record_max(const rd_kafka_conf_t *conf)
{
    char text[32] = "1000000";
    size_t size = sizeof(text);

    (void)rd_kafka_conf_get(conf, "message.max.bytes", text, &size);
    return (size_t)strtoull(text, NULL, 10);
}

static void free_appender(struct sl_log_appender *appender)
{
    sl_kafka_handles_done(&appender->handles);
    if (appender->producer)
        sl_kafka_bury(appender->kafka, appender->producer);
    sl_stop_done(&appender->stop);
    sl_stop_done(&appender->give_up);
    (void)pthread_cond_destroy(&appender->changed);
    (void)pthread_mutex_destroy(&appender->lock);
    sl_free(appender);
}

static bool is_source(const struct sl_appender_config *config)
{
    return config->props && config->role && strcmp(config->role, "producer") == 0;
}

enum sl_rc sl_kafka_appender_open(struct sl_transport *transport, const struct sl_appender_config *config,
                                  struct sl_log_appender **ret, struct sl_error *err)
{
    struct sl_log_appender *appender;
    rd_kafka_conf_t *conf;
    enum sl_rc rc = make_conf(sl_kafka_of(transport), config, &conf, err);

    if (rc)
        return rc;
    appender = sl_zalloc(1, sizeof(*appender));
    appender->kafka = sl_kafka_of(transport);
    appender->exclusive = config->exclusive_id != NULL;
    appender->record_max = record_max(conf);
    appender->positions.appender = appender;
    sl_stop_init(&appender->stop);
    sl_stop_init(&appender->give_up);
    (void)pthread_mutex_init(&appender->lock, NULL);
    sl_cond_init(&appender->changed);
    rc = appender->exclusive
             ? sl_kafka_transactional(appender->kafka, conf, config->exclusive_id, &appender->producer, err)
             : sl_kafka_client_open(RD_KAFKA_PRODUCER, conf, &appender->producer, err);
    if (rc == SL_OK && is_source(config) && !appender->kafka->local)
        rc = sl_kafka_own_offsets(appender->kafka, config->connector, config->props, err);
    if (rc) {
        free_appender(appender);
        return sl_error_wrap(err, "connector '%s'", config->connector);
    }
    sl_thread_start(&appender->thread, "kafka-append",
                    appender->exclusive ? sl_kafka_appender_exclusive_main : appender_main, appender);
    *ret = appender;
    return SL_OK;
}

static bool wait_until_empty(struct sl_log_appender *appender, int64_t deadline_us)
{
    bool empty;

    (void)pthread_mutex_lock(&appender->lock);
    while (appender->first && sl_now_us() < deadline_us)
        (void)sl_cond_wait(&appender->changed, &appender->lock, sl_now_us() + 20 * 1000);
    empty = !appender->first;
    (void)pthread_mutex_unlock(&appender->lock);
    return empty;
}

void sl_kafka_appender_abandon(struct sl_log_appender *appender)
{
    struct sl_error stopped = {0};

    (void)sl_kafka_stopped(&stopped);
    sl_kafka_appender_break(appender, &stopped);
    sl_stop_request(&appender->give_up);
}

void sl_kafka_appender_close(struct sl_log_appender *appender, int64_t deadline_us)
{
    (void)wait_until_empty(appender, deadline_us);
    while (sl_now_us() < deadline_us && atomic_load(&appender->positions.pending))
        (void)sl_stop_wait(&appender->kafka->stop, sl_now_us() + 1000);
    sl_stop_request(&appender->stop);
    sl_kafka_appender_abandon(appender);
    wake(appender);
    sl_thread_join(&appender->thread);
    if (!appender->exclusive) { /* what is left fails, in order */
        do {
            while (advance(appender))
                continue;
            (void)rd_kafka_poll(appender->producer, 10);
        } while (appender->first || appender->group);
    }
    free_appender(appender);
}

/* ---- one append at a time ---- */

struct waiting {
    pthread_mutex_t lock;
    pthread_cond_t over;
    bool done;
    struct sl_error failure;
};

static void is_over(void *ctx, const struct sl_error *failure)
{
    struct waiting *waiting = ctx;

    (void)pthread_mutex_lock(&waiting->lock);
    if (failure)
        waiting->failure = *failure;
    waiting->done = true;
    (void)pthread_cond_broadcast(&waiting->over);
    (void)pthread_mutex_unlock(&waiting->lock);
}

enum sl_rc sl_kafka_append(struct sl_transport *transport, const struct sl_append *append,
                           struct sl_error *err)
{
    const struct sl_appender_config config = {.connector = "sluice", .role = "producer"};
    struct waiting waiting = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct sl_log_appender *appender;
    enum sl_rc rc = sl_kafka_appender_open(transport, &config, &appender, err);

    if (rc)
        return rc;
    sl_cond_init(&waiting.over);
    sl_kafka_appender_append(appender, append, is_over, &waiting);
    (void)pthread_mutex_lock(&waiting.lock);
    while (!waiting.done)
        (void)sl_cond_wait(&waiting.over, &waiting.lock, INT64_MAX);
    (void)pthread_mutex_unlock(&waiting.lock);
    sl_kafka_appender_close(appender, sl_now_us() + 1000 * 1000);
    (void)pthread_cond_destroy(&waiting.over);
    if (waiting.failure.rc)
        *err = waiting.failure;
    return waiting.failure.rc;
}

enum sl_rc sl_kafka_fence(struct sl_transport *transport, const char *exclusive_id, struct sl_error *err)
{
    const struct sl_appender_config config = {
        .connector = exclusive_id, .role = "fence", .exclusive_id = exclusive_id};
    struct sl_log_appender *appender;
    enum sl_rc rc = sl_kafka_appender_open(transport, &config, &appender, err);

    if (rc == SL_OK)
        sl_kafka_appender_close(appender, sl_now_us());
    return rc;
}
