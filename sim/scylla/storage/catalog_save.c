/* SPDX-License-Identifier: Apache-2.0 */
/* The users' part of the catalogue as one record, and back. System tables are defined anew at each start. */
#include "table_make.h"

#include <stdlib.h>

enum { MAX_DEPTH = 64 };

static void save_type(struct sy_buffer *buffer, const struct sy_type *type)
{
    sy_buffer_put_u8(buffer, (uint8_t)type->id);
    if (type->n_parts == 0 && type->id != SY_UDT)
        return;
    sy_buffer_put_u8(buffer, type->frozen ? 1 : 0);
    sy_buffer_put_varint(buffer, type->n_parts);
    for (uint32_t i = 0; i < type->n_parts; i++)
        save_type(buffer, type->parts[i]);
    if (type->id != SY_UDT)
        return;
    sy_buffer_put_text(buffer, type->keyspace);
    sy_buffer_put_text(buffer, type->name);
    for (uint32_t i = 0; i < type->n_parts; i++)
        sy_buffer_put_text(buffer, type->field_names[i]);
}

static const struct sy_type *load_type(struct sy_server *server, struct sy_reader *reader,
                                       struct sy_arena *arena, int depth)
{
    struct sy_type type = {.id = (enum sy_type_id)sy_reader_u8(reader)};
    const struct sy_type *native = sy_type_native(type.id);
    const struct sy_type **parts;
    const char **names;
    uint64_t n;

    if (native != NULL)
        return native;
    type.frozen = sy_reader_u8(reader) != 0;
    n = sy_reader_varint(reader);
    if (reader->bad || depth > MAX_DEPTH || n > (uint64_t)(reader->end - reader->at)) {
        reader->bad = true;
        return sy_type_native(SY_BLOB);
    }
    type.n_parts = (uint32_t)n;
    parts = sy_arena_alloc(arena, n * sizeof(*parts));
    names = sy_arena_alloc(arena, n * sizeof(*names));
    for (uint64_t i = 0; i < n; i++)
        parts[i] = load_type(server, reader, arena, depth + 1);
    type.parts = parts;
    if (type.id == SY_UDT) {
        type.keyspace = sy_reader_text(reader, arena);
        type.name = sy_reader_text(reader, arena);
        for (uint64_t i = 0; i < n; i++)
            names[i] = sy_reader_text(reader, arena);
        type.field_names = names;
    }
    return reader->bad ? sy_type_native(SY_BLOB) : sy_type_intern(server, &type);
}

static void save_property(struct sy_buffer *buffer, const struct sy_property *property)
{
    sy_buffer_put_text(buffer, property->name);
    sy_buffer_put_text(buffer, property->text);
    sy_buffer_put_varint(buffer, property->n);
    for (uint32_t i = 0; i < property->n; i++) {
        sy_buffer_put_text(buffer, property->keys[i]);
        sy_buffer_put_text(buffer, property->values[i]);
    }
}

/* A count of things that have at least one byte each. */
static uint32_t load_count(struct sy_reader *reader)
{
    uint64_t n = sy_reader_varint(reader);

    if (n > (uint64_t)(reader->end - reader->at))
        reader->bad = true;
    return reader->bad ? 0 : (uint32_t)n;
}

static struct sy_property load_property(struct sy_reader *reader, struct sy_arena *arena)
{
    struct sy_property property = {.name = sy_reader_text(reader, arena),
                                   .text = sy_reader_text(reader, arena)};
    const char **keys;
    const char **values;

    property.n = load_count(reader);
    keys = sy_arena_alloc(arena, property.n * sizeof(*keys));
    values = sy_arena_alloc(arena, property.n * sizeof(*values));
    for (uint32_t i = 0; i < property.n; i++) {
        keys[i] = sy_reader_text(reader, arena);
        values[i] = sy_reader_text(reader, arena);
    }
    property.keys = keys;
    property.values = values;
    return property;
}

/* --- keyspaces --- */

static void save_keyspace(struct sy_buffer *buffer, const struct sy_keyspace *keyspace)
{
    sy_buffer_put_text(buffer, keyspace->name);
    save_property(buffer, &keyspace->replication);
    sy_buffer_put_u8(buffer, (uint8_t)(keyspace->durable_writes | keyspace->tablets << 1));
    sy_buffer_put_varint(buffer, keyspace->initial_tablets);
}

static void load_keyspace(struct sy_server *server, struct sy_reader *reader)
{
    struct sy_arena *memory = &server->catalog.statement_memory;
    struct sy_keyspace *keyspace = sy_arena_alloc(memory, sizeof(*keyspace));
    uint8_t flags;

    keyspace->name = sy_reader_text(reader, memory);
    keyspace->replication = load_property(reader, memory);
    flags = sy_reader_u8(reader);
    keyspace->durable_writes = flags & 1;
    keyspace->tablets = flags & 2;
    keyspace->initial_tablets = (uint32_t)sy_reader_varint(reader);
    if (!reader->bad)
        sy_catalog_put_keyspace(server, keyspace);
}

/* --- tables --- */

