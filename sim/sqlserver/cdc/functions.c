/* SPDX-License-Identifier: Apache-2.0 */
#include "../storage/cell.h"
#include "../storage/sql.h"
#include "access.h"
#include "functions.h"
#include "objects.h"

#include <string.h>
#include <strings.h>

static const uint8_t zero_lsn[MS_LSN_SIZE];

static struct ms_session *session_of(sqlite3_context *context)
{
    return sqlite3_user_data(context);
}

static void result_lsn(sqlite3_context *context, const uint8_t *lsn)
{
    sqlite3_result_blob(context, lsn, MS_LSN_SIZE, SQLITE_TRANSIENT);
}

/* A binary argument of any length as the ten bytes it converts to: cut or filled up on the right. */
static bool lsn_argument(sqlite3_value *arg, uint8_t ret_lsn[MS_LSN_SIZE])
{
    if (sqlite3_value_type(arg) == SQLITE_NULL)
        return false;
    int len = sqlite3_value_bytes(arg);
    memset(ret_lsn, 0, MS_LSN_SIZE);
    memcpy(ret_lsn, sqlite3_value_blob(arg), (size_t)(len < MS_LSN_SIZE ? len : MS_LSN_SIZE));
    return true;
}

/* Step a statement and answer its first cell; NULL when there is no row. */
static void result_of(sqlite3_context *context, sqlite3_stmt *stmt)
{
    if (stmt && sqlite3_step(stmt) == SQLITE_ROW)
        sqlite3_result_value(context, sqlite3_column_value(stmt, 0));
    else
        sqlite3_result_null(context);
    sqlite3_reset(stmt);
}

static void fail(sqlite3_context *context, const struct ms_error *err)
{
    ms_session_fail_function(session_of(context), context, err);
}

static void max_lsn(sqlite3_context *context, int n, sqlite3_value **args)
{
    struct ms_error err;
    (void)n;
    sqlite3_stmt *s =
        ms_cdc_sql(session_of(context), sqlite3_value_int(args[0]), &err, "SELECT max(c1) FROM {3}", "");
    if (s)
        result_of(context, s);
    else
        sqlite3_result_null(context);
}

static void min_lsn(sqlite3_context *context, int n, sqlite3_value **args)
{
    struct ms_error err;
    struct ms_session *session = session_of(context);
    int32_t db_id = sqlite3_value_int(args[0]);
    const char *name = (const char *)sqlite3_value_text(args[1]);
    (void)n;
    struct ms_instances instances;
    if (!name || !ms_instances_load(session, db_id, &instances, &err)) {
        result_lsn(context, zero_lsn);
        return;
    }
    const struct ms_instance *instance = ms_instances_find(&instances, name);
    bool allowed = instance && ms_cdc_may_read(session, db_id, instance->role,
                                               ms_catalog_table_by_id(session, instance->source_id));
    result_lsn(context, allowed && instance->started ? instance->start_lsn : zero_lsn);
    ms_instances_free(&instances);
}

static void increment_lsn(sqlite3_context *context, int n, sqlite3_value **args)
{
    uint8_t lsn[MS_LSN_SIZE];
    (void)n;
    if (!lsn_argument(args[0], lsn)) {
        sqlite3_result_null(context);
        return;
    }
    ms_lsn_increment(lsn);
    result_lsn(context, lsn);
}

static void decrement_lsn(sqlite3_context *context, int n, sqlite3_value **args)
{
    uint8_t lsn[MS_LSN_SIZE];
    (void)n;
    if (!lsn_argument(args[0], lsn)) {
        sqlite3_result_null(context);
        return;
    }
    ms_lsn_decrement(lsn);
    result_lsn(context, lsn);
}

static void lsn_to_time(sqlite3_context *context, int n, sqlite3_value **args)
{
    struct ms_error err;
    uint8_t lsn[MS_LSN_SIZE];
    (void)n;
    if (!lsn_argument(args[1], lsn)) {
        sqlite3_result_null(context);
        return;
    }
    sqlite3_stmt *s = ms_cdc_sql(session_of(context), sqlite3_value_int(args[0]), &err,
                                 "SELECT c3 FROM {3} WHERE c1=?", "b", lsn, sizeof lsn);
    result_of(context, s);
}

