/* SPDX-License-Identifier: Apache-2.0 */
#include "types.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct ms_type_info infos[] = {
    {MS_BIT, "bit", 104, 1, 1, 0, -7, -7},
    {MS_TINYINT, "tinyint", 48, 1, 3, 0, -6, -6},
    {MS_SMALLINT, "smallint", 52, 2, 5, 0, 5, 5},
    {MS_INT, "int", 56, 4, 10, 0, 4, 4},
    {MS_BIGINT, "bigint", 127, 8, 19, 0, -5, -5},
    {MS_REAL, "real", 59, 4, 24, 0, 7, 7},
    {MS_FLOAT, "float", 62, 8, 53, 0, 6, 6},
    {MS_DECIMAL, "decimal", 106, 17, 38, 38, 3, 3},
    {MS_NUMERIC, "numeric", 108, 17, 38, 38, 2, 2},
    {MS_SMALLMONEY, "smallmoney", 122, 4, 10, 4, 3, 3},
    {MS_MONEY, "money", 60, 8, 19, 4, 3, 3},
    {MS_CHAR, "char", 175, 8000, 0, 0, 1, 1},
    {MS_VARCHAR, "varchar", 167, 8000, 0, 0, 12, 12},
    {MS_TEXT, "text", 35, 16, 0, 0, -1, -1},
    {MS_NCHAR, "nchar", 239, 8000, 0, 0, -8, -8},
    {MS_NVARCHAR, "nvarchar", 231, 8000, 0, 0, -9, -9},
    {MS_NTEXT, "ntext", 99, 16, 0, 0, -10, -10},
    {MS_BINARY, "binary", 173, 8000, 0, 0, -2, -2},
    {MS_VARBINARY, "varbinary", 165, 8000, 0, 0, -3, -3},
    {MS_IMAGE, "image", 34, 16, 0, 0, -4, -4},
    {MS_ROWVERSION, "timestamp", 189, 8, 0, 0, -2, -2},
    {MS_UNIQUEIDENTIFIER, "uniqueidentifier", 36, 16, 0, 0, -11, -11},
    {MS_DATE, "date", 40, 3, 10, 0, -9, 91},
    {MS_TIME, "time", 41, 5, 16, 7, -9, -154},
    {MS_DATETIME2, "datetime2", 42, 8, 27, 7, -9, 93},
    {MS_DATETIMEOFFSET, "datetimeoffset", 43, 10, 34, 7, -9, -155},
    {MS_DATETIME, "datetime", 61, 8, 23, 3, 11, 11},
    {MS_SMALLDATETIME, "smalldatetime", 58, 4, 16, 0, 11, 11},
    {MS_XML, "xml", 241, -1, 0, 0, -10, -152},
    {MS_SQL_VARIANT, "sql_variant", 98, 8016, 0, 0, -8, -150},
    {MS_HIERARCHYID, "hierarchyid", 128, 892, 0, 0, -4, -151},
    {MS_GEOMETRY, "geometry", 129, -1, 0, 0, -4, -151},
    {MS_GEOGRAPHY, "geography", 130, -1, 0, 0, -4, -151},
};

const struct ms_type_info *ms_type_info(enum ms_type_id id)
{
    for (size_t i = 0; i < sizeof infos / sizeof infos[0]; i++) {
        if (infos[i].id == id)
            return &infos[i];
    }
    return NULL;
}

uint8_t ms_type_system_id(const struct ms_type_info *info)
{
    return ms_type_is_clr(info->id) ? 240 : info->user_type_id;
}

static const struct {
    const char *name;
    struct ms_type type;
} synonyms[] = {
    {"integer", {.id = MS_INT}},
    {"dec", {.id = MS_DECIMAL, .precision = 18}},
    {"double precision", {.id = MS_FLOAT}},
    {"character", {.id = MS_CHAR, .length = 1}},
    {"char varying", {.id = MS_VARCHAR, .length = 1}},
    {"character varying", {.id = MS_VARCHAR, .length = 1}},
    {"national char", {.id = MS_NCHAR, .length = 1}},
    {"national character", {.id = MS_NCHAR, .length = 1}},
    {"national char varying", {.id = MS_NVARCHAR, .length = 1}},
    {"national character varying", {.id = MS_NVARCHAR, .length = 1}},
    {"national text", {.id = MS_NTEXT}},
    {"binary varying", {.id = MS_VARBINARY, .length = 1}},
    {"rowversion", {.id = MS_ROWVERSION}},
    {"sysname", {.id = MS_NVARCHAR, .length = 128}},
};

static void default_facets(struct ms_type *type)
{
    switch ((int)type->id) {
    case MS_DECIMAL:
    case MS_NUMERIC: type->precision = 18; break;
    case MS_CHAR:
    case MS_VARCHAR:
    case MS_NCHAR:
    case MS_NVARCHAR:
    case MS_BINARY:
    case MS_VARBINARY: type->length = 1; break;
    case MS_HIERARCHYID:
    case MS_GEOMETRY:
    case MS_GEOGRAPHY: type->length = MS_MAX; break;
    case MS_TIME:
    case MS_DATETIME2:
    case MS_DATETIMEOFFSET: type->scale = 7; break;
    default: break;
    }
}

