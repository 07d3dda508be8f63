/* SPDX-License-Identifier: Apache-2.0 */
/* Positions beside the tasks: reading all of a connector's, and saying where it is to go on. */
#include "sink/postgres/state.h"

#include <stdio.h>
#include <stdlib.h>

enum { FORMAT = 1 }; /* position.c */

enum sl_rc sl_pgsink_positions_visit(struct sl_pgsink *sink, sl_sink_position_visitor *visit, void *ctx,
                                     struct sl_error *err)
{
    struct sl_buf sql = {0};
    const char *values[1] = {sink->env->connector};
    PGresult *result;
    enum sl_rc rc = sl_pgsink_positions_table(sink, err);

    if (rc != SL_OK)
        return rc;
    sl_buf_format(&sql,
                  "SELECT log_identity, topic, partition, next_offset FROM %s WHERE connector = $1"
                  " AND next_offset >= 0 ORDER BY topic, partition, updated_at",
                  sink->offsets_path);
    rc = sl_pg_query(sink->pg, sl_buf_cstr(&sql), &(struct sl_pg_args){.n = 1, .values = values}, &result,
                     err);
    sl_buf_done(&sql);
    if (rc != SL_OK)
        return rc;
    for (int i = 0; i < PQntuples(result); i++)
        visit(ctx, &(struct sl_sink_position){
                       .identity = PQgetvalue(result, i, 0),
                       .topic = PQgetvalue(result, i, 1),
                       .partition = (int32_t)strtol(PQgetvalue(result, i, 2), NULL, 10),
                       .next_offset = strtoll(PQgetvalue(result, i, 3), NULL, 10),
                   });
    PQclear(result);
    return SL_OK;
}

static enum sl_rc run(struct sl_pgsink *sink, struct sl_buf *sql, const char *const *values, int n,
                      struct sl_error *err)
{
    PGresult *result;
    enum sl_rc rc =
        sl_pg_query(sink->pg, sl_buf_cstr(sql), &(struct sl_pg_args){.n = n, .values = values}, &result, err);

    sl_buf_done(sql);
    if (rc == SL_OK)
        PQclear(result);
    return rc;
}

/* What other logs say of the partition goes; a writer that runs finds its epoch gone. */
static enum sl_rc set_one(struct sl_pgsink *sink, const struct sl_progress *position, struct sl_error *err)
{
    char partition[16], next[24];
    const char *values[5] = {sink->env->connector, position->topic->name, partition};
    struct sl_buf sql = {0};
    char *identity = NULL;
    enum sl_rc rc = sl_pgsink_identity(sink, position->topic, &identity, err);

    if (rc != SL_OK)
        return rc;
    (void)snprintf(partition, sizeof(partition), "%d", position->partition);
    (void)snprintf(next, sizeof(next), "%lld", (long long)position->next_offset);
    values[3] = identity;
    values[4] = next;
    sl_buf_format(&sql,
                  "DELETE FROM %s WHERE connector = $1 AND topic = $2 AND partition = $3::int"
                  " AND log_identity <> $4",
                  sink->offsets_path);
    rc = run(sink, &sql, values, 4, err);
    if (rc == SL_OK) {
        sl_buf_format(
            &sql,
            "INSERT INTO %s AS o (connector, topic, partition, log_identity, next_offset, epoch, format)"
            " VALUES ($1, $2, $3::int, $4, $5::bigint, 1, %d)"
            " ON CONFLICT (log_identity, connector, topic, partition) DO UPDATE"
            " SET next_offset = EXCLUDED.next_offset, epoch = o.epoch + 1, updated_at = now()",
            sink->offsets_path, FORMAT);
        rc = run(sink, &sql, values, 5, err);
    }
    sl_free(identity);
    return rc;
}

enum sl_rc sl_pgsink_reposition(struct sl_pgsink *sink, const struct sl_progress *positions, size_t n,
                                struct sl_error *err)
{
    enum sl_rc rc = sl_pgsink_positions_table(sink, err);

    if (rc == SL_OK)
        rc = sl_pg_run(sink->pg, "BEGIN; SET LOCAL lock_timeout = '10s'", err);
    if (rc != SL_OK)
        return rc;
    for (size_t i = 0; i < n && rc == SL_OK; i++)
        rc = set_one(sink, &positions[i], err);
    if (rc == SL_OK)
        return sl_pg_run(sink->pg, "COMMIT", err);
    (void)sl_pg_run(sink->pg, "ROLLBACK", NULL);
    return rc;
}
