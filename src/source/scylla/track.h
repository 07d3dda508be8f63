/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table's way through its sets of streams (generations, or a tablets table's own sets): which set is read
 * now, this task's lanes of it, and when the next one may begin. A partition can move to another stream where
 * a set ends, so the next one begins only when every stream of this one, of all tasks, was read to its end.
 */
#ifndef SLUICE_SOURCE_SCYLLA_TRACK_H
#define SLUICE_SOURCE_SCYLLA_TRACK_H

#include "sluice/source.h"
#include "source/scylla/lane.h"

struct sl_scylla_track {
    const struct sl_scylla_config *config;
    const struct sl_source_env *env;
    struct sl_cql *cql;
    struct sl_scylla_log_table *log;

    struct sl_scylla_stream_set set; /* of all tasks */
    bool has_set;
    int64_t next_ms;              /* where the set ends: the next one's start; INT64_MAX while it is open */
    struct sl_scylla_lane *lanes; /* this task's own */
    uint32_t n_lanes;

    int64_t look_ms;   /* when to look for the next set, or for this one's streams; wall clock */
    int64_t tidy_ms;   /* when to look for positions that nothing needs any more */
    int64_t wanted_ms; /* a set whose streams are not there yet; SL_SCYLLA_NO_TIME: none */
    int64_t
        from_ms; /* a first start begins here (a snapshot's position); SL_SCYLLA_NO_TIME: where it would */
    bool first_start;    /* no position was stored for the table */
    bool needs_snapshot; /* a position expired, and from_ms does not lie behind it: one is to be taken */
    bool warned;
};

void sl_scylla_track_init(struct sl_scylla_track *track, const struct sl_scylla_config *config,
                          const struct sl_source_env *env, struct sl_cql *cql,
                          struct sl_scylla_log_table *log);
void sl_scylla_track_done(struct sl_scylla_track *track);

/*
 * Look at the cluster, when it is time to: find the set to begin with, notice that the set ends, go on to the
 * next one. Blocks for some small reads. Errors: GAP (the position lies behind what the log still holds),
 * those of the session.
 */
enum sl_rc sl_scylla_track_look(struct sl_scylla_track *track, int64_t now_ms, struct sl_error *err);

/*
 * Remove, with the batch, the positions of sets before this one, once nothing needs them: every stream of
 * this set has one, whichever task reads it, and what the former sets held has expired, so that the
 * connector, too, would begin here. Errors: of the log's positions.
 */
enum sl_rc sl_scylla_track_tidy(struct sl_scylla_track *track, int64_t now_ms, struct sl_batch *batch,
                                struct sl_error *err);

/*
 * Does this task read the change log of the partition with this token? Of all tasks exactly one says yes,
 * once the set is known.
 */
bool sl_scylla_track_owns(const struct sl_scylla_track *track, int64_t token);

/* Does this task read the stream, of this set or another one of the table? */
bool sl_scylla_track_is_ours(const struct sl_scylla_track *track, const struct sl_scylla_stream *stream);

/*
 * Is a position older than what the log still holds? Then GAP, or moved there where the user allows it, or
 * moved to where a snapshot began. *ret_wait: the lane waits for such a snapshot (needs_snapshot).
 */
enum sl_rc sl_scylla_track_check_age(struct sl_scylla_track *track, struct sl_scylla_lane *lane,
                                     int64_t now_ms, bool *ret_wait, struct sl_error *err);

#endif
