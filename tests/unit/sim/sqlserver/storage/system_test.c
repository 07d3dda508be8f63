/* SPDX-License-Identifier: Apache-2.0 */
/* System views, functions and procedures: all of them can be read, and the ones that clients live by say the
 * truth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fixture.h"
#include "sim/sqlserver/storage/cell.h"
#include "sim/sqlserver/storage/procedures.h"
#include "sim/sqlserver/storage/system.h"
#include "sim/sqlserver/storage/views.h"

#include <stdio.h>
#include <string.h>

static int setup(void **state)
{
    static struct fixture f;
    fixture_open(&f);
    make_shop(&f);
    make_table(f.session, "t");
    enable_table(f.session, "t", NULL);
    insert_row(f.session, "t", 1, "a");
    update_row(f.session, "t", 1, 1, "b");
    capture_once(&f);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture_close(*state);
    return 0;
}

/* Count the rows of a source, reading every cell. */
static int64_t read_all(struct ms_session *s, const struct ms_source *source, const char *from,
                        struct ms_arena *arena)
{
    char sql[20000];
    sqlite3_stmt *stmt = NULL;
    int64_t n = 0;
    int rc;
    size_t at = (size_t)snprintf(sql, sizeof sql, "SELECT ");
    for (size_t i = 0; i < source->n_columns; i++)
        at += (size_t)snprintf(sql + at, sizeof sql - at, "%s\"%s\"", i ? "," : "",
                               source->columns[i].sql_name);
    at += (size_t)snprintf(sql + at, sizeof sql - at, " FROM %s", from);
    assert_true(at < sizeof sql);
    if (sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sqlite3_errmsg(s->db), sql);
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        n++;
        for (size_t i = 0; i < source->n_columns; i++) {
            struct ms_value value;
            ms_cell_read(stmt, (int)i, &source->columns[i].type, arena, &value);
            if (!source->columns[i].nullable && value.is_null)
                fail_msg("NULL in %s", source->columns[i].name);
        }
    }
    if (rc != SQLITE_DONE)
        fail_msg("%s", sqlite3_errmsg(s->db));
    sqlite3_finalize(stmt);
    return n;
}

static int64_t read_view(struct fixture *f, const char *database, const char *schema, const char *name)
{
    struct ms_arena arena = {0};
    struct ms_source source;
    begin_read(f->session);
    if (!ms_system_view(f->session, database, schema, name, &arena, &source))
        fail_msg("no view %s.%s", schema, name);
    int64_t n = read_all(f->session, &source, source.from_sql, &arena);
    end_ok(f->session);
    ms_arena_free(&arena);
    return n;
}

static void every_view_can_be_read(void **state)
{
    struct fixture *f = *state;
    const struct ms_view *const lists[] = {ms_views_objects, ms_views_server, ms_views_standard};
    const size_t counts[] = {ms_views_objects_count, ms_views_server_count, ms_views_standard_count};
    for (size_t l = 0; l < 3; l++) {
        for (size_t i = 0; i < counts[l]; i++) {
            const struct ms_view *view = &lists[l][i];
            read_view(f, strcmp(view->schema, "dbo") == 0 ? "msdb" : "shop", view->schema, view->name);
        }
    }
}

static void views_count_what_is_there(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(read_view(f, NULL, "sys", "databases"), 5);
    assert_int_equal(read_view(f, NULL, "sys", "tables"), 7);
    assert_int_equal(read_view(f, "master", "sys", "tables"), 0);
    assert_int_equal(read_view(f, "msdb", "dbo", "cdc_jobs"), 2);
    assert_int_equal(read_view(f, NULL, "sys", "dm_exec_sessions"), 1);
    assert_int_equal(read_view(f, NULL, "sys", "dm_cdc_log_scan_sessions"), 2);
    assert_int_equal(read_view(f, NULL, "INFORMATION_SCHEMA", "KEY_COLUMN_USAGE"), 1);
}

