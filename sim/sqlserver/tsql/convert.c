/* SPDX-License-Identifier: Apache-2.0 */
#include "convert.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "datetime.h"
#include "decimal.h"

struct job {
    struct ms_arena *arena;
    const struct ms_conversion *how;
    const struct ms_value *in;
    struct ms_value *ret;
    struct ms_error *err;
};

static const char *to_word(const struct job *j)
{
    return ms_type_word(j->how->to.id);
}

static bool fail_text(const struct job *j)
{
    int shown = j->in->len > 200 ? 200 : (int)j->in->len;
    return ms_error_set(j->err, 245, 16, 1,
                        "Conversion failed when converting the %s value '%.*s' to data type %s.",
                        ms_type_word(j->how->from.id), shown, (const char *)j->in->bytes, to_word(j));
}

static bool fail_error_converting(const struct job *j)
{
    return ms_error_set(j->err, 8114, 16, 5, "Error converting data type %s to %s.",
                        ms_type_word(j->how->from.id), to_word(j));
}

static bool fail_overflow(const struct job *j)
{
    enum ms_class from = ms_type_class(j->how->from.id);
    if (j->how->to.id == MS_DECIMAL || j->how->to.id == MS_NUMERIC)
        return ms_error_set(j->err, 8115, 16, from == MS_CLASS_DECIMAL ? 8 : 6,
                            "Arithmetic overflow error converting %s to data type %s.",
                            from == MS_CLASS_DECIMAL ? "numeric" : ms_type_word(j->how->from.id), "numeric");
    return ms_error_set(j->err, 8115, 16, 2,
                        "Arithmetic overflow error converting expression to data type %s.", to_word(j));
}

/* Text without the blanks around it. */
static const char *trimmed(const struct ms_value *in, size_t *ret_len)
{
    const char *text = (const char *)in->bytes;
    size_t len = in->len;
    while (len && (isspace((unsigned char)text[0]) || text[0] == 0)) {
        text++;
        len--;
    }
    while (len && (isspace((unsigned char)text[len - 1]) || text[len - 1] == 0))
        len--;
    *ret_len = len;
    return text;
}

/* --- integers --- */

static bool in_range(enum ms_type_id id, int64_t value)
{
    if (id == MS_TINYINT)
        return value >= 0 && value <= 255;
    if (id == MS_SMALLINT)
        return value >= INT16_MIN && value <= INT16_MAX;
    if (id == MS_INT)
        return value >= INT32_MIN && value <= INT32_MAX;
    return true; /* bigint and bit hold what reaches them */
}

static bool fail_integer_range(const struct job *j, int64_t value)
{
    if (ms_type_class(j->how->from.id) == MS_CLASS_TEXT) {
        if (j->how->to.id == MS_INT)
            return ms_error_set(j->err, 248, 16, 1,
                                "The conversion of the %s value '%.*s' overflowed an int column.",
                                ms_type_word(j->how->from.id), (int)j->in->len, (const char *)j->in->bytes);
        return ms_error_set(
            j->err, 244, 16, j->how->to.id == MS_TINYINT ? 1 : 2,
            "The conversion of the %s value '%.*s' overflowed an %s column. Use a larger integer "
            "column.",
            ms_type_word(j->how->from.id), (int)j->in->len, (const char *)j->in->bytes,
            j->how->to.id == MS_TINYINT ? "INT1" : "INT2");
    }
    if (j->how->to.id == MS_TINYINT || j->how->to.id == MS_SMALLINT)
        return ms_error_set(j->err, 220, 16, j->how->to.id == MS_TINYINT ? 2 : 1,
                            "Arithmetic overflow error for data type %s, value = %lld.", to_word(j),
                            (long long)value);
    return fail_overflow(j);
}

