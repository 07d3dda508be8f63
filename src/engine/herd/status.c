/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/herd/status.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "engine/config/connector_options.h"

#include <stdio.h>

enum {
    RATE_OVER_US = 900 * 1000,
    LINE_EVERY_US = 10 * 1000 * 1000,
};

void sl_status_init(struct sl_status *status, const char *connector, const char *type, int task)
{
    *status = (struct sl_status){.connector = connector, .type = type, .task = task};
    (void)pthread_mutex_init(&status->lock, NULL);
    status->now.last_record_ms = INT64_MIN;
    status->now.lag_records = -1;
    status->now.lag_ms = -1;
    status->measured_us = sl_now_us();
}

void sl_status_done(struct sl_status *status)
{
    (void)pthread_mutex_destroy(&status->lock);
}

void sl_status_set(struct sl_status *status, enum sl_task_state state)
{
    (void)pthread_mutex_lock(&status->lock);
    status->now.state = state;
    (void)pthread_mutex_unlock(&status->lock);
}

void sl_status_set_failed(struct sl_status *status, const struct sl_error *err)
{
    (void)pthread_mutex_lock(&status->lock);
    status->now.state = SL_TASK_FAILED;
    status->now.failure = err->rc;
    status->now.note[0] = '\0';
    (void)snprintf(status->now.trace, sizeof(status->now.trace), "%s%s%s%s: %s", sl_rc_name(err->rc),
                   err->native[0] ? " (" : "", err->native, err->native[0] ? ")" : "", err->text);
    (void)pthread_mutex_unlock(&status->lock);
}

void sl_status_end(struct sl_status *status, const struct sl_error *err, bool asked)
{
    if (!err->rc || err->rc == SL_E_STOPPED) {
        sl_status_set(status, SL_TASK_UNASSIGNED);
    } else if (asked && err->rc == SL_E_FENCED) {
        sl_status_set(status, SL_TASK_UNASSIGNED);
        sl_log_error(SL_LEVEL_INFO, "another has taken the task's work over", err);
    } else {
        sl_status_set_failed(status, err);
        sl_log_error(SL_LEVEL_ERROR, "the task failed", err);
    }
}

void sl_status_note(struct sl_status *status, const char *note)
{
    (void)pthread_mutex_lock(&status->lock);
    (void)snprintf(status->now.note, sizeof(status->now.note), "%s", note);
    (void)pthread_mutex_unlock(&status->lock);
}

void sl_status_progress(struct sl_status *status, uint64_t records, int64_t last_record_ms,
                        const char *position, size_t position_len)
{
    size_t keep =
        position_len < sizeof(status->now.position) ? position_len : sizeof(status->now.position) - 1;

    (void)pthread_mutex_lock(&status->lock);
    status->now.records += records;
    if (last_record_ms != INT64_MIN)
        status->now.last_record_ms = last_record_ms;
    if (keep) {
        memcpy(status->now.position, position, keep);
        status->now.position[keep] = '\0';
    }
    (void)pthread_mutex_unlock(&status->lock);
}

void sl_status_lag(struct sl_status *status, int64_t lag_records, int64_t lag_ms)
{
    (void)pthread_mutex_lock(&status->lock);
    status->now.lag_records = lag_records;
    status->now.lag_ms = lag_ms;
    (void)pthread_mutex_unlock(&status->lock);
}

void sl_status_errors(struct sl_status *status, const struct sl_error_counts *counts)
{
    (void)pthread_mutex_lock(&status->lock);
    status->now.errors = *counts;
    (void)pthread_mutex_unlock(&status->lock);
}

void sl_status_read(struct sl_status *status, struct sl_status_view *ret)
{
    int64_t now_us = sl_now_us();
    int64_t passed_us;

    (void)pthread_mutex_lock(&status->lock);
    passed_us = now_us - status->measured_us;
    if (passed_us >= RATE_OVER_US) {
        uint64_t records = status->now.records - status->measured_records;

        status->now.records_per_second = (double)records * 1e6 / (double)passed_us;
        status->measured_records = status->now.records;
        status->measured_us = now_us;
    }
    *ret = status->now;
    (void)pthread_mutex_unlock(&status->lock);
}

const char *sl_task_state_name(enum sl_task_state state)
{
    static const char *const names[] = {"UNASSIGNED", "RUNNING", "PAUSED", "FAILED"};

    return names[state];
}

static void put_text(struct sl_buf *out, const char *name, const char *text)
{
    if (!*text)
        return;
    sl_buf_format(out, ",\"%s\":", name);
    sl_json_put_text(out, text, strlen(text));
}

static void put_errors(struct sl_buf *out, const struct sl_error_counts *errors)
{
    const struct {
        const char *name;
        uint64_t n;
    } counts[] = {{"record_failures", errors->failures}, {"records_skipped", errors->skipped},
                  {"errors_logged", errors->logged},     {"dead_letters", errors->letters},
                  {"records_parked", errors->parked},    {"keys_parked", errors->keys_parked},
                  {"stale_events", errors->stale}};

    for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
        if (counts[i].n)
            sl_buf_format(out, ",\"%s\":%llu", counts[i].name, (unsigned long long)counts[i].n);
    }
    if (errors->last_ms)
        sl_buf_format(out, ",\"last_error_ms\":%lld", (long long)errors->last_ms);
}

