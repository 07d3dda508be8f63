/* SPDX-License-Identifier: Apache-2.0 */
/* What arrives in the table: upserts, deletes, inserts, updates, order, partial rows. */
#include "sink_fixture.h"

#include "base/arena.h"
#include "data/schema_build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define UPSERT_KEY "insert.mode", "upsert", "pk.mode", "record_key", "delete.enabled", "true"

static struct sink_under_test sut;

static void open_on(const char *ddl, const char *const *settings)
{
    (void)server_clean(NULL);
    sink_open_on(&sut, ddl, settings);
}

static const char *const upsert_key[] = {UPSERT_KEY, NULL};
static const char table_t[] = "CREATE TABLE t (id int PRIMARY KEY, name text, n bigint)";

static void an_upsert_inserts_what_is_new_and_updates_what_is_there(void **state)
{
    struct sl_batch *batch = batch_new();

    (void)state;
    open_on("CREATE TABLE t (id int PRIMARY KEY, name text, n bigint); INSERT INTO t VALUES (1, 'old', 1)",
            upsert_key);
    people_add(batch, 1, "new", 10);
    people_add(batch, 2, NULL, 20);
    sink_must_put(&sut, batch);
    assert_string_equal(pg_fixture_rows(&pg, "SELECT * FROM t ORDER BY id"), "1|new|10\n2|NULL|20");
    assert_int_equal(sut.released_durable, 1);
    assert_string_equal(
        pg_fixture_rows(&pg, "SELECT topic, partition, next_offset, format FROM sluice_offsets"), "t|0|2|1");
    sink_close(&sut);
}

static void the_last_state_of_a_key_wins(void **state)
{
    struct sl_batch *batch = batch_new();

    (void)state;
    open_on(table_t, upsert_key);
    people_add(batch, 1, "a", 1);
    people_add(batch, 2, "b", 1);
    people_add(batch, 1, "c", 2);
    people_delete(batch, 2);
    people_add(batch, 3, "d", 1);
    people_delete(batch, 3);
    people_add(batch, 3, "e", 2);
    people_delete(batch, 4);
    sink_must_put(&sut, batch);
    assert_string_equal(pg_fixture_rows(&pg, "SELECT * FROM t ORDER BY id"), "1|c|2\n3|e|2");
    assert_int_equal(sut.n_bad, 0);
    sink_close(&sut);
}

/* Every interleaving of writes and deletes over a few keys ends as one by one would. */
static void any_interleaving_ends_as_row_by_row_would(void **state)
{
    unsigned seed = 7;
    int expected[16] = {0};

    (void)state;
    open_on(table_t, upsert_key);
    for (int round = 0; round < 60; round++) {
        struct sl_batch *batch = batch_new();
        int n = 1 + rand_r(&seed) % 400;
        char want[200] = "";
        char got[200];

        for (int i = 0; i < n; i++) {
            int id = rand_r(&seed) % 16;

            if (rand_r(&seed) % 3 == 0) {
                people_delete(batch, id);
                expected[id] = 0;
            } else {
                expected[id] = round * 1000 + i + 1;
                people_add(batch, id, "x", expected[id]);
            }
        }
        sink_must_put(&sut, batch);
        for (int id = 0; id < 16; id++)
            (void)snprintf(want + strlen(want), sizeof(want) - strlen(want), "%d,", expected[id]);
        (void)snprintf(got, sizeof(got), "%s,",
                       pg_fixture_rows(&pg, "SELECT string_agg(coalesce(t.n, 0)::text, ',' ORDER BY i) FROM"
                                            " generate_series(0, 15) i LEFT JOIN t ON t.id = i"));
        assert_string_equal(got, want);
    }
    sink_close(&sut);
}

