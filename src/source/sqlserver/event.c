/* SPDX-License-Identifier: Apache-2.0 */
#include "source/sqlserver/event.h"
#include "base/clock.h"
#include "data/schema_build.h"

#include <stdio.h>

static const struct sl_topic *intern_topic(const char *text)
{
    return sl_topic_intern(text, strlen(text));
}

static void make_transaction_schemas(struct sl_mssql_emitter *emitter)
{
    struct sl_struct_builder key = {.name = "io.debezium.connector.common.TransactionMetadataKey",
                                    .version = 1};
    struct sl_struct_builder item = {.name = "event.collection", .version = 1};
    struct sl_struct_builder value = {.name = "io.debezium.connector.common.TransactionMetadataValue",
                                      .version = 1};
    const struct sl_schema *text = sl_schema_plain(SL_STRING, false);
    const struct sl_schema *number = sl_schema_plain(SL_INT64, false);

    sl_struct_add(&key, "id", text);
    emitter->transaction_key = sl_struct_end(&key, false);
    sl_struct_add(&item, "data_collection", text);
    sl_struct_add(&item, "event_count", number);
    sl_struct_add(&value, "status", text);
    sl_struct_add(&value, "id", text);
    sl_struct_add(&value, "event_count", sl_schema_plain(SL_INT64, true));
    sl_struct_add(&value, "data_collections", sl_schema_array(sl_struct_end(&item, true), true));
    sl_struct_add(&value, "ts_ms", number);
    emitter->transaction_value = sl_struct_end(&value, false);
}

void sl_mssql_emitter_init(struct sl_mssql_emitter *emitter, const struct sl_mssql_config *config,
                           const char *database, int task)
{
    char *topic = sl_format("%s%s%s", config->prefix, config->delimiter, config->transaction_topic);
    struct sl_uuid run;

    *emitter = (struct sl_mssql_emitter){.config = config, .database = database, .task = task};
    sl_mssql_source_layout_make(config->shape, &emitter->layout);
    make_transaction_schemas(emitter);
    sl_mssql_structure_schemas(emitter);
    emitter->transaction_topic = intern_topic(topic);
    emitter->schema_topic = intern_topic(config->prefix);
    sl_uuid_new(&run);
    sl_uuid_format(&run, emitter->run_id);
    sl_free(topic);
}

static void make_headers(struct sl_mssql_emitter *emitter)
{
    struct sl_arena *arena = emitter->batch->arena;
    const struct sl_schema *text = sl_schema_plain(SL_STRING, false);
    struct sl_header *headers = sl_arena_alloc(arena, 4 * sizeof(*headers));

    headers[0] = (struct sl_header){.name = "__debezium.context.connectorLogicalName",
                                    .schema = text,
                                    .value = sl_text(sl_arena_strdup(arena, emitter->config->prefix))};
    headers[1] = (struct sl_header){.name = "__debezium.context.taskId",
                                    .schema = text,
                                    .value = sl_text(sl_arena_format(arena, "%d", emitter->task))};
    headers[2] = (struct sl_header){
        .name = "__debezium.context.connectorName", .schema = text, .value = sl_text("sqlserver")};
    headers[3] = (struct sl_header){.name = "__debezium.context.runId",
                                    .schema = text,
                                    .value = sl_text(sl_arena_strdup(arena, emitter->run_id))};
    emitter->headers = headers;
    emitter->n_headers = 4;
}

void sl_mssql_emitter_begin(struct sl_mssql_emitter *emitter, struct sl_batch *batch)
{
    emitter->batch = batch;
    emitter->batch_number++;
    emitter->now_us = sl_wall_us();
    emitter->headers = NULL;
    emitter->n_headers = 0;
    emitter->commit_text = sl_null();
    if (emitter->config->extended_headers)
        make_headers(emitter);
}

struct sl_value sl_mssql_lsn_value(struct sl_arena *arena, const struct sl_lsn *lsn)
{
    char *text = sl_arena_alloc(arena, SL_LSN_TEXT_SIZE);

