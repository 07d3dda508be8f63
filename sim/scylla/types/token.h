/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a partition lives: the token of its key. Two partitioners: Murmur3 in Cassandra's variant (the tail
 * bytes are sign-extended, so other libraries' MurmurHash3 gives other numbers) and CDC's, which reads the
 * token out of the stream id.
 */
#ifndef SIM_SCYLLA_TYPES_TOKEN_H
#define SIM_SCYLLA_TYPES_TOKEN_H

#include "../value.h"

/* Murmur3 of the serialised partition key; never INT64_MIN, which means "before the first". */
int64_t sy_token_of(const uint8_t *key, size_t len);

/* The CDC partitioner: the first eight bytes of a 16-byte stream id; any other length is INT64_MIN. */
int64_t sy_token_of_stream(const uint8_t *key, size_t len);

/*
 * The serialised partition key: one column is its bytes; several are u16 length, bytes, 0x00 each. Writes
 * at most size bytes and returns the length needed, so a caller may ask with size 0. Every value must be
 * non-null and, when there are several, shorter than 65,536 bytes.
 */
size_t sy_key_serialise(const struct sy_value *values, uint32_t n, uint8_t *ret_key, size_t size);

/* The reverse: views into key. False when the bytes do not hold n components. */
bool sy_key_split(const uint8_t *key, size_t len, uint32_t n, struct sy_value *ret_values);

#endif
