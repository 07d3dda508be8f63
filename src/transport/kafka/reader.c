/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reader: a consumer of its own that is told its partitions and where to begin, never asks a group for
 * them, and never moves by itself: an offset that is not there is an error.
 */
#include "transport/kafka/inside.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/props.h"
#include "codec/header_codec.h"
#include "transport/kafka/headerless.h"
#include "transport/kafka/prefetch.h"

#include <stdio.h>
#include <string.h>

enum { TAKE = 512 };

struct part {
    const struct sl_topic *topic;
    const rd_kafka_topic_t *handle; /* the client's, when it is known: it lives as long as the assignment */
    int32_t number;
    int64_t fetched; /* everything below was given out */
    int64_t began;   /* fetched, when the fetch at hand began */
    size_t newest;   /* 1 + index of its newest record in this fetch; 0: none */
};

struct sl_log_reader {
    struct sl_kafka *kafka;
    char *name;
    rd_kafka_t *consumer;
    rd_kafka_queue_t *queue;
    struct part *parts;
    size_t n_parts;
    size_t at; /* the part of the last message: the next is likely to be of the same */
    _Atomic bool woken;
    _Atomic bool doubtful; /* a topic was not there for a moment, or is gone */

    struct sl_log_record *records;
    size_t n_records, capacity;
    struct sl_progress *progress;
    struct sl_buf headers;
    size_t bytes;
    struct sl_kafka_prefetch prefetch;
};

/* ---- opening ---- */

static enum sl_rc check_start(const struct sl_log_reader *reader, const struct part *part, int64_t wanted,
                              int64_t first, int64_t next, struct sl_error *err)
{
    if (wanted < first)
        return sl_error_set(
            err, SL_E_GAP,
            "reader '%.60s' stands at offset %lld of topic '%.120s' partition %d, but the topic begins at "
            "%lld: the records between were removed by its retention. HINT: take a new snapshot, or set the "
            "position to skip them knowingly; raise retention.ms or retention.bytes",
            reader->name, (long long)wanted, part->topic->name, part->number, (long long)first);
    if (wanted > next)
        return sl_error_set(
            err, SL_E_FOREIGN_POSITION,
            "reader '%.60s' stands at offset %lld of topic '%.120s' partition %d, but the topic ends at "
            "%lld: "
            "it was deleted and made again, or it is another cluster's. HINT: reset the position, or take a "
            "new snapshot",
            reader->name, (long long)wanted, part->topic->name, part->number, (long long)next);
    return SL_OK;
}

static enum sl_rc find_ends(struct sl_log_reader *reader, const struct part *part, int64_t wanted,
                            int64_t *ret_first, int64_t *ret_next, struct sl_error *err)
{
    return sl_kafka_expect_end(reader->kafka, part->topic->name, part->number, wanted, ret_first, ret_next,
                               err);
}

static enum sl_rc place(struct sl_log_reader *reader, struct part *part, int64_t wanted, struct sl_error *err)
{
    int64_t first;
    int64_t next;
    enum sl_rc rc = find_ends(reader, part, wanted, &first, &next, err);

    if (rc == SL_OK && wanted >= 0)
        rc = check_start(reader, part, wanted, first, next, err);
    if (rc == SL_OK)
        part->fetched = wanted >= 0 ? wanted : first;
    return rc;
}