static void save_column(struct sy_buffer *buffer, const struct sy_table_column *column)
{
    sy_buffer_put_text(buffer, column->name);
    save_type(buffer, column->type);
    sy_buffer_put_u8(buffer, (uint8_t)(column->kind | column->descending << 2 | column->row_ttl << 3));
    sy_buffer_put_varint(buffer, column->id);
    sy_buffer_put_varint(buffer, column->position);
}

static void save_dropped(struct sy_buffer *buffer, const struct sy_table_data *data)
{
    uint64_t n = 0;

    for (struct sy_dropped_column *d = data->dropped; d != NULL; d = d->next)
        n++;
    sy_buffer_put_varint(buffer, n);
    for (struct sy_dropped_column *d = data->dropped; d != NULL; d = d->next) {
        sy_buffer_put_text(buffer, d->name);
        save_type(buffer, d->type);
        sy_buffer_put_u8(buffer, d->is_static);
        sy_buffer_put_u64(buffer, (uint64_t)d->dropped_us);
    }
    sy_buffer_put_varint(buffer, data->types.n);
    for (uint32_t i = 0; i < data->types.n; i++)
        save_type(buffer, data->types.types[i] != NULL ? data->types.types[i] : sy_type_native(SY_BLOB));
}

static void save_table(struct sy_buffer *buffer, const struct sy_table *table)
{
    const struct sy_cdc_options *cdc = &table->cdc;

    sy_buffer_put_text(buffer, table->keyspace->name);
    sy_buffer_put_text(buffer, table->name);
    sy_buffer_put(buffer, table->id, 16);
    sy_buffer_put_u8(buffer, (uint8_t)(table->compact_storage | table->is_cdc_log << 1 |
                                       table->has_cdc_options << 2 | cdc->enabled << 3 | cdc->postimage << 4 |
                                       cdc->delta_keys << 5 | (unsigned)cdc->preimage << 6));
    sy_buffer_put_varint(buffer, (uint64_t)cdc->ttl_s);
    sy_buffer_put_varint(buffer, (uint64_t)table->default_ttl_s);
    sy_buffer_put_varint(buffer, table->n_columns);
    for (uint32_t i = 0; i < table->n_columns; i++)
        save_column(buffer, &table->columns[i]);
    sy_buffer_put_varint(buffer, table->n_properties);
    for (uint32_t i = 0; i < table->n_properties; i++)
        save_property(buffer, &table->properties[i]);
    save_dropped(buffer, table->data);
}

static void load_columns(struct sy_server *server, struct sy_reader *reader, struct sy_arena *arena,
                         struct sy_table_draft *draft)
{
    draft->n_columns = load_count(reader);
    draft->columns = sy_arena_alloc(arena, draft->n_columns * sizeof(*draft->columns));
    for (uint32_t i = 0; i < draft->n_columns && !reader->bad; i++) {
        struct sy_table_column *column = &draft->columns[i];
        uint8_t flags;

        column->name = sy_reader_text(reader, arena);
        column->type = load_type(server, reader, arena, 0);
        flags = sy_reader_u8(reader);
        column->kind = flags & 3;
        column->descending = flags & 4;
        column->row_ttl = flags & 8;
        column->id = (uint32_t)sy_reader_varint(reader);
        column->position = (uint32_t)sy_reader_varint(reader);
    }
}

static void load_dropped(struct sy_server *server, struct sy_reader *reader, struct sy_table_data *data)
{
    struct sy_arena *memory = &server->catalog.statement_memory;
    struct sy_dropped_column **slot = &data->dropped;
    const struct sy_type **types;
    uint32_t n = load_count(reader);

    *slot = NULL;
    for (uint32_t i = 0; i < n && !reader->bad; i++) {
        struct sy_dropped_column *dropped = sy_arena_alloc(memory, sizeof(*dropped));

        dropped->name = sy_reader_text(reader, memory);
        dropped->type = load_type(server, reader, memory, 0);
        dropped->is_static = sy_reader_u8(reader) != 0;
        dropped->dropped_us = (int64_t)sy_reader_u64(reader);
        *slot = dropped;
        slot = &dropped->next;
    }
    n = load_count(reader);
    types = sy_arena_alloc(memory, n * sizeof(*types));
    for (uint32_t i = 0; i < n && !reader->bad; i++)
        types[i] = load_type(server, reader, memory, 0);
    if (!reader->bad && n >= data->types.n)
        data->types = (struct sy_column_types){.types = types, .n = n};
}

static struct sy_table_data *data_of(struct sy_server *server, const uint8_t id[16])
{
    for (struct sy_table_data *data = server->catalog.data; data != NULL; data = data->next) {
        if (memcmp(data->id, id, 16) == 0)
            return data;
    }
    return NULL;
}

