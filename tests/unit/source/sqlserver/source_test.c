/* SPDX-License-Identifier: Apache-2.0 */
/* The whole source over the real protocol, on a log that the test writes: order, resuming, outages, gaps. */
#include "base/clock.h"
#include "base/props.h"
#include "scripted_server.h"
#include "sim/sqlserver/tds/faults.h"
#include "sim/sqlserver/tds/listener.h"
#include "sluice/source.h"
#include "source/sqlserver/position.h"
#include "source/sqlserver/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

struct fixture {
    struct ms_server *server;
    struct ms_faults faults;
    struct ms_watch watch;
    struct ms_replay replay;
    struct ms_wire wire;
    struct ms_listener listener;
    struct sl_props *props;
    struct sl_batch *batch;
    char *offset; /* what the log would have stored */
    void *source;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    char port[16];

    assert_non_null(f);
    (void)pthread_mutex_lock(&script.lock);
    script.rows = NULL;
    script.n_rows = script.n_commits = script.n_dummies = 0;
    script.n_table_rows[0] = script.n_table_rows[1] = 0;
    script.generated = 0;
    script.mark = 1;
    script.scans = script.polls = 0;
    (void)pthread_mutex_unlock(&script.lock);
    f->server = ms_server_open(NULL);
    ms_faults_init(&f->faults);
    ms_replay_init(&f->replay);
    assert_true(ms_watch_start(&f->watch));
    f->wire = (struct ms_wire){.server = f->server,
                               .faults = &f->faults,
                               .watch = &f->watch,
                               .replay = &f->replay,
                               .policy = MS_POLICY_OFF};
    assert_true(ms_listener_start(&f->listener, &f->wire, "127.0.0.1", 0));
    (void)snprintf(port, sizeof(port), "%u", f->listener.port);
    f->props = sl_props_new();
    sl_props_set(f->props, "topic.prefix", "srv");
    sl_props_set(f->props, "database.hostname", "127.0.0.1");
    sl_props_set(f->props, "database.port", port);
    sl_props_set(f->props, "database.user", "sa");
    sl_props_set(f->props, "database.password", "x");
    sl_props_set(f->props, "database.encrypt", "false");
    sl_props_set(f->props, "database.names", "shop");
    sl_props_set(f->props, "include.schema.changes", "false");
    sl_props_set(f->props, "snapshot.mode", "no_data");
    f->batch = sl_batch_new(65536);
    *state = f;
    return 0;
}

static void close_source(struct fixture *f)
{
    if (f->source)
        sl_source_sqlserver.close(f->source);
    f->source = NULL;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    close_source(f);
    assert_true(ms_listener_stop(&f->listener, 5000));
    ms_watch_stop(&f->watch);
    ms_replay_done(&f->replay);
    ms_faults_done(&f->faults);
    ms_server_close(f->server);
    sl_props_free(f->props);
    sl_batch_free(f->batch);
    sl_free(f->offset);
    free(f);
    return 0;
}

static enum sl_rc stored_offset(void *ctx, struct sl_span partition, char **ret_offset, struct sl_error *err)
{
    struct fixture *f = ctx;

    (void)err;
    assert_int_equal(partition.len, strlen("{\"server\":\"srv\",\"database\":\"shop\"}"));
    *ret_offset = f->offset ? sl_strdup(f->offset) : NULL;
    return SL_OK;
}

static void open_source(struct fixture *f)
{
    static struct sl_source_env env;
    struct sl_error err = {0};

    env = (struct sl_source_env){.connector = "peer", .ctx = f, .stored_offset = stored_offset};
    if (sl_source_sqlserver.open(&env, f->props, &f->source, &err) != SL_OK)
        fail_msg("%s", err.text);
}

static enum sl_rc try_poll(struct fixture *f, struct sl_error *err)
{
    enum sl_rc rc;

