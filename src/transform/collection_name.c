/* SPDX-License-Identifier: Apache-2.0 */
/* CollectionNameTransformation of Debezium's JDBC sink: topics, and so tables, in another style of names. */
#include "transform/transforms.h"

#include "base/pointer_map.h"
#include "transform/naming_style.h"
#include "transform/side.h"

struct renamer {
    struct sl_naming naming;
    struct sl_pointer_map topics; /* struct sl_topic by the id of the one before */
    struct sl_buf name;
};

static const char *const classes[] = {"io.debezium.connector.jdbc.transforms.CollectionNameTransformation",
                                      NULL};

static const struct sl_option options[] = {SL_NAMING_OPTIONS("collection.naming.", "topics"), {0}};

static void renamer_close(void *self_)
{
    struct renamer *self = self_;

    sl_naming_done(&self->naming);
    sl_pointer_map_done(&self->topics, NULL);
    sl_buf_done(&self->name);
    sl_free(self);
}

static enum sl_rc renamer_open(const struct sl_props *props, const char *prefix, const char *class_name,
                               void **ret_self, struct sl_error *err)
{
    struct renamer *self = sl_zalloc(1, sizeof(*self));
    enum sl_rc rc = sl_naming_open(&self->naming, options, props, prefix, "collection.naming.", err);

    (void)class_name;
    if (rc)
        renamer_close(self);
    else
        *ret_self = self;
    return rc;
}

static const struct sl_topic *rename_topic(struct renamer *self, const struct sl_topic *topic)
{
    /* Interned for the life of the process; the map's pointers are not const. */
    const struct sl_topic *to = sl_pointer_map_get(&self->topics, topic->id);

    if (!to) {
        sl_buf_reset(&self->name);
        sl_naming_put(&self->naming, topic->name, topic->len, &self->name);
        to = sl_topic_intern(sl_buf_cstr(&self->name), self->name.len);
        sl_pointer_map_put(&self->topics, topic->id, (void *)(uintptr_t)to);
    }
    return to;
}

static enum sl_verdict renamer_apply(void *self, struct sl_message *message, struct sl_arena *arena,
                                     struct sl_error *err)
{
    const struct sl_topic *to = rename_topic(self, message->topic);

    (void)arena;
    if (to->len == 0)
        return sl_bad_record(err,
                             "CollectionNameTransformation turns topic '%.200s' into an empty name. HINT: "
                             "give it a prefix, or leave the topic out with a predicate",
                             message->topic->name);
    message->topic = to;
    return SL_KEEP;
}

const struct sl_transform_ops sl_transform_collection_name = {
    .name = "CollectionNameTransformation",
    .classes = classes,
    .options = options,
    .open = renamer_open,
    .apply = renamer_apply,
    .close = renamer_close,
};
