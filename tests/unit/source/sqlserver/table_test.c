/* SPDX-License-Identifier: Apache-2.0 */
#include "source/sqlserver/event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* dbo.customers: id int primary key, name nvarchar(50) null, photo varbinary(max) null. */
static struct sl_mssql_column columns[] = {
    {.name = "id", .id = 1, .ordinal = 1, .type = SL_MSSQL_INT, .max_length = 4, .key = 1},
    {.name = "photo", .id = 2, .ordinal = 2, .type = SL_MSSQL_VARBINARY, .max_length = -1, .nullable = true},
    {.name = "na]me", .id = 3, .ordinal = 3, .type = SL_MSSQL_NVARCHAR, .max_length = 100, .nullable = true},
};

static struct sl_mssql_instance instance = {.name = "dbo_customers",
                                            .schema = "dbo",
                                            .table = "customers",
                                            .has_command_id = true,
                                            .columns = columns,
                                            .n_columns = 3};

static struct sl_mssql_config config = {
    .prefix = (char[]){"srv"}, .delimiter = (char[]){"."}, .transaction_topic = (char[]){"transaction"}};

static struct sl_mssql_table *make(enum sl_envelope_shape shape)
{
    struct sl_mssql_source_layout layout;
    struct sl_mssql_table *table = NULL;
    struct sl_error err = {0};

    config.shape = shape;
    sl_mssql_source_layout_make(shape, &layout);
    assert_int_equal(sl_mssql_table_new(&instance, &config, "shop", &layout, &table, &err), SL_OK);
    return table;
}

static void names_follow_prefix_database_schema_table(void **state)
{
    struct sl_mssql_table *table = make(SL_ENVELOPE_2_5);

    (void)state;
    assert_string_equal(table->topic->name, "srv.shop.dbo.customers");
    assert_string_equal(table->key_schema->name, "srv.shop.dbo.customers.Key");
    assert_string_equal(table->row_schema->name, "srv.shop.dbo.customers.Value");
    assert_string_equal(table->envelope->schema->name, "srv.shop.dbo.customers.Envelope");
    assert_int_equal(table->key_schema->n_fields, 1);
    assert_true(table->row_schema->optional);
    sl_mssql_table_free(table);
}

static void expect_fields(const struct sl_schema *schema, const char *const *names, uint32_t n)
{
    assert_int_equal(schema->n_fields, n);
    for (uint32_t i = 0; i < n; i++)
        assert_string_equal(schema->fields[i].name, names[i]);
}

static void the_source_block_has_the_fields_of_its_line(void **state)
{
    static const char *const old[] = {"version",  "connector",  "name",       "ts_ms",
                                      "snapshot", "db",         "sequence",   "schema",
                                      "table",    "change_lsn", "commit_lsn", "event_serial_no"};
    static const char *const new[] = {"version", "connector",  "name",       "ts_ms",          "snapshot",
                                      "db",      "sequence",   "ts_us",      "ts_ns",          "schema",
                                      "table",   "change_lsn", "commit_lsn", "event_serial_no"};
    struct sl_mssql_source_layout layout;

    (void)state;
    sl_mssql_source_layout_make(SL_ENVELOPE_2_5, &layout);
    expect_fields(layout.schema, old, 12);
    assert_false(layout.schema->has_version);
    sl_mssql_source_layout_make(SL_ENVELOPE_3_5, &layout);
    expect_fields(layout.schema, new, 14);
    assert_int_equal(layout.schema->version, 1);
    assert_string_equal(layout.schema->name, "io.debezium.connector.sqlserver.Source");
}

