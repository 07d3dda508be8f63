/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Damaged files. Whatever bytes are changed: nothing that was not appended is ever served, nothing is left
 * out in silence, nothing crashes.
 */
#include "workplace.h"

#include "base/clock.h"
#include "transport/sqlite/sqlite.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { APPENDS = 12, PER_APPEND = 25 };

struct image {
    uint8_t *bytes;
    size_t size;
};

static struct image load(const char *path)
{
    struct image image = {0};
    struct stat info;
    int fd = open(path, O_RDONLY);

    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &info), 0);
    image.size = (size_t)info.st_size;
    image.bytes = malloc(image.size);
    assert_int_equal(read(fd, image.bytes, image.size), image.size);
    (void)close(fd);
    return image;
}

static void save(const char *path, const uint8_t *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), size);
    (void)close(fd);
}

static void forget_wal(const struct workplace *place)
{
    char path[160];

    (void)snprintf(path, sizeof(path), "%s-wal", workplace_file(place));
    (void)unlink(path);
    (void)snprintf(path, sizeof(path), "%s-shm", workplace_file(place));
    (void)unlink(path);
}

/* A log of known content: k<i> = v<i> over the topics "even" and "odd", a source position, a reader. */
static struct image make_log(struct workplace *place)
{
    struct sl_log_record records[PER_APPEND];
    char texts[PER_APPEND][2][200];
    char position[32];

    workplace_open(place);
    for (int append = 0; append < APPENDS; append++) {
        struct sl_source_offset offset = {.connector = "c", .partition = span_of("p")};
        struct sl_append all = {
            .records = records, .n_records = PER_APPEND, .offsets = &offset, .n_offsets = 1};

        for (int i = 0; i < PER_APPEND; i++) {
            int n = append * PER_APPEND + i;

            (void)snprintf(texts[i][0], sizeof(texts[i][0]), "k%d", n);
            (void)snprintf(texts[i][1], sizeof(texts[i][1]), "v%d %x %x %x %x %x", n, (unsigned)rand(),
                           (unsigned)rand(), (unsigned)rand(), (unsigned)rand(), (unsigned)rand());
            records[i] = record_of(n % 2 ? "odd" : "even", texts[i][0], texts[i][1]);
        }
        (void)snprintf(position, sizeof(position), "at-%d", append);
        offset.offset = span_of(position);
        assert_int_equal(place->log->ops->append(place->log, &all, &place->err), SL_OK);
    }
    commit_to(place, "reader", "odd", 5);
    workplace_close(place);
    return load(workplace_file(place));
}

static bool is_known_refusal(enum sl_rc rc)
{
    /* CONFIG: not a log of ours any more. UNSUPPORTED: another version. NOT_FOUND: no tables. */
    return rc == SL_E_LOG_DAMAGED || rc == SL_E_CONFIG || rc == SL_E_UNSUPPORTED || rc == SL_E_NOT_FOUND;
}

/* Read all; every record must be the next one. Returns how many came before the end or the refusal. */
static int read_all(struct workplace *place, struct sl_transport *log, enum sl_rc *ret_rc)
{
    struct sl_progress start[2] = {{.topic = topic_of("even"), .next_offset = 0},
                                   {.topic = topic_of("odd"), .next_offset = 0}};
    struct sl_log_reader *reader = NULL;
    struct sl_fetched got;
    int n = 0;
    char key[16];

    *ret_rc = log->ops->reader_open(log, "look", start, 2, &reader, &place->err);
    while (*ret_rc == SL_OK) {
        sl_arena_reset(place->arena);
        *ret_rc = log->ops->fetch(reader, 1 << 20, 60, 0, place->arena, &got, &place->err);
        if (*ret_rc || got.n_records == 0)
            break;
        for (size_t i = 0; i < got.n_records; i++, n++) {
            (void)snprintf(key, sizeof(key), "k%d", n);
            if (got.records[i].key.len != strlen(key) ||
                memcmp(got.records[i].key.ptr, key, strlen(key)) != 0 ||
                memcmp(got.records[i].value.ptr + 1, key + 1, strlen(key) - 1) != 0)
                fail_msg("record %d is not %s", n, key);
        }
    }
    if (reader)
        log->ops->reader_close(reader);
    return n;
}

