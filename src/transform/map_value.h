/* SPDX-License-Identifier: Apache-2.0 */
/* Records without a schema: maps of text to anything. Their pairs lie key before value. */
#ifndef SLUICE_TRANSFORM_MAP_VALUE_H
#define SLUICE_TRANSFORM_MAP_VALUE_H

#include "base/arena.h"
#include "sluice/value.h"

/* The pair with this name, or -1. */
int64_t sl_map_find(struct sl_value map, const char *name);

/* The value under a name; null when there is none. */
struct sl_value sl_map_get(struct sl_value map, const char *name);

/* A map that is being changed: a copy with room for more pairs. */
struct sl_map_edit {
    struct sl_value *pairs;
    uint32_t n;
};

struct sl_map_edit sl_map_edit_begin(struct sl_value map, size_t more, struct sl_arena *arena);
void sl_map_edit_put(struct sl_map_edit *edit, const char *name, struct sl_value value); /* name: borrowed */
void sl_map_edit_remove(struct sl_map_edit *edit, const char *name);

static inline struct sl_value sl_map_edit_end(const struct sl_map_edit *edit)
{
    return sl_items(SL_MAP, edit->pairs, edit->n);
}

#endif
