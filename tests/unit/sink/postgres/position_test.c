/* SPDX-License-Identifier: Apache-2.0 */
/* Exactly once: epochs, the compare-and-set, lost connections, foreign logs. */
#include "sink_fixture.h"

#include "base/alloc.h"
#include "data/schema_build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static const char *const ledger[] = {"insert.mode", "insert", "pk.mode", "none", NULL};
static const struct sl_schema *value_schema;
static struct sink_under_test sut;
static struct sink_under_test other;

static int start(void **state)
{
    (void)server_start(state);
    value_schema = schema_of("id", sl_schema_plain(SL_INT32, false), NULL);
    return 0;
}

static int clean(void **state)
{
    (void)server_clean(state);
    pg_fixture_run(&pg, "CREATE TABLE t (id int)");
    return 0;
}

static struct sl_batch *rows(int first, int n)
{
    struct sl_batch *batch = batch_new();

    for (int i = first; i < first + n; i++)
        (void)batch_add(batch, "t", NULL, NIL, value_schema, ROW(batch, INT(i)));
    return batch;
}

static void must(enum sl_rc rc, const struct sink_under_test *who)
{
    if (rc != SL_OK)
        fail_msg("%s", who->err.text);
}

static const char *state_of_target(void)
{
    return pg_fixture_rows(&pg, "SELECT (SELECT count(*) FROM t), (SELECT count(DISTINCT id) FROM t),"
                                " (SELECT sum(next_offset) FROM sluice_offsets)");
}

static void a_new_target_has_no_position_and_an_old_one_tells_its(void **state)
{
    (void)state;
    sink_open(&sut, ledger);
    must(sink_assign(&sut, "t"), &sut);
    assert_int_equal(sut.progress[0].next_offset, -1);
    must(sink_put(&sut, "t", rows(0, 7)), &sut);
    must(sink_assign(&sut, "t"), &sut);
    assert_int_equal(sut.progress[0].next_offset, 7);
    assert_string_equal(
        pg_fixture_rows(&pg, "SELECT connector, topic, partition, next_offset, epoch FROM sluice_offsets"),
        "pg-sink|t|0|7|2");
    sink_close(&sut);
}

static void an_older_writer_commits_nothing(void **state)
{
    (void)state;
    sink_open(&sut, ledger);
    sink_open(&other, ledger);
    must(sink_assign(&sut, "t"), &sut);
    must(sink_put(&sut, "t", rows(0, 10)), &sut);
    must(sink_assign(&other, "t"), &other);
    assert_int_equal(other.progress[0].next_offset, 10);
    assert_int_equal(sink_put(&sut, "t", rows(10, 10)), SL_E_FENCED);
    assert_int_equal(sut.err.kind, SL_KIND_FATAL);
    assert_non_null(strstr(sut.err.text, "HINT"));
    assert_int_equal(sut.released_given_up, 1);
    assert_string_equal(state_of_target(), "10|10|10");
    must(sink_put(&other, "t", rows(10, 5)), &other);
    assert_string_equal(state_of_target(), "15|15|15");
    sink_close(&sut);
    sink_close(&other);
}

/* Until the server has come as far as the table that somebody else holds. */
static void wait_until_the_sink_is_held(void)
{
    while (strcmp(pg_fixture_rows(&pg,
                                  "SELECT count(*) > 0 FROM pg_stat_activity"
                                  " WHERE application_name = 'sluice pg-sink' AND wait_event_type = 'Lock'"),
                  "t") != 0)
        ;
}

/* The zombie is in the middle of its transaction when the new writer comes: one of the two waits for the
 * other. */
static void a_takeover_waits_for_the_transaction_under_way(void **state)
{
    PGconn *blocker;
    char text[200];

    (void)state;
    sink_open(&sut, ledger);
    sink_open(&other, ledger);
    must(sink_assign(&sut, "t"), &sut);
    (void)snprintf(text, sizeof(text), "host=127.0.0.1 port=%d user=postgres dbname=postgres", pg.port);
    blocker = PQconnectdb(text);
    must(sink_put(&sut, "t", rows(0, 5)), &sut);
    PQclear(PQexec(blocker, "BEGIN; LOCK TABLE t"));
    must(sink_put_only(&sut, "t", rows(5, 5)), &sut);
    wait_until_the_sink_is_held();
    PQclear(PQexec(blocker, "COMMIT"));
    must(sink_assign(&other, "t"), &other);
    assert_int_equal(other.progress[0].next_offset, 10);
    must(sl_pgsink_ops.flush(sut.self, &sut.err), &sut);
    assert_int_equal(sink_put(&sut, "t", rows(10, 1)), SL_E_FENCED);
    assert_string_equal(state_of_target(), "10|10|10");
    PQfinish(blocker);
    sink_close(&sut);
    sink_close(&other);
}

