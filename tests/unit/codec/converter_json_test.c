/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/props.h"
#include "codec/converters.h"
#include "codec/decimal_text.h"
#include "data/schema_build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

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
    sl_arena_free(arena);
    sl_buf_done(&out);
    return 0;
}

static const struct sl_topic *topic(void)
{
    return sl_topic_intern("t", 1);
}

static void *open_converter(const struct sl_converter_ops *ops, const char *key, const char *value)
{
    struct sl_props *props = sl_props_new();
    struct sl_error err = {0};
    void *self;

    if (key)
        sl_props_set(props, key, value);
    if (ops->open(props, "", false, NULL, &self, &err))
        fail_msg("%s", err.text);
    sl_props_free(props);
    return self;
}

static const char *encode(const struct sl_converter_ops *ops, void *self, const struct sl_schema *schema,
                          struct sl_value value)
{
    struct sl_error err = {0};
    bool null;

    sl_buf_reset(&out);
    if (ops->encode(self, topic(), schema, value, &out, &null, &err))
        fail_msg("%s", err.text);
    return null ? NULL : sl_buf_cstr(&out);
}

static enum sl_rc decode(const struct sl_converter_ops *ops, void *self, const char *text,
                         const struct sl_schema **ret_schema, struct sl_value *ret)
{
    struct sl_error err = {0};

    return ops->decode(self, topic(), (struct sl_span){(const uint8_t *)text, text ? strlen(text) : 0}, arena,
                       ret_schema, ret, &err);
}

static const struct sl_schema *row_schema(void)
{
    struct sl_struct_builder b = {.name = "srv.Row", .version = 1};

    sl_struct_add(&b, "id", sl_schema_plain(SL_INT32, false));
    sl_struct_add(&b, "price", sl_schema_decimal(2, 10, true));
    sl_struct_add(&b, "note", sl_schema_with_default(sl_schema_plain(SL_STRING, true), sl_text("none")));
    sl_struct_add(&b, "weight", sl_schema_plain(SL_FLOAT64, true));
    return sl_struct_end(&b, false);
}

static struct sl_value row(const char *note)
{
    struct sl_value *fields = sl_arena_alloc(arena, 4 * sizeof(*fields));

    fields[0] = sl_int(SL_INT32, 7);
    fields[1] = sl_bytes(SL_BYTES, "\x30\x39", 2); /* 123.45 */
    fields[2] = note ? sl_text(note) : (struct sl_value){.tag = SL_ABSENT};
    fields[3] = sl_float(SL_FLOAT64, 2.5);
    return sl_items(SL_STRUCT, fields, 4);
}

static void the_envelope_has_its_members_in_kafkas_order(void **state)
{
    void *self = open_converter(&sl_converter_json, NULL, NULL);

    (void)state;
    assert_string_equal(
        encode(&sl_converter_json, self, row_schema(), row("a\"\n\x01")),
        "{\"schema\":{\"type\":\"struct\",\"fields\":["
        "{\"type\":\"int32\",\"optional\":false,\"field\":\"id\"},"
        "{\"type\":\"bytes\",\"optional\":true,\"name\":\"org.apache.kafka.connect.data.Decimal\","
        "\"version\":1,"
        "\"parameters\":{\"scale\":\"2\",\"connect.decimal.precision\":\"10\"},\"field\":\"price\"},"
        "{\"type\":\"string\",\"optional\":true,\"default\":\"none\",\"field\":\"note\"},"
        "{\"type\":\"double\",\"optional\":true,\"field\":\"weight\"}],"
        "\"optional\":false,\"name\":\"srv.Row\",\"version\":1},"
        "\"payload\":{\"id\":7,\"price\":\"MDk=\",\"note\":\"a\\\"\\n\\u0001\",\"weight\":2.5}}");
    sl_converter_json.close(self);
}

static void a_record_comes_back_with_the_same_schema(void **state)
{
    void *self = open_converter(&sl_converter_json, NULL, NULL);
    const struct sl_schema *schema;
    struct sl_value value;

    (void)state;
    for (int i = 0; i < 3; i++) { /* the second time from the cache */
        char *text = sl_strdup(encode(&sl_converter_json, self, row_schema(), row("x\t/\xC3\xA9")));

        assert_int_equal(decode(&sl_converter_json, self, text, &schema, &value), SL_OK);
        assert_ptr_equal(schema, row_schema());
        assert_true(sl_value_equal(value, row("x\t/\xC3\xA9")));
        sl_free(text);
    }
    sl_converter_json.close(self);
}

static void decimals_can_be_numbers(void **state)
{
    void *self = open_converter(&sl_converter_json, "decimal.format", "numeric");
    struct sl_value value;
    const struct sl_schema *schema;
    char *text;

    (void)state;
    text = sl_strdup(encode(&sl_converter_json, self, row_schema(), row(NULL)));
    assert_non_null(strstr(text, "\"price\":123.45,\"note\":null")); /* not its default: nobody said so */
    assert_int_equal(decode(&sl_converter_json, self, text, &schema, &value), SL_OK);
    assert_memory_equal(value.items[1].bytes, "\x30\x39", 2);
    sl_free(text);
    sl_converter_json.close(self);
}

