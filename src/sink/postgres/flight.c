/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A flight: BEGIN, the position, the rows and COMMIT leave together and cost one round trip. The position
 * goes first: where it fails, the server skips the rest.
 */
#include "sink/postgres/state.h"

static enum sl_rc send_step(struct sl_pgsink *sink, const struct sl_pgsink_step *step, struct sl_error *err)
{
    enum { INLINE = 64 };
    const char *values_here[INLINE];
    int lengths_here[INLINE];
    int formats_here[INLINE];
    uint16_t n = step->statement->n_cells;
    bool many = n > INLINE;
    const char **values = many ? sl_zalloc(n, sizeof(*values)) : values_here;
    int *lengths = many ? sl_zalloc(n, sizeof(*lengths)) : lengths_here;
    int *formats = many ? sl_zalloc(n, sizeof(*formats)) : formats_here;
    enum sl_rc rc;

    for (uint16_t i = 0; i < n; i++) {
        values[i] = (const char *)step->params[i].data;
        lengths[i] = (int)step->params[i].len;
        formats[i] = 1;
    }
    rc = sl_pg_send_prepared(
        sink->pg, step->statement->name,
        &(struct sl_pg_args){.n = n, .values = values, .lengths = lengths, .formats = formats}, err);
    if (many) {
        sl_free(values);
        sl_free(lengths);
        sl_free(formats);
    }
    return rc;
}

static enum sl_rc send_steps(struct sl_pgsink *sink, const struct sl_pgsink_load *load, struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    for (uint32_t i = 0; i < load->n_steps && rc == SL_OK; i++) {
        if (!load->steps[i].statement->empty)
            rc = send_step(sink, &load->steps[i], err);
    }
    return rc;
}

/*
 * A pipeline whose transaction begins with the positions, for it fails there when another has taken over.
 * batch NULL: without them.
 */
static enum sl_rc send_beginning(struct sl_pgsink *sink, const struct sl_batch *batch, struct sl_error *err)
{
    enum sl_rc rc = sl_pg_pipeline_begin(sink->pg, err);

    if (rc == SL_OK)
        rc = sl_pg_send_prepared(sink->pg, "begin", &(struct sl_pg_args){0}, err);
    return rc == SL_OK && batch ? sl_pgsink_positions_send(sink, batch, err) : rc;
}

enum sl_rc sl_pgsink_flight_send(struct sl_pgsink *sink, const struct sl_batch *batch,
                                 const struct sl_pgsink_load *load, struct sl_error *err)
{
    enum sl_rc rc = send_beginning(sink, batch, err);

    if (rc == SL_OK)
        rc = send_steps(sink, load, err);
    if (rc == SL_OK)
        rc = sl_pg_send_prepared(sink->pg, "commit", &(struct sl_pg_args){0}, err);
    return rc == SL_OK ? sl_pg_pipeline_sync(sink->pg, err) : rc;
}

/* Read results to the sync point. The first failure is kept; move_at: which statement the position is. */
static enum sl_rc land(struct sl_pgsink *sink, int move_at, struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    for (int i = 0;; i++) {
        PGresult *result = NULL;
        enum sl_rc next = sl_pg_pipeline_next(sink->pg, &result, rc == SL_OK ? err : NULL);
        ExecStatusType status;

        if (next != SL_OK)
            return rc == SL_OK || next == SL_E_STOPPED ? next : rc;
        if (!result)
            break;
        status = PQresultStatus(result);
        if (rc == SL_OK && status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
            rc = sl_pg_result_error(result, err);
            if (i == move_at && rc == SL_E_DATA)
                rc = sl_pgsink_fenced(sink, err);
        }
        PQclear(result);
    }
    sl_pg_pipeline_end(sink->pg);
    return rc;
}

/* After a lost connection there is nothing to roll back, and nobody to tell. */
static void roll_back(struct sl_pgsink *sink, const char *sql, enum sl_rc rc)
{
    if (rc != SL_E_CONNECT && rc != SL_E_STOPPED)
        (void)sl_pg_run(sink->pg, sql, NULL);
}

enum sl_rc sl_pgsink_flight_land(struct sl_pgsink *sink, struct sl_error *err)
{
    enum sl_rc rc = land(sink, 1, err);

    if (rc != SL_OK)
        roll_back(sink, "ROLLBACK", rc);
    return rc;
}

enum sl_rc sl_pgsink_flight_begin(struct sl_pgsink *sink, const struct sl_batch *batch, struct sl_error *err)
{
    enum sl_rc rc = send_beginning(sink, batch, err);

    if (rc == SL_OK)
        rc = sl_pg_send_text(sink->pg, "SET CONSTRAINTS ALL IMMEDIATE", err);
    if (rc == SL_OK)
        rc = sl_pg_pipeline_sync(sink->pg, err);
    if (rc == SL_OK)
        rc = land(sink, batch ? 1 : -1, err);
    if (rc != SL_OK)
        roll_back(sink, "ROLLBACK", rc);
    return rc;
}

enum sl_rc sl_pgsink_flight_try(struct sl_pgsink *sink, const struct sl_pgsink_load *load,
                                struct sl_error *err)
{
    enum sl_rc rc = sl_pg_pipeline_begin(sink->pg, err);

    if (rc == SL_OK)
        rc = sl_pg_send_text(sink->pg, "SAVEPOINT rows", err);
    if (rc == SL_OK)
        rc = send_steps(sink, load, err);
    if (rc == SL_OK)
        rc = sl_pg_send_text(sink->pg, "RELEASE SAVEPOINT rows", err);
    if (rc == SL_OK)
        rc = sl_pg_pipeline_sync(sink->pg, err);
    if (rc == SL_OK)
        rc = land(sink, -1, err);
    if (rc != SL_OK)
        roll_back(sink, "ROLLBACK TO SAVEPOINT rows; RELEASE SAVEPOINT rows", rc);
    return rc;
}