    sl_lsn_write(lsn, text);
    return sl_bytes(SL_STRING, text, SL_LSN_TEXT_SIZE);
}

/* The part of a table's source block that is the same for all its rows, once a batch. */
static void make_template(struct sl_mssql_emitter *emitter, struct sl_mssql_table *table)
{
    const struct sl_mssql_source_layout *at = &emitter->layout;
    struct sl_arena *arena = emitter->batch->arena;
    struct sl_value *values = sl_arena_alloc(arena, at->n * sizeof(*values));

    for (uint32_t i = 0; i < at->n; i++)
        values[i] = sl_null();
    values[at->version] = sl_text(sl_envelope_version_text(emitter->config->shape));
    values[at->connector] = sl_text("sqlserver");
    values[at->name] = sl_text(sl_arena_strdup(arena, emitter->config->prefix));
    values[at->db] = sl_text(sl_arena_strdup(arena, emitter->database));
    values[at->schema_name] = sl_text(sl_arena_strdup(arena, table->instance->schema));
    values[at->table] = sl_text(sl_arena_strdup(arena, table->instance->table));
    table->template_values = values;
    table->template_batch = emitter->batch_number;
}

struct sl_value *sl_mssql_source_block(struct sl_mssql_emitter *emitter, struct sl_mssql_table *table,
                                       const struct sl_mssql_origin *origin)
{
    const struct sl_mssql_source_layout *at = &emitter->layout;
    struct sl_arena *arena = emitter->batch->arena;
    struct sl_value *values = sl_arena_alloc(arena, at->n * sizeof(*values));

    if (table->template_batch != emitter->batch_number)
        make_template(emitter, table);
    memcpy(values, table->template_values, at->n * sizeof(*values));
    values[at->ts_ms] = sl_int(SL_INT64, origin->ts_us / 1000);
    if (at->ts_us >= 0) {
        values[at->ts_us] = sl_int(SL_INT64, origin->ts_us);
        values[at->ts_ns] = sl_int(SL_INT64, origin->ts_us * 1000);
    }
    values[at->snapshot] = sl_text(origin->snapshot);
    if (origin->known_lsn) {
        struct sl_lsn commit = sl_mssql_position_commit(&origin->position);

        if (emitter->commit_text.tag != SL_STRING || sl_lsn_compare(&commit, &emitter->commit) != 0) {
            emitter->commit = commit;
            emitter->commit_text = sl_mssql_lsn_value(arena, &commit);
        }
        values[at->commit_lsn] = emitter->commit_text;
    }
    if (origin->streamed) {
        struct sl_lsn change;

        memcpy(change.b, origin->position.b + 14, SL_LSN_SIZE);
        values[at->change_lsn] = sl_mssql_lsn_value(arena, &change);
        values[at->event_serial_no] = sl_int(SL_INT64, origin->event_serial_no);
    }
    return values;
}

static struct sl_value transaction_block(struct sl_mssql_emitter *emitter, struct sl_mssql_table *table,
                                         const struct sl_mssql_origin *origin)
{
    struct sl_value *values;

    if (!emitter->config->transactions || !origin->streamed)
        return sl_null();
    values = sl_arena_alloc(emitter->batch->arena, 3 * sizeof(*values));
    values[0] = emitter->commit_text;
    values[1] = sl_int(SL_INT64, ++emitter->transaction.total);
    values[2] = sl_int(SL_INT64, ++table->order);
    return sl_items(SL_STRUCT, values, 3);
}

static struct sl_record *add_record(struct sl_mssql_emitter *emitter, const struct sl_topic *topic,
                                    const struct sl_schema *key_schema, const struct sl_schema *value_schema,
                                    const struct sl_mssql_position *position, uint8_t kind, uint8_t ordinal)
{
    struct sl_record *record = sl_batch_add(emitter->batch, topic, key_schema, value_schema);
    uint8_t *bytes = sl_arena_alloc(emitter->batch->arena, 1 + sizeof(position->b));

    bytes[0] = kind;
    memcpy(bytes + 1, position->b, sizeof(position->b));
    if (kind == SL_SRC_STREAM)
        bytes[1 + 25] = ordinal;
    record->position = (struct sl_span){.ptr = bytes, .len = 1 + sizeof(position->b)};
    if (topic != emitter->transaction_topic) { /* the peer gives its transaction events none */
        record->headers = emitter->headers;
        record->n_headers = emitter->n_headers;
    }
    return record;
}

