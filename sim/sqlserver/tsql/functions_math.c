/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "decimal.h"
#include "language.h"
#include "operation.h"

static bool domain_error(struct ms_eval *ev)
{
    return ms_error_set(ev->err, 3623, 16, 1, "An invalid floating point operation occurred.");
}

static bool fn_abs(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                   struct ms_value *ret)
{
    enum ms_class class = ms_type_class(op->result.id);
    *ret = a[0];
    if (class == MS_CLASS_FLOAT ? a[0].d < 0 : class == MS_CLASS_DECIMAL ? a[0].dec < 0 : a[0].i < 0)
        return ms_op_negate(ev, op, a, ret);
    return true;
}

static bool fn_sign(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                    struct ms_value *ret)
{
    (void)ev;
    int sign;
    switch (ms_type_class(op->args[0].id)) {
    case MS_CLASS_FLOAT: ret->d = (a[0].d > 0) - (a[0].d < 0); return true;
    case MS_CLASS_DECIMAL: {
        sign = (a[0].dec > 0) - (a[0].dec < 0);
        ms_int128 value = 0;
        (void)ms_decimal_rescale(sign, 0, op->result.scale, &value);
        ret->dec = value;
        return true;
    }
    case MS_CLASS_NONE:
    case MS_CLASS_INTEGER:
    case MS_CLASS_MONEY:
    case MS_CLASS_TEXT:
    case MS_CLASS_BINARY:
    case MS_CLASS_GUID:
    case MS_CLASS_DATE:
    case MS_CLASS_XML:
    case MS_CLASS_VARIANT: break;
    }
    sign = (a[0].i > 0) - (a[0].i < 0);
    ret->i = ms_type_class(op->args[0].id) == MS_CLASS_MONEY ? sign * 10000 : sign;
    return true;
}

/* FLOOR (up false) and CEILING. The result keeps the number's type; a decimal keeps its scale here. */
static bool whole(const struct ms_operation *op, const struct ms_value *a, bool up, struct ms_value *ret)
{
    enum ms_class class = ms_type_class(op->args[0].id);
    *ret = a[0];
    if (class == MS_CLASS_FLOAT) {
        ret->d = up ? ceil(a[0].d) : floor(a[0].d);
        return true;
    }
    if (class != MS_CLASS_DECIMAL && class != MS_CLASS_MONEY)
        return true;
    ms_int128 unit = class == MS_CLASS_MONEY ? 10000 : ms_decimal_power10(op->args[0].scale);
    ms_int128 value = class == MS_CLASS_MONEY ? a[0].i : a[0].dec, rest = value % unit;
    value -= rest;
    if (rest > 0 && up)
        value += unit;
    if (rest < 0 && !up)
        value -= unit;
    if (class == MS_CLASS_MONEY)
        ret->i = (int64_t)value;
    else
        ret->dec = value;
    return true;
}

static bool fn_floor(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                     struct ms_value *ret)
{
    (void)ev;
    return whole(op, a, false, ret);
}

static bool fn_ceiling(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                       struct ms_value *ret)
{
    (void)ev;
    return whole(op, a, true, ret);
}

static bool round_exact(struct ms_eval *ev, ms_int128 value, int scale, int64_t digits, bool truncate,
                        ms_int128 *ret)
{
    ms_int128 shorter;
    if (digits >= scale) {
        *ret = value;
        return true;
    }
    if (digits < scale - 38) {
        *ret = 0;
        return true;
    }
    bool ok = truncate ? ms_decimal_truncate(value, scale, (int)digits, &shorter)
                       : ms_decimal_rescale(value, scale, (int)digits, &shorter);
    if (!ok || !ms_decimal_rescale(shorter, (int)digits, scale, ret))
        return ms_error_set(ev->err, 8115, 16, 2,
                            "Arithmetic overflow error converting expression to data type "
                            "numeric.");
    return true;
}

static bool fn_round(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                     struct ms_value *ret)
{
    enum ms_class class = ms_type_class(op->args[0].id);
    bool truncate = op->n_args > 2 && a[2].i != 0;
    ms_int128 value;
    if (class == MS_CLASS_FLOAT) {
        double power = pow(10, (double)a[1].i), scaled = a[0].d * power;
        ret->d = (truncate ? trunc(scaled) : round(scaled)) / power;
        return true;
    }
    int scale = class == MS_CLASS_DECIMAL ? op->args[0].scale : class == MS_CLASS_MONEY ? 4 : 0;
    if (!round_exact(ev, class == MS_CLASS_DECIMAL ? a[0].dec : a[0].i, scale, a[1].i, truncate, &value))
        return false;
    if (class == MS_CLASS_DECIMAL)
        ret->dec = value;
    else
        ret->i = (int64_t)value;
    return true;
}

static bool fn_power(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                     struct ms_value *ret)
{
    struct ms_conversion in = {.from = op->args[0], .to = {.id = MS_FLOAT}, .style = MS_STYLE_NONE};
    struct ms_conversion out = {.from = {.id = MS_FLOAT}, .to = op->result, .style = MS_STYLE_NONE};
    struct ms_value base;
    if (!ms_convert(ev->arena, &in, &a[0], &base, ev->err))
        return false;
    base.d = pow(base.d, a[1].d);
    if (!isfinite(base.d))
        return domain_error(ev);
    return ms_convert(ev->arena, &out, &base, ret, ev->err);
}

#define FLOAT_FUNCTION(name, condition, expression)                                                    \
    static bool fn_##name(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a, \
                          struct ms_value *ret)                                                        \
    {                                                                                                  \
        (void)op;                                                                                      \
        double x = a[0].d;                                                                             \
        if (!(condition))                                                                              \
            return domain_error(ev);                                                                   \
        ret->d = (expression);                                                                         \
        return true;                                                                                   \
    }

