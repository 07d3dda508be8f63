/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A throwaway PostgreSQL for tests and benches (pg.sh), and an ordinary connection beside what is tested.
 * Failures end the process: without a server there is nothing to test.
 */
#ifndef SLUICE_TESTS_HARNESS_PG_FIXTURE_H
#define SLUICE_TESTS_HARNESS_PG_FIXTURE_H

#include <libpq-fe.h>
#include <stdbool.h>

struct pg_fixture {
    char dir[200];
    int port;
    PGconn *admin; /* database postgres, superuser */
};

void pg_fixture_start(struct pg_fixture *pg);
void pg_fixture_stop(struct pg_fixture *pg);
void pg_fixture_restart(struct pg_fixture *pg); /* as after a crash; admin is connected anew */

/* Statements that must succeed. */
void pg_fixture_run(struct pg_fixture *pg, const char *sql);

/*
 * All rows of a query as text: "a|b\nc|d", NULL as "NULL". Valid until the next call.
 */
const char *pg_fixture_rows(struct pg_fixture *pg, const char *sql);

#endif
