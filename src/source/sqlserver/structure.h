/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Debezium says of a column, as Microsoft's JDBC driver reports it: in the records of the schema-change
 * topic (structure.c) and of the schema history (history.c).
 */
#ifndef SLUICE_SOURCE_SQLSERVER_STRUCTURE_H
#define SLUICE_SOURCE_SQLSERVER_STRUCTURE_H

#include "source/sqlserver/catalog.h"

/* java.sql.Types. */
int sl_mssql_jdbc_type(const struct sl_mssql_column *column);

/* Characters of text, bytes of binaries, digits of numbers and dates. */
int64_t sl_mssql_jdbc_length(const struct sl_mssql_column *column);

bool sl_mssql_jdbc_has_scale(const struct sl_mssql_column *column);

#endif
