/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/framing.h"
#include "codec/header_codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct sl_span text_span(const char *text)
{
    return (struct sl_span){(const uint8_t *)text, strlen(text)};
}

static void null_and_empty_header_values_stay_apart(void **state)
{
    struct sl_buf out = {0};
    struct sl_span rest;
    struct sl_raw_header header;

    (void)state;
    sl_headers_put(&out, "a", text_span("xy"));
    sl_headers_put(&out, "", (struct sl_span){0});
    sl_headers_put(&out, "e", text_span(""));
    assert_int_equal(out.len, 5 + 2 + 3);
    assert_memory_equal(out.data,
                        "\x01"
                        "a\x03xy"
                        "\x00\x00"
                        "\x01"
                        "e\x01",
                        10);
    rest = (struct sl_span){out.data, out.len};
    assert_int_equal(sl_headers_next(&rest, &header), 1);
    assert_memory_equal(header.name.ptr, "a", 1);
    assert_int_equal(header.value.len, 2);
    assert_int_equal(sl_headers_next(&rest, &header), 1);
    assert_int_equal(header.name.len, 0);
    assert_null(header.value.ptr);
    assert_int_equal(sl_headers_next(&rest, &header), 1);
    assert_non_null(header.value.ptr);
    assert_int_equal(header.value.len, 0);
    assert_int_equal(sl_headers_next(&rest, &header), 0);
    sl_buf_done(&out);
}

static void the_last_header_of_a_name_counts(void **state)
{
    struct sl_buf out = {0};
    struct sl_span value;

    (void)state;
    sl_headers_put(&out, "a", text_span("1"));
    sl_headers_put(&out, "ab", text_span("2"));
    sl_headers_put(&out, "a", text_span("3"));
    assert_true(sl_headers_find((struct sl_span){out.data, out.len}, "a", &value));
    assert_memory_equal(value.ptr, "3", 1);
    assert_false(sl_headers_find((struct sl_span){out.data, out.len}, "b", &value));
    assert_false(sl_headers_find((struct sl_span){0}, "a", &value));
    sl_buf_done(&out);
}

static void cut_headers_are_refused(void **state)
{
    struct sl_buf out = {0};
    struct sl_raw_header header;

    (void)state;
    sl_headers_put(&out, "name", text_span("value"));
    for (size_t len = 1; len < out.len; len++) {
        uint8_t *cut = sl_alloc(len); /* of exactly that size, so that ASan sees a step too far */
        struct sl_span rest = {cut, len};

        memcpy(cut, out.data, len);
        assert_int_equal(sl_headers_next(&rest, &header), -1);
        sl_free(cut);
    }
    sl_buf_done(&out);
}

static void a_frame_is_a_zero_and_a_big_endian_id(void **state)
{
    struct sl_buf out = {0};
    struct sl_span payload;
    int32_t id = 0;

    (void)state;
    sl_frame_put(&out, 0x01020304);
    sl_buf_u8(&out, 9);
    assert_memory_equal(out.data, "\x00\x01\x02\x03\x04\x09", 6);
    assert_true(sl_frame_read((struct sl_span){out.data, out.len}, &id, &payload));
    assert_int_equal(id, 0x01020304);
    assert_int_equal(payload.len, 1);
    assert_false(sl_frame_read((struct sl_span){out.data, 4}, &id, &payload));
    out.data[0] = 1;
    assert_false(sl_frame_read((struct sl_span){out.data, out.len}, &id, &payload));
    sl_buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(null_and_empty_header_values_stay_apart),
        cmocka_unit_test(the_last_header_of_a_name_counts),
        cmocka_unit_test(cut_headers_are_refused),
        cmocka_unit_test(a_frame_is_a_zero_and_a_big_endian_id),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
