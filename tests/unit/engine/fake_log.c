/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/fake_parts.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/props.h"
#include "base/thread.h"

#include <stdio.h>
#include <stdlib.h>

struct sl_log_reader {
    struct sl_progress *at;
    size_t n;
    bool woken;
    struct sl_log_record *records;
    struct sl_progress *progress;
};

static struct sl_transport the_log;

bool fake_step(void)
{
    if (world.dead)
        return false;
    if (world.faults.crash_in && --world.faults.crash_in == 0) {
        world.dead = true;
        return world.faults.crash_after;
    }
    return true;
}

enum sl_rc fake_dead(struct sl_error *err)
{
    return sl_error_set(err, SL_E_STOPPED, "killed");
}

static enum sl_rc log_open(const struct sl_props *props, bool read_only, struct sl_transport **ret,
                           struct sl_error *err)
{
    (void)props;
    (void)read_only;
    (void)err;
    *ret = &the_log;
    return SL_OK;
}

static const char *log_identity(struct sl_transport *log)
{
    (void)log;
    return "00000000-0000-4000-8000-000000000001";
}

static bool topic_exists(const char *name)
{
    for (size_t i = 0; i < world.n_topics_made; i++) {
        if (strcmp(world.topic_list[i].key, name) == 0)
            return true;
    }
    return false;
}

static enum sl_rc log_create_topic(struct sl_transport *log, const struct sl_topic *topic,
                                   const struct sl_topic_settings *settings, struct sl_error *err)
{
    (void)log;
    (void)err;
    (void)pthread_mutex_lock(&world.lock);
    if (!topic_exists(topic->name)) {
        SL_GROW(world.topic_list, world.n_topics_made, world.topics_capacity);
        world.topic_list[world.n_topics_made++] =
            (struct fake_text){.key = sl_strdup(topic->name),
                               .value = sl_format("%d", settings->partitions ? settings->partitions : 1)};
    }
    (void)pthread_mutex_unlock(&world.lock);
    return SL_OK;
}

static enum sl_rc log_topic_identity(struct sl_transport *log, const struct sl_topic *topic, char **ret,
                                     struct sl_error *err)
{
    (void)topic;
    (void)err;
    *ret = sl_strdup(log_identity(log));
    return SL_OK;
}

static enum sl_rc log_partitions(struct sl_transport *log, const struct sl_topic *topic, int32_t *ret,
                                 struct sl_error *err)
{
    (void)log;
    (void)err;
    *ret = 0;
    (void)pthread_mutex_lock(&world.lock);
    for (size_t i = 0; i < world.n_topics_made; i++) {
        if (strcmp(world.topic_list[i].key, topic->name) == 0)
            *ret = world.topic_list[i].value[0] - '0';
    }
    (void)pthread_mutex_unlock(&world.lock);
    return SL_OK;
}

static enum sl_rc log_list_topics(struct sl_transport *log, sl_topic_change *visit, void *ctx,
                                  struct sl_error *err)
{
    (void)log;
    (void)err;
    for (size_t i = 0; i < world.n_topics_made; i++)
        visit(ctx, sl_topic_intern(world.topic_list[i].key, strlen(world.topic_list[i].key)),
              world.topic_list[i].value[0] - '0');
    return SL_OK;
}

static int64_t end_of(const struct sl_topic *topic, int32_t partition)
{
    int64_t end = 0;

    for (size_t i = 0; i < world.n_stored; i++) {
        if (world.stored[i].topic == topic && world.stored[i].partition == partition)
            end = world.stored[i].offset + 1;
    }
    return end;
}

static enum sl_rc log_topics(struct sl_transport *log, sl_topic_visitor *visit, void *ctx,
                             struct sl_error *err)
{
    struct sl_topic_info infos[64];
    size_t n = 0;

    (void)log;
    (void)err;
    (void)pthread_mutex_lock(&world.lock);
    for (size_t i = 0; i < world.n_topics_made; i++) {
        int partitions = world.topic_list[i].value[0] - '0';

        for (int32_t p = 0; p < partitions && n < 64; p++, n++) {
            infos[n] = (struct sl_topic_info){.settings = {.partitions = partitions}, .partition = p};
            (void)snprintf(infos[n].name, sizeof(infos[n].name), "%s", world.topic_list[i].key);
            infos[n].next_offset = end_of(sl_topic_intern(infos[n].name, strlen(infos[n].name)), p);
        }
    }
    (void)pthread_mutex_unlock(&world.lock);
    for (size_t i = 0; i < n; i++)
        visit(ctx, &infos[i]);
    return SL_OK;
}

