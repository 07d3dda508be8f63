/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fixture.h"
#include "sim/sqlserver/storage/cell.h"
#include "sim/sqlserver/storage/sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Thread_local struct ms_error err;

#define check(expression)                                             \
    do {                                                              \
        err.text[0] = 0;                                              \
        if (!(expression))                                            \
            fail_msg("%s: %d %s", #expression, err.number, err.text); \
    } while (0)

static void start(struct fixture *f)
{
    struct ms_server_options options = {
        .state_dir = f->dir, .sa_password = "Password!", .capture_interval_ms = 3600000, .seed = 7};
    char text_out[100];
    f->server = ms_server_open(&options);
    assert_non_null(f->server);
    assert_true(ms_server_fault(f->server, "capture stop", text_out, sizeof text_out));
}

struct ms_session *fixture_login(struct fixture *f, const char *database)
{
    struct ms_session *session = NULL;
    struct ms_message message;
    if (!ms_session_open(f->server, "sa", "Password!", database, "test", "here", false, &session, &message))
        fail_msg("login: %d %s", message.number, message.text);
    return session;
}

void fixture_open(struct fixture *f)
{
    snprintf(f->dir, sizeof f->dir, "/tmp/mssim-test-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    start(f);
    f->session = fixture_login(f, "");
}

void fixture_reopen(struct fixture *f)
{
    char database[130];
    snprintf(database, sizeof database, "%s", ms_session_database(f->session));
    ms_session_close(f->session);
    ms_server_close(f->server);
    start(f);
    f->session = fixture_login(f, database);
}

void fixture_close(struct fixture *f)
{
    char path[100];
    static const char *const names[] = {"mssim.db", "mssim.db-wal", "mssim.db-shm"};
    ms_session_close(f->session);
    ms_server_close(f->server);
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", f->dir, names[i]);
        unlink(path);
    }
    rmdir(f->dir);
}

void begin_write(struct ms_session *s)
{
    check(ms_statement_begin(s, MS_STATEMENT_WRITE, &err));
}

void begin_read(struct ms_session *s)
{
    check(ms_statement_begin(s, MS_STATEMENT_READ, &err));
}

void end_ok(struct ms_session *s)
{
    check(ms_statement_end(s, true, &err));
}

void make_shop(struct fixture *f)
{
    struct ms_session *s = f->session;
    begin_write(s);
    check(ms_ddl_create_database(s, "shop", NULL, &err));
    end_ok(s);
    check(ms_session_use(s, "shop", &err));
    begin_write(s);
    check(ms_cdc_enable_db(s, s->db_id, &err));
    end_ok(s);
}

int32_t make_table(struct ms_session *s, const char *name)
{
    const struct ms_column_spec columns[] = {
        {.name = "id", .type = {.id = MS_INT}},
        {.name = "name", .type = {.id = MS_VARCHAR, .length = 30}, .nullable = true},
        {.name = "note", .type = {.id = MS_NVARCHAR, .length = MS_MAX}, .nullable = true},
    };
    const char *key_columns[] = {"id"};
    struct ms_key_spec key = {.primary_key = true, .clustered = true, .columns = key_columns, .n_columns = 1};
    int32_t id = 0;
    begin_write(s);
    check(ms_ddl_create_table(s, s->db_id, "dbo", name, columns, 3, &id, &err));
    check(ms_ddl_add_key(s, id, &key, &err));
    end_ok(s);
    return id;
}

void enable_table(struct ms_session *s, const char *name, const char *instance)
{
    struct ms_enable_table what = {.source_schema = "dbo",
                                   .source_name = name,
                                   .capture_instance = instance,
                                   .supports_net_changes = -1};
    begin_write(s);
    check(ms_cdc_enable_table(s, s->db_id, &what, NULL, &err));
    end_ok(s);
}

void capture_once(struct fixture *f)
{
    char text_out[100];
    assert_true(ms_server_fault(f->server, "capture once", text_out, sizeof text_out));
}

static struct ms_value text_value(const char *t)
{
    if (!t)
        return (struct ms_value){.is_null = true};
    return (struct ms_value){.len = (uint32_t)strlen(t), .bytes = (const uint8_t *)t};
}

static const struct ms_table *find_table(struct ms_session *s, const char *name)
{
    const struct ms_table *table = ms_catalog_table(s, NULL, "dbo", name);
    assert_non_null(table);
    return table;
}

void insert_row(struct ms_session *s, const char *table, int64_t id, const char *name)
{
    struct ms_value row[] = {{.i = id}, text_value(name), {.is_null = true}};
    int64_t rowid;
    begin_write(s);
    check(ms_row_insert(s, find_table(s, table), row, &rowid, &err));
    end_ok(s);
}

/* The rows of a table in a form that can be changed. */
struct rows {
    struct ms_row_update list[64];
    struct ms_value before[64][3];
    struct ms_value after[64][3];
    size_t n;
    struct ms_arena arena;
};

static void read_rows(struct ms_session *s, const struct ms_table *table, int64_t id, struct rows *rows)
{
    char sql[200];
    *rows = (struct rows){0};
    snprintf(sql, sizeof sql, "SELECT rowid,c1,c2,c3 FROM %s WHERE ?=-1 OR c1=? ORDER BY c1",
             table->sqlite_name);
    sqlite3_stmt *stmt = ms_sql_by_text(s, &err, sql);
    sqlite3_bind_int64(stmt, 1, id);
    sqlite3_bind_int64(stmt, 2, id);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        size_t n = rows->n++;
        for (int i = 0; i < 3; i++) {
            ms_cell_read(stmt, i + 1, &table->columns[i].type, &rows->arena, &rows->before[n][i]);
            if (i > 0 && !rows->before[n][i].is_null)
                rows->before[n][i].bytes = (const uint8_t *)ms_arena_dup(
                    &rows->arena, rows->before[n][i].bytes, rows->before[n][i].len);
            rows->after[n][i] = rows->before[n][i];
        }
        rows->list[n] = (struct ms_row_update){
            .rowid = sqlite3_column_int64(stmt, 0), .before = rows->before[n], .after = rows->after[n]};
    }
    sqlite3_reset(stmt);
}

