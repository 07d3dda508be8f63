/* SPDX-License-Identifier: Apache-2.0 */
/* Cells from the operations of a statement. */
#include <string.h>

#include "../storage/arena.h"
#include "../types/bytes.h"
#include "../types/collection.h"
#include "../types/timeuuid.h"
#include "modify.h"

struct cells {
    struct sy_cell_write *items;
    uint32_t n;
    uint32_t cap;
    const struct sy_table_column *column;
    const struct sy_row *old;
    int64_t timestamp_us;
    int32_t ttl_s;
    struct sy_run *run;
};

static struct sy_cell_write *add(struct cells *cells, enum sy_cell_kind kind)
{
    if (cells->n == cells->cap) {
        uint32_t cap = cells->cap == 0 ? 8 : 2 * cells->cap;
        struct sy_cell_write *more = sy_arena_raw(cells->run->arena, cap * sizeof *more);
        if (cells->n > 0)
            memcpy(more, cells->items, cells->n * sizeof *more);
        cells->items = more;
        cells->cap = cap;
    }
    struct sy_cell_write *cell = &cells->items[cells->n++];
    *cell = (struct sy_cell_write){.column = cells->column,
                                   .kind = kind,
                                   .timestamp_us = cells->timestamp_us,
                                   .path = {.len = SY_NULL},
                                   .value = {.len = SY_NULL}};
    if (kind == SY_CELL_LIVE)
        cell->ttl_s = cells->ttl_s;
    return cell;
}

static void add_live(struct cells *cells, struct sy_value path, struct sy_value value)
{
    struct sy_cell_write *cell = add(cells, SY_CELL_LIVE);
    cell->path = path;
    cell->value = value;
}

/* NULL removes what is there. */
static void add_at(struct cells *cells, struct sy_value path, struct sy_value value)
{
    if (value.len == SY_NULL)
        add(cells, SY_CELL_DEAD)->path = path;
    else
        add_live(cells, path, value);
}

/*
 * The path of a list's element: the write's own time, and behind it a number that keeps the elements of one
 * request in order. Bytes 8 to 10 hold it so that signed bytes sort as it does.
 */
static struct sy_value list_path(struct sy_run *run, int64_t time_us, uint32_t number)
{
    uint8_t *path = sy_arena_raw(run->arena, 16);
    uint64_t low = (uint64_t)(0x80 | (number >> 16 & 0x3f)) << 56 |
                   (uint64_t)((number >> 8 & 0xff) ^ 0x80) << 48 | (uint64_t)((number & 0xff) ^ 0x80) << 40 |
                   run->node_bits;
    sy_timeuuid_make(sy_timeuuid_ticks_of_us(time_us), low, path);
    return (struct sy_value){.len = 16, .bytes = path};
}

static bool append_list(struct cells *cells, struct sy_value list)
{
    struct sy_walk walk;
    struct sy_value element;
    (void)sy_walk_collection(&walk, list);
    for (int32_t i = 0; i < walk.left && sy_walk_next(&walk, &element); i++)
        add_live(cells, list_path(cells->run, cells->timestamp_us, cells->run->list_sequence++), element);
    return true;
}

/* The time is mirrored at 2010-01-01, so that what is prepended later stands before what was earlier. */
static bool prepend_list(struct cells *cells, struct sy_value list)
{
    static const int64_t mirror_us = 1262304000LL * 1000000;
    struct sy_walk walk;
    struct sy_value element;
    if (cells->timestamp_us <= mirror_us)
        return sy_run_fail(cells->run, 0x2200,
                           "List prepend custom timestamp must be greater than Jan 1 2010 00:00:00");
    (void)sy_walk_collection(&walk, list);
    uint32_t first = 0x3fffff - cells->run->list_sequence - (uint32_t)walk.left;
    cells->run->list_sequence += (uint32_t)walk.left;
    for (int32_t i = 0; i < walk.left && sy_walk_next(&walk, &element); i++)
        add_live(cells, list_path(cells->run, 2 * mirror_us - cells->timestamp_us, first + (uint32_t)i),
                 element);
    return true;
}

