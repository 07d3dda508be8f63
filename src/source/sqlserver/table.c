/* SPDX-License-Identifier: Apache-2.0 */
#include "source/sqlserver/table.h"
#include "source/sqlserver/position.h"
#include "base/log.h"
#include "data/schema_build.h"

#include <ctype.h>
#include <stdio.h>

void sl_mssql_source_layout_make(enum sl_envelope_shape shape, struct sl_mssql_source_layout *ret_layout)
{
    struct sl_struct_builder b = {.name = "io.debezium.connector.sqlserver.Source",
                                  .version = sl_envelope_source_version(shape)};
    const struct sl_schema *text = sl_schema_plain(SL_STRING, false);
    const struct sl_schema *maybe_text = sl_schema_plain(SL_STRING, true);
    const struct sl_schema *maybe_long = sl_schema_plain(SL_INT64, true);
    const struct sl_schema *schema;

    sl_struct_add(&b, "version", text);
    sl_struct_add(&b, "connector", text);
    sl_struct_add(&b, "name", text);
    sl_struct_add(&b, "ts_ms", sl_schema_plain(SL_INT64, false));
    sl_struct_add(&b, "snapshot", sl_envelope_snapshot_schema(shape));
    sl_struct_add(&b, "db", text);
    sl_struct_add(&b, "sequence", maybe_text);
    if (shape == SL_ENVELOPE_3_5) {
        sl_struct_add(&b, "ts_us", maybe_long);
        sl_struct_add(&b, "ts_ns", maybe_long);
    }
    sl_struct_add(&b, "schema", text);
    sl_struct_add(&b, "table", text);
    sl_struct_add(&b, "change_lsn", maybe_text);
    sl_struct_add(&b, "commit_lsn", maybe_text);
    sl_struct_add(&b, "event_serial_no", maybe_long);
    schema = sl_struct_end(&b, false);
    *ret_layout = (struct sl_mssql_source_layout){
        .schema = schema,
        .version = sl_schema_field(schema, "version"),
        .connector = sl_schema_field(schema, "connector"),
        .name = sl_schema_field(schema, "name"),
        .ts_ms = sl_schema_field(schema, "ts_ms"),
        .snapshot = sl_schema_field(schema, "snapshot"),
        .db = sl_schema_field(schema, "db"),
        .sequence = sl_schema_field(schema, "sequence"),
        .ts_us = sl_schema_field(schema, "ts_us"),
        .ts_ns = sl_schema_field(schema, "ts_ns"),
        .schema_name = sl_schema_field(schema, "schema"),
        .table = sl_schema_field(schema, "table"),
        .change_lsn = sl_schema_field(schema, "change_lsn"),
        .commit_lsn = sl_schema_field(schema, "commit_lsn"),
        .event_serial_no = sl_schema_field(schema, "event_serial_no"),
        .n = schema->n_fields,
    };
}

char *sl_mssql_topic_name(const struct sl_mssql_config *config, const char *database, const char *schema,
                          const char *table)
{
    const char *d = config->delimiter;
    char *name = sl_format("%s%s%s%s%s%s%s", config->prefix, d, database, d, schema, d, table);

    for (char *p = name; *p; p++)
        if (!isalnum((unsigned char)*p) && *p != '.' && *p != '_' && *p != '-')
            *p = '_';
    if (strlen(name) > 249)
        name[249] = '\0';
    return name;
}

static bool in_row(const struct sl_mssql_config *config, const struct sl_mssql_instance *instance,
                   const struct sl_mssql_column *column)
{
    char name[400];

    (void)snprintf(name, sizeof(name), "%s.%s.%s", instance->schema, instance->table, column->name);
    return sl_mssql_filter_pass(&config->columns, &config->no_columns, name);
}

