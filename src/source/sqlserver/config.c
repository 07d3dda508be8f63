/* SPDX-License-Identifier: Apache-2.0 */
#include "source/sqlserver/config.h"
#include "base/props.h"
#include "source/sqlserver/options.h"

#include <ctype.h>
#include <strings.h>

static const char *text_of(const struct sl_props *props, const char *name)
{
    const char *text = sl_option_text(sl_mssql_options, props, "", name);

    return text && *text ? text : NULL;
}

static int64_t int_of(const struct sl_props *props, const char *name)
{
    return sl_option_int(sl_mssql_options, props, "", name);
}

static bool bool_of(const struct sl_props *props, const char *name)
{
    return sl_option_bool(sl_mssql_options, props, "", name);
}

static char *copy_of(const struct sl_props *props, const char *name)
{
    const char *text = text_of(props, name);

    return text ? sl_strdup(text) : NULL;
}

struct word {
    const char *text;
    int value;
};

/* The value of a word that the option table has checked already. */
static int word_of(const struct sl_props *props, const char *name, const struct word *words)
{
    const char *text = text_of(props, name);

    for (const struct word *word = words; text && word->text; word++)
        if (strcasecmp(word->text, text) == 0)
            return word->value;
    return words[0].value;
}

static enum sl_rc read_target(const struct sl_props *props, struct sl_odbc_target *target,
                              struct sl_error *err)
{
    static const struct word encrypt[] = {
        {"optional", SL_ODBC_ENCRYPT_REQUEST}, {"false", SL_ODBC_ENCRYPT_OFF},
        {"no", SL_ODBC_ENCRYPT_OFF},           {"true", SL_ODBC_ENCRYPT_REQUIRE},
        {"yes", SL_ODBC_ENCRYPT_REQUIRE},      {"mandatory", SL_ODBC_ENCRYPT_REQUIRE},
        {"strict", SL_ODBC_ENCRYPT_STRICT},    {NULL, 0},
    };
    const char *trust = text_of(props, "database.trustServerCertificate");
    const char *intent = text_of(props, "database.applicationIntent");

    target->driver = copy_of(props, "sluice.odbc.driver");
    target->host = copy_of(props, "database.hostname");
    target->instance = copy_of(props, "database.instance");
    target->port =
        !target->instance || sl_props_get(props, "database.port") ? (int)int_of(props, "database.port") : 0;
    target->user = copy_of(props, "database.user");
    target->password = copy_of(props, "database.password");
    target->application = copy_of(props, "database.applicationName");
    target->encrypt = (enum sl_odbc_encrypt)word_of(props, "database.encrypt", encrypt);
    target->trust_server_certificate = !trust || strcasecmp(trust, "false") != 0;
    target->host_name_in_certificate = copy_of(props, "database.hostNameInCertificate");
    target->read_only = intent && strcasecmp(intent, "ReadOnly") == 0;
    target->packet_bytes = (int)int_of(props, "database.packetSize");
    target->login_timeout_s = (int)int_of(props, "database.loginTimeout");
    target->query_timeout_s = (int)((int_of(props, "database.query.timeout.ms") + 999) / 1000);
    if (target->encrypt >= SL_ODBC_ENCRYPT_REQUIRE && !target->trust_server_certificate &&
        (!target->driver || !strstr(target->driver, "msodbcsql")))
        return sl_error_set(err, SL_E_UNSUPPORTED,
                            "database.trustServerCertificate=false asks for the server's certificate to be "
                            "verified, which the FreeTDS driver cannot be told here. HINT: set "
                            "sluice.odbc.driver to Microsoft's driver, or trustServerCertificate=true");
    return SL_OK;
}

static enum sl_rc read_filters(const struct sl_props *props, struct sl_mssql_config *config,
                               struct sl_error *err)
{
    const struct {
        const char *name;
        struct sl_mssql_filter *filter;
    } filters[] = {
        {"table.include.list", &config->tables},
        {"table.exclude.list", &config->no_tables},
        {"schema.include.list", &config->schemas},
        {"schema.exclude.list", &config->no_schemas},
        {"column.include.list", &config->columns},
        {"column.exclude.list", &config->no_columns},
        {"capture.instance.include.list", &config->instances},
        {"capture.instance.exclude.list", &config->no_instances},
        {"snapshot.include.collection.list", &config->snapshot_tables},
    };

