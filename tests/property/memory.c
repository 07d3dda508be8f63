/* SPDX-License-Identifier: Apache-2.0 */
#include "memory.h"

#include "base/alloc.h"

static int compare(const struct memory_entry *entry, struct sl_span key)
{
    size_t n = entry->key_len < key.len ? entry->key_len : key.len;
    int order = n ? memcmp(entry->key, key.ptr, n) : 0;

    return order ? order : (entry->key_len > key.len) - (entry->key_len < key.len);
}

/* The first entry that is not below the key. */
static size_t find(const struct memory_map *map, struct sl_span key)
{
    size_t low = 0;
    size_t high = map->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare(&map->entries[middle], key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static uint8_t *copy(struct sl_span span)
{
    uint8_t *bytes = sl_alloc(span.len + 1);

    if (span.len)
        memcpy(bytes, span.ptr, span.len);
    bytes[span.len] = 0;
    return bytes;
}

static void drop(struct memory_map *map, size_t at)
{
    sl_free(map->entries[at].key);
    sl_free(map->entries[at].value);
    map->n--;
    memmove(&map->entries[at], &map->entries[at + 1], (map->n - at) * sizeof(*map->entries));
}

static void set(struct memory_map *map, struct sl_span key, struct sl_span value, bool forget)
{
    size_t at = find(map, key);

    if (at < map->n && compare(&map->entries[at], key) == 0)
        drop(map, at);
    if (forget)
        return;
    SL_GROW(map->entries, map->n, map->capacity);
    memmove(&map->entries[at + 1], &map->entries[at], (map->n - at) * sizeof(*map->entries));
    map->entries[at] = (struct memory_entry){
        .key = copy(key), .key_len = key.len, .value = copy(value), .value_len = value.len};
    map->n++;
}

static void done(struct memory_map *map)
{
    while (map->n)
        drop(map, map->n - 1);
    sl_free(map->entries);
}

void memory_done(struct memory *memory)
{
    done(&memory->positions);
    done(&memory->notes);
}

void memory_store(struct memory *memory, const struct sl_batch *batch)
{
    if (batch->source_partition.len)
        set(&memory->positions, batch->source_partition, batch->source_offset, !batch->source_offset.len);
    for (uint32_t i = 0; i < batch->n_positions; i++)
        set(&memory->positions, batch->positions[i].partition, batch->positions[i].offset,
            !batch->positions[i].offset.len);
    for (uint32_t i = 0; i < batch->n_notes; i++)
        set(&memory->notes, batch->notes[i].key, batch->notes[i].value, !batch->notes[i].value.ptr);
}

static enum sl_rc stored_offset(void *ctx, struct sl_span partition, char **ret_offset, struct sl_error *err)
{
    const struct memory_map *map = &((struct memory *)ctx)->positions;
    size_t at = find(map, partition);
    bool found = at < map->n && compare(&map->entries[at], partition) == 0;

    (void)err;
    *ret_offset = found ? sl_strndup((const char *)map->entries[at].value, map->entries[at].value_len) : NULL;
    return SL_OK;
}

static enum sl_rc stored_offsets(void *ctx, sl_text_visitor *visit, void *visit_ctx, struct sl_error *err)
{
    const struct memory_map *map = &((struct memory *)ctx)->positions;

    (void)err;
    for (size_t i = 0; i < map->n; i++)
        visit(visit_ctx, (const char *)map->entries[i].key,
              (struct sl_span){map->entries[i].value, map->entries[i].value_len});
    return SL_OK;
}

static enum sl_rc notes(void *ctx, struct sl_span from, struct sl_span to, size_t max, sl_note_visitor *visit,
                        void *visit_ctx, struct sl_error *err)
{
    const struct memory_map *map = &((struct memory *)ctx)->notes;

    (void)err;
    for (size_t i = find(map, from); i < map->n && max; i++, max--) {
        const struct memory_entry *entry = &map->entries[i];
        struct sl_note note = {{entry->key, entry->key_len}, {entry->value, entry->value_len}};

        if (to.ptr && compare(entry, to) >= 0)
            break;
        visit(visit_ctx, &note);
    }
    return SL_OK;
}

struct sl_source_env memory_env(struct memory *memory, const char *connector)
{
    return (struct sl_source_env){
        .connector = connector,
        .ctx = memory,
        .stored_offset = stored_offset,
        .stored_offsets = stored_offsets,
        .notes = notes,
    };
}
