/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cells of Scylla's legacy shape: a column is a struct <...>.Cell with the one field value. A null cell is a
 * column that the change did not name; a cell that holds null is one that it set to null.
 */
#ifndef SLUICE_TRANSFORM_CELL_H
#define SLUICE_TRANSFORM_CELL_H

#include "sluice/schema.h"

/* A struct with one field value, whatever its name. */
static inline bool sl_cell_like(const struct sl_schema *schema)
{
    return schema->type == SL_STRUCT && schema->n_fields == 1 && strcmp(schema->fields[0].name, "value") == 0;
}

static inline bool sl_cell_is(const struct sl_schema *schema)
{
    size_t len = schema->name ? strlen(schema->name) : 0;

    return len >= 5 && strcmp(schema->name + len - 5, ".Cell") == 0 && sl_cell_like(schema);
}

#endif