static bool text_to_integer(const struct job *j, int64_t *ret)
{
    size_t len;
    const char *text = trimmed(j->in, &len);
    ms_int128 value = 0;
    bool negative = len && text[0] == '-';
    size_t i = len && (text[0] == '-' || text[0] == '+') ? 1 : 0;
    for (; i < len; i++) {
        if (!isdigit((unsigned char)text[i]))
            return j->how->to.id == MS_BIGINT ? fail_error_converting(j) : fail_text(j);
        value = value * 10 + (text[i] - '0');
        if (value > (ms_int128)INT64_MAX + 1)
            return j->how->to.id == MS_BIGINT ? fail_overflow(j) : fail_integer_range(j, INT64_MAX);
    }
    if (!negative && value > INT64_MAX)
        return fail_overflow(j);
    *ret = (int64_t)(negative ? -value : value);
    return true;
}

static bool text_to_bit(const struct job *j)
{
    size_t len;
    const char *text = trimmed(j->in, &len);
    if ((len == 4 && strncasecmp(text, "true", 4) == 0) || (len == 5 && strncasecmp(text, "false", 5) == 0)) {
        j->ret->i = len == 4;
        return true;
    }
    int64_t value;
    if (!text_to_integer(j, &value))
        return false;
    j->ret->i = value != 0;
    return true;
}

static int64_t bytes_to_integer(const struct ms_value *in, int width)
{
    uint64_t value = 0;
    uint32_t start = in->len > (uint32_t)width ? in->len - (uint32_t)width : 0;
    for (uint32_t i = start; i < in->len; i++)
        value = value << 8 | in->bytes[i];
    if (width == 4)
        return (int32_t)(uint32_t)value;
    return width == 2 ? (int16_t)(uint16_t)value : (int64_t)value;
}

static double date_as_days(const struct job *j)
{
    struct ms_moment m;
    ms_datetime_read(&j->how->from, j->in, &m);
    return (double)(m.days - MS_DAYS_1900) + (double)m.ticks / (double)MS_TICKS_PER_DAY;
}

static bool to_integer(const struct job *j)
{
    int64_t value = 0;
    ms_int128 whole;
    double d;
    switch (ms_type_class(j->how->from.id)) {
    case MS_CLASS_INTEGER: value = j->in->i; break;
    case MS_CLASS_DECIMAL:
        if (!ms_decimal_truncate(j->in->dec, j->how->from.scale, 0, &whole) || whole > INT64_MAX ||
            whole < INT64_MIN)
            return fail_overflow(j);
        value = (int64_t)whole;
        break;
    case MS_CLASS_MONEY:
        (void)ms_decimal_rescale(j->in->i, 4, 0, &whole);
        value = (int64_t)whole;
        break;
    case MS_CLASS_FLOAT:
    case MS_CLASS_DATE:
        d = ms_type_class(j->how->from.id) == MS_CLASS_DATE ? floor(date_as_days(j) + 0.5) : trunc(j->in->d);
        if (!(d >= -9223372036854775808.0 && d < 9223372036854775808.0))
            return fail_overflow(j);
        value = (int64_t)d;
        break;
    case MS_CLASS_BINARY:
        value = bytes_to_integer(j->in, j->how->to.id == MS_BIGINT     ? 8
                                        : j->how->to.id == MS_INT      ? 4
                                        : j->how->to.id == MS_SMALLINT ? 2
                                                                       : 1);
        break;
    case MS_CLASS_TEXT:
    case MS_CLASS_VARIANT:
    case MS_CLASS_XML:
        if (j->how->to.id == MS_BIT)
            return text_to_bit(j);
        if (!text_to_integer(j, &value))
            return false;
        break;
    case MS_CLASS_NONE:
    case MS_CLASS_GUID: break;
    }
    if (j->how->to.id == MS_BIT)
        value = value != 0 || (ms_type_class(j->how->from.id) == MS_CLASS_DECIMAL && j->in->dec != 0);
    if (!in_range(j->how->to.id, value))
        return fail_integer_range(j, value);
    j->ret->i = value;
    return true;
}

/* --- other numbers --- */

