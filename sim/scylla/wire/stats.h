/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What clients asked for: requests by opcode, and executed statements by kind ("select ks.table"), so that
 * tests can say how many requests something may cost. Any thread.
 *
 * A prepared statement's text is remembered by its id, for EXECUTE names only the id.
 */
#ifndef SIM_SCYLLA_WIRE_STATS_H
#define SIM_SCYLLA_WIRE_STATS_H

#include "frame.h"

#include <pthread.h>
#include <stdatomic.h>

#define SY_STATS_KINDS 512
#define SY_STATS_NAME 120

struct sy_stats_kind {
    char name[SY_STATS_NAME];
    uint64_t count;
};

struct sy_stats_text;

struct sy_stats {
    _Atomic uint64_t opcodes[SY_OPCODES];
    _Atomic uint64_t errors; /* ERROR answers */
    _Atomic uint64_t bytes_received;
    _Atomic uint64_t bytes_sent;
    _Atomic uint64_t connections; /* accepted so far */
    /* statements by node and shard, n_nodes times n_shards of them; NULL: not counted */
    _Atomic uint64_t *shards;
    uint32_t n_nodes;
    uint32_t n_shards;
    pthread_mutex_t lock;                       /* guards what follows */
    struct sy_stats_kind kinds[SY_STATS_KINDS]; /* the last one counts what found no room: "other" */
    size_t n_kinds;
    struct sy_stats_text **texts; /* open hash of prepared statements */
    size_t n_texts;
    size_t texts_cap;
};

void sy_stats_init(struct sy_stats *stats);
void sy_stats_count_shards(struct sy_stats *stats, uint32_t n_nodes, uint32_t n_shards); /* from now on */
void sy_stats_done(struct sy_stats *stats);
void sy_stats_reset(struct sy_stats *stats); /* counters only */

void sy_stats_count(struct sy_stats *stats, const char *cql, size_t len);
/* A statement was prepared. */
void sy_stats_learn(struct sy_stats *stats, const uint8_t id[16], const char *cql, size_t len);
/* Count an execution. The text, which lives as long as the stats, or NULL. */
const char *sy_stats_count_id(struct sy_stats *stats, const uint8_t id[16]);

/* The kind of a statement: its verb and its table, in lower case. */
void sy_stats_name(const char *cql, size_t len, char ret_name[SY_STATS_NAME]);

static inline void sy_stats_count_shard(struct sy_stats *stats, uint32_t node, uint32_t shard)
{
    if (stats->shards != NULL)
        atomic_fetch_add_explicit(&stats->shards[node * stats->n_shards + shard], 1, memory_order_relaxed);
}

/* One JSON object in one line: {"opcodes": {...}, "shards": {"0/1": n}, "statements": {...}, ...}; node 0,
 * shard
 * 1. Cut to size. */
void sy_stats_print(struct sy_stats *stats, char *text, size_t size);

#endif
