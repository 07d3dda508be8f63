/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's inside: what all sessions share. Private to storage/ and cdc/.
 *
 * Durable state is one SQLite file, state_dir/mssim.db, for all databases (bootstrap.c has its tables). What
 * stands here is locks, the newest published catalogue, and counters that are kept in memory and written at
 * commits.
 */
#ifndef SIM_SQLSERVER_STORAGE_SERVER_H
#define SIM_SQLSERVER_STORAGE_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "locks.h"
#include "lsn.h"

/* Counters of a database that only the writer (the holder of the writer place) touches. */
struct ms_db_state {
    int32_t db_id;
    struct ms_log_position log;
    uint64_t dbts;
    bool dirty; /* differs from what is on disk */
};

struct ms_identity {
    int32_t object_id; /* 0: a free slot */
    bool has_value;    /* false: nothing was inserted yet, the next is the seed */
    int64_t last;
};

struct ms_server {
    char *path;
    int64_t capture_interval_ms;
    struct ms_locks locks;

    pthread_mutex_t mutex;        /* guards what follows, up to the blank line */
    struct ms_catalog *published; /* the newest committed catalogue; one reference is ours */
    struct ms_session *sessions;  /* logged-in ones */
    uint16_t last_spid;
    struct ms_identity *identities; /* open addressing by object id */
    size_t n_identities;            /* a power of two */
    size_t used_identities;

    atomic_uint_fast64_t last_catalog_version;
    atomic_uint_fast64_t last_tran_id;
    uint64_t random[2]; /* generator state, under mutex */

    struct ms_db_state *db_states; /* of the writer */
    size_t n_db_states;
    int64_t last_log_row;
    int64_t last_log_tran;

    struct ms_capture_jobs *capture; /* cdc/job.h */
    FILE *capture_trace;             /* one line per captured transaction; NULL: none */
};

/* The writer's counters of a database, read from disk at first use. */
struct ms_db_state *ms_server_db_state(struct ms_session *session, int32_t db_id);

/* The database is gone: its counters are too. */
void ms_server_forget_database(struct ms_server *server, int32_t db_id);

uint64_t ms_server_random(struct ms_server *server);
void ms_server_guid(struct ms_server *server, uint8_t ret_guid[16]);

/* A session without login for the server's own work. NULL with a line on stderr. */
struct ms_session *ms_session_open_internal(struct ms_server *server);

/* Create the tables of an empty file and the databases master, tempdb, model, msdb. */
/* The fixed principals and schemas of a new database. */
bool ms_database_fill(struct ms_session *session, int32_t db_id, struct ms_error *err);
bool ms_bootstrap(struct ms_session *session, const char *sa_password, struct ms_error *err);

/* How many sessions other than this one have the database as their current one. */
int32_t ms_server_sessions_in(struct ms_session *session, int32_t db_id);

#endif
