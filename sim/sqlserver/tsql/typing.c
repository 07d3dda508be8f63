/* SPDX-License-Identifier: Apache-2.0 */
#include "typing.h"

static const struct {
    enum ms_class class;
    uint8_t rank;   /* precedence: the higher wins */
    uint8_t digits; /* as a decimal */
    uint8_t scale;
} facts[] = {
    [MS_UNKNOWN] = {MS_CLASS_NONE, 0, 1, 0},
    [MS_BIT] = {MS_CLASS_INTEGER, 14, 1, 0},
    [MS_TINYINT] = {MS_CLASS_INTEGER, 15, 3, 0},
    [MS_SMALLINT] = {MS_CLASS_INTEGER, 16, 5, 0},
    [MS_INT] = {MS_CLASS_INTEGER, 17, 10, 0},
    [MS_BIGINT] = {MS_CLASS_INTEGER, 18, 19, 0},
    [MS_SMALLMONEY] = {MS_CLASS_MONEY, 19, 10, 4},
    [MS_MONEY] = {MS_CLASS_MONEY, 20, 19, 4},
    [MS_DECIMAL] = {MS_CLASS_DECIMAL, 21, 0, 0},
    [MS_NUMERIC] = {MS_CLASS_DECIMAL, 21, 0, 0},
    [MS_REAL] = {MS_CLASS_FLOAT, 22, 24, 6},
    [MS_FLOAT] = {MS_CLASS_FLOAT, 23, 38, 6},
    [MS_TIME] = {MS_CLASS_DATE, 24, 0, 0},
    [MS_DATE] = {MS_CLASS_DATE, 25, 0, 0},
    [MS_SMALLDATETIME] = {MS_CLASS_DATE, 26, 0, 0},
    [MS_DATETIME] = {MS_CLASS_DATE, 27, 0, 0},
    [MS_DATETIME2] = {MS_CLASS_DATE, 28, 0, 0},
    [MS_DATETIMEOFFSET] = {MS_CLASS_DATE, 29, 0, 0},
    [MS_BINARY] = {MS_CLASS_BINARY, 1, 19, 0},
    [MS_VARBINARY] = {MS_CLASS_BINARY, 2, 19, 0},
    [MS_CHAR] = {MS_CLASS_TEXT, 3, 38, 0},
    [MS_VARCHAR] = {MS_CLASS_TEXT, 4, 38, 0},
    [MS_NCHAR] = {MS_CLASS_TEXT, 5, 38, 0},
    [MS_NVARCHAR] = {MS_CLASS_TEXT, 6, 38, 0},
    [MS_UNIQUEIDENTIFIER] = {MS_CLASS_GUID, 7, 0, 0},
    [MS_ROWVERSION] = {MS_CLASS_BINARY, 8, 19, 0},
    [MS_IMAGE] = {MS_CLASS_BINARY, 9, 0, 0},
    [MS_TEXT] = {MS_CLASS_TEXT, 10, 0, 0},
    [MS_NTEXT] = {MS_CLASS_TEXT, 11, 0, 0},
    [MS_XML] = {MS_CLASS_XML, 30, 0, 0},
    [MS_SQL_VARIANT] = {MS_CLASS_VARIANT, 31, 0, 0},
    [MS_HIERARCHYID] = {MS_CLASS_BINARY, 32, 0, 0},
    [MS_GEOMETRY] = {MS_CLASS_BINARY, 33, 0, 0},
    [MS_GEOGRAPHY] = {MS_CLASS_BINARY, 34, 0, 0},
};

enum ms_class ms_type_class(enum ms_type_id id)
{
    return facts[id].class;
}

const char *ms_type_word(enum ms_type_id id)
{
    const struct ms_type_info *info = ms_type_info(id);
    return info ? info->name : "void type";
}

struct ms_type ms_type_simple(enum ms_type_id id)
{
    struct ms_type type = {.id = id};
    if (id == MS_TIME || id == MS_DATETIME2 || id == MS_DATETIMEOFFSET)
        type.scale = 7;
    if (id == MS_DECIMAL || id == MS_NUMERIC)
        type.precision = 18;
    if (ms_type_class(id) == MS_CLASS_TEXT || ms_type_class(id) == MS_CLASS_BINARY)
        type.length = id == MS_ROWVERSION ? 8 : 1;
    if (id == MS_TEXT || id == MS_NTEXT || id == MS_IMAGE)
        type.length = 0;
    if (ms_type_is_clr(id))
        type.length = MS_MAX;
    return type;
}

struct ms_type ms_type_string(bool unicode, int32_t length)
{
    int32_t limit = unicode ? 4000 : 8000;
    struct ms_type type = {.id = unicode ? MS_NVARCHAR : MS_VARCHAR, .length = length};
    if (length > limit || length < 0)
        type.length = MS_MAX;
    if (length == 0)
        type.length = 1;
    return type;
}

