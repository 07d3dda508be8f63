/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "raw_client.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/thread.h"
#include "net/http/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct sl_http_server *server;
static uint16_t port;
static _Atomic bool handling; /* the slow handler has begun */
static _Atomic bool held;     /* and does not return */

static void get_thing(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer)
{
    const char *filter = sl_http_query(request, "filter");

    (void)ctx;
    sl_http_json(answer, 200,
                 json_pack("{s:s, s:s, s:b}", "name", sl_http_path(request, "name"), "filter",
                           filter ? filter : "none", "deep", sl_http_query_bool(request, "deep", false)));
}

static void put_thing(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer)
{
    struct sl_error err;
    json_t *body = NULL;

    (void)ctx;
    if (sl_http_body_json(request, &body, &err)) {
        sl_http_error(answer, 400, 40001, "%s", err.text);
        return;
    }
    sl_http_add_header(answer, "Location", "/things/\r\nX-Injected: yes");
    sl_http_json(answer, 201, json_pack("{s:o?}", "got", body));
}

static void delete_thing(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer)
{
    (void)ctx;
    (void)request;
    sl_http_empty(answer, 204);
}

static void say_nothing(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer)
{
    (void)ctx;
    (void)request;
    (void)answer;
}

static void who(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer)
{
    (void)ctx;
    sl_http_json(answer, 200, json_pack("{s:s?}", "user", request->user));
}

static void wait_a_while(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer)
{
    (void)ctx;
    (void)request;
    atomic_store(&handling, true);
    while (atomic_load(&held))
        (void)usleep(1000);
    sl_http_json(answer, 200, json_true());
}

static bool log_in(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer)
{
    char *user;
    char *password;
    bool good;

    (void)ctx;
    if (strncmp(request->path, "/secret", 7) != 0)
        return true;
    good = sl_http_basic(request, &user, &password);
    if (good) {
        good = strcmp(user, "ada") == 0 && strcmp(password, "p:w") == 0;
        sl_free(user);
        sl_free(password);
    }
    if (good)
        sl_http_set_user(request, "ada");
    else
        sl_http_error(answer, 401, 0, "no");
    return good;
}

static const struct sl_http_route routes[] = {
    {"GET", "/", get_thing},
    {"GET", "/things/{name}", get_thing},
    {"PUT", "/things/{name}", put_thing},
    {"DELETE", "/things/{name}", delete_thing},
    {"GET", "/things/{name}/silent", say_nothing},
    {"GET", "/secret", who},
    {"GET", "/slow", wait_a_while},
    {NULL, NULL, NULL},
};

static const char *const json_only[] = {"application/json", NULL};

static void start(struct sl_http_config config)
{
    static const struct sl_http_listener listener = {.host = "127.0.0.1"};
    struct sl_error err = {0};

    config.name = "test";
    config.listeners = &listener;
    config.n_listeners = 1;
    config.routes = routes;
    config.before = log_in;
    config.consumes = config.produces = json_only;
    assert_int_equal(sl_http_server_start(&config, &server, &err), SL_OK);
    port = sl_http_server_port(server, 0);
}

static int set_up(void **state)
{
    (void)state;
    start((struct sl_http_config){0});
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_true(sl_http_server_stop(server, sl_now_us() + 5000000));
    return 0;
}

static void expect(const char *request, int status, const char *part)
{
    char *answer = raw_ask(port, request);

    if (raw_status(answer) != status || (part && !strstr(answer, part)))
        fail_msg("asked: %s\ngot: %s\nwanted: %d with %s", request, answer, status, part ? part : "anything");
    free(answer);
}

#define HOST "Host: x\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"

static void a_path_parameter_is_decoded_and_may_hold_a_slash(void **state)
{
    (void)state;
    expect(GET("/things/plain"), 200, "\"name\":\"plain\"");
    expect(GET("/things/a%2Fb%20c%C3%A9"), 200, "\"name\":\"a/b c\xC3\xA9\"");
    expect(GET("/things/a+b"), 200, "\"name\":\"a+b\"");
}

static void a_slash_at_the_end_makes_no_difference(void **state)
{
    (void)state;
    expect(GET("/things/plain/"), 200, "\"name\":\"plain\"");
    expect(GET("/things/plain//"), 404, NULL);
    expect(GET("/things//"), 404, NULL);
}