    for (size_t i = 0; i < sizeof(filters) / sizeof(*filters); i++) {
        enum sl_rc rc =
            sl_mssql_filter_read(filters[i].name, text_of(props, filters[i].name), filters[i].filter, err);

        if (rc != SL_OK)
            return rc;
        /* Each include list excludes its exclude list. */
        if (i % 2 == 1 && i < 8 && filters[i].filter->n && filters[i - 1].filter->n)
            return sl_error_set(err, SL_E_CONFIG, "%s and %s are both set. HINT: keep one of them",
                                filters[i - 1].name, filters[i].name);
    }
    return SL_OK;
}

static void add_item(char ***items, size_t *n, const char *text)
{
    *items = sl_realloc(*items, *n + 1, sizeof(**items));
    (*items)[(*n)++] = sl_strdup(text);
}

/* schema.table:colA,colB;other.table:colC */
static enum sl_rc read_keys(const char *text, struct sl_mssql_config *config, struct sl_error *err)
{
    char *copy = text ? sl_strdup(text) : NULL;
    char *rest = copy;
    char *part;
    enum sl_rc rc = SL_OK;

    while (rc == SL_OK && (part = strsep(&rest, ";"))) {
        char *columns = strrchr(part, ':');
        struct sl_mssql_custom_key *key;
        const char *cursor;
        char column[256];

        if (!*part)
            continue;
        if (!columns) {
            rc = sl_error_set(err, SL_E_CONFIG, "message.key.columns: '%s' is not schema.table:column,column",
                              part);
            break;
        }
        *columns = '\0';
        cursor = columns + 1;
        config->keys = sl_realloc(config->keys, config->n_keys + 1, sizeof(*config->keys));
        key = &config->keys[config->n_keys++];
        memset(key, 0, sizeof(*key));
        while (sl_list_next(&cursor, column, sizeof(column)))
            if (column[0])
                add_item(&key->columns, &key->n, column);
        rc = sl_mssql_filter_read("message.key.columns", part, &key->table, err);
    }
    sl_free(copy);
    return rc;
}

static enum sl_rc read_overrides(const struct sl_props *props, struct sl_mssql_config *config,
                                 struct sl_error *err)
{
    const char *cursor = text_of(props, "snapshot.select.statement.overrides");
    char table[512];

    while (cursor && sl_list_next(&cursor, table, sizeof(table))) {
        char *key = sl_format("snapshot.select.statement.overrides.%s", table);
        const char *select = sl_props_get(props, key);
        struct sl_mssql_override *override;

        sl_free(key);
        if (!table[0])
            continue;
        if (!select)
            return sl_error_set(err, SL_E_CONFIG,
                                "snapshot.select.statement.overrides names '%s'. HINT: add the key "
                                "snapshot.select.statement.overrides.%s with its SELECT",
                                table, table);
        config->overrides =
            sl_realloc(config->overrides, config->n_overrides + 1, sizeof(*config->overrides));
        override = &config->overrides[config->n_overrides++];
        override->table = sl_strdup(table);
        override->select = sl_strdup(select);
    }
    return SL_OK;
}

static void read_values(const struct sl_props *props, struct sl_mssql_config *config)
{
    static const struct word decimals[] = {{"precise", SL_MSSQL_DECIMAL_PRECISE},
                                           {"double", SL_MSSQL_DECIMAL_DOUBLE},
                                           {"string", SL_MSSQL_DECIMAL_STRING},
                                           {0}};
    static const struct word times[] = {{"adaptive", SL_MSSQL_TIME_ADAPTIVE},
                                        {"adaptive_time_microseconds", SL_MSSQL_TIME_ADAPTIVE_MICROSECONDS},
                                        {"connect", SL_MSSQL_TIME_CONNECT},
                                        {"isostring", SL_MSSQL_TIME_ISOSTRING},
                                        {"microseconds", SL_MSSQL_TIME_MICROSECONDS},
                                        {"nanoseconds", SL_MSSQL_TIME_NANOSECONDS},
                                        {0}};
    static const struct word binaries[] = {{"bytes", SL_MSSQL_BINARY_BYTES},
                                           {"base64", SL_MSSQL_BINARY_BASE64},
                                           {"base64-url-safe", SL_MSSQL_BINARY_BASE64_URL},
                                           {"hex", SL_MSSQL_BINARY_HEX},
                                           {0}};
    static const struct word adjust[] = {{"none", SL_NAME_ADJUST_NONE},
                                         {"avro", SL_NAME_ADJUST_AVRO},
                                         {"avro_unicode", SL_NAME_ADJUST_AVRO_UNICODE},
                                         {0}};
    static const struct word overflow[] = {{"warn", SL_MSSQL_OVERFLOW_WARN},
                                           {"skip", SL_MSSQL_OVERFLOW_SKIP},
                                           {"fail", SL_MSSQL_OVERFLOW_FAIL},
                                           {0}};

    (void)sl_envelope_shape_parse(text_of(props, "sluice.compat.debezium"), &config->shape);
    config->decimals = (enum sl_mssql_decimals)word_of(props, "decimal.handling.mode", decimals);
    config->times = (enum sl_mssql_times)word_of(props, "time.precision.mode", times);
    config->binaries = (enum sl_mssql_binaries)word_of(props, "binary.handling.mode", binaries);
    config->schema_names = (enum sl_name_adjust)word_of(props, "schema.name.adjustment.mode", adjust);
    config->field_names = (enum sl_name_adjust)word_of(props, "field.name.adjustment.mode", adjust);
    config->overflow =
        (enum sl_mssql_overflow)word_of(props, "event.converting.failure.handling.mode", overflow);
    config->placeholder = copy_of(props, "unavailable.value.placeholder");
}

