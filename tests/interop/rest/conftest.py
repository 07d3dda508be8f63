# SPDX-License-Identifier: Apache-2.0
"""A worker of Kafka Connect 3.9.2 on a broker of its own, and sluice beside it."""
import pytest

from harness import kafka, postgres, sluice, wait
from side import Side


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
