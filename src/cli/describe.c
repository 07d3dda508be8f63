/* SPDX-License-Identifier: Apache-2.0 */
/* `sluice describe`: everything about one connector or plugin on one page. */
#include "cli/rest.h"
#include "cli/state.h"

#include "base/alloc.h"
#include "net/http/client.h"

#include <stdio.h>
#include <stdlib.h>

struct describing {
    struct sl_rest *rest;
    const char *name;
    enum sl_form form;
};

static void print_trace(const char *trace, const char *indent)
{
    while (trace && *trace) {
        size_t len = strcspn(trace, "\r\n");

        (void)printf("%s%.*s\n", indent, (int)len, trace);
        trace += len;
        trace += strspn(trace, "\r\n");
    }
}

static void print_part(const json_t *part, const char *title)
{
    (void)printf("%s%s on %s\n", title, sl_json_text(part, "state", "?"),
                 sl_json_text(part, "worker_id", "?"));
    print_trace(json_string_value(json_object_get(part, "trace")), "      ");
}

static void print_list(const json_t *items, const char *title)
{
    const json_t *item;
    size_t i;

    if (!json_array_size(items))
        return;
    (void)printf("%s\n", title);
    json_array_foreach(items, i, item)
    {
        char *text = json_dumps(item, JSON_ENCODE_ANY | JSON_COMPACT);

        (void)printf("  %s\n", json_is_string(item) ? json_string_value(item) : text);
        free(text);
    }
}

static void print_connector(const json_t *all, const char *name)
{
    const json_t *status = json_object_get(all, "status");
    const json_t *task;
    const char *key;
    json_t *value;
    size_t i;

    (void)printf("Name:   %s\nType:   %s\n", name, sl_json_text(status, "type", "unknown"));
    print_part(json_object_get(status, "connector"), "State:  ");
    (void)puts("Tasks:");
    json_array_foreach(json_object_get(status, "tasks"), i, task)
    {
        (void)printf("  %-4lld  ", (long long)json_integer_value(json_object_get(task, "id")));
        print_part(task, "");
    }
    (void)puts("Config:");
    json_object_foreach(json_object_get(all, "config"), key, value)(void)
        printf("  %-44s %s\n", key, json_is_string(value) ? json_string_value(value) : "");
    print_list(json_object_get(all, "topics"), "Topics:");
    print_list(json_object_get(all, "offsets"), "Offsets:");
}

/* What is asked besides the status; an answer that is missing (switched off, an older worker) is left out. */
static void add_more(struct sl_rest *rest, const char *name, json_t *all)
{
    json_t *topics = NULL;
    json_t *offsets = NULL;

    if (sl_rest_ask_connector(rest, "GET", name, "/topics", NULL, &topics) == SL_EXIT_OK)
        (void)json_object_set(all, "topics", json_object_get(json_object_get(topics, name), "topics"));
    if (sl_rest_ask_connector(rest, "GET", name, "/offsets", NULL, &offsets) == SL_EXIT_OK)
        (void)json_object_set(all, "offsets", json_object_get(offsets, "offsets"));
    json_decref(topics);
    json_decref(offsets);
}

static int describe_connector(void *ctx)
{
    struct describing *describing = ctx;
    json_t *config = NULL;
    json_t *state = NULL;
    json_t *all;
    int status = sl_rest_ask_connector(describing->rest, "GET", describing->name, "/config", NULL, &config);

    if (status == SL_EXIT_OK)
        status = sl_rest_ask_connector(describing->rest, "GET", describing->name, "/status", NULL, &state);
    if (status) {
        json_decref(config);
        return status;
    }
    all = json_pack("{s:s, s:o, s:o}", "name", describing->name, "status", state, "config", config);
    add_more(describing->rest, describing->name, all);
    if (!sl_form_print(describing->form, all))
        print_connector(all, describing->name);
    json_decref(all);
    return SL_EXIT_OK;
}

static int describe_plugin(void *ctx)
{
    struct describing *describing = ctx;
    struct sl_table table = {.n_columns = describing->form == SL_FORM_WIDE ? 6 : 5};
    struct sl_buf path = {0};
    json_t *options = NULL;
    const json_t *option;
    size_t i;
    int status;

    sl_buf_text(&path, "/connector-plugins/");
    sl_http_put_escaped(&path, describing->name, strlen(describing->name));
    sl_buf_text(&path, "/config");
    status = sl_rest_ask(describing->rest, "GET", sl_buf_cstr(&path), NULL, &options);
    sl_buf_done(&path);
    if (status == SL_EXIT_OK && !sl_form_print(describing->form, options)) {
        static const char *const titles[] = {"OPTION",  "TYPE",       "REQUIRED",
                                             "DEFAULT", "IMPORTANCE", "MEANING"};

        for (size_t k = 0; k < table.n_columns; k++)
            sl_table_add(&table, titles[k]);
        json_array_foreach(options, i, option)
        {
            sl_table_add(&table, sl_json_text(option, "name", "?"));
            sl_table_add(&table, sl_json_text(option, "type", "?"));
            sl_table_add(&table, json_is_true(json_object_get(option, "required")) ? "yes" : "no");
            sl_table_add(&table, sl_json_text(option, "default_value", "-"));
            sl_table_add(&table, sl_json_text(option, "importance", "?"));
            if (describing->form == SL_FORM_WIDE)
                sl_table_add(&table, sl_json_text(option, "documentation", ""));
        }
        sl_table_print(&table);
        sl_table_done(&table);
    }
    json_decref(options);
    return status;
}

static int describe(const struct sl_cli *cli, const struct sl_arguments *arguments)
{
    struct describing describing = {.name = arguments->words[arguments->n_words - 1]};
    const char *kind = arguments->n_words > 1 ? arguments->words[0] : "connector";
    int status = sl_form_read(&sl_command_describe, arguments, &describing.form);

    (void)cli;
    if (status)
        return status;
    if (strcmp(kind, "connector") != 0 && strcmp(kind, "plugin") != 0)
        return sl_cli_misuse(&sl_command_describe, "'%s' cannot be described: connector or plugin", kind);
    status = sl_rest_open(arguments, &describing.rest);
    if (status)
        return status;
    status = sl_watch(&sl_command_describe, arguments,
                      strcmp(kind, "plugin") == 0 ? describe_plugin : describe_connector, &describing);
    sl_rest_close(describing.rest);
    return status;
}

static const struct sl_flag flags[] = {SL_OUTPUT_FLAGS, SL_WATCH_FLAGS, SL_REST_FLAGS, {NULL, 0, NULL, NULL}};

const struct sl_command sl_command_describe = {
    .name = "describe",
    .arguments = "[connector|plugin] NAME",
    .summary = "tell everything about a connector, or the options of a plugin",
    .min_words = 1,
    .max_words = 2,
    .flags = flags,
    .run = describe,
};
