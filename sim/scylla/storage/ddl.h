/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How every change of the catalogue begins and ends: alone with the store; then the journal, the schema
 * version and the listeners.
 */
#ifndef SIM_SCYLLA_STORAGE_DDL_H
#define SIM_SCYLLA_STORAGE_DDL_H

#include "server.h"
#include "table_make.h"

enum { SY_DDL_MAX_EVENTS = 64 };

struct sy_ddl {
    struct sy_server *server;
    struct sy_arena *arena;
    struct sy_schema_change *ret_change;
    struct sy_error *error;
    bool locked;
    struct sy_schema_change events[SY_DDL_MAX_EVENTS];
    uint32_t n_events;
};

void sy_ddl_begin(struct sy_ddl *ddl, struct sy_server *server, struct sy_arena *arena,
                  struct sy_schema_change *ret_change, struct sy_error *error);
/* What the answer and the event say; the first one is the statement's own. */
void sy_ddl_event(struct sy_ddl *ddl, const char *change, const char *target, const char *keyspace,
                  const char *name);
/* Unlock, and when it went well and something was done, make it known. Gives ok back. */
bool sy_ddl_end(struct sy_ddl *ddl, bool ok);

/* The keyspace, when users may change it; NULL: *error is set. */
const struct sy_keyspace *sy_ddl_keyspace(struct sy_ddl *ddl, const char *name);
/* 0x2400, with the names behind the message as the protocol wants them. */
bool sy_ddl_exists(struct sy_ddl *ddl, const char *keyspace, const char *table, const char *message);
/* The table, its log and what hangs on them. */
void sy_ddl_drop_one_table(struct sy_ddl *ddl, const struct sy_table *table);

#endif
