/* SPDX-License-Identifier: Apache-2.0 */
/* The whole engine between a fake source and a fake target, with everything failing that can. */
#include "engine/fakes.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "codec/header_codec.h"
#include "engine/config/connector_config.h"
#include "sluice/position.h"

#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { MAX_TOPICS = 5 };

static struct sl_connector *connectors[8];
static size_t n_connectors;

static void add(struct sl_connector *connector)
{
    connectors[n_connectors++] = connector;
}

static void begin(int64_t records, int topics)
{
    fake_world_reset();
    world.source_end = records;
    world.topics = topics;
    add(fake_connector("src", false, NULL));
}

static void end(void)
{
    while (n_connectors)
        sl_connector_free(connectors[--n_connectors]);
}

/* Each number once, and in the order of its key (number mod 10) in its topic: a topic that is made while
 * another is being read is read from its own beginning, so nothing is promised over several. */
static void assert_exactly_once(int64_t records)
{
    int64_t last[MAX_TOPICS][10];
    char *seen = sl_zalloc((size_t)records, 1);

    memset(last, 0xff, sizeof(last)); /* -1 */
    assert_in_range(world.topics, 1, MAX_TOPICS);
    assert_int_equal(world.n_rows, records);
    for (size_t i = 0; i < world.n_rows; i++) {
        int64_t number = strtoll(world.rows[i].value, NULL, 10);
        int64_t *before = &last[number % world.topics][number % 10];

        assert_in_range(number, 0, records - 1);
        assert_false(seen[number]);
        seen[number] = 1;
        assert_true(number > *before);
        *before = number;
    }
    sl_free(seen);
}

static void grow_source(int64_t records)
{
    (void)pthread_mutex_lock(&world.lock);
    world.source_end = records;
    (void)pthread_cond_broadcast(&world.changed);
    (void)pthread_mutex_unlock(&world.lock);
}

static void every_record_reaches_the_target_once_and_in_order(void **state)
{
    struct sl_herder *herder;

    (void)state;
    begin(1000, 2);
    add(fake_connector("snk", true, "topics", "t0,t1", NULL));
    herder = fake_start(connectors, n_connectors);
    assert_true(fake_wait_rows(1000));
    grow_source(1500); /* and what comes later */
    assert_true(fake_wait_rows(1500));
    fake_stop(herder);
    assert_exactly_once(1500);
    end();
}

static void many_tasks_and_partitions_share_the_work_without_overlap(void **state)
{
    struct sl_herder *herder;

    (void)state;
    begin(2000, 5);
    sl_connector_free(connectors[--n_connectors]);
    add(fake_connector("src", false, "topic.creation.default.partitions", "3",
                       "topic.creation.default.replication.factor", "1", NULL));
    add(fake_connector("snk", true, "topics", "t0,t1,t2,t3,t4", "tasks.max", "3", NULL));
    herder = fake_start(connectors, n_connectors);
    assert_true(fake_wait_rows(2000));
    fake_stop(herder);
    assert_exactly_once(2000);
    end();
}

static void a_restart_goes_on_where_it_stopped(void **state)
{
    (void)state;
    begin(0, 3);
    add(fake_connector("snk", true, "topics", "t0,t1,t2", NULL));
    for (int64_t records = 100; records <= 500; records += 100) {
        struct sl_herder *herder = fake_start(connectors, n_connectors);

        grow_source(records);
        assert_true(fake_wait_rows((size_t)records));
        fake_stop(herder);
    }
    assert_exactly_once(500);
    end();
}

static void passing_failures_lose_and_double_nothing(void **state)
{
    struct sl_herder *herder;

    (void)state;
    begin(800, 2);
    add(fake_connector("snk", true, "topics", "t0,t1", NULL));
    world.faults =
        (struct fake_faults){.source_transient = 7, .append_full = 3, .sink_transient = 3, .sink_down = 2};
    herder = fake_start(connectors, n_connectors);
    assert_true(fake_wait_rows(800));
    fake_stop(herder);
    assert_exactly_once(800);
    assert_true(world.source_errors > 0);
    end();
}

