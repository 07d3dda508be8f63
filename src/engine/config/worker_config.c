/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/config/worker_config.h"

#include "base/buf.h"
#include "base/props.h"
#include "engine/config/override_policy.h"
#include "engine/secrets/path.h"
#include "registry/registries.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

static const char *const levels[] = {"error", "warn", "info", "debug", NULL};
static const char *const once[] = {"disabled", "preparing", "enabled", NULL};
static const char *const formats[] = {"auto", "logfmt", "json", NULL};

#define IGNORED(name_) \
    {.name = (name_), .importance = SL_IMPORTANCE_LOW, .doc = "taken for compatibility; not used"}

static const char *const debezium_lines[] = {"2.5", "3.5", NULL};
static const char *const scylla_lines[] = {"1.2", "2", NULL};

static const char *const protocols[] = {"http", "https", NULL};
static const char *const request_logs[] = {"off", "writes", "all", NULL};

const struct sl_option sl_worker_options[] = {
    {.name = "sluice.state.dir",
     .default_text = "./sluice-state",
     .doc = "folder of the embedded log, its positions and the schema registry"},
    {.name = "sluice.log.level", .default_text = "info", .doc = "how much to log", .values = levels},
    {.name = "sluice.log.format",
     .default_text = "auto",
     .doc = "form of log lines; auto is logfmt on a terminal and JSON elsewhere",
     .values = formats},
    {.name = "sluice.memory.bytes",
     .type = SL_OPT_LONG,
     .default_text = "33554432",
     .doc = "budget of bytes in flight between sources and sinks, for the whole process",
     .min = 1 << 20,
     .max = INT64_MAX},
    {.name = "sluice.topic.partitions",
     .type = SL_OPT_INT,
     .default_text = "1",
     .doc = "partitions of topics that are created without other word; on Kafka, when not given, as the "
            "brokers have it",
     .min = 1,
     .max = 10000},
    {.name = "sluice.compat.debezium",
     .doc =
         "which release of Debezium's connectors to write like, for connectors that do not say so themselves",
     .values = debezium_lines},
    {.name = "sluice.compat.scylla",
     .doc = "which line of Scylla's connector to be like, for connectors that do not say so themselves: with "
            "both "
            "scylla.name and topic.prefix given, 1.2 names topics by the first, 2 by the second",
     .values = scylla_lines},
    {.name = "sluice.core.dumps",
     .type = SL_OPT_BOOLEAN,
     .default_text = "false",
     .doc = "let the system write a core file when the process crashes; it may hold secrets of the client "
            "libraries"},
    {.name = "sluice.connector.files",
     .type = SL_OPT_LIST,
     .default_text = SL_DEFAULT_ALLOWED_PATHS ",/etc/ssl/certs,/etc/pki/tls/certs",
     .doc = "folders below which a connector that comes by REST may name files (key stores, certificates, "
            "drivers); / is all of them"},
    {.name = "sluice.connector.hosts",
     .type = SL_OPT_LIST,
     .doc = "hosts that a connector that comes by REST may name: names, *.domain, addresses, networks "
            "(10.0.0.0/8), * is all; when not given, all but link-local addresses and sockets"},
    {.name = "key.converter", .type = SL_OPT_CLASS, .doc = "converter of keys; Avro when not given"},
    {.name = "value.converter", .type = SL_OPT_CLASS, .doc = "converter of values; Avro when not given"},
    IGNORED("key.converter.*"),
    IGNORED("value.converter.*"),
    {.name = "task.shutdown.graceful.timeout.ms",
     .type = SL_OPT_LONG,
     .default_text = "5000",
     .doc = "how long a task that is stopped by itself may take to bring what it has to an end, in ms; a "
            "stop of "
            "the whole process takes a second at most",
     .min = 0,
     .max = 86400000},
    {.name = "sluice.restart.attempts",
     .type = SL_OPT_INT,
     .default_text = "10",
     .doc = "how many times a FAILED task is started again by itself; 0: never",
     .min = 0,
     .max = 1000000},
    {.name = "sluice.restart.backoff.ms",
     .type = SL_OPT_LONG,
     .default_text = "1000",
     .doc = "wait before the first of these restarts, in ms; it doubles each time",
     .min = 1,
     .max = 86400000},
    {.name = "sluice.restart.backoff.max.ms",
     .type = SL_OPT_LONG,
     .default_text = "60000",
     .doc = "the longest such wait, in ms; a task that runs longer than this begins to count anew",
     .min = 1,
     .max = 86400000},
    {.name = "topic.creation.enable",
     .type = SL_OPT_BOOLEAN,
     .default_text = "true",
     .doc = "taken for compatibility"},
    IGNORED("header.converter"),
    IGNORED("header.converter.*"),
    IGNORED("internal.*"),
    IGNORED("group.id"),
    IGNORED("offset.*"),
    IGNORED("config.*"),
    IGNORED("status.*"),
    IGNORED("plugin.*"),
    {.name = "listeners",
     .type = SL_OPT_LIST,
     .doc = "where the REST API listens: http://host:port or https://host:port, several separated by commas; "
            "an empty value turns it off; port 8083 when not given, on loopback unless logins are asked for"},
    {.name = "rest.host.name", .doc = "host of the REST API where listeners is not given"},
    {.name = "rest.port",
     .type = SL_OPT_INT,
     .default_text = "8083",
     .doc = "port of the REST API where listeners is not given",
     .min = 0,
     .max = 65535},
    {.name = "rest.advertised.host.name", .doc = "host under which other workers and clients reach this one"},
    {.name = "rest.advertised.port",
     .type = SL_OPT_INT,
     .doc = "port under which other workers and clients reach this one",
     .min = 0,
     .max = 65535},
    {.name = "rest.advertised.listener",
     .doc = "protocol of the listener that other workers use; the first listener's when not given",
     .values = protocols},
    {.name = "rest.extension.classes",
     .type = SL_OPT_LIST,
     .doc =
         "org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension asks for logins; "
         "no other class is known"},
    {.name = "admin.listeners",
     .type = SL_OPT_LIST,
     .doc =
         "where /admin is served, apart from the rest; with the rest when not given, not at all when empty"},
    {.name = "admin.listeners.*",
     .importance = SL_IMPORTANCE_LOW,
     .doc = "ssl.* keys of https admin listeners"},
    {.name = "listeners.https.*", .importance = SL_IMPORTANCE_LOW, .doc = "ssl.* keys of https listeners"},
    {.name = "access.control.allow.origin",
     .doc = "origins whose pages may call the REST API, separated by commas; * is every one"},
    {.name = "access.control.allow.methods",
     .type = SL_OPT_LIST,
     .doc = "methods that such pages may use; GET, POST and HEAD when not given"},
    {.name = "response.http.headers.config",
     .doc = "headers of every answer: 'set Name: value', 'add Name: value', several separated by commas"},
    {.name = "sluice.rest.users.file",
     .doc = "users of the REST API: a Java properties file of user=password; when it is given, or the "
            "basic-auth "
            "extension is named, nobody gets an answer without a login"},
    {.name = "sluice.rest.log",
     .default_text = "writes",
     .doc = "requests that are logged: those that change something or are refused, all, or none",
     .values = request_logs},
    {.name = "sluice.rest.connections",
     .type = SL_OPT_INT,
     .default_text = "1024",
     .doc = "connections to the REST API at the same time; one more ends the one that was silent for longest",
     .min = 4,
     .max = 100000},
    {.name = "sluice.rest.connections.per.address",
     .type = SL_OPT_INT,
     .default_text = "0",
     .doc = "connections from one address at the same time; 0 is no other limit than that of all",
     .min = 0,
     .max = 100000},
    {.name = "sluice.rest.header.bytes",
     .type = SL_OPT_INT,
     .default_text = "16384",
     .doc = "the longest request line and headers together",
     .min = 1024,
     .max = 1 << 20},
    {.name = "sluice.rest.body.bytes",
     .type = SL_OPT_INT,
     .default_text = "4194304",
     .doc = "the longest body of a request",
     .min = 1024,
     .max = 1 << 28},
    {.name = "sluice.rest.bodies.bytes",
     .type = SL_OPT_LONG,
     .default_text = "33554432",
     .doc = "memory for the bodies of all requests that are there at the same time",
     .min = 65536,
     .max = INT64_C(1) << 32},
    {.name = "sluice.rest.idle.ms",
     .type = SL_OPT_LONG,
     .default_text = "60000",
     .doc = "how long a connection may wait for its next request",
     .min = 100,
     .max = 86400000},
    {.name = "sluice.rest.request.ms",
     .type = SL_OPT_LONG,
     .default_text = "30000",
     .doc = "how long a request may take to arrive, and its answer to be read",
     .min = 100,
     .max = 86400000},
    {.name = "sluice.rest.threads",
     .type = SL_OPT_INT,
     .default_text = "8",
     .doc = "requests that are worked on at the same time",
     .min = 1,
     .max = 256},
    IGNORED("producer.*"),
    IGNORED("consumer.*"),
    IGNORED("admin.*"),
    IGNORED("metrics.*"),
    IGNORED("metric.*"),
    IGNORED("log4j.*"),
    IGNORED("schema.registry.*"),
    {.name = "topic.tracking.enable",
     .type = SL_OPT_BOOLEAN,
     .default_text = "true",
     .doc = "remember which topics each connector has used"},
    {.name = "topic.tracking.allow.reset",
     .type = SL_OPT_BOOLEAN,
     .default_text = "true",
     .doc = "let the REST API forget them"},
    {.name = "connector.client.config.override.policy",
     .default_text = "All",
     .doc = "which client settings connectors may say for themselves (producer.override.*, "
            "consumer.override.*, admin.override.*): All, Principal (only security.protocol, sasl.mechanism "
            "and sasl.jaas.config) or None",
     .values = sl_override_policies},
    IGNORED("client.*"),
    IGNORED("connections.max.idle.ms"),
    IGNORED("security.*"),
    IGNORED("sasl.*"),
    IGNORED("ssl.*"),
    IGNORED("session.timeout.ms"),
    IGNORED("rebalance.timeout.ms"),
    IGNORED("heartbeat.interval.ms"),
    IGNORED("connect.protocol"),
    {.name = "scheduled.rebalance.max.delay.ms",
     .type = SL_OPT_INT,
     .default_text = "300000",
     .importance = SL_IMPORTANCE_LOW,
     .doc =
         "taken for compatibility: the tasks of a worker that is gone run elsewhere as soon as its session "
         "has ended",
     .min = 0,
     .max = INT32_MAX},
    IGNORED("worker.*"),
    {.name = "exactly.once.source.support",
     .default_text = "disabled",
     .doc = "with a group of workers on Kafka: enabled writes each source's records and offsets in "
            "transactions, so that readers of committed records see each change once; preparing changes "
            "nothing here",
     .values = once},
    IGNORED("inter.worker.*"),
    IGNORED("metadata.*"),
    IGNORED("request.timeout.ms"),
    IGNORED("retry.backoff.*"),
    IGNORED("reconnect.backoff.*"),
    IGNORED("send.buffer.bytes"),
    IGNORED("receive.buffer.bytes"),
    {.name = NULL},
};

