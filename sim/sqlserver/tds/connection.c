/* SPDX-License-Identifier: Apache-2.0 */
#include "connection.h"
#include "chars.h"

#include <poll.h>

#define MAX_READ_AHEAD_BYTES 65536

/*
 * Look for an attention at the front of what the client sent. The protocol lets it send nothing else while a
 * statement runs. The caller holds stream.lock.
 */
static void take_attention(struct ms_connection *connection)
{
    struct ms_bytes *in = &connection->stream.in;
    if (in->len < MS_HEADER_BYTES || in->data[0] != MS_PACKET_ATTENTION)
        return;
    ms_bytes_drop_front(in, MS_HEADER_BYTES);
    connection->attention = true;
}

/* On the watch thread: the client sent something, or left, while its statement runs. */
static void on_readable(void *arg)
{
    struct ms_connection *connection = arg;
    pthread_mutex_lock(&connection->stream.lock);
    if (connection->running) {
        bool alive = ms_stream_poll(&connection->stream);
        take_attention(connection);
        if (!alive || connection->attention) {
            atomic_store(&connection->cancelled, true);
            ms_session_cancel(connection->session);
        } else if (connection->stream.in.len < MAX_READ_AHEAD_BYTES) {
            ms_watch_arm(connection->wire->watch, connection->watch_slot);
        }
    }
    pthread_mutex_unlock(&connection->stream.lock);
}

void ms_connection_init(struct ms_connection *connection, const struct ms_wire *wire, int fd)
{
    memset(connection, 0, sizeof(*connection));
    connection->wire = wire;
    connection->watch_slot = -1;
    ms_stream_init(&connection->stream, fd, wire->faults);
    ms_out_init(&connection->out, &connection->stream, MS_PACKET_REPLY);
}

void ms_connection_done(struct ms_connection *connection)
{
    ms_out_done(&connection->out);
    ms_scratch_reset(&connection->scratch);
    ms_stream_done(&connection->stream);
}

void ms_connection_interrupt(struct ms_connection *connection)
{
    atomic_store(&connection->stopping, true);
    pthread_mutex_lock(&connection->stream.lock);
    if (connection->running) {
        atomic_store(&connection->cancelled, true);
        ms_session_cancel(connection->session);
    }
    pthread_mutex_unlock(&connection->stream.lock);
    ms_stream_shutdown(&connection->stream);
}

static void begin_running(struct ms_connection *connection)
{
    pthread_mutex_lock(&connection->stream.lock);
    connection->running = true;
    connection->attention = false;
    atomic_store(&connection->cancelled, atomic_load(&connection->stopping));
    take_attention(connection);
    if (connection->attention)
        atomic_store(&connection->cancelled, true);
    pthread_mutex_unlock(&connection->stream.lock);
    ms_watch_arm(connection->wire->watch, connection->watch_slot);
}

/* True when an attention came for what ran. */
static bool end_running(struct ms_connection *connection)
{
    ms_watch_disarm(connection->wire->watch, connection->watch_slot);
    pthread_mutex_lock(&connection->stream.lock);
    connection->running = false;
    bool attention = connection->attention;
    pthread_mutex_unlock(&connection->stream.lock);
    return attention;
}

static void refuse(struct ms_reply *reply, int32_t number, const char *text)
{
    const struct ms_message message = {.number = number, .state = 1, .severity = 16, .text = text, .line = 1};
    ms_reply_fail(reply, &message);
}

/* Error 4002 is SQL Server's own for a stream that makes no sense; it closes such connections, and so do we.
 */
static bool refuse_stream(struct ms_reply *reply)
{
    refuse(reply, 4002,
           "The incoming tabular data stream (TDS) protocol stream is incorrect. The stream ended "
           "unexpectedly.");
    return false;
}

static bool run_batch(struct ms_connection *connection, struct ms_reader *reader, struct ms_reply *reply)
{
    if (!ms_request_skip_headers(reader) || ms_reader_left(reader) % 2 != 0)
        return refuse_stream(reply);
    size_t len;
    const char *sql = ms_chars_read_utf16(reader, ms_reader_left(reader) / 2, &connection->scratch, &len);
    ms_calls_batch(connection->session, connection->wire->replay, sql, len, reply);
    return true;
}

