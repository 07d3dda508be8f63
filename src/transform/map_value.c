/* SPDX-License-Identifier: Apache-2.0 */
#include "transform/map_value.h"

static int64_t find(const struct sl_value *pairs, uint32_t n, const char *name)
{
    size_t len = strlen(name);

    for (uint32_t i = 0; i < n; i++) {
        const struct sl_value *key = &pairs[2 * (size_t)i];

        if (key->tag == SL_STRING && key->len == len && memcmp(key->bytes, name, len) == 0)
            return i;
    }
    return -1;
}

int64_t sl_map_find(struct sl_value map, const char *name)
{
    return find(map.items, map.len, name);
}

struct sl_value sl_map_get(struct sl_value map, const char *name)
{
    int64_t at = sl_map_find(map, name);

    return at < 0 ? sl_null() : map.items[2 * at + 1];
}

struct sl_map_edit sl_map_edit_begin(struct sl_value map, size_t more, struct sl_arena *arena)
{
    struct sl_map_edit edit = {.n = map.len};

    edit.pairs = sl_arena_alloc(arena, 2 * (map.len + more) * sizeof(*edit.pairs));
    if (map.len)
        memcpy(edit.pairs, map.items, 2 * (size_t)map.len * sizeof(*edit.pairs));
    return edit;
}

void sl_map_edit_put(struct sl_map_edit *edit, const char *name, struct sl_value value)
{
    int64_t at = find(edit->pairs, edit->n, name);

    if (at < 0) {
        at = edit->n++;
        edit->pairs[2 * at] = sl_text(name);
    }
    edit->pairs[2 * at + 1] = value;
}

void sl_map_edit_remove(struct sl_map_edit *edit, const char *name)
{
    int64_t at = find(edit->pairs, edit->n, name);

    if (at < 0)
        return;
    edit->n--;
    memmove(&edit->pairs[2 * at], &edit->pairs[2 * (at + 1)],
            2 * (size_t)(edit->n - at) * sizeof(*edit->pairs));
}
