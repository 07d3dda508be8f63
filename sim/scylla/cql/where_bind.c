/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../storage/arena.h"
#include "../types/collection.h"
#include "where.h"

static bool is_range(enum sy_operator op)
{
    return op == SY_OP_LT || op == SY_OP_LE || op == SY_OP_GT || op == SY_OP_GE;
}

static bool is_point(enum sy_operator op)
{
    return op == SY_OP_EQ || op == SY_OP_IN;
}

/* What one value of the relation looks like. */
static bool receiver_for(struct sy_binder *binder, const struct sy_relation *relation,
                         struct sy_restriction *restriction, struct sy_column *ret)
{
    const struct sy_table_column *first = restriction->columns[0];
    *ret = sy_receiver_of(binder->table, first);
    if (relation->kind == SY_RELATION_TOKEN) {
        ret->name = "partition key token";
        ret->type = sy_type_native(SY_BIGINT);
        return true;
    }
    if (relation->kind == SY_RELATION_TUPLE) {
        const struct sy_type **parts = sy_arena_alloc(binder->arena, relation->n_columns * sizeof *parts);
        const char *name = first->name;
        for (uint32_t i = 0; i < relation->n_columns; i++) {
            parts[i] = restriction->columns[i]->type;
            if (i > 0)
                name = sy_arena_format(binder->arena, "%s,%s", name, restriction->columns[i]->name);
        }
        ret->name = sy_arena_format(binder->arena, "(%s)", name);
        ret->type = sy_type_tuple(binder->server, parts, relation->n_columns);
        return true;
    }
    const struct sy_type *type = first->type;
    if (relation->op == SY_OP_CONTAINS || relation->op == SY_OP_CONTAINS_KEY) {
        bool by_key = relation->op == SY_OP_CONTAINS_KEY;
        if (!sy_is_collection(type) || (by_key && type->id != SY_MAP))
            return sy_bind_fail(binder, 0x2200, "Cannot use CONTAINS%s on non-%s column \"%s\"",
                                by_key ? " KEY" : "", by_key ? "map" : "collection", first->name);
        ret->type = by_key ? type->parts[0] : type->parts[type->n_parts - 1];
        ret->name = sy_arena_format(binder->arena, "%s(%s)", by_key ? "key" : "value", first->name);
    }
    return true;
}

/* c[key] and c.field narrow what is compared. */
static bool bind_part(struct sy_binder *binder, const struct sy_relation *relation,
                      struct sy_restriction *restriction, struct sy_column *receiver)
{
    const struct sy_type *type = receiver->type;
    if (relation->key != NULL) {
        struct sy_column key = *receiver;
        if (type->id != SY_MAP && type->id != SY_LIST)
            return sy_bind_fail(binder, 0x2200, "Column %s cannot be used as a map", receiver->name);
        key.name = sy_arena_format(binder->arena, type->id == SY_MAP ? "key(%s)" : "idx(%s)", receiver->name);
        key.type = type->id == SY_MAP ? type->parts[0] : sy_type_native(SY_INT);
        restriction->key = sy_bind_term(binder, relation->key, &key);
        receiver->name = sy_arena_format(binder->arena, "value(%s)", receiver->name);
        receiver->type = type->parts[type->n_parts - 1];
        return restriction->key != NULL;
    }
    if (relation->field != NULL) {
        uint32_t i = 0;
        while (type->id == SY_UDT && i < type->n_parts && strcmp(type->field_names[i], relation->field) != 0)
            i++;
        if (type->id != SY_UDT || i == type->n_parts)
            return sy_bind_fail(binder, 0x2200, "UDT column %s does not have a field %s", receiver->name,
                                relation->field);
        restriction->has_field = true;
        restriction->field = i;
        receiver->name = sy_arena_format(binder->arena, "%s.%s", receiver->name, relation->field);
        receiver->type = type->parts[i];
    }
    return true;
}

static bool bind_in(struct sy_binder *binder, const struct sy_relation *relation,
                    struct sy_restriction *restriction, const struct sy_column *receiver)
{
    if (relation->value->kind == SY_TERM_MARKER) {
        struct sy_column list = *receiver;
        list.name = sy_arena_format(binder->arena, "in(%s)", receiver->name);
        list.type = sy_type_list(binder->server, receiver->type, true);
        restriction->value = sy_bind_term(binder, relation->value, &list);
        return restriction->value != NULL;
    }
    const struct sy_expression **list =
        sy_arena_alloc(binder->arena, (relation->value->n_items + 1) * sizeof *list);
    for (uint32_t i = 0; i < relation->value->n_items; i++) {
        list[i] = sy_bind_term(binder, relation->value->items[i], receiver);
        if (list[i] == NULL)
            return false;
    }
    restriction->list = list;
    restriction->n_list = relation->value->n_items;
    return true;
}

