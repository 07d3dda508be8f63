/* SPDX-License-Identifier: Apache-2.0 */
/* A listener with a server of our own behind it, and a small client of our own before it. */
#include "fake_server.h"
#include "sim/sqlserver/tds/listener.h"
#include "sim/sqlserver/tds/login.h"
#include "sim/sqlserver/tds/chars.h"
#include "sim/sqlserver/tds/tokens.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#define PASSWORD "Secret1!"

struct fixture {
    struct ms_server *server;
    struct ms_tls tls;
    struct ms_faults faults;
    struct ms_watch watch;
    struct ms_replay replay;
    struct ms_wire wire;
    struct ms_listener listener;
    char dir[64];
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->server = ms_server_open(&(struct ms_server_options){.sa_password = PASSWORD});
    ms_faults_init(&f->faults);
    ms_replay_init(&f->replay);
    assert_true(ms_watch_start(&f->watch));
    snprintf(f->dir, sizeof(f->dir), "/tmp/sluice-tds-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    char cert[100], key[100];
    snprintf(cert, sizeof(cert), "%s/cert.pem", f->dir);
    snprintf(key, sizeof(key), "%s/key.pem", f->dir);
    assert_true(ms_tls_open(&f->tls, cert, key));
    unlink(cert);
    unlink(key);
    rmdir(f->dir);
    f->wire = (struct ms_wire){.server = f->server,
                               .tls = &f->tls,
                               .faults = &f->faults,
                               .watch = &f->watch,
                               .replay = &f->replay,
                               .policy = MS_POLICY_LOGIN};
    assert_true(ms_listener_start(&f->listener, &f->wire, "127.0.0.1", 0));
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    assert_true(ms_listener_stop(&f->listener, 5000));
    assert_int_equal(fake_seen(f->server).sessions_open, 0);
    ms_watch_stop(&f->watch);
    ms_tls_close(&f->tls);
    ms_faults_done(&f->faults);
    ms_replay_done(&f->replay);
    ms_server_close(f->server);
    free(f);
    return 0;
}

struct client {
    struct ms_faults faults;
    struct ms_stream stream;
    struct ms_message_in reply;
};

static void dial(struct fixture *f, struct client *client)
{
    memset(client, 0, sizeof(*client));
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(f->listener.port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    ms_faults_init(&client->faults);
    ms_stream_init(&client->stream, fd, &client->faults);
}

static void hang_up(struct client *client)
{
    ms_bytes_done(&client->reply.body);
    ms_stream_done(&client->stream);
    ms_faults_done(&client->faults);
}

static void send_message(struct client *client, uint8_t type, const struct ms_bytes *body)
{
    struct ms_out out;
    ms_out_init(&out, &client->stream, type);
    ms_bytes_put(&out.body, body->data, body->len);
    assert_true(ms_out_finish(&out));
    ms_out_done(&out);
}

static enum ms_read read_reply(struct client *client)
{
    return ms_packet_read(&client->stream, &client->reply, 10000);
}

static void make_prelogin(struct ms_bytes *body, uint8_t encryption)
{
    const uint8_t bytes[] = {1, 0, 6, 0, 1, 0xFF, encryption};
    ms_bytes_put(body, bytes, sizeof(bytes));
}

static void put_string(struct ms_bytes *login, size_t pair_at, const char *text, bool hide)
{
    uint16_t pair[2] = {(uint16_t)login->len};
    size_t size =
        ms_chars_to_utf16((const uint8_t *)text, strlen(text), ms_bytes_room(login, 2 * strlen(text)));
    for (size_t i = 0; i < size && hide; i++) {
        uint8_t byte = login->data[login->len + i];
        login->data[login->len + i] = (uint8_t)((byte << 4 | byte >> 4) ^ 0xA5);
    }
    login->len += size;
    pair[1] = (uint16_t)(size / 2);
    memcpy(login->data + pair_at, pair, 4);
}

static void make_login(struct ms_bytes *body, const char *password, uint32_t packet_bytes)
{
    uint32_t version = MS_TDS_74;
    memset(ms_bytes_room(body, 94), 0, 94);
    body->len = 94;
    memcpy(body->data + 4, &version, 4);
    memcpy(body->data + 8, &packet_bytes, 4);
    put_string(body, 40, "sa", false);
    put_string(body, 44, password, true);
    put_string(body, 48, "unit test", false);
    put_string(body, 68, "some_db", false);
    uint32_t total = (uint32_t)body->len;
    memcpy(body->data, &total, 4);
}

/* The client's side of TLS in PRELOGIN packets. */
static bool tls_in(struct ms_stream *stream, struct ms_bytes *ret)
{
    struct ms_message_in message = {0};
    bool ok = ms_packet_read(stream, &message, 10000) == MS_READ_OK && message.type == MS_PACKET_PRELOGIN;
    ms_bytes_put(ret, message.body.data, message.body.len);
    ms_bytes_done(&message.body);
    return ok;
}

static void start_client_tls(struct client *client, SSL_CTX *context)
{
    SSL *ssl = SSL_new(context);
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl, in, out);
    SSL_set_connect_state(ssl);
    int done;
    do {
        done = SSL_do_handshake(ssl);
        char *data;
        long len = BIO_get_mem_data(out, &data);
        if (len > 0) {
            struct ms_bytes flight = {.data = (uint8_t *)data, .len = (size_t)len};
            send_message(client, MS_PACKET_PRELOGIN, &flight);
            (void)BIO_reset(out);
        }
        if (done != 1) {
            struct ms_bytes flight = {0};
            assert_true(tls_in(&client->stream, &flight));
            BIO_write(in, flight.data, (int)flight.len);
            ms_bytes_done(&flight);
        }
    } while (done != 1);
    client->stream.tls_in = in;
    client->stream.tls_out = out;
    client->stream.ssl = ssl;
}

/* Log in with this wish for encryption; the reply stays in client->reply. */
static void log_in(struct fixture *f, struct client *client, uint8_t encryption, const char *password,
                   uint32_t packet_bytes)
{
    struct ms_bytes body = {0};
    dial(f, client);
    make_prelogin(&body, encryption);
    send_message(client, MS_PACKET_PRELOGIN, &body);
    assert_int_equal(read_reply(client), MS_READ_OK);
    struct ms_prelogin answer;
    assert_true(ms_prelogin_parse(client->reply.body.data, client->reply.body.len, &answer));
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (answer.encryption != MS_ENCRYPT_NOT_SUP)
        start_client_tls(client, context);
    body.len = 0;
    make_login(&body, password, packet_bytes);
    send_message(client, MS_PACKET_LOGIN7, &body);
    if (answer.encryption == MS_ENCRYPT_OFF)
        ms_stream_stop_tls(&client->stream);
    assert_int_equal(read_reply(client), MS_READ_OK);
    SSL_CTX_free(context);
    ms_bytes_done(&body);
}

static bool has_token(const struct client *client, const void *needle, size_t len)
{
    return memmem(client->reply.body.data, client->reply.body.len, needle, len) != NULL;
}

static bool logged_in(const struct client *client)
{
    const uint8_t ack[] = {MS_TOKEN_LOGINACK, 50, 0, 1, 0x74, 0, 0, 4, 20, 'M', 0, 'i', 0};
    return has_token(client, ack, sizeof(ack));
}

static void make_batch(struct ms_bytes *body, const char *sql)
{
    const uint8_t headers[22] = {22, 0, 0, 0, 18, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0};
    ms_bytes_put(body, headers, sizeof(headers));
    size_t len = strlen(sql);
    body->len += ms_chars_to_utf16((const uint8_t *)sql, len, ms_bytes_room(body, 2 * len));
}

static void send_batch(struct client *client, const char *sql)
{
    struct ms_bytes body = {0};
    make_batch(&body, sql);
    send_message(client, MS_PACKET_BATCH, &body);
    ms_bytes_done(&body);
}

static void expect_last_done(const struct client *client, uint16_t status, uint64_t rows)
{
    size_t len = client->reply.body.len;
    assert_true(len >= 13);
    const uint8_t *done = client->reply.body.data + len - 13;
    uint16_t got_status;
    uint64_t got_rows;
    memcpy(&got_status, done + 1, 2);
    memcpy(&got_rows, done + 5, 8);
    assert_true(done[0] >= MS_TOKEN_DONE);
    assert_int_equal(got_status, status);
    assert_int_equal(got_rows, rows);
}

static void every_way_of_encrypting_logs_in_and_answers(void **state)
{
    struct fixture *f = *state;
    static const uint8_t wishes[] = {MS_ENCRYPT_OFF, MS_ENCRYPT_ON, MS_ENCRYPT_NOT_SUP, MS_ENCRYPT_REQ};
    static const enum ms_encrypt_policy policies[] = {MS_POLICY_LOGIN, MS_POLICY_ON};
    for (size_t i = 0; i < 8; i++) {
        struct client client;
        f->wire.policy = policies[i / 4];
        log_in(f, &client, wishes[i % 4], PASSWORD, 0);
        assert_true(logged_in(&client));
        expect_last_done(&client, 0, 0);
        send_batch(&client, "rows 5000");
        assert_int_equal(read_reply(&client), MS_READ_OK);
        expect_last_done(&client, MS_DONE_COUNT, 5000);
        hang_up(&client);
    }
}

static void a_client_that_cannot_encrypt_is_turned_away_when_it_must(void **state)
{
    struct fixture *f = *state;
    struct client client;
    struct ms_bytes body = {0};
    f->wire.policy = MS_POLICY_REQUIRED;
    dial(f, &client);
    make_prelogin(&body, MS_ENCRYPT_NOT_SUP);
    send_message(&client, MS_PACKET_PRELOGIN, &body);
    assert_int_equal(read_reply(&client), MS_READ_OK);
    assert_int_equal(read_reply(&client), MS_READ_CLOSED);
    ms_bytes_done(&body);
    hang_up(&client);
}

static void a_wrong_password_gives_18456_and_the_end(void **state)
{
    struct fixture *f = *state;
    struct client client;
    const uint8_t number[] = {0x18, 0x48, 0, 0, 1, 14};
    log_in(f, &client, MS_ENCRYPT_OFF, "wrong", 0);
    assert_false(logged_in(&client));
    assert_true(has_token(&client, number, sizeof(number)));
    expect_last_done(&client, MS_DONE_ERROR, 0);
    assert_int_equal(read_reply(&client), MS_READ_CLOSED);
    hang_up(&client);
}

static void a_login_without_prelogin_is_taken(void **state)
{
    struct fixture *f = *state;
    struct client client;
    struct ms_bytes body = {0};
    dial(f, &client);
    make_login(&body, PASSWORD, 512);
    send_message(&client, MS_PACKET_LOGIN7, &body);
    assert_int_equal(read_reply(&client), MS_READ_OK);
    assert_true(logged_in(&client));
    ms_bytes_done(&body);
    hang_up(&client);
}

static void every_packet_size_carries_the_same_reply(void **state)
{
    struct fixture *f = *state;
    static const uint32_t sizes[] = {0, 1, 512, 513, 4096, 8000, 32767, 100000};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct client client;
        log_in(f, &client, MS_ENCRYPT_NOT_SUP, PASSWORD, sizes[i]);
        send_batch(&client, "rows 3000");
        assert_int_equal(read_reply(&client), MS_READ_OK);
        expect_last_done(&client, MS_DONE_COUNT, 3000);
        hang_up(&client);
    }
}