    sl_batch_reset(f->batch);
    rc = sl_source_sqlserver.poll(f->source, f->batch, sl_now_us() + 300000, err);
    if (rc == SL_OK && f->batch->source_offset.len) {
        sl_free(f->offset);
        f->offset = sl_strndup((const char *)f->batch->source_offset.ptr, f->batch->source_offset.len);
    }
    return rc;
}

static void poll(struct fixture *f)
{
    struct sl_error err = {0};

    if (try_poll(f, &err) != SL_OK)
        fail_msg("%s", err.text);
}

/* What a batch says, e.g. "t:c1 u:u2 t:d1 t:-1"; a tombstone is "-". */
static const char *summary(const struct fixture *f)
{
    static char text[4096];
    size_t n = 0;

    text[0] = '\0';
    for (uint32_t r = 0; r < f->batch->n_runs; r++) {
        const struct sl_run *run = &f->batch->runs[r];
        const char *table = strrchr(run->topic->name, '.') + 1;

        for (uint32_t i = run->first; i < run->first + run->count; i++) {
            const struct sl_record *record = &f->batch->records[i];
            char op = '-';

            if (record->value.tag == SL_STRUCT && strcmp(table, "transaction") == 0)
                op = (char)record->value.items[0].bytes[0];
            else if (record->value.tag == SL_STRUCT)
                op = (char)record->value.items[sl_schema_field(run->value_schema, "op")].bytes[0];
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s:%c", n ? " " : "", table, op);
            if (record->key.items[0].tag == SL_INT32)
                n += (size_t)snprintf(text + n, sizeof(text) - n, "%lld", (long long)record->key.items[0].i);
        }
    }
    return text;
}

static const struct sl_value *source_field(const struct fixture *f, uint32_t index, const char *name)
{
    for (uint32_t r = 0; r < f->batch->n_runs; r++) {
        const struct sl_run *run = &f->batch->runs[r];
        int at;

        if (index < run->first || index >= run->first + run->count)
            continue;
        at = sl_schema_field(run->value_schema, "source");
        return &f->batch->records[index].value.items[at].items[sl_schema_field(
            run->value_schema->fields[at].schema, name)];
    }
    fail_msg("no record %u", index);
    return NULL;
}

static void expect_text(const struct sl_value *value, const char *text)
{
    assert_int_equal(value->tag, SL_STRING);
    assert_int_equal(value->len, strlen(text));
    assert_memory_equal(value->bytes, text, value->len);
}

/* The offset of a start, then the log of the test. */
static void begin_streaming(struct fixture *f)
{
    open_source(f);
    poll(f);
    assert_int_equal(f->batch->n_records, 0);
    assert_non_null(strstr(f->offset, "\"snapshot_completed\":true"));
}

static void write_log(struct script_row *rows, size_t n_rows, const uint32_t *commits, size_t n_commits)
{
    (void)pthread_mutex_lock(&script.lock);
    script.rows = rows;
    script.n_rows = n_rows;
    script.commits = commits;
    script.n_commits = n_commits;
    (void)pthread_mutex_unlock(&script.lock);
}

static void changes_of_two_tables_come_in_the_order_of_the_log(void **state)
{
    struct fixture *f = *state;
    struct script_row rows[] = {
        {0, 10, 1, 5, 2, 1, "a"},
        {1, 10, 2, 6, 3, 7, "x"},
        {1, 10, 2, 6, 4, 7, "y"},
        {0, 10, 3, 7, 1, 1, "a"},
        {1, 11, 1, 8, 2, 9, NULL},
        /* a deferred update: the delete has the larger change LSN and yet comes first */
        {0, 12, 1, 20, 1, 4, "b"},
        {0, 12, 2, 19, 2, 4, "c"},
    };
    const uint32_t commits[] = {10, 11, 12};

    begin_streaming(f);
    write_log(rows, 7, commits, 3);
    poll(f);
    assert_string_equal(summary(f), "t:c1 u:u7 t:d1 t:-1 u:c9 t:d4 t:-4 t:c4");
    assert_string_equal(f->batch->runs[0].topic->name, "srv.shop.dbo.t");
    expect_text(source_field(f, 1, "commit_lsn"), "00000000:00000000:000a");
    assert_int_equal(source_field(f, 0, "ts_ms")->i, INT64_C(1767225610000));
    assert_int_equal(source_field(f, 1, "event_serial_no")->i, 2);
    expect_text(source_field(f, 1, "snapshot"), "false");
}

