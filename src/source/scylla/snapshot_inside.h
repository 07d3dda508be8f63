/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A snapshot from within: snapshot.c reads ranges of tables page by page; snapshot_notes.c agrees with the
 * other tasks, by notes beside the positions, on which round is under way and which ranges of it were read.
 */
#ifndef SLUICE_SOURCE_SCYLLA_SNAPSHOT_INSIDE_H
#define SLUICE_SOURCE_SCYLLA_SNAPSHOT_INSIDE_H

#include "source/scylla/snapshot.h"

enum sl_scylla_range_state { SL_SCYLLA_RANGE_WAITS, SL_SCYLLA_RANGE_UNDER_WAY, SL_SCYLLA_RANGE_DONE };

struct sl_scylla_snapshot_range {
    enum sl_scylla_range_state state;
    bool stored; /* that it is done, durably */
    bool has_token;
    int64_t token; /* the last one that was read whole */
};

/* A table of the snapshot: what its rows look like, and which of its ranges were read. */
struct sl_scylla_snapshot_part {
    struct sl_scylla_log_table *log;
    const struct sl_scylla_table *table; /* that the statement was made for */
    struct sl_cql_statement *statement;
    struct sl_cql_columns columns; /* the table's own; behind them stand the ttls */
    const struct sl_cql_columns *result;
    struct sl_scylla_shape *shape;
    struct sl_scylla_snapshot_range ranges[SL_SCYLLA_SNAPSHOT_RANGES];
    uint64_t rows;
};

/* One range that is read page by page. */
struct sl_scylla_snapshot_slot {
    struct sl_scylla_ask ask;
    struct sl_scylla_snapshot *snapshot;
    struct sl_scylla_snapshot_part *part; /* NULL: free */
    uint32_t range;
    bool asked;
    bool outdated; /* of a round before this one: what comes is thrown away */
    struct sl_buf paging_state;
    struct sl_cql_answer *answer; /* NULL: none here */
    int64_t last_token;           /* of the rows so far */
    bool has_last;
};

struct sl_scylla_snapshot {
    struct sl_scylla_snapshot_place place;
    int64_t round;   /* of the last one that was begun; -1: none was */
    int64_t from_ms; /* its position */
    bool known;      /* where the log is read from */
    int64_t asked;   /* the round that this task asked for */
    int64_t begun;   /* task 0: the round whose note is on its way, or was; -1: none in this run */
    bool running;
    int64_t round_ms, look_ms, progress_ms; /* when to look at the notes again, and to tell how far it is */
    struct sl_scylla_snapshot_part *parts;
    struct sl_scylla_snapshot_slot *slots;
    uint32_t n_slots;
    struct sl_cql_cell *cells;
    uint32_t cells_capacity;
    struct sl_buf key;
};

/* snapshot.c */
void sl_scylla_snapshot_drop_answer(struct sl_scylla_snapshot_slot *slot);

/* snapshot_notes.c */

/* What was read so far, by all tasks; from time to time, as long as anything is missing. Errors: the log's.
 */
enum sl_rc sl_scylla_snapshot_look_at_ranges(struct sl_scylla_snapshot *snapshot, int64_t now_ms,
                                             struct sl_error *err);
/* How far the slot's range was read goes with the batch; nothing when that is not a row yet. */
void sl_scylla_snapshot_store_range(struct sl_scylla_snapshot *snapshot,
                                    const struct sl_scylla_snapshot_slot *slot, bool done,
                                    struct sl_batch *batch);

#endif
