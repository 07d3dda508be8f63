/* SPDX-License-Identifier: Apache-2.0 */
#include "workplace.h"

#include "base/clock.h"
#include "base/thread.h"
#include "transport/sqlite/sqlite.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void what_is_appended_comes_back_as_it_was(void **state)
{
    struct workplace *place = *state;
    struct sl_log_record records[3] = {
        record_of("t", "k", "v"),
        record_of("t", NULL, ""),
        record_of("t", "", NULL),
    };
    struct sl_log_reader *reader;
    struct sl_fetched got;

    workplace_open(place);
    records[0].headers = span_of("\x01h\x02x");
    records[1].timestamp_ms = SL_NO_TIMESTAMP;
    records[2].timestamp_ms = -5;
    append_all(place, records, 3);
    reader = reader_from(place, "r", -1, "t", NULL);
    got = fetch_now(place, reader);
    assert_int_equal(got.n_records, 3);
    assert_ptr_equal(got.records[0].topic, topic_of("t"));
    assert_int_equal(got.records[0].timestamp_ms, 1000);
    assert_memory_equal(got.records[0].headers.ptr, "\x01h\x02x", 4);
    assert_int_equal(got.records[0].headers.len, 4);
    assert_null(got.records[1].key.ptr);
    assert_non_null(got.records[1].value.ptr);
    assert_int_equal(got.records[1].value.len, 0);
    assert_true(got.records[1].timestamp_ms == SL_NO_TIMESTAMP);
    assert_int_equal(got.records[1].headers.len, 0);
    assert_non_null(got.records[2].key.ptr);
    assert_null(got.records[2].value.ptr);
    assert_int_equal(got.records[2].timestamp_ms, -5);
    for (int i = 0; i < 3; i++)
        assert_int_equal(got.records[i].offset, i);
    assert_int_equal(got.n_progress, 1);
    assert_int_equal(got.progress[0].first_offset, 0);
    assert_int_equal(got.progress[0].next_offset, 3);
    close_reader(place, reader);
}

static void records_and_identity_survive_a_restart(void **state)
{
    struct workplace *place = *state;
    struct sl_log_reader *reader;
    struct sl_fetched got;
    char identity[64];

    workplace_open(place);
    (void)snprintf(identity, sizeof(identity), "%s", place->log->ops->identity(place->log));
    append_numbered(place, "t", 0, 3);
    workplace_reopen(place);
    assert_string_equal(place->log->ops->identity(place->log), identity);
    append_numbered(place, "t", 3, 2);
    reader = reader_from(place, "r", 0, "t", NULL);
    got = fetch_now(place, reader);
    assert_string_equal(text_of(&got), "k0=v0,k1=v1,k2=v2,k3=v3,k4=v4");
    close_reader(place, reader);
}

static void log_order_holds_across_the_topics_of_an_append(void **state)
{
    struct workplace *place = *state;
    struct sl_log_record records[64];
    char keys[64][8];
    struct sl_log_reader *reader;
    struct sl_fetched got;

    workplace_open(place);
    /* Parents, children, grandchildren and strangers, mixed. */
    for (int i = 0; i < 64; i++) {
        static const char *const topics[] = {"a", "b", "c", "d", "e"};

        (void)snprintf(keys[i], sizeof(keys[i]), "%d", i);
        records[i] = record_of(topics[(i * 7 + i / 5) % 5], keys[i], "x");
    }
    append_all(place, records, 40);
    append_all(place, records + 40, 24);
    reader = reader_from(place, "r", -1, "a", "b", "c", "d", "e", NULL);
    got = fetch_now(place, reader);
    assert_int_equal(got.n_records, 64);
    for (int i = 0; i < 64; i++) {
        assert_int_equal(got.records[i].key.len, strlen(keys[i]));
        assert_memory_equal(got.records[i].key.ptr, keys[i], strlen(keys[i]));
        assert_ptr_equal(got.records[i].topic, records[i].topic);
    }
    close_reader(place, reader);
    reader = reader_from(place, "r2", -1, "d", "b", NULL);
    got = fetch_now(place, reader);
    for (size_t i = 1; i < got.n_records; i++)
        assert_true(atoi((const char *)got.records[i - 1].key.ptr) <
                    atoi((const char *)got.records[i].key.ptr));
    assert_int_equal(got.n_progress, 2);
    close_reader(place, reader);
}

