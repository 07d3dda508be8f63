/* SPDX-License-Identifier: Apache-2.0 */
#include "cell.h"
#include "types.h"

#include <stdio.h>
#include <string.h>

#define SMALL_DECIMAL 18 /* the largest precision whose every value fits an int64 */

static const uint8_t guid_order[16] = {10, 11, 12, 13, 14, 15, 8, 9, 6, 7, 4, 5, 0, 1, 2, 3};

void ms_cell_from_decimal(ms_int128 unscaled, uint8_t ret_cell[16])
{
    ms_uint128 bits = (ms_uint128)unscaled ^ ((ms_uint128)1 << 127);
    for (int i = 15; i >= 0; i--) {
        ret_cell[i] = (uint8_t)bits;
        bits >>= 8;
    }
}

ms_int128 ms_cell_to_decimal(const uint8_t cell[16])
{
    ms_uint128 bits = 0;
    for (int i = 0; i < 16; i++)
        bits = bits << 8 | cell[i];
    return (ms_int128)(bits ^ ((ms_uint128)1 << 127));
}

void ms_cell_from_guid(const uint8_t wire[16], uint8_t ret_cell[16])
{
    for (int i = 0; i < 16; i++)
        ret_cell[i] = wire[guid_order[i]];
}

void ms_cell_to_guid(const uint8_t cell[16], uint8_t ret_wire[16])
{
    for (int i = 0; i < 16; i++)
        ret_wire[guid_order[i]] = cell[i];
}

static void offset_to_cell(const struct ms_value *value, uint8_t cell[10])
{
    uint64_t ticks = (uint64_t)value->i ^ (uint64_t)1 << 63;
    uint16_t zone = (uint16_t)(value->offset_min + 900);
    for (int i = 7; i >= 0; i--, ticks >>= 8)
        cell[i] = (uint8_t)ticks;
    cell[8] = (uint8_t)(zone >> 8);
    cell[9] = (uint8_t)zone;
}

static void offset_from_cell(const uint8_t *cell, struct ms_value *ret_value)
{
    uint64_t ticks = 0;
    for (int i = 0; i < 8; i++)
        ticks = ticks << 8 | cell[i];
    ret_value->i = (int64_t)(ticks ^ (uint64_t)1 << 63);
    ret_value->offset_min = (int16_t)((cell[8] << 8 | cell[9]) - 900);
}

/* What SQLite keeps for a type. */
enum cell_kind {
    CELL_INTEGER,
    CELL_REAL,
    CELL_DECIMAL,
    CELL_TEXT,
    CELL_BLOB,
    CELL_GUID,
    CELL_OFFSET,
};

static enum cell_kind kind_of(const struct ms_type *type)
{
    switch (type->id) {
    case MS_REAL:
    case MS_FLOAT: return CELL_REAL;
    case MS_DECIMAL:
    case MS_NUMERIC: return CELL_DECIMAL;
    case MS_CHAR:
    case MS_VARCHAR:
    case MS_TEXT:
    case MS_NCHAR:
    case MS_NVARCHAR:
    case MS_NTEXT:
    case MS_XML: return CELL_TEXT;
    case MS_BINARY:
    case MS_VARBINARY:
    case MS_IMAGE:
    case MS_ROWVERSION:
    case MS_SQL_VARIANT:
    case MS_HIERARCHYID:
    case MS_GEOMETRY:
    case MS_GEOGRAPHY: return CELL_BLOB;
    case MS_UNIQUEIDENTIFIER: return CELL_GUID;
    case MS_DATETIMEOFFSET: return CELL_OFFSET;
    case MS_UNKNOWN:
    case MS_BIT:
    case MS_TINYINT:
    case MS_SMALLINT:
    case MS_INT:
    case MS_BIGINT:
    case MS_SMALLMONEY:
    case MS_MONEY:
    case MS_DATE:
    case MS_TIME:
    case MS_DATETIME2:
    case MS_DATETIME:
    case MS_SMALLDATETIME: break;
    }
    return CELL_INTEGER;
}

