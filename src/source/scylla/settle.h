/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which changes are new, and which rows must be read again because no order of events settles what they are
 * (docs/decisions/scylla-order.md has the rules and their reasons).
 *
 *     if (sl_scylla_settle_is_new(&settle, &group->place)) {
 *         ... emit the group ...
 *     }
 *     sl_scylla_settle_group(&settle, group, &pass, batch);   // whether or not it was new
 *     ...
 *     sl_scylla_settle_store(&settle, batch);                 // once a batch, before it is handed over
 *
 * What it decides becomes notes of the same batch as the events. Threads: one owner.
 */
#ifndef SLUICE_SOURCE_SCYLLA_SETTLE_H
#define SLUICE_SOURCE_SCYLLA_SETTLE_H

#include "source/scylla/change.h"
#include "source/scylla/recent.h"
#include "source/scylla/revisit_note.h"
#include "source/scylla/seen.h"

/* How the group at hand was met. */
struct sl_scylla_pass {
    int64_t now_us; /* the wall clock */
    bool is_new;    /* its events were emitted just now; false: an earlier pass did that */
    bool late;      /* it lies in a window that was closed before */
};

struct sl_scylla_settle {
    bool remembers;   /* passes overlap (early reads, sweep), so changes must be known again */
    bool reads_again; /* rows are read again at all */
    int64_t confidence_us;
    int64_t visible_us;    /* a base row is visible this long after its log row, at the latest */
    int64_t grid_us;       /* due times are rounded up to this */
    uint64_t before_ticks; /* the last run wrote until then: a change that is older may be a straggler, or
                            * have an image that lacks what that run wrote of its row */
    struct sl_seen seen;
    struct sl_recent recent;
    struct sl_buf key, note; /* scratch */
    uint64_t asked;          /* revisits, since the start */
};

void sl_scylla_settle_init(struct sl_scylla_settle *settle, const struct sl_scylla_config *config, int task);
void sl_scylla_settle_done(struct sl_scylla_settle *settle);

/* After a start: a note of the last run (keys from sl_seen_from to sl_seen_to). Errors: INTERNAL (malformed).
 */
enum sl_rc sl_scylla_settle_load(struct sl_scylla_settle *settle, const struct sl_note *note,
                                 struct sl_error *err);

/* After a start: the last run wrote its last records at that time, or a little earlier. */
void sl_scylla_settle_ran_until(struct sl_scylla_settle *settle, int64_t us);

bool sl_scylla_settle_is_new(const struct sl_scylla_settle *settle, const struct sl_scylla_place *place);

/* Take note of a group's changes, and ask for what must be read again. */
void sl_scylla_settle_group(struct sl_scylla_settle *settle, struct sl_scylla_group *group,
                            const struct sl_scylla_pass *pass, struct sl_batch *batch);

/* No pass will read what is not younger than that again. */
void sl_scylla_settle_forget(struct sl_scylla_settle *settle, int64_t up_to_us, struct sl_batch *batch);

/* All lanes are settled up to there. */
void sl_scylla_settle_reached(struct sl_scylla_settle *settle, int64_t settled_us);

void sl_scylla_settle_store(struct sl_scylla_settle *settle, struct sl_batch *batch);

/*
 * A row of a partition that was read at read_us is about to be written. False: something was written to it so
 * late that the read may be older; it is asked for alone then. key: of the whole row.
 */
bool sl_scylla_settle_row_is_fresh(struct sl_scylla_settle *settle, const struct sl_scylla_table *table,
                                   struct sl_span key, int64_t read_us, struct sl_batch *batch);

/* Were many rows of the partition deleted so late that a read of it may be older? */
bool sl_scylla_settle_was_deleted(const struct sl_scylla_settle *settle, uint32_t table,
                                  struct sl_span partition, int64_t read_us);

/*
 * A row or partition was read at read_us: ask once more if a change of it was met so late that its base row
 * may not have been visible then; a deletion of many rows counts for each of them. table: its place in
 * scylla.table.names; partition: the partition key's part of the revisit's key.
 */
void sl_scylla_settle_was_read(struct sl_scylla_settle *settle, uint32_t table,
                               const struct sl_revisit *revisit, struct sl_span partition, int64_t read_us,
                               struct sl_batch *batch);

#endif