static void offsets_of_each_partition_count_by_themselves(void **state)
{
    struct workplace *place = *state;
    struct sl_topic_settings settings = {.partitions = 3, .retention_ms = -1, .retention_bytes = -1};
    struct sl_log_record records[6];
    struct sl_progress start[3];
    struct sl_log_reader *reader;
    struct sl_fetched got;

    workplace_open(place);
    assert_int_equal(place->log->ops->create_topic(place->log, topic_of("t"), &settings, &place->err), SL_OK);
    for (int i = 0; i < 6; i++) {
        records[i] = record_of("t", "k", "v");
        records[i].partition = i % 2;
    }
    append_all(place, records, 6);
    for (int i = 0; i < 3; i++)
        start[i] =
            (struct sl_progress){.topic = topic_of("t"), .partition = i, .next_offset = i == 1 ? 2 : -1};
    assert_int_equal(place->log->ops->reader_open(place->log, "r", start, 3, &reader, &place->err), SL_OK);
    got = fetch_now(place, reader);
    assert_int_equal(got.n_records, 4);
    assert_int_equal(got.records[0].partition, 0);
    assert_int_equal(got.records[0].offset, 0);
    assert_int_equal(got.records[3].partition, 1);
    assert_int_equal(got.records[3].offset, 2);
    close_reader(place, reader);
    records[0].partition = 3;
    assert_int_equal(try_append(place, records, 1), SL_E_CONFIG);
    start[0].partition = 7;
    assert_int_equal(place->log->ops->reader_open(place->log, "r", start, 1, &reader, &place->err),
                     SL_E_NOT_FOUND);
}

static void an_existing_topic_keeps_its_settings(void **state)
{
    struct workplace *place = *state;
    struct sl_topic_settings first = {.partitions = 2, .retention_ms = 5, .retention_bytes = -1};
    struct sl_topic_settings second = {.partitions = 9, .retention_ms = 7, .retention_bytes = 3};
    struct sl_log_record record = record_of("t", "k", "v");

    workplace_open(place);
    assert_int_equal(place->log->ops->create_topic(place->log, topic_of("t"), &first, &place->err), SL_OK);
    assert_int_equal(place->log->ops->create_topic(place->log, topic_of("t"), &second, &place->err), SL_OK);
    workplace_reopen(place);
    record.partition = 2;
    assert_int_equal(try_append(place, &record, 1), SL_E_CONFIG);
}

static void source_offsets_travel_with_the_records(void **state)
{
    struct workplace *place = *state;
    struct sl_log_record record = record_of("t", "k", "v");
    struct sl_source_offset offset = {
        .connector = "c", .partition = span_of("{\"p\":1}"), .offset = span_of("{\"lsn\":\"1\"}")};
    struct sl_append append = {.records = &record, .n_records = 1, .offsets = &offset, .n_offsets = 1};
    char *text = NULL;

    workplace_open(place);
    assert_int_equal(place->log->ops->append(place->log, &append, &place->err), SL_OK);
    offset.offset = span_of("{\"lsn\":\"2\"}");
    append.n_records = 0; /* the position alone */
    assert_int_equal(place->log->ops->append(place->log, &append, &place->err), SL_OK);
    workplace_reopen(place);
    assert_int_equal(
        place->log->ops->source_offset(place->log, "c", span_of("{\"p\":1}"), &text, &place->err), SL_OK);
    assert_string_equal(text, "{\"lsn\":\"2\"}");
    free(text);
    assert_int_equal(
        place->log->ops->source_offset(place->log, "d", span_of("{\"p\":1}"), &text, &place->err), SL_OK);
    assert_null(text);
    offset.offset = (struct sl_span){0}; /* empty deletes */
    assert_int_equal(place->log->ops->append(place->log, &append, &place->err), SL_OK);
    assert_int_equal(
        place->log->ops->source_offset(place->log, "c", span_of("{\"p\":1}"), &text, &place->err), SL_OK);
    assert_null(text);
}