static bool to_decimal_at(const struct job *j, int scale, ms_int128 *ret)
{
    size_t len;
    const char *text;
    switch (ms_type_class(j->how->from.id)) {
    case MS_CLASS_INTEGER: return ms_decimal_rescale(j->in->i, 0, scale, ret) || fail_overflow(j);
    case MS_CLASS_MONEY: return ms_decimal_rescale(j->in->i, 4, scale, ret) || fail_overflow(j);
    case MS_CLASS_DECIMAL:
        return ms_decimal_rescale(j->in->dec, j->how->from.scale, scale, ret) || fail_overflow(j);
    case MS_CLASS_FLOAT: return ms_decimal_from_double(j->in->d, scale, ret) || fail_overflow(j);
    case MS_CLASS_DATE: return ms_decimal_from_double(date_as_days(j), scale, ret) || fail_overflow(j);
    case MS_CLASS_BINARY:
        return ms_decimal_rescale(bytes_to_integer(j->in, 8), 0, scale, ret) || fail_overflow(j);
    case MS_CLASS_TEXT:
    case MS_CLASS_VARIANT:
    case MS_CLASS_XML:
        text = trimmed(j->in, &len);
        return ms_decimal_parse(text, len, scale, ret) || fail_error_converting(j);
    case MS_CLASS_NONE:
    case MS_CLASS_GUID: break;
    }
    return fail_error_converting(j);
}

static bool to_decimal(const struct job *j)
{
    ms_int128 value;
    if (!to_decimal_at(j, j->how->to.scale, &value))
        return false;
    if (!ms_decimal_fits(value, j->how->to.precision))
        return fail_overflow(j);
    j->ret->dec = value;
    return true;
}

static bool text_to_money(const struct job *j, ms_int128 *ret)
{
    size_t len, n = 0;
    const char *text = trimmed(j->in, &len);
    char *clean = ms_arena_alloc(j->arena, len + 1);
    for (size_t i = 0; i < len; i++)
        if (text[i] != ',' && text[i] != '$')
            clean[n++] = text[i];
    if (n && !ms_decimal_parse(clean, n, 4, ret))
        return ms_error_set(j->err, 235, 16, 0,
                            "Cannot convert a char value to money. The char value has incorrect syntax.");
    if (!n)
        *ret = 0;
    return true;
}

static bool to_money(const struct job *j)
{
    ms_int128 value;
    if (ms_type_class(j->how->from.id) == MS_CLASS_TEXT ? !text_to_money(j, &value)
                                                        : !to_decimal_at(j, 4, &value))
        return false;
    int64_t limit = j->how->to.id == MS_SMALLMONEY ? INT32_MAX : INT64_MAX;
    if (value > limit || value < -(ms_int128)limit - 1)
        return fail_overflow(j);
    j->ret->i = (int64_t)value;
    return true;
}

static bool text_to_float(const struct job *j, double *ret)
{
    size_t len;
    const char *text = trimmed(j->in, &len);
    char *copy = ms_arena_dup(j->arena, text, len), *end;
    if (len == 0) {
        *ret = 0;
        return true;
    }
    for (size_t i = 0; i < len; i++)
        if (!strchr("0123456789+-.eE", text[i]))
            return fail_error_converting(j);
    *ret = strtod(copy, &end);
    return *end == 0 || fail_error_converting(j);
}

static bool to_float(const struct job *j)
{
    double d = 0;
    switch (ms_type_class(j->how->from.id)) {
    case MS_CLASS_INTEGER: d = (double)j->in->i; break;
    case MS_CLASS_MONEY: d = (double)j->in->i / 10000.0; break;
    case MS_CLASS_DECIMAL: d = ms_decimal_to_double(j->in->dec, j->how->from.scale); break;
    case MS_CLASS_FLOAT: d = j->in->d; break;
    case MS_CLASS_DATE: d = date_as_days(j); break;
    case MS_CLASS_TEXT:
    case MS_CLASS_XML:
    case MS_CLASS_VARIANT:
        if (!text_to_float(j, &d))
            return false;
        break;
    case MS_CLASS_BINARY:
    case MS_CLASS_GUID:
    case MS_CLASS_NONE: return fail_error_converting(j);
    }
    if (j->how->to.id == MS_REAL && fabs(d) > 3.4028234663852886e38)
        return fail_overflow(j);
    j->ret->d = j->how->to.id == MS_REAL ? (double)(float)d : d;
    return true;
}

