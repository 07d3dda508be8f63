/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text between UTF-8 (inside the simulator), UTF-16LE and code page 1252 (on the wire).
 *
 * Code page 1252 is that of collation SQL_Latin1_General_CP1_CI_AS, the only one that the simulator
 * announces. An unpaired surrogate lives as its three-byte form in UTF-8 and comes back as it was. Bytes that
 * are no UTF-8 become U+FFFD. Nothing here allocates: the caller gives room as stated, and gets the bytes
 * written.
 */
#ifndef SIM_SQLSERVER_TDS_CHARS_H
#define SIM_SQLSERVER_TDS_CHARS_H

#include "bytes.h"

/* out: 2 * len bytes. Returns bytes, two a unit. */
size_t ms_chars_to_utf16(const uint8_t *utf8, size_t len, uint8_t *out);
/* How many bytes ms_chars_to_utf16 would write. */
size_t ms_chars_utf16_size(const uint8_t *utf8, size_t len);
/* out: 3 bytes a unit. */
size_t ms_chars_from_utf16(const uint8_t *utf16, size_t units, uint8_t *out);
/* out: len bytes. What the page does not have becomes '?'. */
size_t ms_chars_to_1252(const uint8_t *utf8, size_t len, uint8_t *out);
/* out: 3 * len bytes. */
size_t ms_chars_from_1252(const uint8_t *bytes, size_t len, uint8_t *out);

/* Wire strings: B_VARCHAR and US_VARCHAR, a count of UTF-16 units in one or two bytes, cut at what the count
 * holds. */
void ms_chars_put_b_varchar(struct ms_bytes *out, const char *utf8);
void ms_chars_put_us_varchar(struct ms_bytes *out, const char *utf8);
/* UTF-16LE units from a reader as NUL-terminated UTF-8 in scratch memory; "" when the reader fails. */
char *ms_chars_read_utf16(struct ms_reader *reader, size_t units, struct ms_scratch *scratch,
                          size_t *ret_len);

#endif