/* token() takes the partition key in its order; tuples take clustering columns in theirs. */
static bool check_columns(struct sy_binder *binder, const struct sy_relation *relation,
                          const struct sy_restriction *restriction)
{
    const struct sy_table *table = binder->table;
    if (relation->kind == SY_RELATION_TOKEN) {
        bool whole = relation->n_columns == table->n_partition_key;
        for (uint32_t i = 0; whole && i < relation->n_columns; i++)
            whole = restriction->columns[i] == sy_table_partition_column(table, i);
        return whole ||
               sy_bind_fail(binder, 0x2200,
                            "The token function arguments must be in the partition key order, and all of "
                            "its columns");
    }
    for (uint32_t i = 0; relation->kind == SY_RELATION_TUPLE && i < relation->n_columns; i++) {
        const struct sy_table_column *column = restriction->columns[i];
        if (column->kind != SY_CLUSTERING)
            return sy_bind_fail(
                binder, 0x2200,
                "Multi-column relations can only be applied to clustering columns but was applied "
                "to: %s",
                column->name);
        if (i > 0 && column->position != restriction->columns[i - 1]->position + 1)
            return sy_bind_fail(
                binder, 0x2200,
                "Clustering columns must appear in the PRIMARY KEY order in multi-column relations");
    }
    return true;
}

bool sy_bind_restriction(struct sy_binder *binder, const struct sy_relation *relation,
                         struct sy_restriction *ret)
{
    const struct sy_table_column **columns =
        sy_arena_alloc(binder->arena, relation->n_columns * sizeof *columns);
    for (uint32_t i = 0; i < relation->n_columns; i++) {
        columns[i] = sy_bind_column(binder, relation->columns[i]);
        if (columns[i] == NULL)
            return sy_bind_fail(binder, 0x2200, "Unrecognized name %s", relation->columns[i]);
    }
    *ret = (struct sy_restriction){
        .kind = relation->kind, .op = relation->op, .columns = columns, .n_columns = relation->n_columns};
    struct sy_column receiver;
    if (relation->op == SY_OP_LIKE || relation->op == SY_OP_IS_NOT_NULL)
        return sy_bind_fail(binder, 0x2200, "this server has no %s",
                            relation->op == SY_OP_LIKE ? "LIKE"
                                                       : "IS NOT NULL outside of materialized views");
    if (!check_columns(binder, relation, ret) || !receiver_for(binder, relation, ret, &receiver) ||
        !bind_part(binder, relation, ret, &receiver))
        return false;
    if (columns[0]->type->id == SY_DURATION && is_range(relation->op))
        return sy_bind_fail(binder, 0x2200, "Slice restrictions are not supported on duration columns");
    if (relation->op == SY_OP_IN)
        return bind_in(binder, relation, ret, &receiver);
    ret->value = sy_bind_term(binder, relation->value, &receiver);
    return ret->value != NULL;
}

struct sorting {
    struct sy_binder *binder;
    struct sy_restriction *all;
    uint32_t n;
    bool *used;
    const struct sy_restriction **filters;
};

static bool restricts_key(const struct sy_restriction *r)
{
    return r->key == NULL && !r->has_field && r->op != SY_OP_CONTAINS && r->op != SY_OP_CONTAINS_KEY &&
           r->op != SY_OP_NE;
}

