/* SPDX-License-Identifier: Apache-2.0 */
#include "net/pg/params.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static struct sl_pg_params params;

static void take(const char *url)
{
    struct sl_error err = {0};

    sl_pg_params_done(&params);
    if (sl_pg_params_url(&params, url, &err) != SL_OK)
        fail_msg("%s", err.text);
}

static const char *get(const char *keyword)
{
    const char *value = sl_pg_params_get(&params, keyword);

    return value ? value : "(none)";
}

static int done(void **state)
{
    (void)state;
    sl_pg_params_done(&params);
    return 0;
}

static void a_plain_url_gives_host_port_and_database(void **state)
{
    (void)state;
    take("jdbc:postgresql://db.example:6543/shop");
    assert_string_equal(get("host"), "db.example");
    assert_string_equal(get("port"), "6543");
    assert_string_equal(get("dbname"), "shop");
    assert_string_equal(get("sslmode"), "(none)");
}

static void what_is_left_out_has_the_drivers_defaults(void **state)
{
    (void)state;
    take("jdbc:postgresql://db/shop");
    assert_string_equal(get("port"), "5432");
    take("jdbc:postgresql:shop");
    assert_string_equal(get("host"), "localhost");
    assert_string_equal(get("dbname"), "shop");
    take("jdbc:postgresql://db/");
    assert_string_equal(get("dbname"), "(none)");
    take("jdbc:postgresql:///shop");
    assert_string_equal(get("host"), "localhost");
    assert_string_equal(get("dbname"), "shop");
    take("jdbc:postgresql:/");
    assert_string_equal(get("host"), "localhost");
}

static void several_hosts_and_ipv6_are_taken(void **state)
{
    (void)state;
    take("jdbc:postgresql://a:1,[::1]:2,c/shop?targetServerType=primary");
    assert_string_equal(get("host"), "a,::1,c");
    assert_string_equal(get("port"), "1,2,5432");
    assert_string_equal(get("target_session_attrs"), "primary");
    take("jdbc:postgresql://[fe80::1]/x?targetServerType=preferSecondary");
    assert_string_equal(get("host"), "fe80::1");
    assert_string_equal(get("target_session_attrs"), "prefer-standby");
}

static void percent_encoding_is_undone(void **state)
{
    (void)state;
    take("jdbc:postgresql://db/my%20shop%2Fx?user=a%40b&password=p%26w%3D+x");
    assert_string_equal(get("dbname"), "my shop/x");
    assert_string_equal(get("user"), "a@b");
    assert_string_equal(get("password"), "p&w= x");
}

static void the_drivers_properties_become_libpqs(void **state)
{
    (void)state;
    take("jdbc:postgresql://db/"
         "x?ssl=true&currentSchema=my%20schema,public&ApplicationName=app&connectTimeout=7"
         "&socketTimeout=30&tcpKeepAlive=true&options=-c%20geqo=off&reWriteBatchedInserts=true&"
         "prepareThreshold=0"
         "&stringtype=unspecified&loginTimeout");
    assert_string_equal(get("sslmode"), "verify-full");
    assert_string_equal(get("options"), "-c search_path=my\\ schema,public -c geqo=off");
    assert_string_equal(get("application_name"), "app");
    assert_string_equal(get("tcp_user_timeout"), "30000");
    assert_string_equal(get("keepalives"), "1");
    assert_int_equal(params.ignored.len, 0);
    take("jdbc:postgresql://db/x?sslmode=require&ssl=true");
    assert_string_equal(get("sslmode"), "require");
}

static void unknown_properties_are_named_once(void **state)
{
    (void)state;
    take("jdbc:postgresql://db/x?foo=1&user=u&bar=2");
    assert_string_equal(sl_buf_cstr(&params.ignored), "foo, bar");
    assert_string_equal(get("user"), "u");
}

static void broken_urls_are_refused_without_repeating_them(void **state)
{
    static const char *const broken[] = {
        "jdbc:mysql://db/x",           "postgresql://db/x",
        "jdbc:postgresql://db:port/x", "jdbc:postgresql://db:0/x",
        "jdbc:postgresql://db:/x",     "jdbc:postgresql://db:70000/x",
        "jdbc:postgresql://[::1/x",    "jdbc:postgresql://db/%zz",
        "jdbc:postgresql://db/x%2",    "jdbc:postgresql://db/x?a=%",
        "jdbc:postgresql://db/%00",    "jdbc:postgresql://[::1]x/db",
        "jdbc:postgresql://a%/x",      "",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
        struct sl_pg_params p = {0};
        struct sl_error err = {0};

        if (sl_pg_params_url(&p, broken[i], &err) != SL_E_CONFIG)
            fail_msg("taken: %s", broken[i]);
        assert_non_null(strstr(err.text, "HINT"));
        sl_pg_params_done(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_plain_url_gives_host_port_and_database, done),
        cmocka_unit_test_teardown(what_is_left_out_has_the_drivers_defaults, done),
        cmocka_unit_test_teardown(several_hosts_and_ipv6_are_taken, done),
        cmocka_unit_test_teardown(percent_encoding_is_undone, done),
        cmocka_unit_test_teardown(the_drivers_properties_become_libpqs, done),
        cmocka_unit_test_teardown(unknown_properties_are_named_once, done),
        cmocka_unit_test_teardown(broken_urls_are_refused_without_repeating_them, done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
