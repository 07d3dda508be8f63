/* SPDX-License-Identifier: Apache-2.0 */
/* Cells of numbers, text and bytes to values. Dates and times are in convert_time.c. */
#include "source/sqlserver/field.h"

#include <stdio.h>
#include <stdlib.h>

static int64_t int_at(const struct sl_cell *cell)
{
    int64_t value;

    memcpy(&value, cell->data, sizeof(value));
    return value;
}

static double double_at(const struct sl_cell *cell)
{
    double value;

    memcpy(&value, cell->data, sizeof(value));
    return value;
}

struct sl_value sl_mssql_convert_int(struct sl_mssql_field *field, const struct sl_cell *cell,
                                     struct sl_arena *arena)
{
    (void)field;
    (void)arena;
    return sl_int(SL_INT32, int_at(cell));
}

struct sl_value sl_mssql_convert_short(struct sl_mssql_field *field, const struct sl_cell *cell,
                                       struct sl_arena *arena)
{
    (void)field;
    (void)arena;
    return sl_int(SL_INT16, int_at(cell));
}

struct sl_value sl_mssql_convert_long(struct sl_mssql_field *field, const struct sl_cell *cell,
                                      struct sl_arena *arena)
{
    (void)field;
    (void)arena;
    return sl_int(SL_INT64, int_at(cell));
}

struct sl_value sl_mssql_convert_bit(struct sl_mssql_field *field, const struct sl_cell *cell,
                                     struct sl_arena *arena)
{
    (void)field;
    (void)arena;
    return sl_bool(int_at(cell) != 0);
}

struct sl_value sl_mssql_convert_real(struct sl_mssql_field *field, const struct sl_cell *cell,
                                      struct sl_arena *arena)
{
    (void)field;
    (void)arena;
    return sl_float(SL_FLOAT32, (float)double_at(cell));
}

struct sl_value sl_mssql_convert_float(struct sl_mssql_field *field, const struct sl_cell *cell,
                                       struct sl_arena *arena)
{
    (void)field;
    (void)arena;
    return sl_float(SL_FLOAT64, double_at(cell));
}

size_t sl_mssql_decimal_bytes(bool negative, const uint8_t magnitude_le[16], uint8_t *bytes)
{
    uint8_t wide[17];
    unsigned carry = negative;
    size_t skip = 0;

    wide[0] = negative ? 0xff : 0;
    for (size_t i = 0; i < 16; i++) {
        unsigned byte = negative ? (uint8_t)~magnitude_le[i] + carry : magnitude_le[i];

        wide[16 - i] = (uint8_t)byte;
        carry = negative ? byte >> 8 : 0;
    }
    if (negative && carry)
        wide[0] = 0; /* minus zero */
    while (skip < 16 && wide[skip] == ((wide[skip + 1] & 0x80) ? 0xff : 0))
        skip++;
    memcpy(bytes, wide + skip, 17 - skip);
    return 17 - skip;
}

/* The cell as a numeric; money, which some drivers give in its own form, becomes one in *storage. */
static const SQL_NUMERIC_STRUCT *numeric_at(const struct sl_cell *cell, SQL_NUMERIC_STRUCT *storage)
{
    int64_t money;
    uint64_t magnitude;

    if (cell->kind != SL_CELL_MONEY)
        return cell->data;
    money = sl_cell_money(cell);
    magnitude = money < 0 ? 0 - (uint64_t)money : (uint64_t)money;
    *storage = (SQL_NUMERIC_STRUCT){.precision = 19, .scale = 4, .sign = money >= 0};
    memcpy(storage->val, &magnitude, sizeof(magnitude));
    return storage;
}

/* The magnitude fits 8 bytes for all but wide decimals: then it is one shift per byte. */
static size_t short_decimal(bool negative, uint64_t magnitude, uint8_t *bytes)
{
    int64_t value = negative ? -(int64_t)magnitude : (int64_t)magnitude;
    size_t n = 1;

    while (n < 8 && (value >> (8 * n - 1)) != 0 && (value >> (8 * n - 1)) != -1)
        n++;
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(value >> (8 * (n - 1 - i)));
    return n;
}

struct sl_value sl_mssql_convert_decimal(struct sl_mssql_field *field, const struct sl_cell *cell,
                                         struct sl_arena *arena)
{
    SQL_NUMERIC_STRUCT storage;
    const SQL_NUMERIC_STRUCT *numeric = numeric_at(cell, &storage);
    uint8_t *bytes = sl_arena_alloc(arena, 17);
    uint64_t low, high;
    size_t n;

    (void)field;
    memcpy(&low, numeric->val, 8);
    memcpy(&high, numeric->val + 8, 8);
    n = !high && !(low >> 63) ? short_decimal(numeric->sign == 0, low, bytes)
                              : sl_mssql_decimal_bytes(numeric->sign == 0, numeric->val, bytes);
    return sl_bytes(SL_BYTES, bytes, n);
}

