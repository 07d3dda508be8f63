/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of JsonPath in which the conditions of Confluent's Filter and the fields of its ExtractTopic are
 * written:
 *
 *     $.a.b   $["a"]['b']                          a path to one field
 *     $[?(@.a == 'x')]   $.a[?(@.b > 1 && @.c)]    a path, and what must hold for the object there, or for
 *                                                  one of the objects in the list there
 *
 *     operators   ==  !=  <  <=  >  >=  =~ /regex/i  &&  ||  and brackets; @.a alone: there is such a field
 *     literals    'text' "text" 12 -1.5 true false
 *
 * Indexes, wildcards, "..", functions and all else are refused, with their place. Nulls and fields that are
 * not there fulfil no comparison, != neither. Numbers are compared as numbers whatever their types; what is
 * of two kinds is not the same. Fields are looked up once for each schema. Threads: one, the transform's.
 */
#ifndef SLUICE_TRANSFORM_JSON_PATH_H
#define SLUICE_TRANSFORM_JSON_PATH_H

#include "base/regex.h"
#include "transform/config_list.h"
#include "transform/plan_cache.h"
#include "transform/script_value.h"

/* The names on the way from an object. */
struct sl_json_steps {
    struct sl_config_list names;
    struct sl_plan_cache places; /* by the object's schema: for each step the field's index, or -1 */
};

enum sl_json_op {
    SL_JSON_OR,
    SL_JSON_AND,
    SL_JSON_HAS, /* the left side is there */
    SL_JSON_SAME,
    SL_JSON_NOT_SAME,
    SL_JSON_LESS,
    SL_JSON_LESS_OR_SAME,
    SL_JSON_MORE,
    SL_JSON_MORE_OR_SAME,
    SL_JSON_PATTERN,
};

struct sl_json_operand {
    bool is_path;
    struct sl_json_steps steps;
    struct sl_script_value constant;
    char *text; /* of a text */
};

struct sl_json_node {
    enum sl_json_op op;
    struct sl_json_node *a, *b; /* of OR and AND */
    struct sl_json_operand left, right;
    struct sl_regex *pattern;
};

struct sl_json_path {
    struct sl_json_steps steps;
    struct sl_json_node *filter; /* NULL: none */
};

/* Errors: CONFIG, naming what is not understood and where. */
enum sl_rc sl_json_path_read(const char *text, struct sl_json_path **ret, struct sl_error *err);
/* The path to the field of this name, whatever stands in it; of an empty one: to the whole. */
struct sl_json_path *sl_json_path_of(const char *name);
void sl_json_path_free(struct sl_json_path *path); /* NULL is fine */
void sl_json_steps_done(struct sl_json_steps *steps);
void sl_json_node_free(struct sl_json_node *node);

/* What is at the end of the path, its filter aside; kind SL_SCRIPT_NULL: nothing, or null. */
struct sl_script_value sl_json_path_find(struct sl_json_path *path, const struct sl_schema *schema,
                                         struct sl_value value);

enum sl_json_answer { SL_JSON_NO, SL_JSON_YES, SL_JSON_MISSING };

/* Whether the filter holds at the end of the path; without one: whether there is anything. */
enum sl_json_answer sl_json_path_ask(struct sl_json_path *path, const struct sl_schema *schema,
                                     struct sl_value value);

#endif