/* The request as two packets, split after `at` bytes, each sent in pieces of `step`. */
static void send_split(struct client *client, const struct ms_bytes *body, size_t at, size_t step)
{
    struct ms_bytes wire = {0};
    const size_t parts[2] = {at, body->len - at};
    const uint8_t *data = body->data;
    for (int i = 0; i < 2; i++) {
        size_t length = parts[i] + MS_HEADER_BYTES;
        const uint8_t header[8] = {MS_PACKET_BATCH, (uint8_t)i, (uint8_t)(length >> 8), (uint8_t)length};
        ms_bytes_put(&wire, header, 8);
        ms_bytes_put(&wire, data, parts[i]);
        data += parts[i];
    }
    for (size_t sent = 0; sent < wire.len; sent += step)
        assert_true(ms_stream_send(&client->stream, wire.data + sent,
                                   wire.len - sent < step ? wire.len - sent : step));
    ms_bytes_done(&wire);
}

static void a_request_may_be_split_at_every_byte(void **state)
{
    struct fixture *f = *state;
    struct client client;
    struct ms_bytes body = {0}, echo = {0};
    const char *sql = "select 'some text'";
    make_batch(&body, sql);
    echo.len = ms_chars_to_utf16((const uint8_t *)sql, strlen(sql), ms_bytes_room(&echo, 100));
    log_in(f, &client, MS_ENCRYPT_NOT_SUP, PASSWORD, 0);
    for (size_t at = 0; at <= body.len; at++) {
        send_split(&client, &body, at, 1 + at % 11);
        assert_int_equal(read_reply(&client), MS_READ_OK);
        assert_true(has_token(&client, echo.data, echo.len));
        expect_last_done(&client, MS_DONE_COUNT, 1);
    }
    ms_bytes_done(&body);
    ms_bytes_done(&echo);
    hang_up(&client);
}

