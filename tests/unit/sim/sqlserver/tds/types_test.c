/* SPDX-License-Identifier: Apache-2.0 */
/* Types on the wire: known bytes, and everything that is written can be read again. */
#include "fake_server.h"
#include "sim/sqlserver/tds/tokens.h"
#include "sim/sqlserver/tds/types.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static void expect_bytes(const struct ms_type type, bool nullable, struct ms_value value,
                         const char *type_hex, const char *value_hex)
{
    struct ms_bytes out = {0};
    struct ms_encoder encoder = ms_encoder_make(&type, nullable);
    ms_encoder_put_type(&encoder, &out);
    size_t type_size = out.len;
    assert_true(ms_encoder_put_value(&encoder, &out, &value));
    char hex[400] = "";
    for (size_t i = 0; i < out.len; i++) {
        char two[4];
        snprintf(two, sizeof(two), "%02X", out.data[i]);
        memcpy(hex + 2 * i + (i >= type_size), two, 3);
        if (i + 1 == type_size)
            memcpy(hex + 2 * i + 2, " ", 2);
    }
    char expected[400];
    snprintf(expected, sizeof(expected), "%s %s", type_hex, value_hex);
    assert_string_equal(hex, expected);
    ms_bytes_done(&out);
}

static struct ms_value text(const char *utf8)
{
    return (struct ms_value){.len = (uint32_t)strlen(utf8), .bytes = (const uint8_t *)utf8};
}

#define NULL_VALUE ((struct ms_value){.is_null = true})

static void integers_have_known_bytes(void **state)
{
    (void)state;
    const struct ms_type bit = {.id = MS_BIT}, tiny = {.id = MS_TINYINT}, big = {.id = MS_BIGINT};
    expect_bytes(bit, true, (struct ms_value){.i = 1}, "6801", "0101");
    expect_bytes(bit, false, (struct ms_value){.i = 1}, "32", "01");
    expect_bytes(tiny, true, (struct ms_value){.i = 255}, "2601", "01FF");
    expect_bytes((struct ms_type){.id = MS_SMALLINT}, true, (struct ms_value){.i = -2}, "2602", "02FEFF");
    expect_bytes((struct ms_type){.id = MS_INT}, true, NULL_VALUE, "2604", "00");
    expect_bytes((struct ms_type){.id = MS_INT}, false, (struct ms_value){.i = 1}, "38", "01000000");
    expect_bytes(big, false, (struct ms_value){.i = INT64_MIN}, "7F", "0000000000000080");
    expect_bytes((struct ms_type){.id = MS_UNKNOWN}, true, NULL_VALUE, "2604", "00");
}

static void numbers_have_known_bytes(void **state)
{
    (void)state;
    const struct ms_type decimal = {.id = MS_DECIMAL, .precision = 10, .scale = 2};
    expect_bytes(decimal, true, (struct ms_value){.dec = 12345}, "6A090A02", "09013930000000000000");
    expect_bytes(decimal, false, (struct ms_value){.dec = -1}, "6A090A02", "09000100000000000000");
    expect_bytes((struct ms_type){.id = MS_NUMERIC, .precision = 38}, true, NULL_VALUE, "6C112600", "00");
    expect_bytes((struct ms_type){.id = MS_MONEY}, true, (struct ms_value){.i = 0x0102030405060708}, "6E08",
                 "080403020108070605");
    expect_bytes((struct ms_type){.id = MS_SMALLMONEY}, false, (struct ms_value){.i = -1}, "7A", "FFFFFFFF");
    expect_bytes((struct ms_type){.id = MS_REAL}, true, (struct ms_value){.d = 1.5}, "6D04", "040000C03F");
    expect_bytes((struct ms_type){.id = MS_FLOAT}, false, (struct ms_value){.d = 1.5}, "3E",
                 "000000000000F83F");
}

static void dates_have_known_bytes(void **state)
{
    (void)state;
    const struct ms_type time0 = {.id = MS_TIME, .scale = 0}, time7 = {.id = MS_TIME, .scale = 7};
    expect_bytes((struct ms_type){.id = MS_DATE}, true, (struct ms_value){.i = 3652058}, "28", "03DAB937");
    expect_bytes(time0, true, (struct ms_value){.i = INT64_C(86399) * 10000000}, "2900", "037F5101");
    expect_bytes(time7, true, (struct ms_value){.i = 1}, "2907", "050100000000");
    expect_bytes((struct ms_type){.id = MS_DATETIME2, .scale = 3}, true,
                 (struct ms_value){.i = MS_TICKS_A_DAY + 10000}, "2A03", "0701000000010000");
    expect_bytes((struct ms_type){.id = MS_DATETIMEOFFSET, .scale = 7}, true,
                 (struct ms_value){.i = 5, .offset_min = -60}, "2B07", "0A0500000000000000C4FF");
    expect_bytes((struct ms_type){.id = MS_DATETIME}, true, (struct ms_value){.i = -1}, "6F08",
                 "08FFFFFFFFFF818B01");
    expect_bytes((struct ms_type){.id = MS_SMALLDATETIME}, false, (struct ms_value){.i = 1440 + 2}, "3A",
                 "01000200");
}

