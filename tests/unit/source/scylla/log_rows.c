/* SPDX-License-Identifier: Apache-2.0 */
#include "log_rows.h"

#include "codec/value_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define SIMPLE(name_, kind_) static const struct sl_cql_type name_ = {.kind = (kind_)}
SIMPLE(type_int, SL_CQL_INT);
SIMPLE(type_bigint, SL_CQL_BIGINT);
SIMPLE(type_tinyint, SL_CQL_TINYINT);
SIMPLE(type_bool, SL_CQL_BOOLEAN);
SIMPLE(type_text, SL_CQL_VARCHAR);
SIMPLE(type_blob, SL_CQL_BLOB);
SIMPLE(type_timeuuid, SL_CQL_TIMEUUID);
static const struct sl_cql_type *const text_arg[] = {&type_text};
static const struct sl_cql_type *const int_arg[] = {&type_int};
static const struct sl_cql_type *const cell_args[] = {&type_timeuuid, &type_int};
static const struct sl_cql_type *const timeuuid_arg[] = {&type_timeuuid};
static const struct sl_cql_type type_tags = {.kind = SL_CQL_SET, .n_args = 1, .args = text_arg};
static const struct sl_cql_type type_steps = {.kind = SL_CQL_LIST, .n_args = 1, .args = int_arg};
static const struct sl_cql_type type_cells = {.kind = SL_CQL_MAP, .n_args = 2, .args = cell_args};
static const struct sl_cql_type type_cell_keys = {.kind = SL_CQL_SET, .n_args = 1, .args = timeuuid_arg};

static const struct sl_scylla_column base_columns[] = {
    {"pk", SL_SCYLLA_PARTITION, 0, false, &type_int},    {"ck", SL_SCYLLA_CLUSTERING, 0, false, &type_int},
    {"n", SL_SCYLLA_REGULAR, 0, false, &type_int},       {"s", SL_SCYLLA_STATIC, 0, false, &type_text},
    {"steps", SL_SCYLLA_REGULAR, 0, false, &type_steps}, {"tags", SL_SCYLLA_REGULAR, 0, false, &type_tags},
    {"v", SL_SCYLLA_REGULAR, 0, false, &type_text},
};

#define COLUMN(name_, type_) {"ks", "t_scylla_cdc_log", (name_), &(type_)}
static const struct sl_cql_column log_columns[] = {
    COLUMN("cdc$stream_id", type_blob),
    COLUMN("cdc$time", type_timeuuid),
    COLUMN("cdc$batch_seq_no", type_int),
    COLUMN("cdc$deleted_elements_steps", type_cell_keys),
    COLUMN("cdc$deleted_elements_tags", type_tags),
    COLUMN("cdc$deleted_n", type_bool),
    COLUMN("cdc$deleted_s", type_bool),
    COLUMN("cdc$deleted_steps", type_bool),
    COLUMN("cdc$deleted_tags", type_bool),
    COLUMN("cdc$deleted_v", type_bool),
    COLUMN("cdc$end_of_batch", type_bool),
    COLUMN("cdc$operation", type_tinyint),
    COLUMN("cdc$ttl", type_bigint),
    COLUMN("ck", type_int),
    COLUMN("n", type_int),
    COLUMN("pk", type_int),
    COLUMN("s", type_text),
    COLUMN("steps", type_cells),
    COLUMN("tags", type_tags),
    COLUMN("v", type_text),
};
static const struct sl_cql_columns all_columns = {sizeof(log_columns) / sizeof(*log_columns), log_columns};

static const struct sl_scylla_place place = {
    .stream = {0x7f, 0xb9, 0xf7, 0x81, 0x95, 0x6c, 0xea, 0x08, 0xc6, 0x51, 0x29, 0x57, 0x20, 0x00, 0x00,
               0x01},
    .time = {0xe0, 0x17, 0x2c, 0x16, 0xe5, 0x56, 0x11, 0xf1, 0xae, 0x81, 0x4f, 0x2c, 0xf3, 0xfa, 0xc5, 0xa9},
};

void log_rows_open(struct log_rows *rows, const char *const *settings)
{
    struct sl_error err = {0};

    memset(rows, 0, sizeof(*rows));
    rows->props = sl_props_new();
    sl_props_set(rows->props, "scylla.cluster.ip.addresses", "127.0.0.1:9042");
    sl_props_set(rows->props, "scylla.table.names", "ks.t");
    sl_props_set(rows->props, "topic.prefix", "rec");
    for (; settings && *settings; settings += 2)
        sl_props_set(rows->props, settings[0], settings[1]);
    if (sl_scylla_config_read(rows->props, &rows->config, &err) != SL_OK)
        fail_msg("%s", err.text);
    rows->arena = sl_arena_new(4096);
    rows->table = (struct sl_scylla_table){.keyspace = "ks",
                                           .name = "t",
                                           .log_name = "t_scylla_cdc_log",
                                           .columns = base_columns,
                                           .n_columns = sizeof(base_columns) / sizeof(*base_columns),
                                           .n_partition = 1,
                                           .n_clustering = 1};
    rows->shape = sl_scylla_shape_new(rows->config, &rows->table, &all_columns);
    assert_int_equal(sl_scylla_shape_check(rows->shape, &err), SL_OK);
    assert_false(rows->shape->incomplete);
    rows->batch = sl_batch_new(64 << 10);
    sl_scylla_emitter_init(&rows->emitter, rows->config);
    sl_scylla_emitter_begin(&rows->emitter, rows->batch);
    sl_scylla_group_begin(&rows->group, &place);
}

