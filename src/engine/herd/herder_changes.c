/* SPDX-License-Identifier: Apache-2.0 */
/* The requests that change what should run. They write to the config store; the next look does the rest. */
#include "engine/herd/herd.h"

#include "base/alloc.h"
#include "base/log.h"

struct sl_request *sl_request_new(void (*serve)(struct sl_herder *herder, struct sl_request *request),
                                  const char *name)
{
    struct sl_request *request = sl_zalloc(1, sizeof(*request));

    request->serve = serve;
    request->name = sl_strdup(name);
    return request;
}

bool sl_herd_may_write(struct sl_herder *herder, struct sl_answer *ret)
{
    const struct sl_placement *placement = herder->placement;
    struct sl_error err = {0};
    char url[512];
    enum sl_rc rc;

    if (!placement)
        return true;
    rc = placement->leads(placement->ctx) ? placement->lead(placement->ctx, &err) : SL_E_FENCED;
    if (rc == SL_OK)
        return true;
    if (rc != SL_E_FENCED) {
        sl_answer_error(ret, &err);
    } else if (placement->leader_url(placement->ctx, url, sizeof(url))) {
        *ret = (struct sl_answer){.status = SL_ANSWER_ELSEWHERE, .url = sl_strdup(url)};
    } else {
        sl_answer_refuse(
            ret, SL_ANSWER_CONFLICT,
            "No worker leads the group just now; a change of its members is under way. Try again "
            "shortly.");
    }
    return false;
}

/* ---- configurations ---- */

static void serve_put(struct sl_herder *herder, struct sl_request *request)
{
    struct sl_answer *ret = &request->answer;
    enum sl_target_state initial = (enum sl_target_state)request->number;
    struct sl_config_view view = {0};
    struct sl_error err = {0};
    enum sl_rc rc = SL_OK;
    bool exists;

    if (!sl_herd_may_write(herder, ret))
        return;
    exists = sl_config_store_read(herder->configs, request->name, &view);
    if (exists && request->flags[0]) {
        sl_answer_refuse(ret, SL_ANSWER_CONFLICT, "Connector %s already exists", request->name);
    } else if (request->base && !json_equal(request->base, view.config)) {
        sl_answer_refuse(
            ret, SL_ANSWER_CONFLICT,
            "The configuration of connector %s was changed by another request. Try again shortly.",
            request->name);
    } else {
        if (!exists && initial != SL_TARGET_STARTED)
            rc = sl_config_store_put_target(herder->configs, request->name, initial, &err);
        if (rc == SL_OK)
            rc = sl_config_store_put(herder->configs, request->name, request->json, &err);
        if (rc)
            sl_answer_error(ret, &err);
        else
            sl_answer_body(ret, exists ? SL_ANSWER_OK : SL_ANSWER_CREATED,
                           sl_herd_info(herder, request->name));
    }
    sl_config_view_done(&view);
}

/* Texts of scalars; null removes a key from what there was. False: a value that is no scalar. */
static bool merge(json_t *base, json_t *changes, struct sl_answer *ret)
{
    const char *key;
    json_t *value;

    json_object_foreach(changes, key, value)
    {
        char *text = sl_json_scalar_text(value);

        if (json_is_null(value))
            (void)json_object_del(base, key);
        else if (text)
            (void)json_object_set_new(base, key, json_string(text));
        else
            sl_answer_refuse(
                ret, SL_ANSWER_BAD_REQUEST,
                "The value of '%s' is an object or an array; a configuration holds texts, numbers "
                "and booleans.",
                key);
        sl_free(text);
        if (ret->status)
            return false;
    }
    return true;
}

static bool check(struct sl_herder *herder, json_t *config, struct sl_answer *ret)
{
    struct sl_complaints complaints = {0};
    struct sl_buf text = {0};

    sl_herder_validate(herder, config, &complaints);
    if (complaints.n) {
        sl_buf_format(&text, "Connector configuration is invalid and contains the following %zu error(s):",
                      complaints.n);
        for (size_t i = 0; i < complaints.n; i++)
            sl_buf_format(&text, "\n%s%s%s", complaints.items[i].key, complaints.items[i].key[0] ? ": " : "",
                          complaints.items[i].text);
        sl_buf_text(&text, "\nYou can also find the above list of errors at the endpoint "
                           "`/connector-plugins/{connectorType}/config/validate`");
        sl_answer_refuse(ret, SL_ANSWER_BAD_REQUEST, "%s", sl_buf_cstr(&text));
    }
    sl_buf_done(&text);
    sl_complaints_done(&complaints);
    return !ret->status;
}

static bool check_name(const char *name, json_t *config, struct sl_answer *ret)
{
    const char *given = json_string_value(json_object_get(config, "name"));

    if (given && strcmp(given, name) != 0)
        sl_answer_refuse(ret, SL_ANSWER_BAD_REQUEST,
                         "Connector name configuration (%s) doesn't match connector name in the URL (%s)",
                         given, name);
    else
        (void)json_object_set_new(config, "name", json_string(name));
    return !ret->status;
}

