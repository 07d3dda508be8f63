/* SPDX-License-Identifier: Apache-2.0 */
/* A cluster's wire with a server of our own behind it, and a small client of our own before it. */
#include "client.h"
#include "fake_server.h"
#include "sim/scylla/wire/service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

struct fixture {
    struct sy_service *service;
    struct sy_server *server;
    char dir[64];
    char cert[100];
    char key[100];
};

static struct fixture *open_fixture(const struct sy_service_options *options)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    struct sy_service_options chosen = *options;
    if (options->tls_cert != NULL) {
        snprintf(f->dir, sizeof(f->dir), "/tmp/sluice-sywire-XXXXXX");
        assert_non_null(mkdtemp(f->dir));
        snprintf(f->cert, sizeof(f->cert), "%s/cert.pem", f->dir);
        snprintf(f->key, sizeof(f->key), "%s/key.pem", f->dir);
        chosen.tls_cert = f->cert;
        chosen.tls_key = f->key;
    }
    f->service = sy_service_bind(&chosen);
    assert_non_null(f->service);
    f->server = sy_server_open(&(struct sy_server_options){.n_nodes = 1, .start_us = 1000});
    assert_true(sy_service_start(f->service, f->server));
    return f;
}

static int set_up(void **state)
{
    *state = open_fixture(&(struct sy_service_options){.n_nodes = 3, .n_shards = 2});
    return 0;
}

static int set_up_auth(void **state)
{
    *state = open_fixture(&(struct sy_service_options){.n_nodes = 1, .n_shards = 1, .authenticate = true});
    return 0;
}

static int set_up_tls(void **state)
{
    *state = open_fixture(&(struct sy_service_options){.n_nodes = 1, .n_shards = 1, .tls_cert = ""});
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    assert_true(sy_service_stop(f->service, 5000));
    assert_int_equal(fake_seen(f->server).sessions_open, 0);
    sy_server_close(f->server);
    sy_service_free(f->service);
    if (f->dir[0] != '\0') {
        unlink(f->cert);
        unlink(f->key);
        rmdir(f->dir);
    }
    free(f);
    return 0;
}

static void command(struct fixture *f, const char *line)
{
    char text[4096];
    if (!sy_service_command(f->service, line, text, sizeof(text)))
        fail_msg("%s: %s", line, text);
}

static void connect_to(struct fixture *f, struct client *client)
{
    client_dial(client, sy_service_port(f->service, 0), 0);
    client_start(client, NULL, NULL);
    assert_int_equal(client->opcode, SY_OP_READY);
}

static const char *find_text(const struct client *client, const char *text)
{
    return memmem(client->body.data, client->body.len, text, strlen(text));
}

static void test_a_client_starts_and_asks(void **state)
{
    struct client client;
    connect_to(*state, &client);
    assert_int_equal(client_ask(&client, "ONE"), SY_OP_RESULT);
    assert_int_equal(client_i32(&client, 0), SY_ROWS);
    assert_int_equal(client_i32(&client, client.body.len - 4), 1);
    assert_int_equal(client_ask(&client, "BAD"), SY_OP_ERROR);
    assert_int_equal(client_error(&client), 0x2000);
    assert_int_equal(client_ask(&client, "USE ks"), SY_OP_RESULT);
    assert_int_equal(client_i32(&client, 0), SY_SET_KEYSPACE);
    assert_int_equal(client_ask(&client, "TYPES"), SY_OP_RESULT);
    assert_non_null(find_text(&client, "pair"));
    client_hang_up(&client);
}

static void test_a_newer_version_is_refused_in_a_frame_of_version_four(void **state)
{
    struct fixture *f = *state;
    static const uint8_t versions[] = {5, 6, 65, 66, 2};
    for (size_t i = 0; i < sizeof(versions); i++) {
        struct client client;
        client_dial(&client, sy_service_port(f->service, 0), 0);
        const uint8_t options[] = {versions[i], 0, 0, 3, SY_OP_OPTIONS, 0, 0, 0, 0};
        assert_true(client_send_raw(&client, options, sizeof(options)));
        assert_true(client_read(&client, 10000));
        assert_int_equal(client.version, 0x84);
        assert_int_equal(client.stream, 0);
        assert_int_equal(client_error(&client), SY_CODE_PROTOCOL);
        assert_non_null(find_text(&client, "Invalid or unsupported protocol version"));
        assert_non_null(find_text(&client, "the greatest is 4"));
        assert_false(client_read(&client, 10000));
        client_hang_up(&client);
    }
}

