/* SPDX-License-Identifier: Apache-2.0 */
#include "sink/postgres/sink.h"

#include "base/log.h"
#include "base/props.h"
#include "sink/postgres/state.h"
#include "sink/postgres/target.h"

#include <errno.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* ---- the connection ---- */

static enum sl_rc set_zone(struct sl_pg *pg, const struct sl_pgsink_config *config, struct sl_error *err)
{
    struct sl_buf sql = {0};
    enum sl_rc rc;

    sl_buf_text(&sql, "SET TimeZone = ");
    sl_pg_quote_text(&sql, config->zone);
    rc = sl_pg_run(pg, sl_buf_cstr(&sql), err);
    sl_buf_done(&sql);
    if (rc == SL_E_DATA)
        rc = sl_error_set(err, SL_E_CONFIG, "db.timezone: PostgreSQL knows no time zone '%s'", config->zone);
    return rc;
}

/*
 * The statements join at most a batch of keys with a table by its index: a plan that reads the whole table
 * would only look cheap while the table is small. A client that is gone is noticed in the middle of a
 * statement, too.
 */
static enum sl_rc set_session(struct sl_pg *pg, const struct sl_pgsink_config *config, struct sl_error *err)
{
    enum sl_rc rc = sl_pg_run(pg,
                              "SET DateStyle = ISO; SET enable_seqscan = off; SET enable_hashjoin = off;"
                              " SET enable_mergejoin = off",
                              err);

    /* Known from version 14 on, and only where the system can tell: it may be refused. */
    if (rc == SL_OK && sl_pg_server_version(pg) >= 140000 &&
        sl_pg_run(pg, "SET client_connection_check_interval = '10s'", err) == SL_E_CONNECT)
        rc = SL_E_CONNECT;
    return rc == SL_OK ? set_zone(pg, config, err) : rc;
}

static enum sl_rc connect_once(const struct sl_pgsink_config *config, const char *connector, int stop_fd,
                               struct sl_pg **ret, struct sl_error *err)
{
    struct sl_pg_params params = {0};
    struct sl_pg *pg = NULL;
    enum sl_rc rc;

    for (size_t i = 0; i < config->connection.n; i++)
        sl_pg_params_set(&params, config->connection.keywords[i], config->connection.values[i]);
    if (!sl_pg_params_get(&params, "application_name")) {
        char *name = sl_format("sluice %s", connector);

        sl_pg_params_set(&params, "application_name", name);
        sl_free(name);
    }
    rc = sl_pg_connect(&params, stop_fd, &pg, err);
    sl_pg_params_done(&params);
    if (rc == SL_OK)
        rc = set_session(pg, config, err);
    if (rc != SL_OK) {
        sl_pg_close(pg);
        return rc;
    }
    *ret = pg;
    return SL_OK;
}

static enum sl_rc prepare_ends(struct sl_pg *pg, struct sl_error *err)
{
    enum sl_rc rc = sl_pg_prepare(pg, "begin", "BEGIN", 0, NULL, err);

    return rc == SL_OK ? sl_pg_prepare(pg, "commit", "COMMIT", 0, NULL, err) : rc;
}

static void disconnect(struct sl_pgsink *sink)
{
    sl_pg_close(sink->pg);
    sink->pg = NULL;
    sink->can_move = false;
    sink->has_said = false;
    sl_pgsink_plans_forget(sink);
}

static void warn_ignored(struct sl_pgsink *sink)
{
    if (sink->config.connection.ignored.len && !sink->warned_ignored)
        sl_warn("connection properties that mean nothing here",
                SL_T("properties", sl_buf_cstr(&sink->config.connection.ignored)));
    sink->warned_ignored = true;
}

/* ---- batches ---- */

static void release(struct sl_pgsink *sink, struct sl_batch *batch, bool durable)
{
    if (batch)
        sink->env->release(sink->env->ctx, batch, durable);
}

