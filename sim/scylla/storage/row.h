/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One row's cells, tombstone and marker: opened up to be merged, or packed to be kept.
 *
 * Reconciliation is ScyllaDB's. The later timestamp wins. At the same timestamp a deleted cell beats a live
 * one, a cell that expires beats one that does not, the later expiry beats the earlier, then the shorter TTL
 * (it was written later), then the larger value as unsigned bytes. Expiry by the clock plays no part here.
 *
 * Cells stand by column id; of a multi-cell column first its tombstone, then its elements by path.
 */
#ifndef SIM_SCYLLA_STORAGE_ROW_H
#define SIM_SCYLLA_STORAGE_ROW_H

#include "buffer.h"
#include "store.h"

struct sy_cell_data {
    uint32_t column; /* sy_table_column.id */
    uint8_t kind;    /* SY_CELL_LIVE, _DEAD, _TOMBSTONE */
    int32_t ttl_s;
    int64_t expiry_s; /* with a TTL: seconds since 1970 */
    int64_t timestamp_us;
    struct sy_value path; /* SY_NULL but for elements */
    struct sy_value value;
};

struct sy_row_data {
    bool has_marker;
    bool has_tombstone;
    int32_t marker_ttl_s;
    int64_t marker_expiry_s;
    int64_t marker_us;
    int64_t tombstone_us;
    uint32_t n_cells;
    struct sy_cell_data *cells;
};

/* The types of a table's columns, by id: what the order of paths depends on. */
struct sy_column_types {
    const struct sy_type *const *types; /* NULL for ids that were dropped or are keys */
    uint32_t n;
};

int sy_cell_compare_place(const struct sy_column_types *types, const struct sy_cell_data *a,
                          const struct sy_cell_data *b);
/* Which of two cells of one place wins: >0 a, <0 b, 0 they are the same. */
int sy_cell_reconcile(const struct sy_cell_data *a, const struct sy_cell_data *b);

/* Put cells in order and make those of one place one; for cells in the order of their writing. */
void sy_row_sort(const struct sy_column_types *types, struct sy_row_data *row);

/* The union of two rows. Elements under a column's tombstone are left out; with prune, all that the row's
 * tombstone covers too (not so while CDC still wants to see each change). */
void sy_row_merge(const struct sy_column_types *types, const struct sy_row_data *a,
                  const struct sy_row_data *b, bool prune, struct sy_arena *arena, struct sy_row_data *ret);

void sy_row_pack(struct sy_buffer *buffer, const struct sy_row_data *row);
/* Views into the packed bytes; the array of cells is the arena's. */
bool sy_row_unpack(struct sy_reader *reader, struct sy_arena *arena, struct sy_row_data *ret);

#endif
