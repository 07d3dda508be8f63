/* SPDX-License-Identifier: Apache-2.0 */
/* A request on its way: sent, tried again, answered. */
#include "net/cql/session.h"

enum {
    FLAG_VALUES = 0x01,
    FLAG_PAGE_SIZE = 0x04,
    FLAG_PAGING_STATE = 0x08,
    FLAG_TIMESTAMP = 0x20,
    PAGE_ROWS_DEFAULT = 5000,
    PAGE_ROWS_LEAST = 50,
};

struct sl_cql_call *sl_cql_call_new(struct sl_cql *cql, uint8_t opcode, int timeout_ms)
{
    struct sl_cql_call *call = sl_zalloc(1, sizeof(*call));

    call->opcode = opcode;
    call->last_code = SL_CQL_NO_CODE;
    call->is_idempotent = true;
    call->timeout_ms = timeout_ms ? timeout_ms : cql->config.request_timeout_ms;
    call->submitted_us = sl_now_us();
    call->deadline_us = call->submitted_us + (int64_t)call->timeout_ms * 1000;
    return call;
}

void sl_cql_call_free(struct sl_cql_call *call)
{
    sl_cql_statement_unref(call->statement);
    sl_buf_done(&call->body);
    sl_free(call->keyspace);
    sl_free(call->table);
    sl_free(call);
}

/* ------------------------------------------------------------------ the way in ---------------------------
 */

static void put_parameters(struct sl_cql_call *call, const struct sl_cql_request *request)
{
    bool has_values = request->values && request->values->n;
    uint8_t flags =
        (uint8_t)((has_values ? FLAG_VALUES : 0) | (request->page_rows >= 0 ? FLAG_PAGE_SIZE : 0) |
                  (request->paging_state.len ? FLAG_PAGING_STATE : 0) |
                  (request->has_timestamp ? FLAG_TIMESTAMP : 0));

    sl_cql_put_u16(&call->body, (uint16_t)request->consistency);
    sl_buf_u8(&call->body, flags);
    if (has_values) {
        sl_cql_put_u16(&call->body, request->values->n);
        sl_buf_put(&call->body, request->values->bytes.data, request->values->bytes.len);
    }
    if (request->page_rows >= 0) {
        call->page_rows = request->page_rows ? request->page_rows : PAGE_ROWS_DEFAULT;
        call->page_rows_at = call->body.len;
        sl_buf_be32(&call->body, (uint32_t)call->page_rows);
    }
    if (request->paging_state.len) {
        sl_buf_be32(&call->body, (uint32_t)request->paging_state.len);
        sl_buf_put(&call->body, request->paging_state.ptr, request->paging_state.len);
    }
    if (request->has_timestamp)
        sl_buf_be64(&call->body, (uint64_t)request->timestamp_us);
}

uint32_t sl_cql_room(const struct sl_cql *cql)
{
    uint32_t limit = (uint32_t)cql->config.requests_per_session;

    return cql->n_calls < limit ? limit - cql->n_calls : 0;
}

uint32_t sl_cql_in_flight(const struct sl_cql *cql)
{
    return cql->n_calls;
}

struct sl_cql_call *sl_cql_call_of_request(struct sl_cql *cql, const struct sl_cql_request *request)
{
    uint8_t opcode = request->statement ? SL_CQL_OP_EXECUTE : SL_CQL_OP_QUERY;
    struct sl_cql_call *call = sl_cql_call_new(cql, opcode, request->timeout_ms);

    call->ctx = request->ctx;
    call->is_idempotent = !request->not_idempotent;
    call->has_token = request->has_token;
    call->token = request->token;
    call->keyspace = request->keyspace ? sl_strdup(request->keyspace) : NULL;
    call->table = request->table ? sl_strdup(request->table) : NULL;
    if (request->statement) {
        /* Const is a promise to callers; the session keeps count of its statements' users. */
        union {
            const struct sl_cql_statement *given;
            struct sl_cql_statement *own;
        } statement = {.given = request->statement};

        call->statement = sl_cql_statement_ref(statement.own);
    } else {
        sl_cql_put_long_string(&call->body, request->text);
    }
    put_parameters(call, request);
    return call;
}