static void a_key_update_of_one_row_counts_on(void **state)
{
    struct fixture *f = *state;
    struct script_row rows[] = {{0, 10, 1, 5, 1, 1, "a"}, {0, 10, 1, 5, 2, 2, "a"}};
    const uint32_t commits[] = {10};

    begin_streaming(f);
    write_log(rows, 2, commits, 1);
    poll(f);
    assert_string_equal(summary(f), "t:d1 t:-1 t:c2");
    assert_int_equal(source_field(f, 0, "event_serial_no")->i, 1);
    assert_int_equal(source_field(f, 2, "event_serial_no")->i, 2);
}

static void a_restart_at_any_offset_neither_repeats_nor_skips(void **state)
{
    struct fixture *f = *state;
    struct script_row rows[] = {
        {0, 10, 1, 5, 2, 1, "a"}, {1, 10, 1, 6, 2, 2, "a"}, {0, 10, 2, 7, 3, 1, "a"},
        {0, 10, 2, 7, 4, 1, "b"}, {1, 10, 3, 8, 1, 2, "a"}, {0, 11, 1, 9, 2, 3, "a"},
        {1, 12, 1, 9, 2, 4, "a"},
    };
    const uint32_t commits[] = {10, 11, 12};
    char all[512] = "";

    sl_props_set(f->props, "max.batch.size", "1");
    begin_streaming(f);
    write_log(rows, 7, commits, 3);
    for (int i = 0; i < 6; i++) {
        close_source(f);
        open_source(f);
        poll(f);
        assert_true(f->batch->n_records >= 1);
        (void)snprintf(all + strlen(all), sizeof(all) - strlen(all), " %s", summary(f));
    }
    assert_string_equal(all, " t:c1 u:c2 t:u1 u:d2 u:-2 t:c3 u:c4");
    close_source(f);
    open_source(f);
    poll(f);
    assert_int_equal(f->batch->n_records, 0);
}

static void transactions_are_framed_and_counted_across_restarts(void **state)
{
    struct fixture *f = *state;
    struct script_row rows[] = {{0, 10, 1, 5, 2, 1, "a"},
                                {1, 10, 1, 6, 2, 2, "a"},
                                {0, 10, 2, 7, 2, 3, "a"},
                                {0, 11, 1, 9, 2, 4, "a"}};
    const uint32_t commits[] = {10, 11};
    char all[512] = "";

    sl_props_set(f->props, "max.batch.size", "1");
    sl_props_set(f->props, "provide.transaction.metadata", "true");
    begin_streaming(f);
    write_log(rows, 4, commits, 2);
    for (int i = 0; i < 4; i++) {
        const struct sl_value *transaction;

        close_source(f);
        open_source(f);
        poll(f);
        (void)snprintf(all + strlen(all), sizeof(all) - strlen(all), " %s", summary(f));
        if (i == 2) { /* third of its transaction, second of its table */
            transaction = &f->batch->records[0]
                               .value.items[sl_schema_field(f->batch->runs[0].value_schema, "transaction")];
            assert_int_equal(transaction->items[1].i, 3);
            assert_int_equal(transaction->items[2].i, 2);
        }
    }
    assert_string_equal(all, " transaction:B t:c1 u:c2 t:c3 transaction:E transaction:B t:c4 transaction:E");
}

static void a_debezium_offset_sends_the_transaction_again(void **state)
{
    struct fixture *f = *state;
    struct script_row rows[] = {{0, 10, 1, 5, 2, 1, "a"}, {0, 10, 2, 7, 2, 3, "a"}, {0, 11, 1, 9, 2, 4, "a"}};
    const uint32_t commits[] = {10, 11};

    f->offset =
        sl_strdup("{\"commit_lsn\":\"00000000:00000000:000a\",\"change_lsn\":\"00000000:00000000:0005\","
                  "\"event_serial_no\":1}");
    write_log(rows, 3, commits, 2);
    open_source(f);
    poll(f);
    assert_string_equal(summary(f), "t:c1 t:c3 t:c4");
}

