/* SPDX-License-Identifier: Apache-2.0 */
#include "source/scylla/track.h"

#include "base/clock.h"
#include "base/log.h"

enum { LOOK_MS = 2000, LOOK_AGAIN_MS = 1000, TIDY_MIN_MS = 1000, TIDY_MAX_MS = 60000 };

void sl_scylla_track_init(struct sl_scylla_track *track, const struct sl_scylla_config *config,
                          const struct sl_source_env *env, struct sl_cql *cql,
                          struct sl_scylla_log_table *log)
{
    *track = (struct sl_scylla_track){.config = config,
                                      .env = env,
                                      .cql = cql,
                                      .log = log,
                                      .next_ms = INT64_MAX,
                                      .wanted_ms = SL_SCYLLA_NO_TIME,
                                      .from_ms = SL_SCYLLA_NO_TIME};
}

static void drop_set(struct sl_scylla_track *track)
{
    for (uint32_t i = 0; i < track->n_lanes; i++)
        sl_scylla_lane_done(&track->lanes[i]);
    sl_free(track->lanes);
    track->lanes = NULL;
    track->n_lanes = 0;
    sl_scylla_stream_set_free(&track->set);
    track->has_set = false;
    track->next_ms = INT64_MAX;
}

void sl_scylla_track_done(struct sl_scylla_track *track)
{
    drop_set(track);
}

/* ---- lanes ---- */

static struct sl_scylla_lane *add_lane(struct sl_scylla_track *track, uint32_t part, uint32_t parts,
                                       uint32_t first, uint32_t n)
{
    struct sl_scylla_lane *lane;

    track->lanes = sl_realloc(track->lanes, track->n_lanes + 1, sizeof(*track->lanes));
    lane = &track->lanes[track->n_lanes++];
    *lane = (struct sl_scylla_lane){.log = track->log,
                                    .generation_ms = track->set.start_ms,
                                    .part = part,
                                    .parts = parts,
                                    .streams = track->set.streams + first,
                                    .n = n,
                                    .start_ms = track->set.start_ms,
                                    .width = 1};
    return lane;
}

bool sl_scylla_track_owns(const struct sl_scylla_track *track, int64_t token)
{
    uint32_t tasks = track->config->n_tasks, part;

    if (tasks == 1)
        return true;
    if (!track->has_set)
        return false;
    part = track->log->table->tablets
               ? sl_scylla_stream_part(sl_scylla_stream_set_tablet(&track->set, token), tasks)
               : sl_scylla_stream_set_vnode(&track->set, token);
    return (part + track->log->number) % tasks == (uint32_t)track->env->task;
}

/* Vnodes are dealt to the tasks in turn, each table beginning with another task. */
static void add_vnode_lanes(struct sl_scylla_track *track)
{
    uint32_t tasks = track->config->n_tasks;
    uint32_t first = 0;

    while (first < track->set.n) {
        uint32_t vnode = sl_scylla_stream_vnode(&track->set.streams[first]);
        uint32_t n = 1;

        while (first + n < track->set.n && sl_scylla_stream_vnode(&track->set.streams[first + n]) == vnode)
            n++;
        if ((vnode + track->log->number) % tasks == (uint32_t)track->env->task)
            (void)add_lane(track, vnode, 0, first, n);
        first += n;
    }
}

/* Streams that are parts of the same lane stand together, in their order within it. */
static void sort_by_part(struct sl_scylla_stream_set *set, uint32_t parts)
{
    struct sl_scylla_stream *sorted = sl_zalloc((size_t)set->n + 1, sizeof(*sorted));
    uint32_t n = 0;

    for (uint32_t part = 0; part < parts; part++)
        for (uint32_t i = 0; i < set->n; i++)
            if (sl_scylla_stream_part(&set->streams[i], parts) == part)
                sorted[n++] = set->streams[i];
    sl_free(set->streams);
    set->streams = sorted;
}

static void add_tablet_lanes(struct sl_scylla_track *track)
{
    uint32_t parts = track->config->n_tasks;
    uint32_t first = 0;

    if (parts == 1) {
        (void)add_lane(track, 0, 0, 0, track->set.n);
        return;
    }
    sort_by_part(&track->set, parts);
    for (uint32_t part = 0; part < parts; part++) {
        uint32_t n = 0;

        while (first + n < track->set.n &&
               sl_scylla_stream_part(&track->set.streams[first + n], parts) == part)
            n++;
        if (n && (part + track->log->number) % parts == (uint32_t)track->env->task)
            (void)add_lane(track, part, parts, first, n);
        first += n;
    }
}

