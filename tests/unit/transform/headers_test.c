/* SPDX-License-Identifier: Apache-2.0 */
/* DropHeaders, HeaderFrom and ActivateTracingSpan. */
#include "events.h"

#include "transform/transforms.h"

static const struct sl_transform_ops *const drop = &sl_transform_drop_headers;
static const struct sl_transform_ops *const from = &sl_transform_header_from;

static void all_headers_of_a_name_go(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = row_of(bench, 1);
    const struct sl_header headers[] = {{.name = "traceparent", .value = sl_text("00-1")},
                                        {.name = "x", .value = sl_text("1")},
                                        {.name = "y", .value = sl_text("2")},
                                        {.name = "x", .value = sl_text("3")}};

    message.record.headers = headers;
    message.record.n_headers = 4;
    bench_open(bench, drop, "headers", "x, z", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(headers_text(bench, &message), "traceparent:00-1,y:2");
    assert_string_equal(headers[1].name, "x"); /* the array was not ours to change */
}

static void a_drop_needs_names(void **state)
{
    struct bench *bench = *state;

    assert_int_equal(bench_try(bench, drop, NULL), SL_E_CONFIG);
    assert_int_equal(bench_try(bench, drop, "headers", " , ", NULL), SL_E_CONFIG);
}

static void moved_fields_leave_the_value(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = row_of(bench, 1);

    bench_open(bench, from, "fields", "qty,id", "headers", "q,i", "operation", "move", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(row_text(bench, &message), "{name:null}");
    assert_string_equal(headers_text(bench, &message), "q:5,i:1");
    assert_true(message.record.headers[0].schema->has_default);
}

static void copied_fields_stay(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = row_of(bench, 1);
    const struct sl_schema *before = message.value_schema;

    bench_open(bench, from, "fields", "qty", "headers", "q", "operation", "copy", "replace.null.with.default",
               "false", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_ptr_equal(message.value_schema, before);
    assert_string_equal(row_text(bench, &message), "{id:1,name:null,qty:null}");
    assert_string_equal(headers_text(bench, &message), "q:null");
}

static void keys_and_maps_have_headers_too(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = map_of(bench);

    bench_open(bench, from, "fields", "a,nope", "headers", "x,y", "operation", "move", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(value_text(bench, NULL, message.record.value), "{b:text,c:{d:2.5},e:null}");
    assert_string_equal(headers_text(bench, &message), "x:1,y:null");
    bench->ops->close(bench->self);
    message.record.n_headers = 0; /* their names were the closed one's */
    bench_open_key(bench, from, "fields", "shard", "headers", "s", "operation", "move", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_int_equal(message.key_schema->n_fields, 1);
    assert_string_equal(headers_text(bench, &message), "s:7");
}

static void a_missing_field_is_the_record_s_error(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = row_of(bench, 1);

    bench_open(bench, from, "fields", "nope", "headers", "x", "operation", "copy", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_FAIL);
    message = tombstone_of(bench, 1);
    assert_int_equal(bench_apply(bench, &message), SL_FAIL);
}

/* A change whose column "name" holds the text. */
static void expect_context(struct bench *bench, const char *text, const char *headers)
{
    struct sl_message message = event_of(bench, 'c', 1, text);
    const struct sl_header old = {.name = "tracestate", .value = sl_text("old")};

    message.record.headers = &old;
    message.record.n_headers = 1;
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(headers_text(bench, &message), headers);
}

static void a_trace_context_goes_on_from_a_column(void **state)
{
    struct bench *bench = *state;
    struct sl_message message;

    bench_open(bench, &sl_transform_activate_tracing_span, "tracing.span.context.field", "name",
               "tracing.operation.name", "x", "tracing.with.context.field.only", "true", NULL);
    expect_context(bench, "#Sat Nov 21\ntraceparent=00-4bf9-00f0-01\n",
                   "tracestate:old,traceparent:00-4bf9-00f0-01");
    expect_context(bench, "  b3 : a\\=b\\:c \r\ntracestate=new\n", "tracestate:old,b3:a=b:c");
    expect_context(bench, NULL, "tracestate:old");
    expect_context(bench, "", "tracestate:old");
    expect_context(bench, "=\n\n=x", "tracestate:old");
    message = row_of(bench, 1);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    message = tombstone_of(bench, 1);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    bench->ops->close(bench->self);
    bench_open(bench, &sl_transform_activate_tracing_span, "tracing.span.context.field", "nope", NULL);
    expect_context(bench, "traceparent=00\n", "tracestate:old");
}

static void lists_of_unequal_length_are_refused(void **state)
{
    struct bench *bench = *state;

    assert_int_equal(bench_try(bench, from, "fields", "a,b", "headers", "x", "operation", "copy", NULL),
                     SL_E_CONFIG);
    sl_props_remove(bench->props, "transforms.t.operation");
    assert_int_equal(bench_try(bench, from, "fields", "a", "headers", "x", NULL), SL_E_CONFIG);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_make, bench_remove)
    const struct CMUnitTest tests[] = {
        TEST(all_headers_of_a_name_go),
        TEST(a_drop_needs_names),
        TEST(moved_fields_leave_the_value),
        TEST(copied_fields_stay),
        TEST(keys_and_maps_have_headers_too),
        TEST(a_missing_field_is_the_record_s_error),
        TEST(lists_of_unequal_length_are_refused),
        TEST(a_trace_context_goes_on_from_a_column),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
