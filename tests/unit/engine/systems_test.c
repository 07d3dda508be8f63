/* SPDX-License-Identifier: Apache-2.0 */
/* Which breaker a connector's tasks share, and that no secret stands in its name. */
#include "engine/systems.h"

#include "base/props.h"

#include <stdio.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct sl_option options[] = {
    {.name = "connection.url"},
    {.name = "host"},
    {.name = "port", .type = SL_OPT_INT, .default_text = "1433"},
    {.name = NULL},
};

/* The address of the breaker that a sink with these settings has; static memory. */
static const char *address(const char *const *keys, const char *key, const char *value)
{
    static char text[512];
    struct sl_props *worker = sl_props_new();
    struct sl_props *props = sl_props_new();
    const struct sl_sink_ops ops = {.name = "target", .options = options, .address_keys = keys};
    struct sl_connector connector = {.name = (char *)(uintptr_t)"c", .props = props, .sink = &ops};
    const struct sl_shared shared = {.worker = worker};
    struct sl_seat system = {0};
    struct sl_seat registry = {0};
    struct sl_buf out = {0};
    char *end;

    sl_props_set(props, key, value);
    sl_systems_join(&shared, &connector, &system, &registry);
    sl_seat_json(&system, &out);
    (void)snprintf(text, sizeof(text), "%s", strstr(sl_buf_cstr(&out), "\"address\":\"") + 11);
    end = strchr(text, '"');
    assert_non_null(end);
    *end = '\0';
    sl_seat_leave(&system);
    sl_seat_leave(&registry);
    sl_buf_done(&out);
    sl_props_free(props);
    sl_props_free(worker);
    return text;
}

static void a_system_is_told_by_its_address_without_login_and_parameters(void **state)
{
    static const char *const url[] = {"connection.url", NULL};
    static const char *const parts[] = {"host", "port", NULL};

    (void)state;
    assert_string_equal(address(url, "connection.url", "jdbc:postgresql://db:5432/x?user=u&password=secret"),
                        "db:5432/x");
    assert_string_equal(address(url, "connection.url", "jdbc:postgresql://u:secret@a,b:1/x"), "a,b:1/x");
    assert_string_equal(address(url, "connection.url", "jdbc:postgresql:x"), "jdbc:postgresql:x");
    assert_string_equal(address(parts, "host", "sql.example"), "sql.example:1433");
    assert_string_equal(address(NULL, "host", "sql.example"), "c");
}

static void a_registry_is_told_by_its_address_without_its_login(void **state)
{
    struct sl_props *worker = sl_props_new();
    struct sl_props *props = sl_props_new();
    const struct sl_sink_ops ops = {.name = "target", .options = options};
    struct sl_connector connector = {.name = (char *)(uintptr_t)"c", .props = props, .sink = &ops};
    const struct sl_shared shared = {.worker = worker};
    struct sl_seat system = {0};
    struct sl_seat registry = {0};
    struct sl_buf out = {0};

    (void)state;
    sl_props_set(props, "value.converter", "io.confluent.connect.avro.AvroConverter");
    sl_props_set(props, "value.converter.schema.registry.url", "http://user:secret@r:8081/");
    sl_systems_join(&shared, &connector, &system, &registry);
    sl_seat_json(&registry, &out);
    assert_non_null(strstr(sl_buf_cstr(&out), "\"system\":\"schema registry\",\"address\":\"r:8081\""));
    assert_null(strstr(sl_buf_cstr(&out), "secret"));
    sl_seat_leave(&system);
    sl_seat_leave(&registry);
    sl_buf_done(&out);
    sl_props_free(props);
    sl_props_free(worker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_system_is_told_by_its_address_without_login_and_parameters),
        cmocka_unit_test(a_registry_is_told_by_its_address_without_its_login),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
