/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the language keeps for a server: its prepared statements. One per server, shared by its sessions and
 * freed with it.
 *
 * A prepared statement is known to the nodes it was prepared on. It is forgotten when a table of it is
 * altered or dropped, as ScyllaDB does ("invalidating related prepared statements"): clients then get 0x2500,
 * prepare again and learn the new columns.
 */
#ifndef SIM_SCYLLA_CQL_LANGUAGE_H
#define SIM_SCYLLA_CQL_LANGUAGE_H

#include "plan.h"

struct sy_language;
struct sy_prepared;

struct sy_language *sy_language_of(struct sy_server *server); /* made at the first call */
uint64_t sy_language_node_bits(const struct sy_language *language);

struct sy_session {
    struct sy_server *server;
    struct sy_language *language;
    uint32_t node;
    char *user;
    char *keyspace; /* NULL: none; malloc */
};

/* Make or find. NULL: *ret_error. The statement stays valid until it is released. */
struct sy_prepared *sy_prepare(struct sy_session *session, const char *cql, size_t len,
                               struct sy_arena *arena, struct sy_error *ret_error);
/* NULL: this node does not know it (any more). */
struct sy_prepared *sy_prepared_find(struct sy_session *session, const uint8_t id[16]);
void sy_prepared_release(struct sy_language *language, struct sy_prepared *prepared);
const struct sy_plan *sy_prepared_plan(const struct sy_prepared *prepared);
const uint8_t *sy_prepared_id(const struct sy_prepared *prepared);

/* --- running --- */

void sy_result_error(struct sy_result *ret, const struct sy_error *error);
/* Values by position or name into run->values, checked against the markers' types. False: run->error. */
bool sy_run_values(struct sy_run *run, const struct sy_column *markers, uint32_t n_markers, uint32_t n_values,
                   const struct sy_value *values, const char *const *names);

/* Everything but SELECT and single INSERT, UPDATE, DELETE. */
void sy_run_definition(struct sy_session *session, struct sy_run *run, const struct sy_statement *statement,
                       struct sy_result *ret);
void sy_run_access(struct sy_session *session, struct sy_run *run, const struct sy_statement *statement,
                   struct sy_result *ret);

/* One statement of a batch, its values and its plan. */
struct sy_batch_member {
    const struct sy_modify_plan *plan;
    const struct sy_value *values;
    uint32_t n_values;
};
/* Any number of INSERT, UPDATE, DELETE as one; conditional ones decide for all. */
bool sy_run_modify(struct sy_run *run, const struct sy_batch_member *members, uint32_t n,
                   struct sy_result *ret);

#endif
