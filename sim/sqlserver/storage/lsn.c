/* SPDX-License-Identifier: Apache-2.0 */
#include "lsn.h"

#include <stdio.h>

#define SLOTS_PER_BLOCK 120
#define BLOCK_STEP 8
#define BLOCKS_END 0x8000

void ms_lsn_encode(const struct ms_log_position *position, uint8_t ret_lsn[MS_LSN_SIZE])
{
    for (int i = 0; i < 4; i++) {
        ret_lsn[i] = (uint8_t)(position->file >> (24 - 8 * i));
        ret_lsn[4 + i] = (uint8_t)(position->block >> (24 - 8 * i));
    }
    ret_lsn[8] = (uint8_t)(position->slot >> 8);
    ret_lsn[9] = (uint8_t)position->slot;
}

void ms_lsn_decode(const uint8_t lsn[MS_LSN_SIZE], struct ms_log_position *ret_position)
{
    *ret_position = (struct ms_log_position){0};
    for (int i = 0; i < 4; i++) {
        ret_position->file = ret_position->file << 8 | lsn[i];
        ret_position->block = ret_position->block << 8 | lsn[4 + i];
    }
    ret_position->slot = (uint16_t)(lsn[8] << 8 | lsn[9]);
}

void ms_lsn_new_block(struct ms_log_position *position)
{
    position->block += BLOCK_STEP;
    position->slot = 0;
    if (position->block >= BLOCKS_END) {
        position->file++;
        position->block = 0x10;
    }
}

void ms_lsn_next(struct ms_log_position *position, uint8_t ret_lsn[MS_LSN_SIZE])
{
    if (position->slot >= SLOTS_PER_BLOCK)
        ms_lsn_new_block(position);
    position->slot++;
    ms_lsn_encode(position, ret_lsn);
}

void ms_lsn_increment(uint8_t lsn[MS_LSN_SIZE])
{
    for (int i = MS_LSN_SIZE - 1; i >= 0 && ++lsn[i] == 0; i--)
        ;
}

void ms_lsn_decrement(uint8_t lsn[MS_LSN_SIZE])
{
    for (int i = MS_LSN_SIZE - 1; i >= 0 && lsn[i]-- == 0; i--)
        ;
}

const char *ms_lsn_text(const uint8_t lsn[MS_LSN_SIZE], char buf[23])
{
    struct ms_log_position p;
    ms_lsn_decode(lsn, &p);
    snprintf(buf, 23, "%08x:%08x:%04x", p.file, p.block, p.slot);
    return buf;
}
