/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which changes were already written: the (stream, cdc$time) groups whose events stand in the log. A window
 * that is read again gives only those that are not in here (docs/decisions/scylla-order.md).
 *
 * Held in memory in buckets of time, so that what no pass will read again is dropped by the bucket; and
 * written beside the events as notes, so that a restart knows what the last run wrote. A group is known by
 * its time and 64 bits that mix the random half of its timeuuid with its stream.
 *
 * A note: key 'e', version 1, u64 number; value: the greatest ticks in it, then for each group ticks and id,
 * all u64 big-endian. Threads: one owner.
 */
#ifndef SLUICE_SOURCE_SCYLLA_SEEN_H
#define SLUICE_SOURCE_SCYLLA_SEEN_H

#include "base/buf.h"
#include "sluice/record.h"

struct sl_seen_group {
    uint64_t ticks; /* the 60 bits of time: 100 ns since 1582-10-15 */
    uint64_t id;
};

/* stream: 16 bytes; time: a version 1 UUID, 16 bytes. The mixing is part of the durable format. */
struct sl_seen_group sl_seen_group_of(const uint8_t *stream, const uint8_t *time);

struct sl_seen_bucket;
struct sl_seen_note {
    uint64_t number;
    uint64_t last_ticks;
};

struct sl_seen {
    struct sl_seen_bucket *buckets; /* in the order of time */
    size_t n_buckets, buckets_capacity;
    size_t n_groups;
    struct sl_buf fresh; /* groups that no note has yet, as they stand in one */
    uint64_t fresh_last_ticks;
    struct sl_seen_note *notes; /* that the log keeps, in the order of their numbers */
    size_t n_notes, notes_capacity;
    uint64_t next_number;
    uint16_t task, n_tasks; /* set by the owner */
};

void sl_seen_done(struct sl_seen *seen);

bool sl_seen_has(const struct sl_seen *seen, struct sl_seen_group group);

/* Remember; it goes into the next note. */
void sl_seen_add(struct sl_seen *seen, struct sl_seen_group group);

/* Forget what is not younger than that: in memory by whole buckets, and the notes that hold nothing else. */
void sl_seen_drop(struct sl_seen *seen, uint64_t up_to_ticks, struct sl_batch *batch);

/* Put what is fresh into a note of the batch, which carries the events. */
void sl_seen_store(struct sl_seen *seen, struct sl_batch *batch);

/* After a start: take a note back. False: it is not one of these, or malformed. */
bool sl_seen_load(struct sl_seen *seen, const struct sl_note *note);

/* All its notes' keys lie in from <= key < to. */
extern const struct sl_span sl_seen_from, sl_seen_to;

#endif
