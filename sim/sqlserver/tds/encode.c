/* SPDX-License-Identifier: Apache-2.0 */
#include "types.h"
#include "chars.h"

#include <stdio.h>

const uint8_t ms_collation[5] = {0x09, 0x04, 0xD0, 0x00, 0x34};

struct wire_type {
    uint8_t shape;
    uint8_t charset;
    uint8_t wire;  /* the id that allows NULL */
    uint8_t fixed; /* the id that does not, or 0 */
    uint8_t size;
};

static const struct wire_type wire_types[] = {
    /* a bare NULL is an int to SQL Server */
    [MS_UNKNOWN] = {MS_SHAPE_INT, 0, MS_WIRE_INTN, 0, 4},
    [MS_BIT] = {MS_SHAPE_INT, 0, MS_WIRE_BITN, MS_WIRE_BIT, 1},
    [MS_TINYINT] = {MS_SHAPE_INT, 0, MS_WIRE_INTN, MS_WIRE_INT1, 1},
    [MS_SMALLINT] = {MS_SHAPE_INT, 0, MS_WIRE_INTN, MS_WIRE_INT2, 2},
    [MS_INT] = {MS_SHAPE_INT, 0, MS_WIRE_INTN, MS_WIRE_INT4, 4},
    [MS_BIGINT] = {MS_SHAPE_INT, 0, MS_WIRE_INTN, MS_WIRE_INT8, 8},
    [MS_REAL] = {MS_SHAPE_REAL, 0, MS_WIRE_FLTN, MS_WIRE_FLT4, 4},
    [MS_FLOAT] = {MS_SHAPE_FLOAT, 0, MS_WIRE_FLTN, MS_WIRE_FLT8, 8},
    [MS_DECIMAL] = {MS_SHAPE_DECIMAL, 0, MS_WIRE_DECIMALN, 0, 0},
    [MS_NUMERIC] = {MS_SHAPE_DECIMAL, 0, MS_WIRE_NUMERICN, 0, 0},
    [MS_SMALLMONEY] = {MS_SHAPE_SMALLMONEY, 0, MS_WIRE_MONEYN, MS_WIRE_MONEY4, 4},
    [MS_MONEY] = {MS_SHAPE_MONEY, 0, MS_WIRE_MONEYN, MS_WIRE_MONEY, 8},
    [MS_CHAR] = {MS_SHAPE_BYTES, MS_CHARSET_1252, MS_WIRE_BIGCHAR, 0, 0},
    [MS_VARCHAR] = {MS_SHAPE_BYTES, MS_CHARSET_1252, MS_WIRE_BIGVARCHAR, 0, 0},
    [MS_TEXT] = {MS_SHAPE_BLOB, MS_CHARSET_1252, MS_WIRE_TEXT, 0, 0},
    [MS_NCHAR] = {MS_SHAPE_BYTES, MS_CHARSET_UTF16, MS_WIRE_NCHAR, 0, 0},
    [MS_NVARCHAR] = {MS_SHAPE_BYTES, MS_CHARSET_UTF16, MS_WIRE_NVARCHAR, 0, 0},
    [MS_NTEXT] = {MS_SHAPE_BLOB, MS_CHARSET_UTF16, MS_WIRE_NTEXT, 0, 0},
    [MS_BINARY] = {MS_SHAPE_BYTES, MS_CHARSET_BINARY, MS_WIRE_BIGBINARY, 0, 0},
    [MS_VARBINARY] = {MS_SHAPE_BYTES, MS_CHARSET_BINARY, MS_WIRE_BIGVARBINARY, 0, 0},
    [MS_IMAGE] = {MS_SHAPE_BLOB, MS_CHARSET_BINARY, MS_WIRE_IMAGE, 0, 0},
    [MS_ROWVERSION] = {MS_SHAPE_BYTES, MS_CHARSET_BINARY, MS_WIRE_BIGBINARY, 0, 0},
    [MS_UNIQUEIDENTIFIER] = {MS_SHAPE_GUID, 0, MS_WIRE_GUID, 0, 16},
    [MS_DATE] = {MS_SHAPE_DATE, 0, MS_WIRE_DATE, 0, 3},
    [MS_TIME] = {MS_SHAPE_TIME, 0, MS_WIRE_TIME, 0, 0},
    [MS_DATETIME2] = {MS_SHAPE_DATETIME2, 0, MS_WIRE_DATETIME2, 0, 0},
    [MS_DATETIMEOFFSET] = {MS_SHAPE_DATETIMEOFFSET, 0, MS_WIRE_DATETIMEOFFSET, 0, 0},
    [MS_DATETIME] = {MS_SHAPE_DATETIME, 0, MS_WIRE_DATETIMEN, MS_WIRE_DATETIME, 8},
    [MS_SMALLDATETIME] = {MS_SHAPE_SMALLDATETIME, 0, MS_WIRE_DATETIMEN, MS_WIRE_DATETIM4, 4},
    [MS_XML] = {MS_SHAPE_PLP, MS_CHARSET_UTF16, MS_WIRE_XML, 0, 0},
    [MS_SQL_VARIANT] = {MS_SHAPE_VARIANT, MS_CHARSET_UTF16, MS_WIRE_VARIANT, 0, 0},
    [MS_HIERARCHYID] = {MS_SHAPE_PLP, MS_CHARSET_BINARY, MS_WIRE_UDT, 0, 0},
    [MS_GEOMETRY] = {MS_SHAPE_PLP, MS_CHARSET_BINARY, MS_WIRE_UDT, 0, 0},
    [MS_GEOGRAPHY] = {MS_SHAPE_PLP, MS_CHARSET_BINARY, MS_WIRE_UDT, 0, 0},
};

