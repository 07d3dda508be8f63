/* SPDX-License-Identifier: Apache-2.0 */
#include "../types/token.h"
#include "server.h"

enum { HAS_TOMBSTONE = 1, HAS_STATIC = 2, IS_HELD = 4 };

static void pack_bound(struct sy_buffer *buffer, const struct sy_bound *bound)
{
    sy_buffer_put_varint(buffer, bound->n * 2 + (bound->inclusive ? 1 : 0));
    for (uint32_t i = 0; i < bound->n; i++)
        sy_buffer_put_value(buffer, bound->prefix[i]);
}

void sy_update_pack(struct sy_buffer *buffer, const struct sy_update *update)
{
    sy_buffer_put(buffer, update->table->id, 16);
    sy_buffer_put_u8(buffer, (uint8_t)((update->has_tombstone ? HAS_TOMBSTONE : 0) |
                                       (update->has_static ? HAS_STATIC : 0) |
                                       (update->visible_us != 0 ? IS_HELD : 0)));
    sy_buffer_put_value(buffer,
                        (struct sy_value){.len = (int32_t)update->key_len, .bytes = update->key_bytes});
    if (update->has_tombstone)
        sy_buffer_put_u64(buffer, (uint64_t)update->tombstone_us);
    if (update->visible_us != 0)
        sy_buffer_put_u64(buffer, (uint64_t)update->visible_us);
    if (update->has_static)
        sy_row_pack(buffer, &update->static_row);
    sy_buffer_put_varint(buffer, update->n_rows);
    for (uint32_t i = 0; i < update->n_rows; i++) {
        for (uint32_t k = 0; k < update->table->n_clustering; k++)
            sy_buffer_put_value(buffer, update->rows[i].clustering[k]);
        sy_row_pack(buffer, &update->rows[i].data);
    }
    sy_buffer_put_varint(buffer, update->n_ranges);
    for (uint32_t i = 0; i < update->n_ranges; i++) {
        pack_bound(buffer, &update->ranges[i].start);
        pack_bound(buffer, &update->ranges[i].end);
        sy_buffer_put_u64(buffer, (uint64_t)update->ranges[i].timestamp_us);
    }
}

static const struct sy_value *unpack_values(struct sy_reader *reader, uint64_t n, struct sy_arena *arena)
{
    struct sy_value *values;

    if (n > (uint64_t)(reader->end - reader->at)) {
        reader->bad = true;
        return NULL;
    }
    values = sy_arena_raw(arena, n * sizeof(*values));
    for (uint64_t i = 0; i < n; i++)
        values[i] = sy_reader_value(reader);
    return values;
}

static struct sy_bound unpack_bound(struct sy_reader *reader, struct sy_arena *arena)
{
    uint64_t head = sy_reader_varint(reader);

    return (struct sy_bound){
        .inclusive = head & 1, .n = (uint32_t)(head / 2), .prefix = unpack_values(reader, head / 2, arena)};
}

static const struct sy_table *table_of_id(struct sy_server *server, const uint8_t *id)
{
    for (struct sy_table_data *data = server->catalog.data; id != NULL && data != NULL; data = data->next) {
        if (data->current != NULL && memcmp(data->id, id, 16) == 0)
            return data->current;
    }
    return NULL;
}

static void unpack_rows(struct sy_reader *reader, struct sy_arena *arena, struct sy_update *update)
{
    uint64_t n = sy_reader_varint(reader);

    if (n > (uint64_t)(reader->end - reader->at))
        reader->bad = true;
    if (reader->bad)
        return;
    update->rows = sy_arena_alloc(arena, n * sizeof(*update->rows));
    update->n_rows = (uint32_t)n;
    for (uint64_t i = 0; i < n && !reader->bad; i++) {
        update->rows[i].clustering = unpack_values(reader, update->table->n_clustering, arena);
        sy_row_unpack(reader, arena, &update->rows[i].data);
    }
}

static void unpack_ranges(struct sy_reader *reader, struct sy_arena *arena, struct sy_update *update)
{
    uint64_t n = sy_reader_varint(reader);

    if (n > (uint64_t)(reader->end - reader->at))
        reader->bad = true;
    if (reader->bad)
        return;
    update->ranges = sy_arena_alloc(arena, n * sizeof(*update->ranges));
    update->n_ranges = (uint32_t)n;
    for (uint64_t i = 0; i < n && !reader->bad; i++) {
        update->ranges[i].start = unpack_bound(reader, arena);
        update->ranges[i].end = unpack_bound(reader, arena);
        update->ranges[i].timestamp_us = (int64_t)sy_reader_u64(reader);
    }
}

bool sy_update_unpack(struct sy_reader *reader, struct sy_server *server, struct sy_arena *arena,
                      struct sy_update *ret)
{
    struct sy_update update = {.table = table_of_id(server, sy_reader_bytes(reader, 16))};
    uint8_t flags = sy_reader_u8(reader);
    struct sy_value key = sy_reader_value(reader);
    struct sy_value *values;

    *ret = update;
    if (reader->bad || key.len < 0)
        return false;
    if (update.table == NULL)
        return true;
    values = sy_arena_raw(arena, update.table->n_partition_key * sizeof(*values));
    if (!sy_key_split(key.bytes, (size_t)key.len, update.table->n_partition_key, values))
        return false;
    update.key = values;
    update.key_bytes = key.bytes;
    update.key_len = (uint32_t)key.len;
    update.token = update.table->is_cdc_log ? sy_token_of_stream(key.bytes, (size_t)key.len)
                                            : sy_token_of(key.bytes, (size_t)key.len);
    update.has_tombstone = flags & HAS_TOMBSTONE;
    update.has_static = flags & HAS_STATIC;
    if (update.has_tombstone)
        update.tombstone_us = (int64_t)sy_reader_u64(reader);
    if (flags & IS_HELD)
        update.visible_us = (int64_t)sy_reader_u64(reader);
    if (update.has_static)
        sy_row_unpack(reader, arena, &update.static_row);
    unpack_rows(reader, arena, &update);
    unpack_ranges(reader, arena, &update);
    *ret = update;
    return !reader->bad;
}
