/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The catalogue procedures of ODBC and JDBC, as queries. In all of them `o` is the table, `c` its column, `s`
 * the schema and `d` the database.
 */
#include "procedures.h"

#define NAMES "d.name,s.name,o.name"
#define TABLES                                                                                              \
    " FROM sys_objects o JOIN sys_databases d ON d.db_id=o.db_id JOIN sys_schemas s ON s.db_id=o.db_id AND" \
    " s.schema_id=o.schema_id"
#define IN_DATABASE " o.db_id={db} AND ms_visible(o.object_id)"
#define THIS_TABLE " WHERE" IN_DATABASE " AND o.type IN ('U','V') AND o.name=?1 AND (?2 IS NULL OR s.name=?2)"

#define OF_TYPE(what, version) "ms_odbc('" what "'," version ",c.type_id,c.length,c.precision,c.scale)"
#define TYPE_NAME                                                                                           \
    "(SELECT t.name FROM {types} t WHERE t.user_type_id=c.type_id)||CASE WHEN c.identity THEN ' identity' " \
    "ELSE '' END"

#define COLUMN_HEAD                                                                                      \
    "TABLE_QUALIFIER sysname, TABLE_OWNER sysname, TABLE_NAME sysname, COLUMN_NAME sysname, DATA_TYPE "  \
    "smallint,"                                                                                          \
    " TYPE_NAME sysname, PRECISION int, LENGTH int, SCALE smallint, RADIX smallint, NULLABLE smallint, " \
    "REMARKS"                                                                                            \
    " varchar(254), COLUMN_DEF nvarchar(4000), SQL_DATA_TYPE smallint, SQL_DATETIME_SUB smallint,"       \
    " CHAR_OCTET_LENGTH int, ORDINAL_POSITION int, IS_NULLABLE varchar(254)"
#define COLUMN_TAIL                                                                                         \
    ", SS_IS_SPARSE smallint, SS_IS_COLUMN_SET smallint, SS_IS_COMPUTED smallint, SS_IS_IDENTITY smallint," \
    " SS_UDT_CATALOG_NAME nvarchar(128), SS_UDT_SCHEMA_NAME nvarchar(128), SS_UDT_ASSEMBLY_TYPE_NAME "      \
    "nvarchar(max),"                                                                                        \
    " SS_XML_SCHEMACOLLECTION_CATALOG_NAME nvarchar(128), SS_XML_SCHEMACOLLECTION_SCHEMA_NAME "             \
    "nvarchar(128),"                                                                                        \
    " SS_XML_SCHEMACOLLECTION_NAME nvarchar(128), SS_DATA_TYPE tinyint"
/* the positions are those among the columns that are left, as JDBC and ODBC count */
#define POSITION \
    "(SELECT count(*) FROM sys_columns k WHERE k.object_id=c.object_id AND k.column_id<=c.column_id)"
#define COLUMN_SELECT(version)                                                                                                         \
    "SELECT " NAMES ",c.name," OF_TYPE(                                                                                                \
        "t",                                                                                                                           \
        version) "," TYPE_NAME                                                                                                         \
                 "," OF_TYPE("p", version) "," OF_TYPE("l", version) "," OF_TYPE("s", version) "," OF_TYPE(                            \
                     "r",                                                                                                              \
                     version) ",c.nullable,NULL,f.definition," OF_TYPE("q",                                                            \
                                                                       version) "," OF_TYPE("d",                                       \
                                                                                            version) "," OF_TYPE("o",                  \
                                                                                                                 version) "," POSITION \
                                                                                                                          ",CASE WHEN c.nullable THEN 'YES' ELSE 'NO' END"
#define COLUMN_EXTRA ",0,0,c.computed IS NOT NULL,c.identity,NULL,NULL,NULL,NULL,NULL,NULL"
#define COLUMN_FROM                                                                             \
    TABLES " JOIN sys_columns c ON c.object_id=o.object_id LEFT JOIN sys_objects f ON "         \
           "f.object_id=c.default_id WHERE" IN_DATABASE                                         \
           " AND o.type IN ('U','V') AND ms_matches(o.name,?1,?7) AND ms_matches(s.name,?2,?7)" \
           " AND (?3 IS NULL OR d.name=?3) AND ms_matches(c.name,?4,?7) ORDER BY 1,2,3,17"