static void a_snapshot_comes_first_with_its_markers_and_then_the_log(void **state)
{
    struct fixture *f = *state;
    struct script_row rows[] = {{0, 5, 1, 5, 2, 1, "a"}, {0, 11, 1, 9, 2, 4, "a"}};
    const uint32_t commits[] = {5};
    const uint32_t later[] = {5, 11};
    static const char *const marks[] = {"first", "true", "last_in_data_collection",
                                        "first_in_data_collection", "last"};

    sl_props_set(f->props, "snapshot.mode", "initial");
    write_log(rows, 2, commits, 1);
    (void)pthread_mutex_lock(&script.lock);
    for (int i = 0; i < 3; i++)
        script.table_ids[0][i] = i + 1;
    script.n_table_rows[0] = 3;
    script.table_ids[1][0] = 7;
    script.table_ids[1][1] = 8;
    script.n_table_rows[1] = 2;
    (void)pthread_mutex_unlock(&script.lock);
    open_source(f);
    poll(f);
    assert_string_equal(summary(f), "t:r1 t:r2 t:r3 u:r7 u:r8");
    for (uint32_t i = 0; i < 5; i++)
        expect_text(source_field(f, i, "snapshot"), marks[i]);
    expect_text(source_field(f, 0, "commit_lsn"), "00000000:00000000:0005");
    assert_int_equal(source_field(f, 0, "change_lsn")->tag, SL_NULL);
    assert_int_equal(f->batch->records[0].position.ptr[0], SL_SRC_SNAPSHOT);
    assert_non_null(strstr(f->offset, "\"snapshot_completed\":true"));
    write_log(rows, 2, later, 2);
    poll(f);
    assert_string_equal(summary(f), "t:c4");
}

static void the_last_row_is_marked_even_before_empty_tables(void **state)
{
    struct fixture *f = *state;

    sl_props_set(f->props, "snapshot.mode", "initial");
    (void)pthread_mutex_lock(&script.lock);
    script.table_ids[0][0] = 1;
    script.n_table_rows[0] = 1;
    (void)pthread_mutex_unlock(&script.lock);
    open_source(f);
    poll(f);
    assert_string_equal(summary(f), "t:r1");
    expect_text(source_field(f, 0, "snapshot"), "last");
    assert_int_equal(source_field(f, 0, "commit_lsn")->tag, SL_NULL); /* nothing was captured yet */
}

static void an_interrupted_snapshot_goes_on_behind_its_last_row(void **state)
{
    struct fixture *f = *state;
    const uint32_t commits[] = {5};

    sl_props_set(f->props, "snapshot.mode", "initial");
    sl_props_set(f->props, "max.batch.size", "1");
    write_log(NULL, 0, commits, 1);
    (void)pthread_mutex_lock(&script.lock);
    for (int i = 0; i < 3; i++)
        script.table_ids[0][i] = i + 1;
    script.n_table_rows[0] = 3;
    script.table_ids[1][0] = 7;
    script.n_table_rows[1] = 1;
    (void)pthread_mutex_unlock(&script.lock);
    open_source(f);
    poll(f);
    assert_string_equal(summary(f), "t:r1");
    poll(f);
    assert_string_equal(summary(f), "t:r2");
    close_source(f);
    open_source(f);
    poll(f);
    assert_string_equal(summary(f), "t:r3");
    expect_text(source_field(f, 0, "snapshot"), "last_in_data_collection");
    close_source(f);
    open_source(f);
    poll(f);
    assert_string_equal(summary(f), "u:r7");
    expect_text(source_field(f, 0, "snapshot"), "last");
    assert_non_null(strstr(f->offset, "\"snapshot_completed\":true"));
}

