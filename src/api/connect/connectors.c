/* SPDX-License-Identifier: Apache-2.0 */
/* /connectors and everything below it but offsets. Connect's shapes and texts: kafka-connect.md §1.3. */
#include "api/connect/inside.h"

#include "base/log.h"

#include <stdlib.h>
#include <strings.h>

#define BEGIN                               \
    struct sl_connect_api *api = ctx;       \
    struct sl_herder *herder = api->herder; \
    struct sl_answer said = {0}

#define NAME sl_http_path(request, "connector")

/* ---- the list ---- */

static bool expands(const struct sl_http_request *request, const char *what, bool *ret_any)
{
    const char *name;
    const char *value;
    bool found = false;

    for (size_t i = 0; sl_http_query_at(request, i, &name, &value); i++) {
        if (strcmp(name, "expand") != 0)
            continue;
        *ret_any = true;
        found |= strcmp(value, what) == 0;
    }
    return found;
}

typedef void reader(struct sl_herder *herder, const char *name, struct sl_answer *ret);

/* False: the connector vanished meanwhile. */
static bool add_part(struct sl_herder *herder, reader *read, const char *name, const char *key, json_t *into)
{
    struct sl_answer said = {0};
    bool there;

    read(herder, name, &said);
    there = said.status == SL_ANSWER_OK;
    if (there)
        (void)json_object_set(into, key, said.body);
    sl_answer_done(&said);
    return there;
}

static json_t *expanded(struct sl_herder *herder, const json_t *names, bool status, bool info)
{
    json_t *all = json_object();
    const json_t *name;
    size_t i;

    json_array_foreach(names, i, name)
    {
        json_t *one = json_object();
        const char *text = json_string_value(name);

        if ((!status || add_part(herder, sl_herder_status, text, "status", one)) &&
            (!info || add_part(herder, sl_herder_info, text, "info", one)))
            (void)json_object_set(all, text, one);
        json_decref(one);
    }
    return all;
}

SL_CONNECT_HANDLER(sl_connect_list)
{
    BEGIN;
    bool any = false;
    bool status = expands(request, "status", &any);
    bool info = expands(request, "info", &any);

    sl_herder_names(herder, &said);
    if (said.status == SL_ANSWER_OK && any) {
        sl_http_json(answer, 200, expanded(herder, said.body, status, info));
        sl_answer_done(&said);
    } else {
        sl_connect_reply(api, request, &said, answer);
    }
}

/* ---- making and changing ---- */

static char *trimmed(const char *text)
{
    size_t len;

    text += strspn(text, " \t\r\n");
    len = strlen(text);
    while (len && strchr(" \t\r\n", text[len - 1]))
        len--;
    return sl_strndup(text, len);
}

/* What a body of POST /connectors holds. */
struct creation {
    char *name;
    json_t *config;
    enum sl_target_state initial;
};

static bool known_fields_only(json_t *body, struct sl_http_answer *answer)
{
    const char *key;
    json_t *value;

    json_object_foreach(body, key, value)
    {
        if (strcmp(key, "name") != 0 && strcmp(key, "config") != 0 && strcmp(key, "initial_state") != 0) {
            sl_http_error(answer, 500, 0,
                          "Unrecognized field \"%s\" (3 known properties: \"config\", \"name\", "
                          "\"initial_state\")",
                          key);
            return false;
        }
    }
    return true;
}

static bool read_creation(json_t *body, struct creation *ret, struct sl_http_answer *answer)
{
    const json_t *name = json_object_get(body, "name");
    const json_t *initial = json_object_get(body, "initial_state");
    json_t *config = json_object_get(body, "config");

    if (!known_fields_only(body, answer))
        return false;
    if (!json_is_object(config)) {
        sl_http_error(answer, 500, 0,
                      "The body has no object \"config\". HINT: write {\"name\": ..., "
                      "\"config\": {...}}");
        return false;
    }
    ret->initial = SL_TARGET_STARTED;
    if (initial && !json_is_null(initial) &&
        (!json_is_string(initial) || !sl_target_state_parse(json_string_value(initial), &ret->initial))) {
        sl_http_error(answer, 500, 0,
                      "\"initial_state\" is no state. HINT: it is one of RUNNING, PAUSED, STOPPED");
        return false;
    }
    if (!sl_connect_config_texts(json_incref(config), false, &ret->config, answer))
        return false;
    if (!json_is_string(name))
        name = json_object_get(ret->config, "name");
    ret->name = trimmed(json_is_string(name) ? json_string_value(name) : "");
    return true;
}

