# SPDX-License-Identifier: Apache-2.0
"""
The config topic for those who read it uncommitted, as Kafka Connect does: nothing of a leader that was broken off, paused or
replaced is the last word on any key. And what Connect wants of its internal topics, and lets connectors say of their clients.
"""
import json
import pathlib
import signal
import subprocess
import threading
import urllib.error
import urllib.request

import pytest

from harness import fetch, kafka, postgres, sluice, sqlserver, wait

TYPES = {"key.converter": "org.apache.kafka.connect.storage.StringConverter",
         "value.converter": "org.apache.kafka.connect.storage.StringConverter"}


@pytest.fixture(scope="module")
def broker(tmp_path_factory, cache):
    with kafka.Cluster(tmp_path_factory.mktemp("kafka"), cache, heap="256m") as cluster:
        yield cluster


@pytest.fixture
def python(cache):
    """A Python with confluent-kafka (tests/interop/registry makes it, too)."""
    wanted = pathlib.Path(__file__).resolve().parent.parent / "registry/requirements.txt"

    def make(folder):
        fetch.run(["/usr/bin/python3", "-m", "venv", folder])
        fetch.run([folder / "bin/pip", "install", "-q", "-r", wanted])
    return fetch.once(cache / "confluent-python", wanted.read_text(), make) / "bin/python"


@pytest.fixture
def worker(tmp_path, build, broker):
    made = []

    def make(group, **settings):
        port = kafka.free_port()
        each = sluice.Sluice(tmp_path / f"worker{len(made)}", build, {
            "bootstrap.servers": broker.bootstrap, "group.id": group, "listeners": f"http://127.0.0.1:{port}",
            "config.storage.topic": f"{group}-configs", "offset.storage.topic": f"{group}-offsets",
            "status.storage.topic": f"{group}-status", "rest.advertised.host.name": "127.0.0.1",
            "offset.storage.partitions": "2", "status.storage.partitions": "1", "sluice.registry.listeners": "", **TYPES,
            **settings})
        each.url = f"http://127.0.0.1:{port}"
        made.append(each)
        return each
    yield make
    for each in made:
        if each.process:
            each.process.signal(signal.SIGCONT)
            each.kill()


def call(method, url, body=None, seconds=30):
    request = urllib.request.Request(url, method=method, headers={"Content-Type": "application/json"},
                                     data=None if body is None else json.dumps(body).encode())
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as refused:
        return refused.code, json.loads(refused.read() or b"null")


def sink(**more):
    """A connector that needs nobody: its target is away, and its topics are empty."""
    return {"connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector", "topics": "nothing", "tasks.max": "1",
            "connection.url": "jdbc:postgresql://127.0.0.1:1/none", "connection.user": "u", "connection.password": "p", **more}


def last_words(broker, topic, isolation):
    """Key to last value of a topic, as a reader of this isolation level has it."""
    lines = broker.kcat("-C", "-t", topic, "-e", "-q", "-Z", "-X", f"isolation.level={isolation}",
                        "-J").splitlines()
    return {record["key"]: record["payload"] for record in map(json.loads, lines)}


def same_for_everybody(broker, topic):
    uncommitted, committed = (last_words(broker, topic, f"read_{kind}") for kind in ("uncommitted", "committed"))
    held = {key: value for key, value in uncommitted.items() if value is not None}
    assert held == {key: value for key, value in committed.items() if value is not None}
    return held


BROKEN_OFF = """
import sys
from confluent_kafka import Producer
bootstrap, topic, ident = sys.argv[1:]
producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": ident, "transaction.timeout.ms": 600000})
producer.init_transactions(30)
producer.begin_transaction()
producer.produce(topic, key="connector-never", value='{"properties":{"connector.class":"x","name":"never"}}', partition=0)
producer.produce(topic, key="connector-kept", value='{"properties":{"connector.class":"y","name":"kept"}}', partition=0)
producer.flush(30)
print("written", flush=True)
sys.stdin.read()
"""


