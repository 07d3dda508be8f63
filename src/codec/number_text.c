/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/number_text.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* digits: d.ddde[+-]xx as printf wrote it. Lays the digits out as Java does. */
static size_t lay_out(const char *scientific, char text[SL_NUMBER_TEXT_SIZE])
{
    char digits[24];
    size_t n = 0;
    const char *at = scientific;
    int exponent;
    int len = 0;
    bool negative = *at == '-';

    for (at += negative; *at && *at != 'e'; at++) {
        if (*at != '.' && n < sizeof(digits) - 1)
            digits[n++] = *at;
    }
    exponent = *at ? (int)strtol(at + 1, NULL, 10) : 0;
    while (n > 1 && digits[n - 1] == '0')
        n--;
    digits[n] = '\0';
    if (exponent >= 0 && exponent < 7) {
        /* Pad to the point, at least one digit behind it. */
        while (n < (size_t)exponent + 2)
            digits[n++] = '0';
        digits[n] = '\0';
        len = snprintf(text, SL_NUMBER_TEXT_SIZE, "%s%.*s.%s", negative ? "-" : "", exponent + 1, digits,
                       digits + exponent + 1);
    } else if (exponent < 0 && exponent >= -3) {
        len = snprintf(text, SL_NUMBER_TEXT_SIZE, "%s0.%.*s%s", negative ? "-" : "", -exponent - 1, "000",
                       digits);
    } else {
        len = snprintf(text, SL_NUMBER_TEXT_SIZE, "%s%c.%sE%d", negative ? "-" : "", digits[0],
                       n > 1 ? digits + 1 : "0", exponent);
    }
    return (size_t)len;
}

static size_t not_finite(double number, char text[SL_NUMBER_TEXT_SIZE])
{
    return (size_t)snprintf(text, SL_NUMBER_TEXT_SIZE, "%s",
                            isnan(number) ? "NaN" : (number > 0 ? "Infinity" : "-Infinity"));
}

size_t sl_double_text(double number, char text[SL_NUMBER_TEXT_SIZE])
{
    char scientific[40];

    if (!isfinite(number))
        return not_finite(number, text);
    for (int precision = fabs(number) < DBL_MIN ? 1 : 14; precision <= 16; precision++) {
        (void)snprintf(scientific, sizeof(scientific), "%.*e", precision, number);
        if (strtod(scientific, NULL) == number)
            break;
    }
    return lay_out(scientific, text);
}

size_t sl_float_text(float number, char text[SL_NUMBER_TEXT_SIZE])
{
    char scientific[40];

    if (!isfinite(number))
        return not_finite((double)number, text);
    for (int precision = fabsf(number) < FLT_MIN ? 1 : 5; precision <= 8; precision++) {
        (void)snprintf(scientific, sizeof(scientific), "%.*e", precision, (double)number);
        if (strtof(scientific, NULL) == number)
            break;
    }
    return lay_out(scientific, text);
}
