/* SPDX-License-Identifier: Apache-2.0 */
/* The option table: every property of Debezium's SQL Server connector, and ours. */
#ifndef SLUICE_SOURCE_SQLSERVER_OPTIONS_H
#define SLUICE_SOURCE_SQLSERVER_OPTIONS_H

#include "sluice/option.h"

extern const struct sl_option sl_mssql_options[];

/* Refuse, by name, settings that would change data silently if they were ignored. Errors: UNSUPPORTED. */
enum sl_rc sl_mssql_options_refuse(const struct sl_props *props, struct sl_error *err);

/* Name in the log the settings that ask for something and have no effect here. */
void sl_mssql_options_warn(const struct sl_props *props);

#endif
