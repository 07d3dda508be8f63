/* SPDX-License-Identifier: Apache-2.0 */
/* A table's structure as a text, as Debezium's schema history has it, and what tells it from another one. */
#include "source/sqlserver/structure.h"

#include "base/crc32c.h"
#include "base/json.h"

#include <stdio.h>
#include <string.h>

static void put_text(struct sl_buf *out, const char *name, const char *text)
{
    sl_buf_format(out, "\"%s\":", name);
    sl_json_put_text(out, text, strlen(text));
}

static const char *truth(bool value)
{
    return value ? "true" : "false";
}

/* JsonTableChangeSerializer. A column that may be null has a default value: null. */
static void put_column(struct sl_buf *out, const struct sl_mssql_column *column, size_t place)
{
    char type[64];

    (void)snprintf(type, sizeof(type), "%s%s", sl_mssql_type_name(column->type),
                   column->identity ? " identity" : "");
    sl_buf_u8(out, '{');
    put_text(out, "name", column->name);
    sl_buf_format(out, ",\"jdbcType\":%d,", sl_mssql_jdbc_type(column));
    put_text(out, "typeName", type);
    sl_buf_u8(out, ',');
    put_text(out, "typeExpression", type);
    sl_buf_format(out, ",\"charsetName\":null,\"length\":%lld", (long long)sl_mssql_jdbc_length(column));
    if (sl_mssql_jdbc_has_scale(column))
        sl_buf_format(out, ",\"scale\":%d", column->scale);
    sl_buf_format(out,
                  ",\"position\":%zu,\"optional\":%s,\"autoIncremented\":%s,\"generated\":%s,"
                  "\"comment\":null,\"hasDefaultValue\":%s",
                  place, truth(column->nullable), truth(column->identity), truth(column->computed),
                  truth(column->nullable || column->default_text));
    if (column->default_text) {
        sl_buf_u8(out, ',');
        put_text(out, "defaultValueExpression", column->default_text);
    }
    sl_buf_text(out, ",\"enumValues\":[]}");
}

void sl_mssql_structure_write(const struct sl_mssql_table *table, struct sl_buf *out)
{
    const struct sl_mssql_instance *instance = table->instance;

    sl_buf_text(out, "{\"defaultCharsetName\":null,\"primaryKeyColumnNames\":[");
    for (uint32_t i = 0; i < table->n_key; i++) {
        const char *name = table->fields[table->key[i]].name;

        if (i)
            sl_buf_u8(out, ',');
        sl_json_put_text(out, name, strlen(name));
    }
    sl_buf_text(out, "],\"columns\":[");
    for (size_t i = 0; i < instance->n_columns; i++) {
        if (i)
            sl_buf_u8(out, ',');
        put_column(out, &instance->columns[i], i + 1);
    }
    sl_buf_text(out, "],\"attributes\":[]}");
}

void sl_mssql_structure_mark(const struct sl_buf *text, char ret_mark[SL_MSSQL_MARK_SIZE])
{
    (void)snprintf(ret_mark, SL_MSSQL_MARK_SIZE, "%08x/%zu", sl_crc32c(0, text->data, text->len), text->len);
}
