/* SPDX-License-Identifier: Apache-2.0 */
/* The source's loop on a cluster in memory and a clock that the test moves. */
#include "base/clock.h"
#include "base/props.h"
#include "fake_cql.h"
#include "source/scylla/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define SETTINGS(...) ((const char *const[]){__VA_ARGS__, NULL})

struct stored {
    char *partition, *offset;
};

static struct stored stored[64];
static size_t n_stored;
static struct sl_props *props;
static struct sl_batch *batch;
static void *source;

/* What a log would keep. */
static void store(const struct sl_batch *from)
{
    for (uint32_t i = 0; i < from->n_positions; i++) {
        char *partition =
            sl_strndup((const char *)from->positions[i].partition.ptr, from->positions[i].partition.len);
        size_t at = 0;

        while (at < n_stored && strcmp(stored[at].partition, partition) != 0)
            at++;
        if (at == n_stored)
            stored[n_stored++] = (struct stored){.partition = sl_strdup(partition)};
        sl_free(stored[at].offset);
        stored[at].offset =
            from->positions[i].offset.len
                ? sl_strndup((const char *)from->positions[i].offset.ptr, from->positions[i].offset.len)
                : NULL;
        if (!from->positions[i].offset.len) { /* remove it */
            sl_free(stored[at].partition);
            sl_free(stored[at].offset);
            stored[at] = stored[--n_stored];
        }
        sl_free(partition);
    }
}

static enum sl_rc stored_offsets(void *ctx, sl_text_visitor *visit, void *visit_ctx, struct sl_error *err)
{
    (void)ctx;
    (void)err;
    for (size_t i = 0; i < n_stored; i++)
        visit(visit_ctx, stored[i].partition,
              (struct sl_span){(const uint8_t *)stored[i].offset, strlen(stored[i].offset)});
    return SL_OK;
}

static enum sl_rc no_notes(void *ctx, struct sl_span from, struct sl_span to, size_t max,
                           sl_note_visitor *visit, void *visit_ctx, struct sl_error *err)
{
    (void)ctx;
    (void)from;
    (void)to;
    (void)max;
    (void)visit;
    (void)visit_ctx;
    (void)err;
    return SL_OK;
}

static void *open_task(int task)
{
    const struct sl_source_env env = {
        .connector = "test", .task = task, .stored_offsets = stored_offsets, .notes = no_notes};
    struct sl_error err = {0};
    void *made;

    if (sl_source_scylla.open(&env, props, &made, &err) != SL_OK)
        fail_msg("%s", err.text);
    return made;
}

static void begin(const char *const *settings)
{
    props = sl_props_new();
    sl_props_set(props, "scylla.cluster.ip.addresses", "127.0.0.1:9042");
    sl_props_set(props, "scylla.table.names", "ks.t");
    sl_props_set(props, "topic.prefix", "rec");
    sl_props_set(props, "scylla.query.time.window.size", "1000");
    sl_props_set(props, "scylla.confidence.window.size", "500");
    sl_props_set(props, "sluice.scylla.early.reads", "false");
    sl_props_set(props, "sluice.scylla.read.again", "false");
    sl_props_set(props, "sluice.scylla.sweep.ms", "0");
    for (; settings && *settings; settings += 2)
        sl_props_set(props, settings[0], settings[1]);
    fake_reset();
    sl_clock_set_wall(2000 * 1000);
    batch = sl_batch_new(64 << 10);
    source = open_task(0);
}

static int end(void **state)
{
    (void)state;
    sl_source_scylla.close(source);
    sl_batch_free(batch);
    sl_props_free(props);
    for (size_t i = 0; i < n_stored; i++) {
        sl_free(stored[i].partition);
        sl_free(stored[i].offset);
    }
    n_stored = 0;
    sl_clock_set_wall(0);
    return 0;
}

/* Keys of the records, in order, as one text; polls until nothing comes for a few rounds. */
static const char *read_keys(void *from)
{
    static char text[4096];
    struct sl_error err = {0};
    int idle = 0;

    text[0] = '\0';
    while (idle < 10) {
        sl_batch_reset(batch);
        if (sl_source_scylla.poll(from, batch, 0, &err) != SL_OK)
            fail_msg("%s", err.text);
        store(batch);
        idle = batch->n_records ? 0 : idle + 1;
        for (uint32_t i = 0; i < batch->n_records; i++)
            (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%lld", text[0] ? " " : "",
                           (long long)batch->records[i].key.items[1].i);
    }
    return text;
}

