/* SPDX-License-Identifier: Apache-2.0 */
/* `sluice man [COMMAND]`: manual pages, from the same tables as the help. */
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

/* Text for roff: a backslash, a leading dot or quote, and hyphens that are to be typed. */
static void print_text(const char *text)
{
    bool line_start = true;

    for (; *text; text++) {
        if (line_start && (*text == '.' || *text == '\''))
            (void)fputs("\\&", stdout);
        line_start = *text == '\n';
        if (*text == '\\')
            (void)fputs("\\e", stdout);
        else if (*text == '-')
            (void)fputs("\\-", stdout);
        else if (line_start)
            (void)fputs("\n.br\n", stdout);
        else
            (void)putchar(*text);
    }
}

static void print_flag(const struct sl_flag *flag)
{
    (void)puts(".TP");
    if (flag->letter)
        (void)printf(".BR \\-%c \", \" \\-\\-%s", flag->letter, flag->name);
    else
        (void)printf(".BR \\-\\-%s", flag->name);
    (void)printf("%s%s%s\n", flag->argument ? " \" " : "", flag->argument ? flag->argument : "",
                 flag->argument ? "\"" : "");
    print_text(flag->doc);
    (void)puts("");
}

static void print_exit_statuses(void)
{
    (void)puts(".SH EXIT STATUS\n0 done; 1 failed, one line on standard error says why; 2 used wrongly. "
               "Commands that "
               "ask\na running sluice besides: 3 it does not answer; 4 there is no such thing; 5 not now.");
}

static void print_page(const struct sl_command *command)
{
    char name[64];

    (void)snprintf(name, sizeof(name), "sluice-%s", command->name);
    for (char *at = name; *at; at++)
        *at = *at == ' ' ? '-' : *at;
    (void)printf(".TH \"%s\" 1 \"\" \"sluice %s\"\n.SH NAME\n%s \\- ", name, SL_VERSION, name);
    print_text(command->summary);
    (void)printf("\n.SH SYNOPSIS\n.B sluice %s\n", command->name);
    print_text(command->arguments ? command->arguments : "");
    (void)puts("");
    if (command->help) {
        (void)puts(".SH DESCRIPTION");
        print_text(command->help);
        (void)puts("");
    }
    if (command->flags && command->flags[0].name)
        (void)puts(".SH OPTIONS");
    for (const struct sl_flag *flag = command->flags; flag && flag->name; flag++)
        print_flag(flag);
    print_exit_statuses();
    (void)puts(".SH SEE ALSO\n.BR sluice (1)");
}

static void print_overview(const struct sl_cli *cli)
{
    (void)printf(
        ".TH sluice 1 \"\" \"sluice %s\"\n.SH NAME\nsluice \\- move row changes from SQL Server and ScyllaDB "
        "into PostgreSQL\n.SH SYNOPSIS\n.B sluice\nCOMMAND [ARGUMENTS]\n.SH COMMANDS\n",
        SL_VERSION);
    for (const struct sl_command *const *command = cli->commands; *command; command++) {
        (void)printf(".TP\n.B %s\n", (*command)->name);
        print_text((*command)->summary);
        (void)puts("");
    }
    print_exit_statuses();
    (void)puts(
        ".SH ENVIRONMENT\n.TP\n.B SLUICE_URL\nthe REST API that commands ask\n.TP\n.BR SLUICE_USER \", \" "
        "SLUICE_PASSWORD\nthe login there");
}

static int man(const struct sl_cli *cli, const struct sl_arguments *arguments)
{
    char name[64];

    if (!arguments->n_words) {
        print_overview(cli);
        return SL_EXIT_OK;
    }
    (void)snprintf(name, sizeof(name), "%s%s%s", arguments->words[0], arguments->n_words > 1 ? " " : "",
                   arguments->n_words > 1 ? arguments->words[1] : "");
    for (const struct sl_command *const *command = cli->commands; *command; command++) {
        if (strcmp((*command)->name, name) == 0) {
            print_page(*command);
            return SL_EXIT_OK;
        }
    }
    return sl_cli_misuse(&sl_command_man, "there is no command '%s'", name);
}

const struct sl_command sl_command_man = {
    .name = "man",
    .arguments = "[COMMAND]",
    .summary = "print a manual page: sluice man get | man -l -",
    .max_words = 2,
    .run = man,
};