bool sl_scylla_track_is_ours(const struct sl_scylla_track *track, const struct sl_scylla_stream *stream)
{
    uint32_t tasks = track->config->n_tasks;
    uint32_t part =
        track->log->table->tablets ? sl_scylla_stream_part(stream, tasks) : sl_scylla_stream_vnode(stream);

    return (part + track->log->number) % tasks == (uint32_t)track->env->task;
}

/* ---- positions ---- */

static enum sl_rc load_offsets(struct sl_scylla_track *track, struct sl_scylla_offsets *ret,
                               struct sl_error *err)
{
    *ret = (struct sl_scylla_offsets){0};
    return track->env->stored_offsets(track->env->ctx, sl_scylla_offsets_visit, ret, err);
}

static bool is_of_table(const struct sl_scylla_track *track, const struct sl_scylla_offset *offset)
{
    return strcmp(offset->keyspace, track->log->table->keyspace) == 0 &&
           strcmp(offset->table, track->log->table->name) == 0;
}

/*
 * The newest set that has positions: the ones before it were left for it, so they are done with.
 * *ret_has_older: there were such.
 */
static int64_t newest_stored(const struct sl_scylla_track *track, const struct sl_scylla_offsets *offsets,
                             bool *ret_has_older)
{
    int64_t newest_ms = SL_SCYLLA_NO_TIME;

    *ret_has_older = false;
    for (size_t i = 0; i < offsets->n; i++) {
        const struct sl_scylla_offset *offset = &offsets->items[i];

        if (!is_of_table(track, offset))
            continue;
        *ret_has_older =
            *ret_has_older || (newest_ms != SL_SCYLLA_NO_TIME && offset->generation_ms != newest_ms);
        newest_ms = offset->generation_ms > newest_ms ? offset->generation_ms : newest_ms;
    }
    return newest_ms;
}

/* Has every stream of the set a stored position beyond its end? Those of other tasks are in the log only. */
static enum sl_rc all_finished(struct sl_scylla_track *track, bool *ret_all, struct sl_error *err)
{
    struct sl_scylla_lane lane = {.log = track->log, .generation_ms = track->set.start_ms, .n = 1};
    struct sl_scylla_offsets offsets;
    enum sl_rc rc;

    for (uint32_t i = 0; i < track->n_lanes; i++)
        if (!track->lanes[i].finished || track->lanes[i].moved) { /* its end is to be stored first */
            *ret_all = false;
            return SL_OK;
        }
    *ret_all = true;
    if (track->config->n_tasks == 1)
        return SL_OK;
    rc = load_offsets(track, &offsets, err);
    for (uint32_t i = 0; rc == SL_OK && *ret_all && i < track->set.n; i++) {
        lane.streams = &track->set.streams[i];
        lane.part = sl_scylla_stream_vnode(lane.streams);
        lane.start_ms = track->set.start_ms;
        (void)sl_scylla_lane_resume(&lane, &offsets);
        *ret_all = lane.start_ms > track->next_ms;
    }
    sl_scylla_lane_done(&lane);
    sl_scylla_offsets_done(&offsets);
    return rc;
}

/* ---- positions that nothing needs any more ---- */

static bool has_former(const struct sl_scylla_track *track, const struct sl_scylla_offsets *offsets)
{
    for (size_t i = 0; i < offsets->n; i++)
        if (is_of_table(track, &offsets->items[i]) && offsets->items[i].generation_ms < track->set.start_ms)
            return true;
    return false;
}

static bool all_begun(const struct sl_scylla_track *track, const struct sl_scylla_offsets *offsets)
{
    struct sl_scylla_lane lane = {.log = track->log, .generation_ms = track->set.start_ms, .n = 1};
    bool all = true;

    for (uint32_t i = 0; all && i < track->set.n; i++) {
        lane.streams = &track->set.streams[i];
        lane.part = sl_scylla_stream_vnode(lane.streams);
        lane.start_ms = track->set.start_ms;
        all = sl_scylla_lane_resume(&lane, offsets);
    }
    sl_scylla_lane_done(&lane);
    return all;
}

static void remove_former(const struct sl_scylla_track *track, const struct sl_scylla_offsets *offsets,
                          struct sl_batch *batch)
{
    const struct sl_scylla_table *table = track->log->table;
    struct sl_buf partition = {0};
    uint32_t n = 0;