static void committed(struct sl_pgsink *sink, struct sl_batch *batch)
{
    sl_pgsink_positions_advance(sink, batch);
    release(sink, batch, true);
}

/* Failures that another way of applying the same batch may get around. */
static bool worth_splitting(enum sl_rc rc)
{
    return rc == SL_E_DATA || rc == SL_E_BUSY || rc == SL_E_SCHEMA;
}

enum sl_rc sl_pgsink_settle(struct sl_pgsink *sink, struct sl_error *err)
{
    struct sl_batch *batch = sink->flying;
    enum sl_rc rc;

    if (!batch)
        return SL_OK;
    rc = sl_pgsink_flight_land(sink, err);
    sink->flying = NULL;
    if (worth_splitting(rc))
        rc = sl_pgsink_split(sink, batch, err);
    if (rc == SL_OK)
        committed(sink, batch);
    else
        release(sink, batch, false);
    return rc;
}

static enum sl_rc apply_slowly(struct sl_pgsink *sink, struct sl_batch *batch, struct sl_error *err)
{
    enum sl_rc rc = sl_pgsink_settle(sink, err);

    if (rc == SL_OK)
        rc = sl_pgsink_positions_check(sink, batch, err);
    if (rc == SL_OK)
        rc = sl_pgsink_split(sink, batch, err);
    if (rc == SL_OK)
        committed(sink, batch);
    return rc;
}

/* Bind the batch, but for what waits behind a bad record. */
static enum sl_rc bind(struct sl_pgsink *sink, struct sl_batch *batch, uint64_t *ret_parked,
                       struct sl_error *err)
{
    const uint8_t *skip = NULL;
    enum sl_rc rc = SL_OK;

    if (sink->env->parked)
        rc = sink->env->parked(sink->env->ctx, batch, &skip, ret_parked, err);
    return rc == SL_OK ? sl_pgsink_load_build(sink, &sink->load, batch, 0, batch->n_records, skip, err) : rc;
}

/* Did settling the batch before change what was bound: other plans, or keys that wait now? */
static enum sl_rc bind_again(struct sl_pgsink *sink, struct sl_batch *batch, uint64_t parked,
                             struct sl_error *err)
{
    const uint8_t *skip = NULL;
    uint64_t now = parked;
    enum sl_rc rc = SL_OK;

    if (sink->env->parked)
        rc = sink->env->parked(sink->env->ctx, batch, &skip, &now, err);
    if (rc == SL_OK && (sink->load.generation != sink->generation || now != parked))
        rc = sl_pgsink_load_build(sink, &sink->load, batch, 0, batch->n_records, skip, err);
    return rc;
}

/* Bind the batch while the one before is executed, then send it. */
static enum sl_rc apply(struct sl_pgsink *sink, struct sl_batch *batch, struct sl_error *err)
{
    struct sl_pgsink_load *load = &sink->load;
    uint64_t parked = 0;
    enum sl_rc rc = bind(sink, batch, &parked, err);

    if (rc == SL_OK && (load->bads.n || load->tangled))
        return apply_slowly(sink, batch, err);
    if (rc == SL_OK)
        rc = sl_pgsink_settle(sink, err);
    if (rc == SL_OK)
        rc = bind_again(sink, batch, parked, err);
    if (rc == SL_OK && (load->bads.n || load->tangled))
        return apply_slowly(sink, batch, err);
    if (rc == SL_OK)
        rc = sl_pgsink_positions_check(sink, batch, err);
    if (rc == SL_OK)
        rc = sl_pgsink_flight_send(sink, batch, load, err);
    if (rc == SL_OK)
        sink->flying = batch;
    return rc;
}

/* ---- what the engine calls ---- */

static enum sl_rc pgsink_check(const struct sl_props *props, struct sl_error *err)
{
    struct sl_pgsink_config config;
    enum sl_rc rc = sl_pgsink_config_read(props, &config, err);

    if (rc == SL_OK)
        sl_pgsink_config_done(&config);
    return rc;
}

