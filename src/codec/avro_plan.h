/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Avro's binary form, both ways, by a plan: the schema flattened once into an array of steps. The loops over
 * it know no names, allocate nothing per row but the values themselves, and copy no string when they read.
 *
 * What is read may be any bytes: lengths, counts, branch numbers and varints are checked, nesting is bounded
 * by the plan, and the values made by one call are bounded by the number of its bytes.
 *
 * Threads: a plan is immutable; any number may use it at once.
 */
#ifndef SLUICE_CODEC_AVRO_PLAN_H
#define SLUICE_CODEC_AVRO_PLAN_H

#include "codec/avro_schema.h"
#include "sluice/record.h"

struct sl_avro_plan;

/*
 * A plan for a Connect schema and its Avro type: a pair that sl_avro_from_connect or sl_avro_to_connect made.
 * The type must live as long as the plan. null_becomes_default: a NULL is written as its schema's default, as
 * Connect's Struct.get does it (ignore.default.for.nullables=false); else only ABSENT is.
 * Errors: DATA (the pair does not fit, the schema unfolds into too much).
 */
enum sl_rc sl_avro_plan_new(const struct sl_schema *schema, const struct sl_avro_type *type,
                            bool null_becomes_default, struct sl_avro_plan **ret, struct sl_error *err);
void sl_avro_plan_free(struct sl_avro_plan *plan);

/* Append the value's bytes. On an error out is as it was. Errors: DATA, naming the field. */
enum sl_rc sl_avro_encode(const struct sl_avro_plan *plan, struct sl_value value, struct sl_buf *out,
                          struct sl_error *err);

/*
 * Read a value that begins at bytes.ptr. Strings and bytes point into bytes, collections into the arena.
 * *ret_used (may be NULL): how many bytes were read; what follows them is the caller's to judge.
 */
enum sl_rc sl_avro_decode(const struct sl_avro_plan *plan, struct sl_span bytes, struct sl_arena *arena,
                          struct sl_value *ret_value, size_t *ret_used, struct sl_error *err);

#endif
