/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SELECT, bound and run. Rows come in the order of tokens and then of the clustering key.
 */
#ifndef SIM_SCYLLA_CQL_SELECT_H
#define SIM_SCYLLA_CQL_SELECT_H

#include "where.h"

struct sy_select_plan {
    const struct sy_table *table;
    struct sy_where where;
    const struct sy_expression *const *items; /* one for each result column */
    const struct sy_column *columns;
    uint32_t n_columns;
    /* min, max, sum, avg, count: where their states are; none and no GROUP BY: plain rows */
    const struct sy_expression *const *aggregates;
    uint32_t n_aggregates;
    const struct sy_table_column *const *group_by;
    uint32_t n_group_by;
    bool distinct;
    bool reverse;
    bool sorts;                        /* ORDER BY over several partitions: in memory */
    const struct sy_expression *limit; /* NULL: none */
    const struct sy_expression *per_partition_limit;
};

/* False: the binder's error. */
bool sy_bind_select(struct sy_binder *binder, const struct sy_select *select, struct sy_select_plan *ret);

/* False: run->error. Fills what SY_ROWS needs. */
bool sy_run_select(struct sy_run *run, const struct sy_select_plan *plan,
                   const struct sy_parameters *parameters, struct sy_result *ret);

/* --- paging.c: where a page ended. Opaque to clients; checked when it comes back. --- */
struct sy_page {
    int64_t remaining;          /* of LIMIT; -1: no limit */
    uint32_t in_partition;      /* rows of the last partition given so far */
    const struct sy_value *key; /* NULL: from the start */
    const struct sy_value *clustering;
};
struct sy_value sy_page_encode(const struct sy_table *table, const struct sy_page *page,
                               struct sy_arena *arena);
bool sy_page_decode(const struct sy_table *table, struct sy_value state, struct sy_arena *arena,
                    struct sy_page *ret);

#endif
