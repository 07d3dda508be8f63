/* SPDX-License-Identifier: Apache-2.0 */
/* Records of the schema-change topic: what Debezium says of a table's structure when it first sees it. */
#include "data/schema_build.h"
#include "source/sqlserver/event.h"
#include "source/sqlserver/structure.h"

#include <stdio.h>

/* java.sql.Types, as Microsoft's JDBC driver reports the columns. */
int sl_mssql_jdbc_type(const struct sl_mssql_column *column)
{
    switch ((int)column->type) {
    case SL_MSSQL_BIT: return -7;
    case SL_MSSQL_TINYINT: return -6;
    case SL_MSSQL_SMALLINT: return 5;
    case SL_MSSQL_INT: return 4;
    case SL_MSSQL_BIGINT: return -5;
    case SL_MSSQL_REAL: return 7;
    case SL_MSSQL_FLOAT: return 8;
    case SL_MSSQL_DECIMAL:
    case SL_MSSQL_MONEY:
    case SL_MSSQL_SMALLMONEY: return 3;
    case SL_MSSQL_NUMERIC: return 2;
    case SL_MSSQL_CHAR:
    case SL_MSSQL_UNIQUEIDENTIFIER: return 1;
    case SL_MSSQL_VARCHAR: return 12;
    case SL_MSSQL_TEXT: return -1;
    case SL_MSSQL_NCHAR: return -15;
    case SL_MSSQL_NVARCHAR: return -9;
    case SL_MSSQL_NTEXT:
    case SL_MSSQL_XML: return -16;
    case SL_MSSQL_DATE: return 91;
    case SL_MSSQL_TIME: return 92;
    case SL_MSSQL_DATETIME:
    case SL_MSSQL_SMALLDATETIME:
    case SL_MSSQL_DATETIME2: return 93;
    case SL_MSSQL_DATETIMEOFFSET: return -155;
    case SL_MSSQL_BINARY:
    case SL_MSSQL_TIMESTAMP: return -2;
    case SL_MSSQL_IMAGE: return -4;
    case SL_MSSQL_VARIANT: return -150;
    default: return -3;
    }
}

/*
 * What sp_columns calls the length: characters of text, bytes of binaries, digits of numbers and dates. It
 * says 0 of the (max) types and xml, which Microsoft's JDBC driver turns into the largest number.
 */
int64_t sl_mssql_jdbc_length(const struct sl_mssql_column *column)
{
    if (column->max_length < 0 || column->type == SL_MSSQL_XML)
        return 2147483647;
    switch ((int)column->type) {
    case SL_MSSQL_NCHAR:
    case SL_MSSQL_NVARCHAR: return column->max_length / 2;
    case SL_MSSQL_CHAR:
    case SL_MSSQL_VARCHAR:
    case SL_MSSQL_BINARY:
    case SL_MSSQL_VARBINARY:
    case SL_MSSQL_HIERARCHYID:
    case SL_MSSQL_TIMESTAMP: return column->max_length;
    case SL_MSSQL_VARIANT: return 8000;
    case SL_MSSQL_TEXT:
    case SL_MSSQL_IMAGE: return 2147483647;
    case SL_MSSQL_NTEXT: return 1073741823;
    case SL_MSSQL_UNIQUEIDENTIFIER: return 36;
    case SL_MSSQL_BIT: return 1;
    default: return column->precision;
    }
}

bool sl_mssql_jdbc_has_scale(const struct sl_mssql_column *column)
{
    switch ((int)column->type) {
    case SL_MSSQL_TINYINT:
    case SL_MSSQL_SMALLINT:
    case SL_MSSQL_INT:
    case SL_MSSQL_BIGINT:
    case SL_MSSQL_DECIMAL:
    case SL_MSSQL_NUMERIC:
    case SL_MSSQL_MONEY:
    case SL_MSSQL_SMALLMONEY:
    case SL_MSSQL_DATE:
    case SL_MSSQL_TIME:
    case SL_MSSQL_DATETIME:
    case SL_MSSQL_SMALLDATETIME:
    case SL_MSSQL_DATETIME2:
    case SL_MSSQL_DATETIMEOFFSET: return true;
    default: return false;
    }
}

