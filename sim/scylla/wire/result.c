/* SPDX-License-Identifier: Apache-2.0 */
#include "result.h"

enum { META_GLOBAL = 0x1, META_MORE_PAGES = 0x2, META_NONE = 0x4 };

/* Bit 31 of a prepared statement's flags, as SUPPORTED promised (SCYLLA_LWT_ADD_METADATA_MARK). */
#define META_LWT 0x80000000U

static void put_type(struct sy_out *out, const struct sy_type *type)
{
    sy_out_u16(out, (uint16_t)type->id);
    if (type->id == SY_CUSTOM) {
        sy_out_string(out, type->name == NULL ? "" : type->name);
        return;
    }
    if (type->id == SY_UDT) {
        sy_out_string(out, type->keyspace);
        sy_out_string(out, type->name);
    }
    if (type->id == SY_UDT || type->id == SY_TUPLE)
        sy_out_u16(out, (uint16_t)type->n_parts);
    for (uint32_t i = 0; i < type->n_parts; i++) {
        if (type->id == SY_UDT)
            sy_out_string(out, type->field_names[i]);
        put_type(out, type->parts[i]);
    }
}

static bool is_global(const struct sy_column *columns, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++) {
        if (strcmp(columns[i].keyspace, columns[0].keyspace) != 0 ||
            strcmp(columns[i].table, columns[0].table) != 0)
            return false;
    }
    return n > 0;
}

static void put_specs(struct sy_out *out, const struct sy_column *columns, uint32_t n, bool global)
{
    if (global) {
        sy_out_string(out, columns[0].keyspace);
        sy_out_string(out, columns[0].table);
    }
    for (uint32_t i = 0; i < n; i++) {
        if (!global) {
            sy_out_string(out, columns[i].keyspace);
            sy_out_string(out, columns[i].table);
        }
        sy_out_string(out, columns[i].name);
        put_type(out, columns[i].type);
    }
}

static void put_metadata(struct sy_out *out, const struct sy_result *result, bool skip)
{
    bool global = is_global(result->columns, result->n_columns);
    bool more = result->kind == SY_ROWS && result->paging_state.len >= 0;
    uint32_t flags = (more ? META_MORE_PAGES : 0) | (skip ? META_NONE : global ? META_GLOBAL : 0);
    sy_out_u32(out, flags);
    sy_out_u32(out, result->n_columns);
    if (more)
        sy_out_value(out, result->paging_state);
    if (!skip)
        put_specs(out, result->columns, result->n_columns, global);
}

static void put_rows(struct sy_out *out, const struct sy_result *result, bool skip)
{
    put_metadata(out, result, skip);
    sy_out_u32(out, result->n_rows);
    size_t n = (size_t)result->n_rows * result->n_columns;
    for (size_t i = 0; i < n; i++)
        sy_out_value(out, result->cells[i]);
}

static void put_prepared(struct sy_out *out, const struct sy_result *result,
                         const struct sy_result_style *style)
{
    bool global = is_global(result->binds, result->n_binds);
    sy_out_u16(out, sizeof(result->id));
    sy_out_bytes(out, result->id, sizeof(result->id));
    sy_out_u32(out, (global ? META_GLOBAL : 0) | (style->lwt_mark && result->is_lwt ? META_LWT : 0));
    sy_out_u32(out, result->n_binds);
    if (style->version >= 4) {
        sy_out_u32(out, result->n_pk_indexes);
        for (uint32_t i = 0; i < result->n_pk_indexes; i++)
            sy_out_u16(out, result->pk_indexes[i]);
    }
    put_specs(out, result->binds, result->n_binds, global);
    /* a statement without a result says so by "no metadata" and no columns */
    put_metadata(out, result, result->n_columns == 0);
}

void sy_result_put_schema_change(struct sy_out *out, const struct sy_schema_change *change)
{
    sy_out_string(out, change->change);
    sy_out_string(out, change->target);
    sy_out_string(out, change->keyspace);
    if (strcmp(change->target, "KEYSPACE") != 0)
        sy_out_string(out, change->name);
}

void sy_result_put(struct sy_out *out, const struct sy_result *result, const struct sy_result_style *style)
{
    sy_out_i32(out, (int32_t)result->kind);
    switch (result->kind) {
    case SY_ROWS: put_rows(out, result, style->skip_metadata); break;
    case SY_SET_KEYSPACE: sy_out_string(out, result->keyspace); break;
    case SY_PREPARED: put_prepared(out, result, style); break;
    case SY_SCHEMA_CHANGE: sy_result_put_schema_change(out, &result->change); break;
    case SY_VOID:
    case SY_ERROR: break;
    }
}

void sy_result_put_error(struct sy_out *out, const struct sy_error *error)
{
    sy_out_i32(out, error->code);
    sy_out_string(out, error->message == NULL ? "" : error->message);
    if (error->extra.len > 0)
        sy_out_bytes(out, error->extra.bytes, (size_t)error->extra.len);
}
