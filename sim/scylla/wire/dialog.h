/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conversation with one client, without its socket: a frame in, a frame out.
 *
 * STARTUP, authentication, then requests against a session of the server. Used by one thread at a time, but
 * for `events`, which whoever announces something reads.
 */
#ifndef SIM_SCYLLA_WIRE_DIALOG_H
#define SIM_SCYLLA_WIRE_DIALOG_H

#include "request.h"
#include "wire.h"
#include "../storage/arena.h"

enum sy_dialog_state {
    SY_DIALOG_START, /* STARTUP or OPTIONS is awaited */
    SY_DIALOG_LOGIN, /* AUTH_RESPONSE is */
    SY_DIALOG_READY,
};

struct sy_dialog {
    struct sy_wire *wire;
    uint32_t node;
    uint32_t shard;
    enum sy_dialog_state state;
    struct sy_startup startup;
    bool compress; /* what follows STARTUP may be compressed */
    struct sy_session *session;
    struct sy_arena arena; /* of the present request */
    struct sy_out body;    /* of the present request, decompressed */
    uint64_t n_traces;
    _Atomic uint8_t version; /* of the last frame */
    atomic_uint events;      /* what the client registered for */
};

enum sy_dialog_result {
    SY_DIALOG_GO_ON,
    SY_DIALOG_CLOSE, /* after what was answered */
    SY_DIALOG_CUT,   /* at once */
};

void sy_dialog_init(struct sy_dialog *dialog, struct sy_wire *wire, uint32_t node, uint32_t shard);
void sy_dialog_done(struct sy_dialog *dialog);

/* Answer a whole frame: appends the answer, if there is one, to `out`. */
enum sy_dialog_result sy_dialog_answer(struct sy_dialog *dialog, const struct sy_frame *frame,
                                       struct sy_out *out);
/* Answer what sy_frame_peek found to be no frame of ours: a protocol error, and the end. */
enum sy_dialog_result sy_dialog_refuse(struct sy_dialog *dialog, const struct sy_frame *frame,
                                       enum sy_frame_result why, struct sy_out *out);

/* supported.c: the body of SUPPORTED. */
void sy_supported_put(struct sy_out *out, const struct sy_wire *wire, uint32_t node, uint32_t shard);

/* failure.c: the error that a failure on command is answered with. extra is kept in the arena. */
struct sy_error sy_failure_error(enum sy_failure failure, const struct sy_request *request,
                                 const struct sy_startup *startup, struct sy_arena *arena);

#endif
