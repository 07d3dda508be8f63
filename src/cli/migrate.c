/* SPDX-License-Identifier: Apache-2.0 */
/* `sluice migrate`: from the embedded log to Kafka. */
#include "cli/command.h"

#include "base/alloc.h"
#include "base/props.h"
#include "engine/group/group_member.h"
#include "engine/migrate/migrate.h"
#include "engine/secrets/secrets.h"
#include "engine/config/worker_config.h"

#include <stdio.h>

static enum sl_rc open_both(const struct sl_cli *cli, struct sl_migration *migration, struct sl_error *err)
{
    const struct sl_props *worker = migration->stored.worker;
    enum sl_rc rc;

    if (!sl_group_member_is_wanted(worker))
        return sl_error_set(
            err, SL_E_CONFIG,
            "the worker's file names no cluster to move to. HINT: add bootstrap.servers, "
            "group.id, config.storage.topic, offset.storage.topic and status.storage.topic to "
            "it, and leave sluice.state.dir as it is");
    rc = sl_secrets_open(cli->plugins->providers, worker, &migration->stored.secrets, err);
    if (rc == SL_OK)
        rc = cli->plugins->transports[0]->open(worker, false, &migration->stored.transport, err);
    if (rc == SL_OK)
        rc = sl_plugins_transport(cli->plugins, worker)->open(worker, false, &migration->to, err);
    return rc;
}

static int run(const struct sl_cli *cli, const struct sl_arguments *arguments)
{
    struct sl_migration migration = {.stored = {.plugins = cli->plugins}};
    struct sl_props *worker = NULL;
    struct sl_error err = {0};
    enum sl_rc rc = sl_worker_config_read(arguments->words[0], &worker, &err);

    migration.stored.worker = worker;
    if (rc == SL_OK)
        rc = open_both(cli, &migration, &err);
    if (rc == SL_OK)
        rc = sl_migrate(&migration, &err);
    if (rc == SL_OK)
        (void)printf("moved: %zu connectors, %zu topics with %llu records, %zu source offsets, %zu schema "
                     "versions\n",
                     migration.connectors, migration.topics, (unsigned long long)migration.records,
                     migration.offsets, migration.schemas);
    sl_stored_done(&migration.stored);
    if (migration.to)
        migration.to->ops->close(migration.to);
    if (migration.stored.transport)
        migration.stored.transport->ops->close(migration.stored.transport);
    sl_secrets_close(migration.stored.secrets);
    sl_props_free(worker);
    return rc ? sl_cli_fail(NULL, &err) : SL_EXIT_OK;
}

const struct sl_command sl_command_migrate = {
    .name = "migrate",
    .arguments = "WORKER.properties",
    .summary = "move an embedded log to Kafka",
    .help =
        "The worker's file is the one that ran on the embedded log (sluice.state.dir), with "
        "bootstrap.servers,\n"
        "group.id and the topics of Kafka Connect added. sluice must not run. Configs, source offsets, "
        "schema\n"
        "ids and the records that the sinks have not applied are copied; each sink's target is told where "
        "it\n"
        "goes on. Safe to repeat after a crash; afterwards 'sluice run' with the same file goes on there.",
    .min_words = 1,
    .max_words = 1,
    .run = run,
};