static void add_pair(void *ctx, const char *key, struct sl_span value)
{
    (void)snprintf((char *)ctx + strlen(ctx), 200 - strlen(ctx), "%s:%.*s;", key, (int)value.len,
                   (const char *)value.ptr);
}

static void all_offsets_of_a_connector_can_be_listed(void **state)
{
    struct workplace *place = *state;
    struct sl_source_offset offsets[3] = {
        {.connector = "c", .partition = span_of("b"), .offset = span_of("2")},
        {.connector = "d", .partition = span_of("a"), .offset = span_of("x")},
        {.connector = "c", .partition = span_of("a"), .offset = span_of("1")},
    };
    struct sl_append append = {.offsets = offsets, .n_offsets = 3};
    char text[200] = "";

    workplace_open(place);
    assert_int_equal(place->log->ops->append(place->log, &append, &place->err), SL_OK);
    assert_int_equal(place->log->ops->source_offsets(place->log, "c", add_pair, text, &place->err), SL_OK);
    assert_string_equal(text, "a:1;b:2;");
}

static void add_note(void *ctx, const struct sl_note *note)
{
    (void)snprintf((char *)ctx + strlen(ctx), 200 - strlen(ctx), "%.*s:%.*s;", (int)note->key.len,
                   (const char *)note->key.ptr, (int)note->value.len, (const char *)note->value.ptr);
}

static void notes_of(struct workplace *place, struct sl_span from, struct sl_span to, size_t max,
                     char text[200])
{
    text[0] = '\0';
    assert_int_equal(
        place->log->ops->source_notes(place->log, "c", from, to, max, add_note, text, &place->err), SL_OK);
}

static void source_notes_are_kept_in_the_order_of_their_keys(void **state)
{
    struct workplace *place = *state;
    struct sl_log_record record = record_of("t", "k", "v");
    struct sl_source_note notes[] = {
        {.connector = "c", .note = {span_of("t9"), span_of("nine")}},
        {.connector = "d", .note = {span_of("t2"), span_of("another's")}},
        {.connector = "c", .note = {span_of("t1"), span_of("")}},
        {.connector = "c", .note = {span_of("u"), span_of("u")}},
        {.connector = "c", .note = {span_of("t9"), span_of("later")}},
    };
    struct sl_append append = {.records = &record, .n_records = 1, .notes = notes, .n_notes = 5};
    char text[200];

    workplace_open(place);
    assert_int_equal(place->log->ops->append(place->log, &append, &place->err), SL_OK);
    workplace_reopen(place);
    notes_of(place, span_of(""), (struct sl_span){0}, 10, text);
    assert_string_equal(text, "t1:;t9:later;u:u;");
    notes_of(place, span_of("t1"), span_of("u"), 10, text);
    assert_string_equal(text, "t1:;t9:later;");
    notes_of(place, span_of("t"), (struct sl_span){0}, 1, text);
    assert_string_equal(text, "t1:;");
    notes_of(place, span_of(""), (struct sl_span){0}, 10, text); /* no end, after a reading that had one */
    assert_string_equal(text, "t1:;t9:later;u:u;");
    notes[0].note.value = (struct sl_span){0}; /* forget it, with nothing else in the append */
    append = (struct sl_append){.notes = notes, .n_notes = 1};
    assert_int_equal(place->log->ops->append(place->log, &append, &place->err), SL_OK);
    notes_of(place, span_of("t"), span_of("u"), 10, text);
    assert_string_equal(text, "t1:;");
}

