# SPDX-License-Identifier: Apache-2.0
"""Dead letters and parked keys in Kafka's topics, across kill -9, and their way home beside a worker that runs."""
import itertools
import json
import random
import subprocess

import pytest

from harness import wait
from harness.postgres import free_port

_topics = itertools.count(1)


def bad_pipeline(make_pipeline, broker, park=True, good="name NOT LIKE 'bad%'"):
    """What is not good is refused by the target, and what was applied to customers is noted in history."""
    topic = f"dlq-{next(_topics)}"
    port = free_port()
    p = make_pipeline(broker, True, ledger=False, worker={"listeners": f"http://127.0.0.1:{port}"}, sink_config={
        "errors.tolerance": "all", "errors.deadletterqueue.topic.name": topic,
        "errors.deadletterqueue.topic.replication.factor": "1", "errors.deadletterqueue.context.headers.enable": "true",
        "errors.park.keys": str(park).lower()})
    p.sluice.url, p.dlq = f"http://127.0.0.1:{port}", topic
    p.query("ALTER TABLE customers ADD CONSTRAINT no_bad CHECK (" + good + ")")
    p.query("CREATE TABLE history (n bigserial, id int, name text)")
    p.query("CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "INSERT INTO history (id, name) VALUES (NEW.id, NEW.name); RETURN NEW; END $$")
    p.query("CREATE TRIGGER note AFTER INSERT OR UPDATE ON customers FOR EACH ROW EXECUTE FUNCTION note()")
    return p


def write(p, *statements):
    for statement in statements:
        p.source.execute(statement, database="warehouse_source")


def rename(key, name):
    return f"UPDATE dbo.customers SET name = N'{name}' WHERE id = {key}"


def rows(p):
    return dict(p.query("SELECT id, name FROM customers"))


def dlq(p, verb, *arguments, check=True):
    return p.sluice.command("dlq", verb, "--worker", p.sluice.worker, *arguments, check=check)


def listed(p, *arguments):
    return [json.loads(line) for line in dlq(p, "list", "-o", "json", *arguments, "sink").stdout.splitlines()]


def stages(p):
    return [letter["letter"]["stage"] for letter in listed(p)]


def settle(p, verb, *arguments, status=0):
    done = dlq(p, verb, *arguments, "sink", check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return json.loads(done.stdout)


def stop_sink(p):
    """The connector, not the worker; until its task has ended."""
    wait.until(lambda: p.sluice.rest("PUT", "/connectors/sink/stop")[0] == 204, "the leader to stop the sink", 60)
    wait.until(lambda: p.sluice.rest("GET", "/connectors/sink/status")[1]["tasks"] == [], "the sink's task to end")


def resume_sink(p):
    assert p.sluice.rest("PUT", "/connectors/sink/resume")[0] == 202


def restart_killed(p):
    p.sluice.kill()
    p.sluice.start()


def test_what_waits_behind_a_bad_row_comes_home_in_order_beside_the_worker(broker, make_pipeline):
    p = bad_pipeline(make_pipeline, broker, good="id <> 1 OR name = 'one'")
    write(p, "INSERT INTO dbo.customers (name, credit_limit) VALUES (N'one', 1), (N'two', 1)")
    p.sluice.start()
    wait.until(lambda: rows(p) == {1: "one", 2: "two"}, "both rows", 60)
    write(p, rename(1, "bad"))
    wait.until(lambda: stages(p) == ["TASK_PUT"], "the bad row's letter")
    restart_killed(p)  # the key is known to be parked all the same
    write(p, rename(1, "later"), rename(2, "2b"), rename(1, "last"))
    wait.until(lambda: rows(p)[2] == "2b" and stages(p) == ["TASK_PUT", "PARKED", "PARKED"], "what waits and what flows", 60)
    assert rows(p)[1] == "one"
    first, second, third = [letter["letter"]["offset"] for letter in listed(p)]
    assert first < second < third and {letter["letter"]["behind"] for letter in listed(p)[1:]} == {first}
    shown = dlq(p, "show", "sink", f"{listed(p)[1]['dlq_partition']}@{listed(p)[1]['dlq_offset']}").stdout
    assert "later" in shown
    exported = [json.loads(line) for line in dlq(p, "export", "sink").stdout.splitlines()]
    assert len(exported) == 3 and all(letter["key_base64"] and letter["value_base64"] for letter in exported)
    # Kafka's own tools see Connect's headers.
    headers = subprocess.run(["kcat", "-b", broker.bootstrap, "-C", "-t", p.dlq, "-o", "beginning", "-e", "-q", "-c", "1", "-f",
                              "%h"], capture_output=True, check=True, timeout=60).stdout
    assert f"__connect.errors.offset={first}".encode() in headers and b"__connect.errors.stage=TASK_PUT" in headers

    refused = dlq(p, "replay", "sink", check=False)
    assert refused.returncode == 1 and "sluice stop sink" in refused.stderr
    stop_sink(p)
    asked = p.sluice.command("dlq", "replay", "--url", p.sluice.url, "sink", check=False)  # the worker does it; nothing was repaired
    assert asked.returncode == 1, asked.stdout + asked.stderr
    again = json.loads(asked.stdout)
    assert (again["failed_again"], again["waiting"], again["replayed"], again["keys_released"]) == (1, 2, 0, 0)
    assert [letter["letter"]["attempt"] for letter in listed(p)] == [2, 2, 2]
    p.query("ALTER TABLE customers DROP CONSTRAINT no_bad")
    p.query("TRUNCATE history")
    done = settle(p, "replay")
    assert (done["replayed"], done["keys_released"]) == (3, 1)
    assert rows(p) == {1: "last", 2: "2b"} and listed(p) == []
    assert settle(p, "replay")["replayed"] == 0
    resume_sink(p)
    write(p, rename(1, "flows again"))
    wait.until(lambda: rows(p)[1] == "flows again", "the key to flow", 60)
    assert stages(p) == []
    p.sluice.assert_running()


@pytest.mark.full
def test_dropped_letters_are_gone_and_filters_leave_the_others(broker, make_pipeline):
    p = bad_pipeline(make_pipeline, broker)
    write(p, "INSERT INTO dbo.customers (name, credit_limit) VALUES (N'one', 1)")
    p.sluice.start()
    wait.until(lambda: rows(p) == {1: "one"}, "the row", 60)
    for number, name in enumerate(("bad", "later"), 1):
        write(p, rename(1, name))
        wait.until(lambda number=number: len(stages(p)) == number, "its letter")
    stop_sink(p)
    done = settle(p, "replay", "--stage", "PARKED")  # it waits behind the one that is not meant
    assert (done["replayed"], done["kept"]) == (0, 2)
    assert settle(p, "drop", "--stage", "TASK_PUT")["dropped"] == 1
    done = settle(p, "replay")
    assert (done["replayed"], done["keys_released"]) == (1, 1)
    assert rows(p) == {1: "later"} and listed(p) == []
    p.sluice.stop()


def test_no_bad_row_is_passed_without_its_letter_whenever_the_worker_is_killed(broker, make_pipeline):
    p = bad_pipeline(make_pipeline, broker, park=False)
    p.sluice.start()
    p.sluice.wait_for_log('"ready"', 60)
    chance = random.Random(5)
    bad, good, key = set(), set(), 0
    for _ in range(6):
        names = []
        for _ in range(40):
            key += 1
            (bad if key % 3 == 0 else good).add(key)
            names.append(f"(N'{'bad' if key % 3 == 0 else 'good'} {key}', 1)")
        write(p, "INSERT INTO dbo.customers (name, credit_limit) VALUES " + ", ".join(names))
        there = len(rows(p))
        wait.until(lambda there=there: len(rows(p)) > there, "some of them", 60)
        wait.until(lambda until=chance.randrange(1, len(bad) + 1): len({x["letter"]["offset"] for x in listed(p)}) >= until,
                   "some letters", 60)
        restart_killed(p)
    wait.until(lambda: set(rows(p)) == good, "every good row", 90)
    found = wait.until(lambda: (lambda all_: all_ if len({x["letter"]["offset"] for x in all_}) >= len(bad) else None)(listed(p)),
                       "every letter", 60)
    # A row may have two letters after a kill, but none has none: they tell by their origin.
    assert len({x["letter"]["offset"] for x in found}) == len(bad)
    p.query("ALTER TABLE customers DROP CONSTRAINT no_bad")
    stop_sink(p)
    # A replay that is killed goes on where it was.
    for delay in (0.4, 0.8, 1.2):
        dead = p.sluice.command_killed("dlq", "replay", "--worker", p.sluice.worker, "sink", seconds=delay)
        if not dead:
            break
    settle(p, "replay")
    assert set(rows(p)) == good | bad and listed(p) == []
    twice = p.query("SELECT id FROM history GROUP BY id HAVING count(*) > 1")
    assert twice == [], "applied once each"
    p.sluice.stop()