static void kill_sessions(void)
{
    pg_fixture_run(&pg, "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                        " WHERE application_name = 'sluice pg-sink'");
}

/* What an engine does: take over again, go on where the target is. */
static void go_on(struct sink_under_test *who, int total, int step)
{
    must(sink_assign(who, "t"), who);
    while (who->progress[0].next_offset < total) {
        int at = who->progress[0].next_offset < 0 ? 0 : (int)who->progress[0].next_offset;

        must(sink_put(who, "t", rows(at, at + step > total ? total - at : step)), who);
    }
}

static void a_session_killed_between_batches_costs_nothing(void **state)
{
    (void)state;
    sink_open(&sut, ledger);
    must(sink_assign(&sut, "t"), &sut);
    must(sink_put(&sut, "t", rows(0, 10)), &sut);
    kill_sessions();
    assert_int_equal(sink_put(&sut, "t", rows(10, 10)), SL_E_CONNECT);
    assert_int_equal(sut.err.kind, SL_KIND_TRANSIENT);
    assert_int_equal(sut.released_given_up, 1);
    go_on(&sut, 20, 10);
    assert_string_equal(state_of_target(), "20|20|20");
    sink_close(&sut);
}

static void a_session_killed_in_mid_flight_leaves_nothing_half_done(void **state)
{
    (void)state;
    sink_open(&sut, ledger);
    must(sink_assign(&sut, "t"), &sut);
    must(sink_put(&sut, "t", rows(0, 10)), &sut);
    pg_fixture_run(&pg, "BEGIN; LOCK TABLE t");
    must(sink_put_only(&sut, "t", rows(10, 10)), &sut);
    kill_sessions();
    pg_fixture_run(&pg, "COMMIT");
    assert_int_equal(sl_pgsink_ops.flush(sut.self, &sut.err), SL_E_CONNECT);
    assert_int_equal(sut.released_given_up, 1);
    assert_string_equal(state_of_target(), "10|10|10");
    go_on(&sut, 20, 10);
    assert_string_equal(state_of_target(), "20|20|20");
    sink_close(&sut);
}

/* The commit happened, its answer never came: the position tells. */
static void a_commit_whose_answer_was_lost_is_not_repeated(void **state)
{
    (void)state;
    sink_open(&sut, ledger);
    must(sink_assign(&sut, "t"), &sut);
    must(sink_put_only(&sut, "t", rows(0, 10)), &sut);
    while (strcmp(pg_fixture_rows(&pg, "SELECT count(*) FROM t"), "10") != 0)
        ;
    pg_fixture_restart(&pg);
    go_on(&sut, 30, 10);
    assert_string_equal(state_of_target(), "30|30|30");
    sink_close(&sut);
}

/* Kill at ever later moments of a run of batches; each time the ledger must hold each row once. */
static void kills_at_any_moment_lose_and_repeat_nothing(void **state)
{
    unsigned seed = 3;
    int kills = 0;

    (void)state;
    sink_open(&sut, ledger);
    for (int round = 0; round < 25; round++) {
        int killing_at = rand_r(&seed) % 5;

        must(sink_assign(&sut, "t"), &sut);
        for (int i = 0; i < 5; i++) {
            int at = sut.progress[0].next_offset < 0 ? 0 : (int)sut.progress[0].next_offset;

            if (sink_put_only(&sut, "t", rows(at, 50)) != SL_OK) {
                assert_int_equal(sut.err.rc, SL_E_CONNECT);
                kills++;
                break;
            }
            if (i == killing_at)
                kill_sessions();
        }
    }
    assert_true(kills > 10);
    must(sink_assign(&sut, "t"), &sut);
    assert_string_equal(
        pg_fixture_rows(&pg, "SELECT count(*) = (SELECT next_offset FROM sluice_offsets), count(*) ="
                             " count(DISTINCT id), max(id) + 1 = count(*) FROM t"),
        "t|t|t");
    sink_close(&sut);
}

static void a_server_that_is_down_is_worth_another_try(void **state)
{
    (void)state;
    sink_open(&sut, ledger);
    sl_props_set(sut.props, "connection.url", "jdbc:postgresql://127.0.0.1:1/postgres?user=postgres");
    sl_pgsink_ops.close(sut.self);
    must(sl_pgsink_ops.open(&sut.env, sut.props, &sut.self, &sut.err), &sut);
    assert_int_equal(sink_assign(&sut, "t"), SL_E_CONNECT);
    assert_int_equal(sink_put(&sut, "t", rows(0, 1)), SL_E_CONNECT);
    assert_int_equal(sut.released_given_up, 1);
    sink_close(&sut);
}

static void positions_of_another_log_are_refused_with_the_ways_out(void **state)
{
    (void)state;
    sink_open(&sut, ledger);
    must(sink_assign(&sut, "t"), &sut);
    must(sink_put(&sut, "t", rows(0, 5)), &sut);
    sink_open(&other, ledger);
    other.env.log_identity = "99999999-0000-0000-0000-000000000000";
    assert_int_equal(sink_assign(&other, "t"), SL_E_FOREIGN_POSITION);
    assert_non_null(strstr(other.err.text, "11111111-2222"));
    assert_non_null(strstr(other.err.text, "DELETE FROM"));
    assert_non_null(strstr(other.err.text, "another name"));
    /* and the writer that was there goes on */
    must(sink_put(&sut, "t", rows(5, 5)), &sut);
    assert_string_equal(state_of_target(), "10|10|10");
    sink_close(&sut);
    sink_close(&other);
}

struct told {
    int n;
    char last[200];
};

static void hear(void *ctx, const struct sl_sink_position *position)
{
    struct told *told = ctx;

    told->n++;
    (void)snprintf(told->last, sizeof(told->last), "%.8s %s-%d@%lld", position->identity, position->topic,
                   position->partition, (long long)position->next_offset);
}

static void a_position_set_beside_the_tasks_replaces_another_logs_and_shuts_its_writer_out(void **state)
{
    const struct sl_progress set = {.topic = sl_topic_intern("t", 1), .partition = 0, .next_offset = 3};
    struct told told = {0};

    (void)state;
    sink_open(&sut, ledger);
    must(sink_assign(&sut, "t"), &sut);
    must(sink_put(&sut, "t", rows(0, 5)), &sut);
    sink_open(&other, ledger);
    other.env.log_identity = "99999999-0000-0000-0000-000000000000";
    must(sl_pgsink_ops.positions(other.self, hear, &told, &other.err), &other);
    assert_int_equal(told.n, 1);
    assert_string_equal(told.last, "11111111 t-0@5");
    must(sl_pgsink_ops.reposition(other.self, &set, 1, &other.err), &other);
    told.n = 0;
    must(sl_pgsink_ops.positions(other.self, hear, &told, &other.err), &other);
    assert_int_equal(told.n, 1);
    assert_string_equal(told.last, "99999999 t-0@3");
    assert_int_equal(sink_put(&sut, "t", rows(5, 5)), SL_E_FENCED);
    must(sink_assign(&other, "t"), &other);
    assert_int_equal(other.progress[0].next_offset, 3);
    sink_close(&sut);
    sink_close(&other);
}

static enum sl_rc identity_of_a_topic(void *ctx, const struct sl_topic *topic, char **ret,
                                      struct sl_error *err)
{
    (void)ctx;
    (void)err;
    *ret = sl_format("cluster/%s/1", topic->name);
    return SL_OK;
}

static void a_position_is_kept_under_the_identity_of_its_topic(void **state)
{
    struct told told = {0};

    (void)state;
    sink_open(&sut, ledger);
    sut.env.topic_identity = identity_of_a_topic;
    must(sink_assign(&sut, "t"), &sut);
    must(sink_put(&sut, "t", rows(0, 5)), &sut);
    sink_close(&sut);
    sink_open(&other, ledger);
    must(sl_pgsink_ops.positions(other.self, hear, &told, &other.err), &other);
    assert_string_equal(told.last, "cluster/ t-0@5");
    sink_close(&other);
}

static void other_partitions_are_taken_over_on_the_same_connection(void **state)
{
    static const char session[] =
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'sluice pg-sink'";
    char first[32];

    (void)state;
    sink_open(&sut, ledger);
    must(sink_assign(&sut, "t"), &sut);
    must(sink_put(&sut, "t", rows(0, 5)), &sut);
    (void)snprintf(first, sizeof(first), "%s", pg_fixture_rows(&pg, session));
    must(sink_assign(&sut, "t"), &sut);
    assert_int_equal(sut.progress[0].next_offset, 5);
    assert_string_equal(pg_fixture_rows(&pg, session), first);
    must(sink_put(&sut, "t", rows(5, 5)), &sut);
    kill_sessions(); /* at rest: nobody has noticed when the next ones come */
    must(sink_assign(&sut, "t"), &sut);
    must(sink_put(&sut, "t", rows(10, 5)), &sut);
    assert_string_equal(state_of_target(), "15|15|15");
    sink_close(&sut);
}

static void impossible_positions_and_newer_formats_are_refused(void **state)
{
    (void)state;
    sink_open(&sut, ledger);
    must(sink_assign(&sut, "t"), &sut);
    pg_fixture_run(&pg, "UPDATE sluice_offsets SET next_offset = -7");
    assert_int_equal(sink_assign(&sut, "t"), SL_E_FOREIGN_POSITION);
    pg_fixture_run(&pg, "UPDATE sluice_offsets SET next_offset = 0, format = 2");
    assert_int_equal(sink_assign(&sut, "t"), SL_E_FOREIGN_POSITION);
    assert_non_null(strstr(sut.err.text, "format 2"));
    sink_close(&sut);
}

static void a_batch_that_does_not_follow_is_refused(void **state)
{
    (void)state;
    sink_open(&sut, ledger);
    must(sink_assign(&sut, "t"), &sut);
    must(sink_put(&sut, "t", rows(0, 5)), &sut);
    sut.progress[0].next_offset = 6;
    assert_int_equal(sink_put(&sut, "t", rows(6, 5)), SL_E_INTERNAL);
    must(sink_assign(&sut, "t"), &sut);
    sut.progress[0].next_offset = 4;
    assert_int_equal(sink_put(&sut, "t", rows(4, 5)), SL_E_INTERNAL);
    assert_string_equal(state_of_target(), "5|5|5");
    sink_close(&sut);
}

/* Somebody changed the row by hand: that, too, is another writer. */
static void a_position_that_moved_meanwhile_fences(void **state)
{
    (void)state;
    sink_open(&sut, ledger);
    must(sink_assign(&sut, "t"), &sut);
    must(sink_put(&sut, "t", rows(0, 5)), &sut);
    pg_fixture_run(&pg, "UPDATE sluice_offsets SET next_offset = 0");
    assert_int_equal(sink_put(&sut, "t", rows(5, 5)), SL_E_FENCED);
    assert_string_equal(pg_fixture_rows(&pg, "SELECT count(*) FROM t"), "5");
    sink_close(&sut);
}

static void one_batch_moves_several_partitions_at_once(void **state)
{
    struct sl_batch *batch = rows(0, 3);

    (void)state;
    sink_open(&sut, ledger);
    for (int i = 0; i < 3; i++)
        sut.progress[i] =
            (struct sl_progress){.topic = sl_topic_intern(i == 2 ? "u" : "t", 1), .partition = i % 2};
    must(sl_pgsink_ops.assign(sut.self, sut.progress, 3, &sut.err), &sut);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(sut.progress[i].next_offset, -1);
        SL_GROW(batch->progress, batch->n_progress, batch->progress_capacity);
        batch->progress[batch->n_progress++] = (struct sl_progress){
            .topic = sut.progress[i].topic, .partition = sut.progress[i].partition, .next_offset = 10 + i};
    }
    must(sl_pgsink_ops.put(sut.self, batch, &sut.err), &sut);
    must(sl_pgsink_ops.flush(sut.self, &sut.err), &sut);
    assert_string_equal(
        pg_fixture_rows(&pg, "SELECT topic, partition, next_offset FROM sluice_offsets ORDER BY 1, 2"),
        "t|0|10\nt|1|11\nu|0|12");
    sink_close(&sut);
}

