/* SPDX-License-Identifier: Apache-2.0 */
#include "source/scylla/config.h"

#include "base/alloc.h"
#include "base/props.h"
#include "source/scylla/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define SETTINGS(...) ((const char *const[]){__VA_ARGS__, NULL})

static struct sl_props *make(const char *const *settings)
{
    struct sl_props *props = sl_props_new();

    sl_props_set(props, "scylla.cluster.ip.addresses", "10.0.0.1:9042,10.0.0.2:9042");
    sl_props_set(props, "scylla.table.names", "app_data.users, app_data.orders");
    sl_props_set(props, "topic.prefix", "scylla");
    for (; *settings; settings += 2)
        sl_props_set(props, settings[0], settings[1]);
    return props;
}

static struct sl_scylla_config *read_config(const char *const *settings)
{
    struct sl_props *props = make(settings);
    struct sl_scylla_config *config = NULL;
    struct sl_error err = {0};

    if (sl_scylla_config_read(props, &config, &err) != SL_OK)
        fail_msg("%s", err.text);
    sl_props_free(props);
    return config;
}

static void expect_refusal(const char *const *settings, const char *part)
{
    struct sl_props *props = make(settings);
    struct sl_scylla_config *config = NULL;
    struct sl_error err = {0};

    assert_int_equal(sl_scylla_config_read(props, &config, &err), SL_E_CONFIG);
    if (!strstr(err.text, part) || !strstr(err.text, "HINT: "))
        fail_msg("'%s' does not say '%s' and a hint", err.text, part);
    sl_props_free(props);
}

static void expect_complaint(const char *key, const char *value, const char *part)
{
    struct sl_props *props = make(SETTINGS(key, value));
    struct sl_complaints complaints = {0};
    bool found = false;

    sl_options_check(sl_scylla_options, props, "", &complaints);
    for (size_t i = 0; i < complaints.n; i++)
        found =
            found || (strcmp(complaints.items[i].key, key) == 0 && strstr(complaints.items[i].text, part));
    if (!found)
        fail_msg("no complaint about %s=%s says '%s'", key, value, part);
    sl_complaints_done(&complaints);
    sl_props_free(props);
}

static void either_name_is_the_prefix_and_the_line_decides_between_two(void **state)
{
    struct sl_scylla_config *config = read_config(SETTINGS("scylla.name", "cluster"));

    (void)state;
    assert_string_equal(config->prefix, "scylla");
    sl_scylla_config_free(config);
    config = read_config(SETTINGS("scylla.name", "cluster", "sluice.compat.scylla", "1.2"));
    assert_string_equal(config->prefix, "cluster");
    sl_scylla_config_free(config);
    config = read_config(SETTINGS("topic.prefix", "", "scylla.name", "cluster"));
    assert_string_equal(config->prefix, "cluster");
    sl_scylla_config_free(config);
    expect_refusal(SETTINGS("topic.prefix", ""), "topic.prefix is required");
}

static void tables_are_read_once_each(void **state)
{
    struct sl_scylla_config *config = read_config(SETTINGS("scylla.table.names", "a.b,a.c,a.b"));

    (void)state;
    assert_int_equal(config->n_tables, 2);
    assert_string_equal(config->tables[1].keyspace, "a");
    assert_string_equal(config->tables[1].table, "c");
    sl_scylla_config_free(config);
}

static void the_documented_key_placement_is_the_default(void **state)
{
    struct sl_scylla_config *config = read_config(SETTINGS("cdc.output.format", "advanced"));

    (void)state;
    assert_true(config->placement.kafka_key);
    assert_true(config->placement.payload_after);
    assert_true(config->placement.payload_before);
    assert_false(config->placement.payload_key);
    assert_false(config->placement.kafka_headers);
    sl_scylla_config_free(config);
}

static void what_contradicts_is_refused_by_name(void **state)
{
    (void)state;
    expect_refusal(SETTINGS("scylla.user", "u"), "scylla.password is not given");
    expect_refusal(SETTINGS("scylla.password", "p"), "scylla.user is not given");
    expect_refusal(SETTINGS("cdc.include.before", "full"), "cdc.include.before");
    expect_refusal(SETTINGS("cdc.include.after", "only-updated"), "cdc.include.after");
    expect_refusal(SETTINGS("cdc.include.primary-key.placement", "kafka-key"), "placement");
    expect_refusal(SETTINGS("cdc.output.format", "advanced", "experimental.preimages.enabled", "true"),
                   "experimental.preimages.enabled");
    expect_refusal(SETTINGS("cdc.output.format", "advanced", "sluice.compat.scylla", "1.2"), "line 2");
    expect_refusal(
        SETTINGS("cdc.output.format", "advanced", "cdc.include.primary-key.placement", "payload-after"),
        "kafka-key");
    expect_refusal(SETTINGS("scylla.ssl.openssl.privateKey", "k.pem"), "keyCertChain is not given");
}

static void each_key_is_checked_by_itself(void **state)
{
    (void)state;
    expect_complaint("scylla.cluster.ip.addresses", "10.0.0.1", "needs its port");
    expect_complaint("scylla.table.names", "users", "keyspace.table");
    expect_complaint("scylla.table.names", "app-data.users", "keyspace.table");
    expect_complaint("scylla.consistency.level", "EACH_QUORUM", "none of ONE");
    expect_complaint("cdc.include.primary-key.placement", "kafka-key,somewhere", "kafka-headers");
    expect_complaint("heartbeat.interval.ms", "0", "");
    expect_complaint("cdc.output.format", "modern", "");
}

static void the_heartbeats_topic_takes_either_spelling(void **state)
{
    struct sl_scylla_config *config = read_config(SETTINGS("heartbeat.topics.prefix", "heartbeat.scylla"));

    (void)state;
    assert_string_equal(config->heartbeat_topic, "heartbeat.scylla.scylla");
    sl_scylla_config_free(config);
    config = read_config(SETTINGS("scylla.name", "x"));
    assert_string_equal(config->heartbeat_topic, "__debezium-heartbeat.scylla");
    sl_scylla_config_free(config);
}

static void names_are_made_fit_for_topics_and_for_avro(void **state)
{
    struct sl_scylla_config *config = read_config(SETTINGS("topic.prefix", "scylla-cluster.9"));
    char *topic = sl_scylla_topic_name(config, "ks", "t");
    char *schema = sl_scylla_schema_name("scylla-cluster.ks.t.Key");

    (void)state;
    assert_string_equal(topic, "scylla-cluster.9.ks.t");
    assert_string_equal(schema, "scylla_cluster.ks.t.Key");
    sl_free(topic);
    sl_free(schema);
    sl_scylla_config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(either_name_is_the_prefix_and_the_line_decides_between_two),
        cmocka_unit_test(tables_are_read_once_each),
        cmocka_unit_test(the_documented_key_placement_is_the_default),
        cmocka_unit_test(what_contradicts_is_refused_by_name),
        cmocka_unit_test(each_key_is_checked_by_itself),
        cmocka_unit_test(the_heartbeats_topic_takes_either_spelling),
        cmocka_unit_test(names_are_made_fit_for_topics_and_for_avro),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