static void test_supported_names_the_shard_that_the_client_is_on(void **state)
{
    struct fixture *f = *state;
    bool seen[2] = {false, false};
    for (int i = 0; i < 2; i++) {
        struct client client;
        client_dial(&client, sy_service_port(f->service, 0), 0);
        client_send(&client, 1, SY_OP_OPTIONS, NULL);
        assert_true(client_read(&client, 10000));
        assert_int_equal(client.opcode, SY_OP_SUPPORTED);
        const char *at = find_text(&client, "SCYLLA_SHARD");
        assert_non_null(at);
        seen[at[strlen("SCYLLA_SHARD") + 4] - '0'] = true;
        assert_non_null(find_text(&client, "SCYLLA_SHARD_AWARE_PORT"));
        assert_null(find_text(&client, "SCYLLA_USE_METADATA_ID"));
        client_hang_up(&client);
    }
    assert_true(seen[0] && seen[1]);
}

/* On the shard-aware port the client's own port chooses, whoever came before. */
static void test_the_shard_aware_port_obeys_the_source_port(void **state)
{
    struct fixture *f = *state;
    int met = 0;
    for (uint16_t source = 41001; source < 41101 && met < 3; source += 2) {
        struct client client = {.fd = -1};
        uint16_t port = sy_service_shard_port(f->service, 0);
        if (client_refused(port))
            fail_msg("the shard-aware port is closed");
        if (!client_try_dial(&client, port, source)) /* another process of this machine has that port */
            continue;
        client_send(&client, 1, SY_OP_OPTIONS, NULL);
        assert_true(client_read(&client, 10000));
        const char *at = find_text(&client, "SCYLLA_SHARD");
        assert_int_equal(at[strlen("SCYLLA_SHARD") + 4], '1');
        met++;
        client_hang_up(&client);
    }
    assert_int_equal(met, 3);
}

static void put_plain(struct sy_out *body, const char *user, const char *password)
{
    size_t user_len = strlen(user);
    size_t password_len = strlen(password);
    sy_out_u32(body, (uint32_t)(user_len + password_len + 2));
    sy_out_u8(body, 0);
    sy_out_bytes(body, user, user_len + 1);
    sy_out_bytes(body, password, password_len);
}

static void test_a_password_is_asked_for_and_a_wrong_one_refused(void **state)
{
    struct fixture *f = *state;
    struct client client;
    struct sy_out body = {0};
    client_dial(&client, sy_service_port(f->service, 0), 0);
    client_start(&client, NULL, NULL);
    assert_int_equal(client.opcode, SY_OP_AUTHENTICATE);
    assert_non_null(find_text(&client, "PasswordAuthenticator"));
    assert_int_equal(client_ask(&client, "ONE"), SY_OP_ERROR);
    assert_int_equal(client_error(&client), SY_CODE_PROTOCOL);
    put_plain(&body, "cassandra", "guess");
    client_send(&client, 2, SY_OP_AUTH_RESPONSE, &body);
    assert_true(client_read(&client, 10000));
    assert_int_equal(client_error(&client), SY_CODE_CREDENTIALS);
    body.len = 0;
    put_plain(&body, "cassandra", "secret");
    client_send(&client, 3, SY_OP_AUTH_RESPONSE, &body);
    assert_true(client_read(&client, 10000));
    assert_int_equal(client.opcode, SY_OP_AUTH_SUCCESS);
    assert_string_equal(fake_seen(f->server).user, "cassandra");
    assert_int_equal(client_ask(&client, "ONE"), SY_OP_RESULT);
    sy_out_done(&body);
    client_hang_up(&client);
}

static void test_lz4_is_used_both_ways_when_asked_for(void **state)
{
    struct fixture *f = *state;
    struct client client;
    client_dial(&client, sy_service_port(f->service, 0), 0);
    client_start(&client, "COMPRESSION", "lz4");
    assert_int_equal(client.opcode, SY_OP_READY);
    struct sy_out frame = {0};
    size_t at = sy_frame_begin(&frame, 4, 0, 7, SY_OP_QUERY);
    frame.data[at] = 4;
    char cql[301] = "ROWS 100";
    memset(cql + 8, ' ', 292);
    sy_out_u32(&frame, 300);
    sy_out_bytes(&frame, cql, 300);
    sy_out_u16(&frame, 1);
    sy_out_u8(&frame, 0);
    sy_frame_end(&frame, at, true);
    assert_true(frame.data[1] & SY_FLAG_COMPRESSED);
    assert_true(client_send_raw(&client, frame.data, frame.len));
    assert_true(client_read(&client, 10000));
    assert_true(client.flags & SY_FLAG_COMPRESSED);
    assert_int_equal(client_i32(&client, 0), SY_ROWS);
    assert_non_null(find_text(&client, "row 99"));
    sy_out_done(&frame);
    client_hang_up(&client);
}