static void large_batches_of_unsorted_text_keys_are_applied(void **state)
{
    const char *settings[] = {"insert.mode", "upsert", "pk.mode", "record_value", "pk.fields", "k,part",
                              "batch.size",  "700",    NULL};
    const struct sl_schema *schema =
        schema_of("part", sl_schema_plain(SL_INT16, false), "k", sl_schema_plain(SL_STRING, false), "v",
                  sl_schema_plain(SL_INT32, true), NULL);

    (void)state;
    open_on("CREATE TABLE t (k text, part smallint, v int, PRIMARY KEY (part, k))", settings);
    for (int round = 0; round < 3; round++) {
        struct sl_batch *batch = batch_new();

        for (int i = 0; i < 5000; i++) {
            char key[64];

            (void)snprintf(key, sizeof(key), "a common prefix %d", (i * 7919) % 4000);
            (void)batch_add(
                batch, "t", NULL, NIL, schema,
                ROW(batch, sl_int(SL_INT16, i % 2), TEXT(sl_arena_strdup(batch->arena, key)), INT(i)));
        }
        sink_must_put(&sut, batch);
    }
    assert_string_equal(pg_fixture_rows(&pg, "SELECT count(*), min(v), max(v) FROM t"), "4000|1000|4999");
    sink_close(&sut);
}

static void insert_mode_keeps_every_row_in_the_order_of_the_log(void **state)
{
    const char *settings[] = {"insert.mode", "insert", "pk.mode", "kafka", NULL};
    struct sl_batch *batch = batch_new();

    (void)state;
    open_on(
        "CREATE TABLE t (seq serial, __connect_topic text, __connect_partition int, __connect_offset bigint,"
        " id int, name text, n bigint)",
        settings);
    people_add(batch, 2, "a", 1);
    people_add(batch, 1, "b", 2);
    people_add(batch, 2, "c", 3);
    sink_must_put(&sut, batch);
    batch = batch_new();
    people_add(batch, 1, "d", 4);
    sink_must_put(&sut, batch);
    assert_string_equal(
        pg_fixture_rows(&pg, "SELECT __connect_topic, __connect_partition, __connect_offset, id, name"
                             " FROM t ORDER BY seq"),
        "t|0|0|2|a\nt|0|1|1|b\nt|0|2|2|c\nt|0|3|1|d");
    sink_close(&sut);
}

static void insert_mode_with_deletes_keeps_their_order(void **state)
{
    const char *settings[] = {"insert.mode",    "insert", "pk.mode", "record_key",
                              "delete.enabled", "true",   NULL};
    struct sl_batch *batch = batch_new();

    (void)state;
    open_on(table_t, settings);
    people_add(batch, 1, "a", 1);
    people_delete(batch, 1);
    people_add(batch, 1, "b", 2);
    people_add(batch, 2, "c", 3);
    sink_must_put(&sut, batch);
    assert_string_equal(pg_fixture_rows(&pg, "SELECT * FROM t ORDER BY id"), "1|b|2\n2|c|3");
    assert_int_equal(sut.n_bad, 0);
    sink_close(&sut);
}

static void update_mode_touches_existing_rows_only(void **state)
{
    const char *settings[] = {"insert.mode", "update", "pk.mode", "record_value", "pk.fields", "id", NULL};
    struct sl_batch *batch = batch_new();

    (void)state;
    open_on("CREATE TABLE t (id int PRIMARY KEY, name text, n bigint); INSERT INTO t VALUES (1, 'a', 1)",
            settings);
    people_add(batch, 1, "b", 2);
    people_add(batch, 2, "c", 3);
    sink_must_put(&sut, batch);
    assert_string_equal(pg_fixture_rows(&pg, "SELECT * FROM t"), "1|b|2");
    sink_close(&sut);
}

static void an_absent_field_is_left_alone_and_a_null_one_is_not(void **state)
{
    struct sl_batch *batch = batch_new();

    (void)state;
    open_on("CREATE TABLE t (id int PRIMARY KEY, name text, n bigint); INSERT INTO t VALUES (1, 'a', 1), (2, "
            "'b', 2),"
            " (3, 'c', 3)",
            upsert_key);
    (void)batch_add(batch, "t", people.key, ROW(batch, INT(1)), people.value,
                    ROW(batch, INT(1), ABSENT, LONG(10)));
    (void)batch_add(batch, "t", people.key, ROW(batch, INT(2)), people.value,
                    ROW(batch, INT(2), NIL, ABSENT));
    (void)batch_add(batch, "t", people.key, ROW(batch, INT(1)), people.value,
                    ROW(batch, INT(1), TEXT("z"), ABSENT));
    people_delete(batch, 3);
    (void)batch_add(batch, "t", people.key, ROW(batch, INT(3)), people.value,
                    ROW(batch, INT(3), TEXT("y"), ABSENT));
    (void)batch_add(batch, "t", people.key, ROW(batch, INT(4)), people.value,
                    ROW(batch, INT(4), ABSENT, LONG(4)));
    sink_must_put(&sut, batch);
    assert_string_equal(pg_fixture_rows(&pg, "SELECT * FROM t ORDER BY id"),
                        "1|z|10\n2|NULL|2\n3|y|NULL\n4|NULL|4");
    sink_close(&sut);
}

