/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows: writing mutations, and reading what is alive.
 *
 * A mutation is what ScyllaDB makes of a statement: for one partition of one table, cells with their write
 * times, deletions, row markers. sy_store_apply takes all mutations of a statement or a batch, joins those of
 * one partition into one (as ScyllaDB does before its CDC sees them), checks the timestamps that CDC tables
 * accept, writes the log rows and the base rows, all at once. Log tables are written by nobody else, and
 * read like any table.
 *
 * The language's rules stand in front of this: which timestamp, which TTL, which cells a statement means.
 *   INSERT            a marker and its cells (a null value: a SY_CELL_DEAD)
 *   UPDATE            cells only
 *   c = NULL          SY_CELL_DEAD; of a multi-cell column SY_CELL_TOMBSTONE at T
 *   c = {...}         multi-cell: SY_CELL_TOMBSTONE at T-1, then the elements at T
 *   c = c + {...}     the elements at T;  c = c - {...} / DELETE c[k]: SY_CELL_DEAD with the element's path
 *   DELETE FROM row   row tombstone; a partial clustering key or inequalities: a range; none: the partition
 * A row DELETE on a table without clustering columns is a partition tombstone.
 *
 * List elements have timeuuids as path (sy_store_timeuuid, _timeuuid_prepend); by index or by value they are
 * found by reading first: sy_store_lock makes the reading and the writing one.
 *
 * Threads: every call takes the store's lock, shared for reads, alone for writes, unless the thread holds it
 * by sy_store_lock already (LWT, counters read, list indexes).
 */
#ifndef SIM_SCYLLA_STORAGE_STORE_H
#define SIM_SCYLLA_STORAGE_STORE_H

#include "catalog.h"

/* --- time and uniqueness --- */

/* A write time for a statement without one: now, but later than any given out before. */
int64_t sy_store_timestamp_us(struct sy_server *server);
/* A v1 uuid with that time and seeded low bits: now(), list elements. Never the same twice. */
void sy_store_timeuuid(struct sy_server *server, int64_t time_us, uint8_t ret[16]);
/* For list prepends: sorts before all made so far, the later the smaller (time mirrored at 2010-01-01). */
void sy_store_timeuuid_prepend(struct sy_server *server, int64_t time_us, uint8_t ret[16]);
void sy_store_random_uuid(struct sy_server *server, uint8_t ret[16]); /* v4, seeded */

uint64_t sy_server_random(struct sy_server *server); /* seeded */
uint64_t sy_server_seed(struct sy_server *server);

/* --- tokens --- */

/* Murmur3 as Cassandra has it, over a partition key of n components; CDC log tables: the stream's own. */
int64_t sy_store_token(const struct sy_table *table, const struct sy_value *partition_key);

/* --- writing --- */

enum sy_cell_kind {
    SY_CELL_LIVE = 1,
    SY_CELL_DEAD = 2,      /* of a multi-cell column: with a path */
    SY_CELL_TOMBSTONE = 3, /* a multi-cell column as a whole */
    SY_CELL_COUNTER = 4,   /* value: bigint, to be added; ttl and path unused */
};

enum { SY_TTL_NONE = 0, SY_TTL_DEFAULT = -1 /* the table's default_time_to_live */ };

struct sy_cell_write {
    const struct sy_table_column *column;
    enum sy_cell_kind kind;
    int32_t ttl_s; /* live cells: seconds, SY_TTL_NONE or SY_TTL_DEFAULT */
    int64_t timestamp_us;
    struct sy_value path;  /* multi-cell columns, but for SY_CELL_TOMBSTONE */
    struct sy_value value; /* SY_CELL_LIVE, SY_CELL_COUNTER */
};

struct sy_row_write {
    bool is_static;                    /* clustering unused */
    const struct sy_value *clustering; /* n_clustering of the table */
    bool has_marker;
    int64_t marker_timestamp_us;
    int32_t marker_ttl_s;
    bool has_tombstone; /* the row is deleted */
    int64_t tombstone_timestamp_us;
    const struct sy_cell_write *cells; /* in any order; twice the same is reconciled */
    uint32_t n_cells;
};

/* A prefix of a clustering key and which side of it. n 0: the partition's end. */
struct sy_bound {
    const struct sy_value *prefix;
    uint32_t n;
    bool inclusive;
};

struct sy_range_write {
    struct sy_bound start; /* in clustering order: for DESC columns the caller has already turned them */
    struct sy_bound end;
    int64_t timestamp_us;
};

struct sy_mutation {
    const struct sy_table *table;
    const struct sy_value *partition_key; /* n_partition_key of the table */
    bool has_tombstone;                   /* the partition is deleted */
    int64_t tombstone_timestamp_us;
    const struct sy_row_write *rows; /* in any order */
    uint32_t n_rows;
    const struct sy_range_write *ranges;
    uint32_t n_ranges;
};

