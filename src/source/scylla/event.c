/* SPDX-License-Identifier: Apache-2.0 */
#include "source/scylla/event.h"

#include "base/clock.h"
#include "data/schema_build.h"

void sl_scylla_emitter_init(struct sl_scylla_emitter *emitter, const struct sl_scylla_config *config)
{
    struct sl_struct_builder key = {.name = "io.debezium.connector.common.ServerNameKey", .version = 1};
    struct sl_struct_builder value = {.name = "io.debezium.connector.common.Heartbeat", .version = 1};

    sl_struct_add(&key, "serverName", sl_schema_plain(SL_STRING, false));
    sl_struct_add(&value, "ts_ms", sl_schema_plain(SL_INT64, false));
    *emitter = (struct sl_scylla_emitter){
        .config = config,
        .heartbeat_topic = sl_topic_intern(config->heartbeat_topic, strlen(config->heartbeat_topic)),
        .heartbeat_key = sl_struct_end(&key, false),
        .heartbeat_value = sl_struct_end(&value, false),
    };
}

void sl_scylla_emitter_begin(struct sl_scylla_emitter *emitter, struct sl_batch *batch)
{
    emitter->batch = batch;
    emitter->now_us = sl_wall_us();
    emitter->template_shape = NULL;
}

struct sl_span sl_scylla_position(uint8_t kind, const struct sl_scylla_place *place, uint32_t sequence,
                                  struct sl_arena *arena)
{
    uint8_t *bytes = sl_arena_alloc(arena, 1 + SL_SCYLLA_POSITION_SIZE);
    uint64_t ticks = __builtin_bswap64(sl_cql_timeuuid_ticks(place->time));
    uint32_t number = __builtin_bswap32(sequence);

    bytes[0] = kind;
    memcpy(bytes + 1, place->stream, 16);
    memcpy(bytes + 17, &ticks, 8);
    for (int i = 0; i < 8; i++)
        bytes[25 + i] = place->time[8 + i] ^ 0x80;
    memcpy(bytes + 33, &number, 4);
    bytes[37] = 0;
    return (struct sl_span){.ptr = bytes, .len = 1 + SL_SCYLLA_POSITION_SIZE};
}

/* ---- one event ---- */

/* The part of the source block that is the same for all rows of a table; in the batch, which may outlive us.
 */
static void make_template(struct sl_scylla_emitter *emitter, const struct sl_scylla_shape *shape)
{
    const struct sl_scylla_source_block *at = &shape->source;
    struct sl_arena *arena = emitter->batch->arena;
    struct sl_value *values = sl_arena_alloc(arena, at->n * sizeof(*values));

    for (uint32_t i = 0; i < at->n; i++)
        values[i] = sl_null();
    values[at->version] = sl_text(emitter->config->line_1_2 ? "1.2.2" : "2.0.3");
    values[at->connector] = sl_text("scylla");
    values[at->name] = sl_text(sl_arena_strdup(arena, emitter->config->prefix));
    values[at->keyspace] = sl_text(sl_arena_strdup(arena, shape->table->keyspace));
    values[at->db] = values[at->keyspace];
    values[at->table] = sl_text(sl_arena_strdup(arena, shape->table->name));
    emitter->template_values = values;
    emitter->template_shape = shape;
}

static struct sl_value source_block(struct sl_scylla_emitter *emitter, const struct sl_scylla_event *event)
{
    const struct sl_scylla_source_block *at = &event->shape->source;
    struct sl_value *values = sl_arena_alloc(emitter->batch->arena, at->n * sizeof(*values));
    int64_t ms = event->us >= 0 ? event->us / 1000 : -((-event->us + 999) / 1000);

    if (emitter->template_shape != event->shape)
        make_template(emitter, event->shape);
    memcpy(values, emitter->template_values, at->n * sizeof(*values));
    values[at->ts_ms] = sl_int(SL_INT64, ms);
    values[at->snapshot] = sl_text(event->snapshot);
    values[at->ts_us] = sl_int(SL_INT64, event->us);
    if (at->sequence >= 0 && event->sequence)
        values[at->sequence] = sl_text(event->sequence);
    if (at->ts_ns >= 0) /* of the milliseconds, in the connector too */
        values[at->ts_ns] = sl_int(SL_INT64, ms * 1000000);
    return sl_items(SL_STRUCT, values, at->n);
}

static const char *op_text(char op)
{
    return op == 'c' ? "c" : op == 'u' ? "u" : op == 'd' ? "d" : "r";
}

static struct sl_value envelope_of(struct sl_scylla_emitter *emitter, const struct sl_scylla_event *event)
{
    const struct sl_scylla_envelope *at = &event->shape->envelope;
    struct sl_value *values = sl_arena_alloc(emitter->batch->arena, at->n * sizeof(*values));

