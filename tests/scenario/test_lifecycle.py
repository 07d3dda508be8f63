# SPDX-License-Identifier: Apache-2.0
"""Connectors that are paused, stopped, restarted, changed, deleted and made again, while rows go through them."""
import json
import pathlib
import time

import pytest

from harness import pipeline, postgres, wait, workload

CONNECTORS = ("source", "sink", "ledger")


@pytest.fixture
def make(make_pipeline, cluster):
    """A pipeline whose sluice listens for REST."""
    def made(worker=None, **options):
        url = f"http://127.0.0.1:{postgres.free_port()}"
        p = make_pipeline(cluster, worker={"listeners": url, **(worker or {})}, **options)
        p.sluice.url = url
        return p
    return made


def expect(p, status, method, path, body=None):
    code, answer, _ = p.sluice.rest(method, path, body)
    assert code == status, f"{method} {path}: {code} {answer}"
    return answer


def states(p, name):
    code, body, _ = p.sluice.rest("GET", f"/connectors/{name}/status")
    return [body["connector"]["state"], *(task["state"] for task in body["tasks"])] if code == 200 else []


def wait_states(p, name, *expected):
    try:
        wait.until(lambda: states(p, name) == list(expected), f"{name} to be {expected}", 30)
    except wait.Timeout:
        raise AssertionError(f"{name} is {states(p, name)}\n{p.sluice.output()[-3000:]}") from None


def wait_running(p):
    for name in CONNECTORS:
        wait_states(p, name, "RUNNING", "RUNNING")


def count(p, table):
    return p.query(f"SELECT count(*) FROM {table}")[0][0]


def lag(p, name):
    return max((t.get("lag_records", 0) for t in p.sluice.status()["tasks"] if t["connector"] == name), default=0)


def config(p, name):
    path = next(path for path in p.sluice.connectors if pathlib.Path(path).stem == name)
    return json.loads(pathlib.Path(path).read_text())["config"]


def test_nothing_that_is_done_to_connectors_loses_or_doubles_a_change(make):
    p = make(fill={"customers": 200, "products": 50, "orders": 200, "lines": 300})
    p.sluice.start()
    p.wait_equal()
    wait_running(p)

    for name in ("sink", "ledger"):
        expect(p, 202, "PUT", f"/connectors/{name}/pause")
        wait_states(p, name, "PAUSED", "PAUSED")
    applied = count(p, "ledger_customers")
    p.change(100)
    wait.until(lambda: lag(p, "ledger") >= 100, "the ledger to lag")
    assert count(p, "ledger_customers") == applied
    for name in ("sink", "ledger"):
        expect(p, 202, "PUT", f"/connectors/{name}/resume")

    expect(p, 204, "PUT", "/connectors/source/stop")
    wait_states(p, "source", "STOPPED")
    p.change(100)
    expect(p, 202, "PUT", "/connectors/source/resume")
    p.change(50)

    for name in CONNECTORS:
        expect(p, 202, "POST", f"/connectors/{name}/restart?includeTasks=true")
        expect(p, 204, "POST", f"/connectors/{name}/tasks/0/restart")
        p.change(50)

    expect(p, 200, "PUT", "/connectors/ledger/config", {**config(p, "ledger"), "batch.size": "7"})
    p.change(50)
    expect(p, 200, "PATCH", "/connectors/source/config", {"max.batch.size": "16"})
    p.change(50)

    for name in ("ledger", "source"):
        expect(p, 204, "DELETE", f"/connectors/{name}")
        wait_states(p, name)
        p.change(50)
        expect(p, 201, "PUT", f"/connectors/{name}/config", config(p, name))
        p.change(50)
    wait_running(p)
    p.wait_equal()
    assert p.sluice.stop() == 0


def test_a_pause_outlives_the_process(make):
    p = make(ledger=False, fill={"customers": 50, "products": 10, "orders": 10, "lines": 10})
    p.sluice.start()
    p.wait_equal()
    expect(p, 202, "PUT", "/connectors/sink/pause")
    wait_states(p, "sink", "PAUSED", "PAUSED")
    p.sluice.kill()
    p.sluice.start()
    wait_states(p, "sink", "PAUSED", "PAUSED")
    p.sluice.wait_for_log("stays so until it is resumed")
    before = count(p, "customers")
    p.apply(p.warehouse.fill(customers=30, products=0, orders=0, lines=0))
    wait.until(lambda: lag(p, "sink") >= 30, "the sink to lag")
    assert count(p, "customers") == before
    expect(p, 202, "PUT", "/connectors/sink/resume")
    p.wait_equal()


