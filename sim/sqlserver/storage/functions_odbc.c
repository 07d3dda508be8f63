/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the catalogue procedures say about a column's type in ODBC's words, and LIKE as their patterns mean
 * it. Numbers: Microsoft's documentation of sp_columns and sp_datatype_info.
 */
#include "functions_more.h"
#include "types.h"

#include <string.h>
#include <strings.h>

struct odbc_type {
    int data_type;
    int64_t precision;
    int64_t length; /* of the value as the driver transfers it */
    int scale;      /* -1: NULL */
    int radix;      /* 0: NULL */
    int octets;     /* CHAR_OCTET_LENGTH; -1: NULL */
    int legacy;     /* SS_DATA_TYPE, when nullable */
};

#define NONE (-1)
#define LONG_BYTES 2147483647
#define LONG_CHARACTERS 1073741823

static struct odbc_type describe_string(const struct ms_type *type, int data_type, int legacy)
{
    bool wide = ms_type_is_unicode(type->id);
    if (type->length == MS_MAX)
        return (struct odbc_type){data_type, 0, 0, NONE, 0, 0, legacy};
    int bytes = wide ? type->length * 2 : type->length;
    return (struct odbc_type){data_type, type->length, bytes, NONE, 0, bytes, legacy};
}

static struct odbc_type describe(const struct ms_type *type, int version)
{
    bool v3 = version >= 3;
    switch (type->id) {
    case MS_BIT: return (struct odbc_type){-7, 1, 1, NONE, 0, NONE, 50};
    case MS_TINYINT: return (struct odbc_type){-6, 3, 1, 0, 10, NONE, 38};
    case MS_SMALLINT: return (struct odbc_type){5, 5, 2, 0, 10, NONE, 38};
    case MS_INT: return (struct odbc_type){4, 10, 4, 0, 10, NONE, 38};
    case MS_BIGINT: return (struct odbc_type){-5, 19, 8, 0, 10, NONE, 108};
    case MS_REAL: return (struct odbc_type){7, 24, 4, NONE, 2, NONE, 109};
    case MS_FLOAT: return (struct odbc_type){6, 53, 8, NONE, 2, NONE, 109};
    case MS_DECIMAL:
        return (struct odbc_type){3, type->precision, type->precision + 2, type->scale, 10, NONE, 106};
    case MS_NUMERIC:
        return (struct odbc_type){2, type->precision, type->precision + 2, type->scale, 10, NONE, 108};
    case MS_SMALLMONEY: return (struct odbc_type){3, 10, 12, 4, 10, NONE, 110};
    case MS_MONEY: return (struct odbc_type){3, 19, 21, 4, 10, NONE, 110};
    case MS_CHAR: return describe_string(type, 1, 39);
    case MS_VARCHAR: return describe_string(type, 12, 39);
    case MS_NCHAR: return describe_string(type, -8, 39);
    case MS_NVARCHAR: return describe_string(type, -9, 39);
    case MS_BINARY: return describe_string(type, -2, 37);
    case MS_VARBINARY: return describe_string(type, -3, 37);
    case MS_TEXT: return (struct odbc_type){-1, LONG_BYTES, LONG_BYTES, NONE, 0, LONG_BYTES, 35};
    case MS_NTEXT:
        return (struct odbc_type){-10, LONG_CHARACTERS, LONG_BYTES - 1, NONE, 0, LONG_BYTES - 1, 63};
    case MS_IMAGE: return (struct odbc_type){-4, LONG_BYTES, LONG_BYTES, NONE, 0, LONG_BYTES, 34};
    case MS_ROWVERSION: return (struct odbc_type){-2, 8, 8, NONE, 0, 8, 37};
    case MS_UNIQUEIDENTIFIER: return (struct odbc_type){-11, 36, 16, NONE, 0, NONE, 37};
    case MS_DATE: return (struct odbc_type){v3 ? 91 : -9, 10, v3 ? 6 : 20, v3 ? 0 : NONE, 0, NONE, 0};
    case MS_TIME:
        return (struct odbc_type){
            v3 ? -154 : -9, ms_type_precision(type), v3 ? 12 : 32, type->scale, 0, NONE, 0};
    case MS_DATETIME2:
        return (struct odbc_type){
            v3 ? 93 : -9, ms_type_precision(type), v3 ? 16 : 54, type->scale, 0, NONE, 0};
    case MS_DATETIMEOFFSET:
        return (struct odbc_type){
            v3 ? -155 : -9, ms_type_precision(type), v3 ? 20 : 68, type->scale, 0, NONE, 0};
    case MS_DATETIME: return (struct odbc_type){v3 ? 93 : 11, 23, 16, 3, 0, NONE, 111};
    case MS_SMALLDATETIME: return (struct odbc_type){v3 ? 93 : 11, 16, 16, 0, 0, NONE, 111};
    case MS_XML: return (struct odbc_type){v3 ? -152 : -10, 0, 0, NONE, 0, 0, 0};
    case MS_SQL_VARIANT: return (struct odbc_type){v3 ? -150 : -8, 8000, 8000, NONE, 0, NONE, 39};
    case MS_HIERARCHYID: return (struct odbc_type){v3 ? -151 : -4, 892, 892, NONE, 0, 892, 37};
    case MS_GEOMETRY:
    case MS_GEOGRAPHY: return (struct odbc_type){v3 ? -151 : -4, 0, 0, NONE, 0, 0, 23};
    case MS_UNKNOWN: break;
    }
    return (struct odbc_type){0, 0, 0, NONE, 0, NONE, 0};
}

