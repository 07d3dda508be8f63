/* SPDX-License-Identifier: Apache-2.0 */
#include "source/scylla/type_names.h"

#include "data/schema_build.h"
#include "source/scylla/config.h"

static const char *word_of(enum sl_cql_kind kind)
{
    switch (kind) {
    case SL_CQL_ASCII: return "ASCII";
    case SL_CQL_BIGINT: return "BIGINT";
    case SL_CQL_BLOB: return "BLOB";
    case SL_CQL_BOOLEAN: return "BOOLEAN";
    case SL_CQL_COUNTER: return "COUNTER";
    case SL_CQL_DECIMAL: return "DECIMAL";
    case SL_CQL_DOUBLE: return "DOUBLE";
    case SL_CQL_FLOAT: return "FLOAT";
    case SL_CQL_INT: return "INT";
    case SL_CQL_TIMESTAMP: return "TIMESTAMP";
    case SL_CQL_UUID: return "UUID";
    case SL_CQL_VARCHAR: return "VARCHAR";
    case SL_CQL_VARINT: return "VARINT";
    case SL_CQL_TIMEUUID: return "TIMEUUID";
    case SL_CQL_INET: return "INET";
    case SL_CQL_DATE: return "DATE";
    case SL_CQL_TIME: return "TIME";
    case SL_CQL_SMALLINT: return "SMALLINT";
    case SL_CQL_TINYINT: return "TINYINT";
    case SL_CQL_DURATION: return "DURATION";
    case SL_CQL_LIST: return "List";
    case SL_CQL_SET: return "Set";
    case SL_CQL_MAP: return "Map";
    case SL_CQL_TUPLE: return "Tuple";
    case SL_CQL_UDT: return "UDT";
    case SL_CQL_CUSTOM: break;
    }
    return "CUSTOM";
}

static void put_name(struct sl_buf *out, const struct sl_cql_type *type)
{
    sl_buf_text(out, word_of(type->kind));
    if (type->kind == SL_CQL_UDT) {
        sl_buf_u8(out, '_');
        for (const char *p = type->name; *p; p++)
            sl_buf_u8(out, (uint8_t)(*p == '.' || *p == '-' ? '_' : *p));
        return;
    }
    for (uint32_t i = 0; i < type->n_args; i++) {
        sl_buf_u8(out, '_');
        put_name(out, type->args[i]);
    }
}

/* "<prefix>.<word>" with the type's own name behind it, made fit for Avro. Heap. */
static char *nested_name(const char *prefix, const char *word, const struct sl_cql_type *type)
{
    struct sl_buf name = {0};
    char *adjusted;

    sl_buf_format(&name, "%s.", prefix);
    if (word)
        sl_buf_text(&name, word);
    else
        put_name(&name, type);
    for (uint32_t i = 0; word && i < type->n_args; i++) {
        sl_buf_u8(&name, '_');
        put_name(&name, type->args[i]);
    }
    adjusted = sl_scylla_schema_name(sl_buf_cstr(&name));
    sl_buf_done(&name);
    return adjusted;
}

static const struct sl_schema *map_schema(const struct sl_cql_type *type, const char *prefix)
{
    const struct sl_schema *key = sl_scylla_type_schema(type->args[0], prefix);
    const struct sl_schema *value = sl_scylla_type_schema(type->args[1], prefix);
    char *name = nested_name(prefix, "MapEntry", type);
    struct sl_struct_builder entry = {.name = name};
    const struct sl_schema *schema = NULL;

    if (key && value) {
        sl_struct_add(&entry, "key", key);
        sl_struct_add(&entry, "value", value);
        schema = sl_schema_array(sl_struct_end(&entry, false), true);
    }
    sl_free(name);
    return schema;
}

/* Tuples' fields are called field_0, field_1, ...; the names live in an arena until the struct is made. */
static const struct sl_schema *fields_schema(const struct sl_cql_type *type, const char *prefix)
{
    struct sl_arena *names = sl_arena_new(1024);
    char *name = nested_name(prefix, NULL, type);
    struct sl_struct_builder builder = {.name = name};
    const struct sl_schema *schema;
    bool known = true;

    for (uint32_t i = 0; i < type->n_args; i++) {
        const struct sl_schema *field = sl_scylla_type_schema(type->args[i], prefix);

        known = known && field;
        sl_struct_add(&builder,
                      type->kind == SL_CQL_UDT ? type->field_names[i] : sl_arena_format(names, "field_%u", i),
                      field ? field : sl_schema_plain(SL_BYTES, true));
    }
    schema = sl_struct_end(&builder, true);
    sl_free(name);
    sl_arena_free(names);
    return known ? schema : NULL;
}

const struct sl_schema *sl_scylla_type_schema(const struct sl_cql_type *type, const char *prefix)
{
    const struct sl_schema *element;

    switch (type->kind) {
    case SL_CQL_ASCII:
    case SL_CQL_VARCHAR:
    case SL_CQL_UUID:
    case SL_CQL_TIMEUUID:
    case SL_CQL_INET:
    case SL_CQL_DECIMAL:
    case SL_CQL_VARINT:
    case SL_CQL_DURATION: return sl_schema_plain(SL_STRING, true);
    case SL_CQL_BIGINT:
    case SL_CQL_COUNTER:
    case SL_CQL_TIME: return sl_schema_plain(SL_INT64, true);
    case SL_CQL_INT: return sl_schema_plain(SL_INT32, true);
    case SL_CQL_SMALLINT: return sl_schema_plain(SL_INT16, true);
    case SL_CQL_TINYINT: return sl_schema_plain(SL_INT8, true);
    case SL_CQL_BOOLEAN: return sl_schema_plain(SL_BOOLEAN, true);
    case SL_CQL_FLOAT: return sl_schema_plain(SL_FLOAT32, true);
    case SL_CQL_DOUBLE: return sl_schema_plain(SL_FLOAT64, true);
    case SL_CQL_BLOB: return sl_schema_plain(SL_BYTES, true);
    case SL_CQL_TIMESTAMP:
        return sl_schema_named(SL_INT64, "org.apache.kafka.connect.data.Timestamp", 1, true);
    case SL_CQL_DATE: return sl_schema_named(SL_INT32, "org.apache.kafka.connect.data.Date", 1, true);
    case SL_CQL_LIST:
    case SL_CQL_SET:
        element = sl_scylla_type_schema(type->args[0], prefix);
        return element ? sl_schema_array(element, true) : NULL;
    case SL_CQL_MAP: return map_schema(type, prefix);
    case SL_CQL_TUPLE:
    case SL_CQL_UDT: return fields_schema(type, prefix);
    case SL_CQL_CUSTOM: break;
    }
    return NULL;
}
