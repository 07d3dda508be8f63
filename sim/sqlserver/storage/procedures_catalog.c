/* SPDX-License-Identifier: Apache-2.0 */
/* The catalogue procedures of ODBC and JDBC, as queries. */
#include "procedures.h"

const struct ms_procedure_entry ms_procedures_catalog[] = {
    {"sp_databases", "", "DATABASE_NAME sysname, DATABASE_SIZE int, REMARKS varchar(254)",
     "SELECT name,8192,NULL FROM sys_databases WHERE ms_database_visible(db_id) ORDER BY name", NULL},
};
const size_t ms_procedures_catalog_count = sizeof ms_procedures_catalog / sizeof ms_procedures_catalog[0];
