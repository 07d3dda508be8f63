/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows that may only be early. First what stands before them commits, in each partition of the batch, with
 * its position: another task may be waiting for it. Then they are waited for outside any transaction, holding
 * no row: a look every now and then whether one of them would be taken now (BEGIN, the row, ROLLBACK).
 *
 * Each has its own time, sluice.row.wait.ms, which runs only while nothing can bring what it waits for. It
 * begins anew whenever
 *   - another task of the connector, or another partition of this one, waits with an earlier row (others.h):
 *     what this row waits for may stand behind that one;
 *   - a partition of another task moves, as long as it has not reached the end that it had when the wait
 *     began. For a row of a snapshot, whose tables come into the log in any order, all that moves counts for
 *     120 times as long first.
 * A partition that is behind and stands still (a long transaction, a worker that died, a task that is paused
 * or failed) gives six times as long, once. All of it ends: an earlier row has its time, too, and nothing
 * counts that came into the log later.
 */
#include "sink/postgres/split.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdio.h>

#define FIRST_PAUSE_US INT64_C(50000)
#define LONGEST_PAUSE_US INT64_C(500000)
#define LONGEST_ATTEMPT_US                                                                     \
    INT64_C(2000000)            /* an attempt that takes so long is made again only after that \
                                 */
#define SLICE_US INT64_C(50000) /* how soon a stop is answered */
enum {
    PROBES = 64,      /* rows of one look */
    BEHIND_WAITS = 6, /* so many times row.wait.ms while another task is behind and does not move */
    OPEN_WAITS = 120, /* so many times row.wait.ms a row of a snapshot waits while anything moves */
};

struct hold {
    struct sl_pgsink_split *split;
    struct sl_pgsink_place *places;             /* of the waiting rows, in their order */
    const struct sl_pgsink_place **first_place; /* of each partition of the batch; NULL: none waits there */
    size_t next_probe;
    char what[SL_ERROR_TEXT_SIZE];
};

/* ---- what stands before ---- */

/* A part of the batch ends before what could not be applied. */
static void shorten(const struct sl_pgsink_split *split, int64_t *limits)
{
    const struct sl_record *records = split->batch->records;

    for (size_t i = 0; i < split->n_waiting; i++) {
        const struct sl_record *record = &records[split->waiting[i].record];

        if (record->offset < limits[record->origin])
            limits[record->origin] = record->offset;
    }
    for (uint32_t i = split->end; i < split->batch->n_records; i++) {
        if (records[i].offset < limits[records[i].origin])
            limits[records[i].origin] = records[i].offset;
    }
}

static void part_of(const struct sl_batch *batch, const int64_t *limits, struct sl_batch *part)
{
    part->n_progress = 0;
    for (uint32_t p = 0; p < batch->n_progress; p++) {
        if (limits[p] <= batch->progress[p].first_offset)
            continue;
        part->progress[part->n_progress] = batch->progress[p];
        part->progress[part->n_progress++].next_offset = limits[p];
    }
}

/* The part is in the target: what is left begins behind it. */
static void take_off(struct sl_pgsink_split *split, const int64_t *limits, const struct sl_batch *part)
{
    struct sl_batch *batch = split->batch;

    sl_pgsink_positions_advance(split->sink, part);
    for (uint32_t i = 0; i < batch->n_records; i++)
        split->done[i] |= batch->records[i].offset < limits[batch->records[i].origin];
    for (uint32_t p = 0; p < batch->n_progress; p++) {
        if (limits[p] > batch->progress[p].first_offset)
            batch->progress[p].first_offset = limits[p];
    }
}

/*
 * What stands before the waiting rows may itself need what stands behind them in another partition: the part
 * then ends before it, too.
 */
