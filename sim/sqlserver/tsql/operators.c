/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic, conversion and LIKE. */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "datetime.h"
#include "decimal.h"
#include "operation.h"

static bool overflow(struct ms_eval *ev, const struct ms_type *type)
{
    if (ms_type_class(type->id) == MS_CLASS_DECIMAL)
        return ms_error_set(ev->err, 8115, 16, 2,
                            "Arithmetic overflow error converting expression to data type "
                            "numeric.");
    return ms_error_set(ev->err, 8115, 16, 2,
                        "Arithmetic overflow error converting expression to data type %s.",
                        ms_type_word(type->id));
}

static bool divide_by_zero(struct ms_eval *ev)
{
    return ms_error_set(ev->err, 8134, 16, 1, "Divide by zero error encountered.");
}

static bool fits_integer(enum ms_type_id id, int64_t v)
{
    if (id == MS_TINYINT)
        return v >= 0 && v <= 255;
    if (id == MS_SMALLINT)
        return v >= INT16_MIN && v <= INT16_MAX;
    return id != MS_INT || (v >= INT32_MIN && v <= INT32_MAX);
}

static bool integer_arithmetic(struct ms_eval *ev, const struct ms_operation *op, int64_t a, int64_t b,
                               int64_t *ret)
{
    bool over = false;
    switch (op->symbol) {
    case '+': over = __builtin_add_overflow(a, b, ret); break;
    case '-': over = __builtin_sub_overflow(a, b, ret); break;
    case '*': over = __builtin_mul_overflow(a, b, ret); break;
    case '&': *ret = a & b; break;
    case '|': *ret = a | b; break;
    case '^': *ret = a ^ b; break;
    default:
        if (b == 0)
            return divide_by_zero(ev);
        if (b == -1)
            over = op->symbol == '/' && __builtin_sub_overflow(0, a, ret),
            *ret = op->symbol == '/' && !over ? -a : 0;
        else
            *ret = op->symbol == '/' ? a / b : a % b;
    }
    return (!over && fits_integer(op->result.id, *ret)) || overflow(ev, &op->result);
}

static bool decimal_arithmetic(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *args,
                               ms_int128 *ret)
{
    int sa = op->args[0].scale, sb = op->args[1].scale, to = op->result.scale;
    ms_int128 a = args[0].dec, b = args[1].dec, x, y;
    int wide = sa > sb ? sa : sb;
    bool ok;
    if (op->symbol == '*') {
        ok = ms_decimal_multiply(a, sa, b, sb, to, ret);
    } else if (op->symbol == '/') {
        if (b == 0)
            return divide_by_zero(ev);
        ok = ms_decimal_divide(a, sa, b, sb, to, ret);
    } else {
        ok = ms_decimal_rescale(a, sa, wide, &x) && ms_decimal_rescale(b, sb, wide, &y);
        if (ok && op->symbol == '%') {
            if (y == 0)
                return divide_by_zero(ev);
            x = x % y;
        } else if (ok) {
            ok = ms_decimal_add(x, op->symbol == '-' ? -y : y, &x);
        }
        ok = ok && ms_decimal_rescale(x, wide, to, ret);
    }
    return (ok && ms_decimal_fits(*ret, op->result.precision)) || overflow(ev, &op->result);
}

static bool money_arithmetic(struct ms_eval *ev, const struct ms_operation *op, int64_t a, int64_t b,
                             int64_t *ret)
{
    ms_int128 r;
    switch (op->symbol) {
    case '+': r = (ms_int128)a + b; break;
    case '-': r = (ms_int128)a - b; break;
    case '*': r = ((ms_int128)a * b + 5000) / 10000; break;
    default:
        if (b == 0)
            return divide_by_zero(ev);
        r = op->symbol == '/' ? (ms_int128)a * 10000 / b : a % b;
    }
    if (r > INT64_MAX || r < INT64_MIN)
        return overflow(ev, &op->result);
    *ret = (int64_t)r;
    return true;
}

static bool float_arithmetic(struct ms_eval *ev, const struct ms_operation *op, double a, double b,
                             double *ret)
{
    if (op->symbol == '/' && b == 0)
        return divide_by_zero(ev);
    *ret = op->symbol == '+' ? a + b : op->symbol == '-' ? a - b : op->symbol == '*' ? a * b : a / b;
    if (op->result.id == MS_REAL)
        *ret = (double)(float)*ret;
    return isfinite(*ret) || overflow(ev, &op->result);
}

