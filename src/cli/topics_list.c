/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/state.h"

#include "base/buf.h"
#include "base/json.h"

#include <stdio.h>

struct listing {
    struct sl_table table;
    struct sl_buf json;
};

static void add_row(struct listing *listing, const struct sl_topic_info *info)
{
    struct sl_table *table = &listing->table;

    sl_table_add(table, info->name);
    sl_table_add_int(table, info->partition);
    sl_table_add_int(table, info->next_offset - info->first_offset);
    sl_table_add_int(table, info->first_offset);
    sl_table_add_int(table, info->next_offset);
    sl_table_add_int(table, info->bytes);
    sl_table_add(table, info->settings.compact ? "compact" : "delete");
}

static void add_json(struct listing *listing, const struct sl_topic_info *info)
{
    struct sl_buf *json = &listing->json;

    sl_buf_text(json, json->len ? "," : "");
    sl_buf_text(json, "{\"topic\":");
    sl_json_put_text(json, info->name, strlen(info->name));
    sl_buf_format(json,
                  ",\"partition\":%d,\"first_offset\":%lld,\"next_offset\":%lld,\"bytes\":%lld,\"cleanup_"
                  "policy\":\"%s\"}",
                  (int)info->partition, (long long)info->first_offset, (long long)info->next_offset,
                  (long long)info->bytes, info->settings.compact ? "compact" : "delete");
}

static void visit(void *ctx, const struct sl_topic_info *info)
{
    add_row(ctx, info);
    add_json(ctx, info);
}

static int list(const struct sl_cli *cli, const struct sl_arguments *arguments)
{
    static const char *const titles[] = {"TOPIC", "PARTITION", "RECORDS", "OLDEST",
                                         "NEXT",  "BYTES",     "CLEANUP"};
    const char *format = sl_arguments_flag(arguments, "output");
    struct listing listing = {.table = {.n_columns = sizeof(titles) / sizeof(*titles)}};
    struct sl_state state;
    struct sl_error err = {0};
    enum sl_rc rc;

    if (format && strcmp(format, "json") != 0 && strcmp(format, "table") != 0)
        return sl_cli_misuse(&sl_command_topics_list, "'%s' is neither table nor json", format);
    if (sl_state_open(cli, arguments, &state, &err))
        return sl_cli_fail(NULL, &err);
    for (size_t i = 0; i < listing.table.n_columns; i++)
        sl_table_add(&listing.table, titles[i]);
    rc = state.log->ops->topics(state.log, visit, &listing, &err);
    if (rc == SL_OK && format && strcmp(format, "json") == 0)
        (void)printf("{\"topics\":[%s]}\n", sl_buf_cstr(&listing.json));
    else if (rc == SL_OK)
        sl_table_print(&listing.table);
    sl_table_done(&listing.table);
    sl_buf_done(&listing.json);
    sl_state_close(&state);
    return rc ? sl_cli_fail(NULL, &err) : SL_EXIT_OK;
}

static const struct sl_flag flags[] = {
    SL_STATE_FLAGS,
    {"output", 'o', "FORMAT", "table (default) or json"},
    {NULL, 0, NULL, NULL},
};

const struct sl_command sl_command_topics_list = {
    .name = "topics list",
    .arguments = "[--state DIR] [-o table|json]",
    .summary = "list the topics of the embedded log with their sizes",
    .flags = flags,
    .run = list,
};
