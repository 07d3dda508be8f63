/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Binding: names become columns, types and functions of the catalogue, and every marker learns its type.
 * What comes out (expression.h, where.h, plan.h) lives in the binder's arena and holds no state of a run, so
 * that a prepared statement can be run by many threads.
 */
#ifndef SIM_SCYLLA_CQL_BINDER_H
#define SIM_SCYLLA_CQL_BINDER_H

#include "../storage/catalog.h"
#include "ast.h"

struct sy_arena;

struct sy_binder {
    struct sy_server *server;
    const char *keyspace; /* the session's; NULL: none */
    struct sy_arena *arena;
    const struct sy_table *table; /* of the statement at hand */
    struct sy_column *markers;    /* n_markers of the statement; filled as they are met */
    uint32_t n_markers;
    const char *const *marker_names;
    uint32_t freezing; /* inside of so many frozen<> */
    bool failed;
    struct sy_error error; /* the first */
};

void sy_binder_init(struct sy_binder *binder, struct sy_server *server, const char *keyspace,
                    const struct sy_statement *statement, struct sy_arena *arena);

/* Always false, for `return sy_bind_fail(...)`. */
bool sy_bind_fail(struct sy_binder *binder, int32_t code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The keyspace and the table of a statement become binder->table. */
bool sy_bind_table(struct sy_binder *binder, const char *keyspace, const char *table);
/* The keyspace named, or the session's; NULL after an error. */
const char *sy_bind_keyspace(struct sy_binder *binder, const char *keyspace);
/* NULL when there is none of that name: the message is the caller's. */
const struct sy_table_column *sy_bind_column(const struct sy_binder *binder, const char *name);

/* keyspace: where user types are looked for. NULL after an error. */
const struct sy_type *sy_bind_type(struct sy_binder *binder, const char *keyspace,
                                   const struct sy_type_name *name);

static inline struct sy_column sy_receiver_of(const struct sy_table *table,
                                              const struct sy_table_column *column)
{
    return (struct sy_column){
        .keyspace = table->keyspace->name, .table = table->name, .name = column->name, .type = column->type};
}

#endif
