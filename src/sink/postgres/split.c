/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The slow way, for a batch that the target refused: in one transaction, ranges of the batch in the order of
 * the log, each under a savepoint, halved until what fails is one record. A bad record costs about 2 log2(n)
 * statements; the rest commits together with the position.
 *
 * A record that refers to another row (foreign key, a unique index that is not the key) may only be early: it
 * waits until the rest is applied, is then tried again for a bounded time, and is bad only after that.
 */
#include "sink/postgres/state.h"

#include "base/clock.h"
#include "sink/postgres/range.h"
#include "sluice/position.h"

enum { MAX_ATTEMPTS = 20 };
#define WAIT_PAUSE_US INT64_C(50000)

struct waiter {
    uint32_t record;
    struct sl_error why; /* its own, of the last time it was tried */
};

struct split {
    struct sl_pgsink *sink;
    struct sl_batch *batch;
    uint8_t *out;  /* one byte a record: reported as bad, over all attempts */
    uint8_t *skip; /* out, and those that wait */
    struct waiter *waiting;
    size_t n_waiting, waiting_capacity;
};

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
static enum sl_rc leave_parked_out(struct split *split, struct sl_error *err)
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

static enum sl_rc report(struct split *split, uint32_t record, const struct sl_error *why,
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

static enum sl_rc report_bads(struct split *split, const struct sl_pgsink_bads *bads, struct sl_error *err)
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
static enum sl_rc build(struct split *split, uint32_t first, uint32_t last, struct sl_error *err)
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
static bool marks_nothing(const struct split *split, uint32_t index, const struct sl_error *why)
{
    const struct sl_record *record = &split->batch->records[index];
    bool key_alone = record->flags & SL_RECORD_PARTIAL;

    if (strcmp(why->native, "23502") != 0)
        return false;
    for (uint16_t i = 0; i < record->n_headers && !key_alone; i++)
        key_alone = strcmp(record->headers[i].name, SL_HEADER_READ) == 0;
    return key_alone && sl_pgsink_says_deleted(run_of(split->batch, index)->value_schema, record);
}

static enum sl_rc refuse_one(struct split *split, uint32_t record, const struct sl_error *why,
                             struct sl_error *err)
{
    if (marks_nothing(split, record, why)) {
        split->skip[record] = 1;
        return SL_OK;
    }
    if (!may_be_early(split->sink, why))
        return report(split, record, why, err);
    SL_GROW(split->waiting, split->n_waiting, split->waiting_capacity);
    split->waiting[split->n_waiting++] = (struct waiter){.record = record, .why = *why};
    split->skip[record] = 1;
    return SL_OK;
}

/* Is a delete of a range among these? */
static bool deletes_range(const struct split *split, uint32_t first, uint32_t last)
{
    for (; split->batch->flags & SL_RECORD_RANGE && first < last; first++) {
        if (split->batch->records[first].flags & SL_RECORD_RANGE)
            return true;
    }
    return false;
}

static enum sl_rc wait_for_others(struct split *split, struct sl_error *err);

static enum sl_rc apply_range(struct split *split, uint32_t first, uint32_t last, struct sl_error *err)
{
    struct sl_error why = {0};
    uint32_t middle = first + (last - first) / 2;
    /* Rows that wait would come behind a delete that may mean them: they wait no longer than to it. */
    bool too_far = split->n_waiting && deletes_range(split, first, last);
    enum sl_rc rc = too_far && last - first == 1 ? wait_for_others(split, err) : SL_OK;

    too_far = too_far && last - first > 1;
    if (rc == SL_OK && !too_far)
        rc = build(split, first, last, err);
    if (rc != SL_OK)
        return rc;
    if (!too_far && !split->sink->retry.tangled) {
        if (split->sink->retry.n_steps == 0)
            return SL_OK;
        rc = sl_pgsink_flight_try(split->sink, &split->sink->retry, &why);
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

static enum sl_rc plan_of(struct split *split, uint32_t record, struct sl_pgsink_plan **ret,
                          struct sl_error *err)
{
    return sl_pgsink_plan_for(split->sink, run_of(split->batch, record), ret, err);
}

/* A later record of the same key was applied: the early one's state is history. */
static enum sl_rc is_superseded(struct split *split, uint32_t record, bool *ret, struct sl_error *err)
{
    struct sl_pgsink_plan *plan = NULL;
    enum sl_rc rc = plan_of(split, record, &plan, err);

    *ret = false;
    for (uint32_t i = record + 1; i < split->batch->n_records && rc == SL_OK && !*ret; i++) {
        struct sl_pgsink_plan *later = NULL;

        if (split->skip[i])
            continue;
        rc = plan_of(split, i, &later, err);
        if (rc == SL_OK)
            *ret = sl_pgsink_same_key(plan, &split->batch->records[record], later, &split->batch->records[i]);
    }
    return rc;
}

/* One round over those that wait, in their order. */
static enum sl_rc retry_waiting(struct split *split, struct sl_error *err)
{
    size_t n = split->n_waiting;

    split->n_waiting = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t record = split->waiting[i].record;
        struct sl_error why = {0};
        bool superseded = false;
        enum sl_rc rc;

        if (split->out[record]) /* it waits for a bad one now */
            continue;
        rc = split->sink->config.insert_mode == SL_PGSINK_INSERT
                 ? SL_OK
                 : is_superseded(split, record, &superseded, err);

        if (rc == SL_OK && superseded)
            continue;
        split->skip[record] = 0;
        if (rc == SL_OK)
            rc = build(split, record, record + 1, err);
        if (rc != SL_OK)
            return rc;
        rc = split->out[record] ? SL_OK : sl_pgsink_flight_try(split->sink, &split->sink->retry, &why);
        if (rc == SL_OK)
            continue;
        if (why.kind != SL_KIND_DATA) {
            *err = why;
            return rc;
        }
        split->skip[record] = 1;
        split->waiting[split->n_waiting++] = (struct waiter){.record = record, .why = why};
    }
    return SL_OK;
}

static enum sl_rc wait_for_others(struct split *split, struct sl_error *err)
{
    int64_t deadline_us = sl_now_us() + split->sink->config.row_wait_us;
    enum sl_rc rc = SL_OK;

    while (split->n_waiting && rc == SL_OK) {
        size_t before = split->n_waiting;

        rc = retry_waiting(split, err);
        if (rc != SL_OK || split->n_waiting < before)
            continue;
        if (sl_now_us() >= deadline_us)
            break;
        rc = sl_pg_pause(split->sink->pg, WAIT_PAUSE_US, err);
    }
    for (size_t i = 0; i < split->n_waiting && rc == SL_OK; i++)
        rc = report(split, split->waiting[i].record, &split->waiting[i].why, err);
    return rc;
}

/* ---- the transaction ---- */

/* All plans before BEGIN: what they change in the target must not depend on this transaction. */
static enum sl_rc plan_all(struct split *split, struct sl_error *err)
{
    for (uint32_t r = 0; r < split->batch->n_runs; r++) {
        struct sl_pgsink_plan *plan;
        enum sl_rc rc = sl_pgsink_plan_for(split->sink, &split->batch->runs[r], &plan, err);

        if (rc != SL_OK)
            return rc;
    }
    return SL_OK;
}

static enum sl_rc commit(struct split *split, struct sl_error *err)
{
    enum sl_rc rc = sl_pg_run(split->sink->pg, "COMMIT", err);

    /* No row can be blamed for what only COMMIT finds, and what it finds would be found again. */
    if (rc == SL_E_DATA)
        err->kind = SL_KIND_FATAL;
    return rc;
}

static enum sl_rc attempt(struct split *split, struct sl_error *err)
{
    enum sl_rc rc = plan_all(split, err);

    split->n_waiting = 0;
    memcpy(split->skip, split->out, split->batch->n_records);
    if (rc == SL_OK)
        rc = sl_pgsink_flight_begin(split->sink, split->batch, err);
    if (rc != SL_OK)
        return rc;
    if (split->batch->n_records)
        rc = apply_range(split, 0, split->batch->n_records, err);
    if (rc == SL_OK)
        rc = wait_for_others(split, err);
    if (rc == SL_OK)
        rc = commit(split, err);
    if (rc != SL_OK && rc != SL_E_CONNECT && rc != SL_E_STOPPED)
        (void)sl_pg_run(split->sink->pg, "ROLLBACK", NULL);
    return rc;
}

enum sl_rc sl_pgsink_split(struct sl_pgsink *sink, struct sl_batch *batch, struct sl_error *err)
{
    struct split split = {
        .sink = sink,
        .batch = batch,
        .out = sl_zalloc((size_t)batch->n_records + 1, 1),
        .skip = sl_zalloc((size_t)batch->n_records + 1, 1),
    };
    bool reread = false;
    enum sl_rc rc = SL_OK;

    for (int tries = 0; tries < MAX_ATTEMPTS; tries++) {
        struct sl_error why = {0};

        rc = leave_parked_out(&split, &why);
        if (rc == SL_OK)
            rc = attempt(&split, &why);
        if (rc == SL_E_SCHEMA && !reread) {
            /* the table may have changed since its catalogue entry was read */
            sl_pgsink_plans_forget(sink);
            reread = true;
            continue;
        }
        if (rc != SL_OK && err)
            *err = why;
        if (rc != SL_E_BUSY)
            break;
        rc = sl_pg_pause(sink->pg, 1000 << (tries < 8 ? tries : 8), err);
        if (rc != SL_OK)
            break;
        rc = SL_E_BUSY; /* a deadlock or a conflict: nobody's fault, try again */
    }
    sl_free(split.out);
    sl_free(split.skip);
    sl_free(split.waiting);
    return rc;
}
