/* SPDX-License-Identifier: Apache-2.0 */
/* What a user at a terminal is told before anything starts: one line, the cause, the next step. */
#include "sink_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static struct sl_props *props;
static struct sl_error err;

/* User "locked" has to show a password; everybody else is trusted. */
static int start(void **state)
{
    char path[300];
    FILE *file;

    (void)server_start(state);
    pg_fixture_run(&pg, "CREATE ROLE locked LOGIN PASSWORD 'sesame'; CREATE TABLE here (id int)");
    (void)snprintf(path, sizeof(path), "%s/data/pg_hba.conf", pg.dir);
    file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs("host all locked 127.0.0.1/32 scram-sha-256\nhost all barred 127.0.0.1/32 reject\n"
                "host all all 127.0.0.1/32 trust\n",
                file);
    assert_int_equal(fclose(file), 0);
    pg_fixture_run(&pg, "SELECT pg_reload_conf()");
    return 0;
}

static enum sl_rc probe(const char *user, const char *password, const char *database, const char *topics)
{
    char url[200];
    enum sl_rc rc;

    props = sl_props_new();
    (void)snprintf(url, sizeof(url), "jdbc:postgresql://127.0.0.1:%d/%s", pg.port, database);
    sl_props_set(props, "connection.url", url);
    sl_props_set(props, "connection.user", user);
    sl_props_set(props, "connection.password", password);
    sl_props_set(props, "sluice.routed.topics", topics);
    err = (struct sl_error){0};
    rc = sl_pgsink_ops.probe(props, &err);
    sl_props_free(props);
    assert_null(strchr(err.text, '\n'));
    return rc;
}

static void a_fitting_target_has_nothing_to_say(void **state)
{
    (void)state;
    if (probe("postgres", "", "postgres", "here") != SL_OK)
        fail_msg("%s", err.text);
    assert_int_equal(probe("locked", "sesame", "postgres", "here"), SL_OK);
}

static void a_wrong_password_is_called_so_and_not_shown(void **state)
{
    (void)state;
    assert_int_equal(probe("locked", "open-up", "postgres", "here"), SL_E_AUTH);
    assert_int_equal(err.kind, SL_KIND_CONFIG);
    assert_non_null(strstr(err.text, "password authentication failed"));
    assert_non_null(strstr(err.text, "connection.password"));
    assert_null(strstr(err.text, "open-up"));
    assert_int_equal(probe("locked", "", "postgres", "here"), SL_E_AUTH);
    assert_int_equal(probe("barred", "", "postgres", "here"), SL_E_AUTH);
}

static void a_missing_database_or_table_is_named(void **state)
{
    (void)state;
    assert_int_equal(probe("postgres", "", "nowhere", "here"), SL_E_NOT_FOUND);
    assert_non_null(strstr(err.text, "nowhere"));
    assert_int_equal(probe("postgres", "", "postgres", "gone,elsewhere"), SL_E_NOT_FOUND);
    assert_non_null(strstr(err.text, "\"gone\""));
    /* a topic may never have a record */
    assert_int_equal(probe("postgres", "", "postgres", "gone,here"), SL_OK);
}

static void an_unknown_time_zone_is_a_wrong_setting(void **state)
{
    char url[200];

    (void)state;
    props = sl_props_new();
    (void)snprintf(url, sizeof(url), "jdbc:postgresql://127.0.0.1:%d/postgres?user=postgres", pg.port);
    sl_props_set(props, "connection.url", url);
    sl_props_set(props, "db.timezone", "Mars/Olympus");
    assert_int_equal(sl_pgsink_ops.probe(props, &err), SL_E_CONFIG);
    assert_non_null(strstr(err.text, "Mars/Olympus"));
    sl_props_free(props);
}

static void a_host_that_is_not_there_is_worth_another_try(void **state)
{
    (void)state;
    props = sl_props_new();
    sl_props_set(props, "connection.url", "jdbc:postgresql://127.0.0.1:1/x?user=y");
    assert_int_equal(sl_pgsink_ops.probe(props, &err), SL_E_CONNECT);
    assert_int_equal(err.kind, SL_KIND_TRANSIENT);
    assert_non_null(strstr(err.text, "HINT"));
    sl_props_set(props, "connection.url", "jdbc:postgresql://no-such-host.invalid/x?user=y");
    assert_int_equal(sl_pgsink_ops.probe(props, &err), SL_E_CONNECT);
    assert_non_null(strstr(err.text, "no-such-host.invalid"));
    sl_props_free(props);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fitting_target_has_nothing_to_say),
        cmocka_unit_test(a_wrong_password_is_called_so_and_not_shown),
        cmocka_unit_test(a_missing_database_or_table_is_named),
        cmocka_unit_test(an_unknown_time_zone_is_a_wrong_setting),
        cmocka_unit_test(a_host_that_is_not_there_is_worth_another_try),
    };

    return cmocka_run_group_tests(tests, start, server_stop);
}
