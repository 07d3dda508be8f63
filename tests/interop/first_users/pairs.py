# SPDX-License-Identifier: Apache-2.0
"""
The three pairs, one after another. Not collected by itself: test_first_users.py runs it on a machine of its own.

Each pair: connectors as the files have them; rows that fit and rows that do not, some before and some while the worker is
killed; then every expected row and every expected dead letter, and no other.
"""
import os
import pathlib

import pytest

from harness import scylla, sqlserver, wait
from interop.first_users.world import Letter, World

HERE = pathlib.Path(__file__).parent


@pytest.fixture(scope="module")
def world(build, cache, tmp_path_factory):
    made = World(tmp_path_factory.mktemp("first-users"), build, cache, os.environ["SLUICE_FIXTURES"])
    try:
        yield made.start()
    finally:
        made.close()


def settled(world, rows, expected, letters, planted, seconds=120):
    """Everything that was meant to arrive has, and what was meant to fail has; then nothing else may be there."""
    def complete():
        return rows() == expected and set(planted) <= set(letters())
    try:
        wait.until(complete, "the rows and the letters", seconds, 0.3)
    except wait.Timeout:
        pass
    assert rows() == expected, world.worker.output()[-3000:]
    assert letters() == sorted(planted)


def sqlserver_letter(table, key, why, stage="TASK_PUT"):
    return Letter(f"sqlserver.warehouse_source.dbo.{table}", key, stage, why)


def test_sqlserver(world, build):
    source = sqlserver.SqlServer(world.folder / "sqlserver", build, 20)
    source.port = 1433
    source.start()
    source.script(HERE / "sqlserver_source.sql")
    world.role("shop_writer", "Word-of-the-shop", "warehouse_target", (HERE / "sqlserver_target.sql").read_text())
    world.vault.put("database", sqlserver_host="sqlserver", sqlserver_user=source.user, sqlserver_password=source.password,
                    postgres_host="postgres", postgres_user="shop_writer", postgres_password="Word-of-the-shop")
    world.start_worker()
    assert world.ask("GET", "/connectors", headers={})[0] == 401  # their file asks for logins
    world.post("sqlserver-cdc-source.json")
    sink = world.post("sqlserver-postgres-sink.json")
    world.worker.wait_for_log("streaming")

    def run(*batches):
        for batch in batches:
            source.execute(batch, database="warehouse_source")

    def rows():
        return {table: world.rows("warehouse_target", sql) for table, sql in SQLSERVER_ROWS.items()}

    run(*SQLSERVER_FIRST)
    wait.until(lambda: world.rows("warehouse_target", "SELECT count(*) FROM line_items")[0][0] == 3, "the first rows", 60)
    wait.until(lambda: world.letters("dlq-postgresql-sink", sink), "the first letter", 60)
    run(*SQLSERVER_PARENTS)
    wait.until(lambda: world.rows("warehouse_target", "SELECT count(*) FROM customers")[0][0] == 3, "the third customer", 60)
    run(*SQLSERVER_ORDERS)
    world.restart_worker()
    wait.until(lambda: world.rows("warehouse_target", "SELECT count(*) FROM orders")[0][0] == 3, "the third order", 60)
    run(*SQLSERVER_LAST)
    try:
        settled(world, rows, SQLSERVER_EXPECTED, lambda: world.letters("dlq-postgresql-sink", sink), SQLSERVER_LETTERS)
        assert {f"sqlserver.warehouse_source.dbo.{table}-value" for table in SQLSERVER_ROWS} <= world.subjects()
        world.stop_worker()
    finally:
        world.end_worker()
        source.stop()


