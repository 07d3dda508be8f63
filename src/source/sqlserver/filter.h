/* SPDX-License-Identifier: Apache-2.0 */
/* Include and exclude lists: comma-separated regular expressions, each matching a whole name, without case.
 */
#ifndef SLUICE_SOURCE_SQLSERVER_FILTER_H
#define SLUICE_SOURCE_SQLSERVER_FILTER_H

#include "base/regex.h"

struct sl_mssql_filter {
    struct sl_regex **patterns;
    char **texts; /* as written */
    size_t n, capacity;
};

/* text NULL or empty: no patterns. key: for the error text. Errors: CONFIG. */
enum sl_rc sl_mssql_filter_read(const char *key, const char *text, struct sl_mssql_filter *ret_filter,
                                struct sl_error *err);
void sl_mssql_filter_done(struct sl_mssql_filter *filter);

/* Index of the first pattern that matches the whole name, or -1. */
int sl_mssql_filter_match(const struct sl_mssql_filter *filter, const char *name);

/* Does a name pass: matched by include (when there is one), not matched by exclude? */
bool sl_mssql_filter_pass(const struct sl_mssql_filter *include, const struct sl_mssql_filter *exclude,
                          const char *name);

#endif
