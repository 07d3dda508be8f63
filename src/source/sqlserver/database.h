/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One database of a task: its connections, its tables, and where it is. It is read either by the snapshot or
 * by the stream, one batch at a time.
 *
 * What has been handed out (handed) changes only when a batch is complete; whatever fails before that drops
 * the connections, and the next poll goes on from there.
 *
 * Threads: the task's reader thread, but for sl_mssql_database_cancel.
 */
#ifndef SLUICE_SOURCE_SQLSERVER_DATABASE_H
#define SLUICE_SOURCE_SQLSERVER_DATABASE_H

#include "sluice/source.h"
#include "source/sqlserver/event.h"
#include "source/sqlserver/history.h"
#include "source/sqlserver/reader.h"
#include "source/sqlserver/told.h"

#include <pthread.h>

struct sl_mssql_snapshot;

/* A transaction of the window: commit LSN and time. */
struct sl_mssql_commit {
    struct sl_lsn lsn;
    int64_t ts_us; /* UTC */
};

/* A range of commit LSNs that is being read, table by table, merged. */
struct sl_mssql_window {
    bool open;
    struct sl_lsn from, to; /* both included */
    struct sl_mssql_commit *commits;
    size_t n_commits, capacity, at;
    bool full; /* there may be more transactions behind it */
    struct sl_mssql_reader **heap;
    size_t n_heap;
    uint64_t rows;
};

enum sl_mssql_phase {
    SL_MSSQL_PHASE_START,
    SL_MSSQL_PHASE_SNAPSHOT,
    SL_MSSQL_PHASE_STREAM,
    SL_MSSQL_PHASE_IDLE
};

struct sl_mssql_database {
    const struct sl_mssql_config *config;
    const struct sl_source_env *env;
    const char *name;
    enum sl_mssql_phase phase;
    struct sl_buf partition; /* JSON */

    struct sl_odbc *control; /* everything but rows; NULL while disconnected */
    struct sl_odbc_stmt *commits_stmt, *marks_stmt;
    struct sl_lsn commits_from;
    int64_t zone_us; /* of the server's local time, east of UTC */
    int64_t zone_read_us;

    struct sl_mssql_catalog catalog;
    bool catalog_stale;
    size_t vanished;          /* instances that the last reading of the catalog no longer found */
    uint64_t marks_signature; /* of the instances that the server has; a change makes the catalog stale */
    struct sl_mssql_table **tables; /* one for each instance of the catalog */
    struct sl_mssql_reader *readers;
    size_t n_tables;

    struct sl_mssql_emitter emitter;
    struct sl_mssql_history *history; /* NULL: none is kept */
    struct sl_mssql_told *structures; /* on the schema-change topic; NULL: not wanted */
    bool structures_due;              /* what the history and the notes lack after a start is to be written */
    struct sl_mssql_offset handed;    /* what the last batch covered */
    bool has_offset;
    struct sl_lsn next_from;       /* commits before this one are done with */
    struct sl_mssql_position skip; /* rows up to here were handed out */
    bool checked_start;            /* the stored position was found to be readable */
    struct sl_mssql_position last; /* the row written last */
    int64_t serial;                /* of it */
    struct sl_mssql_window window;
    int64_t idle_offset_us; /* when an idle offset was last handed out */

    struct sl_mssql_snapshot *snapshot;
    bool only_snapshot; /* snapshot.mode=initial_only */

    pthread_mutex_t lock;     /* guards the connections below, for cancel */
    struct sl_odbc *open[64]; /* what a cancel reaches */
};

/* A database that has not been called yet. config, env and name outlive it. */
struct sl_mssql_database *sl_mssql_database_new(const struct sl_mssql_config *config,
                                                const struct sl_source_env *env, const char *name);
void sl_mssql_database_free(struct sl_mssql_database *db);

/*
 * Fill the empty batch with what there is now. *ret_more: ask again at once. A batch without records and
 * without an offset: nothing is new. Errors: as a source's poll.
 */
enum sl_rc sl_mssql_database_poll(struct sl_mssql_database *db, struct sl_batch *batch, bool *ret_more,
                                  struct sl_error *err);

/* Make what the server is asked now fail soon. Any thread. */
void sl_mssql_database_cancel(struct sl_mssql_database *db);

/* Before the first poll: no schema history is kept of it. */
void sl_mssql_database_keep_no_history(struct sl_mssql_database *db);

/* Parts of it, for the files of this folder. */

/* Connect and tell cancel about it; the database's name is set, TEXTSIZE and NOCOUNT too. */
enum sl_rc sl_mssql_connect(struct sl_mssql_database *db, struct sl_odbc **ret_conn, struct sl_error *err);
void sl_mssql_disconnect(struct sl_mssql_database *db, struct sl_odbc *conn);

/* The control connection and the catalog, read again when stale. */
enum sl_rc sl_mssql_database_ready(struct sl_mssql_database *db, struct sl_error *err);

/* Newest commit LSN that the capture job has written; zero when there is none yet. */
enum sl_rc sl_mssql_newest_lsn(struct sl_mssql_database *db, struct sl_lsn *ret_lsn, struct sl_error *err);

/* A date-time cell as microseconds since 1970, no zone applied. */
int64_t sl_mssql_timestamp_us(const struct sl_cell *cell);

/* The server's clock, in UTC. */
enum sl_rc sl_mssql_server_time(struct sl_mssql_database *db, int64_t *ret_us, struct sl_error *err);

/* Is the batch at its limits? */
bool sl_mssql_batch_is_full(const struct sl_mssql_database *db, const struct sl_batch *batch);

/* Set the batch's partition and offset, and take the offset as handed out. */
void sl_mssql_hand_out(struct sl_mssql_database *db, struct sl_batch *batch);

/* What this batch told of the tables' structures does not count. */
void sl_mssql_database_untell(struct sl_mssql_database *db);

/* stream.c */
/* Tell the log from where streaming goes on; says nothing in another phase. */
void sl_mssql_stream_announce(const struct sl_mssql_database *db);
enum sl_rc sl_mssql_stream_poll(struct sl_mssql_database *db, struct sl_batch *batch, bool *ret_more,
                                struct sl_error *err);
void sl_mssql_stream_drop(struct sl_mssql_database *db);

/* Set the place from which the stream goes on from what was handed out last. */
void sl_mssql_stream_restore(struct sl_mssql_database *db);

/* snapshot.c */
enum sl_rc sl_mssql_snapshot_poll(struct sl_mssql_database *db, struct sl_batch *batch, bool *ret_more,
                                  struct sl_error *err);
void sl_mssql_snapshot_drop(struct sl_mssql_database *db);

/*
 * gap.c: does the server still have everything from next_from on? Asked once after a start, with the help of
 * cdc.lsn_time_mapping; then of each instance whose low-water mark is read. Errors: GAP.
 */
enum sl_rc sl_mssql_gap_at_start(struct sl_mssql_database *db, struct sl_error *err);
enum sl_rc sl_mssql_gap_in_window(struct sl_mssql_database *db, int object_id, const struct sl_lsn *mark,
                                  struct sl_error *err);
/* Instances of the present catalog that the fresh one lacks: how many; GAP when one was not read to its end.
 */
enum sl_rc sl_mssql_gap_of_vanished(struct sl_mssql_database *db, const struct sl_mssql_catalog *fresh,
                                    size_t *ret_vanished, struct sl_error *err);

#endif
