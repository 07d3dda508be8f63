/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/sqlite/block.h"

#include "base/crc32c.h"
#include "base/varint.h"

#include <lz4.h>
#include <zstd.h>

/* Which parts follow a record's flag byte. */
enum {
    HAS_OFFSET_GAP = 1 << 0,
    HAS_ORDINAL_GAP = 1 << 1,
    HAS_TIMESTAMP = 1 << 2,
    HAS_KEY = 1 << 3,
    HAS_VALUE = 1 << 4,
    HAS_HEADERS = 1 << 5,
    ALL_FLAGS = (1 << 6) - 1,
};

/* Places in the head. */
enum {
    AT_VERSION = 3,
    AT_CRC = 4,
    AT_CODEC = 8,
    AT_RESERVED = 9,
    AT_RECORDS = 12,
    AT_RAW_BYTES = 16,
    AT_PARTITION = 24,
    AT_APPEND = 32,
    AT_FIRST = 40,
    AT_NEXT = 48,
    AT_TIMESTAMP = 56,
};

static const char damaged_records[] = "its records do not follow the format";

static void put_le(uint8_t *at, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t get_le(const uint8_t *at, int bytes)
{
    uint64_t value = 0;

    for (int i = 0; i < bytes; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

void sl_block_encoder_done(struct sl_block_encoder *encoder)
{
    sl_buf_done(&encoder->raw);
    sl_free(encoder->lz4_state);
    (void)ZSTD_freeCCtx(encoder->zstd_context);
    encoder->lz4_state = NULL;
    encoder->zstd_context = NULL;
}

void sl_block_begin(struct sl_block_encoder *encoder, int64_t partition_id, int64_t append_id,
                    int64_t first_offset)
{
    sl_buf_reset(&encoder->raw);
    encoder->head = (struct sl_block_head){
        .partition_id = partition_id, .append_id = append_id, .first_offset = first_offset};
    encoder->last_offset = first_offset - 1;
    encoder->last_ordinal = -1;
}

static uint8_t *put_varint(uint8_t *at, uint64_t value)
{
    while (value >= 0x80) {
        *at++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *at++ = (uint8_t)value;
    return at;
}

static int64_t unzigzag(uint64_t value)
{
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

static uint8_t *put_span(uint8_t *at, struct sl_span span)
{
    at = put_varint(at, span.len);
    memcpy(at, span.ptr, span.len);
    return at + span.len;
}

void sl_block_add(struct sl_block_encoder *encoder, const struct sl_log_record *record, int64_t offset,
                  int64_t ordinal)
{
    uint8_t *flags =
        sl_buf_reserve(&encoder->raw, 1 + 6 * 10 + record->key.len + record->value.len + record->headers.len);
    uint8_t *at = flags + 1;
    uint8_t set = 0;

    if (encoder->head.records++ == 0) {
        encoder->head.base_timestamp_ms = record->timestamp_ms;
        encoder->last_timestamp_ms = record->timestamp_ms;
    }
    if (offset != encoder->last_offset + 1) {
        set |= HAS_OFFSET_GAP;
        at = put_varint(at, (uint64_t)(offset - encoder->last_offset - 1));
    }
    if (ordinal != encoder->last_ordinal + 1) {
        set |= HAS_ORDINAL_GAP;
        at = put_varint(at, (uint64_t)(ordinal - encoder->last_ordinal - 1));
    }
    if (record->timestamp_ms != encoder->last_timestamp_ms) {
        set |= HAS_TIMESTAMP;
        /* Wraps where SL_NO_TIMESTAMP meets a real one; reading wraps back. */
        at = put_varint(
            at, sl_zigzag((int64_t)((uint64_t)record->timestamp_ms - (uint64_t)encoder->last_timestamp_ms)));
    }
    if (record->key.ptr) {
        set |= HAS_KEY;
        at = put_span(at, record->key);
    }
    if (record->value.ptr) {
        set |= HAS_VALUE;
        at = put_span(at, record->value);
    }
    if (record->headers.len) {
        set |= HAS_HEADERS;
        at = put_span(at, record->headers);
    }
    *flags = set;
    encoder->raw.len += (size_t)(at - flags);
    encoder->last_offset = offset;
    encoder->last_ordinal = ordinal;
    encoder->last_timestamp_ms = record->timestamp_ms;
}

/* Compress behind the head at the end of out; 0 when it does not shrink. */
static size_t compress_lz4(struct sl_block_encoder *encoder, uint8_t *at, size_t room)
{
    int size;

    if (encoder->raw.len > LZ4_MAX_INPUT_SIZE)
        return 0;
    if (!encoder->lz4_state)
        encoder->lz4_state = sl_alloc((size_t)LZ4_sizeofState());
    size = LZ4_compress_fast_extState(encoder->lz4_state, (const char *)encoder->raw.data, (char *)at,
                                      (int)encoder->raw.len, (int)room, 1);
    return size > 0 ? (size_t)size : 0;
}

static size_t compress_zstd(struct sl_block_encoder *encoder, uint8_t *at, size_t room)
{
    size_t size;

    if (!encoder->zstd_context)
        encoder->zstd_context = ZSTD_createCCtx();
    if (!encoder->zstd_context)
        return 0;
    size = ZSTD_compressCCtx(encoder->zstd_context, at, room, encoder->raw.data, encoder->raw.len, 1);
    return ZSTD_isError(size) ? 0 : size;
}

static void put_head(uint8_t *at, const struct sl_block_head *head)
{
    memcpy(at, "SLB", 3);
    at[AT_VERSION] = SL_BLOCK_VERSION;
    at[AT_CODEC] = (uint8_t)head->codec;
    memset(at + AT_RESERVED, 0, 3);
    put_le(at + AT_RECORDS, head->records, 4);
    put_le(at + AT_RAW_BYTES, head->raw_bytes, 8);
    put_le(at + AT_PARTITION, (uint64_t)head->partition_id, 8);
    put_le(at + AT_APPEND, (uint64_t)head->append_id, 8);
    put_le(at + AT_FIRST, (uint64_t)head->first_offset, 8);
    put_le(at + AT_NEXT, (uint64_t)head->next_offset, 8);
    put_le(at + AT_TIMESTAMP, (uint64_t)head->base_timestamp_ms, 8);
}

void sl_block_end(struct sl_block_encoder *encoder, int64_t next_offset, struct sl_buf *out)
{
    /* Room for the raw bytes: "does not fit" and "does not shrink" are then one answer. */
    uint8_t *at = sl_buf_reserve(out, SL_BLOCK_HEAD_SIZE + encoder->raw.len);
    size_t size = 0;

    encoder->head.codec = encoder->codec;
    if (encoder->raw.len > 1 && encoder->codec == SL_BLOCK_LZ4)
        size = compress_lz4(encoder, at + SL_BLOCK_HEAD_SIZE, encoder->raw.len - 1);
    else if (encoder->raw.len > 1 && encoder->codec == SL_BLOCK_ZSTD)
        size = compress_zstd(encoder, at + SL_BLOCK_HEAD_SIZE, encoder->raw.len - 1);
    if (!size) {
        encoder->head.codec = SL_BLOCK_RAW;
        size = encoder->raw.len;
        if (size)
            memcpy(at + SL_BLOCK_HEAD_SIZE, encoder->raw.data, size);
    }
    encoder->head.next_offset = next_offset;
    encoder->head.raw_bytes = (uint32_t)encoder->raw.len;
    put_head(at, &encoder->head);
    put_le(at + AT_CRC, sl_crc32c(0, at + AT_CODEC, SL_BLOCK_HEAD_SIZE - AT_CODEC + size), 4);
    out->len += SL_BLOCK_HEAD_SIZE + size;
}

const char *sl_block_check(const uint8_t *block, size_t size, struct sl_block_head *ret_head)
{
    struct sl_block_head head;
    uint64_t raw_bytes;

    if (size < SL_BLOCK_HEAD_SIZE)
        return "it is shorter than a block's head";
    if (memcmp(block, "SLB", 3) != 0)
        return "it does not begin like a block";
    if (block[AT_VERSION] != SL_BLOCK_VERSION)
        return "its block version is unknown (damaged, or written by a newer sluice)";
    if (get_le(block + AT_CRC, 4) != sl_crc32c(0, block + AT_CODEC, size - AT_CODEC))
        return "its checksum does not match";
    raw_bytes = get_le(block + AT_RAW_BYTES, 8);
    head = (struct sl_block_head){
        .codec = (enum sl_block_codec)block[AT_CODEC],
        .partition_id = (int64_t)get_le(block + AT_PARTITION, 8),
        .append_id = (int64_t)get_le(block + AT_APPEND, 8),
        .first_offset = (int64_t)get_le(block + AT_FIRST, 8),
        .next_offset = (int64_t)get_le(block + AT_NEXT, 8),
        .base_timestamp_ms = (int64_t)get_le(block + AT_TIMESTAMP, 8),
        .records = (uint32_t)get_le(block + AT_RECORDS, 4),
        .raw_bytes = (uint32_t)raw_bytes,
    };
    /* A record takes at least its flag byte, so this bounds what follows from the head. */
    if (raw_bytes > SL_BLOCK_RAW_MAX || head.records > raw_bytes || block[AT_CODEC] > SL_BLOCK_ZSTD)
        return "its head does not make sense";
    *ret_head = head;
    return NULL;
}

const char *sl_block_unpack(const struct sl_block_head *head, const uint8_t *block, size_t size,
                            struct sl_arena *arena, const uint8_t **ret_raw)
{
    const uint8_t *packed = block + SL_BLOCK_HEAD_SIZE;
    size_t packed_size = size - SL_BLOCK_HEAD_SIZE;
    uint8_t *raw = sl_arena_alloc(arena, head->raw_bytes);
    size_t got = 0;

    switch (head->codec) {
    case SL_BLOCK_RAW:
        got = packed_size;
        if (got == head->raw_bytes)
            memcpy(raw, packed, got);
        break;
    case SL_BLOCK_LZ4: {
        int n =
            LZ4_decompress_safe((const char *)packed, (char *)raw, (int)packed_size, (int)head->raw_bytes);

        got = n < 0 ? 0 : (size_t)n;
        break;
    }
    case SL_BLOCK_ZSTD: got = ZSTD_decompress(raw, head->raw_bytes, packed, packed_size); break;
    default: break;
    }
    if (got != head->raw_bytes)
        return "it does not unpack to its stated size";
    *ret_raw = raw;
    return NULL;
}

/* A cursor that remembers having run over the end: one check a record, not one a field. */
struct cursor {
    const uint8_t *at;
    const uint8_t *end;
    bool bad;
};

static inline uint64_t get_varint(struct cursor *cursor)
{
    uint64_t value = 0;

    if (cursor->at < cursor->end && *cursor->at < 0x80)
        return *cursor->at++;
    if (!sl_varint_read(&cursor->at, cursor->end, &value))
        cursor->bad = true;
    return value;
}

static inline struct sl_span get_span(struct cursor *cursor)
{
    uint64_t len = get_varint(cursor);
    struct sl_span span = {.ptr = cursor->at, .len = (size_t)len};

    if (len > (uint64_t)(cursor->end - cursor->at)) {
        cursor->bad = true;
        return (struct sl_span){0};
    }
    cursor->at += len;
    return span;
}

const char *sl_block_records(const struct sl_block_head *head, const uint8_t *raw,
                             const struct sl_log_record *blank, struct sl_log_record *ret,
                             uint32_t *ret_ordinals)
{
    struct cursor cursor = {.at = raw, .end = raw + head->raw_bytes};
    uint64_t offset = (uint64_t)head->first_offset - 1;
    uint64_t ordinal = UINT64_MAX;
    uint64_t timestamp = (uint64_t)head->base_timestamp_ms;

    for (uint32_t i = 0; i < head->records; i++) {
        struct sl_log_record *record = &ret[i];
        uint8_t flags;

        if (cursor.at >= cursor.end)
            return damaged_records;
        flags = *cursor.at++;
        offset += 1 + (flags & HAS_OFFSET_GAP ? get_varint(&cursor) : 0);
        ordinal += 1 + (flags & HAS_ORDINAL_GAP ? get_varint(&cursor) : 0);
        if (flags & HAS_TIMESTAMP)
            timestamp += (uint64_t)unzigzag(get_varint(&cursor));
        record->topic = blank->topic;
        record->partition = blank->partition;
        record->offset = (int64_t)offset;
        record->timestamp_ms = (int64_t)timestamp;
        record->key = flags & HAS_KEY ? get_span(&cursor) : (struct sl_span){0};
        record->value = flags & HAS_VALUE ? get_span(&cursor) : (struct sl_span){0};
        record->headers = flags & HAS_HEADERS ? get_span(&cursor) : (struct sl_span){0};
        if (cursor.bad || flags > ALL_FLAGS || (int64_t)offset < head->first_offset ||
            (int64_t)offset >= head->next_offset || ordinal > UINT32_MAX)
            return damaged_records;
        ret_ordinals[i] = (uint32_t)ordinal;
    }
    return cursor.at == cursor.end ? NULL : damaged_records;
}
