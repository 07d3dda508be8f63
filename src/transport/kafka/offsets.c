/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Source offsets in Kafka Connect's bytes: key ["<connector>",{partition}], value {offset}. The same
 * partition may stand there in another spelling (order of its keys, blanks), by another program: partitions
 * are compared as what they mean, the newest spelling counts, and ours takes the place of the others.
 *
 * Notes lie in the state topic, under notes/<connector>/.
 */
#include "transport/kafka/inside.h"

#include "base/alloc.h"
#include "base/json.h"

#include <string.h>

static void key_prefix(const char *connector, struct sl_buf *key)
{
    sl_buf_u8(key, '[');
    sl_json_put_text(key, connector, strlen(connector));
    sl_buf_u8(key, ',');
}

static json_t *parse(const void *bytes, size_t len)
{
    json_t *json = NULL;

    return sl_json_parse(bytes, len, "a source offset", &json, NULL) == SL_OK ? json : NULL;
}

/* The partition of a key [connector, partition]; NULL: it is none. */
static json_t *partition_of(struct sl_span key)
{
    json_t *array = parse(key.ptr, key.len);
    json_t *partition = json_incref(json_array_get(array, 1));

    json_decref(array);
    return partition;
}

struct search {
    json_t *partition;
    const struct sl_buf *own_key; /* offset_messages: not this one */
    sl_kafka_send *send;
    void *ctx;
    struct sl_error *err;
    enum sl_rc rc;
    int64_t newest_ms;
    char *found; /* source_offset */
};

static void look(void *ctx, const struct sl_kafka_entry *entry)
{
    struct search *search = ctx;
    json_t *partition = partition_of(entry->key);

    if (partition && json_equal(partition, search->partition) &&
        (!search->found || entry->timestamp_ms >= search->newest_ms)) {
        sl_free(search->found);
        search->found = sl_strndup((const char *)entry->value.ptr, entry->value.len);
        search->newest_ms = entry->timestamp_ms;
    }
    json_decref(partition);
}

static enum sl_rc visit_offsets(struct sl_kafka *kafka, const char *connector, sl_kafka_entry_visitor *visit,
                                void *ctx, struct sl_error *err)
{
    struct sl_buf prefix = {0};
    struct sl_kafka_query query = {.table = SL_KAFKA_OFFSETS};
    enum sl_rc rc;

    key_prefix(connector, &prefix);
    query.prefix = (struct sl_span){prefix.data, prefix.len};
    rc = sl_kafka_follower_visit(kafka, &query, visit, ctx, err);
    sl_buf_done(&prefix);
    return rc;
}

enum sl_rc sl_kafka_source_offset(struct sl_transport *transport, const char *connector,
                                  struct sl_span partition, char **ret_offset, struct sl_error *err)
{
    struct sl_kafka *kafka = sl_kafka_of(transport);
    struct search search = {0};
    enum sl_rc rc;

    if (kafka->local)
        return kafka->local->ops->source_offset(kafka->local, connector, partition, ret_offset, err);
    search.partition = parse(partition.ptr, partition.len);
    rc = sl_kafka_follow_to_end(kafka, SL_KAFKA_OFFSETS, err);
    if (rc == SL_OK && search.partition)
        rc = visit_offsets(kafka, connector, look, &search, err);
    json_decref(search.partition);
    if (rc) {
        sl_free(search.found);
        return rc;
    }
    *ret_offset = search.found;
    return SL_OK;
}

struct listing {
    sl_text_visitor *visit;
    void *ctx;
};

static void list_one(void *ctx, const struct sl_kafka_entry *entry)
{
    const struct listing *listing = ctx;
    json_t *partition = partition_of(entry->key);
    struct sl_buf text = {0};

    if (partition) {
        sl_json_put(&text, partition);
        listing->visit(listing->ctx, sl_buf_cstr(&text), entry->value);
    }
    sl_buf_done(&text);
    json_decref(partition);
}

enum sl_rc sl_kafka_source_offsets(struct sl_transport *transport, const char *connector,
                                   sl_text_visitor *visit, void *ctx, struct sl_error *err)
{
    struct sl_kafka *kafka = sl_kafka_of(transport);
    struct listing listing = {visit, ctx};
    enum sl_rc rc;

    if (kafka->local)
        return kafka->local->ops->source_offsets(kafka->local, connector, visit, ctx, err);
    rc = sl_kafka_follow_to_end(kafka, SL_KAFKA_OFFSETS, err);
    return rc ? rc : visit_offsets(kafka, connector, list_one, &listing, err);
}

