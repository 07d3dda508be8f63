/* SPDX-License-Identifier: Apache-2.0 */
#include "source/sqlserver/catalog.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

static const char instances_sql[] =
    "SELECT ct.object_id, ct.source_object_id, ct.capture_instance, ct.start_lsn, s.name, t.name"
    " FROM cdc.change_tables ct"
    " JOIN sys.tables t ON t.object_id = ct.source_object_id"
    " JOIN sys.schemas s ON s.schema_id = t.schema_id"
    " ORDER BY ct.source_object_id, ct.start_lsn, ct.create_date, ct.object_id";

/* Types as the change table has them; what only the source table knows is NULL for a column dropped there. */
static const char columns_sql[] =
    "SELECT cc.object_id, cc.column_name, cc.column_id, cc.column_ordinal,"
    " CASE WHEN c.user_type_id IN (128, 129, 130) THEN c.user_type_id ELSE c.system_type_id END, "
    "c.max_length,"
    " c.precision, c.scale, sc.is_nullable, sc.is_identity, sc.is_computed, sc.system_type_id, dc.definition"
    " FROM cdc.captured_columns cc"
    " JOIN cdc.change_tables ct ON ct.object_id = cc.object_id"
    " JOIN sys.columns c ON c.object_id = cc.object_id AND c.name = cc.column_name"
    " LEFT JOIN sys.columns sc ON sc.object_id = ct.source_object_id AND sc.column_id = cc.column_id"
    " LEFT JOIN sys.default_constraints dc ON dc.parent_object_id = sc.object_id"
    " AND dc.parent_column_id = sc.column_id"
    " ORDER BY cc.object_id, cc.column_ordinal";

static const char keys_sql[] =
    "SELECT i.object_id, i.index_id, i.is_primary_key, ic.key_ordinal, ic.column_id"
    " FROM sys.indexes i"
    " JOIN sys.index_columns ic ON ic.object_id = i.object_id AND ic.index_id = i.index_id"
    " JOIN cdc.change_tables ct ON ct.source_object_id = i.object_id"
    " WHERE i.is_unique = 1 AND i.has_filter = 0 AND ic.key_ordinal > 0"
    " GROUP BY i.object_id, i.index_id, i.is_primary_key, ic.key_ordinal, ic.column_id"
    " ORDER BY i.object_id, i.is_primary_key DESC, i.index_id, ic.key_ordinal";

static const char command_sql[] = "SELECT c.object_id FROM sys.columns c JOIN cdc.change_tables ct"
                                  " ON ct.object_id = c.object_id WHERE c.name = N'__$command_id'";

static const char ddl_sql[] = "SELECT MAX(ddl_lsn) FROM cdc.ddl_history";

bool sl_mssql_column_is_large(const struct sl_mssql_column *column)
{
    return column->max_length < 0 || column->type == SL_MSSQL_TEXT || column->type == SL_MSSQL_NTEXT ||
           column->type == SL_MSSQL_IMAGE || column->type == SL_MSSQL_XML;
}

