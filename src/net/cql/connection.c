/* SPDX-License-Identifier: Apache-2.0 */
#include "net/cql/session.h"

#include <lz4.h>
#include <stdio.h>
#include <sys/epoll.h>

enum {
    COMPRESS_FROM_BYTES = 1024, /* shorter requests gain nothing */
    FRAME_FIRST_BYTES = 1024 * 1024,
    READ_ROUND_BYTES = 4 * 1024 * 1024, /* then the other connections have their turn */
};

static void set_mask(struct sl_cql_conn *conn)
{
    uint32_t mask = EPOLLIN;
    struct epoll_event event = {.data.ptr = conn};

    if (conn->socket.want_write || (conn->socket.is_open && conn->out_at < conn->out.len))
        mask |= EPOLLOUT;
    if (mask == conn->epoll_mask || conn->phase == SL_CQL_CLOSED)
        return;
    event.events = mask;
    (void)epoll_ctl(conn->cql->epoll_fd, conn->epoll_mask ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, conn->socket.fd,
                    &event);
    conn->epoll_mask = mask;
}

enum sl_rc sl_cql_conn_open(struct sl_cql *cql, struct sl_cql_node *node, uint16_t port, uint16_t source_port,
                            struct sl_cql_conn **ret, struct sl_error *err)
{
    uint32_t n = (uint32_t)cql->config.requests_per_connection;
    struct sockaddr_storage address = node->sockaddr;
    struct sl_cql_socket socket;
    struct sl_cql_conn *conn;
    enum sl_rc rc;

    if (address.ss_family == AF_INET6)
        ((struct sockaddr_in6 *)&address)->sin6_port = htons(port);
    else
        ((struct sockaddr_in *)&address)->sin_port = htons(port);
    rc = sl_cql_socket_open(&address, source_port, node->address, &socket, err);
    if (rc != SL_OK)
        return rc;
    conn = sl_zalloc(1, sizeof(*conn));
    conn->cql = cql;
    conn->node = node;
    conn->socket = socket;
    conn->slot = -1;
    conn->by_shard_port = source_port != 0;
    conn->version = node->version;
    conn->opened_us = conn->last_in_us = sl_now_us();
    conn->input = sl_alloc(SL_CQL_INPUT_BYTES);
    conn->streams = sl_zalloc(n, sizeof(*conn->streams));
    conn->is_orphan = sl_zalloc(n, sizeof(*conn->is_orphan));
    conn->free_streams = sl_zalloc(n, sizeof(*conn->free_streams));
    for (uint32_t i = 0; i < n; i++)
        conn->free_streams[i] = (int16_t)(n - 1 - i);
    conn->n_free = n;
    TAILQ_INSERT_TAIL(&cql->conns, conn, link);
    node->n_opening++;
    sl_cql_want_clock(cql, conn->opened_us + (int64_t)cql->config.connect_timeout_ms * 1000);
    set_mask(conn);
    *ret = conn;
    return SL_OK;
}

void sl_cql_conn_free(struct sl_cql_conn *conn)
{
    sl_free(conn->input);
    sl_free(conn->frame);
    sl_buf_done(&conn->out);
    sl_free(conn->streams);
    sl_free(conn->is_orphan);
    sl_free(conn->free_streams);
    sl_free(conn);
}

static void drop_calls(struct sl_cql_conn *conn, const struct sl_error *why)
{
    for (int i = 0; i < conn->cql->config.requests_per_connection; i++) {
        struct sl_cql_call *call = conn->streams[i];

        if (!call)
            continue;
        conn->streams[i] = NULL;
        sl_cql_call_lost(conn->cql, call, why);
    }
}

