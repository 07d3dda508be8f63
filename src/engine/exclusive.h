/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exactly once at the source (KIP-618): under which id a source task writes in transactions. The same id as
 * Kafka Connect gives its tasks, so that a Java task of the same name is shut out by ours, and ours by it.
 */
#ifndef SLUICE_ENGINE_EXCLUSIVE_H
#define SLUICE_ENGINE_EXCLUSIVE_H

#include "base/props.h"

#include <stdbool.h>

/* The worker's exactly.once.source.support is "enabled", and it is one of a group. "preparing" is what a
 * worker of Java says before all of them can; here it changes nothing. */
bool sl_exclusive_enabled(const struct sl_props *worker);

/* "<group>-<connector>-<task>"; heap memory of the caller. */
char *sl_exclusive_id(const char *group, const char *connector, int task);

/*
 * What a connector asks for (exactly.once.support, transaction.boundary) against what the worker does.
 * Errors: CONFIG, in Connect's words where it has any.
 */
enum sl_rc sl_exclusive_check(const struct sl_props *worker, const struct sl_props *connector,
                              struct sl_error *err);

#endif
