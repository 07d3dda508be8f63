/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Topics have names, and a topic that was deleted and made again has the same one. The brokers' own topic ids
 * are not told by this librdkafka, so a topic gets an incarnation (a UUID) of ours, and with it marks: for
 * each partition the newest record that a reader has seen, by offset, timestamp and checksum. When a topic is
 * asked for its identity, the marks are looked up in it. A record that is another one, or a partition that
 * ends before its mark, means another topic: a new incarnation begins. A mark that retention or compaction
 * has removed says nothing, and the topic stays the same.
 *
 * Several workers may find at once that a topic has no incarnation, or that it is another one than before.
 * They agree by the order of the topic of texts: each writes a proposal under a key of its own that says
 * which incarnation it follows, reads on to it, and takes the first proposal there that follows this one.
 *
 * Texts:
 *   "topics"  <topic>/<incarnation>  {"version":1,"after":"<incarnation before it, or empty>"}
 *   "marks"   <topic> {"version":1,"incarnation":"...","marks":[[partition,offset,ms,crc],...]} Marks are
 * rewritten now and then while records are read, and at the end.
 */
#include "transport/kafka/inside.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/crc32c.h"
#include "base/json.h"
#include "base/log.h"
#include "base/uuid.h"
#include "transport/kafka/prefetch.h"
#include "transport/kafka/proposals.h"

#include <string.h>

#define PROPOSALS "topics"
#define MARKS "marks"

enum { STORE_EVERY_US = 20 * 1000 * 1000, LOOK_MS = 20 };

struct known {
    const struct sl_topic *topic;
    char id[SL_UUID_TEXT_SIZE]; /* "": not asked for yet */
    struct sl_kafka_mark *marks;
    int32_t n_marks;
    bool changed;
};

struct sl_kafka_marks {
    pthread_mutex_t lock; /* guards known */
    struct known **known;
    size_t n, capacity;
    int64_t stored_us;
    pthread_mutex_t looking; /* one look at a time; guards consumer. Taken before lock */
    rd_kafka_t *consumer;
};

uint32_t sl_kafka_mark_crc(struct sl_span key, struct sl_span value)
{
    return sl_crc32c(sl_crc32c(0, key.ptr, key.len), value.ptr, value.len);
}

static struct known *find(struct sl_kafka_marks *marks, const struct sl_topic *topic)
{
    struct known *known;

    for (size_t i = 0; i < marks->n; i++) {
        if (marks->known[i]->topic == topic)
            return marks->known[i];
    }
    known = sl_zalloc(1, sizeof(*known));
    known->topic = topic;
    SL_GROW(marks->known, marks->n, marks->capacity);
    marks->known[marks->n++] = known;
    return known;
}

static void set_mark(struct known *known, int32_t partition, const struct sl_kafka_mark *mark)
{
    while (known->n_marks <= partition) {
        known->marks = sl_realloc(known->marks, (size_t)known->n_marks + 1, sizeof(*known->marks));
        known->marks[known->n_marks++] = (struct sl_kafka_mark){.offset = -1};
    }
    known->marks[partition] = *mark;
}

void sl_kafka_mark(struct sl_kafka *kafka, const struct sl_topic *topic, int32_t partition,
                   const struct sl_kafka_mark *mark)
{
    struct sl_kafka_marks *marks = kafka->marks;
    struct known *known;

    (void)pthread_mutex_lock(&marks->lock);
    known = find(marks, topic);
    set_mark(known, partition, mark);
    known->changed = true;
    (void)pthread_mutex_unlock(&marks->lock);
}

/* ---- keeping ---- */

static void write_json(const struct known *known, struct sl_buf *out)
{
    bool first = true;

    sl_buf_format(out, "{\"version\":1,\"incarnation\":\"%s\",\"marks\":[", known->id);
    for (int32_t i = 0; i < known->n_marks; i++) {
        const struct sl_kafka_mark *mark = &known->marks[i];

        if (mark->offset < 0)
            continue;
        sl_buf_format(out, "%s[%d,%lld,%lld,%u]", first ? "" : ",", i, (long long)mark->offset,
                      (long long)mark->timestamp_ms, mark->crc);
        first = false;
    }
    sl_buf_text(out, "]}");
}

static enum sl_rc store(struct sl_kafka *kafka, struct known *known, struct sl_error *err)
{
    struct sl_buf text = {0};
    enum sl_rc rc;

