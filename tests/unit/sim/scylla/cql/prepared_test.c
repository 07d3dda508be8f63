/* SPDX-License-Identifier: Apache-2.0 */
/* Prepared statements: markers and their types, paging, batches of the protocol, forgetting. */
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

static const char *execute(struct harness *h, const struct sy_result *prepared, const struct sy_value *values,
                           uint32_t n)
{
    struct sy_parameters p = {.n_values = n, .values = values, .paging_state = {.len = SY_NULL}};
    sy_session_execute(h->session, prepared->id, &p, &h->arena, &h->last);
    return harness_text(h, &h->last);
}

static void markers_know_their_columns_and_the_key(void **state)
{
    struct harness *h = *state;
    defines(h, "CREATE TABLE t (a int, b text, c int, m map<text, bigint>, PRIMARY KEY ((a, b), c))");
    struct sy_result r = prepare(h, "UPDATE t USING TTL ? SET m[?] = ? WHERE b = ? AND a = ? AND c IN ?");
    static const char *const names[] = {"[ttl]", "key(m)", "value(m)", "b", "a", "in(c)"};
    static const enum sy_type_id types[] = {SY_INT, SY_TEXT, SY_BIGINT, SY_TEXT, SY_INT, SY_LIST};
    assert_int_equal(r.n_binds, 6);
    for (int i = 0; i < 6; i++) {
        assert_string_equal(r.binds[i].name, names[i]);
        assert_int_equal(r.binds[i].type->id, types[i]);
    }
    assert_int_equal(r.n_pk_indexes, 2);
    assert_int_equal(r.pk_indexes[0], 4);
    assert_int_equal(r.pk_indexes[1], 3);
    assert_int_equal(r.n_columns, 0);
    assert_false(r.is_lwt);
    r = prepare(h, "SELECT c, m FROM t WHERE a = ? AND b = 'x' LIMIT ?");
    assert_int_equal(r.n_pk_indexes, 0);
    assert_int_equal(r.n_columns, 2);
    assert_true(prepare(h, "UPDATE t SET m = ? WHERE a = ? AND b = ? AND c = ? IF EXISTS").is_lwt);
}

static void values_are_bound_checked_and_may_be_unset(void **state)
{
    struct harness *h = *state;
    defines(h, "CREATE TABLE t (k int PRIMARY KEY, v text, w int)");
    struct sy_result insert = prepare(h, "INSERT INTO t (k, v, w) VALUES (?, ?, ?)");
    struct sy_value values[3] = {int_value(h, 1), text_value("x"), int_value(h, 5)};
    assert_string_equal(execute(h, &insert, values, 3), "ok\n");
    values[1].len = SY_NULL;
    values[2].len = SY_UNSET;
    assert_string_equal(execute(h, &insert, values, 3), "ok\n");
    assert_answers(h, "SELECT * FROM t", "k, v, w\n1|null|5\n");
    assert_non_null(strstr(execute(h, &insert, values, 2), "! 2200 Invalid amount of bind variables"));
    values[2] = text_value("abc");
    assert_non_null(strstr(execute(h, &insert, values, 3), "! 2200 Exception while binding column w"));
    values[0].len = SY_UNSET;
    values[2].len = SY_NULL;
    assert_string_equal(execute(h, &insert, values, 3), "! 2200 Invalid unset value for column k\n");
}

static void values_may_come_by_name(void **state)
{
    struct harness *h = *state;
    defines(h, "CREATE TABLE t (k int PRIMARY KEY, v text)");
    static const char *const names[] = {"text", "k"};
    struct sy_value values[2] = {text_value("x"), int_value(h, 1)};
    struct sy_parameters p = {
        .n_values = 2, .values = values, .names = names, .paging_state = {.len = SY_NULL}};
    assert_string_equal(harness_run_with(h, "INSERT INTO t (k, v) VALUES (:k, :text)", &p), "ok\n");
    assert_string_equal(harness_run_with(h, "INSERT INTO t (k, v) VALUES (?, :text)", &p), "ok\n");
    assert_answers(h, "SELECT * FROM t", "k, v\n1|'x'\n");
    assert_non_null(strstr(harness_run_with(h, "INSERT INTO t (k, v) VALUES (:k, :other)", &p), "! 2200"));
}

/* All rows, page by page; the number of pages into *ret_pages. */
static uint32_t read_pages(struct harness *h, const char *cql, int32_t page_size, uint32_t *ret_pages)
{
    struct sy_parameters p = {.page_size = page_size, .paging_state = {.len = SY_NULL}};
    uint32_t rows = 0;
    *ret_pages = 0;
    do {
        (void)harness_run_with(h, cql, &p);
        assert_int_equal(h->last.kind, SY_ROWS);
        rows += h->last.n_rows;
        p.paging_state = h->last.paging_state;
        (*ret_pages)++;
    } while (p.paging_state.len != SY_NULL);
    return rows;
}

