/* SPDX-License-Identifier: Apache-2.0 */
/* What every task of the process shares, and what a task is made from. All of it outlives the tasks. */
#ifndef SLUICE_ENGINE_TASK_CONTEXT_H
#define SLUICE_ENGINE_TASK_CONTEXT_H

#include "base/budget.h"
#include <stdatomic.h>
#include "engine/log_writer.h"
#include "engine/config/plugins.h"
#include "engine/secrets/secrets.h"
#include "engine/topics.h"

struct sl_shared {
    const struct sl_plugins *plugins;
    const struct sl_props *worker;
    struct sl_transport *transport;
    struct sl_registry *registry;
    struct sl_topics *topics;
    struct sl_log_writer *writer;
    struct sl_budget *budget;
    struct sl_secrets *secrets;              /* the worker's config providers; NULL: none */
    struct sl_topic_settings topic_settings; /* the worker's defaults */

    /* A task's threads have ended, or it has failed, paused or resumed; any thread. */
    void (*task_changed)(void *ctx);
    /* A task uses a topic for the first time since its start; its own threads. */
    void (*topic_used)(void *ctx, const char *connector, int task, const struct sl_topic *topic);
    void *ctx;
};

/* A connector as checked: who it is and its configuration. Counted: see connector_config.h. */
struct sl_connector {
    _Atomic int refs;
    char *name;
    struct sl_props *props;             /* what runs: references resolved, secrets hidden (base/props.h) */
    struct sl_props *raw;               /* as it was given: what is stored and shown */
    int64_t ttl_ms;                     /* how long the resolved values are good for; -1: for ever */
    const struct sl_source_ops *source; /* one of the two */
    const struct sl_sink_ops *sink;
    int tasks;
};

#endif
