# SPDX-License-Identifier: Apache-2.0
"""The path itself: rows that stand there, rows that change, and both at once."""
import threading

from harness import wait

SMALL = {"customers": 200, "products": 50, "orders": 300, "lines": 600}


def test_snapshot_only_brings_every_row(make_pipeline, cluster):
    p = make_pipeline(cluster, fill=SMALL)
    p.sluice.start()
    p.wait_equal()
    assert p.sluice.stop() == 0


def test_streaming_only_brings_every_change_under_tsan(make_pipeline, cluster):
    p = make_pipeline(cluster)
    p.sluice.start()
    p.change(1500)
    p.wait_equal()
    assert p.sluice.stop() == 0


def test_snapshot_then_streaming_with_writes_meanwhile_under_tsan(make_pipeline, cluster):
    p = make_pipeline(cluster, fill=SMALL)
    writer = threading.Thread(target=p.change, args=(1500,))
    writer.start()
    p.sluice.start()
    writer.join()
    p.wait_equal()
    assert p.sluice.stop() == 0


def test_schema_only_snapshot_brings_changes_and_no_old_rows(make_pipeline, cluster):
    p = make_pipeline(cluster, fill=SMALL, source_config={"snapshot.mode": "schema_only"})
    # What the capture job brings later than the start is a change to any reader: let it finish first.
    wait.until(lambda: p.source.captured("warehouse_source", ["dbo_orders", "dbo_line_items"]) ==
               [SMALL["orders"], SMALL["lines"]], "the old rows to be captured")
    p.sluice.start()
    p.sluice.wait_for_log("streaming")
    before = p.source.execute("SELECT MAX(id) FROM dbo.orders", database="warehouse_source")[0][0]
    sql, _ = p.warehouse.insert_orders(20)
    p.source.execute(sql, database="warehouse_source")
    wait.until(lambda: p.query("SELECT count(*) FROM orders")[0][0] == 20, "twenty new orders")
    assert p.query("SELECT min(id) FROM orders")[0][0] == before + 1


def test_a_large_transaction_arrives_whole(make_pipeline, cluster):
    p = make_pipeline(cluster)
    p.sluice.start()
    customers, _ = p.warehouse.insert_customers(300)
    parts = [customers] + [p.warehouse.insert_customers(500)[0] for _ in range(20)]
    p.source.execute("SET NOCOUNT ON; BEGIN TRAN; " + " ".join(parts) + " COMMIT;", database="warehouse_source")
    p.wait_equal()
    assert p.query("SELECT count(*) FROM customers")[0][0] == 10300


def test_a_key_update_moves_the_row(make_pipeline, cluster):
    p = make_pipeline(cluster, fill={"customers": 1, "products": 5, "orders": 0, "lines": 0})
    p.sluice.start()
    p.wait_equal()
    p.source.execute("UPDATE dbo.products SET id = N'NEW-1' WHERE id = N'SKU-000001'", database="warehouse_source")
    p.wait_equal()
    assert p.query("SELECT id, __deleted FROM products WHERE id IN ('NEW-1', 'SKU-000001') ORDER BY id") == [
        ("NEW-1", "false"), ("SKU-000001", "true")]


def test_a_row_deleted_and_inserted_again_in_one_transaction_lives(make_pipeline, cluster):
    p = make_pipeline(cluster, fill={"customers": 1, "products": 5, "orders": 0, "lines": 0})
    p.sluice.start()
    p.wait_equal()
    sql, _ = p.warehouse.reuse_product()
    p.source.execute("BEGIN TRAN; " + sql + " COMMIT;", database="warehouse_source")
    p.wait_equal()
