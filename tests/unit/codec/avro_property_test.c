/* SPDX-License-Identifier: Apache-2.0 */
/* Over thousands of generated schemas and values: what goes in comes out; and no bytes break the decoder. */
#include "codec/avro_plan.h"
#include "data/value.h"
#include "generate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static const struct sl_avro_options options = {.connect_meta_data = true, .flatten_singleton_unions = true};

struct codec {
    struct sl_avro_doc *doc;
    struct sl_avro_plan *plan;
};

static struct codec make_codec(const struct sl_schema *schema)
{
    struct codec c = {0};
    struct sl_error err = {0};

    if (sl_avro_from_connect(schema, &options, &c.doc, &err) ||
        sl_avro_plan_new(schema, c.doc->root, false, &c.plan, &err))
        fail_msg("%s", err.text);
    return c;
}

static void drop_codec(struct codec *c)
{
    sl_avro_plan_free(c->plan);
    sl_avro_doc_free(c->doc);
}

static void schemas_survive_the_way_through_text(void **state)
{
    struct generator g = {.state = 1, .arena = sl_arena_new(4096)};

    (void)state;
    for (int i = 0; i < 1500; i++) {
        const struct sl_schema *schema = generate_schema(&g, 3);
        const struct sl_schema *back = NULL;
        struct codec c = make_codec(schema);
        struct sl_avro_doc *parsed;
        struct sl_buf first = {0};
        struct sl_buf second = {0};
        struct sl_error err = {0};

        sl_avro_print(c.doc->root, &first);
        if (sl_avro_parse((const char *)first.data, first.len, &parsed, &err) ||
            sl_avro_to_connect(parsed->root, &options, 0, &back, &err))
            fail_msg("%s in %s", err.text, sl_buf_cstr(&first));
        sl_avro_print(parsed->root, &second);
        assert_string_equal(sl_buf_cstr(&first), sl_buf_cstr(&second));
        if (back != schema)
            fail_msg("another schema came back from %s", sl_buf_cstr(&first));
        sl_avro_doc_free(parsed);
        sl_buf_done(&first);
        sl_buf_done(&second);
        drop_codec(&c);
        sl_arena_reset(g.arena);
    }
    sl_arena_free(g.arena);
}

static void values_survive_encode_and_decode(void **state)
{
    struct generator g = {.state = 2, .arena = sl_arena_new(4096)};
    struct sl_buf out = {0};

    (void)state;
    for (int i = 0; i < 800; i++) {
        const struct sl_schema *schema = generate_schema(&g, 3);
        struct codec c = make_codec(schema);

        for (int j = 0; j < 8; j++) {
            struct sl_value value = generate_value(&g, schema);
            struct sl_value back = {0};
            struct sl_error err = {0};
            size_t used = 0;

            sl_buf_reset(&out);
            assert_int_equal(sl_value_check(schema, value, &err), SL_OK);
            if (sl_avro_encode(c.plan, value, &out, &err) ||
                sl_avro_decode(c.plan, (struct sl_span){out.data, out.len}, g.arena, &back, &used, &err))
                fail_msg("%s", err.text);
            assert_int_equal(used, out.len);
            assert_true(sl_value_equal(value, back));
        }
        drop_codec(&c);
        sl_arena_reset(g.arena);
    }
    sl_buf_done(&out);
    sl_arena_free(g.arena);
}

/* Change, cut or lengthen the bytes in a heap block of just their size, so that ASan sees a step too far. */
static uint8_t *mutate(struct generator *g, const struct sl_buf *good, size_t *ret_len)
{
    size_t len = generate_below(g, 3) ? good->len : generate_below(g, (uint32_t)good->len + 1);
    uint8_t *bytes = sl_alloc(len);

    memcpy(bytes, good->data, len);
    for (uint32_t n = generate_below(g, 4); n && len; n--) {
        static const uint8_t nasty[] = {0x00, 0x01, 0x02, 0x7F, 0x80, 0xFF, 0xFE};
        size_t at = generate_below(g, (uint32_t)len);

        bytes[at] =
            generate_below(g, 2) ? nasty[generate_below(g, sizeof(nasty))] : (uint8_t)generate_number(g);
    }
    *ret_len = len;
    return bytes;
}

static void the_decoder_survives_any_bytes(void **state)
{
    struct generator g = {.state = 3, .arena = sl_arena_new(4096)};
    struct sl_arena *arena = sl_arena_new(4096);
    struct sl_buf out = {0};
    int refused = 0;

    (void)state;
    for (int i = 0; i < 300; i++) {
        const struct sl_schema *schema = generate_schema(&g, 3);
        struct codec c = make_codec(schema);
        struct sl_error err = {0};

        sl_buf_reset(&out);
        assert_int_equal(sl_avro_encode(c.plan, generate_value(&g, schema), &out, &err), SL_OK);
        for (int j = 0; j < 200; j++) {
            struct sl_value value;
            size_t len;
            uint8_t *bytes = mutate(&g, &out, &len);

            if (sl_avro_decode(c.plan, (struct sl_span){bytes, len}, arena, &value, NULL, &err))
                refused++;
            else /* whatever it is, it must be a sound value of the schema */
                assert_int_equal(sl_value_check(schema, value, &err), SL_OK);
            sl_free(bytes);
            sl_arena_reset(arena);
        }
        drop_codec(&c);
        sl_arena_reset(g.arena);
    }
    assert_true(refused > 1000);
    sl_buf_done(&out);
    sl_arena_free(arena);
    sl_arena_free(g.arena);
}

static void the_parser_survives_any_text(void **state)
{
    struct generator g = {.state = 4, .arena = sl_arena_new(4096)};
    struct sl_buf text = {0};

    (void)state;
    for (int i = 0; i < 200; i++) {
        struct codec c = make_codec(generate_schema(&g, 3));

        sl_buf_reset(&text);
        sl_avro_print(c.doc->root, &text);
        for (int j = 0; j < 100; j++) {
            const struct sl_schema *schema;
            struct sl_avro_doc *doc;
            struct sl_error err = {0};
            size_t len;
            uint8_t *bytes = mutate(&g, &text, &len);

            if (sl_avro_parse((const char *)bytes, len, &doc, &err) == SL_OK) {
                (void)!sl_avro_to_connect(doc->root, &options, 0, &schema, &err);
                sl_avro_doc_free(doc);
            }
            sl_free(bytes);
        }
        drop_codec(&c);
        sl_arena_reset(g.arena);
    }
    sl_buf_done(&text);
    sl_arena_free(g.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schemas_survive_the_way_through_text),
        cmocka_unit_test(values_survive_encode_and_decode),
        cmocka_unit_test(the_decoder_survives_any_bytes),
        cmocka_unit_test(the_parser_survives_any_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
