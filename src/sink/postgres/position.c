/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sluice_offsets: how far the target is, in the target itself. One row for each (log identity, connector,
 * topic, partition). Taking over raises the row's epoch; from then on the compare-and-set of an older writer
 * finds no row, divides by zero, and its transaction is lost as a whole. Format 1.
 */
#include "sink/postgres/bind.h"
#include "sink/postgres/state.h"

#include <stdio.h>
#include <stdlib.h>

enum { FORMAT = 1, TEXT_OID = 25, INT4_OID = 23, INT8_OID = 20 };

static void put_path(const struct sl_pgsink_config *config, struct sl_buf *sql)
{
    if (*config->offsets_schema) {
        sl_pg_quote_name(sql, config->offsets_schema);
        sl_buf_u8(sql, '.');
    }
    sl_pg_quote_name(sql, config->offsets_table);
}

static void put_ddl(const char *path, struct sl_buf *sql)
{
    sl_buf_format(
        sql,
        "CREATE TABLE IF NOT EXISTS %s (log_identity text, connector text, topic text, partition int,"
        " next_offset bigint NOT NULL, epoch bigint NOT NULL, format smallint NOT NULL,"
        " updated_at timestamptz NOT NULL DEFAULT now(),"
        " PRIMARY KEY (log_identity, connector, topic, partition)) WITH (fillfactor = 50)",
        path);
}

static enum sl_rc table_there(struct sl_pgsink *sink, bool *ret, struct sl_error *err)
{
    const char *values[1] = {sink->offsets_path};
    PGresult *result;
    enum sl_rc rc = sl_pg_query(sink->pg, "SELECT to_regclass($1) IS NOT NULL",
                                &(struct sl_pg_args){.n = 1, .values = values}, &result, err);

    if (rc != SL_OK)
        return rc;
    *ret = *PQgetvalue(result, 0, 0) == 't';
    PQclear(result);
    return SL_OK;
}

static enum sl_rc create_table(struct sl_pgsink *sink, struct sl_error *err)
{
    struct sl_error why = {0};
    struct sl_buf sql = {0};
    bool there = false;
    enum sl_rc rc;

    put_ddl(sink->offsets_path, &sql);
    rc = sl_pg_run(sink->pg, sl_buf_cstr(&sql), &why);
    /* Two tasks may create at once; the slower one then finds the table there. */
    if (rc != SL_OK && why.kind != SL_KIND_TRANSIENT && table_there(sink, &there, &why) == SL_OK && there)
        rc = SL_OK;
    if (rc == SL_E_AUTH || rc == SL_E_SCHEMA)
        rc = sl_error_set(err, rc,
                          "cannot create the table of positions: %.90s; HINT: let an administrator run: %s",
                          why.text, sl_buf_cstr(&sql));
    else if (rc != SL_OK && err)
        *err = why;
    sl_buf_done(&sql);
    return rc;
}

static enum sl_rc refuse_foreign(const struct sl_pgsink *sink, const char *identity, struct sl_error *err)
{
    return sl_error_set(
        err, SL_E_FOREIGN_POSITION,
        "the target holds positions of connector '%s' for another log (%s; this one is %s); HINT: start "
        "with the state directory that belongs to the target, or give the connector another name, or, "
        "to apply this log from its start: DELETE FROM %s WHERE connector = '%s'",
        sink->env->connector, identity, sink->env->log_identity, sink->offsets_path, sink->env->connector);
}

static enum sl_rc check_foreign(struct sl_pgsink *sink, struct sl_error *err)
{
    struct sl_buf sql = {0};
    const char *values[2] = {sink->env->connector, sink->env->log_identity};
    PGresult *result;
    enum sl_rc rc;

    sl_buf_format(&sql, "SELECT log_identity FROM %s WHERE connector = $1 AND log_identity <> $2 LIMIT 1",
                  sink->offsets_path);
    rc = sl_pg_query(sink->pg, sl_buf_cstr(&sql), &(struct sl_pg_args){.n = 2, .values = values}, &result,
                     err);
    sl_buf_done(&sql);
    if (rc != SL_OK)
        return rc;
    if (PQntuples(result) > 0)
        rc = refuse_foreign(sink, PQgetvalue(result, 0, 0), err);
    PQclear(result);
    return rc;
}

static enum sl_rc read_position(const struct sl_pgsink *sink, const PGresult *result,
                                struct sl_pgsink_position *position, struct sl_error *err)
{
    int64_t next = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    long format = strtol(PQgetvalue(result, 0, 2), NULL, 10);

    if (format != FORMAT)
        return sl_error_set(
            err, SL_E_FOREIGN_POSITION,
            "%s holds a position of format %ld, and this program writes format %d; HINT: use the newer "
            "program that wrote it",
            sink->offsets_path, format, FORMAT);
    if (next < -1)
        return sl_error_set(
            err, SL_E_FOREIGN_POSITION,
            "%s holds the impossible position %lld for topic '%s' partition %d; HINT: correct next_offset "
            "or delete the row to apply the topic from its start",
            sink->offsets_path, (long long)next, position->topic->name, position->partition);
    position->next_offset = next;
    position->epoch = strtoll(PQgetvalue(result, 0, 1), NULL, 10);
    return SL_OK;
}

