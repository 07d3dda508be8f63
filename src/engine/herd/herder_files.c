/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connectors of files on the command line. They are written to the config store like any other; the space
 * "from-files" remembers which of its connectors came that way, so that one whose file is not given any more
 * goes.
 */
#include "engine/herd/herd.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/props.h"
#include "engine/group/group_member.h"

#define SPACE "from-files"

static void note(void *ctx, const char *key, struct sl_span value)
{
    (void)value;
    (void)json_object_set_new(ctx, key, json_true());
}

static enum sl_rc mark(struct sl_herder *herder, const char *name, bool from_file, struct sl_error *err)
{
    struct sl_transport *transport = herder->shared.transport;
    const struct sl_span one = {(const uint8_t *)"1", 1};

    return transport->ops->put(transport, SPACE, name, from_file ? one : (struct sl_span){0}, err);
}

static enum sl_rc adopt(struct sl_herder *herder, const struct sl_props *props, const json_t *marked,
                        struct sl_error *err)
{
    const char *name = sl_props_get(props, "name");
    struct sl_config_view view = {0};
    json_t *config = sl_herd_json(props);
    bool same = sl_config_store_read(herder->configs, name, &view) && json_equal(view.config, config);
    enum sl_rc rc = SL_OK;

    (void)json_object_set_new(herder->files, name, json_true());
    if (!same)
        rc = sl_config_store_put(herder->configs, name, config, err);
    if (rc == SL_OK && !json_object_get(marked, name))
        rc = mark(herder, name, true, err);
    if (rc == SL_OK && same && view.target != SL_TARGET_STARTED)
        sl_warn("the connector was not running when sluice stopped, and stays so until it is resumed",
                SL_T("connector", name), SL_T("state", sl_target_state_name(view.target)));
    json_decref(config);
    sl_config_view_done(&view);
    return rc;
}

/* Those of earlier starts whose files are not given now; with Connect's standalone file, everything else. */
static enum sl_rc drop_others(struct sl_herder *herder, const json_t *marked, struct sl_error *err)
{
    bool only_files = sl_props_get(herder->shared.worker, "offset.storage.file.filename") != NULL;
    json_t *names = sl_config_store_names(herder->configs);
    enum sl_rc rc = SL_OK;

    for (size_t i = 0; rc == SL_OK && i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        bool was_file = json_object_get(marked, name) != NULL;

        if (json_object_get(herder->files, name) || (!was_file && !only_files))
            continue;
        rc = sl_config_store_remove(herder->configs, name, err);
        if (rc == SL_OK && was_file)
            rc = mark(herder, name, false, err);
    }
    json_decref(names);
    return rc;
}

enum sl_rc sl_herder_adopt_files(struct sl_herder *herder, const struct sl_props *const *configs, size_t n,
                                 struct sl_error *err)
{
    struct sl_transport *transport = herder->shared.transport;
    json_t *marked = json_object();
    enum sl_rc rc = transport->ops->list(transport, SPACE, note, marked, err);

    for (size_t i = 0; rc == SL_OK && i < n; i++)
        rc = adopt(herder, configs[i], marked, err);
    /* In a group the connectors belong to all: another worker may have been given other files. */
    if (rc == SL_OK && !sl_group_member_is_wanted(herder->shared.worker))
        rc = drop_others(herder, marked, err);
    json_decref(marked);
    return rc;
}
