/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_server.h"
#include "sim/scylla/storage/arena.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PREPARED 64

struct sy_server {
    pthread_mutex_t lock; /* guards what follows */
    struct fake_seen seen;
    struct {
        uint8_t id[16];
        char *cql;
    } prepared[MAX_PREPARED];
    size_t n_prepared;
    sy_schema_listener *listener;
    void *listener_ctx;
    int64_t now_us;
};

struct sy_session {
    struct sy_server *server;
};

struct fake_seen fake_seen(struct sy_server *server)
{
    pthread_mutex_lock(&server->lock);
    struct fake_seen seen = server->seen;
    pthread_mutex_unlock(&server->lock);
    return seen;
}

struct sy_server *sy_server_open(const struct sy_server_options *options)
{
    struct sy_server *server = calloc(1, sizeof(*server));
    pthread_mutex_init(&server->lock, NULL);
    server->now_us = options->start_us;
    return server;
}

static void forget_all(struct sy_server *server)
{
    for (size_t i = 0; i < server->n_prepared; i++)
        free(server->prepared[i].cql);
    server->n_prepared = 0;
}

void sy_server_close(struct sy_server *server)
{
    forget_all(server);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

int64_t sy_server_now_us(struct sy_server *server)
{
    return server->now_us;
}

void sy_server_advance_us(struct sy_server *server, int64_t by_us)
{
    server->now_us += by_us;
}

bool sy_server_login(struct sy_server *server, const char *user, const char *password)
{
    (void)server;
    return strcmp(user, "cassandra") == 0 && strcmp(password, "secret") == 0;
}

void sy_server_listen(struct sy_server *server, sy_schema_listener *listener, void *ctx)
{
    server->listener = listener;
    server->listener_ctx = ctx;
}

bool sy_server_command(struct sy_server *server, const char *line, char *ret_text, size_t size)
{
    (void)server;
    snprintf(ret_text, size, "server heard: %s", line);
    return strncmp(line, "generation", 10) == 0;
}

void sy_server_forget_prepared(struct sy_server *server, uint32_t node)
{
    (void)node;
    pthread_mutex_lock(&server->lock);
    forget_all(server);
    server->seen.forgets++;
    pthread_mutex_unlock(&server->lock);
}

struct sy_session *sy_session_open(struct sy_server *server, uint32_t node, const char *user)
{
    struct sy_session *session = calloc(1, sizeof(*session));
    session->server = server;
    pthread_mutex_lock(&server->lock);
    server->seen.sessions_open++;
    server->seen.node = node;
    snprintf(server->seen.user, sizeof(server->seen.user), "%s", user);
    pthread_mutex_unlock(&server->lock);
    return session;
}

void sy_session_close(struct sy_session *session)
{
    pthread_mutex_lock(&session->server->lock);
    session->server->seen.sessions_open--;
    pthread_mutex_unlock(&session->server->lock);
    free(session);
}

static const struct sy_type int_type = {.id = SY_INT};
static const struct sy_type text_type = {.id = SY_TEXT};
static const struct sy_type blob_type = {.id = SY_BLOB};
static const struct sy_type *const map_parts[] = {&int_type, &text_type};
static const struct sy_type map_type = {.id = SY_MAP, .n_parts = 2, .parts = map_parts};
static const struct sy_type *const list_parts[] = {&map_type};
static const struct sy_type list_type = {.id = SY_LIST, .n_parts = 1, .parts = list_parts};
static const struct sy_type tuple_type = {.id = SY_TUPLE, .n_parts = 2, .parts = map_parts};
static const char *const field_names[] = {"a", "b"};
static const struct sy_type udt_type = {.id = SY_UDT,
                                        .n_parts = 2,
                                        .parts = map_parts,
                                        .keyspace = "ks",
                                        .name = "pair",
                                        .field_names = field_names};
static const struct sy_column type_columns[] = {{"ks", "t", "i", &int_type},
                                                {"ks", "t", "l", &list_type},
                                                {"ks", "t", "tu", &tuple_type},
                                                {"ks", "t", "u", &udt_type}};

static struct sy_value value_of(struct sy_arena *arena, const void *bytes, size_t len)
{
    return (struct sy_value){.len = (int32_t)len, .bytes = (const uint8_t *)sy_arena_dup(arena, bytes, len)};
}

static void put_rows(struct sy_arena *arena, const struct sy_type *type, uint32_t n, struct sy_result *ret)
{
    struct sy_column *column = sy_arena_alloc(arena, sizeof(*column));
    *column = (struct sy_column){"ks", "t", "c", type};
    struct sy_value *cells = sy_arena_alloc(arena, (n + 1) * sizeof(*cells));
    for (uint32_t i = 0; i < n; i++) {
        char text[32];
        snprintf(text, sizeof(text), "row %u", i);
        cells[i] = type->id == SY_INT ? value_of(arena, "\0\0\0\1", 4) : value_of(arena, text, strlen(text));
    }
    ret->kind = SY_ROWS;
    ret->columns = column;
    ret->n_columns = 1;
    ret->cells = cells;
    ret->n_rows = n;
}

static void echo(const struct sy_parameters *parameters, struct sy_arena *arena, struct sy_result *ret)
{
    uint32_t n = parameters->n_values;
    struct sy_column *columns = sy_arena_alloc(arena, (n + 1) * sizeof(*columns));
    struct sy_value *cells = sy_arena_alloc(arena, (n + 1) * sizeof(*cells));
    for (uint32_t i = 0; i < n; i++) {
        columns[i] = (struct sy_column){"ks", i % 2 == 0 ? "t" : "other", "v", &blob_type};
        cells[i] = parameters->values[i];
    }
    ret->kind = SY_ROWS;
    ret->columns = columns;
    ret->n_columns = n;
    ret->cells = cells;
    ret->n_rows = 1;
}

static void create(struct sy_server *server, struct sy_result *ret)
{
    ret->kind = SY_SCHEMA_CHANGE;
    ret->change = (struct sy_schema_change){"CREATED", "TABLE", "ks", "t"};
    if (server->listener != NULL)
        server->listener(server->listener_ctx, &ret->change);
}

static bool begins(const char *cql, const char *word)
{
    return strncmp(cql, word, strlen(word)) == 0;
}

static void run(struct sy_server *server, const char *cql, const struct sy_parameters *parameters,
                struct sy_arena *arena, struct sy_result *ret)
{
    static const char *const warnings[] = {"first warning", "second warning"};
    pthread_mutex_lock(&server->lock);
    snprintf(server->seen.last, sizeof(server->seen.last), "%s", cql);
    server->seen.parameters = *parameters;
    pthread_mutex_unlock(&server->lock);
    if (begins(cql, "ONE")) {
        put_rows(arena, &int_type, 1, ret);
    } else if (begins(cql, "ROWS ")) {
        put_rows(arena, &text_type, (uint32_t)strtoul(cql + 5, NULL, 10), ret);
    } else if (begins(cql, "PAGE")) {
        put_rows(arena, &text_type, 1, ret);
        ret->paging_state = value_of(arena, "next", 4);
    } else if (begins(cql, "ECHO")) {
        echo(parameters, arena, ret);
    } else if (begins(cql, "TYPES")) {
        ret->kind = SY_ROWS;
        ret->columns = type_columns;
        ret->n_columns = 4;
    } else if (begins(cql, "USE ")) {
        ret->kind = SY_SET_KEYSPACE;
        ret->keyspace = sy_arena_text(arena, cql + 4);
    } else if (begins(cql, "CREATE")) {
        create(server, ret);
    } else if (begins(cql, "WARN")) {
        ret->warnings = warnings;
        ret->n_warnings = 2;
    } else if (begins(cql, "BAD")) {
        ret->kind = SY_ERROR;
        ret->error = (struct sy_error){.code = 0x2000, .message = "line 1:0 no viable alternative"};
    }
}

void sy_session_query(struct sy_session *session, const char *cql, size_t len,
                      const struct sy_parameters *parameters, struct sy_arena *arena, struct sy_result *ret)
{
    run(session->server, sy_arena_dup(arena, cql, len), parameters, arena, ret);
}

/* An id that differs where texts do; good enough here. */
static void make_id(const char *cql, size_t len, uint8_t id[16])
{
    uint64_t hash[2] = {14695981039346656037U, 1099511628211U};
    for (size_t i = 0; i < len; i++) {
        hash[0] = (hash[0] ^ (uint8_t)cql[i]) * 1099511628211U;
        hash[1] = hash[1] * 31 + (uint8_t)cql[i];
    }
    memcpy(id, hash, 16);
}

void sy_session_prepare(struct sy_session *session, const char *cql, size_t len, struct sy_arena *arena,
                        struct sy_result *ret)
{
    static const struct sy_column binds[] = {{"ks", "t", "k", &int_type}, {"ks", "t", "v", &text_type}};
    static const uint16_t pk_indexes[] = {0};
    struct sy_server *server = session->server;
    *ret = (struct sy_result){.kind = SY_PREPARED, .paging_state = {.len = SY_NULL}};
    make_id(cql, len, ret->id);
    ret->binds = binds;
    ret->n_binds = 2;
    ret->pk_indexes = pk_indexes;
    ret->n_pk_indexes = 1;
    ret->is_lwt = true;
    (void)arena;
    pthread_mutex_lock(&server->lock);
    if (server->n_prepared < MAX_PREPARED) {
        memcpy(server->prepared[server->n_prepared].id, ret->id, 16);
        server->prepared[server->n_prepared++].cql = strndup(cql, len);
    }
    pthread_mutex_unlock(&server->lock);
}

static char *find(struct sy_server *server, const uint8_t id[16], struct sy_arena *arena)
{
    char *cql = NULL;
    pthread_mutex_lock(&server->lock);
    for (size_t i = 0; i < server->n_prepared && cql == NULL; i++) {
        if (memcmp(server->prepared[i].id, id, 16) == 0)
            cql = sy_arena_text(arena, server->prepared[i].cql);
    }
    pthread_mutex_unlock(&server->lock);
    return cql;
}

void sy_session_execute(struct sy_session *session, const uint8_t id[16],
                        const struct sy_parameters *parameters, struct sy_arena *arena, struct sy_result *ret)
{
    const char *cql = find(session->server, id, arena);
    if (cql != NULL) {
        run(session->server, cql, parameters, arena, ret);
        return;
    }
    uint8_t extra[18] = {0, 16};
    memcpy(extra + 2, id, 16);
    ret->kind = SY_ERROR;
    ret->error = (struct sy_error){
        .code = 0x2500, .message = "No prepared statement", .extra = value_of(arena, extra, sizeof(extra))};
}

void sy_session_batch(struct sy_session *session, enum sy_batch_kind kind, const struct sy_batch_item *items,
                      uint32_t n, const struct sy_parameters *parameters, struct sy_arena *arena,
                      struct sy_result *ret)
{
    (void)kind;
    (void)items;
    (void)arena;
    (void)ret;
    pthread_mutex_lock(&session->server->lock);
    session->server->seen.batch_items = n;
    session->server->seen.parameters = *parameters;
    pthread_mutex_unlock(&session->server->lock);
}