static void choose_fields(struct sl_mssql_table *table, const struct sl_mssql_config *config, bool row)
{
    const struct sl_mssql_instance *instance = table->instance;

    for (size_t i = 0; i < instance->n_columns; i++) {
        const struct sl_mssql_column *column = &instance->columns[i];
        bool wanted = in_row(config, instance, column);

        if (row ? !wanted : wanted || !column->key)
            continue;
        if (sl_mssql_field_choose(column, config, &table->fields[table->n_fields]))
            table->n_fields++;
        else
            sl_warn("a column's type cannot be read, the column is left out", SL_T("table", table->name),
                    SL_T("column", column->name), SL_T("type", sl_mssql_type_name(column->type)));
    }
}

static void find_key(struct sl_mssql_table *table)
{
    table->key = sl_zalloc(table->n_fields + 1, sizeof(*table->key));
    for (int at = 1; at <= (int)table->n_fields; at++)
        for (uint32_t i = 0; i < table->n_fields; i++)
            if (table->fields[i].column->key == at)
                table->key[table->n_key++] = i;
}

static bool may_resume(const struct sl_mssql_table *table)
{
    if (!table->instance->key_clustered || !table->n_key || table->n_key > SL_MSSQL_PROGRESS_KEY)
        return false;
    for (uint32_t i = 0; i < table->n_key; i++)
        switch ((int)table->fields[table->key[i]].column->type) {
        case SL_MSSQL_TINYINT:
        case SL_MSSQL_SMALLINT:
        case SL_MSSQL_INT:
        case SL_MSSQL_BIGINT:
        case SL_MSSQL_NCHAR:
        case SL_MSSQL_NVARCHAR: break;
        default: return false; /* a parameter is Unicode, and orders otherwise than varchar */
        }
    return true;
}

/* A schema's name follows the topic's parts, unlike them without replaced characters. */
static char *schema_prefix(const struct sl_mssql_table *table, const struct sl_mssql_config *config)
{
    char *plain = sl_format("%s.%s", config->prefix, table->id);
    char *adjusted = sl_name_adjust(config->schema_names, plain);

    sl_free(plain);
    return adjusted;
}

static const struct sl_schema *make_struct(const struct sl_mssql_table *table, const char *prefix,
                                           const char *end, const uint32_t *indexes, uint32_t n,
                                           bool optional)
{
    char *name = sl_format("%s.%s", prefix, end);
    struct sl_struct_builder b = {.name = name};
    const struct sl_schema *schema;

    for (uint32_t i = 0; i < n; i++) {
        const struct sl_mssql_field *field = &table->fields[indexes ? indexes[i] : i];

        /* A key's fields are never optional. */
        sl_struct_add(&b, field->label,
                      indexes ? sl_schema_as_optional(field->schema, false) : field->schema);
    }
    schema = sl_struct_end(&b, optional);
    sl_free(name);
    return schema;
}

static void make_schemas(struct sl_mssql_table *table, const struct sl_mssql_config *config,
                         const struct sl_mssql_source_layout *layout)
{
    char *prefix = schema_prefix(table, config);

    if (table->n_key)
        table->key_schema = make_struct(table, prefix, "Key", table->key, table->n_key, false);
    table->row_schema = make_struct(table, prefix, "Value", NULL, table->n_row, true);
    table->envelope = sl_envelope_make(config->shape, prefix, table->row_schema, layout->schema);
    sl_free(prefix);
}

enum sl_rc sl_mssql_table_new(const struct sl_mssql_instance *instance, const struct sl_mssql_config *config,
                              const char *database, const struct sl_mssql_source_layout *layout,
                              struct sl_mssql_table **ret_table, struct sl_error *err)
{
    struct sl_mssql_table *table = sl_zalloc(1, sizeof(*table));
    char *topic;

