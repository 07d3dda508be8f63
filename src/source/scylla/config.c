/* SPDX-License-Identifier: Apache-2.0 */
#include "source/scylla/config.h"

#include "base/log.h"
#include "base/number.h"
#include "base/props.h"
#include "source/scylla/options.h"

#include <ctype.h>
#include <strings.h>

static const char *text_of(const struct sl_props *props, const char *name)
{
    const char *text = sl_option_text(sl_scylla_options, props, "", name);

    return text && *text ? text : NULL;
}

static int64_t int_of(const struct sl_props *props, const char *name)
{
    return sl_option_int(sl_scylla_options, props, "", name);
}

static bool bool_of(const struct sl_props *props, const char *name)
{
    return sl_option_bool(sl_scylla_options, props, "", name);
}

static char *copy_of(const struct sl_props *props, const char *name)
{
    const char *text = text_of(props, name);

    return text ? sl_strdup(text) : NULL;
}

static bool is_word(const struct sl_props *props, const char *name, const char *word)
{
    const char *text = text_of(props, name);

    return text && strcasecmp(text, word) == 0;
}

static enum sl_scylla_image image_of(const struct sl_props *props, const char *name)
{
    if (is_word(props, name, "full"))
        return SL_SCYLLA_IMAGE_FULL;
    return is_word(props, name, "only-updated") ? SL_SCYLLA_IMAGE_ONLY_UPDATED : SL_SCYLLA_IMAGE_NONE;
}

/* Both lines' names may be given at once; then the line that is imitated decides. */
static enum sl_rc read_name(const struct sl_props *props, struct sl_scylla_config *config,
                            struct sl_error *err)
{
    const char *old = text_of(props, "scylla.name");
    const char *prefix = text_of(props, "topic.prefix");
    const char *chosen;

    config->line_1_2 = is_word(props, "sluice.compat.scylla", "1.2");
    chosen = config->line_1_2 ? (old ? old : prefix) : (prefix ? prefix : old);
    if (!chosen)
        return sl_error_set(err, SL_E_CONFIG,
                            "topic.prefix is required and not given. HINT: the logical name of the cluster, "
                            "first part of every topic, e.g. \"topic.prefix\": \"scylla\"");
    for (const char *p = chosen; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("._-", *p))
            return sl_error_set(err, SL_E_CONFIG,
                                "topic.prefix: '%s' holds '%c', which topics cannot. HINT: letters, digits, "
                                "'.', '_' and '-'",
                                chosen, *p);
    config->prefix = sl_strdup(chosen);
    config->delimiter = copy_of(props, "topic.delimiter");
    return SL_OK;
}

static void read_tables(const struct sl_props *props, struct sl_scylla_config *config)
{
    const char *cursor = text_of(props, "scylla.table.names");
    char item[300];

    while (cursor && sl_list_next(&cursor, item, sizeof(item))) {
        char *dot = strchr(item, '.');
        bool again = false;

        if (!dot)
            continue;
        *dot = '\0';
        for (uint32_t i = 0; i < config->n_tables; i++)
            again = again || (strcmp(config->tables[i].keyspace, item) == 0 &&
                              strcmp(config->tables[i].table, dot + 1) == 0);
        if (again)
            continue;
        config->tables = sl_realloc(config->tables, config->n_tables + 1, sizeof(*config->tables));
        config->tables[config->n_tables++] =
            (struct sl_scylla_table_name){.keyspace = sl_strdup(item), .table = sl_strdup(dot + 1)};
    }
}

static enum sl_rc read_tls(const struct sl_props *props, struct sl_cql_tls *tls, struct sl_error *err)
{
    tls->enabled = bool_of(props, "scylla.ssl.enabled");
    tls->truststore_path = copy_of(props, "scylla.ssl.truststore.path");
    tls->truststore_password = copy_of(props, "scylla.ssl.truststore.password");
    tls->keystore_path = copy_of(props, "scylla.ssl.keystore.path");
    tls->keystore_password = copy_of(props, "scylla.ssl.keystore.password");
    tls->certificate_path = copy_of(props, "scylla.ssl.openssl.keyCertChain");
    tls->key_path = copy_of(props, "scylla.ssl.openssl.privateKey");
    tls->ciphers = copy_of(props, "scylla.ssl.cipherSuites");
    tls->verify_host = bool_of(props, "sluice.scylla.ssl.verify.host");
    if (!tls->certificate_path != !tls->key_path)
        return sl_error_set(err, SL_E_CONFIG,
                            "scylla.ssl.openssl.%s is not given. HINT: scylla.ssl.openssl.keyCertChain and "
                            "scylla.ssl.openssl.privateKey go together",
                            tls->key_path ? "keyCertChain" : "privateKey");
    return SL_OK;
}

static enum sl_rc read_cluster(const struct sl_props *props, struct sl_scylla_config *config,
                               struct sl_error *err)
{
    struct sl_cql_config *cql = &config->cql;