static void large_columns_are_asked_for_last(void **state)
{
    struct sl_mssql_table *table = make(SL_ENVELOPE_2_5);
    struct sl_buf sql = {0};

    (void)state;
    sl_mssql_table_stream_sql(table, &sql);
    assert_string_equal(
        sl_buf_cstr(&sql),
        "SELECT __$start_lsn, __$command_id, __$seqval, __$operation, __$update_mask, [id], "
        "[na]]me], [photo] FROM cdc.[dbo_customers_CT] WHERE __$start_lsn >= ? AND __$start_lsn "
        "<= ? ORDER BY __$start_lsn, __$command_id, __$seqval, __$operation");
    assert_int_equal(table->fields[1].cell, 7);
    assert_int_equal(table->fields[2].cell, 6);
    sl_mssql_table_snapshot_sql(table, SL_MSSQL_ISOLATION_READ_COMMITTED, false, &sql);
    assert_string_equal(sl_buf_cstr(&sql), "SELECT [id], [na]]me], [photo] FROM [dbo].[customers]");
    assert_false(table->resumes); /* nothing says that the key is the clustered index */
    sl_buf_done(&sql);
    sl_mssql_table_free(table);
}

static void a_snapshot_goes_on_behind_a_key(void **state)
{
    struct sl_mssql_table *table;
    struct sl_buf sql = {0};

    (void)state;
    instance.key_clustered = true;
    columns[2].type = SL_MSSQL_BIGINT;
    columns[2].key = 2;
    table = make(SL_ENVELOPE_2_5);
    assert_true(table->resumes);
    sl_mssql_table_snapshot_sql(table, SL_MSSQL_ISOLATION_READ_COMMITTED, true, &sql);
    assert_string_equal(
        sl_buf_cstr(&sql),
        "SELECT [id], [na]]me], [photo] FROM [dbo].[customers] WHERE ([id] > ?) OR ([id] = ? AND "
        "[na]]me] > ?) ORDER BY [id], [na]]me]");
    sl_mssql_table_free(table);
    columns[2].type = SL_MSSQL_NVARCHAR;
    table = make(SL_ENVELOPE_2_5);
    assert_true(table->resumes);
    sl_mssql_table_free(table);
    columns[2].type =
        SL_MSSQL_VARCHAR; /* orders otherwise than the parameter that it would be compared with */
    table = make(SL_ENVELOPE_2_5);
    assert_false(table->resumes);
    sl_mssql_table_free(table);
    columns[2].type = SL_MSSQL_NVARCHAR;
    columns[2].key = 0;
    instance.key_clustered = false;
    sl_buf_done(&sql);
}

static void a_column_left_out_of_the_row_stays_in_the_key(void **state)
{
    struct sl_mssql_table *table;
    struct sl_error err = {0};

    (void)state;
    assert_int_equal(sl_mssql_filter_read("k", "dbo.customers.id", &config.no_columns, &err), SL_OK);
    table = make(SL_ENVELOPE_2_5);
    assert_int_equal(table->n_row, 2);
    assert_int_equal(table->n_fields, 3);
    assert_string_equal(table->key_schema->fields[0].name, "id");
    sl_mssql_table_free(table);
    sl_mssql_filter_done(&config.no_columns);
}

static struct sl_mssql_origin origin_of(uint8_t operation)
{
    struct sl_mssql_origin origin = {.snapshot = "false",
                                     .streamed = true,
                                     .known_lsn = true,
                                     .event_serial_no = 1,
                                     .ts_us = 1700000000123000};
    const uint8_t commit[10] = {0, 0, 0, 0x27, 0, 0, 7, 0x58, 0, 5};
    const uint8_t change[10] = {0, 0, 0, 0x27, 0, 0, 7, 0x58, 0, 3};

    sl_mssql_position_set(&origin.position, commit, 1, change, operation);
    return origin;
}

static const struct sl_value *field_of(const struct sl_schema *schema, struct sl_value value,
                                       const char *name)
{
    int index = sl_schema_field(schema, name);

    assert_true(index >= 0);
    assert_int_equal(value.tag, SL_STRUCT);
    return &value.items[index];
}

static void expect_text(const struct sl_value *value, const char *text)
{
    assert_int_equal(value->tag, SL_STRING);
    assert_int_equal(value->len, strlen(text));
    assert_memory_equal(value->bytes, text, value->len);
}