static void time_to_lsn(sqlite3_context *context, int n, sqlite3_value **args)
{
    static const struct {
        const char *word;
        const char *sql;
    } relations[] = {
        {"smallest greater than", "SELECT min(c1) FROM {3} WHERE c3>?"},
        {"smallest greater than or equal", "SELECT min(c1) FROM {3} WHERE c3>=?"},
        {"largest less than", "SELECT max(c1) FROM {3} WHERE c3<?"},
        {"largest less than or equal", "SELECT max(c1) FROM {3} WHERE c3<=?"},
    };
    const char *word = (const char *)sqlite3_value_text(args[1]);
    struct ms_error err;
    (void)n;
    for (size_t i = 0; word && i < sizeof relations / sizeof relations[0]; i++) {
        if (strcasecmp(word, relations[i].word) != 0)
            continue;
        result_of(context, ms_cdc_sql(session_of(context), sqlite3_value_int(args[0]), &err, relations[i].sql,
                                      "I", (int64_t)sqlite3_value_int64(args[2])));
        return;
    }
    ms_error_set(&err, 313, 16, 3,
                 "An insufficient number of arguments were supplied for the procedure or function "
                 "sys.fn_cdc_map_time_to_lsn.");
    fail(context, &err);
}

/* The mask is a big-endian number. */
static bool bit_of(sqlite3_value *mask, int ordinal)
{
    const uint8_t *bytes = sqlite3_value_blob(mask);
    int from_end = (ordinal - 1) / 8;
    int len = sqlite3_value_bytes(mask);
    return ordinal > 0 && from_end < len && (bytes[len - 1 - from_end] >> ((ordinal - 1) % 8) & 1);
}

static void is_bit_set(sqlite3_context *context, int n, sqlite3_value **args)
{
    (void)n;
    if (sqlite3_value_type(args[0]) == SQLITE_NULL || sqlite3_value_type(args[1]) == SQLITE_NULL)
        sqlite3_result_null(context);
    else
        sqlite3_result_int(context, bit_of(args[1], sqlite3_value_int(args[0])));
}

static void column_ordinal(sqlite3_context *context, int n, sqlite3_value **args)
{
    struct ms_error err;
    const char *name = (const char *)sqlite3_value_text(args[1]);
    const char *column = (const char *)sqlite3_value_text(args[2]);
    (void)n;
    result_of(context, ms_cdc_sql(session_of(context), sqlite3_value_int(args[0]), &err,
                                  "SELECT c.c5 FROM {1} c JOIN {0} t ON t.c1=c.c1 WHERE t.c4=? AND c.c2=?",
                                  "ss", name, column));
}

static void has_column_changed(sqlite3_context *context, int n, sqlite3_value **args)
{
    (void)n;
    int ordinal =
        (int)ms_cdc_int(session_of(context), sqlite3_value_int(args[0]), 0,
                        "SELECT c.c5 FROM {1} c JOIN {0} t ON t.c1=c.c1 WHERE t.c4=? AND c.c2=?", "ss",
                        (const char *)sqlite3_value_text(args[1]), (const char *)sqlite3_value_text(args[2]));
    if (!ordinal || sqlite3_value_type(args[3]) == SQLITE_NULL) {
        sqlite3_result_null(context);
        return;
    }
    sqlite3_result_int(context, bit_of(args[3], ordinal));
}

static bool range_error(const char *kind, const char *name, struct ms_error *err)
{
    return ms_error_set(err, 313, 16, 3,
                        "An insufficient number of arguments were supplied for the procedure or function "
                        "cdc.fn_cdc_get_%s_changes_%s.",
                        kind, name);
}

