/* SPDX-License-Identifier: Apache-2.0 */
#include "workplace.h"

#include "base/clock.h"
#include "transport/sqlite/housekeeper.h"
#include "transport/sqlite/sqlite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void tidy(struct workplace *place)
{
    int64_t now = sl_wall_us() / 1000;

    while (sl_wall_us() / 1000 <= now + 1) /* what was appended a moment ago counts as old afterwards */
        (void)usleep(200);
    sl_sqlite_housekeeper_tidy(sl_sqlite_of(place->log));
}

static void make_topic(struct workplace *place, const char *name, int64_t retention_ms,
                       int64_t retention_bytes)
{
    struct sl_topic_settings settings = {
        .partitions = 1, .retention_ms = retention_ms, .retention_bytes = retention_bytes};

    assert_int_equal(place->log->ops->create_topic(place->log, topic_of(name), &settings, &place->err),
                     SL_OK);
}

static void reserve_topic(struct workplace *place, const char *name, const char *topic)
{
    const struct sl_topic *topics[1] = {topic ? topic_of(topic) : NULL};

    assert_int_equal(place->log->ops->reserve(place->log, name, topics, topic ? 1 : 0, &place->err), SL_OK);
}

static void old_records_go_where_nobody_reads(void **state)
{
    struct workplace *place = *state;
    struct sl_log_reader *reader;
    struct sl_fetched got;

    workplace_open(place);
    make_topic(place, "short", 0, -1);
    make_topic(place, "long", 1000000, -1);
    append_numbered(place, "short", 0, 3);
    append_numbered(place, "long", 0, 3);
    tidy(place);
    assert_int_equal(first_offset(place, "short"), 3);
    assert_int_equal(first_offset(place, "long"), 0);
    assert_int_equal(try_reader(place, "r", "short", 0, &reader), SL_E_GAP);
    assert_non_null(strstr(place->err.text, "begins at 3"));
    workplace_reopen(place);
    assert_int_equal(first_offset(place, "short"), 3);
    append_numbered(place, "short", 3, 2);
    reader = reader_from(place, "r", -1, "short", NULL);
    got = fetch_now(place, reader);
    assert_string_equal(text_of(&got), "k3=v3,k4=v4");
    close_reader(place, reader);
}

static void what_a_reader_has_not_committed_stays(void **state)
{
    struct workplace *place = *state;
    struct sl_log_reader *reader;

    workplace_open(place);
    make_topic(place, "t", 0, 0);
    append_numbered(place, "t", 0, 3);
    append_numbered(place, "t", 3, 3);
    append_numbered(place, "t", 6, 3);
    reader = reader_from(place, "r", -1, "t", NULL);
    close_reader(place, reader); /* its name goes on holding */
    tidy(place);
    assert_int_equal(first_offset(place, "t"), 0);
    commit_to(place, "r", "t", 5); /* in the middle of the second batch */
    tidy(place);
    assert_int_equal(first_offset(place, "t"), 3);
    workplace_reopen(place);
    tidy(place);
    assert_int_equal(first_offset(place, "t"), 3);
    commit_to(place, "r", "t", 9);
    tidy(place);
    assert_int_equal(first_offset(place, "t"), 9);
    assert_int_equal(next_offset(place, "t"), 9);
}

static void a_reserved_topic_is_kept_before_anybody_has_read(void **state)
{
    struct workplace *place = *state;

    workplace_open(place);
    reserve_topic(place, "sink", "t");
    make_topic(place, "t", 0, 0);
    append_numbered(place, "t", 0, 3);
    tidy(place);
    assert_int_equal(first_offset(place, "t"), 0);
    workplace_reopen(place);
    tidy(place);
    assert_int_equal(first_offset(place, "t"), 0);
    commit_to(place, "sink", "t", 3);
    reserve_topic(place, "sink", "other"); /* lets go of t */
    append_numbered(place, "t", 3, 3);
    tidy(place);
    assert_int_equal(first_offset(place, "t"), 6);
}

static void letting_go_of_a_name_frees_what_it_held(void **state)
{
    struct workplace *place = *state;

    workplace_open(place);
    make_topic(place, "t", 0, 0);
    reserve_topic(place, "sink", "t");
    append_numbered(place, "t", 0, 3);
    commit_to(place, "sink", "t", 0);
    tidy(place);
    assert_int_equal(first_offset(place, "t"), 0);
    reserve_topic(place, "sink", NULL);
    tidy(place);
    assert_int_equal(first_offset(place, "t"), 3);
}

static void a_topic_keeps_about_its_bytes(void **state)
{
    struct workplace *place = *state;

    workplace_open(place);
    make_topic(place, "t", -1, 250); /* a small block is 64 bytes and its records */
    for (int i = 0; i < 10; i++)
        append_numbered(place, "t", i, 1);
    tidy(place);
    assert_in_range(first_offset(place, "t"), 5, 8);
    assert_int_equal(next_offset(place, "t"), 10);
}

static void fill_until_full(struct workplace *place, const char *topic, int *appended)
{
    static char value[2000];
    struct sl_log_record record = record_of(topic, "k", value);
    enum sl_rc rc = SL_OK;

    for (size_t i = 0; i < sizeof(value) - 1; i++)
        value[i] = (char)(33 + rand() % 90);
    record.value = span_of(value);
    while (rc == SL_OK && *appended < 10000) {
        rc = try_append(place, &record, 1);
        *appended += rc == SL_OK;
    }
    assert_int_equal(rc, SL_E_LOG_FULL);
}