SQLSERVER_FIRST = (
    "INSERT INTO dbo.customers VALUES (1, N'Ann', N'ann@example.org', N'Aachen', 100, '2024-01-01T10:00:00.123'), "
    "(2, N'Łucja', NULL, N'Łódź', 250.50, '2024-01-02T10:00:00')",
    "INSERT INTO dbo.orders VALUES (1, 1, N'new', 12.50, '2024-02-01T08:00:00.1234567'), "
    "(2, 2, N'new', 99999.99, '2024-02-02T08:00:00')",
    "INSERT INTO dbo.line_items VALUES (1, 1, N'anvil', 1, 12.50), (2, 2, N'bolt', 9, 1.00), (3, 2, N'crate', 1, 90990.99)",
    "INSERT INTO dbo.test_customers VALUES (1, N'Tess', '1990-12-31', 0x00FF), (2, NULL, NULL, NULL), (3, N'Tom', NULL, NULL)",
)
SQLSERVER_PARENTS = (
    "INSERT INTO dbo.customers VALUES (3, N'Ann again', N'ann@example.org', NULL, 0, '2024-01-03T00:00:00'), "
    "(4, N'Debtor', NULL, NULL, -1, '2024-01-04T00:00:00'), (5, N'Far', NULL, N'Llanfairpwllgwyngyllgogerychwyrndrobwll', 1, "
    "'2024-01-05T00:00:00'), (6, N'Fay', N'fay@example.org', NULL, 1, '2024-01-06T00:00:00')",
)
SQLSERVER_ORDERS = (
    "INSERT INTO dbo.orders VALUES (3, 3, N'new', 1, '2024-02-03T00:00:00'), (4, 1, N'lost', 1, '2024-02-04T00:00:00'), "
    "(5, 1, N'new', 1000000, '2024-02-05T00:00:00'), (6, 6, N'new', 6, '2024-02-06T00:00:00')",
    "UPDATE dbo.orders SET status = N'paid', total = 13 WHERE id = 1",
    "INSERT INTO dbo.schema_test VALUES (1, N'one'), (2, N'two'), (3, N'three and more')",
)
SQLSERVER_LAST = (
    "INSERT INTO dbo.line_items VALUES (4, 6, N'drum', 3000000000, 1), (5, 1, N'anvil', 1, 1), (6, 6, N'drum', 6, 1), "
    "(7, 3, N'egg', 1, 1)",
    "DELETE FROM dbo.schema_test WHERE id = 1; UPDATE dbo.schema_test SET name = NULL WHERE id = 2",
    "DELETE FROM dbo.line_items WHERE id = 3; UPDATE dbo.customers SET city = N'Bonn' WHERE id = 1",
    "INSERT INTO dbo.test_customers VALUES (4, N'Tim', '0001-01-01', NULL)",
)
SQLSERVER_ROWS = {
    "customers": "SELECT id, name, email, city, credit_limit::text, created_at::text, __op, __deleted FROM customers ORDER BY id",
    "orders": "SELECT id, customer_id, status, total::text, (placed_at AT TIME ZONE 'UTC')::text, __op, __deleted FROM orders "
              "ORDER BY id",
    "line_items": "SELECT id, order_id, product, quantity, price::text, __op, __deleted FROM line_items ORDER BY id",
    "schema_test": "SELECT id, name, __op, __deleted FROM schema_test ORDER BY id",
    "test_customers": "SELECT id, name, born::text, encode(photo, 'hex'), __op, __deleted FROM test_customers ORDER BY id",
}
SQLSERVER_EXPECTED = {
    "customers": [
        (1, "Ann", "ann@example.org", "Bonn", "100.00", "2024-01-01 10:00:00.123", "u", "false"),
        (2, "Łucja", None, "Łódź", "250.50", "2024-01-02 10:00:00", "c", "false"),
        (6, "Fay", "fay@example.org", None, "1.00", "2024-01-06 00:00:00", "c", "false"),
    ],
    "orders": [
        (1, 1, "paid", "13.00", "2024-02-01 08:00:00.123456", "u", "false"),
        (2, 2, "new", "99999.99", "2024-02-02 08:00:00", "c", "false"),
        (6, 6, "new", "6.00", "2024-02-06 00:00:00", "c", "false"),
    ],
    "line_items": [
        (1, 1, "anvil", 1, "12.50", "c", "false"),
        (2, 2, "bolt", 9, "1.00", "c", "false"),
        (3, 2, "crate", 1, "90990.99", "d", "true"),
        (6, 6, "drum", 6, "1.00", "c", "false"),
    ],
    "schema_test": [(1, "one", "d", "true"), (2, None, "u", "false")],
    "test_customers": [
        (1, "Tess", "1990-12-31", "00ff", "c", "false"),
        (3, "Tom", None, None, "c", "false"),
        (4, "Tim", "0001-01-01", None, "c", "false"),
    ],
}
SQLSERVER_LETTERS = [
    sqlserver_letter("customers", 3, "23505"),       # another has that e-mail address
    sqlserver_letter("customers", 4, "23514"),       # a limit below nothing
    sqlserver_letter("customers", 5, "22001"),       # a long name of a town
    sqlserver_letter("orders", 3, "23503"),          # its customer is a dead letter
    sqlserver_letter("orders", 4, "23514"),          # a status that the copy does not know
    sqlserver_letter("orders", 5, "22003"),          # more than eight digits
    sqlserver_letter("line_items", 4, "DATA"),       # beyond an integer: never sent
    sqlserver_letter("line_items", 5, "23505"),      # one product twice in an order
    sqlserver_letter("line_items", 7, "23503"),      # its order is a dead letter
    sqlserver_letter("schema_test", 3, "22001"),
    sqlserver_letter("test_customers", 2, "23502"),  # nobody's name
]


