/* SPDX-License-Identifier: Apache-2.0 */
#include "types.h"
#include "chars.h"

#define PLP_SIZE 0xFFFF

static enum ms_type_id int_of_size(uint8_t size)
{
    switch (size) {
    case 1: return MS_TINYINT;
    case 2: return MS_SMALLINT;
    case 4: return MS_INT;
    case 8: return MS_BIGINT;
    default: return MS_UNKNOWN;
    }
}

/* The types of four or eight bytes that share one id. */
static enum ms_type_id four_or_eight(uint8_t size, enum ms_type_id four, enum ms_type_id eight)
{
    return size == 4 ? four : size == 8 ? eight : MS_UNKNOWN;
}

/* Types whose id says everything: their values have no length. */
static enum ms_type_id fixed_type(uint8_t wire, uint32_t *ret_size)
{
    static const struct {
        uint8_t wire, id, size;
    } fixed[] = {
        {MS_WIRE_NULL, MS_UNKNOWN, 0},
        {MS_WIRE_INT1, MS_TINYINT, 1},
        {MS_WIRE_BIT, MS_BIT, 1},
        {MS_WIRE_INT2, MS_SMALLINT, 2},
        {MS_WIRE_INT4, MS_INT, 4},
        {MS_WIRE_INT8, MS_BIGINT, 8},
        {MS_WIRE_FLT4, MS_REAL, 4},
        {MS_WIRE_FLT8, MS_FLOAT, 8},
        {MS_WIRE_MONEY4, MS_SMALLMONEY, 4},
        {MS_WIRE_MONEY, MS_MONEY, 8},
        {MS_WIRE_DATETIM4, MS_SMALLDATETIME, 4},
        {MS_WIRE_DATETIME, MS_DATETIME, 8},
    };
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
        if (fixed[i].wire == wire) {
            *ret_size = fixed[i].size;
            return fixed[i].id;
        }
    }
    *ret_size = UINT32_MAX;
    return MS_UNKNOWN;
}

static bool is_fixed(uint8_t wire)
{
    uint32_t size;
    (void)fixed_type(wire, &size);
    return size != UINT32_MAX;
}

/* A collation with the UTF-8 flag (bit 26 of its first four bytes) carries UTF-8; every other one is read as
 * 1252. */
static enum ms_charset read_collation(struct ms_reader *reader)
{
    uint32_t flags = ms_read_u32(reader);
    (void)ms_read_u8(reader);
    return flags & 0x04000000 ? MS_CHARSET_UTF8 : MS_CHARSET_1252;
}

static bool read_decimal_type(struct ms_reader *reader, struct ms_decoder *decoder)
{
    decoder->max_size = ms_read_u8(reader);
    decoder->type.precision = ms_read_u8(reader);
    decoder->type.scale = ms_read_u8(reader);
    decoder->type.id =
        decoder->wire == MS_WIRE_DECIMALN || decoder->wire == MS_WIRE_OLD_DECIMAL ? MS_DECIMAL : MS_NUMERIC;
    return decoder->type.precision >= 1 && decoder->type.precision <= 38 &&
           decoder->type.scale <= decoder->type.precision && decoder->max_size <= 17;
}

static bool read_sized_type(struct ms_reader *reader, struct ms_decoder *decoder)
{
    uint8_t size = ms_read_u8(reader);
    decoder->max_size = size;
    switch (decoder->wire) {
    case MS_WIRE_INTN: decoder->type.id = int_of_size(size); break;
    case MS_WIRE_BITN: decoder->type.id = size == 1 ? MS_BIT : MS_UNKNOWN; break;
    case MS_WIRE_FLTN: decoder->type.id = four_or_eight(size, MS_REAL, MS_FLOAT); break;
    case MS_WIRE_MONEYN: decoder->type.id = four_or_eight(size, MS_SMALLMONEY, MS_MONEY); break;
    case MS_WIRE_DATETIMEN: decoder->type.id = four_or_eight(size, MS_SMALLDATETIME, MS_DATETIME); break;
    default: /* mssql-jdbc announces a NULL GUID with size 0 */
        decoder->type.id = size == 16 || size == 0 ? MS_UNIQUEIDENTIFIER : MS_UNKNOWN;
        break;
    }
    return decoder->type.id != MS_UNKNOWN;
}