static void test_tls_holds_from_the_first_byte(void **state)
{
    struct fixture *f = *state;
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    assert_int_equal(SSL_CTX_load_verify_locations(context, f->cert, NULL), 1);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    struct client client;
    client_dial_tls(&client, sy_service_port(f->service, 0), context);
    client_start(&client, NULL, NULL);
    assert_int_equal(client_ask(&client, "ROWS 5000"), SY_OP_RESULT);
    assert_non_null(find_text(&client, "row 4999"));
    client_hang_up(&client);
    client_dial(&client, sy_service_port(f->service, 0), 0);
    const uint8_t options[] = {4, 0, 0, 3, SY_OP_OPTIONS, 0, 0, 0, 0};
    assert_true(client_send_raw(&client, options, sizeof(options)));
    while (client_read(&client, 10000))
        assert_int_not_equal(client.opcode, SY_OP_SUPPORTED); /* an alert, perhaps, and the end */
    client_hang_up(&client);
    SSL_CTX_free(context);
}

static void prepare(struct client *client, const char *cql, uint8_t ret_id[16])
{
    struct sy_out body = {0};
    sy_out_u32(&body, (uint32_t)strlen(cql));
    sy_out_bytes(&body, cql, strlen(cql));
    client_send(client, 1, SY_OP_PREPARE, &body);
    assert_true(client_read(client, 10000));
    assert_int_equal(client_i32(client, 0), SY_PREPARED);
    memcpy(ret_id, client->body.data + 6, 16);
    sy_out_done(&body);
}

static void execute(struct client *client, int16_t stream, const uint8_t id[16])
{
    struct sy_out body = {0};
    sy_out_u16(&body, 16);
    sy_out_bytes(&body, id, 16);
    sy_out_u16(&body, 1);
    sy_out_u8(&body, 0x01);
    sy_out_u16(&body, 1);
    sy_out_value(&body, (struct sy_value){.len = 3, .bytes = (const uint8_t *)"abc"});
    client_send(client, stream, SY_OP_EXECUTE, &body);
    assert_true(client_read(client, 10000));
    sy_out_done(&body);
}

static void test_a_prepared_statement_runs_until_it_is_forgotten(void **state)
{
    struct fixture *f = *state;
    struct client client;
    uint8_t id[16];
    connect_to(f, &client);
    prepare(&client, "ECHO", id);
    /* binds: global, two columns, one of them the partition key; no result columns */
    assert_int_equal(client_i32(&client, 22), 1);
    assert_int_equal(client_i32(&client, 26), 2);
    assert_int_equal(client_i32(&client, 30), 1);
    execute(&client, 2, id);
    assert_int_equal(client.opcode, SY_OP_RESULT);
    assert_non_null(find_text(&client, "abc"));
    command(f, "forget all");
    execute(&client, 3, id);
    assert_int_equal(client_error(&client), SY_CODE_UNPREPARED);
    assert_memory_equal(client.body.data + client.body.len - 16, id, 16);
    prepare(&client, "ECHO", id);
    command(f, "fail unprepared next 1");
    execute(&client, 4, id);
    assert_int_equal(client_error(&client), SY_CODE_UNPREPARED);
    execute(&client, 5, id);
    assert_int_equal(client.opcode, SY_OP_RESULT);
    client_hang_up(&client);
}

static void test_the_lwt_mark_is_given_to_those_who_asked(void **state)
{
    struct fixture *f = *state;
    struct client client;
    uint8_t id[16];
    client_dial(&client, sy_service_port(f->service, 0), 0);
    client_start(&client, "SCYLLA_LWT_ADD_METADATA_MARK", "2147483648");
    prepare(&client, "ECHO", id);
    assert_true(client_i32(&client, 22) < 0);
    client_hang_up(&client);
}

