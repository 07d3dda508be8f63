/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log sequence numbers: 4 bytes virtual log file, 4 bytes block offset, 2 bytes slot, big-endian, so that
 * memcmp orders them. A position only ever moves forward.
 */
#ifndef SIM_SQLSERVER_STORAGE_LSN_H
#define SIM_SQLSERVER_STORAGE_LSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MS_LSN_SIZE 10

/* Where the log of a database ends: the number given out last. */
struct ms_log_position {
    uint32_t file;
    uint32_t block;
    uint16_t slot;
};

void ms_lsn_encode(const struct ms_log_position *position, uint8_t ret_lsn[MS_LSN_SIZE]);
void ms_lsn_decode(const uint8_t lsn[MS_LSN_SIZE], struct ms_log_position *ret_position);

/* The next record's number; a block holds some dozens of records, a file some thousands of blocks. */
void ms_lsn_next(struct ms_log_position *position, uint8_t ret_lsn[MS_LSN_SIZE]);

/* What follows goes into a new block, as after the flush of a commit. */
void ms_lsn_new_block(struct ms_log_position *position);

/* x + 1 and x - 1 as an 80-bit integer, wrapping. */
void ms_lsn_increment(uint8_t lsn[MS_LSN_SIZE]);
void ms_lsn_decrement(uint8_t lsn[MS_LSN_SIZE]);

/* "00000027:00000ac0:0002"; buf has room for 23 bytes. Returns buf. */
const char *ms_lsn_text(const uint8_t lsn[MS_LSN_SIZE], char buf[23]);

#endif