void sl_cql_conn_fail(struct sl_cql_conn *conn, const struct sl_error *why)
{
    struct sl_cql *cql = conn->cql;
    bool was_ready = conn->phase == SL_CQL_READY;
    struct sl_error reason = *why; /* it may be the node's own */

    if (conn->phase == SL_CQL_CLOSED)
        return;
    conn->phase = SL_CQL_CLOSED;
    sl_cql_socket_close(&conn->socket);
    TAILQ_REMOVE(&cql->conns, conn, link);
    TAILQ_INSERT_TAIL(&cql->dead, conn, link);
    cql->stats.disconnects += was_ready;
    cql->stats.connections -= was_ready;
    conn->node->n_opening -= !was_ready;
    sl_cql_node_lost(conn->node, conn, &reason);
    drop_calls(conn, &reason);
    sl_cql_calls_unpin(cql, conn, &reason);
    if (conn == cql->control)
        sl_cql_topology_lost(cql);
}

/* ------------------------------------------------------------------ out ----------------------------------
 */

static void put_header(struct sl_cql_conn *conn, uint8_t flags, int16_t stream, uint8_t opcode, size_t len)
{
    sl_buf_u8(&conn->out, (uint8_t)conn->version);
    sl_buf_u8(&conn->out, flags);
    sl_cql_put_u16(&conn->out, (uint16_t)stream);
    sl_buf_u8(&conn->out, opcode);
    sl_buf_be32(&conn->out, (uint32_t)len);
}

/* LZ4 of the protocol: the length before, then one block. False: it would not be smaller. */
static bool put_compressed(struct sl_cql_conn *conn, uint8_t opcode, int16_t stream,
                           const struct sl_buf *body)
{
    int bound = LZ4_compressBound((int)body->len);
    uint8_t *packed = sl_alloc((size_t)bound);
    int n = LZ4_compress_default((const char *)body->data, (char *)packed, (int)body->len, bound);
    bool is_smaller = n > 0 && (size_t)n + 4 < body->len;

    if (is_smaller) {
        put_header(conn, SL_CQL_FLAG_COMPRESSED, stream, opcode, (size_t)n + 4);
        sl_buf_be32(&conn->out, (uint32_t)body->len);
        sl_buf_put(&conn->out, packed, (size_t)n);
    }
    sl_free(packed);
    return is_smaller;
}

void sl_cql_conn_send(struct sl_cql_conn *conn, uint8_t opcode, int16_t stream, const struct sl_buf *body)
{
    if (conn->compress && body->len >= COMPRESS_FROM_BYTES && put_compressed(conn, opcode, stream, body))
        return;
    put_header(conn, 0, stream, opcode, body->len);
    sl_buf_put(&conn->out, body->data, body->len);
}

void sl_cql_conn_send_call(struct sl_cql_conn *conn, struct sl_cql_call *call, int64_t now_us)
{
    int16_t stream = conn->free_streams[--conn->n_free];

    conn->streams[stream] = call;
    call->conn = conn;
    call->stream = stream;
    call->sent_us = now_us;
    if (call->opcode == SL_CQL_OP_EXECUTE) {
        struct sl_span id = sl_cql_statement_id(call->statement, conn->node);
        struct sl_buf body = {0};

        sl_cql_put_u16(&body, (uint16_t)id.len);
        sl_buf_put(&body, id.ptr, id.len);
        sl_buf_put(&body, call->body.data, call->body.len);
        sl_cql_conn_send(conn, call->opcode, stream, &body);
        sl_buf_done(&body);
    } else {
        sl_cql_conn_send(conn, call->opcode, stream, &call->body);
    }
}

void sl_cql_conn_flush(struct sl_cql_conn *conn)
{
    struct sl_error err;
    size_t n;

    while (conn->phase != SL_CQL_CLOSED && conn->socket.is_open && conn->out_at < conn->out.len) {
        if (sl_cql_socket_write(&conn->socket, conn->out.data + conn->out_at, conn->out.len - conn->out_at,
                                conn->node->address, &n, &err) != SL_OK) {
            sl_cql_conn_fail(conn, &err);
            return;
        }
        if (n == 0)
            break;
        conn->out_at += n;
        conn->cql->stats.bytes_out += n;
    }
    if (conn->out_at == conn->out.len) {
        sl_buf_reset(&conn->out);
        conn->out_at = 0;
    }
    set_mask(conn);
}