/* What concerns one partition comes this way too, once there is an error callback. */
static void on_error(rd_kafka_t *client, int code, const char *why, void *opaque)
{
    struct sl_log_reader *reader = opaque;

    (void)client;
    if (code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION || code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
        code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
        atomic_store(&reader->doubtful, true);
    else
        sl_kafka_complain(reader->kafka, code, why);
}

static enum sl_rc open_consumer(struct sl_log_reader *reader, struct sl_error *err)
{
    const struct sl_kafka_setting defaults[] = {{"queued.max.messages.kbytes", "16384"},
                                                {"queued.min.messages", "100000"},
                                                {"fetch.error.backoff.ms", "100"},
                                                {"max.poll.interval.ms", "86400000"},
                                                {sl_kafka_prefetch_setting(), "10"}, /* the last: or none */
                                                {NULL, NULL}};
    struct sl_props *settings = sl_kafka_settings_of(reader->kafka, reader->name);
    const struct sl_kafka_setting always[] = {{"group.id", sl_kafka_group_of(reader->name, settings)},
                                              {"enable.auto.commit", "false"},
                                              {"enable.auto.offset.store", "false"},
                                              {"auto.offset.reset", "error"},
                                              {"enable.partition.eof", "true"},
                                              {"isolation.level", "read_committed"},
                                              {"allow.auto.create.topics", "false"},
                                              {NULL, NULL}};
    char *client_id = sl_format("connector-consumer-%s",
                                strncmp(reader->name, "connect-", 8) == 0 ? reader->name + 8 : reader->name);
    const struct sl_kafka_client description = {.prefix = "consumer.",
                                                .connector = settings,
                                                .override_prefix = "consumer.override.",
                                                .client_id = client_id,
                                                .defaults = defaults,
                                                .always = always};
    rd_kafka_conf_t *conf;
    enum sl_rc rc = sl_kafka_conf(reader->kafka, &description, &conf, err);

    sl_free(client_id);
    sl_props_free(settings);
    if (rc)
        return rc;
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_opaque(conf, reader);
    rc = sl_kafka_client_open(RD_KAFKA_CONSUMER, conf, &reader->consumer, err);
    if (rc)
        return rc;
    (void)rd_kafka_poll_set_consumer(reader->consumer);
    reader->queue = rd_kafka_queue_get_consumer(reader->consumer);
    sl_kafka_prefetch_init(&reader->prefetch, reader->consumer);
    return SL_OK;
}

static enum sl_rc assign(struct sl_log_reader *reader, struct sl_error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)reader->n_parts);
    rd_kafka_resp_err_t code;

    for (size_t i = 0; i < reader->n_parts; i++)
        rd_kafka_topic_partition_list_add(list, reader->parts[i].topic->name, reader->parts[i].number)
            ->offset = reader->parts[i].fetched;
    code = rd_kafka_assign(reader->consumer, list);
    rd_kafka_topic_partition_list_destroy(list);
    return code ? sl_kafka_error(err, code, NULL, "reading as '%.100s'", reader->name) : SL_OK;
}

static void join_list(struct sl_log_reader *reader)
{
    struct sl_kafka *kafka = reader->kafka;

    (void)pthread_mutex_lock(&kafka->readers_lock);
    SL_GROW(kafka->readers, kafka->n_readers, kafka->readers_capacity);
    kafka->readers[kafka->n_readers++] = reader;
    (void)pthread_mutex_unlock(&kafka->readers_lock);
}

static void leave_list(struct sl_log_reader *reader)
{
    struct sl_kafka *kafka = reader->kafka;

    (void)pthread_mutex_lock(&kafka->readers_lock);
    for (size_t i = 0; i < kafka->n_readers; i++) {
        if (kafka->readers[i] == reader)
            kafka->readers[i] = kafka->readers[--kafka->n_readers];
    }
    (void)pthread_mutex_unlock(&kafka->readers_lock);
}

enum sl_rc sl_kafka_reader_open(struct sl_transport *transport, const char *name,
                                const struct sl_progress *start, size_t n, struct sl_log_reader **ret,
                                struct sl_error *err)
{
    struct sl_log_reader *reader = sl_zalloc(1, sizeof(*reader));
    enum sl_rc rc = SL_OK;

    reader->kafka = sl_kafka_of(transport);
    reader->name = sl_strdup(name);
    reader->n_parts = n;
    reader->parts = sl_zalloc(n + 1, sizeof(*reader->parts));
    reader->progress = sl_zalloc(n + 1, sizeof(*reader->progress));
    for (size_t i = 0; rc == SL_OK && i < n; i++) {
        reader->parts[i] = (struct part){.topic = start[i].topic, .number = start[i].partition};
        rc = place(reader, &reader->parts[i], start[i].next_offset, err);
    }
    if (rc == SL_OK)
        rc = open_consumer(reader, err);
    if (rc == SL_OK)
        rc = assign(reader, err);
    if (rc) {
        sl_kafka_reader_close(reader);
        return rc;
    }
    join_list(reader);
    *ret = reader;
    return SL_OK;
}

void sl_kafka_reader_wake(struct sl_log_reader *reader)
{
    atomic_store(&reader->woken, true);
    rd_kafka_queue_yield(reader->queue);
}

void sl_kafka_reader_close(struct sl_log_reader *reader)
{
    leave_list(reader);
    if (reader->queue)
        rd_kafka_queue_destroy(reader->queue);
    if (reader->consumer) {
        (void)rd_kafka_assign(reader->consumer, NULL);
        sl_kafka_bury(reader->kafka, reader->consumer);
    }
    sl_buf_done(&reader->headers);
    sl_free(reader->records);
    sl_free(reader->progress);
    sl_free(reader->parts);
    sl_free(reader->name);
    sl_free(reader);
}