# ---- ScyllaDB ----

def uid(number):
    return f"00000000-0000-4000-8000-{number:012}"


def tid(number):
    return f"{number:08}-0000-1000-8000-000000000000"


class App:
    """The application and its warehouse; the two pairs differ in their files, topics and columns."""

    def __init__(self, world, build, name, target, prefix, value, writer):
        self.world, self.prefix, self.value = world, prefix, value
        self.category = "category" if value else "category->>'value'"  # once plain, once in the shape of its cell
        self.source = scylla.Scylla(world.folder / name, build, user="cassandra", password="cassandra")
        self.source.port = 9042
        self.source.start()
        self.source.script((HERE / "scylla_source.cql").read_text())
        self.session = self.source.session()
        world.secret_file("scylla-credentials", username="cassandra", password="cassandra")
        world.drop_schema("warehouse", "cdc_data")
        world.role(*writer, "warehouse", (HERE / target).read_text())

    def write(self, *statements):
        for statement in statements:
            self.session.execute(statement)

    def rows(self):
        return {table: self.world.rows("warehouse", sql.replace("_VALUE", self.value).replace("CATEGORY", self.category)) for table, sql in APP_ROWS.items()}

    def wait_rows(self, table, n, what):
        """Longer than the time of several rows that wait for others, one behind the other."""
        def there():
            return self.world.rows("warehouse", f"SELECT count(*) FROM cdc_data.{table}")[0][0]
        try:
            wait.until(lambda: there() == n, what, 180, 0.2)
        except wait.Timeout as late:
            raise AssertionError(f"{late}; rows: {there()}\n{self.world.worker.output()[-8000:]}") from late

    def letter(self, table, key, why, stage="TASK_PUT"):
        return Letter(f"{self.prefix}.{table}", key, stage, why)

    def letters(self):
        """What APP_WRITES plants, in their order."""
        return [
            self.letter("users", uid(3), "23505"),                            # another has that e-mail address
            self.letter("users", uid(4), "23502"),                            # nobody's name
            self.letter("users", uid(5), "22001"),                            # a long word for a status
            self.letter("products", uid(13), "22003"),                        # a price of seven digits
            self.letter("products", uid(14), "23514"),                        # less than nothing in stock
            self.letter("orders", uid(23), "23503"),                          # of a user who is a dead letter
            self.letter("orders", uid(24), "23502"),                          # of no user
            self.letter("order_items", f"{uid(32)}/{uid(21)}", "DATA"),       # more than a smallint: never sent
            self.letter("order_items", f"{uid(33)}/{uid(21)}", "23503"),      # a product that is a dead letter
            self.letter("products", uid(11), "23503"),                        # gone, and an order still has it
            self.letter("inventory_transactions", tid(43), "22001"),          # a long reason
            self.letter("users", "not Avro", "DATA", "KEY_CONVERTER"),        # somebody's own record
        ]