/* ---- writing ---- */

static void bury(void *ctx, const struct sl_kafka_entry *entry)
{
    struct search *search = ctx;
    json_t *partition;

    if (search->rc || (entry->key.len == search->own_key->len &&
                       memcmp(entry->key.ptr, search->own_key->data, entry->key.len) == 0))
        return;
    partition = partition_of(entry->key);
    if (partition && json_equal(partition, search->partition)) {
        struct sl_kafka_message tombstone = {.table = SL_KAFKA_OFFSETS};

        sl_buf_put(&tombstone.key, entry->key.ptr, entry->key.len);
        search->rc = search->send(search->ctx, &tombstone, search->err);
        sl_buf_done(&tombstone.key);
    }
    json_decref(partition);
}

enum sl_rc sl_kafka_offset_messages(struct sl_kafka *kafka, const struct sl_source_offset *offset,
                                    sl_kafka_send *send, void *ctx, struct sl_error *err)
{
    struct sl_kafka_message message = {.table = SL_KAFKA_OFFSETS};
    struct search search = {.own_key = &message.key, .send = send, .ctx = ctx, .err = err};
    enum sl_rc rc;

    key_prefix(offset->connector, &message.key);
    sl_buf_put(&message.key, offset->partition.ptr, offset->partition.len);
    sl_buf_u8(&message.key, ']');
    if (offset->offset.len)
        message.value = offset->offset;
    rc = send(ctx, &message, err);
    if (rc == SL_OK)
        rc = sl_kafka_mirror_offset(kafka, offset->connector, &message, send, ctx, err);
    search.partition = parse(offset->partition.ptr, offset->partition.len);
    if (rc == SL_OK && search.partition)
        rc = visit_offsets(kafka, offset->connector, bury, &search, err);
    json_decref(search.partition);
    sl_buf_done(&message.key);
    return rc ? rc : search.rc;
}

/* ---- notes ---- */

static void note_prefix(const char *connector, struct sl_buf *key)
{
    sl_buf_text(key, "notes/");
    sl_buf_text(key, connector);
    sl_buf_u8(key, '/');
}

enum sl_rc sl_kafka_note_message(const struct sl_source_note *note, sl_kafka_send *send, void *ctx,
                                 struct sl_error *err)
{
    struct sl_kafka_message message = {.table = SL_KAFKA_STATE, .value = note->note.value};
    enum sl_rc rc;

    note_prefix(note->connector, &message.key);
    sl_buf_put(&message.key, note->note.key.ptr, note->note.key.len);
    rc = send(ctx, &message, err);
    sl_buf_done(&message.key);
    return rc;
}

struct notes {
    sl_note_visitor *visit;
    void *ctx;
    size_t skip;
};

static void visit_note(void *ctx, const struct sl_kafka_entry *entry)
{
    const struct notes *notes = ctx;
    struct sl_note note = {.key = {entry->key.ptr + notes->skip, entry->key.len - notes->skip},
                           .value = entry->value};

    notes->visit(notes->ctx, &note);
}

enum sl_rc sl_kafka_source_notes(struct sl_transport *transport, const char *connector, struct sl_span from,
                                 struct sl_span to, size_t max, sl_note_visitor *visit, void *ctx,
                                 struct sl_error *err)
{
    struct sl_kafka *kafka = sl_kafka_of(transport);
    struct notes notes = {.visit = visit, .ctx = ctx};
    struct sl_kafka_query query = {
        .table = SL_KAFKA_STATE, .from = from, .to = to, .max = max, .by_key = true};
    struct sl_buf prefix = {0};
    enum sl_rc rc;

    if (kafka->local)
        return kafka->local->ops->source_notes(kafka->local, connector, from, to, max, visit, ctx, err);
    note_prefix(connector, &prefix);
    query.prefix = (struct sl_span){prefix.data, prefix.len};
    notes.skip = prefix.len;
    rc = sl_kafka_follow_to_end(kafka, SL_KAFKA_STATE, err);
    if (rc == SL_OK)
        rc = sl_kafka_follower_visit(kafka, &query, visit_note, &notes, err);
    sl_buf_done(&prefix);
    return rc;
}
