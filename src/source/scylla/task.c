/* SPDX-License-Identifier: Apache-2.0 */
#include "source/scylla/task.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    CLOCK_LOOK_MS = 60000,
    SHORT_US = 5000000,
    FAR_MS = 60000,
    REVISIT_LOOK_MS = 100, /* how late a row may be read again */
    WRITTEN_GRID_MS = 1000,
    SNAPSHOT_LOOK_MS = 200, /* how late it is seen that a snapshot was begun, or ended */
};

/* The note of the sweeps' floor: 'f', version 1, then the milliseconds as the value. */
static const uint8_t floor_key[] = {'f', 1};

/* The note of when records were written last, to WRITTEN_GRID_MS: 'w', version 1; likewise. */
static const uint8_t written_key[] = {'w', 1};

int64_t sl_scylla_task_now_ms(const struct sl_scylla_task *task)
{
    return (sl_wall_us() - task->clock_us) / 1000;
}

/* snapshot.mode=initial_only: the log is never looked at. */
static bool is_snapshot_only(const struct sl_scylla_task *task)
{
    return task->config->snapshot == SL_SCYLLA_SNAPSHOT_INITIAL_ONLY;
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
        sl_scylla_passes_init(&task->passes[i], task->config, &task->reader, &task->tracks[i]);
    }
    return SL_OK;
}

/* ---- what the last run left ---- */

struct recall {
    struct sl_scylla_task *task;
    struct sl_error *err;
    enum sl_rc rc;
};

static void recall_seen(void *ctx, const struct sl_note *note)
{
    struct recall *recall = ctx;

    if (recall->rc == SL_OK)
        recall->rc = sl_scylla_settle_load(&recall->task->settle, note, recall->err);
}

/* ctx: where the milliseconds go; untouched when the note holds none. */
static void recall_ms(void *ctx, const struct sl_note *note)
{
    int64_t *ret_ms = ctx;
    char *end;
    char text[24] = "";

    if (note->key.len != sizeof(floor_key) || note->value.len >= sizeof(text))
        return;
    memcpy(text, note->value.ptr, note->value.len);
    *ret_ms = strtoll(text, &end, 10);
}

/* The one note of that key and the versions up to the next. */
static enum sl_rc recall_time(struct sl_scylla_task *task, const uint8_t key[2], int64_t *ret_ms,
                              struct sl_error *err)
{
    const uint8_t end[] = {key[0], (uint8_t)(key[1] + 1)};

    return task->env.notes(task->env.ctx, (struct sl_span){key, 2}, (struct sl_span){end, 2}, 1, recall_ms,
                           ret_ms, err);
}

/* The changes that the last run wrote beyond its position, since when that is kept, and until when it ran. */
static enum sl_rc recall(struct sl_scylla_task *task, struct sl_error *err)
{
    struct recall recall = {.task = task, .err = err};
    int64_t written_ms = SL_SCYLLA_NO_TIME;
    enum sl_rc rc = SL_OK;

    if (task->remembered)
        return SL_OK;
    if (task->settle.remembers) {
        rc = task->env.notes(task->env.ctx, sl_seen_from, sl_seen_to, SIZE_MAX, recall_seen, &recall, err);
        if (rc == SL_OK)
            rc = recall.rc;
        if (rc == SL_OK)
            rc = recall_time(task, floor_key, &task->floor_ms, err);
    }
    if (rc == SL_OK && task->settle.reads_again)
        rc = recall_time(task, written_key, &written_ms, err);
    if (rc == SL_OK && written_ms != SL_SCYLLA_NO_TIME)
        sl_scylla_settle_ran_until(&task->settle, (written_ms + WRITTEN_GRID_MS) * 1000);
    task->remembered = rc == SL_OK;
    return rc;
}

/* The key's values stand as [bytes], the partition key first. */
static bool is_ours(void *ctx, const struct sl_scylla_table *table, struct sl_span partition)
{
    const struct sl_scylla_task *task = ctx;
    struct sl_cql_cell cells[16];
    uint32_t n = 0;

    while (n < table->n_partition && n < 16 && partition.len >= 4) {
        uint32_t len = sl_cql_load_be32(partition.ptr);

        if (len > partition.len - 4)
            break;
        cells[n++] = (struct sl_cql_cell){partition.ptr + 4, (int32_t)len};
        partition.ptr += 4 + len;
        partition.len -= 4 + len;
    }
    return sl_scylla_track_owns(&task->tracks[table->number], sl_cql_token(cells, n));
}