static void test_warnings_and_traces_come_before_the_result(void **state)
{
    struct client client;
    connect_to(*state, &client);
    struct sy_out frame = {0};
    size_t at = sy_frame_begin(&frame, 4, SY_FLAG_TRACING, 7, SY_OP_QUERY);
    frame.data[at] = 4;
    sy_out_u32(&frame, 4);
    sy_out_bytes(&frame, "WARN", 4);
    sy_out_u16(&frame, 1);
    sy_out_u8(&frame, 0);
    sy_frame_end(&frame, at, false);
    assert_true(client_send_raw(&client, frame.data, frame.len));
    assert_true(client_read(&client, 10000));
    assert_int_equal(client.flags, SY_FLAG_TRACING | SY_FLAG_WARNING);
    assert_int_equal(client.body.data[16 + 1], 2);
    assert_memory_equal(client.body.data + 16 + 4, "first warning", 13);
    assert_int_equal(client_i32(&client, client.body.len - 4), SY_VOID);
    sy_out_done(&frame);
    client_hang_up(&client);
}

static void test_many_requests_in_flight_are_all_answered(void **state)
{
    struct fixture *f = *state;
    struct client client;
    bool seen[500] = {false};
    connect_to(f, &client);
    command(f, "delay 0 30");
    for (int16_t i = 0; i < 500; i++)
        client_query(&client, i, "ROWS 100");
    int overtaken = 0;
    for (int16_t i = 0; i < 500; i++) {
        assert_true(client_read(&client, 10000));
        assert_false(seen[client.stream]);
        seen[client.stream] = true;
        overtaken += client.stream != i;
    }
    assert_true(overtaken > 0);
    client_hang_up(&client);
}

static void test_a_client_that_reads_late_gets_everything(void **state)
{
    struct client client;
    connect_to(*state, &client);
    for (int16_t i = 0; i < 60; i++)
        client_query(&client, i, "ROWS 20000"); /* some 16 MB of answers, before the first is read */
    for (int16_t i = 0; i < 60; i++) {
        assert_true(client_read(&client, 10000));
        assert_int_equal(client.stream, i);
        assert_non_null(find_text(&client, "row 19999"));
    }
    client_hang_up(&client);
}

static void register_for(struct client *client, const char *event)
{
    struct sy_out body = {0};
    sy_out_u16(&body, 1);
    sy_out_string(&body, event);
    client_send(client, 1, SY_OP_REGISTER, &body);
    assert_true(client_read(client, 10000));
    assert_int_equal(client->opcode, SY_OP_READY);
    sy_out_done(&body);
}

static void test_events_reach_those_who_registered(void **state)
{
    struct fixture *f = *state;
    struct client schema, status, other;
    connect_to(f, &schema);
    connect_to(f, &status);
    connect_to(f, &other);
    register_for(&schema, "SCHEMA_CHANGE");
    register_for(&status, "STATUS_CHANGE");
    assert_int_equal(client_ask(&other, "CREATE"), SY_OP_RESULT);
    assert_int_equal(client_i32(&other, 0), SY_SCHEMA_CHANGE);
    assert_true(client_read(&schema, 10000));
    assert_int_equal(schema.opcode, SY_OP_EVENT);
    assert_int_equal(schema.stream, -1);
    assert_non_null(find_text(&schema, "CREATED"));
    command(f, "event down 2");
    assert_true(client_read(&status, 10000));
    assert_non_null(find_text(&status, "STATUS_CHANGE"));
    assert_non_null(find_text(&status, "DOWN"));
    const uint8_t inet[] = {4, 127, 0, 0, 3};
    assert_memory_equal(status.body.data + status.body.len - 9, inet, sizeof(inet));
    assert_int_equal(client_ask(&other, "ONE"), SY_OP_RESULT); /* and nothing before it */
    client_hang_up(&schema);
    client_hang_up(&status);
    client_hang_up(&other);
}

static void test_a_node_goes_down_pauses_and_comes_back(void **state)
{
    struct fixture *f = *state;
    struct client client, watcher;
    uint16_t port = sy_service_port(f->service, 0);
    connect_to(f, &client);
    command(f, "node 0 down quiet");
    assert_false(client_read(&client, 10000));
    assert_true(client_refused(port));
    client_hang_up(&client);
    command(f, "node 0 up");
    connect_to(f, &client);
    connect_to(f, &watcher);
    command(f, "node 0 pause");
    client_query(&client, 9, "ONE");
    assert_false(client_read(&client, 100));
    command(f, "node 0 resume");
    assert_true(client_read(&client, 10000));
    assert_int_equal(client.stream, 9);
    command(f, "kill 0");
    assert_false(client_read(&client, 10000));
    assert_false(client_read(&watcher, 10000));
    client_hang_up(&client);
    client_hang_up(&watcher);
}

