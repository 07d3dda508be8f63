/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this program can do: the arrays of main.c, and finding an entry in them by the class name that a
 * connector file holds. A class is found by its full Java name, by the last part of it (with or without
 * "Connector" at its end), or by the short name
 * ("sqlserver"). All arrays end with NULL.
 */
#ifndef SLUICE_ENGINE_CONFIG_PLUGINS_H
#define SLUICE_ENGINE_CONFIG_PLUGINS_H

#include "sluice/converter.h"
#include "sluice/registry.h"
#include "sluice/secret.h"
#include "sluice/sink.h"
#include "sluice/source.h"
#include "sluice/transform.h"
#include "sluice/transport.h"

struct sl_plugins {
    const struct sl_source_ops *const *sources;
    const struct sl_sink_ops *const *sinks;
    const struct sl_transport_ops *const *transports;
    const struct sl_converter_ops *const *converters;
    const struct sl_transform_ops *const *transforms;
    const struct sl_provider_ops *const *providers; /* of secrets */
    /*
     * The registries that converters choose from: one object for the process (registry/registries.h).
     * transport: the log, in which the built-in registry may be kept; NULL or read_only: for looking at only.
     */
    enum sl_rc (*open_registry)(const struct sl_props *worker, struct sl_transport *transport, bool read_only,
                                struct sl_registry **ret, struct sl_error *err);
};

/* One of the two is set. Errors: CONFIG, with the nearest class or the list of what there is. */
enum sl_rc sl_plugins_connector(const struct sl_plugins *plugins, const char *class_name,
                                const struct sl_source_ops **ret_source, const struct sl_sink_ops **ret_sink,
                                struct sl_error *err);
enum sl_rc sl_plugins_converter(const struct sl_plugins *plugins, const char *class_name,
                                const struct sl_converter_ops **ret, struct sl_error *err);
/* The log that a worker's properties ask for: the brokers of bootstrap.servers, else the embedded one. */
const struct sl_transport_ops *sl_plugins_transport(const struct sl_plugins *plugins,
                                                    const struct sl_props *worker);
enum sl_rc sl_plugins_transform(const struct sl_plugins *plugins, const char *class_name,
                                const struct sl_transform_ops **ret, struct sl_error *err);

#endif
