/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The items of add.fields and add.headers: "op", "source.ts_ms", "transaction.id", each with an optional
 * ":newname". A bare name means the top level of the envelope for op and the ts_ fields, the transaction
 * struct for its three fields, and else the source block, or the top level when the source has no such field.
 * What an envelope does not have is passed over.
 */
#ifndef SLUICE_TRANSFORM_FIELD_REFERENCE_H
#define SLUICE_TRANSFORM_FIELD_REFERENCE_H

#include "sluice/error.h"
#include "sluice/schema.h"

struct sl_field_reference {
    char *block; /* "source", "transaction", ...; NULL: the top level */
    char *field;
    char *new_name; /* prefix included */
};

struct sl_field_references {
    struct sl_field_reference *items;
    size_t n, capacity;
};

/* Where a reference points in one envelope's schema. */
struct sl_field_place {
    int block; /* index in the envelope, -1: the field itself stands at the top level */
    int field;
    const struct sl_schema *schema; /* of the field, made optional, without its default */
};

/* Read a comma list; text NULL: none. Errors: CONFIG. */
enum sl_rc sl_field_references_parse(const char *text, const char *prefix, struct sl_field_references *ret,
                                     struct sl_error *err);
void sl_field_references_done(struct sl_field_references *references);

/* False when the envelope has no such field. */
bool sl_field_reference_find(const struct sl_field_reference *reference, const struct sl_schema *envelope,
                             struct sl_field_place *ret);

/* The value at a place; null when the block is. */
static inline struct sl_value sl_field_place_value(const struct sl_field_place *place,
                                                   struct sl_value envelope)
{
    struct sl_value block = place->block >= 0 ? envelope.items[place->block] : envelope;

    return sl_is_null(block) ? sl_null() : block.items[place->field];
}

#endif
