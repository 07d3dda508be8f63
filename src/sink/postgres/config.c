/* SPDX-License-Identifier: Apache-2.0 */
#include "sink/postgres/config.h"

#include "base/props.h"

#include <stdio.h>
#include <strings.h>

static const char *const insert_modes[] = {"insert", "upsert", "update", NULL};
static const char *const pk_modes[] = {"none", "kafka", "record_key", "record_value", NULL};
static const char *const quote_words[] = {"always", "never", NULL};
static const char *const table_type_words[] = {"TABLE", "PARTITIONED TABLE", "VIEW", NULL};
static const char *const date_zones[] = {"DB_TIMEZONE", "UTC", NULL};
static const char *const precisions[] = {"microseconds", "nanoseconds", NULL};
static const char *const calendars[] = {"LEGACY", "PROLEPTIC_GREGORIAN", NULL};

static const char *check_url(const char *text)
{
    return strncasecmp(text, "jdbc:postgresql:", 16) == 0
               ? NULL
               : "does not begin with jdbc:postgresql: (PostgreSQL is the only target)";
}

static const char *check_dialect(const char *text)
{
    return !*text || strncasecmp(text, "PostgreSql", 10) == 0
               ? NULL
               : "only PostgreSqlDatabaseDialect is known here";
}

static const char *check_credentials(const char *text)
{
    const char *default_class = "io.confluent.connect.jdbc.util.DefaultJdbcCredentialsProvider";

    return !*text || strcmp(text, default_class) == 0
               ? NULL
               : "Java classes cannot be loaded here: give connection.user and connection.password";
}

static const char *check_table_format(const char *text)
{
    return *text ? NULL : "must not be empty";
}

#define HIGH SL_IMPORTANCE_HIGH
#define MEDIUM SL_IMPORTANCE_MEDIUM
#define LOW SL_IMPORTANCE_LOW

