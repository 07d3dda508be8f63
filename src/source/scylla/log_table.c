/* SPDX-License-Identifier: Apache-2.0 */
#include "source/scylla/log_table.h"

#include "base/clock.h"
#include "base/log.h"

enum { PREPARE_US = 30000000 };

static void take_table(struct sl_scylla_log_table *log, struct sl_scylla_table *table)
{
    SL_GROW(log->tables, log->n_tables, log->tables_capacity);
    log->tables[log->n_tables++] = table;
    log->table = table;
}

static enum sl_rc prepare(struct sl_scylla_log_table *log, struct sl_error *err)
{
    char *text =
        sl_format("SELECT * FROM \"%s\".\"%s\" WHERE \"cdc$stream_id\" IN ? AND \"cdc$time\" > ? AND "
                  "\"cdc$time\" <= ?",
                  log->table->keyspace, log->table->log_name);
    enum sl_rc rc = sl_cql_prepare(log->cql, text, sl_now_us() + PREPARE_US, &log->in_streams, err);

    if (rc != SL_OK)
        (void)sl_error_wrap(err, "preparing the read of '%s.%s'", log->table->keyspace, log->table->log_name);
    sl_free(text);
    return rc;
}

/* What the configuration wants and the table does not give: events are made all the same. */
static void warn_of_images(const struct sl_scylla_config *config, const struct sl_scylla_table *table)
{
    if (!table->cdc.known || !config->advanced)
        return;
    if (config->before != SL_SCYLLA_IMAGE_NONE && !table->cdc.preimage)
        sl_warn("cdc.include.before is set, but the table writes no preimages: before stays null",
                SL_T("table", table->name),
                SL_T("hint", "ALTER TABLE ... WITH cdc = {..., 'preimage': true}"));
    if (config->after != SL_SCYLLA_IMAGE_NONE && !table->cdc.postimage)
        sl_warn("cdc.include.after is set, but the table writes no postimages: after holds what each change "
                "names",
                SL_T("table", table->name),
                SL_T("hint", "ALTER TABLE ... WITH cdc = {..., 'postimage': true}"));
}

enum sl_rc sl_scylla_log_table_open(const struct sl_scylla_config *config, struct sl_cql *cql,
                                    uint32_t number, struct sl_scylla_log_table **ret, struct sl_error *err)
{
    struct sl_scylla_log_table *log = sl_zalloc(1, sizeof(*log));
    struct sl_scylla_table *table;
    enum sl_rc rc;

    log->config = config;
    log->cql = cql;
    log->name = config->tables[number];
    log->number = number;
    rc = sl_scylla_table_read(cql, &log->name, number, false, &table, err);
    if (rc == SL_OK) {
        take_table(log, table);
        warn_of_images(config, table);
        rc = prepare(log, err);
    }
    if (rc != SL_OK)
        sl_scylla_log_table_free(log);
    else
        *ret = log;
    return rc;
}

void sl_scylla_log_table_free(struct sl_scylla_log_table *log)
{
    if (!log)
        return;
    sl_cql_statement_free(log->in_streams);
    for (uint32_t i = 0; i < log->n_shapes; i++)
        sl_scylla_shape_free(log->shapes[i]);
    for (uint32_t i = 0; i < log->n_tables; i++)
        sl_scylla_table_free(log->tables[i]);
    sl_free(log->shapes);
    sl_free(log->tables);
    sl_free(log);
}

/* A table that was read a moment ago may not show an ALTER that the log's rows show already. */
enum sl_rc sl_scylla_log_table_refresh(struct sl_scylla_log_table *log, struct sl_error *err)
{
    struct sl_scylla_table *table;
    enum sl_rc rc = sl_scylla_table_read(log->cql, &log->name, log->number, true, &table, err);

    if (rc != SL_OK)
        return rc;
    log->stale = false;
    if (sl_scylla_table_equal(table, log->table)) {
        sl_scylla_table_free(table);
        return SL_OK;
    }
    sl_info("a table's schema changed", SL_T("keyspace", table->keyspace), SL_T("table", table->name),
            SL_I("columns", table->n_columns));
    take_table(log, table);
    return SL_OK;
}

enum sl_rc sl_scylla_log_table_shape(struct sl_scylla_log_table *log, const struct sl_cql_columns *columns,
                                     const struct sl_scylla_shape **ret, struct sl_error *err)
{
    struct sl_scylla_shape *shape;
    enum sl_rc rc = SL_OK;

    if (log->stale)
        rc = sl_scylla_log_table_refresh(log, err);
    for (uint32_t i = log->n_shapes; rc == SL_OK && i-- > 0;)
        if (log->shapes[i]->columns == columns &&
            (log->shapes[i]->table == log->table || !log->shapes[i]->incomplete)) {
            *ret = log->shapes[i];
            return SL_OK;
        }
    if (rc != SL_OK)
        return rc;
    shape = sl_scylla_shape_new(log->config, log->table, columns);
    if (shape->incomplete) {
        rc = sl_scylla_log_table_refresh(log, err);
        if (rc == SL_OK && shape->table != log->table) {
            sl_scylla_shape_free(shape);
            shape = sl_scylla_shape_new(log->config, log->table, columns);
        }
    }
    if (rc == SL_OK)
        rc = sl_scylla_shape_check(shape, err);
    if (rc != SL_OK) {
        sl_scylla_shape_free(shape);
        return rc;
    }
    SL_GROW(log->shapes, log->n_shapes, log->shapes_capacity);
    log->shapes[log->n_shapes++] = shape;
    *ret = shape;
    return SL_OK;
}
