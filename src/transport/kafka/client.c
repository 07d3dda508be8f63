/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/kafka/client.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/props.h"

#include <stdio.h>
#include <stdlib.h>

enum how {
    RENAMED,
    IN_KILOBYTES,  /* Java counts bytes */
    OR_SYSTEM,     /* Java's -1 (leave it to the system) is librdkafka's 0 */
    OURS,          /* decided here, whatever the file says */
    JAVA_ONLY,     /* nothing here corresponds to it, and nothing is lost by that */
    BY_SECURITY_C, /* read there */
};

/* What is not here has one name in both. */
static const struct key {
    const char *java; /* a trailing '*' takes a family */
    enum how how;
    const char *name;
} keys[] = {
    {"buffer.memory", IN_KILOBYTES, "queue.buffering.max.kbytes"},
    {"max.request.size", RENAMED, "message.max.bytes"},
    {"fetch.max.wait.ms", RENAMED, "fetch.wait.max.ms"},
    {"send.buffer.bytes", OR_SYSTEM, "socket.send.buffer.bytes"},
    {"receive.buffer.bytes", OR_SYSTEM, "socket.receive.buffer.bytes"},
    {"request.timeout.ms", RENAMED, "socket.timeout.ms"},
    {"compression.gzip.level", RENAMED, "compression.level"},
    {"compression.lz4.level", RENAMED, "compression.level"},
    {"compression.zstd.level", RENAMED, "compression.level"},
    {"acks", OURS, NULL},
    {"enable.idempotence", OURS, NULL},
    {"transactional.id", OURS, NULL},
    {"group.id", OURS, NULL},
    {"group.instance.id", OURS, NULL},
    {"auto.offset.reset", OURS, NULL},
    {"enable.auto.commit", OURS, NULL},
    {"auto.commit.interval.ms", OURS, NULL},
    {"partitioner.class", OURS, NULL},
    {"partitioner.*", OURS, NULL},
    {"partition.assignment.strategy", OURS, NULL},
    {"isolation.level", OURS, NULL},
    {"max.poll.records", OURS, NULL},
    {"max.block.ms", JAVA_ONLY, NULL},
    {"client.dns.lookup", JAVA_ONLY, NULL},
    {"key.serializer", JAVA_ONLY, NULL},
    {"value.serializer", JAVA_ONLY, NULL},
    {"key.deserializer", JAVA_ONLY, NULL},
    {"value.deserializer", JAVA_ONLY, NULL},
    {"interceptor.classes", JAVA_ONLY, NULL},
    {"metric.reporters", JAVA_ONLY, NULL},
    {"metrics.*", JAVA_ONLY, NULL},
    {"auto.include.jmx.reporter", JAVA_ONLY, NULL},
    {"enable.metrics.push", JAVA_ONLY, NULL},
    {"exclude.internal.topics", JAVA_ONLY, NULL},
    {"default.api.timeout.ms", JAVA_ONLY, NULL},
    {"metadata.max.idle.ms", JAVA_ONLY, NULL},
    {"metadata.recovery.*", JAVA_ONLY, NULL},
    {"retry.backoff.max.ms", JAVA_ONLY, NULL},
    {"socket.connection.setup.timeout.max.ms", JAVA_ONLY, NULL},
    {"security.providers", JAVA_ONLY, NULL},
    {"ssl.protocol", JAVA_ONLY, NULL},
    {"ssl.enabled.protocols", JAVA_ONLY, NULL},
    {"ssl.provider", JAVA_ONLY, NULL},
    {"ssl.cipher.suites", JAVA_ONLY, NULL},
    {"ssl.engine.factory.class", JAVA_ONLY, NULL},
    {"ssl.keymanager.algorithm", JAVA_ONLY, NULL},
    {"ssl.trustmanager.algorithm", JAVA_ONLY, NULL},
    {"ssl.secure.random.implementation", JAVA_ONLY, NULL},
    {"ssl.client.auth", JAVA_ONLY, NULL},
    {"ssl.truststore.*", BY_SECURITY_C, NULL},
    {"ssl.keystore.*", BY_SECURITY_C, NULL},
    {"ssl.key.password", BY_SECURITY_C, NULL},
    {"ssl.endpoint.identification.algorithm", BY_SECURITY_C, NULL},
    {"sasl.jaas.config", BY_SECURITY_C, NULL},
    {"sasl.oauthbearer.token.endpoint.url", BY_SECURITY_C, NULL},
    {"sasl.mechanism", RENAMED, "sasl.mechanisms"},
    {"sasl.oauthbearer.scope.claim.name", JAVA_ONLY, NULL},
    {"sasl.oauthbearer.sub.claim.name", JAVA_ONLY, NULL},
    {"sasl.login.*", JAVA_ONLY, NULL},
    {"sasl.client.callback.handler.class", JAVA_ONLY, NULL},
};

