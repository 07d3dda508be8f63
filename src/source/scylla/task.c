/* SPDX-License-Identifier: Apache-2.0 */
#include "source/scylla/task.h"

#include "base/clock.h"
#include "base/log.h"

enum { CLOCK_LOOK_MS = 60000, SHORT_US = 5000000, FAR_MS = 60000 };

int64_t sl_scylla_task_now_ms(const struct sl_scylla_task *task)
{
    return (sl_wall_us() - task->clock_us) / 1000;
}

/* ---- getting ready ---- */

/*
 * A clock of ours that runs ahead would close windows before the cluster has filled them. Not every server
 * answers this; then our own clock must do.
 */
static void look_at_clock(struct sl_scylla_task *task)
{
    const struct sl_cql_request request = {
        .text = "SELECT now() FROM system.local", .consistency = SL_CQL_ONE, .timeout_ms = 2000};
    int64_t before_us = sl_wall_us(), ahead_us;
    struct sl_cql_answer *answer;
    struct sl_cql_cell cell;
    struct sl_error err;
    bool more = false;

    if (before_us / 1000 < task->clock_look_ms)
        return;
    task->clock_look_ms = before_us / 1000 + CLOCK_LOOK_MS;
    if (sl_cql_query(task->cql, &request, &answer, &err) != SL_OK)
        return;
    if (sl_cql_rows_next(&answer->rows, &cell, &more, &err) == SL_OK && more && cell.len == 16) {
        ahead_us = before_us - sl_cql_timeuuid_us(cell.data);
        task->clock_us = ahead_us > 0 ? ahead_us : 0;
        if (ahead_us > task->config->confidence_ms * 1000 && ahead_us > 1000000)
            sl_warn("this machine's clock is ahead of the cluster's; windows follow the cluster's",
                    SL_I("milliseconds", ahead_us / 1000));
    }
    sl_cql_answer_free(answer);
}

static enum sl_rc open_tables(struct sl_scylla_task *task, struct sl_error *err)
{
    for (uint32_t i = 0; i < task->n_tables; i++) {
        enum sl_rc rc;

        if (task->logs[i])
            continue;
        rc = sl_scylla_log_table_open(task->config, task->cql, i, &task->logs[i], err);
        if (rc != SL_OK)
            return rc;
        sl_scylla_track_init(&task->tracks[i], task->config, &task->env, task->cql, task->logs[i]);
    }
    return SL_OK;
}

static enum sl_rc get_ready(struct sl_scylla_task *task, int64_t deadline_us, struct sl_error *err)
{
    int64_t least_us = sl_now_us() + SHORT_US;
    enum sl_rc rc = SL_OK;

    if (!task->connected) {
        rc = sl_cql_connect(task->cql, deadline_us > least_us ? deadline_us : least_us, err);
        task->connected = rc == SL_OK;
    }
    if (rc == SL_OK)
        rc = open_tables(task, err);
    if (rc == SL_OK)
        look_at_clock(task);
    return rc;
}

/* ---- windows ---- */

static enum sl_rc look_at_tracks(struct sl_scylla_task *task, int64_t now_ms, struct sl_error *err)
{
    for (uint32_t i = 0; i < task->n_tables; i++) {
        enum sl_rc rc = SL_OK;

        if (task->logs[i]->stale)
            rc = sl_scylla_log_table_refresh(task->logs[i], err);
        if (rc == SL_OK)
            rc = sl_scylla_track_look(&task->tracks[i], now_ms, err);
        if (rc != SL_OK)
            return rc;
    }
    return SL_OK;
}

static void open_window(struct sl_scylla_task *task, struct sl_scylla_lane *lane)
{
    uint8_t from[16], to[16];

    sl_scylla_window_bounds(lane->start_ms, lane->end_ms, from, to);
    lane->scan = sl_scylla_scan_new(&task->reader, lane->log, lane->streams, lane->n, from, to);
}

/* Begin the windows that are due; *ret_wait_us: how long until the next one is. */
static enum sl_rc open_windows(struct sl_scylla_task *task, int64_t now_ms, int64_t *ret_wait_us,
                               struct sl_error *err)
{
    int64_t next_ms = now_ms + FAR_MS;

