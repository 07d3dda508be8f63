/* SPDX-License-Identifier: Apache-2.0 */
/* What the reader of expressions makes and the runner walks: a tree. The expression owns its nodes. */
#ifndef SLUICE_TRANSFORM_EXPRESSION_NODE_H
#define SLUICE_TRANSFORM_EXPRESSION_NODE_H

#include "base/regex.h"
#include "transform/expression.h"
#include "transform/plan_cache.h"

enum sl_script_op {
    SL_OP_CONSTANT,
    SL_OP_KEY,
    SL_OP_VALUE,
    SL_OP_TOPIC,
    SL_OP_HEADERS,
    SL_OP_KEY_SCHEMA,
    SL_OP_VALUE_SCHEMA,
    SL_OP_FIELD, /* a.name */
    SL_OP_NOT,
    SL_OP_AND,
    SL_OP_OR,
    SL_OP_CHOOSE, /* a ? b : c */
    SL_OP_ELSE,   /* a ?: b */
    SL_OP_SAME,
    SL_OP_LESS,
    SL_OP_LESS_OR_SAME,
    SL_OP_IN,      /* a in b */
    SL_OP_PATTERN, /* a ==~ pattern */
    SL_OP_JOIN,    /* a + b */
    SL_OP_EQUALS,  /* the methods: a.equals(b) */
    SL_OP_STARTS_WITH,
    SL_OP_ENDS_WITH,
    SL_OP_CONTAINS,
    SL_OP_MATCHES, /* a.matches(pattern) */
    SL_OP_CONTAINS_KEY,
    SL_OP_IS_EMPTY,
    SL_OP_TO_STRING,
};

struct sl_script_node {
    enum sl_script_op op;
    bool safe; /* a field or a method behind ?. */
    struct sl_script_node *a, *b, *c;
    char *name;                      /* of a field or a method */
    struct sl_script_value constant; /* what it points to is the expression's */
    struct sl_regex *pattern;
    struct sl_plan_cache places; /* of a field: where it is in each schema */
};

struct sl_expression {
    struct sl_script_node *root;
    struct sl_script_node **nodes; /* all of them */
    size_t n, capacity;
    struct sl_arena *arena; /* of literals */
};

#endif