/* --- text and bytes --- */

static bool fail_truncated(const struct job *j)
{
    return ms_error_set(j->err, 8152, 16, 10, "String or binary data would be truncated.");
}

static void pad(const struct job *j, size_t have_units)
{
    size_t missing = (size_t)j->how->to.length - have_units;
    char *out = ms_arena_alloc(j->arena, (size_t)j->ret->len + missing + 1);
    if (j->ret->len)
        memcpy(out, j->ret->bytes, j->ret->len);
    memset(out + j->ret->len, ' ', missing);
    j->ret->bytes = (const uint8_t *)out;
    j->ret->len += (uint32_t)missing;
}

/* Cut or refuse what is too long; trailing blanks may always be cut. A number that does not fit shows as *.
 */
static bool fit_text(const struct job *j)
{
    const struct ms_type *to = &j->how->to;
    bool unicode = ms_type_is_unicode(to->id);
    if (to->length == MS_MAX || to->id == MS_TEXT || to->id == MS_NTEXT)
        return true;
    size_t units = ms_text_units(j->ret->bytes, j->ret->len, unicode);
    if (units > (size_t)to->length) {
        enum ms_class from = ms_type_class(j->how->from.id);
        size_t keep = ms_text_prefix(j->ret->bytes, j->ret->len, (size_t)to->length, unicode);
        if (from == MS_CLASS_DECIMAL || from == MS_CLASS_FLOAT || from == MS_CLASS_MONEY ||
            (from == MS_CLASS_INTEGER && unicode))
            return ms_error_set(
                j->err, 8115, 16, 5, "Arithmetic overflow error converting %s to data type %s.",
                from == MS_CLASS_INTEGER ? "expression" : ms_type_word(j->how->from.id), to_word(j));
        if (from == MS_CLASS_INTEGER) {
            j->ret->bytes = (const uint8_t *)"*";
            j->ret->len = 1;
            return true;
        }
        for (size_t i = keep; j->how->assign && i < j->ret->len; i++)
            if (j->ret->bytes[i] != ' ')
                return fail_truncated(j);
        j->ret->len = (uint32_t)keep;
        units = (size_t)to->length;
    }
    if ((to->id == MS_CHAR || to->id == MS_NCHAR) && units < (size_t)to->length)
        pad(j, units);
    return true;
}

static bool to_text(const struct job *j)
{
    return ms_convert_to_text(j->arena, j->how, j->in, j->ret, j->err) && fit_text(j);
}

static void text_to_bytes(const struct job *j, bool unicode)
{
    const uint8_t *at = j->in->bytes, *end = at + j->in->len;
    uint8_t *out = ms_arena_alloc(j->arena, (size_t)j->in->len * 2 + 4);
    size_t n = 0;
    while (at < end) {
        uint32_t code = (uint32_t)ms_text_next(&at, end);
        if (!unicode) {
            int byte = ms_text_to_1252(code);
            out[n++] = (uint8_t)(byte < 0 ? '?' : byte);
            continue;
        }
        if (code >= 0x10000) {
            uint32_t high = 0xD800 + ((code - 0x10000) >> 10);
            out[n++] = (uint8_t)high;
            out[n++] = (uint8_t)(high >> 8);
            code = 0xDC00 + ((code - 0x10000) & 0x3FF);
        }
        out[n++] = (uint8_t)code;
        out[n++] = (uint8_t)(code >> 8);
    }
    j->ret->bytes = out;
    j->ret->len = (uint32_t)n;
}

