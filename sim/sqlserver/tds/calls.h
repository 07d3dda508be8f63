/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statements on their way from a request to the server: run, recorded, or answered from a recording
 * (replay.h). Connection's thread only.
 */
#ifndef SIM_SQLSERVER_TDS_CALLS_H
#define SIM_SQLSERVER_TDS_CALLS_H

#include "replay.h"
#include "reply.h"
#include "request.h"

#define MS_MAX_REPLAYED 64

/* Which handles of a connection belong to statements that have a recording. */
struct ms_replayed {
    struct {
        int64_t handle;
        struct ms_recording *recording;
    } handles[MS_MAX_REPLAYED];
    size_t n;
};

void ms_calls_batch(struct ms_session *session, struct ms_replay *replay, const char *sql, size_t len,
                    struct ms_reply *reply);
/* One call, from its RETURNSTATUS to its DONEPROC. */
void ms_calls_call(struct ms_session *session, struct ms_replay *replay, struct ms_replayed *replayed,
                   const struct ms_call *call, struct ms_reply *reply);

#endif
