/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams as clients find them: rows of system_distributed.cdc_generation_timestamps and
 * cdc_streams_descriptions_v2 (ordinary tables, written once for each generation), and of
 * system.cdc_timestamps and cdc_streams (local ones, written anew at each start).
 */
#ifndef SIM_SCYLLA_CDC_PUBLIC_H
#define SIM_SCYLLA_CDC_PUBLIC_H

#include "../storage/server.h"
#include "streams.h"

void sy_public_generation(struct sy_server *server, const struct sy_generation *generation);

/* All sets of a table (NULL: it is found by its id); those that stand there already are written again. */
void sy_public_table(struct sy_server *server, const struct sy_table *table,
                     const struct sy_table_streams *streams);
void sy_public_forget(struct sy_server *server, const struct sy_table *table);

#endif
