/* SPDX-License-Identifier: Apache-2.0 */
/* Text into trees: what clients really send must be read, and what is wrong must be said where it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sim/scylla/cql/constant.h"
#include "sim/scylla/cql/parser.h"
#include "sim/scylla/storage/arena.h"

static struct sy_arena arena;

static const struct sy_statement *parsed(const char *cql)
{
    struct sy_error error;
    const struct sy_statement *statement = sy_parse(cql, strlen(cql), &arena, &error);
    if (statement == NULL)
        fail_msg("%s\n  %s", cql, error.message);
    return statement;
}

static const char *fault(const char *cql)
{
    struct sy_error error = {0};
    if (sy_parse(cql, strlen(cql), &arena, &error) != NULL)
        fail_msg("read without a fault: %s", cql);
    return error.message;
}

static void clients_statements_are_read(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "SELECT * FROM system.peers_v2",
        "select cluster_name from system.local where key = 'local'",
        "SELECT * FROM system_schema.columns WHERE keyspace_name = 'ks' AND (table_name, column_name) > "
        "('t', "
        "'c') LIMIT 1000",
        "SELECT min(time) FROM system_distributed.cdc_generation_timestamps WHERE key='timestamps' AND "
        "time>?;",
        "SELECT min(timestamp) FROM system.cdc_timestamps WHERE keyspace_name=? AND table_name=? AND "
        "timestamp>? "
        "ORDER BY timestamp ASC LIMIT 1;",
        "SELECT * FROM vn.t_scylla_cdc_log WHERE \"cdc$stream_id\"=? AND \"cdc$time\">? AND \"cdc$time\"<=?;",
        "SELECT * FROM \"vn\".\"t_scylla_cdc_log\" WHERE \"cdc$stream_id\" in ? AND \"cdc$time\" >= "
        "minTimeuuid(?) AND \"cdc$time\" < minTimeuuid(?)  BYPASS CACHE",
        "SELECT COUNT(*) FROM system.peers",
        "SELECT keyspace_name, replication, durable_writes FROM system_schema.keyspaces USING TIMEOUT "
        "30000ms",
        "SELECT * FROM system_schema.views WHERE keyspace_name = ? AND base_table_name = ? ALLOW FILTERING",
        "CREATE KEYSPACE IF NOT EXISTS ks WITH replication = "
        "{'class':'SimpleStrategy','replication_factor':1} "
        "AND durable_writes = true AND tablets = {'initial': 4}",
        "CREATE TABLE IF NOT EXISTS \"ks\".\"cp\" ( stream_id blob PRIMARY KEY, generation timestamp, time "
        "timestamp)",
        "CREATE TABLE IF NOT EXISTS T (generation timestamp, application_name text, table_name text, "
        "stream_id "
        "blob, last_timestamp timeuuid, current_generation timestamp, PRIMARY KEY ((generation, "
        "application_name, table_name, stream_id)))",
        "CREATE TABLE a.b (p int, c int, s text static, m map<text, frozen<list<int>>>, PRIMARY KEY ((p), "
        "c)) WITH "
        "CLUSTERING ORDER BY (c DESC) AND cdc = {'enabled': true, 'preimage': 'full'} AND comment = 'it''s' "
        "AND "
        "gc_grace_seconds = 0 AND compaction = {'class': 'X'} AND bloom_filter_fp_chance = 0.1",
        "UPDATE ks.cp USING TTL 60 SET generation = ?, time = ? WHERE stream_id = ?",
        "UPDATE t SET l = l + [1], l = [0] + l, l[2] = 3, m['k'] = 'v', u.f = 1, c = c + 1, s -= {1}, c = c "
        "-1 "
        "WHERE p = 0 IF l[0] = 1 AND u.f != 2 AND c IN (1, 2)",
        "INSERT INTO t (a, b) VALUES (:a, {x: 1, y: (1, 'b')}) IF NOT EXISTS USING TTL ? AND TIMESTAMP 5",
        "DELETE a, b[1], c.d FROM t USING TIMESTAMP 1 WHERE p = 1 AND (c, d) >= (1, 2) AND c < 4",
        "BEGIN UNLOGGED BATCH USING TIMESTAMP 1 INSERT INTO t (a) VALUES (1); DELETE FROM t WHERE a = 1 "
        "APPLY "
        "BATCH;",
        "ALTER TABLE t ADD (a int, b text)",
        "ALTER TABLE t RENAME a TO b AND c TO d",
        "CREATE INDEX ON t (keys(m))",
        "CREATE ROLE 'x' WITH PASSWORD = 'y' AND LOGIN = true AND SUPERUSER = false",
        "GRANT SELECT PERMISSION ON KEYSPACE ks TO bob",
        "SELECT token(a, b), writetime(c) AS w, cast(d AS text), m['k'], u.f, blobAsInt(0x00000001) FROM t "
        "WHERE "
        "token(a, b) > -5 PER PARTITION LIMIT 2 LIMIT 3",
        "INSERT INTO t (a,b,c,d) VALUES (-1, 1h2m, P1Y2DT3H, 123e4567-e89b-12d3-a456-426655440000)",
        "SELECT a -- comment\n FROM t /* other */ WHERE a = $$x'y$$ // end",
        "INSERT INTO t (a, b) VALUES (NaN, -Infinity)",
        "TRUNCATE TABLE ks.t",
        "SELECT p1, P2x FROM PT WHERE p1 = P1W AND p2 = P0001-02-03T04:05:06",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        (void)parsed(texts[i]);
}

