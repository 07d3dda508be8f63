/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Target tables in use: found by table.name.format, created and widened where auto.create and auto.evolve say
 * so, ranked so that parents of foreign keys come first. All of it talks to the server, with no flight under
 * way.
 */
#ifndef SLUICE_SINK_POSTGRES_TARGET_H
#define SLUICE_SINK_POSTGRES_TARGET_H

#include "sink/postgres/fields.h"
#include "sink/postgres/plan.h"

/* The quoted name of a topic's table, as SQL; heap memory of the caller. */
char *sl_pgsink_table_path(const struct sl_pgsink_config *config, const struct sl_topic *topic);

/* The target of that path; auto.create makes it when there are values to make it of. Errors: NOT_FOUND,
 * CONFIG. */
enum sl_rc sl_pgsink_target_for(struct sl_pgsink *sink, const char *path, const struct sl_pgsink_fields *list,
                                bool has_value, struct sl_pgsink_target **ret, struct sl_error *err);
void sl_pgsink_target_free(struct sl_pgsink_target *target);

/* See that every field has a column, by adding those that are missing where that is allowed. Errors: SCHEMA.
 */
enum sl_rc sl_pgsink_target_evolve(struct sl_pgsink *sink, struct sl_pgsink_target *target,
                                   const struct sl_pgsink_fields *list, struct sl_error *err);

/* Index of a field's column, or -1: quote.sql.identifiers=never folds names. */
int sl_pgsink_target_column(const struct sl_pgsink_config *config, const struct sl_pgsink_table *table,
                            const char *name);

#endif