static void an_interrupted_snapshot_keeps_its_first_position(void **state)
{
    struct fixture *f = *state;
    struct script_row rows[] = {{0, 11, 1, 9, 1, 1, "old"}};
    const uint32_t commits[] = {5}, later[] = {5, 11};

    sl_props_set(f->props, "snapshot.mode", "initial");
    sl_props_set(f->props, "max.batch.size", "1");
    write_log(rows, 1, commits, 1);
    (void)pthread_mutex_lock(&script.lock);
    script.table_ids[0][0] = 1;
    script.table_ids[0][1] = 2;
    script.n_table_rows[0] = 2;
    (void)pthread_mutex_unlock(&script.lock);
    open_source(f);
    poll(f);
    assert_string_equal(summary(f), "t:r1");
    assert_non_null(strstr(f->offset, "\"snapshot_completed\":false"));
    close_source(f);
    /* row 1 is deleted while nobody looks: only the log can tell, from the first position on */
    (void)pthread_mutex_lock(&script.lock);
    script.table_ids[0][0] = 2;
    script.n_table_rows[0] = 1;
    (void)pthread_mutex_unlock(&script.lock);
    write_log(rows, 1, later, 2);
    open_source(f);
    poll(f);
    assert_string_equal(summary(f), "t:r2");
    poll(f);
    assert_string_equal(summary(f), "t:d1 t:-1");
}

static void an_outage_in_mid_transaction_loses_and_repeats_nothing(void **state)
{
    struct fixture *f = *state;
    const uint32_t commits[] = {100};
    struct sl_error err = {0};
    int64_t next = 0;
    int failures = 0;

    enum { ROWS = 50000 };

    begin_streaming(f);
    (void)pthread_mutex_lock(&script.lock);
    script.generated = ROWS;
    script.commits = commits;
    script.n_commits = 1;
    (void)pthread_mutex_unlock(&script.lock);
    ms_faults_set_cut(&f->faults, MS_CUT_ONCE, 1500000);
    while (next < ROWS) {
        if (try_poll(f, &err) != SL_OK) {
            assert_int_equal(err.kind, SL_KIND_TRANSIENT);
            assert_int_equal(f->batch->n_records, 0);
            assert_true(++failures < 3);
            continue;
        }
        for (uint32_t i = 0; i < f->batch->n_records; i++)
            assert_int_equal(f->batch->records[i].key.items[0].i, next++);
        assert_true(f->batch->n_records <= 2048); /* never the whole transaction */
    }
    assert_int_equal(failures, 1);
}

static void changes_that_cleanup_removed_stop_the_task(void **state)
{
    struct fixture *f = *state;
    struct script_row rows[] = {{0, 60, 1, 5, 2, 1, "a"}};
    const uint32_t commits[] = {60};
    struct sl_error err = {0};

    f->offset = sl_strdup("{\"commit_lsn\":\"00000000:00000000:000a\",\"change_lsn\":\"NULL\"}");
    write_log(rows, 1, commits, 1);
    (void)pthread_mutex_lock(&script.lock);
    script.mark = 50;
    (void)pthread_mutex_unlock(&script.lock);
    open_source(f);
    assert_int_equal(try_poll(f, &err), SL_E_GAP);
    assert_non_null(strstr(err.text, "table 'dbo.t'"));
    assert_non_null(strstr(err.text, "00000000:00000000:000b"));
    assert_non_null(strstr(err.text, "00000000:00000000:0032"));
    assert_non_null(strstr(err.text, "HINT: "));
}

static void the_beginning_of_a_capture_instance_is_no_gap(void **state)
{
    struct fixture *f = *state;
    struct script_row rows[] = {{0, 60, 1, 5, 2, 1, "a"}};
    const uint32_t commits[] = {10, 60}; /* 10: another table was enabled */

    (void)pthread_mutex_lock(&script.lock);
    script.mark = 0;
    (void)pthread_mutex_unlock(&script.lock);
    begin_streaming(f); /* on a database where the capture job has written nothing yet */
    write_log(rows, 1, commits, 2);
    (void)pthread_mutex_lock(&script.lock);
    script.mark = 50;
    (void)pthread_mutex_unlock(&script.lock);
    poll(f);
    assert_string_equal(summary(f), "t:c1");
}