APP_BEFORE = (
    f"INSERT INTO app_data.users (user_id, email, username, first_name, created_at) VALUES ({uid(1)}, 'ann@example.org', 'ann', "
    "'Ann', '2024-01-01T10:00:00.123Z')",
    f"INSERT INTO app_data.products (product_id, name, price, stock_quantity, is_active, category) VALUES ({uid(11)}, 'anvil', "
    "12.50, 3, true, 'tools')",
)
APP_PARENTS = (
    f"INSERT INTO app_data.users (user_id, email, username) VALUES ({uid(2)}, 'bob@example.org', 'bob')",
    f"INSERT INTO app_data.users (user_id, email, username) VALUES ({uid(3)}, 'ann@example.org', 'ann too')",
    f"INSERT INTO app_data.users (user_id, email) VALUES ({uid(4)}, 'dan@example.org')",
    f"INSERT INTO app_data.users (user_id, username, status) VALUES ({uid(5)}, 'eve', 'of two minds')",
    f"INSERT INTO app_data.users (user_id, username, status) VALUES ({uid(6)}, 'fay', 'gone soon')",
    f"INSERT INTO app_data.products (product_id, name, price) VALUES ({uid(12)}, 'bolt', 0.07)",
    f"INSERT INTO app_data.products (product_id, name, price) VALUES ({uid(13)}, 'cathedral', 1000000)",
    f"INSERT INTO app_data.products (product_id, name, stock_quantity) VALUES ({uid(14)}, 'debt', -1)",
    f"UPDATE app_data.users SET last_name = 'Ant', first_name = null WHERE user_id = {uid(1)}",
)
APP_ORDERS = (
    f"INSERT INTO app_data.orders (order_id, user_id, status, total_amount, shipping_address, order_date) VALUES ({uid(21)}, "
    f"{uid(1)}, 'new', 12.57, 'Łódź', '2024-02-01T08:00:00Z')",
    f"INSERT INTO app_data.orders (order_id, user_id, status) VALUES ({uid(22)}, {uid(2)}, 'new')",
    f"INSERT INTO app_data.orders (order_id, user_id, status) VALUES ({uid(23)}, {uid(3)}, 'new')",
    f"INSERT INTO app_data.orders (order_id, status) VALUES ({uid(24)}, 'whose?')",
)
APP_ITEMS = (
    f"INSERT INTO app_data.order_items (order_id, item_id, product_id, quantity, price) VALUES ({uid(21)}, {uid(31)}, {uid(11)}, "
    "1, 12.50)",
    f"INSERT INTO app_data.order_items (order_id, item_id, product_id, quantity) VALUES ({uid(21)}, {uid(32)}, {uid(12)}, 40000)",
    f"INSERT INTO app_data.order_items (order_id, item_id, product_id, quantity) VALUES ({uid(21)}, {uid(33)}, {uid(13)}, 1)",
    f"INSERT INTO app_data.order_items (order_id, item_id, product_id, quantity) VALUES ({uid(22)}, {uid(34)}, {uid(12)}, 7)",
    f"INSERT INTO app_data.inventory_transactions (transaction_id, product_id, quantity, reason) VALUES ({tid(41)}, {uid(11)}, -1, "
    "'sold')",
    f"INSERT INTO app_data.inventory_transactions (transaction_id, product_id, quantity, reason) VALUES ({tid(42)}, {uid(12)}, -7, "
    "'sold')",
    f"INSERT INTO app_data.inventory_transactions (transaction_id, product_id, quantity, reason) VALUES ({tid(43)}, {uid(12)}, 0, "
    "'counted, and nothing was missing')",
)
APP_LATER = (
    f"UPDATE app_data.orders SET status = 'paid' WHERE order_id = {uid(21)}",
    f"UPDATE app_data.products SET stock_quantity = 2, is_active = null WHERE product_id = {uid(12)}",
    f"DELETE FROM app_data.users WHERE user_id = {uid(6)}",
    f"DELETE FROM app_data.products WHERE product_id = {uid(11)}",
    f"DELETE FROM app_data.order_items WHERE order_id = {uid(22)} AND item_id = {uid(34)}",
)
APP_ROWS = {
    "users": "SELECT user_id::text, email, username, first_name, last_name, status, (created_at AT TIME ZONE 'UTC')::text, __deleted "
             "FROM cdc_data.users ORDER BY 1",
    "products": "SELECT product_id::text, name, price::text, stock_quantity, is_active, CATEGORY, __deleted "
                "FROM cdc_data.products ORDER BY 1",
    "orders": "SELECT order_id::text, user_id_VALUE::text, status, total_amount::text, shipping_address, order_date::text, __deleted "
              "FROM cdc_data.orders ORDER BY 1",
    "order_items": "SELECT order_id::text, item_id::text, product_id_VALUE::text, quantity_VALUE, price::text, __deleted "
                   "FROM cdc_data.order_items ORDER BY 1, 2",
    "inventory_transactions": "SELECT transaction_id::text, product_id_VALUE::text, quantity_VALUE, reason_VALUE, __deleted "
                              "FROM cdc_data.inventory_transactions ORDER BY 1",
}
APP_EXPECTED = {
    "users": [(uid(1), "ann@example.org", "ann", None, "Ant", None, "2024-01-01 10:00:00.123", "false"),
              (uid(2), "bob@example.org", "bob", None, None, None, None, "false")],
    # No images in the log: a delete's row has nothing but its key, so what stood there stands, and the mark.
    "products": [(uid(11), "anvil", "12.50", 3, True, "tools", "true"),
                 (uid(12), "bolt", "0.07", 2, None, None, "false")],
    "orders": [(uid(21), uid(1), "paid", "12.57", "Łódź", "2024-02-01 08:00:00", "false"),
               (uid(22), uid(2), "new", None, None, None, "false")],
    "order_items": [(uid(21), uid(31), uid(11), 1, "12.50", "false")],
    "inventory_transactions": [(tid(41), uid(11), -1, "sold", "false"), (tid(42), uid(12), -7, "sold", "false")],
}


