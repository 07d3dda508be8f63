CREATE TABLE dbo.all_types (
    id int NOT NULL PRIMARY KEY,
    c_bit bit NULL, c_tinyint tinyint NULL, c_smallint smallint NULL, c_int int NULL, c_bigint bigint NULL,
    c_real real NULL, c_float float NULL, c_decimal decimal(10,2) NULL, c_wide decimal(38,10) NULL,
    c_numeric numeric(5,0) NULL, c_smallmoney smallmoney NULL, c_money money NULL,
    c_char char(5) NULL, c_varchar varchar(50) NULL, c_nchar nchar(5) NULL, c_nvarchar nvarchar(50) NULL,
    c_varchar_max varchar(max) NULL, c_nvarchar_max nvarchar(max) NULL,
    c_binary binary(4) NULL, c_varbinary varbinary(20) NULL, c_varbinary_max varbinary(max) NULL,
    c_uid uniqueidentifier NULL, c_date date NULL,
    c_time0 time(0) NULL, c_time3 time(3) NULL, c_time6 time(6) NULL, c_time7 time(7) NULL,
    c_datetime datetime NULL, c_smalldatetime smalldatetime NULL,
    c_dt2_0 datetime2(0) NULL, c_dt2_3 datetime2(3) NULL, c_dt2_6 datetime2(6) NULL, c_dt2_7 datetime2(7) NULL,
    c_dto datetimeoffset(3) NULL, c_dto7 datetimeoffset(7) NULL,
    d_int int NOT NULL DEFAULT 42, d_text nvarchar(20) NOT NULL DEFAULT N'none', d_dec decimal(8,2) NULL DEFAULT 1.50,
    d_bit bit NOT NULL DEFAULT 1
)
GO
EXEC sys.sp_cdc_enable_table @source_schema = N'dbo', @source_name = N'all_types', @role_name = NULL, @supports_net_changes = 0
GO
CREATE TABLE dbo.odd_types (
    id int NOT NULL PRIMARY KEY,
    c_text text NULL, c_ntext ntext NULL, c_image image NULL, c_xml xml NULL,
    c_hierarchyid hierarchyid NULL, c_geometry geometry NULL, c_geography geography NULL,
    c_variant sql_variant NULL, c_double AS id * 2, c_stamp rowversion,
    c_float24 float(24) NULL, c_time1 time(1) NULL, c_time4 time(4) NULL, c_dt2_4 datetime2(4) NULL, c_dto0 datetimeoffset(0) NULL
)
GO
EXEC sys.sp_cdc_enable_table @source_schema = N'dbo', @source_name = N'odd_types', @role_name = NULL, @supports_net_changes = 0
GO
