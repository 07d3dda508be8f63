/* SPDX-License-Identifier: Apache-2.0 */
/* The connector's settings, read once from its properties. Immutable afterwards. */
#ifndef SLUICE_SOURCE_SCYLLA_CONFIG_H
#define SLUICE_SOURCE_SCYLLA_CONFIG_H

#include "net/cql/cql.h"
#include "sluice/option.h"

enum sl_scylla_image { SL_SCYLLA_IMAGE_NONE, SL_SCYLLA_IMAGE_FULL, SL_SCYLLA_IMAGE_ONLY_UPDATED };

struct sl_scylla_table_name {
    char *keyspace, *table;
};

/* When the rows that exist already are read (snapshot.mode). */
enum sl_scylla_snapshot_mode {
    SL_SCYLLA_SNAPSHOT_NONE,
    SL_SCYLLA_SNAPSHOT_INITIAL,      /* where no positions are stored */
    SL_SCYLLA_SNAPSHOT_INITIAL_ONLY, /* the same, and nothing else */
    SL_SCYLLA_SNAPSHOT_WHEN_NEEDED,  /* also where a position lies behind what the log still holds */
    SL_SCYLLA_SNAPSHOT_ALWAYS,       /* at each start of the first task */
};

/* A snapshot's position lies a confidence window and this before its first row is read. */
enum { SL_SCYLLA_SNAPSHOT_MARGIN_MS = 5000 };

/* Where the advanced shape writes the primary key. */
struct sl_scylla_placement {
    bool kafka_key, payload_after, payload_before, payload_key, kafka_headers;
};

struct sl_scylla_config {
    char *prefix, *delimiter;
    bool line_1_2; /* events as connectors up to 1.2.2 write them */
    struct sl_scylla_table_name *tables;
    uint32_t n_tables;

    struct sl_cql_config cql; /* its texts are owned here */
    enum sl_cql_consistency consistency;
    int32_t page_rows;
    uint32_t requests_max;

    int64_t window_ms, confidence_ms, minimal_wait_ms, lookback_ms;
    bool go_on_when_expired;
    bool range_deletes;

    bool early, read_again;
    enum sl_scylla_snapshot_mode snapshot;
    int64_t early_interval_ms, sweep_ms, sweep_interval_ms;
    uint32_t snapshot_ranges;

    bool advanced, preimages; /* preimages: legacy only */
    enum sl_scylla_image before, after;
    struct sl_scylla_placement placement;
    char *payload_key;
    bool tombstones, skip_create, skip_update, skip_delete, skip_read;

    int64_t heartbeat_ms;
    char *heartbeat_topic;

    int64_t backoff_base_us, backoff_max_us;
    uint32_t n_tasks; /* tasks.max: what plan says */
};

/* Errors: CONFIG, naming the keys that contradict each other. */
enum sl_rc sl_scylla_config_read(const struct sl_props *props, struct sl_scylla_config **ret_config,
                                 struct sl_error *err);
void sl_scylla_config_free(struct sl_scylla_config *config);

/* prefix, keyspace and table with the delimiter between them, made fit for a topic's name. Heap. */
char *sl_scylla_topic_name(const struct sl_scylla_config *config, const char *keyspace, const char *table);

/* A schema's name made to fit Avro, as the connector always does. Heap. */
char *sl_scylla_schema_name(const char *name);

#endif