/* Run until done or killed. True: it got through without dying. */
static bool run_once(size_t records)
{
    struct sl_herder *herder = fake_start(connectors, n_connectors);
    bool alive;

    assert_true(fake_wait_rows(records));
    (void)pthread_mutex_lock(&world.lock);
    alive = !world.dead;
    (void)pthread_mutex_unlock(&world.lock);
    fake_stop(herder);
    return alive;
}

/* Kill before or after the n-th thing that becomes durable, for every n until a run needs fewer. */
static void crash_everywhere(bool after)
{
    for (int point = 1;; point++) {
        begin(120, 2);
        add(fake_connector("snk", true, "topics", "t0,t1", NULL));
        world.faults.crash_in = point;
        world.faults.crash_after = after;
        if (run_once(120)) {
            assert_exactly_once(120);
            end();
            assert_true(point > 4);
            return;
        }
        world.faults.crash_in = 0;
        assert_true(run_once(120));
        assert_exactly_once(120);
        end();
    }
}

static void a_kill_before_anything_durable_loses_and_doubles_nothing(void **state)
{
    (void)state;
    crash_everywhere(false);
}

static void a_kill_after_anything_durable_loses_and_doubles_nothing(void **state)
{
    (void)state;
    crash_everywhere(true);
}

static bool task_is(void *arg)
{
    const char *const *wanted = arg; /* key, part of its status */

    for (size_t i = 0; i < world.n_texts; i++) {
        const struct fake_text *text = &world.texts[i];

        if (strcmp(text->space, "status") == 0 && strcmp(text->key, wanted[0]) == 0)
            return text->value && strstr(text->value, wanted[1]);
    }
    return false;
}

static void assert_task(const char *task, const char *part)
{
    const char *wanted[] = {task, part};

    if (!fake_wait(task_is, (void *)wanted)) {
        char *text = fake_text("status", task);

        fail_msg("%s does not say %s: %s", task, part, text ? text : "nothing");
    }
}

/* The task failed at record n of 40, and what stands before it in the log is applied, and nothing else. */
static void assert_stopped_at(int64_t n, const char *why)
{
    struct sl_herder *herder = fake_start(connectors, n_connectors);

    assert_task("snk/0", "\"state\":\"FAILED\"");
    assert_task("snk/0", why);
    assert_task("src/0", "\"state\":\"RUNNING\"");
    fake_stop(herder);
    assert_exactly_once(n);
    assert_int_equal(world.n_held, 1);
    assert_int_equal(world.held[0].next_offset, n);
}

static void without_tolerance_what_stands_before_an_unreadable_record_is_applied(void **state)
{
    (void)state;
    begin(40, 1);
    add(fake_connector("snk", true, "topics", "t0", NULL));
    world.faults.undecodable = "31";
    assert_stopped_at(31, "topic 't0', partition 0, offset 31: the fake converter refuses '31'");
    end();
}

static void without_tolerance_what_stands_before_a_refused_row_is_applied(void **state)
{
    (void)state;
    begin(40, 1);
    add(fake_connector("snk", true, "topics", "t0", NULL));
    world.faults.bad_value = "17";
    world.faults.undecodable = "31"; /* in the same batch, behind it */
    assert_stopped_at(17, "topic 't0', partition 0, offset 17: the fake target refuses the row");
    end();
}

static void without_tolerance_a_bad_record_at_the_front_stops_at_once(void **state)
{
    (void)state;
    begin(20, 1);
    add(fake_connector("snk", true, "topics", "t0", NULL));
    assert_true(run_once(20));
    world.faults.bad_value = "20";
    world.source_end = 40;
    assert_stopped_at(20, "topic 't0', partition 0, offset 20: the fake target refuses the row");
    end();
}

