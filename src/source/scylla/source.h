/* SPDX-License-Identifier: Apache-2.0 */
/* ScyllaDB as a source: the table of functions that main.c registers. */
#ifndef SLUICE_SOURCE_SCYLLA_SOURCE_H
#define SLUICE_SOURCE_SCYLLA_SOURCE_H

#include "sluice/source.h"

extern const struct sl_source_ops sl_source_scylla;

/* Check a configuration against the living cluster; see sl_source_ops.probe (probe.c). */
enum sl_rc sl_scylla_probe(const struct sl_props *props, struct sl_error *err);

#endif
