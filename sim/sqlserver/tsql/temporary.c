/* SPDX-License-Identifier: Apache-2.0 */
#include "temporary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../storage/cell.h"
#include "../storage/session_state.h"

struct ms_temp_table {
    struct ms_temp_table *next;
    struct ms_table *table;
    int64_t next_identity;
    bool named;
    struct ms_arena arena; /* the table's description */
    sqlite3_stmt *insert;
};

static struct ms_temp_table *entry_of(const struct ms_language *l, const struct ms_table *table)
{
    for (struct ms_temp_table *t = l->temp_tables; t; t = t->next)
        if (t->table == table)
            return t;
    return NULL;
}

const struct ms_table *ms_temporary_find(const struct ms_language *language, const char *name)
{
    for (const struct ms_temp_table *t = language->temp_tables; t; t = t->next)
        if (t->named && ms_name_equal(t->table->name, name))
            return t->table;
    return NULL;
}

/* --- making --- */

static bool key_covers(const struct ms_table_def *def, const char *column)
{
    for (const struct ms_constraint_def *c = def->constraints; c; c = c->next)
        for (size_t i = 0; c->kind == MS_CONSTRAINT_KEY && c->key.primary_key && i < c->key.n_columns; i++)
            if (ms_name_equal(c->key.columns[i], column))
                return true;
    return false;
}

static void describe(struct ms_temp_table *t, const struct ms_table_def *def, const char *name, int32_t id)
{
    struct ms_table *table = ms_arena_alloc(&t->arena, sizeof *table);
    struct ms_catalog_column *columns = ms_arena_alloc(&t->arena, (def->n_columns + 1) * sizeof *columns);
    size_t n = 0;
    table->name = ms_arena_text(&t->arena, name);
    table->schema = "dbo";
    table->db_name = "tempdb";
    (void)snprintf(table->sqlite_name, sizeof table->sqlite_name, "t%d", id);
    table->identity_column = table->rowversion_column = -1;
    for (const struct ms_column_def *c = def->columns; c; c = c->next, n++) {
        columns[n] =
            (struct ms_catalog_column){.name = ms_arena_text(&t->arena, c->spec.name),
                                       .column_id = (int32_t)n + 1,
                                       .type = c->spec.type,
                                       .nullable = c->spec.nullable && !key_covers(def, c->spec.name),
                                       .identity = c->spec.identity,
                                       .identity_seed = c->spec.identity_seed,
                                       .identity_increment = c->spec.identity_increment};
        (void)snprintf(columns[n].sql_name, sizeof columns[n].sql_name, "c%u", (unsigned)n + 1);
        if (c->default_text)
            columns[n].default_definition = ms_arena_format(&t->arena, "(%s)", c->default_text);
        if (c->computed_text)
            columns[n].computed_definition = ms_arena_format(&t->arena, "(%s)", c->computed_text);
        if (c->spec.identity) {
            table->identity_column = (int)n;
            t->next_identity = c->spec.identity_seed;
        }
    }
    table->columns = columns;
    table->n_columns = n;
    t->table = table;
}

static bool run_sql(struct ms_language *l, const char *sql, struct ms_error *err)
{
    if (sqlite3_exec(l->session->db, sql, NULL, NULL, NULL) == SQLITE_OK)
        return true;
    (void)ms_session_sqlite_error(l->session, err);
    return false;
}

static void add_keys(const struct ms_table *table, const struct ms_table_def *def, struct ms_buffer *sql)
{
    for (const struct ms_constraint_def *c = def->constraints; c; c = c->next) {
        if (c->kind != MS_CONSTRAINT_KEY || !c->key.unique)
            continue;
        ms_buffer_text(sql, ", UNIQUE (");
        for (size_t i = 0; i < c->key.n_columns; i++) {
            int at = ms_table_column(table, c->key.columns[i]);
            ms_buffer_format(sql, "%sc%d", i ? "," : "", at + 1);
        }
        ms_buffer_byte(sql, ')');
    }
}

bool ms_temporary_create(struct ms_language *language, const char *name, const struct ms_table_def *def,
                         struct ms_table **ret_table, struct ms_error *err)
{
    if (name && ms_temporary_find(language, name))
        return ms_error_set(err, 2714, 16, 6, "There is already an object named '%s' in the database.", name);
    struct ms_temp_table *t = ms_heap_alloc(sizeof *t);
    struct ms_buffer sql = {0};
    describe(t, def, name ? name : "@table", ++language->next_temp_id);
    t->named = name != NULL;
    ms_buffer_format(&sql, "CREATE TEMP TABLE %s (", t->table->sqlite_name);
    for (size_t i = 0; i < t->table->n_columns; i++)
        ms_buffer_format(&sql, "%s%s%s", i ? "," : "", t->table->columns[i].sql_name,
                         ms_cell_declaration(&t->table->columns[i].type, NULL));
    add_keys(t->table, def, &sql);
    ms_buffer_byte(&sql, ')');
    bool ok = run_sql(language, sql.data, err);
    ms_buffer_free(&sql);
    if (!ok) {
        ms_arena_free(&t->arena);
        free(t);
        return false;
    }
    t->next = language->temp_tables;
    language->temp_tables = t;
    language->temp_version++;
    if (ret_table)
        *ret_table = t->table;
    return true;
}

