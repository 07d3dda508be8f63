/* SPDX-License-Identifier: Apache-2.0 */
/* Restrictions asked of a row: filters of a SELECT and conditions of IF. */
#include <string.h>

#include "../storage/arena.h"
#include "../types/bytes.h"
#include "../types/collection.h"
#include "../types/order.h"
#include "where.h"

static struct sy_value column_of(const struct sy_run *run, const struct sy_table_column *column)
{
    const struct sy_row *row = run->row;
    if (row != NULL && column->kind == SY_PARTITION_KEY)
        return row->partition_key[column->position];
    if (row != NULL && column->kind == SY_CLUSTERING && row->has_clustering)
        return row->clustering[column->position];
    if (row != NULL && (column->kind == SY_STATIC || column->kind == SY_REGULAR))
        return row->columns[column->index].value;
    return (struct sy_value){.len = SY_NULL};
}

static bool compares(enum sy_operator op, int c)
{
    switch ((int)op) {
    case SY_OP_EQ: return c == 0;
    case SY_OP_NE: return c != 0;
    case SY_OP_LT: return c < 0;
    case SY_OP_LE: return c <= 0;
    case SY_OP_GT: return c > 0;
    case SY_OP_GE: return c >= 0;
    default: return false;
    }
}

static bool contains(const struct sy_type *type, struct sy_value whole, bool by_key, struct sy_value wanted)
{
    struct sy_walk walk;
    struct sy_value key, value;
    if (!sy_walk_collection(&walk, whole))
        return false;
    for (int32_t i = 0; i < walk.left && sy_walk_next(&walk, &key); i++) {
        value = key;
        if (type->id == SY_MAP && !sy_walk_next(&walk, &value))
            return false;
        const struct sy_type *part = by_key ? type->parts[0] : type->parts[type->n_parts - 1];
        if (sy_value_compare(part, by_key ? key : value, wanted) == 0)
            return true;
    }
    return false;
}

/* (a, b) op (x, y): the first columns that differ decide. */
static bool tuple_matches(const struct sy_run *run, const struct sy_restriction *r, enum sy_operator op,
                          struct sy_value tuple)
{
    struct sy_walk walk;
    struct sy_value wanted;
    int c = 0;
    sy_walk_fields(&walk, tuple);
    for (uint32_t i = 0; i < r->n_columns && c == 0; i++) {
        struct sy_value have = column_of(run, r->columns[i]);
        if (have.len == SY_NULL || !sy_walk_next(&walk, &wanted))
            return false;
        c = sy_value_compare(r->columns[i]->type, have, wanted);
    }
    return compares(op, c);
}

/* The column, or the part of it that c[key] and c.field name, and its type. */
static bool left_side(struct sy_run *run, const struct sy_restriction *r, struct sy_value *ret,
                      const struct sy_type **ret_type)
{
    const struct sy_type *type = r->columns[0]->type;
    struct sy_value whole = column_of(run, r->columns[0]), key, part = {.len = SY_NULL};
    struct sy_walk walk;
    *ret = whole;
    *ret_type = type;
    if (r->has_field) {
        sy_walk_fields(&walk, whole);
        for (uint32_t i = 0; i <= r->field; i++)
            if (!sy_walk_next(&walk, &part)) {
                part.len = SY_NULL;
                break;
            }
        *ret = part;
        *ret_type = type->parts[r->field];
        return true;
    }
    if (r->key == NULL)
        return true;
    if (!sy_evaluate(run, r->key, &key))
        return false;
    if (key.len < 0)
        return sy_run_fail(run, 0x2200, "Invalid null value for %s element access",
                           type->id == SY_MAP ? "map" : "list");
    *ret_type = type->parts[type->n_parts - 1];
    ret->len = SY_NULL;
    if (!sy_walk_collection(&walk, whole))
        return true;
    int64_t index = type->id == SY_LIST && key.len == 4 ? (int32_t)sy_get_u32(key.bytes) : -1;
    for (int32_t i = 0; i < walk.left && sy_walk_next(&walk, &part); i++) {
        struct sy_value name = part;
        if (type->id == SY_MAP && !sy_walk_next(&walk, &part))
            return true;
        if (type->id == SY_LIST ? i == index : sy_value_compare(type->parts[0], name, key) == 0)
            *ret = part;
    }
    return true;
}

/* An empty multi-cell collection is none. */
static struct sy_value nullified(const struct sy_restriction *r, struct sy_value value)
{
    const struct sy_type *type = r->columns[0]->type;
    bool empty = sy_is_collection(type) && !type->frozen && r->key == NULL && value.len == 4 &&
                 sy_get_u32(value.bytes) == 0;
    return empty ? (struct sy_value){.len = SY_NULL} : value;
}

static bool one_matches(struct sy_run *run, const struct sy_restriction *r, enum sy_operator op,
                        struct sy_value wanted, bool condition)
{
    struct sy_value have;
    const struct sy_type *type;
    if (r->kind == SY_RELATION_TUPLE)
        return wanted.len >= 0 && tuple_matches(run, r, op, wanted);
    if (!left_side(run, r, &have, &type))
        return false;
    if (op == SY_OP_CONTAINS || op == SY_OP_CONTAINS_KEY)
        return have.len >= 0 && wanted.len >= 0 && contains(type, have, op == SY_OP_CONTAINS_KEY, wanted);
    wanted = nullified(r, wanted);
    have = nullified(r, have);
    if (condition && wanted.len == SY_NULL && op != SY_OP_EQ && op != SY_OP_NE)
        return sy_run_fail(run, 0x2200, "Invalid comparison with null for operator \"%s\"",
                           op == SY_OP_LT   ? "<"
                           : op == SY_OP_LE ? "<="
                           : op == SY_OP_GT ? ">"
                                            : ">=");
    if (have.len == SY_NULL || wanted.len == SY_NULL) {
        bool both = have.len == SY_NULL && wanted.len == SY_NULL;
        return condition && (op == SY_OP_EQ ? both : op == SY_OP_NE && !both);
    }
    return compares(op, sy_value_compare(type, have, wanted));
}

static bool matches(struct sy_run *run, const struct sy_restriction *r, bool condition)
{
    struct sy_value wanted;
    struct sy_walk walk;
    if (r->kind == SY_RELATION_TOKEN)
        return true;
    if (r->op != SY_OP_IN || r->list == NULL) {
        if (!sy_evaluate(run, r->value, &wanted))
            return false;
        if (wanted.len == SY_UNSET)
            return sy_run_fail(run, 0x2200, "Invalid unset value for column %s", r->columns[0]->name);
        if (r->op != SY_OP_IN)
            return one_matches(run, r, r->op, wanted, condition);
        (void)sy_walk_collection(&walk, wanted);
        for (int32_t i = 0; i < walk.left && sy_walk_next(&walk, &wanted); i++)
            if (one_matches(run, r, SY_OP_EQ, wanted, condition))
                return true;
        return false;
    }
    for (uint32_t i = 0; i < r->n_list; i++) {
        if (!sy_evaluate(run, r->list[i], &wanted))
            return false;
        if (one_matches(run, r, SY_OP_EQ, wanted, condition))
            return true;
    }
    return false;
}

bool sy_where_matches(struct sy_run *run, const struct sy_where *where)
{
    for (uint32_t i = 0; i < where->n_filters; i++)
        if (!matches(run, where->filters[i], false))
            return false;
    return true;
}

bool sy_condition_matches(struct sy_run *run, const struct sy_restriction *condition)
{
    return matches(run, condition, true) && !run->failed;
}
