/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQL Server's types and values, as the simulator passes them between its rooms.
 *
 * tds/ turns them into wire bytes, tsql/ computes with them, storage/ and cdc/ keep them. A value never owns
 * memory: bytes belong to the statement's arena (or to the row buffer of the result callback) and live until
 * that statement, or that callback, ends.
 */
#ifndef SIM_SQLSERVER_VALUE_H
#define SIM_SQLSERVER_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ms_type_id {
    MS_UNKNOWN = 0, /* the type of a bare NULL */
    MS_BIT,
    MS_TINYINT,
    MS_SMALLINT,
    MS_INT,
    MS_BIGINT,
    MS_REAL,
    MS_FLOAT,
    MS_DECIMAL,
    MS_NUMERIC,
    MS_SMALLMONEY,
    MS_MONEY,
    MS_CHAR,
    MS_VARCHAR,
    MS_TEXT,
    MS_NCHAR,
    MS_NVARCHAR,
    MS_NTEXT,
    MS_BINARY,
    MS_VARBINARY,
    MS_IMAGE,
    MS_ROWVERSION, /* also named timestamp: 8 bytes */
    MS_UNIQUEIDENTIFIER,
    MS_DATE,
    MS_TIME,
    MS_DATETIME2,
    MS_DATETIMEOFFSET,
    MS_DATETIME,
    MS_SMALLDATETIME,
    MS_XML,
    MS_SQL_VARIANT,
    /* CLR types, kept and sent in their own serialisation; length is MS_MAX. No methods, no text form. */
    MS_HIERARCHYID,
    MS_GEOMETRY,
    MS_GEOGRAPHY,
    MS_TYPE_LAST = MS_GEOGRAPHY,
};

#define MS_MAX (-1) /* the length of varchar(max), nvarchar(max), varbinary(max) */

/* A type with its facets. */
struct ms_type {
    enum ms_type_id id;
    int32_t length;    /* char/binary: bytes; nchar/nvarchar: characters (UTF-16 units); MS_MAX; else 0 */
    uint8_t precision; /* decimal, numeric: 1..38 */
    uint8_t scale;     /* decimal, numeric: 0..precision; time, datetime2, datetimeoffset: 0..7 */
};

/*
 * A value of a known ms_type. Which member holds it:
 *   i      bit, tinyint .. bigint
 *          date: days since 0001-01-01
 *          time: 100 ns ticks since midnight
 *          datetime2: 100 ns ticks since 0001-01-01T00:00:00
 *          datetimeoffset: the same, in UTC; offset_min holds the zone
 *          datetime: 1/300 s ticks since 1900-01-01 (may be negative); smalldatetime: minutes since
 * 1900-01-01 smallmoney, money: ten-thousandths d      real, float dec    decimal, numeric: the unscaled
 * value (the scale is the type's) bytes  character types and xml: UTF-8 (an unpaired surrogate is kept as its
 * three-byte form); binary types: raw; uniqueidentifier: 16 bytes in wire order (first three groups
 * little-endian)
 */
struct ms_value {
    bool is_null;
    int16_t offset_min; /* datetimeoffset only: minutes east of UTC */
    uint32_t len;       /* of bytes */
    union {
        int64_t i;
        double d;
        __extension__ __int128 dec;
        const uint8_t *bytes;
    };
};

/* A result column, a procedure parameter, or a table column as clients see it. */
struct ms_column {
    const char *name; /* UTF-8; "" when it has none */
    struct ms_type type;
    bool nullable;
    bool identity;
    bool computed;
    bool updatable;
};

#endif
