/* SPDX-License-Identifier: Apache-2.0 */
#include "log_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define SETTINGS(...) ((const char *const[]){__VA_ARGS__, NULL})

static struct log_rows rows;

static int close_rows(void **state)
{
    (void)state;
    log_rows_close(&rows);
    return 0;
}

/* ---- legacy ---- */

static void legacy_tells_written_deleted_and_untouched_cells_apart(void **state)
{
    const struct sl_value *after;

    (void)state;
    log_rows_open(&rows, NULL);
    row_keyed(&rows, SL_SCYLLA_OP_INSERT, 1, 2);
    row_text(&rows, "v", "one");
    row_flag(&rows, "cdc$deleted_n");
    row_end(&rows);
    rows_emit(&rows);
    assert_int_equal(rows.batch->n_records, 1);
    assert_string_equal(key_json(&rows, 0), "{\"ck\":2,\"pk\":1}");
    assert_string_equal(field_json(&rows, 0, "op"), "\"c\"");
    assert_string_equal(field_json(&rows, 0, "before"), "null");
    assert_string_equal(field_json(&rows, 0, "after"),
                        "{\"ck\":2,\"n\":{\"value\":null},\"pk\":1,\"s\":null,\"v\":{\"value\":\"one\"}}");
    after = &rows.batch->records[0].value.items[2];
    assert_int_equal(after->items[3].tag, SL_ABSENT);
    assert_int_equal(after->items[1].items[0].tag, SL_NULL);
    assert_true(rows.batch->records[0].flags & SL_RECORD_PARTIAL);
    assert_string_not_equal(field_json(&rows, 0, "ts_us"), "null");
}

static void legacy_leaves_collections_out(void **state)
{
    const struct sl_schema *schema;

    (void)state;
    log_rows_open(&rows, NULL);
    schema = rows.shape->after_schema;
    assert_int_equal(schema->n_fields, 5);
    assert_int_equal(sl_schema_field(schema, "tags"), -1);
    assert_int_equal(sl_schema_field(schema, "steps"), -1);
    assert_string_equal(schema->name, "rec.ks.t.After");
    assert_string_equal(schema->fields[1].schema->name, "rec.ks.t.n.Cell");
    assert_string_equal(rows.shape->envelope.schema->name, "rec.ks.t.Envelope");
}

static void a_preimage_fills_before_and_empties_the_envelopes_clock(void **state)
{
    (void)state;
    log_rows_open(&rows, SETTINGS("experimental.preimages.enabled", "true"));
    row_keyed(&rows, SL_SCYLLA_OP_PREIMAGE, 1, 1);
    row_text(&rows, "v", "ins");
    row_flag(&rows, "cdc$deleted_n");
    row_end(&rows);
    row_keyed(&rows, SL_SCYLLA_OP_UPDATE, 1, 1);
    row_text(&rows, "v", "upd");
    row_end(&rows);
    rows_emit(&rows);
    assert_int_equal(rows.batch->n_records, 1);
    assert_string_equal(field_json(&rows, 0, "before"),
                        "{\"ck\":1,\"n\":{\"value\":null},\"pk\":1,\"s\":null,\"v\":{\"value\":\"ins\"}}");
    assert_string_equal(field_json(&rows, 0, "after"),
                        "{\"ck\":1,\"n\":null,\"pk\":1,\"s\":null,\"v\":{\"value\":\"upd\"}}");
    assert_string_equal(field_json(&rows, 0, "ts_us"), "null");
    assert_string_equal(field_json(&rows, 0, "ts_ns"), "null");
}