/* Plain notation, all digits of the scale; returns the length. 39 digits, sign, point, leading zero. */
static size_t decimal_text(const SQL_NUMERIC_STRUCT *numeric, int scale, char *text)
{
    __extension__ unsigned __int128 magnitude = 0;
    char digits[64];
    size_t n = 0, len = 0;

    for (int i = 15; i >= 0; i--)
        magnitude = magnitude << 8 | numeric->val[i];
    while (magnitude || n <= (size_t)scale) {
        digits[n++] = (char)('0' + (int)(magnitude % 10));
        magnitude /= 10;
    }
    if (numeric->sign == 0)
        text[len++] = '-';
    while (n) {
        text[len++] = digits[--n];
        if (n && n == (size_t)scale)
            text[len++] = '.';
    }
    text[len] = '\0';
    return len;
}

struct sl_value sl_mssql_convert_decimal_text(struct sl_mssql_field *field, const struct sl_cell *cell,
                                              struct sl_arena *arena)
{
    SQL_NUMERIC_STRUCT storage;
    char *text = sl_arena_alloc(arena, 64);

    return sl_bytes(SL_STRING, text, decimal_text(numeric_at(cell, &storage), field->column->scale, text));
}

struct sl_value sl_mssql_convert_decimal_double(struct sl_mssql_field *field, const struct sl_cell *cell,
                                                struct sl_arena *arena)
{
    SQL_NUMERIC_STRUCT storage;
    char text[64];

    (void)arena;
    (void)decimal_text(numeric_at(cell, &storage), field->column->scale, text);
    return sl_float(SL_FLOAT64, strtod(text, NULL)); /* correctly rounded, as Java's */
}

struct sl_value sl_mssql_convert_text(struct sl_mssql_field *field, const struct sl_cell *cell,
                                      struct sl_arena *arena)
{
    (void)field;
    return sl_bytes(SL_STRING, sl_arena_copy(arena, cell->data, (size_t)cell->len), (size_t)cell->len);
}

struct sl_value sl_mssql_convert_bytes(struct sl_mssql_field *field, const struct sl_cell *cell,
                                       struct sl_arena *arena)
{
    (void)field;
    return sl_bytes(SL_BYTES, sl_arena_copy(arena, cell->data, (size_t)cell->len), (size_t)cell->len);
}

struct sl_value sl_mssql_convert_guid(struct sl_mssql_field *field, const struct sl_cell *cell,
                                      struct sl_arena *arena)
{
    static const char hex[] = "0123456789ABCDEF";
    const SQLGUID *guid = cell->data;
    uint8_t bytes[16];
    char *text = sl_arena_alloc(arena, 36);
    size_t n = 0;

    (void)field;
    for (int i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(guid->Data1 >> (24 - 8 * i));
    bytes[4] = (uint8_t)(guid->Data2 >> 8);
    bytes[5] = (uint8_t)guid->Data2;
    bytes[6] = (uint8_t)(guid->Data3 >> 8);
    bytes[7] = (uint8_t)guid->Data3;
    memcpy(bytes + 8, guid->Data4, 8);
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            text[n++] = '-';
        text[n++] = hex[bytes[i] >> 4];
        text[n++] = hex[bytes[i] & 15];
    }
    return sl_bytes(SL_STRING, text, n);
}

struct sl_value sl_mssql_convert_hex(struct sl_mssql_field *field, const struct sl_cell *cell,
                                     struct sl_arena *arena)
{
    static const char hex[] = "0123456789abcdef";
    const uint8_t *bytes = cell->data;
    size_t len = (size_t)cell->len;
    char *text = sl_arena_alloc(arena, 2 * len);

    (void)field;
    for (size_t i = 0; i < len; i++) {
        text[2 * i] = hex[bytes[i] >> 4];
        text[2 * i + 1] = hex[bytes[i] & 15];
    }
    return sl_bytes(SL_STRING, text, 2 * len);
}

static struct sl_value base64(const struct sl_cell *cell, struct sl_arena *arena, const char *last_two)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    const uint8_t *bytes = cell->data;
    size_t len = (size_t)cell->len;
    char *text = sl_arena_alloc(arena, (len + 2) / 3 * 4);
    size_t n = 0;

    for (size_t i = 0; i < len; i += 3) {
        uint32_t group = (uint32_t)bytes[i] << 16;

        if (i + 1 < len)
            group |= (uint32_t)bytes[i + 1] << 8;
        if (i + 2 < len)
            group |= bytes[i + 2];
        for (int j = 0; j < 4; j++) {
            uint32_t six = group >> (18 - 6 * j) & 63;

            if ((j == 2 && i + 1 >= len) || (j == 3 && i + 2 >= len))
                text[n++] = '=';
            else
                text[n++] = six < 62 ? letters[six] : last_two[six - 62];
        }
    }
    return sl_bytes(SL_STRING, text, n);
}

struct sl_value sl_mssql_convert_base64(struct sl_mssql_field *field, const struct sl_cell *cell,
                                        struct sl_arena *arena)
{
    (void)field;
    return base64(cell, arena, "+/");
}

struct sl_value sl_mssql_convert_base64_url(struct sl_mssql_field *field, const struct sl_cell *cell,
                                            struct sl_arena *arena)
{
    (void)field;
    return base64(cell, arena, "-_");
}