static void the_offsets_table_may_have_another_name_and_schema(void **state)
{
    const char *settings[] = {
        "insert.mode", "insert", "sluice.offsets.schema", "meta", "sluice.offsets.table", "My Offsets", NULL};

    (void)state;
    pg_fixture_run(&pg, "DROP SCHEMA IF EXISTS meta CASCADE; CREATE SCHEMA meta");
    sink_open(&sut, settings);
    must(sink_assign(&sut, "t"), &sut);
    must(sink_put(&sut, "t", rows(0, 5)), &sut);
    assert_string_equal(pg_fixture_rows(&pg, "SELECT next_offset FROM meta.\"My Offsets\""), "5");
    sink_close(&sut);
}

static void without_the_right_to_create_it_the_error_shows_the_statement(void **state)
{
    char url[200];

    (void)state;
    pg_fixture_run(&pg, "CREATE ROLE plain LOGIN; GRANT USAGE ON SCHEMA public TO plain");
    sink_open(&sut, ledger);
    (void)snprintf(url, sizeof(url), "jdbc:postgresql://127.0.0.1:%d/postgres?user=plain", pg.port);
    sl_props_set(sut.props, "connection.url", url);
    sl_pgsink_ops.close(sut.self);
    must(sl_pgsink_ops.open(&sut.env, sut.props, &sut.self, &sut.err), &sut);
    assert_int_equal(sink_assign(&sut, "t"), SL_E_AUTH);
    assert_non_null(strstr(sut.err.text, "CREATE TABLE IF NOT EXISTS \"sluice_offsets\""));
    assert_non_null(strstr(sut.err.text, "PRIMARY KEY (log_identity, connector, topic, partition))"));
    sink_close(&sut);
}

