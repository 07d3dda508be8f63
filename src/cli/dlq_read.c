/* SPDX-License-Identifier: Apache-2.0 */
/* `sluice dlq list`, `show` and `export`: dead letters as people and programs read them, beside the worker.
 */
#include "cli/dlq.h"
#include "cli/show_value.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"

#include <openssl/evp.h>
#include <stdio.h>

enum form { TABLE, JSON, EXPORT };

struct reading {
    struct sl_state state;
    struct sl_shower *shower;
    struct sl_dlq_filter filter;
    struct sl_table table;
    enum form form;
    int64_t left;
    uint64_t n;
    bool failed; /* the reader of our output is gone */
};

static void add_text(struct reading *reading, const char *text)
{
    sl_table_add(&reading->table, text);
}

static void add_row(struct reading *reading, const struct sl_log_record *record,
                    const struct sl_letter *letter)
{
    struct sl_buf text = {0};
    char at[SL_CLOCK_TEXT];
    char place[300];

    (void)snprintf(place, sizeof(place), "%d@%lld", (int)record->partition, (long long)record->offset);
    add_text(reading, place);
    sl_clock_text(letter->at_ms, at);
    add_text(reading, at);
    add_text(reading, letter->connector);
    (void)snprintf(place, sizeof(place), "%.250s-%d@%lld", letter->topic, (int)letter->partition,
                   (long long)letter->offset);
    add_text(reading, place);
    add_text(reading, letter->stage);
    sl_table_add_int(&reading->table, letter->attempt);
    sl_shower_put(reading->shower, record->topic, record->key, &text);
    (void)snprintf(place, sizeof(place), "%.60s", sl_buf_cstr(&text));
    add_text(reading, place);
    add_text(reading, letter->error);
    sl_buf_done(&text);
}

static void put_base64(struct sl_buf *out, const char *name, struct sl_span bytes)
{
    sl_buf_format(out, ",\"%s\":", name);
    if (!bytes.ptr) {
        sl_buf_text(out, "null");
        return;
    }
    sl_buf_u8(out, '"');
    (void)EVP_EncodeBlock(sl_buf_reserve(out, bytes.len / 3 * 4 + 5), bytes.ptr, (int)bytes.len);
    out->len += (bytes.len + 2) / 3 * 4;
    sl_buf_u8(out, '"');
}

static void put_object(struct reading *reading, const struct sl_log_record *record,
                       const struct sl_letter *letter, struct sl_buf *out)
{
    sl_buf_text(out, "{\"dlq_topic\":");
    sl_json_put_text(out, record->topic->name, record->topic->len);
    sl_buf_format(out, ",\"dlq_partition\":%d,\"dlq_offset\":%lld,\"timestamp\":%lld,\"letter\":",
                  (int)record->partition, (long long)record->offset, (long long)record->timestamp_ms);
    sl_letter_put(out, letter);
    sl_buf_text(out, ",\"key\":");
    sl_shower_put(reading->shower, record->topic, record->key, out);
    sl_buf_text(out, ",\"value\":");
    sl_shower_put(reading->shower, record->topic, record->value, out);
    sl_buf_text(out, ",\"headers\":");
    sl_shower_put_headers(record->headers, out);
    if (reading->form == EXPORT) {
        put_base64(out, "key_base64", record->key);
        put_base64(out, "value_base64", record->value);
        put_base64(out, "headers_base64", record->headers);
    }
    sl_buf_text(out, "}\n");
}

static bool visit(void *ctx, const struct sl_log_record *record, const struct sl_letter *letter)
{
    struct reading *reading = ctx;
    struct sl_buf line = {0};

    if (!letter || !sl_dlq_matches(&reading->filter, record, letter))
        return true;
    reading->n++;
    if (reading->form == TABLE) {
        add_row(reading, record, letter);
    } else {
        put_object(reading, record, letter, &line);
        reading->failed = fwrite(line.data, 1, line.len, stdout) != line.len;
        sl_buf_done(&line);
    }
    return --reading->left > 0 && !reading->failed;
}

static enum sl_rc read_topics(struct reading *reading, const char *wanted, struct sl_error *err)
{
    struct sl_dlq_topics topics = {0};
    enum sl_rc rc = sl_dlq_topics_find(reading->state.log, wanted, &topics, err);

    for (size_t i = 0; rc == SL_OK && i < topics.n && reading->left > 0; i++) {
        reading->filter.connector =
            topics.items[i].connector ? topics.items[i].connector : reading->filter.connector;
        rc = sl_dlq_scan(reading->state.log, topics.items[i].connector, topics.items[i].topic, visit, reading,
                         err);
        if (rc == SL_E_NOT_FOUND && !wanted) /* the connector has not started yet */
            rc = SL_OK;
    }
    sl_dlq_topics_done(&topics);
    return rc;
}

