/* SPDX-License-Identifier: Apache-2.0 */
/* The state directory as commands beside `run` see it: found by --state or by the worker's file, read only.
 */
#ifndef SLUICE_CLI_STATE_H
#define SLUICE_CLI_STATE_H

#include "cli/command.h"

/* The flags that every such command has. */
#define SL_STATE_FLAGS                                                    \
    {"state", 0, "DIR", "the state directory (default: ./sluice-state)"}, \
        {"worker", 0, "FILE", "a worker's properties file, to take the state directory from"}

struct sl_state {
    struct sl_props *props;
    struct sl_transport *log;
};

/* Errors: what the file or the log says. */
enum sl_rc sl_state_open(const struct sl_cli *cli, const struct sl_arguments *arguments, struct sl_state *ret,
                         struct sl_error *err);
void sl_state_close(struct sl_state *state);

/* Text columns of a table, wide enough for what is in them. */
struct sl_table {
    size_t n_columns;
    char **cells; /* row by row; the first row holds the titles */
    size_t n_cells, capacity;
};

void sl_table_add(struct sl_table *table, const char *text); /* the next cell */
void sl_table_add_int(struct sl_table *table, int64_t number);
void sl_table_print(const struct sl_table *table);
void sl_table_done(struct sl_table *table);

#endif
