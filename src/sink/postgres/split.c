/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The slow way, for a batch that the target refused: in one transaction, ranges of the batch in the order of
 * the log, each under a savepoint, halved until what fails is one record. A bad record costs about 2 log2(n)
 * statements; the rest commits together with the position.
 *
 * A record that refers to another row (foreign key, a unique index that is not the key) may only be early: it
 * waits until the rest is applied, and is then tried again as long as that brings others on. What is left
 * then waits outside the transaction (hold.c), and is bad when its time is over.
 */
#include "sink/postgres/split.h"

#include "base/clock.h"
#include "sink/postgres/range.h"
#include "sluice/position.h"

enum { MAX_ATTEMPTS = 20 };

static const struct sl_run *run_of(const struct sl_batch *batch, uint32_t record)
{
    uint32_t low = 0;
    uint32_t high = batch->n_runs;

    while (high - low > 1) {
        uint32_t middle = (low + high) / 2;

        if (batch->runs[middle].first <= record)
            low = middle;
        else
            high = middle;
    }
    return &batch->runs[low];
}

/* What waits behind a bad record of its key (errors.park.keys) is out, like the bad ones. */
static enum sl_rc leave_parked_out(struct sl_pgsink_split *split, struct sl_error *err)
{
    const struct sl_sink_env *env = split->sink->env;
    const uint8_t *parked = NULL;
    uint64_t generation = 0;
    enum sl_rc rc = env->parked ? env->parked(env->ctx, split->batch, &parked, &generation, err) : SL_OK;

    for (uint32_t i = 0; rc == SL_OK && parked && i < split->batch->n_records; i++) {
        split->out[i] |= parked[i];
        split->skip[i] |= parked[i];
    }
    return rc;
}

static enum sl_rc report(struct sl_pgsink_split *split, uint32_t record, const struct sl_error *why,
                         struct sl_error *err)
{
    enum sl_rc rc;

    if (split->out[record])
        return SL_OK;
    rc = split->sink->env->bad_record(split->sink->env->ctx, split->batch, record, why, err);
    if (rc != SL_OK)
        return rc;
    split->out[record] = 1;
    split->skip[record] = 1;
    return leave_parked_out(split, err);
}

static enum sl_rc report_bads(struct sl_pgsink_split *split, const struct sl_pgsink_bads *bads,
                              struct sl_error *err)
{
    for (size_t i = 0; i < bads->n; i++) {
        const struct sl_pgsink_bad *bad = &bads->items[i];
        struct sl_error why = {0};
        enum sl_rc rc;

        if (bad->cell)
            (void)sl_error_set(&why, SL_E_DATA, "field '%s' for column %s of type %s: %s", bad->cell->name,
                               bad->cell->column->name, bad->cell->column->type_text, bad->why);
        else
            (void)sl_error_set(&why, SL_E_DATA, "topic '%s': %s",
                               run_of(split->batch, bad->record)->topic->name, bad->why);
        rc = report(split, bad->record, &why, err);
        if (rc != SL_OK)
            return rc;
    }
    return SL_OK;
}

/* Build the load of a range; records that cannot be bound are reported and left out. */
static enum sl_rc build(struct sl_pgsink_split *split, uint32_t first, uint32_t last, struct sl_error *err)
{
    struct sl_pgsink_load *load = &split->sink->retry;

    for (;;) {
        enum sl_rc rc = sl_pgsink_load_build(split->sink, load, split->batch, first, last, split->skip, err);

        if (rc != SL_OK || load->bads.n == 0)
            return rc;
        rc = report_bads(split, &load->bads, err);
        if (rc != SL_OK)
            return rc;
    }
}

/* A foreign key, or a unique index (a primary key in mode insert is not worth waiting for). */
static bool may_be_early(const struct sl_pgsink *sink, const struct sl_error *why)
{
    if (strcmp(why->native, "23503") == 0)
        return true;
    return (strcmp(why->native, "23505") == 0 || strcmp(why->native, "23P01") == 0) &&
           sink->config.insert_mode != SL_PGSINK_INSERT;
}