/* A reader beside the worker has not looked at all rows: one with a damaged key is missing to it. */
static void check_position(struct workplace *place, struct sl_transport *log, bool read_only)
{
    char *text = NULL;
    enum sl_rc rc = log->ops->source_offset(log, "c", span_of("p"), &text, &place->err);

    if (rc)
        assert_true(is_known_refusal(rc));
    else if (text || !read_only)
        assert_string_equal(text ? text : "none", "at-11");
    free(text);
}

/* Returns true when the damage was noticed. */
static bool survive(struct workplace *place, const uint8_t *bytes, size_t size, bool read_only)
{
    struct sl_transport *log = NULL;
    enum sl_rc rc;
    int n;

    save(workplace_file(place), bytes, size);
    forget_wal(place);
    rc = sl_transport_sqlite.open(place->props, read_only, &log, &place->err);
    if (rc) {
        if (!is_known_refusal(rc))
            fail_msg("open: %d %s", rc, place->err.text);
        return true;
    }
    n = read_all(place, log, &rc);
    if (rc && !is_known_refusal(rc))
        fail_msg("read: %d %s", rc, place->err.text);
    if (!rc)
        assert_int_equal(n, APPENDS * PER_APPEND);
    check_position(place, log, read_only);
    log->ops->close(log);
    return rc != SL_OK;
}

static void no_changed_byte_is_served_or_loses_records_in_silence(void **state)
{
    struct workplace *place = *state;
    struct image image;
    int noticed = 0;
    int tried = 0;

    srand(3);
    image = make_log(place);
    for (size_t at = 0; at < image.size; at += at < 512 ? 3 : 89, tried++) {
        uint8_t kept = image.bytes[at];

        image.bytes[at] = (uint8_t)(tried % 3 == 0 ? kept ^ 0xff : tried % 3 == 1 ? kept ^ 0x01 : kept + 1);
        noticed += survive(place, image.bytes, image.size, tried % 2);
        image.bytes[at] = kept;
    }
    assert_true(noticed > tried / 8); /* much of a small file is free space, but not all */
    assert_false(survive(place, image.bytes, image.size, false));
    free(image.bytes);
}

static void a_file_that_was_cut_short_is_noticed(void **state)
{
    struct workplace *place = *state;
    struct image image;

    srand(4);
    image = make_log(place);
    for (size_t size = 512; size < image.size; size += size % 4096 ? 1024 : 512)
        assert_true(survive(place, image.bytes, size, size % 1024 == 0));
    free(image.bytes);
}

static void whole_pages_of_zeros_or_noise_are_noticed_or_harmless(void **state)
{
    struct workplace *place = *state;
    struct image image;
    uint8_t kept[4096];

    srand(5);
    image = make_log(place);
    for (size_t at = 0; at + 4096 <= image.size; at += 4096) {
        memcpy(kept, image.bytes + at, sizeof(kept));
        memset(image.bytes + at, 0, sizeof(kept));
        (void)survive(place, image.bytes, image.size, true);
        for (size_t i = 0; i < sizeof(kept); i++)
            image.bytes[at + i] = (uint8_t)rand();
        (void)survive(place, image.bytes, image.size, true);
        memcpy(image.bytes + at, kept, sizeof(kept));
    }
    free(image.bytes);
}

/* Change one byte inside the n-th stored block, through SQLite, so that only our own checks can see it. */
static void damage_block(struct workplace *place, int batch)
{
    sqlite3 *db;
    sqlite3_blob *blob;
    uint8_t byte;

    assert_int_equal(sqlite3_open(workplace_file(place), &db), SQLITE_OK);
    assert_int_equal(sqlite3_blob_open(db, "main", "batches", "block", batch, 1, &blob), SQLITE_OK);
    assert_int_equal(sqlite3_blob_read(blob, &byte, 1, 70), SQLITE_OK);
    byte ^= 0x20;
    assert_int_equal(sqlite3_blob_write(blob, &byte, 1, 70), SQLITE_OK);
    (void)sqlite3_blob_close(blob);
    (void)sqlite3_close(db);
}

