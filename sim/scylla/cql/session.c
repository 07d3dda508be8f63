/* SPDX-License-Identifier: Apache-2.0 */
/* The entrance from the wire: one request in, one result out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../storage/arena.h"
#include "language.h"

static const struct sy_parameters no_parameters = {.paging_state = {.len = SY_NULL}};

static char *copy_text(const char *text)
{
    char *copy = strdup(text);
    if (copy == NULL) {
        fputs("out of memory\n", stderr);
        abort();
    }
    return copy;
}

struct sy_session *sy_session_open(struct sy_server *server, uint32_t node, const char *user)
{
    struct sy_session *session = calloc(1, sizeof *session);
    if (session == NULL) {
        fputs("out of memory\n", stderr);
        abort();
    }
    session->server = server;
    session->language = sy_language_of(server);
    session->node = node;
    session->user = copy_text(user != NULL ? user : "anonymous");
    return session;
}

void sy_session_close(struct sy_session *session)
{
    if (session == NULL)
        return;
    free(session->user);
    free(session->keyspace);
    free(session);
}

void sy_result_error(struct sy_result *ret, const struct sy_error *error)
{
    *ret = (struct sy_result){.kind = SY_ERROR, .error = *error, .paging_state = {.len = SY_NULL}};
}

static bool value_by_name(const char *name, uint32_t n, const struct sy_value *values,
                          const char *const *names, struct sy_value *ret)
{
    for (uint32_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0) {
            *ret = values[i];
            return true;
        }
    return false;
}

bool sy_run_values(struct sy_run *run, const struct sy_column *markers, uint32_t n_markers, uint32_t n_values,
                   const struct sy_value *values, const char *const *names)
{
    if (names == NULL && n_values != n_markers)
        return sy_run_fail(run, 0x2200, "Invalid amount of bind variables: the statement has %u, %u came",
                           n_markers, n_values);
    struct sy_value *ordered = NULL;
    if (names != NULL)
        ordered = sy_arena_alloc(run->arena, (n_markers + 1) * sizeof *ordered);
    for (uint32_t i = 0; i < n_markers; i++) {
        struct sy_value value = {.len = SY_NULL};
        if (names == NULL)
            value = values[i];
        else if (!value_by_name(markers[i].name, n_values, values, names, &value))
            return sy_run_fail(run, 0x2200, "Invalid amount of bind variables: there is no value for \"%s\"",
                               markers[i].name);
        const char *fault = value.len > 0 ? sy_value_check(markers[i].type, value) : NULL;
        if (fault != NULL)
            return sy_run_fail(run, 0x2200, "Exception while binding column %s: marshaling error: %s",
                               markers[i].name, fault);
        if (ordered != NULL)
            ordered[i] = value;
    }
    run->values = ordered != NULL ? ordered : values;
    run->n_values = n_markers;
    return true;
}

static struct sy_run new_run(struct sy_session *session, const struct sy_parameters *parameters,
                             struct sy_arena *arena)
{
    return (struct sy_run){.server = session->server,
                           .node = session->node,
                           .arena = arena,
                           .consistency = parameters->consistency,
                           .client_timestamp = parameters->has_timestamp,
                           .timestamp_us = parameters->timestamp_us,
                           .node_bits = sy_language_node_bits(session->language)};
}

static void set_keyspace(struct sy_session *session, struct sy_run *run, const char *name,
                         struct sy_result *ret)
{
    if (sy_catalog_keyspace(session->server, name) == NULL) {
        sy_run_fail(run, 0x2200, "Keyspace '%s' does not exist", name);
        return;
    }
    free(session->keyspace);
    session->keyspace = copy_text(name);
    ret->kind = SY_SET_KEYSPACE;
    ret->keyspace = sy_arena_text(run->arena, name);
}

static bool run_batch_plan(struct sy_run *run, const struct sy_plan *plan, struct sy_result *ret)
{
    const struct sy_batch_plan *batch = &plan->batch;
    struct sy_batch_member *members = sy_arena_alloc(run->arena, (batch->n_items + 1) * sizeof *members);
    for (uint32_t i = 0; i < batch->n_items; i++)
        members[i] = (struct sy_batch_member){
            .plan = &batch->items[i], .values = run->values, .n_values = run->n_values};
    if (batch->timestamp != NULL) {
        struct sy_value value;
        if (!sy_evaluate(run, batch->timestamp, &value))
            return false;
        if (value.len == 8) {
            run->client_timestamp = true;
            run->timestamp_us = 0;
            for (int i = 0; i < 8; i++)
                run->timestamp_us = (int64_t)((uint64_t)run->timestamp_us << 8 | value.bytes[i]);
        }
    }
    return sy_run_modify(run, members, batch->n_items, ret);
}

static void run_plan(struct sy_session *session, const struct sy_plan *plan,
                     const struct sy_parameters *parameters, struct sy_arena *arena, struct sy_result *ret)
{
    struct sy_run run = new_run(session, parameters, arena);
    struct sy_batch_member one;
    *ret = (struct sy_result){
        .kind = SY_VOID, .error = {.extra = {.len = SY_NULL}}, .paging_state = {.len = SY_NULL}};
    if (sy_run_values(&run, plan->markers, plan->n_markers, parameters->n_values, parameters->values,
                      parameters->names)) {
        switch ((int)plan->statement->kind) {
        case SY_STATEMENT_SELECT: (void)sy_run_select(&run, &plan->select, parameters, ret); break;
        case SY_STATEMENT_MODIFY:
            one = (struct sy_batch_member){
                .plan = &plan->modify, .values = run.values, .n_values = run.n_values};
            (void)sy_run_modify(&run, &one, 1, ret);
            break;
        case SY_STATEMENT_BATCH: (void)run_batch_plan(&run, plan, ret); break;
        case SY_STATEMENT_USE: set_keyspace(session, &run, plan->statement->definition->name, ret); break;
        case SY_CREATE_ROLE:
        case SY_ALTER_ROLE:
        case SY_DROP_ROLE:
        case SY_LIST_ROLES:
        case SY_GRANT:
        case SY_LIST_PERMISSIONS: sy_run_access(session, &run, plan->statement, ret); break;
        default: sy_run_definition(session, &run, plan->statement, ret); break;
        }
    }
    if (run.failed)
        sy_result_error(ret, &run.error);
}

void sy_session_query(struct sy_session *session, const char *cql, size_t len,
                      const struct sy_parameters *parameters, struct sy_arena *arena, struct sy_result *ret)
{
    struct sy_error error;
    const struct sy_plan *plan = sy_plan_make(session->server, session->keyspace, cql, len, arena, &error);
    if (plan == NULL)
        sy_result_error(ret, &error);
    else
        run_plan(session, plan, parameters != NULL ? parameters : &no_parameters, arena, ret);
}

static struct sy_column copied_column(struct sy_arena *arena, const struct sy_column *column)
{
    return (struct sy_column){.keyspace = sy_arena_text(arena, column->keyspace),
                              .table = sy_arena_text(arena, column->table),
                              .name = sy_arena_text(arena, column->name),
                              .type = column->type};
}

static const struct sy_column *copied_columns(struct sy_arena *arena, const struct sy_column *columns,
                                              uint32_t n)
{
    struct sy_column *copy = sy_arena_alloc(arena, (n + 1) * sizeof *copy);
    for (uint32_t i = 0; i < n; i++)
        copy[i] = copied_column(arena, &columns[i]);
    return copy;
}

/* The plan may be forgotten while the answer is sent, so names are copied. */
static void describe_prepared(const struct sy_prepared *prepared, struct sy_arena *arena,
                              struct sy_result *ret)
{
    const struct sy_plan *plan = sy_prepared_plan(prepared);
    uint32_t n_columns;
    const struct sy_column *columns = sy_plan_columns(plan, &n_columns);
    *ret = (struct sy_result){
        .kind = SY_PREPARED, .error = {.extra = {.len = SY_NULL}}, .paging_state = {.len = SY_NULL}};
    memcpy(ret->id, sy_prepared_id(prepared), 16);
    ret->columns = copied_columns(arena, columns, n_columns);
    ret->n_columns = n_columns;
    ret->binds = copied_columns(arena, plan->markers, plan->n_markers);
    ret->n_binds = plan->n_markers;
    ret->pk_indexes = (const uint16_t *)(const void *)sy_arena_dup(arena, plan->pk_indexes,
                                                                   plan->n_pk_indexes * sizeof(uint16_t));
    ret->n_pk_indexes = plan->n_pk_indexes;
    ret->is_lwt = sy_plan_is_lwt(plan);
}

