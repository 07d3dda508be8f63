/* SPDX-License-Identifier: Apache-2.0 */
#include "sink/postgres/bind.h"
#include "sink/postgres/config.h"
#include "transform/cell.h"

/* PostgreSQL's own types and their arrays; fixed numbers of pg_type.dat. */
enum {
    BOOL = 16,
    BYTEA = 17,
    NAME = 19,
    INT8 = 20,
    INT2 = 21,
    INT4 = 23,
    TEXT = 25,
    JSON = 114,
    FLOAT4 = 700,
    FLOAT8 = 701,
    MONEY = 790,
    BPCHAR = 1042,
    VARCHAR = 1043,
    DATE = 1082,
    TIME = 1083,
    TIMESTAMP = 1114,
    TIMESTAMPTZ = 1184,
    INTERVAL = 1186,
    TIMETZ = 1266,
    NUMERIC = 1700,
    UUID = 2950,
    JSONB = 3802,
    OID = 26,
};

static Oid array_of(Oid element)
{
    switch (element) {
    case BOOL: return 1000;
    case BYTEA: return 1001;
    case INT2: return 1005;
    case INT4: return 1007;
    case INT8: return 1016;
    case TEXT: return 1009;
    case JSON: return 199;
    case FLOAT4: return 1021;
    case FLOAT8: return 1022;
    case DATE: return 1182;
    case TIME: return 1183;
    case TIMESTAMP: return 1115;
    case TIMESTAMPTZ: return 1185;
    case NUMERIC: return 1231;
    case UUID: return 2951;
    case JSONB: return 3807;
    default: return 0;
    }
}

/* What a field's values are, whatever carries them. */
enum kind {
    KIND_NESTED, /* a struct, a map */
    KIND_INT,
    KIND_FLOAT,
    KIND_BOOL,
    KIND_TEXT,
    KIND_ZONED_STAMP, /* text with its offset */
    KIND_BYTES,
    KIND_DECIMAL,
    KIND_DAYS,
    KIND_TIME_MS,
    KIND_TIME_US,
    KIND_TIME_NS,
    KIND_STAMP_MS,
    KIND_STAMP_US,
    KIND_STAMP_NS,
    KIND_ARRAY,
};

static enum kind kind_by_type(const struct sl_schema *schema)
{
    switch (schema->type) {
    case SL_INT8:
    case SL_INT16:
    case SL_INT32:
    case SL_INT64: return KIND_INT;
    case SL_FLOAT32:
    case SL_FLOAT64: return KIND_FLOAT;
    case SL_BOOLEAN: return KIND_BOOL;
    case SL_STRING: return KIND_TEXT;
    case SL_BYTES: return KIND_BYTES;
    case SL_ARRAY: return KIND_ARRAY;
    case SL_ABSENT:
    case SL_NULL:
    case SL_MAP:
    case SL_STRUCT: break;
    }
    return KIND_NESTED;
}

/* A name promises a type that the schema must really have: names come from outside. */
static enum kind kind_if(const struct sl_schema *schema, enum sl_type type, enum kind kind)
{
    return schema->type == type ? kind : kind_by_type(schema);
}

static enum kind kind_of(const struct sl_pgsink_config *config, const struct sl_pgsink_cell *cell)
{
    const struct sl_schema *schema = cell->schema;

