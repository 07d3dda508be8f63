/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/chain.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/props.h"

#include <stdio.h>

static enum sl_rc open_link(struct sl_chain *chain, const struct sl_plugins *plugins,
                            const struct sl_props *props, const char *alias, struct sl_error *err)
{
    const struct sl_transform_ops *ops = NULL;
    struct sl_predicate *predicate = NULL;
    const char *class_name;
    char key[300];
    void *self;
    enum sl_rc rc;

    (void)snprintf(key, sizeof(key), "transforms.%s.type", alias);
    class_name = sl_props_get(props, key);
    if (!class_name || !*class_name)
        return sl_error_set(err, SL_E_CONFIG, "%s is not given. HINT: name the transform's class", key);
    rc = sl_plugins_transform(plugins, class_name, &ops, err);
    if (rc) {
        (void)sl_error_wrap(err, "%s", key);
        return rc;
    }
    rc = sl_predicate_open(props, alias, &predicate, err);
    if (rc)
        return rc;
    (void)snprintf(key, sizeof(key), "transforms.%s.", alias);
    rc = ops->open(props, key, class_name, &self, err);
    if (rc) {
        sl_predicate_close(predicate);
        (void)sl_error_wrap(err, "transform '%s'", alias);
        return rc;
    }
    SL_GROW(chain->links, chain->n, chain->capacity);
    chain->links[chain->n++] = (struct sl_link){
        .transform = {.ops = ops, .self = self},
        .alias = sl_strdup(alias),
        .class_name = sl_strdup(class_name),
        .predicate = predicate,
    };
    return SL_OK;
}

enum sl_rc sl_chain_open(struct sl_chain *ret, const struct sl_plugins *plugins, const struct sl_props *props,
                         struct sl_error *err)
{
    const char *cursor = sl_props_get(props, "transforms");
    struct sl_chain chain = {0};
    char alias[200];

    while (cursor && sl_list_next(&cursor, alias, sizeof(alias))) {
        enum sl_rc rc = open_link(&chain, plugins, props, alias, err);

        if (rc) {
            sl_chain_close(&chain);
            return rc;
        }
    }
    *ret = chain;
    return SL_OK;
}

void sl_chain_close(struct sl_chain *chain)
{
    for (size_t i = 0; i < chain->n; i++) {
        struct sl_link *link = &chain->links[i];

        link->transform.ops->close(link->transform.self);
        sl_predicate_close(link->predicate);
        sl_free(link->alias);
        sl_free(link->class_name);
    }
    sl_free(chain->links);
    *chain = (struct sl_chain){0};
}

enum sl_verdict sl_chain_apply(struct sl_chain *chain, struct sl_message *message, struct sl_arena *arena,
                               struct sl_error *err)
{
    for (size_t i = 0; i < chain->n; i++) {
        const struct sl_link *link = &chain->links[i];
        enum sl_verdict verdict;

        if (!sl_predicate_holds(link->predicate, message))
            continue;
        verdict = link->transform.ops->apply(link->transform.self, message, arena, err);
        if (verdict != SL_KEEP) {
            chain->failed = link;
            return verdict;
        }
    }
    return SL_KEEP;
}

static const struct sl_topic *route_one(struct sl_chain *chain, const char *name, struct sl_arena *arena)
{
    const struct sl_topic *topic = sl_topic_intern(name, strlen(name));

    for (size_t i = 0; i < chain->n; i++) {
        const struct sl_link *link = &chain->links[i];
        struct sl_error ignored;
        struct sl_message message = {
            .topic = topic,
            .record = {.key = sl_null(), .value = sl_null(), .timestamp_ms = SL_NO_TIMESTAMP, .offset = -1},
        };

        if (sl_predicate_holds(link->predicate, &message) &&
            link->transform.ops->apply(link->transform.self, &message, arena, &ignored) == SL_KEEP)
            topic = message.topic;
    }
    return topic;
}

char *sl_chain_route(struct sl_chain *chain, const char *topics)
{
    struct sl_arena *arena = sl_arena_new(1024);
    struct sl_buf routed = {0};
    char name[256];

    while (sl_list_next(&topics, name, sizeof(name))) {
        if (routed.len)
            sl_buf_u8(&routed, ',');
        sl_buf_text(&routed, route_one(chain, name, arena)->name);
    }
    sl_arena_free(arena);
    (void)sl_buf_cstr(&routed);
    return (char *)routed.data;
}
