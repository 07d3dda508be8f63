/* SPDX-License-Identifier: Apache-2.0 */
/* HeaderToValue and ExtractChangedRecordState. */
#include "events.h"

#include "transform/transforms.h"

#include <string.h>

static const struct sl_transform_ops *const to_value = &sl_transform_header_to_value;
static const struct sl_transform_ops *const changed = &sl_transform_extract_changed_record_state;

static void give(struct bench *bench, struct sl_message *message, const char *name,
                 const struct sl_schema *schema, struct sl_value value)
{
    struct sl_header *headers =
        sl_arena_alloc(bench->arena, (message->record.n_headers + 1u) * sizeof(*headers));

    if (message->record.n_headers)
        memcpy(headers, message->record.headers, message->record.n_headers * sizeof(*headers));
    headers[message->record.n_headers++] = (struct sl_header){.name = name, .schema = schema, .value = value};
    message->record.headers = headers;
}

static void moved_headers_become_fields(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = row_of(bench, 1);

    give(bench, &message, "h1", sl_schema_plain(SL_INT16, false), sl_int(SL_INT16, 3));
    give(bench, &message, "other", NULL, sl_bytes(SL_BYTES, "x", 1));
    bench_open(bench, to_value, "headers", "h2,h1", "fields", "two,one", "operation", "move", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(row_text(bench, &message), "{id:1,name:null,qty:5,one:3}");
    assert_false(message.value_schema->optional);
    assert_int_equal(message.record.n_headers, 1);
    message = row_of(bench, 1); /* the same row with both: another schema, not the first's */
    give(bench, &message, "h1", sl_schema_plain(SL_INT16, false), sl_int(SL_INT16, 3));
    give(bench, &message, "h2", sl_schema_plain(SL_STRING, false), sl_text("y"));
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(row_text(bench, &message), "{id:1,name:null,qty:5,two:y,one:3}");
    message = row_of(bench, 1); /* and with none */
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(row_text(bench, &message), "{id:1,name:null,qty:null}");
}

static void bytes_from_the_log_are_read_as_literals(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = row_of(bench, 1);

    give(bench, &message, "n", NULL, sl_bytes(SL_BYTES, "300", 3));
    give(bench, &message, "text", NULL, sl_bytes(SL_BYTES, "00-ab-01", 8));
    bench_open(bench, to_value, "headers", "n,text", "fields", "n,t", "operation", "copy", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(row_text(bench, &message), "{id:1,name:null,qty:5,n:300,t:00-ab-01}");
    assert_int_equal(message.value_schema->fields[3].schema->type, SL_INT16);
    assert_int_equal(message.record.n_headers, 2);
}

static void dots_lead_into_structs(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = event_of(bench, 'c', 1, "a");

    give(bench, &message, "h", sl_schema_plain(SL_STRING, false), sl_text("v"));
    bench_open(bench, to_value, "headers", "h,h", "fields", "after.trace,source.trace", "operation", "copy",
               NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(
        value_text(bench, message.value_schema->fields[1].schema, message.record.value.items[1]),
        "{id:1,name:a,qty:5,trace:v}");
    assert_string_equal(
        value_text(bench, message.value_schema->fields[2].schema, message.record.value.items[2]),
        "{table:things,ts_ms:99,trace:v}");
    message = event_of(bench, 'd', 1, "a"); /* no row after: nothing to put it into */
    give(bench, &message, "h", sl_schema_plain(SL_STRING, false), sl_text("v"));
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_true(sl_is_null(message.record.value.items[1]));
    message = row_of(bench, 1);
    give(bench, &message, "h", sl_schema_plain(SL_STRING, false), sl_text("v"));
    assert_int_equal(bench_apply(bench, &message), SL_FAIL); /* no struct of that name */
    message = tombstone_of(bench, 1);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    message = map_of(bench);
    assert_int_equal(bench_apply(bench, &message), SL_FAIL);
}

static void bad_settings_are_refused(void **state)
{
    struct bench *bench = *state;

    assert_int_equal(bench_try(bench, to_value, "headers", "a,b", "fields", "x", "operation", "copy", NULL),
                     SL_E_CONFIG);
    sl_props_remove(bench->props, "transforms.t.operation");
    assert_int_equal(bench_try(bench, to_value, "headers", "a", "fields", "x", NULL), SL_E_CONFIG);
}

static void an_update_tells_what_it_changed(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = event_of(bench, 'u', 1, "new");
    struct sl_value before[3] = {sl_int(SL_INT32, 1), sl_text("old"), sl_null()};
    struct sl_value *fields =
        sl_arena_copy(bench->arena, message.record.value.items, message.record.value.len * sizeof(*fields));

    fields[0] = sl_items(SL_STRUCT, before, 3);
    message.record.value.items = fields;
    bench_open(bench, changed, "header.changed.name", "C", "header.unchanged.name", "U", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_int_equal(message.record.n_headers, 2);
    assert_string_equal(value_text(bench, NULL, message.record.headers[0].value), "[name]");
    assert_string_equal(value_text(bench, NULL, message.record.headers[1].value), "[id,qty]");
    message = event_of(bench, 'c', 1, "x");
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(value_text(bench, NULL, message.record.headers[0].value), "[]");
    message = row_of(bench, 1);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_int_equal(message.record.n_headers, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_make, bench_remove)
    const struct CMUnitTest tests[] = {
        TEST(moved_headers_become_fields),     TEST(bytes_from_the_log_are_read_as_literals),
        TEST(dots_lead_into_structs),          TEST(bad_settings_are_refused),
        TEST(an_update_tells_what_it_changed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
