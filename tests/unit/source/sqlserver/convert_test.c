/* SPDX-License-Identifier: Apache-2.0 */
#include "source/sqlserver/field.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct sl_arena *arena;

static int make_arena(void **state)
{
    (void)state;
    arena = sl_arena_new(4096);
    return 0;
}

static int drop_arena(void **state)
{
    (void)state;
    sl_arena_free(arena);
    return 0;
}

static struct sl_mssql_field field_of(enum sl_mssql_type type, int scale, enum sl_mssql_times times)
{
    static struct sl_mssql_column column;
    struct sl_mssql_config config = {.times = times};
    struct sl_mssql_field field;

    column = (struct sl_mssql_column){.name = "c", .type = type, .scale = scale, .precision = 38};
    assert_true(sl_mssql_field_choose(&column, &config, &field));
    return field;
}

static struct sl_value convert(struct sl_mssql_field *field, const void *data, size_t len)
{
    struct sl_cell cell = {.data = data, .len = (SQLLEN)len};

    return field->convert(field, &cell, arena);
}

static void expect_text(struct sl_value value, const char *text)
{
    assert_int_equal(value.tag, SL_STRING);
    assert_int_equal(value.len, strlen(text));
    assert_memory_equal(value.bytes, text, value.len);
}

static void decimals_are_as_short_as_javas(void **state)
{
    static const struct {
        uint64_t magnitude;
        bool negative;
        const char *bytes;
        size_t n;
    } cases[] = {
        {0, false, "\x00", 1},
        {1, false, "\x01", 1},
        {127, false, "\x7f", 1},
        {128, false, "\x00\x80", 2},
        {128, true, "\x80", 1},
        {129, true, "\xff\x7f", 2},
        {255, true, "\xff\x01", 2},
        {256, true, "\xff\x00", 2},
        {1, true, "\xff", 1},
        {0, true, "\x00", 1},
        {32768, false, "\x00\x80\x00", 3},
    };
    struct sl_mssql_field field = field_of(SL_MSSQL_DECIMAL, 2, SL_MSSQL_TIME_ADAPTIVE);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        SQL_NUMERIC_STRUCT numeric = {.sign = !cases[i].negative};
        uint8_t wide[17];
        struct sl_value value;

        memcpy(numeric.val, &cases[i].magnitude, 8);
        value = convert(&field, &numeric, sizeof(numeric));
        assert_int_equal(value.len, cases[i].n);
        assert_memory_equal(value.bytes, cases[i].bytes, cases[i].n);
        assert_int_equal(sl_mssql_decimal_bytes(cases[i].negative, numeric.val, wide), cases[i].n);
        assert_memory_equal(wide, cases[i].bytes, cases[i].n);
    }
    sl_mssql_field_done(&field);
}

static void the_widest_decimal_keeps_all_its_digits(void **state)
{
    /* 10^38 - 1 */
    const uint8_t magnitude[16] = {0xff, 0xff, 0xff, 0xff, 0x3f, 0x22, 0x8a, 0x09,
                                   0x7a, 0xc4, 0x86, 0x5a, 0xa8, 0x4c, 0x3b, 0x4b};
    uint8_t bytes[17];
    struct sl_mssql_field field = field_of(SL_MSSQL_DECIMAL, 0, SL_MSSQL_TIME_ADAPTIVE);
    SQL_NUMERIC_STRUCT numeric = {.sign = 0};

    (void)state;
    assert_int_equal(sl_mssql_decimal_bytes(false, magnitude, bytes), 16);
    assert_int_equal(bytes[0], 0x4b);
    assert_int_equal(sl_mssql_decimal_bytes(true, magnitude, bytes), 16);
    assert_int_equal(bytes[0], 0xb4);
    assert_int_equal(bytes[15], 0x01);
    memcpy(numeric.val, magnitude, 16);
    field.convert = sl_mssql_convert_decimal_text;
    expect_text(convert(&field, &numeric, sizeof(numeric)), "-99999999999999999999999999999999999999");
    sl_mssql_field_done(&field);
}

static void money_is_a_decimal_of_scale_four(void **state)
{
    /* -1.2345: high half first */
    const int32_t halves[2] = {-1, -12345};
    struct sl_cell cell = {.kind = SL_CELL_MONEY, .data = halves, .len = 8};
    struct sl_mssql_field field = field_of(SL_MSSQL_MONEY, 4, SL_MSSQL_TIME_ADAPTIVE);
    struct sl_value value = field.convert(&field, &cell, arena);

    (void)state;
    assert_int_equal(value.len, 2);
    assert_memory_equal(value.bytes, "\xcf\xc7", 2);
    sl_mssql_field_done(&field);
    cell.len = 4;
    cell.data = &halves[1];
    field = field_of(SL_MSSQL_SMALLMONEY, 4, SL_MSSQL_TIME_ADAPTIVE);
    field.convert = sl_mssql_convert_decimal_text;
    expect_text(field.convert(&field, &cell, arena), "-1.2345");
    sl_mssql_field_done(&field);
}

