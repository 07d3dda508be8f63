-- The shop's own database, as it stood before anybody thought of PostgreSQL.
CREATE DATABASE warehouse_source;
GO
USE warehouse_source;
GO
CREATE TABLE dbo.customers (
    id int NOT NULL PRIMARY KEY,
    name nvarchar(100) NOT NULL,
    email nvarchar(255) NULL,
    city nvarchar(80) NULL,
    credit_limit decimal(12,2) NOT NULL,
    created_at datetime2(3) NOT NULL
);
CREATE TABLE dbo.orders (
    id int NOT NULL PRIMARY KEY,
    customer_id int NOT NULL,
    status nvarchar(20) NOT NULL,
    total decimal(12,2) NOT NULL,
    placed_at datetime2(7) NOT NULL
);
CREATE TABLE dbo.line_items (
    id int NOT NULL PRIMARY KEY,
    order_id int NOT NULL,
    product nvarchar(24) NOT NULL,
    quantity bigint NOT NULL,
    price decimal(12,2) NOT NULL
);
CREATE TABLE dbo.schema_test (id int NOT NULL PRIMARY KEY, name nvarchar(50) NULL);
CREATE TABLE dbo.test_customers (id int NOT NULL PRIMARY KEY, name nvarchar(50) NULL, born date NULL, photo varbinary(20) NULL);
GO
EXEC sys.sp_cdc_enable_db;
GO
EXEC sys.sp_cdc_enable_table @source_schema = N'dbo', @source_name = N'customers', @role_name = NULL, @supports_net_changes = 0;
EXEC sys.sp_cdc_enable_table @source_schema = N'dbo', @source_name = N'orders', @role_name = NULL, @supports_net_changes = 0;
EXEC sys.sp_cdc_enable_table @source_schema = N'dbo', @source_name = N'line_items', @role_name = NULL, @supports_net_changes = 0;
EXEC sys.sp_cdc_enable_table @source_schema = N'dbo', @source_name = N'schema_test', @role_name = NULL, @supports_net_changes = 0;
EXEC sys.sp_cdc_enable_table @source_schema = N'dbo', @source_name = N'test_customers', @role_name = NULL, @supports_net_changes = 0;
GO
-- From before the pipeline: the file says schema_only, so nobody asks for it.
INSERT INTO dbo.schema_test VALUES (99, N'from before');
GO
