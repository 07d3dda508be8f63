/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server in memory with a manual clock, and short words for what a statement would do: the store's tests
 * speak to it below the language.
 */
#ifndef TEST_SIM_SCYLLA_STORAGE_FIXTURE_H
#define TEST_SIM_SCYLLA_STORAGE_FIXTURE_H

#include "sim/scylla/storage/arena.h"
#include "sim/scylla/storage/store.h"

enum { START_S = 1700000000 };
#define START_US ((int64_t)START_S * 1000000)

struct world {
    struct sy_server *server;
    struct sy_server_options options;
    struct sy_arena arena;
    const struct sy_table *table;
    struct sy_error error;
    char cdc_text[64];
};

void world_open(struct world *world, const char *state_dir);
void world_close(struct world *world);

/* Keyspace ks (tablets: how many, 0 = vnodes), and a table ks.t of "name type kind" columns, kind p, c, d
 * (clustering, descending), s or r: "pk int p, ck int c, s text s, v text r, m map<int,text> r". cdc: NULL or
 * "enabled=true preimage=full ...". */
void world_keyspace(struct world *world, uint32_t tablets);
void world_table(struct world *world, const char *columns, const char *cdc);
const struct sy_type *world_type(struct world *world, const char *name);

struct sy_value world_int(struct world *world, int32_t v);
struct sy_value world_text(struct world *world, const char *text);

/* --- a statement in the making: one mutation --- */
struct change {
    struct world *world;
    struct sy_mutation mutation;
    struct sy_row_write rows[16];
    struct sy_cell_write cells[16][32];
    struct sy_range_write ranges[8];
    struct sy_row_write *row;
};

/* ints as keys */
void change_begin(struct change *change, struct world *world, int32_t pk);
void change_row(struct change *change, int32_t ck);
void change_static(struct change *change);
void change_marker(struct change *change, int64_t us, int32_t ttl_s);
void change_cell(struct change *change, const char *column, struct sy_value value, int64_t us, int32_t ttl_s);
void change_dead(struct change *change, const char *column, int64_t us);
void change_collection(struct change *change, const char *column, int64_t us); /* its tombstone */
void change_element(struct change *change, const char *column, struct sy_value path, struct sy_value value,
                    int64_t us, int32_t ttl_s);
void change_dead_element(struct change *change, const char *column, struct sy_value path, int64_t us);
void change_delete_row(struct change *change, int64_t us);
void change_delete_partition(struct change *change, int64_t us);
/* from, to: NULL is the partition's end. */
void change_delete_range(struct change *change, const int32_t *from, bool from_inclusive, const int32_t *to,
                         bool to_inclusive, int64_t us);
bool change_try(struct change *change); /* world->error when not */
void change_apply(struct change *change);
void changes_apply(struct world *world, struct change *const *changes, uint32_t n); /* one batch */

/* One cell of a row: UPDATE ks.t SET column = text. */
void world_write(struct world *world, int32_t pk, int32_t ck, const char *column, const char *text,
                 int64_t us);

/* The rows, one a line: sy_store_dump. */
const char *world_dump(struct world *world);
/* The log without cdc$stream_id and cdc$time, groups in order of time: "op 2 seq 0 pk=1 ck=2 v='a' end". */
const char *world_log(struct world *world);

#endif
