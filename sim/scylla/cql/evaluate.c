/* SPDX-License-Identifier: Apache-2.0 */
#include "expression.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "../storage/arena.h"
#include "../types/bytes.h"
#include "../types/collection.h"

static const struct sy_value null_value = {.len = SY_NULL};

bool sy_run_fail(struct sy_run *run, int32_t code, const char *format, ...)
{
    if (run->failed)
        return false;
    va_list args;
    va_start(args, format);
    run->error.code = code;
    run->error.message = sy_arena_vformat(run->arena, format, args);
    run->error.extra.len = SY_NULL;
    va_end(args);
    run->failed = true;
    return false;
}

struct sy_value sy_make_elements(int32_t count, const struct sy_value *elements, uint32_t n,
                                 struct sy_arena *arena)
{
    size_t size = count >= 0 ? 4 : 0;
    for (uint32_t i = 0; i < n; i++)
        size += 4 + (elements[i].len > 0 ? (size_t)elements[i].len : 0);
    uint8_t *bytes = sy_arena_raw(arena, size), *at = bytes;
    if (count >= 0) {
        sy_put_u32(at, (uint32_t)count);
        at += 4;
    }
    for (uint32_t i = 0; i < n; i++) {
        sy_put_u32(at, elements[i].len < 0 ? UINT32_MAX : (uint32_t)elements[i].len);
        at += 4;
        if (elements[i].len > 0) {
            memcpy(at, elements[i].bytes, (size_t)elements[i].len);
            at += elements[i].len;
        }
    }
    return (struct sy_value){.len = (int32_t)size, .bytes = bytes};
}

struct entry {
    struct sy_value key;
    struct sy_value value;
    uint32_t place;
};

static int compare_entries(const void *a, const void *b, void *type)
{
    const struct entry *x = a, *y = b;
    int c = sy_value_compare(type, x->key, y->key);
    return c != 0 ? c : (x->place > y->place) - (x->place < y->place);
}

struct sy_value sy_make_sorted(const struct sy_type *type, struct sy_value *elements, uint32_t n,
                               struct sy_arena *arena)
{
    uint32_t step = type->n_parts, count = n / step, kept = 0;
    struct entry *entries = sy_arena_alloc(arena, count * sizeof *entries);
    for (uint32_t i = 0; i < count; i++)
        entries[i] =
            (struct entry){.key = elements[i * step], .value = elements[i * step + step - 1], .place = i};
    const struct sy_type *key = type->parts[0];
    qsort_r(entries, count, sizeof *entries, compare_entries, (void *)(uintptr_t)key);
    for (uint32_t i = 0; i < count; i++) {
        if (i + 1 < count && sy_value_compare(key, entries[i].key, entries[i + 1].key) == 0)
            continue;
        elements[kept * step] = entries[i].key;
        elements[kept * step + step - 1] = step == 1 ? entries[i].key : entries[i].value;
        kept++;
    }
    return sy_make_elements((int32_t)kept, elements, kept * step, arena);
}

static bool evaluate_items(struct sy_run *run, const struct sy_expression *e, struct sy_value **ret)
{
    struct sy_value *items = sy_arena_alloc(run->arena, e->n_items * sizeof *items);
    for (uint32_t i = 0; i < e->n_items; i++) {
        items[i] = null_value;
        if (e->items[i] != NULL && !sy_evaluate(run, e->items[i], &items[i]))
            return false;
    }
    *ret = items;
    return true;
}

static bool evaluate_collection(struct sy_run *run, const struct sy_expression *e, struct sy_value *ret)
{
    struct sy_value *items;
    if (!evaluate_items(run, e, &items))
        return false;
    for (uint32_t i = 0; i < e->n_items; i++) {
        if (items[i].len == SY_NULL)
            return sy_run_fail(run, 0x2200, "null is not supported inside collections");
        if (items[i].len == SY_UNSET)
            return sy_run_fail(run, 0x2200, "unset value is not supported inside collections");
    }
    *ret = e->kind == SY_EXPR_LIST ? sy_make_elements((int32_t)e->n_items, items, e->n_items, run->arena)
                                   : sy_make_sorted(e->type, items, e->n_items, run->arena);
    return true;
}

static bool evaluate_fields(struct sy_run *run, const struct sy_expression *e, struct sy_value *ret)
{
    struct sy_value *items;
    if (!evaluate_items(run, e, &items))
        return false;
    for (uint32_t i = 0; i < e->n_items; i++)
        if (items[i].len == SY_UNSET)
            return sy_run_fail(run, 0x2200, "Invalid unset value for %s field %u",
                               e->type->id == SY_UDT ? "user type" : "tuple", i);
    *ret = sy_make_elements(-1, items, e->n_items, run->arena);
    return true;
}

static struct sy_value column_value(const struct sy_run *run, const struct sy_table_column *column)
{
    const struct sy_row *row = run->row;
    if (row == NULL)
        return null_value;
    if (column->kind == SY_PARTITION_KEY)
        return row->partition_key[column->position];
    if (column->kind == SY_CLUSTERING)
        return row->has_clustering ? row->clustering[column->position] : null_value;
    return row->columns[column->index].value;
}

