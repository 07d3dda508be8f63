/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One client, from its first byte to its last: handshake, login, then requests one after the other, on a
 * thread of its own.
 */
#ifndef SIM_SQLSERVER_TDS_CONNECTION_H
#define SIM_SQLSERVER_TDS_CONNECTION_H

#include "calls.h"
#include "packet.h"
#include "prelogin.h"
#include "tls.h"
#include "watch.h"
#include "../session.h"

#include <stdatomic.h>

/* What all connections share; outlives them. */
struct ms_wire {
    struct ms_server *server;
    struct ms_tls *tls;
    struct ms_faults *faults;
    struct ms_watch *watch;
    struct ms_replay *replay;
    enum ms_encrypt_policy policy;
};

struct ms_connection {
    const struct ms_wire *wire;
    struct ms_stream stream;
    struct ms_out out;
    struct ms_scratch scratch; /* of the present request */
    int watch_slot;
    struct ms_session *session;
    struct ms_replayed replayed;
    _Atomic uint16_t spid; /* 0 until logged in */
    atomic_bool stopping;

    /* guarded by stream.lock */
    bool running;          /* a statement runs: an attention is for it */
    bool attention;        /* one came for the running statement */
    atomic_bool cancelled; /* attention, or the client has gone */
};

void ms_connection_init(struct ms_connection *connection, const struct ms_wire *wire, int fd);
/* Serve until the client leaves. */
void ms_connection_serve(struct ms_connection *connection);
void ms_connection_done(struct ms_connection *connection);
/* End it from another thread: the running statement is cancelled and the socket shut. */
void ms_connection_interrupt(struct ms_connection *connection);

/* handshake.c: PRELOGIN, TLS and LOGIN7. True when a session is open. */
bool ms_handshake(struct ms_connection *connection);

#endif
