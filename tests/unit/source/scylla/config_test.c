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

/* What both lines of the connector document, with the defaults of line 2 (scylla.name has become
 * topic.prefix), and Debezium's common ones. NULL: no default. */
static const struct {
    const char *name, *value;
} documented[] = {
    {"scylla.cluster.ip.addresses", NULL},
    {"scylla.table.names", NULL},
    {"topic.prefix", NULL},
    {"scylla.name", NULL},
    {"scylla.user", NULL},
    {"scylla.password", NULL},
    {"scylla.consistency.level", "QUORUM"},
    {"scylla.query.options.fetch.size", "0"},
    {"scylla.local.dc", NULL},
    {"scylla.query.time.window.size", "30000"},
    {"scylla.confidence.window.size", "30000"},
    {"scylla.minimal.wait.for.window.time", "0"},
    {"scylla.initial.lookback.ms", "0"},
    {"cdc.output.format", "legacy"},
    {"experimental.preimages.enabled", "false"},
    {"cdc.include.before", "none"},
    {"cdc.include.after", "none"},
    {"cdc.include.primary-key.placement", "kafka-key,payload-after,payload-before"},
    {"cdc.include.primary-key.payload-key-name", "key"},
    {"cdc.incomplete.task.timeout.ms", "15000"},
    {"worker.retry.backoff.base", "50"},
    {"worker.maximum.backoff", "30000"},
    {"worker.jitter.percentage", "20"},
    {"worker.max.retries", "20"},
    {"worker.shared.session.enabled", "false"},
    {"worker.pooling.core.pool.local", "1"},
    {"worker.pooling.max.pool.local", "1"},
    {"worker.pooling.max.queue.size", "256"},
    {"worker.pooling.max.requests.per.connection", "256"},
    {"worker.pooling.pool.timeout.ms", "5000"},
    {"scylla.ssl.enabled", "false"},
    {"scylla.ssl.provider", "JDK"},
    {"scylla.ssl.truststore.path", NULL},
    {"scylla.ssl.truststore.password", NULL},
    {"scylla.ssl.keystore.path", NULL},
    {"scylla.ssl.keystore.password", NULL},
    {"scylla.ssl.cipherSuites", NULL},
    {"scylla.ssl.openssl.keyCertChain", NULL},
    {"scylla.ssl.openssl.privateKey", NULL},
    {"heartbeat.interval.ms", "30000"},
    {"sourceinfo.struct.maker", NULL},
    {"scylla.worker.config", NULL},
    {"max.batch.size", "2048"},
    {"max.queue.size", "8192"},
    {"max.queue.size.in.bytes", "0"},
    {"poll.interval.ms", "500"},
    {"tombstones.on.delete", "true"},
    {"skipped.operations", "t"},
    {"topic.delimiter", "."},
    {"topic.heartbeat.prefix", "__debezium-heartbeat"},
    {"topic.naming.strategy", NULL},
    {"event.processing.failure.handling.mode", "fail"},
    {"errors.max.retries", "-1"},
    {"retriable.restart.connector.wait.ms", "10000"},
    {"custom.metric.tags", NULL},
    {"converters", NULL},
    {"post.processors", NULL},
    {"streaming.delay.ms", "0"},
    {"skip.messages.without.change", "false"},
    {"event.converting.failure.handling.mode", "warn"},
    {"binary.handling.mode", "bytes"},
    {"schema.name.adjustment.mode", "avro"},
    {"field.name.adjustment.mode", "none"},
    {"signal.*", NULL},
    {"notification.*", NULL},
    {"incremental.snapshot.*", NULL},
    {"snapshot.*", NULL},
};

static const struct sl_option *option_named(const char *name)
{
    for (const struct sl_option *option = sl_scylla_options; option->name; option++)
        if (strcmp(option->name, name) == 0)
            return option;
    return NULL;
}

static void every_documented_property_is_known_with_its_default(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(documented) / sizeof(*documented); i++) {
        const struct sl_option *option = option_named(documented[i].name);
        const char *want = documented[i].value;

        if (!option)
            fail_msg("%s is not known", documented[i].name);
        if (!want != !option->default_text || (want && strcmp(want, option->default_text) != 0))
            fail_msg("%s: the default is %s, and %s is documented", documented[i].name, option->default_text,
                     want);
    }
}

