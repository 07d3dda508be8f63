/* SPDX-License-Identifier: Apache-2.0 */
/* TimestampConverter and TimestampRouter. */
#include "events.h"

#include "transform/transforms.h"

static const struct sl_transform_ops *const convert = &sl_transform_timestamp_converter;
static const struct sl_transform_ops *const router = &sl_transform_timestamp_router;

enum { MOMENT_MS_OF_DAY = 47655016 };
static const int64_t moment = 1709212455016; /* 2024-02-29T13:14:15.016Z */

/* The rich row's field "at" in another form. */
static void expect(const char *type, const char *format, const char *precision, const char *text)
{
    void *made;
    struct bench *bench;
    struct sl_message message;

    (void)bench_make(&made);
    bench = made;
    message = rich_of(bench);
    bench_open(bench, convert, "field", "at", "target.type", type, "format", format, "unix.precision",
               precision, NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(value_text(bench, NULL, message.record.value.items[5]), text);
    assert_true(message.value_schema->fields[5].schema->optional);
    (void)bench_remove(&made);
}

static void every_form_has_its_own_type(void **state)
{
    (void)state;
    expect("string", "yyyy-MM-dd HH:mm:ss.SSS", "milliseconds", "2024-02-29 13:14:15.016");
    expect("string", "EEE, d MMM yy h 'o''clock' a", "milliseconds", "Thu, 29 Feb 24 1 o'clock PM");
    expect("unix", "", "seconds", "1709212455");
    expect("unix", "", "milliseconds", "1709212455016");
    expect("unix", "", "microseconds", "1709212455016000");
    expect("unix", "", "nanoseconds", "1709212455016000000");
    expect("Date", "", "milliseconds", "19782");
    expect("Time", "", "milliseconds", "47655016");
    expect("Timestamp", "", "milliseconds", "1709212455016");
}

/* A whole value of one type to Timestamp. */
static void expect_read(const struct sl_schema *schema, struct sl_value value, const char *format,
                        const char *precision, int64_t ms)
{
    void *made;
    struct bench *bench;
    struct sl_message message;

    (void)bench_make(&made);
    bench = made;
    message = row_of(bench, 1);
    message.value_schema = schema;
    message.record.value = value;
    bench_open(bench, convert, "target.type", "Timestamp", "format", format, "unix.precision", precision,
               NULL);
    if (ms == SL_NO_TIMESTAMP) {
        assert_int_equal(bench_apply(bench, &message), SL_FAIL);
    } else {
        assert_int_equal(bench_apply(bench, &message), SL_KEEP);
        assert_true(message.record.value.i == ms);
        if (schema)
            assert_int_equal(message.value_schema->semantic, SL_SEM_TIMESTAMP);
    }
    (void)bench_remove(&made);
}

static void every_form_is_read(void **state)
{
    const struct sl_schema *text = sl_schema_plain(SL_STRING, false);
    const struct sl_schema *number = sl_schema_plain(SL_INT64, true);

    (void)state;
    expect_read(text, sl_text("2024-02-29 13:14:15.016"), "yyyy-MM-dd HH:mm:ss.SSS", "milliseconds", moment);
    expect_read(text, sl_text("20240229131415016"), "yyyyMMddHHmmssSSS", "milliseconds", moment);
    expect_read(text, sl_text("1:14 pm, 29 FEBRUARY 24"), "h:mm a, d MMMM yy", "milliseconds",
                moment - 15016);
    expect_read(text, sl_text("2024-02-29 14:14 +0100"), "yyyy-MM-dd HH:mm Z", "milliseconds",
                moment - 15016);
    expect_read(text, sl_text("2024-02-29 14:14 GMT+01:00"), "yyyy-MM-dd HH:mm z", "milliseconds",
                moment - 15016);
    expect_read(text, sl_text("2023-14-29"), "yyyy-MM-dd", "milliseconds", moment - MOMENT_MS_OF_DAY);
    expect_read(text, sl_text("nonsense"), "yyyy-MM-dd", "milliseconds", SL_NO_TIMESTAMP);
    expect_read(text, sl_text("2024-02-29"), "", "milliseconds", SL_NO_TIMESTAMP);
    expect_read(number, sl_int(SL_INT64, -1500), "", "seconds", -1500000);
    expect_read(number, sl_int(SL_INT64, -1500), "", "microseconds", -1);
    expect_read(number, sl_int(SL_INT64, INT64_MAX), "", "seconds", INT64_MAX);
    expect_read(number, sl_int(SL_INT64, 1999999), "", "nanoseconds", 1);
    expect_read(NULL, sl_int(SL_INT64, 5), "", "milliseconds", 5);
    expect_read(NULL, sl_null(), "", "milliseconds", 0);
    expect_read(NULL, sl_bool(true), "", "milliseconds", SL_NO_TIMESTAMP);
    expect_read(sl_schema_plain(SL_BOOLEAN, true), sl_null(), "", "milliseconds", SL_NO_TIMESTAMP);
}

static void nulls_and_defaults_are_as_elsewhere(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = rich_of(bench);

    bench_open(bench, convert, "field", "n", "target.type", "Date", "replace.null.with.default", "false",
               NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_int_equal(message.record.value.items[2].tag, SL_NULL);
    assert_int_equal(message.value_schema->fields[2].schema->semantic, SL_SEM_DATE);
    message = tombstone_of(bench, 1);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    message = map_of(bench);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(value_text(bench, NULL, message.record.value),
                        "{a:1,b:text,c:{d:2.5},e:null,n:null}");
}

static void bad_settings_of_the_converter_are_refused(void **state)
{
    struct bench *bench = *state;

    assert_int_equal(bench_try(bench, convert, NULL), SL_E_CONFIG);
    assert_int_equal(bench_try(bench, convert, "target.type", "string", NULL), SL_E_CONFIG);
    assert_int_equal(bench_try(bench, convert, "target.type", "unix", "format", "bogus", NULL), SL_E_CONFIG);
    assert_int_equal(bench_try(bench, convert, "target.type", "unix", "format", "'open", NULL), SL_E_CONFIG);
}

static void topics_get_the_timestamp(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = row_of(bench, 1);

    message.record.timestamp_ms = moment;
    bench_open(bench, router, NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(message.topic->name, "srv.shop.dbo.things-20240229");
    message = row_of(bench, 1);
    message.record.timestamp_ms = -1;
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(message.topic->name, "srv.shop.dbo.things-19691231");
    message = row_of(bench, 1);
    message.record.timestamp_ms = 0;
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(message.topic->name, "srv.shop.dbo.things-19700101");
    message.record.timestamp_ms = SL_NO_TIMESTAMP;
    assert_int_equal(bench_apply(bench, &message), SL_FAIL);
}

static void the_form_of_the_topic_is_free(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = row_of(bench, 1);

    message.record.timestamp_ms = moment;
    bench_open(bench, router, "topic.format", "x-${timestamp}-${topic}", "timestamp.format", "HH", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(message.topic->name, "x-13-srv.shop.dbo.things");
    message = row_of(bench, 1);
    message.record.timestamp_ms = moment + 3600000; /* within the day, not within the hour */
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(message.topic->name, "x-14-srv.shop.dbo.things");
    bench->ops->close(bench->self);
    bench->self = NULL;
    assert_int_equal(bench_try(bench, router, "timestamp.format", "b", NULL), SL_E_CONFIG);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_make, bench_remove)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_has_its_own_type),
        cmocka_unit_test(every_form_is_read),
        TEST(nulls_and_defaults_are_as_elsewhere),
        TEST(bad_settings_of_the_converter_are_refused),
        TEST(topics_get_the_timestamp),
        TEST(the_form_of_the_topic_is_free),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