void sl_kafka_reader_ends(struct sl_log_reader *reader, sl_topic_visitor *visit, void *ctx)
{
    for (size_t i = 0; i < reader->n_parts; i++) {
        const struct part *part = &reader->parts[i];
        struct sl_topic_info info = {.partition = part->number, .bytes = -1};

        if (rd_kafka_get_watermark_offsets(reader->consumer, part->topic->name, part->number,
                                           &info.first_offset, &info.next_offset) ||
            info.next_offset < 0)
            continue;
        if (info.first_offset < 0)
            info.first_offset = 0;
        (void)snprintf(info.name, sizeof(info.name), "%s", part->topic->name);
        visit(ctx, &info);
    }
}

/* ---- fetching ---- */

static struct part *find_part(struct sl_log_reader *reader, const rd_kafka_message_t *message)
{
    const char *topic = rd_kafka_topic_name(message->rkt);

    for (size_t i = 0; i < reader->n_parts; i++) {
        struct part *part = &reader->parts[i];

        if (part->number == message->partition && strcmp(part->topic->name, topic) == 0) {
            part->handle = message->rkt;
            reader->at = i;
            return part;
        }
    }
    return NULL;
}

static struct part *part_of(struct sl_log_reader *reader, const rd_kafka_message_t *message)
{
    struct part *last = &reader->parts[reader->at];

    if (last->handle == message->rkt && last->number == message->partition)
        return last;
    return find_part(reader, message);
}

static struct sl_span copy(struct sl_arena *arena, const void *bytes, size_t len)
{
    if (!bytes)
        return (struct sl_span){0};
    return (struct sl_span){sl_arena_copy(arena, bytes, len), len};
}

static struct sl_span copy_headers(struct sl_log_reader *reader, const rd_kafka_message_t *message,
                                   struct sl_arena *arena)
{
    rd_kafka_headers_t *headers;
    const char *name;
    const void *value;
    size_t size;

    if (sl_kafka_headerless(message) || rd_kafka_message_headers(message, &headers))
        return (struct sl_span){0};
    sl_buf_reset(&reader->headers);
    for (size_t i = 0; !rd_kafka_header_get_all(headers, i, &name, &value, &size); i++)
        sl_headers_put(&reader->headers, name, (struct sl_span){value, size});
    return reader->headers.len ? copy(arena, reader->headers.data, reader->headers.len) : (struct sl_span){0};
}

static void take_record(struct sl_log_reader *reader, struct part *part, const rd_kafka_message_t *message,
                        struct sl_arena *arena)
{
    rd_kafka_timestamp_type_t kind;
    int64_t timestamp_ms = rd_kafka_message_timestamp(message, &kind);

    if (message->offset < part->fetched) /* a batch that began before the place that was asked for */
        return;
    SL_GROW(reader->records, reader->n_records, reader->capacity);
    reader->records[reader->n_records++] = (struct sl_log_record){
        .topic = part->topic,
        .partition = part->number,
        .offset = message->offset,
        .timestamp_ms = kind == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? SL_NO_TIMESTAMP : timestamp_ms,
        .key = copy(arena, message->key, message->key_len),
        .value = copy(arena, message->payload, message->len),
        .headers = copy_headers(reader, message, arena),
    };
    part->fetched = message->offset + 1;
    part->newest = reader->n_records;
    reader->bytes += message->len + message->key_len;
}

/* The place is not there (any more): why, tell the ends of the topic. */
static enum sl_rc lost_place(struct sl_log_reader *reader, const struct part *part, struct sl_error *err)
{
    int64_t first;
    int64_t next;
    enum sl_rc rc = find_ends(reader, part, part->fetched, &first, &next, err);

    if (rc == SL_OK)
        rc = check_start(reader, part, part->fetched, first, next, err);
    return rc ? rc
              : sl_error_set(err, SL_E_BUSY, "topic '%.120s' partition %d could not be read at offset %lld",
                             part->topic->name, part->number, (long long)part->fetched);
}

static enum sl_rc take(struct sl_log_reader *reader, const rd_kafka_message_t *message,
                       struct sl_arena *arena, struct sl_error *err)
{
    struct part *part = message->rkt ? part_of(reader, message) : NULL;

    if (!message->err && part) {
        take_record(reader, part, message, arena);
        return SL_OK;
    }
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        if (part &&
            message->offset > part->fetched) /* the marks of transactions, and what was compacted away */
            part->fetched = message->offset;
        return SL_OK;
    }
    if (!message->err || sl_kafka_retriable(message->err))
        return SL_OK;
    if (part && (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
                 message->err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE))
        return lost_place(reader, part, err);
    if (part && (message->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
                 message->err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
                 message->err == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION))
        return lost_place(reader, part, err);
    return sl_kafka_error(err, message->err, rd_kafka_message_errstr(message), "reading as '%.100s'",
                          reader->name);
}