static void pgsink_close(void *self)
{
    struct sl_pgsink *sink = self;

    if (!sink)
        return;
    release(sink, sink->flying, false);
    disconnect(sink);
    sl_pgsink_load_done(&sink->load);
    sl_pgsink_load_done(&sink->retry);
    sl_pgsink_config_done(&sink->config);
    sl_pgsink_positions_forget(sink);
    sl_free(sink->positions);
    sl_free(sink->offsets_path);
    sl_free(sink->targets);
    sl_free(sink->plans);
    (void)close(sink->stop_fd);
    sl_free(sink);
}

static enum sl_rc pgsink_open(const struct sl_sink_env *env, const struct sl_props *props, void **ret_self,
                              struct sl_error *err)
{
    struct sl_pgsink *sink = sl_zalloc(1, sizeof(*sink));
    enum sl_rc rc = sl_pgsink_config_read(props, &sink->config, err);

    if (rc != SL_OK) {
        sl_free(sink);
        return rc;
    }
    sink->env = env;
    sink->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (sink->stop_fd < 0) {
        rc = sl_error_set(err, SL_E_IO, "eventfd: %s", strerror(errno));
        pgsink_close(sink);
        return rc;
    }
    *ret_self = sink;
    return SL_OK;
}

static enum sl_rc take_over(struct sl_pgsink *sink, struct sl_progress *partitions, size_t n,
                            struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    if (!sink->pg) {
        warn_ignored(sink);
        rc = connect_once(&sink->config, sink->env->connector, sink->stop_fd, &sink->pg, err);
        if (rc == SL_OK)
            rc = prepare_ends(sink->pg, err);
    }
    if (rc == SL_OK)
        rc = sl_pgsink_positions_open(sink, partitions, n, err);
    if (rc != SL_OK)
        disconnect(sink);
    return rc;
}

/* A connection that is at rest stays, with its plans: a new topic is no reason to begin again. */
static enum sl_rc pgsink_assign(void *self, struct sl_progress *partitions, size_t n, struct sl_error *err)
{
    struct sl_pgsink *sink = self;
    bool at_rest = sink->pg && !sink->flying;
    enum sl_rc rc;

    release(sink, sink->flying, false);
    sink->flying = NULL;
    if (!at_rest)
        disconnect(sink);
    rc = take_over(sink, partitions, n, err);
    if (rc == SL_E_CONNECT && at_rest) /* it was dead, and nobody had noticed */
        rc = take_over(sink, partitions, n, err);
    return rc;
}

static enum sl_rc give_up(struct sl_pgsink *sink, struct sl_batch *batch, enum sl_rc rc)
{
    release(sink, sink->flying, false);
    sink->flying = NULL;
    release(sink, batch, false);
    disconnect(sink);
    return rc;
}

static enum sl_rc not_assigned(struct sl_error *err)
{
    return sl_error_set(err, SL_E_CONNECT,
                        "not connected to PostgreSQL: the positions have to be taken over first");
}

static enum sl_rc pgsink_put(void *self, struct sl_batch *batch, struct sl_error *err)
{
    struct sl_pgsink *sink = self;
    enum sl_rc rc = sink->pg ? apply(sink, batch, err) : not_assigned(err);

    return rc == SL_OK ? SL_OK : give_up(sink, batch, rc);
}

static enum sl_rc pgsink_flush(void *self, struct sl_error *err)
{
    struct sl_pgsink *sink = self;
    enum sl_rc rc = sl_pgsink_settle(sink, err);

    return rc == SL_OK ? SL_OK : give_up(sink, NULL, rc);
}

static void pgsink_wake(void *self)
{
    struct sl_pgsink *sink = self;

    (void)eventfd_write(sink->stop_fd, 1);
}

/* ---- beside the tasks ---- */

static enum sl_rc pgsink_positions(void *self, sl_sink_position_visitor *visit, void *ctx,
                                   struct sl_error *err)
{
    struct sl_pgsink *sink = self;
    enum sl_rc rc = connect_once(&sink->config, sink->env->connector, sink->stop_fd, &sink->pg, err);