static void test_requests_fail_as_ordered(void **state)
{
    static const struct {
        const char *order;
        int32_t code;
        size_t extra_bytes;
    } cases[] = {
        {"fail overload next 1", SY_CODE_OVERLOADED, 0},
        {"fail unavailable next 1", SY_CODE_UNAVAILABLE, 10},
        {"fail read-timeout next 1", SY_CODE_READ_TIMEOUT, 11},
        {"fail write-timeout next 1", SY_CODE_WRITE_TIMEOUT, 18},
        {"fail read-failure next 1", SY_CODE_READ_FAILURE, 15},
        {"fail rate-limit next 1", SY_CODE_CONFIG, 0},
        {"fail server-error next 1", SY_CODE_SERVER, 0},
    };
    struct fixture *f = *state;
    struct client client;
    connect_to(f, &client);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        command(f, cases[i].order);
        client_ask(&client, "ONE");
        assert_int_equal(client_error(&client), cases[i].code);
        size_t message = (size_t)(client.body.data[4] << 8 | client.body.data[5]);
        assert_int_equal(client.body.len, 6 + message + cases[i].extra_bytes);
        assert_int_equal(client_ask(&client, "ONE"), SY_OP_RESULT);
    }
    command(f, "fail overload every 2 text ROWS");
    assert_int_equal(client_ask(&client, "ONE"), SY_OP_RESULT);
    assert_int_equal(client_ask(&client, "ROWS 1"), SY_OP_RESULT);
    assert_int_equal(client_ask(&client, "ROWS 1"), SY_OP_ERROR);
    assert_int_equal(client_ask(&client, "ROWS 1"), SY_OP_RESULT);
    command(f, "fail off");
    assert_int_equal(client_ask(&client, "ROWS 1"), SY_OP_RESULT);
    command(f, "fail drop next 1");
    client_query(&client, 1, "ONE");
    assert_false(client_read(&client, 10000));
    client_hang_up(&client);
}

static void test_a_connection_is_cut_at_the_byte(void **state)
{
    struct fixture *f = *state;
    struct client client;
    connect_to(f, &client);
    command(f, "cut after 20");
    client_query(&client, 1, "ONE");
    uint8_t header[9];
    size_t got = 0;
    ssize_t n;
    uint8_t bytes[64];
    while ((n = read(client.fd, bytes, sizeof(bytes))) > 0) {
        if (got == 0)
            memcpy(header, bytes, sizeof(header));
        got += (size_t)n;
    }
    assert_int_equal(got, 20);
    assert_int_equal(header[4], SY_OP_RESULT);
    client_hang_up(&client);
    connect_to(f, &client);
    assert_int_equal(client_ask(&client, "ONE"), SY_OP_RESULT);
    client_hang_up(&client);
}

static void test_broken_frames_end_the_connection_and_nothing_else(void **state)
{
    struct fixture *f = *state;
    static const uint8_t response[] = {0x84, 0, 0, 0, 7, 0, 0, 0, 0};
    static const uint8_t huge[] = {0x04, 0, 0, 0, 7, 0xFF, 0xFF, 0xFF, 0xFF};
    static const uint8_t short_query[] = {0x04, 0, 0, 0, 7, 0, 0, 0, 2, 0, 0};
    static const uint8_t long_string[] = {0x04, 0, 0, 0, 7, 0, 0, 0, 6, 0x7F, 0xFF, 0xFF, 0xFF, 0, 0};
    static const uint8_t compressed[] = {0x04, 1, 0, 0, 7, 0, 0, 0, 5, 0, 0, 1, 0, 0};
    static const uint8_t unknown[] = {0x04, 0, 0, 0, 0x77, 0, 0, 0, 0};
    static const struct {
        const uint8_t *bytes;
        size_t len;
    } cases[] = {{response, sizeof(response)},       {huge, sizeof(huge)},
                 {short_query, sizeof(short_query)}, {long_string, sizeof(long_string)},
                 {compressed, sizeof(compressed)},   {unknown, sizeof(unknown)}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct client client;
        connect_to(f, &client);
        assert_true(client_send_raw(&client, cases[i].bytes, cases[i].len));
        assert_true(client_read(&client, 10000));
        assert_int_equal(client_error(&client), SY_CODE_PROTOCOL);
        assert_false(client_read(&client, 10000));
        client_hang_up(&client);
    }
    struct client client;
    connect_to(f, &client);
    assert_int_equal(client_ask(&client, "ONE"), SY_OP_RESULT);
    client_hang_up(&client);
}