static void read_events(const struct sl_props *props, struct sl_mssql_config *config)
{
    const char *cursor = text_of(props, "skipped.operations");
    char operation[16];

    config->tombstones = bool_of(props, "tombstones.on.delete");
    config->schema_changes = bool_of(props, "include.schema.changes");
    config->transactions = bool_of(props, "provide.transaction.metadata");
    config->extended_headers = bool_of(props, "extended.headers.enabled") && config->shape == SL_ENVELOPE_3_5;
    config->skip_unchanged = bool_of(props, "skip.messages.without.change");
    while (cursor && sl_list_next(&cursor, operation, sizeof(operation))) {
        config->skip_create = config->skip_create || strcmp(operation, "c") == 0;
        config->skip_update = config->skip_update || strcmp(operation, "u") == 0;
        config->skip_delete = config->skip_delete || strcmp(operation, "d") == 0;
    }
    config->prefix = copy_of(props, "topic.prefix");
    config->delimiter = copy_of(props, "topic.delimiter");
    config->transaction_topic = copy_of(props, "topic.transaction");
    config->history_class = copy_of(props, "schema.history.internal");
    config->history_topic = copy_of(props, "schema.history.internal.kafka.topic");
    config->history_servers = copy_of(props, "schema.history.internal.kafka.bootstrap.servers");
    config->history_file = copy_of(props, "schema.history.internal.file.filename");
}

static void read_snapshot(const struct sl_props *props, struct sl_mssql_config *config)
{
    static const struct word modes[] = {{"initial", SL_MSSQL_SNAPSHOT_INITIAL},
                                        {"initial_only", SL_MSSQL_SNAPSHOT_INITIAL_ONLY},
                                        {"always", SL_MSSQL_SNAPSHOT_ALWAYS},
                                        {"no_data", SL_MSSQL_SNAPSHOT_NO_DATA},
                                        {"schema_only", SL_MSSQL_SNAPSHOT_NO_DATA},
                                        {"recovery", SL_MSSQL_SNAPSHOT_RECOVERY},
                                        {"schema_only_recovery", SL_MSSQL_SNAPSHOT_RECOVERY},
                                        {"when_needed", SL_MSSQL_SNAPSHOT_WHEN_NEEDED},
                                        {"when_needed_no_data", SL_MSSQL_SNAPSHOT_WHEN_NEEDED_NO_DATA},
                                        {0}};
    static const struct word isolations[] = {{"adaptive", SL_MSSQL_ISOLATION_ADAPTIVE},
                                             {"snapshot", SL_MSSQL_ISOLATION_SNAPSHOT},
                                             {"read_committed", SL_MSSQL_ISOLATION_READ_COMMITTED},
                                             {"repeatable_read", SL_MSSQL_ISOLATION_REPEATABLE_READ},
                                             {"exclusive", SL_MSSQL_ISOLATION_EXCLUSIVE},
                                             {"read_uncommitted", SL_MSSQL_ISOLATION_READ_UNCOMMITTED},
                                             {0}};

    config->snapshot = (enum sl_mssql_snapshot_mode)word_of(props, "snapshot.mode", modes);
    config->isolation = (enum sl_mssql_isolation)word_of(props, "snapshot.isolation.mode", isolations);
    config->lock_tables = config->isolation == SL_MSSQL_ISOLATION_EXCLUSIVE;
    config->lock_timeout_ms = int_of(props, "snapshot.lock.timeout.ms");
}

