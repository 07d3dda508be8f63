# SPDX-License-Identifier: Apache-2.0
"""A worker of Kafka Connect 3.9.2 on a broker of its own, and sluice beside it."""
import json
import urllib.error
import urllib.request

import pytest

from harness import kafka, postgres, sluice, wait


class Side:
    """One of the two: where it answers, and a sink's and a broken sink's configuration there."""

    def __init__(self, name, url, plugin, config):
        self.name, self.url, self.plugin, self.config = name, url, plugin, config

    def ask(self, method, path, body=None, text=None, headers=None):
        """Status, parsed body or text, headers."""
        data = text.encode() if text is not None else None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, method=method, data=data,
                                         headers={"Content-Type": "application/json", **(headers or {})})
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                status, raw, got = answer.status, answer.read(), answer.headers
        except urllib.error.HTTPError as refused:
            status, raw, got = refused.code, refused.read(), refused.headers
        try:
            return status, json.loads(raw) if raw else None, got
        except ValueError:
            return status, raw.decode(errors="replace"), got

    def wait_state(self, connector, state, tasks):
        def reached():
            status, body, _ = self.ask("GET", f"/connectors/{connector}/status")
            return status == 200 and body["connector"]["state"] == state and len(body["tasks"]) == tasks and \
                all(task["state"] == state for task in body["tasks"])
        wait.until(reached, f"{connector} to be {state} at {self.name}", 60)


@pytest.fixture(scope="session")
def broker(cache, tmp_path_factory):
    with kafka.Cluster(tmp_path_factory.mktemp("kafka"), cache) as cluster:
        cluster.tool("TopicCommand", "--create", "--topic", "rows")
        yield cluster


@pytest.fixture(scope="session")
def connect(broker, cache, tmp_path_factory):
    folder = tmp_path_factory.mktemp("connect")
    with kafka.Connect(folder / "worker", cache, broker.bootstrap) as worker:
        yield Side("connect", worker.url, "FileStreamSinkConnector",
                   {"connector.class": "FileStreamSink", "tasks.max": "1", "topics": "rows",
                    "file": str(folder / "out.txt")})


@pytest.fixture(scope="session")
def target(tmp_path_factory):
    target = postgres.Postgres(tmp_path_factory.mktemp("pg") / "cluster", {"fsync": "off"}).create().start()
    yield target
    target.close()


@pytest.fixture(scope="session")
def ours(build, target, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sluice")
    program = sluice.Sluice(folder / "sluice", build, rest=True).start()
    wait.until(lambda: '"ready"' in program.output(), "sluice")
    yield Side("sluice", program.url, "JdbcSinkConnector",
               {"connector.class": "JdbcSink", "tasks.max": "1", "topics": "rows", "insert.mode": "upsert",
                "pk.mode": "record_key", "connection.url": f"jdbc:postgresql://127.0.0.1:{target.port}/postgres",
                "connection.user": target.user, "connection.password": "x"})
    program.stop()
