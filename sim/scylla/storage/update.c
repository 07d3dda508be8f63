/* SPDX-License-Identifier: Apache-2.0 */
#include "update.h"

#include "../types/bytes.h"
#include "../types/token.h"
#include "arena.h"
#include "server.h"

#include <stdlib.h>

struct joiner {
    struct sy_server *server;
    int64_t now_s;
    struct sy_arena *arena;
    struct sy_error *error;
};

/* A mutation with its key ready, to be grouped. */
struct keyed {
    const struct sy_mutation *mutation;
    uint32_t place;
    int64_t token;
    const uint8_t *bytes;
    uint32_t len;
};

static int64_t key_token(const struct sy_table *table, const uint8_t *bytes, size_t len)
{
    return table->is_cdc_log ? sy_token_of_stream(bytes, len) : sy_token_of(bytes, len);
}

int64_t sy_store_token(const struct sy_table *table, const struct sy_value *partition_key)
{
    uint8_t small[256];
    size_t len = sy_key_serialise(partition_key, table->n_partition_key, small, sizeof(small));
    uint8_t *bytes = small;
    int64_t token;

    if (len > sizeof(small)) {
        bytes = malloc(len);
        if (bytes == NULL)
            abort();
        sy_key_serialise(partition_key, table->n_partition_key, bytes, len);
    }
    token = key_token(table, bytes, len);
    if (bytes != small)
        free(bytes);
    return token;
}

static bool key_mutation(struct joiner *joiner, const struct sy_mutation *mutation, uint32_t place,
                         struct keyed *ret)
{
    const struct sy_table *table = mutation->table;
    uint8_t *bytes;
    size_t len;

    for (uint32_t i = 0; i < table->n_partition_key; i++) {
        const char *name = table->columns[i].name;

        if (mutation->partition_key[i].len < 0)
            return sy_fail(joiner->arena, joiner->error, 0x2200,
                           "Invalid null value in condition for column %s", name);
        if (mutation->partition_key[i].len > UINT16_MAX)
            return sy_fail(joiner->arena, joiner->error, 0x2200,
                           "Key length of %d is longer than maximum of 65535",
                           mutation->partition_key[i].len);
    }
    if (table->n_partition_key == 1 && mutation->partition_key[0].len == 0)
        return sy_fail(joiner->arena, joiner->error, 0x2200, "Key may not be empty");
    len = sy_key_serialise(mutation->partition_key, table->n_partition_key, NULL, 0);
    if (len > UINT16_MAX)
        return sy_fail(joiner->arena, joiner->error, 0x2200,
                       "Key length of %zu is longer than maximum of 65535", len);
    bytes = sy_arena_raw(joiner->arena, len);
    sy_key_serialise(mutation->partition_key, table->n_partition_key, bytes, len);
    *ret = (struct keyed){.mutation = mutation,
                          .place = place,
                          .bytes = bytes,
                          .len = (uint32_t)len,
                          .token = key_token(table, bytes, len)};
    return true;
}

static int compare_partition(const struct keyed *a, const struct keyed *b)
{
    if (a->mutation->table != b->mutation->table)
        return (uintptr_t)a->mutation->table < (uintptr_t)b->mutation->table ? -1 : 1;
    if (a->token != b->token)
        return a->token < b->token ? -1 : 1;
    if (a->len != b->len)
        return a->len < b->len ? -1 : 1;
    return a->len > 0 ? memcmp(a->bytes, b->bytes, a->len) : 0;
}

static int compare_keyed(const void *x, const void *y)
{
    const struct keyed *a = x;
    const struct keyed *b = y;
    int order = compare_partition(a, b);

    return order != 0 ? order : (a->place > b->place) - (a->place < b->place);
}

/* --- rows --- */

static int32_t effective_ttl(const struct sy_table *table, int32_t ttl_s)
{
    return ttl_s == SY_TTL_DEFAULT ? table->default_ttl_s : ttl_s;
}

