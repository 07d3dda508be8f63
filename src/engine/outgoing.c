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
    sl_free(outgoing);
}

void sl_outgoing_reset(struct sl_outgoing *outgoing)
{
    sl_buf_reset(&outgoing->bytes);
    sl_buf_reset(&outgoing->texts);
    outgoing->n_records = 0;
    outgoing->partition_len = 0;
    outgoing->has_offset = false;
    outgoing->sealed = false;
}

void sl_outgoing_set_offset(struct sl_outgoing *outgoing, struct sl_span partition, struct sl_span offset)
{
    sl_buf_reset(&outgoing->texts);
    sl_buf_put(&outgoing->texts, partition.ptr, partition.len);
    sl_buf_put(&outgoing->texts, offset.ptr, offset.len);
    outgoing->partition_len = partition.len;
    outgoing->has_offset = true;
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
    outgoing->sealed = true;
}

struct sl_source_offset sl_outgoing_offset(const struct sl_outgoing *outgoing)
{
    const uint8_t *texts = outgoing->texts.data;

    return (struct sl_source_offset){
        .connector = outgoing->connector,
        .partition = {texts, outgoing->partition_len},
        .offset = {texts + outgoing->partition_len, outgoing->texts.len - outgoing->partition_len},
    };
}
