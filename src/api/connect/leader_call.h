/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request that goes on to the leader: the client, and the TLS of workers among themselves.
 */
#ifndef SLUICE_API_CONNECT_LEADER_CALL_H
#define SLUICE_API_CONNECT_LEADER_CALL_H

#include "base/buf.h"
#include "sluice/error.h"

#include <stdint.h>

struct sl_props;
struct sl_leader_call;

/* The worker's ssl.* keys say how other workers are trusted and who we are for them. Errors: CONFIG. */
enum sl_rc sl_leader_call_open(const struct sl_props *worker, struct sl_leader_call **ret,
                               struct sl_error *err);
void sl_leader_call_stop(struct sl_leader_call *calls); /* those under way end soon */
void sl_leader_call_close(struct sl_leader_call *calls);

struct sl_leader_request {
    const char *method;
    const char *url;
    const char *const *headers; /* "Name: value", NULL-ended */
    const void *body;
    size_t body_bytes;
};

struct sl_leader_reply {
    int status;
    char type[128];
    struct sl_buf body;
};

/* Waits 90 s at most. Errors: TRANSIENT kinds, CONFIG (a certificate), STOPPED. */
enum sl_rc sl_leader_call(struct sl_leader_call *calls, const struct sl_leader_request *request,
                          struct sl_leader_reply *ret, struct sl_error *err);
void sl_leader_reply_done(struct sl_leader_reply *reply);

#endif
