/* SPDX-License-Identifier: Apache-2.0 */
/* Keyed texts: what is put is durable on all replicas, and read back, before put returns. */
#include "transport/kafka/inside.h"
#include "transport/kafka/produce.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "codec/murmur2.h"

#include <string.h>

int sl_kafka_table_of(const char *space)
{
    if (strcmp(space, "configs") == 0)
        return SL_KAFKA_CONFIGS;
    if (strcmp(space, "statuses") == 0)
        return SL_KAFKA_STATUSES;
    if (strcmp(space, "schemas") == 0)
        return SL_KAFKA_SCHEMAS;
    return SL_KAFKA_STATE;
}

int32_t sl_kafka_table_partition(const struct sl_kafka *kafka, enum sl_kafka_table table, struct sl_span key)
{
    return sl_murmur2_partition(key.ptr, key.len, kafka->table_partitions[table]);
}

static void make_key(const char *space, const char *key, struct sl_buf *ret)
{
    sl_buf_reset(ret);
    if (sl_kafka_table_of(space) == SL_KAFKA_STATE) {
        sl_buf_text(ret, space);
        sl_buf_u8(ret, '/');
    }
    sl_buf_text(ret, key);
}

/* ---- texts on their way ---- */

/* It outlives the put that waits for it when that gives up. */
struct job {
    void (*delivered)(const rd_kafka_message_t *message); /* first: open.c looks for it there */
    pthread_mutex_t lock;                                 /* guards the rest */
    pthread_cond_t changed;
    size_t pending;
    bool left; /* nobody waits any more: the last message frees it */
    rd_kafka_resp_err_t code;
    int64_t next[]; /* of each partition of the topic: the offset behind the last text there; 0: none; -1:
                       somewhere, a broker that got it twice does not remember where */
};

static void free_job(struct job *job)
{
    (void)pthread_cond_destroy(&job->changed);
    (void)pthread_mutex_destroy(&job->lock);
    sl_free(job);
}

static void delivered(const rd_kafka_message_t *message)
{
    struct job *job = message->_private;
    bool last;

    (void)pthread_mutex_lock(&job->lock);
    if (message->err && !job->code)
        job->code = message->err;
    if (!message->err)
        job->next[message->partition] = message->offset < 0 ? -1 : message->offset + 1;
    job->pending--;
    last = job->left && !job->pending;
    (void)pthread_cond_broadcast(&job->changed);
    (void)pthread_mutex_unlock(&job->lock);
    if (last)
        free_job(job);
}

static struct job *new_job(const struct sl_kafka *kafka, const char *space, size_t pending)
{
    size_t partitions = (size_t)kafka->table_partitions[sl_kafka_table_of(space)];
    struct job *job = sl_zalloc(1, sizeof(*job) + partitions * sizeof(job->next[0]));

    job->delivered = delivered;
    job->pending = pending;
    (void)pthread_mutex_init(&job->lock, NULL);
    sl_cond_init(&job->changed);
    return job;
}

/* Nobody waits for it any more; never_sent texts of it were not taken by the client. */
static void leave_job(struct job *job, size_t never_sent)
{
    bool over;

    (void)pthread_mutex_lock(&job->lock);
    job->pending -= never_sent;
    job->left = true;
    over = !job->pending;
    (void)pthread_mutex_unlock(&job->lock);
    if (over)
        free_job(job);
}

static rd_kafka_resp_err_t produce(struct sl_kafka *kafka, rd_kafka_t *producer, const char *space,
                                   const struct sl_text *text, struct job *job)
{
    int table = sl_kafka_table_of(space);
    struct sl_buf key = {0};
    rd_kafka_resp_err_t code;

    make_key(space, text->key, &key);
    code = sl_kafka_produce_text(kafka, producer, (enum sl_kafka_table)table,
                                 (struct sl_span){key.data, key.len}, text->value, job);
    sl_buf_done(&key);
    return code;
}

/* Until the follower has read the texts of a job that is done. */
static enum sl_rc follow_job(struct sl_kafka *kafka, const char *space, const struct job *job,
                             struct sl_error *err)
{
    int table = sl_kafka_table_of(space);
    enum sl_rc rc = SL_OK;