static void run_sql(struct workplace *place, const char *sql)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(workplace_file(place), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    (void)sqlite3_close(db);
}

static void a_damaged_batch_is_named_and_nothing_behind_it_is_served(void **state)
{
    struct workplace *place = *state;
    struct sl_log_reader *reader;
    struct sl_fetched got;

    workplace_open(place);
    append_numbered(place, "t", 0, 10);
    append_numbered(place, "t", 10, 10);
    append_numbered(place, "t", 20, 10);
    workplace_close(place);
    damage_block(place, 2);
    workplace_open(place);
    reader = reader_from(place, "r", 0, "t", NULL);
    got = fetch_now(place, reader);
    assert_int_equal(got.n_records, 10); /* what lies before is good */
    for (int again = 0; again < 3; again++) {
        assert_int_equal(try_fetch(place, reader, &got), SL_E_LOG_DAMAGED);
        assert_non_null(strstr(place->err.text, workplace_file(place)));
        assert_non_null(strstr(place->err.text, "topic 't' partition 0 offsets 10 to 19"));
        assert_non_null(strstr(place->err.text, "HINT:"));
        assert_int_equal(place->err.kind, SL_KIND_FATAL);
    }
    close_reader(place, reader);
    reader = reader_from(place, "r2", 20, "t", NULL); /* asked for knowingly */
    got = fetch_now(place, reader);
    assert_int_equal(got.n_records, 10);
    close_reader(place, reader);
}

static void an_append_with_one_damaged_block_is_not_served_in_part(void **state)
{
    struct workplace *place = *state;
    struct sl_log_record records[4] = {record_of("a", "1", "x"), record_of("b", "2", "x"),
                                       record_of("a", "3", "x"), record_of("b", "4", "x")};
    struct sl_log_reader *reader;
    struct sl_fetched got;

    workplace_open(place);
    append_all(place, records, 4);
    workplace_close(place);
    damage_block(place, 2);
    workplace_open(place);
    reader = reader_from(place, "r", 0, "a", "b", NULL);
    assert_int_equal(try_fetch(place, reader, &got), SL_E_LOG_DAMAGED);
    assert_non_null(strstr(place->err.text, "topic 'b'"));
    close_reader(place, reader);
    reader = reader_from(place, "r2", 0, "a", NULL); /* the other topic's block is whole */
    got = fetch_now(place, reader);
    assert_string_equal(text_of(&got), "1=x,3=x");
    close_reader(place, reader);
}

static void a_batch_that_is_missing_is_noticed(void **state)
{
    struct workplace *place = *state;
    struct sl_log_reader *reader;
    struct sl_fetched got;

    workplace_open(place);
    append_numbered(place, "t", 0, 2);
    append_numbered(place, "t", 2, 2);
    append_numbered(place, "t", 4, 2);
    workplace_close(place);
    run_sql(place, "DELETE FROM batches WHERE id = 2");
    workplace_open(place);
    reader = reader_from(place, "r", 0, "t", NULL);
    got = fetch_now(place, reader);
    assert_string_equal(text_of(&got), "k0=v0,k1=v1");
    assert_int_equal(try_fetch(place, reader, &got), SL_E_LOG_DAMAGED);
    assert_non_null(strstr(place->err.text, "offsets 2 to 3"));
    close_reader(place, reader);
    workplace_close(place);
    run_sql(place, "DELETE FROM batches WHERE id = 3");
    assert_int_equal(sl_transport_sqlite.open(place->props, false, &place->log, &place->err),
                     SL_E_LOG_DAMAGED);
    place->log = NULL;
}

static void a_reader_beside_the_worker_misses_the_end_too(void **state)
{
    struct workplace *place = *state;
    struct sl_progress start = {.topic = topic_of("t"), .next_offset = 0};
    struct sl_transport *beside;
    struct sl_log_reader *reader;
    struct sl_fetched got;

    workplace_open(place);
    append_numbered(place, "t", 0, 2);
    append_numbered(place, "t", 2, 2);
    workplace_close(place);
    run_sql(place, "DELETE FROM batches WHERE id = 2");
    assert_int_equal(sl_transport_sqlite.open(place->props, true, &beside, &place->err), SL_OK);
    assert_int_equal(beside->ops->reader_open(beside, "tail", &start, 1, &reader, &place->err), SL_OK);
    got = fetch_now(place, reader);
    assert_int_equal(got.n_records, 2);
    assert_int_equal(try_fetch(place, reader, &got), SL_E_LOG_DAMAGED);
    assert_non_null(strstr(place->err.text, "offsets 2 to 3"));
    beside->ops->reader_close(reader);
    beside->ops->close(beside);
}

