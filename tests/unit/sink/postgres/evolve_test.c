/* SPDX-License-Identifier: Apache-2.0 */
/* auto.create and auto.evolve, as Confluent's sink does them. */
#include "sink_fixture.h"

#include "data/schema_build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static struct sink_under_test sut;
static struct sink_under_test other;
static const char *const evolving[] = {"insert.mode", "upsert", "pk.mode",     "record_value",
                                       "pk.fields",   "id",     "auto.evolve", "true",
                                       "auto.create", "true",   NULL};

#define S(type, optional) sl_schema_plain((type), (optional))

static const char columns_sql[] =
    "SELECT column_name, data_type, is_nullable, column_default FROM information_schema.columns"
    " WHERE table_name = 't' ORDER BY ordinal_position";

static enum sl_rc put_one(struct sink_under_test *who, const struct sl_schema *schema, size_t n,
                          const struct sl_value *fields)
{
    struct sl_batch *batch = batch_new();

    (void)batch_add(batch, "t", NULL, NIL, schema, row_of(batch, n, fields));
    return sink_put(who, "t", batch);
}

static void a_new_field_becomes_a_column(void **state)
{
    const struct sl_schema *before = schema_of("id", S(SL_INT32, false), "name", S(SL_STRING, true), NULL);
    const struct sl_schema *after = schema_of("id", S(SL_INT32, false), "name", S(SL_STRING, true), "__op",
                                              S(SL_STRING, true), "__deleted", S(SL_STRING, true), NULL);

    (void)state;
    sink_open_on(&sut, "CREATE TABLE t (id int PRIMARY KEY, name text)", evolving);
    assert_int_equal(put_one(&sut, before, 2, (struct sl_value[]){INT(1), TEXT("a")}), SL_OK);
    assert_int_equal(
        put_one(&sut, after, 4, (struct sl_value[]){INT(2), TEXT("b"), TEXT("u"), TEXT("false")}), SL_OK);
    assert_int_equal(put_one(&sut, before, 2, (struct sl_value[]){INT(3), TEXT("c")}), SL_OK);
    assert_string_equal(pg_fixture_rows(&pg, "SELECT id, name, __op, __deleted FROM t ORDER BY id"),
                        "1|a|NULL|NULL\n2|b|u|false\n3|c|NULL|NULL");
    assert_string_equal(pg_fixture_rows(&pg, columns_sql),
                        "id|integer|NO|NULL\nname|text|YES|NULL\n__op|text|YES|NULL\n"
                        "__deleted|text|YES|NULL");
    sink_close(&sut);
}

static void a_created_table_has_the_peers_types_and_defaults(void **state)
{
    const struct sl_value cents = sl_bytes(SL_BYTES, "\x04\xD2", 2);
    const struct sl_schema *schema =
        schema_of("id", S(SL_INT32, false), "i8", S(SL_INT8, true), "i16", S(SL_INT16, false), "i64",
                  S(SL_INT64, true), "f", S(SL_FLOAT32, true), "d", S(SL_FLOAT64, true), "b",
                  sl_schema_with_default(S(SL_BOOLEAN, true), sl_bool(true)), "s",
                  sl_schema_with_default(S(SL_STRING, true), TEXT("it's \\ x")), "raw", S(SL_BYTES, true),
                  "dec", sl_schema_with_default(sl_schema_decimal(2, 10, true), cents), "ts",
                  sl_schema_named(SL_INT64, "org.apache.kafka.connect.data.Timestamp", 1, true), "day",
                  sl_schema_named(SL_INT32, "org.apache.kafka.connect.data.Date", 1, true), "tm",
                  sl_schema_named(SL_INT32, "org.apache.kafka.connect.data.Time", 1, true), "micros",
                  sl_schema_named(SL_INT64, "io.debezium.time.MicroTimestamp", 1, true), "tags",
                  sl_schema_array(S(SL_STRING, true), true), NULL);
    struct sl_value fields[15];

    (void)state;
    for (int i = 0; i < 15; i++)
        fields[i] = NIL;
    fields[0] = INT(1);
    fields[2] = sl_int(SL_INT16, 2);
    sink_open_on(&sut, "SELECT 1", evolving);
    if (put_one(&sut, schema, 15, fields) != SL_OK)
        fail_msg("%s", sut.err.text);
    assert_string_equal(
        pg_fixture_rows(&pg, columns_sql),
        "id|integer|NO|NULL\ni8|smallint|YES|NULL\ni16|smallint|NO|NULL\ni64|bigint|YES|NULL\n"
        "f|real|YES|NULL\nd|double precision|YES|NULL\nb|boolean|YES|true\n"
        "s|text|YES|'it''s \\ x'::text\nraw|bytea|YES|NULL\ndec|numeric|YES|12.34\n"
        "ts|timestamp without time zone|YES|NULL\nday|date|YES|NULL\n"
        "tm|time without time zone|YES|NULL\nmicros|bigint|YES|NULL\ntags|ARRAY|YES|NULL");
    assert_string_equal(pg_fixture_rows(&pg,
                                        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid ="
                                        " 't'::regclass"),
                        "PRIMARY KEY (id)");
    assert_string_equal(pg_fixture_rows(&pg, "SELECT b, s, dec FROM t"), "t|it's \\ x|12.34");
    sink_close(&sut);
}

