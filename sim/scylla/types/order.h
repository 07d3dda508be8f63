/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of plain bytes. The order of CQL values, sy_value_compare of storage/types.h, is built in
 * order.c: null first, then the empty value; uuid compares the version first, and version 1 by its time;
 * timeuuid by its time and then by signed bytes; date is unsigned; NaN is the greatest double; -0.0 is before
 * 0.0; decimals compare as numbers (1.0 = 1.00).
 */
#ifndef SIM_SCYLLA_TYPES_ORDER_H
#define SIM_SCYLLA_TYPES_ORDER_H

#include "../value.h"

/* Unsigned bytes, the shorter first. */
int sy_bytes_compare(struct sy_value a, struct sy_value b);

#endif
