/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Has the cleanup job removed changes before they were read? Reading a change table directly never says so,
 * hence the low-water marks are looked at: once at a start, and after the rows of every batch were read and
 * before they are handed out. And has somebody dropped a capture instance whose changes were still wanted?
 */
#include "base/log.h"
#include "source/sqlserver/database.h"

#include <stdio.h>

static enum sl_rc gap_error(const struct sl_mssql_database *db, const char *name, const struct sl_lsn *mark,
                            struct sl_error *err)
{
    char from[SL_LSN_TEXT_SIZE + 1] = "";
    char to[SL_LSN_TEXT_SIZE + 1] = "";

    sl_lsn_write(&db->next_from, from);
    sl_lsn_write(mark, to);
    return sl_error_set(
        err, SL_E_GAP,
        "table '%s': changes from LSN %s up to %s were removed by the cleanup job before they "
        "were read. HINT: take a new snapshot (snapshot.mode=when_needed, or remove the "
        "connector's offsets), and raise the retention with sys.sp_cdc_change_job",
        name, from, to);
}

enum sl_rc sl_mssql_gap_in_window(struct sl_mssql_database *db, int object_id, const struct sl_lsn *mark,
                                  struct sl_error *err)
{
    const struct sl_mssql_window *window = &db->window;

    if (!window->open || sl_lsn_compare(mark, &window->from) <= 0)
        return SL_OK;
    for (size_t i = 0; i < db->n_tables; i++) {
        const struct sl_mssql_instance *instance = db->tables[i]->instance;

        /* One that began inside the window lost nothing; neither did one whose beginning the capture job had
         * not set yet when we read the catalogue: the mark is that beginning. */
        if (instance->object_id != object_id || sl_lsn_is_zero(&instance->start) ||
            sl_lsn_compare(mark, &instance->start) <= 0)
            continue;
        for (size_t j = 0; j < window->n_commits; j++)
            if (sl_lsn_compare(&window->commits[j].lsn, mark) < 0)
                return gap_error(db, db->tables[i]->name, mark, err);
    }
    return SL_OK;
}

/*
 * What the time mapping still knows of the place from which reading goes on: is there an entry before it
 * (then cleanup has not passed it), and did instances exist already, and transactions happen, between it and
 * the oldest mark?
 */
static const char start_sql[] =
    "SELECT ct.object_id, ct.start_lsn,"
    " CASE WHEN EXISTS (SELECT 1 FROM cdc.lsn_time_mapping m WHERE m.start_lsn < ?) THEN 1 ELSE 0 END,"
    " CASE WHEN ct.create_date <= (SELECT MAX(m.tran_end_time) FROM cdc.lsn_time_mapping m WHERE m.start_lsn "
    "< ?)"
    " THEN 1 ELSE 0 END,"
    " CASE WHEN EXISTS (SELECT 1 FROM cdc.lsn_time_mapping m WHERE m.start_lsn >= ? AND m.start_lsn < "
    "ct.start_lsn AND m.tran_id <> 0x00) THEN 1 ELSE 0 END"
    " FROM cdc.change_tables ct WHERE ct.start_lsn > ?";

/*
 * From a position of zero (the snapshot ran before the capture job had written anything) nothing can be
 * remembered. Each mark lies above it; one that cleanup has raised is a transaction's end well after the
 * instance was made.
 */
static const char zero_sql[] =
    "SELECT ct.object_id, ct.start_lsn, 1, 1,"
    " CASE WHEN EXISTS (SELECT 1 FROM cdc.lsn_time_mapping m WHERE m.start_lsn = ct.start_lsn"
    " AND m.tran_end_time > DATEADD(minute, 1, ct.create_date)) THEN 1 ELSE 0 END"
    " FROM cdc.change_tables ct WHERE ct.start_lsn > ?";

static enum sl_rc look(struct sl_mssql_database *db, struct sl_odbc_stmt *stmt, struct sl_error *err)
{
    const struct sl_cell *mark_cell = sl_odbc_cell(stmt, 1);
    int object_id = (int)sl_odbc_int(stmt, 0);
    bool remembered = sl_odbc_int(stmt, 2) != 0;
    bool existed = sl_odbc_int(stmt, 3) != 0;
    bool happened = sl_odbc_int(stmt, 4) != 0;
    struct sl_lsn mark;

