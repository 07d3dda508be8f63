/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/absent.h"

#include "base/props.h"
#include "codec/converters.h"
#include "codec/header_codec.h"
#include "data/schema_build.h"
#include "sluice/position.h"
#include "sluice/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static struct sl_arena *arena;

/* ---- a registry that knows one schema ---- */

static char *known_text;

static enum sl_rc one_register(struct sl_registry *registry, const char *subject, const char *text,
                               bool normalize, int32_t *ret_id, struct sl_error *err)
{
    (void)registry;
    (void)normalize;
    (void)subject;
    (void)err;
    sl_free(known_text);
    known_text = sl_strdup(text);
    *ret_id = 1;
    return SL_OK;
}

static enum sl_rc one_by_id(struct sl_registry *registry, int32_t id, const char *subject,
                            struct sl_registry_found *ret, struct sl_error *err)
{
    (void)registry;
    (void)subject;
    (void)err;
    *ret = (struct sl_registry_found){.id = id, .text = sl_strdup(known_text)};
    return SL_OK;
}

static const struct sl_registry_ops one_ops = {
    .name = "one", .register_schema = one_register, .schema_by_id = one_by_id};

/* ---- an event with rows of n columns, each with a default that must not show ---- */

static const struct sl_schema *row_schema(uint32_t n)
{
    struct sl_struct_builder b = {.name = "Row"};
    static char names[40][8]; /* borrowed until the end of the struct */

    for (uint32_t i = 0; i < n; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "c%u", i);
        sl_struct_add(&b, names[i],
                      sl_schema_with_default(sl_schema_plain(SL_INT32, true), sl_int(SL_INT32, 5)));
    }
    return sl_struct_end(&b, true);
}

static const struct sl_schema *event_schema(uint32_t n)
{
    struct sl_struct_builder b = {.name = "Envelope"};

    sl_struct_add(&b, "before", row_schema(n));
    sl_struct_add(&b, "after", row_schema(n));
    sl_struct_add(&b, "op", sl_schema_plain(SL_STRING, true));
    return sl_struct_end(&b, false);
}

static uint64_t next(uint64_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return *random;
}

static struct sl_value random_row(uint64_t *random, uint32_t n)
{
    struct sl_value *fields = sl_arena_alloc(arena, n * sizeof(*fields));

    for (uint32_t i = 0; i < n; i++) {
        uint64_t kind = next(random) % 3;

        fields[i] = kind == 0   ? (struct sl_value){.tag = SL_ABSENT}
                    : kind == 1 ? sl_null()
                                : sl_int(SL_INT32, (int64_t)i);
    }
    return sl_items(SL_STRUCT, fields, n);
}

static struct sl_value random_event(uint64_t *random, uint32_t n)
{
    struct sl_value *fields = sl_arena_alloc(arena, 3 * sizeof(*fields));

    fields[0] = next(random) % 2 ? sl_null() : random_row(random, n);
    fields[1] = random_row(random, n);
    fields[2] = next(random) % 2 ? sl_text("u") : (struct sl_value){.tag = SL_ABSENT};
    return sl_items(SL_STRUCT, fields, 3);
}

/* Encode, keep what is absent in a header, decode and restore. */
static struct sl_value through(const struct sl_converter *converter, const struct sl_schema *schema,
                               struct sl_value value, struct sl_buf *bytes, struct sl_buf *headers)
{
    const struct sl_topic *topic = sl_topic_intern("t", 1);
    const struct sl_schema *read_schema;
    struct sl_value read;
    struct sl_span header;
    struct sl_error err = {0};
    bool is_null;

    sl_buf_reset(bytes);
    sl_buf_reset(headers);
    if (converter->ops->encode(converter->self, topic, schema, value, bytes, &is_null, &err))
        fail_msg("%s", err.text);
    sl_absent_put(headers, value);
    if (converter->ops->decode(converter->self, topic, (struct sl_span){bytes->data, bytes->len}, arena,
                               &read_schema, &read, &err))
        fail_msg("%s", err.text);
    if (sl_headers_find((struct sl_span){headers->data, headers->len}, SL_HEADER_ABSENT, &header) &&
        sl_absent_restore(header, arena, &read, &err))
        fail_msg("%s", err.text);
    return read;
}

