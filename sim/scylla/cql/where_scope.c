/* SPDX-License-Identifier: Apache-2.0 */
/* The key's restrictions as partition keys, tokens and slices. */
#include <stdlib.h>
#include <string.h>

#include "../storage/arena.h"
#include "../types/bytes.h"
#include "../types/collection.h"
#include "../types/order.h"
#include "where.h"

enum { MAX_PRODUCT = 100 /* ScyllaDB's max_partition_key_restrictions_per_query, and the clustering one */ };

struct values {
    struct sy_value *items;
    uint32_t n;
};

static bool check_value(struct sy_run *run, const struct sy_restriction *r, struct sy_value value)
{
    if (value.len == SY_NULL)
        return sy_run_fail(run, 0x2200, "Invalid null value in condition for column %s", r->columns[0]->name);
    if (value.len == SY_UNSET)
        return sy_run_fail(run, 0x2200, "Invalid unset value for column %s", r->columns[0]->name);
    return true;
}

/* The values of = or IN; for tuples the tuples. */
static bool restriction_values(struct sy_run *run, const struct sy_restriction *r, struct values *ret)
{
    struct sy_value whole;
    struct sy_walk walk;
    if (r->op == SY_OP_IN && r->list == NULL) {
        if (!sy_evaluate(run, r->value, &whole) || !check_value(run, r, whole))
            return false;
        (void)sy_walk_collection(&walk, whole);
        ret->items = sy_arena_alloc(run->arena, ((size_t)walk.left + 1) * sizeof *ret->items);
        ret->n = 0;
        while ((int32_t)ret->n < walk.left && sy_walk_next(&walk, &ret->items[ret->n])) {
            if (!check_value(run, r, ret->items[ret->n++]))
                return false;
        }
        return true;
    }
    ret->n = r->op == SY_OP_IN ? r->n_list : 1;
    ret->items = sy_arena_alloc(run->arena, (ret->n + 1) * sizeof *ret->items);
    for (uint32_t i = 0; i < ret->n; i++) {
        const struct sy_expression *e = r->op == SY_OP_IN ? r->list[i] : r->value;
        if (!sy_evaluate(run, e, &ret->items[i]) || !check_value(run, r, ret->items[i]))
            return false;
    }
    return true;
}

static bool check_product(struct sy_run *run, const char *which, uint64_t n)
{
    if (n <= MAX_PRODUCT)
        return true;
    return sy_run_fail(run, 0x2200, "%s key cartesian product size %llu is greater than maximum %d", which,
                       (unsigned long long)n, MAX_PRODUCT);
}

struct key {
    int64_t token;
    const struct sy_value *values;
    uint32_t n;
};

static int compare_keys(const void *a, const void *b)
{
    const struct key *x = a, *y = b;
    if (x->token != y->token)
        return x->token < y->token ? -1 : 1;
    for (uint32_t i = 0; i < x->n; i++) {
        int c = sy_bytes_compare(x->values[i], y->values[i]);
        if (c != 0)
            return c;
    }
    return 0;
}

static bool check_key(struct sy_run *run, const struct sy_value *values, uint32_t n)
{
    size_t len = 0;
    for (uint32_t i = 0; i < n; i++)
        len += (size_t)values[i].len + (n > 1 ? 3 : 0);
    if (len == 0)
        return sy_run_fail(run, 0x2200, "Key may not be empty");
    if (len > UINT16_MAX)
        return sy_run_fail(run, 0x2200, "Key length of %zu is longer than maximum of 65535", len);
    return true;
}

