/* SPDX-License-Identifier: Apache-2.0 */
/* Which schema and which conversion a column gets, by its type and the handling modes. */
#include "data/schema_build.h"
#include "source/sqlserver/field.h"

static void plain(struct sl_mssql_field *field, enum sl_type type,
                  struct sl_value (*convert)(struct sl_mssql_field *, const struct sl_cell *,
                                             struct sl_arena *))
{
    field->schema = sl_schema_plain(type, field->optional);
    field->convert = convert;
    field->fallback = type == SL_STRING || type == SL_BYTES      ? sl_bytes(type, "", 0)
                      : type == SL_FLOAT32 || type == SL_FLOAT64 ? sl_float(type, 0)
                                                                 : sl_int(type, 0);
}

static void named(struct sl_mssql_field *field, enum sl_type type, const char *name, int64_t unit,
                  struct sl_value (*convert)(struct sl_mssql_field *, const struct sl_cell *,
                                             struct sl_arena *))
{
    plain(field, type, convert);
    field->schema = sl_schema_named(type, name, 1, field->optional);
    field->unit = unit;
}

static void choose_decimal(struct sl_mssql_field *field, enum sl_mssql_decimals mode)
{
    switch (mode) {
    case SL_MSSQL_DECIMAL_DOUBLE: plain(field, SL_FLOAT64, sl_mssql_convert_decimal_double); return;
    case SL_MSSQL_DECIMAL_STRING: plain(field, SL_STRING, sl_mssql_convert_decimal_text); return;
    case SL_MSSQL_DECIMAL_PRECISE: break;
    }
    plain(field, SL_BYTES, sl_mssql_convert_decimal);
    field->schema = sl_schema_decimal(field->column->scale, field->column->precision, field->optional);
    field->fallback = sl_bytes(SL_BYTES, "\0", 1);
}

static void choose_binary(struct sl_mssql_field *field, enum sl_mssql_binaries mode)
{
    switch (mode) {
    case SL_MSSQL_BINARY_BYTES: plain(field, SL_BYTES, sl_mssql_convert_bytes); break;
    case SL_MSSQL_BINARY_BASE64: plain(field, SL_STRING, sl_mssql_convert_base64); break;
    case SL_MSSQL_BINARY_BASE64_URL: plain(field, SL_STRING, sl_mssql_convert_base64_url); break;
    case SL_MSSQL_BINARY_HEX: plain(field, SL_STRING, sl_mssql_convert_hex); break;
    }
}

static void choose_date(struct sl_mssql_field *field, enum sl_mssql_times mode)
{
    if (mode == SL_MSSQL_TIME_CONNECT)
        named(field, SL_INT32, "org.apache.kafka.connect.data.Date", 0, sl_mssql_convert_date);
    else if (mode == SL_MSSQL_TIME_ISOSTRING)
        named(field, SL_STRING, "io.debezium.time.IsoDate", 0, sl_mssql_convert_iso_date);
    else
        named(field, SL_INT32, "io.debezium.time.Date", 0, sl_mssql_convert_date);
}

enum { MS = 1000, US = 1000000, NS = 1000000000 };

/* The unit of a column with this many digits behind the second, under a mode that has one. */
static int unit_for(enum sl_mssql_times mode, int digits)
{
    if (mode == SL_MSSQL_TIME_MICROSECONDS)
        return US;
    if (mode == SL_MSSQL_TIME_NANOSECONDS)
        return NS;
    return digits <= 3 ? MS : digits <= 6 ? US : NS;
}

static void choose_time(struct sl_mssql_field *field, enum sl_mssql_times mode)
{
    int unit = mode == SL_MSSQL_TIME_ADAPTIVE_MICROSECONDS ? US : unit_for(mode, field->column->scale);

    if (mode == SL_MSSQL_TIME_CONNECT)
        named(field, SL_INT32, "org.apache.kafka.connect.data.Time", MS, sl_mssql_convert_time);
    else if (mode == SL_MSSQL_TIME_ISOSTRING)
        named(field, SL_STRING, "io.debezium.time.IsoTime", 0, sl_mssql_convert_iso_time);
    else if (unit == MS)
        named(field, SL_INT32, "io.debezium.time.Time", MS, sl_mssql_convert_time);
    else if (unit == US)
        named(field, SL_INT64, "io.debezium.time.MicroTime", US, sl_mssql_convert_time);
    else
        named(field, SL_INT64, "io.debezium.time.NanoTime", NS, sl_mssql_convert_time);
}

static void choose_timestamp(struct sl_mssql_field *field, enum sl_mssql_times mode, int digits)
{
    int unit = unit_for(mode, digits);

    field->round_ms = field->column->type != SL_MSSQL_DATETIME2;
    if (mode == SL_MSSQL_TIME_CONNECT)
        named(field, SL_INT64, "org.apache.kafka.connect.data.Timestamp", MS, sl_mssql_convert_timestamp);
    else if (mode == SL_MSSQL_TIME_ISOSTRING)
        named(field, SL_STRING, "io.debezium.time.IsoTimestamp", 0, sl_mssql_convert_iso_timestamp);
    else if (unit == MS)
        named(field, SL_INT64, "io.debezium.time.Timestamp", MS, sl_mssql_convert_timestamp);
    else if (unit == US)
        named(field, SL_INT64, "io.debezium.time.MicroTimestamp", US, sl_mssql_convert_timestamp);
    else
        named(field, SL_INT64, "io.debezium.time.NanoTimestamp", NS, sl_mssql_convert_timestamp);
}