static void a_row_delete_is_followed_by_its_tombstone(void **state)
{
    const struct sl_record *records;

    (void)state;
    log_rows_open(&rows, NULL);
    row_keyed(&rows, SL_SCYLLA_OP_ROW_DELETE, 7, 8);
    row_end(&rows);
    rows_emit(&rows);
    records = rows.batch->records;
    assert_int_equal(rows.batch->n_records, 2);
    assert_string_equal(field_json(&rows, 0, "before"),
                        "{\"ck\":8,\"n\":null,\"pk\":7,\"s\":null,\"v\":null}");
    assert_string_equal(field_json(&rows, 0, "after"), "null");
    assert_int_equal(records[1].value.tag, SL_NULL);
    assert_null(run_of(&rows, 1)->value_schema);
    assert_string_equal(key_json(&rows, 1), "{\"ck\":8,\"pk\":7}");
    assert_int_equal(records[0].position.len, 38);
    assert_int_equal(records[0].position.ptr[0], SL_SRC_STREAM);
    assert_memory_equal(records[0].position.ptr, records[1].position.ptr, 37);
    assert_int_equal(records[1].position.ptr[37], 1);
}

static void tombstones_can_be_switched_off(void **state)
{
    (void)state;
    log_rows_open(&rows, SETTINGS("tombstones.on.delete", "false"));
    row_keyed(&rows, SL_SCYLLA_OP_ROW_DELETE, 7, 8);
    row_end(&rows);
    rows_emit(&rows);
    assert_int_equal(rows.batch->n_records, 1);
}

static void rows_that_the_server_expired_are_deletes(void **state)
{
    (void)state;
    log_rows_open(&rows, NULL);
    row_keyed(&rows, SL_SCYLLA_OP_EXPIRED_ROW, 1, 1);
    row_end(&rows);
    rows_emit(&rows);
    assert_string_equal(field_json(&rows, 0, "op"), "\"d\"");
}

static void the_source_block_tells_the_write_time(void **state)
{
    (void)state;
    log_rows_open(&rows, NULL);
    row_keyed(&rows, SL_SCYLLA_OP_INSERT, 1, 1);
    row_end(&rows);
    rows_emit(&rows);
    assert_string_equal(
        field_json(&rows, 0, "source"),
        "{\"version\":\"2.0.3\",\"connector\":\"scylla\",\"name\":\"rec\",\"ts_ms\":1795229671475,"
        "\"snapshot\":"
        "\"false\",\"db\":\"ks\",\"sequence\":null,\"ts_us\":1795229671475919,\"ts_ns\":1795229671475000000,"
        "\"keyspace_name\":\"ks\",\"table_name\":\"t\"}");
}

static void line_1_2_has_the_older_envelope_and_source(void **state)
{
    const struct sl_schema *schema;

    (void)state;
    log_rows_open(&rows, SETTINGS("sluice.compat.scylla", "1.2", "scylla.name", "old-name"));
    schema = rows.shape->envelope.schema;
    assert_int_equal(schema->n_fields, 6);
    assert_string_equal(schema->fields[5].name, "transaction");
    assert_string_equal(schema->name, "old_name.ks.t.Envelope");
    assert_string_equal(rows.shape->topic->name, "old-name.ks.t");
    schema = rows.shape->source.schema;
    assert_int_equal(schema->n_fields, 9);
    assert_string_equal(schema->fields[8].name, "ts_us");
    assert_false(schema->fields[8].schema->optional);
}

/* ---- ranges and statics ---- */

static void expect_range(const char *json)
{
    const struct sl_header *header = header_of(&rows, 0, SL_HEADER_RANGE);

    assert_non_null(header);
    assert_int_equal(header->value.len, strlen(json));
    assert_memory_equal(header->value.bytes, json, strlen(json));
    assert_non_null(header_of(&rows, 1, SL_HEADER_RANGE));
}

static void a_partition_delete_is_a_range_open_on_both_sides(void **state)
{
    (void)state;
    log_rows_open(&rows, NULL);
    row_keyed(&rows, SL_SCYLLA_OP_PARTITION_DELETE, 5, -1);
    row_end(&rows);
    rows_emit(&rows);
    assert_int_equal(rows.batch->n_records, 2);
    assert_string_equal(key_json(&rows, 0), "{\"ck\":null,\"pk\":5}");
    assert_string_equal(field_json(&rows, 0, "op"), "\"d\"");
    expect_range("{\"version\":1,\"equal\":{\"pk\":5},\"from\":{},\"from_inclusive\":true,\"to\":{},"
                 "\"to_inclusive\":true}");
}

