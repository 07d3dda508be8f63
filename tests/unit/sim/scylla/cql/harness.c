/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

#include "sim/scylla/storage/types.h"
#include "sim/scylla/types/bytes.h"

int harness_open(void **state)
{
    static const struct sy_server_options options = {.seed = 7,
                                                     .n_nodes = 2,
                                                     .n_shards = 2,
                                                     .vnodes = 2,
                                                     .manual_clock = true,
                                                     .start_us = 1700000000000000LL,
                                                     .address = "127.0.0.1",
                                                     .port = 9042};
    struct harness *h = calloc(1, sizeof *h);
    h->server = sy_server_open(&options);
    assert_non_null(h->server);
    h->session = sy_session_open(h->server, 0, "cassandra");
    defines(
        h,
        "CREATE KEYSPACE ks WITH replication = {'class': 'NetworkTopologyStrategy', 'replication_factor': 1} "
        "AND tablets = {'enabled': false}");
    assert_answers(h, "USE ks", "keyspace ks\n");
    *state = h;
    return 0;
}

int harness_close(void **state)
{
    struct harness *h = *state;
    sy_session_close(h->session);
    sy_server_close(h->server);
    sy_arena_free(&h->arena);
    free(h);
    return 0;
}

void harness_forget(struct harness *h)
{
    sy_arena_reset(&h->arena);
}

static const char *rows_text(struct harness *h, const struct sy_result *result)
{
    const char *text = "";
    for (uint32_t c = 0; c < result->n_columns; c++)
        text = sy_arena_format(&h->arena, "%s%s%s", text, c > 0 ? ", " : "", result->columns[c].name);
    text = sy_arena_format(&h->arena, "%s\n", text);
    for (uint32_t r = 0; r < result->n_rows; r++)
        for (uint32_t c = 0; c < result->n_columns; c++)
            text = sy_arena_format(&h->arena, "%s%s%s", text,
                                   sy_value_text(&h->arena, result->columns[c].type,
                                                 result->cells[(size_t)r * result->n_columns + c]),
                                   c + 1 < result->n_columns ? "|" : "\n");
    return text;
}

const char *harness_text(struct harness *h, const struct sy_result *result)
{
    switch (result->kind) {
    case SY_VOID: return "ok\n";
    case SY_ROWS: return rows_text(h, result);
    case SY_SET_KEYSPACE: return sy_arena_format(&h->arena, "keyspace %s\n", result->keyspace);
    case SY_SCHEMA_CHANGE:
        return sy_arena_format(&h->arena, "%s %s %s%s%s\n", result->change.change, result->change.target,
                               result->change.keyspace, result->change.name[0] != '\0' ? "." : "",
                               result->change.name);
    case SY_PREPARED: return "prepared\n";
    case SY_ERROR: break;
    }
    return sy_arena_format(&h->arena, "! %04x %s\n", (unsigned)result->error.code, result->error.message);
}

const char *harness_run_with(struct harness *h, const char *cql, const struct sy_parameters *parameters)
{
    sy_session_query(h->session, cql, strlen(cql), parameters, &h->arena, &h->last);
    return harness_text(h, &h->last);
}

const char *harness_run(struct harness *h, const char *cql)
{
    return harness_run_with(h, cql, NULL);
}

void defines(struct harness *h, const char *cql)
{
    const char *text = harness_run(h, cql);
    if (h->last.kind != SY_SCHEMA_CHANGE)
        fail_msg("%s\n  %s", cql, text);
}

struct sy_value int_value(struct harness *h, int32_t v)
{
    uint8_t *bytes = sy_arena_alloc(&h->arena, 4);
    sy_put_u32(bytes, (uint32_t)v);
    return (struct sy_value){.len = 4, .bytes = bytes};
}

struct sy_value bigint_value(struct harness *h, int64_t v)
{
    uint8_t *bytes = sy_arena_alloc(&h->arena, 8);
    sy_put_u64(bytes, (uint64_t)v);
    return (struct sy_value){.len = 8, .bytes = bytes};
}

struct sy_value text_value(const char *text)
{
    return (struct sy_value){.len = (int32_t)strlen(text), .bytes = (const uint8_t *)text};
}
