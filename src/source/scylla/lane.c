/* SPDX-License-Identifier: Apache-2.0 */
#include "source/scylla/lane.h"

enum {
    WIDTH_MAX = 256,       /* windows at once, where they are nearly empty */
    FEW_ROWS = 500,        /* of a window: the next may be twice as wide */
    MANY_ROWS = 20 * 1000, /* half as wide */
};

void sl_scylla_lane_done(struct sl_scylla_lane *lane)
{
    sl_scylla_scan_free(lane->scan);
    lane->scan = NULL;
    sl_free(lane->done);
    lane->done = NULL;
}

/* ---- taking over a position ---- */

/* Does the stored position speak of the lane's table and set, and of its vnode? */
static bool is_of_lane(const struct sl_scylla_offset *offset, const struct sl_scylla_lane *lane)
{
    const struct sl_scylla_table *table = lane->log->table;

    return offset->generation_ms == lane->generation_ms &&
           (table->tablets || (offset->part == lane->part && !offset->parts)) &&
           strcmp(offset->table, table->name) == 0 && strcmp(offset->keyspace, table->keyspace) == 0;
}

static bool covers(const struct sl_scylla_offset *offset, const struct sl_scylla_stream *stream)
{
    return !offset->parts || sl_scylla_stream_part(stream, offset->parts) == offset->part;
}

/* The last timeuuid before a time. */
static void before_ms(int64_t ms, uint8_t ret[16])
{
    uint8_t unused[16];

    sl_scylla_window_bounds(ms, ms, unused, ret);
}

/* Up to where the position has the stream. */
static void done_to(const struct sl_scylla_offset *offset, const struct sl_scylla_stream *stream,
                    uint8_t ret[16])
{
    int order = offset->has_change ? sl_scylla_stream_compare(stream->id, offset->change.stream) : 1;

    if (order < 0)
        memcpy(ret, offset->window_end, 16);
    else if (order == 0)
        memcpy(ret, offset->change.time, 16);
    else /* nothing of the window: all before it */
        before_ms(offset->start_ms, ret);
}

/* The best that any position says of a stream; false: none does. */
static bool resume_stream(struct sl_scylla_lane *lane, uint32_t stream,
                          const struct sl_scylla_offset **offsets, size_t n, int64_t *ret_start_ms)
{
    bool found = false;

    before_ms(lane->start_ms, lane->done[stream]);
    *ret_start_ms = lane->start_ms;
    for (size_t i = 0; i < n; i++) {
        uint8_t to[16];

        if (!covers(offsets[i], &lane->streams[stream]))
            continue;
        done_to(offsets[i], &lane->streams[stream], to);
        if (!found || sl_cql_timeuuid_compare(to, lane->done[stream]) > 0)
            memcpy(lane->done[stream], to, 16);
        if (!found || offsets[i]->start_ms > *ret_start_ms)
            *ret_start_ms = offsets[i]->start_ms;
        found = true;
    }
    return found;
}

/* Forget what an earlier run wrote beyond its position, once it lies behind us. */
static void forget_done(struct sl_scylla_lane *lane)
{
    uint8_t before[16];

    before_ms(lane->start_ms, before);
    for (uint32_t i = 0; lane->done && i < lane->n; i++)
        if (sl_cql_timeuuid_compare(lane->done[i], before) > 0)
            return;
    sl_free(lane->done);
    lane->done = NULL;
}

bool sl_scylla_lane_resume(struct sl_scylla_lane *lane, const struct sl_scylla_offsets *offsets)
{
    const struct sl_scylla_offset **of_lane = sl_zalloc(offsets->n + 1, sizeof(*of_lane));
    int64_t least_ms = INT64_MAX;
    bool found = false;
    size_t n = 0;

    for (size_t i = 0; i < offsets->n; i++)
        if (is_of_lane(&offsets->items[i], lane))
            of_lane[n++] = &offsets->items[i];
    sl_free(lane->done);
    lane->done = sl_zalloc((size_t)lane->n + 1, sizeof(*lane->done));
    for (uint32_t i = 0; i < lane->n; i++) {
        int64_t start_ms;

        found = resume_stream(lane, i, of_lane, n, &start_ms) || found;
        least_ms = start_ms < least_ms ? start_ms : least_ms;
    }
    if (lane->n)
        lane->start_ms = least_ms;
    forget_done(lane);
    sl_free(of_lane);
    return found;
}

bool sl_scylla_lane_is_done(const struct sl_scylla_lane *lane, uint32_t stream, const uint8_t time[16])
{
    return lane->done && sl_cql_timeuuid_compare(time, lane->done[stream]) <= 0;
}

/* ---- windows ---- */

int64_t sl_scylla_lane_due_ms(const struct sl_scylla_lane *lane, const struct sl_scylla_config *config,
                              int64_t generation_end_ms, int64_t now_ms, int64_t *ret_end_ms)
{
    int64_t settled_ms = now_ms - config->confidence_ms;
    int64_t end_ms = lane->start_ms + config->window_ms;

    /* Far behind: several windows at once, as long as all of them are over. */
    for (uint32_t width = 1; width < lane->width && end_ms + config->window_ms <= settled_ms; width++)
        end_ms += config->window_ms;
    if (end_ms > generation_end_ms && generation_end_ms > lane->start_ms)
        end_ms = generation_end_ms;
    *ret_end_ms = end_ms;
    end_ms += config->confidence_ms;
    return end_ms > lane->not_before_ms ? end_ms : lane->not_before_ms;
}

void sl_scylla_lane_close_window(struct sl_scylla_lane *lane, const struct sl_scylla_config *config,
                                 int64_t generation_end_ms, int64_t now_ms)
{
    uint64_t rows = sl_scylla_scan_rows(lane->scan);

    if (rows > MANY_ROWS)
        lane->width = lane->width > 1 ? lane->width / 2 : 1;
    else if (rows < FEW_ROWS && lane->width < WIDTH_MAX)
        lane->width *= 2;
    sl_scylla_scan_free(lane->scan);
    lane->scan = NULL;
    lane->start_ms = lane->end_ms;
    lane->has_last = false;
    lane->moved = true;
    if (lane->start_ms + 2 * config->window_ms + config->confidence_ms > now_ms)
        lane->first_pass = false;
    lane->not_before_ms = now_ms + config->minimal_wait_ms;
    forget_done(lane);
    if (lane->start_ms >= generation_end_ms) {
        lane->finished = true;
        lane->start_ms =
            generation_end_ms + 1; /* beyond the end: how the connector, too, tells that it is done */
    }
}

void sl_scylla_lane_store(struct sl_scylla_lane *lane, const struct sl_scylla_config *config,
                          struct sl_batch *batch)
{
    const struct sl_scylla_table *table = lane->log->table;
    struct sl_buf partition = {0}, offset = {0};
    int64_t end_ms = lane->scan ? lane->end_ms : lane->start_ms + config->window_ms;

    sl_scylla_offset_put_partition(&partition, table->keyspace, table->name, lane->part, lane->parts,
                                   lane->generation_ms);
    sl_scylla_offset_put(&offset, lane->start_ms, end_ms, lane->has_last ? &lane->last : NULL);
    sl_batch_add_position(batch, (struct sl_span){.ptr = partition.data, .len = partition.len},
                          (struct sl_span){.ptr = offset.data, .len = offset.len});
    sl_buf_done(&partition);
    sl_buf_done(&offset);
    lane->moved = false;
}
