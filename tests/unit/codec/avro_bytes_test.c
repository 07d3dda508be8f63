/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values against bytes that another implementation wrote (Python's fastavro 1.13, from the same schema
 * texts), in both directions.
 */
#include "base/arena.h"
#include "codec/avro_plan.h"
#include "data/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static const struct sl_avro_options options = {.connect_meta_data = true, .flatten_singleton_unions = true};

struct codec {
    struct sl_avro_doc *doc;
    const struct sl_schema *schema;
    struct sl_avro_plan *plan;
    struct sl_arena *arena;
    struct sl_buf out;
};

static void open_codec(struct codec *c, const char *text)
{
    struct sl_error err = {0};

    *c = (struct codec){.arena = sl_arena_new(4096)};
    if (sl_avro_parse(text, strlen(text), &c->doc, &err) ||
        sl_avro_to_connect(c->doc->root, &options, 0, &c->schema, &err) ||
        sl_avro_plan_new(c->schema, c->doc->root, false, &c->plan, &err))
        fail_msg("%s", err.text);
}

static void close_codec(struct codec *c)
{
    sl_avro_plan_free(c->plan);
    sl_avro_doc_free(c->doc);
    sl_arena_free(c->arena);
    sl_buf_done(&c->out);
}

/* A heap block of just that size, so that ASan sees a step too far. */
static uint8_t *from_hex(const char *hex, size_t *ret_len)
{
    size_t len = strlen(hex) / 2;
    uint8_t *bytes = sl_alloc(len);

    for (size_t i = 0; i < len; i++) {
        char digits[3] = {hex[2 * i], hex[2 * i + 1], '\0'};

        bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    *ret_len = len;
    return bytes;
}

static enum sl_rc decode_hex(struct codec *c, const char *hex, struct sl_value *ret)
{
    size_t len;
    uint8_t *bytes = from_hex(hex, &len);
    struct sl_value value;
    size_t used;
    struct sl_error err = {0};
    enum sl_rc rc = sl_avro_decode(c->plan, (struct sl_span){bytes, len}, c->arena, &value, &used, &err);

    if (rc == SL_OK) {
        assert_int_equal(used, len);
        *ret = sl_value_copy(c->arena, value); /* the bytes go away */
    }
    sl_free(bytes);
    return rc;
}

static void check(const char *schema, struct sl_value value, const char *hex)
{
    struct codec c;
    struct sl_value back;
    struct sl_error err = {0};
    size_t len;
    uint8_t *bytes = from_hex(hex, &len);

    open_codec(&c, schema);
    if (sl_avro_encode(c.plan, value, &c.out, &err))
        fail_msg("%s", err.text);
    assert_int_equal(c.out.len, len);
    assert_memory_equal(c.out.data, bytes, len);
    sl_free(bytes);
    assert_int_equal(decode_hex(&c, hex, &back), SL_OK);
    assert_true(sl_value_equal(value, back));
    close_codec(&c);
}

static void refuse(const char *schema, const char *hex)
{
    struct codec c;
    struct sl_value back;

    open_codec(&c, schema);
    assert_int_equal(decode_hex(&c, hex, &back), SL_E_DATA);
    close_codec(&c);
}

static void numbers_are_as_others_write_them(void **state)
{
    (void)state;
    check("\"int\"", sl_int(SL_INT32, 0), "00");
    check("\"int\"", sl_int(SL_INT32, -1), "01");
    check("\"int\"", sl_int(SL_INT32, 63), "7e");
    check("\"int\"", sl_int(SL_INT32, 64), "8001");
    check("\"int\"", sl_int(SL_INT32, -65), "8101");
    check("\"int\"", sl_int(SL_INT32, INT32_MAX), "feffffff0f");
    check("\"int\"", sl_int(SL_INT32, INT32_MIN), "ffffffff0f");
    check("\"long\"", sl_int(SL_INT64, INT64_MAX), "feffffffffffffffff01");
    check("\"long\"", sl_int(SL_INT64, INT64_MIN), "ffffffffffffffffff01");
    check("\"long\"", sl_int(SL_INT64, 1700000000123), "f6a1abfef962");
    check("\"float\"", sl_float(SL_FLOAT32, 1.5), "0000c03f");
    check("\"double\"", sl_float(SL_FLOAT64, -2.25), "00000000000002c0");
    check("\"boolean\"", sl_bool(true), "01");
}

static void bytes_and_collections_are_as_others_write_them(void **state)
{
    const struct sl_value items[] = {sl_int(SL_INT32, 1), sl_int(SL_INT32, -2), sl_int(SL_INT32, 300)};
    const struct sl_value pairs[] = {sl_text("a"), sl_int(SL_INT64, 1), sl_text("b"), sl_int(SL_INT64, -1)};

    (void)state;
    check("\"string\"", sl_text("h\xC3\xA9"), "0668c3a9");
    check("\"bytes\"", sl_bytes(SL_BYTES, "\0\xFF", 2), "0400ff");
    check("{\"type\":\"array\",\"items\":\"int\"}", sl_items(SL_ARRAY, items, 3), "060203d80400");
    check("{\"type\":\"array\",\"items\":\"int\"}", sl_items(SL_ARRAY, items, 0), "00");
    check("{\"type\":\"map\",\"values\":\"long\"}", sl_items(SL_MAP, pairs, 2), "0402610202620100");
    check("{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\",\"C\"]}", sl_text("C"), "04");
    check("{\"type\":\"fixed\",\"name\":\"F\",\"size\":3}", sl_bytes(SL_BYTES, "abc", 3), "616263");
}

static void unions_are_as_others_write_them(void **state)
{
    const struct sl_value number[] = {sl_int(SL_INT32, 7), sl_null()};
    const struct sl_value text[] = {sl_null(), sl_text("x")};

    (void)state;
    check("[\"null\",\"int\",\"string\"]", sl_null(), "00");
    check("[\"null\",\"int\",\"string\"]", sl_items(SL_STRUCT, number, 2), "020e");
    check("[\"null\",\"int\",\"string\"]", sl_items(SL_STRUCT, text, 2), "040278");
    check("[\"null\",\"int\"]", sl_null(), "00");
    check("[\"int\",\"null\"]", sl_null(), "02");
    check("[\"int\",\"null\"]", sl_int(SL_INT32, 7), "000e");
    check("[\"int\"]", sl_int(SL_INT32, 7), "000e");
}

#define DECIMAL "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":10,\"scale\":2}"

static void decimals_are_as_others_write_them(void **state)
{
    (void)state;
    check(DECIMAL, sl_bytes(SL_BYTES, "\x30\x39", 2), "043039");                   /* 123.45 */
    check(DECIMAL, sl_bytes(SL_BYTES, "\xFF", 1), "02ff");                         /* -0.01 */
    check(DECIMAL, sl_bytes(SL_BYTES, "\x00", 1), "0200");                         /* 0 */
    check(DECIMAL, sl_bytes(SL_BYTES, "\xCE\x00", 2), "04ce00");                   /* -128.00 */
    check(DECIMAL, sl_bytes(SL_BYTES, "\x02\x54\x0b\xe3\xff", 5), "0a02540be3ff"); /* 99999999.99 */
}

static void a_short_decimal_is_widened_into_its_fixed(void **state)
{
    struct codec c;
    struct sl_error err;

    (void)state;
    open_codec(&c,
               "{\"type\":\"fixed\",\"name\":\"D\",\"size\":4,\"logicalType\":\"decimal\",\"precision\":9,"
               "\"scale\":2}");
    assert_int_equal(sl_avro_encode(c.plan, sl_bytes(SL_BYTES, "\xFF", 1), &c.out, &err), SL_OK);
    assert_int_equal(sl_avro_encode(c.plan, sl_bytes(SL_BYTES, "\x01\x00", 2), &c.out, &err), SL_OK);
    assert_int_equal(c.out.len, 8);
    assert_memory_equal(c.out.data, "\xFF\xFF\xFF\xFF\x00\x00\x01\x00", 8);
    assert_int_equal(sl_avro_encode(c.plan, sl_bytes(SL_BYTES, "12345", 5), &c.out, &err), SL_E_DATA);
    assert_int_equal(c.out.len, 8);
    close_codec(&c);
}

#define ENVELOPE                                                                                             \
    "{\"type\":\"record\",\"name\":\"Envelope\",\"fields\":["                                                \
    "{\"name\":\"before\",\"type\":[\"null\",{\"type\":\"record\",\"name\":\"Value\",\"fields\":["           \
    "{\"name\":\"id\",\"type\":\"int\"},{\"name\":\"name\",\"type\":[\"null\",\"string\"],\"default\":null}" \
    ","                                                                                                      \
    "{\"name\":\"price\",\"type\":[\"null\"," DECIMAL "],\"default\":null},"                                 \
    "{\"name\":\"at\",\"type\":\"long\"}]}],\"default\":null},"                                              \
    "{\"name\":\"after\",\"type\":[\"null\",\"Value\"],\"default\":null},"                                   \
    "{\"name\":\"snapshot\",\"type\":[\"string\",\"null\"],\"default\":\"false\"},"                          \
    "{\"name\":\"op\",\"type\":\"string\"},{\"name\":\"ts_ms\",\"type\":[\"null\",\"long\"],\"default\":"    \
    "null},"                                                                                                 \
    "{\"name\":\"tags\",\"type\":{\"type\":\"array\",\"items\":[\"null\",\"string\"]}},"                     \
    "{\"name\":\"entries\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":"            \
    "\"MapEntry\","                                                                                          \
    "\"namespace\":\"io.confluent.connect.avro\",\"fields\":[{\"name\":\"key\",\"type\":\"int\"},"           \
    "{\"name\":\"value\",\"type\":[\"null\",\"double\"],\"default\":null}]}}}]}"

static void an_envelope_is_as_others_write_it(void **state)
{
    const struct sl_value row[] = {sl_int(SL_INT32, 42), sl_text("Ann"), sl_bytes(SL_BYTES, "\x30\x39", 2),
                                   sl_int(SL_INT64, 1700000000123456)};
    const struct sl_value old_row[] = {row[0], sl_null(), sl_null(), row[3]};
    const struct sl_value tags[] = {sl_text("x"), sl_null()};
    const struct sl_value pairs[] = {sl_int(SL_INT32, 1), sl_float(SL_FLOAT64, 0.5), sl_int(SL_INT32, -1),
                                     sl_null()};
    const struct sl_value created[] = {sl_null(),
                                       sl_items(SL_STRUCT, row, 4),
                                       sl_text("false"),
                                       sl_text("c"),
                                       sl_int(SL_INT64, 1700000000500),
                                       sl_items(SL_ARRAY, tags, 2),
                                       sl_items(SL_MAP, pairs, 2)};
    const struct sl_value deleted[] = {sl_items(SL_STRUCT, old_row, 4),
                                       sl_null(),
                                       sl_null(),
                                       sl_text("d"),
                                       sl_null(),
                                       sl_items(SL_ARRAY, tags, 0),
                                       sl_items(SL_MAP, pairs, 0)};

    (void)state;
    check(ENVELOPE, sl_items(SL_STRUCT, created, 7),
          "0002540206416e6e020430398089818283898506000a66616c7365026302e8a7abfef96204020278000004020200000000"
          "0000e03f"
          "010000");
    check(ENVELOPE, sl_items(SL_STRUCT, deleted, 7), "02540000808981828389850600020264000000");
}

static void blocks_with_sizes_and_several_blocks_are_read(void **state)
{
    struct codec c;
    struct sl_value v;

    (void)state;
    open_codec(&c, "{\"type\":\"array\",\"items\":\"int\"}");
    /* two items, then a block of one that says its size in bytes */
    assert_int_equal(decode_hex(&c, "04020401020600", &v), SL_OK);
    assert_int_equal(v.len, 3);
    assert_int_equal(v.items[2].i, 3);
    close_codec(&c);
}

static void bytes_that_lie_are_refused(void **state)
{
    (void)state;
    refuse("\"int\"", "");
    refuse("\"int\"", "80");
    refuse("\"int\"", "feffffffffffffffff01");        /* a long */
    refuse("\"long\"", "80808080808080808080808001"); /* too many bytes */
    refuse("\"long\"", "ffffffffffffffffff02");       /* more than 64 bits */
    refuse("\"boolean\"", "02");
    refuse("\"float\"", "000000");
    refuse("\"string\"", "0661"); /* longer than what is left */
    refuse("\"string\"", "01");   /* of negative length */
    refuse("\"bytes\"", "feffffffffffffffff01");
    refuse("{\"type\":\"fixed\",\"name\":\"F\",\"size\":3}", "6162");
    refuse("{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"]}", "02");
    refuse("[\"null\",\"int\"]", "04");
    refuse("[\"null\",\"int\",\"string\"]", "06");
    refuse("{\"type\":\"array\",\"items\":\"long\"}", "feffffffffffffffff01"); /* more items than bytes */
    refuse("{\"type\":\"array\",\"items\":\"long\"}", "ffffffffffffffffff01"); /* the smallest count */
    refuse("{\"type\":\"map\",\"values\":\"int\"}", "0202");
    refuse("{\"type\":\"int\",\"connect.type\":\"int8\"}", "8002"); /* 128 */
}

/* Items that take no bytes: their count is bounded all the same. */
static void empty_items_do_not_fill_the_memory(void **state)
{
    (void)state;
    refuse("{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"R\",\"fields\":[]}}",
           "feffffff0f00");
    refuse("{\"type\":\"array\",\"items\":{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"R\","
           "\"fields\":[]}}}",
           "0480890f0080890f0000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_as_others_write_them),
        cmocka_unit_test(bytes_and_collections_are_as_others_write_them),
        cmocka_unit_test(unions_are_as_others_write_them),
        cmocka_unit_test(decimals_are_as_others_write_them),
        cmocka_unit_test(a_short_decimal_is_widened_into_its_fixed),
        cmocka_unit_test(an_envelope_is_as_others_write_it),
        cmocka_unit_test(blocks_with_sizes_and_several_blocks_are_read),
        cmocka_unit_test(bytes_that_lie_are_refused),
        cmocka_unit_test(empty_items_do_not_fill_the_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