def run_app(world, app, files, expected):
    """
    Parents before children, since a bad parent's time to wait would be the children's; and whoever has an e-mail address before
    whoever wants it too, since the copy takes the first of them. The kill falls among the rest.
    """
    app.write(*APP_BEFORE)
    for file in files:
        name = world.post(file)
    app.wait_rows("users", 1, "the snapshot")
    app.wait_rows("products", 1, "the snapshot")

    def letters():
        return world.letters("dlq-postgres-sink", name)
    app.write(*APP_PARENTS)
    world.produce(f"{app.prefix}.users", "not Avro", "neither")
    app.wait_rows("users", 3, "the users")
    app.wait_rows("products", 2, "the products")
    app.write(*APP_ORDERS)
    app.wait_rows("orders", 2, "the orders")
    app.write(*APP_ITEMS)
    app.wait_rows("order_items", 2, "the first item")
    app.write(*APP_LATER[:2])
    world.restart_worker()
    app.write(*APP_LATER[2:])
    settled(world, app.rows, expected, letters, app.letters())


def test_scylla(world, build):
    world.secret_file("postgres-credentials", username="warehouse_writer", password="Word-of-the-warehouse")
    app = App(world, build, "scylla", "scylla_target.sql", "cdc.scylla", "", ("warehouse_writer", "Word-of-the-warehouse"))
    world.start_worker()
    try:
        run_app(world, app, ("scylla-source.json", "postgres-sink.json"), APP_EXPECTED)
        assert world.rows("warehouse", "SELECT DISTINCT cdc_source FROM cdc_data.users") == [("scylla-cdc",)]
        assert world.rows("warehouse", "SELECT __op FROM cdc_data.products WHERE __deleted = 'true'") == [("d",)]
        assert world.rows("warehouse", "SELECT count(*) FROM cdc_data.orders WHERE __source_ts_ms > 1700000000000 AND "
                          "cdc_timestamp > '2023-11-14'") == [(2,)]
        seen = [headers["correlation_id"] for headers in world.headers("cdc.scylla.orders")]
        assert len(seen) >= 5 and len(set(seen)) == len(seen), "each record has an id of its own"
        assert world.partitions("cdc.scylla.users") == 8
        world.stop_worker()
    finally:
        world.end_worker()
        app.source.stop()


def test_scylla_legacy(world, build):
    app = App(world, build, "legacy", "scylla_legacy_target.sql", "scylla-cluster.app_data", "_value", ("postgres", "postgres"))
    world.start_worker(**{"sluice.compat.scylla": "1.2"})  # their connector named topics by scylla.name
    try:
        run_app(world, app, ("scylla-cdc-source.json", "scylla-postgres-sink.json"), APP_EXPECTED)
        assert world.partitions("scylla-cluster.app_data.users") == 8
        world.stop_worker()
    finally:
        world.end_worker()
        app.source.stop()
