/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CRC-32C (Castagnoli, as in iSCSI, Kafka and ext4): by the processor's instruction where it has one, else by
 * tables. Pass 0 to begin, or the result so far to go on.
 */
#ifndef SLUICE_BASE_CRC32C_H
#define SLUICE_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

uint32_t sl_crc32c(uint32_t crc, const void *bytes, size_t len);

/* The way without the instruction; the same result. For tests. */
uint32_t sl_crc32c_by_table(uint32_t crc, const void *bytes, size_t len);

#endif
