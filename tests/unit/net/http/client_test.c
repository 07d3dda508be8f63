/* SPDX-License-Identifier: Apache-2.0 */
/* The client against a server of a few lines, which answers one request a connection with what a test says.
 */
#include "net/http/client.h"

#include "base/clock.h"
#include "base/thread.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct server {
    struct sl_thread thread;
    int listener;
    char url[64];
    const char *answer; /* NULL: says nothing until the client goes */
    char request[4096];
};

static void serve(void *arg)
{
    struct server *server = arg;
    int peer = accept(server->listener, NULL, NULL);
    size_t have = 0;
    ssize_t got;

    if (peer < 0)
        return;
    while (!strstr(server->request, "\r\n\r\n") || strstr(server->request, "{\"") == NULL) {
        got = read(peer, server->request + have, sizeof(server->request) - 1 - have);
        if (got <= 0)
            break;
        have += (size_t)got;
        server->request[have] = '\0';
        if (strncmp(server->request, "GET", 3) == 0 && strstr(server->request, "\r\n\r\n"))
            break;
    }
    if (server->answer)
        (void)!write(peer, server->answer, strlen(server->answer));
    else
        (void)!read(peer, server->request, 1);
    (void)close(peer);
}

static void start(struct server *server, const char *answer)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);

    memset(server, 0, sizeof(*server));
    server->answer = answer;
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server->listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(server->listener, 4), 0);
    assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &len), 0);
    (void)snprintf(server->url, sizeof(server->url), "http://127.0.0.1:%d/v1/x?token=q",
                   ntohs(address.sin_port));
    sl_thread_start(&server->thread, "server", serve, server);
}

static void finish(struct server *server)
{
    (void)shutdown(server->listener, SHUT_RDWR);
    sl_thread_join(&server->thread);
    (void)close(server->listener);
}

static struct sl_http_client *open_client(int64_t read_timeout_ms)
{
    return sl_http_client_new(&(struct sl_http_client_settings){.read_timeout_ms = read_timeout_ms});
}

static void a_request_carries_method_headers_and_body_and_the_answer_comes_back(void **state)
{
    static const char *const headers[] = {"X-Vault-Token: t", "Content-Type: application/json", NULL};
    struct sl_http_client *client = open_client(0);
    struct sl_http_reply response = {0};
    struct sl_http_call request = {.method = "PUT", .headers = headers, .body = "{\"a\":1}", .body_len = 7};
    struct sl_error err = {0};
    struct server server;

    (void)state;
    start(&server, "HTTP/1.1 503 Sealed\r\nContent-Type: application/json\r\nRetry-After: 7\r\n"
                   "Content-Length: 5\r\n\r\nhello");
    request.url = server.url;
    assert_int_equal(sl_http_client_ask(client, &request, &response, &err), SL_OK);
    finish(&server);
    assert_int_equal(response.status, 503);
    assert_int_equal(response.retry_after_s, 7);
    assert_string_equal(response.content_type, "application/json");
    assert_string_equal(sl_buf_cstr(&response.body), "hello");
    assert_non_null(strstr(server.request, "PUT /v1/x?token=q HTTP/1.1\r\n"));
    assert_non_null(strstr(server.request, "X-Vault-Token: t\r\n"));
    assert_non_null(strstr(server.request, "{\"a\":1}"));
    assert_null(strstr(server.request, "Expect"));
    sl_http_reply_done(&response);
    sl_http_client_free(client);
}

