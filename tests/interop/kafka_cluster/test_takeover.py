# SPDX-License-Identifier: Apache-2.0
"""From a running Kafka Connect to sluice, and back: the same group, the same topics, no gap."""
import json
import urllib.error
import urllib.request

import pytest

from harness import kafka, postgres, sluice, sqlserver, wait

GROUP = "connect-1"
TOPIC = "srv.d1.dbo.t"


@pytest.fixture(scope="module")
def broker(tmp_path_factory, cache):
    with kafka.Cluster(tmp_path_factory.mktemp("kafka"), cache, heap="256m") as cluster:
        yield cluster


@pytest.fixture
def source(tmp_path, build):
    server = sqlserver.SqlServer(tmp_path / "sqlserver", build, 20).start()
    server.execute("CREATE DATABASE d1")
    server.execute("CREATE TABLE dbo.t (id int IDENTITY(1,1) PRIMARY KEY, v nvarchar(20) NULL)", database="d1")
    server.execute("EXEC sys.sp_cdc_enable_db;", database="d1")
    server.execute("EXEC sys.sp_cdc_enable_table @source_schema = N'dbo', @source_name = N't', @role_name = NULL, "
                   "@supports_net_changes = 0;", database="d1")
    yield server
    server.kill()


@pytest.fixture
def connect(tmp_path, cache, broker):
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    (plugins / "sqlserver").symlink_to(cache / "debezium-2.5.4.Final")
    worker = kafka.Connect(tmp_path / "connect", cache, broker.bootstrap, group=GROUP, plugin_path=plugins,
                           settings={"plugin.discovery": "hybrid_warn"}, heap="384m")
    yield worker
    worker.kill()


@pytest.fixture
def ours(tmp_path, build, broker):
    port = kafka.free_port()
    made = sluice.Sluice(tmp_path / "sluice", build, {
        "bootstrap.servers": broker.bootstrap, "group.id": GROUP, "listeners": f"http://127.0.0.1:{port}",
        "config.storage.topic": "connect-configs", "offset.storage.topic": "connect-offsets",
        "status.storage.topic": "connect-status", "key.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter", "sluice.registry.listeners": "",
        "config.storage.replication.factor": 1,
        # Whoever does not leave the group when it stops keeps Connect's workers out for that long.
        "session.timeout.ms": 120000})
    made.url = f"http://127.0.0.1:{port}"
    yield made
    if made.process:
        made.kill()


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def source_config(server, broker):
    return {
        "connector.class": "io.debezium.connector.sqlserver.SqlServerConnector", "tasks.max": "1",
        "database.hostname": server.host, "database.port": str(server.port), "database.user": server.user,
        "database.password": server.password, "database.names": "d1", "database.encrypt": "false",
        "table.include.list": "dbo.t", "topic.prefix": "srv", "snapshot.mode": "initial", "poll.interval.ms": "100",
        "snapshot.isolation.mode": "read_committed", "schema.history.internal.kafka.topic": "history",
        "schema.history.internal.kafka.bootstrap.servers": broker.bootstrap,
    }


def insert(server, first, last):
    for number in range(first, last + 1):
        server.execute(f"INSERT INTO dbo.t (v) VALUES (N'{number}')", database="d1")


def rows(broker):
    """What stands in the topic: the inserted numbers, in order."""
    try:
        lines = broker.kcat("-C", "-t", TOPIC, "-e", "-q").splitlines()
    except Exception:  # no topic yet
        return []
    values = [json.loads(line) for line in lines if line]
    return [int((v.get("payload") or v)["after"]["v"]) for v in values]


def wait_rows(broker, last):
    wait.until(lambda: rows(broker)[-1:] == [last], f"row {last} in the topic", 90, 0.5)


def wait_stored(broker):
    """Until Connect's offset is that of the last record: it stores it now and then, and what came later is sent again."""
    def place(offset):
        return offset["commit_lsn"], offset["change_lsn"], int(offset["event_serial_no"])

    def same():
        last = json.loads(broker.kcat("-C", "-t", TOPIC, "-e", "-q", "-o", "-1").splitlines()[-1])
        stored = [line for line in broker.kcat("-C", "-t", "connect-offsets", "-e", "-q").splitlines() if "change_lsn" in line]
        return any(place(json.loads(s)) == place((last.get("payload") or last)["source"]) for s in stored)
    wait.until(same, "Connect's offset to be stored", 60, 0.3)


def running(status):
    return status["connector"]["state"] == "RUNNING" and [t["state"] for t in status["tasks"]] == ["RUNNING"]


