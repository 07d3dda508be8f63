/* SPDX-License-Identifier: Apache-2.0 */
/* What must be refused, and what must not be kept from others by those who ask for it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "raw_client.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "net/http/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { BODY_MAX = 64 * 1024 };

static struct sl_http_server *server;
static uint16_t port;
static unsigned per_address;

static void echo(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer)
{
    struct sl_error err;
    json_t *body = NULL;

    (void)ctx;
    if (sl_http_body_json(request, &body, &err))
        sl_http_error(answer, 400, 0, "%s", err.text);
    else
        sl_http_json(answer, 200, json_pack("{s:I}", "bytes", (json_int_t)request->body_bytes));
    json_decref(body);
}

static void name(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer)
{
    (void)ctx;
    sl_http_json(answer, 200, json_pack("{s:s}", "name", sl_http_path(request, "name")));
}

static const struct sl_http_route routes[] = {
    {"GET", "/things/{name}", name},
    {"PUT", "/echo", echo},
    {NULL, NULL, NULL},
};

static void start(int64_t patience_us)
{
    static const struct sl_http_listener listener = {.host = "127.0.0.1"};
    struct sl_http_config config = {.name = "test",
                                    .listeners = &listener,
                                    .n_listeners = 1,
                                    .routes = routes,
                                    .limits = sl_http_default_limits};
    struct sl_error err = {0};

    config.limits.connections = 32;
    config.limits.connections_per_address = per_address;
    config.limits.body_bytes = BODY_MAX;
    config.limits.bodies_bytes = 4 * BODY_MAX;
    config.limits.idle_us = patience_us;
    config.limits.request_us = patience_us;
    assert_int_equal(sl_http_server_start(&config, &server, &err), SL_OK);
    port = sl_http_server_port(server, 0);
}

static int set_up(void **state)
{
    (void)state;
    start(600 * 1000);
    return 0;
}

static int set_up_patient(void **state)
{
    (void)state;
    start(60 * 1000 * 1000);
    return 0;
}

static int set_up_few_per_address(void **state)
{
    (void)state;
    per_address = 3;
    start(60 * 1000 * 1000);
    per_address = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_true(sl_http_server_stop(server, sl_now_us() + 5000000));
    return 0;
}

static void expect(const char *request, int status)
{
    char *answer = raw_ask(port, request);

    if (raw_status(answer) != status)
        fail_msg("asked: %.300s\ngot: %s\nwanted: %d", request, answer, status);
    free(answer);
}

static void still_serves(void)
{
    expect("GET /things/a HTTP/1.1\r\nHost: x\r\n\r\n", 200);
}

static void what_two_readers_could_frame_differently_is_refused(void **state)
{
    static const char *const smuggled[] = {
        "PUT /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "PUT /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n",
        "PUT /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
        "PUT /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2, 2\r\n\r\n{}",
        "PUT /echo HTTP/1.1\r\nHost: x\r\nContent-Length: +2\r\n\r\n{}",
        "PUT /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 0x2\r\n\r\n{}",
        "PUT /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n{}",
        "PUT /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "PUT /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\n",
        "PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n",
        "PUT /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "PUT /echo HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET /things/a HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        "GET /things/a HTTP/1.1\r\n\r\n",
        "GET /things/a HTTP/1.1\r\nHost: x\r\nX\x01Y: 1\r\n\r\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(smuggled) / sizeof(*smuggled); i++)
        expect(smuggled[i], 400);
    still_serves();
}

/* What follows a refused request on the same connection is never read as another request. */
static void nothing_is_read_behind_a_refused_request(void **state)
{
    static const char request[] =
        "PUT /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\nTransfer-Encoding: chunked\r\n\r\n"
        "0\r\n\r\nGET /things/smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
    int fd = raw_connect(port);
    char *answer;

    (void)state;
    assert_true(raw_send(fd, request, sizeof(request) - 1));
    answer = raw_receive(fd, 10000);
    assert_int_equal(raw_status(answer), 400);
    assert_null(strstr(answer, "smuggled"));
    free(answer);
    (void)close(fd);
}

static void odd_paths_are_refused(void **state)
{
    static const char *const paths[] = {
        "/things/%00", "/things/%0a", "/things/%C0%AF",        "/things/%ff", "/things/%",
        "/things/%4",  "/things/%zz", "/things/a?x=%ED%A0%80", "things/a"};
    char request[128];

    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
        (void)snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", paths[i]);
        expect(request, 400);
    }
    expect("GET /things/../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", 404);
    expect("GET http://elsewhere/things/a HTTP/1.1\r\nHost: x\r\n\r\n", 200);
    still_serves();
}

static void put_body(struct sl_buf *request, size_t announced, const char *bytes, size_t len)
{
    sl_buf_format(request, "PUT /echo HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", announced);
    sl_buf_put(request, bytes, len);
}

static void a_body_that_is_announced_too_long_is_refused_at_once(void **state)
{
    struct sl_buf request = {0};

    (void)state;
    put_body(&request, 1u << 30, "", 0);
    expect(sl_buf_cstr(&request), 413);
    sl_buf_reset(&request);
    put_body(&request, (size_t)-1, "", 0);
    expect(sl_buf_cstr(&request), 400 + 13);
    sl_buf_done(&request);
    still_serves();
}