const char *sl_mssql_type_name(enum sl_mssql_type type)
{
    static const struct {
        enum sl_mssql_type type;
        const char *name;
    } names[] = {
        {SL_MSSQL_IMAGE, "image"},
        {SL_MSSQL_TEXT, "text"},
        {SL_MSSQL_UNIQUEIDENTIFIER, "uniqueidentifier"},
        {SL_MSSQL_DATE, "date"},
        {SL_MSSQL_TIME, "time"},
        {SL_MSSQL_DATETIME2, "datetime2"},
        {SL_MSSQL_DATETIMEOFFSET, "datetimeoffset"},
        {SL_MSSQL_TINYINT, "tinyint"},
        {SL_MSSQL_SMALLINT, "smallint"},
        {SL_MSSQL_INT, "int"},
        {SL_MSSQL_SMALLDATETIME, "smalldatetime"},
        {SL_MSSQL_REAL, "real"},
        {SL_MSSQL_MONEY, "money"},
        {SL_MSSQL_DATETIME, "datetime"},
        {SL_MSSQL_FLOAT, "float"},
        {SL_MSSQL_VARIANT, "sql_variant"},
        {SL_MSSQL_NTEXT, "ntext"},
        {SL_MSSQL_BIT, "bit"},
        {SL_MSSQL_DECIMAL, "decimal"},
        {SL_MSSQL_NUMERIC, "numeric"},
        {SL_MSSQL_SMALLMONEY, "smallmoney"},
        {SL_MSSQL_BIGINT, "bigint"},
        {SL_MSSQL_VARBINARY, "varbinary"},
        {SL_MSSQL_VARCHAR, "varchar"},
        {SL_MSSQL_BINARY, "binary"},
        {SL_MSSQL_CHAR, "char"},
        {SL_MSSQL_TIMESTAMP, "timestamp"},
        {SL_MSSQL_NVARCHAR, "nvarchar"},
        {SL_MSSQL_NCHAR, "nchar"},
        {SL_MSSQL_HIERARCHYID, "hierarchyid"},
        {SL_MSSQL_GEOMETRY, "geometry"},
        {SL_MSSQL_GEOGRAPHY, "geography"},
        {SL_MSSQL_CLR, "varbinary"},
        {SL_MSSQL_XML, "xml"},
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (names[i].type == type)
            return names[i].name;
    return "unknown";
}

void sl_mssql_quote(struct sl_buf *sql, const char *name)
{
    sl_buf_u8(sql, '[');
    for (; *name; name++) {
        sl_buf_u8(sql, (uint8_t)*name);
        if (*name == ']')
            sl_buf_u8(sql, ']');
    }
    sl_buf_u8(sql, ']');
}

void sl_mssql_catalog_done(struct sl_mssql_catalog *catalog)
{
    for (size_t i = 0; i < catalog->n; i++) {
        for (size_t j = 0; j < catalog->instances[i].n_columns; j++)
            sl_free(catalog->instances[i].columns[j].default_text);
        sl_free(catalog->instances[i].columns);
    }
    sl_free(catalog->instances);
    *catalog = (struct sl_mssql_catalog){0};
}

static void copy_text(char *to, size_t size, const struct sl_odbc_stmt *stmt, int column)
{
    (void)snprintf(to, size, "%s", sl_odbc_text(stmt, column));
}

static void copy_lsn(struct sl_lsn *to, const struct sl_odbc_stmt *stmt, int column)
{
    const struct sl_cell *cell = sl_odbc_cell(stmt, column);

    memset(to->b, 0, sizeof(to->b));
    if (cell->len == SL_LSN_SIZE)
        memcpy(to->b, cell->data, SL_LSN_SIZE);
}

/* Call row for each row of the query. */
static enum sl_rc each_row(struct sl_odbc *conn, const char *sql, struct sl_mssql_catalog *catalog,
                           enum sl_rc (*row)(struct sl_mssql_catalog *, struct sl_odbc_stmt *,
                                             struct sl_error *),
                           struct sl_error *err)
{
    struct sl_odbc_stmt *stmt;
    bool more = false;
    enum sl_rc rc = sl_odbc_direct(conn, sql, &stmt, err);

    if (rc != SL_OK)
        return rc;
    rc = sl_odbc_execute(stmt, err);
    if (rc == SL_OK)
        rc = sl_odbc_fetch(stmt, &more, err);
    while (rc == SL_OK && more) {
        rc = row(catalog, stmt, err);
        if (rc == SL_OK)
            rc = sl_odbc_fetch(stmt, &more, err);
    }
    sl_odbc_stmt_free(stmt);
    return rc;
}

static enum sl_rc instance_row(struct sl_mssql_catalog *catalog, struct sl_odbc_stmt *stmt,
                               struct sl_error *err)
{
    struct sl_mssql_instance *instance;

    (void)err;
    catalog->instances = sl_realloc(catalog->instances, catalog->n + 1, sizeof(*catalog->instances));
    instance = &catalog->instances[catalog->n++];
    memset(instance, 0, sizeof(*instance));
    instance->object_id = (int)sl_odbc_int(stmt, 0);
    instance->source_object_id = (int)sl_odbc_int(stmt, 1);
    copy_text(instance->name, sizeof(instance->name), stmt, 2);
    copy_lsn(&instance->start, stmt, 3);
    copy_text(instance->schema, sizeof(instance->schema), stmt, 4);
    copy_text(instance->table, sizeof(instance->table), stmt, 5);
    return SL_OK;
}

static struct sl_mssql_instance *find_instance(struct sl_mssql_catalog *catalog, int object_id)
{
    for (size_t i = 0; i < catalog->n; i++)
        if (catalog->instances[i].object_id == object_id)
            return &catalog->instances[i];
    return NULL;
}

static enum sl_rc column_row(struct sl_mssql_catalog *catalog, struct sl_odbc_stmt *stmt,
                             struct sl_error *err)
{
    struct sl_mssql_instance *instance = find_instance(catalog, (int)sl_odbc_int(stmt, 0));
    struct sl_mssql_column *column;
    bool gone = sl_cell_is_null(sl_odbc_cell(stmt, 8));
    int last = sl_odbc_n_cells(stmt) - 1;
    enum sl_rc rc = SL_OK;

    if (!instance)
        return SL_OK;
    instance->columns = sl_realloc(instance->columns, instance->n_columns + 1, sizeof(*instance->columns));
    column = &instance->columns[instance->n_columns++];
    memset(column, 0, sizeof(*column));
    copy_text(column->name, sizeof(column->name), stmt, 1);
    column->id = (int)sl_odbc_int(stmt, 2);
    column->ordinal = (int)sl_odbc_int(stmt, 3);
    column->type = (enum sl_mssql_type)sl_odbc_int(stmt, 4);
    column->max_length = (int)sl_odbc_int(stmt, 5);
    column->precision = (int)sl_odbc_int(stmt, 6);
    column->scale = (int)sl_odbc_int(stmt, 7);
    column->nullable = gone || sl_odbc_int(stmt, 8) != 0;
    column->identity = sl_odbc_int(stmt, 9) != 0;
    column->computed = sl_odbc_int(stmt, 10) != 0;
    if (!gone && sl_odbc_int(stmt, 11) == SL_MSSQL_TIMESTAMP)
        column->type = SL_MSSQL_TIMESTAMP; /* binary(8) in the change table */
    if (sl_odbc_cell(stmt, last)->is_long)
        rc = sl_odbc_read_long(stmt, last, err);
    if (rc == SL_OK && !sl_cell_is_null(sl_odbc_cell(stmt, last)))
        column->default_text =
            sl_strndup(sl_odbc_cell(stmt, last)->data, (size_t)sl_odbc_cell(stmt, last)->len);
    return rc;
}

static enum sl_rc command_row(struct sl_mssql_catalog *catalog, struct sl_odbc_stmt *stmt,
                              struct sl_error *err)
{
    struct sl_mssql_instance *instance = find_instance(catalog, (int)sl_odbc_int(stmt, 0));

    (void)err;
    if (instance)
        instance->has_command_id = true;
    return SL_OK;
}

static enum sl_rc ddl_row(struct sl_mssql_catalog *catalog, struct sl_odbc_stmt *stmt, struct sl_error *err)
{
    (void)err;
    copy_lsn(&catalog->ddl, stmt, 0);
    return SL_OK;
}

/* One key part after the other; rows come primary keys first, then the unique indexes by number. */
struct key_parts {
    struct {
        int object_id, index_id, ordinal, column_id;
        bool primary;
    } *items;
    size_t n, capacity;
};

static enum sl_rc read_key_parts(struct sl_odbc *conn, struct key_parts *parts, struct sl_error *err)
{
    struct sl_odbc_stmt *stmt;
    bool more = false;
    enum sl_rc rc = sl_odbc_direct(conn, keys_sql, &stmt, err);

    if (rc != SL_OK)
        return rc;
    rc = sl_odbc_execute(stmt, err);
    while (rc == SL_OK && (rc = sl_odbc_fetch(stmt, &more, err)) == SL_OK && more) {
        SL_GROW(parts->items, parts->n, parts->capacity);
        parts->items[parts->n].object_id = (int)sl_odbc_int(stmt, 0);
        parts->items[parts->n].index_id = (int)sl_odbc_int(stmt, 1);
        parts->items[parts->n].primary = sl_odbc_int(stmt, 2) != 0;
        parts->items[parts->n].ordinal = (int)sl_odbc_int(stmt, 3);
        parts->items[parts->n].column_id = (int)sl_odbc_int(stmt, 4);
        parts->n++;
    }
    sl_odbc_stmt_free(stmt);
    return rc;
}

static struct sl_mssql_column *find_column(struct sl_mssql_instance *instance, int id)
{
    for (size_t i = 0; i < instance->n_columns; i++)
        if (instance->columns[i].id == id)
            return &instance->columns[i];
    return NULL;
}

/* May this index be a key? All its columns are captured, and none of a unique index is nullable or computed.
 */
static bool index_fits(struct sl_mssql_instance *instance, const struct key_parts *parts, size_t first)
{
    for (size_t i = first; i < parts->n && parts->items[i].object_id == parts->items[first].object_id &&
                           parts->items[i].index_id == parts->items[first].index_id;
         i++) {
        const struct sl_mssql_column *column = find_column(instance, parts->items[i].column_id);

        if (!column || (!parts->items[i].primary && (column->nullable || column->computed)))
            return false;
    }
    return true;
}

static void set_key(struct sl_mssql_instance *instance, const struct key_parts *parts)
{
    for (size_t i = 0; i < parts->n; i++) {
        if (parts->items[i].object_id != instance->source_object_id || parts->items[i].ordinal != 1 ||
            !index_fits(instance, parts, i))
            continue;
        for (size_t j = i; j < parts->n && parts->items[j].object_id == parts->items[i].object_id &&
                           parts->items[j].index_id == parts->items[i].index_id;
             j++)
            find_column(instance, parts->items[j].column_id)->key = parts->items[j].ordinal;
        instance->key_clustered = parts->items[i].index_id == 1;
        return;
    }
}

/* The user's own key columns, where a pattern matches the table. */
static enum sl_rc set_custom_key(struct sl_mssql_instance *instance, const struct sl_mssql_config *config,
                                 const char *name, struct sl_error *err)
{
    for (size_t i = 0; i < config->n_keys; i++) {
        const struct sl_mssql_custom_key *key = &config->keys[i];

        if (sl_mssql_filter_match(&key->table, name) < 0)
            continue;
        instance->key_clustered = false;
        for (size_t j = 0; j < instance->n_columns; j++)
            instance->columns[j].key = 0;
        for (size_t k = 0; k < key->n; k++) {
            size_t j = 0;

            while (j < instance->n_columns && strcasecmp(instance->columns[j].name, key->columns[k]) != 0)
                j++;
            if (j == instance->n_columns)
                return sl_error_set(
                    err, SL_E_CONFIG,
                    "message.key.columns names column '%s', which table '%s' does not capture",
                    key->columns[k], name);
            instance->columns[j].key = (int)k + 1;
        }
        return SL_OK;
    }
    return SL_OK;
}

static bool passes(const struct sl_mssql_config *config, const struct sl_mssql_instance *instance)
{
    char name[260];

    (void)snprintf(name, sizeof(name), "%s.%s", instance->schema, instance->table);
    return sl_mssql_filter_pass(&config->schemas, &config->no_schemas, instance->schema) &&
           sl_mssql_filter_pass(&config->tables, &config->no_tables, name) &&
           sl_mssql_filter_pass(&config->instances, &config->no_instances, instance->name);
}

static void drop_filtered(struct sl_mssql_catalog *catalog, const struct sl_mssql_config *config)
{
    size_t kept = 0;

    for (size_t i = 0; i < catalog->n; i++)
        if (passes(config, &catalog->instances[i]))
            catalog->instances[kept++] = catalog->instances[i];
    catalog->n = kept;
}

/* Rows come ordered by table and start: of two neighbours of one table the second takes over. One that the
 * server has not given a start yet holds nothing and waits for its turn. */
static void set_stops(struct sl_mssql_catalog *catalog)
{
    for (size_t i = 0; i + 1 < catalog->n; i++) {
        struct sl_mssql_instance *older = &catalog->instances[i];
        struct sl_mssql_instance *newer = &catalog->instances[i + 1];

        if (older->source_object_id != newer->source_object_id)
            continue;
        if (sl_lsn_is_zero(&older->start)) {
            const struct sl_mssql_instance swap = *older; /* NULL sorts first */

            *older = *newer;
            *newer = swap;
            continue;
        }
        older->stop = newer->start;
        older->has_stop = true;
    }
}

struct placed {
    int place;
    size_t index;
};

static int compare_placed(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;

    return x->place != y->place ? (x->place > y->place) - (x->place < y->place)
                                : (x->index > y->index) - (x->index < y->index);
}

static int compare_names(const void *a, const void *b)
{
    const struct sl_mssql_instance *x = a, *y = b;
    int order = strcmp(x->schema, y->schema);

    if (!order)
        order = strcmp(x->table, y->table);
    return order ? order : memcmp(x->start.b, y->start.b, SL_LSN_SIZE);
}

/* Tables in the order in which the include list names them, then by name. */
static void sort_instances(struct sl_mssql_catalog *catalog, const struct sl_mssql_config *config)
{
    struct placed *order;
    struct sl_mssql_instance *sorted;

    if (catalog->n < 2)
        return;
    qsort(catalog->instances, catalog->n, sizeof(*catalog->instances), compare_names);
    order = sl_zalloc(catalog->n, sizeof(*order));
    sorted = sl_zalloc(catalog->n, sizeof(*sorted));
    for (size_t i = 0; i < catalog->n; i++) {
        char name[260];

        (void)snprintf(name, sizeof(name), "%s.%s", catalog->instances[i].schema,
                       catalog->instances[i].table);
        order[i].place = sl_mssql_filter_match(&config->tables, name);
        order[i].index = i;
    }
    qsort(order, catalog->n, sizeof(*order), compare_placed);
    for (size_t i = 0; i < catalog->n; i++)
        sorted[i] = catalog->instances[order[i].index];
    memcpy(catalog->instances, sorted, catalog->n * sizeof(*sorted));
    sl_free(order);
    sl_free(sorted);
}

static enum sl_rc set_keys(struct sl_odbc *conn, struct sl_mssql_catalog *catalog,
                           const struct sl_mssql_config *config, struct sl_error *err)
{
    struct key_parts parts = {0};
    enum sl_rc rc = read_key_parts(conn, &parts, err);

    for (size_t i = 0; i < catalog->n && rc == SL_OK; i++) {
        struct sl_mssql_instance *instance = &catalog->instances[i];
        char name[260];

        (void)snprintf(name, sizeof(name), "%s.%s", instance->schema, instance->table);
        set_key(instance, &parts);
        rc = set_custom_key(instance, config, name, err);
    }
    sl_free(parts.items);
    return rc;
}

enum sl_rc sl_mssql_catalog_read(struct sl_odbc *conn, const struct sl_mssql_config *config,
                                 const char *database, struct sl_mssql_catalog *ret_catalog,
                                 struct sl_error *err)
{
    struct sl_mssql_catalog catalog = {0};
    enum sl_rc rc = each_row(conn, instances_sql, &catalog, instance_row, err);

    if (rc == SL_E_NOT_FOUND)
        return sl_error_set(
            err, SL_E_NOT_FOUND,
            "database '%s' has no change data capture. HINT: USE [%s]; EXEC sys.sp_cdc_enable_db; "
            "then EXEC sys.sp_cdc_enable_table for each table",
            database, database);
    if (rc == SL_OK) {
        drop_filtered(&catalog, config);
        set_stops(&catalog);
        rc = each_row(conn, columns_sql, &catalog, column_row, err);
    }
    if (rc == SL_OK)
        rc = each_row(conn, command_sql, &catalog, command_row, err);
    if (rc == SL_OK)
        rc = set_keys(conn, &catalog, config, err);
    if (rc == SL_OK)
        rc = each_row(conn, ddl_sql, &catalog, ddl_row, err);
    if (rc == SL_OK) {
        sort_instances(&catalog, config);
        *ret_catalog = catalog;
    } else {
        sl_mssql_catalog_done(&catalog);
    }
    return rc;
}