    if (rc == SL_OK)
        rc = sl_pgsink_positions_visit(sink, visit, ctx, err);
    disconnect(sink);
    return rc;
}

static enum sl_rc pgsink_reposition(void *self, const struct sl_progress *positions, size_t n,
                                    struct sl_error *err)
{
    struct sl_pgsink *sink = self;
    enum sl_rc rc = connect_once(&sink->config, sink->env->connector, sink->stop_fd, &sink->pg, err);

    if (rc == SL_OK)
        rc = sl_pgsink_reposition(sink, positions, n, err);
    disconnect(sink);
    return rc;
}

/* ---- before starting ---- */

static enum sl_rc table_there(struct sl_pg *pg, const struct sl_pgsink_config *config, const char *topic,
                              bool *ret_there, char **ret_path, struct sl_error *err)
{
    const struct sl_topic *interned = sl_topic_intern(topic, strlen(topic));
    struct sl_pgsink_table *table = NULL;
    char *path = sl_pgsink_table_path(config, interned);
    enum sl_rc rc = sl_pgsink_table_read(pg, path, &table, err);

    if (rc != SL_OK) {
        sl_free(path);
        return rc;
    }
    *ret_there = table != NULL;
    *ret_path = path;
    sl_pgsink_table_free(table);
    return SL_OK;
}

/*
 * The tables of the topics that are known beforehand. A topic may never have a record, so one missing table
 * among others is a warning; when there is none at all, the settings are wrong.
 */
static enum sl_rc probe_tables(struct sl_pg *pg, const struct sl_pgsink_config *config, const char *topics,
                               struct sl_error *err)
{
    char topic[256];
    char *missing = NULL;
    bool found = false;
    enum sl_rc rc = SL_OK;

    while (rc == SL_OK && topics && sl_list_next(&topics, topic, sizeof(topic))) {
        char *path = NULL;
        bool there = false;

        rc = table_there(pg, config, topic, &there, &path, err);
        if (rc != SL_OK)
            break;
        found |= there;
        if (!there)
            sl_warn("a target table does not exist yet", SL_T("topic", topic), SL_T("table", path));
        if (there || missing)
            sl_free(path);
        else
            missing = path;
    }
    if (rc == SL_OK && missing && !found)
        rc = sl_error_set(
            err, SL_E_NOT_FOUND,
            "table %s does not exist in the target. HINT: create it, set auto.create=true, or correct "
            "table.name.format",
            missing);
    sl_free(missing);
    return rc;
}

static enum sl_rc pgsink_probe(const struct sl_props *props, struct sl_error *err)
{
    struct sl_pgsink_config config;
    struct sl_pg *pg = NULL;
    enum sl_rc rc = sl_pgsink_config_read(props, &config, err);

    if (rc != SL_OK)
        return rc;
    rc = connect_once(&config, "probe", -1, &pg, err);
    if (rc == SL_OK)
        rc = config.auto_create ? SL_OK
                                : probe_tables(pg, &config, sl_props_get(props, "sluice.routed.topics"), err);
    sl_pg_close(pg);
    sl_pgsink_config_done(&config);
    return rc;
}

static const char *const classes[] = {"io.confluent.connect.jdbc.JdbcSinkConnector", "postgres", NULL};

static const char *const address_keys[] = {"connection.url", NULL};

const struct sl_sink_ops sl_pgsink_ops = {
    .name = "postgres",
    .classes = classes,
    .options = sl_pgsink_options,
    .address_keys = address_keys,
    .check = pgsink_check,
    .open = pgsink_open,
    .assign = pgsink_assign,
    .put = pgsink_put,
    .flush = pgsink_flush,
    .close = pgsink_close,
    .wake = pgsink_wake,
    .probe = pgsink_probe,
    .positions = pgsink_positions,
    .reposition = pgsink_reposition,
};
