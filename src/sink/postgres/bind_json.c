/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Collections as JSON, for json and jsonb columns: arrays and maps as they are, structs as objects.
 * Scylla's connector writes a map as an array of structs MapEntry_... {key, value}; it becomes the object
 * that it was. A map whose keys have no text form stays an array of entries.
 */
#include "sink/postgres/bind.h"

#include "codec/json_text.h"
#include "codec/value_json.h"

static void put_json(struct sl_buf *out, const struct sl_schema *schema, struct sl_value value);

/* A key that can stand before a colon: anything with a text of its own. */
static bool is_name(const struct sl_schema *schema)
{
    return schema->type != SL_ARRAY && schema->type != SL_MAP && schema->type != SL_STRUCT;
}

static bool is_map_entry(const struct sl_schema *schema)
{
    const char *last = schema->name ? strrchr(schema->name, '.') : NULL;

    last = last ? last + 1 : schema->name;
    return schema->type == SL_STRUCT && last && strncmp(last, "MapEntry_", strlen("MapEntry_")) == 0 &&
           schema->n_fields == 2 && strcmp(schema->fields[0].name, "key") == 0 &&
           strcmp(schema->fields[1].name, "value") == 0 && is_name(schema->fields[0].schema);
}

static void put_name(struct sl_buf *out, const struct sl_schema *schema, struct sl_value value)
{
    static const struct sl_json_style style = {.decimal_numbers = true};
    bool quoted = value.tag == SL_STRING || value.tag == SL_BYTES;

    if (quoted && schema->semantic != SL_SEM_DECIMAL) {
        sl_value_json(out, schema, value, &style);
        return;
    }
    sl_buf_u8(out, '"');
    sl_value_json(out, schema, value, &style);
    sl_buf_u8(out, '"');
}

static void put_member(struct sl_buf *out, bool first, const struct sl_schema *key_schema,
                       struct sl_value key, const struct sl_schema *schema, struct sl_value value)
{
    if (!first)
        sl_buf_u8(out, ',');
    put_name(out, key_schema, key);
    sl_buf_u8(out, ':');
    put_json(out, schema, value);
}

static void put_entries(struct sl_buf *out, const struct sl_schema *entry, struct sl_value array)
{
    bool first = true;

    sl_buf_u8(out, '{');
    for (uint32_t i = 0; i < array.len; i++) {
        struct sl_value item = array.items[i];

        if (item.tag != SL_STRUCT || item.len != 2)
            continue;
        put_member(out, first, entry->fields[0].schema, item.items[0], entry->fields[1].schema,
                   item.items[1]);
        first = false;
    }
    sl_buf_u8(out, '}');
}

static void put_array(struct sl_buf *out, const struct sl_schema *element, struct sl_value array)
{
    sl_buf_u8(out, '[');
    for (uint32_t i = 0; i < array.len; i++) {
        if (i)
            sl_buf_u8(out, ',');
        put_json(out, element, array.items[i]);
    }
    sl_buf_u8(out, ']');
}

static void put_map(struct sl_buf *out, const struct sl_schema *schema, struct sl_value map)
{
    sl_buf_u8(out, '{');
    for (uint32_t i = 0; i < map.len; i++)
        put_member(out, i == 0, schema->key, map.items[2 * (size_t)i], schema->element,
                   map.items[2 * (size_t)i + 1]);
    sl_buf_u8(out, '}');
}

static void put_struct(struct sl_buf *out, const struct sl_schema *schema, struct sl_value value)
{
    bool first = true;

    sl_buf_u8(out, '{');
    for (uint32_t i = 0; i < value.len && i < schema->n_fields; i++) {
        if (!first)
            sl_buf_u8(out, ',');
        first = false;
        sl_json_text_cstring(out, schema->fields[i].name);
        sl_buf_u8(out, ':');
        put_json(out, schema->fields[i].schema, value.items[i]);
    }
    sl_buf_u8(out, '}');
}

static void put_json(struct sl_buf *out, const struct sl_schema *schema, struct sl_value value)
{
    static const struct sl_json_style style = {.decimal_numbers = true};

    if (value.tag != schema->type)
        sl_buf_text(out, "null");
    else if (schema->type == SL_ARRAY && is_map_entry(schema->element))
        put_entries(out, schema->element, value);
    else if (schema->type == SL_ARRAY)
        put_array(out, schema->element, value);
    else if (schema->type == SL_MAP && is_name(schema->key))
        put_map(out, schema, value);
    else if (schema->type == SL_STRUCT)
        put_struct(out, schema, value);
    else
        sl_value_json(out, schema, value, &style);
}

static const char *put_text(const struct sl_pgsink_cell *cell, struct sl_value value, struct sl_buf *out)
{
    put_json(out, cell->schema, value);
    return NULL;
}

static const char *put_jsonb(const struct sl_pgsink_cell *cell, struct sl_value value, struct sl_buf *out)
{
    sl_buf_u8(out, 1); /* jsonb_recv's version; text follows */
    put_json(out, cell->schema, value);
    return NULL;
}

void sl_pgsink_bind_as_json(const struct sl_pgsink_cell *cell, const struct sl_pgsink_row *const *rows,
                            uint32_t n, struct sl_buf *out, struct sl_pgsink_bads *bads)
{
    bind_varying(cell, rows, n, out, bads, put_text);
}

void sl_pgsink_bind_as_jsonb(const struct sl_pgsink_cell *cell, const struct sl_pgsink_row *const *rows,
                             uint32_t n, struct sl_buf *out, struct sl_pgsink_bads *bads)
{
    bind_varying(cell, rows, n, out, bads, put_jsonb);
}
