/* SPDX-License-Identifier: Apache-2.0 */
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BYTES 65536
#define RECORD_BYTES 16384

void sy_stream_init(struct sy_stream *stream, int fd, struct sy_wire *wire)
{
    *stream = (struct sy_stream){.fd = fd, .wire = wire};
    int flags = fcntl(fd, F_GETFL);
    (void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    if (wire->tls == NULL)
        return;
    stream->ssl = SSL_new(wire->tls);
    stream->tls_in = BIO_new(BIO_s_mem());
    stream->tls_out = BIO_new(BIO_s_mem());
    if (stream->ssl == NULL || stream->tls_in == NULL || stream->tls_out == NULL) {
        stream->broken = true;
        return;
    }
    BIO_set_mem_eof_return(stream->tls_in, -1);
    SSL_set_bio(stream->ssl, stream->tls_in, stream->tls_out);
    SSL_set_accept_state(stream->ssl);
}

void sy_stream_done(struct sy_stream *stream)
{
    SSL_free(stream->ssl);
    close(stream->fd);
    sy_out_done(&stream->in);
    sy_out_done(&stream->raw);
}

/* Bytes for the socket, as far as the faults let them. */
static void queue(struct sy_stream *stream, const uint8_t *data, size_t len)
{
    if (stream->cut || stream->broken)
        return;
    size_t allowed = sy_faults_allow(&stream->wire->faults, &stream->cut_count, len);
    sy_out_bytes(&stream->raw, data, allowed);
    stream->cut = allowed < len;
}

/* Take what OpenSSL wants to send out of its memory. */
static void take_records(struct sy_stream *stream)
{
    char *data = NULL;
    long len = BIO_get_mem_data(stream->tls_out, &data);
    if (len > 0)
        queue(stream, (const uint8_t *)data, (size_t)len);
    (void)BIO_reset(stream->tls_out);
}

/* Decrypt all whole records into `in`; the handshake goes on by the way. */
static bool decrypt(struct sy_stream *stream)
{
    for (;;) {
        uint8_t *to = sy_out_room(&stream->in, RECORD_BYTES);
        int got = SSL_read(stream->ssl, to, RECORD_BYTES);
        if (got > 0) {
            stream->in.len += (size_t)got;
            continue;
        }
        int error = SSL_get_error(stream->ssl, got);
        ERR_clear_error();
        take_records(stream);
        return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
    }
}

bool sy_stream_read(struct sy_stream *stream)
{
    uint8_t records[READ_BYTES];
    if (stream->broken)
        return false;
    uint8_t *to = stream->ssl == NULL ? sy_out_room(&stream->in, READ_BYTES) : records;
    ssize_t got = recv(stream->fd, to, READ_BYTES, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (got <= 0)
        return false;
    atomic_fetch_add_explicit(&stream->wire->stats.bytes_received, (uint64_t)got, memory_order_relaxed);
    if (stream->ssl == NULL) {
        stream->in.len += (size_t)got;
        return true;
    }
    BIO_write(stream->tls_in, records, (int)got);
    return decrypt(stream);
}

static void encrypt(struct sy_stream *stream, const uint8_t *data, size_t len)
{
    while (len > 0 && !stream->broken) {
        size_t piece = len < (1U << 24) ? len : 1U << 24;
        stream->broken = SSL_write(stream->ssl, data, (int)piece) != (int)piece;
        data += piece;
        len -= piece;
    }
    ERR_clear_error();
    take_records(stream);
}

void sy_stream_write(struct sy_stream *stream, struct sy_out *from)
{
    if (from->len == 0)
        return;
    if (stream->ssl != NULL) {
        encrypt(stream, from->data, from->len);
    } else if (stream->raw.len == 0 && !stream->cut && !atomic_load(&stream->wire->faults.active)) {
        struct sy_out empty = stream->raw; /* nothing to cut: hand over the buffer itself */
        stream->raw = *from;
        *from = empty;
    } else {
        queue(stream, from->data, from->len);
    }
    from->len = 0;
}

bool sy_stream_flush(struct sy_stream *stream)
{
    while (stream->raw_sent < stream->raw.len) {
        ssize_t sent =
            send(stream->fd, stream->raw.data + stream->raw_sent, sy_stream_pending(stream), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno == EAGAIN)
            return true;
        if (sent < 0)
            return false;
        stream->raw_sent += (size_t)sent;
        atomic_fetch_add_explicit(&stream->wire->stats.bytes_sent, (uint64_t)sent, memory_order_relaxed);
    }
    stream->raw.len = 0;
    stream->raw_sent = 0;
    return !stream->cut && !stream->broken;
}

void sy_stream_shutdown(struct sy_stream *stream)
{
    (void)shutdown(stream->fd, SHUT_RDWR);
}
