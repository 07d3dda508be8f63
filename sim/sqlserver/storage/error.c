/* SPDX-License-Identifier: Apache-2.0 */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>

bool ms_error_set(struct ms_error *err, int32_t number, uint8_t severity, uint8_t state, const char *format,
                  ...)
{
    va_list args;
    *err = (struct ms_error){.number = number, .severity = severity, .state = state};
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    return false;
}