static int finish(struct reading *reading, enum sl_rc rc, const struct sl_error *err)
{
    if (rc == SL_OK && reading->form == TABLE)
        sl_table_print(&reading->table);
    sl_table_done(&reading->table);
    sl_shower_close(reading->shower);
    sl_state_close(&reading->state);
    return rc ? sl_cli_fail(NULL, err) : SL_EXIT_OK;
}

static int read_letters(const struct sl_cli *cli, const struct sl_arguments *arguments,
                        struct reading *reading)
{
    static const char *const titles[] = {"LETTER", "TIME",    "CONNECTOR", "RECORD",
                                         "STAGE",  "ATTEMPT", "KEY",       "ERROR"};
    const char *wanted = arguments->n_words ? arguments->words[0] : NULL;
    struct sl_error err = {0};
    enum sl_rc rc;

    reading->table.n_columns = sizeof(titles) / sizeof(*titles);
    for (size_t i = 0; i < reading->table.n_columns; i++)
        sl_table_add(&reading->table, titles[i]);
    rc = sl_state_open(cli, arguments, &reading->state, &err);
    if (rc) {
        sl_table_done(&reading->table);
        return sl_cli_fail(NULL, &err);
    }
    rc = sl_shower_open(cli->plugins, reading->state.props, reading->state.log, &reading->shower, &err);
    if (rc == SL_OK)
        rc = read_topics(reading, wanted, &err);
    return finish(reading, rc, &err);
}

static int list(const struct sl_cli *cli, const struct sl_arguments *arguments)
{
    const char *format = sl_arguments_flag(arguments, "output");
    struct reading reading = {.left = INT64_MAX};
    int status = sl_dlq_flags(&sl_command_dlq_list, arguments, &reading.filter);

    if (status)
        return status;
    if (format && strcmp(format, "json") != 0 && strcmp(format, "table") != 0)
        return sl_cli_misuse(&sl_command_dlq_list, "'%s' is neither table nor json", format);
    reading.form = format && strcmp(format, "json") == 0 ? JSON : TABLE;
    return read_letters(cli, arguments, &reading);
}

static int show(const struct sl_cli *cli, const struct sl_arguments *arguments)
{
    struct reading reading = {.left = 1, .form = JSON};
    int status;

    reading.filter.letters = arguments->words[1];
    if (!sl_dlq_are_letters(arguments->words[1]))
        return sl_cli_misuse(&sl_command_dlq_show, "'%s' is not PARTITION@OFFSET, as dlq list shows it",
                             arguments->words[1]);
    status = read_letters(cli, arguments, &reading);
    if (status == SL_EXIT_OK && !reading.n) {
        (void)fprintf(stderr,
                      "sluice: there is no letter %s in '%s'. HINT: sluice dlq list shows those that wait\n",
                      arguments->words[1], arguments->words[0]);
        return SL_EXIT_FAILED;
    }
    return status;
}

static int export(const struct sl_cli *cli, const struct sl_arguments *arguments)
{
    struct reading reading = {.left = INT64_MAX, .form = EXPORT};
    int status = sl_dlq_flags(&sl_command_dlq_export, arguments, &reading.filter);

    return status ? status : read_letters(cli, arguments, &reading);
}

static const struct sl_flag list_flags[] = {
    SL_STATE_FLAGS,
    SL_DLQ_FLAGS,
    {"output", 'o', "FORMAT", "table (default) or json: one object a line"},
    {NULL, 0, NULL, NULL},
};

static const struct sl_flag show_flags[] = {SL_STATE_FLAGS, {NULL, 0, NULL, NULL}};
static const struct sl_flag export_flags[] = {SL_STATE_FLAGS, SL_DLQ_FLAGS, {NULL, 0, NULL, NULL}};

const struct sl_command sl_command_dlq_list = {
    .name = "dlq list",
    .arguments = "[--state DIR] [FILTERS] [-o table|json] [CONNECTOR|TOPIC]",
    .summary = "list the dead letters that nobody has replayed or dropped",
    .help = "Of one connector, of one dead letter topic, or of all connectors. Runs beside the worker and "
            "disturbs "
            "nothing.",
    .max_words = 1,
    .flags = list_flags,
    .run = list,
};

const struct sl_command sl_command_dlq_show = {
    .name = "dlq show",
    .arguments = "[--state DIR] CONNECTOR|TOPIC PARTITION@OFFSET",
    .summary = "show one dead letter whole",
    .min_words = 2,
    .max_words = 2,
    .flags = show_flags,
    .run = show,
};

const struct sl_command sl_command_dlq_export = {
    .name = "dlq export",
    .arguments = "[--state DIR] [FILTERS] [CONNECTOR|TOPIC]",
    .summary = "write dead letters to standard output, one JSON object a line, their exact bytes in base64",
    .max_words = 1,
    .flags = export_flags,
    .run = export,
};
