/* SPDX-License-Identifier: Apache-2.0 */
/* Writing and reading rows, each kind of statement on a server of its own. */
#include "harness.h"

#include <string.h>

static void rows_come_back_as_they_were_written(void **state)
{
    struct harness *h = *state;
    defines(h, "CREATE TABLE t (p int, c int, v text, PRIMARY KEY (p, c))");
    does(h, "INSERT INTO t (p, c, v) VALUES (1, 2, 'b')");
    does(h, "INSERT INTO ks.t (p, c, v) VALUES (1, 1, 'a')");
    assert_answers(h, "SELECT * FROM t WHERE p = 1", "p, c, v\n1|1|'a'\n1|2|'b'\n");
    assert_answers(h, "SELECT v, c FROM t WHERE p = 1 AND c = 2", "v, c\n'b'|2\n");
    assert_answers(h, "SELECT c AS x FROM t WHERE p = 1 ORDER BY c DESC LIMIT 1", "x\n2\n");
    does(h, "UPDATE t SET v = 'z' WHERE p = 1 AND c IN (1, 3)");
    does(h, "DELETE FROM t WHERE p = 1 AND c = 2");
    assert_answers(h, "SELECT c, v FROM t WHERE p = 1", "c, v\n1|'z'\n3|'z'\n");
    does(h, "DELETE v FROM t WHERE p = 1 AND c = 3"); /* made by UPDATE: without a marker it is gone */
    does(h, "DELETE v FROM t WHERE p = 1 AND c = 1");
    assert_answers(h, "SELECT c, v FROM t WHERE p = 1", "c, v\n1|null\n");
    does(h, "DELETE FROM t WHERE p = 1");
    assert_answers(h, "SELECT c, v FROM t WHERE p = 1", "c, v\n");
}

static void every_type_has_its_literals(void **state)
{
    struct harness *h = *state;
    defines(h, "CREATE TABLE t (k int PRIMARY KEY, a ascii, b bigint, c blob, d boolean, e date, f decimal, "
               "g double, "
               "h duration, i float, j inet, l smallint, m text, n time, o timestamp, q timeuuid, r tinyint, "
               "s uuid, "
               "u varint)");
    does(h,
         "INSERT INTO t (k, a, b, c, d, e, f, g, h, i, j, l, m, n, o, q, r, s, u) VALUES (-1, 'a', "
         "-9223372036854775808, 0x00FF, true, '2024-02-29', -12.340, 1.5e10, 1y2d3h, 0.1, '::1', -32768, "
         "'it''s', '01:02:03.5', '2024-01-01 00:00:00.25+0100', 50554d6e-29bb-11e5-b345-feff819cdc9f, -128, "
         "123e4567-e89b-42d3-a456-426655440000, 123456789012345678901234567890)");
    assert_answers(
        h, "SELECT a, b, c, d, e, f, g FROM t",
        "a, b, c, d, e, f, g\n'a'|-9223372036854775808|0x00ff|true|'2024-02-29'|-12.340|1.5e+10\n");
    assert_answers(
        h, "SELECT h, i, j, l, m, n, o FROM t",
        "h, i, j, l, m, n, o\n12mo2d10800000000000ns|0.1|'::1'|-32768|'it''s'|'01:02:03.500000000'|"
        "'2023-12-31 23:00:00.250+0000'\n");
    assert_answers(
        h, "SELECT q, r, s, u FROM t",
        "q, r, s, u\n50554d6e-29bb-11e5-b345-feff819cdc9f|-128|123e4567-e89b-42d3-a456-426655440000|"
        "123456789012345678901234567890\n");
    assert_answers(h, "INSERT INTO t (k, l) VALUES (1, 40000)", "! 2200 Unable to make short from '40000'\n");
    assert_answers(h, "INSERT INTO t (k, l) VALUES (1, 'x')",
                   "! 2200 Invalid STRING constant (x) for \"l\" of type smallint\n");
    assert_answers(h, "INSERT INTO t (k, q) VALUES (1, 123e4567-e89b-42d3-a456-426655440000)",
                   "! 2200 TimeUUID supports only version 1 UUIDs: 123e4567-e89b-42d3-a456-426655440000\n");
}