static enum sl_rc commit_part(struct sl_pgsink_split *split, int64_t *limits, struct sl_batch *part,
                              struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    for (;;) {
        shorten(split, limits);
        part_of(split->batch, limits, part);
        if (!part->n_progress)
            return SL_OK;
        split->limits = limits;
        rc = sl_pgsink_attempt(split, part, err);
        split->limits = NULL;
        if (rc != SL_OK)
            return rc;
        if (sl_pgsink_is_settled(split)) {
            take_off(split, limits, part);
            return SL_OK;
        }
    }
}

static enum sl_rc commit_before(struct sl_pgsink_split *split, struct sl_error *err)
{
    const struct sl_batch *batch = split->batch;
    size_t n = batch->n_progress;
    int64_t *limits = sl_zalloc(n + 1, sizeof(*limits));
    struct sl_batch part = {.progress = sl_zalloc(n + 1, sizeof(*part.progress))};
    size_t n_waiting = split->n_waiting;
    struct sl_pgsink_waiter *waiting = sl_zalloc(n_waiting + 1, sizeof(*waiting));
    enum sl_rc rc;

    for (size_t p = 0; p < n; p++)
        limits[p] = batch->progress[p].next_offset;
    memcpy(waiting, split->waiting, n_waiting * sizeof(*waiting));
    rc = commit_part(split, limits, &part, err);
    memcpy(split->waiting, waiting, n_waiting * sizeof(*waiting)); /* it never shrinks */
    split->n_waiting = n_waiting;
    sl_free(waiting);
    sl_free(part.progress);
    sl_free(limits);
    return rc;
}

/* ---- time ---- */

void sl_pgsink_start_clock(struct sl_pgsink_split *split, uint32_t record)
{
    if (!split->clocks)
        split->clocks = sl_zalloc((size_t)split->batch->n_records + 1, sizeof(*split->clocks));
    if (!split->clocks[record].since_us)
        split->clocks[record].since_us = sl_now_us();
}

bool sl_pgsink_is_late(const struct sl_pgsink_split *split, uint32_t record)
{
    const struct sl_pgsink_clock *clock = &split->clocks[record];
    int64_t wait_us = split->sink->config.row_wait_us * (clock->behind ? BEHIND_WAITS : 1);

    if (split->follows[record])
        return false;
    return wait_us == 0 || split->judged_us - clock->since_us >= wait_us;
}

/* A failed look tells nothing; a lost connection is told by what comes next. */
static enum sl_rc unless_lost(enum sl_rc rc)
{
    return rc == SL_E_CONNECT || rc == SL_E_STOPPED ? rc : SL_OK;
}

static enum sl_rc find_places(struct hold *hold, struct sl_error *err)
{
    struct sl_pgsink_split *split = hold->split;

    for (size_t i = 0; i < split->n_waiting; i++) {
        uint32_t index = split->waiting[i].record;
        const struct sl_record *record = &split->batch->records[index];
        struct sl_pgsink_place *place = &hold->places[i];
        struct sl_pgsink_target *target = NULL;
        const struct sl_pgsink_place **first = &hold->first_place[record->origin];
        uint32_t depth = 0;
        enum sl_rc rc = sl_pgsink_split_target(split, index, &target, err);

        if (rc == SL_OK)
            rc = sl_pgsink_depth(split->sink, target, &depth, err);
        if (rc != SL_OK)
            return rc;
        sl_pgsink_place_of(record, depth, split->sink->env->task, place);
        if (!*first || memcmp(place, *first, sizeof(*place)) < 0)
            *first = place;
    }
    return SL_OK;
}

static const struct sl_pgsink_place *earliest_own(const struct hold *hold)
{
    const struct sl_pgsink_place *earliest = &hold->places[0];

    for (size_t i = 1; i < hold->split->n_waiting; i++) {
        if (memcmp(&hold->places[i], earliest, sizeof(*earliest)) < 0)
            earliest = &hold->places[i];
    }
    return earliest;
}

/* Give the rows that wait for the first time, of a snapshot or not, what may still bring what they need. */
static enum sl_rc find_ahead_of(struct sl_pgsink_split *split, bool snapshot, struct sl_error *err)
{
    uint32_t ahead = 0;
    enum sl_rc rc = SL_OK;

