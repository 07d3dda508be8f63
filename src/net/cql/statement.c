/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prepared statements. Nodes usually give one text one id, but each node has to have been told: a node that
 * was not says "unprepared" (0x2500), is told, and asked again.
 */
#include "net/cql/session.h"

enum { KIND_PREPARED = 4 };

struct node_id {
    const struct sl_cql_node *node;
    uint8_t *bytes;
    uint16_t len;
    bool is_preparing;
};

struct sl_cql_statement {
    struct sl_cql *cql;
    struct sl_cql_statement *next; /* of the session */
    uint32_t refs;
    char *text;
    const struct sl_cql_columns *values, *result;
    struct node_id *ids; /* [0]: from the first node, tried on those that have none yet */
    uint32_t n_ids, capacity;
};

static const struct sl_cql_columns no_columns;

const struct sl_cql_columns *sl_cql_statement_values(const struct sl_cql_statement *statement)
{
    return statement->values;
}

const struct sl_cql_columns *sl_cql_statement_result(const struct sl_cql_statement *statement)
{
    return statement->result;
}

struct sl_cql_statement *sl_cql_statement_ref(struct sl_cql_statement *statement)
{
    statement->refs++;
    return statement;
}

void sl_cql_statement_unref(struct sl_cql_statement *statement)
{
    struct sl_cql_statement **link;

    if (!statement || --statement->refs > 0)
        return;
    for (link = &statement->cql->statements; *link != statement;)
        link = &(*link)->next;
    *link = statement->next;
    for (uint32_t i = 0; i < statement->n_ids; i++)
        sl_free(statement->ids[i].bytes);
    sl_free(statement->ids);
    sl_free(statement->text);
    sl_free(statement);
}

void sl_cql_statement_free(struct sl_cql_statement *statement)
{
    sl_cql_statement_unref(statement);
}

static struct node_id *find_id(const struct sl_cql_statement *statement, const struct sl_cql_node *node)
{
    for (uint32_t i = 0; i < statement->n_ids; i++) {
        if (statement->ids[i].node == node)
            return &statement->ids[i];
    }
    return NULL;
}

static struct node_id *add_id(struct sl_cql_statement *statement, const struct sl_cql_node *node)
{
    struct node_id *id = find_id(statement, node);

    if (id)
        return id;
    SL_GROW(statement->ids, statement->n_ids, statement->capacity);
    id = &statement->ids[statement->n_ids++];
    *id = (struct node_id){.node = node};
    return id;
}

struct sl_span sl_cql_statement_id(const struct sl_cql_statement *statement, const struct sl_cql_node *node)
{
    const struct node_id *id = find_id(statement, node);

    if (!id || !id->bytes)
        id = &statement->ids[0];
    return (struct sl_span){id->bytes, id->len};
}

/* PREPARED: id, what the values are, what the rows will be. */
static bool take_prepared(struct sl_cql *cql, struct sl_cql_statement *statement,
                          const struct sl_cql_node *node, struct sl_cql_reply *reply)
{
    struct sl_cql_metadata values;
    struct sl_cql_metadata result;
    struct sl_span id_bytes;
    struct node_id *id;

    if (reply->kind != KIND_PREPARED)
        return false;
    id_bytes = sl_cql_take_short(&reply->rest);
    if (reply->rest.bad || !sl_cql_bind_metadata_read(&cql->columns, &reply->rest, node->version, &values) ||
        !sl_cql_metadata_read(&cql->columns, &reply->rest, &result))
        return false;
    id = add_id(statement, node);
    id->bytes = sl_realloc(id->bytes, id_bytes.len + 1, 1);
    memcpy(id->bytes, id_bytes.ptr, id_bytes.len);
    id->len = (uint16_t)id_bytes.len;
    statement->values = values.columns ? values.columns : &no_columns;
    statement->result = result.columns ? result.columns : &no_columns;
    return true;
}

static struct sl_cql_node *node_of(struct sl_cql *cql, const char *address)
{
    struct sl_cql_node *node = cql->nodes;

    while (node->address != address)
        node = node->next;
    return node;
}

enum sl_rc sl_cql_prepare(struct sl_cql *cql, const char *text, int64_t deadline_us,
                          struct sl_cql_statement **ret, struct sl_error *err)
{
    struct sl_cql_statement *statement;
    struct sl_cql_reply *reply;
    struct sl_buf body = {0};
    enum sl_rc rc;

    sl_cql_put_long_string(&body, text);
    rc = sl_cql_ask(cql, SL_CQL_OP_PREPARE, &body, deadline_us, &reply, err);
    if (rc != SL_OK)
        return rc;
    statement = sl_zalloc(1, sizeof(*statement));
    statement->cql = cql;
    statement->refs = 1;
    statement->text = sl_strdup(text);
    statement->next = cql->statements;
    cql->statements = statement;
    if (!take_prepared(cql, statement, node_of(cql, reply->answer.host), reply)) {
        rc = sl_error_set(err, SL_E_PROTOCOL, "%s sent a malformed answer to PREPARE", reply->answer.host);
        sl_cql_statement_unref(statement);
    } else {
        *ret = statement;
    }
    sl_cql_reply_free(reply);
    return rc;
}

/* ------------------------------------------------------------------ 0x2500 -------------------------------
 */

static void prepared_again(struct sl_cql *cql, struct sl_cql_call *call, struct sl_cql_reply *reply)
{
    struct sl_cql_call *parked = call->ctx;
    struct sl_cql_statement *statement = parked->statement;
    struct sl_cql_node *node = parked->node;
    struct sl_error err = reply->answer.err;
    enum sl_rc rc = reply->answer.rc;
    int32_t code = reply->answer.code;

    add_id(statement, node)->is_preparing = false;
    if (rc == SL_OK && !take_prepared(cql, statement, node, reply))
        rc = sl_error_set(&err, SL_E_PROTOCOL, "%s sent a malformed answer to PREPARE", node->address);
    sl_cql_reply_free(reply);
    parked->state = SL_CQL_WAITING;
    parked->due_us = 0;
    if (rc != SL_OK) {
        TAILQ_REMOVE(&cql->waiting, parked, link);
        sl_cql_call_failed(cql, parked, &err, code);
    }
}

void sl_cql_statement_prepare_again(struct sl_cql *cql, struct sl_cql_call *parked, struct sl_cql_conn *conn)
{
    enum { LOOK_AGAIN_US = 2000 };
    struct node_id *id = add_id(parked->statement, conn->node);
    struct sl_cql_call *call;

    cql->stats.reprepares += !id->is_preparing;
    TAILQ_INSERT_TAIL(&cql->waiting, parked, link);
    if (id->is_preparing) { /* another request has asked already */
        parked->state = SL_CQL_WAITING;
        parked->due_us = sl_now_us() + LOOK_AGAIN_US;
        sl_cql_want_clock(cql, parked->due_us);
        return;
    }
    id->is_preparing = true;
    parked->state = SL_CQL_PARKED;
    call = sl_cql_call_new(cql, SL_CQL_OP_PREPARE, cql->config.try_timeout_ms);
    call->done = prepared_again;
    call->ctx = parked;
    call->pinned = conn;
    sl_cql_put_long_string(&call->body, parked->statement->text);
    sl_cql_call_start(cql, call);
}