/*
 * A delete that names no more than a key (ScyllaDB's), which unwrap made a row to mark: where there is no
 * such row, there is nothing to mark. The key alone makes no row where columns must not be null. A source
 * that read the row again and found it gone says so in a header, and has often said it before the log's own
 * delete came.
 */
static bool marks_nothing(const struct sl_pgsink_split *split, uint32_t index, const struct sl_error *why)
{
    const struct sl_record *record = &split->batch->records[index];
    bool key_alone = record->flags & SL_RECORD_PARTIAL;

    if (strcmp(why->native, "23502") != 0)
        return false;
    for (uint16_t i = 0; i < record->n_headers && !key_alone; i++)
        key_alone = strcmp(record->headers[i].name, SL_HEADER_READ) == 0;
    return key_alone && sl_pgsink_says_deleted(run_of(split->batch, index)->value_schema, record);
}

static void add_waiter(struct sl_pgsink_split *split, uint32_t record, const struct sl_error *why)
{
    SL_GROW(split->waiting, split->n_waiting, split->waiting_capacity);
    split->waiting[split->n_waiting++] =
        (struct sl_pgsink_waiter){.record = record, .why = *why, .n_applied = split->n_applied};
    split->skip[record] = 1;
}

static enum sl_rc plan_of(struct sl_pgsink_split *split, uint32_t record, struct sl_pgsink_plan **ret,
                          struct sl_error *err)
{
    return sl_pgsink_plan_for(split->sink, run_of(split->batch, record), ret, err);
}

static enum sl_rc have_same_key(struct sl_pgsink_split *split, uint32_t record, uint32_t later, bool *ret,
                                struct sl_error *err)
{
    struct sl_pgsink_plan *plan = NULL;
    struct sl_pgsink_plan *later_plan = NULL;
    enum sl_rc rc = plan_of(split, record, &plan, err);

    if (rc == SL_OK)
        rc = plan_of(split, later, &later_plan, err);
    if (rc == SL_OK)
        *ret = sl_pgsink_same_key(plan, &split->batch->records[record], later_plan,
                                  &split->batch->records[later]);
    return rc;
}

/*
 * Later records of the key that name some columns only are no state to take the place of the one that waits:
 * applied before it they would be undone by it, or it would be lost. Nothing later is applied yet.
 */
static enum sl_rc wait_behind(struct sl_pgsink_split *split, uint32_t record, const struct sl_error *why,
                              struct sl_error *err)
{
    const struct sl_batch *batch = split->batch;
    enum sl_rc rc = SL_OK;

    for (uint32_t i = record + 1; batch->flags & SL_RECORD_PARTIAL && i < batch->n_records; i++) {
        bool same = false;

        if (split->skip[i] || !(batch->records[i].flags & SL_RECORD_PARTIAL))
            continue;
        rc = have_same_key(split, record, i, &same, err);
        if (rc != SL_OK)
            break;
        if (same) {
            split->follows[i] = 1;
            add_waiter(split, i, why);
        }
    }
    return rc;
}

/* What it followed is applied or out: from now on it waits for its own sake. */
static void wait_alone(struct sl_pgsink_split *split, uint32_t record)
{
    if (split->follows[record] && split->clocks)
        split->clocks[record] = (struct sl_pgsink_clock){0};
    split->follows[record] = 0;
    if (!split->limits)
        sl_pgsink_start_clock(split, record);
}

static enum sl_rc refuse_one(struct sl_pgsink_split *split, uint32_t record, const struct sl_error *why,
                             struct sl_error *err)
{
    if (marks_nothing(split, record, why)) {
        split->skip[record] = 1;
        return SL_OK;
    }
    /* In a part of the batch a record is refused for what the part lacks: it ends there. */
    if (!split->limits && !may_be_early(split->sink, why))
        return report(split, record, why, err);
    wait_alone(split, record);
    add_waiter(split, record, why);
    return wait_behind(split, record, why, err);
}

