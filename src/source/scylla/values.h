/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CQL values as Connect values (scylla-source §4.10): the schema of a type, and the function that reads its
 * bytes, both chosen once per column. Bytes that outlive the answer are copied into the batch's arena.
 */
#ifndef SLUICE_SOURCE_SCYLLA_VALUES_H
#define SLUICE_SOURCE_SCYLLA_VALUES_H

#include "base/arena.h"
#include "net/cql/cell.h"
#include "sluice/schema.h"

struct sl_scylla_decoder {
    /*
     * Never called for a null cell. What CQL allows and Connect has no value for (an empty int) becomes NULL.
     * False: the bytes are no value of the type.
     */
    bool (*decode)(const struct sl_scylla_decoder *self, struct sl_cql_cell cell, struct sl_arena *arena,
                   struct sl_value *ret);
    const struct sl_schema *schema; /* optional */
    const struct sl_cql_type *type;
    const struct sl_scylla_decoder *args; /* of the elements; a map's entries have key and value */
    uint32_t n_args;
};

/*
 * Make a decoder in the arena. prefix: of nested schemas' names, "<prefix>.<keyspace>.<table>". as_cells: the
 * bytes are a non-frozen list as the change log has it, a map from the cells' timeuuids to the elements; they
 * come in the order of the list. NULL: a type that has no Connect form (a custom class).
 */
const struct sl_scylla_decoder *sl_scylla_decoder_make(const struct sl_cql_type *type, bool as_cells,
                                                       const char *prefix, struct sl_arena *arena);

static inline bool sl_scylla_decode(const struct sl_scylla_decoder *decoder, struct sl_cql_cell cell,
                                    struct sl_arena *arena, struct sl_value *ret)
{
    if (cell.len < 0) {
        *ret = sl_null();
        return true;
    }
    return decoder->decode(decoder, cell, arena, ret);
}

/* Does the legacy shape show columns of this type? Collections, tuples and UDTs it leaves out. */
bool sl_scylla_is_plain(const struct sl_cql_type *type);

/*
 * The text of a key column's value in a header, as Java's toString gives it; NULL for a null. Dates and
 * timestamps are written in UTC. In the arena.
 */
const char *sl_scylla_header_text(const struct sl_scylla_decoder *decoder, struct sl_cql_cell cell,
                                  struct sl_arena *arena);

#endif
