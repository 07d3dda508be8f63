/* SPDX-License-Identifier: Apache-2.0 */
/* `sluice offsets adopt`: the target's position or the group's, where they differ. */
#include "cli/command.h"
#include "cli/state.h"

#include "base/props.h"
#include "engine/migrate/adopt.h"
#include "engine/secrets/secrets.h"
#include "engine/config/worker_config.h"

#include <stdio.h>

static void add_number(struct sl_table *table, int64_t number)
{
    if (number < 0)
        sl_table_add(table, "-");
    else
        sl_table_add_int(table, number);
}

static void visit(void *ctx, const struct sl_adopted *adopted)
{
    struct sl_table *table = ctx;

    sl_table_add(table, adopted->topic);
    sl_table_add_int(table, adopted->partition);
    add_number(table, adopted->target);
    add_number(table, adopted->group);
    add_number(table, adopted->now);
}

static enum sl_rc adopt(struct sl_stored *stored, const char *name, enum sl_adopt_from from,
                        struct sl_error *err)
{
    static const char *const titles[] = {"TOPIC", "PARTITION", "TARGET", "GROUP", "NOW"};
    struct sl_table table = {.n_columns = sizeof(titles) / sizeof(*titles)};
    enum sl_rc rc = sl_stored_read(stored, name, err);

    for (size_t i = 0; i < table.n_columns; i++)
        sl_table_add(&table, titles[i]);
    if (rc == SL_OK)
        rc = sl_adopt(stored->transport, stored->connectors[0], from, visit, &table, err);
    if (rc == SL_OK)
        sl_table_print(&table);
    sl_table_done(&table);
    return rc;
}

static int run(const struct sl_cli *cli, const struct sl_arguments *arguments)
{
    const char *from = sl_arguments_flag(arguments, "from");
    struct sl_stored stored = {.plugins = cli->plugins};
    struct sl_props *worker = NULL;
    struct sl_error err = {0};
    enum sl_rc rc;

    if (!from || (strcmp(from, "target") != 0 && strcmp(from, "group") != 0))
        return sl_cli_misuse(&sl_command_offsets_adopt, "--from target or --from group says which is right");
    rc = sl_worker_config_read(arguments->words[0], &worker, &err);
    if (rc == SL_OK) {
        stored.worker = worker;
        rc = sl_secrets_open(cli->plugins->providers, worker, &stored.secrets, &err);
    }
    if (rc == SL_OK)
        rc = sl_plugins_transport(cli->plugins, worker)->open(worker, false, &stored.transport, &err);
    if (rc == SL_OK)
        rc = adopt(&stored, arguments->words[1],
                   strcmp(from, "group") == 0 ? SL_ADOPT_GROUP : SL_ADOPT_TARGET, &err);
    sl_stored_done(&stored);
    if (stored.transport)
        stored.transport->ops->close(stored.transport);
    sl_secrets_close(stored.secrets);
    sl_props_free(worker);
    return rc ? sl_cli_fail(NULL, &err) : SL_EXIT_OK;
}

static const struct sl_flag flags[] = {
    {"from", 0, "target|group", "which of the two positions is right"},
    {NULL, 0, NULL, NULL},
};

const struct sl_command sl_command_offsets_adopt = {
    .name = "offsets adopt",
    .arguments = "--from target|group WORKER.properties CONNECTOR",
    .summary = "choose between the position in a sink's target and its group's committed offset",
    .help =
        "A sink connector stops when another program (Kafka Connect, a tool that resets groups) has "
        "committed\n"
        "an offset for its group that is not the position in its target. Stop the connector, then choose:\n"
        "target goes on where the rows in the target end, group where the committed offset says (rows may\n"
        "come twice or be left out, if it is wrong). Both are the same afterwards.",
    .min_words = 2,
    .max_words = 2,
    .flags = flags,
    .run = run,
};
