/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the user asked for: the JDBC sink's keys (Confluent's names), read once at open.
 */
#ifndef SLUICE_SINK_POSTGRES_CONFIG_H
#define SLUICE_SINK_POSTGRES_CONFIG_H

#include "net/pg/params.h"
#include "sluice/option.h"

enum sl_pgsink_insert_mode { SL_PGSINK_INSERT, SL_PGSINK_UPSERT, SL_PGSINK_UPDATE };
enum sl_pgsink_pk_mode { SL_PGSINK_PK_NONE, SL_PGSINK_PK_KAFKA, SL_PGSINK_PK_KEY, SL_PGSINK_PK_VALUE };

struct sl_pgsink_names {
    char **items;
    size_t n, capacity;
};

struct sl_pgsink_config {
    struct sl_pg_params connection;
    enum sl_pgsink_insert_mode insert_mode;
    enum sl_pgsink_pk_mode pk_mode;
    struct sl_pgsink_names pk_fields;
    struct sl_pgsink_names whitelist; /* empty: all */
    struct sl_pgsink_names timestamp_fields;
    struct sl_pgsink_names table_types;
    bool timestamp_nanos;
    bool delete_enabled;
    bool auto_create;
    bool auto_evolve;
    bool null_to_default;
    bool quote_never;
    char *table_format;
    char *string_column;
    char *zone; /* db.timezone as PostgreSQL understands it */
    bool zone_is_utc;
    bool date_in_utc; /* Connect's Date is not moved by the zone */
    uint32_t batch_rows;
    int64_t row_wait_us;  /* how long a row may wait for another that it refers to */
    char *offsets_schema; /* NULL: wherever search_path leads */
    char *offsets_table;
};

extern const struct sl_option sl_pgsink_options[];

/* The keys' contradictions; needs no server. */
enum sl_rc sl_pgsink_config_read(const struct sl_props *props, struct sl_pgsink_config *ret,
                                 struct sl_error *err);
void sl_pgsink_config_done(struct sl_pgsink_config *config);

bool sl_pgsink_names_have(const struct sl_pgsink_names *names, const char *name);

#endif
