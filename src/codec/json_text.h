/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing JSON as Jackson writes it, so that our text equals the peers' byte for byte: no white space,
 * control characters as \b \t \n \f \r or \u001F (capital digits), everything else as it is.
 */
#ifndef SLUICE_CODEC_JSON_TEXT_H
#define SLUICE_CODEC_JSON_TEXT_H

#include "base/buf.h"

#include <jansson.h>

/* A quoted string. */
void sl_json_text_string(struct sl_buf *out, const void *text, size_t len);
void sl_json_text_cstring(struct sl_buf *out, const char *text);

/* A whole tree; numbers as Java prints them, members in their order. */
void sl_json_text_tree(struct sl_buf *out, json_t *json);

/* Quoted base64 with padding. */
void sl_json_text_base64(struct sl_buf *out, const void *bytes, size_t len);

void sl_json_text_int(struct sl_buf *out, int64_t i);

#endif