    if (schema->type == SL_INT64 && sl_pgsink_names_have(&config->timestamp_fields, cell->name))
        return config->timestamp_nanos ? KIND_STAMP_NS : KIND_STAMP_US;
    switch (schema->semantic) {
    case SL_SEM_DECIMAL: return kind_if(schema, SL_BYTES, KIND_DECIMAL);
    case SL_SEM_DATE:
    case SL_SEM_DBZ_DATE: return kind_if(schema, SL_INT32, KIND_DAYS);
    case SL_SEM_TIME:
    case SL_SEM_DBZ_TIME: return kind_if(schema, SL_INT32, KIND_TIME_MS);
    case SL_SEM_DBZ_MICRO_TIME: return kind_if(schema, SL_INT64, KIND_TIME_US);
    case SL_SEM_DBZ_NANO_TIME: return kind_if(schema, SL_INT64, KIND_TIME_NS);
    case SL_SEM_TIMESTAMP:
    case SL_SEM_DBZ_TIMESTAMP: return kind_if(schema, SL_INT64, KIND_STAMP_MS);
    case SL_SEM_DBZ_MICRO_TIMESTAMP: return kind_if(schema, SL_INT64, KIND_STAMP_US);
    case SL_SEM_DBZ_NANO_TIMESTAMP: return kind_if(schema, SL_INT64, KIND_STAMP_NS);
    case SL_SEM_DBZ_ZONED_TIMESTAMP: return kind_if(schema, SL_STRING, KIND_ZONED_STAMP);
    case SL_SEM_NONE:
    case SL_SEM_DBZ_ZONED_TIME:
    case SL_SEM_DBZ_ISO_DATE:
    case SL_SEM_DBZ_ISO_TIME:
    case SL_SEM_DBZ_ISO_TIMESTAMP:
    case SL_SEM_DBZ_ENUM:
    case SL_SEM_DBZ_JSON:
    case SL_SEM_DBZ_UUID:
    case SL_SEM_DBZ_XML:
    case SL_SEM_OTHER: break;
    }
    return kind_by_type(schema);
}

static bool is_text(const struct sl_pgsink_column *column)
{
    return column->category == 'S';
}

static bool is_one_of(Oid type, const Oid *types)
{
    for (; *types; types++) {
        if (*types == type)
            return true;
    }
    return false;
}

#define ONE_OF(type, ...) is_one_of((type), (const Oid[]){__VA_ARGS__, 0})

static bool use(struct sl_pgsink_cell *cell, sl_pgsink_bind *bind, Oid element)
{
    cell->bind = bind;
    cell->element = element;
    cell->array = array_of(element);
    return true;
}

static bool use_cast(struct sl_pgsink_cell *cell, sl_pgsink_bind *bind, Oid element, const char *cast)
{
    cell->cast = cast;
    return use(cell, bind, element);
}

/* Text with an explicit cast to the column's own type. */
static bool use_text(struct sl_pgsink_cell *cell, sl_pgsink_bind *bind)
{
    cell->cast_column = true;
    return use(cell, bind, TEXT);
}

static bool choose_int(struct sl_pgsink_cell *cell)
{
    Oid type = cell->column->type;

    switch (type) {
    case INT2: return use(cell, sl_pgsink_bind_int2, INT2);
    case INT4: return use(cell, sl_pgsink_bind_int4, INT4);
    case INT8: return use(cell, sl_pgsink_bind_int8, INT8);
    case FLOAT4: return use(cell, sl_pgsink_bind_int_as_float4, FLOAT4);
    case FLOAT8: return use(cell, sl_pgsink_bind_int_as_float8, FLOAT8);
    case NUMERIC: return use(cell, sl_pgsink_bind_int_as_numeric, NUMERIC);
    default: break;
    }
    return (is_text(cell->column) || ONE_OF(type, MONEY, OID)) && use(cell, sl_pgsink_bind_int8, INT8);
}

static bool choose_float(struct sl_pgsink_cell *cell)
{
    Oid type = cell->column->type;

    if (type == FLOAT8)
        return use(cell, sl_pgsink_bind_float8, FLOAT8);
    if (type == FLOAT4)
        return use(cell, sl_pgsink_bind_float4, FLOAT4);
    if (!is_text(cell->column) && !ONE_OF(type, INT2, INT4, INT8, NUMERIC))
        return false;
    /* a float32 keeps its few digits: 0.1, not 0.10000000149 */
    return cell->schema->type == SL_FLOAT32 ? use(cell, sl_pgsink_bind_float4, FLOAT4)
                                            : use(cell, sl_pgsink_bind_float8, FLOAT8);
}

static bool choose_bool(struct sl_pgsink_cell *cell)
{
    if (cell->column->type == BOOL || is_text(cell->column))
        return use(cell, sl_pgsink_bind_bool, BOOL);
    return ONE_OF(cell->column->type, INT2, INT4, INT8, NUMERIC) && choose_int(cell);
}

static bool choose_decimal(struct sl_pgsink_cell *cell)
{
    Oid type = cell->column->type;

    if (type == BYTEA)
        return use(cell, sl_pgsink_bind_bytes, BYTEA);
    return (is_text(cell->column) || ONE_OF(type, NUMERIC, FLOAT4, FLOAT8, INT2, INT4, INT8, MONEY)) &&
           use(cell, sl_pgsink_bind_decimal, NUMERIC);
}

