/* SPDX-License-Identifier: Apache-2.0 */
/* Answers, and the requests that only read: served on the caller's thread, from the stores. */
#include "engine/herd/herd.h"

#include "base/alloc.h"
#include "base/props.h"
#include "engine/config/connector_config.h"
#include "engine/config/reach.h"
#include "engine/config/worker_config.h"

#include <stdio.h>
#include <strings.h>

/* ---- answers ---- */

void sl_answer_done(struct sl_answer *answer)
{
    json_decref(answer->body);
    sl_free(answer->message);
    sl_free(answer->url);
    *answer = (struct sl_answer){0};
}

void sl_answer_body(struct sl_answer *ret, enum sl_answer_status status, json_t *body)
{
    *ret = (struct sl_answer){.status = status, .body = body};
}

void sl_answer_refuse(struct sl_answer *ret, enum sl_answer_status status, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    *ret = (struct sl_answer){.status = status, .message = sl_vformat(format, args)};
    va_end(args);
}

void sl_answer_error(struct sl_answer *ret, const struct sl_error *err)
{
    sl_answer_refuse(ret, err->kind == SL_KIND_CONFIG ? SL_ANSWER_BAD_REQUEST : SL_ANSWER_FAILED, "%s",
                     err->text);
}

static void not_found(struct sl_answer *ret, const char *name)
{
    sl_answer_refuse(ret, SL_ANSWER_NOT_FOUND, "Connector %s not found", name);
}

/* ---- states ---- */

bool sl_target_state_parse(const char *text, enum sl_target_state *ret)
{
    static const char *const words[] = {"STARTED", "PAUSED", "STOPPED", "RUNNING"};

    for (int i = 0; i < 4; i++) {
        if (strcasecmp(text, words[i]) == 0) {
            *ret = i == 3 ? SL_TARGET_STARTED : (enum sl_target_state)i;
            return true;
        }
    }
    return false;
}

const char *sl_target_state_name(enum sl_target_state state)
{
    static const char *const names[] = {"STARTED", "PAUSED", "STOPPED"};

    return names[state];
}

/* ---- shapes ---- */

json_t *sl_herd_info(struct sl_herder *herder, const char *name)
{
    struct sl_config_view view;
    json_t *tasks;
    json_t *info;

    if (!sl_config_store_read(herder->configs, name, &view))
        return NULL;
    tasks = json_array();
    for (size_t i = 0; i < json_array_size(view.tasks); i++)
        (void)json_array_append_new(tasks, json_pack("{s:s, s:i}", "connector", name, "task", (int)i));
    info = json_pack("{s:s, s:O, s:o, s:s}", "name", name, "config", view.config, "tasks", tasks, "type",
                     sl_herd_type(herder, view.config));
    sl_config_view_done(&view);
    return info;
}

/* Which parts of a connector have this shape: {"id"?, "state", "worker_id", "trace"?}. */
static json_t *task_state(struct sl_herder *herder, const char *name, int task)
{
    json_t *state = sl_status_store_read(herder->statuses, name, task);
    json_t *shown;

    if (!state)
        return NULL;
    shown = json_pack("{s:i}", "id", task);
    (void)json_object_update(shown, state);
    json_decref(state);
    return shown;
}

json_t *sl_herd_state_info(struct sl_herder *herder, const char *name)
{
    json_t *connector = sl_status_store_read(herder->statuses, name, -1);
    struct sl_config_view view;
    json_t *tasks;
    json_t *info;
    int *numbers;
    size_t n;

    if (!connector)
        return NULL;
    tasks = json_array();
    n = sl_status_store_tasks(herder->statuses, name, &numbers);
    for (size_t i = 0; i < n; i++) {
        json_t *task = task_state(herder, name, numbers[i]);

        if (task)
            (void)json_array_append_new(tasks, task);
    }
    sl_free(numbers);
    info = json_pack("{s:s, s:o, s:o}", "name", name, "connector", connector, "tasks", tasks);
    if (sl_config_store_read(herder->configs, name, &view)) {
        (void)json_object_set_new(info, "type", json_string(sl_herd_type(herder, view.config)));
        sl_config_view_done(&view);
    } else {
        (void)json_object_set_new(info, "type", json_string("unknown"));
    }
    return info;
}

/* ---- requests ---- */

void sl_herder_names(struct sl_herder *herder, struct sl_answer *ret)
{
    sl_answer_body(ret, SL_ANSWER_OK, sl_config_store_names(herder->configs));
}

void sl_herder_info(struct sl_herder *herder, const char *name, struct sl_answer *ret)
{
    json_t *info = sl_herd_info(herder, name);

    if (info)
        sl_answer_body(ret, SL_ANSWER_OK, info);
    else
        not_found(ret, name);
}

void sl_herder_config(struct sl_herder *herder, const char *name, struct sl_answer *ret)
{
    struct sl_config_view view;

    if (!sl_config_store_read(herder->configs, name, &view)) {
        not_found(ret, name);
        return;
    }
    sl_answer_body(ret, SL_ANSWER_OK, json_incref(view.config));
    sl_config_view_done(&view);
}

void sl_herder_task_configs(struct sl_herder *herder, const char *name, struct sl_answer *ret)
{
    struct sl_config_view view;
    json_t *tasks;

    if (!sl_config_store_read(herder->configs, name, &view)) {
        not_found(ret, name);
        return;
    }
    tasks = json_array();
    for (size_t i = 0; i < json_array_size(view.tasks); i++)
        (void)json_array_append_new(tasks, json_pack("{s:{s:s, s:i}, s:O}", "id", "connector", name, "task",
                                                     (int)i, "config", json_array_get(view.tasks, i)));
    sl_answer_body(ret, SL_ANSWER_OK, tasks);
    sl_config_view_done(&view);
}

void sl_herder_status(struct sl_herder *herder, const char *name, struct sl_answer *ret)
{
    json_t *info = sl_herd_state_info(herder, name);

    if (info)
        sl_answer_body(ret, SL_ANSWER_OK, info);
    else
        sl_answer_refuse(ret, SL_ANSWER_NOT_FOUND, "No status found for connector %s", name);
}

void sl_herder_task_status(struct sl_herder *herder, const char *name, int task, struct sl_answer *ret)
{
    json_t *state = task_state(herder, name, task);

    if (state)
        sl_answer_body(ret, SL_ANSWER_OK, state);
    else
        sl_answer_refuse(ret, SL_ANSWER_NOT_FOUND, "No status found for task %s-%d", name, task);
}

void sl_herder_active_topics(struct sl_herder *herder, const char *name, struct sl_answer *ret)
{
    if (!herder->shared.topic_used)
        sl_answer_refuse(ret, SL_ANSWER_FORBIDDEN, "Topic tracking is disabled.");
    else if (!sl_config_store_has(herder->configs, name))
        not_found(ret, name);
    else
        sl_answer_body(
            ret, SL_ANSWER_OK,
            json_pack("{s:{s:o}}", name, "topics", sl_status_store_topics(herder->statuses, name)));
}

void sl_herder_validate(struct sl_herder *herder, json_t *config, struct sl_complaints *complaints)
{
    struct sl_connector *connector = NULL;

    sl_connector_check(sl_herd_props(config), herder->shared.plugins, herder->shared.worker,
                       herder->shared.secrets, complaints, &connector);
    if (connector)
        sl_reach_check(connector->props, herder->shared.worker, complaints);
    sl_connector_free(connector);
}