/* The worker's keys that say how to reach the brokers: every client gets them. */
static const char *const connection[] = {
    "bootstrap.servers",
    "client.dns.lookup",
    "security.protocol",
    "metadata.max.age.ms",
    "request.timeout.ms",
    "retry.backoff.ms",
    "reconnect.backoff.ms",
    "reconnect.backoff.max.ms",
    "connections.max.idle.ms",
    "send.buffer.bytes",
    "receive.buffer.bytes",
    "socket.connection.setup.timeout.ms",
    "security.providers",
    "ssl.*",
    "sasl.*",
};

static bool fits(const char *pattern, const char *name)
{
    size_t len = strlen(pattern);

    return len && pattern[len - 1] == '*' ? strncmp(pattern, name, len - 1) == 0 : strcmp(pattern, name) == 0;
}

bool sl_kafka_connection_key(const char *key)
{
    for (size_t i = 0; i < sizeof(connection) / sizeof(*connection); i++) {
        if (fits(connection[i], key))
            return true;
    }
    return false;
}

static const struct key *find_key(const char *java)
{
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        if (fits(keys[i].java, java))
            return &keys[i];
    }
    return NULL;
}

static void take_prefixed(const struct sl_props *from, const char *prefix, struct sl_props *all)
{
    size_t len = strlen(prefix);

    for (size_t i = 0; i < sl_props_count(from); i++) {
        const char *key;
        const char *value;

        sl_props_at(from, i, &key, &value);
        /* "producer.override." of a connector is no worker's key of the producer. */
        if (strncmp(key, prefix, len) == 0 && strncmp(key + len, "override.", 9) != 0)
            sl_props_set(all, key + len, value);
    }
}

static struct sl_props *put_together(const struct sl_kafka_client *client)
{
    struct sl_props *all = sl_props_new();

    for (size_t i = 0; i < sl_props_count(client->worker); i++) {
        const char *key;
        const char *value;

        sl_props_at(client->worker, i, &key, &value);
        if (sl_kafka_connection_key(key))
            sl_props_set(all, key, value);
    }
    if (client->prefix)
        take_prefixed(client->worker, client->prefix, all);
    if (client->connector)
        take_prefixed(client->connector, client->override_prefix, all);
    return all;
}

enum sl_rc sl_kafka_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value, struct sl_error *err)
{
    char why[256];

    if (rd_kafka_conf_set(conf, name, value, why, sizeof(why)) == RD_KAFKA_CONF_OK)
        return SL_OK;
    return sl_error_set(err, SL_E_CONFIG, "the Kafka client refuses the key '%s': %s. HINT: docs/kafka.md",
                        name, why);
}

static enum sl_rc set_all(rd_kafka_conf_t *conf, const struct sl_kafka_setting *settings,
                          struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    for (; rc == SL_OK && settings && settings->name; settings++)
        rc = sl_kafka_conf_set(conf, settings->name, settings->value, err);
    return rc;
}

static enum sl_rc set_translated(rd_kafka_conf_t *conf, const struct key *key, const char *value,
                                 struct sl_error *err)
{
    char number[24];

    if (key->how == IN_KILOBYTES) {
        (void)snprintf(number, sizeof(number), "%lld", strtoll(value, NULL, 10) / 1024 + 1);
        value = number;
    }
    if (key->how == OR_SYSTEM && value[0] == '-')
        value = "0";
    return sl_kafka_conf_set(conf, key->name, value, err);
}

static void add_name(struct sl_buf *names, const char *name)
{
    sl_buf_format(names, "%s%s", names->len ? ", " : "", name);
}

