# SPDX-License-Identifier: Apache-2.0
"""A row that may only be early waits, and nothing that is good becomes a dead letter behind one that is bad."""
import random

import pytest
from harness import wait

DLQ = {"errors.tolerance": "all", "errors.deadletterqueue.topic.name": "dlq-sink",
       "errors.deadletterqueue.context.headers.enable": "true"}
# Topics are dealt out in turn: customers and line_items to task 0, orders and products to task 1.
TWO_TASKS = {**DLQ, "tasks.max": "2"}


def write(p, *statements):
    for statement in statements:
        p.source.execute(statement, database="warehouse_source")


def one(p, sql):
    return p.query(sql)[0][0]


def letters(p):
    """The dead letters, a line of JSON each."""
    tail = p.sluice.command("topics", "tail", "--state", p.sluice.state, "--from-beginning", "--no-follow",
                            "-o", "json", "dlq-sink", check=False)
    return tail.stdout.splitlines()


def refer(p):
    p.query("ALTER TABLE orders ADD CONSTRAINT of_customer FOREIGN KEY (customer_id) REFERENCES customers")
    p.query("ALTER TABLE line_items ADD CONSTRAINT of_order FOREIGN KEY (order_id) REFERENCES orders")
    p.query("CREATE UNIQUE INDEX one_email ON customers (email)")


def customer(*emails):
    return ("INSERT INTO dbo.customers (name, email, credit_limit) VALUES "
            + ", ".join(f"(N'customer', N'{email}', 1)" for email in emails))


def order(*customers):
    return ("INSERT INTO dbo.orders (customer_id, status, placed_at) VALUES "
            + ", ".join(f"({c}, N'new', '2026-01-01')" for c in customers))


def tasks(p):
    return [t for t in p.sluice.status()["tasks"] if t["connector"] == "sink"]