const struct sl_option sl_pgsink_options[] = {
    {.name = "connection.url",
     .type = SL_OPT_STRING,
     .required = true,
     .importance = HIGH,
     .doc = "JDBC URL of the target database: jdbc:postgresql://host:port/database?option=value.",
     .validate = check_url},
    {.name = "connection.user", .type = SL_OPT_STRING, .importance = HIGH, .doc = "User to log in as."},
    {.name = "connection.password",
     .type = SL_OPT_PASSWORD,
     .importance = HIGH,
     .doc = "Password of the user."},
    {.name = "dialect.name",
     .type = SL_OPT_STRING,
     .default_text = "",
     .importance = LOW,
     .doc = "Database dialect; only PostgreSqlDatabaseDialect.",
     .validate = check_dialect},
    {.name = "jdbc.credentials.provider.class",
     .type = SL_OPT_CLASS,
     .importance = LOW,
     .doc = "Only the default provider, which takes connection.user and connection.password.",
     .validate = check_credentials},
    {.name = "connection.attempts",
     .type = SL_OPT_INT,
     .default_text = "3",
     .importance = LOW,
     .doc = "Taken for compatibility; connecting is tried again for ever, with backoff.",
     .min = 1,
     .max = INT32_MAX},
    {.name = "connection.backoff.ms",
     .type = SL_OPT_LONG,
     .default_text = "10000",
     .importance = LOW,
     .doc = "Taken for compatibility; see connection.attempts.",
     .min = 1,
     .max = INT64_MAX},
    {.name = "connection.*",
     .type = SL_OPT_STRING,
     .importance = LOW,
     .doc = "Further pgjdbc connection properties, e.g. connection.sslmode."},
    {.name = "insert.mode",
     .type = SL_OPT_STRING,
     .default_text = "insert",
     .importance = HIGH,
     .doc = "insert (each record is a new row), upsert (the last state of each key), update (existing rows "
            "only).",
     .values = insert_modes},
    {.name = "batch.size",
     .type = SL_OPT_INT,
     .default_text = "3000",
     .importance = MEDIUM,
     .doc = "Most rows that one statement carries.",
     .min = 1,
     .max = 1000000},
    {.name = "delete.enabled",
     .type = SL_OPT_BOOLEAN,
     .default_text = "false",
     .importance = MEDIUM,
     .doc = "Treat records without a value as deletes; needs pk.mode=record_key."},
    {.name = "table.types",
     .type = SL_OPT_LIST,
     .default_text = "TABLE",
     .importance = LOW,
     .doc = "Kinds of relation that are taken as an existing target.",
     .values = table_type_words},
    {.name = "replace.null.with.default",
     .type = SL_OPT_BOOLEAN,
     .default_text = "true",
     .importance = MEDIUM,
     .doc = "Write the schema's default where a field that has one is null."},
    {.name = "table.name.format",
     .type = SL_OPT_STRING,
     .default_text = "${topic}",
     .importance = MEDIUM,
     .doc = "Target table; ${topic} is the record's topic; dots separate schema and table.",
     .validate = check_table_format},
    {.name = "pk.mode",
     .type = SL_OPT_STRING,
     .default_text = "none",
     .importance = HIGH,
     .doc =
         "Where the key columns come from: none, kafka (topic, partition, offset), record_key, record_value.",
     .values = pk_modes},
    {.name = "pk.fields",
     .type = SL_OPT_LIST,
     .default_text = "",
     .importance = MEDIUM,
     .doc = "Names of the key columns; empty: all fields of the key (or value)."},
    {.name = "fields.whitelist",
     .type = SL_OPT_LIST,
     .default_text = "",
     .importance = MEDIUM,
     .doc = "Value fields to write; empty: all. Key fields always stay.",
     .alias = "fields.included"},
    {.name = "db.timezone",
     .type = SL_OPT_STRING,
     .default_text = "UTC",
     .importance = MEDIUM,
     .doc = "Time zone in which Connect's Date, Time and Timestamp are written to columns without a zone."},
    {.name = "date.timezone",
     .type = SL_OPT_STRING,
     .default_text = "DB_TIMEZONE",
     .importance = LOW,
     .doc = "UTC: Connect's Date is not moved by db.timezone.",
     .values = date_zones},
    {.name = "timestamp.fields.list",
     .type = SL_OPT_LIST,
     .default_text = "",
     .importance = LOW,
     .doc = "int64 fields that are timestamps though their schema does not say so."},
    {.name = "timestamp.precision.mode",
     .type = SL_OPT_STRING,
     .default_text = "microseconds",
     .importance = LOW,
     .doc = "Unit of those fields.",
     .values = precisions},
    {.name = "date.calendar.system",
     .type = SL_OPT_STRING,
     .default_text = "LEGACY",
     .importance = LOW,
     .doc = "Taken for compatibility; dates are always proleptic Gregorian.",
     .values = calendars},
    {.name = "string.output.value.column.name",
     .type = SL_OPT_STRING,
     .default_text = "record_value",
     .importance = LOW,
     .doc = "Column for a record whose value is a bare string."},
    {.name = "auto.create",
     .type = SL_OPT_BOOLEAN,
     .default_text = "false",
     .importance = MEDIUM,
     .doc = "Create a missing target table from the record's schema."},
    {.name = "auto.evolve",
     .type = SL_OPT_BOOLEAN,
     .default_text = "false",
     .importance = MEDIUM,
     .doc = "Add missing columns to the target table."},
    {.name = "quote.sql.identifiers",
     .type = SL_OPT_STRING,
     .default_text = "always",
     .importance = LOW,
     .doc = "always: names keep their case; never: names are folded to lower case.",
     .values = quote_words},
    {.name = "mssql.use.merge.holdlock",
     .type = SL_OPT_BOOLEAN,
     .default_text = "true",
     .importance = LOW,
     .doc = "Taken for compatibility; means nothing for PostgreSQL."},
    {.name = "poll.interval.ms",
     .type = SL_OPT_INT,
     .importance = LOW,
     .doc = "Taken for compatibility: a sink is woken when there is something to apply.",
     .min = 0,
     .max = INT32_MAX},
    {.name = "max.retries",
     .type = SL_OPT_INT,
     .default_text = "10",
     .importance = LOW,
     .doc = "Taken for compatibility; what can be retried is retried with backoff, what cannot is not.",
     .min = 0,
     .max = INT32_MAX},
    {.name = "retry.backoff.ms",
     .type = SL_OPT_INT,
     .default_text = "3000",
     .importance = LOW,
     .doc = "Taken for compatibility; see max.retries.",
     .min = 0,
     .max = INT32_MAX},
    {.name = "trim.sensitive.log",
     .type = SL_OPT_BOOLEAN,
     .default_text = "false",
     .importance = LOW,
     .doc = "Taken for compatibility; values of rows are never logged."},
    {.name = "sluice.row.wait.ms",
     .type = SL_OPT_INT,
     .default_text = "5000",
     .importance = LOW,
     .doc = "How long a row that violates a foreign key or another unique index is tried again before it is "
            "bad.",
     .min = 0,
     .max = 3600000},
    {.name = "sluice.offsets.schema",
     .type = SL_OPT_STRING,
     .default_text = "",
     .importance = LOW,
     .doc = "Schema of the table that keeps the log positions; empty: the first one of search_path."},
    {.name = "sluice.offsets.table",
     .type = SL_OPT_STRING,
     .default_text = "sluice_offsets",
     .importance = LOW,
     .doc = "Table that keeps the log positions, in the same transactions as the rows."},
    {.name = NULL},
};

