/* SPDX-License-Identifier: Apache-2.0 */
/* `sluice dlq replay` and `drop` of a worker that runs: it is asked over its REST API, until it is done. */
#include "cli/dlq.h"

#include "base/json.h"
#include "cli/rest.h"

#include <stdio.h>
#include <unistd.h>

enum { LOOK_FIRST_US = 50 * 1000, LOOK_US = 1000 * 1000 };

static json_t *filter_json(const struct sl_dlq_filter *filter)
{
    json_t *json = json_pack("{s:s*, s:s*, s:s*, s:s*}", "topic", filter->topic, "stage", filter->stage,
                             "error", filter->error, "letters", filter->letters);

    if (filter->since_ms)
        (void)json_object_set_new(json, "since_ms", json_integer(filter->since_ms));
    if (filter->until_ms)
        (void)json_object_set_new(json, "until_ms", json_integer(filter->until_ms));
    return json;
}

/* Look until it is over; *ret is what the last answer says. */
static int wait_for_end(struct sl_rest *rest, const char *connector, json_t **ret)
{
    unsigned pause_us = LOOK_FIRST_US;
    int status;

    do {
        (void)usleep(pause_us);
        pause_us = pause_us * 2 < LOOK_US ? pause_us * 2 : LOOK_US;
        json_decref(*ret);
        *ret = NULL;
        status = sl_rest_ask_connector(rest, "GET", connector, "/dead-letters", NULL, ret);
    } while (status == SL_EXIT_OK && strcmp(sl_json_text(*ret, "state", ""), "RUNNING") == 0);
    return status;
}

/* The counts as the last line, as when the log itself was opened. */
static int say_end(const char *connector, json_t *end)
{
    bool failed = strcmp(sl_json_text(end, "state", ""), "DONE") != 0;
    json_int_t again = json_integer_value(json_object_get(end, "failed_again"));
    struct sl_buf text = {0};

    if (failed)
        (void)fprintf(stderr, "sluice: %s: %s\n", connector, sl_json_text(end, "error", "no end was told"));
    (void)json_object_del(end, "state");
    (void)json_object_del(end, "verb");
    (void)json_object_del(end, "error");
    sl_json_put(&text, end);
    (void)puts(sl_buf_cstr(&text));
    sl_buf_done(&text);
    return failed || again ? SL_EXIT_FAILED : SL_EXIT_OK;
}

int sl_dlq_ask(const struct sl_arguments *arguments, const struct sl_dlq_filter *filter, bool drop)
{
    const char *connector = arguments->words[0];
    json_t *body = filter_json(filter);
    struct sl_rest *rest = NULL;
    json_t *answer = NULL;
    int status = sl_rest_open(arguments, &rest);

    if (status == SL_EXIT_OK)
        status = sl_rest_ask_connector(rest, "POST", connector,
                                       drop ? "/dead-letters/drop" : "/dead-letters/replay", body, NULL);
    if (status == SL_EXIT_OK)
        status = wait_for_end(rest, connector, &answer);
    if (status == SL_EXIT_OK)
        status = say_end(connector, answer);
    else if (status == SL_EXIT_UNREACHABLE)
        (void)fprintf(stderr, "HINT: where the worker does not run, --worker FILE says which log is meant\n");
    json_decref(answer);
    json_decref(body);
    if (rest)
        sl_rest_close(rest);
    return status;
}