/* Connect says this before anything else about a configuration. */
static bool has_class(json_t *config, const char *name, struct sl_http_answer *answer)
{
    const char *class_name = json_string_value(json_object_get(config, "connector.class"));
    struct sl_buf keys = {0};
    const char *key;
    json_t *value;

    if (class_name && *class_name)
        return true;
    json_object_foreach(config, key, value) sl_buf_format(&keys, "%s%s", keys.len ? ", " : "", key);
    sl_http_error(answer, 400, 0, "Connector config of '%s' contains no connector type (its keys: %s)", name,
                  sl_buf_cstr(&keys));
    sl_buf_done(&keys);
    return false;
}

/* The name in a configuration, if there is one, is the connector's. */
static bool same_name(json_t *config, const char *name, struct sl_http_answer *answer)
{
    const json_t *said = json_object_get(config, "name");

    if (!json_is_string(said)) {
        (void)json_object_set_new(config, "name", json_string(name));
        return true;
    }
    if (strcmp(json_string_value(said), name) == 0)
        return true;
    sl_http_error(answer, 400, 0,
                  "Connector name configuration (%s) doesn't match connector name in the URL (%s)",
                  json_string_value(said), name);
    return false;
}

static bool good_name(const char *name, struct sl_http_answer *answer)
{
    for (const char *at = name; *at; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7F) {
            sl_http_error(answer, 400, 0,
                          "Connector configuration is invalid and contains the following 1 error(s):\n"
                          "name: it holds the control character %d. HINT: any other character may stand in a "
                          "name\n"
                          "You can also find the above list of errors at the endpoint "
                          "`/connector-plugins/{connectorType}/config/validate`",
                          *at);
            return false;
        }
    }
    return true;
}

static void put(struct sl_connect_api *api, const struct sl_http_request *request, const char *name,
                json_t *config, enum sl_put_mode mode, enum sl_target_state initial,
                struct sl_http_answer *answer)
{
    struct sl_answer said = {0};

    if (!good_name(name, answer) || !same_name(config, name, answer) ||
        (mode != SL_PUT_PATCH && !has_class(config, name, answer))) {
        json_decref(config);
        return;
    }
    sl_herder_put_config(api->herder, name, config, mode, initial, &said);
    sl_connect_reply(api, request, &said, answer);
}

SL_CONNECT_HANDLER(sl_connect_create)
{
    struct creation creation = {0};
    json_t *body = NULL;

    if (!sl_connect_body_object(request, &body, answer))
        return;
    if (read_creation(body, &creation, answer))
        put(ctx, request, creation.name, creation.config, SL_PUT_CREATE, creation.initial, answer);
    sl_free(creation.name);
    json_decref(body);
}

SL_CONNECT_HANDLER(sl_connect_put_config)
{
    json_t *body = NULL;
    json_t *config = NULL;

    if (sl_connect_body_object(request, &body, answer) &&
        sl_connect_config_texts(body, false, &config, answer))
        put(ctx, request, NAME, config, SL_PUT_ANY, SL_TARGET_STARTED, answer);
}

SL_CONNECT_HANDLER(sl_connect_patch_config)
{
    json_t *body = NULL;
    json_t *config = NULL;

    if (sl_connect_body_object(request, &body, answer) &&
        sl_connect_config_texts(body, true, &config, answer))
        put(ctx, request, NAME, config, SL_PUT_PATCH, SL_TARGET_STARTED, answer);
}

/* ---- one connector ---- */

#define READ(name_, call_)                             \
    SL_CONNECT_HANDLER(name_)                          \
    {                                                  \
        BEGIN;                                         \
                                                       \
        call_(herder, NAME, &said);                    \
        sl_connect_reply(api, request, &said, answer); \
    }

READ(sl_connect_info, sl_herder_info)
READ(sl_connect_config, sl_herder_config)
READ(sl_connect_status, sl_herder_status)
READ(sl_connect_tasks, sl_herder_task_configs)
READ(sl_connect_delete, sl_herder_delete)