    for (size_t i = 0; i < split->n_waiting; i++) {
        uint32_t record = split->waiting[i].record;
        struct sl_pgsink_clock *clock = &split->clocks[record];

        if (clock->ahead || sl_pgsink_from_snapshot(&split->batch->records[record]) != snapshot)
            continue;
        if (!ahead) {
            int64_t now_us = sl_now_us();

            SL_GROW(split->aheads, split->n_aheads, split->aheads_capacity);
            ahead = (uint32_t)++split->n_aheads;
            rc = sl_pgsink_ahead_begin(split->sink,
                                       snapshot ? now_us + OPEN_WAITS * split->sink->config.row_wait_us : 0,
                                       &split->aheads[ahead - 1], err);
        }
        clock->ahead = ahead;
        clock->since_us = sl_now_us();
    }
    return rc;
}

static enum sl_rc find_ahead(struct sl_pgsink_split *split, struct sl_error *err)
{
    enum sl_rc rc = find_ahead_of(split, true, err);

    return rc == SL_OK ? find_ahead_of(split, false, err) : rc;
}

/* Does a row wait in another partition of this batch that is earlier, with more behind it in the log? */
static bool own_is_earlier(const struct hold *hold, size_t waiter, const struct sl_pgsink_ahead *ahead)
{
    const struct sl_batch *batch = hold->split->batch;
    const struct sl_record *record = &batch->records[hold->split->waiting[waiter].record];

    for (uint32_t p = 0; p < batch->n_progress; p++) {
        const struct sl_pgsink_place *place = hold->first_place[p];

        if (place && p != record->origin && memcmp(place, &hold->places[waiter], sizeof(*place)) < 0 &&
            sl_pgsink_ahead_has(ahead, &batch->progress[p]))
            return true;
    }
    return false;
}

/* Say for what and behind whom the first row waits: in the status always, in the log once. */
static void say(struct hold *hold, const struct sl_pgsink_place *other, bool moved)
{
    struct sl_pgsink_split *split = hold->split;
    const struct sl_sink_env *env = split->sink->env;
    const struct sl_pgsink_waiter *first = &split->waiting[0];
    const struct sl_record *record = &split->batch->records[first->record];
    struct sl_progress none = {0};
    const struct sl_progress *from =
        split->batch->n_progress ? &split->batch->progress[record->origin] : &none;
    char behind[64] = "none";
    char what[SL_ERROR_TEXT_SIZE];

    if (other)
        (void)snprintf(behind, sizeof(behind), "an earlier row of task %d", sl_pgsink_place_task(other));
    else if (moved)
        (void)snprintf(behind, sizeof(behind), "tasks that are behind");
    (void)snprintf(what, sizeof(what), "%zu row(s) wait, behind: %s; the first: %.120s-%d@%lld: %.260s",
                   split->n_waiting, behind, from->topic ? from->topic->name : "", (int)from->partition,
                   (long long)record->offset, first->why.text);
    if (env->waits && strcmp(what, hold->what) != 0)
        env->waits(env->ctx, what);
    memcpy(hold->what, what, sizeof(what));
    if (!split->said)
        sl_info("rows wait for others that they need", SL_T("topic", from->topic ? from->topic->name : ""),
                SL_I("partition", from->partition), SL_I("offset", record->offset),
                SL_I("rows", split->n_waiting), SL_T("behind", behind), SL_T("error", first->why.text));
    split->said = true;
}

/* The other task whose earlier row this one may wait behind; NULL: there is none. */
static const struct sl_pgsink_place *before(const struct sl_pgsink_place *place,
                                            const struct sl_pgsink_ahead *ahead,
                                            const struct sl_pgsink_place *others, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (memcmp(&others[i], place, sizeof(*place)) < 0 &&
            sl_pgsink_ahead_has_task(ahead, sl_pgsink_place_task(&others[i])))
            return &others[i];
    }
    return NULL;
}

