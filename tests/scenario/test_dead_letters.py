# SPDX-License-Identifier: Apache-2.0
"""Dead letters: what they say, what waits behind them, and how they come home."""
import json

from harness import wait

DLQ = {"errors.tolerance": "all", "errors.deadletterqueue.topic.name": "dlq-sink",
       "errors.deadletterqueue.context.headers.enable": "true"}
PARK = {**DLQ, "errors.park.keys": "true"}


def letters(p, topic="dlq-sink"):
    lines = p.sluice.command("topics", "tail", "--state", p.sluice.state, "--from-beginning", "--no-follow", "-o", "json",
                             topic).stdout.splitlines()
    found = []
    for line in lines:
        letter = json.loads(line)
        said = letter["headers"]["__sluice.letter"]
        found.append({**letter, "said": json.loads(said) if isinstance(said, str) else said})
    return found


def sink_status(p):
    return next(t for t in p.sluice.status()["tasks"] if t["connector"] == "sink")


def write(p, *statements):
    for statement in statements:
        p.source.execute(statement, database="warehouse_source")


def make_bad(p, constraint="CHECK (name NOT LIKE 'bad%')"):
    p.query(f"ALTER TABLE customers ADD CONSTRAINT no_bad {constraint}")


def rows(p):
    return p.query("SELECT id, name FROM customers ORDER BY id")


def test_a_letter_says_what_connect_says_and_where_it_comes_from(make_pipeline, cluster):
    p = make_pipeline(cluster, ledger=False, sink_config=DLQ)
    make_bad(p)
    write(p, "INSERT INTO dbo.customers (name, credit_limit) VALUES (N'good', 1)")
    p.sluice.start()
    wait.until(lambda: rows(p), "the snapshot")
    write(p, "INSERT INTO dbo.customers (name, credit_limit) VALUES (N'bad', 1)")
    wait.until(lambda: len(letters(p)) == 1, "the letter")
    headers = letters(p)[0]["headers"]
    connects = [name for name in headers if name.startswith("__connect.errors.")]
    assert [name.removeprefix("__connect.errors.") for name in connects] == [
        "topic", "partition", "offset", "connector.name", "task.id", "stage", "class.name", "exception.class.name",
        "exception.message", "exception.stacktrace"]
    said = {name.removeprefix("__connect.errors."): headers[name] for name in connects}
    assert said["topic"] == "sqlserver.warehouse_source.dbo.customers" and said["partition"] == "0"
    assert (said["connector.name"], said["task.id"], said["stage"]) == ("sink", "0", "TASK_PUT")
    assert said["class.name"] == "org.apache.kafka.connect.sink.SinkTask"
    assert said["exception.class.name"] == "java.sql.SQLException" and "no_bad" in said["exception.message"]
    assert said["exception.stacktrace"].startswith("java.sql.SQLException: ") and "23514" in said["exception.stacktrace"]
    own = letters(p)[0]["said"]
    assert (own["connector"], own["topic"], own["offset"], own["stage"]) == (
        "sink", said["topic"], int(said["offset"]), "TASK_PUT")
    wait.until(lambda: sink_status(p).get("dead_letters") == 1, "the status to count it")
    assert sink_status(p)["record_failures"] == 1 and sink_status(p)["last_error_ms"] > 0


