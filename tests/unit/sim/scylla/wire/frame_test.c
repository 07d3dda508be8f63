/* SPDX-License-Identifier: Apache-2.0 */
/* Frames and bodies as bytes, without sockets: what is whole, what is broken, what comes out. */
#include "fake_server.h"
#include "sim/scylla/storage/arena.h"
#include "sim/scylla/wire/request.h"
#include "sim/scylla/wire/result.h"
#include "sim/scylla/wire/stats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static void test_a_frame_is_partial_until_its_last_byte(void **state)
{
    (void)state;
    const uint8_t bytes[] = {0x04, 0x00, 0x00, 0x05, 0x07, 0, 0, 0, 3, 'a', 'b', 'c', 0x04};
    struct sy_frame frame;
    size_t size = 0;
    for (size_t len = 0; len < 12; len++)
        assert_int_equal(sy_frame_peek(bytes, len, &frame, &size), SY_FRAME_PARTIAL);
    assert_int_equal(sy_frame_peek(bytes, sizeof(bytes), &frame, &size), SY_FRAME_WHOLE);
    assert_int_equal(size, 12);
    assert_int_equal(frame.stream, 5);
    assert_int_equal(frame.opcode, SY_OP_QUERY);
    assert_int_equal(frame.body_len, 3);
}

static void test_a_frame_that_is_no_request_or_too_long_is_broken(void **state)
{
    (void)state;
    const uint8_t response[] = {0x84, 0, 0, 0, 7, 0, 0, 0, 0};
    const uint8_t huge[] = {0x04, 0, 0, 0, 7, 0x10, 0, 0, 1};
    const uint8_t newer[] = {0x42, 0, 0, 9, 1, 0, 0, 0, 0};
    struct sy_frame frame;
    size_t size;
    assert_int_equal(sy_frame_peek(response, sizeof(response), &frame, &size), SY_FRAME_BROKEN);
    assert_int_equal(sy_frame_peek(huge, sizeof(huge), &frame, &size), SY_FRAME_BROKEN);
    assert_int_equal(sy_frame_peek(newer, sizeof(newer), &frame, &size), SY_FRAME_VERSION);
    assert_int_equal(frame.version, 66);
    assert_int_equal(frame.stream, 9);
}

static void test_a_body_survives_lz4_and_a_lying_one_is_refused(void **state)
{
    (void)state;
    struct sy_out out = {0};
    struct sy_out plain = {0};
    size_t at = sy_frame_begin(&out, 4, 0, 1, SY_OP_RESULT);
    for (int i = 0; i < 1000; i++)
        sy_out_string(&out, "the same again");
    sy_frame_end(&out, at, true);
    assert_true(out.data[1] & SY_FLAG_COMPRESSED);
    assert_true(out.len < 2000);
    uint8_t *body = out.data + SY_HEADER_BYTES;
    size_t len = out.len - SY_HEADER_BYTES;
    assert_null(sy_frame_decompress(body, len, &plain));
    assert_int_equal(plain.len, 16000);
    assert_memory_equal(plain.data + 2, "the same again", 14);
    body[3] ^= 1; /* another length than the block has */
    assert_non_null(sy_frame_decompress(body, len, &plain));
    body[0] = 0x0F; /* 250 MiB out of a few bytes */
    assert_non_null(sy_frame_decompress(body, len, &plain));
    assert_non_null(sy_frame_decompress(body, 3, &plain));
    assert_true(plain.cap < 1U << 20);
    sy_out_done(&out);
    sy_out_done(&plain);
}

