/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands: what main.c lists, how their arguments are read, and what they share. Exit statuses: 0 done,
 * 1 failed (one line on standard error says why), 2 used wrongly; of those that ask a running sluice besides:
 * 3 it does not answer, 4 there is no such thing, 5 not now (a rebalance, or the name is taken).
 */
#ifndef SLUICE_CLI_COMMAND_H
#define SLUICE_CLI_COMMAND_H

#include "engine/config/plugins.h"

enum {
    SL_EXIT_OK = 0,
    SL_EXIT_FAILED = 1,
    SL_EXIT_USAGE = 2,
    SL_EXIT_UNREACHABLE = 3,
    SL_EXIT_NOT_FOUND = 4,
    SL_EXIT_CONFLICT = 5,
};

struct sl_flag {
    const char *name;     /* "state": written --state DIR or --state=DIR */
    char letter;          /* 'n' for -n, or 0 */
    const char *argument; /* "DIR", or NULL when it takes none */
    const char *doc;
};

enum { SL_FLAGS_MAX = 16 };

/* What was written behind the command's name. Texts are argv's. */
struct sl_arguments {
    const struct sl_flag *flags;
    const char *values[SL_FLAGS_MAX]; /* in the order of flags: the argument, "" for a flag without; NULL: not
                                         given */
    const char **words;               /* everything else */
    size_t n_words;
};

struct sl_cli {
    const struct sl_plugins *plugins;
    const struct sl_command *const *commands; /* NULL-ended */
};

struct sl_command {
    const char *name;      /* "run", "topics list" */
    const char *arguments; /* "WORKER.properties CONNECTOR.json..." */
    const char *summary;   /* one line */
    const char *help;      /* more, or NULL */
    size_t min_words;
    size_t max_words;
    const struct sl_flag *flags; /* ended by a NULL name, or NULL */
    int (*run)(const struct sl_cli *cli, const struct sl_arguments *arguments);
};

extern const struct sl_command sl_command_run;
extern const struct sl_command sl_command_migrate;
extern const struct sl_command sl_command_offsets_adopt;
extern const struct sl_command sl_command_status;
extern const struct sl_command sl_command_topics_list;
extern const struct sl_command sl_command_topics_tail;
extern const struct sl_command sl_command_get;
extern const struct sl_command sl_command_describe;
extern const struct sl_command sl_command_apply;
extern const struct sl_command sl_command_patch;
extern const struct sl_command sl_command_pause;
extern const struct sl_command sl_command_resume;
extern const struct sl_command sl_command_stop;
extern const struct sl_command sl_command_restart;
extern const struct sl_command sl_command_delete;
extern const struct sl_command sl_command_offsets_get;
extern const struct sl_command sl_command_offsets_set;
extern const struct sl_command sl_command_offsets_reset;
extern const struct sl_command sl_command_plugins;
extern const struct sl_command sl_command_loggers;
extern const struct sl_command sl_command_users_hash;
extern const struct sl_command sl_command_completion;
extern const struct sl_command sl_command_man;
extern const struct sl_command sl_command_version;
extern const struct sl_command sl_command_help;

/* Find the command in argv, read its arguments and run it; the process's exit status. */
int sl_cli_main(const struct sl_cli *cli, int argc, char **argv);

/* The value of a flag, or NULL. */
const char *sl_arguments_flag(const struct sl_arguments *arguments, const char *name);

/* All commands, or one. */
void sl_help_print(const struct sl_cli *cli, const struct sl_command *command);

/* "sluice: " and the error, with its code and the peer's; returns SL_EXIT_FAILED. */
int sl_cli_fail(const char *what, const struct sl_error *err);

/* A message about how the command was used; returns SL_EXIT_USAGE. */
int sl_cli_misuse(const struct sl_command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
