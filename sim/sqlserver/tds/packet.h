/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets and messages (MS-TDS 2.2.3): eight bytes of header {type, status, length big-endian, SPID
 * big-endian, packet id, window}, then data; a message is the data of packets up to one with the
 * end-of-message bit.
 */
#ifndef SIM_SQLSERVER_TDS_PACKET_H
#define SIM_SQLSERVER_TDS_PACKET_H

#include "stream.h"

enum ms_packet_type {
    MS_PACKET_BATCH = 1,
    MS_PACKET_RPC = 3,
    MS_PACKET_REPLY = 4,
    MS_PACKET_ATTENTION = 6,
    MS_PACKET_BULK = 7,
    MS_PACKET_TRANSACTION = 14,
    MS_PACKET_LOGIN7 = 16,
    MS_PACKET_SSPI = 17,
    MS_PACKET_PRELOGIN = 18,
};

#define MS_HEADER_BYTES 8
#define MS_STATUS_END 0x01
#define MS_STATUS_IGNORE 0x02 /* with END: the client gave up while sending; forget the message */
#define MS_STATUS_RESET 0x08
#define MS_STATUS_RESET_KEEP_TRAN 0x10

#define MS_MIN_PACKET 512
#define MS_MAX_PACKET 32767
#define MS_MAX_TLS_PACKET 16383
#define MS_DEFAULT_PACKET 4096
#define MS_MAX_MESSAGE_BYTES (512U << 20)

struct ms_message_in {
    uint8_t type;
    uint8_t status; /* of all packets together */
    struct ms_bytes body;
};

enum ms_read {
    MS_READ_OK,
    MS_READ_CLOSED,
    MS_READ_BROKEN, /* a header that lies, a message beyond every measure */
};

/* Read one message into `message`, whose body is used again. timeout_ms is for each wait; < 0 for ever. */
enum ms_read ms_packet_read(struct ms_stream *stream, struct ms_message_in *message, int timeout_ms);

/* A message being sent: tokens gather in `body` and leave as packets as soon as there is enough for some. */
struct ms_out {
    struct ms_stream *stream;
    struct ms_bytes body;
    struct ms_bytes packets; /* what one send carries */
    size_t packet_bytes;     /* with header */
    uint16_t spid;
    uint8_t type;
    uint8_t packet_id;
    bool failed; /* the client has gone */
};

void ms_out_init(struct ms_out *out, struct ms_stream *stream, uint8_t type);
void ms_out_done(struct ms_out *out);

/* Send whole packets while the body holds more than one send's worth. */
bool ms_out_spill_some(struct ms_out *out);
/* Send everything, the last packet marked as the end of the message. */
bool ms_out_finish(struct ms_out *out);

#define MS_SPILL_BYTES 32768

static inline bool ms_out_spill(struct ms_out *out)
{
    return out->body.len <= MS_SPILL_BYTES || ms_out_spill_some(out);
}

#endif
