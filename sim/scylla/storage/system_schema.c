/* SPDX-License-Identifier: Apache-2.0 */
/* system_schema: the catalogue as rows, made anew as a whole. */
#include "system_row.h"

#include <stdio.h>
#include <string.h>

struct schema {
    struct sy_server *server;
    struct sy_arena arena;
    struct sy_system_row row;
};

static void begin(struct schema *schema, const char *table)
{
    sy_system_row_begin(&schema->row, schema->server, "system_schema", table, 0, &schema->arena);
}

static void fill_keyspace(struct schema *schema, const struct sy_keyspace *keyspace)
{
    begin(schema, "keyspaces");
    sy_system_row_text(&schema->row, "keyspace_name", keyspace->name);
    sy_system_row_bool(&schema->row, "durable_writes", keyspace->durable_writes);
    sy_system_row_map(&schema->row, "replication", &keyspace->replication);
    sy_system_row_write(&schema->row);
    if (!keyspace->tablets)
        return;
    begin(schema, "scylla_keyspaces");
    sy_system_row_text(&schema->row, "keyspace_name", keyspace->name);
    sy_system_row_int(&schema->row, "initial_tablets", (int32_t)keyspace->initial_tablets);
    sy_system_row_write(&schema->row);
}

static const struct sy_property *property(const struct sy_table *table, const char *name)
{
    for (uint32_t i = 0; i < table->n_properties; i++) {
        if (strcmp(table->properties[i].name, name) == 0)
            return &table->properties[i];
    }
    return NULL;
}

static const char *text_property(const struct sy_table *table, const char *name, const char *otherwise)
{
    const struct sy_property *found = property(table, name);
    return found != NULL && found->text != NULL ? found->text : otherwise;
}

static int32_t int_property(const struct sy_table *table, const char *name, int32_t otherwise)
{
    int value;
    const char *text = text_property(table, name, NULL);
    return text != NULL && sscanf(text, "%d", &value) == 1 ? value : otherwise;
}

static double double_property(const struct sy_table *table, const char *name, double otherwise)
{
    double value;
    const char *text = text_property(table, name, NULL);
    return text != NULL && sscanf(text, "%lf", &value) == 1 ? value : otherwise;
}

static void put_map_property(struct schema *schema, const struct sy_table *table, const char *name,
                             const char *const *defaults, uint32_t n_defaults)
{
    const struct sy_property *found = property(table, name);
    const char *keys[4];
    const char *values[4];
    struct sy_property otherwise = {.n = n_defaults, .keys = keys, .values = values};
    for (uint32_t i = 0; i < n_defaults; i++) {
        keys[i] = defaults[2 * i];
        values[i] = defaults[2 * i + 1];
    }
    sy_system_row_map(&schema->row, name, found != NULL && found->text == NULL ? found : &otherwise);
}

static void put_le32(uint8_t **at, uint32_t number)
{
    for (int i = 0; i < 4; i++)
        *(*at)++ = (uint8_t)(number >> (8 * i));
}

static void put_le_text(uint8_t **at, const char *text)
{
    size_t len = strlen(text);
    put_le32(at, (uint32_t)len);
    memcpy(*at, text, len);
    *at += len;
}

/* The cdc options as ScyllaDB serialises them: little-endian counts and lengths, all texts. */
static void put_extensions(struct schema *schema, const struct sy_table *table)
{
    struct sy_value pairs[2];
    if (!table->has_cdc_options) {
        sy_system_row_pairs(&schema->row, "extensions", pairs, 0);
        return;
    }
    const struct sy_cdc_options *cdc = &table->cdc;
    char ttl[16];
    snprintf(ttl, sizeof(ttl), "%d", cdc->ttl_s);
    const char *texts[] = {
        "delta",
        cdc->delta_keys ? "keys" : "full",
        "enabled",
        cdc->enabled ? "true" : "false",
        "postimage",
        cdc->postimage ? "true" : "false",
        "preimage",
        cdc->preimage == SY_PREIMAGE_OFF ? "false" : cdc->preimage == SY_PREIMAGE_ON ? "true" : "full",
        "ttl",
        ttl};
    uint8_t *bytes = sy_arena_alloc(&schema->arena, 256);
    uint8_t *at = bytes;
    put_le32(&at, 5);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        put_le_text(&at, texts[i]);
    pairs[0] = sy_system_text("cdc");
    pairs[1] = (struct sy_value){.len = (int32_t)(at - bytes), .bytes = bytes};
    sy_system_row_pairs(&schema->row, "extensions", pairs, 1);
}

