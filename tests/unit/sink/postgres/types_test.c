/* SPDX-License-Identifier: Apache-2.0 */
/* Values at the ends of their ranges, by the target column's own type. */
#include "sink_fixture.h"

#include "base/arena.h"
#include "data/schema_build.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static struct sink_under_test sut;
static const char *const plain[] = {"insert.mode", "insert", NULL};
static const char *const *settings = plain;

static enum sl_rc try_one(const char *column_type, const struct sl_schema *schema, struct sl_value value)
{
    struct sl_batch *batch = batch_new();
    const struct sl_schema *row = schema_of("v", schema, NULL);
    char ddl[200];
    enum sl_rc rc;

    (void)snprintf(ddl, sizeof(ddl), "DROP TABLE IF EXISTS t; CREATE TABLE t (v %s)", column_type);
    pg_fixture_run(&pg, "DROP TABLE IF EXISTS sluice_offsets");
    pg_fixture_run(&pg, ddl);
    sink_open(&sut, settings);
    assert_int_equal(sink_assign(&sut, "t"), SL_OK);
    (void)batch_add(batch, "t", NULL, NIL, row, ROW(batch, value));
    rc = sink_put(&sut, "t", batch);
    sink_close(&sut);
    return rc;
}

static void expect(const char *column_type, const struct sl_schema *schema, struct sl_value value,
                   const char *want)
{
    const char *got;

    if (try_one(column_type, schema, value) != SL_OK)
        fail_msg("%s: %s", column_type, sut.err.text);
    if (sut.n_bad)
        fail_msg("%s: %s", column_type, sut.bad_text);
    got = pg_fixture_rows(&pg, "SELECT v FROM t");
    if (strcmp(got, want) != 0)
        fail_msg("%s: '%s' came out as '%s'", column_type, want, got);
}

/* why: part of the reason */
static void expect_bad(const char *column_type, const struct sl_schema *schema, struct sl_value value,
                       const char *why)
{
    if (try_one(column_type, schema, value) != SL_OK)
        fail_msg("%s: %s", column_type, sut.err.text);
    if (sut.n_bad != 1 || !strstr(sut.bad_text, why))
        fail_msg("%s: %d bad, '%s' does not say '%s'", column_type, sut.n_bad, sut.bad_text, why);
    assert_string_equal(pg_fixture_rows(&pg, "SELECT count(*) FROM t"), "0");
}

static void expect_unfit(const char *column_type, const struct sl_schema *schema, struct sl_value value)
{
    if (try_one(column_type, schema, value) != SL_E_SCHEMA)
        fail_msg("%s was taken", column_type);
    assert_non_null(strstr(sut.err.text, "public.t"));
    assert_non_null(strstr(sut.err.text, "'v'"));
    assert_non_null(strstr(sut.err.text, "HINT"));
}

#define S(type) sl_schema_plain((type), true)

static const struct sl_schema *named(enum sl_type type, const char *name)
{
    return sl_schema_named(type, name, 1, true);
}

static void integers_keep_their_ends_and_do_not_wrap(void **state)
{
    (void)state;
    expect("smallint", S(SL_INT16), sl_int(SL_INT16, INT16_MIN), "-32768");
    expect("smallint", S(SL_INT64), sl_int(SL_INT64, 32767), "32767");
    expect_bad("smallint", S(SL_INT32), sl_int(SL_INT32, 32768), "smallint");
    expect("int", S(SL_INT32), sl_int(SL_INT32, INT32_MIN), "-2147483648");
    expect_bad("int", S(SL_INT64), sl_int(SL_INT64, INT64_C(2147483648)), "integer");
    expect("bigint", S(SL_INT64), sl_int(SL_INT64, INT64_MIN), "-9223372036854775808");
    expect("bigint", S(SL_INT8), sl_int(SL_INT8, -128), "-128");
    expect("numeric", S(SL_INT64), sl_int(SL_INT64, INT64_MIN), "-9223372036854775808");
    expect("numeric(5,2)", S(SL_INT32), sl_int(SL_INT32, 999), "999.00");
    expect_bad("numeric(5,2)", S(SL_INT32), sl_int(SL_INT32, 1000), "overflow");
    expect("double precision", S(SL_INT32), sl_int(SL_INT32, 7), "7");
    expect("text", S(SL_INT64), sl_int(SL_INT64, -12), "-12");
    expect("int", S(SL_INT32), NIL, "NULL");
}

