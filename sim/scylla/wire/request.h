/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bodies of requests, taken apart (native protocol v4 section 4.1).
 *
 * Texts, names and values point into the body; arrays are made in the arena of the request, and only as long
 * as the body can fill them. Bad bytes give a text for a protocol error, never a crash.
 */
#ifndef SIM_SCYLLA_WIRE_REQUEST_H
#define SIM_SCYLLA_WIRE_REQUEST_H

#include "frame.h"
#include "../session.h"

/* What a client may register for, and does not get otherwise. */
enum { SY_EVENT_SCHEMA = 1, SY_EVENT_STATUS = 2, SY_EVENT_TOPOLOGY = 4 };

/* What STARTUP says, as far as it is acted upon; unknown keys are accepted. */
struct sy_startup {
    bool lz4;
    bool unknown_compression;
    bool rate_limit; /* knows ScyllaDB's error for it */
    bool lwt_mark;   /* wants to be told which prepared statements are LWT */
};

struct sy_request {
    enum sy_opcode opcode;
    struct sy_startup startup;         /* STARTUP */
    struct sy_value token;             /* AUTH_RESPONSE */
    const char *cql;                   /* QUERY, PREPARE */
    size_t cql_len;                    /* QUERY, PREPARE */
    struct sy_value id;                /* EXECUTE */
    struct sy_parameters parameters;   /* QUERY, EXECUTE, BATCH */
    enum sy_batch_kind batch_kind;     /* BATCH */
    const struct sy_batch_item *items; /* BATCH; an id of another length than 16 is refused */
    uint32_t n_items;                  /* BATCH */
    unsigned events;                   /* REGISTER */
};

/* NULL, or what is wrong with the body. `version` is 3 or 4. */
const char *sy_request_read(uint8_t version, uint8_t opcode, const uint8_t *body, size_t len,
                            struct sy_arena *arena, struct sy_request *ret_request);

/* Step over the [bytes map] that a request with the payload flag begins with. False when it is cut short. */
bool sy_request_skip_payload(const uint8_t **body, size_t *len);

#endif