/* Whose time begins anew? */
static void set_clocks(struct hold *hold, const bool *moved, const struct sl_pgsink_place *others, size_t n)
{
    struct sl_pgsink_split *split = hold->split;
    const struct sl_pgsink_place *first = NULL;
    bool any_moves = false;

    for (size_t i = 0; i < split->n_waiting; i++) {
        struct sl_pgsink_clock *clock = &split->clocks[split->waiting[i].record];
        const struct sl_pgsink_ahead *ahead = &split->aheads[clock->ahead - 1];
        const struct sl_pgsink_place *other = before(&hold->places[i], ahead, others, n);

        clock->behind = sl_pgsink_ahead_has_idle(ahead, split->sink->env->task, &hold->places[i], others, n);
        if (other || moved[clock->ahead - 1] || own_is_earlier(hold, i, ahead))
            clock->since_us = split->judged_us;
        any_moves |= clock->behind || moved[clock->ahead - 1];
        if (i == 0)
            first = other;
    }
    say(hold, first, any_moves);
}

static enum sl_rc judge(struct hold *hold, struct sl_error *err)
{
    struct sl_pgsink_split *split = hold->split;
    struct sl_pgsink_place *others = NULL;
    size_t n = 0;
    bool *moved = sl_zalloc(split->n_aheads + 1, sizeof(*moved));
    enum sl_rc rc = sl_pgsink_others(split->sink, &others, &n, err);

    split->judged_us = sl_now_us(); /* what nobody tells does not stop a clock */
    if (rc == SL_OK)
        rc = sl_pgsink_ahead_look(split->sink, split->aheads, split->n_aheads, moved, err);
    if (rc == SL_OK)
        set_clocks(hold, moved, others, n);
    sl_free(moved);
    sl_free(others);
    return unless_lost(rc);
}

static bool any_is_late(const struct sl_pgsink_split *split)
{
    for (size_t i = 0; i < split->n_waiting; i++) {
        if (sl_pgsink_is_late(split, split->waiting[i].record))
            return true;
    }
    return false;
}

/* ---- waiting ---- */

static enum sl_rc pause(const struct sl_pgsink_split *split, int64_t pause_us, struct sl_error *err)
{
    const struct sl_sink_env *env = split->sink->env;

    for (; pause_us > 0; pause_us -= SLICE_US) {
        enum sl_rc rc;

        if (env->interrupted && env->interrupted(env->ctx))
            return sl_error_set(err, SL_E_STOPPED, "asked to stop while rows wait for others");
        rc = sl_pg_pause(split->sink->pg, pause_us < SLICE_US ? pause_us : SLICE_US, err);
        if (rc != SL_OK)
            return rc;
    }
    return SL_OK;
}

/* Would the target take one of them now? A table that changed or a conflict is for the next attempt. */
static enum sl_rc probe(struct hold *hold, bool *ret_taken, struct sl_error *err)
{
    struct sl_pgsink_split *split = hold->split;
    enum sl_rc rc = sl_pgsink_flight_begin(split->sink, NULL, err);

    *ret_taken = false;
    if (rc != SL_OK)
        return unless_lost(rc);
    for (size_t i = 0; i < split->n_waiting && i < PROBES && !*ret_taken; i++) {
        uint32_t record = split->waiting[hold->next_probe++ % split->n_waiting].record;
        struct sl_error why = {0};

        if (split->follows[record])
            continue;
        rc = sl_pgsink_try_one(split, record, &why, err);
        *ret_taken = rc == SL_OK || (why.kind != SL_KIND_DATA && rc != SL_E_BUSY);
        if (unless_lost(rc) != SL_OK)
            return rc;
    }
    return unless_lost(sl_pg_run(split->sink->pg, "ROLLBACK", err));
}

