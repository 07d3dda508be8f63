# SPDX-License-Identifier: Apache-2.0
"""
The three pairs, one after another. Not collected by itself: test_first_users.py runs it on a machine of its own.

Each pair: connectors as the files have them; rows that fit and rows that do not, some before and some while the worker is
killed; then every expected row and every expected dead letter, and no other.
"""
import os
import pathlib

import pytest

from harness import sqlserver, wait
from interop.first_users.world import Letter, World

HERE = pathlib.Path(__file__).parent


@pytest.fixture(scope="module")
def world(build, cache, tmp_path_factory):
    made = World(tmp_path_factory.mktemp("first-users"), build, cache, os.environ["SLUICE_FIXTURES"])
    try:
        yield made.start()
    finally:
        made.close()


def settled(world, rows, expected, letters, planted, seconds=90):
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
    run(*SQLSERVER_SECOND)
    world.restart_worker()
    run(*SQLSERVER_THIRD)
    try:
        settled(world, rows, SQLSERVER_EXPECTED, lambda: world.letters("dlq-postgresql-sink", sink), SQLSERVER_LETTERS)
        assert {f"sqlserver.warehouse_source.dbo.{table}-value" for table in SQLSERVER_ROWS} <= world.subjects()
        world.stop_worker()
    finally:
        source.stop()


SQLSERVER_FIRST = (
    "INSERT INTO dbo.customers VALUES (1, N'Ann', N'ann@example.org', N'Aachen', 100, '2024-01-01T10:00:00.123'), "
    "(2, N'Łucja', NULL, N'Łódź', 250.50, '2024-01-02T10:00:00')",
    "INSERT INTO dbo.orders VALUES (1, 1, N'new', 12.50, '2024-02-01T08:00:00.1234567'), "
    "(2, 2, N'new', 99999.99, '2024-02-02T08:00:00')",
    "INSERT INTO dbo.line_items VALUES (1, 1, N'anvil', 1, 12.50), (2, 2, N'bolt', 9, 1.00), (3, 2, N'crate', 1, 90990.99)",
    "INSERT INTO dbo.test_customers VALUES (1, N'Tess', '1990-12-31', 0x00FF), (2, NULL, NULL, NULL), (3, N'Tom', NULL, NULL)",
)
SQLSERVER_SECOND = (
    "INSERT INTO dbo.customers VALUES (3, N'Ann again', N'ann@example.org', NULL, 0, '2024-01-03T00:00:00'), "
    "(4, N'Debtor', NULL, NULL, -1, '2024-01-04T00:00:00'), (5, N'Far', NULL, N'Llanfairpwllgwyngyllgogerychwyrndrobwll', 1, "
    "'2024-01-05T00:00:00'), (6, N'Fay', N'fay@example.org', NULL, 1, '2024-01-06T00:00:00')",
    "INSERT INTO dbo.orders VALUES (3, 3, N'new', 1, '2024-02-03T00:00:00'), (4, 1, N'lost', 1, '2024-02-04T00:00:00'), "
    "(5, 1, N'new', 1000000, '2024-02-05T00:00:00'), (6, 6, N'new', 6, '2024-02-06T00:00:00')",
    "INSERT INTO dbo.line_items VALUES (4, 6, N'drum', 3000000000, 1), (5, 1, N'anvil', 1, 1), (6, 6, N'drum', 6, 1)",
    "UPDATE dbo.orders SET status = N'paid', total = 13 WHERE id = 1",
    "INSERT INTO dbo.schema_test VALUES (1, N'one'), (2, N'two'), (3, N'three and more')",
)
SQLSERVER_THIRD = (
    "INSERT INTO dbo.line_items VALUES (7, 3, N'egg', 1, 1)",
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
