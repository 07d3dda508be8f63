/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/props.h"
#include "transport/kafka/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *read_back(const rd_kafka_conf_t *conf, const char *name, char text[200])
{
    size_t size = 200;

    assert_int_equal(rd_kafka_conf_get(conf, name, text, &size), RD_KAFKA_CONF_OK);
    return text;
}

static void java_names_become_the_clients_and_the_later_layer_wins(void **state)
{
    static const struct sl_kafka_setting always[] = {{"acks", "all"}, {NULL, NULL}};
    struct sl_props *worker = sl_props_new();
    struct sl_props *connector = sl_props_new();
    const struct sl_kafka_client client = {.worker = worker,
                                           .prefix = "producer.",
                                           .connector = connector,
                                           .override_prefix = "producer.override.",
                                           .client_id = "connector-producer-c-0",
                                           .always = always};
    struct sl_error err = {0};
    rd_kafka_conf_t *conf;
    char text[200];

    (void)state;
    sl_props_set(worker, "bootstrap.servers", "b:1");
    sl_props_set(worker, "request.timeout.ms", "7000");
    sl_props_set(worker, "session.timeout.ms", "9000"); /* not a connection key: not this client's */
    sl_props_set(worker, "producer.buffer.memory", "1048576");
    sl_props_set(worker, "producer.linger.ms", "3");
    sl_props_set(worker, "producer.acks", "1");
    sl_props_set(worker, "consumer.fetch.max.wait.ms", "5");
    sl_props_set(connector, "producer.override.linger.ms", "9");
    sl_props_set(connector, "producer.override.compression.type", "lz4");
    assert_int_equal(sl_kafka_conf_new(&client, &conf, &err), SL_OK);
    assert_string_equal(read_back(conf, "bootstrap.servers", text), "b:1");
    assert_string_equal(read_back(conf, "socket.timeout.ms", text), "7000");
    assert_string_equal(read_back(conf, "queue.buffering.max.kbytes", text), "1025");
    assert_string_equal(read_back(conf, "queue.buffering.max.ms", text), "9");
    assert_string_equal(read_back(conf, "compression.codec", text), "lz4");
    assert_string_equal(read_back(conf, "client.id", text), "connector-producer-c-0");
    rd_kafka_conf_destroy(conf);
    sl_props_free(worker);
    sl_props_free(connector);
}

static void a_wrong_value_is_refused_by_its_name(void **state)
{
    struct sl_props *worker = sl_props_new();
    const struct sl_kafka_client client = {.worker = worker, .prefix = "consumer."};
    struct sl_error err = {0};
    rd_kafka_conf_t *conf;

    (void)state;
    sl_props_set(worker, "consumer.fetch.min.bytes", "many");
    assert_int_equal(sl_kafka_conf_new(&client, &conf, &err), SL_E_CONFIG);
    assert_non_null(strstr(err.text, "fetch.min.bytes"));
    sl_props_free(worker);
}

static void a_connector_cannot_have_code_loaded_or_run(void **state)
{
    static const char *const names[] = {"plugin.library.paths", "ssl.engine.location", "ssl.providers",
                                        "sasl.kerberos.kinit.cmd"};
    struct sl_props *worker = sl_props_new();
    struct sl_props *connector;
    struct sl_kafka_client client = {
        .worker = worker, .prefix = "consumer.", .override_prefix = "consumer.override."};
    struct sl_error err = {0};
    rd_kafka_conf_t *conf;

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        char *key = sl_format("consumer.override.%s", names[i]);

        connector = sl_props_new();
        client.connector = connector;
        sl_props_set(connector, key, "/nowhere/code.so");
        assert_int_equal(sl_kafka_conf_new(&client, &conf, &err), SL_E_CONFIG);
        assert_non_null(strstr(err.text, names[i]));
        sl_props_free(connector);
        sl_free(key);
    }
    sl_props_free(worker);
}

/* librdkafka would run kinit by a shell, with a principal that whoever makes a connector may choose. */
static void kerberos_is_refused_in_so_many_words(void **state)
{
    static const char *const mechanisms[] = {"GSSAPI", "gssapi", NULL /* Java's default */};
    struct sl_error err = {0};
    rd_kafka_conf_t *conf;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct sl_props *worker = sl_props_new();
        struct sl_props *connector = sl_props_new();
        const struct sl_kafka_client client = {
            .worker = worker, .connector = connector, .override_prefix = "producer.override."};

        sl_props_set(connector, "producer.override.security.protocol", " sasl_plaintext");
        if (mechanisms[i])
            sl_props_set(connector, "producer.override.sasl.mechanism", mechanisms[i]);
        sl_props_set(connector, "producer.override.sasl.jaas.config",
                     "com.sun.security.auth.module.Krb5LoginModule required principal=\"$(false)\";");
        assert_int_equal(sl_kafka_conf_new(&client, &conf, &err), SL_E_UNSUPPORTED);
        assert_non_null(strstr(err.text, "GSSAPI"));
        sl_props_free(worker);
        sl_props_free(connector);
    }
}

/* What becomes of a file that names stores and a login which are not there. */
static enum sl_rc with_protocol(const char *protocol, struct sl_error *err)
{
    struct sl_props *worker = sl_props_new();
    const struct sl_kafka_client client = {.worker = worker};
    rd_kafka_conf_t *conf = NULL;
    enum sl_rc rc;

    if (protocol)
        sl_props_set(worker, "security.protocol", protocol);
    sl_props_set(worker, "ssl.truststore.location", "/nowhere/truststore.jks");
    sl_props_set(worker, "ssl.keystore.location", "/nowhere/keystore.jks");
    sl_props_set(worker, "sasl.mechanism", "PLAIN");
    sl_props_set(worker, "sasl.jaas.config", "com.example.OwnLoginModule required;");
    rc = sl_kafka_conf_new(&client, &conf, err);
    if (conf)
        rd_kafka_conf_destroy(conf);
    sl_props_free(worker);
    return rc;
}

static void what_the_protocol_does_not_ask_for_is_not_read(void **state)
{
    struct sl_error err = {0};

    (void)state;
    assert_int_equal(with_protocol(NULL, &err), SL_OK);
    assert_int_equal(with_protocol("PLAINTEXT", &err), SL_OK);
    assert_int_equal(with_protocol("SSL", &err), SL_E_NOT_FOUND);
    assert_non_null(strstr(err.text, "ssl.truststore.location"));
    assert_int_equal(with_protocol("SASL_PLAINTEXT", &err), SL_E_UNSUPPORTED);
    assert_non_null(strstr(err.text, "OwnLoginModule"));
    assert_int_equal(with_protocol("sasl_ssl", &err), SL_E_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connector_cannot_have_code_loaded_or_run),
        cmocka_unit_test(java_names_become_the_clients_and_the_later_layer_wins),
        cmocka_unit_test(a_wrong_value_is_refused_by_its_name),
        cmocka_unit_test(kerberos_is_refused_in_so_many_words),
        cmocka_unit_test(what_the_protocol_does_not_ask_for_is_not_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