void delete_row(struct ms_session *s, const char *table, int64_t id)
{
    struct rows rows;
    begin_write(s);
    const struct ms_table *t = find_table(s, table);
    read_rows(s, t, id, &rows);
    assert_int_equal(rows.n, 1);
    check(ms_row_delete(s, t, rows.list[0].rowid, rows.before[0], &err));
    end_ok(s);
    ms_arena_free(&rows.arena);
}

void update_row(struct ms_session *s, const char *table, int64_t id, int64_t new_id, const char *name)
{
    struct rows rows;
    bool assigned[] = {new_id != id, true, false};
    begin_write(s);
    const struct ms_table *t = find_table(s, table);
    read_rows(s, t, id, &rows);
    assert_int_equal(rows.n, 1);
    rows.after[0][0].i = new_id;
    rows.after[0][1] = text_value(name);
    check(ms_rows_update(s, t, rows.list, 1, assigned, &err));
    end_ok(s);
    ms_arena_free(&rows.arena);
}

void update_ids(struct ms_session *s, const char *table, int64_t by)
{
    struct rows rows;
    bool assigned[] = {true, false, false};
    begin_write(s);
    const struct ms_table *t = find_table(s, table);
    read_rows(s, t, -1, &rows);
    for (size_t i = 0; i < rows.n; i++)
        rows.after[i][0].i += by;
    check(ms_rows_update(s, t, rows.list, rows.n, assigned, &err));
    end_ok(s);
    ms_arena_free(&rows.arena);
}

/* {t} is dbo.t's physical name, {cdc:t} that of cdc.t. */
static void expand(struct ms_session *s, const char *sql, char *out, size_t size)
{
    size_t n = 0;
    for (const char *p = sql; *p && n + 24 < size; p++) {
        if (*p != '{') {
            out[n++] = *p;
            continue;
        }
        char name[140];
        const char *end = strchr(p, '}');
        const char *colon = memchr(p, ':', (size_t)(end - p));
        const char *from = colon ? colon + 1 : p + 1;
        snprintf(name, sizeof name, "%.*s", (int)(end - from), from);
        const struct ms_table *table = ms_catalog_table(s, NULL, colon ? "cdc" : "dbo", name);
        if (!table)
            fail_msg("no table %s", name);
        n += (size_t)snprintf(out + n, size - n, "%s", table->sqlite_name);
        p = end;
    }
    out[n] = 0;
}

const char *text(struct ms_session *s, const char *sql)
{
    static char result[4000];
    char expanded[2000];
    sqlite3_stmt *stmt = NULL;
    begin_read(s);
    expand(s, sql, expanded, sizeof expanded);
    if (sqlite3_prepare_v2(s->db, expanded, -1, &stmt, NULL) != SQLITE_OK)
        fail_msg("%s: %s", expanded, sqlite3_errmsg(s->db));
    result[0] = 0;
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        const char *cell = (const char *)sqlite3_column_text(stmt, 0);
        size_t len = strlen(result);
        snprintf(result + len, sizeof result - len, "%s%s", len ? "|" : "", cell ? cell : "NULL");
    }
    sqlite3_finalize(stmt);
    end_ok(s);
    return result;
}

int64_t number(struct ms_session *s, const char *sql)
{
    return strtoll(text(s, sql), NULL, 10);
}
