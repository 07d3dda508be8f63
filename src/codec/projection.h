/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A value of one Connect schema as a value of another: fields are matched by name, missing ones get their
 * default, further ones are left out, numbers may widen. For writing with a schema that somebody else chose
 * (use.latest.version, use.schema.id); rows whose schema is the chosen one never come here.
 *
 * Threads: a projection is immutable; any number may use it at once.
 */
#ifndef SLUICE_CODEC_PROJECTION_H
#define SLUICE_CODEC_PROJECTION_H

#include "base/arena.h"
#include "sluice/error.h"
#include "sluice/schema.h"

struct sl_projection;

/* Errors: DATA, naming the field that does not fit or has no default. */
enum sl_rc sl_projection_new(const struct sl_schema *from, const struct sl_schema *to,
                             struct sl_projection **ret, struct sl_error *err);
void sl_projection_free(struct sl_projection *projection);

/* Structs, arrays and maps of the result lie in the arena; the rest points where the value points. */
struct sl_value sl_project(const struct sl_projection *projection, struct sl_value value,
                           struct sl_arena *arena);

#endif