static const void *bytes_or_empty(const struct ms_value *value)
{
    return value->len ? (const void *)value->bytes : "";
}

int ms_cell_bind(sqlite3_stmt *stmt, int index, const struct ms_type *type, const struct ms_value *value)
{
    uint8_t cell[16];
    if (value->is_null)
        return sqlite3_bind_null(stmt, index);
    switch (kind_of(type)) {
    case CELL_INTEGER: break;
    case CELL_REAL: return sqlite3_bind_double(stmt, index, value->d);
    case CELL_DECIMAL:
        if (type->precision <= SMALL_DECIMAL)
            return sqlite3_bind_int64(stmt, index, (int64_t)value->dec);
        ms_cell_from_decimal(value->dec, cell);
        return sqlite3_bind_blob(stmt, index, cell, 16, SQLITE_TRANSIENT);
    case CELL_TEXT:
        return sqlite3_bind_text(stmt, index, bytes_or_empty(value), (int)value->len, SQLITE_STATIC);
    case CELL_BLOB:
        return sqlite3_bind_blob(stmt, index, bytes_or_empty(value), (int)value->len, SQLITE_STATIC);
    case CELL_GUID:
        ms_cell_from_guid(value->bytes, cell);
        return sqlite3_bind_blob(stmt, index, cell, 16, SQLITE_TRANSIENT);
    case CELL_OFFSET:
        offset_to_cell(value, cell);
        return sqlite3_bind_blob(stmt, index, cell, 10, SQLITE_TRANSIENT);
    }
    return sqlite3_bind_int64(stmt, index, value->i);
}

void ms_cell_from_sqlite(sqlite3_value *cell, const struct ms_type *type, struct ms_arena *arena,
                         struct ms_value *ret_value)
{
    *ret_value = (struct ms_value){0};
    if (sqlite3_value_type(cell) == SQLITE_NULL) {
        ret_value->is_null = true;
        return;
    }
    switch (kind_of(type)) {
    case CELL_INTEGER: ret_value->i = sqlite3_value_int64(cell); return;
    case CELL_REAL: ret_value->d = sqlite3_value_double(cell); return;
    case CELL_DECIMAL:
        if (sqlite3_value_type(cell) == SQLITE_BLOB && sqlite3_value_bytes(cell) == 16)
            ret_value->dec = ms_cell_to_decimal(sqlite3_value_blob(cell));
        else
            ret_value->dec = sqlite3_value_int64(cell);
        return;
    case CELL_TEXT:
        ret_value->bytes = sqlite3_value_text(cell);
        ret_value->len = (uint32_t)sqlite3_value_bytes(cell);
        return;
    case CELL_BLOB:
        ret_value->bytes = sqlite3_value_blob(cell);
        ret_value->len = (uint32_t)sqlite3_value_bytes(cell);
        return;
    case CELL_GUID:
        if (sqlite3_value_bytes(cell) == 16) {
            uint8_t *wire = ms_arena_alloc(arena, 16);
            ms_cell_to_guid(sqlite3_value_blob(cell), wire);
            ret_value->bytes = wire;
            ret_value->len = 16;
        } else {
            ret_value->is_null = true;
        }
        return;
    case CELL_OFFSET:
        if (sqlite3_value_bytes(cell) == 10)
            offset_from_cell(sqlite3_value_blob(cell), ret_value);
        else
            ret_value->is_null = true;
        return;
    }
}

void ms_cell_read(sqlite3_stmt *stmt, int index, const struct ms_type *type, struct ms_arena *arena,
                  struct ms_value *ret_value)
{
    ms_cell_from_sqlite(sqlite3_column_value(stmt, index), type, arena, ret_value);
}

