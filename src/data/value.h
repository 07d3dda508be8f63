/* SPDX-License-Identifier: Apache-2.0 */
/* What one does with a whole value: copy it, hash it, ask whether it is what its schema says. */
#ifndef SLUICE_DATA_VALUE_H
#define SLUICE_DATA_VALUE_H

#include "sluice/error.h"
#include "sluice/schema.h"

struct sl_arena;

/* A deep copy: nothing in it points outside the arena. */
struct sl_value sl_value_copy(struct sl_arena *arena, struct sl_value value);

/* Equal values (sl_value_equal) have equal hashes. */
uint64_t sl_value_hash(uint64_t hash, struct sl_value value);

/*
 * Does the value fit the schema: tags, lengths, ranges of the small integers, nulls only where they are
 * allowed? Errors: DATA, naming the field. For tests and the edges, not for rows: encoders check as they go.
 */
enum sl_rc sl_value_check(const struct sl_schema *schema, struct sl_value value, struct sl_error *err);

#endif
