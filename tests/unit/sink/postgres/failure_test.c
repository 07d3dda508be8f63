/* SPDX-License-Identifier: Apache-2.0 */
/* One bad row costs one row; what waits is waited for; what nobody can apply is said in one line. */
#include "sink_fixture.h"

#include "base/alloc.h"
#include "base/arena.h"
#include <pthread.h>
#include "data/schema_build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define UPSERT_KEY "insert.mode", "upsert", "pk.mode", "record_key", "delete.enabled", "true"

static struct sink_under_test sut;
static const char *const upsert_key[] = {UPSERT_KEY, "sluice.row.wait.ms", "300", NULL};

static void refused(struct sl_batch *batch, enum sl_rc want, const char *words)
{
    enum sl_rc rc = sink_put(&sut, "t", batch);

    if (rc != want)
        fail_msg("%s instead of %s: %s", sl_rc_name(rc), sl_rc_name(want), sut.err.text);
    if (!strstr(sut.err.text, words))
        fail_msg("'%s' does not say '%s'", sut.err.text, words);
    assert_null(strchr(sut.err.text, '\n'));
    assert_int_equal(sut.released_given_up, 1);
}

static const char table_t[] =
    "CREATE TABLE t (id int PRIMARY KEY, name varchar(8), n bigint CHECK (n < 1000000))";

static void bad_rows_anywhere_in_a_batch_cost_themselves_only(void **state)
{
    unsigned seed = 5;

    (void)state;
    sink_open_on(&sut, table_t, upsert_key);
    for (int round = 0; round < 6; round++) {
        struct sl_batch *batch = batch_new();
        int bad[5];
        int before = sut.n_bad;

        for (int i = 0; i < 5; i++)
            bad[i] = i * 200 + rand_r(&seed) % 200;
        for (int i = 0; i < 1000; i++) {
            bool is_bad = i == bad[i / 200];

            /* by the server twice over, and by us before it is asked */
            people_add(batch, round * 1000 + i,
                       is_bad && round % 3 == 0   ? "far too long a name"
                       : is_bad && round % 3 == 1 ? "bad \xFF"
                                                  : "good",
                       is_bad && round % 3 == 2 ? 1000000 : i);
        }
        sink_must_put(&sut, batch);
        assert_int_equal(sut.n_bad, before + 5);
        for (int i = 0; i < 5; i++)
            assert_int_equal(sut.bad[before + i], bad[i]);
    }
    assert_string_equal(
        pg_fixture_rows(&pg, "SELECT count(*), (SELECT next_offset FROM sluice_offsets) FROM t"),
        "5970|6000");
    assert_int_equal(sut.released_durable, 6);
    sink_close(&sut);
}

static void the_state_before_a_bad_one_stays_in_place(void **state)
{
    struct sl_batch *batch = batch_new();

    (void)state;
    sink_open_on(&sut, table_t, upsert_key);
    people_add(batch, 1, "good", 1);
    people_add(batch, 2, "good", 1);
    people_add(batch, 1, "far too long a name", 2);
    people_add(batch, 2, "nul \xC0", 2);
    sink_must_put(&sut, batch);
    assert_int_equal(sut.n_bad, 2);
    assert_string_equal(pg_fixture_rows(&pg, "SELECT * FROM t ORDER BY id"), "1|good|1\n2|good|1");
    sink_close(&sut);
}

static void when_the_user_wants_no_bad_rows_nothing_of_the_batch_commits(void **state)
{
    struct sl_batch *batch = batch_new();

    (void)state;
    sink_open_on(&sut, table_t, upsert_key);
    sut.refuse_bad = true;
    people_add(batch, 1, "good", 1);
    people_add(batch, 2, "far too long a name", 1);
    refused(batch, SL_E_DATA, "too long");
    assert_string_equal(
        pg_fixture_rows(&pg, "SELECT count(*), (SELECT next_offset FROM sluice_offsets) FROM t"), "0|-1");
    sink_close(&sut);
}