static void concat(struct ms_eval *ev, const struct ms_value *args, struct ms_value *ret)
{
    size_t len = (size_t)args[0].len + args[1].len;
    uint8_t *out = ms_arena_alloc(ev->arena, len + 1);
    if (args[0].len)
        memcpy(out, args[0].bytes, args[0].len);
    if (args[1].len)
        memcpy(out + args[0].len, args[1].bytes, args[1].len);
    *ret = (struct ms_value){.len = (uint32_t)len, .bytes = out};
}

/* datetime +- datetime: both are counts from 1900, and so is the result. */
static bool date_arithmetic(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *args,
                            struct ms_value *ret)
{
    int64_t r = op->symbol == '-' ? args[0].i - args[1].i : args[0].i + args[1].i;
    struct ms_moment m;
    struct ms_value v = {.i = r};
    ms_datetime_read(&op->result, &v, &m);
    if (m.days < 0 || m.days > MS_DAYS_MAX)
        return ms_error_set(ev->err, 517, 16, 1, "Adding a value to a '%s' column caused an overflow.",
                            ms_type_word(op->result.id));
    *ret = v;
    return true;
}

bool ms_op_arithmetic(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *args,
                      struct ms_value *ret)
{
    switch (ms_type_class(op->result.id)) {
    case MS_CLASS_INTEGER: return integer_arithmetic(ev, op, args[0].i, args[1].i, &ret->i);
    case MS_CLASS_DECIMAL: {
        ms_int128 value = 0;
        bool ok = decimal_arithmetic(ev, op, args, &value);
        ret->dec = value;
        return ok;
    }
    case MS_CLASS_MONEY: return money_arithmetic(ev, op, args[0].i, args[1].i, &ret->i);
    case MS_CLASS_FLOAT: return float_arithmetic(ev, op, args[0].d, args[1].d, &ret->d);
    case MS_CLASS_DATE: return date_arithmetic(ev, op, args, ret);
    case MS_CLASS_TEXT:
    case MS_CLASS_BINARY: concat(ev, args, ret); return true;
    case MS_CLASS_NONE:
    case MS_CLASS_GUID:
    case MS_CLASS_XML:
    case MS_CLASS_VARIANT: break;
    }
    return ms_error_set(ev->err, 8117, 16, 1, "Operand data type %s is invalid for this operator.",
                        ms_type_word(op->result.id));
}

bool ms_op_negate(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *args,
                  struct ms_value *ret)
{
    enum ms_class class = ms_type_class(op->result.id);
    if (class == MS_CLASS_FLOAT)
        ret->d = -args[0].d;
    else if (class == MS_CLASS_DECIMAL)
        ret->dec = -args[0].dec;
    else if (args[0].i == INT64_MIN || !fits_integer(op->result.id, -args[0].i))
        return overflow(ev, &op->result);
    else
        ret->i = -args[0].i;
    return true;
}

bool ms_op_invert(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *args,
                  struct ms_value *ret)
{
    (void)ev;
    ret->i = op->result.id == MS_TINYINT ? (uint8_t)~args[0].i
             : op->result.id == MS_BIT   ? !args[0].i
                                         : ~args[0].i;
    return true;
}

/* --- conversion --- */

bool ms_op_convert(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *args,
                   struct ms_value *ret)
{
    struct ms_conversion how = {.from = op->args[0], .to = op->result, .style = op->number};
    if (ms_convert(ev->arena, &how, &args[0], ret, ev->err))
        return true;
    if (!op->flag)
        return false;
    *ret = (struct ms_value){.is_null = true}; /* TRY_CAST and its kin */
    return true;
}

bool ms_op_assign(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *args,
                  struct ms_value *ret)
{
    struct ms_conversion how = {
        .from = op->args[0], .to = op->result, .style = MS_STYLE_NONE, .assign = true};
    if (ms_convert(ev->arena, &how, &args[0], ret, ev->err))
        return true;
    if (ev->err->number == 8152 && op->text)
        return ms_error_set(
            ev->err, 2628, 16, 1,
            "String or binary data would be truncated in %s. Truncated value: "
            "'%.*s'.",
            op->text,
            (int)(args[0].len < (uint32_t)op->result.length ? args[0].len : (uint32_t)op->result.length),
            (const char *)args[0].bytes);
    return false;
}

