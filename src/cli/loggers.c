/* SPDX-License-Identifier: Apache-2.0 */
/* `sluice loggers [NAME LEVEL]`: how much is logged. */
#include "cli/rest.h"
#include "cli/state.h"

#include "base/alloc.h"
#include "net/http/client.h"

#include <stdio.h>

int sl_loggers_show(struct sl_rest *rest, enum sl_form form)
{
    struct sl_table table = {.n_columns = 2};
    json_t *loggers = NULL;
    const char *name;
    json_t *logger;
    int status = sl_rest_ask(rest, "GET", "/admin/loggers", NULL, &loggers);

    if (status == SL_EXIT_OK && !sl_form_print(form, loggers)) {
        sl_table_add(&table, "LOGGER");
        sl_table_add(&table, "LEVEL");
        json_object_foreach(loggers, name, logger)
        {
            sl_table_add(&table, name);
            sl_table_add(&table, sl_json_text(logger, "level", "?"));
        }
        sl_table_print(&table);
        sl_table_done(&table);
    }
    json_decref(loggers);
    return status;
}

static int set_level(struct sl_rest *rest, const char *name, const char *level, bool in_cluster)
{
    struct sl_buf path = {0};
    json_t *body = json_pack("{s:s}", "level", level);
    int status;

    sl_buf_text(&path, "/admin/loggers/");
    sl_http_put_escaped(&path, name, strlen(name));
    sl_buf_format(&path, "?scope=%s", in_cluster ? "cluster" : "worker");
    status = sl_rest_ask(rest, "PUT", sl_buf_cstr(&path), body, NULL);
    if (status == SL_EXIT_OK)
        (void)printf("logger '%s' is at %s\n", name, level);
    json_decref(body);
    sl_buf_done(&path);
    return status;
}

static int loggers(const struct sl_cli *cli, const struct sl_arguments *arguments)
{
    bool in_cluster = sl_arguments_flag(arguments, "cluster") != NULL;
    struct sl_rest *rest = NULL;
    enum sl_form form;
    int status = sl_form_read(&sl_command_loggers, arguments, &form);

    (void)cli;
    if (status == SL_EXIT_OK && arguments->n_words == 1)
        status = sl_cli_misuse(&sl_command_loggers, "which level? error, warn, info, debug");
    if (status == SL_EXIT_OK)
        status = sl_rest_open(arguments, &rest);
    if (status)
        return status;
    status = arguments->n_words ? set_level(rest, arguments->words[0], arguments->words[1], in_cluster)
                                : sl_loggers_show(rest, form);
    sl_rest_close(rest);
    return status;
}

static const struct sl_flag flags[] = {
    {"cluster", 'c', NULL, "in every worker of the group"},
    SL_OUTPUT_FLAGS,
    SL_REST_FLAGS,
    {NULL, 0, NULL, NULL},
};

const struct sl_command sl_command_loggers = {
    .name = "loggers",
    .arguments = "[-c] [NAME LEVEL]",
    .summary = "list the loggers, or set the level of one",
    .max_words = 2,
    .flags = flags,
    .run = loggers,
};