    (void)pthread_mutex_lock(&kafka->marks->lock);
    write_json(known, &text);
    known->changed = false;
    (void)pthread_mutex_unlock(&kafka->marks->lock);
    rc = sl_kafka_put(&kafka->transport, MARKS, known->topic->name, (struct sl_span){text.data, text.len},
                      err);
    sl_buf_done(&text);
    return rc;
}

/* A mark that is not kept now is kept the next time; an older one does as well, for a while. */
void sl_kafka_marks_store(struct sl_kafka *kafka, bool now)
{
    struct sl_kafka_marks *marks = kafka->marks;
    struct known **changed;
    struct sl_error err;
    size_t n = 0;

    (void)pthread_mutex_lock(&marks->lock);
    if (!now && sl_now_us() - marks->stored_us < STORE_EVERY_US) {
        (void)pthread_mutex_unlock(&marks->lock);
        return;
    }
    marks->stored_us = sl_now_us();
    changed = sl_zalloc(marks->n + 1, sizeof(struct known *));
    for (size_t i = 0; i < marks->n; i++) {
        if (marks->known[i]->changed && marks->known[i]->id[0])
            changed[n++] = marks->known[i];
    }
    (void)pthread_mutex_unlock(&marks->lock);
    for (size_t i = 0; i < n; i++) {
        if (store(kafka, changed[i], &err))
            break;
    }
    sl_free(changed);
}

/* ---- the incarnation ---- */

static enum sl_rc read_incarnation(struct sl_kafka *kafka, const char *topic, char *ret_id,
                                   struct sl_error *err)
{
    struct sl_kafka_proposals proposals = {.topic = topic};
    enum sl_rc rc = sl_kafka_list(&kafka->transport, PROPOSALS, sl_kafka_proposals_see, &proposals, err);

    if (rc == SL_OK)
        sl_kafka_proposals_settle(&proposals, ret_id);
    sl_kafka_proposals_done(&proposals);
    return rc;
}

static enum sl_rc propose(struct sl_kafka *kafka, const char *topic, const char *after, struct sl_error *err)
{
    char id[SL_UUID_TEXT_SIZE];
    struct sl_buf value = {0};
    struct sl_uuid uuid;
    char *key;
    enum sl_rc rc;

    sl_uuid_new(&uuid);
    sl_uuid_format(&uuid, id);
    key = sl_format("%s/%s", topic, id);
    sl_buf_format(&value, "{\"version\":1,\"after\":\"%s\"}", after);
    rc = sl_kafka_put(&kafka->transport, PROPOSALS, key, (struct sl_span){value.data, value.len}, err);
    sl_buf_done(&value);
    sl_free(key);
    return rc;
}

struct lookup {
    struct sl_kafka_marks *marks;
    struct known *known;
};

static void read_marks(void *ctx, const char *key, struct sl_span value)
{
    struct lookup *lookup = ctx;
    struct known *known = lookup->known;
    json_t *json;
    json_t *item;
    const char *id;
    size_t i;

    if (strcmp(key, known->topic->name) != 0 ||
        sl_json_parse((const char *)value.ptr, value.len, MARKS, &json, NULL))
        return;
    id = json_string_value(json_object_get(json, "incarnation"));
    if (!id || strcmp(id, known->id) != 0) {
        json_decref(json);
        return;
    }
    (void)pthread_mutex_lock(&lookup->marks->lock);
    json_array_foreach(json_object_get(json, "marks"), i, item)
    {
        json_int_t partition = json_integer_value(json_array_get(item, 0));
        const struct sl_kafka_mark mark = {
            .offset = json_integer_value(json_array_get(item, 1)),
            .timestamp_ms = json_integer_value(json_array_get(item, 2)),
            .crc = (uint32_t)json_integer_value(json_array_get(item, 3)),
        };

        if (partition >= 0 && partition < 10000 && mark.offset >= 0)
            set_mark(known, (int32_t)partition, &mark);
    }
    (void)pthread_mutex_unlock(&lookup->marks->lock);
    json_decref(json);
}

/* ---- looking ---- */

static enum sl_rc open_consumer(struct sl_kafka *kafka, struct sl_error *err)
{
    static const struct sl_kafka_setting always[] = {{"group.id", "sluice-marks"},
                                                     {"enable.auto.commit", "false"},
                                                     {"auto.offset.reset", "error"},
                                                     {"enable.partition.eof", "true"},
                                                     {"isolation.level", "read_committed"},
                                                     {"allow.auto.create.topics", "false"},
                                                     {"queued.max.messages.kbytes", "1024"},
                                                     {"queued.min.messages", "1"},
                                                     {NULL, NULL}};
    const struct sl_kafka_client description = {
        .prefix = "consumer.", .client_id = "sluice-marks", .always = always};
    rd_kafka_conf_t *conf;
    enum sl_rc rc = sl_kafka_conf(kafka, &description, &conf, err);

