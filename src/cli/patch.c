/* SPDX-License-Identifier: Apache-2.0 */
/* `sluice patch NAME key=value key-`: change some keys of a connector. */
#include "cli/rest.h"

#include "base/alloc.h"

#include <stdio.h>

/* "key=value" sets, "key-" removes. */
static int add_change(json_t *changes, const char *word)
{
    const char *equals = strchr(word, '=');
    size_t len = strlen(word);
    char *key;

    if (!equals && (len < 2 || word[len - 1] != '-'))
        return sl_cli_misuse(&sl_command_patch, "'%s' is neither key=value nor key-", word);
    key = sl_strndup(word, equals ? (size_t)(equals - word) : len - 1);
    (void)json_object_set_new(changes, key, equals ? json_string(equals + 1) : json_null());
    sl_free(key);
    return SL_EXIT_OK;
}

static int patch(const struct sl_cli *cli, const struct sl_arguments *arguments)
{
    const char *name = arguments->words[0];
    json_t *changes = json_object();
    struct sl_rest *rest = NULL;
    int status = SL_EXIT_OK;

    (void)cli;
    for (size_t i = 1; status == SL_EXIT_OK && i < arguments->n_words; i++)
        status = add_change(changes, arguments->words[i]);
    if (status == SL_EXIT_OK)
        status = sl_rest_open(arguments, &rest);
    if (status == SL_EXIT_OK) {
        status = sl_rest_ask_connector(rest, "PATCH", name, "/config", changes, NULL);
        sl_rest_close(rest);
    }
    if (status == SL_EXIT_OK)
        (void)printf("changed connector '%s'\n", name);
    json_decref(changes);
    return status;
}

static const struct sl_flag flags[] = {SL_REST_FLAGS, {NULL, 0, NULL, NULL}};

const struct sl_command sl_command_patch = {
    .name = "patch",
    .arguments = "NAME KEY=VALUE... KEY-...",
    .summary = "change or remove some keys of a connector",
    .min_words = 2,
    .max_words = 1000,
    .flags = flags,
    .run = patch,
};