static bool evaluate_element(struct sy_run *run, const struct sy_expression *e, struct sy_value *ret)
{
    struct sy_value *items, key, value;
    struct sy_walk walk;
    if (!evaluate_items(run, e, &items))
        return false;
    const struct sy_type *type = e->items[0]->type;
    *ret = null_value;
    if (items[0].len < 0 || items[1].len < 0 || !sy_walk_collection(&walk, items[0]))
        return true;
    for (int32_t i = 0; i < walk.left && sy_walk_next(&walk, &key); i++) {
        value = key;
        if (type->id == SY_MAP && !sy_walk_next(&walk, &value))
            break;
        if (sy_value_compare(type->parts[0], key, items[1]) == 0)
            *ret = value;
    }
    return true;
}

static bool evaluate_field(struct sy_run *run, const struct sy_expression *e, struct sy_value *ret)
{
    struct sy_value whole;
    struct sy_walk walk;
    if (!sy_evaluate(run, e->items[0], &whole))
        return false;
    *ret = null_value;
    if (whole.len < 0)
        return true;
    sy_walk_fields(&walk, whole);
    for (uint32_t i = 0; i <= e->index; i++)
        if (!sy_walk_next(&walk, ret)) {
            *ret = null_value;
            break;
        }
    return true;
}

static struct sy_value cell_fact(struct sy_run *run, const struct sy_expression *e)
{
    const struct sy_column_state *state = run->row != NULL ? &run->row->columns[e->column->index] : NULL;
    if (state == NULL || state->value.len == SY_NULL)
        return null_value;
    uint8_t *bytes = sy_arena_raw(run->arena, 8);
    if (e->kind == SY_EXPR_WRITETIME) {
        sy_put_u64(bytes, (uint64_t)state->timestamp_us);
        return (struct sy_value){.len = 8, .bytes = bytes};
    }
    if (state->ttl_s == 0)
        return null_value;
    sy_put_u32(bytes, (uint32_t)state->left_s);
    return (struct sy_value){.len = 4, .bytes = bytes};
}

static bool evaluate_token(struct sy_run *run, const struct sy_expression *e, struct sy_value *ret)
{
    struct sy_value *items;
    if (!evaluate_items(run, e, &items))
        return false;
    for (uint32_t i = 0; i < e->n_items; i++)
        if (items[i].len < 0)
            return sy_run_fail(run, 0x2200, "Invalid null value in condition for column %s",
                               run->table->columns[i].name);
    uint8_t *bytes = sy_arena_raw(run->arena, 8);
    sy_put_u64(bytes, (uint64_t)sy_store_token(run->table, items));
    *ret = (struct sy_value){.len = 8, .bytes = bytes};
    return true;
}

static bool evaluate_call(struct sy_run *run, const struct sy_expression *e, struct sy_value *ret)
{
    struct sy_value *items;
    if (!evaluate_items(run, e, &items))
        return false;
    for (uint32_t i = 0; i < e->n_items; i++) {
        if (items[i].len == SY_UNSET)
            return sy_run_fail(run, 0x2200, "Invalid unset value for argument in call to function %s",
                               e->function->name);
        enum sy_type_id id = e->items[i]->type->id;
        bool empty = items[i].len == 0 && id != SY_TEXT && id != SY_ASCII && id != SY_BLOB;
        if (items[i].len == SY_NULL || empty) { /* old tables' empty numbers have no bytes to look at */
            *ret = null_value;
            return true;
        }
    }
    return e->function->call(run, e, items, ret);
}

bool sy_evaluate(struct sy_run *run, const struct sy_expression *e, struct sy_value *ret)
{
    struct sy_value value;
    switch (e->kind) {
    case SY_EXPR_CONSTANT: *ret = e->value; return true;
    case SY_EXPR_MARKER: *ret = run->values[e->index]; return true;
    case SY_EXPR_LIST:
    case SY_EXPR_SET:
    case SY_EXPR_MAP: return evaluate_collection(run, e, ret);
    case SY_EXPR_FIELDS: return evaluate_fields(run, e, ret);
    case SY_EXPR_CALL: return evaluate_call(run, e, ret);
    case SY_EXPR_CAST:
        if (!sy_evaluate(run, e->items[0], &value))
            return false;
        return sy_cast_value(run, e->items[0]->type, e->type, value, ret);
    case SY_EXPR_COLUMN: *ret = column_value(run, e->column); return true;
    case SY_EXPR_ELEMENT: return evaluate_element(run, e, ret);
    case SY_EXPR_FIELD: return evaluate_field(run, e, ret);
    case SY_EXPR_WRITETIME:
    case SY_EXPR_TTL: *ret = cell_fact(run, e); return true;
    case SY_EXPR_TOKEN: return evaluate_token(run, e, ret);
    case SY_EXPR_AGGREGATE: *ret = run->aggregates[e->index]; return true;
    }
    return sy_run_fail(run, 0x0000, "an expression of no kind");
}