void sl_cql_conn_give_up(struct sl_cql_conn *conn, struct sl_cql_call *call)
{
    conn->streams[call->stream] = NULL;
    conn->is_orphan[call->stream] = true;
    conn->n_orphans++;
    call->conn = NULL;
}

void sl_cql_conn_release(struct sl_cql_conn *conn, struct sl_cql_call *call)
{
    conn->streams[call->stream] = NULL;
    conn->free_streams[conn->n_free++] = call->stream;
    call->conn = NULL;
}

/* ------------------------------------------------------------------ in -----------------------------------
 */

static void malformed(struct sl_cql_conn *conn, const char *what)
{
    struct sl_error err;

    sl_error_set(&err, SL_E_PROTOCOL, "%s sent %s. HINT: is this the port of CQL?", conn->node->address,
                 what);
    sl_cql_conn_fail(conn, &err);
}

/* Takes memory over and gives the body behind it; NULL: malformed, and memory is freed. */
static uint8_t *decompress(struct sl_cql_conn *conn, uint8_t *memory, struct sl_cql_in *in)
{
    size_t packed_len = (size_t)(in->end - in->at);
    uint32_t len = packed_len >= 4 ? sl_cql_load_be32(in->at) : UINT32_MAX;
    uint8_t *body;

    /* LZ4 never makes more than 255 bytes of one. */
    if (len > conn->cql->config.frame_bytes_max || len / 255 > packed_len || packed_len > INT32_MAX) {
        sl_free(memory);
        return NULL;
    }
    body = sl_alloc(len ? len : 1);
    if (LZ4_decompress_safe((const char *)in->at + 4, (char *)body, (int)packed_len - 4, (int)len) !=
        (int)len) {
        sl_free(body);
        body = NULL;
    }
    sl_free(memory);
    if (body)
        *in = (struct sl_cql_in){body, body + len, false};
    return body;
}

static void learn_tablet(struct sl_cql_conn *conn, int16_t stream, struct sl_span key,
                         struct sl_cql_cell value)
{
    static const char tablets[] = "tablets-routing-v1";
    const struct sl_cql_call *call =
        stream >= 0 && stream < conn->cql->config.requests_per_connection ? conn->streams[stream] : NULL;

    if (call && call->keyspace && call->table && key.len == strlen(tablets) &&
        memcmp(key.ptr, tablets, key.len) == 0)
        sl_cql_tablets_learn(&conn->cql->tablets, call->keyspace, call->table, value);
}

/* What stands in front of a body: tracing id, warnings, payload. */
static bool skip_prefix(struct sl_cql_conn *conn, uint8_t flags, int16_t stream, struct sl_cql_in *in)
{
    if (flags & SL_CQL_FLAG_TRACING)
        (void)sl_cql_take(in, 16);
    if (flags & SL_CQL_FLAG_WARNINGS) {
        for (uint16_t n = sl_cql_take_u16(in); n && !in->bad; n--)
            (void)sl_cql_take_short(in);
    }
    if (flags & SL_CQL_FLAG_PAYLOAD) {
        for (uint16_t n = sl_cql_take_u16(in); n && !in->bad; n--) {
            struct sl_span key = sl_cql_take_short(in);

            learn_tablet(conn, stream, key, sl_cql_take_bytes(in));
        }
    }
    return !in->bad;
}

/* An answer to a call; takes memory over. */
static void take_answer(struct sl_cql_conn *conn, int16_t stream, uint8_t opcode, struct sl_cql_in in,
                        uint8_t *memory)
{
    bool is_ours = stream >= 0 && stream < conn->cql->config.requests_per_connection;
    struct sl_cql_call *call = is_ours ? conn->streams[stream] : NULL;

    if (is_ours && conn->is_orphan[stream]) {
        conn->is_orphan[stream] = false;
        conn->n_orphans--;
        conn->free_streams[conn->n_free++] = stream;
        sl_free(memory);
    } else if (!call) {
        sl_free(memory);
        malformed(conn, "an answer to no question");
    } else {
        sl_cql_conn_release(conn, call);
        sl_cql_call_reply(conn->cql, call, sl_cql_reply_new(conn, opcode, in, memory));
    }
}