#define COLUMN_PARAMETERS                                                                             \
    "@table_name nvarchar(384)!, @table_owner nvarchar(384), @table_qualifier sysname, @column_name " \
    "nvarchar(384),"

#define ODBC_VERSION "ifnull(?6,2)"

#define STATISTICS_COLUMNS                                                                                \
    "TABLE_QUALIFIER sysname, TABLE_OWNER sysname, TABLE_NAME sysname, NON_UNIQUE smallint, "             \
    "INDEX_QUALIFIER sysname,"                                                                            \
    " INDEX_NAME sysname, TYPE smallint, SEQ_IN_INDEX smallint, COLUMN_NAME sysname, COLLATION char(1), " \
    "CARDINALITY"                                                                                         \
    " int, PAGES int, FILTER_CONDITION varchar(128)"
#define STATISTICS_SELECT                                                                                    \
    "SELECT " NAMES ",NULL,NULL,NULL,0,NULL,NULL,NULL,ms_row_count(o.object_id),1,NULL" TABLES THIS_TABLE    \
    " AND o.type='U' UNION ALL SELECT " NAMES                                                                \
    ",1-i.is_unique,o.name,i.name,CASE WHEN i.clustered THEN 1 ELSE 3 END,"                                  \
    "k.key_ordinal,c.name,CASE WHEN k.descending THEN 'D' ELSE 'A' "                                         \
    "END,ms_row_count(o.object_id),1,NULL" TABLES                                                            \
    " JOIN sys_indexes i ON i.object_id=o.object_id JOIN sys_index_columns k ON k.object_id=i.object_id AND" \
    " k.index_id=i.index_id AND k.included=0 JOIN sys_columns c ON c.object_id=o.object_id AND"              \
    " c.column_id=k.column_id" THIS_TABLE " AND (upper(ifnull(?5,'N'))<>'Y' OR i.is_unique)"                 \
    " AND ms_matches(i.name,?4) ORDER BY 4,7,6,8"
#define STATISTICS_PARAMETERS                                                                                \
    "@table_name sysname!, @table_owner sysname, @table_qualifier sysname, @index_name sysname, @is_unique " \
    "char(1),"                                                                                               \
    " @accuracy char(1)"

/* The columns that identify a row best: the primary key, else the first unique index. */
#define SPECIAL_COLUMNS                                                                                  \
    "SCOPE smallint, COLUMN_NAME sysname, DATA_TYPE smallint, TYPE_NAME sysname, PRECISION int, LENGTH " \
    "int, SCALE"                                                                                         \
    " smallint, PSEUDO_COLUMN smallint"
#define SPECIAL_SELECT                                                                                      \
    "SELECT CASE WHEN upper(ifnull(?4,'R'))='V' THEN NULL ELSE 0 END,c.name," OF_TYPE(                      \
        "t",                                                                                                \
        "ifnull(?7,2)") "," TYPE_NAME                                                                       \
                        "," OF_TYPE("p", "ifnull(?7,2)") "," OF_TYPE("l", "ifnull(?7,2)") "," OF_TYPE(      \
                            "s",                                                                            \
                            "ifnull(?7,2)") ",1" TABLES                                                     \
                                            " JOIN sys_columns c ON c.object_id=o.object_id" THIS_TABLE     \
                                            " AND CASE WHEN upper(ifnull(?4,'R'))='V' THEN c.type_id=189 "  \
                                            "ELSE c.column_id IN (SELECT k.column_id FROM"                  \
                                            " sys_index_columns k WHERE k.object_id=o.object_id AND "       \
                                            "k.included=0 AND k.index_id=(SELECT i.index_id FROM"           \
                                            " sys_indexes i WHERE i.object_id=o.object_id AND i.is_unique " \
                                            "AND i.filter IS NULL ORDER BY i.is_primary_key DESC,"          \
                                            "i.index_id LIMIT 1)) END ORDER BY c.column_id"
#define SPECIAL_PARAMETERS                                                                                \
    "@table_name sysname!, @table_owner sysname, @qualifier sysname, @col_type char(1), @scope char(1), " \
    "@nullable"                                                                                           \
    " char(1), @ODBCVer int"

