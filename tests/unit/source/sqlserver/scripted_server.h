/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server behind the simulator's wire that knows no SQL: it answers the few statements that the source sends
 * from lists that a test fills. So the source's own logic is tested over the real protocol, with a log that
 * holds exactly what the test wants.
 *
 * Two captured tables, dbo.t and dbo.u, each (id int primary key, name nvarchar(50) null). An LSN is a
 * number.
 */
#ifndef TESTS_SCRIPTED_SERVER_H
#define TESTS_SCRIPTED_SERVER_H

#include "sim/sqlserver/session.h"

#include <pthread.h>

enum { SCRIPT_TABLES = 2 };

struct script_row {
    int table; /* 0 or 1 */
    uint32_t lsn, command, change;
    int operation; /* as __$operation */
    int id;
    const char *name; /* NULL: null */
};

/* Fill between polls, or under lock. */
struct script {
    pthread_mutex_t lock;
    struct script_row *rows; /* of the change tables, in any order */
    size_t n_rows;
    const uint32_t *commits; /* of cdc.lsn_time_mapping; time is 2026-01-01 plus so many seconds */
    size_t n_commits;
    const uint32_t *dummies; /* its idle entries */
    size_t n_dummies;
    uint32_t mark; /* low-water mark of both instances */
    int table_ids[SCRIPT_TABLES][64];
    int n_table_rows[SCRIPT_TABLES]; /* rows of the source tables: their ids */
    uint32_t generated;              /* when not 0: so many inserts into t in one transaction at LSN 100 */
    _Atomic int scans;               /* of change tables, counted */
    _Atomic int polls;               /* of the time mapping, counted */
};

extern struct script script;

#endif
