/* SPDX-License-Identifier: Apache-2.0 */
#include "workplace.h"

#include "base/clock.h"
#include "transport/sqlite/housekeeper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void make_compacted(struct workplace *place, const char *name)
{
    struct sl_topic_settings settings = {
        .partitions = 1, .compact = true, .retention_ms = -1, .retention_bytes = -1};

    assert_int_equal(place->log->ops->create_topic(place->log, topic_of(name), &settings, &place->err),
                     SL_OK);
}

static void tidy(struct workplace *place)
{
    int64_t now = sl_wall_us() / 1000;

    while (sl_wall_us() / 1000 <= now + 1)
        (void)usleep(200);
    sl_sqlite_housekeeper_tidy(sl_sqlite_of(place->log));
}

/* Everything in the topic from an offset on, read by a reader of its own that holds nothing afterwards. */
static const char *content(struct workplace *place, int64_t start)
{
    struct sl_log_reader *reader = reader_from(place, "look", start, "t", NULL);
    struct sl_fetched got = fetch_now(place, reader);
    const char *text = text_of(&got);

    for (size_t i = 1; i < got.n_records; i++)
        assert_true(got.records[i - 1].offset < got.records[i].offset);
    if (got.n_progress) {
        assert_int_equal(got.n_progress, 1);
        assert_int_equal(got.progress[0].next_offset, next_offset(place, "t"));
    }
    close_reader(place, reader);
    assert_int_equal(place->log->ops->reserve(place->log, "look", NULL, 0, &place->err), SL_OK);
    return text;
}

static void the_last_record_of_each_key_stays(void **state)
{
    struct workplace *place = *state;

    workplace_open(place);
    make_compacted(place, "t");
    append_one(place, "t", "a", "1");
    append_one(place, "t", "b", "1");
    append_one(place, "t", "a", "2");
    append_one(place, "t", "c", "1");
    append_one(place, "t", "a", "3");
    tidy(place);
    assert_string_equal(content(place, -1), "b=1,c=1,a=3");
    append_one(place, "t", "b", "2");
    tidy(place);
    assert_string_equal(content(place, -1), "c=1,a=3,b=2");
    workplace_reopen(place);
    assert_string_equal(content(place, -1), "c=1,a=3,b=2");
    assert_string_equal(content(place, 0), "c=1,a=3,b=2"); /* offset 0 is gone, and no gap */
    assert_string_equal(content(place, 4), "a=3,b=2");
}

static void within_a_batch_offsets_and_order_keep_their_gaps(void **state)
{
    struct workplace *place = *state;
    struct sl_log_record records[6];
    static const char *const keys[] = {"a", "b", "a", "c", "b", "a"};
    static const char *const values[] = {"0", "1", "2", "3", "4", "5"};
    struct sl_log_reader *reader;
    struct sl_fetched got;

    workplace_open(place);
    make_compacted(place, "t");
    for (int i = 0; i < 6; i++)
        records[i] = record_of(i == 3 ? "other" : "t", keys[i], values[i]);
    append_all(place, records, 6);
    tidy(place);
    reader = reader_from(place, "r", -1, "t", "other", NULL);
    got = fetch_now(place, reader);
    assert_string_equal(text_of(&got), "c=3,b=4,a=5");
    assert_int_equal(got.records[1].offset, 3);
    assert_int_equal(got.records[2].offset, 4);
    close_reader(place, reader);
}

static void what_a_reader_has_not_applied_is_not_touched(void **state)
{
    struct workplace *place = *state;
    const struct sl_topic *topics[1];

    workplace_open(place);
    make_compacted(place, "t");
    topics[0] = topic_of("t");
    assert_int_equal(place->log->ops->reserve(place->log, "sink", topics, 1, &place->err), SL_OK);
    for (int i = 0; i < 4; i++)
        append_one(place, "t", "a", i == 0 ? "0" : i == 1 ? "1" : i == 2 ? "2" : "3");
    tidy(place);
    assert_string_equal(content(place, -1), "a=0,a=1,a=2,a=3");
    commit_to(place, "sink", "t", 2);
    tidy(place);
    assert_string_equal(content(place, -1), "a=1,a=2,a=3");
    commit_to(place, "sink", "t", 4);
    tidy(place);
    assert_string_equal(content(place, -1), "a=3");
}