/* Is a delete of a range among these? */
static bool deletes_range(const struct sl_pgsink_split *split, uint32_t first, uint32_t last)
{
    for (; split->batch->flags & SL_RECORD_RANGE && first < last; first++) {
        if (split->batch->records[first].flags & SL_RECORD_RANGE && !split->skip[first])
            return true;
    }
    return false;
}

static enum sl_rc settle_waiting(struct sl_pgsink_split *split, struct sl_error *err);

/* Rows that wait would come behind a delete that may mean them: they are settled first, or the attempt ends
 * before it. */
static enum sl_rc before_range(struct sl_pgsink_split *split, uint32_t record, struct sl_error *err)
{
    enum sl_rc rc = settle_waiting(split, err);

    if (rc == SL_OK && split->n_waiting)
        split->end = record;
    return rc;
}

static enum sl_rc apply_range(struct sl_pgsink_split *split, uint32_t first, uint32_t last,
                              struct sl_error *err)
{
    struct sl_error why = {0};
    uint32_t middle = first + (last - first) / 2;
    bool too_far = split->n_waiting && deletes_range(split, first, last);
    enum sl_rc rc = too_far && last - first == 1 ? before_range(split, first, err) : SL_OK;

    if (rc != SL_OK || split->end <= first)
        return rc;
    too_far = too_far && last - first > 1;
    if (!too_far)
        rc = build(split, first, last, err);
    if (rc != SL_OK)
        return rc;
    if (!too_far && !split->sink->retry.tangled) {
        if (split->sink->retry.n_steps == 0)
            return SL_OK;
        rc = sl_pgsink_flight_try(split->sink, &split->sink->retry, &why);
        split->n_applied += rc == SL_OK;
        if (rc == SL_OK)
            return SL_OK;
        if (why.kind != SL_KIND_DATA) {
            *err = why;
            return rc;
        }
    }
    if (last - first == 1)
        return refuse_one(split, first, &why, err);
    rc = apply_range(split, first, middle, err);
    return rc == SL_OK ? apply_range(split, middle, last, err) : rc;
}

/* ---- records that wait ---- */

/* A later record of the same key was applied: the early one's state is history. */
static enum sl_rc is_superseded(struct sl_pgsink_split *split, uint32_t record, bool *ret,
                                struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    *ret = false;
    for (uint32_t i = record + 1; i < split->batch->n_records && rc == SL_OK && !*ret; i++) {
        if (!split->skip[i])
            rc = have_same_key(split, record, i, ret, err);
    }
    return rc;
}

/* Does it follow one that waits still? */
static enum sl_rc is_behind_one(struct sl_pgsink_split *split, uint32_t record, bool *ret,
                                struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    *ret = false;
    for (size_t i = 0; split->follows[record] && i < split->n_waiting && rc == SL_OK && !*ret; i++) {
        if (split->waiting[i].record < record)
            rc = have_same_key(split, split->waiting[i].record, record, ret, err);
    }
    return rc;
}

enum sl_rc sl_pgsink_try_one(struct sl_pgsink_split *split, uint32_t record, struct sl_error *why,
                             struct sl_error *err)
{
    enum sl_rc rc;

    split->skip[record] = 0;
    rc = build(split, record, record + 1, err);
    if (rc != SL_OK || split->out[record])
        return rc;
    rc = sl_pgsink_flight_try(split->sink, &split->sink->retry, why);
    split->skip[record] = rc != SL_OK;
    split->n_applied += rc == SL_OK;
    if (rc != SL_OK && why->kind != SL_KIND_DATA)
        *err = *why;
    return rc;
}

