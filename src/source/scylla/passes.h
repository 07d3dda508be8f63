/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passes over all lanes of a track at once, beside their windows: the early one, which writes what has
 * happened since the windows that are settled, and the sweep, which looks once more at what is settled for
 * what came late (docs/decisions/scylla-order.md).
 *
 * A pass is one scan; its groups go through the task like those of a window. Threads: the task's reader
 * thread.
 */
#ifndef SLUICE_SOURCE_SCYLLA_PASSES_H
#define SLUICE_SOURCE_SCYLLA_PASSES_H

#include "source/scylla/settle.h"
#include "source/scylla/track.h"

/* Where a stream of a pass belongs. */
struct sl_scylla_pass_stream {
    struct sl_scylla_stream stream; /* first, for sorting */
    uint32_t lane, index;
};

/* A set that ended, while it may still get late rows: a write is logged in the set of its timestamp. */
struct sl_scylla_former {
    int64_t start_ms, end_ms;
    struct sl_scylla_stream *streams; /* this task's own, sorted */
    uint32_t n;
    struct sl_scylla_scan *scan; /* of the sweep under way */
};

struct sl_scylla_passes {
    const struct sl_scylla_config *config;
    struct sl_scylla_reader *reader;
    struct sl_scylla_track *track;

    struct sl_scylla_pass_stream *places; /* of the track's set, sorted by stream */
    struct sl_scylla_stream *streams;     /* the same, as scans want them */
    uint32_t n;
    int64_t set_ms; /* the set that they are of; SL_SCYLLA_NO_TIME: none */

    struct sl_scylla_scan *early;
    bool early_first; /* of this run and set: fills the memory of what is recent */
    int64_t early_to_ms, early_due_ms;

    struct sl_scylla_scan *sweep;
    int64_t sweep_due_ms;
    int64_t floor_ms; /* nothing below it was ever ours to write */
    uint32_t sweeps;
    struct sl_scylla_former *formers; /* in the order of time */
    uint32_t n_formers;
};

void sl_scylla_passes_init(struct sl_scylla_passes *passes, const struct sl_scylla_config *config,
                           struct sl_scylla_reader *reader, struct sl_scylla_track *track);
void sl_scylla_passes_done(struct sl_scylla_passes *passes);

/*
 * Notice that the track reads another set, and find the sets before it that a sweep still looks at. Blocks
 * for some small reads then. Errors: those of the session.
 */
enum sl_rc sl_scylla_passes_follow(struct sl_scylla_passes *passes, struct sl_error *err);

/* Begin what is due; *next_ms is lowered to when the next pass is. Wall clock in ms. */
void sl_scylla_passes_begin(struct sl_scylla_passes *passes, int64_t now_ms, int64_t *next_ms);

/* The end of a pass: its scan gave all. */
void sl_scylla_passes_end_early(struct sl_scylla_passes *passes, int64_t now_ms);
void sl_scylla_passes_end_sweep(struct sl_scylla_passes *passes, int64_t now_ms);

void sl_scylla_passes_end_former(struct sl_scylla_former *former);

/* Was the group of this stream of a pass written by an earlier run that kept only its position? */
bool sl_scylla_passes_is_done(const struct sl_scylla_passes *passes, uint32_t stream, const uint8_t time[16]);

#endif