static bool read_time_type(struct ms_reader *reader, struct ms_decoder *decoder)
{
    decoder->type.scale = ms_read_u8(reader);
    decoder->type.id = decoder->wire == MS_WIRE_TIME        ? MS_TIME
                       : decoder->wire == MS_WIRE_DATETIME2 ? MS_DATETIME2
                                                            : MS_DATETIMEOFFSET;
    return decoder->type.scale <= 7;
}

/* Character and binary types with a two-byte size. */
static bool read_big_type(struct ms_reader *reader, struct ms_decoder *decoder)
{
    static const struct {
        uint8_t wire, id, charset;
    } big[] = {
        {MS_WIRE_BIGVARBINARY, MS_VARBINARY, MS_CHARSET_BINARY},
        {MS_WIRE_BIGBINARY, MS_BINARY, MS_CHARSET_BINARY},
        {MS_WIRE_BIGVARCHAR, MS_VARCHAR, MS_CHARSET_1252},
        {MS_WIRE_BIGCHAR, MS_CHAR, MS_CHARSET_1252},
        {MS_WIRE_NVARCHAR, MS_NVARCHAR, MS_CHARSET_UTF16},
        {MS_WIRE_NCHAR, MS_NCHAR, MS_CHARSET_UTF16},
    };
    decoder->max_size = ms_read_u16(reader);
    for (size_t i = 0; i < sizeof(big) / sizeof(big[0]); i++) {
        if (big[i].wire == decoder->wire) {
            decoder->type.id = big[i].id;
            decoder->charset = big[i].charset;
        }
    }
    enum ms_charset collated = MS_CHARSET_BINARY;
    if (decoder->charset != MS_CHARSET_BINARY)
        collated = read_collation(reader);
    if (decoder->charset == MS_CHARSET_1252)
        decoder->charset = collated;
    decoder->type.length = decoder->max_size == PLP_SIZE          ? MS_MAX
                           : decoder->charset == MS_CHARSET_UTF16 ? (int32_t)(decoder->max_size / 2)
                                                                  : (int32_t)decoder->max_size;
    return decoder->max_size == PLP_SIZE || decoder->max_size <= 8000;
}

/* The types of before SQL Server 7: a one-byte size, no collation. */
static bool read_old_type(struct ms_reader *reader, struct ms_decoder *decoder)
{
    decoder->max_size = ms_read_u8(reader);
    decoder->type.length = (int32_t)decoder->max_size;
    switch (decoder->wire) {
    case MS_WIRE_OLD_VARCHAR: decoder->type.id = MS_VARCHAR; break;
    case MS_WIRE_OLD_CHAR: decoder->type.id = MS_CHAR; break;
    case MS_WIRE_OLD_VARBINARY: decoder->type.id = MS_VARBINARY; break;
    default: decoder->type.id = MS_BINARY; break;
    }
    decoder->charset =
        decoder->type.id == MS_VARCHAR || decoder->type.id == MS_CHAR ? MS_CHARSET_1252 : MS_CHARSET_BINARY;
    return true;
}

static bool read_blob_type(struct ms_reader *reader, struct ms_decoder *decoder)
{
    decoder->max_size = ms_read_u32(reader);
    if (decoder->wire == MS_WIRE_IMAGE) {
        decoder->type.id = MS_IMAGE;
        decoder->charset = MS_CHARSET_BINARY;
        return true;
    }
    decoder->charset = read_collation(reader);
    decoder->type.id = MS_TEXT;
    if (decoder->wire == MS_WIRE_NTEXT) {
        decoder->type.id = MS_NTEXT;
        decoder->charset = MS_CHARSET_UTF16;
    }
    return true;
}

static bool read_xml_type(struct ms_reader *reader, struct ms_decoder *decoder)
{
    decoder->type.id = MS_XML;
    decoder->charset = MS_CHARSET_UTF16;
    decoder->max_size = PLP_SIZE;
    if (ms_read_u8(reader) == 0)
        return true;
    /* a schema collection: database, owner, name; the value is the same text */
    (void)ms_read_bytes(reader, 2 * (size_t)ms_read_u8(reader));
    (void)ms_read_bytes(reader, 2 * (size_t)ms_read_u8(reader));
    (void)ms_read_bytes(reader, 2 * (size_t)ms_read_u16(reader));
    return true;
}

