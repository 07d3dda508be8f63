/* SPDX-License-Identifier: Apache-2.0 */
#include "sink/postgres/table.h"

#include <ctype.h>
#include <stdlib.h>

enum { NAME_BYTES = 63 }; /* NAMEDATALEN - 1 */

/* Cut as the server does it: at a character's boundary. */
static size_t cut_name(const char *name, size_t len)
{
    if (len <= NAME_BYTES)
        return len;
    len = NAME_BYTES;
    while (len && ((unsigned char)name[len] & 0xC0) == 0x80)
        len--;
    return len;
}

void sl_pgsink_quote_path(struct sl_buf *sql, const char *path, bool lower)
{
    for (bool more = true; more;) {
        size_t len = strcspn(path, ".");
        char part[NAME_BYTES + 1];
        size_t kept = cut_name(path, len);

        for (size_t i = 0; i < kept; i++)
            part[i] = lower ? (char)tolower((unsigned char)path[i]) : path[i];
        part[kept] = '\0';
        sl_pg_quote_name(sql, part);
        more = path[len] == '.';
        if (more)
            sl_buf_u8(sql, '.');
        path += len + more;
    }
}

int sl_pgsink_table_column(const struct sl_pgsink_table *table, const char *name)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        if (strcmp(table->columns[i].name, name) == 0)
            return (int)i;
    }
    return -1;
}

void sl_pgsink_table_free(struct sl_pgsink_table *table)
{
    if (!table)
        return;
    for (size_t i = 0; i < table->n_columns; i++) {
        sl_free(table->columns[i].name);
        sl_free(table->columns[i].type_text);
    }
    for (size_t i = 0; i < table->n_uniques; i++) {
        sl_free(table->uniques[i].name);
        sl_free(table->uniques[i].columns);
    }
    sl_free(table->columns);
    sl_free(table->uniques);
    sl_free(table->parents);
    sl_free(table->sql_name);
    sl_free(table->label);
    sl_free(table);
}

static enum sl_rc query_1(struct sl_pg *pg, const char *sql, const char *value, PGresult **ret,
                          struct sl_error *err)
{
    const char *values[1] = {value};

    return sl_pg_query(pg, sql, &(struct sl_pg_args){.n = 1, .values = values}, ret, err);
}

static bool is_true(const PGresult *result, int row, int field)
{
    return *PQgetvalue(result, row, field) == 't';
}

static Oid oid_at(const PGresult *result, int row, int field)
{
    return (Oid)strtoul(PQgetvalue(result, row, field), NULL, 10);
}

/* The attribute numbers come too: a dropped column leaves a hole, so a number is not an index. */
static const char columns_sql[] =
    "SELECT a.attname, b.oid, b.typarray, format_type(b.oid, -1), b.typcategory, a.attnotnull OR "
    "t.typnotnull,"
    " a.atthasdef OR a.attidentity <> '' OR t.typdefault IS NOT NULL, a.attidentity = 'a', a.attnum"
    " FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid"
    " JOIN LATERAL (WITH RECURSIVE d(oid, typtype, typbasetype) AS (SELECT t.oid, t.typtype, t.typbasetype"
    "  UNION ALL SELECT p.oid, p.typtype, p.typbasetype FROM d JOIN pg_type p ON p.oid = d.typbasetype"
    "  WHERE d.typtype = 'd') SELECT oid FROM d WHERE typtype <> 'd') base ON true"
    " JOIN pg_type b ON b.oid = base.oid"
    " WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";

static enum sl_rc read_columns(struct sl_pg *pg, struct sl_pgsink_table *table, const char *oid,
                               int16_t **ret_numbers, struct sl_error *err)
{
    PGresult *result;
    enum sl_rc rc = query_1(pg, columns_sql, oid, &result, err);

    if (rc != SL_OK)
        return rc;
    table->n_columns = (size_t)PQntuples(result);
    table->columns = sl_zalloc(table->n_columns + 1, sizeof(*table->columns));
    *ret_numbers = sl_zalloc(table->n_columns + 1, sizeof(**ret_numbers));
    for (int i = 0; i < PQntuples(result); i++) {
        table->columns[i] = (struct sl_pgsink_column){
            .name = sl_strdup(PQgetvalue(result, i, 0)),
            .type = oid_at(result, i, 1),
            .array_type = oid_at(result, i, 2),
            .type_text = sl_strdup(PQgetvalue(result, i, 3)),
            .category = *PQgetvalue(result, i, 4),
            .not_null = is_true(result, i, 5),
            .has_default = is_true(result, i, 6),
            .identity_always = is_true(result, i, 7),
        };
        (*ret_numbers)[i] = (int16_t)strtol(PQgetvalue(result, i, 8), NULL, 10);
    }
    PQclear(result);
    return SL_OK;
}