    for (uint32_t i = 0; i < task->n_tables; i++) {
        struct sl_scylla_track *track = &task->tracks[i];

        for (uint32_t j = 0; j < track->n_lanes; j++) {
            struct sl_scylla_lane *lane = &track->lanes[j];
            int64_t due_ms;
            enum sl_rc rc;

            if (lane->scan || lane->finished)
                continue;
            rc = sl_scylla_track_check_age(track, lane, now_ms, err);
            if (rc != SL_OK)
                return rc;
            due_ms = sl_scylla_lane_due_ms(lane, task->config, track->next_ms, now_ms, &lane->end_ms);
            if (due_ms <= now_ms)
                open_window(task, lane);
            else if (due_ms < next_ms)
                next_ms = due_ms;
        }
        if (track->look_ms < next_ms)
            next_ms = track->look_ms;
    }
    *ret_wait_us = next_ms > now_ms ? (next_ms - now_ms) * 1000 : 0;
    return SL_OK;
}

/* ---- writing ---- */

static void take_back(struct sl_batch *batch, uint32_t n_records)
{
    batch->n_records = n_records;
    while (batch->n_runs && batch->runs[batch->n_runs - 1].first >= n_records)
        batch->n_runs--;
    if (batch->n_runs)
        batch->runs[batch->n_runs - 1].count = n_records - batch->runs[batch->n_runs - 1].first;
}

enum sl_rc sl_scylla_task_write(struct sl_scylla_task *task, struct sl_scylla_group *group,
                                struct sl_error *err)
{
    struct sl_batch *batch = task->emitter.batch;
    uint32_t before = batch->n_records;
    enum sl_rc rc = sl_scylla_emit_group(&task->emitter, group, err);

    if (rc != SL_OK)
        take_back(batch, before);
    return rc;
}

/* Write what the lane's window has here. *ret_full: the batch takes no more. */
static enum sl_rc go_through(struct sl_scylla_task *task, struct sl_scylla_track *track,
                             struct sl_scylla_lane *lane, int64_t now_ms, bool *ret_full,
                             struct sl_error *err)
{
    for (;;) {
        struct sl_scylla_group *group;
        uint32_t stream = 0;
        enum sl_rc rc;

        if (sl_scylla_batch_is_full(task->emitter.batch)) {
            *ret_full = true;
            return SL_OK;
        }
        rc = sl_scylla_scan_next(lane->scan, &group, &stream, err);
        if (rc != SL_OK)
            return rc;
        if (!group)
            break;
        if (!sl_scylla_lane_is_done(lane, stream, group->place.time)) {
            rc = sl_scylla_task_write(task, group, err);
            if (rc != SL_OK)
                return rc;
        }
        lane->last = group->place;
        lane->has_last = true;
        lane->moved = true;
    }
    if (sl_scylla_scan_ended(lane->scan))
        sl_scylla_lane_close_window(lane, task->config, track->next_ms, now_ms);
    return SL_OK;
}

/* Go through all that is here, lane by lane. */
static enum sl_rc write_ready(struct sl_scylla_task *task, int64_t now_ms, bool *ret_full,
                              struct sl_error *err)
{
    for (uint32_t i = 0; i < task->n_tables; i++) {
        struct sl_scylla_track *track = &task->tracks[i];

        for (uint32_t j = 0; j < track->n_lanes && !*ret_full; j++) {
            struct sl_scylla_lane *lane = &track->lanes[j];
            enum sl_rc rc = SL_OK;

            if (lane->scan && sl_scylla_scan_ready(lane->scan))
                rc = go_through(task, track, lane, now_ms, ret_full, err);
            if (rc != SL_OK)
                return rc;
        }
    }
    return SL_OK;
}

/* ---- positions ---- */