def test_a_good_child_outlasts_the_bad_rows_before_its_parent(make_pipeline, cluster):
    """Each bad row holds its batch up for the whole time that the child has, too."""
    p = make_pipeline(cluster, ledger=False, sink_config={**TWO_TASKS, "sluice.row.wait.ms": "1200"})
    refer(p)
    write(p, customer("taken"))
    p.sluice.start()
    wait.until(lambda: one(p, "SELECT count(*) FROM customers") == 1, "the snapshot")
    customers, orders, bad = 1, 0, 0
    for _ in range(3):
        write(p, customer("taken"))
        wait.until(lambda: any(t["lag_records"] for t in tasks(p)), "the first bad row to wait")
        write(p, f"BEGIN TRANSACTION; {customer(f'a{customers}', 'taken', f'b{customers}')};"
                 f" {order(customers + 2, customers + 4)}; COMMIT")
        write(p, order(customers + 4, 1))
        customers, orders, bad = customers + 4, orders + 4, bad + 2
        wait.until(lambda bad=bad: len(letters(p)) >= bad, "the bad rows to be dead letters")
        wait.until(lambda orders=orders: one(p, "SELECT count(*) FROM orders") == orders or len(letters(p)) > bad,
                   "the orders of good customers")
    assert len(letters(p)) == bad and all("one_email" in line for line in letters(p)), letters(p)
    assert one(p, "SELECT count(*) FROM customers") == customers - bad
    assert one(p, "SELECT count(*) FROM orders") == orders
    assert one(p, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0
    p.sluice.assert_running()


@pytest.mark.parametrize("snapshot", [True, False])
def test_children_outlast_parents_that_are_far_behind(make_pipeline, cluster, snapshot):
    """Their task applies some 4,000 rows in a second or two, and there are more of them than a child has time for."""
    p = make_pipeline(cluster, ledger=False, sink_config={**TWO_TASKS, "sluice.row.wait.ms": "3000"})
    refer(p)
    p.query("""CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
               $$ BEGIN IF new.id % 4 = 0 THEN PERFORM pg_sleep(0.001); END IF; RETURN new; END $$""")
    p.query("CREATE TRIGGER slow BEFORE INSERT ON customers FOR EACH ROW EXECUTE FUNCTION slow()")
    if not snapshot:
        write(p, customer("first"))
        p.sluice.start()
        wait.until(lambda: one(p, "SELECT count(*) FROM customers") == 1, "the snapshot")
    for start in range(0, 16000, 1000):
        write(p, customer(*(f"c{start + i}" for i in range(1000))))
    write(p, order(15999, 16000, 30, 10000), order(15998))
    if snapshot:
        p.sluice.start()
    wait.until(lambda: one(p, "SELECT count(*) FROM orders") == 5 or letters(p), "the orders", 120)
    assert one(p, "SELECT count(*) FROM orders") == 5 and letters(p) == []
    assert "rows wait for others" in p.sluice.output()
    p.sluice.assert_running()


def test_one_task_goes_on_with_the_table_that_its_rows_wait_for(make_pipeline, cluster):
    """A snapshot that brings children first, more than a batch of them: the parents stand in a later batch."""
    p = make_pipeline(cluster, ledger=False, sink_config={**DLQ, "sluice.row.wait.ms": "1000"}, source_config={
        "table.include.list": "dbo.line_items,dbo.orders,dbo.customers,dbo.products"})
    refer(p)
    p.query("INSERT INTO customers VALUES (1, 'one', 'one', '', 1, now())")
    p.query("INSERT INTO orders VALUES (1, 1, 'new', 1, now())")
    write(p, customer("one", "two"), order(1, *([2] * 50)))
    for start in range(0, 5000, 1000):
        write(p, "INSERT INTO dbo.line_items (order_id, product, quantity, price) VALUES " + ", ".join(
            f"({51 if i % 500 == 499 else 1}, N'p', 1, 1)" for i in range(start, start + 1000)))
    p.sluice.start()
    wait.until(lambda: one(p, "SELECT count(*) FROM line_items") == 5000 or letters(p), "the rows", 60)
    assert one(p, "SELECT count(*) FROM line_items") == 5000 and letters(p) == []
    assert "rows wait for others" in p.sluice.output()
    p.sluice.assert_running()


def test_two_orphans_of_one_task_both_become_dead_letters(make_pipeline, cluster):
    """Each is set aside while the task looks for its parent in the other's table; each has its time in the end."""
    p = make_pipeline(cluster, ledger=False, sink_config={**DLQ, "sluice.row.wait.ms": "800"})
    refer(p)
    p.sluice.start()
    write(p, customer("a"), order(1, 1))
    wait.until(lambda: one(p, "SELECT count(*) FROM orders") == 2, "the first rows")
    p.query("SET session_replication_role = replica; DELETE FROM customers; DELETE FROM orders WHERE id = 1")
    write(p, order(1))
    wait.until(lambda: "rows wait for others" in p.sluice.output(), "the first orphan to wait")
    write(p, "INSERT INTO dbo.line_items (order_id, product, quantity, price) VALUES (1, N'p', 1, 1), (2, N'p', 1, 1)")
    wait.until(lambda: len(letters(p)) == 2, "both to be dead letters")
    assert p.query("SELECT order_id FROM line_items") == [(2,)]
    p.sluice.assert_running()


def test_a_child_whose_parent_never_comes_is_a_dead_letter_all_the_same(make_pipeline, cluster):
    """Rows go on coming, and a task is paused or has failed: the time runs."""
    p = make_pipeline(cluster, ledger=False, sink_config={**TWO_TASKS, "sluice.row.wait.ms": "800"})
    refer(p)
    p.query("ALTER TABLE customers ADD COLUMN lost int")
    write(p, customer("a", "b"))
    p.sluice.start()
    wait.until(lambda: one(p, "SELECT count(*) FROM customers") == 2, "the snapshot")
    p.query("SET session_replication_role = replica; DELETE FROM customers WHERE id = 2")
    write(p, order(1, 2, 1))
    rows = 2

    def traffic_and_letter():
        nonlocal rows
        write(p, customer(f"more{rows}"))
        rows += 1
        return letters(p)

    wait.until(traffic_and_letter, "the orphan to be a dead letter")
    assert len(letters(p)) == 1 and "of_customer" in letters(p)[0]
    assert p.query("SELECT id FROM orders ORDER BY id") == [(1,), (3,)]
    p.sluice.assert_running()


def test_kills_while_rows_wait_leave_exact_positions(make_pipeline, cluster):
    """The ledger inserts; a row of it that waits lets what stands before it commit, again and again."""
    rng = random.Random(6)
    p = make_pipeline(cluster, seed=6, fill={"customers": 30, "orders": 40, "products": 10})
    p.query("CREATE TABLE gate (id int PRIMARY KEY)")
    p.query("INSERT INTO gate SELECT generate_series(1, 1000)")
    p.query("ALTER TABLE ledger_orders ADD FOREIGN KEY (customer_id) REFERENCES gate")
    config = p.sluice.folder / "ledger.json"
    config.write_text(config.read_text().replace('"insert.mode"', '"sluice.row.wait.ms": "600000", "insert.mode"'))
    p.sluice.start()
    p.wait_equal()
    for _ in range(4):
        closed = [row[0] for row in p.query("SELECT DISTINCT customer_id FROM ledger_orders")]
        closed = rng.sample(closed, min(3, len(closed)))
        p.query("ALTER TABLE ledger_orders DISABLE TRIGGER ALL")
        p.query("SET session_replication_role = replica; DELETE FROM gate WHERE id = ANY(%s)", closed)
        p.query("ALTER TABLE ledger_orders ENABLE TRIGGER ALL")
        p.change(150)
        write(p, order(*closed))
        wait.until(lambda: p.query("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'"), "a row to wait")
        p.sluice.kill()
        p.change(50)
        p.sluice.start()
        wait.until(lambda: p.query("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'"), "it to wait again")
        for each in closed[1:]:
            p.query("INSERT INTO gate VALUES (%s)", each)
        p.sluice.kill()
        p.query("INSERT INTO gate VALUES (%s)", closed[0])
        p.sluice.start()
        p.wait_equal()
