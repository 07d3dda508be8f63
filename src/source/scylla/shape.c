/* SPDX-License-Identifier: Apache-2.0 */
#include "source/scylla/shape.h"

#include "base/log.h"
#include "data/schema_build.h"

#include <stdlib.h>

#define DELETED "cdc$deleted_"
#define ELEMENTS "cdc$deleted_elements_"

/* ---- columns ---- */

static int find_with_prefix(const struct sl_cql_columns *columns, const char *prefix, const char *name)
{
    size_t len = strlen(prefix);

    for (uint32_t i = 0; i < columns->n; i++)
        if (strncmp(columns->items[i].name, prefix, len) == 0 &&
            strcmp(columns->items[i].name + len, name) == 0)
            return (int)i;
    return -1;
}

/* The log's own type of a column that the base table does not explain (dropped or added a moment ago). */
static void fill_unknown(struct sl_scylla_shape *shape, struct sl_scylla_field *field,
                         const struct sl_cql_type **ret_type)
{
    field->kind = SL_SCYLLA_REGULAR;
    *ret_type = shape->columns->items[field->cell].type;
    shape->incomplete = true;
}

static void fill_field(struct sl_scylla_shape *shape, const char *prefix, int cell,
                       struct sl_scylla_field *field)
{
    const char *name = shape->columns->items[cell].name;
    const struct sl_scylla_column *column = sl_scylla_table_column(shape->table, name);
    const struct sl_cql_type *type;

    *field = (struct sl_scylla_field){.name = name,
                                      .cell = cell,
                                      .place = -1,
                                      .deleted = find_with_prefix(shape->columns, DELETED, name),
                                      .elements = find_with_prefix(shape->columns, ELEMENTS, name)};
    if (column) {
        field->kind = column->kind;
        field->position = column->position;
        field->descending = column->descending;
        type = column->type;
    } else {
        fill_unknown(shape, field, &type);
    }
    if (field->kind <= SL_SCYLLA_CLUSTERING)
        field->header =
            sl_arena_format(shape->arena, "%s.%s", field->kind == SL_SCYLLA_PARTITION ? "pk" : "ck", name);
    field->decoder =
        sl_scylla_decoder_make(type, type->kind == SL_CQL_LIST && field->elements >= 0, prefix, shape->arena);
    shape->has_collections = shape->has_collections || field->elements >= 0;
    if (!field->decoder)
        sl_warn("a column's type has no form in events; the column is left out",
                SL_T("table", shape->table->name), SL_T("column", name), SL_T("type", type->name));
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct sl_scylla_field *)a)->name, ((const struct sl_scylla_field *)b)->name);
}

static void find_fields(struct sl_scylla_shape *shape, const char *prefix)
{
    const struct sl_cql_columns *columns = shape->columns;
    struct sl_scylla_field *fields = sl_arena_alloc(shape->arena, ((size_t)columns->n + 1) * sizeof(*fields));
    uint32_t n = 0;

    for (uint32_t i = 0; i < columns->n; i++)
        if (strncmp(columns->items[i].name, "cdc$", 4) != 0) {
            fill_field(shape, prefix, (int)i, &fields[n]);
            n += fields[n].decoder != NULL;
        }
    if (n)
        qsort(fields, n, sizeof(*fields), by_name);
    for (uint32_t i = 0; i < shape->table->n_columns; i++)
        if (sl_cql_find_column(columns, shape->table->columns[i].name) < 0)
            shape->incomplete = true;
    shape->fields = fields;
    shape->n_fields = n;
    shape->stream = sl_cql_find_column(columns, "cdc$stream_id");
    shape->time = sl_cql_find_column(columns, "cdc$time");
    shape->sequence = sl_cql_find_column(columns, "cdc$batch_seq_no");
    shape->operation = sl_cql_find_column(columns, "cdc$operation");
    shape->ttl = sl_cql_find_column(columns, "cdc$ttl");
    shape->end = sl_cql_find_column(columns, "cdc$end_of_batch");
}

/* ---- keys ---- */