static void floats_and_booleans_arrive(void **state)
{
    (void)state;
    expect("real", S(SL_FLOAT32), sl_float(SL_FLOAT32, 0.1F), "0.1");
    expect("double precision", S(SL_FLOAT64), sl_float(SL_FLOAT64, 1.7976931348623157e308),
           "1.7976931348623157e+308");
    expect("double precision", S(SL_FLOAT64), sl_float(SL_FLOAT64, NAN), "NaN");
    expect("real", S(SL_FLOAT64), sl_float(SL_FLOAT64, -INFINITY), "-Infinity");
    expect_bad("real", S(SL_FLOAT64), sl_float(SL_FLOAT64, 1e300), "real");
    expect("numeric", S(SL_FLOAT32), sl_float(SL_FLOAT32, 0.1F), "0.1");
    expect("int", S(SL_FLOAT64), sl_float(SL_FLOAT64, 41.7), "42");
    expect("text", S(SL_FLOAT64), sl_float(SL_FLOAT64, 1.5), "1.5");
    expect("boolean", S(SL_BOOLEAN), sl_bool(true), "t");
    expect("smallint", S(SL_BOOLEAN), sl_bool(true), "1");
    expect("text", S(SL_BOOLEAN), sl_bool(false), "false");
    expect_unfit("boolean", S(SL_INT32), sl_int(SL_INT32, 1));
    expect_unfit("date", S(SL_BOOLEAN), sl_bool(true));
}

static void decimals_of_any_length_arrive_exactly(void **state)
{
    static const uint8_t minus_one[] = {0xFF};
    static const uint8_t zero[] = {0};
    static const uint8_t cents[] = {0x00, 0xBC, 0x61, 0x4E}; /* 12345678 */
    static const uint8_t least[] = {0x80, 0, 0, 0, 0, 0, 0, 0};
    /* 10^38 - 1, SQL Server's largest, and its negative */
    static const uint8_t most[] = {0x4B, 0x3B, 0x4C, 0xA8, 0x5A, 0x86, 0xC4, 0x7A,
                                   0x09, 0x8A, 0x22, 0x3F, 0xFF, 0xFF, 0xFF, 0xFF};
    static const uint8_t least_38[] = {0xB4, 0xC4, 0xB3, 0x57, 0xA5, 0x79, 0x3B, 0x85,
                                       0xF6, 0x75, 0xDD, 0xC0, 0x00, 0x00, 0x00, 0x01};

    (void)state;
#define D(bytes) sl_bytes(SL_BYTES, bytes, sizeof(bytes))
    expect("numeric", sl_schema_decimal(2, 10, true), D(cents), "123456.78");
    expect("numeric", sl_schema_decimal(0, 10, true), D(cents), "12345678");
    expect("numeric", sl_schema_decimal(7, 10, true), D(cents), "1.2345678");
    expect("numeric", sl_schema_decimal(9, 10, true), D(cents), "0.012345678");
    expect("numeric", sl_schema_decimal(-3, 10, true), D(cents), "12345678000");
    expect("numeric", sl_schema_decimal(5, 10, true), D(minus_one), "-0.00001");
    expect("numeric", sl_schema_decimal(2, 10, true), D(zero), "0.00");
    expect("numeric", sl_schema_decimal(0, 19, true), D(least), "-9223372036854775808");
    expect("numeric", sl_schema_decimal(3, 19, true), D(least), "-9223372036854775.808");
    expect("numeric", sl_schema_decimal(0, 38, true), D(most), "99999999999999999999999999999999999999");
    expect("numeric", sl_schema_decimal(37, 38, true), D(most), "9.9999999999999999999999999999999999999");
    expect("numeric", sl_schema_decimal(38, 38, true), D(least_38),
           "-0.99999999999999999999999999999999999999");
    expect("numeric(10,1)", sl_schema_decimal(2, 10, true), D(cents), "123456.8");
    expect("double precision", sl_schema_decimal(2, 10, true), D(cents), "123456.78");
    expect("bigint", sl_schema_decimal(2, 10, true), D(cents), "123457");
    expect("text", sl_schema_decimal(2, 10, true), D(cents), "123456.78");
    expect("bytea", sl_schema_decimal(2, 10, true), D(minus_one), "\\xff");
    expect_bad("numeric(5,2)", sl_schema_decimal(2, 10, true), D(cents), "overflow");
    expect_unfit("date", sl_schema_decimal(2, 10, true), D(cents));
}