static void collections_take_every_operation(void **state)
{
    struct harness *h = *state;
    defines(h, "CREATE TABLE t (k int PRIMARY KEY, l list<int>, s set<text>, m map<text, int>)");
    does(h, "INSERT INTO t (k, l, s, m) VALUES (1, [3, 1], {'b', 'a', 'b'}, {'y': 2, 'x': 1})");
    assert_answers(h, "SELECT l, s, m FROM t", "l, s, m\n[3, 1]|{'a', 'b'}|{'x': 1, 'y': 2}\n");
    h->last.kind = SY_VOID;
    sy_server_advance_us(h->server, 1000);
    does(h, "UPDATE t SET l = l + [4, 5], s = s + {'c'}, m = m + {'z': 3} WHERE k = 1");
    sy_server_advance_us(h->server, 1000);
    does(h, "UPDATE t SET l = [7, 8] + l, s = s - {'a'}, m = m - {'x'} WHERE k = 1");
    sy_server_advance_us(h->server, 1000);
    does(h, "UPDATE t SET l = [6] + l, m['y'] = 9 WHERE k = 1");
    assert_answers(h, "SELECT l, s, m FROM t",
                   "l, s, m\n[6, 7, 8, 3, 1, 4, 5]|{'b', 'c'}|{'y': 9, 'z': 3}\n");
    does(h, "UPDATE t SET l[1] = 70, l = l - [1] WHERE k = 1");
    does(h, "DELETE l[0], m['z'], s['b'] FROM t WHERE k = 1");
    assert_answers(h, "SELECT l, s, m FROM t", "l, s, m\n[70, 8, 3, 4, 5]|{'c'}|{'y': 9}\n");
    assert_answers(h, "UPDATE t SET l[9] = 1 WHERE k = 1",
                   "! 2200 List index 9 out of bound, list has size 5\n");
    does(h, "UPDATE t SET l = [], s = {}, m = null WHERE k = 1");
    assert_answers(h, "SELECT l, s, m FROM t", "l, s, m\nnull|null|null\n");
    assert_answers(h, "UPDATE t SET l[0] = 1 WHERE k = 1",
                   "! 2200 Attempted to set an element on a list which is null\n");
    assert_answers(h, "INSERT INTO t (k, l) VALUES (1, [null])",
                   "! 2200 null is not supported inside collections\n");
}

static void user_types_and_tuples_are_values_or_fields(void **state)
{
    struct harness *h = *state;
    defines(h, "CREATE TYPE address (street text, zip int)");
    defines(h, "CREATE TABLE t (k int PRIMARY KEY, a address, f frozen<address>, t tuple<int, text>, n "
               "frozen<list<list<int>>>)");
    does(h, "INSERT INTO t (k, a, f, t, n) VALUES (1, {street: 's'}, {zip: 1, street: 'f'}, (1, 'x'), [[1], "
            "[]])");
    assert_answers(h, "SELECT a, f, t, n FROM t",
                   "a, f, t, n\n{street: 's', zip: null}|{street: 'f', zip: 1}|(1, 'x')|[[1], []]\n");
    does(h, "UPDATE t SET a.zip = 5, t = (2, null) WHERE k = 1");
    assert_answers(h, "SELECT a.zip, f.street, t FROM t", "a.zip, f.street, t\n5|'f'|(2, null)\n");
    does(h, "DELETE a.street FROM t WHERE k = 1");
    assert_answers(h, "SELECT a FROM t", "a\n{street: null, zip: 5}\n");
    assert_answers(h, "UPDATE t SET f.zip = 1 WHERE k = 1",
                   "! 2200 Invalid operation (f.zip) for frozen UDT column f\n");
    assert_answers(h, "INSERT INTO t (k, a) VALUES (1, {nope: 1})",
                   "! 2200 Unknown field 'nope' in value of user defined type address\n");
}