static bool sort_partition(struct sorting *s, struct sy_where *where)
{
    const struct sy_table *table = s->binder->table;
    const struct sy_restriction **by_column =
        sy_arena_alloc(s->binder->arena, table->n_partition_key * sizeof *by_column);
    const struct sy_restriction **tokens = sy_arena_alloc(s->binder->arena, (s->n + 1) * sizeof *tokens);
    uint32_t given = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        const struct sy_restriction *r = &s->all[i];
        if (r->kind == SY_RELATION_TOKEN) {
            if (r->op == SY_OP_IN || r->op == SY_OP_NE)
                return sy_bind_fail(s->binder, 0x2200, "%s cannot be used with the token function",
                                    r->op == SY_OP_IN ? "IN" : "!=");
            tokens[where->n_tokens++] = r;
            s->used[i] = true;
        } else if (r->kind == SY_RELATION_COLUMN && r->columns[0]->kind == SY_PARTITION_KEY &&
                   is_point(r->op) && restricts_key(r)) {
            uint32_t at = r->columns[0]->position;
            if (by_column[at] != NULL)
                return sy_bind_fail(
                    s->binder, 0x2200,
                    "%s cannot be restricted by more than one relation if it includes an Equal",
                    r->columns[0]->name);
            by_column[at] = r;
            s->used[i] = true;
            given++;
        } else if (r->columns[0]->kind == SY_PARTITION_KEY && is_range(r->op)) {
            continue; /* a filter, or refused */
        }
    }
    where->partition = by_column;
    where->tokens = tokens;
    where->keys_given = given == table->n_partition_key;
    if (!where->keys_given) /* a part of the key finds nothing: it filters */
        for (uint32_t i = 0; i < s->n; i++)
            if (s->all[i].kind == SY_RELATION_COLUMN && s->all[i].columns[0]->kind == SY_PARTITION_KEY)
                s->used[i] = false;
    return true;
}

/* The = or IN that begins at this clustering column. */
static uint32_t point_at(const struct sorting *s, uint32_t position)
{
    for (uint32_t i = 0; i < s->n; i++) {
        const struct sy_restriction *r = &s->all[i];
        if (!s->used[i] && r->kind != SY_RELATION_TOKEN && r->columns[0]->kind == SY_CLUSTERING &&
            r->columns[0]->position == position && is_point(r->op) && restricts_key(r))
            return i;
    }
    return s->n;
}

static bool same_direction(const struct sy_restriction *r)
{
    for (uint32_t i = 1; i < r->n_columns; i++)
        if (r->columns[i]->descending != r->columns[0]->descending)
            return false;
    return true;
}

static void sort_ranges(struct sorting *s, struct sy_where *where)
{
    for (uint32_t i = 0; i < s->n; i++) {
        const struct sy_restriction *r = &s->all[i];
        if (s->used[i] || r->kind == SY_RELATION_TOKEN || !is_range(r->op) || !restricts_key(r) ||
            r->columns[0]->kind != SY_CLUSTERING || r->columns[0]->position != where->n_prefix_columns)
            continue;
        bool lower = r->op == SY_OP_GT || r->op == SY_OP_GE;
        if ((lower ? where->lower : where->upper) != NULL || !same_direction(r))
            continue; /* stays a filter: right, only not as narrow */
        if (lower)
            where->lower = r;
        else
            where->upper = r;
        s->used[i] = true;
    }
}

static bool sort_clustering(struct sorting *s, struct sy_where *where)
{
    const struct sy_table *table = s->binder->table;
    const struct sy_restriction **prefix =
        sy_arena_alloc(s->binder->arena, (table->n_clustering + 1) * sizeof *prefix);
    while (where->n_prefix_columns < table->n_clustering) {
        uint32_t i = point_at(s, where->n_prefix_columns);
        if (i == s->n)
            break;
        s->used[i] = true;
        prefix[where->n_prefix++] = &s->all[i];
        where->n_prefix_columns += s->all[i].n_columns;
    }
    where->prefix = prefix;
    sort_ranges(s, where);
    where->clustering_restricted = where->n_prefix > 0 || where->lower != NULL || where->upper != NULL;
    where->single_row = where->keys_given && where->n_prefix_columns == table->n_clustering;
    return true;
}

bool sy_bind_where(struct sy_binder *binder, const struct sy_relation *relations, uint32_t n,
                   struct sy_where *ret)
{
    struct sorting s = {.binder = binder, .n = n};
    s.all = sy_arena_alloc(binder->arena, (n + 1) * sizeof *s.all);
    s.used = sy_arena_alloc(binder->arena, n + 1);
    s.filters = sy_arena_alloc(binder->arena, (n + 1) * sizeof *s.filters);
    *ret = (struct sy_where){.all = s.all, .n_all = n};
    for (uint32_t i = 0; i < n; i++)
        if (!sy_bind_restriction(binder, &relations[i], &s.all[i]))
            return false;
    if (!sort_partition(&s, ret) || !sort_clustering(&s, ret))
        return false;
    for (uint32_t i = 0; i < n; i++) {
        if (s.used[i])
            continue;
        s.filters[ret->n_filters++] = &s.all[i];
        ret->n_free += s.all[i].kind == SY_RELATION_TUPLE && ret->keys_given &&
                       s.all[i].columns[0]->position == ret->n_prefix_columns;
    }
    ret->filters = s.filters;
    return true;
}
