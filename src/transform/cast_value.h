/* SPDX-License-Identifier: Apache-2.0 */
/* One value in another of Connect's plain types, as Kafka Connect's Cast does it. */
#ifndef SLUICE_TRANSFORM_CAST_VALUE_H
#define SLUICE_TRANSFORM_CAST_VALUE_H

#include "sluice/error.h"
#include "sluice/schema.h"

struct sl_arena;

/*
 * from is the value's schema, NULL when it has none; to is one of the numbers, boolean or string. Null and
 * absent stay what they are. Numbers become smaller by losing their high bits, or what is behind the point;
 * text that is no number in range is an error. Dates become text in Connect's ISO forms, and numbers as they
 * are encoded. Errors: DATA.
 */
enum sl_rc sl_cast_value(const struct sl_schema *from, struct sl_value value, enum sl_type to,
                         struct sl_arena *arena, struct sl_value *ret, struct sl_error *err);

#endif
