/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the files of augment.h: the changes of one timestamp, taken apart, and the log's rows in the
 * making.
 */
#ifndef SIM_SCYLLA_CDC_GROUP_H
#define SIM_SCYLLA_CDC_GROUP_H

#include "augment.h"

/* What one row of the mutation does at one timestamp. Cells are those of the mutation. */
struct sy_row_change {
    const struct sy_row_write *row;
    bool has_marker; /* an insert */
    int32_t marker_ttl_s;
    bool deletes; /* the row's tombstone is of this timestamp */
    const struct sy_cell_write **cells;
    uint32_t n_cells;
};

/* All of one timestamp. */
struct sy_change_group {
    int64_t us;
    struct sy_row_change *rows; /* static row first, then in clustering order */
    uint32_t n_rows;
    const struct sy_range_write **ranges;
    uint32_t n_ranges;
    bool deletes_partition;
};

/* Take a mutation apart, timestamps ascending. */
struct sy_change_group *sy_groups_of(const struct sy_mutation *mutation, struct sy_arena *arena,
                                     uint32_t *ret_n);

/* The timestamp of the group that a cell belongs to: a collection's tombstone is one microsecond early. */
static inline int64_t sy_cell_group_us(const struct sy_cell_write *cell)
{
    return cell->kind == SY_CELL_TOMBSTONE ? cell->timestamp_us + 1 : cell->timestamp_us;
}

/* What is known of one row while groups follow one another: by column index of the base table. */
struct sy_image {
    const struct sy_row_write *row; /* whose key it has */
    bool alive;
    struct sy_column_state *columns;
};

void sy_image_load(struct sy_image *image, const struct sy_augment *augment, const struct sy_row_write *row);
void sy_image_apply(struct sy_image *image, const struct sy_table *table, const struct sy_row_change *change,
                    struct sy_arena *arena);

/* A range of rows is deleted (NULL: all clustered rows): nothing is known of those that it covers. */
void sy_image_cover(struct sy_image *image, const struct sy_table *table, const struct sy_range_write *range);

/* Rows of the log table under construction: all of one group. */
struct sy_log_rows {
    const struct sy_augment *augment;
    const struct sy_table *log;
    int64_t us;
    struct sy_value *time; /* cdc$time */
    struct sy_row_write *rows;
    uint32_t n, capacity;
};

/* A row of the log being filled: columns by name of the log table. */
struct sy_log_row {
    struct sy_log_rows *rows;
    struct sy_cell_write *cells;
    uint32_t n, capacity;
};

struct sy_log_row sy_log_row_begin(struct sy_log_rows *rows, int8_t operation, int32_t ttl_s);
/* prefix: "", "cdc$deleted_", "cdc$deleted_elements_". */
void sy_log_row_put(struct sy_log_row *row, const char *prefix, const char *column, struct sy_value value);
void sy_log_row_put_flag(struct sy_log_row *row, const char *prefix, const char *column);
/* The base's partition key and as many clustering columns as are given. */
void sy_log_row_put_key(struct sy_log_row *row, const struct sy_value *clustering, uint32_t n_clustering);
void sy_log_row_end(struct sy_log_row *row);

/* images.c */
void sy_log_preimage(struct sy_log_rows *rows, const struct sy_image *image,
                     const struct sy_row_change *change);
void sy_log_postimage(struct sy_log_rows *rows, const struct sy_image *image);

/* A whole collection, as the log has it: cells in the order of their paths; SY_NULL when there are none. */
struct sy_value sy_log_collection(const struct sy_type *type, const struct sy_cell *cells, uint32_t n,
                                  struct sy_arena *arena);
/* A user type's fields in a row, null where there is no cell. */
struct sy_value sy_log_user_type(const struct sy_type *type, const struct sy_cell *cells, uint32_t n,
                                 struct sy_arena *arena);
/* The paths alone, as a set. */
struct sy_value sy_log_paths(const struct sy_value *paths, uint32_t n, struct sy_arena *arena);

/* deltas.c */
/*
 * Is each row of the mutation one row of the log? Only with one timestamp, one TTL and one kind of change;
 * and elements that are added to a collection stand apart from the insert of their row.
 */
bool sy_is_split(const struct sy_change_group *groups, uint32_t n);
void sy_log_deltas(struct sy_log_rows *rows, const struct sy_change_group *group, bool split);

#endif
