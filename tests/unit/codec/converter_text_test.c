/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"
#include "base/buf.h"
#include "codec/converters.h"
#include "data/schema_build.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdlib.h>

static void *open_selves[64]; /* closed at the end of a test */
static size_t n_selves;
static const struct sl_converter_ops *open_ops[64];
static struct sl_arena *arena;
static struct sl_buf out;

static int set_up(void **state)
{
    (void)state;
    arena = sl_arena_new(4096);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (; n_selves; n_selves--)
        open_ops[n_selves - 1]->close(open_selves[n_selves - 1]);
    sl_arena_free(arena);
    sl_buf_done(&out);
    return 0;
}

static void *open_converter(const struct sl_converter_ops *ops)
{
    void *self = NULL;

    for (size_t i = 0; i < n_selves; i++) {
        if (open_ops[i] == ops)
            return open_selves[i];
    }
    assert_int_equal(ops->open(NULL, "", false, NULL, &self, NULL), SL_OK);
    open_ops[n_selves] = ops;
    open_selves[n_selves++] = self;
    return self;
}

static const char *encode(const struct sl_converter_ops *ops, const struct sl_schema *schema,
                          struct sl_value value)
{
    struct sl_error err = {0};
    bool null = true;

    sl_buf_reset(&out);
    if (ops->encode(open_converter(ops), sl_topic_intern("t", 1), schema, value, &out, &null, &err))
        fail_msg("%s", err.text);
    return null ? NULL : sl_buf_cstr(&out);
}

static struct sl_value decode(const struct sl_converter_ops *ops, const void *bytes, size_t len,
                              const struct sl_schema **ret_schema)
{
    struct sl_error err = {0};
    struct sl_value value = {0};

    if (ops->decode(open_converter(ops), sl_topic_intern("t", 1), (struct sl_span){bytes, len}, arena,
                    ret_schema, &value, &err))
        fail_msg("%s", err.text);
    return value;
}

static void strings_are_what_java_would_print(void **state)
{
    const struct sl_value list[] = {sl_int(SL_INT32, 1), sl_null()};
    const struct sl_value pair[] = {sl_text("k"), sl_float(SL_FLOAT32, (double)1.1f)};
    const struct sl_value fields[] = {sl_int(SL_INT32, 5), sl_null(), sl_text("x")};
    struct sl_struct_builder b = {.name = "S"};
    const struct sl_schema *schema;

    (void)state;
    sl_struct_add(&b, "id", sl_schema_plain(SL_INT32, false));
    sl_struct_add(&b, "gone", sl_schema_plain(SL_INT32, true));
    sl_struct_add(&b, "s", sl_schema_plain(SL_STRING, false));
    schema = sl_struct_end(&b, false);
    assert_string_equal(encode(&sl_converter_string, NULL, sl_text("a b")), "a b");
    assert_string_equal(encode(&sl_converter_string, NULL, sl_int(SL_INT64, INT64_MIN)),
                        "-9223372036854775808");
    assert_string_equal(encode(&sl_converter_string, NULL, sl_bool(true)), "true");
    assert_string_equal(encode(&sl_converter_string, NULL, sl_items(SL_ARRAY, list, 2)), "[1, null]");
    assert_string_equal(encode(&sl_converter_string, NULL, sl_items(SL_MAP, pair, 1)), "{k=1.1}");
    assert_string_equal(encode(&sl_converter_string, schema, sl_items(SL_STRUCT, fields, 3)),
                        "Struct{id=5,s=x}");
    assert_null(encode(&sl_converter_string, NULL, sl_null()));
}