enum sl_rc sl_worker_config_read(const char *path, struct sl_props **ret, struct sl_error *err)
{
    struct sl_props *props = sl_props_new();
    enum sl_rc rc = path ? sl_props_read_file(props, path, err) : SL_OK;

    if (rc) {
        sl_props_free(props);
        return rc;
    }
    if (!sl_props_get(props, "sluice.state.dir"))
        sl_props_set(props, "sluice.state.dir",
                     sl_option_text(sl_worker_options, props, NULL, "sluice.state.dir"));
    *ret = props;
    return SL_OK;
}

enum sl_rc sl_worker_config_resolve(struct sl_props **props, const struct sl_plugins *plugins,
                                    struct sl_complaints *complaints, struct sl_secrets **ret_secrets,
                                    struct sl_error *err)
{
    const char *named = sl_props_get(*props, "config.providers");
    struct sl_secrets *secrets = NULL;
    struct sl_props *resolved = NULL;
    size_t before = complaints->n;
    int64_t ttl_ms;
    enum sl_rc rc = SL_OK;

    *ret_secrets = NULL;
    if (plugins->providers)
        sl_secrets_check(plugins->providers, *props, complaints);
    if (complaints->n != before)
        return SL_OK;
    if (plugins->providers && named && *named)
        rc = sl_secrets_open(plugins->providers, *props, &secrets, err);
    if (rc == SL_OK)
        rc = sl_secrets_resolve(secrets, *props, complaints, &resolved, &ttl_ms, err);
    if (rc) {
        sl_secrets_close(secrets);
        return complaints->n == before ? rc : SL_OK;
    }
    sl_props_free(*props);
    *props = resolved;
    *ret_secrets = secrets;
    return SL_OK;
}