struct ms_type ms_type_as_decimal(const struct ms_type *type)
{
    if (ms_type_class(type->id) == MS_CLASS_DECIMAL)
        return *type;
    return (struct ms_type){
        .id = MS_NUMERIC, .precision = facts[type->id].digits, .scale = facts[type->id].scale};
}

static int larger(int a, int b)
{
    return a > b ? a : b;
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

static struct ms_type cut(enum ms_type_id id, int precision, int scale, bool keep_integral)
{
    if (precision > 38) {
        int integral = precision - scale;
        if (keep_integral || integral < 32)
            scale = smaller(scale, larger(38 - integral, 0));
        else
            scale = smaller(scale, 6);
        precision = 38;
    }
    return (struct ms_type){.id = id, .precision = (uint8_t)precision, .scale = (uint8_t)scale};
}

static struct ms_type common_decimal(const struct ms_type *a, const struct ms_type *b)
{
    struct ms_type x = ms_type_as_decimal(a), y = ms_type_as_decimal(b);
    int scale = larger(x.scale, y.scale);
    int integral = larger(x.precision - x.scale, y.precision - y.scale);
    return cut(a->id == MS_DECIMAL || b->id == MS_DECIMAL ? MS_DECIMAL : MS_NUMERIC, integral + scale, scale,
               true);
}

static bool is_blob(enum ms_type_id id)
{
    return id == MS_TEXT || id == MS_NTEXT || id == MS_IMAGE;
}

static struct ms_type common_string(const struct ms_type *a, const struct ms_type *b)
{
    bool wide = ms_type_is_unicode(a->id) || ms_type_is_unicode(b->id);
    if (is_blob(a->id) || is_blob(b->id))
        return ms_type_string(wide, MS_MAX);
    int32_t length = a->length < 0 || b->length < 0 ? MS_MAX : larger(a->length, b->length);
    if (a->id == b->id && (a->id == MS_CHAR || a->id == MS_NCHAR) && a->length == b->length)
        return *a;
    struct ms_type type = ms_type_string(wide, length);
    if (wide && length > 4000)
        type.length = 4000;
    return type;
}

bool ms_type_common(const struct ms_type *a, const struct ms_type *b, struct ms_type *ret)
{
    enum ms_class ca = ms_type_class(a->id), cb = ms_type_class(b->id);
    const struct ms_type *high = facts[a->id].rank >= facts[b->id].rank ? a : b;
    const struct ms_type *low = high == a ? b : a;
    if (ca == MS_CLASS_NONE || cb == MS_CLASS_NONE) {
        *ret = ca == MS_CLASS_NONE ? *b : *a;
        return true;
    }
    enum ms_class high_class = ms_type_class(high->id), low_class = ms_type_class(low->id);
    *ret = *high;
    if (high_class == MS_CLASS_DECIMAL && low_class != MS_CLASS_TEXT && low_class != MS_CLASS_BINARY)
        *ret = common_decimal(a, b);
    else if (high_class == MS_CLASS_TEXT && low_class == MS_CLASS_TEXT)
        *ret = common_string(a, b);
    else if (ca == MS_CLASS_BINARY && cb == MS_CLASS_BINARY)
        *ret = (struct ms_type){.id = MS_VARBINARY,
                                .length =
                                    a->length <= 0 || b->length <= 0 ? MS_MAX : larger(a->length, b->length)};
    else if (high_class == MS_CLASS_TEXT && low_class == MS_CLASS_BINARY)
        *ret = ms_type_string(ms_type_is_unicode(high->id), larger(high->length, low->length));
    if (high_class == MS_CLASS_DATE && low_class == MS_CLASS_DATE && high->scale < low->scale)
        ret->scale = high->id == MS_DATETIME2 || high->id == MS_DATETIMEOFFSET ? low->scale : high->scale;
    if (high_class == MS_CLASS_DATE && (low_class == MS_CLASS_INTEGER || low_class == MS_CLASS_FLOAT ||
                                        low_class == MS_CLASS_DECIMAL || low_class == MS_CLASS_MONEY))
        return high->id == MS_DATETIME || high->id == MS_SMALLDATETIME;
    if (high_class == MS_CLASS_GUID)
        return low_class == MS_CLASS_TEXT || low_class == MS_CLASS_BINARY || low_class == MS_CLASS_GUID;
    return true;
}

static struct ms_type decimal_result(char op, const struct ms_type *a, const struct ms_type *b)
{
    struct ms_type x = ms_type_as_decimal(a), y = ms_type_as_decimal(b);
    enum ms_type_id id = a->id == MS_DECIMAL || b->id == MS_DECIMAL ? MS_DECIMAL : MS_NUMERIC;
    int scale = larger(x.scale, y.scale), ix = x.precision - x.scale, iy = y.precision - y.scale;
    if (op == '*')
        return cut(id, x.precision + y.precision + 1, x.scale + y.scale, false);
    if (op == '/') {
        scale = larger(6, x.scale + y.precision + 1);
        return cut(id, ix + y.scale + scale, scale, false);
    }
    if (op == '%')
        return cut(id, smaller(ix, iy) + scale, scale, true);
    return cut(id, larger(ix, iy) + scale + 1, scale, true);
}

static struct ms_type concat_result(const struct ms_type *a, const struct ms_type *b)
{
    if (a->length < 0 || b->length < 0 || is_blob(a->id) || is_blob(b->id))
        return ms_type_string(ms_type_is_unicode(a->id) || ms_type_is_unicode(b->id), MS_MAX);
    bool wide = ms_type_is_unicode(a->id) || ms_type_is_unicode(b->id);
    return ms_type_string(wide, smaller(a->length + b->length, wide ? 4000 : 8000));
}

static bool date_arithmetic(char op, const struct ms_type *a, const struct ms_type *b, struct ms_type *ret)
{
    const struct ms_type *date = ms_type_class(a->id) == MS_CLASS_DATE ? a : b;
    if ((op != '+' && op != '-') || (date->id != MS_DATETIME && date->id != MS_SMALLDATETIME))
        return false;
    *ret = *date;
    const struct ms_type *other = date == a ? b : a;
    return ms_type_class(other->id) != MS_CLASS_DATE || other->id == MS_DATETIME ||
           other->id == MS_SMALLDATETIME;
}

bool ms_type_arithmetic(char op, const struct ms_type *a, const struct ms_type *b, struct ms_type *ret)
{
    struct ms_type common;
    struct ms_type number = ms_type_simple(MS_INT);
    a = a->id == MS_UNKNOWN ? (b->id == MS_UNKNOWN ? &number : b) : a;
    b = b->id == MS_UNKNOWN ? a : b;
    enum ms_class ca = ms_type_class(a->id), cb = ms_type_class(b->id);
    if (ca == MS_CLASS_TEXT && cb == MS_CLASS_TEXT) {
        if (op != '+')
            return false;
        *ret = concat_result(a, b);
        return true;
    }
    if (ca == MS_CLASS_BINARY && cb == MS_CLASS_BINARY && op == '+') {
        bool max = a->length <= 0 || b->length <= 0;
        *ret = (struct ms_type){.id = MS_VARBINARY,
                                .length = max ? MS_MAX : smaller(a->length + b->length, 8000)};
        return true;
    }
    if (ca == MS_CLASS_DATE || cb == MS_CLASS_DATE)
        return date_arithmetic(op, a, b, ret);
    if (!ms_type_common(a, b, &common))
        return false;
    enum ms_class class = ms_type_class(common.id);
    bool bits = op == '&' || op == '|' || op == '^';
    if (class == MS_CLASS_DECIMAL && !bits) {
        *ret = decimal_result(op, ca == MS_CLASS_TEXT ? &common : a, cb == MS_CLASS_TEXT ? &common : b);
        return true;
    }
    *ret = common;
    if (class == MS_CLASS_INTEGER)
        return common.id != MS_BIT || bits;
    return !bits && (class == MS_CLASS_MONEY || (class == MS_CLASS_FLOAT && op != '%'));
}

bool ms_type_same_cell(const struct ms_type *from, const struct ms_type *to)
{
    enum ms_class cf = ms_type_class(from->id), ct = ms_type_class(to->id);
    if (cf == MS_CLASS_NONE)
        return true;
    if (cf != ct)
        return false;
    switch (ct) {
    case MS_CLASS_INTEGER: return facts[from->id].rank <= facts[to->id].rank;
    case MS_CLASS_MONEY: return from->id == to->id || to->id == MS_MONEY;
    case MS_CLASS_FLOAT: return from->id == to->id || to->id == MS_FLOAT;
    case MS_CLASS_DECIMAL:
        return from->scale == to->scale && from->precision <= to->precision &&
               (from->precision <= 18) == (to->precision <= 18); /* the cell's two forms, cell.h */
    case MS_CLASS_TEXT:
        if (to->id == MS_CHAR || to->id == MS_NCHAR)
            return from->id == to->id && from->length == to->length;
        if (ms_type_is_unicode(from->id) && !ms_type_is_unicode(to->id))
            return false;
        return to->length == MS_MAX || is_blob(to->id) ||
               (from->length > 0 && !is_blob(from->id) && from->length <= to->length);
    case MS_CLASS_BINARY:
        if (to->id == MS_BINARY)
            return from->id == to->id && from->length == to->length;
        return to->length == MS_MAX || is_blob(to->id) || (from->length > 0 && from->length <= to->length);
    case MS_CLASS_GUID:
    case MS_CLASS_XML:
    case MS_CLASS_VARIANT: return true;
    case MS_CLASS_DATE: return from->id == to->id && from->scale <= to->scale;
    case MS_CLASS_NONE: break;
    }
    return false;
}
