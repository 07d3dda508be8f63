/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decimals between Connect's bytes (two's complement, big-endian, unscaled) and text, of any length up to
 * SL_DECIMAL_MAX_BYTES.
 */
#ifndef SLUICE_CODEC_DECIMAL_TEXT_H
#define SLUICE_CODEC_DECIMAL_TEXT_H

#include "base/buf.h"
#include "sluice/record.h"

enum { SL_DECIMAL_MAX_BYTES = 512 }; /* some 1,200 digits */

/*
 * Append the number as Java's BigDecimal.toString does: plain, or with an exponent when the scale is negative
 * or the number is very small. False when it is too long; nothing is appended then.
 */
bool sl_decimal_put(struct sl_buf *out, const uint8_t *bytes, size_t len, int32_t scale);

/*
 * Read digits with an optional sign, point and exponent, as so many units of 10^-scale. False: not a number,
 * or it has digits below the scale that are not zero, or it is too long. The bytes are minimal and in the
 * arena.
 */
bool sl_decimal_read(const char *text, size_t len, int32_t scale, struct sl_arena *arena,
                     struct sl_value *ret);

#endif
