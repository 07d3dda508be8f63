/* SPDX-License-Identifier: Apache-2.0 */
#include "../tsql/arena.h"
#include "cell.h"
#include "sql.h"
#include "types.h"
#include "unique.h"

#include <stdio.h>
#include <string.h>

bool ms_value_same(const struct ms_type *type, const struct ms_value *a, const struct ms_value *b)
{
    if (a->is_null || b->is_null)
        return a->is_null == b->is_null;
    switch ((int)type->id) {
    case MS_REAL:
    case MS_FLOAT: return a->d == b->d;
    case MS_DECIMAL:
    case MS_NUMERIC: return a->dec == b->dec;
    case MS_DATETIMEOFFSET: return a->i == b->i && a->offset_min == b->offset_min;
    case MS_UNIQUEIDENTIFIER: return memcmp(a->bytes, b->bytes, 16) == 0;
    case MS_XML:
    case MS_SQL_VARIANT:
    case MS_HIERARCHYID:
    case MS_GEOMETRY:
    case MS_GEOGRAPHY: break;
    default:
        if (!(type->id >= MS_CHAR && type->id <= MS_ROWVERSION))
            return a->i == b->i;
    }
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

static void add_decimal(struct ms_buffer *text, ms_int128 value, uint8_t scale)
{
    char digits[48];
    int n = 0;
    ms_uint128 rest = value < 0 ? (ms_uint128)0 - (ms_uint128)value : (ms_uint128)value;
    if (value < 0)
        ms_buffer_byte(text, '-');
    for (; rest || n <= scale; rest /= 10)
        digits[n++] = (char)('0' + (int)(rest % 10));
    while (n-- > 0) {
        ms_buffer_byte(text, digits[n]);
        if (n == scale && scale)
            ms_buffer_byte(text, '.');
    }
}

static void add_guid(struct ms_buffer *text, const uint8_t *g)
{
    ms_buffer_format(text, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", g[3], g[2],
                     g[1], g[0], g[5], g[4], g[7], g[6], g[8], g[9], g[10], g[11], g[12], g[13], g[14],
                     g[15]);
}

/* Dates and the like go through the language's conversion to text, when it is there. */
static void add_converted(struct ms_buffer *text, const struct ms_type *type, const struct ms_value *value)
{
    static const struct ms_type as_text = {.id = MS_NVARCHAR, .length = 64};
    struct ms_arena arena = {0};
    struct ms_value out;
    struct ms_error ignored;
    if (ms_convert_value && ms_convert_value(&arena, type, value, &as_text, &out, &ignored))
        ms_buffer_add(text, out.bytes, out.len);
    else
        ms_buffer_format(text, "%lld", (long long)value->i);
    ms_arena_free(&arena);
}

static void add_value(struct ms_buffer *text, const struct ms_type *type, const struct ms_value *value)
{
    if (value->is_null) {
        ms_buffer_text(text, "<NULL>");
        return;
    }
    switch ((int)type->id) {
    case MS_BIT:
    case MS_TINYINT:
    case MS_SMALLINT:
    case MS_INT:
    case MS_BIGINT: ms_buffer_format(text, "%lld", (long long)value->i); return;
    case MS_REAL:
    case MS_FLOAT: ms_buffer_format(text, "%g", value->d); return;
    case MS_DECIMAL:
    case MS_NUMERIC: add_decimal(text, value->dec, type->scale); return;
    case MS_SMALLMONEY:
    case MS_MONEY: add_decimal(text, value->i / 100, 2); return;
    case MS_UNIQUEIDENTIFIER: add_guid(text, value->bytes); return;
    case MS_BINARY:
    case MS_VARBINARY:
    case MS_ROWVERSION:
    case MS_HIERARCHYID:
        ms_buffer_text(text, "0x");
        for (uint32_t i = 0; i < value->len; i++)
            ms_buffer_format(text, "%02x", value->bytes[i]);
        return;
    default: break;
    }
    if (ms_type_is_character(type->id))
        ms_buffer_add(text, value->bytes, value->len);
    else
        add_converted(text, type, value);
}

const char *ms_value_key_text(const struct ms_table *table, const struct ms_index *index,
                              const struct ms_value *row, char *buf, size_t size)
{
    struct ms_buffer text = {0};
    ms_buffer_text(&text, "(");
    for (size_t i = 0, n = 0; i < index->n_columns; i++) {
        if (index->columns[i].included)
            continue;
        int c = ms_table_column_by_id(table, index->columns[i].column_id);
        ms_buffer_text(&text, n++ ? ", " : "");
        add_value(&text, &table->columns[c].type, &row[c]);
    }
    ms_buffer_text(&text, ")");
    snprintf(buf, size, "%s", text.data);
    ms_buffer_free(&text);
    return buf;
}

/* Is there already a row with this row's key? */
static bool key_taken(struct ms_session *session, const struct ms_table *table, const struct ms_index *index,
                      const struct ms_value *row)
{
    struct ms_error ignored;
    struct ms_buffer sql = {0};
    int n = 0;
    ms_buffer_format(&sql, "SELECT 1 FROM %s WHERE 1", table->sqlite_name);
    for (size_t i = 0; i < index->n_columns; i++) {
        if (!index->columns[i].included)
            ms_buffer_format(&sql, " AND c%d IS ?", index->columns[i].column_id);
    }
    sqlite3_stmt *stmt = ms_sql_by_text(session, &ignored, sql.data);
    ms_buffer_free(&sql);
    if (!stmt)
        return false;
    for (size_t i = 0; i < index->n_columns; i++) {
        int c = ms_table_column_by_id(table, index->columns[i].column_id);
        if (!index->columns[i].included)
            ms_cell_bind(stmt, ++n, &table->columns[c].type, &row[c]);
    }
    bool taken = sqlite3_step(stmt) == SQLITE_ROW;
    sqlite3_reset(stmt);
    return taken;
}

void ms_unique_error(struct ms_session *session, const struct ms_table *table, const struct ms_value *row,
                     struct ms_error *err)
{
    char key[900];
    const struct ms_index *index = NULL;
    for (size_t i = 0; i < table->n_indexes && !index; i++) {
        if (table->indexes[i].unique && key_taken(session, table, &table->indexes[i], row))
            index = &table->indexes[i];
    }
    if (!index) {
        ms_session_sqlite_error(session, err);
        return;
    }
    ms_value_key_text(table, index, row, key, sizeof key);
    if (index->constraint_id)
        ms_error_set(
            err, 2627, 14, 1,
            "Violation of %s constraint '%s'. Cannot insert duplicate key in object '%s.%s'. The duplicate "
            "key value is %s.",
            index->primary_key ? "PRIMARY KEY" : "UNIQUE KEY", index->name, table->schema, table->name, key);
    else
        ms_error_set(
            err, 2601, 14, 1,
            "Cannot insert duplicate key row in object '%s.%s' with unique index '%s'. The duplicate key "
            "value is %s.",
            table->schema, table->name, index->name, key);
}
