/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The language's side of a session: options, counters, variables of the running batch, prepared handles,
 * cursors, temporary tables, cached batches. Hangs at ms_session.tsql; the session's thread owns it.
 */
#ifndef SIM_SQLSERVER_TSQL_LANGUAGE_H
#define SIM_SQLSERVER_TSQL_LANGUAGE_H

#include "../storage/session_state.h"
#include "arena.h"
#include "ast.h"

#define MS_NEST_LIMIT 32 /* procedures and dynamic batches inside each other */

/* A variable's value; bytes are its own. */
struct ms_slot {
    struct ms_value value;
    uint8_t *owned;
    size_t cap;
    struct ms_table *table; /* a table variable, once declared */
};

/* One running batch, procedure body or dynamic text. */
struct ms_frame {
    struct ms_frame *outer;
    const struct ms_batch *batch;
    struct ms_slot *slots;
    const char *procedure; /* "" in a batch */
    int line;              /* of the running statement */
    bool has_identity;     /* SCOPE_IDENTITY() */
    int64_t identity;
    int32_t return_status;
    const char *going_to; /* a label that GOTO looks for */
    uint64_t trancount_at_start;
};

struct ms_caught {
    struct ms_error error;
    int line;
    struct ms_caught *outer;
};

struct ms_cursor;
struct ms_prepared;
struct ms_temp_table;
struct ms_cached_batch;

struct ms_language {
    struct ms_session *session;
    const struct ms_sink *sink;
    struct ms_frame *frame;
    struct ms_arena scratch; /* of operations inside a SQLite step */
    int nest;

    bool nocount;
    bool xact_abort;
    bool implicit_transactions;
    bool parse_only; /* batches are parsed and no more */
    bool no_exec;    /* ... compiled and no more */
    bool fmt_only;   /* ... every path is walked for the shapes of its results; nothing is done */
    bool arith_abort;
    bool quoted_identifier; /* off: "x" is a string */
    bool ansi_padding;      /* off: a table with character or binary columns is refused */
    int64_t row_limit;      /* SET ROWCOUNT; 0: none */
    int32_t text_size;
    int32_t date_first;
    int32_t identity_insert; /* object id; 0: none */
    char language_name[64];
    uint8_t context_info[128];
    bool has_context_info;

    int64_t row_count;  /* @@ROWCOUNT */
    int32_t last_error; /* @@ERROR */
    int32_t fetch_status;
    bool gone;                /* the client went, or cancelled: stop at once */
    bool doomed;              /* XACT_STATE() = -1 */
    struct ms_caught *caught; /* inside CATCH: ERROR_NUMBER() and its kin */
    uint64_t random;

    struct ms_cursor *cursors;
    struct ms_prepared *prepared;
    int32_t next_handle;
    struct ms_temp_table *temp_tables;
    int32_t next_temp_id;
    uint64_t temp_version; /* moves with every temporary table made or dropped */
    int try_depth;
    struct ms_cached_batch *cache;
    size_t n_cached;
};

static inline struct ms_language *ms_language_of(const struct ms_session *session)
{
    return session->tsql;
}

uint64_t ms_language_random(struct ms_language *language);
void ms_slot_set(struct ms_slot *slot, const struct ms_type *type,
                 const struct ms_value *value); /* copies bytes */

#endif
