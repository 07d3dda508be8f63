/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prepared answers, served from memory in place of running a statement, so that a bench measures the client
 * and not this server.
 *
 * A replay holds {needle, tokens}: when the text of a batch, or the statement of an sp_executesql call,
 * contains the needle, its tokens are sent as the reply's body, cut into the connection's packets. The tokens
 * are those of a whole reply, with its last DONE (or DONEPROC).
 */
#ifndef SIM_SQLSERVER_TDS_REPLAY_H
#define SIM_SQLSERVER_TDS_REPLAY_H

#include "packet.h"
#include "request.h"

struct ms_replay_entry {
    const char *needle;
    const uint8_t *tokens;
    size_t len;
};

struct ms_replay {
    const struct ms_replay_entry *entries;
    size_t n;
};

/*
 * True when the text has a prepared answer, and that was put out, all but the end of the message. The reply
 * then adds no DONE of its own. replay may be NULL.
 */
bool ms_replay_answer(const struct ms_replay *replay, const char *sql, size_t len, struct ms_out *out);
bool ms_replay_answer_call(const struct ms_replay *replay, const struct ms_call *call, struct ms_out *out);

#endif