static struct sy_value field_path(struct sy_run *run, uint32_t field)
{
    uint8_t *path = sy_arena_raw(run->arena, 2);
    sy_put_u16(path, (uint16_t)field);
    return (struct sy_value){.len = 2, .bytes = path};
}

/* The elements of a set, map or user type as cells. */
static bool add_elements(struct cells *cells, const struct sy_type *type, struct sy_value value)
{
    static const struct sy_value empty = {.len = 0, .bytes = (const uint8_t *)""};
    struct sy_walk walk;
    struct sy_value key, element;
    if (type->id == SY_LIST)
        return append_list(cells, value);
    if (type->id == SY_UDT) {
        sy_walk_fields(&walk, value);
        for (uint32_t i = 0; i < type->n_parts && sy_walk_next(&walk, &element); i++)
            if (element.len >= 0)
                add_live(cells, field_path(cells->run, i), element);
        return true;
    }
    (void)sy_walk_collection(&walk, value);
    for (int32_t i = 0; i < walk.left && sy_walk_next(&walk, &key); i++) {
        if (type->id == SY_SET)
            add_live(cells, key, empty);
        else if (sy_walk_next(&walk, &element))
            add_live(cells, key, element);
    }
    return true;
}

/* c = v. A collection is deleted just before the write and then filled: also when v is null. */
static bool set_column(struct cells *cells, const struct sy_change *change)
{
    struct sy_value value;
    if (!sy_evaluate(cells->run, change->value, &value))
        return false;
    if (value.len == SY_UNSET)
        return true;
    if (!sy_type_is_multi_cell(change->column->type)) {
        add_at(cells, (struct sy_value){.len = SY_NULL}, value);
        return true;
    }
    add(cells, SY_CELL_TOMBSTONE)->timestamp_us = cells->timestamp_us - 1;
    return value.len == SY_NULL || add_elements(cells, change->column->type, value);
}

static bool add_to_counter(struct cells *cells, const struct sy_change *change, struct sy_value value)
{
    uint8_t *bytes = sy_arena_raw(cells->run->arena, 8);
    if (value.len != 8)
        return sy_run_fail(cells->run, 0x2200, "Invalid null value for counter increment");
    uint64_t by = sy_get_u64(value.bytes);
    sy_put_u64(bytes, change->kind == SY_SUBTRACT ? 0 - by : by);
    add(cells, SY_CELL_COUNTER)->value = (struct sy_value){.len = 8, .bytes = bytes};
    return true;
}

static bool in_list(const struct sy_type *element, struct sy_value list, struct sy_value value)
{
    struct sy_walk walk;
    struct sy_value one;
    (void)sy_walk_collection(&walk, list);
    for (int32_t i = 0; i < walk.left && sy_walk_next(&walk, &one); i++)
        if (sy_value_compare(element, one, value) == 0)
            return true;
    return false;
}

static const struct sy_column_state *old_state(const struct cells *cells)
{
    return cells->old != NULL ? &cells->old->columns[cells->column->index] : NULL;
}

/* c = c - v: of a list every element of that value, of a set or map those of these keys. */
static bool subtract(struct cells *cells, const struct sy_type *type, struct sy_value value)
{
    struct sy_walk walk;
    struct sy_value key;
    if (type->id == SY_LIST) {
        const struct sy_column_state *old = old_state(cells);
        for (uint32_t i = 0; old != NULL && i < old->n_cells; i++)
            if (in_list(type->parts[0], value, old->cells[i].value))
                add(cells, SY_CELL_DEAD)->path = old->cells[i].path;
        return true;
    }
    (void)sy_walk_collection(&walk, value);
    for (int32_t i = 0; i < walk.left && sy_walk_next(&walk, &key); i++)
        add(cells, SY_CELL_DEAD)->path = key;
    return true;
}