static void a_converter_that_fails_for_a_while_is_tried_again(void **state)
{
    struct sl_herder *herder;

    (void)state;
    begin(20, 1);
    add(fake_connector("snk", true, "topics", "t0", "errors.retry.timeout", "-1", "errors.retry.delay.max.ms",
                       "1", NULL));
    world.faults.converter_away = 6; /* the source's side meets some of them, the sink's the rest */
    herder = fake_start(connectors, n_connectors);
    assert_true(fake_wait_rows(20));
    fake_stop(herder);
    assert_exactly_once(20);
    end();
}

static void a_retry_timeout_ends_the_trying_of_converters_on_both_sides(void **state)
{
    struct sl_herder *herder;

    (void)state;
    begin(20, 1);
    add(fake_connector("snk", true, "topics", "t0", "errors.retry.timeout", "0", NULL));
    assert_true(run_once(20));
    world.source_end = 40;
    sl_connector_free(connectors[0]);
    connectors[0] =
        fake_connector("src", false, "errors.retry.timeout", "30", "errors.retry.delay.max.ms", "5", NULL);
    world.faults.converter_away = 1000000;
    herder = fake_start(connectors, n_connectors);
    assert_task("src/0", "the fake registry is away");
    assert_task("src/0", "errors.retry.timeout=30");
    assert_task("src/0", "\"state\":\"FAILED\"");
    fake_stop(herder);
    world.faults.converter_away = 0;
    herder = fake_start(connectors, 1);
    assert_task("src/0", "\"records\":20");
    fake_stop(herder);
    world.faults.converter_away = 1;
    herder = fake_start(connectors + 1, 1);
    assert_task("snk/0", "given up after 1 tries (errors.retry.timeout=0)");
    fake_stop(herder);
    end();
}

static void a_retry_timeout_does_not_concern_the_target(void **state)
{
    struct sl_herder *herder;

    (void)state;
    begin(100, 1);
    add(fake_connector("snk", true, "topics", "t0", "errors.retry.timeout", "0", NULL));
    world.faults.sink_transient = 3;
    world.faults.sink_down = 2;
    herder = fake_start(connectors, n_connectors);
    assert_true(fake_wait_rows(100));
    fake_stop(herder);
    assert_exactly_once(100);
    end();
}

static const struct fake_stored *letter(size_t number)
{
    for (size_t i = 0; i < world.n_stored; i++) {
        if (strcmp(world.stored[i].topic->name, "dlq") == 0 && number-- == 0)
            return &world.stored[i];
    }
    return NULL;
}

static void assert_header(const struct fake_stored *stored, const char *name, const char *expected)
{
    struct sl_span headers = {(const uint8_t *)stored->headers, stored->headers_len};
    struct sl_span value = {0};

    assert_true(sl_headers_find(headers, name, &value));
    assert_int_equal(value.len, strlen(expected));
    assert_memory_equal(value.ptr, expected, value.len);
}

static void bad_records_go_to_the_dead_letters_with_their_reason(void **state)
{
    struct sl_herder *herder;

    (void)state;
    begin(100, 1);
    add(fake_connector("snk", true, "topics", "t0", "errors.tolerance", "all",
                       "errors.deadletterqueue.topic.name", "dlq",
                       "errors.deadletterqueue.context.headers.enable", "true", NULL));
    world.faults.undecodable = "31";
    world.faults.bad_value = "57";
    world.faults.sink_transient = 2; /* letters are not repeated by what is tried again */
    herder = fake_start(connectors, n_connectors);
    assert_true(fake_wait_rows(98));
    fake_stop(herder);
    assert_int_equal(world.n_rows, 98);
    assert_non_null(letter(1));
    assert_null(letter(2));
    assert_memory_equal(letter(0)->value, "31", 2);
    assert_memory_equal(letter(0)->key, "1", 1);
    assert_header(letter(0), "__connect.errors.topic", "t0");
    assert_header(letter(0), "__connect.errors.offset", "31");
    assert_header(letter(0), "__connect.errors.stage", "VALUE_CONVERTER");
    assert_header(letter(1), "__connect.errors.stage", "TASK_PUT");
    assert_header(letter(1), "__connect.errors.exception.message", "the fake target refuses the row");
    end();
}

