/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A schema registry: schema text to id, id to schema text, with the meaning that Confluent's registry gives
 * them. A subject holds versions of a schema, counted from 1; the same text has the same id in every subject.
 *
 * Two stand behind this contract: the built-in one (in the state directory, or in a compacted topic), and a
 * client of one that is served over HTTP. The engine opens one object; a converter asks it, by choose, for
 * the one that its own configuration names.
 *
 * Threads: every function may be called from any thread. Calls may wait: for a disk, or for a server as long
 * as the client's time-outs and retries say.
 */
#ifndef SLUICE_REGISTRY_H
#define SLUICE_REGISTRY_H

#include "error.h"
#include <stdint.h>

struct sl_registry;
struct sl_props;

enum { SL_REGISTRY_LATEST = -1 };

/* What a registry tells of a schema: heap memory of the caller, given back with sl_registry_found_done. */
struct sl_registry_found {
    int32_t id;
    int32_t version; /* within the subject asked about; 0 when no subject was */
    char *text;
    char **before; /* texts of the schemas that this one refers to, in the order to parse them; often none */
    size_t n_before;
};

void sl_registry_found_done(struct sl_registry_found *found);

struct sl_registry_ops {
    const char *name; /* "builtin", "http" */
    /*
     * The registry that the keys under prefix name: schema.registry.url with its logins, TLS and time-outs,
     * or the built-in one. *ret belongs to this registry and lives as long as it. NULL: always itself.
     * Errors: CONFIG.
     */
    enum sl_rc (*choose)(struct sl_registry *registry, const struct sl_props *props, const char *prefix,
                         struct sl_registry **ret, struct sl_error *err);
    /*
     * Find or add the text under the subject. On SL_OK the id is durable and never means anything else.
     * normalize: order of properties and the like do not matter. Errors: DATA: the text is no schema, or an
     * incompatible one; the registry's own explanation is in the text. CONFIG: read-only.
     */
    enum sl_rc (*register_schema)(struct sl_registry *registry, const char *subject, const char *text,
                                  bool normalize, int32_t *ret_id, struct sl_error *err);
    /* The same without adding. Errors: NOT_FOUND (no such subject, or not this text in it). */
    enum sl_rc (*look_up)(struct sl_registry *registry, const char *subject, const char *text, bool normalize,
                          int32_t *ret_id, struct sl_error *err);
    /* subject may be NULL; registries with contexts look for the id in that of the subject. Unknown id:
     * NOT_FOUND. */
    enum sl_rc (*schema_by_id)(struct sl_registry *registry, int32_t id, const char *subject,
                               struct sl_registry_found *ret, struct sl_error *err);
    /* A version of a subject, or SL_REGISTRY_LATEST. Errors: NOT_FOUND. */
    enum sl_rc (*version)(struct sl_registry *registry, const char *subject, int32_t version,
                          struct sl_registry_found *ret, struct sl_error *err);
    /* Calls that wait for a server, and later ones, end soon with STOPPED. NULL: none waits for long. */
    void (*stop)(struct sl_registry *registry);
    void (*close)(struct sl_registry *registry);
};

/* The first member of every implementation. */
struct sl_registry {
    const struct sl_registry_ops *ops;
};

#endif