static void take_cell(struct joiner *joiner, const struct sy_table *table, const struct sy_cell_write *from,
                      struct sy_cell_data *to)
{
    *to = (struct sy_cell_data){.column = from->column->id,
                                .kind = (uint8_t)from->kind,
                                .timestamp_us = from->timestamp_us,
                                .path.len = SY_NULL,
                                .value.len = SY_NULL};
    if (from->kind != SY_CELL_TOMBSTONE && sy_type_is_multi_cell(from->column->type))
        to->path = from->path;
    if (from->kind != SY_CELL_LIVE)
        return;
    to->value = from->value;
    to->ttl_s = effective_ttl(table, from->ttl_s);
    if (to->ttl_s > 0)
        to->expiry_s = joiner->now_s + to->ttl_s;
}

static void take_row(struct joiner *joiner, const struct sy_table *table, const struct sy_row_write *write,
                     struct sy_row_data *ret)
{
    struct sy_row_data row = {.has_marker = write->has_marker, .has_tombstone = write->has_tombstone};

    if (write->has_marker) {
        row.marker_us = write->marker_timestamp_us;
        row.marker_ttl_s = effective_ttl(table, write->marker_ttl_s);
        row.marker_expiry_s = row.marker_ttl_s > 0 ? joiner->now_s + row.marker_ttl_s : 0;
    }
    if (write->has_tombstone)
        row.tombstone_us = write->tombstone_timestamp_us;
    row.cells = sy_arena_raw(joiner->arena, write->n_cells * sizeof(*row.cells));
    row.n_cells = write->n_cells;
    for (uint32_t i = 0; i < write->n_cells; i++)
        take_cell(joiner, table, &write->cells[i], &row.cells[i]);
    sy_row_sort(&table->data->types, &row);
    *ret = row;
}

static int compare_rows(const void *x, const void *y, void *ctx)
{
    const struct sy_table *table = *(const struct sy_table *const *)ctx;

    return sy_clustering_compare(table, ((const struct sy_update_row *)x)->clustering,
                                 ((const struct sy_update_row *)y)->clustering, table->n_clustering);
}

/* Rows in order, each once. (Reconciliation does not depend on the order of the writes.) */
static void sort_rows(struct joiner *joiner, struct sy_update *update)
{
    uint32_t n = 0;

    if (update->n_rows < 2)
        return;
    qsort_r(update->rows, update->n_rows, sizeof(*update->rows), compare_rows, &update->table);
    for (uint32_t i = 0; i < update->n_rows; i++) {
        struct sy_update_row *row = &update->rows[i];

        if (n > 0 && compare_rows(&update->rows[n - 1], row, &update->table) == 0)
            sy_row_merge(&update->table->data->types, &update->rows[n - 1].data, &row->data, false,
                         joiner->arena, &update->rows[n - 1].data);
        else
            update->rows[n++] = *row;
    }
    update->n_rows = n;
}

static bool check_row(struct joiner *joiner, const struct sy_table *table, const struct sy_row_write *row)
{
    for (uint32_t i = 0; !row->is_static && i < table->n_clustering; i++) {
        if (row->clustering[i].len < 0)
            return sy_fail(joiner->arena, joiner->error, 0x2200,
                           "Invalid null value in condition for column %s",
                           sy_table_clustering_column(table, i)->name);
    }
    return true;
}

/* --- ranges --- */

static int compare_ranges(const void *x, const void *y, void *ctx)
{
    const struct sy_range_write *a = x;
    const struct sy_range_write *b = y;
    const struct sy_table *table = *(const struct sy_table *const *)ctx;
    struct sy_place at = sy_place_of_start(table, &a->start);
    struct sy_place bt = sy_place_of_start(table, &b->start);
    int order = sy_place_compare(&at, &bt);

    return order != 0 ? order : (a->timestamp_us > b->timestamp_us) - (a->timestamp_us < b->timestamp_us);
}

/* Two deletions of one time that touch are one, as in ScyllaDB's list of range tombstones. */
static void sort_ranges(struct sy_update *update)
{
    uint32_t n = 0;

    if (update->n_ranges < 2)
        return;
    qsort_r(update->ranges, update->n_ranges, sizeof(*update->ranges), compare_ranges, &update->table);
    for (uint32_t i = 0; i < update->n_ranges; i++) {
        struct sy_range_write *range = &update->ranges[i];
        struct sy_range_write *last = n > 0 ? &update->ranges[n - 1] : NULL;
        struct sy_place start = sy_place_of_start(update->table, &range->start);
        struct sy_place end = sy_place_of_end(update->table, &range->end);
        struct sy_place last_end;

        if (last == NULL || last->timestamp_us != range->timestamp_us) {
            update->ranges[n++] = *range;
            continue;
        }
        last_end = sy_place_of_end(update->table, &last->end);
        if (sy_place_compare(&start, &last_end) > 0)
            update->ranges[n++] = *range;
        else if (sy_place_compare(&end, &last_end) > 0)
            last->end = range->end;
    }
    update->n_ranges = n;
}