/* Passwords never reach the error: librdkafka's texts hold the value that it refuses. */
static enum sl_rc set_same(rd_kafka_conf_t *conf, const char *name, const char *value, struct sl_buf *unknown,
                           struct sl_error *err)
{
    char why[256];
    rd_kafka_conf_res_t result = rd_kafka_conf_set(conf, name, value, why, sizeof(why));

    if (result == RD_KAFKA_CONF_UNKNOWN)
        add_name(unknown, name);
    if (result == RD_KAFKA_CONF_INVALID)
        return sl_error_set(err, SL_E_CONFIG,
                            "the Kafka client refuses the key '%s'%s%s. HINT: docs/kafka.md", name,
                            strstr(name, "password") ? "" : ": ", strstr(name, "password") ? "" : why);
    return SL_OK;
}

static enum sl_rc translate(const struct sl_props *all, rd_kafka_conf_t *conf, struct sl_error *err)
{
    struct sl_buf unknown = {0};
    struct sl_buf ours = {0};
    enum sl_rc rc = SL_OK;

    for (size_t i = 0; rc == SL_OK && i < sl_props_count(all); i++) {
        const struct key *key;
        const char *name;
        const char *value;

        sl_props_at(all, i, &name, &value);
        key = find_key(name);
        if (!key)
            rc = set_same(conf, name, value, &unknown, err);
        else if (key->name)
            rc = set_translated(conf, key, value, err);
        else if (key->how == OURS)
            add_name(&ours, name);
    }
    if (unknown.len)
        sl_warn("keys that no Kafka client knows; they change nothing", SL_T("keys", sl_buf_cstr(&unknown)));
    if (ours.len)
        sl_debug("keys that are decided here, not by the file", SL_T("keys", sl_buf_cstr(&ours)));
    sl_buf_done(&unknown);
    sl_buf_done(&ours);
    return rc;
}

/* librdkafka loads or runs these as code: the worker's file may say so, who may make connectors may not. */
static bool is_code(const char *name)
{
    static const char *const names[] = {"plugin.library.paths", "ssl.engine.location", "ssl.engine.id",
                                        "ssl.providers", "sasl.kerberos.kinit.cmd"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    return false;
}

static enum sl_rc refuse_code(const struct sl_kafka_client *client, struct sl_error *err)
{
    size_t len = client->connector ? strlen(client->override_prefix) : 0;

    for (size_t i = 0; client->connector && i < sl_props_count(client->connector); i++) {
        const char *key;
        const char *value;

        sl_props_at(client->connector, i, &key, &value);
        if (strncmp(key, client->override_prefix, len) == 0 && is_code(key + len))
            return sl_error_set(err, SL_E_CONFIG,
                                "a connector cannot have code loaded or run by '%s'. HINT: %s belongs into "
                                "the worker's file",
                                key, key + len);
    }
    return SL_OK;
}

/*
 * librdkafka looks for a partition's new leader when a broker that it was connected to goes away. Of one that
 * died before this client came to it, it hears only with the next look at everything: in five minutes, if
 * nobody asks for more. And a broker that is back is to be found soon.
 */
static const struct sl_kafka_setting lively[] = {
    {"topic.metadata.refresh.interval.ms", "3000"}, {"reconnect.backoff.max.ms", "2000"}, {NULL, NULL}};

enum sl_rc sl_kafka_conf_new(const struct sl_kafka_client *client, rd_kafka_conf_t **ret,
                             struct sl_error *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    struct sl_props *all = put_together(client);
    enum sl_rc rc = refuse_code(client, err);

    if (rc == SL_OK)
        rc = set_all(conf, lively, err);
    if (rc == SL_OK && client->client_id)
        rc = sl_kafka_conf_set(conf, "client.id", client->client_id, err);
    if (rc == SL_OK)
        rc = set_all(conf, client->defaults, err);
    if (rc == SL_OK)
        rc = translate(all, conf, err);
    if (rc == SL_OK)
        rc = sl_kafka_conf_security(all, conf, err);
    if (rc == SL_OK)
        rc = set_all(conf, client->always, err);
    sl_props_free(all);
    if (rc) {
        rd_kafka_conf_destroy(conf);
        return rc;
    }
    *ret = conf;
    return SL_OK;
}