static void a_range_delete_has_its_two_bounds(void **state)
{
    (void)state;
    log_rows_open(&rows, NULL);
    row_keyed(&rows, SL_SCYLLA_OP_RANGE_FROM_INCLUSIVE, 5, -1);
    row_end(&rows);
    row_keyed(&rows, SL_SCYLLA_OP_RANGE_TO_EXCLUSIVE, 5, 3);
    row_end(&rows);
    rows_emit(&rows);
    assert_int_equal(rows.batch->n_records, 2);
    assert_string_equal(key_json(&rows, 0), "{\"ck\":null,\"pk\":5}");
    expect_range("{\"version\":1,\"equal\":{\"pk\":5},\"from\":{},\"from_inclusive\":true,\"to\":{\"ck\":3},"
                 "\"to_inclusive\":false}");
}

static void descending_bounds_are_told_in_the_order_of_values(void **state)
{
    struct sl_scylla_field *ck;

    (void)state;
    log_rows_open(&rows, NULL);
    ck = (struct sl_scylla_field *)(uintptr_t)&rows.shape->fields[rows.shape->clustering[0]];
    ck->descending = true;
    row_keyed(&rows, SL_SCYLLA_OP_RANGE_FROM_EXCLUSIVE, 5, 9); /* ck < 9 AND ck >= 3 */
    row_end(&rows);
    row_keyed(&rows, SL_SCYLLA_OP_RANGE_TO_INCLUSIVE, 5, 3);
    row_end(&rows);
    rows_emit(&rows);
    expect_range(
        "{\"version\":1,\"equal\":{\"pk\":5},\"from\":{\"ck\":3},\"from_inclusive\":true,\"to\":{\"ck\":9},"
        "\"to_inclusive\":false,\"descending\":[\"ck\"]}");
}

static void records_of_a_partition_stay_in_one_log_partition(void **state)
{
    (void)state;
    log_rows_open(&rows, NULL);
    row_keyed(&rows, SL_SCYLLA_OP_INSERT, 5, 1);
    row_end(&rows);
    row_keyed(&rows, SL_SCYLLA_OP_INSERT, 5, 2);
    row_end(&rows);
    row_keyed(&rows, SL_SCYLLA_OP_PARTITION_DELETE, 5, -1);
    row_end(&rows);
    rows_emit(&rows);
    assert_int_equal(rows.batch->n_records, 4);
    assert_true(rows.batch->records[0].partition >= 0);
    for (uint32_t i = 1; i < 4; i++)
        assert_int_equal(rows.batch->records[i].partition, rows.batch->records[0].partition);
}

static void deletes_of_many_rows_can_be_left_out(void **state)
{
    (void)state;
    log_rows_open(&rows, SETTINGS("sluice.scylla.range.deletes", "false"));
    row_keyed(&rows, SL_SCYLLA_OP_PARTITION_DELETE, 5, -1);
    row_end(&rows);
    rows_emit(&rows);
    assert_int_equal(rows.batch->n_records, 0);
}

static void a_range_without_its_end_is_refused(void **state)
{
    struct sl_error err = {0};

    (void)state;
    log_rows_open(&rows, NULL);
    row_keyed(&rows, SL_SCYLLA_OP_RANGE_FROM_INCLUSIVE, 5, 1);
    row_end(&rows);
    assert_int_equal(sl_scylla_emit_group(&rows.emitter, &rows.group, &err), SL_E_PROTOCOL);
}

static void a_static_change_is_marked(void **state)
{
    (void)state;
    log_rows_open(&rows, NULL);
    row_keyed(&rows, SL_SCYLLA_OP_UPDATE, 5, -1);
    row_text(&rows, "s", "shared");
    row_end(&rows);
    rows_emit(&rows);
    assert_int_equal(rows.batch->n_records, 1);
    assert_string_equal(field_json(&rows, 0, "op"), "\"u\"");
    assert_string_equal(key_json(&rows, 0), "{\"ck\":null,\"pk\":5}");
    assert_non_null(header_of(&rows, 0, SL_HEADER_STATIC));
}

