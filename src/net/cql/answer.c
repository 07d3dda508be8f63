/* SPDX-License-Identifier: Apache-2.0 */
#include "net/cql/session.h"

enum { KIND_ROWS = 2 };

struct sl_cql_reply *sl_cql_reply_new(struct sl_cql_conn *conn, uint8_t opcode, struct sl_cql_in in,
                                      uint8_t *memory)
{
    struct sl_cql_reply *reply = sl_alloc(sizeof(*reply));
    struct sl_error *err = &reply->answer.err;

    reply->answer = (struct sl_cql_answer){.code = SL_CQL_NO_CODE};
    reply->opcode = opcode;
    reply->kind = 0;
    reply->memory = memory;
    reply->rest = in;
    reply->answer.size_bytes = (size_t)(in.end - in.at);
    reply->answer.host = conn->node->address;
    reply->answer.received_us = sl_now_us();
    if (opcode == SL_CQL_OP_ERROR) {
        reply->answer.code =
            sl_cql_error_read(&reply->rest, conn->node->address, conn->node->supported.rate_limit_code, err);
        reply->answer.rc = err->rc;
    }
    return reply;
}

struct sl_cql_reply *sl_cql_reply_failed(const struct sl_error *err, int32_t code)
{
    struct sl_cql_reply *reply = sl_zalloc(1, sizeof(*reply));

    reply->answer.err = *err;
    reply->answer.rc = err->rc;
    reply->answer.code = code;
    reply->answer.host = "";
    reply->answer.received_us = sl_now_us();
    return reply;
}

void sl_cql_reply_free(struct sl_cql_reply *reply)
{
    if (!reply)
        return;
    sl_free(reply->memory);
    sl_free(reply);
}

void sl_cql_answer_free(struct sl_cql_answer *answer)
{
    sl_cql_reply_free((struct sl_cql_reply *)(void *)answer);
}

static bool read_rows(struct sl_cql *cql, const struct sl_cql_statement *statement,
                      struct sl_cql_reply *reply)
{
    struct sl_cql_rows *rows = &reply->answer.rows;
    struct sl_cql_metadata metadata;
    int32_t n_rows;

    if (!sl_cql_metadata_read(&cql->columns, &reply->rest, &metadata))
        return false;
    n_rows = sl_cql_take_i32(&reply->rest);
    rows->columns = metadata.columns;
    if (!rows->columns && statement)
        rows->columns = sl_cql_statement_result(statement);
    if (reply->rest.bad || n_rows < 0 || !rows->columns || rows->columns->n != metadata.n_columns)
        return false;
    rows->n_rows = (uint32_t)n_rows;
    rows->at = reply->rest.at;
    rows->end = reply->rest.end;
    rows->has_more = metadata.has_more;
    rows->paging_state = metadata.paging_state;
    return true;
}

bool sl_cql_reply_read(struct sl_cql *cql, const struct sl_cql_statement *statement,
                       struct sl_cql_reply *reply)
{
    reply->kind = sl_cql_take_i32(&reply->rest);
    if (reply->rest.bad)
        return false;
    return reply->kind != KIND_ROWS || read_rows(cql, statement, reply);
}

static enum sl_rc malformed(const struct sl_cql_rows *rows, struct sl_error *err)
{
    return sl_error_set(err, SL_E_PROTOCOL, "row %u of %u of %s.%s is cut short: a length lies", rows->index,
                        rows->n_rows, rows->columns->n ? rows->columns->items[0].keyspace : "",
                        rows->columns->n ? rows->columns->items[0].table : "");
}

enum sl_rc sl_cql_rows_next(struct sl_cql_rows *rows, struct sl_cql_cell *cells, bool *ret_row,
                            struct sl_error *err)
{
    const uint8_t *at = rows->at;
    const uint8_t *end = rows->end;

    if (rows->index == rows->n_rows) {
        *ret_row = false;
        return SL_OK;
    }
    for (uint32_t i = 0, n = rows->columns->n; i < n; i++) {
        int32_t len;

        if (__builtin_expect(end - at < 4, 0))
            return malformed(rows, err);
        len = (int32_t)sl_cql_load_be32(at);
        at += 4;
        if (len < 0) {
            cells[i] = (struct sl_cql_cell){NULL, SL_CQL_NULL};
            continue;
        }
        if (__builtin_expect(len > end - at, 0))
            return malformed(rows, err);
        cells[i] = (struct sl_cql_cell){at, len};
        at += len;
    }
    rows->at = at;
    rows->index++;
    *ret_row = true;
    return SL_OK;
}