static int64_t bounded_pause(const struct sl_pgsink_split *split)
{
    int64_t longest_us = LONGEST_PAUSE_US;
    int64_t least_us = split->attempt_us < LONGEST_ATTEMPT_US ? split->attempt_us : LONGEST_ATTEMPT_US;

    if (split->sink->config.row_wait_us / 4 < longest_us)
        longest_us = split->sink->config.row_wait_us / 4;
    return split->pause_us > longest_us ? (least_us > longest_us ? least_us : longest_us)
           : split->pause_us > least_us ? split->pause_us
                                        : least_us;
}

/* Rather than wait, may the task go on with its other partitions? */
static enum sl_rc go_on_elsewhere(const struct hold *hold, struct sl_error *err)
{
    const struct sl_pgsink_split *split = hold->split;
    const struct sl_sink_env *env = split->sink->env;
    const struct sl_batch *batch = split->batch;
    struct sl_progress *rows;
    int64_t open_us = 0;
    size_t n = 0;
    bool aside;

    if (!env->set_aside || env->whole)
        return SL_OK;
    rows = sl_zalloc((size_t)batch->n_progress + 1, sizeof(*rows));
    for (uint32_t p = 0; p < batch->n_progress; p++) {
        if (hold->first_place[p])
            rows[n++] = batch->progress[p];
    }
    for (size_t i = 0; i < split->n_waiting; i++) {
        if (sl_pgsink_from_snapshot(&batch->records[split->waiting[i].record]))
            open_us = OPEN_WAITS * split->sink->config.row_wait_us;
    }
    aside = env->set_aside(env->ctx, batch, rows, n, sl_now_us() - split->began_us, open_us);
    sl_free(rows);
    return aside ? sl_error_set(err, SL_E_STOPPED, "the task goes on with other partitions while rows wait")
                 : SL_OK;
}

static enum sl_rc wait_for_others(struct hold *hold, struct sl_error *err)
{
    struct sl_pgsink_split *split = hold->split;
    bool taken = false;
    enum sl_rc rc = judge(hold, err);

    while (rc == SL_OK && !taken && !any_is_late(split)) {
        split->pause_us = split->pause_us ? split->pause_us * 3 / 2 : FIRST_PAUSE_US;
        rc = pause(split, bounded_pause(split), err);
        if (rc == SL_OK)
            rc = probe(hold, &taken, err);
        if (rc == SL_OK && !taken)
            rc = judge(hold, err);
        if (rc == SL_OK && !taken)
            rc = go_on_elsewhere(hold, err);
    }
    return rc;
}

enum sl_rc sl_pgsink_hold(struct sl_pgsink_split *split, struct sl_error *err)
{
    struct hold hold = {
        .split = split,
        .places = sl_zalloc(split->n_waiting + 1, sizeof(*hold.places)),
        .first_place = sl_zalloc((size_t)split->batch->n_progress + 1, sizeof(struct sl_pgsink_place *)),
    };
    enum sl_rc rc = split->sink->env->whole ? SL_OK : commit_before(split, err);

    if (rc == SL_OK)
        rc = find_places(&hold, err);
    if (rc == SL_OK)
        rc = sl_pgsink_publish(split->sink, earliest_own(&hold), err);
    if (rc == SL_OK)
        rc = find_ahead(split, err);
    if (rc == SL_OK)
        rc = wait_for_others(&hold, err);
    sl_free(hold.places);
    sl_free(hold.first_place);
    return rc;
}

void sl_pgsink_hold_end(struct sl_pgsink_split *split, enum sl_rc rc)
{
    const struct sl_sink_env *env = split->sink->env;

    if (rc == SL_OK) /* after an error the connection is dropped, and what it has said with it */
        (void)sl_pgsink_retract(split->sink, NULL);
    if (split->said && env->waits)
        env->waits(env->ctx, "");
    for (size_t i = 0; i < split->n_aheads; i++)
        sl_pgsink_ahead_done(&split->aheads[i]);
    sl_free(split->aheads);
    sl_free(split->clocks);
}