    table->instance = instance;
    table->id = sl_format("%s.%s.%s", database, instance->schema, instance->table);
    table->name = sl_format("%s.%s", instance->schema, instance->table);
    table->fields = sl_zalloc(instance->n_columns + 1, sizeof(*table->fields));
    choose_fields(table, config, true);
    table->n_row = table->n_fields;
    choose_fields(table, config, false);
    if (!table->n_row) {
        enum sl_rc rc = sl_error_set(err, SL_E_SCHEMA,
                                     "table '%s': none of its captured columns is read. HINT: check "
                                     "column.include.list and column.exclude.list",
                                     table->name);

        sl_mssql_table_free(table);
        return rc;
    }
    for (uint32_t i = 0; i < table->n_fields; i++)
        table->n_large += table->fields[i].large;
    find_key(table);
    table->resumes = may_resume(table);
    for (size_t i = 0; i < config->n_keys; i++)
        table->custom_key =
            table->custom_key || sl_mssql_filter_match(&config->keys[i].table, table->name) >= 0;
    make_schemas(table, config, layout);
    topic = sl_mssql_topic_name(config, database, instance->schema, instance->table);
    table->topic = sl_topic_intern(topic, strlen(topic));
    sl_free(topic);
    *ret_table = table;
    return SL_OK;
}

void sl_mssql_table_free(struct sl_mssql_table *table)
{
    if (!table)
        return;
    for (uint32_t i = 0; i < table->n_fields; i++)
        sl_mssql_field_done(&table->fields[i]);
    sl_free(table->fields);
    sl_free(table->key);
    sl_free(table->id);
    sl_free(table->name);
    sl_free(table);
}

/* Columns of bounded length first, the long ones last: those are read piece by piece, in order. */
static void put_columns(struct sl_mssql_table *table, int first_cell, struct sl_buf *sql)
{
    int cell = first_cell;

    for (int large = 0; large < 2; large++)
        for (uint32_t i = 0; i < table->n_fields; i++) {
            if (table->fields[i].large != (large == 1))
                continue;
            if (cell)
                sl_buf_text(sql, ", ");
            sl_mssql_quote(sql, table->fields[i].name);
            table->fields[i].cell = cell++;
        }
}

void sl_mssql_table_stream_sql(struct sl_mssql_table *table, struct sl_buf *ret_sql)
{
    const char *command = table->instance->has_command_id ? "__$command_id" : "CAST(0 AS int)";
    char *change_table = sl_format("%s_CT", table->instance->name);

    sl_buf_reset(ret_sql);
    sl_buf_format(ret_sql, "SELECT __$start_lsn, %s, __$seqval, __$operation", command);
    if (table->n_large)
        sl_buf_text(ret_sql, ", __$update_mask");
    put_columns(table, table->n_large ? SL_MSSQL_META_COUNT : SL_MSSQL_META_MASK, ret_sql);
    sl_buf_text(ret_sql, " FROM cdc.");
    sl_mssql_quote(ret_sql, change_table);
    sl_buf_text(ret_sql, " WHERE __$start_lsn >= ? AND __$start_lsn <= ? ORDER BY __$start_lsn, ");
    if (table->instance->has_command_id)
        sl_buf_text(ret_sql, "__$command_id, ");
    sl_buf_text(ret_sql, "__$seqval, __$operation");
    sl_free(change_table);
}

/* (k1 > ?) OR (k1 = ? AND k2 > ?) ... */
static void put_behind(const struct sl_mssql_table *table, struct sl_buf *sql)
{
    for (uint32_t last = 0; last < table->n_key; last++) {
        sl_buf_text(sql, last ? " OR (" : "(");
        for (uint32_t i = 0; i <= last; i++) {
            sl_buf_text(sql, i ? " AND " : "");
            sl_mssql_quote(sql, table->fields[table->key[i]].name);
            sl_buf_text(sql, i < last ? " = ?" : " > ?");
        }
        sl_buf_u8(sql, ')');
    }
}

