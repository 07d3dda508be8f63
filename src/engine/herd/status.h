/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a task says of itself, in Kafka Connect's words for states. The task's threads write, the publisher
 * and the worker read; one lock, taken once per batch at most.
 */
#ifndef SLUICE_ENGINE_HERD_STATUS_H
#define SLUICE_ENGINE_HERD_STATUS_H

#include "base/backoff.h"
#include "base/buf.h"
#include "base/thread.h"
#include "engine/breaker.h"
#include "sluice/error.h"

struct sl_props;

enum sl_task_state {
    SL_TASK_UNASSIGNED, /* not started yet, or stopped */
    SL_TASK_RUNNING,    /* also while it tries again after a transient failure: then note says why */
    SL_TASK_PAUSED,
    SL_TASK_FAILED, /* trace says why; the herder starts another in its place, or not (docs/lifecycle.md) */
};

/* What became of bad records since the start of the task; Connect's task-error-metrics and what we add. */
struct sl_error_counts {
    uint64_t failures; /* records that failed */
    uint64_t skipped;  /* of them, those that nobody stopped for */
    uint64_t logged;
    uint64_t letters;     /* dead letters written, parked records included */
    uint64_t parked;      /* of them, those that only wait behind a bad one */
    uint64_t stale;       /* records that were older than errors.stale.threshold.ms */
    uint64_t keys_parked; /* keys behind which records wait now */
    int64_t last_ms;      /* when the last one failed; 0: none did */
};

/* A reading of a status; the counters are since the start of the task. */
struct sl_status_view {
    enum sl_task_state state;
    enum sl_rc failure; /* FAILED: the error's code */
    uint64_t records;
    int64_t last_record_ms;    /* timestamp of the last durable record, or INT64_MIN */
    int64_t lag_records;       /* sink: records in the log that are not applied; source: -1, nobody knows */
    int64_t lag_ms;            /* -1: unknown */
    double records_per_second; /* over the last seconds */
    struct sl_error_counts errors;
    char note[SL_ERROR_TEXT_SIZE];
    char trace[SL_ERROR_TEXT_SIZE + 128];
    char position[256];
};

enum { SL_STATUS_SEATS = 2 }; /* for the source or target, and the registry */

struct sl_status {
    const char *connector; /* these are set once */
    const char *type;      /* "source" or "sink" */
    int task;
    const struct sl_seat *seats[SL_STATUS_SEATS]; /* at breakers, as far as there are any */
    pthread_mutex_t lock;                         /* guards the rest */
    struct sl_status_view now;
    uint64_t measured_records; /* at the last measurement of the rate */
    int64_t measured_us;
};

void sl_status_init(struct sl_status *status, const char *connector, const char *type, int task);
void sl_status_done(struct sl_status *status);

void sl_status_set(struct sl_status *status, enum sl_task_state state);

/* FAILED, with the error's text as the trace. */
void sl_status_set_failed(struct sl_status *status, const struct sl_error *err);

/*
 * A task has ended: FAILED with a log line, or UNASSIGNED when there is no error (STOPPED is none). The one
 * place where a task's end is logged. asked: it was asked to stop; that another has its work by then is how
 * it is meant to be (a worker that stood still and lost its slots), and no failure.
 */
void sl_status_end(struct sl_status *status, const struct sl_error *err, bool asked);

void sl_status_note(struct sl_status *status, const char *note);

/* Records became durable: in the log for a source, in the target for a sink. */
void sl_status_progress(struct sl_status *status, uint64_t records, int64_t last_record_ms,
                        const char *position, size_t position_len);
void sl_status_lag(struct sl_status *status, int64_t lag_records, int64_t lag_ms);

void sl_status_errors(struct sl_status *status, const struct sl_error_counts *counts);

/* Measure the rate if the last measurement is old enough, and read. */
void sl_status_read(struct sl_status *status, struct sl_status_view *ret);

const char *sl_task_state_name(enum sl_task_state state);

/* The view as one JSON object. */
void sl_status_json(const struct sl_status *status, const struct sl_status_view *view, struct sl_buf *out);

/* A failure that is tried again: says so in the note, and in a line that is repeated every ten seconds. */
struct sl_retry {
    struct sl_seat seat;       /* at the breaker of the system that is asked; left empty: it has none */
    struct sl_backoff backoff; /* 100 ms doubling to 30 s, or as bounded */
    int64_t next_line_us;
    bool bounded; /* else for ever */
    int64_t timeout_us;
    int64_t began_us; /* the first failure of a row */
};

#define SL_RETRY_INIT {.backoff = {.base_us = 100 * 1000, .max_us = 30 * 1000 * 1000}}

/*
 * Bound the retrying of transforms and converters as the connector's errors.retry.timeout and
 * errors.retry.delay.max.ms say; without them it goes on for ever, as reconnecting always does.
 */
void sl_retry_bound(struct sl_retry *retry, const struct sl_props *props);

/* The time is over: makes the error a final one that says so. */
bool sl_retry_is_over(struct sl_retry *retry, struct sl_error *err);

/* False: others wait for the same system, and it is not this one's turn: look again in *ret_wait_us. */
bool sl_retry_may_try(struct sl_retry *retry, struct sl_status *status, int64_t *ret_wait_us);

/* Note the failure; returns how long to wait before the next try. */
int64_t sl_retry_failed(struct sl_retry *retry, struct sl_status *status, const char *sentence,
                        const struct sl_error *err);
void sl_retry_succeeded(struct sl_retry *retry, struct sl_status *status);

#endif