/* Merging and checking happen on the caller's thread: the herder's does not wait for them. */
void sl_herder_put_config(struct sl_herder *herder, const char *name, json_t *config, enum sl_put_mode mode,
                          enum sl_target_state initial, struct sl_answer *ret)
{
    json_t *merged = json_object();
    struct sl_config_view view = {0};
    struct sl_request *request;

    *ret = (struct sl_answer){0};
    if (mode == SL_PUT_PATCH) {
        if (sl_config_store_read(herder->configs, name, &view))
            (void)json_object_update(merged, view.config);
        else
            sl_answer_refuse(ret, SL_ANSWER_NOT_FOUND, "Connector %s not found", name);
    } else if (mode == SL_PUT_CREATE && sl_config_store_has(herder->configs, name)) {
        sl_answer_refuse(ret, SL_ANSWER_CONFLICT, "Connector %s already exists", name);
    }
    if (!ret->status && merge(merged, config, ret) && check_name(name, merged, ret) &&
        check(herder, merged, ret)) {
        request = sl_request_new(serve_put, name);
        request->json = json_incref(merged);
        request->base = view.config ? json_incref(view.config) : NULL;
        request->flags[0] = mode == SL_PUT_CREATE;
        request->number = (int)initial;
        sl_herder_call(herder, request, ret);
    }
    sl_config_view_done(&view);
    json_decref(merged);
    json_decref(config);
}

static void serve_delete(struct sl_herder *herder, struct sl_request *request)
{
    struct sl_error err = {0};

    if (!sl_herd_may_write(herder, &request->answer))
        return;
    if (!sl_config_store_has(herder->configs, request->name))
        sl_answer_refuse(&request->answer, SL_ANSWER_NOT_FOUND, "Connector %s not found", request->name);
    else if (sl_config_store_remove(herder->configs, request->name, &err))
        sl_answer_error(&request->answer, &err);
    else
        sl_answer_body(&request->answer, SL_ANSWER_NO_CONTENT, NULL);
}

void sl_herder_delete(struct sl_herder *herder, const char *name, struct sl_answer *ret)
{
    sl_herder_call(herder, sl_request_new(serve_delete, name), ret);
}

/* ---- target states ---- */

static void serve_target(struct sl_herder *herder, struct sl_request *request)
{
    enum sl_target_state target = (enum sl_target_state)request->number;
    struct sl_error err = {0};

    if (!sl_herd_may_write(herder, &request->answer))
        return;
    if (!sl_config_store_has(herder->configs, request->name))
        sl_answer_refuse(&request->answer, SL_ANSWER_NOT_FOUND, "Unknown connector %s", request->name);
    else if (sl_herd_is_altering(herder, request->name))
        sl_answer_refuse(
            &request->answer, SL_ANSWER_CONFLICT,
            "The offsets of connector %s are being changed, or its dead letters replayed. Try again "
            "shortly.",
            request->name);
    else if (sl_config_store_put_target(herder->configs, request->name, target, &err))
        sl_answer_error(&request->answer, &err);
    else
        sl_answer_body(&request->answer,
                       target == SL_TARGET_STOPPED ? SL_ANSWER_NO_CONTENT : SL_ANSWER_ACCEPTED, NULL);
}

void sl_herder_set_target(struct sl_herder *herder, const char *name, enum sl_target_state state,
                          struct sl_answer *ret)
{
    struct sl_request *request = sl_request_new(serve_target, name);

    request->number = (int)state;
    sl_herder_call(herder, request, ret);
}

/* ---- restarts ---- */

static bool is_failed(const json_t *state)
{
    const char *text = json_string_value(json_object_get(state, "state"));

    return text && strcmp(text, "FAILED") == 0;
}

static void restart_slot(struct sl_slot *slot, bool only_failed)
{
    struct sl_status_view view;

    if (!slot->task)
        return;
    sl_status_read(sl_task_status(slot->task), &view);
    if (only_failed && view.state != SL_TASK_FAILED)
        return;
    slot->restart = true;
    sl_backoff_reset(&slot->backoff);
}

static void restart_here(struct sl_herder *herder, const char *name, bool include_tasks, bool only_failed)
{
    struct sl_herded *herded = sl_herd_find(herder, name);

    if (!herded)
        return;
    if (!only_failed || !herded->connector) {
        herded->remake = true;
        sl_backoff_reset(&herded->making);
    }
    for (size_t i = 0; include_tasks && i < herded->n_slots; i++)
        restart_slot(&herded->slots[i], only_failed);
}

static void serve_restart_here(struct sl_herder *herder, struct sl_request *request)
{
    restart_here(herder, request->name, request->flags[0], request->flags[1]);
}

/* A restart that stands in the config store; any thread. */
void sl_herder_obey_restart(void *ctx, const char *connector, bool include_tasks, bool only_failed)
{
    struct sl_request *request = sl_request_new(serve_restart_here, connector);

    request->flags[0] = include_tasks;
    request->flags[1] = only_failed;
    sl_herder_post(ctx, request);
}

