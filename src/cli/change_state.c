/* SPDX-License-Identifier: Apache-2.0 */
/* `sluice pause|resume|stop|restart|delete NAME...` */
#include "cli/rest.h"

#include "base/alloc.h"

#include <stdio.h>

/* One request a connector; the worst exit status is the command's. */
static int for_each(const struct sl_arguments *arguments, const char *method, const char *path,
                    const char *said)
{
    struct sl_rest *rest = NULL;
    int worst = sl_rest_open(arguments, &rest);

    if (worst)
        return worst;
    for (size_t i = 0; i < arguments->n_words; i++) {
        int status = sl_rest_ask_connector(rest, method, arguments->words[i], path, NULL, NULL);

        if (status == SL_EXIT_OK)
            (void)printf("%s connector '%s'\n", said, arguments->words[i]);
        else
            worst = status;
    }
    sl_rest_close(rest);
    return worst;
}

static int pause_them(const struct sl_cli *cli, const struct sl_arguments *arguments)
{
    (void)cli;
    return for_each(arguments, "PUT", "/pause", "paused");
}

static int resume_them(const struct sl_cli *cli, const struct sl_arguments *arguments)
{
    (void)cli;
    return for_each(arguments, "PUT", "/resume", "resumed");
}

static int stop_them(const struct sl_cli *cli, const struct sl_arguments *arguments)
{
    (void)cli;
    return for_each(arguments, "PUT", "/stop", "stopped");
}

static int delete_them(const struct sl_cli *cli, const struct sl_arguments *arguments)
{
    (void)cli;
    return for_each(arguments, "DELETE", "", "deleted");
}

static int restart_task(const struct sl_arguments *arguments, const char *task)
{
    char *path = sl_format("/tasks/%s/restart", task);
    struct sl_rest *rest = NULL;
    int status;

    if (task[strspn(task, "0123456789")] || !*task || arguments->n_words != 1) {
        sl_free(path);
        return sl_cli_misuse(&sl_command_restart, "--task takes the number of a task of one connector");
    }
    status = sl_rest_open(arguments, &rest);
    if (status == SL_EXIT_OK) {
        status = sl_rest_ask_connector(rest, "POST", arguments->words[0], path, NULL, NULL);
        sl_rest_close(rest);
    }
    if (status == SL_EXIT_OK)
        (void)printf("restarted task %s of connector '%s'\n", task, arguments->words[0]);
    sl_free(path);
    return status;
}

static int restart_them(const struct sl_cli *cli, const struct sl_arguments *arguments)
{
    const char *task = sl_arguments_flag(arguments, "task");
    char path[80];

    (void)cli;
    if (task)
        return restart_task(arguments, task);
    (void)snprintf(path, sizeof(path), "/restart?includeTasks=%s&onlyFailed=%s",
                   sl_arguments_flag(arguments, "connector-only") ? "false" : "true",
                   sl_arguments_flag(arguments, "only-failed") ? "true" : "false");
    return for_each(arguments, "POST", path, "restarted");
}

static const struct sl_flag flags[] = {SL_REST_FLAGS, {NULL, 0, NULL, NULL}};

static const struct sl_flag restart_flags[] = {
    {"only-failed", 'F', NULL, "only what is FAILED"},
    {"connector-only", 0, NULL, "the connector without its tasks"},
    {"task", 't', "N", "this task alone"},
    SL_REST_FLAGS,
    {NULL, 0, NULL, NULL},
};

#define CHANGE(name_, arguments_, summary_, flags_, run_) \
    {                                                     \
        .name = (name_),                                  \
        .arguments = (arguments_),                        \
        .summary = (summary_),                            \
        .min_words = 1,                                   \
        .max_words = 1000,                                \
        .flags = (flags_),                                \
        .run = (run_),                                    \
    }

const struct sl_command sl_command_pause =
    CHANGE("pause", "NAME...", "let connectors rest; they keep their connections", flags, pause_them);
const struct sl_command sl_command_resume =
    CHANGE("resume", "NAME...", "let paused or stopped connectors go on", flags, resume_them);
const struct sl_command sl_command_stop =
    CHANGE("stop", "NAME...", "stop connectors; their tasks end, their positions stay", flags, stop_them);
const struct sl_command sl_command_restart = CHANGE(
    "restart", "[-F] [-t N] NAME...", "restart connectors with their tasks", restart_flags, restart_them);
const struct sl_command sl_command_delete =
    CHANGE("delete", "NAME...", "delete connectors; their positions stay", flags, delete_them);