static void static_columns_belong_to_the_partition(void **state)
{
    struct harness *h = *state;
    defines(h, "CREATE TABLE t (p int, c int, s text static, v int, PRIMARY KEY (p, c))");
    does(h, "INSERT INTO t (p, s) VALUES (1, 'one')");
    assert_answers(h, "SELECT * FROM t", "p, c, s, v\n1|null|'one'|null\n");
    does(h, "INSERT INTO t (p, c, v) VALUES (1, 1, 10)");
    does(h, "INSERT INTO t (p, c, s, v) VALUES (1, 2, 'two', 20)");
    assert_answers(h, "SELECT * FROM t", "p, c, s, v\n1|1|'two'|10\n1|2|'two'|20\n");
    does(h, "UPDATE t SET s = 'three' WHERE p = 1");
    assert_answers(h, "SELECT DISTINCT p, s FROM t", "p, s\n1|'three'\n");
    assert_answers(
        h, "UPDATE t SET s = 'x' WHERE p = 1 AND c = 1",
        "! 2200 Invalid restrictions on clustering columns since the UPDATE statement modifies only "
        "static columns\n");
    does(h, "DELETE s FROM t WHERE p = 1");
    assert_answers(h, "SELECT s FROM t WHERE p = 1 AND c = 1", "s\nnull\n");
}

static void counters_count(void **state)
{
    struct harness *h = *state;
    defines(h, "CREATE TABLE t (k int PRIMARY KEY, n counter, m counter)");
    does(h, "UPDATE t SET n = n + 5, m = m - 1 WHERE k = 1");
    does(h, "UPDATE t SET n += 2 WHERE k = 1");
    does(h, "BEGIN COUNTER BATCH UPDATE t SET n = n - 1 WHERE k = 1; UPDATE t SET n = n + 10 WHERE k = 1; "
            "APPLY BATCH");
    assert_answers(h, "SELECT n, m FROM t", "n, m\n16|-1\n");
    assert_answers(
        h, "UPDATE t SET n = 1 WHERE k = 1",
        "! 2200 Cannot set the value of counter column n (counters can only be incremented/decremented, "
        "not set)\n");
    assert_answers(h, "UPDATE t USING TIMESTAMP 1 SET n = n + 1 WHERE k = 1",
                   "! 2200 Cannot provide custom timestamp for counter updates\n");
    assert_answers(h, "BEGIN BATCH UPDATE t SET n = n + 1 WHERE k = 1; APPLY BATCH",
                   "! 2200 Cannot include a counter statement in a logged batch\n");
}

static void ranges_are_read_and_deleted(void **state)
{
    struct harness *h = *state;
    defines(h, "CREATE TABLE t (p int, a int, b int, v int, PRIMARY KEY (p, a, b)) WITH CLUSTERING ORDER BY "
               "(a ASC, b "
               "DESC)");
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++)
            does(h, sy_arena_format(&h->arena, "INSERT INTO t (p, a, b, v) VALUES (1, %d, %d, %d)", a, b,
                                    10 * a + b));
    assert_answers(h, "SELECT v FROM t WHERE p = 1 AND a = 1", "v\n12\n11\n10\n");
    assert_answers(h, "SELECT v FROM t WHERE p = 1 AND a = 1 AND b >= 1", "v\n12\n11\n");
    assert_answers(h, "SELECT v FROM t WHERE p = 1 AND a = 1 AND b < 1", "v\n10\n");
    assert_answers(h, "SELECT v FROM t WHERE p = 1 AND a > 0 AND a <= 1 ORDER BY a DESC, b ASC",
                   "v\n10\n11\n12\n");
    assert_answers(h, "SELECT v FROM t WHERE p = 1 AND (a, b) > (1, 1)", "v\n12\n22\n21\n20\n");
    assert_answers(h, "SELECT v FROM t WHERE p = 1 AND (a, b) IN ((2, 0), (0, 1))", "v\n1\n20\n");
    assert_answers(h, "SELECT v FROM t WHERE p = 1 AND a IN (2, 0) AND b = 1", "v\n1\n21\n");
    assert_answers(h, "SELECT v FROM t WHERE p = 1 AND b = 1",
                   "! 2200 Cannot execute this query as it might involve data filtering and thus may have "
                   "unpredictable performance. If you want to execute this query despite the performance "
                   "unpredictability, use ALLOW FILTERING\n");
    assert_answers(h, "SELECT v FROM t WHERE p = 1 AND b = 1 AND v > 5 ALLOW FILTERING", "v\n11\n21\n");
    does(h, "DELETE FROM t WHERE p = 1 AND a = 1 AND b > 0");
    does(h, "DELETE FROM t WHERE p = 1 AND a < 1");
    assert_answers(h, "SELECT v FROM t WHERE p = 1", "v\n10\n22\n21\n20\n");
    does(h, "DELETE FROM t WHERE p = 1 AND a = 2");
    assert_answers(h, "SELECT v FROM t WHERE p = 1", "v\n10\n");
}

