/* SPDX-License-Identifier: Apache-2.0 */
/* Checksums, hashes, varints, UUIDs, backoff, near words: small things that must be exactly right. */
#include "base/backoff.h"
#include "base/buf.h"
#include "base/crc32c.h"
#include "base/hash.h"
#include "base/nearest.h"
#include "base/number.h"
#include "base/uuid.h"
#include "base/varint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void crc32c_gives_the_published_values(void **state)
{
    uint8_t bytes[32] = {0};

    (void)state;
    assert_int_equal(sl_crc32c(0, "123456789", 9), 0xE3069283);
    assert_int_equal(sl_crc32c(0, bytes, 32), 0x8A9136AA); /* RFC 3720, B.4 */
    memset(bytes, 0xFF, 32);
    assert_int_equal(sl_crc32c(0, bytes, 32), 0x62A8AB43);
    for (uint8_t i = 0; i < 32; i++)
        bytes[i] = i;
    assert_int_equal(sl_crc32c(0, bytes, 32), 0x46DD794E);
}

static void crc32c_is_the_same_with_and_without_the_instruction(void **state)
{
    uint8_t bytes[97];

    (void)state;
    sl_random_bytes(bytes, sizeof(bytes));
    for (size_t len = 0; len <= sizeof(bytes); len++) {
        assert_int_equal(sl_crc32c(0, bytes, len), sl_crc32c_by_table(0, bytes, len));
        assert_int_equal(sl_crc32c(sl_crc32c(0, bytes, len / 3), bytes + len / 3, len - len / 3),
                         sl_crc32c(0, bytes, len));
    }
}

static void varints_come_back(void **state)
{
    static const uint64_t numbers[] = {0, 1, 127, 128, 300, 1ULL << 32, UINT64_MAX, 1ULL << 63};
    struct sl_buf buf = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
        const uint8_t *at;
        const uint8_t *end;
        uint64_t number = 0;
        int64_t zigzag = 0;

        sl_buf_reset(&buf);
        sl_buf_varint(&buf, numbers[i]);
        at = buf.data;
        end = buf.data + buf.len;
        assert_true(sl_varint_read(&at, end, &number));
        assert_int_equal(number, numbers[i]);
        assert_ptr_equal(at, end);
        at = buf.data;
        assert_false(sl_varint_read(&at, end - 1, &number)); /* cut short: refused, nothing moved */
        assert_ptr_equal(at, buf.data);
        sl_buf_reset(&buf);
        sl_buf_varint(&buf, sl_zigzag((int64_t)numbers[i]));
        at = buf.data;
        assert_true(sl_zigzag_read(&at, buf.data + buf.len, &zigzag));
        assert_int_equal(zigzag, (int64_t)numbers[i]);
    }
    sl_buf_done(&buf);
}

static void a_varint_that_does_not_fit_is_refused(void **state)
{
    static const uint8_t bytes[] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02};
    const uint8_t *at = bytes;
    uint64_t number;

    (void)state;
    assert_false(sl_varint_read(&at, bytes + sizeof(bytes), &number));
}

static void uuids_are_version_4_and_come_back_from_text(void **state)
{
    struct sl_uuid uuid;
    struct sl_uuid again;
    char text[SL_UUID_TEXT_SIZE];

    (void)state;
    sl_uuid_new(&uuid);
    sl_uuid_format(&uuid, text);
    assert_int_equal(text[14], '4');
    assert_true(sl_uuid_parse(text, &again));
    assert_memory_equal(&uuid, &again, sizeof(uuid));
    assert_false(sl_uuid_parse("0123", &again));
    text[8] = '0';
    assert_false(sl_uuid_parse(text, &again));
}

static void hashes_differ_for_near_inputs(void **state)
{
    uint8_t zeros[40] = {0};

    (void)state;
    for (size_t len = 1; len < sizeof(zeros); len++)
        assert_int_not_equal(sl_hash_bytes(zeros, len, 0), sl_hash_bytes(zeros, len - 1, 0));
    assert_int_not_equal(sl_hash_text("ab"), sl_hash_text("ba"));
    assert_int_equal(sl_hash_text("same"), sl_hash_bytes("same", 4, 0));
}

static void backoff_doubles_up_to_its_limit(void **state)
{
    struct sl_backoff backoff = {.base_us = 100, .max_us = 1000};
    int64_t limit = 100;

    (void)state;
    for (int i = 0; i < 80; i++) {
        int64_t delay = sl_backoff_next_us(&backoff);

        assert_in_range(delay, limit / 2, limit);
        limit = limit * 2 > 1000 ? 1000 : limit * 2;
    }
    sl_backoff_reset(&backoff);
    assert_in_range(sl_backoff_next_us(&backoff), 50, 100);
}

static void a_typing_error_finds_its_word(void **state)
{
    struct sl_nearest near = {.word = "SqlServerConnectr"};
    struct sl_nearest far = {.word = "completely different"};

    (void)state;
    sl_nearest_try(&near, "PostgresConnector");
    sl_nearest_try(&near, "SqlServerConnector");
    sl_nearest_try(&far, "SqlServerConnector");
    assert_string_equal(near.best, "SqlServerConnector");
    assert_null(far.best);
}

static void numbers_are_read_strictly(void **state)
{
    int64_t number;
    double real;
    bool truth;

    (void)state;
    assert_true(sl_parse_int64(" -12 ", &number));
    assert_int_equal(number, -12);
    assert_false(sl_parse_int64("12a", &number));
    assert_false(sl_parse_int64("", &number));
    assert_false(sl_parse_int64("99999999999999999999", &number));
    assert_true(sl_parse_double("1e3", &real));
    assert_false(sl_parse_double("nan", &real));
    assert_true(sl_parse_bool("TRUE", &truth) && truth);
    assert_false(sl_parse_bool("1", &truth));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc32c_gives_the_published_values),
        cmocka_unit_test(crc32c_is_the_same_with_and_without_the_instruction),
        cmocka_unit_test(varints_come_back),
        cmocka_unit_test(a_varint_that_does_not_fit_is_refused),
        cmocka_unit_test(uuids_are_version_4_and_come_back_from_text),
        cmocka_unit_test(hashes_differ_for_near_inputs),
        cmocka_unit_test(backoff_doubles_up_to_its_limit),
        cmocka_unit_test(a_typing_error_finds_its_word),
        cmocka_unit_test(numbers_are_read_strictly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