static void a_delete_is_followed_by_its_tombstone(void **state)
{
    struct sl_mssql_table *table = make(SL_ENVELOPE_2_5);
    struct sl_batch *batch = sl_batch_new(65536);
    struct sl_mssql_emitter emitter;
    const struct sl_value row[3] = {sl_int(SL_INT32, 7), sl_null(), sl_text("x")};
    struct sl_mssql_origin origin = origin_of(SL_MSSQL_OP_DELETE);
    const struct sl_value *source;

    (void)state;
    config.tombstones = true;
    sl_mssql_emitter_init(&emitter, &config, "shop", 0);
    sl_mssql_emitter_begin(&emitter, batch);
    sl_mssql_emit_change(&emitter, table, 'd', row, NULL, &origin, NULL);
    assert_int_equal(batch->n_records, 2);
    assert_int_equal(batch->n_runs, 2);
    assert_ptr_equal(batch->runs[0].value_schema, table->envelope->schema);
    assert_null(batch->runs[1].value_schema);
    assert_int_equal(batch->records[1].value.tag, SL_NULL);
    assert_int_equal(batch->records[1].key.items[0].i, 7);
    assert_int_equal(batch->records[0].position.len, 29);
    assert_int_equal(batch->records[0].position.ptr[0], SL_SRC_STREAM);
    assert_true(memcmp(batch->records[0].position.ptr, batch->records[1].position.ptr, 29) < 0);
    source = field_of(table->envelope->schema, batch->records[0].value, "source");
    expect_text(field_of(emitter.layout.schema, *source, "commit_lsn"), "00000027:00000758:0005");
    expect_text(field_of(emitter.layout.schema, *source, "change_lsn"), "00000027:00000758:0003");
    expect_text(field_of(emitter.layout.schema, *source, "version"), "2.5.4.Final");
    expect_text(field_of(emitter.layout.schema, *source, "db"), "shop");
    assert_int_equal(field_of(emitter.layout.schema, *source, "ts_ms")->i, INT64_C(1700000000123));
    expect_text(field_of(table->envelope->schema, batch->records[0].value, "op"), "d");
    assert_int_equal(field_of(table->envelope->schema, batch->records[0].value, "after")->tag, SL_NULL);
    config.tombstones = false;
    sl_batch_free(batch);
    sl_mssql_table_free(table);
}

static void a_delete_without_a_key_is_followed_by_nothing_but_nulls(void **state)
{
    struct sl_batch *batch = sl_batch_new(65536);
    struct sl_mssql_emitter emitter;
    struct sl_mssql_table *table;
    const struct sl_value row[3] = {sl_int(SL_INT32, 7), sl_null(), sl_text("x")};
    struct sl_mssql_origin origin = origin_of(SL_MSSQL_OP_DELETE);
    int key = columns[0].key;

    (void)state;
    columns[0].key = 0;
    table = make(SL_ENVELOPE_2_5);
    config.tombstones = true;
    sl_mssql_emitter_init(&emitter, &config, "shop", 0);
    sl_mssql_emitter_begin(&emitter, batch);
    sl_mssql_emit_change(&emitter, table, 'd', row, NULL, &origin, NULL);
    assert_int_equal(batch->n_records, 2);
    assert_null(batch->runs[0].key_schema);
    assert_null(batch->runs[1].key_schema);
    assert_null(batch->runs[1].value_schema);
    assert_int_equal(batch->records[1].key.tag, SL_NULL);
    assert_int_equal(batch->records[1].value.tag, SL_NULL);
    assert_true(memcmp(batch->records[0].position.ptr, batch->records[1].position.ptr, 29) < 0);
    config.tombstones = false;
    columns[0].key = key;
    sl_batch_free(batch);
    sl_mssql_table_free(table);
}