static void decimals_as_text_keep_their_scale(void **state)
{
    struct sl_mssql_field field = field_of(SL_MSSQL_DECIMAL, 3, SL_MSSQL_TIME_ADAPTIVE);
    SQL_NUMERIC_STRUCT numeric = {.sign = 0, .val = {5}};
    struct sl_value value;

    (void)state;
    field.convert = sl_mssql_convert_decimal_text;
    expect_text(convert(&field, &numeric, sizeof(numeric)), "-0.005");
    field.convert = sl_mssql_convert_decimal_double;
    value = convert(&field, &numeric, sizeof(numeric));
    assert_true(value.d == -0.005);
    sl_mssql_field_done(&field);
}

static void timestamps_take_the_unit_of_their_column(void **state)
{
    const SQL_TIMESTAMP_STRUCT when = {2018, 7, 13, 12, 23, 45, 123456700};
    struct sl_mssql_field field = field_of(SL_MSSQL_DATETIME2, 3, SL_MSSQL_TIME_ADAPTIVE);

    (void)state;
    assert_int_equal(convert(&field, &when, sizeof(when)).i, INT64_C(1531484625123));
    assert_string_equal(field.schema->name, "io.debezium.time.Timestamp");
    sl_mssql_field_done(&field);
    field = field_of(SL_MSSQL_DATETIME2, 6, SL_MSSQL_TIME_ADAPTIVE);
    assert_int_equal(convert(&field, &when, sizeof(when)).i, INT64_C(1531484625123456));
    assert_string_equal(field.schema->name, "io.debezium.time.MicroTimestamp");
    sl_mssql_field_done(&field);
    field = field_of(SL_MSSQL_DATETIME2, 7, SL_MSSQL_TIME_ADAPTIVE);
    assert_int_equal(convert(&field, &when, sizeof(when)).i, INT64_C(1531484625123456700));
    assert_string_equal(field.schema->name, "io.debezium.time.NanoTimestamp");
    sl_mssql_field_done(&field);
}

static void ticks_of_datetime_end_at_their_millisecond(void **state)
{
    const SQL_TIMESTAMP_STRUCT third = {2018, 7, 13, 0, 0, 0, 3333333};
    const SQL_TIMESTAMP_STRUCT two_thirds = {2018, 7, 13, 0, 0, 0, 6666667};
    struct sl_mssql_field field = field_of(SL_MSSQL_DATETIME, 3, SL_MSSQL_TIME_ADAPTIVE);

    (void)state;
    assert_int_equal(convert(&field, &third, sizeof(third)).i % 1000, 3);
    assert_int_equal(convert(&field, &two_thirds, sizeof(two_thirds)).i % 1000, 7);
    sl_mssql_field_done(&field);
}

static void dates_before_the_epoch_and_at_the_ends_are_right(void **state)
{
    const SQL_DATE_STRUCT first = {1, 1, 1}, last = {9999, 12, 31}, before = {1969, 12, 31},
                          leap = {2000, 2, 29};
    const SQL_TIMESTAMP_STRUCT early = {1753, 1, 1, 0, 0, 0, 0};
    struct sl_mssql_field field = field_of(SL_MSSQL_DATE, 0, SL_MSSQL_TIME_ADAPTIVE);

    (void)state;
    assert_int_equal(convert(&field, &first, sizeof(first)).i, -719162);
    assert_int_equal(convert(&field, &last, sizeof(last)).i, 2932896);
    assert_int_equal(convert(&field, &before, sizeof(before)).i, -1);
    assert_int_equal(convert(&field, &leap, sizeof(leap)).i, 11016);
    sl_mssql_field_done(&field);
    field = field_of(SL_MSSQL_DATETIME, 3, SL_MSSQL_TIME_ADAPTIVE);
    assert_int_equal(convert(&field, &early, sizeof(early)).i, INT64_C(-6847804800000));
    sl_mssql_field_done(&field);
}

static void the_open_end_of_time_never_wraps_around(void **state)
{
    const SQL_TIMESTAMP_STRUCT open_end = {9999, 12, 31, 0, 0, 0, 0}, start = {1, 1, 1, 0, 0, 0, 0};
    struct sl_mssql_field field = field_of(SL_MSSQL_DATETIME2, 7, SL_MSSQL_TIME_ADAPTIVE);

    (void)state;
    assert_int_equal(convert(&field, &open_end, sizeof(open_end)).i, INT64_MAX);
    assert_int_equal(convert(&field, &start, sizeof(start)).i, INT64_MIN);
    assert_int_equal(field.overflowed, 2);
    sl_mssql_field_done(&field);
}