static void open_revisits(struct sl_scylla_task *task)
{
    const struct sl_scylla_revisit_place place = {
        .env = &task->env,
        .config = task->config,
        .cql = task->cql,
        .reader = &task->reader,
        .settle = &task->settle,
        .tables = task->logs,
        .n_tables = task->n_tables,
        .is_ours = is_ours,
        .ctx = task,
    };

    if (!task->revisits && task->config->read_again && !is_snapshot_only(task))
        task->revisits = sl_scylla_revisits_new(&place);
}

static void open_snapshot(struct sl_scylla_task *task)
{
    const struct sl_scylla_snapshot_place place = {
        .env = &task->env,
        .config = task->config,
        .cql = task->cql,
        .reader = &task->reader,
        .tables = task->logs,
        .n_tables = task->n_tables,
    };

    if (!task->snapshot && task->config->snapshot != SL_SCYLLA_SNAPSHOT_NONE)
        task->snapshot = sl_scylla_snapshot_new(&place);
}

/*
 * With a snapshot the log is read from a position that all tasks agree on; before it is known nothing begins.
 * Later one may begin anew, for positions that expired.
 */
static enum sl_rc follow_snapshot(struct sl_scylla_task *task, int64_t now_ms, struct sl_error *err)
{
    enum sl_rc rc;

    if (!task->snapshot) {
        task->begun = true;
        return SL_OK;
    }
    for (uint32_t i = 0; i < task->n_tables; i++) {
        if (task->tracks[i].needs_snapshot)
            sl_scylla_snapshot_ask(task->snapshot, task->emitter.batch);
        task->tracks[i].needs_snapshot = false;
    }
    rc = sl_scylla_snapshot_look(task->snapshot, now_ms, task->emitter.batch, err);
    if (rc != SL_OK)
        return rc;
    for (uint32_t i = 0; i < task->n_tables; i++)
        task->tracks[i].from_ms = sl_scylla_snapshot_from_ms(task->snapshot);
    task->begun = sl_scylla_snapshot_is_known(task->snapshot);
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
        rc = recall(task, err);
    if (rc == SL_OK) {
        open_snapshot(task);
        open_revisits(task);
        look_at_clock(task);
    }
    return rc;
}

/* ---- windows ---- */

static enum sl_rc look_at_tracks(struct sl_scylla_task *task, int64_t now_ms, struct sl_error *err)
{
    for (uint32_t i = 0; i < task->n_tables; i++) {
        enum sl_rc rc = SL_OK;

        if (task->logs[i]->stale)
            rc = sl_scylla_log_table_refresh(task->logs[i], err);
        if (rc == SL_OK && !is_snapshot_only(task))
            rc = sl_scylla_track_look(&task->tracks[i], now_ms, err);
        if (rc == SL_OK && task->env.task == 0)
            rc = sl_scylla_track_tidy(&task->tracks[i], now_ms, task->emitter.batch, err);
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
            bool waits;
            enum sl_rc rc;

            if (lane->scan || lane->finished)
                continue;
            rc = sl_scylla_track_check_age(track, lane, now_ms, &waits, err);
            if (rc != SL_OK)
                return rc;
            if (waits) {
                next_ms = now_ms + SNAPSHOT_LOOK_MS < next_ms ? now_ms + SNAPSHOT_LOOK_MS : next_ms;
                continue;
            }
            due_ms = sl_scylla_lane_due_ms(lane, task->config, track->next_ms, now_ms, &lane->end_ms);
            if (due_ms <= now_ms)
                open_window(task, lane);
            else if (due_ms < next_ms)
                next_ms = due_ms;
        }
        if (track->look_ms < next_ms && !is_snapshot_only(task))
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

/* A group that was met: written unless that happened before, and settled. */
static enum sl_rc take_group(struct sl_scylla_task *task, struct sl_scylla_group *group, bool written,
                             bool late, struct sl_error *err)
{
    const struct sl_scylla_pass pass = {
        .now_us = sl_scylla_task_now_ms(task) * 1000,
        .is_new = !written && sl_scylla_settle_is_new(&task->settle, &group->place),
        .late = late || (task->snapshot && sl_scylla_snapshot_running(task->snapshot)),
    };
    enum sl_rc rc = pass.is_new ? sl_scylla_task_write(task, group, err) : SL_OK;

    if (rc == SL_OK)
        sl_scylla_settle_group(&task->settle, group, &pass, task->emitter.batch);
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
        rc = take_group(task, group, sl_scylla_lane_is_done(lane, stream, group->place.time), false, err);
        if (rc != SL_OK)
            return rc;
        lane->last = group->place;
        lane->has_last = true;
        lane->moved = true;
    }
    if (sl_scylla_scan_ended(lane->scan))
        sl_scylla_lane_close_window(lane, task->config, track->next_ms, now_ms);
    return SL_OK;
}