    cql->contact_points = copy_of(props, "scylla.cluster.ip.addresses");
    cql->local_dc = copy_of(props, "scylla.local.dc");
    cql->user = copy_of(props, "scylla.user");
    cql->password = copy_of(props, "scylla.password");
    cql->compress = bool_of(props, "sluice.scylla.compression");
    cql->connections_per_host = (int)int_of(props, "worker.pooling.core.pool.local");
    cql->requests_per_connection = (int)int_of(props, "worker.pooling.max.requests.per.connection");
    cql->connect_timeout_ms = (int)int_of(props, "worker.pooling.pool.timeout.ms");
    cql->backoff_base_ms = (int)int_of(props, "worker.retry.backoff.base");
    cql->backoff_max_ms = (int)int_of(props, "worker.maximum.backoff");
    config->backoff_base_us = (int64_t)cql->backoff_base_ms * 1000;
    config->backoff_max_us = (int64_t)cql->backoff_max_ms * 1000;
    if (!cql->user != !cql->password)
        return sl_error_set(
            err, SL_E_CONFIG,
            "scylla.%s is not given. HINT: scylla.user and scylla.password go together; leave "
            "both out for a cluster without authentication",
            cql->user ? "password" : "user");
    return read_tls(props, &cql->tls, err);
}

static enum sl_scylla_snapshot_mode snapshot_mode(const struct sl_props *props)
{
    static const struct {
        const char *word;
        enum sl_scylla_snapshot_mode mode;
    } modes[] = {
        {"initial", SL_SCYLLA_SNAPSHOT_INITIAL},
        {"initial_only", SL_SCYLLA_SNAPSHOT_INITIAL_ONLY},
        {"when_needed", SL_SCYLLA_SNAPSHOT_WHEN_NEEDED},
        {"always", SL_SCYLLA_SNAPSHOT_ALWAYS},
    };

    for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++)
        if (is_word(props, "snapshot.mode", modes[i].word))
            return modes[i].mode;
    return SL_SCYLLA_SNAPSHOT_NONE;
}

static void read_reading(const struct sl_props *props, struct sl_scylla_config *config)
{
    const char *level = text_of(props, "scylla.consistency.level");

    config->consistency = SL_CQL_QUORUM;
    (void)sl_cql_consistency_parse(level, &config->consistency);
    config->page_rows = (int32_t)int_of(props, "scylla.query.options.fetch.size");
    config->requests_max = (uint32_t)int_of(props, "sluice.scylla.requests.max");
    config->window_ms = int_of(props, "scylla.query.time.window.size");
    config->confidence_ms = int_of(props, "scylla.confidence.window.size");
    config->minimal_wait_ms = int_of(props, "scylla.minimal.wait.for.window.time");
    config->lookback_ms = int_of(props, "scylla.initial.lookback.ms");
    config->go_on_when_expired = is_word(props, "sluice.scylla.expired", "continue");
    config->range_deletes = bool_of(props, "sluice.scylla.range.deletes");
    config->early = bool_of(props, "sluice.scylla.early.reads");
    config->early_interval_ms = int_of(props, "sluice.scylla.early.interval.ms");
    config->read_again = bool_of(props, "sluice.scylla.read.again");
    config->sweep_ms = int_of(props, "sluice.scylla.sweep.ms");
    config->sweep_interval_ms = int_of(props, "sluice.scylla.sweep.interval.ms");
    config->snapshot = snapshot_mode(props);
    config->snapshot_ranges = (uint32_t)int_of(props, "sluice.scylla.snapshot.ranges");
}

static void read_placement(const char *text, struct sl_scylla_placement *placement)
{
    const char *cursor = text;
    char item[64];

    while (cursor && sl_list_next(&cursor, item, sizeof(item))) {
        placement->kafka_key = placement->kafka_key || strcmp(item, "kafka-key") == 0;
        placement->payload_after = placement->payload_after || strcmp(item, "payload-after") == 0;
        placement->payload_before = placement->payload_before || strcmp(item, "payload-before") == 0;
        placement->payload_key = placement->payload_key || strcmp(item, "payload-key") == 0;
        placement->kafka_headers = placement->kafka_headers || strcmp(item, "kafka-headers") == 0;
    }
}

static enum sl_rc check_legacy(const struct sl_scylla_config *config, struct sl_error *err)
{
    const struct sl_scylla_placement *at = &config->placement;
    const char *key = NULL;

    if (config->before != SL_SCYLLA_IMAGE_NONE)
        key = "cdc.include.before";
    else if (config->after != SL_SCYLLA_IMAGE_NONE)
        key = "cdc.include.after";
    else if (!at->kafka_key || !at->payload_after || !at->payload_before || at->payload_key ||
             at->kafka_headers)
        key = "cdc.include.primary-key.placement";
    if (key)
        return sl_error_set(err, SL_E_CONFIG,
                            "%s has no place in the legacy shape. HINT: set cdc.output.format=advanced, or "
                            "leave it out",
                            key);
    return SL_OK;
}