static void markers_are_numbered_as_written(void **state)
{
    (void)state;
    const struct sy_statement *s = parsed("UPDATE t USING TTL ? SET a = :x, m[?] = ? WHERE p = ?");
    assert_int_equal(s->n_markers, 5);
    assert_null(s->marker_names[0]);
    assert_string_equal(s->marker_names[1], "x");
    assert_int_equal(s->modify->ttl->marker, 0);
    assert_int_equal(s->modify->operations[1].key->marker, 2);
    assert_int_equal(s->modify->where[0].value->marker, 4);
}

static void names_are_lowered_unless_quoted(void **state)
{
    (void)state;
    const struct sy_statement *s = parsed("SELECT Abc, \"De\"\"F\" FROM KS.\"T\"");
    assert_string_equal(s->select->selectors[0].term->text, "abc");
    assert_string_equal(s->select->selectors[1].term->text, "De\"F");
    assert_string_equal(s->select->keyspace, "ks");
    assert_string_equal(s->select->table, "T");
}

static void faults_name_their_place(void **state)
{
    (void)state;
    assert_string_equal(fault("SELEC * FROM t"), "line 1:0 no viable alternative at input 'SELEC'");
    assert_string_equal(fault("SELECT *\nFORM t"), "line 2:0 mismatched input 'FORM' expecting FROM");
    assert_string_equal(fault("SELECT * FROM t WHERE"), "line 1:21 no viable alternative at input '<EOF>'");
    assert_string_equal(fault("SELECT * FROM t; x"), "line 1:17 mismatched input 'x' expecting EOF");
    assert_string_equal(fault("INSERT INTO t (a) VALUES (1, 2)"), "Unmatched column names/values");
    assert_non_null(strstr(fault("CREATE TABLE table (a int PRIMARY KEY)"), "'table'"));
    assert_non_null(strstr(fault("SELECT 'a FROM t"), "character"));
    assert_non_null(strstr(fault("CREATE MATERIALIZED VIEW v AS SELECT"), "materialized views"));
    assert_string_equal(fault("UPDATE t SET a = b + 1 WHERE p = 1"),
                        "Only expressions of the form X = X + <value> are supported.");
}

static void a_deep_nest_is_refused_and_not_climbed(void **state)
{
    (void)state;
    size_t n = 200000;
    static const char head[] = "INSERT INTO t (a) VALUES (";
    char *text = malloc(n + sizeof head);
    memcpy(text, head, sizeof head);
    memset(text + sizeof head - 1, '[', n);
    struct sy_error error;
    assert_null(sy_parse(text, sizeof head - 1 + n, &arena, &error));
    assert_non_null(strstr(error.message, "deeper"));
    free(text);
}

/* Every prefix and every single changed byte of a statement comes to an end. */
static void broken_texts_come_to_an_end(void **state)
{
    (void)state;
    static const char text[] =
        "UPDATE a.b USING TTL 3 SET m = {'x': [1, (2, 0x0a)]}, t = 1y2mo, u = {f: :n} WHERE "
        "\"P\" = ? AND (c, d) IN ((1, 2)) IF EXISTS";
    struct sy_error error;
    for (size_t i = 0; i < sizeof text; i++)
        (void)sy_parse(text, i, &arena, &error);
    for (size_t i = 0; i < sizeof text - 1; i++)
        for (int c = 1; c < 256; c += 7) {
            char copy[sizeof text];
            memcpy(copy, text, sizeof text);
            copy[i] = (char)c;
            (void)sy_parse(copy, sizeof text - 1, &arena, &error);
            sy_arena_reset(&arena);
        }
}

static void times_are_read_in_all_their_forms(void **state)
{
    (void)state;
    int64_t v;
    uint32_t days;
    int32_t months, day_count;
    assert_true(sy_timestamp_from_text("1970-01-02", 10, &v) && v == 86400000);
    assert_true(sy_timestamp_from_text("1970-01-01 01:00+0100", 21, &v) && v == 0);
    assert_true(sy_timestamp_from_text("2024-02-29T12:34:56.789Z", 24, &v) && v == 1709210096789LL);
    assert_false(sy_timestamp_from_text("2023-02-29", 10, &v));
    assert_false(sy_timestamp_from_text("yesterday", 9, &v));
    assert_true(sy_date_from_text("1969-12-31", 10, &days) && days == 0x7fffffff);
    assert_true(sy_time_from_text("08:12:54.123456789", 18, &v) && v == 29574123456789LL);
    assert_false(sy_time_from_text("25:00:00", 8, &v));
    assert_true(sy_duration_from_text("-1y2mo3w4d5h", 12, &months, &day_count, &v));
    assert_true(months == -14 && day_count == -25 && v == -18000000000000LL);
    assert_true(sy_duration_from_text("P1Y2M3DT4M", 10, &months, &day_count, &v));
    assert_true(months == 14 && day_count == 3 && v == 240000000000LL);
    assert_true(sy_duration_from_text("P0001-02-03T04:05:06", 20, &months, &day_count, &v) && months == 14);
    assert_false(sy_duration_from_text("1x", 2, &months, &day_count, &v));
    for (int64_t d = -800000; d < 800000; d += 997) {
        int64_t year;
        unsigned month, day;
        sy_civil_from_days(d, &year, &month, &day);
        assert_int_equal(sy_days_from_civil(year, month, day), d);
    }
}

static int reset_arena(void **state)
{
    (void)state;
    sy_arena_free(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(clients_statements_are_read, reset_arena),
        cmocka_unit_test_teardown(markers_are_numbered_as_written, reset_arena),
        cmocka_unit_test_teardown(names_are_lowered_unless_quoted, reset_arena),
        cmocka_unit_test_teardown(faults_name_their_place, reset_arena),
        cmocka_unit_test_teardown(a_deep_nest_is_refused_and_not_climbed, reset_arena),
        cmocka_unit_test_teardown(broken_texts_come_to_an_end, reset_arena),
        cmocka_unit_test_teardown(times_are_read_in_all_their_forms, reset_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
