/* SPDX-License-Identifier: Apache-2.0 */
#include "sluice/record.h"

#include "base/alloc.h"
#include "base/arena.h"

struct sl_batch *sl_batch_new(size_t chunk_bytes)
{
    struct sl_batch *batch = sl_zalloc(1, sizeof(*batch));

    batch->arena = sl_arena_new(chunk_bytes);
    return batch;
}

void sl_batch_free(struct sl_batch *batch)
{
    if (!batch)
        return;
    sl_arena_free(batch->arena);
    sl_free(batch->records);
    sl_free(batch->runs);
    sl_free(batch->progress);
    sl_free(batch->positions);
    sl_free(batch->notes);
    sl_free(batch);
}

void sl_batch_reset(struct sl_batch *batch)
{
    sl_arena_reset(batch->arena);
    batch->n_records = 0;
    batch->n_runs = 0;
    batch->n_progress = 0;
    batch->bytes = 0;
    batch->flags = 0;
    batch->source_partition = (struct sl_span){0};
    batch->source_offset = (struct sl_span){0};
    batch->n_positions = 0;
    batch->n_notes = 0;
}

static void extend_runs(struct sl_batch *batch, const struct sl_topic *topic,
                        const struct sl_schema *key_schema, const struct sl_schema *value_schema)
{
    struct sl_run *last = batch->n_runs ? &batch->runs[batch->n_runs - 1] : NULL;

    if (last && last->topic == topic && last->key_schema == key_schema &&
        last->value_schema == value_schema) {
        last->count++;
        return;
    }
    SL_GROW(batch->runs, batch->n_runs, batch->runs_capacity);
    batch->runs[batch->n_runs++] = (struct sl_run){
        .topic = topic,
        .key_schema = key_schema,
        .value_schema = value_schema,
        .first = batch->n_records,
        .count = 1,
    };
}

struct sl_record *sl_batch_add(struct sl_batch *batch, const struct sl_topic *topic,
                               const struct sl_schema *key_schema, const struct sl_schema *value_schema)
{
    struct sl_record *record;

    extend_runs(batch, topic, key_schema, value_schema);
    SL_GROW(batch->records, batch->n_records, batch->records_capacity);
    record = &batch->records[batch->n_records++];
    *record = (struct sl_record){.timestamp_ms = SL_NO_TIMESTAMP, .offset = -1, .partition = -1};
    return record;
}

static struct sl_span keep(struct sl_batch *batch, struct sl_span span)
{
    if (!span.ptr)
        return span;
    return (struct sl_span){sl_arena_copy(batch->arena, span.ptr, span.len), span.len};
}

void sl_batch_add_position(struct sl_batch *batch, struct sl_span partition, struct sl_span offset)
{
    SL_GROW(batch->positions, batch->n_positions, batch->positions_capacity);
    batch->positions[batch->n_positions++] =
        (struct sl_position){.partition = keep(batch, partition), .offset = keep(batch, offset)};
}

void sl_batch_add_note(struct sl_batch *batch, struct sl_span key, struct sl_span value)
{
    SL_GROW(batch->notes, batch->n_notes, batch->notes_capacity);
    batch->notes[batch->n_notes++] = (struct sl_note){.key = keep(batch, key), .value = keep(batch, value)};
}
