/* SPDX-License-Identifier: Apache-2.0 */
#include "sink/postgres/load.h"

#include "sink/postgres/range.h"
#include "sink/postgres/state.h"

#include <stdlib.h>

enum {
    MAX_BUILDS = 4,
    MAX_CUTS = 16, /* each may need memory for a whole batch */
};

/* ---- groups ---- */

static struct sl_pgsink_group *group_for(struct sl_pgsink_load *load, struct sl_pgsink_target *target)
{
    for (uint32_t i = load->first_group; i < load->n_groups; i++) {
        if (load->groups[i].target == target)
            return &load->groups[i];
    }
    if (load->n_groups == load->groups_capacity) {
        uint32_t before = load->groups_capacity;

        load->groups_capacity = before ? before * 2 : 4;
        load->groups = sl_realloc(load->groups, load->groups_capacity, sizeof(*load->groups));
        memset(load->groups + before, 0, (load->groups_capacity - before) * sizeof(*load->groups));
    }
    sl_pgsink_group_begin(&load->groups[load->n_groups], target);
    load->groups[load->n_groups].segment = load->segment;
    return &load->groups[load->n_groups++];
}

static void end_segment(struct sl_pgsink_load *load)
{
    load->first_group = load->n_groups;
    load->segment++;
}

static void add_rows(struct sl_pgsink *sink, struct sl_pgsink_load *load, struct sl_pgsink_plan *plan,
                     struct sl_batch *batch, const struct sl_run *run, uint32_t first, uint32_t last,
                     const uint8_t *skip)
{
    while (first < last && !load->tangled) {
        first = sl_pgsink_group_add(&sink->config, load, group_for(load, plan->target), plan, batch, run,
                                    first, last, skip);
        if (first < last) {
            end_segment(load);
            load->tangled = ++load->n_cuts > MAX_CUTS;
        }
    }
}

