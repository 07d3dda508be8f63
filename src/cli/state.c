/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/state.h"

#include "base/alloc.h"
#include "base/props.h"
#include "engine/config/worker_config.h"

#include <stdio.h>

enum sl_rc sl_state_open(const struct sl_cli *cli, const struct sl_arguments *arguments, struct sl_state *ret,
                         struct sl_error *err)
{
    const char *dir = sl_arguments_flag(arguments, "state");
    struct sl_state state = {0};
    enum sl_rc rc = sl_worker_config_read(sl_arguments_flag(arguments, "worker"), &state.props, err);

    if (rc)
        return rc;
    if (dir)
        sl_props_set(state.props, "sluice.state.dir", dir);
    rc = sl_plugins_transport(cli->plugins, state.props)->open(state.props, true, &state.log, err);
    if (rc) {
        sl_props_free(state.props);
        return rc;
    }
    *ret = state;
    return SL_OK;
}

void sl_state_close(struct sl_state *state)
{
    state->log->ops->close(state->log);
    sl_props_free(state->props);
}

void sl_table_add(struct sl_table *table, const char *text)
{
    SL_GROW(table->cells, table->n_cells, table->capacity);
    table->cells[table->n_cells++] = sl_strdup(text);
}

void sl_table_add_int(struct sl_table *table, int64_t number)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%lld", (long long)number);
    sl_table_add(table, text);
}

static int width(const struct sl_table *table, size_t column)
{
    size_t widest = 0;

    for (size_t i = column; i < table->n_cells; i += table->n_columns) {
        size_t len = strlen(table->cells[i]);

        widest = len > widest ? len : widest;
    }
    return (int)widest;
}

/* No blanks at the end of a line. */
void sl_table_print(const struct sl_table *table)
{
    int owed = 0; /* blanks that something has to follow */

    for (size_t i = 0; i < table->n_cells; i++) {
        const char *cell = table->cells[i];
        size_t column = i % table->n_columns;

        if (*cell)
            (void)printf("%*s%s", owed, "", cell);
        owed = (*cell ? 0 : owed) + width(table, column) - (int)strlen(cell) + 2;
        if (column + 1 == table->n_columns) {
            (void)puts("");
            owed = 0;
        }
    }
}

void sl_table_done(struct sl_table *table)
{
    for (size_t i = 0; i < table->n_cells; i++)
        sl_free(table->cells[i]);
    sl_free(table->cells);
    *table = (struct sl_table){0};
}
