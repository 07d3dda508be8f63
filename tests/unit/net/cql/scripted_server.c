/* SPDX-License-Identifier: Apache-2.0 */
#include "scripted_server.h"

#include "base/thread.h"
#include "net/cql/wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS = 64 };

struct connection {
    int fd;
    uint32_t shard;
    struct sl_buf in;
    int counts[256];
};

struct scripted {
    script *say;
    void *ctx;
    uint32_t n_shards;
    int fds[2]; /* plain, shard-aware */
    uint16_t ports[2];
    struct connection connections[CONNECTIONS];
    int n;
    struct sl_stop stop;
    struct sl_thread thread;
};

uint16_t scripted_port(const struct scripted *server)
{
    return server->ports[0];
}

void *scripted_ctx(const struct scripted *server)
{
    return server->ctx;
}

/* ------------------------------------------------------------------ frames -------------------------------
 */

void put_frame(struct sl_buf *out, uint8_t version, int16_t stream, uint8_t opcode, const void *body,
               size_t len)
{
    sl_buf_u8(out, version | 0x80);
    sl_buf_u8(out, 0);
    sl_cql_put_u16(out, (uint16_t)stream);
    sl_buf_u8(out, opcode);
    sl_buf_be32(out, (uint32_t)len);
    sl_buf_put(out, body, len);
}

static void put_answer(struct sl_buf *out, const struct asked *asked, uint8_t opcode, struct sl_buf *body)
{
    put_frame(out, asked->version, asked->stream, opcode, body->data, body->len);
    sl_buf_done(body);
}

void put_error(struct sl_buf *out, const struct asked *asked, int32_t code, const char *text)
{
    struct sl_buf body = {0};

    sl_buf_be32(&body, (uint32_t)code);
    sl_cql_put_string(&body, text);
    put_answer(out, asked, SL_CQL_OP_ERROR, &body);
}

void put_unprepared(struct sl_buf *out, const struct asked *asked)
{
    struct sl_buf body = {0};

    sl_buf_be32(&body, 0x2500);
    sl_cql_put_string(&body, "who?");
    sl_cql_put_string(&body, "id");
    put_answer(out, asked, SL_CQL_OP_ERROR, &body);
}

static void put_spec(struct sl_buf *body, const char *name, uint16_t type)
{
    sl_cql_put_string(body, name);
    sl_cql_put_u16(body, type);
}

static void put_metadata(struct sl_buf *body, uint32_t n)
{
    sl_buf_be32(body, 1);
    sl_buf_be32(body, n);
    sl_cql_put_string(body, "ks");
    sl_cql_put_string(body, "t");
}

void put_rows(struct sl_buf *out, const struct asked *asked, int32_t first, int32_t n)
{
    struct sl_buf body = {0};

    sl_buf_be32(&body, 2);
    put_metadata(&body, 1);
    put_spec(&body, "n", SL_CQL_INT);
    sl_buf_be32(&body, (uint32_t)n);
    for (int32_t i = 0; i < n; i++) {
        sl_buf_be32(&body, 4);
        sl_buf_be32(&body, (uint32_t)(first + i));
    }
    put_answer(out, asked, SL_CQL_OP_RESULT, &body);
}

/* ------------------------------------------------------------------ the usual ----------------------------
 */

static void put_option(struct sl_buf *body, const char *key, const char *format, unsigned value)
{
    char text[32];

    (void)snprintf(text, sizeof(text), "%u", value);
    sl_cql_put_string(body, key);
    sl_cql_put_u16(body, 1);
    sl_cql_put_string(body, format ? format : text);
}

static void put_supported(const struct scripted *server, const struct asked *asked, struct sl_buf *out)
{
    struct sl_buf body = {0};

    sl_cql_put_u16(&body, server->n_shards ? 6 : 1);
    put_option(&body, "CQL_VERSION", "3.0.0", 0);
    if (server->n_shards) {
        put_option(&body, "SCYLLA_SHARD", NULL, asked->shard);
        put_option(&body, "SCYLLA_NR_SHARDS", NULL, server->n_shards);
        put_option(&body, "SCYLLA_SHARDING_IGNORE_MSB", NULL, 12);
        put_option(&body, "SCYLLA_SHARD_AWARE_PORT", NULL, server->ports[1]);
        put_option(&body, "TABLETS_ROUTING_V1", "", 0);
    }
    put_answer(out, asked, SL_CQL_OP_SUPPORTED, &body);
}

static void put_cell(struct sl_buf *body, const char *bytes, size_t len)
{
    sl_buf_be32(body, (uint32_t)len);
    sl_buf_put(body, bytes, len);
}

static void put_local(const struct asked *asked, struct sl_buf *out)
{
    static const char *const columns[] = {"data_center", "rack", "release_version"};
    struct sl_buf body = {0};

    sl_buf_be32(&body, 2);
    put_metadata(&body, 5);
    for (int i = 0; i < 3; i++)
        put_spec(&body, columns[i], SL_CQL_VARCHAR);
    put_spec(&body, "host_id", SL_CQL_UUID);
    put_spec(&body, "tokens", SL_CQL_SET);
    sl_cql_put_u16(&body, SL_CQL_VARCHAR);
    sl_buf_be32(&body, 1);
    put_cell(&body, "dc1", 3);
    put_cell(&body, "r1", 2);
    put_cell(&body, "3.0.8", 5);
    put_cell(&body, "0123456789abcdef", 16);
    put_cell(&body,
             "\0\0\0\1\0\0\0\1"
             "0",
             9);
    put_answer(out, asked, SL_CQL_OP_RESULT, &body);
}

