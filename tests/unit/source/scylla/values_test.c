/* SPDX-License-Identifier: Apache-2.0 */
#include "source/scylla/values.h"

#include "codec/value_json.h"
#include "source/scylla/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct sl_arena *arena;

static int open_arena(void **state)
{
    (void)state;
    arena = sl_arena_new(4096);
    return 0;
}

static int close_arena(void **state)
{
    (void)state;
    sl_arena_free(arena);
    return 0;
}

static const struct sl_cql_type *find_udt(void *ctx, const char *keyspace, const char *name)
{
    static const struct sl_cql_type text = {.kind = SL_CQL_VARCHAR}, number = {.kind = SL_CQL_INT};
    static const struct sl_cql_type *const args[] = {&text, &number};
    static const char *const names[] = {"street", "no"};
    static const struct sl_cql_type address = {.kind = SL_CQL_UDT,
                                               .keyspace = "ks",
                                               .name = "home-address",
                                               .n_args = 2,
                                               .args = args,
                                               .field_names = names};

    (void)ctx;
    (void)keyspace;
    return strcmp(name, "address") == 0 ? &address : NULL;
}

static const struct sl_scylla_decoder *decoder_of(const char *type_text)
{
    const struct sl_cql_type *type;
    struct sl_error err = {0};

    if (sl_cql_type_parse(type_text, "ks", find_udt, NULL, arena, &type, &err) != SL_OK)
        fail_msg("%s", err.text);
    return sl_scylla_decoder_make(type, false, "p.ks.t", arena);
}

static void expect(const char *type, const void *bytes, size_t len, const char *json)
{
    const struct sl_scylla_decoder *decoder = decoder_of(type);
    const struct sl_json_style style = {0};
    struct sl_value value;
    struct sl_buf out = {0};

    assert_non_null(decoder);
    assert_true(decoder->schema->optional);
    assert_true(sl_scylla_decode(decoder, (struct sl_cql_cell){bytes, (int32_t)len}, arena, &value));
    sl_value_json(&out, decoder->schema, value, &style);
    if (strcmp(sl_buf_cstr(&out), json) != 0)
        fail_msg("%s: %s, not %s", type, sl_buf_cstr(&out), json);
    sl_buf_done(&out);
}

#define EXPECT(type, bytes, json) expect((type), (bytes), sizeof(bytes) - 1, (json))

static void scalars_take_their_connect_form(void **state)
{
    (void)state;
    EXPECT("text", "h\xc3\xa9", "\"h\xc3\xa9\"");
    EXPECT("ascii", "", "\"\"");
    EXPECT("int", "\xff\xff\xff\xfe", "-2");
    EXPECT("bigint", "\0\0\0\0\0\0\1\0", "256");
    EXPECT("smallint", "\x80\0", "-32768");
    EXPECT("tinyint", "\xff", "-1");
    EXPECT("boolean", "\1", "true");
    EXPECT("double", "\x3f\xf8\0\0\0\0\0\0", "1.5");
    EXPECT("float", "\x3f\xc0\0\0", "1.5");
    EXPECT("blob", "\1\2\3", "\"AQID\"");
    EXPECT("timestamp", "\0\0\x01\x8c\xc2\x51\xf4\0", "1704067200000");
    EXPECT("date", "\x80\0\0\1", "1");
    EXPECT("time", "\0\0\0\0\0\0\0\7", "7");
}

static void text_forms_are_javas(void **state)
{
    (void)state;
    EXPECT("uuid", "\x12\x34\x56\x78\x9a\xbc\xde\xf0\x12\x34\x56\x78\x9a\xbc\xde\xf0",
           "\"12345678-9abc-def0-1234-56789abcdef0\"");
    EXPECT("inet", "\x7f\0\0\1", "\"127.0.0.1\"");
    EXPECT("decimal", "\0\0\0\2\x04\xd2", "\"12.34\"");
    EXPECT("varint", "\xff", "\"-1\"");
}

static void an_empty_number_is_null(void **state)
{
    (void)state;
    EXPECT("int", "", "null");
    EXPECT("uuid", "", "null");
    EXPECT("decimal", "", "null");
}