    if (rc == SL_OK)
        rc = sl_kafka_client_open(RD_KAFKA_CONSUMER, conf, &kafka->marks->consumer, err);
    if (rc == SL_OK)
        (void)rd_kafka_poll_set_consumer(kafka->marks->consumer);
    return rc;
}

enum verdict { SAME, OTHER, NOTHING_SAID };

static enum verdict compare(const struct sl_kafka_mark *mark, const rd_kafka_message_t *message)
{
    if (message->err || message->offset != mark->offset)
        return NOTHING_SAID;
    return rd_kafka_message_timestamp(message, NULL) == mark->timestamp_ms &&
                   sl_kafka_mark_crc((struct sl_span){message->key, message->key_len},
                                     (struct sl_span){message->payload, message->len}) == mark->crc
               ? SAME
               : OTHER;
}

/* A consumer that has asked where the topic is, now. */
static enum sl_rc get_ready(struct sl_kafka *kafka, const char *topic, struct sl_error *err)
{
    enum sl_rc rc = kafka->marks->consumer ? SL_OK : open_consumer(kafka, err);

    if (rc == SL_OK)
        sl_kafka_find_topic(kafka->marks->consumer, topic);
    return rc;
}

/* Read the record at the mark. */
static enum sl_rc look_at(struct sl_kafka *kafka, const char *topic, int32_t partition,
                          const struct sl_kafka_mark *mark, enum verdict *ret, struct sl_error *err)
{
    int64_t deadline_us = sl_now_us() + SL_KAFKA_ANSWER_US;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_message_t *message = NULL;
    enum sl_rc rc = SL_OK;

    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = mark->offset;
    (void)rd_kafka_assign(kafka->marks->consumer, list);
    while (rc == SL_OK && !message) {
        message = rd_kafka_consumer_poll(kafka->marks->consumer, LOOK_MS);
        if (!message) /* its connection to that broker may have rested since another topic was looked at */
            sl_kafka_wake_consumer(kafka->marks->consumer);
        if (message && (!message->rkt || message->partition != partition ||
                        strcmp(rd_kafka_topic_name(message->rkt), topic) != 0)) {
            rd_kafka_message_destroy(message);
            message = NULL;
        }
        if (!message && sl_kafka_given_up(kafka))
            rc = sl_kafka_stopped(err);
        else if (!message && sl_now_us() > deadline_us)
            rc = sl_kafka_no_answer(kafka, "reading the newest record that is known of a topic", err);
    }
    if (message) {
        *ret = compare(mark, message);
        rd_kafka_message_destroy(message);
        (void)rd_kafka_assign(kafka->marks->consumer, NULL);
    }
    rd_kafka_topic_partition_list_destroy(list);
    return rc;
}

static enum sl_rc check_mark(struct sl_kafka *kafka, const char *topic, int32_t partition,
                             const struct sl_kafka_mark *mark, enum verdict *ret, struct sl_error *err)
{
    int64_t first;
    int64_t next;
    enum sl_rc rc = sl_kafka_expect_end(kafka, topic, partition, mark->offset + 1, &first, &next, err);

    *ret = NOTHING_SAID;
    if (rc == SL_E_NOT_FOUND) {
        *ret = OTHER;
        return SL_OK;
    }
    if (rc || mark->offset < first)
        return rc;
    if (mark->offset >= next) {
        *ret = OTHER;
        return SL_OK;
    }
    return look_at(kafka, topic, partition, mark, ret, err);
}

/* The marks are those that this process has seen itself, or what was kept. A reader of the topic may be
 * adding to them meanwhile. */
static enum sl_rc check(struct sl_kafka *kafka, const struct known *known, enum verdict *ret,
                        struct sl_error *err)
{
    const char *topic = known->topic->name;
    struct sl_kafka_mark *marks;
    int32_t partitions = 0;
    int32_t n;
    enum sl_rc rc;