enum sl_rc sl_cql_submit(struct sl_cql *cql, const struct sl_cql_request *request, struct sl_error *err)
{
    if (sl_cql_room(cql) == 0)
        return sl_error_set(err, SL_E_BUSY, "%d requests are on their way already",
                            cql->config.requests_per_session);
    cql->n_calls++;
    cql->stats.requests++;
    sl_cql_call_start(cql, sl_cql_call_of_request(cql, request));
    return SL_OK;
}

void sl_cql_call_query(struct sl_cql *cql, const char *text, struct sl_cql_conn *conn, sl_cql_done *done,
                       void *ctx)
{
    const struct sl_cql_request request = {.consistency = SL_CQL_ONE};
    struct sl_cql_call *call = sl_cql_call_new(cql, SL_CQL_OP_QUERY, cql->config.try_timeout_ms);

    call->done = done;
    call->ctx = ctx;
    call->pinned = conn;
    sl_cql_put_long_string(&call->body, text);
    put_parameters(call, &request);
    sl_cql_call_start(cql, call);
}

/* ------------------------------------------------------------------ sending ------------------------------
 */

static bool send_now(struct sl_cql *cql, struct sl_cql_call *call, int64_t now_us)
{
    int64_t try_us = (int64_t)cql->config.try_timeout_ms * 1000;
    struct sl_cql_conn *conn = sl_cql_route(cql, call, now_us);

    if (!conn)
        return false;
    call->state = SL_CQL_SENT;
    call->tries++;
    call->node = conn->node;
    call->try_deadline_us = now_us + try_us < call->deadline_us ? now_us + try_us : call->deadline_us;
    sl_cql_want_clock(cql, call->try_deadline_us);
    sl_cql_conn_send_call(conn, call, now_us);
    return true;
}

void sl_cql_call_start(struct sl_cql *cql, struct sl_cql_call *call)
{
    if (send_now(cql, call, call->submitted_us)) {
        TAILQ_INSERT_TAIL(&cql->sent, call, link);
    } else {
        call->state = SL_CQL_WAITING;
        TAILQ_INSERT_TAIL(&cql->waiting, call, link);
        sl_cql_want_clock(cql, call->deadline_us);
    }
}

void sl_cql_calls_dispatch(struct sl_cql *cql, int64_t now_us)
{
    struct sl_cql_call *next;

    for (struct sl_cql_call *call = TAILQ_FIRST(&cql->waiting); call; call = next) {
        next = TAILQ_NEXT(call, link);
        if (call->state != SL_CQL_WAITING || call->due_us > now_us || !send_now(cql, call, now_us))
            continue;
        TAILQ_REMOVE(&cql->waiting, call, link);
        TAILQ_INSERT_TAIL(&cql->sent, call, link);
    }
}

/* ------------------------------------------------------------------ the way out --------------------------
 */

static void finish(struct sl_cql *cql, struct sl_cql_call *call, struct sl_cql_reply *reply)
{
    reply->answer.ctx = call->ctx;
    reply->answer.submitted_us = call->submitted_us;
    reply->answer.tries = call->tries;
    if (call->done) {
        call->done(cql, call, reply);
    } else {
        cql->stats.answers++;
        TAILQ_INSERT_TAIL(&cql->ready, reply, link);
    }
    sl_cql_call_free(call);
}

/* Too few replicas: which nodes are away is what the reader can do something about. */
static void name_the_absent(const struct sl_cql *cql, struct sl_error *err)
{
    enum { NAMED_MOST = 4 };
    struct sl_buf names = {0};
    uint32_t members = 0;
    uint32_t absent = 0;

    for (const struct sl_cql_node *node = cql->nodes; node; node = node->next) {
        members += node->is_member;
        if (!node->is_member || node->n_ready || node->last_error.rc == SL_OK)
            continue;
        if (absent++ < NAMED_MOST)
            sl_buf_format(&names, "%s%s", absent > 1 ? ", " : "", node->address);
    }
    if (absent)
        sl_error_wrap(err, "%u of %u nodes cannot be reached (%.*s%s)", absent, members, (int)names.len,
                      (const char *)names.data, absent > NAMED_MOST ? ", ..." : "");
    sl_buf_done(&names);
}

static void finish_failed(struct sl_cql *cql, struct sl_cql_call *call, const struct sl_error *why,
                          int32_t code)
{
    struct sl_error err = *why;

    if (call->tries > 1)
        sl_error_wrap(&err, "given up after %u tries in %lld ms", call->tries,
                      (long long)((sl_now_us() - call->submitted_us) / 1000));
    if (code == SL_CQL_UNAVAILABLE)
        name_the_absent(cql, &err);
    finish(cql, call, sl_cql_reply_failed(&err, code));
}

