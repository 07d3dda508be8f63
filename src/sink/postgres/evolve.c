/* SPDX-License-Identifier: Apache-2.0 */
/*
 * auto.create and auto.evolve: the column types and the shape of the statements are those of Confluent's JDBC
 * sink (GenericDatabaseDialect.buildCreateTableStatement, buildAlterTable;
 * PostgreSqlDatabaseDialect.getSqlType), so that a table made by either looks the same. Debezium's semantic
 * types keep the type that carries them.
 */
#include "sink/postgres/bind.h"
#include "sink/postgres/plan.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

static const char *plain_type(const struct sl_schema *schema)
{
    switch (schema->type) {
    case SL_INT8:
    case SL_INT16: return "SMALLINT";
    case SL_INT32: return "INT";
    case SL_INT64: return "BIGINT";
    case SL_FLOAT32: return "REAL";
    case SL_FLOAT64: return "DOUBLE PRECISION";
    case SL_BOOLEAN: return "BOOLEAN";
    case SL_STRING: return "TEXT";
    case SL_BYTES: return "BYTEA";
    case SL_ABSENT:
    case SL_NULL:
    case SL_ARRAY:
    case SL_MAP:
    case SL_STRUCT: break;
    }
    return NULL;
}

static const char *logical_type(const struct sl_schema *schema)
{
    if (schema->semantic == SL_SEM_DECIMAL)
        return "DECIMAL";
    if (schema->semantic == SL_SEM_DATE)
        return "DATE";
    if (schema->semantic == SL_SEM_TIME)
        return "TIME";
    return schema->semantic == SL_SEM_TIMESTAMP ? "TIMESTAMP" : NULL;
}

static bool put_type(const struct sl_pgsink_config *config, const struct sl_pgsink_new_column *column,
                     struct sl_buf *sql)
{
    const struct sl_schema *schema = column->schema;
    const char *type = logical_type(schema);

    if (!type && schema->type == SL_INT64 && sl_pgsink_names_have(&config->timestamp_fields, column->name))
        type = "TIMESTAMP";
    if (!type && schema->type == SL_ARRAY) {
        type = logical_type(schema->element) || schema->element->type == SL_BYTES
                   ? NULL
                   : plain_type(schema->element);
        if (type)
            sl_buf_format(sql, "%s[]", type);
        return type != NULL;
    }
    if (!type)
        type = plain_type(schema);
    if (type)
        sl_buf_text(sql, type);
    return type != NULL;
}

/* Milliseconds since 1970 as a date, a time of day, or both. */
static void put_instant(struct sl_buf *sql, int64_t ms, bool date, bool time_of_day)
{
    time_t seconds = (time_t)(ms / 1000 - (ms % 1000 < 0));
    struct tm parts = {0};

    (void)gmtime_r(&seconds, &parts);
    sl_buf_u8(sql, '\'');
    if (date)
        sl_buf_format(sql, "%04d-%02d-%02d", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday);
    if (time_of_day)
        sl_buf_format(sql, "%s%02d:%02d:%02d.%03d", date ? " " : "", parts.tm_hour, parts.tm_min,
                      parts.tm_sec, (int)(ms - (int64_t)seconds * 1000));
    sl_buf_u8(sql, '\'');
}

/* An unscaled number as a decimal constant. */
static void put_decimal(struct sl_buf *sql, struct sl_value value, int32_t scale)
{
    int64_t unscaled = value.len && value.bytes[0] & 0x80 ? -1 : 0;
    char digits[32];
    int n;

    for (uint32_t i = 0; i < value.len && i < 8; i++)
        unscaled = (int64_t)((uint64_t)unscaled << 8 | value.bytes[i]);
    n = snprintf(digits, sizeof(digits), "%llu",
                 unscaled < 0 ? -(unsigned long long)unscaled : (unsigned long long)unscaled);
    sl_buf_text(sql, unscaled < 0 ? "-" : "");
    if (scale <= 0) {
        sl_buf_format(sql, "%se%d", digits, -scale);
        return;
    }
    if (n <= scale)
        sl_buf_text(sql, "0");
    else
        sl_buf_put(sql, digits, (size_t)(n - scale));
    sl_buf_u8(sql, '.');
    for (int i = n; i < scale; i++)
        sl_buf_u8(sql, '0');
    sl_buf_text(sql, n > scale ? digits + n - scale : digits);
}

static void put_float(struct sl_buf *sql, double number)
{
    if (isnan(number) || isinf(number))
        sl_buf_format(sql, "'%s'", isnan(number) ? "NaN" : number < 0 ? "-Infinity" : "Infinity");
    else
        sl_buf_format(sql, "%.17g", number);
}