static char *copy_span(struct sl_span span)
{
    return span.ptr ? sl_strndup((const char *)span.ptr, span.len) : NULL;
}

static void store_record(const struct sl_log_record *record)
{
    int64_t offset = end_of(record->topic, record->partition);

    SL_GROW(world.stored, world.n_stored, world.stored_capacity);
    world.stored[world.n_stored++] = (struct fake_stored){
        .topic = record->topic,
        .partition = record->partition,
        .offset = offset,
        .timestamp_ms = record->timestamp_ms,
        .key = copy_span(record->key),
        .value = copy_span(record->value),
        .headers = copy_span(record->headers),
        .key_len = record->key.len,
        .value_len = record->value.len,
        .headers_len = record->headers.len,
    };
}

static void set_text(const char *space, const char *key, struct sl_span value)
{
    struct fake_text *found = NULL;

    for (size_t i = 0; i < world.n_texts; i++) {
        if (strcmp(world.texts[i].space, space) == 0 && strcmp(world.texts[i].key, key) == 0)
            found = &world.texts[i];
    }
    if (!found) {
        SL_GROW(world.texts, world.n_texts, world.texts_capacity);
        found = &world.texts[world.n_texts++];
        *found = (struct fake_text){.space = sl_strdup(space), .key = sl_strdup(key)};
    }
    sl_free(found->value);
    found->value = value.len || space[0] != 'o' ? copy_span(value) : NULL; /* no offset: none */
}

static void set_offset(const struct sl_source_offset *offset)
{
    char *space = sl_format("offset:%s", offset->connector);
    char *key = copy_span(offset->partition);

    set_text(space, key, offset->offset);
    sl_free(space);
    sl_free(key);
}

static enum sl_rc refused(struct sl_error *err)
{
    if (world.faults.append_full && world.faults.append_full-- > 0)
        return sl_error_set(err, SL_E_LOG_FULL, "the fake log is full");
    if (world.faults.append_io && --world.faults.append_io == 0)
        return sl_error_set(err, SL_E_IO, "the fake disk is broken");
    return SL_OK;
}

static enum sl_rc log_append(struct sl_transport *log, const struct sl_append *append, struct sl_error *err)
{
    enum sl_rc rc;

    (void)log;
    (void)pthread_mutex_lock(&world.lock);
    rc = refused(err);
    if (rc == SL_OK && fake_step()) {
        for (size_t i = 0; i < append->n_records; i++)
            store_record(&append->records[i]);
        for (size_t i = 0; i < append->n_offsets; i++)
            set_offset(&append->offsets[i]);
    }
    if (rc == SL_OK && world.dead)
        rc = fake_dead(err);
    (void)pthread_cond_broadcast(&world.changed);
    (void)pthread_mutex_unlock(&world.lock);
    return rc;
}

char *fake_text(const char *space, const char *key)
{
    char *copy = NULL;

    (void)pthread_mutex_lock(&world.lock);
    for (size_t i = 0; i < world.n_texts; i++) {
        if (strcmp(world.texts[i].space, space) == 0 && strcmp(world.texts[i].key, key) == 0 &&
            world.texts[i].value)
            copy = sl_strdup(world.texts[i].value);
    }
    (void)pthread_mutex_unlock(&world.lock);
    return copy;
}

static enum sl_rc log_source_offset(struct sl_transport *log, const char *connector, struct sl_span partition,
                                    char **ret_offset, struct sl_error *err)
{
    char *space = sl_format("offset:%s", connector);
    char *key = copy_span(partition);

    (void)log;
    (void)err;
    *ret_offset = fake_text(space, key);
    sl_free(space);
    sl_free(key);
    return SL_OK;
}

static enum sl_rc log_reader_open(struct sl_transport *log, const char *name, const struct sl_progress *start,
                                  size_t n, struct sl_log_reader **ret, struct sl_error *err)
{
    struct sl_log_reader *reader = sl_zalloc(1, sizeof(*reader));

    (void)log;
    (void)name;
    (void)err;
    reader->at = sl_zalloc(n, sizeof(*reader->at));
    memcpy(reader->at, start, n * sizeof(*start));
    reader->n = n;
    reader->progress = sl_zalloc(n, sizeof(*reader->progress));
    for (size_t i = 0; i < n; i++) {
        if (reader->at[i].next_offset < 0)
            reader->at[i].next_offset = 0;
    }
    *ret = reader;
    return SL_OK;
}

