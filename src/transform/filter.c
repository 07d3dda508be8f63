/* SPDX-License-Identifier: Apache-2.0 */
/* Kafka Connect's Filter: drops every record that it is given; a predicate says which. */
#include "transform/transforms.h"

static const char *const classes[] = {"org.apache.kafka.connect.transforms.Filter", NULL};

static const struct sl_option options[] = {{0}};

static enum sl_rc filter_open(const struct sl_props *props, const char *prefix, const char *class_name,
                              void **ret_self, struct sl_error *err)
{
    (void)props;
    (void)prefix;
    (void)class_name;
    (void)err;
    *ret_self = NULL;
    return SL_OK;
}

static enum sl_verdict filter_apply(void *self, struct sl_message *message, struct sl_arena *arena,
                                    struct sl_error *err)
{
    (void)self;
    (void)message;
    (void)arena;
    (void)err;
    return SL_DROP;
}

static void filter_close(void *self)
{
    (void)self;
}

const struct sl_transform_ops sl_transform_filter = {
    .name = "Filter",
    .classes = classes,
    .options = options,
    .open = filter_open,
    .apply = filter_apply,
    .close = filter_close,
};
