/* SPDX-License-Identifier: Apache-2.0 */
#include "scalars.h"

#include <strings.h>

static const struct ms_scalar_entry entries[] = {
    {"fn_cdc_get_max_lsn", "ms_fn_cdc_get_max_lsn", "binary(10)", "", 0, true, true},
    {"fn_cdc_get_min_lsn", "ms_fn_cdc_get_min_lsn", "binary(10)", "nvarchar(128)", 1, true, true},
    {"fn_cdc_increment_lsn", "ms_fn_cdc_increment_lsn", "binary(10)", "binary(10)", 1, false, true},
    {"fn_cdc_decrement_lsn", "ms_fn_cdc_decrement_lsn", "binary(10)", "binary(10)", 1, false, true},
    {"fn_cdc_map_lsn_to_time", "ms_fn_cdc_map_lsn_to_time", "datetime", "binary(10)", 1, true, true},
    {"fn_cdc_map_time_to_lsn", "ms_fn_cdc_map_time_to_lsn", "binary(10)", "nvarchar(128);datetime", 2, true,
     true},
    {"fn_cdc_is_bit_set", "ms_fn_cdc_is_bit_set", "bit", "int;varbinary(128)", 2, false, true},
    {"fn_cdc_get_column_ordinal", "ms_fn_cdc_get_column_ordinal", "int", "nvarchar(128);nvarchar(128)", 2,
     true, true},
    {"fn_cdc_has_column_changed", "ms_fn_cdc_has_column_changed", "bit",
     "nvarchar(128);nvarchar(128);varbinary(128)", 3, true, true},

    {"object_id", "ms_object_id", "int", "nvarchar(1000);nvarchar(10)", 1, false, false},
    {"object_name", "ms_object_name", "nvarchar(128)", "int;int", 1, false, false},
    {"object_schema_name", "ms_object_schema_name", "nvarchar(128)", "int;int", 1, false, false},
    {"object_definition", "ms_object_definition", "nvarchar(max)", "int", 1, false, false},
    {"db_id", "ms_db_id", "smallint", "nvarchar(128)", 0, false, false},
    {"db_name", "ms_db_name", "nvarchar(128)", "int", 0, false, false},
    {"schema_id", "ms_schema_id", "int", "nvarchar(128)", 0, false, false},
    {"schema_name", "ms_schema_name", "nvarchar(128)", "int", 0, false, false},
    {"col_name", "ms_col_name", "nvarchar(128)", "int;int", 2, false, false},
    {"col_length", "ms_col_length", "smallint", "nvarchar(1000);nvarchar(128)", 2, false, false},
    {"type_id", "ms_type_id_of", "int", "nvarchar(128)", 1, false, false},
    {"type_name", "ms_type_name_of", "nvarchar(128)", "int", 1, false, false},
    {"columnproperty", "ms_columnproperty", "int", "int;nvarchar(128);nvarchar(128)", 3, false, false},
    {"objectproperty", "ms_objectproperty", "int", "int;nvarchar(128)", 2, false, false},
    {"objectpropertyex", "ms_objectproperty", "int", "int;nvarchar(128)", 2, false, false},
    {"index_col", "ms_index_col", "nvarchar(128)", "nvarchar(1000);int;int", 3, false, false},
    {"indexproperty", "ms_indexproperty", "int", "int;nvarchar(128);nvarchar(128)", 3, false, false},
    {"ident_current", "ms_ident_current", "decimal(18,0)", "nvarchar(1000)", 1, false, false},
    {"ident_seed", "ms_ident_seed", "decimal(18,0)", "nvarchar(1000)", 1, false, false},
    {"ident_incr", "ms_ident_incr", "decimal(18,0)", "nvarchar(1000)", 1, false, false},
    {"databasepropertyex", "ms_databasepropertyex", "nvarchar(128)", "nvarchar(128);nvarchar(128)", 2, false,
     false},
    {"has_dbaccess", "ms_has_dbaccess", "int", "nvarchar(128)", 1, false, false},
    {"is_member", "ms_is_member", "int", "nvarchar(128)", 1, false, false},
    {"is_rolemember", "ms_is_rolemember", "int", "nvarchar(128);nvarchar(128)", 1, false, false},
    {"is_srvrolemember", "ms_is_srvrolemember", "int", "nvarchar(128);nvarchar(128)", 1, false, false},
    {"suser_name", "ms_suser_name", "nvarchar(128)", "int", 0, false, false},
    {"suser_sname", "ms_suser_name", "nvarchar(128)", "any", 0, false, false},
    {"suser_id", "ms_suser_id", "int", "nvarchar(128)", 0, false, false},
    {"original_login", "ms_suser_name", "nvarchar(128)", "", 0, false, false},
    {"user_name", "ms_user_name", "nvarchar(128)", "int", 0, false, false},
    {"user_id", "ms_user_id", "int", "nvarchar(128)", 0, false, false},
    {"database_principal_id", "ms_user_id", "int", "nvarchar(128)", 0, false, false},
    {"has_perms_by_name", "ms_has_perms_by_name", "int", "nvarchar(128);nvarchar(128);nvarchar(128)", 3,
     false, false},
};

const struct ms_scalar_entry *ms_scalar_find(const char *name)
{
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
        if (strcasecmp(entries[i].name, name) == 0)
            return &entries[i];
    }
    return NULL;
}
