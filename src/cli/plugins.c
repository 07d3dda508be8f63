/* SPDX-License-Identifier: Apache-2.0 */
/* `sluice plugins`: the classes that a connector's configuration may name. */
#include "cli/rest.h"
#include "cli/state.h"

int sl_plugins_show(struct sl_rest *rest, bool all, enum sl_form form)
{
    struct sl_table table = {.n_columns = 3};
    json_t *plugins = NULL;
    const json_t *plugin;
    size_t i;
    int status = sl_rest_ask(
        rest, "GET", all ? "/connector-plugins?connectorsOnly=false" : "/connector-plugins", NULL, &plugins);

    if (status == SL_EXIT_OK && !sl_form_print(form, plugins)) {
        sl_table_add(&table, "TYPE");
        sl_table_add(&table, "CLASS");
        sl_table_add(&table, "VERSION");
        json_array_foreach(plugins, i, plugin)
        {
            sl_table_add(&table, sl_json_text(plugin, "type", "?"));
            sl_table_add(&table, sl_json_text(plugin, "class", "?"));
            sl_table_add(&table, sl_json_text(plugin, "version", "-"));
        }
        sl_table_print(&table);
        sl_table_done(&table);
    }
    json_decref(plugins);
    return status;
}

static int plugins(const struct sl_cli *cli, const struct sl_arguments *arguments)
{
    struct sl_rest *rest = NULL;
    enum sl_form form;
    int status = sl_form_read(&sl_command_plugins, arguments, &form);

    (void)cli;
    if (status == SL_EXIT_OK)
        status = sl_rest_open(arguments, &rest);
    if (status)
        return status;
    status = sl_plugins_show(rest, sl_arguments_flag(arguments, "all") != NULL, form);
    sl_rest_close(rest);
    return status;
}

static const struct sl_flag flags[] = {
    {"all", 'a', NULL, "converters, transforms and predicates too"},
    SL_OUTPUT_FLAGS,
    SL_REST_FLAGS,
    {NULL, 0, NULL, NULL},
};

const struct sl_command sl_command_plugins = {
    .name = "plugins",
    .arguments = "[-a]",
    .summary = "list the classes that a configuration may name",
    .flags = flags,
    .run = plugins,
};
