/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A record's headers to bytes and back (the form is codec/header_codec.h's). A header without schema is raw
 * bytes; anything else is written as text, as Connect's SimpleHeaderConverter does it: numbers, dates in ISO
 * form, lists, maps and structs as JSON. Read headers are raw bytes.
 */
#ifndef SLUICE_ENGINE_HEADERS_H
#define SLUICE_ENGINE_HEADERS_H

#include "base/arena.h"
#include "codec/header_codec.h"
#include "sluice/error.h"
#include "sluice/record.h"

/* All headers of a record. */
void sl_headers_encode(struct sl_buf *out, const struct sl_record *record);

/*
 * Read the bytes into the record's headers, whose values point into them; names and the array come from the
 * arena. The record is flagged as its headers of our own say. Errors: DATA (the bytes are not headers).
 */
enum sl_rc sl_headers_decode(struct sl_span bytes, struct sl_arena *arena, struct sl_record *record,
                             struct sl_error *err);

#endif
