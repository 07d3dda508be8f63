/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lane: the streams of one vnode (or, with tablets, of one part of a set) of one table, read window by
 * window. It is what the connector keeps a position for. Everything before start_ms is settled: read after
 * the confidence window had passed, and written.
 */
#ifndef SLUICE_SOURCE_SCYLLA_LANE_H
#define SLUICE_SOURCE_SCYLLA_LANE_H

#include "source/scylla/generations.h"
#include "source/scylla/offset.h"

struct sl_scylla_lane {
    struct sl_scylla_log_table *log;
    int64_t generation_ms;
    uint32_t part, parts; /* of vnode_id */
    const struct sl_scylla_stream *streams;
    uint32_t n;
    uint8_t (*done)[16]; /* by stream: what an earlier run wrote beyond start_ms; NULL: nothing */

    int64_t start_ms; /* of the open window */
    int64_t end_ms;   /* of the window under way; means nothing without a scan */
    struct sl_scylla_scan *scan;
    int64_t not_before_ms; /* scylla.minimal.wait.for.window.time; wall clock */
    uint32_t width;        /* windows taken at once while far behind */
    bool first_pass;       /* began at the oldest row, and has not caught up since */
    bool finished;         /* read to the end of its generation */

    struct sl_scylla_place last; /* the last group of the window that was written */
    bool has_last;
    bool moved; /* its position is to be stored with the batch */
};

/* Take over what is stored: the lane begins where an earlier run, or the connector, was. False: nothing is.
 */
bool sl_scylla_lane_resume(struct sl_scylla_lane *lane, const struct sl_scylla_offsets *offsets);

/* Did an earlier run write this group? */
bool sl_scylla_lane_is_done(const struct sl_scylla_lane *lane, uint32_t stream, const uint8_t time[16]);

/*
 * When the next window can be read, as wall clock in ms. generation_end_ms: INT64_MAX while it is open.
 * *ret_end_ms: the window's end.
 */
int64_t sl_scylla_lane_due_ms(const struct sl_scylla_lane *lane, const struct sl_scylla_config *config,
                              int64_t generation_end_ms, int64_t now_ms, int64_t *ret_end_ms);

/* The window under way was gone through: the next one begins. */
void sl_scylla_lane_close_window(struct sl_scylla_lane *lane, const struct sl_scylla_config *config,
                                 int64_t generation_end_ms, int64_t now_ms);

/* Add the lane's position to the batch. */
void sl_scylla_lane_store(struct sl_scylla_lane *lane, const struct sl_scylla_config *config,
                          struct sl_batch *batch);

void sl_scylla_lane_done(struct sl_scylla_lane *lane);

#endif
