/* SPDX-License-Identifier: Apache-2.0 */
/* A table as text, and as a sum: for tests, and for golden data that must know what it was made from. */
#include "server.h"

#include <openssl/evp.h>

struct dumper {
    const struct sy_table *table;
    struct sy_arena *arena;
    struct sy_buffer text;
    bool values_only;
};

static void put(struct dumper *dumper, const char *text)
{
    sy_buffer_put(&dumper->text, text, strlen(text));
}

static void put_value(struct dumper *dumper, const struct sy_type *type, struct sy_value value)
{
    put(dumper, value.len < 0 ? "null" : sy_value_text(dumper->arena, type, value));
}

static void put_times(struct dumper *dumper, int64_t timestamp_us, int32_t ttl_s)
{
    if (dumper->values_only)
        return;
    put(dumper, sy_arena_format(dumper->arena, "@%lld", (long long)timestamp_us));
    if (ttl_s > 0)
        put(dumper, sy_arena_format(dumper->arena, "/%d", ttl_s));
}

static void put_cells(struct dumper *dumper, const struct sy_table_column *column,
                      const struct sy_column_state *state)
{
    const struct sy_type *type = column->type;

    put(dumper, "{");
    for (uint32_t i = 0; i < state->n_cells; i++) {
        const struct sy_cell *cell = &state->cells[i];
        uint32_t field = type->id == SY_UDT && cell->path.len == 2
                             ? (uint32_t)(cell->path.bytes[0] << 8 | cell->path.bytes[1])
                             : 0;

        if (i > 0)
            put(dumper, ", ");
        put_value(dumper, sy_type_path(type), cell->path);
        if (type->id != SY_SET) {
            put(dumper, ": ");
            put_value(dumper, type->parts[type->id == SY_MAP ? 1 : field], cell->value);
        }
        put_times(dumper, cell->timestamp_us, cell->ttl_s);
    }
    put(dumper, "}");
}

static void put_column(struct dumper *dumper, const struct sy_row *row, const struct sy_table_column *column)
{
    const struct sy_column_state *state = &row->columns[column->index];

    if (state->value.len < 0)
        return;
    put(dumper, " ");
    put(dumper, column->name);
    put(dumper, "=");
    if (sy_type_is_multi_cell(column->type)) {
        put_cells(dumper, column, state);
        return;
    }
    put_value(dumper, column->type, state->value);
    put_times(dumper, state->timestamp_us, state->ttl_s);
}

static bool dump_row(void *ctx, const struct sy_row *row)
{
    struct dumper *dumper = ctx;
    const struct sy_table *table = dumper->table;

    for (uint32_t i = 0; i < table->n_partition_key; i++) {
        put(dumper, i > 0 ? "," : "");
        put_value(dumper, table->columns[i].type, row->partition_key[i]);
    }
    for (uint32_t i = 0; row->has_clustering && i < table->n_clustering; i++) {
        put(dumper, "|");
        put_value(dumper, sy_table_clustering_column(table, i)->type, row->clustering[i]);
    }
    if (!row->has_clustering)
        put(dumper, " (static)");
    if (row->has_clustering && row->marker_alive && !dumper->values_only) {
        put(dumper, " row");
        put_times(dumper, row->marker_timestamp_us, row->marker_ttl_s);
    }
    for (uint32_t i = table->n_partition_key + table->n_clustering; i < table->n_columns; i++)
        put_column(dumper, row, &table->columns[i]);
    put(dumper, "\n");
    sy_arena_reset(dumper->arena);
    return true;
}

static void dump(struct sy_server *server, const struct sy_table *table, bool values_only, struct dumper *ret)
{
    struct sy_arena row_arena = {0};
    struct sy_arena arena = {0};
    struct sy_read read = {
        .table = table, .first_token = INT64_MIN, .last_token = INT64_MAX, .static_alone = true};
    struct sy_error error;

    *ret = (struct dumper){.table = table, .arena = &row_arena, .values_only = values_only};
    sy_store_read(server, &read, dump_row, ret, &arena, &error);
    sy_arena_free(&row_arena);
    sy_arena_free(&arena);
}

const char *sy_store_dump(struct sy_server *server, const struct sy_table *table, struct sy_arena *arena)
{
    struct dumper dumper;
    const char *text;

    dump(server, table, false, &dumper);
    text = sy_arena_dup(arena, dumper.text.bytes != NULL ? (const char *)dumper.text.bytes : "",
                        dumper.text.len);
    sy_buffer_free(&dumper.text);
    return text;
}

const char *sy_store_hash(struct sy_server *server, const struct sy_table *table, struct sy_arena *arena)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    struct dumper dumper;
    char *text;

    dump(server, table, true, &dumper);
    EVP_Digest(dumper.text.bytes != NULL ? (const void *)dumper.text.bytes : "", dumper.text.len, digest,
               &len, EVP_sha256(), NULL);
    sy_buffer_free(&dumper.text);
    text = sy_arena_raw(arena, 2 * (size_t)len + 1);
    for (unsigned int i = 0; i < len; i++) {
        text[2 * i] = "0123456789abcdef"[digest[i] >> 4];
        text[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
    }
    text[2 * (size_t)len] = '\0';
    return text;
}