static void when_needed_takes_a_new_snapshot_over_a_gap(void **state)
{
    struct fixture *f = *state;
    const uint32_t commits[] = {60};

    sl_props_set(f->props, "snapshot.mode", "when_needed");
    f->offset = sl_strdup("{\"commit_lsn\":\"00000000:00000000:000a\",\"change_lsn\":\"NULL\"}");
    write_log(NULL, 0, commits, 1);
    (void)pthread_mutex_lock(&script.lock);
    script.mark = 50;
    script.table_ids[0][0] = 1;
    script.n_table_rows[0] = 1;
    (void)pthread_mutex_unlock(&script.lock);
    open_source(f);
    poll(f);
    assert_string_equal(summary(f), "t:r1");
}

static void an_idle_database_is_asked_less_and_less_often(void **state)
{
    struct fixture *f = *state;
    int before;

    begin_streaming(f);
    poll(f); /* 300 ms: 5 + 10 + 20 + ... */
    (void)pthread_mutex_lock(&script.lock);
    before = script.polls;
    assert_int_equal(script.scans, 0);
    (void)pthread_mutex_unlock(&script.lock);
    assert_true(before >= 3);
    assert_true(before <= 9);
}

static void idle_entries_of_the_log_move_on_without_reading_tables(void **state)
{
    struct fixture *f = *state;
    const uint32_t dummies[] = {20, 21};

    begin_streaming(f);
    (void)pthread_mutex_lock(&script.lock);
    script.dummies = dummies;
    script.n_dummies = 2;
    (void)pthread_mutex_unlock(&script.lock);
    poll(f);
    assert_int_equal(f->batch->n_records, 0);
    assert_string_equal(
        f->offset,
        "{\"commit_lsn\":\"00000000:00000000:0015\",\"change_lsn\":\"NULL\",\"event_serial_no\":0}");
    assert_int_equal(script.scans, 0);
}

static void *wake(void *argument)
{
    struct fixture *f = argument;

    while (script.polls < 2)
        ;
    sl_source_sqlserver.wake(f->source);
    return NULL;
}

static void a_wake_ends_the_wait(void **state)
{
    struct fixture *f = *state;
    struct sl_error err = {0};
    pthread_t thread;
    int64_t begin;

    sl_props_set(f->props, "poll.interval.ms", "60000");
    begin_streaming(f);
    begin = sl_now_us();
    assert_int_equal(pthread_create(&thread, NULL, wake, f), 0);
    sl_batch_reset(f->batch);
    assert_int_equal(sl_source_sqlserver.poll(f->source, f->batch, begin + 30000000, &err), SL_OK);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(sl_now_us() - begin < 5000000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(changes_of_two_tables_come_in_the_order_of_the_log),
        TEST(a_key_update_of_one_row_counts_on),
        TEST(a_restart_at_any_offset_neither_repeats_nor_skips),
        TEST(transactions_are_framed_and_counted_across_restarts),
        TEST(a_debezium_offset_sends_the_transaction_again),
        TEST(a_snapshot_comes_first_with_its_markers_and_then_the_log),
        TEST(the_last_row_is_marked_even_before_empty_tables),
        TEST(an_interrupted_snapshot_goes_on_behind_its_last_row),
        TEST(an_interrupted_snapshot_keeps_its_first_position),
        TEST(an_outage_in_mid_transaction_loses_and_repeats_nothing),
        TEST(changes_that_cleanup_removed_stop_the_task),
        TEST(the_beginning_of_a_capture_instance_is_no_gap),
        TEST(when_needed_takes_a_new_snapshot_over_a_gap),
        TEST(an_idle_database_is_asked_less_and_less_often),
        TEST(idle_entries_of_the_log_move_on_without_reading_tables),
        TEST(a_wake_ends_the_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