    for (size_t i = 0; i < offsets->n; i++) {
        const struct sl_scylla_offset *offset = &offsets->items[i];

        if (!is_of_table(track, offset) || offset->generation_ms >= track->set.start_ms)
            continue;
        sl_buf_reset(&partition);
        sl_scylla_offset_put_partition(&partition, table->keyspace, table->name, offset->part, offset->parts,
                                       offset->generation_ms);
        sl_batch_add_position(batch, (struct sl_span){partition.data, partition.len}, (struct sl_span){0});
        n++;
    }
    sl_buf_done(&partition);
    sl_info("positions of former generations are removed", SL_T("table", table->name), SL_I("positions", n));
}

enum sl_rc sl_scylla_track_tidy(struct sl_scylla_track *track, int64_t now_ms, struct sl_batch *batch,
                                struct sl_error *err)
{
    int64_t ttl_ms = track->log->table->cdc.ttl_s * 1000;
    struct sl_scylla_offsets offsets;
    enum sl_rc rc;

    if (!track->has_set || !ttl_ms || now_ms < track->tidy_ms || track->set.start_ms >= now_ms - ttl_ms)
        return SL_OK;
    track->tidy_ms = now_ms + (ttl_ms / 4 < TIDY_MIN_MS   ? TIDY_MIN_MS
                               : ttl_ms / 4 > TIDY_MAX_MS ? TIDY_MAX_MS
                                                          : ttl_ms / 4);
    rc = load_offsets(track, &offsets, err);
    if (rc == SL_OK && has_former(track, &offsets) && all_begun(track, &offsets))
        remove_former(track, &offsets, batch);
    sl_scylla_offsets_done(&offsets);
    return rc;
}

/* ---- age ---- */

/*
 * snapshot.mode=when_needed: can it go on from where a snapshot began, behind which all rows are read anew?
 * Where none has begun since, one is asked for.
 */
static bool has_snapshot(struct sl_scylla_track *track, int64_t position_ms, int64_t oldest_ms)
{
    bool has = track->from_ms != SL_SCYLLA_NO_TIME && track->from_ms > position_ms &&
               track->from_ms + SL_SCYLLA_SNAPSHOT_MARGIN_MS >= oldest_ms;

    if (!has)
        track->needs_snapshot = true;
    return has;
}

enum sl_rc sl_scylla_track_check_age(struct sl_scylla_track *track, struct sl_scylla_lane *lane,
                                     int64_t now_ms, bool *ret_wait, struct sl_error *err)
{
    const struct sl_scylla_table *table = track->log->table;
    int64_t oldest_ms = now_ms - table->cdc.ttl_s * 1000;
    bool by_snapshot = track->config->snapshot == SL_SCYLLA_SNAPSHOT_WHEN_NEEDED && !lane->first_pass;
    char from[SL_CLOCK_TEXT], to[SL_CLOCK_TEXT];

    *ret_wait = false;
    if (!table->cdc.ttl_s || lane->finished || lane->start_ms >= oldest_ms || lane->scan)
        return SL_OK;
    if (by_snapshot && !has_snapshot(track, lane->start_ms, oldest_ms)) {
        *ret_wait = true;
        return SL_OK;
    }
    if (by_snapshot)
        oldest_ms = track->from_ms;
    sl_clock_text(lane->start_ms, from);
    sl_clock_text(oldest_ms, to);
    if (!lane->first_pass && !by_snapshot && !track->config->go_on_when_expired)
        return sl_error_set(err, SL_E_GAP,
                            "table '%s.%s': the position (%s) lies behind what its change log still holds "
                            "(cdc ttl %lld s: from %s); changes between them may be gone. HINT: "
                            "snapshot.mode=when_needed reads all rows anew; sluice.scylla.expired=continue "
                            "goes on with what is there",
                            table->keyspace, table->name, from, (long long)table->cdc.ttl_s, to);
    if (!lane->first_pass && !track->warned)
        sl_warn(by_snapshot
                    ? "the position lies behind what the change log still holds; going on where the "
                      "snapshot began (rows that were deleted meanwhile stay in the target)"
                    : "the position lies behind what the change log still holds; going on with what is "
                      "there",
                SL_T("table", table->name), SL_T("position", from), SL_T("from", to));
    track->warned = track->warned || !lane->first_pass;
    lane->start_ms = track->next_ms != INT64_MAX && oldest_ms > track->next_ms ? track->next_ms : oldest_ms;
    return SL_OK;
}

