/* SPDX-License-Identifier: Apache-2.0 */
#include "pg_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void die(const char *what, const char *why)
{
    (void)fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static void connect_admin(struct pg_fixture *pg)
{
    char text[300];

    (void)snprintf(text, sizeof(text), "host=127.0.0.1 port=%d user=postgres dbname=postgres", pg->port);
    pg->admin = PQconnectdb(text);
    if (PQstatus(pg->admin) != CONNECTION_OK)
        die("connect", PQerrorMessage(pg->admin));
    pg_fixture_run(pg, "SET client_min_messages = error");
}

static void script(const char *verb, const char *argument, char *answer, int size)
{
    char command[600];
    FILE *pipe;

    (void)snprintf(command, sizeof(command), "%s %s %s", PG_SCRIPT, verb, argument);
    pipe = popen(command, "r");
    if (!pipe)
        die(command, "popen failed");
    if (answer && !fgets(answer, size, pipe))
        die(command, "said nothing");
    if (pclose(pipe) != 0)
        die(command, "failed");
}

void pg_fixture_start(struct pg_fixture *pg)
{
    char owner[32];
    char answer[300];

    (void)snprintf(owner, sizeof(owner), "%ld", (long)getpid());
    script("start", owner, answer, sizeof(answer));
    if (sscanf(answer, "%199s %d", pg->dir, &pg->port) != 2)
        die("pg.sh", answer);
    connect_admin(pg);
}

void pg_fixture_stop(struct pg_fixture *pg)
{
    PQfinish(pg->admin);
    script("stop", pg->dir, NULL, 0);
}

void pg_fixture_restart(struct pg_fixture *pg)
{
    PQfinish(pg->admin);
    script("restart", pg->dir, NULL, 0);
    connect_admin(pg);
}

void pg_fixture_run(struct pg_fixture *pg, const char *sql)
{
    PGresult *result = PQexec(pg->admin, sql);
    ExecStatusType status = PQresultStatus(result);

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        die(sql, PQerrorMessage(pg->admin));
    PQclear(result);
}

const char *pg_fixture_rows(struct pg_fixture *pg, const char *sql)
{
    static char text[65536];
    size_t len = 0;
    PGresult *result = PQexec(pg->admin, sql);

    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        die(sql, PQerrorMessage(pg->admin));
    text[0] = '\0';
    for (int row = 0; row < PQntuples(result); row++) {
        for (int field = 0; field < PQnfields(result) && len + 1 < sizeof(text); field++) {
            int n = snprintf(text + len, sizeof(text) - len, "%s%s",
                             field ? "|"
                             : row ? "\n"
                                   : "",
                             PQgetisnull(result, row, field) ? "NULL" : PQgetvalue(result, row, field));

            len = len + (size_t)n < sizeof(text) ? len + (size_t)n : sizeof(text) - 1;
        }
    }
    PQclear(result);
    return text;
}