/* Is [from, to] inside the instance's validity interval, and the option a known one? */
static bool check_range(struct ms_session *session, int32_t db_id, const char *name, bool net,
                        sqlite3_value **args, struct ms_error *err)
{
    static const char *const all_options[] = {"all", "all update old"};
    static const char *const net_options[] = {"all", "all with mask", "all with merge"};
    const char *kind = net ? "net" : "all";
    uint8_t from[MS_LSN_SIZE];
    uint8_t to[MS_LSN_SIZE];
    uint8_t start[MS_LSN_SIZE] = {0};
    uint8_t end[MS_LSN_SIZE] = {0};
    const char *option = (const char *)sqlite3_value_text(args[2]);
    bool known = false;
    for (size_t i = 0; option && i < (net ? 3u : 2u); i++)
        known = known || strcasecmp(option, net ? net_options[i] : all_options[i]) == 0;
    if (!known || !lsn_argument(args[0], from) || !lsn_argument(args[1], to))
        return range_error(kind, name, err);
    sqlite3_stmt *s =
        ms_cdc_sql(session, db_id, err, "SELECT c5,(SELECT max(c1) FROM {3}) FROM {0} WHERE c4=?", "s", name);
    if (!s)
        return false;
    bool has = sqlite3_step(s) == SQLITE_ROW && sqlite3_column_bytes(s, 0) == MS_LSN_SIZE &&
               sqlite3_column_bytes(s, 1) == MS_LSN_SIZE;
    if (has) {
        memcpy(start, sqlite3_column_blob(s, 0), MS_LSN_SIZE);
        memcpy(end, sqlite3_column_blob(s, 1), MS_LSN_SIZE);
    }
    sqlite3_reset(s);
    if (!has || memcmp(from, start, MS_LSN_SIZE) < 0 || memcmp(to, end, MS_LSN_SIZE) > 0 ||
        memcmp(from, to, MS_LSN_SIZE) > 0)
        return range_error(kind, name, err);
    return true;
}

/* (db, role, source object id) */
static void may_read(sqlite3_context *context, int n, sqlite3_value **args)
{
    struct ms_session *session = session_of(context);
    const char *role = (const char *)sqlite3_value_text(args[1]);
    (void)n;
    sqlite3_result_int(context, ms_cdc_may_read(session, sqlite3_value_int(args[0]), role ? role : "",
                                                ms_catalog_table_by_id(session, sqlite3_value_int(args[2]))));
}

/* (db, instance, net, from, to, option): 1, or error 313. */
static void range_is_valid(sqlite3_context *context, int n, sqlite3_value **args)
{
    struct ms_error err;
    (void)n;
    if (check_range(session_of(context), sqlite3_value_int(args[0]),
                    (const char *)sqlite3_value_text(args[1]), sqlite3_value_int(args[2]) != 0, args + 3,
                    &err))
        sqlite3_result_int(context, 1);
    else
        fail(context, &err);
}

void ms_cdc_functions_register(struct ms_session *session)
{
    static const struct {
        const char *name;
        int n;
        void (*call)(sqlite3_context *, int, sqlite3_value **);
    } functions[] = {
        {"ms_fn_cdc_get_max_lsn", 1, max_lsn},
        {"ms_fn_cdc_get_min_lsn", 2, min_lsn},
        {"ms_fn_cdc_increment_lsn", 1, increment_lsn},
        {"ms_fn_cdc_decrement_lsn", 1, decrement_lsn},
        {"ms_fn_cdc_map_lsn_to_time", 2, lsn_to_time},
        {"ms_fn_cdc_map_time_to_lsn", 3, time_to_lsn},
        {"ms_fn_cdc_is_bit_set", 2, is_bit_set},
        {"ms_fn_cdc_get_column_ordinal", 3, column_ordinal},
        {"ms_fn_cdc_has_column_changed", 4, has_column_changed},
        {"ms_fn_cdc_may_read", 3, may_read},
        {"ms_fn_cdc_range", 6, range_is_valid},
    };
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
        sqlite3_create_function_v2(session->db, functions[i].name, functions[i].n, SQLITE_UTF8, session,
                                   functions[i].call, NULL, NULL, NULL);
}
