/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deletes of many rows at once: records with the header __sluice.range (sluice/position.h). A tombstone
 * deletes the rows in the range; a value that unwrap has rewritten (__deleted is "true") is written into
 * their columns, as far as its fields' names begin with two underscores.
 *
 * A range is a step of its own, between the rows before it and those behind it.
 */
#ifndef SLUICE_SINK_POSTGRES_RANGE_H
#define SLUICE_SINK_POSTGRES_RANGE_H

#include "sink/postgres/load.h"

/* The header's text; ptr NULL: the record has none. */
struct sl_span sl_pgsink_range_header(const struct sl_record *record);

/* Is it a delete that ExtractNewRecordState has rewritten: is the field __deleted "true"? */
bool sl_pgsink_says_deleted(const struct sl_schema *value_schema, const struct sl_record *record);

/*
 * Add the range's step, bound. A record that cannot be understood goes to the load's bads. *ret_again: the
 * statement is missing, and a flight is in the way.
 */
enum sl_rc sl_pgsink_range_step(struct sl_pgsink *sink, struct sl_pgsink_load *load, struct sl_batch *batch,
                                const struct sl_pgsink_load_range *range, bool *ret_again,
                                struct sl_error *err);

#endif