static struct sl_value row_value(const struct sl_mssql_table *table, const struct sl_value *values)
{
    return values ? sl_items(SL_STRUCT, values, table->n_row) : sl_null();
}

static const char *op_text(char op)
{
    return op == 'r' ? "r" : op == 'c' ? "c" : op == 'u' ? "u" : "d";
}

static void emit_one(struct sl_mssql_emitter *emitter, struct sl_mssql_table *table, char op,
                     const struct sl_value *before, const struct sl_value *after,
                     const struct sl_mssql_origin *origin, uint8_t ordinal, struct sl_value **ret_snapshot)
{
    const struct sl_envelope *at = table->envelope;
    struct sl_arena *arena = emitter->batch->arena;
    struct sl_value *values = sl_arena_alloc(arena, at->n_fields * sizeof(*values));
    struct sl_value *source = sl_mssql_source_block(emitter, table, origin);
    struct sl_value key = sl_mssql_table_key(table, after ? after : before, arena);
    uint8_t kind = origin->streamed ? SL_SRC_STREAM : SL_SRC_SNAPSHOT;
    struct sl_record *record;

    values[at->before] = row_value(table, before);
    values[at->after] = row_value(table, after);
    values[at->source] = sl_items(SL_STRUCT, source, emitter->layout.n);
    values[at->op] = sl_text(op_text(op));
    values[at->ts_ms] = sl_int(SL_INT64, emitter->now_us / 1000);
    if (at->ts_us >= 0) {
        values[at->ts_us] = sl_int(SL_INT64, emitter->now_us);
        values[at->ts_ns] = sl_int(SL_INT64, emitter->now_us * 1000);
    }
    values[at->transaction] = transaction_block(emitter, table, origin);
    record =
        add_record(emitter, table->topic, table->key_schema, at->schema, &origin->position, kind, ordinal);
    record->key = key;
    record->value = sl_items(SL_STRUCT, values, at->n_fields);
    if (ret_snapshot)
        *ret_snapshot = &source[emitter->layout.snapshot];
    if (op != 'd' || !emitter->config->tombstones)
        return;
    /* of a table without key, the tombstone is null in both: Debezium writes it all the same */
    record = add_record(emitter, table->topic, table->key_schema, NULL, &origin->position, kind,
                        (uint8_t)(ordinal + 1));
    record->key = key;
    record->value = sl_null();
}

static bool same_key(const struct sl_mssql_table *table, const struct sl_value *before,
                     const struct sl_value *after)
{
    for (uint32_t i = 0; i < table->n_key; i++)
        if (!sl_value_equal(before[table->key[i]], after[table->key[i]]))
            return false;
    return true;
}

/* Headers that tie the delete and the create of a changed key together, as Debezium writes them. */
static void key_header(struct sl_mssql_emitter *emitter, const struct sl_mssql_table *table, const char *name,
                       const struct sl_value *other)
{
    struct sl_arena *arena = emitter->batch->arena;
    uint16_t n = emitter->n_headers;
    struct sl_header *headers = sl_arena_alloc(arena, (n + 1U) * sizeof(*headers));

    headers[0] = (struct sl_header){
        .name = name, .schema = table->key_schema, .value = sl_mssql_table_key(table, other, arena)};
    if (n)
        memcpy(headers + 1, emitter->headers, n * sizeof(*headers));
    emitter->headers = headers;
    emitter->n_headers = (uint16_t)(n + 1);
}