static void records_without_what_the_mode_needs_are_bad(void **state)
{
    const char *settings[] = {"insert.mode", "upsert", "pk.mode", "record_value", "pk.fields", "id", NULL};
    struct sl_batch *batch = batch_new();

    (void)state;
    sink_open_on(&sut, table_t, settings);
    people_delete(batch, 1);
    people_add(batch, 2, "good", 1);
    (void)batch_add(batch, "t", NULL, NIL, people.value, ROW(batch, INT(3)));
    (void)batch_add(batch, "t", NULL, NIL, people.value, NIL);
    sink_must_put(&sut, batch);
    assert_int_equal(sut.n_bad, 3);
    assert_string_equal(pg_fixture_rows(&pg, "SELECT id FROM t"), "2");
    sink_close(&sut);
    (void)server_clean(NULL);
    sink_open_on(&sut, table_t, upsert_key);
    batch = batch_new();
    (void)batch_add(batch, "t", people.key, NIL, people.value, ROW(batch, INT(3), NIL, NIL));
    people_add(batch, 2, "good", 1);
    sink_must_put(&sut, batch);
    assert_int_equal(sut.n_bad, 1);
    assert_non_null(strstr(sut.bad_text, "no key"));
    sink_close(&sut);
}

static void a_null_in_a_column_that_takes_none_is_a_bad_row(void **state)
{
    struct sl_batch *batch = batch_new();

    (void)state;
    sink_open_on(&sut, "CREATE TABLE t (id int PRIMARY KEY, name text NOT NULL, n bigint)", upsert_key);
    people_add(batch, 1, NULL, 1);
    people_add(batch, 2, "good", 1);
    sink_must_put(&sut, batch);
    assert_int_equal(sut.n_bad, 1);
    assert_int_equal(sut.bad[0], 0);
    assert_string_equal(pg_fixture_rows(&pg, "SELECT id FROM t"), "2");
    sink_close(&sut);
}

static void keys_that_the_column_takes_for_equal_end_with_the_last(void **state)
{
    const char *settings[] = {UPSERT_KEY, NULL};
    const struct sl_schema *key = schema_of("k", sl_schema_plain(SL_STRING, false), NULL);
    const struct sl_schema *value = schema_of("n", sl_schema_plain(SL_INT32, true), NULL);
    struct sl_batch *batch = batch_new();

    (void)state;
    sink_open_on(&sut, "CREATE TABLE t (k char(4) PRIMARY KEY, n int)", settings);
    (void)batch_add(batch, "t", key, ROW(batch, TEXT("a")), value, ROW(batch, INT(1)));
    (void)batch_add(batch, "t", key, ROW(batch, TEXT("a ")), value, ROW(batch, INT(2)));
    (void)batch_add(batch, "t", key, ROW(batch, TEXT("b")), value, ROW(batch, INT(3)));
    (void)batch_add(batch, "t", key, ROW(batch, TEXT("a")), value, ROW(batch, INT(4)));
    sink_must_put(&sut, batch);
    assert_int_equal(sut.n_bad, 0);
    assert_string_equal(pg_fixture_rows(&pg, "SELECT * FROM t ORDER BY k"), "a   |4\nb   |3");
    sink_close(&sut);
}

static PGconn *second_session(void)
{
    char text[200];

    (void)snprintf(text, sizeof(text), "host=127.0.0.1 port=%d user=postgres dbname=postgres", pg.port);
    return PQconnectdb(text);
}

static void a_child_without_its_parent_is_bad_after_a_while(void **state)
{
    struct sl_batch *batch = batch_new();

    (void)state;
    sink_open_on(&sut,
                 "CREATE TABLE parent (n bigint PRIMARY KEY);"
                 " CREATE TABLE t (id int PRIMARY KEY, name text, n bigint REFERENCES parent);"
                 " INSERT INTO parent VALUES (1)",
                 upsert_key);
    people_add(batch, 1, "child", 1);
    people_add(batch, 2, "orphan", 7);
    people_add(batch, 3, "child", 1);
    sink_must_put(&sut, batch);
    assert_int_equal(sut.n_bad, 1);
    assert_int_equal(sut.bad[0], 1);
    assert_string_equal(pg_fixture_rows(&pg, "SELECT id FROM t ORDER BY id"), "1\n3");
    sink_close(&sut);
}