static void a_row_that_disagrees_with_its_block_is_noticed(void **state)
{
    struct workplace *place = *state;
    struct sl_log_reader *reader;
    struct sl_fetched got;

    workplace_open(place);
    append_one(place, "t", "a", "1");
    append_one(place, "u", "b", "1");
    workplace_close(place);
    run_sql(place, "UPDATE batches SET block = (SELECT block FROM batches WHERE id = 2) WHERE id = 1");
    workplace_open(place);
    reader = reader_from(place, "r", 0, "t", "u", NULL);
    assert_int_equal(try_fetch(place, reader, &got), SL_E_LOG_DAMAGED);
    close_reader(place, reader);
}

static void refuse_after(struct workplace *place, const char *sql, enum sl_rc rc, const char *word)
{
    run_sql(place, sql);
    assert_int_equal(sl_transport_sqlite.open(place->props, false, &place->log, &place->err), rc);
    assert_non_null(strstr(place->err.text, word));
    assert_non_null(strstr(place->err.text, "HINT:"));
    place->log = NULL;
}

static void short_rows_are_checked_too(void **state)
{
    struct workplace *place = *state;

    workplace_open(place);
    append_one(place, "t", "a", "1");
    commit_to(place, "sink", "t", 1);
    workplace_close(place);
    refuse_after(place, "UPDATE readers SET next_offset = 0", SL_E_LOG_DAMAGED, "reader 'sink'");
    refuse_after(place, "DELETE FROM readers; UPDATE topics SET retention_ms = 1", SL_E_LOG_DAMAGED,
                 "topic 't'");
    refuse_after(place, "UPDATE partitions SET next_offset = 2", SL_E_LOG_DAMAGED, "checksum");
}

static void a_newer_format_is_refused_with_its_number(void **state)
{
    struct workplace *place = *state;

    workplace_open(place);
    workplace_close(place);
    refuse_after(place, "PRAGMA user_version = 9", SL_E_UNSUPPORTED, "format version 9");
    refuse_after(place, "PRAGMA application_id = 1", SL_E_CONFIG, "not a log of sluice");
}

static void what_is_no_database_is_said_to_be_damaged(void **state)
{
    struct workplace *place = *state;

    save(workplace_file(place),
         (const uint8_t *)"this is not a database, but it is long enough to be one....", 60);
    assert_int_equal(sl_transport_sqlite.open(place->props, false, &place->log, &place->err),
                     SL_E_LOG_DAMAGED);
    place->log = NULL;
    assert_int_equal(sl_transport_sqlite.open(place->props, true, &place->log, &place->err),
                     SL_E_LOG_DAMAGED);
    place->log = NULL;
}

#define PLACE_TEST(name) cmocka_unit_test_setup_teardown(name, workplace_make, workplace_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(no_changed_byte_is_served_or_loses_records_in_silence),
        PLACE_TEST(a_file_that_was_cut_short_is_noticed),
        PLACE_TEST(whole_pages_of_zeros_or_noise_are_noticed_or_harmless),
        PLACE_TEST(a_damaged_batch_is_named_and_nothing_behind_it_is_served),
        PLACE_TEST(an_append_with_one_damaged_block_is_not_served_in_part),
        PLACE_TEST(a_batch_that_is_missing_is_noticed),
        PLACE_TEST(a_reader_beside_the_worker_misses_the_end_too),
        PLACE_TEST(a_row_that_disagrees_with_its_block_is_noticed),
        PLACE_TEST(short_rows_are_checked_too),
        PLACE_TEST(a_newer_format_is_refused_with_its_number),
        PLACE_TEST(what_is_no_database_is_said_to_be_damaged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
