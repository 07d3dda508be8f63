/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Defaults of columns, from the text that SQL Server keeps ("((1))", "('abc')", "(N'abc')", "(getdate())").
 * Only literals become defaults of the schema; what has to be computed at insert is none.
 */
#include "source/sqlserver/field.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* The text inside all pairs of parentheses that enclose the whole of it. */
static void strip_parentheses(const char **text, size_t *len)
{
    for (;;) {
        while (*len && isspace((unsigned char)**text))
            (*text)++, (*len)--;
        while (*len && isspace((unsigned char)(*text)[*len - 1]))
            (*len)--;
        if (*len < 2 || **text != '(' || (*text)[*len - 1] != ')')
            return;
        (*text)++;
        *len -= 2;
    }
}

/*
 * What stands between the quotes of one string literal, in heap memory; NULL when it is anything else. A
 * doubled quote stays doubled ('it''s' -> it''s), as in the defaults that Debezium gives its schemas.
 */
static char *unquote(const char *text, size_t len)
{
    char *out, *to;

    if (len >= 1 && (*text == 'N' || *text == 'n'))
        text++, len--;
    if (len < 2 || *text != '\'' || text[len - 1] != '\'')
        return NULL;
    out = to = sl_alloc(len);
    for (const char *p = text + 1; p < text + len - 1; p++) {
        if (*p == '\'' && (p + 1 == text + len - 1 || p[1] != '\'')) {
            sl_free(out);
            return NULL; /* the literal ended before the text did */
        }
        if (*p == '\'')
            *to++ = *p++;
        *to++ = *p;
    }
    *to = '\0';
    return out;
}

/* [-]digits[.digits] to the unscaled value at the column's scale; false when it is anything else. */
static bool parse_decimal(const char *text, int scale, SQL_NUMERIC_STRUCT *ret)
{
    __extension__ unsigned __int128 magnitude = 0;
    bool negative = *text == '-';
    int behind = -1, digits = 0;

    memset(ret, 0, sizeof(*ret));
    if (*text == '-' || *text == '+')
        text++;
    for (; *text; text++) {
        if (*text == '.' && behind < 0) {
            behind = 0;
            continue;
        }
        if (!isdigit((unsigned char)*text) || ++digits > 38)
            return false;
        if (behind >= scale && *text != '0')
            return false; /* would have to be rounded */
        if (behind >= 0 && behind++ >= scale)
            continue;
        magnitude = magnitude * 10 + (unsigned)(*text - '0');
    }
    for (int i = behind < 0 ? 0 : behind; i < scale; i++)
        magnitude *= 10;
    for (int i = 0; i < 16; i++)
        ret->val[i] = (SQLCHAR)(magnitude >> (8 * i));
    ret->sign = !negative;
    return digits > 0;
}

/* Run the column's own conversion on a cell made of a literal. */
static bool convert_cell(const struct sl_mssql_field *field, enum sl_cell_kind kind, const void *data,
                         size_t len, struct sl_value *ret_value, void **ret_memory)
{
    struct sl_mssql_field copy = *field;
    struct sl_cell cell = {.kind = kind, .data = data, .len = (SQLLEN)len};
    struct sl_arena *arena = sl_arena_new(8 * len + 1024);
    struct sl_value value = copy.convert(&copy, &cell, arena);

    *ret_memory = NULL;
    if (value.tag == SL_STRING || value.tag == SL_BYTES) {
        *ret_memory = sl_alloc(value.len + 1);
        memcpy(*ret_memory, value.bytes, value.len);
        value.bytes = *ret_memory;
    }
    sl_arena_free(arena);
    *ret_value = value;
    return !copy.overflowed;
}

static bool default_number(const struct sl_mssql_column *column, const struct sl_mssql_field *field,
                           const char *text, struct sl_value *ret_value, void **ret_memory)
{
    char *end;
    SQL_NUMERIC_STRUCT numeric;

    errno = 0;
    switch ((int)column->type) {
    case SL_MSSQL_BIT:
    case SL_MSSQL_TINYINT:
    case SL_MSSQL_SMALLINT:
    case SL_MSSQL_INT:
    case SL_MSSQL_BIGINT: {
        int64_t i = strtoll(text, &end, 10);

        return *text && !*end && !errno &&
               convert_cell(field, SL_CELL_INT, &i, sizeof(i), ret_value, ret_memory);
    }
    case SL_MSSQL_REAL:
    case SL_MSSQL_FLOAT: {
        double d = strtod(text, &end);

        return *text && !*end && !isalpha((unsigned char)*text) &&
               convert_cell(field, SL_CELL_DOUBLE, &d, sizeof(d), ret_value, ret_memory);
    }
    default:
        return parse_decimal(text, column->scale, &numeric) &&
               convert_cell(field, SL_CELL_NUMERIC, &numeric, sizeof(numeric), ret_value, ret_memory);
    }
}

static bool default_text(const struct sl_mssql_field *field, const char *literal, size_t len,
                         struct sl_value *ret_value, void **ret_memory)
{
    char *text = unquote(literal, len);
    bool is_one = text && convert_cell(field, SL_CELL_TEXT, text, strlen(text), ret_value, ret_memory);

    sl_free(text);
    return is_one;
}

/* 0x0A1B */
static bool default_binary(const struct sl_mssql_field *field, const char *literal, size_t len,
                           struct sl_value *ret_value, void **ret_memory)
{
    uint8_t bytes[4000];
    size_t n = 0;