static bool is_timed(enum ms_shape shape)
{
    return shape == MS_SHAPE_TIME || shape == MS_SHAPE_DATETIME2 || shape == MS_SHAPE_DATETIMEOFFSET;
}

struct ms_encoder ms_encoder_make(const struct ms_type *type, bool nullable)
{
    const struct wire_type *wire = &wire_types[(unsigned)type->id <= MS_TYPE_LAST ? type->id : MS_UNKNOWN];
    struct ms_encoder encoder = {.shape = wire->shape,
                                 .charset = wire->charset,
                                 .wire = wire->wire,
                                 .size = wire->size,
                                 .type = *type};
    if (!nullable && wire->fixed != 0) {
        encoder.fixed = true;
        encoder.wire = wire->fixed;
    }
    if (encoder.shape == MS_SHAPE_DECIMAL)
        encoder.size = ms_decimal_size(type->precision);
    if (is_timed(encoder.shape)) {
        encoder.time_size = ms_time_size(type->scale);
        encoder.tick_divisor = ms_tick_divisor(type->scale);
        encoder.size = (uint8_t)(encoder.time_size + (encoder.shape == MS_SHAPE_TIME        ? 0
                                                      : encoder.shape == MS_SHAPE_DATETIME2 ? 3
                                                                                            : 5));
    }
    if (encoder.shape == MS_SHAPE_BYTES && type->length == MS_MAX)
        encoder.shape = MS_SHAPE_PLP;
    return encoder;
}

bool ms_encoder_has_table_name(const struct ms_encoder *encoder)
{
    return encoder->shape == MS_SHAPE_BLOB;
}

/* The largest size in bytes that TYPE_INFO names; "length" counts UTF-16 units for national types. */
static uint16_t max_size(const struct ms_encoder *encoder)
{
    if (encoder->type.id == MS_ROWVERSION)
        return 8;
    int32_t length = encoder->type.length;
    if (encoder->charset == MS_CHARSET_UTF16)
        length *= 2;
    /* a length of 0 cannot be announced: an empty literal is a varchar(1) to SQL Server too */
    if (length <= 0)
        return encoder->charset == MS_CHARSET_UTF16 ? 2 : 1;
    return (uint16_t)(length > 8000 ? 8000 : length);
}

static void put_collation(const struct ms_encoder *encoder, struct ms_bytes *out)
{
    if (encoder->charset != MS_CHARSET_BINARY)
        ms_bytes_put(out, ms_collation, sizeof(ms_collation));
}

/* UDT_INFO: the largest size, where the type is found, and which class of .NET reads it. */
static void put_clr_type(const struct ms_encoder *encoder, struct ms_bytes *out)
{
    static const char *const names[][2] = {
        {"hierarchyid", "SqlHierarchyId"}, {"geometry", "SqlGeometry"}, {"geography", "SqlGeography"}};
    const char *const *name = names[encoder->type.id - MS_HIERARCHYID];
    char class_name[160];
    (void)snprintf(class_name, sizeof class_name,
                   "Microsoft.SqlServer.Types.%s, Microsoft.SqlServer.Types, Version=11.0.0.0, "
                   "Culture=neutral, PublicKeyToken=89845dcd8080cc91",
                   name[1]);
    ms_bytes_put_le(out, encoder->type.id == MS_HIERARCHYID ? 892 : 0xFFFF, 2);
    ms_chars_put_b_varchar(out, "");
    ms_chars_put_b_varchar(out, "sys");
    ms_chars_put_b_varchar(out, name[0]);
    ms_chars_put_us_varchar(out, class_name);
}