bool ms_op_compare(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *args,
                   struct ms_value *ret)
{
    (void)ev;
    (void)op;
    uint32_t len = args[0].len < args[1].len ? args[0].len : args[1].len;
    int order = len ? memcmp(args[0].bytes, args[1].bytes, len) : 0;
    ret->i = order ? (order > 0) - (order < 0) : (args[0].len > args[1].len) - (args[0].len < args[1].len);
    return true;
}

/* --- LIKE --- */

struct matcher {
    const uint8_t *text_end;
    const uint8_t *pattern_end;
    int32_t escape; /* -1: none */
    bool sensitive;
    int budget; /* steps left: a hostile pattern must end */
};

static int32_t fold(const struct matcher *m, int32_t code)
{
    if (m->sensitive)
        return code;
    if (code < 0x80)
        return tolower((int)code);
    if ((code >= 0xC0 && code <= 0xDE && code != 0xD7) || (code >= 0x391 && code <= 0x3A9) ||
        (code >= 0x410 && code <= 0x42F))
        return code + 32;
    if (code >= 0x100 && code <= 0x17F && code % 2 == 0)
        return code + 1;
    return code;
}

/* One [class], the cursor behind its bracket. */
static bool match_class(const struct matcher *m, const uint8_t **at, int32_t c)
{
    const uint8_t *p = *at;
    bool negated = p < m->pattern_end && *p == '^', hit = false, first = true;
    p += negated;
    while (p < m->pattern_end && (*p != ']' || first)) {
        int32_t low = fold(m, ms_text_next(&p, m->pattern_end)), high = low;
        if (p + 1 < m->pattern_end && *p == '-' && p[1] != ']') {
            p++;
            high = fold(m, ms_text_next(&p, m->pattern_end));
        }
        hit = hit || (c >= low && c <= high);
        first = false;
    }
    *at = p < m->pattern_end ? p + 1 : p;
    return hit != negated;
}

static bool match(struct matcher *m, const uint8_t *text, const uint8_t *pattern)
{
    while (pattern < m->pattern_end) {
        if (m->budget-- <= 0)
            return false;
        if (*pattern == '%' && m->escape != '%') {
            while (pattern < m->pattern_end && *pattern == '%')
                pattern++;
            if (pattern == m->pattern_end)
                return true;
            for (const uint8_t *t = text; t <= m->text_end;) {
                if (match(m, t, pattern))
                    return true;
                if (t == m->text_end || m->budget <= 0)
                    return false;
                (void)ms_text_next(&t, m->text_end);
            }
            return false;
        }
        int32_t p = ms_text_next(&pattern, m->pattern_end);
        if (text >= m->text_end)
            return false;
        int32_t c = fold(m, ms_text_next(&text, m->text_end));
        if (p == m->escape && pattern < m->pattern_end) {
            if (fold(m, ms_text_next(&pattern, m->pattern_end)) != c)
                return false;
        } else if (p == '[') {
            if (!match_class(m, &pattern, c))
                return false;
        } else if (p != '_' && fold(m, p) != c) {
            return false;
        }
    }
    while (text < m->text_end && *text == ' ') /* trailing blanks of the text do not count */
        text++;
    return text == m->text_end;
}

bool ms_op_like(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *args,
                struct ms_value *ret)
{
    struct matcher m = {.text_end = args[0].bytes + args[0].len,
                        .pattern_end = args[1].bytes + args[1].len,
                        .escape = -1,
                        .sensitive = op->flag,
                        .budget = 10 * 1000 * 1000};
    if (op->n_args > 2) {
        const uint8_t *at = args[2].bytes;
        const uint8_t *end = at + args[2].len;
        m.escape = at < end ? ms_text_next(&at, end) : -1;
        if (m.escape < 0 || at < end)
            return ms_error_set(ev->err, 506, 16, 1,
                                "The invalid escape character \"%.*s\" was specified in a LIKE predicate.",
                                (int)args[2].len, (const char *)args[2].bytes);
    }
    ret->i = match(&m, args[0].bytes, args[1].bytes);
    return true;
}
