/* SPDX-License-Identifier: Apache-2.0 */
/* DDL: names resolved, defaults evaluated and brought into normal form, the rest is storage's. */
#include <string.h>
#include <strings.h>

#include "../storage/system.h"
#include "ddl_table.h"
#include "execute.h"
#include "temporary.h"

/* --- names --- */

bool ms_ddl_place_of(struct ms_run *run, const struct ms_name *name, struct ms_ddl_place *ret)
{
    const char *database = name->n > 2 && name->parts[name->n - 3][0] ? name->parts[name->n - 3] : NULL;
    const struct ms_database *db = ms_catalog_database(run->session, database);
    if (!db)
        return ms_error_set(run->err, 911, 16, 1,
                            "Database '%s' does not exist. Make sure that the name is entered "
                            "correctly.",
                            database ? database : run->session->database);
    ret->db_id = db->db_id;
    ret->database = database;
    ret->schema = name->n > 1 && name->parts[name->n - 2][0] ? name->parts[name->n - 2] : NULL;
    ret->name = name->parts[name->n - 1];
    return true;
}

const struct ms_table *ms_ddl_table_of(struct ms_run *run, const struct ms_name *name)
{
    struct ms_ddl_place place;
    return ms_ddl_place_of(run, name, &place)
               ? ms_catalog_table(run->session, place.database, place.schema, place.name)
               : NULL;
}

static const char *written(struct ms_run *run, const struct ms_name *name)
{
    return ms_name_text(&run->arena, name);
}

/* --- databases and schemas --- */

/*
 * Options that stand as sys.databases shows them and cannot be moved here: to ask for what is so already
 * succeeds, as in the scripts that tools write; anything else is refused.
 */
static bool keep_option(struct ms_run *run, const struct ms_statement *st, const char *database)
{
    static const struct {
        const char *word;
        const char *value; /* "on", "off", the value's own word, or NULL: the option says it all */
    } fixed[] = {{"auto_close", "off"},
                 {"auto_shrink", "off"},
                 {"auto_create_statistics", "on"},
                 {"auto_update_statistics", "on"},
                 {"auto_update_statistics_async", "off"},
                 {"ansi_nulls", "off"}, /* the session's own options stand above these */
                 {"ansi_padding", "off"},
                 {"ansi_warnings", "off"},
                 {"ansi_null_default", "off"},
                 {"arithabort", "off"},
                 {"concat_null_yields_null", "off"},
                 {"numeric_roundabort", "off"},
                 {"quoted_identifier", "off"},
                 {"recursive_triggers", "off"},
                 {"cursor_close_on_commit", "off"},
                 {"cursor_default", "global"},
                 {"page_verify", "checksum"},
                 {"compatibility_level", "150"},
                 {"trustworthy", "off"},
                 {"db_chaining", "off"},
                 {"disable_broker", NULL},
                 {"parameterization", "simple"},
                 {"date_correlation_optimization", "off"},
                 {"delayed_durability", "disabled"},
                 {"query_store", "off"},
                 {"accelerated_database_recovery", "off"},
                 {"honor_broker_priority", "off"},
                 {"target_recovery_time", "60"}};
    const char *given = st->word2 ? st->word2 : st->flag ? "on" : "off";
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
        if (strcasecmp(st->word, fixed[i].word) != 0)
            continue;
        if (!fixed[i].value || strcasecmp(given, fixed[i].value) == 0)
            return true;
        if (strcasecmp(st->word, "compatibility_level") == 0)
            return ms_error_set(run->err, 15048, 16, 1,
                                "Valid values of the database compatibility level are 150.");
        return ms_error_set(run->err, 5058, 16, 1, "Option '%s' cannot be set in database '%s'.", st->word,
                            database);
    }
    return ms_error_set(run->err, 102, 15, 6, "Incorrect syntax near '%s'.", st->word);
}