static void put_prepared(const struct asked *asked, struct sl_buf *out)
{
    struct sl_buf body = {0};

    sl_buf_be32(&body, 4);
    sl_cql_put_string(&body, "id");
    sl_buf_be32(&body, 0);
    sl_buf_be32(&body, 0);
    if (asked->version >= 4)
        sl_buf_be32(&body, 0);
    put_metadata(&body, 1);
    put_spec(&body, "n", SL_CQL_INT);
    put_answer(out, asked, SL_CQL_OP_RESULT, &body);
}

static void put_usual(const struct scripted *server, const struct asked *asked, struct sl_buf *out)
{
    bool is_local = memmem(asked->body, asked->len, "system.local", 12) != NULL;

    if (asked->opcode == SL_CQL_OP_OPTIONS)
        put_supported(server, asked, out);
    else if (asked->opcode == SL_CQL_OP_STARTUP || asked->opcode == SL_CQL_OP_REGISTER)
        put_frame(out, asked->version, asked->stream, SL_CQL_OP_READY, NULL, 0);
    else if (asked->opcode == SL_CQL_OP_PREPARE)
        put_prepared(asked, out);
    else if (is_local)
        put_local(asked, out);
    else
        put_rows(out, asked, 0, 0);
}

/* ------------------------------------------------------------------ the thread ---------------------------
 */

static bool send_all(int fd, const struct sl_buf *out)
{
    size_t at = 0;

    while (at < out->len) {
        ssize_t n = send(fd, out->data + at, out->len - at, MSG_NOSIGNAL);

        if (n <= 0)
            return false;
        at += (size_t)n;
    }
    return true;
}

static bool answer_frames(struct scripted *server, int index)
{
    struct connection *connection = &server->connections[index];
    size_t at = 0;
    bool go_on = true;

    while (go_on && connection->in.len - at >= SL_CQL_HEADER_BYTES) {
        const uint8_t *frame = connection->in.data + at;
        size_t len = sl_cql_load_be32(frame + 5);
        struct asked asked = {
            index,    connection->shard,           frame[0], (int16_t)sl_cql_load_be16(frame + 2),
            frame[4], frame + SL_CQL_HEADER_BYTES, len,      0};
        struct sl_buf out = {0};
        enum verdict verdict;

        if (connection->in.len - at - SL_CQL_HEADER_BYTES < len)
            break;
        asked.n = connection->counts[asked.opcode]++;
        verdict = server->say ? server->say(server, &asked, &out) : USUAL;
        if (verdict == USUAL)
            put_usual(server, &asked, &out);
        go_on = verdict != HANG_UP && send_all(connection->fd, &out);
        sl_buf_done(&out);
        at += SL_CQL_HEADER_BYTES + len;
    }
    memmove(connection->in.data, connection->in.data + at, connection->in.len - at);
    connection->in.len -= at;
    return go_on;
}

static void take_bytes(struct scripted *server, int index)
{
    struct connection *connection = &server->connections[index];
    ssize_t n = recv(connection->fd, sl_buf_reserve(&connection->in, 65536), 65536, 0);

    if (n > 0)
        connection->in.len += (size_t)n;
    if (n <= 0 || !answer_frames(server, index)) {
        close(connection->fd);
        connection->fd = -1;
    }
}

static void take_connection(struct scripted *server, int port)
{
    struct sockaddr_in peer;
    socklen_t len = sizeof(peer);
    struct connection *connection = &server->connections[server->n];

    SL_ASSERT(server->n < CONNECTIONS);
    connection->fd = accept(server->fds[port], (struct sockaddr *)&peer, &len);
    if (connection->fd < 0)
        return;
    if (server->n_shards)
        connection->shard = port ? ntohs(peer.sin_port) % server->n_shards : 0;
    server->n++;
}

static void run(void *arg)
{
    struct scripted *server = arg;

    while (!sl_stop_requested(&server->stop)) {
        struct pollfd fds[3 + CONNECTIONS] = {
            {server->stop.fd, POLLIN, 0}, {server->fds[0], POLLIN, 0}, {server->fds[1], POLLIN, 0}};
        int n = server->n;

        for (int i = 0; i < n; i++)
            fds[3 + i] = (struct pollfd){server->connections[i].fd, POLLIN, 0};
        if (poll(fds, (nfds_t)(3 + n), -1) < 0 && errno != EINTR)
            return;
        for (int i = 0; i < n; i++) {
            if (fds[3 + i].revents)
                take_bytes(server, i);
        }
        for (int port = 0; port < 2; port++) {
            if (fds[1 + port].revents & POLLIN)
                take_connection(server, port);
        }
    }
}

static int listen_somewhere(uint16_t *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    SL_ASSERT(fd >= 0 && bind(fd, (struct sockaddr *)&address, len) == 0 && listen(fd, 64) == 0);
    SL_ASSERT(getsockname(fd, (struct sockaddr *)&address, &len) == 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

struct scripted *scripted_start(script *say, void *ctx, uint32_t n_shards)
{
    struct scripted *server = sl_zalloc(1, sizeof(*server));

    server->say = say;
    server->ctx = ctx;
    server->n_shards = n_shards;
    for (int i = 0; i < 2; i++)
        server->fds[i] = listen_somewhere(&server->ports[i]);
    sl_stop_init(&server->stop);
    sl_thread_start(&server->thread, "scripted", run, server);
    return server;
}

void scripted_stop(struct scripted *server)
{
    sl_stop_request(&server->stop);
    sl_thread_join(&server->thread);
    for (int i = 0; i < server->n; i++) {
        if (server->connections[i].fd >= 0)
            close(server->connections[i].fd);
        sl_buf_done(&server->connections[i].in);
    }
    close(server->fds[0]);
    close(server->fds[1]);
    sl_stop_done(&server->stop);
    sl_free(server);
}