static void at_the_size_limit_appends_wait_for_the_reader(void **state)
{
    struct workplace *place = *state;
    int appended = 0;
    int before;

    workplace_set(place, "sluice.log.max.bytes", "100000");
    workplace_open(place);
    reserve_topic(place, "slow-sink", "t");
    fill_until_full(place, "t", &appended);
    assert_in_range(appended, 20, 100);
    assert_int_equal(place->err.kind, SL_KIND_TRANSIENT);
    assert_non_null(
        strstr(place->err.text, "'slow-sink' has not applied topic 't' partition 0 from offset 0 on"));
    assert_int_equal(next_offset(place, "t"), appended);
    commit_to(place, "slow-sink", "t", 10);
    before = appended;
    fill_until_full(place, "t", &appended);
    assert_in_range(appended - before, 5, 11);
    assert_int_equal(first_offset(place, "t"), 10);
    commit_to(place, "slow-sink", "t", appended);
    append_one(place, "t", "k", "v");
}

static void the_oldest_goes_first_when_room_is_needed(void **state)
{
    struct workplace *place = *state;

    workplace_set(place, "sluice.log.max.bytes", "100000");
    workplace_open(place);
    make_topic(place, "kept", -1, -1); /* for ever is meant */
    append_numbered(place, "kept", 0, 3);
    for (int i = 0; i < 3000; i++)
        append_one(place, i % 2 ? "a" : "b", "key", "value");
    assert_int_equal(first_offset(place, "kept"), 0);
    assert_true(first_offset(place, "a") > 0);
    assert_true(first_offset(place, "b") > 0);
    assert_in_range(first_offset(place, "a") - first_offset(place, "b") + 100, 99, 101);
}

static void an_append_larger_than_the_whole_log_is_a_wrong_setting(void **state)
{
    struct workplace *place = *state;
    struct sl_log_record record = record_of("t", "k", "0123456789012345678901234567890123456789");

    workplace_set(place, "sluice.log.max.bytes", "80");
    workplace_open(place);
    assert_int_equal(try_append(place, &record, 1), SL_E_CONFIG);
    assert_non_null(strstr(place->err.text, "sluice.log.max.bytes"));
}

static void freed_space_is_used_again(void **state)
{
    struct workplace *place = *state;
    struct stat first;
    struct stat last;
    int appended = 0;

    workplace_set(place, "sluice.log.max.bytes", "400000");
    workplace_open(place);
    reserve_topic(place, "r", "t");
    fill_until_full(place, "t", &appended);
    workplace_reopen(place); /* the write-ahead log has gone into the file */
    assert_int_equal(stat(workplace_file(place), &first), 0);
    for (int round = 0; round < 20; round++) {
        commit_to(place, "r", "t", appended);
        fill_until_full(place, "t", &appended);
    }
    workplace_reopen(place);
    assert_int_equal(stat(workplace_file(place), &last), 0);
    assert_true(last.st_size < first.st_size * 5 / 4);
}

static void a_reader_beside_the_worker_that_was_overtaken_is_told(void **state)
{
    struct workplace *place = *state;
    struct sl_transport *beside;
    struct sl_progress start = {.topic = topic_of("t"), .next_offset = 0};
    struct sl_log_reader *reader;
    struct sl_fetched got;

    workplace_open(place);
    make_topic(place, "t", 0, -1);
    append_numbered(place, "t", 0, 3);
    assert_int_equal(sl_transport_sqlite.open(place->props, true, &beside, &place->err), SL_OK);
    assert_int_equal(beside->ops->reader_open(beside, "tail", &start, 1, &reader, &place->err), SL_OK);
    tidy(place);
    append_numbered(place, "t", 3, 3);
    assert_int_equal(try_fetch(place, reader, &got), SL_E_GAP);
    assert_non_null(strstr(place->err.text, "retention has removed what lies before 3"));
    beside->ops->reader_close(reader);
    beside->ops->close(beside);
}

static void the_housekeeper_does_it_by_itself(void **state)
{
    struct workplace *place = *state;
    int64_t deadline = sl_now_us() + 20000000;

    workplace_set(place, "sluice.log.retention.check.ms", "10");
    workplace_set(place, "sluice.log.retention.ms", "0");
    workplace_open(place);
    append_numbered(place, "t", 0, 3);
    while (first_offset(place, "t") < 3 && sl_now_us() < deadline)
        (void)usleep(1000);
    assert_int_equal(first_offset(place, "t"), 3);
}

#define PLACE_TEST(name) cmocka_unit_test_setup_teardown(name, workplace_make, workplace_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(old_records_go_where_nobody_reads),
        PLACE_TEST(what_a_reader_has_not_committed_stays),
        PLACE_TEST(a_reserved_topic_is_kept_before_anybody_has_read),
        PLACE_TEST(letting_go_of_a_name_frees_what_it_held),
        PLACE_TEST(a_topic_keeps_about_its_bytes),
        PLACE_TEST(at_the_size_limit_appends_wait_for_the_reader),
        PLACE_TEST(the_oldest_goes_first_when_room_is_needed),
        PLACE_TEST(an_append_larger_than_the_whole_log_is_a_wrong_setting),
        PLACE_TEST(freed_space_is_used_again),
        PLACE_TEST(a_reader_beside_the_worker_that_was_overtaken_is_told),
        PLACE_TEST(the_housekeeper_does_it_by_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
