/* SPDX-License-Identifier: Apache-2.0 */
/* `sluice man [COMMAND]`: manual pages, from the same tables as the help. */
#include "cli/command.h"

#include "base/alloc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void put(FILE *out, const char *line)
{
    (void)fprintf(out, "%s\n", line);
}

/* Text for roff: a backslash, a leading dot or quote, and hyphens that are to be typed. */
static void print_text(FILE *out, const char *text)
{
    bool line_start = true;

    for (; *text; text++) {
        if (line_start && (*text == '.' || *text == '\''))
            (void)fputs("\\&", out);
        line_start = *text == '\n';
        if (*text == '\\')
            (void)fputs("\\e", out);
        else if (*text == '-')
            (void)fputs("\\-", out);
        else if (line_start)
            (void)fputs("\n.br\n", out);
        else
            (void)fputc(*text, out);
    }
}

static void print_flag(FILE *out, const struct sl_flag *flag)
{
    (void)fputs(".TP\n\\fB", out);
    if (flag->letter)
        (void)fprintf(out, "\\-%c\\fR, \\fB", flag->letter);
    print_text(out, "--");
    print_text(out, flag->name);
    (void)fprintf(out, "\\fR%s\\fI%s\\fR\n", flag->argument ? " " : "", flag->argument ? flag->argument : "");
    print_text(out, flag->doc);
    put(out, "");
}

static void print_exit_statuses(FILE *out)
{
    put(out, ".SH EXIT STATUS\n0 done; 1 failed, one line on standard error says why; 2 used wrongly. "
             "Commands that "
             "ask\na running sluice besides: 3 it does not answer; 4 there is no such thing; 5 not now.");
}

/* "sluice-offsets-get" */
static void page_name(const struct sl_command *command, char *ret, size_t size)
{
    (void)snprintf(ret, size, "sluice-%s", command->name);
    for (char *at = ret; *at; at++)
        *at = *at == ' ' ? '-' : *at;
}

static void print_page(FILE *out, const struct sl_command *command)
{
    char name[64];

    page_name(command, name, sizeof(name));
    (void)fprintf(out, ".TH \"%s\" 1 \"\" \"sluice %s\"\n.nh\n.ad l\n.SH NAME\n%s \\- ", name, SL_VERSION,
                  name);
    print_text(out, command->summary);
    (void)fprintf(out, "\n.SH SYNOPSIS\n.B sluice %s\n", command->name);
    print_text(out, command->arguments ? command->arguments : "");
    put(out, "");
    if (command->help) {
        put(out, ".SH DESCRIPTION");
        print_text(out, command->help);
        put(out, "");
    }
    if (command->flags && command->flags[0].name)
        put(out, ".SH OPTIONS");
    for (const struct sl_flag *flag = command->flags; flag && flag->name; flag++)
        print_flag(out, flag);
    print_exit_statuses(out);
    put(out, ".SH SEE ALSO\n.BR sluice (1)");
}

static void print_overview(FILE *out, const struct sl_cli *cli)
{
    (void)fprintf(out,
                  ".TH sluice 1 \"\" \"sluice %s\"\n.nh\n.ad l\n.SH NAME\nsluice \\- move row changes from "
                  "SQL Server and ScyllaDB "
                  "into PostgreSQL\n.SH SYNOPSIS\n.B sluice\nCOMMAND [ARGUMENTS]\n.SH COMMANDS\n",
                  SL_VERSION);
    for (const struct sl_command *const *command = cli->commands; *command; command++) {
        (void)fprintf(out, ".TP\n.B %s\n", (*command)->name);
        print_text(out, (*command)->summary);
        put(out, "");
    }
    print_exit_statuses(out);
    put(out,
        ".SH ENVIRONMENT\n.TP\n.B SLUICE_URL\nthe REST API that commands ask\n.TP\n.BR SLUICE_USER \", \" "
        "SLUICE_PASSWORD\nthe login there");
}

/* One page as a file; NULL: the overview. */
static int write_page(const struct sl_cli *cli, const struct sl_command *command, const char *folder)
{
    char name[64] = "sluice";
    char *path;
    FILE *out;
    bool failed;

    if (command)
        page_name(command, name, sizeof(name));
    path = sl_format("%s/%s.1", folder, name);
    out = fopen(path, "w");
    if (out && command)
        print_page(out, command);
    else if (out)
        print_overview(out, cli);
    failed = !out || ferror(out);
    if (out && fclose(out))
        failed = true;
    if (failed)
        (void)fprintf(stderr, "sluice: %s: %s. HINT: --into names a folder that is there\n", path,
                      strerror(errno));
    sl_free(path);
    return failed ? SL_EXIT_FAILED : SL_EXIT_OK;
}

static int write_pages(const struct sl_cli *cli, const char *folder)
{
    int status = write_page(cli, NULL, folder);

    for (const struct sl_command *const *command = cli->commands; *command && status == SL_EXIT_OK; command++)
        status = write_page(cli, *command, folder);
    return status;
}

static const struct sl_flag flags[] = {
    {"into", 0, "DIRECTORY", "write all pages there, as files (sluice.1, sluice-get.1, ...)"},
    {NULL, 0, NULL, NULL},
};

static int man(const struct sl_cli *cli, const struct sl_arguments *arguments)
{
    const char *folder = sl_arguments_flag(arguments, "into");
    char name[64];

    if (folder)
        return arguments->n_words ? sl_cli_misuse(&sl_command_man, "--into writes all pages")
                                  : write_pages(cli, folder);
    if (!arguments->n_words) {
        print_overview(stdout, cli);
        return SL_EXIT_OK;
    }
    (void)snprintf(name, sizeof(name), "%s%s%s", arguments->words[0], arguments->n_words > 1 ? " " : "",
                   arguments->n_words > 1 ? arguments->words[1] : "");
    for (const struct sl_command *const *command = cli->commands; *command; command++) {
        if (strcmp((*command)->name, name) == 0) {
            print_page(stdout, *command);
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
    .flags = flags,
    .run = man,
};