static bool choose_text(struct sl_pgsink_cell *cell)
{
    const struct sl_pgsink_column *column = cell->column;

    if (is_text(column))
        return use(cell, sl_pgsink_bind_text, TEXT);
    switch (column->type) {
    case UUID: return use(cell, sl_pgsink_bind_uuid, UUID);
    case JSON: return use(cell, sl_pgsink_bind_text, JSON);
    case JSONB: return use(cell, sl_pgsink_bind_jsonb, JSONB);
    case BYTEA: return false;
    default: return use_text(cell, sl_pgsink_bind_text);
    }
}

static bool choose_zoned_stamp(struct sl_pgsink_cell *cell)
{
    /* by way of timestamptz: a cast straight to timestamp would drop the offset */
    if (ONE_OF(cell->column->type, TIMESTAMP, DATE, TIME))
        return use_cast(cell, sl_pgsink_bind_text, TEXT, "::pg_catalog.timestamptz");
    return choose_text(cell);
}

static bool choose_bytes(struct sl_pgsink_cell *cell)
{
    if (cell->column->type == BYTEA)
        return use(cell, sl_pgsink_bind_bytes, BYTEA);
    return cell->column->type == UUID && use(cell, sl_pgsink_bind_uuid_bytes, UUID);
}

static bool choose_number_for_time(struct sl_pgsink_cell *cell)
{
    return ONE_OF(cell->column->type, INT2, INT4, INT8, NUMERIC, FLOAT8) && choose_int(cell);
}

/*
 * Connect's three logical types are instants: a column without a zone shows them in db.timezone. The server
 * does that arithmetic, since the session's TimeZone is db.timezone.
 */
static bool is_zoned_instant(const struct sl_pgsink_config *config, const struct sl_pgsink_cell *cell)
{
    enum sl_semantic semantic = cell->schema->semantic;

    if (config->zone_is_utc || !ONE_OF(cell->column->type, DATE, TIME, TIMESTAMP))
        return false;
    return semantic == SL_SEM_TIME || semantic == SL_SEM_TIMESTAMP ||
           (semantic == SL_SEM_DATE && !config->date_in_utc);
}

static bool choose_days(const struct sl_pgsink_config *config, struct sl_pgsink_cell *cell)
{
    if (is_zoned_instant(config, cell))
        return use(cell, sl_pgsink_bind_stamp_days, TIMESTAMPTZ);
    if (ONE_OF(cell->column->type, TIMESTAMP, TIMESTAMPTZ))
        return use(cell, sl_pgsink_bind_stamp_days, cell->column->type);
    if (cell->column->type == DATE || is_text(cell->column))
        return use(cell, sl_pgsink_bind_date, DATE);
    return choose_number_for_time(cell);
}

static bool choose_time(const struct sl_pgsink_config *config, struct sl_pgsink_cell *cell,
                        sl_pgsink_bind *bind)
{
    if (is_zoned_instant(config, cell))
        return use(cell, sl_pgsink_bind_stamp_ms, TIMESTAMPTZ);
    if (ONE_OF(cell->column->type, TIME, TIMETZ, INTERVAL) || is_text(cell->column))
        return use(cell, bind, TIME);
    return choose_number_for_time(cell);
}

static bool choose_stamp(const struct sl_pgsink_config *config, struct sl_pgsink_cell *cell,
                         sl_pgsink_bind *bind)
{
    Oid type = cell->column->type;

    if (type == TIMESTAMPTZ || is_zoned_instant(config, cell))
        return use(cell, bind, TIMESTAMPTZ);
    if (ONE_OF(type, TIMESTAMP, DATE, TIME) || is_text(cell->column))
        return use(cell, bind, TIMESTAMP);
    return choose_number_for_time(cell);
}

static bool array_has_a_form(const struct sl_schema *schema)
{
    switch (schema->type) {
    case SL_INT8:
    case SL_INT16:
    case SL_INT32:
    case SL_INT64:
    case SL_FLOAT32:
    case SL_FLOAT64:
    case SL_BOOLEAN:
    case SL_STRING: return true;
    case SL_ARRAY: return array_has_a_form(schema->element);
    case SL_ABSENT:
    case SL_NULL:
    case SL_BYTES:
    case SL_MAP:
    case SL_STRUCT: break;
    }
    return false;
}

