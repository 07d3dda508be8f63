# SPDX-License-Identifier: Apache-2.0
"""Dead letters: what they say, what waits behind them, and how they come home."""
import json
import subprocess

from harness import postgres, wait

DLQ = {"errors.tolerance": "all", "errors.deadletterqueue.topic.name": "dlq-sink",
       "errors.deadletterqueue.context.headers.enable": "true"}
PARK = {**DLQ, "errors.park.keys": "true"}
CONTEXT = ["topic", "partition", "offset", "connector.name", "task.id", "stage", "class.name", "exception.class.name",
           "exception.message", "exception.stacktrace"]


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
    assert [name.removeprefix("__connect.errors.") for name in connects] == CONTEXT
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


# sluice dlq


def dlq(p, *arguments, check=True):
    return p.sluice.command("dlq", *arguments, check=check)


def listed(p, *arguments):
    return [json.loads(line) for line in
            dlq(p, "list", "--state", p.sluice.state, "-o", "json", *arguments).stdout.splitlines()]


def settle(p, verb, *arguments, status=0):
    done = dlq(p, verb, "--worker", p.sluice.worker, *arguments, "sink", check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return json.loads(done.stdout)


def parked_pipeline(make_pipeline, cluster, rest=False):
    """Key 1 is parked behind a bad row with two later states; key 2 flowed."""
    url = f"http://127.0.0.1:{postgres.free_port()}" if rest else ""
    p = make_pipeline(cluster, ledger=False, sink_config=PARK, worker={"listeners": url})
    p.sluice.url = url
    make_bad(p, "CHECK (id <> 1 OR name = 'one')")
    p.query("CREATE TABLE history (n bigserial, id int, name text)")
    p.query("CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "INSERT INTO history (id, name) VALUES (NEW.id, NEW.name); RETURN NEW; END $$")
    p.query("CREATE TRIGGER note AFTER INSERT OR UPDATE ON customers FOR EACH ROW EXECUTE FUNCTION note()")
    write(p, "INSERT INTO dbo.customers (name, credit_limit) VALUES (N'one', 1), (N'two', 1)")
    p.sluice.start()
    wait.until(lambda: len(rows(p)) == 2, "both rows")
    write(p, "UPDATE dbo.customers SET name = N'bad' WHERE id = 1")
    wait.until(lambda: len(letters(p)) == 1, "the bad row's letter")
    write(p, "UPDATE dbo.customers SET name = N'later' WHERE id = 1")
    wait.until(lambda: len(letters(p)) == 2, "the row behind it")
    write(p, "UPDATE dbo.customers SET name = N'last' WHERE id = 1", "UPDATE dbo.customers SET name = N'2b' WHERE id = 2")
    wait.until(lambda: len(letters(p)) == 3 and (2, "2b") in rows(p), "all of it")
    return p


def test_letters_are_listed_shown_and_exported_beside_the_worker(make_pipeline, cluster):
    p = parked_pipeline(make_pipeline, cluster)
    found = listed(p)
    assert [x["letter"]["stage"] for x in found] == ["TASK_PUT", "PARKED", "PARKED"]
    assert len(listed(p, "sink")) == len(listed(p, "dlq-sink")) == 3
    assert len(listed(p, "--stage", "parked")) == 2 and len(listed(p, "--error", "NO_BAD")) == 1
    assert len(listed(p, "--topic", "nothing")) == 0 and len(listed(p, "--since", "10m")) == 3
    assert len(listed(p, "--until", "10m")) == 0
    table = dlq(p, "list", "--state", p.sluice.state).stdout
    assert "no_bad" in table and "PARKED" in table and "CONNECTOR" in table.splitlines()[0]
    place = f"{found[1]['dlq_partition']}@{found[1]['dlq_offset']}"
    assert len(listed(p, "--letters", place)) == 1
    one = json.loads(dlq(p, "show", "--state", p.sluice.state, "sink", place).stdout)
    assert one["letter"]["offset"] == found[1]["letter"]["offset"] and "later" in json.dumps(one["value"])
    exported = [json.loads(x) for x in dlq(p, "export", "--state", p.sluice.state, "sink").stdout.splitlines()]
    assert len(exported) == 3 and all(x["key_base64"] and x["value_base64"] for x in exported)
    assert dlq(p, "show", "--state", p.sluice.state, "sink", "0@99", check=False).returncode == 1
    refused = dlq(p, "replay", "--worker", p.sluice.worker, "sink", check=False)
    assert refused.returncode == 1 and "must be stopped" in refused.stderr


def test_a_replay_brings_a_keys_rows_in_their_order_once_and_lets_the_key_go(make_pipeline, cluster):
    p = parked_pipeline(make_pipeline, cluster)
    p.sluice.stop()
    again = settle(p, "replay", status=1)  # nothing was repaired: the first fails again, the others wait again
    assert (again["failed_again"], again["waiting"], again["replayed"], again["keys_released"]) == (1, 2, 0, 0)
    assert [x["letter"]["attempt"] for x in listed(p)] == [2, 2, 2]
    assert (1, "one") in rows(p)
    p.query("ALTER TABLE customers DROP CONSTRAINT no_bad")
    done = settle(p, "replay")
    assert (done["replayed"], done["keys_released"]) == (3, 1)
    assert (1, "last") in rows(p)
    assert listed(p) == []
    assert [name for (name,) in p.query("SELECT name FROM history WHERE id = 1 ORDER BY n")][-1] == "last"
    assert settle(p, "replay")["replayed"] == 0
    p.sluice.start()
    write(p, "UPDATE dbo.customers SET name = N'flows again' WHERE id = 1")
    wait.until(lambda: (1, "flows again") in rows(p), "the key to flow")
    p.sluice.assert_running()


def test_a_replay_of_some_keeps_the_others_and_what_waits_behind_them(make_pipeline, cluster):
    p = parked_pipeline(make_pipeline, cluster)
    p.sluice.stop()
    p.query("ALTER TABLE customers DROP CONSTRAINT no_bad")
    done = settle(p, "replay", "--stage", "PARKED")  # they wait behind the one that is not meant
    assert (done["replayed"], done["kept"]) == (0, 3)
    assert len(listed(p)) == 3
    assert settle(p, "drop", "--stage", "TASK_PUT")["dropped"] == 1
    done = settle(p, "replay")
    assert (done["replayed"], done["keys_released"]) == (2, 1)
    assert (1, "last") in rows(p) and listed(p) == []


def test_everything_dropped_is_gone_and_the_key_flows(make_pipeline, cluster):
    p = parked_pipeline(make_pipeline, cluster)
    p.sluice.stop()
    done = settle(p, "drop")
    assert (done["dropped"], done["keys_released"]) == (3, 1) and listed(p) == []
    p.query("ALTER TABLE customers DROP CONSTRAINT no_bad")
    p.sluice.start()
    write(p, "UPDATE dbo.customers SET name = N'after' WHERE id = 1")
    wait.until(lambda: (1, "after") in rows(p), "the key to flow")
    assert dlq(p, "drop", "--worker", p.sluice.worker, "sink", check=False).returncode == 1  # it runs


LETTERS = "/connectors/{connector}/dead-letters"
REPLAY = "/connectors/{connector}/dead-letters/replay"
DROP = "/connectors/{connector}/dead-letters/drop"


def ask(p, verb, *arguments, status=0):
    """The command as it is without --worker and --state: the worker that runs is asked."""
    done = dlq(p, verb, "--url", p.sluice.url, *arguments, "sink", check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return json.loads(done.stdout)


def stopped(p):
    status = p.sluice.rest("GET", "/connectors/sink/status")[1]
    return status["connector"]["state"] == "STOPPED" and not status["tasks"]


def test_the_worker_that_runs_replays_for_a_stopped_connector(make_pipeline, cluster):
    p = parked_pipeline(make_pipeline, cluster, rest=True)
    refused = dlq(p, "replay", "--url", p.sluice.url, "sink", check=False)
    assert refused.returncode == 1 and "STOPPED" in refused.stderr
    assert p.sluice.rest("GET", LETTERS.format(connector="sink"))[0] == 404
    unknown = dlq(p, "replay", "--url", p.sluice.url, "sinc", check=False)
    assert unknown.returncode == 4 and "did you mean 'sink'" in unknown.stderr
    p.sluice.command("stop", "--url", p.sluice.url, "sink")
    wait.until(lambda: stopped(p), "the sink to stop")
    write(p, "UPDATE dbo.customers SET name = N'meanwhile' WHERE id = 2")  # the source runs on
    again = ask(p, "replay", status=1)
    assert (again["failed_again"], again["waiting"], again["replayed"]) == (1, 2, 0)
    for body in ({"nonsense": 1}, {"topic": 7}, {"letters": "first"}):
        assert p.sluice.rest("POST", REPLAY.format(connector="sink"), body)[0] == 400
    assert len(listed(p)) == 3
    p.query("ALTER TABLE customers DROP CONSTRAINT no_bad")
    assert ask(p, "drop", "--stage", "TASK_PUT", "--since", "10m")["dropped"] == 1
    assert ask(p, "drop", "--until", "10m")["dropped"] == 0
    done = ask(p, "replay")
    assert (done["replayed"], done["keys_released"]) == (2, 1) and (1, "last") in rows(p)
    status, told, _ = p.sluice.rest("GET", LETTERS.format(connector="sink"))
    assert status == 200 and (told["verb"], told["state"], told["replayed"]) == ("replay", "DONE", 2)
    assert listed(p) == [] and (2, "2b") in rows(p)
    p.sluice.command("resume", "--url", p.sluice.url, "sink")
    write(p, "UPDATE dbo.customers SET name = N'flows again' WHERE id = 1")
    wait.until(lambda: {(1, "flows again"), (2, "meanwhile")} <= set(rows(p)), "what came meanwhile, and the key to flow")
    p.sluice.assert_running()


def test_a_connector_whose_letters_are_replayed_stays_stopped_and_a_stop_of_the_worker_ends_it(make_pipeline, cluster):
    p = parked_pipeline(make_pipeline, cluster, rest=True)
    p.query("ALTER TABLE customers DROP CONSTRAINT no_bad")
    p.sluice.command("stop", "--url", p.sluice.url, "sink")
    wait.until(lambda: stopped(p), "the sink to stop")
    holder = p.target.connect(p.database)
    holder.autocommit = False
    holder.cursor().execute("LOCK TABLE customers")  # the replay waits for the target
    try:
        assert p.sluice.rest("POST", REPLAY.format(connector="sink"))[0] == 202
        assert p.sluice.rest("GET", LETTERS.format(connector="sink"))[1]["state"] == "RUNNING"
        assert p.sluice.rest("PUT", "/connectors/sink/resume")[0] == 409
        assert p.sluice.rest("DELETE", "/connectors/sink/offsets")[0] == 409
        assert p.sluice.rest("POST", DROP.format(connector="sink"))[0] == 409
        p.sluice.stop()
    finally:
        holder.close()
    p.sluice.start()
    wait.until(lambda: p.sluice.rest("GET", "/connectors")[0] == 200, "the worker to answer")
    assert ask(p, "replay")["failed_again"] == 0
    assert (1, "last") in rows(p) and listed(p) == []


def test_a_replay_that_is_killed_again_and_again_applies_each_letter_once(make_pipeline, cluster):
    p = make_pipeline(cluster, ledger=True)
    ledger = p.sluice.folder / "ledger.json"  # inserts: it hides nothing that comes twice
    config = json.loads(ledger.read_text())
    config["config"].update({**DLQ, "errors.deadletterqueue.topic.name": "dlq-ledger", "batch.size": "50"})
    ledger.write_text(json.dumps(config))
    p.query("ALTER TABLE ledger_customers ADD CONSTRAINT closed CHECK (id < 0)")
    values = ", ".join(f"(N'row {i}', 1)" for i in range(400))
    for _ in range(3):
        write(p, f"INSERT INTO dbo.customers (name, credit_limit) VALUES {values}")
    p.sluice.start()
    wait.until(lambda: len(letters(p, "dlq-ledger")) >= 1200, "the letters", 90, 0.3)
    p.sluice.stop()
    p.query("ALTER TABLE ledger_customers DROP CONSTRAINT closed")
    before = len(letters(p, "dlq-ledger"))
    command = [str(p.sluice.program), "dlq", "replay", "--worker", str(p.sluice.worker), "ledger"]
    for delay in (0.02, 0.05, 0.08, 0.1, 0.15, 0.2, 0.3):
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            child.wait(delay)
            break
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    done = p.sluice.command("dlq", "replay", "--worker", p.sluice.worker, "ledger")
    assert json.loads(done.stdout)["failed_again"] == 0
    assert p.query("SELECT count(*), count(DISTINCT id) FROM ledger_customers") == [(1200, 1200)], before


def test_a_sources_dead_letter_is_the_record_as_json_with_its_schema_and_position(make_pipeline, cluster):
    p = make_pipeline(cluster, ledger=False, source_config={
        **DLQ, "errors.deadletterqueue.topic.name": "dlq-source", "transforms": "cast",
        "transforms.cast.type": "org.apache.kafka.connect.transforms.Cast$Key", "transforms.cast.spec": "id:int32"})
    write(p, "INSERT INTO dbo.customers (name, credit_limit) VALUES (N'one', 1)")
    p.sluice.start()
    wait.until(lambda: rows(p) == [(1, "one")], "the good row")
    write(p, "INSERT INTO dbo.products (id, title, price, stock) VALUES (N'p1', N'x', 1, 1)")  # no number
    found = wait.until(lambda: letters(p, "dlq-source"), "the source's letter")[0]
    value = found["value"]
    assert "schema" in value and value["payload"]["after"]["id"] == "p1"
    assert found["said"]["stage"] == "TRANSFORMATION" and found["said"]["connector"] == "source"
    assert found["said"]["source"]["partition"]["server"] == "sqlserver"
    assert found["said"]["source"]["offset"]["commit_lsn"]
    connects = {name.removeprefix("__connect.errors."): text for name, text in found["headers"].items() if "__connect." in name}
    assert list(connects) == CONTEXT
    assert connects["class.name"] == "org.apache.kafka.connect.transforms.Cast$Key"
    assert connects["topic"] == "sqlserver.warehouse_source.dbo.products" and connects["connector.name"] == "source"
    assert "p1" in connects["exception.message"] and connects["exception.stacktrace"].startswith(connects["exception.class.name"])
    p.sluice.assert_running()


def test_the_status_shows_which_system_is_waited_for(make_pipeline, own_cluster):
    p = make_pipeline(own_cluster, ledger=False)
    p.sluice.start()
    write(p, "INSERT INTO dbo.customers (name, credit_limit) VALUES (N'one', 1)")
    wait.until(lambda: rows(p) == [(1, "one")], "the row")
    own_cluster.stop()
    write(p, "INSERT INTO dbo.customers (name, credit_limit) VALUES (N'two', 1)")
    breaker = wait.until(lambda: sink_status(p).get("breakers"), "the breaker to open")[0]
    assert breaker["system"] == "postgres" and breaker["attempts"] >= 1 and breaker["state"] in ("open", "half-open")
    assert breaker["next_try_ms"] >= breaker["since_ms"] > 0
    own_cluster.start()
    wait.until(lambda: len(rows(p)) == 2, "the row behind the outage", 60)
    wait.until(lambda: "breakers" not in sink_status(p), "the breaker to close")