static bool run_calls(struct ms_connection *connection, struct ms_reader *reader, struct ms_reply *reply)
{
    if (!ms_request_skip_headers(reader))
        return refuse_stream(reply);
    while (!atomic_load(&connection->cancelled)) {
        struct ms_call call;
        enum ms_call_result result = ms_request_next_call(reader, &connection->scratch, &call);
        if (result == MS_CALL_END)
            return true;
        ms_reply_begin_call(reply, call.params, call.n_params);
        if (result != MS_CALL_OK) {
            char text[480] =
                "The incoming tabular data stream (TDS) remote procedure call (RPC) protocol stream is "
                "incorrect. ";
            strncat(text, call.problem, sizeof(text) - strlen(text) - 2);
            strncat(text, ".", 2);
            refuse(reply, result == MS_CALL_INVALID ? 8023 : 8009, text);
            return result != MS_CALL_BROKEN;
        }
        ms_calls_call(connection->session, connection->wire->replay, &connection->replayed, &call, reply);
    }
    return true;
}

static bool run_transaction(struct ms_connection *connection, struct ms_reader *reader,
                            struct ms_reply *reply)
{
    struct ms_tran_call tran;
    if (!ms_request_skip_headers(reader) || !ms_request_read_tran(reader, &connection->scratch, &tran))
        return refuse_stream(reply);
    if (tran.request < MS_TRAN_BEGIN || tran.request > MS_TRAN_SAVE || tran.request == 6) {
        refuse(reply, 3902, "Distributed transactions are not supported by this server.");
        return true;
    }
    const struct ms_sink sink = ms_reply_sink(reply);
    ms_session_transaction(connection->session, (enum ms_tran_request)tran.request, tran.name, tran.isolation,
                           tran.begin_again, &sink);
    return true;
}

static bool run(struct ms_connection *connection, const struct ms_message_in *message, struct ms_reply *reply)
{
    struct ms_reader reader = {.at = message->body.data, .end = message->body.data + message->body.len};
    switch (message->type) {
    case MS_PACKET_BATCH: return run_batch(connection, &reader, reply);
    case MS_PACKET_RPC: return run_calls(connection, &reader, reply);
    case MS_PACKET_TRANSACTION: return run_transaction(connection, &reader, reply);
    case MS_PACKET_BULK:
        refuse(reply, 4891, "Bulk load is not supported by this server. HINT: use INSERT statements.");
        return true;
    default: return refuse_stream(reply);
    }
}

/* A delay on command, in small steps so that a stop does not wait for it. */
static void delay_reply(struct ms_connection *connection)
{
    const int step_ms = 10;
    for (int64_t left = ms_faults_delay_ms(connection->wire->faults); left > 0; left -= step_ms) {
        if (atomic_load(&connection->stopping))
            return;
        (void)poll(NULL, 0, left < step_ms ? (int)left : step_ms);
    }
}

/* One request and its whole reply. False when the connection is to end. */
static bool answer(struct ms_connection *connection, const struct ms_message_in *message)
{
    struct ms_reply reply;
    ms_reply_init(&reply, &connection->out, &connection->cancelled);
    delay_reply(connection);
    if (message->status & (MS_STATUS_RESET | MS_STATUS_RESET_KEEP_TRAN)) {
        ms_session_reset(connection->session);
        ms_token_put_env_reset(&connection->out.body);
    }
    begin_running(connection);
    bool sane = run(connection, message, &reply);
    bool attention = end_running(connection);
    bool sent = ms_reply_finish(&reply, attention);
    ms_reply_done(&reply);
    ms_scratch_reset(&connection->scratch);
    return sane && sent;
}

static void serve_requests(struct ms_connection *connection)
{
    struct ms_message_in message = {0};
    bool going = true;
    while (going && !atomic_load(&connection->stopping)) {
        if (ms_packet_read(&connection->stream, &message, -1) != MS_READ_OK)
            break;
        if (message.type == MS_PACKET_ATTENTION)
            going = ms_reply_attention(&connection->out); /* nothing runs any more */
        else if (!(message.status & MS_STATUS_IGNORE))
            going = answer(connection, &message);
    }
    ms_bytes_done(&message.body);
}

void ms_connection_serve(struct ms_connection *connection)
{
    if (!ms_handshake(connection))
        return;
    connection->watch_slot =
        ms_watch_add(connection->wire->watch, connection->stream.fd, on_readable, connection);
    if (connection->watch_slot >= 0) {
        serve_requests(connection);
        ms_watch_remove(connection->wire->watch, connection->watch_slot);
    }
    ms_session_close(connection->session);
}
