/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads of a task on their way to the cluster: how many at a time, who gets which answer, and how much of
 * what came is still held in memory.
 *
 * Threads: the task's reader thread, but for sl_scylla_reader_wake.
 */
#ifndef SLUICE_SOURCE_SCYLLA_READER_H
#define SLUICE_SOURCE_SCYLLA_READER_H

#include "base/backoff.h"
#include "source/scylla/log_table.h"

struct sl_scylla_scan;

/* Somebody who waits for one answer. Stands first in what it is a part of. */
struct sl_scylla_ask {
    /* Takes the answer over (sl_cql_answer_free). May ask again at once. */
    void (*answered)(struct sl_scylla_ask *ask, struct sl_cql_answer *answer);
};

struct sl_scylla_reader {
    const struct sl_scylla_config *config;
    struct sl_cql *cql;
    size_t held_bytes;                   /* of answers that nobody has gone through yet */
    size_t bytes_max;                    /* beyond it no scan begins */
    uint32_t in_flight;                  /* asked and not answered */
    struct sl_scylla_scan *first, *last; /* scans that have something to ask, first come, first served */

    /* The newest failure that passes by itself: told by poll when there is nothing else to tell. */
    struct sl_error failure; /* rc SL_OK: none */
    struct sl_error fatal;   /* one that does not */
    struct sl_scylla_ask *
        *orphans; /* asks whose owner is gone: heap memory of their own, freed when answered */
    size_t n_orphans, orphans_capacity;
    struct sl_backoff backoff;
    int64_t not_before_us; /* after a failure: ask nothing until then */
};

void sl_scylla_reader_init(struct sl_scylla_reader *reader, const struct sl_scylla_config *config,
                           struct sl_cql *cql);

/* After the session's end: nothing will be answered any more. */
void sl_scylla_reader_done(struct sl_scylla_reader *reader);

/* The ask has no owner any more: whoever is answered adopts it again and frees it; else reader_done does. */
void sl_scylla_reader_orphan(struct sl_scylla_reader *reader, struct sl_scylla_ask *ask);
void sl_scylla_reader_adopt(struct sl_scylla_reader *reader, struct sl_scylla_ask *ask);

/* May one more request be sent now? */
bool sl_scylla_reader_has_room(const struct sl_scylla_reader *reader);

/* Send a request; its ctx is set here. Only while there is room. */
void sl_scylla_reader_ask(struct sl_scylla_reader *reader, struct sl_cql_request *request,
                          struct sl_scylla_ask *ask);

/*
 * Send what waits to be sent, then take answers: those that are here, or the first one until the deadline.
 * True when one came.
 */
bool sl_scylla_reader_pump(struct sl_scylla_reader *reader, int64_t deadline_us);

/* Note a request's failure: it is asked again when it passes by itself. */
void sl_scylla_reader_failed(struct sl_scylla_reader *reader, const struct sl_scylla_table *table,
                             const struct sl_error *err);

#endif