static const char *text_of(const struct sl_props *props, const char *name)
{
    const char *text = sl_option_text(sl_pgsink_options, props, "", name);

    return text ? text : "";
}

static bool flag_of(const struct sl_props *props, const char *name)
{
    return sl_option_bool(sl_pgsink_options, props, "", name);
}

static int word_of(const struct sl_props *props, const char *name, const char *const *words)
{
    const char *text = text_of(props, name);

    for (int i = 0; words[i]; i++) {
        if (strcasecmp(words[i], text) == 0)
            return i;
    }
    return 0;
}

static void read_names(const struct sl_props *props, const char *name, struct sl_pgsink_names *names)
{
    const char *cursor = text_of(props, name);
    char item[512];

    while (sl_list_next(&cursor, item, sizeof(item))) {
        if (!*item)
            continue;
        SL_GROW(names->items, names->n, names->capacity);
        names->items[names->n++] = sl_strdup(item);
    }
}

bool sl_pgsink_names_have(const struct sl_pgsink_names *names, const char *name)
{
    for (size_t i = 0; i < names->n; i++) {
        if (strcmp(names->items[i], name) == 0)
            return true;
    }
    return false;
}

static void names_done(struct sl_pgsink_names *names)
{
    for (size_t i = 0; i < names->n; i++)
        sl_free(names->items[i]);
    sl_free(names->items);
}

/*
 * Java's zone names to PostgreSQL's: the same, but for "GMT+2", which POSIX reads as two hours west.
 */
static char *read_zone(const char *java)
{
    int hours;
    int minutes = 0;
    char sign;

    if (strncmp(java, "GMT", 3) == 0 && sscanf(java + 3, "%c%2d:%2d", &sign, &hours, &minutes) >= 2 &&
        (sign == '+' || sign == '-'))
        return sl_format("<%s>%c%02d:%02d", java + 3, sign == '+' ? '-' : '+', hours, minutes);
    return sl_strdup(java);
}

static bool is_utc(const char *zone)
{
    static const char *const words[] = {"UTC", "GMT", "Z", "Etc/UTC", "Etc/GMT", "UCT", "Zulu"};

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        if (strcasecmp(words[i], zone) == 0)
            return true;
    }
    return false;
}

static enum sl_rc read_connection(const struct sl_props *props, struct sl_pg_params *params,
                                  struct sl_error *err)
{
    static const char *const ours[] = {"url", "attempts", "backoff.ms", "user", "password"};
    const char *user = text_of(props, "connection.user");
    const char *password = text_of(props, "connection.password");
    enum sl_rc rc = sl_pg_params_url(params, text_of(props, "connection.url"), err);

    if (rc != SL_OK)
        return rc;
    for (size_t i = 0; i < sl_props_count(props); i++) {
        const char *key;
        const char *value;
        bool is_ours = false;

        sl_props_at(props, i, &key, &value);
        if (strncmp(key, "connection.", 11) != 0)
            continue;
        for (size_t k = 0; k < sizeof(ours) / sizeof(*ours); k++)
            is_ours |= strcmp(key + 11, ours[k]) == 0;
        if (!is_ours)
            sl_pg_params_property(params, key + 11, value);
    }
    if (*user)
        sl_pg_params_set(params, "user", user);
    if (*password)
        sl_pg_params_set(params, "password", password);
    if (!sl_pg_params_get(params, "dbname") && sl_pg_params_get(params, "user"))
        sl_pg_params_set(params, "dbname", sl_pg_params_get(params, "user"));
    return SL_OK;
}

