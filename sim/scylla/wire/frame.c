/* SPDX-License-Identifier: Apache-2.0 */
#include "frame.h"

#include <lz4.h>

#define MIN_COMPRESS_BYTES 64
#define RESPONSE_BIT 0x80

const char *sy_opcode_name(uint8_t opcode)
{
    static const char *const names[SY_OPCODES] = {
        [SY_OP_ERROR] = "ERROR",
        [SY_OP_STARTUP] = "STARTUP",
        [SY_OP_READY] = "READY",
        [SY_OP_AUTHENTICATE] = "AUTHENTICATE",
        [SY_OP_OPTIONS] = "OPTIONS",
        [SY_OP_SUPPORTED] = "SUPPORTED",
        [SY_OP_QUERY] = "QUERY",
        [SY_OP_RESULT] = "RESULT",
        [SY_OP_PREPARE] = "PREPARE",
        [SY_OP_EXECUTE] = "EXECUTE",
        [SY_OP_REGISTER] = "REGISTER",
        [SY_OP_EVENT] = "EVENT",
        [SY_OP_BATCH] = "BATCH",
        [SY_OP_AUTH_CHALLENGE] = "AUTH_CHALLENGE",
        [SY_OP_AUTH_RESPONSE] = "AUTH_RESPONSE",
        [SY_OP_AUTH_SUCCESS] = "AUTH_SUCCESS",
    };
    const char *name = opcode < SY_OPCODES ? names[opcode] : NULL;
    return name == NULL ? "UNKNOWN" : name;
}

enum sy_frame_result sy_frame_peek(const uint8_t *data, size_t len, struct sy_frame *ret_frame,
                                   size_t *ret_size)
{
    *ret_frame = (struct sy_frame){0};
    if (len < 1)
        return SY_FRAME_PARTIAL;
    ret_frame->version = data[0] & (RESPONSE_BIT - 1);
    /* versions 1 and 2 have a header of eight bytes: enough to know that they are refused */
    if (data[0] & RESPONSE_BIT || ret_frame->version == 0)
        return SY_FRAME_BROKEN;
    if (ret_frame->version < SY_VERSION_MIN)
        return len < SY_HEADER_BYTES - 1 ? SY_FRAME_PARTIAL : SY_FRAME_VERSION;
    if (len < SY_HEADER_BYTES)
        return SY_FRAME_PARTIAL;
    struct sy_in in = {.at = data + 1, .end = data + SY_HEADER_BYTES};
    ret_frame->flags = sy_in_u8(&in);
    ret_frame->stream = (int16_t)sy_in_u16(&in);
    ret_frame->opcode = sy_in_u8(&in);
    ret_frame->body_len = sy_in_u32(&in);
    if (ret_frame->version > SY_VERSION_MAX)
        return SY_FRAME_VERSION;
    if (ret_frame->body_len > SY_BODY_MAX_BYTES)
        return SY_FRAME_BROKEN;
    if (len - SY_HEADER_BYTES < ret_frame->body_len)
        return SY_FRAME_PARTIAL;
    ret_frame->body = data + SY_HEADER_BYTES;
    *ret_size = SY_HEADER_BYTES + ret_frame->body_len;
    return SY_FRAME_WHOLE;
}

size_t sy_frame_begin(struct sy_out *out, uint8_t version, uint8_t flags, int16_t stream, uint8_t opcode)
{
    size_t at = out->len;
    sy_out_u8(out, version | RESPONSE_BIT);
    sy_out_u8(out, flags);
    sy_out_u16(out, (uint16_t)stream);
    sy_out_u8(out, opcode);
    sy_out_u32(out, 0);
    return at;
}

/* The compressed form is made behind the body, then moved over it. */
static void compress_body(struct sy_out *out, size_t at)
{
    size_t start = at + SY_HEADER_BYTES;
    size_t len = out->len - start;
    if (len < MIN_COMPRESS_BYTES || len > LZ4_MAX_INPUT_SIZE)
        return;
    int bound = LZ4_compressBound((int)len);
    uint8_t *to = sy_out_room(out, (size_t)bound);
    int packed = LZ4_compress_default((const char *)out->data + start, (char *)to, (int)len, bound);
    if (packed <= 0 || (size_t)packed + 4 >= len)
        return;
    uint32_t plain = __builtin_bswap32((uint32_t)len);
    memmove(out->data + start + 4, to, (size_t)packed);
    memcpy(out->data + start, &plain, 4);
    out->len = start + 4 + (size_t)packed;
    out->data[at + 1] |= SY_FLAG_COMPRESSED;
}

void sy_frame_end(struct sy_out *out, size_t at, bool compress)
{
    if (compress)
        compress_body(out, at);
    uint32_t len = __builtin_bswap32((uint32_t)(out->len - at - SY_HEADER_BYTES));
    memcpy(out->data + at + 5, &len, 4);
}

const char *sy_frame_decompress(const uint8_t *body, size_t len, struct sy_out *out)
{
    struct sy_in in = {.at = body, .end = body + len};
    uint32_t plain = sy_in_u32(&in);
    if (in.failed)
        return "truncated compressed frame";
    if (plain > SY_BODY_MAX_BYTES)
        return "compressed frame too large";
    /* a block grows 255-fold at most: a small frame cannot ask for much memory */
    if (plain / 255 > sy_in_left(&in))
        return "CQL frame LZ4 uncompression failure";
    uint8_t *to = sy_out_room(out, plain);
    int got = LZ4_decompress_safe((const char *)in.at, (char *)to, (int)sy_in_left(&in), (int)plain);
    if (got < 0 || (uint32_t)got != plain)
        return "CQL frame LZ4 uncompression failure";
    out->len += plain;
    return NULL;
}