/*
 * A topic that is not there is looked for; what is there again may be another one, and is only known when the
 * position is asked for anew.
 */
static enum sl_rc doubt(struct sl_log_reader *reader, struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    for (size_t i = 0; rc == SL_OK && i < reader->n_parts; i++)
        rc = lost_place(reader, &reader->parts[i], err) == SL_E_BUSY ? SL_OK : err->rc;
    return rc ? rc
              : sl_error_set(err, SL_E_BUSY,
                             "a topic of reader '%.100s' was not there for a moment: reading begins anew",
                             reader->name);
}

static void begin(struct sl_log_reader *reader)
{
    reader->n_records = 0;
    reader->bytes = 0;
    for (size_t i = 0; i < reader->n_parts; i++) {
        reader->parts[i].began = reader->parts[i].fetched;
        reader->parts[i].newest = 0;
    }
}

/* The newest record of each partition is remembered by what it is. */
static void note_marks(struct sl_log_reader *reader)
{
    for (size_t i = 0; i < reader->n_parts; i++) {
        const struct part *part = &reader->parts[i];
        const struct sl_log_record *record = part->newest ? &reader->records[part->newest - 1] : NULL;
        struct sl_kafka_mark mark;

        if (!record)
            continue;
        mark.offset = record->offset;
        mark.timestamp_ms = record->timestamp_ms;
        mark.crc = sl_kafka_mark_crc(record->key, record->value);
        sl_kafka_mark(reader->kafka, part->topic, part->number, &mark);
    }
}

static void hand_out(struct sl_log_reader *reader, struct sl_fetched *ret)
{
    size_t n = 0;

    for (size_t i = 0; i < reader->n_parts; i++) {
        const struct part *part = &reader->parts[i];

        if (part->fetched > part->began)
            reader->progress[n++] = (struct sl_progress){.topic = part->topic,
                                                         .partition = part->number,
                                                         .first_offset = part->began,
                                                         .next_offset = part->fetched};
    }
    *ret = (struct sl_fetched){.records = reader->records,
                               .n_records = reader->n_records,
                               .progress = reader->progress,
                               .n_progress = n};
    if (n)
        sl_kafka_no_trouble(reader->kafka);
}

/* What is there now, after the first. */
static enum sl_rc take_more(struct sl_log_reader *reader, size_t max_bytes, size_t max_records,
                            struct sl_arena *arena, struct sl_error *err)
{
    rd_kafka_message_t *messages[TAKE];
    enum sl_rc rc = SL_OK;

    while (rc == SL_OK && reader->bytes < max_bytes && reader->n_records < max_records) {
        size_t want = max_records - reader->n_records < TAKE ? max_records - reader->n_records : TAKE;
        ssize_t n = rd_kafka_consume_batch_queue(reader->queue, 0, messages, want);

        for (ssize_t i = 0; i < n; i++) {
            if (rc == SL_OK)
                rc = take(reader, messages[i], arena, err);
            rd_kafka_message_destroy(messages[i]);
        }
        if (n < (ssize_t)want)
            break;
    }
    return rc;
}

enum sl_rc sl_kafka_fetch(struct sl_log_reader *reader, size_t max_bytes, size_t max_records,
                          int64_t deadline_us, struct sl_arena *arena, struct sl_fetched *ret,
                          struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    begin(reader);
    for (;;) {
        int64_t left_us = deadline_us - sl_now_us();
        rd_kafka_message_t *message =
            rd_kafka_consumer_poll(reader->consumer, left_us > 0 ? (int)(left_us / 1000) + 1 : 0);

        if (message) {
            rc = take(reader, message, arena, err);
            rd_kafka_message_destroy(message);
            if (rc == SL_OK)
                rc = take_more(reader, max_bytes, max_records, arena, err);
        }
        if (rc == SL_OK && atomic_load(&reader->doubtful))
            rc = doubt(reader, err);
        if (rc)
            return rc;
        hand_out(reader, ret);
        if (ret->n_progress || atomic_exchange(&reader->woken, false) || sl_now_us() >= deadline_us ||
            sl_kafka_given_up(reader->kafka))
            break;
    }
    sl_kafka_prefetch_took(&reader->prefetch, reader->n_records, reader->bytes);
    note_marks(reader);
    return SL_OK;
}