#define TYPE_INFO_COLUMNS                                                                                  \
    "TYPE_NAME sysname, DATA_TYPE smallint, PRECISION int, LITERAL_PREFIX varchar(32), LITERAL_SUFFIX "    \
    "varchar(32),"                                                                                         \
    " CREATE_PARAMS varchar(32), NULLABLE smallint, CASE_SENSITIVE smallint, SEARCHABLE smallint, "        \
    "UNSIGNED_ATTRIBUTE"                                                                                   \
    " smallint, MONEY smallint, AUTO_INCREMENT smallint, LOCAL_TYPE_NAME sysname, MINIMUM_SCALE smallint," \
    " MAXIMUM_SCALE smallint, SQL_DATA_TYPE smallint, SQL_DATETIME_SUB smallint, NUM_PREC_RADIX int,"      \
    " INTERVAL_PRECISION smallint, USERTYPE smallint"
/* By DATA_TYPE and USERTYPE: datetime2, which has none, stands before datetime; pyodbc takes its digits from
 * the first. */
#define TYPE_INFO_SELECT                                                                                     \
    "SELECT c.name," OF_TYPE("t", "ifnull(?2,2)") "," OF_TYPE(                                               \
        "p",                                                                                                 \
        "ifnull(?2,2)") ",CASE WHEN c.is_character OR c.type_id IN (40,41,42,43,58,61,36) THEN '''' WHEN "   \
                        "c.type_id IN (173,165,189,34)"                                                      \
                        " THEN '0x' END,CASE WHEN c.is_character OR c.type_id IN (40,41,42,43,58,61,36) "    \
                        "THEN '''' END,CASE WHEN c.type_id"                                                  \
                        " IN (106,108) THEN 'precision,scale' WHEN c.type_id IN (175,239,173) THEN "         \
                        "'length' WHEN c.type_id IN"                                                         \
                        " (167,231,165) THEN 'max length' WHEN c.type_id IN (41,42,43) THEN 'scale' "        \
                        "END,c.nullable,0,CASE WHEN c.type_id"                                               \
                        " IN (35,99,34,241) THEN 0 ELSE 3 END,CASE WHEN c.type_id=48 THEN 1 WHEN c.type_id " \
                        "IN"                                                                                 \
                        " (52,56,127,59,62,106,108,122,60) THEN 0 END,c.type_id IN (60,122),CASE WHEN "      \
                        "c.type_id IN"                                                                       \
                        " (48,52,56,127,106,108) THEN 0 END,c.name,CASE WHEN c.type_id IN "                  \
                        "(106,108,41,42,43,48,52,56,127) THEN 0 WHEN"                                        \
                        " c.type_id IN (60,122) THEN 4 END,CASE WHEN c.type_id IN (106,108) THEN 38 WHEN "   \
                        "c.type_id IN (41,42,43) THEN 7"                                                     \
                        " WHEN c.type_id IN (48,52,56,127) THEN 0 WHEN c.type_id IN (60,122) THEN 4 "        \
                        "END," OF_TYPE("q", "ifnull(?2,2)") "," OF_TYPE("d", "ifnull(?2,2)") "," OF_TYPE(    \
                            "r",                                                                             \
                            "ifnull(?2,2)") ",NULL,0 FROM (SELECT name,system_type_id AS"                    \
                                            " type_id,CASE WHEN max_length>0 AND (is_character OR "          \
                                            "system_type_id IN (165,173)) THEN CASE WHEN system_type_id"     \
                                            " IN (231,239) THEN max_length/2 ELSE max_length END ELSE 0 "    \
                                            "END AS length,precision,CASE WHEN system_type_id IN"            \
                                            " (106,108) THEN 0 ELSE scale END AS "                           \
                                            "scale,is_character,nullable FROM {types} WHERE "                \
                                            "name<>'sysname' AND system_type_id<>240) c WHERE"               \
                                            " ifnull(?1,0)=0 OR " OF_TYPE(                                   \
                                                "t", "ifnull(?2,2)") "=?1 ORDER BY 2,"                       \
                                                                     "c.type_id NOT IN (40,41,42,43),1"

