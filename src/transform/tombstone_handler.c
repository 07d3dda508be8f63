/* SPDX-License-Identifier: Apache-2.0 */
/* Confluent's TombstoneHandler: records without a value go, with or without a word, or fail. */
#include "transform/transforms.h"

#include "base/log.h"
#include "base/pointer_map.h"
#include "transform/side.h"

#include <strings.h>

struct handler {
    bool fails;
    bool warns;
    struct sl_pointer_map warned; /* by topic id: one warning for each */
};

static const char *const classes[] = {"io.confluent.connect.transforms.TombstoneHandler", NULL};
static const char *const behaviors[] = {"ignore", "warn", "fail", NULL};

static const struct sl_option options[] = {
    {.name = "behavior",
     .type = SL_OPT_STRING,
     .default_text = "warn",
     .importance = SL_IMPORTANCE_MEDIUM,
     .doc = "What becomes of records whose value is null: they go (ignore), go with a warning, one for each "
            "topic (warn), or fail.",
     .values = behaviors},
    {0},
};

static enum sl_rc handler_open(const struct sl_props *props, const char *prefix, const char *class_name,
                               void **ret_self, struct sl_error *err)
{
    const char *behavior = sl_option_text(options, props, prefix, "behavior");
    bool ignores = strcasecmp(behavior, "ignore") == 0;
    struct handler *self = sl_zalloc(1, sizeof(*self));

    (void)class_name;
    self->fails = strcasecmp(behavior, "fail") == 0;
    self->warns = strcasecmp(behavior, "warn") == 0;
    if (!ignores && !self->fails && !self->warns) {
        sl_free(self);
        return sl_error_set(err, SL_E_CONFIG, "%sbehavior: '%.60s' is none. HINT: ignore, warn or fail",
                            prefix, behavior);
    }
    *ret_self = self;
    return SL_OK;
}

static void warn(struct handler *self, const struct sl_topic *topic)
{
    if (sl_pointer_map_get(&self->warned, topic->id))
        return;
    sl_pointer_map_put(&self->warned, topic->id, self); /* any pointer that is not NULL */
    sl_warn("TombstoneHandler leaves records without a value out", SL_T("topic", topic->name));
}

static enum sl_verdict handler_apply(void *self_, struct sl_message *message, struct sl_arena *arena,
                                     struct sl_error *err)
{
    struct handler *self = self_;

    (void)arena;
    if (!sl_is_null(message->record.value))
        return SL_KEEP;
    if (self->fails)
        return sl_bad_record(err,
                             "TombstoneHandler: a record of topic '%.200s' has no value, and its behavior is "
                             "fail. HINT: ignore or warn leaves such records out",
                             message->topic->name);
    if (self->warns)
        warn(self, message->topic);
    return SL_DROP;
}

static void handler_close(void *self_)
{
    struct handler *self = self_;

    sl_pointer_map_done(&self->warned, NULL);
    sl_free(self);
}

const struct sl_transform_ops sl_transform_tombstone_handler = {
    .name = "TombstoneHandler",
    .classes = classes,
    .options = options,
    .open = handler_open,
    .apply = handler_apply,
    .close = handler_close,
};