static bool read_facets(struct ms_reader *reader, struct ms_decoder *decoder)
{
    if (is_fixed(decoder->wire)) {
        decoder->type.id = fixed_type(decoder->wire, &decoder->max_size);
        return true;
    }
    switch (decoder->wire) {
    case MS_WIRE_INTN:
    case MS_WIRE_BITN:
    case MS_WIRE_FLTN:
    case MS_WIRE_MONEYN:
    case MS_WIRE_DATETIMEN:
    case MS_WIRE_GUID: return read_sized_type(reader, decoder);
    case MS_WIRE_DATE: decoder->type.id = MS_DATE; return true;
    case MS_WIRE_TIME:
    case MS_WIRE_DATETIME2:
    case MS_WIRE_DATETIMEOFFSET: return read_time_type(reader, decoder);
    case MS_WIRE_DECIMALN:
    case MS_WIRE_NUMERICN:
    case MS_WIRE_OLD_DECIMAL:
    case MS_WIRE_OLD_NUMERIC: return read_decimal_type(reader, decoder);
    case MS_WIRE_BIGVARBINARY:
    case MS_WIRE_BIGVARCHAR:
    case MS_WIRE_BIGBINARY:
    case MS_WIRE_BIGCHAR:
    case MS_WIRE_NVARCHAR:
    case MS_WIRE_NCHAR: return read_big_type(reader, decoder);
    case MS_WIRE_OLD_VARCHAR:
    case MS_WIRE_OLD_CHAR:
    case MS_WIRE_OLD_VARBINARY:
    case MS_WIRE_OLD_BINARY: return read_old_type(reader, decoder);
    case MS_WIRE_IMAGE:
    case MS_WIRE_TEXT:
    case MS_WIRE_NTEXT: return read_blob_type(reader, decoder);
    case MS_WIRE_XML: return read_xml_type(reader, decoder);
    default: return false;
    }
}

enum ms_decode_result ms_decoder_read_type(struct ms_reader *reader, struct ms_decoder *ret_decoder)
{
    struct ms_decoder decoder = {.wire = ms_read_u8(reader)};
    if (reader->failed)
        return MS_DECODE_BROKEN;
    if (decoder.wire == MS_WIRE_VARIANT || decoder.wire == MS_WIRE_UDT || decoder.wire == MS_WIRE_TVP) {
        *ret_decoder = decoder;
        return MS_DECODE_UNSUPPORTED;
    }
    if (!read_facets(reader, &decoder) || reader->failed)
        return MS_DECODE_BROKEN;
    *ret_decoder = decoder;
    return MS_DECODE_OK;
}

/* Bytes as they came into the value: text to UTF-8. */
static bool set_bytes(const struct ms_decoder *decoder, const uint8_t *bytes, size_t size,
                      struct ms_scratch *scratch, struct ms_value *value)
{
    if (size > UINT32_MAX / 3)
        return false;
    value->bytes = bytes;
    value->len = (uint32_t)size;
    if (decoder->charset == MS_CHARSET_BINARY || decoder->charset == MS_CHARSET_UTF8)
        return true;
    if (decoder->charset == MS_CHARSET_UTF16) {
        if (size % 2 != 0)
            return false;
        /* xml may begin with a byte order mark, which is no part of it */
        if (decoder->type.id == MS_XML && size >= 2 && bytes[0] == 0xFF && bytes[1] == 0xFE) {
            bytes += 2;
            size -= 2;
        }
        uint8_t *text = ms_scratch_alloc(scratch, size / 2 * 3 + 1);
        value->len = (uint32_t)ms_chars_from_utf16(bytes, size / 2, text);
        value->bytes = text;
        return true;
    }
    uint8_t *text = ms_scratch_alloc(scratch, size * 3 + 1);
    value->len = (uint32_t)ms_chars_from_1252(bytes, size, text);
    value->bytes = text;
    return true;
}