/* Put texts for {1}.. into a function's FROM. */
static void fill(const char *from, const char *const *args, char *out, size_t size)
{
    size_t n = 0;
    for (const char *p = from; *p; p++) {
        if (*p == '{' && p[2] == '}') {
            n += (size_t)snprintf(out + n, size - n, "%s", args[p[1] - '1']);
            p += 2;
        } else {
            out[n++] = *p;
        }
    }
    out[n] = 0;
}

static int64_t read_changes(struct fixture *f, const char *name, const char *option)
{
    struct ms_arena arena = {0};
    struct ms_source source;
    char from[8000];
    char db[16];
    begin_read(f->session);
    assert_true(ms_system_table_function(f->session, NULL, "cdc", name, &arena, &source));
    char min[80];
    char max[80];
    snprintf(db, sizeof db, "%d", f->session->db_id);
    snprintf(min, sizeof min, "ms_fn_cdc_get_min_lsn(%s,'dbo_t')", db);
    snprintf(max, sizeof max, "ms_fn_cdc_get_max_lsn(%s)", db);
    const char *args[] = {min, max, option};
    fill(source.from_sql, args, from, sizeof from);
    int64_t n = read_all(f->session, &source, from, &arena);
    end_ok(f->session);
    ms_arena_free(&arena);
    return n;
}

static void all_changes_hide_old_values_unless_asked(void **state)
{
    assert_int_equal(read_changes(*state, "fn_cdc_get_all_changes_dbo_t", "'all'"), 2);
    assert_int_equal(read_changes(*state, "fn_cdc_get_all_changes_dbo_t", "'all update old'"), 3);
}

static void net_changes_give_one_row_for_a_key(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(read_changes(f, "fn_cdc_get_net_changes_dbo_t", "'all'"), 1);
    insert_row(f->session, "t", 2, "x");
    delete_row(f->session, "t", 2);
    insert_row(f->session, "t", 3, "y");
    delete_row(f->session, "t", 1);
    capture_once(f);
    assert_int_equal(read_changes(f, "fn_cdc_get_net_changes_dbo_t", "'all'"), 1);
}

static void a_range_outside_of_the_interval_is_error_313(void **state)
{
    struct fixture *f = *state;
    struct ms_arena arena = {0};
    struct ms_source source;
    struct ms_error err;
    char from[8000];
    char sql[8100];
    const char *args[] = {"x'00000000000000000000'", "x'ffffffffffffffffffff'", "'all'"};
    sqlite3_stmt *stmt = NULL;
    begin_read(f->session);
    assert_true(
        ms_system_table_function(f->session, NULL, "cdc", "fn_cdc_get_all_changes_dbo_t", &arena, &source));
    fill(source.from_sql, args, from, sizeof from);
    snprintf(sql, sizeof sql, "SELECT * FROM %s", from);
    assert_int_equal(sqlite3_prepare_v2(f->session->db, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt) & 0xFF, SQLITE_ERROR);
    ms_session_sqlite_error(f->session, &err);
    assert_int_equal(err.number, 313);
    sqlite3_finalize(stmt);
    end_ok(f->session);
    ms_arena_free(&arena);
}

static void the_function_of_a_dropped_instance_is_gone(void **state)
{
    struct fixture *f = *state;
    struct ms_arena arena = {0};
    struct ms_source source;
    struct ms_error err;
    begin_write(f->session);
    assert_true(ms_cdc_disable_table(f->session, f->session->db_id, "dbo", "t", "all", &err));
    end_ok(f->session);
    begin_read(f->session);
    assert_false(
        ms_system_table_function(f->session, NULL, "cdc", "fn_cdc_get_all_changes_dbo_t", &arena, &source));
    end_ok(f->session);
    assert_int_equal(read_view(f, NULL, "sys", "tables"), 6);
    ms_arena_free(&arena);
}

