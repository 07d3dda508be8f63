/* SPDX-License-Identifier: Apache-2.0 */
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BYTES 65536
#define HANDSHAKE_TIMEOUT_MS 15000

void ms_stream_init(struct ms_stream *stream, int fd, struct ms_faults *faults)
{
    *stream = (struct ms_stream){.fd = fd, .faults = faults};
    pthread_mutex_init(&stream->lock, NULL);
    int flags = fcntl(fd, F_GETFL);
    (void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

void ms_stream_done(struct ms_stream *stream)
{
    ms_stream_stop_tls(stream);
    close(stream->fd);
    ms_bytes_done(&stream->in);
    pthread_mutex_destroy(&stream->lock);
}

/* Decrypt all whole records into `in`. */
static bool decrypt(struct ms_stream *stream)
{
    for (;;) {
        uint8_t *to = ms_bytes_room(&stream->in, 16384);
        int got = SSL_read(stream->ssl, to, 16384);
        if (got > 0) {
            stream->in.len += (size_t)got;
            continue;
        }
        int error = SSL_get_error(stream->ssl, got);
        ERR_clear_error();
        return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
    }
}

bool ms_stream_poll(struct ms_stream *stream)
{
    if (stream->eof)
        return false;
    uint8_t records[READ_BYTES];
    uint8_t *to = stream->ssl == NULL ? ms_bytes_room(&stream->in, READ_BYTES) : records;
    ssize_t got = recv(stream->fd, to, READ_BYTES, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (got <= 0) {
        stream->eof = true;
        return false;
    }
    if (stream->ssl == NULL) {
        stream->in.len += (size_t)got;
        return true;
    }
    BIO_write(stream->tls_in, records, (int)got);
    if (!decrypt(stream))
        stream->eof = true;
    return true;
}

bool ms_stream_need(struct ms_stream *stream, size_t n, int timeout_ms)
{
    for (;;) {
        pthread_mutex_lock(&stream->lock);
        bool enough = stream->in.len >= n;
        bool alive = enough || ms_stream_poll(stream);
        enough = stream->in.len >= n;
        pthread_mutex_unlock(&stream->lock);
        if (enough || !alive)
            return enough;
        struct pollfd wait = {.fd = stream->fd, .events = POLLIN};
        int ready = poll(&wait, 1, timeout_ms);
        if (ready == 0 || (ready < 0 && errno != EINTR))
            return false;
    }
}

void ms_stream_consume(struct ms_stream *stream, size_t n)
{
    pthread_mutex_lock(&stream->lock);
    ms_bytes_drop_front(&stream->in, n);
    pthread_mutex_unlock(&stream->lock);
}

void ms_stream_shutdown(struct ms_stream *stream)
{
    (void)shutdown(stream->fd, SHUT_RDWR);
}

static bool send_all(struct ms_stream *stream, const uint8_t *data, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(stream->fd, data, len, MSG_NOSIGNAL);
        if (sent > 0) {
            data += sent;
            len -= (size_t)sent;
        } else if (sent < 0 && errno == EAGAIN) {
            struct pollfd wait = {.fd = stream->fd, .events = POLLOUT};
            (void)poll(&wait, 1, -1);
        } else if (sent < 0 && errno != EINTR) {
            return false;
        }
    }
    return true;
}

/* Bytes to the socket, as far as the faults let them. */
static bool send_raw(struct ms_stream *stream, const uint8_t *data, size_t len)
{
    if (stream->broken)
        return false;
    size_t allowed = ms_faults_allow(stream->faults, &stream->fault_count, len);
    if (!send_all(stream, data, allowed) || allowed < len) {
        stream->broken = true;
        ms_stream_shutdown(stream);
        return false;
    }
    return true;
}

/* Take what OpenSSL wants to send out of its memory. */
static void take_records(struct ms_stream *stream, struct ms_bytes *records)
{
    pthread_mutex_lock(&stream->lock);
    char *data = NULL;
    long len = BIO_get_mem_data(stream->tls_out, &data);
    if (len > 0)
        ms_bytes_put(records, data, (size_t)len);
    (void)BIO_reset(stream->tls_out);
    pthread_mutex_unlock(&stream->lock);
}

bool ms_stream_send(struct ms_stream *stream, const uint8_t *data, size_t len)
{
    if (stream->ssl == NULL)
        return send_raw(stream, data, len);
    pthread_mutex_lock(&stream->lock);
    bool written = SSL_write(stream->ssl, data, (int)len) == (int)len;
    ERR_clear_error();
    pthread_mutex_unlock(&stream->lock);
    if (!written) {
        stream->broken = true;
        return false;
    }
    struct ms_bytes records = {0};
    take_records(stream, &records);
    bool sent = send_raw(stream, records.data, records.len);
    ms_bytes_done(&records);
    return sent;
}

static bool bare_read(struct ms_stream *stream, struct ms_bytes *ret)
{
    if (!ms_stream_need(stream, 1, HANDSHAKE_TIMEOUT_MS))
        return false;
    ms_bytes_put(ret, stream->in.data, stream->in.len);
    ms_stream_consume(stream, stream->in.len);
    return true;
}

static bool bare_write(struct ms_stream *stream, const uint8_t *records, size_t len)
{
    return send_raw(stream, records, len);
}

static bool flush_handshake(struct ms_stream *stream, const struct ms_handshake_carrier *carrier)
{
    struct ms_bytes flight = {0};
    take_records(stream, &flight);
    bool sent = flight.len == 0 || carrier->write(stream, flight.data, flight.len);
    ms_bytes_done(&flight);
    return sent;
}

/*
 * The stream stays "in clear" until the handshake is over, so that the carrier reads and writes bare packets:
 * `ssl` is set last. Application data that came with the peer's last flight is decrypted at once.
 */
static bool shake_hands(struct ms_stream *stream, SSL *ssl, const struct ms_handshake_carrier *carrier)
{
    for (;;) {
        int done = SSL_do_handshake(ssl);
        int error = SSL_get_error(ssl, done);
        ERR_clear_error();
        if (!flush_handshake(stream, carrier))
            return false;
        if (done == 1)
            return true;
        if (error != SSL_ERROR_WANT_READ)
            return false;
        struct ms_bytes flight = {0};
        bool got = carrier->read(stream, &flight);
        if (got)
            BIO_write(stream->tls_in, flight.data, (int)flight.len);
        ms_bytes_done(&flight);
        if (!got)
            return false;
    }
}

bool ms_stream_start_tls(struct ms_stream *stream, SSL_CTX *context,
                         const struct ms_handshake_carrier *carrier)
{
    SSL *ssl = SSL_new(context);
    if (ssl == NULL)
        return false;
    stream->tls_in = BIO_new(BIO_s_mem());
    stream->tls_out = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(stream->tls_in, -1);
    SSL_set_bio(ssl, stream->tls_in, stream->tls_out);
    SSL_set_accept_state(ssl);
    if (!shake_hands(stream, ssl, carrier)) {
        SSL_free(ssl);
        return false;
    }
    pthread_mutex_lock(&stream->lock);
    /* bytes that were read behind the last handshake packet are records already */
    if (stream->in.len > 0)
        BIO_write(stream->tls_in, stream->in.data, (int)stream->in.len);
    stream->in.len = 0;
    stream->ssl = ssl;
    bool alive = decrypt(stream);
    pthread_mutex_unlock(&stream->lock);
    return alive;
}

bool ms_stream_start_bare_tls(struct ms_stream *stream, SSL_CTX *context)
{
    static const struct ms_handshake_carrier bare = {.read = bare_read, .write = bare_write};
    return ms_stream_start_tls(stream, context, &bare);
}

void ms_stream_stop_tls(struct ms_stream *stream)
{
    if (stream->ssl == NULL)
        return;
    pthread_mutex_lock(&stream->lock);
    char *data = NULL;
    long len = BIO_get_mem_data(stream->tls_in, &data);
    if (len > 0)
        ms_bytes_put(&stream->in, data, (size_t)len);
    SSL_free(stream->ssl);
    stream->ssl = NULL;
    pthread_mutex_unlock(&stream->lock);
}
