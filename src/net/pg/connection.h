/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection to PostgreSQL: libpq, never blocking inside libpq, so that every wait can be woken and both
 * sides can send at once.
 *
 * Two ways to talk, never mixed: sl_pg_query and sl_pg_prepare wait for the answer; a pipeline sends many
 * statements in one flight and collects their results later:
 *
 *     sl_pg_pipeline_begin(pg, err);
 *     sl_pg_send_prepared(pg, "insert_1", &args, err);    // as often as wanted; bytes are copied
 *     sl_pg_pipeline_sync(pg, err);                       // everything is on the wire now
 *     ...                                                 // do something else meanwhile
 *     while (sl_pg_pipeline_next(pg, &result, err) == SL_OK && result)
 *         ...;
 *     sl_pg_pipeline_end(pg);
 *
 * After an error the rest of a flight comes back as PGRES_PIPELINE_ABORTED. A lost connection (CONNECT) does
 * not come back: close it and connect again.
 *
 * Threads: one at a time; the stop descriptor may be written by any.
 */
#ifndef SLUICE_NET_PG_CONNECTION_H
#define SLUICE_NET_PG_CONNECTION_H

#include "net/pg/params.h"

#include <libpq-fe.h>
#include <stdint.h>

struct sl_pg;

/* Parameters of a statement, in libpq's arrays. types is needed by sl_pg_query only (NULL: the server
 * decides). */
struct sl_pg_args {
    int n;
    const Oid *types;
    const char *const *values; /* NULL entry: NULL */
    const int *lengths;        /* of binary ones */
    const int *formats;        /* 1: binary; NULL: all text */
};

/*
 * Connect, within connect_timeout (10 s when the parameters have none). stop_fd (-1: none): when it becomes
 * readable, every wait of this connection ends with STOPPED.
 * Errors: CONNECT, AUTH, NOT_FOUND (no such database), BUSY (too many connections), CONFIG, STOPPED.
 */
enum sl_rc sl_pg_connect(const struct sl_pg_params *params, int stop_fd, struct sl_pg **ret,
                         struct sl_error *err);
void sl_pg_close(struct sl_pg *pg);

int sl_pg_server_version(const struct sl_pg *pg); /* 150020 for 15.20 */
uint32_t sl_pg_backend_pid(const struct sl_pg *pg);

/* One statement with its answer. args may be NULL. Results are text. */
enum sl_rc sl_pg_query(struct sl_pg *pg, const char *sql, const struct sl_pg_args *args, PGresult **ret,
                       struct sl_error *err);

/* The same where the answer does not matter. */
enum sl_rc sl_pg_run(struct sl_pg *pg, const char *sql, struct sl_error *err);

enum sl_rc sl_pg_prepare(struct sl_pg *pg, const char *name, const char *sql, int n, const Oid *types,
                         struct sl_error *err);

/* A name for SQL text: quoted, whatever it holds. Appends. */
void sl_pg_quote_name(struct sl_buf *sql, const char *name);

/* A string constant for SQL text where parameters are not allowed (DDL, SET). Appends. */
void sl_pg_quote_text(struct sl_buf *sql, const char *text);

enum sl_rc sl_pg_pipeline_begin(struct sl_pg *pg, struct sl_error *err);
enum sl_rc sl_pg_send_prepared(struct sl_pg *pg, const char *name, const struct sl_pg_args *args,
                               struct sl_error *err);
enum sl_rc sl_pg_send_text(struct sl_pg *pg, const char *sql, struct sl_error *err);
enum sl_rc sl_pg_pipeline_sync(struct sl_pg *pg, struct sl_error *err);
/* The next statement's result (the caller clears it), NULL when the flight is over. */
enum sl_rc sl_pg_pipeline_next(struct sl_pg *pg, PGresult **ret, struct sl_error *err);
void sl_pg_pipeline_end(struct sl_pg *pg);

/* Fill err from a failed result; returns its code. */
enum sl_rc sl_pg_result_error(const PGresult *result, struct sl_error *err);

/* Sleep, unless asked to stop. */
enum sl_rc sl_pg_pause(struct sl_pg *pg, int64_t pause_us, struct sl_error *err);

#endif
