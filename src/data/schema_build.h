/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Short ways to make schemas. Everything returned is interned.
 *
 *     struct sl_struct_builder b = {.name = "srv.shop.dbo.customers.Key"};
 *     sl_struct_add(&b, "id", sl_schema_plain(SL_INT32, false));
 *     const struct sl_schema *key = sl_struct_end(&b, false);
 *
 * For start and schema changes, not for rows.
 */
#ifndef SLUICE_DATA_SCHEMA_BUILD_H
#define SLUICE_DATA_SCHEMA_BUILD_H

#include "sluice/schema.h"

/* Start from a zeroed one; set what is wanted before sl_struct_end. Texts are borrowed until then. */
struct sl_struct_builder {
    const char *name;
    const char *doc;
    int32_t version; /* 0: none */
    const struct sl_parameter *parameters;
    uint32_t n_parameters;

    struct sl_field *fields; /* filled by sl_struct_add */
    uint32_t n_fields, capacity;
};

void sl_struct_add(struct sl_struct_builder *builder, const char *name, const struct sl_schema *schema);

/* Intern the struct and empty the builder (its memory is freed, its settings are cleared). */
const struct sl_schema *sl_struct_end(struct sl_struct_builder *builder, bool optional);

/* A builder that begins with the name, version, doc and parameters of a struct, and none of its fields. */
struct sl_struct_builder sl_struct_like(const struct sl_schema *schema);

/* A named type such as io.debezium.time.Timestamp; version 0: none. */
const struct sl_schema *sl_schema_named(enum sl_type type, const char *name, int32_t version, bool optional);

/* The same schema with a default. */
const struct sl_schema *sl_schema_with_default(const struct sl_schema *schema, struct sl_value value);

const struct sl_schema *sl_schema_array(const struct sl_schema *element, bool optional);
const struct sl_schema *sl_schema_map(const struct sl_schema *key, const struct sl_schema *element,
                                      bool optional);

/* The value of a parameter, or NULL. */
const char *sl_schema_parameter(const struct sl_schema *schema, const char *name);

#endif
