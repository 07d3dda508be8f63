/* SPDX-License-Identifier: Apache-2.0 */
#include "base/number.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool only_blanks(const char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    return *text == '\0';
}

bool sl_parse_int64(const char *text, int64_t *ret)
{
    char *end;
    long long value;

    errno = 0;
    value = strtoll(text, &end, 10);
    if (end == text || errno || !only_blanks(end))
        return false;
    *ret = value;
    return true;
}

bool sl_parse_double(const char *text, double *ret)
{
    char *end;
    double value;

    errno = 0;
    value = strtod(text, &end);
    if (end == text || !isfinite(value) || !only_blanks(end))
        return false;
    *ret = value;
    return true;
}

bool sl_parse_bool(const char *text, bool *ret)
{
    while (isspace((unsigned char)*text))
        text++;
    if (strncasecmp(text, "true", 4) == 0 && only_blanks(text + 4)) {
        *ret = true;
        return true;
    }
    if (strncasecmp(text, "false", 5) == 0 && only_blanks(text + 5)) {
        *ret = false;
        return true;
    }
    return false;
}
