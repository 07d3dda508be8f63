# SPDX-License-Identifier: Apache-2.0
"""The ScyllaDB stand-in itself, as the packaged Python driver meets it: a cluster that misbehaves on command."""
import subprocess
import threading

import pytest
from cassandra import OperationTimedOut, ReadTimeout, Unavailable, WriteTimeout
from cassandra.cluster import EXEC_PROFILE_DEFAULT, ExecutionProfile
from cassandra.connection import ConnectionShutdown
from cassandra.policies import FallthroughRetryPolicy, RoundRobinPolicy, WhiteListRoundRobinPolicy
from cassandra.protocol import OverloadedErrorMessage, ServerError

from harness import scylla, wait

KEYSPACE = """
    CREATE KEYSPACE ks WITH replication = {'class': 'NetworkTopologyStrategy', 'replication_factor': 1}
      AND tablets = {'enabled': false};"""
TABLE = """
    CREATE TABLE ks.t (pk int, ck int, v text, PRIMARY KEY (pk, ck)) WITH cdc = {'enabled': true};"""
SET_UP = KEYSPACE + TABLE


@pytest.fixture
def make(tmp_path, build):
    made = []

    def start(**options):
        made.append(scylla.Scylla(tmp_path / f"cluster{len(made)}", build, **options).start())
        return made[-1]

    yield start
    for server in made:
        server.stop()


def profile(hosts=None):
    """One try, no other host behind the scenes: what the server says is what the test sees."""
    policy = WhiteListRoundRobinPolicy(hosts) if hosts else RoundRobinPolicy()
    return {EXEC_PROFILE_DEFAULT: ExecutionProfile(load_balancing_policy=policy, request_timeout=10,
                                                   retry_policy=FallthroughRetryPolicy())}


def test_what_was_written_outlives_a_kill_and_a_restart_by_order(make):
    server = make()
    server.script(SET_UP)
    session = server.session()
    insert = session.prepare("INSERT INTO ks.t (pk, ck, v) VALUES (?, ?, ?)")
    for i in range(200):
        session.execute(insert, (i % 7, i, f"row {i}"))
    before = sorted(server.execute("SELECT pk, ck, v, writetime(v) FROM ks.t"))
    log = sorted(server.execute('SELECT "cdc$stream_id", "cdc$time", pk, ck, v FROM ks.t_scylla_cdc_log'))
    server.restart()
    assert sorted(server.execute("SELECT pk, ck, v, writetime(v) FROM ks.t")) == before
    assert sorted(server.execute('SELECT "cdc$stream_id", "cdc$time", pk, ck, v FROM ks.t_scylla_cdc_log')) == log
    server.ctl("restart")
    assert sorted(server.execute("SELECT pk, ck, v, writetime(v) FROM ks.t")) == before
    assert len(log) == 200


def test_every_node_tells_the_same_cluster_and_serves_its_rows(make):
    server = make(nodes=3)
    server.script(SET_UP)
    assert server.hosts == ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
    for host in server.hosts:
        session = server.session(hosts=[host], execution_profiles=profile([host]))
        session.execute("INSERT INTO ks.t (pk, ck) VALUES (1, %s)", (int(host[-1]),))
        local = session.execute("SELECT rpc_address, host_id, schema_version FROM system.local").one()
        peers = list(session.execute("SELECT rpc_address, host_id, schema_version FROM system.peers"))
        assert local.rpc_address == host and len(peers) == 2
        assert {p.schema_version for p in peers} == {local.schema_version}
    assert [r.ck for r in server.execute("SELECT ck FROM ks.t WHERE pk = 1")] == [1, 2, 3]


def test_clients_are_told_of_tables_and_nodes(make):
    server = make(nodes=2)
    watcher = server.session(execution_profiles=profile()).cluster
    server.script(KEYSPACE)
    wait.until(lambda: "ks" in watcher.metadata.keyspaces, "the event of a new keyspace")
    assert watcher.metadata.keyspaces["ks"].replication_strategy.dc_replication_factors  # by data centre, as servers tell it
    server.script(TABLE)  # not sooner: the driver looks after a random while, and forgets tables of unknown keyspaces
    wait.until(lambda: "t" in watcher.metadata.keyspaces["ks"].tables, "the event of a new table")
    server.execute("ALTER TABLE ks.t ADD more int")
    wait.until(lambda: "more" in watcher.metadata.keyspaces["ks"].tables["t"].columns, "the event of a new column")
    other = next(h for h in watcher.metadata.all_hosts() if h.address == "127.0.0.2")
    wait.until(lambda: other.is_up, "the second node")
    server.ctl("node 1 down")
    wait.until(lambda: not other.is_up, "the event of a node that goes")
    server.ctl("node 1 up")
    wait.until(lambda: other.is_up, "the event of a node that comes")