static void a_record_that_the_source_side_cannot_write_is_a_letter_too(void **state)
{
    struct sl_herder *herder;

    (void)state;
    begin(100, 1);
    sl_connector_free(connectors[--n_connectors]);
    add(fake_connector("src", false, "errors.tolerance", "all", "errors.deadletterqueue.topic.name", "dlq",
                       "errors.deadletterqueue.context.headers.enable", "true", NULL));
    add(fake_connector("snk", true, "topics", "t0", NULL));
    world.faults.unencodable = "42";
    herder = fake_start(connectors, n_connectors);
    assert_true(fake_wait_rows(99));
    fake_stop(herder);
    assert_int_equal(world.n_rows, 99);
    assert_non_null(letter(0));
    assert_null(letter(1));
    assert_non_null(strstr(letter(0)->value, "\"payload\":\"42\""));
    assert_non_null(strstr(letter(0)->value, "\"type\":\"string\""));
    assert_header(letter(0), "__connect.errors.stage", "VALUE_CONVERTER");
    assert_header(letter(0), "__connect.errors.connector.name", "src");
    end();
}

static bool all_failed(void *arg)
{
    char reason[300];

    (void)pthread_mutex_unlock(&world.lock);
    bool failed = sl_herder_all_failed(arg, reason, sizeof(reason));
    (void)pthread_mutex_lock(&world.lock);
    return failed && strstr(reason, "the fake disk is broken");
}

static void a_broken_log_fails_every_source_and_the_worker_says_why(void **state)
{
    struct sl_herder *herder;

    (void)state;
    begin(100, 1);
    world.faults.append_io = 2;
    herder = fake_start(connectors, n_connectors);
    assert_true(fake_wait(all_failed, herder));
    fake_stop(herder);
    end();
}

static void a_stop_does_not_wait_for_a_target_that_hangs(void **state)
{
    struct sl_herder *herder;
    int64_t began_us;

    (void)state;
    begin(100, 1);
    add(fake_connector("snk", true, "topics", "t0", NULL));
    world.faults.sink_hangs = true;
    herder = fake_start(connectors, n_connectors);
    assert_task("src/0", "\"records\":100");
    began_us = sl_now_us();
    assert_true(sl_herder_stop(herder, began_us + 950 * 1000));
    assert_true(sl_now_us() - began_us < 1000 * 1000);
    sl_herder_free(herder);
    assert_int_equal(world.n_rows, 0);
    end();
}

static void a_regex_takes_in_new_topics_but_never_its_own_dead_letters(void **state)
{
    struct sl_herder *herder;
    char *reserved;

    (void)state;
    begin(1, 1);
    add(fake_connector("snk", true, "topics.regex", "t\\d+|dlq", "errors.tolerance", "all",
                       "errors.deadletterqueue.topic.name", "dlq", NULL));
    world.faults.undecodable = "300";
    herder = fake_start(connectors, n_connectors);
    assert_true(fake_wait_rows(1));
    (void)pthread_mutex_lock(&world.lock);
    world.topics = 4;
    world.source_end = 400;
    (void)pthread_cond_broadcast(&world.changed);
    (void)pthread_mutex_unlock(&world.lock);
    assert_true(fake_wait_rows(399));
    fake_stop(herder);
    assert_int_equal(world.n_rows, 399);
    assert_non_null(letter(0));
    assert_null(letter(1));
    reserved = fake_text("reserved", "connect-snk/t3");
    assert_non_null(reserved);
    sl_free(reserved);
    end();
}

static struct sl_span source_header(size_t index)
{
    struct sl_span headers = {(const uint8_t *)world.stored[index].headers, world.stored[index].headers_len};
    struct sl_span value = {0};

    assert_true(sl_headers_find(headers, SL_HEADER_SOURCE, &value));
    return value;
}

