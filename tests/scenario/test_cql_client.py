# SPDX-License-Identifier: Apache-2.0
"""Our CQL client before a cluster of three nodes with three shards each, which misbehaves on command."""
import pytest

from harness import wait
from harness.cql_probe import Probe, Refused
from harness.scylla import Scylla

READ = {"cql": "SELECT * FROM k.t", "in_flight": 64, "page_rows": 100}
ROWS = 300


@pytest.fixture
def cluster(tmp_path, build):
    cluster = Scylla(tmp_path / "scylla", build, nodes=3, shards=3).start()
    yield cluster
    cluster.stop()


@pytest.fixture
def probe(cluster, build):
    """Connected to every shard of every node; k.t holds ROWS rows and has a log."""
    probe = Probe(build, cluster.port, compress=True, try_timeout_ms=1000, backoff_max_ms=300, tries=20)
    probe.connect()
    probe.run("CREATE KEYSPACE k WITH replication = {'class': 'NetworkTopologyStrategy', 'replication_factor': 3}")
    probe.run("CREATE TABLE k.t (p int, c int, v text, PRIMARY KEY (p, c)) WITH cdc = {'enabled': true}")
    for i in range(ROWS):
        probe.ask("query", cql="INSERT INTO k.t (p, c, v) VALUES (?, ?, ?)", prepare=True,
                  values=[f"0x{i % 7:08x}", f"0x{i:08x}", "0x" + f"row {i}".encode().hex()])
    connected(probe, 9)
    yield probe
    assert probe.close() == 0


def connected(probe, n):
    def there():
        probe.ask("poll", ms=50)
        return probe.ask("stats")["connections"] == n
    wait.until(there, f"{n} connections")


def read(probe, times):
    answer = probe.ask("read", times=times, **READ)
    assert (answer["rows"], answer.get("last_error")) == (ROWS * times, None)
    return answer


def test_every_shard_of_every_node_has_a_connection(probe):
    hosts = probe.ask("hosts")["hosts"]
    assert [h["shards"] for h in hosts] == [3, 3, 3] and all(h["up"] and h["local"] for h in hosts)
    assert probe.ask("stats")["disconnects"] == 0  # the shard-aware port hit each at the first try


def test_a_log_is_read_with_all_its_columns(probe):
    answer = probe.ask("query", cql="SELECT * FROM k.t_scylla_cdc_log", page_rows=40, prepare=True)
    assert len(answer["rows"]) == ROWS and answer["pages"] >= ROWS // 40
    assert dict(answer["columns"])["cdc$operation"] == "tinyint"


@pytest.mark.parametrize("kind", ["overload", "unavailable", "read-timeout", "read-failure", "rate-limit",
                                  "bootstrapping", "server-error", "unprepared", "ignore", "drop", "garbage"])
def test_what_passes_costs_no_row(cluster, probe, kind):
    read(probe, 20)
    before = probe.ask("stats")
    cluster.ctl(f"fail {kind} next 20")
    read(probe, 200)
    after = probe.ask("stats")
    told = {"unprepared": "reprepares", "ignore": "timeouts", "drop": "disconnects", "garbage": "disconnects"}
    assert after[told.get(kind, "retries")] > before[told.get(kind, "retries")]
    cluster.ctl("fail off")
    connected(probe, 9)


def test_a_node_that_goes_and_comes_costs_no_row(cluster, probe):
    cluster.ctl("node 1 down")
    read(probe, 100)
    connected(probe, 6)
    cluster.ctl("node 1 up")
    connected(probe, 9)
    read(probe, 20)


def test_connections_that_are_cut_in_mid_frame_cost_no_row(cluster, probe):
    cluster.ctl("cut each after 20000")
    read(probe, 500)
    assert probe.ask("stats")["disconnects"] > 0


def test_answers_that_overtake_each_other_find_their_requests(cluster, probe):
    cluster.ctl("delay 1 20")
    read(probe, 100)


def test_a_cluster_that_starts_anew_is_found_again(cluster, probe):
    read(probe, 5)
    probe.ask("poll", ms=100)
    cluster.ctl("restart")
    read(probe, 20)
    kinds = []

    def told():
        kinds.extend(e["kind"] for e in probe.ask("poll", ms=100)["events"])
        return "RESYNC" in kinds
    wait.until(told, "word that events may be missing")


def test_a_node_that_joins_is_told_of_and_used(cluster, probe):
    read(probe, 5)
    probe.ask("poll", ms=100)
    cluster.stop()
    cluster.nodes = 4
    cluster.start()
    read(probe, 20)
    kinds = []

    def told():
        kinds.extend(e["kind"] for e in probe.ask("poll", ms=100)["events"])
        return "TOPOLOGY" in kinds
    wait.until(told, "word of another topology")
    connected(probe, 12)


def test_all_nodes_but_one_unreachable_is_still_a_cluster(cluster, build, probe):
    cluster.ctl("node 1 down quiet")
    cluster.ctl("node 2 down quiet")
    read(probe, 50)
    with pytest.raises(Refused) as refused:
        other = Probe(build, cluster.port)
        other.connect(contact_points=f"127.0.0.2:{cluster.port},127.0.0.3:{cluster.port}", deadline_ms=1000)
    assert "127.0.0.2" in str(refused.value) and "127.0.0.3" in str(refused.value)
    other.close()
