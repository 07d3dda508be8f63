/* SPDX-License-Identifier: Apache-2.0 */
/* A look at the living server before anything starts: one line says what is wrong and what to do. */
#include "source/sqlserver/catalog.h"
#include "source/sqlserver/source.h"

#include <ctype.h>
#include <stdio.h>

/* Is the entry a plain name rather than an expression? Then the table must exist. "\." is a plain dot. */
static bool plain_name(const char *entry, char *name, size_t size)
{
    size_t n = 0;

    for (; *entry && n + 1 < size; entry++) {
        if (*entry == '\\' && entry[1] == '.')
            entry++;
        else if (!isalnum((unsigned char)*entry) && !strchr("._- $#@", *entry))
            return false;
        name[n++] = *entry;
    }
    name[n] = '\0';
    return !*entry && strchr(name, '.') != NULL;
}

static enum sl_rc table_exists(struct sl_odbc *conn, const char *schema, const char *table, bool *ret_exists,
                               struct sl_error *err)
{
    struct sl_odbc_stmt *stmt;
    enum sl_rc rc =
        sl_odbc_prepare(conn,
                        "SELECT t.object_id FROM sys.tables t JOIN sys.schemas s ON s.schema_id = "
                        "t.schema_id WHERE s.name = ? AND t.name = ?",
                        &stmt, err);

    if (rc != SL_OK)
        return rc;
    rc = sl_odbc_bind_text(stmt, 1, schema, err);
    if (rc == SL_OK)
        rc = sl_odbc_bind_text(stmt, 2, table, err);
    if (rc == SL_OK)
        rc = sl_odbc_execute(stmt, err);
    if (rc == SL_OK)
        rc = sl_odbc_fetch(stmt, ret_exists, err);
    sl_odbc_stmt_free(stmt);
    return rc;
}

static enum sl_rc not_captured(struct sl_odbc *conn, const char *database, char *name, struct sl_error *err)
{
    char *table = strchr(name, '.');
    bool exists = false;
    enum sl_rc rc;

    *table++ = '\0';
    rc = table_exists(conn, name, table, &exists, err);
    if (rc != SL_OK)
        return rc;
    if (!exists)
        return sl_error_set(err, SL_E_NOT_FOUND,
                            "table '%s.%s' does not exist in database '%s'. HINT: check table.include.list",
                            name, table, database);
    return sl_error_set(err, SL_E_NOT_FOUND,
                        "table '%s.%s' of database '%s' is not captured. HINT: USE [%s]; EXEC "
                        "sys.sp_cdc_enable_table @source_schema=N'%s', @source_name=N'%s', @role_name=NULL",
                        name, table, database, database, name, table);
}

static enum sl_rc check_tables(struct sl_odbc *conn, const struct sl_mssql_config *config,
                               const char *database, struct sl_error *err)
{
    struct sl_mssql_catalog catalog;
    enum sl_rc rc = sl_mssql_catalog_read(conn, config, database, &catalog, err);

    if (rc != SL_OK)
        return rc;
    for (size_t i = 0; i < config->tables.n && rc == SL_OK; i++) {
        char name[400], captured[400];
        bool found = false;

        if (!plain_name(config->tables.texts[i], name, sizeof(name)))
            continue;
        for (size_t j = 0; j < catalog.n && !found; j++) {
            (void)snprintf(captured, sizeof(captured), "%s.%s", catalog.instances[j].schema,
                           catalog.instances[j].table);
            found = sl_regex_matches(config->tables.patterns[i], captured, strlen(captured));
        }
        if (!found && config->n_databases == 1)
            rc = not_captured(conn, database, name, err);
    }
    if (rc == SL_OK && !catalog.n)
        rc = sl_error_set(err, SL_E_NOT_FOUND,
                          "database '%s': none of the wanted tables is captured. HINT: EXEC "
                          "sys.sp_cdc_enable_table, or check table.include.list",
                          database);
    sl_mssql_catalog_done(&catalog);
    return rc;
}

enum sl_rc sl_mssql_probe(const struct sl_props *props, struct sl_error *err)
{
    struct sl_mssql_config *config;
    enum sl_rc rc = sl_mssql_config_read(props, &config, err);

    if (rc != SL_OK)
        return rc;
    for (size_t i = 0; i < config->n_databases && rc == SL_OK; i++) {
        struct sl_odbc_target target = config->target;
        struct sl_odbc *conn = NULL;

        target.database = config->databases[i];
        rc = sl_odbc_open(&target, &conn, err);
        if (rc == SL_OK)
            rc = check_tables(conn, config, config->databases[i], err);
        sl_odbc_close(conn);
    }
    sl_mssql_config_free(config);
    return rc;
}