static void texts_have_known_bytes(void **state)
{
    (void)state;
    expect_bytes((struct ms_type){.id = MS_VARCHAR, .length = 10}, true, text("\xE2\x82\xAC"),
                 "A70A000904D00034", "010080");
    expect_bytes((struct ms_type){.id = MS_VARCHAR, .length = 10}, true, text("\xD0\x94"), "A70A000904D00034",
                 "01003F");
    expect_bytes((struct ms_type){.id = MS_NVARCHAR, .length = 4}, true, text("A"), "E708000904D00034",
                 "02004100");
    expect_bytes((struct ms_type){.id = MS_NVARCHAR, .length = 4}, true, NULL_VALUE, "E708000904D00034",
                 "FFFF");
    expect_bytes((struct ms_type){.id = MS_NVARCHAR, .length = MS_MAX}, true, text("A"), "E7FFFF0904D00034",
                 "020000000000000002000000410000000000");
    expect_bytes((struct ms_type){.id = MS_VARBINARY, .length = MS_MAX}, true, text(""), "A5FFFF",
                 "000000000000000000000000");
    expect_bytes((struct ms_type){.id = MS_VARBINARY, .length = MS_MAX}, true, NULL_VALUE, "A5FFFF",
                 "FFFFFFFFFFFFFFFF");
    expect_bytes((struct ms_type){.id = MS_XML}, true, text("<"), "F100",
                 "0200000000000000020000003C0000000000");
    expect_bytes((struct ms_type){.id = MS_ROWVERSION}, true, text("12345678"), "AD0800",
                 "08003132333435363738");
    expect_bytes((struct ms_type){.id = MS_TEXT}, true, NULL_VALUE, "23FFFFFF7F0904D00034", "00");
}

static void a_value_that_its_type_cannot_hold_is_refused(void **state)
{
    (void)state;
    struct ms_bytes out = {0};
    struct ms_encoder not_null = ms_encoder_make(&(struct ms_type){.id = MS_INT}, false);
    struct ms_encoder narrow = ms_encoder_make(&(struct ms_type){.id = MS_NVARCHAR, .length = 1}, true);
    struct ms_value null = NULL_VALUE, two = text("ab");
    assert_false(ms_encoder_put_value(&not_null, &out, &null));
    assert_false(ms_encoder_put_value(&narrow, &out, &two));
    assert_int_equal(out.len, 0);
    ms_bytes_done(&out);
}

/* What the decoder makes of TYPE_INFO and value as the encoder wrote them; text pointers belong to results
 * only. */
static struct ms_value round_trip(const struct ms_type *type, const struct ms_value *value,
                                  struct ms_type *ret_type, struct ms_scratch *scratch)
{
    struct ms_bytes out = {0};
    struct ms_encoder encoder = ms_encoder_make(type, true);
    ms_encoder_put_type(&encoder, &out);
    size_t type_size = out.len;
    assert_true(ms_encoder_put_value(&encoder, &out, value));
    if (ms_encoder_has_table_name(&encoder)) {
        memmove(out.data + type_size, out.data + type_size + 25, out.len - type_size - 25);
        out.len -= 25;
    }
    uint8_t *copy = ms_scratch_alloc(scratch, out.len);
    memcpy(copy, out.data, out.len);
    struct ms_reader reader = {.at = copy, .end = copy + out.len};
    ms_bytes_done(&out);
    struct ms_decoder decoder;
    struct ms_value read;
    assert_int_equal(ms_decoder_read_type(&reader, &decoder), MS_DECODE_OK);
    assert_true(ms_decoder_read_value(&decoder, &reader, scratch, &read));
    assert_int_equal(ms_reader_left(&reader), 0);
    *ret_type = decoder.type;
    return read;
}

static bool has_bytes(enum ms_type_id id)
{
    return (id >= MS_CHAR && id <= MS_UNIQUEIDENTIFIER) || id == MS_XML;
}