    (void)pthread_mutex_lock(&kafka->marks->lock);
    n = known->n_marks;
    marks = sl_zalloc((size_t)n + 1, sizeof(*marks));
    if (n)
        memcpy(marks, known->marks, (size_t)n * sizeof(*marks));
    (void)pthread_mutex_unlock(&kafka->marks->lock);
    rc = n ? sl_kafka_expect_partitions(kafka, topic, n, &partitions, err) : SL_OK;
    if (rc == SL_OK && n)
        rc = get_ready(kafka, topic, err);
    *ret = NOTHING_SAID;
    for (int32_t i = 0; rc == SL_OK && *ret != OTHER && i < n; i++) {
        if (marks[i].offset < 0)
            continue;
        if (i >= partitions)
            *ret = OTHER;
        else
            rc = check_mark(kafka, topic, i, &marks[i], ret, err);
    }
    sl_free(marks);
    return rc;
}

/* Another incarnation than this process knew: what it saw of the old one says nothing. */
static enum sl_rc adopt(struct sl_kafka *kafka, struct known *known, const char *id, struct sl_error *err)
{
    struct lookup lookup = {kafka->marks, known};
    bool same;

    (void)pthread_mutex_lock(&kafka->marks->lock);
    same = strcmp(known->id, id) == 0;
    if (!same) {
        memcpy(known->id, id, sizeof(known->id));
        known->n_marks = 0;
    }
    (void)pthread_mutex_unlock(&kafka->marks->lock);
    return same ? SL_OK : sl_kafka_list(&kafka->transport, MARKS, read_marks, &lookup, err);
}

static enum sl_rc begin_new(struct sl_kafka *kafka, struct known *known, struct sl_error *err)
{
    char id[SL_UUID_TEXT_SIZE];
    enum sl_rc rc = propose(kafka, known->topic->name, known->id, err);

    if (rc == SL_OK)
        rc = read_incarnation(kafka, known->topic->name, id, err);
    return rc ? rc : adopt(kafka, known, id, err);
}

static enum sl_rc identify(struct sl_kafka *kafka, struct known *known, struct sl_error *err)
{
    char id[SL_UUID_TEXT_SIZE];
    enum verdict verdict = NOTHING_SAID;
    enum sl_rc rc = read_incarnation(kafka, known->topic->name, id, err);

    if (rc == SL_OK)
        rc = adopt(kafka, known, id, err);
    if (rc == SL_OK && known->id[0])
        rc = check(kafka, known, &verdict, err);
    if (rc)
        return rc;
    if (verdict == OTHER)
        sl_warn("a topic is not the one that was read before: it was deleted and made again, or cut",
                SL_T("topic", known->topic->name));
    return !known->id[0] || verdict == OTHER ? begin_new(kafka, known, err) : SL_OK;
}

enum sl_rc sl_kafka_topic_identity(struct sl_transport *transport, const struct sl_topic *topic, char **ret,
                                   struct sl_error *err)
{
    struct sl_kafka *kafka = sl_kafka_of(transport);
    struct sl_kafka_marks *marks = kafka->marks;
    struct known *known;
    enum sl_rc rc;

    (void)pthread_mutex_lock(&marks->looking);
    (void)pthread_mutex_lock(&marks->lock);
    known = find(marks, topic);
    (void)pthread_mutex_unlock(&marks->lock);
    rc = identify(kafka, known, err);
    if (rc == SL_OK)
        *ret = sl_format("%s/%s", kafka->identity, known->id);
    (void)pthread_mutex_unlock(&marks->looking);
    return rc;
}

void sl_kafka_marks_open(struct sl_kafka *kafka)
{
    kafka->marks = sl_zalloc(1, sizeof(*kafka->marks));
    kafka->marks->stored_us = sl_now_us();
    (void)pthread_mutex_init(&kafka->marks->lock, NULL);
    (void)pthread_mutex_init(&kafka->marks->looking, NULL);
}

void sl_kafka_marks_close(struct sl_kafka *kafka)
{
    struct sl_kafka_marks *marks = kafka->marks;

    if (!kafka->read_only && !sl_kafka_given_up(kafka))
        sl_kafka_marks_store(kafka, true);
    if (marks->consumer)
        sl_kafka_bury(kafka, marks->consumer);
    for (size_t i = 0; i < marks->n; i++) {
        sl_free(marks->known[i]->marks);
        sl_free(marks->known[i]);
    }
    sl_free(marks->known);
    (void)pthread_mutex_destroy(&marks->lock);
    (void)pthread_mutex_destroy(&marks->looking);
    sl_free(marks);
}
