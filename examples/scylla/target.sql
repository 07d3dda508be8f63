-- The tables that the sink writes: auto.create and auto.evolve are off, so the columns that the transforms add stand
-- here too. Deletes arrive as a rewritten row (__deleted) and a tombstone, which removes it.
CREATE SCHEMA cdc_data;
CREATE TABLE cdc_data.users (
    user_id uuid PRIMARY KEY,
    email text,
    name text,
    active boolean,
    metadata jsonb,
    created_at timestamptz(3),
    __deleted text,
    __op text,
    __source_ts_ms bigint,
    cdc_timestamp timestamptz(3),
    cdc_source text
);
CREATE TABLE cdc_data.products (
    product_id uuid PRIMARY KEY,
    title text,
    price numeric,
    stock integer,
    attributes jsonb,
    updated_at timestamptz(3),
    __deleted text,
    __op text,
    __source_ts_ms bigint,
    cdc_timestamp timestamptz(3),
    cdc_source text
);
CREATE TABLE cdc_data.orders (
    order_id uuid PRIMARY KEY,
    user_id uuid,
    status text,
    total numeric,
    placed_at timestamptz(3),
    note text,
    __deleted text,
    __op text,
    __source_ts_ms bigint,
    cdc_timestamp timestamptz(3),
    cdc_source text
);
CREATE TABLE cdc_data.order_items (
    order_id uuid,
    item_id integer,
    product_id uuid,
    quantity integer,
    price numeric,
    __deleted text,
    __op text,
    __source_ts_ms bigint,
    cdc_timestamp timestamptz(3),
    cdc_source text,
    PRIMARY KEY (order_id, item_id)
);
CREATE TABLE cdc_data.inventory_transactions (
    transaction_id uuid PRIMARY KEY,
    product_id uuid,
    delta integer,
    reason text,
    weight double precision,
    __deleted text,
    __op text,
    __source_ts_ms bigint,
    cdc_timestamp timestamptz(3),
    cdc_source text
);
