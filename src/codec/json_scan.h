/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walking over JSON text byte by byte, whatever the bytes are: white space, words, strings and their escapes.
 * Nothing is read past the end. Private to codec/.
 */
#ifndef SLUICE_CODEC_JSON_SCAN_H
#define SLUICE_CODEC_JSON_SCAN_H

#include "codec/value_json.h"

struct sl_json_scanner {
    const uint8_t *start, *at, *end;
    struct sl_arena *arena;
    const char *reason; /* of the first failure */
    int depth;
};

/* Keeps the first reason; always false. */
bool sl_json_fail(struct sl_json_scanner *scanner, const char *reason);

void sl_json_skip_space(struct sl_json_scanner *scanner);
uint8_t
sl_json_peek(struct sl_json_scanner *scanner); /* the next byte that is no white space; 0 at the end */
bool sl_json_take(struct sl_json_scanner *scanner, uint8_t byte); /* if it comes next */
bool sl_json_take_word(struct sl_json_scanner *scanner, const char *word);

/* From the opening quote to behind the closing one; gives what is between them, and whether it has escapes.
 */
bool sl_json_raw_string(struct sl_json_scanner *scanner, struct sl_span *ret, bool *ret_escaped);

/* The string that a raw one with escapes stands for, in the arena. */
bool sl_json_unescape(struct sl_json_scanner *scanner, struct sl_span raw, struct sl_value *ret);

#endif
