/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker's properties file: Kafka Connect's keys and ours ("sluice.*"). Keys of Connect that have no
 * meaning here are taken without a word, so that an existing file can be used as it is; keys that nobody
 * knows are named once in a warning.
 */
#ifndef SLUICE_ENGINE_CONFIG_WORKER_CONFIG_H
#define SLUICE_ENGINE_CONFIG_WORKER_CONFIG_H

#include "base/log.h"
#include "engine/config/plugins.h"
#include "engine/secrets/secrets.h"

extern const struct sl_option sl_worker_options[];

/* Read the file and fill in defaults (sluice.state.dir). path NULL: defaults only. Errors: NOT_FOUND, CONFIG.
 */
enum sl_rc sl_worker_config_read(const char *path, struct sl_props **ret, struct sl_error *err);

/*
 * Open the config providers that the properties name and replace the references in them: *props is exchanged.
 * With complaints nothing is opened. *ret_secrets is NULL when no provider is named. Errors: the providers'.
 */
enum sl_rc sl_worker_config_resolve(struct sl_props **props, const struct sl_plugins *plugins,
                                    struct sl_complaints *complaints, struct sl_secrets **ret_secrets,
                                    struct sl_error *err);

/* Check the keys against our table, the transports' and the worker's converters'. */
void sl_worker_config_check(const struct sl_props *props, const struct sl_plugins *plugins,
                            struct sl_complaints *complaints);

/* Warn once of the keys that nobody knows. */
void sl_worker_config_warn_unknown(const struct sl_props *props, const struct sl_plugins *plugins);

/* Level and form of log lines as the properties say. */
void sl_worker_config_open_log(const struct sl_props *props);

/* "host:port" that this worker is known by in statuses: what its REST listener advertises. Heap, of the
 * caller. */
char *sl_worker_config_id(const struct sl_props *props);

/* Settings of topics that nobody says anything else about. */
struct sl_topic_settings sl_worker_config_topics(const struct sl_props *props);

#endif