static void a_field_that_must_be_there_cannot_be_added(void **state)
{
    const struct sl_schema *schema = schema_of("id", S(SL_INT32, false), "must", S(SL_STRING, false), NULL);

    (void)state;
    sink_open_on(&sut, "CREATE TABLE t (id int PRIMARY KEY)", evolving);
    assert_int_equal(put_one(&sut, schema, 2, (struct sl_value[]){INT(1), TEXT("a")}), SL_E_SCHEMA);
    assert_non_null(strstr(sut.err.text, "neither optional"));
    sink_close(&sut);
}

static void a_field_in_another_case_is_told_and_not_added(void **state)
{
    const struct sl_schema *schema = schema_of("id", S(SL_INT32, false), "Name", S(SL_STRING, true), NULL);
    const char *never[] = {"insert.mode", "upsert",      "pk.mode", "record_value",          "pk.fields",
                           "id",          "auto.evolve", "true",    "quote.sql.identifiers", "never",
                           NULL};

    (void)state;
    sink_open_on(&sut, "CREATE TABLE t (id int PRIMARY KEY, name text)", evolving);
    assert_int_equal(put_one(&sut, schema, 2, (struct sl_value[]){INT(1), TEXT("a")}), SL_E_SCHEMA);
    assert_non_null(strstr(sut.err.text, "quote.sql.identifiers=never"));
    sink_close(&sut);
    (void)server_clean(NULL);
    sink_open_on(&sut, "CREATE TABLE t (id int PRIMARY KEY, name text)", never);
    assert_int_equal(put_one(&sut, schema, 2, (struct sl_value[]){INT(1), TEXT("a")}), SL_OK);
    assert_string_equal(pg_fixture_rows(&pg, "SELECT * FROM t"), "1|a");
    sink_close(&sut);
}

static void what_has_no_column_type_is_refused_or_left_out(void **state)
{
    const struct sl_schema *inner = schema_of("x", S(SL_INT32, false), NULL);
    const struct sl_schema *schema = schema_of("id", S(SL_INT32, false), "sub", inner, NULL);
    const struct sl_value sub = INT(1);
    const char *listed[] = {"insert.mode", "upsert", "pk.mode",          "record_value", "pk.fields", "id",
                            "auto.create", "true",   "fields.whitelist", "other",        NULL};

    (void)state;
    sink_open_on(&sut, "SELECT 1", evolving);
    assert_int_equal(put_one(&sut, schema, 2, (struct sl_value[]){INT(1), sl_items(SL_STRUCT, &sub, 1)}),
                     SL_E_SCHEMA);
    assert_non_null(strstr(sut.err.text, "type doesn't have a mapping to the SQL database column type"));
    sink_close(&sut);
    sink_open_on(&sut, "SELECT 1", listed);
    assert_int_equal(put_one(&sut, schema, 2, (struct sl_value[]){INT(1), sl_items(SL_STRUCT, &sub, 1)}),
                     SL_OK);
    assert_string_equal(pg_fixture_rows(&pg, columns_sql), "id|integer|NO|NULL");
    sink_close(&sut);
}

/* Both have read the table before either has changed it. */
static void two_tasks_may_evolve_one_table(void **state)
{
    const struct sl_schema *before = schema_of("id", S(SL_INT32, false), NULL);
    const struct sl_schema *after = schema_of("id", S(SL_INT32, false), "extra", S(SL_STRING, true), NULL);
    const struct sl_schema *later =
        schema_of("id", S(SL_INT32, false), "extra", S(SL_STRING, true), "more", S(SL_INT64, true), NULL);

    (void)state;
    sink_open_on(&sut, "CREATE TABLE t (id int PRIMARY KEY)", evolving);
    sink_open(&other, evolving);
    other.progress[0] = (struct sl_progress){.topic = sl_topic_intern("t", 1), .partition = 1};
    assert_int_equal(put_one(&sut, before, 1, (struct sl_value[]){INT(1)}), SL_OK);
    other.env.connector = "another";
    assert_int_equal(sink_assign(&other, "t"), SL_OK);
    assert_int_equal(put_one(&other, before, 1, (struct sl_value[]){INT(2)}), SL_OK);
    assert_int_equal(put_one(&sut, after, 2, (struct sl_value[]){INT(3), TEXT("c")}), SL_OK);
    if (put_one(&other, later, 3, (struct sl_value[]){INT(4), TEXT("d"), LONG(4)}) != SL_OK)
        fail_msg("%s", other.err.text);
    assert_int_equal(put_one(&sut, later, 3, (struct sl_value[]){INT(5), TEXT("e"), LONG(5)}), SL_OK);
    assert_string_equal(pg_fixture_rows(&pg, "SELECT * FROM t ORDER BY id"),
                        "1|NULL|NULL\n2|NULL|NULL\n3|c|NULL\n4|d|4\n5|e|5");
    sink_close(&sut);
    sink_close(&other);
}