static void restart(void)
{
    sl_source_scylla.close(source);
    source = open_task(0);
}

static void a_window_is_read_once_its_end_has_settled(void **state)
{
    (void)state;
    begin(NULL);
    fake_write(0, 0, 1500000, 0, 1, true);
    fake_write(0, 3, 1999999, 0, 2, true);
    fake_write(0, 3, 2000000, 0, 3, true);
    sl_clock_set_wall(2499 * 1000);
    assert_string_equal(read_keys(source), "");
    sl_clock_set_wall(2500 * 1000);
    assert_string_equal(read_keys(source), "1 2");
    sl_clock_set_wall(3500 * 1000);
    assert_string_equal(read_keys(source), "3");
}

static void a_vnodes_streams_come_in_the_order_of_their_signed_bytes(void **state)
{
    (void)state;
    begin(SETTINGS("scylla.query.options.fetch.size", "2"));
    for (uint32_t stream = 0; stream < 2; stream++)
        for (int32_t i = 0; i < 3; i++)
            fake_write(0, stream, 1500000 + i, 0, (int32_t)stream * 10 + i, true);
    sl_clock_set_wall(2500 * 1000);
    assert_string_equal(read_keys(source), "0 1 2 10 11 12");
}

static void a_group_stays_whole_over_the_end_of_a_page(void **state)
{
    (void)state;
    begin(SETTINGS("scylla.query.options.fetch.size", "2"));
    for (uint32_t i = 0; i < 7; i++)
        fake_write(0, 1, 1500000, i, (int32_t)i, i == 6);
    fake_write(0, 1, 1500001, 0, 7, true);
    sl_clock_set_wall(2500 * 1000);
    assert_string_equal(read_keys(source), "0 1 2 3 4 5 6 7");
}

static void a_restart_goes_on_behind_what_was_stored(void **state)
{
    (void)state;
    begin(NULL);
    fake_write(0, 0, 1500000, 0, 1, true);
    sl_clock_set_wall(2600 * 1000);
    assert_string_equal(read_keys(source), "1");
    fake_write(0, 0, 2100000, 0, 2, true);
    restart();
    sl_clock_set_wall(3600 * 1000);
    assert_string_equal(read_keys(source), "2");
}

static void a_restart_within_a_window_repeats_nothing_of_it(void **state)
{
    struct sl_error err = {0};
    uint32_t first;

    (void)state;
    begin(NULL);
    for (int32_t i = 0; i < 9000; i++) /* more than a batch takes: two records each */
        fake_write(0, (uint32_t)i % FAKE_STREAMS, 1500000 + i / FAKE_STREAMS, 0, i, true);
    sl_clock_set_wall(2600 * 1000);
    do {
        sl_batch_reset(batch);
        assert_int_equal(sl_source_scylla.poll(source, batch, 0, &err), SL_OK);
    } while (!batch->n_records);
    store(batch);
    first = batch->n_records;
    assert_true(first >= 1000 && first < 9000);
    restart();
    for (uint32_t total = first, idle = 0;;) {
        sl_batch_reset(batch);
        assert_int_equal(sl_source_scylla.poll(source, batch, 0, &err), SL_OK);
        store(batch);
        total += batch->n_records;
        idle = batch->n_records ? 0 : idle + 1;
        if (idle == 10) {
            assert_int_equal(total, 9000);
            break;
        }
    }
}

static void a_generation_is_left_when_all_of_it_was_read(void **state)
{
    (void)state;
    begin(NULL);
    fake_write(0, 0, 1500000, 0, 1, true);
    fake_write(0, 4, 2399000, 0, 2, true);
    sl_clock_set_wall(2300 * 1000);
    assert_string_equal(read_keys(source), "");
    fake.generations_ms[fake.n_generations++] = 2400;
    fake_write(1, 0, 2400000, 0, 3, true);
    sl_clock_set_wall(4900 * 1000);
    assert_string_equal(read_keys(source), "1 2");
    sl_clock_set_wall(6000 * 1000);
    assert_string_equal(read_keys(source), "3");
}