static void every_type_travels_in_a_result(void **state)
{
    struct fixture *f = *state;
    struct client client;
    log_in(f, &client, MS_ENCRYPT_ON, PASSWORD, 512);
    send_batch(&client, "types");
    assert_int_equal(read_reply(&client), MS_READ_OK);
    expect_last_done(&client, MS_DONE_COUNT, 1);
    assert_int_equal(client.reply.body.data[0], MS_TOKEN_COLMETADATA);
    assert_int_equal(client.reply.body.data[1], fake_all_types()->n);
    hang_up(&client);
}

static void an_attention_stops_a_running_statement(void **state)
{
    struct fixture *f = *state;
    static const uint8_t wishes[] = {MS_ENCRYPT_NOT_SUP, MS_ENCRYPT_ON};
    for (size_t i = 0; i < 2; i++) {
        struct client client;
        struct ms_bytes nothing = {0};
        log_in(f, &client, wishes[i], PASSWORD, 0);
        send_batch(&client, "wait");
        fake_wait_until_waiting(f->server, 1);
        send_message(&client, MS_PACKET_ATTENTION, &nothing);
        assert_int_equal(read_reply(&client), MS_READ_OK);
        expect_last_done(&client, 0, 0);
        assert_int_equal(read_reply(&client), MS_READ_OK);
        expect_last_done(&client, MS_DONE_ATTENTION, 0);
        send_batch(&client, "rows 2");
        assert_int_equal(read_reply(&client), MS_READ_OK);
        expect_last_done(&client, MS_DONE_COUNT, 2);
        hang_up(&client);
    }
    assert_int_equal(fake_seen(f->server).cancels, 2);
}