@pytest.mark.parametrize("order,error", [("unavailable", Unavailable), ("read-timeout", ReadTimeout),
                                         ("write-timeout", WriteTimeout), ("overload", OverloadedErrorMessage),
                                         ("server-error", ServerError), ("drop", ConnectionShutdown)])
def test_a_request_fails_as_ordered_and_the_next_one_does_not(make, order, error):
    server = make()
    server.script(SET_UP)
    session = server.session(execution_profiles=profile())
    server.ctl(f"fail {order} next 1 text ks.t")
    with pytest.raises(error):
        session.execute("INSERT INTO ks.t (pk, ck) VALUES (9, 9)")
    wait.until(lambda: session.execute("SELECT pk FROM ks.t WHERE pk = 0") is not None, "the next request")
    done = list(session.execute("SELECT ck FROM ks.t WHERE pk = 9"))
    assert bool(done) == (order == "write-timeout"), "a write timeout leaves the write done, the others do not"


def test_a_forgotten_statement_is_prepared_again_behind_the_scenes(make):
    server = make()
    server.script(SET_UP)
    session = server.session()
    select = session.prepare("SELECT v FROM ks.t WHERE pk = ?")
    assert list(session.execute(select, (1,))) == []
    server.ctl("forget all")
    server.ctl("stats reset")
    assert list(session.execute(select, (1,))) == []
    assert server.stats()["opcodes"]["PREPARE"] >= 1


def test_answers_overtake_each_other_and_a_paused_node_says_nothing(make):
    server = make()
    server.script(SET_UP)
    session = server.session(execution_profiles={EXEC_PROFILE_DEFAULT: ExecutionProfile(request_timeout=20)})
    insert = session.prepare("INSERT INTO ks.t (pk, ck) VALUES (?, ?)")
    for i in range(100):
        session.execute(insert, (i, i))
    select = session.prepare("SELECT ck FROM ks.t WHERE pk = ?")
    server.ctl("delay 0 60")
    order, lock = [], threading.Lock()

    def note(rows, i):
        with lock:
            order.append((i, rows[0].ck))

    for future, i in [(session.execute_async(select, (i,)), i) for i in range(100)]:
        future.add_callback(note, i)
    wait.until(lambda: len(order) == 100, "all answers")
    assert all(i == ck for i, ck in order) and [i for i, _ in order] != list(range(100))
    server.ctl("delay 0")
    server.ctl("node 0 pause")
    with pytest.raises(OperationTimedOut):
        session.execute(select, (1,), timeout=0.3)
    server.ctl("node 0 resume")
    assert session.execute(select, (2,), timeout=20).one().ck == 2


def test_rows_held_back_are_seen_late(make):
    server = make()
    server.script(SET_UP)
    server.ctl("delay log ks.t 3600000")
    server.execute("INSERT INTO ks.t (pk, ck) VALUES (1, 1)")
    assert server.execute("SELECT ck FROM ks.t WHERE pk = 1") == [(1,)]
    assert server.execute("SELECT pk FROM ks.t_scylla_cdc_log") == []
    server.ctl("release")
    assert server.execute("SELECT pk FROM ks.t_scylla_cdc_log") == [(1,)]


def test_the_help_teaches_and_bad_options_are_named(build):
    program = str(build / scylla.PROGRAM)
    told = subprocess.run([program, "--help"], capture_output=True, text=True, check=True).stdout
    for word in ("--nodes", "--tls-client-ca", "fail KIND", "generation new", "delay log", "stats"):
        assert word in told
    for arguments in (["--state", "/tmp/x", "--nodes", "0"], ["--state", "/tmp/x", "--listen", "9042"], []):
        bad = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
        assert bad.returncode == 2 and "HINT" in bad.stderr
