/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One history's world: a simulator with its wire, a source that reads it, a log's memory and a target, all on
 * one manual clock. What goes wrong is kept as a text; after that nothing more is done.
 */
#ifndef SLUICE_TESTS_PROPERTY_WORLD_H
#define SLUICE_TESTS_PROPERTY_WORLD_H

#include "history.h"

enum { WORLD_OPS = 12 };

struct world;

struct world_counts {
    uint64_t polls;
    uint64_t read_again;
    uint64_t rows;   /* of the base table at the end */
    uint64_t tidied; /* positions that were removed */
    uint64_t ops[WORLD_OPS];
    uint64_t held_back; /* 1: rows were seen late */
    bool advanced;
};

/* Start the server, make the history's table, open the source. */
struct world *world_new(struct history *history, uint64_t seed, bool verbose);
void world_free(struct world *world);

/* False: the server refused it, as it may (an index beyond a list's end, a time before the first stream). */
bool world_statement(struct world *world, const char *text);

/* Let time pass, and the source read now and then. */
void world_pause(struct world *world, int64_t pause_us);

void world_crash(struct world *world);   /* what the last poll gave may be lost */
void world_restart(struct world *world); /* in order */
void world_generation(struct world *world);
void world_expiry(struct world *world);

/* Let time pass until all is read, then compare rows and ledger. */
void world_settle(struct world *world);

const char *world_failure(const struct world *world); /* "" when none */
void world_counts(const struct world *world, struct world_counts *ret);
int world_op_code(int n); /* the log's code of the n-th counter */

#endif