static void a_partial_row_need_not_say_what_must_not_be_null(void **state)
{
    struct sl_batch *batch = batch_new();

    (void)state;
    open_on("CREATE TABLE t (id int PRIMARY KEY, name text NOT NULL, n bigint, at int NOT NULL DEFAULT 7);"
            " INSERT INTO t VALUES (1, 'a', 1), (2, 'b', 2)",
            upsert_key);
    for (int id = 1; id <= 3; id++)
        (void)batch_add(batch, "t", people.key, ROW(batch, INT(id)), people.value,
                        ROW(batch, INT(id), ABSENT, LONG(10)));
    (void)batch_add(batch, "t", people.key, ROW(batch, INT(4)), people.value,
                    ROW(batch, INT(4), TEXT("d"), ABSENT));
    sink_must_put(&sut, batch);
    assert_string_equal(pg_fixture_rows(&pg, "SELECT * FROM t ORDER BY id"),
                        "1|a|10|7\n2|b|10|7\n4|d|NULL|7");
    assert_int_equal(sut.n_bad, 1); /* there is no row 3, and nobody says its name */
    assert_int_equal(sut.bad[0], 2);
    sink_close(&sut);
}

static void a_large_value_that_the_change_does_not_say_is_left_alone(void **state)
{
    struct sl_batch *batch = batch_new();

    (void)state;
    open_on("CREATE TABLE t (id int PRIMARY KEY, name text, n bigint); INSERT INTO t VALUES (1, 'large', 1)",
            upsert_key);
    (void)batch_add(batch, "t", people.key, ROW(batch, INT(1)), people.value,
                    ROW(batch, INT(1), TEXT("__debezium_unavailable_value"), LONG(10)));
    sink_must_put(&sut, batch);
    assert_string_equal(pg_fixture_rows(&pg, "SELECT * FROM t"), "1|large|10");
    sink_close(&sut);
}

static void parents_come_before_children_and_leave_after_them(void **state)
{
    const char *settings[] = {UPSERT_KEY, "table.name.format", "${topic}", NULL};
    const struct sl_schema *child =
        schema_of("id", sl_schema_plain(SL_INT32, false), "parent", sl_schema_plain(SL_INT32, true), NULL);
    struct sl_batch *batch = batch_new();

    (void)state;
    open_on("CREATE TABLE t (id int PRIMARY KEY, name text, n bigint);"
            " CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES t); INSERT INTO t VALUES (9);"
            " INSERT INTO child VALUES (90, 9)",
            settings);
    (void)batch_add(batch, "child", people.key, ROW(batch, INT(10)), child, ROW(batch, INT(10), INT(1)));
    people_add(batch, 1, "late parent", 1);
    people_delete(batch, 9);
    (void)batch_add(batch, "child", people.key, ROW(batch, INT(90)), NULL, NIL);
    sink_must_put(&sut, batch);
    assert_string_equal(pg_fixture_rows(&pg, "SELECT * FROM child"), "10|1");
    assert_string_equal(pg_fixture_rows(&pg, "SELECT id FROM t"), "1");
    assert_int_equal(sut.n_bad, 0);
    sink_close(&sut);
}

