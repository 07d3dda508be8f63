/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server in a scratch directory and short words for what tests do with it. Everything fails the test at
 * once when it does not succeed, unless its name ends in _error.
 */
#ifndef TESTS_SIM_SQLSERVER_FIXTURE_H
#define TESTS_SIM_SQLSERVER_FIXTURE_H

#include "sim/sqlserver/cdc/enable.h"
#include "sim/sqlserver/cdc/job.h"
#include "sim/sqlserver/storage/ddl.h"
#include "sim/sqlserver/storage/row.h"
#include "sim/sqlserver/storage/server.h"

struct fixture {
    char dir[64];
    struct ms_server *server;
    struct ms_session *session; /* sa, in database "shop" when that exists */
};

void fixture_open(struct fixture *f);   /* a fresh directory */
void fixture_reopen(struct fixture *f); /* close, open the same directory */
void fixture_close(struct fixture *f);  /* and remove the directory */
struct ms_session *fixture_login(struct fixture *f, const char *database);

void begin_write(struct ms_session *s);
void end_ok(struct ms_session *s);
void begin_read(struct ms_session *s);

/* database "shop" with CDC, table dbo.<name>(id int primary key, name varchar(30), note nvarchar(max)),
 * tracked */
void make_shop(struct fixture *f);
int32_t make_table(struct ms_session *s, const char *name);
void enable_table(struct ms_session *s, const char *name, const char *instance);
void capture_once(struct fixture *f);

/* Rows of such a table, each a statement of its own; text NULL: NULL. */
void insert_row(struct ms_session *s, const char *table, int64_t id, const char *name);
void delete_row(struct ms_session *s, const char *table, int64_t id);
/* new_id: also the key; note NULL: left alone */
void update_row(struct ms_session *s, const char *table, int64_t id, int64_t new_id, const char *name);
void update_ids(struct ms_session *s, const char *table, int64_t by); /* all rows: id = id + by */

/* A number or a text out of SQLite, for looking at what was stored. {t} and {cdc:t} name tables of the
 * database. */
int64_t number(struct ms_session *s, const char *sql);
const char *text(struct ms_session *s, const char *sql); /* until the next call */

#endif
