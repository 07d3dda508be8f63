/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/migrate/migrate_records.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "engine/migrate/migrate_space.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    CHUNK = 256 << 10,
    FETCH_BYTES = 4 << 20,
    FETCH_RECORDS = 4000,
    FETCH_US = 1000 * 1000,
};

#define READER "sluice-migrate"

/* Where copying began: the note is written before the first record is. */
struct beginning {
    const char *key;
    bool found;
    int64_t old_offset, new_offset;
};

static void see_note(void *ctx, const char *key, struct sl_span value)
{
    struct beginning *beginning = ctx;
    json_t *json = NULL;
    struct sl_error err;

    if (strcmp(key, beginning->key) != 0 ||
        sl_json_parse((const char *)value.ptr, value.len, key, &json, &err) != SL_OK)
        return;
    beginning->old_offset = json_integer_value(json_object_get(json, "old"));
    beginning->new_offset = json_integer_value(json_object_get(json, "new"));
    beginning->found = true;
    json_decref(json);
}

struct end {
    const char *topic;
    int32_t partition;
    int64_t first, next;
};

static void see_end(void *ctx, const struct sl_topic_info *info)
{
    struct end *end = ctx;

    if (info->partition == end->partition && strcmp(info->name, end->topic) == 0) {
        end->first = info->first_offset;
        end->next = info->next_offset;
    }
}

static enum sl_rc note_beginning(const struct sl_partition_move *move, const struct beginning *beginning,
                                 struct sl_error *err)
{
    struct sl_buf text = {0};
    enum sl_rc rc;

    sl_buf_format(&text, "{\"version\":1,\"old\":%" PRId64 ",\"new\":%" PRId64 "}", beginning->old_offset,
                  beginning->new_offset);
    rc = move->from->ops->put(move->from, SL_MIGRATE_SPACE, beginning->key,
                              (struct sl_span){text.data, text.len}, err);
    sl_buf_done(&text);
    return rc;
}

/* Where this partition's copy begins in both logs, and how much of it is there already. */
static enum sl_rc find_beginning(const struct sl_partition_move *move, struct beginning *beginning,
                                 uint64_t *ret_copied, struct sl_error *err)
{
    struct end end = {.topic = move->topic->name, .partition = move->partition};
    enum sl_rc rc = move->from->ops->list(move->from, SL_MIGRATE_SPACE, see_note, beginning, err);

    if (rc == SL_OK)
        rc = move->to->ops->topics(move->to, see_end, &end, err);
    if (rc)
        return rc;
    if (!beginning->found) {
        if (end.next > end.first)
            return sl_error_set(err, SL_E_CONFIG,
                                "topic '%s' on the brokers holds records already, which are not ours. HINT: "
                                "migrate to topics that do not exist yet",
                                move->topic->name);
        beginning->old_offset = move->begin;
        beginning->new_offset = end.next;
        rc = note_beginning(move, beginning, err);
    }
    *ret_copied = (uint64_t)(end.next - beginning->new_offset);
    return rc;
}

static void place(const struct sl_partition_move *move, int64_t old_offset, int64_t new_offset)
{
    for (size_t i = 0; i < move->n_moved; i++) {
        struct sl_moved *moved = &move->moved[i];

        if (moved->topic == move->topic && moved->partition == move->partition && moved->to < 0 &&
            moved->from <= old_offset)
            moved->to = new_offset;
    }
}

/* The counter is the new offset; records before `copied` are there already. */
struct copy {
    const struct sl_partition_move *move;
    int64_t new_offset, have_until;
    struct sl_log_record *records;
    size_t capacity;
};

static enum sl_rc copy_batch(struct copy *copy, const struct sl_fetched *fetched, struct sl_error *err)
{
    const struct sl_partition_move *move = copy->move;
    struct sl_append append = {0};

    if (fetched->n_records > copy->capacity) {
        copy->records = sl_realloc(copy->records, fetched->n_records, sizeof(*copy->records));
        copy->capacity = fetched->n_records;
    }
    for (size_t i = 0; i < fetched->n_records; i++) {
        const struct sl_log_record *record = &fetched->records[i];

        if (record->offset >= move->end)
            break;
        place(move, record->offset, copy->new_offset);
        if (copy->new_offset++ >= copy->have_until)
            copy->records[append.n_records++] = *record;
    }
    append.records = copy->records;
    return append.n_records ? move->to->ops->append(move->to, &append, err) : SL_OK;
}

static enum sl_rc copy_all(struct copy *copy, struct sl_log_reader *reader, struct sl_error *err)
{
    struct sl_arena *arena = sl_arena_new(CHUNK);
    int64_t at = 0;
    enum sl_rc rc = SL_OK;

    while (rc == SL_OK && at < copy->move->end) {
        struct sl_fetched fetched = {0};

        sl_arena_reset(arena);
        rc = copy->move->from->ops->fetch(reader, FETCH_BYTES, FETCH_RECORDS, sl_now_us() + FETCH_US, arena,
                                          &fetched, err);
        if (rc == SL_OK && !fetched.n_progress)
            break; /* nothing more is there */
        for (size_t i = 0; i < fetched.n_progress; i++)
            at = fetched.progress[i].next_offset;
        if (rc == SL_OK)
            rc = copy_batch(copy, &fetched, err);
    }
    sl_arena_free(arena);
    return rc;
}

enum sl_rc sl_migrate_partition(const struct sl_partition_move *move, uint64_t *ret_records,
                                struct sl_error *err)
{
    struct copy copy = {.move = move};
    struct beginning beginning = {0};
    struct sl_log_reader *reader = NULL;
    uint64_t copied = 0;
    char *key = sl_format("%s/%d", move->topic->name, move->partition);
    enum sl_rc rc;

    beginning.key = key;
    rc = find_beginning(move, &beginning, &copied, err);
    copy.new_offset = beginning.new_offset;
    copy.have_until = beginning.new_offset + (int64_t)copied;
    if (rc == SL_OK && beginning.old_offset < move->end) {
        struct sl_progress start = {
            .topic = move->topic, .partition = move->partition, .next_offset = beginning.old_offset};

        rc = move->from->ops->reader_open(move->from, READER, &start, 1, &reader, err);
        if (rc == SL_OK)
            rc = copy_all(&copy, reader, err);
        if (reader)
            move->from->ops->reader_close(reader);
    }
    if (rc == SL_OK)
        place(move, INT64_MAX, copy.new_offset); /* at the end */
    *ret_records = (uint64_t)(copy.new_offset - beginning.new_offset);
    sl_free(copy.records);
    sl_free(key);
    return rc;
}