static struct sl_progress *position_of(struct sl_log_reader *reader, const struct fake_stored *stored)
{
    for (size_t i = 0; i < reader->n; i++) {
        if (reader->at[i].topic == stored->topic && reader->at[i].partition == stored->partition)
            return stored->offset >= reader->at[i].next_offset ? &reader->at[i] : NULL;
    }
    return NULL;
}

static struct sl_span arena_span(struct sl_arena *arena, const char *bytes, size_t len)
{
    return bytes ? (struct sl_span){sl_arena_copy(arena, bytes, len), len} : (struct sl_span){0};
}

static size_t take_records(struct sl_log_reader *reader, size_t max, struct sl_arena *arena)
{
    size_t n = 0;

    reader->records = sl_realloc(reader->records, max, sizeof(*reader->records));
    for (size_t i = 0; i < world.n_stored && n < max; i++) {
        const struct fake_stored *stored = &world.stored[i];
        struct sl_progress *position = position_of(reader, stored);

        if (!position)
            continue;
        reader->records[n++] = (struct sl_log_record){
            .topic = stored->topic,
            .partition = stored->partition,
            .offset = stored->offset,
            .timestamp_ms = stored->timestamp_ms,
            .key = arena_span(arena, stored->key, stored->key_len),
            .value = arena_span(arena, stored->value, stored->value_len),
            .headers = arena_span(arena, stored->headers, stored->headers_len),
        };
        position->next_offset = stored->offset + 1;
    }
    return n;
}

static enum sl_rc log_fetch(struct sl_log_reader *reader, size_t max_bytes, size_t max_records,
                            int64_t deadline_us, struct sl_arena *arena, struct sl_fetched *ret,
                            struct sl_error *err)
{
    size_t n;

    (void)max_bytes;
    (void)err;
    (void)pthread_mutex_lock(&world.lock);
    for (size_t i = 0; i < reader->n; i++)
        reader->at[i].first_offset = reader->at[i].next_offset;
    while (!(n = take_records(reader, max_records < 50 ? max_records : 50, arena)) && !reader->woken &&
           sl_cond_wait(&world.changed, &world.lock, deadline_us))
        continue;
    reader->woken = false;
    *ret = (struct sl_fetched){.records = reader->records, .n_records = n, .progress = reader->progress};
    for (size_t i = 0; i < reader->n; i++) {
        if (reader->at[i].next_offset > reader->at[i].first_offset)
            reader->progress[ret->n_progress++] = reader->at[i];
    }
    (void)pthread_mutex_unlock(&world.lock);
    return SL_OK;
}

static void log_reader_wake(struct sl_log_reader *reader)
{
    (void)pthread_mutex_lock(&world.lock);
    reader->woken = true;
    (void)pthread_cond_broadcast(&world.changed);
    (void)pthread_mutex_unlock(&world.lock);
}

static void log_reader_close(struct sl_log_reader *reader)
{
    sl_free(reader->at);
    sl_free(reader->records);
    sl_free(reader->progress);
    sl_free(reader);
}

static enum sl_rc log_commit(struct sl_transport *log, const char *name, const struct sl_progress *progress,
                             size_t n, struct sl_error *err)
{
    (void)log;
    (void)err;
    (void)pthread_mutex_lock(&world.lock);
    for (size_t i = 0; i < n && !world.dead; i++) {
        char key[100];
        char value[24];

        (void)snprintf(key, sizeof(key), "%s/%s-%d", name, progress[i].topic->name,
                       (int)progress[i].partition);
        (void)snprintf(value, sizeof(value), "%lld", (long long)progress[i].next_offset);
        set_text("committed", key, (struct sl_span){(const uint8_t *)value, strlen(value)});
    }
    (void)pthread_mutex_unlock(&world.lock);
    return SL_OK;
}

