/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A schema registry: schema text to id, id to schema text. Ids and subjects behave as Confluent's registry:
 * the same text gets the same id in every subject; versions count from 1 in each subject.
 *
 * Threads: every function may be called from any thread.
 */
#ifndef SLUICE_REGISTRY_H
#define SLUICE_REGISTRY_H

#include "error.h"
#include <stdint.h>

struct sl_registry;

struct sl_registry_ops {
    const char *name; /* "builtin", later "http" */
    /* Find or add the text under the subject. On SL_OK the id is durable and never means anything else. */
    enum sl_rc (*register_schema)(struct sl_registry *registry, const char *subject, const char *text,
                                  int32_t *ret_id, struct sl_error *err);
    /* *ret_text is heap memory of the caller (sl_free). Unknown id: NOT_FOUND. */
    enum sl_rc (*schema_by_id)(struct sl_registry *registry, int32_t id, char **ret_text,
                               struct sl_error *err);
    /* The newest version of a subject. */
    enum sl_rc (*latest)(struct sl_registry *registry, const char *subject, int32_t *ret_version,
                         int32_t *ret_id, char **ret_text, struct sl_error *err);
    void (*close)(struct sl_registry *registry);
};

/* The first member of every implementation. */
struct sl_registry {
    const struct sl_registry_ops *ops;
};

#endif