static void put_flags(struct schema *schema, const struct sy_table *table)
{
    const char *flags[2];
    uint32_t n = 0;
    if (!table->compact_storage)
        flags[n++] = "compound";
    if (table->is_counter)
        flags[n++] = "counter";
    sy_system_row_texts(&schema->row, "flags", flags, n);
}

static void fill_table(struct schema *schema, const struct sy_table *table)
{
    static const char *const caching[] = {"keys", "ALL", "rows_per_partition", "ALL"};
    static const char *const compaction[] = {"class", "SizeTieredCompactionStrategy"};
    static const char *const compression[] = {"sstable_compression",
                                              "org.apache.cassandra.io.compress.LZ4Compressor"};
    struct sy_system_row *row = &schema->row;
    begin(schema, "tables");
    sy_system_row_text(row, "keyspace_name", table->keyspace->name);
    sy_system_row_text(row, "table_name", table->name);
    sy_system_row_uuid(row, "id", table->id);
    sy_system_row_text(row, "comment", text_property(table, "comment", ""));
    sy_system_row_text(row, "speculative_retry", text_property(table, "speculative_retry", "99.0PERCENTILE"));
    sy_system_row_double(row, "bloom_filter_fp_chance",
                         double_property(table, "bloom_filter_fp_chance", 0.01));
    sy_system_row_double(row, "crc_check_chance", double_property(table, "crc_check_chance", 1));
    sy_system_row_double(row, "read_repair_chance", double_property(table, "read_repair_chance", 0));
    sy_system_row_double(row, "dclocal_read_repair_chance",
                         double_property(table, "dclocal_read_repair_chance", 0));
    sy_system_row_int(row, "default_time_to_live", table->default_ttl_s);
    sy_system_row_int(row, "gc_grace_seconds", int_property(table, "gc_grace_seconds", 864000));
    sy_system_row_int(row, "max_index_interval", int_property(table, "max_index_interval", 2048));
    sy_system_row_int(row, "min_index_interval", int_property(table, "min_index_interval", 128));
    sy_system_row_int(row, "memtable_flush_period_in_ms",
                      int_property(table, "memtable_flush_period_in_ms", 0));
    put_map_property(schema, table, "caching", caching, 2);
    put_map_property(schema, table, "compaction", compaction, 1);
    put_map_property(schema, table, "compression", compression, 1);
    put_extensions(schema, table);
    put_flags(schema, table);
    sy_system_row_write(row);
}

static void fill_scylla_table(struct schema *schema, const struct sy_table *table)
{
    begin(schema, "scylla_tables");
    sy_system_row_text(&schema->row, "keyspace_name", table->keyspace->name);
    sy_system_row_text(&schema->row, "table_name", table->name);
    if (table->is_cdc_log)
        sy_system_row_text(&schema->row, "partitioner", "com.scylladb.dht.CDCPartitioner");
    sy_system_row_write(&schema->row);
}

static void fill_column(struct schema *schema, const struct sy_table *table,
                        const struct sy_table_column *column)
{
    static const char *const kinds[] = {[SY_PARTITION_KEY] = "partition_key",
                                        [SY_CLUSTERING] = "clustering",
                                        [SY_STATIC] = "static",
                                        [SY_REGULAR] = "regular"};
    bool key = column->kind == SY_PARTITION_KEY || column->kind == SY_CLUSTERING;
    struct sy_system_row *row = &schema->row;
    begin(schema, "columns");
    sy_system_row_text(row, "keyspace_name", table->keyspace->name);
    sy_system_row_text(row, "table_name", table->name);
    sy_system_row_text(row, "column_name", column->name);
    sy_system_row_text(row, "column_name_bytes", column->name);
    sy_system_row_text(row, "kind", kinds[column->kind]);
    sy_system_row_int(row, "position", key ? (int32_t)column->position : -1);
    sy_system_row_text(row, "clustering_order",
                       column->kind != SY_CLUSTERING ? "none"
                       : column->descending          ? "desc"
                                                     : "asc");
    sy_system_row_text(row, "type", sy_type_name(&schema->arena, column->type));
    sy_system_row_write(row);
}