static void each_row_that_waited_in_vain_has_its_own_reason(void **state)
{
    struct sl_batch *batch = batch_new();

    (void)state;
    sink_open_on(&sut,
                 "CREATE TABLE parent (n bigint PRIMARY KEY); INSERT INTO parent VALUES (1), (2);"
                 " CREATE TABLE t (id int PRIMARY KEY, name text UNIQUE, n bigint REFERENCES parent)",
                 upsert_key);
    people_add(batch, 1, "ann", 1);
    people_add(batch, 2, "ann", 2);
    people_add(batch, 3, "orphan", 7);
    sink_must_put(&sut, batch);
    assert_int_equal(sut.n_bad, 2);
    assert_int_equal(sut.bad[0], 1);
    assert_string_equal(sut.bad_native[0], "23505");
    assert_int_equal(sut.bad[1], 2);
    assert_string_equal(sut.bad_native[1], "23503");
    sink_close(&sut);
}

static void *insert_parent_soon(void *unused)
{
    PGconn *session = second_session();

    (void)unused;
    /* until the orphan waits, and says so */
    for (;;) {
        PGresult *result = PQexec(session, "SELECT count(DISTINCT pid) FROM pg_locks"
                                           " WHERE locktype = 'advisory'");
        bool waits = strcmp(PQgetvalue(result, 0, 0), "1") == 0;

        PQclear(result);
        if (waits)
            break;
    }
    PQclear(PQexec(session, "INSERT INTO parent VALUES (7)"));
    PQfinish(session);
    return NULL;
}

static void a_child_whose_parent_comes_by_another_way_is_not_bad(void **state)
{
    const char *settings[] = {UPSERT_KEY, "sluice.row.wait.ms", "20000", NULL};
    struct sl_batch *batch = batch_new();
    pthread_t thread;

    (void)state;
    sink_open_on(&sut,
                 "CREATE TABLE parent (n bigint PRIMARY KEY);"
                 " CREATE TABLE t (id int PRIMARY KEY, name text, n bigint REFERENCES parent)",
                 settings);
    people_add(batch, 2, "early", 7);
    assert_int_equal(pthread_create(&thread, NULL, insert_parent_soon, NULL), 0);
    sink_must_put(&sut, batch);
    (void)pthread_join(thread, NULL);
    assert_int_equal(sut.n_bad, 0);
    assert_string_equal(pg_fixture_rows(&pg, "SELECT * FROM t"), "2|early|7");
    sink_close(&sut);
}

static void *look_and_insert_parent(void *ret_seen)
{
    PGconn *session = second_session();
    char *seen = ret_seen;
    PGresult *result;

    for (;;) {
        bool waits;

        result = PQexec(session, "SELECT count(DISTINCT pid) FROM pg_locks WHERE locktype = 'advisory'");
        waits = strcmp(PQgetvalue(result, 0, 0), "1") == 0;
        PQclear(result);
        if (waits)
            break;
    }
    result =
        PQexec(session, "SELECT (SELECT string_agg(id::text, ' ' ORDER BY id) FROM t) || '|' || next_offset"
                        " FROM sluice_offsets");
    (void)snprintf(seen, 32, "%s", PQgetvalue(result, 0, 0));
    PQclear(result);
    /* nothing holds the rows that wait, either */
    PQclear(PQexec(session,
                   "BEGIN; LOCK TABLE t, parent IN ACCESS EXCLUSIVE MODE; INSERT INTO parent VALUES (7);"
                   " COMMIT"));
    PQfinish(session);
    return NULL;
}

