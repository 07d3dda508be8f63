/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/encoder.h"

#include "base/clock.h"
#include "codec/json_schema.h"
#include "codec/murmur2.h"
#include "codec/value_json.h"
#include "engine/absent.h"
#include "engine/headers.h"

/* What is under way. */
struct job {
    struct sl_encoder *encoder;
    struct sl_batch *batch;
    struct sl_outgoing *outgoing;
    int64_t now_ms; /* the time of records that have none: one clock read a batch */
};

/* One side of a record that never became bytes, as JSON with its schema. */
static struct sl_span put_json(struct sl_buf *out, const struct sl_schema *schema, struct sl_value value)
{
    const struct sl_json_style style = {0};
    size_t start = out->len;

    if (sl_is_null(value))
        return (struct sl_span){0};
    sl_buf_text(out, "{\"schema\":");
    if (schema)
        sl_json_schema_put(out, schema, &style);
    else
        sl_buf_text(out, "null");
    sl_buf_text(out, ",\"payload\":");
    sl_value_json(out, schema, value, &style);
    sl_buf_u8(out, '}');
    return sl_outgoing_place(start, out->len);
}

static void resolve(struct sl_span *span, const struct sl_buf *bytes)
{
    if (span->ptr)
        span->ptr = bytes->data + ((uintptr_t)span->ptr - 1);
}

/* Where the batch of a record stands at its source, as the peers store it. NULL: nowhere. */
static const char *put_position(struct sl_buf *out, const struct sl_batch *batch)
{
    if (!batch->source_partition.len)
        return NULL;
    sl_buf_text(out, "{\"partition\":");
    sl_buf_put(out, batch->source_partition.ptr, batch->source_partition.len);
    sl_buf_text(out, ",\"offset\":");
    if (batch->source_offset.len)
        sl_buf_put(out, batch->source_offset.ptr, batch->source_offset.len);
    else
        sl_buf_text(out, "null");
    sl_buf_u8(out, '}');
    return sl_buf_cstr(out);
}

/* A source's dead letter is the record as JSON with its schema and position. */
static enum sl_rc report(struct job *job, const struct sl_message *message, const char *stage,
                         const char *class_name, const struct sl_error *why, struct sl_error *err)
{
    struct sl_log_record raw = {
        .topic = message->topic, .partition = -1, .offset = -1, .timestamp_ms = job->now_ms};
    struct sl_buf source = {0};
    const struct sl_bad_record bad = {.raw = &raw,
                                      .stage = stage,
                                      .class_name = class_name,
                                      .why = why,
                                      .source = put_position(&source, job->batch)};
    struct sl_buf bytes = {0};
    size_t headers_start;
    enum sl_rc rc;

    raw.key = put_json(&bytes, message->key_schema, message->record.key);
    raw.value = put_json(&bytes, message->value_schema, message->record.value);
    headers_start = bytes.len;
    if (message->record.position.len)
        sl_headers_put(&bytes, "__sluice.position", message->record.position);
    if (bytes.len > headers_start)
        raw.headers = sl_outgoing_place(headers_start, bytes.len);
    resolve(&raw.key, &bytes);
    resolve(&raw.value, &bytes);
    resolve(&raw.headers, &bytes);
    rc = sl_dead_letters_report(job->encoder->letters, &bad, err);
    sl_buf_done(&bytes);
    sl_buf_done(&source);
    return rc;
}

static enum sl_rc find_topic(struct sl_encoder *encoder, const struct sl_topic *topic, struct sl_error *err)
{
    enum sl_rc rc = sl_topics_ensure(encoder->topics, topic, sl_topic_groups_settings(encoder->groups, topic),
                                     &encoder->partitions, err);

    if (rc == SL_OK)
        encoder->topic = topic;
    return rc;
}

static int32_t choose_partition(struct sl_encoder *encoder, const struct sl_record *record,
                                struct sl_span key)
{
    if (record->partition >= 0)
        return record->partition % encoder->partitions;
    if (encoder->partitions == 1)
        return 0;
    if (!key.ptr)
        return (int32_t)(encoder->next_partition++ % (uint32_t)encoder->partitions);
    return sl_murmur2_partition(key.ptr, key.len, encoder->partitions);
}