static void expect_same(const struct ms_type *type, const struct ms_value *expected)
{
    struct ms_scratch scratch = {0};
    struct ms_type read_type;
    struct ms_value read = round_trip(type, expected, &read_type, &scratch);
    enum ms_type_id id = type->id == MS_ROWVERSION ? MS_BINARY : type->id;
    assert_int_equal(read_type.id, id);
    assert_int_equal(read.is_null, expected->is_null);
    if (has_bytes(type->id)) {
        assert_int_equal(read.len, expected->len);
        assert_memory_equal(read.bytes, expected->bytes, expected->len);
    } else if (id == MS_DECIMAL || id == MS_NUMERIC) {
        assert_true(read.dec == expected->dec);
        assert_int_equal(read_type.precision, type->precision);
        assert_int_equal(read_type.scale, type->scale);
    } else {
        assert_int_equal(read.i, expected->i);
        assert_int_equal(read.offset_min, expected->offset_min);
    }
    ms_scratch_reset(&scratch);
}

static void every_type_comes_back_as_it_went(void **state)
{
    (void)state;
    const struct fake_types *types = fake_all_types();
    for (size_t i = 0; i < types->n; i++)
        expect_same(&types->columns[i].type, &types->values[i]);
}

static uint64_t random_bits(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static int64_t random_below(uint64_t *seed, int64_t limit)
{
    return (int64_t)(random_bits(seed) % (uint64_t)limit);
}

static void generated_numbers_come_back(void **state)
{
    (void)state;
    uint64_t seed = 42;
    for (int i = 0; i < 20000; i++) {
        int64_t bits = (int64_t)random_bits(&seed);
        expect_same(&(struct ms_type){.id = MS_TINYINT}, &(struct ms_value){.i = bits & 255});
        expect_same(&(struct ms_type){.id = MS_SMALLINT}, &(struct ms_value){.i = (int16_t)bits});
        expect_same(&(struct ms_type){.id = MS_INT}, &(struct ms_value){.i = (int32_t)bits});
        expect_same(&(struct ms_type){.id = MS_BIGINT}, &(struct ms_value){.i = bits});
        expect_same(&(struct ms_type){.id = MS_MONEY}, &(struct ms_value){.i = bits});
        expect_same(&(struct ms_type){.id = MS_SMALLMONEY}, &(struct ms_value){.i = (int32_t)bits});
        expect_same(&(struct ms_type){.id = MS_FLOAT}, &(struct ms_value){.d = (double)bits * 1e-3});
        expect_same(&(struct ms_type){.id = MS_REAL}, &(struct ms_value){.d = (double)(float)bits});
        struct ms_type decimal = {.id = MS_DECIMAL, .precision = (uint8_t)(1 + random_below(&seed, 38))};
        decimal.scale = (uint8_t)random_below(&seed, decimal.precision + 1);
        __extension__ __int128 limit = 1;
        for (int digit = 0; digit < decimal.precision; digit++)
            limit *= 10;
        struct ms_value value = {.dec = ((limit - 1) / 1000003 * (bits % 1000003) + bits % limit) % limit};
        expect_same(&decimal, &value);
    }
}

static void generated_times_come_back_at_every_scale(void **state)
{
    (void)state;
    uint64_t seed = 7;
    for (int i = 0; i < 20000; i++) {
        uint8_t scale = (uint8_t)(i % 8);
        int64_t divisor = ms_tick_divisor(scale);
        int64_t tick = random_below(&seed, MS_TICKS_A_DAY) / divisor * divisor;
        int64_t day = random_below(&seed, MS_MAX_DAY + 1);
        int64_t whole = day * MS_TICKS_A_DAY + tick;
        int16_t offset = (int16_t)(random_below(&seed, 1681) - 840);
        expect_same(&(struct ms_type){.id = MS_DATE}, &(struct ms_value){.i = day});
        expect_same(&(struct ms_type){.id = MS_TIME, .scale = scale}, &(struct ms_value){.i = tick});
        expect_same(&(struct ms_type){.id = MS_DATETIME2, .scale = scale}, &(struct ms_value){.i = whole});
        expect_same(&(struct ms_type){.id = MS_DATETIMEOFFSET, .scale = scale},
                    &(struct ms_value){.i = whole, .offset_min = offset});
        int64_t ticks = random_below(&seed, (2958463 + 53690) * MS_DATETIME_TICKS_A_DAY);
        expect_same(&(struct ms_type){.id = MS_DATETIME},
                    &(struct ms_value){.i = ticks - 53690 * MS_DATETIME_TICKS_A_DAY});
        expect_same(&(struct ms_type){.id = MS_SMALLDATETIME},
                    &(struct ms_value){.i = random_below(&seed, INT64_C(65536) * 1440)});
    }
}

static size_t random_text(uint64_t *seed, char *out, size_t units, bool latin)
{
    static const char *const pieces[] = {"a",
                                         "Z",
                                         "\xC3\xA9",
                                         "\xC3\xBF",
                                         "\xE2\x82\xAC",
                                         "\xD0\x94",
                                         "\xE4\xB8\xAD",
                                         "\xED\xA0\x80",
                                         "\xEF\xBF\xBD",
                                         " "};
    size_t len = 0;
    for (size_t i = 0; i < units; i++) {
        const char *piece = pieces[random_below(seed, latin ? 5 : 10)];
        size_t size = strlen(piece);
        memcpy(out + len, piece, size);
        len += size;
    }
    return len;
}

static void generated_texts_come_back(void **state)
{
    (void)state;
    uint64_t seed = 99;
    char buffer[400];
    for (int i = 0; i < 20000; i++) {
        size_t units = (size_t)random_below(&seed, 100);
        struct ms_value value = {.bytes = (const uint8_t *)buffer};
        value.len = (uint32_t)random_text(&seed, buffer, units, true);
        expect_same(&(struct ms_type){.id = MS_VARCHAR, .length = 100}, &value);
        expect_same(&(struct ms_type){.id = MS_VARCHAR, .length = MS_MAX}, &value);
        value.len = (uint32_t)random_text(&seed, buffer, units, false);
        expect_same(&(struct ms_type){.id = MS_NVARCHAR, .length = 100}, &value);
        expect_same(&(struct ms_type){.id = MS_NVARCHAR, .length = MS_MAX}, &value);
        expect_same(&(struct ms_type){.id = MS_VARBINARY, .length = 400}, &value);
    }
}

static void every_type_has_its_null(void **state)
{
    (void)state;
    const struct fake_types *types = fake_all_types();
    for (size_t i = 0; i < types->n; i++) {
        struct ms_scratch scratch = {0};
        struct ms_bytes out = {0};
        struct ms_type type = types->columns[i].type;
        struct ms_value null = NULL_VALUE, read;
        struct ms_encoder encoder = ms_encoder_make(&type, true);
        ms_encoder_put_type(&encoder, &out);
        assert_true(ms_encoder_put_value(&encoder, &out, &null));
        struct ms_reader reader = {.at = out.data, .end = out.data + out.len};
        struct ms_decoder decoder;
        assert_int_equal(ms_decoder_read_type(&reader, &decoder), MS_DECODE_OK);
        if (!ms_encoder_has_table_name(&encoder)) { /* a missing text pointer is a result's NULL only */
            assert_true(ms_decoder_read_value(&decoder, &reader, &scratch, &read));
            assert_true(read.is_null);
        }
        ms_bytes_done(&out);
        ms_scratch_reset(&scratch);
    }
}

static void any_bytes_are_survived_as_types_and_values(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int i = 0; i < 200000; i++) {
        uint8_t bytes[40];
        size_t len = (size_t)random_below(&seed, sizeof(bytes));
        uint8_t *exact = malloc(len + 1);
        assert_non_null(exact);
        for (size_t j = 0; j < len; j++)
            exact[j] = (uint8_t)random_bits(&seed);
        struct ms_scratch scratch = {0};
        struct ms_reader reader = {.at = exact, .end = exact + len};
        struct ms_decoder decoder;
        struct ms_value value;
        if (ms_decoder_read_type(&reader, &decoder) == MS_DECODE_OK)
            (void)ms_decoder_read_value(&decoder, &reader, &scratch, &value);
        ms_scratch_reset(&scratch);
        free(exact);
    }
}

