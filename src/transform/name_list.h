/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list of names that a header holds: an array of strings, or its text ("[a, b]", with or without quotes),
 * as Connect's SimpleHeaderConverter would read it. Packed (each name with a NUL behind) it is compared as
 * bytes.
 */
#ifndef SLUICE_TRANSFORM_NAME_LIST_H
#define SLUICE_TRANSFORM_NAME_LIST_H

#include "sluice/record.h"

/* Never gives ptr NULL; a value that is no list is an empty one. In the arena. */
struct sl_span sl_name_list_pack(struct sl_value value, struct sl_arena *arena);

/* The single names; *ret is heap memory of the caller and points into the packed list. Returns how many. */
size_t sl_name_list_unpack(struct sl_span packed, struct sl_span **ret);

#endif
