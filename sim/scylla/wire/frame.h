/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames of the CQL native protocol, versions 3 and 4: nine bytes of header, then a body, which LZ4 may have
 * compressed.
 *
 *     version u8 (0x80: to the client) | flags u8 | stream i16 | opcode u8 | body length u32 | body
 *
 * Facts: native_protocol_v4.spec sections 2 and 5. ScyllaDB knows no higher version: it answers with a
 * protocol error in a frame of version 4, after which drivers connect again with that.
 */
#ifndef SIM_SCYLLA_WIRE_FRAME_H
#define SIM_SCYLLA_WIRE_FRAME_H

#include "octets.h"

#define SY_HEADER_BYTES 9
#define SY_BODY_MAX_BYTES (256U << 20) /* section 2.5 */
#define SY_VERSION_MIN 3
#define SY_VERSION_MAX 4
#define SY_STREAM_EVENT (-1)

enum sy_opcode {
    SY_OP_ERROR = 0x00,
    SY_OP_STARTUP = 0x01,
    SY_OP_READY = 0x02,
    SY_OP_AUTHENTICATE = 0x03,
    SY_OP_OPTIONS = 0x05,
    SY_OP_SUPPORTED = 0x06,
    SY_OP_QUERY = 0x07,
    SY_OP_RESULT = 0x08,
    SY_OP_PREPARE = 0x09,
    SY_OP_EXECUTE = 0x0A,
    SY_OP_REGISTER = 0x0B,
    SY_OP_EVENT = 0x0C,
    SY_OP_BATCH = 0x0D,
    SY_OP_AUTH_CHALLENGE = 0x0E,
    SY_OP_AUTH_RESPONSE = 0x0F,
    SY_OP_AUTH_SUCCESS = 0x10,
};
#define SY_OPCODES 0x11
const char *sy_opcode_name(uint8_t opcode);

enum { SY_FLAG_COMPRESSED = 0x01, SY_FLAG_TRACING = 0x02, SY_FLAG_PAYLOAD = 0x04, SY_FLAG_WARNING = 0x08 };

/* The codes of section 9 that the wire itself gives. */
enum {
    SY_CODE_SERVER = 0x0000,
    SY_CODE_PROTOCOL = 0x000A,
    SY_CODE_CREDENTIALS = 0x0100,
    SY_CODE_UNAVAILABLE = 0x1000,
    SY_CODE_OVERLOADED = 0x1001,
    SY_CODE_BOOTSTRAPPING = 0x1002,
    SY_CODE_WRITE_TIMEOUT = 0x1100,
    SY_CODE_READ_TIMEOUT = 0x1200,
    SY_CODE_READ_FAILURE = 0x1300,
    SY_CODE_WRITE_FAILURE = 0x1500,
    SY_CODE_INVALID = 0x2200,
    SY_CODE_CONFIG = 0x2300,
    SY_CODE_UNPREPARED = 0x2500,
    SY_CODE_RATE_LIMIT = 0xF000, /* ScyllaDB's own, to those who took the extension */
};

struct sy_frame {
    uint8_t version; /* without the direction bit */
    uint8_t flags;
    int16_t stream;
    uint8_t opcode;
    const uint8_t *body; /* in the caller's bytes */
    uint32_t body_len;
};

enum sy_frame_result {
    SY_FRAME_PARTIAL, /* more bytes are needed */
    SY_FRAME_WHOLE,
    SY_FRAME_VERSION, /* a version that is not spoken here; only version and stream are set */
    SY_FRAME_BROKEN,  /* not a request, or a body that may not be: only what was read before is set */
};

/* Look at the front of what came. ret_size: how many bytes the frame takes (SY_FRAME_WHOLE only). */
enum sy_frame_result sy_frame_peek(const uint8_t *data, size_t len, struct sy_frame *ret_frame,
                                   size_t *ret_size);

/*
 * One frame to the client: begin, append the body to `out`, end. ret_at of begin is what end needs.
 * end fills in the length; with `compress` the body goes out as LZ4 where that is smaller.
 */
size_t sy_frame_begin(struct sy_out *out, uint8_t version, uint8_t flags, int16_t stream, uint8_t opcode);
void sy_frame_end(struct sy_out *out, size_t at, bool compress);

/* An LZ4 body: the size in clear as u32, then one block. Appends to `out`; NULL, or what is wrong. */
const char *sy_frame_decompress(const uint8_t *body, size_t len, struct sy_out *out);

#endif