FLOAT_FUNCTION(sqrt, x >= 0, sqrt(x))
FLOAT_FUNCTION(square, true, x *x)
FLOAT_FUNCTION(exp, x < 709.79, exp(x))
FLOAT_FUNCTION(log10, x > 0, log10(x))
FLOAT_FUNCTION(sin, true, sin(x))
FLOAT_FUNCTION(cos, true, cos(x))
FLOAT_FUNCTION(tan, true, tan(x))
FLOAT_FUNCTION(asin, x >= -1 && x <= 1, asin(x))
FLOAT_FUNCTION(acos, x >= -1 && x <= 1, acos(x))
FLOAT_FUNCTION(atan, true, atan(x))
FLOAT_FUNCTION(degrees, true, x * 180.0 / 3.14159265358979323846)
FLOAT_FUNCTION(radians, true, x * 3.14159265358979323846 / 180.0)

static bool fn_log(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                   struct ms_value *ret)
{
    if (a[0].d <= 0 || (op->n_args > 1 && (a[1].d <= 0 || a[1].d == 1)))
        return domain_error(ev);
    ret->d = op->n_args > 1 ? log(a[0].d) / log(a[1].d) : log(a[0].d);
    return true;
}

static bool fn_pi(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                  struct ms_value *ret)
{
    (void)ev;
    (void)op;
    (void)a;
    ret->d = 3.14159265358979323846;
    return true;
}

static bool fn_rand(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                    struct ms_value *ret)
{
    uint64_t *state = &ev->language->random;
    if (op->n_args && !a[0].is_null)
        *state = (uint64_t)a[0].i * UINT64_C(0x9E3779B97F4A7C15) + 1;
    ret->d = (double)(ms_language_random(ev->language) >> 11) / 9007199254740992.0;
    return true;
}

static bool fn_isnumeric(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                         struct ms_value *ret)
{
    enum ms_class class = ms_type_class(op->args[0].id);
    struct ms_conversion how = {.from = op->args[0], .to = {.id = MS_FLOAT}, .style = MS_STYLE_NONE};
    struct ms_conversion money = {.from = op->args[0], .to = {.id = MS_MONEY}, .style = MS_STYLE_NONE};
    struct ms_value ignored;
    struct ms_error err;
    ret->i = 0;
    if (a[0].is_null)
        return true;
    if (class == MS_CLASS_TEXT) {
        bool blank = true;
        for (uint32_t i = 0; i < a[0].len; i++)
            blank = blank && isspace(a[0].bytes[i]);
        ret->i = !blank && (ms_convert(ev->arena, &how, &a[0], &ignored, &err) ||
                            ms_convert(ev->arena, &money, &a[0], &ignored, &err));
    } else {
        ret->i = class == MS_CLASS_INTEGER || class == MS_CLASS_DECIMAL || class == MS_CLASS_MONEY ||
                 class == MS_CLASS_FLOAT;
    }
    return true;
}

/* A hash with the properties asked of CHECKSUM (equal in, equal out), not Microsoft's bits. */
static bool fn_checksum(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                        struct ms_value *ret)
{
    uint32_t hash = 2166136261u;
    struct ms_value text;
    for (size_t i = 0; i < op->n_args; i++) {
        struct ms_conversion how = {
            .from = op->args[i], .to = ms_type_string(true, MS_MAX), .style = MS_STYLE_NONE};
        if (!ms_convert(ev->arena, &how, &a[i], &text, ev->err))
            return false;
        for (uint32_t b = 0; !text.is_null && b < text.len; b++)
            hash = (hash ^ (uint32_t)tolower(text.bytes[b])) * 16777619u;
        hash = (hash ^ 31u) * 16777619u;
    }
    ret->i = (int32_t)hash;
    return true;
}

const struct ms_function ms_functions_math[] = {
    {"abs", 1, 1, "n", "n0", fn_abs, false, false},
    {"sign", 1, 1, "n", "n0", fn_sign, false, false},
    {"floor", 1, 1, "n", "n0", fn_floor, false, false},
    {"ceiling", 1, 1, "n", "n0", fn_ceiling, false, false},
    {"round", 2, 3, "nbi", "n0", fn_round, false, false},
    {"power", 2, 2, "nf", "n0", fn_power, false, false},
    {"sqrt", 1, 1, "f", "float", fn_sqrt, false, false},
    {"square", 1, 1, "f", "float", fn_square, false, false},
    {"exp", 1, 1, "f", "float", fn_exp, false, false},
    {"log", 1, 2, "f", "float", fn_log, false, false},
    {"log10", 1, 1, "f", "float", fn_log10, false, false},
    {"sin", 1, 1, "f", "float", fn_sin, false, false},
    {"cos", 1, 1, "f", "float", fn_cos, false, false},
    {"tan", 1, 1, "f", "float", fn_tan, false, false},
    {"asin", 1, 1, "f", "float", fn_asin, false, false},
    {"acos", 1, 1, "f", "float", fn_acos, false, false},
    {"atan", 1, 1, "f", "float", fn_atan, false, false},
    {"degrees", 1, 1, "f", "float", fn_degrees, false, false},
    {"radians", 1, 1, "f", "float", fn_radians, false, false},
    {"pi", 0, 0, "", "float", fn_pi, false, false},
    {"rand", 0, 1, "b", "float", fn_rand, true, true},
    {"isnumeric", 1, 1, "v", "int", fn_isnumeric, false, true},
    {"checksum", 1, 15, "v", "int", fn_checksum, false, true},
    {"binary_checksum", 1, 15, "v", "int", fn_checksum, false, true},
    {NULL, 0, 0, NULL, NULL, NULL, false, false},
};
