-- Flatten names a cell's column <column>_value, and the renames take the ending off where their file has one for it. What has
-- none is user_id_value, product_id_value, quantity_value and reason_value.
CREATE SCHEMA cdc_data;
CREATE TABLE cdc_data.users (
    user_id uuid PRIMARY KEY, email text, username text NOT NULL, first_name text, last_name text,
    status varchar(10), created_at timestamptz, updated_at timestamptz, __deleted text
);
CREATE UNIQUE INDEX users_email ON cdc_data.users (email);
CREATE TABLE cdc_data.products (
    product_id uuid PRIMARY KEY, name text NOT NULL, description text, price numeric(8, 2),
    stock_quantity integer CHECK (stock_quantity >= 0), is_active boolean, category text, created_at timestamptz,
    updated_at timestamptz, __deleted text
);
CREATE TABLE cdc_data.orders (
    order_id uuid PRIMARY KEY, user_id_value uuid NOT NULL REFERENCES cdc_data.users, status text, total_amount numeric,
    shipping_address text, order_date timestamp, updated_at timestamptz, __deleted text
);
CREATE TABLE cdc_data.order_items (
    order_id uuid REFERENCES cdc_data.orders, item_id uuid, product_id_value uuid NOT NULL REFERENCES cdc_data.products,
    quantity_value smallint, price numeric, __deleted text, PRIMARY KEY (order_id, item_id)
);
CREATE TABLE cdc_data.inventory_transactions (
    transaction_id uuid PRIMARY KEY, product_id_value uuid, quantity_value integer, reason_value varchar(20),
    created_at timestamptz, __deleted text
);
