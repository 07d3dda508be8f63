/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Positions of connectors, shown and changed (KIP-875). A change is made on the caller's thread, for a log or
 * a target may keep it waiting; the herder's thread only says whether it may begin, and keeps the connector
 * stopped until it is done.
 */
#include "engine/herd/herd_offsets.h"

#include "base/alloc.h"

/* ---- what both kinds have in common ---- */

/* Nobody works on it any more, here or elsewhere. */
static bool has_ended(struct sl_herder *herder, const char *name)
{
    const struct sl_herded *herded = sl_herd_find(herder, name);
    int *tasks;
    size_t n = sl_status_store_tasks(herder->statuses, name, &tasks);

    sl_free(tasks);
    for (size_t i = 0; herded && i < herded->n_slots; i++)
        n += herded->slots[i].task != NULL;
    return n == 0;
}

bool sl_herd_check_stopped(struct sl_herder *herder, const char *name, const char *what,
                           struct sl_config_view *ret_view, struct sl_answer *ret)
{
    struct sl_config_view view = {0};

    if (!sl_config_store_read(herder->configs, name, &view))
        sl_answer_refuse(ret, SL_ANSWER_NOT_FOUND, "Connector %s not found", name);
    else if (view.target != SL_TARGET_STOPPED || json_array_size(view.tasks))
        sl_answer_refuse(
            ret, SL_ANSWER_BAD_REQUEST,
            "Connectors must be in the STOPPED state before %s. This can be done for the specified "
            "connector by issuing a 'PUT' request to the '/connectors/%s/stop' endpoint",
            what, name);
    else if (!has_ended(herder, name))
        sl_answer_refuse(ret, SL_ANSWER_FAILED,
                         "The tasks of connector %s have not ended yet. Try again when the stop is complete.",
                         name);
    if (ret->status) {
        sl_config_view_done(&view);
        return false;
    }
    *ret_view = view;
    return true;
}

static bool begin_altering(struct sl_herder *herder, const char *name)
{
    bool began;

    (void)pthread_mutex_lock(&herder->lock);
    began = !herder->altering;
    if (began)
        herder->altering = sl_strdup(name);
    (void)pthread_mutex_unlock(&herder->lock);
    return began;
}

bool sl_herd_is_altering(struct sl_herder *herder, const char *name)
{
    bool altering;

    (void)pthread_mutex_lock(&herder->lock);
    altering = herder->altering && strcmp(herder->altering, name) == 0;
    (void)pthread_mutex_unlock(&herder->lock);
    return altering || sl_herd_is_settling(herder, name);
}

static void end_altering(struct sl_herder *herder)
{
    (void)pthread_mutex_lock(&herder->lock);
    sl_free(herder->altering);
    herder->altering = NULL;
    (void)pthread_mutex_unlock(&herder->lock);
}

static void serve_begin(struct sl_herder *herder, struct sl_request *request)
{
    struct sl_answer *ret = &request->answer;
    struct sl_config_view view = {0};

    if (!sl_herd_may_write(herder, ret) ||
        !sl_herd_check_stopped(herder, request->name, "their offsets can be modified", &view, ret))
        return;
    if (sl_herd_is_settling(herder, request->name) || !begin_altering(herder, request->name))
        sl_answer_refuse(
            ret, SL_ANSWER_CONFLICT,
            "The offsets of a connector are being changed by another request. Try again shortly.");
    else
        sl_answer_body(ret, SL_ANSWER_OK, json_incref(view.config));
    sl_config_view_done(&view);
}

/* The connector reads its own part of the log anew: what it may keep there has changed. */
static void serve_reopen(struct sl_herder *herder, struct sl_request *request)
{
    struct sl_herded *herded = sl_herd_find(herder, request->name);

    if (herded)
        sl_herd_reopen(herded);
    end_altering(herder);
}

static bool is_partition(const json_t *entry)
{
    return json_is_object(json_object_get(entry, "partition"));
}

static bool is_offset(const json_t *entry)
{
    const json_t *offset = json_object_get(entry, "offset");

    return json_is_null(offset) || json_is_object(offset);
}

static bool check_shape(const json_t *offsets, struct sl_answer *ret)
{
    if (!json_is_array(offsets) || !json_array_size(offsets)) {
        sl_answer_refuse(ret, SL_ANSWER_BAD_REQUEST,
                         "Partitions / offsets need to be provided for an alter offsets request");
        return false;
    }
    for (size_t i = 0; i < json_array_size(offsets); i++) {
        const json_t *entry = json_array_get(offsets, i);

        if (is_partition(entry) && is_offset(entry))
            continue;
        sl_answer_refuse(
            ret, SL_ANSWER_BAD_REQUEST,
            "Entry %zu of the offsets needs a \"partition\" that is an object, and an \"offset\" that "
            "is an object or null.",
            i);
        return false;
    }
    return true;
}

/* offsets NULL: all of them. */
static void change(struct sl_herder *herder, const char *name, json_t *offsets, struct sl_answer *ret)
{
    struct sl_connector *connector = NULL;
    struct sl_error err = {0};
    enum sl_rc rc;

    sl_herder_call(herder, sl_request_new(serve_begin, name), ret);
    if (ret->status != SL_ANSWER_OK)
        return;
    rc = sl_herd_make_connector(herder, ret->body, &connector, &err);
    sl_answer_done(ret);
    if (rc == SL_OK && connector->source)
        rc = sl_herd_change_source(herder, connector, offsets, &err);
    else if (rc == SL_OK)
        rc = sl_herd_change_sink(herder, connector, offsets, &err);
    if (rc)
        sl_answer_error(ret, &err);
    else
        sl_answer_body(ret, SL_ANSWER_OK,
                       json_pack("{s:s}", "message",
                                 offsets ? "The offsets for this connector have been altered successfully"
                                         : "The offsets for this connector have been reset successfully"));
    sl_connector_free(connector);
    sl_herder_post(herder, sl_request_new(serve_reopen, name));
}

void sl_herder_alter_offsets(struct sl_herder *herder, const char *name, json_t *offsets,
                             struct sl_answer *ret)
{
    *ret = (struct sl_answer){0};
    if (check_shape(offsets, ret))
        change(herder, name, offsets, ret);
    json_decref(offsets);
}

void sl_herder_reset_offsets(struct sl_herder *herder, const char *name, struct sl_answer *ret)
{
    change(herder, name, NULL, ret);
}

void sl_herder_offsets(struct sl_herder *herder, const char *name, struct sl_answer *ret)
{
    struct sl_config_view view;
    json_t *offsets = json_array();
    struct sl_error err = {0};
    enum sl_rc rc;

    if (!sl_config_store_read(herder->configs, name, &view)) {
        sl_answer_refuse(ret, SL_ANSWER_NOT_FOUND, "Connector %s not found", name);
        json_decref(offsets);
        return;
    }
    if (strcmp(sl_herd_type(herder, view.config), "sink") == 0)
        rc = sl_herd_sink_offsets(herder, name, view.config, offsets, &err);
    else
        rc = sl_herd_source_offsets(herder, name, offsets, &err);
    sl_config_view_done(&view);
    if (rc) {
        sl_answer_error(ret, &err);
        json_decref(offsets);
    } else {
        sl_answer_body(ret, SL_ANSWER_OK, json_pack("{s:o}", "offsets", offsets));
    }
}
