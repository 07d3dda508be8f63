/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/rest.h"

#include "base/alloc.h"
#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int sl_form_read(const struct sl_command *command, const struct sl_arguments *arguments, enum sl_form *ret)
{
    static const char *const names[] = {"table", "wide", "json", "yaml"};
    const char *asked = sl_arguments_flag(arguments, "output");

    *ret = SL_FORM_TABLE;
    if (!asked)
        return SL_EXIT_OK;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (strcmp(names[i], asked) == 0) {
            *ret = (enum sl_form)i;
            return SL_EXIT_OK;
        }
    }
    return sl_cli_misuse(command, "there is no form '%s'; -o takes table, wide, json or yaml", asked);
}

bool sl_form_print(enum sl_form form, const json_t *document)
{
    struct sl_buf out = {0};
    char *text;

    switch (form) {
    case SL_FORM_TABLE:
    case SL_FORM_WIDE: return false;
    case SL_FORM_JSON:
        text = json_dumps(document, JSON_INDENT(2) | JSON_ENCODE_ANY);
        (void)puts(text ? text : "null");
        free(text); /* jansson's own memory */
        break;
    case SL_FORM_YAML:
        sl_yaml_put(&out, document);
        (void)fputs(sl_buf_cstr(&out), stdout);
        sl_buf_done(&out);
        break;
    }
    return true;
}

int sl_watch(const struct sl_command *command, const struct sl_arguments *arguments, int (*show)(void *ctx),
             void *ctx)
{
    const char *every = sl_arguments_flag(arguments, "every");
    double seconds = every ? strtod(every, NULL) : 2;
    bool screen = isatty(STDOUT_FILENO);
    int status;

    if (!sl_arguments_flag(arguments, "watch"))
        return show(ctx);
    if (seconds < 0.1 || seconds > 86400)
        return sl_cli_misuse(command, "--every takes seconds, 0.1 to 86400");
    for (;;) {
        if (screen)
            (void)fputs("\033[H\033[2J", stdout);
        status = show(ctx);
        if (!screen && status == SL_EXIT_OK)
            (void)puts("");
        (void)fflush(stdout);
        if (status && status != SL_EXIT_UNREACHABLE && status != SL_EXIT_CONFLICT)
            return status;
        (void)usleep((useconds_t)(seconds * 1e6));
    }
}

const char *sl_json_text(const json_t *object, const char *key, const char *fallback)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : fallback;
}

char *sl_first_line(const char *text, size_t max)
{
    size_t len = strcspn(text, "\r\n");

    if (len <= max)
        return sl_strndup(text, len);
    while (max && ((unsigned char)text[max] & 0xC0) == 0x80) /* never in the middle of a character */
        max--;
    return sl_format("%.*s...", (int)max, text);
}