static bool read_counted(const struct ms_decoder *decoder, struct ms_reader *reader, size_t size,
                         struct ms_scratch *scratch, struct ms_value *value)
{
    static const uint8_t nothing[1];
    const uint8_t *bytes = size == 0 ? nothing : ms_read_bytes(reader, size);
    return bytes != NULL && set_bytes(decoder, bytes, size, scratch, value);
}

/* Chunks laid end to end: a character may straddle two of them. */
static bool read_plp(const struct ms_decoder *decoder, struct ms_reader *reader, struct ms_scratch *scratch,
                     struct ms_value *value)
{
    uint64_t total = ms_read_le(reader, 8);
    if (total == UINT64_MAX) {
        value->is_null = true;
        return !reader->failed;
    }
    /* the total may be unknown, and may lie: the message itself bounds what can come */
    struct ms_reader ahead = *reader;
    size_t size = 0;
    for (uint32_t chunk = ms_read_u32(&ahead); chunk != 0; chunk = ms_read_u32(&ahead)) {
        if (ms_read_bytes(&ahead, chunk) == NULL)
            return false;
        size += chunk;
    }
    if (ahead.failed || (total != UINT64_MAX - 1 && total != size))
        return false;
    uint8_t *whole = ms_scratch_alloc(scratch, size + 1);
    size_t at = 0;
    for (uint32_t chunk = ms_read_u32(reader); chunk != 0; chunk = ms_read_u32(reader)) {
        memcpy(whole + at, ms_read_bytes(reader, chunk), chunk);
        at += chunk;
    }
    return set_bytes(decoder, whole, size, scratch, value);
}

static bool read_decimal(struct ms_reader *reader, size_t size, struct ms_value *value)
{
    uint8_t sign = ms_read_u8(reader);
    const uint8_t *bytes = ms_read_bytes(reader, size - 1);
    if (bytes == NULL || size - 1 > 16)
        return false;
    __extension__ __int128 magnitude = 0;
    memcpy(&magnitude, bytes, size - 1);
    if (magnitude < 0)
        return false;
    value->dec = sign == 0 ? -magnitude : magnitude;
    return true;
}

static bool read_ticks(const struct ms_decoder *decoder, struct ms_reader *reader, size_t size,
                       int64_t *ret_ticks)
{
    uint64_t units = ms_read_le(reader, size);
    uint64_t divisor = ms_tick_divisor(decoder->type.scale);
    if (units >= (uint64_t)MS_TICKS_A_DAY / divisor)
        return false;
    *ret_ticks = (int64_t)(units * divisor);
    return true;
}

/* time, datetime2 and datetimeoffset: `tail` bytes follow the time of day. */
static bool read_timed(const struct ms_decoder *decoder, struct ms_reader *reader, size_t size,
                       struct ms_value *value)
{
    size_t tail = decoder->wire == MS_WIRE_TIME ? 0 : decoder->wire == MS_WIRE_DATETIME2 ? 3 : 5;
    if (size != ms_time_size(decoder->type.scale) + tail)
        return false;
    int64_t ticks;
    if (!read_ticks(decoder, reader, size - tail, &ticks))
        return false;
    value->i = ticks;
    if (tail == 0)
        return true;
    int64_t day = (int64_t)ms_read_le(reader, 3);
    value->i += day * MS_TICKS_A_DAY;
    if (tail == 5)
        value->offset_min = (int16_t)ms_read_u16(reader);
    return day <= MS_MAX_DAY && value->offset_min >= -840 && value->offset_min <= 840;
}

static bool read_datetime(struct ms_reader *reader, struct ms_value *value)
{
    int32_t day = (int32_t)ms_read_u32(reader);
    uint32_t ticks = ms_read_u32(reader);
    value->i = day * MS_DATETIME_TICKS_A_DAY + ticks;
    return ticks < MS_DATETIME_TICKS_A_DAY && day >= -53690 && day <= 2958463; /* 1753-01-01 to 9999-12-31 */
}

static bool read_smalldatetime(struct ms_reader *reader, struct ms_value *value)
{
    uint16_t day = ms_read_u16(reader);
    uint16_t minute = ms_read_u16(reader);
    value->i = (int64_t)day * 1440 + minute;
    return minute < 1440;
}

static int64_t sign_extend(uint64_t number, size_t size)
{
    unsigned shift = (unsigned)(64 - 8 * size);
    return (int64_t)(number << shift) >> shift;
}

