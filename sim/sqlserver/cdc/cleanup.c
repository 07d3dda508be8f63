/* SPDX-License-Identifier: Apache-2.0 */
#include "../storage/sql.h"
#include "cleanup.h"

#include <string.h>

#define TICKS_PER_MINUTE (300 * 60)

static bool delete_below(struct ms_session *session, const struct ms_instance *instance, const uint8_t *mark,
                         struct ms_error *err)
{
    struct ms_buffer sql = {0};
    ms_buffer_format(&sql, "DELETE FROM %s WHERE c1<?", instance->table->sqlite_name);
    sqlite3_stmt *stmt = ms_sql_by_text(session, err, sql.data);
    ms_buffer_free(&sql);
    if (!stmt)
        return false;
    sqlite3_bind_blob(stmt, 1, mark, MS_LSN_SIZE, SQLITE_STATIC);
    return ms_sql_finish(session, stmt, err);
}

/* The mapping keeps what any instance still covers. */
static bool trim_mapping(struct ms_session *session, int32_t db_id, struct ms_error *err)
{
    return ms_cdc_run(session, db_id, err, "DELETE FROM {3} WHERE c1<(SELECT min(c5) FROM {0})", "");
}

bool ms_cleanup_instance(struct ms_session *session, int32_t db_id, const char *capture_instance,
                         const uint8_t *mark, struct ms_error *err)
{
    struct ms_instances instances;
    if (!ms_instances_load(session, db_id, &instances, err))
        return false;
    const struct ms_instance *instance = ms_instances_find(&instances, capture_instance);
    bool ok = true;
    if (!instance)
        ok = ms_error_set(err, 22964, 16, 1, "Change data capture instance '%s' does not exist.",
                          capture_instance);
    else if (mark && !ms_cdc_int(session, db_id, 0, "SELECT count(*) FROM {3} WHERE c1=?", "b", mark,
                                 (size_t)MS_LSN_SIZE))
        ok = ms_error_set(
            err, 22964, 16, 1,
            "LSN, specified as the new low end point for the change table associated with capture instance "
            "'%s', is not within the Change Data Capture timeline.",
            capture_instance);
    else if (mark)
        ok = ms_cdc_run(session, db_id, err, "UPDATE {0} SET c5=?1 WHERE c5<?1", "b", mark,
                        (size_t)MS_LSN_SIZE) &&
             delete_below(session, instance, mark, err) && trim_mapping(session, db_id, err);
    else if (instance->started)
        ok = delete_below(session, instance, instance->start_lsn, err);
    ms_instances_free(&instances);
    return ok;
}

static bool clean(struct ms_session *session, int32_t db_id, struct ms_error *err)
{
    struct ms_instances instances;
    uint8_t mark[MS_LSN_SIZE];
    int64_t retention = ms_sql_int(
        session, 4320, "SELECT retention FROM cdc_jobs WHERE db_id=? AND job_type='cleanup'", "i", db_id);
    int64_t newest = ms_cdc_int(session, db_id, 0, "SELECT max(c3) FROM {3}", "");
    sqlite3_stmt *s = ms_cdc_sql(session, db_id, err, "SELECT min(c1) FROM {3} WHERE c3>=?", "I",
                                 newest - retention * TICKS_PER_MINUTE);
    if (!s)
        return false;
    bool found = sqlite3_step(s) == SQLITE_ROW && sqlite3_column_bytes(s, 0) == MS_LSN_SIZE;
    if (found)
        memcpy(mark, sqlite3_column_blob(s, 0), MS_LSN_SIZE);
    sqlite3_reset(s);
    if (!found)
        return true;
    bool ok =
        ms_cdc_run(session, db_id, err, "UPDATE {0} SET c5=?1 WHERE c5<?1", "b", mark, (size_t)MS_LSN_SIZE) &&
        ms_instances_load(session, db_id, &instances, err);
    if (!ok)
        return false;
    for (size_t i = 0; ok && i < instances.n; i++)
        ok = delete_below(session, &instances.list[i], mark, err);
    ms_instances_free(&instances);
    return ok && trim_mapping(session, db_id, err);
}

bool ms_cleanup_by_retention(struct ms_session *session, int32_t db_id, struct ms_error *err)
{
    struct ms_error ignored;
    if (!ms_statement_begin(session, MS_STATEMENT_WRITE, err))
        return false;
    bool ok = clean(session, db_id, err);
    return ms_statement_end(session, ok, ok ? err : &ignored) && ok;
}