static void a_null_with_a_schema_is_written_one_without_is_a_tombstone(void **state)
{
    const struct sl_schema *optional = sl_schema_plain(SL_STRING, true);
    void *self = open_converter(&sl_converter_json, NULL, NULL);
    const struct sl_schema *schema;
    struct sl_value value;
    struct sl_error err;
    bool null;

    (void)state;
    assert_null(encode(&sl_converter_json, self, NULL, sl_null()));
    assert_string_equal(encode(&sl_converter_json, self, optional, sl_null()),
                        "{\"schema\":{\"type\":\"string\",\"optional\":true},\"payload\":null}");
    assert_int_equal(decode(&sl_converter_json, self, NULL, &schema, &value), SL_OK);
    assert_null(schema);
    assert_int_equal(sl_converter_json.encode(self, topic(), sl_schema_plain(SL_STRING, false), sl_null(),
                                              &out, &null, &err),
                     SL_E_DATA);
    sl_converter_json.close(self);
    self = open_converter(&sl_converter_json, "schemas.enable", "false");
    assert_string_equal(encode(&sl_converter_json, self, optional, sl_null()), "null");
    sl_converter_json.close(self);
}

static void an_envelope_with_other_members_is_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "{}",
                                      "1",
                                      "null",
                                      "{\"payload\":1}",
                                      "{\"schema\":null,\"payload\":1,\"x\":2}",
                                      "{\"schema\":null,\"payload\":1}x",
                                      "{\"schema\":null \"payload\":1}",
                                      "{\"schema\":{\"type\":\"int8\"},\"payload\":200}",
                                      "{\"schema\":{\"type\":\"int33\"},\"payload\":1}",
                                      "{\"schema\":{\"type\":\"string\"},\"payload\":null}",
                                      "{\"schema\":{\"type\":\"string\"},\"payload\":\"\\x\"}",
                                      "{\"schema\":{\"type\":\"bytes\"},\"payload\":\"a\"}"};
    void *self = open_converter(&sl_converter_json, NULL, NULL);
    const struct sl_schema *schema;
    struct sl_value value;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_int_equal(decode(&sl_converter_json, self, bad[i], &schema, &value), SL_E_DATA);
    assert_int_equal(decode(&sl_converter_json, self,
                            " { \"payload\" : \"q\" , \"schema\" : {\"type\":\"string\"} } ", &schema,
                            &value),
                     SL_OK);
    assert_ptr_equal(schema, sl_schema_plain(SL_STRING, false));
    sl_converter_json.close(self);
}

static void plain_json_becomes_maps_and_wide_numbers(void **state)
{
    void *self = open_converter(&sl_converter_json, "schemas.enable", "false");
    const struct sl_schema *schema;
    struct sl_value v;

    (void)state;
    assert_int_equal(decode(&sl_converter_json, self,
                            "{\"a\":[1,2.5,true,null],\"b\":{\"\\u00e9\\uD83D\\uDE00\":\"x\"}}", &schema, &v),
                     SL_OK);
    assert_null(schema);
    assert_int_equal(v.tag, SL_MAP);
    assert_int_equal(v.len, 2);
    assert_int_equal(v.items[1].items[0].tag, SL_INT64);
    assert_int_equal(v.items[1].items[1].tag, SL_FLOAT64);
    assert_int_equal(v.items[1].items[3].tag, SL_NULL);
    assert_memory_equal(v.items[3].items[0].bytes, "\xC3\xA9\xF0\x9F\x98\x80", 6);
    assert_string_equal(encode(&sl_converter_json, self, NULL, v),
                        "{\"a\":[1,2.5,true,null],\"b\":{\"\xC3\xA9\xF0\x9F\x98\x80\":\"x\"}}");
    sl_converter_json.close(self);
}

static void decimals_are_exact_at_any_size(void **state)
{
    static const struct {
        const char *text;
        int scale;
        const char *again; /* NULL: the same */
    } known[] = {
        {"0", 0, NULL},
        {"0.00", 2, NULL},
        {"-0.01", 2, NULL},
        {"127", 0, NULL},
        {"128", 0, NULL},
        {"-128", 0, NULL},
        {"-129", 0, NULL},
        {"99999999999999999999999999999999999999", 0, NULL},
        {"-79228162514264337593543950336.0000000001", 10, NULL},
        {"1E+3", -3, NULL},
        {"1.2E+4", -3, NULL},
        {"1E-7", 7, NULL},
        {"0.000001", 6, NULL},
        {"1e2", 0, "100"},
        {"12.500", 1, "12.5"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        struct sl_value v;

        assert_true(sl_decimal_read(known[i].text, strlen(known[i].text), known[i].scale, arena, &v));
        sl_buf_reset(&out);
        assert_true(sl_decimal_put(&out, v.bytes, v.len, known[i].scale));
        assert_string_equal(sl_buf_cstr(&out), known[i].again ? known[i].again : known[i].text);
    }
    {
        struct sl_value v;

        assert_true(sl_decimal_read("-128", 4, 0, arena, &v));
        assert_int_equal(v.len, 1);
        assert_int_equal(v.bytes[0], 0x80);
        assert_true(sl_decimal_read("128", 3, 0, arena, &v));
        assert_int_equal(v.len, 2);
        assert_false(sl_decimal_read("1.25", 4, 1, arena, &v));
        assert_false(sl_decimal_read("", 0, 1, arena, &v));
        assert_false(sl_decimal_read("-", 1, 1, arena, &v));
        assert_false(sl_decimal_read("1.2.3", 5, 1, arena, &v));
        assert_false(sl_decimal_read("1e999999", 8, 1, arena, &v));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_envelope_has_its_members_in_kafkas_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_record_comes_back_with_the_same_schema, set_up, tear_down),
        cmocka_unit_test_setup_teardown(decimals_can_be_numbers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_null_with_a_schema_is_written_one_without_is_a_tombstone, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_envelope_with_other_members_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(plain_json_becomes_maps_and_wide_numbers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(decimals_are_exact_at_any_size, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