enum sl_rc sl_pgsink_split_target(struct sl_pgsink_split *split, uint32_t record,
                                  struct sl_pgsink_target **ret, struct sl_error *err)
{
    struct sl_pgsink_plan *plan = NULL;
    enum sl_rc rc = plan_of(split, record, &plan, err);

    if (rc == SL_OK)
        *ret = plan->target;
    return rc;
}

/* One round over those that wait, in their order. */
static enum sl_rc retry_waiting(struct sl_pgsink_split *split, struct sl_error *err)
{
    size_t n = split->n_waiting;

    split->n_waiting = 0;
    for (size_t i = 0; i < n; i++) {
        const struct sl_pgsink_waiter waiter = split->waiting[i];
        uint32_t record = waiter.record;
        struct sl_error why = {0};
        bool superseded = false;
        bool behind = false;
        enum sl_rc rc;

        if (split->out[record]) /* it waits for a bad one now */
            continue;
        rc = is_behind_one(split, record, &behind, err);
        if (rc == SL_OK && (behind || waiter.n_applied == split->n_applied)) {
            split->waiting[split->n_waiting++] = waiter;
            continue;
        }
        if (rc == SL_OK && split->sink->config.insert_mode != SL_PGSINK_INSERT)
            rc = is_superseded(split, record, &superseded, err);
        if (rc == SL_OK && superseded)
            continue;
        if (rc == SL_OK)
            rc = sl_pgsink_try_one(split, record, &why, err);
        if (rc == SL_OK)
            continue;
        if (why.kind != SL_KIND_DATA)
            return rc;
        wait_alone(split, record);
        add_waiter(split, record, &why);
    }
    return SL_OK;
}

static enum sl_rc let_followers_go(struct sl_pgsink_split *split, struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    for (size_t i = 0; i < split->n_waiting && rc == SL_OK; i++) {
        uint32_t record = split->waiting[i].record;
        bool behind = true;

        if (!split->follows[record])
            continue;
        rc = is_behind_one(split, record, &behind, err);
        if (!behind)
            wait_alone(split, record);
    }
    return rc;
}

/* Those whose time is over are bad; what is parked behind them waits no longer. */
static enum sl_rc report_late(struct sl_pgsink_split *split, struct sl_error *err)
{
    size_t kept = 0;

    for (size_t i = 0; i < split->n_waiting; i++) {
        const struct sl_pgsink_waiter *waiter = &split->waiting[i];
        enum sl_rc rc = sl_pgsink_is_late(split, waiter->record)
                            ? report(split, waiter->record, &waiter->why, err)
                            : SL_OK;

        if (rc != SL_OK)
            return rc;
    }
    for (size_t i = 0; i < split->n_waiting; i++) {
        if (!split->out[split->waiting[i].record])
            split->waiting[kept++] = split->waiting[i];
    }
    split->n_waiting = kept;
    return let_followers_go(split, err);
}

/* Round after round, as long as one that comes in lets another in. */
static enum sl_rc settle_waiting(struct sl_pgsink_split *split, struct sl_error *err)
{
    size_t before = 0;
    enum sl_rc rc = SL_OK;

    while (rc == SL_OK && split->n_waiting && split->n_waiting != before) {
        before = split->n_waiting;
        rc = retry_waiting(split, err);
    }
    return rc == SL_OK && !split->limits ? report_late(split, err) : rc;
}

/* ---- the transaction ---- */

/* All plans before BEGIN: what they change in the target must not depend on this transaction. */
static enum sl_rc plan_all(struct sl_pgsink_split *split, struct sl_error *err)
{
    for (uint32_t r = 0; r < split->batch->n_runs; r++) {
        struct sl_pgsink_plan *plan;
        enum sl_rc rc = sl_pgsink_plan_for(split->sink, &split->batch->runs[r], &plan, err);

        if (rc != SL_OK)
            return rc;
    }
    return SL_OK;
}

static enum sl_rc commit(struct sl_pgsink_split *split, struct sl_error *err)
{
    enum sl_rc rc = sl_pg_run(split->sink->pg, "COMMIT", err);

