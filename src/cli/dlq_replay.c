/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `sluice dlq replay` and `drop`: what becomes of dead letters, while their connector does not run. The
 * worker that runs is asked (dlq_ask.c); with --worker or --state, the log is opened here.
 */
#include "cli/dlq.h"

#include "base/json.h"
#include "base/props.h"
#include "cli/rest.h"
#include "engine/herd/config_store.h"
#include "engine/config/connector_config.h"
#include "engine/herd/herd.h"
#include "engine/herd/status_store.h"
#include "engine/letters/replay.h"
#include "engine/config/worker_config.h"

#include <stdio.h>

struct settling {
    const struct sl_cli *cli;
    const struct sl_command *command;
    struct sl_props *props;
    struct sl_secrets *secrets;
    struct sl_herder *herder; /* opened, never started: the log, the registry, the connectors' configs */
    struct sl_connector *connector;
    struct sl_dlq_filter filter;
};

static int say_complaints(const char *what, struct sl_complaints *complaints)
{
    for (size_t i = 0; i < complaints->n; i++)
        (void)fprintf(stderr, "sluice: %s: %s%s%s [CONFIG]\n", what, complaints->items[i].key,
                      complaints->items[i].key[0] ? ": " : "", complaints->items[i].text);
    sl_complaints_done(complaints);
    return SL_EXIT_FAILED;
}

static int open_worker(struct settling *settling, const struct sl_arguments *arguments)
{
    const char *path = sl_arguments_flag(arguments, "worker");
    const char *dir = sl_arguments_flag(arguments, "state");
    struct sl_complaints complaints = {0};
    struct sl_herder_settings settings = {.plugins = settling->cli->plugins};
    struct sl_error err = {0};

    if (sl_worker_config_read(path, &settling->props, &err))
        return sl_cli_fail(NULL, &err);
    if (sl_worker_config_resolve(&settling->props, settling->cli->plugins, &complaints, &settling->secrets,
                                 &err))
        return sl_cli_fail(path, &err);
    if (complaints.n)
        return say_complaints(path ? path : "(defaults)", &complaints);
    if (dir)
        sl_props_set(settling->props, "sluice.state.dir", dir);
    sl_worker_config_open_log(settling->props);
    settings.worker = settling->props;
    settings.secrets = settling->secrets;
    if (sl_herder_open(&settings, &settling->herder, &err))
        return sl_cli_fail(
            "the log of the worker (its process must be stopped meanwhile; without --worker and "
            "--state it is asked to do it, while it runs)",
            &err);
    return SL_EXIT_OK;
}

/* The embedded log has one process, and it is us; on Kafka other workers may run the connector. */
static int check_stopped(const struct settling *settling, const char *name, enum sl_target_state target)
{
    const struct sl_transport *transport = sl_herder_shared(settling->herder)->transport;
    int *tasks;
    size_t n;

    if (strcmp(transport->ops->name, "sqlite") == 0)
        return SL_EXIT_OK;
    if (target != SL_TARGET_STOPPED) {
        (void)fprintf(stderr,
                      "sluice: connector '%s' runs. HINT: it must be stopped meanwhile: sluice stop %s\n",
                      name, name);
        return SL_EXIT_FAILED;
    }
    n = sl_status_store_tasks(sl_herder_statuses(settling->herder), name, &tasks);
    sl_free(tasks);
    if (n == 0)
        return SL_EXIT_OK;
    (void)fprintf(stderr,
                  "sluice: %zu tasks of connector '%s' have not ended yet. HINT: try again when the stop is "
                  "complete\n",
                  n, name);
    return SL_EXIT_FAILED;
}

static int find_connector(struct settling *settling, const char *name)
{
    struct sl_shared *shared = sl_herder_shared(settling->herder);
    struct sl_complaints complaints = {0};
    struct sl_config_view view;

    if (!sl_config_store_read(sl_herder_configs(settling->herder), name, &view)) {
        (void)fprintf(stderr,
                      "sluice: there is no connector '%s'. HINT: sluice dlq list shows whose letters wait\n",
                      name);
        return SL_EXIT_FAILED;
    }
    sl_connector_check(sl_herd_props(view.config), shared->plugins, shared->worker, settling->secrets,
                       &complaints, &settling->connector);
    if (settling->connector && check_stopped(settling, name, view.target)) {
        sl_config_view_done(&view);
        return SL_EXIT_FAILED;
    }
    sl_config_view_done(&view);
    return settling->connector ? SL_EXIT_OK : say_complaints(name, &complaints);
}

