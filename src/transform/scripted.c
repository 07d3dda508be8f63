/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Debezium's Filter and ContentBasedRouter run scripts in a Java virtual machine (Groovy, JavaScript). There
 * is none here: both are known, so that their configurations are refused with the way around them.
 */
#include "transform/transforms.h"

#include <stddef.h>

static const char *const filter_classes[] = {"io.debezium.transforms.Filter", NULL};
static const char *const router_classes[] = {"io.debezium.transforms.ContentBasedRouter", NULL};
static const char *const null_modes[] = {"keep", "drop", "evaluate", NULL};

#define SCRIPT_OPTIONS(expression_, doc_)                                                            \
    {.name = "language",                                                                             \
     .type = SL_OPT_STRING,                                                                          \
     .importance = SL_IMPORTANCE_HIGH,                                                               \
     .doc = "The scripting language; none is supported."},                                           \
        {.name = expression_, .type = SL_OPT_STRING, .importance = SL_IMPORTANCE_HIGH, .doc = doc_}, \
        {.name = "topic.regex",                                                                      \
         .type = SL_OPT_STRING,                                                                      \
         .importance = SL_IMPORTANCE_LOW,                                                            \
         .doc = "The topics to which it is applied."},                                               \
    {                                                                                                \
        .name = "null.handling.mode", .type = SL_OPT_STRING, .default_text = "keep",                 \
        .importance = SL_IMPORTANCE_LOW, .doc = "What becomes of tombstones.", .values = null_modes  \
    }

static const struct sl_option filter_options[] = {
    SCRIPT_OPTIONS("condition", "A script that says whether the record stays."), {0}};
static const struct sl_option router_options[] = {
    SCRIPT_OPTIONS("topic.expression", "A script that gives the new topic."), {0}};

static enum sl_rc filter_open(const struct sl_props *props, const char *prefix, const char *class_name,
                              void **ret_self, struct sl_error *err)
{
    (void)props;
    (void)class_name;
    (void)ret_self;
    return sl_error_set(
        err, SL_E_UNSUPPORTED,
        "%stype: io.debezium.transforms.Filter runs a script in a Java virtual machine, and there is none "
        "here. HINT: org.apache.kafka.connect.transforms.Filter with a predicate (TopicNameMatches, "
        "HasHeaderKey, RecordIsTombstone, negate) drops by topic, header or tombstone; "
        "ExtractNewRecordState's delete.tombstone.handling.mode drops deletes",
        prefix);
}

static enum sl_rc router_open(const struct sl_props *props, const char *prefix, const char *class_name,
                              void **ret_self, struct sl_error *err)
{
    (void)props;
    (void)class_name;
    (void)ret_self;
    return sl_error_set(
        err, SL_E_UNSUPPORTED,
        "%stype: io.debezium.transforms.ContentBasedRouter runs a script in a Java virtual machine, and "
        "there is none here. HINT: ExtractNewRecordState's route.by.field takes the topic from a column; "
        "RegexRouter renames topics",
        prefix);
}

/* Neither is reached: nothing opens. */
static enum sl_verdict never_apply(void *self, struct sl_message *message, struct sl_arena *arena,
                                   struct sl_error *err)
{
    (void)self;
    (void)message;
    (void)arena;
    (void)sl_error_set(err, SL_E_UNSUPPORTED, "scripts do not run here. HINT: remove the transform");
    return SL_FAIL;
}

static void never_close(void *self)
{
    (void)self;
}

const struct sl_transform_ops sl_transform_scripted_filter = {
    .name = "ScriptedFilter",
    .classes = filter_classes,
    .options = filter_options,
    .open = filter_open,
    .apply = never_apply,
    .close = never_close,
};

const struct sl_transform_ops sl_transform_content_based_router = {
    .name = "ContentBasedRouter",
    .classes = router_classes,
    .options = router_options,
    .open = router_open,
    .apply = never_apply,
    .close = never_close,
};
