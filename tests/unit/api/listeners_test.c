/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "api/listeners.h"
#include "base/props.h"

#include <string.h>

static struct sl_api_listeners read_them(const char *listeners, const char *key, const char *value)
{
    struct sl_props *props = sl_props_new();
    struct sl_api_listeners read = {0};
    struct sl_error err = {0};

    if (listeners)
        sl_props_set(props, "listeners", listeners);
    if (key)
        sl_props_set(props, key, value);
    assert_int_equal(sl_api_listeners_read(props, &read, &err), SL_OK);
    for (size_t i = 0; i < read.n; i++)
        read.items[i].host = NULL; /* it pointed into the struct that moved */
    sl_props_free(props);
    return read;
}

static void without_a_word_it_is_loopback_and_8083(void **state)
{
    struct sl_api_listeners read = read_them(NULL, NULL, NULL);

    (void)state;
    assert_int_equal(read.n, 1);
    assert_string_equal(read.hosts[0], "127.0.0.1");
    assert_int_equal(read.items[0].port, 8083);
    assert_false(read.items[0].tls);
}

static void a_listener_without_a_host_is_open_only_behind_a_login(void **state)
{
    (void)state;
    assert_string_equal(read_them("http://:1", NULL, NULL).hosts[0], "127.0.0.1");
    assert_string_equal(read_them("http://:1", "sluice.rest.users.file", "f").hosts[0], "");
    assert_string_equal(read_them("http://0.0.0.0:1", NULL, NULL).hosts[0], "0.0.0.0");
    assert_string_equal(read_them("http://*:1", NULL, NULL).hosts[0], "");
}

static void older_keys_are_taken(void **state)
{
    struct sl_api_listeners read = read_them(NULL, "rest.port", "9000");

    (void)state;
    assert_int_equal(read.items[0].port, 9000);
    assert_string_equal(read_them(NULL, "rest.host.name", "10.0.0.1").hosts[0], "10.0.0.1");
}

static void several_listeners_and_ipv6_are_read(void **state)
{
    struct sl_api_listeners read = read_them("http://a:1, https://[::1]:65535/", NULL, NULL);

    (void)state;
    assert_int_equal(read.n, 2);
    assert_string_equal(read.hosts[1], "::1");
    assert_int_equal(read.items[1].port, 65535);
    assert_true(read.items[1].tls);
}

static void an_empty_list_is_none(void **state)
{
    (void)state;
    assert_int_equal(read_them("", NULL, NULL).n, 0);
}

static void what_is_no_listener_is_named(void **state)
{
    static const char *const bad[] = {"8083",
                                      "http://a",
                                      "http://a:",
                                      "http://a:65536",
                                      "ftp://a:1",
                                      "http://a:1x",
                                      "http://a:-1",
                                      "http://::1:80",
                                      "http://a:1/x",
                                      "http://a: 1",
                                      "http://a:99999999999999999999"};
    struct sl_api_listeners read;
    struct sl_error err;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_int_equal(sl_api_listeners_parse(bad[i], "listeners", false, &read, &err), SL_E_CONFIG);
        assert_non_null(strstr(err.text, "is no listener"));
    }
}

static void the_advertised_url_is_what_others_can_reach(void **state)
{
    struct sl_props *props = sl_props_new();
    struct sl_api_listeners read;
    struct sl_error err;
    char url[300];

    (void)state;
    assert_int_equal(
        sl_api_listeners_parse("http://127.0.0.1:0,https://[::1]:7", "listeners", false, &read, &err), SL_OK);
    sl_api_advertised_url(props, &read, 4711, url, sizeof(url));
    assert_string_equal(url, "http://127.0.0.1:4711");
    sl_props_set(props, "rest.advertised.listener", "https");
    sl_api_advertised_url(props, &read, 4711, url, sizeof(url));
    assert_string_equal(url, "https://[::1]:7");
    sl_props_set(props, "rest.advertised.host.name", "worker-1");
    sl_props_set(props, "rest.advertised.port", "80");
    sl_api_advertised_url(props, &read, 4711, url, sizeof(url));
    assert_string_equal(url, "https://worker-1:80");
    sl_props_free(props);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_word_it_is_loopback_and_8083),
        cmocka_unit_test(a_listener_without_a_host_is_open_only_behind_a_login),
        cmocka_unit_test(older_keys_are_taken),
        cmocka_unit_test(several_listeners_and_ipv6_are_read),
        cmocka_unit_test(an_empty_list_is_none),
        cmocka_unit_test(what_is_no_listener_is_named),
        cmocka_unit_test(the_advertised_url_is_what_others_can_reach),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