/* The header __sluice.src: version, kind, incarnation, position (sluice/position.h). */
static enum sl_rc put_source_header(struct sl_encoder *encoder, struct sl_buf *out, struct sl_span position,
                                    struct sl_error *err)
{
    uint8_t bytes[256];
    size_t rest = position.len - 1;

    if (rest > sizeof(bytes) - SL_SRC_PREFIX_SIZE)
        return sl_error_set(err, SL_E_INTERNAL, "a source position of %zu bytes is too long", position.len);
    if (position.ptr[0] != encoder->incarnation.kind) {
        enum sl_rc rc = sl_incarnation_turn(&encoder->incarnation, position.ptr[0], err);

        if (rc)
            return rc;
    }
    bytes[0] = SL_SRC_VERSION;
    bytes[1] = position.ptr[0];
    memcpy(bytes + 2, encoder->incarnation.id.bytes, SL_SRC_INCARNATION_SIZE);
    memcpy(bytes + SL_SRC_PREFIX_SIZE, position.ptr + 1, rest);
    sl_headers_put(out, SL_HEADER_SOURCE, (struct sl_span){bytes, SL_SRC_PREFIX_SIZE + rest});
    return SL_OK;
}

/* One side of a record. The place of its bytes, ptr NULL for null. */
static enum sl_rc convert(const struct sl_converter *converter, const struct sl_topic *topic,
                          const struct sl_schema *schema, struct sl_value value, struct sl_buf *out,
                          struct sl_span *ret, struct sl_error *err)
{
    size_t start = out->len;
    bool is_null = false;
    enum sl_rc rc = converter->ops->encode(converter->self, topic, schema, value, out, &is_null, err);

    if (rc)
        return rc;
    *ret = is_null ? (struct sl_span){0} : sl_outgoing_place(start, out->len);
    return SL_OK;
}

static enum sl_rc put_headers(struct job *job, const struct sl_record *record, struct sl_span *ret,
                              struct sl_error *err)
{
    struct sl_buf *out = &job->outgoing->bytes;
    size_t start = out->len;
    enum sl_rc rc = SL_OK;

    sl_headers_encode(out, record);
    if (job->encoder->with_source_header && record->position.len && job->batch->source_partition.len)
        rc = put_source_header(job->encoder, out, record->position, err);
    if (rc == SL_OK && record->flags & SL_RECORD_PARTIAL)
        sl_absent_put(out, record->value);
    if (rc == SL_OK && out->len > start)
        *ret = sl_outgoing_place(start, out->len);
    return rc;
}

/* Bytes of a message, at the end of the outgoing. *ret_stage says how far it came. */
static enum sl_rc put_message(struct job *job, const struct sl_message *message, const char **ret_stage,
                              const char **ret_class, struct sl_error *err)
{
    struct sl_encoder *encoder = job->encoder;
    struct sl_buf *out = &job->outgoing->bytes;
    struct sl_log_record log = {
        .topic = message->topic, .offset = -1, .timestamp_ms = message->record.timestamp_ms};
    size_t key_start = out->len;
    enum sl_rc rc = SL_OK;

    *ret_stage = "KAFKA_PRODUCE";
    *ret_class = "org.apache.kafka.connect.source.SourceTask";
    if (message->topic != encoder->topic)
        rc = find_topic(encoder, message->topic, err);
    if (rc)
        return rc;
    *ret_stage = "KEY_CONVERTER";
    *ret_class = encoder->converters.key.ops->classes[0];
    rc = convert(&encoder->converters.key, message->topic, message->key_schema, message->record.key, out,
                 &log.key, err);
    if (rc)
        return rc;
    log.partition =
        choose_partition(encoder, &message->record,
                         log.key.ptr ? (struct sl_span){out->data + key_start, log.key.len} : log.key);
    *ret_stage = "VALUE_CONVERTER";
    *ret_class = encoder->converters.value.ops->classes[0];
    rc = convert(&encoder->converters.value, message->topic, message->value_schema, message->record.value,
                 out, &log.value, err);
    if (rc)
        return rc;
    *ret_stage = "HEADER_CONVERTER";
    *ret_class = "org.apache.kafka.connect.storage.SimpleHeaderConverter";
    rc = put_headers(job, &message->record, &log.headers, err);
    if (rc)
        return rc;
    if (log.timestamp_ms == SL_NO_TIMESTAMP)
        log.timestamp_ms = job->now_ms;
    sl_outgoing_add(job->outgoing, &log);
    return SL_OK;
}

