/* SPDX-License-Identifier: Apache-2.0 */
#include "data/value.h"

#include "base/arena.h"
#include "data/hash.h"

#include <math.h>

/* How many values hang below a collection. */
static size_t item_count(struct sl_value v)
{
    return v.tag == SL_MAP ? (size_t)v.len * 2 : v.len;
}

static bool items_equal(struct sl_value a, struct sl_value b)
{
    size_t n = item_count(a);

    for (size_t i = 0; i < n; i++) {
        if (!sl_value_equal(a.items[i], b.items[i]))
            return false;
    }
    return true;
}

bool sl_value_equal(struct sl_value a, struct sl_value b)
{
    if (a.tag != b.tag)
        return false;
    switch ((enum sl_type)a.tag) {
    case SL_ABSENT:
    case SL_NULL: return true;
    case SL_INT8:
    case SL_INT16:
    case SL_INT32:
    case SL_INT64:
    case SL_BOOLEAN: return a.i == b.i;
    case SL_FLOAT32:
    case SL_FLOAT64: return a.i == b.i || (isnan(a.d) && isnan(b.d));
    case SL_STRING:
    case SL_BYTES: return a.len == b.len && (a.len == 0 || memcmp(a.bytes, b.bytes, a.len) == 0);
    case SL_ARRAY:
    case SL_MAP:
    case SL_STRUCT: return a.len == b.len && items_equal(a, b);
    }
    return false;
}

uint64_t sl_value_hash(uint64_t hash, struct sl_value value)
{
    size_t n;

    hash = sl_hash_add(hash, value.tag);
    switch ((enum sl_type)value.tag) {
    case SL_ABSENT:
    case SL_NULL: return hash;
    case SL_INT8:
    case SL_INT16:
    case SL_INT32:
    case SL_INT64:
    case SL_BOOLEAN: return sl_hash_add(hash, (uint64_t)value.i);
    case SL_FLOAT32:
    case SL_FLOAT64: return sl_hash_add(hash, isnan(value.d) ? 1 : (uint64_t)value.i);
    case SL_STRING:
    case SL_BYTES: return sl_hash_bytes(value.bytes, value.len, hash);
    case SL_ARRAY:
    case SL_MAP:
    case SL_STRUCT:
        n = item_count(value);
        hash = sl_hash_add(hash, n);
        for (size_t i = 0; i < n; i++)
            hash = sl_value_hash(hash, value.items[i]);
        return hash;
    }
    return hash;
}

struct sl_value sl_value_copy(struct sl_arena *arena, struct sl_value value)
{
    struct sl_value *items;
    size_t n;

    switch ((enum sl_type)value.tag) {
    case SL_STRING:
    case SL_BYTES: value.bytes = sl_arena_copy(arena, value.bytes, value.len); return value;
    case SL_ARRAY:
    case SL_MAP:
    case SL_STRUCT:
        n = item_count(value);
        items = sl_arena_alloc(arena, n * sizeof(*items));
        for (size_t i = 0; i < n; i++)
            items[i] = sl_value_copy(arena, value.items[i]);
        value.items = items;
        return value;
    case SL_ABSENT:
    case SL_NULL:
    case SL_INT8:
    case SL_INT16:
    case SL_INT32:
    case SL_INT64:
    case SL_FLOAT32:
    case SL_FLOAT64:
    case SL_BOOLEAN: return value;
    }
    return value;
}

/* The range of the type that a value must stay in; false for types that are not integers. */
static bool in_range(struct sl_value v)
{
    switch ((enum sl_type)v.tag) {
    case SL_INT8: return v.i == (int8_t)v.i;
    case SL_INT16: return v.i == (int16_t)v.i;
    case SL_INT32: return v.i == (int32_t)v.i;
    case SL_BOOLEAN: return v.i == 0 || v.i == 1;
    case SL_ABSENT:
    case SL_NULL:
    case SL_INT64:
    case SL_FLOAT32:
    case SL_FLOAT64:
    case SL_STRING:
    case SL_BYTES:
    case SL_ARRAY:
    case SL_MAP:
    case SL_STRUCT: return true;
    }
    return true;
}

static enum sl_rc check_struct(const struct sl_schema *schema, struct sl_value value, struct sl_error *err)
{
    if (value.len != schema->n_fields)
        return sl_error_set(err, SL_E_DATA, "a struct of %u fields does not fit a schema of %u", value.len,
                            schema->n_fields);
    for (uint32_t i = 0; i < value.len; i++) {
        if (sl_value_check(schema->fields[i].schema, value.items[i], err))
            return sl_error_wrap(err, "field '%s'", schema->fields[i].name);
    }
    return SL_OK;
}

enum sl_rc sl_value_check(const struct sl_schema *schema, struct sl_value value, struct sl_error *err)
{
    if (sl_is_null(value)) {
        if (schema->optional || schema->has_default)
            return SL_OK;
        return sl_error_set(err, SL_E_DATA, "null where a %s is required", sl_type_name(schema->type));
    }
    if (value.tag != schema->type || !in_range(value))
        return sl_error_set(err, SL_E_DATA, "a value of type %s does not fit a schema of type %s",
                            sl_type_name((enum sl_type)value.tag), sl_type_name(schema->type));
    if (value.tag == SL_STRUCT)
        return check_struct(schema, value, err);
    for (uint32_t i = 0; value.tag == SL_ARRAY && i < value.len; i++) {
        if (sl_value_check(schema->element, value.items[i], err))
            return sl_error_wrap(err, "item %u", i);
    }
    for (uint32_t i = 0; value.tag == SL_MAP && i < value.len; i++) {
        if (sl_value_check(schema->key, value.items[2 * (size_t)i], err) ||
            sl_value_check(schema->element, value.items[2 * (size_t)i + 1], err))
            return sl_error_wrap(err, "entry %u", i);
    }
    return SL_OK;
}
