/* SPDX-License-Identifier: Apache-2.0 */
/*
 * varint (two's complement, big-endian, minimal) and decimal (i32 scale, then a varint): text, order, sums.
 */
#ifndef SIM_SCYLLA_TYPES_NUMBER_H
#define SIM_SCYLLA_TYPES_NUMBER_H

#include "../value.h"

struct sy_arena;

/* Digits and places that a number from outside may have; beyond them it is refused. */
enum { SY_NUMBER_MAX_DIGITS = 4096, SY_NUMBER_MAX_SCALE = 10000 };

/* From the text of a constant: [-]digits, and for decimals [.digits][e[+-]digits]. False when it is none. */
bool sy_varint_from_text(const char *text, size_t len, struct sy_arena *arena, struct sy_value *ret);
bool sy_decimal_from_text(const char *text, size_t len, struct sy_arena *arena, struct sy_value *ret);
struct sy_value sy_varint_from_int(int64_t v, struct sy_arena *arena);

/* The text of a value, in the arena; decimals as Java's toString: 1.50, 0.001, 1E+3, 1E-7. */
char *sy_varint_to_text(struct sy_value v, struct sy_arena *arena);
char *sy_decimal_to_text(struct sy_value v, struct sy_arena *arena);

int sy_varint_compare(struct sy_value a, struct sy_value b);
int sy_decimal_compare(struct sy_value a, struct sy_value b); /* as numbers: 1.0 = 1.00 */

struct sy_value sy_varint_add(struct sy_value a, struct sy_value b, struct sy_arena *arena);
struct sy_value sy_decimal_add(struct sy_value a, struct sy_value b, struct sy_arena *arena);
struct sy_value sy_varint_divide(struct sy_value a, int64_t by, struct sy_arena *arena); /* towards zero */
/* Half to even at a's own scale, as avg() of decimals does. */
struct sy_value sy_decimal_divide(struct sy_value a, int64_t by, struct sy_arena *arena);

/* False when it does not fit. */
bool sy_varint_to_int(struct sy_value v, int64_t *ret);

#endif
