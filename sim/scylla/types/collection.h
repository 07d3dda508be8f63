/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walking the bytes of a collection, tuple or UDT (protocol v4 section 6): i32 lengths before each element.
 */
#ifndef SIM_SCYLLA_TYPES_COLLECTION_H
#define SIM_SCYLLA_TYPES_COLLECTION_H

#include "../value.h"

struct sy_walk {
    const uint8_t *at;
    const uint8_t *end;
    int32_t left; /* list, set: elements; map: pairs */
};

/* List, set, map. False when the bytes are too short for their count; an empty value has no elements. */
bool sy_walk_collection(struct sy_walk *walk, struct sy_value value);
/* Tuple, UDT: no count; walks to the end of the bytes. */
void sy_walk_fields(struct sy_walk *walk, struct sy_value value);

/* The next element or field (SY_NULL inside is given as such); false at the end or when the bytes are cut. */
bool sy_walk_next(struct sy_walk *walk, struct sy_value *ret);

static inline bool sy_is_collection(const struct sy_type *type)
{
    return type->id == SY_LIST || type->id == SY_SET || type->id == SY_MAP;
}

#endif
