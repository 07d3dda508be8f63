/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exact decimals of up to 38 digits: an unscaled 128-bit integer whose scale is known from elsewhere.
 *
 * All functions answer false on overflow (more than 38 digits) and leave the result untouched. Reducing the
 * scale rounds half away from zero, as SQL Server does in CAST and in arithmetic.
 */
#ifndef SIM_SQLSERVER_TSQL_DECIMAL_H
#define SIM_SQLSERVER_TSQL_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

__extension__ typedef __int128
    ms_int128; /* the one typedef: -Wpedantic wants the marker at each use otherwise */
__extension__ typedef unsigned __int128 ms_uint128;

#define MS_DECIMAL_DIGITS 38
#define MS_DECIMAL_TEXT 48 /* bytes that any decimal's text fits in, the NUL included */

ms_int128 ms_decimal_power10(int exponent); /* 0..38 */
bool ms_decimal_fits(ms_int128 value, int precision);
bool ms_decimal_rescale(ms_int128 value, int from_scale, int to_scale, ms_int128 *ret);
bool ms_decimal_truncate(ms_int128 value, int from_scale, int to_scale, ms_int128 *ret); /* towards zero */
bool ms_decimal_add(ms_int128 a, ms_int128 b, ms_int128 *ret);                           /* same scale */
/* a (scale sa) times b (scale sb), given at scale to. */
bool ms_decimal_multiply(ms_int128 a, int sa, ms_int128 b, int sb, int to, ms_int128 *ret);
/* a (scale sa) divided by b (scale sb, not zero), truncated to scale to. */
bool ms_decimal_divide(ms_int128 a, int sa, ms_int128 b, int sb, int to, ms_int128 *ret);
bool ms_decimal_from_double(double value, int scale, ms_int128 *ret);
double ms_decimal_to_double(ms_int128 value, int scale);
/* Digits with an optional sign and point ("-12.50"); surplus digits are rounded. False: not a number, or too
 * large. */
bool ms_decimal_parse(const char *text, size_t len, int scale, ms_int128 *ret);
size_t ms_decimal_print(ms_int128 value, int scale,
                        char *ret_text); /* MS_DECIMAL_TEXT bytes; answers the length */

#endif
