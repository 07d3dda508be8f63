/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values as plain text: Java's toString for StringConverter, and Connect's literals for
 * SimpleHeaderConverter, which are also read back: the text alone decides the type.
 */
#ifndef SLUICE_CODEC_VALUE_TEXT_H
#define SLUICE_CODEC_VALUE_TEXT_H

#include "base/buf.h"
#include "sluice/record.h"

/* As String.valueOf: a struct is Struct{a=1,b=x} without its nulls, a list [1, 2], a map {k=v}. */
void sl_value_string(struct sl_buf *out, const struct sl_schema *schema, struct sl_value value);

/* As Connect's Values.convertToString: dates in ISO form, decimals plain, collections as JSON. */
void sl_value_literal(struct sl_buf *out, const struct sl_schema *schema, struct sl_value value);

/*
 * Read a literal as Connect's Values.parseString does (literal_read.c): null, true, false, the smallest
 * number type that fits, an ISO date, time or timestamp of fixed length, a list or map; everything else is a
 * string. Items that have no type in common leave the schema of a list or map without its own (NULL). Strings
 * may point into text.
 */
void sl_value_literal_read(struct sl_span text, struct sl_arena *arena, const struct sl_schema **ret_schema,
                           struct sl_value *ret_value);

#endif