static void test_a_query_brings_all_its_parameters(void **state)
{
    (void)state;
    struct sy_out body = {0};
    sy_out_u32(&body, 4);
    sy_out_bytes(&body, "ECHO", 4);
    sy_out_u16(&body, 6);
    sy_out_u8(&body, 0x7F);
    sy_out_u16(&body, 2);
    sy_out_string(&body, "first");
    sy_out_value(&body, (struct sy_value){.len = 3, .bytes = (const uint8_t *)"abc"});
    sy_out_string(&body, "second");
    sy_out_i32(&body, SY_UNSET);
    sy_out_i32(&body, 100);
    sy_out_value(&body, (struct sy_value){.len = 2, .bytes = (const uint8_t *)"ps"});
    sy_out_u16(&body, 8);
    sy_out_u64(&body, 1700000000000000);
    struct sy_arena arena = {0};
    struct sy_request request;
    assert_null(sy_request_read(4, SY_OP_QUERY, body.data, body.len, &arena, &request));
    const struct sy_parameters *p = &request.parameters;
    assert_int_equal(request.cql_len, 4);
    assert_int_equal(p->consistency, 6);
    assert_true(p->skip_metadata);
    assert_int_equal(p->n_values, 2);
    assert_string_equal(p->names[1], "second");
    assert_int_equal(p->values[0].len, 3);
    assert_int_equal(p->values[1].len, SY_UNSET);
    assert_int_equal(p->page_size, 100);
    assert_int_equal(p->paging_state.len, 2);
    assert_int_equal(p->serial_consistency, 8);
    assert_true(p->has_timestamp);
    assert_int_equal(p->timestamp_us, 1700000000000000);
    for (size_t len = 0; len < body.len; len++)
        assert_non_null(sy_request_read(4, SY_OP_QUERY, body.data, len, &arena, &request));
    sy_arena_free(&arena);
    sy_out_done(&body);
}

static void put_batch(struct sy_out *body, uint16_t n)
{
    static const uint8_t id[16] = {1, 2, 3};
    sy_out_u8(body, SY_BATCH_UNLOGGED);
    sy_out_u16(body, n);
    sy_out_u8(body, 0);
    sy_out_u32(body, 3);
    sy_out_bytes(body, "ONE", 3);
    sy_out_u16(body, 0);
    sy_out_u8(body, 1);
    sy_out_u16(body, 16);
    sy_out_bytes(body, id, 16);
    sy_out_u16(body, 1);
    sy_out_i32(body, SY_NULL);
    sy_out_u16(body, 1);
    sy_out_u8(body, 0x20);
    sy_out_u64(body, 77);
}

static void test_a_batch_brings_texts_and_ids_and_is_refused_at_any_shorter_length(void **state)
{
    (void)state;
    struct sy_out body = {0};
    put_batch(&body, 2);
    struct sy_arena arena = {0};
    struct sy_request request;
    assert_null(sy_request_read(4, SY_OP_BATCH, body.data, body.len, &arena, &request));
    assert_int_equal(request.n_items, 2);
    assert_int_equal(request.items[0].cql_len, 3);
    assert_null(request.items[1].cql);
    assert_int_equal(request.items[1].id[2], 3);
    assert_int_equal(request.items[1].values[0].len, SY_NULL);
    assert_int_equal(request.parameters.timestamp_us, 77);
    for (size_t len = 0; len < body.len; len++) {
        uint8_t *exact = malloc(len + 1); /* the sanitizer watches its end */
        memcpy(exact, body.data, len);
        assert_non_null(sy_request_read(4, SY_OP_BATCH, exact, len, &arena, &request));
        free(exact);
    }
    body.data[2] = 200; /* more items than there are bytes */
    assert_non_null(sy_request_read(4, SY_OP_BATCH, body.data, body.len, &arena, &request));
    sy_arena_free(&arena);
    sy_out_done(&body);
}

