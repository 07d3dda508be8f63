/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQL Server's types on the wire: TYPE_INFO and values, both ways (MS-TDS 2.2.5.4 to 2.2.5.6).
 *
 * Results are written by an encoder, planned once per column; parameters are read into ms_value. Columns that
 * cannot be NULL use the fixed-length type ids, as SQL Server's do; the others the nullable ones. A
 * sql_variant is written with base type nvarchar, since the simulator keeps no other base type for it.
 */
#ifndef SIM_SQLSERVER_TDS_TYPES_H
#define SIM_SQLSERVER_TDS_TYPES_H

#include "bytes.h"
#include "../value.h"

/* Type ids of TYPE_INFO. */
enum ms_wire_type {
    MS_WIRE_NULL = 0x1F,
    MS_WIRE_IMAGE = 0x22,
    MS_WIRE_TEXT = 0x23,
    MS_WIRE_GUID = 0x24,
    MS_WIRE_OLD_VARBINARY = 0x25,
    MS_WIRE_INTN = 0x26,
    MS_WIRE_OLD_VARCHAR = 0x27,
    MS_WIRE_DATE = 0x28,
    MS_WIRE_TIME = 0x29,
    MS_WIRE_DATETIME2 = 0x2A,
    MS_WIRE_DATETIMEOFFSET = 0x2B,
    MS_WIRE_OLD_BINARY = 0x2D,
    MS_WIRE_OLD_CHAR = 0x2F,
    MS_WIRE_INT1 = 0x30,
    MS_WIRE_BIT = 0x32,
    MS_WIRE_INT2 = 0x34,
    MS_WIRE_OLD_DECIMAL = 0x37,
    MS_WIRE_INT4 = 0x38,
    MS_WIRE_DATETIM4 = 0x3A,
    MS_WIRE_FLT4 = 0x3B,
    MS_WIRE_MONEY = 0x3C,
    MS_WIRE_DATETIME = 0x3D,
    MS_WIRE_FLT8 = 0x3E,
    MS_WIRE_OLD_NUMERIC = 0x3F,
    MS_WIRE_VARIANT = 0x62,
    MS_WIRE_NTEXT = 0x63,
    MS_WIRE_BITN = 0x68,
    MS_WIRE_DECIMALN = 0x6A,
    MS_WIRE_NUMERICN = 0x6C,
    MS_WIRE_FLTN = 0x6D,
    MS_WIRE_MONEYN = 0x6E,
    MS_WIRE_DATETIMEN = 0x6F,
    MS_WIRE_MONEY4 = 0x7A,
    MS_WIRE_INT8 = 0x7F,
    MS_WIRE_BIGVARBINARY = 0xA5,
    MS_WIRE_BIGVARCHAR = 0xA7,
    MS_WIRE_BIGBINARY = 0xAD,
    MS_WIRE_BIGCHAR = 0xAF,
    MS_WIRE_NVARCHAR = 0xE7,
    MS_WIRE_NCHAR = 0xEF,
    MS_WIRE_UDT = 0xF0,
    MS_WIRE_XML = 0xF1,
    MS_WIRE_TVP = 0xF3,
};

/* How the bytes of a value are laid out. */
enum ms_shape {
    MS_SHAPE_INT,
    MS_SHAPE_REAL,
    MS_SHAPE_FLOAT,
    MS_SHAPE_SMALLMONEY,
    MS_SHAPE_MONEY,
    MS_SHAPE_DATETIME,
    MS_SHAPE_SMALLDATETIME,
    MS_SHAPE_DECIMAL,
    MS_SHAPE_GUID,
    MS_SHAPE_DATE,
    MS_SHAPE_TIME,
    MS_SHAPE_DATETIME2,
    MS_SHAPE_DATETIMEOFFSET,
    MS_SHAPE_BYTES, /* u16 length */
    MS_SHAPE_PLP,   /* u64 total, chunks */
    MS_SHAPE_BLOB,  /* text pointer, timestamp, u32 length */
    MS_SHAPE_VARIANT,
};

/* What the bytes of character and binary values are in. */
enum ms_charset {
    MS_CHARSET_BINARY,
    MS_CHARSET_1252,
    MS_CHARSET_UTF16,
    MS_CHARSET_UTF8, /* parameters under a UTF-8 collation only */
};

/* One column's plan: everything about its type that every row needs. */
struct ms_encoder {
    enum ms_shape shape;
    enum ms_charset charset;
    uint8_t wire; /* the id in TYPE_INFO */
    uint8_t size; /* bytes of a fixed-size value */
    bool fixed;   /* no length byte, no NULL */
    uint8_t time_size;
    uint32_t tick_divisor; /* 100 ns ticks a unit of the scale */
    struct ms_type type;
};

struct ms_encoder ms_encoder_make(const struct ms_type *type, bool nullable);
/* TYPE_INFO, without the table name that text, ntext and image carry in COLMETADATA. */
void ms_encoder_put_type(const struct ms_encoder *encoder, struct ms_bytes *out);
bool ms_encoder_has_table_name(const struct ms_encoder *encoder);
/* False when the type cannot hold the value (NULL in a NOT NULL column, text too long): then nothing was
 * written. */
bool ms_encoder_put_value(const struct ms_encoder *encoder, struct ms_bytes *out,
                          const struct ms_value *value);

/* SQL_Latin1_General_CP1_CI_AS: LCID 0x0409, ignore case, kana and width, sort id 52. */
extern const uint8_t ms_collation[5];

/* A parameter's type as it was announced. */
struct ms_decoder {
    uint8_t wire;
    enum ms_charset charset;
    uint32_t max_size; /* bytes; 0xFFFF for PLP */
    struct ms_type type;
};

enum ms_decode_result {
    MS_DECODE_OK,
    MS_DECODE_BROKEN,      /* lying lengths, values out of range, an unknown type */
    MS_DECODE_UNSUPPORTED, /* well-known, but not for this server: sql_variant, CLR types, table values */
};

enum ms_decode_result ms_decoder_read_type(struct ms_reader *reader, struct ms_decoder *ret_decoder);
/* Character values come out as UTF-8 in scratch; binary ones may point into the message. */
bool ms_decoder_read_value(const struct ms_decoder *decoder, struct ms_reader *reader,
                           struct ms_scratch *scratch, struct ms_value *ret_value);

/* Unsigned little-endian days since 0001-01-01 run to 9999-12-31. */
#define MS_MAX_DAY 3652058
#define MS_TICKS_A_DAY INT64_C(864000000000)
#define MS_DATETIME_TICKS_A_DAY INT64_C(25920000) /* of 1/300 s */

static inline uint8_t ms_time_size(uint8_t scale)
{
    return scale <= 2 ? 3 : scale <= 4 ? 4 : 5;
}

static inline uint32_t ms_tick_divisor(uint8_t scale)
{
    static const uint32_t divisors[8] = {10000000, 1000000, 100000, 10000, 1000, 100, 10, 1};
    return divisors[scale <= 7 ? scale : 7];
}

static inline uint8_t ms_decimal_size(uint8_t precision)
{
    return precision <= 9 ? 5 : precision <= 19 ? 9 : precision <= 28 ? 13 : 17;
}

#endif