    /* No row can be blamed for what only COMMIT finds, and what it finds would be found again. */
    if (rc == SL_E_DATA)
        err->kind = SL_KIND_FATAL;
    return rc;
}

static void begin_attempt(struct sl_pgsink_split *split)
{
    split->n_waiting = 0;
    split->n_applied = 0;
    split->end = split->batch->n_records;
    for (uint32_t i = 0; i < split->batch->n_records; i++) {
        const struct sl_record *record = &split->batch->records[i];

        split->skip[i] = split->out[i] | split->done[i] |
                         (split->limits && record->offset >= split->limits[record->origin]);
    }
}

static enum sl_rc attempt(struct sl_pgsink_split *split, const struct sl_batch *progress,
                          struct sl_error *err)
{
    enum sl_rc rc = plan_all(split, err);

    begin_attempt(split);
    if (rc == SL_OK)
        rc = sl_pgsink_flight_begin(split->sink, progress, err);
    if (rc != SL_OK)
        return rc;
    if (split->batch->n_records)
        rc = apply_range(split, 0, split->batch->n_records, err);
    if (rc == SL_OK && split->end == split->batch->n_records)
        rc = settle_waiting(split, err);
    if (rc == SL_OK)
        rc = sl_pgsink_is_settled(split) ? commit(split, err) : sl_pg_run(split->sink->pg, "ROLLBACK", err);
    if (rc != SL_OK && rc != SL_E_CONNECT && rc != SL_E_STOPPED)
        (void)sl_pg_run(split->sink->pg, "ROLLBACK", NULL);
    return rc;
}

enum sl_rc sl_pgsink_attempt(struct sl_pgsink_split *split, const struct sl_batch *progress,
                             struct sl_error *err)
{
    bool reread = false;
    enum sl_rc rc = SL_OK;

    for (int tries = 0; tries < MAX_ATTEMPTS; tries++) {
        struct sl_error why = {0};

        rc = leave_parked_out(split, &why);
        if (rc == SL_OK)
            rc = attempt(split, progress, &why);
        if (rc == SL_E_SCHEMA && !reread) {
            /* the table may have changed since its catalogue entry was read */
            sl_pgsink_plans_forget(split->sink);
            reread = true;
            continue;
        }
        if (rc != SL_OK && err)
            *err = why;
        if (rc != SL_E_BUSY)
            break;
        rc = sl_pg_pause(split->sink->pg, 1000 << (tries < 8 ? tries : 8), err);
        if (rc != SL_OK)
            break;
        rc = SL_E_BUSY; /* a deadlock or a conflict: nobody's fault, try again */
    }
    return rc;
}

enum sl_rc sl_pgsink_split(struct sl_pgsink *sink, struct sl_batch *batch, struct sl_error *err)
{
    struct sl_pgsink_split split = {
        .sink = sink,
        .batch = batch,
        .out = sl_zalloc((size_t)batch->n_records + 1, 1),
        .done = sl_zalloc((size_t)batch->n_records + 1, 1),
        .skip = sl_zalloc((size_t)batch->n_records + 1, 1),
        .follows = sl_zalloc((size_t)batch->n_records + 1, 1),
        .began_us = sl_now_us(),
    };
    enum sl_rc rc;

    do {
        int64_t began_us = sl_now_us();

        rc = sl_pgsink_attempt(&split, batch, err);
        split.attempt_us = sl_now_us() - began_us;
        if (rc == SL_OK && !sl_pgsink_is_settled(&split))
            rc = sl_pgsink_hold(&split, err);
    } while (rc == SL_OK && !sl_pgsink_is_settled(&split));
    sl_pgsink_hold_end(&split, rc);
    sl_free(split.out);
    sl_free(split.done);
    sl_free(split.skip);
    sl_free(split.follows);
    sl_free(split.waiting);
    return rc;
}