static void test_random_bodies_never_crash_the_reader(void **state)
{
    (void)state;
    uint32_t random = 12345;
    struct sy_arena arena = {0};
    for (int i = 0; i < 20000; i++) {
        uint8_t bytes[64];
        size_t len = random % sizeof(bytes);
        for (size_t j = 0; j < sizeof(bytes); j++) {
            random = random * 1664525U + 1013904223U;
            bytes[j] = (random >> 24) % 3 == 0 ? (uint8_t)(random >> 16) : (uint8_t)((random >> 16) % 3);
        }
        struct sy_request request;
        (void)sy_request_read((uint8_t)(3 + i % 2), (uint8_t)(i % 20), bytes, len, &arena, &request);
        sy_arena_reset(&arena);
    }
    sy_arena_free(&arena);
}

static void test_rows_carry_one_table_for_all_columns_or_each_its_own(void **state)
{
    (void)state;
    static const struct sy_type int_type = {.id = SY_INT};
    const struct sy_column same[] = {{"ks", "t", "a", &int_type}, {"ks", "t", "b", &int_type}};
    const struct sy_column differ[] = {{"ks", "t", "a", &int_type}, {"ks", "u", "b", &int_type}};
    const struct sy_value cells[] = {{.len = SY_NULL}, {.len = 0}};
    struct sy_result result = {.kind = SY_ROWS,
                               .columns = same,
                               .n_columns = 2,
                               .cells = cells,
                               .n_rows = 1,
                               .paging_state = {.len = SY_NULL}};
    struct sy_result_style style = {.version = 4};
    struct sy_out out = {0};
    sy_result_put(&out, &result, &style);
    const uint8_t expected[] = {0,   0,   0, 2, 0,   0,    0,    1,    0,    0, 0, 2, 0,   2,
                                'k', 's', 0, 1, 't', 0,    1,    'a',  0,    9, 0, 1, 'b', 0,
                                9,   0,   0, 0, 1,   0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0};
    assert_int_equal(out.len, sizeof(expected));
    assert_memory_equal(out.data, expected, sizeof(expected));
    out.len = 0;
    result.columns = differ;
    sy_result_put(&out, &result, &style);
    assert_int_equal(out.data[7], 0);
    out.len = 0;
    style.skip_metadata = true;
    sy_result_put(&out, &result, &style);
    assert_int_equal(out.data[7], 4);
    assert_int_equal(out.len, 4 + 8 + 4 + 8);
    sy_out_done(&out);
}

static void expect_kind(const char *cql, const char *expected)
{
    char name[SY_STATS_NAME];
    sy_stats_name(cql, strlen(cql), name);
    assert_string_equal(name, expected);
}

static void test_statements_are_counted_by_verb_and_table(void **state)
{
    (void)state;
    expect_kind("SELECT * FROM \"vn\".\"t_scylla_cdc_log\" WHERE x = 'from y'", "select vn.t_scylla_cdc_log");
    expect_kind("SELECT 'a from b' FROM ks.t", "select ks.t");
    expect_kind("  insert INTO ks.t (a) VALUES (1)", "insert ks.t");
    expect_kind("UPDATE ks.t USING TTL 3 SET a = 1", "update ks.t");
    expect_kind("DELETE a FROM ks.t WHERE k = 1", "delete ks.t");
    expect_kind("BEGIN UNLOGGED BATCH INSERT", "begin");
    expect_kind("CREATE TABLE ks.t (a int PRIMARY KEY)", "create table");
    expect_kind("", "nothing");
    expect_kind("SELECT 'never closed", "select");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_frame_is_partial_until_its_last_byte),
        cmocka_unit_test(test_a_frame_that_is_no_request_or_too_long_is_broken),
        cmocka_unit_test(test_a_body_survives_lz4_and_a_lying_one_is_refused),
        cmocka_unit_test(test_a_query_brings_all_its_parameters),
        cmocka_unit_test(test_a_batch_brings_texts_and_ids_and_is_refused_at_any_shorter_length),
        cmocka_unit_test(test_random_bodies_never_crash_the_reader),
        cmocka_unit_test(test_rows_carry_one_table_for_all_columns_or_each_its_own),
        cmocka_unit_test(test_statements_are_counted_by_verb_and_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
