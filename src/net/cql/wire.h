/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The notations of the native protocol (v4 section 3), read from bytes that came from outside. A reader that
 * met a length that lies is bad from then on and gives zeros and empty spans; check bad once at the end.
 */
#ifndef SLUICE_NET_CQL_WIRE_H
#define SLUICE_NET_CQL_WIRE_H

#include "net/cql/cell.h"
#include "sluice/record.h"

enum {
    SL_CQL_HEADER_BYTES = 9,
    SL_CQL_FLAG_COMPRESSED = 0x01,
    SL_CQL_FLAG_TRACING = 0x02,
    SL_CQL_FLAG_PAYLOAD = 0x04,
    SL_CQL_FLAG_WARNINGS = 0x08,
};

enum sl_cql_opcode {
    SL_CQL_OP_ERROR = 0x00,
    SL_CQL_OP_STARTUP = 0x01,
    SL_CQL_OP_READY = 0x02,
    SL_CQL_OP_AUTHENTICATE = 0x03,
    SL_CQL_OP_OPTIONS = 0x05,
    SL_CQL_OP_SUPPORTED = 0x06,
    SL_CQL_OP_QUERY = 0x07,
    SL_CQL_OP_RESULT = 0x08,
    SL_CQL_OP_PREPARE = 0x09,
    SL_CQL_OP_EXECUTE = 0x0A,
    SL_CQL_OP_REGISTER = 0x0B,
    SL_CQL_OP_EVENT = 0x0C,
    SL_CQL_OP_AUTH_CHALLENGE = 0x0E,
    SL_CQL_OP_AUTH_RESPONSE = 0x0F,
    SL_CQL_OP_AUTH_SUCCESS = 0x10,
};

struct sl_cql_in {
    const uint8_t *at;
    const uint8_t *end;
    bool bad;
};

/* n bytes, or NULL. */
static inline const uint8_t *sl_cql_take(struct sl_cql_in *in, size_t n)
{
    const uint8_t *at = in->at;

    if ((size_t)(in->end - at) < n) {
        in->bad = true;
        in->at = in->end;
        return NULL;
    }
    in->at += n;
    return at;
}

static inline uint8_t sl_cql_take_u8(struct sl_cql_in *in)
{
    const uint8_t *at = sl_cql_take(in, 1);

    return at ? *at : 0;
}

static inline uint16_t sl_cql_take_u16(struct sl_cql_in *in)
{
    const uint8_t *at = sl_cql_take(in, 2);

    return at ? sl_cql_load_be16(at) : 0;
}

static inline int32_t sl_cql_take_i32(struct sl_cql_in *in)
{
    const uint8_t *at = sl_cql_take(in, 4);

    return at ? (int32_t)sl_cql_load_be32(at) : 0;
}

/* [string] and [short bytes] */
static inline struct sl_span sl_cql_take_short(struct sl_cql_in *in)
{
    uint16_t len = sl_cql_take_u16(in);
    const uint8_t *at = sl_cql_take(in, len);

    return at ? (struct sl_span){at, len} : (struct sl_span){(const uint8_t *)"", 0};
}

/* [bytes]; null for any negative length */
static inline struct sl_cql_cell sl_cql_take_bytes(struct sl_cql_in *in)
{
    int32_t len = sl_cql_take_i32(in);
    const uint8_t *at;

    if (len < 0 || !(at = sl_cql_take(in, (size_t)len)))
        return (struct sl_cql_cell){NULL, SL_CQL_NULL};
    return (struct sl_cql_cell){at, len};
}

static inline void sl_cql_put_u16(struct sl_buf *out, uint16_t v)
{
    sl_buf_u8(out, (uint8_t)(v >> 8));
    sl_buf_u8(out, (uint8_t)v);
}

static inline void sl_cql_put_string(struct sl_buf *out, const char *text)
{
    size_t len = strlen(text);

    SL_ASSERT(len <= UINT16_MAX);
    sl_cql_put_u16(out, (uint16_t)len);
    sl_buf_put(out, text, len);
}

static inline void sl_cql_put_long_string(struct sl_buf *out, const char *text)
{
    size_t len = strlen(text);

    sl_buf_be32(out, (uint32_t)len);
    sl_buf_put(out, text, len);
}

#endif
