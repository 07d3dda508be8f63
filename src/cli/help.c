/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"

#include "base/alloc.h"

#include <stdio.h>

static void print_all(const struct sl_cli *cli)
{
    (void)puts("sluice moves row changes from SQL Server and ScyllaDB into PostgreSQL.\n\nCommands:");
    for (const struct sl_command *const *command = cli->commands; *command; command++)
        (void)printf("  %-14s %s\n", (*command)->name, (*command)->summary);
    (void)puts("\n'sluice help COMMAND' tells more. Exit status: 0 done, 1 failed, 2 used wrongly,\n"
               "3 no answer, 4 no such thing, 5 not now.");
}

static void print_flag(const struct sl_flag *flag)
{
    char left[64];

    (void)snprintf(left, sizeof(left), "%c%c%s--%s%s%s", flag->letter ? '-' : ' ',
                   flag->letter ? flag->letter : ' ', flag->letter ? ", " : "  ", flag->name,
                   flag->argument ? " " : "", flag->argument ? flag->argument : "");
    (void)printf("  %-24s %s\n", left, flag->doc);
}

void sl_help_print(const struct sl_cli *cli, const struct sl_command *command)
{
    if (!command) {
        print_all(cli);
        return;
    }
    (void)printf("usage: sluice %s %s\n\n%s\n", command->name, command->arguments, command->summary);
    if (command->help)
        (void)printf("\n%s\n", command->help);
    if (command->flags && command->flags[0].name)
        (void)puts("\nOptions:");
    for (const struct sl_flag *flag = command->flags; flag && flag->name; flag++)
        print_flag(flag);
}

static int help(const struct sl_cli *cli, const struct sl_arguments *arguments)
{
    char *wanted;

    if (!arguments->n_words) {
        sl_help_print(cli, NULL);
        return SL_EXIT_OK;
    }
    wanted = arguments->n_words > 1 ? sl_format("%s %s", arguments->words[0], arguments->words[1])
                                    : sl_strdup(arguments->words[0]);
    for (const struct sl_command *const *command = cli->commands; *command; command++) {
        if (strcmp((*command)->name, wanted) == 0) {
            sl_help_print(cli, *command);
            sl_free(wanted);
            return SL_EXIT_OK;
        }
    }
    (void)sl_cli_misuse(NULL, "there is no command '%s'", wanted);
    sl_free(wanted);
    return SL_EXIT_USAGE;
}

const struct sl_command sl_command_help = {
    .name = "help",
    .arguments = "[COMMAND]",
    .summary = "tell what the commands do",
    .max_words = 2,
    .run = help,
};