static void load_table(struct sy_server *server, struct sy_reader *reader, struct sy_arena *arena)
{
    const char *keyspace = sy_reader_text(reader, arena);
    struct sy_table_draft draft = {.name = sy_reader_text(reader, arena)};
    const uint8_t *id = sy_reader_bytes(reader, 16);
    uint8_t flags = sy_reader_u8(reader);
    struct sy_property *properties;

    draft.compact_storage = flags & 1;
    draft.is_cdc_log = flags & 2;
    draft.has_cdc_options = flags & 4;
    draft.cdc = (struct sy_cdc_options){
        .enabled = flags & 8, .postimage = flags & 16, .delta_keys = flags & 32, .preimage = flags >> 6};
    draft.cdc.ttl_s = (int32_t)sy_reader_varint(reader);
    draft.default_ttl_s = (int32_t)sy_reader_varint(reader);
    load_columns(server, reader, arena, &draft);
    draft.n_properties = load_count(reader);
    draft.properties = properties = sy_arena_alloc(arena, draft.n_properties * sizeof(*properties));
    for (uint32_t i = 0; i < draft.n_properties; i++)
        properties[i] = load_property(reader, arena);
    draft.keyspace = keyspace != NULL ? sy_catalog_keyspace(server, keyspace) : NULL;
    if (reader->bad || draft.keyspace == NULL || draft.name == NULL || id == NULL) {
        reader->bad = true;
        return;
    }
    memcpy(draft.id, id, 16);
    draft.data = data_of(server, id);
    load_dropped(server, reader, sy_table_install(server, &draft)->data);
}

/* --- the whole --- */

void sy_catalog_save(struct sy_server *server, struct sy_buffer *buffer)
{
    struct sy_catalog *catalog = &server->catalog;

    for (uint32_t i = 0; i < catalog->n_keyspaces; i++) {
        if (catalog->keyspaces[i]->system)
            continue;
        sy_buffer_put_u8(buffer, 'k');
        save_keyspace(buffer, catalog->keyspaces[i]);
    }
    for (uint32_t i = 0; i < catalog->n_user_types; i++) {
        sy_buffer_put_u8(buffer, 'y');
        save_type(buffer, catalog->user_types[i]);
    }
    for (uint32_t i = 0; i < catalog->n_tables; i++) {
        if (catalog->tables[i]->keyspace->system)
            continue;
        sy_buffer_put_u8(buffer, 't');
        save_table(buffer, catalog->tables[i]);
    }
    for (uint32_t i = 0; i < catalog->n_indexes; i++) {
        const struct sy_index *index = catalog->indexes[i];
        const char *texts[] = {index->keyspace, index->table, index->name, index->column, index->target};

        sy_buffer_put_u8(buffer, 'i');
        for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++)
            sy_buffer_put_text(buffer, texts[k]);
    }
    sy_buffer_put_u8(buffer, 0);
}

static void load_index(struct sy_server *server, struct sy_reader *reader)
{
    struct sy_arena *memory = &server->catalog.statement_memory;
    struct sy_index *index = sy_arena_alloc(memory, sizeof(*index));

    index->keyspace = sy_reader_text(reader, memory);
    index->table = sy_reader_text(reader, memory);
    index->name = sy_reader_text(reader, memory);
    index->column = sy_reader_text(reader, memory);
    index->target = sy_reader_text(reader, memory);
    if (!reader->bad)
        sy_catalog_put_index(server, index);
}

/* What the users made goes from the lists; rows stay with their sy_table_data. */
static void forget_lists(struct sy_server *server)
{
    struct sy_catalog *catalog = &server->catalog;

    for (uint32_t i = 0; i < catalog->n_tables; i++) {
        if (!catalog->tables[i]->keyspace->system) {
            catalog->tables[i]->data->current = NULL;
            memmove(&catalog->tables[i], &catalog->tables[i + 1],
                    (catalog->n_tables - i - 1) * sizeof(*catalog->tables));
            catalog->n_tables--;
            i--;
        }
    }
    for (uint32_t i = 0; i < catalog->n_keyspaces; i++) {
        if (!catalog->keyspaces[i]->system)
            sy_catalog_remove_keyspace(server, catalog->keyspaces[i--]->name);
    }
    catalog->n_user_types = 0;
    catalog->n_indexes = 0;
}

static void clear_dropped(struct sy_server *server)
{
    for (struct sy_table_data *data = server->catalog.data; data != NULL; data = data->next) {
        if (data->current == NULL)
            sy_partitions_clear(&data->partitions[0]);
    }
}

bool sy_catalog_load(struct sy_server *server, struct sy_reader *reader)
{
    struct sy_catalog *catalog = &server->catalog;
    struct sy_arena arena = {0};
    uint8_t kind;

    forget_lists(server);
    while ((kind = sy_reader_u8(reader)) != 0 && !reader->bad) {
        if (kind == 'k')
            load_keyspace(server, reader);
        else if (kind == 'y')
            sy_catalog_put_type(server, load_type(server, reader, &arena, 0));
        else if (kind == 't')
            load_table(server, reader, &arena);
        else if (kind == 'i')
            load_index(server, reader);
        else
            reader->bad = true;
    }
    for (uint32_t i = 0; i < catalog->n_tables; i++)
        sy_table_link(server, catalog->tables[i]->keyspace->name, catalog->tables[i]->name);
    clear_dropped(server);
    sy_arena_free(&arena);
    return !reader->bad;
}