static void a_redirect_is_not_followed(void **state)
{
    struct sl_http_client *client = open_client(0);
    struct sl_http_reply response = {0};
    struct sl_http_call request = {.method = "GET"};
    struct sl_error err = {0};
    struct server server;

    (void)state;
    start(&server, "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
    request.url = server.url;
    assert_int_equal(sl_http_client_ask(client, &request, &response, &err), SL_OK);
    assert_int_equal(response.status, 302);
    finish(&server);
    sl_http_reply_done(&response);
    sl_http_client_free(client);
}

static void an_answer_beyond_the_limit_is_refused(void **state)
{
    struct sl_http_client *client = open_client(0);
    struct sl_http_reply response = {0};
    struct sl_http_call request = {.method = "GET", .max_bytes = 4};
    struct sl_error err = {0};
    struct server server;

    (void)state;
    start(&server, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    request.url = server.url;
    assert_int_equal(sl_http_client_ask(client, &request, &response, &err), SL_E_PROTOCOL);
    assert_non_null(strstr(err.text, "more than 4 bytes"));
    assert_null(strstr(err.text, "token=q"));
    finish(&server);
    sl_http_reply_done(&response);
    sl_http_client_free(client);
}

static void a_silent_server_times_out(void **state)
{
    struct sl_http_client *client = open_client(50);
    struct sl_http_reply response = {0};
    struct sl_http_call request = {.method = "GET"};
    struct sl_error err = {0};
    struct server server;

    (void)state;
    start(&server, NULL);
    request.url = server.url;
    assert_int_equal(sl_http_client_ask(client, &request, &response, &err), SL_E_TIMEOUT);
    assert_int_equal(err.kind, SL_KIND_TRANSIENT);
    sl_http_client_free(client);
    finish(&server);
    sl_http_reply_done(&response);
}

static void stop_client(void *arg)
{
    (void)usleep(20000);
    sl_http_client_stop(arg);
}

static void a_stop_ends_a_request_that_waits(void **state)
{
    struct sl_http_client *client = open_client(60000);
    struct sl_http_reply response = {0};
    struct sl_http_call request = {.method = "GET"};
    struct sl_error err = {0};
    struct sl_thread stopper = {0};
    struct server server;
    int64_t began_us = sl_now_us();

    (void)state;
    start(&server, NULL);
    request.url = server.url;
    sl_thread_start(&stopper, "stopper", stop_client, client);
    assert_int_equal(sl_http_client_ask(client, &request, &response, &err), SL_E_STOPPED);
    assert_true(sl_now_us() - began_us < 5000000);
    sl_thread_join(&stopper);
    assert_int_equal(sl_http_client_ask(client, &request, &response, &err), SL_E_STOPPED);
    sl_http_client_free(client);
    finish(&server);
    sl_http_reply_done(&response);
}

static void addresses_of_nobody_and_of_other_schemes_are_told_apart(void **state)
{
    struct sl_http_client *client = open_client(0);
    struct sl_http_reply response = {0};
    struct sl_http_call request = {.method = "GET", .url = "http://127.0.0.1:1/"};
    struct sl_error err = {0};

    (void)state;
    assert_int_equal(sl_http_client_ask(client, &request, &response, &err), SL_E_CONNECT);
    request.url = "file:///etc/passwd";
    assert_int_equal(sl_http_client_ask(client, &request, &response, &err), SL_E_CONFIG);
    sl_http_reply_done(&response);
    sl_http_client_free(client);
}

/* A number is a name to us, and the resolver's to read: the only one that needs no name server. */
static void a_name_that_leads_to_a_link_local_address_is_not_asked(void **state)
{
    static const char *const astray[] = {"http://2852039166:9/latest", "http://0xa9.0xfe.0xa9.0xfe:9/",
                                         "http://user:word@2852039166:9/"};
    struct sl_http_client *client = sl_http_client_new(
        &(struct sl_http_client_settings){.read_timeout_ms = 200, .connect_timeout_ms = 200});
    struct sl_http_reply response = {0};
    struct sl_http_call request = {.method = "GET"};
    struct sl_error err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(astray) / sizeof(*astray); i++) {
        request.url = astray[i];
        assert_int_equal(sl_http_client_ask(client, &request, &response, &err), SL_E_CONFIG);
        assert_non_null(strstr(err.text, "link-local"));
        assert_null(strstr(err.text, "word"));
    }
    sl_http_reply_done(&response);
    sl_http_client_free(client);
}

static void parts_of_a_url_are_escaped(void **state)
{
    struct sl_buf out = {0};

    (void)state;
    sl_http_put_escaped(&out, "a b/..?\xc3\xa9", 9);
    assert_string_equal(sl_buf_cstr(&out), "a%20b%2F..%3F%C3%A9");
    sl_buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_carries_method_headers_and_body_and_the_answer_comes_back),
        cmocka_unit_test(a_redirect_is_not_followed),
        cmocka_unit_test(an_answer_beyond_the_limit_is_refused),
        cmocka_unit_test(a_silent_server_times_out),
        cmocka_unit_test(a_stop_ends_a_request_that_waits),
        cmocka_unit_test(addresses_of_nobody_and_of_other_schemes_are_told_apart),
        cmocka_unit_test(a_name_that_leads_to_a_link_local_address_is_not_asked),
        cmocka_unit_test(parts_of_a_url_are_escaped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
