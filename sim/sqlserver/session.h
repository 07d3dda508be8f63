/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The seam between the wire (tds/) and the server behind it (tsql/, storage/, cdc/).
 *
 * The wire layer owns sockets, TLS, login packets, tokens and faults; it knows no SQL. The server knows no
 * sockets: it is handed text or a procedure call, and answers through a ms_sink. One session lives on one
 * thread; only ms_session_cancel may come from elsewhere.
 */
#ifndef SIM_SQLSERVER_SESSION_H
#define SIM_SQLSERVER_SESSION_H

#include "value.h"

struct ms_server;  /* one per process: state directory, databases, capture jobs */
struct ms_session; /* one per login */

/* One message of SQL Server: an error (severity 11 and more) or information (0 to 10). */
struct ms_message {
    int32_t number; /* e.g. 208 invalid object name, 2627 duplicate key, 5701 changed database context */
    uint8_t state;
    uint8_t severity;
    const char *text;      /* UTF-8, SQL Server's own wording */
    const char *procedure; /* "" outside procedures */
    int32_t line;          /* 1-based line of the batch */
};

enum ms_env {
    MS_ENV_DATABASE = 1,
    MS_ENV_LANGUAGE = 2,
    MS_ENV_BEGIN_TRAN = 8, /* descriptor in new_descriptor */
    MS_ENV_COMMIT_TRAN = 9,
    MS_ENV_ROLLBACK_TRAN = 10,
};

/* The current-command codes of DONE tokens that clients look at (MS-TDS 2.2.7.6). */
enum ms_command {
    MS_CMD_SELECT = 0xC1,
    MS_CMD_INSERT = 0xC3,
    MS_CMD_DELETE = 0xC4,
    MS_CMD_UPDATE = 0xC5,
    MS_CMD_BEGIN_TRAN = 0xD4,
    MS_CMD_COMMIT_TRAN = 0xD5,
    MS_CMD_ROLLBACK_TRAN = 0xD2,
    MS_CMD_CREATE_TABLE = 0xC6,
    MS_CMD_DROP_TABLE = 0xC7,
    MS_CMD_ALTER_TABLE = 0xD8,
    MS_CMD_SET = 0xBE,
    MS_CMD_EXECUTE = 0xE0,
    MS_CMD_OTHER = 0xFD,
};

/*
 * Where a batch's answer goes, in the order in which it happens. Every function is required. A function that
 * returns false means that the client has gone or has cancelled: the server stops at once, rolls back what
 * the statement did, and returns. The wire layer decides DONE, DONEINPROC and the "more" bit: it holds back
 * the last done until it knows whether another follows.
 */
struct ms_sink {
    void *ctx;
    bool (*columns)(void *ctx, const struct ms_column *columns, size_t n);
    bool (*row)(void *ctx, const struct ms_value *values); /* one per column of the last columns() */
    /* A statement ended. rows < 0: no count (SET NOCOUNT ON, or a statement that counts nothing). */
    bool (*done)(void *ctx, enum ms_command command, int64_t rows, bool failed);
    bool (*message)(void *ctx, const struct ms_message *message);
    bool (*env)(void *ctx, enum ms_env what, const char *new_text, const char *old_text, uint64_t descriptor);
    bool (*return_value)(void *ctx, const struct ms_column *column, const struct ms_value *value);
    bool (*return_status)(void *ctx, int32_t status);
};

/* A parameter of a procedure call, as it came over the wire. */
struct ms_param {
    struct ms_column column; /* name with its '@', or "" when positional */
    struct ms_value value;
    bool output;
    bool use_default;
};

struct ms_server_options {
    const char *state_dir;       /* created when missing; everything durable is in here */
    const char *sa_password;     /* the password of login sa */
    int64_t capture_interval_ms; /* the default polling interval of capture jobs (SQL Server: 5000) */
    uint64_t seed;               /* for newid() and generated ids, so that a run can be repeated */
    const char *capture_trace;   /* a file that gets a line per captured transaction, NULL: none */
};

/*
 * Open the state directory, recover, start capture jobs. NULL with a line on stderr when that cannot be done.
 */
struct ms_server *ms_server_open(const struct ms_server_options *options);
void ms_server_close(struct ms_server *server);

/*
 * Log in. On success *ret_session is ready and the database is the asked one (master when "").
 * On failure *ret_message is filled (18456 login failed, 4060 cannot open database; text lives as long as the
 * server, or until the thread's next call) and false is returned.
 */
bool ms_session_open(struct ms_server *server, const char *user, const char *password, const char *database,
                     const char *app_name, const char *host_name, bool read_only_intent,
                     struct ms_session **ret_session, struct ms_message *ret_message);
void ms_session_close(struct ms_session *session); /* rolls back an open transaction */

const char *ms_session_database(const struct ms_session *session);
uint16_t ms_session_spid(const struct ms_session *session);

/* Back to the state after login (the 0x08 "reset connection" bit of a packet header). */
void ms_session_reset(struct ms_session *session);

/* Run a batch. Everything, errors too, is told through the sink; each statement ends with done(). */
void ms_session_batch(struct ms_session *session, const char *sql, size_t len, const struct ms_sink *sink);

/*
 * Call a procedure: sp_executesql, sp_prepare, sp_prepexec, sp_execute, sp_unprepare, the sp_cursor* family,
 * or any procedure by name. Ends with return_status (and return_value for outputs).
 */
void ms_session_call(struct ms_session *session, const char *procedure, struct ms_param *params,
                     size_t n_params, const struct ms_sink *sink);

enum ms_tran_request { MS_TRAN_BEGIN = 5, MS_TRAN_COMMIT = 7, MS_TRAN_ROLLBACK = 8, MS_TRAN_SAVE = 9 };

/* A transaction manager request (packet type 14). isolation: 0 unchanged, 1 read uncommitted .. 5 snapshot.
 */
void ms_session_transaction(struct ms_session *session, enum ms_tran_request request, const char *name,
                            uint8_t isolation, bool begin_again, const struct ms_sink *sink);

/* Ask the running statement to stop (attention). May be called from any thread. */
void ms_session_cancel(struct ms_session *session);

/*
 * Faults on command, beyond those of the wire: "capture stop", "capture start", "capture interval MS",
 * "capture once". Answers false with a text for an unknown word. Any thread.
 */
bool ms_server_fault(struct ms_server *server, const char *command, char *ret_text, size_t size);

#endif
