/* SPDX-License-Identifier: Apache-2.0 */
/*
 * INSERT, UPDATE and DELETE: bound once, then each run becomes mutations for the store.
 */
#ifndef SIM_SCYLLA_CQL_MODIFY_H
#define SIM_SCYLLA_CQL_MODIFY_H

#include "where.h"

/* One operation on one column. */
struct sy_change {
    enum sy_operation_kind kind;
    const struct sy_table_column *column;
    const struct sy_expression *value;
    const struct sy_expression *key;
    uint32_t field;
};

struct sy_modify_plan {
    enum sy_modify_kind kind;
    const struct sy_table *table;
    struct sy_where where;
    const struct sy_change *changes;
    uint32_t n_changes;
    bool touches_static;
    bool touches_regular;
    bool whole_row; /* writes or deletes the clustered row itself, not only a static one */
    const struct sy_expression *timestamp; /* NULL: not given */
    const struct sy_expression *ttl;
    bool reads; /* list elements by index or value: reading and writing under one lock */
    bool conditional;
    bool if_exists;
    bool if_not_exists;
    const struct sy_restriction *conditions;
    uint32_t n_conditions;
    bool static_conditions_only; /* conditions and changes are on static columns: no clustering key given */
    /* Of a conditional statement: "[applied]" and then these columns' old values. */
    const struct sy_column *result_columns;
    const struct sy_table_column *const *result_sources; /* n_result_columns - 1 */
    uint32_t n_result_columns;
};

/* False: the binder's error. */
bool sy_bind_modify(struct sy_binder *binder, const struct sy_modify *modify, struct sy_modify_plan *ret);

/* A growing array of mutations, all for one sy_store_apply. */
struct sy_mutation_list {
    struct sy_mutation *items;
    uint32_t n;
    uint32_t cap;
};

bool sy_modify_mutations(struct sy_run *run, const struct sy_modify_plan *plan,
                         struct sy_mutation_list *list);

/* Cells for one row from the plan's changes on static or other columns. old: the row as it is, for lists. */
bool sy_change_cells(struct sy_run *run, const struct sy_modify_plan *plan, bool statics,
                     const struct sy_row *old, int64_t timestamp_us, int32_t ttl_s,
                     const struct sy_cell_write **ret_cells, uint32_t *ret_n);

/* The one live row of that key (clustering NULL: the static row), copied into the arena; NULL: there is none.
 */
bool sy_read_row(struct sy_run *run, const struct sy_table *table, const struct sy_value *key,
                 const struct sy_value *clustering, const struct sy_row **ret);

/* The row a conditional plan speaks of, and whether its conditions hold. */
bool sy_conditions_hold(struct sy_run *run, const struct sy_modify_plan *plan, const struct sy_row **ret_row,
                        bool *ret_hold);

#endif
