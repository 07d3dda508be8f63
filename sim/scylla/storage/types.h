/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CQL types as things to build, name and compare. Values are bytes in CQL's serialisation (value.h).
 *
 * Native types are static. Collections, tuples and user types are made once per server (equal ones are one
 * pointer, so types may be compared with ==) and live until the server closes. Thread-safe.
 */
#ifndef SIM_SCYLLA_STORAGE_TYPES_H
#define SIM_SCYLLA_STORAGE_TYPES_H

#include "../value.h"

struct sy_arena;
struct sy_server;

/* A scalar type; NULL for ids that have parts. */
const struct sy_type *sy_type_native(enum sy_type_id id);
/* "int", "varchar", "text" ... (lower case); NULL when there is none of that name. */
const struct sy_type *sy_type_by_name(const char *name);

const struct sy_type *sy_type_list(struct sy_server *server, const struct sy_type *element, bool frozen);
const struct sy_type *sy_type_set(struct sy_server *server, const struct sy_type *element, bool frozen);
const struct sy_type *sy_type_map(struct sy_server *server, const struct sy_type *key,
                                  const struct sy_type *value, bool frozen);
const struct sy_type *sy_type_tuple(struct sy_server *server, const struct sy_type *const *parts, uint32_t n);
/* User types come from the catalogue (sy_catalog_type): these are its frozen and non-frozen faces. */
const struct sy_type *sy_type_freeze(struct sy_server *server, const struct sy_type *type, bool frozen);

/* The one that is equal to this; the names and parts are copied. User types are made so. */
const struct sy_type *sy_type_intern(struct sy_server *server, const struct sy_type *type);

/* As system_schema.columns has it: "frozen<map<text, int>>". */
const char *sy_type_name(struct sy_arena *arena, const struct sy_type *type);
/* As the Java classes are called: "org.apache.cassandra.db.marshal.Int32Type". */
const char *sy_type_class_name(struct sy_arena *arena, const struct sy_type *type);

/* A list, set, map or user type that is not frozen: its elements are cells of their own. */
static inline bool sy_type_is_multi_cell(const struct sy_type *type)
{
    return !type->frozen &&
           (type->id == SY_LIST || type->id == SY_SET || type->id == SY_MAP || type->id == SY_UDT);
}
/* What a multi-cell column's cells have as path (list: timeuuid; set and map: the key; user type: smallint,
 * the field's index) and as value (a set's is empty). For a user type's value: type->parts[index]. */
const struct sy_type *sy_type_path(const struct sy_type *type);

/* The type's own order: <0, 0, >0. Neither is null; malformed bytes are compared as bytes. */
int sy_value_compare(const struct sy_type *type, struct sy_value a, struct sy_value b);
/* Do these bytes have the shape of the type? (lengths, UTF-8, parts of collections). NULL: yes, else why not
 */
const char *sy_value_check(const struct sy_type *type, struct sy_value value);
/* A literal as cqlsh would write it, for dumps and messages. */
const char *sy_value_text(struct sy_arena *arena, const struct sy_type *type, struct sy_value value);

#endif