static void fill_dropped(struct schema *schema, const struct sy_table *table)
{
    for (const struct sy_dropped_column *column = table->data->dropped; column != NULL;
         column = column->next) {
        begin(schema, "dropped_columns");
        sy_system_row_text(&schema->row, "keyspace_name", table->keyspace->name);
        sy_system_row_text(&schema->row, "table_name", table->name);
        sy_system_row_text(&schema->row, "column_name", column->name);
        sy_system_row_bigint(&schema->row, "dropped_time", column->dropped_us / 1000);
        sy_system_row_text(&schema->row, "kind", column->is_static ? "static" : "regular");
        sy_system_row_text(&schema->row, "type", sy_type_name(&schema->arena, column->type));
        sy_system_row_write(&schema->row);
    }
}

static void fill_type(struct schema *schema, const struct sy_type *type)
{
    struct sy_arena *arena = &schema->arena;
    const char **types = sy_arena_alloc(arena, (type->n_parts + 1) * sizeof(*types));
    for (uint32_t i = 0; i < type->n_parts; i++)
        types[i] = sy_type_name(arena, type->parts[i]);
    begin(schema, "types");
    sy_system_row_text(&schema->row, "keyspace_name", type->keyspace);
    sy_system_row_text(&schema->row, "type_name", type->name);
    sy_system_row_texts(&schema->row, "field_names", type->field_names, type->n_parts);
    sy_system_row_texts(&schema->row, "field_types", types, type->n_parts);
    sy_system_row_write(&schema->row);
}

static void fill_index(struct schema *schema, const struct sy_index *index)
{
    const struct sy_value target[] = {sy_system_text("target"), sy_system_text(index->target)};
    begin(schema, "indexes");
    sy_system_row_text(&schema->row, "keyspace_name", index->keyspace);
    sy_system_row_text(&schema->row, "table_name", index->table);
    sy_system_row_text(&schema->row, "index_name", index->name);
    sy_system_row_text(&schema->row, "kind", "COMPOSITES");
    sy_system_row_pairs(&schema->row, "options", target, 1);
    sy_system_row_write(&schema->row);
}

/* The tables whose rows are made here; the others of the keyspace stay empty. */
static void clear(struct sy_server *server)
{
    static const char *const tables[] = {"keyspaces", "scylla_keyspaces", "tables", "scylla_tables",
                                         "columns",   "dropped_columns",  "types",  "indexes"};
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        sy_partitions_clear(sy_table_partitions(sy_catalog_table(server, "system_schema", tables[i]), 0));
}

void sy_system_refresh_schema(struct sy_server *server)
{
    struct schema schema = {.server = server};
    const struct sy_catalog *catalog = &server->catalog;
    clear(server);
    for (uint32_t i = 0; i < catalog->n_keyspaces; i++)
        fill_keyspace(&schema, catalog->keyspaces[i]);
    for (uint32_t i = 0; i < catalog->n_tables; i++) {
        const struct sy_table *table = catalog->tables[i];
        fill_table(&schema, table);
        fill_scylla_table(&schema, table);
        fill_dropped(&schema, table);
        for (uint32_t j = 0; j < table->n_columns; j++)
            fill_column(&schema, table, &table->columns[j]);
        sy_arena_reset(&schema.arena);
    }
    for (uint32_t i = 0; i < catalog->n_user_types; i++)
        fill_type(&schema, catalog->user_types[i]);
    for (uint32_t i = 0; i < catalog->n_indexes; i++)
        fill_index(&schema, catalog->indexes[i]);
    server->catalog.schema_rows_stale = false;
    sy_arena_free(&schema.arena);
}
