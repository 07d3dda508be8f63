/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sluice_offsets: how far the target is, in the target itself. One row for each (log identity, connector,
 * topic, partition), where the identity is the topic's: on Kafka a topic that was made again has another.
 * Taking over raises the row's epoch; from then on the compare-and-set of an older writer finds no row,
 * divides by zero, and its transaction is lost as a whole. Format 1.
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
                          "cannot create the table of positions: %.90s. HINT: let an administrator run: %s",
                          why.text, sl_buf_cstr(&sql));
    else if (rc != SL_OK && err)
        *err = why;
    sl_buf_done(&sql);
    return rc;
}

static enum sl_rc refuse_foreign(const struct sl_pgsink *sink, const struct sl_pgsink_position *position,
                                 const char *identity, struct sl_error *err)
{
    return sl_error_set(
        err, SL_E_FOREIGN_POSITION,
        "the target holds positions of connector '%s' for another log (topic '%s': %s; this one is %s). "
        "HINT: "
        "start with the log that belongs to the target, or give the connector another name, or choose with "
        "'sluice offsets adopt', or, to apply this log from its start: DELETE FROM %s WHERE connector = '%s'",
        sink->env->connector, position->topic->name, identity, position->identity, sink->offsets_path,
        sink->env->connector);
}

static enum sl_rc check_foreign(struct sl_pgsink *sink, const struct sl_pgsink_position *position,
                                struct sl_error *err)
{
    struct sl_buf sql = {0};
    const char *values[3] = {sink->env->connector, position->identity, position->topic->name};
    PGresult *result;
    enum sl_rc rc;

    sl_buf_format(&sql,
                  "SELECT log_identity FROM %s WHERE connector = $1 AND log_identity <> $2 AND topic = $3 "
                  "LIMIT 1",
                  sink->offsets_path);
    rc = sl_pg_query(sink->pg, sl_buf_cstr(&sql), &(struct sl_pg_args){.n = 3, .values = values}, &result,
                     err);
    sl_buf_done(&sql);
    if (rc != SL_OK)
        return rc;
    if (PQntuples(result) > 0)
        rc = refuse_foreign(sink, position, PQgetvalue(result, 0, 0), err);
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
            "%s holds a position of format %ld, and this program writes format %d. HINT: use the newer "
            "program that wrote it",
            sink->offsets_path, format, FORMAT);
    if (next < -1)
        return sl_error_set(
            err, SL_E_FOREIGN_POSITION,
            "%s holds the impossible position %lld for topic '%s' partition %d. HINT: correct next_offset "
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
    const char *values[4] = {position->identity, sink->env->connector, position->topic->name, partition};
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
            "another session holds the position of topic '%s' in %s. HINT: is another sluice running "
            "connector '%s'? (pg_stat_activity shows it by its application_name)",
            position->topic->name, sink->offsets_path, sink->env->connector);
    if (rc != SL_OK)
        return sl_error_wrap(err, "taking over positions in %s", sink->offsets_path);
    rc = read_position(sink, result, position, err);
    PQclear(result);
    return rc;
}

/*
 * $2 .. $7: identities, topics, partitions, what we think is there, what comes next, our epochs. Without a
 * match for every one of them the division fails, and with it the transaction that this statement begins.
 */
static enum sl_rc prepare_move(struct sl_pgsink *sink, struct sl_error *err)
{
    struct sl_buf sql = {0};
    enum sl_rc rc;