static const char uniques_sql[] =
    "SELECT c.relname, i.indisprimary, i.indpred IS NULL AND i.indexprs IS NULL AND i.indimmediate AND "
    "i.indisvalid,"
    " array_to_string((i.indkey::int2[])[0:i.indnkeyatts - 1], ' ')"
    " FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
    " WHERE i.indrelid = $1 AND (i.indisunique OR i.indisexclusion) ORDER BY i.indisprimary DESC, c.relname";

static void read_unique(struct sl_pgsink_table *table, const int16_t *numbers, const char *list,
                        struct sl_pgsink_unique *unique)
{
    char *next;

    unique->columns = sl_zalloc(table->n_columns + 1, sizeof(*unique->columns));
    for (long number; unique->n < table->n_columns; list = next) {
        number = strtol(list, &next, 10);
        if (next == list)
            break;
        for (size_t i = 0; i < table->n_columns; i++) {
            if (numbers[i] == number)
                unique->columns[unique->n++] = (uint16_t)i;
        }
    }
}

static enum sl_rc read_uniques(struct sl_pg *pg, struct sl_pgsink_table *table, const char *oid,
                               const int16_t *numbers, struct sl_error *err)
{
    PGresult *result;
    enum sl_rc rc = query_1(pg, uniques_sql, oid, &result, err);

    if (rc != SL_OK)
        return rc;
    table->n_uniques = (size_t)PQntuples(result);
    table->uniques = sl_zalloc(table->n_uniques + 1, sizeof(*table->uniques));
    for (int i = 0; i < PQntuples(result); i++) {
        struct sl_pgsink_unique *unique = &table->uniques[i];

        unique->name = sl_strdup(PQgetvalue(result, i, 0));
        unique->primary = is_true(result, i, 1);
        unique->inferable = is_true(result, i, 2);
        read_unique(table, numbers, PQgetvalue(result, i, 3), unique);
    }
    PQclear(result);
    return SL_OK;
}

static enum sl_rc read_parents(struct sl_pg *pg, struct sl_pgsink_table *table, const char *oid,
                               struct sl_error *err)
{
    PGresult *result;
    enum sl_rc rc =
        query_1(pg,
                "SELECT DISTINCT confrelid FROM pg_constraint WHERE contype = 'f' AND conrelid = $1"
                " AND confrelid <> conrelid",
                oid, &result, err);

    if (rc != SL_OK)
        return rc;
    table->n_parents = (size_t)PQntuples(result);
    table->parents = sl_zalloc(table->n_parents + 1, sizeof(*table->parents));
    for (int i = 0; i < PQntuples(result); i++)
        table->parents[i] = oid_at(result, i, 0);
    PQclear(result);
    return SL_OK;
}

static enum sl_rc read_details(struct sl_pg *pg, struct sl_pgsink_table *table, const char *oid,
                               struct sl_error *err)
{
    int16_t *numbers = NULL;
    enum sl_rc rc = read_columns(pg, table, oid, &numbers, err);

    if (rc == SL_OK)
        rc = read_uniques(pg, table, oid, numbers, err);
    if (rc == SL_OK)
        rc = read_parents(pg, table, oid, err);
    sl_free(numbers);
    return rc;
}

enum sl_rc sl_pgsink_table_read(struct sl_pg *pg, const char *sql_name, struct sl_pgsink_table **ret,
                                struct sl_error *err)
{
    struct sl_pgsink_table *table;
    PGresult *result;
    enum sl_rc rc =
        query_1(pg,
                "SELECT c.oid, c.relkind, quote_ident(n.nspname) || '.' || quote_ident(c.relname),"
                " n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                " WHERE c.oid = to_regclass($1)",
                sql_name, &result, err);

    if (rc != SL_OK)
        return rc;
    if (PQntuples(result) == 0) {
        PQclear(result);
        *ret = NULL;
        return SL_OK;
    }
    table = sl_zalloc(1, sizeof(*table));
    table->oid = oid_at(result, 0, 0);
    table->kind = *PQgetvalue(result, 0, 1);
    table->sql_name = sl_strdup(PQgetvalue(result, 0, 2));
    table->label = sl_strdup(PQgetvalue(result, 0, 3));
    rc = read_details(pg, table, PQgetvalue(result, 0, 0), err);
    PQclear(result);
    if (rc != SL_OK) {
        sl_pgsink_table_free(table);
        return sl_error_wrap(err, "reading what table %s looks like", sql_name);
    }
    *ret = table;
    return SL_OK;
}