/* Fields of a kind in declared order. */
static const uint32_t *declared(const struct sl_scylla_shape *shape, enum sl_scylla_kind kind,
                                uint32_t *ret_n)
{
    uint32_t *indexes = sl_arena_alloc(shape->arena, ((size_t)shape->n_fields + 1) * sizeof(*indexes));
    uint32_t n = 0;

    for (uint32_t i = 0; i < shape->n_fields; i++) {
        uint32_t at = n;

        if (shape->fields[i].kind != kind)
            continue;
        for (; at > 0 && shape->fields[indexes[at - 1]].position > shape->fields[i].position; at--)
            indexes[at] = indexes[at - 1];
        indexes[at] = i;
        n++;
    }
    *ret_n = n;
    return indexes;
}

/* legacy: all key columns by name; advanced: the partition key by name, then the clustering key by name. */
static void order_key(struct sl_scylla_shape *shape)
{
    uint32_t *key = sl_arena_alloc(shape->arena, ((size_t)shape->n_fields + 1) * sizeof(*key));
    int rounds = shape->config->advanced ? 2 : 1;

    for (int round = 0; round < rounds; round++)
        for (uint32_t i = 0; i < shape->n_fields; i++) {
            enum sl_scylla_kind kind = shape->fields[i].kind;

            if (kind <= SL_SCYLLA_CLUSTERING && (rounds == 1 || (int)kind == round))
                key[shape->n_key++] = i;
        }
    shape->key = key;
    shape->partition = declared(shape, SL_SCYLLA_PARTITION, &shape->n_partition);
    shape->clustering = declared(shape, SL_SCYLLA_CLUSTERING, &shape->n_clustering);
}

static void make_key(struct sl_scylla_shape *shape, const char *prefix)
{
    char *name = sl_format("%s.Key", prefix);
    struct sl_struct_builder b = {.name = name};

    order_key(shape);
    for (uint32_t i = 0; i < shape->n_key; i++) {
        const struct sl_scylla_field *field = &shape->fields[shape->key[i]];

        sl_struct_add(&b, field->name, field->decoder->schema);
    }
    shape->key_schema = sl_struct_end(&b, false);
    sl_free(name);
}

/* ---- before and after ---- */

/* The schema of a column in a row; NULL: it is not shown. */
static const struct sl_schema *field_schema(const struct sl_scylla_shape *shape, const char *prefix,
                                            const struct sl_scylla_field *field, bool with_key)
{
    struct sl_struct_builder b = {0};
    const struct sl_schema *schema;
    char *plain, *name;

    if (field->kind <= SL_SCYLLA_CLUSTERING)
        return with_key ? field->decoder->schema : NULL;
    if (shape->config->advanced)
        return field->decoder->schema;
    if (!sl_scylla_is_plain(field->decoder->type))
        return NULL;
    plain = sl_format("%s.%s.Cell", prefix, field->name);
    name = sl_scylla_schema_name(plain);
    b.name = name;
    sl_struct_add(&b, "value", field->decoder->schema);
    schema = sl_struct_end(&b, true);
    sl_free(name);
    sl_free(plain);
    return schema;
}

static const struct sl_schema *make_row(struct sl_scylla_shape *shape, const char *prefix, const char *end,
                                        bool with_key, int *places, uint32_t *ret_n)
{
    char *name = sl_format("%s.%s", prefix, end);
    struct sl_struct_builder b = {.name = name};
    const struct sl_schema *schema;

    for (uint32_t i = 0; i < shape->n_fields; i++) {
        const struct sl_schema *field = field_schema(shape, prefix, &shape->fields[i], with_key);

        places[i] = field ? (int)b.n_fields : -1;
        if (field)
            sl_struct_add(&b, shape->fields[i].name, field);
    }
    *ret_n = b.n_fields;
    schema = sl_struct_end(&b, true);
    sl_free(name);
    return schema;
}