static void take_frame(struct sl_cql_conn *conn, const uint8_t header[SL_CQL_HEADER_BYTES], uint8_t *memory,
                       size_t len)
{
    struct sl_cql_in in = {memory, memory + len, false};
    int16_t stream = (int16_t)sl_cql_load_be16(header + 2);
    uint8_t opcode = header[4];

    if ((header[1] & SL_CQL_FLAG_COMPRESSED) && !(memory = decompress(conn, memory, &in))) {
        malformed(conn, "a compressed frame that does not decompress");
        return;
    }
    if (!skip_prefix(conn, header[1], stream, &in)) {
        sl_free(memory);
        malformed(conn, "a frame that is cut short");
        return;
    }
    if (stream < 0) {
        if (conn == conn->cql->control && opcode == SL_CQL_OP_EVENT)
            sl_cql_topology_event(conn->cql, &in);
        sl_free(memory);
    } else if (conn->phase != SL_CQL_READY) {
        sl_cql_startup_frame(conn, header[0] & 0x7F, opcode, &in);
        sl_free(memory);
    } else {
        take_answer(conn, stream, opcode, in, memory);
    }
}

/*
 * The frame at the start of the input: whole, or its beginning, which then moves to a buffer of its own that
 * grows with what arrives, so that a length that lies gets no memory. 0: the header is not yet here.
 */
static size_t begin_frame(struct sl_cql_conn *conn, const uint8_t *at, size_t have)
{
    size_t len;
    uint8_t *body;

    if (have < SL_CQL_HEADER_BYTES)
        return 0;
    len = sl_cql_load_be32(at + 5);
    if (!(at[0] & 0x80) || (at[0] & 0x7F) < 3 || (at[0] & 0x7F) > 6 ||
        len > conn->cql->config.frame_bytes_max) {
        malformed(conn, "what is no frame of the CQL protocol");
        return 0;
    }
    have -= SL_CQL_HEADER_BYTES;
    if (have >= len) {
        body = sl_alloc(len ? len : 1);
        memcpy(body, at + SL_CQL_HEADER_BYTES, len);
        take_frame(conn, at, body, len);
        return SL_CQL_HEADER_BYTES + len;
    }
    conn->frame_len = len;
    conn->frame_capacity = len < FRAME_FIRST_BYTES ? len : FRAME_FIRST_BYTES;
    conn->frame = sl_alloc(conn->frame_capacity);
    memcpy(conn->frame, at + SL_CQL_HEADER_BYTES, have);
    memcpy(conn->frame_header, at, SL_CQL_HEADER_BYTES);
    conn->frame_have = have;
    return SL_CQL_HEADER_BYTES + have;
}

static void take_input(struct sl_cql_conn *conn)
{
    size_t at = 0;
    size_t n;

    while (conn->phase != SL_CQL_CLOSED && !conn->frame &&
           (n = begin_frame(conn, conn->input + at, conn->input_len - at)))
        at += n;
    if (conn->phase == SL_CQL_CLOSED)
        return;
    memmove(conn->input, conn->input + at, conn->input_len - at);
    conn->input_len -= at;
}

static bool read_some(struct sl_cql_conn *conn, size_t *ret_n)
{
    struct sl_error err;
    uint8_t *to = conn->input + conn->input_len;
    size_t size = SL_CQL_INPUT_BYTES - conn->input_len;

    if (conn->frame) {
        if (conn->frame_have == conn->frame_capacity) {
            size_t twice = 2 * conn->frame_capacity;

            conn->frame_capacity = twice < conn->frame_len ? twice : conn->frame_len;
            conn->frame = sl_realloc(conn->frame, conn->frame_capacity, 1);
        }
        to = conn->frame + conn->frame_have;
        size = conn->frame_capacity - conn->frame_have;
    }
    if (sl_cql_socket_read(&conn->socket, to, size, conn->node->address, ret_n, &err) != SL_OK) {
        sl_cql_conn_fail(conn, &err);
        return false;
    }
    conn->cql->stats.bytes_in += *ret_n;
    return *ret_n > 0;
}

