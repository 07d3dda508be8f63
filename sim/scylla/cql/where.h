/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WHERE: which partitions and which slices of them, and what is left to be asked of every row.
 *
 * Each relation becomes a restriction. Those on the key decide where to read: the partition key by = and IN
 * (or token ranges), then clustering columns from the first: = and IN, and behind them one range. Everything
 * else is a filter.
 */
#ifndef SIM_SCYLLA_CQL_WHERE_H
#define SIM_SCYLLA_CQL_WHERE_H

#include "expression.h"

struct sy_restriction {
    enum sy_relation_kind kind;
    enum sy_operator op;
    const struct sy_table_column *const *columns;
    uint32_t n_columns;
    const struct sy_expression *value;       /* tuples: of a tuple type. IN ?: of a list type */
    const struct sy_expression *const *list; /* IN (a, b); NULL: IN ? */
    uint32_t n_list;
    const struct sy_expression *key; /* c[key] */
    bool has_field;
    uint32_t field; /* c.field */
};

struct sy_where {
    const struct sy_restriction *all;
    uint32_t n_all;
    const struct sy_restriction *const *partition; /* by partition key column; NULL: not by = or IN */
    bool keys_given;                               /* all of them */
    const struct sy_restriction *const *tokens;
    uint32_t n_tokens;
    const struct sy_restriction *const *prefix; /* = and IN on clustering columns, from the first on */
    uint32_t n_prefix;
    uint32_t n_prefix_columns;
    const struct sy_restriction *lower; /* on the columns from n_prefix_columns on */
    const struct sy_restriction *upper;
    const struct sy_restriction *const *filters;
    uint32_t n_filters;
    uint32_t
        n_free; /* of the filters: tuple ranges over columns of both directions, which need no allowing */
    bool clustering_restricted; /* by prefix, lower or upper */
    bool single_row;            /* keys_given and the whole clustering key by = or IN */
};

/* False: the binder's error. */
bool sy_bind_restriction(struct sy_binder *binder, const struct sy_relation *relation,
                         struct sy_restriction *ret);
bool sy_bind_where(struct sy_binder *binder, const struct sy_relation *relations, uint32_t n,
                   struct sy_where *ret);

/* Where to read in this run. */
struct sy_scope {
    const struct sy_value **keys; /* each n_partition_key values, in the order of their tokens, each once */
    uint32_t n_keys;
    int64_t first_token; /* without keys */
    int64_t last_token;
    struct sy_slice *slices; /* none: all of a partition */
    uint32_t n_slices;
    bool empty; /* nothing can match */
};

bool sy_where_scope(struct sy_run *run, const struct sy_where *where, struct sy_scope *ret);

/* Does run->row satisfy them all? Errors leave run->failed. */
bool sy_where_matches(struct sy_run *run, const struct sy_where *where);

/* One relation of IF: here null equals null, and any order with null is false. */
bool sy_condition_matches(struct sy_run *run, const struct sy_restriction *condition);

#endif