static int hex_value(uint8_t c)
{
    return isdigit(c) ? c - '0' : isxdigit(c) ? tolower(c) - 'a' + 10 : -1;
}

static bool hex_to_bytes(const struct job *j)
{
    const uint8_t *at = j->in->bytes;
    size_t len = j->in->len, n = 0;
    if (j->how->style == 1) {
        if (len < 2 || at[0] != '0' || (at[1] | 32) != 'x')
            return fail_error_converting(j);
        at += 2;
        len -= 2;
    }
    uint8_t *out = ms_arena_alloc(j->arena, len / 2 + 1);
    if (len % 2)
        return fail_error_converting(j);
    for (size_t i = 0; i < len; i += 2) {
        if (hex_value(at[i]) < 0 || hex_value(at[i + 1]) < 0)
            return fail_error_converting(j);
        out[n++] = (uint8_t)(hex_value(at[i]) << 4 | hex_value(at[i + 1]));
    }
    j->ret->bytes = out;
    j->ret->len = (uint32_t)n;
    return true;
}

static void integer_to_bytes(const struct job *j, int64_t value, size_t width)
{
    uint8_t *out = ms_arena_alloc(j->arena, width);
    for (size_t i = 0; i < width; i++)
        out[i] = (uint8_t)((uint64_t)value >> (8 * (width - 1 - i)));
    j->ret->bytes = out;
    j->ret->len = (uint32_t)width;
}

static size_t integer_width(enum ms_type_id id)
{
    return id == MS_BIT || id == MS_TINYINT      ? 1
           : id == MS_SMALLINT                   ? 2
           : id == MS_INT || id == MS_SMALLMONEY ? 4
                                                 : 8;
}

static bool fit_bytes(const struct job *j, bool keep_right)
{
    const struct ms_type *to = &j->how->to;
    uint32_t room = to->id == MS_ROWVERSION ? 8 : (uint32_t)to->length;
    if (to->length == MS_MAX || to->id == MS_IMAGE)
        return true;
    if (j->ret->len > room) {
        if (j->how->assign && !keep_right)
            return fail_truncated(j);
        if (keep_right)
            j->ret->bytes += j->ret->len - room;
        j->ret->len = room;
    }
    if ((to->id == MS_BINARY || to->id == MS_ROWVERSION) && j->ret->len < room) {
        uint8_t *out = ms_arena_alloc(j->arena, room);
        memcpy(out + (keep_right ? room - j->ret->len : 0), j->ret->bytes, j->ret->len);
        j->ret->bytes = out;
        j->ret->len = room;
    }
    return true;
}

static bool to_bytes(const struct job *j)
{
    bool number = false;
    switch (ms_type_class(j->how->from.id)) {
    case MS_CLASS_INTEGER:
    case MS_CLASS_MONEY:
        integer_to_bytes(j, j->in->i, integer_width(j->how->from.id));
        number = true;
        break;
    case MS_CLASS_TEXT:
    case MS_CLASS_XML:
    case MS_CLASS_VARIANT:
        if (j->how->style == 1 || j->how->style == 2) {
            if (!hex_to_bytes(j))
                return false;
        } else {
            text_to_bytes(j, ms_type_is_unicode(j->how->from.id));
        }
        break;
    case MS_CLASS_DECIMAL: integer_to_bytes(j, (int64_t)j->in->dec, 8); break;
    case MS_CLASS_DATE: integer_to_bytes(j, j->in->i, 8); break;
    case MS_CLASS_FLOAT: {
        int64_t bits;
        memcpy(&bits, &j->in->d, 8);
        integer_to_bytes(j, bits, 8);
        break;
    }
    case MS_CLASS_BINARY:
    case MS_CLASS_GUID: *j->ret = *j->in; break;
    case MS_CLASS_NONE: return fail_error_converting(j);
    }
    return fit_bytes(j, number);
}