static void schemas_that_change_within_a_batch_all_arrive(void **state)
{
    const struct sl_schema *first = schema_of("id", S(SL_INT32, false), "a", S(SL_STRING, true), NULL);
    const struct sl_schema *second =
        schema_of("id", S(SL_INT32, false), "a", S(SL_STRING, true), "b", S(SL_INT32, true), NULL);
    struct sl_batch *batch = batch_new();

    (void)state;
    sink_open_on(&sut, "CREATE TABLE t (id int PRIMARY KEY, a text)", evolving);
    for (int i = 0; i < 100; i++) {
        if (i % 2)
            (void)batch_add(batch, "t", NULL, NIL, first, ROW(batch, INT(i % 40), TEXT("one")));
        else
            (void)batch_add(batch, "t", NULL, NIL, second, ROW(batch, INT(i % 40), TEXT("two"), INT(i)));
    }
    if (sink_put(&sut, "t", batch) != SL_OK)
        fail_msg("%s", sut.err.text);
    assert_string_equal(
        pg_fixture_rows(&pg, "SELECT count(*), count(b), max(b), count(*) FILTER (WHERE a = 'one') FROM t"),
        "40|20|98|20");
    sink_close(&sut);
}

static void identity_columns_take_the_source_s_numbers(void **state)
{
    const struct sl_schema *schema = schema_of("id", S(SL_INT32, false), "a", S(SL_STRING, true), NULL);

    (void)state;
    sink_open_on(&sut, "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a text)", evolving);
    assert_int_equal(put_one(&sut, schema, 2, (struct sl_value[]){INT(41), TEXT("x")}), SL_OK);
    assert_string_equal(pg_fixture_rows(&pg, "SELECT * FROM t"), "41|x");
    sink_close(&sut);
}

static void partitioned_tables_are_targets_where_the_types_allow(void **state)
{
    const struct sl_schema *schema = schema_of("id", S(SL_INT32, false), "a", S(SL_STRING, true), NULL);
    const char *both[] = {"insert.mode", "upsert", "pk.mode",     "record_value",
                          "pk.fields",   "id",     "table.types", "TABLE,PARTITIONED TABLE",
                          NULL};

    (void)state;
    sink_open_on(
        &sut,
        "CREATE TABLE t (id int PRIMARY KEY, a text) PARTITION BY RANGE (id); CREATE TABLE t1 PARTITION "
        "OF t FOR"
        " VALUES FROM (0) TO (100)",
        evolving);
    assert_int_equal(put_one(&sut, schema, 2, (struct sl_value[]){INT(1), TEXT("x")}), SL_E_CONFIG);
    assert_non_null(strstr(sut.err.text, "table.types"));
    sink_close(&sut);
    (void)server_clean(NULL);
    sink_open_on(
        &sut,
        "CREATE TABLE t (id int PRIMARY KEY, a text) PARTITION BY RANGE (id); CREATE TABLE t1 PARTITION "
        "OF t FOR"
        " VALUES FROM (0) TO (100)",
        both);
    assert_int_equal(put_one(&sut, schema, 2, (struct sl_value[]){INT(1), TEXT("x")}), SL_OK);
    assert_string_equal(pg_fixture_rows(&pg, "SELECT * FROM t1"), "1|x");
    sink_close(&sut);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_new_field_becomes_a_column, server_clean),
        cmocka_unit_test_setup(a_created_table_has_the_peers_types_and_defaults, server_clean),
        cmocka_unit_test_setup(a_field_that_must_be_there_cannot_be_added, server_clean),
        cmocka_unit_test_setup(a_field_in_another_case_is_told_and_not_added, server_clean),
        cmocka_unit_test_setup(what_has_no_column_type_is_refused_or_left_out, server_clean),
        cmocka_unit_test_setup(two_tasks_may_evolve_one_table, server_clean),
        cmocka_unit_test_setup(schemas_that_change_within_a_batch_all_arrive, server_clean),
        cmocka_unit_test_setup(identity_columns_take_the_source_s_numbers, server_clean),
        cmocka_unit_test_setup(partitioned_tables_are_targets_where_the_types_allow, server_clean),
    };

    return cmocka_run_group_tests(tests, server_start, server_stop);
}
