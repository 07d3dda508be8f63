/* SPDX-License-Identifier: Apache-2.0 */
/* `sluice offsets get|set|reset`: where a connector stands. It has to be stopped to be moved. */
#include "cli/rest.h"
#include "cli/state.h"

#include "base/alloc.h"
#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>

static void add_json(struct sl_table *table, const json_t *json)
{
    char *text = json ? json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;

    sl_table_add(table, text ? text : "-");
    free(text); /* jansson's own memory */
}

int sl_offsets_show(struct sl_rest *rest, const char *connector, enum sl_form form)
{
    struct sl_table table = {.n_columns = 2};
    json_t *offsets = NULL;
    const json_t *one;
    size_t i;
    int status = sl_rest_ask_connector(rest, "GET", connector, "/offsets", NULL, &offsets);

    if (status == SL_EXIT_OK && !sl_form_print(form, offsets)) {
        sl_table_add(&table, "PARTITION");
        sl_table_add(&table, "OFFSET");
        json_array_foreach(json_object_get(offsets, "offsets"), i, one)
        {
            add_json(&table, json_object_get(one, "partition"));
            add_json(&table, json_object_get(one, "offset"));
        }
        sl_table_print(&table);
        sl_table_done(&table);
    }
    json_decref(offsets);
    return status;
}

struct shown {
    struct sl_rest *rest;
    const char *name;
    enum sl_form form;
};

static int show(void *ctx)
{
    const struct shown *shown = ctx;

    return sl_offsets_show(shown->rest, shown->name, shown->form);
}

static int get(const struct sl_cli *cli, const struct sl_arguments *arguments)
{
    struct shown shown = {.name = arguments->words[0]};
    int status = sl_form_read(&sl_command_offsets_get, arguments, &shown.form);

    (void)cli;
    if (status == SL_EXIT_OK)
        status = sl_rest_open(arguments, &shown.rest);
    if (status)
        return status;
    status = sl_watch(&sl_command_offsets_get, arguments, show, &shown);
    sl_rest_close(shown.rest);
    return status;
}

static int print_message(int status, json_t *answer)
{
    if (status == SL_EXIT_OK)
        (void)puts(sl_json_text(answer, "message", "done"));
    json_decref(answer);
    return status;
}

/* A file as `offsets get -o json` prints it, changed. */
static int set(const struct sl_cli *cli, const struct sl_arguments *arguments)
{
    struct sl_error err = {0};
    struct sl_rest *rest = NULL;
    json_t *answer = NULL;
    json_t *body = NULL;
    int status;

    (void)cli;
    if (sl_json_parse_file(arguments->words[1], &body, &err))
        return sl_cli_fail(NULL, &err);
    if (json_is_array(body))
        body = json_pack("{s:o}", "offsets", body);
    status = sl_rest_open(arguments, &rest);
    if (status == SL_EXIT_OK) {
        status = sl_rest_ask_connector(rest, "PATCH", arguments->words[0], "/offsets", body, &answer);
        sl_rest_close(rest);
    }
    json_decref(body);
    return print_message(status, answer);
}

static int reset(const struct sl_cli *cli, const struct sl_arguments *arguments)
{
    struct sl_rest *rest = NULL;
    json_t *answer = NULL;
    int status = sl_rest_open(arguments, &rest);

    (void)cli;
    if (status == SL_EXIT_OK) {
        status = sl_rest_ask_connector(rest, "DELETE", arguments->words[0], "/offsets", NULL, &answer);
        sl_rest_close(rest);
    }
    return print_message(status, answer);
}

static const struct sl_flag get_flags[] = {
    SL_OUTPUT_FLAGS, SL_WATCH_FLAGS, SL_REST_FLAGS, {NULL, 0, NULL, NULL}};
static const struct sl_flag flags[] = {SL_REST_FLAGS, {NULL, 0, NULL, NULL}};

const struct sl_command sl_command_offsets_get = {
    .name = "offsets get",
    .arguments = "NAME",
    .summary = "tell where a connector stands",
    .min_words = 1,
    .max_words = 1,
    .flags = get_flags,
    .run = get,
};

const struct sl_command sl_command_offsets_set = {
    .name = "offsets set",
    .arguments = "NAME FILE.json",
    .summary = "move a stopped connector",
    .help = "The file holds what 'offsets get -o json' prints; an offset of null removes a partition's.",
    .min_words = 2,
    .max_words = 2,
    .flags = flags,
    .run = set,
};

const struct sl_command sl_command_offsets_reset = {
    .name = "offsets reset",
    .arguments = "NAME",
    .summary = "forget where a stopped connector stands",
    .min_words = 1,
    .max_words = 1,
    .flags = flags,
    .run = reset,
};
