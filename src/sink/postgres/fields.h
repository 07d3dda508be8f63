/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which fields of a record become columns: pk.mode, pk.fields and fields.whitelist, as Confluent's
 * FieldsMetadata reads them. A field in key and value is the key's.
 */
#ifndef SLUICE_SINK_POSTGRES_FIELDS_H
#define SLUICE_SINK_POSTGRES_FIELDS_H

#include "sink/postgres/cell.h"
#include "sink/postgres/config.h"

struct sl_pgsink_fields {
    struct sl_pgsink_cell *cells; /* only source, field, name and schema are set; the caller frees them */
    size_t n, capacity;
    size_t n_keys; /* they come first */
};

/* The fields of a run. Errors: SCHEMA, CONFIG. The list has to be freed after an error, too. */
enum sl_rc sl_pgsink_fields_list(const struct sl_pgsink_config *config, const struct sl_run *run,
                                 struct sl_pgsink_fields *list, struct sl_error *err);

/* Add a field; the pointer holds until the next one. */
struct sl_pgsink_cell *sl_pgsink_fields_add(struct sl_pgsink_fields *list, uint8_t source, uint32_t field,
                                            const char *name, const struct sl_schema *schema);

#endif
