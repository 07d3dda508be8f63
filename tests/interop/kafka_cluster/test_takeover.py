# SPDX-License-Identifier: Apache-2.0
"""From a running Kafka Connect to sluice, and back: the same group, the same topics, no gap."""
import itertools
import json
import types
import urllib.error
import urllib.request

import pytest

from harness import kafka, postgres, sluice, sqlserver, wait

TOPIC = "srv.d1.dbo.t"
_numbers = itertools.count(1)
MANY_TYPES = """CREATE TABLE dbo.u (id uniqueidentifier NOT NULL, part int NOT NULL, a bigint NULL, b smallint NOT NULL DEFAULT 7,
 c tinyint NULL, d bit NOT NULL DEFAULT 1, e decimal(18, 4) NULL, f numeric(9, 0) NULL, g money NULL, h smallmoney NULL,
 i float NULL, j real NULL, k char(5) NULL, l varchar(30) NOT NULL DEFAULT 'x', m varchar(max) NULL, n nchar(5) NULL,
 o nvarchar(max) NULL, p binary(8) NULL, q varbinary(20) NULL, r varbinary(max) NULL, s date NULL, t time(3) NULL,
 u datetime NULL, v smalldatetime NULL, w datetime2(3) NULL, x datetimeoffset(6) NULL, PRIMARY KEY (part, id))"""


@pytest.fixture(scope="module")
def broker(tmp_path_factory, cache):
    with kafka.Cluster(tmp_path_factory.mktemp("kafka"), cache, heap="256m") as cluster:
        yield cluster


@pytest.fixture
def space():
    """Names of a group of workers and of its topics, and of the history of schemas."""
    number = next(_numbers)
    return types.SimpleNamespace(group=f"connect-{number}", history=f"history-{number}", topics={
        f"{kind}.storage.topic": f"connect-{kind}-{number}" for kind in ("config", "offset", "status")})


@pytest.fixture
def source(tmp_path, build):
    server = sqlserver.SqlServer(tmp_path / "sqlserver", build, 20).start()
    server.execute("CREATE DATABASE d1")
    server.execute("CREATE TABLE dbo.t (id int IDENTITY(1,1) PRIMARY KEY, v nvarchar(20) NULL)", database="d1")
    server.execute(MANY_TYPES, database="d1")
    server.execute("EXEC sys.sp_cdc_enable_db;", database="d1")
    for table in ("t", "u"):
        capture(server, table)
    yield server
    server.kill()


def capture(server, table, instance=None):
    instance = f", @capture_instance = N'{instance}'" if instance else ""
    server.execute(f"EXEC sys.sp_cdc_enable_table @source_schema = N'dbo', @source_name = N'{table}', @role_name = NULL, "
                   f"@supports_net_changes = 0{instance};", database="d1")


@pytest.fixture
def debezium():
    return "2.5.4.Final"


@pytest.fixture
def connect(tmp_path, cache, broker, space, debezium):
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    (plugins / "sqlserver").symlink_to(cache / f"debezium-{debezium}")
    worker = kafka.Connect(tmp_path / "connect", cache, broker.bootstrap, group=space.group, plugin_path=plugins,
                           settings={"plugin.discovery": "hybrid_warn", **space.topics}, heap="384m")
    yield worker
    worker.kill()


@pytest.fixture
def ours(tmp_path, build, broker, space, debezium):
    port = kafka.free_port()
    made = sluice.Sluice(tmp_path / "sluice", build, {
        "bootstrap.servers": broker.bootstrap, "group.id": space.group, "listeners": f"http://127.0.0.1:{port}",
        **space.topics, "key.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter", "sluice.registry.listeners": "",
        "config.storage.replication.factor": 1, "sluice.compat.debezium": debezium[:3],
        # Whoever does not leave the group when it stops keeps Connect's workers out for that long.
        "session.timeout.ms": 120000})
    made.url = f"http://127.0.0.1:{port}"
    yield made
    if made.process:
        made.kill()


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def post(url, body):
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def source_config(server, broker, space, prefix="srv"):
    return {
        "connector.class": "io.debezium.connector.sqlserver.SqlServerConnector", "tasks.max": "1",
        "database.hostname": server.host, "database.port": str(server.port), "database.user": server.user,
        "database.password": server.password, "database.names": "d1", "database.encrypt": "false",
        "table.include.list": "dbo.t,dbo.u", "topic.prefix": prefix, "snapshot.mode": "initial", "poll.interval.ms": "100",
        "snapshot.isolation.mode": "read_committed", "schema.history.internal.kafka.topic": space.history,
        # The worker's broker in other words: it is asked for its cluster.
        "schema.history.internal.kafka.bootstrap.servers": broker.bootstrap.replace("127.0.0.1", "localhost"),
    }


def insert(server, first, last):
    for number in range(first, last + 1):
        server.execute(f"INSERT INTO dbo.t (v) VALUES (N'{number}')", database="d1")


def events(broker, topic=TOPIC):
    try:
        lines = broker.kcat("-C", "-t", topic, "-e", "-q").splitlines()
    except Exception:  # no topic yet
        return []
    values = [json.loads(line) for line in lines if line]
    return [value.get("payload") or value for value in values]


def rows(broker, topic=TOPIC):
    """What stands in the topic: the inserted numbers, in order."""
    return [int(event["after"]["v"]) for event in events(broker, topic)]


def wait_rows(broker, last, topic=TOPIC):
    wait.until(lambda: rows(broker, topic)[-1:] == [last], f"row {last} in the topic", 90, 0.5)


