/* SPDX-License-Identifier: Apache-2.0 */
#include "packet.h"

enum ms_read ms_packet_read(struct ms_stream *stream, struct ms_message_in *message, int timeout_ms)
{
    message->body.len = 0;
    message->status = 0;
    bool first = true;
    for (;;) {
        if (!ms_stream_need(stream, MS_HEADER_BYTES, timeout_ms))
            return MS_READ_CLOSED;
        const uint8_t *header = stream->in.data;
        uint8_t type = header[0];
        uint8_t status = header[1];
        size_t length = (size_t)(header[2] << 8 | header[3]);
        if (length < MS_HEADER_BYTES || (!first && type != message->type))
            return MS_READ_BROKEN;
        if (!ms_stream_need(stream, length, timeout_ms))
            return MS_READ_CLOSED;
        size_t data = length - MS_HEADER_BYTES;
        if (message->body.len + data > MS_MAX_MESSAGE_BYTES)
            return MS_READ_BROKEN;
        ms_bytes_put(&message->body, stream->in.data + MS_HEADER_BYTES, data);
        ms_stream_consume(stream, length);
        message->type = type;
        message->status |= status;
        first = false;
        if (status & MS_STATUS_END)
            return MS_READ_OK;
    }
}

void ms_out_init(struct ms_out *out, struct ms_stream *stream, uint8_t type)
{
    *out = (struct ms_out){.stream = stream, .type = type, .packet_bytes = MS_DEFAULT_PACKET};
}

void ms_out_done(struct ms_out *out)
{
    ms_bytes_done(&out->body);
    ms_bytes_done(&out->packets);
}

static void add_packet(struct ms_out *out, const uint8_t *data, size_t size, bool last)
{
    size_t length = size + MS_HEADER_BYTES;
    const uint8_t header[MS_HEADER_BYTES] = {
        out->type,
        last ? MS_STATUS_END : 0,
        (uint8_t)(length >> 8),
        (uint8_t)length,
        (uint8_t)(out->spid >> 8),
        (uint8_t)out->spid,
        ++out->packet_id,
        0,
    };
    ms_bytes_put(&out->packets, header, sizeof(header));
    ms_bytes_put(&out->packets, data, size);
}

static bool send_packets(struct ms_out *out)
{
    if (!out->failed && !ms_stream_send(out->stream, out->packets.data, out->packets.len))
        out->failed = true;
    out->packets.len = 0;
    return !out->failed;
}

/*
 * A full packet stays behind when it is all there is: only whoever ends the message knows whether it is the
 * last, and an empty last packet would confuse some clients.
 */
bool ms_out_spill_some(struct ms_out *out)
{
    size_t payload = out->packet_bytes - MS_HEADER_BYTES;
    size_t at = 0;
    for (; out->body.len - at > payload; at += payload)
        add_packet(out, out->body.data + at, payload, false);
    ms_bytes_drop_front(&out->body, at);
    return send_packets(out);
}

bool ms_out_finish(struct ms_out *out)
{
    size_t payload = out->packet_bytes - MS_HEADER_BYTES;
    size_t at = 0;
    for (; out->body.len - at > payload; at += payload)
        add_packet(out, out->body.data + at, payload, false);
    add_packet(out, out->body.data + at, out->body.len - at, true);
    out->body.len = 0;
    out->packet_id = 0;
    return send_packets(out);
}
