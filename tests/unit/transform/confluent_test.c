/* SPDX-License-Identifier: Apache-2.0 */
/* Confluent's transforms: Drop, TombstoneHandler, ExtractTopic, ReplaceField, and Filter with JsonPath. */
#include "events.h"

#include "data/schema_build.h"
#include "transform/transforms.h"

#include <string.h>

static const struct sl_transform_ops *const drop = &sl_transform_drop;
static const struct sl_transform_ops *const handler = &sl_transform_tombstone_handler;
static const struct sl_transform_ops *const topic = &sl_transform_extract_topic;
static const struct sl_transform_ops *const topic_header = &sl_transform_extract_topic_header;
static const struct sl_transform_ops *const replace = &sl_transform_confluent_replace_field;
static const struct sl_transform_ops *const filter = &sl_transform_json_path_filter;

static const struct sl_transform_ops *const router = &sl_transform_message_timestamp_router;

static void reopen(struct bench *bench)
{
    if (bench->self)
        bench->ops->close(bench->self);
    bench->self = NULL;
    sl_props_free(bench->props);
    bench->props = sl_props_new();
}

/* ---- Drop ---- */

static void a_dropped_side_is_null_and_its_schema_as_told(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = row_of(bench, 9);
    const struct sl_schema *key = message.key_schema;

    bench_open_key(bench, drop, NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_null(message.key_schema);
    assert_int_equal(message.record.key.tag, SL_NULL);
    assert_int_equal(message.record.value.tag, SL_STRUCT);
    reopen(bench);
    message = row_of(bench, 9);
    bench_open_key(bench, drop, "schema.behavior", "retain", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_ptr_equal(message.key_schema, key);
    assert_int_equal(message.record.key.tag, SL_NULL);
    reopen(bench);
    message = row_of(bench, 9);
    bench_open_key(bench, drop, "schema.behavior", "Force_Optional", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_ptr_equal(message.key_schema, sl_schema_as_optional(key, true));
}

static void validate_wants_a_schema_that_is_optional(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = row_of(bench, 9);

    bench_open(bench, drop, "schema.behavior", "validate", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP); /* an envelope's row is optional */
    assert_int_equal(message.record.value.tag, SL_NULL);
    message = event_of(bench, 'c', 1, "a");
    assert_int_equal(bench_apply(bench, &message), SL_FAIL);
    assert_int_equal(message.record.value.tag, SL_STRUCT);
    message = map_of(bench);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_int_equal(message.record.value.tag, SL_NULL);
    reopen(bench);
    assert_int_equal(bench_try(bench, drop, "schema.behavior", "burn", NULL), SL_E_CONFIG);
}

/* ---- TombstoneHandler ---- */

static void tombstones_go_or_fail(void **state)
{
    static const char *const words[] = {"ignore", "warn", "fail"};
    struct bench *bench = *state;
    struct sl_message message;

    for (int i = 0; i < 3; i++) {
        bench_open(bench, handler, "behavior", words[i], NULL);
        for (int round = 0; round < 2; round++) {
            message = tombstone_of(bench, 1);
            assert_int_equal(bench_apply(bench, &message), i < 2 ? SL_DROP : SL_FAIL);
            message = row_of(bench, 1);
            assert_int_equal(bench_apply(bench, &message), SL_KEEP);
        }
        reopen(bench);
    }
    bench_open(bench, handler, NULL);
    message = tombstone_of(bench, 1);
    assert_int_equal(bench_apply(bench, &message), SL_DROP);
    reopen(bench);
    assert_int_equal(bench_try(bench, handler, "behavior", "bury", NULL), SL_E_CONFIG);
}

/* ---- ExtractTopic ---- */

static void a_field_becomes_the_topic(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = rich_of(bench);

    bench_open(bench, topic, "field", "text", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(message.topic->name, "12");
    message = map_of(bench);
    assert_int_equal(bench_apply(bench, &message), SL_FAIL);
    reopen(bench);
    bench_open(bench, topic, "field", "$[\"inner\"]['deep']", "field.format", "JSON_PATH", NULL);
    message = rich_of(bench);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(message.topic->name, "y");
    reopen(bench);
    bench_open(bench, topic, "field", "$.b", "field.format", "json_path", NULL);
    message = map_of(bench);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(message.topic->name, "text");
}

static void without_a_field_the_whole_is_the_topic(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = tombstone_of(bench, 1);

    bench_open_key(bench, topic, NULL);
    assert_int_equal(bench_apply(bench, &message), SL_FAIL); /* a struct */
    message.key_schema = sl_schema_plain(SL_STRING, false);
    message.record.key = sl_text("orders");
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(message.topic->name, "orders");
    message.record.key = sl_text("");
    assert_int_equal(bench_apply(bench, &message), SL_FAIL);
    message.record.key = sl_bytes(SL_STRING, "a\0b", 3);
    assert_int_equal(bench_apply(bench, &message), SL_FAIL);
}

static void what_is_missing_or_null_fails_or_is_skipped(void **state)
{
    struct bench *bench = *state;

    for (int skips = 0; skips < 2; skips++) {
        struct sl_message message = row_of(bench, 1);

        bench_open(bench, topic, "field", "name", "skip.missing.or.null", skips ? "true" : "false", NULL);
        assert_int_equal(bench_apply(bench, &message), skips ? SL_KEEP : SL_FAIL);
        message = heartbeat_of(bench);
        assert_int_equal(bench_apply(bench, &message), skips ? SL_KEEP : SL_FAIL);
        assert_string_equal(message.topic->name, "srv.shop.dbo.things");
        reopen(bench);
    }
}

static void a_header_becomes_the_topic(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = row_of(bench, 1);
    struct sl_header headers[2] = {{"to", NULL, sl_bytes(SL_BYTES, "first", 5)},
                                   {"to", NULL, sl_bytes(SL_BYTES, "last", 4)}};

    bench_open(bench, topic_header, "field", "to", "field.format", "PLAIN", "skip.missing.or.null", "true",
               NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(message.topic->name, "srv.shop.dbo.things");
    message.record.headers = headers;
    message.record.n_headers = 2;
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(message.topic->name, "last");
    headers[1] = (struct sl_header){"to", sl_schema_plain(SL_INT32, false), sl_int(SL_INT32, 1)};
    assert_int_equal(bench_apply(bench, &message), SL_FAIL);
    reopen(bench);
    assert_int_equal(bench_try(bench, topic_header, NULL), SL_E_CONFIG);
    assert_int_equal(bench_try(bench, topic_header, "field", "to", "field.format", "JSON_PATH", NULL),
                     SL_E_CONFIG);
    bench->self = NULL;
}

/* ---- MessageTimestampRouter ---- */

/* A record of topic bar whose value is {name: text}. */
static struct sl_message dated(struct bench *bench, const char *name, const char *text)
{
    struct sl_message message = tombstone_of(bench, 1);
    struct sl_value pair[2] = {sl_text(name), text ? sl_text(text) : sl_null()};

    message.topic = sl_topic_intern("bar", 3);
    message.record.value = sl_items(SL_MAP, sl_arena_copy(bench->arena, pair, sizeof(pair)), 1);
    return message;
}

static void a_date_in_a_field_goes_into_the_topic(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = dated(bench, "time", "2019-08-06");

    bench_open(bench, router, "topic.format", "foo-${topic}-${timestamp}", "message.timestamp.format",
               "yyyy-MM-dd", "topic.timestamp.format", "yyyy.MM.dd", "message.timestamp.keys",
               "timestamp,time,ts", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(message.topic->name, "foo-bar-2019.08.06");
    message = dated(bench, "ts", "1969-12-31");
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(message.topic->name, "foo-bar-1969.12.31");
    message = dated(bench, "time", "soon");
    assert_int_equal(bench_apply(bench, &message), SL_FAIL);
    message = dated(bench, "time", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_FAIL);
    message = tombstone_of(bench, 1);
    assert_int_equal(bench_apply(bench, &message), SL_FAIL);
}

static void structs_have_dates_too(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = rich_of(bench);

    bench_open(bench, router, "message.timestamp.format", "yy", "topic.timestamp.format", "yyyy",
               "message.timestamp.keys", "none,text", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(message.topic->name, "srv.shop.dbo.things-2012");
    reopen(bench);
    bench_open(bench, router, "message.timestamp.format", "yy", "topic.timestamp.format", "yyyy",
               "message.timestamp.keys", "id", NULL);
    message = rich_of(bench);
    assert_int_equal(bench_apply(bench, &message), SL_FAIL); /* a number */
}

static void a_pattern_that_is_missing_or_broken_is_refused(void **state)
{
    struct bench *bench = *state;

    assert_int_equal(
        bench_try(bench, router, "message.timestamp.format", "yyyy", "message.timestamp.keys", "ts", NULL),
        SL_E_CONFIG);
    assert_int_equal(bench_try(bench, router, "topic.timestamp.format", "'", NULL), SL_E_CONFIG);
    assert_non_null(strstr(bench->err.text, "transforms.t.topic.timestamp.format"));
    assert_int_equal(bench_try(bench, router, "message.timestamp.format", "b", NULL), SL_E_CONFIG);
    assert_non_null(strstr(bench->err.text, "transforms.t.message.timestamp.format"));
    bench->self = NULL;
}

/* ---- ReplaceField ---- */

static void fields_are_replaced_as_by_kafkas_own(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = row_of(bench, 9);

    bench_open(bench, replace, "exclude", "name", "renames", "qty:n", "replace.null.with.default", "false",
               NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(row_text(bench, &message), "{id:9,n:null}");
    reopen(bench);
    bench_open_key(bench, replace, "include", "id", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(value_text(bench, message.key_schema, message.record.key), "{id:9}");
}

static void names_with_dots_are_refused(void **state)
{
    static const char *const lists[] = {"exclude", "include", "renames"};
    struct bench *bench = *state;

    for (int i = 0; i < 3; i++) {
        assert_int_equal(bench_try(bench, replace, lists[i], i == 2 ? "a.b:c" : "x,a.b", NULL), SL_E_CONFIG);
        assert_non_null(strstr(bench->err.text, lists[i]));
        bench->self = NULL;
        reopen(bench);
    }
}

/* ---- Filter ---- */

/* Whether a condition holds for the rich row, and for the map. */
static void expect(bool of_the_map, const char *condition, enum sl_verdict verdict)
{
    void *made;
    struct bench *bench;
    struct sl_message message;

    (void)bench_make(&made);
    bench = made;
    bench_open(bench, filter, "filter.condition", condition, "filter.type", "include", NULL);
    for (int round = 0; round < 2; round++) {
        message = of_the_map ? map_of(bench) : rich_of(bench);
        if (bench_apply(bench, &message) != verdict)
            fail_msg("%s", condition);
    }
    (void)bench_remove(&made);
}

static void conditions_compare_fields_of_structs(void **state)
{
    (void)state;
    expect(false, "$[?(@.id == 300)]", SL_KEEP);
    expect(false, "$[?(@.id == 300.0)]", SL_KEEP);
    expect(false, "$[?(@['id'] != 300)]", SL_DROP);
    expect(false, "$[?(@.text == '12')]", SL_KEEP);
    expect(false, "$[?(@.text == \"12\")]", SL_KEEP);
    expect(false, "$[?(@.text == 12)]", SL_DROP);
    expect(false, "$[?(@.text != 12)]", SL_KEEP);
    expect(false, "$[?('12' == @.text)]", SL_KEEP);
    expect(false, "$[?(@.n == 7)]", SL_KEEP); /* the default */
    expect(false, "$[?(@.real < -1.5)]", SL_KEEP);
    expect(false, "$[?(@.real <= -1.75 && @.real >= -1.75)]", SL_KEEP);
    expect(false, "$[?(@.real > -1.75)]", SL_DROP);
    expect(false, "$[?(@.amount == 12.34)]", SL_KEEP);
    expect(false, "$[?(@.flag == true)]", SL_KEEP);
    expect(false, "$[?(@.flag == false)]", SL_DROP);
    expect(false, "$[?(@.text =~ /1./)]", SL_KEEP);
    expect(false, "$[?(@.text =~ /1/)]", SL_DROP);
    expect(false, "$[?(@.inner.deep =~ /Y/i)]", SL_KEEP);
    expect(false, "$.inner[?(@.deep == 'x' || @.deep == 'y')]", SL_KEEP);
    expect(false, "$[?( (@.id == 1 || @.id == 300) && @.text )]", SL_KEEP);
    expect(false, "$[?(@.id == 300 || @.id == 1 && @.text == 'z')]", SL_KEEP);
    expect(false, "$.inner.deep", SL_KEEP);
    expect(false, "$.list[?(@.a == 1)]", SL_DROP);
    expect(false, "$.text[?(@.a == 1)]", SL_DROP);
}

static void conditions_compare_what_has_no_schema(void **state)
{
    (void)state;
    expect(true, "$[?(@.a == 1)]", SL_KEEP);
    expect(true, "$.c[?(@.d > 2)]", SL_KEEP);
    expect(true, "$[?(@.c.d > 3)]", SL_DROP);
    expect(true, "$['b']", SL_KEEP);
}

static void nulls_and_missing_fields_fulfil_nothing(void **state)
{
    (void)state;
    expect(true, "$[?(@.e == 1)]", SL_DROP);
    expect(true, "$[?(@.e != 1)]", SL_DROP);
    expect(true, "$[?(@.x != 1)]", SL_DROP);
    expect(true, "$[?(@.x)]", SL_DROP);
    expect(true, "$[?(1 != @.x)]", SL_DROP);
    expect(false, "$[?(@.x.y < 1)]", SL_DROP);
}

static void one_object_of_a_list_is_enough(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = map_of(bench);
    struct sl_value pairs[3][2] = {{sl_text("k"), sl_int(SL_INT64, 1)}, {sl_text("k"), sl_int(SL_INT64, 2)}};
    struct sl_value items[2] = {sl_items(SL_MAP, pairs[0], 1), sl_items(SL_MAP, pairs[1], 1)};
    struct sl_value whole[2] = {sl_text("list"), sl_items(SL_ARRAY, items, 2)};

    bench_open(bench, filter, "filter.condition", "$.list[?(@.k == 2)]", "filter.type", "exclude", NULL);
    message.record.value = sl_items(SL_MAP, whole, 1);
    assert_int_equal(bench_apply(bench, &message), SL_DROP);
    pairs[1][1] = sl_int(SL_INT64, 3);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
}

static void records_without_the_field_go_the_way_that_is_told(void **state)
{
    static const char *const words[] = {"fail", "include", "exclude"};
    static const enum sl_verdict verdicts[] = {SL_FAIL, SL_KEEP, SL_DROP};
    struct bench *bench = *state;

    for (int i = 0; i < 3; i++) {
        struct sl_message message = tombstone_of(bench, 1);

        bench_open(bench, filter, "filter.condition", "$.e[?(@.d == 1)]", "filter.type", "exclude",
                   "missing.or.null.behavior", words[i], NULL);
        assert_int_equal(bench_apply(bench, &message), verdicts[i]);
        message = map_of(bench); /* e is null */
        assert_int_equal(bench_apply(bench, &message), verdicts[i]);
        reopen(bench);
    }
}

static void keys_are_filtered_too(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = tombstone_of(bench, 1);

    bench_open_key(bench, filter, "filter.condition", "$[?(@.id == 1)]", "filter.type", "exclude", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_DROP);
    message = tombstone_of(bench, 2);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
}

static void what_is_not_understood_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *condition;
        const char *place;
    } cases[] = {
        {"", "filter.condition"},
        {"a == 1", "character 1:"},
        {"$..a", "character 3:"},
        {"$.*", "character 3:"},
        {"$.a[0]", "character 5:"},
        {"$[*]", "character 3:"},
        {"$.length()", "character 9:"},
        {"$['a", "character 3:"},
        {"$['a'", "character 6:"},
        {"$[?(@.a == 1]", "character 13:"},
        {"$[?(@.a == 1)] x", "character 16:"},
        {"$[?(@.a == 1)].b", "character 15:"},
        {"$[?(@.a = 1)]", "character 9:"},
        {"$[?(@.a == null)]", "character 12:"},
        {"$[?(@.a == )]", "character 12:"},
        {"$[?(@.a == 1x)]", "character 13:"},
        {"$[?(@.a == 99999999999999999999)]", "character 12:"},
        {"$[?(@.a == $.b)]", "character 12:"},
        {"$[?(1)]", "character 6:"},
        {"$[?(@.a =~ 'x')]", "character 12:"},
        {"$[?(@.a =~ /x)]", "character 12:"},
        {"$[?(@.a =~ /(/)]", "character 12:"},
        {"$[?(@.a =~ /x/m)]", "character 15:"},
        {"$[?(@.a in ['x'])]", "character 9:"},
        {"$[?(@[?(@.b)])]", "character 6:"},
        {"$[?(!@.a)]", "character 5:"},
        {"$[?((@.a)]", "character 10:"},
        {"$[?(((((((((((((((((((((((((((((((((((((((((@.a)", "too many brackets"},
    };
    struct bench *bench = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        enum sl_rc rc =
            bench_try(bench, filter, "filter.condition", cases[i].condition, "filter.type", "include", NULL);

        if (rc != SL_E_CONFIG || !strstr(bench->err.text, cases[i].place))
            fail_msg("%s: %s", cases[i].condition, rc ? bench->err.text : "taken");
        bench->self = NULL;
        reopen(bench);
    }
    assert_int_equal(bench_try(bench, filter, "filter.type", "include", NULL), SL_E_CONFIG);
    assert_int_equal(bench_try(bench, topic, "field", "$[?(@.a)]", "field.format", "JSON_PATH", NULL),
                     SL_E_CONFIG);
    bench->self = NULL;
}

#define BENCH_TEST(name) cmocka_unit_test_setup_teardown(name, bench_make, bench_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(a_dropped_side_is_null_and_its_schema_as_told),
        BENCH_TEST(validate_wants_a_schema_that_is_optional),
        BENCH_TEST(tombstones_go_or_fail),
        BENCH_TEST(a_field_becomes_the_topic),
        BENCH_TEST(without_a_field_the_whole_is_the_topic),
        BENCH_TEST(what_is_missing_or_null_fails_or_is_skipped),
        BENCH_TEST(a_header_becomes_the_topic),
        BENCH_TEST(a_date_in_a_field_goes_into_the_topic),
        BENCH_TEST(structs_have_dates_too),
        BENCH_TEST(a_pattern_that_is_missing_or_broken_is_refused),
        BENCH_TEST(fields_are_replaced_as_by_kafkas_own),
        BENCH_TEST(names_with_dots_are_refused),
        cmocka_unit_test(conditions_compare_fields_of_structs),
        cmocka_unit_test(conditions_compare_what_has_no_schema),
        cmocka_unit_test(nulls_and_missing_fields_fulfil_nothing),
        BENCH_TEST(one_object_of_a_list_is_enough),
        BENCH_TEST(records_without_the_field_go_the_way_that_is_told),
        BENCH_TEST(keys_are_filtered_too),
        BENCH_TEST(what_is_not_understood_is_refused_with_its_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