static bool put_text_constant(struct sl_buf *sql, struct sl_value value)
{
    char *text;

    if (sl_pgsink_check_text(value.bytes, value.len))
        return false;
    text = sl_strndup((const char *)value.bytes, value.len);
    sl_pg_quote_text(sql, text);
    sl_free(text);
    return true;
}

static void put_bytes_constant(struct sl_buf *sql, struct sl_value value)
{
    sl_buf_text(sql, "'\\x");
    for (uint32_t i = 0; i < value.len; i++)
        sl_buf_format(sql, "%02x", value.bytes[i]);
    sl_buf_u8(sql, '\'');
}

/* The schema's default as a constant. False: it has no such form, and the column gets none. */
static bool put_default(struct sl_buf *sql, const struct sl_schema *schema)
{
    struct sl_value value = schema->default_value;

    if (schema->semantic == SL_SEM_DECIMAL && value.len > 8)
        return false;
    if (schema->semantic == SL_SEM_DECIMAL)
        put_decimal(sql, value, schema->scale);
    else if (schema->semantic == SL_SEM_DATE)
        put_instant(sql, value.i * 86400000, true, false);
    else if (schema->semantic == SL_SEM_TIME)
        put_instant(sql, value.i, false, true);
    else if (schema->semantic == SL_SEM_TIMESTAMP)
        put_instant(sql, value.i, true, true);
    if (logical_type(schema))
        return true;
    switch ((enum sl_type)value.tag) {
    case SL_INT8:
    case SL_INT16:
    case SL_INT32:
    case SL_INT64: sl_buf_format(sql, "%lld", (long long)value.i); return true;
    case SL_FLOAT32:
    case SL_FLOAT64: put_float(sql, value.d); return true;
    case SL_BOOLEAN: sl_buf_text(sql, value.i ? "TRUE" : "FALSE"); return true;
    case SL_STRING: return put_text_constant(sql, value);
    case SL_BYTES: put_bytes_constant(sql, value); return true;
    case SL_ABSENT:
    case SL_NULL:
    case SL_ARRAY:
    case SL_MAP:
    case SL_STRUCT: break;
    }
    return false;
}

static enum sl_rc put_column(const struct sl_pgsink_config *config, const char *path,
                             const struct sl_pgsink_new_column *column, struct sl_buf *sql,
                             struct sl_error *err)
{
    const struct sl_schema *schema = column->schema;
    size_t before;

    sl_pg_quote_name(sql, column->name);
    sl_buf_u8(sql, ' ');
    if (!put_type(config, column, sql))
        return sl_error_set(
            err, SL_E_SCHEMA,
            "table %s: %s (%s) type doesn't have a mapping to the SQL database column type (field "
            "'%s'). HINT: create the column yourself or leave the field out with fields.whitelist",
            path, schema->name ? schema->name : "null", sl_type_name(schema->type), column->name);
    before = sql->len;
    if (schema->has_default && !sl_is_null(schema->default_value)) {
        sl_buf_text(sql, " DEFAULT ");
        if (put_default(sql, schema))
            return SL_OK;
        sql->len = before;
    }
    sl_buf_text(sql, schema->optional && !column->is_key ? " NULL" : " NOT NULL");
    return SL_OK;
}

enum sl_rc sl_pgsink_create_sql(const struct sl_pgsink_config *config, const char *path,
                                const struct sl_pgsink_new_column *columns, size_t n, struct sl_buf *sql,
                                struct sl_error *err)
{
    bool keyed = false;

    sl_buf_format(sql, "CREATE TABLE %s (", path);
    for (size_t i = 0; i < n; i++) {
        enum sl_rc rc;

        sl_buf_text(sql, i ? ",\n" : "\n");
        rc = put_column(config, path, &columns[i], sql, err);
        if (rc != SL_OK)
            return rc;
        keyed |= columns[i].is_key;
    }
    if (keyed) {
        const char *comma = ",\nPRIMARY KEY(";

        for (size_t i = 0; i < n; i++) {
            if (!columns[i].is_key)
                continue;
            sl_buf_text(sql, comma);
            sl_pg_quote_name(sql, columns[i].name);
            comma = ",";
        }
        sl_buf_text(sql, ")");
    }
    sl_buf_text(sql, ")");
    return SL_OK;
}

enum sl_rc sl_pgsink_alter_sql(const struct sl_pgsink_config *config, const char *path,
                               const struct sl_pgsink_new_column *columns, size_t n, struct sl_buf *sql,
                               struct sl_error *err)
{
    sl_buf_format(sql, "ALTER TABLE %s ", path);
    for (size_t i = 0; i < n; i++) {
        enum sl_rc rc;

        sl_buf_text(sql, i ? "," : "");
        sl_buf_text(sql, n > 1 ? "\nADD " : "ADD ");
        rc = put_column(config, path, &columns[i], sql, err);
        if (rc != SL_OK)
            return rc;
    }
    return SL_OK;
}