/* --- the rest --- */

static bool fail_date(const struct job *j)
{
    if (j->how->to.id == MS_SMALLDATETIME)
        return ms_error_set(j->err, 295, 16, 3,
                            "Conversion failed when converting character string to smalldatetime data type.");
    return ms_error_set(j->err, 241, 16, 1,
                        "Conversion failed when converting date and/or time from character string.");
}

static bool fail_date_range(const struct job *j)
{
    return ms_error_set(j->err, 242, 16, 3,
                        "The conversion of a %s data type to a %s data type resulted in an "
                        "out-of-range value.",
                        ms_type_word(j->how->from.id), to_word(j));
}

static bool number_to_date(const struct job *j)
{
    struct ms_conversion as_float = {.from = j->how->from, .to = {.id = MS_FLOAT}, .style = MS_STYLE_NONE};
    struct ms_value days;
    if (!ms_convert(j->arena, &as_float, j->in, &days, j->err))
        return false;
    double whole = floor(days.d);
    if (fabs(whole) > 4e6)
        return fail_overflow(j);
    struct ms_moment m = {.days = (int64_t)whole + MS_DAYS_1900, .has_date = true, .has_time = true};
    m.ticks = (int64_t)((days.d - whole) * (double)MS_TICKS_PER_DAY);
    return ms_datetime_make(&j->how->to, &m, j->ret) || fail_overflow(j);
}

static bool to_date(const struct job *j)
{
    struct ms_moment m;
    enum ms_class from = ms_type_class(j->how->from.id);
    if (from == MS_CLASS_DATE) {
        ms_datetime_read(&j->how->from, j->in, &m);
        return ms_datetime_make(&j->how->to, &m, j->ret) || fail_date_range(j);
    }
    if (from != MS_CLASS_TEXT && from != MS_CLASS_VARIANT && from != MS_CLASS_XML)
        return number_to_date(j);
    if (!ms_datetime_parse((const char *)j->in->bytes, j->in->len, &m))
        return fail_date(j);
    if (m.has_offset && j->how->to.id != MS_DATETIMEOFFSET &&
        (j->how->to.id == MS_DATETIME || j->how->to.id == MS_SMALLDATETIME) && m.offset_min != 0)
        return fail_date(j);
    return ms_datetime_make(&j->how->to, &m, j->ret) || fail_date_range(j);
}