static void an_unknown_operation_stops(void **state)
{
    struct sl_error err = {0};

    (void)state;
    log_rows_open(&rows, NULL);
    row_keyed(&rows, 11, 5, 1);
    row_end(&rows);
    assert_int_equal(sl_scylla_emit_group(&rows.emitter, &rows.group, &err), SL_E_SCHEMA);
    assert_non_null(strstr(err.text, "operation (11)"));
}

/* ---- images by key ---- */

static void images_are_paired_by_key_not_by_place(void **state)
{
    (void)state;
    log_rows_open(&rows, SETTINGS("experimental.preimages.enabled", "true"));
    for (int ck = 1; ck <= 40; ck++) { /* enough for the index */
        row_keyed(&rows, SL_SCYLLA_OP_PREIMAGE, 1, ck);
        row_int(&rows, "n", ck * 10);
        row_end(&rows);
    }
    for (int ck = 40; ck >= 1; ck--) {
        row_keyed(&rows, SL_SCYLLA_OP_UPDATE, 1, ck);
        row_int(&rows, "n", ck);
        row_end(&rows);
    }
    rows_emit(&rows);
    assert_int_equal(rows.batch->n_records, 40);
    for (uint32_t i = 0; i < 40; i++) {
        const struct sl_value *values = rows.batch->records[i].value.items;

        assert_int_equal(values[1].items[1].items[0].i, values[2].items[1].items[0].i * 10);
    }
}

/* ---- advanced ---- */

static const char *const full[] = {
    "cdc.output.format", "advanced", "cdc.include.before", "full", "cdc.include.after", "full", NULL};

static void advanced_takes_after_from_the_postimage(void **state)
{
    static const uint8_t tags[] = {0, 0, 0, 2, 0, 0, 0, 1, 'a', 0, 0, 0, 1, 'b'};

    (void)state;
    log_rows_open(&rows, full);
    row_keyed(&rows, SL_SCYLLA_OP_PREIMAGE, 1, 1);
    row_text(&rows, "v", "ins");
    row_end(&rows);
    row_keyed(&rows, SL_SCYLLA_OP_UPDATE, 1, 1);
    row_text(&rows, "v", "upd");
    row_end(&rows);
    row_keyed(&rows, SL_SCYLLA_OP_POSTIMAGE, 1, 1);
    row_text(&rows, "v", "upd");
    row_int(&rows, "n", 4);
    row_bytes(&rows, "tags", tags, sizeof(tags));
    row_end(&rows);
    rows_emit(&rows);
    assert_int_equal(rows.batch->n_records, 1);
    assert_string_equal(key_json(&rows, 0), "{\"pk\":1,\"ck\":1}");
    assert_string_equal(
        field_json(&rows, 0, "after"),
        "{\"ck\":1,\"n\":4,\"pk\":1,\"s\":null,\"steps\":null,\"tags\":[\"a\",\"b\"],\"v\":\"upd\"}");
    assert_string_equal(
        field_json(&rows, 0, "before"),
        "{\"ck\":1,\"n\":4,\"pk\":1,\"s\":null,\"steps\":null,\"tags\":[\"a\",\"b\"],\"v\":\"ins\"}");
    assert_int_equal(rows.batch->records[0].value.items[2].items[4].tag,
                     SL_NULL); /* steps: the image says so */
    assert_int_equal(rows.batch->records[0].value.items[2].items[3].tag, SL_ABSENT); /* s: it says nothing */
    assert_string_equal(field_json(&rows, 0, "ts_us"), "null");
}