static void query_parameters_are_decoded(void **state)
{
    (void)state;
    expect(GET("/things/x?filter=a+b%26c&deep=TRUE"), 200, "\"filter\":\"a b&c\",\"deep\":true");
    expect(GET("/things/x?filter"), 200, "\"filter\":\"\"");
    expect(GET("/things/x?&&deep=1&"), 200, "\"deep\":false");
}

static void a_body_arrives_whole_in_either_coding(void **state)
{
    (void)state;
    expect("PUT /things/x HTTP/1.1\r\n" HOST "Content-Type: application/json; charset=utf-8\r\n"
           "Content-Length: 9\r\n\r\n{\"a\":[1]}",
           201, "{\"got\":{\"a\":[1]}}");
    expect("PUT /things/x HTTP/1.1\r\n" HOST
           "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
           "4\r\n{\"a\"\r\n5\r\n:[1]}\r\n0\r\n\r\n",
           201, "{\"got\":{\"a\":[1]}}");
    expect("PUT /things/x HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 201, "{\"got\":null}");
}

static void json_that_is_none_is_told_with_its_place(void **state)
{
    (void)state;
    expect("PUT /things/x HTTP/1.1\r\n" HOST
           "Content-Type: application/json\r\nContent-Length: 3\r\n\r\n{\"a",
           400, "\"error_code\":40001,\"message\":\"the request's body is not JSON: line 1");
}

static void a_wrong_method_is_405_and_names_the_right_ones(void **state)
{
    (void)state;
    expect("POST /things/x HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 405,
           "Allow: HEAD,GET,PUT,DELETE,OPTIONS");
    expect("OPTIONS /things/x HTTP/1.1\r\n" HOST "\r\n", 200, "Allow: HEAD,GET,PUT,DELETE,OPTIONS");
    expect(GET("/nothing"), 404, "{\"error_code\":404,\"message\":\"HTTP 404 Not Found\"}");
    expect(GET("/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r"), 404, NULL);
}

static void head_answers_like_get_without_the_body(void **state)
{
    char *answer = raw_ask(port, "HEAD /things/plain HTTP/1.0\r\n\r\n");

    (void)state;
    assert_int_equal(raw_status(answer), 200);
    assert_non_null(strstr(answer, "Content-Length:"));
    assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
    free(answer);
}

static void an_empty_answer_has_no_type(void **state)
{
    char *answer = raw_ask(port, "DELETE /things/x HTTP/1.1\r\n" HOST "\r\n");

    (void)state;
    assert_int_equal(raw_status(answer), 204);
    assert_null(strstr(answer, "Content-Type"));
    free(answer);
}

static void media_types_are_looked_at(void **state)
{
    (void)state;
    expect("PUT /things/x HTTP/1.1\r\n" HOST "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}", 415,
           "HTTP 415 Unsupported Media Type");
    expect("GET /things/x HTTP/1.1\r\n" HOST "Accept: text/html\r\n\r\n", 406, "HTTP 406 Not Acceptable");
    expect("GET /things/x HTTP/1.1\r\n" HOST "Accept: text/html, */*;q=0.1\r\n\r\n", 200, NULL);
}

static void a_header_of_an_answer_cannot_be_split(void **state)
{
    char *answer = raw_ask(port, "PUT /things/x HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n");

    (void)state;
    assert_non_null(strstr(answer, "Location: /things/  X-Injected: yes\r\n"));
    free(answer);
}

static void a_handler_that_says_nothing_is_a_500(void **state)
{
    (void)state;
    expect(GET("/things/x/silent"), 500, "\"error_code\":500");
}

static void who_logs_in_is_known(void **state)
{
    (void)state;
    expect(GET("/secret"), 401, NULL);
    expect("GET /secret HTTP/1.1\r\n" HOST "Authorization: Basic YWRhOnA6dw==\r\n\r\n", 200,
           "\"user\":\"ada\"");
    expect("GET /secret HTTP/1.1\r\n" HOST "Authorization: Basic YWRhOnA6dw\r\n\r\n", 401, NULL);
    expect("GET /secret HTTP/1.1\r\n" HOST "Authorization: Basic ====\r\n\r\n", 401, NULL);
    expect("GET /secret HTTP/1.1\r\n" HOST "Authorization: Bearer x\r\n\r\n", 401, NULL);
}

static void one_connection_carries_many_requests(void **state)
{
    static const char request[] =
        GET("/things/1") GET("/things/2") "GET /things/3 HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n";
    int fd = raw_connect(port);
    char *answer;

    (void)state;
    assert_true(raw_send(fd, request, sizeof(request) - 1));
    answer = raw_receive(fd, 10000);
    assert_non_null(strstr(answer, "\"name\":\"1\""));
    assert_non_null(strstr(answer, "\"name\":\"2\""));
    assert_non_null(strstr(answer, "\"name\":\"3\""));
    free(answer);
    (void)close(fd);
}

static void a_port_in_use_is_named(void **state)
{
    const struct sl_http_listener listener = {.host = "127.0.0.1", .port = port};
    const struct sl_http_config config = {
        .name = "test", .listeners = &listener, .n_listeners = 1, .routes = routes};
    struct sl_http_server *second = NULL;
    struct sl_error err = {0};

    (void)state;
    assert_int_equal(sl_http_server_start(&config, &second, &err), SL_E_CONFIG);
    assert_non_null(strstr(err.text, "is in use by another process"));
    assert_null(second);
}

/* ---- servers of their own ---- */

/* A connection whose request a handler is at. */
static int ask_slowly(void)
{
    static const char request[] = GET("/slow");
    int fd;

    atomic_store(&handling, false);
    atomic_store(&held, true);
    fd = raw_connect(port);
    assert_true(raw_send(fd, request, sizeof(request) - 1));
    while (!atomic_load(&handling))
        (void)usleep(1000);
    return fd;
}

static void release(void *arg)
{
    (void)arg;
    (void)usleep(50 * 1000);
    atomic_store(&held, false);
}

static void a_stop_lets_a_running_handler_answer(void **state)
{
    struct sl_thread thread = {0};
    char *answer;
    int fd;

    (void)state;
    start((struct sl_http_config){0});
    fd = ask_slowly();
    sl_thread_start(&thread, "release", release, NULL);
    assert_true(sl_http_server_stop(server, sl_now_us() + 30000000));
    sl_thread_join(&thread);
    answer = raw_receive(fd, 10000);
    assert_int_equal(raw_status(answer), 200);
    free(answer);
    (void)close(fd);
    assert_int_equal(raw_connect(port), -1);
}

static void a_stop_does_not_wait_behind_its_deadline(void **state)
{
    int fd;

    (void)state;
    start((struct sl_http_config){0});
    fd = ask_slowly();
    assert_false(sl_http_server_stop(server, sl_now_us() + 50000));
    atomic_store(&held, false);
    assert_true(sl_http_server_stop(server, sl_now_us() + 30000000)); /* asked again, it ends */
    (void)close(fd);
}

int main(void)
{
    const struct CMUnitTest shared[] = {
        cmocka_unit_test(a_path_parameter_is_decoded_and_may_hold_a_slash),
        cmocka_unit_test(a_slash_at_the_end_makes_no_difference),
        cmocka_unit_test(query_parameters_are_decoded),
        cmocka_unit_test(a_body_arrives_whole_in_either_coding),
        cmocka_unit_test(json_that_is_none_is_told_with_its_place),
        cmocka_unit_test(a_wrong_method_is_405_and_names_the_right_ones),
        cmocka_unit_test(head_answers_like_get_without_the_body),
        cmocka_unit_test(an_empty_answer_has_no_type),
        cmocka_unit_test(media_types_are_looked_at),
        cmocka_unit_test(a_header_of_an_answer_cannot_be_split),
        cmocka_unit_test(a_handler_that_says_nothing_is_a_500),
        cmocka_unit_test(who_logs_in_is_known),
        cmocka_unit_test(one_connection_carries_many_requests),
        cmocka_unit_test(a_port_in_use_is_named),
    };
    const struct CMUnitTest alone[] = {
        cmocka_unit_test(a_stop_lets_a_running_handler_answer),
        cmocka_unit_test(a_stop_does_not_wait_behind_its_deadline),
    };
    int failed = cmocka_run_group_tests_name("http", shared, set_up, tear_down);

    return failed + cmocka_run_group_tests_name("http stop", alone, NULL, NULL);
}
