/* SPDX-License-Identifier: Apache-2.0 */
#include "connection.h"
#include "login.h"
#include "tokens.h"

#define LOGIN_TIMEOUT_MS 30000

static bool carry_in(struct ms_stream *stream, struct ms_bytes *ret)
{
    struct ms_message_in message = {0};
    bool ok = ms_packet_read(stream, &message, LOGIN_TIMEOUT_MS) == MS_READ_OK &&
              message.type == MS_PACKET_PRELOGIN;
    if (ok)
        ms_bytes_put(ret, message.body.data, message.body.len);
    ms_bytes_done(&message.body);
    return ok;
}

static bool carry_out(struct ms_stream *stream, const uint8_t *records, size_t len)
{
    struct ms_out out;
    ms_out_init(&out, stream, MS_PACKET_PRELOGIN);
    ms_bytes_put(&out.body, records, len);
    bool sent = ms_out_finish(&out);
    ms_out_done(&out);
    return sent;
}

static bool answer_prelogin(struct ms_connection *connection, const struct ms_message_in *message,
                            bool strict, enum ms_tls_span *ret_span)
{
    static const struct ms_handshake_carrier in_packets = {.read = carry_in, .write = carry_out};
    struct ms_prelogin prelogin;
    if (!ms_prelogin_parse(message->body.data, message->body.len, &prelogin))
        return false;
    uint8_t encryption;
    enum ms_tls_span span = ms_prelogin_negotiate(prelogin.encryption, connection->wire->policy, &encryption);
    if (strict) {
        /* TDS 8.0: TLS is around everything already, and the option means nothing */
        span = MS_TLS_NOTHING;
        encryption = MS_ENCRYPT_ON;
    }
    ms_prelogin_put_answer(&connection->out.body, encryption);
    if (!ms_out_finish(&connection->out))
        return false;
    *ret_span = span;
    if (span == MS_TLS_REFUSE)
        return false;
    if (span == MS_TLS_NOTHING)
        return true;
    return ms_stream_start_tls(&connection->stream, connection->wire->tls->inside, &in_packets);
}

static bool fail_login(struct ms_connection *connection, const struct ms_message *message)
{
    const struct ms_done done = {.token = MS_TOKEN_DONE, .status = MS_DONE_ERROR};
    ms_token_put_message(&connection->out.body, message);
    ms_token_put_done(&connection->out.body, &done);
    (void)ms_out_finish(&connection->out);
    return false;
}

static bool refuse_login(struct ms_connection *connection, int32_t number, const char *text)
{
    const struct ms_message message = {.number = number, .state = 1, .severity = 14, .text = text, .line = 1};
    return fail_login(connection, &message);
}

/* 0 asks for the server's choice; TLS everywhere keeps a packet within one record. */
static size_t choose_packet_bytes(uint32_t asked, bool tls)
{
    size_t bytes = asked == 0 ? MS_DEFAULT_PACKET : asked;
    size_t max = tls ? MS_MAX_TLS_PACKET : MS_MAX_PACKET;
    return bytes < MS_MIN_PACKET ? MS_MIN_PACKET : bytes > max ? max : bytes;
}

static uint32_t choose_version(uint32_t asked, bool strict)
{
    if (asked == MS_TDS_80)
        return strict ? MS_TDS_80 : 0;
    if (asked >= MS_TDS_74)
        return MS_TDS_74;
    return asked >= MS_TDS_73B ? MS_TDS_73B : 0;
}

static void put_info(struct ms_bytes *out, int32_t number, const char *text)
{
    const struct ms_message message = {.number = number, .state = 1, .severity = 0, .text = text, .line = 1};
    ms_token_put_message(out, &message);
}

static void put_packet_size(struct ms_bytes *out, size_t bytes)
{
    char number[12];
    snprintf(number, sizeof(number), "%zu", bytes);
    ms_token_put_env_text(out, MS_WIRE_ENV_PACKET_SIZE, number, "4096");
}