static bool alter_database(struct ms_run *run, const struct ms_statement *st)
{
    static const struct {
        const char *word;
        enum ms_db_option option;
        int on; /* 0, 1: fixed; -1: as written; 2: the word itself is the text; 3: the value is the text */
    } options[] = {{"allow_snapshot_isolation", MS_DB_SNAPSHOT_ISOLATION, -1},
                   {"read_committed_snapshot", MS_DB_READ_COMMITTED_SNAPSHOT, -1},
                   {"online", MS_DB_ONLINE, 1},
                   {"offline", MS_DB_ONLINE, 0},
                   {"single_user", MS_DB_USER_ACCESS, 2},
                   {"multi_user", MS_DB_USER_ACCESS, 2},
                   {"restricted_user", MS_DB_USER_ACCESS, 2},
                   {"recovery", MS_DB_RECOVERY, 3},
                   {"collate", MS_DB_COLLATE, 3},
                   {"name", MS_DB_NAME, 3},
                   {"read_only", MS_DB_READ_ONLY, 1},
                   {"read_write", MS_DB_READ_ONLY, 0}};
    const char *name = st->name.parts[0][0] ? st->name.parts[0] : run->session->database;
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        if (strcasecmp(st->word, options[i].word) != 0)
            continue;
        bool on = options[i].on == -1 ? st->flag : options[i].on == 1;
        const char *text = options[i].on == 2 ? options[i].word : options[i].on == 3 ? st->word2 : NULL;
        return ms_ddl_alter_database(run->session, name, options[i].option, on, text, run->err);
    }
    if (!ms_catalog_database(run->session, name))
        return ms_error_set(run->err, 5011, 14, 5,
                            "User does not have permission to alter database '%s', the database does "
                            "not exist, or the database is not in a state that allows access checks.",
                            name);
    return keep_option(run, st, name);
}

static bool drop_database(struct ms_run *run, const struct ms_statement *st)
{
    for (size_t i = 0; i < st->n_names; i++) {
        const char *name = st->names[i].parts[0];
        if (!ms_catalog_database(run->session, name)) {
            if (st->flag)
                continue;
            return ms_error_set(run->err, 3701, 11, 1,
                                "Cannot drop the database '%s', because it does not exist or you do "
                                "not have permission.",
                                name);
        }
        if (!ms_ddl_drop_database(run->session, name, run->err))
            return false;
    }
    return true;
}

static bool drop_schema(struct ms_run *run, const struct ms_statement *st)
{
    for (size_t i = 0; i < st->n_names; i++) {
        const char *name = st->names[i].parts[st->names[i].n - 1];
        if (st->flag && !ms_catalog_schema(ms_catalog_database(run->session, NULL), name))
            continue;
        if (!ms_ddl_drop_schema(run->session, run->session->db_id, name, run->err))
            return false;
    }
    return true;
}

/* --- tables --- */

static bool drop_tables(struct ms_run *run, const struct ms_statement *st)
{
    for (size_t i = 0; i < st->n_names; i++) {
        const char *last = st->names[i].parts[st->names[i].n - 1];
        const struct ms_table *table = last[0] == '#' ? NULL : ms_ddl_table_of(run, &st->names[i]);
        if (last[0] == '#' && ms_temporary_drop(run->l, last))
            continue;
        if (!table && st->flag)
            continue;
        if (!table)
            return ms_error_set(run->err, 3701, 11, 5,
                                "Cannot drop the table '%s', because it does not exist or you do not "
                                "have permission.",
                                written(run, &st->names[i]));
        if (!ms_ddl_drop_table(run->session, table->object_id, run->err))
            return false;
    }
    return true;
}

static bool truncate(struct ms_run *run, const struct ms_statement *st)
{
    const char *last = st->name.parts[st->name.n - 1];
    const struct ms_table *table =
        last[0] == '#' ? ms_temporary_find(run->l, last) : ms_ddl_table_of(run, &st->name);
    if (!table)
        return ms_error_set(run->err, 4701, 16, 1,
                            "Cannot find the object \"%s\" because it does not exist or you do not have "
                            "permissions.",
                            written(run, &st->name));
    if (last[0] == '#')
        return ms_temporary_clear(run->l, table, run->err);
    return ms_ddl_truncate_table(run->session, table->object_id, run->err);
}

static bool create_index(struct ms_run *run, const struct ms_statement *st)
{
    const char *last = st->name.parts[st->name.n - 1];
    const struct ms_table *table =
        last[0] == '#' ? ms_temporary_find(run->l, last) : ms_ddl_table_of(run, &st->name);
    if (table && last[0] == '#')
        return ms_temporary_add_index(run->l, table, st->key, run->err);
    if (!table)
        return ms_error_set(run->err, 1088, 16, 12,
                            "Cannot find the object \"%s\" because it does not exist or you do not have "
                            "permissions.",
                            written(run, &st->name));
    return ms_ddl_add_key(run->session, table->object_id, st->key, run->err);
}

static bool drop_index(struct ms_run *run, const struct ms_statement *st)
{
    const char *last = st->name.parts[st->name.n - 1];
    const struct ms_table *table =
        last[0] == '#' ? ms_temporary_find(run->l, last) : ms_ddl_table_of(run, &st->name);
    bool found = false;
    for (size_t i = 0; table && i < table->n_indexes; i++)
        found = found || ms_name_equal(table->indexes[i].name, st->word);
    if (!found && st->flag)
        return true;
    if (table && last[0] == '#')
        return ms_temporary_drop_index(run->l, table, st->word, run->err);
    if (!found)
        return ms_error_set(run->err, 3701, 11, 7,
                            "Cannot drop the index '%s.%s', because it does not exist or you do not have "
                            "permission.",
                            written(run, &st->name), st->word);
    return ms_ddl_drop_index(run->session, table->object_id, st->word, run->err);
}