/* ---- sets ---- */

/* Where a table without positions begins. */
static int64_t first_start_ms(const struct sl_scylla_track *track, int64_t now_ms)
{
    int64_t ttl_s = track->log->table->cdc.ttl_s;

    if (track->from_ms != SL_SCYLLA_NO_TIME)
        return track->from_ms;
    if (track->config->lookback_ms)
        return now_ms - track->config->lookback_ms;
    return ttl_s ? now_ms - ttl_s * 1000 : 0;
}

/* The set to begin with; SL_SCYLLA_NO_TIME: there is none yet. */
static enum sl_rc choose_first(struct sl_scylla_track *track, const struct sl_scylla_offsets *offsets,
                               int64_t now_ms, int64_t *ret_ms, struct sl_error *err)
{
    bool has_older;
    int64_t set_ms = newest_stored(track, offsets, &has_older), next_ms;
    enum sl_rc rc = SL_OK;

    /* Positions of this set alone may be those of another task that began a moment ago. */
    track->first_start = !has_older;
    *ret_ms = set_ms;
    if (set_ms != SL_SCYLLA_NO_TIME)
        return SL_OK;
    rc = sl_scylla_next_generation(track->cql, track->log->table, 0, &set_ms, err);
    while (rc == SL_OK && set_ms != SL_SCYLLA_NO_TIME) {
        *ret_ms = set_ms;
        rc = sl_scylla_next_generation(track->cql, track->log->table, set_ms, &next_ms, err);
        if (rc != SL_OK || next_ms == SL_SCYLLA_NO_TIME || next_ms > first_start_ms(track, now_ms))
            break; /* it is open, or still holds something to read */
        set_ms = next_ms;
    }
    return rc;
}

/*
 * A set without streams: visible before they are, and then never stepped over; or so old that they were
 * cleared away with its rows, and then done with, or a gap.
 */
static enum sl_rc without_streams(struct sl_scylla_track *track, int64_t set_ms, int64_t next_ms,
                                  const struct sl_scylla_offsets *offsets, int64_t now_ms,
                                  struct sl_error *err)
{
    const struct sl_scylla_table *table = track->log->table;
    bool expired =
        next_ms != SL_SCYLLA_NO_TIME && table->cdc.ttl_s && next_ms < now_ms - table->cdc.ttl_s * 1000;
    bool finished = true;

    track->wanted_ms = set_ms;
    if (!expired) {
        if (!track->warned)
            sl_warn("a generation of the change log shows no streams yet; waiting for them",
                    SL_T("table", table->name), SL_I("generation", set_ms));
        track->warned = true;
        return SL_OK;
    }
    for (size_t i = 0; i < offsets->n; i++)
        if (is_of_table(track, &offsets->items[i]) && offsets->items[i].generation_ms == set_ms)
            finished = finished && offsets->items[i].start_ms > next_ms;
    if (!finished && track->config->snapshot == SL_SCYLLA_SNAPSHOT_WHEN_NEEDED) {
        if (!has_snapshot(track, next_ms, now_ms - table->cdc.ttl_s * 1000))
            return SL_OK; /* looked at again when it has begun */
    } else if (!finished && !track->config->go_on_when_expired) {
        return sl_error_set(
            err, SL_E_GAP,
            "table '%s.%s': the position lies in a generation of its change log that expired (cdc "
            "ttl %lld s): changes may be gone. HINT: snapshot.mode=when_needed reads all rows anew; "
            "sluice.scylla.expired=continue goes on with what is there",
            table->keyspace, table->name, (long long)table->cdc.ttl_s);
    }
    track->wanted_ms = next_ms;
    track->look_ms = 0;
    return SL_OK;
}

static void place_lane(struct sl_scylla_track *track, struct sl_scylla_lane *lane,
                       const struct sl_scylla_offsets *offsets, int64_t now_ms)
{
    int64_t first_ms = first_start_ms(track, now_ms);

    if (!sl_scylla_lane_resume(lane, offsets) && track->first_start) {
        lane->first_pass = track->from_ms == SL_SCYLLA_NO_TIME; /* a snapshot's position must not expire */
        lane->start_ms = first_ms > lane->start_ms ? first_ms : lane->start_ms;
    }
    lane->finished = lane->start_ms > track->next_ms;
    lane->moved = !lane->finished;
}