static void write_times_and_ttls_rule(void **state)
{
    struct harness *h = *state;
    defines(h, "CREATE TABLE t (k int PRIMARY KEY, v text)");
    does(h, "INSERT INTO t (k, v) VALUES (1, 'late') USING TIMESTAMP 2000");
    does(h, "INSERT INTO t (k, v) VALUES (1, 'early') USING TIMESTAMP 1000");
    assert_answers(h, "SELECT v, writetime(v), ttl(v) FROM t", "v, writetime(v), ttl(v)\n'late'|2000|null\n");
    struct sy_parameters p = {.has_timestamp = true, .timestamp_us = 3000, .paging_state = {.len = SY_NULL}};
    assert_string_equal(harness_run_with(h, "UPDATE t SET v = 'client' WHERE k = 1", &p), "ok\n");
    assert_string_equal(harness_run_with(h, "UPDATE t USING TIMESTAMP 2500 SET v = 'using' WHERE k = 1", &p),
                        "ok\n");
    assert_answers(h, "SELECT v, writetime(v) FROM t", "v, writetime(v)\n'client'|3000\n");
    does(h, "INSERT INTO t (k, v) VALUES (2, 'gone') USING TTL 10");
    sy_server_advance_us(h->server, 4000000);
    assert_answers(h, "SELECT v, ttl(v) FROM t WHERE k = 2", "v, ttl(v)\n'gone'|6\n");
    sy_server_advance_us(h->server, 6000000);
    assert_answers(h, "SELECT v FROM t WHERE k = 2", "v\n");
    assert_answers(h, "INSERT INTO t (k) VALUES (1) USING TTL -1",
                   "! 2200 A TTL must be greater or equal to 0\n");
}

static void conditions_decide_and_show_the_old_row(void **state)
{
    struct harness *h = *state;
    defines(h, "CREATE TABLE t (p int, c int, s int static, v int, PRIMARY KEY (p, c))");
    assert_answers(h, "INSERT INTO t (p, c, v) VALUES (1, 1, 1) IF NOT EXISTS",
                   "[applied], p, c, s, v\ntrue|null|null|null|null\n");
    assert_answers(h, "INSERT INTO t (p, c, v) VALUES (1, 1, 2) IF NOT EXISTS",
                   "[applied], p, c, s, v\nfalse|1|1|null|1\n");
    assert_answers(h, "UPDATE t SET v = 5 WHERE p = 1 AND c = 1 IF v = 1", "[applied], v\ntrue|1\n");
    assert_answers(h, "UPDATE t SET v = 6 WHERE p = 1 AND c = 1 IF v IN (1, 2)", "[applied], v\nfalse|5\n");
    assert_answers(h, "UPDATE t SET v = 6 WHERE p = 1 AND c = 9 IF v = null", "[applied], v\ntrue|null\n");
    assert_answers(h, "UPDATE t SET s = 7 WHERE p = 1 IF s = null", "[applied], s\ntrue|null\n");
    assert_answers(h, "DELETE FROM t WHERE p = 1 AND c = 8 IF EXISTS",
                   "[applied], p, c, s, v\nfalse|1|null|7|null\n");
    assert_answers(
        h,
        "BEGIN BATCH UPDATE t SET v = 50 WHERE p = 1 AND c = 1 IF v = 5; INSERT INTO t (p, c, v) VALUES "
        "(1, 2, 2); APPLY BATCH",
        "[applied], p, c, v\ntrue|1|1|5\ntrue|null|null|null\n");
    assert_answers(h, "SELECT c, v FROM t WHERE p = 1", "c, v\n1|50\n2|2\n9|6\n");
    assert_answers(h, "UPDATE t USING TIMESTAMP 1 SET v = 1 WHERE p = 1 AND c = 1 IF EXISTS",
                   "! 2200 Cannot provide custom timestamp for conditional updates\n");
}

