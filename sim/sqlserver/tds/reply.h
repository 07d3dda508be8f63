/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One reply: the ms_sink that the server writes to, and the tokens that come of it.
 *
 * The last DONE is held back until something follows it (then it says "more") or the reply ends (then it does
 * not). Statements of a batch end with DONE, those of a procedure call with DONEINPROC and the call with
 * DONEPROC.
 */
#ifndef SIM_SQLSERVER_TDS_REPLY_H
#define SIM_SQLSERVER_TDS_REPLY_H

#include "packet.h"
#include "replay.h"
#include "tokens.h"

#include <stdatomic.h>

struct ms_reply {
    struct ms_out *out;
    const atomic_bool *cancelled; /* set by the watch thread: the client sent an attention, or went away */
    bool complete;                /* the tokens, their last DONE too, came from elsewhere (replay.h) */
    bool held;
    struct ms_done held_done;
    bool in_call;
    bool error_since_done; /* an ERROR went out that no DONE has accounted for */
    bool last_failed;
    bool status_since_done;
    const struct ms_param *params; /* of the running call, to find an output's ordinal */
    size_t n_params;
    size_t next_output;
    struct ms_recording
        *recording; /* filled with the first result set while not NULL; belongs to the caller */
    struct ms_encoder *encoders;
    const char **names; /* of the columns, for errors; borrowed from the last columns() */
    size_t n_columns;
    size_t cap_columns;
};

void ms_reply_init(struct ms_reply *reply, struct ms_out *out, const atomic_bool *cancelled);
void ms_reply_done(struct ms_reply *reply);
struct ms_sink ms_reply_sink(struct ms_reply *reply);

/* A recorded result set, and its DONE held. */
void ms_reply_put_recording(struct ms_reply *reply, const struct ms_recording *recording);

void ms_reply_begin_call(struct ms_reply *reply, const struct ms_param *params, size_t n_params);
void ms_reply_end_call(struct ms_reply *reply);
/* An error of the wire layer's own: told, and then a failed DONE (or DONEPROC) held. */
void ms_reply_fail(struct ms_reply *reply, const struct ms_message *message);
/*
 * The last DONE and the end of the message. attention: acknowledge one, in a message of its own behind this
 * one, which is where mssql-jdbc waits for it. False when the client has gone.
 */
bool ms_reply_finish(struct ms_reply *reply, bool attention);
/* The acknowledgement of an attention alone. */
bool ms_reply_attention(struct ms_out *out);

#endif
