# SPDX-License-Identifier: Apache-2.0
"""One bad row costs one row: it goes to the dead letters with its reason, the batch around it commits."""
import json

from harness import wait


def test_a_row_that_the_target_refuses_goes_to_the_dead_letters(make_pipeline, cluster):
    p = make_pipeline(cluster, ledger=False, sink_config={
        "errors.tolerance": "all", "errors.deadletterqueue.topic.name": "dlq-sink",
        "errors.deadletterqueue.context.headers.enable": "true"})
    p.query("ALTER TABLE customers ADD CONSTRAINT no_bad CHECK (name <> 'bad')")
    p.sluice.start()
    rows = ", ".join(f"(N'{'bad' if i in (17, 60) else 'good'}', 1)" for i in range(100))
    p.source.execute(f"INSERT INTO dbo.customers (name, credit_limit) VALUES {rows}", database="warehouse_source")
    wait.until(lambda: p.query("SELECT count(*) FROM customers")[0][0] == 98, "the 98 good rows")
    lines = p.sluice.command("topics", "tail", "--state", p.sluice.state, "--from-beginning", "-n", "2", "-o", "json",
                             "dlq-sink").stdout.splitlines()
    letters = [json.loads(line) for line in lines]
    assert len(letters) == 2
    headers = letters[0]["headers"]
    assert headers["__connect.errors.topic"] == "sqlserver.warehouse_source.dbo.customers"
    assert headers["__connect.errors.connector.name"] == "sink"
    assert "no_bad" in json.dumps(headers)
    p.sluice.assert_running()


def test_without_tolerance_the_task_stops_at_the_row_and_names_it(make_pipeline, cluster):
    p = make_pipeline(cluster, ledger=False)
    p.query("ALTER TABLE customers ADD CONSTRAINT no_bad CHECK (name <> 'bad')")
    p.sluice.start()
    p.source.execute("INSERT INTO dbo.customers (name, credit_limit) VALUES (N'good', 1), (N'bad', 1), (N'good', 1)",
                     database="warehouse_source")
    p.sluice.wait_for_log("no_bad")
    trace = wait.until(lambda: [t["trace"] for t in p.sluice.status()["tasks"] if t["state"] == "FAILED"],
                       "the sink task to fail")[0]
    assert "sqlserver.warehouse_source.dbo.customers" in trace and "offset" in trace
    # What stands before it is there, and what stands behind it waits.
    assert p.query("SELECT id, name FROM customers ORDER BY id") == [(1, "good")]
    p.query("ALTER TABLE customers DROP CONSTRAINT no_bad")
    p.sluice.stop()
    p.sluice.start()
    p.wait_equal()