static void aggregates_and_groups_are_counted(void **state)
{
    struct harness *h = *state;
    defines(h, "CREATE TABLE t (p int, c int, v int, PRIMARY KEY (p, c))");
    assert_answers(h, "SELECT count(*), min(v), sum(v) FROM t",
                   "count, system.min(v), system.sum(v)\n0|null|0\n");
    assert_answers(h, "SELECT COUNT(*) FROM t", "count\n0\n");
    for (int i = 0; i < 6; i++)
        does(h, sy_arena_format(&h->arena, "INSERT INTO t (p, c, v) VALUES (1, %d, %d)", i, i * i));
    does(h, "UPDATE t SET v = null WHERE p = 1 AND c = 5");
    assert_answers(
        h, "SELECT count(v), min(v), max(v), sum(v), avg(v) FROM t WHERE p = 1",
        "system.count(v), system.min(v), system.max(v), system.sum(v), system.avg(v)\n5|0|16|30|6\n");
    does(h, "INSERT INTO t (p, c, v) VALUES (2, 1, 1)");
    assert_answers(h, "SELECT p, count(*) AS n FROM t GROUP BY p", "p, n\n1|6\n2|1\n");
    assert_answers(h, "SELECT p, c FROM t PER PARTITION LIMIT 2", "p, c\n1|0\n1|1\n2|1\n");
    assert_answers(h, "SELECT max(c) FROM t WHERE p = 1 AND c < 3 ORDER BY c ASC LIMIT 1",
                   "system.max(c)\n2\n");
}

static void functions_make_values(void **state)
{
    struct harness *h = *state;
    defines(h, "CREATE TABLE t (k int PRIMARY KEY, u timeuuid, ts timestamp, b blob)");
    does(h,
         "INSERT INTO t (k, u, ts, b) VALUES (1, minTimeuuid('2024-01-01'), '2024-01-02', intAsBlob(258))");
    assert_answers(
        h,
        "SELECT toTimestamp(u), toDate(ts), toUnixTimestamp(ts), blobAsInt(b), token(k), cast(k AS text) "
        "FROM t",
        "system.totimestamp(u), system.todate(ts), system.tounixtimestamp(ts), system.blobasint(b), "
        "system.token(k), cast(k AS text)\n'2024-01-01 00:00:00.000+0000'|'2024-01-02'|1704153600000|258|"
        "-4069959284402364209|'1'\n");
    does(h, "INSERT INTO t (k, u, ts) VALUES (2, now(), toTimestamp(now()))");
    assert_answers(h, "SELECT ts FROM t WHERE k = 2", "ts\n'2023-11-14 22:13:20.000+0000'\n");
    assert_answers(h, "SELECT nosuch(k) FROM t", "! 2200 Unknown function 'nosuch'\n");
    assert_answers(
        h, "SELECT k FROM t WHERE token(k) > -4069959284402364209 AND token(k) <= 9223372036854775807",
        "k\n2\n");
}

