/* SPDX-License-Identifier: Apache-2.0 */
#include "base/props.h"
#include "source/sqlserver/config.h"
#include "source/sqlserver/options.h"
#include "source/sqlserver/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct sl_props *minimal(void)
{
    struct sl_props *props = sl_props_new();

    sl_props_set(props, "topic.prefix", "srv");
    sl_props_set(props, "database.hostname", "h");
    sl_props_set(props, "database.user", "u");
    sl_props_set(props, "database.password", "p");
    sl_props_set(props, "database.names", "a,b,c");
    return props;
}

static void every_option_has_a_name_of_its_own_and_a_sentence(void **state)
{
    (void)state;
    for (const struct sl_option *o = sl_mssql_options; o->name; o++) {
        assert_non_null(o->doc);
        assert_true(strlen(o->doc) > 10);
        for (const struct sl_option *p = o + 1; p->name; p++)
            assert_string_not_equal(o->name, p->name);
    }
}

static void the_first_users_keys_are_all_known(void **state)
{
    static const char *const keys[] = {"database.hostname",
                                       "database.port",
                                       "database.user",
                                       "database.password",
                                       "database.names",
                                       "database.encrypt",
                                       "database.trustServerCertificate",
                                       "table.include.list",
                                       "topic.prefix",
                                       "schema.history.internal.kafka.bootstrap.servers",
                                       "schema.history.internal.kafka.topic",
                                       "snapshot.mode",
                                       "snapshot.locking.mode",
                                       "decimal.handling.mode",
                                       "time.precision.mode",
                                       "tombstones.on.delete",
                                       "max.batch.size",
                                       "max.queue.size",
                                       "poll.interval.ms",
                                       "include.schema.changes",
                                       "provide.transaction.metadata",
                                       "database.server.name",
                                       "database.dbname",
                                       "database.history.kafka.topic"};

    (void)state;
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
        assert_true(sl_options_know(sl_mssql_options, keys[i]));
    assert_false(sl_options_know(sl_mssql_options, "table.include.lists"));
}

static void databases_are_dealt_to_tasks(void **state)
{
    struct sl_props *props = minimal();
    struct sl_error err = {0};
    int tasks = 0;

    (void)state;
    assert_int_equal(sl_source_sqlserver.plan(props, 8, &tasks, &err), SL_OK);
    assert_int_equal(tasks, 3);
    assert_int_equal(sl_source_sqlserver.plan(props, 2, &tasks, &err), SL_OK);
    assert_int_equal(tasks, 2);
    sl_props_free(props);
}

static void names_of_the_first_line_are_taken(void **state)
{
    struct sl_props *props = sl_props_new();
    struct sl_mssql_config *config;
    struct sl_error err = {0};

    (void)state;
    sl_props_set(props, "database.server.name", "old");
    sl_props_set(props, "database.dbname", "shop");
    sl_props_set(props, "database.hostname", "h");
    assert_int_equal(sl_mssql_config_read(props, &config, &err), SL_OK);
    assert_string_equal(config->prefix, "old");
    assert_int_equal(config->n_databases, 1);
    assert_string_equal(config->databases[0], "shop");
    sl_mssql_config_free(config);
    sl_props_free(props);
}

static void what_would_change_data_silently_is_refused_by_name(void **state)
{
    static const char *const cases[][2] = {
        {"column.mask.with.10.chars", "dbo.t.c"},
        {"column.truncate.to.4.chars", "dbo.t.c"},
        {"converters", "x"},
        {"snapshot.mode", "custom"},
        {"topic.naming.strategy", "com.example.Mine"},
        {"event.processing.failure.handling.mode", "skip"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct sl_props *props = minimal();
        struct sl_mssql_config *config;
        struct sl_error err = {0};

        sl_props_set(props, cases[i][0], cases[i][1]);
        assert_int_not_equal(sl_mssql_config_read(props, &config, &err), SL_OK);
        assert_int_equal(err.kind, SL_KIND_CONFIG);
        assert_non_null(strstr(err.text, cases[i][0]));
        sl_props_free(props);
    }
}

static void lists_match_whole_names_without_case(void **state)
{
    struct sl_mssql_filter include = {0}, exclude = {0};
    struct sl_error err = {0};

    (void)state;
    assert_int_equal(sl_mssql_filter_read("k", "dbo\\.cust.*, dbo.orders", &include, &err), SL_OK);
    assert_int_equal(sl_mssql_filter_read("k", "dbo\\.customers_old", &exclude, &err), SL_OK);
    assert_true(sl_mssql_filter_pass(&include, &exclude, "DBO.Customers"));
    assert_true(sl_mssql_filter_pass(&include, &exclude, "dbo.orders"));
    assert_false(sl_mssql_filter_pass(&include, &exclude, "dbo.orders2"));
    assert_false(sl_mssql_filter_pass(&include, &exclude, "dbo.customers_old"));
    sl_mssql_filter_done(&include);
    sl_mssql_filter_done(&exclude);
    assert_int_equal(sl_mssql_filter_read("table.include.list", "(", &include, &err), SL_E_CONFIG);
    assert_non_null(strstr(err.text, "table.include.list"));
}

static void two_lists_that_contradict_each_other_are_refused(void **state)
{
    struct sl_props *props = minimal();
    struct sl_mssql_config *config;
    struct sl_error err = {0};

    (void)state;
    sl_props_set(props, "table.include.list", "dbo.a");
    sl_props_set(props, "table.exclude.list", "dbo.b");
    assert_int_equal(sl_mssql_config_read(props, &config, &err), SL_E_CONFIG);
    sl_props_free(props);
}

static void key_columns_are_read_by_table(void **state)
{
    struct sl_props *props = minimal();
    struct sl_mssql_config *config;
    struct sl_error err = {0};

    (void)state;
    sl_props_set(props, "message.key.columns", "dbo.a:x,y;(.*).b:z");
    assert_int_equal(sl_mssql_config_read(props, &config, &err), SL_OK);
    assert_int_equal(config->n_keys, 2);
    assert_int_equal(config->keys[0].n, 2);
    assert_string_equal(config->keys[0].columns[1], "y");
    assert_int_equal(sl_mssql_filter_match(&config->keys[1].table, "sales.b"), 0);
    sl_mssql_config_free(config);
    sl_props_set(props, "message.key.columns", "dbo.a");
    assert_int_equal(sl_mssql_config_read(props, &config, &err), SL_E_CONFIG);
    sl_props_free(props);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_option_has_a_name_of_its_own_and_a_sentence),
        cmocka_unit_test(the_first_users_keys_are_all_known),
        cmocka_unit_test(databases_are_dealt_to_tasks),
        cmocka_unit_test(names_of_the_first_line_are_taken),
        cmocka_unit_test(what_would_change_data_silently_is_refused_by_name),
        cmocka_unit_test(lists_match_whole_names_without_case),
        cmocka_unit_test(two_lists_that_contradict_each_other_are_refused),
        cmocka_unit_test(key_columns_are_read_by_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
