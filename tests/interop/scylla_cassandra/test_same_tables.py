# SPDX-License-Identifier: Apache-2.0
"""The same statements sent to the simulator and to a real Cassandra leave the same tables, or the same refusal."""
import os
import pathlib
import sys

import pytest

from harness import scylla
from histories import CELLS, SCHEMA, TABLES, History

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cassandra"))
from cassandra_node import Cassandra, libraries  # noqa: E402

SEEDS = [int(s) for s in os.environ.get("SLUICE_SEEDS", "1,2,3").split(",")]
STATEMENTS = int(os.environ.get("SLUICE_STATEMENTS", "700"))


@pytest.fixture(scope="module")
def sessions(tmp_path_factory, build, cache):
    """(simulator, Cassandra)"""
    from cassandra.cluster import Cluster
    folder = tmp_path_factory.mktemp("same")
    real = Cassandra(libraries(cache), folder / "cassandra")
    simulator = scylla.Scylla(folder / "simulator", build)
    clusters = []
    try:
        real.start()
        simulator.start()
        real.wait_ready()
        for port in (simulator.port, real.port):
            clusters.append(Cluster(["127.0.0.1"], port=port, protocol_version=4, connect_timeout=60))
        yield [c.connect() for c in clusters]
    finally:
        for c in clusters:
            c.shutdown()
        simulator.stop()
        real.stop()


def applied(rows):
    """Of a conditional statement only whether it applied: ScyllaDB shows the old row in every case, Cassandra not."""
    return [getattr(row, "applied", None) for row in rows][:1]


def answer(session, statement):
    """What the client sees: rows, or the kind of the refusal."""
    try:
        rows = list(session.execute(statement, timeout=60))
    except Exception as e:  # noqa: BLE001 - every refusal is compared by its kind
        return type(e).__name__
    return applied(rows) if " IF " in statement else [tuple(row) for row in rows]


def shown(rows):
    return [repr(row) for row in rows] if isinstance(rows, list) else rows


QUERIES = ([f"SELECT * FROM {t}" for t in TABLES]
           + [f"SELECT {', '.join(f'writetime({c})' for c in cells)} FROM {t}" for t, cells in CELLS.items()]
           + ["SELECT c, a FROM clustered WHERE p = 1 AND c > 1 ORDER BY c DESC LIMIT 2",
              "SELECT c1, c2 FROM composite WHERE p1 = 1 AND p2 = 'x' AND c1 IN (3, 1)",
              "SELECT c1, c2 FROM composite WHERE p1 = 1 AND p2 = 'x' AND (c1, c2) >= (1, 'b')",
              "SELECT c1, c2 FROM composite WHERE p1 = 0 AND p2 = 'y' ORDER BY c1 ASC, c2 DESC",
              "SELECT DISTINCT p, s FROM clustered", "SELECT p, c FROM clustered PER PARTITION LIMIT 1",
              "SELECT p, count(*), max(a) FROM clustered GROUP BY p", "SELECT count(*), sum(v), min(w) FROM composite",
              "SELECT c FROM clustered WHERE a = 1 ALLOW FILTERING",
              "SELECT p, c FROM clustered WHERE st CONTAINS 'x' ALLOW FILTERING"])


@pytest.mark.parametrize("seed", SEEDS)
def test_same_statements_leave_same_tables(sessions, seed):
    keyspace = f"same{seed}"
    for session in sessions:
        session.execute(f"CREATE KEYSPACE {keyspace} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}")
        session.set_keyspace(keyspace)
        for cql in SCHEMA:
            session.execute(cql)
    history, sent, refused = History(seed), [], 0
    for i in range(STATEMENTS):
        statement = history.statement()
        sent.append(statement)
        ours, theirs = (answer(session, statement) for session in sessions)
        assert ours == theirs, f"seed {seed}, statement {i}: {statement}"
        refused += isinstance(ours, str)
        if i % 20 != 19 and i != STATEMENTS - 1:
            continue
        for query in QUERIES:
            ours, theirs = (shown(answer(session, query)) for session in sessions)
            assert ours == theirs, f"seed {seed}, after statement {i}: {query}\n" + "\n".join(sent[-20:])
    assert refused < STATEMENTS / 10, "a history of refusals compares nothing"
