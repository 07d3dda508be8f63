/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A block: the records that one append wrote to one partition, as one checksummed blob. The bytes are
 * described in docs/log-format.md. This file knows no SQLite.
 *
 * Threads: an encoder belongs to one thread; the rest has no state.
 */
#ifndef SLUICE_TRANSPORT_SQLITE_BLOCK_H
#define SLUICE_TRANSPORT_SQLITE_BLOCK_H

#include "base/arena.h"
#include "base/buf.h"
#include "sluice/error.h"
#include "sluice/transport.h"

enum {
    SL_BLOCK_VERSION = 1,
    SL_BLOCK_HEAD_SIZE = 64,
    SL_BLOCK_RAW_MAX = 1 << 30, /* more is refused when written, and disbelieved when read */
};

enum sl_block_codec {
    SL_BLOCK_RAW = 0,
    SL_BLOCK_LZ4 = 1,
    SL_BLOCK_ZSTD = 2,
};

/* What stands in front of the records. */
struct sl_block_head {
    enum sl_block_codec codec;
    int64_t partition_id;
    int64_t append_id;
    int64_t first_offset; /* the block speaks for the offsets first .. next-1 */
    int64_t next_offset;
    int64_t base_timestamp_ms;
    uint32_t records;
    uint32_t raw_bytes;
};

/* Builds blocks one after the other; the memory is reused. Zero all but codec before the first use. */
struct sl_block_encoder {
    enum sl_block_codec codec;
    struct sl_buf raw;
    void *lz4_state;
    void *zstd_context;
    struct sl_block_head head;
    int64_t last_offset;
    int64_t last_timestamp_ms;
    int64_t last_ordinal;
};

void sl_block_encoder_done(struct sl_block_encoder *encoder);

void sl_block_begin(struct sl_block_encoder *encoder, int64_t partition_id, int64_t append_id,
                    int64_t first_offset);

/* Offsets and ordinals (places in the append) rise strictly within a block. */
void sl_block_add(struct sl_block_encoder *encoder, const struct sl_log_record *record, int64_t offset,
                  int64_t ordinal);

/* Bytes that the records take so far, uncompressed. */
static inline size_t sl_block_raw_bytes(const struct sl_block_encoder *encoder)
{
    return encoder->raw.len;
}

/* Append the finished block to out. */
void sl_block_end(struct sl_block_encoder *encoder, int64_t next_offset, struct sl_buf *out);

/*
 * Check a block's checksum and version and read its head. Returns NULL when all is well, else what is wrong
 * (static text).
 */
const char *sl_block_check(const uint8_t *block, size_t size, struct sl_block_head *ret_head);

/*
 * The records' bytes in memory of the arena. Only for blocks that sl_block_check passed. Returns NULL, or
 * what is wrong.
 */
const char *sl_block_unpack(const struct sl_block_head *head, const uint8_t *block, size_t size,
                            struct sl_arena *arena, const uint8_t **ret_raw);

/*
 * Read the records into ret (room for head->records), with their places in the append beside. Every record
 * begins as a copy of blank (topic and partition). Key, value and headers point into raw. Returns NULL, or
 * what is wrong.
 */
const char *sl_block_records(const struct sl_block_head *head, const uint8_t *raw,
                             const struct sl_log_record *blank, struct sl_log_record *ret,
                             uint32_t *ret_ordinals);

#endif
