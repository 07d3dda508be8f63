/* SPDX-License-Identifier: Apache-2.0 */
#include "views.h"

const struct ms_view ms_views_server[] = {
    {"sys", "databases",
     "name sysname!, database_id int!, source_database_id int, owner_sid varbinary(85), create_date "
     "datetime!,"
     " compatibility_level tinyint!, collation_name sysname, user_access tinyint, user_access_desc "
     "nvarchar(60),"
     " is_read_only bit, is_auto_close_on bit!, is_auto_shrink_on bit, state tinyint, state_desc "
     "nvarchar(60),"
     " is_in_standby bit, is_cleanly_shutdown bit, is_supplemental_logging_enabled bit,"
     " snapshot_isolation_state tinyint, snapshot_isolation_state_desc nvarchar(60),"
     " is_read_committed_snapshot_on bit, recovery_model tinyint, recovery_model_desc nvarchar(60),"
     " page_verify_option tinyint, page_verify_option_desc nvarchar(60), is_ansi_nulls_on bit,"
     " is_fulltext_enabled bit, is_trustworthy_on bit, is_broker_enabled bit!, service_broker_guid "
     "uniqueidentifier!,"
     " log_reuse_wait tinyint, log_reuse_wait_desc nvarchar(60), is_cdc_enabled bit!, is_encrypted bit,"
     " is_published bit!, is_subscribed bit!, is_merge_published bit!, is_distributor bit!, containment "
     "tinyint,"
     " replica_id uniqueidentifier, group_database_id uniqueidentifier",
     "SELECT name,db_id,NULL,x'01',create_date,150,collation,user_access,"
     "CASE user_access WHEN 1 THEN 'SINGLE_USER' WHEN 2 THEN 'RESTRICTED_USER' ELSE 'MULTI_USER' "
     "END,is_read_only,0,0,"
     "state,CASE state WHEN 6 THEN 'OFFLINE' ELSE 'ONLINE' END,0,0,0,snapshot_isolation,"
     "CASE snapshot_isolation WHEN 1 THEN 'ON' ELSE 'OFF' END,rcsi,recovery,"
     "CASE recovery WHEN 1 THEN 'FULL' WHEN 2 THEN 'BULK_LOGGED' ELSE 'SIMPLE' END,2,'CHECKSUM',0,0,0,0,guid,"
     "CASE WHEN is_cdc_enabled THEN 6 ELSE 0 END,CASE WHEN is_cdc_enabled THEN 'REPLICATION' ELSE 'NOTHING' "
     "END,"
     "is_cdc_enabled,0,0,0,0,0,0,NULL,NULL FROM sys_databases WHERE ms_database_visible(db_id)"},
    {"sys", "database_recovery_status",
     "database_id int!, database_guid uniqueidentifier, family_guid uniqueidentifier, last_log_backup_lsn"
     " numeric(25,0), recovery_fork_guid uniqueidentifier, first_recovery_fork_guid uniqueidentifier,"
     " fork_point_lsn numeric(25,0)",
     "SELECT db_id,guid,guid,NULL,guid,NULL,NULL FROM sys_databases"},
    {"sys", "types",
     "name sysname!, system_type_id tinyint!, user_type_id int!, schema_id int!, principal_id int,"
     " max_length smallint!, precision tinyint!, scale tinyint!, collation_name sysname, is_nullable bit,"
     " is_user_defined bit!, is_assembly_type bit!, default_object_id int!, rule_object_id int!, "
     "is_table_type bit!",
     "SELECT name,system_type_id,user_type_id,4,NULL,max_length,precision,scale,CASE WHEN is_character THEN"
     " (SELECT collation FROM sys_databases WHERE db_id={db}) END,nullable,0,system_type_id=240,0,0,0 FROM "
     "{types}"},
    {"sys", "server_principals",
     "name sysname!, principal_id int!, sid varbinary(85), type char(1)!, type_desc nvarchar(60), "
     "is_disabled bit,"
     " create_date datetime!, modify_date datetime!, default_database_name sysname, default_language_name "
     "sysname,"
     " credential_id int, owning_principal_id int, is_fixed_role bit!",
     "SELECT "
     "name,login_id,sid,'S','SQL_LOGIN',disabled,create_date,create_date,default_database,'us_english',NULL,"
     "NULL,0 FROM sys_logins UNION ALL SELECT 'public',2,x'02','R','SERVER_ROLE',0,0,0,NULL,NULL,NULL,1,0"
     " UNION ALL SELECT 'sysadmin',3,x'03','R','SERVER_ROLE',0,0,0,NULL,NULL,NULL,1,1"},
    {"sys", "sql_logins",
     "name sysname!, principal_id int!, sid varbinary(85), type char(1)!, type_desc nvarchar(60), "
     "is_disabled bit,"
     " create_date datetime!, modify_date datetime!, default_database_name sysname, default_language_name "
     "sysname,"
     " credential_id int, is_policy_checked bit, is_expiration_checked bit, password_hash varbinary(256)",
     "SELECT "
     "name,login_id,sid,'S','SQL_LOGIN',disabled,create_date,create_date,default_database,'us_english',NULL,"
     "1,"
     "0,NULL FROM sys_logins"},
    {"sys", "syslogins",
     "sid varbinary(85), name sysname!, loginname nvarchar(128), dbname sysname, sysadmin int, isntname int",
     "SELECT sid,name,name,default_database,sysadmin,0 FROM sys_logins"},
    {"sys", "database_principals",
     "name sysname!, principal_id int!, type char(1)!, type_desc nvarchar(60), default_schema_name sysname,"
     " create_date datetime!, modify_date datetime!, owning_principal_id int, sid varbinary(85), "
     "is_fixed_role bit!,"
     " authentication_type int!, authentication_type_desc nvarchar(60)",
     "SELECT p.name,p.principal_id,p.type,CASE p.type WHEN 'R' THEN 'DATABASE_ROLE' ELSE 'SQL_USER' END,"
     "p.default_schema,p.create_date,p.create_date,CASE p.type WHEN 'R' THEN 1 END,l.sid,"
     "p.principal_id>=16384 AND p.principal_id<16400,CASE WHEN p.login_id>0 THEN 1 ELSE 0 END,"
     "CASE WHEN p.login_id>0 THEN 'INSTANCE' ELSE 'NONE' END FROM sys_principals p LEFT JOIN sys_logins l ON"
     " l.login_id=p.login_id WHERE p.db_id={db}"},
    {"sys", "sysusers",
     "uid smallint, name sysname, sid varbinary(85), issqlrole int, issqluser int, islogin int",
     "SELECT p.principal_id,p.name,l.sid,p.type='R',p.type='S',p.type='S' FROM sys_principals p LEFT JOIN "
     "sys_logins l"
     " ON l.login_id=p.login_id WHERE p.db_id={db}"},
    {"sys", "database_role_members", "role_principal_id int!, member_principal_id int!",
     "SELECT role_id,member_id FROM sys_role_members WHERE db_id={db}"},
    {"sys", "server_role_members", "role_principal_id int!, member_principal_id int!",
     "SELECT 3,login_id FROM sys_logins WHERE sysadmin=1"},
    {"sys", "database_permissions",
     "class tinyint!, class_desc nvarchar(60), major_id int!, minor_id int!, grantee_principal_id int!,"
     " grantor_principal_id int!, type char(4)!, permission_name nvarchar(128), state char(1)!, state_desc"
     " nvarchar(60)",
     "SELECT class,CASE class WHEN 0 THEN 'DATABASE' WHEN 3 THEN 'SCHEMA' ELSE 'OBJECT_OR_COLUMN' "
     "END,major_id,0,"
     "grantee_id,1,substr(permission||'    ',1,4),permission,state,CASE state WHEN 'D' THEN 'DENY' ELSE "
     "'GRANT' END"
     " FROM sys_permissions WHERE db_id={db}"},
    {"sys", "configurations",
     "configuration_id int!, name nvarchar(35)!, value int, minimum int, maximum int, value_in_use int, "
     "description"
     " nvarchar(255)!, is_dynamic bit!, is_advanced bit!",
     "SELECT 1536,'max text repl size (B)',-1,-1,2147483647,-1,'Maximum size of a text field in "
     "replication.',1,0"
     " UNION ALL SELECT 1544,'max server memory (MB)',2147483647,128,2147483647,2147483647,"
     "'Maximum size of server memory (MB)',1,1"},
    {"sys", "dm_server_services",
     "servicename nvarchar(256)!, startup_type int, startup_type_desc nvarchar(256), status int, status_desc"
     " nvarchar(256), process_id int, last_startup_time datetimeoffset(7), service_account nvarchar(256)!,"
     " filename nvarchar(256)!, is_clustered nvarchar(1)!, cluster_nodename nvarchar(256),"
     " instant_file_initialization_enabled nvarchar(1)!",
     "SELECT 'SQL Server (MSSQLSERVER)',2,'Automatic',4,'Running',NULL,NULL,'mssql','sqlservr','N',NULL,'N'"
     " UNION ALL SELECT 'SQL Server Agent "
     "(MSSQLSERVER)',2,'Automatic',4,'Running',NULL,NULL,'mssql','sqlagent','N',"
     "NULL,'N'"},
    {"sys", "dm_exec_sessions",
     "session_id smallint!, login_time datetime!, host_name nvarchar(128), program_name nvarchar(128), "
     "host_process_id"
     " int, client_version int, client_interface_name nvarchar(32), security_id varbinary(85)!, login_name"
     " nvarchar(128)!, nt_domain nvarchar(128), nt_user_name nvarchar(128), status nvarchar(30)!, cpu_time "
     "int!,"
     " memory_usage int!, total_scheduled_time int!, total_elapsed_time int!, last_request_start_time "
     "datetime!,"
     " last_request_end_time datetime, reads bigint!, writes bigint!, logical_reads bigint!, is_user_process "
     "bit!,"
     " text_size int!, language nvarchar(128), date_format nvarchar(3), date_first smallint!, "
     "quoted_identifier bit!,"
     " arithabort bit!, ansi_nulls bit!, transaction_isolation_level smallint!, lock_timeout int!,"
     " deadlock_priority int!, row_count bigint!, prev_error int!, original_login_name nvarchar(128)!,"
     " database_id smallint!, open_transaction_count int!",
     "SELECT "
     "spid,login_time,host_name,program_name,NULL,7,'ODBC',x'01',login_name,NULL,NULL,status,0,2,0,0,login_"
     "time,"
     "login_time,0,0,0,1,2147483647,'us_english','mdy',7,1,1,1,isolation,lock_timeout,0,0,0,login_name,db_id,"
     "tran_count"
     " FROM {sessions}"},
    {"sys", "dm_exec_connections",
     "session_id int, most_recent_session_id int, connect_time datetime!, net_transport nvarchar(40)!, "
     "protocol_type"
     " nvarchar(40), protocol_version int, encrypt_option nvarchar(40)!, auth_scheme nvarchar(40)!, "
     "client_net_address"
     " varchar(48), local_net_address varchar(48)",
     "SELECT spid,spid,login_time,'TCP','TSQL',1946157060,'FALSE','SQL','127.0.0.1','127.0.0.1' FROM "
     "{sessions}"},
    {"sys", "dm_tran_session_transactions",
     "session_id int!, transaction_id bigint!, transaction_descriptor binary(8)!, enlist_count int!,"
     " is_user_transaction bit!, is_local bit!, is_enlisted bit!, is_bound bit!, open_transaction_count int!",
     "SELECT spid,tran_id,x'0000000000000000',1,1,1,0,0,tran_count FROM {sessions} WHERE tran_count>0"},
    {"sys", "dm_tran_active_transactions",
     "transaction_id bigint!, name nvarchar(32)!, transaction_begin_time datetime!, transaction_type int!,"
     " transaction_state int!",
     "SELECT tran_id,'user_transaction',login_time,1,2 FROM {sessions} WHERE tran_count>0"},
    {"sys", "dm_cdc_log_scan_sessions",
     "session_id int, start_time datetime, end_time datetime, duration bigint, scan_phase nvarchar(200), "
     "error_count"
     " int, start_lsn nvarchar(23), current_lsn nvarchar(23), end_lsn nvarchar(23), tran_count bigint, "
     "last_commit_lsn"
     " nvarchar(23), last_commit_time datetime, log_record_count bigint, schema_change_count int, "
     "command_count bigint,"
     " first_begin_cdc_lsn nvarchar(23), last_commit_cdc_lsn nvarchar(23), last_commit_cdc_time datetime, "
     "latency int,"
     " empty_scan_count int, failed_sessions_count int",
     "SELECT "
     "session_id,start_time,end_time,(end_time-start_time)/300,'Done',error_count,start_lsn,end_lsn,end_lsn,"
     "tran_count,end_lsn,last_commit_time,command_count,0,command_count,start_lsn,end_lsn,last_commit_time,"
     "latency,"
     "empty_scan_count,0 FROM {scans}"},
    {"sys", "dm_cdc_errors",
     "session_id int, phase_number int, entry_time datetime, error_number int, error_severity int, "
     "error_state int,"
     " error_message nvarchar(1024), start_lsn nvarchar(23), begin_lsn nvarchar(23), sequence_value "
     "nvarchar(23)",
     "SELECT session_id,1,entry_time,error_number,error_severity,error_state,error_message,NULL,NULL,NULL"
     " FROM {errors}"},
    {"sys", "dm_os_sys_info", "cpu_count int!, sqlserver_start_time datetime!, physical_memory_kb bigint!",
     "SELECT 2,(SELECT min(create_date) FROM sys_databases),8388608"},
    {"sys", "availability_groups", "group_id uniqueidentifier!, name sysname", "SELECT x'',NULL WHERE 0"},
    {"sys", "servers", "server_id int!, name sysname!, product sysname!, provider sysname!, is_linked bit!",
     "SELECT 0,'localhost','SQL Server','SQLNCLI',0"},
    {"dbo", "cdc_jobs",
     "database_id int!, job_type nvarchar(20)!, job_id uniqueidentifier, maxtrans int, maxscans int, "
     "continuous bit,"
     " pollinginterval bigint, retention bigint, threshold bigint",
     "SELECT db_id,job_type,job_id,maxtrans,maxscans,continuous,pollinginterval,retention,threshold FROM "
     "cdc_jobs"},
    {"dbo", "sysjobs",
     "job_id uniqueidentifier!, originating_server_id int!, name sysname!, enabled tinyint!, description"
     " nvarchar(512)",
     "SELECT j.job_id,0,'cdc.'||d.name||'_'||j.job_type,j.enabled,'CDC job' FROM cdc_jobs j JOIN "
     "sys_databases d ON"
     " d.db_id=j.db_id"},
};
const size_t ms_views_server_count = sizeof ms_views_server / sizeof ms_views_server[0];