static void check_converter(const struct sl_props *props, const struct sl_plugins *plugins, const char *key,
                            struct sl_complaints *complaints)
{
    const char *class_name = sl_props_get(props, key);
    const struct sl_converter_ops *ops = NULL;
    struct sl_error err;
    char prefix[32];

    if (!class_name || !*class_name)
        return;
    if (sl_plugins_converter(plugins, class_name, &ops, &err)) {
        sl_complain(complaints, key, "%s", err.text);
        return;
    }
    (void)snprintf(prefix, sizeof(prefix), "%s.", key);
    if (ops->options)
        sl_options_check(ops->options, props, prefix, complaints);
}

void sl_worker_config_check(const struct sl_props *props, const struct sl_plugins *plugins,
                            struct sl_complaints *complaints)
{
    sl_options_check(sl_worker_options, props, NULL, complaints);
    for (size_t i = 0; plugins->transports[i]; i++) {
        if (plugins->transports[i]->options)
            sl_options_check(plugins->transports[i]->options, props, NULL, complaints);
    }
    sl_options_check(sl_registry_options, props, NULL, complaints);
    check_converter(props, plugins, "key.converter", complaints);
    check_converter(props, plugins, "value.converter", complaints);
}

static bool known(const struct sl_props *props, const struct sl_plugins *plugins, const char *key)
{
    if (strncmp(key, "config.providers", strlen("config.providers")) == 0)
        return plugins->providers && sl_secrets_know(plugins->providers, props, key);
    if (sl_options_know(sl_worker_options, key) || sl_options_know(sl_registry_options, key))
        return true;
    for (size_t i = 0; plugins->transports[i]; i++) {
        if (plugins->transports[i]->options && sl_options_know(plugins->transports[i]->options, key))
            return true;
    }
    return false;
}