static void a_log_of_version_1_is_upgraded_when_it_is_opened_for_writing(void **state)
{
    struct workplace *place = *state;
    struct sl_source_note note = {.connector = "c", .note = {span_of("k"), span_of("v")}};
    struct sl_append append = {.notes = &note, .n_notes = 1};
    char text[200];
    sqlite3 *db;

    workplace_open(place);
    workplace_close(place);
    assert_int_equal(sqlite3_open(workplace_file(place), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "DROP TABLE source_notes; PRAGMA user_version = 1", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    workplace_open(place);
    assert_int_equal(place->log->ops->append(place->log, &append, &place->err), SL_OK);
    notes_of(place, span_of(""), (struct sl_span){0}, 10, text);
    assert_string_equal(text, "k:v;");
}

static void keyed_texts_are_replaced_and_deleted(void **state)
{
    struct workplace *place = *state;
    char text[200] = "";

    workplace_open(place);
    assert_int_equal(place->log->ops->put(place->log, "s", "a", span_of("1"), &place->err), SL_OK);
    assert_int_equal(place->log->ops->put(place->log, "s", "b", span_of(""), &place->err), SL_OK);
    assert_int_equal(place->log->ops->put(place->log, "s", "c", span_of("3"), &place->err), SL_OK);
    assert_int_equal(place->log->ops->put(place->log, "other", "a", span_of("x"), &place->err), SL_OK);
    assert_int_equal(place->log->ops->put(place->log, "s", "a", span_of("9"), &place->err), SL_OK);
    assert_int_equal(place->log->ops->put(place->log, "s", "c", span_of(NULL), &place->err), SL_OK);
    workplace_reopen(place);
    assert_int_equal(place->log->ops->list(place->log, "s", add_pair, text, &place->err), SL_OK);
    assert_string_equal(text, "a:9;b:;");
}

/* What a watcher heard: "key=value;" or "key-;". */
struct heard {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    char text[200];
};

static void hear(void *ctx, const char *key, struct sl_span value)
{
    struct heard *heard = ctx;
    size_t len;

    (void)pthread_mutex_lock(&heard->lock);
    len = strlen(heard->text);
    (void)snprintf(heard->text + len, sizeof(heard->text) - len, value.ptr ? "%s=%.*s;" : "%s-;", key,
                   (int)value.len, value.ptr ? (const char *)value.ptr : "");
    (void)pthread_cond_broadcast(&heard->changed);
    (void)pthread_mutex_unlock(&heard->lock);
}

static void wait_to_hear(struct heard *heard, const char *text)
{
    int64_t deadline_us = sl_now_us() + 10 * 1000 * 1000;

    (void)pthread_mutex_lock(&heard->lock);
    while (strcmp(heard->text, text) != 0 && sl_cond_wait(&heard->changed, &heard->lock, deadline_us))
        continue;
    assert_string_equal(heard->text, text);
    (void)pthread_mutex_unlock(&heard->lock);
}

static void watchers_hear_of_each_change_in_order_until_they_leave(void **state)
{
    struct workplace *place = *state;
    struct heard heard = {.lock = PTHREAD_MUTEX_INITIALIZER};
    const struct sl_text texts[] = {
        {"task-c-0", {(const uint8_t *)"t", 1}}, {"old", {NULL, 0}}, {"commit-c", {(const uint8_t *)"1", 1}}};
    const struct sl_transport_ops *ops;

    sl_cond_init(&heard.changed);
    workplace_open(place);
    ops = place->log->ops;
    assert_int_equal(ops->put(place->log, "configs", "before", span_of("0"), &place->err), SL_OK);
    assert_int_equal(ops->watch(place->log, "configs", hear, &heard, &place->err), SL_OK);
    assert_int_equal(ops->put(place->log, "configs", "a", span_of("1"), &place->err), SL_OK);
    assert_int_equal(ops->put(place->log, "other", "b", span_of("2"), &place->err), SL_OK);
    assert_int_equal(ops->put(place->log, "configs", "a", span_of(NULL), &place->err), SL_OK);
    assert_int_equal(ops->put_all(place->log, "configs", texts, 3, &place->err), SL_OK);
    wait_to_hear(&heard, "a=1;a-;task-c-0=t;old-;commit-c=1;");
    assert_int_equal(ops->watch(place->log, "configs", NULL, &heard, &place->err), SL_OK);
    assert_int_equal(ops->put(place->log, "configs", "c", span_of("3"), &place->err), SL_OK);
    workplace_reopen(place);
    assert_string_equal(heard.text, "a=1;a-;task-c-0=t;old-;commit-c=1;");
    (void)pthread_cond_destroy(&heard.changed);
}

static void a_topic_that_leaves_its_settings_to_the_log_gets_them(void **state)
{
    struct workplace *place = *state;
    const struct sl_topic_settings settings = {.retention_ms = SL_LOG_DEFAULT,
                                               .retention_bytes = SL_LOG_DEFAULT};
    int32_t partitions = -1;

    workplace_open(place);
    assert_int_equal(place->log->ops->partitions(place->log, topic_of("t"), &partitions, &place->err), SL_OK);
    assert_int_equal(partitions, 0);
    assert_int_equal(place->log->ops->create_topic(place->log, topic_of("t"), &settings, &place->err), SL_OK);
    assert_int_equal(place->log->ops->partitions(place->log, topic_of("t"), &partitions, &place->err), SL_OK);
    assert_int_equal(partitions, 1);
}

static void a_start_below_the_oldest_or_beyond_the_end_is_refused(void **state)
{
    struct workplace *place = *state;
    struct sl_log_reader *reader = NULL;

    workplace_open(place);
    append_numbered(place, "t", 0, 3);
    assert_int_equal(try_reader(place, "r", "t", 4, &reader), SL_E_FOREIGN_POSITION);
    assert_non_null(strstr(place->err.text, "offset 4 of topic 't' partition 0"));
    assert_non_null(strstr(place->err.text, "HINT:"));
    assert_int_equal(try_reader(place, "r", "missing", 1, &reader), SL_E_FOREIGN_POSITION);
    assert_int_equal(try_reader(place, "r", "t", 3, &reader), SL_OK);
    close_reader(place, reader);
}

static void a_reader_begins_in_the_middle_of_a_batch(void **state)
{
    struct workplace *place = *state;
    struct sl_log_reader *reader;
    struct sl_fetched got;

    workplace_open(place);
    append_numbered(place, "t", 0, 5);
    append_numbered(place, "t", 5, 2);
    reader = reader_from(place, "r", 3, "t", NULL);
    got = fetch_now(place, reader);
    assert_string_equal(text_of(&got), "k3=v3,k4=v4,k5=v5,k6=v6");
    assert_int_equal(got.progress[0].first_offset, 3);
    assert_int_equal(got.progress[0].next_offset, 7);
    close_reader(place, reader);
}

static void whole_appends_are_handed_out_as_long_as_they_fit(void **state)
{
    struct workplace *place = *state;
    struct sl_log_reader *reader;
    struct sl_fetched got;

    workplace_open(place);
    append_numbered(place, "t", 0, 3);
    append_numbered(place, "t", 3, 3);
    append_numbered(place, "t", 6, 1);
    reader = reader_from(place, "r", 0, "t", NULL);
    got = fetch_at_most(place, reader, 1 << 20, 4);
    assert_string_equal(text_of(&got), "k0=v0,k1=v1,k2=v2");
    got = fetch_at_most(place, reader, 1 << 20, 4);
    assert_string_equal(text_of(&got), "k3=v3,k4=v4,k5=v5,k6=v6");
    close_reader(place, reader);
}

static void an_append_larger_than_the_limits_comes_in_pieces(void **state)
{
    struct workplace *place = *state;
    struct sl_log_record records[6];
    static const char *const keys[] = {"0", "1", "2", "3", "4", "5"};
    struct sl_log_reader *reader;
    struct sl_fetched got;

    workplace_open(place);
    for (int i = 0; i < 6; i++)
        records[i] = record_of(i % 2 ? "b" : "a", keys[i], "v");
    append_all(place, records, 6);
    append_one(place, "a", "6", "v");
    reader = reader_from(place, "r", 0, "a", "b", NULL);
    got = fetch_at_most(place, reader, 1 << 20, 3);
    assert_string_equal(text_of(&got), "0=v,1=v,2=v");
    assert_int_equal(got.n_progress, 2);
    assert_int_equal(got.progress[0].next_offset, 2); /* a: 0 and 1 */
    assert_int_equal(got.progress[1].next_offset, 1); /* b: 0 */
    got = fetch_at_most(place, reader, 1, 100);
    assert_string_equal(text_of(&got), "3=v");
    assert_int_equal(got.n_progress, 1);
    assert_int_equal(got.progress[0].first_offset, 1);
    assert_int_equal(got.progress[0].next_offset, 2);
    got = fetch_now(place, reader);
    assert_string_equal(text_of(&got), "4=v,5=v");
    got = fetch_now(place, reader);
    assert_string_equal(text_of(&got), "6=v");
    assert_int_equal(got.progress[0].next_offset, 4);
    close_reader(place, reader);
}

static void several_readers_stand_where_each_of_them_is(void **state)
{
    struct workplace *place = *state;
    struct sl_log_reader *slow;
    struct sl_log_reader *fast;
    struct sl_fetched got;

    workplace_open(place);
    append_numbered(place, "t", 0, 2);
    slow = reader_from(place, "slow", 0, "t", NULL);
    fast = reader_from(place, "fast", 0, "t", NULL);
    got = fetch_now(place, fast);
    assert_int_equal(got.n_records, 2);
    append_numbered(place, "t", 2, 1);
    got = fetch_now(place, fast);
    assert_string_equal(text_of(&got), "k2=v2");
    got = fetch_now(place, slow);
    assert_string_equal(text_of(&got), "k0=v0,k1=v1,k2=v2");
    close_reader(place, slow);
    close_reader(place, fast);
}

static void a_reader_may_wait_for_a_topic_that_does_not_exist_yet(void **state)
{
    struct workplace *place = *state;
    struct sl_log_reader *reader;
    struct sl_fetched got;

    workplace_open(place);
    append_one(place, "other", "k", "v");
    reader = reader_from(place, "r", -1, "later", "other", NULL);
    got = fetch_now(place, reader);
    assert_string_equal(text_of(&got), "k=v");
    append_one(place, "later", "l", "1");
    got = fetch_now(place, reader);
    assert_string_equal(text_of(&got), "l=1");
    close_reader(place, reader);
}

struct waiting {
    struct workplace *place;
    struct sl_log_reader *reader;
};

static void append_a_moment_later(void *arg)
{
    struct waiting *waiting = arg;

    append_one(waiting->place, "t", "k", "v");
}

static void wake_a_moment_later(void *arg)
{
    struct waiting *waiting = arg;

    waiting->place->log->ops->reader_wake(waiting->reader);
}

static void an_append_ends_a_waiting_fetch(void **state)
{
    struct workplace *place = *state;
    struct waiting waiting = {.place = place};
    struct sl_thread thread = {0};
    struct sl_fetched got = {0};

    workplace_open(place);
    waiting.reader = reader_from(place, "r", -1, "t", NULL);
    sl_thread_start(&thread, "append", append_a_moment_later, &waiting);
    assert_int_equal(place->log->ops->fetch(waiting.reader, 1 << 20, 10, sl_now_us() + 60000000, place->arena,
                                            &got, &place->err),
                     SL_OK);
    sl_thread_join(&thread);
    assert_string_equal(text_of(&got), "k=v");
    close_reader(place, waiting.reader);
}

static void a_wake_ends_a_waiting_fetch_with_nothing(void **state)
{
    struct workplace *place = *state;
    struct waiting waiting = {.place = place};
    struct sl_thread thread = {0};
    struct sl_fetched got = {.n_records = 7};

    workplace_open(place);
    append_one(place, "x", "k", "v");
    waiting.reader = reader_from(place, "r", -1, "t", NULL);
    sl_thread_start(&thread, "wake", wake_a_moment_later, &waiting);
    assert_int_equal(
        place->log->ops->fetch(waiting.reader, 1 << 20, 10, INT64_MAX, place->arena, &got, &place->err),
        SL_OK);
    sl_thread_join(&thread);
    assert_int_equal(got.n_records, 0);
    assert_int_equal(got.n_progress, 0);
    close_reader(place, waiting.reader);
}

static void a_second_writer_is_refused_and_told_who_holds_the_log(void **state)
{
    struct workplace *place = *state;
    struct sl_transport *second = NULL;
    char pid[32];

    workplace_open(place);
    assert_int_equal(sl_transport_sqlite.open(place->props, false, &second, &place->err), SL_E_BUSY);
    (void)snprintf(pid, sizeof(pid), "process %ld holds", (long)getpid());
    assert_non_null(strstr(place->err.text, pid));
}

static void a_read_only_log_can_change_nothing(void **state)
{
    struct workplace *place = *state;
    struct sl_transport *reading = NULL;
    struct sl_log_record record = record_of("t", "k", "v");
    struct sl_append append = {.records = &record, .n_records = 1};
    struct sl_topic_settings settings = {.partitions = 1};

    workplace_open(place);
    append_one(place, "t", "k", "v");
    assert_int_equal(sl_transport_sqlite.open(place->props, true, &reading, &place->err), SL_OK);
    assert_string_equal(reading->ops->identity(reading), place->log->ops->identity(place->log));
    assert_int_equal(reading->ops->append(reading, &append, &place->err), SL_E_UNSUPPORTED);
    assert_int_equal(reading->ops->create_topic(reading, topic_of("n"), &settings, &place->err),
                     SL_E_UNSUPPORTED);
    assert_int_equal(reading->ops->put(reading, "s", "k", span_of("v"), &place->err), SL_E_UNSUPPORTED);
    assert_int_equal(reading->ops->commit(reading, "r", NULL, 0, &place->err), SL_E_UNSUPPORTED);
    reading->ops->close(reading);
}

static void reading_a_log_that_is_not_there_says_so(void **state)
{
    struct workplace *place = *state;

    assert_int_equal(sl_transport_sqlite.open(place->props, true, &place->log, &place->err), SL_E_NOT_FOUND);
    assert_non_null(strstr(place->err.text, "HINT:"));
    place->log = NULL;
}

static void committed_positions_are_told_at_once_and_survive(void **state)
{
    struct workplace *place = *state;
    bool foreign = true;
    int64_t next = 0;

    workplace_open(place);
    append_numbered(place, "t", 0, 5);
    assert_int_equal(
        place->log->ops->committed(place->log, "r", topic_of("t"), 0, &next, &foreign, &place->err), SL_OK);
    assert_int_equal(next, -1);
    commit_to(place, "r", "t", 4);
    assert_int_equal(
        place->log->ops->committed(place->log, "r", topic_of("t"), 0, &next, &foreign, &place->err), SL_OK);
    assert_int_equal(next, 4);
    commit_to(place, "r", "t", 2); /* never backwards */
    workplace_reopen(place);
    assert_int_equal(
        place->log->ops->committed(place->log, "r", topic_of("t"), 0, &next, &foreign, &place->err), SL_OK);
    assert_int_equal(next, 4);
}

#define PLACE_TEST(name) cmocka_unit_test_setup_teardown(name, workplace_make, workplace_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(what_is_appended_comes_back_as_it_was),
        PLACE_TEST(records_and_identity_survive_a_restart),
        PLACE_TEST(log_order_holds_across_the_topics_of_an_append),
        PLACE_TEST(offsets_of_each_partition_count_by_themselves),
        PLACE_TEST(an_existing_topic_keeps_its_settings),
        PLACE_TEST(source_offsets_travel_with_the_records),
        PLACE_TEST(all_offsets_of_a_connector_can_be_listed),
        PLACE_TEST(source_notes_are_kept_in_the_order_of_their_keys),
        PLACE_TEST(a_log_of_version_1_is_upgraded_when_it_is_opened_for_writing),
        PLACE_TEST(keyed_texts_are_replaced_and_deleted),
        PLACE_TEST(watchers_hear_of_each_change_in_order_until_they_leave),
        PLACE_TEST(a_topic_that_leaves_its_settings_to_the_log_gets_them),
        PLACE_TEST(a_start_below_the_oldest_or_beyond_the_end_is_refused),
        PLACE_TEST(a_reader_begins_in_the_middle_of_a_batch),
        PLACE_TEST(whole_appends_are_handed_out_as_long_as_they_fit),
        PLACE_TEST(an_append_larger_than_the_limits_comes_in_pieces),
        PLACE_TEST(several_readers_stand_where_each_of_them_is),
        PLACE_TEST(a_reader_may_wait_for_a_topic_that_does_not_exist_yet),
        PLACE_TEST(an_append_ends_a_waiting_fetch),
        PLACE_TEST(a_wake_ends_a_waiting_fetch_with_nothing),
        PLACE_TEST(a_second_writer_is_refused_and_told_who_holds_the_log),
        PLACE_TEST(a_read_only_log_can_change_nothing),
        PLACE_TEST(reading_a_log_that_is_not_there_says_so),
        PLACE_TEST(committed_positions_are_told_at_once_and_survive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