/* Against arithmetic in text: numbers of 1 to 40 bytes, every scale from -5 to 45. */
static void decimals_agree_with_the_server_s_own_arithmetic(void **state)
{
    const struct sl_schema *row;
    unsigned seed = 11;

    (void)state;
    for (int32_t scale = -5; scale <= 45; scale += 5) {
        struct sl_batch *batch = batch_new();

        row = schema_of("v", sl_schema_decimal(scale, 0, true), "hex", S(SL_STRING), NULL);
        pg_fixture_run(&pg, "DROP TABLE IF EXISTS t, sluice_offsets; CREATE TABLE t (v numeric, hex text)");
        sink_open(&sut, plain);
        assert_int_equal(sink_assign(&sut, "t"), SL_OK);
        for (int i = 0; i < 200; i++) {
            size_t len = 1 + (size_t)rand_r(&seed) % 40;
            uint8_t *bytes = sl_arena_alloc(batch->arena, len);
            char *hex = sl_arena_alloc(batch->arena, 2 * len + 1);

            for (size_t b = 0; b < len; b++) {
                bytes[b] = (uint8_t)(rand_r(&seed) % 4 ? rand_r(&seed) : rand_r(&seed) % 2 * 255);
                (void)snprintf(hex + 2 * b, 3, "%02x", bytes[b]);
            }
            (void)batch_add(batch, "t", NULL, NIL, row,
                            ROW(batch, sl_bytes(SL_BYTES, bytes, len), sl_bytes(SL_STRING, hex, 2 * len)));
        }
        assert_int_equal(sink_put(&sut, "t", batch), SL_OK);
        pg_fixture_run(
            &pg,
            "CREATE OR REPLACE FUNCTION from_hex(h text) RETURNS numeric LANGUAGE plpgsql IMMUTABLE AS $$"
            " DECLARE n numeric := 0; b int; BEGIN FOR i IN 0 .. length(h) / 2 - 1 LOOP"
            " b := get_byte(decode(substr(h, 2 * i + 1, 2), 'hex'), 0);"
            " IF i = 0 AND b > 127 THEN b := b - 256; END IF; n := n * 256 + b; END LOOP; RETURN n; END $$");
        char sql[200];

        (void)snprintf(
            sql, sizeof(sql),
            "SELECT count(*), coalesce(max(scale(v)), 0) FROM t WHERE v = from_hex(hex) * 1e%d::numeric",
            -scale);
        char want[40];

        (void)snprintf(want, sizeof(want), "200|%d", scale > 0 ? scale : 0);
        assert_string_equal(pg_fixture_rows(&pg, sql), want);
        sink_close(&sut);
    }
}

static void dates_and_times_follow_the_column(void **state)
{
    const struct sl_schema *date = named(SL_INT32, "io.debezium.time.Date");
    const struct sl_schema *nano_time = named(SL_INT64, "io.debezium.time.NanoTime");
    const struct sl_schema *micro_time = named(SL_INT64, "io.debezium.time.MicroTime");
    const struct sl_schema *ms_time = named(SL_INT32, "io.debezium.time.Time");

    (void)state;
    expect("date", date, INT(0), "1970-01-01");
    expect("date", date, INT(-719162), "0001-01-01");
    expect("date", date, INT(2932896), "9999-12-31");
    expect("date", named(SL_INT32, "org.apache.kafka.connect.data.Date"), INT(19723), "2024-01-01");
    expect("timestamp", date, INT(19723), "2024-01-01 00:00:00");
    expect("timestamptz", date, INT(19723), "2024-01-01 00:00:00+00");
    expect("int", date, INT(19723), "19723");
    expect("text", date, INT(19723), "2024-01-01");
    expect_bad("date", date, INT(INT32_MIN), "range");
    expect("time", nano_time, LONG(INT64_C(86399999999900)), "23:59:59.999999");
    expect("time", micro_time, LONG(INT64_C(86399999999)), "23:59:59.999999");
    expect("time", ms_time, INT(86399999), "23:59:59.999");
    expect("time(0)", ms_time, INT(1499), "00:00:01");
    expect("bigint", nano_time, LONG(INT64_C(86399999999900)), "86399999999900");
    expect("text", micro_time, LONG(1000000), "00:00:01");
    expect("interval", micro_time, LONG(1000000), "00:00:01");
    expect_bad("time", micro_time, LONG(-1), "within a day");
    expect_bad("time", ms_time, INT(86400001), "within a day");
}

