/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON, on jansson: parsing with the place of the error, and escaping text into a buffer without building a
 * tree. Trees are for configuration and positions, never for rows.
 */
#ifndef SLUICE_BASE_JSON_H
#define SLUICE_BASE_JSON_H

#include "base/buf.h"
#include "sluice/error.h"

#include <jansson.h>

/*
 * Parse a whole document (any JSON value). what names it in the error, which says line and column. The caller
 * owns *ret (json_decref). Duplicate keys are an error. Errors: CONFIG.
 */
enum sl_rc sl_json_parse(const char *text, size_t len, const char *what, json_t **ret, struct sl_error *err);

/* The same from a file. Errors: NOT_FOUND (it cannot be opened), CONFIG. */
enum sl_rc sl_json_parse_file(const char *path, json_t **ret, struct sl_error *err);

/*
 * Is the text within these bounds? Depth counts objects and arrays inside each other, values everything that
 * a tree would hold. One pass without a tree, for text from outside, which is asked before sl_json_parse;
 * that the text is JSON at all is not asked. Errors: CONFIG.
 */
enum sl_rc sl_json_within(const char *text, size_t len, const char *what, size_t depth, size_t values,
                          struct sl_error *err);

/* Append text as a JSON string, quotes included. Bytes above 0x7F pass as they are: text is UTF-8. */
void sl_json_put_text(struct sl_buf *out, const char *text, size_t len);

/* The scalar as configuration text: "true", "12", "0.5", or the string itself. NULL for null, objects and
 * arrays. Heap memory of the caller. */
char *sl_json_scalar_text(const json_t *scalar);

/* Append the tree, compact, keys in their order. */
void sl_json_put(struct sl_buf *out, const json_t *json);

#endif
