/* SPDX-License-Identifier: Apache-2.0 */
#include "partition.h"

#include "arena.h"
#include "update.h"

#include <stdio.h>
#include <stdlib.h>

static void *allocate(size_t size)
{
    void *ptr = calloc(1, size);

    if (ptr == NULL) {
        fprintf(stderr, "out of memory: %zu bytes for a row\n", size);
        abort();
    }
    return ptr;
}

static int compare_component(const struct sy_table *table, uint32_t i, struct sy_value a, struct sy_value b)
{
    const struct sy_table_column *column = sy_table_clustering_column(table, i);
    int order = sy_value_compare(column->type, a, b);

    return column->descending ? -order : order;
}

int sy_clustering_compare(const struct sy_table *table, const struct sy_value *a, const struct sy_value *b,
                          uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        int order = compare_component(table, i, a[i], b[i]);

        if (order != 0)
            return order;
    }
    return 0;
}

struct sy_place sy_place_of_start(const struct sy_table *table, const struct sy_bound *start)
{
    return (struct sy_place){.table = table,
                             .prefix = start->prefix,
                             .n = start->n,
                             .weight = start->n == 0 || start->inclusive ? -1 : 1};
}

struct sy_place sy_place_of_end(const struct sy_table *table, const struct sy_bound *end)
{
    return (struct sy_place){
        .table = table, .prefix = end->prefix, .n = end->n, .weight = end->n == 0 || end->inclusive ? 1 : -1};
}

int sy_place_compare(const struct sy_place *a, const struct sy_place *b)
{
    uint32_t n = a->n < b->n ? a->n : b->n;
    int order = sy_clustering_compare(a->table, a->prefix, b->prefix, n);

    if (order != 0)
        return order;
    if (a->n < b->n)
        return a->weight;
    if (a->n > b->n)
        return -b->weight;
    return (a->weight > b->weight) - (a->weight < b->weight);
}

int sy_place_of_row(const void *sought, const void *item)
{
    const struct sy_place *place = sought;
    const struct sy_stored_row *row = item;
    struct sy_reader reader = {.at = row->bytes, .end = row->bytes + row->key_len};

    for (uint32_t i = 0; i < place->n; i++) {
        int order = compare_component(place->table, i, sy_reader_value(&reader), place->prefix[i]);

        if (order != 0)
            return order;
    }
    return -place->weight;
}

int sy_place_of_partition(const void *sought, const void *item)
{
    const struct sy_partition_key *key = sought;
    const struct sy_partition *partition = item;
    uint32_t n = key->len < partition->key_len ? key->len : partition->key_len;
    int order;

    if (partition->token != key->token)
        return partition->token < key->token ? -1 : 1;
    order = n > 0 ? memcmp(partition->key, key->bytes, n) : 0;
    if (order != 0)
        return order;
    return (partition->key_len > key->len) - (partition->key_len < key->len);
}

void sy_stored_row_key(const struct sy_stored_row *row, uint32_t n, struct sy_value *ret_values)
{
    struct sy_reader reader = {.at = row->bytes, .end = row->bytes + row->key_len};

    for (uint32_t i = 0; i < n; i++)
        ret_values[i] = sy_reader_value(&reader);
}

bool sy_stored_row_unpack(const struct sy_stored_row *row, struct sy_arena *arena, struct sy_row_data *ret)
{
    const uint8_t *body = row->bytes + row->key_len;
    struct sy_reader reader = {.at = body, .end = body + row->body_len};

    return sy_row_unpack(&reader, arena, ret);
}

struct sy_partition *sy_partitions_find(const struct sy_partitions *partitions,
                                        const struct sy_partition_key *key)
{
    struct sy_order_node *node = sy_order_seek(&partitions->order, sy_place_of_partition, key);

    if (node == NULL || sy_place_of_partition(key, node->item) != 0)
        return NULL;
    return node->item;
}

static struct sy_partition *find_or_add(struct sy_partitions *partitions, const struct sy_update *update)
{
    struct sy_partition_key key = {
        .token = update->token, .bytes = update->key_bytes, .len = update->key_len};
    struct sy_order_node *node = sy_order_add(&partitions->order, sy_place_of_partition, &key);
    struct sy_partition *partition;

