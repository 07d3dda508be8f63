/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLSTATE to our codes: the class decides what to do next (PostgreSQL documentation, appendix A).
 *
 * DATA is what one row can cause and another row of the same statement would not: it is worth splitting.
 */
#ifndef SLUICE_NET_PG_SQLSTATE_H
#define SLUICE_NET_PG_SQLSTATE_H

#include "sluice/error.h"

/* state NULL or empty: libpq's own failure, which is a lost connection. */
enum sl_rc sl_pg_sqlstate_rc(const char *state);

/* The class needs the connection to be opened again. */
bool sl_pg_sqlstate_lost(const char *state);

#endif