static void variants_and_tables_are_named_as_unsupported(void **state)
{
    (void)state;
    const uint8_t wires[3] = {MS_WIRE_VARIANT, MS_WIRE_TVP, MS_WIRE_UDT};
    for (int i = 0; i < 3; i++) {
        struct ms_reader reader = {.at = &wires[i], .end = &wires[i] + 1};
        struct ms_decoder decoder;
        assert_int_equal(ms_decoder_read_type(&reader, &decoder), MS_DECODE_UNSUPPORTED);
        assert_int_equal(decoder.wire, wires[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_have_known_bytes),
        cmocka_unit_test(numbers_have_known_bytes),
        cmocka_unit_test(dates_have_known_bytes),
        cmocka_unit_test(texts_have_known_bytes),
        cmocka_unit_test(a_value_that_its_type_cannot_hold_is_refused),
        cmocka_unit_test(every_type_comes_back_as_it_went),
        cmocka_unit_test(generated_numbers_come_back),
        cmocka_unit_test(generated_times_come_back_at_every_scale),
        cmocka_unit_test(generated_texts_come_back),
        cmocka_unit_test(every_type_has_its_null),
        cmocka_unit_test(any_bytes_are_survived_as_types_and_values),
        cmocka_unit_test(variants_and_tables_are_named_as_unsupported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
