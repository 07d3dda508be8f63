/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From tree to plan: names are looked up, types derived, conversions put in, and SQLite's text is written.
 *
 * Call between ms_statement_begin and ms_statement_end, since the catalogue must stand still. Errors are SQL
 * Server's (207, 208, 4104, 8120, 206, 245 ...). Everything lives in the arena given.
 */
#ifndef SIM_SQLSERVER_TSQL_BIND_H
#define SIM_SQLSERVER_TSQL_BIND_H

#include "ast.h"
#include "plan.h"

struct ms_bound;

/* A whole query. */
bool ms_bind_query(struct ms_language *language, struct ms_arena *arena, const struct ms_query *query,
                   struct ms_plan *ret_plan, struct ms_error *err);

/* A condition (IF, WHILE): one row with 1 or 0. */
bool ms_bind_condition(struct ms_language *language, struct ms_arena *arena, const struct ms_expr *expr,
                       struct ms_plan *ret_plan, struct ms_error *err);

/*
 * An expression without columns, converted as an assignment to `to` (type MS_UNKNOWN: as it is). When it
 * needs no SQLite, *ret_bound can be evaluated by ms_bound_value; otherwise run the plan: one row, one
 * column.
 */
bool ms_bind_scalar(struct ms_language *language, struct ms_arena *arena, const struct ms_expr *expr,
                    const struct ms_type *to, struct ms_plan *ret_plan, struct ms_bound **ret_bound,
                    struct ms_error *err);
bool ms_bound_direct(const struct ms_bound *bound); /* can it be evaluated without SQLite? */
bool ms_bound_value(struct ms_language *language, struct ms_arena *arena, const struct ms_bound *bound,
                    struct ms_value *ret, struct ms_error *err);
const struct ms_type *ms_bound_type(const struct ms_bound *bound);

/* The value of one expression, here and now; *ret_type tells its type when `to` was MS_UNKNOWN. */
bool ms_evaluate(struct ms_language *language, struct ms_arena *arena, const struct ms_expr *expr,
                 const struct ms_type *to, struct ms_value *ret, struct ms_type *ret_type,
                 struct ms_error *err);

/*
 * The rows that an UPDATE or DELETE touches. The plan's columns: rowid, then each column of the target table,
 * then the assigned values, each converted to its column.
 */
struct ms_bound_change {
    struct ms_plan plan;
    const struct ms_table *table;
    bool temporary;
    size_t n_sets;
    int *columns; /* index into table->columns, or -1 */
    int *slots;   /* variable set along, or -1 */
};
bool ms_bind_change(struct ms_language *language, struct ms_arena *arena,
                    const struct ms_statement *statement, struct ms_bound_change *ret_change,
                    struct ms_error *err);

/* Values over one table's row: checks, computed columns. The plan answers one column and takes ?1 = rowid. */
bool ms_bind_over_table(struct ms_language *language, struct ms_arena *arena, const struct ms_table *table,
                        bool temporary, const struct ms_expr *expr, struct ms_plan *ret_plan,
                        struct ms_error *err);

/* The table a name stands for as the target of a change: user tables, #temporary ones, table variables. */
bool ms_bind_target(struct ms_language *language, const struct ms_from *target,
                    const struct ms_table **ret_table, bool *ret_temporary, struct ms_error *err);

/* "table 'db.dbo.t', column 'c'", for error 2628. */
const char *ms_bind_place(struct ms_arena *arena, const struct ms_table *table,
                          const struct ms_catalog_column *column);

/* "schema.name" as written, for messages. */
const char *ms_name_text(struct ms_arena *arena, const struct ms_name *name);

#endif