/* May the failed try be made again, and was it surely not executed? */
static bool may_repeat(int32_t code, bool is_idempotent)
{
    switch (code) {
    case SL_CQL_UNAVAILABLE:
    case SL_CQL_OVERLOADED:
    case SL_CQL_BOOTSTRAPPING:
    case SL_CQL_RATE_LIMIT: return true;
    case SL_CQL_NO_CODE: /* the connection, or the clock */
    case SL_CQL_SERVER_ERROR:
    case SL_CQL_READ_TIMEOUT:
    case SL_CQL_READ_FAILURE:
    case SL_CQL_WRITE_TIMEOUT:
    case SL_CQL_WRITE_FAILURE:
    case SL_CQL_CDC_WRITE_FAILURE:
    case SL_CQL_TRUNCATE_ERROR: return is_idempotent;
    default: return false;
    }
}

/* A smaller page asks less of the replicas. */
static void shrink_page(struct sl_cql_call *call)
{
    uint32_t rows;

    if (!call->page_rows_at || call->page_rows / 2 < PAGE_ROWS_LEAST)
        return;
    call->page_rows /= 2;
    rows = __builtin_bswap32((uint32_t)call->page_rows);
    memcpy(call->body.data + call->page_rows_at, &rows, 4);
}

static int64_t delay_us(const struct sl_cql *cql, const struct sl_cql_call *call, int32_t code)
{
    struct sl_backoff backoff = {.base_us = (int64_t)cql->config.backoff_base_ms * 1000,
                                 .max_us = (int64_t)cql->config.backoff_max_ms * 1000,
                                 .attempt = call->tries ? call->tries - 1 : 0};

    /* A node that is away or rests is left out by the routing; another may take it at once. */
    if (call->tries <= 1 &&
        (code == SL_CQL_NO_CODE || code == SL_CQL_OVERLOADED || code == SL_CQL_BOOTSTRAPPING))
        return 0;
    return sl_backoff_next_us(&backoff);
}

void sl_cql_call_failed(struct sl_cql *cql, struct sl_cql_call *call, const struct sl_error *why,
                        int32_t code)
{
    int64_t now_us = sl_now_us();
    int64_t wait_us = delay_us(cql, call, code);

    if (code == SL_CQL_OVERLOADED || code == SL_CQL_RATE_LIMIT || code == SL_CQL_BOOTSTRAPPING) {
        cql->stats.overloads++;
        sl_cql_node_busy(cql, call->node);
    }
    if (call->pinned || !may_repeat(code, call->is_idempotent) ||
        call->tries >= (uint32_t)cql->config.tries || now_us + wait_us >= call->deadline_us) {
        finish_failed(cql, call, why, code);
        return;
    }
    if (code == SL_CQL_READ_TIMEOUT)
        shrink_page(call);
    cql->stats.retries++;
    call->last = *why;
    call->last_code = code;
    call->state = SL_CQL_WAITING;
    call->due_us = now_us + wait_us;
    TAILQ_INSERT_TAIL(&cql->waiting, call, link);
    sl_cql_want_clock(cql, call->due_us);
}

void sl_cql_call_lost(struct sl_cql *cql, struct sl_cql_call *call, const struct sl_error *why)
{
    call->conn = NULL;
    TAILQ_REMOVE(&cql->sent, call, link);
    sl_cql_call_failed(cql, call, why, SL_CQL_NO_CODE);
}

void sl_cql_calls_unpin(struct sl_cql *cql, struct sl_cql_conn *conn, const struct sl_error *why)
{
    struct sl_cql_call *next;

    for (struct sl_cql_call *call = TAILQ_FIRST(&cql->waiting); call; call = next) {
        next = TAILQ_NEXT(call, link);
        if (call->pinned != conn)
            continue;
        TAILQ_REMOVE(&cql->waiting, call, link);
        finish_failed(cql, call, why, SL_CQL_NO_CODE);
        next = TAILQ_FIRST(&cql->waiting); /* whoever was told may have changed the list */
    }
}