void log_rows_close(struct log_rows *rows)
{
    sl_batch_free(rows->batch);
    sl_scylla_group_done(&rows->group);
    sl_scylla_shape_free(rows->shape);
    sl_scylla_config_free(rows->config);
    sl_props_free(rows->props);
    sl_arena_free(rows->arena);
}

static struct sl_cql_cell *cell_of(struct log_rows *rows, const char *column)
{
    int at = sl_cql_find_column(&all_columns, column);

    assert_true(at >= 0);
    return &rows->cells[at];
}

void row_bytes(struct log_rows *rows, const char *column, const void *bytes, size_t len)
{
    *cell_of(rows, column) = (struct sl_cql_cell){sl_arena_copy(rows->arena, bytes, len), (int32_t)len};
}

void row_int(struct log_rows *rows, const char *column, int32_t value)
{
    uint32_t be = __builtin_bswap32((uint32_t)value);

    row_bytes(rows, column, &be, 4);
}

void row_text(struct log_rows *rows, const char *column, const char *text)
{
    row_bytes(rows, column, text, strlen(text));
}

void row_flag(struct log_rows *rows, const char *column)
{
    row_bytes(rows, column, "\1", 1);
}

void row_begin(struct log_rows *rows, int op)
{
    int8_t code = (int8_t)op;

    for (uint32_t i = 0; i < all_columns.n; i++)
        rows->cells[i] = (struct sl_cql_cell){.len = -1};
    row_bytes(rows, "cdc$stream_id", place.stream, 16);
    row_bytes(rows, "cdc$time", place.time, 16);
    row_int(rows, "cdc$batch_seq_no", (int32_t)rows->sequence++);
    row_bytes(rows, "cdc$operation", &code, 1);
}

void row_end(struct log_rows *rows)
{
    struct sl_error err = {0};

    assert_int_equal(sl_scylla_group_add(&rows->group, rows->shape, rows->cells, &err), SL_OK);
}

void row_keyed(struct log_rows *rows, int op, int32_t pk, int32_t ck)
{
    row_begin(rows, op);
    row_int(rows, "pk", pk);
    if (ck >= 0)
        row_int(rows, "ck", ck);
}

void rows_emit(struct log_rows *rows)
{
    struct sl_error err = {0};

    if (sl_scylla_emit_group(&rows->emitter, &rows->group, &err) != SL_OK)
        fail_msg("%s", err.text);
}

const struct sl_run *run_of(const struct log_rows *rows, uint32_t record)
{
    for (uint32_t i = 0; i < rows->batch->n_runs; i++)
        if (record >= rows->batch->runs[i].first &&
            record < rows->batch->runs[i].first + rows->batch->runs[i].count)
            return &rows->batch->runs[i];
    fail_msg("no such record: %u", record);
    return NULL;
}

static const char *json_of(struct log_rows *rows, const struct sl_schema *schema, struct sl_value value)
{
    const struct sl_json_style style = {0};
    struct sl_buf out = {0};
    const char *text;

    if (sl_is_null(value))
        return "null";
    sl_value_json(&out, schema, value, &style);
    text = sl_arena_strdup(rows->arena, sl_buf_cstr(&out));
    sl_buf_done(&out);
    return text;
}

const char *key_json(struct log_rows *rows, uint32_t record)
{
    return json_of(rows, run_of(rows, record)->key_schema, rows->batch->records[record].key);
}

const char *value_json(struct log_rows *rows, uint32_t record)
{
    return json_of(rows, run_of(rows, record)->value_schema, rows->batch->records[record].value);
}

const char *field_json(struct log_rows *rows, uint32_t record, const char *field)
{
    const struct sl_schema *schema = run_of(rows, record)->value_schema;
    int at = sl_schema_field(schema, field);

    assert_true(at >= 0);
    return json_of(rows, schema->fields[at].schema, rows->batch->records[record].value.items[at]);
}

const struct sl_header *header_of(const struct log_rows *rows, uint32_t record, const char *name)
{
    const struct sl_record *r = &rows->batch->records[record];

    for (uint16_t i = 0; i < r->n_headers; i++)
        if (strcmp(r->headers[i].name, name) == 0)
            return &r->headers[i];
    return NULL;
}