/* --- joining --- */

static bool take_mutation(struct joiner *joiner, const struct sy_mutation *mutation, struct sy_update *update)
{
    if (mutation->has_tombstone &&
        (!update->has_tombstone || mutation->tombstone_timestamp_us > update->tombstone_us)) {
        update->has_tombstone = true;
        update->tombstone_us = mutation->tombstone_timestamp_us;
    }
    for (uint32_t i = 0; i < mutation->n_rows; i++) {
        const struct sy_row_write *write = &mutation->rows[i];
        struct sy_row_data row;

        if (!check_row(joiner, update->table, write))
            return false;
        take_row(joiner, update->table, write, &row);
        if (!write->is_static)
            update->rows[update->n_rows++] =
                (struct sy_update_row){.clustering = write->clustering, .data = row};
        else
            sy_row_merge(&update->table->data->types, &update->static_row, &row, false, joiner->arena,
                         &update->static_row);
        update->has_static = update->has_static || write->is_static;
    }
    for (uint32_t i = 0; i < mutation->n_ranges; i++)
        update->ranges[update->n_ranges++] = mutation->ranges[i];
    return true;
}

static bool join_group(struct joiner *joiner, const struct keyed *group, uint32_t n, struct sy_update *ret)
{
    struct sy_update update = {.table = group->mutation->table,
                               .key = group->mutation->partition_key,
                               .key_bytes = group->bytes,
                               .key_len = group->len,
                               .token = group->token,
                               .first_mutation = group->place};
    uint32_t n_rows = 0;
    uint32_t n_ranges = 0;

    for (uint32_t i = 0; i < n; i++) {
        n_rows += group[i].mutation->n_rows;
        n_ranges += group[i].mutation->n_ranges;
    }
    update.rows = sy_arena_raw(joiner->arena, n_rows * sizeof(*update.rows));
    update.ranges = sy_arena_raw(joiner->arena, n_ranges * sizeof(*update.ranges));
    for (uint32_t i = 0; i < n; i++) {
        if (!take_mutation(joiner, group[i].mutation, &update))
            return false;
    }
    sort_rows(joiner, &update);
    sort_ranges(&update);
    *ret = update;
    return true;
}

static int compare_first(const void *x, const void *y)
{
    uint32_t a = ((const struct sy_update *)x)->first_mutation;
    uint32_t b = ((const struct sy_update *)y)->first_mutation;

    return (a > b) - (a < b);
}

bool sy_update_join(struct sy_server *server, const struct sy_mutation *mutations, uint32_t n, int64_t now_s,
                    struct sy_arena *arena, struct sy_update **ret, uint32_t *ret_n, struct sy_error *error)
{
    struct joiner joiner = {.server = server, .now_s = now_s, .arena = arena, .error = error};
    struct keyed *keyed = sy_arena_raw(arena, n * sizeof(*keyed));
    struct sy_update *updates = sy_arena_raw(arena, n * sizeof(*updates));
    uint32_t n_updates = 0;

    for (uint32_t i = 0; i < n; i++) {
        if (!key_mutation(&joiner, &mutations[i], i, &keyed[i]))
            return false;
    }
    if (n > 1)
        qsort(keyed, n, sizeof(*keyed), compare_keyed);
    for (uint32_t i = 0; i < n;) {
        uint32_t end = i + 1;

        while (end < n && compare_partition(&keyed[i], &keyed[end]) == 0)
            end++;
        if (!join_group(&joiner, &keyed[i], end - i, &updates[n_updates++]))
            return false;
        i = end;
    }
    if (n_updates > 1)
        qsort(updates, n_updates, sizeof(*updates), compare_first);
    *ret = updates;
    *ret_n = n_updates;
    return true;
}
