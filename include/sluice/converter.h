/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Converters: schema and value to bytes, and back. Plans are compiled once per schema and kept inside; the
 * per-record calls are loops over arrays.
 *
 * Threads: an instance belongs to one thread.
 */
#ifndef SLUICE_CONVERTER_H
#define SLUICE_CONVERTER_H

#include "option.h"
#include "record.h"

struct sl_registry;
struct sl_buf; /* base/buf.h: a growing byte buffer */

struct sl_converter_ops {
    const char *name;                /* "avro", "json", "string", "bytes" */
    const char *const *classes;      /* Java class names, NULL-ended; the first is the canonical one */
    const struct sl_option *options; /* keys under key.converter. / value.converter. */

    /* registry may be NULL for converters that need none. The instance keeps pointers to neither props nor
     * prefix. */
    enum sl_rc (*open)(const struct sl_props *props, const char *prefix, bool is_key,
                       struct sl_registry *registry, void **ret_self, struct sl_error *err);

    /*
     * Append the encoded value to out; *ret_null says that the encoded form is null (a tombstone).
     * Errors: DATA (the value does not fit its schema), or the registry's.
     */
    enum sl_rc (*encode)(void *self, const struct sl_topic *topic, const struct sl_schema *schema,
                         struct sl_value value, struct sl_buf *out, bool *ret_null, struct sl_error *err);

    /*
     * Decode bytes (ptr NULL: null). The value may point into the bytes and into the arena; both must outlive
     * it. *ret_schema is interned, or NULL for schemaless and null values.
     */
    enum sl_rc (*decode)(void *self, const struct sl_topic *topic, struct sl_span bytes,
                         struct sl_arena *arena, const struct sl_schema **ret_schema,
                         struct sl_value *ret_value, struct sl_error *err);
    void (*close)(void *self);
};

struct sl_converter {
    const struct sl_converter_ops *ops;
    void *self;
};

#endif