static enum sl_rc read_shape(const struct sl_props *props, struct sl_scylla_config *config,
                             struct sl_error *err)
{
    config->advanced = is_word(props, "cdc.output.format", "advanced");
    config->preimages = bool_of(props, "experimental.preimages.enabled");
    config->before = image_of(props, "cdc.include.before");
    config->after = image_of(props, "cdc.include.after");
    read_placement(text_of(props, "cdc.include.primary-key.placement"), &config->placement);
    config->payload_key = copy_of(props, "cdc.include.primary-key.payload-key-name");
    if (!config->advanced)
        return check_legacy(config, err);
    if (config->line_1_2)
        return sl_error_set(err, SL_E_CONFIG,
                            "cdc.output.format=advanced belongs to connector line 2. HINT: set "
                            "sluice.compat.scylla=2, or cdc.output.format=legacy");
    if (config->preimages)
        return sl_error_set(err, SL_E_CONFIG,
                            "experimental.preimages.enabled belongs to the legacy shape. HINT: use "
                            "cdc.include.before=full instead");
    if (!config->placement.kafka_key)
        return sl_error_set(err, SL_E_CONFIG,
                            "cdc.include.primary-key.placement leaves out kafka-key: records would have no "
                            "key, which no converter writes. HINT: add kafka-key");
    return SL_OK;
}

static void read_events(const struct sl_props *props, struct sl_scylla_config *config)
{
    const char *cursor = text_of(props, "skipped.operations");
    char operation[16];

    while (cursor && sl_list_next(&cursor, operation, sizeof(operation))) {
        config->skip_create = config->skip_create || strcmp(operation, "c") == 0;
        config->skip_update = config->skip_update || strcmp(operation, "u") == 0;
        config->skip_delete = config->skip_delete || strcmp(operation, "d") == 0;
        config->skip_read = config->skip_read || strcmp(operation, "r") == 0;
    }
    config->tombstones = bool_of(props, "tombstones.on.delete");
    config->heartbeat_ms = int_of(props, "heartbeat.interval.ms");
    config->heartbeat_topic = sl_format("%s.%s", text_of(props, "topic.heartbeat.prefix"), config->prefix);
}

static uint32_t count_tasks(const struct sl_props *props)
{
    const char *text = sl_props_get(props, "tasks.max");
    int64_t max = 1;

    if (!text || !sl_parse_int64(text, &max) || max < 1)
        max = 1;
    return (uint32_t)(max < 64 ? max : 64);
}

enum sl_rc sl_scylla_config_read(const struct sl_props *props, struct sl_scylla_config **ret_config,
                                 struct sl_error *err)
{
    struct sl_scylla_config *config = sl_zalloc(1, sizeof(*config));
    enum sl_rc rc = read_name(props, config, err);

    if (rc == SL_OK)
        rc = read_cluster(props, config, err);
    if (rc == SL_OK)
        rc = read_shape(props, config, err);
    if (rc != SL_OK) {
        sl_scylla_config_free(config);
        return rc;
    }
    read_tables(props, config);
    read_reading(props, config);
    read_events(props, config);
    config->n_tasks = count_tasks(props);
    *ret_config = config;
    return SL_OK;
}

static void free_text(const char *text)
{
    union {
        const char *in;
        char *out;
    } unconst = {.in = text};

    if (text)
        explicit_bzero(unconst.out, strlen(text)); /* passwords are among them */
    sl_free(unconst.out);
}

void sl_scylla_config_free(struct sl_scylla_config *config)
{
    const struct sl_cql_tls *tls;

    if (!config)
        return;
    tls = &config->cql.tls;
    for (uint32_t i = 0; i < config->n_tables; i++) {
        sl_free(config->tables[i].keyspace);
        sl_free(config->tables[i].table);
    }
    sl_free(config->tables);
    free_text(config->cql.contact_points);
    free_text(config->cql.local_dc);
    free_text(config->cql.user);
    free_text(config->cql.password);
    free_text(tls->truststore_path);
    free_text(tls->truststore_password);
    free_text(tls->keystore_path);
    free_text(tls->keystore_password);
    free_text(tls->certificate_path);
    free_text(tls->key_path);
    free_text(tls->ciphers);
    sl_free(config->prefix);
    sl_free(config->delimiter);
    sl_free(config->payload_key);
    sl_free(config->heartbeat_topic);
    sl_free(config);
}

char *sl_scylla_topic_name(const struct sl_scylla_config *config, const char *keyspace, const char *table)
{
    const char *d = config->delimiter;
    char *name = sl_format("%s%s%s%s%s", config->prefix, d, keyspace, d, table);

    for (char *p = name; *p; p++)
        if (!isalnum((unsigned char)*p) && *p != '.' && *p != '_' && *p != '-')
            *p = '_';
    if (strlen(name) > 249)
        name[249] = '\0';
    return name;
}

char *sl_scylla_schema_name(const char *name)
{
    char *adjusted = sl_strdup(name);

    for (char *p = adjusted; *p; p++) {
        bool starts = p == adjusted || p[-1] == '.';

        if (!isalpha((unsigned char)*p) && *p != '_' && *p != '.' && (starts || !isdigit((unsigned char)*p)))
            *p = '_';
    }
    return adjusted;
}