static enum sl_rc encode_one(struct job *job, struct sl_message *message, struct sl_error *err)
{
    struct sl_chain *chain = &job->encoder->chain;
    size_t start = job->outgoing->bytes.len;
    const char *class_name;
    const char *stage;
    struct sl_error why = {0};
    enum sl_rc rc;

    if (chain->n) {
        enum sl_verdict verdict = sl_chain_apply(chain, message, job->batch->arena, &why);

        if (verdict == SL_DROP)
            return SL_OK;
        if (verdict == SL_FAIL)
            return report(job, message, "TRANSFORMATION", chain->failed->class_name, &why, err);
    }
    rc = put_message(job, message, &stage, &class_name, &why);
    if (rc == SL_OK)
        return SL_OK;
    job->outgoing->bytes.len = start; /* nothing of a bad record stays */
    if (why.kind == SL_KIND_DATA)
        return report(job, message, stage, class_name, &why, err);
    *err = why;
    return rc;
}

/* Records that are no changes: their topic is one partition, and nothing of it is ever removed. */
static enum sl_rc put_verbatim(struct job *job, const struct sl_run *run, struct sl_error *err)
{
    static const struct sl_topic_settings for_ever = {
        .partitions = 1, .replication = -1, .retention_ms = -1, .retention_bytes = -1};
    struct sl_encoder *encoder = job->encoder;
    struct sl_buf *out = &job->outgoing->bytes;
    int32_t partitions;
    enum sl_rc rc = sl_topics_ensure(encoder->topics, run->topic, &for_ever, &partitions, err);

    if (rc)
        return rc;
    encoder->verbatim_topic = run->topic;
    for (uint32_t i = run->first; i < run->first + run->count; i++) {
        const struct sl_record *record = &job->batch->records[i];
        struct sl_log_record log = {.topic = run->topic, .offset = -1, .timestamp_ms = job->now_ms};
        size_t start = out->len;

        sl_buf_put(out, record->value.bytes, record->value.len);
        log.value = sl_outgoing_place(start, out->len);
        sl_outgoing_add(job->outgoing, &log);
    }
    return SL_OK;
}

static enum sl_rc encode_run(struct job *job, const struct sl_run *run, struct sl_error *err)
{
    if (job->batch->records[run->first].flags & SL_RECORD_VERBATIM)
        return put_verbatim(job, run, err);
    for (uint32_t i = run->first; i < run->first + run->count; i++) {
        struct sl_message message = {
            .topic = run->topic,
            .key_schema = run->key_schema,
            .value_schema = run->value_schema,
            .record = job->batch->records[i],
        };
        enum sl_rc rc = encode_one(job, &message, err);

        if (rc)
            return rc;
    }
    return SL_OK;
}

enum sl_rc sl_encoder_encode(struct sl_encoder *encoder, struct sl_batch *batch, struct sl_outgoing *outgoing,
                             struct sl_error *err)
{
    struct job job = {
        .encoder = encoder, .batch = batch, .outgoing = outgoing, .now_ms = sl_wall_us() / 1000};
    enum sl_rc rc = SL_OK;

    sl_outgoing_reset(outgoing);
    if (batch->source_partition.len && batch->n_records && encoder->with_source_header)
        rc = sl_incarnation_select(&encoder->incarnation, batch->source_partition, err);
    for (uint32_t i = 0; rc == SL_OK && i < batch->n_runs; i++)
        rc = encode_run(&job, &batch->runs[i], err);
    if (rc)
        return rc;
    if (batch->source_partition.len)
        sl_outgoing_add_offset(outgoing, batch->source_partition, batch->source_offset);
    for (uint32_t i = 0; i < batch->n_positions; i++)
        sl_outgoing_add_offset(outgoing, batch->positions[i].partition, batch->positions[i].offset);
    for (uint32_t i = 0; i < batch->n_notes; i++)
        sl_outgoing_add_note(outgoing, &batch->notes[i]);
    sl_outgoing_seal(outgoing);
    return SL_OK;
}