static void timestamps_follow_the_column(void **state)
{
    const struct sl_schema *ms = named(SL_INT64, "io.debezium.time.Timestamp");
    const struct sl_schema *us = named(SL_INT64, "io.debezium.time.MicroTimestamp");
    const struct sl_schema *ns = named(SL_INT64, "io.debezium.time.NanoTimestamp");
    const struct sl_schema *connect = named(SL_INT64, "org.apache.kafka.connect.data.Timestamp");
    const struct sl_schema *zoned = named(SL_STRING, "io.debezium.time.ZonedTimestamp");

    (void)state;
    expect("timestamp", ms, LONG(INT64_C(1700000000123)), "2023-11-14 22:13:20.123");
    expect("timestamp", us, LONG(INT64_C(-62135596800000000)), "0001-01-01 00:00:00");
    expect("timestamp", us, LONG(INT64_C(253402300799999999)), "9999-12-31 23:59:59.999999");
    expect("timestamp", ns, LONG(INT64_C(1700000000123456700)), "2023-11-14 22:13:20.123456");
    expect("timestamp", ns, LONG(-1), "1969-12-31 23:59:59.999999");
    expect("timestamptz", ns, LONG(INT64_C(1700000000123456700)), "2023-11-14 22:13:20.123456+00");
    expect("timestamp", connect, LONG(0), "1970-01-01 00:00:00");
    expect("bigint", us, LONG(INT64_C(1700000000123456)), "1700000000123456");
    expect("date", ms, LONG(INT64_C(1700000000123)), "2023-11-14");
    expect("time", ms, LONG(INT64_C(1700000000123)), "22:13:20.123");
    expect("text", ms, LONG(INT64_C(1700000000123)), "2023-11-14 22:13:20.123");
    expect_bad("timestamp", ms, LONG(INT64_MAX), "range");
    expect_bad("timestamp", us, LONG(INT64_MIN), "range");
    expect_bad("int", us, LONG(INT64_C(1700000000123456)), "integer");
    expect("timestamptz", zoned, TEXT("2024-02-29T12:00:00.1234567+02:00"), "2024-02-29 10:00:00.123457+00");
    expect("timestamp", zoned, TEXT("2024-02-29T12:00:00+02:00"), "2024-02-29 10:00:00");
    expect("text", zoned, TEXT("2024-02-29T12:00:00Z"), "2024-02-29T12:00:00Z");
    expect_bad("timestamptz", zoned, TEXT("yesterday-ish"), "timestamp");
    expect("timestamp", named(SL_STRING, "io.debezium.time.IsoTimestamp"), TEXT("2024-02-29T12:00:00Z"),
           "2024-02-29 12:00:00");
    expect("date", named(SL_STRING, "io.debezium.time.IsoDate"), TEXT("2024-02-29Z"), "2024-02-29");
    expect("time", named(SL_STRING, "io.debezium.time.IsoTime"), TEXT("12:00:01Z"), "12:00:01");
    expect_unfit("uuid", ms, LONG(1));
}

