-- The tables that the sink writes. The columns that the transforms add (__op, __deleted) come by auto.evolve.
CREATE TABLE customers (
    id integer PRIMARY KEY,
    name text NOT NULL,
    email text,
    city text,
    credit_limit numeric(10, 2) NOT NULL,
    created_at timestamp(3) NOT NULL
);
CREATE TABLE orders (
    id integer PRIMARY KEY,
    customer_id integer NOT NULL,
    status varchar(20) NOT NULL,
    total numeric(10, 2) NOT NULL,
    placed_at timestamp(3) NOT NULL,
    note text
);
CREATE TABLE products (
    id varchar(24) PRIMARY KEY,
    title text NOT NULL,
    price numeric(10, 2) NOT NULL,
    stock integer NOT NULL,
    changed_at timestamp(6)
);
CREATE TABLE line_items (
    id integer PRIMARY KEY,
    order_id integer NOT NULL,
    product varchar(24) NOT NULL,
    quantity integer NOT NULL,
    price numeric(10, 2) NOT NULL
);