static void test_stats_count_what_was_asked(void **state)
{
    struct fixture *f = *state;
    struct client client;
    char text[4096];
    uint8_t id[16];
    connect_to(f, &client);
    command(f, "stats reset");
    client_ask(&client, "SELECT a FROM ks.t");
    client_ask(&client, "SELECT b FROM ks.t");
    prepare(&client, "INSERT INTO ks.t (a) VALUES (?)", id);
    execute(&client, 2, id);
    assert_true(sy_service_command(f->service, "stats", text, sizeof(text)));
    assert_non_null(strstr(text, "\"select ks.t\": 2"));
    assert_non_null(strstr(text, "\"insert ks.t\": 1"));
    assert_non_null(strstr(text, "\"EXECUTE\": 1"));
    assert_non_null(strstr(text, "\"shards\": {\"0/0\": 3}"));
    client_hang_up(&client);
}

static void test_orders_that_make_no_sense_are_refused_with_a_hint(void **state)
{
    struct fixture *f = *state;
    static const char *const lines[] = {
        "node", "node 3 down",  "node 0 sideways",      "delay",     "delay 5 2", "cut after",
        "fail", "fail nothing", "fail overload next 0", "stats now", "kill 77",   "nonsense"};
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        char text[4096];
        assert_false(sy_service_command(f->service, lines[i], text, sizeof(text)));
        assert_true(strlen(text) > 10);
    }
    char text[4096];
    assert_true(sy_service_command(f->service, "generation new", text, sizeof(text)));
    assert_string_equal(text, "server heard: generation new");
    assert_true(sy_service_command(f->service, "nodes", text, sizeof(text)));
    assert_non_null(strstr(text, "127.0.0.3"));
    assert_true(sy_service_command(f->service, "advance 5", text, sizeof(text)));
    assert_string_equal(text, "6000");
}

static void test_a_service_takes_another_server_at_the_same_ports(void **state)
{
    struct fixture *f = *state;
    struct client client;
    uint16_t port = sy_service_port(f->service, 0);
    connect_to(f, &client);
    assert_true(sy_service_detach(f->service, 5000));
    assert_true(client_refused(port));
    assert_int_equal(fake_seen(f->server).sessions_open, 0);
    sy_server_close(f->server);
    f->server = sy_server_open(&(struct sy_server_options){0});
    assert_true(sy_service_attach(f->service, f->server));
    client_hang_up(&client);
    connect_to(f, &client);
    assert_int_equal(client_ask(&client, "ONE"), SY_OP_RESULT);
    client_hang_up(&client);
}

#define WITH(set_up_, test) cmocka_unit_test_setup_teardown(test, set_up_, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(set_up, test_a_client_starts_and_asks),
        WITH(set_up, test_a_newer_version_is_refused_in_a_frame_of_version_four),
        WITH(set_up, test_supported_names_the_shard_that_the_client_is_on),
        WITH(set_up, test_the_shard_aware_port_obeys_the_source_port),
        WITH(set_up_auth, test_a_password_is_asked_for_and_a_wrong_one_refused),
        WITH(set_up, test_lz4_is_used_both_ways_when_asked_for),
        WITH(set_up_tls, test_tls_holds_from_the_first_byte),
        WITH(set_up, test_a_prepared_statement_runs_until_it_is_forgotten),
        WITH(set_up, test_the_lwt_mark_is_given_to_those_who_asked),
        WITH(set_up, test_warnings_and_traces_come_before_the_result),
        WITH(set_up, test_many_requests_in_flight_are_all_answered),
        WITH(set_up, test_a_client_that_reads_late_gets_everything),
        WITH(set_up, test_events_reach_those_who_registered),
        WITH(set_up, test_a_node_goes_down_pauses_and_comes_back),
        WITH(set_up, test_requests_fail_as_ordered),
        WITH(set_up, test_a_connection_is_cut_at_the_byte),
        WITH(set_up, test_broken_frames_end_the_connection_and_nothing_else),
        WITH(set_up, test_stats_count_what_was_asked),
        WITH(set_up, test_orders_that_make_no_sense_are_refused_with_a_hint),
        WITH(set_up, test_a_service_takes_another_server_at_the_same_ports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