static void an_attention_stops_a_stream_of_rows(void **state)
{
    struct fixture *f = *state;
    struct client client;
    struct ms_bytes nothing = {0};
    log_in(f, &client, MS_ENCRYPT_NOT_SUP, PASSWORD, 0);
    send_batch(&client, "rows 1000000000");
    assert_true(ms_stream_need(&client.stream, 100000, 10000));
    send_message(&client, MS_PACKET_ATTENTION, &nothing);
    assert_int_equal(read_reply(&client), MS_READ_OK);
    expect_last_done(&client, 0, 0);
    assert_int_equal(read_reply(&client), MS_READ_OK);
    expect_last_done(&client, MS_DONE_ATTENTION, 0);
    hang_up(&client);
}

static void an_attention_when_idle_is_answered(void **state)
{
    struct fixture *f = *state;
    struct client client;
    struct ms_bytes nothing = {0};
    log_in(f, &client, MS_ENCRYPT_NOT_SUP, PASSWORD, 0);
    send_message(&client, MS_PACKET_ATTENTION, &nothing);
    assert_int_equal(read_reply(&client), MS_READ_OK);
    expect_last_done(&client, MS_DONE_ATTENTION, 0);
    hang_up(&client);
}

static void wait_for_sessions(struct fixture *f, int n)
{
    for (int tries = 0; fake_seen(f->server).sessions_open != n; tries++) {
        assert_true(tries < 10000);
        usleep(1000);
    }
}

