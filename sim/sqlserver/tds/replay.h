/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recorded result sets, served from memory in place of running a statement, so that a bench measures the
 * client and not this server.
 *
 * `record PATH TEXT` waits for the next statement that contains TEXT and writes its first result set
 * (COLMETADATA and rows, as they went out) to PATH, together with TEXT. `replay PATH N` loads such a file:
 * the next N executions of a statement with that text are answered from it, as a batch, by sp_executesql,
 * sp_prepexec or sp_execute. All else, and what comes after the N-th, goes to the server as ever. Several
 * texts may be served at once; a text that is loaded again replaces its older recording.
 *
 * One per process; any thread. What was taken from it stays valid until the process ends.
 */
#ifndef SIM_SQLSERVER_TDS_REPLAY_H
#define SIM_SQLSERVER_TDS_REPLAY_H

#include "bytes.h"

#include <pthread.h>

/* One result set. Never freed, and but for `times` never changed, once it can be found. */
struct ms_recording {
    struct ms_recording *older;
    uint64_t times; /* how often more; guarded by the replay's lock */
    char *needle;
    struct ms_bytes tokens; /* COLMETADATA, then ROW and NBCROW */
    uint64_t rows;
};

struct ms_replay {
    pthread_mutex_t lock;        /* guards what follows */
    struct ms_recording *newest; /* all that were ever loaded */
    char *record_needle;         /* NULL: nothing to record */
    char *record_path;
};

void ms_replay_init(struct ms_replay *replay);
void ms_replay_done(struct ms_replay *replay);

/* False with a text when the file cannot be read or is none of ours. */
bool ms_replay_load(struct ms_replay *replay, const char *path, uint64_t times, char *ret_text, size_t size);
void ms_replay_stop(struct ms_replay *replay);
void ms_replay_record(struct ms_replay *replay, const char *path, const char *needle);

/* The recording to serve for this text, if any. Asking alone counts nothing: ms_replay_take does. */
struct ms_recording *ms_replay_find(struct ms_replay *replay, const char *sql, size_t len);
/* Claim one of the N executions. False when they are used up, or another recording has its place by now. */
bool ms_replay_take(struct ms_replay *replay, struct ms_recording *recording);

/* A recording to fill when this statement is the one to record, else NULL; given back by ms_replay_save. */
struct ms_recording *ms_replay_begin_record(struct ms_replay *replay, const char *sql, size_t len);
void ms_replay_save(struct ms_replay *replay, struct ms_recording *recording);

#endif
