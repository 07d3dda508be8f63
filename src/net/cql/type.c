/* SPDX-License-Identifier: Apache-2.0 */
#include "net/cql/type.h"

static const char *const names[] = {
    [SL_CQL_CUSTOM] = "custom",
    [SL_CQL_ASCII] = "ascii",
    [SL_CQL_BIGINT] = "bigint",
    [SL_CQL_BLOB] = "blob",
    [SL_CQL_BOOLEAN] = "boolean",
    [SL_CQL_COUNTER] = "counter",
    [SL_CQL_DECIMAL] = "decimal",
    [SL_CQL_DOUBLE] = "double",
    [SL_CQL_FLOAT] = "float",
    [SL_CQL_INT] = "int",
    [SL_CQL_TIMESTAMP] = "timestamp",
    [SL_CQL_UUID] = "uuid",
    [SL_CQL_VARCHAR] = "text",
    [SL_CQL_VARINT] = "varint",
    [SL_CQL_TIMEUUID] = "timeuuid",
    [SL_CQL_INET] = "inet",
    [SL_CQL_DATE] = "date",
    [SL_CQL_TIME] = "time",
    [SL_CQL_SMALLINT] = "smallint",
    [SL_CQL_TINYINT] = "tinyint",
    [SL_CQL_DURATION] = "duration",
    [SL_CQL_LIST] = "list",
    [SL_CQL_MAP] = "map",
    [SL_CQL_SET] = "set",
};

enum { N_SIMPLE = SL_CQL_DURATION + 1 };

#define SIMPLE(k) [k] = {.kind = k}
static const struct sl_cql_type simple[N_SIMPLE] = {
    SIMPLE(SL_CQL_ASCII),   SIMPLE(SL_CQL_BIGINT),  SIMPLE(SL_CQL_BLOB),      SIMPLE(SL_CQL_BOOLEAN),
    SIMPLE(SL_CQL_COUNTER), SIMPLE(SL_CQL_DECIMAL), SIMPLE(SL_CQL_DOUBLE),    SIMPLE(SL_CQL_FLOAT),
    SIMPLE(SL_CQL_INT),     SIMPLE(SL_CQL_UUID),    SIMPLE(SL_CQL_TIMESTAMP), SIMPLE(SL_CQL_VARCHAR),
    SIMPLE(SL_CQL_VARINT),  SIMPLE(SL_CQL_INET),    SIMPLE(SL_CQL_TIMEUUID),  SIMPLE(SL_CQL_DATE),
    SIMPLE(SL_CQL_TIME),    SIMPLE(SL_CQL_TINYINT), SIMPLE(SL_CQL_SMALLINT),  SIMPLE(SL_CQL_DURATION),
};

const struct sl_cql_type *sl_cql_type_simple(enum sl_cql_kind kind)
{
    return (unsigned)kind < N_SIMPLE && simple[kind].kind == kind && kind != SL_CQL_CUSTOM ? &simple[kind]
                                                                                           : NULL;
}

const struct sl_cql_type *sl_cql_type_named(const char *name, size_t len)
{
    if (len == 7 && memcmp(name, "varchar", 7) == 0)
        return &simple[SL_CQL_VARCHAR];
    for (unsigned i = 1; i < N_SIMPLE; i++) {
        if (names[i] && strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
            return &simple[i];
    }
    return NULL;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

bool sl_cql_type_equal(const struct sl_cql_type *a, const struct sl_cql_type *b)
{
    if (a == b)
        return true;
    if (a->kind != b->kind || a->n_args != b->n_args || !same_text(a->name, b->name) ||
        !same_text(a->keyspace, b->keyspace))
        return false;
    for (uint32_t i = 0; i < a->n_args; i++) {
        if (!sl_cql_type_equal(a->args[i], b->args[i]))
            return false;
        if (a->field_names && b->field_names && strcmp(a->field_names[i], b->field_names[i]) != 0)
            return false;
    }
    return true;
}

static void put_args(struct sl_buf *out, const struct sl_cql_type *type)
{
    sl_buf_u8(out, '<');
    for (uint32_t i = 0; i < type->n_args; i++) {
        if (i)
            sl_buf_text(out, ", ");
        sl_cql_type_put(out, type->args[i]);
    }
    sl_buf_u8(out, '>');
}

void sl_cql_type_put(struct sl_buf *out, const struct sl_cql_type *type)
{
    if (type->is_frozen)
        sl_buf_text(out, "frozen<");
    if (type->kind == SL_CQL_UDT || type->kind == SL_CQL_CUSTOM) {
        sl_buf_text(out, type->name);
    } else if (type->kind == SL_CQL_TUPLE) {
        sl_buf_text(out, "tuple");
        put_args(out, type);
    } else {
        sl_buf_text(out, names[type->kind]);
        if (type->n_args)
            put_args(out, type);
    }
    if (type->is_frozen)
        sl_buf_u8(out, '>');
}