static const char *scalar(struct fixture *f, const char *expression)
{
    char sql[400];
    snprintf(sql, sizeof sql, "SELECT %s", expression);
    return text(f->session, sql);
}

static void metadata_functions_answer(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(scalar(f, "ms_object_id('[shop].dbo.[T]') IS NOT NULL"), "1");
    assert_string_equal(scalar(f, "ms_object_id('dbo.nothing')"), "NULL");
    assert_string_equal(scalar(f, "ms_object_name(ms_object_id('cdc.dbo_t_CT'))"), "dbo_t_CT");
    assert_string_equal(scalar(f, "ms_object_schema_name(ms_object_id('cdc.dbo_t_CT'),ms_db_id('SHOP'))"),
                        "cdc");
    assert_string_equal(scalar(f, "ms_db_name()"), "shop");
    assert_string_equal(scalar(f, "ms_col_name(ms_object_id('t'),2)"), "name");
    assert_string_equal(scalar(f, "ms_columnproperty(ms_object_id('t'),'name','AllowsNull')"), "1");
    assert_string_equal(scalar(f, "ms_is_srvrolemember('sysadmin')"), "1");
    assert_string_equal(scalar(f, "hex(ms_fn_cdc_increment_lsn(x'000000000000000000ff'))"),
                        "00000000000000000100");
    assert_string_equal(scalar(f, "hex(ms_fn_cdc_decrement_lsn(x'00000000000000000100'))"),
                        "000000000000000000FF");
    assert_string_equal(scalar(f, "ms_fn_cdc_is_bit_set(10,x'0200')"), "1");
    assert_string_equal(scalar(f, "ms_fn_cdc_is_bit_set(9,x'0200')"), "0");
}

/* A sink that counts. */
struct counted {
    size_t columns;
    int64_t rows;
    char last[200];
};

static bool on_columns(void *ctx, const struct ms_column *columns, size_t n)
{
    (void)columns;
    ((struct counted *)ctx)->columns = n;
    return true;
}

static bool on_row(void *ctx, const struct ms_value *values)
{
    (void)values;
    ((struct counted *)ctx)->rows++;
    return true;
}

static bool on_done(void *ctx, enum ms_command command, int64_t rows, bool failed)
{
    (void)ctx;
    (void)command;
    (void)rows;
    (void)failed;
    return true;
}

static bool on_message(void *ctx, const struct ms_message *message)
{
    struct counted *counted = ctx;
    snprintf(counted->last, sizeof counted->last, "%s", message->text);
    return true;
}

static bool call(struct fixture *f, const char *name, const char *const *args, struct counted *counted,
                 struct ms_error *err)
{
    struct ms_arena arena = {0};
    struct ms_sink sink = {
        .ctx = counted, .columns = on_columns, .row = on_row, .done = on_done, .message = on_message};
    struct ms_value values[16] = {{0}};
    bool given[16] = {false};
    int32_t status = 0;
    const struct ms_procedure *p = ms_system_procedure(f->session, NULL, "sys", name);
    *counted = (struct counted){0};
    if (!p)
        fail_msg("no procedure %s", name);
    for (size_t i = 0; args && i < p->n_formals && args[i]; i++) {
        given[i] = args[i][0] != 0;
        values[i] = (struct ms_value){.len = (uint32_t)strlen(args[i]), .bytes = (const uint8_t *)args[i]};
    }
    bool ok = ms_procedure_run(p, f->session, f->session->db_id, values, given, &arena, &sink, &status, err);
    assert_int_equal(status, ok ? 0 : 1);
    ms_arena_free(&arena);
    return ok;
}

