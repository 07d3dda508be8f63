/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A CQL server that says what a test tells it to: one thread on two loopback ports, a plain one and, for the
 * tests of shards, one where the client's port chooses.
 */
#ifndef TESTS_NET_CQL_SCRIPTED_SERVER_H
#define TESTS_NET_CQL_SCRIPTED_SERVER_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

/* A frame that came in. */
struct asked {
    int connection; /* from 0, in the order of arrival */
    uint32_t shard; /* of the connection */
    uint8_t version;
    int16_t stream;
    uint8_t opcode;
    const uint8_t *body;
    size_t len;
    int n; /* how many of this opcode and connection came before */
};

struct scripted;

enum verdict {
    USUAL, /* answer as a well-behaved server would: startup, system tables, PREPARED, no rows */
    SAID,  /* out holds what to send, if anything */
    HANG_UP,
};

/* Runs on the server's thread, one frame at a time. */
typedef enum verdict script(struct scripted *server, const struct asked *asked, struct sl_buf *out);

struct scripted *scripted_start(script *say, void *ctx, uint32_t n_shards);
void scripted_stop(struct scripted *server);
uint16_t scripted_port(const struct scripted *server);
void *scripted_ctx(const struct scripted *server);

/* Frames and bodies. */
void put_frame(struct sl_buf *out, uint8_t version, int16_t stream, uint8_t opcode, const void *body,
               size_t len);
void put_error(struct sl_buf *out, const struct asked *asked, int32_t code, const char *text);
void put_unprepared(struct sl_buf *out, const struct asked *asked);
/* n rows of one int column "n", counted from first. */
void put_rows(struct sl_buf *out, const struct asked *asked, int32_t first, int32_t n);

#endif
