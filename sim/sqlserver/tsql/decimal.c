/* SPDX-License-Identifier: Apache-2.0 */
#include "decimal.h"

#include <math.h>
#include <string.h>

/* A product or a widened dividend: 256 bits as two halves. */
struct wide {
    ms_uint128 high;
    ms_uint128 low;
};

ms_int128 ms_decimal_power10(int exponent)
{
    ms_int128 power = 1;
    for (int i = 0; i < exponent; i++)
        power *= 10;
    return power;
}

static ms_uint128 magnitude(ms_int128 value)
{
    return value < 0 ? -(ms_uint128)value : (ms_uint128)value;
}

bool ms_decimal_fits(ms_int128 value, int precision)
{
    return magnitude(value) < (ms_uint128)ms_decimal_power10(precision);
}

static struct wide multiply_wide(ms_uint128 a, ms_uint128 b)
{
    ms_uint128 a_low = (uint64_t)a, a_high = a >> 64, b_low = (uint64_t)b, b_high = b >> 64;
    ms_uint128 low = a_low * b_low;
    ms_uint128 mid1 = a_high * b_low + (low >> 64);
    ms_uint128 mid2 = a_low * b_high + (uint64_t)mid1;
    return (struct wide){a_high * b_high + (mid1 >> 64) + (mid2 >> 64), (mid2 << 64) | (uint64_t)low};
}

/* Long division, bit by bit; the quotient of a sane operation fits 128 bits, otherwise false. */
static bool divide_wide(struct wide n, ms_uint128 d, ms_uint128 *ret_quotient, ms_uint128 *ret_rest)
{
    if (n.high == 0) {
        *ret_quotient = n.low / d;
        *ret_rest = n.low % d;
        return true;
    }
    if (n.high >= d)
        return false;
    ms_uint128 rest = n.high, quotient = 0;
    for (int bit = 127; bit >= 0; bit--) {
        bool carry = (rest >> 127) != 0;
        rest = (rest << 1) | ((n.low >> bit) & 1);
        if (carry || rest >= d) {
            rest -= d;
            quotient |= (ms_uint128)1 << bit;
        }
    }
    *ret_quotient = quotient;
    *ret_rest = rest;
    return true;
}

static bool give(ms_uint128 value, bool negative, ms_int128 *ret)
{
    if (value >= (ms_uint128)ms_decimal_power10(MS_DECIMAL_DIGITS))
        return false;
    *ret = negative ? -(ms_int128)value : (ms_int128)value;
    return true;
}

/* Divide by 10^digits, which may be more than one 128-bit power. */
static bool shrink(struct wide n, int digits, bool round, ms_uint128 *ret)
{
    ms_uint128 quotient = 0, rest = 0;
    while (digits > MS_DECIMAL_DIGITS) {
        ms_uint128 step = (ms_uint128)ms_decimal_power10(MS_DECIMAL_DIGITS - 1);
        ms_uint128 high_rest = n.high % step;
        if (!divide_wide((struct wide){high_rest, n.low}, step, &quotient, &rest))
            return false;
        n = (struct wide){n.high / step, quotient};
        digits -= MS_DECIMAL_DIGITS - 1;
    }
    ms_uint128 divisor = (ms_uint128)ms_decimal_power10(digits);
    if (!divide_wide(n, divisor, &quotient, &rest))
        return false;
    if (round && rest >= divisor - rest)
        quotient++;
    *ret = quotient;
    return true;
}

static bool change_scale(ms_int128 value, int from_scale, int to_scale, bool round, ms_int128 *ret)
{
    struct wide n = {0, magnitude(value)};
    ms_uint128 result;
    if (to_scale >= from_scale) {
        if (to_scale - from_scale > MS_DECIMAL_DIGITS)
            return false;
        n = multiply_wide(n.low, (ms_uint128)ms_decimal_power10(to_scale - from_scale));
        return n.high == 0 && give(n.low, value < 0, ret);
    }
    return shrink(n, from_scale - to_scale, round, &result) && give(result, value < 0, ret);
}

bool ms_decimal_rescale(ms_int128 value, int from_scale, int to_scale, ms_int128 *ret)
{
    return change_scale(value, from_scale, to_scale, true, ret);
}

bool ms_decimal_truncate(ms_int128 value, int from_scale, int to_scale, ms_int128 *ret)
{
    return change_scale(value, from_scale, to_scale, false, ret);
}

bool ms_decimal_add(ms_int128 a, ms_int128 b, ms_int128 *ret)
{
    ms_int128 sum = a + b; /* both below 10^38: cannot overflow 127 bits */
    if (!ms_decimal_fits(sum, MS_DECIMAL_DIGITS))
        return false;
    *ret = sum;
    return true;
}

