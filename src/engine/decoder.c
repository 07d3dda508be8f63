/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/decoder.h"

#include "base/arena.h"
#include "base/clock.h"
#include "engine/absent.h"
#include "engine/headers.h"
#include "sluice/position.h"

struct job {
    struct sl_decoder *decoder;
    struct sl_batch *batch;
    struct sl_incoming *incoming;
    int64_t now_ms;
    uint16_t origin; /* of the last record: neighbours mostly share it */
};

/* Which progress entry a record belongs to. */
static enum sl_rc find_origin(struct job *job, const struct sl_log_record *raw, struct sl_error *err)
{
    const struct sl_batch *batch = job->batch;

    for (uint32_t i = 0; i < batch->n_progress && i <= UINT16_MAX; i++) {
        if (batch->progress[i].topic == raw->topic && batch->progress[i].partition == raw->partition) {
            job->origin = (uint16_t)i;
            return SL_OK;
        }
    }
    return sl_error_set(err, SL_E_INTERNAL,
                        "the log gave a record of topic '%s', partition %d, without its progress",
                        raw->topic->name, (int)raw->partition);
}

static bool same_origin(const struct job *job, const struct sl_log_record *raw)
{
    const struct sl_batch *batch = job->batch;

    return job->origin < batch->n_progress && batch->progress[job->origin].topic == raw->topic &&
           batch->progress[job->origin].partition == raw->partition;
}

static enum sl_rc restore_absent(struct sl_record *record, struct sl_arena *arena, struct sl_error *err)
{
    for (uint16_t i = 0; i < record->n_headers; i++) {
        const struct sl_header *header = &record->headers[i];

        if (strcmp(header->name, SL_HEADER_ABSENT) == 0)
            return sl_absent_restore((struct sl_span){header->value.bytes, header->value.len}, arena,
                                     &record->value, err);
    }
    return SL_OK;
}

static enum sl_rc read_message(struct job *job, const struct sl_log_record *raw, struct sl_message *message,
                               const char **ret_stage, const char **ret_class, struct sl_error *err)
{
    const struct sl_converter *key = &job->decoder->converters.key;
    const struct sl_converter *value = &job->decoder->converters.value;
    struct sl_arena *arena = job->batch->arena;
    enum sl_rc rc;

    *ret_stage = "KEY_CONVERTER";
    *ret_class = key->ops->classes[0];
    rc = key->ops->decode(key->self, raw->topic, raw->key, arena, &message->key_schema, &message->record.key,
                          err);
    if (rc)
        return rc;
    *ret_stage = "VALUE_CONVERTER";
    *ret_class = value->ops->classes[0];
    rc = value->ops->decode(value->self, raw->topic, raw->value, arena, &message->value_schema,
                            &message->record.value, err);
    if (rc)
        return rc;
    *ret_stage = "HEADER_CONVERTER";
    *ret_class = "org.apache.kafka.connect.storage.SimpleHeaderConverter";
    rc = sl_headers_decode(raw->headers, arena, &message->record, err);
    if (rc == SL_OK && message->record.flags & SL_RECORD_PARTIAL)
        rc = restore_absent(&message->record, arena, err);
    return rc;
}

/* Decode and transform; *ret_keep false when the record is not to reach the sink. */
static enum sl_rc make_message(struct job *job, const struct sl_log_record *raw, struct sl_message *message,
                               bool *ret_keep, struct sl_error *err)
{
    struct sl_decoder *decoder = job->decoder;
    struct sl_bad_record bad = {.raw = raw, .attempt = decoder->replays ? 2 : 1};
    struct sl_error why = {0};
    enum sl_verdict verdict = SL_KEEP;
    enum sl_rc rc = read_message(job, raw, message, &bad.stage, &bad.class_name, &why);

    *ret_keep = false;
    if (rc && why.kind != SL_KIND_DATA) {
        *err = why;
        return rc;
    }
    if (rc == SL_OK && decoder->stale.after_ms)
        sl_stale_look(&decoder->stale, message, job->now_ms);
    if (rc == SL_OK && decoder->chain.n)
        verdict = sl_chain_apply(&decoder->chain, message, job->batch->arena, &why);
    if (verdict == SL_FAIL) {
        bad.stage = "TRANSFORMATION";
        bad.class_name = decoder->chain.failed->class_name;
    }
    if (rc || verdict == SL_FAIL) {
        bad.why = &why;
        if (decoder->parking && sl_parking_park(decoder->parking, raw, err))
            return err->rc;
        return sl_dead_letters_report(decoder->letters, &bad, err);
    }
    *ret_keep = verdict == SL_KEEP;
    return SL_OK;
}

