/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Confluent's wire framing: a zero byte, the schema's id as four big-endian bytes, then the encoded value.
 */
#ifndef SLUICE_CODEC_FRAMING_H
#define SLUICE_CODEC_FRAMING_H

#include "base/buf.h"
#include "sluice/record.h"

enum { SL_FRAME_SIZE = 5 };

static inline void sl_frame_put(struct sl_buf *out, int32_t id)
{
    sl_buf_u8(out, 0);
    sl_buf_be32(out, (uint32_t)id);
}

/* False when the bytes carry no frame. *ret_payload borrows from bytes. */
static inline bool sl_frame_read(struct sl_span bytes, int32_t *ret_id, struct sl_span *ret_payload)
{
    uint32_t id;

    if (bytes.len < SL_FRAME_SIZE || bytes.ptr[0] != 0)
        return false;
    memcpy(&id, bytes.ptr + 1, 4);
    *ret_id = (int32_t)__builtin_bswap32(id);
    *ret_payload = (struct sl_span){bytes.ptr + SL_FRAME_SIZE, bytes.len - SL_FRAME_SIZE};
    return true;
}

#endif
