/* SPDX-License-Identifier: Apache-2.0 */
/* `sluice get`: lists, as tables for people and documents for programs. */
#include "cli/rest.h"
#include "cli/state.h"

#include "base/alloc.h"
#include "base/nearest.h"

#include <stdio.h>

struct getting {
    const struct sl_command *command;
    struct sl_rest *rest;
    enum sl_form form;
    const char *name; /* of the one that was asked for, or NULL */
    bool all;
};

/* ---- connectors ---- */

static void count_tasks(const json_t *tasks, size_t *ret_running, const char **ret_trace)
{
    const json_t *task;
    size_t i;

    json_array_foreach(tasks, i, task)
    {
        *ret_running += strcmp(sl_json_text(task, "state", ""), "RUNNING") == 0;
        if (!*ret_trace && json_object_get(task, "trace"))
            *ret_trace = sl_json_text(task, "trace", "");
    }
}

static void add_connector(struct sl_table *table, const char *name, const json_t *both, bool wide)
{
    const json_t *status = json_object_get(both, "status");
    const json_t *connector = json_object_get(status, "connector");
    const json_t *tasks = json_object_get(status, "tasks");
    const json_t *config = json_object_get(json_object_get(both, "info"), "config");
    const char *trace = json_string_value(json_object_get(connector, "trace"));
    size_t running = 0;
    char *text;

    count_tasks(tasks, &running, &trace);
    sl_table_add(table, name);
    sl_table_add(table, sl_json_text(status, "type", "unknown"));
    sl_table_add(table, sl_json_text(connector, "state", "?"));
    text = sl_format("%zu/%zu", running, json_array_size(tasks));
    sl_table_add(table, text);
    sl_free(text);
    if (wide) {
        sl_table_add(table, sl_json_text(config, "connector.class", "?"));
        sl_table_add(table, sl_json_text(connector, "worker_id", "?"));
    }
    text = sl_first_line(trace ? trace : "", wide ? 400 : 100);
    sl_table_add(table, text);
    sl_free(text);
}

static void print_connectors(const json_t *all, bool wide)
{
    static const char *const titles[] = {"NAME", "TYPE", "STATE", "TASKS", "CLASS", "WORKER", "NOTE"};
    struct sl_table table = {.n_columns = wide ? 7 : 5};
    const char *name;
    json_t *both;

    for (size_t i = 0; i < 7; i++) {
        if (wide || (i != 4 && i != 5))
            sl_table_add(&table, titles[i]);
    }
    json_object_foreach((json_t *)(uintptr_t)all, name, both) add_connector(&table, name, both, wide);
    sl_table_print(&table);
    sl_table_done(&table);
}

/* The connector of that name alone, asked for by itself so that an unknown name is told. */
static int ask_one(struct sl_rest *rest, const char *name, json_t **ret)
{
    json_t *info = NULL;
    json_t *status = NULL;
    int exit_status = sl_rest_ask_connector(rest, "GET", name, "", NULL, &info);

    if (exit_status == SL_EXIT_OK)
        exit_status = sl_rest_ask_connector(rest, "GET", name, "/status", NULL, &status);
    if (exit_status == SL_EXIT_OK)
        *ret = json_pack("{s:{s:O, s:O}}", name, "status", status, "info", info);
    json_decref(info);
    json_decref(status);
    return exit_status;
}

static int get_connectors(struct getting *getting)
{
    json_t *all = NULL;
    int status = getting->name
                     ? ask_one(getting->rest, getting->name, &all)
                     : sl_rest_ask(getting->rest, "GET", "/connectors?expand=status&expand=info", NULL, &all);

    if (status == SL_EXIT_OK && !sl_form_print(getting->form, all))
        print_connectors(all, getting->form == SL_FORM_WIDE);
    json_decref(all);
    return status;
}

/* ---- parts of one connector ---- */

static int get_tasks(struct getting *getting)
{
    struct sl_table table = {.n_columns = 4};
    json_t *status = NULL;
    const json_t *task;
    size_t i;
    int exit_status = sl_rest_ask_connector(getting->rest, "GET", getting->name, "/status", NULL, &status);

    if (exit_status == SL_EXIT_OK && !sl_form_print(getting->form, json_object_get(status, "tasks"))) {
        sl_table_add(&table, "TASK");
        sl_table_add(&table, "STATE");
        sl_table_add(&table, "WORKER");
        sl_table_add(&table, "NOTE");
        json_array_foreach(json_object_get(status, "tasks"), i, task)
        {
            char *note =
                sl_first_line(sl_json_text(task, "trace", ""), getting->form == SL_FORM_WIDE ? 400 : 100);

            sl_table_add_int(&table, json_integer_value(json_object_get(task, "id")));
            sl_table_add(&table, sl_json_text(task, "state", "?"));
            sl_table_add(&table, sl_json_text(task, "worker_id", "?"));
            sl_table_add(&table, note);
            sl_free(note);
        }
        sl_table_print(&table);
        sl_table_done(&table);
    }
    json_decref(status);
    return exit_status;
}