static void a_client_that_leaves_cancels_its_statement(void **state)
{
    struct fixture *f = *state;
    struct client client;
    log_in(f, &client, MS_ENCRYPT_NOT_SUP, PASSWORD, 0);
    send_batch(&client, "wait");
    fake_wait_until_waiting(f->server, 1);
    hang_up(&client);
    wait_for_sessions(f, 0);
}

static void stopping_ends_running_statements_at_once(void **state)
{
    struct fixture *f = *state;
    struct client clients[20];
    for (int i = 0; i < 20; i++) {
        log_in(f, &clients[i], MS_ENCRYPT_NOT_SUP, PASSWORD, 0);
        send_batch(&clients[i], "wait");
    }
    fake_wait_until_waiting(f->server, 20);
    assert_true(ms_listener_stop(&f->listener, 1000));
    for (int i = 0; i < 20; i++)
        hang_up(&clients[i]);
    assert_true(ms_listener_start(&f->listener, &f->wire, "127.0.0.1", 0));
}

static void hundreds_of_connections_stand_at_once(void **state)
{
    struct fixture *f = *state;
    enum { N = 300 };
    struct client *clients = calloc(N, sizeof(*clients));
    assert_non_null(clients);
    for (int i = 0; i < N; i++)
        log_in(f, &clients[i], MS_ENCRYPT_NOT_SUP, PASSWORD, 0);
    for (int i = 0; i < N; i++)
        send_batch(&clients[i], "rows 1");
    for (int i = 0; i < N; i++) {
        assert_int_equal(read_reply(&clients[i]), MS_READ_OK);
        expect_last_done(&clients[i], MS_DONE_COUNT, 1);
        hang_up(&clients[i]);
    }
    free(clients);
}

static void a_fault_cuts_at_exactly_its_byte(void **state)
{
    struct fixture *f = *state;
    struct client client;
    log_in(f, &client, MS_ENCRYPT_NOT_SUP, PASSWORD, 0);
    ms_faults_set_cut(&f->faults, MS_CUT_ONCE, 1000);
    send_batch(&client, "rows 100");
    assert_false(ms_stream_need(&client.stream, 100000, 10000));
    assert_int_equal(client.stream.in.len, 1000);
    hang_up(&client);
    log_in(f, &client, MS_ENCRYPT_NOT_SUP, PASSWORD, 0);
    assert_true(logged_in(&client));
    hang_up(&client);
}

static void refusing_closes_the_port_and_opens_the_same_again(void **state)
{
    struct fixture *f = *state;
    uint16_t port = f->listener.port;
    assert_true(ms_listener_refuse(&f->listener, true));
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_not_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    close(fd);
    assert_true(ms_listener_refuse(&f->listener, false));
    assert_int_equal(f->listener.port, port);
    struct client client;
    log_in(f, &client, MS_ENCRYPT_NOT_SUP, PASSWORD, 0);
    hang_up(&client);
}

static void killing_a_session_drops_its_connection_alone(void **state)
{
    struct fixture *f = *state;
    struct client one, two;
    log_in(f, &one, MS_ENCRYPT_NOT_SUP, PASSWORD, 0);
    log_in(f, &two, MS_ENCRYPT_NOT_SUP, PASSWORD, 0);
    assert_int_equal(ms_listener_kill(&f->listener, 51), 1);
    assert_int_equal(read_reply(&one), MS_READ_CLOSED);
    send_batch(&two, "rows 1");
    assert_int_equal(read_reply(&two), MS_READ_OK);
    hang_up(&one);
    hang_up(&two);
}