static void make_rows(struct sl_scylla_shape *shape, const char *prefix)
{
    const struct sl_scylla_placement *at = &shape->config->placement;
    size_t size = ((size_t)shape->n_fields + 1) * sizeof(int);
    int *before = sl_arena_alloc(shape->arena, size);
    int *after = sl_arena_alloc(shape->arena, size);
    struct sl_scylla_field *fields = (struct sl_scylla_field *)(uintptr_t)shape->fields;

    shape->before_schema = make_row(shape, prefix, "Before", at->payload_before, before, &shape->n_before);
    shape->after_schema = make_row(shape, prefix, "After", at->payload_after, after, &shape->n_after);
    shape->before_place = before;
    for (uint32_t i = 0; i < shape->n_fields; i++)
        fields[i].place = after[i];
}

/* ---- source block and envelope ---- */

/* Connectors up to 1.2.2 stand on Debezium 1.4: no incremental snapshots, no name for the block. */
static const struct sl_schema *snapshot_schema(bool line_1_2)
{
    const struct sl_parameter allowed = {"allowed",
                                         line_1_2 ? "true,last,false" : "true,last,false,incremental"};
    const struct sl_schema draft = {.type = SL_STRING,
                                    .optional = true,
                                    .has_version = true,
                                    .version = 1,
                                    .has_default = true,
                                    .default_value = sl_text("false"),
                                    .name = "io.debezium.data.Enum",
                                    .parameters = &allowed,
                                    .n_parameters = 1};

    return sl_schema_intern(&draft);
}

static const struct sl_schema *transaction_schema(bool line_1_2)
{
    struct sl_struct_builder b = {.name = line_1_2 ? NULL : "event.block", .version = line_1_2 ? 0 : 1};

    sl_struct_add(&b, "id", sl_schema_plain(SL_STRING, false));
    sl_struct_add(&b, "total_order", sl_schema_plain(SL_INT64, false));
    sl_struct_add(&b, "data_collection_order", sl_schema_plain(SL_INT64, false));
    return sl_struct_end(&b, true);
}

static void make_source(struct sl_scylla_shape *shape)
{
    bool old = shape->config->line_1_2;
    const struct sl_schema *text = sl_schema_plain(SL_STRING, false);
    const struct sl_schema *number = sl_schema_plain(SL_INT64, false);
    const struct sl_schema *maybe = sl_schema_plain(SL_INT64, true);
    struct sl_struct_builder b = {.name = "com.scylladb.cdc.debezium.connector"};
    struct sl_scylla_source_block *at = &shape->source;

    sl_struct_add(&b, "version", text);
    sl_struct_add(&b, "connector", text);
    sl_struct_add(&b, "name", text);
    sl_struct_add(&b, "ts_ms", number);
    sl_struct_add(&b, "snapshot", snapshot_schema(old));
    sl_struct_add(&b, "db", text);
    if (!old) {
        sl_struct_add(&b, "sequence", sl_schema_plain(SL_STRING, true));
        sl_struct_add(&b, "ts_us", maybe);
        sl_struct_add(&b, "ts_ns", maybe);
    }
    sl_struct_add(&b, "keyspace_name", text);
    sl_struct_add(&b, "table_name", text);
    if (old)
        sl_struct_add(&b, "ts_us", number);
    at->schema = sl_struct_end(&b, false);
    at->version = sl_schema_field(at->schema, "version");
    at->connector = sl_schema_field(at->schema, "connector");
    at->name = sl_schema_field(at->schema, "name");
    at->ts_ms = sl_schema_field(at->schema, "ts_ms");
    at->snapshot = sl_schema_field(at->schema, "snapshot");
    at->db = sl_schema_field(at->schema, "db");
    at->sequence = sl_schema_field(at->schema, "sequence");
    at->ts_us = sl_schema_field(at->schema, "ts_us");
    at->ts_ns = sl_schema_field(at->schema, "ts_ns");
    at->keyspace = sl_schema_field(at->schema, "keyspace_name");
    at->table = sl_schema_field(at->schema, "table_name");
    at->n = at->schema->n_fields;
}