static void doubles_are_written_as_java_writes_them(void **state)
{
    static const struct {
        double d;
        const char *text;
    } known[] = {
        {0.0, "0.0"},
        {-0.0, "-0.0"},
        {1.0, "1.0"},
        {0.001, "0.001"},
        {0.00099, "9.9E-4"},
        {9999999.0, "9999999.0"},
        {10000000.0, "1.0E7"},
        {123456.789, "123456.789"},
        {1e300, "1.0E300"},
        {0.1, "0.1"},
        {1.7976931348623157e308, "1.7976931348623157E308"},
        {100.0, "100.0"},
        {4.9e-324, "4.9E-324"}, /* two digits at least, as long as they are the nearest */
        {(double)INFINITY, "Infinity"},
        {(double)NAN, "NaN"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        assert_string_equal(encode(&sl_converter_string, NULL, sl_float(SL_FLOAT64, known[i].d)),
                            known[i].text);
    assert_string_equal(encode(&sl_converter_string, NULL, sl_float(SL_FLOAT32, (double)3.4028235e38f)),
                        "3.4028235E38");
    assert_string_equal(encode(&sl_converter_string, NULL, sl_float(SL_FLOAT32, (double)-1.4e-45f)),
                        "-1.4E-45");
}

static void a_header_literal_says_its_own_type(void **state)
{
    static const struct {
        const char *text;
        enum sl_type type;
        int64_t i;
    } known[] = {
        {"true", SL_BOOLEAN, 1},
        {"1", SL_INT8, 1},
        {"-129", SL_INT16, -129},
        {"70000", SL_INT32, 70000},
        {"3000000000", SL_INT64, 3000000000},
        {"2024-02-29", SL_INT32, 19782},
        {"1969-12-31", SL_INT32, -1},
        {"00:00:01.002Z", SL_INT32, 1002},
        {"1970-01-02T00:00:00.001Z", SL_INT64, 86400001},
    };
    const struct sl_schema *schema;

    (void)state;
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        struct sl_value v = decode(&sl_converter_simple, known[i].text, strlen(known[i].text), &schema);

        assert_int_equal(v.tag, known[i].type);
        assert_true(v.i == known[i].i);
        assert_int_equal(schema->type, known[i].type);
        assert_string_equal(encode(&sl_converter_simple, schema, v), known[i].text);
    }
    assert_int_equal(decode(&sl_converter_simple, "1.5", 3, &schema).tag, SL_FLOAT32);
    assert_int_equal(decode(&sl_converter_simple, "1e300", 5, &schema).tag, SL_FLOAT64);
    assert_int_equal(decode(&sl_converter_simple, "null", 4, &schema).tag, SL_NULL);
    assert_int_equal(decode(&sl_converter_simple, NULL, 0, &schema).tag, SL_NULL);
}

static void what_is_no_literal_is_a_string(void **state)
{
    static const char *const texts[] = {"",      "abc",   "1 2",      "0x10",    "[1",
                                        "{a:1}", "nan",   "infinity", "-",       "2024-1-1",
                                        "TRUE",  "1.2.3", "[null,1]", "{null:1}"};
    const struct sl_schema *schema;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        struct sl_value v = decode(&sl_converter_simple, texts[i], strlen(texts[i]), &schema);

        assert_int_equal(v.tag, SL_STRING);
        assert_int_equal(v.len, strlen(texts[i]));
    }
}

static void literals_have_the_original_s_turns(void **state)
{
    const struct sl_schema *schema;
    struct sl_value v = decode(&sl_converter_simple, "2024-02-30", 10, &schema); /* dates carry over */

    (void)state;
    assert_int_equal(v.i, 19783);
    v = decode(&sl_converter_simple, "10:20", 5, &schema); /* behind a number nobody looks */
    assert_int_equal(v.tag, SL_INT8);
    assert_int_equal(v.i, 10);
    v = decode(&sl_converter_simple, "[1,2]x", 6, &schema);
    assert_int_equal(v.tag, SL_ARRAY);
    v = decode(&sl_converter_simple, "[1,\"a\",2]", 9, &schema); /* nothing in common */
    assert_int_equal(v.len, 3);
    assert_null(schema);
    assert_int_equal(v.items[1].tag, SL_STRING);
    v = decode(&sl_converter_simple, "{1:1,300:2.5}", 13, &schema);
    assert_int_equal(schema->key->type, SL_INT16);
    assert_int_equal(schema->element->type, SL_FLOAT32);
    assert_true(v.items[1].d == 1.0);
    v = decode(&sl_converter_simple, "12345678901234567890", 20, &schema);
    assert_int_equal(schema->semantic, SL_SEM_DECIMAL);
    v = decode(&sl_converter_simple, "1e999", 5, &schema);
    assert_int_equal(schema->scale, -999);
    v = decode(&sl_converter_simple, "{\"a\":\"10:20:30.000Z\"}", 21, &schema);
    assert_int_equal(schema->element->semantic, SL_SEM_TIME);
}

