/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/rest.h"
#include "cli/state.h"

#include <stdio.h>

struct listing {
    struct sl_table table;
    json_t *json; /* an array */
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
    (void)json_array_append_new(listing->json,
                                json_pack("{s:s, s:i, s:I, s:I, s:I, s:s}", "topic", info->name, "partition",
                                          (int)info->partition, "first_offset",
                                          (json_int_t)info->first_offset, "next_offset",
                                          (json_int_t)info->next_offset, "bytes", (json_int_t)info->bytes,
                                          "cleanup_policy", info->settings.compact ? "compact" : "delete"));
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
    enum sl_form form = SL_FORM_TABLE;
    int status = sl_form_read(&sl_command_topics_list, arguments, &form);
    struct listing listing = {.table = {.n_columns = sizeof(titles) / sizeof(*titles)}};
    struct sl_state state;
    struct sl_error err = {0};
    enum sl_rc rc;

    if (status)
        return status;
    if (sl_state_open(cli, arguments, &state, &err))
        return sl_cli_fail(NULL, &err);
    for (size_t i = 0; i < listing.table.n_columns; i++)
        sl_table_add(&listing.table, titles[i]);
    listing.json = json_array();
    rc = state.log->ops->topics(state.log, visit, &listing, &err);
    if (rc == SL_OK) {
        json_t *document = json_pack("{s:O}", "topics", listing.json);

        if (!sl_form_print(form, document))
            sl_table_print(&listing.table);
        json_decref(document);
    }
    sl_table_done(&listing.table);
    json_decref(listing.json);
    sl_state_close(&state);
    return rc ? sl_cli_fail(NULL, &err) : SL_EXIT_OK;
}

static const struct sl_flag flags[] = {
    SL_STATE_FLAGS,
    SL_OUTPUT_FLAGS,
    {NULL, 0, NULL, NULL},
};

const struct sl_command sl_command_topics_list = {
    .name = "topics list",
    .arguments = "[--state DIR] [-o table|wide|json|yaml]",
    .summary = "list the topics of the embedded log with their sizes",
    .flags = flags,
    .run = list,
};