void sl_cql_call_reply(struct sl_cql *cql, struct sl_cql_call *call, struct sl_cql_reply *reply)
{
    struct sl_cql_conn *conn = NULL;
    struct sl_error err;

    TAILQ_REMOVE(&cql->sent, call, link);
    if (reply->opcode == SL_CQL_OP_ERROR) {
        int32_t code = reply->answer.code;

        TAILQ_FOREACH(conn, &cql->conns, link)
        {
            if (conn->node == call->node && conn->phase == SL_CQL_READY)
                break;
        }
        err = reply->answer.err;
        sl_cql_reply_free(reply);
        if (code == SL_CQL_UNPREPARED && call->statement && conn && call->tries < (uint32_t)cql->config.tries)
            sl_cql_statement_prepare_again(cql, call, conn);
        else
            sl_cql_call_failed(cql, call, &err, code);
    } else if ((reply->opcode == SL_CQL_OP_RESULT && !sl_cql_reply_read(cql, call->statement, reply)) ||
               (reply->opcode != SL_CQL_OP_RESULT && !call->done)) {
        sl_error_set(&err, SL_E_PROTOCOL, "%s sent a malformed answer", reply->answer.host);
        sl_cql_reply_free(reply);
        sl_cql_call_failed(cql, call, &err, SL_CQL_NO_CODE);
    } else {
        if (call->node->busy_backoff.attempt)
            sl_backoff_reset(&call->node->busy_backoff);
        finish(cql, call, reply);
    }
}

/* ------------------------------------------------------------------ the clock ----------------------------
 */

static void try_is_over(struct sl_cql *cql, struct sl_cql_call *call, int64_t now_us)
{
    struct sl_cql_conn *conn = call->conn;
    struct sl_error err;

    cql->stats.timeouts++;
    sl_error_set(&err, SL_E_TIMEOUT, "%s gave no answer within %lld ms", conn->node->address,
                 (long long)((now_us - call->sent_us) / 1000));
    sl_cql_conn_give_up(conn, call);
    TAILQ_REMOVE(&cql->sent, call, link);
    /* Nothing at all came since, or too many answers are owed: a new connection is the better one. */
    if (conn->last_in_us < call->sent_us ||
        conn->n_orphans > (uint32_t)cql->config.requests_per_connection / 2)
        sl_cql_conn_fail(conn, &err);
    sl_cql_call_failed(cql, call, &err, SL_CQL_NO_CODE);
}

/* Why nobody took it. */
static void nobody(const struct sl_cql *cql, const struct sl_cql_call *call, struct sl_error *err)
{
    const struct sl_cql_node *sick = NULL;

    if (call->last.rc != SL_OK) {
        *err = call->last;
        return;
    }
    for (const struct sl_cql_node *node = cql->nodes; node; node = node->next) {
        if (node->is_up && node->is_member) {
            sl_error_set(err, SL_E_TIMEOUT, "no connection had room for a request within %d ms",
                         call->timeout_ms);
            return;
        }
        if (node->last_error.rc != SL_OK && (!sick || node->is_member))
            sick = node;
    }
    if (sick)
        *err = sick->last_error;
    else
        sl_error_set(err, SL_E_CONNECT, "no node is connected");
}

void sl_cql_calls_check_clock(struct sl_cql *cql, int64_t now_us)
{
    struct sl_cql_call *next;
    struct sl_error err;

    for (struct sl_cql_call *call = TAILQ_FIRST(&cql->sent); call; call = next) {
        next = TAILQ_NEXT(call, link);
        if (now_us >= call->try_deadline_us) {
            try_is_over(cql, call, now_us);
            next = TAILQ_FIRST(&cql->sent); /* a connection may have gone with all its calls */
        } else {
            sl_cql_want_clock(cql, call->try_deadline_us);
        }
    }
    for (struct sl_cql_call *call = TAILQ_FIRST(&cql->waiting); call; call = next) {
        next = TAILQ_NEXT(call, link);
        if (call->state == SL_CQL_PARKED)
            continue;
        if (now_us >= call->deadline_us) {
            nobody(cql, call, &err);
            TAILQ_REMOVE(&cql->waiting, call, link);
            finish_failed(cql, call, &err, call->last_code);
            next = TAILQ_FIRST(&cql->waiting);
        } else {
            sl_cql_want_clock(cql, call->due_us > now_us ? call->due_us : call->deadline_us);
        }
    }
}