static void depth_is_bounded(void **state)
{
    const struct sl_schema *schema;
    size_t len = 100000;
    char *text = malloc(len);
    struct sl_value v;

    (void)state;
    memset(text, '[', len);
    v = decode(&sl_converter_simple, text, len, &schema);
    assert_int_equal(v.tag, SL_STRING);
    free(text);
}

static void collections_of_one_type_are_read(void **state)
{
    const struct sl_schema *schema;
    struct sl_value v = decode(&sl_converter_simple, "[1,300,2]", 9, &schema);

    (void)state;
    assert_int_equal(schema->type, SL_ARRAY);
    assert_int_equal(schema->element->type, SL_INT16);
    assert_int_equal(v.items[0].tag, SL_INT16);
    assert_int_equal(v.items[1].i, 300);
    v = decode(&sl_converter_simple, "{\"a\":\"b\"}", 9, &schema);
    assert_int_equal(schema->type, SL_MAP);
    assert_string_equal(encode(&sl_converter_simple, schema, v), "{\"a\":\"b\"}");
    v = decode(&sl_converter_simple, "[]", 2, &schema);
    assert_int_equal(v.len, 0);
}

static void numbers_are_big_endian(void **state)
{
    const struct sl_schema *schema;
    struct sl_error err;
    struct sl_value v;

    (void)state;
    assert_memory_equal(encode(&sl_converter_short, NULL, sl_int(SL_INT16, -2)), "\xFF\xFE", 2);
    assert_memory_equal(encode(&sl_converter_integer, NULL, sl_int(SL_INT32, 1)), "\x00\x00\x00\x01", 4);
    assert_memory_equal(encode(&sl_converter_long, NULL, sl_int(SL_INT64, 258)),
                        "\x00\x00\x00\x00\x00\x00\x01\x02", 8);
    assert_memory_equal(encode(&sl_converter_float, NULL, sl_float(SL_FLOAT32, 1.0)), "\x3F\x80\x00\x00", 4);
    assert_memory_equal(encode(&sl_converter_double, NULL, sl_float(SL_FLOAT64, -2.0)),
                        "\xC0\x00\x00\x00\x00\x00\x00\x00", 8);
    assert_memory_equal(encode(&sl_converter_boolean, NULL, sl_bool(true)), "\x01", 1);
    assert_true(decode(&sl_converter_short, "\xFF\xFE", 2, &schema).i == -2);
    assert_true(decode(&sl_converter_integer, "\x80\x00\x00\x00", 4, &schema).i == INT32_MIN);
    assert_true(decode(&sl_converter_long, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 8, &schema).i == -1);
    assert_true(decode(&sl_converter_float, "\x3F\x80\x00\x00", 4, &schema).d == 1.0);
    assert_true(decode(&sl_converter_double, "\xC0\x00\x00\x00\x00\x00\x00\x00", 8, &schema).d == -2.0);
    assert_true(schema->optional);
    assert_int_equal(sl_converter_long.decode(open_converter(&sl_converter_long), sl_topic_intern("t", 1),
                                              (struct sl_span){(const uint8_t *)"abc", 3}, arena, &schema, &v,
                                              &err),
                     SL_E_DATA);
}

static void bytes_pass_as_they_are(void **state)
{
    const struct sl_schema *schema;
    struct sl_error err = {0};
    bool null;
    struct sl_value v = decode(&sl_converter_bytes, "\x00\x01", 2, &schema);

    (void)state;
    assert_int_equal(v.tag, SL_BYTES);
    assert_memory_equal(encode(&sl_converter_bytes, schema, v), "\x00\x01", 2);
    assert_int_equal(out.len, 2);
    assert_int_equal(sl_converter_bytes.encode(open_converter(&sl_converter_bytes), sl_topic_intern("t", 1),
                                               NULL, sl_text("x"), &out, &null, &err),
                     SL_E_DATA);
    assert_int_equal(decode(&sl_converter_bytes, NULL, 0, &schema).tag, SL_NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(strings_are_what_java_would_print, set_up, tear_down),
        cmocka_unit_test_setup_teardown(doubles_are_written_as_java_writes_them, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_header_literal_says_its_own_type, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_literal_is_a_string, set_up, tear_down),
        cmocka_unit_test_setup_teardown(literals_have_the_original_s_turns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(depth_is_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(collections_of_one_type_are_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(numbers_are_big_endian, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bytes_pass_as_they_are, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
