/* SPDX-License-Identifier: Apache-2.0 */
#include "views.h"

/* A user sees the objects that it may do something with; the others see nothing of them. */
#define VISIBLE " AND ms_visible(o.object_id)"

#define TYPE_DESC                                                                                      \
    "CASE o.type WHEN 'U' THEN 'USER_TABLE' WHEN 'V' THEN 'VIEW' WHEN 'P' THEN 'SQL_STORED_PROCEDURE'" \
    " WHEN 'FN' THEN 'SQL_SCALAR_FUNCTION' WHEN 'IF' THEN 'SQL_INLINE_TABLE_VALUED_FUNCTION'"          \
    " WHEN 'TF' THEN 'SQL_TABLE_VALUED_FUNCTION' WHEN 'PK' THEN 'PRIMARY_KEY_CONSTRAINT'"              \
    " WHEN 'UQ' THEN 'UNIQUE_CONSTRAINT' WHEN 'F' THEN 'FOREIGN_KEY_CONSTRAINT'"                       \
    " WHEN 'C' THEN 'CHECK_CONSTRAINT' WHEN 'D' THEN 'DEFAULT_CONSTRAINT' ELSE o.type END"

/* type is char(2), padded */
#define OBJECT_COLUMNS                                                                                       \
    "name sysname!, object_id int!, principal_id int, schema_id int!, parent_object_id int!, type char(2)!," \
    " type_desc nvarchar(60), create_date datetime!, modify_date datetime!, is_ms_shipped bit!, "            \
    "is_published bit!,"                                                                                     \
    " is_schema_published bit!"
#define OBJECT_SELECT                                                                    \
    "o.name,o.object_id,NULL,o.schema_id,o.parent_id,substr(o.type||' ',1,2)," TYPE_DESC \
    ",o.create_date,o.modify_date,o.is_ms_shipped,0,0"
#define OBJECTS " FROM sys_objects o WHERE o.db_id={db}"

#define COLUMN_COLUMNS                                                                                      \
    "object_id int!, name sysname, column_id int!, system_type_id tinyint!, user_type_id int!, max_length " \
    "smallint!,"                                                                                            \
    " precision tinyint!, scale tinyint!, collation_name sysname, is_nullable bit, is_ansi_padded bit!,"    \
    " is_rowguidcol bit!, is_identity bit!, is_computed bit!, is_filestream bit!, is_replicated bit,"       \
    " is_non_sql_subscribed bit, is_merge_published bit, is_dts_replicated bit, is_xml_document bit!,"      \
    " xml_collection_id int!, default_object_id int!, rule_object_id int!, is_sparse bit, is_column_set "   \
    "bit,"                                                                                                  \
    " generated_always_type tinyint, generated_always_type_desc nvarchar(60), encryption_type int,"         \
    " encryption_type_desc nvarchar(64), encryption_algorithm_name sysname, column_encryption_key_id int,"  \
    " column_encryption_key_database_name sysname, is_hidden bit, is_masked bit!"
#define COLUMN_SELECT                                                                 \
    "c.object_id,c.name,c.column_id,iif(c.type_id BETWEEN 128 AND "                   \
    "130,240,c.type_id),c.type_id,ms_column_size(c.type_id,c.length,c.precision,c."   \
    "scale),"                                                                         \
    "ms_column_precision(c.type_id,c.length,c.precision,c.scale),"                    \
    "ms_column_scale(c.type_id,c.length,c.precision,c.scale),c.collation,c.nullable," \
    "c.type_id IN (175,167,173,165,239,231),c.rowguid,c.identity,c.computed IS NOT "  \
    "NULL,0,o.tracked>0,0,0,0,0,0,"                                                   \
    "c.default_id,0,0,0,0,'NOT_APPLICABLE',NULL,NULL,NULL,NULL,NULL,0,0"
#define COLUMNS " FROM sys_columns c JOIN sys_objects o ON o.object_id=c.object_id WHERE o.db_id={db}" VISIBLE