static bool choose_nested(struct sl_pgsink_cell *cell)
{
    switch (cell->column->type) {
    case JSON: return use(cell, sl_pgsink_bind_as_json, JSON);
    case JSONB: return use(cell, sl_pgsink_bind_as_jsonb, JSONB);
    default: return false;
    }
}

static bool choose_array(struct sl_pgsink_cell *cell)
{
    return choose_nested(cell) || (cell->column->category == 'A' && array_has_a_form(cell->schema) &&
                                   use_text(cell, sl_pgsink_bind_array_text));
}

static bool choose(const struct sl_pgsink_config *config, struct sl_pgsink_cell *cell)
{
    switch (kind_of(config, cell)) {
    case KIND_INT: return choose_int(cell);
    case KIND_FLOAT: return choose_float(cell);
    case KIND_BOOL: return choose_bool(cell);
    case KIND_TEXT: return choose_text(cell);
    case KIND_ZONED_STAMP: return choose_zoned_stamp(cell);
    case KIND_BYTES: return choose_bytes(cell);
    case KIND_DECIMAL: return choose_decimal(cell);
    case KIND_DAYS: return choose_days(config, cell);
    case KIND_TIME_MS: return choose_time(config, cell, sl_pgsink_bind_time_ms);
    case KIND_TIME_US: return choose_time(config, cell, sl_pgsink_bind_time_us);
    case KIND_TIME_NS: return choose_time(config, cell, sl_pgsink_bind_time_ns);
    case KIND_STAMP_MS: return choose_stamp(config, cell, sl_pgsink_bind_stamp_ms);
    case KIND_STAMP_US: return choose_stamp(config, cell, sl_pgsink_bind_stamp_us);
    case KIND_STAMP_NS: return choose_stamp(config, cell, sl_pgsink_bind_stamp_ns);
    case KIND_ARRAY: return choose_array(cell);
    case KIND_NESTED: return choose_nested(cell);
    }
    return false;
}

enum sl_rc sl_pgsink_cell_choose(const struct sl_pgsink_config *config, const struct sl_pgsink_table *table,
                                 struct sl_pgsink_cell *cell, struct sl_error *err)
{
    const struct sl_schema *schema = cell->schema;

    cell->boxed = sl_cell_is(schema) && !ONE_OF(cell->column->type, JSON, JSONB);
    if (cell->boxed)
        schema = cell->schema = schema->fields[0].schema;
    cell->cast = "";
    cell->tag = (uint8_t)schema->type;
    cell->scale = schema->scale;
    cell->instead = sl_null();
    if (config->null_to_default && schema->has_default && schema->default_value.tag == schema->type)
        cell->instead = schema->default_value;
    if (choose(config, cell))
        return SL_OK;
    return sl_error_set(
        err, SL_E_SCHEMA,
        "table %s: a field '%s' of type %s%s%s%s cannot go into a column of type %s. HINT: change the "
        "column's type, convert the field with a transform, or leave it out with fields.whitelist",
        table->label, cell->name, sl_type_name(schema->type), schema->name ? " (" : "",
        schema->name ? schema->name : "", schema->name ? ")" : "", cell->column->type_text);
}

void sl_pgsink_bads_add(struct sl_pgsink_bads *bads, uint32_t record, const struct sl_pgsink_cell *cell,
                        const char *why)
{
    SL_GROW(bads->items, bads->n, bads->capacity);
    bads->items[bads->n++] = (struct sl_pgsink_bad){.record = record, .cell = cell, .why = why};
}

bool sl_pgsink_odd_value(const struct sl_pgsink_cell *cell, const struct sl_pgsink_row *row,
                         struct sl_value *value, struct sl_pgsink_bads *bads)
{
    if (cell->boxed && value->tag == SL_STRUCT && value->len == 1) {
        *value = value->items[0];
        if (value->tag == cell->tag)
            return true;
    }
    if (value->tag == SL_NULL || value->tag == SL_ABSENT) {
        *value = cell->instead;
        return value->tag == cell->tag;
    }
    sl_pgsink_bads_add(bads, row->record, cell, "the value is not of the type that its schema says");
    return false;
}