    for (int32_t i = 0; rc == SL_OK && i < kafka->table_partitions[table]; i++) {
        if (job->next[i] > 0)
            rc = sl_kafka_follow_to(kafka, table, i, job->next[i] - 1, err);
        else if (job->next[i] < 0)
            rc = sl_kafka_follow_to_end(kafka, table, err);
    }
    return rc;
}

/* ---- plain puts ---- */

/* One after the other, each acknowledged before the next: what is there after a crash is a beginning. */
static enum sl_rc put_one(struct sl_kafka *kafka, const char *space, const struct sl_text *text,
                          struct sl_error *err)
{
    int64_t deadline_us = sl_now_us() + SL_KAFKA_ANSWER_US + 5 * 1000 * 1000;
    struct job *job = new_job(kafka, space, 1);
    rd_kafka_resp_err_t code = produce(kafka, kafka->client, space, text, job);
    enum sl_rc rc;
    bool done;

    if (code) {
        leave_job(job, 1);
        return sl_kafka_error(err, code, NULL, "writing '%.100s' of '%s'", text->key, space);
    }
    (void)pthread_mutex_lock(&job->lock);
    while (job->pending && sl_now_us() < deadline_us && !sl_kafka_given_up(kafka))
        (void)sl_cond_wait(&job->changed, &job->lock, sl_now_us() + SL_KAFKA_TURN_MS * 1000);
    done = !job->pending;
    code = job->code;
    (void)pthread_mutex_unlock(&job->lock);
    if (!done && sl_kafka_given_up(kafka))
        rc = sl_kafka_stopped(err);
    else if (!done || code == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT)
        rc = sl_kafka_no_answer(kafka, "writing a text", err);
    else if (code)
        rc = sl_kafka_error(err, code, NULL, "writing '%.100s' of '%s'", text->key, space);
    else
        rc = follow_job(kafka, space, job, err);
    if (done && !code)
        sl_kafka_no_trouble(kafka);
    leave_job(job, 0);
    return rc;
}

/* ---- claimed spaces ---- */

static struct sl_kafka_claim *find_claim(struct sl_kafka *kafka, const char *space)
{
    for (size_t i = 0; i < kafka->n_claims; i++) {
        if (strcmp(kafka->claims[i].space, space) == 0)
            return &kafka->claims[i];
    }
    return NULL;
}

enum sl_rc sl_kafka_transactional(struct sl_kafka *kafka, rd_kafka_conf_t *conf, const char *id,
                                  rd_kafka_t **ret, struct sl_error *err)
{
    int64_t deadline_us = sl_now_us() + SL_KAFKA_ANSWER_US;
    rd_kafka_t *producer;
    rd_kafka_error_t *error;
    enum sl_rc rc = sl_kafka_conf_set(conf, "transactional.id", id, err);

    if (rc) {
        rd_kafka_conf_destroy(conf);
        return rc;
    }
    rc = sl_kafka_client_open(RD_KAFKA_PRODUCER, conf, &producer, err);
    if (rc)
        return rc;
    while ((error = rd_kafka_init_transactions(producer, SL_KAFKA_TURN_MS * 5)) &&
           rd_kafka_error_is_retriable(error) && sl_now_us() < deadline_us && !sl_kafka_given_up(kafka))
        rd_kafka_error_destroy(error);
    if (error) {
        rc = sl_kafka_error_of(err, error, "taking over a transactional id");
        sl_kafka_bury(kafka, producer);
        return rc;
    }
    *ret = producer;
    return SL_OK;
}

/* The calls of a transaction that may have to be repeated. */
enum sl_rc sl_kafka_commit_transaction(struct sl_kafka *kafka, const struct sl_stop *stop,
                                       rd_kafka_t *producer, bool *ret_abort, struct sl_error *err)
{
    rd_kafka_error_t *error;

    *ret_abort = false;
    while ((error = rd_kafka_commit_transaction(producer, SL_KAFKA_TURN_MS * 5)) &&
           rd_kafka_error_is_retriable(error)) {
        rd_kafka_error_destroy(error);
        if (sl_kafka_given_up(kafka) || sl_stop_requested(stop))
            return sl_kafka_stopped(err);
    }
    if (!error)
        return SL_OK;
    *ret_abort = rd_kafka_error_txn_requires_abort(error);
    return sl_kafka_error_of(err, error, "committing a transaction");
}

