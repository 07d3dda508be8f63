/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers as Java reads and narrows them: Integer.parseInt, Double.parseDouble, new BigDecimal, and the casts
 * between its number types. ASCII digits only.
 */
#ifndef SLUICE_CODEC_JAVA_NUMBER_H
#define SLUICE_CODEC_JAVA_NUMBER_H

#include "sluice/schema.h"

struct sl_arena;

/* An optional sign and digits, within the range of int8 .. int64. */
bool sl_java_parse_int(const uint8_t *text, size_t len, enum sl_type type, int64_t *ret);

/* Float.parseFloat or Double.parseDouble: blanks around, NaN, Infinity, hexadecimal, a suffix f or d. */
bool sl_java_parse_real(const uint8_t *text, size_t len, enum sl_type type, struct sl_arena *arena,
                        double *ret);

/* What new BigDecimal(text) takes. */
bool sl_java_is_decimal(const char *text);

/* BigDecimal.longValue: the whole part, of which the low 64 bits. The text is one that is_decimal takes. */
int64_t sl_java_decimal_long(const char *text);

/* An integer of 64 bits made smaller: the low bits. */
int64_t sl_java_narrow(int64_t number, enum sl_type type);

/* A floating point number as int8 .. int64: truncated, kept within int32 (int64), NaN is 0. */
int64_t sl_java_real_to_int(double number, enum sl_type type);

#endif