static void advanced_only_updated_shows_what_the_change_named(void **state)
{
    (void)state;
    log_rows_open(&rows, SETTINGS("cdc.output.format", "advanced", "cdc.include.before", "only-updated",
                                  "cdc.include.after", "only-updated"));
    row_keyed(&rows, SL_SCYLLA_OP_PREIMAGE, 1, 1);
    row_text(&rows, "v", "ins");
    row_int(&rows, "n", 4);
    row_end(&rows);
    row_keyed(&rows, SL_SCYLLA_OP_UPDATE, 1, 1);
    row_flag(&rows, "cdc$deleted_v");
    row_end(&rows);
    row_keyed(&rows, SL_SCYLLA_OP_POSTIMAGE, 1, 1);
    row_int(&rows, "n", 4);
    row_end(&rows);
    rows_emit(&rows);
    assert_string_equal(field_json(&rows, 0, "after"),
                        "{\"ck\":1,\"n\":null,\"pk\":1,\"s\":null,\"steps\":null,"
                        "\"tags\":null,\"v\":null}");
    assert_string_equal(field_json(&rows, 0, "before"),
                        "{\"ck\":1,\"n\":null,\"pk\":1,\"s\":null,\"steps\":null,"
                        "\"tags\":null,\"v\":\"ins\"}");
    assert_int_equal(rows.batch->records[0].value.items[2].items[1].tag, SL_ABSENT); /* n */
    assert_int_equal(rows.batch->records[0].value.items[2].items[6].tag, SL_NULL);   /* v */
}

static void without_an_image_after_is_what_the_change_tells(void **state)
{
    static const uint8_t tags[] = {0, 0, 0, 1, 0, 0, 0, 1, 'a'};
    const struct sl_value *after;

    (void)state;
    log_rows_open(&rows, full);
    row_keyed(&rows, SL_SCYLLA_OP_UPDATE, 1, 1);
    row_int(&rows, "n", 9);
    row_bytes(&rows, "tags", tags, sizeof(tags)); /* added elements: not the whole set */
    row_flag(&rows, "cdc$deleted_steps");         /* emptied */
    row_end(&rows);
    rows_emit(&rows);
    assert_int_equal(rows.batch->n_records, 1);
    after = rows.batch->records[0].value.items[2].items;
    assert_int_equal(after[1].i, 9);
    assert_int_equal(after[4].tag, SL_NULL);
    assert_int_equal(after[5].tag, SL_ABSENT);
    assert_int_equal(after[6].tag, SL_ABSENT);
    assert_true(rows.batch->records[0].flags & SL_RECORD_PARTIAL);
}

static void without_images_asked_before_and_after_are_null(void **state)
{
    (void)state;
    log_rows_open(&rows, SETTINGS("cdc.output.format", "advanced"));
    row_keyed(&rows, SL_SCYLLA_OP_INSERT, 1, 1);
    row_int(&rows, "n", 9);
    row_end(&rows);
    rows_emit(&rows);
    assert_string_equal(field_json(&rows, 0, "before"), "null");
    assert_string_equal(field_json(&rows, 0, "after"), "null");
    assert_string_equal(key_json(&rows, 0), "{\"pk\":1,\"ck\":1}");
}

static void a_list_keeps_the_order_of_its_cells(void **state)
{
    static const uint8_t cells[] = {0,    0,  0, 2, 0, 0,  0, 16, 0xff, 0, 0,    0,    0xe5, 0x56, 0x11,
                                    0xf1, 1,  2, 3, 4, 5,  6, 7,  8,    0, 0,    0,    4,    0,    0,
                                    0,    30, 0, 0, 0, 16, 0, 0,  0,    0, 0xe5, 0x57, 0x11, 0xf1, 1,
                                    2,    3,  4, 5, 6, 7,  8, 0,  0,    0, 4,    0,    0,    0,    10};

    (void)state;
    log_rows_open(&rows, full);
    row_keyed(&rows, SL_SCYLLA_OP_INSERT, 1, 1);
    row_flag(&rows, "cdc$deleted_steps");
    row_bytes(&rows, "steps", cells, sizeof(cells));
    row_end(&rows);
    rows_emit(&rows);
    assert_non_null(strstr(field_json(&rows, 0, "after"), "\"steps\":[30,10]"));
}

static void keys_can_be_placed_in_headers_and_in_the_payload(void **state)
{
    const struct sl_header *header;

    (void)state;
    log_rows_open(&rows,
                  SETTINGS("cdc.output.format", "advanced", "cdc.include.after", "full",
                           "cdc.include.primary-key.placement", "kafka-key,payload-key,kafka-headers"));
    row_keyed(&rows, SL_SCYLLA_OP_INSERT, 1, 2);
    row_end(&rows);
    rows_emit(&rows);
    assert_string_equal(field_json(&rows, 0, "key"), "{\"pk\":1,\"ck\":2}");
    assert_int_equal(sl_schema_field(rows.shape->after_schema, "pk"), -1);
    header = header_of(&rows, 0, "pk.pk");
    assert_non_null(header);
    assert_memory_equal(header->value.bytes, "1", 1);
    assert_string_equal(rows.batch->records[0].headers[0].name, "ck.ck");
}