/* Go through what a pass over all lanes has here. *ret_ended: there is no more of it. */
static enum sl_rc go_through_pass(struct sl_scylla_task *task, struct sl_scylla_passes *passes,
                                  struct sl_scylla_scan *scan, bool *ret_full, bool *ret_ended,
                                  struct sl_error *err)
{
    bool sweep = scan != passes->early;

    for (;;) {
        struct sl_scylla_group *group;
        uint32_t stream = 0;
        bool done;
        enum sl_rc rc;

        if (sl_scylla_batch_is_full(task->emitter.batch)) {
            *ret_full = true;
            return SL_OK;
        }
        rc = sl_scylla_scan_next(scan, &group, &stream, err);
        if (rc != SL_OK)
            return rc;
        if (!group)
            break;
        done = !sweep && sl_scylla_passes_is_done(passes, stream, group->place.time);
        rc = take_group(task, group, done, sweep, err);
        if (rc != SL_OK)
            return rc;
    }
    *ret_ended = sl_scylla_scan_ended(scan);
    return SL_OK;
}

static enum sl_rc write_passes(struct sl_scylla_task *task, struct sl_scylla_passes *passes, int64_t now_ms,
                               bool *ret_full, struct sl_error *err)
{
    bool ended = false;
    enum sl_rc rc = SL_OK;

    if (passes->early && sl_scylla_scan_ready(passes->early))
        rc = go_through_pass(task, passes, passes->early, ret_full, &ended, err);
    if (rc == SL_OK && ended)
        sl_scylla_passes_end_early(passes, now_ms);
    ended = false;
    if (rc == SL_OK && !*ret_full && passes->sweep && sl_scylla_scan_ready(passes->sweep))
        rc = go_through_pass(task, passes, passes->sweep, ret_full, &ended, err);
    if (rc == SL_OK && ended)
        sl_scylla_passes_end_sweep(passes, now_ms);
    for (uint32_t i = 0; i < passes->n_formers && rc == SL_OK && !*ret_full; i++) {
        ended = false;
        if (passes->formers[i].scan && sl_scylla_scan_ready(passes->formers[i].scan))
            rc = go_through_pass(task, passes, passes->formers[i].scan, ret_full, &ended, err);
        if (rc == SL_OK && ended)
            sl_scylla_passes_end_former(&passes->formers[i]);
    }
    return rc;
}

static enum sl_rc write_windows(struct sl_scylla_task *task, struct sl_scylla_track *track, int64_t now_ms,
                                bool *ret_full, struct sl_error *err)
{
    for (uint32_t j = 0; j < track->n_lanes && !*ret_full; j++) {
        struct sl_scylla_lane *lane = &track->lanes[j];
        enum sl_rc rc = SL_OK;

        if (lane->scan && sl_scylla_scan_ready(lane->scan))
            rc = go_through(task, track, lane, now_ms, ret_full, err);
        if (rc != SL_OK)
            return rc;
    }
    return SL_OK;
}

/* Go through all that is here: events first, then rows that were read again, which are never older than
 * those. */
static enum sl_rc write_ready(struct sl_scylla_task *task, int64_t now_ms, bool *ret_full,
                              struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    for (uint32_t i = 0; i < task->n_tables && rc == SL_OK && !*ret_full; i++) {
        rc = write_passes(task, &task->passes[i], now_ms, ret_full, err);
        if (rc == SL_OK && !*ret_full)
            rc = write_windows(task, &task->tracks[i], now_ms, ret_full, err);
    }
    if (rc == SL_OK && !*ret_full && task->snapshot)
        rc = sl_scylla_snapshot_emit(task->snapshot, &task->emitter, now_ms, ret_full, err);
    if (rc == SL_OK && !*ret_full && task->revisits)
        rc = sl_scylla_revisits_emit(task->revisits, &task->emitter, err);
    return rc;
}

/* Begin what is due; *ret_wait_us: how long until the next thing is. */
static enum sl_rc begin_due(struct sl_scylla_task *task, int64_t now_ms, int64_t *ret_wait_us,
                            struct sl_error *err)
{
    enum sl_rc rc = open_windows(task, now_ms, ret_wait_us, err);
    int64_t next_ms = now_ms + *ret_wait_us / 1000;

