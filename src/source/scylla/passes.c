/* SPDX-License-Identifier: Apache-2.0 */
#include "source/scylla/passes.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

enum {
    OVERLAP_MS = 2000,  /* an early pass looks back that far: rows become visible out of order */
    BEHIND_MS = 120000, /* beyond it windows are caught up first */
    DEEP_EVERY = 5,     /* one sweep of so many looks at all of the time, the others at the newest part */
};

void sl_scylla_passes_init(struct sl_scylla_passes *passes, const struct sl_scylla_config *config,
                           struct sl_scylla_reader *reader, struct sl_scylla_track *track)
{
    *passes = (struct sl_scylla_passes){
        .config = config,
        .reader = reader,
        .track = track,
        .set_ms = SL_SCYLLA_NO_TIME,
        .floor_ms = SL_SCYLLA_NO_TIME,
    };
}

static void drop_formers(struct sl_scylla_passes *passes, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        sl_scylla_scan_free(passes->formers[i].scan);
        sl_free(passes->formers[i].streams);
    }
    passes->n_formers -= n;
    memmove(passes->formers, passes->formers + n, passes->n_formers * sizeof(*passes->formers));
}

static void stop(struct sl_scylla_passes *passes)
{
    if (passes->n_formers)
        drop_formers(passes, passes->n_formers);
    sl_scylla_scan_free(passes->early);
    sl_scylla_scan_free(passes->sweep);
    passes->early = passes->sweep = NULL;
}

void sl_scylla_passes_done(struct sl_scylla_passes *passes)
{
    stop(passes);
    sl_free(passes->formers);
    sl_free(passes->places);
    sl_free(passes->streams);
}

/* ---- the streams of all lanes ---- */

static int compare_places(const void *a, const void *b)
{
    const struct sl_scylla_pass_stream *x = a;
    const struct sl_scylla_pass_stream *y = b;

    return sl_scylla_stream_compare(x->stream.id, y->stream.id);
}

static void list_streams(struct sl_scylla_passes *passes)
{
    const struct sl_scylla_track *track = passes->track;
    uint32_t n = 0;

    for (uint32_t i = 0; i < track->n_lanes; i++)
        n += track->lanes[i].n;
    passes->places = sl_realloc(passes->places, (size_t)n + 1, sizeof(*passes->places));
    passes->streams = sl_realloc(passes->streams, (size_t)n + 1, sizeof(*passes->streams));
    passes->n = 0;
    for (uint32_t i = 0; i < track->n_lanes; i++) {
        for (uint32_t k = 0; k < track->lanes[i].n; k++)
            passes->places[passes->n++] =
                (struct sl_scylla_pass_stream){.stream = track->lanes[i].streams[k], .lane = i, .index = k};
    }
    if (n)
        qsort(passes->places, n, sizeof(*passes->places), compare_places);
    for (uint32_t i = 0; i < n; i++)
        passes->streams[i] = passes->places[i].stream;
}

static int compare_streams(const void *a, const void *b)
{
    return sl_scylla_stream_compare(a, b);
}

/* Keep those of the set's streams that are this task's. */
static enum sl_rc add_former(struct sl_scylla_passes *passes, int64_t start_ms, int64_t end_ms,
                             struct sl_error *err)
{
    struct sl_scylla_stream_set set = {0};
    struct sl_scylla_former former = {.start_ms = start_ms, .end_ms = end_ms};
    enum sl_rc rc =
        sl_scylla_read_streams(passes->track->cql, passes->track->log->table, start_ms, &set, err);

    if (rc)
        return rc;
    former.streams = sl_zalloc((size_t)set.n + 1, sizeof(*former.streams));
    for (uint32_t i = 0; i < set.n; i++) {
        if (sl_scylla_track_is_ours(passes->track, &set.streams[i]))
            former.streams[former.n++] = set.streams[i];
    }
    sl_scylla_stream_set_free(&set);
    if (former.n)
        qsort(former.streams, former.n, sizeof(*former.streams), compare_streams);
    passes->formers = sl_realloc(passes->formers, (size_t)passes->n_formers + 1, sizeof(*passes->formers));
    passes->formers[passes->n_formers++] = former;
    return SL_OK;
}

/* The sets that ended so lately that what is written late to them is still looked for. */
static enum sl_rc find_formers(struct sl_scylla_passes *passes, struct sl_error *err)
{
    const struct sl_scylla_track *track = passes->track;
    int64_t from_ms = track->set.start_ms - passes->config->sweep_ms;
    int64_t start_ms = 0;
    enum sl_rc rc = SL_OK;

    if (from_ms < passes->floor_ms)
        from_ms = passes->floor_ms;
    for (int64_t next_ms = 0; rc == SL_OK; start_ms = next_ms) {
        rc = sl_scylla_next_generation(track->cql, track->log->table, start_ms, &next_ms, err);
        if (rc || next_ms == SL_SCYLLA_NO_TIME)
            break;
        if (start_ms && next_ms > from_ms)
            rc = add_former(passes, start_ms, next_ms, err);
        if (next_ms >= track->set.start_ms)
            break;
    }
    return rc;
}

/* The track went on to another set: its streams are others. */
enum sl_rc sl_scylla_passes_follow(struct sl_scylla_passes *passes, struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    if (!passes->track->has_set || passes->set_ms == passes->track->set.start_ms)
        return SL_OK;
    stop(passes);
    if (passes->config->sweep_ms > 0 && passes->floor_ms != SL_SCYLLA_NO_TIME)
        rc = find_formers(passes, err);
    if (rc)
        return rc;
    passes->set_ms = passes->track->set.start_ms;
    passes->early_first = true;
    passes->early_due_ms = passes->sweep_due_ms = 0;
    list_streams(passes);
    return SL_OK;
}

