/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Can a reader with one Avro schema read what was written with another? The rules are Avro's own schema
 * resolution as its Java library's SchemaCompatibility applies them, which is what Confluent's registry asks:
 * names are compared without their namespaces, aliases of the reader count, numbers may widen, text and bytes
 * are one another's, logical types are not looked at.
 *
 * The answer tells every place that is in the way, with the library's words and JSON pointers: registries
 * show them to people. Schemas come from outside: work, depth and the length of the list are bounded.
 */
#ifndef SLUICE_REGISTRY_COMPATIBILITY_H
#define SLUICE_REGISTRY_COMPATIBILITY_H

#include "codec/avro_schema.h"

enum sl_incompatibility_kind {
    SL_NAME_MISMATCH,
    SL_FIXED_SIZE_MISMATCH,
    SL_MISSING_ENUM_SYMBOLS,
    SL_READER_FIELD_MISSING_DEFAULT_VALUE,
    SL_TYPE_MISMATCH,
    SL_MISSING_UNION_BRANCH,
};

struct sl_incompatibility {
    enum sl_incompatibility_kind kind;
    const char *location; /* a JSON pointer into the reader's schema: "/fields/2/type" */
    const char *message;  /* the names or types in question */
    /* Of a missing branch: what keeps the one of the same name from fitting, counted from there; or NULL. */
    const struct sl_incompatibility *cause;
};

/* Everything in it lives in its arena. */
struct sl_incompatibilities {
    struct sl_arena *arena;
    const struct sl_incompatibility *const *items;
    size_t n; /* 0: compatible */
};

/*
 * Errors: DATA: an alias of a reader's field and its name both stand for fields of the writer, or the schemas
 * are too large to be compared. On SL_OK ret is to be given back with sl_incompatibilities_done.
 */
enum sl_rc sl_compatibility_check(const struct sl_avro_type *reader, const struct sl_avro_type *writer,
                                  struct sl_incompatibilities *ret, struct sl_error *err);
void sl_incompatibilities_done(struct sl_incompatibilities *list);

/* "TYPE_MISMATCH" */
const char *sl_incompatibility_name(enum sl_incompatibility_kind kind);

#endif