static void what_stands_before_a_waiting_row_is_durable_meanwhile(void **state)
{
    const char *settings[] = {UPSERT_KEY, "sluice.row.wait.ms", "20000", NULL};
    struct sl_batch *batch = batch_new();
    char seen[32] = "";
    pthread_t thread;

    (void)state;
    sink_open_on(&sut,
                 "CREATE TABLE parent (n bigint PRIMARY KEY); INSERT INTO parent VALUES (1);"
                 " CREATE TABLE t (id int PRIMARY KEY, name text, n bigint REFERENCES parent)",
                 settings);
    people_add(batch, 1, "before", 1);
    people_add(batch, 2, "before", 1);
    people_add(batch, 3, "early", 7);
    people_add(batch, 4, "behind", 1);
    assert_int_equal(pthread_create(&thread, NULL, look_and_insert_parent, seen), 0);
    sink_must_put(&sut, batch);
    (void)pthread_join(thread, NULL);
    assert_int_equal(sut.n_bad, 0);
    assert_string_equal(seen, "1 2|2");
    assert_string_equal(
        pg_fixture_rows(&pg, "SELECT count(*), (SELECT next_offset FROM sluice_offsets) FROM t"), "4|4");
    assert_string_equal(pg_fixture_rows(&pg, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"),
                        "0");
    sink_close(&sut);
}

/* The row that waits must not come back over a later state of its key. */
static void a_row_that_waited_does_not_undo_a_later_one(void **state)
{
    struct sl_batch *batch = batch_new();

    (void)state;
    sink_open_on(&sut,
                 "CREATE TABLE parent (n bigint PRIMARY KEY); INSERT INTO parent VALUES (1);"
                 " CREATE TABLE t (id int PRIMARY KEY, name varchar(8), n bigint REFERENCES parent)",
                 upsert_key);
    people_add(batch, 1, "orphan", 7);
    people_add(batch, 2, "far too long a name", 1);
    people_add(batch, 1, "later", 1);
    sink_must_put(&sut, batch);
    assert_int_equal(sut.n_bad, 1);
    assert_string_equal(pg_fixture_rows(&pg, "SELECT * FROM t"), "1|later|1");
    sink_close(&sut);
}

static void people_change(struct sl_batch *batch, int id, struct sl_value name, struct sl_value n)
{
    batch_add(batch, "t", people.key, ROW(batch, INT(id)), people.value, ROW(batch, INT(id), name, n))
        ->flags = name.tag == SL_ABSENT || n.tag == SL_ABSENT ? SL_RECORD_PARTIAL : 0;
    batch->flags |= SL_RECORD_PARTIAL;
}

static void a_row_that_waited_keeps_the_columns_that_later_changes_do_not_name(void **state)
{
    const char *settings[] = {UPSERT_KEY, "sluice.row.wait.ms", "20000", NULL};
    struct sl_batch *batch = batch_new();
    pthread_t thread;

    (void)state;
    sink_open_on(&sut,
                 "CREATE TABLE parent (n bigint PRIMARY KEY); INSERT INTO parent VALUES (1);"
                 " CREATE TABLE t (id int PRIMARY KEY, name text, n bigint NOT NULL REFERENCES parent)",
                 settings);
    people_change(batch, 1, TEXT("early"), LONG(7));
    people_change(batch, 2, TEXT("other"), LONG(1));
    people_change(batch, 1, TEXT("later"), ABSENT);
    people_change(batch, 2, TEXT("last"), ABSENT);
    people_change(batch, 1, TEXT("latest"), ABSENT);
    assert_int_equal(pthread_create(&thread, NULL, insert_parent_soon, NULL), 0);
    sink_must_put(&sut, batch);
    (void)pthread_join(thread, NULL);
    assert_int_equal(sut.n_bad, 0);
    assert_string_equal(pg_fixture_rows(&pg, "SELECT * FROM t ORDER BY id"), "1|latest|7\n2|last|1");
    sink_close(&sut);
}

static void changes_behind_a_row_that_waited_in_vain_have_a_time_of_their_own(void **state)
{
    struct sl_batch *batch = batch_new();

    (void)state;
    sink_open_on(&sut,
                 "CREATE TABLE parent (n bigint PRIMARY KEY); INSERT INTO parent VALUES (1);"
                 " CREATE TABLE t (id int PRIMARY KEY, name text, n bigint REFERENCES parent)",
                 upsert_key);
    people_change(batch, 1, TEXT("orphan"), LONG(7));
    people_change(batch, 1, TEXT("later"), ABSENT);
    people_change(batch, 1, ABSENT, LONG(8));
    sink_must_put(&sut, batch);
    assert_int_equal(sut.n_bad, 2);
    assert_int_equal(sut.bad[0], 0);
    assert_int_equal(sut.bad[1], 2);
    assert_string_equal(pg_fixture_rows(&pg, "SELECT * FROM t"), "1|later|NULL");
    sink_close(&sut);
}

static void a_deadlock_is_tried_again_and_no_row_is_blamed(void **state)
{
    PGconn *session = second_session();
    struct sl_batch *batch = batch_new();

    (void)state;
    pg_fixture_run(&pg, "ALTER SYSTEM SET deadlock_timeout = '50ms'");
    pg_fixture_run(&pg, "SELECT pg_reload_conf()");
    sink_open_on(&sut,
                 "CREATE TABLE t (id int PRIMARY KEY, name text, n bigint); INSERT INTO t VALUES (1), (2)",
                 upsert_key);
    people_add(batch, 0, "warm", 0);
    sink_must_put(&sut, batch);
    PQclear(PQexec(session, "SET deadlock_timeout = '2s'; BEGIN; UPDATE t SET n = 0 WHERE id = 2"));
    batch = batch_new();
    people_add(batch, 1, "a", 1);
    people_add(batch, 2, "b", 2);
    assert_int_equal(sink_put_only(&sut, "t", batch), SL_OK);
    while (strcmp(pg_fixture_rows(&pg, "SELECT count(*) FROM pg_locks WHERE NOT granted"), "1") != 0)
        ;
    PQclear(PQexec(session, "UPDATE t SET n = 0 WHERE id = 1; COMMIT"));
    assert_int_equal(sl_pgsink_ops.flush(sut.self, &sut.err), SL_OK);
    assert_int_equal(sut.n_bad, 0);
    assert_string_equal(pg_fixture_rows(&pg, "SELECT * FROM t ORDER BY id"), "0|warm|0\n1|a|1\n2|b|2");
    PQfinish(session);
    sink_close(&sut);
}

static void a_table_that_is_altered_meanwhile_is_read_again(void **state)
{
    struct sl_batch *batch = batch_new();

    (void)state;
    sink_open_on(&sut, "CREATE TABLE t (id int PRIMARY KEY, name text, n bigint)", upsert_key);
    people_add(batch, 1, "a", 1);
    sink_must_put(&sut, batch);
    pg_fixture_run(&pg, "DROP TABLE t; CREATE TABLE t (n numeric, name text, id bigint PRIMARY KEY)");
    batch = batch_new();
    people_add(batch, 2, "b", 2);
    sink_must_put(&sut, batch);
    pg_fixture_run(&pg, "ALTER TABLE t ALTER name TYPE int USING 0");
    batch = batch_new();
    people_add(batch, 3, "33", 3);
    sink_must_put(&sut, batch);
    assert_string_equal(pg_fixture_rows(&pg, "SELECT id, name, n FROM t ORDER BY id"), "2|0|2\n3|33|3");
    pg_fixture_run(&pg, "ALTER TABLE t DROP COLUMN name");
    batch = batch_new();
    people_add(batch, 4, "d", 4);
    refused(batch, SL_E_SCHEMA, "lacks column name");
    sink_close(&sut);
}

static void a_missing_table_is_named_with_the_ways_out(void **state)
{
    struct sl_batch *batch = batch_new();

    (void)state;
    sink_open_on(&sut, "SELECT 1", upsert_key);
    people_add(batch, 1, "a", 1);
    refused(batch, SL_E_NOT_FOUND, "table \"t\" does not exist");
    assert_non_null(strstr(sut.err.text, "auto.create=true"));
    sink_close(&sut);
}

static void a_topic_with_more_dots_than_a_table_name_takes_is_refused(void **state)
{
    struct sl_batch *batch = batch_new();

    (void)state;
    sink_open_on(&sut, table_t, upsert_key);
    assert_int_equal(sink_assign(&sut, "server.db.dbo.t"), SL_OK);
    (void)batch_add(batch, "server.db.dbo.t", people.key, ROW(batch, INT(1)), people.value,
                    ROW(batch, INT(1), NIL, NIL));
    assert_int_equal(sink_put(&sut, "server.db.dbo.t", batch), SL_E_CONFIG);
    assert_non_null(strstr(sut.err.text, "RegexRouter"));
    sink_close(&sut);
}

static void an_upsert_without_a_matching_constraint_names_it(void **state)
{
    struct sl_batch *batch = batch_new();

    (void)state;
    sink_open_on(&sut,
                 "CREATE TABLE t (id int, name text, n bigint); CREATE UNIQUE INDEX ON t (id) WHERE n > 0;"
                 " CREATE UNIQUE INDEX ON t (id, name)",
                 upsert_key);
    people_add(batch, 1, "a", 1);
    refused(batch, SL_E_SCHEMA, "ALTER TABLE public.t ADD PRIMARY KEY (\"id\")");
    sink_close(&sut);
}

static void a_missing_column_is_named_with_the_ways_out(void **state)
{
    struct sl_batch *batch = batch_new();

    (void)state;
    sink_open_on(&sut, "CREATE TABLE t (id int PRIMARY KEY, n bigint)", upsert_key);
    people_add(batch, 1, "a", 1);
    refused(batch, SL_E_SCHEMA, "auto.evolve=true");
    sink_close(&sut);
}

static void more_columns_than_a_table_can_have_are_refused(void **state)
{
    struct sl_struct_builder builder = {0};
    struct sl_batch *batch = batch_new();
    struct sl_value *fields = sl_arena_alloc(batch->arena, 1601 * sizeof(*fields));
    const char *settings[] = {"insert.mode", "insert", "auto.create", "true", NULL};
    char name[16];

    (void)state;
    sink_open_on(&sut, "SELECT 1", settings);
    for (int i = 0; i < 1601; i++) {
        (void)snprintf(name, sizeof(name), "c%d", i);
        sl_struct_add(&builder, sl_arena_strdup(batch->arena, name), sl_schema_plain(SL_INT32, true));
        fields[i] = INT(i);
    }
    (void)batch_add(batch, "t", NULL, NIL, sl_struct_end(&builder, false), sl_items(SL_STRUCT, fields, 1601));
    refused(batch, SL_E_SCHEMA, "at most 1600 columns");
    sink_close(&sut);
}

static void a_row_of_many_columns_is_applied(void **state)
{
    enum { N = 400 };
    struct sl_struct_builder builder = {0};
    struct sl_batch *batch = batch_new();
    struct sl_value *fields = sl_arena_alloc(batch->arena, N * sizeof(*fields));
    const char *settings[] = {"insert.mode", "upsert", "pk.mode", "record_value", "pk.fields", "c7",
                              "auto.create", "true",   NULL};
    char name[16];

    (void)state;
    sink_open_on(&sut, "SELECT 1", settings);
    for (int i = 0; i < N; i++) {
        (void)snprintf(name, sizeof(name), "c%d", i);
        sl_struct_add(&builder, sl_arena_strdup(batch->arena, name), sl_schema_plain(SL_INT32, true));
        fields[i] = INT(i);
    }
    (void)batch_add(batch, "t", NULL, NIL, sl_struct_end(&builder, false), sl_items(SL_STRUCT, fields, N));
    sink_must_put(&sut, batch);
    assert_string_equal(pg_fixture_rows(&pg, "SELECT c0, c7, c399 FROM t"), "0|7|399");
    sink_close(&sut);
}

static void contradictory_settings_are_refused_before_anything_happens(void **state)
{
    static const struct {
        const char *const settings[9];
        const char *words;
    } cases[] = {
        {{"delete.enabled", "true", "pk.mode", "record_value"}, "pk.mode=record_key"},
        {{"insert.mode", "upsert"}, "pk.mode is none"},
        {{"pk.mode", "kafka", "pk.fields", "a,b"}, "three columns"},
        {{"connection.url", "jdbc:mysql://x/y"}, "jdbc:postgresql:"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct sl_props *props = sl_props_new();
        struct sl_error err = {0};

        sl_props_set(props, "connection.url", "jdbc:postgresql://x/y");
        for (const char *const *s = cases[i].settings; *s; s += 2)
            sl_props_set(props, s[0], s[1]);
        assert_int_equal(sl_pgsink_ops.check(props, &err), SL_E_CONFIG);
        assert_non_null(strstr(err.text, cases[i].words));
        sl_props_free(props);
    }
}

static void a_trigger_that_refuses_a_row_makes_it_bad(void **state)
{
    struct sl_batch *batch = batch_new();

    (void)state;
    sink_open_on(&sut,
                 "CREATE TABLE t (id int PRIMARY KEY, name text, n bigint);"
                 " CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS"
                 " $$ BEGIN IF NEW.n = 13 THEN RAISE EXCEPTION 'unlucky'; END IF; RETURN NEW; END $$;"
                 " CREATE TRIGGER no BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION no()",
                 upsert_key);
    for (int i = 0; i < 20; i++)
        people_add(batch, i, "x", i);
    sink_must_put(&sut, batch);
    assert_int_equal(sut.n_bad, 1);
    assert_int_equal(sut.bad[0], 13);
    assert_non_null(strstr(sut.bad_text, "unlucky"));
    sink_close(&sut);
}

static void deferred_constraints_do_not_hide_the_bad_row(void **state)
{
    struct sl_batch *batch = batch_new();

    (void)state;
    sink_open_on(
        &sut,
        "CREATE TABLE parent (n bigint PRIMARY KEY); INSERT INTO parent VALUES (1);"
        " CREATE TABLE t (id int PRIMARY KEY, name text, n bigint REFERENCES parent DEFERRABLE INITIALLY "
        "DEFERRED)",
        upsert_key);
    people_add(batch, 1, "child", 1);
    people_add(batch, 2, "orphan", 7);
    sink_must_put(&sut, batch);
    assert_int_equal(sut.n_bad, 1);
    assert_string_equal(pg_fixture_rows(&pg, "SELECT id FROM t"), "1");
    sink_close(&sut);
}

static void a_failure_is_settled_while_the_next_batch_is_on_its_way(void **state)
{
    (void)state;
    sink_open_on(&sut, table_t, upsert_key);
    for (int round = 0; round < 20; round++) {
        struct sl_batch *batch = batch_new();

        people_add(batch, round, round % 3 == 1 ? "far too long a name" : "good", round);
        people_add(batch, 100 + round, "good", round);
        if (round == 10) /* a new schema forces the settling in the middle of building */
            (void)batch_add(batch, "t", people.key, ROW(batch, INT(500)),
                            schema_of("n", sl_schema_plain(SL_INT64, true), NULL), ROW(batch, LONG(5)));
        if (sink_put_only(&sut, "t", batch) != SL_OK)
            fail_msg("%s", sut.err.text);
    }
    assert_int_equal(sl_pgsink_ops.flush(sut.self, &sut.err), SL_OK);
    assert_int_equal(sut.n_bad, 7);
    assert_int_equal(sut.released_durable, 20);
    assert_string_equal(pg_fixture_rows(&pg, "SELECT count(*) FROM t"), "34");
    sink_close(&sut);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(bad_rows_anywhere_in_a_batch_cost_themselves_only, server_clean),
        cmocka_unit_test_setup(the_state_before_a_bad_one_stays_in_place, server_clean),
        cmocka_unit_test_setup(when_the_user_wants_no_bad_rows_nothing_of_the_batch_commits, server_clean),
        cmocka_unit_test_setup(records_without_what_the_mode_needs_are_bad, server_clean),
        cmocka_unit_test_setup(a_null_in_a_column_that_takes_none_is_a_bad_row, server_clean),
        cmocka_unit_test_setup(keys_that_the_column_takes_for_equal_end_with_the_last, server_clean),
        cmocka_unit_test_setup(a_child_without_its_parent_is_bad_after_a_while, server_clean),
        cmocka_unit_test_setup(each_row_that_waited_in_vain_has_its_own_reason, server_clean),
        cmocka_unit_test_setup(a_child_whose_parent_comes_by_another_way_is_not_bad, server_clean),
        cmocka_unit_test_setup(what_stands_before_a_waiting_row_is_durable_meanwhile, server_clean),
        cmocka_unit_test_setup(a_row_that_waited_does_not_undo_a_later_one, server_clean),
        cmocka_unit_test_setup(a_row_that_waited_keeps_the_columns_that_later_changes_do_not_name,
                               server_clean),
        cmocka_unit_test_setup(changes_behind_a_row_that_waited_in_vain_have_a_time_of_their_own,
                               server_clean),
        cmocka_unit_test_setup(a_deadlock_is_tried_again_and_no_row_is_blamed, server_clean),
        cmocka_unit_test_setup(a_table_that_is_altered_meanwhile_is_read_again, server_clean),
        cmocka_unit_test_setup(a_missing_table_is_named_with_the_ways_out, server_clean),
        cmocka_unit_test_setup(a_topic_with_more_dots_than_a_table_name_takes_is_refused, server_clean),
        cmocka_unit_test_setup(an_upsert_without_a_matching_constraint_names_it, server_clean),
        cmocka_unit_test_setup(a_missing_column_is_named_with_the_ways_out, server_clean),
        cmocka_unit_test_setup(more_columns_than_a_table_can_have_are_refused, server_clean),
        cmocka_unit_test_setup(a_row_of_many_columns_is_applied, server_clean),
        cmocka_unit_test_setup(contradictory_settings_are_refused_before_anything_happens, server_clean),
        cmocka_unit_test_setup(a_trigger_that_refuses_a_row_makes_it_bad, server_clean),
        cmocka_unit_test_setup(deferred_constraints_do_not_hide_the_bad_row, server_clean),
        cmocka_unit_test_setup(a_failure_is_settled_while_the_next_batch_is_on_its_way, server_clean),
    };

    return cmocka_run_group_tests(tests, people_start, server_stop);
}