static enum sl_rc take_over(struct sl_pgsink *sink, struct sl_pgsink_position *position, struct sl_error *err)
{
    struct sl_buf sql = {0};
    char partition[16];
    const char *values[4] = {sink->env->log_identity, sink->env->connector, position->topic->name, partition};
    PGresult *result;
    enum sl_rc rc;

    (void)snprintf(partition, sizeof(partition), "%d", position->partition);
    sl_buf_format(
        &sql,
        "INSERT INTO %s AS o (log_identity, connector, topic, partition, next_offset, epoch, format)"
        " VALUES ($1, $2, $3, $4::int, -1, 1, %d) ON CONFLICT (log_identity, connector, topic, partition)"
        " DO UPDATE SET epoch = o.epoch + 1 RETURNING next_offset, epoch, format",
        sink->offsets_path, FORMAT);
    rc = sl_pg_query(sink->pg, sl_buf_cstr(&sql), &(struct sl_pg_args){.n = 4, .values = values}, &result,
                     err);
    sl_buf_done(&sql);
    if (rc == SL_E_BUSY)
        return sl_error_set(
            err, SL_E_BUSY,
            "another session holds the position of topic '%s' in %s; HINT: is another sluice running "
            "connector '%s'? (pg_stat_activity shows it by its application_name)",
            position->topic->name, sink->offsets_path, sink->env->connector);
    if (rc != SL_OK)
        return sl_error_wrap(err, "taking over positions in %s", sink->offsets_path);
    rc = read_position(sink, result, position, err);
    PQclear(result);
    return rc;
}

/*
 * $3 .. $7: topics, partitions, what we think is there, what comes next, our epochs. Without a match for
 * every one of them the division fails, and with it the transaction that this statement begins.
 */
static enum sl_rc prepare_move(struct sl_pgsink *sink, struct sl_error *err)
{
    struct sl_buf sql = {0};
    enum sl_rc rc;

    sl_buf_format(
        &sql,
        "WITH moved AS (UPDATE %s o SET next_offset = n.next_offset, updated_at = now()"
        " FROM unnest($3::text[], $4::int4[], $5::int8[], $6::int8[], $7::int8[])"
        " AS n(topic, partition, expected, next_offset, epoch)"
        " WHERE o.log_identity = $1 AND o.connector = $2 AND o.topic = n.topic AND o.partition = n.partition"
        " AND o.epoch = n.epoch AND o.next_offset = n.expected RETURNING 1)"
        " SELECT 1 / (count(*) = $8::int8)::int FROM moved",
        sink->offsets_path);
    rc = sl_pg_prepare(sink->pg, "move", sl_buf_cstr(&sql), 8, NULL, err);
    sl_buf_done(&sql);
    return rc;
}

static int by_place(const void *a, const void *b)
{
    const struct sl_pgsink_position *left = a;
    const struct sl_pgsink_position *right = b;
    int order = strcmp(left->topic->name, right->topic->name);

    return order ? order : (left->partition > right->partition) - (left->partition < right->partition);
}

static enum sl_rc take_over_all(struct sl_pgsink *sink, struct sl_error *err)
{
    enum sl_rc rc = sl_pg_run(sink->pg, "BEGIN; SET LOCAL lock_timeout = '10s'", err);

    if (rc == SL_OK)
        rc = check_foreign(sink, err);
    for (size_t i = 0; i < sink->n_positions && rc == SL_OK; i++)
        rc = take_over(sink, &sink->positions[i], err);
    if (rc == SL_OK)
        return sl_pg_run(sink->pg, "COMMIT", err);
    (void)sl_pg_run(sink->pg, "ROLLBACK", NULL);
    return rc;
}

static struct sl_pgsink_position *find(const struct sl_pgsink *sink, const struct sl_progress *progress)
{
    for (size_t i = 0; i < sink->n_positions; i++) {
        if (sink->positions[i].topic == progress->topic &&
            sink->positions[i].partition == progress->partition)
            return &sink->positions[i];
    }
    return NULL;
}

enum sl_rc sl_pgsink_positions_open(struct sl_pgsink *sink, struct sl_progress *partitions, size_t n,
                                    struct sl_error *err)
{
    struct sl_buf path = {0};
    bool there = false;
    enum sl_rc rc;

    put_path(&sink->config, &path);
    sl_free(sink->offsets_path);
    sink->offsets_path = sl_strdup(sl_buf_cstr(&path));
    sl_buf_done(&path);

    sink->n_positions = n;
    sink->positions = sl_realloc(sink->positions, n + 1, sizeof(*sink->positions));
    for (size_t i = 0; i < n; i++)
        sink->positions[i] = (struct sl_pgsink_position){
            .topic = partitions[i].topic, .partition = partitions[i].partition, .next_offset = -1};
    /* Everybody locks rows in one order. */
    qsort(sink->positions, n, sizeof(*sink->positions), by_place);