static enum sl_rc log_committed(struct sl_transport *log, const char *name, const struct sl_topic *topic,
                                int32_t partition, int64_t *ret_next, bool *ret_foreign, struct sl_error *err)
{
    char *key = sl_format("%s/%s-%d", name, topic->name, (int)partition);
    char *text = fake_text("committed", key);

    (void)log;
    (void)err;
    *ret_next = text ? strtoll(text, NULL, 10) : -1;
    *ret_foreign = false;
    sl_free(text);
    sl_free(key);
    return SL_OK;
}

/* This log keeps no notes. */
static enum sl_rc log_source_notes(struct sl_transport *log, const char *connector, struct sl_span from,
                                   struct sl_span to, size_t max, sl_note_visitor *visit, void *ctx,
                                   struct sl_error *err)
{
    (void)log;
    (void)connector;
    (void)from;
    (void)to;
    (void)max;
    (void)visit;
    (void)ctx;
    (void)err;
    return SL_OK;
}

static enum sl_rc log_reserve(struct sl_transport *log, const char *name,
                              const struct sl_topic *const *topics, size_t n, struct sl_error *err)
{
    (void)log;
    (void)err;
    (void)pthread_mutex_lock(&world.lock);
    for (size_t i = 0; i < world.n_texts; i++) { /* the new list takes the old one's place */
        struct fake_text *text = &world.texts[i];

        if (strcmp(text->space, "reserved") == 0 && strncmp(text->key, name, strlen(name)) == 0) {
            sl_free(text->value);
            text->value = NULL;
        }
    }
    for (size_t i = 0; i < n; i++) {
        char *key = sl_format("%s/%s", name, topics[i]->name);

        set_text("reserved", key, (struct sl_span){(const uint8_t *)"1", 1});
        sl_free(key);
    }
    (void)pthread_mutex_unlock(&world.lock);
    return SL_OK;
}

static enum sl_rc log_put(struct sl_transport *log, const char *space, const char *key, struct sl_span value,
                          struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    (void)log;
    (void)pthread_mutex_lock(&world.lock);
    if (world.dead)
        rc = fake_dead(err);
    else
        set_text(space, key, value);
    (void)pthread_cond_broadcast(&world.changed);
    (void)pthread_mutex_unlock(&world.lock);
    return rc;
}

static enum sl_rc log_put_all(struct sl_transport *log, const char *space, const struct sl_text *texts,
                              size_t n, struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    for (size_t i = 0; rc == SL_OK && i < n; i++)
        rc = log_put(log, space, texts[i].key, texts[i].value, err);
    return rc;
}

static enum sl_rc log_list(struct sl_transport *log, const char *space, sl_text_visitor *visit, void *ctx,
                           struct sl_error *err)
{
    (void)log;
    (void)err;
    (void)pthread_mutex_lock(&world.lock);
    for (size_t i = 0; i < world.n_texts; i++) {
        const struct fake_text *text = &world.texts[i];

        if (strcmp(text->space, space) == 0 && text->value)
            visit(ctx, text->key, (struct sl_span){(const uint8_t *)text->value, strlen(text->value)});
    }
    (void)pthread_mutex_unlock(&world.lock);
    return SL_OK;
}

static enum sl_rc log_source_offsets(struct sl_transport *log, const char *connector, sl_text_visitor *visit,
                                     void *ctx, struct sl_error *err)
{
    char *space = sl_format("offset:%s", connector);
    enum sl_rc rc = log_list(log, space, visit, ctx, err);

    sl_free(space);
    return rc;
}

static void log_close(struct sl_transport *log)
{
    (void)log;
}

const struct sl_transport_ops fake_log_ops = {
    .name = "fake",
    .open = log_open,
    .identity = log_identity,
    .topic_identity = log_topic_identity,
    .create_topic = log_create_topic,
    .partitions = log_partitions,
    .list_topics = log_list_topics,
    .topics = log_topics,
    .ends = log_topics,
    .append = log_append,
    .source_offset = log_source_offset,
    .source_offsets = log_source_offsets,
    .source_notes = log_source_notes,
    .reader_open = log_reader_open,
    .fetch = log_fetch,
    .reader_wake = log_reader_wake,
    .reader_close = log_reader_close,
    .commit = log_commit,
    .committed = log_committed,
    .reserve = log_reserve,
    .put = log_put,
    .put_all = log_put_all,
    .list = log_list,
    .close = log_close,
};

static struct sl_transport the_log = {.ops = &fake_log_ops};