void sl_worker_config_warn_unknown(const struct sl_props *props, const struct sl_plugins *plugins)
{
    struct sl_buf unknown = {0};

    for (size_t i = 0; i < sl_props_count(props); i++) {
        const char *key;
        const char *value;

        sl_props_at(props, i, &key, &value);
        if (known(props, plugins, key))
            continue;
        if (unknown.len)
            sl_buf_text(&unknown, ", ");
        sl_buf_text(&unknown, key);
    }
    if (unknown.len)
        sl_warn("worker keys that nobody knows; they change nothing", SL_T("keys", sl_buf_cstr(&unknown)));
    sl_buf_done(&unknown);
}

/* The host and port of the first listener: "http://host:port", or "host:port", or ":port". */
static void read_listener(const struct sl_props *props, char *host, size_t size, int *port)
{
    const char *list = sl_props_get(props, "listeners");
    char first[256] = "";
    char *start;
    char *colon;

    if (!list || !sl_list_next(&list, first, sizeof(first)))
        return;
    start = strstr(first, "://");
    start = start ? start + 3 : first;
    colon = strrchr(start, ':');
    if (colon) {
        *port = (int)strtol(colon + 1, NULL, 10);
        *colon = '\0';
    }
    if (*start && strcmp(start, "0.0.0.0") != 0)
        (void)snprintf(host, size, "%s", start);
}

char *sl_worker_config_id(const struct sl_props *props)
{
    const char *advertised = sl_props_get(props, "rest.advertised.host.name");
    const char *advertised_port = sl_props_get(props, "rest.advertised.port");
    char host[256] = "";
    int port = 8083;

    (void)gethostname(host, sizeof(host) - 1);
    read_listener(props, host, sizeof(host), &port);
    if (advertised && *advertised)
        (void)snprintf(host, sizeof(host), "%s", advertised);
    if (advertised_port && *advertised_port)
        port = (int)strtol(advertised_port, NULL, 10);
    return sl_format("%s:%d", host, port);
}

void sl_worker_config_open_log(const struct sl_props *props)
{
    const char *level = sl_option_text(sl_worker_options, props, NULL, "sluice.log.level");
    const char *format = sl_option_text(sl_worker_options, props, NULL, "sluice.log.format");
    enum sl_level number = SL_LEVEL_INFO;
    bool json = strcasecmp(format, "json") == 0;

    for (int i = 0; levels[i]; i++) {
        if (strcasecmp(levels[i], level) == 0)
            number = (enum sl_level)i;
    }
    if (strcasecmp(format, "auto") == 0)
        json = !isatty(STDERR_FILENO);
    sl_log_open(number, json ? SL_LOG_JSON : SL_LOG_LOGFMT);
}

struct sl_topic_settings sl_worker_config_topics(const struct sl_props *props)
{
    const char *partitions = sl_props_get(props, "sluice.topic.partitions");

    /* What nobody says is the log's to decide: its own keys, or the brokers' settings. */
    return (struct sl_topic_settings){
        .partitions = partitions && *partitions
                          ? (int32_t)sl_option_int(sl_worker_options, props, NULL, "sluice.topic.partitions")
                          : 0,
        .retention_ms = SL_LOG_DEFAULT,
        .retention_bytes = SL_LOG_DEFAULT,
    };
}
