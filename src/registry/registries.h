/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registries of one process behind one object: the built-in one, opened when it is first needed, and a
 * client for each served one that converters name. Converters that name the same addresses and logins share a
 * client, and with it what it has learnt.
 *
 * An address that stands in sluice.registry.aliases means the built-in registry, so that connectors which
 * name http://schema-registry:8081 run without a change. Without that key these are the addresses at which
 * the built-in one is served (sluice.registry.listeners); if that port belongs to another program, they mean
 * that one.
 */
#ifndef SLUICE_REGISTRY_REGISTRIES_H
#define SLUICE_REGISTRY_REGISTRIES_H

#include "registry/book.h"
#include "sluice/option.h"

#include <stdbool.h>

struct sl_transport;

/* The worker's keys: sluice.registry.*, kafkastore.topic. */
extern const struct sl_option sl_registry_options[];

/*
 * worker: read now and when the built-in registry is opened; borrowed. transport: what the built-in registry
 * is kept in when workers share a log (group.id); NULL, or without a group: the state directory. read_only:
 * nothing is made, nothing registered. Errors: those of the built-in registry when the state directory has
 * it (read_only: NOT_FOUND when there is none, unless the worker names a served one).
 */
enum sl_rc sl_registries_open(const struct sl_props *worker, struct sl_transport *transport, bool read_only,
                              struct sl_registry **ret, struct sl_error *err);

/* What is to be served; opens the built-in registry. NULL with err. */
struct sl_schema_book *sl_registries_book(struct sl_registry *registries, struct sl_error *err);

/* It could not be served: its addresses mean somebody else. For before converters are opened. */
void sl_registries_not_served(struct sl_registry *registries);

/* Do the worker's own converters use the built-in registry? */
bool sl_registries_builtin_used(const struct sl_props *worker);

/*
 * Copy the registry of a state directory into a transport's: every subject, version, id and setting. Refused
 * (CONFIG) when an id or a version there already means something else. *ret_n: versions copied.
 */
enum sl_rc sl_registries_migrate(const char *state_dir, struct sl_transport *transport, size_t *ret_n,
                                 struct sl_error *err);

#endif
