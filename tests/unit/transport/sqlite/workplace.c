/* SPDX-License-Identifier: Apache-2.0 */
#include "workplace.h"

#include "base/clock.h"
#include "transport/sqlite/sqlite.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int workplace_make(void **state)
{
    struct workplace *place = calloc(1, sizeof(*place));

    /* In memory where that is possible: a sync that costs nothing makes the tests ten times faster. */
    (void)snprintf(place->dir, sizeof(place->dir), "%s/sluice-log-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(place->dir));
    place->props = sl_props_new();
    sl_props_set(place->props, "sluice.state.dir", place->dir);
    place->arena = sl_arena_new(4096);
    *state = place;
    return 0;
}

static void remove_files(const char *dir)
{
    DIR *files = opendir(dir);

    for (struct dirent *file = files ? readdir(files) : NULL; file; file = readdir(files)) {
        char path[512];

        (void)snprintf(path, sizeof(path), "%s/%s", dir, file->d_name);
        (void)unlink(path);
    }
    if (files)
        (void)closedir(files);
}

int workplace_remove(void **state)
{
    struct workplace *place = *state;

    if (place->log)
        workplace_close(place);
    remove_files(place->dir);
    (void)rmdir(place->dir);
    sl_props_free(place->props);
    sl_arena_free(place->arena);
    free(place);
    return 0;
}

void workplace_set(struct workplace *place, const char *key, const char *value)
{
    sl_props_set(place->props, key, value);
}

void workplace_open(struct workplace *place)
{
    if (sl_transport_sqlite.open(place->props, false, &place->log, &place->err) != SL_OK)
        fail_msg("open: %s", place->err.text);
}

void workplace_close(struct workplace *place)
{
    place->log->ops->close(place->log);
    place->log = NULL;
}

void workplace_reopen(struct workplace *place)
{
    workplace_close(place);
    workplace_open(place);
}

const char *workplace_file(const struct workplace *place)
{
    static char path[128];

    (void)snprintf(path, sizeof(path), "%s/sluice.db", place->dir);
    return path;
}

const struct sl_topic *topic_of(const char *name)
{
    return sl_topic_intern(name, strlen(name));
}

struct sl_span span_of(const char *text)
{
    return text ? (struct sl_span){.ptr = (const uint8_t *)text, .len = strlen(text)} : (struct sl_span){0};
}

struct sl_log_record record_of(const char *topic, const char *key, const char *value)
{
    return (struct sl_log_record){
        .topic = topic_of(topic), .timestamp_ms = 1000, .key = span_of(key), .value = span_of(value)};
}

enum sl_rc try_append(struct workplace *place, const struct sl_log_record *records, size_t n)
{
    struct sl_append append = {.records = records, .n_records = n};

    return place->log->ops->append(place->log, &append, &place->err);
}

void append_all(struct workplace *place, const struct sl_log_record *records, size_t n)
{
    if (try_append(place, records, n) != SL_OK)
        fail_msg("append: %s", place->err.text);
}

void append_one(struct workplace *place, const char *topic, const char *key, const char *value)
{
    struct sl_log_record record = record_of(topic, key, value);

    append_all(place, &record, 1);
}

void append_numbered(struct workplace *place, const char *topic, int first, int n)
{
    struct sl_log_record *records = calloc((size_t)n, sizeof(*records));
    char(*texts)[2][24] = calloc((size_t)n, sizeof(*texts));

    for (int i = 0; i < n; i++) {
        (void)snprintf(texts[i][0], sizeof(texts[i][0]), "k%d", first + i);
        (void)snprintf(texts[i][1], sizeof(texts[i][1]), "v%d", first + i);
        records[i] = record_of(topic, texts[i][0], texts[i][1]);
    }
    append_all(place, records, (size_t)n);
    free(texts);
    free(records);
}

struct sl_log_reader *reader_from(struct workplace *place, const char *name, int64_t start, const char *topic,
                                  ...)
{
    struct sl_progress starts[16];
    struct sl_log_reader *reader = NULL;
    size_t n = 0;
    va_list more;

    va_start(more, topic);
    for (; topic; topic = va_arg(more, const char *))
        starts[n++] = (struct sl_progress){.topic = topic_of(topic), .next_offset = start};
    va_end(more);
    if (place->log->ops->reader_open(place->log, name, starts, n, &reader, &place->err) != SL_OK)
        fail_msg("reader: %s", place->err.text);
    return reader;
}

enum sl_rc try_reader(struct workplace *place, const char *name, const char *topic, int64_t start,
                      struct sl_log_reader **ret)
{
    struct sl_progress progress = {.topic = topic_of(topic), .next_offset = start};

    return place->log->ops->reader_open(place->log, name, &progress, 1, ret, &place->err);
}

enum sl_rc try_fetch(struct workplace *place, struct sl_log_reader *reader, struct sl_fetched *ret)
{
    sl_arena_reset(place->arena);
    return sl_transport_sqlite.fetch(reader, 4 << 20, 4000, sl_now_us(), place->arena, ret, &place->err);
}

struct sl_fetched fetch_at_most(struct workplace *place, struct sl_log_reader *reader, size_t bytes,
                                size_t records)
{
    struct sl_fetched fetched = {0};

    sl_arena_reset(place->arena);
    if (sl_transport_sqlite.fetch(reader, bytes, records, sl_now_us(), place->arena, &fetched, &place->err) !=
        SL_OK)
        fail_msg("fetch: %s", place->err.text);
    return fetched;
}

struct sl_fetched fetch_now(struct workplace *place, struct sl_log_reader *reader)
{
    return fetch_at_most(place, reader, 4 << 20, 4000);
}

void close_reader(struct workplace *place, struct sl_log_reader *reader)
{
    place->log->ops->reader_close(reader);
}

static size_t put_text(char *text, size_t size, size_t at, struct sl_span span)
{
    if (!span.ptr)
        return at + (size_t)snprintf(text + at, size - at, "~");
    return at + (size_t)snprintf(text + at, size - at, "%.*s", (int)span.len, (const char *)span.ptr);
}

const char *text_of(const struct sl_fetched *fetched)
{
    static char text[4096];
    size_t at = 0;

    text[0] = '\0';
    for (size_t i = 0; i < fetched->n_records && at < sizeof(text) - 300; i++) {
        if (i)
            text[at++] = ',';
        at = put_text(text, sizeof(text), at, fetched->records[i].key);
        text[at++] = '=';
        at = put_text(text, sizeof(text), at, fetched->records[i].value);
    }
    return text;
}

void commit_to(struct workplace *place, const char *name, const char *topic, int64_t next)
{
    struct sl_progress progress = {.topic = topic_of(topic), .next_offset = next};

    if (place->log->ops->commit(place->log, name, &progress, 1, &place->err) != SL_OK)
        fail_msg("commit: %s", place->err.text);
}

struct wanted {
    const char *name;
    int64_t first_offset;
    int64_t next_offset;
};

static void look(void *ctx, const struct sl_topic_info *info)
{
    struct wanted *wanted = ctx;

    if (strcmp(info->name, wanted->name) == 0 && info->partition == 0) {
        wanted->first_offset = info->first_offset;
        wanted->next_offset = info->next_offset;
    }
}

static struct wanted find_topic(struct workplace *place, const char *topic)
{
    struct wanted wanted = {.name = topic, .first_offset = -1, .next_offset = -1};

    if (place->log->ops->topics(place->log, look, &wanted, &place->err) != SL_OK)
        fail_msg("topics: %s", place->err.text);
    return wanted;
}

int64_t first_offset(struct workplace *place, const char *topic)
{
    return find_topic(place, topic).first_offset;
}

int64_t next_offset(struct workplace *place, const char *topic)
{
    return find_topic(place, topic).next_offset;
}