#define SET_TARGET(name_, state_)                            \
    SL_CONNECT_HANDLER(name_)                                \
    {                                                        \
        BEGIN;                                               \
                                                             \
        sl_herder_set_target(herder, NAME, (state_), &said); \
        sl_connect_reply(api, request, &said, answer);       \
    }

SET_TARGET(sl_connect_pause, SL_TARGET_PAUSED)
SET_TARGET(sl_connect_resume, SL_TARGET_STARTED)
SET_TARGET(sl_connect_stop, SL_TARGET_STOPPED)

SL_CONNECT_HANDLER(sl_connect_restart)
{
    BEGIN;

    sl_herder_restart(herder, NAME, sl_http_query_bool(request, "includeTasks", false),
                      sl_http_query_bool(request, "onlyFailed", false), &said);
    sl_connect_reply(api, request, &said, answer);
}

SL_CONNECT_HANDLER(sl_connect_tasks_config)
{
    BEGIN;
    json_t *configs = json_object();
    json_t *task;
    size_t i;

    sl_herder_task_configs(herder, NAME, &said);
    if (said.status == SL_ANSWER_OK) {
        json_array_foreach(said.body, i, task)
        {
            char *key = sl_format(
                "%s-%lld", NAME,
                (long long)json_integer_value(json_object_get(json_object_get(task, "id"), "task")));

            (void)json_object_set(configs, key, json_object_get(task, "config"));
            sl_free(key);
        }
        sl_http_json(answer, 200, json_incref(configs));
        sl_answer_done(&said);
    } else {
        sl_connect_reply(api, request, &said, answer);
    }
    json_decref(configs);
}

/* A task's number. What is none is an unknown URL, as with Connect. */
static bool task_number(const struct sl_http_request *request, int *ret, struct sl_http_answer *answer)
{
    const char *text = sl_http_path(request, "task");
    char *end;
    long n = strtol(text, &end, 10);

    if (*end || end == text || (text[0] != '-' && (text[0] < '0' || text[0] > '9')) || n < -1 ||
        n > 1000000) {
        sl_http_error(answer, 404, 0, "HTTP 404 Not Found");
        return false;
    }
    *ret = (int)n;
    return true;
}

SL_CONNECT_HANDLER(sl_connect_task_status)
{
    BEGIN;
    int task;

    if (!task_number(request, &task, answer))
        return;
    sl_herder_task_status(herder, NAME, task, &said);
    sl_connect_reply(api, request, &said, answer);
}

SL_CONNECT_HANDLER(sl_connect_task_restart)
{
    BEGIN;
    int task;

    if (!task_number(request, &task, answer))
        return;
    sl_herder_info(herder, NAME, &said);
    if (said.status == SL_ANSWER_NOT_FOUND) { /* what is unknown is the connector, not the task */
        sl_http_error(answer, 404, 0, "Unknown connector: %s", NAME);
        sl_answer_done(&said);
        return;
    }
    sl_answer_done(&said);
    sl_herder_restart_task(herder, NAME, task, &said);
    sl_connect_reply(api, request, &said, answer);
}

/* Connect does not ask whether there is such a connector: one that is unknown has used no topic. */
SL_CONNECT_HANDLER(sl_connect_topics)
{
    BEGIN;

    sl_herder_active_topics(herder, NAME, &said);
    if (said.status == SL_ANSWER_NOT_FOUND) {
        sl_http_json(answer, 200, json_pack("{s:{s:[]}}", NAME, "topics"));
        sl_answer_done(&said);
        return;
    }
    sl_connect_reply(api, request, &said, answer);
}

SL_CONNECT_HANDLER(sl_connect_reset_topics)
{
    BEGIN;

    sl_herder_reset_topics(herder, NAME, &said);
    if (said.status == SL_ANSWER_NOT_FOUND) {
        sl_http_empty(answer, 202);
        sl_answer_done(&said);
        return;
    }
    sl_connect_reply(api, request, &said, answer);
}

/* Connect's workers tell each other task configs and fencing here, signed. Ours do so through the log. */
SL_CONNECT_HANDLER(sl_connect_internal)
{
    (void)ctx;
    (void)request;
    sl_http_error(answer, 400, 0, "Internal request missing required signature");
}