static void streams_that_are_not_there_yet_are_waited_for(void **state)
{
    (void)state;
    begin(NULL);
    fake_write(0, 0, 1500000, 0, 1, true);
    fake.generations_ms[fake.n_generations++] = 2400;
    fake.streams_hidden = true;
    fake_write(1, 0, 2400000, 0, 2, true);
    sl_clock_set_wall(8000 * 1000);
    assert_string_equal(read_keys(source), "1");
    fake.streams_hidden = false;
    sl_clock_set_wall(10000 * 1000);
    assert_string_equal(read_keys(source), "2");
}

static void a_failed_read_is_told_and_done_again(void **state)
{
    struct sl_error err = {0};
    int told = 0;

    (void)state;
    begin(SETTINGS("worker.retry.backoff.base", "1", "worker.maximum.backoff", "1"));
    fake_write(0, 0, 1500000, 0, 1, true);
    fake.failures = 2;
    sl_clock_set_wall(2600 * 1000);
    for (int i = 0; i < 2000; i++) {
        sl_batch_reset(batch);
        if (sl_source_scylla.poll(source, batch, 0, &err) != SL_OK) {
            told++;
            assert_int_equal(err.kind, SL_KIND_TRANSIENT);
            assert_non_null(strstr(err.text, "reading 'ks.t_scylla_cdc_log'"));
        } else if (batch->n_records) {
            break;
        }
    }
    assert_true(told >= 1);
    assert_int_equal(batch->n_records, 1);
}

static void tasks_share_the_vnodes(void **state)
{
    void *other;
    char first[256], second[256];

    (void)state;
    begin(SETTINGS("tasks.max", "2"));
    other = open_task(1);
    for (uint32_t stream = 0; stream < FAKE_STREAMS; stream++)
        fake_write(0, stream, 1500000, 0, (int32_t)stream, true);
    sl_clock_set_wall(2600 * 1000);
    (void)snprintf(first, sizeof(first), "%s", read_keys(source));
    (void)snprintf(second, sizeof(second), "%s", read_keys(other));
    assert_string_equal(first, "0 1 4 5");
    assert_string_equal(second, "2 3");
    /* A generation ends for both before either begins the next. */
    fake.generations_ms[fake.n_generations++] = 2700;
    for (uint32_t stream = 0; stream < FAKE_STREAMS; stream++)
        fake_write(1, stream, 2800000, 0, (int32_t)stream + 10, true);
    sl_clock_set_wall(9000 * 1000);
    assert_string_equal(read_keys(source), "");
    assert_string_equal(read_keys(other), "");
    sl_clock_set_wall(11000 * 1000);
    (void)snprintf(first, sizeof(first), "%s", read_keys(source));
    (void)snprintf(second, sizeof(second), "%s", read_keys(other));
    assert_string_equal(first, "10 11 14 15");
    assert_string_equal(second, "12 13");
    sl_source_scylla.close(other);
}

static void an_expired_position_is_a_gap_that_is_named(void **state)
{
    struct sl_error err = {0};
    enum sl_rc rc = SL_OK;

    (void)state;
    begin(NULL);
    sl_clock_set_wall(2600 * 1000);
    (void)read_keys(source);
    fake.ttl_s = 60;
    restart();
    sl_clock_set_wall(100000 * 1000LL);
    for (int i = 0; i < 10 && rc == SL_OK; i++) {
        sl_batch_reset(batch);
        rc = sl_source_scylla.poll(source, batch, 0, &err);
    }
    assert_int_equal(rc, SL_E_GAP);
    assert_non_null(strstr(err.text, "sluice.scylla.expired=continue"));
}

static void the_user_may_go_on_behind_a_gap(void **state)
{
    (void)state;
    begin(SETTINGS("sluice.scylla.expired", "continue"));
    sl_clock_set_wall(2600 * 1000);
    (void)read_keys(source);
    fake.ttl_s = 60;
    fake_write(0, 0, 90000000, 0, 5, true);
    restart();
    sl_clock_set_wall(100000 * 1000LL);
    assert_string_equal(read_keys(source), "5");
}