static int get_config(struct getting *getting)
{
    json_t *config = NULL;
    const char *key;
    json_t *value;
    int status = sl_rest_ask_connector(getting->rest, "GET", getting->name, "/config", NULL, &config);

    if (status == SL_EXIT_OK && !sl_form_print(getting->form, config)) {
        json_object_foreach(config, key, value)(void)
            printf("%s=%s\n", key, json_is_string(value) ? json_string_value(value) : "");
    }
    json_decref(config);
    return status;
}

static int get_topics(struct getting *getting)
{
    json_t *answer = NULL;
    const json_t *topic;
    size_t i;
    int status = sl_rest_ask_connector(getting->rest, "GET", getting->name, "/topics", NULL, &answer);

    if (status == SL_EXIT_OK && !sl_form_print(getting->form, answer)) {
        json_array_foreach(json_object_get(json_object_get(answer, getting->name), "topics"), i, topic)(void)
            puts(json_string_value(topic));
    }
    json_decref(answer);
    return status;
}

static int get_offsets(struct getting *getting)
{
    return sl_offsets_show(getting->rest, getting->name, getting->form);
}

/* ---- what the worker has ---- */

static int get_plugins(struct getting *getting)
{
    return sl_plugins_show(getting->rest, getting->all, getting->form);
}

static int get_loggers(struct getting *getting)
{
    return sl_loggers_show(getting->rest, getting->form);
}

static int get_worker(struct getting *getting)
{
    json_t *root = NULL;
    const char *key;
    json_t *value;
    int status = sl_rest_ask(getting->rest, "GET", "/", NULL, &root);

    if (status == SL_EXIT_OK && !sl_form_print(getting->form, root)) {
        json_object_foreach(root, key, value)(void) printf("%-18s %s\n", key, json_string_value(value));
    }
    json_decref(root);
    return status;
}

/* ---- the command ---- */

static const struct kind {
    const char *name;
    const char *singular;
    int needs_name; /* 1: yes, 0: no, -1: may have one */
    int (*get)(struct getting *getting);
} kinds[] = {
    {"connectors", "connector", -1, get_connectors},
    {"tasks", "task", 1, get_tasks},
    {"config", "configs", 1, get_config},
    {"offsets", "offset", 1, get_offsets},
    {"topics", "topic", 1, get_topics},
    {"plugins", "plugin", 0, get_plugins},
    {"loggers", "logger", 0, get_loggers},
    {"worker", "version", 0, get_worker},
};

enum { N_KINDS = sizeof(kinds) / sizeof(*kinds) };

static int find_kind(const char *word, const struct kind **ret)
{
    struct sl_nearest nearest = {.word = word};

    for (size_t i = 0; i < N_KINDS; i++) {
        if (strcmp(kinds[i].name, word) == 0 || strcmp(kinds[i].singular, word) == 0) {
            *ret = &kinds[i];
            return SL_EXIT_OK;
        }
        sl_nearest_try(&nearest, kinds[i].name);
    }
    if (nearest.best)
        return sl_cli_misuse(&sl_command_get, "there is nothing called '%s'; did you mean '%s'?", word,
                             nearest.best);
    return sl_cli_misuse(&sl_command_get, "there is nothing called '%s'", word);
}

struct watched {
    struct getting getting;
    const struct kind *kind;
};

static int show(void *ctx)
{
    struct watched *watched = ctx;

    return watched->kind->get(&watched->getting);
}

static int get(const struct sl_cli *cli, const struct sl_arguments *arguments)
{
    struct watched watched = {.kind = &kinds[0]};
    struct getting *getting = &watched.getting;
    int status = SL_EXIT_OK;

    (void)cli;
    if (arguments->n_words)
        status = find_kind(arguments->words[0], &watched.kind);
    getting->name = arguments->n_words > 1 ? arguments->words[1] : NULL;
    getting->all = sl_arguments_flag(arguments, "all") != NULL;
    if (status == SL_EXIT_OK && watched.kind->needs_name == 1 && !getting->name)
        status = sl_cli_misuse(&sl_command_get, "'get %s' needs the name of a connector", watched.kind->name);
    if (status == SL_EXIT_OK && watched.kind->needs_name == 0 && getting->name)
        status = sl_cli_misuse(&sl_command_get, "'get %s' takes no name", watched.kind->name);
    if (status == SL_EXIT_OK)
        status = sl_form_read(&sl_command_get, arguments, &getting->form);
    if (status == SL_EXIT_OK)
        status = sl_rest_open(arguments, &getting->rest);
    if (status)
        return status;
    status = sl_watch(&sl_command_get, arguments, show, &watched);
    sl_rest_close(getting->rest);
    return status;
}

static const struct sl_flag flags[] = {
    SL_OUTPUT_FLAGS,
    SL_WATCH_FLAGS,
    {"all", 'a', NULL, "plugins: converters, transforms and predicates too"},
    SL_REST_FLAGS,
    {NULL, 0, NULL, NULL},
};

const struct sl_command sl_command_get = {
    .name = "get",
    .arguments = "[connectors|tasks|config|offsets|topics|plugins|loggers|worker] [NAME]",
    .summary = "list what a running sluice has",
    .help = "Without words: connectors. tasks, config, offsets and topics are those of the connector NAME.\n"
            "Asks the REST API of sluice or of Kafka Connect.",
    .max_words = 2,
    .flags = flags,
    .run = get,
};
