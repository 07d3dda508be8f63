/* SPDX-License-Identifier: Apache-2.0 */
#include "client.h"

#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

static int open_socket(uint16_t port, uint16_t source_port)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (source_port != 0) {
        int on = 1;
        struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(source_port)};
        own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        if (bind(fd, (const struct sockaddr *)&own, sizeof(own)) != 0) {
            close(fd);
            return -1;
        }
    }
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

bool client_try_dial(struct client *client, uint16_t port, uint16_t source_port)
{
    memset(client, 0, sizeof(*client));
    client->fd = open_socket(port, source_port);
    return client->fd >= 0;
}

void client_dial(struct client *client, uint16_t port, uint16_t source_port)
{
    assert_true(client_try_dial(client, port, source_port));
}

void client_dial_tls(struct client *client, uint16_t port, SSL_CTX *context)
{
    client_dial(client, port, 0);
    client->ssl = SSL_new(context);
    SSL_set_fd(client->ssl, client->fd);
    (void)SSL_connect(client->ssl); /* a refusal shows at the first read */
}

void client_hang_up(struct client *client)
{
    SSL_free(client->ssl);
    close(client->fd);
    sy_out_done(&client->body);
}

bool client_refused(uint16_t port)
{
    int fd = open_socket(port, 0);
    if (fd >= 0)
        close(fd);
    return fd < 0;
}

bool client_send_raw(struct client *client, const void *bytes, size_t len)
{
    if (client->ssl != NULL)
        return SSL_write(client->ssl, bytes, (int)len) == (int)len;
    const uint8_t *at = bytes;
    while (len > 0) {
        ssize_t sent = send(client->fd, at, len, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        at += sent;
        len -= (size_t)sent;
    }
    return true;
}

void client_send(struct client *client, int16_t stream, uint8_t opcode, const struct sy_out *body)
{
    struct sy_out out = {0};
    size_t at = sy_frame_begin(&out, 4, 0, stream, opcode);
    out.data[at] = 0x04;
    if (body != NULL)
        sy_out_bytes(&out, body->data, body->len);
    sy_frame_end(&out, at, false);
    assert_true(client_send_raw(client, out.data, out.len));
    sy_out_done(&out);
}

static bool read_all(struct client *client, uint8_t *to, size_t len, int timeout_ms)
{
    while (len > 0) {
        struct pollfd wait = {.fd = client->fd, .events = POLLIN};
        if ((client->ssl == NULL || SSL_pending(client->ssl) == 0) && poll(&wait, 1, timeout_ms) <= 0)
            return false;
        ssize_t got =
            client->ssl != NULL ? SSL_read(client->ssl, to, (int)len) : recv(client->fd, to, len, 0);
        if (got <= 0)
            return false;
        to += got;
        len -= (size_t)got;
    }
    return true;
}

bool client_read(struct client *client, int timeout_ms)
{
    uint8_t header[SY_HEADER_BYTES];
    if (!read_all(client, header, sizeof(header), timeout_ms))
        return false;
    struct sy_in in = {.at = header, .end = header + sizeof(header)};
    client->version = sy_in_u8(&in);
    client->flags = sy_in_u8(&in);
    client->stream = (int16_t)sy_in_u16(&in);
    client->opcode = sy_in_u8(&in);
    uint32_t len = sy_in_u32(&in);
    struct sy_out raw = {0};
    if (len > SY_BODY_MAX_BYTES || !read_all(client, sy_out_room(&raw, len), len, 10000)) {
        sy_out_done(&raw);
        return false;
    }
    raw.len = len;
    client->body.len = 0;
    if (client->flags & SY_FLAG_COMPRESSED)
        assert_null(sy_frame_decompress(raw.data, raw.len, &client->body));
    else
        sy_out_bytes(&client->body, raw.data, raw.len);
    sy_out_done(&raw);
    return true;
}

void client_start(struct client *client, const char *key, const char *value)
{
    struct sy_out body = {0};
    sy_out_u16(&body, key == NULL ? 1 : 2);
    sy_out_string(&body, "CQL_VERSION");
    sy_out_string(&body, "3.0.0");
    if (key != NULL) {
        sy_out_string(&body, key);
        sy_out_string(&body, value);
    }
    client_send(client, 0, SY_OP_STARTUP, &body);
    sy_out_done(&body);
    assert_true(client_read(client, 10000));
}

void client_query(struct client *client, int16_t stream, const char *cql)
{
    struct sy_out body = {0};
    sy_out_u32(&body, (uint32_t)strlen(cql));
    sy_out_bytes(&body, cql, strlen(cql));
    sy_out_u16(&body, 1);
    sy_out_u8(&body, 0);
    client_send(client, stream, SY_OP_QUERY, &body);
    sy_out_done(&body);
}

uint8_t client_ask(struct client *client, const char *cql)
{
    client_query(client, 7, cql);
    assert_true(client_read(client, 10000));
    assert_int_equal(client->stream, 7);
    return client->opcode;
}

int32_t client_i32(const struct client *client, size_t at)
{
    assert_true(client->body.len >= at + 4);
    struct sy_in in = {.at = client->body.data + at, .end = client->body.data + client->body.len};
    return (int32_t)sy_in_u32(&in);
}

int32_t client_error(const struct client *client)
{
    assert_int_equal(client->opcode, SY_OP_ERROR);
    return client_i32(client, 0);
}