static size_t positions_of(const char *generation)
{
    size_t n = 0;

    for (size_t i = 0; i < n_stored; i++)
        n += strstr(stored[i].partition, generation) != NULL;
    return n;
}

/* Polls until a batch removes positions, which is not stored. */
static void poll_to_a_removal(void)
{
    for (int i = 0; i < 20; i++) {
        struct sl_error err = {0};

        sl_batch_reset(batch);
        assert_int_equal(sl_source_scylla.poll(source, batch, 0, &err), SL_OK);
        for (uint32_t k = 0; k < batch->n_positions; k++)
            if (!batch->positions[k].offset.len)
                return;
        store(batch);
    }
    fail_msg("no position was removed");
}

static void positions_of_a_generation_go_with_its_log_also_when_killed_there(void **state)
{
    (void)state;
    begin(SETTINGS("heartbeat.interval.ms", "1000000"));
    fake.ttl_s = 60;
    fake_write(0, 0, 1500000, 0, 1, true);
    fake.generations_ms[fake.n_generations++] = 5000;
    fake_write(1, 0, 5500000, 0, 2, true);
    sl_clock_set_wall(20000 * 1000);
    assert_string_equal(read_keys(source), "1");
    sl_clock_set_wall(22000 * 1000);
    assert_string_equal(read_keys(source), "2");
    sl_clock_set_wall(60000 * 1000);
    assert_string_equal(read_keys(source), "");
    assert_int_equal(positions_of("\"1000\""), 3); /* the connector would still begin with them */
    assert_int_equal(positions_of("\"5000\""), 3);

    sl_clock_set_wall(70000 * 1000);
    poll_to_a_removal();
    restart(); /* killed before it was stored */
    assert_int_equal(positions_of("\"1000\""), 3);
    poll_to_a_removal();
    store(batch);
    restart(); /* and right behind it */
    assert_int_equal(positions_of("\"1000\""), 0);
    assert_int_equal(positions_of("\"5000\""), 3);
    fake_write(1, 0, 69900000, 0, 3, true);
    sl_clock_set_wall(72000 * 1000);
    assert_string_equal(read_keys(source), "3");
}

static void heartbeats_go_out_while_windows_move(void **state)
{
    struct sl_error err = {0};
    uint32_t beats = 0;

    (void)state;
    begin(SETTINGS("heartbeat.interval.ms", "2000"));
    for (int64_t ms = 2500; ms < 12500; ms += 250) {
        sl_clock_set_wall(ms * 1000);
        for (int i = 0; i < 4; i++) {
            sl_batch_reset(batch);
            assert_int_equal(sl_source_scylla.poll(source, batch, 0, &err), SL_OK);
            store(batch);
            beats += batch->n_records;
            if (batch->n_records) {
                assert_string_equal(batch->runs[0].topic->name, "__debezium-heartbeat.rec");
                assert_string_equal(batch->runs[0].value_schema->name,
                                    "io.debezium.connector.common.Heartbeat");
            }
        }
    }
    assert_true(beats >= 3 && beats <= 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_window_is_read_once_its_end_has_settled, end),
        cmocka_unit_test_teardown(a_vnodes_streams_come_in_the_order_of_their_signed_bytes, end),
        cmocka_unit_test_teardown(a_group_stays_whole_over_the_end_of_a_page, end),
        cmocka_unit_test_teardown(a_restart_goes_on_behind_what_was_stored, end),
        cmocka_unit_test_teardown(a_restart_within_a_window_repeats_nothing_of_it, end),
        cmocka_unit_test_teardown(a_generation_is_left_when_all_of_it_was_read, end),
        cmocka_unit_test_teardown(streams_that_are_not_there_yet_are_waited_for, end),
        cmocka_unit_test_teardown(a_failed_read_is_told_and_done_again, end),
        cmocka_unit_test_teardown(tasks_share_the_vnodes, end),
        cmocka_unit_test_teardown(an_expired_position_is_a_gap_that_is_named, end),
        cmocka_unit_test_teardown(the_user_may_go_on_behind_a_gap, end),
        cmocka_unit_test_teardown(positions_of_a_generation_go_with_its_log_also_when_killed_there, end),
        cmocka_unit_test_teardown(heartbeats_go_out_while_windows_move, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