    rc = table_there(sink, &there, err);
    if (rc == SL_OK && !there)
        rc = create_table(sink, err);
    if (rc == SL_OK)
        rc = take_over_all(sink, err);
    if (rc == SL_OK && !sink->can_move) {
        rc = prepare_move(sink, err);
        sink->can_move = rc == SL_OK;
    }
    for (size_t i = 0; i < n && rc == SL_OK; i++)
        partitions[i].next_offset = find(sink, &partitions[i])->next_offset;
    return rc;
}

enum sl_rc sl_pgsink_positions_check(const struct sl_pgsink *sink, const struct sl_batch *batch,
                                     struct sl_error *err)
{
    for (uint32_t i = 0; i < batch->n_progress; i++) {
        const struct sl_progress *progress = &batch->progress[i];
        const struct sl_pgsink_position *position = find(sink, progress);

        if (!position)
            return sl_error_set(err, SL_E_INTERNAL,
                                "a batch of topic '%s' partition %d, which this task was not given",
                                progress->topic->name, progress->partition);
        if (progress->next_offset < progress->first_offset || progress->first_offset < 0 ||
            (position->next_offset >= 0 && progress->first_offset != position->next_offset))
            return sl_error_set(
                err, SL_E_INTERNAL,
                "a batch of topic '%s' partition %d covers offsets %lld to %lld, and the target is at "
                "%lld: rows would be left out or applied twice",
                progress->topic->name, progress->partition, (long long)progress->first_offset,
                (long long)progress->next_offset, (long long)position->next_offset);
    }
    return SL_OK;
}

static void put_topics(const struct sl_batch *batch, struct sl_buf *out)
{
    out->len =
        (size_t)(put_array_header(sl_buf_reserve(out, SL_PGSINK_ARRAY_HEADER), TEXT_OID, batch->n_progress) -
                 out->data);
    for (uint32_t i = 0; i < batch->n_progress; i++) {
        sl_buf_be32(out, batch->progress[i].topic->len);
        sl_buf_put(out, batch->progress[i].topic->name, batch->progress[i].topic->len);
    }
}

static void put_partitions(const struct sl_batch *batch, struct sl_buf *out)
{
    out->len =
        (size_t)(put_array_header(sl_buf_reserve(out, SL_PGSINK_ARRAY_HEADER), INT4_OID, batch->n_progress) -
                 out->data);
    for (uint32_t i = 0; i < batch->n_progress; i++) {
        sl_buf_be32(out, 4);
        sl_buf_be32(out, (uint32_t)batch->progress[i].partition);
    }
}

enum what { EXPECTED, NEXT, EPOCH };

static void put_numbers(const struct sl_pgsink *sink, const struct sl_batch *batch, enum what what,
                        struct sl_buf *out)
{
    out->len =
        (size_t)(put_array_header(sl_buf_reserve(out, SL_PGSINK_ARRAY_HEADER), INT8_OID, batch->n_progress) -
                 out->data);
    for (uint32_t i = 0; i < batch->n_progress; i++) {
        const struct sl_pgsink_position *position = find(sink, &batch->progress[i]);
        int64_t number = what == EXPECTED ? position->next_offset
                         : what == NEXT   ? batch->progress[i].next_offset
                                          : position->epoch;

        sl_buf_be32(out, 8);
        sl_buf_be64(out, (uint64_t)number);
    }
}

enum sl_rc sl_pgsink_positions_send(struct sl_pgsink *sink, const struct sl_batch *batch,
                                    struct sl_error *err)
{
    static const int formats[8] = {0, 0, 1, 1, 1, 1, 1, 1};
    struct sl_buf params[6] = {{0}};
    const char *values[8] = {sink->env->log_identity, sink->env->connector};
    int lengths[8] = {0};
    enum sl_rc rc;

    put_topics(batch, &params[0]);
    put_partitions(batch, &params[1]);
    put_numbers(sink, batch, EXPECTED, &params[2]);
    put_numbers(sink, batch, NEXT, &params[3]);
    put_numbers(sink, batch, EPOCH, &params[4]);
    sl_buf_be64(&params[5], batch->n_progress);
    for (int i = 0; i < 6; i++) {
        values[i + 2] = (const char *)params[i].data;
        lengths[i + 2] = (int)params[i].len;
    }
    rc = sl_pg_send_prepared(
        sink->pg, "move",
        &(struct sl_pg_args){.n = 8, .values = values, .lengths = lengths, .formats = formats}, err);
    for (int i = 0; i < 6; i++)
        sl_buf_done(&params[i]);
    return rc;
}

void sl_pgsink_positions_advance(struct sl_pgsink *sink, const struct sl_batch *batch)
{
    for (uint32_t i = 0; i < batch->n_progress; i++)
        find(sink, &batch->progress[i])->next_offset = batch->progress[i].next_offset;
}

enum sl_rc sl_pgsink_fenced(const struct sl_pgsink *sink, struct sl_error *err)
{
    return sl_error_set(
        err, SL_E_FENCED,
        "another writer has taken over the positions of connector '%s' in %s, and nothing of this one's "
        "batch was committed; HINT: two sluice processes run this connector into the same database; stop "
        "one of them",
        sink->env->connector, sink->offsets_path);
}