static void transactions_bulk_and_resets_are_answered(void **state)
{
    struct fixture *f = *state;
    struct client client;
    struct ms_bytes body = {0};
    log_in(f, &client, MS_ENCRYPT_NOT_SUP, PASSWORD, 0);
    const uint8_t begin[] = {4, 0, 0, 0, 5, 0, 2, 2, 't', 0};
    ms_bytes_put(&body, begin, sizeof(begin));
    send_message(&client, MS_PACKET_TRANSACTION, &body);
    assert_int_equal(read_reply(&client), MS_READ_OK);
    assert_int_equal(client.reply.body.data[0], MS_TOKEN_ENVCHANGE);
    assert_int_equal(fake_seen(f->server).tran, MS_TRAN_BEGIN);
    assert_string_equal(fake_seen(f->server).name, "t");
    send_message(&client, MS_PACKET_BULK, &body);
    assert_int_equal(read_reply(&client), MS_READ_OK);
    expect_last_done(&client, MS_DONE_ERROR, 0);
    const uint8_t reset[] = {
        MS_PACKET_BATCH, MS_STATUS_END | MS_STATUS_RESET, 0, 14, 0, 0, 1, 0, 4, 0, 0, 0, 'x', 0};
    assert_true(ms_stream_send(&client.stream, reset, sizeof(reset)));
    assert_int_equal(read_reply(&client), MS_READ_OK);
    assert_int_equal(client.reply.body.data[3], MS_WIRE_ENV_RESET);
    assert_int_equal(fake_seen(f->server).resets, 1);
    ms_bytes_done(&body);
    hang_up(&client);
}

static void garbage_ends_only_its_own_connection(void **state)
{
    struct fixture *f = *state;
    struct client good;
    log_in(f, &good, MS_ENCRYPT_NOT_SUP, PASSWORD, 0);
    uint32_t seed = 5;
    for (int i = 0; i < 200; i++) {
        struct client bad;
        uint8_t bytes[200];
        for (size_t j = 0; j < sizeof(bytes); j++) {
            seed = seed * 1664525 + 1013904223;
            bytes[j] = (uint8_t)(seed >> 24);
        }
        const uint8_t types[] = {MS_PACKET_PRELOGIN, MS_PACKET_LOGIN7, 0x16, MS_PACKET_BATCH};
        const uint8_t header[8] = {types[i % 4], 1, 0, (uint8_t)(i % 5 == 0 ? i : 200)};
        memcpy(bytes, header, i % 3 == 0 ? 0 : 8);
        dial(f, &bad);
        (void)ms_stream_send(&bad.stream, bytes, sizeof(bytes));
        hang_up(&bad);
    }
    wait_for_sessions(f, 1);
    send_batch(&good, "rows 1");
    assert_int_equal(read_reply(&good), MS_READ_OK);
    hang_up(&good);
}

static void a_recorded_result_is_served_as_often_as_asked(void **state)
{
    struct fixture *f = *state;
    char path[] = "/tmp/sluice-recording-XXXXXX", text[200];
    close(mkstemp(path));
    struct client client;
    struct ms_bytes first = {0};
    log_in(f, &client, MS_ENCRYPT_NOT_SUP, PASSWORD, 4096);
    ms_replay_record(&f->replay, path, "rows 40000");
    send_batch(&client, "rows 40000");
    assert_int_equal(read_reply(&client), MS_READ_OK);
    ms_bytes_put(&first, client.reply.body.data, client.reply.body.len);
    assert_true(ms_replay_load(&f->replay, path, 2, text, sizeof(text)));
    int before = fake_seen(f->server).batches;
    for (int i = 0; i < 3; i++) {
        send_batch(&client, "rows 40000");
        assert_int_equal(read_reply(&client), MS_READ_OK);
        assert_int_equal(client.reply.body.len, first.len);
        assert_memory_equal(client.reply.body.data, first.data, first.len);
    }
    assert_int_equal(fake_seen(f->server).batches, before + 1);
    hang_up(&client);
    ms_bytes_done(&first);
    unlink(path);
}

