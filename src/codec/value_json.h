/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values as JSON text, and back: the payload of Kafka's JsonConverter, and what `sluice topics tail` shows.
 *
 * bytes are base64; a Decimal is base64 of its bytes, or a number where the style says so; maps whose keys
 * are not strings are arrays of pairs; NaN and the infinities are quoted, as Jackson writes them. Without a
 * schema a value is what its tag says: on reading integers are int64, other numbers float64, objects maps.
 */
#ifndef SLUICE_CODEC_VALUE_JSON_H
#define SLUICE_CODEC_VALUE_JSON_H

#include "base/buf.h"
#include "sluice/error.h"
#include "sluice/record.h"

struct sl_json_style {
    bool decimal_numbers;
    bool null_becomes_default; /* a NULL is written as its schema's default; ABSENT never, but where
                                 null is not allowed */
};

/* Append the value. schema may be NULL. Never fails: what does not fit its schema is written by its tag. */
void sl_value_json(struct sl_buf *out, const struct sl_schema *schema, struct sl_value value,
                   const struct sl_json_style *style);

/*
 * Read one JSON value, white space around it allowed. Strings without escapes point into text, all else is in
 * the arena. schema NULL: schemaless. Errors: DATA, with the place.
 */
enum sl_rc sl_value_json_read(struct sl_span text, const struct sl_schema *schema, struct sl_arena *arena,
                              struct sl_value *ret, struct sl_error *err);

/*
 * The members of a JSON object, one after the other, without reading what is in them: start with the whole
 * text; 1: a member, 0: the end, -1: not a sound object. Names with escapes do not match anything.
 */
struct sl_json_cursor {
    struct sl_span rest;
    bool begun;
};
int sl_json_next_member(struct sl_json_cursor *cursor, struct sl_span *ret_name, struct sl_span *ret_value);

#endif
