/* SPDX-License-Identifier: Apache-2.0 */
/* What the CDC libraries and drivers ask, word for word, and roles as cqlsh's users make them. */
#include "harness.h"

#include <string.h>

static struct sy_result prepare(struct harness *h, const char *cql)
{
    struct sy_result result;
    sy_session_prepare(h->session, cql, strlen(cql), &h->arena, &result);
    if (result.kind != SY_PREPARED)
        fail_msg("%s\n  %s", cql, result.error.message);
    return result;
}

static const struct sy_result *execute(struct harness *h, const char *cql, const struct sy_value *values,
                                       uint32_t n)
{
    struct sy_result prepared = prepare(h, cql);
    struct sy_parameters p = {
        .n_values = n, .values = values, .page_size = 5000, .paging_state = {.len = SY_NULL}};
    sy_session_execute(h->session, prepared.id, &p, &h->arena, &h->last);
    if (h->last.kind != SY_ROWS)
        fail_msg("%s\n  %s", cql, h->last.error.message);
    return &h->last;
}

static void the_java_library_finds_generations_streams_and_changes(void **state)
{
    struct harness *h = *state;
    defines(h, "CREATE TABLE t (pk int, ck int, v text, PRIMARY KEY (pk, ck)) WITH cdc = {'enabled': true}");
    sy_server_advance_us(h->server, 120000000);
    does(h, "INSERT INTO t (pk, ck, v) VALUES (1, 2, 'x')");
    struct sy_value zero = bigint_value(h, 0);
    const struct sy_result *r =
        execute(h,
                "SELECT min(time) FROM system_distributed.cdc_generation_timestamps WHERE "
                "key='timestamps' AND time>?;",
                &zero, 1);
    assert_int_equal(r->n_rows, 1);
    assert_string_equal(r->columns[0].name, "system.min(time)");
    assert_int_equal(r->columns[0].type->id, SY_TIMESTAMP);
    assert_int_equal(r->cells[0].len, 8);
    struct sy_value time = r->cells[0];
    r = execute(h,
                "SELECT min(time) FROM system_distributed.cdc_generation_timestamps WHERE key='timestamps' "
                "AND time>?;",
                &time, 1);
    assert_int_equal(r->n_rows, 1);
    assert_int_equal(r->cells[0].len, SY_NULL); /* still open */
    r = execute(h, "SELECT streams FROM system_distributed.cdc_streams_descriptions_v2 WHERE time=?;", &time,
                1);
    assert_true(r->n_rows > 0);
    uint32_t n_changes = 0;
    assert_non_null(
        strstr(harness_run(h, "SELECT \"cdc$operation\", pk, ck, v FROM t_scylla_cdc_log"), "2|1|2|'x'"));
    n_changes = h->last.n_rows;
    assert_int_equal(n_changes, 1);
}

static void the_rust_crate_reads_a_group_of_streams(void **state)
{
    struct harness *h = *state;
    defines(h, "CREATE TABLE t (pk int, ck int, v text, PRIMARY KEY (pk, ck)) WITH cdc = {'enabled': true}");
    sy_server_advance_us(h->server, 120000000);
    does(h, "INSERT INTO t (pk, ck, v) VALUES (1, 2, 'x')");
    (void)harness_run(h, "SELECT DISTINCT \"cdc$stream_id\" FROM t_scylla_cdc_log");
    assert_int_equal(h->last.n_rows, 1);
    uint8_t list[4 + 4 + 16] = {0, 0, 0, 1, 0, 0, 0, 16};
    memcpy(list + 8, h->last.cells[0].bytes, 16);
    int64_t now_ms = sy_server_now_us(h->server) / 1000;
    struct sy_value values[3] = {
        {.len = sizeof list, .bytes = list}, bigint_value(h, now_ms - 1000), bigint_value(h, now_ms + 1000)};
    const struct sy_result *r =
        execute(h,
                "SELECT * FROM \"ks\".\"t_scylla_cdc_log\" WHERE \"cdc$stream_id\" in ? AND \"cdc$time\" >= "
                "minTimeuuid(?) AND \"cdc$time\" < minTimeuuid(?)  BYPASS CACHE",
                values, 3);
    assert_int_equal(r->n_rows, 1);
    assert_string_equal(r->columns[0].name, "cdc$stream_id");
    assert_string_equal(r->columns[0].table, "t_scylla_cdc_log");
    values[1] = values[2];
    r = execute(h,
                "SELECT * FROM \"ks\".\"t_scylla_cdc_log\" WHERE \"cdc$stream_id\" in ? AND \"cdc$time\" >= "
                "minTimeuuid(?) AND \"cdc$time\" < minTimeuuid(?)  BYPASS CACHE",
                values, 3);
    assert_int_equal(r->n_rows, 0);
    r = execute(h, "SELECT initial_tablets FROM system_schema.scylla_keyspaces WHERE keyspace_name = ?",
                &(struct sy_value){.len = 2, .bytes = (const uint8_t *)"ks"}, 1);
    assert_true(r->n_rows == 0 || r->cells[0].len == SY_NULL); /* vnodes */
}

