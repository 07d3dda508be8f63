/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A statement ready to run: its tree, what its markers are, and its bound form. Immutable once made.
 */
#ifndef SIM_SCYLLA_CQL_PLAN_H
#define SIM_SCYLLA_CQL_PLAN_H

#include "modify.h"
#include "select.h"

struct sy_batch_plan {
    enum sy_batch_kind kind;
    const struct sy_expression *timestamp; /* NULL: not given */
    const struct sy_modify_plan *items;
    uint32_t n_items;
};

struct sy_plan {
    const struct sy_statement *statement;
    struct sy_column *markers;
    uint32_t n_markers;
    const uint16_t *pk_indexes;
    uint32_t n_pk_indexes;
    union {
        struct sy_select_plan select;
        struct sy_modify_plan modify;
        struct sy_batch_plan batch;
    };
};

/* keyspace: the session's, or NULL. NULL: *ret_error says why. All of it lives in the arena. */
const struct sy_plan *sy_plan_make(struct sy_server *server, const char *keyspace, const char *cql,
                                   size_t len, struct sy_arena *arena, struct sy_error *ret_error);

/* Is every table of it the newest of its name? */
bool sy_plan_is_current(struct sy_server *server, const struct sy_plan *plan);

bool sy_plan_is_lwt(const struct sy_plan *plan);
const struct sy_column *sy_plan_columns(const struct sy_plan *plan, uint32_t *ret_n);

#endif