    if (mark_cell->len != SL_LSN_SIZE || (remembered && !(existed && happened)))
        return SL_OK;
    memcpy(mark.b, mark_cell->data, SL_LSN_SIZE);
    for (size_t i = 0; i < db->n_tables; i++) {
        const struct sl_mssql_instance *instance = db->tables[i]->instance;
        bool succeeds = false;

        if (instance->object_id != object_id)
            continue;
        /* An older instance of the same table covers what lies before the newer one's start. */
        for (size_t j = 0; j < db->n_tables; j++)
            succeeds = succeeds || (j != i && db->tables[j]->instance->has_stop &&
                                    db->tables[j]->instance->source_object_id == instance->source_object_id);
        if (!succeeds)
            return gap_error(db, db->tables[i]->name, &mark, err);
    }
    return SL_OK;
}

enum sl_rc sl_mssql_gap_at_start(struct sl_mssql_database *db, struct sl_error *err)
{
    struct sl_lsn before = sl_lsn_previous(&db->next_from);
    bool from_zero = sl_lsn_is_zero(&before);
    struct sl_odbc_stmt *stmt;
    bool row = true;
    enum sl_rc rc;

    if (db->checked_start || sl_lsn_is_zero(&db->next_from))
        return SL_OK;
    rc = sl_odbc_prepare(db->control, from_zero ? zero_sql : start_sql, &stmt, err);
    if (rc != SL_OK)
        return rc;
    for (int i = 1; i <= (from_zero ? 1 : 4) && rc == SL_OK; i++)
        rc = sl_odbc_bind_binary(stmt, i, db->next_from.b, SL_LSN_SIZE, err);
    if (rc == SL_OK)
        rc = sl_odbc_execute(stmt, err);
    while (rc == SL_OK && row) {
        rc = sl_odbc_fetch(stmt, &row, err);
        if (rc == SL_OK && row)
            rc = look(db, stmt, err);
    }
    sl_odbc_stmt_free(stmt);
    db->checked_start = rc == SL_OK;
    return rc;
}

/* *ret_any: the capture job has seen a transaction since the place from which reading goes on. */
static enum sl_rc unread_transactions(struct sl_mssql_database *db, bool *ret_any, struct sl_error *err)
{
    struct sl_odbc_stmt *stmt;
    bool row = false;
    enum sl_rc rc = sl_odbc_prepare(
        db->control,
        "SELECT TOP (1) start_lsn FROM cdc.lsn_time_mapping WHERE start_lsn >= ? AND tran_id <> 0x00", &stmt,
        err);

    if (rc != SL_OK)
        return rc;
    rc = sl_odbc_bind_binary(stmt, 1, db->next_from.b, SL_LSN_SIZE, err);
    if (rc == SL_OK)
        rc = sl_odbc_execute(stmt, err);
    if (rc == SL_OK)
        rc = sl_odbc_fetch(stmt, &row, err);
    sl_odbc_stmt_free(stmt);
    *ret_any = row;
    return rc;
}

static enum sl_rc instance_vanished(struct sl_mssql_database *db, const struct sl_mssql_instance *instance,
                                    struct sl_error *err)
{
    char from[SL_LSN_TEXT_SIZE + 1] = "";
    bool any = false;
    enum sl_rc rc = SL_OK;

    if (!instance->has_stop || sl_lsn_compare(&db->next_from, &instance->stop) < 0)
        rc = unread_transactions(db, &any, err);
    if (rc != SL_OK)
        return rc;
    if (!any) {
        sl_info("a capture instance is gone; it had been read to its end", SL_T("database", db->name),
                SL_T("instance", instance->name));
        return SL_OK;
    }
    sl_lsn_write(&db->next_from, from);
    return sl_error_set(
        err, SL_E_GAP,
        "table '%s.%s': its capture instance '%s' was dropped before all its changes were read; "
        "those from LSN %s on may be lost. HINT: take a new snapshot of the table, or start the "
        "task again to go on without them",
        instance->schema, instance->table, instance->name, from);
}

enum sl_rc sl_mssql_gap_of_vanished(struct sl_mssql_database *db, const struct sl_mssql_catalog *fresh,
                                    size_t *ret_vanished, struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    *ret_vanished = 0;
    for (size_t i = 0; i < db->n_tables && rc == SL_OK; i++) {
        const struct sl_mssql_instance *instance = db->tables[i]->instance;
        bool found = false;

        for (size_t j = 0; j < fresh->n && !found; j++)
            found = fresh->instances[j].object_id == instance->object_id;
        if (found)
            continue;
        ++*ret_vanished;
        if (db->phase == SL_MSSQL_PHASE_STREAM)
            rc = instance_vanished(db, instance, err);
    }
    return rc;
}