/* Record what a batch answers; the reply's bytes. */
static struct ms_bytes record_batch(struct fixture *f, struct client *client, const char *path,
                                    const char *sql)
{
    struct ms_bytes reply = {0};
    ms_replay_record(&f->replay, path, sql);
    send_batch(client, sql);
    assert_int_equal(read_reply(client), MS_READ_OK);
    ms_bytes_put(&reply, client->reply.body.data, client->reply.body.len);
    return reply;
}

static void recordings_of_several_texts_are_served_side_by_side(void **state)
{
    static const char *const texts[2] = {"rows 30", "rows 40"};
    struct fixture *f = *state;
    char paths[2][32] = {"/tmp/sluice-recording-XXXXXX", "/tmp/sluice-recording-XXXXXX"}, why[200];
    struct ms_bytes first[2];
    struct client client;
    log_in(f, &client, MS_ENCRYPT_NOT_SUP, PASSWORD, 4096);
    for (int i = 0; i < 2; i++) {
        close(mkstemp(paths[i]));
        first[i] = record_batch(f, &client, paths[i], texts[i]);
    }
    for (int i = 0; i < 2; i++)
        assert_true(ms_replay_load(&f->replay, paths[i], 1, why, sizeof(why)));
    int before = fake_seen(f->server).batches;
    for (int i = 0; i < 2; i++) {
        send_batch(&client, texts[i]);
        assert_int_equal(read_reply(&client), MS_READ_OK);
        assert_int_equal(client.reply.body.len, first[i].len);
        assert_memory_equal(client.reply.body.data, first[i].data, first[i].len);
    }
    assert_int_equal(fake_seen(f->server).batches, before);
    assert_true(ms_replay_load(&f->replay, paths[0], 1, why, sizeof(why)));
    ms_replay_stop(&f->replay);
    send_batch(&client, texts[0]);
    assert_int_equal(read_reply(&client), MS_READ_OK);
    assert_int_equal(fake_seen(f->server).batches, before + 1);
    hang_up(&client);
    for (int i = 0; i < 2; i++) {
        ms_bytes_done(&first[i]);
        unlink(paths[i]);
    }
}

static void a_broken_recording_is_refused(void **state)
{
    struct fixture *f = *state;
    char path[] = "/tmp/sluice-recording-XXXXXX", text[200] = "";
    int fd = mkstemp(path);
    assert_int_equal(write(fd, "mssim recording 1\n\xFF\xFF\xFF\xFF", 22), 22);
    close(fd);
    assert_false(ms_replay_load(&f->replay, path, 1, text, sizeof(text)));
    assert_non_null(strstr(text, "no recording"));
    unlink(path);
    assert_false(ms_replay_load(&f->replay, path, 1, text, sizeof(text)));
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(every_way_of_encrypting_logs_in_and_answers),
        TEST(a_client_that_cannot_encrypt_is_turned_away_when_it_must),
        TEST(a_wrong_password_gives_18456_and_the_end),
        TEST(a_login_without_prelogin_is_taken),
        TEST(every_packet_size_carries_the_same_reply),
        TEST(a_request_may_be_split_at_every_byte),
        TEST(every_type_travels_in_a_result),
        TEST(an_attention_stops_a_running_statement),
        TEST(an_attention_stops_a_stream_of_rows),
        TEST(an_attention_when_idle_is_answered),
        TEST(a_client_that_leaves_cancels_its_statement),
        TEST(stopping_ends_running_statements_at_once),
        TEST(hundreds_of_connections_stand_at_once),
        TEST(a_fault_cuts_at_exactly_its_byte),
        TEST(refusing_closes_the_port_and_opens_the_same_again),
        TEST(killing_a_session_drops_its_connection_alone),
        TEST(transactions_bulk_and_resets_are_answered),
        TEST(garbage_ends_only_its_own_connection),
        TEST(a_recorded_result_is_served_as_often_as_asked),
        TEST(recordings_of_several_texts_are_served_side_by_side),
        TEST(a_broken_recording_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