static const struct sl_schema *column_schema(void)
{
    struct sl_struct_builder b = {.name = "io.debezium.connector.schema.Column", .version = 1};
    const struct sl_schema *text = sl_schema_plain(SL_STRING, true);
    const struct sl_schema *number = sl_schema_plain(SL_INT32, true);
    const struct sl_schema *flag = sl_schema_plain(SL_BOOLEAN, true);

    sl_struct_add(&b, "name", sl_schema_plain(SL_STRING, false));
    sl_struct_add(&b, "jdbcType", sl_schema_plain(SL_INT32, false));
    sl_struct_add(&b, "nativeType", number);
    sl_struct_add(&b, "typeName", sl_schema_plain(SL_STRING, false));
    sl_struct_add(&b, "typeExpression", text);
    sl_struct_add(&b, "charsetName", text);
    sl_struct_add(&b, "length", number);
    sl_struct_add(&b, "scale", number);
    sl_struct_add(&b, "position", sl_schema_plain(SL_INT32, false));
    sl_struct_add(&b, "optional", flag);
    sl_struct_add(&b, "autoIncremented", flag);
    sl_struct_add(&b, "generated", flag);
    sl_struct_add(&b, "comment", text);
    sl_struct_add(&b, "defaultValueExpression", text);
    sl_struct_add(&b, "enumValues", sl_schema_array(sl_schema_plain(SL_STRING, false), true));
    return sl_struct_end(&b, false);
}

static const struct sl_schema *change_schema(void)
{
    struct sl_struct_builder table = {.name = "io.debezium.connector.schema.Table", .version = 1};
    struct sl_struct_builder change = {.name = "io.debezium.connector.schema.Change", .version = 1};
    const struct sl_schema *text = sl_schema_plain(SL_STRING, true);

    sl_struct_add(&table, "defaultCharsetName", text);
    sl_struct_add(&table, "primaryKeyColumnNames", sl_schema_array(sl_schema_plain(SL_STRING, false), true));
    sl_struct_add(&table, "columns", sl_schema_array(column_schema(), false));
    sl_struct_add(&table, "comment", text);
    sl_struct_add(&change, "type", sl_schema_plain(SL_STRING, false));
    sl_struct_add(&change, "id", sl_schema_plain(SL_STRING, false));
    sl_struct_add(&change, "table", sl_struct_end(&table, true));
    return sl_struct_end(&change, false);
}

void sl_mssql_structure_schemas(struct sl_mssql_emitter *emitter)
{
    struct sl_struct_builder key = {.name = "io.debezium.connector.sqlserver.SchemaChangeKey", .version = 1};
    struct sl_struct_builder value = {.name = "io.debezium.connector.sqlserver.SchemaChangeValue",
                                      .version = 1};
    const struct sl_schema *text = sl_schema_plain(SL_STRING, true);

    sl_struct_add(&key, "databaseName", sl_schema_plain(SL_STRING, false));
    emitter->change_key = sl_struct_end(&key, false);
    sl_struct_add(&value, "source", emitter->layout.schema);
    sl_struct_add(&value, "ts_ms", sl_schema_plain(SL_INT64, false));
    sl_struct_add(&value, "databaseName", text);
    sl_struct_add(&value, "schemaName", text);
    sl_struct_add(&value, "ddl", text);
    sl_struct_add(&value, "tableChanges", sl_schema_array(change_schema(), false));
    emitter->change_value = sl_struct_end(&value, false);
}

static struct sl_value column_value(struct sl_arena *arena, const struct sl_mssql_column *column, int place)
{
    struct sl_value *v = sl_arena_alloc(arena, 15 * sizeof(*v));
    const char *type = sl_mssql_type_name(column->type);

    v[0] = sl_text(sl_arena_strdup(arena, column->name));
    v[1] = sl_int(SL_INT32, sl_mssql_jdbc_type(column));
    v[2] = sl_null();
    v[3] = column->identity ? sl_text(sl_arena_format(arena, "%s identity", type)) : sl_text(type);
    v[4] = v[3];
    v[5] = sl_null();
    v[6] = sl_int(SL_INT32, sl_mssql_jdbc_length(column));
    v[7] = sl_mssql_jdbc_has_scale(column) ? sl_int(SL_INT32, column->scale) : sl_null();
    v[8] = sl_int(SL_INT32, place);
    v[9] = sl_bool(column->nullable);
    v[10] = sl_bool(column->identity);
    v[11] = sl_bool(column->computed);
    v[12] = sl_null();
    v[13] = column->default_text ? sl_text(sl_arena_strdup(arena, column->default_text)) : sl_null();
    v[14] = sl_null();
    return sl_items(SL_STRUCT, v, 15);
}

static struct sl_value table_value(struct sl_arena *arena, const struct sl_mssql_table *table)
{
    const struct sl_mssql_instance *instance = table->instance;
    struct sl_value *v = sl_arena_alloc(arena, 4 * sizeof(*v));
    struct sl_value *keys = sl_arena_alloc(arena, table->n_key * sizeof(*keys));
    struct sl_value *columns = sl_arena_alloc(arena, instance->n_columns * sizeof(*columns));

