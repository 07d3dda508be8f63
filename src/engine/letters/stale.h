/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events that come late: older than errors.stale.threshold.ms when a sink reads them. They are applied like
 * any other; they are counted, and a line in the log says so once a minute. An event's time is its envelope's
 * source.ts_ms, when the change was committed, or else the record's own. Snapshot rows carry the time of the
 * snapshot, and are not stale by themselves.
 *
 * Threads: the fetch thread; n from any.
 */
#ifndef SLUICE_ENGINE_LETTERS_STALE_H
#define SLUICE_ENGINE_LETTERS_STALE_H

#include "sluice/transform.h"

#include <stdatomic.h>

struct sl_stale {
    int64_t after_ms; /* 0: nobody asks */
    _Atomic uint64_t n;
    int64_t next_line_us;
    const struct sl_schema *schema; /* of the last value */
    int source, ts_ms;              /* its fields source and, in that, ts_ms; -1: none */
};

/* A record as it was decoded, before any transform. */
void sl_stale_look(struct sl_stale *stale, const struct sl_message *message, int64_t now_ms);

#endif