static bool parse_guid(const char *text, size_t len, uint8_t *out)
{
    static const uint8_t place[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    if (len == 38 && text[0] == '{')
        text++;
    else if (len < 36)
        return false;
    for (size_t i = 0, at = 0; i < 16; i++) {
        if ((i == 4 || i == 6 || i == 8 || i == 10) && text[at++] != '-')
            return false;
        int high = hex_value((uint8_t)text[at]), low = hex_value((uint8_t)text[at + 1]);
        if (high < 0 || low < 0)
            return false;
        out[place[i]] = (uint8_t)(high << 4 | low);
        at += 2;
    }
    return true;
}

static bool to_guid(const struct job *j)
{
    uint8_t *out = ms_arena_alloc(j->arena, 16);
    if (ms_type_class(j->how->from.id) == MS_CLASS_BINARY ||
        ms_type_class(j->how->from.id) == MS_CLASS_GUID) {
        memcpy(out, j->in->bytes, j->in->len < 16 ? j->in->len : 16);
    } else {
        size_t len;
        const char *text = trimmed(j->in, &len);
        if (!parse_guid(text, len, out))
            return ms_error_set(
                j->err, 8169, 16, 2,
                "Conversion failed when converting from a character string to uniqueidentifier.");
    }
    j->ret->bytes = out;
    j->ret->len = 16;
    return true;
}

int ms_convert_allowed(const struct ms_type *from, const struct ms_type *to)
{
    enum ms_class cf = ms_type_class(from->id), ct = ms_type_class(to->id);
    bool number_from =
        cf == MS_CLASS_INTEGER || cf == MS_CLASS_DECIMAL || cf == MS_CLASS_MONEY || cf == MS_CLASS_FLOAT;
    bool number_to =
        ct == MS_CLASS_INTEGER || ct == MS_CLASS_DECIMAL || ct == MS_CLASS_MONEY || ct == MS_CLASS_FLOAT;
    bool old_from = from->id == MS_DATETIME || from->id == MS_SMALLDATETIME;
    bool old_to = to->id == MS_DATETIME || to->id == MS_SMALLDATETIME;
    if (cf != MS_CLASS_NONE && from->id != to->id && (ms_type_is_clr(from->id) || ms_type_is_clr(to->id)))
        return ct != MS_CLASS_BINARY || cf != MS_CLASS_BINARY ? 0
               : !ms_type_is_clr(from->id)                    ? 2
               : !ms_type_is_clr(to->id)                      ? 1
                                                              : 0;
    if (cf == ct || cf == MS_CLASS_NONE || ct == MS_CLASS_VARIANT || cf == MS_CLASS_VARIANT)
        return !(from->id == MS_DATE && to->id == MS_TIME) && !(from->id == MS_TIME && to->id == MS_DATE) ? 2
                                                                                                          : 0;
    if (cf == MS_CLASS_TEXT)
        return ct == MS_CLASS_BINARY ? 1 : 2;
    if (number_from && number_to)
        return 2;
    if (cf == MS_CLASS_DATE && number_to)
        return old_from ? 1 : 0;
    if (number_from && ct == MS_CLASS_DATE)
        return old_to ? 2 : 0;
    if (cf == MS_CLASS_FLOAT && ct == MS_CLASS_BINARY)
        return 1;
    if (cf == MS_CLASS_BINARY)
        return ct == MS_CLASS_FLOAT || (ct == MS_CLASS_DATE && !old_to) ? 0 : 2;
    if (ct == MS_CLASS_TEXT)
        return cf == MS_CLASS_XML ? 1 : 2;
    if (ct == MS_CLASS_BINARY)
        return cf == MS_CLASS_DATE || cf == MS_CLASS_GUID || cf == MS_CLASS_XML ? 1 : 2;
    return 0;
}

bool ms_convert(struct ms_arena *arena, const struct ms_conversion *how, const struct ms_value *in,
                struct ms_value *ret, struct ms_error *err)
{
    struct ms_value out = {0};
    struct job j = {arena, how, in, &out, err};
    bool ok = false;
    if (in->is_null || how->from.id == MS_UNKNOWN) {
        *ret = (struct ms_value){.is_null = true};
        return true;
    }
    switch (ms_type_class(how->to.id)) {
    case MS_CLASS_INTEGER: ok = to_integer(&j); break;
    case MS_CLASS_FLOAT: ok = to_float(&j); break;
    case MS_CLASS_DECIMAL: ok = to_decimal(&j); break;
    case MS_CLASS_MONEY: ok = to_money(&j); break;
    case MS_CLASS_TEXT: ok = to_text(&j); break;
    case MS_CLASS_BINARY: ok = to_bytes(&j); break;
    case MS_CLASS_GUID: ok = to_guid(&j); break;
    case MS_CLASS_DATE: ok = to_date(&j); break;
    case MS_CLASS_XML:
    case MS_CLASS_VARIANT: ok = ms_convert_to_text(arena, how, in, &out, err); break;
    case MS_CLASS_NONE:
        out = *in;
        ok = true;
        break;
    }
    if (ok)
        *ret = out;
    return ok;
}

bool ms_convert_value(struct ms_arena *arena, const struct ms_type *from, const struct ms_value *in,
                      const struct ms_type *to, struct ms_value *ret_out, struct ms_error *err)
{
    struct ms_conversion how = {.from = *from, .to = *to, .style = MS_STYLE_NONE, .assign = true};
    return ms_convert(arena, &how, in, ret_out, err);
}