bool ms_type_find(const char *name, struct ms_type *ret_type)
{
    for (size_t i = 0; i < sizeof infos / sizeof infos[0]; i++) {
        if (strcasecmp(name, infos[i].name) == 0) {
            *ret_type = (struct ms_type){.id = infos[i].id};
            default_facets(ret_type);
            return true;
        }
    }
    for (size_t i = 0; i < sizeof synonyms / sizeof synonyms[0]; i++) {
        if (strcasecmp(name, synonyms[i].name) == 0) {
            *ret_type = synonyms[i].type;
            return true;
        }
    }
    return false;
}

/* Bytes of a decimal's storage by its precision. */
static int16_t decimal_bytes(uint8_t precision)
{
    return precision <= 9 ? 5 : precision <= 19 ? 9 : precision <= 28 ? 13 : 17;
}

int16_t ms_type_max_length(const struct ms_type *type)
{
    const struct ms_type_info *info = ms_type_info(type->id);
    switch ((int)type->id) {
    case MS_UNKNOWN: return 0;
    case MS_DECIMAL:
    case MS_NUMERIC: return decimal_bytes(type->precision);
    case MS_CHAR:
    case MS_VARCHAR:
    case MS_BINARY:
    case MS_VARBINARY: return (int16_t)type->length;
    case MS_NCHAR:
    case MS_NVARCHAR: return type->length == MS_MAX ? -1 : (int16_t)(type->length * 2);
    case MS_TIME: return type->scale <= 2 ? 3 : type->scale <= 4 ? 4 : 5;
    case MS_DATETIME2: return type->scale <= 2 ? 6 : type->scale <= 4 ? 7 : 8;
    case MS_DATETIMEOFFSET: return type->scale <= 2 ? 8 : type->scale <= 4 ? 9 : 10;
    default: return info->max_length;
    }
}

uint8_t ms_type_precision(const struct ms_type *type)
{
    const struct ms_type_info *info = ms_type_info(type->id);
    switch ((int)type->id) {
    case MS_UNKNOWN: return 0;
    case MS_DECIMAL:
    case MS_NUMERIC: return type->precision;
    case MS_TIME: return (uint8_t)(8 + (type->scale ? type->scale + 1 : 0));
    case MS_DATETIME2: return (uint8_t)(19 + (type->scale ? type->scale + 1 : 0));
    case MS_DATETIMEOFFSET: return (uint8_t)(26 + (type->scale ? type->scale + 1 : 0));
    default: return info->precision;
    }
}

uint8_t ms_type_scale(const struct ms_type *type)
{
    switch ((int)type->id) {
    case MS_DECIMAL:
    case MS_NUMERIC:
    case MS_TIME:
    case MS_DATETIME2:
    case MS_DATETIMEOFFSET: return type->scale;
    case MS_SMALLMONEY:
    case MS_MONEY: return 4;
    case MS_DATETIME: return 3;
    default: return 0;
    }
}

bool ms_type_is_clr(enum ms_type_id id)
{
    return id >= MS_HIERARCHYID && id <= MS_GEOGRAPHY;
}

bool ms_type_is_character(enum ms_type_id id)
{
    return id >= MS_CHAR && id <= MS_NTEXT;
}

bool ms_type_is_unicode(enum ms_type_id id)
{
    return id == MS_NCHAR || id == MS_NVARCHAR || id == MS_NTEXT || id == MS_XML || id == MS_SQL_VARIANT;
}

bool ms_type_is_lob(const struct ms_type *type)
{
    return type->id == MS_TEXT || type->id == MS_NTEXT || type->id == MS_IMAGE || type->id == MS_XML ||
           (type->length == MS_MAX && type->id != MS_HIERARCHYID);
}

const char *ms_type_text(const struct ms_type *type, char *buf, size_t size)
{
    const struct ms_type_info *info = ms_type_info(type->id);
    const char *name = info ? info->name : "sql_variant";
    switch ((int)type->id) {
    case MS_DECIMAL:
    case MS_NUMERIC: snprintf(buf, size, "%s(%u,%u)", name, type->precision, type->scale); break;
    case MS_CHAR:
    case MS_VARCHAR:
    case MS_NCHAR:
    case MS_NVARCHAR:
    case MS_BINARY:
    case MS_VARBINARY:
        if (type->length == MS_MAX)
            snprintf(buf, size, "%s(max)", name);
        else
            snprintf(buf, size, "%s(%d)", name, type->length);
        break;
    case MS_TIME:
    case MS_DATETIME2:
    case MS_DATETIMEOFFSET: snprintf(buf, size, "%s(%u)", name, type->scale); break;
    default: snprintf(buf, size, "%s", name); break;
    }
    return buf;
}
