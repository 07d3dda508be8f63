/* SPDX-License-Identifier: Apache-2.0 */
#include "net/odbc/odbc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void freetds_is_called_without_any_ini_file(void **state)
{
    const struct sl_odbc_target target = {.driver = "/opt/libtdsodbc.so",
                                          .host = "db.example",
                                          .port = 11433,
                                          .database = "shop",
                                          .user = "sa",
                                          .password = "secret",
                                          .packet_bytes = 32767,
                                          .encrypt = SL_ODBC_ENCRYPT_OFF};
    struct sl_buf text = {0};
    struct sl_error err = {0};

    (void)state;
    assert_int_equal(sl_odbc_connection_string(&target, &text, &err), SL_OK);
    assert_string_equal(
        sl_buf_cstr(&text),
        "DRIVER=/opt/libtdsodbc.so;Server={db.example};Port=11433;TDS_Version=7.4;"
        "ClientCharset=UTF-8;Encryption=off;PacketSize=32767;UID={sa};PWD={secret};Database={shop};");
    sl_buf_done(&text);
}

static void a_value_cannot_add_attributes(void **state)
{
    struct sl_odbc_target target = {
        .driver = "/opt/libtdsodbc.so", .host = "h", .user = "a;PWD=b", .password = "x"};
    struct sl_buf text = {0};
    struct sl_error err = {0};

    (void)state;
    assert_int_equal(sl_odbc_connection_string(&target, &text, &err), SL_OK);
    assert_non_null(strstr(sl_buf_cstr(&text), "UID={a;PWD=b};PWD={x};"));
    target.user = "a};Server=evil";
    assert_int_equal(sl_odbc_connection_string(&target, &text, &err), SL_E_CONFIG);
    assert_non_null(strstr(err.text, "HINT: "));
    assert_null(strstr(err.text, "evil")); /* might have been the password */
    target.user = "a\nb";
    assert_int_equal(sl_odbc_connection_string(&target, &text, &err), SL_E_CONFIG);
    sl_buf_done(&text);
}

static void microsofts_driver_gets_its_own_words(void **state)
{
    const struct sl_odbc_target target = {.driver = "ODBC Driver 18 for SQL Server",
                                          .host = "db",
                                          .user = "sa",
                                          .password = "a}b",
                                          .read_only = true,
                                          .encrypt = SL_ODBC_ENCRYPT_STRICT};
    struct sl_buf text = {0};
    struct sl_error err = {0};

    (void)state;
    assert_int_equal(sl_odbc_connection_string(&target, &text, &err), SL_OK);
    assert_string_equal(sl_buf_cstr(&text),
                        "DRIVER={ODBC Driver 18 for SQL Server};Server={tcp:db,1433};Encrypt=strict;"
                        "TrustServerCertificate=no;UID={sa};PWD={a}}b};ApplicationIntent=ReadOnly;");
    sl_buf_done(&text);
}

static void strict_encryption_is_refused_where_it_does_not_exist(void **state)
{
    const struct sl_odbc_target target = {
        .driver = "/opt/libtdsodbc.so", .host = "db", .encrypt = SL_ODBC_ENCRYPT_STRICT};
    struct sl_buf text = {0};
    struct sl_error err = {0};

    (void)state;
    assert_int_equal(sl_odbc_connection_string(&target, &text, &err), SL_E_UNSUPPORTED);
    sl_buf_done(&text);
}

static void nobody_at_the_port_is_a_transient_error_with_a_hint(void **state)
{
    const struct sl_odbc_target target = {
        .host = "127.0.0.1", .port = 1, .user = "sa", .password = "x", .login_timeout_s = 5};
    struct sl_odbc *conn = NULL;
    struct sl_error err = {0};

    (void)state;
    if (sl_odbc_find_freetds()[0] != '/')
        skip();
    assert_int_equal(sl_odbc_open(&target, &conn, &err), SL_E_CONNECT);
    assert_int_equal(err.kind, SL_KIND_TRANSIENT);
    assert_non_null(strstr(err.text, "127.0.0.1:1"));
    assert_non_null(strstr(err.text, "HINT: "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(freetds_is_called_without_any_ini_file),
        cmocka_unit_test(a_value_cannot_add_attributes),
        cmocka_unit_test(microsofts_driver_gets_its_own_words),
        cmocka_unit_test(strict_encryption_is_refused_where_it_does_not_exist),
        cmocka_unit_test(nobody_at_the_port_is_a_transient_error_with_a_hint),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