/* There are none; the table must be there. */
static bool update_statistics(struct ms_run *run, const struct ms_statement *st)
{
    const char *last = st->name.parts[st->name.n - 1];
    const struct ms_table *table =
        last[0] == '#' ? ms_temporary_find(run->l, last) : ms_ddl_table_of(run, &st->name);
    return table ||
           ms_error_set(run->err, 2706, 11, 6, "Table '%s' does not exist.", written(run, &st->name));
}

/* --- modules --- */

/* A view's tables and columns must be there when it is made (a procedure's need not). */
static bool view_binds(struct ms_run *run, const struct ms_statement *st)
{
    struct ms_query *query;
    struct ms_plan plan;
    return ms_parse_view(&run->arena, st->text, &query, run->err) &&
           ms_bind_query(run->l, &run->arena, query, &plan, run->err);
}

static bool create_module(struct ms_run *run, const struct ms_statement *st)
{
    struct ms_ddl_place place;
    if (strcmp(st->word, "FN") == 0)
        return ms_error_set(run->err, 102, 15, 1,
                            "Incorrect syntax near 'FUNCTION': this server keeps views and procedures "
                            "only.");
    if (!ms_ddl_place_of(run, &st->name, &place) || (strcmp(st->word, "V") == 0 && !view_binds(run, st)))
        return false;
    bool exists = ms_catalog_module(run->session, place.database, place.schema, place.name) != NULL;
    bool alter = st->flag ? exists : st->flag2;
    return ms_ddl_create_module(run->session, place.db_id, place.schema ? place.schema : "dbo", place.name,
                                st->word, st->text, alter, run->err);
}

static bool drop_modules(struct ms_run *run, const struct ms_statement *st)
{
    for (size_t i = 0; i < st->n_names; i++) {
        struct ms_ddl_place place;
        if (!ms_ddl_place_of(run, &st->names[i], &place))
            return false;
        const struct ms_module *module =
            ms_catalog_module(run->session, place.database, place.schema, place.name);
        if (!module && st->flag)
            continue;
        if (!module)
            return ms_error_set(run->err, 3701, 11, 5,
                                "Cannot drop the %s '%s', because it does not exist or you do not have "
                                "permission.",
                                st->word, written(run, &st->names[i]));
        if (!ms_ddl_drop_module(run->session, module->object_id, run->err))
            return false;
    }
    return true;
}

/* --- principals --- */

static bool change_principal(struct ms_run *run, const struct ms_statement *st)
{
    struct ms_session *s = run->session;
    const char *name = st->name.parts[0], *extra = st->name2.n ? st->name2.parts[0] : NULL;
    if (strcmp(st->word, "login") == 0)
        return st->flag2
                   ? ms_ddl_alter_login(s, name, st->word2, st->nullable ? st->flag : -1, extra, run->err)
                   : ms_ddl_create_login(s, name, st->word2, extra, run->err);
    if (strcmp(st->word, "user") == 0)
        return st->flag2 ? ms_ddl_alter_user(s, s->db_id, name, st->word2, extra, run->err)
                         : ms_ddl_create_user(s, s->db_id, name, st->word2, extra, run->err);
    if (strcmp(st->word, "role") == 0)
        return st->flag2 ? ms_ddl_role_member(s, s->db_id, name, st->word2, st->flag, run->err)
                         : ms_ddl_create_role(s, s->db_id, name, st->word2, run->err);
    if (strcmp(st->word, "server role") == 0 && st->flag2)
        return ms_ddl_role_member(s, 0, name, st->word2, st->flag, run->err);
    if (strcmp(st->word, "drop login") == 0)
        return ms_ddl_drop_login(s, name, run->err);
    if (strcmp(st->word, "drop user") == 0)
        return ms_ddl_drop_user(s, s->db_id, name, run->err) || (st->flag && run->err->number == 15151);
    if (strcmp(st->word, "drop role") == 0)
        return ms_ddl_drop_role(s, s->db_id, name, run->err) || (st->flag && run->err->number == 15151);
    return ms_error_set(run->err, 102, 15, 1, "Incorrect syntax near 'SERVER'.");
}

