/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connector file becomes a checked connector: its class is found, every key is checked against the tables
 * that know it, and its transforms and converters can be made. What is wrong is told key by key.
 */
#ifndef SLUICE_ENGINE_CONFIG_CONNECTOR_CONFIG_H
#define SLUICE_ENGINE_CONFIG_CONNECTOR_CONFIG_H

#include "engine/task_context.h"

/*
 * Read a connector file: JSON, or Java properties when its name ends in ".properties". Errors: NOT_FOUND,
 * CONFIG (the file itself).
 */
enum sl_rc sl_connector_read(const char *path, struct sl_props **ret, struct sl_error *err);

/*
 * Resolve the references to secrets in a configuration, check it and make the connector from it, which takes
 * the props over. With complaints nothing is made and *ret is NULL. Blocks for as long as the config
 * providers take; secrets NULL: there are none.
 */
void sl_connector_check(struct sl_props *props, const struct sl_plugins *plugins,
                        const struct sl_props *worker, struct sl_secrets *secrets,
                        struct sl_complaints *complaints, struct sl_connector **ret);

/* One more who holds it; each lets go with sl_connector_free, the last one frees it. */
struct sl_connector *sl_connector_ref(struct sl_connector *connector);
void sl_connector_free(struct sl_connector *connector); /* NULL is fine */

/* Warn once of the keys that nobody knows. */
void sl_connector_warn_unknown(const struct sl_connector *connector, const struct sl_plugins *plugins,
                               const struct sl_props *worker);

/*
 * Try it against the live system (source.h, sink.h): connect, log in, look for what is named. Blocks for as
 * long as connecting takes.
 */
enum sl_rc sl_connector_probe(const struct sl_connector *connector, const struct sl_plugins *plugins,
                              struct sl_error *err);

#endif