static void a_chunked_body_is_cut_off_at_its_bound(void **state)
{
    static const char head[] = "PUT /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    char chunk[4096 + 8] = "1000\r\n";
    int fd = raw_connect(port);
    size_t sent = 0;

    (void)state;
    memset(chunk + 6, ' ', 4096);
    memcpy(chunk + 6 + 4096, "\r\n", 2);
    assert_true(raw_send(fd, head, sizeof(head) - 1));
    while (sent < 64u << 20 && raw_send(fd, chunk, sizeof(chunk)))
        sent += 4096;
    assert_true(sent < 32u << 20); /* socket buffers included */
    (void)close(fd);
    still_serves();
}

static void deep_json_never_reaches_a_parser(void **state)
{
    struct sl_buf request = {0};
    char *deep = malloc(BODY_MAX);
    char *answer;

    (void)state;
    memset(deep, '[', BODY_MAX);
    put_body(&request, BODY_MAX, deep, BODY_MAX);
    answer = raw_ask(port, sl_buf_cstr(&request));
    assert_int_equal(raw_status(answer), 400);
    assert_non_null(strstr(answer, "deeper than 64"));
    free(answer);
    free(deep);
    sl_buf_done(&request);
}

static void a_flood_of_headers_is_431(void **state)
{
    struct sl_buf request = {0};

    (void)state;
    sl_buf_text(&request, "GET /things/a HTTP/1.1\r\nHost: x\r\n");
    for (int i = 0; i < 2000; i++)
        sl_buf_format(&request, "X-%d: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n", i);
    sl_buf_text(&request, "\r\n");
    expect(sl_buf_cstr(&request), 431);
    sl_buf_done(&request);
    still_serves();
}

static void a_client_that_trickles_is_cut_off(void **state)
{
    static const char begun[] = "PUT /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n";
    int64_t began_us = sl_now_us();
    int fd = raw_connect(port);

    (void)state;
    assert_true(raw_send(fd, begun, sizeof(begun) - 1));
    while (raw_send(fd, " ", 1) && sl_now_us() - began_us < 5000000)
        (void)usleep(20 * 1000);
    assert_true(sl_now_us() - began_us < 3000000);
    (void)close(fd);
}

static void more_clients_than_there_is_room_for_keep_nobody_out(void **state)
{
    int fds[200];

    (void)state;
    for (int i = 0; i < 200; i++) {
        fds[i] = raw_connect(port);
        (void)raw_send(fds[i], "GET /th", 7);
        if (i % 20 == 0)
            still_serves();
    }
    still_serves();
    for (int i = 0; i < 200; i++)
        (void)close(fds[i]);
    still_serves();
}

/* Everything that was written is in the server's socket. */
static void wait_until_sent(int fd)
{
    int left = 1;

    while (ioctl(fd, SIOCOUTQ, &left) == 0 && left)
        (void)usleep(1000);
}

/* Each holds back its last byte: together they may not have more than the server gives to bodies. */
static void bodies_have_one_budget(void **state)
{
    struct sl_buf request = {0};
    char *bytes = malloc(BODY_MAX);
    int fds[12];
    int refused = 0;
    int taken = 0;

    (void)state;
    memset(bytes, ' ', BODY_MAX);
    put_body(&request, BODY_MAX, bytes, BODY_MAX - 1);
    for (int i = 0; i < 12; i++) {
        fds[i] = raw_connect(port);
        (void)raw_send(fds[i], (char *)request.data, request.len);
    }
    for (int i = 0; i < 12; i++)
        wait_until_sent(fds[i]);
    for (int i = 0; i < 40; i++) /* each turn of the listener reads from every connection */
        still_serves();
    for (int i = 0; i < 12; i++) {
        char *answer;

        (void)raw_send(fds[i], "1", 1);
        answer = raw_receive_one(fds[i]);
        refused += raw_status(answer) == 503;
        taken += raw_status(answer) == 200;
        free(answer);
        (void)close(fds[i]);
    }
    assert_true(refused >= 8);
    assert_int_equal(refused + taken, 12);
    free(bytes);
    sl_buf_done(&request);
    still_serves();
}

static void one_address_has_its_own_bound(void **state)
{
    int fds[3];
    int fourth;

    (void)state;
    for (int i = 0; i < 3; i++) {
        fds[i] = raw_connect(port);
        assert_true(raw_send(fds[i], "GET", 3));
    }
    fourth = raw_connect(port);
    assert_true(raw_is_closed(fourth, 10000));
    (void)close(fourth);
    for (int i = 0; i < 3; i++)
        (void)close(fds[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_two_readers_could_frame_differently_is_refused),
        cmocka_unit_test(nothing_is_read_behind_a_refused_request),
        cmocka_unit_test(odd_paths_are_refused),
        cmocka_unit_test(a_body_that_is_announced_too_long_is_refused_at_once),
        cmocka_unit_test(a_chunked_body_is_cut_off_at_its_bound),
        cmocka_unit_test(deep_json_never_reaches_a_parser),
        cmocka_unit_test(a_flood_of_headers_is_431),
        cmocka_unit_test(a_client_that_trickles_is_cut_off),
        cmocka_unit_test(more_clients_than_there_is_room_for_keep_nobody_out),
    };
    const struct CMUnitTest patient[] = {
        cmocka_unit_test(bodies_have_one_budget),
    };
    const struct CMUnitTest few[] = {
        cmocka_unit_test(one_address_has_its_own_bound),
    };
    int failed = cmocka_run_group_tests_name("http hostile", tests, set_up, tear_down);

    failed += cmocka_run_group_tests_name("http bodies", patient, set_up_patient, tear_down);
    return failed + cmocka_run_group_tests_name("http addresses", few, set_up_few_per_address, tear_down);
}