static void make_envelope(struct sl_scylla_shape *shape, const char *prefix)
{
    const struct sl_scylla_config *config = shape->config;
    struct sl_scylla_envelope *at = &shape->envelope;
    const struct sl_schema *maybe = sl_schema_plain(SL_INT64, true);
    char *name = sl_format("%s.Envelope", prefix);
    struct sl_struct_builder b = {.name = name};

    sl_struct_add(&b, "source", shape->source.schema);
    sl_struct_add(&b, "before", shape->before_schema);
    sl_struct_add(&b, "after", shape->after_schema);
    at->key = config->placement.payload_key ? (int)b.n_fields : -1;
    if (config->placement.payload_key)
        sl_struct_add(&b, config->payload_key, shape->key_schema);
    sl_struct_add(&b, "op", sl_schema_plain(SL_STRING, true));
    sl_struct_add(&b, "ts_ms", maybe);
    sl_struct_add(&b, "transaction", transaction_schema(config->line_1_2));
    if (!config->line_1_2) {
        sl_struct_add(&b, "ts_us", maybe);
        sl_struct_add(&b, "ts_ns", maybe);
    }
    at->schema = sl_struct_end(&b, false);
    at->source = 0;
    at->before = 1;
    at->after = 2;
    at->op = at->key >= 0 ? 4 : 3;
    at->ts_ms = at->op + 1;
    at->transaction = at->op + 2;
    at->ts_us = config->line_1_2 ? -1 : at->op + 3;
    at->ts_ns = config->line_1_2 ? -1 : at->op + 4;
    at->n = at->schema->n_fields;
    sl_free(name);
}

static struct sl_scylla_shape *make(const struct sl_scylla_config *config,
                                    const struct sl_scylla_table *table, const struct sl_cql_columns *columns)
{
    struct sl_arena *arena = sl_arena_new(16 << 10);
    struct sl_scylla_shape *shape = sl_arena_alloc(arena, sizeof(*shape));
    char *plain = sl_format("%s.%s.%s", config->prefix, table->keyspace, table->name);
    char *prefix = sl_scylla_schema_name(plain);
    char *topic = sl_scylla_topic_name(config, table->keyspace, table->name);

    *shape = (struct sl_scylla_shape){.arena = arena, .config = config, .table = table, .columns = columns};
    find_fields(shape, prefix);
    make_key(shape, prefix);
    make_rows(shape, prefix);
    make_source(shape);
    make_envelope(shape, prefix);
    shape->topic = sl_topic_intern(topic, strlen(topic));
    sl_free(topic);
    sl_free(prefix);
    sl_free(plain);
    return shape;
}

struct sl_scylla_shape *sl_scylla_shape_new(const struct sl_scylla_config *config,
                                            const struct sl_scylla_table *table,
                                            const struct sl_cql_columns *columns)
{
    return make(config, table, columns);
}

/* Without cdc$deleted_elements_* among its columns a list is decoded as one. */
struct sl_scylla_shape *sl_scylla_base_shape_new(const struct sl_scylla_config *config,
                                                 const struct sl_scylla_table *table,
                                                 const struct sl_cql_columns *columns)
{
    return make(config, table, columns);
}

void sl_scylla_shape_free(struct sl_scylla_shape *shape)
{
    if (shape)
        sl_arena_free(shape->arena);
}

enum sl_rc sl_scylla_shape_check(const struct sl_scylla_shape *shape, struct sl_error *err)
{
    if (shape->stream < 0 || shape->time < 0 || shape->sequence < 0 || shape->operation < 0)
        return sl_error_set(err, SL_E_SCHEMA,
                            "'%s.%s' is no change log: it lacks cdc$stream_id, cdc$time, cdc$batch_seq_no or "
                            "cdc$operation. HINT: check scylla.table.names",
                            shape->table->keyspace, shape->table->log_name);
    if (shape->n_partition != shape->table->n_partition || shape->n_clustering != shape->table->n_clustering)
        return sl_error_set(err, SL_E_SCHEMA,
                            "the rows of '%s.%s' do not have all key columns of the table. HINT: was the "
                            "table dropped and made anew? Then restart with a new topic.prefix",
                            shape->table->keyspace, shape->table->log_name);
    return SL_OK;
}