bool sl_scylla_passes_is_done(const struct sl_scylla_passes *passes, uint32_t stream, const uint8_t time[16])
{
    const struct sl_scylla_pass_stream *place = &passes->places[stream];

    return sl_scylla_lane_is_done(&passes->track->lanes[place->lane], place->index, time);
}

/* ---- what is settled ---- */

/* Up to where all lanes of the set are settled; false: there are none. */
static bool settled_ms(const struct sl_scylla_track *track, int64_t *ret_ms)
{
    int64_t least_ms = INT64_MAX;

    for (uint32_t i = 0; i < track->n_lanes; i++) {
        if (track->lanes[i].start_ms < least_ms)
            least_ms = track->lanes[i].start_ms;
    }
    *ret_ms = least_ms;
    return track->n_lanes > 0;
}

static struct sl_scylla_scan *scan(struct sl_scylla_passes *passes, const struct sl_scylla_stream *streams,
                                   uint32_t n, int64_t from_ms, int64_t to_ms)
{
    uint8_t from[16];
    uint8_t to[16];

    sl_scylla_window_bounds(from_ms, to_ms, from, to);
    return sl_scylla_scan_new(passes->reader, passes->track->log, streams, n, from, to);
}

/* ---- early ---- */

static void begin_early(struct sl_scylla_passes *passes, int64_t settled, int64_t now_ms)
{
    int64_t behind_ms = passes->config->confidence_ms + 2 * passes->config->window_ms + BEHIND_MS;
    int64_t from_ms = settled;
    int64_t to_ms = now_ms + 1;

    if (to_ms > passes->track->next_ms)
        to_ms = passes->track->next_ms;
    if (!passes->early_first && passes->early_to_ms - OVERLAP_MS > from_ms)
        from_ms = passes->early_to_ms - OVERLAP_MS;
    if (now_ms - settled > behind_ms || from_ms >= to_ms) {
        passes->early_due_ms = now_ms + passes->config->early_interval_ms;
        return;
    }
    passes->early = scan(passes, passes->streams, passes->n, from_ms, to_ms);
    passes->early_to_ms = to_ms;
}

void sl_scylla_passes_end_early(struct sl_scylla_passes *passes, int64_t now_ms)
{
    sl_scylla_scan_free(passes->early);
    passes->early = NULL;
    passes->early_first = false;
    passes->early_due_ms = now_ms + passes->config->early_interval_ms;
}

/* ---- the sweep ---- */

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void sweep_formers(struct sl_scylla_passes *passes, int64_t settled, int64_t from_ms)
{
    uint32_t gone = 0;

    while (gone < passes->n_formers && passes->formers[gone].end_ms <= settled - passes->config->sweep_ms)
        gone++;
    if (gone)
        drop_formers(passes, gone);
    for (uint32_t i = 0; i < passes->n_formers; i++) {
        struct sl_scylla_former *former = &passes->formers[i];
        int64_t start_ms = later(from_ms, former->start_ms);

        if (!former->scan && former->n && start_ms < former->end_ms)
            former->scan = scan(passes, former->streams, former->n, start_ms, former->end_ms);
    }
}

static void begin_sweep(struct sl_scylla_passes *passes, int64_t settled, int64_t now_ms)
{
    int64_t depth_ms = 2 * passes->config->sweep_interval_ms;
    int64_t from_ms;

    if (++passes->sweeps % DEEP_EVERY == 0 || depth_ms > passes->config->sweep_ms)
        depth_ms = passes->config->sweep_ms;
    from_ms = later(settled - depth_ms, passes->floor_ms);
    sweep_formers(passes, settled, from_ms);
    from_ms = later(from_ms, passes->set_ms);
    if (from_ms < settled)
        passes->sweep = scan(passes, passes->streams, passes->n, from_ms, settled);
    else
        passes->sweep_due_ms = now_ms + passes->config->sweep_interval_ms;
}

void sl_scylla_passes_end_former(struct sl_scylla_former *former)
{
    sl_scylla_scan_free(former->scan);
    former->scan = NULL;
}

void sl_scylla_passes_end_sweep(struct sl_scylla_passes *passes, int64_t now_ms)
{
    sl_scylla_scan_free(passes->sweep);
    passes->sweep = NULL;
    passes->sweep_due_ms = now_ms + passes->config->sweep_interval_ms;
}

/* ---- both ---- */

static void lower(int64_t *next_ms, int64_t due_ms)
{
    if (due_ms < *next_ms)
        *next_ms = due_ms;
}

void sl_scylla_passes_begin(struct sl_scylla_passes *passes, int64_t now_ms, int64_t *next_ms)
{
    int64_t settled;

    if (passes->set_ms != passes->track->set.start_ms || !passes->track->has_set ||
        !settled_ms(passes->track, &settled))
        return;
    if (passes->config->early && !passes->early) {
        if (now_ms >= passes->early_due_ms)
            begin_early(passes, settled, now_ms);
        lower(next_ms, passes->early_due_ms > now_ms ? passes->early_due_ms : now_ms);
    }
    if (passes->config->sweep_ms > 0 && passes->floor_ms != SL_SCYLLA_NO_TIME && !passes->sweep) {
        if (now_ms >= passes->sweep_due_ms)
            begin_sweep(passes, settled, now_ms);
        lower(next_ms, passes->sweep_due_ms > now_ms ? passes->sweep_due_ms : now_ms);
    }
}