    if (node->item != NULL)
        return node->item;
    partition = allocate(sizeof(*partition) + key.len);
    partition->token = key.token;
    partition->key_len = key.len;
    if (key.len > 0)
        memcpy(partition->key, key.bytes, key.len);
    node->item = partition;
    return partition;
}

/* A new stored row of the old one (NULL: none) and the change. */
static struct sy_stored_row *merge_row(const struct sy_column_types *types, const struct sy_stored_row *old,
                                       const struct sy_value *clustering, uint32_t n,
                                       const struct sy_row_data *change, struct sy_arena *scratch)
{
    struct sy_buffer packed = {0};
    struct sy_row_data before = {0};
    struct sy_row_data merged;
    struct sy_stored_row *row;
    size_t key_len;

    if (old != NULL)
        sy_stored_row_unpack(old, scratch, &before);
    sy_row_merge(types, &before, change, true, scratch, &merged);
    for (uint32_t i = 0; i < n; i++)
        sy_buffer_put_value(&packed, clustering[i]);
    key_len = packed.len;
    sy_row_pack(&packed, &merged);
    row = allocate(sizeof(*row) + packed.len);
    row->key_len = (uint32_t)key_len;
    row->body_len = (uint32_t)(packed.len - key_len);
    memcpy(row->bytes, packed.bytes, packed.len);
    sy_buffer_free(&packed);
    return row;
}

static void replace(struct sy_stored_row **slot, struct sy_stored_row *row)
{
    free(*slot);
    *slot = row;
}

static void apply_row(struct sy_partition *partition, const struct sy_column_types *types,
                      const struct sy_table *table, const struct sy_update_row *change,
                      struct sy_arena *scratch)
{
    struct sy_place place = {.table = table, .prefix = change->clustering, .n = table->n_clustering};
    struct sy_order_node *node;
    struct sy_stored_row *row;

    if (table->n_clustering == 0) {
        replace(&partition->single, merge_row(types, partition->single, NULL, 0, &change->data, scratch));
        return;
    }
    node = sy_order_add(&partition->rows, sy_place_of_row, &place);
    row = merge_row(types, node->item, change->clustering, table->n_clustering, &change->data, scratch);
    free(node->item);
    node->item = row;
}

/* --- range tombstones --- */

static struct sy_bound copy_bound(const struct sy_bound *bound, uint8_t **at, struct sy_value **values)
{
    struct sy_bound copy = {.prefix = *values, .n = bound->n, .inclusive = bound->inclusive};

    for (uint32_t i = 0; i < bound->n; i++) {
        struct sy_value value = bound->prefix[i];

        (*values)[i] = value;
        if (value.len > 0) {
            memcpy(*at, value.bytes, (size_t)value.len);
            (*values)[i].bytes = *at;
            *at += value.len;
        }
    }
    *values += bound->n;
    return copy;
}

static size_t bound_bytes(const struct sy_bound *bound)
{
    size_t bytes = 0;

    for (uint32_t i = 0; i < bound->n; i++)
        bytes += bound->prefix[i].len > 0 ? (size_t)bound->prefix[i].len : 0;
    return bytes;
}

/* Does the wider deletion make the narrower needless? */
static bool range_covers(const struct sy_table *table, const struct sy_bound *start,
                         const struct sy_bound *end, int64_t timestamp_us,
                         const struct sy_stored_range *other)
{
    struct sy_place a = sy_place_of_start(table, start);
    struct sy_place b = sy_place_of_start(table, &other->start);
    struct sy_place c = sy_place_of_end(table, end);
    struct sy_place d = sy_place_of_end(table, &other->end);

    return timestamp_us >= other->timestamp_us && sy_place_compare(&a, &b) <= 0 &&
           sy_place_compare(&c, &d) >= 0;
}

static void add_range(struct sy_partition *partition, const struct sy_table *table,
                      const struct sy_range_write *range)
{
    size_t n_values = (size_t)range->start.n + range->end.n;
    uint8_t *memory = allocate(n_values * sizeof(struct sy_value) + bound_bytes(&range->start) +
                               bound_bytes(&range->end) + 1);
    struct sy_value *values = (struct sy_value *)memory;
    uint8_t *at = memory + n_values * sizeof(struct sy_value);
    uint32_t n = 0;

    for (uint32_t i = 0; i < partition->n_ranges; i++) {
        struct sy_stored_range *other = &partition->ranges[i];

        if (range_covers(table, &range->start, &range->end, range->timestamp_us, other))
            free(other->memory);
        else
            partition->ranges[n++] = *other;
    }
    partition->ranges = realloc(partition->ranges, (n + 1) * sizeof(*partition->ranges));
    if (partition->ranges == NULL)
        abort();
    partition->ranges[n] = (struct sy_stored_range){.timestamp_us = range->timestamp_us, .memory = memory};
    partition->ranges[n].start = copy_bound(&range->start, &at, &values);
    partition->ranges[n].end = copy_bound(&range->end, &at, &values);
    partition->n_ranges = n + 1;
}