/* Every combination of the columns' values, in the order of tokens. */
static bool make_keys(struct sy_run *run, const struct sy_where *where, struct sy_scope *scope)
{
    uint32_t columns = run->table->n_partition_key;
    struct values *by_column = sy_arena_alloc(run->arena, columns * sizeof *by_column);
    uint64_t product = 1;
    for (uint32_t c = 0; c < columns; c++) {
        if (!restriction_values(run, where->partition[c], &by_column[c]))
            return false;
        product *= by_column[c].n;
        if (!check_product(run, "partition", product))
            return false;
    }
    struct key *keys = sy_arena_alloc(run->arena, (product + 1) * sizeof *keys);
    for (uint32_t i = 0; i < product; i++) {
        struct sy_value *values = sy_arena_alloc(run->arena, columns * sizeof *values);
        uint32_t rest = i;
        for (uint32_t c = columns; c-- > 0;) {
            values[c] = by_column[c].items[rest % by_column[c].n];
            rest /= by_column[c].n;
        }
        if (!check_key(run, values, columns))
            return false;
        keys[i] = (struct key){.values = values, .n = columns};
        if (product > 1)
            keys[i].token = sy_store_token(run->table, values);
    }
    if (product > 1)
        qsort(keys, product, sizeof *keys, compare_keys);
    scope->keys = sy_arena_alloc(run->arena, (product + 1) * sizeof *scope->keys);
    for (uint32_t i = 0; i < product; i++)
        if (i == 0 || compare_keys(&keys[i - 1], &keys[i]) != 0)
            scope->keys[scope->n_keys++] = keys[i].values;
    scope->empty = scope->n_keys == 0;
    return true;
}

static bool make_tokens(struct sy_run *run, const struct sy_where *where, struct sy_scope *scope)
{
    scope->first_token = INT64_MIN;
    scope->last_token = INT64_MAX;
    for (uint32_t i = 0; i < where->n_tokens; i++) {
        const struct sy_restriction *r = where->tokens[i];
        struct sy_value value;
        if (!sy_evaluate(run, r->value, &value) || !check_value(run, r, value))
            return false;
        int64_t token = value.len == 8 ? (int64_t)sy_get_u64(value.bytes) : 0;
        bool from = r->op == SY_OP_GT || r->op == SY_OP_GE || r->op == SY_OP_EQ;
        bool to = r->op == SY_OP_LT || r->op == SY_OP_LE || r->op == SY_OP_EQ;
        if ((r->op == SY_OP_GT && token == INT64_MAX) || (r->op == SY_OP_LT && token == INT64_MIN)) {
            /* Above the last token means: from the ring's start; below the first: nothing. */
            scope->empty = true;
            continue;
        }
        int64_t first = token + (r->op == SY_OP_GT), last = token - (r->op == SY_OP_LT);
        if (from && first > scope->first_token)
            scope->first_token = first;
        if (to && last < scope->last_token)
            scope->last_token = last;
    }
    scope->empty |= scope->first_token > scope->last_token;
    return true;
}

struct ordering {
    const struct sy_restriction *r;
};

static int compare_points(const void *a, const void *b, void *context)
{
    const struct sy_restriction *r = ((struct ordering *)context)->r;
    struct sy_walk wa, wb;
    struct sy_value x = *(const struct sy_value *)a, y = *(const struct sy_value *)b;
    if (r->kind != SY_RELATION_TUPLE) {
        int c = sy_value_compare(r->columns[0]->type, x, y);
        return r->columns[0]->descending ? -c : c;
    }
    sy_walk_fields(&wa, x);
    sy_walk_fields(&wb, y);
    for (uint32_t i = 0; i < r->n_columns; i++) {
        if (!sy_walk_next(&wa, &x) || !sy_walk_next(&wb, &y))
            return 0;
        int c = sy_value_compare(r->columns[i]->type, x, y);
        if (c != 0)
            return r->columns[i]->descending ? -c : c;
    }
    return 0;
}

/* A tuple's fields, or the single value, behind what stands in the prefix already. */
static bool append_fields(struct sy_run *run, const struct sy_restriction *r, struct sy_value value,
                          struct sy_value *prefix, uint32_t *n)
{
    struct sy_walk walk;
    if (r->kind != SY_RELATION_TUPLE) {
        prefix[(*n)++] = value;
        return true;
    }
    sy_walk_fields(&walk, value);
    for (uint32_t i = 0; i < r->n_columns; i++) {
        if (!sy_walk_next(&walk, &prefix[*n]))
            return sy_run_fail(run, 0x2200, "Expected %u elements in value tuple, but got %u", r->n_columns,
                               i);
        if (!check_value(run, r, prefix[(*n)++]))
            return false;
    }
    return true;
}