static bool add_or_subtract(struct cells *cells, const struct sy_change *change)
{
    const struct sy_type *type = change->column->type;
    struct sy_value value;
    if (!sy_evaluate(cells->run, change->value, &value))
        return false;
    if (value.len == SY_UNSET)
        return true;
    if (type->id == SY_COUNTER)
        return add_to_counter(cells, change, value);
    if (value.len == SY_NULL)
        return true;
    if (change->kind == SY_SUBTRACT)
        return subtract(cells, type, value);
    return change->kind == SY_PREPEND ? prepend_list(cells, value) : add_elements(cells, type, value);
}

/* The path of the element at an index. */
static bool find_index(struct cells *cells, struct sy_value index, struct sy_value *ret)
{
    const struct sy_column_state *old = old_state(cells);
    if (index.len != 4)
        return sy_run_fail(cells->run, 0x2200, "Invalid null value for list index");
    int32_t i = (int32_t)sy_get_u32(index.bytes);
    if (old == NULL || old->n_cells == 0)
        return sy_run_fail(cells->run, 0x2200, "Attempted to set an element on a list which is null");
    if (i < 0 || (uint32_t)i >= old->n_cells)
        return sy_run_fail(cells->run, 0x2200, "List index %d out of bound, list has size %u", i,
                           old->n_cells);
    *ret = old->cells[i].path;
    return true;
}

/* c[key] = v and DELETE c[key] */
static bool change_element(struct cells *cells, const struct sy_change *change)
{
    struct sy_value key, value = {.len = SY_NULL};
    if (!sy_evaluate(cells->run, change->key, &key) ||
        (change->value != NULL && !sy_evaluate(cells->run, change->value, &value)))
        return false;
    if (value.len == SY_UNSET)
        return true;
    if (change->column->type->id == SY_LIST) {
        if (!find_index(cells, key, &key))
            return false;
    } else if (key.len < 0) {
        return sy_run_fail(cells->run, 0x2200, "Invalid %s map key", key.len == SY_NULL ? "null" : "unset");
    }
    add_at(cells, key, value);
    return true;
}

static bool apply_change(struct cells *cells, const struct sy_change *change)
{
    struct sy_value value = {.len = SY_NULL};
    switch (change->kind) {
    case SY_SET_COLUMN: return set_column(cells, change);
    case SY_ADD_TO:
    case SY_SUBTRACT:
    case SY_PREPEND: return add_or_subtract(cells, change);
    case SY_SET_ELEMENT:
    case SY_DROP_ELEMENT: return change_element(cells, change);
    case SY_SET_FIELD:
        if (!sy_evaluate(cells->run, change->value, &value))
            return false;
        if (value.len != SY_UNSET)
            add_at(cells, field_path(cells->run, change->field), value);
        return true;
    case SY_DROP_FIELD: add_at(cells, field_path(cells->run, change->field), value); return true;
    case SY_DROP_COLUMN:
        add(cells, sy_type_is_multi_cell(change->column->type) ? SY_CELL_TOMBSTONE : SY_CELL_DEAD);
        return true;
    }
    return true;
}

bool sy_change_cells(struct sy_run *run, const struct sy_modify_plan *plan, bool statics,
                     const struct sy_row *old, int64_t timestamp_us, int32_t ttl_s,
                     const struct sy_cell_write **ret_cells, uint32_t *ret_n)
{
    struct cells cells = {.old = old, .timestamp_us = timestamp_us, .ttl_s = ttl_s, .run = run};
    for (uint32_t i = 0; i < plan->n_changes; i++) {
        const struct sy_change *change = &plan->changes[i];
        if ((change->column->kind == SY_STATIC) != statics)
            continue;
        cells.column = change->column;
        if (!apply_change(&cells, change))
            return false;
    }
    *ret_cells = cells.items;
    *ret_n = cells.n;
    return true;
}