static bool accept_login(struct ms_connection *connection, uint32_t version, size_t packet_bytes)
{
    struct ms_bytes *body = &connection->out.body;
    const char *database = ms_session_database(connection->session);
    char text[300];
    snprintf(text, sizeof(text), "Changed database context to '%.256s'.", database);
    ms_token_put_env_text(body, MS_ENV_DATABASE, database, "master");
    put_info(body, 5701, text);
    ms_token_put_env_collation(body);
    ms_token_put_env_text(body, MS_ENV_LANGUAGE, "us_english", "");
    put_info(body, 5703, "Changed language setting to us_english.");
    ms_token_put_login_ack(body, version);
    put_packet_size(body, packet_bytes);
    const struct ms_done done = {.token = MS_TOKEN_DONE};
    ms_token_put_done(body, &done);
    connection->out.spid = ms_session_spid(connection->session);
    if (!ms_out_finish(&connection->out))
        return false;
    connection->out.packet_bytes = packet_bytes;
    return true;
}

static bool open_session(struct ms_connection *connection, const struct ms_login *login, size_t packet_bytes,
                         bool strict)
{
    uint32_t version = choose_version(login->tds_version, strict);
    if (version == 0)
        return refuse_login(connection, 17830,
                            "This server speaks TDS 7.3, 7.4 and, behind TLS, 8.0. HINT: set the client's "
                            "TDS version to 7.4.");
    if (login->integrated_security || login->federated)
        return refuse_login(
            connection, 18452,
            "Login failed. This server knows SQL Server authentication only. HINT: give a user name "
            "and a password.");
    struct ms_message message = {0};
    struct ms_session *session = NULL;
    if (!ms_session_open(connection->wire->server, login->user, login->password, login->database,
                         login->app_name, login->host_name, login->read_only_intent, &session, &message))
        return fail_login(connection, &message);
    connection->session = session;
    atomic_store(&connection->spid, ms_session_spid(session));
    if (accept_login(connection, version, packet_bytes))
        return true;
    ms_session_close(session);
    connection->session = NULL;
    return false;
}

static bool read_login(struct ms_connection *connection, struct ms_message_in *message, enum ms_tls_span span,
                       bool strict)
{
    if (message->type != MS_PACKET_LOGIN7 &&
        ms_packet_read(&connection->stream, message, LOGIN_TIMEOUT_MS) != MS_READ_OK)
        return false;
    if (span == MS_TLS_LOGIN)
        ms_stream_stop_tls(&connection->stream);
    struct ms_login login;
    if (message->type != MS_PACKET_LOGIN7 ||
        !ms_login_parse(message->body.data, message->body.len, &connection->scratch, &login))
        return refuse_login(
            connection, 17832,
            "The login packet used to open the connection is structurally invalid; the connection has "
            "been closed.");
    size_t packet_bytes = choose_packet_bytes(login.packet_bytes, strict || span == MS_TLS_ALL);
    return open_session(connection, &login, packet_bytes, strict);
}

/* The first byte of a TLS record where a packet type should be: TDS 8.0 begins with TLS. */
static bool begins_with_tls(struct ms_connection *connection)
{
    const uint8_t tls_handshake = 0x16;
    return ms_stream_need(&connection->stream, 1, LOGIN_TIMEOUT_MS) &&
           connection->stream.in.data[0] == tls_handshake;
}

bool ms_handshake(struct ms_connection *connection)
{
    bool strict = begins_with_tls(connection);
    if (strict && !ms_stream_start_bare_tls(&connection->stream, connection->wire->tls->strict))
        return false;
    struct ms_message_in message = {0};
    enum ms_tls_span span = MS_TLS_NOTHING;
    bool ok = ms_packet_read(&connection->stream, &message, LOGIN_TIMEOUT_MS) == MS_READ_OK;
    if (ok && message.type == MS_PACKET_PRELOGIN)
        ok = answer_prelogin(connection, &message, strict, &span);
    else if (ok) /* old clients begin with LOGIN7 */
        ok = message.type == MS_PACKET_LOGIN7 && connection->wire->policy < MS_POLICY_REQUIRED;
    ok = ok && read_login(connection, &message, span, strict);
    ms_bytes_done(&message.body);
    ms_scratch_reset(&connection->scratch);
    return ok;
}