static void read_frames(struct sl_cql_conn *conn)
{
    size_t total = 0;
    size_t n;

    /* What TLS has decrypted already wakes nobody: it is read whole. */
    while ((total < READ_ROUND_BYTES || (conn->socket.ssl && SSL_pending(conn->socket.ssl))) &&
           read_some(conn, &n)) {
        total += n;
        if (conn->frame) {
            conn->frame_have += n;
            if (conn->frame_have == conn->frame_len) {
                uint8_t *body = conn->frame;

                conn->frame = NULL;
                take_frame(conn, conn->frame_header, body, conn->frame_len);
            }
        } else {
            conn->input_len += n;
            take_input(conn);
        }
        if (conn->phase == SL_CQL_CLOSED)
            return;
    }
    if (total)
        conn->last_in_us = sl_now_us();
}

static void advance(struct sl_cql_conn *conn)
{
    const struct sl_cql_tls *tls = &conn->cql->config.tls;
    struct sl_error err;

    if (sl_cql_socket_advance(&conn->socket, conn->cql->tls, conn->node->name, tls->verify_host,
                              conn->node->address, &err) != SL_OK) {
        sl_cql_conn_fail(conn, &err);
        return;
    }
    if (conn->socket.is_open)
        sl_cql_startup_begin(conn);
}

void sl_cql_conn_event(struct sl_cql_conn *conn, uint32_t events)
{
    if (conn->phase == SL_CQL_CLOSED)
        return;
    if (!conn->socket.is_open)
        advance(conn);
    if (conn->phase != SL_CQL_CLOSED && conn->socket.is_open) {
        if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
            read_frames(conn);
        sl_cql_conn_flush(conn);
    }
    if (conn->phase != SL_CQL_CLOSED)
        set_mask(conn);
}

/* ------------------------------------------------------------------ the clock ----------------------------
 */

static void pinged(struct sl_cql *cql, struct sl_cql_call *call, struct sl_cql_reply *reply)
{
    (void)cql;
    (void)call;
    sl_cql_reply_free(reply);
}

static void ping(struct sl_cql_conn *conn, int64_t now_us)
{
    struct sl_cql *cql = conn->cql;
    struct sl_cql_call *call = sl_cql_call_new(cql, SL_CQL_OP_OPTIONS, cql->config.connect_timeout_ms);

    call->done = pinged;
    call->pinned = conn;
    conn->pinged_us = now_us;
    sl_cql_call_start(cql, call);
}

void sl_cql_conn_check_clock(struct sl_cql_conn *conn, int64_t now_us)
{
    const struct sl_cql_config *config = &conn->cql->config;
    int64_t connect_us = (int64_t)config->connect_timeout_ms * 1000;
    int64_t idle_us = (int64_t)config->heartbeat_ms * 1000;
    struct sl_error err;

    if (conn->phase != SL_CQL_READY && now_us >= conn->opened_us + connect_us) {
        sl_error_set(&err, SL_E_CONNECT, "%s: no connection within %d ms%s", conn->node->address,
                     config->connect_timeout_ms,
                     conn->phase == SL_CQL_CONNECTING ? "" : " (it accepts, and then says nothing)");
        sl_cql_conn_fail(conn, &err);
    } else if (conn->phase != SL_CQL_READY) {
        sl_cql_want_clock(conn->cql, conn->opened_us + connect_us);
    } else if (conn->pinged_us > conn->last_in_us && now_us >= conn->pinged_us + connect_us) {
        sl_error_set(&err, SL_E_CONNECT, "%s: silent for %lld ms", conn->node->address,
                     (long long)((now_us - conn->last_in_us) / 1000));
        sl_cql_conn_fail(conn, &err);
    } else if (conn->pinged_us > conn->last_in_us) {
        sl_cql_want_clock(conn->cql, conn->pinged_us + connect_us);
    } else if (now_us >= conn->last_in_us + idle_us && conn->n_free) {
        ping(conn, now_us);
    } else {
        sl_cql_want_clock(conn->cql, conn->last_in_us + idle_us);
    }
}
