/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A task: its session, its tables with their ways through the streams, and the batch that is being filled.
 * All of it happens inside poll, on the task's reader thread.
 */
#ifndef SLUICE_SOURCE_SCYLLA_TASK_H
#define SLUICE_SOURCE_SCYLLA_TASK_H

#include "source/scylla/event.h"
#include "source/scylla/passes.h"
#include "source/scylla/revisit.h"
#include "source/scylla/snapshot.h"
#include "source/scylla/track.h"

#include <stdatomic.h>

enum { SL_SCYLLA_BATCH_RECORDS = 4000, SL_SCYLLA_BATCH_BYTES = 4 << 20 };

struct sl_scylla_task {
    struct sl_source_env env;
    struct sl_scylla_config *config;
    struct sl_cql *cql;
    bool connected;
    struct sl_scylla_reader reader;
    struct sl_scylla_emitter emitter;

    struct sl_scylla_log_table **logs; /* by table number; NULL until it was opened */
    struct sl_scylla_track *tracks;    /* beside logs */
    struct sl_scylla_passes *passes;   /* beside tracks */
    uint32_t n_tables;

    struct sl_scylla_settle settle;
    struct sl_scylla_snapshot *snapshot; /* NULL: none is taken */
    bool begun;                          /* it is known where the log is read from */
    struct sl_scylla_revisits *revisits; /* NULL until the tables were opened */
    bool remembered;                     /* what the last run wrote is known */
    int64_t floor_ms;                    /* of the sweeps; SL_SCYLLA_NO_TIME: not known yet */
    bool floor_is_new;                   /* and no note says it */
    int64_t written_ms;                  /* the last time of the note that records were written */

    int64_t clock_us;      /* how far the cluster's clock is behind ours; never below 0 */
    int64_t clock_look_ms; /* when to look at it again; wall clock, as all below */
    int64_t heartbeat_ms;  /* when the next heartbeat is due; 0: none was due yet */
    struct sl_error held;  /* an error that came after something was already in the batch */
    _Atomic bool woken;
};

/*
 * Fill the batch. deadline_us 0: do what is due by the wall clock, wait for what is on its way, and return;
 * for callers that make time pass themselves.
 */
enum sl_rc sl_scylla_task_poll(struct sl_scylla_task *task, struct sl_batch *batch, int64_t deadline_us,
                               struct sl_error *err);

/*
 * The one place where a group of the log becomes records: all of them or none. Errors: PROTOCOL, SCHEMA; the
 * batch is then as it was.
 */
enum sl_rc sl_scylla_task_write(struct sl_scylla_task *task, struct sl_scylla_group *group,
                                struct sl_error *err);

/* The cluster's time, as far as windows are concerned: never ahead of it. */
int64_t sl_scylla_task_now_ms(const struct sl_scylla_task *task);

static inline bool sl_scylla_batch_is_full(const struct sl_batch *batch)
{
    return batch->n_records >= SL_SCYLLA_BATCH_RECORDS ||
           sl_arena_used(batch->arena) >= SL_SCYLLA_BATCH_BYTES;
}

#endif