static void a_tombstone_goes_after_its_time(void **state)
{
    struct workplace *place = *state;

    workplace_set(place, "sluice.log.delete.retention.ms", "1");
    workplace_open(place);
    make_compacted(place, "t");
    append_one(place, "t", "a", "1");
    append_one(place, "t", "b", "1");
    append_one(place, "t", "a", NULL);
    tidy(place);
    assert_string_equal(content(place, -1), "b=1,a=~"); /* the first pass keeps it: readers must see it */
    tidy(place);
    assert_string_equal(content(place, -1), "b=1");
    append_one(place, "t", "c", "1");
    assert_string_equal(content(place, -1), "b=1,c=1");
    workplace_reopen(place);
    assert_string_equal(content(place, -1), "b=1,c=1");
}

static void a_tombstone_whose_time_is_not_over_stays(void **state)
{
    struct workplace *place = *state;

    workplace_open(place);
    make_compacted(place, "t");
    append_one(place, "t", "a", "1");
    append_one(place, "t", "a", NULL);
    tidy(place);
    append_one(place, "t", "b", "1");
    tidy(place);
    assert_string_equal(content(place, -1), "a=~,b=1");
}

static void a_record_without_a_key_is_refused(void **state)
{
    struct workplace *place = *state;
    struct sl_log_record record = record_of("t", NULL, "v");

    workplace_open(place);
    make_compacted(place, "t");
    assert_int_equal(try_append(place, &record, 1), SL_E_CONFIG);
    assert_non_null(strstr(place->err.text, "compacted"));
}

static void an_open_reader_goes_on_over_compaction(void **state)
{
    struct workplace *place = *state;
    struct sl_log_reader *reader;
    struct sl_fetched got;

    workplace_open(place);
    make_compacted(place, "t");
    append_one(place, "t", "a", "1");
    append_one(place, "t", "b", "1");
    reader = reader_from(place, "r", -1, "t", NULL);
    got = fetch_now(place, reader);
    assert_int_equal(got.n_records, 2);
    commit_to(place, "r", "t", 2);
    append_one(place, "t", "a", "2");
    commit_to(place, "r", "t", 3); /* applied by other means: let compaction pass the reader */
    append_one(place, "t", "b", "2");
    commit_to(place, "r", "t", 4);
    tidy(place);
    got = fetch_now(place, reader);
    assert_string_equal(text_of(&got), "a=2,b=2");
    close_reader(place, reader);
}

static void many_keys_and_rounds_end_in_the_same_state(void **state)
{
    struct workplace *place = *state;
    char expected[50][16] = {{0}};
    struct sl_log_reader *reader;
    struct sl_fetched got;

    workplace_open(place);
    make_compacted(place, "t");
    srand(7);
    for (int round = 0; round < 60; round++) {
        struct sl_log_record records[40];
        char keys[40][16];
        char values[40][16];

        for (int i = 0; i < 40; i++) {
            int key = rand() % 50;

            (void)snprintf(keys[i], sizeof(keys[i]), "%d", key);
            (void)snprintf(values[i], sizeof(values[i]), "%d", rand());
            (void)snprintf(expected[key], sizeof(expected[key]), "%s", values[i]);
            records[i] = record_of("t", keys[i], values[i]);
        }
        append_all(place, records, 40);
        if (round % 7 == 0)
            tidy(place);
    }
    tidy(place);
    reader = reader_from(place, "r", -1, "t", NULL);
    got = fetch_now(place, reader);
    assert_int_equal(got.n_records, 50);
    for (size_t i = 0; i < got.n_records; i++) {
        int key = atoi((const char *)got.records[i].key.ptr);

        assert_memory_equal(got.records[i].value.ptr, expected[key], strlen(expected[key]));
    }
    assert_int_equal(got.progress[0].next_offset, 2400);
    close_reader(place, reader);
}

#define PLACE_TEST(name) cmocka_unit_test_setup_teardown(name, workplace_make, workplace_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(the_last_record_of_each_key_stays),
        PLACE_TEST(within_a_batch_offsets_and_order_keep_their_gaps),
        PLACE_TEST(what_a_reader_has_not_applied_is_not_touched),
        PLACE_TEST(a_tombstone_goes_after_its_time),
        PLACE_TEST(a_tombstone_whose_time_is_not_over_stays),
        PLACE_TEST(a_record_without_a_key_is_refused),
        PLACE_TEST(an_open_reader_goes_on_over_compaction),
        PLACE_TEST(many_keys_and_rounds_end_in_the_same_state),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