/* Open the set: its end, its streams, this task's lanes, and where each of them begins. */
static enum sl_rc open_set(struct sl_scylla_track *track, int64_t set_ms,
                           const struct sl_scylla_offsets *offsets, int64_t now_ms, struct sl_error *err)
{
    const struct sl_scylla_table *table = track->log->table;
    struct sl_scylla_stream_set set = {0};
    int64_t next_ms = SL_SCYLLA_NO_TIME;
    enum sl_rc rc = sl_scylla_next_generation(track->cql, table, set_ms, &next_ms, err);

    if (rc == SL_OK)
        rc = sl_scylla_read_streams(track->cql, table, set_ms, &set, err);
    if (rc != SL_OK)
        return rc;
    if (!set.n)
        return without_streams(track, set_ms, next_ms, offsets, now_ms, err);
    drop_set(track);
    track->set = set;
    track->has_set = true;
    track->warned = false;
    track->wanted_ms = SL_SCYLLA_NO_TIME;
    track->next_ms = next_ms == SL_SCYLLA_NO_TIME ? INT64_MAX : next_ms;
    if (table->tablets)
        add_tablet_lanes(track);
    else
        add_vnode_lanes(track);
    for (uint32_t i = 0; i < track->n_lanes; i++)
        place_lane(track, &track->lanes[i], offsets, now_ms);
    sl_info("reading a table's change log", SL_T("keyspace", table->keyspace), SL_T("table", table->name),
            SL_I("generation", set_ms), SL_I("streams", set.n), SL_I("lanes", track->n_lanes));
    return SL_OK;
}

static enum sl_rc begin(struct sl_scylla_track *track, int64_t now_ms, struct sl_error *err)
{
    struct sl_scylla_offsets offsets;
    int64_t set_ms = track->wanted_ms;
    enum sl_rc rc = load_offsets(track, &offsets, err);

    if (rc == SL_OK && set_ms == SL_SCYLLA_NO_TIME)
        rc = choose_first(track, &offsets, now_ms, &set_ms, err);
    if (rc == SL_OK && set_ms != SL_SCYLLA_NO_TIME)
        rc = open_set(track, set_ms, &offsets, now_ms, err);
    else if (rc == SL_OK && !track->warned) {
        sl_warn("the change log has no generation of streams yet; waiting for it",
                SL_T("table", track->log->table->name));
        track->warned = true;
    }
    sl_scylla_offsets_done(&offsets);
    return rc;
}

/* The end of the set, when it has one. */
static enum sl_rc find_end(struct sl_scylla_track *track, struct sl_error *err)
{
    int64_t next_ms = SL_SCYLLA_NO_TIME;
    enum sl_rc rc =
        sl_scylla_next_generation(track->cql, track->log->table, track->set.start_ms, &next_ms, err);

    if (rc != SL_OK || next_ms == SL_SCYLLA_NO_TIME)
        return rc;
    sl_info("a generation of the change log ends", SL_T("table", track->log->table->name),
            SL_I("generation", track->set.start_ms), SL_I("next", next_ms));
    track->next_ms = next_ms;
    for (uint32_t i = 0; i < track->n_lanes; i++) {
        struct sl_scylla_lane *lane = &track->lanes[i];

        /* A window that reaches beyond the end is cut there: what is beyond lies in other streams. */
        if (!lane->finished && !lane->scan && lane->start_ms >= next_ms) {
            lane->start_ms = next_ms + 1;
            lane->finished = true;
            lane->moved = true;
        }
    }
    return SL_OK;
}

enum sl_rc sl_scylla_track_look(struct sl_scylla_track *track, int64_t now_ms, struct sl_error *err)
{
    bool all = false;
    enum sl_rc rc = SL_OK;

    if (now_ms < track->look_ms)
        return SL_OK;
    track->look_ms = now_ms + LOOK_AGAIN_MS;
    if (!track->has_set || track->wanted_ms != SL_SCYLLA_NO_TIME)
        return begin(track, now_ms, err);
    if (track->next_ms == INT64_MAX)
        rc = find_end(track, err);
    if (rc == SL_OK && track->next_ms != INT64_MAX)
        rc = all_finished(track, &all, err);
    if (rc == SL_OK && all) {
        track->wanted_ms = track->next_ms;
        track->first_start = false;
        return begin(track, now_ms, err);
    }
    if (rc == SL_OK && track->next_ms == INT64_MAX)
        track->look_ms = now_ms + LOOK_MS;
    return rc;
}
