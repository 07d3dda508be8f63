/* SPDX-License-Identifier: Apache-2.0 */
/* One writer, several readers that commit, retention and compaction in the background: for TSan above all. */
#include "workplace.h"

#include "base/clock.h"
#include "base/thread.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { APPENDS = 300, PER_APPEND = 20, READERS = 3 };

struct reading {
    struct workplace *place;
    int number;
    int seen;
    const char *trouble;
    struct sl_error err;
};

static void check_next(struct reading *reading, const struct sl_log_record *record)
{
    char key[16];
    int len = snprintf(key, sizeof(key), "%d", reading->seen++);

    if (record->key.len != (size_t)len || memcmp(record->key.ptr, key, (size_t)len) != 0)
        reading->trouble = "out of order";
}

static void read_and_commit(void *arg)
{
    struct reading *reading = arg;
    struct sl_transport *log = reading->place->log;
    struct sl_progress start[2] = {{.topic = topic_of("a"), .next_offset = 0},
                                   {.topic = topic_of("b"), .next_offset = 0}};
    struct sl_arena *arena = sl_arena_new(4096);
    struct sl_log_reader *reader;
    char name[16];

    (void)snprintf(name, sizeof(name), "r%d", reading->number);
    if (log->ops->reader_open(log, name, start, 2, &reader, &reading->err) != SL_OK) {
        reading->trouble = "cannot open";
        sl_arena_free(arena);
        return;
    }
    while (!reading->trouble && reading->seen < APPENDS * PER_APPEND) {
        struct sl_fetched got;

        sl_arena_reset(arena);
        if (log->ops->fetch(reader, 1 << 16, 64, sl_now_us() + 30000000, arena, &got, &reading->err) !=
                SL_OK ||
            got.n_records == 0) {
            reading->trouble = "fetch";
            break;
        }
        for (size_t i = 0; i < got.n_records; i++)
            check_next(reading, &got.records[i]);
        if (log->ops->commit(log, name, got.progress, got.n_progress, &reading->err) != SL_OK)
            reading->trouble = "commit";
    }
    log->ops->reader_close(reader);
    sl_arena_free(arena);
}

static void visit(void *ctx, const struct sl_topic_info *info)
{
    *(int64_t *)ctx += info->bytes;
}

static void append_numbers(struct workplace *place)
{
    for (int n = 0; n < APPENDS; n++) {
        struct sl_log_record records[PER_APPEND + 1];
        char keys[PER_APPEND][16];
        int64_t bytes = 0;

        for (int i = 0; i < PER_APPEND; i++) {
            (void)snprintf(keys[i], sizeof(keys[i]), "%d", n * PER_APPEND + i);
            records[i] = record_of((n + i) % 4 ? "a" : "b", keys[i], "v");
        }
        records[PER_APPEND] = record_of("status", n % 2 ? "x" : "y", "v");
        append_all(place, records, PER_APPEND + 1);
        assert_int_equal(place->log->ops->topics(place->log, visit, &bytes, &place->err), SL_OK);
    }
}

static void readers_and_housekeeping_keep_out_of_each_others_way(void **state)
{
    struct workplace *place = *state;
    struct sl_topic_settings compacted = {
        .partitions = 1, .compact = true, .retention_ms = -1, .retention_bytes = -1};
    const struct sl_topic *topics[2] = {topic_of("a"), topic_of("b")};
    struct sl_thread threads[READERS] = {0};
    struct reading readings[READERS];

    workplace_set(place, "sluice.log.retention.check.ms", "10");
    workplace_set(place, "sluice.log.retention.ms", "0");
    workplace_open(place);
    assert_int_equal(place->log->ops->create_topic(place->log, topic_of("status"), &compacted, &place->err),
                     SL_OK);
    for (int i = 0; i < READERS; i++) {
        char name[16];

        (void)snprintf(name, sizeof(name), "r%d", i);
        assert_int_equal(place->log->ops->reserve(place->log, name, topics, 2, &place->err), SL_OK);
        readings[i] = (struct reading){.place = place, .number = i};
        sl_thread_start(&threads[i], "reader", read_and_commit, &readings[i]);
    }
    append_numbers(place);
    for (int i = 0; i < READERS; i++) {
        sl_thread_join(&threads[i]);
        if (readings[i].trouble)
            fail_msg("%s: %s", readings[i].trouble, readings[i].err.text);
        assert_int_equal(readings[i].seen, APPENDS * PER_APPEND);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(readers_and_housekeeping_keep_out_of_each_others_way, workplace_make,
                                        workplace_remove),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
