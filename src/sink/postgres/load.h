/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A load: records made ready to be sent. Its steps are executions of prepared statements with their
 * parameters; libpq copies those, so a load is free again once it is sent.
 *
 *     records -> groups by table (last state of each key) -> sorted -> buckets by statement -> steps
 *
 * Within a segment the order of the records does not matter beyond what the last state of each key keeps. A
 * new one begins where it does: around a delete of a range, and where two records of one key cannot be made
 * one.
 *
 * All memory stays for the next load.
 */
#ifndef SLUICE_SINK_POSTGRES_LOAD_H
#define SLUICE_SINK_POSTGRES_LOAD_H

#include "sink/postgres/plan.h"

struct sl_pgsink_step {
    struct sl_pgsink_statement *statement;
    const struct sl_pgsink_row *const *rows;
    uint32_t n_rows;
    uint32_t segment;
    int phase;  /* writes 1, parents first; deletes 2, children first, or 0 where they must make room */
    bool bound; /* its params are there already */
    struct sl_buf *params; /* one for each cell; capacity stays with the slot */
    uint32_t params_capacity;
};

/* The rows of one table, in one segment. */
struct sl_pgsink_group {
    struct sl_pgsink_target *target;
    uint32_t segment;
    struct sl_pgsink_plan **plans;
    uint32_t n_plans, plans_capacity;
    struct sl_pgsink_row *rows;
    uint32_t n_rows, rows_capacity;
    struct sl_buf keys; /* encoded keys that are no single number */
    uint32_t *slots;    /* row index + 1 by key, open addressing */
    uint32_t slots_capacity;
    struct sl_pgsink_row **sorted; /* those that are left, in the order of writing */
    struct sl_pgsink_row **placed; /* the same, by bucket */
    uint32_t n_sorted, sorted_capacity;
    struct sl_buf scratch;
};

/* A delete of a range (range.h): a segment of its own. */
struct sl_pgsink_load_range {
    struct sl_pgsink_plan *plan;
    uint32_t record;
    uint32_t segment;
};

struct sl_pgsink_load {
    uint64_t generation; /* of the plans that it points to */
    struct sl_pgsink_group *groups;
    uint32_t n_groups, groups_capacity;
    uint32_t segment;     /* the current one */
    uint32_t first_group; /* of the current segment */
    uint32_t n_cuts;      /* segments that began because of a key */
    struct sl_pgsink_load_range *ranges;
    uint32_t n_ranges, ranges_capacity;
    struct sl_pgsink_step *steps; /* in the order of execution */
    uint32_t n_steps, steps_capacity;
    struct sl_pgsink_bads bads; /* records that cannot be bound: nothing may be sent before they are out */
    bool tangled;               /* too many cuts: the slow way halves the batch instead */
};

struct sl_pgsink;

/*
 * Make the load of the records first .. last-1 but those marked in skip (may be NULL, one byte a record).
 * Talks to the server when a plan or statement is missing. On SL_OK look at bads and tangled.
 */
enum sl_rc sl_pgsink_load_build(struct sl_pgsink *sink, struct sl_pgsink_load *load, struct sl_batch *batch,
                                uint32_t first, uint32_t last, const uint8_t *skip, struct sl_error *err);
void sl_pgsink_load_done(struct sl_pgsink_load *load);

/* A step without rows; the pointer holds until the next one. */
struct sl_pgsink_step *sl_pgsink_load_add_step(struct sl_pgsink_load *load,
                                               struct sl_pgsink_statement *statement, uint32_t segment);
/* Room for the statement's params. */
void sl_pgsink_step_reserve(struct sl_pgsink_step *step);

/* group.c */
void sl_pgsink_group_begin(struct sl_pgsink_group *group, struct sl_pgsink_target *target);
void sl_pgsink_group_done(struct sl_pgsink_group *group);
/*
 * Add the run's records of the range; earlier states of a key become GONE where reduce says so. Returns where
 * it stopped: last, or a record that cannot be made one with an earlier one of its key in this group.
 */
uint32_t sl_pgsink_group_add(const struct sl_pgsink_config *config, struct sl_pgsink_load *load,
                             struct sl_pgsink_group *group, struct sl_pgsink_plan *plan,
                             struct sl_batch *batch, const struct sl_run *run, uint32_t first, uint32_t last,
                             const uint8_t *skip);
/* Are these two records of one key? For the slow way. */
bool sl_pgsink_same_key(const struct sl_pgsink_plan *plan_a, const struct sl_record *a,
                        const struct sl_pgsink_plan *plan_b, const struct sl_record *b);

/* order.c: fill sorted with the rows that are left, by key unless keep_order. */
void sl_pgsink_group_sort(struct sl_pgsink_group *group, bool keep_order);

#endif
