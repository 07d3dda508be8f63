/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection's bytes: one socket, with TLS laid over it and taken off again at will.
 *
 * TDS wants odd things of TLS (handshake records inside packets; TLS for the login packet alone), so that
 * OpenSSL works on memory here and this file moves the records. The connection's own thread reads and sends.
 * While it runs a statement, the watch thread may call ms_stream_poll to look for an attention; `lock` guards
 * what both touch. Only the connection's thread sends.
 */
#ifndef SIM_SQLSERVER_TDS_STREAM_H
#define SIM_SQLSERVER_TDS_STREAM_H

#include "bytes.h"
#include "faults.h"

#include <openssl/ssl.h>
#include <pthread.h>

struct ms_stream {
    int fd;
    struct ms_faults *faults;
    struct ms_fault_count fault_count;
    bool broken; /* sending failed, or a fault cut the connection: nothing more goes out */

    pthread_mutex_t lock; /* guards what follows */
    SSL *ssl;             /* NULL in clear */
    BIO *tls_in;          /* records from the peer; belongs to ssl */
    BIO *tls_out;         /* records to the peer; belongs to ssl */
    struct ms_bytes in;   /* decrypted, not yet consumed */
    bool eof;
};

/* Takes over fd, and makes it non-blocking. */
void ms_stream_init(struct ms_stream *stream, int fd, struct ms_faults *faults);
void ms_stream_done(struct ms_stream *stream);

/* Wait until `in` holds n bytes. False at the end of the stream. timeout_ms < 0: for ever. */
bool ms_stream_need(struct ms_stream *stream, size_t n, int timeout_ms);
void ms_stream_consume(struct ms_stream *stream, size_t n);
/* Read what is there without waiting; false when the peer has gone. The caller holds `lock`. */
bool ms_stream_poll(struct ms_stream *stream);

bool ms_stream_send(struct ms_stream *stream, const uint8_t *data, size_t len);
/* End the connection from any thread: reads and sends fail from now on. */
void ms_stream_shutdown(struct ms_stream *stream);

/* Carries one flight of the handshake: from the peer into `ret` (reader), or to the peer. */
struct ms_handshake_carrier {
    bool (*read)(struct ms_stream *stream, struct ms_bytes *ret);
    bool (*write)(struct ms_stream *stream, const uint8_t *records, size_t len);
};

/* The server side of the handshake; afterwards everything goes through TLS. */
bool ms_stream_start_tls(struct ms_stream *stream, SSL_CTX *context,
                         const struct ms_handshake_carrier *carrier);
/* The handshake with nothing around its records (TDS 8.0). */
bool ms_stream_start_bare_tls(struct ms_stream *stream, SSL_CTX *context);
/* Back to clear text, after a login-only TLS. */
void ms_stream_stop_tls(struct ms_stream *stream);

#endif
