/* SPDX-License-Identifier: Apache-2.0 */
/* Positions of either kind of connector, for herder_offsets.c. Any thread. */
#ifndef SLUICE_ENGINE_HERD_HERD_OFFSETS_H
#define SLUICE_ENGINE_HERD_HERD_OFFSETS_H

#include "engine/config/connector_config.h"
#include "engine/herd/herd.h"

/* Append {"partition","offset"} for every position. */
enum sl_rc sl_herd_source_offsets(struct sl_herder *herder, const char *name, json_t *offsets,
                                  struct sl_error *err);
enum sl_rc sl_herd_sink_offsets(struct sl_herder *herder, const char *name, json_t *config, json_t *offsets,
                                struct sl_error *err);

/*
 * Change positions of a connector without tasks: those that offsets (entries of the right shape) name, offset
 * null removes one; offsets NULL removes all. Errors: CONFIG (a partition or an offset that cannot be), the
 * log's, the target's.
 */
enum sl_rc sl_herd_change_source(struct sl_herder *herder, const struct sl_connector *connector,
                                 const json_t *offsets, struct sl_error *err);
enum sl_rc sl_herd_change_sink(struct sl_herder *herder, const struct sl_connector *connector,
                               const json_t *offsets, struct sl_error *err);

#endif
