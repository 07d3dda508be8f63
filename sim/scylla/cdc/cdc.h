/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CDC as the rest of the server meets it: a room that opens with the server, gives the log rows of each
 * update, follows tables that come, change and go, and takes an operator's orders.
 *
 *     sy_cdc_open(server);                    // before the journal is read
 *     ... sy_cdc_state_load(server, reader)   // once for each saved state that the journal holds
 *     sy_cdc_start(server);                   // after it: the first generation, the system tables' rows
 *     ... sy_cdc_augment, sy_cdc_table_*, sy_cdc_command ...
 *     sy_cdc_close(server);
 *
 * All but open and close are called under the store's write lock.
 */
#ifndef SIM_SCYLLA_CDC_CDC_H
#define SIM_SCYLLA_CDC_CDC_H

#include "../storage/server.h"

void sy_cdc_open(struct sy_server *server);
void sy_cdc_start(struct sy_server *server);
void sy_cdc_close(struct sy_server *server);

/* The log's mutations for an update of a table with a log, in the arena. False: *ret_error. */
bool sy_cdc_augment(struct sy_server *server, const struct sy_update *update,
                    const struct sy_write_context *context, struct sy_arena *arena,
                    const struct sy_mutation **ret, uint32_t *ret_n, struct sy_error *ret_error);

/* A base table has come, or has another version now, or goes. */
void sy_cdc_table_created(struct sy_server *server, const struct sy_table *table);
void sy_cdc_table_altered(struct sy_server *server, const struct sy_table *table);
void sy_cdc_table_dropped(struct sy_server *server, const struct sy_table *table);

/*
 * "generation new [in MS]" opens a generation MS milliseconds from now (3000); "tablets split KS.TABLE [in
 * MS]" doubles a table's streams. False and *ret_known false: no order of ours.
 */
bool sy_cdc_command(struct sy_server *server, const char *line, char *ret_text, size_t size, bool *ret_known);

void sy_cdc_state_save(struct sy_server *server, struct sy_buffer *out);
bool sy_cdc_state_load(struct sy_server *server, struct sy_reader *in);

#endif