static void put_breakers(struct sl_buf *out, const struct sl_status *status)
{
    bool any = false;

    for (int i = 0; i < SL_STATUS_SEATS; i++) {
        if (!status->seats[i] || !sl_seat_waits(status->seats[i]))
            continue;
        sl_buf_text(out, any ? "," : ",\"breakers\":[");
        sl_seat_json(status->seats[i], out);
        any = true;
    }
    if (any)
        sl_buf_u8(out, ']');
}

void sl_status_json(const struct sl_status *status, const struct sl_status_view *view, struct sl_buf *out)
{
    sl_buf_text(out, "{\"connector\":");
    sl_json_put_text(out, status->connector, strlen(status->connector));
    sl_buf_format(
        out, ",\"type\":\"%s\",\"task\":%d,\"state\":\"%s\",\"records\":%llu,\"records_per_second\":%.1f",
        status->type, status->task, sl_task_state_name(view->state), (unsigned long long)view->records,
        view->records_per_second);
    if (view->lag_records >= 0)
        sl_buf_format(out, ",\"lag_records\":%lld", (long long)view->lag_records);
    if (view->lag_ms >= 0)
        sl_buf_format(out, ",\"lag_ms\":%lld", (long long)view->lag_ms);
    put_errors(out, &view->errors);
    put_breakers(out, status);
    put_text(out, "position", view->position);
    put_text(out, "note", view->note);
    put_text(out, "trace", view->trace);
    sl_buf_u8(out, '}');
}

void sl_retry_bound(struct sl_retry *retry, const struct sl_props *props)
{
    int64_t timeout_ms = sl_connector_int(props, "errors.retry.timeout");
    int64_t delay_ms = sl_connector_int(props, "errors.retry.delay.max.ms");

    retry->bounded = timeout_ms >= 0;
    retry->timeout_us = timeout_ms * 1000;
    if (delay_ms * 1000 < retry->backoff.max_us)
        retry->backoff.max_us = delay_ms * 1000;
    if (retry->backoff.max_us < retry->backoff.base_us)
        retry->backoff.base_us = retry->backoff.max_us;
}

bool sl_retry_is_over(struct sl_retry *retry, struct sl_error *err)
{
    if (!retry->backoff.attempt)
        retry->began_us = sl_now_us();
    if (!retry->bounded || sl_now_us() - retry->began_us < retry->timeout_us)
        return false;
    (void)sl_error_wrap(err, "given up after %u tries (errors.retry.timeout=%lld)",
                        retry->backoff.attempt + 1, (long long)(retry->timeout_us / 1000));
    err->kind = SL_KIND_FATAL;
    return true;
}

bool sl_retry_may_try(struct sl_retry *retry, struct sl_status *status, int64_t *ret_wait_us)
{
    char last[160];
    char note[256];

    if (sl_seat_may_ask(&retry->seat, ret_wait_us))
        return true;
    if (retry->bounded && retry->backoff.attempt && sl_now_us() - retry->began_us >= retry->timeout_us)
        return true; /* the last try of its time */
    if (!retry->backoff.attempt) {
        sl_seat_explain(&retry->seat, last, sizeof(last));
        (void)snprintf(note, sizeof(note), "waiting for a system that does not answer: %s", last);
        sl_status_note(status, note);
    }
    return false;
}

int64_t sl_retry_failed(struct sl_retry *retry, struct sl_status *status, const char *sentence,
                        const struct sl_error *err)
{
    int64_t wait_us = sl_backoff_next_us(&retry->backoff);
    int64_t system_us = sl_seat_failed(&retry->seat, err);
    int64_t left_us = retry->began_us + retry->timeout_us - sl_now_us();
    char note[SL_ERROR_TEXT_SIZE];

    if (system_us)
        wait_us = system_us;
    if (retry->bounded && wait_us > left_us) /* once more at the end of the time */
        wait_us = left_us > 0 ? left_us : 0;
    (void)snprintf(note, sizeof(note), "retrying (attempt %u): %.440s", retry->backoff.attempt, err->text);
    sl_status_note(status, note);
    if (sl_now_us() >= retry->next_line_us) {
        sl_log_error(SL_LEVEL_WARN, sentence, err);
        retry->next_line_us = sl_now_us() + LINE_EVERY_US;
    }
    return wait_us;
}

void sl_retry_succeeded(struct sl_retry *retry, struct sl_status *status)
{
    if (!retry->backoff.attempt && (!retry->seat.breaker || retry->seat.is == SL_SEAT_FINE))
        return;
    sl_seat_succeeded(&retry->seat);
    if (retry->backoff.attempt)
        sl_info("back to work", SL_I("attempts", retry->backoff.attempt));
    sl_backoff_reset(&retry->backoff);
    retry->next_line_us = 0;
    sl_status_note(status, "");
}