void sl_mssql_table_snapshot_sql(struct sl_mssql_table *table, enum sl_mssql_isolation isolation, bool behind,
                                 struct sl_buf *ret_sql)
{
    sl_buf_reset(ret_sql);
    sl_buf_text(ret_sql, "SELECT ");
    put_columns(table, 0, ret_sql);
    sl_buf_text(ret_sql, " FROM ");
    sl_mssql_quote(ret_sql, table->instance->schema);
    sl_buf_u8(ret_sql, '.');
    sl_mssql_quote(ret_sql, table->instance->table);
    if (isolation == SL_MSSQL_ISOLATION_EXCLUSIVE)
        sl_buf_text(ret_sql, " WITH (TABLOCKX)");
    if (!table->resumes)
        return;
    if (behind) {
        sl_buf_text(ret_sql, " WHERE ");
        put_behind(table, ret_sql);
    }
    for (uint32_t i = 0; i < table->n_key; i++) {
        sl_buf_text(ret_sql, i ? ", " : " ORDER BY ");
        sl_mssql_quote(ret_sql, table->fields[table->key[i]].name);
    }
}

static enum sl_cell_kind kind_of(const struct sl_mssql_column *column)
{
    switch ((int)column->type) {
    case SL_MSSQL_BIT:
    case SL_MSSQL_TINYINT:
    case SL_MSSQL_SMALLINT:
    case SL_MSSQL_INT:
    case SL_MSSQL_BIGINT: return SL_CELL_INT;
    case SL_MSSQL_REAL:
    case SL_MSSQL_FLOAT: return SL_CELL_DOUBLE;
    case SL_MSSQL_DECIMAL:
    case SL_MSSQL_NUMERIC:
    case SL_MSSQL_MONEY:
    case SL_MSSQL_SMALLMONEY: return SL_CELL_NUMERIC;
    case SL_MSSQL_DATE: return SL_CELL_DATE;
    case SL_MSSQL_TIME:
    case SL_MSSQL_DATETIME:
    case SL_MSSQL_SMALLDATETIME:
    case SL_MSSQL_DATETIME2: return SL_CELL_TIMESTAMP;
    case SL_MSSQL_DATETIMEOFFSET: return SL_CELL_OFFSET;
    case SL_MSSQL_UNIQUEIDENTIFIER: return SL_CELL_GUID;
    case SL_MSSQL_BINARY:
    case SL_MSSQL_VARBINARY:
    case SL_MSSQL_IMAGE:
    case SL_MSSQL_TIMESTAMP:
    case SL_MSSQL_HIERARCHYID:
    case SL_MSSQL_GEOMETRY:
    case SL_MSSQL_GEOGRAPHY:
    case SL_MSSQL_CLR: return SL_CELL_BYTES;
    default: return SL_CELL_TEXT;
    }
}

enum sl_rc sl_mssql_table_check_cells(const struct sl_mssql_table *table, const struct sl_cell *cells,
                                      struct sl_error *err)
{
    for (uint32_t i = 0; i < table->n_fields; i++) {
        const struct sl_mssql_field *field = &table->fields[i];

        const struct sl_cell *cell = &cells[field->cell];
        enum sl_cell_kind kind = cell->kind == SL_CELL_MONEY ? SL_CELL_NUMERIC : cell->kind;

        if (kind != kind_of(field->column) || (cells[field->cell].is_long && !field->large))
            return sl_error_set(err, SL_E_SCHEMA,
                                "table '%s', column '%s': the server answers with another type (%d) than %s",
                                table->name, field->name, (int)cell->type,
                                sl_mssql_type_name(field->column->type));
    }
    return SL_OK;
}

/* Is a large NULL of an update one that the change table did not record? Bit n-1 of the mask is column n. */
static bool is_unavailable(const struct sl_mssql_field *field, const struct sl_cell *mask)
{
    int bit = field->column->ordinal - 1;
    SQLLEN byte = bit / 8;

    if (!sl_mssql_column_is_large(field->column) || sl_cell_is_null(mask) || byte >= mask->len)
        return false;
    /* The mask is a big-endian number: its last byte holds the first eight columns. */
    return !(((const uint8_t *)mask->data)[mask->len - 1 - byte] >> (bit % 8) & 1);
}