static void put_bounded_type(const struct ms_encoder *encoder, struct ms_bytes *out)
{
    switch ((int)encoder->shape) {
    case MS_SHAPE_BYTES:
        ms_bytes_put_le(out, max_size(encoder), 2);
        put_collation(encoder, out);
        break;
    case MS_SHAPE_PLP:
        if (encoder->wire == MS_WIRE_UDT) {
            put_clr_type(encoder, out);
            break;
        }
        if (encoder->wire == MS_WIRE_XML) {
            ms_bytes_put_u8(out, 0); /* no schema collection */
            break;
        }
        ms_bytes_put_le(out, 0xFFFF, 2);
        put_collation(encoder, out);
        break;
    case MS_SHAPE_BLOB:
        ms_bytes_put_le(out, encoder->charset == MS_CHARSET_UTF16 ? 0x7FFFFFFE : 0x7FFFFFFF, 4);
        put_collation(encoder, out);
        break;
    default: /* sql_variant */ ms_bytes_put_le(out, 8009, 4); break;
    }
}

void ms_encoder_put_type(const struct ms_encoder *encoder, struct ms_bytes *out)
{
    ms_bytes_put_u8(out, encoder->wire);
    if (encoder->fixed || encoder->shape == MS_SHAPE_DATE)
        return;
    if (is_timed(encoder->shape)) {
        ms_bytes_put_u8(out, encoder->type.scale);
    } else if (encoder->shape == MS_SHAPE_DECIMAL) {
        const uint8_t facets[3] = {encoder->size, encoder->type.precision, encoder->type.scale};
        ms_bytes_put(out, facets, sizeof(facets));
    } else if (encoder->shape < MS_SHAPE_BYTES) {
        ms_bytes_put_u8(out, encoder->size);
    } else {
        put_bounded_type(encoder, out);
    }
}

/* The value's bytes in the wire's character set; returns how many. The room is there. */
static size_t convert(enum ms_charset charset, const struct ms_value *value, uint8_t *to)
{
    if (charset == MS_CHARSET_UTF16)
        return ms_chars_to_utf16(value->bytes, value->len, to);
    if (charset == MS_CHARSET_1252)
        return ms_chars_to_1252(value->bytes, value->len, to);
    if (value->len > 0)
        memcpy(to, value->bytes, value->len);
    return value->len;
}

/* At most this many bytes come from convert(). */
static size_t converted_bound(enum ms_charset charset, const struct ms_value *value)
{
    return charset == MS_CHARSET_UTF16 ? 2 * (size_t)value->len : value->len;
}

static bool put_short_bytes(const struct ms_encoder *encoder, struct ms_bytes *out,
                            const struct ms_value *value)
{
    if (value->is_null) {
        ms_bytes_put_le(out, 0xFFFF, 2);
        return true;
    }
    uint8_t *to = ms_bytes_room(out, 2 + converted_bound(encoder->charset, value));
    size_t size = convert(encoder->charset, value, to + 2);
    if (size > max_size(encoder))
        return false;
    uint16_t count = (uint16_t)size;
    memcpy(to, &count, 2);
    out->len += 2 + size;
    return true;
}

/* One chunk with its total: the length is known before the bytes are. */
static void put_plp(const struct ms_encoder *encoder, struct ms_bytes *out, const struct ms_value *value)
{
    if (value->is_null) {
        ms_bytes_put_le(out, UINT64_MAX, 8);
        return;
    }
    uint8_t *to = ms_bytes_room(out, 16 + converted_bound(encoder->charset, value));
    uint64_t total = convert(encoder->charset, value, to + 12);
    uint32_t chunk = (uint32_t)total;
    memcpy(to, &total, 8);
    memcpy(to + 8, &chunk, 4);
    out->len += 12 + total;
    if (total > 0)
        ms_bytes_put_le(out, 0, 4); /* an empty value's only chunk is already the end mark */
}

static void put_blob(const struct ms_encoder *encoder, struct ms_bytes *out, const struct ms_value *value)
{
    /* Clients look at whether there is a pointer; SQL Server too sends a dummy for values outside a table. */
    static const uint8_t pointer[25] = {16,  'd', 'u', 'm', 'm', 'y', ' ', 't', 'e', 'x', 't', 'p', 't',
                                        'r', 0,   0,   0,   'd', 'u', 'm', 'm', 'y', 'T', 'S', 0};
    if (value->is_null) {
        ms_bytes_put_u8(out, 0);
        return;
    }
    uint8_t *to = ms_bytes_room(out, sizeof(pointer) + 4 + converted_bound(encoder->charset, value));
    memcpy(to, pointer, sizeof(pointer));
    uint32_t size = (uint32_t)convert(encoder->charset, value, to + sizeof(pointer) + 4);
    memcpy(to + sizeof(pointer), &size, 4);
    out->len += sizeof(pointer) + 4 + size;
}

