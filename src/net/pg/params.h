/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where and how to connect: libpq's keywords and their values, read from a JDBC URL and JDBC properties.
 *
 *     jdbc:postgresql://host1:5432,[::1]:5433/db?sslmode=require&currentSchema=sales
 *
 * What pgjdbc names differently is translated (docs: jdbc.postgresql.org, "Connecting to the Database");
 * what only tunes pgjdbc itself (prepareThreshold, reWriteBatchedInserts, ...) is taken and means nothing.
 */
#ifndef SLUICE_NET_PG_PARAMS_H
#define SLUICE_NET_PG_PARAMS_H

#include "base/buf.h"
#include "sluice/error.h"

struct sl_pg_params {
    char **keywords; /* libpq's; NULL-ended once something was set */
    char **values;
    size_t n, capacity;
    struct sl_buf ignored; /* comma-separated JDBC properties that nobody here knows, for one warning */
};

void sl_pg_params_done(struct sl_pg_params *params);

/* Set a libpq keyword; replaces an earlier value. */
void sl_pg_params_set(struct sl_pg_params *params, const char *keyword, const char *value);

/* NULL when it is not set. */
const char *sl_pg_params_get(const struct sl_pg_params *params, const char *keyword);

/* Take a pgjdbc property (ApplicationName, sslmode, currentSchema, ...). Unknown ones are added to ignored.
 */
void sl_pg_params_property(struct sl_pg_params *params, const char *name, const char *value);

/* Take a JDBC URL. CONFIG when it cannot be read; the text never repeats its query, which may hold a
 * password. */
enum sl_rc sl_pg_params_url(struct sl_pg_params *params, const char *url, struct sl_error *err);

#endif