void sl_kafka_abort_transaction(struct sl_kafka *kafka, const struct sl_stop *stop, rd_kafka_t *producer)
{
    rd_kafka_error_t *error;

    while ((error = rd_kafka_abort_transaction(producer, SL_KAFKA_TURN_MS * 5))) {
        bool again =
            rd_kafka_error_is_retriable(error) && !sl_kafka_given_up(kafka) && !sl_stop_requested(stop);

        rd_kafka_error_destroy(error);
        if (!again)
            return;
    }
}

/* A commit has flushed: every text is acknowledged, and nobody but we asks this producer for its reports. */
static void await_delivery(rd_kafka_t *producer, struct job *job)
{
    bool over = false;

    while (!over) {
        (void)rd_kafka_poll(producer, 0);
        (void)pthread_mutex_lock(&job->lock);
        over = !job->pending;
        (void)pthread_mutex_unlock(&job->lock);
        if (!over)
            (void)rd_kafka_poll(producer, SL_KAFKA_TURN_MS);
    }
}

/*
 * The end of a transaction is answered before its markers are in the partitions: for some milliseconds, or
 * more under load, the topic ends before our own texts for those who read committed ones. So it is the texts'
 * own offsets that are waited for, not the topic's end: whoever decides next must see what was decided now.
 */
static enum sl_rc put_claimed(struct sl_kafka *kafka, const struct sl_kafka_claim *claim,
                              const struct sl_text *texts, size_t n, struct sl_error *err)
{
    rd_kafka_error_t *error = rd_kafka_begin_transaction(claim->producer);
    bool must_abort = false;
    enum sl_rc rc = SL_OK;
    struct job *job;
    size_t sent = 0;

    if (error)
        return sl_kafka_error_of(err, error, "beginning a transaction");
    job = new_job(kafka, claim->space, n);
    while (rc == SL_OK && sent < n) {
        rd_kafka_resp_err_t code = produce(kafka, claim->producer, claim->space, &texts[sent], job);

        if (code)
            rc = sl_kafka_error(err, code, NULL, "writing '%.100s' of '%s'", texts[sent].key, claim->space);
        else
            sent++;
    }
    must_abort = rc != SL_OK;
    if (rc == SL_OK)
        rc = sl_kafka_commit_transaction(kafka, &kafka->stop, claim->producer, &must_abort, err);
    if (must_abort)
        sl_kafka_abort_transaction(kafka, &kafka->stop, claim->producer);
    if (rc == SL_OK) {
        await_delivery(claim->producer, job);
        rc = follow_job(kafka, claim->space, job, err);
    }
    leave_job(job, n - sent);
    return rc;
}

static void let_go(struct sl_kafka *kafka, struct sl_kafka_claim *claim)
{
    sl_kafka_bury(kafka, claim->producer);
    sl_free(claim->space);
    *claim = kafka->claims[--kafka->n_claims];
}

void sl_kafka_claims_close(struct sl_kafka *kafka)
{
    while (kafka->n_claims)
        let_go(kafka, &kafka->claims[0]);
    sl_free(kafka->claims);
    kafka->claims = NULL;
}

static enum sl_rc claim(struct sl_kafka *kafka, const char *space, const char *id, struct sl_error *err)
{
    static const struct sl_kafka_setting always[] = {
        {"enable.idempotence", "true"}, {"linger.ms", "0"}, {NULL, NULL}};
    const struct sl_kafka_client description = {.client_id = "sluice-leader", .always = always};
    struct sl_kafka_claim *there = find_claim(kafka, space);
    rd_kafka_t *producer = NULL;
    rd_kafka_conf_t *conf;
    enum sl_rc rc;

    if (there)
        let_go(kafka, there);
    if (!id)
        return SL_OK;
    rc = sl_kafka_conf(kafka, &description, &conf, err);
    if (rc)
        return rc;
    rd_kafka_conf_set_dr_msg_cb(conf, sl_kafka_on_delivery);
    rc = sl_kafka_transactional(kafka, conf, id, &producer, err);
    if (rc)
        return rc;
    if (sl_kafka_table_of(space) == SL_KAFKA_CONFIGS) /* the one that Connect's workers read */
        rc = sl_kafka_mend(kafka, SL_KAFKA_CONFIGS, producer, err);
    if (rc) {
        sl_kafka_bury(kafka, producer);
        return rc;
    }
    kafka->has_led = kafka->has_led || sl_kafka_table_of(space) == SL_KAFKA_CONFIGS;
    SL_GROW(kafka->claims, kafka->n_claims, kafka->claims_capacity);
    kafka->claims[kafka->n_claims++] =
        (struct sl_kafka_claim){.space = sl_strdup(space), .producer = producer};
    return SL_OK;
}

