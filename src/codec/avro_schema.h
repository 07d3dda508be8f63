/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Avro schemas as a tree, and the ways between it, its text and Connect's schemas:
 *
 *     text --parse--> tree --print--> text, as Avro's Java library prints it (the registry compares by it)
 *     Connect schema --from_connect--> tree    exactly as Confluent's AvroData does it: names, property
 * order, tree --to_connect--> Connect schema      defaults; the schema's id in the registry depends on each
 * byte
 *
 * A tree belongs to its document and is immutable once made. Named types that occur twice are one node.
 * Text comes from outside: it may be anything; nesting and size are bounded.
 *
 * Threads: a document may be read by any number at once, made by one.
 */
#ifndef SLUICE_CODEC_AVRO_SCHEMA_H
#define SLUICE_CODEC_AVRO_SCHEMA_H

#include "base/buf.h"
#include "sluice/error.h"
#include "sluice/schema.h"

#include <jansson.h>

enum sl_avro_kind {
    SL_AVRO_NULL,
    SL_AVRO_BOOLEAN,
    SL_AVRO_INT,
    SL_AVRO_LONG,
    SL_AVRO_FLOAT,
    SL_AVRO_DOUBLE,
    SL_AVRO_BYTES,
    SL_AVRO_STRING,
    SL_AVRO_RECORD,
    SL_AVRO_ENUM,
    SL_AVRO_ARRAY,
    SL_AVRO_MAP,
    SL_AVRO_UNION,
    SL_AVRO_FIXED,
};

enum {
    SL_AVRO_MAX_DEPTH = 64,               /* of nested types, in text and in trees */
    SL_AVRO_MAX_TEXT = 2 * 1024 * 1024,   /* bytes of one schema's text */
    SL_AVRO_MAX_FIXED = 64 * 1024 * 1024, /* bytes of one fixed value */
};

struct sl_avro_prop {
    const char *name;
    json_t *value; /* owned by the document */
};

struct sl_avro_field {
    const char *name;
    const struct sl_avro_type *type;
    const char *doc;       /* NULL: none */
    const char *order;     /* NULL: ascending */
    json_t *default_value; /* NULL: none; JSON null is a default */
    json_t *aliases;       /* array of texts; NULL: none */
    const struct sl_avro_prop *props;
    uint32_t n_props;
};

struct sl_avro_type {
    enum sl_avro_kind kind;
    uint32_t n; /* fields of a record, branches of a union, symbols of an enum */
    const struct sl_avro_field *fields;
    const struct sl_avro_type *const *branches;
    const char *const *symbols;
    const struct sl_avro_type *items; /* of an array; of a map: its values */
    uint32_t size;                    /* of a fixed, bytes */
    uint32_t n_props;
    const char *name;  /* record, enum, fixed: the last part */
    const char *space; /* namespace, NULL: none */
    const char *full;  /* both, with a dot; for other kinds Avro's own word ("long") */
    const char *doc;
    const char *enum_default;
    const struct sl_avro_prop *props;
    json_t *aliases; /* array of texts as Java prints them; NULL: none */
    bool is_error;   /* a record that the text calls "error" */
};

struct sl_avro_doc {
    const struct sl_avro_type *root;
    struct sl_arena *arena;                  /* of all nodes and texts */
    json_t *pool;                            /* keeps every JSON value alive that nodes point to */
    const struct sl_avro_type *const *known; /* named types of referenced texts: not written again */
    uint32_t n_known;
    /* Parsed texts: the first field whose default does not fit its type (Java refuses it in new schemas). */
    const char *bad_default;
};

/* AvroData's options (the names are Confluent's). */
struct sl_avro_options {
    bool connect_meta_data;
    bool enhanced_schema_support;
    bool scrub_invalid_names;
    bool allow_optional_map_keys;
    bool flatten_singleton_unions;
    bool discard_type_doc_default;
    bool generalized_sum_type_support;
};

/* Confluent's defaults. */
#define SL_AVRO_DEFAULT_OPTIONS \
    ((struct sl_avro_options){.connect_meta_data = true, .flatten_singleton_unions = true})

/* Errors: DATA; the text says where. */
enum sl_rc sl_avro_parse(const char *text, size_t len, struct sl_avro_doc **ret, struct sl_error *err);
void sl_avro_doc_free(struct sl_avro_doc *doc);

/*
 * The same for a text that names types of other texts: those are parsed first, in their order. Their named
 * types are the document's known ones.
 */
enum sl_rc sl_avro_parse_with(const char *const *before, size_t n_before, const char *text, size_t len,
                              struct sl_avro_doc **ret, struct sl_error *err);

/* Append the text of the tree, without white space, in the Java library's order. */
void sl_avro_print(const struct sl_avro_type *type, struct sl_buf *out);

enum sl_avro_form {
    SL_AVRO_AS_IS,
    SL_AVRO_NORMAL, /* as Confluent's registry normalises: properties sorted, logical types first */
};

/* The same of a whole document; types of referenced texts stay names. */
void sl_avro_print_doc(const struct sl_avro_doc *doc, enum sl_avro_form form, struct sl_buf *out);

/*
 * Errors: DATA (a name that Avro does not allow, a schema without a shape in Avro). schema NULL: the record
 * io.confluent.connect.avro.Anything.
 */
enum sl_rc sl_avro_from_connect(const struct sl_schema *schema, const struct sl_avro_options *options,
                                struct sl_avro_doc **ret, struct sl_error *err);

/*
 * version > 0: given to the outermost schema when it says none itself (the registry's version of the
 * subject). Errors: DATA (recursive types, a standalone null, contradicting properties).
 */
enum sl_rc sl_avro_to_connect(const struct sl_avro_type *type, const struct sl_avro_options *options,
                              int32_t version, const struct sl_schema **ret, struct sl_error *err);

/* Names that AvroData gives a meaning. */
#define SL_AVRO_CONNECT_SPACE "io.confluent.connect.avro"
#define SL_AVRO_UNION_NAME SL_AVRO_CONNECT_SPACE ".Union"
#define SL_AVRO_ENUM_PARAMETER SL_AVRO_CONNECT_SPACE ".Enum"
#define SL_AVRO_FIXED_PARAMETER "connect.fixed.size"
/* The same in the form that Confluent's Protobuf and JSON Schema converters share. */
#define SL_AVRO_GENERAL_UNION "org.apache.kafka.connect.data.Union"
#define SL_AVRO_GENERAL_ENUM "org.apache.kafka.connect.data.Enum"

const struct sl_avro_prop *sl_avro_prop_find(const struct sl_avro_type *type, const char *name);

/* Does the struct stand for a union, in either form? */
bool sl_avro_is_union(const struct sl_schema *schema);

/* Avro's word for the kind: "int", "record". */
const char *sl_avro_kind_name(enum sl_avro_kind kind);

/* Is the record one pair of a map whose keys are not strings? */
bool sl_avro_is_map_entry(const struct sl_avro_type *type);

/* For a union of two branches with null in one: the other one; else NULL. *ret_index: of that branch. */
const struct sl_avro_type *sl_avro_nullable(const struct sl_avro_type *type, uint32_t *ret_index);

#endif