static void values_that_change_hands_under_another_unique_index_arrive(void **state)
{
    struct sl_batch *batch = batch_new();

    (void)state;
    open_on("CREATE TABLE t (id int PRIMARY KEY, name text UNIQUE, n bigint);"
            " INSERT INTO t VALUES (1, 'x', 0), (2, 'z', 0), (3, 'q', 0)",
            upsert_key);
    people_add(batch, 1, "y", 1);
    people_add(batch, 2, "x", 1);
    people_add(batch, 1, "w", 2);
    people_delete(batch, 3);
    people_add(batch, 0, "q", 1);
    sink_must_put(&sut, batch);
    assert_string_equal(pg_fixture_rows(&pg, "SELECT * FROM t ORDER BY id"), "0|q|1\n1|w|2\n2|x|1");
    assert_int_equal(sut.n_bad, 0);
    sink_close(&sut);
}

static void a_batch_without_records_moves_the_position_only(void **state)
{
    struct sl_batch *batch = batch_new();

    (void)state;
    open_on(table_t, upsert_key);
    sink_must_put(&sut, batch);
    batch = batch_new();
    people_add(batch, 1, "a", 1);
    sink_must_put(&sut, batch);
    assert_string_equal(pg_fixture_rows(&pg, "SELECT next_offset FROM sluice_offsets"), "1");
    sink_close(&sut);
}

static void names_with_quotes_dots_and_other_scripts_are_names(void **state)
{
    const char *settings[] = {"insert.mode",       "upsert", "pk.mode", "record_key", "table.name.format",
                              "Sch\"ema.${topic}", NULL};
    const struct sl_schema *key = schema_of("k\"ey.1", sl_schema_plain(SL_INT32, false), NULL);
    const struct sl_schema *value = schema_of("Größe", sl_schema_plain(SL_STRING, true), "a.b; DROP",
                                              sl_schema_plain(SL_INT32, true), NULL);
    struct sl_batch *batch = batch_new();

    (void)state;
    pg_fixture_run(&pg, "DROP SCHEMA IF EXISTS \"Sch\"\"ema\" CASCADE; CREATE SCHEMA \"Sch\"\"ema\"");
    open_on("CREATE TABLE \"Sch\"\"ema\".\"таблица\" (\"k\"\"ey.1\" int PRIMARY KEY, \"Größe\" text, \"a.b; "
            "DROP\" int)",
            settings);
    assert_int_equal(sink_assign(&sut, "таблица"), SL_OK);
    (void)batch_add(batch, "таблица", key, ROW(batch, INT(1)), value, ROW(batch, TEXT("ü"), INT(5)));
    assert_int_equal(sink_put(&sut, "таблица", batch), SL_OK);
    assert_string_equal(pg_fixture_rows(&pg, "SELECT * FROM \"Sch\"\"ema\".\"таблица\""), "1|ü|5");
    sink_close(&sut);
}

/* The key is compared in the column's own type, whatever type the record brings. */
static void deletes_and_updates_find_rows_by_keys_of_any_type(void **state)
{
    const struct sl_schema *text = sl_schema_plain(SL_STRING, false);
    const struct sl_schema *number = sl_schema_plain(SL_INT64, false);
    const struct sl_schema *stamp = sl_schema_named(SL_INT64, "io.debezium.time.MicroTimestamp", 1, false);
    const struct {
        const char *type;
        const struct sl_schema *schema;
        struct sl_value kept, gone;
    } cases[] = {
        {"char(6)", text, TEXT("ab"), TEXT("cd")},
        {"varchar(6)", text, TEXT("ab"), TEXT("cd")},
        {"mood", text, TEXT("sad"), TEXT("happy")},
        {"uuid", text, TEXT("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
         TEXT("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A12")},
        {"inet", text, TEXT("10.0.0.1"), TEXT("10.0.0.2")},
        {"numeric", number, LONG(7), LONG(-8)},
        {"text", number, LONG(7), LONG(-8)},
        {"timestamptz", stamp, LONG(7), LONG(-8)},
        {"date", stamp, LONG(0), LONG(INT64_C(86400000000))},
    };
    const struct sl_schema *value = schema_of("v", sl_schema_plain(SL_INT32, true), NULL);
    const char *update[] = {"insert.mode", "update", "pk.mode", "record_key", "delete.enabled", "true", NULL};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const struct sl_schema *key = schema_of("k", cases[i].schema, NULL);
        struct sl_batch *batch = batch_new();
        char ddl[120];

        (void)snprintf(ddl, sizeof(ddl),
                       "CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE TABLE t (k %s PRIMARY KEY,"
                       " v int)",
                       cases[i].type);
        open_on(ddl, upsert_key);
        (void)batch_add(batch, "t", key, ROW(batch, cases[i].kept), value, ROW(batch, INT(1)));
        (void)batch_add(batch, "t", key, ROW(batch, cases[i].gone), value, ROW(batch, INT(1)));
        sink_must_put(&sut, batch);
        sink_close(&sut);
        sink_open(&sut, update);
        assert_int_equal(sink_assign(&sut, "t"), SL_OK);
        batch = batch_new();
        (void)batch_add(batch, "t", key, ROW(batch, cases[i].gone), NULL, NIL);
        (void)batch_add(batch, "t", key, ROW(batch, cases[i].kept), value, ROW(batch, INT(2)));
        sink_must_put(&sut, batch);
        assert_int_equal(sut.n_bad, 0);
        assert_string_equal(pg_fixture_rows(&pg, "SELECT count(*), max(v) FROM t"), "1|2");
        sink_close(&sut);
    }
}

