# SPDX-License-Identifier: Apache-2.0
"""What a user sees who got something wrong about a ScyllaDB cluster: one line that says what, and what to do."""
import json
import time

import pytest

from harness import scylla, sluice, wait


@pytest.fixture
def source(tmp_path, build):
    made = scylla.Scylla(tmp_path / "scylla", build, user="cassandra", password="cassandra").start()
    session = made.session()
    session.execute("CREATE KEYSPACE app WITH replication = {'class': 'NetworkTopologyStrategy', 'replication_factor': 1} "
                    "AND tablets = {'enabled': false}")
    session.execute("CREATE TABLE app.logged (id int PRIMARY KEY, v text) WITH cdc = {'enabled': true, 'ttl': 2}")
    session.execute("CREATE TABLE app.plain (id int PRIMARY KEY, v text)")
    yield made
    made.stop()


def config(source, **changes):
    made = {
        "connector.class": "com.scylladb.cdc.debezium.connector.ScyllaConnector",
        "scylla.cluster.ip.addresses": f"{source.host}:{source.port}", "scylla.table.names": "app.logged",
        "topic.prefix": "scylla", "scylla.user": source.user, "scylla.password": source.password,
        "scylla.query.time.window.size": "200", "scylla.confidence.window.size": "100",
    }
    made.update({key.replace("__", "."): value for key, value in changes.items()})
    return made


def refusal(tmp_path, build, settings):
    """What sluice says when it does not start."""
    program = sluice.Sluice(tmp_path / "sluice", build).connector("source", settings)
    done = program.command("run", program.worker, *program.connectors, check=False)
    assert done.returncode != 0, done.stderr
    return done.stderr


@pytest.mark.parametrize("changes, words", [
    ({"scylla__password": "wrong"}, ["login refused", "check user and password"]),
    ({"scylla__table__names": "app.plain"}, ["app.plain", "CDC is off", "ALTER TABLE app.plain WITH cdc"]),
    ({"scylla__table__names": "app.nothing"}, ["nothing", "does not exist in keyspace 'app'"]),
    ({"scylla__table__names": "nowhere.logged"}, ["keyspace 'nowhere' does not exist"]),
    ({"scylla__cluster__ip__addresses": "127.0.0.1"}, ["scylla.cluster.ip.addresses", "needs its port"]),
    ({"scylla__local__dc": "nowhere"}, ["nowhere"]),
    ({"cdc__include__after": "full"}, ["cdc.include.after", "cdc.output.format=advanced"]),
])
def test_a_mistake_is_named_at_the_start(tmp_path, build, source, changes, words):
    said = refusal(tmp_path, build, config(source, **changes))
    for word in [*words, "HINT: "]:
        assert word in said, said


def test_a_cluster_that_does_not_answer_is_named_and_waited_for(tmp_path, build, source):
    settings = config(source, scylla__cluster__ip__addresses="127.0.0.1:1")
    program = sluice.Sluice(tmp_path / "sluice", build).connector("source", settings).start()
    wait.until(lambda: "127.0.0.1:1" in program.output() and "HINT: " in program.output(), "the address to be named")
    program.kill()


def test_half_of_the_nodes_away_is_said_with_their_addresses(tmp_path, build):
    """Two of four nodes are down, and the others say that too few replicas are up."""
    made = scylla.Scylla(tmp_path / "scylla", build, nodes=4).start()
    try:
        made.execute("CREATE KEYSPACE app WITH replication = {'class': 'NetworkTopologyStrategy', "
                     "'replication_factor': 2} AND tablets = {'enabled': false}")
        made.execute("CREATE TABLE app.logged (id int PRIMARY KEY, v text) WITH cdc = {'enabled': true}")
        settings = config(made, scylla__cluster__ip__addresses=",".join(f"{host}:{made.port}" for host in made.hosts))
        settings = {key: value for key, value in settings.items() if key not in ("scylla.user", "scylla.password")}
        program = sluice.Sluice(tmp_path / "sluice", build).connector("source", settings).start()
        program.wait_for_log("reading a table's change log")
        made.ctl("node 2 down")
        made.ctl("node 3 down")
        made.ctl("fail unavailable text logged_scylla_cdc_log")
        words = ("app.logged", "too few replicas are up", "2 of 4 nodes cannot be reached",
                 f"{made.hosts[2]}:{made.port}", f"{made.hosts[3]}:{made.port}", "HINT: start the nodes that are down")
        wait.until(lambda: any(all(word in line for word in words) for line in program.output().splitlines()),
                   "what is missing to be named", 60)
        program.assert_running()
        made.ctl("fail off")
        made.ctl("node 2 up")
        made.ctl("node 3 up")
        made.execute("INSERT INTO app.logged (id, v) VALUES (1, 'one')")
        wait.until(lambda: program.status()["tasks"][0]["records"] > 0, "the change to be read all the same", 60)
        program.kill()
    finally:
        made.stop()


def test_a_position_behind_the_log_is_a_gap(tmp_path, build, source):
    program = sluice.Sluice(tmp_path / "sluice", build).connector("source", config(source)).start()
    program.wait_for_log("reading a table's change log")
    source.execute("INSERT INTO app.logged (id, v) VALUES (1, 'one')")
    wait.until(lambda: "settled_ms" in json.dumps(program.status()), "a position")
    assert program.stop() == 0
    stopped = time.monotonic()
    wait.until(lambda: time.monotonic() > stopped + 3, "the log to expire")
    program.start()
    wait.until(lambda: "sluice.scylla.expired=continue" in program.output(), "the gap to be named")
    assert "app.logged" in program.output()