void ms_cell_result(sqlite3_context *context, const struct ms_type *type, const struct ms_value *value)
{
    uint8_t cell[16];
    if (value->is_null) {
        sqlite3_result_null(context);
        return;
    }
    switch (kind_of(type)) {
    case CELL_INTEGER: sqlite3_result_int64(context, value->i); return;
    case CELL_REAL: sqlite3_result_double(context, value->d); return;
    case CELL_DECIMAL:
        if (type->precision <= SMALL_DECIMAL) {
            sqlite3_result_int64(context, (int64_t)value->dec);
            return;
        }
        ms_cell_from_decimal(value->dec, cell);
        sqlite3_result_blob(context, cell, 16, SQLITE_TRANSIENT);
        return;
    case CELL_TEXT:
        sqlite3_result_text(context, bytes_or_empty(value), (int)value->len, SQLITE_TRANSIENT);
        return;
    case CELL_BLOB:
        sqlite3_result_blob(context, bytes_or_empty(value), (int)value->len, SQLITE_TRANSIENT);
        return;
    case CELL_GUID:
        ms_cell_from_guid(value->bytes, cell);
        sqlite3_result_blob(context, cell, 16, SQLITE_TRANSIENT);
        return;
    case CELL_OFFSET:
        offset_to_cell(value, cell);
        sqlite3_result_blob(context, cell, 10, SQLITE_TRANSIENT);
        return;
    }
}

const char *ms_cell_declaration(const struct ms_type *type, const char *collation)
{
    static const struct {
        const char *name;
        const char *declaration;
    } declarations[] = {
        {"MS_CI", " COLLATE MS_CI"},   {"MS_CS", " COLLATE MS_CS"},   {"MS_BIN", " COLLATE MS_BIN"},
        {"MSN_CI", " COLLATE MSN_CI"}, {"MSN_CS", " COLLATE MSN_CS"}, {"MSN_BIN", " COLLATE MSN_BIN"},
    };
    if (!ms_type_is_character(type->id))
        return "";
    const char *name = ms_collation_sqlite_name(collation, ms_type_is_unicode(type->id));
    for (size_t i = 0; i < sizeof declarations / sizeof declarations[0]; i++) {
        if (strcmp(name, declarations[i].name) == 0)
            return declarations[i].declaration;
    }
    return "";
}

static void literal_blob(struct ms_buffer *text, const uint8_t *bytes, size_t len)
{
    ms_buffer_text(text, "x'");
    for (size_t i = 0; i < len; i++)
        ms_buffer_format(text, "%02x", bytes[i]);
    ms_buffer_byte(text, '\'');
}

static void literal_text(struct ms_buffer *text, const struct ms_value *value)
{
    /* SQLite's text literals end at a NUL: such a text is written as a cast of its bytes. */
    if (value->len && memchr(value->bytes, 0, value->len)) {
        ms_buffer_text(text, "CAST(");
        literal_blob(text, value->bytes, value->len);
        ms_buffer_text(text, " AS TEXT)");
        return;
    }
    ms_buffer_byte(text, '\'');
    for (uint32_t i = 0; i < value->len; i++) {
        if (value->bytes[i] == '\'')
            ms_buffer_byte(text, '\'');
        ms_buffer_byte(text, (char)value->bytes[i]);
    }
    ms_buffer_byte(text, '\'');
}

void ms_cell_literal(struct ms_buffer *text, const struct ms_type *type, const struct ms_value *value)
{
    uint8_t cell[16];
    if (value->is_null) {
        ms_buffer_text(text, "NULL");
        return;
    }
    switch (kind_of(type)) {
    case CELL_INTEGER: ms_buffer_format(text, "%lld", (long long)value->i); return;
    case CELL_REAL: ms_buffer_format(text, "%.17e", value->d); return;
    case CELL_DECIMAL:
        if (type->precision <= SMALL_DECIMAL) {
            ms_buffer_format(text, "%lld", (long long)value->dec);
            return;
        }
        ms_cell_from_decimal(value->dec, cell);
        literal_blob(text, cell, 16);
        return;
    case CELL_TEXT: literal_text(text, value); return;
    case CELL_BLOB: literal_blob(text, value->bytes, value->len); return;
    case CELL_GUID:
        ms_cell_from_guid(value->bytes, cell);
        literal_blob(text, cell, 16);
        return;
    case CELL_OFFSET:
        offset_to_cell(value, cell);
        literal_blob(text, cell, 10);
        return;
    }
}