/* A tombstone mostly follows the rewritten value of the same range: what that one writes would be deleted. */
static bool deletes_what_was_marked(const struct sl_pgsink_load *load, const struct sl_batch *batch,
                                    const struct sl_pgsink_plan *plan, uint32_t record)
{
    const struct sl_pgsink_load_range *before = load->n_ranges ? &load->ranges[load->n_ranges - 1] : NULL;
    struct sl_span a;
    struct sl_span b;

    if (!before || before->segment + 1 != load->segment || load->first_group != load->n_groups ||
        before->plan->target != plan->target || !sl_is_null(batch->records[record].value))
        return false;
    a = sl_pgsink_range_header(&batch->records[before->record]);
    b = sl_pgsink_range_header(&batch->records[record]);
    return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

static void add_range(struct sl_pgsink_load *load, const struct sl_batch *batch, struct sl_pgsink_plan *plan,
                      uint32_t record)
{
    if (deletes_what_was_marked(load, batch, plan, record)) {
        load->ranges[load->n_ranges - 1].plan = plan;
        load->ranges[load->n_ranges - 1].record = record;
        return;
    }
    end_segment(load);
    SL_GROW(load->ranges, load->n_ranges, load->ranges_capacity);
    load->ranges[load->n_ranges++] =
        (struct sl_pgsink_load_range){.plan = plan, .record = record, .segment = load->segment};
    end_segment(load);
}

static bool is_rare(const struct sl_record *record)
{
    return record->flags & SL_RECORD_STATIC ||
           (record->flags & SL_RECORD_RANGE && sl_pgsink_range_header(record).ptr);
}

/* A run some of whose records are ranges, or tell of static columns. */
static void add_mixed_rows(struct sl_pgsink *sink, struct sl_pgsink_load *load, struct sl_pgsink_plan *plan,
                           struct sl_batch *batch, const struct sl_run *run, uint32_t first, uint32_t last,
                           const uint8_t *skip)
{
    while (first < last) {
        uint32_t end = first;

        while (end < last && !is_rare(&batch->records[end]))
            end++;
        if (first < end)
            add_rows(sink, load, plan, batch, run, first, end, skip);
        /* The rows that a change of static columns has changed follow as records of their own. */
        if (end < last && !(skip && skip[end]) && !(batch->records[end].flags & SL_RECORD_STATIC))
            add_range(load, batch, plan, end);
        first = end + 1;
    }
}

/* *ret_again: a plan is missing, and a flight is in the way. */
static enum sl_rc gather(struct sl_pgsink *sink, struct sl_pgsink_load *load, struct sl_batch *batch,
                         uint32_t first, uint32_t last, const uint8_t *skip, bool *ret_again,
                         struct sl_error *err)
{
    for (uint32_t r = 0; r < batch->n_runs; r++) {
        const struct sl_run *run = &batch->runs[r];
        uint32_t run_first = run->first > first ? run->first : first;
        uint32_t run_last = run->first + run->count < last ? run->first + run->count : last;
        struct sl_pgsink_plan *plan = NULL;
        enum sl_rc rc;

        if (run_first >= run_last)
            continue;
        rc = sl_pgsink_plan_for(sink, run, &plan, err);
        if (rc != SL_OK)
            return rc;
        if (!plan) {
            *ret_again = true;
            return SL_OK;
        }
        /* Without the record's key a table is a list of what happened: these are rows of it as others are. */
        if (batch->flags & (SL_RECORD_RANGE | SL_RECORD_STATIC) && sink->config.pk_mode == SL_PGSINK_PK_KEY)
            add_mixed_rows(sink, load, plan, batch, run, run_first, run_last, skip);
        else
            add_rows(sink, load, plan, batch, run, run_first, run_last, skip);
    }
    return SL_OK;
}

/* ---- steps ---- */

static struct sl_pgsink_step *new_step(struct sl_pgsink_load *load)
{
    if (load->n_steps == load->steps_capacity) {
        uint32_t before = load->steps_capacity;

        load->steps_capacity = before ? before * 2 : 8;
        load->steps = sl_realloc(load->steps, load->steps_capacity, sizeof(*load->steps));
        memset(load->steps + before, 0, (load->steps_capacity - before) * sizeof(*load->steps));
    }
    return &load->steps[load->n_steps++];
}

struct sl_pgsink_step *sl_pgsink_load_add_step(struct sl_pgsink_load *load,
                                               struct sl_pgsink_statement *statement, uint32_t segment)
{
    struct sl_pgsink_step *step = new_step(load);

    step->statement = statement;
    step->segment = segment;
    step->rows = NULL;
    step->n_rows = 0;
    step->phase = 0;
    step->bound = false;
    return step;
}

static enum sl_rc statement_of(struct sl_pgsink *sink, struct sl_pgsink_group *group,
                               const struct sl_pgsink_row *row, struct sl_pgsink_statement **ret,
                               struct sl_error *err)
{
    struct sl_pgsink_plan *plan = group->plans[row->plan];
    uint8_t *mask;

    if (row->op == SL_PGSINK_DELETE || !row->partial)
        return sl_pgsink_statement_for(sink, plan, (enum sl_pgsink_op)row->op, NULL, ret, err);
    sl_buf_reset(&group->scratch);
    mask = sl_buf_reserve(&group->scratch, plan->n_cells);
    for (uint16_t i = 0; i < plan->n_cells; i++)
        mask[i] = row->cells[plan->cells[i].source][plan->cells[i].field].tag != SL_ABSENT;
    return sl_pgsink_statement_for(sink, plan, SL_PGSINK_WRITE, mask, ret, err);
}

static int phase_of(const struct sl_pgsink *sink, const struct sl_pgsink_statement *statement)
{
    const struct sl_pgsink_target *target = statement->target;

    if (statement->op == SL_PGSINK_WRITE || sink->config.insert_mode == SL_PGSINK_INSERT)
        return 1;
    return target->has_other_unique && !target->is_parent ? 0 : 2;
}

/*
 * Put the sorted rows into one step for each statement (by key), or for each stretch of one statement (in the
 * order of the log). Rows of a step stand together in placed.
 */
static enum sl_rc place(struct sl_pgsink *sink, struct sl_pgsink_load *load, struct sl_pgsink_group *group,
                        bool in_order, bool *ret_again, struct sl_error *err)
{
    uint32_t first_step = load->n_steps;
    uint32_t at = 0;
    uint32_t current = UINT32_MAX;

    for (uint32_t i = 0; i < group->n_sorted; i++) {
        struct sl_pgsink_row *row = group->sorted[i];
        struct sl_pgsink_statement *statement = NULL;
        enum sl_rc rc = statement_of(sink, group, row, &statement, err);

        if (rc != SL_OK)
            return rc;
        if (!statement) {
            *ret_again = true;
            return SL_OK;
        }
        if (current == UINT32_MAX || load->steps[current].statement != statement) {
            current = in_order ? load->n_steps : first_step;
            while (current < load->n_steps && load->steps[current].statement != statement)
                current++;
            if (current == load->n_steps) {
                sl_pgsink_load_add_step(load, statement, group->segment)->phase = phase_of(sink, statement);
            }
        }
        load->steps[current].n_rows++;
        row->plan = current - first_step;
    }
    for (uint32_t s = first_step; s < load->n_steps; s++) {
        load->steps[s].rows = (const struct sl_pgsink_row *const *)group->placed + at;
        at += load->steps[s].n_rows;
        load->steps[s].n_rows = 0;
    }
    for (uint32_t i = 0; i < group->n_sorted; i++) {
        struct sl_pgsink_step *step = &load->steps[first_step + group->sorted[i]->plan];
        size_t place_at = (size_t)(step->rows - (const struct sl_pgsink_row *const *)group->placed);

        group->placed[place_at + step->n_rows++] = group->sorted[i];
    }
    return SL_OK;
}

static enum sl_rc make_steps(struct sl_pgsink *sink, struct sl_pgsink_load *load, struct sl_batch *batch,
                             bool *ret_again, struct sl_error *err)
{
    bool in_order = sink->config.insert_mode == SL_PGSINK_INSERT;
    uint32_t r = 0;

    for (uint32_t g = 0; g < load->n_groups || r < load->n_ranges;) {
        struct sl_pgsink_group *group = &load->groups[g];
        enum sl_rc rc;

        if (r < load->n_ranges && (g == load->n_groups || load->ranges[r].segment < group->segment)) {
            rc = sl_pgsink_range_step(sink, load, batch, &load->ranges[r++], ret_again, err);
            if (rc != SL_OK || *ret_again)
                return rc;
            continue;
        }
        g++;
        sl_pgsink_group_sort(group, in_order || group->target->has_other_unique);
        rc = place(sink, load, group, in_order, ret_again, err);
        if (rc != SL_OK || *ret_again)
            return rc;
    }
    return SL_OK;
}

static bool step_before(const struct sl_pgsink_step *a, const struct sl_pgsink_step *b)
{
    int rank_a = a->statement->target->rank;
    int rank_b = b->statement->target->rank;

    if (a->segment != b->segment)
        return a->segment < b->segment;
    if (a->phase != b->phase)
        return a->phase < b->phase;
    return a->phase == 1 ? rank_a < rank_b : rank_a > rank_b;
}

/* Stable; there are few steps. */
static void order_steps(struct sl_pgsink_load *load)
{
    for (uint32_t i = 1; i < load->n_steps; i++) {
        struct sl_pgsink_step step = load->steps[i];
        uint32_t at = i;

        for (; at && step_before(&step, &load->steps[at - 1]); at--)
            load->steps[at] = load->steps[at - 1];
        load->steps[at] = step;
    }
}

/* batch.size bounds what one statement carries. */
static void cut_steps(struct sl_pgsink_load *load, uint32_t batch_rows)
{
    for (uint32_t i = 0; i < load->n_steps; i++) {
        uint32_t rest = load->steps[i].n_rows;
        struct sl_pgsink_step spare;

        if (rest <= batch_rows)
            continue;
        (void)new_step(load);
        spare = load->steps[load->n_steps - 1];
        memmove(load->steps + i + 2, load->steps + i + 1, (load->n_steps - i - 2) * sizeof(*load->steps));
        spare.statement = load->steps[i].statement;
        spare.segment = load->steps[i].segment;
        spare.phase = load->steps[i].phase;
        spare.bound = false;
        spare.rows = load->steps[i].rows + batch_rows;
        spare.n_rows = rest - batch_rows;
        load->steps[i].n_rows = batch_rows;
        load->steps[i + 1] = spare;
    }
}

void sl_pgsink_step_reserve(struct sl_pgsink_step *step)
{
    uint32_t n = step->statement->n_cells;

    if (n > step->params_capacity) {
        step->params = sl_realloc(step->params, n, sizeof(*step->params));
        memset(step->params + step->params_capacity, 0, (n - step->params_capacity) * sizeof(*step->params));
        step->params_capacity = n;
    }
}

static void bind_step(struct sl_pgsink_step *step, struct sl_pgsink_bads *bads)
{
    if (step->statement->empty || step->bound)
        return;
    sl_pgsink_step_reserve(step);
    for (uint32_t i = 0; i < step->statement->n_cells; i++) {
        const struct sl_pgsink_cell *cell = step->statement->cells[i];

        sl_buf_reset(&step->params[i]);
        cell->bind(cell, step->rows, step->n_rows, &step->params[i], bads);
    }
}

/* ---- the whole ---- */

static void begin(struct sl_pgsink *sink, struct sl_pgsink_load *load)
{
    load->generation = sink->generation;
    load->n_groups = 0;
    load->segment = 0;
    load->first_group = 0;
    load->n_cuts = 0;
    load->n_ranges = 0;
    load->n_steps = 0;
    load->bads.n = 0;
    load->tangled = false;
}

enum sl_rc sl_pgsink_load_build(struct sl_pgsink *sink, struct sl_pgsink_load *load, struct sl_batch *batch,
                                uint32_t first, uint32_t last, const uint8_t *skip, struct sl_error *err)
{
    for (int attempt = 0; attempt < MAX_BUILDS; attempt++) {
        bool again = false;
        enum sl_rc rc;

        begin(sink, load);
        rc = gather(sink, load, batch, first, last, skip, &again, err);
        if (rc == SL_OK && !again && !load->tangled)
            rc = make_steps(sink, load, batch, &again, err);
        if (rc == SL_OK && again) {
            rc = sl_pgsink_settle(sink, err);
            if (rc == SL_OK)
                continue;
        }
        if (rc != SL_OK || load->tangled)
            return rc;
        order_steps(load);
        cut_steps(load, sink->config.batch_rows);
        for (uint32_t i = 0; i < load->n_steps; i++)
            bind_step(&load->steps[i], &load->bads);
        return SL_OK;
    }
    return sl_error_set(err, SL_E_INTERNAL, "the plans of a batch do not hold still");
}

void sl_pgsink_load_done(struct sl_pgsink_load *load)
{
    for (uint32_t i = 0; i < load->groups_capacity; i++)
        sl_pgsink_group_done(&load->groups[i]);
    for (uint32_t i = 0; i < load->steps_capacity; i++) {
        for (uint32_t p = 0; p < load->steps[i].params_capacity; p++)
            sl_buf_done(&load->steps[i].params[p]);
        sl_free(load->steps[i].params);
    }
    sl_free(load->groups);
    sl_free(load->ranges);
    sl_free(load->steps);
    sl_free(load->bads.items);
    *load = (struct sl_pgsink_load){0};
}
