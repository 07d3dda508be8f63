/* SPDX-License-Identifier: Apache-2.0 */
/* A look at the living cluster before anything starts: one line says what is wrong and what to do. */
#include "source/scylla/source.h"

#include "base/clock.h"
#include "source/scylla/generations.h"

enum { CONNECT_US = 15000000, STREAMS_TRIED = 32, READ_MS = 10000 };

/* Read a stream's log at the configured consistency: rights, and enough replicas of it that answer. */
static enum sl_rc try_stream(const struct sl_scylla_config *config, struct sl_cql *cql,
                             const struct sl_scylla_table *table, const struct sl_scylla_stream *stream,
                             struct sl_error *err)
{
    char *text = sl_format("SELECT \"cdc$time\" FROM \"%s\".\"%s\" WHERE \"cdc$stream_id\" = ? LIMIT 1",
                           table->keyspace, table->log_name);
    struct sl_cql_values values = {0};
    struct sl_cql_answer *answer;
    enum sl_rc rc;

    sl_cql_bind_bytes(&values, stream->id, 16);
    rc = sl_cql_query(cql,
                      &(struct sl_cql_request){.text = text,
                                               .values = &values,
                                               .consistency = config->consistency,
                                               .has_token = true,
                                               .token = (int64_t)sl_cql_load_be64(stream->id),
                                               .keyspace = table->keyspace,
                                               .table = table->log_name,
                                               .timeout_ms = READ_MS},
                      &answer, err);
    if (rc == SL_OK)
        sl_cql_answer_free(answer);
    else
        (void)sl_error_wrap(err, "reading '%s.%s' at %s", table->keyspace, table->log_name,
                            sl_cql_consistency_name(config->consistency));
    sl_cql_values_done(&values);
    sl_free(text);
    return rc;
}

/* Streams from all around the ring; a cluster without any yet is fine. */
static enum sl_rc try_streams(const struct sl_scylla_config *config, struct sl_cql *cql,
                              const struct sl_scylla_table *table, struct sl_error *err)
{
    struct sl_scylla_stream_set set = {0};
    int64_t at_ms = 0, next_ms = SL_SCYLLA_NO_TIME;
    uint32_t step;
    enum sl_rc rc = sl_scylla_next_generation(cql, table, 0, &next_ms, err);

    while (rc == SL_OK && next_ms != SL_SCYLLA_NO_TIME) {
        at_ms = next_ms;
        rc = sl_scylla_next_generation(cql, table, at_ms, &next_ms, err);
    }
    if (rc == SL_OK && at_ms)
        rc = sl_scylla_read_streams(cql, table, at_ms, &set, err);
    step = set.n > STREAMS_TRIED ? set.n / STREAMS_TRIED : 1;
    for (uint32_t i = 0; rc == SL_OK && i < set.n; i += step)
        rc = try_stream(config, cql, table, &set.streams[i], err);
    sl_scylla_stream_set_free(&set);
    return rc;
}

static enum sl_rc check_tables(const struct sl_scylla_config *config, struct sl_cql *cql,
                               struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    for (uint32_t i = 0; rc == SL_OK && i < config->n_tables; i++) {
        struct sl_scylla_table *table;

        rc = sl_scylla_table_read(cql, &config->tables[i], i, false, &table, err);
        if (rc != SL_OK)
            break;
        rc = try_streams(config, cql, table, err);
        sl_scylla_table_free(table);
    }
    return rc;
}

enum sl_rc sl_scylla_probe(const struct sl_props *props, struct sl_error *err)
{
    struct sl_scylla_config *config;
    struct sl_cql *cql = NULL;
    enum sl_rc rc = sl_scylla_config_read(props, &config, err);

    if (rc != SL_OK)
        return rc;
    rc = sl_cql_new(&config->cql, &cql, err);
    if (rc == SL_OK)
        rc = sl_cql_connect(cql, sl_now_us() + CONNECT_US, err);
    if (rc == SL_OK)
        rc = check_tables(config, cql, err);
    sl_cql_free(cql);
    sl_scylla_config_free(config);
    return rc;
}
