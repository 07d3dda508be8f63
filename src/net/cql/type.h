/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CQL types as trees, from the three notations in which a server gives them: the type option of a result's
 * metadata (native protocol v4 section 6), the text in system_schema.columns ("frozen<map<text, int>>"), and
 * the Java class name of a custom type.
 *
 * The wire does not say "frozen"; the text does. A tree lives in the arena that it was made in.
 */
#ifndef SLUICE_NET_CQL_TYPE_H
#define SLUICE_NET_CQL_TYPE_H

#include "base/arena.h"
#include "base/buf.h"
#include "sluice/error.h"

/* The wire's ids (v4 section 4.2.5.2); duration is 0x15 on Scylla and a custom class on Cassandra's v4. */
enum sl_cql_kind {
    SL_CQL_CUSTOM = 0x00, /* a class that this client does not read, and vector: the bytes are there */
    SL_CQL_ASCII = 0x01,
    SL_CQL_BIGINT = 0x02,
    SL_CQL_BLOB = 0x03,
    SL_CQL_BOOLEAN = 0x04,
    SL_CQL_COUNTER = 0x05,
    SL_CQL_DECIMAL = 0x06,
    SL_CQL_DOUBLE = 0x07,
    SL_CQL_FLOAT = 0x08,
    SL_CQL_INT = 0x09,
    SL_CQL_TIMESTAMP = 0x0B,
    SL_CQL_UUID = 0x0C,
    SL_CQL_VARCHAR = 0x0D, /* text is the same type */
    SL_CQL_VARINT = 0x0E,
    SL_CQL_TIMEUUID = 0x0F,
    SL_CQL_INET = 0x10,
    SL_CQL_DATE = 0x11,
    SL_CQL_TIME = 0x12,
    SL_CQL_SMALLINT = 0x13,
    SL_CQL_TINYINT = 0x14,
    SL_CQL_DURATION = 0x15,
    SL_CQL_LIST = 0x20,
    SL_CQL_MAP = 0x21,
    SL_CQL_SET = 0x22,
    SL_CQL_UDT = 0x30,
    SL_CQL_TUPLE = 0x31,
};

struct sl_cql_type {
    enum sl_cql_kind kind;
    bool is_frozen;       /* known from text only; a frozen<> around it */
    const char *keyspace; /* UDT; NULL otherwise */
    const char *name;     /* UDT: its name; CUSTOM: the class ("...VectorType(...)"); NULL otherwise */
    uint32_t n_args;      /* list, set: 1; map: 2 (key, value); tuple and UDT: fields */
    const struct sl_cql_type *const *args;
    const char *const *field_names; /* UDT */
};

enum { SL_CQL_TYPE_DEPTH = 32 }; /* deeper nesting is refused */

/* One shared node for a kind without arguments. */
const struct sl_cql_type *sl_cql_type_simple(enum sl_cql_kind kind);

/* By its name in CQL ("text" and "varchar" are one); NULL when it is no name of a type without arguments. */
const struct sl_cql_type *sl_cql_type_named(const char *name, size_t len);

/* Looks up a user-defined type named in a text; NULL when there is none. */
typedef const struct sl_cql_type *sl_cql_udt_finder(void *ctx, const char *keyspace, const char *name);

/*
 * Read the text of a type as system_schema.columns and system_schema.types have it. Names of user-defined
 * types go to find (NULL: every such name is refused), with the keyspace of the table. vector<...> becomes
 * CUSTOM with its text as the name. Errors: DATA (no type, or nested too deep).
 */
enum sl_rc sl_cql_type_parse(const char *text, const char *keyspace, sl_cql_udt_finder *find, void *ctx,
                             struct sl_arena *arena, const struct sl_cql_type **ret, struct sl_error *err);

/* A marshal class name of a custom type; what is not read here becomes CUSTOM with the class as the name. */
const struct sl_cql_type *sl_cql_type_of_class(const char *class_name, struct sl_arena *arena);

bool sl_cql_type_equal(const struct sl_cql_type *a, const struct sl_cql_type *b); /* frozen aside */

/* Append the CQL text: "map<text, frozen<address>>". */
void sl_cql_type_put(struct sl_buf *out, const struct sl_cql_type *type);

#endif