static void put_variant(const struct ms_encoder *encoder, struct ms_bytes *out, const struct ms_value *value)
{
    if (value->is_null) {
        ms_bytes_put_le(out, 0, 4);
        return;
    }
    size_t count_at = out->len;
    ms_bytes_put_le(out, 0, 4);
    ms_bytes_put_u8(out, MS_WIRE_NVARCHAR);
    ms_bytes_put_u8(out, 7);
    ms_bytes_put(out, ms_collation, sizeof(ms_collation));
    ms_bytes_put_le(out, 8000, 2);
    size_t size = convert(encoder->charset, value, ms_bytes_room(out, 2 * (size_t)value->len));
    out->len += size > 8000 ? 8000 : size;
    uint32_t count = (uint32_t)(out->len - count_at - 4);
    memcpy(out->data + count_at, &count, 4);
}

static int64_t floor_div(int64_t number, int64_t by)
{
    return number / by - (number % by < 0);
}

static uint8_t *put_time_and_day(const struct ms_encoder *encoder, uint8_t *to, int64_t ticks)
{
    int64_t day = floor_div(ticks, MS_TICKS_A_DAY);
    int64_t unit = (ticks - day * MS_TICKS_A_DAY) / encoder->tick_divisor;
    memcpy(to, &unit, 8);
    to += encoder->time_size;
    memcpy(to, &day, 8);
    return to + 3;
}

static void put_decimal(const struct ms_encoder *encoder, uint8_t *to, const struct ms_value *value)
{
    __extension__ unsigned __int128 magnitude =
        value->dec < 0 ? -(unsigned __int128)value->dec : (unsigned __int128)value->dec;
    to[0] = value->dec >= 0;
    memcpy(to + 1, &magnitude, (size_t)encoder->size - 1);
}

/* A value of encoder->size bytes. The room is there, with some to spare. */
static void put_sized(const struct ms_encoder *encoder, uint8_t *to, const struct ms_value *value)
{
    switch ((int)encoder->shape) {
    case MS_SHAPE_REAL: {
        float real = (float)value->d;
        memcpy(to, &real, 4);
        break;
    }
    case MS_SHAPE_MONEY: {
        uint64_t swapped = (uint64_t)value->i << 32 | (uint64_t)value->i >> 32;
        memcpy(to, &swapped, 8);
        break;
    }
    case MS_SHAPE_DATETIME: {
        int64_t day = floor_div(value->i, MS_DATETIME_TICKS_A_DAY);
        uint32_t halves[2] = {(uint32_t)day, (uint32_t)(value->i - day * MS_DATETIME_TICKS_A_DAY)};
        memcpy(to, halves, 8);
        break;
    }
    case MS_SHAPE_SMALLDATETIME: {
        uint16_t halves[2] = {(uint16_t)(value->i / 1440), (uint16_t)(value->i % 1440)};
        memcpy(to, halves, 4);
        break;
    }
    case MS_SHAPE_DECIMAL: put_decimal(encoder, to, value); break;
    case MS_SHAPE_GUID: memcpy(to, value->bytes, 16); break;
    case MS_SHAPE_TIME: {
        int64_t unit = value->i / encoder->tick_divisor;
        memcpy(to, &unit, 8);
        break;
    }
    case MS_SHAPE_DATETIME2: put_time_and_day(encoder, to, value->i); break;
    case MS_SHAPE_DATETIMEOFFSET:
        to = put_time_and_day(encoder, to, value->i);
        memcpy(to, &value->offset_min, 2);
        break;
    default: /* integers, floats, smallmoney, dates */ memcpy(to, &value->i, 8); break;
    }
}

bool ms_encoder_put_value(const struct ms_encoder *encoder, struct ms_bytes *out,
                          const struct ms_value *value)
{
    switch ((int)encoder->shape) {
    case MS_SHAPE_BYTES: return put_short_bytes(encoder, out, value);
    case MS_SHAPE_PLP: put_plp(encoder, out, value); return true;
    case MS_SHAPE_BLOB: put_blob(encoder, out, value); return true;
    case MS_SHAPE_VARIANT: put_variant(encoder, out, value); return true;
    default: break;
    }
    if (value->is_null && encoder->fixed)
        return false;
    uint8_t *to = ms_bytes_room(out, 32);
    if (!encoder->fixed)
        *to++ = value->is_null ? 0 : encoder->size;
    if (!value->is_null)
        put_sized(encoder, to, value);
    out->len += (encoder->fixed ? 0U : 1U) + (value->is_null ? 0U : encoder->size);
    return true;
}