    values[at->source] = source_block(emitter, event);
    values[at->before] = event->before;
    values[at->after] = event->after;
    if (at->key >= 0)
        values[at->key] = event->key;
    values[at->op] = sl_text(op_text(event->op));
    values[at->ts_ms] = sl_int(SL_INT64, emitter->now_us / 1000);
    values[at->transaction] = sl_null();
    if (at->ts_us >= 0) {
        values[at->ts_us] = event->has_clock ? sl_int(SL_INT64, emitter->now_us) : sl_null();
        values[at->ts_ns] = event->has_clock ? sl_int(SL_INT64, emitter->now_us * 1000) : sl_null();
    }
    return sl_items(SL_STRUCT, values, at->n);
}

static bool is_skipped(const struct sl_scylla_config *config, char op)
{
    return (op == 'c' && config->skip_create) || (op == 'u' && config->skip_update) ||
           (op == 'd' && config->skip_delete) || (op == 'r' && config->skip_read);
}

void sl_scylla_emit(struct sl_scylla_emitter *emitter, const struct sl_scylla_event *event)
{
    const struct sl_scylla_shape *shape = event->shape;
    struct sl_record *record;
    uint8_t *position;

    if (is_skipped(emitter->config, event->op))
        return;
    record = sl_batch_add(emitter->batch, shape->topic, shape->key_schema, shape->envelope.schema);
    record->key = event->key;
    record->value = envelope_of(emitter, event);
    record->headers = event->headers;
    record->n_headers = event->n_headers;
    record->position = event->position;
    record->flags = event->partial ? SL_RECORD_PARTIAL : 0;
    record->partition = event->partition;
    if (event->op != 'd' || !emitter->config->tombstones)
        return;
    record = sl_batch_add(emitter->batch, shape->topic, shape->key_schema, NULL);
    record->key = event->key;
    record->value = sl_null();
    record->partition = event->partition;
    record->headers = event->headers;
    record->n_headers = event->n_headers;
    if (event->position.len) {
        position = sl_arena_copy(emitter->batch->arena, event->position.ptr, event->position.len);
        position[event->position.len - 1] = 1;
        record->position = (struct sl_span){.ptr = position, .len = event->position.len};
    }
}

void sl_scylla_emit_heartbeat(struct sl_scylla_emitter *emitter)
{
    struct sl_arena *arena = emitter->batch->arena;
    struct sl_value *key = sl_arena_alloc(arena, sizeof(*key));
    struct sl_value *value = sl_arena_alloc(arena, sizeof(*value));
    struct sl_record *record = sl_batch_add(emitter->batch, emitter->heartbeat_topic, emitter->heartbeat_key,
                                            emitter->heartbeat_value);

    *key = sl_text(sl_arena_strdup(arena, emitter->config->prefix));
    *value = sl_int(SL_INT64, sl_wall_us() / 1000);
    record->key = sl_items(SL_STRUCT, key, 1);
    record->value = sl_items(SL_STRUCT, value, 1);
    record->partition = 0;
}

/* ---- a row's key ---- */

int32_t sl_scylla_partition_of(const struct sl_scylla_row *row)
{
    const struct sl_scylla_shape *shape = row->shape;
    struct sl_cql_cell cells[16];
    uint32_t n = shape->n_partition < 16 ? shape->n_partition : 16;

    if (!shape->n_clustering)
        return -1;
    for (uint32_t i = 0; i < n; i++) {
        cells[i] = row->cells[shape->fields[shape->partition[i]].cell];
        if (cells[i].len < 0) /* no key of a real row; any partition will do */
            return 0;
    }
    return (int32_t)(sl_cql_token(cells, n) & INT32_MAX);
}

enum sl_rc sl_scylla_key_of(const struct sl_scylla_row *row, struct sl_arena *arena, struct sl_value *ret,
                            struct sl_error *err)
{
    const struct sl_scylla_shape *shape = row->shape;
    struct sl_value *values = sl_arena_alloc(arena, shape->n_key * sizeof(*values));

    for (uint32_t i = 0; i < shape->n_key; i++) {
        enum sl_rc rc = sl_scylla_value_of(row, &shape->fields[shape->key[i]], arena, &values[i], err);

        if (rc != SL_OK)
            return rc;
    }
    *ret = sl_items(SL_STRUCT, values, shape->n_key);
    return SL_OK;
}

struct sl_header *sl_scylla_headers_of(const struct sl_scylla_row *row, uint16_t room, struct sl_arena *arena,
                                       uint16_t *ret_n)
{
    const struct sl_scylla_shape *shape = row->shape;
    bool wanted = shape->config->placement.kafka_headers;
    size_t most = (wanted ? shape->n_key : 0) + (size_t)room;
    struct sl_header *headers = most ? sl_arena_alloc(arena, most * sizeof(*headers)) : NULL;
    uint16_t n = 0;

    for (uint32_t i = 0; wanted && i < shape->n_fields; i++) {
        const struct sl_scylla_field *field = &shape->fields[i];
        const char *text;

        if (!field->header)
            continue;
        text = sl_scylla_header_text(field->decoder, row->cells[field->cell], arena);
        if (text)
            headers[n++] = (struct sl_header){.name = sl_arena_strdup(arena, field->header),
                                              .schema = sl_schema_plain(SL_STRING, false),
                                              .value = sl_text(text)};
    }
    *ret_n = n;
    return headers;
}