static int64_t settled_ms(const struct sl_scylla_task *task)
{
    int64_t least_ms = INT64_MAX;

    for (uint32_t i = 0; i < task->n_tables; i++)
        for (uint32_t j = 0; j < task->tracks[i].n_lanes; j++)
            if (!task->tracks[i].lanes[j].finished && task->tracks[i].lanes[j].start_ms < least_ms)
                least_ms = task->tracks[i].lanes[j].start_ms;
    return least_ms == INT64_MAX ? 0 : least_ms;
}

static void finish_batch(struct sl_scylla_task *task)
{
    struct sl_batch *batch = task->emitter.batch;
    int64_t now_ms = sl_wall_us() / 1000;
    uint32_t moved = 0;

    for (uint32_t i = 0; i < task->n_tables; i++)
        for (uint32_t j = 0; j < task->tracks[i].n_lanes; j++)
            if (task->tracks[i].lanes[j].moved) {
                sl_scylla_lane_store(&task->tracks[i].lanes[j], task->config, batch);
                moved++;
            }
    if (moved && now_ms >= task->heartbeat_ms) {
        if (task->heartbeat_ms)
            sl_scylla_emit_heartbeat(&task->emitter);
        task->heartbeat_ms = now_ms + task->config->heartbeat_ms;
    }
    if (!moved && !batch->n_records && !batch->n_notes)
        return;
    {
        char *partition = sl_arena_format(batch->arena, "{\"scylla\":\"%s\"}", task->config->prefix);
        char *offset =
            sl_arena_format(batch->arena, "{\"version\":1,\"settled_ms\":%lld}", (long long)settled_ms(task));

        batch->source_partition = (struct sl_span){(const uint8_t *)partition, strlen(partition)};
        batch->source_offset = (struct sl_span){(const uint8_t *)offset, strlen(offset)};
    }
    batch->bytes = sl_arena_used(batch->arena) + batch->n_records * sizeof(struct sl_record);
}

/* ---- poll ---- */

/* A read failed. One that passes by itself is told once, when there is nothing else to tell. */
static enum sl_rc take_failure(struct sl_scylla_task *task, struct sl_error *err)
{
    struct sl_error *failure = task->reader.fatal.rc ? &task->reader.fatal : &task->reader.failure;
    enum sl_rc rc = failure->rc;

    if (rc == SL_OK)
        return SL_OK;
    if (err)
        *err = *failure;
    sl_error_clear(failure);
    return rc;
}

static enum sl_rc fill(struct sl_scylla_task *task, int64_t deadline_us, struct sl_error *err)
{
    struct sl_batch *batch = task->emitter.batch;
    enum sl_rc rc = get_ready(task, deadline_us, err);

    while (rc == SL_OK) {
        int64_t now_ms = sl_scylla_task_now_ms(task), wait_us = 0, until_us;
        bool full = false;

        rc = look_at_tracks(task, now_ms, err);
        if (rc == SL_OK)
            rc = open_windows(task, now_ms, &wait_us, err);
        if (rc == SL_OK)
            rc = write_ready(task, now_ms, &full, err);
        if (rc != SL_OK || full || batch->n_records)
            break;
        rc = take_failure(task, err);
        if (rc != SL_OK || sl_now_us() >= deadline_us || atomic_exchange(&task->woken, false))
            break;
        until_us = wait_us < deadline_us - sl_now_us() ? sl_now_us() + wait_us : deadline_us;
        (void)sl_scylla_reader_pump(&task->reader, until_us);
    }
    return rc;
}

enum sl_rc sl_scylla_task_poll(struct sl_scylla_task *task, struct sl_batch *batch, int64_t deadline_us,
                               struct sl_error *err)
{
    enum sl_rc rc;

    if (task->held.rc) {
        rc = task->held.rc;
        if (err)
            *err = task->held;
        sl_error_clear(&task->held);
        return rc;
    }
    sl_scylla_emitter_begin(&task->emitter, batch);
    rc = fill(task, deadline_us, err);
    if (rc != SL_OK && !batch->n_records)
        return rc;
    finish_batch(task);
    if (rc != SL_OK && err) { /* what is in the batch counts; the error is told next time */
        task->held = *err;
        sl_error_clear(err);
    }
    return SL_OK;
}