static void tablets_have_streams_of_their_own(void **state)
{
    struct harness *h = *state;
    defines(h, "CREATE KEYSPACE tb WITH replication = {'class': 'NetworkTopologyStrategy', "
               "'replication_factor': 1} AND "
               "tablets = {'initial': 4}");
    defines(h,
            "CREATE TABLE tb.t (pk int, ck int, v text, PRIMARY KEY (pk, ck)) WITH cdc = {'enabled': true}");
    sy_server_advance_us(h->server, 120000000);
    struct sy_value values[4] = {text_value("tb"), text_value("t"), bigint_value(h, 0)};
    const struct sy_result *r =
        execute(h,
                "SELECT min(timestamp) FROM system.cdc_timestamps WHERE keyspace_name=? AND "
                "table_name=? AND timestamp>? ORDER BY timestamp ASC LIMIT 1;",
                values, 3);
    assert_int_equal(r->n_rows, 1);
    values[2] = r->cells[0];
    r = execute(
        h,
        "SELECT stream_id FROM system.cdc_streams WHERE keyspace_name=? AND table_name=? AND timestamp=? AND "
        "stream_state=0;",
        values, 3);
    assert_true(r->n_rows >= 4);
    values[3] = (struct sy_value){.len = 1, .bytes = (const uint8_t *)"\0"};
    r = execute(h,
                "SELECT stream_id FROM system.cdc_streams WHERE keyspace_name = ? AND table_name = ? AND "
                "timestamp = ? "
                "AND stream_state = ?;",
                values, 4);
    assert_true(r->n_rows >= 4);
    assert_non_null(strstr(
        harness_run(h,
                    "SELECT initial_tablets FROM system_schema.scylla_keyspaces WHERE keyspace_name = 'tb'"),
        "4"));
}

static void the_schema_is_walked_page_by_page_to_its_end(void **state)
{
    struct harness *h = *state;
    defines(h, "CREATE TABLE a (k int PRIMARY KEY, v int)");
    defines(h, "CREATE TABLE b (k int PRIMARY KEY, v int)");
    assert_answers(h, "SELECT table_name FROM system_schema.tables WHERE keyspace_name = 'ks' LIMIT 1000",
                   "table_name\n'a'\n'b'\n");
    assert_answers(h,
                   "SELECT table_name FROM system_schema.tables WHERE keyspace_name = 'ks' AND table_name > "
                   "'b' LIMIT 1000",
                   "table_name\n");
    assert_answers(h,
                   "SELECT table_name, column_name FROM system_schema.columns WHERE keyspace_name = 'ks' AND "
                   "(table_name, "
                   "column_name) > ('a', 'k') LIMIT 1000",
                   "table_name, column_name\n'a'|'v'\n'b'|'k'\n'b'|'v'\n");
    assert_answers(h, "SELECT * FROM system_schema.views USING TIMEOUT 30000ms WHERE keyspace_name = 'ks'",
                   "! 2000 line 1:56 mismatched input 'WHERE' expecting EOF\n");
    assert_answers(h, "select cluster_name from system.local where key = 'local'",
                   harness_run(h, "SELECT cluster_name FROM system.local USING TIMEOUT 2000ms"));
    assert_int_equal(h->last.n_rows, 1);
}

static void roles_are_made_changed_and_listed(void **state)
{
    struct harness *h = *state;
    does(h, "CREATE ROLE bob WITH PASSWORD = 'secret' AND LOGIN = true");
    assert_true(sy_server_login(h->server, "bob", "secret"));
    assert_false(sy_server_login(h->server, "bob", "wrong"));
    assert_answers(h, "CREATE ROLE bob", "! 2200 Role bob already exists.\n");
    does(h, "CREATE ROLE IF NOT EXISTS bob");
    does(h, "ALTER ROLE bob WITH PASSWORD = 'other'");
    assert_true(sy_server_login(h->server, "bob", "other"));
    does(h, "CREATE USER ann WITH PASSWORD 'x' SUPERUSER");
    assert_non_null(strstr(harness_run(h, "LIST ROLES OF ann"), "'ann'|true|true"));
    does(h, "GRANT SELECT ON KEYSPACE ks TO bob");
    assert_answers(h, "LIST ALL PERMISSIONS OF bob",
                   "role, resource, permissions\n'bob'|'data/ks'|{'SELECT'}\n");
    does(h, "REVOKE SELECT ON KEYSPACE ks FROM bob");
    does(h, "DROP ROLE bob");
    assert_answers(h, "DROP ROLE bob", "! 2200 Role bob doesn't exist.\n");
    assert_false(sy_server_login(h->server, "bob", "other"));
}

int main(void)
{
#define PROMISE(f) cmocka_unit_test_setup_teardown(f, harness_open, harness_close)
    const struct CMUnitTest tests[] = {
        PROMISE(the_java_library_finds_generations_streams_and_changes),
        PROMISE(the_rust_crate_reads_a_group_of_streams),
        PROMISE(tablets_have_streams_of_their_own),
        PROMISE(the_schema_is_walked_page_by_page_to_its_end),
        PROMISE(roles_are_made_changed_and_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
