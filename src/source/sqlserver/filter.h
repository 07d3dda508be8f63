/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Include and exclude lists: comma-separated regular expressions that must match the whole name, without
 * regard to case. Java's dialect is taken as far as POSIX extended expressions reach: \d \w \s \. groups,
 * (?:...), (?i), classes, alternatives and bounds; look-around and lazy quantifiers are refused.
 */
#ifndef SLUICE_SOURCE_SQLSERVER_FILTER_H
#define SLUICE_SOURCE_SQLSERVER_FILTER_H

#include "sluice/error.h"

#include <regex.h>

struct sl_mssql_filter {
    regex_t *patterns;
    char **texts; /* as written */
    size_t n;
};

/* text NULL or empty: no patterns. key: for the error text. */
enum sl_rc sl_mssql_filter_read(const char *key, const char *text, struct sl_mssql_filter *ret_filter,
                                struct sl_error *err);
void sl_mssql_filter_done(struct sl_mssql_filter *filter);

/* Index of the first pattern that matches the whole name, or -1. */
int sl_mssql_filter_match(const struct sl_mssql_filter *filter, const char *name);

/* Does a name pass: matched by include (when there is one), not matched by exclude? */
bool sl_mssql_filter_pass(const struct sl_mssql_filter *include, const struct sl_mssql_filter *exclude,
                          const char *name);

/* Compile one expression that must match as a whole. Errors: CONFIG. */
enum sl_rc sl_mssql_pattern_compile(const char *key, const char *text, regex_t *ret_pattern,
                                    struct sl_error *err);

#endif