    for (uint32_t i = 0; i < task->n_tables && rc == SL_OK && !is_snapshot_only(task); i++) {
        rc = sl_scylla_passes_follow(&task->passes[i], err);
        if (rc == SL_OK)
            sl_scylla_passes_begin(&task->passes[i], now_ms, &next_ms);
    }
    if (rc == SL_OK && task->snapshot) {
        rc = sl_scylla_snapshot_begin(task->snapshot, now_ms, err);
        if (sl_scylla_snapshot_running(task->snapshot) && next_ms > now_ms + SNAPSHOT_LOOK_MS)
            next_ms = now_ms + SNAPSHOT_LOOK_MS;
    }
    if (rc == SL_OK && task->revisits) {
        rc = sl_scylla_revisits_begin(task->revisits, now_ms * 1000, err);
        if (next_ms > now_ms + REVISIT_LOOK_MS)
            next_ms = now_ms + REVISIT_LOOK_MS;
    }
    *ret_wait_us = (next_ms - now_ms) * 1000;
    return rc;
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

/* Since when all changes are remembered: from the first positions on, before any window moves them. */
static void find_floor(struct sl_scylla_task *task)
{
    int64_t floor_ms = settled_ms(task);

    if (!task->settle.remembers || !floor_ms)
        return;
    if (task->floor_ms == SL_SCYLLA_NO_TIME) {
        task->floor_ms = floor_ms;
        task->floor_is_new = true;
    }
    for (uint32_t i = 0; i < task->n_tables; i++)
        task->passes[i].floor_ms = task->floor_ms;
}

static void note_time(struct sl_scylla_task *task, const uint8_t key[2], int64_t ms)
{
    char text[24];
    int len = snprintf(text, sizeof(text), "%lld", (long long)ms);

    sl_batch_add_note(task->emitter.batch, (struct sl_span){key, 2},
                      (struct sl_span){(const uint8_t *)text, (size_t)len});
}

static void note_floor(struct sl_scylla_task *task)
{
    if (task->floor_is_new)
        note_time(task, floor_key, task->floor_ms);
    task->floor_is_new = false;
}

/* Until when records were written: their neighbours in time are to be doubted after a restart. */
static void note_written(struct sl_scylla_task *task)
{
    int64_t now_ms = sl_scylla_task_now_ms(task);

    if (!task->settle.reads_again || !task->emitter.batch->n_records ||
        (now_ms < task->written_ms + WRITTEN_GRID_MS && now_ms >= task->written_ms))
        return;
    task->written_ms = now_ms;
    note_time(task, written_key, now_ms);
}

/* What this batch adds to the memory of the changes, and what no pass will ask for any more. */
static void store_memory(struct sl_scylla_task *task, bool moved)
{
    if (moved)
        sl_scylla_settle_reached(&task->settle, settled_ms(task) * 1000);
    note_written(task);
    if (!task->settle.remembers)
        return;
    note_floor(task);
    sl_scylla_settle_store(&task->settle, task->emitter.batch);
    if (moved)
        sl_scylla_settle_forget(&task->settle, (settled_ms(task) - task->config->sweep_ms) * 1000,
                                task->emitter.batch);
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
    store_memory(task, moved > 0);
    if (moved && now_ms >= task->heartbeat_ms) {
        if (task->heartbeat_ms)
            sl_scylla_emit_heartbeat(&task->emitter);
        task->heartbeat_ms = now_ms + task->config->heartbeat_ms;
    }
    if (!moved && !batch->n_records && !batch->n_notes && !batch->n_positions)
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

/* Something is on its way, or waits to be sent. */
static bool is_busy(const struct sl_scylla_task *task)
{
    return task->reader.in_flight > 0 || task->reader.first != NULL;
}

/* The note is on its way into the log: its batch goes now; else another task's is waited for. */
static void wait_for_beginning(struct sl_scylla_task *task, int64_t deadline_us)
{
    if (deadline_us && !task->emitter.batch->n_notes)
        (void)sl_scylla_reader_pump(&task->reader, sl_now_us() + SHORT_US / 100);
}

static enum sl_rc fill(struct sl_scylla_task *task, int64_t deadline_us, struct sl_error *err)
{
    struct sl_batch *batch = task->emitter.batch;
    enum sl_rc rc = get_ready(task, deadline_us, err);

    while (rc == SL_OK) {
        int64_t now_ms = sl_scylla_task_now_ms(task), wait_us = 0, until_us;
        bool full = false;

        rc = follow_snapshot(task, now_ms, err);
        if (rc == SL_OK && !task->begun) {
            wait_for_beginning(task, deadline_us);
            break;
        }
        if (rc == SL_OK)
            rc = look_at_tracks(task, now_ms, err);
        find_floor(task);
        if (rc == SL_OK)
            rc = begin_due(task, now_ms, &wait_us, err);
        if (rc == SL_OK)
            rc = write_ready(task, now_ms, &full, err);
        if (rc != SL_OK || full || batch->n_records)
            break;
        rc = take_failure(task, err);
        if (rc != SL_OK || atomic_exchange(&task->woken, false))
            break;
        if (deadline_us ? sl_now_us() >= deadline_us : !is_busy(task))
            break;
        until_us = sl_now_us() + wait_us;
        if (!deadline_us)
            until_us = sl_now_us() + SHORT_US;
        else if (until_us > deadline_us)
            until_us = deadline_us;
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
