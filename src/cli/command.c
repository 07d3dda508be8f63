/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"

#include "base/alloc.h"
#include "base/nearest.h"

#include <stdarg.h>
#include <stdio.h>

const char *sl_arguments_flag(const struct sl_arguments *arguments, const char *name)
{
    for (size_t i = 0; arguments->flags && arguments->flags[i].name; i++) {
        if (strcmp(arguments->flags[i].name, name) == 0)
            return arguments->values[i];
    }
    SL_ASSERT(!"a flag that the command does not have");
    return NULL;
}

int sl_cli_fail(const char *what, const struct sl_error *err)
{
    (void)fprintf(stderr, "sluice: %s%s%s [%s%s%s]\n", what ? what : "", what ? ": " : "", err->text,
                  sl_rc_name(err->rc), err->native[0] ? " " : "", err->native);
    return SL_EXIT_FAILED;
}

int sl_cli_misuse(const struct sl_command *command, const char *format, ...)
{
    va_list args;

    (void)fputs("sluice: ", stderr);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    if (command)
        (void)fprintf(stderr, "\nusage: sluice %s %s\nTry 'sluice help %s'.\n", command->name,
                      command->arguments, command->name);
    else
        (void)fputs("\nTry 'sluice help'.\n", stderr);
    return SL_EXIT_USAGE;
}

/* "--name", "--name=value", "-n": which flag, and the value that is written together with it. */
static int find_flag(const struct sl_flag *flags, const char *word, const char **ret_value)
{
    const char *equals = strchr(word, '=');
    size_t len = equals ? (size_t)(equals - word) : strlen(word);

    *ret_value = NULL;
    for (int i = 0; flags && flags[i].name; i++) {
        if (word[1] == '-' && strlen(flags[i].name) == len - 2 &&
            strncmp(flags[i].name, word + 2, len - 2) == 0) {
            *ret_value = equals ? equals + 1 : NULL;
            return i;
        }
        if (word[1] != '-' && flags[i].letter && word[1] == flags[i].letter) {
            *ret_value = word[2] ? word + 2 : NULL;
            return i;
        }
    }
    return -1;
}

static int unknown_flag(const struct sl_command *command, const char *word)
{
    struct sl_nearest nearest = {.word = word + strspn(word, "-")};

    for (const struct sl_flag *flag = command->flags; flag && flag->name; flag++)
        sl_nearest_try(&nearest, flag->name);
    if (nearest.best)
        return sl_cli_misuse(command, "there is no option '%s'; did you mean --%s?", word, nearest.best);
    return sl_cli_misuse(command, "there is no option '%s'", word);
}

static int parse(const struct sl_command *command, int argc, char **argv, struct sl_arguments *arguments)
{
    bool only_words = false;

    for (int i = 0; i < argc; i++) {
        const char *value;
        int flag;

        if (only_words || argv[i][0] != '-' || !argv[i][1]) {
            arguments->words[arguments->n_words++] = argv[i];
            continue;
        }
        if (strcmp(argv[i], "--") == 0) {
            only_words = true;
            continue;
        }
        flag = find_flag(command->flags, argv[i], &value);
        if (flag < 0)
            return unknown_flag(command, argv[i]);
        if (!command->flags[flag].argument && value)
            return sl_cli_misuse(command, "option '--%s' takes no value", command->flags[flag].name);
        if (command->flags[flag].argument && !value && ++i == argc)
            return sl_cli_misuse(command, "option '--%s' needs its %s", command->flags[flag].name,
                                 command->flags[flag].argument);
        if (command->flags[flag].argument && !value)
            value = argv[i];
        arguments->values[flag] = value ? value : "";
    }
    if (arguments->n_words < command->min_words)
        return sl_cli_misuse(command, "too few arguments");
    if (arguments->n_words > command->max_words)
        return sl_cli_misuse(command, "'%s' is too much", arguments->words[command->max_words]);
    return SL_EXIT_OK;
}

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    }
    return false;
}

static int run_command(const struct sl_cli *cli, const struct sl_command *command, int argc, char **argv)
{
    struct sl_arguments arguments = {.flags = command->flags};
    int status;

    if (asks_for_help(argc, argv)) {
        sl_help_print(cli, command);
        return SL_EXIT_OK;
    }
    arguments.words = sl_zalloc((size_t)argc + 1, sizeof(*arguments.words));
    status = parse(command, argc, argv, &arguments);
    if (status == SL_EXIT_OK)
        status = command->run(cli, &arguments);
    sl_free(arguments.words);
    return status;
}

/* How many words of argv are the command's name; 0: not this one. */
static int name_matches(const struct sl_command *command, int argc, char **argv)
{
    const char *space = strchr(command->name, ' ');

    if (!space)
        return strcmp(command->name, argv[1]) == 0 ? 1 : 0;
    if (argc < 3 || strlen(argv[1]) != (size_t)(space - command->name))
        return 0;
    return strncmp(command->name, argv[1], (size_t)(space - command->name)) == 0 &&
                   strcmp(space + 1, argv[2]) == 0
               ? 2
               : 0;
}

/* "sluice topics" alone: say what can follow. */
static int unknown_command(const struct sl_cli *cli, int argc, char **argv)
{
    char *wanted = argc > 2 && argv[2][0] != '-' ? sl_format("%s %s", argv[1], argv[2]) : sl_strdup(argv[1]);
    struct sl_nearest nearest = {.word = wanted};
    struct sl_nearest first = {.word = argv[1]};
    const char *begins_so = NULL;
    size_t len = strlen(argv[1]);

    for (const struct sl_command *const *command = cli->commands; *command; command++) {
        if (strncmp((*command)->name, argv[1], len) == 0 && (*command)->name[len] == ' ')
            begins_so = begins_so ? begins_so : (*command)->name;
        sl_nearest_try(&nearest, (*command)->name);
        sl_nearest_try(&first, (*command)->name);
    }
    if (!nearest.best)
        nearest.best = begins_so ? begins_so : first.best;
    if (nearest.best)
        (void)sl_cli_misuse(NULL, "there is no command '%s'; did you mean 'sluice %s'?", wanted,
                            nearest.best);
    else
        (void)sl_cli_misuse(NULL, "there is no command '%s'", wanted);
    sl_free(wanted);
    return SL_EXIT_USAGE;
}

int sl_cli_main(const struct sl_cli *cli, int argc, char **argv)
{
    if (argc < 2) {
        sl_help_print(cli, NULL);
        return SL_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        sl_help_print(cli, NULL);
        return SL_EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0)
        return run_command(cli, &sl_command_version, 0, NULL);
    for (const struct sl_command *const *command = cli->commands; *command; command++) {
        int words = name_matches(*command, argc, argv);

        if (words)
            return run_command(cli, *command, argc - 1 - words, argv + 1 + words);
    }
    return unknown_command(cli, argc, argv);
}