bool ms_decimal_multiply(ms_int128 a, int sa, ms_int128 b, int sb, int to, ms_int128 *ret)
{
    struct wide product = multiply_wide(magnitude(a), magnitude(b));
    bool negative = (a < 0) != (b < 0);
    ms_uint128 result;
    if (sa + sb < to) {
        ms_int128 exact;
        return product.high == 0 && give(product.low, negative, &exact) &&
               ms_decimal_rescale(exact, sa + sb, to, ret);
    }
    return shrink(product, sa + sb - to, true, &result) && give(result, negative, ret);
}

bool ms_decimal_divide(ms_int128 a, int sa, ms_int128 b, int sb, int to, ms_int128 *ret)
{
    int shift = to + sb - sa; /* result = a * 10^shift / b */
    struct wide n = {0, magnitude(a)};
    ms_uint128 quotient, rest;
    if (shift > 2 * MS_DECIMAL_DIGITS)
        return false;
    if (shift > MS_DECIMAL_DIGITS) { /* in two steps, the second on the quotient and rest of the first */
        if (!divide_wide(multiply_wide(n.low, (ms_uint128)ms_decimal_power10(MS_DECIMAL_DIGITS)),
                         magnitude(b), &quotient, &rest))
            return false;
        ms_uint128 power = (ms_uint128)ms_decimal_power10(shift - MS_DECIMAL_DIGITS), tail;
        struct wide high = multiply_wide(quotient, power);
        if (!divide_wide(multiply_wide(rest, power), magnitude(b), &tail, &rest) || high.high != 0)
            return false;
        return give(high.low + tail, (a < 0) != (b < 0), ret);
    }
    if (shift >= 0)
        n = multiply_wide(n.low, (ms_uint128)ms_decimal_power10(shift));
    else
        n.low /= (ms_uint128)ms_decimal_power10(-shift);
    return divide_wide(n, magnitude(b), &quotient, &rest) && give(quotient, (a < 0) != (b < 0), ret);
}

bool ms_decimal_from_double(double value, int scale, ms_int128 *ret)
{
    if (!isfinite(value) || fabs(value) >= 1e38)
        return false;
    long double scaled = (long double)value;
    for (int i = 0; i < scale; i++)
        scaled *= 10.0L;
    scaled = roundl(scaled);
    if (fabsl(scaled) >= 1e38L)
        return false;
    *ret = (ms_int128)scaled;
    return true;
}

double ms_decimal_to_double(ms_int128 value, int scale)
{
    long double d = (long double)value;
    return (double)(d / (long double)ms_decimal_power10(scale));
}

bool ms_decimal_parse(const char *text, size_t len, int scale, ms_int128 *ret)
{
    ms_uint128 value = 0;
    int after = -1;
    bool negative = false, any = false, up = false;
    size_t i = 0;
    if (i < len && (text[i] == '-' || text[i] == '+'))
        negative = text[i++] == '-';
    for (; i < len; i++) {
        if (text[i] == '.' && after < 0) {
            after = 0;
            continue;
        }
        if (text[i] < '0' || text[i] > '9')
            return false;
        any = true;
        if (after >= scale) {
            up = after == scale ? text[i] >= '5' : up;
            after++;
            continue;
        }
        if (value >= (ms_uint128)ms_decimal_power10(MS_DECIMAL_DIGITS - 1))
            return false;
        value = value * 10 + (ms_uint128)(text[i] - '0');
        after += after >= 0;
    }
    for (int at = after < 0 ? 0 : after; at < scale; at++) {
        if (value >= (ms_uint128)ms_decimal_power10(MS_DECIMAL_DIGITS - 1))
            return false;
        value *= 10;
    }
    return any && give(value + (up ? 1 : 0), negative, ret);
}

size_t ms_decimal_print(ms_int128 value, int scale, char *ret_text)
{
    char reversed[MS_DECIMAL_TEXT];
    size_t n = 0;
    ms_uint128 rest = magnitude(value);
    for (int digits = 0; rest != 0 || digits <= scale; digits++) {
        if (digits == scale && scale > 0)
            reversed[n++] = '.';
        reversed[n++] = (char)('0' + (int)(rest % 10));
        rest /= 10;
    }
    if (value < 0)
        reversed[n++] = '-';
    for (size_t i = 0; i < n; i++)
        ret_text[i] = reversed[n - 1 - i];
    ret_text[n] = 0;
    return n;
}
