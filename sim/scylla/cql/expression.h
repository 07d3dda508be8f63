/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values to be: constants, markers, collections of them, functions, and in a SELECT also columns.
 */
#ifndef SIM_SCYLLA_CQL_EXPRESSION_H
#define SIM_SCYLLA_CQL_EXPRESSION_H

#include "../storage/store.h"
#include "binder.h"

struct sy_function;
struct sy_run;

enum sy_expression_kind {
    SY_EXPR_CONSTANT,
    SY_EXPR_MARKER,
    SY_EXPR_LIST,
    SY_EXPR_SET,
    SY_EXPR_MAP,    /* items: key, value ... */
    SY_EXPR_FIELDS, /* tuple, user type: items in field order, NULL for one not named */
    SY_EXPR_CALL,
    SY_EXPR_CAST,
    SY_EXPR_COLUMN,
    SY_EXPR_ELEMENT, /* items: collection, key */
    SY_EXPR_FIELD,   /* items: user type; index */
    SY_EXPR_WRITETIME,
    SY_EXPR_TTL,
    SY_EXPR_TOKEN,     /* items: the partition key's */
    SY_EXPR_AGGREGATE, /* items: its argument; index: which accumulator */
};

struct sy_expression {
    enum sy_expression_kind kind;
    const struct sy_type *type;
    struct sy_value value; /* CONSTANT */
    uint32_t index;        /* MARKER, FIELD, AGGREGATE */
    const struct sy_expression *const *items;
    uint32_t n_items;
    const struct sy_function *function;   /* CALL, AGGREGATE */
    const struct sy_table_column *column; /* COLUMN, WRITETIME, TTL */
};

/* One run of a statement. */
struct sy_run {
    struct sy_server *server;
    uint32_t node;
    struct sy_arena *arena;
    const struct sy_value *values; /* of the markers */
    uint32_t n_values;
    uint16_t consistency;
    int64_t
        timestamp_us; /* of the statement, as the client or the clock says; USING TIMESTAMP rules over it */
    bool client_timestamp;
    uint32_t list_sequence; /* elements put into lists by this request so far */
    uint64_t node_bits;     /* the last five bytes of their paths, this server's own */
    const struct sy_table *table;
    const struct sy_row *row;    /* SELECT and conditions */
    struct sy_value *aggregates; /* SELECT: by SY_EXPR_AGGREGATE's index */
    bool failed;
    struct sy_error error;
};

bool sy_run_fail(struct sy_run *run, int32_t code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * A term as a value for the receiver. NULL after an error, which is the binder's then.
 * Constants are made here, once.
 */
const struct sy_expression *sy_bind_term(struct sy_binder *binder, const struct sy_term *term,
                                         const struct sy_column *receiver);
/* A term of a SELECT's list: of its own type. */
const struct sy_expression *sy_bind_selector(struct sy_binder *binder, const struct sy_term *term);

/* False: run->error. The value lives in the run's arena, the plan's, or the request; it may be unset. */
bool sy_evaluate(struct sy_run *run, const struct sy_expression *expression, struct sy_value *ret);

/* Does any part of it satisfy this? */
bool sy_expression_has(const struct sy_expression *expression, enum sy_expression_kind kind);

/* A set or map of these elements (map: key, value alternating) in the type's order, each once; the last of
 * equal ones stays. */
struct sy_value sy_make_sorted(const struct sy_type *type, struct sy_value *elements, uint32_t n,
                               struct sy_arena *arena);
/* A count (unless it is -1: tuples), then each element with its length. */
struct sy_value sy_make_elements(int32_t count, const struct sy_value *elements, uint32_t n,
                                 struct sy_arena *arena);

/* --- functions.c --- */

struct sy_function {
    const char *name;
    uint32_t n_arguments;
    enum sy_type_id arguments[1]; /* SY_CUSTOM: anything */
    enum sy_type_id returns;      /* SY_CUSTOM: as its argument */
    bool (*call)(struct sy_run *run, const struct sy_expression *call, const struct sy_value *arguments,
                 struct sy_value *ret);
    /* Aggregates: folds a value into the state; finish makes the result. n: rows counted so far. */
    void (*fold)(struct sy_run *run, const struct sy_type *type, struct sy_value *state,
                 struct sy_value value);
    struct sy_value (*finish)(struct sy_run *run, const struct sy_type *type, struct sy_value state,
                              int64_t n);
};

/* By name and number of arguments: the first at or behind `from`; NULL: none (more). */
const struct sy_function *sy_function_named(const char *name, uint32_t n_arguments,
                                            const struct sy_function *from);
bool sy_function_exists(const char *name);

/* CAST of scalars. NULL when there is none between the two; else whether it worked. */
bool sy_cast_exists(enum sy_type_id from, enum sy_type_id to);
bool sy_cast_value(struct sy_run *run, const struct sy_type *from, const struct sy_type *to,
                   struct sy_value value, struct sy_value *ret);

#endif
