/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/outgoing.h"

struct sl_outgoing *sl_outgoing_new(const char *connector)
{
    struct sl_outgoing *outgoing = sl_zalloc(1, sizeof(*outgoing));

    outgoing->connector = connector;
    return outgoing;
}

void sl_outgoing_free(struct sl_outgoing *outgoing)
{
    if (!outgoing)
        return;
    sl_buf_done(&outgoing->bytes);
    sl_buf_done(&outgoing->texts);
    sl_free(outgoing->records);
    sl_free(outgoing->offsets);
    sl_free(outgoing->notes);
    sl_free(outgoing);
}

void sl_outgoing_reset(struct sl_outgoing *outgoing)
{
    sl_buf_reset(&outgoing->bytes);
    sl_buf_reset(&outgoing->texts);
    outgoing->n_records = 0;
    outgoing->n_offsets = 0;
    outgoing->n_notes = 0;
    outgoing->sealed = false;
}

static struct sl_span put_text(struct sl_outgoing *outgoing, struct sl_span text)
{
    size_t start = outgoing->texts.len;

    if (!text.ptr)
        return text;
    sl_buf_put(&outgoing->texts, text.ptr, text.len);
    return sl_outgoing_place(start, outgoing->texts.len);
}

void sl_outgoing_add_offset(struct sl_outgoing *outgoing, struct sl_span partition, struct sl_span offset)
{
    SL_GROW(outgoing->offsets, outgoing->n_offsets, outgoing->offsets_capacity);
    outgoing->offsets[outgoing->n_offsets++] = (struct sl_source_offset){
        .connector = outgoing->connector,
        .partition = put_text(outgoing, partition),
        .offset = put_text(outgoing, offset),
    };
}

void sl_outgoing_add_note(struct sl_outgoing *outgoing, const struct sl_note *note)
{
    SL_GROW(outgoing->notes, outgoing->n_notes, outgoing->notes_capacity);
    outgoing->notes[outgoing->n_notes++] = (struct sl_source_note){
        .connector = outgoing->connector,
        .note = {.key = put_text(outgoing, note->key), .value = put_text(outgoing, note->value)},
    };
}

static void resolve(struct sl_span *span, const uint8_t *base)
{
    if (span->ptr)
        span->ptr = base + ((uintptr_t)span->ptr - 1);
}

void sl_outgoing_seal(struct sl_outgoing *outgoing)
{
    const uint8_t *base =
        sl_buf_reserve(&outgoing->bytes, 1); /* never NULL: an empty value is not a null one */

    base -= outgoing->bytes.len;
    SL_ASSERT(!outgoing->sealed);
    for (size_t i = 0; i < outgoing->n_records; i++) {
        resolve(&outgoing->records[i].key, base);
        resolve(&outgoing->records[i].value, base);
        resolve(&outgoing->records[i].headers, base);
    }
    base = sl_buf_reserve(&outgoing->texts, 1);
    base -= outgoing->texts.len;
    for (size_t i = 0; i < outgoing->n_offsets; i++) {
        resolve(&outgoing->offsets[i].partition, base);
        resolve(&outgoing->offsets[i].offset, base);
    }
    for (size_t i = 0; i < outgoing->n_notes; i++) {
        resolve(&outgoing->notes[i].note.key, base);
        resolve(&outgoing->notes[i].note.value, base);
    }
    outgoing->sealed = true;
}
