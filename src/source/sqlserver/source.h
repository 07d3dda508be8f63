/* SPDX-License-Identifier: Apache-2.0 */
/* SQL Server as a source: the table of functions that main.c registers. */
#ifndef SLUICE_SOURCE_SQLSERVER_SOURCE_H
#define SLUICE_SOURCE_SQLSERVER_SOURCE_H

#include "sluice/source.h"

extern const struct sl_source_ops sl_source_sqlserver;

/* Check a configuration against the living server; see sl_source_ops.probe (probe.c). */
enum sl_rc sl_mssql_probe(const struct sl_props *props, struct sl_error *err);

#endif
