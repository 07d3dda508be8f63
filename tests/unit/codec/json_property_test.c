/* SPDX-License-Identifier: Apache-2.0 */
/* Over generated schemas and values: JSON brings back what went in, and no text breaks the reader. */
#include "codec/json_schema.h"
#include "data/value.h"
#include "generate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static const struct sl_json_style style = {0};

static struct sl_span whole(const struct sl_buf *buf)
{
    return (struct sl_span){buf->data, buf->len};
}

static void schemas_and_values_survive_json(void **state)
{
    struct generator g = {.state = 11, .arena = sl_arena_new(4096)};
    struct sl_buf text = {0};

    (void)state;
    for (int i = 0; i < 800; i++) {
        const struct sl_schema *schema = generate_schema(&g, 3);
        const struct sl_schema *back;
        struct sl_error err = {0};

        sl_buf_reset(&text);
        sl_json_schema_put(&text, schema, &style);
        if (sl_json_schema_read(whole(&text), &back, &err))
            fail_msg("%s in %s", err.text, sl_buf_cstr(&text));
        assert_ptr_equal(schema, back);
        for (int j = 0; j < 4; j++) {
            struct sl_value value = generate_value(&g, schema);
            struct sl_value again;

            sl_buf_reset(&text);
            sl_value_json(&text, schema, value, &style);
            if (sl_value_json_read(whole(&text), schema, g.arena, &again, &err))
                fail_msg("%s in %s", err.text, sl_buf_cstr(&text));
            if (!sl_value_equal(value, again))
                fail_msg("another value came back from %s", sl_buf_cstr(&text));
        }
        sl_arena_reset(g.arena);
    }
    sl_buf_done(&text);
    sl_arena_free(g.arena);
}

static void mutate(struct generator *g, uint8_t *bytes, size_t len)
{
    static const char nasty[] = "{}[]\",:\\u0-eE.\x00\xFF";

    for (uint32_t n = 1 + generate_below(g, 3); n; n--)
        bytes[generate_below(g, (uint32_t)len)] = (uint8_t)nasty[generate_below(g, sizeof(nasty))];
}

static void read_all(struct sl_span text, const struct sl_schema *schema, struct sl_arena *arena)
{
    struct sl_json_cursor cursor = {.rest = text};
    struct sl_value value;
    struct sl_span name;
    struct sl_span member;
    struct sl_error err = {0};

    if (sl_value_json_read(text, schema, arena, &value, &err) == SL_OK)
        assert_int_equal(sl_value_check(schema, value, &err), SL_OK);
    (void)!sl_value_json_read(text, NULL, arena, &value, &err);
    while (sl_json_next_member(&cursor, &name, &member) > 0)
        assert_true(member.ptr >= text.ptr && member.ptr + member.len <= text.ptr + text.len);
}

static void the_reader_survives_any_text(void **state)
{
    struct generator g = {.state = 12, .arena = sl_arena_new(4096)};
    struct sl_arena *arena = sl_arena_new(4096);
    struct sl_buf text = {0};

    (void)state;
    for (int i = 0; i < 300; i++) {
        const struct sl_schema *schema = generate_schema(&g, 3);

        sl_buf_reset(&text);
        sl_value_json(&text, schema, generate_value(&g, schema), &style);
        for (int j = 0; j < 100; j++) {
            size_t len = generate_below(&g, 2) ? text.len : 1 + generate_below(&g, (uint32_t)text.len);
            uint8_t *bytes = sl_alloc(len); /* of just that size, so that ASan sees a step too far */

            memcpy(bytes, text.data, len);
            mutate(&g, bytes, len);
            read_all((struct sl_span){bytes, len}, schema, arena);
            sl_free(bytes);
            sl_arena_reset(arena);
        }
        sl_arena_reset(g.arena);
    }
    sl_buf_done(&text);
    sl_arena_free(arena);
    sl_arena_free(g.arena);
}

static void nesting_is_bounded(void **state)
{
    struct sl_arena *arena = sl_arena_new(4096);
    struct sl_buf text = {0};
    struct sl_value value;
    struct sl_error err;

    (void)state;
    for (int i = 0; i < 100000; i++)
        sl_buf_u8(&text, '[');
    assert_int_equal(sl_value_json_read(whole(&text), NULL, arena, &value, &err), SL_E_DATA);
    assert_non_null(strstr(err.text, "too deep"));
    sl_buf_done(&text);
    sl_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schemas_and_values_survive_json),
        cmocka_unit_test(the_reader_survives_any_text),
        cmocka_unit_test(nesting_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
