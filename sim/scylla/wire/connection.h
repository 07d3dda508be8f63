/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One client, from its first byte to its last, on a thread of its own: frames are read, answered, and sent,
 * late ones when their time has come. Many requests may be in flight; with delays of different lengths their
 * answers overtake each other.
 */
#ifndef SIM_SCYLLA_WIRE_CONNECTION_H
#define SIM_SCYLLA_WIRE_CONNECTION_H

#include "dialog.h"
#include "stream.h"

struct sy_late; /* an answer that waits */

struct sy_connection {
    struct sy_wire *wire;
    struct sy_dialog dialog;
    struct sy_stream stream;
    struct sy_out out;    /* answers of this round */
    struct sy_late *late; /* by due time */
    uint64_t random;      /* state of the delays' dice */
    bool more;            /* frames wait in our own memory: the socket would not tell */
    bool closing;         /* everything was said; wait for the client to leave */
    int64_t leave_at_ns;  /* closing: not longer than until then */
    int wake;             /* eventfd: look at what follows, or at the node's state */
    atomic_bool stop;
    pthread_mutex_t lock; /* guards what follows */
    struct sy_out pushed; /* frames of events */
};

void sy_connection_init(struct sy_connection *connection, struct sy_wire *wire, uint32_t node, uint32_t shard,
                        int fd);
/* Serve until the client leaves, or until the stop. */
void sy_connection_serve(struct sy_connection *connection);
void sy_connection_done(struct sy_connection *connection);

/* From any thread: */
void sy_connection_stop(struct sy_connection *connection);
/* The node's state changed. */
void sy_connection_wake(struct sy_connection *connection);
/* An EVENT of this kind (SY_EVENT_...), if the client registered for it. */
void sy_connection_push(struct sy_connection *connection, unsigned event, const struct sy_out *body);

#endif
