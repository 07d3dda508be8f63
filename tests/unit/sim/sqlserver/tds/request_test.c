/* SPDX-License-Identifier: Apache-2.0 */
/* Requests taken apart: procedure calls by name and number, several in a message, and transaction requests.
 */
#include "sim/sqlserver/tds/request.h"
#include "sim/sqlserver/tds/chars.h"
#include "sim/sqlserver/tds/tokens.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void put_param(struct ms_bytes *out, const char *name, uint8_t flags, struct ms_type type,
                      struct ms_value value)
{
    struct ms_encoder encoder = ms_encoder_make(&type, true);
    ms_chars_put_b_varchar(out, name);
    ms_bytes_put_u8(out, flags);
    ms_encoder_put_type(&encoder, out);
    assert_true(ms_encoder_put_value(&encoder, out, &value));
}

static struct ms_value text(const char *utf8)
{
    return (struct ms_value){.len = (uint32_t)strlen(utf8), .bytes = (const uint8_t *)utf8};
}

/* sp_executesql by number, then a procedure by name. */
static void make_two_calls(struct ms_bytes *out)
{
    const struct ms_type nvarchar = {.id = MS_NVARCHAR, .length = 4000}, integer = {.id = MS_INT};
    ms_bytes_put_le(out, 0xFFFF, 2);
    ms_bytes_put_le(out, 10, 2);
    ms_bytes_put_le(out, 0, 2);
    put_param(out, "", 0, nvarchar, text("select @p"));
    put_param(out, "", 0, nvarchar, text("@p int"));
    put_param(out, "@p", 1, integer, (struct ms_value){.i = 42});
    ms_bytes_put_u8(out, 0xFF);
    ms_chars_put_us_varchar(out, "sp_who");
    ms_bytes_put_le(out, 2, 2);
    put_param(out, "@d", 2, integer, (struct ms_value){.is_null = true});
}

static void calls_are_read_one_after_the_other(void **state)
{
    (void)state;
    struct ms_bytes bytes = {0};
    struct ms_scratch scratch = {0};
    struct ms_call call;
    make_two_calls(&bytes);
    struct ms_reader reader = {.at = bytes.data, .end = bytes.data + bytes.len};
    assert_int_equal(ms_request_next_call(&reader, &scratch, &call), MS_CALL_OK);
    assert_string_equal(call.procedure, "sp_executesql");
    assert_int_equal(call.n_params, 3);
    assert_int_equal(call.params[0].value.len, 9);
    assert_memory_equal(call.params[0].value.bytes, "select @p", 9);
    assert_string_equal(call.params[2].column.name, "@p");
    assert_true(call.params[2].output);
    assert_int_equal(call.params[2].column.type.id, MS_INT);
    assert_int_equal(call.params[2].value.i, 42);
    assert_int_equal(ms_request_next_call(&reader, &scratch, &call), MS_CALL_OK);
    assert_string_equal(call.procedure, "sp_who");
    assert_true(call.params[0].use_default);
    assert_true(call.params[0].value.is_null);
    assert_int_equal(ms_request_next_call(&reader, &scratch, &call), MS_CALL_END);
    ms_scratch_reset(&scratch);
    ms_bytes_done(&bytes);
}

static void drain(const uint8_t *data, size_t len)
{
    struct ms_scratch scratch = {0};
    struct ms_call call;
    uint8_t *exact = malloc(len + 1);
    assert_non_null(exact);
    memcpy(exact, data, len);
    struct ms_reader reader = {.at = exact, .end = exact + len};
    while (ms_request_next_call(&reader, &scratch, &call) == MS_CALL_OK)
        continue;
    free(exact);
    ms_scratch_reset(&scratch);
}

static void calls_cut_or_changed_anywhere_are_survived(void **state)
{
    (void)state;
    struct ms_bytes bytes = {0};
    make_two_calls(&bytes);
    for (size_t len = 0; len < bytes.len; len++)
        drain(bytes.data, len);
    for (size_t at = 0; at < bytes.len; at++) {
        uint8_t kept = bytes.data[at];
        for (unsigned value = 0; value < 256; value++) {
            bytes.data[at] = (uint8_t)value;
            drain(bytes.data, bytes.len);
        }
        bytes.data[at] = kept;
    }
    ms_bytes_done(&bytes);
}