def test_connectors_offsets_and_states_go_over_to_sluice_and_back(broker, source, connect, ours, tmp_path):
    lines = tmp_path / "lines.txt"
    lines.write_text("a line\n")
    insert(source, 1, 5)
    connect.start()
    connect.call("POST", "/connectors", {"name": "src", "config": source_config(source, broker)})
    connect.call("POST", "/connectors", {"name": "file", "config": {
        "connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector", "tasks.max": "1",
        "file": str(lines), "topic": "lines"}})
    wait.until(lambda: running(connect.call("GET", "/connectors/src/status")), "Debezium to run", 60)
    wait_rows(broker, 5)  # the snapshot: what comes while it is read may come twice
    wait.until(lambda: "Starting streaming" in connect.process.output(), "Debezium to stream", 60)
    insert(source, 6, 10)
    wait_rows(broker, 10)
    wait_stored(broker)
    connect.stop()

    insert(source, 11, 15)
    ours.start()
    wait.until(lambda: sorted(get(ours.url + "/connectors")) == ["file", "src"], "the connectors at sluice", 60)
    wait_rows(broker, 15)
    insert(source, 16, 20)
    wait_rows(broker, 20)
    # Debezium's offset says which transaction it was in, not in our order of rows: that one comes once more.
    there = [*range(1, 11), 10, *range(11, 21)]
    assert rows(broker) == there, rows(broker)
    wait.until(lambda: running(get(ours.url + "/connectors/src/status")), "the task's status", 30)
    unknown = wait.until(lambda: [s for s in [get(ours.url + "/connectors/file/status")]
                                  if s["connector"]["state"] == "FAILED"], "the unknown connector to be FAILED", 30)[0]
    assert "FileStreamSourceConnector" in unknown["connector"]["trace"]
    assert ours.stop() == 0

    insert(source, 21, 25)
    connect.start()
    wait_rows(broker, 25)
    insert(source, 26, 30)
    wait_rows(broker, 30)
    assert rows(broker) == there + list(range(21, 31)), rows(broker)
    wait.until(lambda: running(connect.call("GET", "/connectors/file/status")), "the file connector to run again", 60)
    connect.stop()


def test_where_target_and_group_disagree_the_task_stops_and_adopt_decides(broker, ours, tmp_path):
    target = postgres.Postgres(tmp_path / "pg", {"fsync": "off"}).create().start()
    try:
        target.execute("CREATE TABLE t (v text)")
        broker.kcat("-P", "-t", "numbers", given="".join(
            json.dumps({"schema": {"type": "struct", "fields": [{"field": "v", "type": "string"}]}, "payload": {"v": str(n)}}) + "\n"
            for n in range(10)))
        config = {
            "connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector", "tasks.max": "1", "topics": "numbers",
            "connection.url": target.url("postgres"), "connection.user": target.user, "connection.password": target.password,
            "insert.mode": "insert", "pk.mode": "none", "table.name.format": "t"}
        # A Java worker had come to 4 before us.
        reset = ["consumer.group.ConsumerGroupCommand", "--group", "connect-sink", "--topic", "numbers:0", "--reset-offsets",
                 "--execute", "--to-offset"]
        broker.tool(*reset, "4")
        ours.connector("sink", config).start()

        def applied():
            return [int(r[0]) for r in target.execute("SELECT v FROM t ORDER BY v::int")]
        wait.until(lambda: applied() == [4, 5, 6, 7, 8, 9], "the sink to go on at 4", 60)
        ours.stop()

        broker.tool(*reset, "2")
        ours.start()
        status = wait.until(lambda: [s for s in [get(ours.url + "/connectors/sink/status")]
                                     if s["tasks"] and s["tasks"][0]["state"] == "FAILED"], "the task to stop", 60)[0]
        trace = status["tasks"][0]["trace"]
        assert "at offset 10" in trace and "at offset 2" in trace and "sluice offsets adopt" in trace, trace
        ours.stop()

        said = ours.command("offsets", "adopt", "--from", "target", ours.worker, "sink").stdout
        assert "numbers" in said, said
        ours.start()
        broker.kcat("-P", "-t", "numbers", given=json.dumps(
            {"schema": {"type": "struct", "fields": [{"field": "v", "type": "string"}]}, "payload": {"v": "10"}}) + "\n")
        wait.until(lambda: applied() == [4, 5, 6, 7, 8, 9, 10], "the sink to go on at 10", 60)
        ours.stop()

        broker.tool(*reset, "9")
        ours.command("offsets", "adopt", "--from", "group", ours.worker, "sink")
        ours.start()
        wait.until(lambda: applied() == [4, 5, 6, 7, 8, 9, 9, 10, 10], "the sink to go on at 9", 60)
    finally:
        target.close()