static void transactions_count_by_table_and_in_all(void **state)
{
    struct sl_mssql_table *table = make(SL_ENVELOPE_3_5);
    struct sl_batch *batch = sl_batch_new(65536);
    struct sl_mssql_emitter emitter;
    const struct sl_value row[3] = {sl_int(SL_INT32, 7), sl_null(), sl_text("x")};
    struct sl_mssql_origin origin = origin_of(SL_MSSQL_OP_INSERT);
    struct sl_lsn lsn = sl_mssql_position_commit(&origin.position);
    const struct sl_value *transaction, *end;

    (void)state;
    config.transactions = true;
    sl_mssql_emitter_init(&emitter, &config, "shop", 0);
    sl_mssql_emitter_begin(&emitter, batch);
    sl_mssql_emit_begin(&emitter, &lsn, origin.ts_us, &table, 1);
    sl_mssql_emit_change(&emitter, table, 'c', NULL, row, &origin, NULL);
    sl_mssql_emit_change(&emitter, table, 'c', NULL, row, &origin, NULL);
    sl_mssql_emit_end(&emitter, origin.ts_us, &table, 1);
    assert_int_equal(batch->n_records, 4);
    assert_string_equal(batch->runs[0].topic->name, "srv.transaction");
    transaction = field_of(table->envelope->schema, batch->records[2].value, "transaction");
    expect_text(&transaction->items[0], "00000027:00000758:0005");
    assert_int_equal(transaction->items[1].i, 2);
    assert_int_equal(transaction->items[2].i, 2);
    end = &batch->records[3].value;
    expect_text(&end->items[0], "END");
    assert_int_equal(end->items[2].i, 2);
    assert_int_equal(end->items[3].len, 1);
    expect_text(&end->items[3].items[0].items[0], "shop.dbo.customers");
    assert_int_equal(end->items[3].items[0].items[1].i, 2);
    for (uint32_t i = 0; i + 1 < batch->n_records; i++)
        assert_true(memcmp(batch->records[i].position.ptr, batch->records[i + 1].position.ptr, 29) <= 0);
    config.transactions = false;
    sl_batch_free(batch);
    sl_mssql_table_free(table);
}

static void a_changed_custom_key_becomes_delete_and_create(void **state)
{
    struct sl_mssql_table *table = make(SL_ENVELOPE_2_5);
    struct sl_batch *batch = sl_batch_new(65536);
    struct sl_mssql_emitter emitter;
    const struct sl_value before[3] = {sl_int(SL_INT32, 7), sl_null(), sl_text("x")};
    const struct sl_value after[3] = {sl_int(SL_INT32, 8), sl_null(), sl_text("x")};
    struct sl_mssql_origin origin = origin_of(SL_MSSQL_OP_UPDATE);

    (void)state;
    config.tombstones = true;
    table->custom_key = true;
    sl_mssql_emitter_init(&emitter, &config, "shop", 0);
    sl_mssql_emitter_begin(&emitter, batch);
    sl_mssql_emit_change(&emitter, table, 'u', before, after, &origin, NULL);
    assert_int_equal(batch->n_records, 3);
    assert_int_equal(batch->records[0].key.items[0].i, 7);
    assert_string_equal(batch->records[0].headers[0].name, "__debezium.newkey");
    assert_int_equal(batch->records[0].headers[0].value.items[0].i, 8);
    assert_int_equal(batch->records[1].value.tag, SL_NULL);
    assert_int_equal(batch->records[2].key.items[0].i, 8);
    assert_string_equal(batch->records[2].headers[0].name, "__debezium.oldkey");
    for (uint32_t i = 0; i + 1 < batch->n_records; i++)
        assert_true(memcmp(batch->records[i].position.ptr, batch->records[i + 1].position.ptr, 29) < 0);
    config.tombstones = false;
    sl_batch_free(batch);
    sl_mssql_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_follow_prefix_database_schema_table),
        cmocka_unit_test(the_source_block_has_the_fields_of_its_line),
        cmocka_unit_test(large_columns_are_asked_for_last),
        cmocka_unit_test(a_snapshot_goes_on_behind_a_key),
        cmocka_unit_test(a_column_left_out_of_the_row_stays_in_the_key),
        cmocka_unit_test(a_delete_is_followed_by_its_tombstone),
        cmocka_unit_test(a_delete_without_a_key_is_followed_by_nothing_but_nulls),
        cmocka_unit_test(transactions_count_by_table_and_in_all),
        cmocka_unit_test(a_changed_custom_key_becomes_delete_and_create),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