static enum sl_rc convert_large(struct sl_mssql_table *table, struct sl_mssql_field *field,
                                struct sl_odbc_stmt *stmt, bool update, struct sl_arena *arena,
                                struct sl_value *ret_value, struct sl_error *err)
{
    const struct sl_cell *cell = sl_odbc_cell(stmt, field->cell);

    if (cell->is_long) {
        enum sl_rc rc = sl_odbc_read_long(stmt, field->cell, err);

        if (rc != SL_OK)
            return sl_error_wrap(err, "table '%s'", table->name);
    }
    if (!sl_cell_is_null(cell))
        *ret_value = field->convert(field, cell, arena);
    else if (update && is_unavailable(field, sl_odbc_cell(stmt, SL_MSSQL_META_MASK)))
        *ret_value = sl_bytes((enum sl_type)field->unavailable.tag,
                              sl_arena_copy(arena, field->unavailable.bytes, field->unavailable.len),
                              field->unavailable.len);
    else
        *ret_value = field->optional ? sl_null() : field->fallback;
    return SL_OK;
}

enum sl_rc sl_mssql_table_row(struct sl_mssql_table *table, struct sl_odbc_stmt *stmt, bool update,
                              struct sl_arena *arena, struct sl_value **ret_values, struct sl_error *err)
{
    struct sl_value *values = sl_arena_alloc(arena, table->n_fields * sizeof(*values));
    const struct sl_cell *cells = sl_odbc_cell(stmt, 0);

    for (uint32_t i = 0; i < table->n_fields; i++) {
        struct sl_mssql_field *field = &table->fields[i];
        const struct sl_cell *cell = &cells[field->cell];

        if (__builtin_expect(field->large, 0)) {
            enum sl_rc rc = convert_large(table, field, stmt, update, arena, &values[i], err);

            if (rc != SL_OK)
                return rc;
        } else if (sl_cell_is_null(cell)) {
            values[i] = field->optional ? sl_null() : field->fallback;
        } else {
            values[i] = field->convert(field, cell, arena);
        }
    }
    *ret_values = values;
    return SL_OK;
}

struct sl_value sl_mssql_table_key(const struct sl_mssql_table *table, const struct sl_value *values,
                                   struct sl_arena *arena)
{
    struct sl_value *items;

    if (!table->n_key)
        return sl_null();
    items = sl_arena_alloc(arena, table->n_key * sizeof(*items));
    for (uint32_t i = 0; i < table->n_key; i++)
        items[i] = values[table->key[i]];
    return sl_items(SL_STRUCT, items, table->n_key);
}

enum sl_rc sl_mssql_table_overflows(struct sl_mssql_table *table, enum sl_mssql_overflow mode,
                                    struct sl_error *err)
{
    for (uint32_t i = 0; i < table->n_fields; i++) {
        struct sl_mssql_field *field = &table->fields[i];

        if (!field->overflowed)
            continue;
        if (mode == SL_MSSQL_OVERFLOW_FAIL)
            return sl_error_set(
                err, SL_E_SCHEMA,
                "table '%s', column '%s': a date-time lies beyond what nanoseconds can hold (years "
                "1677 to 2262). HINT: time.precision.mode=microseconds, isostring or connect, or "
                "event.converting.failure.handling.mode=warn",
                table->name, field->name);
        if (mode == SL_MSSQL_OVERFLOW_WARN)
            sl_warn("date-times beyond what nanoseconds can hold were taken to 1677 or 2262",
                    SL_T("table", table->name), SL_T("column", field->name),
                    SL_I("values", field->overflowed));
        field->overflowed = 0;
    }
    return SL_OK;
}