static bool range_holds(const struct sy_table *table, const struct sy_stored_range *range,
                        const struct sy_value *clustering)
{
    struct sy_place row = {.table = table, .prefix = clustering, .n = table->n_clustering};
    struct sy_place start = sy_place_of_start(table, &range->start);
    struct sy_place end = sy_place_of_end(table, &range->end);

    return sy_place_compare(&start, &row) <= 0 && sy_place_compare(&row, &end) <= 0;
}

int64_t sy_partition_deleted_us(const struct sy_partition *partition, const struct sy_table *table,
                                const struct sy_value *clustering)
{
    int64_t deleted_us = partition->has_tombstone ? partition->tombstone_us : INT64_MIN;

    for (uint32_t i = 0; clustering != NULL && i < partition->n_ranges; i++) {
        const struct sy_stored_range *range = &partition->ranges[i];

        if (range->timestamp_us > deleted_us && range_holds(table, range, clustering))
            deleted_us = range->timestamp_us;
    }
    return deleted_us;
}

void sy_partitions_apply(struct sy_partitions *partitions, const struct sy_column_types *types,
                         const struct sy_update *update, struct sy_arena *scratch)
{
    struct sy_partition *partition = find_or_add(partitions, update);

    if (update->has_tombstone &&
        (!partition->has_tombstone || update->tombstone_us > partition->tombstone_us)) {
        partition->has_tombstone = true;
        partition->tombstone_us = update->tombstone_us;
    }
    if (update->has_static)
        replace(&partition->static_row,
                merge_row(types, partition->static_row, NULL, 0, &update->static_row, scratch));
    for (uint32_t i = 0; i < update->n_rows; i++)
        apply_row(partition, types, update->table, &update->rows[i], scratch);
    for (uint32_t i = 0; i < update->n_ranges; i++)
        add_range(partition, update->table, &update->ranges[i]);
}

bool sy_stored_row_expired(const struct sy_stored_row *row, int64_t now_s, struct sy_arena *scratch)
{
    struct sy_row_data data;

    if (!sy_stored_row_unpack(row, scratch, &data) || data.has_marker || data.has_tombstone)
        return false;
    for (uint32_t i = 0; i < data.n_cells; i++) {
        if (data.cells[i].ttl_s == 0 || data.cells[i].expiry_s > now_s)
            return false;
    }
    return true;
}

void sy_partition_drop_expired(struct sy_partition *partition, const struct sy_table *table, int64_t now_s,
                               uint32_t most, struct sy_arena *scratch)
{
    struct sy_value *key = sy_arena_raw(scratch, table->n_clustering * sizeof(*key));

    for (uint32_t i = 0; i < most && partition->rows.first[0] != NULL; i++) {
        const struct sy_stored_row *row = partition->rows.first[0]->item;
        struct sy_place place = {.table = table, .prefix = key, .n = table->n_clustering};

        if (!sy_stored_row_expired(row, now_s, scratch))
            return;
        sy_stored_row_key(row, table->n_clustering, key);
        free(sy_order_remove(&partition->rows, sy_place_of_row, &place));
    }
}

void sy_partition_free(struct sy_partition *partition)
{
    for (struct sy_order_node *node = partition->rows.first[0]; node != NULL; node = node->next[0])
        free(node->item);
    sy_order_clear(&partition->rows);
    for (uint32_t i = 0; i < partition->n_ranges; i++)
        free(partition->ranges[i].memory);
    free(partition->ranges);
    free(partition->static_row);
    free(partition->single);
    free(partition);
}

void sy_partitions_clear(struct sy_partitions *partitions)
{
    for (struct sy_order_node *node = partitions->order.first[0]; node != NULL; node = node->next[0])
        sy_partition_free(node->item);
    sy_order_clear(&partitions->order);
}
