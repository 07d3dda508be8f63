/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys that every connector knows, whatever its class: Kafka Connect's framework keys, and ours.
 */
#ifndef SLUICE_ENGINE_CONFIG_CONNECTOR_OPTIONS_H
#define SLUICE_ENGINE_CONFIG_CONNECTOR_OPTIONS_H

#include "sluice/option.h"

extern const struct sl_option sl_connector_options[];        /* both kinds */
extern const struct sl_option sl_source_connector_options[]; /* sources besides */
extern const struct sl_option sl_sink_connector_options[];   /* sinks besides */

/* A framework key of any of the three tables, with its default. */
const char *sl_connector_text(const struct sl_props *props, const char *name);
bool sl_connector_bool(const struct sl_props *props, const char *name);
int64_t sl_connector_int(const struct sl_props *props, const char *name);

#endif