static bool choose_time_type(struct sl_mssql_field *field, enum sl_mssql_times mode)
{
    switch ((int)field->column->type) {
    case SL_MSSQL_DATE: choose_date(field, mode); return true;
    case SL_MSSQL_TIME: choose_time(field, mode); return true;
    case SL_MSSQL_DATETIME:
    case SL_MSSQL_SMALLDATETIME: choose_timestamp(field, mode, 3); return true;
    case SL_MSSQL_DATETIME2: choose_timestamp(field, mode, field->column->scale); return true;
    case SL_MSSQL_DATETIMEOFFSET:
        named(field, SL_STRING, "io.debezium.time.ZonedTimestamp", 0, sl_mssql_convert_offset);
        field->fallback = sl_text("1970-01-01T00:00:00Z");
        return true;
    default: return false;
    }
}

static bool choose_type(struct sl_mssql_field *field, const struct sl_mssql_config *config)
{
    switch ((int)field->column->type) {
    case SL_MSSQL_BIT: plain(field, SL_BOOLEAN, sl_mssql_convert_bit); return true;
    case SL_MSSQL_TINYINT:
    case SL_MSSQL_SMALLINT: plain(field, SL_INT16, sl_mssql_convert_short); return true;
    case SL_MSSQL_INT: plain(field, SL_INT32, sl_mssql_convert_int); return true;
    case SL_MSSQL_BIGINT: plain(field, SL_INT64, sl_mssql_convert_long); return true;
    case SL_MSSQL_REAL: plain(field, SL_FLOAT32, sl_mssql_convert_real); return true;
    case SL_MSSQL_FLOAT: plain(field, SL_FLOAT64, sl_mssql_convert_float); return true;
    case SL_MSSQL_DECIMAL:
    case SL_MSSQL_NUMERIC:
    case SL_MSSQL_MONEY:
    case SL_MSSQL_SMALLMONEY: choose_decimal(field, config->decimals); return true;
    case SL_MSSQL_CHAR:
    case SL_MSSQL_VARCHAR:
    case SL_MSSQL_TEXT:
    case SL_MSSQL_NCHAR:
    case SL_MSSQL_NVARCHAR:
    case SL_MSSQL_NTEXT:
    case SL_MSSQL_XML: plain(field, SL_STRING, sl_mssql_convert_text); return true;
    case SL_MSSQL_UNIQUEIDENTIFIER: plain(field, SL_STRING, sl_mssql_convert_guid); return true;
    case SL_MSSQL_BINARY:
    case SL_MSSQL_VARBINARY:
    case SL_MSSQL_IMAGE:
    case SL_MSSQL_TIMESTAMP:
    case SL_MSSQL_HIERARCHYID:
    case SL_MSSQL_GEOMETRY:
    case SL_MSSQL_GEOGRAPHY:
    case SL_MSSQL_CLR: choose_binary(field, config->binaries); return true;
    default: return choose_time_type(field, config->times);
    }
}

/* The placeholder in the form that the column's own values have. */
static void set_unavailable(struct sl_mssql_field *field, const struct sl_mssql_config *config)
{
    const char *text = config->placeholder ? config->placeholder : "";
    struct sl_cell cell = {.data = text, .len = (SQLLEN)strlen(text)};
    struct sl_arena *arena = sl_arena_new(4 * strlen(text) + 256);
    struct sl_value value = field->convert(field, &cell, arena);

    field->unavailable =
        sl_bytes((enum sl_type)value.tag, sl_strndup((const char *)value.bytes, value.len), value.len);
    sl_arena_free(arena);
}

bool sl_mssql_field_choose(const struct sl_mssql_column *column, const struct sl_mssql_config *config,
                           struct sl_mssql_field *ret_field)
{
    struct sl_mssql_field field = {.column = column, .optional = column->nullable};
    struct sl_value value;
    void *memory = NULL;

    if (!choose_type(&field, config))
        return false;
    if (sl_mssql_default_parse(column, &field, &value, &memory)) {
        field.schema = sl_schema_with_default(field.schema, value);
        sl_free(memory);
    }
    field.name = sl_strdup(column->name);
    field.label = sl_name_adjust(config->field_names, column->name);
    field.large = sl_mssql_column_is_large(column) || column->type == SL_MSSQL_CLR ||
                  column->type == SL_MSSQL_HIERARCHYID;
    if (field.large)
        set_unavailable(&field, config);
    *ret_field = field;
    return true;
}

void sl_mssql_field_done(struct sl_mssql_field *field)
{
    sl_free(field->name);
    sl_free(field->label);
    if (field->large)
        sl_free((void *)(uintptr_t)field->unavailable.bytes);
}