const struct ms_view ms_views_objects[] = {
    {"sys", "objects", OBJECT_COLUMNS, "SELECT " OBJECT_SELECT OBJECTS VISIBLE},
    {"sys", "all_objects", OBJECT_COLUMNS, "SELECT " OBJECT_SELECT OBJECTS VISIBLE},
    {"sys", "tables",
     OBJECT_COLUMNS
     ", lob_data_space_id int!, filestream_data_space_id int, max_column_id_used int!,"
     " lock_on_bulk_load bit!, uses_ansi_nulls bit, is_replicated bit, has_replication_filter bit,"
     " is_merge_published bit, is_sync_tran_subscribed bit, has_unchecked_assembly_data bit!,"
     " text_in_row_limit int, large_value_types_out_of_row bit, is_tracked_by_cdc bit,"
     " lock_escalation tinyint, lock_escalation_desc nvarchar(60), is_filetable bit,"
     " is_memory_optimized bit, durability tinyint, durability_desc nvarchar(60),"
     " temporal_type tinyint, temporal_type_desc nvarchar(60), history_table_id int,"
     " is_remote_data_archive_enabled bit, is_external bit!",
     "SELECT " OBJECT_SELECT
     ",0,NULL,o.max_column_id,0,1,o.tracked>0,0,0,0,0,0,0,o.tracked>0,0,'TABLE',0,0,0,"
     "'SCHEMA_AND_DATA',0,'NON_TEMPORAL_TABLE',NULL,0,0" OBJECTS " AND o.type='U'" VISIBLE},
    {"sys", "views",
     OBJECT_COLUMNS
     ", is_replicated bit, has_replication_filter bit, has_opaque_metadata bit!,"
     " has_unchecked_assembly_data bit!, with_check_option bit!, is_date_correlation_view bit!",
     "SELECT " OBJECT_SELECT ",0,0,0,0,0,0" OBJECTS " AND o.type='V'" VISIBLE},
    {"sys", "procedures",
     OBJECT_COLUMNS ", is_auto_executed bit!, is_execution_replicated bit, is_repl_serializable_only bit,"
                    " skips_repl_constraints bit",
     "SELECT " OBJECT_SELECT ",0,0,0,0" OBJECTS " AND o.type='P'" VISIBLE},
    {"sys", "columns", COLUMN_COLUMNS, "SELECT " COLUMN_SELECT COLUMNS},
    {"sys", "all_columns", COLUMN_COLUMNS, "SELECT " COLUMN_SELECT COLUMNS},
    {"sys", "identity_columns",
     COLUMN_COLUMNS
     ", seed_value bigint, increment_value bigint, last_value bigint, is_not_for_replication bit",
     "SELECT " COLUMN_SELECT ",c.seed,c.increment,ms_identity_last(c.object_id),0" COLUMNS
     " AND c.identity=1"},
    {"sys", "computed_columns",
     COLUMN_COLUMNS ", definition nvarchar(max), uses_database_collation bit!, is_persisted bit!",
     "SELECT " COLUMN_SELECT ",c.computed,0,c.persisted" COLUMNS " AND c.computed IS NOT NULL"},
    {"sys", "schemas", "name sysname!, schema_id int!, principal_id int",
     "SELECT name,schema_id,principal_id FROM sys_schemas WHERE db_id={db}"},
    {"sys", "indexes",
     "object_id int!, name sysname, index_id int!, type tinyint!, type_desc nvarchar(60), is_unique bit,"
     " data_space_id int, ignore_dup_key bit, is_primary_key bit, is_unique_constraint bit, fill_factor "
     "tinyint!,"
     " is_padded bit, is_disabled bit, is_hypothetical bit, is_ignored_in_optimization bit, allow_row_locks "
     "bit,"
     " allow_page_locks bit, has_filter bit, filter_definition nvarchar(max), compression_delay int,"
     " suppress_dup_key_messages bit, auto_created bit, optimize_for_sequential_key bit",
     "SELECT i.object_id,i.name,i.index_id,CASE WHEN i.clustered THEN 1 ELSE 2 END,"
     "CASE WHEN i.clustered THEN 'CLUSTERED' ELSE 'NONCLUSTERED' "
     "END,i.is_unique,1,i.ignore_dup_key,i.is_primary_key,"
     "i.is_unique_constraint,0,0,0,0,0,1,1,i.filter IS NOT NULL,i.filter,NULL,0,0,0 FROM sys_indexes i"
     " JOIN sys_objects o ON o.object_id=i.object_id WHERE o.db_id={db}" VISIBLE
     " UNION ALL SELECT o.object_id,NULL,0,0,'HEAP',0,1,0,0,0,0,0,0,0,0,1,1,0,NULL,NULL,0,0,0 FROM "
     "sys_objects o"
     " WHERE o.db_id={db} AND o.type='U' AND NOT EXISTS(SELECT 1 FROM sys_indexes i WHERE "
     "i.object_id=o.object_id AND"
     " i.clustered)" VISIBLE},
    {"sys", "index_columns",
     "object_id int!, index_id int!, index_column_id int!, column_id int!, key_ordinal tinyint!,"
     " partition_ordinal tinyint!, is_descending_key bit, is_included_column bit, column_store_order_ordinal "
     "tinyint!",
     "SELECT i.object_id,i.index_id,i.position,i.column_id,i.key_ordinal,0,i.descending,i.included,0"
     " FROM sys_index_columns i JOIN sys_objects o ON o.object_id=i.object_id WHERE o.db_id={db}" VISIBLE},
    {"sys", "key_constraints", OBJECT_COLUMNS ", unique_index_id int, is_system_named bit!, is_enforced bit!",
     "SELECT " OBJECT_SELECT ",(SELECT index_id FROM sys_indexes i WHERE i.constraint_id=o.object_id),"
     "o.is_system_named,1" OBJECTS " AND o.type IN ('PK','UQ')" VISIBLE},
    {"sys", "check_constraints",
     OBJECT_COLUMNS
     ", is_disabled bit!, is_not_for_replication bit!, is_not_trusted bit!, parent_column_id int!,"
     " definition nvarchar(max), uses_database_collation bit, is_system_named bit!",
     "SELECT " OBJECT_SELECT ",o.is_disabled,0,o.is_disabled,o.parent_column_id,o.definition,0,"
     "o.is_system_named" OBJECTS " AND o.type='C'" VISIBLE},
    {"sys", "default_constraints",
     OBJECT_COLUMNS ", parent_column_id int!, definition nvarchar(max), is_system_named bit!",
     "SELECT " OBJECT_SELECT ",o.parent_column_id,o.definition,o.is_system_named" OBJECTS
     " AND o.type='D'" VISIBLE},
    {"sys", "foreign_keys",
     OBJECT_COLUMNS
     ", referenced_object_id int, key_index_id int, is_disabled bit!, is_not_for_replication bit!,"
     " is_not_trusted bit!, delete_referential_action tinyint, delete_referential_action_desc"
     " nvarchar(60), update_referential_action tinyint, update_referential_action_desc nvarchar(60),"
     " is_system_named bit!",
     "SELECT " OBJECT_SELECT ",f.referenced_id,f.key_index_id,o.is_disabled,0,0,f.on_delete,"
     "CASE f.on_delete WHEN 1 THEN 'CASCADE' WHEN 2 THEN 'SET_NULL' WHEN 3 THEN 'SET_DEFAULT'"
     " ELSE 'NO_ACTION' END,f.on_update,CASE f.on_update WHEN 1 THEN 'CASCADE' WHEN 2 THEN"
     " 'SET_NULL' WHEN 3 THEN 'SET_DEFAULT' ELSE 'NO_ACTION' END,o.is_system_named"
     " FROM sys_objects o JOIN sys_foreign_keys f ON f.object_id=o.object_id"
     " WHERE o.db_id={db}" VISIBLE},
    {"sys", "foreign_key_columns",
     "constraint_object_id int!, constraint_column_id int!, parent_object_id int!, parent_column_id int!,"
     " referenced_object_id int!, referenced_column_id int!",
     "SELECT c.object_id,c.ordinal,f.parent_id,c.parent_column_id,f.referenced_id,c.referenced_column_id"
     " FROM sys_fk_columns c JOIN sys_foreign_keys f ON f.object_id=c.object_id JOIN sys_objects o ON"
     " o.object_id=c.object_id WHERE o.db_id={db}" VISIBLE},
    {"sys", "sql_modules",
     "object_id int!, definition nvarchar(max), uses_ansi_nulls bit, uses_quoted_identifier bit, "
     "is_schema_bound bit,"
     " uses_database_collation bit, is_recompiled bit, null_on_null_input bit, execute_as_principal_id int,"
     " uses_native_compilation bit",
     "SELECT o.object_id,o.definition,1,1,0,0,0,0,NULL,0" OBJECTS
     " AND o.type IN ('V','P','FN','IF','TF')" VISIBLE},
    {"sys", "extended_properties",
     "class tinyint!, class_desc nvarchar(60), major_id int!, minor_id int!, name sysname!, value "
     "nvarchar(4000)",
     "SELECT 0,'',0,0,'','' WHERE 0"},
    {"sys", "partitions",
     "partition_id bigint!, object_id int!, index_id int!, partition_number int!, hobt_id bigint!, rows "
     "bigint,"
     " filestream_filegroup_id smallint!, data_compression tinyint!, data_compression_desc nvarchar(60)",
     "SELECT 72057594000000000+o.object_id,o.object_id,ifnull((SELECT min(index_id) FROM sys_indexes i WHERE"
     " i.object_id=o.object_id AND "
     "i.clustered),0),1,72057594000000000+o.object_id,ms_row_count(o.object_id),0,0,'NONE'" OBJECTS
     " AND o.type='U'" VISIBLE},
    {"sys", "triggers",
     "name sysname!, object_id int!, parent_class tinyint!, parent_class_desc nvarchar(60), parent_id int!,"
     " type char(2)!, type_desc nvarchar(60), create_date datetime!, modify_date datetime!, is_ms_shipped "
     "bit!,"
     " is_disabled bit!, is_not_for_replication bit!, is_instead_of_trigger bit!",
     "SELECT '',0,0,'',0,'','',0,0,0,0,0,0 WHERE 0"},
    {"sys", "synonyms", OBJECT_COLUMNS ", base_object_name nvarchar(1035)",
     "SELECT " OBJECT_SELECT ",NULL" OBJECTS " AND o.type='SN'" VISIBLE},
};
const size_t ms_views_objects_count = sizeof ms_views_objects / sizeof ms_views_objects[0];