struct prefixes {
    struct sy_value **items;
    uint32_t n;
    uint32_t n_columns;
};

/* Each prefix so far with each value of the next restriction. */
static bool extend(struct sy_run *run, const struct sy_restriction *r, struct prefixes *p)
{
    struct values values;
    struct ordering ordering = {.r = r};
    if (!restriction_values(run, r, &values) ||
        !check_product(run, "clustering", (uint64_t)values.n * (p->n == 0 ? 1 : p->n)))
        return false;
    qsort_r(values.items, values.n, sizeof *values.items, compare_points, &ordering);
    struct sy_value **items = sy_arena_alloc(run->arena, ((size_t)p->n * values.n + 1) * sizeof *items);
    uint32_t n = 0;
    for (uint32_t i = 0; i < p->n; i++)
        for (uint32_t v = 0; v < values.n; v++) {
            if (v > 0 && compare_points(&values.items[v - 1], &values.items[v], &ordering) == 0)
                continue;
            items[n] = sy_arena_alloc(run->arena, run->table->n_clustering * 2 * sizeof **items);
            memcpy(items[n], p->items[i], p->n_columns * sizeof **items);
            uint32_t columns = p->n_columns;
            if (!append_fields(run, r, values.items[v], items[n], &columns))
                return false;
            n++;
        }
    p->items = items;
    p->n = n;
    p->n_columns += r->n_columns;
    return true;
}

/* One side of a slice: the prefix and, when there is a range on the next columns, its values. */
static bool make_bound(struct sy_run *run, const struct sy_value *prefix, uint32_t n,
                       const struct sy_restriction *r, struct sy_bound *ret)
{
    struct sy_value value, *copy = sy_arena_alloc(run->arena, (run->table->n_clustering + 1) * sizeof *copy);
    memcpy(copy, prefix, n * sizeof *copy);
    *ret = (struct sy_bound){.prefix = copy, .n = n, .inclusive = true};
    if (r == NULL)
        return true;
    if (!sy_evaluate(run, r->value, &value) || !check_value(run, r, value) ||
        !append_fields(run, r, value, copy, &ret->n))
        return false;
    ret->inclusive = r->op == SY_OP_GE || r->op == SY_OP_LE;
    return true;
}

static bool make_slices(struct sy_run *run, const struct sy_where *where, struct sy_scope *scope)
{
    struct sy_value *none = sy_arena_alloc(run->arena, sizeof *none);
    struct prefixes p = {.items = &none, .n = 1};
    for (uint32_t i = 0; i < where->n_prefix; i++)
        if (!extend(run, where->prefix[i], &p))
            return false;
    const struct sy_restriction *any = where->lower != NULL ? where->lower : where->upper;
    bool turned = any != NULL && any->columns[0]->descending; /* what is greater comes first */
    scope->slices = sy_arena_alloc(run->arena, (p.n + 1) * sizeof *scope->slices);
    for (uint32_t i = 0; i < p.n; i++) {
        struct sy_slice *slice = &scope->slices[i];
        if (!make_bound(run, p.items[i], p.n_columns, turned ? where->upper : where->lower, &slice->start) ||
            !make_bound(run, p.items[i], p.n_columns, turned ? where->lower : where->upper, &slice->end))
            return false;
    }
    scope->n_slices = p.n;
    scope->empty |= p.n == 0;
    return true;
}

bool sy_where_scope(struct sy_run *run, const struct sy_where *where, struct sy_scope *ret)
{
    *ret = (struct sy_scope){0};
    if (!(where->keys_given ? make_keys(run, where, ret) : make_tokens(run, where, ret)))
        return false;
    return !where->clustering_restricted || make_slices(run, where, ret);
}
