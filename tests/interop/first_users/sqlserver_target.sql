-- What the shop's reports read. Stricter than the source, as copies are that somebody wrote later.
CREATE TABLE customers (
    id integer PRIMARY KEY,
    name text NOT NULL,
    email varchar(255) UNIQUE,
    city varchar(20),
    credit_limit numeric(12, 2) NOT NULL CHECK (credit_limit >= 0),
    created_at timestamp(3) NOT NULL,
    __op text,
    __deleted text
);
CREATE TABLE orders (
    id integer PRIMARY KEY,
    customer_id integer NOT NULL REFERENCES customers,
    status varchar(20) NOT NULL CHECK (status IN ('new', 'paid', 'sent')),
    total numeric(8, 2) NOT NULL,
    placed_at timestamptz NOT NULL,
    __op text,
    __deleted text
);
CREATE TABLE line_items (
    id integer PRIMARY KEY,
    order_id integer NOT NULL REFERENCES orders,
    product varchar(24) NOT NULL,
    quantity integer NOT NULL,
    price numeric(12, 2) NOT NULL,
    __op text,
    __deleted text,
    UNIQUE (order_id, product)
);
-- __op and __deleted come by auto.evolve.
CREATE TABLE schema_test (id integer PRIMARY KEY, name varchar(10));
CREATE TABLE test_customers (id integer PRIMARY KEY, name text NOT NULL, born date, photo bytea);
