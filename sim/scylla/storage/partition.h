/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows of one table in memory, by partition and clustering key, packed (row.h). Deleted things stay as
 * tombstones; what they cover is let go of when it is next touched.
 *
 * No locks here: the store's lock stands around every call.
 */
#ifndef SIM_SCYLLA_STORAGE_PARTITION_H
#define SIM_SCYLLA_STORAGE_PARTITION_H

#include "order.h"
#include "row.h"

struct sy_update;

/* A clustering key (packed: each component as sy_buffer_put_value has it) and its row. */
struct sy_stored_row {
    uint32_t key_len;
    uint32_t body_len;
    uint8_t bytes[];
};

struct sy_stored_range {
    struct sy_bound start; /* prefixes belong to this */
    struct sy_bound end;
    int64_t timestamp_us;
    uint8_t *memory;
};

struct sy_partition {
    int64_t token;
    bool has_tombstone;
    int64_t tombstone_us;
    struct sy_stored_row *static_row; /* NULL: never written */
    struct sy_stored_row *single;     /* the row of a table without clustering columns */
    struct sy_order rows;             /* struct sy_stored_row */
    struct sy_stored_range *ranges;
    uint32_t n_ranges;
    uint32_t key_len;
    uint8_t key[]; /* serialised as the partitioner hashes it */
};

/* One table's rows; a local system table has one of these for each node. */
struct sy_partitions {
    struct sy_order order;
};

/* A place between rows: before (-1), at (0), or after (1) the rows that begin with the prefix. */
struct sy_place {
    const struct sy_table *table;
    const struct sy_value *prefix;
    uint32_t n;
    int weight;
};

struct sy_place sy_place_of_start(const struct sy_table *table, const struct sy_bound *start);
struct sy_place sy_place_of_end(const struct sy_table *table, const struct sy_bound *end);
/* <0: place a stands before b. */
int sy_place_compare(const struct sy_place *a, const struct sy_place *b);
/* The sy_order_place of stored rows; sought is a struct sy_place. */
int sy_place_of_row(const void *sought, const void *row);
/* Clustering keys of one table. */
int sy_clustering_compare(const struct sy_table *table, const struct sy_value *a, const struct sy_value *b,
                          uint32_t n);

/* The stored row's clustering key as values (views), n_clustering of them. */
void sy_stored_row_key(const struct sy_stored_row *row, uint32_t n, struct sy_value *ret_values);
bool sy_stored_row_unpack(const struct sy_stored_row *row, struct sy_arena *arena, struct sy_row_data *ret);

struct sy_partition_key {
    int64_t token;
    const uint8_t *bytes;
    uint32_t len;
};
/* The sy_order_place of partitions; sought is a struct sy_partition_key. */
int sy_place_of_partition(const void *sought, const void *partition);

struct sy_partition *sy_partitions_find(const struct sy_partitions *partitions,
                                        const struct sy_partition_key *key); /* NULL: none */
/* Take the update in. */
void sy_partitions_apply(struct sy_partitions *partitions, const struct sy_column_types *types,
                         const struct sy_update *update, struct sy_arena *scratch);
/* Has it nothing but cells that have expired? */
bool sy_stored_row_expired(const struct sy_stored_row *row, int64_t now_s, struct sy_arena *scratch);
/* Of a log's partition: its oldest rows, as far as their cells have expired. At most so many at once: called
 * with each write, it keeps up. */
void sy_partition_drop_expired(struct sy_partition *partition, const struct sy_table *table, int64_t now_s,
                               uint32_t most, struct sy_arena *scratch);
void sy_partitions_clear(struct sy_partitions *partitions);
void sy_partition_free(struct sy_partition *partition);

/* The newest deletion that covers the row: INT64_MIN when there is none. Without the row's own. */
int64_t sy_partition_deleted_us(const struct sy_partition *partition, const struct sy_table *table,
                                const struct sy_value *clustering);

#endif
