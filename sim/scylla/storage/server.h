/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's inside, for storage/ and cdc/ only.
 *
 * Locks, taken in this order: `lock` (rows, and the making of catalogue changes), then `catalog.mutex` (the
 * lists of the catalogue, types, the permanent arena), then `unique_mutex`. Listeners are called with none.
 */
#ifndef SIM_SCYLLA_STORAGE_SERVER_H
#define SIM_SCYLLA_STORAGE_SERVER_H

#include "arena.h"
#include "partition.h"
#include "store.h"
#include "update.h"

#include <pthread.h>
#include <stdatomic.h>

/* What stays of a table through all its versions. */
struct sy_table_data {
    uint8_t id[16];
    struct sy_table *current;         /* NULL: dropped */
    struct sy_partitions *partitions; /* n_partitions: 1, or one for each node (local system tables) */
    uint32_t n_partitions;
    struct sy_column_types types; /* by column id, dropped ones too: their cells may lie about */
    bool local;                   /* a system table that is filled anew at each start: not in the journal */
    bool per_node;
    struct sy_dropped_column *dropped;
    struct sy_table_data *next;
};

struct sy_dropped_column {
    const char *name;
    const struct sy_type *type;
    bool is_static;
    int64_t dropped_us;
    struct sy_dropped_column *next;
};

struct sy_catalog {
    pthread_mutex_t mutex;
    struct sy_arena permanent;        /* what the catalogue hands out: under the mutex */
    struct sy_arena statement_memory; /* likewise, but under the store's lock: what DDL makes */
    const struct sy_keyspace **keyspaces;
    uint32_t n_keyspaces;
    const struct sy_table **tables; /* by keyspace and name */
    uint32_t n_tables;
    const struct sy_type **user_types; /* not frozen */
    uint32_t n_user_types;
    const struct sy_index **indexes;
    uint32_t n_indexes;
    struct sy_interned *interned;
    struct sy_table_data *data;
    uint64_t last_version;
    _Atomic uint64_t generation;
    uint8_t schema_version[16];
    bool schema_rows_stale; /* system_schema is written when somebody reads it */
};

/* Updates that an operator's order holds back until visible_us. */
struct sy_held {
    struct sy_held *next;
    int64_t visible_us;
    struct sy_buffer packed;
};

#define SY_DATA_CENTER "datacenter1" /* of every node */

/* An operator's order to hold back what is written from now on. */
struct sy_hold_order {
    struct sy_hold_order *next;
    char keyspace[64];
    char table[128];
    bool log_rows; /* the log's rows, else the base's */
    bool shuffled; /* each by a random part of delay_us */
    int64_t delay_us;
    uint32_t every; /* one of so many writes; 1: each */
    uint32_t counted;
    uint32_t left; /* writes to hold; UINT32_MAX: without end */
};

struct sy_listener {
    struct sy_listener *next;
    sy_schema_listener *call;
    void *ctx;
};

struct sy_server {
    struct sy_server_options options;
    pthread_rwlock_t lock;
    _Atomic uintptr_t writer; /* the thread that holds it alone; 0: none */
    struct sy_catalog catalog;

    _Atomic int64_t manual_us;
    _Atomic int64_t last_timestamp_us;
    pthread_mutex_t unique_mutex;
    uint64_t random[2];
    uint64_t last_ticks; /* of the timeuuids that sy_store_timeuuid made */
    uint16_t clock_sequence;

    struct sy_journal *journal; /* NULL: nothing is kept */
    struct sy_held *held;
    struct sy_hold_order *hold_orders;
    struct sy_listener *listeners;

    int64_t *tokens; /* n_nodes * vnodes ring tokens, node after node */
    uint8_t (*host_ids)[16];
    struct sy_streams *cdc; /* generations and the streams of tables with tablets: cdc/streams.h */
    void *language;
    void (*free_language)(void *language);
};

/* Take the lock unless this thread has it by sy_store_lock; true: to be unlocked. */
bool sy_server_lock_write(struct sy_server *server);
bool sy_server_lock_read(struct sy_server *server);
void sy_server_unlock(struct sy_server *server, bool locked);

uint64_t sy_server_draw(struct sy_server *server); /* the seeded random numbers */
void sy_server_seed_random(struct sy_server *server, uint64_t seed);

static inline int64_t sy_server_now_s(struct sy_server *server)
{
    int64_t now_us = sy_server_now_us(server);

    return now_us >= 0 ? now_us / 1000000 : -((999999 - now_us) / 1000000);
}

/* The partitions of a table, of a node where they differ. */
static inline struct sy_partitions *sy_table_partitions(const struct sy_table *table, uint32_t node)
{
    struct sy_table_data *data = table->data;

    return &data->partitions[node < data->n_partitions ? node : 0];
}

/* Fill *error; false, so that callers may return it. */
bool sy_fail(struct sy_arena *arena, struct sy_error *error, int32_t code, const char *format, ...)
    __attribute__((format(printf, 4, 5), nonnull(4)));

/* --- internal writing and reading, under the write lock --- */

/* Into the tables, past CDC and the journal: system tables. */
bool sy_store_apply_local(struct sy_server *server, const struct sy_mutation *mutations, uint32_t n,
                          uint32_t node, struct sy_arena *arena);
/* Into the rows of memory: one joined update. */
void sy_store_apply_update(struct sy_server *server, const struct sy_update *update, uint32_t node,
                           struct sy_arena *scratch);
/* What was held back until now. */
void sy_store_release_held(struct sy_server *server);

/* One row's columns as they are alive. */
struct sy_row_states {
    bool alive; /* a live marker or regular cell; of a static row: any cell */
    bool marker_alive;
    int64_t marker_us;
    int32_t marker_ttl_s;
    int32_t marker_left_s;
};
/* columns: by sy_table_column.index, n_columns of them, zeroed before; those of the other kind stay. */
struct sy_row_states sy_row_resolve(const struct sy_table *table, const struct sy_row_data *row,
                                    bool is_static, int64_t deleted_us, int64_t now_s, struct sy_arena *arena,
                                    struct sy_column_state *columns);

/* --- the rooms of storage/ that a server opens and closes --- */
void sy_catalog_open(struct sy_server *server);
void sy_catalog_close(struct sy_server *server);
bool sy_journal_open(struct sy_server *server);
void sy_journal_close(struct sy_server *server);
/* The whole catalogue, after each change of it; under the write lock. */
void sy_journal_catalog(struct sy_server *server);
void sy_journal_truncate(struct sy_server *server, const struct sy_table *table);
void sy_journal_updates(struct sy_server *server, const struct sy_update *const *updates, uint32_t n);

/* system.*, system_schema.*, system_distributed.*, system_auth.*: their definitions and what stands in them.
 */
void sy_system_define(struct sy_server *server);
void sy_system_fill_local(struct sy_server *server);
void sy_system_refresh_schema(struct sy_server *server);
void sy_system_new_schema_version(struct sy_server *server);

/* Definitions without checks, listeners and journal. local: filled anew at each start; per_node: each node
 * has its own rows. */
const struct sy_keyspace *sy_catalog_add_system_keyspace(struct sy_server *server, const char *name,
                                                         const struct sy_property *replication);
const struct sy_table *sy_catalog_add_system_table(struct sy_server *server, const struct sy_table_spec *spec,
                                                   bool local, bool per_node);

#endif