void ms_temporary_free(struct ms_language *language, struct ms_table *table)
{
    for (struct ms_temp_table **link = &language->temp_tables; *link; link = &(*link)->next) {
        struct ms_temp_table *t = *link;
        struct ms_error ignored;
        char sql[64];
        if (t->table != table)
            continue;
        *link = t->next;
        sqlite3_finalize(t->insert);
        (void)snprintf(sql, sizeof sql, "DROP TABLE IF EXISTS temp.%s", table->sqlite_name);
        (void)run_sql(language, sql, &ignored);
        ms_arena_free(&t->arena);
        free(t);
        language->temp_version++;
        return;
    }
}

bool ms_temporary_drop(struct ms_language *language, const char *name)
{
    for (struct ms_temp_table *t = language->temp_tables; t; t = t->next) {
        if (!t->named || !ms_name_equal(t->table->name, name))
            continue;
        ms_temporary_free(language, t->table);
        return true;
    }
    return false;
}

void ms_temporary_drop_all(struct ms_language *language)
{
    while (language->temp_tables)
        ms_temporary_free(language, language->temp_tables->table);
}

/* --- rows --- */

static bool check_nulls(const struct ms_table *table, const struct ms_value *row, const char *verb,
                        struct ms_error *err)
{
    for (size_t i = 0; i < table->n_columns; i++)
        if (row[i].is_null && !table->columns[i].nullable)
            return ms_error_set(err, 515, 16, 2,
                                "Cannot insert the value NULL into column '%s', table '%s'; column does "
                                "not allow nulls. %s fails.",
                                table->columns[i].name, table->name, verb);
    return true;
}

static bool finish(struct ms_language *l, const struct ms_table *table, sqlite3_stmt *stmt,
                   struct ms_error *err)
{
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_DONE)
        return true;
    if (rc == SQLITE_CONSTRAINT)
        return ms_error_set(err, 2627, 14, 1,
                            "Violation of UNIQUE KEY constraint. Cannot insert duplicate key in object "
                            "'%s'.",
                            table->name);
    (void)ms_session_sqlite_error(l->session, err);
    return false;
}

static bool bind_row(struct ms_language *l, sqlite3_stmt *stmt, const struct ms_table *table,
                     const struct ms_value *row, struct ms_error *err)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        if (ms_cell_bind(stmt, (int)i + 1, &table->columns[i].type, &row[i]) != SQLITE_OK) {
            (void)ms_session_sqlite_error(l->session, err);
            return false;
        }
    }
    return true;
}

bool ms_temporary_insert(struct ms_language *language, const struct ms_table *table,
                         const struct ms_value *row, struct ms_error *err)
{
    struct ms_temp_table *t = entry_of(language, table);
    if (!check_nulls(table, row, "INSERT", err))
        return false;
    if (!t->insert) {
        struct ms_buffer sql = {0};
        ms_buffer_format(&sql, "INSERT INTO temp.%s VALUES (", table->sqlite_name);
        for (size_t i = 0; i < table->n_columns; i++)
            ms_buffer_text(&sql, i ? ",?" : "?");
        ms_buffer_byte(&sql, ')');
        int rc = sqlite3_prepare_v2(language->session->db, sql.data, -1, &t->insert, NULL);
        ms_buffer_free(&sql);
        if (rc != SQLITE_OK) {
            (void)ms_session_sqlite_error(language->session, err);
            return false;
        }
    }
    bool ok = bind_row(language, t->insert, table, row, err) && finish(language, table, t->insert, err);
    sqlite3_reset(t->insert);
    if (ok && table->identity_column >= 0)
        t->next_identity += table->columns[table->identity_column].identity_increment;
    return ok;
}

bool ms_temporary_update(struct ms_language *language, const struct ms_table *table, int64_t rowid,
                         const struct ms_value *row, struct ms_error *err)
{
    struct ms_buffer sql = {0};
    sqlite3_stmt *stmt = NULL;
    if (!check_nulls(table, row, "UPDATE", err))
        return false;
    ms_buffer_format(&sql, "UPDATE temp.%s SET ", table->sqlite_name);
    for (size_t i = 0; i < table->n_columns; i++)
        ms_buffer_format(&sql, "%s%s=?", i ? "," : "", table->columns[i].sql_name);
    ms_buffer_format(&sql, " WHERE rowid=?%zu", table->n_columns + 1);
    bool ok = sqlite3_prepare_v2(language->session->db, sql.data, -1, &stmt, NULL) == SQLITE_OK;
    ms_buffer_free(&sql);
    if (!ok)
        (void)ms_session_sqlite_error(language->session, err);
    ok = ok && bind_row(language, stmt, table, row, err);
    if (ok)
        sqlite3_bind_int64(stmt, (int)table->n_columns + 1, rowid);
    ok = ok && finish(language, table, stmt, err);
    sqlite3_finalize(stmt);
    return ok;
}

bool ms_temporary_delete(struct ms_language *language, const struct ms_table *table, int64_t rowid,
                         struct ms_error *err)
{
    char sql[96];
    (void)snprintf(sql, sizeof sql, "DELETE FROM temp.%s WHERE rowid=%lld", table->sqlite_name,
                   (long long)rowid);
    return run_sql(language, sql, err);
}

bool ms_temporary_clear(struct ms_language *language, const struct ms_table *table, struct ms_error *err)
{
    char sql[96];
    (void)snprintf(sql, sizeof sql, "DELETE FROM temp.%s", table->sqlite_name);
    return run_sql(language, sql, err);
}

int64_t ms_temporary_identity(const struct ms_language *language, const struct ms_table *table)
{
    return entry_of(language, table)->next_identity;
}
