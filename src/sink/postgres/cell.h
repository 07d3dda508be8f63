/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cell plan: how the values of one field of a schema become one column of a target table. Chosen once per
 * (field, column); then a whole column of a batch is written by one call, as a PostgreSQL array in binary
 * form, the parameter of unnest().
 *
 * The array's elements have a type of their own (element): mostly the column's, else one that the server's
 * assignment casts turn into it (docs/reference: CREATE CAST, "assignment"), or text with an explicit cast.
 */
#ifndef SLUICE_SINK_POSTGRES_CELL_H
#define SLUICE_SINK_POSTGRES_CELL_H

#include "base/buf.h"
#include "sink/postgres/table.h"
#include "sluice/record.h"

struct sl_pgsink_cell;
struct sl_pgsink_config;

enum { SL_PGSINK_FROM_VALUE, SL_PGSINK_FROM_KEY };

/* A record on its way into one table. */
struct sl_pgsink_row {
    const struct sl_value *cells[2]; /* the fields of the value and of the key */
    uint64_t order;                  /* sorts; the whole key when it is one number, else its first bytes */
    uint32_t key_at, key_len;        /* encoded key, in the group's buffer; key_len 0: order is all of it */
    uint32_t record;                 /* index in the batch */
    uint32_t plan;                   /* index in the group's list of plans; later, of its bucket */
    uint8_t op;                      /* enum sl_pgsink_op */
    bool partial;                    /* some field is ABSENT */
    bool has_key;
};

/* What a value cannot be, found while binding. why is static text, or lives in the batch's arena. */
struct sl_pgsink_bad {
    uint32_t record;
    const struct sl_pgsink_cell *cell; /* NULL: the record as a whole */
    const char *why;
};

struct sl_pgsink_bads {
    struct sl_pgsink_bad *items;
    size_t n, capacity;
};

/* Append an array of the column's values over the rows. Values that do not fit are told in bads, as NULL. */
typedef void sl_pgsink_bind(const struct sl_pgsink_cell *cell, const struct sl_pgsink_row *const *rows,
                            uint32_t n, struct sl_buf *out, struct sl_pgsink_bads *bads);

struct sl_pgsink_cell {
    sl_pgsink_bind *bind;
    uint16_t field;
    uint8_t source;          /* SL_PGSINK_FROM_VALUE or _KEY */
    uint8_t tag;             /* what a value that is not null is tagged */
    int32_t scale;           /* of a decimal */
    struct sl_value instead; /* of a null: the schema's default, or null */
    Oid element;             /* type of the array's elements */
    Oid array;               /* and of the array */
    const char *cast;        /* SQL behind the element, e.g. "::timestamptz"; "" none; static */
    bool cast_column;        /* cast explicitly to the column's own type */
    bool boxed; /* the value stands in a cell of Scylla's legacy shape; schema is what is inside */
    const struct sl_schema *schema;
    const char *name;
    const struct sl_pgsink_column *column;
};

/*
 * Choose how. The caller has set source, field, name, schema and column.
 * Errors: SCHEMA when the pair does not fit, naming table, column and both types.
 */
enum sl_rc sl_pgsink_cell_choose(const struct sl_pgsink_config *config, const struct sl_pgsink_table *table,
                                 struct sl_pgsink_cell *cell, struct sl_error *err);

void sl_pgsink_bads_add(struct sl_pgsink_bads *bads, uint32_t record, const struct sl_pgsink_cell *cell,
                        const char *why);

#endif
