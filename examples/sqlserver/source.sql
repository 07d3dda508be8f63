-- The source database as a normal user sets it up: tables, a foreign key chain, change data capture.
IF NOT EXISTS (SELECT 1 FROM sys.databases WHERE name = N'warehouse_source')
    CREATE DATABASE warehouse_source;
GO
USE warehouse_source;
GO
CREATE TABLE dbo.customers (
    id int IDENTITY(1,1) NOT NULL PRIMARY KEY,
    name nvarchar(100) NOT NULL,
    email nvarchar(255) NULL,
    city nvarchar(80) NULL,
    credit_limit decimal(10,2) NOT NULL DEFAULT 1000,
    created_at datetime2(3) NOT NULL DEFAULT SYSUTCDATETIME()
);
CREATE TABLE dbo.orders (
    id int IDENTITY(1,1) NOT NULL PRIMARY KEY,
    customer_id int NOT NULL REFERENCES dbo.customers(id),
    status nvarchar(20) NOT NULL DEFAULT N'new',
    total decimal(10,2) NOT NULL DEFAULT 0,
    placed_at datetime2(3) NOT NULL,
    note nvarchar(200) NULL
);
CREATE TABLE dbo.products (
    id nvarchar(24) NOT NULL PRIMARY KEY, -- a natural key: the article number, which people do change
    title nvarchar(120) NOT NULL,
    price decimal(10,2) NOT NULL,
    stock int NOT NULL DEFAULT 0,
    changed_at datetime2(6) NULL
);
CREATE TABLE dbo.line_items (
    id int IDENTITY(1,1) NOT NULL PRIMARY KEY,
    order_id int NOT NULL REFERENCES dbo.orders(id),
    product nvarchar(24) NOT NULL,
    quantity int NOT NULL CHECK (quantity > 0),
    price decimal(10,2) NOT NULL
);
GO
EXEC sys.sp_cdc_enable_db;
GO
EXEC sys.sp_cdc_enable_table @source_schema = N'dbo', @source_name = N'customers', @role_name = NULL, @supports_net_changes = 0;
EXEC sys.sp_cdc_enable_table @source_schema = N'dbo', @source_name = N'orders', @role_name = NULL, @supports_net_changes = 0;
EXEC sys.sp_cdc_enable_table @source_schema = N'dbo', @source_name = N'products', @role_name = NULL, @supports_net_changes = 0;
EXEC sys.sp_cdc_enable_table @source_schema = N'dbo', @source_name = N'line_items', @role_name = NULL, @supports_net_changes = 0;
GO