static void procedures_send_their_rows(void **state)
{
    struct fixture *f = *state;
    struct counted counted;
    struct ms_error err;
    const char *instance[] = {"dbo_t", NULL};
    assert_true(call(f, "sp_cdc_help_change_data_capture", NULL, &counted, &err));
    assert_int_equal(counted.columns, 15);
    assert_int_equal(counted.rows, 1);
    assert_true(call(f, "sp_cdc_help_jobs", NULL, &counted, &err));
    assert_int_equal(counted.rows, 2);
    assert_true(call(f, "sp_cdc_get_captured_columns", instance, &counted, &err));
    assert_int_equal(counted.rows, 3);
    assert_true(call(f, "sp_cdc_generate_wrapper_function", NULL, &counted, &err));
    assert_int_equal(counted.rows, 2);
}

/* sp_tables and the like, with the table's name as the first argument where they take one. */
static void every_catalogue_procedure_answers(void **state)
{
    struct fixture *f = *state;
    struct counted counted;
    struct ms_error err;
    for (size_t i = 0; i < ms_procedures_catalog_count; i++) {
        const char *name = ms_procedures_catalog[i].name;
        const char *args[] = {"t", NULL};
        bool by_table = strstr(ms_procedures_catalog[i].parameters, "@table_name") ||
                        strstr(ms_procedures_catalog[i].parameters, "@objname");
        if (!call(f, name, by_table ? args : NULL, &counted, &err))
            fail_msg("%s: %s", name, err.text);
        assert_true(counted.columns > 0);
    }
    const char *table[] = {"t", "dbo", NULL};
    assert_true(call(f, "sp_columns_100", table, &counted, &err));
    assert_int_equal(counted.columns, 29);
    assert_int_equal(counted.rows, 3);
    assert_true(call(f, "sp_pkeys", table, &counted, &err));
    assert_int_equal(counted.rows, 1);
    assert_true(call(f, "sp_statistics_100", table, &counted, &err));
    assert_int_equal(counted.rows, 2);
    assert_true(call(f, "sp_datatype_info_100", NULL, &counted, &err));
    assert_int_equal(counted.rows, 30);
}

static void a_tracked_table_may_be_renamed_its_columns_not(void **state)
{
    struct fixture *f = *state;
    struct counted counted;
    struct ms_error err;
    const char *args[] = {"dbo.t.name", "title", "COLUMN", NULL};
    assert_false(call(f, "sp_rename", args, &counted, &err));
    assert_int_equal(err.number, 4928);
    const char *moved[] = {"t", "renamed", NULL};
    assert_true(call(f, "sp_rename", moved, &counted, &err));
    insert_row(f->session, "renamed", 9, "still captured");
    capture_once(f);
    assert_int_equal(number(f->session, "SELECT count(*) FROM {cdc:dbo_t_CT} WHERE c6=9"), 1);
    const char *back[] = {"renamed", "t", NULL};
    assert_true(call(f, "sp_rename", back, &counted, &err));
    const char *disable[] = {"dbo", "t", "all", NULL};
    assert_true(call(f, "sp_cdc_disable_table", disable, &counted, &err));
    assert_true(call(f, "sp_rename", args, &counted, &err));
    assert_string_equal(scalar(f, "ms_col_name(ms_object_id('t'),2)"), "title");
    const char *table[] = {"t", "u", NULL};
    assert_true(call(f, "sp_rename", table, &counted, &err));
    assert_string_equal(scalar(f, "ms_object_id('t')"), "NULL");
}

int main(void)
{
#define promise(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        promise(every_view_can_be_read),
        promise(views_count_what_is_there),
        promise(all_changes_hide_old_values_unless_asked),
        promise(net_changes_give_one_row_for_a_key),
        promise(a_range_outside_of_the_interval_is_error_313),
        promise(the_function_of_a_dropped_instance_is_gone),
        promise(metadata_functions_answer),
        promise(procedures_send_their_rows),
        promise(every_catalogue_procedure_answers),
        promise(a_tracked_table_may_be_renamed_its_columns_not),
    };
    return cmocka_run_group_tests_name("system", tests, NULL, NULL);
}
