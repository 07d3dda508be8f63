/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/java_number.h"

#include "base/arena.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>

bool sl_java_parse_int(const uint8_t *text, size_t len, enum sl_type type, int64_t *ret)
{
    bool negative = len && *text == '-';
    size_t at = len && (*text == '-' || *text == '+');
    int64_t number = 0; /* counted downwards: the smallest has no positive twin */

    if (at == len)
        return false;
    for (; at < len; at++) {
        if (text[at] < '0' || text[at] > '9' || __builtin_mul_overflow(number, 10, &number) ||
            __builtin_sub_overflow(number, text[at] - '0', &number))
            return false;
    }
    if (!negative && __builtin_sub_overflow(0, number, &number))
        return false;
    if (sl_java_narrow(number, type) != number)
        return false;
    *ret = number;
    return true;
}

static const char *digits(const char *at)
{
    while (isdigit((unsigned char)*at))
        at++;
    return at;
}

/* digits [. digits] [e [+-] digits], a digit before or behind the point; NULL: not one; else its end. */
static const char *decimal_end(const char *text)
{
    const char *whole = digits(text);
    const char *end = *whole == '.' ? digits(whole + 1) : whole;

    if (end - text - (*whole == '.') <= 0)
        return NULL;
    if (*end == 'e' || *end == 'E') {
        const char *exponent = end + 1 + (end[1] == '+' || end[1] == '-');

        end = digits(exponent);
        if (end == exponent)
            return NULL;
    }
    return end;
}

static const char *hex_digits(const char *at)
{
    while (isxdigit((unsigned char)*at))
        at++;
    return at;
}

/* 0x hex [. hex] p [+-] digits: Java wants the exponent. */
static const char *hex_end(const char *text)
{
    const char *start = text + 2;
    const char *whole;
    const char *end;
    const char *exponent;

    if (text[0] != '0' || (text[1] != 'x' && text[1] != 'X'))
        return NULL;
    whole = hex_digits(start);
    end = *whole == '.' ? hex_digits(whole + 1) : whole;
    if (end - start - (*whole == '.') <= 0 || (*end != 'p' && *end != 'P'))
        return NULL;
    exponent = end + 1 + (end[1] == '+' || end[1] == '-');
    end = digits(exponent);
    return end == exponent ? NULL : end;
}

bool sl_java_parse_real(const uint8_t *text, size_t len, enum sl_type type, struct sl_arena *arena,
                        double *ret)
{
    char *copy;
    const char *number;
    const char *end;

    while (len && *text <= ' ') {
        text++;
        len--;
    }
    while (len && text[len - 1] <= ' ')
        len--;
    if (len == 0 || memchr(text, '\0', len))
        return false;
    copy = sl_arena_alloc(arena, len + 1);
    memcpy(copy, text, len);
    copy[len] = '\0';
    number = copy + (*copy == '-' || *copy == '+');
    if (strcmp(number, "NaN") == 0 || strcmp(number, "Infinity") == 0) {
        *ret = *number == 'N' ? (double)NAN : *copy == '-' ? -HUGE_VAL : HUGE_VAL;
        return true;
    }
    end = hex_end(number);
    if (!end)
        end = decimal_end(number);
    if (!end || (*end && (!strchr("fFdD", *end) || end[1])))
        return false;
    copy[end - copy] = '\0';
    *ret = type == SL_FLOAT32 ? (double)strtof(copy, NULL) : strtod(copy, NULL);
    return true;
}

bool sl_java_is_decimal(const char *text)
{
    const char *end = decimal_end(text + (*text == '-' || *text == '+'));

    return end && *end == '\0';
}

/* How many places the point moves to the right; beyond a few hundred it is all the same. */
static int64_t exponent_of(const char *text)
{
    const char *e = strpbrk(text, "eE");
    int64_t exponent = 0;

    if (!e)
        return 0;
    errno = 0;
    exponent = strtoll(e + 1, NULL, 10);
    return exponent > INT_MAX ? INT_MAX : exponent < -INT_MAX ? -INT_MAX : exponent;
}

int64_t sl_java_decimal_long(const char *text)
{
    bool negative = *text == '-';
    const char *number = text + (*text == '-' || *text == '+');
    int64_t places = 0; /* digits before the point */
    uint64_t whole = 0;
    int64_t seen = 0;

    places = digits(number) - number + exponent_of(text);
    for (const char *at = number; (isdigit((unsigned char)*at) || *at == '.') && seen < places; at++) {
        if (*at == '.')
            continue;
        whole = whole * 10 + (uint64_t)(*at - '0');
        seen++;
    }
    /* 10^64 has 64 twos in it: nothing is left in the low bits. */
    for (int i = 0; seen < places && i < 64; i++, seen++)
        whole *= 10;
    return (int64_t)(negative ? 0 - whole : whole);
}

int64_t sl_java_narrow(int64_t number, enum sl_type type)
{
    if (type == SL_INT8)
        return (int8_t)number;
    if (type == SL_INT16)
        return (int16_t)number;
    return type == SL_INT32 ? (int32_t)number : number;
}

static int64_t clamp(double number, double below, int64_t low, int64_t high)
{
    if (isnan(number))
        return 0;
    if (number < -below)
        return low;
    return number >= below ? high : (int64_t)number;
}

int64_t sl_java_real_to_int(double number, enum sl_type type)
{
    if (type == SL_INT64)
        return clamp(number, 0x1p63, INT64_MIN, INT64_MAX);
    return sl_java_narrow(clamp(number, 0x1p31, INT32_MIN, INT32_MAX), type);
}
