/* SPDX-License-Identifier: Apache-2.0 */
/* What the binder's files share. An error leaves by longjmp to the doors of bind.h. */
#ifndef SIM_SQLSERVER_TSQL_BINDER_H
#define SIM_SQLSERVER_TSQL_BINDER_H

#include <setjmp.h>

#include "../storage/system.h"
#include "bind.h"

enum ms_bound_form { MS_BOUND_SQL, MS_BOUND_CONSTANT, MS_BOUND_VARIABLE, MS_BOUND_OPERATION };

struct ms_bound {
    enum ms_bound_form form;
    struct ms_type type;
    bool nullable;
    const char *sql;
    const char *collation; /* of text: SQLite's name; NULL: the default of its type */
    bool explicit_collation;
    const char *loose; /* a column in it that is neither grouped nor aggregated; NULL: none */
    const char *name;  /* of a plain column: the result column's name */
    bool identity;
    bool computed;
    bool updatable;
    struct ms_value value;                /* constant */
    int slot;                             /* variable */
    const struct ms_operation *operation; /* operation */
    struct ms_bound **args;
};

struct ms_source_view {
    const char *alias; /* as a qualifier; NULL: the table's own names count */
    const char *database;
    const char *schema;
    const char *table_name;
    const char *sql;          /* "s3" */
    struct ms_bound *columns; /* name, type, sql ... of each */
    size_t n_columns;
    const struct ms_table *table; /* NULL: derived */
    bool temporary;
};

struct ms_scope {
    struct ms_scope *outer;
    struct ms_source_view *sources;
    size_t n_sources;
    bool grouped;
    struct ms_bound **groups;
    size_t n_groups;
    int in_aggregate;
};

/* A WITH name in force. */
struct ms_cte_view {
    const struct ms_cte *cte;
    struct ms_cte_view *outer;
    const char *recursive_sql; /* "w2" while its own body is bound, and after */
    struct ms_output *outputs;
    size_t n_outputs;
};

struct ms_relation {
    const char *sql;
    struct ms_output *outputs;
    size_t n_outputs;
};

struct ms_binder {
    struct ms_session *session;
    struct ms_language *language;
    struct ms_arena *arena;
    struct ms_plan *plan;
    struct ms_error *err;
    jmp_buf escape;
    struct ms_scope *scope;
    struct ms_cte_view *ctes;
    int next_source;
    int depth;
    const struct ms_output *wanted; /* types that the next SELECT's columns must take (recursive WITH) */
    size_t n_wanted;
    bool live_variables;   /* variables are read when used, not bound beforehand */
    const char *assigning; /* "table 'd.s.t', column 'c'": of error 2628 */
};

void ms_binder_fail(struct ms_binder *b, int32_t number, uint8_t severity, const char *format, ...)
    __attribute__((noreturn, format(printf, 4, 5)));
void *ms_binder_grow(struct ms_binder *b, void *array, size_t n, size_t size);
const char *ms_binder_literal(struct ms_binder *b, const struct ms_type *type, const struct ms_value *value);
const char *ms_binder_parameter(struct ms_binder *b, const struct ms_parameter *parameter); /* "?7" */

struct ms_bound *ms_bind_expr(struct ms_binder *b, const struct ms_expr *e); /* a scalar */
const char *ms_bind_predicate(struct ms_binder *b, const struct ms_expr *e); /* a condition, as SQLite text */
struct ms_bound *ms_bind_call(struct ms_binder *b, const struct ms_expr *e);
struct ms_bound *ms_bind_new(struct ms_binder *b, const struct ms_type *type, const char *sql, bool nullable);
struct ms_bound *ms_bind_operation(struct ms_binder *b, const struct ms_operation *op,
                                   struct ms_bound **args);
struct ms_bound *ms_bind_convert(struct ms_binder *b, struct ms_bound *from, const struct ms_type *to);
struct ms_bound *ms_bind_assign(struct ms_binder *b, struct ms_bound *from, const struct ms_type *to);
struct ms_bound *ms_bind_cast(struct ms_binder *b, struct ms_bound *from, const struct ms_type *to, int style,
                              bool try_cast);
struct ms_type ms_bind_common(struct ms_binder *b, struct ms_bound **list, size_t n, const char *what);
const char *ms_bind_loose(struct ms_bound **list, size_t n);

/* SQLite text of a value as a key for ordering and grouping: with collation, instants for datetimeoffset. */
const char *ms_bind_key(struct ms_binder *b, const struct ms_bound *value);
const char *ms_bind_collation(const struct ms_bound *a, const struct ms_bound *b); /* or NULL: not text */

bool ms_bind_is_aggregate(const struct ms_expr *e);
bool ms_bind_has_aggregate(const struct ms_expr *e);

struct ms_relation ms_bind_relation(struct ms_binder *b, const struct ms_query *q);
const char *ms_bind_from(struct ms_binder *b, const struct ms_from *from); /* adds sources to the scope */
struct ms_source_view *ms_bind_add_table(struct ms_binder *b, const struct ms_table *table, bool temporary,
                                         const char *alias);
void ms_bind_check_online(struct ms_binder *b, const struct ms_name *name); /* 942: its database is offline */
const struct ms_table *ms_bind_find_table(struct ms_binder *b, const struct ms_name *name,
                                          bool *ret_temporary);
void ms_bind_lock(struct ms_binder *b, const struct ms_from *from, int32_t object_id);
const char *ms_bind_order(struct ms_binder *b, const struct ms_order_item *order, size_t n);

#endif
