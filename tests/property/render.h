/* SPDX-License-Identifier: Apache-2.0 */
/* CQL values as the text that target.h keeps: read on their own, not by the source's decoders. */
#ifndef SLUICE_TESTS_PROPERTY_RENDER_H
#define SLUICE_TESTS_PROPERTY_RENDER_H

#include "base/buf.h"
#include "sim/scylla/value.h"

/* Appends the text; a type that histories do not have, or bytes that do not fit it, end the program. */
void render_cql(struct sl_buf *out, const struct sy_type *type, struct sy_value value);

#endif