void sl_mssql_emit_change(struct sl_mssql_emitter *emitter, struct sl_mssql_table *table, char op,
                          const struct sl_value *before, const struct sl_value *after,
                          const struct sl_mssql_origin *origin, struct sl_value **ret_snapshot)
{
    const struct sl_header *headers = emitter->headers;
    uint16_t n_headers = emitter->n_headers;

    /* Only a key that the user chose can change in place; the server writes delete and insert otherwise. */
    if (op != 'u' || !table->custom_key || !table->n_key || same_key(table, before, after)) {
        emit_one(emitter, table, op, before, after, origin, 0, ret_snapshot);
        return;
    }
    key_header(emitter, table, "__debezium.newkey", after);
    emit_one(emitter, table, 'd', before, NULL, origin, 0, NULL);
    emitter->headers = headers;
    emitter->n_headers = n_headers;
    key_header(emitter, table, "__debezium.oldkey", before);
    emit_one(emitter, table, 'c', NULL, after, origin, 2, ret_snapshot);
    emitter->headers = headers;
    emitter->n_headers = n_headers;
}

static void emit_mark(struct sl_mssql_emitter *emitter, const char *status,
                      const struct sl_mssql_position *position, struct sl_value count,
                      struct sl_value collections, int64_t ts_us)
{
    struct sl_arena *arena = emitter->batch->arena;
    struct sl_value *key = sl_arena_alloc(arena, sizeof(*key));
    struct sl_value *values = sl_arena_alloc(arena, 5 * sizeof(*values));
    struct sl_record *record;

    *key = sl_mssql_lsn_value(arena, &emitter->transaction.lsn);
    values[0] = sl_text(status);
    values[1] = *key;
    values[2] = count;
    values[3] = collections;
    values[4] = sl_int(SL_INT64, ts_us / 1000);
    record = add_record(emitter, emitter->transaction_topic, emitter->transaction_key,
                        emitter->transaction_value, position, SL_SRC_STREAM, 0);
    record->key = sl_items(SL_STRUCT, key, 1);
    record->value = sl_items(SL_STRUCT, values, 5);
}

void sl_mssql_emit_begin(struct sl_mssql_emitter *emitter, const struct sl_lsn *lsn, int64_t ts_us,
                         struct sl_mssql_table *const *tables, size_t n_tables)
{
    static const struct sl_lsn zero;
    struct sl_mssql_position position;

    if (!emitter->config->transactions)
        return;
    emitter->transaction = (struct sl_mssql_transaction){.open = true, .lsn = *lsn};
    for (size_t i = 0; i < n_tables; i++)
        tables[i]->order = 0;
    sl_mssql_position_set(&position, lsn, 0, &zero, SL_MSSQL_OP_BEGIN);
    emit_mark(emitter, "BEGIN", &position, sl_null(), sl_null(), ts_us);
}

void sl_mssql_emit_end(struct sl_mssql_emitter *emitter, int64_t ts_us, struct sl_mssql_table *const *tables,
                       size_t n_tables)
{
    struct sl_arena *arena;
    struct sl_mssql_position position;
    struct sl_value *items;
    size_t n = 0;

    if (!emitter->config->transactions || !emitter->transaction.open)
        return;
    arena = emitter->batch->arena;
    items = sl_arena_alloc(arena, n_tables * sizeof(*items));
    for (size_t i = 0; i < n_tables; i++) {
        struct sl_value *pair;

        if (!tables[i]->order)
            continue;
        pair = sl_arena_alloc(arena, 2 * sizeof(*pair));
        pair[0] = sl_text(sl_arena_strdup(arena, tables[i]->id));
        pair[1] = sl_int(SL_INT64, tables[i]->order);
        items[n++] = sl_items(SL_STRUCT, pair, 2);
        tables[i]->order = 0;
    }
    sl_mssql_position_end_of(&position, &emitter->transaction.lsn);
    emit_mark(emitter, "END", &position, sl_int(SL_INT64, emitter->transaction.total),
              sl_items(SL_ARRAY, items, n), ts_us);
    emitter->transaction = (struct sl_mssql_transaction){0};
}
