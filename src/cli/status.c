/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/rest.h"
#include "cli/state.h"

#include "base/clock.h"
#include "base/json.h"
#include "engine/herd/publisher.h"
#include "transport/sqlite/sqlite.h"
#include "base/props.h"

#include <stdio.h>

struct reading {
    json_t *tasks;
    json_t *breakers; /* NULL: nothing was said of them */
};

static void visit(void *ctx, const char *key, struct sl_span value)
{
    struct reading *reading = ctx;
    json_t *told;

    if (sl_json_parse((const char *)value.ptr, value.len, key, &told, NULL) != SL_OK)
        return;
    if (strcmp(key, SL_STATUS_BREAKERS) == 0)
        reading->breakers = told;
    else
        (void)json_array_append_new(reading->tasks, told);
}

static const char *text(const json_t *task, const char *name)
{
    const char *found = json_string_value(json_object_get(task, name));

    return found ? found : "";
}

static void add_number(struct sl_table *table, const json_t *task, const char *name)
{
    const json_t *number = json_object_get(task, name);

    if (json_is_integer(number))
        sl_table_add_int(table, json_integer_value(number));
    else if (json_is_number(number))
        sl_table_add_int(table, (int64_t)json_number_value(number));
    else
        sl_table_add(table, "-");
}

static void add_row(struct sl_table *table, const json_t *task, bool alive)
{
    const char *trace = text(task, "trace");

    sl_table_add(table, text(task, "connector"));
    sl_table_add(table, text(task, "type"));
    add_number(table, task, "task");
    sl_table_add(table, alive || *trace ? text(task, "state") : "UNASSIGNED");
    add_number(table, task, "lag_records");
    add_number(table, task, "lag_ms");
    add_number(table, task, "records_per_second");
    sl_table_add(table, *text(task, "position") ? text(task, "position") : "-");
    sl_table_add(table, *trace ? trace : text(task, "note"));
}

/* Systems that do not answer, one a line. */
static void print_breakers(const json_t *breakers)
{
    int64_t now_ms = sl_wall_us() / 1000;

    for (size_t i = 0; i < json_array_size(breakers); i++) {
        const json_t *one = json_array_get(breakers, i);
        int64_t next_ms = json_integer_value(json_object_get(one, "next_try_ms"));

        (void)printf(
            "%s %s does not answer: circuit %s, %lld failures in a row, next try in %lld s, %lld wait: %s\n",
            text(one, "system"), text(one, "address"), text(one, "state"),
            (long long)json_integer_value(json_object_get(one, "attempts")),
            (long long)(next_ms > now_ms ? (next_ms - now_ms + 999) / 1000 : 0),
            (long long)json_integer_value(json_object_get(one, "waiting")), text(one, "error"));
    }
}

static void print_table(const json_t *tasks, bool alive, long pid)
{
    static const char *const titles[] = {"CONNECTOR", "TYPE",      "TASK",     "STATE", "LAG RECORDS",
                                         "LAG MS",    "RECORDS/S", "POSITION", "NOTE"};
    struct sl_table table = {.n_columns = sizeof(titles) / sizeof(*titles)};

    for (size_t i = 0; i < table.n_columns; i++)
        sl_table_add(&table, titles[i]);
    for (size_t i = 0; i < json_array_size(tasks); i++)
        add_row(&table, json_array_get(tasks, i), alive);
    if (!alive)
        (void)puts("sluice is not running on this state directory; this is what it said last:");
    else if (pid)
        (void)printf("sluice runs as process %ld\n", pid);
    sl_table_print(&table);
    sl_table_done(&table);
}

static void print_form(enum sl_form form, json_t *tasks, json_t *breakers, bool alive, long pid)
{
    json_t *root = json_object();

    (void)json_object_set_new(root, "running", json_boolean(alive));
    if (alive && pid)
        (void)json_object_set_new(root, "pid", json_integer(pid));
    (void)json_object_set(root, "tasks", tasks);
    if (breakers)
        (void)json_object_set(root, "breakers", breakers);
    (void)sl_form_print(form, root);
    json_decref(root);
}

struct watched {
    const struct sl_cli *cli;
    const struct sl_arguments *arguments;
    enum sl_form form;
};

static int show(void *ctx)
{
    const struct watched *watched = ctx;
    struct reading reading = {0};
    struct sl_error err = {0};
    struct sl_state state;
    enum sl_rc rc;

    if (sl_state_open(watched->cli, watched->arguments, &state, &err))
        return sl_cli_fail(NULL, &err);
    reading.tasks = json_array();
    rc = state.log->ops->list(state.log, SL_STATUS_SPACE, visit, &reading, &err);
    if (rc == SL_OK) {
        long pid = 0;
        bool alive = sl_sqlite_log_in_use(sl_props_get(state.props, "sluice.state.dir"), &pid);

        if (watched->form != SL_FORM_TABLE && watched->form != SL_FORM_WIDE) {
            print_form(watched->form, reading.tasks, reading.breakers, alive, pid);
        } else {
            print_table(reading.tasks, alive, pid);
            if (alive)
                print_breakers(reading.breakers);
        }
    }
    json_decref(reading.breakers);
    json_decref(reading.tasks);
    sl_state_close(&state);
    return rc ? sl_cli_fail(NULL, &err) : SL_EXIT_OK;
}

static int status(const struct sl_cli *cli, const struct sl_arguments *arguments)
{
    struct watched watched = {.cli = cli, .arguments = arguments};
    int status = sl_form_read(&sl_command_status, arguments, &watched.form);

    return status ? status : sl_watch(&sl_command_status, arguments, show, &watched);
}

static const struct sl_flag flags[] = {
    SL_STATE_FLAGS,
    SL_OUTPUT_FLAGS,
    SL_WATCH_FLAGS,
    {NULL, 0, NULL, NULL},
};

const struct sl_command sl_command_status = {
    .name = "status",
    .arguments = "[--state DIR] [-o table|wide|json|yaml] [--watch]",
    .summary = "show the tasks, their states and how far behind they are",
    .help = "Lag is counted in records of the log that the target has not committed. RECORDS/S is measured "
            "over the\n"
            "last second. A task that tries again after a failure is RUNNING, and its note says what it "
            "waits for.",
    .flags = flags,
    .run = status,
};