/* The chosen parts as RESTARTING: in the answer, and for those who look at the statuses meanwhile. */
static json_t *choose(struct sl_herder *herder, const char *name, bool include_tasks, bool only_failed)
{
    json_t *info = sl_herd_state_info(herder, name);
    json_t *connector = json_object_get(info, "connector");
    json_t *tasks = json_object_get(info, "tasks");

    if (connector && (!only_failed || is_failed(connector)))
        (void)json_object_set_new(connector, "state", json_string("RESTARTING"));
    for (size_t i = 0; include_tasks && i < json_array_size(tasks); i++) {
        json_t *task = json_array_get(tasks, i);

        if (!only_failed || is_failed(task))
            (void)json_object_set_new(task, "state", json_string("RESTARTING"));
    }
    return info;
}

static void serve_restart(struct sl_herder *herder, struct sl_request *request)
{
    bool include_tasks = request->flags[0];
    bool only_failed = request->flags[1];
    struct sl_answer *ret = &request->answer;
    struct sl_error err = {0};

    if (!sl_herd_may_write(herder, ret))
        return;
    if (!sl_config_store_has(herder->configs, request->name)) {
        sl_answer_refuse(ret, SL_ANSWER_NOT_FOUND, "Unknown connector: %s", request->name);
    } else if (!include_tasks && !only_failed) {
        restart_here(herder, request->name, false, false);
        sl_answer_body(ret, SL_ANSWER_NO_CONTENT, NULL);
    } else {
        json_t *info = choose(herder, request->name, include_tasks, only_failed);

        if (!info) {
            sl_answer_refuse(ret, SL_ANSWER_NOT_FOUND, "No status found for connector %s", request->name);
        } else if (sl_config_store_put_restart(herder->configs, request->name, include_tasks, only_failed,
                                               &err)) {
            json_decref(info);
            sl_answer_error(ret, &err);
        } else {
            sl_answer_body(ret, SL_ANSWER_ACCEPTED, info);
        }
    }
}

void sl_herder_restart(struct sl_herder *herder, const char *name, bool include_tasks, bool only_failed,
                       struct sl_answer *ret)
{
    struct sl_request *request = sl_request_new(serve_restart, name);

    request->flags[0] = include_tasks;
    request->flags[1] = only_failed;
    sl_herder_call(herder, request, ret);
}

/* A task that runs elsewhere is restarted there. */
static bool runs_elsewhere(struct sl_herder *herder, const char *name, int task, struct sl_answer *ret)
{
    const struct sl_placement *placement = herder->placement;
    char worker[256];

    if (!placement || !placement->place(placement->ctx, name, task, worker, sizeof(worker)) ||
        strcmp(worker, herder->worker_id) == 0)
        return false;
    *ret = (struct sl_answer){.status = SL_ANSWER_ELSEWHERE, .url = sl_format("http://%s", worker)};
    return true;
}

static void serve_restart_task(struct sl_herder *herder, struct sl_request *request)
{
    struct sl_answer *ret = &request->answer;
    struct sl_herded *herded = sl_herd_find(herder, request->name);
    struct sl_config_view view = {0};
    int task = request->number;

    if (!sl_config_store_read(herder->configs, request->name, &view) || task < 0 ||
        (size_t)task >= json_array_size(view.tasks)) {
        sl_answer_refuse(ret, SL_ANSWER_NOT_FOUND, "Unknown task: %s-%d", request->name, task);
    } else if (!runs_elsewhere(herder, request->name, task, ret)) {
        if (herded && (size_t)task < herded->n_slots)
            restart_slot(&herded->slots[task], false);
        sl_answer_body(ret, SL_ANSWER_NO_CONTENT, NULL);
    }
    sl_config_view_done(&view);
}

void sl_herder_restart_task(struct sl_herder *herder, const char *name, int task, struct sl_answer *ret)
{
    struct sl_request *request = sl_request_new(serve_restart_task, name);

    request->number = task;
    sl_herder_call(herder, request, ret);
}

/* A secret has another value: the same as a restart with its tasks, but nobody waits for it. */
void sl_herder_reload(struct sl_herder *herder, const char *name)
{
    sl_herder_obey_restart(herder, name, true, false);
}

/* ---- topics ---- */

static void serve_reset_topics(struct sl_herder *herder, struct sl_request *request)
{
    struct sl_error err = {0};

    if (!sl_config_store_has(herder->configs, request->name))
        sl_answer_refuse(&request->answer, SL_ANSWER_NOT_FOUND, "Connector %s not found", request->name);
    else if (sl_status_store_remove_topics(herder->statuses, request->name, &err))
        sl_answer_error(&request->answer, &err);
    else
        sl_answer_body(&request->answer, SL_ANSWER_ACCEPTED, NULL);
}

void sl_herder_reset_topics(struct sl_herder *herder, const char *name, struct sl_answer *ret)
{
    if (!herder->shared.topic_used || !herder->topics_may_be_reset)
        sl_answer_refuse(ret, SL_ANSWER_FORBIDDEN, "Topic tracking reset is disabled.");
    else
        sl_herder_call(herder, sl_request_new(serve_reset_topics, name), ret);
}
