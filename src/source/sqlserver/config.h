/* SPDX-License-Identifier: Apache-2.0 */
/* The connector's settings, read once from its properties. Immutable afterwards. */
#ifndef SLUICE_SOURCE_SQLSERVER_CONFIG_H
#define SLUICE_SOURCE_SQLSERVER_CONFIG_H

#include "codec/envelope.h"
#include "net/odbc/odbc.h"
#include "sluice/option.h"
#include "codec/name_adjust.h"
#include "source/sqlserver/filter.h"

enum sl_mssql_decimals { SL_MSSQL_DECIMAL_PRECISE, SL_MSSQL_DECIMAL_DOUBLE, SL_MSSQL_DECIMAL_STRING };

enum sl_mssql_times {
    SL_MSSQL_TIME_ADAPTIVE,
    SL_MSSQL_TIME_ADAPTIVE_MICROSECONDS,
    SL_MSSQL_TIME_CONNECT,
    SL_MSSQL_TIME_ISOSTRING,
    SL_MSSQL_TIME_MICROSECONDS,
    SL_MSSQL_TIME_NANOSECONDS,
};

enum sl_mssql_binaries {
    SL_MSSQL_BINARY_BYTES,
    SL_MSSQL_BINARY_BASE64,
    SL_MSSQL_BINARY_BASE64_URL,
    SL_MSSQL_BINARY_HEX,
};

enum sl_mssql_snapshot_mode {
    SL_MSSQL_SNAPSHOT_INITIAL,
    SL_MSSQL_SNAPSHOT_INITIAL_ONLY,
    SL_MSSQL_SNAPSHOT_ALWAYS,
    SL_MSSQL_SNAPSHOT_NO_DATA,
    SL_MSSQL_SNAPSHOT_RECOVERY,
    SL_MSSQL_SNAPSHOT_WHEN_NEEDED,
    SL_MSSQL_SNAPSHOT_WHEN_NEEDED_NO_DATA,
};

enum sl_mssql_isolation {
    SL_MSSQL_ISOLATION_ADAPTIVE,
    SL_MSSQL_ISOLATION_SNAPSHOT,
    SL_MSSQL_ISOLATION_READ_COMMITTED,
    SL_MSSQL_ISOLATION_REPEATABLE_READ,
    SL_MSSQL_ISOLATION_EXCLUSIVE,
    SL_MSSQL_ISOLATION_READ_UNCOMMITTED,
};

enum sl_mssql_overflow { SL_MSSQL_OVERFLOW_WARN, SL_MSSQL_OVERFLOW_SKIP, SL_MSSQL_OVERFLOW_FAIL };

/* Key columns that the user named for the tables that a pattern matches. */
struct sl_mssql_custom_key {
    struct sl_mssql_filter table;
    char **columns;
    size_t n;
};

struct sl_mssql_override {
    char *table;  /* schema.table or database.schema.table, lower case */
    char *select; /* the statement */
};

struct sl_mssql_config {
    char *prefix, *delimiter, *transaction_topic;
    char *history_class, *history_topic, *history_servers, *history_file; /* NULL: not given */
    char **databases;
    size_t n_databases;

    /* The target's texts are owned here; its database is set by each connection. */
    struct sl_odbc_target target;

    struct sl_mssql_filter tables, no_tables, schemas, no_schemas, columns, no_columns;
    struct sl_mssql_filter instances, no_instances, snapshot_tables;
    struct sl_mssql_custom_key *keys;
    size_t n_keys;
    struct sl_mssql_override *overrides;
    size_t n_overrides;

    enum sl_envelope_shape shape;
    enum sl_mssql_decimals decimals;
    enum sl_mssql_times times;
    enum sl_mssql_binaries binaries;
    enum sl_mssql_overflow overflow;
    enum sl_name_adjust schema_names, field_names;
    char *placeholder;
    bool tombstones, schema_changes, transactions, extended_headers, skip_unchanged;
    bool skip_create, skip_update, skip_delete;

    enum sl_mssql_snapshot_mode snapshot;
    enum sl_mssql_isolation isolation;
    bool lock_tables;
    int64_t lock_timeout_ms;

    int64_t poll_interval_us;
    uint32_t batch_records;
    int window_transactions;
    int max_connections;
};

/* Errors: CONFIG, UNSUPPORTED. */
enum sl_rc sl_mssql_config_read(const struct sl_props *props, struct sl_mssql_config **ret_config,
                                struct sl_error *err);
void sl_mssql_config_free(struct sl_mssql_config *config);

/* The SELECT that replaces reading the table, or NULL. */
const char *sl_mssql_config_override(const struct sl_mssql_config *config, const char *database,
                                     const char *schema, const char *table);

#endif