static void read_limits(const struct sl_props *props, struct sl_mssql_config *config)
{
    int64_t transactions = int_of(props, "max.iteration.transactions");

    config->poll_interval_us = int_of(props, "poll.interval.ms") * 1000;
    config->batch_records = (uint32_t)int_of(props, "max.batch.size");
    config->window_transactions = transactions ? (int)transactions : 5000;
    config->max_connections = (int)int_of(props, "sluice.max.connections");
}

enum sl_rc sl_mssql_config_read(const struct sl_props *props, struct sl_mssql_config **ret_config,
                                struct sl_error *err)
{
    struct sl_mssql_config *config;
    const char *cursor;
    char database[256];
    enum sl_rc rc = sl_mssql_options_refuse(props, err);

    if (rc != SL_OK)
        return rc;
    config = sl_zalloc(1, sizeof(*config));
    read_values(props, config);
    read_events(props, config);
    read_snapshot(props, config);
    read_limits(props, config);
    cursor = text_of(props, "database.names");
    while (cursor && sl_list_next(&cursor, database, sizeof(database)))
        if (database[0])
            add_item(&config->databases, &config->n_databases, database);
    if (!config->n_databases)
        rc = sl_error_set(err, SL_E_CONFIG, "database.names names no database");
    if (rc == SL_OK)
        rc = read_target(props, &config->target, err);
    if (rc == SL_OK)
        rc = read_filters(props, config, err);
    if (rc == SL_OK)
        rc = read_keys(text_of(props, "message.key.columns"), config, err);
    if (rc == SL_OK)
        rc = read_overrides(props, config, err);
    if (rc != SL_OK)
        sl_mssql_config_free(config);
    else
        *ret_config = config;
    return rc;
}

static void free_text(const char *text)
{
    union {
        const char *in;
        char *out;
    } unconst = {.in = text};

    sl_free(unconst.out);
}

static void free_target(struct sl_odbc_target *target)
{
    if (target->password)
        explicit_bzero((void *)(uintptr_t)target->password, strlen(target->password));
    free_text(target->password);
    free_text(target->driver);
    free_text(target->host);
    free_text(target->instance);
    free_text(target->user);
    free_text(target->application);
    free_text(target->host_name_in_certificate);
}

static void free_items(char **items, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sl_free(items[i]);
    sl_free(items);
}

void sl_mssql_config_free(struct sl_mssql_config *config)
{
    struct sl_mssql_filter *filters[] = {
        &config->tables,     &config->no_tables,    &config->schemas,
        &config->no_schemas, &config->columns,      &config->no_columns,
        &config->instances,  &config->no_instances, &config->snapshot_tables};

    for (size_t i = 0; i < sizeof(filters) / sizeof(*filters); i++)
        sl_mssql_filter_done(filters[i]);
    for (size_t i = 0; i < config->n_keys; i++) {
        sl_mssql_filter_done(&config->keys[i].table);
        free_items(config->keys[i].columns, config->keys[i].n);
    }
    sl_free(config->keys);
    for (size_t i = 0; i < config->n_overrides; i++) {
        sl_free(config->overrides[i].table);
        sl_free(config->overrides[i].select);
    }
    sl_free(config->overrides);
    free_items(config->databases, config->n_databases);
    free_target(&config->target);
    sl_free(config->prefix);
    sl_free(config->delimiter);
    sl_free(config->transaction_topic);
    sl_free(config->history_class);
    sl_free(config->history_topic);
    sl_free(config->history_servers);
    sl_free(config->history_file);
    sl_free(config->placeholder);
    sl_free(config);
}

const char *sl_mssql_config_override(const struct sl_mssql_config *config, const char *database,
                                     const char *schema, const char *table)
{
    char *full = sl_format("%s.%s.%s", database, schema, table);
    const char *select = NULL;

    for (size_t i = 0; i < config->n_overrides; i++)
        if (strcasecmp(config->overrides[i].table, full) == 0 ||
            strcasecmp(config->overrides[i].table, full + strlen(database) + 1) == 0)
            select = config->overrides[i].select;
    sl_free(full);
    return select;
}