static void collections_nest(void **state)
{
    (void)state;
    EXPECT("list<int>", "\0\0\0\2\0\0\0\4\0\0\0\1\0\0\0\4\0\0\0\2", "[1,2]");
    EXPECT("frozen<set<text>>", "\0\0\0\0", "[]");
    EXPECT("map<text, int>", "\0\0\0\1\0\0\0\1k\0\0\0\4\0\0\0\5", "[{\"key\":\"k\",\"value\":5}]");
    EXPECT("frozen<tuple<int, text>>", "\0\0\0\4\0\0\0\1\xff\xff\xff\xff",
           "{\"field_0\":1,\"field_1\":null}");
    EXPECT("frozen<address>", "\0\0\0\1s\0\0\0\4\0\0\0\7", "{\"street\":\"s\",\"no\":7}");
}

static void a_udt_of_nulls_is_null(void **state)
{
    (void)state;
    EXPECT("frozen<address>", "\xff\xff\xff\xff\xff\xff\xff\xff", "null");
    EXPECT("frozen<address>", "", "null");
}

static void nested_schemas_have_the_connectors_names(void **state)
{
    const struct sl_schema *map = decoder_of("map<text, frozen<list<int>>>")->schema;

    (void)state;
    assert_int_equal(map->type, SL_ARRAY);
    assert_string_equal(map->element->name, "p.ks.t.MapEntry_VARCHAR_List_INT");
    assert_false(map->element->optional);
    assert_string_equal(decoder_of("frozen<tuple<int, text>>")->schema->name, "p.ks.t.Tuple_INT_VARCHAR");
    assert_string_equal(decoder_of("frozen<address>")->schema->name, "p.ks.t.UDT_home_address");
}

static void bytes_that_are_no_value_are_refused(void **state)
{
    struct sl_value value;

    (void)state;
    assert_false(
        sl_scylla_decode(decoder_of("int"), (struct sl_cql_cell){(const uint8_t *)"ab", 2}, arena, &value));
    assert_false(sl_scylla_decode(decoder_of("list<int>"), (struct sl_cql_cell){(const uint8_t *)"ab", 2},
                                  arena, &value));
    assert_false(sl_scylla_decode(decoder_of("list<int>"),
                                  (struct sl_cql_cell){(const uint8_t *)"\x7f\xff\xff\xff", 4}, arena,
                                  &value));
}

static void header_texts_are_javas(void **state)
{
    const uint8_t big[] = {0, 0, 0, 0, 0, 0, 1, 0}, half[] = {0x3f, 0xe0, 0, 0, 0, 0, 0, 0};

    (void)state;
    assert_string_equal(sl_scylla_header_text(decoder_of("bigint"), (struct sl_cql_cell){big, 8}, arena),
                        "256");
    assert_string_equal(sl_scylla_header_text(decoder_of("double"), (struct sl_cql_cell){half, 8}, arena),
                        "0.5");
    assert_string_equal(sl_scylla_header_text(decoder_of("timestamp"), (struct sl_cql_cell){big, 8}, arena),
                        "Thu Jan 01 00:00:00 UTC 1970");
    assert_null(sl_scylla_header_text(decoder_of("int"), (struct sl_cql_cell){NULL, -1}, arena));
}

static void the_cdc_option_is_read_from_its_blob(void **state)
{
    static const uint8_t blob[] =
        "\4\0\0\0\7\0\0\0enabled\4\0\0\0true\10\0\0\0preimage\4\0\0\0full\11\0\0\0postimage"
        "\5\0\0\0false\3\0\0\0ttl\4\0\0\0"
        "3600";
    struct sl_scylla_cdc cdc;

    (void)state;
    assert_true(sl_scylla_cdc_parse((struct sl_cql_cell){blob, sizeof(blob) - 1}, &cdc));
    assert_true(cdc.enabled);
    assert_true(cdc.preimage);
    assert_false(cdc.postimage);
    assert_int_equal(cdc.ttl_s, 3600);
    for (int32_t len = 0; len < (int32_t)sizeof(blob) - 1;
         len++) /* cut anywhere: refused, never read beyond */
        assert_false(sl_scylla_cdc_parse((struct sl_cql_cell){blob, len}, &cdc));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars_take_their_connect_form),
        cmocka_unit_test(text_forms_are_javas),
        cmocka_unit_test(an_empty_number_is_null),
        cmocka_unit_test(collections_nest),
        cmocka_unit_test(a_udt_of_nulls_is_null),
        cmocka_unit_test(nested_schemas_have_the_connectors_names),
        cmocka_unit_test(bytes_that_are_no_value_are_refused),
        cmocka_unit_test(header_texts_are_javas),
        cmocka_unit_test(the_cdc_option_is_read_from_its_blob),
    };

    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
