/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shape of Debezium's change events: what all its connectors share. The source block and the row are the
 * connector's own; this says where they stand, which also decides the Avro bytes.
 *
 * Two shapes are written, chosen by sluice.compat.debezium; any shape is read, by field name.
 *     2.5  before, after, source, op, ts_ms, transaction                    envelope version 1, source none
 *     3.5  before, after, source, transaction, op, ts_ms, ts_us, ts_ns      envelope version 2, source 1
 *
 * Threads: any. What is returned lives until the process ends.
 */
#ifndef SLUICE_CODEC_ENVELOPE_H
#define SLUICE_CODEC_ENVELOPE_H

#include "sluice/schema.h"

enum sl_envelope_shape {
    SL_ENVELOPE_2_5,
    SL_ENVELOPE_3_5,
};

/* "2.5" or "3.5"; false for anything else. */
bool sl_envelope_shape_parse(const char *text, enum sl_envelope_shape *ret_shape);

/* What the source block's field "version" says: "2.5.4.Final", "3.5.0.Final". */
const char *sl_envelope_version_text(enum sl_envelope_shape shape);

/* Where the parts of an envelope stand: indexes of its struct's fields, -1 for those that it does not have.
 */
struct sl_envelope {
    const struct sl_schema *schema;        /* required */
    const struct sl_schema *row;           /* of "after": a struct, usually optional, named <prefix>.Value */
    const struct sl_schema *source_schema; /* NULL when there is none */
    const struct sl_schema *transaction_schema; /* NULL when there is none */
    uint32_t n_fields;
    int before, after, source, op, ts_ms, ts_us, ts_ns, transaction;
};

/*
 * The envelope that the schema describes, or NULL: a struct whose name ends in ".Envelope", with a string
 * "op" and a struct "after". Found once per schema; asking again is one lock and one look-up, so ask once per
 * run, not once per row.
 */
const struct sl_envelope *sl_envelope_of(const struct sl_schema *schema);

/*
 * Make an envelope: name <prefix>.Envelope, "before" and "after" of the row's schema (made optional). row is
 * the connector's struct <prefix>.Value; source its source block.
 */
const struct sl_envelope *sl_envelope_make(enum sl_envelope_shape shape, const char *prefix,
                                           const struct sl_schema *row, const struct sl_schema *source);

/* Parts that every connector's source block and events use. */
const struct sl_schema *sl_envelope_snapshot_schema(enum sl_envelope_shape shape); /* field "snapshot" */
const struct sl_schema *sl_envelope_transaction_schema(void);                      /* event.block, optional */

/* The version of the source block's schema: 0 (none) or 1. */
int32_t sl_envelope_source_version(enum sl_envelope_shape shape);

/* Values of "op", as one letter: 'r', 'c', 'u', 'd', 't' truncate, 'm' message; 0 for anything else. */
char sl_envelope_op(struct sl_value op);

#endif