static void a_table_valued_parameter_is_refused_by_name(void **state)
{
    (void)state;
    struct ms_bytes bytes = {0};
    struct ms_scratch scratch = {0};
    struct ms_call call;
    ms_chars_put_us_varchar(&bytes, "p");
    ms_bytes_put_le(&bytes, 0, 2);
    ms_chars_put_b_varchar(&bytes, "@rows");
    ms_bytes_put_u8(&bytes, 0);
    ms_bytes_put_u8(&bytes, MS_WIRE_TVP);
    struct ms_reader reader = {.at = bytes.data, .end = bytes.data + bytes.len};
    assert_int_equal(ms_request_next_call(&reader, &scratch, &call), MS_CALL_UNSUPPORTED);
    assert_non_null(strstr(call.problem, "@rows"));
    assert_non_null(strstr(call.problem, "table-valued"));
    ms_scratch_reset(&scratch);
    ms_bytes_done(&bytes);
}

static void an_unknown_procedure_number_is_named(void **state)
{
    (void)state;
    const uint8_t bytes[] = {0xFF, 0xFF, 99, 0, 0, 0};
    struct ms_scratch scratch = {0};
    struct ms_call call;
    struct ms_reader reader = {.at = bytes, .end = bytes + sizeof(bytes)};
    assert_int_equal(ms_request_next_call(&reader, &scratch, &call), MS_CALL_BROKEN);
    assert_non_null(strstr(call.problem, "99"));
    ms_scratch_reset(&scratch);
}

static void chunks_may_split_a_character_and_hide_their_total(void **state)
{
    (void)state;
    const uint8_t bytes[] = {MS_WIRE_NVARCHAR,
                             0xFF,
                             0xFF,
                             9,
                             4,
                             0xD0,
                             0,
                             0x34,
                             0xFE,
                             0xFF,
                             0xFF,
                             0xFF,
                             0xFF,
                             0xFF,
                             0xFF,
                             0xFF,
                             3,
                             0,
                             0,
                             0,
                             'a',
                             0,
                             'b',
                             1,
                             0,
                             0,
                             0,
                             0,
                             0,
                             0,
                             0,
                             0};
    struct ms_scratch scratch = {0};
    struct ms_decoder decoder;
    struct ms_value value;
    struct ms_reader reader = {.at = bytes, .end = bytes + sizeof(bytes)};
    assert_int_equal(ms_decoder_read_type(&reader, &decoder), MS_DECODE_OK);
    assert_true(ms_decoder_read_value(&decoder, &reader, &scratch, &value));
    assert_int_equal(value.len, 2);
    assert_memory_equal(value.bytes, "ab", 2);
    assert_int_equal(ms_reader_left(&reader), 0);
    ms_scratch_reset(&scratch);
}

static void headers_are_skipped_or_refused(void **state)
{
    (void)state;
    const uint8_t good[] = {22, 0, 0, 0, 18, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 'x'};
    struct ms_reader reader = {.at = good, .end = good + sizeof(good)};
    assert_true(ms_request_skip_headers(&reader));
    assert_int_equal(*reader.at, 'x');
    const uint8_t lies[][4] = {{0, 0, 0, 0}, {3, 0, 0, 0}, {5, 0, 0, 0}, {0xFF, 0xFF, 0xFF, 0xFF}};
    for (size_t i = 0; i < 4; i++) {
        reader = (struct ms_reader){.at = lies[i], .end = lies[i] + 4};
        assert_false(ms_request_skip_headers(&reader));
    }
}

static void transaction_requests_are_read(void **state)
{
    (void)state;
    struct ms_scratch scratch = {0};
    struct ms_tran_call tran;
    const uint8_t begin[] = {5, 0, 4, 4, 't', 0, 'x', 0};
    struct ms_reader reader = {.at = begin, .end = begin + sizeof(begin)};
    assert_true(ms_request_read_tran(&reader, &scratch, &tran));
    assert_int_equal(tran.request, MS_TRAN_BEGIN);
    assert_int_equal(tran.isolation, 4);
    assert_string_equal(tran.name, "tx");
    const uint8_t commit[] = {7, 0, 0, 1, 2, 0};
    reader = (struct ms_reader){.at = commit, .end = commit + sizeof(commit)};
    assert_true(ms_request_read_tran(&reader, &scratch, &tran));
    assert_true(tran.begin_again);
    assert_int_equal(tran.isolation, 2);
    for (size_t len = 0; len < 4; len++) {
        reader = (struct ms_reader){.at = begin, .end = begin + len};
        assert_false(ms_request_read_tran(&reader, &scratch, &tran));
    }
    ms_scratch_reset(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_are_read_one_after_the_other),
        cmocka_unit_test(calls_cut_or_changed_anywhere_are_survived),
        cmocka_unit_test(a_table_valued_parameter_is_refused_by_name),
        cmocka_unit_test(an_unknown_procedure_number_is_named),
        cmocka_unit_test(chunks_may_split_a_character_and_hide_their_total),
        cmocka_unit_test(headers_are_skipped_or_refused),
        cmocka_unit_test(transaction_requests_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