def history(broker, space):
    lines = broker.kcat("-C", "-t", space.history, "-e", "-q", "-J").splitlines()  # Debezium's records have many lines
    return [json.loads(json.loads(line)["payload"]) for line in lines]


def wait_stored(broker, space):
    """Until Connect's offset is that of the last record: it stores it now and then, and what came later is sent again."""
    def place(offset):
        return offset["commit_lsn"], offset["change_lsn"], int(offset["event_serial_no"])

    def same():
        last = json.loads(broker.kcat("-C", "-t", TOPIC, "-e", "-q", "-o", "-1").splitlines()[-1])
        offsets = broker.kcat("-C", "-t", space.topics["offset.storage.topic"], "-e", "-q")
        stored = [line for line in offsets.splitlines() if "change_lsn" in line]
        return any(place(json.loads(s)) == place((last.get("payload") or last)["source"]) for s in stored)
    wait.until(same, "Connect's offset to be stored", 60, 0.3)


def running(status):
    return status["connector"]["state"] == "RUNNING" and [t["state"] for t in status["tasks"]] == ["RUNNING"]


def test_connectors_offsets_and_states_go_over_to_sluice_and_back(broker, source, connect, ours, space, tmp_path):
    lines = tmp_path / "lines.txt"
    lines.write_text("a line\n")
    insert(source, 1, 5)
    connect.start()
    connect.call("POST", "/connectors", {"name": "src", "config": source_config(source, broker, space)})
    connect.call("POST", "/connectors", {"name": "file", "config": {
        "connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector", "tasks.max": "1",
        "file": str(lines), "topic": "lines"}})
    wait.until(lambda: running(connect.call("GET", "/connectors/src/status")), "Debezium to run", 60)
    wait_rows(broker, 5)  # the snapshot: what comes while it is read may come twice
    wait.until(lambda: "Starting streaming" in connect.process.output(), "Debezium to stream", 60)
    insert(source, 6, 10)
    wait_rows(broker, 10)
    wait_stored(broker, space)
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

    # Debezium's history, then ours: the same tables in the same words.
    written = {}
    for record in history(broker, space):
        for change in record["tableChanges"]:
            written.setdefault(change["id"], []).append((record["source"], record["databaseName"], record["schemaName"], change))
    assert [len(each) for each in written.values()] == [2, 2], written
    for theirs, of_ours in written.values():
        assert theirs == of_ours

    insert(source, 21, 25)
    connect.start()
    wait_rows(broker, 25)
    insert(source, 26, 30)
    wait_rows(broker, 30)
    assert rows(broker) == there + list(range(21, 31)), rows(broker)
    wait.until(lambda: running(connect.call("GET", "/connectors/file/status")), "the file connector to run again", 60)
    connect.stop()


@pytest.mark.parametrize("kept", ["topic", pytest.param("file", marks=pytest.mark.full)])
@pytest.mark.parametrize("debezium", ["3.5.0.Final"])
def test_debezium_takes_over_what_sluice_began_and_altered(broker, source, connect, ours, space, kept):
    topic = f"own-{kept}.d1.dbo.t"
    config = source_config(source, broker, space, f"own-{kept}")
    file = ours.folder / "history.dat"
    if kept == "file":  # beside the topic, which is left over
        config |= {"schema.history.internal": "io.debezium.storage.file.history.FileSchemaHistory",
                   "schema.history.internal.file.filename": str(file)}
        ours.worker.write_text(ours.worker.read_text() + f"sluice.connector.files={ours.folder}\n")

    def records():
        return [json.loads(line) for line in file.read_text().splitlines()] if kept == "file" else history(broker, space)
    insert(source, 1, 3)
    ours.start()
    wait.until(lambda: post(ours.url + "/connectors", {"name": "own", "config": config}), "the connector to be taken", 60, 0.5)
    wait_rows(broker, 3, topic)
    insert(source, 4, 5)
    wait_rows(broker, 5, topic)
    source.execute("ALTER TABLE dbo.t ADD extra nvarchar(20) NULL", database="d1")
    capture(source, "t", "dbo_t_v2")
    source.execute("INSERT INTO dbo.t (v, extra) VALUES (N'6', N'x6')", database="d1")
    wait_rows(broker, 6, topic)
    assert ours.stop() == 0

    told = [(change["type"], change["id"], [c["name"] for c in change["table"]["columns"]][2:3])
            for record in records() for change in record["tableChanges"] if change["id"].endswith('"t"')]
    assert told == [("CREATE", '"d1"."dbo"."t"', []), ("ALTER", '"d1"."dbo"."t"', ["extra"])], told

    source.execute("INSERT INTO dbo.t (v, extra) VALUES (N'7', N'x7')", database="d1")
    connect.start()
    wait_rows(broker, 7, topic)
    source.execute("INSERT INTO dbo.t (v, extra) VALUES (N'8', N'x8')", database="d1")
    wait_rows(broker, 8, topic)
    connect.stop()
    got = events(broker, topic)
    assert [(e["op"], e["after"]["v"], e["after"].get("extra")) for e in got] == [
        ("r", "1", None), ("r", "2", None), ("r", "3", None), ("c", "4", None), ("c", "5", None),
        ("c", "6", "x6"), ("c", "7", "x7"), ("c", "8", "x8")], got
    # What Debezium recovered is the structure that we wrote: it had nothing to add.
    assert len(records()) == 3, records()
    if kept == "file":
        assert space.history not in broker.kcat("-L")


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
