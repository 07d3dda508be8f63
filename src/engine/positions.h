/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a sink task has durably applied, partition by partition. The target's own transaction holds the truth;
 * this copy is told to the log now and then (for retention and lag) and read by the publisher.
 *
 * Threads: any; one lock.
 */
#ifndef SLUICE_ENGINE_POSITIONS_H
#define SLUICE_ENGINE_POSITIONS_H

#include "base/thread.h"
#include "sluice/transport.h"

struct sl_log_ends;

struct sl_positions {
    pthread_mutex_t lock; /* guards the rest */
    struct sl_progress *items;
    size_t n;
    bool dirty; /* moved since the last commit */
};

/* The entry of the same partition, or NULL. */
const struct sl_progress *sl_progress_find(const struct sl_progress *items, size_t n,
                                           const struct sl_progress *wanted);

/* A partition from its first offset in the log to its end. */
struct sl_progress sl_progress_of_log(const struct sl_topic_info *info);

void sl_positions_init(struct sl_positions *positions);
void sl_positions_done(struct sl_positions *positions);

/* Begin anew with what the target holds (next_offset -1: nothing yet). */
void sl_positions_set(struct sl_positions *positions, const struct sl_progress *items, size_t n);

/* A batch became durable. */
void sl_positions_advance(struct sl_positions *positions, const struct sl_progress *items, size_t n);

/* A copy of all, the caller's (sl_free). */
struct sl_progress *sl_positions_copy(struct sl_positions *positions, size_t *ret_n);

bool sl_positions_dirty(struct sl_positions *positions);

/* Tell the log. A failure leaves them dirty: they are told again. */
enum sl_rc sl_positions_commit(struct sl_positions *positions, struct sl_transport *transport,
                               const char *reader, struct sl_error *err);

/* Records in the log that are not applied; -1: ends says nothing of these partitions. */
int64_t sl_positions_lag(struct sl_positions *positions, const struct sl_log_ends *ends);

#endif
