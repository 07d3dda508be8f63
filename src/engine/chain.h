/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connector's chain of transforms, in the order of its `transforms` key. One chain belongs to one thread of
 * one task.
 */
#ifndef SLUICE_ENGINE_CHAIN_H
#define SLUICE_ENGINE_CHAIN_H

#include "engine/config/plugins.h"
#include "transform/predicate.h"

struct sl_link {
    struct sl_transform transform;
    char *alias;
    char *class_name;               /* as the user wrote it */
    struct sl_predicate *predicate; /* NULL: always */
};

struct sl_chain {
    struct sl_link *links;
    size_t n;
    size_t capacity;
    const struct sl_link *failed; /* after SL_FAIL: who */
};

/* Errors: CONFIG, naming the key. On failure nothing stays open. */
enum sl_rc sl_chain_open(struct sl_chain *ret, const struct sl_plugins *plugins, const struct sl_props *props,
                         struct sl_error *err);
void sl_chain_close(struct sl_chain *chain);

/* Send a message through. The first verdict that is not KEEP ends the way. */
enum sl_verdict sl_chain_apply(struct sl_chain *chain, struct sl_message *message, struct sl_arena *arena,
                               struct sl_error *err);

/*
 * The topic names of a comma list as the chain would rename them, as a comma list (heap, of the caller). For
 * checks before the first record: transforms that want more than a topic name are passed over.
 */
char *sl_chain_route(struct sl_chain *chain, const char *topics);

#endif