    sl_buf_format(&sql,
                  "WITH moved AS (UPDATE %s o SET next_offset = n.next_offset, updated_at = now()"
                  " FROM unnest($2::text[], $3::text[], $4::int4[], $5::int8[], $6::int8[], $7::int8[])"
                  " AS n(identity, topic, partition, expected, next_offset, epoch)"
                  " WHERE o.connector = $1 AND o.log_identity = n.identity AND o.topic = n.topic"
                  " AND o.partition = n.partition"
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

    for (size_t i = 0; i < sink->n_positions && rc == SL_OK; i++) {
        bool same_topic = i > 0 && sink->positions[i].topic == sink->positions[i - 1].topic;

        if (!same_topic)
            rc = check_foreign(sink, &sink->positions[i], err);
        if (rc == SL_OK)
            rc = take_over(sink, &sink->positions[i], err);
    }
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

enum sl_rc sl_pgsink_identity(const struct sl_pgsink *sink, const struct sl_topic *topic, char **ret,
                              struct sl_error *err)
{
    if (sink->env->topic_identity)
        return sink->env->topic_identity(sink->env->ctx, topic, ret, err);
    *ret = sl_strdup(sink->env->log_identity);
    return SL_OK;
}

enum sl_rc sl_pgsink_positions_table(struct sl_pgsink *sink, struct sl_error *err)
{
    struct sl_buf path = {0};
    bool there = false;
    enum sl_rc rc;

    put_path(&sink->config, &path);
    sl_free(sink->offsets_path);
    sink->offsets_path = sl_strdup(sl_buf_cstr(&path));
    sl_buf_done(&path);
    rc = table_there(sink, &there, err);
    if (rc == SL_OK && !there)
        rc = create_table(sink, err);
    return rc;
}

void sl_pgsink_positions_forget(struct sl_pgsink *sink)
{
    for (size_t i = 0; i < sink->n_positions; i++)
        sl_free(sink->positions[i].identity);
    sink->n_positions = 0;
}

static enum sl_rc set_positions(struct sl_pgsink *sink, const struct sl_progress *partitions, size_t n,
                                struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    sl_pgsink_positions_forget(sink);
    sink->positions = sl_realloc(sink->positions, n + 1, sizeof(*sink->positions));
    for (size_t i = 0; i < n && rc == SL_OK; i++) {
        struct sl_pgsink_position *position = &sink->positions[i];

        *position = (struct sl_pgsink_position){
            .topic = partitions[i].topic, .partition = partitions[i].partition, .next_offset = -1};
        if (i > 0 && partitions[i].topic == partitions[i - 1].topic)
            position->identity = sl_strdup(sink->positions[i - 1].identity);
        else
            rc = sl_pgsink_identity(sink, partitions[i].topic, &position->identity, err);
        sink->n_positions += rc == SL_OK;
    }
    /* Everybody locks rows in one order. */
    qsort(sink->positions, sink->n_positions, sizeof(*sink->positions), by_place);
    return rc;
}

enum sl_rc sl_pgsink_positions_open(struct sl_pgsink *sink, struct sl_progress *partitions, size_t n,
                                    struct sl_error *err)
{
    enum sl_rc rc = set_positions(sink, partitions, n, err);

    if (rc == SL_OK)
        rc = sl_pgsink_positions_table(sink, err);
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

enum name { IDENTITY, TOPIC };

static void put_names(const struct sl_pgsink *sink, const struct sl_batch *batch, enum name which,
                      struct sl_buf *out)
{
    out->len =
        (size_t)(put_array_header(sl_buf_reserve(out, SL_PGSINK_ARRAY_HEADER), TEXT_OID, batch->n_progress) -
                 out->data);
    for (uint32_t i = 0; i < batch->n_progress; i++) {
        const char *name =
            which == TOPIC ? batch->progress[i].topic->name : find(sink, &batch->progress[i])->identity;
        size_t len = strlen(name);

        sl_buf_be32(out, (uint32_t)len);
        sl_buf_put(out, name, len);
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
    static const int formats[8] = {0, 1, 1, 1, 1, 1, 1, 1};
    struct sl_buf params[7] = {{0}};
    const char *values[8] = {sink->env->connector};
    int lengths[8] = {0};
    enum sl_rc rc;

    put_names(sink, batch, IDENTITY, &params[0]);
    put_names(sink, batch, TOPIC, &params[1]);
    put_partitions(batch, &params[2]);
    put_numbers(sink, batch, EXPECTED, &params[3]);
    put_numbers(sink, batch, NEXT, &params[4]);
    put_numbers(sink, batch, EPOCH, &params[5]);
    sl_buf_be64(&params[6], batch->n_progress);
    for (int i = 0; i < 7; i++) {
        values[i + 1] = (const char *)params[i].data;
        lengths[i + 1] = (int)params[i].len;
    }
    rc = sl_pg_send_prepared(
        sink->pg, "move",
        &(struct sl_pg_args){.n = 8, .values = values, .lengths = lengths, .formats = formats}, err);
    for (int i = 0; i < 7; i++)
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
        "batch was committed. HINT: two sluice processes run this connector into the same database; stop "
        "one of them",
        sink->env->connector, sink->offsets_path);
}