def test_without_files_the_connectors_of_the_last_run_come_back(make):
    p = make(ledger=False, fill={"customers": 50, "products": 10, "orders": 10, "lines": 10})
    configs = {name: config(p, name) for name in ("source", "sink")}
    p.sluice.connectors = []
    p.sluice.start()
    wait.until(lambda: '"ready"' in p.sluice.output(), "sluice")
    assert expect(p, 200, "GET", "/connectors") == []
    expect(p, 201, "POST", "/connectors", {"name": "sink", "config": configs["sink"], "initial_state": "stopped"})
    expect(p, 201, "POST", "/connectors", {"name": "source", "config": configs["source"]})
    wait_states(p, "sink", "STOPPED")
    assert p.sluice.stop() == 0
    p.sluice.start()
    wait_states(p, "sink", "STOPPED")
    wait_states(p, "source", "RUNNING", "RUNNING")
    expect(p, 202, "PUT", "/connectors/sink/resume")
    p.wait_equal()


def test_a_sink_that_was_reset_applies_everything_again(make):
    p = make(fill={"customers": 40, "products": 10, "orders": 10, "lines": 10})
    p.sluice.start()
    p.wait_equal()
    before = {table: count(p, f"ledger_{table}") for table in workload.TABLES}
    refused = expect(p, 400, "DELETE", "/connectors/ledger/offsets")
    assert "STOPPED" in refused["message"]
    expect(p, 204, "PUT", "/connectors/ledger/stop")
    wait_states(p, "ledger", "STOPPED")
    topic = f"{p.topic_prefix}.warehouse_source.dbo.customers"
    shown = {entry["partition"]["kafka_topic"]: entry["offset"]["kafka_offset"]
             for entry in expect(p, 200, "GET", "/connectors/ledger/offsets")["offsets"]}
    assert shown[topic] == before["customers"]

    back = {"partition": {"kafka_topic": topic, "kafka_partition": 0}, "offset": {"kafka_offset": shown[topic] - 10}}
    expect(p, 200, "PATCH", "/connectors/ledger/offsets", {"offsets": [back]})
    expect(p, 202, "PUT", "/connectors/ledger/resume")
    wait.until(lambda: count(p, "ledger_customers") == before["customers"] + 10, "ten rows once more")

    expect(p, 204, "PUT", "/connectors/ledger/stop")
    wait_states(p, "ledger", "STOPPED")
    expect(p, 200, "DELETE", "/connectors/ledger/offsets")
    expect(p, 202, "PUT", "/connectors/ledger/resume")
    wait.until(lambda: all(count(p, f"ledger_{t}") == 2 * before[t] + (10 if t == "customers" else 0)
                           for t in workload.TABLES), "everything once more")


def test_a_source_that_was_reset_takes_its_snapshot_again(make):
    p = make(ledger=False, fill={"customers": 40, "products": 10, "orders": 10, "lines": 10})
    p.sluice.start()
    p.wait_equal()
    expect(p, 204, "PUT", "/connectors/source/stop")
    wait_states(p, "source", "STOPPED")
    assert expect(p, 200, "GET", "/connectors/source/offsets")["offsets"]
    expect(p, 200, "DELETE", "/connectors/source/offsets")
    assert expect(p, 200, "GET", "/connectors/source/offsets") == {"offsets": []}
    p.query("DELETE FROM customers")
    expect(p, 202, "PUT", "/connectors/source/resume")
    p.wait_equal()


def test_a_failed_task_heals_by_itself_when_its_cause_is_gone(make):
    p = make(worker={"sluice.restart.backoff.ms": "100"},
             fill={"customers": 40, "products": 10, "orders": 10, "lines": 10})
    p.query("DROP TABLE ledger_products")
    p.sluice.start()
    wait_states(p, "ledger", "RUNNING", "FAILED")
    trace = expect(p, 200, "GET", "/connectors/ledger/tasks/0/status")["trace"]
    assert "ledger_products" in trace
    assert states(p, "sink") == ["RUNNING", "RUNNING"]
    p.query(pipeline.ledger_ddl("products"))
    wait_states(p, "ledger", "RUNNING", "RUNNING")
    wait.until(lambda: p.equal() and count(p, "ledger_products") == 10, "both sinks to catch up")
    p.check_ledger()


def test_a_stop_of_one_connector_waits_for_no_dead_target(make, own_cluster, make_pipeline):
    url = f"http://127.0.0.1:{postgres.free_port()}"
    p = make_pipeline(own_cluster, worker={"listeners": url, "task.shutdown.graceful.timeout.ms": "300"}, ledger=False,
                      fill={"customers": 40, "products": 10, "orders": 10, "lines": 10})
    p.sluice.url = url
    p.sluice.start()
    p.wait_equal()
    own_cluster.stop()
    p.change(20)
    began = time.monotonic()
    expect(p, 204, "PUT", "/connectors/sink/stop")
    wait_states(p, "sink", "STOPPED")
    assert time.monotonic() - began < 5
    own_cluster.start()
    expect(p, 202, "PUT", "/connectors/sink/resume")
    p.wait_equal()