    if (len < 2 || literal[0] != '0' || (literal[1] | 32) != 'x' || len % 2 || len / 2 > sizeof(bytes))
        return false;
    for (size_t i = 2; i < len; i += 2) {
        char pair[3] = {literal[i], literal[i + 1], '\0'};
        char *end;

        bytes[n++] = (uint8_t)strtoul(pair, &end, 16);
        if (*end)
            return false;
    }
    return convert_cell(field, SL_CELL_BYTES, bytes, n, ret_value, ret_memory);
}

static bool default_guid(const char *literal, size_t len, struct sl_value *ret_value, void **ret_memory)
{
    char *text = unquote(literal, len);

    if (!text || strlen(text) != 36) {
        sl_free(text);
        return false;
    }
    for (char *p = text; *p; p++)
        *p = (char)toupper((unsigned char)*p);
    *ret_memory = text;
    *ret_value = sl_text(text);
    return true;
}

/* 'yyyy-mm-dd', 'hh:mm:ss[.f]' or both; other forms depend on the server's language and are no default. */
static bool parse_when(const char *text, SQL_TIMESTAMP_STRUCT *ret)
{
    unsigned year = 1900, month = 1, day = 1, hour = 0, minute = 0, second = 0, fraction = 0;
    int used = 0, more = 0;
    char digits[10] = "";

    if (sscanf(text, "%4u-%2u-%2u%n", &year, &month, &day, &used) == 3) {
        text += used;
        if (*text == 'T' || *text == ' ')
            text++;
    } else {
        year = 1900, month = 1, day = 1;
    }
    if (*text) {
        if (sscanf(text, "%2u:%2u%n", &hour, &minute, &used) != 2)
            return false;
        text += used;
        if (sscanf(text, ":%2u%n", &second, &used) == 1)
            text += used;
        if (sscanf(text, ".%9[0-9]%n", digits, &more) == 1) {
            text += more;
            fraction = (unsigned)strtoul(digits, NULL, 10);
            for (size_t i = strlen(digits); i < 9; i++)
                fraction *= 10;
        }
    }
    if (*text || !year || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 ||
        second > 59)
        return false;
    *ret = (SQL_TIMESTAMP_STRUCT){.year = (SQLSMALLINT)year,
                                  .month = (SQLUSMALLINT)month,
                                  .day = (SQLUSMALLINT)day,
                                  .hour = (SQLUSMALLINT)hour,
                                  .minute = (SQLUSMALLINT)minute,
                                  .second = (SQLUSMALLINT)second,
                                  .fraction = fraction};
    return true;
}

static bool default_when(const struct sl_mssql_column *column, const struct sl_mssql_field *field,
                         const char *literal, size_t len, struct sl_value *ret_value, void **ret_memory)
{
    char *text = unquote(literal, len);
    SQL_TIMESTAMP_STRUCT when;
    bool fits = text && *text && parse_when(text, &when);

    sl_free(text);
    if (!fits)
        return false;
    if (column->type == SL_MSSQL_DATE) {
        SQL_DATE_STRUCT date = {.year = when.year, .month = when.month, .day = when.day};

        return convert_cell(field, SL_CELL_DATE, &date, sizeof(date), ret_value, ret_memory);
    }
    return convert_cell(field, SL_CELL_TIMESTAMP, &when, sizeof(when), ret_value, ret_memory);
}

static bool default_literal(const struct sl_mssql_column *column, const struct sl_mssql_field *field,
                            const char *text, size_t len, struct sl_value *ret_value, void **ret_memory)
{
    char number[64];

    switch ((int)column->type) {
    case SL_MSSQL_CHAR:
    case SL_MSSQL_VARCHAR:
    case SL_MSSQL_TEXT:
    case SL_MSSQL_NCHAR:
    case SL_MSSQL_NVARCHAR:
    case SL_MSSQL_NTEXT: return default_text(field, text, len, ret_value, ret_memory);
    case SL_MSSQL_BINARY:
    case SL_MSSQL_VARBINARY:
    case SL_MSSQL_IMAGE: return default_binary(field, text, len, ret_value, ret_memory);
    case SL_MSSQL_UNIQUEIDENTIFIER: return default_guid(text, len, ret_value, ret_memory);
    case SL_MSSQL_DATE:
    case SL_MSSQL_TIME:
    case SL_MSSQL_DATETIME:
    case SL_MSSQL_SMALLDATETIME:
    case SL_MSSQL_DATETIME2: return default_when(column, field, text, len, ret_value, ret_memory);
    case SL_MSSQL_BIT:
    case SL_MSSQL_TINYINT:
    case SL_MSSQL_SMALLINT:
    case SL_MSSQL_INT:
    case SL_MSSQL_BIGINT:
    case SL_MSSQL_REAL:
    case SL_MSSQL_FLOAT:
    case SL_MSSQL_DECIMAL:
    case SL_MSSQL_NUMERIC:
    case SL_MSSQL_MONEY:
    case SL_MSSQL_SMALLMONEY:
        if (len >= sizeof(number))
            return false;
        (void)snprintf(number, sizeof(number), "%.*s", (int)len, text);
        return default_number(column, field, number, ret_value, ret_memory);
    default: return false;
    }
}

bool sl_mssql_default_parse(const struct sl_mssql_column *column, const struct sl_mssql_field *field,
                            struct sl_value *ret_value, void **ret_memory)
{
    const char *text = column->default_text;
    size_t len;

    if (!text)
        return false;
    len = strlen(text);
    strip_parentheses(&text, &len);
    if (len == 4 && strncasecmp(text, "null", 4) == 0)
        return false;
    return default_literal(column, field, text, len, ret_value, ret_memory);
}