static void a_waiting_put_ends_when_woken(void **state)
{
    (void)state;
    sink_open(&sut, ledger);
    must(sink_assign(&sut, "t"), &sut);
    must(sink_put(&sut, "t", rows(0, 5)), &sut);
    pg_fixture_run(&pg, "BEGIN; LOCK TABLE t");
    must(sink_put_only(&sut, "t", rows(5, 5)), &sut);
    sl_pgsink_ops.wake(sut.self);
    assert_int_equal(sl_pgsink_ops.flush(sut.self, &sut.err), SL_E_STOPPED);
    assert_int_equal(sut.released_given_up, 1);
    pg_fixture_run(&pg, "COMMIT");
    sink_close(&sut);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_new_target_has_no_position_and_an_old_one_tells_its, clean),
        cmocka_unit_test_setup(an_older_writer_commits_nothing, clean),
        cmocka_unit_test_setup(a_takeover_waits_for_the_transaction_under_way, clean),
        cmocka_unit_test_setup(a_session_killed_between_batches_costs_nothing, clean),
        cmocka_unit_test_setup(a_session_killed_in_mid_flight_leaves_nothing_half_done, clean),
        cmocka_unit_test_setup(a_commit_whose_answer_was_lost_is_not_repeated, clean),
        cmocka_unit_test_setup(kills_at_any_moment_lose_and_repeat_nothing, clean),
        cmocka_unit_test_setup(a_server_that_is_down_is_worth_another_try, clean),
        cmocka_unit_test_setup(positions_of_another_log_are_refused_with_the_ways_out, clean),
        cmocka_unit_test_setup(a_position_set_beside_the_tasks_replaces_another_logs_and_shuts_its_writer_out,
                               clean),
        cmocka_unit_test_setup(a_position_is_kept_under_the_identity_of_its_topic, clean),
        cmocka_unit_test_setup(other_partitions_are_taken_over_on_the_same_connection, clean),
        cmocka_unit_test_setup(impossible_positions_and_newer_formats_are_refused, clean),
        cmocka_unit_test_setup(a_batch_that_does_not_follow_is_refused, clean),
        cmocka_unit_test_setup(a_position_that_moved_meanwhile_fences, clean),
        cmocka_unit_test_setup(one_batch_moves_several_partitions_at_once, clean),
        cmocka_unit_test_setup(the_offsets_table_may_have_another_name_and_schema, clean),
        cmocka_unit_test_setup(without_the_right_to_create_it_the_error_shows_the_statement, clean),
        cmocka_unit_test_setup(a_waiting_put_ends_when_woken, clean),
    };

    return cmocka_run_group_tests(tests, start, server_stop);
}