static void db_timezone_moves_connects_instants_only(void **state)
{
    const char *berlin[] = {"db.timezone", "Europe/Berlin", NULL};
    const char *offset[] = {"db.timezone", "GMT+2", NULL};
    const char *utc_dates[] = {"db.timezone", "America/New_York", "date.timezone", "UTC", NULL};
    const struct sl_schema *connect = named(SL_INT64, "org.apache.kafka.connect.data.Timestamp");
    const struct sl_schema *date = named(SL_INT32, "org.apache.kafka.connect.data.Date");

    (void)state;
    settings = berlin;
    expect("timestamp", connect, LONG(0), "1970-01-01 01:00:00");
    expect("timestamptz", connect, LONG(0), "1970-01-01 00:00:00+00");
    expect("timestamp", named(SL_INT64, "io.debezium.time.Timestamp"), LONG(0), "1970-01-01 00:00:00");
    expect("time", named(SL_INT32, "org.apache.kafka.connect.data.Time"), INT(0), "01:00:00");
    settings = offset;
    expect("timestamp", connect, LONG(0), "1970-01-01 02:00:00");
    settings = utc_dates;
    expect("date", date, INT(0), "1970-01-01");
    settings = (const char *const[]){"db.timezone", "America/New_York", NULL};
    expect("date", date, INT(0), "1969-12-31");
    settings = plain;
}

