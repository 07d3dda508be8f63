/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WORDS 4

struct words {
    char text[1024];
    const char *at[MAX_WORDS];
    size_t n;
};

static void split(const char *line, struct words *words)
{
    snprintf(words->text, sizeof(words->text), "%s", line);
    words->n = 0;
    char *at = words->text;
    while (words->n < MAX_WORDS) {
        at += strspn(at, " \t\r");
        if (*at == '\0')
            return;
        words->at[words->n++] = at;
        at += strcspn(at, " \t\r");
        if (*at != '\0')
            *at++ = '\0';
    }
}

static bool is(const struct words *words, size_t i, const char *word)
{
    return i < words->n && strcmp(words->at[i], word) == 0;
}

static bool number(const struct words *words, size_t i, uint64_t *ret_number)
{
    if (i + 1 != words->n || words->at[i][0] < '0' || words->at[i][0] > '9')
        return false;
    char *end;
    errno = 0;
    unsigned long long parsed = strtoull(words->at[i], &end, 10);
    if (errno != 0 || *end != '\0' || parsed > INT64_MAX)
        return false;
    *ret_number = parsed;
    return true;
}

static bool parse_cut(const struct words *words, struct ms_control_command *command)
{
    if (is(words, 1, "off") && words->n == 2) {
        command->word = MS_WORD_CUT_OFF;
        return true;
    }
    bool each = is(words, 1, "each");
    command->word = each ? MS_WORD_CUT_EACH : MS_WORD_CUT_ONCE;
    return is(words, each ? 2 : 1, "after") && number(words, each ? 3 : 2, &command->number);
}

/* The rest of the line behind its first n words. */
static const char *rest(const char *line, int n)
{
    for (int i = 0; i < n; i++) {
        line += strspn(line, " \t");
        line += strcspn(line, " \t");
    }
    return line + strspn(line, " \t");
}

static bool parse_replay(const struct words *words, struct ms_control_command *command)
{
    if (is(words, 1, "off") && words->n == 2) {
        command->word = MS_WORD_REPLAY_OFF;
        return true;
    }
    command->word = MS_WORD_REPLAY;
    if (words->n != 3 || strlen(words->at[1]) >= sizeof(command->path))
        return false;
    snprintf(command->path, sizeof(command->path), "%s", words->at[1]);
    return number(words, 2, &command->number);
}

static bool parse_record(const char *line, const struct words *words, struct ms_control_command *command)
{
    command->word = MS_WORD_RECORD;
    if (words->n < 3 || strlen(words->at[1]) >= sizeof(command->path))
        return false;
    snprintf(command->path, sizeof(command->path), "%s", words->at[1]);
    command->text = rest(line, 2);
    return true;
}

static bool parse_known(const char *line, const struct words *words, struct ms_control_command *command)
{
    if (is(words, 0, "cut"))
        return parse_cut(words, command);
    if (is(words, 0, "delay")) {
        command->word = MS_WORD_DELAY;
        return number(words, 1, &command->number) && command->number <= 3600000;
    }
    if (is(words, 0, "refuse")) {
        command->word = MS_WORD_REFUSE;
        command->number = is(words, 1, "on");
        return words->n == 2 && (is(words, 1, "on") || is(words, 1, "off"));
    }
    if (is(words, 0, "kill")) {
        command->word = MS_WORD_KILL;
        if (words->n == 2 && is(words, 1, "all"))
            return true;
        return number(words, 1, &command->number) && command->number >= 1 && command->number <= UINT16_MAX;
    }
    if (is(words, 0, "replay"))
        return parse_replay(words, command);
    if (is(words, 0, "record"))
        return parse_record(line, words, command);
    command->word = is(words, 0, "restart") ? MS_WORD_RESTART : MS_WORD_SERVER;
    return command->word == MS_WORD_SERVER || words->n == 1;
}

bool ms_command_parse(const char *line, struct ms_control_command *ret_command, char *ret_text, size_t size)
{
    struct words words;
    struct ms_control_command command = {0};
    split(line, &words);
    if (!parse_known(line, &words, &command)) {
        snprintf(ret_text, size,
                 "cannot understand '%.80s'. HINT: cut after N | cut each after N | cut off | delay MS | "
                 "refuse on|off | restart | kill SPID|all | record PATH TEXT | replay PATH N | replay off | "
                 "capture stop|start|once|interval MS",
                 line);
        return false;
    }
    *ret_command = command;
    return true;
}