static void times_of_day_take_their_units(void **state)
{
    const SQL_TIMESTAMP_STRUCT when = {2026, 1, 1, 17, 30, 1, 123456700};
    static const struct {
        int scale;
        enum sl_mssql_times mode;
        const char *name;
        int64_t value;
    } cases[] = {
        {3, SL_MSSQL_TIME_ADAPTIVE, "io.debezium.time.Time", 63001123},
        {6, SL_MSSQL_TIME_ADAPTIVE, "io.debezium.time.MicroTime", INT64_C(63001123456)},
        {7, SL_MSSQL_TIME_ADAPTIVE, "io.debezium.time.NanoTime", INT64_C(63001123456700)},
        {3, SL_MSSQL_TIME_ADAPTIVE_MICROSECONDS, "io.debezium.time.MicroTime", INT64_C(63001123456)},
        {7, SL_MSSQL_TIME_CONNECT, "org.apache.kafka.connect.data.Time", 63001123},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct sl_mssql_field field = field_of(SL_MSSQL_TIME, cases[i].scale, cases[i].mode);

        assert_string_equal(field.schema->name, cases[i].name);
        assert_int_equal(convert(&field, &when, sizeof(when)).i, cases[i].value);
        sl_mssql_field_done(&field);
    }
}

static void offsets_are_kept_as_text(void **state)
{
    const struct sl_cell_offset east = {2018, 7, 13, 12, 23, 45, 456000000, 11, 0};
    const struct sl_cell_offset west = {2018, 7, 13, 12, 23, 0, 0, -3, -30};
    const struct sl_cell_offset utc = {1, 1, 1, 0, 0, 0, 100, 0, 0};
    struct sl_mssql_field field = field_of(SL_MSSQL_DATETIMEOFFSET, 7, SL_MSSQL_TIME_ADAPTIVE);

    (void)state;
    expect_text(convert(&field, &east, sizeof(east)), "2018-07-13T12:23:45.456+11:00");
    expect_text(convert(&field, &west, sizeof(west)), "2018-07-13T12:23:00-03:30");
    expect_text(convert(&field, &utc, sizeof(utc)), "0001-01-01T00:00:00.0000001Z");
    sl_mssql_field_done(&field);
}

static void bytes_take_the_chosen_form(void **state)
{
    const uint8_t bytes[] = {0xfb, 0xff, 0x00, 0x10};
    struct sl_mssql_field field = field_of(SL_MSSQL_VARBINARY, 0, SL_MSSQL_TIME_ADAPTIVE);

    (void)state;
    field.convert = sl_mssql_convert_hex;
    expect_text(convert(&field, bytes, 4), "fbff0010");
    field.convert = sl_mssql_convert_base64;
    expect_text(convert(&field, bytes, 4), "+/8AEA==");
    field.convert = sl_mssql_convert_base64_url;
    expect_text(convert(&field, bytes, 4), "-_8AEA==");
    expect_text(convert(&field, bytes, 0), "");
    sl_mssql_field_done(&field);
}

static void guids_are_upper_case(void **state)
{
    const SQLGUID guid = {0x6F9619FF, 0x8B86, 0xD011, {0xB4, 0x2D, 0x00, 0xC0, 0x4F, 0xC9, 0x64, 0xFF}};
    struct sl_mssql_field field = field_of(SL_MSSQL_UNIQUEIDENTIFIER, 0, SL_MSSQL_TIME_ADAPTIVE);

    (void)state;
    expect_text(convert(&field, &guid, sizeof(guid)), "6F9619FF-8B86-D011-B42D-00C04FC964FF");
    sl_mssql_field_done(&field);
}

static void iso_strings_end_in_z(void **state)
{
    const SQL_DATE_STRUCT date = {2017, 9, 15};
    const SQL_TIMESTAMP_STRUCT when = {2017, 9, 15, 1, 2, 3, 120000000};
    struct sl_mssql_field field = field_of(SL_MSSQL_DATE, 0, SL_MSSQL_TIME_ISOSTRING);

    (void)state;
    expect_text(convert(&field, &date, sizeof(date)), "2017-09-15Z");
    sl_mssql_field_done(&field);
    field = field_of(SL_MSSQL_DATETIME2, 7, SL_MSSQL_TIME_ISOSTRING);
    expect_text(convert(&field, &when, sizeof(when)), "2017-09-15T01:02:03.12Z");
    sl_mssql_field_done(&field);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimals_are_as_short_as_javas),
        cmocka_unit_test(the_widest_decimal_keeps_all_its_digits),
        cmocka_unit_test(money_is_a_decimal_of_scale_four),
        cmocka_unit_test(decimals_as_text_keep_their_scale),
        cmocka_unit_test(timestamps_take_the_unit_of_their_column),
        cmocka_unit_test(ticks_of_datetime_end_at_their_millisecond),
        cmocka_unit_test(dates_before_the_epoch_and_at_the_ends_are_right),
        cmocka_unit_test(the_open_end_of_time_never_wraps_around),
        cmocka_unit_test(times_of_day_take_their_units),
        cmocka_unit_test(offsets_are_kept_as_text),
        cmocka_unit_test(bytes_take_the_chosen_form),
        cmocka_unit_test(guids_are_upper_case),
        cmocka_unit_test(iso_strings_end_in_z),
    };

    return cmocka_run_group_tests(tests, make_arena, drop_arena);
}