static enum sl_rc check_contradictions(const struct sl_pgsink_config *config, struct sl_error *err)
{
    if (config->delete_enabled && config->pk_mode != SL_PGSINK_PK_KEY)
        return sl_error_set(
            err, SL_E_CONFIG,
            "delete.enabled=true needs pk.mode=record_key: a delete carries nothing but its key. "
            "HINT: set pk.mode=record_key, or delete.enabled=false");
    if (config->insert_mode != SL_PGSINK_INSERT && config->pk_mode == SL_PGSINK_PK_NONE)
        return sl_error_set(
            err, SL_E_CONFIG,
            "insert.mode=%s needs key columns, and pk.mode is none. HINT: set pk.mode to record_key "
            "or record_value",
            insert_modes[config->insert_mode]);
    if (config->pk_mode == SL_PGSINK_PK_KAFKA && config->pk_fields.n != 0 && config->pk_fields.n != 3)
        return sl_error_set(err, SL_E_CONFIG,
                            "pk.fields must name three columns (topic, partition, offset) or none when "
                            "pk.mode=kafka, and names %zu",
                            config->pk_fields.n);
    return SL_OK;
}

enum sl_rc sl_pgsink_config_read(const struct sl_props *props, struct sl_pgsink_config *ret,
                                 struct sl_error *err)
{
    struct sl_pgsink_config config = {
        .insert_mode = (enum sl_pgsink_insert_mode)word_of(props, "insert.mode", insert_modes),
        .pk_mode = (enum sl_pgsink_pk_mode)word_of(props, "pk.mode", pk_modes),
        .timestamp_nanos = word_of(props, "timestamp.precision.mode", precisions) == 1,
        .delete_enabled = flag_of(props, "delete.enabled"),
        .auto_create = flag_of(props, "auto.create"),
        .auto_evolve = flag_of(props, "auto.evolve"),
        .null_to_default = flag_of(props, "replace.null.with.default"),
        .quote_never = word_of(props, "quote.sql.identifiers", quote_words) == 1,
        .table_format = sl_strdup(text_of(props, "table.name.format")),
        .string_column = sl_strdup(text_of(props, "string.output.value.column.name")),
        .zone = read_zone(text_of(props, "db.timezone")),
        .zone_is_utc = is_utc(text_of(props, "db.timezone")),
        .date_in_utc = word_of(props, "date.timezone", date_zones) == 1,
        .batch_rows = (uint32_t)sl_option_int(sl_pgsink_options, props, "", "batch.size"),
        .row_wait_us = sl_option_int(sl_pgsink_options, props, "", "sluice.row.wait.ms") * 1000,
        .offsets_schema = sl_strdup(text_of(props, "sluice.offsets.schema")),
        .offsets_table = sl_strdup(text_of(props, "sluice.offsets.table")),
    };
    enum sl_rc rc;

    read_names(props, "pk.fields", &config.pk_fields);
    read_names(props, "fields.whitelist", &config.whitelist);
    read_names(props, "timestamp.fields.list", &config.timestamp_fields);
    read_names(props, "table.types", &config.table_types);
    rc = read_connection(props, &config.connection, err);
    if (rc == SL_OK)
        rc = check_contradictions(&config, err);
    if (rc != SL_OK) {
        sl_pgsink_config_done(&config);
        return rc;
    }
    *ret = config;
    return SL_OK;
}

void sl_pgsink_config_done(struct sl_pgsink_config *config)
{
    sl_pg_params_done(&config->connection);
    names_done(&config->pk_fields);
    names_done(&config->whitelist);
    names_done(&config->timestamp_fields);
    names_done(&config->table_types);
    sl_free(config->table_format);
    sl_free(config->string_column);
    sl_free(config->zone);
    sl_free(config->offsets_schema);
    sl_free(config->offsets_table);
    *config = (struct sl_pgsink_config){0};
}