static void an_incarnation_outlives_restarts_and_ends_with_a_reset(void **state)
{
    struct sl_span first;
    struct sl_span second;

    (void)state;
    begin(20, 1);
    add(fake_connector("snk", true, "topics", "t0", NULL));
    assert_true(run_once(20));
    world.source_end = 40;
    assert_true(run_once(40));
    first = source_header(10);
    second = source_header(30);
    assert_int_equal(first.len, SL_SRC_PREFIX_SIZE + 8);
    assert_int_equal(first.ptr[0], SL_SRC_VERSION);
    assert_int_equal(source_header(0).ptr[1], SL_SRC_SNAPSHOT);
    assert_int_equal(first.ptr[1], SL_SRC_STREAM);
    assert_memory_equal(first.ptr + 2, second.ptr + 2, SL_SRC_INCARNATION_SIZE);
    assert_true(memcmp(first.ptr + SL_SRC_PREFIX_SIZE, second.ptr + SL_SRC_PREFIX_SIZE, 8) < 0);
    for (size_t i = 0; i < world.n_texts; i++) { /* a reset: the offset is removed */
        if (strncmp(world.texts[i].space, "offset:", 7) == 0) {
            sl_free(world.texts[i].value);
            world.texts[i].value = NULL;
        }
    }
    assert_true(run_once(80));
    assert_memory_not_equal(source_header(30).ptr + 2, source_header(50).ptr + 2, SL_SRC_INCARNATION_SIZE);
    end();
}

static void a_sink_that_is_no_longer_configured_holds_nothing(void **state)
{
    struct sl_herder *herder;
    char *reserved;

    (void)state;
    begin(20, 1);
    add(fake_connector("snk", true, "topics", "t0", NULL));
    assert_true(run_once(20));
    reserved = fake_text("reserved", "connect-snk/t0");
    assert_non_null(reserved);
    sl_free(reserved);
    herder = fake_start(connectors, 1); /* the source alone */
    fake_stop(herder);
    assert_null(fake_text("reserved", "connect-snk/t0"));
    end();
}

static void applied_positions_are_told_to_the_log(void **state)
{
    char *committed;

    (void)state;
    begin(60, 1);
    add(fake_connector("snk", true, "topics", "t0", NULL));
    assert_true(run_once(60));
    committed = fake_text("committed", "connect-snk/t0-0");
    assert_string_equal(committed, "60");
    sl_free(committed);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_record_reaches_the_target_once_and_in_order),
        cmocka_unit_test(many_tasks_and_partitions_share_the_work_without_overlap),
        cmocka_unit_test(a_restart_goes_on_where_it_stopped),
        cmocka_unit_test(passing_failures_lose_and_double_nothing),
        cmocka_unit_test(a_kill_before_anything_durable_loses_and_doubles_nothing),
        cmocka_unit_test(a_kill_after_anything_durable_loses_and_doubles_nothing),
        cmocka_unit_test(without_tolerance_what_stands_before_an_unreadable_record_is_applied),
        cmocka_unit_test(without_tolerance_what_stands_before_a_refused_row_is_applied),
        cmocka_unit_test(without_tolerance_a_bad_record_at_the_front_stops_at_once),
        cmocka_unit_test(a_converter_that_fails_for_a_while_is_tried_again),
        cmocka_unit_test(a_retry_timeout_ends_the_trying_of_converters_on_both_sides),
        cmocka_unit_test(a_retry_timeout_does_not_concern_the_target),
        cmocka_unit_test(bad_records_go_to_the_dead_letters_with_their_reason),
        cmocka_unit_test(a_record_that_the_source_side_cannot_write_is_a_letter_too),
        cmocka_unit_test(a_broken_log_fails_every_source_and_the_worker_says_why),
        cmocka_unit_test(a_stop_does_not_wait_for_a_target_that_hangs),
        cmocka_unit_test(a_regex_takes_in_new_topics_but_never_its_own_dead_letters),
        cmocka_unit_test(an_incarnation_outlives_restarts_and_ends_with_a_reset),
        cmocka_unit_test(a_sink_that_is_no_longer_configured_holds_nothing),
        cmocka_unit_test(applied_positions_are_told_to_the_log),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    fake_world_reset();
    return failed;
}
