/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One partition's changes, joined: all that a statement or a batch does to it, each row once, cells
 * reconciled among themselves, everything in order. This is what CDC looks at, what the journal keeps and
 * what partitions take in.
 *
 * A row's tombstone does not yet take away the cells that it covers: CDC reports both.
 */
#ifndef SIM_SCYLLA_STORAGE_UPDATE_H
#define SIM_SCYLLA_STORAGE_UPDATE_H

#include "row.h"

struct sy_update_row {
    const struct sy_value *clustering; /* n_clustering of the table */
    struct sy_row_data data;
};

struct sy_update {
    const struct sy_table *table;
    const struct sy_value *key; /* n_partition_key of the table */
    const uint8_t *key_bytes;   /* serialised as the partitioner hashes it */
    uint32_t key_len;
    uint32_t first_mutation; /* the first of the mutations it was made of */
    int64_t token;
    int64_t visible_us; /* held back until then by an operator's order; 0: at once */
    bool has_tombstone;
    int64_t tombstone_us;
    bool has_static;
    struct sy_row_data static_row;
    uint32_t n_rows;
    struct sy_update_row *rows; /* by clustering */
    uint32_t n_ranges;
    struct sy_range_write *ranges; /* by start; those of one timestamp do not overlap */
};

/* Join mutations into updates, one for each partition, in the order of their first mutation. now_s: the
 * clock, for expiry. false: a value has not the shape that the store can keep (a null key component ...). */
bool sy_update_join(struct sy_server *server, const struct sy_mutation *mutations, uint32_t n, int64_t now_s,
                    struct sy_arena *arena, struct sy_update **ret, uint32_t *ret_n, struct sy_error *error);

/* The row as it is alive now, for the images of CDC: its columns by sy_table_column.index, views of the
 * stored row. clustering NULL: the static row (of a table without clustering columns: its row). false: it is
 * not alive. Under the store's lock. */
bool sy_update_read_row(struct sy_server *server, const struct sy_update *update,
                        const struct sy_value *clustering, struct sy_arena *arena,
                        const struct sy_column_state **ret_columns);

void sy_update_pack(struct sy_buffer *buffer, const struct sy_update *update);
/* Views into the reader's bytes. The table is found by its id: NULL in ret when it is gone. */
bool sy_update_unpack(struct sy_reader *reader, struct sy_server *server, struct sy_arena *arena,
                      struct sy_update *ret);

#endif