static void texts_become_what_the_column_is(void **state)
{
    (void)state;
    pg_fixture_run(
        &pg,
        "CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE DOMAIN short AS varchar(5) CHECK (VALUE <> 'no');"
        " CREATE DOMAIN shorter AS short");
    expect("text", S(SL_STRING), TEXT(""), "");
    expect("text", S(SL_STRING), TEXT("Zoë \xF0\x9F\x8D\x80 \xE2\x82\xAC"),
           "Zoë \xF0\x9F\x8D\x80 \xE2\x82\xAC");
    expect("varchar(5)", S(SL_STRING), TEXT("abcde"), "abcde");
    expect_bad("varchar(5)", S(SL_STRING), TEXT("abcdef"), "too long");
    expect("char(5)", S(SL_STRING), TEXT("ab"), "ab   ");
    expect("mood", S(SL_STRING), TEXT("happy"), "happy");
    expect_bad("mood", S(SL_STRING), TEXT("angry"), "mood");
    expect("short", S(SL_STRING), TEXT("yes"), "yes");
    expect_bad("short", S(SL_STRING), TEXT("no"), "constraint");
    expect_bad("shorter", S(SL_STRING), TEXT("abcdef"), "too long");
    expect("uuid", S(SL_STRING), TEXT("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"),
           "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
    expect("uuid", S(SL_STRING), TEXT("{a0eebc999c0b4ef8bb6d6bb9bd380a11}"),
           "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
    expect_bad("uuid", S(SL_STRING), TEXT("a0eebc99"), "UUID");
    expect("json", S(SL_STRING), TEXT("{\"a\": 1}"), "{\"a\": 1}");
    expect("jsonb", S(SL_STRING), TEXT("{\"b\":1,\"a\":[2]}"), "{\"a\": [2], \"b\": 1}");
    expect_bad("jsonb", S(SL_STRING), TEXT("{"), "json");
    expect("numeric", S(SL_STRING), TEXT("12.50"), "12.50");
    expect("int", S(SL_STRING), TEXT("12"), "12");
    expect_bad("int", S(SL_STRING), TEXT("twelve"), "integer");
    expect("inet", S(SL_STRING), TEXT("10.0.0.1"), "10.0.0.1");
    expect("bit(3)", S(SL_STRING), TEXT("101"), "101");
    expect("date", S(SL_STRING), TEXT("2024-02-29"), "2024-02-29");
    expect("xml", S(SL_STRING), TEXT("<a/>"), "<a/>");
    expect_unfit("bytea", S(SL_STRING), TEXT("x"));
    expect_bad("text", S(SL_STRING), TEXT("bad \xC3"), "UTF-8");
    expect_bad("text", S(SL_STRING), TEXT("\xED\xA0\x80"), "UTF-8");
    expect_bad("text", S(SL_STRING), TEXT("\xC0\x80 and more than eight"), "UTF-8");
    expect_bad("text", S(SL_STRING), sl_bytes(SL_STRING, "a\0b", 3), "U+0000");
    expect_bad("text", S(SL_STRING), sl_bytes(SL_STRING, "01234567\0", 9), "U+0000");
}

static void bytes_and_arrays_arrive(void **state)
{
    static const uint8_t raw[] = {0, 0xFF, '\\', '\''};
    static const uint8_t uuid[16] = {0xa0, 0xee, 0xbc, 0x99, 0x9c, 0x0b, 0x4e, 0xf8,
                                     0xbb, 0x6d, 0x6b, 0xb9, 0xbd, 0x38, 0x0a, 0x11};
    const struct sl_value ints[] = {INT(1), NIL, INT(-3)};
    const struct sl_value texts[] = {TEXT("a,b"), TEXT("say \"x\\y\""), TEXT("NULL"), NIL, TEXT("")};

    (void)state;
    expect("bytea", S(SL_BYTES), sl_bytes(SL_BYTES, raw, 4), "\\x00ff5c27");
    expect("bytea", S(SL_BYTES), sl_bytes(SL_BYTES, raw, 0), "\\x");
    expect("uuid", S(SL_BYTES), sl_bytes(SL_BYTES, uuid, 16), "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
    expect_bad("uuid", S(SL_BYTES), sl_bytes(SL_BYTES, raw, 4), "16 bytes");
    expect_unfit("text", S(SL_BYTES), sl_bytes(SL_BYTES, raw, 4));
    expect("int[]", sl_schema_array(S(SL_INT32), true), sl_items(SL_ARRAY, ints, 3), "{1,NULL,-3}");
    expect("text[]", sl_schema_array(S(SL_STRING), true), sl_items(SL_ARRAY, texts, 5),
           "{\"a,b\",\"say \\\"x\\\\y\\\"\",\"NULL\",NULL,\"\"}");
    expect("text[]", sl_schema_array(S(SL_STRING), true), sl_items(SL_ARRAY, texts, 0), "{}");
    expect("int[]", sl_schema_array(S(SL_INT32), true), NIL, "NULL");
    expect_unfit("int", sl_schema_array(S(SL_INT32), true), sl_items(SL_ARRAY, ints, 3));
    expect_unfit("text", sl_schema_map(S(SL_STRING), S(SL_STRING), true), NIL);
}

static void collections_become_json(void **state)
{
    const struct sl_schema *text = S(SL_STRING);
    const struct sl_schema *map = sl_schema_map(text, S(SL_INT32), true);
    struct sl_struct_builder b = {.name = "p.ks.t.MapEntry_INT_TEXT"};
    struct sl_struct_builder u = {.name = "p.ks.t.UDT_address"};
    const struct sl_value pairs[] = {TEXT("a \"b\""), INT(1), TEXT("c"), NIL};
    const struct sl_value entry[] = {INT(7), TEXT("x")};
    const struct sl_value entry_2[] = {INT(-1), NIL};
    const struct sl_value entries[] = {sl_items(SL_STRUCT, entry, 2), sl_items(SL_STRUCT, entry_2, 2)};
    const struct sl_value texts[] = {TEXT("a"), NIL};
    const struct sl_value nested[] = {sl_items(SL_ARRAY, texts, 2), sl_bool(true)};
    const struct sl_schema *entry_schema;
    const struct sl_schema *udt;

    (void)state;
    sl_struct_add(&b, "key", S(SL_INT32));
    sl_struct_add(&b, "value", text);
    entry_schema = sl_struct_end(&b, false);
    sl_struct_add(&u, "lines", sl_schema_array(text, true));
    sl_struct_add(&u, "main", S(SL_BOOLEAN));
    udt = sl_struct_end(&u, true);
    expect("jsonb", map, sl_items(SL_MAP, pairs, 2), "{\"c\": null, \"a \\\"b\\\"\": 1}");
    expect("json", map, sl_items(SL_MAP, pairs, 0), "{}");
    expect("jsonb", map, NIL, "NULL");
    expect("jsonb", sl_schema_array(entry_schema, true), sl_items(SL_ARRAY, entries, 2),
           "{\"7\": \"x\", \"-1\": null}");
    expect("jsonb", sl_schema_array(text, true), sl_items(SL_ARRAY, texts, 2), "[\"a\", null]");
    expect("jsonb", udt, sl_items(SL_STRUCT, nested, 2), "{\"main\": true, \"lines\": [\"a\", null]}");
    expect_bad("jsonb", sl_schema_array(text, true),
               sl_items(SL_ARRAY, (const struct sl_value[]){sl_bytes(SL_STRING, "\0", 1)}, 1), "Unicode");
    expect_bad("jsonb", sl_schema_array(text, true),
               sl_items(SL_ARRAY, (const struct sl_value[]){sl_bytes(SL_STRING, "\xFF", 1)}, 1), "encoding");
}

static void what_is_in_a_cell_goes_where_the_bare_value_goes(void **state)
{
    struct sl_struct_builder b = {.name = "p.ks.t.v.Cell"};
    struct sl_struct_builder n = {.name = "p.ks.t.n.Cell"};
    struct sl_struct_builder other = {.name = "p.ks.t.v.Box"};
    const struct sl_value text[] = {TEXT("x")}, number[] = {INT(7)}, nothing[] = {NIL};
    const struct sl_schema *cell;
    const struct sl_schema *number_cell;
    const struct sl_schema *box;

    (void)state;
    sl_struct_add(&b, "value", S(SL_STRING));
    cell = sl_struct_end(&b, true);
    sl_struct_add(&n, "value", S(SL_INT32));
    number_cell = sl_struct_end(&n, true);
    sl_struct_add(&other, "value", S(SL_STRING));
    box = sl_struct_end(&other, true);
    expect("text", cell, sl_items(SL_STRUCT, text, 1), "x");
    expect("varchar(3)", cell, sl_items(SL_STRUCT, nothing, 1), "NULL");
    expect("text", cell, NIL, "NULL");
    expect("bigint", number_cell, sl_items(SL_STRUCT, number, 1), "7");
    expect("numeric(4,1)", number_cell, sl_items(SL_STRUCT, number, 1), "7.0");
    expect("jsonb", cell, sl_items(SL_STRUCT, text, 1),
           "{\"value\": \"x\"}"); /* a column for structs gets it all */
    expect_unfit("bytea", number_cell, sl_items(SL_STRUCT, number, 1));
    expect_unfit("text", box, sl_items(SL_STRUCT, text, 1)); /* no cell by its name */
}

static void a_null_becomes_the_schema_s_default_unless_told_otherwise(void **state)
{
    const char *keep[] = {"replace.null.with.default", "false", NULL};
    const struct sl_schema *with = sl_schema_with_default(S(SL_STRING), TEXT("dflt"));

    (void)state;
    expect("text", with, NIL, "dflt");
    settings = keep;
    expect("text", with, NIL, "NULL");
    settings = plain;
}

static void timestamp_fields_list_makes_numbers_instants(void **state)
{
    const char *micro[] = {"timestamp.fields.list", "v", NULL};
    const char *nano[] = {"timestamp.fields.list", "a,v", "timestamp.precision.mode", "nanoseconds", NULL};

    (void)state;
    settings = micro;
    expect("timestamp", S(SL_INT64), LONG(1000000), "1970-01-01 00:00:01");
    settings = nano;
    expect("timestamptz", S(SL_INT64), LONG(1000000000), "1970-01-01 00:00:01+00");
    settings = plain;
    expect_unfit("timestamp", S(SL_INT64), LONG(1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_keep_their_ends_and_do_not_wrap),
        cmocka_unit_test(floats_and_booleans_arrive),
        cmocka_unit_test(decimals_of_any_length_arrive_exactly),
        cmocka_unit_test(decimals_agree_with_the_server_s_own_arithmetic),
        cmocka_unit_test(dates_and_times_follow_the_column),
        cmocka_unit_test(timestamps_follow_the_column),
        cmocka_unit_test(db_timezone_moves_connects_instants_only),
        cmocka_unit_test(texts_become_what_the_column_is),
        cmocka_unit_test(bytes_and_arrays_arrive),
        cmocka_unit_test(collections_become_json),
        cmocka_unit_test(what_is_in_a_cell_goes_where_the_bare_value_goes),
        cmocka_unit_test(a_null_becomes_the_schema_s_default_unless_told_otherwise),
        cmocka_unit_test(timestamp_fields_list_makes_numbers_instants),
    };

    (void)setenv("PGTZ", "UTC", 1);
    return cmocka_run_group_tests(tests, server_start, server_stop);
}
