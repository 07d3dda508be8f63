/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text to number, strictly: the whole text must be the number (blanks around it are allowed, as Java's trim
 * does it for configuration values). Never for rows.
 */
#ifndef SLUICE_BASE_NUMBER_H
#define SLUICE_BASE_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

bool sl_parse_int64(const char *text, int64_t *ret);
bool sl_parse_double(const char *text, double *ret); /* finite only */
bool sl_parse_bool(const char *text, bool *ret);     /* "true" or "false", any case */

#endif