/* The verbose type of the date family, as SQL_DATA_TYPE and SQL_DATETIME_SUB have it. */
static int datetime_sub(int data_type)
{
    return data_type == 91 ? 1 : data_type == 93 || data_type == 11 ? 3 : 0;
}

static void result_or_null(sqlite3_context *context, int64_t value, bool is_null)
{
    if (is_null)
        sqlite3_result_null(context);
    else
        sqlite3_result_int64(context, value);
}

/* (what, version, system_type_id, length, precision, scale) */
static void odbc(sqlite3_context *context, int n, sqlite3_value **args)
{
    struct ms_type type = {.length = sqlite3_value_int(args[3]),
                           .precision = (uint8_t)sqlite3_value_int(args[4]),
                           .scale = (uint8_t)sqlite3_value_int(args[5])};
    const char *what = (const char *)sqlite3_value_text(args[0]);
    (void)n;
    for (int id = MS_BIT; id <= MS_TYPE_LAST; id++) {
        const struct ms_type_info *info = ms_type_info((enum ms_type_id)id);
        if (info && info->user_type_id == sqlite3_value_int(args[2]))
            type.id = (enum ms_type_id)id;
    }
    struct odbc_type t = describe(&type, sqlite3_value_int(args[1]));
    int sub = datetime_sub(t.data_type);
    switch (what[0]) {
    case 't': sqlite3_result_int(context, t.data_type); return;
    case 'p': sqlite3_result_int64(context, t.precision); return;
    case 'l': sqlite3_result_int64(context, t.length); return;
    case 's': result_or_null(context, t.scale, t.scale < 0); return;
    case 'r': result_or_null(context, t.radix, t.radix == 0); return;
    case 'o': result_or_null(context, t.octets, t.octets < 0); return;
    case 'q': sqlite3_result_int(context, sub ? 9 : t.data_type); return;
    case 'd': result_or_null(context, sub, sub == 0); return;
    default: sqlite3_result_int(context, t.legacy); return;
    }
}

static int lower(int c)
{
    return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

/* Does c match the set behind '['? *ret_end is behind its ']'. */
static bool in_set(const char *set, int c, const char **ret_end)
{
    bool negated = *set == '^';
    bool found = false;
    if (negated)
        set++;
    for (; *set && *set != ']'; set++) {
        if (set[1] == '-' && set[2] && set[2] != ']') {
            found = found || (c >= lower(set[0]) && c <= lower(set[2]));
            set += 2;
        } else {
            found = found || c == lower(*set);
        }
    }
    *ret_end = *set ? set + 1 : set;
    return found != negated;
}

static bool like(const char *pattern, const char *text)
{
    for (; *pattern; text++) {
        const char *next = pattern + 1;
        if (*pattern == '%') {
            for (const char *t = text;; t++) {
                if (like(next, t))
                    return true;
                if (!*t)
                    return false;
            }
        }
        if (!*text)
            return false;
        if (*pattern == '[') {
            if (!in_set(pattern + 1, lower((unsigned char)*text), &next))
                return false;
        } else if (*pattern != '_' && lower((unsigned char)*pattern) != lower((unsigned char)*text)) {
            return false;
        }
        pattern = next;
    }
    return !*text;
}

/* (text, pattern, use pattern): a NULL pattern matches all */
static void matches(sqlite3_context *context, int n, sqlite3_value **args)
{
    const char *text = (const char *)sqlite3_value_text(args[0]);
    const char *pattern = (const char *)sqlite3_value_text(args[1]);
    bool exact = n > 2 && sqlite3_value_type(args[2]) != SQLITE_NULL && sqlite3_value_int(args[2]) == 0;
    if (!pattern)
        sqlite3_result_int(context, 1);
    else if (!text)
        sqlite3_result_int(context, 0);
    else
        sqlite3_result_int(context, exact ? strcasecmp(pattern, text) == 0 : like(pattern, text));
}

void ms_functions_register_odbc(struct ms_session *session)
{
    static const struct ms_function functions[] = {
        {"ms_odbc", odbc},
        {"ms_matches", matches},
    };
    ms_functions_add(session, functions, sizeof functions / sizeof functions[0]);
}