static void a_bare_key_and_a_bare_text_are_columns(void **state)
{
    const char *settings[] = {UPSERT_KEY, "pk.fields", "id", NULL};
    struct sl_batch *batch = batch_new();
    const struct sl_schema *key = sl_schema_plain(SL_INT64, false);
    const struct sl_schema *value = sl_schema_plain(SL_STRING, true);

    (void)state;
    open_on("CREATE TABLE t (id int PRIMARY KEY, record_value text)", settings);
    (void)batch_add(batch, "t", key, LONG(5), value, TEXT("five"));
    (void)batch_add(batch, "t", key, LONG(6), value, TEXT("six"));
    (void)batch_add(batch, "t", key, LONG(5), value, NIL);
    sink_must_put(&sut, batch);
    assert_string_equal(pg_fixture_rows(&pg, "SELECT * FROM t"), "6|six");
    sink_close(&sut);
}

static void two_batches_in_a_row_overlap_and_both_arrive(void **state)
{
    (void)state;
    open_on(table_t, upsert_key);
    for (int round = 0; round < 50; round++) {
        struct sl_batch *batch = batch_new();

        for (int i = 0; i < 100; i++)
            people_add(batch, (i * 13 + round) % 500, "r", round);
        assert_int_equal(sink_put_only(&sut, "t", batch), SL_OK);
        assert_true(sut.released_durable >= round);
    }
    assert_int_equal(sl_pgsink_ops.flush(sut.self, &sut.err), SL_OK);
    assert_int_equal(sut.released_durable, 50);
    assert_string_equal(pg_fixture_rows(&pg, "SELECT next_offset FROM sluice_offsets"), "5000");
    sink_close(&sut);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_upsert_inserts_what_is_new_and_updates_what_is_there),
        cmocka_unit_test(the_last_state_of_a_key_wins),
        cmocka_unit_test(any_interleaving_ends_as_row_by_row_would),
        cmocka_unit_test(large_batches_of_unsorted_text_keys_are_applied),
        cmocka_unit_test(insert_mode_keeps_every_row_in_the_order_of_the_log),
        cmocka_unit_test(insert_mode_with_deletes_keeps_their_order),
        cmocka_unit_test(update_mode_touches_existing_rows_only),
        cmocka_unit_test(an_absent_field_is_left_alone_and_a_null_one_is_not),
        cmocka_unit_test(a_partial_row_need_not_say_what_must_not_be_null),
        cmocka_unit_test(a_large_value_that_the_change_does_not_say_is_left_alone),
        cmocka_unit_test(parents_come_before_children_and_leave_after_them),
        cmocka_unit_test(values_that_change_hands_under_another_unique_index_arrive),
        cmocka_unit_test(a_batch_without_records_moves_the_position_only),
        cmocka_unit_test(names_with_quotes_dots_and_other_scripts_are_names),
        cmocka_unit_test(deletes_and_updates_find_rows_by_keys_of_any_type),
        cmocka_unit_test(a_bare_key_and_a_bare_text_are_columns),
        cmocka_unit_test(two_batches_in_a_row_overlap_and_both_arrive),
    };

    return cmocka_run_group_tests(tests, people_start, server_stop);
}
