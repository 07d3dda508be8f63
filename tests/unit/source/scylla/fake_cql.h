/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The session of net/cql/cql.h without a network: a cluster of one table, ks.t (pk int, ck int, v text),
 * whose generations and log rows a test says. Answers come at the next poll, in the order of asking.
 */
#ifndef TESTS_UNIT_SOURCE_SCYLLA_FAKE_CQL_H
#define TESTS_UNIT_SOURCE_SCYLLA_FAKE_CQL_H

#include "source/scylla/task.h"

enum { FAKE_STREAMS = 6 }; /* of a generation: three vnodes with two each */

struct fake_cluster {
    int64_t generations_ms[4];
    uint32_t n_generations;
    bool streams_hidden; /* the newest generation's are not there yet */
    uint32_t failures;   /* so many log reads fail next, in a way that passes */
    uint32_t log_reads;  /* how many were asked */
    uint32_t most_in_flight;
    int64_t ttl_s;
};

extern struct fake_cluster fake;

void fake_reset(void);

/* The id of a generation's stream. */
void fake_stream(uint32_t generation, uint32_t stream, uint8_t ret[16]);

/* A row with op 2 in a stream; it ends its group unless more are to come. */
void fake_write(uint32_t generation, uint32_t stream, int64_t us, uint32_t sequence, int32_t pk, bool ends);

#endif
