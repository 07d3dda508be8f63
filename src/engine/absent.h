/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fields that nobody said anything about, through the log. A converter can only write null where a field is
 * SL_ABSENT; which of the nulls these are stands in the header __sluice.absent (sluice/position.h).
 */
#ifndef SLUICE_ENGINE_ABSENT_H
#define SLUICE_ENGINE_ABSENT_H

#include "base/arena.h"
#include "base/buf.h"
#include "sluice/error.h"
#include "sluice/record.h"

/* Append the header, or nothing when no field of the value, or of a struct in it, is absent. */
void sl_absent_put(struct sl_buf *out, struct sl_value value);

/*
 * Make the fields that the header names absent again; new arrays come from the arena. A value that is no
 * struct stays as it is. Errors: DATA (the header does not fit the value).
 */
enum sl_rc sl_absent_restore(struct sl_span header, struct sl_arena *arena, struct sl_value *value,
                             struct sl_error *err);

#endif