static bool read_float(struct ms_reader *reader, size_t size, struct ms_value *value)
{
    const uint8_t *bytes = ms_read_bytes(reader, size);
    if (bytes == NULL)
        return false;
    float real;
    if (size == 4) {
        memcpy(&real, bytes, 4);
        value->d = (double)real;
    } else {
        memcpy(&value->d, bytes, 8);
    }
    return true;
}

static bool read_money(struct ms_reader *reader, size_t size, struct ms_value *value)
{
    uint64_t number = ms_read_le(reader, size);
    value->i = size == 4 ? sign_extend(number, 4) : (int64_t)(number << 32 | number >> 32);
    return true;
}

/* Values that have a known number of bytes, once that number has been read. */
static bool read_sized(const struct ms_decoder *decoder, struct ms_reader *reader, size_t size,
                       struct ms_value *value)
{
    if (decoder->type.id == MS_DECIMAL || decoder->type.id == MS_NUMERIC)
        return size >= 2 && size <= 17 && read_decimal(reader, size, value);
    if (decoder->type.id == MS_TIME || decoder->type.id == MS_DATETIME2 ||
        decoder->type.id == MS_DATETIMEOFFSET)
        return read_timed(decoder, reader, size, value);
    if (decoder->type.id == MS_DATE) {
        value->i = size == 3 ? (int64_t)ms_read_le(reader, 3) : INT64_MAX;
        return value->i <= MS_MAX_DAY;
    }
    if (size != decoder->max_size)
        return false;
    switch ((int)decoder->type.id) {
    case MS_REAL:
    case MS_FLOAT: return read_float(reader, size, value);
    case MS_SMALLMONEY:
    case MS_MONEY: return read_money(reader, size, value);
    case MS_DATETIME: return read_datetime(reader, value);
    case MS_SMALLDATETIME: return read_smalldatetime(reader, value);
    case MS_UNIQUEIDENTIFIER:
        value->len = 16;
        value->bytes = ms_read_bytes(reader, 16);
        return value->bytes != NULL;
    case MS_BIT: value->i = ms_read_u8(reader) != 0; return true;
    case MS_TINYINT: value->i = ms_read_u8(reader); return true;
    default: value->i = sign_extend(ms_read_le(reader, size), size); return true;
    }
}

bool ms_decoder_read_value(const struct ms_decoder *decoder, struct ms_reader *reader,
                           struct ms_scratch *scratch, struct ms_value *ret_value)
{
    struct ms_value value = {0};
    bool ok;
    if (is_fixed(decoder->wire)) {
        value.is_null = decoder->wire == MS_WIRE_NULL;
        ok = value.is_null || read_sized(decoder, reader, decoder->max_size, &value);
    } else if (decoder->wire == MS_WIRE_TEXT || decoder->wire == MS_WIRE_NTEXT ||
               decoder->wire == MS_WIRE_IMAGE) {
        uint32_t size = ms_read_u32(reader);
        value.is_null = size == UINT32_MAX;
        ok = value.is_null || read_counted(decoder, reader, size, scratch, &value);
    } else if (decoder->wire == MS_WIRE_XML ||
               (decoder->max_size == PLP_SIZE && decoder->type.length == MS_MAX)) {
        ok = read_plp(decoder, reader, scratch, &value);
    } else if (decoder->wire >= MS_WIRE_BIGVARBINARY) {
        uint16_t size = ms_read_u16(reader);
        value.is_null = size == 0xFFFF;
        ok = value.is_null || read_counted(decoder, reader, size, scratch, &value);
    } else {
        uint8_t size = ms_read_u8(reader);
        bool text = decoder->wire == MS_WIRE_OLD_VARCHAR || decoder->wire == MS_WIRE_OLD_CHAR ||
                    decoder->wire == MS_WIRE_OLD_VARBINARY || decoder->wire == MS_WIRE_OLD_BINARY;
        value.is_null = size == 0;
        ok = value.is_null || (text ? read_counted(decoder, reader, size, scratch, &value)
                                    : read_sized(decoder, reader, size, &value));
    }
    if (!ok || reader->failed)
        return false;
    *ret_value = value;
    return true;
}