static bool change_permission(struct ms_run *run, const struct ms_statement *st)
{
    int32_t object_id = 0, schema_id = 0;
    if (st->op == 'O') {
        struct ms_ddl_place place;
        const struct ms_table *table = ms_ddl_table_of(run, &st->name);
        const struct ms_module *module = NULL;
        if (!table && ms_ddl_place_of(run, &st->name, &place))
            module = ms_catalog_module(run->session, place.database, place.schema, place.name);
        if (!table && !module)
            return ms_error_set(run->err, 15151, 16, 1,
                                "Cannot find the object '%s', because it does not exist or you do not "
                                "have permission.",
                                written(run, &st->name));
        object_id = table ? table->object_id : module->object_id;
    } else if (st->op == 'S') {
        const struct ms_schema *schema =
            ms_catalog_schema(ms_catalog_database(run->session, NULL), st->name.parts[0]);
        if (!schema)
            return ms_error_set(run->err, 15151, 16, 1,
                                "Cannot find the schema '%s', because it does not exist or you do not "
                                "have permission.",
                                st->name.parts[0]);
        schema_id = schema->schema_id;
    }
    char letter = strcasecmp(st->word, "grant") == 0 ? 'G' : strcasecmp(st->word, "deny") == 0 ? 'D' : 'R';
    for (size_t i = 0; i < st->n_columns; i++)
        for (size_t n = 0; n < st->n_names; n++)
            if (!ms_ddl_permission(run->session, run->session->db_id, letter, st->columns[i], object_id,
                                   schema_id, st->names[n].parts[0], run->err))
                return false;
    return true;
}

static bool dispatch(struct ms_run *run, struct ms_statement *st)
{
    switch ((int)st->id) {
    case MS_ST_TRUNCATE: return truncate(run, st);
    case MS_ST_CREATE_DATABASE: return ms_ddl_create_database(run->session, st->word, st->word2, run->err);
    case MS_ST_DROP_DATABASE: return drop_database(run, st);
    case MS_ST_ALTER_DATABASE: return alter_database(run, st);
    case MS_ST_CREATE_SCHEMA:
        return ms_ddl_create_schema(run->session, run->session->db_id, st->word, st->word2, run->err);
    case MS_ST_DROP_SCHEMA: return drop_schema(run, st);
    case MS_ST_CREATE_TABLE: return ms_ddl_run_create_table(run, st);
    case MS_ST_DROP_TABLE: return drop_tables(run, st);
    case MS_ST_ALTER_TABLE: return ms_ddl_run_alter_table(run, st);
    case MS_ST_CREATE_INDEX: return create_index(run, st);
    case MS_ST_DROP_INDEX: return drop_index(run, st);
    case MS_ST_CREATE_MODULE: return create_module(run, st);
    case MS_ST_DROP_MODULE: return drop_modules(run, st);
    case MS_ST_UPDATE_STATISTICS: return update_statistics(run, st);
    case MS_ST_PRINCIPAL: return change_principal(run, st);
    default: return change_permission(run, st);
    }
}

static enum ms_command command_of(enum ms_statement_id id)
{
    return id == MS_ST_CREATE_TABLE  ? MS_CMD_CREATE_TABLE
           : id == MS_ST_DROP_TABLE  ? MS_CMD_DROP_TABLE
           : id == MS_ST_ALTER_TABLE ? MS_CMD_ALTER_TABLE
                                     : MS_CMD_OTHER;
}

bool ms_run_ddl(struct ms_run *run, struct ms_statement *st)
{
    struct ms_error ignored;
    bool database =
        st->id == MS_ST_CREATE_DATABASE || st->id == MS_ST_DROP_DATABASE || st->id == MS_ST_ALTER_DATABASE;
    run->command = command_of(st->id);
    if (database && ms_tran_count(run->session) > 0)
        return ms_error_set(run->err, 226, 16, 6,
                            "%s statement not allowed within multi-statement transaction.",
                            st->id == MS_ST_CREATE_DATABASE ? "CREATE DATABASE"
                            : st->id == MS_ST_DROP_DATABASE ? "DROP DATABASE"
                                                            : "ALTER DATABASE");
    if (!database && !ms_execute_begin_implicit(run, run->err))
        return false;
    if (st->id == MS_ST_ALTER_DATABASE && st->flag2)
        ms_session_kill_others(run->session,
                               st->name.parts[0][0] ? st->name.parts[0] : run->session->database);
    bool temporary = st->id == MS_ST_CREATE_TABLE && st->name.parts[st->name.n - 1][0] == '#';
    if (!ms_statement_begin(run->session, temporary ? MS_STATEMENT_READ : MS_STATEMENT_WRITE, run->err))
        return false;
    bool ok = dispatch(run, st);
    return ms_statement_end(run->session, ok, ok ? run->err : &ignored) && ok;
}
