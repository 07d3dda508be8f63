/* SPDX-License-Identifier: Apache-2.0 */
/* A record's headers are an array that others may share: whoever changes them takes a copy. */
#ifndef SLUICE_TRANSFORM_RECORD_HEADERS_H
#define SLUICE_TRANSFORM_RECORD_HEADERS_H

#include "base/arena.h"
#include "sluice/record.h"

/*
 * A copy that the record has from now on, with room for more behind; the caller fills it and counts
 * record->n_headers up.
 */
static inline struct sl_header *sl_record_grow_headers(struct sl_record *record, size_t more,
                                                       struct sl_arena *arena)
{
    struct sl_header *headers = sl_arena_alloc(arena, (record->n_headers + more) * sizeof(*headers));

    if (record->n_headers)
        memcpy(headers, record->headers, record->n_headers * sizeof(*headers));
    record->headers = headers;
    return headers;
}

/* The schema to give a header whose value has none; NULL for lists and maps, whose types are anybody's guess.
 */
static inline const struct sl_schema *sl_header_schema_of(struct sl_value value)
{
    bool plain = value.tag >= SL_INT8 && value.tag <= SL_BYTES;

    return plain ? sl_schema_plain((enum sl_type)value.tag, false) : NULL;
}

#endif