struct sy_write_context {
    uint32_t node;        /* the coordinator: 0 .. n_nodes-1 */
    uint16_t consistency; /* the wire's code */
    bool expiry_service;  /* deletes are logged as -3 and -4 */
};

/* All of them or none. false: *ret has the error (0x2200 for timestamps a CDC table does not accept). */
bool sy_store_apply(struct sy_server *server, const struct sy_mutation *mutations, uint32_t n,
                    const struct sy_write_context *context, struct sy_arena *arena, struct sy_error *ret);

/* Everything goes; nothing reaches the log. */
bool sy_store_truncate(struct sy_server *server, const struct sy_table *table, struct sy_arena *arena,
                       struct sy_error *ret);

/* Hold the store for reading and then writing. Not recursive. */
void sy_store_lock(struct sy_server *server);
void sy_store_unlock(struct sy_server *server);

/* --- reading --- */

/* One cell that is alive. Of a multi-cell column: one element. */
struct sy_cell {
    struct sy_value path;
    struct sy_value value;
    int64_t timestamp_us;
    int32_t ttl_s;  /* as written; 0: none */
    int32_t left_s; /* what TTL() says: seconds left; 0: no TTL */
};

/* A column of a row. */
struct sy_column_state {
    struct sy_value value; /* multi-cell: the collection in CQL's serialisation; SY_NULL: nothing alive */
    int64_t timestamp_us;  /* not for multi-cell columns */
    int32_t ttl_s;
    int32_t left_s;
    const struct sy_cell *cells; /* multi-cell columns: the elements alive, in the order of their paths */
    uint32_t n_cells;
};

/* A row that is alive; valid until the visitor returns. */
struct sy_row {
    int64_t token;
    const struct sy_value *partition_key;
    bool has_clustering; /* false: only the static row is there (clustering and regular columns are null) */
    const struct sy_value *clustering;
    const struct sy_column_state *columns; /* by sy_table_column.index; those of keys are unused */
    bool marker_alive;
    int64_t marker_timestamp_us;
    int32_t marker_ttl_s;
    int32_t marker_left_s;
};

/* true: go on. */
typedef bool sy_row_visitor(void *ctx, const struct sy_row *row);

struct sy_slice {
    struct sy_bound start; /* clustering order, as in sy_range_write */
    struct sy_bound end;
};

struct sy_read {
    const struct sy_table *table;
    uint32_t node; /* whose system.local is read */

    /* By keys: n_keys partition keys (each n_partition_key values), read in the order given. Or, with n_keys
     * 0, by tokens: first_token <= token <= last_token (INT64_MIN and INT64_MAX for all), in token order and
     * then by the key's bytes. */
    const struct sy_value *const *keys;
    uint32_t n_keys;
    int64_t first_token;
    int64_t last_token;

    /* Of each partition; n_slices 0: all of it. In clustering order, not overlapping. */
    const struct sy_slice *slices;
    uint32_t n_slices;
    bool reverse; /* rows (and slices) backwards; partitions stay in order */
    /* A partition without a live clustered row but with a live static column: visit it (has_clustering
     * false). CQL does so when the WHERE names no clustering column. */
    bool static_alone;

    /* Go on after this row: the partition key (as in row.partition_key) and, when there is one, the
     * clustering key. With keys: those before it are skipped. after_key NULL: from the start. */
    const struct sy_value *after_key;
    const struct sy_value *after_clustering; /* NULL: that partition is done (it had only its static row) */
};

/* Calls visit for each live row until it says stop. The visitor must not call the store. */
bool sy_store_read(struct sy_server *server, const struct sy_read *read, sy_row_visitor *visit, void *ctx,
                   struct sy_arena *arena, struct sy_error *ret);

/* --- the language's own state, kept with the server --- */

/* Once for each server, before its first request; free_language is called by sy_server_close. */
void sy_server_attach(struct sy_server *server, void *language, void (*free_language)(void *language));
void *sy_server_attached(struct sy_server *server); /* NULL: not yet */

/* --- for tests and golden data --- */

/* Every live row with its write times and TTLs, one a line, in token order. The text lives in the arena. */
const char *sy_store_dump(struct sy_server *server, const struct sy_table *table, struct sy_arena *arena);
/* SHA-256, as hex, of the table's rows: values only, in token order. */
const char *sy_store_hash(struct sy_server *server, const struct sy_table *table, struct sy_arena *arena);

/* --- logins (tables system_auth.roles, role_members) --- */
bool sy_store_set_password(struct sy_server *server, const char *role, const char *password);

#endif
