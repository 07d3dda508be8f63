/* SPDX-License-Identifier: Apache-2.0 */
/* `sluice users hash NAME`: a line for sluice.rest.users.file, from a password on standard input. */
#include "cli/command.h"

#include "api/users.h"
#include "base/alloc.h"

#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* One line, without echo where a person types it. */
static bool read_password(char *line, size_t size)
{
    bool terminal = isatty(STDIN_FILENO);
    struct termios before = {0};
    struct termios silent;
    bool read;

    if (terminal && tcgetattr(STDIN_FILENO, &before) == 0) {
        (void)fputs("Password: ", stderr);
        silent = before;
        silent.c_lflag &= ~(tcflag_t)ECHO;
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    }
    read = fgets(line, (int)size, stdin) != NULL;
    if (terminal) {
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        (void)fputs("\n", stderr);
    }
    line[read ? strcspn(line, "\r\n") : 0] = 0;
    return read && *line;
}

static int users_hash(const struct sl_cli *cli, const struct sl_arguments *arguments)
{
    char line[1024];
    char *hash;

    (void)cli;
    if (!read_password(line, sizeof(line)))
        return sl_cli_misuse(&sl_command_users_hash, "no password came on standard input");
    hash = sl_users_hash(line);
    explicit_bzero(line, sizeof(line));
    for (const char *at = arguments->words[0]; *at; at++)
        (void)printf("%s%c", strchr("=: #!\\\t", *at) ? "\\" : "", *at); /* Java properties */
    (void)printf("=%s\n", hash);
    sl_free(hash);
    return SL_EXIT_OK;
}

const struct sl_command sl_command_users_hash = {
    .name = "users hash",
    .arguments = "NAME",
    .summary = "make a line for sluice.rest.users.file from a password on standard input",
    .min_words = 1,
    .max_words = 1,
    .run = users_hash,
};
