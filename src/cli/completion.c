/* SPDX-License-Identifier: Apache-2.0 */
/* `sluice completion bash|zsh|fish`: from the tables of commands and flags. */
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

/* The first word of a command's name that is not an earlier command's too. */
static bool first_of_its_word(const struct sl_cli *cli, const struct sl_command *const *command)
{
    size_t len = strcspn((*command)->name, " ");

    for (const struct sl_command *const *at = cli->commands; at != command; at++) {
        if (strcspn((*at)->name, " ") == len && strncmp((*at)->name, (*command)->name, len) == 0)
            return false;
    }
    return true;
}

static void print_words(const struct sl_cli *cli)
{
    for (const struct sl_command *const *command = cli->commands; *command; command++) {
        if (first_of_its_word(cli, command))
            (void)printf("%.*s ", (int)strcspn((*command)->name, " "), (*command)->name);
    }
}

static void print_flags(const struct sl_command *command)
{
    for (const struct sl_flag *flag = command->flags; flag && flag->name; flag++)
        (void)printf("--%s ", flag->name);
}

static bool takes_connectors(const struct sl_command *command)
{
    return strstr(command->arguments ? command->arguments : "", "NAME") &&
           strcmp(command->name, "users hash") != 0 && strcmp(command->name, "loggers") != 0;
}

static void print_bash(const struct sl_cli *cli)
{
    (void)printf("# sluice completion for bash: source <(sluice completion bash)\n"
                 "_sluice() {\n"
                 "  local word=${COMP_WORDS[COMP_CWORD]} first=${COMP_WORDS[1]} both=\"${COMP_WORDS[1]} "
                 "${COMP_WORDS[2]}\" words=\"\"\n"
                 "  if [ \"$COMP_CWORD\" = 1 ]; then words=\"");
    print_words(cli);
    (void)printf("\"\n  else\n    case $first in\n");
    for (const struct sl_command *const *command = cli->commands; *command; command++) {
        const char *space = strchr((*command)->name, ' ');

        if (space)
            (void)printf("      %.*s) [ \"$COMP_CWORD\" = 2 ] && words=\"$words %s\" ;;&\n",
                         (int)(space - (*command)->name), (*command)->name, space + 1);
    }
    (void)printf("    esac\n    case \"$both \" in\n");
    for (const struct sl_command *const *command = cli->commands; *command; command++) {
        (void)printf("      \"%s \"*) words=\"$words ", (*command)->name);
        print_flags(*command);
        (void)printf(
            "\"%s ;;&\n",
            takes_connectors(*command)
                ? "; [ \"${word#-}\" = \"$word\" ] && words=\"$words $(sluice get connectors -o json "
                  "2>/dev/null | sed -n 's/^  \"\\(.*\\)\": {$/\\1/p')\""
                : "");
    }
    (void)printf("    esac\n  fi\n"
                 "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
                 "}\ncomplete -o default -F _sluice sluice\n");
}

static void print_fish(const struct sl_cli *cli)
{
    (void)puts("# sluice completion for fish: sluice completion fish | source");
    for (const struct sl_command *const *command = cli->commands; *command; command++) {
        size_t len = strcspn((*command)->name, " ");
        const char *second = (*command)->name[len] ? (*command)->name + len + 1 : NULL;

        if (first_of_its_word(cli, command))
            (void)printf("complete -c sluice -f -n __fish_use_subcommand -a '%.*s' -d '%s'\n", (int)len,
                         (*command)->name, second ? "" : (*command)->summary);
        if (second)
            (void)printf("complete -c sluice -f -n '__fish_seen_subcommand_from %.*s' -a '%s' -d '%s'\n",
                         (int)len, (*command)->name, second, (*command)->summary);
        for (const struct sl_flag *flag = (*command)->flags; flag && flag->name; flag++)
            (void)printf("complete -c sluice -n '__fish_seen_subcommand_from %.*s' -l %s%s\n", (int)len,
                         (*command)->name, flag->name, flag->argument ? " -r" : "");
    }
}

static int completion(const struct sl_cli *cli, const struct sl_arguments *arguments)
{
    const char *shell = arguments->words[0];

    if (strcmp(shell, "bash") == 0) {
        print_bash(cli);
    } else if (strcmp(shell, "zsh") == 0) {
        (void)puts("autoload -U +X bashcompinit && bashcompinit");
        print_bash(cli);
    } else if (strcmp(shell, "fish") == 0) {
        print_fish(cli);
    } else {
        return sl_cli_misuse(&sl_command_completion, "there is no completion for '%s'", shell);
    }
    return SL_EXIT_OK;
}

const struct sl_command sl_command_completion = {
    .name = "completion",
    .arguments = "bash|zsh|fish",
    .summary = "print completion of commands, options and connectors for a shell",
    .help = "bash, zsh: source <(sluice completion bash)\nfish: sluice completion fish | source",
    .min_words = 1,
    .max_words = 1,
    .run = completion,
};