def test_records_of_a_bad_key_wait_behind_it_and_the_others_flow(make_pipeline, cluster):
    p = make_pipeline(cluster, ledger=False, sink_config=PARK)
    make_bad(p)
    write(p, "INSERT INTO dbo.customers (name, credit_limit) VALUES (N'one', 1), (N'two', 1)")
    p.sluice.start()
    wait.until(lambda: rows(p) == [(1, "one"), (2, "two")], "both rows")
    write(p, "UPDATE dbo.customers SET name = N'bad' WHERE id = 1")
    wait.until(lambda: len(letters(p)) == 1, "the bad row's letter")
    write(p, "UPDATE dbo.customers SET name = N'later' WHERE id = 1", "UPDATE dbo.customers SET name = N'2b' WHERE id = 2",
          "UPDATE dbo.customers SET name = N'last' WHERE id = 1")
    wait.until(lambda: len(letters(p)) == 3, "the rows behind it")
    wait.until(lambda: rows(p) == [(1, "one"), (2, "2b")], "the other key to flow")
    first, second, third = letters(p)
    assert [x["said"]["stage"] for x in (first, second, third)] == ["TASK_PUT", "PARKED", "PARKED"]
    assert second["said"]["behind"] == third["said"]["behind"] == first["said"]["offset"]
    assert first["said"]["offset"] < second["said"]["offset"] < third["said"]["offset"]
    wait.until(lambda: sink_status(p).get("keys_parked") == 1, "the status")
    # It is known after a crash too.
    p.sluice.kill()
    p.sluice.start()
    write(p, "UPDATE dbo.customers SET name = N'after' WHERE id = 1", "UPDATE dbo.customers SET name = N'2c' WHERE id = 2")
    wait.until(lambda: (2, "2c") in rows(p), "the other key to flow")
    wait.until(lambda: letters(p)[-1]["said"]["stage"] == "PARKED" and len(letters(p)) >= 4, "the row behind it")
    assert (1, "one") in rows(p)


def test_rows_behind_a_bad_one_in_the_same_batch_wait_too(make_pipeline, cluster):
    p = make_pipeline(cluster, ledger=False, sink_config=PARK)
    make_bad(p)
    write(p, "INSERT INTO dbo.customers (name, credit_limit) VALUES (N'one', 1), (N'two', 1), (N'three', 1)")
    p.sluice.start()
    wait.until(lambda: len(rows(p)) == 3, "the rows")
    p.sluice.stop()
    # Each statement is a transaction; the rows of several keys come in one batch, the bad ones among them.
    statements = []
    for i in range(1, 41):
        statements.append(f"UPDATE dbo.customers SET name = N'v{i}' WHERE id = 3")
        statements.append(f"UPDATE dbo.customers SET name = N'{'bad' if i == 20 else 'w'}{i}' WHERE id = 1")
        statements.append(f"DELETE FROM dbo.customers WHERE id = {1000 + i}")
    write(p, *statements, "UPDATE dbo.customers SET name = N'bad-end' WHERE id = 3")
    p.sluice.start()
    wait.until(lambda: len([x for x in letters(p) if x["said"]["stage"] == "TASK_PUT"]) >= 1, "the letters")
    wait.until(lambda: sink_status(p).get("lag_records") == 0, "the sink to have read all")
    names = dict(rows(p))
    # Of key 1 either all up to the bad one was applied, or a later state of the same batch took its place; never a
    # state from behind a letter.
    parked = [x for x in letters(p) if x["said"]["stage"] == "PARKED"]
    bad = [x for x in letters(p) if x["said"]["stage"] == "TASK_PUT"]
    for letter in bad:
        key = letter["key"]
        behind = [x for x in parked if x["key"] == key]
        assert all(x["said"]["offset"] > letter["said"]["offset"] for x in behind)
    assert names[3] != "bad-end"


def test_parking_needs_a_place_to_park(make_pipeline, cluster):
    p = make_pipeline(cluster, ledger=False, sink_config={"errors.park.keys": "true"})
    done = p.sluice.command("run", "--check", p.sluice.worker, *p.sluice.connectors, check=False)
    assert done.returncode == 1 and "errors.park.keys: needs errors.tolerance=all" in done.stderr


def test_late_events_are_counted(make_pipeline, cluster):
    p = make_pipeline(cluster, ledger=False, sink_config={"errors.stale.threshold.ms": "1"})
    p.sluice.start()
    write(p, "INSERT INTO dbo.customers (name, credit_limit) VALUES (N'good', 1)")
    wait.until(lambda: sink_status(p).get("stale_events", 0) >= 1, "the stale event")
    assert "an event comes late" in p.sluice.output()
    assert rows(p) == [(1, "good")]