static bool is_refused(const struct sl_refused *refused, const struct sl_log_record *raw)
{
    return raw->topic == refused->topic && raw->partition == refused->partition &&
           raw->offset == refused->offset;
}

static enum sl_rc decode_one(struct job *job, uint32_t index, struct sl_error *err)
{
    const struct sl_log_record *raw = &job->incoming->raw[index];
    struct sl_message message = {.topic = raw->topic};
    struct sl_record *record;
    bool keep = false;
    enum sl_rc rc = SL_OK;

    if (is_refused(&job->decoder->refused, raw)) {
        *err = job->decoder->refused.why;
        return err->rc;
    }
    if (job->decoder->repeats && sl_repeats_look(job->decoder->repeats, raw))
        return SL_OK;
    message.record.timestamp_ms = raw->timestamp_ms;
    message.record.offset = raw->offset;
    message.record.partition = raw->partition;
    if (!job->decoder->replays && !same_origin(job, raw))
        rc = find_origin(job, raw, err);
    if (rc == SL_OK)
        rc = make_message(job, raw, &message, &keep, err);
    if (rc || !keep)
        return rc;
    record = sl_batch_add(job->batch, message.topic, message.key_schema, message.value_schema);
    *record = message.record;
    record->origin = job->origin;
    record->partition = -1;
    job->batch->flags |= record->flags;
    job->incoming->raw_of[job->batch->n_records - 1] = index;
    return SL_OK;
}

static void take_progress(struct sl_batch *batch, const struct sl_fetched *fetched)
{
    for (size_t i = 0; i < fetched->n_progress; i++) {
        SL_GROW(batch->progress, batch->n_progress, batch->progress_capacity);
        batch->progress[batch->n_progress++] = fetched->progress[i];
    }
}

/* The batch ends before record n: each partition's progress at its first record that is left out. */
static void cut(struct sl_incoming *incoming, uint32_t n)
{
    struct sl_batch *batch = incoming->batch;

    for (uint32_t p = 0; p < batch->n_progress; p++) {
        struct sl_progress *progress = &batch->progress[p];

        for (uint32_t i = n; i < incoming->n_raw; i++) {
            const struct sl_log_record *raw = &incoming->raw[i];

            if (raw->topic == progress->topic && raw->partition == progress->partition) {
                progress->next_offset = raw->offset;
                break;
            }
        }
    }
    incoming->n_raw = n;
}

enum sl_rc sl_decoder_decode(struct sl_decoder *decoder, const struct sl_fetched *fetched,
                             struct sl_incoming *incoming, struct sl_error *err)
{
    struct job job = {
        .decoder = decoder, .batch = incoming->batch, .incoming = incoming, .now_ms = sl_wall_us() / 1000};
    struct sl_arena *arena = incoming->batch->arena;
    enum sl_rc rc = SL_OK;

    take_progress(incoming->batch, fetched);
    incoming->n_raw = (uint32_t)fetched->n_records;
    incoming->raw = sl_arena_copy(arena, fetched->records, fetched->n_records * sizeof(*fetched->records));
    incoming->raw_of = sl_arena_alloc(arena, fetched->n_records * sizeof(*incoming->raw_of));
    for (uint32_t i = 0; i < incoming->n_raw; i++) {
        rc = decode_one(&job, i, err);
        if (rc)
            cut(incoming, i);
    }
    incoming->first_ms = incoming->n_raw ? incoming->raw[0].timestamp_ms : INT64_MIN;
    incoming->last_ms = incoming->n_raw ? incoming->raw[incoming->n_raw - 1].timestamp_ms : INT64_MIN;
    incoming->batch->bytes = sl_arena_used(arena) + incoming->batch->n_records * sizeof(struct sl_record);
    return rc;
}
