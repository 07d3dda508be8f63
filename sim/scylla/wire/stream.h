/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection's bytes: a non-blocking socket, with TLS laid over it where the service says so.
 *
 * OpenSSL works on memory, and this file moves the records, so that a cut may fall into the middle of one.
 * One thread; only sy_stream_shutdown may be called from others.
 */
#ifndef SIM_SCYLLA_WIRE_STREAM_H
#define SIM_SCYLLA_WIRE_STREAM_H

#include "wire.h"

struct sy_stream {
    int fd;
    struct sy_wire *wire;
    struct sy_cut_count cut_count;
    SSL *ssl;          /* NULL in clear */
    BIO *tls_in;       /* records from the peer; belongs to ssl */
    BIO *tls_out;      /* records to the peer; belongs to ssl */
    struct sy_out in;  /* decrypted, not yet consumed */
    struct sy_out raw; /* on its way to the socket */
    size_t raw_sent;
    bool cut;    /* nothing comes after what is in `raw`: then the connection ends */
    bool broken; /* the peer has gone, or TLS failed */
};

/* Takes over fd, and makes it non-blocking. */
void sy_stream_init(struct sy_stream *stream, int fd, struct sy_wire *wire);
void sy_stream_done(struct sy_stream *stream);

/* Read what is there without waiting; false when the peer has gone. */
bool sy_stream_read(struct sy_stream *stream);
/* Queue bytes to be sent. Takes what `from` holds, and leaves it empty. */
void sy_stream_write(struct sy_stream *stream, struct sy_out *from);
/* Send what the socket takes; false when the connection is over. */
bool sy_stream_flush(struct sy_stream *stream);
static inline size_t sy_stream_pending(const struct sy_stream *stream)
{
    return stream->raw.len - stream->raw_sent;
}

/* End the connection from any thread: reads and sends fail from now on. */
void sy_stream_shutdown(struct sy_stream *stream);

#endif