static void say_counts(const struct settling *settling, const struct sl_replay_counts *counts)
{
    json_t *line = json_pack("{s:s}", "connector", settling->connector->name);
    struct sl_buf text = {0};

    sl_replay_counts_json(counts, line);
    sl_json_put(&text, line);
    (void)puts(sl_buf_cstr(&text));
    sl_buf_done(&text);
    json_decref(line);
}

static int run(struct settling *settling, bool drop)
{
    struct sl_replay_counts counts = {0};
    struct sl_error err = {0};
    enum sl_rc rc = sl_replay_run(sl_herder_shared(settling->herder), settling->connector, &settling->filter,
                                  drop, NULL, &counts, &err);

    say_counts(settling, &counts);
    if (rc)
        return sl_cli_fail(settling->connector->name, &err);
    return counts.failed ? SL_EXIT_FAILED : SL_EXIT_OK;
}

static int settle(const struct sl_cli *cli, const struct sl_arguments *arguments,
                  const struct sl_command *command, bool drop)
{
    struct settling settling = {.cli = cli, .command = command};
    int status = sl_dlq_flags(command, arguments, &settling.filter);

    if (status)
        return status;
    if (!sl_arguments_flag(arguments, "worker") && !sl_arguments_flag(arguments, "state"))
        return sl_dlq_ask(arguments, &settling.filter, drop);
    status = open_worker(&settling, arguments);
    if (status == SL_EXIT_OK)
        status = find_connector(&settling, arguments->words[0]);
    if (status == SL_EXIT_OK)
        status = run(&settling, drop);
    if (settling.connector)
        sl_connector_free(settling.connector);
    if (settling.herder)
        sl_herder_free(settling.herder);
    sl_secrets_close(settling.secrets);
    sl_props_free(settling.props);
    return status;
}

static int replay(const struct sl_cli *cli, const struct sl_arguments *arguments)
{
    return settle(cli, arguments, &sl_command_dlq_replay, false);
}

static int drop(const struct sl_cli *cli, const struct sl_arguments *arguments)
{
    return settle(cli, arguments, &sl_command_dlq_drop, true);
}

static const struct sl_flag flags[] = {SL_STATE_FLAGS, SL_DLQ_FLAGS, SL_REST_FLAGS, {NULL, 0, NULL, NULL}};

#define HOW_IT_IS_DONE                                                                                      \
    "The connector must be stopped meanwhile (sluice stop CONNECTOR). The worker that runs is asked over\n" \
    "its REST API (--url); with --worker or --state, this command opens the log itself: on Kafka beside\n"  \
    "the workers, an embedded one only while its process is stopped. "

const struct sl_command sl_command_dlq_replay = {
    .name = "dlq replay",
    .arguments = "[--url URL] [--worker FILE] [--state DIR] [FILTERS] CONNECTOR",
    .summary = "bring a sink's dead letters to its target, in their order, each once",
    .help =
        HOW_IT_IS_DONE "What is not meant by the filters, what\nfails again and what waits behind such a "
                       "letter (errors.park.keys) stays; keys that nothing waits for\nany more flow again. "
                       "The status is 1 when a letter failed again.",
    .min_words = 1,
    .max_words = 1,
    .flags = flags,
    .run = replay,
};

const struct sl_command sl_command_dlq_drop = {
    .name = "dlq drop",
    .arguments = "[--url URL] [--worker FILE] [--state DIR] [FILTERS] CONNECTOR",
    .summary = "settle a sink's dead letters without applying them",
    .help = HOW_IT_IS_DONE "Without filters\nall of them go.",
    .min_words = 1,
    .max_words = 1,
    .flags = flags,
    .run = drop,
};
