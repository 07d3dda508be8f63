# SPDX-License-Identifier: Apache-2.0
"""
The connector files of our first users, read in place from the folder that SLUICE_FIXTURES names (.ci/run sets it; a
clone without them skips). Addresses and secrets are put in by the test; every other key stands as they wrote it.
"""
import json
import os
import pathlib

import pytest

from harness import scylla, sluice, wait

FIXTURES = os.environ.get("SLUICE_FIXTURES")


@pytest.mark.skipif(not FIXTURES, reason="SLUICE_FIXTURES names no folder")
def test_the_sqlserver_pair_brings_rows_and_marks_deletes(make_pipeline, cluster):
    p = make_pipeline(cluster, ledger=False)
    folder = pathlib.Path(FIXTURES) / "connectors"
    source = json.loads((folder / "sqlserver-cdc-source.json").read_text())["config"]
    sink = json.loads((folder / "sqlserver-postgres-sink.json").read_text())["config"]
    source.update({"database.hostname": p.source.host, "database.port": str(p.source.port),
                   "database.user": p.source.user, "database.password": p.source.password})
    sink.update({"connection.url": p.target.url(p.database), "connection.user": p.target.user,
                 "connection.password": p.target.password})
    extra = ("schema_test", "test_customers")
    for table in extra:
        p.source.execute(f"CREATE TABLE dbo.{table} (id int PRIMARY KEY, name nvarchar(50)); EXEC sys.sp_cdc_enable_table "
                         f"@source_schema = N'dbo', @source_name = N'{table}', @role_name = NULL", database="warehouse_source")
        p.query(f"CREATE TABLE {table} (id integer PRIMARY KEY, name text)")
    p.sluice.connectors = [sluice.write_connector(p.sluice.folder / "a.json", "sqlserver-cdc-source", source),
                           sluice.write_connector(p.sluice.folder / "b.json", "postgresql-jdbc-sink", sink)]
    p.sluice.start()
    p.sluice.wait_for_log("streaming")
    # No data snapshot in their files: what happens from here on arrives.
    p.apply(p.warehouse.fill(customers=20, products=1, orders=20, lines=20))
    p.source.execute("INSERT INTO dbo.schema_test VALUES (1, N'one'), (2, N'two'); DELETE FROM dbo.schema_test WHERE id = 1",
                     database="warehouse_source")
    wait.until(lambda: p.query("SELECT id, name, __deleted FROM schema_test ORDER BY id") ==
               [(1, "one", "true"), (2, "two", "false")], "the soft delete")
    wait.until(lambda: p.query("SELECT count(*) FROM line_items")[0][0] == 20, "the line items")


APP_TARGET = """
CREATE SCHEMA cdc_data;
CREATE TABLE cdc_data.users (user_id uuid PRIMARY KEY, username text, email text, is_active boolean, __deleted text);
CREATE TABLE cdc_data.orders (order_id uuid PRIMARY KEY, user_id_value uuid, status text, total_amount numeric,
    __deleted text);
CREATE TABLE cdc_data.order_items (order_id uuid, item_id uuid, quantity_value integer, __deleted text,
    PRIMARY KEY (order_id, item_id));
CREATE TABLE cdc_data.products (product_id uuid PRIMARY KEY, name text, price numeric, __deleted text);
CREATE TABLE cdc_data.inventory_transactions (transaction_id uuid PRIMARY KEY, quantity_value integer, __deleted text);
"""
APP_TABLES = (
    "users (user_id uuid PRIMARY KEY, username text, email text, is_active boolean)",
    "orders (order_id uuid PRIMARY KEY, user_id uuid, status text, total_amount decimal)",
    "order_items (order_id uuid, item_id uuid, quantity int, PRIMARY KEY (order_id, item_id))",
    "products (product_id uuid PRIMARY KEY, name text, price decimal)",
    "inventory_transactions (transaction_id timeuuid PRIMARY KEY, quantity int)",
)


@pytest.mark.skipif(not FIXTURES, reason="SLUICE_FIXTURES names no folder")
def test_the_scylla_pair_of_the_legacy_shape_changes_what_a_write_names(tmp_path, build, cluster):
    """Cells flattened and renamed by a chain of nineteen transforms: a partial update leaves the other columns alone."""
    folder = pathlib.Path(FIXTURES) / "connectors"
    config = json.loads((folder / "scylla-cdc-source.json").read_text())["config"]
    sink = json.loads((folder / "scylla-postgres-sink.json").read_text())["config"]
    source = scylla.Scylla(tmp_path / "scylla", build).start()
    cluster.execute("CREATE DATABASE app_legacy")
    cluster.execute(APP_TARGET, database="app_legacy")
    source.script("CREATE KEYSPACE app_data WITH replication = {'class': 'NetworkTopologyStrategy', "
                  "'replication_factor': 1};\n" +
                  "".join(f"CREATE TABLE app_data.{table} WITH cdc = {{'enabled': true}};\n" for table in APP_TABLES))
    config.update({"scylla.cluster.ip.addresses": f"{source.host}:{source.port}",
                   "scylla.query.time.window.size": "500", "scylla.confidence.window.size": "500"})
    del config["scylla.user"], config["scylla.password"]
    sink.update({"connection.url": cluster.url("app_legacy"), "connection.user": cluster.user,
                 "connection.password": cluster.password})
    run = sluice.Sluice(tmp_path / "sluice", build, {"sluice.compat.scylla": "1.2"})  # topics are named by scylla.name
    run.connector("a", config).connector("b", sink).start()

    user, order, item, gone = (f"00000000-0000-4000-8000-00000000000{i}" for i in range(4))
    source.script(f"""
        INSERT INTO app_data.users (user_id, username, email, is_active) VALUES ({user}, 'ann', 'a@example.org', true);
        INSERT INTO app_data.users (user_id, username) VALUES ({gone}, 'bob');
        INSERT INTO app_data.orders (order_id, user_id, status, total_amount) VALUES ({order}, {user}, 'new', 12.50);
        INSERT INTO app_data.order_items (order_id, item_id, quantity) VALUES ({order}, {item}, 3);
        UPDATE app_data.users SET email = null WHERE user_id = {user};
        UPDATE app_data.orders SET status = 'paid' WHERE order_id = {order};
        DELETE FROM app_data.users WHERE user_id = {gone};
        """)

    def rows(text):
        run.assert_running()
        return cluster.execute(text, database="app_legacy")
    try:
        wait.until(lambda: rows("SELECT username, email, is_active FROM cdc_data.users") == [("ann", None, True)],
                   "the user as he is")
        wait.until(lambda: [(a, str(b)) for a, b in rows("SELECT status, total_amount FROM cdc_data.orders")] ==
                   [("paid", "12.50")], "the order as it is")
        wait.until(lambda: rows("SELECT quantity_value FROM cdc_data.order_items") == [(3,)], "the item")
    finally:
        assert run.stop() == 0
        source.stop()