static void pages_give_every_row_once(void **state)
{
    struct harness *h = *state;
    uint32_t pages;
    defines(h, "CREATE TABLE t (p int, c int, s int static, PRIMARY KEY (p, c))");
    for (int p = 0; p < 5; p++)
        for (int c = 0; c < 7; c++)
            does(h, sy_arena_format(&h->arena, "INSERT INTO t (p, c) VALUES (%d, %d)", p, c));
    does(h, "INSERT INTO t (p, s) VALUES (99, 1)");
    for (int32_t size = 1; size < 40; size++) {
        assert_int_equal(read_pages(h, "SELECT * FROM t", size, &pages), 36);
        assert_int_equal(pages, (36 + size - 1) / size);
    }
    assert_int_equal(read_pages(h, "SELECT * FROM t LIMIT 20", 6, &pages), 20);
    assert_int_equal(read_pages(h, "SELECT * FROM t PER PARTITION LIMIT 3", 2, &pages), 16);
    assert_int_equal(read_pages(h, "SELECT DISTINCT p FROM t", 2, &pages), 6);
    assert_int_equal(read_pages(h, "SELECT c FROM t WHERE p = 1 ORDER BY c DESC", 3, &pages), 7);
    assert_int_equal(pages, 3);
    assert_int_equal(read_pages(h, "SELECT c FROM t WHERE p IN (4, 1, 2) AND c > 2", 3, &pages), 12);
    assert_int_equal(read_pages(h, "SELECT c FROM t WHERE c > 4 ALLOW FILTERING", 3, &pages), 10);
    defines(h, "CREATE TABLE single (k int PRIMARY KEY, v int)");
    for (int k = 0; k < 20; k++)
        does(h, sy_arena_format(&h->arena, "INSERT INTO single (k, v) VALUES (%d, 0)", k));
    assert_int_equal(read_pages(h, "SELECT * FROM single", 3, &pages), 20);
    assert_int_equal(read_pages(h, "SELECT * FROM single WHERE k IN (1, 2, 3, 4)", 2, &pages), 4);
    struct sy_parameters bad = {.page_size = 3, .paging_state = {.len = 3, .bytes = (const uint8_t *)"abc"}};
    assert_string_equal(harness_run_with(h, "SELECT * FROM t", &bad),
                        "! 000a Invalid value for the paging state\n");
}

static void a_batch_of_the_protocol_mixes_texts_and_ids(void **state)
{
    struct harness *h = *state;
    defines(h, "CREATE TABLE t (k int PRIMARY KEY, v int)");
    struct sy_result insert = prepare(h, "INSERT INTO t (k, v) VALUES (?, ?)");
    struct sy_value values[2] = {int_value(h, 1), int_value(h, 10)};
    static const char text[] = "INSERT INTO t (k, v) VALUES (2, 20)";
    struct sy_batch_item items[2] = {{.n_values = 2, .values = values},
                                     {.cql = text, .cql_len = sizeof text - 1}};
    struct sy_parameters p = {.has_timestamp = true, .timestamp_us = 77, .paging_state = {.len = SY_NULL}};
    memcpy(items[0].id, insert.id, 16);
    sy_session_batch(h->session, SY_BATCH_LOGGED, items, 2, &p, &h->arena, &h->last);
    assert_string_equal(harness_text(h, &h->last), "ok\n");
    assert_answers(h, "SELECT k, v, writetime(v) FROM t", "k, v, writetime(v)\n1|10|77\n2|20|77\n");
    items[1] = (struct sy_batch_item){.cql = "SELECT * FROM t", .cql_len = 15};
    sy_session_batch(h->session, SY_BATCH_LOGGED, items, 2, &p, &h->arena, &h->last);
    assert_int_equal(h->last.error.code, 0x2200);
    memset(items[0].id, 9, 16);
    sy_session_batch(h->session, SY_BATCH_LOGGED, items, 1, &p, &h->arena, &h->last);
    assert_int_equal(h->last.error.code, 0x2500);
    assert_int_equal(h->last.error.extra.len, 18);
}

static void a_changed_table_makes_its_statements_unknown(void **state)
{
    struct harness *h = *state;
    defines(h, "CREATE TABLE t (k int PRIMARY KEY, v int)");
    struct sy_result select = prepare(h, "SELECT * FROM t WHERE k = 1");
    assert_string_equal(execute(h, &select, NULL, 0), "k, v\n");
    defines(h, "ALTER TABLE t ADD w int");
    assert_non_null(strstr(execute(h, &select, NULL, 0), "! 2500"));
    struct sy_result again = prepare(h, "SELECT * FROM t WHERE k = 1");
    assert_memory_equal(again.id, select.id, 16);
    assert_string_equal(execute(h, &select, NULL, 0), "k, v, w\n");
}

static void each_node_knows_its_own_statements(void **state)
{
    struct harness *h = *state;
    defines(h, "CREATE TABLE t (k int PRIMARY KEY, v int)");
    struct sy_result select = prepare(h, "SELECT * FROM ks.t WHERE k = 1");
    struct sy_session *first = h->session, *other = sy_session_open(h->server, 1, "cassandra");
    assert_non_null(strstr((h->session = other, execute(h, &select, NULL, 0)), "! 2500"));
    h->session = first;
    assert_string_equal(execute(h, &select, NULL, 0), "k, v\n");
    sy_server_forget_prepared(h->server, 0);
    assert_non_null(strstr(execute(h, &select, NULL, 0), "! 2500"));
    sy_session_close(other);
}

int main(void)
{
#define PROMISE(f) cmocka_unit_test_setup_teardown(f, harness_open, harness_close)
    const struct CMUnitTest tests[] = {
        PROMISE(markers_know_their_columns_and_the_key),
        PROMISE(values_are_bound_checked_and_may_be_unset),
        PROMISE(values_may_come_by_name),
        PROMISE(pages_give_every_row_once),
        PROMISE(a_batch_of_the_protocol_mixes_texts_and_ids),
        PROMISE(a_changed_table_makes_its_statements_unknown),
        PROMISE(each_node_knows_its_own_statements),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
