/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which partition a key belongs to, exactly as Kafka's Java producer decides it, so that a record lands on
 * the same partition whoever writes it. (librdkafka: partitioner "murmur2".)
 */
#ifndef SLUICE_CODEC_MURMUR2_H
#define SLUICE_CODEC_MURMUR2_H

#include <stddef.h>
#include <stdint.h>

/* MurmurHash2, 32 bits, seed 0x9747b28c, bytes taken little-endian. */
uint32_t sl_murmur2(const void *bytes, size_t len);

/* partitions > 0; the bytes are the key as it is written to the log. */
int32_t sl_murmur2_partition(const void *bytes, size_t len, int32_t partitions);

#endif
