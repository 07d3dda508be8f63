/* SPDX-License-Identifier: Apache-2.0 */
/* CREATE TABLE and ALTER TABLE; called from execute_ddl.c inside a WRITE statement. */
#ifndef SIM_SQLSERVER_TSQL_DDL_TABLE_H
#define SIM_SQLSERVER_TSQL_DDL_TABLE_H

#include "execute.h"

/* Where a name points to: its database's id, schema and own name (NULL: not written). */
struct ms_ddl_place {
    int32_t db_id;
    const char *database;
    const char *schema;
    const char *name;
};

bool ms_ddl_place_of(struct ms_run *run, const struct ms_name *name, struct ms_ddl_place *ret); /* 911 */
const struct ms_table *ms_ddl_table_of(struct ms_run *run,
                                       const struct ms_name *name); /* NULL: there is none */
bool ms_ddl_run_create_table(struct ms_run *run, const struct ms_statement *st);
bool ms_ddl_run_alter_table(struct ms_run *run, const struct ms_statement *st);

#endif
