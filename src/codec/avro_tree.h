/* SPDX-License-Identifier: Apache-2.0 */
/* Making Avro trees: shared by the parser and by the way from Connect's schemas. Private to codec/. */
#ifndef SLUICE_CODEC_AVRO_TREE_H
#define SLUICE_CODEC_AVRO_TREE_H

#include "base/arena.h"
#include "codec/avro_schema.h"

struct sl_avro_doc *sl_avro_doc_new(void);

/* A zeroed node of the kind, with its word as full name. */
struct sl_avro_type *sl_avro_type_new(struct sl_avro_doc *doc, enum sl_avro_kind kind);

/* Give a node its name; space NULL or "": none. False: not a name that Avro allows. */
bool sl_avro_type_name(struct sl_avro_doc *doc, struct sl_avro_type *type, const char *space,
                       const char *name);

/* Add a property, or leave the one that is there already (as Avro does for equal values). Steals value. */
void sl_avro_prop_add(struct sl_avro_doc *doc, struct sl_avro_type *type, const char *name, json_t *value);

/* Hand a JSON value to the document (steals the reference). */
json_t *sl_avro_keep(struct sl_avro_doc *doc, json_t *value);

/* [A-Za-z_][A-Za-z0-9_]*, of one part or of parts between dots. */
bool sl_avro_name_valid(const char *name);
bool sl_avro_space_valid(const char *space);

/* Does the JSON value fit as a default? Of a union: its first branch, as the specification says it. */
bool sl_avro_default_valid(const struct sl_avro_type *type, const json_t *value);

/* Does the Java library take it in a text? Since 1.12 it takes a default of any branch of a union. */
bool sl_avro_default_taken(const struct sl_avro_type *type, const json_t *value);

#endif