    for (uint32_t i = 0; i < table->n_key; i++)
        keys[i] = sl_text(sl_arena_strdup(arena, table->fields[table->key[i]].name));
    for (size_t i = 0; i < instance->n_columns; i++)
        columns[i] = column_value(arena, &instance->columns[i], (int)i + 1);
    v[0] = sl_null();
    v[1] = sl_items(SL_ARRAY, keys, table->n_key);
    v[2] = sl_items(SL_ARRAY, columns, instance->n_columns);
    v[3] = sl_null();
    return sl_items(SL_STRUCT, v, 4);
}

static void emit(struct sl_mssql_emitter *emitter, struct sl_mssql_table *table, const char *type,
                 const struct sl_mssql_origin *origin)
{
    struct sl_arena *arena = emitter->batch->arena;
    struct sl_value *source, *key, *v, *change, *item;
    struct sl_record *record;

    source = sl_mssql_source_block(emitter, table, origin);
    key = sl_arena_alloc(arena, sizeof(*key));
    v = sl_arena_alloc(arena, 6 * sizeof(*v));
    change = sl_arena_alloc(arena, 3 * sizeof(*change));
    item = sl_arena_alloc(arena, sizeof(*item));
    *key = sl_text(sl_arena_strdup(arena, emitter->database));
    change[0] = sl_text(type);
    change[1] = sl_text(sl_arena_format(arena, "\"%s\".\"%s\".\"%s\"", emitter->database,
                                        table->instance->schema, table->instance->table));
    change[2] = table_value(arena, table);
    *item = sl_items(SL_STRUCT, change, 3);
    v[0] = sl_items(SL_STRUCT, source, emitter->layout.n);
    v[1] = sl_int(SL_INT64, emitter->now_us / 1000);
    v[2] = *key;
    v[3] = sl_text(sl_arena_strdup(arena, table->instance->schema));
    v[4] = sl_null();
    v[5] = sl_items(SL_ARRAY, item, 1);
    record = sl_batch_add(emitter->batch, emitter->schema_topic, emitter->change_key, emitter->change_value);
    record->key = sl_items(SL_STRUCT, key, 1);
    record->value = sl_items(SL_STRUCT, v, 6);
    record->partition = 0;
    record->headers = emitter->headers;
    record->n_headers = emitter->n_headers;
}

/* Which structure, and from where on: "0a1b2c3d/512/0000002a:00000100:0001". */
static void mark_of(const struct sl_mssql_table *table, char ret_mark[SL_MSSQL_MARK_SIZE], size_t *ret_from)
{
    struct sl_buf text = {0};

    sl_mssql_structure_write(table, &text);
    sl_mssql_structure_mark(&text, ret_mark);
    sl_buf_done(&text);
    *ret_from = strlen(ret_mark) + 1;
    ret_mark[*ret_from - 1] = '/';
    sl_lsn_write(&table->instance->start, ret_mark + *ret_from);
    ret_mark[*ret_from + SL_LSN_TEXT_SIZE] = '\0';
}

static bool is_newer(const char *former, const char *mark_from)
{
    const char *from = strrchr(former, '/');

    return from && strcmp(from + 1, mark_from) > 0;
}

void sl_mssql_structure_tell(struct sl_mssql_told *told, struct sl_mssql_emitter *emitter,
                             struct sl_mssql_table *table, const struct sl_mssql_origin *origin)
{
    const char *former = told ? sl_mssql_told_find(told, table->id) : NULL;
    char mark[SL_MSSQL_MARK_SIZE];
    size_t from;

    if (!told)
        return;
    mark_of(table, mark, &from);
    if (former && (strcmp(former, mark) == 0 || is_newer(former, mark + from)))
        return;
    if (!former || strncmp(former, mark, from) != 0)
        emit(emitter, table, former ? "ALTER" : "CREATE", origin);
    sl_mssql_told_put(told, emitter->batch, table->id, mark);
}

void sl_mssql_structure_tell_anew(struct sl_mssql_told *told, struct sl_mssql_emitter *emitter,
                                  struct sl_mssql_table *table, const struct sl_mssql_origin *origin)
{
    if (!told)
        return;
    emit(emitter, table, "CREATE", origin);
    sl_mssql_structure_known(told, emitter->batch, table);
}

void sl_mssql_structure_known(struct sl_mssql_told *told, struct sl_batch *batch,
                              const struct sl_mssql_table *table)
{
    char mark[SL_MSSQL_MARK_SIZE];
    size_t from;

    mark_of(table, mark, &from);
    sl_mssql_told_put(told, batch, table->id, mark);
}