static void what_connects_is_handed_to_the_client(void **state)
{
    struct sl_scylla_config *config = read_config(
        SETTINGS("scylla.user", "u", "scylla.password", "p", "scylla.local.dc", "east", "scylla.ssl.enabled",
                 "true", "scylla.ssl.truststore.path", "trust.jks", "scylla.ssl.truststore.password", "t",
                 "scylla.ssl.keystore.path", "key.jks", "scylla.ssl.keystore.password", "k",
                 "scylla.ssl.cipherSuites", "TLS_AES_128_GCM_SHA256", "scylla.ssl.openssl.keyCertChain",
                 "c.pem", "scylla.ssl.openssl.privateKey", "k.pem", "sluice.scylla.ssl.verify.host", "true",
                 "sluice.scylla.compression", "false", "worker.pooling.core.pool.local", "3",
                 "worker.pooling.max.requests.per.connection", "77", "worker.pooling.pool.timeout.ms", "4321",
                 "worker.retry.backoff.base", "60", "worker.maximum.backoff", "70"));
    const struct sl_cql_config *cql = &config->cql;

    (void)state;
    assert_string_equal(cql->contact_points, "10.0.0.1:9042,10.0.0.2:9042");
    assert_string_equal(cql->user, "u");
    assert_string_equal(cql->password, "p");
    assert_string_equal(cql->local_dc, "east");
    assert_false(cql->compress);
    assert_int_equal(cql->connections_per_host, 3);
    assert_int_equal(cql->requests_per_connection, 77);
    assert_int_equal(cql->connect_timeout_ms, 4321);
    assert_int_equal(cql->backoff_base_ms, 60);
    assert_int_equal(cql->backoff_max_ms, 70);
    assert_true(cql->tls.enabled && cql->tls.verify_host);
    assert_string_equal(cql->tls.truststore_path, "trust.jks");
    assert_string_equal(cql->tls.truststore_password, "t");
    assert_string_equal(cql->tls.keystore_path, "key.jks");
    assert_string_equal(cql->tls.keystore_password, "k");
    assert_string_equal(cql->tls.ciphers, "TLS_AES_128_GCM_SHA256");
    assert_string_equal(cql->tls.certificate_path, "c.pem");
    assert_string_equal(cql->tls.key_path, "k.pem");
    sl_scylla_config_free(config);
}

static void what_reads_and_writes_is_handed_to_the_tasks(void **state)
{
    struct sl_scylla_config *config = read_config(
        SETTINGS("scylla.consistency.level", "local_quorum", "scylla.query.options.fetch.size", "123",
                 "scylla.query.time.window.size", "1000", "scylla.confidence.window.size", "2000",
                 "scylla.minimal.wait.for.window.time", "300", "scylla.initial.lookback.ms", "60000",
                 "cdc.output.format", "ADVANCED", "cdc.include.before", "only-updated", "cdc.include.after",
                 "full", "cdc.include.primary-key.placement", "kafka-key, payload-key, kafka-headers",
                 "cdc.include.primary-key.payload-key-name", "pk", "tombstones.on.delete", "false",
                 "skipped.operations", "u,d", "topic.delimiter", "-", "heartbeat.interval.ms", "5",
                 "topic.heartbeat.prefix", "beat", "tasks.max", "7"));
    char *topic = sl_scylla_topic_name(config, "ks", "t");

    (void)state;
    assert_int_equal(config->consistency, SL_CQL_LOCAL_QUORUM);
    assert_int_equal(config->page_rows, 123);
    assert_int_equal(config->window_ms, 1000);
    assert_int_equal(config->confidence_ms, 2000);
    assert_int_equal(config->minimal_wait_ms, 300);
    assert_int_equal(config->lookback_ms, 60000);
    assert_true(config->advanced);
    assert_int_equal(config->before, SL_SCYLLA_IMAGE_ONLY_UPDATED);
    assert_int_equal(config->after, SL_SCYLLA_IMAGE_FULL);
    assert_true(config->placement.kafka_key && config->placement.payload_key &&
                config->placement.kafka_headers);
    assert_false(config->placement.payload_after || config->placement.payload_before);
    assert_string_equal(config->payload_key, "pk");
    assert_false(config->tombstones);
    assert_true(config->skip_update && config->skip_delete);
    assert_false(config->skip_create || config->skip_read);
    assert_string_equal(topic, "scylla-ks-t");
    assert_int_equal(config->heartbeat_ms, 5);
    assert_string_equal(config->heartbeat_topic, "beat.scylla");
    assert_int_equal(config->n_tasks, 7);
    sl_free(topic);
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
        cmocka_unit_test(every_documented_property_is_known_with_its_default),
        cmocka_unit_test(what_connects_is_handed_to_the_client),
        cmocka_unit_test(what_reads_and_writes_is_handed_to_the_tasks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