static void a_row_that_was_read_is_whole_and_marked(void **state)
{
    struct sl_error err = {0};

    (void)state;
    log_rows_open(&rows, NULL);
    row_keyed(&rows, SL_SCYLLA_OP_INSERT, 1, 2);
    row_text(&rows, "v", "now");
    assert_int_equal(sl_scylla_emit_read(&rows.emitter, rows.shape, rows.cells, true, 2, 1000, &err), SL_OK);
    assert_int_equal(sl_scylla_emit_read(&rows.emitter, rows.shape, rows.cells, false, 2, 1000, &err), SL_OK);
    assert_int_equal(rows.batch->n_records, 3);
    assert_string_equal(field_json(&rows, 0, "op"), "\"r\"");
    assert_string_equal(field_json(&rows, 0, "after"),
                        "{\"ck\":2,\"n\":{\"value\":null},\"pk\":1,\"s\":{\"value\":"
                        "null},\"v\":{\"value\":\"now\"}}");
    assert_false(rows.batch->records[0].flags & SL_RECORD_PARTIAL);
    assert_int_equal(header_of(&rows, 0, SL_HEADER_READ)->value.bytes[0], 2);
    assert_string_equal(field_json(&rows, 1, "op"), "\"d\"");
    assert_int_equal(rows.batch->records[2].value.tag, SL_NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(legacy_tells_written_deleted_and_untouched_cells_apart, close_rows),
        cmocka_unit_test_teardown(legacy_leaves_collections_out, close_rows),
        cmocka_unit_test_teardown(a_preimage_fills_before_and_empties_the_envelopes_clock, close_rows),
        cmocka_unit_test_teardown(a_row_delete_is_followed_by_its_tombstone, close_rows),
        cmocka_unit_test_teardown(tombstones_can_be_switched_off, close_rows),
        cmocka_unit_test_teardown(rows_that_the_server_expired_are_deletes, close_rows),
        cmocka_unit_test_teardown(the_source_block_tells_the_write_time, close_rows),
        cmocka_unit_test_teardown(line_1_2_has_the_older_envelope_and_source, close_rows),
        cmocka_unit_test_teardown(a_partition_delete_is_a_range_open_on_both_sides, close_rows),
        cmocka_unit_test_teardown(a_range_delete_has_its_two_bounds, close_rows),
        cmocka_unit_test_teardown(descending_bounds_are_told_in_the_order_of_values, close_rows),
        cmocka_unit_test_teardown(records_of_a_partition_stay_in_one_log_partition, close_rows),
        cmocka_unit_test_teardown(deletes_of_many_rows_can_be_left_out, close_rows),
        cmocka_unit_test_teardown(a_range_without_its_end_is_refused, close_rows),
        cmocka_unit_test_teardown(a_static_change_is_marked, close_rows),
        cmocka_unit_test_teardown(an_unknown_operation_stops, close_rows),
        cmocka_unit_test_teardown(images_are_paired_by_key_not_by_place, close_rows),
        cmocka_unit_test_teardown(advanced_takes_after_from_the_postimage, close_rows),
        cmocka_unit_test_teardown(advanced_only_updated_shows_what_the_change_named, close_rows),
        cmocka_unit_test_teardown(without_an_image_after_is_what_the_change_tells, close_rows),
        cmocka_unit_test_teardown(without_images_asked_before_and_after_are_null, close_rows),
        cmocka_unit_test_teardown(a_list_keeps_the_order_of_its_cells, close_rows),
        cmocka_unit_test_teardown(keys_can_be_placed_in_headers_and_in_the_payload, close_rows),
        cmocka_unit_test_teardown(a_row_that_was_read_is_whole_and_marked, close_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