enum sl_rc sl_kafka_claim(struct sl_transport *transport, const char *space, const char *id,
                          struct sl_error *err)
{
    struct sl_kafka *kafka = sl_kafka_of(transport);
    enum sl_rc rc;

    if (kafka->local)
        return kafka->local->ops->claim(kafka->local, space, id, err);
    (void)pthread_mutex_lock(&kafka->put_lock);
    rc = claim(kafka, space, id, err);
    (void)pthread_mutex_unlock(&kafka->put_lock);
    return rc;
}

/* ---- the operations ---- */

enum sl_rc sl_kafka_put_all(struct sl_transport *transport, const char *space, const struct sl_text *texts,
                            size_t n, struct sl_error *err)
{
    struct sl_kafka *kafka = sl_kafka_of(transport);
    const struct sl_kafka_claim *held;
    enum sl_rc rc = SL_OK;

    if (kafka->local)
        return kafka->local->ops->put_all(kafka->local, space, texts, n, err);
    if (kafka->read_only)
        return sl_error_set(err, SL_E_UNSUPPORTED, "the log was opened for reading only");
    (void)pthread_mutex_lock(&kafka->put_lock);
    held = find_claim(kafka, space);
    if (held)
        rc = put_claimed(kafka, held, texts, n, err);
    else if (sl_kafka_table_of(space) == SL_KAFKA_CONFIGS && kafka->has_led) /* past the fence otherwise */
        rc = sl_error_set(err, SL_E_FENCED, "the configurations are claimed by another worker, or by none");
    for (size_t i = 0; !held && rc == SL_OK && i < n; i++)
        rc = put_one(kafka, space, &texts[i], err);
    (void)pthread_mutex_unlock(&kafka->put_lock);
    return rc;
}

enum sl_rc sl_kafka_put(struct sl_transport *transport, const char *space, const char *key,
                        struct sl_span value, struct sl_error *err)
{
    const struct sl_text text = {key, value};

    return sl_kafka_put_all(transport, space, &text, 1, err);
}

struct listing {
    sl_text_visitor *visit;
    void *ctx;
    size_t skip; /* of each key */
    struct sl_buf key;
};

static void list_one(void *ctx, const struct sl_kafka_entry *entry)
{
    struct listing *listing = ctx;

    sl_buf_reset(&listing->key);
    sl_buf_put(&listing->key, entry->key.ptr + listing->skip, entry->key.len - listing->skip);
    listing->visit(listing->ctx, sl_buf_cstr(&listing->key), entry->value);
}

enum sl_rc sl_kafka_list(struct sl_transport *transport, const char *space, sl_text_visitor *visit, void *ctx,
                         struct sl_error *err)
{
    struct sl_kafka *kafka = sl_kafka_of(transport);
    struct listing listing = {.visit = visit, .ctx = ctx};
    struct sl_kafka_query query = {.table = sl_kafka_table_of(space)};
    struct sl_buf prefix = {0};
    enum sl_rc rc;

    if (kafka->local)
        return kafka->local->ops->list(kafka->local, space, visit, ctx, err);
    rc = sl_kafka_follow_to_end(kafka, query.table, err);
    make_key(space, "", &prefix);
    query.prefix = (struct sl_span){prefix.data, prefix.len};
    listing.skip = prefix.len;
    if (rc == SL_OK)
        rc = sl_kafka_follower_visit(kafka, &query, list_one, &listing, err);
    sl_buf_done(&prefix);
    sl_buf_done(&listing.key);
    return rc;
}

enum sl_rc sl_kafka_watch(struct sl_transport *transport, const char *space, sl_text_visitor *visit,
                          void *ctx, struct sl_error *err)
{
    struct sl_kafka *kafka = sl_kafka_of(transport);

    if (kafka->local)
        return kafka->local->ops->watch(kafka->local, space, visit, ctx, err);
    sl_kafka_follower_watch(kafka, space, visit, ctx);
    return SL_OK;
}
