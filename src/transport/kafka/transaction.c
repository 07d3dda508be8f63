/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exactly once: what waits goes out in one transaction, records, notes and offsets together. A transaction
 * that fails for a reason that passes is aborted, so that nobody sees any of it, and made again.
 */
#include "transport/kafka/appender.h"

#include "base/alloc.h"
#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"

enum { GROUP_MAX = 32, WAIT_MIN_US = 20 * 1000, WAIT_MAX_US = 1000 * 1000 };

/* ctx is the appender. */
static enum sl_rc send_position(void *ctx, const struct sl_kafka_message *message, struct sl_error *err)
{
    struct sl_log_appender *appender = ctx;
    rd_kafka_resp_err_t code;

    while ((code = sl_kafka_produce_message(appender->kafka, appender->producer, message, NULL)) ==
           RD_KAFKA_RESP_ERR__QUEUE_FULL)
        (void)rd_kafka_poll(appender->producer, 10);
    return code ? sl_kafka_error(err, code, NULL, "writing a source offset") : SL_OK;
}

static enum sl_rc send_records(struct sl_log_appender *appender, const struct sl_append *append,
                               struct sl_error *err)
{
    for (size_t i = 0; i < append->n_records; i++) {
        rd_kafka_resp_err_t code;

        while ((code = sl_kafka_produce(appender->producer, &appender->handles, &append->records[i], false,
                                        NULL)) == RD_KAFKA_RESP_ERR__QUEUE_FULL)
            (void)rd_kafka_poll(appender->producer, 10);
        if (code)
            return sl_kafka_error(err, code, NULL, "writing topic '%.120s'", append->records[i].topic->name);
    }
    return SL_OK;
}

static enum sl_rc send_flight(struct sl_log_appender *appender, const struct sl_append *append,
                              struct sl_error *err)
{
    enum sl_rc rc = send_records(appender, append, err);

    if (appender->kafka->local)
        return rc;
    for (size_t i = 0; rc == SL_OK && i < append->n_notes; i++)
        rc = sl_kafka_note_message(&append->notes[i], send_position, appender, err);
    for (size_t i = 0; rc == SL_OK && i < append->n_offsets; i++)
        rc = sl_kafka_offset_messages(appender->kafka, &append->offsets[i], send_position, appender, err);
    return rc;
}

/* One try. *ret_again: it was aborted, and may go well the next time. */
static enum sl_rc try_group(struct sl_log_appender *appender, bool *ret_again, struct sl_error *err)
{
    rd_kafka_error_t *error = rd_kafka_begin_transaction(appender->producer);
    bool must_abort = false;
    enum sl_rc rc = SL_OK;

    *ret_again = false;
    if (error)
        return sl_kafka_error_of(err, error, "beginning a transaction");
    for (struct sl_kafka_flight *flight = appender->group; rc == SL_OK && flight; flight = flight->next)
        rc = send_flight(appender, &flight->append, err);
    must_abort = rc != SL_OK;
    if (rc == SL_OK)
        rc = sl_kafka_commit_transaction(appender->kafka, &appender->give_up, appender->producer, &must_abort,
                                         err);
    if (must_abort) {
        char why[256];

        sl_kafka_abort_transaction(appender->kafka, &appender->give_up, appender->producer);
        *ret_again =
            err->kind == SL_KIND_TRANSIENT && !rd_kafka_fatal_error(appender->producer, why, sizeof(why));
    }
    return rc;
}

static void finish_group(struct sl_log_appender *appender, const struct sl_error *failure)
{
    while (appender->group) {
        struct sl_kafka_flight *flight = appender->group;

        appender->group = flight->next;
        sl_kafka_appender_finish(flight, failure);
    }
}

static void write_group(struct sl_log_appender *appender)
{
    struct sl_backoff backoff = {.base_us = WAIT_MIN_US, .max_us = WAIT_MAX_US};
    struct sl_error err = {0};
    bool again = true;

    while (again && !sl_kafka_appender_broken(appender, &err)) {
        sl_error_clear(&err);
        if (try_group(appender, &again, &err) == SL_OK) {
            sl_kafka_no_trouble(appender->kafka);
            finish_group(appender, NULL);
            return;
        }
        if (again) {
            sl_log_error(SL_LEVEL_WARN, "a transaction was aborted and is made again", &err);
            again = !sl_stop_wait(&appender->give_up, sl_now_us() + sl_backoff_next_us(&backoff));
        }
    }
    sl_kafka_appender_break(appender, &err);
    (void)sl_kafka_appender_broken(appender, &err);
    finish_group(appender, &err);
}

/* Wait for appends, take a bounded number of them; false at the end, when none is left. */
static bool gather(struct sl_log_appender *appender)
{
    struct sl_kafka_flight *last;
    bool some;

    (void)pthread_mutex_lock(&appender->lock);
    while (!appender->first && !sl_stop_requested(&appender->stop))
        (void)sl_cond_wait(&appender->changed, &appender->lock, INT64_MAX);
    last = sl_kafka_appender_front(appender);
    for (int i = 1; last && last->next && i < GROUP_MAX && (appender->failure.rc || !last->next->refusal);
         i++)
        last = last->next;
    some = last != NULL;
    if (last)
        sl_kafka_appender_take(appender, last);
    (void)pthread_mutex_unlock(&appender->lock);
    return some;
}

void sl_kafka_appender_exclusive_main(void *arg)
{
    struct sl_log_appender *appender = arg;

    sl_kafka_appender_warm(appender);
    while (gather(appender))
        write_group(appender);
}