static void wrong_statements_are_refused_with_their_reason(void **state)
{
    struct harness *h = *state;
    defines(h, "CREATE TABLE t (p int, c int, v int, PRIMARY KEY (p, c))");
    assert_answers(h, "SELECT * FROM nope", "! 2200 unconfigured table nope\n");
    assert_answers(h, "SELECT * FROM nope.t", "! 2200 Keyspace nope does not exist\n");
    assert_answers(h, "USE nope", "! 2200 Keyspace 'nope' does not exist\n");
    assert_answers(h, "SELECT x FROM t", "! 2200 Unrecognized name x\n");
    assert_answers(h, "INSERT INTO t (p, x) VALUES (1, 1)", "! 2200 Unknown identifier x\n");
    assert_answers(h, "INSERT INTO t (p, v) VALUES (1, 1)", "! 2200 Missing mandatory PRIMARY KEY part c\n");
    assert_answers(h, "INSERT INTO t (c, v) VALUES (1, 1)", "! 2200 Missing mandatory PRIMARY KEY part p\n");
    assert_answers(h, "UPDATE t SET c = 1 WHERE p = 1 AND c = 2",
                   "! 2200 PRIMARY KEY part c found in SET part\n");
    assert_answers(h, "UPDATE t SET v = 1 WHERE p = 1 AND c = 2 AND v = 1",
                   "! 2200 Non PRIMARY KEY columns found in where clause: v\n");
    assert_answers(h, "DELETE v FROM t WHERE p = 1 AND c > 1",
                   "! 2200 Range deletions are not supported for specific columns\n");
    assert_answers(h, "INSERT INTO t (p, c) VALUES (null, 1)",
                   "! 2200 Invalid null value in condition for column p\n");
    assert_answers(
        h, "SELECT * FROM t WHERE p = 1 ORDER BY v",
        "! 2200 Order by is currently only supported on the clustered columns of the PRIMARY KEY, got v\n");
    assert_answers(h, "SELECT * FROM t LIMIT 0", "! 2200 LIMIT must be strictly positive\n");
    assert_answers(h, "CREATE TABLE x (a int, b int)",
                   "! 2200 No PRIMARY KEY specifed (exactly one required)\n");
    assert_answers(h, "CREATE TABLE x (a list<int> PRIMARY KEY)",
                   "! 2200 Invalid non-frozen collection type for PRIMARY KEY component a\n");
    assert_answers(h, "CREATE TABLE x (a int PRIMARY KEY, b list<list<int>>)",
                   "! 2200 Non-frozen collections are not allowed inside collections\n");
    assert_answers(h, "INSERT INTO t JSON '{}'", "! 2200 this server has no INSERT JSON\n");
    assert_answers(h, "INSERT INTO system.local (key) VALUES ('x')",
                   "! 2100 system keyspace is not user-modifiable.\n");
}

static void definitions_change_and_end_tables(void **state)
{
    struct harness *h = *state;
    assert_answers(h, "CREATE TABLE t (k int PRIMARY KEY, a int)", "CREATED TABLE ks.t\n");
    assert_answers(h, "CREATE TABLE IF NOT EXISTS t (k int PRIMARY KEY, a int)", "ok\n");
    assert_int_equal(strncmp(harness_run(h, "CREATE TABLE t (k int PRIMARY KEY)"), "! 2400", 6), 0);
    does(h, "INSERT INTO t (k, a) VALUES (1, 2)");
    assert_answers(h, "ALTER TABLE t ADD b text", "UPDATED TABLE ks.t\n");
    does(h, "UPDATE t SET b = 'x' WHERE k = 1");
    assert_answers(h, "ALTER TABLE t RENAME k TO key", "UPDATED TABLE ks.t\n");
    assert_answers(h, "SELECT * FROM t", "key, a, b\n1|2|'x'\n");
    defines(h, "ALTER TABLE t DROP a");
    assert_answers(h, "SELECT * FROM t", "key, b\n1|'x'\n");
    does(h, "TRUNCATE t");
    assert_answers(h, "SELECT * FROM t", "key, b\n");
    assert_answers(h, "DROP TABLE t", "DROPPED TABLE ks.t\n");
    assert_answers(h, "DROP TABLE IF EXISTS t", "ok\n");
    assert_answers(h, "DROP KEYSPACE ks", "DROPPED KEYSPACE ks\n");
}

int main(void)
{
#define PROMISE(f) cmocka_unit_test_setup_teardown(f, harness_open, harness_close)
    const struct CMUnitTest tests[] = {
        PROMISE(rows_come_back_as_they_were_written),
        PROMISE(every_type_has_its_literals),
        PROMISE(collections_take_every_operation),
        PROMISE(user_types_and_tuples_are_values_or_fields),
        PROMISE(static_columns_belong_to_the_partition),
        PROMISE(counters_count),
        PROMISE(ranges_are_read_and_deleted),
        PROMISE(write_times_and_ttls_rule),
        PROMISE(conditions_decide_and_show_the_old_row),
        PROMISE(aggregates_and_groups_are_counted),
        PROMISE(functions_make_values),
        PROMISE(wrong_statements_are_refused_with_their_reason),
        PROMISE(definitions_change_and_end_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
