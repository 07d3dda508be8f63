/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Single-message transforms. One instance stands at one place of one task's chain and sees the batch run by
 * run; what depends on a schema is compiled when the schema is first seen.
 *
 * Threads: an instance belongs to one thread.
 */
#ifndef SLUICE_TRANSFORM_H
#define SLUICE_TRANSFORM_H

#include "option.h"
#include "record.h"

/* What became of a record. */
enum sl_verdict {
    SL_KEEP = 0,
    SL_DROP,
    SL_FAIL, /* a data error; err says why, and the record goes the way of bad records */
};

/* A record with what its run says, as a transform sees and changes it. */
struct sl_message {
    const struct sl_topic *topic;
    const struct sl_schema *key_schema;
    const struct sl_schema *value_schema;
    struct sl_record record;
};

struct sl_transform_ops {
    const char *name;           /* "ExtractNewRecordState" */
    const char *const *classes; /* Java class names with $Key / $Value where they exist, NULL-ended */
    const struct sl_option *options;

    /* Keys are read as prefix + name, e.g. "transforms.unwrap.". class_name is the one that the user wrote.
     */
    enum sl_rc (*open)(const struct sl_props *props, const char *prefix, const char *class_name,
                       void **ret_self, struct sl_error *err);

    /*
     * Change the message in place; new bytes and values come from the arena (the batch's). Called once per
     * record in order; consecutive messages mostly share topic and schemas, so an instance keeps its last
     * plan at hand.
     */
    enum sl_verdict (*apply)(void *self, struct sl_message *message, struct sl_arena *arena,
                             struct sl_error *err);
    void (*close)(void *self);
};

struct sl_transform {
    const struct sl_transform_ops *ops;
    void *self;
};

#endif
