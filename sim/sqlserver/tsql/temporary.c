/* SPDX-License-Identifier: Apache-2.0 */
#include "temporary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../storage/cell.h"
#include "../storage/session_state.h"
#include "../storage/unique.h"
#include "typing.h"

struct ms_temp_table {
    struct ms_temp_table *next;
    struct ms_table *table;
    int64_t next_identity;
    bool named;
    int32_t last_index_id;
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

static void describe_checks(struct ms_temp_table *t, const struct ms_table_def *def, struct ms_table *table)
{
    size_t n = 0;
    for (const struct ms_constraint_def *c = def->constraints; c; c = c->next)
        n += c->kind == MS_CONSTRAINT_CHECK;
    struct ms_check *checks = ms_arena_alloc(&t->arena, (n + 1) * sizeof *checks);
    for (const struct ms_constraint_def *c = def->constraints; c; c = c->next) {
        if (c->kind != MS_CONSTRAINT_CHECK)
            continue;
        const char *name = c->name ? ms_arena_text(&t->arena, c->name)
                                   : ms_arena_format(&t->arena, "CK__%.9s__%08X", table->name,
                                                     (unsigned)(table->n_checks + 1));
        checks[table->n_checks++] =
            (struct ms_check){.name = name, .definition = ms_arena_format(&t->arena, "(%s)", c->check_text)};
    }
    table->checks = checks;
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
    table->object_id = -id; /* as SQL Server's: negative in tempdb */
    table->identity_column = table->rowversion_column = -1;
    describe_checks(t, def, table);
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

static void drop_storage(struct ms_language *l, const struct ms_table *table, struct ms_error *err)
{
    char sql[64];
    (void)snprintf(sql, sizeof sql, "DROP TABLE IF EXISTS temp.%s", table->sqlite_name);
    (void)run_sql(l, sql, err);
}

/* --- keys and indexes: SQLite's, with SQL Server's names and errors --- */

static const struct ms_index *describe_index(struct ms_temp_table *t, const struct ms_key_spec *key,
                                             const char *name)
{
    struct ms_table *table = t->table;
    struct ms_index *list = ms_arena_alloc(&t->arena, (table->n_indexes + 1) * sizeof *list);
    struct ms_index_column *columns = ms_arena_alloc(&t->arena, key->n_columns * sizeof *columns);
    if (table->n_indexes)
        memcpy(list, table->indexes, table->n_indexes * sizeof *list);
    for (size_t i = 0; i < key->n_columns; i++)
        columns[i].column_id = ms_table_column(table, key->columns[i]) + 1;
    struct ms_index *index = &list[table->n_indexes];
    *index = (struct ms_index){.name = ms_arena_text(&t->arena, name),
                               .index_id = ++t->last_index_id,
                               .constraint_id = key->primary_key || key->unique_constraint ? 1 : 0,
                               .unique = key->unique,
                               .primary_key = key->primary_key,
                               .unique_constraint = key->unique_constraint,
                               .columns = columns,
                               .n_columns = key->n_columns};
    table->indexes = list;
    table->n_indexes++;
    return index;
}

/* In SQLite NULLs differ from each other; in a unique index of SQL Server they are equal. */
static void write_index(const struct ms_table *table, const struct ms_index *index, struct ms_buffer *sql)
{
    ms_buffer_format(sql, "CREATE %sINDEX temp.%si%d ON %s(", index->unique ? "UNIQUE " : "",
                     table->sqlite_name, index->index_id, table->sqlite_name);
    for (size_t i = 0; i < index->n_columns; i++)
        ms_buffer_format(sql, "%sc%d", i ? "," : "", index->columns[i].column_id);
    ms_buffer_text(sql, ");");
    if (index->unique && index->n_columns == 1)
        ms_buffer_format(sql, "CREATE UNIQUE INDEX temp.%si%dn ON %s((c%d IS NULL)) WHERE c%d IS NULL",
                         table->sqlite_name, index->index_id, table->sqlite_name, index->columns[0].column_id,
                         index->columns[0].column_id);
}

static bool make_index(struct ms_language *l, struct ms_temp_table *t, const struct ms_key_spec *key,
                       const char *name, struct ms_error *err)
{
    struct ms_buffer sql = {0};
    const struct ms_index *index = describe_index(t, key, name);
    write_index(t->table, index, &sql);
    bool ok = run_sql(l, sql.data, err);
    ms_buffer_free(&sql);
    if (!ok)
        t->table->n_indexes--;
    return ok;
}

static bool key_columns_exist(const struct ms_table *table, const struct ms_key_spec *key,
                              struct ms_error *err)
{
    for (size_t i = 0; i < key->n_columns; i++)
        if (ms_table_column(table, key->columns[i]) < 0)
            return ms_error_set(err, 1911, 16, 1,
                                "Column name '%s' does not exist in the target table or view.",
                                key->columns[i]);
    return true;
}

bool ms_temporary_add_index(struct ms_language *language, const struct ms_table *table,
                            const struct ms_key_spec *key, struct ms_error *err)
{
    struct ms_temp_table *t = entry_of(language, table);
    if (key->filter || key->ignore_dup_key)
        return ms_error_set(
            err, 102, 15, 1,
            "Incorrect syntax near '%s': this server has no such indexes on temporary tables.",
            key->filter ? "WHERE" : "IGNORE_DUP_KEY");
    for (size_t i = 0; i < table->n_indexes; i++)
        if (ms_name_equal(table->indexes[i].name, key->name))
            return ms_error_set(err, 1913, 16, 1,
                                "The operation failed because an index or statistics with name '%s' already "
                                "exists on table '%s'.",
                                key->name, table->name);
    if (!key_columns_exist(table, key, err))
        return false;
    language->temp_version++;
    if (make_index(language, t, key, key->name, err))
        return true;
    if (key->unique && (sqlite3_errcode(language->session->db) & 0xFF) == SQLITE_CONSTRAINT)
        return ms_error_set(
            err, 1505, 16, 1,
            "The CREATE UNIQUE INDEX statement terminated because a duplicate key was found for "
            "the object name 'dbo.%s' and the index name '%s'.",
            table->name, key->name);
    return false;
}

bool ms_temporary_drop_index(struct ms_language *language, const struct ms_table *table, const char *name,
                             struct ms_error *err)
{
    struct ms_temp_table *t = entry_of(language, table);
    for (size_t i = 0; i < table->n_indexes; i++) {
        const struct ms_index *index = &table->indexes[i];
        char sql[160];
        if (!ms_name_equal(index->name, name))
            continue;
        if (index->constraint_id)
            return ms_error_set(
                err, 3723, 16, 4,
                "An explicit DROP INDEX is not allowed on index '%s.%s'. It is being used for "
                "%s constraint enforcement.",
                table->name, name, index->primary_key ? "PRIMARY KEY" : "UNIQUE KEY");
        (void)snprintf(sql, sizeof sql, "DROP INDEX temp.%si%d; DROP INDEX IF EXISTS temp.%si%dn",
                       table->sqlite_name, index->index_id, table->sqlite_name, index->index_id);
        if (!run_sql(language, sql, err))
            return false;
        struct ms_index *list = ms_arena_alloc(&t->arena, table->n_indexes * sizeof *list);
        for (size_t k = 0, n = 0; k < table->n_indexes; k++)
            if (k != i)
                list[n++] = table->indexes[k];
        t->table->indexes = list;
        t->table->n_indexes--;
        language->temp_version++;
        return true;
    }
    return ms_error_set(err, 3701, 11, 7,
                        "Cannot drop the index '%s.%s', because it does not exist or you do not have "
                        "permission.",
                        table->name, name);
}

/* The keys that the definition asks for; the checks were described with the table. */
static bool add_keys(struct ms_language *l, struct ms_temp_table *t, const struct ms_table_def *def,
                     struct ms_error *err)
{
    for (const struct ms_constraint_def *c = def->constraints; c; c = c->next) {
        if (c->kind != MS_CONSTRAINT_KEY)
            continue;
        const char *name =
            c->key.name ? c->key.name
                        : ms_arena_format(&t->arena, "%s__%.9s__%08X", c->key.primary_key ? "PK" : "UQ",
                                          t->table->name, (unsigned)-t->table->object_id);
        if (!key_columns_exist(t->table, &c->key, err) || !make_index(l, t, &c->key, name, err))
            return false;
    }
    return true;
}

static void forget(struct ms_temp_table *t)
{
    ms_arena_free(&t->arena);
    free(t);
}

static bool names_differ(const struct ms_table_def *def, const char *table, struct ms_error *err)
{
    for (const struct ms_column_def *c = def->columns; c; c = c->next)
        for (const struct ms_column_def *other = def->columns; other != c; other = other->next)
            if (ms_name_equal(c->spec.name, other->spec.name))
                return ms_error_set(
                    err, 2705, 16, 3,
                    "Column names in each table must be unique. Column name '%s' in table '%s' is "
                    "specified more than once.",
                    c->spec.name, table);
    return true;
}

bool ms_temporary_create(struct ms_language *language, const char *name, const struct ms_table_def *def,
                         struct ms_table **ret_table, struct ms_error *err)
{
    struct ms_error ignored;
    if (name && ms_temporary_find(language, name))
        return ms_error_set(err, 2714, 16, 6, "There is already an object named '%s' in the database.", name);
    if (!names_differ(def, name ? name : "@table", err))
        return false;
    struct ms_temp_table *t = ms_heap_alloc(sizeof *t);
    struct ms_buffer sql = {0};
    describe(t, def, name ? name : "@table", ++language->next_temp_id);
    t->named = name != NULL;
    ms_buffer_format(&sql, "CREATE TEMP TABLE %s (", t->table->sqlite_name);
    for (size_t i = 0; i < t->table->n_columns; i++)
        ms_buffer_format(&sql, "%s%s%s", i ? "," : "", t->table->columns[i].sql_name,
                         ms_cell_declaration(&t->table->columns[i].type, NULL));
    ms_buffer_byte(&sql, ')');
    bool made = run_sql(language, sql.data, err);
    ms_buffer_free(&sql);
    if (!made || !add_keys(language, t, def, err)) {
        if (made)
            drop_storage(language, t->table, &ignored);
        forget(t);
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
        if (t->table != table)
            continue;
        *link = t->next;
        sqlite3_finalize(t->insert);
        drop_storage(language, table, &ignored);
        forget(t);
        language->temp_version++;
        return;
    }
}

static bool has_storage(struct ms_language *l, const struct ms_table *table)
{
    sqlite3_stmt *stmt = NULL;
    bool has = sqlite3_prepare_v2(l->session->db, "SELECT 1 FROM sqlite_temp_master WHERE name=?", -1, &stmt,
                                  NULL) == SQLITE_OK &&
               sqlite3_bind_text(stmt, 1, table->sqlite_name, -1, SQLITE_STATIC) == SQLITE_OK &&
               sqlite3_step(stmt) == SQLITE_ROW;
    sqlite3_finalize(stmt);
    return has;
}

void ms_temporary_settle(struct ms_language *language)
{
    for (struct ms_temp_table **link = &language->temp_tables; *link;) {
        struct ms_temp_table *t = *link;
        if (!t->named || has_storage(language, t->table)) {
            link = &t->next;
            continue;
        }
        *link = t->next;
        sqlite3_finalize(t->insert);
        forget(t);
        language->temp_version++;
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

/* Is there another row with this row's key? */
static bool key_taken(struct ms_language *l, const struct ms_table *table, const struct ms_index *index,
                      const struct ms_value *row, int64_t rowid)
{
    struct ms_buffer sql = {0};
    sqlite3_stmt *stmt = NULL;
    ms_buffer_format(&sql, "SELECT 1 FROM temp.%s WHERE rowid<>%lld", table->sqlite_name, (long long)rowid);
    for (size_t i = 0; i < index->n_columns; i++)
        ms_buffer_format(&sql, " AND c%d IS ?", index->columns[i].column_id);
    bool taken = sqlite3_prepare_v2(l->session->db, sql.data, -1, &stmt, NULL) == SQLITE_OK;
    ms_buffer_free(&sql);
    for (size_t i = 0; taken && i < index->n_columns; i++) {
        int c = index->columns[i].column_id - 1;
        (void)ms_cell_bind(stmt, (int)i + 1, &table->columns[c].type, &row[c]);
    }
    taken = taken && sqlite3_step(stmt) == SQLITE_ROW;
    sqlite3_finalize(stmt);
    return taken;
}

static bool duplicate(struct ms_language *l, const struct ms_table *table, const struct ms_value *row,
                      int64_t rowid, struct ms_error *err)
{
    char key[900];
    const struct ms_index *index = NULL;
    for (size_t i = 0; i < table->n_indexes && !index; i++)
        if (table->indexes[i].unique && key_taken(l, table, &table->indexes[i], row, rowid))
            index = &table->indexes[i];
    if (!index) {
        (void)ms_session_sqlite_error(l->session, err);
        return false;
    }
    (void)ms_value_key_text(table, index, row, key, sizeof key);
    if (!index->constraint_id)
        return ms_error_set(err, 2601, 14, 1,
                            "Cannot insert duplicate key row in object 'dbo.%s' with unique index '%s'. The "
                            "duplicate key value is %s.",
                            table->name, index->name, key);
    return ms_error_set(
        err, 2627, 14, 1,
        "Violation of %s constraint '%s'. Cannot insert duplicate key in object 'dbo.%s'. The "
        "duplicate key value is %s.",
        index->primary_key ? "PRIMARY KEY" : "UNIQUE KEY", index->name, table->name, key);
}

/* rowid: of the row itself, 0 when it is new. */
static bool finish(struct ms_language *l, const struct ms_table *table, sqlite3_stmt *stmt,
                   const struct ms_value *row, int64_t rowid, struct ms_error *err)
{
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_DONE)
        return true;
    if ((rc & 0xFF) == SQLITE_CONSTRAINT) {
        sqlite3_reset(stmt);
        return duplicate(l, table, row, rowid, err);
    }
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

static void identity_seen(struct ms_temp_table *t, const struct ms_value *value)
{
    const struct ms_catalog_column *column = &t->table->columns[t->table->identity_column];
    int64_t seen = ms_type_class(column->type.id) == MS_CLASS_DECIMAL ? (int64_t)value->dec : value->i;
    bool ahead = column->identity_increment > 0 ? seen >= t->next_identity : seen <= t->next_identity;
    if (ahead)
        t->next_identity = seen + column->identity_increment;
}

bool ms_temporary_insert(struct ms_language *language, const struct ms_table *table,
                         const struct ms_value *row, int64_t *ret_rowid, struct ms_error *err)
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
    bool ok =
        bind_row(language, t->insert, table, row, err) && finish(language, table, t->insert, row, 0, err);
    sqlite3_reset(t->insert);
    if (ok)
        *ret_rowid = sqlite3_last_insert_rowid(language->session->db);
    if (table->identity_column >= 0) /* what was taken stays taken, also when the row is refused */
        identity_seen(t, &row[table->identity_column]);
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
    ok = ok && finish(language, table, stmt, row, rowid, err);
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

bool ms_temporary_begin(struct ms_language *language, struct ms_error *err)
{
    return run_sql(language, "SAVEPOINT temporary", err);
}

void ms_temporary_end(struct ms_language *language, bool ok)
{
    struct ms_error ignored;
    if (!ok)
        (void)run_sql(language, "ROLLBACK TO temporary", &ignored);
    (void)run_sql(language, "RELEASE temporary", &ignored);
}
