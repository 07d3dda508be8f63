/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crc32c.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

#define POLYNOMIAL 0x82F63B78U /* 0x1EDC6F41 with its bits reversed */

/* tables[k][b]: the effect of byte b that stands k bytes before the end of an eight-byte step. */
static uint32_t tables[8][256];
static pthread_once_t tables_once = PTHREAD_ONCE_INIT;

static void fill_tables(void)
{
    for (uint32_t b = 0; b < 256; b++) {
        uint32_t crc = b;

        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
        tables[0][b] = crc;
    }
    for (int k = 1; k < 8; k++) {
        for (uint32_t b = 0; b < 256; b++)
            tables[k][b] = tables[k - 1][b] >> 8 ^ tables[0][tables[k - 1][b] & 0xFF];
    }
}

uint32_t sl_crc32c_by_table(uint32_t crc, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;

    (void)pthread_once(&tables_once, fill_tables);
    crc = ~crc;
    for (; len >= 8; len -= 8, at += 8) {
        uint64_t word;
        uint32_t next = 0;

        memcpy(&word, at, 8); /* little-endian, as the machines that this program runs on */
        word ^= crc;
        for (int k = 0; k < 8; k++)
            next ^= tables[7 - k][word >> (8 * k) & 0xFF];
        crc = next;
    }
    for (; len; len--, at++)
        crc = crc >> 8 ^ tables[0][(crc ^ *at) & 0xFF];
    return ~crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t crc, const uint8_t *at, size_t len)
{
    uint64_t wide = ~crc;

    for (; len >= 8; len -= 8, at += 8) {
        uint64_t word;

        memcpy(&word, at, 8);
        wide = _mm_crc32_u64(wide, word);
    }
    crc = (uint32_t)wide;
    for (; len; len--, at++)
        crc = _mm_crc32_u8(crc, *at);
    return ~crc;
}
#endif

uint32_t sl_crc32c(uint32_t crc, const void *bytes, size_t len)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2"))
        return by_instruction(crc, bytes, len);
#endif
    return sl_crc32c_by_table(crc, bytes, len);
}
