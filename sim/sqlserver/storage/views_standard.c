/* SPDX-License-Identifier: Apache-2.0 */
#include "views.h"

#define CATALOG "(SELECT name FROM sys_databases WHERE db_id={db})"
#define SCHEMA "(SELECT name FROM sys_schemas s WHERE s.db_id={db} AND s.schema_id=o.schema_id)"
#define TYPE_NAME "(SELECT t.name FROM {types} t WHERE t.user_type_id=c.type_id)"
#define IS_CHARACTER "c.type_id IN (175,167,35,239,231,99)"

const struct ms_view ms_views_standard[] = {
    {"INFORMATION_SCHEMA", "TABLES",
     "TABLE_CATALOG nvarchar(128), TABLE_SCHEMA nvarchar(128), TABLE_NAME sysname!, TABLE_TYPE varchar(10)",
     "SELECT " CATALOG "," SCHEMA
     ",o.name,CASE o.type WHEN 'U' THEN 'BASE TABLE' ELSE 'VIEW' END FROM sys_objects o"
     " WHERE o.db_id={db} AND o.type IN ('U','V') AND ms_visible(o.object_id)"},
    {"INFORMATION_SCHEMA", "COLUMNS",
     "TABLE_CATALOG nvarchar(128), TABLE_SCHEMA nvarchar(128), TABLE_NAME sysname!, COLUMN_NAME sysname,"
     " ORDINAL_POSITION int, COLUMN_DEFAULT nvarchar(4000), IS_NULLABLE varchar(3), DATA_TYPE nvarchar(128),"
     " CHARACTER_MAXIMUM_LENGTH int, CHARACTER_OCTET_LENGTH int, NUMERIC_PRECISION tinyint, "
     "NUMERIC_PRECISION_RADIX"
     " smallint, NUMERIC_SCALE int, DATETIME_PRECISION smallint, CHARACTER_SET_CATALOG sysname, "
     "CHARACTER_SET_SCHEMA"
     " sysname, CHARACTER_SET_NAME sysname, COLLATION_CATALOG sysname, COLLATION_SCHEMA sysname, "
     "COLLATION_NAME"
     " sysname, DOMAIN_CATALOG sysname, DOMAIN_SCHEMA sysname, DOMAIN_NAME sysname",
     "SELECT " CATALOG "," SCHEMA ",o.name,c.name,c.column_id,d.definition,"
     "CASE WHEN c.nullable THEN 'YES' ELSE 'NO' END," TYPE_NAME ","
     "CASE WHEN " IS_CHARACTER " OR c.type_id IN (173,165) THEN CASE WHEN c.type_id IN (35) THEN 2147483647"
     " WHEN c.type_id=99 THEN 1073741823 ELSE c.length END WHEN c.type_id=34 THEN 2147483647 WHEN "
     "c.type_id=241 THEN -1"
     " END,"
     "CASE WHEN " IS_CHARACTER
     " OR c.type_id IN (173,165,34) THEN CASE WHEN c.type_id IN (35,34) THEN 2147483647"
     " WHEN c.type_id=99 THEN 2147483646 ELSE ms_column_size(c.type_id,c.length,c.precision,c.scale) END END,"
     "CASE WHEN c.type_id IN (48,52,56,127,59,62,106,108,122,60) THEN"
     " ms_column_precision(c.type_id,c.length,c.precision,c.scale) END,"
     "CASE WHEN c.type_id IN (59,62) THEN 2 WHEN c.type_id IN (48,52,56,127,106,108,122,60) THEN 10 END,"
     "CASE WHEN c.type_id IN (48,52,56,127,106,108,122,60) THEN"
     " ms_column_scale(c.type_id,c.length,c.precision,c.scale) END,"
     "CASE WHEN c.type_id IN (61) THEN 3 WHEN c.type_id IN (58,40) THEN 0 WHEN c.type_id IN (41,42,43) THEN "
     "c.scale END,"
     "NULL,NULL,CASE WHEN c.type_id IN (175,167,35) THEN 'iso_1' WHEN c.type_id IN (239,231,99) THEN "
     "'UNICODE' END,"
     "NULL,NULL,c.collation,NULL,NULL,NULL FROM sys_columns c JOIN sys_objects o ON o.object_id=c.object_id"
     " LEFT JOIN sys_objects d ON d.object_id=c.default_id WHERE o.db_id={db} AND ms_visible(o.object_id)"
     " ORDER BY o.object_id,c.column_id"},
    {"INFORMATION_SCHEMA", "TABLE_CONSTRAINTS",
     "CONSTRAINT_CATALOG nvarchar(128), CONSTRAINT_SCHEMA nvarchar(128), CONSTRAINT_NAME sysname!, "
     "TABLE_CATALOG"
     " nvarchar(128), TABLE_SCHEMA nvarchar(128), TABLE_NAME sysname, CONSTRAINT_TYPE varchar(11), "
     "IS_DEFERRABLE"
     " varchar(2)!, INITIALLY_DEFERRED varchar(2)!",
     "SELECT " CATALOG "," SCHEMA ",o.name," CATALOG "," SCHEMA
     ",t.name,CASE o.type WHEN 'PK' THEN 'PRIMARY KEY'"
     " WHEN 'UQ' THEN 'UNIQUE' WHEN 'F' THEN 'FOREIGN KEY' ELSE 'CHECK' END,'NO','NO' FROM sys_objects o JOIN"
     " sys_objects t ON t.object_id=o.parent_id WHERE o.db_id={db} AND o.type IN ('PK','UQ','F','C')"
     " AND ms_visible(t.object_id)"},
    {"INFORMATION_SCHEMA", "KEY_COLUMN_USAGE",
     "CONSTRAINT_CATALOG nvarchar(128), CONSTRAINT_SCHEMA nvarchar(128), CONSTRAINT_NAME sysname!, "
     "TABLE_CATALOG"
     " nvarchar(128), TABLE_SCHEMA nvarchar(128), TABLE_NAME sysname!, COLUMN_NAME sysname, ORDINAL_POSITION "
     "int!",
     "SELECT " CATALOG "," SCHEMA ",o.name," CATALOG "," SCHEMA
     ",t.name,c.name,k.key_ordinal FROM sys_objects o"
     " JOIN sys_indexes i ON i.constraint_id=o.object_id JOIN sys_index_columns k ON k.object_id=i.object_id "
     "AND"
     " k.index_id=i.index_id JOIN sys_columns c ON c.object_id=k.object_id AND c.column_id=k.column_id JOIN "
     "sys_objects t"
     " ON t.object_id=o.parent_id WHERE o.db_id={db} AND k.included=0 AND ms_visible(t.object_id)"
     " UNION ALL SELECT " CATALOG "," SCHEMA ",o.name," CATALOG "," SCHEMA
     ",t.name,c.name,k.ordinal FROM sys_objects o"
     " JOIN sys_fk_columns k ON k.object_id=o.object_id JOIN sys_columns c ON c.object_id=o.parent_id AND"
     " c.column_id=k.parent_column_id JOIN sys_objects t ON t.object_id=o.parent_id WHERE o.db_id={db}"
     " AND ms_visible(t.object_id)"},
    {"INFORMATION_SCHEMA", "REFERENTIAL_CONSTRAINTS",
     "CONSTRAINT_CATALOG nvarchar(128), CONSTRAINT_SCHEMA nvarchar(128), CONSTRAINT_NAME sysname!,"
     " UNIQUE_CONSTRAINT_CATALOG nvarchar(128), UNIQUE_CONSTRAINT_SCHEMA nvarchar(128), "
     "UNIQUE_CONSTRAINT_NAME sysname,"
     " MATCH_OPTION varchar(7), UPDATE_RULE varchar(11), DELETE_RULE varchar(11)",
     "SELECT " CATALOG "," SCHEMA ",o.name," CATALOG "," SCHEMA
     ",i.name,'SIMPLE',CASE f.on_update WHEN 1 THEN 'CASCADE'"
     " WHEN 2 THEN 'SET NULL' WHEN 3 THEN 'SET DEFAULT' ELSE 'NO ACTION' END,CASE f.on_delete WHEN 1 THEN "
     "'CASCADE'"
     " WHEN 2 THEN 'SET NULL' WHEN 3 THEN 'SET DEFAULT' ELSE 'NO ACTION' END FROM sys_objects o JOIN "
     "sys_foreign_keys f"
     " ON f.object_id=o.object_id LEFT JOIN sys_indexes i ON i.object_id=f.referenced_id AND "
     "i.index_id=f.key_index_id"
     " WHERE o.db_id={db}"},
    {"INFORMATION_SCHEMA", "SCHEMATA",
     "CATALOG_NAME nvarchar(128), SCHEMA_NAME sysname!, SCHEMA_OWNER nvarchar(128), "
     "DEFAULT_CHARACTER_SET_NAME sysname",
     "SELECT " CATALOG ",s.name,(SELECT p.name FROM sys_principals p WHERE p.db_id=s.db_id AND"
     " p.principal_id=s.principal_id),'iso_1' FROM sys_schemas s WHERE s.db_id={db}"},
    {"INFORMATION_SCHEMA", "VIEWS",
     "TABLE_CATALOG nvarchar(128), TABLE_SCHEMA nvarchar(128), TABLE_NAME sysname!, VIEW_DEFINITION "
     "nvarchar(4000),"
     " CHECK_OPTION varchar(7), IS_UPDATABLE varchar(2)!",
     "SELECT " CATALOG "," SCHEMA
     ",o.name,o.definition,'NONE','NO' FROM sys_objects o WHERE o.db_id={db} AND o.type='V'"
     " AND ms_visible(o.object_id)"},
    {"INFORMATION_SCHEMA", "ROUTINES",
     "SPECIFIC_CATALOG nvarchar(128), SPECIFIC_SCHEMA nvarchar(128), SPECIFIC_NAME sysname!, ROUTINE_CATALOG"
     " nvarchar(128), ROUTINE_SCHEMA nvarchar(128), ROUTINE_NAME sysname!, ROUTINE_TYPE nvarchar(20),"
     " ROUTINE_DEFINITION nvarchar(4000)",
     "SELECT " CATALOG "," SCHEMA ",o.name," CATALOG "," SCHEMA
     ",o.name,CASE o.type WHEN 'P' THEN 'PROCEDURE' ELSE"
     " 'FUNCTION' END,o.definition FROM sys_objects o WHERE o.db_id={db} AND o.type IN ('P','FN','IF','TF')"
     " AND ms_visible(o.object_id)"},
    {"sys", "sysobjects",
     "name sysname!, id int!, xtype char(2)!, uid smallint, info smallint, status int, base_schema_ver int, "
     "replinfo"
     " int, parent_obj int!, crdate datetime!, type char(2)",
     "SELECT o.name,o.object_id,substr(o.type||' ',1,2),o.schema_id,0,0,0,0,o.parent_id,o.create_date,"
     "CASE o.type WHEN 'PK' THEN 'K ' WHEN 'UQ' THEN 'K ' ELSE substr(o.type||' ',1,2) END FROM sys_objects o"
     " WHERE o.db_id={db} AND ms_visible(o.object_id)"},
    {"sys", "syscolumns",
     "name sysname, id int!, xtype tinyint!, xusertype smallint, length smallint!, xprec tinyint!, xscale "
     "tinyint!,"
     " colid smallint, cdefault int!, isnullable int, collation sysname, prec smallint, scale int, "
     "iscomputed int",
     "SELECT c.name,c.object_id,iif(c.type_id BETWEEN 128 AND "
     "130,240,c.type_id),c.type_id,ms_column_size(c.type_id,c.length,c.precision,c.scale),"
     "ms_column_precision(c.type_id,c.length,c.precision,c.scale),"
     "ms_column_scale(c.type_id,c.length,c.precision,c.scale),c.column_id,c.default_id,c.nullable,c."
     "collation,"
     "ms_column_precision(c.type_id,c.length,c.precision,c.scale),"
     "ms_column_scale(c.type_id,c.length,c.precision,c.scale),c.computed IS NOT NULL FROM sys_columns c JOIN "
     "sys_objects"
     " o ON o.object_id=c.object_id WHERE o.db_id={db} AND ms_visible(o.object_id)"},
    {"sys", "sysdatabases",
     "name sysname!, dbid smallint, sid varbinary(85), mode smallint, status int, status2 int, crdate "
     "datetime!, reserved"
     " datetime, category int, cmptlevel tinyint!, filename nvarchar(260), version smallint",
     "SELECT name,db_id,x'01',0,65536,0,create_date,0,0,150,'mssim.db',904 FROM sys_databases"
     " WHERE ms_database_visible(db_id)"},
    {"sys", "sysprocesses",
     "spid smallint!, kpid smallint!, blocked smallint!, dbid smallint!, login_time datetime!, status "
     "nchar(30)!,"
     " hostname nchar(128)!, program_name nchar(128)!, cmd nchar(26)!, loginame nchar(128)!, open_tran "
     "smallint!",
     "SELECT spid,0,0,db_id,login_time,status,host_name,program_name,'',login_name,tran_count FROM "
     "{sessions}"},
    {"sys", "systypes",
     "name sysname!, xtype tinyint!, status tinyint, xusertype smallint, length smallint!, xprec tinyint!, "
     "xscale"
     " tinyint!, collation sysname, usertype smallint, variable bit, allownulls bit, type tinyint!, prec "
     "smallint, scale"
     " tinyint",
     "SELECT "
     "name,system_type_id,0,user_type_id,max_length,precision,scale,NULL,0,0,nullable,system_type_id,"
     "precision,"
     "scale FROM {types}"},
};
const size_t ms_views_standard_count = sizeof ms_views_standard / sizeof ms_views_standard[0];