def test_what_a_leader_broke_off_is_not_the_last_word_for_those_who_read_uncommitted(broker, worker, python):
    first = worker("broken")
    first.start()
    first.wait_for_log("this worker leads", 60)
    config = sink(**{"tasks.max": "3"})
    wait.until(lambda: call("PUT", first.url + "/connectors/kept/config", config)[0] in (200, 201), "the connector to be taken", 60)
    assert first.stop() == 0
    before = same_for_everybody(broker, "broken-configs")

    # A leader that ends between its records and their commit.
    leader = subprocess.Popen([python, "-c", BROKEN_OFF, broker.bootstrap, "broken-configs", "connect-cluster-broken"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert leader.stdout.readline().strip() == "written"
    finally:
        leader.kill()
        leader.wait()
    assert last_words(broker, "broken-configs", "read_uncommitted")["connector-never"] is not None  # so Connect would see it

    second = worker("broken")
    second.start()
    second.wait_for_log("this worker leads", 60)
    second.wait_for_log("a former leader's write was broken off", 30)
    assert call("GET", second.url + "/connectors")[1] == ["kept"]
    after = same_for_everybody(broker, "broken-configs")
    assert after["connector-kept"] == before["connector-kept"] and "connector-never" not in after


@pytest.mark.full
def test_a_leader_that_was_paused_while_it_wrote_changes_nothing_when_it_goes_on(broker, worker):
    workers = [worker("paused"), worker("paused")]
    workers[0].start()
    workers[0].wait_for_log("this worker leads", 60)
    workers[1].start()
    workers[1].wait_for_log("slots gained", 60)
    leader, other = workers
    for turn in range(2):
        wait.until(lambda: call("PUT", leader.url + "/connectors/steady/config", sink(**{"batch.size": "1"}))[0] in (200, 201),
                   "a leader", 60, 0.2)
        stop = threading.Event()

        def load(leader=leader, stop=stop):
            number = 0
            while not stop.is_set():
                number += 1
                try:
                    call("PUT", leader.url + "/connectors/busy/config", sink(**{"batch.size": str(number % 900 + 1)}), 2)
                except OSError:
                    pass  # it is paused
        writers = [threading.Thread(target=load) for _ in range(2)]
        for writer in writers:
            writer.start()
        wait.until(lambda: call("GET", leader.url + "/connectors/busy")[0] == 200, "the load to be written", 60)
        leader.process.signal(signal.SIGSTOP)
        stop.set()
        for writer in writers:
            writer.join()

        def other_leads(other=other, turn=turn):
            return call("PUT", other.url + "/connectors/steady/config", sink(**{"batch.size": str(100 + turn)}), 10)[0] in (200, 201)
        wait.until(other_leads, "the other to lead", 90, 0.2)
        leader.process.signal(signal.SIGCONT)
        wait.until(lambda: call("GET", leader.url + "/connectors/steady/config")[1]["batch.size"] == str(100 + turn),
                   "the former leader to see what the new one wrote", 60)
        wait.until(lambda: call("PUT", leader.url + "/connectors/after/config", sink())[0] in (200, 201),
                   "the former leader to answer as a follower", 60, 0.2)
        held = same_for_everybody(broker, "paused-configs")
        assert json.loads(held["connector-steady"])["properties"]["batch.size"] == str(100 + turn)
        leader, other = other, leader


def test_a_worker_refuses_internal_topics_that_are_not_compacted(broker, worker):
    broker.tool("TopicCommand", "--create", "--topic", "loose-offsets", "--partitions", "2", "--config",
                "cleanup.policy=delete")
    loose = worker("loose")
    loose.start()
    wait.until(lambda: not loose.process.running(), "the worker to end", 60)
    said = loose.output()
    for part in ("Topic 'loose-offsets' supplied via the 'offset.storage.topic' property", "'cleanup.policy=compact'",
                 "'cleanup.policy=delete'"):
        assert part in said, said[-2000:]


def test_the_override_policy_and_the_overrides_of_a_connector(broker, worker, tmp_path):
    strict = worker("strict", **{"connector.client.config.override.policy": "Principal"})
    strict.start()
    strict.wait_for_log("this worker leads", 60)
    status, said = call("PUT", strict.url + "/connectors/s/config", sink(**{"consumer.override.fetch.min.bytes": "1"}))
    assert status == 400, said
    assert "The 'Principal' policy does not allow 'fetch.min.bytes' to be overridden" in said["message"], said
    assert strict.stop() == 0

    # The group that the connector names is where its position is looked for, and where it is told.
    target = postgres.Postgres(tmp_path / "pg", {"fsync": "off"}).create().start()
    try:
        target.execute("CREATE TABLE t (v text)")
        broker.kcat("-P", "-t", "numbers", given="".join(
            json.dumps({"schema": {"type": "struct", "fields": [{"field": "v", "type": "string"}]}, "payload": {"v": str(n)}}) + "\n"
            for n in range(6)))
        groups = ["consumer.group.ConsumerGroupCommand", "--group", "mine"]
        broker.tool(*groups, "--topic", "numbers:0", "--reset-offsets", "--execute", "--to-offset", "4")
        free = worker("free", **{"value.converter": "org.apache.kafka.connect.json.JsonConverter"})
        free.connector("own", {
            "connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector", "tasks.max": "1", "topics": "numbers",
            "connection.url": target.url("postgres"), "connection.user": target.user, "connection.password": target.password,
            "insert.mode": "insert", "pk.mode": "none", "table.name.format": "t", "consumer.override.group.id": "mine",
            "consumer.override.client.id": "client-of-mine", "errors.tolerance": "all",
            "errors.deadletterqueue.topic.name": "letters-of-mine", "errors.deadletterqueue.topic.replication.factor": "1",
            "admin.override.client.id": "admin-of-mine"}).start()
        wait.until(lambda: [int(r[0]) for r in target.execute("SELECT v FROM t ORDER BY v::int")] == [4, 5], "rows from 4 on", 60)
        wait.until(lambda: "letters-of-mine" in broker.kcat("-L"), "the topic of dead letters", 30)

        def told():
            line = [each for each in broker.tool(*groups, "--describe").splitlines() if each.startswith("mine")]
            return line and line[0].split()[3] == "6"
        wait.until(told, "the position to be told to that group", 60)
    finally:
        target.close()


def test_a_connectors_own_topic_of_offsets_is_taken_over_and_kept_up(broker, worker, build, tmp_path):
    server = sqlserver.SqlServer(tmp_path / "sqlserver", build, 20).start()
    try:
        server.execute("CREATE DATABASE d1")
        server.execute("CREATE TABLE dbo.t (id int PRIMARY KEY)", database="d1")
        server.execute("EXEC sys.sp_cdc_enable_db;", database="d1")
        server.execute("EXEC sys.sp_cdc_enable_table @source_schema = N'dbo', @source_name = N't', @role_name = NULL, "
                       "@supports_net_changes = 0;", database="d1")
        server.execute("INSERT INTO dbo.t VALUES (1)", database="d1")
        config = {"connector.class": "io.debezium.connector.sqlserver.SqlServerConnector", "tasks.max": "1",
                  "database.hostname": server.host, "database.port": str(server.port), "database.user": server.user,
                  "database.password": server.password, "database.names": "d1", "table.include.list": "dbo.t",
                  "topic.prefix": "o", "poll.interval.ms": "50", "offsets.storage.topic": "offsets-of-o"}
        settings = {"value.converter": "org.apache.kafka.connect.json.JsonConverter",
                    "value.converter.schemas.enable": "false", "key.converter": "org.apache.kafka.connect.json.JsonConverter",
                    "key.converter.schemas.enable": "false"}

        def rows():
            lines = broker.kcat("-C", "-t", "o.d1.dbo.t", "-e", "-q").splitlines()
            return [(value["op"], value["after"]["id"]) for value in map(json.loads, lines)]

        def offsets(topic):
            return last_words(broker, topic, "read_committed")
        key = '["o",{"server":"o","database":"d1"}]'
        first = worker("own1", **settings)
        first.connector("o", config).start()
        wait.until(lambda: rows() == [("r", 1)], "the snapshot", 60)
        server.execute("INSERT INTO dbo.t VALUES (2)", database="d1")
        wait.until(lambda: rows() == [("r", 1), ("c", 2)], "the change", 60)
        assert first.stop() == 0
        assert offsets("offsets-of-o") == offsets("own1-offsets") and "change_lsn" in offsets("offsets-of-o")[key]

        # Other workers know the connector by its own topic alone: no snapshot is taken again.
        server.execute("INSERT INTO dbo.t VALUES (3)", database="d1")
        second = worker("own2", **settings)
        second.connector("o", config).start()
        wait.until(lambda: rows()[2:] == [("c", 3)], "the next change, and nothing else", 60)
        second.wait_for_log("the connector's own topic of offsets was read", 10)
        assert second.stop() == 0
        assert offsets("offsets-of-o") == offsets("own2-offsets")
        assert rows() == [("r", 1), ("c", 2), ("c", 3)]
    finally:
        server.kill()