#define FK_TABLES                                                                                          \
    " FROM sys_foreign_keys f JOIN sys_objects k ON k.object_id=f.object_id JOIN sys_databases d ON "      \
    "d.db_id=k.db_id"                                                                                      \
    " JOIN sys_fk_columns x ON x.object_id=f.object_id JOIN sys_objects p ON p.object_id=f.referenced_id " \
    "JOIN"                                                                                                 \
    " sys_schemas ps ON ps.db_id=p.db_id AND ps.schema_id=p.schema_id JOIN sys_columns pc ON "             \
    "pc.object_id=p.object_id"                                                                             \
    " AND pc.column_id=x.referenced_column_id JOIN sys_objects c ON c.object_id=f.parent_id JOIN "         \
    "sys_schemas cs ON"                                                                                    \
    " cs.db_id=c.db_id AND cs.schema_id=c.schema_id JOIN sys_columns cc ON cc.object_id=c.object_id AND"   \
    " cc.column_id=x.parent_column_id LEFT JOIN sys_indexes i ON i.object_id=p.object_id AND "             \
    "i.index_id=f.key_index_id"

const struct ms_procedure_entry ms_procedures_catalog[] = {
    {"sp_databases", "", "DATABASE_NAME sysname, DATABASE_SIZE int, REMARKS varchar(254)",
     "SELECT name,8192,NULL FROM sys_databases WHERE ms_database_visible(db_id) ORDER BY name", NULL},
    {"sp_tables",
     "@table_name nvarchar(384), @table_owner nvarchar(384), @table_qualifier sysname, @table_type "
     "varchar(100),"
     " @fUsePattern bit",
     "TABLE_QUALIFIER sysname, TABLE_OWNER sysname, TABLE_NAME sysname, TABLE_TYPE varchar(32), REMARKS "
     "varchar(254)",
     "SELECT " NAMES ",CASE o.type WHEN 'V' THEN 'VIEW' ELSE 'TABLE' END,NULL" TABLES " WHERE" IN_DATABASE
     " AND o.type IN ('U','V') AND ms_matches(o.name,?1,?5) AND ms_matches(s.name,?2,?5) AND (?3 IS NULL OR "
     "d.name=?3"
     " OR ?3='%') AND (?4 IS NULL OR instr(?4,CASE o.type WHEN 'V' THEN '''VIEW''' ELSE '''TABLE''' END)>0"
     " OR ?4=CASE o.type WHEN 'V' THEN 'VIEW' ELSE 'TABLE' END) ORDER BY 4,1,2,3",
     NULL},
    {"sp_columns", COLUMN_PARAMETERS " @NameScope int, @ODBCVer int, @fUsePattern bit",
     COLUMN_HEAD ", SS_DATA_TYPE tinyint",
     COLUMN_SELECT(ODBC_VERSION) "," OF_TYPE("x", ODBC_VERSION) COLUMN_FROM, NULL},
    {"sp_columns_90", COLUMN_PARAMETERS " @NameScope int, @ODBCVer int, @fUsePattern bit",
     COLUMN_HEAD COLUMN_TAIL,
     COLUMN_SELECT(ODBC_VERSION) COLUMN_EXTRA "," OF_TYPE("x", ODBC_VERSION) COLUMN_FROM, NULL},
    {"sp_columns_100", COLUMN_PARAMETERS " @NameScope int, @ODBCVer int, @fUsePattern bit",
     COLUMN_HEAD COLUMN_TAIL,
     COLUMN_SELECT(ODBC_VERSION) COLUMN_EXTRA "," OF_TYPE("x", ODBC_VERSION) COLUMN_FROM, NULL},
    {"sp_pkeys", "@table_name sysname!, @table_owner sysname, @table_qualifier sysname",
     "TABLE_QUALIFIER sysname, TABLE_OWNER sysname, TABLE_NAME sysname, COLUMN_NAME sysname, KEY_SEQ "
     "smallint, PK_NAME"
     " sysname",
     "SELECT " NAMES ",c.name,k.key_ordinal,i.name" TABLES
     " JOIN sys_indexes i ON i.object_id=o.object_id AND"
     " i.is_primary_key=1 JOIN sys_index_columns k ON k.object_id=i.object_id AND k.index_id=i.index_id JOIN "
     "sys_columns"
     " c ON c.object_id=o.object_id AND c.column_id=k.column_id" THIS_TABLE " AND (?3 IS NULL OR d.name=?3)"
     " ORDER BY k.key_ordinal",
     NULL},
    {"sp_fkeys",
     "@pktable_name sysname, @pktable_owner sysname, @pktable_qualifier sysname, @fktable_name sysname, "
     "@fktable_owner"
     " sysname, @fktable_qualifier sysname",
     "PKTABLE_QUALIFIER sysname, PKTABLE_OWNER sysname, PKTABLE_NAME sysname, PKCOLUMN_NAME sysname, "
     "FKTABLE_QUALIFIER"
     " sysname, FKTABLE_OWNER sysname, FKTABLE_NAME sysname, FKCOLUMN_NAME sysname, KEY_SEQ smallint, "
     "UPDATE_RULE"
     " smallint, DELETE_RULE smallint, FK_NAME sysname, PK_NAME sysname, DEFERRABILITY smallint",
     "SELECT d.name,ps.name,p.name,pc.name,d.name,cs.name,c.name,cc.name,x.ordinal,CASE f.on_update WHEN 1 "
     "THEN 0 WHEN"
     " 2 THEN 2 ELSE 1 END,CASE f.on_delete WHEN 1 THEN 0 WHEN 2 THEN 2 ELSE 1 END,k.name,i.name,7" FK_TABLES
     " WHERE k.db_id={db} AND ms_visible(p.object_id) AND ms_visible(c.object_id) AND (?1 IS NULL OR "
     "p.name=?1) AND"
     " (?2 IS NULL OR ps.name=?2) AND (?4 IS NULL OR c.name=?4) AND (?5 IS NULL OR cs.name=?5) AND (?3 IS "
     "NULL OR"
     " d.name=?3) AND (?6 IS NULL OR d.name=?6) ORDER BY 5,6,7,9",
     NULL},
    {"sp_statistics", STATISTICS_PARAMETERS, STATISTICS_COLUMNS, STATISTICS_SELECT, NULL},
    {"sp_statistics_100", STATISTICS_PARAMETERS, STATISTICS_COLUMNS, STATISTICS_SELECT, NULL},
    {"sp_special_columns", SPECIAL_PARAMETERS, SPECIAL_COLUMNS, SPECIAL_SELECT, NULL},
    {"sp_special_columns_90", SPECIAL_PARAMETERS, SPECIAL_COLUMNS, SPECIAL_SELECT, NULL},
    {"sp_special_columns_100", SPECIAL_PARAMETERS, SPECIAL_COLUMNS, SPECIAL_SELECT, NULL},
    {"sp_datatype_info", "@data_type int, @ODBCVer tinyint", TYPE_INFO_COLUMNS, TYPE_INFO_SELECT, NULL},
    {"sp_datatype_info_90", "@data_type int, @ODBCVer tinyint", TYPE_INFO_COLUMNS, TYPE_INFO_SELECT, NULL},
    {"sp_datatype_info_100", "@data_type int, @ODBCVer tinyint", TYPE_INFO_COLUMNS, TYPE_INFO_SELECT, NULL},
    {"sp_stored_procedures",
     "@sp_name nvarchar(390), @sp_owner nvarchar(384), @sp_qualifier sysname, @fUsePattern bit",
     "PROCEDURE_QUALIFIER sysname, PROCEDURE_OWNER sysname, PROCEDURE_NAME nvarchar(134), NUM_INPUT_PARAMS "
     "int,"
     " NUM_OUTPUT_PARAMS int, NUM_RESULT_SETS int, REMARKS varchar(254), PROCEDURE_TYPE smallint",
     "SELECT d.name,s.name,o.name||CASE o.type WHEN 'P' THEN ';1' ELSE ';0' END,-1,-1,-1,NULL,2" TABLES
     " WHERE" IN_DATABASE
     " AND o.type IN ('P','FN','IF','TF') AND ms_matches(o.name,?1,?4) AND ms_matches(s.name,?2,?4) AND"
     " (?3 IS NULL OR d.name=?3) ORDER BY 1,2,3",
     NULL},
    {"sp_server_info", "@attribute_id int",
     "attribute_id int, attribute_name varchar(60), attribute_value varchar(255)",
     "SELECT * FROM (SELECT 1 AS id,'DBMS_NAME','Microsoft SQL Server' UNION ALL SELECT "
     "2,'DBMS_VER','Microsoft SQL"
     " Server 2019 - 15.0.2000.5' UNION ALL SELECT 10,'OWNER_TERM','owner' UNION ALL SELECT "
     "11,'TABLE_TERM','table'"
     " UNION ALL SELECT 12,'MAX_OWNER_NAME_LENGTH','128' UNION ALL SELECT 13,'TABLE_LENGTH','128' UNION ALL "
     "SELECT"
     " 16,'IDENTIFIER_CASE','MIXED' UNION ALL SELECT 18,'COLLATION_SEQ','charset=iso_1 sort_order=nocase_iso"
     " charset_num=1 sort_order_num=52' UNION ALL SELECT 500,'SYS_SPROC_VERSION','15.00.2000') WHERE ?1 IS "
     "NULL OR id=?1",
     NULL},
    {"sp_who", "@loginame sysname",
     "spid smallint, ecid smallint, status nchar(30), loginame nvarchar(128), hostname nchar(128), blk "
     "char(5), dbname"
     " nvarchar(128), cmd nchar(26), request_id int",
     "SELECT x.spid,0,x.status,x.login_name,x.host_name,'0',(SELECT name FROM sys_databases WHERE "
     "db_id=x.db_id),"
     "'AWAITING COMMAND',0 FROM {sessions} x WHERE ?1 IS NULL OR x.login_name=?1 ORDER BY x.spid",
     NULL},
    {"sp_helpdb", "@dbname sysname",
     "name nvarchar(128), db_size nvarchar(13), owner nvarchar(128), dbid smallint, created nvarchar(11), "
     "status"
     " nvarchar(600), compatibility_level tinyint",
     "SELECT name,'8.00 MB',owner,db_id,'','Status=ONLINE, Collation='||collation,150 FROM sys_databases "
     "WHERE ?1 IS NULL"
     " OR name=?1 ORDER BY name",
     NULL},
    {"sp_helpindex", "@objname nvarchar(776)!",
     "index_name sysname, index_description varchar(210), index_keys nvarchar(2078)",
     "SELECT i.name,CASE WHEN i.clustered THEN 'clustered' ELSE 'nonclustered' END||CASE WHEN i.is_unique "
     "THEN ', unique'"
     " ELSE '' END||CASE WHEN i.is_primary_key THEN ', primary key' ELSE '' END||' located on "
     "PRIMARY',(SELECT"
     " group_concat(x,', ') FROM (SELECT c.name||CASE WHEN k.descending THEN '(-)' ELSE '' END AS x FROM "
     "sys_index_columns"
     " k JOIN sys_columns c ON c.object_id=k.object_id AND c.column_id=k.column_id WHERE "
     "k.object_id=i.object_id AND"
     " k.index_id=i.index_id AND k.included=0 ORDER BY k.position)) FROM sys_indexes i WHERE"
     " i.object_id=ms_object_id(?1) ORDER BY i.name",
     NULL},
    {"sp_helptext", "@objname nvarchar(776)!, @columnname sysname", "Text nvarchar(255)",
     "SELECT definition FROM sys_objects WHERE object_id=ms_object_id(?1) AND definition IS NOT NULL", NULL},
    {"sp_help", "@objname nvarchar(776)", "Name nvarchar(128), Owner nvarchar(128), Object_type nvarchar(31)",
     "SELECT o.name,s.name,CASE o.type WHEN 'U' THEN 'user table' WHEN 'V' THEN 'view' WHEN 'P' THEN 'stored "
     "procedure'"
     " ELSE o.type END" TABLES " WHERE" IN_DATABASE
     " AND (?1 IS NULL OR o.object_id=ms_object_id(?1)) ORDER BY 3,1",
     NULL},
};
const size_t ms_procedures_catalog_count = sizeof ms_procedures_catalog / sizeof ms_procedures_catalog[0];