void sy_session_prepare(struct sy_session *session, const char *cql, size_t len, struct sy_arena *arena,
                        struct sy_result *ret)
{
    struct sy_error error;
    struct sy_prepared *prepared = sy_prepare(session, cql, len, arena, &error);
    if (prepared == NULL) {
        sy_result_error(ret, &error);
        return;
    }
    describe_prepared(prepared, arena, ret);
    sy_prepared_release(session->language, prepared);
}

/* 0x2500 carries the id that this node does not know, as [short bytes]. */
static void unprepared(const uint8_t id[16], struct sy_arena *arena, struct sy_result *ret)
{
    uint8_t *extra = sy_arena_alloc(arena, 18);
    char hex[33];
    extra[1] = 16;
    memcpy(extra + 2, id, 16);
    for (int i = 0; i < 16; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", id[i]);
    struct sy_error error = {
        .code = 0x2500,
        .message =
            sy_arena_format(arena,
                            "No prepared statement with ID %s found (either the query was not prepared on "
                            "this host or it has been evicted from the prepared cache)",
                            hex),
        .extra = {.len = 18, .bytes = extra}};
    sy_result_error(ret, &error);
}

/* Result columns outlive the plan as little as names do. */
static void detach_columns(struct sy_arena *arena, struct sy_result *ret)
{
    if (ret->kind == SY_ROWS)
        ret->columns = copied_columns(arena, ret->columns, ret->n_columns);
}

void sy_session_execute(struct sy_session *session, const uint8_t id[16],
                        const struct sy_parameters *parameters, struct sy_arena *arena, struct sy_result *ret)
{
    struct sy_prepared *prepared = sy_prepared_find(session, id);
    if (prepared == NULL) {
        unprepared(id, arena, ret);
        return;
    }
    run_plan(session, sy_prepared_plan(prepared), parameters != NULL ? parameters : &no_parameters, arena,
             ret);
    detach_columns(arena, ret);
    sy_prepared_release(session->language, prepared);
}

static bool batch_error(struct sy_result *ret, struct sy_arena *arena, const char *message)
{
    struct sy_error error = {
        .code = 0x2200, .message = sy_arena_text(arena, message), .extra = {.len = SY_NULL}};
    sy_result_error(ret, &error);
    return false;
}

/* The plan of one item, of its text or of its id. */
static bool batch_item_plan(struct sy_session *session, const struct sy_batch_item *item,
                            struct sy_prepared **prepared, struct sy_arena *arena, struct sy_result *ret,
                            const struct sy_plan **ret_plan)
{
    struct sy_error error;
    *prepared = NULL;
    if (item->cql != NULL) {
        *ret_plan = sy_plan_make(session->server, session->keyspace, item->cql, item->cql_len, arena, &error);
        if (*ret_plan == NULL)
            sy_result_error(ret, &error);
    } else {
        *prepared = sy_prepared_find(session, item->id);
        *ret_plan = *prepared != NULL ? sy_prepared_plan(*prepared) : NULL;
        if (*ret_plan == NULL)
            unprepared(item->id, arena, ret);
    }
    if (*ret_plan == NULL)
        return false;
    if ((*ret_plan)->statement->kind != SY_STATEMENT_MODIFY)
        return batch_error(
            ret, arena, "Invalid statement in batch: only UPDATE, INSERT and DELETE statements are allowed.");
    return true;
}

static bool check_counters(enum sy_batch_kind kind, const struct sy_batch_member *members, uint32_t n,
                           struct sy_arena *arena, struct sy_result *ret)
{
    for (uint32_t i = 0; i < n; i++) {
        bool counter = members[i].plan->table->is_counter;
        if (counter && kind == SY_BATCH_LOGGED)
            return batch_error(ret, arena, "Cannot include a counter statement in a logged batch");
        if (!counter && kind == SY_BATCH_COUNTER)
            return batch_error(ret, arena, "Cannot include non-counter statement in a counter batch");
        if (counter != members[0].plan->table->is_counter)
            return batch_error(ret, arena,
                               "Counter and non-counter mutations cannot exist in the same batch");
    }
    return true;
}

/* Plans and values of all items; stops at the first that has none. */
static bool collect_members(struct sy_session *session, const struct sy_batch_item *items, uint32_t n,
                            struct sy_run *run, struct sy_prepared **held, struct sy_batch_member *members,
                            struct sy_result *ret)
{
    for (uint32_t i = 0; i < n; i++) {
        const struct sy_plan *plan;
        if (!batch_item_plan(session, &items[i], &held[i], run->arena, ret, &plan))
            return false;
        if (!sy_run_values(run, plan->markers, plan->n_markers, items[i].n_values, items[i].values, NULL)) {
            sy_result_error(ret, &run->error);
            return false;
        }
        members[i] = (struct sy_batch_member){
            .plan = &plan->modify, .values = items[i].values, .n_values = items[i].n_values};
    }
    return true;
}

void sy_session_batch(struct sy_session *session, enum sy_batch_kind kind, const struct sy_batch_item *items,
                      uint32_t n, const struct sy_parameters *parameters, struct sy_arena *arena,
                      struct sy_result *ret)
{
    struct sy_run run = new_run(session, parameters != NULL ? parameters : &no_parameters, arena);
    struct sy_prepared **held = sy_arena_alloc(arena, ((size_t)n + 1) * sizeof *held);
    struct sy_batch_member *members = sy_arena_alloc(arena, ((size_t)n + 1) * sizeof *members);
    *ret = (struct sy_result){
        .kind = SY_VOID, .error = {.extra = {.len = SY_NULL}}, .paging_state = {.len = SY_NULL}};
    if (collect_members(session, items, n, &run, held, members, ret) &&
        check_counters(kind, members, n, arena, ret)) {
        if (!sy_run_modify(&run, members, n, ret))
            sy_result_error(ret, &run.error);
        detach_columns(arena, ret);
    }
    for (uint32_t i = 0; i < n; i++)
        if (held[i] != NULL)
            sy_prepared_release(session->language, held[i]);
}
