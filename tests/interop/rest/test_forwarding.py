# SPDX-License-Identifier: Apache-2.0
"""Two workers of a group: whichever is asked, the leader writes; at most two hops."""
import base64
import json

import pytest

from harness import sluice, wait


@pytest.fixture
def workers(broker, build, tmp_path):
    users = tmp_path / "users.properties"
    users.write_text("ada=secret\n")
    settings = {"bootstrap.servers": broker.bootstrap, "group.id": "forwarding", "sluice.rest.users.file": users,
                "config.storage.topic": "forwarding-configs", "offset.storage.topic": "forwarding-offsets",
                "status.storage.topic": "forwarding-status", "config.storage.replication.factor": "1",
                "offset.storage.replication.factor": "1", "status.storage.replication.factor": "1",
                "offset.storage.partitions": "1", "status.storage.partitions": "1", "sluice.rest.log": "all"}
    made = [sluice.Sluice(tmp_path / name, build, settings, rest=True).start() for name in ("one", "two")]
    for worker in made:
        wait.until(lambda worker=worker: '"ready"' in worker.output(), "a worker", 60)
    yield made
    for worker in made:
        worker.stop()


def ask(worker, method, path, body=None):
    login = {"Authorization": "Basic " + base64.b64encode(b"ada:secret").decode()}
    return worker.rest(method, path, body, login)[:2]


def requests(worker):
    return [json.loads(line) for line in worker.output().splitlines() if '"msg":"request"' in line]


@pytest.mark.full  # does not pass every time
def test_a_write_reaches_the_leader_from_either_worker(workers, target):
    config = {"connector.class": "JdbcSink", "topics": "rows", "insert.mode": "upsert", "pk.mode": "record_key",
              "connection.url": f"jdbc:postgresql://127.0.0.1:{target.port}/postgres", "connection.user": target.user}
    for number, worker in enumerate(workers):
        wait.until(lambda worker=worker, number=number: ask(worker, "PUT", f"/connectors/c%2F{number}/config", config)[0]
                   in (200, 201), "a leader", 60)
    for worker in workers:
        wait.until(lambda worker=worker: ask(worker, "GET", "/connectors") == (200, ["c/0", "c/1"]), "both connectors")
    def passed_on():
        return [[r for r in requests(worker) if "forward=true" in r["path"] and r["status"] in (200, 201)]
                for worker in workers]
    wait.until(lambda: any(passed_on()), "the leader's log")
    forwarded = passed_on()
    leader = next(n for n, seen in enumerate(forwarded) if seen)
    follower = workers[1 - leader]
    assert not forwarded[1 - leader] and forwarded[leader][0]["user"] == "ada"
    # Which is passed on, and which not any more
    status, body = ask(follower, "PUT", "/connectors/c%2F0/pause?forward=false")
    assert status == 409 and body["message"].startswith("Cannot complete request because of a conflicting operation")
    assert ask(follower, "PUT", "/connectors/c%2F0/pause?forward=true") == (202, None)
    wait.until(lambda: any("forward=false" in r["path"] and r["status"] == 202 for r in requests(workers[leader])),
               "the second hop in the leader's log")
    for worker in workers:
        wait.until(lambda worker=worker: ask(worker, "GET", "/connectors/c%2F0/status")[1]["connector"]["state"] == "PAUSED",
                   "both to know")
    assert ask(follower, "POST", "/connectors", {"name": "c/1", "config": config})[0] == 409
    assert ask(follower, "PUT", "/connectors/c%2F1/config", {**config, "insert.mode": "guess"})[0] == 400
    assert ask(follower, "DELETE", "/connectors/nobody") == (404, {"error_code": 404, "message": "Connector nobody not found"})
    assert ask(follower, "DELETE", "/connectors/c%2F1") == (204, None)