static void travels(const struct sl_converter_ops *ops, const char *key, const char *setting)
{
    struct sl_registry registry = {.ops = &one_ops};
    struct sl_converter converter = {.ops = ops};
    struct sl_props *props = sl_props_new();
    uint64_t random = 7;
    struct sl_buf bytes = {0};
    struct sl_buf headers = {0};
    struct sl_error err = {0};

    if (key)
        sl_props_set(props, key, setting);
    for (uint32_t n = 1; n < 40; n++) {
        const struct sl_schema *schema = event_schema(n);

        assert_int_equal(ops->open(props, "value.converter.", false, &registry, &converter.self, &err),
                         SL_OK);
        for (int i = 0; i < 20; i++) {
            struct sl_value event = random_event(&random, n);
            struct sl_value read = through(&converter, schema, event, &bytes, &headers);

            assert_true(sl_value_equal(event, read));
        }
        sl_arena_reset(arena);
        ops->close(converter.self);
    }
    sl_props_free(props);
    sl_buf_done(&bytes);
    sl_buf_done(&headers);
    sl_free(known_text);
    known_text = NULL;
}

static void absent_fields_come_back_from_every_converter(void **state)
{
    (void)state;
    travels(&sl_converter_avro, NULL, NULL);
    travels(&sl_converter_json, "value.converter.replace.null.with.default", "false");
}

static void a_value_that_says_everything_has_no_header(void **state)
{
    struct sl_value fields[2] = {sl_null(), sl_int(SL_INT32, 1)};
    struct sl_buf out = {0};

    (void)state;
    sl_absent_put(&out, sl_items(SL_STRUCT, fields, 2));
    sl_absent_put(&out, sl_null());
    sl_absent_put(&out, sl_text("text"));
    assert_int_equal(out.len, 0);
    sl_buf_done(&out);
}

static void the_bytes_are_those_that_the_header_file_promises(void **state)
{
    static const uint8_t expected[] = {1, 0xFF, 0xFF, 0, 2, 0x02, 0x01, 0, 0, 0, 1, 0x02};
    struct sl_value row[2] = {sl_null(), {.tag = SL_ABSENT}};
    struct sl_value fields[9] = {sl_items(SL_STRUCT, row, 2), {.tag = SL_ABSENT}};
    struct sl_buf out = {0};
    struct sl_span header;

    (void)state;
    for (int i = 2; i < 8; i++)
        fields[i] = sl_null();
    sl_absent_put(&out, sl_items(SL_STRUCT, fields, 9));
    assert_true(sl_headers_find((struct sl_span){out.data, out.len}, SL_HEADER_ABSENT, &header));
    assert_int_equal(header.len, sizeof(expected));
    assert_memory_equal(header.ptr, expected, sizeof(expected));
    sl_buf_done(&out);
}

static void a_header_that_does_not_fit_is_the_records_error(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } bad[] = {
        {"", 0},                                 /* no version */
        {"\x02\xFF\xFF\x00\x01\x01", 6},         /* another version */
        {"\x01\xFF", 2},                         /* cut */
        {"\x01\xFF\xFF\x00\x05\x01", 6},         /* shorter than it says */
        {"\x01\xFF\xFF\x00\x02\x01\x00", 7},     /* more bits than fields */
        {"\x01\x00\x09\x00\x01\x01", 6},         /* no such field */
        {"\x01\x00\x00\x00\x01\x01", 6},         /* a field that is no struct */
        {"\x01\xFF\xFF\x00\x01\x01\xFF\xFF", 8}, /* something behind */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct sl_value fields[2] = {sl_null(), sl_null()};
        struct sl_value value = sl_items(SL_STRUCT, fields, 2);
        struct sl_error err = {0};

        assert_int_equal(sl_absent_restore((struct sl_span){(const uint8_t *)bad[i].bytes, bad[i].len}, arena,
                                           &value, &err),
                         SL_E_DATA);
        assert_non_null(strstr(err.text, SL_HEADER_ABSENT));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absent_fields_come_back_from_every_converter),
        cmocka_unit_test(a_value_that_says_everything_has_no_header),
        cmocka_unit_test(the_bytes_are_those_that_the_header_file_promises),
        cmocka_unit_test(a_header_that_does_not_fit_is_the_records_error),
    };
    int failed;

    arena = sl_arena_new(4096);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    sl_arena_free(arena);
    return failed;
}
